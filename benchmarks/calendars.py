"""Business time: when a budget is used up, and how much lies between two instants.

The office of Berlin: two segments a day, ten closed dates a year, both changes of clocks a year.
Closed dates are none on which clocks change: there the peer loops for ever or is an hour off.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from benchmarks.works import OURS, Side, Sums, Work
from retention.mechanisms.calendars import Calendar, Closure, WeekHours

ZONE = "Europe/Berlin"
YEARS = range(2025, 2030)
CLOSED = ((1, 1), (1, 6), (4, 18), (4, 21), (5, 1), (5, 29), (6, 9), (10, 3), (12, 25), (12, 26))
SEGMENTS = ((9, 12), (13, 18))
_PEER_ROWS = 1_500


def closed_dates() -> list[date]:
    """Return the closed dates of all years."""
    return [date(year, month, day) for year in YEARS for month, day in CLOSED]


@cache
def office() -> Calendar:
    """Return the calendar."""
    return Calendar(
        "office",
        ZONE,
        (WeekHours("mon-fri", "09:00-12:00 13:00-18:00"),),
        closures=tuple(Closure(day) for day in closed_dates()),
        known_through=date(YEARS[-1], 12, 31),
    )


@frozen
class Cases:
    """Starts with a budget and with an end, as columns and as objects of Python."""

    starts: NDArray[np.datetime64]
    ends: NDArray[np.datetime64]
    budgets: NDArray[np.timedelta64]

    @classmethod
    def made(cls, rows: int) -> Cases:
        """Draw the cases; equal sizes give equal cases."""
        chance = np.random.default_rng(7)
        seconds = int(timedelta(days=730).total_seconds())
        starts = np.datetime64("2025-01-02T00:00:00", "s") + chance.integers(0, seconds, rows)
        ends = starts + chance.integers(0, 10 * 86_400, rows)
        budgets = chance.integers(1, 2401, rows).astype("timedelta64[m]").astype("timedelta64[s]")
        return cls(starts, ends, budgets)

    def one_by_one(self) -> tuple[list[datetime], list[datetime], list[timedelta]]:
        """Return aware instants and timedeltas."""
        starts, ends = (
            [each.replace(tzinfo=UTC) for each in column.tolist()]
            for column in (self.starts, self.ends)
        )
        return starts, ends, self.budgets.tolist()


def _forty_hours(rows: int) -> list[datetime]:
    return Cases.made(rows).one_by_one()[0]


def _due_one(starts: list[datetime]) -> list[datetime]:
    calendar, budget = office(), timedelta(hours=40)
    return [calendar.due(start, budget) for start in starts]


def _due_bulk(cases: Cases) -> NDArray[Any]:
    return office().dues(cases.starts, cases.budgets).values


def _between_bulk(cases: Cases) -> NDArray[Any]:
    return office().open_betweens(cases.starts, cases.ends).values


# --- sums: small numbers, so that a second that differs shows -------------------------------------


def _seconds(numbers: Iterable[int]) -> Sums:
    """Hours apart from seconds, and both weighed by the row, so that swaps show too."""
    found = np.array(list(numbers), np.int64)
    hours, rest = np.divmod(found - 1_735_000_000 * (found > 1_000_000_000), 3600)
    rows = np.arange(len(found)) % 97
    return float(hours.sum()), float(rest.sum()), float((rest * rows).sum())


def _of_instants(found: Iterable[datetime]) -> Sums:
    return _seconds(round(each.timestamp()) for each in found)


def _of_column(found: NDArray[Any]) -> Sums:
    return _seconds((found.astype(np.int64) // 1_000_000).tolist())


def _of_lengths(found: Iterable[Any]) -> Sums:
    return _seconds(each.hours * 3600 + each.seconds for each in found)


# --- the peer -----------------------------------------------------------------------------------


@cache
def _rules() -> Any:
    import businesstimedelta
    import pytz

    zone = pytz.timezone(ZONE)
    days = [
        businesstimedelta.WorkDayRule(time(begin), time(end), [0, 1, 2, 3, 4], tz=zone)
        for begin, end in SEGMENTS
    ]
    return businesstimedelta.Rules([*days, businesstimedelta.HolidayRule(closed_dates(), tz=zone)])


def _peer_cases(rows: int) -> Any:
    _rules()
    return Cases.made(rows).one_by_one()


def _peer_budgets(rows: int, hours: int | None = None) -> Any:
    from businesstimedelta import BusinessTimeDelta

    starts, _, budgets = _peer_cases(rows)
    seconds = [hours * 3600 if hours else int(each.total_seconds()) for each in budgets]
    return starts, [BusinessTimeDelta(_rules(), seconds=each) for each in seconds]


def _peer_due(cases: Any) -> list[datetime]:
    return [start + budget for start, budget in zip(*cases, strict=True)]


def _peer_between(cases: Any) -> list[Any]:
    difference = _rules().difference
    return [difference(start, end) for start, end, _ in zip(*cases, strict=True)]


def _peer(prepare: Any, run: Any, sums: Any, at_least: float) -> tuple[Side, ...]:
    name = "businesstimedelta"
    return (Side(name, prepare, run, sums, at_least=at_least, rows=_PEER_ROWS, runs=2),)


WORKS = (
    Work(
        "due-one",
        "when forty hours of business time are used up, one case after the other",
        20_000,
        Side(OURS, _forty_hours, _due_one, _of_instants),
        _peer(lambda rows: _peer_budgets(rows, 40), _peer_due, _of_instants, 200),
    ),
    Work(
        "due-bulk-100k",
        "when a minute to forty hours of business time are used up, as columns",
        100_000,
        Side(OURS, Cases.made, _due_bulk, _of_column),
        _peer(_peer_budgets, _peer_due, _of_instants, 2_500),
    ),
    Work(
        "between-bulk-100k",
        "business time between two instants, up to ten days apart, as columns",
        100_000,
        Side(OURS, Cases.made, _between_bulk, _of_column),
        _peer(_peer_cases, _peer_between, _of_lengths, 2_500),
    ),
)
