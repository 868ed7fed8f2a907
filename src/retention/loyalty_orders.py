"""What is done in a loyalty programme, and the member that it is done to.

Commands are imperative; the facts that follow are those of ``points`` and of
``tier_changes``, and one of their own: an override. Nothing is decided here: that is
``loyalty``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar

import attrs
from attrs import field, frozen

from retention.accounts import Account
from retention.activity import History, Purchase
from retention.earning import EarningEvent, EarningOrder, OrderLine, whole
from retention.mechanisms.acts import Command, Fact
from retention.mechanisms.choices import member as chosen
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.money import Money
from retention.mechanisms.periods import AsOf, When, checked
from retention.mechanisms.words import Word
from retention.points import POINTS, Earned, EarningReversed, PointsFact
from retention.redemptions import PointsRequest
from retention.rewards import Reward, RewardReversal
from retention.tier_changes import TierChange


class LoyaltyCommand(Word):
    """What is done in a programme."""

    EARN = "earn", "消费积分"
    EARN_FOR = "earn_for", "活动积分"
    REFUND = "refund", "退款冲销"
    REDEEM_FOR = "redeem_for", "积分兑换"
    OFFSET = "offset", "积分抵现"
    UPGRADE_TIER = "upgrade_tier", "积分升级"
    EVALUATE_TIER = "evaluate_tier", "等级评定"
    GRANT = "grant", "授权赠送"
    SET_TIER = "set_tier", "授权调整等级"
    CARRY_OUT = "carry_out", "执行请求"


def _least(least: int) -> Any:  # noqa: ANN401
    def check(one: Any, attribute: Any, value: Any) -> None:  # noqa: ANN401
        whole(value, f"{type(one).__name__}.{attribute.name}", least=least)

    return check


def _named(one: object, attribute: Any, value: str) -> None:  # noqa: ANN401
    if not value:
        where = f"{type(one).__name__}.{attribute.name}"
        raise InvalidValueError(where, value, "a text that is not empty")


def _event(given: EarningEvent | str) -> EarningEvent:
    return chosen(EarningEvent, given, "event")


def _changes(given: Iterable[TierChange]) -> tuple[TierChange, ...]:
    return tuple(given)


def _lines(given: Iterable[OrderLine]) -> tuple[OrderLine, ...]:
    return tuple(given)


@frozen
class Earn(Command):
    """Give the points of a purchase: base and bonuses (E-07, E-08, E-10).

    ``points_part_minor`` was paid with points.
    """

    name: ClassVar[LoyaltyCommand] = LoyaltyCommand.EARN
    purchase: Purchase
    lines: tuple[OrderLine, ...] = field(default=(), converter=_lines)
    points_part_minor: int = field(default=0, validator=_least(0), kw_only=True)

    @property
    def order(self) -> EarningOrder:
        """The order as earning sees it."""
        return EarningOrder(self.purchase, self.lines, points_part_minor=self.points_part_minor)

    @property
    def source(self) -> str:
        """Id under which the points are known: the order, or else the key of the command."""
        return self.purchase.order or self.key


@frozen
class EarnFor(Command):
    """Give the points of an event: an activity, a referral, a prize (E-09).

    ``source`` is the event itself; it earns once. ``prize`` names a row of the table of events
    where one event has several.
    """

    name: ClassVar[LoyaltyCommand] = LoyaltyCommand.EARN_FOR
    event: EarningEvent = field(converter=_event)
    source: str = field(validator=_named)
    prize: str = ""


@frozen
class Refund(Command):
    """Take back the points of what was refunded, so that the order keeps the floor of the rest.

    ``refunded_minor`` is all that was given back so far, not the last part alone.
    """

    name: ClassVar[LoyaltyCommand] = LoyaltyCommand.REFUND
    purchase: Purchase
    refunded_minor: int = field(validator=_least(1))
    lines: tuple[OrderLine, ...] = field(default=(), converter=_lines)
    points_part_minor: int = field(default=0, validator=_least(0), kw_only=True)

    @property
    def order(self) -> EarningOrder:
        """The order as earning sees it after the refund."""
        return EarningOrder(
            self.purchase,
            self.lines,
            points_part_minor=self.points_part_minor,
            refunded_minor=self.refunded_minor,
        )


@frozen
class RedeemFor(Command):
    """Exchange points for an item of the catalogue (E-11)."""

    name: ClassVar[LoyaltyCommand] = LoyaltyCommand.REDEEM_FOR
    item: str = field(validator=_named)


@frozen
class Offset(Command):
    """Pay a part of an order with points (E-12); ``points`` is the most that may be used."""

    name: ClassVar[LoyaltyCommand] = LoyaltyCommand.OFFSET
    points: int = field(validator=_least(1))
    order: Money


@frozen
class UpgradeTier(Command):
    """Buy the next tier with points (E-13)."""

    name: ClassVar[LoyaltyCommand] = LoyaltyCommand.UPGRADE_TIER
    tier: str = field(validator=_named)


@frozen
class EvaluateTier(Command):
    """Put the changes of tier on record that the rules have made up to now (E-04, E-05)."""

    name: ClassVar[LoyaltyCommand] = LoyaltyCommand.EVALUATE_TIER


@frozen
class Grant(Command):
    """Give points that no rule gives: with a reason and an approver (E-38)."""

    name: ClassVar[LoyaltyCommand] = LoyaltyCommand.GRANT
    points: int = field(validator=_least(1))
    reason: str = field(validator=_named)
    approver: str = ""


@frozen
class SetTier(Command):
    """Set a tier that no rule gives: status match, lock, correction, with an approver (E-38).

    Without ``valid_through`` the tier has its normal validity; until ``locked_through`` it
    cannot be lost.
    """

    name: ClassVar[LoyaltyCommand] = LoyaltyCommand.SET_TIER
    tier: str = field(validator=_named)
    reason: str = field(validator=_named)
    approver: str = ""
    valid_through: date | None = None
    locked_through: date | None = None


PointsAsk = Reward | RewardReversal | PointsRequest
"""What other rooms ask of the points of a member; rewards of other kinds are the host's."""


