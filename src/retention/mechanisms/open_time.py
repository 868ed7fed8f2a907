"""Time that counts: open stretches as sorted whole numbers, and two searches for an answer.

Everything here is microseconds since 1970 in UTC; zones, weekdays and closed dates are turned
into stretches before, by ``calendars``. A stretch is open from its start up to, not with, its
end. Two questions are each other's inverse: how much open time lies between two instants, and
at which instant so much of it is used. Nothing is decided here about the instants themselves.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from attrs import define, field, frozen

from retention.mechanisms.errors import BeyondKnownError, InvalidValueError, WrongTypeError
from retention.mechanisms.periods import checked

SECOND = 1_000_000  # microseconds
DAY = 86_400 * SECOND
FOREVER = 2**62  # microseconds: beyond the calendar
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
# No company has hours outside of these; a wrong year must not work out ten thousand of them.
FIRST, LAST = ((datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // _MICRO for year in (1900, 2200))
_MARGIN = 400 * DAY  # what a table holds more than it was asked for

Span = tuple[int, int]
Spans = Sequence[Span]


def micros(when: datetime, where: str) -> int:
    """Return an aware instant as microseconds since 1970 in UTC; everything else is refused.

    >>> micros(datetime(1970, 1, 2, tzinfo=UTC), "start")
    86400000000
    """
    checked(when, where)
    if not isinstance(when, datetime):
        raise WrongTypeError(where, when, "an aware instant, since open time is counted in hours")
    since = when - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def instant(number: int) -> datetime:
    """Return the instant of a number of microseconds, in UTC.

    >>> instant(86400000000)
    datetime.datetime(1970, 1, 2, 0, 0, tzinfo=datetime.timezone.utc)
    """
    return _EPOCH + timedelta(0, 0, number)


def length(elapsed: timedelta, where: str) -> int:
    """Return an amount of time as microseconds; nothing below zero.

    >>> length(timedelta(minutes=1), "budget")
    60000000
    """
    if not isinstance(elapsed, timedelta):
        raise WrongTypeError(where, elapsed, "an amount of time, e.g. timedelta(hours=8)")
    if elapsed.days < 0:
        raise InvalidValueError(where, elapsed, "no time or more")
    return (elapsed.days * 86_400 + elapsed.seconds) * SECOND + elapsed.microseconds


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the same time as stretches in order that neither touch nor overlap.

    >>> union([(5, 9), (0, 3), (3, 4), (6, 7), (8, 8)])
    ((0, 4), (5, 9))
    """
    found: list[Span] = []
    for since, until in sorted(spans):
        if since >= until:
            continue
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((since, until))
    return tuple(found)


@frozen(eq=False)
class Table:
    """Open stretches between two instants; the first one is empty, so that a search finds one.

    ``totals`` is the open time from the beginning of the table through the end of each stretch.
    """

    begins: int
    ends: int
    since: list[int] = field(repr=False)
    until: list[int] = field(repr=False)
    totals: list[int] = field(repr=False)

    @classmethod
    def of(cls, begins: int, ends: int, spans: Iterable[Span]) -> Table:
        """Gather stretches in their order; those that touch become one."""
        since, until = [begins], [begins]
        for one, other in spans:
            if one == until[-1]:
                until[-1] = other
            else:
                since.append(one)
                until.append(other)
        lengths = (b - a for a, b in zip(since, until, strict=True))
        return cls(begins, ends, since, until, list(accumulate(lengths)))

    def used(self, when: int) -> int:
        """Open time from the beginning of the table up to an instant in it."""
        place = bisect_right(self.since, when) - 1
        rest = self.until[place] - when
        return self.totals[place] - rest if rest > 0 else self.totals[place]

    def reached(self, total: int) -> int:
        """First instant at which so much is used: a closing time, not the opening after it."""
        place = bisect_left(self.totals, total)
        return self.until[place] - self.totals[place] + total

    def left(self, total: int) -> int:
        """Last instant at which no more than so much is used: an opening, not the close before."""
        place = bisect_right(self.totals, total)
        return self.until[place] - self.totals[place] + total

    def spans(self) -> Iterator[Span]:
        """Return the stretches, without the empty one at the beginning."""
        for one, other in zip(self.since, self.until, strict=True):
            if one < other:
                yield one, other


