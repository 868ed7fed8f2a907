"""Nobody is given more than the rules say: benefits, coupons, referrals, compensation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from retention.benefits import Benefit, BenefitCatalogue, BenefitKind
from retention.change_previews import CompensationPlan, loss, losses
from retention.coupons import Coupon, CouponCommand, Coupons, CouponState, CouponTerms
from retention.mechanisms.answers import Accepted, Refused
from retention.mechanisms.money import Money
from retention.mechanisms.workflows import Act
from retention.referrals import (
    Invitation,
    ReferralBook,
    ReferralCommand,
    ReferralFact,
    ReferralState,
    ReferralTerms,
)
from retention.rewards import Reward, RewardReversal
from retention.testing.laws.agreement import agree

_DAY = date(2024, 6, 30)


def a_higher_tier_has_no_less(catalogue: BenefitCatalogue) -> None:
    """Without violations each tier has every benefit of all tiers below, no worse (E-03).

    And the tier alone decides: one member and a column of tiers are told the same.

    >>> a_higher_tier_has_no_less(BenefitCatalogue((Benefit("coupon"),), ladder=["low", "high"]))
    """
    law, matrix = "a_higher_tier_has_no_less", catalogue.matrix()
    monotone = not catalogue.violations()
    for place, low in enumerate(catalogue.ladder):
        for high in catalogue.ladder[place:]:
            less = matrix[low] - matrix[high]
            agree(law, f"{low} and {high}", fewer_kinds=bool(less) and monotone, wanted=False)
    tiers = [*catalogue.ladder, "unknown"]
    for kind in BenefitKind:
        one = [catalogue.entitlement(kind, tier, on=_DAY).held for tier in tiers]
        many = catalogue.entitled(kind, tiers, on=_DAY).tolist()
        agree(law, f"{kind} for {tiers}", one=one, columns=many)


def a_quota_is_never_exceeded(benefit: Benefit, days: Iterable[date]) -> None:
    """Whoever uses a benefit only while uses are left stays within the quota of each period.

    >>> a_quota_is_never_exceeded(Benefit("coupon", quota=1), [date(2024, 1, 1)] * 3)
    """
    law, used = "a_quota_is_never_exceeded", list[date]()
    for day in days:
        left = benefit.left(used, on=day)
        if left is None or left > 0:
            used.append(day)
    months = benefit.per_months
    periods = Counter(
        0 if months is None else (day.year * 12 + day.month - 1) // months for day in used
    )
    most = max(periods.values(), default=0)
    agree(law, f"{benefit.key}, used on {used}",
          exceeded=benefit.quota is not None and most > benefit.quota, wanted=False)  # fmt: skip


def a_price_after_a_coupon_is_between_zero_and_the_price(
    terms: CouponTerms, amounts: Sequence[int], *, currency: str = "CNY"
) -> None:
    """The price never rises and never falls below zero; one order and a column agree (E-40).

    >>> a_price_after_a_coupon_is_between_zero_and_the_price(
    ...     CouponTerms("birthday", off_minor=500), [0, 499, 501]
    ... )
    """
    law = "a_price_after_a_coupon_is_between_zero_and_the_price"
    many = terms.prices(list(amounts)).tolist()
    for before, after in zip(amounts, many, strict=True):
        reached = before >= terms.threshold_minor
        one = terms.price(Money(before, currency)).minor if reached else before
        agree(law, f"{terms.key} and {before}", one=one, columns=after)
        agree(law, f"{terms.key} and {before}", between=0 <= after <= before, wanted=True)


def a_coupon_is_used_once(
    coupons: Coupons, coupon: Coupon, acts: Iterable[Act[CouponCommand]]
) -> None:
    """However acts follow each other: one use at most, never after its last day unless reserved.

    >>> shop = Coupons((CouponTerms("birthday", off_minor=500, valid_days=7),))
    >>> use = Act(CouponCommand.USE, at=_DAY, by="shop", brings={"order": "o-1"})
    >>> a_coupon_is_used_once(shop, shop.grant("c", "M", "birthday", on=_DAY), [use, use])
    """
    law, here, uses = "a_coupon_is_used_once", coupon, 0
    for number, act in enumerate(acts):
        answer = coupons.decide(here, act)
        if isinstance(answer, Refused):
            continue
        (step,) = answer.facts
        late = here.through is not None and step.on > here.through
        agree(law, f"act {number}, {act.name}", taken_when_expired=late and step.source is
              CouponState.GRANTED, wanted=False)  # fmt: skip
        here, uses = answer.state, uses + (step.target is CouponState.USED)
    agree(law, coupon.id, used_more_than_once=uses > 1, wanted=False)


def a_referral_is_rewarded_once(
    terms: ReferralTerms, moves: Iterable[Invitation | tuple[str, Act[ReferralCommand]]]
) -> ReferralBook:
    """However invitations and acts follow: no key twice, no referred user twice, no reward
    without a purchase, never oneself; what was returned is taken back whole (E-28, E-30).

    >>> from retention.referrals import Side
    >>> terms = ReferralTerms(Side("points", 200), Side("points", 100))
    >>> len(a_referral_is_rewarded_once(terms, []).referrals)
    0
    """  # noqa: D205  one sentence
    law, book = "a_referral_is_rewarded_once", ReferralBook()
    facts, given, back = list[tuple[str, ReferralFact]](), list[Reward](), list[RewardReversal]()
    for move in moves:
        id = move.id if isinstance(move, Invitation) else move[0]  # noqa: A001
        if isinstance(move, Invitation):
            answer = terms.invite(book, move)
            known = any(each.id == id for each in book.referrals)
        else:
            answer, known = terms.decide(book, id, move[1]), False
        if isinstance(answer, Accepted):
            book = answer.state
            facts += [] if known else [(id, fact) for fact in answer.facts]
            given += [each for each in answer.requests if isinstance(each, Reward)]
            back += [each for each in answer.requests if isinstance(each, RewardReversal)]
    keys = [each.key for each in given]
    agree(law, "all rewards", keys=sorted(keys), once=sorted(set(keys)))
    referees = [(x.member, x.key.endswith(":referee")) for x in given]
    twice = [who for who, count in Counter(x for x, side in referees if side).items() if count > 1]
    agree(law, "referred users", rewarded_twice=twice, wanted=[])
    for each in book.referrals:
        mine = {x.key: x.amount for x in given if x.source == each.id}
        bought = each.reached(ReferralState.PURCHASED)
        agree(law, each.id, rewarded_without_purchase=bool(mine) and not bought, wanted=False)
        own = each.reached(ReferralState.REGISTERED) and each.referee == each.invitation.referrer
        agree(law, each.id, referred_himself=own, wanted=False)
        taken = {x.reverses: x.amount for x in back if x.source == each.id}
        returned = each.state is ReferralState.CANCELLED
        agree(law, each.id, taken_back=taken, wanted=mine if returned else {})
    agree(law, "all facts", state=book, replay=terms.replay(facts))
    return book


def losses_one_equals_columns(
    old: BenefitCatalogue, new: BenefitCatalogue, rows: Sequence[tuple[str, str, int, int]]
) -> None:
    """What one member loses is what the columns say: old and new tier, old and new points.

    >>> shop = BenefitCatalogue((Benefit("coupon"),), ladder=["low", "high"])
    >>> losses_one_equals_columns(shop, shop, [("high", "low", 10, 9)])
    """
    law = "losses_one_equals_columns"
    tiers, new_tiers, points, new_points = (
        [row[place] for row in rows] for place in range(len(("tier", "tier", "points", "points")))
    )
    found = losses(
        old, new, list(range(len(rows))), tiers,
        new_tiers=new_tiers, points=points, new_points=new_points,
    )  # fmt: skip
    worse = set(found.worse.tolist())
    for number, (before, after, had, has) in enumerate(rows):
        one = loss(old, new, before, new_tier=after, points=had, new_points=has)
        agree(law, f"row {number}", one=one, columns=found.of(number))
        agree(law, f"row {number}", loses=bool(one), worse=number in worse)


def compensation_is_for_those_who_lose(plan: CompensationPlan) -> None:
    """Everybody who is worse off is given something, in time, and nobody else anything (E-34).

    >>> from retention.change_previews import Remedy
    >>> shop = BenefitCatalogue((Benefit("coupon"),), ladder=["low"])
    >>> found = losses(shop, shop, ["a"], ["low"])
    >>> compensation_is_for_those_who_lose(
    ...     CompensationPlan("c-1", found, (Remedy(months=1),), _DAY, date(2024, 8, 1))
    ... )
    """
    law = "compensation_is_for_those_who_lose"
    requests = list(plan.requests())
    given = {x.member for x in requests}
    agree(law, plan.change, given=given, worse=set(plan.losses.worse.tolist()))
    keys = [each.key for each in requests]
    agree(law, plan.change, keys=sorted(keys), once=sorted(set(keys)))
    points = Counter(x.member for x in requests if isinstance(x, Reward))
    agree(law, plan.change, points_more_than_once=max(points.values(), default=0) > 1, wanted=False)
    agree(law, plan.change, in_time=plan.due_by < plan.effective_on, wanted=True)
