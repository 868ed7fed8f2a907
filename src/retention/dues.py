"""When the outcome of each of many customers changes by time alone: ``ageing`` for columns.

The dates on which something can change follow from the limits and the facts. They are looked
at in turn, for all customers whose outcome has not changed yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs
import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike, NDArray

from retention.activity import History
from retention.ageing import bounds_of, next_change
from retention.aggregates import Aggregate, Extreme, Run, Tally
from retention.logs import InteractionLog, PurchaseLog
from retention.measures import figure, is_measure
from retention.mechanisms.decisions import FirstMatch, said
from retention.mechanisms.periods import LAST_DAY, AsOf, day_number, day_of
from retention.mechanisms.tables import Column, Head, Shown, Table, count_text, figures, headline
from retention.mechanisms.words import Language
from retention.summaries import Attributes, Log, Summary, View, derived, sums, view_of
from retention.windows import Ever, Span

if TYPE_CHECKING:
    from retention.mechanisms.rules import Limit

Outcome = TypeVar("Outcome")

_NO_DAY = np.iinfo(np.int64).min  # NaT of datetime64
_DAY_BITS = 32  # a customer's code and a day number share one integer


@frozen(eq=False)
class Dues(Shown, Generic[Outcome]):
    """Next change of every customer: the date, the outcome now, and the one it becomes.

    ``on`` is NaT where time alone changes nothing any more.
    """

    table: FirstMatch[Outcome] = field(repr=False)
    customers: NDArray[Any] = field(repr=False)
    on: NDArray[np.datetime64] = field(repr=False)
    current: NDArray[np.uint8] = field(repr=False)
    becomes: NDArray[np.uint8] = field(repr=False)

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.customers)

    def __repr__(self) -> str:
        """Return sizes alone."""
        return headline("Dues", len(self), "customers", {"will change": int(self._changing.sum())})

    @property
    def _changing(self) -> NDArray[np.bool_]:
        return ~np.isnat(self.on)

    def to_table(self, language: Language = "en") -> Table:
        """Return customers per change with its earliest and latest day, the most frequent first."""
        codes = self.current.astype(np.int64) * len(self.table.outcomes) + self.becomes
        changes, number = np.unique(codes[self._changing], return_counts=True)
        rows = []
        for place in np.argsort(-number, kind="stable").tolist():
            was, now = divmod(int(changes[place]), len(self.table.outcomes))
            days = self.on[self._changing & (codes == changes[place])]
            change = " → ".join(said(self.table.outcomes[code], language) for code in (was, now))
            rows.append((change, count_text(int(number[place])), str(days.min()), str(days.max())))
        never = len(self) - int(number.sum())
        rows.append((Head.NEVER_BY_ITSELF.label(language), count_text(never), "", ""))
        heads = (Head.CUSTOMERS, Head.EARLIEST, Head.LATEST)
        first = Column(Head.CHANGE.label(language))
        return Table((first, *figures(head.label(language) for head in heads)), rows)

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns; outcomes as text, and ``on`` is NaT where nothing changes."""
        names = np.array([str(outcome) for outcome in self.table.outcomes])
        return {
            "customer": self.customers,
            "on": self.on,
            "current": names[self.current],
            "becomes": names[self.becomes],
        }

    def within(self, days: int, as_of: AsOf) -> dict[tuple[Outcome, Outcome], int]:
        """Customers per change that falls into the next days."""
        soon = np.datetime64(as_of.day) + days
        hit = ~np.isnat(self.on) & (self.on <= soon)
        wide = len(self.table.outcomes)
        pairs = self.current[hit].astype(np.int64) * wide + self.becomes[hit]
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
    attributes: Attributes | None = None,
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
        attributes=attributes,
    )
    now = table.codes(summary.columns(table.measures))
    if any(isinstance(each, Run) or _in_years(limit) for each, limit in _limited(table)):
        on, becomes = _one_by_one(table, summary, purchases, interactions, now)
    else:
        logs: list[Log] = [purchases, *([] if interactions is None else [interactions])]
        views = [View.of(log, _place(log, summary), as_of) for log in logs]
        on, becomes = _in_turns(_Ahead.of(table, summary, views), now)
    return Dues(table, summary.customers, on.view("datetime64[D]"), now, becomes)


