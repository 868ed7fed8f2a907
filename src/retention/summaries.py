"""Summaries: the measures of many customers from logs, in numpy, mergeable.

A summary keeps aggregates, not rows: the summary of a union of logs is the merge of their
summaries, so logs can be summarised where they lie. Values equal those of ``measures`` for
each customer alone. The summary of purchase-model fits (CLV) is here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike, NDArray

from retention.aggregates import OF_PURCHASES, Aggregate, Extreme, Of, Run, Tally
from retention.logs import InteractionLog, PurchaseLog, encode
from retention.measures import Figure, figure, is_measure
from retention.mechanisms.answers import Problem, Scalar
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    UnknownMeasureError,
    UnpinnedPolicyError,
)
from retention.mechanisms.periods import AsOf, day_number
from retention.runs import NO_RUN, RunOf, runs

Log = PurchaseLog | InteractionLog

NEVER_LAST = -(2**31)  # last day of something that never happened: any other day is later
NEVER_FIRST = 2**31  # first day of it: any other day is earlier
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
class Summary:
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
        listed = None if customers is None else np.unique(np.asarray(customers))
        everyone, places = _everyone(logs, listed)
        views = [View.of(log, place, as_of) for log, place in zip(logs, places, strict=True)]
        found: dict[Aggregate, NDArray[np.int64]] = {
            each: _aggregate(each, views, len(everyone), as_of) for each in wanted
        }
        left_out = sum(view.left_out for view in views)
        problems = tuple(problem for log in logs for problem in log.problems)
        if left_out:
            seen = _seen(views, len(everyone))
            if listed is not None:
                seen[np.searchsorted(everyone, listed)] = True
            everyone = everyone[seen]
            found = {each: values[seen] for each, values in found.items()}
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
        everyone = np.union1d(self.customers, other.customers)
        left, right = (np.searchsorted(everyone, x.customers) for x in (self, other))
        merged = {}
        for each, values in self.aggregates.items():
            both = np.full(len(everyone), _nothing(each), np.int64)
            both[left] = values
            if isinstance(each, Run):
                raise InvalidValueError("merge", self.names, "measures that merge; a run does not")
            join = getattr(np, each.merged())
            both[right] = join(both[right], other.aggregates[each])
            merged[each] = both
        left_out = self.left_out + other.left_out
        problems = self.problems + other.problems
        return Summary(
            self.names, everyone, merged, self.as_of, left_out, problems, self.attributes
        )

    @property
    def _today(self) -> int:
        return day_number(self.as_of.day)


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
        ordered = self.log.times.rising
        return ordered and bool((self.days[1:] >= self.days[:-1]).all())

    def facts(self, of: Of) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.int64] | None]:
        """Codes, days and weights of one sort of facts; no weights: one each."""
        fit, weights = self.log.sort_of(of, self.rows)
        if fit is None:
            return self.codes, self.days, weights
        return self.codes[fit], self.days[fit], None if weights is None else weights[fit]


def _everyone(
    logs: list[Log], listed: NDArray[Any] | None
) -> tuple[NDArray[Any], list[NDArray[np.intp] | None]]:
    """All customers, and for each log where its own are among them (None: the same)."""
    groups = [log.customers for log in logs if len(log)] + ([] if listed is None else [listed])
    if {group.dtype.kind for group in groups} == {"i", "U"}:
        raise InvalidValueError("customers", "numbers in one log, text in another", "one kind")
    if len(groups) <= 1:
        everyone = groups[0] if groups else logs[0].customers
        return everyone, [None if log.customers is everyone else _NOBODY for log in logs]
    everyone, _ = encode(np.concatenate(groups))
    return everyone, [
        np.searchsorted(everyone, log.customers) if len(log) else _NOBODY for log in logs
    ]


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
    found = np.zeros(size, np.int64)
    np.add.at(found, codes, amounts)
    return found


def _seen(views: list[View], size: int) -> NDArray[np.bool_]:
    seen = np.zeros(size, bool)
    for view in views:
        seen[view.codes] = True
    return seen


@frozen(eq=False)
class ClvSummary:
    """What purchase models of customer lifetime value are fitted on, one row a customer.

    All purchases of one local day are one purchase occasion. Returns lessen the money of
    their day and are no occasion. ``age_at_last_purchase_days`` is what the CLV literature
    calls recency; it is not the days *since* the last purchase.
    """

    customers: NDArray[Any] = field(repr=False)
    repeat_purchases: NDArray[np.int64] = field(repr=False)  # x: occasions after the first
    age_at_last_purchase_days: NDArray[np.int64] = field(repr=False)  # t_x
    age_days: NDArray[np.int64] = field(repr=False)  # T: first purchase to as_of
    mean_repeat_spend_minor: NDArray[np.float64] = field(repr=False)  # per repeat; 0 without
    as_of: AsOf
    left_out: int = 0

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns by name."""
        names = (
            "customers", "repeat_purchases", "age_at_last_purchase_days", "age_days",
            "mean_repeat_spend_minor",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


def clv_summary(log: PurchaseLog, *, as_of: AsOf) -> ClvSummary:
    """Summarise purchases for models of customer lifetime value.

    >>> from datetime import date
    >>> from retention.mechanisms.periods import zone_of
    >>> log = PurchaseLog.from_columns(customer=[7, 7, 7], amount_minor=[100, 40, 20],
    ...     at=np.array(["2024-01-01", "2024-01-31", "2024-01-31"], "datetime64[D]"))
    >>> one = clv_summary(log, as_of=AsOf.at(date(2024, 6, 30), zone_of("UTC")))
    >>> {name: column.tolist() for name, column in one.to_columns().items()}
    {'customers': [7], 'repeat_purchases': [1], 'age_at_last_purchase_days': [30], \
'age_days': [181], 'mean_repeat_spend_minor': [60.0]}
    """
    rows = _Occasions.of(log, as_of)
    seen = rows.visits > 0
    whole = bool(seen.all())

    def take(column: NDArray[Any]) -> NDArray[Any]:
        return column if whole else column[seen]

    first, repeats = take(rows.first), take(rows.visits) - 1
    return ClvSummary(
        take(log.customers),
        repeats,
        take(rows.last) - first,
        day_number(as_of.day) - first,
        np.where(repeats > 0, take(rows.later) / np.maximum(repeats, 1), 0.0),
        as_of,
        rows.left_out,
    )


@frozen(eq=False)
class _Occasions:
    """First and last day, occasions, and money on other days than the first, per code."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    visits: NDArray[np.int64]
    later: NDArray[np.int64]
    left_out: int

    @classmethod
    def of(cls, log: PurchaseLog, as_of: AsOf) -> _Occasions:
        size = len(log.customers)
        known = log.times.known(as_of)
        codes, amounts = log.codes[known], log.amounts_minor[known]
        days = log.times.days(as_of.zone)[known]
        left_out = len(log) - len(codes)
        if not log.times.rising:
            order = np.argsort(_narrow(days), kind="stable")  # a radix sort below 65,536 days
            codes, days, amounts = codes[order], days[order], amounts[order]
        if not log.has_returns:
            return cls(*_occasions(codes, days, amounts, size), left_out)
        bought, back = amounts >= 0, amounts < 0
        found = _occasions(codes[bought], days[bought], amounts[bought], size)
        _add_later(found, codes[back], days[back], amounts[back])
        return cls(*found, left_out)


_Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
_DAY_BITS = 21  # 5,700 years
_DAY = 2**_DAY_BITS - 1
_OCCASION = 2 ** (2 * _DAY_BITS)
_CROWD = 200  # rows a day from which going day by day is faster than sorting


def _occasions(
    codes: NDArray[np.intp], days: NDArray[np.int64], amounts: NDArray[np.int64], size: int
) -> _Found:
    """First day, last day, occasions and later money per code; rows are in the order of time."""
    span = int(days[-1] - days[0]) + 1 if days.size else 0
    if span * _CROWD >= len(codes) or span > _DAY:
        return _by_sorting(codes, days, amounts, size)
    return _by_days(codes, days, amounts, size)


def _by_sorting(
    codes: NDArray[np.intp], days: NDArray[np.int64], amounts: NDArray[np.int64], size: int
) -> _Found:
    found = np.full(size, NEVER_FIRST), np.full(size, NEVER_LAST), *np.zeros((2, size), np.int64)
    first, last, visits, _ = found
    first[codes[::-1]] = days[::-1]
    last[codes] = days
    if codes.size:
        span = int(days[-1] - days[0]) + 1
        pairs = np.sort(codes * span + (days - days[0]))
        new = np.append(True, pairs[1:] != pairs[:-1])
        visits[:] = np.bincount(pairs[new] // span, minlength=size)
    _add_later(found, codes, days, amounts)
    return found


def _by_days(
    codes: NDArray[np.intp], days: NDArray[np.int64], amounts: NDArray[np.int64], size: int
) -> _Found:
    """One word per code holds occasions, first day and last day, so a row costs one look-up."""
    words, later = np.zeros((2, size), np.int64)
    edges = np.searchsorted(days, np.arange(days[0], days[-1] + 2)).tolist()
    for day, (low, high) in enumerate(pairwise(edges)):
        who = codes[low:high]
        word = words[who]
        met = np.minimum(word, 1)  # 0 on the first day of a code, else 1
        np.add.at(later, who, amounts[low:high] * met)
        word &= ~_DAY
        word += _OCCASION + (day << _DAY_BITS) + day
        word -= met * (day << _DAY_BITS)
        words[who] = word  # assignment, not addition: rows of one day count once
    first, last = (words >> _DAY_BITS) & _DAY, words & _DAY
    return first + days[0], last + days[0], words // _OCCASION, later


def _add_later(
    found: _Found, codes: NDArray[np.intp], days: NDArray[np.int64], amounts: NDArray[np.int64]
) -> None:
    first, _, __, later = found
    np.add.at(later, codes, amounts * (days != first[codes]))


def _narrow(days: NDArray[np.int64]) -> NDArray[Any]:
    """Days from the first one, as the smallest type that holds them."""
    from_first = days - days.min() if days.size else days
    small = not days.size or int(from_first.max()) < 2**16
    return from_first.astype(np.uint16) if small else from_first
