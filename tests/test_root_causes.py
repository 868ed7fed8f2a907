"""Causes of a period, what comes back, the archive, and what is done about it (SM-29)."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.handbook import Handbook
from retention.improvements import (
    IMPROVING,
    Effect,
    ImprovementCommand,
    ImprovementItem,
    ImprovementKind,
    Improvements,
    ImprovementState,
)
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.errors import (
    InvalidValueError,
    UnequalColumnsError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.estimates import Estimate, Verdict
from retention.mechanisms.obligations import Outcome
from retention.mechanisms.workflows import Act
from retention.presets import customer_operations, ecommerce, membership, user_retention
from retention.ratings import Better, Figure, RatingMetric, Scale
from retention.root_causes import (
    CaseRecord,
    CauseAnalysis,
    Finding,
    RankedBy,
    archive,
    record,
)
from retention.testing import acts, laws
from tests import catalogue
from tests.complaints import at, do, received, reported
from tests.refusals import refused

JUNE = date(2024, 6, 1)
RULES = ecommerce.cause_analysis


def records(month: int = 6, **numbers: int) -> list[CaseRecord]:
    rows = [cause for cause, number in numbers.items() for _ in range(number)]
    return [
        CaseRecord(f"{month}-{n}", f"C-{n}", date(2024, month, 1 + n % 28), kind="complaint",
                   cause=cause)
        for n, cause in enumerate(rows)
    ]  # fmt: skip


S20 = {"other": 4, "logistics_delay": 18, "bad_attitude": 6, "not_as_described": 12}


# --- S-20 -----------------------------------------------------------------------------------------


@pytest.mark.rule("S-20", "H-27")
def test_the_june_of_a_shop() -> None:
    june = RULES.summary(records(**S20), month=JUNE)
    assert (june.total, june.since, june.until) == (40, JUNE, date(2024, 6, 30))
    assert [(x.name, x.number, x.share.value) for x in june.ranks] == [
        ("logistics_delay", 18, Fraction(45, 100)),
        ("not_as_described", 12, Fraction(30, 100)),
        ("bad_attitude", 6, Fraction(15, 100)),
        ("other", 4, Fraction(10, 100)),
    ]
    assert [(x.name, x.department) for x in june.findings()] == [
        ("logistics_delay", "logistics"),
        ("not_as_described", "product"),
    ]
    assert str(june.ranks[0]) == "logistics_delay 18 (45.0%)"


@pytest.mark.rule("H-27")
def test_the_vital_few_make_up_no_more_than_80_of_100() -> None:
    def vital(**numbers: int) -> list[str]:
        return [x.name for x in RULES.summary(records(**numbers), month=JUNE).vital]

    assert vital(a=50, b=30, c=20) == ["a", "b"]  # 80 of 100 exactly
    assert vital(a=50, b=31, c=19) == ["a"]
    assert vital(a=95, b=5) == ["a"]  # the first always
    assert vital(other=95, b=5) == ["b"]
    assert vital(other=3) == []
    assert vital(a=1, b=1, c=1) == ["a", "b"]  # 2 of 3, ties by name
    assert vital() == []
    big = 10**15  # whole numbers, no rounding
    exact = CauseAnalysis()
    for more, few in ((0, [True, True, False]), (1, [True, False, False])):
        counts = {"a": 3 * big, "b": big + more, "c": big - more}
        assert [x.vital for x in exact._ranks(counts, {})] == few


@pytest.mark.rule("H-09", "H-28")
def test_the_trend_is_against_the_period_before() -> None:
    found = [*records(**S20), *records(5, logistics_delay=5, fraud=5)]
    june = RULES.summary(found, month=JUNE)
    assert june.before == (date(2024, 5, 1), date(2024, 5, 31))
    by_name = {x.name: x for x in june.ranks}
    assert by_name["logistics_delay"].trend == Fraction(45, 100) - Fraction(1, 2)
    assert (by_name["fraud"].number, by_name["fraud"].before) == (0, 5)
    assert by_name["fraud"].trend == Fraction(-1, 2)
    assert not by_name["fraud"].vital
    alone = RULES.summary(records(**S20), month=JUNE)
    assert alone.ranks[0].trend is None  # nothing to compare with
    week = RULES.report(found, since=date(2024, 6, 3), until=date(2024, 6, 9))
    assert week.before == (date(2024, 5, 27), date(2024, 6, 2))
    quarter = RULES.report(found, since=date(2024, 4, 1), until=date(2024, 6, 30))
    assert quarter.before == (date(2024, 1, 1), date(2024, 3, 31))
    leap = RULES.report(found, since=date(2024, 3, 1), until=date(2024, 3, 31))
    assert leap.before == (date(2024, 2, 1), date(2024, 2, 29))


@pytest.mark.rule("H-28")
def test_other_kinds_and_other_days_are_not_counted() -> None:
    found = records(**S20)
    found += [attrs.evolve(found[0], case="x", kind="inquiry")]
    found += [attrs.evolve(found[0], case="y", received=date(2024, 7, 1))]
    shanghai = datetime(2024, 6, 30, 17, tzinfo=ZoneInfo("UTC"))  # July there
    found += [attrs.evolve(found[0], case="z", received=shanghai)]
    assert RULES.summary(found, month=JUNE).total == 40
    by_kind = user_retention.cause_analysis.summary(found, month=JUNE, by="kind")
    assert [(x.name, x.number) for x in by_kind.ranks] == [("complaint", 40), ("inquiry", 1)]


@pytest.mark.rule("H-09", "H-24", "H-28")
@pytest.mark.parametrize(
    "book", [user_retention, customer_operations, ecommerce, membership], ids=lambda x: x.name
)
def test_every_handbook_analyses_by_the_month(book: Handbook) -> None:
    empty = book.cause_analysis.summary([], month=JUNE)
    assert (empty.total, empty.ranks, empty.findings()) == (0, (), ())
    assert (empty.until - empty.since).days == 29


def test_an_analysis_says_what_it_needs() -> None:
    for name, value in (("months", 0), ("vital_percent", 0), ("vital_percent", 101)):
        with refused(InvalidValueError, f"CauseAnalysis.{name}"):
            CauseAnalysis(**{name: value})  # type: ignore[arg-type]
    with refused(InvalidValueError, "until"):
        RULES.report([], since=JUNE, until=date(2024, 5, 31))
    with refused(UnknownNameError, "by"):
        RULES.summary([], month=JUNE, by="weather")
    with refused(UnequalColumnsError, "cases"):
        RULES.report_columns(["late"], [], since=JUNE, until=JUNE)


def test_a_ranking_shows_itself() -> None:
    june = RULES.summary(records(**S20), month=JUNE)
    assert june.to_table("zh").heads == ("原因", "数量", "占比", "累计占比", "上期")
    assert june.to_table().rows[1] == ("not_as_described", "12", "30.0%", "75.0%", "0")
    assert june.to_columns()["vital"].tolist() == [True, True, False, False]


def test_columns_set_rows_without_a_time_aside() -> None:
    days = np.array(["2024-06-01", "NaT"], "datetime64[D]")
    found = RULES.report_columns(["late", "late"], days, since=JUNE, until=JUNE)
    assert (found.total, found.problems[0].rows) == (1, (1,))
    instants = np.array(["2024-06-30T15:59", "2024-06-30T16:00"], "datetime64[us]")
    june = RULES.report_columns(["late"] * 2, instants, since=JUNE, until=date(2024, 6, 30))
    assert june.total == 1


# --- the archive ----------------------------------------------------------------------------------


@pytest.mark.rule("H-24")
def test_the_archive_keeps_result_and_cause() -> None:
    rules = ecommerce.feedback
    case = received(rules, "K-1", "2024-06-10T09:00", topic="logistics_delay", product="P-1")
    case = do(rules, case, "2024-06-10T10:00", "grade", severity="minor", cause="courier")
    over = do(rules, reported(rules, case, "2024-06-11"), "2024-06-11T14:00", "visit", rating=5)
    over = do(rules, over, "2024-06-11T15:00", "satisfied")
    nameless = received(rules, "K-2", "2024-06-10T09:00")
    nameless = do(rules, reported(rules, nameless, "2024-06-11"), "2024-06-12T14:00", "visit")
    nameless = do(rules, nameless, "2024-06-12T15:00", "satisfied")
    kept, problems = archive(rules, [over, case, nameless])
    (one,) = kept
    assert (one.case, one.result, one.cause, one.topic, one.product) == (
        "K-1", "refund", "courier", "logistics_delay", "P-1"
    )  # fmt: skip
    assert (one.completed, one.solved, one.rating, one.level) == (
        at("2024-06-11T12:00"), True, 5, "minor"
    )  # fmt: skip
    assert [(x.code, x.rows, x.given) for x in problems] == [
        (Code.BAD_FORM, (1,), "without end, result"),
        (Code.BAD_FORM, (2,), "without cause"),
    ]
    assert record(rules, case).solved is None
    assert "refund" not in repr(one)


# --- what comes back ------------------------------------------------------------------------------


@pytest.mark.rule("H-08", "H-28")
def test_what_comes_back_within_30_days_is_a_recurrence() -> None:
    days = [date(2024, 6, 1), date(2024, 7, 1), date(2024, 8, 1)]  # 30 days, 31 days
    found = [CaseRecord(f"K-{n}", "C", day, cause="late") for n, day in enumerate(days)]
    (chain,) = RULES.recurrences(found)
    assert (chain.cases, chain.on) == (("K-0", "K-1"), tuple(days[:2]))
    assert RULES.recurrences([*found[:1], attrs.evolve(found[1], cause="rude")]) == ()
    assert RULES.recurrences([*found[:1], attrs.evolve(found[1], customer="D")]) == ()
    products = [attrs.evolve(x, customer=n, product="P") for n, x in enumerate(found)]
    assert RULES.recurrences(products) == ()
    assert [x.who for x in RULES.recurrences(products, of="product")] == ["P"]
    assert RULES.recurrences(found, of="product") == ()
    july = RULES.recurrence_rate(found, since=date(2024, 7, 1), until=date(2024, 8, 31))
    assert (july.numerator, july.denominator) == (1, 2)
    none = RULES.recurrence_rate([], since=JUNE, until=JUNE)
    assert none.value is None


# --- SM-29 ----------------------------------------------------------------------------------------

ITEMS = ecommerce.improvements
FINDING = Finding("late", RankedBy.CAUSE, 18, 40, JUNE, date(2024, 6, 30), "logistics", "H-27")
PLAN = {"measure": "second courier", "department": "logistics", "due": date(2024, 7, 20)}
WORSE = {"metric": "recurrence_rate", "before": (9, 40), "after": (12, 50)}
BETTER = {"metric": "recurrence_rate", "before": (9, 40), "after": (3, 50)}


def proposed() -> ImprovementItem:
    return ITEMS.propose(FINDING, item="I-1", at=date(2024, 7, 1), by="li").state


def step(item: ImprovementItem, day: str, name: str, /, **brings: Any) -> ImprovementItem:  # noqa: ANN401
    act = Act(name, at=date.fromisoformat(day), by="li", brings=brings)
    answer = ITEMS.decide(item, act)
    if isinstance(answer, Refused):
        assert set(map(str, answer.allowed)) == set(map(str, IMPROVING.allowed(item.state)))
    return answer.or_raise().state


def said(item: ImprovementItem, day: str, name: str, /, **brings: Any) -> Refused:  # noqa: ANN401
    answer = ITEMS.decide(item, Act(name, at=date.fromisoformat(day), by="li", brings=brings))
    assert isinstance(answer, Refused)
    return answer


def implemented() -> ImprovementItem:
    item = step(proposed(), "2024-07-01", "assign", **PLAN)
    item = step(item, "2024-07-02", "start")
    return step(item, "2024-07-18", "implement")


@pytest.mark.rule("SM-29")
def test_the_way_of_an_item_is_the_catalogue_s() -> None:
    states, transitions = catalogue.machine("SM-29")
    assert [str(x) for x in ImprovementState] == states
    open_states = "/".join(x for x in states if x not in {"closed", "dropped"})
    lines = [x.replace("any open", open_states) for x in transitions]
    wanted = {(a, b.replace(" ", "_"), c) for a, b, c in catalogue.edges(lines)}
    assert {(str(x.source), str(x.command), str(x.target)) for x in IMPROVING.steps} == wanted
    needs = {str(x.command): x.needs for x in IMPROVING.steps}
    assert needs["assign"] == {"measure", "department", "due"}
    assert needs["drop"] == {"reason"}
    assert IMPROVING.unreachable(ImprovementState.PROPOSED) == frozenset()
    assert {str(x) for x in IMPROVING.dead_ends()} == {"closed", "dropped"}
    assert IMPROVING.unused() == ()


@pytest.mark.rule("H-46", "SM-29")
@pytest.mark.parametrize("name", list(PLAN))
def test_no_item_without_measure_department_and_day(name: str) -> None:
    rest = {key: value for key, value in PLAN.items() if key != name}
    assert said(proposed(), "2024-07-01", "assign", **rest).missing == (name,)


@pytest.mark.rule("H-46")
def test_the_effect_decides_and_nobody_else() -> None:
    item = step(implemented(), "2024-08-17", "measure", **BETTER)
    assert ITEMS.effect(item) == Effect("recurrence_rate", Estimate(9, 40), Estimate(3, 50))
    assert said(item, "2024-08-17", "not_effective").missing == ("is_not_effective",)
    assert step(item, "2024-08-17", "effective").state is ImprovementState.CLOSED
    worse = step(implemented(), "2024-08-17", "measure", **WORSE)
    refusal = said(worse, "2024-08-17", "effective")
    assert (refusal.missing, refusal.given) == (("is_effective",), ("effect_checked", "effective"))
    again = step(worse, "2024-08-17", "not_effective")
    assert again.state is ImprovementState.IN_PROGRESS
    by_hand = said(worse, "2024-08-17", "effective", is_effective=True)
    assert by_hand.missing == ("is_effective",)
    later = step(step(again, "2024-09-01", "implement"), "2024-10-01", "measure", **BETTER)
    assert step(later, "2024-10-01", "effective").state is ImprovementState.CLOSED


@pytest.mark.rule("H-46", "I-27")
def test_an_effect_without_counts_is_no_effect() -> None:
    nothing = BETTER | {"after": (0, 0)}
    assert said(implemented(), "2024-08-17", "measure", **nothing).missing == ("both_counted",)
    assert said(implemented(), "2024-08-17", "measure").missing == (
        "after", "before", "both_counted", "metric"
    )  # fmt: skip
    with refused(WrongTypeError, "after"):
        said(implemented(), "2024-08-17", "measure", **(BETTER | {"after": 0.5}))
    same = Effect("x", Estimate(1, 4), Estimate(1, 4))
    assert (same.change, same.verdict()) == (Fraction(0), Verdict.MISSED)
    assert Effect("x", Estimate(1, 4), Estimate(0, 0)).verdict() is Verdict.UNDECIDED
    csat = RatingMetric("csat", Scale(1, 5), Figure.MEAN)
    up = Effect.of_gain(csat, csat.gain(csat.of([3, 4]), csat.of([5, 4])))
    assert (up.better, up.change, up.verdict()) == (Better.HIGHER, Fraction(1), Verdict.MET)
    item = step(implemented(), "2024-08-17", "measure", **up.brings())
    assert ITEMS.effect(item) == up
    effort = RatingMetric("effort", Scale(1, 5, Better.LOWER), Figure.MEAN)
    down = Effect.of_gain(effort, effort.gain(effort.of([4]), effort.of([2])))
    assert (down.change, down.verdict(3)) == (Fraction(2), Verdict.MISSED)
    wanted = attrs.evolve(ITEMS, least_change="1/4")
    answer = wanted.decide(
        step(implemented(), "2024-08-17", "measure", **BETTER),  # 0.165 better
        Act("effective", at=date(2024, 8, 17), by="li"),
    )
    assert isinstance(answer, Refused)


@pytest.mark.rule("H-46")
def test_what_an_item_owes_next_is_on_the_agenda() -> None:
    item = step(proposed(), "2024-07-01", "assign", **PLAN)

    def due(each: ImprovementItem, day: str) -> list[tuple[str, str, Outcome]]:
        found = ITEMS.agenda([each], as_of=date.fromisoformat(day))
        return [(x.obligation.what, str(x.obligation.window.last_day), x.outcome) for x in found]

    assert due(proposed(), "2024-07-30") == []
    assert due(item, "2024-07-20") == [("implement", "2024-07-20", Outcome.DUE)]
    assert due(item, "2024-07-21") == [("implement", "2024-07-20", Outcome.MISSED)]
    assert ITEMS.agenda([item], as_of=date(2024, 7, 2))[0].obligation.who == "logistics"
    done = implemented()  # on 18 July: its effect is measured 30 days later
    assert due(done, "2024-08-16") == [("measure", "2024-08-17", Outcome.PENDING)]
    assert due(done, "2024-08-17") == [("measure", "2024-08-17", Outcome.DUE)]
    assert due(done, "2024-08-18") == [("measure", "2024-08-17", Outcome.MISSED)]
    back = step(step(done, "2024-08-17", "measure", **WORSE), "2024-08-18", "not_effective",
                due=date(2024, 9, 1))  # fmt: skip
    assert due(back, "2024-08-18") == [("implement", "2024-09-01", Outcome.DUE)]
    assert due(step(back, "2024-08-19", "drop", reason="sold"), "2024-12-01") == []


@pytest.mark.rule("H-46")
def test_an_item_goes_to_a_department_that_there_is() -> None:
    refusal = said(proposed(), "2024-07-01", "assign", **(PLAN | {"department": "moon"}))
    assert refusal.code is Code.NO_RIGHT
    late = said(proposed(), "2024-07-21", "assign", **PLAN)
    assert late.missing == ("due_not_before_the_plan",)
    item = step(proposed(), "2024-07-01", "assign", **PLAN)
    assert (item.department, proposed().department) == ("logistics", "logistics")
    assert said(item, "2024-07-02", "drop").missing == ("reason",)
    assert said(item, "2024-06-30", "start").missing == ("later_time",)


@pytest.mark.rule("H-28", "SM-29")
def test_items_are_replayed_from_their_facts() -> None:
    item = step(implemented(), "2024-08-17", "measure", **BETTER)
    assert ITEMS.replay(item.facts) == item
    prevent = ITEMS.propose(FINDING, item="I-2", at=JUNE, by="li", kind="preventive").state
    assert prevent.proposed.kind is ImprovementKind.PREVENTIVE
    with refused(WrongTypeError, "replay"):
        ITEMS.replay(item.facts[1:])
    with refused(UnknownNameError, "kind"):
        ITEMS.propose(FINDING, item="I-2", at=JUNE, by="li", kind="magic")
    with refused(InvalidValueError, "Improvements.check_after_days"):
        Improvements(check_after_days=-1)
    with refused(InvalidValueError, "Improvements.least_change"):
        Improvements(least_change="-1/2")
    keyed = Act("start", at=date(2024, 7, 2), by="li", key="k")
    first = ITEMS.decide(step(proposed(), "2024-07-01", "assign", **PLAN), keyed).or_raise()
    again = ITEMS.decide(first.state, keyed, earlier=first.facts)  # type: ignore[arg-type]
    assert isinstance(again, Accepted)
    assert again.state == first.state


FLOW = ITEMS.workflow
HELD = ("both_counted", "is_effective", "is_not_effective")


@pytest.mark.rule("SM-29")
@given(found=acts(FLOW, max_acts=10))
def test_an_item_keeps_its_machine(found: list[Act[ImprovementCommand]]) -> None:
    laws.a_workflow_keeps_its_machine(FLOW, found, holds=HELD)


@given(
    before=st.tuples(st.integers(0, 50), st.integers(50, 99)),
    after=st.tuples(st.integers(0, 50), st.integers(50, 99)),
)
def test_effective_is_one_of_two(before: tuple[int, int], after: tuple[int, int]) -> None:
    brings = {"metric": "x", "before": before, "after": after}
    item = step(implemented(), "2024-08-17", "measure", **brings)
    answers = [
        isinstance(ITEMS.decide(item, Act(name, at=date(2024, 8, 17), by="li")), Accepted)
        for name in ("effective", "not_effective")
    ]
    fewer = after[0] * before[1] < before[0] * after[1]
    assert answers == [fewer, not fewer]
