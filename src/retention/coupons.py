"""Coupons: their terms, whether one applies to an order and why, the price after it.

Kinds, thresholds, discounts, validity and conditions are rows (E-40). A coupon is used once:
it is granted, reserved by an order, used, or ends by its date (SM-15); that it has expired is
a function of the day and never a fact. How coupons stack with tier discounts and points is
decided in ``discounts``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

import attrs
from attrs import field, frozen

from retention.mechanisms.answers import Accepted, Reason, Refused, Scalar
from retention.mechanisms.choices import member as chosen
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.machines import Machine
from retention.mechanisms.money import Money, RoundingRule
from retention.mechanisms.periods import When, checked, local_date, plus_days, zone_of
from retention.mechanisms.policies import Policy, is_blank, policy, read
from retention.mechanisms.rules import Rule
from retention.mechanisms.words import Word
from retention.mechanisms.workflows import Act, Progress, Taken, Workflow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

_MOST = 2**62  # of an amount times a numerator, so that columns of 64 bits hold it


class CouponKind(Word, zh="优惠券"):
    """Coupons that the handbooks name (E-40)."""

    SECOND_PURCHASE = "second_purchase", "二次购买立减券"
    SPEND_AND_SAVE = "spend_and_save", "满减券"
    NO_THRESHOLD = "no_threshold", "无门槛券"
    FIRST_ORDER_BACK = "first_order_back", "回归首单折扣券"
    HOLIDAY = "holiday", "节日优惠券"
    BIRTHDAY = "birthday", "生日优惠券"


class DiscountType(Word, zh="优惠方式"):
    """What a coupon takes off: an amount, or a share of the price."""

    AMOUNT = "amount", "立减"
    PERCENT = "percent", "折扣"


class CouponState(Word, zh="优惠券状态"):
    """Where a coupon stands (SM-15)."""

    GRANTED = "granted", "已发放"
    RESERVED = "reserved", "已占用"
    USED = "used", "已使用"
    EXPIRED = "expired", "已过期"
    CANCELLED = "cancelled", "已作废"


class CouponCommand(Word, zh="优惠券操作"):
    """What is done with a coupon (SM-15)."""

    RESERVE = "reserve", "占用"
    RELEASE = "release", "释放"
    USE = "use", "使用"
    REVOKE = "revoke", "作废"


COUPON = Machine(
    "SM-15",
    CouponState,
    CouponCommand,
    """
    granted           -reserve->  reserved
    reserved          -release->  granted
    reserved/granted  -use->      used
    granted           ->          expired    (date)
    granted           -revoke->   cancelled
    """,
)
"""A coupon as a machine; time alone ends it, and an order that reserved it in time keeps it."""


def _share(given: Fraction | str | int | None) -> Fraction | None:
    return None if given is None else Fraction(given)


@policy
class CouponTerms(Policy):
    """One row: what a coupon takes off, from which price on, for whom, and for how long.

    ``pays`` is the share that is paid: 8折 is ``"4/5"``, so 80 % are paid (AMB-25). ``when``
    asks for what is known of the customer or the order, such as ``purchases == 1``. A granted
    coupon keeps the terms under which it was granted.

    >>> back = CouponTerms(CouponKind.FIRST_ORDER_BACK, pays="4/5", valid_days=30)
    >>> str(back.price(Money.of("99.99", "CNY"))), back.discount.value
    ('79.99 CNY', 'percent')
    """

    kind: CouponKind = field(converter=lambda x: chosen(CouponKind, x, "kind"))
    name: str = read(
        "", "no name of its own"
    )  # when there are several of one kind, such as mid_autumn
    off_minor: int | None = read(None, "no amount is named")
    pays: Fraction | None = field(default=read(None, "no rate is named"), converter=_share)
    threshold_minor: int = read(0, "no threshold is named")
    valid_days: int | None = read(None, "no validity is named")
    when: Rule | None = read(None, "no condition is named")
    rounding: RoundingRule = read(RoundingRule.HALF_UP, "no rounding is named")

    def __attrs_post_init__(self) -> None:
        if is_blank(self.off_minor) or is_blank(self.pays):
            return
        if (self.off_minor is None) is (self.pays is None):
            allowed = "off_minor for an amount, or pays for a share of the price"
            raise InvalidValueError(f"coupon {self.key}", (self.off_minor, self.pays), allowed)
        if self.off_minor is not None and self.off_minor < 1:
            raise InvalidValueError("CouponTerms.off_minor", self.off_minor, "1 or more")
        if self.pays is not None and not 0 <= self.pays < 1:
            raise InvalidValueError("CouponTerms.pays", self.pays, "0 or more and below 1")

    @property
    def key(self) -> str:
        """Name of the row: its own name, or the kind."""
        return self.name or self.kind.value

    @property
    def discount(self) -> DiscountType:
        """Whether an amount or a share is taken off."""
        return DiscountType.AMOUNT if self.pays is None else DiscountType.PERCENT

    def price(self, before: Money) -> Money:
        """Return what is paid with the coupon, never below zero; the threshold is not looked at."""
        if self.pays is not None:
            return before.times(self.pays, self.rounding)
        return Money(max(before.minor - (self.off_minor or 0), 0), before.currency)

    def prices(self, minor: ArrayLike) -> NDArray[np.int64]:
        """Return what is paid for a column of prices; below the threshold nothing changes.

        >>> CouponTerms("spend_and_save", off_minor=50, threshold_minor=200).prices(
        ...     [199, 200, 30]
        ... ).tolist()
        [199, 150, 30]
        """
        import numpy as np

        before = whole_column(minor, "minor")
        if self.pays is not None:
            after = paid_share(before, self.pays, self.rounding)
        else:
            after = np.maximum(before - (self.off_minor or 0), 0)
        return np.where(before >= self.threshold_minor, after, before)


def whole_column(minor: ArrayLike, where: str) -> NDArray[np.int64]:
    """Return a column of amounts of 0 or more in whole minor units.

    >>> whole_column([1.5], "minor")
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.WrongTypeError: minor: float64 is of a kind that is not taken \
here; give whole minor units
    """
    import numpy as np

    column = np.asarray(minor)
    if column.size and column.dtype.kind not in "iu":
        raise WrongTypeError(where, column.dtype.name, "whole minor units")
    if column.size and int(column.min()) < 0:
        raise InvalidValueError(where, int(column.min()), "0 or more")
    return column.astype(np.int64)


def paid_share(minor: NDArray[np.int64], pays: Fraction, rule: RoundingRule) -> NDArray[np.int64]:
    """Return a share of each amount, settled by a named rule: what ``Money.times`` does.

    >>> import numpy as np
    >>> paid_share(np.array([5, 15]), Fraction(1, 2), RoundingRule.HALF_EVEN).tolist()
    [2, 8]
    """
    over, under = pays.numerator, pays.denominator
    if minor.size and int(minor.max()) * max(over, under) >= _MOST:
        raise InvalidValueError("minor", int(minor.max()), f"below {_MOST // max(over, under)}")
    whole, rest = minor * over // under, minor * over % under
    up = {
        RoundingRule.DOWN: rest < 0,
        RoundingRule.UP: rest > 0,
        RoundingRule.HALF_UP: 2 * rest >= under,
        RoundingRule.HALF_EVEN: (2 * rest > under) | ((2 * rest == under) & (whole % 2 == 1)),
    }
    after: NDArray[np.int64] = whole + up[rule]
    return after


@frozen
class Order:
    """An order as coupons and discounts see it: its price, its day, and what else is known."""

    id: str
    member: str | int
    price: Money
    at: When = field(validator=lambda _, __, value: checked(value, "Order.at"))
    known: Mapping[str, Scalar] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        if self.price.minor < 0:
            raise InvalidValueError("Order.price", str(self.price), "0 or more")


@frozen
class Coupon:
    """One coupon of one member: its terms as they were granted, its days, and what became of it."""

    id: str
    member: str | int
    terms: CouponTerms = field(repr=False)
    granted_on: date
    through: date | None = None  # the last day on which it can be used (RC-05)
    steps: tuple[Taken[CouponState, CouponCommand], ...] = ()
    source: str = ""  # the campaign or grant that it comes from

    def state(self, on: date) -> CouponState:
        """Where it stands on a date; what nobody used or reserved ends after its last day."""
        stored = self.steps[-1].target if self.steps else CouponState.GRANTED
        over = self.through is not None and on > self.through
        return CouponState.EXPIRED if stored is CouponState.GRANTED and over else stored

    @property
    def order(self) -> str:
        """The order that reserved or used it; empty when it is free."""
        last = self.steps[-1] if self.steps else None
        taken = (CouponState.RESERVED, CouponState.USED)
        return str(last.get("order", "")) if last is not None and last.target in taken else ""


@frozen
class Applicability:
    """Whether a coupon applies to an order, why, and the price after it."""

    applies: bool
    reasons: tuple[Reason, ...]
    before: Money
    after: Money

    @property
    def saved(self) -> Money:
        """What the coupon takes off."""
        return self.before - self.after

    def __str__(self) -> str:
        """Return one line for people."""
        failed = [str(each) for each in self.reasons if not each.held]
        why = f"does not apply: {', '.join(failed)}" if failed else f"saves {self.saved}"
        return f"{self.after}, coupon {why}"


@policy
class Coupons(Policy):
    """The coupon rows of a handbook, and what may be done with one coupon.

    >>> shop = Coupons((CouponTerms("no_threshold", off_minor=20_00, valid_days=7),))
    >>> mine = shop.grant("c-1", "M-1", "no_threshold", on=date(2024, 6, 1))
    >>> order = Order("o-1", "M-1", Money.of("15.00", "CNY"), at=date(2024, 6, 8))
    >>> print(shop.applicable(mine, order))
    0.00 CNY, coupon saves 15.00 CNY
    >>> use = Act(CouponCommand.USE, at=date(2024, 6, 8), by="shop", brings={"order": "o-1"})
    >>> used = shop.decide(mine, use).or_raise().state
    >>> print(shop.decide(used, use))
    use while used: not possible; allowed now: nothing
    """

    rows_in: ClassVar[str] = "rows"

    rows: tuple[CouponTerms, ...] = field(converter=tuple)
    zone: str = read("Asia/Shanghai", "no zone is named")

    def __attrs_post_init__(self) -> None:
        keys = [row.key for row in self.rows]
        if len(set(keys)) < len(keys):
            raise DuplicateError("coupons", keys)

    def terms(self, key: str) -> CouponTerms:
        """Return the row of a name; raise when there is none."""
        found = {row.key: row for row in self.rows}
        if key not in found:
            raise UnknownNameError("coupon", key, tuple(found))
        return found[key]

    def grant(
        self,
        id: str,  # noqa: A002  the word that stores use
        member: str | int,
        key: str,
        *,
        on: date,
        source: str = "",
    ) -> Coupon:
        """Return a new coupon under today's terms; its last day is counted from this one."""
        terms = self.terms(key)
        through = None if terms.valid_days is None else plus_days(on, terms.valid_days)
        return Coupon(id, member, terms, on, through, source=source)

    def applicable(self, coupon: Coupon, order: Order) -> Applicability:
        """Say whether a coupon applies to an order, why, and what is paid then (E-40).

        It must be the member's own, usable on the day of the order, and free or reserved by
        this order; price and condition of its row must hold.
        """
        terms, day = coupon.terms, local_date(order.at, zone_of(self.zone))
        state, free = coupon.state(day), coupon.order in {"", order.id}
        usable = state is CouponState.GRANTED or (state is CouponState.RESERVED and free)
        threshold = f">= {terms.threshold_minor}"
        high = order.price.minor >= terms.threshold_minor
        own = coupon.member == order.member
        reasons = [
            Reason("member", "the holder" if own else "another", "the holder", held=own),
            Reason("state", state.value, "granted, or reserved by this order", held=usable),
            Reason("date", str(day), f">= {coupon.granted_on}", held=coupon.granted_on <= day),
            Reason("price_minor", order.price.minor, threshold, held=high),
        ]
        applies = all(each.held for each in reasons)
        if terms.when is not None:
            reasons += terms.when.reasons(order.known)
            applies = applies and terms.when.holds(order.known)
        after = terms.price(order.price) if applies else order.price
        return Applicability(applies, tuple(reasons), order.price, after)

    @property
    def workflow(self) -> Workflow[CouponState, CouponCommand]:
        """The machine in use, in this zone."""
        return Workflow(COUPON, CouponState.GRANTED, self.zone)

    def decide(
        self,
        coupon: Coupon,
        act: Act[CouponCommand],
        *,
        earlier: Iterable[Taken[CouponState, CouponCommand]] = (),
    ) -> Accepted[Coupon, Taken[CouponState, CouponCommand]] | Refused:
        """Judge an act; using and reserving name the order, a reserved coupon is its order's."""
        day = local_date(act.at, zone_of(self.zone))
        progress = Progress(coupon.id, coupon.state(day), coupon.steps)
        missing = list[str]()
        if act.name in {CouponCommand.USE, CouponCommand.RESERVE}:
            order = act.get("order", "")
            if not order:
                missing.append("order")
            elif coupon.order not in {"", order}:
                missing.append("order_that_reserved_it")
        if day < coupon.granted_on:
            missing.append("later_time")
        answer = self.workflow.decide(progress, act, earlier=earlier, missing=missing)
        if isinstance(answer, Refused):
            return answer
        return Accepted(attrs.evolve(coupon, steps=answer.state.steps), answer.facts)


def replay(coupon: Coupon, steps: Iterable[Taken[CouponState, CouponCommand]]) -> Coupon:
    """Return a coupon after all its steps, oldest first.

    >>> terms = CouponTerms("birthday", off_minor=5_00)
    >>> replay(Coupon("c", "M", terms, date(2024, 6, 1)), []).state(date(2024, 6, 2)).value
    'granted'
    """
    return attrs.evolve(coupon, steps=tuple(steps))


def open_coupons(coupons: Iterable[Coupon], *, on: date) -> tuple[tuple[date, Coupon], ...]:
    """Return the coupons that can still be used, each with its last day, the first to end first.

    >>> terms = CouponTerms("birthday", off_minor=5_00)
    >>> one = Coupon("c", "M", terms, date(2024, 6, 1), date(2024, 6, 30))
    >>> [str(day) for day, _ in open_coupons([one], on=date(2024, 6, 30))]
    ['2024-06-30']
    """
    live = (CouponState.GRANTED, CouponState.RESERVED)
    found = [(each.through or date.max, each) for each in coupons if each.state(on) in live]
    return tuple(sorted(found, key=lambda pair: (pair[0], pair[1].id)))
