"""Laws of calendars and clocks, on calendars of every kind around changes of clocks."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from retention.mechanisms.calendars import Calendar, CalendarVersions
from retention.mechanisms.clocks import ClockTerms
from retention.mechanisms.errors import BeyondKnownError, InvalidValueError
from retention.testing import laws
from retention.testing.strategies.calendars import (
    budgets,
    calendar_versions,
    calendars,
    clock_facts,
    clock_terms,
    questions,
)

either = st.one_of(calendars(), calendar_versions())
NOTHING_OPEN = (BeyondKnownError, InvalidValueError)


@given(st.data(), either)
def test_due_and_open_time(data: st.DataObject, calendar: Calendar | CalendarVersions) -> None:
    start, budget = data.draw(questions(calendar)), data.draw(budgets())
    with suppress(*NOTHING_OPEN):
        laws.due_and_open_time_agree(calendar, start, budget)


@given(st.data(), either)
def test_sums(data: st.DataObject, calendar: Calendar | CalendarVersions) -> None:
    times = data.draw(st.lists(questions(calendar), min_size=2, max_size=5))
    laws.open_time_adds_up(calendar, times)


@given(st.data(), either)
def test_columns(data: st.DataObject, calendar: Calendar | CalendarVersions) -> None:
    rows = data.draw(st.lists(st.tuples(questions(calendar), budgets()), min_size=1, max_size=8))
    laws.one_calendar_question_equals_columns(calendar, *map(list, zip(*rows, strict=True)))


@given(st.data(), either)
def test_the_clock_on_the_wall(data: st.DataObject, calendar: Calendar | CalendarVersions) -> None:
    start, end = sorted((data.draw(questions(calendar)), data.draw(questions(calendar))))
    budget = data.draw(budgets(max_minutes=600))
    laws.a_calendar_agrees_with_the_clock_on_the_wall(calendar, start, end, budget)


# --- clocks ---------------------------------------------------------------------------------------


@pytest.mark.rule("RC-12")
@given(st.data(), clock_terms())
def test_used_time(data: st.DataObject, terms: ClockTerms) -> None:
    facts = data.draw(clock_facts(terms.hours))
    as_ofs = data.draw(st.lists(questions(terms.hours), min_size=1, max_size=6))
    with suppress(*NOTHING_OPEN):
        laws.used_time_stays_used(terms, facts, as_ofs=as_ofs)


@given(st.data(), clock_terms())
def test_next_at(data: st.DataObject, terms: ClockTerms) -> None:
    facts, as_of = data.draw(clock_facts(terms.hours)), data.draw(questions(terms.hours))
    between = data.draw(st.lists(questions(terms.hours), max_size=4))
    with suppress(*NOTHING_OPEN):
        laws.nothing_happens_before_next_at(terms, facts, as_of=as_of, between=between)


@given(st.data(), clock_terms())
def test_a_new_target(data: st.DataObject, terms: ClockTerms) -> None:
    facts = data.draw(clock_facts(terms.hours))
    since, as_of = data.draw(questions(terms.hours)), data.draw(questions(terms.hours))
    last = terms.targets.entries[-1].since
    assume(last is None or since > last)
    target = data.draw(clock_terms()).targets.entries[0].value
    with suppress(*NOTHING_OPEN):
        laws.a_new_target_moves_no_used_time(terms, facts, target, since, as_of=as_of)


@given(st.data(), clock_terms())
def test_many_clocks(data: st.DataObject, terms: ClockTerms) -> None:
    clocks = data.draw(st.lists(clock_facts(terms.hours), min_size=1, max_size=6))
    laws.one_clock_equals_columns(terms, clocks, as_of=data.draw(questions(terms.hours)))


@pytest.mark.rule("RC-12")
@given(st.data(), clock_terms())
def test_a_clock_and_the_clock_on_the_wall(data: st.DataObject, terms: ClockTerms) -> None:
    facts, as_of = data.draw(clock_facts(terms.hours)), data.draw(questions(terms.hours))
    with suppress(*NOTHING_OPEN):
        laws.a_clock_agrees_with_the_clock_on_the_wall(
            terms, facts, as_of=as_of, until=max(as_of, facts.started) + timedelta(days=2)
        )
