"""Discounts of a tier and what is paid in the end (E-46).

The rate and scope of an exclusive discount stand in the benefit catalogue; here they become a
price, line by line, with one named rounding. Whether a coupon comes on top and how many points
may still be offset is a policy. How many points an amount costs is decided in ``redeeming``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from attrs import field, frozen

from retention.benefits import AcquiredRight, Benefit, BenefitCatalogue, BenefitKind, Entitlement
from retention.coupons import Coupon, Coupons, Order, paid_share, whole_column
from retention.mechanisms.answers import Reason
from retention.mechanisms.errors import InvalidValueError, UnequalColumnsError
from retention.mechanisms.money import Money, RoundingRule
from retention.mechanisms.periods import local_date, zone_of
from retention.mechanisms.policies import Policy, policy, read
from retention.mechanisms.words import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class DiscountStacking(Word, zh="叠加规则"):
    """What a tier discount and a coupon make together."""

    TOGETHER = "together", "可叠加"  # the coupon on what the tier discount leaves
    BEST = "best", "取最优惠"  # the one that leaves the lower price; on a tie the tier's
    TIER_ONLY = "tier_only", "仅会员折扣"


@frozen
class Line:
    """One line of an order: its price, and the category that scopes speak of."""

    id: str
    price: Money
    category: str = ""

    def __attrs_post_init__(self) -> None:
        if self.price.minor < 0:
            raise InvalidValueError("Line.price", str(self.price), "0 or more")


@frozen
class Priced:
    """What is paid, in the order in which it was taken off, and why."""

    lines: tuple[tuple[str, Money, Money], ...]  # id, before and after the tier discount
    before: Money
    tier_saved: Money
    coupon_saved: Money
    offset: Money
    pays: Money
    reasons: tuple[Reason, ...]

    def __str__(self) -> str:
        """Return one line for people."""
        parts = {"tier": self.tier_saved, "coupon": self.coupon_saved, "points": self.offset}
        off = [f"{name} {each}" for name, each in parts.items() if each.minor]
        return f"{self.pays} of {self.before}" + (f", less {', '.join(off)}" if off else "")


@policy
class Discounts(Policy):
    """Which benefits are discounts, how fractions are settled, and what stacks with what.

    An order is priced once, under the policy in force at that moment.

    >>> vip = BenefitCatalogue(
    ...     (Benefit("exclusive_discount", ["gold"], pays="9/10", scope=["books"]),),
    ...     ladder=["silver", "gold"],
    ... )
    >>> lines = [Line("1", Money.of("10.05", "CNY"), "books"), Line("2", Money.of("5", "CNY"))]
    >>> found = Discounts().priced(vip, "gold", lines, on=date(2024, 6, 30))
    >>> print(found)
    14.05 CNY of 15.05 CNY, less tier 1.00 CNY
    >>> [str(each) for each in found.reasons]
    ['tier gold is one of gold']
    """

    kinds: tuple[BenefitKind, ...] = field(
        default=read(
            (BenefitKind.EXCLUSIVE_DISCOUNT, BenefitKind.MEMBER_DISCOUNT), "no other is named"
        ),
        converter=tuple,
    )
    rounding: RoundingRule = read(RoundingRule.HALF_UP, "no rounding is named")
    stacking: DiscountStacking = read(DiscountStacking.TOGETHER, "no word on stacking")
    offset_with_coupon: bool = read(True, "no word on points with coupons")
    zone: str = read("Asia/Shanghai", "no zone is named")

    def discount(
        self,
        catalogue: BenefitCatalogue,
        tier: str | None,
        *,
        on: date,
        rights: Sequence[AcquiredRight] = (),
    ) -> Entitlement | None:
        """Return the entitlement to a discount, the best one; None without any."""
        asked = (catalogue.entitlement(x, tier, on=on, rights=rights) for x in self.kinds)
        held = [each for each in asked if each.held and each.benefit is not None]
        return min(held, key=_rate, default=None)

    def priced(
        self,
        catalogue: BenefitCatalogue,
        tier: str | None,
        lines: Sequence[Line],
        *,
        on: date,
        rights: Sequence[AcquiredRight] = (),
        coupon: tuple[Coupons, Coupon, Order] | None = None,
        offset: Money | None = None,
    ) -> Priced:
        """Return what is paid for the lines: tier discount, coupon and points, by the policy.

        ``coupon`` is the book, the coupon and the order that it is used for; ``offset`` what
        the member wants to pay with points, of which no more is taken than is left to pay.
        """
        if not lines:
            raise InvalidValueError("lines", (), "one line or more")
        found = self.discount(catalogue, tier, on=on, rights=rights)
        row = found.benefit if found is not None else None
        cut = [self._line(row, each) for each in lines]
        before, discounted = _sum(each.price for each in lines), _sum(cut)
        after, tier_saved, coupon_saved, why = self._stacked(before, discounted, coupon)
        reasons = (*(found.reasons if found is not None else ()), *why)
        wanted = offset if offset is not None else Money(0, before.currency)
        allowed = self.offset_with_coupon or not coupon_saved.minor
        if wanted.minor and not allowed:
            reasons += (Reason("offset", str(wanted), "an order without a coupon", held=False),)
        taken = min(wanted, after) if allowed else Money(0, before.currency)
        pairs = zip(lines, cut if tier_saved.minor else [x.price for x in lines], strict=True)
        shown = tuple((line.id, line.price, paid) for line, paid in pairs)
        return Priced(shown, before, tier_saved, coupon_saved, taken, after - taken, reasons)

    def prices(
        self, catalogue: BenefitCatalogue, tiers: ArrayLike, minor: ArrayLike, *, on: date
    ) -> NDArray[np.int64]:
        """Return what is paid for a column of orders without scope, by the tier discount alone.

        A discount of some categories only does not touch an order of which nothing is known.
        """
        import numpy as np

        names, before = np.asarray(tiers).astype(str), whole_column(minor, "minor")
        if len(names) != len(before):
            raise UnequalColumnsError("prices", {"tiers": len(names), "minor": len(before)})
        after = before.copy()
        for tier in np.unique(names).tolist():
            found, mine = self.discount(catalogue, tier, on=on), names == tier
            row = found.benefit if found is not None else None
            if row is not None and not row.scope:
                after[mine] = paid_share(before[mine], row.pays, self.rounding)
        return after

    def _line(self, row: Benefit | None, line: Line) -> Money:
        if row is None or (row.scope and line.category not in row.scope):
            return line.price
        return line.price.times(row.pays, self.rounding)

    def _stacked(
        self, before: Money, discounted: Money, coupon: tuple[Coupons, Coupon, Order] | None
    ) -> tuple[Money, Money, Money, tuple[Reason, ...]]:
        """Return the price, what tier and coupon take off it, and why."""
        nothing, tier_saved = Money(0, before.currency), before - discounted
        if coupon is None:
            return discounted, tier_saved, nothing, ()
        book, one, order = coupon
        together = self.stacking is DiscountStacking.TOGETHER
        base = discounted if together else before
        day = local_date(order.at, zone_of(self.zone))
        found = book.applicable(one, Order(order.id, order.member, base, day, order.known))
        better = together or (self.stacking is DiscountStacking.BEST and found.after < discounted)
        if not found.applies or not better:
            stacks = Reason("stacking", self.stacking.value, "the lower price", held=better)
            return discounted, tier_saved, nothing, (*found.reasons, stacks)
        kept = tier_saved if together else nothing
        return found.after, kept, found.saved, found.reasons


def _rate(found: Entitlement) -> Fraction:
    return found.benefit.pays if found.benefit is not None else Fraction(1)


def _sum(amounts: Iterable[Money]) -> Money:
    return reduce(add, amounts)
