"""Obligations: a limit turns a trigger into windows, and one function judges every window.

``Within`` counts elapsed hours, ``Days`` local dates, ``Every`` calendar periods, ``After``
an interval from the last occurrence, which is also the rolling reading of a period (RC-07).
An outcome is a function of what was done and ``as_of`` (RC-12); no countdown is ever stored.
Budgets of open time with pauses are ``clocks``: ``Working`` is a limit like those here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from attrs import field, frozen
from attrs.validators import optional

from retention.mechanisms.errors import InvalidValueError, WrongTypeError
from retention.mechanisms.periods import (
    When,
    checked,
    day_edge,
    local_date,
    plus_months,
)
from retention.mechanisms.words import Word

_YEAR = 12  # months


class Outcome(Word):
    """What became of an obligation (RC-12)."""

    PENDING = "pending", "未开始"
    DUE = "due", "待办"
    ON_TIME = "on_time", "按时完成"
    LATE = "late", "逾期完成"
    MISSED = "missed", "逾期未办"


def _aware(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    if not isinstance(checked(value, f"Window.{attribute.name}"), datetime):
        raise WrongTypeError(f"Window.{attribute.name}", value, "an aware instant")


@frozen
class Window:
    """When something may be done: from ``opens`` to ``closes``, as instants.

    A window of hours includes its closing instant (RC-02) and is asked about instants only.
    A window of dates ends before the midnight that closes its last date (RC-03).
    ``late_until`` is where a cadence gives up, since the next period begins: what is done
    from then on does not belong to this window.
    """

    opens: datetime = field(validator=_aware)
    closes: datetime = field(validator=_aware)
    zone: ZoneInfo
    hours: bool = False
    late_until: datetime | None = field(default=None, validator=optional(_aware))

    def __attrs_post_init__(self) -> None:
        if self.closes < self.opens:
            raise InvalidValueError("Window.closes", self.closes, f"{self.opens} or later")
        if self.late_until is not None and self.late_until < self.closes:
            allowed = f"{self.closes} or later"
            raise InvalidValueError("Window.late_until", self.late_until, allowed)

    @property
    def last_day(self) -> date:
        """Last local date on which it can be done in time."""
        last = self.closes if self.hours else self.closes - timedelta(microseconds=1)
        return local_date(last, self.zone)

    def takes(self, when: datetime) -> bool:
        """Whether something done at an instant belongs to this window, in time or late."""
        return self.opens <= when and (self.late_until is None or when < self.late_until)

    def in_time(self, when: datetime) -> bool:
        """Whether an instant is not past the close."""
        return when < self.closes or (self.hours and when == self.closes)


@frozen
class Judgement:
    """The outcome of one window, and when it was fulfilled."""

    outcome: Outcome
    done: datetime | None
    window: Window


def judge(window: Window, done: Iterable[When], *, as_of: When) -> Judgement:
    """Say what became of a window; something done before it opens does not fulfil it (RC-04).

    A date as ``as_of`` means that whole day; a window of hours refuses it. Something done on
    a date counts from the beginning of that date, or from the opening on its first one.

    >>> from retention.mechanisms.periods import zone_of
    >>> zone = zone_of("Asia/Shanghai")
    >>> registered = datetime(2024, 3, 1, 10, tzinfo=zone)
    >>> (window,) = Within(hours=24).windows(registered, zone=zone)
    >>> judge(
    ...     window, [datetime(2024, 3, 2, 10, tzinfo=zone)], as_of=datetime(2024, 3, 5, tzinfo=zone)
    ... ).outcome.value
    'on_time'
    """
    checked(as_of, "as_of")
    when = (_instant(each, window) for each in done)
    known = (each for each in when if _past(each, as_of, window))
    first = min((each for each in known if window.takes(each)), default=None)
    if first is not None:
        return Judgement(Outcome.ON_TIME if window.in_time(first) else Outcome.LATE, first, window)
    if not _past(window.opens, as_of, window):
        return Judgement(Outcome.PENDING, None, window)
    return Judgement(Outcome.MISSED if _over(window, as_of) else Outcome.DUE, None, window)


def _instant(when: When, window: Window) -> datetime:
    """Return the instant of what was done; a date begins its day, if dates are enough."""
    checked(when, "done")
    if isinstance(when, datetime):
        return when
    if window.hours:
        raise WrongTypeError("done", when, "an aware instant, since the limit counts hours")
    return max(day_edge(when, window.zone), min(window.opens, _day_end(when, window.zone)))


def _day_end(day: date, zone: ZoneInfo) -> datetime:
    return day_edge(day + timedelta(days=1), zone) - timedelta(microseconds=1)


def _past(when: datetime, as_of: When, window: Window) -> bool:
    """Whether an instant has come at the point of view."""
    if isinstance(as_of, datetime):
        return when <= as_of
    if window.hours:
        raise WrongTypeError("as_of", as_of, "an aware instant, since the limit counts hours")
    return when < day_edge(as_of + timedelta(days=1), window.zone)


def _over(window: Window, as_of: When) -> bool:
    """Whether the window can no longer be met in time."""
    if isinstance(as_of, datetime):
        return not window.in_time(as_of)
    return window.closes < day_edge(as_of + timedelta(days=1), window.zone)


# --- limits: what turns a trigger into windows --------------------------------------------------


@frozen
class Within:
    """Done at or before so many hours or minutes after the trigger (RC-02)."""

    hours: int = field(default=0, kw_only=True)
    minutes: int = field(default=0, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if min(self.hours, self.minutes) < 0 or self.hours + self.minutes < 1:
            raise InvalidValueError("Within", (self.hours, self.minutes), "more than no time")

    def windows(self, since: When, *, zone: ZoneInfo) -> Iterator[Window]:
        """Return one window, from the trigger to its closing instant."""
        checked(since, "since")
        if not isinstance(since, datetime):
            raise WrongTypeError("since", since, "an aware instant, since the limit counts hours")
        # Elapsed time is counted in UTC, whatever the clocks do.
        opens = since.astimezone(UTC)
        elapsed = timedelta(hours=self.hours, minutes=self.minutes)
        yield Window(opens, opens + elapsed, zone, hours=True)


@frozen
class Days:
    """Done on the local dates ``first`` to ``last`` after the trigger's own (RC-03, RC-04).

    ``months`` are added to the trigger's date before, clamped to the end of the month.

    >>> from retention.mechanisms.periods import zone_of
    >>> (window,) = Days(0, 0, months=1).windows(date(2024, 1, 31), zone=zone_of("Asia/Shanghai"))
    >>> window.last_day
    datetime.date(2024, 2, 29)
    """

    first: int
    last: int
    months: int = field(default=0, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.first < 0 or self.last < self.first or self.months < 0:
            raise InvalidValueError("Days", (self.first, self.last), "0 <= first <= last")
        if self.months and self.first:
            raise InvalidValueError("Days", (self.first, self.months), "first=0 with months")

    def windows(self, since: When, *, zone: ZoneInfo) -> Iterator[Window]:
        """Return one window; with ``first`` of 0 it opens with the trigger itself."""
        checked(since, "since")
        day = local_date(since, zone)
        opens = day_edge(day + timedelta(days=self.first), zone)
        if self.first == 0 and isinstance(since, datetime):
            opens = max(opens, since)
        last = plus_months(day, self.months) + timedelta(days=self.last)
        yield Window(opens, day_edge(last + timedelta(days=1), zone), zone)


@frozen
class Every:
    """Once in each calendar period of so many months (RC-07): 1, 2, 3, 4, 6 or 12.

    ``first_day`` and ``last_day`` narrow the period to days of its first month, or to days
    counted from its end when negative: -1 is the last day of the period.

    >>> from retention.mechanisms.periods import zone_of
    >>> windows = Every(months=3).windows(
    ...     date(2024, 2, 10), zone=zone_of("Asia/Shanghai"), until=date(2024, 12, 31)
    ... )
    >>> [str(window.last_day) for window in windows]
    ['2024-03-31', '2024-06-30', '2024-09-30', '2024-12-31']
    """

    months: int = field(kw_only=True)
    first_day: int = field(default=1, kw_only=True)
    last_day: int = field(default=-1, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.months < 1 or _YEAR % self.months:
            raise InvalidValueError("Every.months", self.months, "1, 2, 3, 4, 6 or 12")
        for day in (self.first_day, self.last_day):
            if not (1 <= day <= 28 or -28 <= day <= -1):  # noqa: PLR2004  every month has 28 days
                raise InvalidValueError("Every", day, "days 1 to 28, or -1 to -28 from the end")
        if not self._orderly:
            raise InvalidValueError("Every", (self.first_day, self.last_day), "the first day first")

    @property
    def _orderly(self) -> bool:
        """Whether no period closes before it opens, not even a short February."""
        days = 28 if self.months == 1 else 59  # of the shortest period; longer ones are longer
        if self.first_day < 0 < self.last_day:
            return self.months == 1 and self.first_day + 31 < self.last_day
        first, last = (x if x > 0 else days + 1 + x for x in (self.first_day, self.last_day))
        return first <= last

    def windows(self, since: When, *, zone: ZoneInfo, until: When) -> Iterator[Window]:
        """Return a window for each period from that of the trigger on that begins by ``until``."""
        day = local_date(checked(since, "since"), zone)
        last_day = local_date(checked(until, "until"), zone)
        start = date(day.year, (day.month - 1) // self.months * self.months + 1, 1)
        step = 0
        while (begin := plus_months(start, step * self.months)) <= last_day:
            end = plus_months(start, (step + 1) * self.months)
            first, last = _nth(begin, end, self.first_day), _nth(begin, end, self.last_day)
            closes = day_edge(last + timedelta(days=1), zone)
            yield Window(day_edge(first, zone), closes, zone, late_until=day_edge(end, zone))
            step += 1


def _nth(begin: date, end: date, day: int) -> date:
    return begin + timedelta(days=day - 1) if day > 0 else end + timedelta(days=day)


@frozen
class After:
    """Due one interval after the last occurrence, or after the trigger if there was none (AMB-31).

    Months are counted from the last occurrence, clamped to the end of the month. Two on one
    date are one.

    >>> from retention.mechanisms.periods import zone_of
    >>> windows = After(months=1).windows(
    ...     date(2024, 1, 31), zone=zone_of("Asia/Shanghai"), done=[date(2024, 2, 10)]
    ... )
    >>> [str(window.last_day) for window in windows]
    ['2024-02-29', '2024-03-10']
    """

    months: int = field(default=0, kw_only=True)
    days: int = field(default=0, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if min(self.months, self.days) < 0 or self.months + self.days < 1:
            raise InvalidValueError("After", (self.months, self.days), "an interval above 0")

    def windows(
        self, since: When, *, zone: ZoneInfo, done: Iterable[When] = ()
    ) -> Iterator[Window]:
        """Return the windows that the occurrences fulfilled, and the one that is open now."""
        checked(since, "since")
        starts = [local_date(since, zone)]
        for when in sorted(local_date(checked(x, "done"), zone) for x in done):
            if when > starts[-1]:
                yield self._window(starts[-1], zone)
                starts.append(when)
        yield self._window(starts[-1], zone)

    def _window(self, start: date, zone: ZoneInfo) -> Window:
        last = plus_months(start, self.months) + timedelta(days=self.days)
        opens = day_edge(start + timedelta(days=1), zone)
        return Window(opens, day_edge(last + timedelta(days=1), zone), zone)


Limit = Within | Days | Every | After


class SingleLimit(Protocol):
    """Any limit that turns a trigger into at most one window, such as ``clocks.Working``."""

    def windows(self, since: When, *, zone: ZoneInfo) -> Iterator[Window]:
        """Return the window, or nothing while it cannot close."""
        ...


# --- obligations and the agenda -------------------------------------------------------------------


@frozen
class Obligation:
    """Something that must happen in a window: for whom, what, by which rule (X-04)."""

    subject: str | int  # the customer, case or batch that it is about
    what: str
    window: Window
    rule: str  # id of the rule or clause that asks for it
    channels: tuple[str, ...] = ()  # kinds of channel that fulfil it; empty: any
    who: str = ""
    trigger: When | None = None  # what it is counted from, where that is one moment

    def __attrs_post_init__(self) -> None:
        if self.trigger is not None:
            checked(self.trigger, "Obligation.trigger")
        for name in ("what", "rule"):
            if not getattr(self, name):
                raise InvalidValueError(f"Obligation.{name}", "''", "a text")

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Sort key of a due list: deadline, subject, task."""
        return self.window.closes, str(self.subject), self.what


