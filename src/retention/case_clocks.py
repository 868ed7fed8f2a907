"""Clocks of a case: which events start and stop each, and what they say at an instant.

First response, bot and human response, completion and the promised time are clocks of their
own, and so are the two follow-ups: each is a row of data (H-06, H-11, H-20, H-25, H-26, H-32,
H-38, H-40, H-45). A row counts elapsed or open time through the clocks of the mechanisms,
local dates through their windows, or runs to the instant that somebody promised. Nothing is
stored and nothing counts down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from attrs import field, frozen

from retention.mechanisms.calendars import Calendar, CalendarVersions, WeekHours
from retention.mechanisms.clocks import (
    ClockFacts,
    ClockTerms,
    EscalationLevel,
    Pause,
    Reading,
    Target,
)
from retention.mechanisms.errors import InvalidValueError, WrongTypeError
from retention.mechanisms.hours import Hours, weekdays
from retention.mechanisms.obligations import Days, Outcome, Window, Within, judge
from retention.mechanisms.periods import When, checked, day_end, in_utc, zone_of
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.rules import Rule
from retention.mechanisms.versions import Version, Versions
from retention.mechanisms.words import Word

ALWAYS = Calendar("always", "UTC", (WeekHours(weekdays("mon-sun"), Hours.of("00:00-24:00")),))
RECEIVED = "received"  # the event with which every case begins


class ClockName(Word):
    """Clocks that the handbooks set; a policy may name others."""

    FIRST_RESPONSE = "first_response", "首次响应"
    BOT_RESPONSE = "bot_response", "智能客服响应"
    HUMAN_RESPONSE = "human_response", "人工客服响应"
    MANAGER_RESPONSE = "manager_response", "专属客服经理响应"
    COMPLETION = "completion", "处理完成"
    PROMISE = "promise", "承诺时间节点"
    PROGRESS = "progress", "进度通报"
    SATISFACTION_VISIT = "satisfaction_visit", "满意度回访"
    FOLLOW_UP = "follow_up", "售后跟进"
    RECORD = "record", "信息汇总"


@frozen
class Event:
    """Something happened in a case: what, when, and what it brought."""

    name: str
    at: When
    brings: Mapping[str, Any] = field(factory=dict, repr=False)


@frozen
class Run:
    """One run of a clock, from the event that started it to the one that stopped it."""

    started: When
    stopped: When | None = None
    promised: When | None = None


@frozen
class ClockReading:
    """What one clock of a case says: outcome, due instant, used time, and by which rule.

    ``due`` is None while the clock stands still; ``last_day`` is set where dates are counted.
    """

    name: str
    rule: str
    run: Run
    outcome: Outcome
    due: datetime | None
    last_day: date | None = None
    used: timedelta | None = None
    paused: bool = False
    who: str = ""
    reading: Reading | None = field(default=None, repr=False)

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.run.stopped is None

    def __str__(self) -> str:
        until = self.last_day or (self.due.isoformat() if self.due else "standing still")
        used = "" if self.used is None else f", used {self.used}"
        return f"{self.name} {self.outcome}: due {until}{used} ({self.rule})"


@policy
class ClockRule(Policy):
    """One clock: what starts and stops it, how long it has, and for which cases it runs.

    Events are ``received`` and the commands of a case. Without a limit it runs to the time
    that was brought under the name ``promised``; a later promise counts when it was agreed
    before the earlier one fell due (H-20). A clock that ``repeats`` starts again at each stop
    until one of ``ends``. ``hours`` count open time, else every hour counts; only a clock that
    ``pauses`` stands still while a case waits. ``when`` is a rule over what is known of it.

    An open clock follows a change of its row at once, unless the versions of a policy are
    read together: :func:`read_versions` never moves time that was used.

    >>> from datetime import UTC
    >>> rule = ClockRule("completion", (RECEIVED,), ("complete",), Within(hours=24), rule="H-26")
    >>> at = datetime(2024, 6, 10, 9, tzinfo=UTC)
    >>> events = [Event(RECEIVED, at), Event("complete", at + timedelta(hours=24))]
    >>> [str(x.outcome) for x in rule.readings(events, as_of=at + timedelta(days=9), zone="UTC")]
    ['on_time']
    """

    name: str
    starts: tuple[str, ...] = field(converter=tuple)
    stops: tuple[str, ...] = field(converter=tuple)
    limit: Within | Days | None
    rule: str = field(kw_only=True)
    promised: str = field(default="", kw_only=True)
    repeats: bool = field(default=False, kw_only=True)
    ends: tuple[str, ...] = field(default=(), converter=tuple, kw_only=True)
    pauses: bool = field(default=False, kw_only=True)
    hours: Calendar | CalendarVersions | None = field(default=None, kw_only=True)
    warnings: tuple[timedelta, ...] = field(default=(), converter=tuple, kw_only=True)
    levels: tuple[EscalationLevel, ...] = field(default=(), converter=tuple, kw_only=True)
    when: Rule | None = field(default=None, kw_only=True)
    who: str = field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not self.starts or not self.stops:
            raise InvalidValueError(f"clock {self.name}", "", "events that start and stop it")
        if (self.limit is None) != bool(self.promised):
            raise InvalidValueError(f"clock {self.name}.limit", self.limit, "a limit or a promise")
        if isinstance(self.limit, Days) and (self.hours or self.pauses or self.warnings):
            raise InvalidValueError(f"clock {self.name}.limit", self.limit, "hours of open time")

    @property
    def key(self) -> str:
        """Name as a row of a table."""
        return self.name

    def applies(self, known: Mapping[str, Any]) -> bool:
        """Whether a case of which so much is known has this clock."""
        if self.when is None:
            return True
        row = {name: known.get(name) for name in self.when.measures()}
        return self.when.holds(row)

    def runs(self, events: Iterable[Event]) -> tuple[Run, ...]:
        """Return every run of this clock, oldest first."""
        found: list[Run] = []
        started: Event | None = None
        promised: When | None = None
        for event in events:
            if started is not None and event.name in (*self.stops, *self.ends):
                found.append(Run(started.at, event.at, promised))
                again = self.repeats and event.name not in self.ends
                started, promised = (event, None) if again else (None, None)
            if started is None and event.name in self.starts:
                started, promised = event, event.brings.get(self.promised)
            elif started is not None and event.brings.get(self.promised):
                promised = self._renewed(promised, event)
        if started is not None:
            found.append(Run(started.at, None, promised))
        return tuple(found)

    def readings(
        self,
        events: Iterable[Event],
        *,
        as_of: datetime,
        zone: str,
        pauses: Sequence[Pause] = (),
    ) -> Iterator[ClockReading]:
        """Read every run of this clock as of an instant; what happened later is not known."""
        known = [x for x in events if not _after(x.at, as_of)]
        for run in self.runs(known):
            yield self.read(run, as_of=as_of, zone=zone, pauses=pauses)

    def read(
        self, run: Run, *, as_of: datetime, zone: str, pauses: Sequence[Pause] = ()
    ) -> ClockReading:
        """Read one run of this clock."""
        if isinstance(self.limit, Within):
            return self.counted(self.terms, run, as_of, pauses if self.pauses else ())
        return self._dated(run, as_of, zone)

    @cached_property
    def terms(self) -> ClockTerms:
        """The budget of this clock and the hours that it counts in."""
        return ClockTerms(self.target, self.hours or ALWAYS)

    @property
    def target(self) -> Target:
        """The budget of this clock with its warnings and escalation levels."""
        if not isinstance(self.limit, Within):
            raise WrongTypeError(f"clock {self.name}.limit", self.limit, "hours or minutes")
        budget = timedelta(hours=self.limit.hours, minutes=self.limit.minutes)
        return Target(self.name, budget, warnings=self.warnings, levels=self.levels)

    def counted(
        self, terms: ClockTerms, run: Run, as_of: datetime, pauses: Sequence[Pause]
    ) -> ClockReading:
        """Read one run by given terms: those of this row, or of several versions of it."""
        stopped = None if run.stopped is None else _instant(run.stopped, self.name)
        facts = ClockFacts(_instant(run.started, self.name), stopped, pauses)
        read = terms.read(facts, as_of=as_of)
        return ClockReading(
            self.name, self.rule, run, read.outcome, read.due,
            used=read.used, paused=read.paused, who=self.who, reading=read,
        )  # fmt: skip

    def _dated(self, run: Run, as_of: datetime, zone: str) -> ClockReading:
        window = self._window(run, zone)
        done = () if run.stopped is None else (run.stopped,)
        judged = judge(window, done, as_of=as_of)
        day = None if window.hours else window.last_day
        return ClockReading(
            self.name, self.rule, run, judged.outcome, window.closes, day, who=self.who
        )

    def _window(self, run: Run, zone: str) -> Window:
        local = zone_of(zone)
        if isinstance(self.limit, Days):
            (window,) = self.limit.windows(run.started, zone=local)
            return window
        until = run.promised
        if until is None:
            raise InvalidValueError(f"clock {self.name}", None, f"a time under {self.promised!r}")
        begin = day_end(run.started - timedelta(1), local) if _is_date(run.started) else run.started
        opens = _instant(begin, self.name)
        if isinstance(until, datetime):
            return Window(opens, max(opens, in_utc(until)), local, hours=True)
        return Window(opens, max(opens, day_end(until, local)), local)

    def _renewed(self, promised: When | None, event: Event) -> When | None:
        """Return the time that holds now: a promise that is broken already stays broken."""
        later = event.brings[self.promised]
        return promised if promised is not None and _after(event.at, promised) else later


def read_versions(
    versions: Versions[ClockRule], run: Run, *, as_of: datetime, pauses: Sequence[Pause] = ()
) -> ClockReading:
    """Read a clock over the versions of its row: used time never moves when a limit changes.

    A breach is never dated before the change that caused it. The hours may change as well.
    """
    spans = list(versions.spans())
    targets = Versions(tuple(Version(row.target, since) for row, since, _ in spans))
    hours = [Version(_plain(row.hours), since) for row, since, _ in spans]
    last, calendars = spans[-1][0], hours[0].value
    if any(each.value != calendars for each in hours):
        terms = ClockTerms(targets, CalendarVersions(Versions(tuple(hours))))
        return last.counted(terms, run, as_of, pauses if last.pauses else ())
    terms = ClockTerms(targets, calendars)
    return last.counted(terms, run, as_of, pauses if last.pauses else ())


def _plain(hours: Calendar | CalendarVersions | None) -> Calendar:
    if isinstance(hours, CalendarVersions):
        raise WrongTypeError("hours", hours, "one calendar for each version of the clock")
    return ALWAYS if hours is None else hours


def _instant(when: When, where: str) -> datetime:
    if not isinstance(checked(when, where), datetime):
        raise WrongTypeError(f"clock {where}", when, "an aware instant, since it counts hours")
    return when  # type: ignore[return-value]


def _is_date(when: When) -> bool:
    return not isinstance(when, datetime)


def _after(one: When, other: When) -> bool:
    """Whether a time is later than another; a date covers its whole day."""
    if isinstance(one, datetime) and isinstance(other, datetime):
        return in_utc(one) > in_utc(other)
    first = one.date() if isinstance(one, datetime) else one
    second = other.date() if isinstance(other, datetime) else other
    return first > second
