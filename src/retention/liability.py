"""What a programme owes for its points, with breakage, by cohort (IFRS 15).

Points sold with goods are a right that the customer has paid for. The price of the sale is
shared between goods and points by their stand-alone prices; the share of the points becomes
revenue as they are redeemed, measured against the points that are ever expected to be, and
what is left is the contract liability. An estimate that changes is caught up at once
(IFRS 15.B39 to B47; Illustrative Example 52). Amounts are whole minor units; the figures come
with what they were made from.

Who estimates how many points are ever redeemed is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

from attrs import field, frozen

from retention.accounts import Account
from retention.lots import PeriodEnd, period_start
from retention.mechanisms.errors import InvalidValueError, WrongTypeError
from retention.mechanisms.money import RoundingRule, rounded
from retention.mechanisms.periods import When
from retention.points import POINTS, Earned, EarningReversed, PointsFact


def _whole(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongTypeError(attribute.name, value, "a whole number")
    if value < 0:
        raise InvalidValueError(attribute.name, value, "0 or more")


def price_of_points(price_minor: int, *, goods_minor: int, points_minor: int) -> int:
    """Return the part of a transaction price that the points carry (IFRS 15.76).

    ``goods_minor`` and ``points_minor`` are stand-alone selling prices; that of the points
    allows for those that are never redeemed. The goods carry the rest.

    >>> price_of_points(100_000, goods_minor=100_000, points_minor=9_500)
    8676
    """
    if goods_minor < 0 or points_minor < 0 or not goods_minor + points_minor:
        raise InvalidValueError("goods_minor", (goods_minor, points_minor), "prices above 0")
    share = Fraction(points_minor, goods_minor + points_minor)
    return rounded(share * price_minor, RoundingRule.HALF_UP)


@frozen
class Liability:
    """What is owed for one cohort at the end of a period, and what it was made from.

    >>> first = Liability(price_minor=8_676, redeemed=4_500, expected=9_500)
    >>> first.revenue_minor, first.liability_minor
    (4110, 4566)
    >>> second = Liability(price_minor=8_676, redeemed=8_500, expected=9_700)
    >>> second.revenue_minor - first.revenue_minor, second.liability_minor
    (3493, 1073)
    """

    price_minor: int = field(validator=_whole)  # what the points of the cohort carry
    redeemed: int = field(validator=_whole)  # points, up to the end of this period
    expected: int = field(validator=_whole)  # points ever redeemed, as it is estimated now

    def __attrs_post_init__(self) -> None:
        if self.expected < self.redeemed:
            raise InvalidValueError("expected", self.expected, f"{self.redeemed} or more")

    @property
    def revenue_minor(self) -> int:
        """Revenue up to now; that of the period is the difference to the period before."""
        if not self.expected:  # nobody is expected to redeem any more: it is all breakage
            return self.price_minor
        earned = Fraction(self.price_minor * self.redeemed, self.expected)
        return rounded(earned, RoundingRule.HALF_UP)

    @property
    def liability_minor(self) -> int:
        """The contract liability."""
        return self.price_minor - self.revenue_minor


@frozen
class Cohort:
    """Points that were earned in one calendar period, and what became of them."""

    start: date
    earned: int
    reversed: int
    used: int  # redeemed, captured, transferred or taken away by hand
    expired: int
    outstanding: int  # available, pending or held

    @property
    def issued(self) -> int:
        """What was earned for good."""
        return self.earned - self.reversed

    @property
    def redemption_rate(self) -> Fraction | None:
        """Share of the issued points that was used; None where none was issued."""
        return Fraction(self.used, self.issued) if self.issued else None

    def liability(self, price_minor: int, *, ultimate_rate: Fraction) -> Liability:
        """Return what is owed, if this share of the issued points is ever redeemed.

        Points that were used or have expired are facts, so the estimate never falls below
        what is used, nor goes above what can still be.

        >>> cohort = Cohort(date(2024, 1, 1), 10_000, 0, 4_500, 100, 5_400)
        >>> cohort.liability(8_676, ultimate_rate=Fraction(95, 100)).liability_minor
        4566
        """
        expected = rounded(ultimate_rate * self.issued, RoundingRule.HALF_UP)
        most = self.used + self.outstanding
        return Liability(price_minor, self.used, min(max(expected, self.used), most))


def cohorts(
    accounts: Iterable[Account],
    as_of: When,
    *,
    by: PeriodEnd = PeriodEnd.YEAR,
    currency: str = POINTS,
) -> tuple[Cohort, ...]:
    """Return the earned points of some accounts by the period of earning, earliest first.

    Points are followed lot by lot: what a redemption took counts in the period in which its
    lots were earned. Lots that were not earned (transfers, corrections) are in no cohort.
    """
    found: dict[date, list[int]] = {}
    for account in accounts:
        seen, view = account.seen(as_of)
        known = [fact for fact in seen.facts if view.knows(fact.at)]
        for sums, start in _lots(seen, known, view.day, by, currency):
            total = found.setdefault(start, [0, 0, 0, 0, 0])
            for at, points in enumerate(sums):
                total[at] += points
    return tuple(Cohort(start, *found[start]) for start in sorted(found))


def _lots(
    account: Account, known: list[PointsFact], day: date, by: PeriodEnd, currency: str
) -> Iterable[tuple[tuple[int, int, int, int, int], date]]:
    """What became of each lot that was earned: earned, reversed, used, expired, outstanding."""
    left = {lot.number: lot for lot in account.lots(day, currency)}
    held: dict[int, int] = {}
    for hold in account.holds:
        for taken, points in hold.taken:
            held[taken] = held.get(taken, 0) + points
    gone: dict[int, int] = {}
    for fact in known:
        if isinstance(fact, EarningReversed):
            gone[fact.lot] = gone.get(fact.lot, 0) + fact.points
    for fact in known:
        if isinstance(fact, Earned) and fact.currency == currency:
            number, back = fact.sequence, gone.get(fact.sequence, 0)
            lot = left.get(number)
            rest = lot.remaining if lot else 0
            dead = lot is not None and lot.expires_on is not None and lot.expires_on <= day
            open_ = held.get(number, 0) + (0 if dead else rest)
            expired = rest if dead else 0
            used = fact.points - back - open_ - expired
            yield (fact.points, back, used, expired, open_), period_start(fact.on, by)
