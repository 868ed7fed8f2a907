"""Business calendars: when a company is open, and how much open time lies between instants.

A calendar is data: hours of the week on the wall clock of a zone, dates on which it is closed,
and dates on which it is open besides (make-up workdays). The same reading holds everywhere:

- an interval that ends at closing time is due at closing time, not at the next opening;
- a budget of no time is due at its start; at the due instant is on time;
- an hour is open when the clock on the wall says so: the hour that comes twice in autumn is
  open twice, the one that is left out in spring is not there;
- a date for which nobody gave closures and make-up workdays is an error, never a guess.

Statutory days off, dates of festivals and make-up workdays are three different things: a
festival's date (``festivals``) closes nothing by itself. Which calendar an obligation counts
in is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from attrs import field, frozen

from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    OverlapError,
    WrongTypeError,
)
from retention.mechanisms.hours import ALL_DAY, WEEK, Hours, Weekday, weekdays
from retention.mechanisms.open_time import (
    DAY,
    FIRST,
    LAST,
    SECOND,
    OpenTime,
    Span,
    instant,
    length,
    micros,
)
from retention.mechanisms.periods import day_edge, day_end, day_number, day_of, zone_of
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.versions import Versions
from retention.mechanisms.words import Language, Word

if TYPE_CHECKING:
    from retention.mechanisms.open_columns import Instants, Lengths, TimeColumn

_THURSDAY = 3  # weekday of 1970-01-01
_LONGEST = 3_700  # dates of one row of closures


class Standing(Word):
    """What a stretch of time is for a calendar or a clock."""

    OPEN = "open", "营业"
    OUTSIDE_HOURS = "outside_hours", "非营业时间"
    CLOSED = "closed", "休息"
    PAUSED = "paused", "暂停"


@frozen
class Stretch:
    """A stretch of time of one standing, and why: the reason of a closure or of a pause."""

    since: datetime
    until: datetime
    standing: Standing
    why: str = ""

    @property
    def elapsed(self) -> timedelta:
        """How long it is."""
        return self.until - self.since

    def text(self, zone: ZoneInfo, language: Language = "en") -> str:
        """Return one line for people, in the clock of a zone."""
        one, other = (
            x.astimezone(zone).strftime("%Y-%m-%d %H:%M") for x in (self.since, self.until)
        )
        why = f" ({self.why})" if self.why else ""
        return f"{one} - {other} {self.standing.label(language)}{why}"


Labelled = tuple[int, int, Standing, str]


# --- questions that every calendar answers --------------------------------------------------------


class OpenHours:
    """What a calendar, and a calendar with versions, can be asked: one at a time, or columns."""

    __slots__ = ()

    if TYPE_CHECKING:

        @cached_property
        def open_time(self) -> OpenTime:
            """The stretches as numbers, worked out as far as questions needed them."""
            raise NotImplementedError

        def labelled(self, begin: int, end: int) -> Iterator[Labelled]:
            """Return the stretches that are open or were closed by a date, with their reasons."""
            raise NotImplementedError

    def open_between(self, start: datetime, end: datetime) -> timedelta:
        """Open time between two instants; an end before its start is refused."""
        one, other = micros(start, "start"), micros(end, "end")
        if other < one:
            raise InvalidValueError("end", end, f"{start} or later")
        return timedelta(0, 0, self.open_time.between(one, other))

    def due(self, start: datetime, budget: timedelta) -> datetime:
        """Return the instant, in UTC, at which an amount of open time is used up.

        It is the first such instant: a closing time, not the opening after it.
        """
        found = self.open_time.due(micros(start, "start"), length(budget, "budget"))
        assert found is not None  # noqa: S101  without a pause there is always an answer
        return instant(found)

    def latest_start(self, end: datetime, budget: timedelta) -> datetime:
        """Return the last instant, in UTC, that leaves so much open time before the end.

        It is the last such instant: an opening, not the closing time before it.
        """
        return instant(self.open_time.latest_start(micros(end, "end"), length(budget, "budget")))

    def is_open(self, when: datetime) -> bool:
        """Whether it is open at an instant; at closing time it is not."""
        now = micros(when, "when")
        table = self.open_time.table(now, now)
        return table.left(table.used(now)) == now and now < table.reached(table.used(now) + 1)

    def stretches(self, start: datetime, end: datetime) -> tuple[Stretch, ...]:
        """Return everything between two instants in order, with what was skipped and why."""
        one, other = micros(start, "start"), micros(end, "end")
        if other < one:
            raise InvalidValueError("end", end, f"{start} or later")
        self.open_time.check(one)
        self.open_time.check(other)
        return tuple(_stretch(each) for each in filled(self.labelled(one, other), one, other))

    # --- columns ---

    def open_betweens(self, starts: Instants, ends: Instants) -> TimeColumn:
        """Open time between many pairs of instants; :meth:`open_between` of each row."""
        from retention.mechanisms import open_columns

        return open_columns.open_betweens(self.open_time, starts, ends)

    def dues(self, starts: Instants, budgets: Lengths) -> TimeColumn:
        """Instants at which budgets are used up; :meth:`due` of each row."""
        from retention.mechanisms import open_columns

        return open_columns.dues(self.open_time, starts, budgets)

    def latest_starts(self, ends: Instants, budgets: Lengths) -> TimeColumn:
        """Last instants that leave so much before the ends; :meth:`latest_start` of each row."""
        from retention.mechanisms import open_columns

        return open_columns.latest_starts(self.open_time, ends, budgets)


def filled(labelled: Iterable[Labelled], begin: int, end: int) -> Iterator[Labelled]:
    """Return the labelled stretches with the time between them, which is outside of hours."""
    here = begin
    for each in labelled:
        if here < each[0]:
            yield here, each[0], Standing.OUTSIDE_HOURS, ""
        yield each
        here = each[1]
    if here < end:
        yield here, end, Standing.OUTSIDE_HOURS, ""


def _stretch(each: Labelled) -> Stretch:
    return Stretch(instant(each[0]), instant(each[1]), *each[2:])


# --- rows of a calendar ---------------------------------------------------------------------------


@policy
class WeekHours(Policy):
    """Hours of some days of every week."""

    days: tuple[Weekday, ...] = field(converter=weekdays)
    hours: Hours = field(converter=Hours.of)

    if TYPE_CHECKING:

        def __init__(self, days: str | Sequence[Weekday | str], hours: str | Hours) -> None: ...

    @property
    def key(self) -> str:
        """Name of the row in a path: its days, e.g. ``mon-fri`` or ``sat-sun``."""
        places = [WEEK.index(day) for day in self.days]
        together = len(places) > 1 and places[-1] - places[0] == len(places) - 1
        shown = (self.days[0], self.days[-1]) if together else self.days
        return ("-" if together else ",").join(day.value for day in shown)


@policy
class Closure(Policy):
    """Dates on which it is closed, all day or for some hours: a day off, an afternoon."""

    first: date
    last: date | None = None  # the last date, whole; None: the first alone
    hours: Hours = field(default=ALL_DAY, converter=Hours.of)
    reason: str = ""

    if TYPE_CHECKING:

        def __init__(
            self, first: date, last: date | None = None, hours: str | Hours = "", reason: str = ""
        ) -> None: ...

    def __attrs_post_init__(self) -> None:
        if is_blank(self.first) or is_blank(self.last):
            return
        days = day_number(self.last or self.first) - day_number(self.first)
        if not 0 <= days <= _LONGEST:
            raise InvalidValueError("Closure.last", self.last, f"{self.first} or soon after")

    @property
    def key(self) -> str:
        """Name of the row in a path: its first date."""
        return self.first.isoformat()

    def numbers(self) -> range:
        """Day numbers of the dates."""
        return range(day_number(self.first), day_number(self.last or self.first) + 1)


@policy
class Opening(Policy):
    """A date on which it is open besides the hours of the week: a make-up workday."""

    on: date
    hours: Hours = field(converter=Hours.of)
    reason: str = ""

    if TYPE_CHECKING:

        def __init__(self, on: date, hours: str | Hours, reason: str = "") -> None: ...

    @property
    def key(self) -> str:
        """Name of the row in a path: its date."""
        return self.on.isoformat()


# --- calendars ------------------------------------------------------------------------------------


@policy
class Calendar(OpenHours, Policy):
    """When it is open: hours of the week, less the closures, and the extra openings besides.

    ``known_through`` is the last date for which closures and openings are complete; whoever
    asks beyond it gets an error. It must be given as soon as one such date is; ``date.max``
    says that there will be no others. ``known_from`` is the first such date, by default the
    first of January before the earliest row.

    >>> office = Calendar(
    ...     "office",
    ...     zone="Asia/Shanghai",
    ...     week=(WeekHours("mon-fri", "09:00-12:00 13:00-18:00"),),
    ...     closures=(Closure(date(2024, 10, 1), date(2024, 10, 7), reason="National Day"),),
    ...     openings=(Opening(date(2024, 9, 29), "09:00-12:00 13:00-18:00", "make-up workday"),),
    ...     known_through=date(2024, 12, 31),
    ... )
    >>> asked = datetime(2024, 9, 30, 17, tzinfo=zone_of("Asia/Shanghai"))
    >>> office.due(asked, timedelta(hours=3)).astimezone(asked.tzinfo).isoformat()
    '2024-10-08T11:00:00+08:00'
    """

    name: str
    zone: str
    week: tuple[WeekHours, ...] = field(converter=tuple)
    closures: tuple[Closure, ...] = field(default=(), converter=tuple, kw_only=True)
    openings: tuple[Opening, ...] = field(default=(), converter=tuple, kw_only=True)
    known_from: date | None = field(default=None, kw_only=True)
    known_through: date | None = field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if is_blank(self.zone) or is_blank(self.week):
            return
        zone_of(self.zone)
        week, dated = self._week(), self._dated()
        if not any(each.segments for each in (*week, *(x.hours for x in self.openings))):
            raise InvalidValueError("Calendar.week", self.name, "hours on at least one day")
        if (self.closures or self.openings) and self.known_through is None:
            allowed = "the last date for which closures and openings are complete"
            raise InvalidValueError("Calendar.known_through", None, allowed)
        if dated and not self._known_days[0] <= min(dated) <= max(dated) <= self._known_days[1]:
            days = f"{day_of(min(dated))} to {day_of(max(dated))}"
            allowed = f"dates from {self.known_from} to {self.known_through}"
            raise InvalidValueError("Calendar.known_through", days, allowed)
        if self._known_days[1] < self._known_days[0]:
            raise InvalidValueError("Calendar.known_through", self.known_through, "a later date")

    @property
    def _known_days(self) -> tuple[int, int]:
        """First and last day number for which the dates are complete."""
        numbers = [x.numbers()[0] for x in self.closures] + [
            day_number(x.on) for x in self.openings
        ]
        first = day_of(min(numbers)).replace(month=1, day=1) if numbers else date.min
        return day_number(self.known_from or first), day_number(self.known_through or date.max)

    def _week(self) -> tuple[Hours, ...]:
        """Hours of each day of the week, from Monday on."""
        found: dict[Weekday, Hours] = {}
        for row in self.week:
            for day in row.days:
                if day in found:
                    raise DuplicateError("Calendar.week", day.value)
                found[day] = row.hours
        return tuple(found.get(day, Hours()) for day in WEEK)

    def _dated(self) -> dict[int, tuple[Hours, Closure | None, Opening | None]]:
        """Hours of each date that differs from its day of the week, with the rows that say so."""
        week = self._week()
        closures, openings = self._closed_days(), dict[int, Opening]()
        for opening in self.openings:
            if openings.setdefault(day_number(opening.on), opening) is not opening:
                raise DuplicateError("Calendar.openings", opening.key)
        found = {}
        for day in closures.keys() | openings.keys():
            closure, extra = closures.get(day), openings.get(day)
            hours = week[(day + _THURSDAY) % 7]
            hours = hours.without(closure.hours) if closure else hours
            found[day] = (_with_opening(hours, extra) if extra else hours, closure, extra)
        return found

    def _closed_days(self) -> dict[int, Closure]:
        found: dict[int, Closure] = {}
        for closure in self.closures:
            for day in closure.numbers():
                if found.setdefault(day, closure) is not closure:
                    raise DuplicateError("Calendar.closures", str(day_of(day)))
        return found

    def hours_on(self, day: date) -> Hours:
        """Return the hours of a local date, whatever the clocks do on it.

        >>> str(
        ...     Calendar("day", "UTC", (WeekHours("mon", "00:00-24:00"),)).hours_on(
        ...         date(2024, 7, 1)
        ...     )
        ... )
        '00:00-24:00'
        """
        if isinstance(day, datetime) or not isinstance(day, date):
            raise WrongTypeError("day", day, "a date")
        self.open_time.check(micros(day_edge(day, zone_of(self.zone)), "day"))
        number = day_number(day)
        dated = self._dated().get(number)
        return dated[0] if dated else self._week()[(number + _THURSDAY) % 7]

    @cached_property
    def open_time(self) -> OpenTime:
        """The stretches as numbers, worked out as far as questions needed them."""
        zone = zone_of(self.zone)
        dated = {day: _micros(found[0]) for day, found in self._dated().items()}
        week = [_micros(hours) for hours in self._week()]
        known = _edges(*self._known_days, zone)
        days = [day_number(opening.on) for opening in self.openings]
        opens = (FIRST, LAST) if any(week) else _edges(min(days), max(days), zone)

        def stretches(begin: int, end: int) -> Iterator[Span]:
            for since, until, offset in offsets(zone, begin, end):
                for day in range((since + offset) // DAY, (until + offset - 1) // DAY + 1):
                    midnight = day * DAY - offset
                    for one, other in dated.get(day, week[(day + _THURSDAY) % 7]):
                        opened, closed = max(midnight + one, since), min(midnight + other, until)
                        if opened < closed:
                            yield opened, closed

        return OpenTime(f"calendar {self.name}", stretches, known, opens)

    def labelled(self, begin: int, end: int) -> Iterator[Labelled]:
        """Return the stretches that are open or were closed by a date, with their reasons."""
        week, dated = self._week(), self._dated()
        for since, until, offset in offsets(zone_of(self.zone), begin, end):
            for day in range((since + offset) // DAY, (until + offset - 1) // DAY + 1):
                midnight = day * DAY - offset
                for one, other, standing, why in _labels(
                    week[(day + _THURSDAY) % 7], dated.get(day)
                ):
                    low = max(midnight + one * SECOND, since)
                    high = min(midnight + other * SECOND, until)
                    if low < high:
                        yield low, high, standing, why


def _with_opening(hours: Hours, opening: Opening) -> Hours:
    try:
        return hours.plus(opening.hours)
    except OverlapError as error:
        both = (opening.key, str(hours), str(opening.hours))
        raise OverlapError("Calendar.openings", both, "hours when it is closed anyway") from error


def _micros(hours: Hours) -> tuple[Span, ...]:
    return tuple((since * SECOND, until * SECOND) for since, until in hours.segments)


def _edges(first: int, last: int, zone: ZoneInfo) -> Span:
    """Beginning and end of some dates, no wider than calendars reach."""
    low = micros(day_edge(day_of(first), zone), "first")
    high = micros(day_end(day_of(last), zone), "last")
    return min(max(low, FIRST), LAST), min(max(high, FIRST), LAST)


def _labels(
    week: Hours, dated: tuple[Hours, Closure | None, Opening | None] | None
) -> Iterable[tuple[int, int, Standing, str]]:
    if dated is None:
        return [(*each, Standing.OPEN, "") for each in week.segments]
    _, closure, opening = dated
    left = week.without(closure.hours) if closure else week
    found = [(*each, Standing.OPEN, "") for each in left.segments]
    if closure:
        lost = week.shared(closure.hours)
        found += [(*each, Standing.CLOSED, closure.reason) for each in lost.segments]
    if opening:  # an extra opening wins over a closure of the same hour
        found = [part for each in found for part in _outside(each, opening.hours)]
        found += [(*each, Standing.OPEN, opening.reason) for each in opening.hours.segments]
    return sorted(found)


def _outside(
    each: tuple[int, int, Standing, str], hours: Hours
) -> Iterator[tuple[int, int, Standing, str]]:
    for segment in Hours((each[:2],)).without(hours).segments:
        yield *segment, *each[2:]


def offsets(zone: ZoneInfo, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Return stretches in which the clocks of a zone do not change, with their offset from UTC.

    >>> from datetime import UTC
    >>> first = micros(datetime(2024, 3, 31, tzinfo=UTC), "first")
    >>> found = offsets(zone_of("Europe/Berlin"), first, first + DAY)
    >>> [(str(instant(since)), offset // 3_600_000_000) for since, _, offset in found]
    [('2024-03-31 00:00:00+00:00', 1), ('2024-03-31 01:00:00+00:00', 2)]
    """
    since, here, day = begin, _offset(zone, begin), begin
    while day < end:
        before, day = day, min(day + DAY, end)
        # No zone changes its clocks twice a day and back, so one look a day finds all changes.
        there = _offset(zone, day)
        while here != there:
            change = _change(zone, before, day)
            yield since, change, here
            since, before, here = change, change, _offset(zone, change)
    if since < end:
        yield since, end, here


