"""Open time for columns: the same two searches as in ``open_time``, for all rows at once.

A column of instants is ``datetime64`` in UTC, of any unit but days, or aware datetimes; a column
of amounts is ``timedelta64``, timedeltas, or one timedelta for all rows. A row that cannot be
answered is set aside with its number and the reason, and its answer is NaT.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.errors import (
    BeyondKnownError,
    InvalidValueError,
    NaiveInstantError,
    UnequalColumnsError,
    WrongTypeError,
)
from retention.mechanisms.open_time import FOREVER, OpenTime, Table, length, micros

Numbers: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Instants: TypeAlias = NDArray[np.datetime64] | Sequence[datetime | None]
Lengths: TypeAlias = timedelta | np.timedelta64 | NDArray[np.timedelta64] | Sequence[timedelta]

_STRETCH = 32  # bits: microseconds of an hour and a bit
_FEW_ROWS, _MOST_STRETCHES, _STEPS = 4_000, 2**20, 3
NONE = np.iinfo(np.int64).min  # NaT as a number
_INSTANTS = "aware datetimes, or a datetime64 column of UTC instants (not of days)"
_LENGTHS = "amounts of time: timedeltas, or a timedelta64 column"
_KNOWN = "a time for which the calendar has its dates"


@frozen(eq=False)
class TimeColumn:
    """One answer a row, instants in UTC or amounts of time; NaT where a row was set aside."""

    values: NDArray[Any]
    problems: tuple[Problem, ...] = ()


class Aside:
    """Rows that were set aside, each for its first problem."""

    def __init__(self, rows: int) -> None:
        """Begin with all rows in order."""
        self.good: Mask = np.ones(rows, bool)
        self._found: list[Problem] = []

    def put(self, code: Code, bad: Mask, given: NDArray[Any], allowed: str) -> None:
        """Set rows aside for one cause."""
        rows = np.flatnonzero(bad & self.good)
        if rows.size:
            first = str(given[rows[0]])
            self._found.append(Problem(code, tuple(rows.tolist()), first, allowed))
            self.good[rows] = False

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was set aside."""
        return tuple(self._found)


# --- columns of numbers ---------------------------------------------------------------------------


def instants(given: Any, where: str, naive: list[int] | None = None) -> Numbers:  # noqa: ANN401
    """Return instants as microseconds since 1970 in UTC; what is missing is the number of NaT.

    Rows without a zone are added to ``naive``, or refused if nobody asks for them.

    >>> instants(np.array(["1970-01-01T00:00:01", "NaT"], "datetime64[s]"), "starts")[0]
    np.int64(1000000)
    """
    column = np.asarray(given)
    if column.dtype.kind == "M":
        if np.datetime_data(column.dtype)[0] in {"D", "W", "M", "Y", "generic"}:
            raise WrongTypeError(where, str(column.dtype), _INSTANTS)
        return column.astype("datetime64[us]").astype(np.int64)
    if column.dtype.kind != "O" and column.size:
        raise WrongTypeError(where, str(column.dtype), _INSTANTS)
    found = (_instant(each, row, where, naive) for row, each in enumerate(column.tolist()))
    return np.fromiter(found, np.int64, column.size)


def _instant(each: Any, row: int, where: str, naive: list[int] | None) -> int:  # noqa: ANN401
    if each is None or each != each:  # noqa: PLR0124  NaT of pandas
        return int(NONE)
    try:
        return micros(each, f"{where}[{row}]")
    except NaiveInstantError:
        if naive is None:
            raise
        naive.append(row)
        return int(NONE)


def lengths(given: Lengths, where: str, rows: int) -> Numbers:
    """Return amounts of time as microseconds, one for each row.

    >>> lengths(timedelta(seconds=1), "budgets", 2).tolist()
    [1000000, 1000000]
    """
    if isinstance(given, timedelta):
        return np.full(rows, length(given, where))
    column = np.asarray(given)
    if column.dtype.kind == "O":
        strange = [each for each in column.ravel().tolist() if not isinstance(each, timedelta)]
        if strange:
            raise WrongTypeError(where, strange[0], _LENGTHS)
        column = column.astype("timedelta64[us]")
    if column.dtype.kind != "m" or np.datetime_data(column.dtype)[0] in {"M", "Y", "generic"}:
        if column.size:
            raise WrongTypeError(where, str(column.dtype), _LENGTHS)
        column = column.astype("timedelta64[us]")
    found = column.astype("timedelta64[us]").astype(np.int64)
    if found.ndim == 0:
        return np.full(rows, found)
    if found.shape != (rows,):
        raise UnequalColumnsError(where, {"rows": rows, where: len(found)})
    return found


