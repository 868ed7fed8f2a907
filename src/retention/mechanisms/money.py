"""Money in whole minor units, one named rounding step, and shares that sum to the whole.

Amounts are integers and a currency (RC-10). A ratio makes a fraction; only :func:`rounded`
turns a fraction back into minor units, and its rule always has a name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Self

from attrs import field, frozen

from retention.mechanisms.errors import (
    InvalidValueError,
    MixedCurrenciesError,
    UnreadableTextError,
    WrongTypeError,
)
from retention.mechanisms.words import Word

# ISO 4217: currencies whose minor unit is not a hundredth.
_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


_CURRENCY = re.compile("[A-Z]{3}")
_MOST_DIGITS = 100  # of an amount: a text such as 1e999999999 would fill the memory


class RoundingRule(Word):
    """How a fraction of a minor unit is settled."""

    DOWN = "down", "舍去"  # towards zero
    UP = "up", "进位"  # away from zero
    HALF_EVEN = "half_even", "四舍六入五成双"
    HALF_UP = "half_up", "四舍五入"  # halves away from zero


def rounded(value: Fraction | int, rule: RoundingRule) -> int:
    """Return a whole number by a named rule.

    >>> [rounded(Fraction(-5, 2), rule) for rule in RoundingRule]
    [-2, -3, -2, -3]
    """
    value = _exact(value, "value")
    sign, whole = (-1 if value < 0 else 1), abs(value) // 1
    rest = abs(value) - whole
    half = Fraction(1, 2)
    up = {
        RoundingRule.DOWN: False,
        RoundingRule.UP: rest > 0,
        RoundingRule.HALF_EVEN: rest > half or (rest == half and whole % 2 == 1),
        RoundingRule.HALF_UP: rest >= half,
    }
    return sign * (whole + up[rule])


def _exact(value: Fraction | int, where: str) -> Fraction:
    """Refuse floats: 0.1 is not a tenth."""
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise WrongTypeError(where, value, "a whole number or a Fraction")
    return Fraction(value)


def _whole(_: object, __: object, value: Any) -> None:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongTypeError("Money.minor", value, "whole minor units; Money.of('12.50', 'CNY')")


def _code(_: object, __: object, value: Any) -> None:  # noqa: ANN401
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        raise InvalidValueError("currency", value, "an ISO 4217 code such as CNY")


@frozen
class Money:
    """An amount of one currency, exact.

    >>> price = Money.of("259.00", "CNY")
    >>> price, str(price + Money.of("0.50", "CNY")), price.minor
    (Money(minor=25900, currency='CNY'), '259.50 CNY', 25900)
    """

    minor: int = field(validator=_whole)
    currency: str = field(validator=_code)

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str) -> Self:
        """Read an amount as people write it; digits beyond the minor unit are refused."""
        if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
            raise WrongTypeError("amount", amount, "text, a whole number or a Decimal")
        try:
            read = Decimal(amount)
        except InvalidOperation:
            raise UnreadableTextError("amount", amount, "digits such as 12.50") from None
        # As a fraction: decimals of a context are rounded to its precision.
        usual = read.is_finite() and abs(read.adjusted()) < _MOST_DIGITS
        scaled = Fraction(read) * 10 ** digits_of(currency) if usual else None
        if scaled is None or scaled.denominator != 1:
            allowed = f"at most {digits_of(currency)} digits after the point"
            raise InvalidValueError("amount", amount, allowed)
        return cls(scaled.numerator, currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def times(self, ratio: Fraction | int, rule: RoundingRule) -> Money:
        """Return the amount times an exact ratio, settled by a named rule.

        >>> str(Money.of("10.05", "CNY").times(Fraction(8, 10), RoundingRule.HALF_EVEN))
        '8.04 CNY'
        """
        return Money(rounded(self.minor * _exact(ratio, "ratio"), rule), self.currency)

    def allocate(self, weights: Sequence[int]) -> tuple[Money, ...]:
        """Return parts in proportion to weights whose sum is the whole.

        The units that do not divide go to the largest remainders, ties to the first.

        >>> [part.minor for part in Money(100, "CNY").allocate([1, 1, 1])]
        [34, 33, 33]
        """
        return tuple(Money(part, self.currency) for part in allocated(self.minor, weights))

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise MixedCurrenciesError("Money", sorted({self.currency, other.currency}))
        return other.minor

    def __str__(self) -> str:
        digits = digits_of(self.currency)
        sign, whole = "-" * (self.minor < 0), f"{abs(self.minor):0{digits + 1}d}"
        point = len(whole) - digits
        return f"{sign}{whole[:point]}{'.' * (digits > 0)}{whole[point:]} {self.currency}"


def digits_of(currency: str) -> int:
    """Return the digits behind the point of a currency.

    >>> digits_of("CNY"), digits_of("JPY"), digits_of("KWD")
    (2, 0, 3)
    """
    return _DIGITS.get(currency, 2)


def allocated(whole: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Return whole parts in proportion to weights; they sum to ``whole``.

    >>> allocated(-7, [1, 2]), allocated(5, [0, 1])
    ((-2, -5), (0, 5))
    """
    if any(isinstance(each, bool) or not isinstance(each, int) for each in (whole, *weights)):
        raise WrongTypeError("weights", (whole, *weights), "whole numbers")
    total = sum(weights)
    if not weights or total <= 0 or min(weights) < 0:
        raise InvalidValueError("weights", tuple(weights), "0 or more each, not all 0")
    sign, amount = (-1 if whole < 0 else 1), abs(whole)
    parts = [amount * weight // total for weight in weights]
    rests = [amount * weight % total for weight in weights]
    largest = sorted(range(len(weights)), key=lambda i: (-rests[i], i))
    for i in largest[: amount - sum(parts)]:
        parts[i] += 1
    return tuple(sign * part for part in parts)
