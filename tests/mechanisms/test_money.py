"""Money in whole minor units: exact, settled by a named rule, and shared without a rest."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from retention.mechanisms.errors import (
    InvalidValueError,
    MixedCurrenciesError,
    UnreadableTextError,
    WrongTypeError,
)
from retention.mechanisms.money import Money, RoundingRule, allocated, digits_of, rounded

CURRENCIES = st.sampled_from(["CNY", "JPY", "KWD", "CLF", "EUR"])
minors = st.integers(-(10**40), 10**40)
fractions = st.fractions() | st.builds(Fraction, st.integers(-99, 99), st.sampled_from([1, 2, 4]))


# --- rounding -------------------------------------------------------------------------------------


@pytest.mark.rule("RC-10")
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (RoundingRule.DOWN, [-2, -1, -1, 0, 0, 0, 1, 1, 2, 2]),
        (RoundingRule.UP, [-3, -2, -2, -1, 0, 1, 2, 2, 3, 3]),
        (RoundingRule.HALF_EVEN, [-2, -2, -1, 0, 0, 0, 1, 2, 2, 3]),
        (RoundingRule.HALF_UP, [-3, -2, -1, -1, 0, 1, 1, 2, 3, 3]),
    ],
)
def test_each_rule_on_both_sides_of_zero(rule: RoundingRule, expected: list[int]) -> None:
    given_ = ["-5/2", "-3/2", "-5/4", "-1/2", "0", "1/2", "5/4", "3/2", "5/2", "11/4"]
    assert [rounded(Fraction(text), rule) for text in given_] == expected


@pytest.mark.rule("RC-10")
@given(fractions)
def test_rules_are_those_of_the_floor_and_the_ceiling(value: Fraction) -> None:
    towards, away = math.trunc(value), math.floor(value) if value < 0 else math.ceil(value)
    assert rounded(value, RoundingRule.DOWN) == towards
    assert rounded(value, RoundingRule.UP) == away
    assert rounded(value, RoundingRule.HALF_EVEN) == round(value)  # Python's own, exact here
    half_up = rounded(value, RoundingRule.HALF_UP)
    assert half_up == (away if abs(value - towards) >= Fraction(1, 2) else towards)


@given(st.integers(), st.sampled_from(list(RoundingRule)))
def test_what_is_whole_stays(value: int, rule: RoundingRule) -> None:
    assert rounded(value, rule) == value
    assert rounded(-value, rule) == -rounded(value, rule)


@pytest.mark.parametrize("wrong", [0.1, 2.5, True, "1", Decimal("0.1"), None])
def test_a_ratio_is_exact(wrong: Any) -> None:  # noqa: ANN401
    with pytest.raises(WrongTypeError):
        rounded(wrong, RoundingRule.DOWN)
    with pytest.raises(WrongTypeError):
        Money(100, "CNY").times(wrong, RoundingRule.DOWN)


@pytest.mark.rule("RC-10")
@given(minors, fractions, st.sampled_from(list(RoundingRule)), CURRENCIES)
def test_a_product_is_settled_once(
    minor: int, ratio: Fraction, rule: RoundingRule, currency: str
) -> None:
    product = Money(minor, currency).times(ratio, rule)
    assert product == Money(rounded(minor * ratio, rule), currency)
    assert abs(product.minor - minor * ratio) < 1


# --- shares ---------------------------------------------------------------------------------------


@pytest.mark.rule("RC-10")
@given(minors, st.lists(st.integers(0, 10**9), min_size=1, max_size=9))
def test_parts_sum_to_the_whole(whole: int, weights: list[int]) -> None:
    assume(sum(weights))
    parts = allocated(whole, weights)
    assert sum(parts) == whole
    assert [part.minor for part in Money(whole, "CNY").allocate(weights)] == list(parts)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(whole * weight, sum(weights))) < 1  # nobody is off by a unit
        assert weight or not part
    assert allocated(-whole, weights) == tuple(-part for part in parts)


@given(st.integers(0, 10**6), st.lists(st.integers(0, 99), min_size=2, max_size=6))
def test_a_larger_weight_never_gets_less(whole: int, weights: list[int]) -> None:
    assume(sum(weights))
    pairs = sorted(zip(weights, allocated(whole, weights), strict=True))
    assert all(a[1] <= b[1] for a, b in pairwise(pairs) if a[0] < b[0])


@pytest.mark.parametrize(
    ("whole", "weights", "expected"),
    [
        (100, [1, 1, 1], (34, 33, 33)),
        (-100, [1, 1, 1], (-34, -33, -33)),
        (5, [50, 30, 20], (3, 1, 1)),  # rests 1/2, 1/2 and 0: the first of the equal ones
        (1, [1, 2], (0, 1)),
        (0, [1, 2], (0, 0)),
        (7, [0, 1, 0], (0, 7, 0)),
        (10**30, [1, 2], (333333333333333333333333333333, 666666666666666666666666666667)),
    ],
)
def test_the_largest_rest_takes_what_does_not_divide(
    whole: int, weights: list[int], expected: tuple[int, ...]
) -> None:
    assert allocated(whole, weights) == expected


@pytest.mark.parametrize("weights", [[], [0, 0], [-1, 2], [1, -1]])
def test_weights_that_share_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(InvalidValueError, match="not all 0"):
        Money(100, "CNY").allocate(weights)


@pytest.mark.parametrize("weights", [[0.5, 0.5], [True, 1], ["1"], [Fraction(1, 2)]])
def test_weights_are_whole_numbers(weights: Any) -> None:  # noqa: ANN401
    with pytest.raises(WrongTypeError):
        Money(100, "CNY").allocate(weights)


# --- amounts and currencies -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "currency", "minor", "text"),
    [
        ("12.50", "CNY", 1250, "12.50 CNY"),
        ("12.5", "CNY", 1250, "12.50 CNY"),
        (12, "CNY", 1200, "12.00 CNY"),
        (Decimal("-0.07"), "CNY", -7, "-0.07 CNY"),
        ("1200", "JPY", 1200, "1200 JPY"),
        ("-3", "JPY", -3, "-3 JPY"),
        ("1.005", "KWD", 1005, "1.005 KWD"),
        ("0.0001", "CLF", 1, "0.0001 CLF"),
        ("0", "CNY", 0, "0.00 CNY"),
        ("1e3", "CNY", 100_000, "1000.00 CNY"),
        ("1.500", "CNY", 150, "1.50 CNY"),
    ],
)
def test_amounts_as_people_write_them(
    amount: str | int | Decimal, currency: str, minor: int, text: str
) -> None:
    money = Money.of(amount, currency)
    assert (money.minor, str(money)) == (minor, text)


@given(minors, CURRENCIES)
def test_an_amount_is_its_text(minor: int, currency: str) -> None:
    text, _, code = str(Money(minor, currency)).partition(" ")
    assert code == currency
    with localcontext(prec=3):  # a context of decimals has no say in it
        assert Money.of(text, currency) == Money(minor, currency)
    assert Fraction(text) * 10 ** digits_of(currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("12.505", "CNY"),
        ("0.5", "JPY"),
        ("NaN", "CNY"),
        ("Infinity", "CNY"),
        ("0." + "0" * 40 + "1", "CNY"),
        ("1e-999999999", "CNY"),
        ("1e999999999", "CNY"),  # nobody has so much
    ],
)
def test_digits_beyond_the_minor_unit_are_refused(amount: str, currency: str) -> None:
    with pytest.raises(InvalidValueError, match="digits after the point"):
        Money.of(amount, currency)


@pytest.mark.parametrize("amount", ["", "12,50", "twelve", "12.50 CNY"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(UnreadableTextError):
        Money.of(amount, "CNY")


@pytest.mark.parametrize("amount", [12.5, 1.0, True, None, Fraction(1, 2), b"12"])
def test_amounts_of_another_kind_are_refused(amount: Any) -> None:  # noqa: ANN401
    with pytest.raises(WrongTypeError):
        Money.of(amount, "CNY")
    with pytest.raises(WrongTypeError):
        Money(amount, "CNY")


@pytest.mark.parametrize("currency", ["", "cny", "CN", "CNYY", "C1Y", "ÄÖÜ", "CNY\n", None, 3])
def test_a_currency_has_three_letters(currency: Any) -> None:  # noqa: ANN401
    with pytest.raises(InvalidValueError, match="ISO 4217"):
        Money(100, currency)


@given(minors, minors, CURRENCIES)
def test_sums_and_order_are_those_of_whole_numbers(a: int, b: int, currency: str) -> None:
    one, other = Money(a, currency), Money(b, currency)
    assert (one + other).minor == a + b
    assert one - other == -(other - one) == Money(a - b, currency)
    assert [one < other, one <= other, one > other, one >= other] == [a < b, a <= b, a > b, a >= b]
    assert (one == other) == (a == b)


def test_currencies_do_not_mix() -> None:
    yuan, yen = Money(100, "CNY"), Money(100, "JPY")
    assert yuan != yen
    for mix in (
        lambda: yuan + yen,
        lambda: yuan - yen,
        lambda: yuan < yen,
        lambda: yuan <= yen,
        lambda: yuan > yen,
        lambda: yuan >= yen,
    ):
        with pytest.raises(MixedCurrenciesError, match="CNY"):
            mix()
