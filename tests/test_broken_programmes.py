"""Tiers and earning with one mistake each: the shipped laws find them, and say which it was."""

from __future__ import annotations

from datetime import date
from typing import Any

import attrs
import pytest

from retention import History, Purchase
from retention.classifications import Classification
from retention.earning import CapPeriod, EarningCap, EarningOrder, EarningRules
from retention.mechanisms.decisions import FirstMatch
from retention.mechanisms.money import Money
from retention.mechanisms.periods import plus_days
from retention.mechanisms.policies import policy
from retention.testing import laws
from retention.tier_changes import Standing, TierFacts
from retention.tier_walks import Walk
from retention.tiers import TierCase, Tiers

tier_case: Any = TierCase  # with rules as texts, as a file gives them
JOINED = date(2024, 1, 1)
SILVER = tier_case("silver", "qualifying_spend_minor >= 100000")
LADDER = Tiers(Classification("tiers", FirstMatch((SILVER,), otherwise="ordinary")))
WHO = TierFacts("M-1", JOINED, History("M-1", [Purchase("M-1", date(2024, 2, 10), 1_000_00)]))
LAST = date(2025, 2, 9)  # of silver; it is kept once more, and lost on 10 February 2026
TEN = Money.of(10, "CNY")
ORDER = EarningOrder(Purchase("M-1", date(2024, 6, 15), 259_00))


@policy
class Lavish(EarningRules):
    """Looks at no cap."""

    def _room(self, day: date, earned: Any) -> int | None:  # noqa: ANN401
        return None


@policy
class Forgetful(EarningRules):
    """Takes back with each refund what all refunds together are worth."""

    def kept_points(self, order: EarningOrder, held: int, **_: Any) -> int:  # noqa: ANN401
        return held - self.base(order.refunded_minor, "CNY")


@policy
class Modest(Tiers):
    """Has no tier for those who spend very much."""

    def meets(self, values: Any) -> Any:  # noqa: ANN401
        much = values["qualifying_spend_minor"] > 500_000
        return super().meets({"qualifying_spend_minor": 0} if much else values)


def broken(name: str) -> Any:  # noqa: ANN401
    return pytest.raises(AssertionError, match=f"law {name} is broken")


def test_a_cap_that_nobody_looks_at() -> None:
    rules = Lavish(step=TEN, caps=(EarningCap(CapPeriod.DAY, 30),))
    with broken("caps_are_never_exceeded"):
        laws.caps_are_never_exceeded(rules, [ORDER, ORDER])


@pytest.mark.rule("E-17")
def test_refunds_that_are_taken_back_twice() -> None:
    with broken("refunds_telescope"):
        laws.refunds_telescope(Forgetful(step=TEN), ORDER, [10_00, 10_00])


def test_a_purchase_that_lowers_the_tier() -> None:
    day = date(2024, 2, 10)
    laws.more_never_lowers_the_tier(LADDER, WHO, as_of=day, spent_minor=500_000)
    with broken("more_never_lowers_the_tier"):
        laws.more_never_lowers_the_tier(Modest(LADDER.ladder), WHO, as_of=day, spent_minor=500_000)


def test_a_record_without_the_end_of_the_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Walk._start

    def endless(walk: Walk) -> Standing:
        return attrs.evolve(right(walk), valid_through=None)

    monkeypatch.setattr(Walk, "_start", endless)
    with broken("recording_changes_nothing"):
        laws.recording_changes_nothing(LADDER, WHO, first=date(2024, 3, 1), then=date(2026, 3, 1))


@pytest.mark.rule("E-05")
def test_a_tier_that_is_lost_on_its_last_day(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Walk._fall
    monkeypatch.setattr(Walk, "_fall", lambda walk, last, _: right(walk, last, last))
    with broken("a_tier_holds_until_its_last_day"):
        laws.a_tier_holds_until_its_last_day(LADDER, WHO, as_of=date(2026, 3, 1))


@pytest.mark.rule("E-05")
def test_an_end_that_is_judged_before_the_day_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Walk._end_before
    monkeypatch.setattr(Walk, "_end_before", lambda walk, day: right(walk, plus_days(day, 1)))
    with broken("tier_equals_tiers"):
        laws.tier_equals_tiers(LADDER, [WHO], as_of=LAST)


def test_the_same_without_a_mistake() -> None:
    rules = EarningRules(step=TEN, caps=(EarningCap(CapPeriod.DAY, 30),))
    laws.caps_are_never_exceeded(rules, [ORDER, ORDER])
    laws.refunds_telescope(rules, ORDER, [10_00, 10_00])
    laws.recording_changes_nothing(LADDER, WHO, first=date(2024, 3, 1), then=date(2026, 3, 1))
    laws.a_tier_holds_until_its_last_day(LADDER, WHO, as_of=date(2026, 3, 1))
    laws.tier_equals_tiers(LADDER, [WHO], as_of=LAST)
