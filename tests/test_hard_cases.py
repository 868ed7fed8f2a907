"""Hard cases: odd input is refused in the words of the library, or gets the right answer."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from retention import History, Interaction, Purchase, PurchaseLog
from retention.lifecycle import Stage
from retention.logs import InteractionLog
from retention.measures import measured
from retention.mechanisms.decisions import Bands, Case, FirstMatch
from retention.mechanisms.errors import (
    BlankValueError,
    GapError,
    InvalidValueError,
    RetentionError,
    UnequalColumnsError,
    UnknownMeasureError,
    UnknownNameError,
    UnreadableTextError,
    WrongTypeError,
)
from retention.mechanisms.outcomes import Outcomes
from retention.mechanisms.periods import (
    AsOf,
    Trailing,
    Unit,
    day_edge,
    day_end,
    month_ends,
    plus_days,
    plus_months,
    zone_of,
)
from retention.mechanisms.policies import Origin, blank, stated
from retention.mechanisms.ranks import Population, Ranking, Rounding, Ties
from retention.mechanisms.rules import Limit, parse
from retention.presets import ecommerce
from retention.summaries import Summary
from retention.windows import Compared
from tests.refusals import check, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

DAY = date(2024, 6, 30)
SHANGHAI, NEW_YORK = zone_of("Asia/Shanghai"), zone_of("America/New_York")
AS_OF = AsOf.at(DAY, zone_of("UTC"))
AT_MOST_3 = Limit("m", "<=", 3)


def two(**changed: Any) -> PurchaseLog:  # noqa: ANN401
    """Two purchases of two customers, with some columns replaced."""
    columns: dict[str, Any] = {"customer": ["a", "b"], "at": [DAY, DAY], "amount": [1.0, 2.0]}
    return PurchaseLog.from_columns(**columns | changed)


def in_minor(amounts: Any, **changed: Any) -> PurchaseLog:  # noqa: ANN401
    return two(amount=None, amount_minor=amounts, **changed)


def spend(log: PurchaseLog) -> list[int]:
    found: list[int] = Summary.of(["spend_minor"], log, as_of=AS_OF).column("spend_minor").tolist()
    return found


# --- rules -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "days <= 30  # recent\nand orders >= 2",
        "days <= 30 # recent",
        "(days <= 30 # recent\r and orders >= 2)",
        "# days <= 30",
    ],
)
def test_a_rule_holds_no_comment(text: str) -> None:
    with refused(UnreadableTextError, "rule"):
        parse(text)


@pytest.mark.parametrize(
    ("value", "whole"), [(2.0**53, 2**53 + 1), (float(-(2**53)), -(2**53) - 1), (1e18, 10**18 + 1)]
)
@pytest.mark.parametrize("relation", ["<=", "<", ">=", ">", "==", "!="])
def test_large_whole_numbers_compare_exactly(relation: Any, value: float, whole: int) -> None:  # noqa: ANN401
    limit = Limit("m", relation, value)
    assert limit.mask({"m": np.array([whole])}).tolist() == [limit.holds({"m": whole})]
    limit = Limit("m", relation, whole)
    assert limit.mask({"m": np.array([value])}).tolist() == [limit.holds({"m": value})]


def test_a_column_of_short_floats_compares_as_its_values_do() -> None:
    limit, short = Limit("m", "<=", 0.1), np.array([0.1], np.float32)
    assert limit.mask({"m": short}).tolist() == [limit.holds({"m": short[0].item()})]


@pytest.mark.parametrize(
    ("limit", "held"),
    [
        (Limit("m", "==", 3), False),
        (Limit("m", "in", (3, 4)), False),
        (Limit("m", "!=", 3), True),
        (Limit("m", "not in", (3, 4)), True),
    ],
)
def test_text_never_equals_a_number(limit: Limit, held: bool) -> None:
    assert limit.holds({"m": "3"}) is held
    assert limit.mask({"m": np.array(["3", ""])}).tolist() == [held, False]


def test_text_is_in_no_order_with_numbers() -> None:
    with refused(WrongTypeError, "m", given="str"):
        AT_MOST_3.holds({"m": "x"})
    with refused(WrongTypeError, "column"):
        AT_MOST_3.mask({"m": np.array(["x"])})
    with refused(WrongTypeError, "m"):
        FirstMatch((Case("a", AT_MOST_3), Case("b", Limit("m", "==", "x"))))


@pytest.mark.parametrize(
    "column", [np.array(["2024-01-01"], "datetime64[D]"), [1], np.array([1], object)]
)
def test_a_column_holds_numbers_or_text(column: NDArray[Any]) -> None:
    with refused(WrongTypeError, "column"):
        AT_MOST_3.mask({"m": column})


@pytest.mark.parametrize("limit", [10**400, -(10**400), 10**5000], ids=range(3))
def test_a_limit_is_a_number_that_a_float_holds(limit: int) -> None:
    with refused(InvalidValueError, "limit on m"):
        Limit("m", "<=", limit)


def test_reasons_need_the_measure() -> None:
    with refused(UnknownMeasureError, "rule", given="m"):
        AT_MOST_3.reasons({"n": 1})


def test_rules_and_names_are_text() -> None:
    number: Any = 5
    with refused(WrongTypeError, "rule", given=5):
        parse(number)
    with refused(WrongTypeError, "measure", given=5):
        Limit(number, "<=", 3)
    with refused(WrongTypeError, "rule", given=5):
        Case("a", number)


# --- tables ------------------------------------------------------------------------------------


def ladder(cases: int) -> FirstMatch[int]:
    return FirstMatch(tuple(Case(n, Limit("m", "<=", n)) for n in range(cases)), otherwise=999)


def test_a_table_has_as_many_outcomes_as_a_byte_counts() -> None:
    table = ladder(254)
    for value in (0, 253, 254):
        code = int(table.codes({"m": np.array([value])})[0])
        assert table.outcomes[code] == table.decide({"m": value}).outcome
    with refused(InvalidValueError, "FirstMatch.cases", given=256):
        ladder(255)
    assert Bands("m", at_most=tuple(range(254)), open_end=True).table.outcomes[-1] == 255
    with refused(InvalidValueError, "m"):
        Bands("m", at_most=tuple(range(255)), open_end=True)


def test_a_table_is_made_of_cases() -> None:
    numbers: Any = (5,)
    with refused(WrongTypeError, "FirstMatch.cases", given=numbers):
        FirstMatch(numbers, otherwise="x")


@pytest.mark.parametrize("rule", ["m >= 0", "m >= 0.5", "m == 0", "0 <= m <= 7 or m > 7"])
def test_the_proof_asks_below_zero(rule: str) -> None:
    FirstMatch((Case("a", parse(rule)), Case("b", ~parse(rule))))
    with pytest.raises(GapError) as caught:
        FirstMatch((Case("a", parse(rule)),))
    check(caught.value)
    assert isinstance(caught.value.given, dict)
    assert caught.value.given["m"] < 0


@pytest.mark.parametrize("high", [10**20 + 2, 10**20 + 3])
def test_a_gap_between_large_numbers_is_found(high: int) -> None:
    with refused(GapError, "FirstMatch", given={"m": 10**20 + 1}):
        FirstMatch((Case("a", Limit("m", "<=", 10**20)), Case("b", Limit("m", ">=", high))))


def test_bands_are_numbers() -> None:
    bands = Bands("m", at_most=(30, 90), open_end=True)
    with refused(WrongTypeError, "Bands.at_most", given="12"):
        bands.with_("at_most", "12")
    with refused(WrongTypeError, "limit on m", given="1"):
        bands.with_("at_most", ["1", "2"])


def test_totals_are_exact() -> None:
    table = FirstMatch((Case("a", parse("m >= 0")),), otherwise="b")
    found = Outcomes.of(table, np.array(["x", "y"]), {"m": np.array([2**62, 2**62])}, AS_OF)
    assert found.totals("m") == {"a": 2**63, "b": 0}


def test_movers_go_between_outcomes() -> None:
    stages: Any = ecommerce.lifecycle.stages(two(), as_of=DAY)
    movement = stages.compare(stages)
    with refused(UnknownNameError, "outcome", given="nw"):
        movement.movers("nw", None)
    with refused(UnknownNameError, "outcome", given="nw"):
        movement.conversion("nw", "new")


# --- policies ----------------------------------------------------------------------------------


def test_a_citation_outlives_the_conversion_of_its_value() -> None:
    limits: Any = [30, 90]
    bands = Bands("m", at_most=stated(limits, "002 二(一)2"), open_end=True)
    assert bands.source("at_most").origin is Origin.STATED
    assert bands.at_most == (30, 90)


def test_equal_policies_have_equal_fingerprints() -> None:
    path = "lifecycle.reduced.ratio_below"
    for value in (1, 1.0):
        ours = ecommerce.with_(path, value)
        assert (ours == ecommerce) == (ours.fingerprint() == ecommerce.fingerprint())
    assert ecommerce.with_(path, 1).fingerprint() == ecommerce.with_(path, 1.0).fingerprint()


def test_a_policy_is_compared_with_a_policy() -> None:
    number: Any = 5
    with refused(WrongTypeError, "compare", given=5):
        ecommerce.compare(number)


@pytest.mark.parametrize(
    "use",
    [
        lambda: ecommerce.with_("lifecycle.zone", blank("x")).lifecycle.stage(
            History("a"), as_of=DAY
        ),
        lambda: ecommerce.with_("segmentation.population", blank("x")).segmentation.layers(
            two(), as_of=DAY
        ),
        lambda: blank("x").value & parse("a <= 1"),
        lambda: blank("x").value | parse("a <= 1"),
        lambda: ~blank("x").value,
        lambda: abs(blank("x").value),
        lambda: round(blank("x").value),
        lambda: math.floor(blank("x").value),
        lambda: blank("x").value[0],
        lambda: blank("x").value ** 2,
        lambda: zone_of(blank("x").value),
        lambda: Limit("m", "<=", blank("x").value),
    ],
    ids=range(12),
)
def test_a_blank_cannot_be_used(use: Callable[[], object]) -> None:
    with refused(BlankValueError, given="x"):
        use()


def test_a_blank_can_be_carried_in_place_of_a_term() -> None:
    assert [entry.path for entry in Ranking(ties=blank("x")).blanks()] == ["ties"]


# --- terms given as text -----------------------------------------------------------------------


def test_a_term_is_given_as_a_member_or_as_its_code() -> None:
    days: Any = "d"
    months: Any = "mo"
    best: Any = "share_best"
    ceil: Any = "ceil"
    amounts = np.array([3, 2, 1])
    assert Trailing(30, days) == Trailing(30, Unit.DAY)
    assert Compared(3, 0, months) == Compared(3, 0, Unit.MONTH)
    assert Ranking(ties=best).ties is Ties.SHARE_BEST
    assert Ranking(rounding=ceil).rounding is Rounding.CEIL
    up = Population("s", amounts, rounding=Rounding.CEIL).at_most(0.5)
    assert Population("s", amounts, rounding=ceil).at_most(0.5) == up
    assert in_minor([-1, 2], returns="net").has_returns


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda word: Trailing(30, word), "unit"),
        (lambda word: Compared(30, 0, word), "unit"),
        (lambda word: Ranking(ties=word), "Ranking.ties"),
        (lambda word: Ranking(rounding=word), "rounding"),
        (lambda word: Ranking().with_("ties", word), "Ties"),
        (lambda word: Population("s", np.array([1]), rounding=word), "rounding"),
        (lambda word: two(returns=word), "returns"),
        (lambda word: Interaction("a", DAY, word), "kind"),
    ],
    ids=range(8),
)
def test_a_code_that_no_term_has(make: Callable[[Any], object], where: str) -> None:
    with refused(UnknownNameError, where, given="foo"):
        make("foo")


# --- columns of facts --------------------------------------------------------------------------


def test_sums_beyond_64_bits_are_refused() -> None:
    with refused(InvalidValueError, "sum of amounts"):
        spend(in_minor([2**62, 2**62], customer=["a", "a"]))
    assert spend(in_minor([2**62, 2**62 - 1], customer=["a", "a"])) == [2**63 - 1]
    assert spend(in_minor([-(2**62)] * 2, customer=["a", "a"], returns="net")) == [-(2**63)]


def test_merged_sums_beyond_64_bits_are_refused() -> None:
    one = Summary.of(["spend_minor"], in_minor([2**62, 1]), as_of=AS_OF)
    with refused(InvalidValueError, "sum of amounts"):
        one.merge(one)


@pytest.mark.parametrize("column", ["customer", "amount_minor", "profit_minor"])
@pytest.mark.parametrize("largest", [2**63, 2**64 - 1])
def test_a_whole_number_beyond_64_bits_is_refused(column: str, largest: int) -> None:
    columns: dict[str, Any] = {"amount": None, "amount_minor": [1, 2]}
    columns[column] = np.array([1, largest], np.uint64)
    with refused(InvalidValueError):
        two(**columns)
    columns[column] = np.array([1, 2**63 - 1], np.uint64)
    assert len(two(**columns)) == 2


def test_a_fact_with_a_number_beyond_64_bits_is_refused() -> None:
    with refused(InvalidValueError, "amount_minor"):
        PurchaseLog.of([Purchase("a", DAY, 2**70)])
    with refused(InvalidValueError, "amount_minor"):
        PurchaseLog.of([Purchase("a", DAY, 1, profit_minor=-(2**70))])


def test_text_and_numbers_are_not_one_customer() -> None:
    with refused(WrongTypeError, "customer"):
        PurchaseLog.of([Purchase(1, DAY, 1), Purchase("1", DAY, 1)])
    with refused(WrongTypeError, "customer"):
        InteractionLog.of([Interaction(1, DAY, "call"), Interaction("1", DAY, "call")])


def test_a_currency_in_every_row() -> None:
    assert two(currency=["EUR", "EUR"]).currency == "EUR"
    assert two(currency=np.array(["EUR", "EUR"], object)).currency == "EUR"
    with refused(UnequalColumnsError, "log"):
        two(currency=["EUR"] * 3)
    with refused(WrongTypeError, "currency") as caught:
        two(currency=[None, "EUR"])
    assert "None" not in str(caught.value)


def test_orders_are_text_or_whole_numbers() -> None:
    assert not two(order=np.array(["x", ""], object)).problems
    with refused(WrongTypeError, "order"):
        two(order=np.array(["x", None], object))
    with refused(WrongTypeError, "order"):
        two(order=[1.5, math.nan])


def test_empty_lists_are_empty_logs() -> None:
    assert len(PurchaseLog.from_columns(customer=[], at=[], amount=[], order=[], currency=[])) == 0
    assert len(PurchaseLog.from_columns(customer=[], at=[], amount_minor=[], core=[])) == 0
    assert len(InteractionLog.from_columns(customer=[], at=[], kind=[], topic=[])) == 0


def test_empty_logs_answer() -> None:
    others = InteractionLog.of([Interaction("z", DAY, "call")])
    assert list(PurchaseLog.of([]).histories()) == []
    assert list(dict(PurchaseLog.of([]).histories(others))) == ["z"]
    assert list(InteractionLog.of([]).by_customer()) == []


# --- the ends of the calendar ------------------------------------------------------------------

FIRST, LAST = date.min, date.max
ENDS = [
    FIRST,
    LAST,
    datetime(1, 1, 1, 0, 30, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 30, tzinfo=UTC),
    datetime(1, 1, 1, 0, 30, tzinfo=SHANGHAI),
    datetime(9999, 12, 31, 23, 30, tzinfo=NEW_YORK),
    datetime.max.replace(tzinfo=UTC),
]


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
@pytest.mark.parametrize("as_of", [*ENDS, DAY])
@pytest.mark.parametrize("at", [*ENDS, DAY])
def test_one_and_many_agree_at_the_ends_of_the_calendar(
    at: date | datetime, as_of: date | datetime, zone: str
) -> None:
    lifecycle = ecommerce.lifecycle.with_("zone", zone)
    history = History("a", [Purchase("a", at, 1)], [Interaction("a", at, "login")])
    logs = PurchaseLog.of(history.purchases), InteractionLog.of(history.interactions)
    stages = lifecycle.stages(*logs, as_of=as_of, customers=["a"])
    assert stages.decision("a").outcome == lifecycle.stage(history, as_of=as_of).outcome
    due = lifecycle.due(history, as_of=as_of)
    on = lifecycle.dues(*logs, as_of=as_of, customers=["a"]).on.tolist()
    assert on == [None if due is None else due.on]
    assert all(change.on <= LAST for change in lifecycle.timeline(history, until=as_of))


@pytest.mark.parametrize(
    "name",
    [
        "purchases_9999d", "purchases_9999mo", "purchases_9999y", "interactions_preceding_9999d",
        "purchase_variation_4q", "logins_each_week_4w", "logins_each_7d_4w", "tenure_years",
        "run_years", "run_calendar_years", "run_12mo_blocks", "days_since_purchase",
    ],
)  # fmt: skip
@pytest.mark.parametrize("as_of", ENDS)
def test_windows_end_with_the_calendar(name: str, as_of: date | datetime) -> None:
    point = AsOf.at(as_of, SHANGHAI)
    for at in (as_of, DAY):
        history = History("a", [Purchase("a", at, 1)], [Interaction("a", at, "login")])
        logs = PurchaseLog.of(history.purchases), InteractionLog.of(history.interactions)
        many = Summary.of([name], *logs, as_of=point, customers=["a"]).column(name)[0].item()
        one = measured(history, [name], point)[name]
        assert many == one or (one is None and math.isnan(many))


def test_dues_and_layers_at_the_ends_of_the_calendar() -> None:
    assert ecommerce.lifecycle.dues(two(at=[LAST, DAY]), as_of=LAST).on.tolist() == [None, None]
    assert ecommerce.lifecycle.stage(two().history("a"), as_of=LAST).outcome == "lost"
    assert ecommerce.lifecycle.stages(two(), as_of=LAST).counts()[Stage.LOST] == 2
    assert len(ecommerce.segmentation.layers(two(), as_of=FIRST)) == 0


def test_the_calendar_has_no_day_beyond_its_ends() -> None:
    assert (plus_days(LAST, 1), plus_days(FIRST, -1)) == (LAST, FIRST)
    assert (plus_months(LAST, 1), plus_months(FIRST, -1)) == (LAST, FIRST)
    assert plus_months(date(9999, 11, 30), 1) == date(9999, 12, 30)
    assert list(month_ends(date(9999, 12, 1), LAST)) == [LAST]
    for zone in (SHANGHAI, NEW_YORK):
        assert day_edge(FIRST, zone) < day_end(FIRST, zone)
        assert day_edge(LAST, zone) < day_end(LAST, zone)
        assert AsOf.at(LAST, zone).ended_before == LAST


# --- numbers that are none ---------------------------------------------------------------------


@pytest.mark.parametrize("count", [1.5, "3", True])
def test_a_window_is_a_whole_number_of_units(count: Any) -> None:  # noqa: ANN401
    with refused(WrongTypeError, "Trailing.count", given=count):
        Trailing(count, Unit.DAY)


@pytest.mark.parametrize(
    ("share", "kind"),
    [("a", WrongTypeError), (True, WrongTypeError), (math.inf, InvalidValueError)],
)
def test_a_share_is_a_finite_number(share: Any, kind: type[RetentionError]) -> None:  # noqa: ANN401
    population = Population("s", np.array([1]))
    with refused(kind, "share", given=share):
        population.at_most(share)
    with refused(kind, "share", given=share):
        population.below(share)


@pytest.mark.parametrize("name", [5, None, ["UTC"], ZoneInfo("UTC")])
def test_a_zone_is_named_by_text(name: Any) -> None:  # noqa: ANN401
    with refused(WrongTypeError, "zone", given=name):
        zone_of(name)
