"""Intervals: how far a share, a score or a mean may be from what was counted.

Wilson for shares, adjusted Wald for the net promoter score, Student's t for means. The last
needs a quantile that the standard library lacks: the extra ``stats``. Bounds are floats, since
they are estimates; the value itself stays exact in ``estimates``.
"""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import NormalDist

from attrs import field, frozen

from retention.mechanisms.errors import InvalidValueError, MissingExtraError
from retention.mechanisms.estimates import Estimate, Verdict, exact
from retention.mechanisms.words import Word

LEVEL = Fraction(95, 100)


class IntervalMethod(Word):
    """How an interval was made."""

    WILSON = "wilson", "威尔逊区间"
    ADJUSTED_WALD = "adjusted_wald", "调整沃尔德区间"
    STUDENT = "student", "学生t区间"


def _level(_: object, __: object, value: Fraction) -> None:
    if not 0 < value < 1:
        raise InvalidValueError("level", value, "a share between 0 and 1, such as 0.95")


@frozen
class Interval:
    """Lowest and highest plausible value, at a level, and how they were found.

    ``degenerate`` says that all answers were alike, so the interval shows no spread.
    """

    low: float
    high: float
    method: IntervalMethod
    level: Fraction = field(default=LEVEL, converter=Fraction, validator=_level)
    degenerate: bool = False

    def verdict(
        self, *, at_least: Fraction | float | None = None, at_most: Fraction | float | None = None
    ) -> Verdict:
        """Say whether a target is met for sure; a target inside the interval is not decided.

        >>> wilson(Estimate(60, 200)).verdict(at_least=0.3)
        <Verdict.UNDECIDED: 'undecided'>
        """
        low, high = exact(at_least, "at_least"), exact(at_most, "at_most")
        if low is None and high is None:
            raise InvalidValueError("verdict", None, "at_least or at_most")
        if (low is not None and self.high < low) or (high is not None and self.low > high):
            return Verdict.MISSED
        sure = (low is None or self.low >= low) and (high is None or self.high <= high)
        return Verdict.MET if sure else Verdict.UNDECIDED

    def __str__(self) -> str:
        return f"{self.low:.4g} to {self.high:.4g} ({float(self.level):.0%}, {self.method})"


def quantile(level: Fraction) -> float:
    """Return how many standard errors a two-sided level spans under the normal law.

    >>> round(quantile(Fraction(95, 100)), 4)
    1.96
    """
    _level(None, None, level)
    return NormalDist().inv_cdf(float((1 + level) / 2))


def wilson(share: Estimate, *, level: Fraction = LEVEL) -> Interval | None:
    """Return the Wilson score interval of a share; None when there is nothing to divide by.

    >>> str(wilson(Estimate(81, 263)))
    '0.2553 to 0.3662 (95%, wilson)'
    """
    if not share.denominator:
        return None
    count, hits = share.denominator, share.numerator
    if not 0 <= hits <= count:
        raise InvalidValueError("wilson", hits, f"0 to {count}: a part of the whole")
    z, p = quantile(level), float(Fraction(hits) / count)
    scale = 1 + z * z / count
    middle = (p + z * z / (2 * count)) / scale
    half = z / scale * math.sqrt(p * (1 - p) / count + z * z / (4 * count * count))
    alike = hits in (0, count)
    # At 0 and at the whole one bound is exact; rounding must not move it.
    low = 0.0 if hits == 0 else middle - half
    high = 1.0 if hits == count else middle + half
    return Interval(low, high, IntervalMethod.WILSON, level, alike)


def adjusted_wald(
    promoters: int, passives: int, detractors: int, *, level: Fraction = LEVEL
) -> Interval | None:
    """Return the interval of a net promoter score, from -100 to 100; None without answers.

    Three made-up answers are added, 3/4 and 3/4 at the ends and 3/2 in the middle, since the
    plain interval collapses when all agree (Rocks, The American Statistician 70, 2016).

    >>> str(adjusted_wald(62, 26, 12))
    '34.92 to 62.16 (95%, adjusted_wald)'
    """
    count = promoters + passives + detractors
    if min(promoters, passives, detractors) < 0:
        raise InvalidValueError("adjusted_wald", (promoters, passives, detractors), "0 or more")
    if not count:
        return None
    more = count + 3
    up, down = (promoters + 0.75) / more, (detractors + 0.75) / more
    score = up - down
    half = quantile(level) * math.sqrt((up + down - score * score) / more)
    low, high = max(score - half, -1.0), min(score + half, 1.0)
    alike = count in (promoters, passives, detractors)
    return Interval(100 * low, 100 * high, IntervalMethod.ADJUSTED_WALD, level, alike)


def student(
    total: Fraction | int, squares: Fraction | int, count: int, *, level: Fraction = LEVEL
) -> Interval | None:
    """Return the t interval of a mean from sum, sum of squares and number of answers.

    None below two answers. Needs the extra ``stats``.

    >>> str(student(18, 82, 4))
    '3.581 to 5.419 (95%, student)'
    """
    if count < 2:  # noqa: PLR2004  one answer has no spread
        return None
    mean = Fraction(total) / count
    variance = (Fraction(squares) - count * mean * mean) / (count - 1)
    if variance < 0:
        raise InvalidValueError("student", (total, squares, count), "sums of the same answers")
    half = _t(level, count - 1) * math.sqrt(variance / count)
    low, high = float(mean) - half, float(mean) + half
    return Interval(low, high, IntervalMethod.STUDENT, level, variance == 0)


def _t(level: Fraction, freedom: int) -> float:
    try:
        from scipy.special import stdtrit
    except ImportError as cause:
        raise MissingExtraError("the t interval", "scipy", "stats") from cause
    return float(stdtrit(freedom, float((1 + level) / 2)))
