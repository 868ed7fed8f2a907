"""Clocks of open time: budgets, pauses, warnings before and escalations after (X-04, RC-12).

A clock is read, never counted down: a pure function of what happened to it, the versions of
its target and calendar, and ``as_of``. What happened after ``as_of`` is not known, so a reading
of the past is the one that was given then.

- At the due instant is on time. While a pause without a known end lasts, nothing falls due.
- Used time never moves when a target or a calendar changes, and a breach is never dated before
  the change that caused it: the clock that a shorter budget finds used up is due at the change,
  or where a pause that the change lies in ends.
- Overlapping pauses count once.

What starts, pauses and stops a clock is decided by the area that owns the case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

from attrs import field, frozen
from attrs.validators import optional

from retention.mechanisms.calendars import (
    Calendar,
    CalendarVersions,
    Labelled,
    OpenHours,
    Standing,
    Stretch,
    filled,
)
from retention.mechanisms.errors import (
    BeyondKnownError,
    InvalidValueError,
    NotRisingError,
    WrongTypeError,
)
from retention.mechanisms.obligations import Outcome, Window
from retention.mechanisms.open_time import (
    FIRST,
    FOREVER,
    LAST,
    OpenTime,
    Spans,
    instant,
    length,
    micros,
    union,
)
from retention.mechanisms.periods import When, in_utc
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.versions import Versions
from retention.mechanisms.words import Language, Word

if TYPE_CHECKING:
    from retention.mechanisms.clock_columns import ClockColumns, ClockRows

Hours: TypeAlias = Calendar | CalendarVersions
_NOTHING = timedelta(0)
_TICK = timedelta(microseconds=1)


def _aware(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    micros(value, attribute.name)


# --- what happened to a clock ---------------------------------------------------------------------


@frozen
class Pause:
    """A clock stood still from an instant up to, not with, another; None: it still does."""

    since: datetime = field(validator=_aware)
    until: datetime | None = field(default=None, validator=optional(_aware))
    why: str = ""

    def __attrs_post_init__(self) -> None:
        # In UTC: of two times of one zone Python compares the clocks on the wall.
        if self.until is not None and in_utc(self.until) < in_utc(self.since):
            raise InvalidValueError("Pause.until", self.until, f"{self.since} or later")


@frozen
class ClockFacts:
    """When a clock started, when it stood still, and when it stopped; None: it has not."""

    started: datetime = field(validator=_aware)
    stopped: datetime | None = field(default=None, validator=optional(_aware))
    pauses: tuple[Pause, ...] = field(default=(), converter=tuple[Pause, ...])

    def __attrs_post_init__(self) -> None:
        if self.stopped is not None and in_utc(self.stopped) < in_utc(self.started):
            allowed = f"{self.started} or later"
            raise InvalidValueError("ClockFacts.stopped", self.stopped, allowed)


# --- what a policy asks for -----------------------------------------------------------------------


@policy
class EscalationLevel(Policy):
    """Who is told when a clock has run on for so much open time after it was due."""

    after: timedelta
    to: str

    def __attrs_post_init__(self) -> None:
        if not is_blank(self.after):
            length(self.after, "EscalationLevel.after")

    @property
    def key(self) -> str:
        """Name of the row in a path: whom it goes to."""
        return self.to


@policy
class Target(Policy):
    """How much open time a clock has, with warnings so long before it is due, and a ladder after.

    >>> hour = timedelta(hours=1)
    >>> reply = Target("first_response", 4 * hour, warnings=(hour,))
    >>> reply.with_("budget", 8 * hour).budget
    datetime.timedelta(seconds=28800)
    """

    name: str
    budget: timedelta
    warnings: tuple[timedelta, ...] = field(default=(), converter=tuple, kw_only=True)
    levels: tuple[EscalationLevel, ...] = field(default=(), converter=tuple, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not is_blank(self.budget):
            length(self.budget, "Target.budget")
        for each in () if is_blank(self.warnings) else self.warnings:
            length(each, "Target.warnings")
        for one, other in () if is_blank(self.levels) else pairwise(self.levels):
            if other.after <= one.after:
                allowed = "levels that follow each other"
                raise NotRisingError("Target.levels", (one.after, other.after), allowed)

    @property
    def key(self) -> str:
        """Name of the row in a path."""
        return self.name


class AlarmKind(Word):
    """What is told before and after a clock is due."""

    WARNING = "warning", "预警"
    ESCALATION = "escalation", "升级"


@frozen
class Alarm:
    """Somebody is to be told at an instant: before the due instant, or so much after it."""

    at: datetime
    kind: AlarmKind
    to: str = ""


# --- readings -------------------------------------------------------------------------------------


@frozen
class Reading:
    """What a clock says at an instant; everything but the log and the versions follows from it.

    ``due`` is None while nothing falls due: the clock has not started or stands still.
    ``breached_at`` is the due instant of a clock that ran past it. ``next_at`` is the next
    instant at which the reading is another one although nothing happens.
    """

    as_of: datetime
    outcome: Outcome
    used: timedelta = _NOTHING
    budget: timedelta | None = None  # the one that is or will be due; None before the start
    due: datetime | None = None
    breached_at: datetime | None = None
    paused: bool = False
    stopped: bool = False
    alarms: tuple[Alarm, ...] = ()
    next_at: datetime | None = None

    @property
    def remaining(self) -> timedelta | None:
        """Open time that is left; below zero when the clock ran past its budget."""
        return None if self.budget is None else self.budget - self.used

    @property
    def level(self) -> int:
        """Escalation levels that were reached."""
        return sum(x.kind is AlarmKind.ESCALATION and x.at <= self.as_of for x in self.alarms)

    def __str__(self) -> str:
        """Return one line for people."""
        budget = "" if self.budget is None else f" of {self.budget}"
        due = "standing still" if self.paused else "nothing due"
        told = due if self.due is None else f"due {self.due.isoformat()}"
        return f"{self.outcome}: {self.used}{budget} used, {told}"


@frozen
class _Known:
    """The log of a clock as far as it is known at an instant."""

    start: int
    now: int  # as of, or where the clock stopped before
    stopped: bool
    pauses: Spans
    paused: bool

    @classmethod
    def of(cls, facts: ClockFacts, as_of: int) -> _Known:
        start = micros(facts.started, "started")
        stop = FOREVER if facts.stopped is None else micros(facts.stopped, "stopped")
        now, stopped = min(stop, as_of), stop <= as_of
        pauses = union(_pauses(facts.pauses, now, stopped=stopped))
        paused = bool(pauses) and pauses[-1][1] == FOREVER and not stopped
        return cls(start, now, stopped, pauses, paused)


def _pauses(pauses: Iterable[Pause], now: int, *, stopped: bool) -> Iterator[tuple[int, int]]:
    """Return the pauses that began by now; one whose end lies ahead has no end yet."""
    for each in pauses:
        since = micros(each.since, "Pause.since")
        until = FOREVER if each.until is None else micros(each.until, "Pause.until")
        if since < now or (since == now and not stopped):
            yield since, until if until <= now else FOREVER


@frozen
class _Fall:
    """Where a clock falls due, by which target, and from when on that target asked for it."""

    due: int | None
    target: Target
    since: int


def _versions(given: Target | Versions[Target]) -> Versions[Target]:
    return Versions.of(given)


@frozen
class ClockTerms:
    """The targets of a clock and the calendar it counts in, with their versions.

    >>> from retention.mechanisms.calendars import WeekHours
    >>> office = Calendar("office", "UTC", (WeekHours("mon-fri", "09:00-12:00 13:00-18:00"),))
    >>> terms = ClockTerms(Target("reply", timedelta(hours=4)), office)
    >>> started, wait = datetime(2024, 7, 1, 9, tzinfo=UTC), timedelta(hours=1)
    >>> facts = ClockFacts(started, pauses=[Pause(started + wait, started + 2 * wait)])
    >>> print(terms.read(facts, as_of=started + 2 * wait))
    due: 1:00:00 of 4:00:00 used, due 2024-07-01T15:00:00+00:00
    """

    targets: Versions[Target] = field(converter=_versions)
    hours: Hours

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.hours, OpenHours):
            raise WrongTypeError("ClockTerms.hours", self.hours, "a calendar, or versions of one")

    def read(self, facts: ClockFacts, *, as_of: datetime) -> Reading:
        """Read a clock: its outcome, how much is used, when it is due, whom to tell and when."""
        when = micros(as_of, "as_of")
        known = _Known.of(facts, when)
        if when < known.start:
            begins = instant(known.start)
            return Reading(as_of.astimezone(UTC), Outcome.PENDING, next_at=begins)
        open_time = self.hours.open_time
        used = timedelta(0, 0, open_time.between(known.start, known.now, known.pauses))
        fall = self._fall(open_time, known)
        due = None if fall.due is None else instant(fall.due)
        outcome = _outcome(due, instant(known.now), stopped=known.stopped)
        over = due if outcome in {Outcome.LATE, Outcome.MISSED} else None
        alarms = () if fall.due is None else self._alarms(open_time, known, fall, fall.due)
        return Reading(
            as_of.astimezone(UTC), outcome, used, fall.target.budget, due, over,
            paused=known.paused, stopped=known.stopped, alarms=alarms,
            next_at=None if known.stopped else _next(due, alarms, instant(when)),
        )  # fmt: skip

    def _fall(self, open_time: OpenTime, known: _Known) -> _Fall:
        """Return where the clock first falls due under the version in force at that instant."""
        found: _Fall | None = None
        for target, version, end in self.targets.spans():
            until = FOREVER if end is None else micros(end, "until")
            since = FIRST if version is None else micros(version, "since")
            if until <= known.start:
                continue
            if found is None and since > known.start:
                self.targets.at(instant(known.start))  # raises: there was none yet
            found = _Fall(None, target, max(since, known.start))
            reached = _reached(open_time, known, found, until)
            if reached is not None and reached < until:
                return _Fall(reached, target, found.since)
        assert found is not None  # noqa: S101  the last version has no end
        return _Fall(None, self.targets.at(instant(min(known.now, LAST))), found.since)

    def _alarms(
        self, open_time: OpenTime, known: _Known, fall: _Fall, due: int
    ) -> tuple[Alarm, ...]:
        """Return whom to tell: as of a stopped clock only what came before its stop."""
        found = []
        for each in fall.target.warnings:
            at = _before(open_time, known, due, length(each, "warning"))
            found.append(Alarm(instant(max(at, fall.since)), AlarmKind.WARNING))
        for level in fall.target.levels:
            after = _after(open_time, known, due, length(level.after, "after"))
            if after is not None:
                found.append(Alarm(instant(after), AlarmKind.ESCALATION, level.to))
        stop = instant(known.now)
        told = (each for each in found if not known.stopped or each.at < stop)
        return tuple(sorted(told, key=lambda each: (each.at, each.kind)))

    def stretches(self, facts: ClockFacts, *, as_of: datetime) -> tuple[Stretch, ...]:
        """Return everything from the start to now in order: what counted, what not, and why."""
        when = micros(as_of, "as_of")
        known = _Known.of(facts, when)
        if when < known.start:
            return ()
        self.hours.open_time.check(known.start)
        self.hours.open_time.check(known.now)
        found = filled(self.hours.labelled(known.start, known.now), known.start, known.now)
        whys = [(*span, _why(facts.pauses, span[0])) for span in known.pauses]
        parts = (part for each in found for part in _paused(each, whys))
        return tuple(Stretch(instant(x[0]), instant(x[1]), x[2], x[3]) for x in parts)

    def reads(self, rows: ClockRows, *, as_of: datetime) -> ClockColumns:
        """Read many clocks from columns; :meth:`read` of each, without the alarms."""
        from retention.mechanisms import clock_columns

        spans = self.targets.spans()
        budgets = tuple((target.budget, since, until) for target, since, until in spans)
        return clock_columns.read(self.hours.open_time, rows, budgets, as_of=as_of)


def _reached(open_time: OpenTime, known: _Known, fall: _Fall, until: int) -> int | None:
    """Where a target is used up, not before it is in force and not while the clock stands still."""
    budget = length(fall.target.budget, "budget")
    try:
        found = open_time.due(known.start, budget, known.pauses)
    except (BeyondKnownError, InvalidValueError):
        if until <= open_time.known[1]:  # the next version comes before, so nobody needs to know
            return None
        raise
    if found is None or found >= fall.since:
        return found
    inside = (end for begin, end in known.pauses if begin <= fall.since < end)
    moved = next(inside, fall.since)
    return None if moved == FOREVER else moved


def _before(open_time: OpenTime, known: _Known, due: int, warning: int) -> int:
    """Last instant with so much left; the start when there never was as much."""
    if open_time.between(known.start, due, known.pauses) <= warning:
        return known.start
    return open_time.latest_start(due, warning, known.pauses)


def _after(open_time: OpenTime, known: _Known, due: int, level: int) -> int | None:
    """Where a level is reached; None when the clock stands still, or beyond the known dates."""
    try:
        return open_time.due(due, level, known.pauses)
    except BeyondKnownError:  # nobody can ask then before the dates are known
        return None


def _outcome(due: datetime | None, now: datetime, *, stopped: bool) -> Outcome:
    in_time = due is None or now <= due
    if stopped:
        return Outcome.ON_TIME if in_time else Outcome.LATE
    return Outcome.DUE if in_time else Outcome.MISSED


def _next(due: datetime | None, alarms: Iterable[Alarm], as_of: datetime) -> datetime | None:
    """The next instant at which the reading changes by itself; missed is just after due."""
    ahead = [each.at for each in alarms] + ([] if due is None else [due + _TICK])
    return min((at for at in ahead if at > as_of), default=None)


def _why(pauses: Iterable[Pause], since: int) -> str:
    return next((x.why for x in pauses if micros(x.since, "Pause.since") == since), "")


def _paused(each: Labelled, pauses: Iterable[tuple[int, int, str]]) -> Iterator[Labelled]:
    """Cut the pauses out of an open stretch; what is closed stays closed."""
    here, end, standing, why = each
    for since, until, reason in pauses if standing is Standing.OPEN else ():
        low, high = max(since, here), min(until, end)
        if low < high:
            if here < low:
                yield here, low, standing, why
            yield low, high, Standing.PAUSED, reason
            here = high
    if here < end:
        yield here, end, standing, why


def explain(stretches: Iterable[Stretch], zone: ZoneInfo, language: Language = "en") -> str:
    """Return what was skipped for a reason, line by line, and how much counted.

    >>> since = datetime(2024, 7, 1, 9, tzinfo=UTC)
    >>> wait = Stretch(since, since + timedelta(hours=2), Standing.PAUSED, "customer")
    >>> print(explain([wait], ZoneInfo("Asia/Shanghai")))
    2024-07-01 17:00 - 2024-07-01 19:00 paused (customer)
    open 0:00:00
    """
    told = list(stretches)
    lines = [
        x.text(zone, language) for x in told if x.standing in {Standing.CLOSED, Standing.PAUSED}
    ]
    counted = sum((x.elapsed for x in told if x.standing is Standing.OPEN), _NOTHING)
    return "\n".join([*lines, f"{Standing.OPEN.label(language)} {counted}"])


# --- a limit of open time -------------------------------------------------------------------------


@frozen
class Working:
    """Done within an amount of open time after the trigger, without the pauses (RC-02).

    >>> from retention.mechanisms.calendars import WeekHours
    >>> office = Calendar("office", "UTC", (WeekHours("mon-fri", "09:00-17:00"),))
    >>> (window,) = Working(timedelta(hours=8), office).windows(
    ...     datetime(2024, 7, 5, 15, tzinfo=UTC), zone=ZoneInfo("UTC")
    ... )
    >>> window.closes.isoformat()
    '2024-07-08T15:00:00+00:00'
    """

    budget: timedelta
    calendar: Hours
    pauses: tuple[Pause, ...] = field(default=(), converter=tuple[Pause, ...])

    def __attrs_post_init__(self) -> None:
        length(self.budget, "Working.budget")
        if not isinstance(self.calendar, OpenHours):
            raise WrongTypeError(
                "Working.calendar", self.calendar, "a calendar, or versions of one"
            )

    def windows(self, since: When, *, zone: ZoneInfo) -> Iterator[Window]:
        """Return one window, or none while a pause without an end keeps it from closing."""
        if not isinstance(since, datetime):
            raise WrongTypeError("since", since, "an aware instant, since the limit counts hours")
        start = micros(since, "since")
        pauses = union(_pauses(self.pauses, FOREVER, stopped=False))
        due = self.calendar.open_time.due(start, length(self.budget, "budget"), pauses)
        if due is not None:
            yield Window(instant(start), instant(due), zone, hours=True)