@define(eq=False)
class OpenTime:
    """Open time of a calendar, of which as much is worked out as the questions need.

    ``stretches(begin, end)`` yields the open stretches between two instants, in order.
    ``known`` is the time for which the calendar has its dates; ``opens`` the part of it outside
    of which it is never open. The table grows with the questions; answers do not depend on it.
    """

    name: str
    stretches: Callable[[int, int], Iterable[Span]] = field(repr=False)
    known: Span = (FIRST, LAST)
    opens: Span = (FIRST, LAST)
    _table: Table | None = field(default=None, init=False, repr=False)

    def table(self, begin: int, end: int) -> Table:
        """Return a table that holds both instants; what is not known is an error."""
        table = self._table
        if table is None or begin < table.begins or end > table.ends:
            self.check(begin)
            self.check(end)
            table = self._table = self._grown(table, begin, end)
        return table

    def check(self, when: int) -> None:
        """Refuse an instant beyond what is known."""
        if not self.known[0] <= when <= self.known[1]:
            raise self.unknown(when)

    def unknown(self, when: int) -> BeyondKnownError:
        """Return the error for an instant, or for a search that led beyond what is known."""
        given = instant(min(max(when, FIRST), LAST)).isoformat()
        since, until = (instant(x).isoformat() for x in self.known)
        return BeyondKnownError(self.name, given, f"{since} to {until}")

    def _grown(self, table: Table | None, begin: int, end: int) -> Table:
        """Work out more than was asked for; twice as much as there is, when it must grow."""
        margin = _MARGIN if table is None else table.ends - table.begins
        low, high = max(begin - margin, self.known[0]), min(end + margin, self.known[1])
        if table is None:
            return Table.of(low, high, self.stretches(low, high))
        low = low if begin < table.begins else table.begins
        high = high if end > table.ends else table.ends
        before = self.stretches(low, table.begins) if low < table.begins else ()
        after = self.stretches(table.ends, high) if high > table.ends else ()
        return Table.of(low, high, (*before, *table.spans(), *after))

    def table_after(self, start: int, budget: int) -> Table:
        """Return a table that holds an instant and as much open time after it."""
        table = self.table(start, start)
        while table.totals[-1] - table.used(start) < budget:
            if table.ends >= min(self.known[1], self.opens[1]):
                raise self._spent(table.ends, budget, table.totals[-1] - table.used(start))
            table = self.table(start, min(table.ends + DAY, self.known[1]))
        return table

    def table_before(self, end: int, budget: int) -> Table:
        """Return a table that holds an instant and as much open time before it."""
        table = self.table(end, end)
        while table.used(end) < budget:
            if table.begins <= max(self.known[0], self.opens[0]):
                raise self._spent(table.begins, budget, table.used(end))
            table = self.table(max(table.begins - DAY, self.known[0]), end)
        return table

    def _spent(self, when: int, budget: int, there: int) -> Exception:
        """Return the error for a budget that the known open time does not hold."""
        if when in self.known and when not in {FIRST, LAST}:
            return self.unknown(when)
        most = timedelta(0, 0, there)
        return InvalidValueError("budget", timedelta(0, 0, budget), f"at most {most}: {self.name}")

    # --- the questions, with pauses that count as closed ---

    def between(self, start: int, end: int, pauses: Spans = ()) -> int:
        """Open time between two instants, without that of the pauses."""
        table = self.table(start, end)
        found = table.used(end) - table.used(start)
        for since, until in pauses:
            one, other = max(since, start), min(until, end)
            if one < other:
                found -= table.used(other) - table.used(one)
        return found

    def due(self, start: int, budget: int, pauses: Spans = ()) -> int | None:
        """First instant at which the budget is used; None when a pause without end comes first."""
        if not budget:
            self.check(start)
            return start
        for since, until in pauses:
            if until <= start:
                continue
            if since > self.known[1]:  # it is used up before, or nobody knows
                break
            here = self.between(start, since) if since > start else 0
            if here >= budget:
                break
            if until >= FOREVER:
                return None
            budget, start = budget - here, until
        table = self.table_after(start, budget)
        return table.reached(table.used(start) + budget)

    def latest_start(self, end: int, budget: int, pauses: Spans = ()) -> int:
        """Last instant from which so much open time lies before the end."""
        if not budget:
            self.check(end)
            return end
        for since, until in reversed(pauses):
            if since >= end:
                continue
            if until < self.known[0]:
                break
            here = self.between(until, end) if until < end else 0
            if here >= budget:
                break
            budget, end = budget - here, since
        table = self.table_before(end, budget)
        return table.left(table.used(end) - budget)