@frozen
class Done:
    """Something was done for a subject, at an instant or on a date, through a channel."""

    subject: str | int
    what: str
    at: When = field(validator=lambda _, __, value: checked(value, "Done.at"))
    channel: str = ""


def owed(  # noqa: PLR0913  an obligation has so many sides
    limit: Limit | SingleLimit,
    trigger: When,
    *,
    subject: str | int,
    what: str,
    rule: str,
    zone: ZoneInfo,
    until: When | None = None,
    done: Iterable[Done] = (),
    channels: tuple[str, ...] = (),
    who: str = "",
) -> tuple[Obligation, ...]:
    """Turn a trigger into obligations, one for each window of the limit (X-04).

    A cadence needs ``until``, the last day to plan for; an interval counts from what was
    ``done`` for this subject.

    >>> from retention.mechanisms.periods import zone_of
    >>> (task,) = owed(
    ...     Days(0, 7),
    ...     date(2024, 3, 2),
    ...     subject="C-17",
    ...     what="questionnaire",
    ...     rule="F-13",
    ...     zone=zone_of("Asia/Shanghai"),
    ...     channels=("email",),
    ... )
    >>> str(agenda([task], as_of=date(2024, 3, 10))[0])
    '2024-03-09 missed: questionnaire via email for C-17 (F-13)'
    """
    checked(trigger, "trigger")
    if isinstance(limit, Every):
        if until is None:
            raise WrongTypeError("until", until, "a date or an aware instant to plan for")
        windows = limit.windows(trigger, zone=zone, until=until)
    elif isinstance(limit, After):
        mine = (x for x in done if (x.subject, x.what) == (subject, what))
        times = [x.at for x in mine if not channels or x.channel in channels]
        windows = limit.windows(trigger, zone=zone, done=times)
    else:
        windows = limit.windows(trigger, zone=zone)
    return tuple(Obligation(subject, what, x, rule, channels, who, trigger) for x in windows)


