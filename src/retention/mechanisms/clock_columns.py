"""Clocks of open time in columns: the same readings as ``clocks``, a million at once.

Budgets are one for all rows or one a row; pauses are ragged, each with the number of its row.
A row that cannot be read is set aside with its reason, and has no outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.errors import UnequalColumnsError, UnknownNameError
from retention.mechanisms.obligations import Outcome
from retention.mechanisms.open_columns import (
    NONE,
    Arrays,
    Aside,
    Instants,
    Lengths,
    Mask,
    Numbers,
    as_instants,
    as_lengths,
    instants,
    lengths,
    read_instants,
    table_upto,
)
from retention.mechanisms.open_time import FIRST, FOREVER, OpenTime, micros

OUTCOMES = tuple(Outcome)
NO_OUTCOME = 255
_PENDING, _DUE, _ON_TIME, _LATE, _MISSED = (
    OUTCOMES.index(each)
    for each in (Outcome.PENDING, Outcome.DUE, Outcome.ON_TIME, Outcome.LATE, Outcome.MISSED)
)

Budgets: TypeAlias = Sequence[tuple[Lengths, datetime | None, datetime | None]]
"""Budgets with the instants from which and up to which they are in force, in order."""


@frozen(eq=False)
class PauseColumns:
    """Pauses of many clocks: the row of the clock, from when, and up to when (NaT: still)."""

    row: NDArray[np.integer[Any]] = field(converter=np.asarray)
    since: Instants
    until: Instants

    def __attrs_post_init__(self) -> None:
        sizes = {"row": len(self.row), "since": len(self.since), "until": len(self.until)}
        if len(set(sizes.values())) > 1:
            raise UnequalColumnsError("pauses", sizes)


@frozen(eq=False)
class ClockRows:
    """Many clocks: when each started, when it stopped (NaT: not yet), and the pauses."""

    started: Instants
    stopped: Instants | None = None  # None: no clock has stopped
    pauses: PauseColumns | None = None


@frozen(eq=False)
class ClockColumns:
    """What many clocks say at one instant, a row each.

    ``outcomes`` are places in ``OUTCOMES``, 255 where a row was set aside; instants are in UTC,
    NaT where there is none.
    """

    outcomes: NDArray[np.uint8]
    used: NDArray[np.timedelta64]
    due: NDArray[np.datetime64]
    breached_at: NDArray[np.datetime64]
    paused: NDArray[np.bool_]
    problems: tuple[Problem, ...] = ()

    def counts(self) -> dict[Outcome, int]:
        """Return how many clocks have each outcome."""
        found = np.bincount(self.outcomes, minlength=NO_OUTCOME + 1)
        return {each: int(found[place]) for place, each in enumerate(OUTCOMES)}


def read(
    open_time: OpenTime, rows: ClockRows, budgets: Budgets, *, as_of: datetime
) -> ClockColumns:
    """Read many clocks; ``retention.mechanisms.clocks.ClockTerms.read`` of each.

    >>> from datetime import UTC, timedelta
    >>> always = OpenTime("always", lambda begin, end: [(begin, end)])
    >>> rows = ClockRows(
    ...     [datetime(2024, 7, 1, 9, tzinfo=UTC), datetime(2024, 7, 1, 13, tzinfo=UTC)]
    ... )
    >>> four_hours = [(timedelta(hours=4), None, None)]
    >>> now = datetime(2024, 7, 1, 14, tzinfo=UTC)
    >>> [OUTCOMES[n].value for n in read(always, rows, four_hours, as_of=now).outcomes]
    ['missed', 'due']
    """
    clocks = _Clocks.of(open_time, rows, micros(as_of, "as_of"))
    targets = [_target(clocks, *each) for each in budgets]
    early = (clocks.start < targets[0].since) & (clocks.start <= clocks.as_of)
    first = as_instants(clocks.start)
    clocks.aside.put(Code.BEYOND_KNOWN, early, first, "a start when a budget is in force")
    live = clocks.live
    due, used = np.full(len(live), NONE), np.where(clocks.aside.good, 0, NONE)
    if live.any():
        _measure(open_time, clocks, targets, due, used)
    return clocks.answers(due, used)


@frozen(eq=False)
class _Clocks:
    """The columns as numbers, as far as they are known at an instant."""

    aside: Aside
    as_of: int
    start: Numbers
    now: Numbers  # as of, or where the clock stopped before
    stopped: Mask
    pauses: _Pauses

    @classmethod
    def of(cls, open_time: OpenTime, rows: ClockRows, as_of: int) -> _Clocks:
        aside = Aside(len(rows.started))
        start = read_instants(aside, rows.started, "started")
        stop = _ends(rows.stopped, "stopped", len(start))
        bad = (stop != NONE) & (stop < start)
        aside.put(Code.END_BEFORE_START, bad, as_instants(stop), "a stop at or after the start")
        stopped = (stop != NONE) & (stop <= as_of)
        now = np.where(stopped, stop, as_of)
        pauses = _Pauses.of(aside, rows.pauses, now, stopped)
        low, high = open_time.known
        for when in (start, now):
            outside = (start <= as_of) & ((when < low) | (when > high))
            aside.put(Code.BEYOND_KNOWN, outside, as_instants(when), "what the calendar knows")
        return cls(aside, as_of, start, now, stopped, pauses)

    @property
    def live(self) -> Mask:
        """Rows that can be read and have started."""
        return self.aside.good & (self.start <= self.as_of)

    def answers(self, due: Numbers, used: Numbers) -> ClockColumns:
        good, live = self.aside.good, self.live
        due = np.where(live, due, NONE)
        in_time = (due == NONE) | (self.now <= due)
        outcomes = np.where(
            self.stopped, np.where(in_time, _ON_TIME, _LATE), np.where(in_time, _DUE, _MISSED)
        )
        outcomes = np.where(live, outcomes, np.where(good, _PENDING, NO_OUTCOME)).astype(np.uint8)
        return ClockColumns(
            outcomes,
            as_lengths(np.where(good, used, NONE)),
            as_instants(due),
            as_instants(np.where(live & ~in_time, due, NONE)),
            self.pauses.standing(len(due)) & live & ~self.stopped,
            self.aside.problems,
        )


@frozen(eq=False)
class _Target:
    """Budgets of one version, and from when and up to when they are in force."""

    budget: Numbers
    since: int
    until: int


def _target(
    clocks: _Clocks, given: Lengths, since: datetime | None, until: datetime | None
) -> _Target:
    budget = lengths(given, "budgets", len(clocks.start))
    shown = as_lengths(budget)
    clocks.aside.put(Code.NO_TIME, budget == NONE, shown, "an amount of time in every row")
    clocks.aside.put(Code.NEGATIVE_TIME, budget < 0, shown, "no time or more")
    begins = FIRST if since is None else micros(since, "since")
    return _Target(budget, begins, FOREVER if until is None else micros(until, "until"))


def _ends(given: Instants | None, where: str, rows: int) -> Numbers:
    if given is None:
        return np.full(rows, NONE)
    found = instants(given, where)
    if len(found) != rows:
        raise UnequalColumnsError(where, {"rows": rows, where: len(found)})
    return found


# --- pauses ---------------------------------------------------------------------------------------


@frozen(eq=False)
class _Pauses:
    """Pauses in the order of rows and times, none of which touch within one row."""

    row: NDArray[np.intp]
    since: Numbers
    until: Numbers

    @classmethod
    def of(cls, aside: Aside, given: PauseColumns | None, now: Numbers, stopped: Mask) -> _Pauses:
        if given is None or not len(given.row):
            nothing = np.zeros(0, np.int64)
            return cls(nothing.astype(np.intp), nothing, nothing)
        row = _rows(given.row, len(now))
        since, until = instants(given.since, "since"), instants(given.until, "until")
        bad = np.zeros(len(now), bool)
        bad[row[since == NONE]] = True
        aside.put(Code.NO_TIME, bad, bad, "a beginning for every pause")
        bad = np.zeros(len(now), bool)
        bad[row[(until != NONE) & (until < since)]] = True
        aside.put(Code.END_BEFORE_START, bad, bad, "pauses that end after they begin")
        ends = np.where((until == NONE) | (until > now[row]), FOREVER, until)
        begun = (since < now[row]) | ((since == now[row]) & ~stopped[row])
        keep = begun & (since < ends) & aside.good[row]
        return cls._united(row[keep], since[keep], ends[keep])

    @classmethod
    def _united(cls, row: NDArray[np.intp], since: Numbers, until: Numbers) -> _Pauses:
        order = np.lexsort((since, row))
        row, since, until = row[order], since[order], until[order]
        same = row[1:] == row[:-1]
        if not (same & (since[1:] <= until[:-1])).any():
            return cls(row, since, until)
        reach = _latest_so_far(row, until)
        first = np.ones(len(row), bool)
        first[1:] = ~same | (since[1:] > reach[:-1])
        last = np.append(first[1:], True)
        return cls(row[first], since[first], reach[last])

    def standing(self, rows: int) -> Mask:
        """Rows that stand still."""
        found = np.zeros(rows, bool)
        found[self.row[self.until == FOREVER]] = True
        return found

    def total(self, amounts: Numbers, rows: int) -> Numbers:
        """Sum of amounts of the pauses for each row; whole numbers stay exact."""
        sums = np.concatenate(([0], np.cumsum(amounts)))
        edges = np.searchsorted(self.row, np.arange(rows + 1))
        found: Numbers = sums[edges[1:]] - sums[edges[:-1]]
        return found

    def before(self, amounts: Numbers, rows: int) -> Numbers:
        """Sum of amounts of the earlier pauses of the same row."""
        sums = np.concatenate(([0], np.cumsum(amounts)))
        edges = np.searchsorted(self.row, np.arange(rows))
        found: Numbers = sums[:-1] - sums[edges[self.row]]
        return found


def _rows(given: NDArray[Any], rows: int) -> NDArray[np.intp]:
    found = given.astype(np.intp) if given.dtype.kind in "iu" or not given.size else None
    if found is None or (found.size and not 0 <= found.min() <= found.max() < rows):
        raise UnknownNameError("pauses.row", str(given[:3]), f"numbers below {rows}")
    return found


def _latest_so_far(row: NDArray[np.intp], until: Numbers) -> Numbers:
    """Latest end among the pauses of the row so far: by rank, which leaves room for the row."""
    ends, rank = np.unique(until, return_inverse=True)
    reach = np.maximum.accumulate(row * len(ends) + rank) - row * len(ends)
    found: Numbers = ends[reach]
    return found


# --- what is used, and where it falls due ---------------------------------------------------------


def _measure(
    open_time: OpenTime,
    clocks: _Clocks,
    targets: Sequence[_Target],
    due: Numbers,
    used: Numbers,
) -> None:
    """Fill in what is used and due, for the rows that have started."""
    live, rows = clocks.live, len(clocks.start)
    low, high = int(clocks.start[live].min()), int(clocks.now[live].max())
    most = max(int(each.budget[live].max()) for each in targets)
    # Pauses end by now, so a budget after the last "now" reaches as far as any row needs.
    arrays = Arrays.of(table_upto(open_time, low, high, most), rows)
    start = np.where(live, clocks.start, low)
    origin = arrays.used(start)
    pauses = _clipped(clocks.pauses, live, start)
    closed = pauses.until != FOREVER
    now = np.where(live, clocks.now, low)
    begin = arrays.used(pauses.since)
    end = arrays.used(np.where(closed, pauses.until, now[pauses.row]))
    used[live] = (arrays.used(now) - origin - pauses.total(end - begin, rows))[live]
    # Time on the clock at which each pause begins: the pauses before it do not count.
    begins = begin - pauses.before(end - begin, rows)
    pending = live.copy()
    for each in targets:
        found, unknown = _fall(
            arrays, pauses, (begins, end - begin, closed), origin, start, each.budget
        )
        moved = _moved(pauses, found, start, each.since)
        here = pending & (start < each.until)
        beyond = here & unknown & (each.until > open_time.known[1])
        allowed = "a due instant that the calendar knows"
        clocks.aside.put(Code.BEYOND_KNOWN, beyond, as_instants(start), allowed)
        decided = here & ~unknown & (moved != NONE) & (moved < each.until)
        due[decided] = moved[decided]
        pending &= ~decided & ~beyond


def _clipped(pauses: _Pauses, live: Mask, start: Numbers) -> _Pauses:
    keep = live[pauses.row] & (pauses.until > start[pauses.row])
    row = pauses.row[keep]
    return _Pauses(row, np.maximum(pauses.since[keep], start[row]), pauses.until[keep])


def _fall(
    arrays: Arrays,
    pauses: _Pauses,
    measured: tuple[Numbers, Numbers, Mask],
    origin: Numbers,
    start: Numbers,
    budget: Numbers,
) -> tuple[Numbers, Mask]:
    """Where budgets are used up (NaT: a pause without an end comes first), and if nobody knows."""
    begins, open_in, closed = measured
    rows = len(start)
    goal = origin + budget
    # A pause counts when it begins before the budget is used up; at that very instant it is due.
    counts = begins < goal[pauses.row]
    goal = goal + pauses.total(np.where(counts & closed, open_in, 0), rows)
    found = np.where(budget == 0, start, arrays.reached(goal))
    unknown = (goal > arrays.totals[-1]) & (budget > 0)
    still = np.zeros(rows, bool)
    still[pauses.row[counts & ~closed]] = True
    still &= budget > 0
    return np.where(still, NONE, found), unknown & ~still


def _moved(pauses: _Pauses, found: Numbers, start: Numbers, since: int) -> Numbers:
    """Not before the change that caused it, nor while the clock stands still."""
    late = (found != NONE) & (found < np.maximum(start, since))
    if not late.any():
        return found
    moved = np.where(late, since, found)
    inside = (pauses.since <= since) & (since < pauses.until) & late[pauses.row]
    ends = np.where(pauses.until == FOREVER, NONE, pauses.until)
    moved[pauses.row[inside]] = ends[inside]
    return moved