def _offset(zone: ZoneInfo, when: int) -> int:
    found = instant(when).astimezone(zone).utcoffset()
    assert found is not None  # noqa: S101  a zone has one at every instant
    return (found.days * 86_400 + found.seconds) * SECOND + found.microseconds


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    """First microsecond after ``low`` with another offset, when there is one by ``high``."""
    before = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high


# --- versions -------------------------------------------------------------------------------------


@frozen
class CalendarVersions(OpenHours):
    """A calendar that changed: each version counts from the instant it is in force.

    Time that was used before a change stays as it was.

    >>> short = Calendar("office", "UTC", (WeekHours("mon-fri", "09:00-17:00"),))
    >>> longer = short.with_("week.mon-fri.hours", "08:00-20:00")
    >>> change = datetime(2024, 7, 3, tzinfo=zone_of("UTC"))
    >>> hours = CalendarVersions(Versions.always(short).then(longer, change))
    >>> str(hours.open_between(change - timedelta(days=1), change + timedelta(days=1)))
    '20:00:00'
    """

    versions: Versions[Calendar]

    def __attrs_post_init__(self) -> None:
        low, high = self.open_time.known
        if high <= low:
            allowed = "versions whose known dates leave no hole between them"
            raise InvalidValueError("CalendarVersions", self.open_time.name, allowed)

    def _spans(self) -> Iterator[tuple[Calendar, int, int]]:
        for calendar, since, until in self.versions.spans():
            low = FIRST if since is None else max(micros(since, "since"), FIRST)
            yield calendar, low, LAST if until is None else min(micros(until, "until"), LAST)

    @cached_property
    def open_time(self) -> OpenTime:
        """The stretches of all versions, each while it is in force."""
        spans = tuple(self._spans())
        low, high = spans[0][1], LAST
        for calendar, since, until in spans:
            known = calendar.open_time.known
            low = known[0] if known[0] > since else low
            high = min(high, known[1]) if known[1] < until else high
        opens = [calendar.open_time.opens for calendar, *_ in spans]
        reach = min(one for one, _ in opens), max(other for _, other in opens)

        def stretches(begin: int, end: int) -> Iterator[Span]:
            for calendar, since, until in spans:
                one, other = max(begin, since), min(end, until)
                if one < other:
                    yield from calendar.open_time.stretches(one, other)

        names = dict.fromkeys(calendar.name for calendar, *_ in spans)
        return OpenTime(f"calendar {', '.join(names)}", stretches, (low, high), reach)

    def labelled(self, begin: int, end: int) -> Iterator[Labelled]:
        """Return the stretches that are open or were closed by a date, with their reasons."""
        for calendar, since, until in self._spans():
            one, other = max(begin, since), min(end, until)
            if one < other:
                yield from calendar.labelled(one, other)


def hours_of(given: Calendar | CalendarVersions | Versions[Calendar]) -> OpenHours:
    """Return what answers questions: a calendar as it is, versions as one calendar.

    >>> office = Calendar("office", "UTC", (WeekHours("mon-fri", "09:00-17:00"),))
    >>> (
    ...     hours_of(office) is office,
    ...     hours_of(Versions.always(office)).versions.entries[0].value is office,
    ... )
    (True, True)
    """
    if isinstance(given, OpenHours):
        return given
    if isinstance(given, Versions):
        return CalendarVersions(given)
    raise WrongTypeError("calendar", given, "a Calendar, or versions of one")