def _in_turns(
    ahead: _Ahead[Outcome], now: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    on, becomes = np.full(len(now), _NO_DAY), now.copy()
    for rows, days in ahead.turns():
        still = on[rows] == _NO_DAY
        rows, days = rows[still], days[still]  # noqa: PLW2901  whoever has changed is done
        later = ahead.table.codes(ahead.columns(rows, days))
        changed = later != now[rows]
        on[rows[changed]] = days[changed]
        becomes[rows[changed]] = later[changed]
    return on, becomes


def _one_by_one(
    table: FirstMatch[Outcome],
    summary: Summary,
    purchases: PurchaseLog,
    interactions: InteractionLog | None,
    now: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Take the path of one customer: a run of purchases is not carried forward in columns."""
    on, becomes = np.full(len(summary), _NO_DAY), now.copy()
    facts = dict(purchases.histories(interactions))
    for row, customer in enumerate(summary.customers.tolist()):
        history = facts.get(customer) or History(customer)
        known = attrs.evolve(history, attributes=summary.attributes_of(row))
        change = next_change(table, known, summary.as_of)
        if change is not None:
            on[row] = day_number(change.on)
            becomes[row] = table.outcomes.index(change.entered)
    return on, becomes


def _in_years(limit: Limit) -> bool:
    """Whether a limit counts full years, which do not grow with every day."""
    return figure(limit.measure).in_years


def _limited(table: FirstMatch[Outcome]) -> Iterator[tuple[Aggregate, Limit]]:
    """Aggregates that a table asks for, each with the limit that asks."""
    for case in table.cases:
        for limit in case.when.limits():
            if is_measure(limit.measure):
                for each in figure(limit.measure).aggregates:
                    yield each, limit


def _place(log: Log, summary: Summary) -> NDArray[np.intp]:
    """Where the customers of a log are in the summary; those with no known fact are nowhere."""
    return np.searchsorted(summary.customers, log.customers)


@frozen(eq=False)
class _Facts:
    """Facts that a window may still hold on a later day: whose, when, how much each counts."""

    codes: NDArray[np.intp]
    days: NDArray[np.int64]
    weights: NDArray[np.int64]

    @classmethod
    def of(cls, each: Tally, views: list[View], as_of: AsOf) -> _Facts:
        view = view_of(each, views)
        if view is None:
            nothing = np.array([], np.int64)
            return cls(nothing, nothing, nothing)
        codes, days, weights = view.facts(each.of)
        # A running week becomes a full one, so look at it even where no full week reaches it.
        low = min(each.span.bounds(as_of)[0], day_number(as_of.day) - 7)
        fit = days >= low
        one_each = np.ones(int(fit.sum()), np.int64)
        return cls(codes[fit], days[fit], one_each if weights is None else weights[fit])

    def tally(
        self, place: NDArray[np.intp], low: NDArray[np.int64], high: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Sum per place what lies inside its own window; place -1 is not asked for."""
        at = place[self.codes]
        mine = at >= 0
        at, days = at[mine], self.days[mine]
        fit = (days >= low[at]) & (days <= high[at])
        return sums(at[fit], self.weights[mine][fit], len(low))


@frozen(eq=False)
class _Ahead(Generic[Outcome]):
    """What the days to come hold for a table, nothing happening."""

    table: FirstMatch[Outcome]
    summary: Summary
    facts: dict[Aggregate, _Facts]  # of the windows that move

    @classmethod
    def of(cls, table: FirstMatch[Outcome], summary: Summary, views: list[View]) -> _Ahead[Outcome]:
        windows = (
            each
            for each, _ in _limited(table)
            if isinstance(each, Tally) and not isinstance(each.span, Ever)
        )
        return cls(table, summary, {x: _Facts.of(x, views, summary.as_of) for x in windows})

    def turns(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.int64]]]:
        """Days on which outcomes may change: every customer's first, then every second one."""
        first = day_number(self.summary.as_of.day) + (self.summary.as_of.instant is None)
        codes, days = self._candidates()
        fit = (days >= first) & (days <= LAST_DAY)
        pairs = np.unique(codes[fit] << _DAY_BITS | (days[fit] - first))
        codes, days = pairs >> _DAY_BITS, (pairs & ((1 << _DAY_BITS) - 1)) + first
        begins = np.flatnonzero(np.diff(codes, prepend=-1))
        lengths = np.diff(begins, append=len(codes))
        for turn in range(int(lengths.max(initial=0))):
            rows = begins[lengths > turn] + turn
            yield codes[rows], days[rows]

    def _candidates(self) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        everybody = np.arange(len(self.summary))
        codes, days = [everybody[:0]], [np.array([], np.int64)]
        for each, limit in _limited(self.table):
            if isinstance(each, Extreme):
                for bound in bounds_of(limit):
                    base = self.summary.aggregates[each]
                    codes += [everybody, everybody]
                    days += [base + bound, base + bound + 1]
            elif isinstance(each, Tally) and each in self.facts:
                facts = self.facts[each]
                for leaves in _leaves(each.span, facts.days, self.summary.as_of):
                    codes += [facts.codes]
                    days += [leaves]
        return np.concatenate(codes), np.concatenate(days)

    def columns(self, rows: NDArray[np.intp], days: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Measures of some customers, each on a later day."""
        found = {}
        for name in self.table.measures:
            if not is_measure(name):
                found[name] = self.summary.column(name)[rows]
                continue
            wanted = figure(name)
            aggregates = [self._aggregate(each, rows, days) for each in wanted.aggregates]
            found[name] = derived(wanted, aggregates, days)
        return found

    def _aggregate(
        self, each: Aggregate, rows: NDArray[np.intp], days: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        if not isinstance(each, Tally) or each not in self.facts:
            return self.summary.aggregates[each][rows]
        low, high = _bounds(each.span, days, self.summary.as_of)
        place = np.full(len(self.summary), -1)
        place[rows] = np.arange(len(rows))
        return self.facts[each].tally(place, low, high)


def _leaves(span: Span, when: NDArray[np.int64], as_of: AsOf) -> Iterator[NDArray[np.int64]]:
    """Days on which facts may leave the window; most windows give one per fact, some more."""
    different, place = np.unique(when, return_inverse=True)
    leaves = [span.leaves_on(day_of(day), as_of) for day in different.tolist()]
    for choice in zip(*leaves, strict=True):
        yield np.array([day_number(day) for day in choice], np.int64)[place]


def _bounds(
    span: Span, days: NDArray[np.int64], as_of: AsOf
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last day of the window as each day, taken as a whole, sees it."""
    different, place = np.unique(days, return_inverse=True)
    spans = [span.bounds(AsOf(day_of(day), None, as_of.zone)) for day in different.tolist()]
    table = np.array(spans, np.int64).reshape(-1, 2)
    return table[place, 0], table[place, 1]
