"""Windows: which local dates a measure looks at.

A window says its first and last date as a point of view sees them, and on which later dates
it may let go of a fact, so that nothing has to poll.
"""

from __future__ import annotations

from datetime import date

from attrs import field, frozen

from retention.mechanisms.periods import (
    AsOf,
    Trailing,
    Unit,
    day_number,
    monday,
    plus_days,
    plus_months,
    unit_of,
)

Bounds = tuple[int, int]  # day numbers, both inside
_EVER = -(10**6)


@frozen
class Ever:
    """All dates."""

    def bounds(self, as_of: AsOf) -> Bounds:
        """Every date; facts after ``as_of`` are not known anyway."""
        return _EVER, day_number(as_of.day)

    def leaves_on(self, _: date, __: AsOf) -> tuple[date, ...]:
        """Never."""
        return ()


@frozen
class Last:
    """A trailing window (RC-06, RC-08)."""

    trailing: Trailing

    def bounds(self, as_of: AsOf) -> Bounds:
        """From the first day of the window to the day of the question."""
        return day_number(self.trailing.first_day(as_of.day)), day_number(as_of.day)

    def leaves_on(self, day: date, _: AsOf) -> tuple[date, ...]:
        """Dates on which the window may first leave a day behind."""
        return self.trailing.leaves_on(day)


@frozen
class Compared:
    """A window of exact length, ``back`` whole windows before the latest one (RC-06)."""

    length: int
    back: int
    # Days, or months counted from the day of the question.
    unit: Unit = field(default=Unit.DAY, converter=unit_of)

    def bounds(self, as_of: AsOf) -> Bounds:
        """(as_of - N, as_of], or as many before for each window back."""
        first, last = (self._edge(as_of.day, n) for n in (self.back + 1, self.back))
        return first + 1, last

    def _edge(self, day: date, windows: int) -> int:
        if self.unit is Unit.DAY:
            return day_number(day) - self.length * windows
        return day_number(plus_months(day, -self.length * windows))

    def leaves_on(self, day: date, _: AsOf) -> tuple[date, ...]:
        """Dates on which a day may enter or leave this window."""
        edges = (self.back, self.back + 1)
        if self.unit is Unit.DAY:
            return tuple(plus_days(day, self.length * n) for n in edges)
        # Month ends are clamped on the way back, so it may be up to three days later.
        starts = [plus_months(day, self.length * n) for n in edges]
        return tuple(plus_days(start, extra) for start in starts for extra in range(4))


@frozen
class Week:
    """The full week, Monday to Sunday, that ended ``back`` weeks before the last one (D-03)."""

    back: int

    def bounds(self, as_of: AsOf) -> Bounds:
        """Monday to Sunday; ``back`` of -1 is the week that is still running."""
        start = day_number(monday(as_of.ended_before)) - 7 * (self.back + 1)
        return start, start + 6

    def leaves_on(self, _: date, as_of: AsOf) -> tuple[date, ...]:
        """Sundays to come: a date knows its whole day, so its week ends with it."""
        first = monday(as_of.day)
        return tuple(plus_days(first, 6 + 7 * n) for n in range(self.back + 3))


@frozen
class Block:
    """Seven days that end ``back`` blocks before the day of the question (D-03, alternative)."""

    back: int

    def bounds(self, as_of: AsOf) -> Bounds:
        """Seven dates, the last of the latest block is the day itself."""
        last = day_number(as_of.day) - 7 * self.back
        return last - 6, last

    def leaves_on(self, day: date, _: AsOf) -> tuple[date, ...]:
        """Dates on which a day moves into an older block."""
        return tuple(plus_days(day, 7 * n) for n in range(1, self.back + 2))


Span = Ever | Last | Compared | Week | Block
