"""Earning: how many points an order or an event is worth, by which rule, and why.

Points for a purchase come by a ratio of the amount (E-07) or by full steps of it (E-08), those
for other events from a table (E-09). Birthdays and promotions add to the base as entries of
their own (E-10), and a stated rule says how they stack. Everything can be simulated: a quote
changes nothing. What is done with the points is not decided here: that is ``points``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import attrs
from attrs import field, frozen

from retention.activity import Purchase
from retention.mechanisms.answers import Reason
from retention.mechanisms.choices import member
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    MixedCurrenciesError,
    UnknownNameError,
    UnreadableTextError,
    WrongTypeError,
)
from retention.mechanisms.money import Money, RoundingRule, allocated, digits_of, rounded
from retention.mechanisms.periods import When, local_date, plus_days, plus_months, zone_of
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.words import Word

Earned = Callable[[date, date], int]
"""Points that a member earned from one date to another, both inside."""


class EarningEvent(Word):
    """What points are given for (E-09)."""

    PURCHASE = "purchase", "消费"
    ACTIVITY = "activity", "参与活动"
    REFERRAL = "referral", "推荐新用户"
    DISCUSSION = "discussion", "话题讨论优秀者"
    CONTEST = "contest", "竞赛奖品"
    COMPENSATION = "compensation", "权益调整补偿"


class BirthdayWindow(Word):
    """On which days purchases earn the birthday bonus (E-10)."""

    DAY = "day", "生日当天"
    MONTH = "month", "生日当月"
    QUARTER = "quarter", "生日当季"


class LeapBirthday(Word):
    """When somebody born on 29 February has a birthday in other years."""

    FEB_28 = "feb28", "2月28日"
    MAR_1 = "mar1", "3月1日"


class Stacking(Word):
    """What several bonuses on one order make together."""

    BEST = "best", "取最高一项"
    SUM = "sum", "各项相加"
    PRODUCT = "product", "倍数相乘"


class CapPeriod(Word):
    """What a cap on earned points is counted over."""

    ORDER = "order", "每单"
    DAY = "day", "每日"
    MONTH = "month", "每月"
    YEAR = "year", "每年"


def whole(value: Any, where: str, *, least: int = 0) -> int:  # noqa: ANN401
    """Return a whole number of points or minor units; refuse fractions and what is too small.

    >>> whole(2.5, "points")
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.WrongTypeError: points: 2.5 is of a kind that is not taken here; \
give a whole number, 0 or more
    """
    allowed = f"a whole number, {least} or more"
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongTypeError(where, value, allowed)
    if value < least:
        raise InvalidValueError(where, value, allowed)
    return value


def exact(value: Any, where: str) -> Fraction:  # noqa: ANN401
    """Return an exact fraction above 0; a text such as ``1/100`` or ``1.5`` writes one.

    >>> exact("1.5", "factor")
    Fraction(3, 2)
    """
    if isinstance(value, bool) or not isinstance(value, int | str | Fraction):
        raise WrongTypeError(where, value, "a whole number, a Fraction or a text such as '1/100'")
    try:
        found = Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise UnreadableTextError(where, value, "a fraction such as 1/100 or 1.5") from None
    if found <= 0:
        raise InvalidValueError(where, value, "more than 0")
    return found


def _fraction(value: Any) -> Fraction:  # noqa: ANN401
    return exact(value, "ratio or factor")


def _at_least(least: int) -> Any:  # noqa: ANN401
    """Return a validator of whole numbers that lets a blank pass."""

    def check(one: Any, attribute: Any, value: Any) -> None:  # noqa: ANN401
        if not is_blank(value):
            whole(value, f"{type(one).__name__}.{attribute.name}", least=least)

    return check


@policy
class EventReward(Policy):
    """Points for one event; several prizes of one kind have names of their own (E-09).

    >>> EventReward(EarningEvent.CONTEST, 500, name="contest_first").key
    'contest_first'
    """

    event: EarningEvent = field(converter=lambda x: member(EarningEvent, x, "event"))
    points: int = field(validator=_at_least(1))
    name: str = ""

    @property
    def key(self) -> str:
        """Name of the row: the prize, or the event itself."""
        return self.name or str(self.event)


@policy
class BirthdayBonus(Policy):
    """Purchases in the birthday window earn ``factor`` times the points (E-10).

    Month and quarter are those of the birthday; ``leap`` says which day stands in for
    29 February.

    >>> bonus = BirthdayBonus(2, BirthdayWindow.DAY)
    >>> bonus.covers(date(2000, 2, 29), date(2023, 2, 28))
    True
    """

    factor: Fraction = field(converter=_fraction)
    window: BirthdayWindow = field(
        default=BirthdayWindow.MONTH, converter=lambda x: member(BirthdayWindow, x, "window")
    )
    leap: LeapBirthday = field(
        default=LeapBirthday.FEB_28, converter=lambda x: member(LeapBirthday, x, "leap")
    )

    def __attrs_post_init__(self) -> None:
        if not is_blank(self.factor) and self.factor <= 1:
            raise InvalidValueError("BirthdayBonus.factor", self.factor, "more than 1")

    def covers(self, birthday: date, day: date) -> bool:
        """Whether a purchase on a day lies in the window of a birthday."""
        if self.window is BirthdayWindow.DAY:
            return birthday_in(day.year, birthday, self.leap) == day
        length = 3 if self.window is BirthdayWindow.QUARTER else 1
        return (birthday.month - 1) // length == (day.month - 1) // length


def birthday_in(year: int, birthday: date, leap: LeapBirthday) -> date:
    """Return the day on which a birthday is kept in a year.

    >>> birthday_in(2023, date(2000, 2, 29), LeapBirthday.MAR_1)
    datetime.date(2023, 3, 1)
    """
    kept = plus_months(birthday, (year - birthday.year) * 12)  # 29 February is clamped to 28
    moved = kept.day != birthday.day and leap is LeapBirthday.MAR_1
    return kept + timedelta(days=1) if moved else kept


@policy
class Promotion(Policy):
    """A bonus on orders: in a period, on weekdays, from an amount on, for some tiers.

    ``factor`` multiplies the base points, ``points`` are added; the bonus is what comes on top.

    >>> weekend = Promotion("weekend", factor="1.5", weekdays=(6, 7))
    >>> weekend.applies(date(2024, 6, 30), 100_00, tier=""), weekend.bonus(25)
    (True, 12)
    """

    name: str
    factor: Fraction = field(default=Fraction(1), converter=_fraction)
    points: int = field(default=0, validator=_at_least(0))
    since: date | None = None
    until: date | None = None  # the last day, whole (RC-05)
    weekdays: tuple[int, ...] = field(default=(), converter=tuple)  # 1 is Monday, 7 Sunday
    least_minor: int = field(default=0, validator=_at_least(0))  # of what counts
    tiers: tuple[str, ...] = field(default=(), converter=tuple)  # empty: every tier

    def __attrs_post_init__(self) -> None:
        if self.since and self.until and self.until < self.since:
            raise InvalidValueError("Promotion.until", self.until, f"{self.since} or later")
        if not set(self.weekdays) <= set(range(1, 8)):
            raise InvalidValueError("Promotion.weekdays", self.weekdays, "1 (Monday) to 7 (Sunday)")
        if not is_blank(self.factor) and self.factor < 1:
            raise InvalidValueError("Promotion.factor", self.factor, "1 or more")

    @property
    def key(self) -> str:
        """Name of the promotion, as a path says it."""
        return self.name

    def applies(self, day: date, counted_minor: int, *, tier: str) -> bool:
        """Whether the promotion holds for an order of a member in a tier."""
        in_time = (self.since or day) <= day <= (self.until or day)
        on_day = not self.weekdays or day.isoweekday() in self.weekdays
        for_tier = not self.tiers or tier in self.tiers
        return in_time and on_day and for_tier and counted_minor >= self.least_minor

    def bonus(self, base: int) -> int:
        """Return the points on top of the base."""
        return _over(base, self.factor) + self.points


@policy
class EarningCap(Policy):
    """The most points that may be earned by rules over an order, a day, a month or a year."""

    per: CapPeriod = field(converter=lambda x: member(CapPeriod, x, "per"))
    points: int = field(validator=_at_least(1))

    @property
    def key(self) -> str:
        """Name of the row: the period."""
        return str(self.per)

    def span(self, day: date) -> tuple[date, date]:
        """Return first and last date of the period that a day lies in.

        >>> str(EarningCap("month", 500).span(date(2024, 2, 10))[1])
        '2024-02-29'
        """
        months = {CapPeriod.MONTH: 1, CapPeriod.YEAR: 12}.get(self.per, 0)
        if not months:
            return day, day
        first = day.replace(day=1, **({"month": 1} if months > 1 else {}))
        return first, plus_days(plus_months(first, months), -1)


@frozen
class OrderLine:
    """A part of an order: its category and what it cost."""

    category: str
    amount_minor: int = field(validator=_at_least(0))


def _lines(given: Iterable[OrderLine]) -> tuple[OrderLine, ...]:
    return tuple(given)


@frozen
class EarningOrder:
    """An order as earning sees it: the purchase, its lines, and what was not paid in money.

    Without lines the whole purchase counts. ``points_part_minor`` was paid with points;
    ``refunded_minor`` is all that was given back so far for lines that earn.
    """

    purchase: Purchase
    lines: tuple[OrderLine, ...] = field(default=(), converter=_lines)
    points_part_minor: int = field(default=0, validator=_at_least(0), kw_only=True)
    refunded_minor: int = field(default=0, validator=_at_least(0), kw_only=True)

    def __attrs_post_init__(self) -> None:
        amount, total = self.purchase.amount_minor, sum(x.amount_minor for x in self.lines)
        if self.lines and total != amount:
            raise InvalidValueError("EarningOrder.lines", total, f"lines that sum to {amount}")
        if self.points_part_minor > amount:
            raise InvalidValueError(
                "EarningOrder.points_part_minor", self.points_part_minor, f"at most {amount}"
            )


@frozen
class EarningPart:
    """Points of one rule for one order or event: an entry of its own, and why."""

    rule: str  # purchase, birthday, the name of a promotion or prize
    event: EarningEvent
    points: int
    reason: Reason
    capped: int = 0  # points that a cap took away


@frozen
class EarningQuote:
    """What an order or event would earn, part by part; nothing has happened yet.

    >>> rules = EarningRules(step=Money.of(10, "CNY"))
    >>> quote = rules.quote(EarningOrder(Purchase("M-1", date(2024, 6, 15), 259_00)))
    >>> quote.points, str(quote)
    (25, 'purchase 25: counted_minor 25900 is worth 1 for each full 10.00 CNY')
    """

    parts: tuple[EarningPart, ...]

    @property
    def points(self) -> int:
        """Points of all parts."""
        return sum(part.points for part in self.parts)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why each part is worth its points."""
        return tuple(part.reason for part in self.parts)

    def __str__(self) -> str:
        """Return one line for people."""
        return "; ".join(f"{x.rule} {x.points}: {x.reason}" for x in self.parts) or "no points"


