"""Slow answers that cannot be wrong: open time counted step by step on the clock of the wall.

Nothing here knows of sorted stretches or of changes of clocks: each step asks the zone what the
clock on the wall says, and looks the hour up in the rows of the calendar. A step is a minute,
so give instants and hours at whole minutes, or a shorter step. Put your own calendar to them.

>>> from datetime import UTC
>>> from retention.mechanisms.calendars import WeekHours
>>> office = Calendar("office", "UTC", (WeekHours("mon-fri", "09:00-12:00 13:00-18:00"),))
>>> asked = datetime(2024, 7, 5, 17, tzinfo=UTC)
>>> stepped_due(office, asked, timedelta(hours=2)).isoformat()
'2024-07-08T10:00:00+00:00'
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from attrs import frozen

from retention.mechanisms.calendars import Calendar, CalendarVersions
from retention.mechanisms.clocks import ClockFacts, ClockTerms, Hours
from retention.mechanisms.hours import WEEK
from retention.mechanisms.hours import Hours as DayHours
from retention.mechanisms.obligations import Outcome

MINUTE = timedelta(minutes=1)
_NOTHING = timedelta(0)
_LONGEST = timedelta(days=400)


@frozen
class _Wall:
    """The rows of a calendar by day of the week and by date, as people would look them up."""

    zone: ZoneInfo
    week: dict[int, DayHours]
    closed: dict[date, DayHours]
    opened: dict[date, DayHours]

    @classmethod
    def of(cls, calendar: Calendar) -> _Wall:
        week = {WEEK.index(day): row.hours for row in calendar.week for day in row.days}
        closed = {
            row.first + timedelta(days=n): row.hours
            for row in calendar.closures
            for n in range(((row.last or row.first) - row.first).days + 1)
        }
        return cls(
            ZoneInfo(calendar.zone), week, closed, {row.on: row.hours for row in calendar.openings}
        )

    def open(self, when: datetime) -> bool:
        local = when.astimezone(self.zone)
        day, second = local.date(), local.hour * 3600 + local.minute * 60 + local.second
        if _within(self.opened.get(day), second):
            return True
        if _within(self.closed.get(day), second):
            return False
        return _within(self.week.get(day.weekday()), second)


@frozen
class _Walls:
    """Versions of a calendar, each with the instant from which it is in force."""

    versions: tuple[tuple[datetime | None, _Wall], ...]

    @classmethod
    def of(cls, hours: Hours) -> _Walls:
        if isinstance(hours, Calendar):
            return cls(((None, _Wall.of(hours)),))
        entries = hours.versions.entries
        return cls(tuple((each.since, _Wall.of(each.value)) for each in entries))

    def open(self, when: datetime) -> bool:
        inside = [wall for since, wall in self.versions if since is None or since <= when]
        return bool(inside) and inside[-1].open(when)


def _within(hours: DayHours | None, second: int) -> bool:
    return hours is not None and any(since <= second < until for since, until in hours.segments)


def open_at(calendar: Calendar | CalendarVersions, when: datetime) -> bool:
    """Whether it is open at an instant, looked up on the clock of the wall."""
    return _Walls.of(calendar).open(when)


def stepped_between(
    calendar: Calendar | CalendarVersions,
    start: datetime,
    end: datetime,
    *,
    step: timedelta = MINUTE,
) -> timedelta:
    """Open time between two instants, one step after the other."""
    wall, here, found = _Walls.of(calendar), start.astimezone(UTC), _NOTHING
    while here < end:
        found += step if wall.open(here) else _NOTHING
        here += step
    return found


def stepped_due(
    calendar: Calendar | CalendarVersions,
    start: datetime,
    budget: timedelta,
    *,
    step: timedelta = MINUTE,
) -> datetime:
    """Return the instant at which a budget is used up: the end of the step that used its rest."""
    wall, here, left = _Walls.of(calendar), start.astimezone(UTC), budget
    while left > _NOTHING:
        left -= step if wall.open(here) else _NOTHING
        here += step
        _not_for_ever(here, start)
    return here


def stepped_latest_start(
    calendar: Calendar | CalendarVersions,
    end: datetime,
    budget: timedelta,
    *,
    step: timedelta = MINUTE,
) -> datetime:
    """Return the last instant that leaves so much before the end, going backwards."""
    wall, here, left = _Walls.of(calendar), end.astimezone(UTC), budget
    while left > _NOTHING:
        here -= step
        left -= step if wall.open(here) else _NOTHING
        _not_for_ever(here, end)
    return here


def _not_for_ever(here: datetime, start: datetime) -> None:
    if abs(here - start) > _LONGEST:
        raise AssertionError(f"no answer within {_LONGEST.days} days of {start}")


# --- clocks ---------------------------------------------------------------------------------------


@frozen
class SteppedReading:
    """What a clock says, counted step by step; ``due`` as far as it lies before ``until``."""

    outcome: Outcome
    used: timedelta
    due: datetime | None


def stepped_reading(
    terms: ClockTerms,
    facts: ClockFacts,
    *,
    as_of: datetime,
    until: datetime,
    step: timedelta = MINUTE,
) -> SteppedReading:
    """Read a clock by looking at every step from its start to ``until``.

    At each step the target in force then is asked. What a change of the target finds used up
    is due at the change, or as soon as the clock no longer stands still.
    """
    as_of, started = as_of.astimezone(UTC), facts.started.astimezone(UTC)
    if as_of < started:
        return SteppedReading(Outcome.PENDING, _NOTHING, None)
    stopped = facts.stopped is not None and facts.stopped <= as_of
    now = facts.stopped.astimezone(UTC) if facts.stopped is not None and stopped else as_of
    wall, pauses = _Walls.of(terms.hours), _known_pauses(facts, now, stopped=stopped)
    here, used, used_now, due, counted = (
        facts.started.astimezone(UTC),
        _NOTHING,
        _NOTHING,
        None,
        False,
    )
    while here <= until:
        paused = any(a <= here and (b is None or here < b) for a, b in pauses)
        budget = terms.targets.at(here).budget
        just = counted and used == budget  # the step before used it up, and the pause came after
        begins = here == started and not budget
        if due is None and used >= budget and (not paused or just or begins):
            due = here
        used_now = used if here <= now else used_now
        counted = not paused and wall.open(here)
        used += step if counted else _NOTHING
        here += step
    return SteppedReading(_outcome(due, now, stopped=stopped), used_now, due)


def _known_pauses(
    facts: ClockFacts, now: datetime, *, stopped: bool
) -> list[tuple[datetime, datetime | None]]:
    """Return the pauses that began by now, without the ends that lie ahead."""
    known = [x for x in facts.pauses if x.since < now or (x.since == now and not stopped)]
    return [(x.since, x.until if x.until is not None and x.until <= now else None) for x in known]


def _outcome(due: datetime | None, now: datetime, *, stopped: bool) -> Outcome:
    over = due is not None and now > due
    if stopped:
        return Outcome.LATE if over else Outcome.ON_TIME
    return Outcome.MISSED if over else Outcome.DUE
