"""A rule reads back from its text, excludes its opposite, and holds for one row as for columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from retention.mechanisms.answers import Scalar
from retention.mechanisms.ranks import Population, Rounding, exact, pin
from retention.mechanisms.rules import All, AnyOf, Limit, Row, Rule, parse
from retention.testing.laws.agreement import agree


def text_round_trip(rule: Rule) -> None:
    """The text of a rule reads back as the same rule."""
    agree("text_round_trip", f"the rule {rule}", rule=rule, parsed=parse(str(rule)))


def double_negation(rule: Rule, rows: Iterable[Row] = ()) -> None:
    """Two negations change nothing; a rule and its opposite never both hold, and one of them
    does where every value is known.
    """  # noqa: D205  one sentence
    agree("double_negation", f"the rule {rule}", rule=rule, twice_negated=~~rule)
    for row in rows:
        both = rule.holds(row), (~rule).holds(row)
        known = not any(_missing(row[name]) for name in rule.measures())
        if both == (True, True) or (known and not any(both)):
            says = "both hold" if both[0] else "neither holds"
            raise AssertionError(
                f"law double_negation is broken for the row {dict(row)}: of {rule} and {~rule} "
                f"{says}"
            )


def rule_one_equals_columns(rule: Rule, rows: Sequence[Row]) -> None:
    """``holds`` for each row is what ``mask`` says of it."""
    if not rows:
        return
    mask = rule.mask({name: _column([row[name] for row in rows]) for name in rule.measures()})
    for row, held in zip(rows, mask.tolist(), strict=True):
        case = f"the rule {rule} and the row {dict(row)}"
        agree("rule_one_equals_columns", case, holds=bool(rule.holds(row)), mask=held)


def pinned_rule_is_rank(
    rule: Rule,
    amounts: Sequence[int],
    *,
    share: str = "spend_share",
    ties: Sequence[int] = (),
    rounding: Rounding = Rounding.EXACT,
) -> None:
    """A pinned rule holds for an amount exactly when its rank among all the amounts says so.

    ``ties`` breaks ties between equal amounts. Nobody without spend ranks above the last.
    """
    base = Population(
        "amount", np.array(amounts, np.int64), "tie" if ties else "",
        np.array(ties, np.int64) if ties else None, rounding,
    )  # fmt: skip
    pinned = pin(rule, {share: base})
    keys = list(zip(amounts, ties or [0] * len(amounts), strict=True))
    for amount, tie in keys:
        rank = 1 + sum(key > (amount, tie) for key in keys) if amount > 0 else len(keys)
        case = f"the rule {rule}, the amount {amount} of rank {rank} among {len(keys)}"
        by_rank = _holds_by_rank(rule, rank, len(keys), lowest=amount <= 0, rounding=rounding)
        row = {"amount": amount, "tie": tie}
        agree("pinned_rule_is_rank", case, pinned=bool(pinned.holds(row)), rank=by_rank)


def _holds_by_rank(rule: Rule, rank: int, number: int, *, lowest: bool, rounding: Rounding) -> bool:
    """Judge a rule on shares by the rank itself."""
    if isinstance(rule, All | AnyOf):
        parts = (
            _holds_by_rank(x, rank, number, lowest=lowest, rounding=rounding) for x in rule.parts
        )
        return all(parts) if isinstance(rule, All) else any(parts)
    assert isinstance(rule, Limit)  # noqa: S101  there is no other kind

    def at_most(limit: float) -> bool:
        ceil = rounding is Rounding.CEIL and not lowest
        allowed = number * exact(limit)
        return rank <= (math.ceil(allowed) if ceil else allowed)

    def below(limit: float) -> bool:
        return Fraction(rank, number) < exact(limit)

    return bool(_RELATIONS[rule.relation](at_most, below, rule.limit))


_RELATIONS: dict[str, Any] = {
    "<=": lambda at_most, _, x: at_most(x),
    "<": lambda _, below, x: below(x),
    ">": lambda at_most, _, x: not at_most(x),
    ">=": lambda _, below, x: not below(x),
    "between": lambda at_most, below, x: at_most(x[1]) and not below(x[0]),
    "outside": lambda at_most, below, x: below(x[0]) or not at_most(x[1]),
    "missing": lambda *_: False,
    "known": lambda *_: True,
}


def _missing(value: Scalar) -> bool:
    return value is None or value != value or value == ""  # noqa: PLR0124  NaN


def _column(values: list[Scalar]) -> Any:  # noqa: ANN401  of the type of the values
    if any(isinstance(value, str) for value in values):
        return np.array(["" if value is None else value for value in values], "U")
    if all(isinstance(value, int) for value in values):
        return np.array(values)
    return np.array([math.nan if value is None else value for value in values], np.float64)
