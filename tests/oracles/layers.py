"""C-20 to C-23: RFM bands and maintenance layers of 002."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from tests.oracles.ranks import bands
from tests.oracles.shoppers import Shopper
from tests.oracles.windows import within_last

SHARES = ("0.2", "0.5", "0.8", "1")


def layers(
    shoppers: Mapping[str, Shopper], as_of: date, *, by_frequency: bool = False, ceil: bool = False
) -> dict[str, str]:
    """C-21 with the precedence and the catch-all of C-22, counts as in C-23."""
    base = population(shoppers, as_of)
    spend = monetary(base, by_frequency=by_frequency, ceil=ceil)
    return {name: _layer(shopper, as_of, spend[name]) for name, shopper in base.items()}


def cells(
    shoppers: Mapping[str, Shopper], as_of: date, *, by_frequency: bool = False, ceil: bool = False
) -> dict[str, tuple[int, int, int]]:
    """C-20."""
    base = population(shoppers, as_of)
    spend = monetary(base, by_frequency=by_frequency, ceil=ceil)
    return {
        name: (_recency(shopper, as_of), _frequency(shopper, as_of), spend[name])
        for name, shopper in base.items()
    }


def population(shoppers: Mapping[str, Shopper], as_of: date) -> dict[str, Shopper]:
    """C-20: customers with a purchase, as they are known."""
    known = {name: shopper.until(as_of) for name, shopper in shoppers.items()}
    return {name: shopper for name, shopper in known.items() if shopper.purchases}


def monetary(base: Mapping[str, Shopper], *, by_frequency: bool, ceil: bool) -> dict[str, int]:
    amounts = [shopper.spend for shopper in base.values()]
    orders = [len(shopper.purchases) for shopper in base.values()] if by_frequency else None
    return dict(zip(base, bands(amounts, SHARES, orders=orders, ceil=ceil), strict=True))


def _layer(shopper: Shopper, as_of: date, spend: int) -> str:
    since = (as_of - max(shopper.days)).days
    in_30 = sum(within_last(day, 30, as_of) for day in shopper.days)
    in_90 = sum(within_last(day, 90, as_of) for day in shopper.days)
    if (as_of - min(shopper.days)).days <= 30:
        return "new"
    if since <= 30 and in_30 >= 2 and spend <= 1:
        return "high_active"
    if since <= 90 and in_90 >= 1 and spend <= 2:
        return "medium_active"
    if 91 <= since <= 180:
        return "sleeping"
    return "lost" if since > 180 else "general_active"


def _recency(shopper: Shopper, as_of: date) -> int:
    since = (as_of - max(shopper.days)).days
    return 1 if since <= 30 else 2 if since <= 90 else 3 if since <= 180 else 4


def _frequency(shopper: Shopper, as_of: date) -> int:
    def bought(days: int) -> int:
        return sum(within_last(day, days, as_of) for day in shopper.days)

    return 1 if bought(30) >= 2 else 2 if bought(90) >= 1 else 3 if bought(365) >= 1 else 4
