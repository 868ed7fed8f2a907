"""Shares, means and differences with what they stand on, and whether a target is met.

An empty denominator gives no value, never zero. Values are exact fractions until they are
shown (RC-10). Intervals come with the surveys; a verdict here is about the value itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from attrs import field, frozen

from retention.mechanisms.errors import InvalidValueError
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


@frozen
class Estimate:
    """A share or mean: numerator, denominator, and the value if there is one.

    >>> Estimate(31, 100).value, Estimate(0, 0).value, str(Estimate(1, 8))
    (Fraction(31, 100), None, '12.5 % (1 of 8)')
    """

    numerator: int | Fraction
    denominator: int = field()

    @denominator.validator
    def _not_negative(self, _: object, value: int) -> None:
        if value < 0:
            raise InvalidValueError("denominator", value, "0 or more")

    @classmethod
    def mean(cls, values: Iterable[int | Fraction]) -> Estimate:
        """Return the mean of values; of none it has no value."""
        found = list(values)
        return cls(sum(found), len(found))

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
        if self.value is None:
            return "no value (0 of 0)"
        return f"{float(self.value) * 100:.4g} % ({self.numerator} of {self.denominator})"


def verdict(value: Fraction | None, *, at_least: Fraction | float) -> Verdict:
    """Say whether a value reaches a target; a missing value decides nothing.

    >>> verdict(Fraction(31, 100), at_least=0.3), verdict(None, at_least=0.3)
    (<Verdict.MET: 'met'>, <Verdict.UNDECIDED: 'undecided'>)
    """
    if value is None:
        return Verdict.UNDECIDED
    target = at_least if isinstance(at_least, Fraction) else Fraction(str(at_least))
    return Verdict.MET if value >= target else Verdict.MISSED
