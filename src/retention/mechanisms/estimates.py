"""Shares, means and differences with what they stand on, and whether a target is met.

An empty denominator gives no value, never zero. Values are exact fractions until they are
shown (RC-10). A verdict here is about the value itself; ``intervals`` say how sure it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from attrs import field, frozen

from retention.mechanisms.errors import InvalidValueError, WrongTypeError
from retention.mechanisms.words import Word


class Verdict(Word):
    """Whether a target is met."""

    MET = "met", "达成"
    MISSED = "missed", "未达成"
    UNDECIDED = "undecided", "无法判定"


class Change(Word):
    """How an improvement is counted (AMB-10)."""

    POINTS = "points", "百分点"
    RELATIVE = "relative", "相对变化"


def _exact(_: object, __: object, value: Any) -> None:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise WrongTypeError("numerator", value, "a whole number or a Fraction")


def _not_negative(_: object, __: object, value: Any) -> None:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongTypeError("denominator", value, "a whole number")
    if value < 0:
        raise InvalidValueError("denominator", value, "0 or more")


@frozen
class Estimate:
    """A share or mean: numerator, denominator, and the value if there is one.

    >>> Estimate(31, 100).value, Estimate(0, 0).value, str(Estimate(1, 8))
    (Fraction(31, 100), None, '12.5 % (1 of 8)')
    >>> str(Estimate.mean([4, 5, 5, 4])), str(Estimate.mean([]))
    ('4.5 (18 over 4)', 'no value (0 over 0)')
    """

    numerator: int | Fraction = field(validator=_exact)
    denominator: int = field(validator=_not_negative)
    share: bool = field(default=True, kw_only=True)  # False: a mean, not a part of a whole

    @classmethod
    def mean(cls, values: Iterable[int | Fraction]) -> Estimate:
        """Return the mean of values; of none it has no value."""
        found = list(values)
        return cls(sum(found), len(found), share=False)

    @property
    def value(self) -> Fraction | None:
        """The exact value; None when there is nothing to divide by."""
        return Fraction(self.numerator) / self.denominator if self.denominator else None

    def change_from(self, before: Estimate, mode: Change) -> Fraction | None:
        """Return how much larger this is, in points or relative to before; None if unknown.

        >>> Estimate(33, 100).change_from(Estimate(30, 100), Change.RELATIVE)
        Fraction(1, 10)
        """
        now, then = self.value, before.value
        if now is None or then is None or (mode is Change.RELATIVE and then == 0):
            return None
        return now - then if mode is Change.POINTS else (now - then) / then

    def __str__(self) -> str:
        parts = f"({self.numerator} {'of' if self.share else 'over'} {self.denominator})"
        if self.value is None:
            return f"no value {parts}"
        return (
            f"{float(self.value * 100):.4g} % {parts}"
            if self.share
            else (f"{float(self.value):.4g} {parts}")
        )


def verdict(
    value: Fraction | None,
    *,
    at_least: Fraction | float | None = None,
    at_most: Fraction | float | None = None,
) -> Verdict:
    """Say whether a value reaches its target or targets; a missing value decides nothing.

    >>> verdict(Fraction(31, 100), at_least=0.3), verdict(None, at_least=0.3)
    (<Verdict.MET: 'met'>, <Verdict.UNDECIDED: 'undecided'>)
    >>> verdict(Fraction(-2, 100), at_most=-0.03)
    <Verdict.MISSED: 'missed'>
    """
    low, high = exact(at_least, "at_least"), exact(at_most, "at_most")
    if low is None and high is None:
        raise InvalidValueError("verdict", None, "at_least or at_most")
    if value is None:
        return Verdict.UNDECIDED
    met = (low is None or value >= low) and (high is None or value <= high)
    return Verdict.MET if met else Verdict.MISSED


def exact(given: Fraction | float | None, where: str) -> Fraction | None:
    """Read a target as it was written: 0.3 is three tenths.

    >>> exact(0.3, "at_least")
    Fraction(3, 10)
    """
    if given is None or isinstance(given, Fraction):
        return given
    if not math.isfinite(given):
        raise InvalidValueError(where, given, "a finite number")
    return Fraction(str(given))