def as_instants(numbers: Numbers) -> NDArray[np.datetime64]:
    """Return numbers as a column of UTC instants."""
    return numbers.view("datetime64[us]")


def as_lengths(numbers: Numbers) -> NDArray[np.timedelta64]:
    """Return numbers as a column of amounts of time."""
    return numbers.view("timedelta64[us]")


# --- the two searches -----------------------------------------------------------------------------


@frozen(eq=False)
class _Rising:
    """Rising numbers, and for each stretch of equal length how many of them lie before it.

    Most stretches hold one number at most, so a look at the stretch and a comparison find the
    place of a row; that takes a quarter of the time of a search.
    """

    numbers: Numbers
    before: NDArray[np.int32] | None = None  # None: too few rows, or too many in one stretch
    steps: int = 0

    @classmethod
    def of(cls, numbers: Numbers, rows: int) -> _Rising:
        """Prepare for a number of rows."""
        stretches = int((numbers[-1] - numbers[0]) >> _STRETCH) + 1
        if rows < _FEW_ROWS or stretches > _MOST_STRETCHES:
            return cls(numbers)
        begins = numbers[0] + (np.arange(stretches) << _STRETCH)
        before = np.searchsorted(numbers, begins).astype(np.int32)
        steps = int(np.diff(before, append=len(numbers)).max())
        return cls(np.append(numbers, FOREVER), before, steps) if steps <= _STEPS else cls(numbers)

    def upto(self, given: Numbers) -> NDArray[np.integer[Any]]:
        """How many of the numbers are at or before each given one."""
        if self.before is None:
            return np.searchsorted(self.numbers, given, side="right")
        stretch = (given - self.numbers[0]) >> _STRETCH
        place: NDArray[np.integer[Any]] = self.before[np.clip(stretch, 0, len(self.before) - 1)]
        for _ in range(self.steps):
            place = place + (self.numbers[place] <= given)
        return place


@frozen(eq=False)
class Arrays:
    """A table as arrays, prepared for a number of rows."""

    since: Numbers
    until: Numbers
    totals: Numbers
    rows: int

    @classmethod
    def of(cls, table: Table, rows: int) -> Arrays:
        """Copy a table once for all rows."""
        since, until, totals = (
            np.array(each, np.int64) for each in (table.since, table.until, table.totals)
        )
        return cls(since, until, totals, rows)

    @cached_property
    def _starts(self) -> _Rising:
        return _Rising.of(self.since, self.rows)

    @cached_property
    def _sums(self) -> _Rising:
        return _Rising.of(self.totals, self.rows)

    def used(self, when: Numbers) -> Numbers:
        """Open time from the beginning of the table up to each instant."""
        place = self._starts.upto(when) - 1
        rest = self.until[place] - when
        found: Numbers = self.totals[place] - np.maximum(rest, 0)
        return found

    def reached(self, total: Numbers) -> Numbers:
        """First instants at which so much is used."""
        return self._at(self._sums.upto(total - 1), total)

    def left(self, total: Numbers) -> Numbers:
        """Last instants at which no more than so much is used."""
        return self._at(self._sums.upto(total), total)

    def _at(self, place: NDArray[np.integer[Any]], total: Numbers) -> Numbers:
        place = np.minimum(place, len(self.totals) - 1)
        found: Numbers = self.until[place] - self.totals[place] + total
        return found


def table_upto(open_time: OpenTime, low: int, high: int, budget: int) -> Table:
    """Return a table that holds two instants and a budget after them, or all that is known."""
    try:
        after = open_time.table_after(high, budget)
    except (BeyondKnownError, InvalidValueError):
        after = open_time.table(high, open_time.known[1])
    return open_time.table(low, after.ends)


def table_from(open_time: OpenTime, low: int, high: int, budget: int) -> Table:
    """Return a table that holds two instants and a budget before them, or all that is known."""
    try:
        before = open_time.table_before(low, budget)
    except (BeyondKnownError, InvalidValueError):
        before = open_time.table(open_time.known[0], low)
    return open_time.table(before.begins, high)


