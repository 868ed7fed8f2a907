"""Redeeming: what points buy, at which price, and how much of an order they pay.

The catalogue of prices is data (E-11); a rate with a cap and a minimum turns points into a
cash offset that never makes an order cheaper than nothing (E-12); a table of prices sells one
step of the ladder (E-13). Whether the account holds the points is not decided here: that is
``points``, and who may redeem at all is decided by ``loyalty``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import attrs
from attrs import field, frozen

from retention.earning import exact, whole
from retention.mechanisms.answers import Reason
from retention.mechanisms.choices import member
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    MixedCurrenciesError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.money import Money
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.words import Word


class RedemptionPurpose(Word):
    """What points are redeemed for (E-11)."""

    PRODUCT = "product", "公司产品"
    SERVICE = "service", "服务"
    GIFT = "gift", "礼品"
    CASH_OFFSET = "cash_offset", "抵扣现金"
    TIER_UPGRADE = "tier_upgrade", "升级会员等级"
    OTHER_OFFER = "other_offer", "其他优惠"


def _purpose(given: RedemptionPurpose | str) -> RedemptionPurpose:
    return member(RedemptionPurpose, given, "purpose")


def _purposes(given: Sequence[RedemptionPurpose | str]) -> tuple[RedemptionPurpose, ...]:
    return tuple(_purpose(each) for each in given)


def _points(one: Any, attribute: Any, value: Any) -> None:  # noqa: ANN401
    if not is_blank(value):
        whole(value, f"{type(one).__name__}.{attribute.name}", least=1)


@policy
class CatalogueItem(Policy):
    """One thing that points buy, its price, and when and for which tiers (E-11)."""

    name: str
    purpose: RedemptionPurpose = field(converter=_purpose)
    points: int = field(validator=_points)
    since: date | None = None
    until: date | None = None  # the last day, whole (RC-05)
    tiers: tuple[str, ...] = field(default=(), converter=tuple)  # empty: every tier

    def __attrs_post_init__(self) -> None:
        if self.purpose in {RedemptionPurpose.CASH_OFFSET, RedemptionPurpose.TIER_UPGRADE}:
            allowed = "product, service, gift or other_offer; offset and upgrades have prices apart"
            raise InvalidValueError("CatalogueItem.purpose", self.purpose, allowed)
        if self.since and self.until and self.until < self.since:
            raise InvalidValueError("CatalogueItem.until", self.until, f"{self.since} or later")

    @property
    def key(self) -> str:
        """Name of the row: the item."""
        return self.name

    def offered(self, on: date, *, tier: str = "") -> bool:
        """Whether a member in a tier may have it on a day."""
        in_time = (self.since or on) <= on <= (self.until or on)
        return in_time and (not self.tiers or tier in self.tiers)


@policy
class UpgradePrice(Policy):
    """What the step from the tier below to this one costs (E-13)."""

    tier: str
    points: int = field(validator=_points)

    @property
    def key(self) -> str:
        """Name of the row: the tier."""
        return str(self.tier)


@frozen
class OffsetQuote:
    """What points pay of an order: the points used, what they pay, and what is left to pay."""

    points: int
    amount: Money
    payable: Money
    reasons: tuple[Reason, ...] = ()  # the limits that were looked at


@policy
class CashOffset(Policy):
    """So many points pay so much money, with a cap per order and a minimum (E-12).

    ``share`` caps the offset by a share of the order, ``at_most`` by an amount; the least
    number of points is taken that pays the offset, so none is lost by rounding.

    >>> rate = CashOffset(10, Money.of(1, "CNY"))
    >>> rate.of(50, Money.of("85.00", "CNY")).payable
    Money(minor=8000, currency='CNY')
    """

    points: int = field(validator=_points)
    pays: Money
    share: Fraction | None = field(
        default=None, converter=attrs.converters.optional(lambda x: exact(x, "CashOffset.share"))
    )
    at_most: Money | None = None
    least_points: int = field(default=1, validator=_points)

    def __attrs_post_init__(self) -> None:
        money = (("pays", self.pays), ("at_most", self.at_most))
        for name, each in money:
            if each is None or is_blank(each):
                continue
            if not isinstance(each, Money):
                raise WrongTypeError(f"CashOffset.{name}", each, "an amount as Money")
            if each.minor <= 0:
                raise InvalidValueError(f"CashOffset.{name}", str(each), "more than 0")
        if isinstance(self.share, Fraction) and self.share > 1:
            raise InvalidValueError("CashOffset.share", self.share, "at most 1, the whole order")

    def limit(self, order: Money) -> Money:
        """Return the most that points may pay of an order."""
        most = order.minor
        if self.share is not None:
            most = min(most, order.minor * self.share // 1)
        if self.at_most is not None:
            most = min(most, self._same(self.at_most, order))
        return Money(max(most, 0), order.currency)

    def of(self, points: int, order: Money) -> OffsetQuote:
        """Return what points pay of an order; never more than the cap or the order itself.

        Fewer points than the minimum pay nothing.
        """
        whole(points, "points")
        if order.minor < 0:
            raise InvalidValueError("order", str(order), "0 or more")
        unit, limit = self._same(self.pays, order), self.limit(order)
        enough = points >= self.least_points
        minor = min(points * unit // self.points, limit.minor) if enough else 0
        used = -(-minor * self.points // unit)
        if used < self.least_points:  # a small order would take fewer points than the minimum
            used = minor = 0
        reasons = (
            Reason("points", points, f">= {self.least_points}", held=enough),
            Reason("offset_minor", minor, f"<= {limit.minor}", held=True),
        )
        amount = Money(minor, order.currency)
        return OffsetQuote(used, amount, order - amount, reasons)

    @staticmethod
    def _same(amount: Money, order: Money) -> int:
        if amount.currency != order.currency:
            raise MixedCurrenciesError("CashOffset", sorted({amount.currency, order.currency}))
        return amount.minor


@policy
class RedemptionRules(Policy):
    """What points may be used for, and the prices (E-11 to E-13).

    >>> rules = RedemptionRules(purposes=("gift",), items=(CatalogueItem("umbrella", "gift", 70),))
    >>> rules.item("umbrella").points, [x.name for x in rules.affordable(70, date(2024, 1, 10))]
    (70, ['umbrella'])
    """

    purposes: tuple[RedemptionPurpose, ...] = field(default=(), converter=_purposes)
    items: tuple[CatalogueItem, ...] = field(default=(), converter=tuple)
    offset: CashOffset | None = None
    upgrades: tuple[UpgradePrice, ...] = field(default=(), converter=tuple)

    def __attrs_post_init__(self) -> None:
        for rows in (self.items, self.upgrades):
            keys = [] if is_blank(rows) else [row.key for row in rows]
            if len(set(keys)) < len(keys):
                raise DuplicateError("RedemptionRules", keys)
        strange = next((x for x in self.items if x.purpose not in self.purposes), None)
        if strange is not None:
            known = [str(each) for each in self.purposes]
            raise UnknownNameError(f"RedemptionRules.items.{strange.name}", strange.purpose, known)

    def offers(self, purpose: RedemptionPurpose) -> bool:
        """Whether points may be used for something of this kind."""
        return purpose in self.purposes

    def item(self, name: str) -> CatalogueItem:
        """Return the row of the catalogue with this name."""
        found = next((x for x in self.items if x.name == name), None)
        if found is None:
            raise UnknownNameError("RedemptionRules.items", name, [x.name for x in self.items])
        return found

    def affordable(self, points: int, on: date, *, tier: str = "") -> tuple[CatalogueItem, ...]:
        """Return what so many points can buy on a day, the dearest first (E-16)."""
        found = (x for x in self.items if x.offered(on, tier=tier) and x.points <= points)
        return tuple(sorted(found, key=lambda x: (-x.points, x.name)))

    def upgrade(self, tier: str) -> UpgradePrice | None:
        """Return the price of the step to a tier; None when it is not for sale."""
        return next((x for x in self.upgrades if x.tier == tier), None)
