"""Days, months, weeks and windows of local dates.

What a handbook calls a day is a local date in the policy's zone (RC-01). Elapsed time is not
decided here, and nothing here reads a clock. This is the only room that uses dateutil.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import field, frozen
from dateutil.relativedelta import relativedelta

from retention.mechanisms.choices import member
from retention.mechanisms.errors import (
    InvalidValueError,
    NaiveInstantError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.words import Word

EPOCH = date(1970, 1, 1).toordinal()  # day number 0 of columns of days
FIRST_DAY, LAST_DAY = (day.toordinal() - EPOCH for day in (date.min, date.max))
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_ZONES = "an IANA name such as Asia/Shanghai"
_AWARE = "an aware datetime, e.g. datetime(2024, 6, 30, 18, tzinfo=ZoneInfo('Asia/Shanghai'))"

When = date | datetime


def zone_of(name: str) -> ZoneInfo:
    """Return the zone of an IANA name such as ``Asia/Shanghai``.

    >>> zone_of("Asia/Shanghai").key
    'Asia/Shanghai'
    """
    try:
        return ZoneInfo(name)
    except TypeError:
        raise WrongTypeError("zone", name, _ZONES) from None
    except (ZoneInfoNotFoundError, ValueError, OSError) as cause:
        raise UnknownNameError("zone", name, _ZONES) from cause


def checked(when: When, where: str) -> When:
    """Return a date or an aware instant; refuse everything else.

    >>> checked(datetime(2024, 6, 30, 18), "at")
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.NaiveInstantError: at: datetime.datetime(2024, 6, 30, 18, 0) has \
no time zone; give a date for a whole local day, or an aware datetime, e.g. datetime(2024, 6, 30, \
18, tzinfo=ZoneInfo('Asia/Shanghai'))
    """
    if isinstance(when, datetime):
        # NaT of pandas is a datetime that equals nothing, not even itself.
        if when != when or when.utcoffset() is None:  # noqa: PLR0124
            raise NaiveInstantError(where, when, f"a date for a whole local day, or {_AWARE}")
        return when
    if not isinstance(when, date):
        raise WrongTypeError(where, when, f"a date, or {_AWARE}")
    return when


def local_date(when: When, zone: ZoneInfo) -> date:
    """Return the local date of an instant; a date is its own.

    >>> local_date(datetime(2024, 6, 30, 17, tzinfo=UTC), zone_of("Asia/Shanghai"))
    datetime.date(2024, 7, 1)
    """
    if not isinstance(when, datetime):
        return when
    try:
        return when.astimezone(zone).date()
    except OverflowError:  # the calendar has no further day
        return _nearest(when).date()


def in_utc(when: datetime) -> datetime:
    """Return an instant as UTC says it; at the ends of the calendar, the last that it has."""
    try:
        return when.astimezone(UTC)
    except OverflowError:
        return _nearest(when)


def _nearest(when: datetime) -> datetime:
    return _FIRST if when.year == date.min.year else _LAST


def day_edge(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, at which a local day begins, whatever the clocks do.

    The first day of the calendar begins, and the last one ends, with the calendar itself.

    >>> day_edge(date(2024, 7, 1), zone_of("Asia/Shanghai"))
    datetime.datetime(2024, 6, 30, 16, 0, tzinfo=datetime.timezone.utc)
    """
    return _FIRST if day == date.min else in_utc(datetime.combine(day, time(), zone))


