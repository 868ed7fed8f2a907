"""What is missing to reach another outcome: limit by limit, and the nearest way (C-39)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TypeVar

from attrs import frozen

from retention.mechanisms.answers import Scalar
from retention.mechanisms.decisions import Decision
from retention.mechanisms.errors import UnknownNameError
from retention.mechanisms.rules import All, AnyOf, Limit, Row, Rule

Outcome = TypeVar("Outcome")


@frozen
class Gap:
    """One limit that fails: how much is missing, and which way the value must go.

    ``missing`` is None where no number is missing: the value is unknown or a text.
    """

    measure: str
    given: Scalar
    wanted: str
    missing: float | None

    def __str__(self) -> str:
        """Return one line for people."""
        short = "no value" if self.missing is None else f"{self.missing} missing"
        return f"{self.measure} {self.given}, wanted {self.wanted}: {short}"


def gaps(decision: Decision[Outcome], target: Outcome) -> tuple[Gap, ...]:
    """Return what a decision's row lacks to fulfil the rule of another outcome.

    Where one of several rules would do, the one with the fewest missing limits counts.

    >>> from retention.mechanisms.decisions import Case, FirstMatch
    >>> from retention.mechanisms.rules import parse
    >>> tiers = FirstMatch((Case("gold", parse("spend_minor >= 100000")),), otherwise="silver")
    >>> [str(gap) for gap in gaps(tiers.decide({"spend_minor": 78500}), "gold")]
    ['spend_minor 78500, wanted >= 100000: 21500 missing']
    """
    for case in decision.table.cases:
        if case.outcome == target:
            return _lacking(case.when, decision.row)
    raise UnknownNameError("gaps", target, [case.key for case in decision.table.cases])


def _lacking(rule: Rule, row: Row) -> tuple[Gap, ...]:
    if rule.holds(row):
        return ()
    if isinstance(rule, All):
        return tuple(gap for part in rule.parts for gap in _lacking(part, row))
    if isinstance(rule, AnyOf):
        return min((_lacking(part, row) for part in rule.parts), key=len)
    assert isinstance(rule, Limit)  # noqa: S101  there is no other kind of rule
    (reason,) = rule.reasons(row)
    return (Gap(rule.measure, reason.given, rule.wanted, _missing(rule, reason.given)),)


def _missing(limit: Limit, given: Scalar) -> float | None:
    """Distance to the limit; at a bound that is outside, the least whole step beyond it."""
    if given is None or isinstance(given, str | bool):
        return None
    match limit.relation:
        case ">=" | "<=":
            return abs(limit.limit - given)  # type: ignore[no-any-return]
        case ">" | "<":
            return abs(limit.limit - given) + 1  # type: ignore[no-any-return]
        case "==":
            return None if isinstance(limit.limit, str) else abs(limit.limit - given)
        case "between":
            return min(abs(bound - given) for bound in limit.limit)  # type: ignore[no-any-return]
        case _:
            return None


def orders_to_go(missing_minor: int, mean_order_minor: float | Fraction | None) -> int | None:
    """Return how many average orders close a gap in spend (AMB-09); None if nobody can say.

    >>> orders_to_go(21_500, 12_000), orders_to_go(21_500, None)
    (2, None)
    """
    if mean_order_minor is None or mean_order_minor <= 0:
        return None
    return max(0, math.ceil(Fraction(missing_minor) / Fraction(mean_order_minor)))
