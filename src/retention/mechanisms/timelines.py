"""Which value held on date d: a history of values with the dates from which they hold.

Entries follow each other without overlap; each holds up to the day before the next, or up to
its own last day. Nothing is overwritten: a correction is a new entry with its own reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise, zip_longest
from typing import Generic, TypeVar

from attrs import field, frozen

from retention.mechanisms.errors import InvalidValueError, NotRisingError, UnknownNameError

T = TypeVar("T")


@frozen
class Held(Generic[T]):
    """A value, the first day it holds, the last one if it is known, and why it came."""

    value: T
    since: date
    until: date | None = None  # the last day, whole (RC-05); None: until the next entry
    reason: str = ""

    def __attrs_post_init__(self) -> None:
        if self.until is not None and self.until < self.since:
            raise InvalidValueError("until", self.until, f"{self.since} or later")


@frozen
class Timeline(Generic[T]):
    """Values in the order in which they took effect (C-41).

    >>> grades = Timeline().then("gold", date(2024, 1, 1)).then("platinum", date(2024, 7, 5))
    >>> grades.at(date(2024, 7, 4)), grades.at(date(2024, 7, 5))
    ('gold', 'platinum')
    >>> grades.at(date(2023, 12, 31))
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.UnknownNameError: timeline: there is no value on 2023-12-31; \
known: 2024-01-01 and later
    """

    entries: tuple[Held[T], ...] = field(default=(), converter=tuple[Held[T], ...])

    def __attrs_post_init__(self) -> None:
        for one, after in pairwise(self.entries):
            if after.since <= one.since or (one.until and after.since <= one.until):
                days = (str(one.since), str(after.since))
                raise NotRisingError("timeline", days, "entries that follow each other")

    def then(self, value: T, since: date, *, reason: str = "") -> Timeline[T]:
        """Return the timeline with a value from a day on; the same value changes nothing."""
        last = self.entries[-1] if self.entries else None
        if last and last.value == value and last.until is None and last.since <= since:
            return self
        return Timeline((*self.entries, Held(value, since, reason=reason)))

    def ended(self, last_day: date) -> Timeline[T]:
        """Return the timeline whose last value holds through a day and no longer."""
        if not self.entries:
            raise UnknownNameError("timeline", f"value to end on {last_day}", ())
        last = self.entries[-1]
        if last.until is not None:
            raise InvalidValueError("timeline.ended", last_day, f"not again: it ended {last.until}")
        return Timeline((*self.entries[:-1], Held(last.value, last.since, last_day, last.reason)))

    def held(self, on: date) -> Held[T] | None:
        """Return the entry that holds on a day, None if there is none."""
        found = None
        for entry in self.entries:
            if entry.since > on:
                break
            found = entry
        return None if found is None or (found.until and found.until < on) else found

    def at(self, on: date) -> T:
        """Return the value that holds on a day; raise if there is none."""
        found = self.held(on)
        if found is None:
            first = f"{self.entries[0].since} and later" if self.entries else ()
            raise UnknownNameError("timeline", f"value on {on}", first)
        return found.value

    def spans(self) -> Iterator[tuple[T, date, date | None]]:
        """Every value with its first and last day; the last day of the last may be open.

        >>> list(Timeline().then("a", date(2024, 1, 1)).then("b", date(2024, 2, 1)).spans())[0][2]
        datetime.date(2024, 1, 31)
        """
        ends = [entry.since - timedelta(days=1) for entry in self.entries[1:]]
        for entry, end in zip_longest(self.entries, ends):
            known = [day for day in (entry.until, end) if day is not None]
            yield entry.value, entry.since, min(known) if known else None
