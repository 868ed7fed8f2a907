"""Measures by name: windows, values of one customer, labels."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from retention import History, Interaction, InteractionKind, Purchase, Return
from retention.measures import FAMILIES, figure, label, measure, measured
from retention.mechanisms.errors import UnknownMeasureError, UnpinnedPolicyError
from retention.mechanisms.periods import AsOf, When
from tests.refusals import check, refused

SHANGHAI = ZoneInfo("Asia/Shanghai")


def one(name: str, history: History, as_of: When, zone: ZoneInfo = SHANGHAI) -> object:
    return measured(history, [name], AsOf.at(as_of, zone))[name]


def bought(*days: str, amount: int = 100) -> History:
    return History("c", [Purchase("c", date.fromisoformat(day), amount) for day in days])


def logins(*days: str) -> History:
    kind = InteractionKind.LOGIN
    return History("c", (), [Interaction("c", date.fromisoformat(day), kind) for day in days])


# --- windows --------------------------------------------------------------------------------------


@pytest.mark.rule("RC-06", "RC-08")
@pytest.mark.parametrize(
    ("name", "day", "as_of", "value"),
    [
        ("purchases_30d", "2024-05-31", date(2024, 6, 30), 1),
        ("purchases_30d", "2024-05-30", date(2024, 6, 30), 0),
        ("purchases_30d", "2024-06-30", date(2024, 6, 30), 1),
        ("purchases_30d", "2024-07-01", date(2024, 6, 30), 0),
        ("purchases_1d", "2024-02-28", date(2024, 2, 29), 1),
        ("purchases_365d", "2023-03-01", date(2024, 2, 29), 1),
        ("purchases_365d", "2023-02-28", date(2024, 2, 29), 0),
        ("purchases_1y", "2023-03-01", date(2024, 2, 29), 1),
        ("purchases_1y", "2023-02-28", date(2024, 2, 29), 0),
        ("purchases_6mo", "2023-12-31", date(2024, 6, 30), 1),
        ("purchases_6mo", "2023-12-30", date(2024, 6, 30), 0),
        ("purchases_1mo", "2024-03-01", date(2024, 3, 31), 1),
        ("purchases_1mo", "2024-02-29", date(2024, 3, 31), 0),
        ("purchases", "1900-01-01", date(2024, 6, 30), 1),
        ("spend_minor_30d", "2024-05-31", date(2024, 6, 30), 100),
        ("spend_minor", "2024-07-01", date(2024, 6, 30), 0),
        ("days_since_purchase", "2024-02-29", date(2024, 3, 1), 1),
        ("days_since_purchase", "2024-06-30", date(2024, 6, 30), 0),
        ("days_since_purchase", "2024-07-01", date(2024, 6, 30), None),
        ("purchases_per_month_3mo", "2024-06-01", date(2024, 6, 30), 1 / 3),
    ],
)
def test_a_day_at_the_edge_of_a_window(name: str, day: str, as_of: date, value: object) -> None:
    assert one(name, bought(day), as_of) == value


@pytest.mark.rule("RC-01")
@pytest.mark.parametrize(
    ("at", "as_of", "zone", "value"),
    [
        # both sides of local midnight
        (datetime(2024, 6, 30, 15, 59, tzinfo=UTC), date(2024, 7, 1), "Asia/Shanghai", 1),
        (datetime(2024, 6, 30, 16, 0, tzinfo=UTC), date(2024, 7, 1), "Asia/Shanghai", 0),
        (datetime(2024, 6, 30, 16, 0, tzinfo=UTC), date(2024, 7, 1), "UTC", 1),
        (datetime(1988, 6, 30, 15, 30, tzinfo=UTC), date(1988, 7, 1), "Asia/Shanghai", 0),
        (datetime(2018, 11, 4, 2, 59, tzinfo=UTC), date(2018, 11, 4), "America/Sao_Paulo", 1),
        (datetime(2018, 11, 4, 3, 0, tzinfo=UTC), date(2018, 11, 4), "America/Sao_Paulo", 0),
        (datetime(2024, 3, 30, 22, 59, tzinfo=UTC), date(2024, 3, 31), "Europe/Berlin", 1),
        (datetime(2024, 3, 30, 23, 0, tzinfo=UTC), date(2024, 3, 31), "Europe/Berlin", 0),
    ],
    ids=range(8),
)
def test_days_are_counted_in_the_zone(at: datetime, as_of: date, zone: str, value: int) -> None:
    history = History("c", [Purchase("c", at, 1)])
    assert one("days_since_purchase", history, as_of, ZoneInfo(zone)) == value


def test_an_instant_knows_nothing_of_later_that_day() -> None:
    at = datetime(2024, 6, 30, 12, tzinfo=SHANGHAI)
    history = History("c", [Purchase("c", at, 1)])
    assert one("purchases", history, at) == 1
    assert one("purchases", history, at - timedelta(microseconds=1)) == 0
    assert one("purchases", history, date(2024, 6, 30)) == 1


# --- weeks ----------------------------------------------------------------------------------------


@pytest.mark.rule("D-03")
@pytest.mark.parametrize(
    ("days", "as_of", "value"),
    [
        # Sunday 30 June 2024 as a whole day has ended its week
        (["2024-06-24", "2024-06-17"], date(2024, 6, 30), 1),
        (["2024-06-30", "2024-06-23"], date(2024, 6, 30), 1),
        (["2024-06-30", "2024-06-29"], date(2024, 6, 30), 0),
        # on Saturday the week has not ended
        (["2024-06-24", "2024-06-17"], date(2024, 6, 29), 0),
        (["2024-06-17", "2024-06-10"], date(2024, 6, 29), 1),
        # as an instant of that Sunday it has not ended either
        (["2024-06-24", "2024-06-17"], datetime(2024, 6, 30, 23, 59, tzinfo=SHANGHAI), 0),
        (["2024-06-24", "2024-06-17"], datetime(2024, 7, 1, tzinfo=SHANGHAI), 1),
        (["2024-06-24", "2024-06-25", "2024-06-17", "2024-06-18"], date(2024, 6, 30), 2),
    ],
    ids=range(8),
)
def test_full_weeks(days: list[str], as_of: When, value: int) -> None:
    assert one("logins_each_week_2w", logins(*days), as_of) == value


@pytest.mark.parametrize(
    ("days", "value"),
    [
        (["2024-06-30", "2024-06-23"], 1),
        (["2024-06-24", "2024-06-17"], 1),
        (["2024-06-24", "2024-06-16"], 0),
        (["2024-06-30", "2024-06-24"], 0),
    ],
)
def test_blocks_of_seven_days(days: list[str], value: int) -> None:
    assert one("logins_each_7d_2w", logins(*days), date(2024, 6, 30)) == value


def test_only_logins_are_logins() -> None:
    calls = [Interaction("c", date(2024, 6, 26), InteractionKind.CALL)]
    history = History("c", (), calls)
    assert one("logins_each_week_1w", history, date(2024, 6, 30)) == 0
    assert one("interactions_30d", history, date(2024, 6, 30)) == 1


@pytest.mark.parametrize(
    ("days", "value"),
    [
        (["2024-06-30", "2024-03-30"], 0.0),
        (["2024-03-31"], 1.0),  # the last quarter begins on 31 March
        (["2024-03-30"], 1.0),
        (["2023-12-30"], None),
        ([], None),
    ],
)
def test_the_variation_of_two_quarters(days: list[str], value: float | None) -> None:
    assert one("purchase_variation_2q", bought(*days), date(2024, 6, 30)) == value


@pytest.mark.rule("D-04")
@pytest.mark.parametrize(
    ("day", "latest", "preceding"),
    [
        ("2024-06-30", 1, 0),
        ("2024-06-01", 1, 0),
        ("2024-05-31", 0, 1),
        ("2024-05-02", 0, 1),
        ("2024-05-01", 0, 0),
    ],
)
def test_windows_that_are_compared_do_not_overlap(day: str, latest: int, preceding: int) -> None:
    found = measured(
        logins(day),
        ["interactions_latest_30d", "interactions_preceding_30d"],
        AsOf.at(date(2024, 6, 30), SHANGHAI),
    )
    assert list(found.values()) == [latest, preceding]


# --- nothing, returns, sums -----------------------------------------------------------------------


def test_somebody_who_did_nothing() -> None:
    names = ["purchases", "spend_minor", "days_since_purchase", "days_since_first_purchase",
             "interactions_30d", "days_since_interaction", "logins_each_week_4w"]  # fmt: skip
    found = measured(History("c"), names, AsOf.at(date(2024, 6, 30), SHANGHAI))
    assert list(found.values()) == [0, 0, None, None, 0, None, 0]


def test_a_return_lessens_spend_on_its_own_day() -> None:
    history = History(
        "c", [Purchase("c", date(2024, 1, 1), 500)], returns=[Return("c", date(2024, 6, 1), 200)]
    )
    as_of = date(2024, 6, 30)
    assert one("spend_minor", history, as_of) == 300
    assert one("spend_minor_30d", history, as_of) == -200
    assert one("purchases", history, as_of) == 1
    assert one("days_since_purchase", history, as_of) == 181


def test_sums_are_exact() -> None:
    assert one(
        "spend_minor", bought("2024-01-01", "2024-01-02", amount=2**62 + 1), date(2024, 6, 30)
    ) == (2**63 + 2)


def test_attributes_are_asked_by_name() -> None:
    history = History("c", attributes={"industry": "retail", "stars": None})
    assert one("industry", history, date(2024, 6, 30)) == "retail"
    assert one("stars", history, date(2024, 6, 30)) is None
    with refused(UnknownMeasureError, given="region"):
        one("region", history, date(2024, 6, 30))


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["purchase_30d", "purchases_0d", "purchases_30", "purchases_30w", "purchases_99999d",
     "purchases_-3d", "", "spend", "logins_each_week", "purchases_per_month", "PURCHASES",
     "purchases_30d ", "interactions_latest"],
)  # fmt: skip
def test_a_name_that_is_no_measure(name: str) -> None:
    with refused(UnknownMeasureError, "measure", given=name):
        figure(name)
    with pytest.raises(UnknownMeasureError):
        measure(name)


def test_a_misspelt_measure_is_pointed_out() -> None:
    with pytest.raises(UnknownMeasureError) as caught:
        figure("days_since_purchas")
    assert caught.value.nearest == "days_since_purchase"
    check(caught.value)


@pytest.mark.rule("C-09")
def test_a_share_of_a_population_cannot_be_seen_on_one_customer() -> None:
    with refused(UnpinnedPolicyError, given="spend_share") as caught:
        one("spend_share", bought("2024-01-01"), date(2024, 6, 30))
    assert "pin(" in str(caught.value)
    assert figure("spend_share_1y").share_of == "spend_minor_1y"


@pytest.mark.rule("X-08")
@pytest.mark.parametrize(
    ("name", "en", "zh"),
    [
        ("purchases_30d", "purchases in the last 30 days", "近30天购买次数"),
        ("spend_minor_6mo", "spend in the last 6 months", "近6个月累计消费"),
        ("spend_minor_1y", "spend in the last 1 years", "近1年累计消费"),
        ("spend_minor", "spend", "累计消费"),
        ("days_since_purchase", "days since the last purchase", "距上次购买天数"),
        ("industry", "industry", "industry"),
    ],
)
def test_labels_for_people(name: str, en: str, zh: str) -> None:
    assert (label(name), label(name, "zh")) == (en, zh)


def test_every_family_has_names_in_both_languages() -> None:
    for family in FAMILIES:
        assert family.en.isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in family.zh)
        assert family.unit


def test_a_measure_to_write_rules_with() -> None:
    found = measure("purchases_30d")
    assert (found.name, found.unit, found.zh) == ("purchases_30d", "purchases", "近30天购买次数")
    assert str(found.between(1, 2)) == "1 <= purchases_30d <= 2"