@frozen
class AgendaItem:
    """An obligation with its outcome."""

    obligation: Obligation
    outcome: Outcome
    done: datetime | None

    def __str__(self) -> str:
        """Return one line for people."""
        task = self.obligation
        via = f" via {', '.join(task.channels)}" if task.channels else ""
        day = task.window.last_day
        return f"{day} {self.outcome}: {task.what}{via} for {task.subject} ({task.rule})"


OPEN = frozenset({Outcome.PENDING, Outcome.DUE, Outcome.MISSED})


def agenda(
    obligations: Iterable[Obligation],
    done: Iterable[Done] = (),
    *,
    as_of: When,
    outcomes: Collection[Outcome] = OPEN,
) -> tuple[AgendaItem, ...]:
    """Return one due list over all areas, earliest deadline first (X-04).

    By default what is still to do: pending, due and missed. What was done counts for every
    obligation of that subject and task whose window takes it.
    """
    facts = _by_task(done)
    items = [_item(each, facts.get((each.subject, each.what), ()), as_of) for each in obligations]
    wanted = (item for item in items if item.outcome in outcomes)
    return tuple(sorted(wanted, key=lambda item: item.obligation.order))


def _by_task(done: Iterable[Done]) -> Mapping[tuple[str | int, str], Sequence[Done]]:
    found: dict[tuple[str | int, str], list[Done]] = {}
    for fact in done:
        found.setdefault((fact.subject, fact.what), []).append(fact)
    return found


def _item(task: Obligation, facts: Sequence[Done], as_of: When) -> AgendaItem:
    fits = (x.at for x in facts if not task.channels or x.channel in task.channels)
    judged = judge(task.window, fits, as_of=as_of)
    return AgendaItem(task, judged.outcome, judged.done)