def day_end(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, at which a local day ends and the next begins.

    >>> day_end(date(2024, 6, 30), zone_of("Asia/Shanghai"))
    datetime.datetime(2024, 6, 30, 16, 0, tzinfo=datetime.timezone.utc)
    """
    return _LAST if day == date.max else day_edge(day + timedelta(days=1), zone)


@frozen
class AsOf:
    """A point of view: the local day it lies in, and the instant up to which facts are known.

    A date means that local day, all of it known. An instant knows what happened at or before
    it, and a week or day that it lies in has not ended.

    >>> AsOf.at(date(2024, 6, 30), zone_of("Asia/Shanghai")).ended_before
    datetime.date(2024, 7, 1)
    """

    day: date
    instant: datetime | None  # None: the whole of the day
    zone: ZoneInfo

    @classmethod
    def at(cls, when: When, zone: ZoneInfo) -> AsOf:
        """Read what a caller gave as ``as_of``."""
        checked(when, "as_of")
        instant = in_utc(when) if isinstance(when, datetime) else None
        return cls(local_date(when, zone), instant, zone)

    def knows(self, when: When) -> bool:
        """Whether a fact of that time is known; a fact with a date alone begins its day."""
        if isinstance(when, datetime) and self.instant is not None:
            # In UTC: two wall times of an hour that comes twice do not say which is later.
            return in_utc(when) <= self.instant
        return local_date(when, self.zone) <= self.day

    @property
    def ended_before(self) -> date:
        """First local date that has not ended: days and weeks before it are complete."""
        return plus_days(self.day, 1) if self.instant is None else self.day


def plus_days(anchor: date, days: int) -> date:
    """Return the date some days from an anchor; no later or earlier than the calendar goes.

    >>> plus_days(date(2024, 2, 28), 2), plus_days(date(9999, 12, 31), 1)
    (datetime.date(2024, 3, 1), datetime.date(9999, 12, 31))
    """
    return day_of(min(max(day_number(anchor) + days, FIRST_DAY), LAST_DAY))


def plus_months(anchor: date, months: int) -> date:
    """Return the date some months from an anchor, clamped to the end of the month.

    Always count from the anchor: two steps of one month differ from one step of two. Beyond
    the ends of the calendar it is its first or last date.

    >>> plus_months(date(2024, 1, 31), 1), plus_months(date(2024, 3, 31), -1)
    (datetime.date(2024, 2, 29), datetime.date(2024, 2, 29))
    """
    years = anchor.year + (anchor.month - 1 + months) // 12
    if not date.min.year <= years <= date.max.year:
        return date.min if months < 0 else date.max
    return anchor + relativedelta(months=months)


class Unit(Word):
    """Units of a trailing window."""

    DAY = "d", "天"
    MONTH = "mo", "个月"
    YEAR = "y", "年"


def unit_of(given: Unit | str) -> Unit:
    """Return a unit; its code writes it."""
    return member(Unit, given, "unit")


@frozen
class Trailing:
    """A window that ends with the day of the question: "in the last 30 days" (近30天).

    Days hold the dates 0..n back, so day n is in (RC-06); months and years hold the dates
    after the one that lies n months or years back (RC-08).

    >>> Trailing(30, Unit.DAY).first_day(date(2024, 6, 30))
    datetime.date(2024, 5, 31)
    >>> Trailing(1, Unit.YEAR).first_day(date(2024, 12, 31))
    datetime.date(2024, 1, 1)
    """

    count: int
    unit: Unit = field(converter=unit_of)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.count, bool) or not isinstance(self.count, int):
            raise WrongTypeError("Trailing.count", self.count, "a whole number")
        if self.count < 1:
            raise InvalidValueError("Trailing.count", self.count, "at least 1")

    def first_day(self, day: date) -> date:
        """First date inside the window that ends on ``day``."""
        if self.unit is Unit.DAY:
            return plus_days(day, -self.count)
        months = self.count * (12 if self.unit is Unit.YEAR else 1)
        return plus_days(plus_months(day, -months), 1)

    def leaves_on(self, day: date) -> tuple[date, ...]:
        """Dates of which one is the first whose window no longer holds ``day``."""
        if self.unit is Unit.DAY:
            return (plus_days(day, self.count + 1),)
        months = self.count * (12 if self.unit is Unit.YEAR else 1)
        # Month ends are clamped on the way back, so the day may stay in up to three days longer.
        return tuple(plus_days(plus_months(day, months), extra) for extra in range(4))


def monday(day: date) -> date:
    """Monday of the week of a date.

    >>> monday(date(2024, 6, 30))
    datetime.date(2024, 6, 24)
    """
    return day - timedelta(days=day.weekday())


def month_ends(first: date, last: date) -> Iterator[date]:
    """Last dates of the calendar months from ``first`` on, up to and with ``last`` itself.

    >>> [str(day) for day in month_ends(date(2024, 1, 15), date(2024, 3, 10))]
    ['2024-01-31', '2024-02-29', '2024-03-10']
    """
    begin = first.replace(day=1)
    months = 0
    while (end := plus_months(begin, months) + relativedelta(day=31)) < last:
        yield end
        months += 1
    yield last


def day_number(day: date) -> int:
    """Number of a date as columns hold it: days since 1970-01-01."""
    return day.toordinal() - EPOCH


def day_of(number: int) -> date:
    """Date of a day number, the inverse of :func:`day_number`.

    >>> day_of(day_number(date(2024, 2, 29)))
    datetime.date(2024, 2, 29)
    """
    return date.fromordinal(number + EPOCH)
