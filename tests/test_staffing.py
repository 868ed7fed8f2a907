"""The hotline, its calls, trainings of the team, and the tools that support it."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.mechanisms.calendars import Calendar, WeekHours
from retention.mechanisms.errors import (
    BlankValueError,
    DuplicateError,
    InvalidValueError,
    NaiveInstantError,
    UnequalColumnsError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.estimates import Change, Estimate, Verdict
from retention.mechanisms.kpis import KpiValue, Target
from retention.mechanisms.obligations import After, Days, Outcome
from retention.mechanisms.periods import day_edge
from retention.presets import customer_operations, new_measures, user_retention
from retention.staffing import (
    Call,
    Hotline,
    Shift,
    StaffMember,
    Training,
    TrainingPlan,
    shifts_of,
)
from retention.support_tools import SupportTool, ToolEffect, ToolKind, ToolPlan
from tests.refusals import refused

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
HOTLINE = user_retention.service.hotline
DAY = date(2024, 6, 10)
HOUR = timedelta(hours=1)
MIDNIGHT = day_edge(DAY, SHANGHAI)


def around_the_clock(zone: str) -> Hotline:
    return Hotline(Calendar("hotline", zone, (WeekHours("mon-sun", "00:00-24:00"),)))


def shift(person: str, since: float, until: float) -> Shift:
    return Shift(person, MIDNIGHT + since * HOUR, MIDNIGHT + until * HOUR)


# --- H-42: the hotline ----------------------------------------------------------------------------


@pytest.mark.rule("H-42")
def test_a_day_without_anybody_is_uncovered() -> None:
    found = HOTLINE.coverage([], since=DAY, until=DAY)
    assert (found.required, found.uncovered) == (24 * HOUR, 24 * HOUR)
    assert [(x.since, x.until) for x in found.gaps] == [(MIDNIGHT, MIDNIGHT + 24 * HOUR)]
    assert found.share.value == 0
    whole = HOTLINE.coverage([shift("li", -2, 30)], since=DAY, until=DAY)
    assert whole.gaps == ()
    assert whole.share.value == 1


@pytest.mark.rule("H-42")
def test_gaps_lie_between_shifts_and_one_person_counts_once() -> None:
    plan = [shift("li", 0, 8), shift("wu", 8, 16), shift("chen", 17, 24)]
    (gap,) = HOTLINE.coverage(plan, since=DAY, until=DAY).gaps
    assert (gap.since, gap.until, gap.people) == (MIDNIGHT + 16 * HOUR, MIDNIGHT + 17 * HOUR, 0)
    two = HOTLINE.with_("people", 2)
    twice = [shift("li", 0, 24), shift("li", 4, 12), shift("wu", 6, 10), shift("chen", 9, 11)]
    gaps = [(x.since, x.until, x.people) for x in two.coverage(twice, since=DAY, until=DAY).gaps]
    assert gaps == [
        (MIDNIGHT, MIDNIGHT + 6 * HOUR, 1),
        (MIDNIGHT + 11 * HOUR, MIDNIGHT + 24 * HOUR, 1),
    ]


@pytest.mark.rule("H-42")
@pytest.mark.parametrize(
    ("day", "hours"), [(date(2024, 3, 31), 23), (date(2024, 10, 27), 25), (date(2024, 6, 10), 24)]
)
def test_days_of_23_and_25_hours_count_as_they_are(day: date, hours: int) -> None:
    hotline = around_the_clock("Europe/Berlin")
    assert hotline.coverage([], since=day, until=day).required == hours * HOUR
    calendar = Calendar("nights", "Europe/Berlin", (WeekHours("mon-sun", "00:00-04:00"),))
    nights = shifts_of("li", calendar, since=day, until=day)
    found = hotline.coverage(nights, since=day, until=day)
    assert found.uncovered == 20 * HOUR  # from four o'clock on, whatever the clocks did before
    week = hotline.coverage(nights, since=day - timedelta(days=1), until=day)
    assert week.uncovered == 44 * HOUR


@pytest.mark.rule("H-42")
def test_only_the_hours_of_the_hotline_are_required() -> None:
    office = Hotline(Calendar("office", "Asia/Shanghai", (WeekHours("mon-fri", "09:00-18:00"),)))
    plan = [shift("li", 8, 12), shift("wu", 13, 20)]
    found = office.coverage(plan, since=DAY, until=DAY)
    assert (found.required, found.uncovered) == (9 * HOUR, HOUR)
    sunday = date(2024, 6, 9)
    assert office.coverage([], since=sunday, until=sunday).share.value is None


spans = st.tuples(st.integers(-30, 100), st.integers(1, 60))


@pytest.mark.rule("H-42")
@given(
    st.lists(st.tuples(st.sampled_from("abc"), spans), max_size=8),
    st.integers(1, 3),
    st.integers(0, 2),
)
def test_coverage_equals_counting_every_half_hour(
    drawn: list[tuple[str, tuple[int, int]]], people: int, more_days: int
) -> None:
    plan = [shift(who, a / 2, (a + length) / 2) for who, (a, length) in drawn]
    until = DAY + timedelta(days=more_days)
    found = HOTLINE.with_("people", people).coverage(plan, since=DAY, until=until)
    halves = 48 * (more_days + 1)
    counted = [
        len({who for who, (a, length) in drawn if a <= half < a + length}) for half in range(halves)
    ]
    short = [half for half, count in enumerate(counted) if count < people]
    assert found.uncovered == len(short) * HOUR / 2
    inside = [
        half
        for gap in found.gaps
        for half in range(
            (gap.since - MIDNIGHT) // (HOUR / 2), (gap.until - MIDNIGHT) // (HOUR / 2)
        )
    ]
    assert inside == short
    assert [min(counted[h] for h in short if gap.since <= MIDNIGHT + h * HOUR / 2 < gap.until)
            for gap in found.gaps] == [gap.people for gap in found.gaps]  # fmt: skip


def calls() -> list[Call]:
    def at(minute: int) -> datetime:
        return MIDNIGHT + timedelta(minutes=minute)

    return [
        *(Call(f"a{n}", at(n), at(n + 1), at(n + 5)) for n in range(9)),
        Call("lost", at(20), None, at(22)),
        Call("rings", at(30)),
        Call("later", at(200), at(201)),
        Call("yesterday", MIDNIGHT - timedelta(minutes=1), None, MIDNIGHT),
    ]


@pytest.mark.rule("H-42")
def test_the_answer_rate_and_the_calls_nobody_took() -> None:
    now = MIDNIGHT + HOUR
    rate = HOTLINE.answer_rate(calls(), since=DAY, until=DAY, as_of=now)
    assert (rate.value, rate.undecided, rate.status) == (Fraction(9, 10), 1, None)
    wanted = HOTLINE.with_("answered", Target(at_least="0.95"))
    status = wanted.answer_rate(calls(), since=DAY, until=DAY, as_of=now).status
    assert status is Verdict.MISSED
    assert [x.id for x in HOTLINE.unanswered(calls(), as_of=now)] == ["yesterday", "lost"]
    early = MIDNIGHT + timedelta(minutes=21)
    assert [x.id for x in HOTLINE.unanswered(calls(), as_of=early)] == ["yesterday"]
    columns = [
        np.array([x and x.replace(tzinfo=None) for x in row], "datetime64[us]")
        for row in zip(*((x.at, x.answered, x.ended) for x in calls()), strict=True)
    ]
    same = HOTLINE.answer_rate_of(*columns, since=DAY, until=DAY, as_of=now)
    assert same == rate
    assert HOTLINE.answer_rate([], since=DAY, until=DAY, as_of=now).value is None


def test_plans_and_calls_refuse_what_they_cannot_read() -> None:
    with refused(InvalidValueError, "Shift.until"):
        shift("li", 3, 3)
    with refused(InvalidValueError, "person"):
        shift("", 3, 4)
    with refused(NaiveInstantError, "since"):
        Shift("li", datetime(2024, 6, 1), MIDNIGHT)
    with refused(InvalidValueError, "call c"):
        Call("c", MIDNIGHT, MIDNIGHT - HOUR)
    with refused(InvalidValueError, "until"):
        HOTLINE.coverage([], since=DAY, until=date(2024, 6, 9))
    with refused(InvalidValueError, "Hotline.people"):
        HOTLINE.with_("people", 0)
    with refused(WrongTypeError, "Hotline.people"):
        HOTLINE.with_("people", 1.5)
    zero = np.zeros(1, "datetime64[s]")
    with refused(UnequalColumnsError, "calls"):
        HOTLINE.answer_rate_of(zero, zero, [], since=DAY, until=DAY, as_of=MIDNIGHT)


def test_the_same_hour_twice_is_covered_twice() -> None:
    """At the end of summer time the hour from two to three comes twice."""
    day = date(2024, 10, 27)
    hotline = around_the_clock("Europe/Berlin")
    first = datetime(2024, 10, 27, 2, tzinfo=BERLIN)
    plan = [Shift("li", first, first.astimezone(UTC) + HOUR)]
    assert hotline.coverage(plan, since=day, until=day).uncovered == 24 * HOUR


# --- H-47: trainings ------------------------------------------------------------------------------

PLAN = customer_operations.service.trainings
TOPICS = ("product_knowledge", "service_process", "communication_skill", "problem_solving")


@pytest.mark.rule("H-47")
def test_coverage_per_person_and_what_is_due() -> None:
    staff = [StaffMember("wu", date(2024, 1, 31)), StaffMember("li", date(2023, 1, 1))]
    held = [
        *(Training("li", topic, date(2023, 2, 28)) for topic in TOPICS[:3]),
        Training("li", TOPICS[0], date(2024, 2, 29)),
        Training("wu", TOPICS[0], date(2024, 6, 1)),
    ]
    (li, wu), problems = PLAN.coverage(staff, held, as_of=date(2024, 3, 1))
    assert problems == ()
    assert (li.person, wu.person) == ("li", "wu")
    assert li.missing == TOPICS[1:]  # two are older than a year, one was never held
    assert li.share.value == Fraction(1, 4)
    assert [str(x.due_on) for x in li.topics] == [
        "2025-02-28", "2024-02-28", "2024-02-28", "2023-01-31",
    ]  # fmt: skip
    assert wu.missing == TOPICS  # what is held later is not known yet
    assert [x.judgement.outcome for x in wu.topics] == [Outcome.DUE] * 4
    assert [str(x.due_on) for x in wu.topics] == ["2024-03-01"] * 4
    (_, later), _ = PLAN.coverage(staff, held, as_of=date(2024, 6, 2))
    assert later.missing == TOPICS[1:]
    assert [x.judgement.outcome for x in later.topics[1:]] == [Outcome.MISSED] * 3
    again = PLAN.coverage(staff[::-1], held[::-1], as_of=date(2024, 3, 1))
    assert again == ((li, wu), ())


@pytest.mark.rule("H-47")
def test_a_day_of_grace_is_the_last_day_itself() -> None:
    staff = [StaffMember("li", date(2023, 1, 1))]
    held = [Training("li", topic, date(2023, 2, 28)) for topic in TOPICS]
    for day, missing in ((date(2024, 2, 28), ()), (date(2024, 2, 29), TOPICS)):
        ((li,), _) = PLAN.coverage(staff, held, as_of=day)
        assert li.missing == missing
    once = TrainingPlan(TOPICS, first=Days(0, 30))
    ((li,), _) = once.coverage(staff, held, as_of=date(2030, 1, 1))
    assert li.missing == ()
    before = [Training("li", topic, date(2022, 12, 1)) for topic in TOPICS]
    ((li,), _) = once.coverage(staff, before, as_of=date(2030, 1, 1))
    assert li.missing == ()


@pytest.mark.rule("H-47")
def test_trainings_of_strangers_are_set_aside() -> None:
    staff = [StaffMember("li", date(2023, 1, 1))]
    held = [Training("li", TOPICS[0], DAY), Training("x", TOPICS[0], DAY), Training("li", "y", DAY)]
    _, (problem,) = PLAN.coverage(staff, held, as_of=DAY)
    assert problem.rows == (1, 2)
    with refused(DuplicateError, "staff"):
        PLAN.coverage([*staff, *staff], [], as_of=DAY)
    with pytest.raises(BlankValueError):
        new_measures.service.trainings.coverage(staff, [], as_of=DAY)
    with pytest.raises(BlankValueError):
        len(PLAN.criteria)
    filled = PLAN.with_("criteria", ("patience",))
    assert filled.criteria == ("patience",)
    assert filled.again == After(months=12)


# --- H-48: tools ----------------------------------------------------------------------------------


def solved(by_bot: int, of: int) -> KpiValue:
    return KpiValue("bot_solved", "common questions that the bot solved", Estimate(by_bot, of))


@pytest.mark.rule("H-48")
def test_tools_in_use_and_what_they_changed() -> None:
    plan = new_measures.service.tools
    bot = SupportTool(
        "bot", "ai_service", date(2024, 1, 1), date(2024, 6, 30),
        [ToolEffect(solved(60, 100), solved(82, 100))],
    )  # fmt: skip
    crm = SupportTool("a crm", ToolKind.CRM, date(2024, 3, 1))
    for tools in itertools.permutations([bot, crm]):
        assert plan.in_use(tools, on=date(2024, 6, 30)) == (crm, bot)
    assert plan.in_use([bot, crm], on=date(2024, 7, 1)) == (crm,)
    assert plan.in_use([bot, crm], on=date(2023, 12, 31)) == ()
    assert plan.lacking([bot, crm], on=date(2024, 6, 1)) == (ToolKind.AUTOMATION,)
    (effect,) = bot.effects
    assert effect.change() == Fraction(22, 100)
    assert effect.change(Change.RELATIVE) == Fraction(22, 60)
    assert ToolEffect(solved(0, 0), solved(1, 2)).change() is None


def test_tools_refuse_what_cannot_be_compared() -> None:
    other = KpiValue("bot_solved", "another definition", Estimate(1, 2))
    with refused(InvalidValueError, "change_from"):
        ToolEffect(solved(1, 2), other)
    with refused(InvalidValueError, "SupportTool.until"):
        SupportTool("bot", "crm", DAY, date(2024, 1, 1))
    with refused(UnknownNameError, "kind"):
        ToolPlan(("abacus",))  # type: ignore[arg-type]
    tool = SupportTool("bot", "crm", DAY)
    with refused(DuplicateError, "tools"):
        new_measures.service.tools.in_use([tool, tool], on=DAY)
