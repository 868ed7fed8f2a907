"""Limits on columns: one comparison for every row, with the answers of Python for each alone."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from retention.mechanisms.errors import WrongTypeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

_EXACT = 2**53  # a float64 holds every whole number up to here


def mask(column: NDArray[Any], relation: str, limit: Any) -> Mask:  # noqa: ANN401
    """Test a whole column; NaN compares false by itself but for the relations of absence.

    >>> mask(np.array([1.0, np.nan, 3.0]), "!=", 3).tolist()
    [True, False, False]
    """
    column = _comparable(column, limit)
    if limit is not None and (column.dtype.kind == "U") != _is_text(limit):
        return _unlike(column, relation)
    test = _TESTS[relation](column, limit)
    return test & _known(column) if relation in _OF_KNOWN else test


def _known(column: NDArray[Any], _: object = None) -> Mask:
    known = column != "" if column.dtype.kind == "U" else column == column  # noqa: PLR0124
    return cast("Mask", known)


def _inside(column: NDArray[Any], values: tuple[Any, ...]) -> Mask:
    found = np.zeros(len(column), bool)
    for value in values:
        found |= column == value
    return found


_TESTS: dict[str, Callable[[NDArray[Any], Any], Mask]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
    "in": _inside,
    "not in": lambda column, values: ~_inside(column, values),
    "between": lambda column, ends: (column >= ends[0]) & (column <= ends[1]),
    "outside": lambda column, ends: (column < ends[0]) | (column > ends[1]),
    "missing": lambda column, _: ~_known(column),
    "known": _known,
}
_OF_KNOWN = frozenset({"!=", "not in"})  # NaN would pass these tests


def _comparable(column: Any, limit: Any) -> NDArray[Any]:  # noqa: ANN401
    """Refuse what is no column of numbers or text; widen what would be compared inexactly."""
    kind = column.dtype.kind if isinstance(column, np.ndarray) else "a list or the like"
    if kind not in "biufU":
        given = getattr(column, "dtype", type(column).__name__)
        raise WrongTypeError("column", given, "numbers, booleans or text of fixed width")
    if kind == "f":
        values = limit if isinstance(limit, tuple) else (limit,)
        if any(isinstance(value, int) and abs(value) > _EXACT for value in values):
            return cast("NDArray[Any]", column.astype(object))
        return cast("NDArray[Any]", column.astype(np.float64, copy=False))
    return cast("NDArray[Any]", column)


def _is_text(limit: Any) -> bool:  # noqa: ANN401
    return isinstance(limit[0] if isinstance(limit, tuple) else limit, str)


def _unlike(column: NDArray[Any], relation: str) -> Mask:
    """Text beside numbers: never equal, and in no order."""
    if relation in {"==", "in"}:
        return np.zeros(len(column), bool)
    if relation in {"!=", "not in"}:
        return _known(column)
    raise WrongTypeError("column", column.dtype, f"numbers, which {relation} compares")
