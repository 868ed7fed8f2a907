"""What time alone does: when an outcome changes if nothing happens, and what changed before.

Outcomes of a table of cases change by a fact or by the passing of days. Between two facts
they can change only on a few dates, which follow from the limits and the facts; so nothing
polls. One customer and columns get the same answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Generic, TypeVar
from zoneinfo import ZoneInfo

import attrs
from attrs import field, frozen

from retention.activity import History, Interaction, Purchase, Return
from retention.aggregates import Extreme, Run, Seen
from retention.measures import figure, is_measure, values
from retention.mechanisms.decisions import Decision, FirstMatch
from retention.mechanisms.periods import (
    FIRST_DAY,
    LAST_DAY,
    AsOf,
    day_edge,
    day_end,
    day_number,
    day_of,
    in_utc,
    local_date,
    plus_months,
)
from retention.mechanisms.words import Word
from retention.runs import turns_of_run

if TYPE_CHECKING:
    from retention.aggregates import Aggregate
    from retention.mechanisms.rules import Limit

Outcome = TypeVar("Outcome")

_MOST_YEARS = 500  # a limit beyond is never reached


class Trigger(Word):
    """What made an outcome change (D-06)."""

    TIME = "time", "时间推移"
    PURCHASE = "purchase", "购买"
    INTERACTION = "interaction", "互动"
    RETURN = "return", "退货"


@frozen
class Transition(Generic[Outcome]):
    """One change of outcome: what was left, what was entered, when, and why.

    ``at`` is the instant from which questions about an instant answer ``entered``; ``on`` is
    the first date whose whole day does. They differ when a week ends: its Sunday, as a whole
    day, has seen the week end, which as an instant is Monday's beginning.
    """

    on: date
    at: datetime
    left: Outcome
    entered: Outcome
    trigger: Trigger
    decision: Decision[Outcome] = field(repr=False, eq=False)
    days_away: int | None = None  # days since the purchase before, when a purchase made it

    def __str__(self) -> str:
        """Return one line for people."""
        unless = ", unless a purchase or an interaction comes first"
        what = f"{self.on} {self.left} -> {self.entered}"
        return what + (unless if self.trigger is Trigger.TIME else f" ({self.trigger})")


def next_change(
    table: FirstMatch[Outcome], history: History, as_of: AsOf
) -> Transition[Outcome] | None:
    """Return the next change of outcome if nothing happens; None if there is none.

    >>> from retention.measures import days_since_purchase
    >>> from retention.mechanisms.decisions import Case
    >>> from retention.mechanisms.periods import zone_of
    >>> table = FirstMatch((Case("recent", days_since_purchase <= 30),), otherwise="old")
    >>> history = History("C-17", [Purchase("C-17", date(2024, 1, 1), 12_50)])
    >>> day = AsOf.at(date(2024, 1, 5), zone_of("Asia/Shanghai"))
    >>> str(next_change(table, history, day))
    '2024-02-01 recent -> old, unless a purchase or an interaction comes first'
    """
    seen = Seen.of(history, as_of)
    return _next(table, seen, _decide(table, seen).outcome)


def _next(table: FirstMatch[Outcome], seen: Seen, now: Outcome) -> Transition[Outcome] | None:
    as_of = seen.as_of
    # Whole days: today itself may still bring a change when the question is about an instant.
    first = day_number(as_of.day) + (as_of.instant is None)
    for day in sorted(set(_candidates(table, seen))):
        if day_number(day) < first:
            continue
        later = _decide(table, seen.moved(AsOf(day, None, as_of.zone)))
        if later.outcome != now:
            at = _instant_of(table, seen, day, later.outcome)
            return Transition(day, at, now, later.outcome, Trigger.TIME, later)
    return None


def _decide(table: FirstMatch[Outcome], seen: Seen) -> Decision[Outcome]:
    return table.decide(values(seen, table.measures))


def _instant_of(table: FirstMatch[Outcome], seen: Seen, day: date, outcome: Outcome) -> datetime:
    """Instant from which the outcome of a whole day holds: its beginning, or its end."""
    zone = seen.as_of.zone
    begins = max(day_edge(day, zone), seen.as_of.instant or day_edge(day, zone))
    at_once = _decide(table, seen.moved(AsOf(day, begins, zone))).outcome == outcome
    return begins if at_once else day_end(day, zone)


def _candidates(table: FirstMatch[Outcome], seen: Seen) -> Iterator[date]:
    """Dates on which a limit of the table can change its answer by itself."""
    for case in table.cases:
        for limit in case.when.limits():
            if not is_measure(limit.measure):  # an attribute does not change by itself
                continue
            wanted = figure(limit.measure)
            for aggregate in wanted.aggregates:
                if wanted.in_years and isinstance(aggregate, Extreme):
                    yield from _anniversaries(aggregate, limit, seen)
                else:
                    yield from _turns(aggregate, limit, seen)


def _anniversaries(aggregate: Extreme, limit: Limit, seen: Seen) -> Iterator[date]:
    day = seen.aggregate(aggregate)
    if day is not None:
        for years in bounds_of(limit):
            if abs(years) < _MOST_YEARS:
                yield plus_months(day_of(day), 12 * years)
                yield plus_months(day_of(day), 12 * (years + 1))


def _turns(aggregate: Aggregate, limit: Limit, seen: Seen) -> Iterator[date]:
    if isinstance(aggregate, Extreme):
        day = seen.aggregate(aggregate)
        if day is not None:
            for bound in bounds_of(limit):
                turns = (day + bound, day + bound + 1)
                yield from (day_of(n) for n in turns if FIRST_DAY <= n <= LAST_DAY)
        return
    numbers = sorted(set(seen.days(aggregate.of)))
    if isinstance(aggregate, Run):
        days = [day_of(number) for number in numbers]
        yield from turns_of_run(days, seen.as_of.day, aggregate.by)
        return
    for number in numbers:
        yield from aggregate.span.leaves_on(day_of(number), seen.as_of)


def bounds_of(limit: Limit) -> Iterator[int]:
    """Whole numbers at or just after which a count of days passes a limit."""
    given = limit.limit if isinstance(limit.limit, tuple) else (limit.limit,)
    for value in given:
        if isinstance(value, int | float) and math.isfinite(value) and abs(value) < 10**6:
            yield math.floor(value)


def timeline(
    table: FirstMatch[Outcome], history: History, until: AsOf
) -> tuple[Transition[Outcome], ...]:
    """Return every change of outcome up to a point of view, oldest first (D-06).

    Facts of one instant count together; a fact known by its date alone begins its day. A
    change that time made at the very instant of a fact counts as made by time only if the
    fact did not matter.
    """
    zone = until.zone
    times = sorted({_instant(x.at, zone) for x in _facts(history) if until.knows(x.at)})
    found: list[Transition[Outcome]] = []
    seen = Seen.of(_until(history, None, zone), until)
    outcome = _decide(table, seen).outcome
    for at in times:
        for change in _by_time(table, seen, outcome, at):
            found.append(change)
            outcome = change.entered
        before, seen = seen, Seen.of(_until(history, at, zone), _as_of(at, zone))
        decision = _decide(table, seen)
        if decision.outcome != outcome:
            found.append(_by_fact(table, before, seen, outcome, decision))
            outcome = decision.outcome
    for change in _by_time(table, seen, outcome, None):
        if change.on > until.day or (until.instant and change.at > until.instant):
            break
        found.append(change)
    return tuple(found)


def _by_time(
    table: FirstMatch[Outcome], seen: Seen, outcome: Outcome, before: datetime | None
) -> Iterator[Transition[Outcome]]:
    """Changes by time alone after what was seen, strictly before an instant."""
    while (change := _next(table, seen, outcome)) is not None:
        if before is not None and change.at >= before:
            day = local_date(before, seen.as_of.zone)
            if change.at > before or change.on >= day:  # a week has ended with the day before
                return
        yield change
        outcome = change.entered
        seen = seen.moved(_as_of(change.at, seen.as_of.zone))


def _by_fact(
    table: FirstMatch[Outcome],
    before: Seen,
    seen: Seen,
    outcome: Outcome,
    decision: Decision[Outcome],
) -> Transition[Outcome]:
    """Return a change at the instant of facts, with what made it."""
    at = seen.as_of.instant
    assert at is not None  # noqa: S101  facts are looked at from their instant
    trigger = _trigger(table, before, seen, decision.outcome)
    away = None
    if trigger is Trigger.PURCHASE and before.bought:
        away = max(seen.days("purchases")) - max(before.days("purchases"))
    return Transition(seen.as_of.day, at, outcome, decision.outcome, trigger, decision, away)


def _trigger(table: FirstMatch[Outcome], before: Seen, seen: Seen, outcome: Outcome) -> Trigger:
    """Say what made an outcome.

    Time did, if it comes without the new facts; else the first sort of fact that brings it
    alone, else the first sort that there is.
    """
    if _decide(table, before.moved(seen.as_of)).outcome == outcome:
        return Trigger.TIME
    sorts = {
        Trigger.PURCHASE: attrs.evolve(before, as_of=seen.as_of, bought=seen.bought),
        Trigger.RETURN: attrs.evolve(before, as_of=seen.as_of, returned=seen.returned),
        Trigger.INTERACTION: attrs.evolve(before, as_of=seen.as_of, others=seen.others),
    }
    for trigger, alone in sorts.items():
        if _decide(table, alone).outcome == outcome:
            return trigger
    return next(trigger for trigger, alone in sorts.items() if alone != before.moved(seen.as_of))


def _facts(history: History) -> tuple[Purchase | Return | Interaction, ...]:
    return (*history.purchases, *history.returns, *history.interactions)


def _instant(when: date | datetime, zone: ZoneInfo) -> datetime:
    return in_utc(when) if isinstance(when, datetime) else day_edge(when, zone)


def _as_of(at: datetime, zone: ZoneInfo) -> AsOf:
    return AsOf(local_date(at, zone), at, zone)


def _until(history: History, at: datetime | None, zone: ZoneInfo) -> History:
    """Return the facts up to an instant; none at all for None."""
    if at is None:
        return History(history.customer)
    return History(
        history.customer,
        (x for x in history.purchases if _instant(x.at, zone) <= at),
        (x for x in history.interactions if _instant(x.at, zone) <= at),
        (x for x in history.returns if _instant(x.at, zone) <= at),
    )
