"""A key figure with everything that it stands on: counts, window, definition, interval, target.

Nothing is computed here: areas count, and a :class:`KpiValue` carries what they counted. A
figure without a denominator has no value and meets no target; it is never zero.
"""

from __future__ import annotations

from fractions import Fraction

from attrs import field, frozen

from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.estimates import Change, Estimate, Verdict, exact, verdict
from retention.mechanisms.intervals import Interval
from retention.mechanisms.periods import When, checked
from retention.mechanisms.policies import Policy, is_blank, policy


def _bound(given: Fraction | float | str | None) -> Fraction | None:
    return Fraction(given) if isinstance(given, str) else exact(given, "Target")


@policy
class Target(Policy):
    """What a key figure shall reach: at least or at most so much, in the unit of the figure.

    >>> str(Target(at_least=4.5)), str(Target(at_most="3/100"))
    ('>= 4.5', '<= 0.03')
    """

    at_least: Fraction | float | str | None = None  # "0.95" and 0.95 are both exact
    at_most: Fraction | float | str | None = None

    def __attrs_post_init__(self) -> None:
        if is_blank(self.at_least) or is_blank(self.at_most):
            return
        low, high = self.low, self.high
        if low is None and high is None:
            raise InvalidValueError("Target", None, "at_least or at_most")
        if low is not None and high is not None and low > high:
            raise InvalidValueError("Target", (str(low), str(high)), "at_least below at_most")

    @property
    def low(self) -> Fraction | None:
        """The lower limit, exactly."""
        return _bound(self.at_least)

    @property
    def high(self) -> Fraction | None:
        """The upper limit, exactly."""
        return _bound(self.at_most)

    def __str__(self) -> str:
        limits = ((">=", self.low), ("<=", self.high))
        return ", ".join(f"{sign} {float(x):.4g}" for sign, x in limits if x is not None)


def _times(_: object, attribute: object, value: When | None) -> None:
    if value is not None:
        checked(value, str(getattr(attribute, "name", "as_of")))


@frozen
class KpiValue:
    """One key figure: its definition, counts, window, interval and what it says of the target.

    ``per`` is the unit: 1 as it is, 100 for scores that are said out of a hundred (NPS).

    >>> figure = KpiValue(
    ...     "csat",
    ...     "mean of ratings 1 to 5",
    ...     Estimate(225, 50, share=False),
    ...     target=Target(at_least=4.5),
    ... )
    >>> figure.value, figure.status
    (Fraction(9, 2), <Verdict.MET: 'met'>)
    >>> str(figure)
    'csat 4.5 (225 over 50), target >= 4.5: met'
    """

    name: str
    definition: str
    estimate: Estimate
    per: int = field(default=1, kw_only=True)
    interval: Interval | None = field(default=None, kw_only=True)
    since: When | None = field(default=None, validator=_times, kw_only=True)
    until: When | None = field(default=None, validator=_times, kw_only=True)
    as_of: When | None = field(default=None, validator=_times, kw_only=True)
    undecided: int = field(default=0, kw_only=True)  # left out since nobody can say yet
    target: Target | None = field(default=None, kw_only=True)

    @property
    def value(self) -> Fraction | None:
        """The exact value in its unit; None when there is nothing to divide by."""
        found = self.estimate.value
        return None if found is None else found * self.per

    @property
    def status(self) -> Verdict | None:
        """Whether the value reaches the target (I-25); None without a target."""
        if self.target is None:
            return None
        return verdict(self.value, at_least=self.target.low, at_most=self.target.high)

    @property
    def sure(self) -> Verdict | None:
        """Whether the whole interval does; undecided while the target lies inside it."""
        if self.target is None:
            return None
        if self.interval is None:
            return Verdict.UNDECIDED
        return self.interval.verdict(at_least=self.target.low, at_most=self.target.high)

    def change_from(self, before: KpiValue, mode: Change) -> Fraction | None:
        """Return the change since an earlier value of the same definition; None if unknown."""
        if (self.name, self.definition, self.per) != (before.name, before.definition, before.per):
            raise InvalidValueError(
                "change_from", before.definition, f"a value of {self.name}: {self.definition}"
            )
        change = self.estimate.change_from(before.estimate, mode)
        return change if change is None or mode is Change.RELATIVE else change * self.per

    def __str__(self) -> str:
        counts = f"({self.estimate.numerator} {'of' if self.estimate.share else 'over'} "
        counts += f"{self.estimate.denominator})"
        value = "no value" if self.value is None else f"{float(self.value):.4g}"
        target = "" if self.target is None else f", target {self.target}: {self.status}"
        return f"{self.name} {value} {counts}{target}"