# --- questions ------------------------------------------------------------------------------------


def read_instants(aside: Aside, given: Any, where: str) -> Numbers:  # noqa: ANN401
    """Read a column that has a time in every row; the others are set aside."""
    naive: list[int] = []
    found = instants(given, where, naive)
    if found.shape != aside.good.shape:
        raise UnequalColumnsError(where, {"rows": len(aside.good), where: len(found)})
    shown = np.asarray(given)
    without_zone = np.zeros(len(found), bool)
    without_zone[naive] = True
    aside.put(Code.NAIVE_INSTANT, without_zone, shown, "an aware instant")
    aside.put(Code.NO_TIME, found == NONE, shown, "a time in every row")
    return found


def known(aside: Aside, open_time: OpenTime, when: Numbers) -> None:
    """Set aside what lies beyond the dates that a calendar knows."""
    low, high = open_time.known
    aside.put(Code.BEYOND_KNOWN, (when < low) | (when > high), as_instants(when), _KNOWN)


def open_betweens(open_time: OpenTime, starts: Instants, ends: Instants) -> TimeColumn:
    """Open time between the instants of each row."""
    aside = Aside(len(starts))
    start, end = read_instants(aside, starts, "starts"), read_instants(aside, ends, "ends")
    aside.put(Code.END_BEFORE_START, end < start, as_instants(end), "an end at or after its start")
    known(aside, open_time, start)
    known(aside, open_time, end)
    found = np.full(len(start), NONE)
    if aside.good.any():
        good, one, other = _picked(aside, start, end)
        table = open_time.table(int(one.min()), int(other.max()))
        arrays = Arrays.of(table, len(start))
        found[good] = arrays.used(other) - arrays.used(one)
    return TimeColumn(as_lengths(found), aside.problems)


def dues(open_time: OpenTime, starts: Instants, budgets: Lengths) -> TimeColumn:
    """Instants at which the budget of each row is used up."""
    return _searched(open_time, starts, budgets, backwards=False)


def latest_starts(open_time: OpenTime, ends: Instants, budgets: Lengths) -> TimeColumn:
    """Last instants that leave the budget of each row before its end."""
    return _searched(open_time, ends, budgets, backwards=True)


def _searched(
    open_time: OpenTime, given: Instants, budgets: Lengths, *, backwards: bool
) -> TimeColumn:
    aside = Aside(len(given))
    when = read_instants(aside, given, "ends" if backwards else "starts")
    budget = lengths(budgets, "budgets", len(when))
    aside.put(Code.NO_TIME, budget == NONE, as_lengths(budget), "an amount of time in every row")
    aside.put(Code.NEGATIVE_TIME, budget < 0, as_lengths(budget), "no time or more")
    known(aside, open_time, when)
    found = np.full(len(when), NONE)
    if aside.good.any():
        good, here, much = _picked(aside, when, budget)
        answers, beyond = (_back if backwards else _forth)(open_time, here, much)
        found[good] = answers
        out = np.zeros(len(when), bool)
        out[good] = beyond
        aside.put(Code.BEYOND_KNOWN, out, as_instants(when), _KNOWN)
        found[out] = NONE
    return TimeColumn(as_instants(found), aside.problems)


def _picked(aside: Aside, *columns: Numbers) -> tuple[Any, ...]:
    """Rows in order, and the columns at them; nothing is copied when all are."""
    if aside.good.all():
        return slice(None), *columns
    return aside.good, *(column[aside.good] for column in columns)


def _forth(open_time: OpenTime, start: Numbers, budget: Numbers) -> tuple[Numbers, Mask]:
    low, high = int(start.min()), int(start.max())
    arrays = Arrays.of(table_upto(open_time, low, high, int(budget.max())), len(start))
    goal = arrays.used(start) + budget
    found = arrays.reached(goal)
    return np.where(budget == 0, start, found), (goal > arrays.totals[-1]) & (budget > 0)


def _back(open_time: OpenTime, end: Numbers, budget: Numbers) -> tuple[Numbers, Mask]:
    low, high = int(end.min()), int(end.max())
    arrays = Arrays.of(table_from(open_time, low, high, int(budget.max())), len(end))
    goal = arrays.used(end) - budget
    found = arrays.left(goal)
    return np.where(budget == 0, end, found), (goal < 0) & (budget > 0)