@frozen
class CarryOut(Command):
    """Do to the points what another room asks for: a reward, its reversal, a redemption.

    The rule behind it is judged where the request comes from; each request is done once.
    """

    name: ClassVar[LoyaltyCommand] = LoyaltyCommand.CARRY_OUT
    request: PointsAsk


LoyaltyOrder = (
    Earn
    | EarnFor
    | Refund
    | RedeemFor
    | Offset
    | UpgradeTier
    | EvaluateTier
    | Grant
    | SetTier
    | CarryOut
)


@frozen
class Overridden(Fact):
    """Somebody allowed what no rule gives (E-38): who asked, who approved, what and why."""

    name: ClassVar[LoyaltyCommand] = LoyaltyCommand.GRANT
    operation: str
    approver: str
    reason: str


LoyaltyFact = PointsFact | TierChange | Overridden


def _overrides(given: Iterable[Overridden]) -> tuple[Overridden, ...]:
    return tuple(given)


def _approved(_: object, attribute: Any, value: When | None) -> None:  # noqa: ANN401
    if value is not None:
        checked(value, attribute.name)


@frozen
class Member:
    """A member of the programme: approval, birthday, account of points, history, tier changes.

    ``history`` is what the host knows of purchases; ladders over spend ask for it.
    """

    id: str | int
    account: Account
    approved_at: When | None = field(default=None, validator=_approved)
    birthday: date | None = field(default=None, repr=False)
    history: History | None = field(default=None, repr=False)
    changes: tuple[TierChange, ...] = field(default=(), converter=_changes, repr=False)
    overrides: tuple[Overridden, ...] = field(default=(), converter=_overrides, repr=False)

    def approved(self, point: AsOf) -> bool:
        """Whether the membership is approved at a point of view."""
        return self.approved_at is not None and point.knows(self.approved_at)

    @property
    def known(self) -> History:
        """What the host knows of the purchases; nothing if it did not say."""
        return self.history if self.history is not None else History(self.id)

    def with_purchase(self, purchase: Purchase) -> Member:
        """Return the member whose history holds a purchase, once."""
        here = self.known
        known = any(
            x == purchase or (x.order and x.order == purchase.order) for x in here.purchases
        )
        return self if known else attrs.evolve(self, history=here.with_fact(purchase))


def held_points(account: Account, source: str) -> int:
    """Return what a source earned, less what was taken back already."""
    total = 0
    for fact in account.named(source):
        if isinstance(fact, Earned) and fact.source == source:
            total += fact.points
        elif isinstance(fact, EarningReversed) and fact.source == source:
            total -= fact.points
    return total


def qualifying_points(
    account: Account, point: AsOf, currency: str = POINTS
) -> tuple[tuple[date, int], ...]:
    """Return points that were earned, by day; a reversal lessens the day of its earning."""
    found: list[tuple[date, int]] = []
    days: dict[int, date] = {}
    for fact in sorted(account.facts, key=lambda x: x.sequence):
        if not point.knows(fact.at):
            continue
        if isinstance(fact, Earned) and fact.currency == currency:
            days[fact.sequence] = fact.on
            found.append((fact.on, fact.points))
        elif isinstance(fact, EarningReversed) and fact.lot in days:
            found.append((days[fact.lot], -fact.points))
    return tuple(found)
