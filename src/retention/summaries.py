"""Summaries: the measures of many customers from logs, in numpy, mergeable.

A summary keeps aggregates, not rows: the summary of a union of logs is the merge of their
summaries, so logs can be summarised where they lie, and a summary is brought up to date with
new facts alone. Values equal those of ``measures`` for each customer alone.

What cannot be had without the rows is refused by name: runs of purchases do not merge, and a
window that moves with the day lets go of facts that a summary no longer knows apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

import attrs
import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike, NDArray

from retention.aggregates import OF_PURCHASES, Aggregate, Extreme, Of, Run, Tally
from retention.identifiers import Identifiers, united
from retention.logs import InteractionLog, PurchaseLog
from retention.measures import Figure, figure, is_measure
from retention.mechanisms.answers import Problem, Scalar
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    UnknownMeasureError,
    UnpinnedPolicyError,
)
from retention.mechanisms.periods import AsOf, When, day_end, day_number
from retention.mechanisms.tables import Head, Shown, Table, headline, spread
from retention.mechanisms.words import Language
from retention.runs import NO_RUN, RunOf, runs

Log = PurchaseLog | InteractionLog

NEVER_LAST = -(2**31)  # last day of something that never happened: any other day is later
NEVER_FIRST = 2**31  # first day of it: any other day is earlier
_LOW_HALF, _MOST_HIGH = 2**32 - 1, 2**31 - 1  # of a number of 64 bits
_EXACT_SUM = 2**53  # sums of float64 weights are exact below


@frozen(eq=False)
class Attributes:
    """What the host knows of customers besides their facts: industry, region, survey results.

    >>> who = Attributes.from_columns(customer=["b", "a"], industry=["retail", "banking"])
    >>> who.column("industry", np.array(["a", "c"])).tolist()
    ['banking', '']
    """

    customers: NDArray[Any] = field(repr=False)
    columns: Mapping[str, NDArray[Any]] = field(repr=False)

    @classmethod
    def from_columns(cls, *, customer: ArrayLike, **columns: ArrayLike) -> Attributes:
        """Read columns of equal length, one row a customer."""
        ids = np.asarray(customer)
        found = {name: np.asarray(column) for name, column in columns.items()}
        lengths = {"customer": len(ids)} | {name: len(column) for name, column in found.items()}
        if len(set(lengths.values())) > 1:
            raise UnequalColumnsError("attributes", lengths)
        order = np.argsort(ids, kind="stable")
        if (ids[order][1:] == ids[order][:-1]).any():
            raise DuplicateError("attributes.customer", "a customer")
        return cls(ids[order], {name: column[order] for name, column in found.items()})

    def column(self, name: str, customers: NDArray[Any]) -> NDArray[Any]:
        """Return an attribute for some customers; missing (NaN, empty text) for strangers."""
        if name not in self.columns:
            raise UnknownMeasureError("attribute", name, tuple(self.columns))
        values = self.columns[name]
        if not len(self.customers):
            return np.full(len(customers), np.nan)
        place = np.minimum(np.searchsorted(self.customers, customers), len(self.customers) - 1)
        found = values[place]
        known = self.customers[place] == customers
        if known.all():
            return found
        return np.where(known, found, "" if values.dtype.kind == "U" else np.nan)


@frozen(eq=False)
class Summary(Shown):
    """Aggregates per customer as of one point of view.

    >>> from datetime import date
    >>> from retention.mechanisms.periods import zone_of
    >>> day = AsOf.at(date(2024, 6, 30), zone_of("Asia/Shanghai"))
    >>> log = PurchaseLog.from_columns(
    ...     customer=[7, 9, 7],
    ...     amount_minor=[100, 250, 50],
    ...     at=np.array(["2024-06-01", "2024-01-02", "2024-06-20"], "datetime64[D]"),
    ... )
    >>> summary = Summary.of(["days_since_purchase", "spend_minor_30d"], log, as_of=day)
    >>> {name: summary.column(name).tolist() for name in summary.names}
    {'days_since_purchase': [10, 180], 'spend_minor_30d': [150, 0]}
    """

    names: tuple[str, ...]
    customers: NDArray[Any] = field(repr=False)
    aggregates: Mapping[Aggregate, NDArray[np.int64]] = field(repr=False)
    as_of: AsOf
    left_out: int = 0  # facts after as_of
    problems: tuple[Problem, ...] = ()
    attributes: Attributes | None = None

    @classmethod
    def of(
        cls,
        names: Iterable[str],
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: AsOf,
        customers: ArrayLike | None = None,
        attributes: Attributes | None = None,
    ) -> Summary:
        """Summarise logs for the measures with these names.

        A customer is in the summary when a fact of theirs is known at ``as_of``, or when
        listed in ``customers`` (people who registered and did nothing yet).
        """
        names = tuple(dict.fromkeys(names))
        figures = [figure(name) for name in names if attributes is None or is_measure(name)]
        wanted = dict.fromkeys(each for found in figures for each in found.aggregates)
        logs: list[Log] = [purchases, *([] if interactions is None else [interactions])]
        listed = Identifiers.of(() if customers is None else customers).customers
        everyone, places, asked = _everyone(logs, listed)
        views = [View.of(log, place, as_of) for log, place in zip(logs, places, strict=True)]
        found: dict[Aggregate, NDArray[np.int64]] = {
            each: _aggregate(each, views, len(everyone), as_of) for each in wanted
        }
        left_out = sum(view.left_out for view in views)
        problems = tuple(problem for log in logs for problem in log.problems)
        if left_out:
            seen = _seen(views, len(everyone))
            seen[asked] = True
            everyone = everyone[seen]
            for each, values in found.items():
                found[each] = values[seen]
        return cls(names, everyone, found, as_of, left_out, problems, attributes)

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.customers)

    def column(self, name: str) -> NDArray[Any]:
        """Return one measure per customer; float64 with NaN where a value is missing."""
        if self.attributes is not None and not is_measure(name):
            return self.attributes.column(name, self.customers)
        wanted = figure(name)
        if wanted.share_of:
            raise UnpinnedPolicyError("measure", name, "pin the policy, or rank the amounts")
        return derived(wanted, [self.aggregates[x] for x in wanted.aggregates], self._today)

    def columns(self, names: Iterable[str] | None = None) -> dict[str, NDArray[Any]]:
        """Return measures per customer by name; all of them by default."""
        return {name: self.column(name) for name in (self.names if names is None else names)}

    def __repr__(self) -> str:
        """Return sizes alone: ids and amounts of customers do not belong into messages."""
        unit = f"customers as of {self.as_of.day}; {len(self.names)} measures"
        return headline("Summary", len(self), unit, {})

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: customer, and every measure that an amount alone gives."""
        return {"customer": self.customers, **self.columns(self._answered)}

    def to_table(self, language: Language = "en") -> Table:
        """Return how many customers have a value of each measure, and its mean and median."""
        return spread(self.columns(self._answered), Head.MEASURE, language)

    @property
    def _answered(self) -> list[str]:
        """Names without shares of a population, which ask for a pinned policy."""
        return [x for x in self.names if not is_measure(x) or not figure(x).share_of]

    def attributes_of(self, row: int) -> dict[str, Scalar]:
        """Return the attributes of one customer."""
        if self.attributes is None:
            return {}
        one = self.customers[row : row + 1]
        return {x: self.attributes.column(x, one)[0].item() for x in self.attributes.columns}

    def merge(self, other: Summary) -> Summary:
        """Return the summary of both logs together: same measures, same point of view."""
        if self.as_of != other.as_of or self.names != other.names:
            raise InvalidValueError("merge", other.names, "a summary of the same measures and day")
        self._check_no_run("merge")
        everyone, place, others = _both(self.customers, other.customers)
        merged = {
            each: _merged(each, [place, others], (values, other.aggregates[each]), len(everyone))
            for each, values in self.aggregates.items()
        }
        left_out = self.left_out + other.left_out
        problems = self.problems + other.problems
        return Summary(
            self.names, everyone, merged, self.as_of, left_out, problems, self.attributes
        )

    def updated(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When | None = None,
    ) -> Summary:
        """Return the summary of the earlier facts and new ones, in the time of the new ones.

        New facts may be late or backdated, returns, and of new customers; it is the summary of
        all facts at once. Give each fact once: an order that came before is not known here.

        A later ``as_of`` moves the point of view. Days since the first or last fact and totals
        of all time move with it. A window that lets go of facts (``purchases_30d``) does not,
        nor does a summary that left facts out: both are refused, summarise all rows again.

        >>> from datetime import date
        >>> from retention.mechanisms.periods import zone_of
        >>> june = AsOf.at(date(2024, 6, 30), zone_of("Asia/Shanghai"))
        >>> old = PurchaseLog.from_columns(customer=[7], amount=[1], at=[date(2024, 6, 1)])
        >>> new = PurchaseLog.from_columns(customer=[7], amount=[2], at=[date(2024, 5, 2)])
        >>> summary = Summary.of(["days_since_purchase", "spend_minor"], old, as_of=june)
        >>> found = summary.updated(new, as_of=date(2024, 7, 1))
        >>> {name: column.tolist() for name, column in found.columns().items()}
        {'days_since_purchase': [30], 'spend_minor': [300]}
        """
        self._check_no_run("updated")
        moved = self if as_of is None else self._moved(AsOf.at(as_of, self.as_of.zone))
        new = Summary.of(
            self.names, purchases, interactions, as_of=moved.as_of, attributes=self.attributes
        )
        return moved.merge(new)

    def _moved(self, as_of: AsOf) -> Summary:
        """Return the same facts seen from a later point of view."""
        if as_of == self.as_of:
            return self
        if as_of.day < self.as_of.day or _ends(as_of) < _ends(self.as_of):
            raise InvalidValueError("as_of", str(as_of.day), f"not before {self.as_of.day}")
        if self.left_out:
            allowed = "a summary that left out no fact; summarise all rows again"
            raise InvalidValueError("left_out", self.left_out, allowed)
        for name, each in self._aggregates():
            if isinstance(each, Tally) and not _stays(each, self.as_of, as_of):
                allowed = f"measures whose window stays; summarise all rows as of {as_of.day}"
                raise InvalidValueError("updated", name, allowed)
        return attrs.evolve(self, as_of=as_of)

    def _check_no_run(self, where: str) -> None:
        for name, each in self._aggregates():
            if isinstance(each, Run):
                raise InvalidValueError(where, name, "measures that merge; a run does not")

    def _aggregates(self) -> Iterator[tuple[str, Aggregate]]:
        """Every measure with each of its aggregates; attributes have none."""
        for name in self.names:
            if self.attributes is None or is_measure(name):
                yield from ((name, each) for each in figure(name).aggregates)

    @property
    def _today(self) -> int:
        return day_number(self.as_of.day)


