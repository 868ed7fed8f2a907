"""Timelines: which value held on a day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.mechanisms.errors import InvalidValueError, NotRisingError, UnknownNameError
from retention.mechanisms.timelines import Held, Timeline

START = date(2024, 1, 1)
DAY = timedelta(days=1)


def day(number: int) -> date:
    return START + number * DAY


# A value and the days until it takes effect; None ends the value before.
STEPS = st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(1, 20)), max_size=12)


def played(steps: list[tuple[str | None, int]]) -> tuple[Timeline[str], dict[date, str]]:
    """A timeline, and the same days written out one by one."""
    timeline, days = Timeline[str](), dict[date, str]()
    now: str | None = None
    today = 0
    for value, later in steps:
        days |= {day(n): now for n in range(today, today + later) if now is not None}
        today += later
        if value is not None:
            timeline = timeline.then(value, day(today))
        elif now is not None:
            timeline = timeline.ended(day(today - 1))
        now = value
    return timeline, days | ({day(n): now for n in range(today, today + 30)} if now else {})


@pytest.mark.rule("C-41")
@given(STEPS)
def test_a_value_holds_on_the_days_that_were_written_out(
    steps: list[tuple[str | None, int]],
) -> None:
    timeline, days = played(steps)
    for number in range(-1, sum(later for _, later in steps) + 30):
        held = timeline.held(day(number))
        assert (None if held is None else held.value) == days.get(day(number))
        if day(number) in days:
            assert timeline.at(day(number)) == days[day(number)]
        else:
            with pytest.raises(UnknownNameError):
                timeline.at(day(number))


@pytest.mark.rule("C-41")
def test_a_gap_has_no_value() -> None:
    timeline = Timeline[str]().then("a", day(0)).ended(day(4)).then("b", day(10), reason="again")
    assert list(timeline.spans()) == [("a", day(0), day(4)), ("b", day(10), None)]
    assert [timeline.held(day(n)) is None for n in (4, 5, 9, 10)] == [False, True, True, False]
    assert timeline.entries[1].reason == "again"
    with pytest.raises(UnknownNameError, match="no value on 2024-01-06; known: 2024-01-01"):
        timeline.at(day(5))


def test_the_same_value_changes_nothing_while_it_holds() -> None:
    timeline = Timeline[str]().then("a", day(0), reason="first")
    assert timeline.then("a", day(3), reason="second") == timeline
    again = timeline.ended(day(1)).then("a", day(3))
    assert [entry.since for entry in again.entries] == [day(0), day(3)]


def test_entries_follow_each_other() -> None:
    timeline = Timeline[str]().then("a", day(5))
    for since in (day(5), day(4)):
        with pytest.raises(NotRisingError):
            timeline.then("b", since)
    with pytest.raises(NotRisingError):
        timeline.ended(day(7)).then("b", day(7))
    with pytest.raises(InvalidValueError, match="2024-01-06 or later"):
        timeline.ended(day(4))
    with pytest.raises(InvalidValueError):
        Held("a", day(5), day(4))
    with pytest.raises(UnknownNameError, match="known: nothing"):
        Timeline[str]().ended(day(1))
    with pytest.raises(UnknownNameError, match="known: nothing"):
        Timeline[str]().at(day(1))


def test_an_empty_timeline_has_no_spans() -> None:
    assert list(Timeline[str]().spans()) == []