@policy
class EarningRules(Policy):
    """How points are earned: purchases by ratio or by step, events by a table (E-07 to E-10).

    ``ratio`` is points for each unit of the currency (E-07), ``step`` the spend that earns
    ``points_per_step`` (E-08); one of the two. Amounts are exact, points are rounded down.
    ``excluded`` names the categories of lines that earn nothing. ``on_points_part`` says
    whether the part of an order that was paid with points earns again.
    """

    ratio: Fraction | None = field(default=None, converter=attrs.converters.optional(_fraction))
    step: Money | None = None
    points_per_step: int = field(default=1, validator=_at_least(1))
    events: tuple[EventReward, ...] = field(default=(), converter=tuple)
    birthday: BirthdayBonus | None = None
    promotions: tuple[Promotion, ...] = field(default=(), converter=tuple)
    stacking: Stacking = field(
        default=Stacking.BEST, converter=lambda x: member(Stacking, x, "stacking")
    )
    caps: tuple[EarningCap, ...] = field(default=(), converter=tuple)
    excluded: tuple[str, ...] = field(default=(), converter=tuple)
    on_points_part: bool = False
    zone: str = "Asia/Shanghai"

    def __attrs_post_init__(self) -> None:
        if self._given(self.ratio) and self._given(self.step):
            raise InvalidValueError("EarningRules", "ratio and step", "one of the two")
        self._check_step()
        for rows in (self.events, self.promotions, self.caps):
            keys = [] if is_blank(rows) else [row.key for row in rows]
            if len(set(keys)) < len(keys):
                raise DuplicateError("EarningRules", keys)
        self._check_caps()

    def _check_step(self) -> None:
        step: object = self.step
        if step is None or is_blank(step):
            return
        if not isinstance(step, Money) or step.minor <= 0:
            raise InvalidValueError("EarningRules.step", step, "an amount above 0, as Money")

    @staticmethod
    def _given(value: object) -> bool:
        return value is not None and not is_blank(value)

    def _check_caps(self) -> None:
        caps = [x for x in self.caps if not is_blank(x.points)]
        order = tuple(CapPeriod)
        rows = sorted(caps, key=lambda x: order.index(x.per))
        if any(a.points > b.points for a, b in pairwise(rows)):
            given = [(str(x.per), x.points) for x in rows]
            raise InvalidValueError("EarningRules.caps", given, "caps that rise with the period")

    @property
    def earns_on_purchases(self) -> bool:
        """Whether purchases earn at all, be the rate still blank or not."""
        return self.ratio is not None or self.step is not None

    @property
    def rewarded(self) -> tuple[str, ...]:
        """Everything that earns points: purchases, and the rows of the table of events."""
        base = (str(EarningEvent.PURCHASE),) if self.earns_on_purchases else ()
        return (*base, *(row.key for row in self.events))

    # --- purchases ------------------------------------------------------------------------------

    def counted_minor(self, order: EarningOrder) -> int:
        """Return the part of an order that earns: no excluded lines, nothing given back.

        >>> rules = EarningRules(step=Money.of(10, "CNY"), excluded=("shipping",))
        >>> lines = OrderLine("shoes", 90_00), OrderLine("shipping", 10_00)
        >>> rules.counted_minor(EarningOrder(Purchase("M-1", date(2024, 6, 15), 100_00), lines))
        9000
        """
        amount = order.purchase.amount_minor
        out = sum(x.amount_minor for x in order.lines if x.category in self.excluded)
        counted = amount - out
        if order.points_part_minor and not self.on_points_part:
            # What was paid with points is spread over all lines; only the money earns.
            counted -= allocated(order.points_part_minor, [counted, out])[0]
        return max(counted - order.refunded_minor, 0)

    def base(self, counted_minor: int, currency: str = "") -> int:
        """Return the points for an amount, rounded down (E-07, E-08).

        >>> EarningRules(ratio=Fraction(1, 3)).base(100_00, "CNY")
        33
        """
        if self._given(self.ratio):
            units = Fraction(counted_minor, 10 ** digits_of(currency))
            return rounded(units * self._ratio, RoundingRule.DOWN)
        step = self._step
        if currency and currency != step.currency:
            raise MixedCurrenciesError("EarningRules.step", sorted({currency, step.currency}))
        return counted_minor // step.minor * self.points_per_step

    def quote(
        self,
        order: EarningOrder,
        *,
        birthday: date | None = None,
        tier: str = "",
        earned: Earned | None = None,
    ) -> EarningQuote:
        """Return what an order earns: base, birthday and promotions as parts of their own.

        ``earned`` says what the member earned before in a span of dates, for caps that are
        counted over days, months or years; without it only caps on the order apply.
        """
        day = self.day_of(order.purchase.at)
        counted = self.counted_minor(order)
        base = self.base(counted, order.purchase.currency)
        parts = [EarningPart("purchase", EarningEvent.PURCHASE, base, self._why(counted))]
        bonuses = list(self._bonuses(base, counted, day, birthday, tier))
        parts += _stacked(base, bonuses, self.stacking)
        return EarningQuote(self._capped([x for x in parts if x.points], day, earned))

    def kept_points(
        self, order: EarningOrder, held: int, *, birthday: date | None = None, tier: str = ""
    ) -> int:
        """Return the points that an order keeps after refunds: never more than are held now.

        It is the floor of what is kept, so refunds in parts and at once leave the same.

        >>> rules = EarningRules(step=Money.of(10, "CNY"))
        >>> bought = Purchase("M-1", date(2024, 6, 15), 259_00)
        >>> rules.kept_points(EarningOrder(bought, refunded_minor=9_01), 25)
        24
        """
        uncapped = attrs.evolve(self, caps=())
        return min(held, uncapped.quote(order, birthday=birthday, tier=tier).points)

    def day_of(self, at: When) -> date:
        """Return the local day on which something is earned."""
        return local_date(at, zone_of(self.zone))

    def _bonuses(
        self, base: int, counted: int, day: date, birthday: date | None, tier: str
    ) -> Iterator[tuple[str, Fraction, int, Reason]]:
        """Bonuses that apply: name, factor, points added, and why."""
        here = self.birthday
        if here is not None and birthday is not None and here.covers(birthday, day):
            wanted = f"in the birthday window ({here.window})"
            yield "birthday", here.factor, 0, Reason("day", str(day), wanted, held=True)
        for each in self.promotions:
            if base and each.applies(day, counted, tier=tier):
                wanted = f"in promotion {each.name}"
                reason = Reason("day", str(day), wanted, held=True)
                yield each.name, each.factor, each.points, reason

    def _why(self, counted: int) -> Reason:
        if self._given(self.ratio):
            wanted = f"worth {self.ratio} for each unit"
        else:
            wanted = f"worth {self.points_per_step} for each full {self._step}"
        return Reason("counted_minor", counted, wanted, held=True)

    @property
    def _ratio(self) -> Fraction:
        return self.ratio if self.ratio is not None else Fraction(0)

    @property
    def _step(self) -> Money:
        step = self.step if self.step is not None else self.ratio
        if step is None:
            raise InvalidValueError("EarningRules", "a purchase", "ratio or step to be set")
        if is_blank(step):
            bool(step)  # which raises, and names the path
        if not isinstance(step, Money):
            raise WrongTypeError("EarningRules.step", step, "an amount as Money")
        return step

    # --- events ---------------------------------------------------------------------------------

    def reward(
        self,
        event: EarningEvent,
        *,
        name: str = "",
        on: date,
        earned: Earned | None = None,
    ) -> EarningQuote:
        """Return what an event other than a purchase earns (E-09).

        >>> rules = EarningRules(events=(EventReward("discussion", 30),))
        >>> rules.reward(EarningEvent.DISCUSSION, on=date(2023, 7, 1)).points
        30
        """
        wanted = name or str(event)
        row = next((x for x in self.events if x.key == wanted and x.event is event), None)
        if row is None:
            raise UnknownNameError("EarningRules.events", wanted, self.rewarded)
        points = row.points + 0  # a blank raises here and names the path
        reason = Reason("event", wanted, f"worth {points}", held=True)
        return EarningQuote(self._capped([EarningPart(row.key, event, points, reason)], on, earned))

    # --- caps -----------------------------------------------------------------------------------

    def _capped(
        self, parts: list[EarningPart], day: date, earned: Earned | None
    ) -> tuple[EarningPart, ...]:
        """Cut what exceeds a cap from the last part on: the base is the last to go."""
        room = self._room(day, earned)
        if room is None:
            return tuple(parts)
        kept = []
        for part in parts:
            points = min(part.points, room)
            room -= points
            kept.append(attrs.evolve(part, points=points, capped=part.points - points))
        return tuple(kept)

    def _room(self, day: date, earned: Earned | None) -> int | None:
        rooms = []
        for cap in self.caps:
            if cap.per is CapPeriod.ORDER:
                rooms.append(cap.points)
            elif earned is not None:
                rooms.append(max(cap.points - earned(*cap.span(day)), 0))
        return min(rooms, default=None)


def _over(base: int, factor: Fraction) -> int:
    """Points that a factor adds to the base, rounded down."""
    return rounded(base * (factor - 1), RoundingRule.DOWN)


def _stacked(
    base: int, bonuses: list[tuple[str, Fraction, int, Reason]], stacking: Stacking
) -> list[EarningPart]:
    """Turn the bonuses that apply into parts, by the rule that says how they stack."""
    parts, product = [], Fraction(1)
    for name, factor, points, reason in bonuses:
        before = product if stacking is Stacking.PRODUCT else Fraction(1)
        product = before * factor
        added = _over(base, product) - _over(base, before) + points
        parts.append(EarningPart(name, EarningEvent.PURCHASE, added, reason))
    if stacking is Stacking.BEST:
        return sorted(parts, key=lambda part: -part.points)[:1]  # of equal ones, the first
    return parts
