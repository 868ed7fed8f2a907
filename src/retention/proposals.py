"""Own thresholds: what the customers' repurchase cycle and order values suggest (C-24).

A handbook's days are a reference; a company should set its own. A proposal is a value to
look at, with what it stands on; nothing is changed until its policy is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from retention.mechanisms.decisions import Bands
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.periods import When
from retention.mechanisms.words import Word
from retention.segmentation import Segmentation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from retention.logs import PurchaseLog


class Basis(Word):
    """What a proposal stands on."""

    REPURCHASE_CYCLE = "repurchase_cycle", "复购周期"
    ORDER_VALUE = "order_value", "客单价"


@frozen
class Proposal:
    """Suggested recency thresholds, and what they stand on.

    ``recency_days`` are the intervals within which the given quantiles of repurchases came;
    ``order_minor`` the same quantiles of order values.
    """

    quantiles: tuple[float, ...]
    recency_days: tuple[int, ...]
    order_minor: tuple[int, ...]
    intervals: int  # repurchases that were looked at
    orders: int
    policy: Segmentation = field(repr=False)


def propose(
    segmentation: Segmentation,
    purchases: PurchaseLog,
    *,
    as_of: When,
    quantiles: tuple[float, float, float] = (0.5, 0.8, 0.95),
) -> Proposal:
    """Propose the three recency thresholds of bands and layers from the log itself.

    Intervals are those between different days of purchase of one customer, the quantile is
    the smallest interval that so large a share does not exceed. Thresholds that coincide are
    moved apart by a day, so that bands stay contiguous without overlap.

    >>> from datetime import date
    >>> from retention import PurchaseLog
    >>> from retention.presets import ecommerce
    >>> days = [date(2024, 1, 1), date(2024, 1, 11), date(2024, 1, 31), date(2024, 3, 31)]
    >>> log = PurchaseLog.from_columns(customer=["a"] * 4, at=days, amount=[10, 20, 30, 40])
    >>> proposal = propose(ecommerce.segmentation, log, as_of=date(2024, 6, 30))
    >>> proposal.recency_days, proposal.order_minor
    ((20, 60, 61), (2000, 4000, 4000))
    >>> print(proposal.policy.layer_table.cases[3].when)
    61 <= days_since_purchase <= 61
    """
    if not 0 < quantiles[0] < quantiles[1] < quantiles[2] <= 1:
        raise InvalidValueError("quantiles", quantiles, "three shares that rise, above 0 up to 1")
    at = segmentation.at(as_of)
    known = purchases.times.known(at)
    bought = purchases.amounts_minor[known] >= 0
    codes = purchases.codes[known][bought]
    intervals = _intervals(codes, purchases.times.days(at.zone)[known][bought])
    orders = purchases.amounts_minor[known][bought]
    if not len(intervals):
        raise InvalidValueError("purchases", "no customer bought twice", "a log with repurchases")
    days = _apart([_quantile(intervals, share) for share in quantiles])
    values = tuple(_quantile(orders, share) for share in quantiles)
    policy = segmentation.with_all(_changes(segmentation, days))
    return Proposal(quantiles, days, values, len(intervals), len(orders), policy)


def _intervals(codes: NDArray[np.intp], days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Days between purchases that follow each other on different days."""
    pairs = np.unique(np.stack([codes, days]), axis=1)
    same = pairs[0, 1:] == pairs[0, :-1]
    found: NDArray[np.int64] = (pairs[1, 1:] - pairs[1, :-1])[same]
    return found


def _quantile(values: NDArray[Any], share: float) -> int:
    """Return the smallest value that so large a share does not exceed."""
    return int(np.quantile(values, share, method="inverted_cdf"))


def _apart(days: list[int]) -> tuple[int, int, int]:
    first = max(1, days[0])
    second = max(days[1], first + 1)
    return first, second, max(days[2], second + 1)


def _changes(segmentation: Segmentation, days: tuple[int, int, int]) -> dict[str, Any]:
    """The values of bands and layers that speak of recency, all at once."""
    first, second, third = days
    changes: dict[str, Any] = {
        "layers.high_active.when.days_since_purchase": first,
        "layers.medium_active.when.days_since_purchase": second,
        "layers.sleeping.when.days_since_purchase": (second + 1, third),
        "layers.lost.when.days_since_purchase": third,
    }
    if isinstance(segmentation.rfm.recency, Bands):
        changes["rfm.recency.at_most"] = days
    return changes
