"""Clocks of open time: what is used, when it is due, whom to tell, and what changes on the way."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest

from retention.converters import from_plain, to_plain
from retention.mechanisms.answers import Code
from retention.mechanisms.calendars import Calendar, CalendarVersions, Closure, WeekHours
from retention.mechanisms.clock_columns import NO_OUTCOME, OUTCOMES, ClockRows, PauseColumns
from retention.mechanisms.clocks import (
    Alarm,
    AlarmKind,
    ClockFacts,
    ClockTerms,
    EscalationLevel,
    Pause,
    Reading,
    Target,
    Working,
    explain,
)
from retention.mechanisms.errors import (
    BeyondKnownError,
    InvalidValueError,
    NaiveInstantError,
    NotRisingError,
    UnequalColumnsError,
    UnknownNameError,
    UnreadableTextError,
    WrongTypeError,
)
from retention.mechanisms.obligations import Done, Outcome, agenda, judge, owed
from retention.mechanisms.policies import blank, stated
from retention.mechanisms.versions import Versions
from retention.testing import laws
from tests.refusals import refused

HOUR, MINUTE, TICK = timedelta(hours=1), timedelta(minutes=1), timedelta(microseconds=1)
OFFICE = Calendar("office", "UTC", (WeekHours("mon-fri", "08:00-18:00"),))
LUNCH = Calendar("lunch", "UTC", (WeekHours("mon-fri", "09:00-12:00 13:00-18:00"),))
ALWAYS = Calendar("always", "UTC", (WeekHours("mon-sun", "00:00-24:00"),))
UTC_ZONE = ZoneInfo("UTC")


def at(text: str) -> datetime:
    """An instant of March 2024 from its day and hour; the 18th is a Monday."""
    day, _, clock = text.partition(" ")
    return datetime.fromisoformat(f"2024-03-{day} {clock}").replace(tzinfo=UTC)


def pause(since: str, until: str = "", why: str = "") -> Pause:
    return Pause(at(since), at(until) if until else None, why)


def minutes(number: int, calendar: Calendar = OFFICE, **more: Any) -> ClockTerms:  # noqa: ANN401
    return ClockTerms(Target("reply", number * MINUTE, **more), calendar)


def read(terms: ClockTerms, facts: ClockFacts, as_of: str) -> Reading:
    """The reading of one clock; as a column of one row it says the same."""
    laws.one_clock_equals_columns(terms, [facts], as_of=at(as_of))
    return terms.read(facts, as_of=at(as_of))


# --- one clock through its life: 08 to 18, started on Thursday at 09:30 ---------------------------


@pytest.mark.rule("RC-12", "RC-02")
@pytest.mark.parametrize(
    ("budget", "stopped", "as_of", "outcome", "used", "breached"),
    [
        (60, None, "21 09:00", "pending", 0, None),
        (60, None, "21 09:30", "due", 0, None),
        (60, None, "21 10:00", "due", 30, None),
        (60, None, "21 10:30", "due", 60, None),  # at the due instant is on time
        (60, None, "21 10:31", "missed", 61, "21 10:30"),
        (60, None, "22 08:30", "missed", 540, "21 10:30"),
        (60, "21 10:00", "21 12:00", "on_time", 30, None),
        (60, "21 10:30", "25 12:00", "on_time", 60, None),
        (60, "21 14:00", "25 12:00", "late", 270, "21 10:30"),
        (60, "21 14:00", "21 13:59", "missed", 269, "21 10:30"),  # not stopped yet
        (60, "21 14:00", "21 10:15", "due", 45, None),
        (180, "21 11:30", "22 12:00", "on_time", 120, None),
        (180, "21 13:00", "22 12:00", "late", 210, "21 12:30"),
        (510, "21 18:00", "22 07:00", "on_time", 510, None),  # due at the close, not next morning
        (510, "22 08:00", "22 12:00", "late", 510, "21 18:00"),
        (511, "22 08:01", "22 12:00", "on_time", 511, None),
        (0, "21 09:30", "21 09:30", "on_time", 0, None),
        (0, None, "21 09:31", "missed", 1, "21 09:30"),
    ],
)
def test_a_clock_through_its_life(
    budget: int, stopped: str | None, as_of: str, outcome: str, used: int, breached: str | None
) -> None:
    facts = ClockFacts(at("21 09:30"), at(stopped) if stopped else None)
    found = read(minutes(budget), facts, as_of)
    assert (found.outcome, found.used) == (Outcome(outcome), used * MINUTE)
    assert found.breached_at == (at(breached) if breached else None)
    assert found.stopped == (outcome in {"on_time", "late"})
    if outcome == "pending":
        assert (found.due, found.budget, found.remaining) == (None, None, None)
        assert found.next_at == at("21 09:30")
    else:
        assert found.remaining == budget * MINUTE - used * MINUTE


# --- pauses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pauses", "used", "due"),
    [
        ([], 240, "21 13:30"),
        ([("21 10:00", "21 10:30")], 210, "21 14:00"),
        ([("21 10:00", "21 10:30"), ("21 11:00", "21 11:15")], 195, "21 14:15"),
        ([("21 10:00", "21 11:00"), ("21 10:30", "21 11:30")], 150, "21 15:00"),  # overlap once
        ([("21 10:00", "21 11:00"), ("21 11:00", "21 11:30")], 150, "21 15:00"),  # touch
        ([("21 10:00", "21 12:00"), ("21 10:30", "21 11:00")], 120, "21 15:30"),  # one inside
        ([("21 09:00", "21 10:00")], 210, "21 14:00"),  # started standing still
        ([("21 08:00", "21 09:30")], 240, "21 13:30"),  # over before it started
        ([("21 12:00", "21 12:00")], 240, "21 13:30"),  # of no length
        ([("20 10:00", "21 12:00")], 90, "21 16:00"),
        ([("21 13:29", "21 13:30")], 239, "21 13:31"),  # just before it would be due
    ],
)
def test_pauses_stop_the_clock(pauses: list[tuple[str, str]], used: int, due: str) -> None:
    facts = ClockFacts(at("21 09:30"), pauses=tuple(pause(*each) for each in pauses))
    found = read(minutes(240), facts, "21 13:30")
    assert (found.used, found.due, found.paused) == (used * MINUTE, at(due), False)
    backwards = attrs.evolve(facts, pauses=facts.pauses[::-1])
    assert minutes(240).read(backwards, as_of=at("21 13:30")) == found


@pytest.mark.parametrize(
    ("pauses", "due"),
    [
        ([("21 17:00", "22 09:00")], "22 10:30"),  # over the night: two open hours
        ([("21 20:00", "22 07:00")], "22 08:30"),  # at night: nothing
        ([("22 17:00", "25 09:00")], "22 08:30"),  # after it was due
        ([("21 17:00", "26 09:00")], "26 10:30"),  # over days and a weekend
        ([("21 09:30", "25 08:00")], "25 17:00"),
    ],
)
def test_pauses_count_as_much_as_they_are_open(pauses: list[tuple[str, str]], due: str) -> None:
    # Nine hours from Thursday 09:30: without a pause due on Friday at 08:30. A weekend inside a
    # pause adds nothing.
    facts = ClockFacts(at("21 09:30"), pauses=tuple(pause(*each) for each in pauses))
    assert read(minutes(540), facts, "29 12:00").due == at(due)


def test_nothing_is_due_while_the_clock_stands_still() -> None:
    facts = ClockFacts(at("21 09:30"), pauses=(pause("21 10:00", "21 11:00"),))
    during = minutes(60).read(facts, as_of=at("21 10:30"))
    assert (during.outcome, during.due, during.paused) == (Outcome.DUE, None, True)
    assert (during.used, during.remaining, during.next_at) == (30 * MINUTE, 30 * MINUTE, None)
    assert str(during) == "due: 0:30:00 of 1:00:00 used, standing still"
    # Its end lay ahead then: whoever knew it or not, the reading is the same.
    open_end = attrs.evolve(facts, pauses=(pause("21 10:00"),))
    assert minutes(60).read(open_end, as_of=at("21 10:30")) == during
    after = minutes(60).read(facts, as_of=at("21 11:00"))
    assert (after.due, after.paused) == (at("21 11:30"), False)
    later = minutes(60).read(open_end, as_of=at("29 11:00"))
    assert (later.outcome, later.due, later.used) == (Outcome.DUE, None, 30 * MINUTE)


def test_a_pause_holds_from_its_first_instant() -> None:
    facts = ClockFacts(at("21 09:30"), pauses=(pause("21 10:00", "21 11:00"),))
    first = minutes(60).read(facts, as_of=at("21 10:00"))
    assert (first.paused, first.due) == (True, None)
    columns = minutes(60).reads(
        ClockRows([facts.started], pauses=PauseColumns(np.array([0]), [at("21 10:00")], [None])),
        as_of=at("21 10:00"),
    )
    assert columns.paused.tolist() == [True]
    assert np.isnat(columns.due[0])


def test_a_pause_that_begins_where_the_clock_is_used_up_changes_nothing() -> None:
    facts = ClockFacts(at("21 09:30"), pauses=(pause("21 10:30"),))
    at_due = read(minutes(60), facts, "21 10:30")
    assert (at_due.outcome, at_due.due) == (Outcome.DUE, at("21 10:30"))
    after = read(minutes(60), facts, "21 10:31")
    assert (after.outcome, after.breached_at, after.used) == (
        Outcome.MISSED, at("21 10:30"), HOUR,
    )  # fmt: skip


def test_times_of_the_doubled_hour_are_told_apart() -> None:
    # On the clock of the wall the pause ends before it begins, and the stop is before the start.
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2024, 10, 27, 2, 40, tzinfo=berlin)
    second = datetime(2024, 10, 27, 2, 20, tzinfo=berlin, fold=1)
    assert second < first  # as Python says it
    facts = ClockFacts(first, second, (Pause(first + 5 * MINUTE, second),))
    found = minutes(60, ALWAYS).read(facts, as_of=second)
    assert (found.outcome, found.used) == (Outcome.ON_TIME, 5 * MINUTE)
    versions = Versions.always(1).then(2, first).then(3, second)
    assert [versions.at(each) for each in (first, second)] == [2, 3]
    assert ALWAYS.open_between(first, second) == 40 * MINUTE


def test_stopped_while_standing_still() -> None:
    facts = ClockFacts(at("21 09:30"), at("22 12:00"), pauses=(pause("21 10:00"),))
    found = minutes(60).read(facts, as_of=at("29 12:00"))
    assert (found.outcome, found.used, found.due) == (Outcome.ON_TIME, 30 * MINUTE, None)
    assert (found.paused, found.next_at) == (False, None)


def test_a_stop_with_a_pause_at_the_same_instant_keeps_its_due_instant() -> None:
    facts = ClockFacts(at("21 09:30"), at("21 10:00"), pauses=(pause("21 10:00"),))
    found = read(minutes(60), facts, "29 12:00")
    assert (found.outcome, found.due) == (Outcome.ON_TIME, at("21 10:30"))


# --- warnings and escalations ---------------------------------------------------------------------

LADDER = (
    EscalationLevel(timedelta(0), "clerk"),
    EscalationLevel(2 * HOUR, "supervisor"),
    EscalationLevel(8 * HOUR, "director"),
)


def told(reading: Reading) -> list[tuple[str, str, datetime]]:
    return [(each.kind.value, each.to, each.at) for each in reading.alarms]


def test_warnings_and_levels_fall_into_opening_time() -> None:
    # Four hours from Monday 17:00: due on Tuesday at 11:00; one hour before is 10:00, three
    # hours before it opens; two hours after is 13:00, eight hours Wednesday at 09:00.
    terms = minutes(240, warnings=(HOUR, 3 * HOUR), levels=LADDER)
    found = terms.read(ClockFacts(at("18 17:00")), as_of=at("19 12:00"))
    assert told(found) == [
        ("warning", "", at("19 08:00")),
        ("warning", "", at("19 10:00")),
        ("escalation", "clerk", at("19 11:00")),
        ("escalation", "supervisor", at("19 13:00")),
        ("escalation", "director", at("20 09:00")),
    ]
    assert (found.level, found.next_at) == (1, at("19 13:00"))
    assert terms.read(ClockFacts(at("18 17:00")), as_of=at("20 09:00")).level == 3


def test_a_warning_longer_than_the_budget_comes_at_the_start() -> None:
    terms = minutes(60, warnings=(HOUR, 5 * HOUR))
    found = terms.read(ClockFacts(at("21 07:00")), as_of=at("21 07:00"))
    assert told(found) == [("warning", "", at("21 07:00"))] * 2


def test_alarms_move_with_pauses_and_end_with_the_stop() -> None:
    terms = minutes(240, LUNCH, warnings=(HOUR,), levels=LADDER)
    facts = ClockFacts(at("21 09:00"), pauses=(pause("21 10:00", "21 14:00"),))
    found = terms.read(facts, as_of=at("21 15:00"))
    # used 1 h; the rest from 14:00: due 17:00, warned 16:00
    assert told(found)[:3] == [
        ("warning", "", at("21 16:00")), ("escalation", "clerk", at("21 17:00")),
        ("escalation", "supervisor", at("22 10:00")),
    ]  # fmt: skip
    stopped = terms.read(attrs.evolve(facts, stopped=at("21 17:30")), as_of=at("25 09:00"))
    assert [each[1] for each in told(stopped)] == ["", "clerk"]
    assert (stopped.level, stopped.outcome, stopped.next_at) == (1, Outcome.LATE, None)
    just = terms.read(attrs.evolve(facts, stopped=at("21 17:00")), as_of=at("25 09:00"))
    assert [each[1] for each in told(just)] == [""]  # stopped at the due instant: nobody is told
    waiting = attrs.evolve(facts, pauses=(*facts.pauses, pause("22 09:30")))
    assert [each[1] for each in told(terms.read(waiting, as_of=at("25 09:00")))] == ["", "clerk"]


def test_next_at_is_where_the_reading_changes() -> None:
    terms = minutes(240, warnings=(HOUR,), levels=LADDER[1:])
    facts, seen = ClockFacts(at("21 09:30")), [at("21 09:30")]
    while (following := terms.read(facts, as_of=seen[-1]).next_at) is not None:
        seen.append(following)
    assert seen[1:] == [
        at("21 12:30"), at("21 13:30") + TICK, at("21 15:30"), at("22 11:30"),
    ]  # fmt: skip
    outcomes = [terms.read(facts, as_of=when).outcome.value for when in seen]
    assert outcomes == ["due", "due", "missed", "missed", "missed"]


def test_a_level_beyond_the_known_dates_is_left_out_until_they_are_known() -> None:
    known = attrs.evolve(OFFICE, known_through=date(2024, 3, 21))
    found = minutes(60, known, levels=LADDER).read(ClockFacts(at("21 15:00")), as_of=at("21 15:30"))
    assert [each[1] for each in told(found)] == ["clerk", "supervisor"]


# --- changes on the way ---------------------------------------------------------------------------


def changed(first: int, *later: tuple[int, str], calendar: Any = OFFICE) -> ClockTerms:  # noqa: ANN401
    targets = Versions.always(Target("reply", first * MINUTE))
    for number, since in later:
        targets = targets.then(Target("reply", number * MINUTE), at(since))
    return ClockTerms(targets, calendar)


@pytest.mark.rule("RC-12")
@pytest.mark.parametrize(
    ("terms", "due"),
    [
        (changed(480, (240, "21 11:00")), "21 13:30"),  # shorter, not used up yet
        (changed(480, (240, "21 14:00")), "21 14:00"),  # found used up: due at the change
        (changed(480, (240, "21 13:30")), "21 13:30"),  # used up just there
        (changed(480, (60, "21 20:00")), "21 17:30"),  # was due before the change
        (changed(600, (60, "21 20:00")), "21 20:00"),  # found used up at night
        (changed(120, (480, "21 11:00")), "21 17:30"),  # longer, in time
        (changed(120, (480, "21 11:30")), "21 17:30"),  # longer, at the due instant itself
        (changed(120, (480, "21 11:31")), "21 11:30"),  # longer, too late: the breach stays
        (changed(120, (480, "21 11:00"), (240, "21 12:00")), "21 13:30"),
        (changed(480, (240, "21 09:00")), "21 13:30"),  # in force before the start
        (changed(480, (240, "21 09:30")), "21 13:30"),
    ],
)
def test_a_new_target_counts_from_its_instant(terms: ClockTerms, due: str) -> None:
    found = read(terms, ClockFacts(at("21 09:30")), "25 18:00")
    assert (found.due, found.breached_at) == (at(due), at(due))
    assert found.used == (510 + 600 + 600) * MINUTE


@pytest.mark.parametrize("change", ["21 13:00", "21 14:00"])
def test_a_change_while_the_clock_stands_still_is_due_when_it_goes_on(change: str) -> None:
    terms = changed(480, (60, change))
    facts = ClockFacts(at("21 09:30"), pauses=(pause("21 13:00", "21 15:00"),))
    during = read(terms, facts, "21 14:30")
    assert (during.outcome, during.due, during.breached_at) == (Outcome.DUE, None, None)
    after = read(terms, facts, "21 16:00")
    assert (after.outcome, after.due) == (Outcome.MISSED, at("21 15:00"))


def test_warnings_do_not_go_back_behind_the_change() -> None:
    less = Target("reply", 240 * MINUTE, warnings=(2 * HOUR,))
    terms = ClockTerms(changed(480).targets.then(less, at("21 12:00")), OFFICE)
    found = terms.read(ClockFacts(at("21 09:30")), as_of=at("21 12:30"))
    assert told(found) == [("warning", "", at("21 12:00"))]  # not at 11:30


def test_a_new_calendar_moves_nothing_that_was_used() -> None:
    longer = OFFICE.with_("week.mon-fri.hours", "06:00-22:00")
    hours = CalendarVersions(Versions.always(OFFICE).then(longer, at("21 20:00")))
    before, after = minutes(600), ClockTerms(Target("reply", 600 * MINUTE), hours)
    facts = ClockFacts(at("21 09:30"))
    for when in ("21 10:00", "21 18:00", "21 20:00"):
        one, other = (terms.read(facts, as_of=at(when)) for terms in (before, after))
        assert one.used == other.used
    assert before.read(facts, as_of=at("21 20:00")).due == at("22 09:30")
    # 510 minutes by 18:00, then from 20:00 to 21:30 on the same evening
    assert after.read(facts, as_of=at("21 20:00")).due == at("21 21:30")


def test_a_clock_that_started_before_there_was_a_target() -> None:
    terms = ClockTerms(Versions.of(Target("reply", HOUR)), OFFICE)
    later = attrs.evolve(
        terms, targets=Versions((attrs.evolve(terms.targets.entries[0], since=at("22 09:00")),))
    )
    facts = ClockFacts(at("21 09:30"))
    with refused(UnknownNameError, "versions"):
        later.read(facts, as_of=at("25 12:00"))
    columns = later.reads(ClockRows([facts.started]), as_of=at("25 12:00"))
    assert [each.code for each in columns.problems] == [Code.BEYOND_KNOWN]


def test_an_old_target_that_nobody_can_reckon_any_more_is_no_matter() -> None:
    known = attrs.evolve(OFFICE, known_through=date(2024, 3, 22))
    terms = changed(100_000, (60, "21 12:00"), calendar=known)
    facts = ClockFacts(at("21 11:30"))
    assert terms.read(facts, as_of=at("21 12:00")).due == at("21 12:30")
    assert terms.reads(ClockRows([facts.started]), as_of=at("21 12:00")).due[0] == np.datetime64(
        "2024-03-21T12:30"
    )
    with refused(BeyondKnownError):
        changed(100_000, calendar=known).read(facts, as_of=at("21 12:00"))


# --- explanations ---------------------------------------------------------------------------------


def test_what_counted_what_did_not_and_why() -> None:
    calendar = attrs.evolve(
        OFFICE,
        closures=(Closure(date(2024, 3, 22), reason="stocktaking"),),
        known_through=date(2024, 12, 31),
    )
    pauses = (pause("21 10:00", "21 11:00", "customer"), pause("21 17:00", "21 20:00", "supplier"))
    facts = ClockFacts(at("21 09:30"), pauses=pauses)
    found = minutes(600, calendar).stretches(facts, as_of=at("25 09:00"))
    assert explain(found, UTC_ZONE).splitlines() == [
        "2024-03-21 10:00 - 2024-03-21 11:00 paused (customer)",
        "2024-03-21 17:00 - 2024-03-21 18:00 paused (supplier)",
        "2024-03-22 08:00 - 2024-03-22 18:00 closed (stocktaking)",
        "open 7:30:00",
    ]
    assert explain(found, UTC_ZONE, "zh").splitlines()[-1] == "营业 7:30:00"
    assert minutes(600, calendar).read(facts, as_of=at("25 09:00")).used == 450 * MINUTE
    assert minutes(600).stretches(facts, as_of=at("21 09:00")) == ()


# --- a limit of open time -------------------------------------------------------------------------


@pytest.mark.rule("X-04", "RC-02", "RC-12")
def test_a_working_limit_makes_obligations_of_the_same_list() -> None:
    limit = Working(8 * HOUR, LUNCH, (pause("22 10:00", "22 16:00"),))
    (task,) = owed(limit, at("22 09:00"), subject="C-17", what="reply", rule="H-01", zone=UTC_ZONE)
    # one hour on Friday, two from 16:00, five on Monday: 09 to 12 and 13 to 15
    assert task.window.closes == at("25 15:00")
    assert task.window.hours
    for done, outcome in (("25 15:00", "on_time"), ("25 15:01", "late")):
        assert judge(task.window, [at(done)], as_of=at("29 12:00")).outcome == outcome
    assert judge(task.window, [], as_of=at("25 15:00")).outcome is Outcome.DUE
    (item,) = agenda([task], as_of=at("25 15:01"))
    assert item.outcome is Outcome.MISSED
    assert agenda([task], [Done("C-17", "reply", at("22 12:00"))], as_of=at("29 12:00")) == ()


@pytest.mark.rule("X-04")
def test_a_working_limit_owes_nothing_while_it_stands_still() -> None:
    limit = Working(8 * HOUR, LUNCH, (pause("22 10:00"),))
    assert list(limit.windows(at("22 09:00"), zone=UTC_ZONE)) == []
    (window,) = Working(HOUR, LUNCH, (pause("22 10:00"),)).windows(at("22 09:00"), zone=UTC_ZONE)
    assert window.closes == at("22 10:00")  # used up just there


# --- what is refused ------------------------------------------------------------------------------


def test_facts_and_terms_that_are_none() -> None:
    with refused(InvalidValueError, "Pause.until"):
        pause("21 10:00", "21 09:00")
    with refused(InvalidValueError, "ClockFacts.stopped"):
        ClockFacts(at("21 10:00"), at("21 09:00"))
    with refused(NaiveInstantError, "started"):
        ClockFacts(datetime(2024, 3, 21))
    with refused(WrongTypeError, "since"):
        Pause(date(2024, 3, 21))  # type: ignore[arg-type]
    with refused(WrongTypeError, "as_of"):
        minutes(60).read(ClockFacts(at("21 10:00")), as_of=date(2024, 3, 21))  # type: ignore[arg-type]
    with refused(InvalidValueError, "Target.budget"):
        Target("reply", -HOUR)
    with refused(InvalidValueError, "Target.warnings"):
        Target("reply", HOUR, warnings=(-HOUR,))
    with refused(NotRisingError, "Target.levels"):
        Target("reply", HOUR, levels=LADDER[::-1])
    with refused(InvalidValueError, "EscalationLevel.after"):
        EscalationLevel(-HOUR, "nobody")
    with refused(WrongTypeError, "ClockTerms.hours"):
        ClockTerms(Target("reply", HOUR), "always")  # type: ignore[arg-type]
    with refused(WrongTypeError, "Working.calendar"):
        Working(HOUR, "always")  # type: ignore[arg-type]
    with refused(InvalidValueError, "Working.budget"):
        Working(-HOUR, OFFICE)
    with refused(WrongTypeError, "since"):
        list(Working(HOUR, OFFICE).windows(date(2024, 3, 21), zone=UTC_ZONE))


def test_a_target_is_a_policy() -> None:
    target = Target("reply", stated(4 * HOUR, "000 3.2"), levels=LADDER)
    assert str(target.source("budget")) == "stated 000 3.2"
    sooner = target.with_("levels.supervisor.after", HOUR)
    assert sooner.levels[1].after == HOUR
    assert sooner.fingerprint() != target.fingerprint()
    open_end = Target("reply", blank("000: how long"))
    assert [entry.path for entry in open_end.blanks()] == ["budget"]


# --- columns --------------------------------------------------------------------------------------


def test_many_clocks_at_once() -> None:
    start = at("21 09:30")
    rows = ClockRows(
        started=[start, start, start, start, at("22 09:00"), None],
        stopped=[None, at("21 10:00"), at("21 14:00"), None, None, None],
        pauses=PauseColumns(
            np.array([3, 3, 0]),
            [at("21 10:00"), at("21 09:45"), at("21 12:00")],
            [None, at("21 10:15"), at("21 12:30")],
        ),
    )
    found = minutes(60).reads(rows, as_of=at("21 15:00"))
    outcomes = [OUTCOMES[n].value if n < NO_OUTCOME else None for n in found.outcomes]
    assert outcomes == ["missed", "on_time", "late", "due", "pending", None]
    assert found.used.tolist()[:5] == [each * MINUTE for each in (300, 30, 270, 15, 0)]
    due = datetime(2024, 3, 21, 10, 30)
    assert found.due.tolist() == [due, due, due, None, None, None]
    assert found.breached_at.tolist() == [due, None, due, None, None, None]
    assert found.paused.tolist() == [False, False, False, True, False, False]
    assert [(each.code, each.rows) for each in found.problems] == [(Code.NO_TIME, (5,))]
    assert found.counts()[Outcome.MISSED] == 1
    assert np.isnat(found.used[5])


def test_budgets_of_each_row() -> None:
    from retention.mechanisms import clock_columns

    rows = ClockRows([at("21 09:30")] * 3)
    budgets = np.array([30, 60, -1], "timedelta64[m]")
    found = clock_columns.read(
        OFFICE.open_time, rows, [(budgets, None, None)], as_of=at("21 10:15")
    )
    assert found.outcomes.tolist()[:2] == [OUTCOMES.index(Outcome.MISSED), 1]
    assert [(each.code, each.rows) for each in found.problems] == [(Code.NEGATIVE_TIME, (2,))]
    empty = minutes(60).reads(ClockRows([]), as_of=at("21 10:00"))
    assert (len(empty.outcomes), empty.problems) == (0, ())


def test_columns_that_are_none() -> None:
    now = at("21 10:00")
    with refused(UnequalColumnsError, "pauses"):
        PauseColumns(np.array([0, 1]), [now], [None])
    with refused(UnknownNameError, "pauses.row"):
        minutes(60).reads(
            ClockRows([now], pauses=PauseColumns(np.array([1]), [now], [None])), as_of=now
        )
    with refused(UnequalColumnsError, "stopped"):
        minutes(60).reads(ClockRows([now], [None, None]), as_of=now)
    bad = ClockRows(
        [now] * 3, [now - HOUR, None, None],
        PauseColumns(np.array([1, 2]), [now, None], [now - HOUR, now]),
    )  # fmt: skip
    found = minutes(60).reads(bad, as_of=now + HOUR)
    assert {each.code: each.rows for each in found.problems[1:]} == {
        Code.NO_TIME: (2,), Code.END_BEFORE_START: (1,),
    }  # fmt: skip
    assert (found.problems[0].code, found.problems[0].rows) == (Code.END_BEFORE_START, (0,))
    assert (found.outcomes == NO_OUTCOME).all()


def test_alarms_are_plain_values() -> None:
    one = Alarm(at("21 10:00"), AlarmKind.WARNING)
    assert (one.kind.label("zh"), AlarmKind.ESCALATION.label("zh")) == ("预警", "升级")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (4 * HOUR, "PT14400S"),
        (timedelta(milliseconds=1500), "PT1.500000S"),
        (timedelta(microseconds=-1), "-PT0.000001S"),
        (timedelta(days=-2), "-PT172800S"),
        (timedelta.max, "PT86399999999999.999999S"),
    ],
)
def test_amounts_of_time_are_stored_as_iso_8601_writes_seconds(
    amount: timedelta, text: str
) -> None:
    reading = Reading(at("21 10:00"), Outcome.DUE, amount)
    data = to_plain(reading)
    assert data["used"] == text
    assert from_plain(data) == reading
    for wrong in ("PT4H", "4:00:00", "PT1.5S", "PT99999999999999S"):
        with refused(UnreadableTextError, "clock_reading.used", given=wrong):
            from_plain({**data, "used": wrong})
