"""Coupons: terms, applicability, price, single use (E-40, SM-15, AMB-25)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.coupons import (
    Coupon,
    CouponCommand,
    CouponKind,
    Coupons,
    CouponState,
    CouponTerms,
    DiscountType,
    Order,
    open_coupons,
    replay,
)
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.errors import (
    BlankValueError,
    DuplicateError,
    InvalidValueError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.money import Money, RoundingRule
from retention.mechanisms.rules import parse
from retention.mechanisms.workflows import Act
from retention.presets._benefits_ecommerce import COUPONS as SHOP
from retention.testing import acts, coupon_terms, laws
from tests.refusals import refused

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2024, 6, 1)


def yuan(amount: str) -> Money:
    return Money.of(amount, "CNY")


# Terms with amounts that a host would fill in.
OURS = SHOP.with_all(
    {
        "second_purchase.off_minor": 10_00,
        "spend_and_save.off_minor": 50_00,
        "spend_and_save.threshold_minor": 200_00,
        "no_threshold.off_minor": 20_00,
        "mid_autumn.off_minor": 15_00,
        "mid_autumn.valid_days": 7,
    }
)


def order(price: str, day: date = DAY, member: str = "M", **known: Any) -> Order:  # noqa: ANN401
    row = {"purchases": 5, "days_since_purchase": 10} | known
    return Order("o-1", member, yuan(price), at=day, known=row)


@pytest.mark.rule("E-40", "AMB-25")
@pytest.mark.parametrize(
    ("kind", "price", "known", "after"),
    [
        ("second_purchase", "99.00", {"purchases": 1}, "89.00"),
        ("second_purchase", "99.00", {"purchases": 2}, None),
        ("second_purchase", "99.00", {"purchases": 0}, None),
        ("spend_and_save", "200.00", {}, "150.00"),
        ("spend_and_save", "199.99", {}, None),
        ("no_threshold", "0.01", {}, "0.00"),
        ("no_threshold", "20.01", {}, "0.01"),
        ("first_order_back", "100.00", {"days_since_purchase": 91}, "80.00"),  # 8折: 80 % are paid
        ("first_order_back", "99.99", {"days_since_purchase": 91}, "79.99"),
        ("first_order_back", "100.00", {"days_since_purchase": 90}, None),
        ("first_order_back", "100.00", {"days_since_purchase": None}, None),
        ("mid_autumn", "15.00", {}, "0.00"),
    ],
)
def test_every_coupon_of_002(
    kind: str, price: str, known: dict[str, Any], after: str | None
) -> None:
    coupon = OURS.grant("c-1", "M", kind, on=DAY)
    found = OURS.applicable(coupon, order(price, **known))
    assert found.applies is (after is not None)
    assert found.after == yuan(after or price)
    assert found.saved == found.before - found.after
    assert any(not each.held for each in found.reasons) is not found.applies


@pytest.mark.rule("E-40")
def test_why_a_coupon_does_not_apply() -> None:
    coupon = OURS.grant("c-1", "M", "spend_and_save", on=DAY)
    assert str(OURS.applicable(coupon, order("199.99"))) == (
        "199.99 CNY, coupon does not apply: price_minor 19999 is not >= 20000"
    )
    assert str(OURS.applicable(coupon, order("200.00"))) == "150.00 CNY, coupon saves 50.00 CNY"
    other = OURS.applicable(coupon, order("200.00", member="N"))
    assert [str(each) for each in other.reasons if not each.held] == [
        "member another is not the holder"
    ]
    early = OURS.applicable(coupon, order("200.00", day=DAY - timedelta(days=1)))
    assert [each.subject for each in early.reasons if not each.held] == ["date"]


@pytest.mark.rule("E-40")
def test_a_condition_of_several_parts_holds_when_one_is_enough() -> None:
    either = CouponTerms(
        CouponKind.BIRTHDAY, off_minor=1, when=parse("tier == 'gold' or purchases >= 9")
    )
    book = Coupons((either,))
    coupon = book.grant("c-1", "M", "birthday", on=DAY)
    assert book.applicable(coupon, order("5.00", tier="gold")).applies
    assert not book.applicable(coupon, order("5.00", tier="silver")).applies


@pytest.mark.rule("E-40", "RC-05")
@pytest.mark.parametrize(
    ("on", "applies"),
    [("2024-06-01", True), ("2024-06-08", True), ("2024-06-09", False)],
)
def test_a_coupon_is_good_to_the_end_of_its_last_day(on: str, applies: bool) -> None:
    coupon = OURS.grant("c-1", "M", "mid_autumn", on=DAY)
    assert coupon.through == date(2024, 6, 8)
    day = date.fromisoformat(on)
    assert OURS.applicable(coupon, order("99.00", day=day)).applies is applies
    late = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=SHANGHAI)
    assert OURS.applicable(coupon, Order("o", "M", yuan("99.00"), at=late)).applies is applies
    assert coupon.state(day) is (CouponState.GRANTED if applies else CouponState.EXPIRED)
    assert OURS.grant("c", "M", "no_threshold", on=DAY).through is None


@given(coupon_terms(), st.lists(st.integers(0, 10**12), max_size=20))
def test_the_price_after_is_between_zero_and_the_price(
    terms: CouponTerms, amounts: list[int]
) -> None:
    edges = [terms.threshold_minor, max(terms.threshold_minor - 1, 0), 0, 1]
    laws.a_price_after_a_coupon_is_between_zero_and_the_price(terms, [*amounts, *edges])


@given(coupon_terms(), st.integers(0, 10**6))
def test_the_price_is_what_exact_arithmetic_says(terms: CouponTerms, price: int) -> None:
    if terms.pays is None:
        assert terms.price(Money(price, "CNY")).minor == max(0, price - (terms.off_minor or 0))
    else:
        exact = Fraction(price) * terms.pays
        apart = abs(terms.price(Money(price, "CNY")).minor - exact)
        assert apart <= Fraction(1, 2) or terms.rounding in {RoundingRule.DOWN, RoundingRule.UP}
        assert apart < 1


def test_what_terms_do_not_take() -> None:
    with refused(InvalidValueError, "coupon birthday", given=(None, None)):
        CouponTerms(CouponKind.BIRTHDAY)
    with refused(InvalidValueError, "coupon birthday", given=(1, Fraction(1, 2))):
        CouponTerms(CouponKind.BIRTHDAY, off_minor=1, pays=Fraction(1, 2))
    with refused(InvalidValueError, "CouponTerms.off_minor", given=0):
        CouponTerms(CouponKind.BIRTHDAY, off_minor=0)
    with refused(InvalidValueError, "CouponTerms.pays", given=Fraction(1)):
        CouponTerms(CouponKind.BIRTHDAY, pays=Fraction(1))
    with refused(DuplicateError, "coupons"):
        Coupons((OURS.rows[0], OURS.rows[0]))
    with refused(UnknownNameError, "coupon", given="x"):
        OURS.terms("x")
    with pytest.raises(BlankValueError):
        SHOP.applicable(SHOP.grant("c", "M", "no_threshold", on=DAY), order("5.00"))
    with refused(InvalidValueError, "Order.price"):
        order("-0.01")
    with pytest.raises(WrongTypeError):
        OURS.terms("no_threshold").prices([1.5])
    with pytest.raises(InvalidValueError):
        OURS.terms("first_order_back").prices([2**62])
    types = {row.key: row.discount for row in OURS.rows}
    assert types["first_order_back"] is DiscountType.PERCENT
    assert types["no_threshold"] is DiscountType.AMOUNT


# --- SM-15 ----------------------------------------------------------------------------------------


def act(name: CouponCommand, day: date = DAY, **more: Any) -> Act[CouponCommand]:  # noqa: ANN401
    brings = {"order": "o-1"} if name in {CouponCommand.USE, CouponCommand.RESERVE} else {}
    fields: dict[str, Any] = {"at": day, "by": "shop", "brings": brings}
    return Act(name, **(fields | more))


def done(coupon: Coupon, *found: Act[CouponCommand]) -> Coupon:
    for each in found:
        coupon = OURS.decide(coupon, each).or_raise().state
    return coupon


FRESH = OURS.grant("c-1", "M", "mid_autumn", on=DAY)
USE, RESERVE = CouponCommand.USE, CouponCommand.RESERVE
RELEASE, REVOKE = CouponCommand.RELEASE, CouponCommand.REVOKE


@pytest.mark.rule("SM-15", "E-40")
def test_a_coupon_is_used_once() -> None:
    used = done(FRESH, act(USE))
    assert (used.state(DAY), used.state(date(2099, 1, 1))) == (CouponState.USED, CouponState.USED)
    for name in CouponCommand:
        no = OURS.decide(used, act(name))
        assert isinstance(no, Refused)
        assert (no.code, no.given, no.allowed) == (Code.NOT_POSSIBLE, ("used", name), ())
    assert not OURS.applicable(used, order("99.00")).applies
    assert replay(FRESH, used.steps) == used


@pytest.mark.rule("SM-15")
def test_a_reserved_coupon_belongs_to_its_order() -> None:
    held = done(FRESH, act(RESERVE))
    assert held.order == "o-1"
    no = OURS.decide(held, act(USE, brings={"order": "o-2"}))
    assert isinstance(no, Refused)
    assert no.missing == ("order_that_reserved_it",)
    assert not OURS.applicable(held, Order("o-2", "M", yuan("99.00"), at=DAY)).applies
    assert OURS.applicable(held, order("99.00")).applies
    free = done(held, act(RELEASE))
    assert (free.state(DAY), free.order) == (CouponState.GRANTED, "")
    assert done(free, act(USE, brings={"order": "o-2"})).order == "o-2"
    for name in (USE, RESERVE):
        bare = OURS.decide(FRESH, act(name, brings={}))
        assert isinstance(bare, Refused)
        assert bare.missing == ("order",)


@pytest.mark.rule("SM-15")
def test_time_ends_a_coupon_that_nobody_holds() -> None:
    late = date(2024, 6, 9)
    no = OURS.decide(FRESH, act(USE, late))
    assert isinstance(no, Refused)
    assert (no.code, no.given[0]) == (Code.NOT_POSSIBLE, CouponState.EXPIRED)
    held = done(FRESH, act(RESERVE, date(2024, 6, 8)))
    assert held.state(late) is CouponState.RESERVED
    assert done(held, act(USE, late)).state(late) is CouponState.USED
    assert done(held, act(RELEASE, late)).state(late) is CouponState.EXPIRED
    gone = done(FRESH, act(REVOKE))
    assert gone.state(late) is CouponState.CANCELLED
    before = OURS.decide(FRESH, act(USE, date(2024, 5, 31)))
    assert isinstance(before, Refused)
    assert before.missing == ("later_time",)


def test_the_same_key_uses_it_once() -> None:
    first = OURS.decide(FRESH, act(USE, key="k")).or_raise()
    again = OURS.decide(first.state, act(USE, key="k"), earlier=first.facts)
    assert isinstance(again, Accepted)
    assert (again.state, again.facts) == (first.state, first.facts)
    other = OURS.decide(
        first.state, act(USE, key="k", brings={"order": "o-2"}), earlier=first.facts
    )
    assert isinstance(other, Refused)
    assert other.code is Code.KEY_REUSED


def test_which_coupons_are_open_and_until_when() -> None:
    never = OURS.grant("c-2", "M", "no_threshold", on=DAY)
    found = open_coupons([never, done(FRESH, act(USE)), FRESH], on=DAY)
    assert found == ((date(2024, 6, 8), FRESH), (date.max, never))
    assert open_coupons([FRESH], on=date(2024, 6, 9)) == ()


@given(acts(OURS.workflow, min_day=DAY, max_acts=8), st.sampled_from(["o-1", "o-2"]))
def test_however_acts_follow_it_is_used_once(found: list[Act[CouponCommand]], name: str) -> None:
    named = [
        act(each.name, each.at, brings={"order": name if n % 2 else "o-1"})
        for n, each in enumerate(found)
    ]
    laws.a_coupon_is_used_once(OURS, FRESH, named)
