"""The summary on which models of customer lifetime value (CLV) are fitted.

One row a customer: repeat purchases, age at the last purchase, age, mean repeat spend. It is
not the summary of measures, whose recency is another figure under another name.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from retention.logs import PurchaseLog
from retention.mechanisms.periods import AsOf, day_number
from retention.mechanisms.tables import Head, Shown, Table, headline, spread
from retention.mechanisms.words import Language
from retention.summaries import NEVER_FIRST, NEVER_LAST


@frozen(eq=False)
class ClvSummary(Shown):
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
            "repeat_purchases", "age_at_last_purchase_days", "age_days", "mean_repeat_spend_minor",
        )  # fmt: skip
        return {"customer": self.customers, **{name: getattr(self, name) for name in names}}

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.customers)

    def __repr__(self) -> str:
        """Return sizes alone: ids and amounts of customers do not belong into messages."""
        again = int((self.repeat_purchases > 0).sum())
        unit = f"customers as of {self.as_of.day}"
        return headline("ClvSummary", len(self), unit, {"bought again": again})

    def to_table(self, language: Language = "en") -> Table:
        """Return mean and median of every column."""
        columns = self.to_columns()
        return spread({x: columns[x] for x in columns if x != "customer"}, Head.MEASURE, language)


def clv_summary(log: PurchaseLog, *, as_of: AsOf) -> ClvSummary:
    """Summarise purchases for models of customer lifetime value.

    >>> from datetime import date
    >>> from retention.mechanisms.periods import zone_of
    >>> log = PurchaseLog.from_columns(customer=[7, 7, 7], amount_minor=[100, 40, 20],
    ...     at=np.array(["2024-01-01", "2024-01-31", "2024-01-31"], "datetime64[D]"))
    >>> one = clv_summary(log, as_of=AsOf.at(date(2024, 6, 30), zone_of("UTC")))
    >>> {name: column.tolist() for name, column in one.to_columns().items()}
    {'customer': [7], 'repeat_purchases': [1], 'age_at_last_purchase_days': [30], \
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
    first, last = np.full(size, NEVER_FIRST), np.full(size, NEVER_LAST)
    visits, later = np.zeros(size, np.int64), np.zeros(size, np.int64)
    found = first, last, visits, later
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
