"""People of the service: hours nobody covers, calls without answer, trainings (H-42, H-47).

A staffing plan is a list of shifts, or hours of the week for each person; both are instants in
the end, so days of 23 and 25 hours count as they are. Who works when is the host's to plan;
here is said what the plan leaves open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from retention.mechanisms.acts import who
from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.calendars import Calendar, Standing
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    WrongTypeError,
)
from retention.mechanisms.estimates import Estimate
from retention.mechanisms.intervals import wilson
from retention.mechanisms.kpis import KpiValue, Target
from retention.mechanisms.obligations import After, Days, Judgement, Outcome, judge
from retention.mechanisms.open_time import instant, micros, union
from retention.mechanisms.periods import AsOf, When, checked, day_edge, day_end, in_utc, zone_of
from retention.mechanisms.policies import Policy, policy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Span = tuple[int, int]  # microseconds, up to but not with the end


def _aware(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    if value is not None:
        micros(value, attribute.name)


# --- the hotline ----------------------------------------------------------------------------------


@frozen
class Shift:
    """One person answers from an instant up to, not with, another."""

    person: str = field(validator=who)
    since: datetime = field(validator=_aware)
    until: datetime = field(validator=_aware)

    def __attrs_post_init__(self) -> None:
        if in_utc(self.until) <= in_utc(self.since):
            raise InvalidValueError("Shift.until", self.until, f"later than {self.since}")


def shifts_of(person: str, hours: Calendar, *, since: date, until: date) -> tuple[Shift, ...]:
    """Return the shifts of a person who works the hours of a calendar, on some dates.

    >>> from retention.mechanisms.calendars import WeekHours
    >>> nights = Calendar("nights", "Asia/Shanghai", (WeekHours("mon-sun", "00:00-08:00"),))
    >>> len(shifts_of("li", nights, since=date(2024, 6, 1), until=date(2024, 6, 7)))
    7
    """
    zone = zone_of(hours.zone)
    found = hours.stretches(day_edge(since, zone), day_end(until, zone))
    return tuple(
        Shift(person, each.since, each.until) for each in found if each.standing is Standing.OPEN
    )


@frozen
class Gap:
    """A stretch of required time in which too few people answer."""

    since: datetime
    until: datetime
    people: int  # the fewest who answer in it

    @property
    def elapsed(self) -> timedelta:
        """How long it is."""
        return in_utc(self.until) - in_utc(self.since)


@frozen
class HotlineCoverage:
    """How much of the required time is covered, and where it is not."""

    required: timedelta
    gaps: tuple[Gap, ...]

    @property
    def uncovered(self) -> timedelta:
        """Time in which too few people answer."""
        return sum((gap.elapsed for gap in self.gaps), timedelta())

    @property
    def share(self) -> Estimate:
        """Share of the required time that is covered; no value when nothing is required."""
        tick = timedelta(microseconds=1)
        return Estimate((self.required - self.uncovered) // tick, self.required // tick)


@frozen
class Call:
    """A call on the hotline: when it rang, when it was answered, when it ended."""

    id: str
    at: datetime = field(validator=_aware)
    answered: datetime | None = field(default=None, validator=_aware)
    ended: datetime | None = field(default=None, validator=_aware)

    def __attrs_post_init__(self) -> None:
        times = [x for x in (self.at, self.answered, self.ended) if x is not None]
        if times != sorted(times, key=in_utc):
            raise InvalidValueError(
                f"call {self.id}", str(times[-1]), "rings, answer, end in order"
            )


@policy
class Hotline(Policy):
    """When somebody must answer, how many, and which share of calls shall be answered (H-42).

    >>> from retention.presets import user_retention
    >>> hotline, day = user_retention.service.hotline, date(2024, 6, 1)
    >>> edge = day_edge(day, zone_of("Asia/Shanghai"))
    >>> plan = [Shift("li", edge, edge + timedelta(hours=22))]
    >>> hotline.coverage(plan, since=day, until=day).uncovered
    datetime.timedelta(seconds=7200)
    """

    hours: Calendar
    people: int = 1
    answered: Target | None = None
    rule: str = "H-42"

    def __attrs_post_init__(self) -> None:
        if isinstance(self.people, bool) or not isinstance(self.people, int):
            raise WrongTypeError("Hotline.people", self.people, "a whole number")
        if self.people < 1:
            raise InvalidValueError("Hotline.people", self.people, "1 or more")

    def coverage(self, shifts: Iterable[Shift], *, since: date, until: date) -> HotlineCoverage:
        """Return what a plan leaves open on some dates; one person counts once."""
        begin, end = self._bounds(since, until)
        needed = [
            (max(a, begin), min(b, end))
            for a, b in self.hours.open_time.table(begin, end).spans()
            if a < end and begin < b
        ]
        required = sum(b - a for a, b in needed)
        gaps = tuple(
            Gap(instant(a), instant(b), people)
            for low, high in needed
            for a, b, people in _short(_by_person(shifts), low, high, self.people)
        )
        return HotlineCoverage(timedelta(microseconds=required), gaps)

    def answer_rate(
        self, calls: Iterable[Call], *, since: date, until: date, as_of: datetime
    ) -> KpiValue:
        """Return the share of calls of some dates that were answered; one that rings is open."""
        begin, end = self._bounds(since, until)
        now = micros(as_of, "as_of")
        answered = lost = ringing = 0
        for call in calls:
            if begin <= micros(call.at, "at") < end and micros(call.at, "at") <= now:
                state = _state(call, now)
                answered += state == "answered"
                lost += state == "lost"
                ringing += state == "ringing"
        return self._rate((answered, lost, ringing), since, until, as_of)

    def answer_rate_of(
        self,
        at: ArrayLike,
        answered: ArrayLike,
        ended: ArrayLike,
        *,
        since: date,
        until: date,
        as_of: datetime,
    ) -> KpiValue:
        """Return the same rate from columns of UTC instants, NaT where nothing happened."""
        import numpy as np

        begin, end = self._bounds(since, until)
        now, never = micros(as_of, "as_of"), np.iinfo(np.int64).min
        rang, done, gone = (
            np.asarray(x, "datetime64[us]").astype(np.int64) for x in (at, answered, ended)
        )
        if len({len(rang), len(done), len(gone)}) > 1:
            sizes = {"at": len(rang), "answered": len(done), "ended": len(gone)}
            raise UnequalColumnsError("calls", sizes)
        mine = (rang >= begin) & (rang < end) & (rang <= now)
        answered_by_now = (done != never) & (done <= now)
        over = (gone != never) & (gone <= now)
        counts = (
            int((mine & answered_by_now).sum()),
            int((mine & ~answered_by_now & over).sum()),
            int((mine & ~answered_by_now & ~over).sum()),
        )
        return self._rate(counts, since, until, as_of)

    def unanswered(self, calls: Iterable[Call], *, as_of: datetime) -> tuple[Call, ...]:
        """Return the calls that ended without an answer, oldest first."""
        now = micros(as_of, "as_of")
        lost = (x for x in calls if _state(x, now) == "lost")
        return tuple(sorted(lost, key=lambda x: (in_utc(x.at), x.id)))

    def _bounds(self, since: date, until: date) -> Span:
        if until < since:
            raise InvalidValueError("until", until, f"{since} or later")
        zone = zone_of(self.hours.zone)
        return micros(day_edge(since, zone), "since"), micros(day_end(until, zone), "until")

    def _rate(
        self, counts: tuple[int, int, int], since: date, until: date, as_of: datetime
    ) -> KpiValue:
        answered, lost, ringing = counts
        share = Estimate(answered, answered + lost)
        return KpiValue(
            "hotline_answered",
            "calls of the period that were answered",
            share,
            interval=wilson(share),
            since=since,
            until=until,
            as_of=as_of,
            undecided=ringing,
            target=self.answered,
        )


def _state(call: Call, now: int) -> str:
    if call.answered is not None and micros(call.answered, "answered") <= now:
        return "answered"
    return "lost" if call.ended is not None and micros(call.ended, "ended") <= now else "ringing"


def _by_person(shifts: Iterable[Shift]) -> list[Span]:
    """Stretches in which somebody works, each person once at a time."""
    spans: dict[str, list[Span]] = {}
    for shift in shifts:
        span = micros(shift.since, "since"), micros(shift.until, "until")
        spans.setdefault(shift.person, []).append(span)
    return [each for mine in spans.values() for each in union(mine)]


def _short(spans: list[Span], low: int, high: int, wanted: int) -> Iterator[tuple[int, int, int]]:
    """Yield where fewer than wanted work between two instants, and how few at the least."""
    changes: dict[int, int] = {low: 0, high: 0}
    for begin, end in spans:
        if begin < high and low < end:
            changes[max(begin, low)] = changes.get(max(begin, low), 0) + 1
            changes[min(end, high)] = changes.get(min(end, high), 0) - 1
    times, working = sorted(changes), 0
    open_since, fewest = low, wanted
    for when, until in pairwise(times):
        working += changes[when]
        if working >= wanted:
            fewest = wanted
            continue
        open_since = when if fewest == wanted else open_since
        fewest = min(fewest, working)
        ends = until == high or working + changes[until] >= wanted
        if ends:
            yield open_since, until, fewest
            fewest = wanted


# --- trainings ------------------------------------------------------------------------------------


@frozen
class StaffMember:
    """Somebody of the service team, and since when."""

    person: str = field(validator=who)
    joined: date


@frozen
class Training:
    """A person was trained in a topic."""

    person: str = field(validator=who)
    topic: str
    on: date


@frozen
class TopicStanding:
    """How a person stands in one topic: when last trained, by when next, and what became of it."""

    topic: str
    last: date | None
    judgement: Judgement

    @property
    def covered(self) -> bool:
        """Whether the person is trained, and the training still counts."""
        return self.last is not None and self.judgement.outcome is not Outcome.MISSED

    @property
    def due_on(self) -> date:
        """The last day for the next training."""
        return self.judgement.window.last_day


@frozen
class PersonCoverage:
    """How a person stands in every topic of the plan."""

    person: str
    topics: tuple[TopicStanding, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Topics without a training that counts."""
        return tuple(each.topic for each in self.topics if not each.covered)

    @property
    def share(self) -> Estimate:
        """Share of the topics that are covered."""
        return Estimate(len(self.topics) - len(self.missing), len(self.topics))