def _merged(
    each: Aggregate,
    place: list[NDArray[np.intp]],
    values: tuple[NDArray[np.int64], NDArray[np.int64]],
    size: int,
) -> NDArray[np.int64]:
    codes, both = np.concatenate(place), np.concatenate(values)
    if isinstance(each, Extreme):
        return _extreme(each, codes, both, size, rising=False)
    return sums(codes, both, size)


def _both(
    one: NDArray[Any], other: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[np.intp]]:
    """The customers of two summaries together, and where those of each are among them."""
    if not len(one) or not len(other):  # nobody has no kind, and goes with numbers and text
        everyone = one if len(one) else other
        return everyone, np.arange(len(one)), np.arange(len(other))
    everyone, (place, others) = united([one, other])
    return everyone, place, others


def _ends(as_of: AsOf) -> datetime:
    """Return the instant from which facts are no longer known, or the last one that knows them."""
    return as_of.instant or day_end(as_of.day, as_of.zone)


def _stays(each: Tally, before: AsOf, after: AsOf) -> bool:
    """Whether the window counts the same of the earlier facts, none leaving, none entering."""
    (low, high), (then_low, then_high) = each.span.bounds(before), each.span.bounds(after)
    return low == then_low and (high == then_high or high == day_number(before.day) < then_high)


