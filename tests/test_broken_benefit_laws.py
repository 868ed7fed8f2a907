"""Each law of benefits notices when it is broken, and its sentence says where and what."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import attrs
import pytest

from retention.benefits import Benefit, BenefitCatalogue, BenefitKind
from retention.change_previews import CompensationPlan, Remedy, losses
from retention.coupons import Coupon, CouponCommand, CouponKind, Coupons, CouponTerms
from retention.mechanisms.answers import Accepted
from retention.mechanisms.money import Money
from retention.mechanisms.workflows import Act
from retention.referrals import Invitation, ReferralCommand, ReferralTerms, Side
from retention.rewards import Reward, RewardKind
from retention.testing import laws

DAY = date(2024, 6, 30)
K = BenefitKind
LOW_ONLY = (Benefit(K.COUPON, ("low",)),)


class Blind(BenefitCatalogue):
    """Sees no violation."""

    def violations(self) -> Any:  # noqa: ANN401
        return ()


class Generous(BenefitCatalogue):
    """Tells a column more than one member."""

    def entitled(self, kind: Any, tiers: Any, **more: Any) -> Any:  # noqa: ANN401
        return super().entitled(kind, tiers, **more) | True


class Endless(Benefit):
    """Always has one use left."""

    def left(self, uses: Iterable[date], *, on: date) -> int | None:
        return 1


class Dear(CouponTerms):
    """A coupon that raises the price."""

    def price(self, before: Money) -> Money:
        return Money(before.minor + 1, before.currency)

    def prices(self, minor: Any) -> Any:  # noqa: ANN401
        return super().prices(minor) * 0 + [x + 1 for x in minor]


class Apart(CouponTerms):
    """One order and a column cost different prices."""

    def prices(self, minor: Any) -> Any:  # noqa: ANN401
        return super().prices(minor) * 0


class Forgetful(Coupons):
    """Forgets that a coupon was used."""

    def decide(self, coupon: Coupon, act: Any, **more: Any) -> Any:  # noqa: ANN401
        return super().decide(attrs.evolve(coupon, steps=()), act, **more)


class Twice(ReferralTerms):
    """Asks for every reward two times."""

    def decide(self, *given: Any, **more: Any) -> Any:  # noqa: ANN401
        answer = super().decide(*given, **more)
        if isinstance(answer, Accepted):
            return attrs.evolve(answer, requests=answer.requests * 2)
        return answer


class Keeping(ReferralTerms):
    """Takes nothing back."""

    def decide(self, *given: Any, **more: Any) -> Any:  # noqa: ANN401
        answer = super().decide(*given, **more)
        if isinstance(answer, Accepted):
            kept = tuple(x for x in answer.requests if isinstance(x, Reward))
            return attrs.evolve(answer, requests=kept)
        return answer


class ForAll(CompensationPlan):
    """Gives points to everybody."""

    def requests(self) -> Any:  # noqa: ANN401
        for who in self.losses.members.tolist():
            yield Reward(who, "points", 1, reason="x", source="c", key=f"c:{who}")


class Mean(CompensationPlan):
    """Gives nobody anything."""

    def requests(self) -> Any:  # noqa: ANN401
        return iter(())


def act(name: ReferralCommand, **brings: Any) -> tuple[str, Act[ReferralCommand]]:  # noqa: ANN401
    return "r-1", Act(name, at=DAY, by="shop", brings=brings)


C = ReferralCommand
SIDES = Side(RewardKind.POINTS, 200), Side(RewardKind.POINTS, 100)
MOVES: list[Invitation | tuple[str, Act[ReferralCommand]]] = [
    Invitation("r-1", "A", "link", at=DAY, by="A"),
    act(C.REGISTER, referee="B", code="link"),
    act(C.PURCHASE, order="o-1"),
    act(C.REWARD),
    act(C.CANCEL, order="o-1"),
]
USE = Act(CouponCommand.USE, at=DAY, by="shop", brings={"order": "o-1"})
TERMS = CouponTerms(CouponKind.BIRTHDAY, off_minor=5)
FORGETFUL = Forgetful((TERMS,))
OLD = BenefitCatalogue((Benefit(K.COUPON),), ladder=("low", "high"))
NEW = BenefitCatalogue((Benefit(K.COUPON, ("high",)),), ladder=("low", "high"))
FOUND = losses(OLD, NEW, ["a", "b"], ["low", "high"])
PLAN = ("c", FOUND, (Remedy(months=1),), DAY, date(2024, 8, 1))


@pytest.mark.parametrize(
    ("law", "given", "text"),
    [
        ("a_higher_tier_has_no_less", (Blind(LOW_ONLY, ladder=("low", "high")),),
         "broken for low and high: fewer kinds says True"),
        ("a_higher_tier_has_no_less", (Generous(LOW_ONLY, ladder=("low", "high")),),
         r"one says \[.*\], columns says \[True, True, True\]"),
        ("a_quota_is_never_exceeded", (Endless(K.COUPON, quota=1), [DAY, DAY]),
         "exceeded says True"),
        ("a_price_after_a_coupon_is_between_zero_and_the_price",
         (Dear(CouponKind.BIRTHDAY, off_minor=5), [7]), "between says False"),
        ("a_price_after_a_coupon_is_between_zero_and_the_price",
         (Apart(CouponKind.BIRTHDAY, off_minor=5), [7]), "one says 2, columns says 0"),
        ("a_coupon_is_used_once",
         (FORGETFUL, FORGETFUL.grant("c", "M", "birthday", on=DAY), [USE, USE]),
         "used more than once says True"),
        ("a_referral_is_rewarded_once", (Twice(*SIDES), MOVES), "all rewards: keys says"),
        ("a_referral_is_rewarded_once", (Keeping(*SIDES), MOVES), "r-1: taken back says {}"),
        ("compensation_is_for_those_who_lose", (ForAll(*PLAN),), "broken for c: given says"),
        ("compensation_is_for_those_who_lose", (Mean(*PLAN),), r"given says set\(\)"),
    ],
)  # fmt: skip
def test_a_broken_rule_breaks_its_law(law: str, given: tuple[Any, ...], text: str) -> None:
    with pytest.raises(AssertionError, match=text):
        getattr(laws, law)(*given)


def test_a_preview_that_differs_breaks_its_law(monkeypatch: pytest.MonkeyPatch) -> None:
    laws.losses_one_equals_columns(OLD, NEW, [("low", "low", 1, 1)])
    monkeypatch.setattr("retention.testing.laws.benefits.loss", lambda *_, **__: ())
    with pytest.raises(AssertionError, match=r"row 0: one says \(\)"):
        laws.losses_one_equals_columns(OLD, NEW, [("low", "low", 1, 1)])


def test_what_keeps_the_rules_keeps_the_laws() -> None:
    laws.a_referral_is_rewarded_once(ReferralTerms(*SIDES), MOVES)
    laws.compensation_is_for_those_who_lose(CompensationPlan(*PLAN))
    laws.a_coupon_is_used_once(
        Coupons((TERMS,)), Coupons((TERMS,)).grant("c", "M", "birthday", on=DAY), [USE, USE]
    )
