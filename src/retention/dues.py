"""When the outcome of each of many customers changes by time alone: ``ageing`` for columns.

Tables that ask for days since something and for weeks, as lifecycle stages do, are answered
from the aggregates of a summary. Tables with counting windows, as layers have, need the facts
and take the path of one customer; the answers are the same.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike, NDArray

from retention.activity import History
from retention.ageing import bounds_of, next_change
from retention.logs import InteractionLog, PurchaseLog
from retention.measures import Aggregate, Ever, Extreme, Tally, Week, figure
from retention.mechanisms.decisions import FirstMatch
from retention.mechanisms.periods import AsOf, day_number, monday
from retention.summaries import NEVER_FIRST, Summary, derived

Outcome = TypeVar("Outcome")

_NO_DAY = np.iinfo(np.int64).min  # NaT of datetime64


@frozen(eq=False)
class Dues(Generic[Outcome]):
    """Next change of every customer: the date, the outcome now, and the one it becomes.

    ``on`` is NaT where time alone changes nothing any more.
    """

    table: FirstMatch[Outcome] = field(repr=False)
    customers: NDArray[Any] = field(repr=False)
    on: NDArray[np.datetime64]
    now: NDArray[np.uint8] = field(repr=False)
    becomes: NDArray[np.uint8] = field(repr=False)

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns; outcomes as text."""
        names = np.array([str(outcome) for outcome in self.table.outcomes])
        return {
            "customer": self.customers,
            "on": self.on,
            "now": names[self.now],
            "becomes": names[self.becomes],
        }

    def within(self, days: int, as_of: AsOf) -> dict[tuple[Outcome, Outcome], int]:
        """Customers per change that falls into the next days."""
        soon = np.datetime64(as_of.day) + days
        hit = ~np.isnat(self.on) & (self.on <= soon)
        wide = len(self.table.outcomes)
        pairs = self.now[hit].astype(np.int64) * wide + self.becomes[hit]
        found, number = np.unique(pairs, return_counts=True)
        name = self.table.outcomes
        return {
            (name[p // wide], name[p % wide]): n
            for p, n in zip(found.tolist(), number.tolist(), strict=True)
        }


def next_changes(
    table: FirstMatch[Outcome],
    purchases: PurchaseLog,
    interactions: InteractionLog | None = None,
    *,
    as_of: AsOf,
    customers: ArrayLike | None = None,
) -> Dues[Outcome]:
    """Return the next change of every customer if nothing happens.

    >>> from datetime import date
    >>> from retention.measures import days_since_purchase
    >>> from retention.mechanisms.decisions import Case
    >>> from retention.mechanisms.periods import zone_of
    >>> table = FirstMatch((Case("recent", days_since_purchase <= 30),), otherwise="old")
    >>> log = PurchaseLog.from_columns(
    ...     customer=[7, 9], amount=[1, 2], at=[date(2024, 1, 1), date(2023, 1, 1)]
    ... )
    >>> day = AsOf.at(date(2024, 1, 5), zone_of("Asia/Shanghai"))
    >>> next_changes(table, log, as_of=day).on
    array(['2024-02-01',        'NaT'], dtype='datetime64[D]')
    """
    summary = Summary.of(
        table.measures,
        purchases,
        interactions,
        as_of=as_of,
        customers=customers,
        also=_running_weeks(table),
    )
    now = table.codes(summary.columns(table.measures))
    if _ages(table):
        on, becomes = _by_columns(table, summary, now)
    else:
        on, becomes = _one_by_one(table, summary, purchases, interactions, now)
    return Dues(table, summary.customers, on.view("datetime64[D]"), now, becomes)


def _ages(table: FirstMatch[Outcome]) -> bool:
    """Whether all measures of a table can be carried forward from aggregates alone."""
    return all(
        isinstance(each, Extreme) or isinstance(each.span, Ever | Week)
        for name in table.measures
        for each in figure(name).aggregates
    )


def _running_weeks(table: FirstMatch[Outcome]) -> list[Aggregate]:
    """The week that is still running, which will be a full week one day."""
    found = (each for name in table.measures for each in figure(name).aggregates)
    kinds = {x.of for x in found if isinstance(x, Tally) and isinstance(x.span, Week)}
    return [Tally(kind, Week(-1)) for kind in sorted(kinds)]


def _by_columns(
    table: FirstMatch[Outcome], summary: Summary, now: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    days = _candidates(table, summary)
    days.sort(axis=1)
    on = np.full(len(summary), _NO_DAY)
    becomes = now.copy()
    open_rows = np.arange(len(summary))
    for column in days.T:
        ask = open_rows[column[open_rows] < NEVER_FIRST]
        if not ask.size:
            continue
        later = table.codes(_carried(table, summary, ask, column[ask]))
        changed = later != now[ask]
        on[ask[changed]] = column[ask[changed]]
        becomes[ask[changed]] = later[changed]
        open_rows = open_rows[on[open_rows] == _NO_DAY]
    return on, becomes


def _candidates(table: FirstMatch[Outcome], summary: Summary) -> NDArray[np.int64]:
    """Days on which each customer's outcome may change; a day too far means none."""
    found: list[NDArray[np.int64]] = []
    size, first = len(summary), day_number(summary.as_of.day)
    first += summary.as_of.instant is None
    weeks = 0
    for case in table.cases:
        for limit in case.when.limits():
            for each in figure(limit.measure).aggregates:
                if isinstance(each, Extreme):
                    base = summary.aggregates[each]
                    found += [base + b + extra for b in bounds_of(limit) for extra in (0, 1)]
                elif isinstance(each.span, Week):
                    weeks = max(weeks, each.span.back + 3)
    sunday = day_number(monday(summary.as_of.day)) + 6
    found += [np.full(size, sunday + 7 * week) for week in range(weeks)]
    days = np.stack(found, axis=1) if found else np.empty((size, 0), np.int64)
    # Something that never happened lies beyond any day; what has passed is not asked again.
    days[(days < first) | (days > NEVER_FIRST // 2)] = NEVER_FIRST
    return days


def _carried(
    table: FirstMatch[Outcome], summary: Summary, rows: NDArray[np.intp], days: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    """Measures of some customers on later days, nothing having happened since."""
    columns = {}
    for name in table.measures:
        wanted = figure(name)
        found = [_carried_one(each, summary, rows, days) for each in wanted.aggregates]
        columns[name] = derived(wanted, found, days)
    return columns


def _carried_one(
    each: Aggregate, summary: Summary, rows: NDArray[np.intp], days: NDArray[np.int64]
) -> NDArray[np.int64]:
    if isinstance(each, Extreme) or not isinstance(each.span, Week):
        return summary.aggregates[each][rows]
    # A whole later day has ended; its weeks are the older ones of today, moved on.
    start = day_number(monday(summary.as_of.ended_before))
    ended = days + 1
    moved = (ended - (ended + 3) % 7 - start) // 7  # day 0, 1970-01-01, was a Thursday
    back = each.span.back - moved
    found = np.zeros(len(rows), np.int64)
    for week in range(-1, each.span.back + 1):
        values = summary.aggregates.get(Tally(each.of, Week(week)))
        if values is not None:
            hit = back == week
            found[hit] = values[rows[hit]]
    return found


def _one_by_one(
    table: FirstMatch[Outcome],
    summary: Summary,
    purchases: PurchaseLog,
    interactions: InteractionLog | None,
    now: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    on, becomes = np.full(len(summary), _NO_DAY), now.copy()
    bought = dict(purchases.histories(interactions))
    for row, customer in enumerate(summary.customers.tolist()):
        history = bought.get(customer) or History(customer)
        change = next_change(table, history, summary.as_of)
        if change is not None:
            on[row] = day_number(change.on)
            becomes[row] = table.outcomes.index(change.entered)
    return on, becomes