def derived(wanted: Figure, found: list[NDArray[np.int64]], today: Any) -> NDArray[Any]:  # noqa: ANN401
    """Return the values of a measure from its aggregates; NaN where one is missing."""
    column: NDArray[Any] = wanted.family.combine(found, today, wanted.divisor)
    for each, values in zip(wanted.aggregates, found, strict=True):
        if isinstance(each, Extreme):
            missing = values == _nothing(each)
            if missing.any():
                column = np.where(missing, np.nan, column)
    return column


def _nothing(each: Aggregate) -> int:
    """Value of an aggregate for a customer without any such fact."""
    if isinstance(each, Tally):
        return 0
    if isinstance(each, Run):
        return NO_RUN if each.by is RunOf.GAPS else 0
    return NEVER_LAST if each.last else NEVER_FIRST


@frozen(eq=False)
class View:
    """The known rows of one log: codes into everyone, day numbers, amounts or kinds."""

    log: Log
    codes: NDArray[np.intp]
    days: NDArray[np.int64]
    rows: slice | NDArray[np.bool_]
    left_out: int

    @classmethod
    def of(cls, log: Log, place: NDArray[np.intp] | None, as_of: AsOf) -> View:
        """Look at a log; ``place`` says where its customers are (None: at their own codes)."""
        rows = log.times.known(as_of)
        codes = log.codes[rows]
        codes = codes if place is None else place[codes]
        days = log.times.days(as_of.zone)[rows]
        return cls(log, codes, days, rows, len(log) - len(codes))

    @cached_property
    def rising(self) -> bool:
        """Whether the days rise; where clocks go back over midnight, instants may and days not."""
        times = self.log.times
        return times.rising and (times.are_days or bool((self.days[1:] >= self.days[:-1]).all()))

    def facts(self, of: Of) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.int64] | None]:
        """Codes, days and weights of one sort of facts; no weights: one each."""
        fit, weights = self.log.sort_of(of, self.rows)
        if fit is None:
            return self.codes, self.days, weights
        return self.codes[fit], self.days[fit], None if weights is None else weights[fit]


