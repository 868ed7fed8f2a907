"""What is missing for a rule to hold: an amount for each limit, in the units of its measure.

A rule of several parts gives alternatives; each is a list of gaps that must all be closed.
Missing spend is also told in orders of the average value (AMB-09).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from attrs import frozen

from retention.mechanisms.answers import Reason, Scalar
from retention.mechanisms.money import Money
from retention.mechanisms.rules import All, AnyOf, Limit, Rule


@frozen
class Gap:
    """One limit that does not hold: what was given, what is wanted, and the difference.

    >>> str(Gap("qualifying_points", 40, ">= 100", 60))
    '60 qualifying points'
    """

    measure: str
    given: Scalar
    wanted: str
    missing: int | None = None  # None: no amount closes it, for instance a date in the past
    orders: int | None = None  # of the average value; None: it is no spend, or nothing was bought

    def text(self, currency: str = "") -> str:
        """Return the gap for people."""
        if self.missing is None:
            return Reason(self.measure, self.given, self.wanted, held=False).text()
        if not _is_money(self.measure):
            return f"{self.missing} {self.measure.replace('_', ' ')}"
        amount = str(Money(self.missing, currency)) if currency else f"{self.missing} minor units"
        if self.orders is None:
            return amount
        return f"{amount} ({self.orders} order{'' if self.orders == 1 else 's'})"

    def __str__(self) -> str:
        """Return the gap without a currency."""
        return self.text()


def orders_to_go(missing_minor: int, spent_minor: int, orders: int) -> int | None:
    """Return the orders of the average value that close a gap in spend (AMB-09).

    None when nothing was bought, or for nothing: there is no average to count with.

    >>> orders_to_go(2_150_00, 3_000_00, 4)
    3
    """
    if orders == 0 or spent_minor <= 0:
        return None
    return -(-missing_minor * orders // spent_minor)


def gaps_of(
    rule: Rule | None, row: Mapping[str, Scalar], spent: tuple[int, int] = (0, 0)
) -> tuple[tuple[Gap, ...], ...]:
    """Return what is missing for a rule to hold, as alternatives.

    ``spent`` is the sum and the number of the orders so far.

    >>> from retention.mechanisms.rules import parse
    >>> gaps = gaps_of(parse("points >= 100 or orders >= 9"), {"points": 40, "orders": 8})
    >>> [[str(gap) for gap in each] for each in gaps]
    [['60 points'], ['1 orders']]
    """
    if rule is None:
        return ()
    if rule.holds(row):
        return ((),)
    if isinstance(rule, AnyOf):
        return tuple(way for part in rule.parts for way in gaps_of(part, row, spent))
    if isinstance(rule, All):
        ways = product(*(gaps_of(part, row, spent) for part in rule.parts))
        return tuple(tuple(gap for gaps in way for gap in gaps) for way in ways)
    return ((_gap(rule, row, spent),),) if isinstance(rule, Limit) else ()


def _gap(limit: Limit, row: Mapping[str, Scalar], spent: tuple[int, int]) -> Gap:
    given = row[limit.measure]
    missing = _missing(limit, given)
    orders = None
    if missing is not None and _is_money(limit.measure):
        orders = orders_to_go(missing, *spent)
    return Gap(limit.measure, given, limit.wanted, missing, orders)


def _missing(limit: Limit, given: Scalar) -> int | None:
    """Return the whole number to add; None where adding does not help."""
    if isinstance(given, bool) or not isinstance(given, int):
        return None
    match limit.relation:
        case ">=":
            return int(-(-limit.limit // 1)) - given
        case ">":
            return int(limit.limit // 1) + 1 - given
        case "between":
            low = int(-(-limit.limit[0] // 1))
            return low - given if given < low else None
    return None


def _is_money(measure: str) -> bool:
    """Whether a measure is spend that further orders raise."""
    return "spend_minor" in measure
