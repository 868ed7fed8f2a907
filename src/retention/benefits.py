"""Benefits: the words of the handbooks, who is entitled to what, and why.

A catalogue is data: kind, class, tiers, quota, share of the price, scope and validity of each
benefit (E-19, E-20). It says what a tier brings (E-21, E-45), whether a higher tier ever has
less than a lower one (E-03), what suits somebody's preferences (E-23), and which rights of an
older version still hold (E-35). What comes on an occasion is granted in ``benefit_grants``; how
a benefit is used is decided in ``redemptions``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
from attrs import field, frozen

from retention.mechanisms.answers import Reason, Scalar
from retention.mechanisms.choices import member as chosen
from retention.mechanisms.errors import DuplicateError, InvalidValueError, UnknownNameError
from retention.mechanisms.policies import Policy, is_blank, policy, read
from retention.mechanisms.rules import Rule
from retention.mechanisms.words import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

_YEAR = 12  # months


class BenefitKind(Word):
    """Benefits that the handbooks name (E-19)."""

    PRIORITY_SERVICE = "priority_service", "优先客服"
    EXCLUSIVE_DISCOUNT = "exclusive_discount", "专属折扣"
    BIRTHDAY_BENEFIT = "birthday_benefit", "生日福利"
    BIRTHDAY_GIFT = "birthday_gift", "生日礼"
    ANNIVERSARY_BENEFIT = "anniversary_benefit", "纪念日福利"
    FIRST_PURCHASE_DISCOUNT = "first_purchase_discount", "首次购买折扣"
    TRIAL_EXTENSION = "trial_extension", "免费试用期限延长"
    NEWCOMER_PACK = "newcomer_pack", "新手礼包"
    COUPON = "coupon", "优惠券"
    BENEFIT_UPGRADE = "benefit_upgrade", "会员权益升级"
    PRIORITY_PURCHASE = "priority_purchase", "优先购买权"
    FREE_VALUE_ADDED = "free_value_added", "免费增值服务"
    INDIVIDUAL_SERVICE = "individual_service", "个性化服务"
    PRIORITY_RESPONSE = "priority_response", "优先响应"
    INDIVIDUAL_SOLUTION = "individual_solution", "定制化解决方案"
    EXCLUSIVE_TRAINING = "exclusive_training", "专属培训"
    EVENT_PRIORITY = "event_priority", "优先参加活动"
    UPGRADE_DISCOUNT = "upgrade_discount", "产品升级优惠"
    FREE_SHIPPING = "free_shipping", "免运费"
    DEDICATED_SERVICE = "dedicated_service", "专属客服"
    PRIORITY_DISPATCH = "priority_dispatch", "优先发货"
    CUSTOM_PACKAGING = "custom_packaging", "定制商品包装"
    NEW_PRODUCT_TASTING = "new_product_tasting", "新品试吃"
    OFFLINE_EVENTS = "offline_events", "线下活动邀请"
    POINTS = "points", "积分累积与兑换"
    FREE_DELIVERY = "free_delivery", "免费配送"
    MEMBER_NEWS = "member_news", "会员资讯"
    INDIVIDUAL_RECOMMENDATION = "individual_recommendation", "个性化推荐"
    SERVICE_SCHEME = "service_scheme", "个性化服务方案"
    INDIVIDUAL_OFFER = "individual_offer", "个性化优惠"
    LAUNCH_PRIORITY = "launch_priority", "优先参与新品发布"
    LIMITED_EDITION_PRIORITY = "limited_edition_priority", "优先购买限量产品"
    MEMBER_EVENT_PRIORITY = "member_event_priority", "优先参加会员活动"
    DEDICATED_TEAM = "dedicated_team", "一对一专属客服团队"
    POINTS_REDEMPTION = "points_redemption", "积分兑换"
    MEMBER_DISCOUNT = "member_discount", "会员折扣"
    EXCLUSIVE_ACTIVITIES = "exclusive_activities", "专属活动"
    PRIORITY_SERVICE_CHANNEL = "priority_service_channel", "优先客服通道"


class BenefitClass(Word):
    """Classes of benefits (E-20)."""

    BASIC = "basic", "基础权益"
    ADVANCED = "advanced", "进阶权益"


class ComesWith(Word):
    """How a member comes by a benefit: with the tier, or by a grant on an occasion."""

    TIER = "tier", "随等级享有"
    GRANT = "grant", "按事件发放"


class Aspect(Word):
    """In what one set of benefits is less than another."""

    MISSING = "missing", "缺少权益"
    QUOTA = "quota", "次数更少"
    RATE = "rate", "折扣更小"
    SCOPE = "scope", "范围更窄"
    VALIDITY = "validity", "有效期更短"
    TIER = "tier", "等级更低"
    EARNING = "earning", "积分更少"


def _kind(given: BenefitKind | str) -> BenefitKind:
    return chosen(BenefitKind, given, "kind")


def _share(given: Fraction | str | int) -> Fraction:
    return Fraction(given)


@policy
class Benefit(Policy):
    """One row of a catalogue: what it is, for whom, how often, at which price, how long.

    ``pays`` is the share of the price that is paid, so 8折 is ``"4/5"`` (AMB-25). A quota is
    counted in calendar periods of ``per_months`` (RC-07), or once for all when that is None.

    >>> tasting = Benefit(BenefitKind.NEW_PRODUCT_TASTING, ("gold_card",), quota=1, per_months=3)
    >>> tasting.left([date(2024, 1, 5)], on=date(2024, 3, 31))
    0
    >>> tasting.left([date(2024, 1, 5)], on=date(2024, 4, 1))
    1
    """

    kind: BenefitKind = field(converter=_kind)
    # Which tiers; empty: all of the ladder.
    tiers: tuple[str, ...] = field(default=read((), "no tier is named"), converter=tuple)
    and_above: bool = read(False, "no word on the tiers above those that are named")
    everybody: bool = read(False, "no word on customers without a tier")
    level: BenefitClass | None = read(None, "no class is named")
    comes_with: ComesWith = read(ComesWith.TIER, "no occasion is named")
    quota: int | None = read(None, "no limit is named")  # uses in one period
    per_months: int | None = read(_YEAR, "no period is named")
    pays: Fraction = field(default=read(Fraction(1), "no rate is named"), converter=_share)
    # Categories of goods; empty: all.
    scope: tuple[str, ...] = field(default=read((), "no scope is named"), converter=tuple)
    valid_from: date | None = read(None, "no beginning is named")
    valid_through: date | None = read(None, "no end is named")  # the last usable day (RC-05)
    suits: Rule | None = read(None, "no preference is named")  # whom it is proposed to (E-23)

    def __attrs_post_init__(self) -> None:
        if not is_blank(self.quota) and self.quota is not None and self.quota < 1:
            raise InvalidValueError("Benefit.quota", self.quota, "1 or more; None: no limit")
        months = self.per_months
        if not is_blank(months) and months is not None and (months < 1 or _YEAR % months):
            raise InvalidValueError("Benefit.per_months", months, "1, 2, 3, 4, 6, 12 or None")
        if not is_blank(self.pays) and not 0 <= self.pays <= 1:
            raise InvalidValueError("Benefit.pays", self.pays, "0 to 1: the share that is paid")

    @property
    def key(self) -> str:
        """Name of the row: the kind, and the tiers when only some have it."""
        named = () if is_blank(self.tiers) else self.tiers
        return "_".join((self.kind.value, *named))

    def in_force(self, on: date) -> bool:
        """Whether the row holds on a date; the last day is included."""
        begun = self.valid_from is None or self.valid_from <= on
        return begun and (self.valid_through is None or on <= self.valid_through)

    def left(self, uses: Iterable[date], *, on: date) -> int | None:
        """Return how many uses are left in the period of a date; None without a limit."""
        if self.quota is None:
            return None
        used = sum(1 for day in uses if self._period(day) == self._period(on))
        return max(self.quota - used, 0)

    def _period(self, day: date) -> int:
        months = self.per_months
        return 0 if months is None else (day.year * _YEAR + day.month - 1) // months


@frozen
class AcquiredRight:
    """A benefit that a member acquired under a version of the programme (E-35).

    It keeps the row as it was: what the programme says today does not change it.

    >>> right = AcquiredRight(
    ...     "M-1",
    ...     Benefit("free_shipping"),
    ...     "2024-1",
    ...     since=date(2024, 1, 1),
    ...     through=date(2024, 12, 31),
    ... )
    >>> right.holds(date(2024, 12, 31)), right.holds(date(2025, 1, 1))
    (True, False)
    >>> right.extended(date(2025, 3, 31)).holds(date(2025, 1, 1))
    True
    """

    member: str | int
    benefit: Benefit = field(repr=False)
    version: str
    since: date = field(kw_only=True)
    through: date | None = field(default=None, kw_only=True)  # None: without an end

    def __attrs_post_init__(self) -> None:
        if self.through is not None and self.through < self.since:
            raise InvalidValueError("AcquiredRight.through", self.through, f"{self.since} or later")

    def holds(self, on: date) -> bool:
        """Whether it can be used on a date, the last day included."""
        return self.since <= on and (self.through is None or on <= self.through)

    def extended(self, through: date) -> AcquiredRight:
        """Return the right with a later end; an extension never shortens it (E-34)."""
        if self.through is None or through <= self.through:
            return self
        return attrs.evolve(self, through=through)

    def reason(self, on: date) -> Reason:
        """Return whether and why it holds on a date."""
        wanted = f"within {self.since} to {self.through or 'no end'}, acquired under {self.version}"
        return Reason("date", str(on), wanted, held=self.holds(on))


@frozen
class Entitlement:
    """Whether a member has a benefit on a date, and why."""

    kind: BenefitKind
    held: bool
    reasons: tuple[Reason, ...]
    benefit: Benefit | None = field(default=None, repr=False)  # the row that gives it
    version: str = ""

    @property
    def rows(self) -> tuple[Benefit, ...]:
        """The row that gives it, if it is held."""
        return () if self.benefit is None else (self.benefit,)

    def __str__(self) -> str:
        """Return one line for people."""
        has = "entitled to" if self.held else "not entitled to"
        return f"{has} {self.kind}: {', '.join(map(str, self.reasons)) or 'no row names it'}"


@frozen
class Shortfall:
    """One thing in which a set of benefits is less than another one."""

    kind: str
    aspect: Aspect
    had: str
    has: str

    def __str__(self) -> str:
        """Return one line for people."""
        return (
            f"{self.kind}: {self.aspect.label()} ({self.had} before, {self.has or 'nothing'} after)"
        )


@frozen
class Violation:
    """A higher tier is less than the one below it in one thing (E-03)."""

    lower: str
    higher: str
    shortfall: Shortfall


def shortfalls(had: Iterable[Benefit], has: Iterable[Benefit]) -> tuple[Shortfall, ...]:
    """Return everything in which the second set of benefits is less than the first.

    >>> old, new = Benefit("free_shipping", quota=12), Benefit("free_shipping", quota=4)
    >>> [str(each) for each in shortfalls([old], [new])]
    ['free_shipping: quota (12 in 12 months before, 4 in 12 months after)']
    """
    after = {each.kind: each for each in has}
    return tuple(x for old in had for x in _shortfalls(old, after.get(old.kind)))


def _shortfalls(old: Benefit, new: Benefit | None) -> Iterator[Shortfall]:
    if new is None:
        yield Shortfall(old.kind, Aspect.MISSING, old.key, "")
        return
    if new == old:  # whatever is blank in it
        return
    if not _as_often(old, new):
        yield Shortfall(old.kind, Aspect.QUOTA, _quota(old), _quota(new))
    if new.pays > old.pays:
        yield Shortfall(old.kind, Aspect.RATE, f"pays {old.pays}", f"pays {new.pays}")
    if new.scope and not (old.scope and set(old.scope) <= set(new.scope)):
        yield Shortfall(old.kind, Aspect.SCOPE, _scope(old), _scope(new))
    if _end(new) < _end(old):
        yield Shortfall(old.kind, Aspect.VALIDITY, f"to {_end(old)}", f"to {_end(new)}")


def _as_often(old: Benefit, new: Benefit) -> bool:
    """Whether every use that the old quota allows is allowed by the new one."""
    if new.quota is None:
        return True
    if old.quota is None:
        return False
    if new.per_months is None:  # once for all: less than anything that comes again
        return old.per_months is None and new.quota >= old.quota
    months = range(_YEAR)
    pairs = {(x // new.per_months, 0 if old.per_months is None else x // old.per_months)
             for x in months}  # fmt: skip
    most = max(Counter(period for period, _ in pairs).values())
    return new.quota >= old.quota * most


def _quota(row: Benefit) -> str:
    if row.quota is None:
        return "no limit"
    return (
        f"{row.quota} {'once for all' if row.per_months is None else f'in {row.per_months} months'}"
    )


def _scope(row: Benefit) -> str:
    return ", ".join(row.scope) or "all"


def _end(row: Benefit) -> date:
    return row.valid_through or date.max


@policy
class BenefitCatalogue(Policy):
    """Every benefit of a programme, and the ladder of tiers that it speaks of, lowest first.

    Who is entitled follows a change of the catalogue at once; what was acquired before is
    an :class:`AcquiredRight` and stays.

    >>> vip = BenefitCatalogue(
    ...     (Benefit("free_shipping", ["diamond_card"]), Benefit("priority_service")),
    ...     ladder=["silver_card", "gold_card", "diamond_card"],
    ... )
    >>> print(vip.entitlement("free_shipping", "gold_card", on=date(2024, 6, 30)))
    not entitled to free_shipping: tier gold_card is not one of diamond_card
    >>> vip.entitled("free_shipping", ["gold_card", "diamond_card", "none"]).tolist()
    [False, True, False]
    """

    rows_in: ClassVar[str] = "benefits"

    benefits: tuple[Benefit, ...] = field(converter=tuple)
    ladder: tuple[str, ...] = field(converter=tuple, kw_only=True)
    version: str = "1"

    def __attrs_post_init__(self) -> None:
        keys = [each.key for each in self.benefits]
        if len(set(keys)) < len(keys):
            raise DuplicateError("benefits", next(x for x in keys if keys.count(x) > 1))
        if is_blank(self.ladder):
            return
        for row in self.benefits:
            strange = [] if is_blank(row.tiers) else [x for x in row.tiers if x not in self.ladder]
            if strange:
                raise UnknownNameError(f"benefit {row.key}", strange[0], self.ladder)
        for tier in self.ladder:
            kinds = [x.kind for x in self.benefits if not is_blank(x.tiers) and self._for(x, tier)]
            if len(set(kinds)) < len(kinds):
                twice = next(x for x in kinds if kinds.count(x) > 1)
                raise DuplicateError(f"benefits of {tier}", twice.value)

    # --- one member -----------------------------------------------------------------------------

    def of_tier(self, tier: str | None) -> tuple[Benefit, ...]:
        """Return the rows that a tier brings; None is a customer without a tier."""
        return tuple(x for x in self.benefits if self._for(x, tier))

    def entitlement(
        self,
        kind: BenefitKind | str,
        tier: str | None,
        *,
        on: date,
        rights: Iterable[AcquiredRight] = (),
    ) -> Entitlement:
        """Say whether a member of a tier has a benefit on a date, and why (E-19, E-45).

        A right that was acquired under an older version counts while it holds (E-35). What
        comes by a grant needs such a right.
        """
        kind = _kind(kind)
        reasons, mine = list[Reason](), [x for x in rights if x.benefit.kind is kind]
        for row in (x for x in self.benefits if x.kind is kind):
            why = (self._tier_reason(row, tier), *_row_reasons(row, on))
            reasons += [each for each in why if not each.held]
            if all(each.held for each in why):
                return self._better(Entitlement(kind, True, why, row, self.version), mine, on)
        for right in mine:
            reasons.append(right.reason(on))
            if right.holds(on):
                return Entitlement(kind, True, (reasons[-1],), right.benefit, right.version)
        return Entitlement(kind, False, tuple(reasons))

    def _better(self, found: Entitlement, rights: Iterable[AcquiredRight], on: date) -> Entitlement:
        """The same benefit from a right that still holds, where the row now gives less (E-35)."""
        for right in rights:
            if right.holds(on) and shortfalls([right.benefit], found.rows):
                why = (right.reason(on),)
                return Entitlement(found.kind, True, why, right.benefit, right.version)
        return found

    def entitlements(
        self, tier: str | None, *, on: date, rights: Sequence[AcquiredRight] = ()
    ) -> tuple[Entitlement, ...]:
        """Return everything that a member has on a date, each with its reasons."""
        kinds = dict.fromkeys([x.kind for x in self.benefits] + [x.benefit.kind for x in rights])
        found = (self.entitlement(kind, tier, on=on, rights=rights) for kind in kinds)
        return tuple(each for each in found if each.held)

    def proposals(
        self, preferences: Mapping[str, Scalar], tier: str | None, *, on: date
    ) -> tuple[Entitlement, ...]:
        """Return the benefits of a member that suit his preferences, with the reason (E-23).

        A preference that nobody asked about is missing and matches nothing.
        """
        found = []
        for row in self.of_tier(tier):
            if row.suits is None or not row.in_force(on):
                continue
            known = {name: preferences.get(name) for name in row.suits.measures()}
            if row.suits.holds(known):
                why = (self._tier_reason(row, tier), *row.suits.reasons(known))
                found.append(Entitlement(row.kind, True, why, row, self.version))
        return tuple(found)

    # --- many members ---------------------------------------------------------------------------

    def entitled(
        self, kind: BenefitKind | str, tiers: ArrayLike, *, on: date | None = None
    ) -> NDArray[np.bool_]:
        """Say of a column of tiers who has a benefit with the tier, on a date or at any time."""
        import numpy as np

        kind, column = _kind(kind), np.asarray(tiers).astype(str)
        names, places = np.unique(column, return_inverse=True)
        rows = [x for x in self.benefits if x.kind is kind and x.comes_with is ComesWith.TIER]
        rows = [x for x in rows if on is None or x.in_force(on)]
        has = [any(self._for(row, str(name)) for row in rows) for name in names]
        found: NDArray[np.bool_] = np.array(has, bool)[places]
        return found

    # --- the catalogue itself -------------------------------------------------------------------

    def violations(self) -> tuple[Violation, ...]:
        """Return everything in which a tier is less than the one below it (E-03)."""
        return tuple(
            Violation(low, high, each)
            for low, high in pairwise(self.ladder)
            for each in shortfalls(self.plain(low), self.plain(high))
        )

    def classes(self) -> dict[BenefitClass | None, tuple[BenefitKind, ...]]:
        """Return the kinds by class; None holds those that the handbook does not class (E-20)."""
        levels = dict.fromkeys((*BenefitClass, *(row.level for row in self.benefits)))
        return {
            level: tuple(dict.fromkeys(x.kind for x in self.benefits if x.level is level))
            for level in levels
        }

    def matrix(self) -> dict[str, frozenset[BenefitKind]]:
        """Return the kinds that each tier brings, lowest first: the benefit matrix."""
        return {tier: frozenset(x.kind for x in self.plain(tier)) for tier in self.ladder}

    def plain(self, tier: str | None) -> tuple[Benefit, ...]:
        """Return the rows that come with a tier itself, without grants."""
        return tuple(x for x in self.of_tier(tier) if x.comes_with is ComesWith.TIER)

    def _for(self, row: Benefit, tier: str | None) -> bool:
        if row.everybody:
            return True
        return tier is not None and tier in self._named(row)

    def _named(self, row: Benefit) -> tuple[str, ...]:
        """Tiers that a row speaks of."""
        if not row.tiers:
            return self.ladder
        if not row.and_above:
            return row.tiers
        return self.ladder[min(self._rank[tier] for tier in row.tiers) :]

    @cached_property
    def _rank(self) -> dict[str, int]:
        return {tier: number for number, tier in enumerate(self.ladder)}

    def _tier_reason(self, row: Benefit, tier: str | None) -> Reason:
        wanted = "any" if row.everybody else f"one of {', '.join(self._named(row))}"
        return Reason("tier", tier, wanted, held=self._for(row, tier))


def _row_reasons(row: Benefit, on: date) -> tuple[Reason, ...]:
    """What a row asks besides the tier; limits that it does not have give no reason."""
    found: list[Any] = []
    if row.comes_with is ComesWith.GRANT:
        found.append(Reason("comes_with", "tier", "a grant", held=False))
    if row.valid_from or row.valid_through:
        span = f"within {row.valid_from or 'ever'} to {row.valid_through or 'no end'}"
        found.append(Reason("date", str(on), span, held=row.in_force(on)))
    return tuple(found)
