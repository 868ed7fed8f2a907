"""Hours of a day as a clock on the wall shows them, written as people write them.

``09:00-12:00 13:00-18:00`` is open up to, not with, 12:00; ``24:00`` is the end of the day, so
``00:00-24:00`` leaves nothing out, unlike ``00:00-23:59``. Which days have which hours is not
decided here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeAlias

from attrs import field, frozen

from retention.mechanisms.choices import member
from retention.mechanisms.errors import (
    InvalidValueError,
    OverlapError,
    UnknownNameError,
    UnreadableTextError,
    WrongTypeError,
)
from retention.mechanisms.words import Word

Seconds: TypeAlias = tuple[tuple[int, int], ...]
_END = 86_400  # seconds of a day
_FORM = "hours such as 09:00-12:00 13:00-18:00; a day ends at 24:00"
_SEGMENT = re.compile(r"(\d\d):(\d\d)(?::(\d\d))?-(\d\d):(\d\d)(?::(\d\d))?")


class Weekday(Word):
    """Days of the week."""

    MONDAY = "mon", "星期一"
    TUESDAY = "tue", "星期二"
    WEDNESDAY = "wed", "星期三"
    THURSDAY = "thu", "星期四"
    FRIDAY = "fri", "星期五"
    SATURDAY = "sat", "星期六"
    SUNDAY = "sun", "星期日"


WEEK = tuple(Weekday)


def weekdays(given: str | Sequence[Weekday | str]) -> tuple[Weekday, ...]:
    """Return days of the week, each once, from Monday on.

    >>> [day.value for day in weekdays("mon-wed, sun")]
    ['mon', 'tue', 'wed', 'sun']
    """
    parts = re.split(r"[,\s]+", given.strip()) if isinstance(given, str) else given
    found = {day for part in parts for day in _days(part)}
    if not found:
        raise InvalidValueError("days", given, [day.value for day in WEEK])
    return tuple(day for day in WEEK if day in found)


def _days(part: str) -> tuple[Weekday, ...]:
    first, dash, last = part.partition("-")
    one = WEEK.index(member(Weekday, first, "days"))
    other = WEEK.index(member(Weekday, last, "days")) if dash else one
    if other < one:
        raise InvalidValueError("days", part, "the first day first, e.g. mon-fri")
    return WEEK[one : other + 1]


def _checked(_: object, __: Any, spans: Seconds) -> None:  # noqa: ANN401
    for since, until in spans:
        if not 0 <= since < until <= _END:
            allowed = f"{_FORM}; split what goes over midnight in two"
            raise InvalidValueError("hours", clock_text(since, until), allowed)
    for (since, until), (after, end) in pairwise(spans):
        if after < until:
            both = (clock_text(since, until), clock_text(after, end))
            raise OverlapError("hours", both, "segments that do not overlap")


@frozen
class Hours:
    """Segments of one day in order, in seconds after midnight; those that touch are one.

    >>> hours = Hours.of("13:00-18:00 09:00-12:00")
    >>> str(hours), hours.seconds
    ('09:00-12:00 13:00-18:00', 28800)
    """

    segments: Seconds = field(default=(), converter=tuple[tuple[int, int], ...], validator=_checked)

    @classmethod
    def of(cls, given: str | Hours) -> Hours:
        """Read hours from text; hours are themselves, and an empty text is never open."""
        if isinstance(given, Hours):
            return given
        if not isinstance(given, str):
            raise WrongTypeError("hours", given, _FORM)
        found = sorted(_segment(part) for part in re.split(r"[,\s]+", given.strip()) if part)
        _checked(None, None, tuple(found))
        return cls(_joined(found))

    @property
    def seconds(self) -> int:
        """Seconds of a day without a change of clocks."""
        return sum(until - since for since, until in self.segments)

    def without(self, other: Hours) -> Hours:
        """Return the hours that are not in the other ones.

        >>> str(Hours.of("09:00-12:00 13:00-18:00").without(Hours.of("11:00-15:00")))
        '09:00-11:00 15:00-18:00'
        """
        left = list(self.segments)
        for since, until in other.segments:
            pieces = [((a, min(b, since)), (max(a, until), b)) for a, b in left]
            left = [each for pair in pieces for each in pair if each[0] < each[1]]
        return Hours(tuple(left))

    def shared(self, other: Hours) -> Hours:
        """Return the hours that are in both.

        >>> str(Hours.of("09:00-12:00").shared(Hours.of("11:00-15:00")))
        '11:00-12:00'
        """
        return self.without(self.without(other))

    def plus(self, other: Hours) -> Hours:
        """Return the hours of both; the same hour twice is refused."""
        spans = sorted((*self.segments, *other.segments))
        _checked(None, None, tuple(spans))
        return Hours(_joined(spans))

    def with_(self, path: str, _: object) -> Hours:
        """Refuse a part: hours change as a whole."""
        raise UnknownNameError("hours", path, "the hours as a whole")

    def reread(self, text: str) -> Hours:
        """Return the hours that a text writes."""
        return Hours.of(text)

    def __str__(self) -> str:
        """Return the text that reads back as these hours."""
        return " ".join(clock_text(since, until) for since, until in self.segments)


ALL_DAY = Hours(((0, _END),))


def _joined(spans: list[tuple[int, int]]) -> Seconds:
    found: list[tuple[int, int]] = []
    for since, until in spans:
        if found and found[-1][1] == since:
            found[-1] = (found[-1][0], until)
        else:
            found.append((since, until))
    return tuple(found)


def _segment(text: str) -> tuple[int, int]:
    read = _SEGMENT.fullmatch(text)
    if read is None:
        raise UnreadableTextError("hours", text, _FORM)
    numbers = [int(each or 0) for each in read.groups()]
    return _seconds(text, *numbers[:3]), _seconds(text, *numbers[3:])


def _seconds(text: str, hour: int, minute: int, second: int) -> int:
    if minute > 59 or second > 59 or hour * 3600 + minute * 60 + second > _END:  # noqa: PLR2004
        raise InvalidValueError("hours", text, _FORM)
    return hour * 3600 + minute * 60 + second


def clock_text(since: int, until: int) -> str:
    """Return a segment as text.

    >>> clock_text(32400, 86400)
    '09:00-24:00'
    """
    return f"{_clock(since)}-{_clock(until)}"


def _clock(second: int) -> str:
    minutes, rest = divmod(second, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}" + (f":{rest:02}" if rest else "")
