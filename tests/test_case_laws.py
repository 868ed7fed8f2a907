"""Laws of cases: refusals, replay, pauses, merging, redaction, and one equals many (X-05, X-06)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from retention.case_clocks import RECEIVED, ClockRule
from retention.case_groups import GroupCandidate, GroupRule
from retention.case_merges import CaseFacts
from retention.feedback import Feedback
from retention.mechanisms.calendars import Calendar, WeekHours
from retention.mechanisms.hours import Hours, weekdays
from retention.mechanisms.obligations import Days, Within
from retention.mechanisms.periods import When
from retention.presets import (
    customer_operations,
    ecommerce,
    membership,
    new_measures,
    user_retention,
)
from retention.root_causes import CaseRecord, CauseAnalysis
from retention.testing import case_stories, group_candidates, laws, told_cases
from retention.testing.case_stores import MemoryCaseStore
from retention.testing.strategies.cases import HOLDS

BOOKS = {x.name: x.feedback for x in (user_retention, customer_operations, ecommerce, membership,
                                       new_measures)}  # fmt: skip
START = datetime(2024, 6, 3, tzinfo=UTC)
OFFICE = Calendar(
    "office", "Asia/Shanghai", (WeekHours(weekdays("mon-fri"), Hours.of("09:00-18:00")),)
)
# Every kind of clock at once: hours, open hours, pauses, dates, promises, and again and again.
BUSY = (
    ClockRule("first_response", (RECEIVED,), ("respond", "reply", "report"), Within(hours=1),
              rule="own", pauses=True),
    ClockRule("completion", (RECEIVED,), ("report", "reply", "complete"), Within(hours=8),
              rule="own", hours=OFFICE, pauses=True),
    ClockRule("visit", ("respond",), ("notify",), Days(0, 3), rule="own"),
    ClockRule("later_visit", ("respond",), ("notify", "remark"), Days(1, 2), rule="own"),
    ClockRule("month", (RECEIVED,), ("remark",), Days(0, 2, months=1), rule="own"),
    ClockRule("progress", ("remark",), ("notify", "remark"), Within(hours=24), rule="own",
              repeats=True, ends=("forward",)),
    ClockRule("restarts", ("notify",), ("notify", "forward"), Within(hours=30), rule="own"),
)  # fmt: skip
EVERY = [*BOOKS, *(f"busy {name}" for name in BOOKS)]


def rules_of(name: str) -> Feedback:
    if not name.startswith("busy "):
        return BOOKS[name]
    book = BOOKS[name.removeprefix("busy ")]
    own: Any = book.flow.workflow.machine.commands
    known = {*(str(x) for x in own), "respond", "notify", "remark", "forward", RECEIVED}
    rows = [
        attrs.evolve(x, stops=tuple(y for y in x.stops if y in known)) for x in BUSY
        if any(y in known for y in x.stops)
    ]  # fmt: skip
    promises = [x for x in book.clocks_table if x.promised]
    return attrs.evolve(book, clocks=(*rows, *promises))


def as_instant(when: When) -> datetime:
    assert isinstance(when, datetime)
    return when


every_book = pytest.mark.parametrize("name", EVERY)
busy_book = pytest.mark.parametrize("name", [f"busy {name}" for name in BOOKS])
moments = st.integers(0, 60 * 24 * 90).map(lambda n: START + timedelta(minutes=n))


@every_book
@given(data=st.data())
def test_a_case_keeps_its_rules(name: str, data: st.DataObject) -> None:
    rules = rules_of(name)
    laws.a_case_keeps_its_rules(rules, data.draw(case_stories(rules)), holds=HOLDS)


@busy_book
@given(data=st.data())
def test_a_pause_never_shortens_used_time(name: str, data: st.DataObject) -> None:
    rules = rules_of(name)
    steps = [timedelta(minutes=1), timedelta(hours=30), timedelta(days=4)]
    for case in data.draw(told_cases(rules, max_size=1)):
        laws.a_pause_never_shortens_used_time(rules, case, steps=steps)


@busy_book
@given(data=st.data(), later=st.sampled_from([0, 1, 10_000]))
def test_merging_loses_nobody(name: str, data: st.DataObject, later: int) -> None:
    rules = rules_of(name)
    cases = data.draw(told_cases(rules, min_size=3, max_size=3))
    at = max(as_instant(case.log[-1].at) for case in cases) + timedelta(minutes=later)
    one, other, third = cases
    laws.merging_loses_nobody(rules, one, one, at=at)
    laws.merging_loses_nobody(rules, one, other, at=at)
    laws.merging_loses_nobody(rules, other, third, at=at)


@busy_book
@given(data=st.data(), as_of=moments)
def test_redaction_keeps_figures(name: str, data: st.DataObject, as_of: datetime) -> None:
    rules = rules_of(name)
    for case in data.draw(told_cases(rules, max_size=1)):
        laws.redaction_keeps_figures(rules, case, as_of=as_of)


@pytest.mark.rule("H-44", "X-06")
@every_book
@given(data=st.data(), as_of=moments)
def test_one_case_equals_columns(name: str, data: st.DataObject, as_of: datetime) -> None:
    rules = rules_of(name)
    laws.cases_one_equals_columns(rules, data.draw(told_cases(rules)), as_of=as_of)


@given(found=group_candidates(), customers=st.integers(2, 4), hours=st.sampled_from([1, 24, 48]))
def test_groups_one_equals_columns(found: list[GroupCandidate], customers: int, hours: int) -> None:
    laws.groups_one_equals_columns(GroupRule(customers=customers, hours=hours), found)


NEAR = (0, 1, 29, 30, 31, 60, 61, 62)  # what is 30 days apart, and the days beside
DAYS = (st.sampled_from(NEAR) | st.integers(0, 120)).map(
    lambda n: date(2024, 4, 1) + timedelta(days=n)
)
RECORDS = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), DAYS, st.sampled_from(["late", "rude", "other", ""])),
    max_size=20,
).map(
    lambda rows: [CaseRecord(f"K-{n}", who, on, cause=why) for n, (who, on, why) in enumerate(rows)]
)


@given(records=RECORDS, since=DAYS, days=st.integers(0, 60), percent=st.integers(1, 100))
def test_causes_one_equals_columns(
    records: list[CaseRecord], since: date, days: int, percent: int
) -> None:
    analysis = CauseAnalysis(vital_percent=percent)
    until = since + timedelta(days=days)
    laws.causes_one_equals_columns(analysis, records, since=since, until=until)


class HalfStore(MemoryCaseStore):
    """A store that appends one log after the other."""

    def append(self, *parts: CaseFacts) -> None:
        for part in parts:
            MemoryCaseStore.append(self, part)


@pytest.mark.rule("X-06")
def test_a_store_in_memory_keeps_cases_together() -> None:
    machine = laws.case_store_machine(ecommerce.feedback, make_store=MemoryCaseStore)
    run_state_machine_as_test(machine)


@pytest.mark.rule("X-06")
def test_a_store_that_merges_by_halves_is_found() -> None:
    machine = laws.case_store_machine(ecommerce.feedback, make_store=HalfStore)
    steps = settings(phases=[Phase.generate], database=None, derandomize=True)
    with pytest.raises(AssertionError, match="law case_store_machine is broken"):
        run_state_machine_as_test(machine, settings=steps)
