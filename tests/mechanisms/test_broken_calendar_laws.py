"""Each law of calendars and clocks notices when it is broken, and says where and what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from retention.mechanisms import open_columns
from retention.mechanisms.calendars import Calendar, WeekHours
from retention.mechanisms.clocks import ClockFacts, ClockTerms, Pause, Reading, Target
from retention.mechanisms.open_time import OpenTime
from retention.testing import laws

HOUR = timedelta(hours=1)
START = datetime(2024, 7, 5, 16, tzinfo=UTC)  # a Friday
FACTS = ClockFacts(START, pauses=(Pause(START + HOUR / 2, START + HOUR),))


@pytest.fixture
def office() -> Calendar:
    return Calendar("office", "UTC", (WeekHours("mon-fri", "09:00-17:00"),))


@pytest.fixture
def terms(office: Calendar) -> ClockTerms:
    return ClockTerms(Target("reply", 2 * HOUR), office)


def broken(law: str, check: Callable[[], None], *said: str) -> None:
    with pytest.raises(AssertionError, match=f"law {law} is broken for ") as caught:
        check()
    for each in said:
        assert each in str(caught.value)


def test_a_due_instant_at_the_next_opening_is_noticed(
    office: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    laws.due_and_open_time_agree(office, START, HOUR)
    once = OpenTime.due

    def late(self: OpenTime, *given: Any) -> int | None:  # noqa: ANN401
        found = once(self, *given)
        return None if found is None else found + 16 * 3_600_000_000

    monkeypatch.setattr(OpenTime, "due", late)
    broken(
        "due_and_open_time_agree",
        lambda: laws.due_and_open_time_agree(office, START, HOUR),
        "used just before says False",
    )


def test_stretches_that_leave_time_out_are_noticed(
    office: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = [START, START + HOUR, START + 100 * HOUR]
    laws.open_time_adds_up(office, times)
    monkeypatch.setattr(Calendar, "labelled", lambda *_: iter(()))
    broken("open_time_adds_up", lambda: laws.open_time_adds_up(office, times), "stretches says")


def test_columns_that_differ_are_noticed(office: Calendar, monkeypatch: pytest.MonkeyPatch) -> None:
    law, question = (
        "one_calendar_question_equals_columns",
        laws.one_calendar_question_equals_columns,
    )
    question(office, [START], [9 * HOUR])
    monkeypatch.setattr(open_columns.Arrays, "reached", open_columns.Arrays.left)
    broken(law, lambda: question(office, [START], [HOUR]), "row 0", "one says", "columns says")


def test_another_close_than_the_clock_on_the_wall_is_noticed(
    office: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    law = laws.a_calendar_agrees_with_the_clock_on_the_wall
    ends = START + 2 * HOUR, HOUR
    law(office, START, *ends)
    longer = office.with_("week.mon-fri.hours", "09:00-17:30")
    monkeypatch.setattr(Calendar, "open_time", longer.open_time)
    broken(
        "a_calendar_agrees_with_the_clock_on_the_wall",
        lambda: law(office, START, *ends),
        "open between says datetime.timedelta(seconds=5400), steps says",
    )


def patched(monkeypatch: pytest.MonkeyPatch, change: Callable[[Reading], Reading]) -> None:
    once = ClockTerms.read

    def read(self: ClockTerms, facts: ClockFacts, *, as_of: datetime) -> Reading:
        return change(once(self, facts, as_of=as_of))

    monkeypatch.setattr(ClockTerms, "read", read)


def test_used_time_that_shrinks_is_noticed(
    terms: ClockTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    law, as_ofs = laws.used_time_stays_used, [START, START + HOUR / 4, START + 2 * HOUR]
    law(terms, FACTS, as_ofs=as_ofs)
    patched(monkeypatch, lambda found: attrs.evolve(found, used=-found.used))
    broken("used_time_stays_used", lambda: law(terms, FACTS, as_ofs=as_ofs), "used shrinks")


def test_a_reading_that_knows_the_future_is_noticed(
    terms: ClockTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    once, law = ClockTerms.read, laws.used_time_stays_used

    def read(self: ClockTerms, facts: ClockFacts, *, as_of: datetime) -> Reading:
        return attrs.evolve(once(self, facts, as_of=as_of), stopped=facts.stopped is not None)

    monkeypatch.setattr(ClockTerms, "read", read)
    later = attrs.evolve(FACTS, stopped=START + 9 * HOUR)
    broken("used_time_stays_used", lambda: law(terms, later, as_ofs=[START]), "known facts says")


def test_a_change_that_was_not_announced_is_noticed(
    terms: ClockTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    law, facts = laws.nothing_happens_before_next_at, ClockFacts(START)
    law(terms, facts, as_of=START)
    patched(monkeypatch, lambda found: attrs.evolve(found, next_at=START + 1_000 * HOUR))
    broken("nothing_happens_before_next_at", lambda: law(terms, facts, as_of=START), "missed")


def test_a_new_target_that_moves_used_time_is_noticed(
    terms: ClockTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    law = laws.a_new_target_moves_no_used_time
    change = Target("reply", HOUR), START + HOUR
    law(terms, FACTS, *change, as_of=START + 2 * HOUR)
    patched(monkeypatch, lambda found: attrs.evolve(found, used=found.budget or found.used))
    broken(
        "a_new_target_moves_no_used_time",
        lambda: law(terms, FACTS, *change, as_of=START + 2 * HOUR),
        "used says", "used before says",
    )  # fmt: skip


def test_many_clocks_that_differ_are_noticed(
    terms: ClockTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    law, as_of = laws.one_clock_equals_columns, START + 80 * HOUR
    law(terms, [FACTS], as_of=as_of)
    patched(monkeypatch, lambda found: attrs.evolve(found, breached_at=None))
    broken("one_clock_equals_columns", lambda: law(terms, [FACTS], as_of=as_of), "columns says")


def test_a_clock_that_differs_from_the_one_on_the_wall_is_noticed(
    terms: ClockTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    law = laws.a_clock_agrees_with_the_clock_on_the_wall
    ends: dict[str, Any] = {"as_of": START + HOUR, "until": START + 80 * HOUR}
    law(terms, FACTS, **ends)
    patched(monkeypatch, lambda found: attrs.evolve(found, used=found.used + HOUR))
    broken(
        "a_clock_agrees_with_the_clock_on_the_wall",
        lambda: law(terms, FACTS, **ends),
        "reading says",
        "steps says",
    )