@policy
class TrainingPlan(Policy):
    """What the service team is recruited by, trained in, and how often again (H-47).

    >>> plan = TrainingPlan(("products", "service"), first=Days(0, 30), again=After(months=12))
    >>> (li,), _ = plan.coverage(
    ...     [StaffMember("li", date(2024, 1, 1))],
    ...     [Training("li", "products", date(2024, 1, 10))],
    ...     as_of=date(2024, 2, 1),
    ... )
    >>> li.missing, [str(x.due_on) for x in li.topics]
    (('service',), ['2025-01-10', '2024-01-31'])
    """

    topics: tuple[str, ...] = field(converter=tuple)
    first: Days = field(kw_only=True)  # after joining
    again: After | None = field(default=None, kw_only=True)  # None: once is enough
    criteria: tuple[str, ...] = field(default=(), converter=tuple, kw_only=True)  # of recruiting
    rule: str = field(default="H-47", kw_only=True)
    zone: str = field(default="Asia/Shanghai", kw_only=True)

    def coverage(
        self, staff: Iterable[StaffMember], trainings: Iterable[Training], *, as_of: When
    ) -> tuple[tuple[PersonCoverage, ...], tuple[Problem, ...]]:
        """Return how everybody stands, by name; trainings of strangers are set aside."""
        checked(as_of, "as_of")
        people = tuple(staff)
        team = {each.person: each for each in people}
        if len(team) < len(people):
            names = [each.person for each in people]
            raise DuplicateError("staff", max(names, key=names.count))
        view = AsOf.at(as_of, zone_of(self.zone))
        held: dict[tuple[str, str], list[date]] = {}
        strange: list[tuple[int, str]] = []
        for row, training in enumerate(trainings):
            if training.person not in team or training.topic not in self.topics:
                strange.append((row, f"{training.person}, {training.topic}"))
            elif view.knows(training.on):
                held.setdefault((training.person, training.topic), []).append(training.on)
        found = tuple(
            PersonCoverage(
                name, tuple(self._topic(team[name], x, held, as_of) for x in self.topics)
            )
            for name in sorted(team)
        )
        rows = tuple(row for row, _ in strange)
        allowed = f"people of the team; {', '.join(self.topics)}"
        problems = (Problem(Code.UNKNOWN_REFERENCE, rows, strange[0][1], allowed),) if rows else ()
        return found, problems

    def _topic(
        self,
        member: StaffMember,
        topic: str,
        held: dict[tuple[str, str], list[date]],
        as_of: When,
    ) -> TopicStanding:
        zone, times = zone_of(self.zone), sorted(held.get((member.person, topic), []))
        last = times[-1] if times else None
        if last is None or self.again is None:
            (window,) = self.first.windows(member.joined, zone=zone)
            # Trained before joining counts: the window asks whether, not when.
            done = [max(last, member.joined)] if last is not None else []
            return TopicStanding(topic, last, judge(window, done, as_of=as_of))
        *_, window = self.again.windows(last, zone=zone)
        return TopicStanding(topic, last, judge(window, (), as_of=as_of))
