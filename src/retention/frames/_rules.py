"""Rules as expressions: the same answer as ``rule.mask`` in numpy, run by the engine itself.

Every limit is wrapped: where the value is missing it is false, also under ``~``, and no null
ever reaches ``&`` or ``|``. So the engines cannot disagree about nulls, NaN or pandas.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import and_, or_
from typing import Any, TypeVar

import narwhals.stable.v2 as nw

from retention.frames._native import Frame, opened
from retention.frames._quantities import Quantity, quantity
from retention.mechanisms.errors import WrongTypeError
from retention.mechanisms.periods import AsOf, When, zone_of
from retention.mechanisms.rules import All, AnyOf, Limit, Rule, as_rule

Native = TypeVar("Native")


def mask(
    rule: Rule | str,
    frame: Native,
    *,
    into: str = "holds",
    as_of: When | None = None,
    zone: str = "Asia/Shanghai",
) -> Native:
    """Return the frame with one more column: whether the rule holds, never null.

    Measures are columns under their own names, or what :func:`retention.frames.summary` made
    of them; then ``as_of`` and ``zone`` say from where days are counted.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"days": [10, 40, None], "grade": ["gold", None, ""]})
    >>> mask("not (days <= 30)", frame)["holds"].to_list()
    [False, True, False]
    >>> mask("days <= 30 or grade is missing", frame)["holds"].to_list()
    [True, True, True]
    """
    known = opened(frame)
    at = None if as_of is None else AsOf.at(as_of, zone_of(zone))
    found: Native = known.with_columns(expression(as_rule(rule), known, at).alias(into)).to_native()
    return found


def expression(rule: Rule, frame: Frame, at: AsOf | None) -> Any:  # noqa: ANN401
    """Return an expression of narwhals that says for every row whether the rule holds."""
    match rule:
        case Limit():
            return _limit(rule, quantity(frame, rule.measure, at))
        case All(parts):
            return reduce(and_, (expression(part, frame, at) for part in parts))
        case AnyOf(parts):
            return reduce(or_, (expression(part, frame, at) for part in parts))
        case _:
            raise WrongTypeError("rule", type(rule).__name__, "limits, joined by & and |")


def _limit(limit: Limit, found: Quantity) -> Any:  # noqa: ANN401
    if limit.relation == "known":
        return found.known
    if limit.relation == "missing":
        return ~found.known
    values = limit.limit if isinstance(limit.limit, tuple) else (limit.limit,)
    if found.is_text != isinstance(values[0], str):
        test = _unlike(limit, found)
    else:
        plain = [int(value) if isinstance(value, bool) else value for value in values]
        test = _TESTS[limit.relation](found, plain)
    return nw.when(found.known).then(test).otherwise(nw.lit(value=False))


def _unlike(limit: Limit, found: Quantity) -> Any:  # noqa: ANN401
    """Text beside numbers: never equal, and in no order."""
    if limit.relation in {"==", "in"}:
        return ~found.known
    if limit.relation in {"!=", "not in"}:
        return found.known
    raise WrongTypeError(limit.measure, "text", f"numbers, which {limit} compares")


def _equal(found: Quantity, value: Any) -> Any:  # noqa: ANN401
    return found.at_most(value) if found.is_text else found.at_most(value) & found.at_least(value)


def _inside(found: Quantity, values: list[Any]) -> Any:  # noqa: ANN401
    return reduce(or_, (_equal(found, value) for value in values))


def _between(found: Quantity, ends: list[Any]) -> Any:  # noqa: ANN401
    return found.at_least(ends[0]) & found.at_most(ends[1])


_TESTS: dict[str, Callable[[Quantity, list[Any]], Any]] = {
    "<=": lambda found, values: found.at_most(values[0]),
    "<": lambda found, values: ~found.at_least(values[0]),
    ">=": lambda found, values: found.at_least(values[0]),
    ">": lambda found, values: ~found.at_most(values[0]),
    "==": _inside,
    "in": _inside,
    "!=": lambda found, values: ~_inside(found, values),
    "not in": lambda found, values: ~_inside(found, values),
    "between": _between,
    "outside": lambda found, ends: ~_between(found, ends),
}