def _everyone(
    logs: list[Log], listed: NDArray[Any]
) -> tuple[NDArray[Any], list[NDArray[np.intp] | None], NDArray[np.intp]]:
    """All customers; where those of each log are among them (None: the same), and the listed."""
    groups = [log.customers for log in logs if len(log)]
    if not len(listed) and len(groups) <= 1:
        everyone = groups[0] if groups else logs[0].customers
        same = [None if log.customers is everyone else _NOBODY for log in logs]
        return everyone, same, _NOBODY
    everyone, places = united([*groups, *([listed] if len(listed) else [])])
    asked = places.pop() if len(listed) else _NOBODY
    found = iter(places)
    return everyone, [next(found) if len(log) else _NOBODY for log in logs], asked


_NOBODY = np.array([], np.intp)


def _aggregate(each: Aggregate, views: list[View], size: int, as_of: AsOf) -> NDArray[np.int64]:
    view = view_of(each, views)
    if view is None or not len(view.codes):
        return np.full(size, _nothing(each), np.int64)
    if isinstance(each, Run):
        return _runs(each, view, size, as_of)
    if isinstance(each, Tally):
        return _tally(each, view, size, as_of)
    codes, days, _ = view.facts(each.of)
    return _extreme(each, codes, days, size, rising=view.rising)


def view_of(each: Aggregate, views: list[View]) -> View | None:
    """Return the rows that an aggregate is taken from."""
    bought = each.of in OF_PURCHASES
    return next((view for view in views if isinstance(view.log, PurchaseLog) == bought), None)


def _extreme(
    each: Extreme, codes: NDArray[np.intp], days: NDArray[np.int64], size: int, *, rising: bool
) -> NDArray[np.int64]:
    found = np.full(size, _nothing(each), np.int64)
    if rising:  # rows in the order of time: the last write wins
        step = 1 if each.last else -1
        found[codes[::step]] = days[::step]
    else:
        (np.maximum if each.last else np.minimum).at(found, codes, days)
    return found


def _tally(each: Tally, view: View, size: int, as_of: AsOf) -> NDArray[np.int64]:
    codes, days, weights = view.facts(each.of)
    low, high = each.span.bounds(as_of)
    rows: slice | NDArray[np.bool_]
    if view.rising:
        rows = slice(*np.searchsorted(days, (low, high + 1)).tolist())
    else:
        rows = (days >= low) & (days <= high)
    if weights is None:
        return np.bincount(codes[rows], minlength=size)
    return sums(codes[rows], weights[rows], size)


def _runs(each: Run, view: View, size: int, as_of: AsOf) -> NDArray[np.int64]:
    codes, days, _ = view.facts(each.of)
    return runs(codes, days, size, as_of.day, each.by)


def sums(codes: NDArray[np.intp], amounts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return exact sums of whole numbers per code.

    >>> sums(np.array([0, 1, 0]), np.array([2**60, 1, -1]), 2).tolist()
    [1152921504606846975, 1]
    """
    if amounts.size == 0:
        return np.zeros(size, np.int64)
    largest = max(abs(int(amounts.max())), abs(int(amounts.min())))
    if largest * amounts.size < _EXACT_SUM:
        return np.bincount(codes, weights=amounts, minlength=size).astype(np.int64)
    return _long_sums(codes, amounts, size)


def _long_sums(codes: NDArray[np.intp], amounts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Add both halves of the amounts alone, so that no sum passes 64 bits unseen."""
    high, low = np.zeros(size, np.int64), np.zeros(size, np.int64)
    np.add.at(high, codes, amounts >> 32)
    np.add.at(low, codes, amounts & _LOW_HALF)
    high += low >> 32
    if high.max(initial=0) > _MOST_HIGH or high.min(initial=0) < -_MOST_HIGH - 1:
        raise InvalidValueError("sum of amounts", "a sum beyond 64 bits", "sums below 2**63")
    return high << 32 | low & _LOW_HALF


def _seen(views: list[View], size: int) -> NDArray[np.bool_]:
    seen = np.zeros(size, bool)
    for view in views:
        seen[view.codes] = True
    return seen
