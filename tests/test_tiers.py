"""Tiers: ladders as data, rises and falls, grace, locks, what is missing, one and many."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention import (
    BlankValueError,
    DuplicateError,
    History,
    InvalidValueError,
    NotRisingError,
    Purchase,
    PurchaseLog,
    Return,
    UnequalColumnsError,
    UnknownNameError,
    UnpinnedPolicyError,
    WrongTypeError,
)
from retention.classifications import Classification
from retention.mechanisms.decisions import FirstMatch
from retention.mechanisms.obligations import Every
from retention.mechanisms.periods import When
from retention.presets import ecommerce, membership, new_measures, user_retention
from retention.summaries import Attributes
from retention.testing import as_ofs, bases_on_ladders, days, ladders, laws, members_on_ladders
from retention.tier_changes import TIER, TierChange, TierFacts, TierMove, TierState
from retention.tier_columns import TierColumns
from retention.tier_gaps import gaps_of, orders_to_go
from retention.tiers import TierCase, TierCriterion, Tiers, UpgradeTime, ValidityEnd
from tests import catalogue
from tests.refusals import refused

tier_case: Any = TierCase  # with rules as texts, as a file gives them
JOINED = date(2024, 1, 1)


def ladder(*rows: tuple[str, str], lowest: str = "ordinary", **terms: Any) -> Tiers:  # noqa: ANN401
    """Tiers from the highest down."""
    cases = tuple(tier_case(tier, rule) for tier, rule in rows)
    axis = Classification("tiers", FirstMatch(cases, otherwise=lowest))
    return Tiers(axis, **terms)


SPEND = (
    ("gold", "qualifying_spend_minor >= 500000"),
    ("silver", "qualifying_spend_minor >= 100000"),
)
OURS = ladder(*SPEND)


def facts(
    *bought: tuple[date, int], points: tuple[tuple[date, int], ...] = (), **more: object
) -> TierFacts:
    purchases = [Purchase("M-1", day, minor, currency="CNY") for day, minor in bought]
    return TierFacts("M-1", JOINED, History("M-1", purchases), points, **more)  # type: ignore[arg-type]


def moves(tiers: Tiers, who: TierFacts, as_of: When) -> list[tuple[str, str, str]]:
    found = tiers.changes(who, as_of=as_of)
    return [(str(x.move), x.entered, str(x.on)) for x in found]


# --- E-02: ladders as data ------------------------------------------------------------------------


@pytest.mark.rule("E-02", "VAR-01")
@pytest.mark.parametrize(
    ("criterion", "rule", "met", "unmet"),
    [
        (TierCriterion.SPEND, "spend_minor_1y >= 500", {"spend_minor_1y": 500}, 499),
        (TierCriterion.FREQUENCY, "purchases_1y >= 6", {"purchases_1y": 6}, 5),
        (TierCriterion.LOYALTY, "run_years >= 3", {"run_years": 3}, 2),
        (TierCriterion.CUMULATIVE_SPEND, "spend_minor >= 500", {"spend_minor": 500}, 499),
        (TierCriterion.POINTS, "qualifying_points >= 90", {"qualifying_points": 90}, 89),
        (TierCriterion.SPEND_RANK, "spend_share_1y <= 0.05", {"spend_share_1y": 0.05}, 0.06),
        (TierCriterion.VALUE, "value_score >= 80", {"value_score": 80}, 79),
        (TierCriterion.ACTIVITY, "activity_score >= 60", {"activity_score": 60}, 59),
    ],
)
def test_every_criterion_can_make_a_tier(
    criterion: TierCriterion, rule: str, met: dict[str, float], unmet: float
) -> None:
    (name,) = met
    tiers = ladder(("gold", rule), by=(criterion,))
    found = tiers.meets(met)
    assert (found.outcome, [str(x.subject) for x in found.reasons]) == ("gold", [name])
    assert tiers.meets({name: unmet}).outcome == "ordinary"


@pytest.mark.rule("E-02")
def test_criteria_are_joined_by_all_and_any() -> None:
    tiers = ladder(
        ("gold", "qualifying_spend_minor >= 500000 and qualifying_purchases >= 6"),
        ("silver", "qualifying_spend_minor >= 100000 or qualifying_points >= 90"),
    )
    for spend, orders, points, tier in (
        (500000, 6, 0, "gold"),
        (500000, 5, 0, "silver"),
        (0, 9, 90, "silver"),
        (99999, 9, 89, "ordinary"),
    ):
        names = "qualifying_spend_minor", "qualifying_purchases", "qualifying_points"
        row = dict(zip(names, (spend, orders, points), strict=True))
        assert tiers.meets(row).outcome == tier


@pytest.mark.rule("E-02", "VAR-01", "AMB-32")
def test_the_ladders_of_the_handbooks() -> None:
    vip, members = ecommerce.programme.tiers, membership.programme.tiers
    assert vip is not None
    assert members is not None
    block = catalogue.preset("ecommerce")["vip"]
    assert [str(x) for x in vip.names] == ["none", *block["tiers"]]
    assert [str(x) for x in vip.by] == block["by"]
    block = catalogue.preset("membership")["tiers"]
    assert [str(x) for x in members.names] == block["ladder"]
    assert [str(x) for x in members.by] == block["by"]
    layers = new_measures.segmentation.classification("layers").table
    block = catalogue.preset("new_measures")["layers"]
    assert [str(x) for x in reversed(layers.outcomes)] == ["none", *block["ladder"]]
    grades = user_retention.segmentation.classification("spend_grade").table
    assert [str(x) for x in reversed(grades.outcomes)] == [
        "ordinary",
        "silver",
        "gold",
        "platinum",
        "diamond",
    ]
    with pytest.raises(BlankValueError, match=r"000 五\(一\)2"):
        assert user_retention.programme.tiers


@pytest.mark.rule("E-02", "VAR-01")
def test_a_rank_of_spend_makes_a_tier_once_it_is_pinned() -> None:
    """The grades of 000 as a ladder: of 40 spenders the 5 % are two, the next 5 % two more."""
    grades = user_retention.segmentation.classification("spend_grade")
    ranked = Tiers(grades, validity_months=None)
    day = date(2024, 6, 1)
    log = PurchaseLog.of(Purchase(n, day, 100 - n) for n in range(40))
    with pytest.raises(UnpinnedPolicyError):
        ranked.tier(TierFacts(3, day, log.history(3)), as_of=day)
    pinned = ranked.pin(log, as_of=day)
    found = [pinned.tier(TierFacts(n, day, log.history(n)), as_of=day).tier for n in range(5)]
    assert found == ["diamond", "diamond", "platinum", "platinum", "gold"]
    everybody = TierColumns.of(np.arange(40), since=np.array([day] * 40, "M8[D]"), purchases=log)
    counts = pinned.tiers(everybody, as_of=day).counts()
    assert counts == {"ordinary": 20, "silver": 12, "gold": 4, "platinum": 2, "diamond": 2}


def test_thresholds_must_rise() -> None:
    with refused(NotRisingError, "tiers.qualifying_spend_minor: silver, gold"):
        ladder(("gold", "qualifying_spend_minor >= 5"), ("silver", "qualifying_spend_minor >= 9"))
    with refused(NotRisingError, "tiers.spend_share_1y: silver, gold"):
        ladder(("gold", "spend_share_1y <= 0.5"), ("silver", "spend_share_1y <= 0.2"))
    ladder(("gold", "qualifying_purchases >= 5"), ("silver", "qualifying_spend_minor >= 9"))


# --- E-04: rises ----------------------------------------------------------------------------------


@pytest.mark.rule("E-04", "SM-12")
def test_a_rise_comes_at_once_with_the_purchase_that_meets_the_rule() -> None:
    who = facts((date(2024, 2, 10), 999_99), (date(2024, 3, 10), 1), (date(2024, 4, 1), 4_000_00))
    assert OURS.tier(who, as_of=date(2024, 3, 9)).tier == "ordinary"
    here = OURS.tier(who, as_of=date(2024, 3, 10))
    assert (here.tier, here.since, here.valid_through) == (
        "silver",
        date(2024, 3, 10),
        date(2025, 3, 9),
    )
    assert moves(OURS, who, date(2024, 4, 1)) == [
        ("up", "silver", "2024-03-10"),
        ("up", "gold", "2024-04-01"),
    ]


@pytest.mark.rule("E-04")
def test_several_steps_up_at_once() -> None:
    who = facts((date(2024, 2, 10), 9_000_00))
    assert moves(OURS, who, date(2024, 2, 10)) == [("up", "gold", "2024-02-10")]


@pytest.mark.rule("E-04")
def test_a_rise_may_wait_for_the_evaluation_date() -> None:
    tiers = ladder(*SPEND, upgrade=UpgradeTime.ON_DATES, evaluated=Every(months=3))
    who = facts((date(2024, 2, 10), 1_000_00))
    assert tiers.tier(who, as_of=date(2024, 3, 30)).tier == "ordinary"
    assert moves(tiers, who, date(2024, 3, 31)) == [("up", "silver", "2024-03-31")]
    noon = datetime(2024, 3, 31, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert moves(tiers, who, noon) == []  # the day is not over
    with refused(InvalidValueError, "Tiers.evaluated"):
        ladder(*SPEND, upgrade="on_dates")


@pytest.mark.rule("E-04")
def test_years_of_loyalty_raise_a_tier_without_a_purchase() -> None:
    tiers = ladder(("loyal", "tenure_years >= 1"))
    who = facts((date(2024, 2, 10), 5_00))
    assert tiers.tier(who, as_of=date(2025, 2, 9)).tier == "ordinary"
    assert moves(tiers, who, date(2025, 12, 31)) == [("up", "loyal", "2025-02-10")]


def test_a_fact_that_is_not_known_yet_raises_nothing() -> None:
    who = facts((date(2024, 2, 10), 1_000_00))
    assert OURS.tier(who, as_of=date(2024, 2, 9)).tier == "ordinary"
    assert OURS.tier(who, as_of=date(2024, 2, 9)).to_rise[0][0].missing == 1_000_00


@pytest.mark.parametrize(
    ("window", "months", "met_until"),
    [
        ("rolling", 12, date(2025, 2, 9)),
        ("rolling", 1, date(2024, 3, 9)),
        ("calendar", 12, date(2024, 12, 31)),
        ("calendar", 3, date(2024, 3, 31)),
        ("anniversary", 12, date(2024, 6, 30)),
        ("lifetime", 12, date(2030, 1, 1)),
    ],
)
def test_what_counts_depends_on_the_window(window: str, months: int, met_until: date) -> None:
    """Spend of 10 February 2024 by a member of 1 July counts up to a day and no longer."""
    tiers = ladder(*SPEND, window=window, window_months=months)
    bought = [Purchase("M-1", date(2024, 2, 10), 1_000_00)]
    who = TierFacts("M-1", date(2023, 7, 1), History("M-1", bought))
    first = tiers.first_day(met_until, who.since)
    assert first <= date(2024, 2, 10)
    if met_until < date(2030, 1, 1):
        after = met_until.fromordinal(met_until.toordinal() + 1)
        assert tiers.first_day(after, who.since) > date(2024, 2, 10)


# --- E-05: ends -----------------------------------------------------------------------------------


@pytest.mark.rule("E-05", "SM-12")
def test_a_tier_falls_the_day_after_its_last_day() -> None:
    who = facts((date(2024, 2, 10), 5_000_00), (date(2024, 6, 1), 100_00))
    assert OURS.tier(who, as_of=date(2025, 2, 9)).tier == "gold"
    fallen = OURS.tier(who, as_of=date(2025, 2, 10))
    assert (fallen.tier, fallen.since) == ("silver", date(2025, 2, 10)) or fallen.tier == "gold"
    # Only 100.00 and the 5 000.00 of the first day lie in the year that ends on 9 February.
    assert moves(OURS, who, date(2025, 2, 10)) == [
        ("up", "gold", "2024-02-10"),
        ("keep", "gold", "2025-02-10"),
    ]
    assert moves(OURS, who, date(2026, 2, 10))[-1] == ("down", "ordinary", "2026-02-10")
    last = datetime(2026, 2, 9, 23, 59, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert OURS.tier(who, as_of=last).tier == "gold"


@pytest.mark.rule("E-05")
def test_a_fall_may_be_one_step() -> None:
    who = facts((date(2024, 2, 10), 5_000_00))
    one = ladder(*SPEND, one_step_down=True)
    assert moves(one, who, date(2028, 3, 1)) == [
        ("up", "gold", "2024-02-10"),
        ("keep", "gold", "2025-02-10"),
        ("down", "silver", "2026-02-10"),
        ("down", "ordinary", "2027-02-10"),
    ]
    assert one.tier(who, as_of=date(2025, 6, 1)).falls_to == "silver"
    assert OURS.tier(who, as_of=date(2025, 6, 1)).falls_to == "ordinary"


@pytest.mark.rule("E-05", "SM-12")
def test_the_grace_period_keeps_the_tier_for_those_who_earn_it_in_time() -> None:
    tiers = ladder(*SPEND, validity_months=6, window_months=6, grace_days=30)
    bought = (date(2024, 2, 10), 1_000_00), (date(2024, 3, 1), 0)
    assert moves(tiers, facts(*bought), date(2025, 5, 1)) == [
        ("up", "silver", "2024-02-10"),
        ("keep", "silver", "2024-08-10"),
        ("grace", "silver", "2025-02-10"),
        ("down", "ordinary", "2025-03-12"),
    ]
    waiting = tiers.tier(facts(*bought), as_of=date(2025, 3, 11))
    assert (waiting.tier, waiting.state) == ("silver", TierState.IN_GRACE)
    assert str(waiting).startswith("silver until 2025-03-11 (grace)")
    saved = facts(*bought, (date(2025, 3, 11), 1_000_00))
    assert moves(tiers, saved, date(2025, 3, 12))[-1] == ("keep", "silver", "2025-03-11")


@pytest.mark.rule("E-05")
def test_the_window_stays_open_in_the_grace_period() -> None:
    tiers = ladder(*SPEND, window="calendar", validity_end="year_end", grace_days=30)
    bought = (date(2024, 5, 6), 1_000_00), (date(2025, 5, 6), 900_00)
    late = (date(2026, 1, 15), 100_00)  # 1 000.00 with the year before, 100.00 without
    assert moves(tiers, facts(*bought, late), date(2026, 2, 1))[1:] == [
        ("grace", "silver", "2026-01-01"),
        ("keep", "silver", "2026-01-15"),
    ]
    assert moves(tiers, facts(*bought), date(2026, 2, 1))[-1] == ("down", "ordinary", "2026-01-31")


@pytest.mark.rule("E-05")
def test_a_tier_may_be_kept_by_a_rule_of_its_own() -> None:
    case = tier_case("silver", SPEND[1][1], "qualifying_purchases >= 2")
    tiers = Tiers(Classification("tiers", FirstMatch((case,), otherwise="ordinary")))
    once = (date(2024, 2, 10), 1_000_00), (date(2025, 2, 9), 1)
    assert moves(tiers, facts(*once), date(2026, 2, 10))[1:] == [
        ("keep", "silver", "2025-02-10"),
        ("down", "ordinary", "2026-02-10"),
    ]


@pytest.mark.rule("E-05")
@pytest.mark.parametrize(
    ("end", "months", "last"),
    [
        (ValidityEnd.TO_THE_DAY, 12, date(2025, 2, 27)),
        (ValidityEnd.MONTH_END, 12, date(2025, 2, 28)),
        (ValidityEnd.YEAR_END, 12, date(2025, 12, 31)),
        (ValidityEnd.TO_THE_DAY, 1, date(2024, 3, 28)),
        (ValidityEnd.TO_THE_DAY, None, None),
    ],
)
def test_how_long_a_tier_holds(end: ValidityEnd, months: int | None, last: date | None) -> None:
    tiers = ladder(*SPEND, validity_end=end, validity_months=months)
    who = facts((date(2024, 2, 29), 1_000_00))
    assert tiers.tier(who, as_of=date(2024, 2, 29)).valid_through == last
    assert tiers.tier(facts(), as_of=date(2024, 2, 29)).valid_through is None  # the lowest


@pytest.mark.rule("SM-12")
def test_a_lock_and_a_match_are_changes_on_record() -> None:
    match = TierChange(
        "M-1",
        TierMove.SET,
        "ordinary",
        "gold",
        date(2024, 8, 31),
        date(2024, 12, 31),
        "status match",
        at=date(2024, 3, 1),
        by="li",
        on=date(2024, 3, 1),
    )
    who = facts(changes=(match,))
    assert OURS.tier(who, as_of=date(2024, 2, 29)).tier == "ordinary"
    assert OURS.tier(who, as_of=date(2024, 8, 31)).tier == "gold"
    assert moves(OURS, who, date(2025, 6, 1)) == [
        ("keep", "gold", "2024-09-01"),
        ("down", "ordinary", "2025-01-01"),
    ]


@pytest.mark.rule("SM-12")
def test_the_machine_is_the_catalogue_s() -> None:
    (states, transitions) = catalogue.machine("SM-12")
    assert states == ["a ladder position with valid_from", "valid_until"]
    moves_there = [line.split(" ")[0] for line in transitions]
    assert moves_there == ["up", "up", "keep", "grace", "down"]
    ours = [str(step.command) for step in TIER.steps if step.source is TierState.HELD]
    assert ours == ["up", "buy", "keep", "grace", "down", "set"]
    assert not TIER.unused()
    assert not TIER.unreachable(TierState.HELD)
    needs = {str(x.command): set(x.needs) for x in TIER.steps}
    assert needs["up"] == {"upgrade_condition"}
    assert needs["buy"] == {"points"}
    assert needs["keep"] == {"retention_condition"}
    assert needs["down"] == {"retention_failed"}


# --- what is missing, what is due -----------------------------------------------------------------


@pytest.mark.rule("E-04", "AMB-09")
def test_what_is_missing_to_keep_and_to_rise() -> None:
    who = facts((date(2024, 2, 10), 1_500_00), (date(2024, 4, 1), 1_350_00))
    here = OURS.tier(who, as_of=date(2024, 4, 1))
    # 5 000.00 - 2 850.00; the average order is 1 425.00, so 2 orders
    assert here.explain() == (
        "silver until 2025-02-09; to keep silver: nothing is missing; "
        "to rise to gold: 2150.00 CNY (2 orders)"
    )
    assert orders_to_go(2_150_00, 2_850_00, 2) == 2
    assert orders_to_go(1, 100, 1) == 1
    assert orders_to_go(0, 100, 1) == 0
    assert orders_to_go(100, 0, 0) is None
    by_orders = ladder(("gold", "qualifying_purchases >= 5"))
    assert by_orders.tier(who, as_of=date(2024, 4, 1)).to_rise[0][0].missing == 3
    gone = OURS.tier(who, as_of=date(2025, 6, 1))
    assert gone.explain() == (
        "silver until 2026-02-09; to keep silver: 1000.00 CNY (1 order); "
        "to rise to gold: 5000.00 CNY (4 orders)"
    )


def test_gaps_that_no_amount_closes_are_told_as_they_are() -> None:
    tiers = ladder(("gold", "days_since_purchase <= 30 and qualifying_purchases > 2"))
    here = tiers.tier(facts((date(2024, 2, 10), 1)), as_of=date(2024, 4, 1))
    assert here.explain() == (
        "ordinary; to rise to gold: days_since_purchase 51 is not <= 30, 2 qualifying purchases"
    )
    assert gaps_of(None, {}) == ()
    between = ladder(("gold", "2 <= qualifying_purchases <= 4")).ladder.table.cases[0].when
    assert gaps_of(between, {"qualifying_purchases": 1})[0][0].missing == 1
    assert gaps_of(between, {"qualifying_purchases": 5})[0][0].missing is None


@pytest.mark.rule("E-05")
def test_the_end_of_a_tier_is_due() -> None:
    who = facts((date(2024, 2, 10), 1_000_00))
    (due,) = OURS.due(who, as_of=date(2024, 3, 1))
    assert (due.window.last_day, due.what, due.rule) == (
        date(2025, 2, 9),
        "tier silver ends",
        "E-05",
    )
    assert OURS.due(facts(), as_of=date(2024, 3, 1)) == ()


def test_returns_lessen_what_qualifies() -> None:
    bought = [Purchase("M-1", date(2024, 2, 10), 1_000_00)]
    back = [Return("M-1", date(2024, 2, 10), 1)]
    who = TierFacts("M-1", JOINED, History("M-1", bought, (), back))
    assert OURS.tier(who, as_of=date(2024, 2, 10)).tier == "ordinary"


def test_a_blank_ladder_is_named() -> None:
    tiers = membership.programme.tiers
    assert tiers is not None
    with pytest.raises(BlankValueError, match="diamond"):
        tiers.tier(facts(), as_of=date(2024, 2, 10))


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ({"window_months": 5, "window": "calendar"}, InvalidValueError),
        ({"window_months": 0}, InvalidValueError),
        ({"validity_months": 0}, InvalidValueError),
        ({"grace_days": -1}, InvalidValueError),
        ({"grace_days": 1.5}, WrongTypeError),
        ({"window": "weekly"}, UnknownNameError),
    ],
)
def test_bad_terms_are_refused(terms: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        ladder(*SPEND, **terms)


def test_a_ladder_needs_a_lowest_tier() -> None:
    cases = tier_case("gold", "points >= 9"), tier_case("silver", "points < 9")
    with refused(InvalidValueError, "Tiers.ladder"):
        Tiers(Classification("t", FirstMatch(cases)))
    with refused(UnknownNameError, "tier", given="bronze"):
        OURS.rank("bronze")


# --- many members ---------------------------------------------------------------------------------


def columns(**more: object) -> TierColumns:
    at = np.array(["2024-02-10", "2024-02-10", "2024-03-01"], "M8[D]")
    log = PurchaseLog.from_columns(
        customer=["a", "b", "stranger"], at=at, amount_minor=[1_000_00, 9_000_00, 9_000_00]
    )
    days = np.array(["2024-01-01"] * 3, "M8[D]")
    given: dict[str, Any] = {"member": ["c", "b", "a"], "since": days, "purchases": log}
    return TierColumns.of(**(given | more))


@pytest.mark.rule("E-02")
def test_tiers_of_many() -> None:
    many = OURS.tiers(columns(), as_of=date(2024, 6, 30))
    assert many.counts() == {"ordinary": 1, "silver": 1, "gold": 1}
    assert many.of("b") == ("gold", TierState.HELD, date(2024, 2, 10), date(2025, 2, 9))
    plain = many.to_columns()
    assert plain["tier"].tolist() == ["silver", "gold", "ordinary"]
    assert [str(x) for x in plain["valid_through"]] == ["2025-02-09", "2025-02-09", "NaT"]
    assert len(many) == 3
    with refused(UnknownNameError, "member", given="stranger"):
        many.of("stranger")


def test_tiers_of_nobody() -> None:
    empty = TierColumns.of([], since=[], purchases=PurchaseLog.of([]))
    assert OURS.tiers(empty, as_of=date(2024, 6, 30)).counts() == {
        "ordinary": 0,
        "silver": 0,
        "gold": 0,
    }


def test_standings_on_record_are_where_columns_begin() -> None:
    record = {
        "tier": ["gold", "gold", "silver"],  # of c, b, a
        "since": np.array(["2023-06-01", "2023-06-01", "2024-07-05"], "M8[D]"),
        "valid_through": np.array(["2024-05-31", "NaT", "2025-07-04"], "M8[D]"),
        "locked_through": np.array(["2024-06-30", "NaT", "NaT"], "M8[D]"),
    }
    many = OURS.tiers(columns(on_record=record), as_of=date(2024, 6, 30))
    assert many.of("c") == ("gold", TierState.HELD, date(2024, 6, 1), date(2024, 6, 30))
    assert many.of("b")[::3] == ("gold", None)
    assert many.of("a")[0] == "silver"  # by the purchase: the record of July is not known yet
    assert many.of("a")[2] == date(2024, 2, 10)
    july = OURS.tiers(columns(on_record=record), as_of=date(2024, 7, 1))
    assert july.of("c")[0] == "ordinary"
    with refused(UnknownNameError, "TierColumns.on_record"):
        OURS.tiers(columns(on_record={"tier": ["gold"] * 3}), as_of=date(2024, 7, 1))
    with refused(UnknownNameError, "TierColumns.on_record.tier"):
        OURS.tiers(columns(on_record=record | {"tier": ["x"] * 3}), as_of=date(2024, 7, 1))


@pytest.mark.rule("E-05")
def test_columns_fall_one_step_and_rise_again_on_the_last_day() -> None:
    """What one member does is told by hand; the columns say the same."""
    one = ladder(*SPEND, one_step_down=True, validity_months=1, window_months=1)
    days_bought = np.array(["2024-01-10", "2024-02-09", "2024-02-09"], "M8[D]")
    log = PurchaseLog.from_columns(
        customer=["a", "b", "b"], at=days_bought, amount_minor=[5_000_00, 1_000_00, 4_000_00]
    )
    since = np.array(["2024-01-01"] * 2, "M8[D]")
    rows = TierColumns.of(["a", "b"], since=since, purchases=log)
    # gold on 10 January; kept on 10 February by what lies in the month; then step by step
    told = {
        date(2024, 2, 9): "gold",
        date(2024, 2, 10): "gold",
        date(2024, 3, 10): "silver",
        date(2024, 4, 10): "ordinary",
    }
    for day, tier in told.items():
        assert one.tiers(rows, as_of=day).of("a")[0] == tier, day
    record: dict[str, Any] = {
        "tier": ["ordinary", "silver"],
        "since": since,
        "valid_through": days_bought[1:],
    }
    renewed = TierColumns.of(["a", "b"], since=since, purchases=log, on_record=record)
    assert one.tiers(renewed, as_of=date(2024, 2, 10)).of("b")[:3] == (
        "gold",
        TierState.HELD,
        date(2024, 2, 9),  # the rise of the last day comes before its end
    )


@pytest.mark.parametrize(
    ("day", "first"),
    [
        (date(2024, 9, 30), date(2024, 7, 1)),
        (date(2024, 10, 1), date(2024, 10, 1)),
        (date(2025, 1, 15), date(2025, 1, 1)),
    ],
)
def test_anniversary_windows_of_three_months(day: date, first: date) -> None:
    tiers = ladder(*SPEND, window="anniversary", window_months=3)
    assert tiers.first_day(day, date(2023, 7, 1)) == first


def test_attributes_and_points_in_columns() -> None:
    tiers = ladder(("gold", "value_score >= 80 and qualifying_points >= 5"))
    score = Attributes.from_columns(customer=["a", "b", "c"], value_score=[80, 90, 10])
    rows = columns(
        attributes=score,
        point_member=["a", "b", "b"],
        point_day=np.array(["2024-02-01", "2024-02-01", "2024-08-01"], "M8[D]"),
        points=[5, 4, 5],
    )
    assert tiers.tiers(rows, as_of=date(2024, 6, 30)).counts() == {"ordinary": 2, "gold": 1}


def test_columns_that_are_none_are_refused() -> None:
    with refused(DuplicateError, "TierColumns.member"):
        columns(member=["a", "a", "b"])
    with refused(UnequalColumnsError, "TierColumns"):
        columns(since=np.array(["2024-01-01"], "M8[D]"))
    with refused(UnequalColumnsError, "TierColumns"):
        columns(points=[1])
    with refused(UnknownNameError, "TierColumns"):
        columns(point_member=["x"], point_day=np.array(["2024-01-01"], "M8[D]"), points=[1])
    loyal = ladder(("loyal", "tenure_years >= 1"))
    with refused(InvalidValueError, "tiers", given="tenure_years"):
        loyal.tiers(columns(), as_of=date(2024, 6, 30))


# --- laws -----------------------------------------------------------------------------------------


@pytest.mark.rule("E-02", "E-04", "E-05")
@given(ladders(), bases_on_ladders(), as_ofs())
def test_one_equals_many(tiers: Tiers, base: tuple[TierFacts, ...], as_of: When) -> None:
    laws.tier_equals_tiers(tiers, base, as_of=as_of)


@given(ladders(), members_on_ladders(), days(), days())
def test_recording_changes_nothing(tiers: Tiers, who: TierFacts, one: date, two: date) -> None:
    laws.recording_changes_nothing(tiers, who, first=min(one, two), then=max(one, two))


@given(ladders(), members_on_ladders(), days(), st.integers(0, 300_00))
def test_more_never_lowers_the_tier(tiers: Tiers, who: TierFacts, as_of: date, spent: int) -> None:
    laws.more_never_lowers_the_tier(tiers, who, as_of=as_of, spent_minor=spent)


@pytest.mark.rule("E-05")
@given(ladders(), members_on_ladders(), days())
def test_a_tier_holds_until_its_last_day(tiers: Tiers, who: TierFacts, as_of: date) -> None:
    laws.a_tier_holds_until_its_last_day(tiers, who, as_of=as_of)


@pytest.mark.rule("AMB-09")
@given(ladders(), members_on_ladders(), days())
def test_closing_the_gaps_raises_the_tier(tiers: Tiers, who: TierFacts, as_of: date) -> None:
    laws.closing_the_gaps_raises_the_tier(tiers, who, as_of=as_of)


def test_a_broken_law_says_so() -> None:
    class Never(Tiers):
        def meets(self, values: object) -> object:  # type: ignore[override]
            return OURS.meets({"qualifying_spend_minor": 0})

    who = facts((date(2024, 2, 10), 9_000_00))
    never = Never(OURS.ladder)
    with pytest.raises(AssertionError, match="law closing_the_gaps_raises_the_tier is broken"):
        laws.closing_the_gaps_raises_the_tier(
            never, attrs.evolve(who, history=History("M-1")), as_of=date(2024, 6, 30)
        )
    with pytest.raises(AssertionError, match="law tier_equals_tiers is broken"):
        laws.tier_equals_tiers(never, [who], as_of=date(2024, 6, 30))
