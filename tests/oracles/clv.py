"""The summary that purchase models are fitted on: days that hold a purchase are occasions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

from tests.oracles.shoppers import Shopper

Row = tuple[int, int, int, Fraction]


def clv(shoppers: Mapping[str, Shopper], as_of: date) -> dict[str, Row]:
    """Repeats, age at the last purchase, age, and mean money per repeat.

    Money counts from the day after the first occasion on, returns of those days taken off.
    """
    known = {name: shopper.until(as_of) for name, shopper in shoppers.items()}
    return {name: _row(shopper, as_of) for name, shopper in known.items() if shopper.purchases}


def _row(shopper: Shopper, as_of: date) -> Row:
    occasions = sorted(set(shopper.days))
    first, repeats = occasions[0], len(occasions) - 1
    plus = sum(amount for day, amount in shopper.purchases if day != first)
    minus = sum(amount for day, amount in shopper.returns if day != first)
    mean = Fraction(plus - minus, repeats) if repeats else Fraction(0)
    return repeats, (occasions[-1] - first).days, (as_of - first).days, mean
