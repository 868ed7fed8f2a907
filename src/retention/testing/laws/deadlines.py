"""Every obligation has one outcome, and the windows of a cadence leave no date out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from retention.mechanisms.obligations import (
    After,
    Done,
    Every,
    Obligation,
    Outcome,
    Window,
    agenda,
)
from retention.mechanisms.periods import When, day_edge, local_date, plus_months
from retention.testing.laws.agreement import agree

_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
_ENDED = {Outcome.ON_TIME, Outcome.LATE}
_MAY_BECOME: dict[Outcome, set[Outcome]] = {
    Outcome.PENDING: set(Outcome) - {Outcome.PENDING},
    Outcome.DUE: {Outcome.MISSED, *_ENDED},
    Outcome.MISSED: {Outcome.LATE},
    Outcome.ON_TIME: set(),
    Outcome.LATE: set(),
}


def an_obligation_has_one_outcome(
    obligation: Obligation, done: Iterable[Done], *, as_ofs: Iterable[When]
) -> None:
    """At each point of view one outcome, that of RC-12; time takes no outcome back.

    What is late or missed never becomes anything else, but what was missed may be done late.
    Where dates are enough, a date says what the last instant of that day says.

    >>> from retention.mechanisms.obligations import Days
    >>> from retention.mechanisms.periods import zone_of
    >>> window = next(Days(1, 3).windows(date(2024, 3, 3), zone=zone_of("Asia/Shanghai")))
    >>> call = Obligation("C-17", "call", window, "F-13")
    >>> days = [date(2024, 3, day) for day in range(1, 12)]
    >>> an_obligation_has_one_outcome(call, [Done("C-17", "call", days[8])], as_ofs=days)
    """
    window, facts = obligation.window, list(done)
    times = [fact.at for fact in facts if _fits(obligation, fact)]
    asked = sorted(as_ofs, key=lambda when: _end(when, window.zone))
    found: list[tuple[When, Outcome, datetime | None]] = []
    for as_of in asked:
        outcome, when = _outcome(obligation, facts, as_of)
        case = f"{obligation.what} in {_said(window)} as of {as_of}"
        _check(case, obligation, (facts, times), as_of, outcome)
        found.append((as_of, outcome, when))
    for (_, before, was), (as_of, after, now) in pairwise(found):
        if (after is not before and after not in _MAY_BECOME[before]) or (was and now != was):
            raise AssertionError(
                f"law an_obligation_has_one_outcome is broken for {obligation.what} in "
                f"{_said(window)} as of {as_of}: {before} became {after}, done {was} became {now}"
            )


def windows_of_a_cadence_tile_the_calendar(
    limit: Every | After,
    since: When,
    *,
    zone: ZoneInfo,
    until: When,
    done: Sequence[When] = (),
) -> None:
    """Calendar periods adjoin, so each date is in one; an interval begins with what was done.

    The days of a period are counted one by one. An interval has a window after each
    occurrence, which ends as many months and days later (RC-07, AMB-31).

    >>> from retention.mechanisms.periods import zone_of
    >>> windows_of_a_cadence_tile_the_calendar(
    ...     Every(months=3), date(2024, 2, 10), zone=zone_of("UTC"), until=date(2025, 1, 1)
    ... )
    """
    if isinstance(limit, Every):
        _check_periods(limit, local_date(since, zone), zone, local_date(until, zone))
    else:
        days = [local_date(when, zone) for when in done]
        _check_intervals(limit, since, zone, [x for x in days if x <= local_date(until, zone)])


def _outcome(
    obligation: Obligation, done: Sequence[Done], as_of: When
) -> tuple[Outcome, datetime | None]:
    """The one list of the agenda, of five, on which the obligation stands."""
    lists = [agenda([obligation], done, as_of=as_of, outcomes={each}) for each in Outcome]
    items = [item for each in lists for item in each]
    case = f"{obligation.what} in {_said(obligation.window)} as of {as_of}"
    agree("an_obligation_has_one_outcome", case, outcomes=len(items), wanted=1)
    return items[0].outcome, items[0].done


def _check(
    case: str,
    obligation: Obligation,
    facts: tuple[list[Done], list[When]],
    as_of: When,
    outcome: Outcome,
) -> None:
    window, (done, times) = obligation.window, facts
    agree(
        "an_obligation_has_one_outcome", case,
        agenda=str(outcome),
        by_the_words=str(_by_the_words(window, times, _end(as_of, window.zone))),
        facts_backwards=str(_outcome(obligation, done[::-1], as_of)[0]),
    )  # fmt: skip
    if not window.hours:
        last = _outcome(obligation, done, _end(as_of, window.zone))[0]
        agree("an_obligation_has_one_outcome", case, day=str(outcome), last_instant_of_it=str(last))


def _by_the_words(window: Window, done: Sequence[When], now: datetime) -> Outcome:
    """RC-12 once more, on instants."""
    known = [at for at in (_began(when, window) for when in done) if window.opens <= at <= now]
    fits = [at for at in known if window.late_until is None or at < window.late_until]
    last = window.closes if window.hours else window.closes - _TICK
    if any(at <= last for at in fits):
        return Outcome.ON_TIME
    if fits:
        return Outcome.LATE
    if now < window.opens:
        return Outcome.PENDING
    return Outcome.MISSED if now > last else Outcome.DUE


def _began(when: When, window: Window) -> datetime:
    """What was done on a date counts from its beginning, or from the opening on that date."""
    if isinstance(when, datetime):
        return when.astimezone(UTC)
    on_first = local_date(window.opens, window.zone) == when
    return window.opens.astimezone(UTC) if on_first else day_edge(when, window.zone)


def _end(when: When, zone: ZoneInfo) -> datetime:
    """The last instant that a point of view knows."""
    if isinstance(when, datetime):
        return when.astimezone(UTC)
    return day_edge(when + _DAY, zone) - _TICK


def _fits(obligation: Obligation, fact: Done) -> bool:
    mine = (fact.subject, fact.what) == (obligation.subject, obligation.what)
    return mine and (not obligation.channels or fact.channel in obligation.channels)


def _said(window: Window) -> str:
    return f"{window.opens.isoformat()} to {window.closes.isoformat()} ({window.zone.key})"


def _check_periods(limit: Every, since: date, zone: ZoneInfo, until: date) -> None:
    """Write all dates of the periods down, and compare each period with its window."""
    law, months = "windows_of_a_cadence_tile_the_calendar", limit.months
    found = list(limit.windows(since, zone=zone, until=until))
    case = f"{limit} from {since} to {until} in {zone.key}"
    periods = [period_of(since, months)]
    while periods[-1][-1] < until:
        periods.append(period_of(periods[-1][-1] + _DAY, months))
    agree(law, case, windows=len(found), periods=len(periods))
    for one, after in pairwise(found):
        if one.late_until is None or after.opens < one.late_until:
            raise AssertionError(f"law {law} is broken for {case}: {_said(after)} begins too soon")
    for days, window in zip(periods, found, strict=True):
        opens, last = (days[n - 1 if n > 0 else n] for n in (limit.first_day, limit.last_day))
        agree(
            law, f"{case}, the period from {days[0]}",
            window=(window.opens, window.closes, window.late_until),
            dates=tuple(day_edge(day, zone) for day in (opens, last + _DAY, days[-1] + _DAY)),
        )  # fmt: skip


def period_of(day: date, months: int) -> list[date]:
    """Return all dates of the calendar period of so many months that holds a date.

    >>> [str(day) for day in period_of(date(2024, 5, 6), 3)[::90]]
    ['2024-04-01', '2024-06-30']
    """
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    end = date(first.year + (first.month + months > 12), (first.month + months - 1) % 12 + 1, 1)  # noqa: PLR2004
    return [first + n * _DAY for n in range((end - first).days)]


def _check_intervals(limit: After, since: When, zone: ZoneInfo, done: list[date]) -> None:
    law, found = "windows_of_a_cadence_tile_the_calendar", list[tuple[datetime, datetime]]()
    for window in limit.windows(since, zone=zone, done=done):
        found.append((window.opens, window.closes))
    begin = local_date(since, zone)
    starts = [begin, *sorted({day for day in done if day > begin})]
    ends = [plus_months(day, limit.months) + timedelta(days=limit.days) for day in starts]
    wanted = [
        (day_edge(start + _DAY, zone), day_edge(end + _DAY, zone))
        for start, end in zip(starts, ends, strict=True)
    ]
    agree(law, f"{limit} from {since} in {zone.key}", windows=found, occurrences=wanted)
