"""The acceptance scenarios of the catalogue, as written and with other numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from retention import History, Interaction, Purchase, PurchaseLog
from retention.ageing import Trigger
from retention.lifecycle import LIFECYCLE, Reactivation, Stage
from retention.logs import InteractionLog
from retention.presets import ecommerce
from retention.segmentation import Layer

AS_OF = date(2024, 6, 30)
SHANGHAI = ZoneInfo("Asia/Shanghai")
LIFE = ecommerce.lifecycle

# customer, cumulative spend, purchases of 2024, bought before 2024, expected layer
TEN = (
    ("c1", 12_000, ("06-05", "06-20"), True, Layer.HIGH_ACTIVE),
    ("c2", 10_000, ("06-25",), True, Layer.MEDIUM_ACTIVE),
    ("c3", 8_000, ("05-31",), True, Layer.MEDIUM_ACTIVE),
    ("c4", 6_000, ("04-01",), True, Layer.MEDIUM_ACTIVE),
    ("c5", 5_000, ("06-10",), False, Layer.NEW),
    ("c6", 4_000, ("03-31",), True, Layer.SLEEPING),
    ("c7", 3_000, ("01-02",), True, Layer.SLEEPING),
    ("c8", 2_000, ("01-01",), True, Layer.LOST),
    ("c9", 1_000, ("06-01", "06-15"), True, Layer.GENERAL_ACTIVE),
    ("c10", 500, ("05-31",), False, Layer.NEW),
)
BANDS = {"c1": (1, 1, 1), "c4": (2, 2, 2), "c7": (3, 3, 3), "c8": (4, 3, 3), "c10": (1, 2, 4)}


def bought(customer: str, spend: int, days: tuple[str, ...], *, older: bool) -> list[Purchase]:
    """The whole spend, in yuan, over the purchases of 2024 and one of 2023."""
    when = [date.fromisoformat(f"2024-{day}") for day in days] + [date(2023, 6, 1)] * older
    rest = [1_00] * (len(when) - 1)
    amounts = [spend * 100 - sum(rest), *rest]
    return [Purchase(customer, day, n) for day, n in zip(when, amounts, strict=True)]


def ten(shift: timedelta = timedelta(0), times: int = 1) -> PurchaseLog:
    facts = [
        Purchase(f.customer, f.at + shift, f.amount_minor * times)
        for name, spend, days, older, _ in TEN
        for f in bought(name, spend, days, older=older)
    ]
    return PurchaseLog.of(facts)


@pytest.mark.rule("S-17", "C-20", "C-21", "C-22", "C-23")
def test_layers_and_bands_of_ten_customers() -> None:
    layers = ecommerce.segmentation.layers(ten(), as_of=AS_OF)
    cells = ecommerce.segmentation.rfm_cells(ten(), as_of=AS_OF)
    assert {name: layers.decision(name).outcome for name, *_ in TEN} == {
        name: layer for name, _, _, _, layer in TEN
    }
    for name, bands in BANDS.items():
        found = [x.decision(name).outcome for x in (cells.recency, cells.frequency, cells.monetary)]
        assert tuple(found) == bands


@pytest.mark.rule("S-17")
@pytest.mark.parametrize("days", [-400, -1, 59, 366])
@pytest.mark.parametrize("times", [1, 3])
def test_layers_do_not_depend_on_the_year_or_the_currency(days: int, times: int) -> None:
    shift = timedelta(days=days)
    layers = ecommerce.segmentation.layers(ten(shift, times), as_of=AS_OF + shift)
    assert [layers.decision(name).outcome for name, *_ in TEN] == [row[-1] for row in TEN]


@pytest.mark.rule("S-17", "C-21", "C-22", "C-23", "C-40")
def test_layers_one_by_one_after_pinning() -> None:
    log = ten()
    pinned = ecommerce.segmentation.pin(log, as_of=AS_OF)
    for name, _, _, _, layer in TEN:
        decision = pinned.layer(log.history(name), as_of=AS_OF)
        assert decision.outcome is layer
        assert str(layer) in decision.explain()
        cell = pinned.rfm_cell(log.history(name), as_of=AS_OF)
        assert cell.bands == BANDS.get(name, cell.bands)


@pytest.mark.rule("S-17", "C-20", "C-21")
@pytest.mark.parametrize(
    ("last", "recency", "layer"),
    [
        (30, 1, Layer.MEDIUM_ACTIVE),
        (31, 2, Layer.MEDIUM_ACTIVE),
        (90, 2, Layer.MEDIUM_ACTIVE),
        (91, 3, Layer.SLEEPING),
        (180, 3, Layer.SLEEPING),
        (181, 4, Layer.LOST),
    ],
)
def test_recency_bounds_with_other_days(last: int, recency: int, layer: Layer) -> None:
    facts = [Purchase("x", AS_OF - timedelta(days=last), 900), Purchase("x", date(2022, 1, 1), 1)]
    facts += [Purchase(f"y{n}", date(2021, 1, 1), n) for n in range(9)]
    pinned = ecommerce.segmentation.pin(PurchaseLog.of(facts), as_of=AS_OF)
    history = History("x", facts[:2])
    assert pinned.layer(history, as_of=AS_OF).outcome is layer
    assert pinned.rfm_cell(history, as_of=AS_OF).recency.outcome == recency


def only_order(*others: Interaction) -> History:
    return History("c", [Purchase("c", date(2024, 1, 1), 100_00)], others)


def login(day: date) -> Interaction:
    return Interaction("c", day, "login")


BOUNDS = [
    (date(2024, 1, 1), Stage.NEW),
    (date(2024, 1, 31), Stage.NEW),
    (date(2024, 2, 1), Stage.ACTIVE),
    (date(2024, 3, 31), Stage.ACTIVE),
    (date(2024, 4, 1), Stage.SLEEPING),
    (date(2024, 4, 30), Stage.SLEEPING),
    (date(2024, 6, 29), Stage.SLEEPING),
    (date(2024, 6, 30), Stage.LOST),
]


@pytest.mark.rule("S-16", "D-01", "D-02")
@pytest.mark.parametrize(("day", "stage"), BOUNDS)
def test_stage_bounds_of_an_only_order(day: date, stage: Stage) -> None:
    assert LIFE.stage(only_order(), as_of=day).outcome is stage
    log = PurchaseLog.of(only_order().purchases)
    assert LIFE.stages(log, as_of=day).decision("c").outcome is stage


@pytest.mark.rule("S-16", "D-01", "D-02")
@pytest.mark.parametrize("order", [date(2023, 3, 1), date(2024, 2, 29), date(2023, 12, 31)])
@pytest.mark.parametrize(
    ("age", "stage"),
    [
        (30, "new"),
        (31, "active"),
        (90, "active"),
        (91, "sleeping"),
        (180, "sleeping"),
        (181, "lost"),
    ],
)
def test_stage_bounds_with_other_days(order: date, age: int, stage: str) -> None:
    history = History("c", [Purchase("c", order, 1)])
    assert LIFE.stage(history, as_of=order + timedelta(days=age)).outcome == stage


@pytest.mark.rule("S-16", "D-03", "D-05")
def test_weekly_login_keeps_the_stage_active_while_the_layer_is_lost() -> None:
    logins = [login(date(2024, 1, 1) + timedelta(days=7 * week)) for week in range(30)]
    history = only_order(*logins)
    for day in range(181):
        at = date(2024, 1, 1) + timedelta(days=day)
        assert LIFE.stage(history, as_of=at).outcome is (Stage.NEW if day <= 30 else Stage.ACTIVE)
    others = [Purchase(f"y{n}", date(2024, 5, 1), n + 1) for n in range(3)]
    log = PurchaseLog.of([*history.purchases, *others])
    pinned = ecommerce.segmentation.pin(log, as_of=AS_OF)
    assert pinned.layer(history, as_of=AS_OF).outcome is Layer.LOST
    assert ecommerce.segmentation.layers(log, as_of=AS_OF).decision("c").outcome is Layer.LOST


@pytest.mark.rule("S-16", "D-02")
def test_a_single_login_puts_the_loss_off() -> None:
    history = only_order(login(date(2024, 5, 15)))
    assert LIFE.stage(history, as_of=date(2024, 6, 30)).outcome is Stage.SLEEPING
    assert LIFE.stage(history, as_of=date(2024, 11, 11)).outcome is Stage.SLEEPING
    assert LIFE.stage(history, as_of=date(2024, 11, 12)).outcome is Stage.LOST
    due = LIFE.due(history, as_of=date(2024, 5, 16))
    assert due is not None
    assert (due.on, due.entered) == (date(2024, 11, 12), Stage.LOST)


@pytest.mark.rule("S-16", "D-01", "D-02")
def test_before_any_order() -> None:
    browsing = History("c", (), [Interaction("c", date(2023, 12, 20), "browse")])
    assert LIFE.stage(browsing, as_of=date(2023, 12, 31)).outcome is Stage.POTENTIAL
    assert LIFE.stage(History("c"), as_of=date(2023, 12, 31)).outcome is Stage.REGISTERED
    nobody = LIFE.stages(PurchaseLog.of([]), as_of=AS_OF, customers=["c"])
    assert nobody.decision("c").outcome is Stage.REGISTERED


@pytest.mark.rule("D-01")
def test_frequent_login_without_an_order_stays_potential() -> None:  # AMB-34
    logins = [login(date(2024, 1, 1) + timedelta(days=7 * week)) for week in range(20)]
    history = History("c", (), logins)
    assert LIFE.stage(history, as_of=date(2024, 5, 1)).outcome is Stage.POTENTIAL


@pytest.mark.rule("D-02", "D-03")
def test_frequent_interaction_makes_active_at_any_recency() -> None:
    # Four full weeks, Monday 2024-07-01 to Sunday 2024-07-28, one login each.
    weeks = [date(2024, 7, 1), date(2024, 7, 14), date(2024, 7, 15), date(2024, 7, 28)]
    history = only_order(*map(login, weeks))
    assert LIFE.stage(history, as_of=date(2024, 7, 27)).outcome is Stage.SLEEPING
    assert LIFE.stage(history, as_of=date(2024, 7, 28)).outcome is Stage.ACTIVE  # the day ends it
    noon = datetime(2024, 7, 28, 12, tzinfo=SHANGHAI)
    assert LIFE.stage(history, as_of=noon).outcome is Stage.SLEEPING  # the week still runs
    assert LIFE.stage(history, as_of=date(2024, 8, 3)).outcome is Stage.ACTIVE
    assert LIFE.stage(history, as_of=date(2024, 8, 4)).outcome is Stage.SLEEPING  # a week without
    one_missing = only_order(*map(login, weeks[:3]))
    assert LIFE.stage(one_missing, as_of=date(2024, 7, 28)).outcome is Stage.SLEEPING


@pytest.mark.rule("D-03")
def test_another_number_of_weeks_is_data() -> None:
    two = LIFE.with_("stages.active.when", "days_since_purchase <= 90 or logins_each_week_2w >= 1")
    history = only_order(login(date(2024, 7, 15)), login(date(2024, 7, 28)))
    assert two.stage(history, as_of=date(2024, 7, 28)).outcome is Stage.ACTIVE
    assert LIFE.stage(history, as_of=date(2024, 7, 28)).outcome is Stage.SLEEPING


@pytest.mark.rule("D-04")
@pytest.mark.parametrize(
    ("latest", "preceding", "reduced"),
    [(0, 0, True), (1, 2, True), (2, 2, False), (3, 2, False), (1, 0, False), (0, 1, True)],
)
def test_reduced_interaction(latest: int, preceding: int, reduced: bool) -> None:
    # RC-06: exactly 90 dates each, (as_of - 90, as_of] and (as_of - 180, as_of - 90].
    inside = [AS_OF, AS_OF - timedelta(days=89), AS_OF - timedelta(days=40)][:latest]
    before = [AS_OF - timedelta(days=90), AS_OF - timedelta(days=179)][:preceding]
    outside = [AS_OF - timedelta(days=180), AS_OF + timedelta(days=1)]
    history = History("c", (), [login(day) for day in (*inside, *before, *outside)])
    found = LIFE.interacting(history, as_of=AS_OF)
    assert (found.latest, found.preceding, found.reduced) == (latest, preceding, reduced)
    assert found.ratio == (latest / preceding if preceding else None)
    log = InteractionLog.of(history.interactions)
    columns = LIFE.interactings(PurchaseLog.of([]), log, as_of=AS_OF)
    assert [column.tolist() for column in columns.values()] == [
        ["c"],
        [latest],
        [preceding],
        [reduced],
    ]


@pytest.mark.rule("D-06", "D-09", "SM-06")
def test_timeline_of_a_return_after_absence() -> None:
    history = History(
        "c",
        [
            Purchase("c", datetime(2024, 1, 1, 9, 30, tzinfo=SHANGHAI), 100),
            Purchase("c", datetime(2024, 8, 1, 23, 59, tzinfo=SHANGHAI), 100),
        ],
        [
            Interaction("c", datetime(2023, 12, 20, 8, tzinfo=SHANGHAI), "browse"),
            Interaction("c", datetime(2024, 7, 10, 8, tzinfo=SHANGHAI), "call"),
        ],
    )
    found = [
        (str(x.on), x.left, x.entered, x.trigger, x.days_away)
        for x in LIFE.timeline(history, until=date(2024, 12, 31))
    ]
    time, buy, act = Trigger.TIME, Trigger.PURCHASE, Trigger.INTERACTION
    assert found == [
        ("2023-12-20", Stage.REGISTERED, Stage.POTENTIAL, act, None),
        ("2024-01-01", Stage.POTENTIAL, Stage.NEW, buy, None),
        ("2024-02-01", Stage.NEW, Stage.ACTIVE, time, None),
        ("2024-04-01", Stage.ACTIVE, Stage.SLEEPING, time, None),
        ("2024-06-30", Stage.SLEEPING, Stage.LOST, time, None),
        ("2024-07-10", Stage.LOST, Stage.SLEEPING, act, None),
        ("2024-08-01", Stage.SLEEPING, Stage.ACTIVE, buy, 213),
        ("2024-10-31", Stage.ACTIVE, Stage.SLEEPING, time, None),
    ]
    until = date(2024, 12, 31)
    assert LIFE.reactivations(history, until=until) == (
        Reactivation(date(2024, 8, 1), Stage.SLEEPING, 213),
    )
    at = [x.at for x in LIFE.timeline(history, until=until)]
    assert at[1] == datetime(2024, 1, 1, 1, 30, tzinfo=UTC)
    assert at[2] == datetime(2024, 1, 31, 16, tzinfo=UTC)  # midnight in Shanghai
    for left, entered in [(x[1], x[2]) for x in found]:
        assert LIFECYCLE.between(left, entered)
