"""One of a fixed set of terms, given as a member or as its code."""

from __future__ import annotations

from typing import TypeVar, cast

from retention.mechanisms.errors import UnknownNameError
from retention.mechanisms.words import Word

W = TypeVar("W", bound=Word)


def member(kind: type[W], given: object, where: str) -> W:
    """Return the term that a code writes; a term is itself.

    >>> from retention.mechanisms.periods import Unit
    >>> member(Unit, "mo", "unit").name
    'MONTH'
    >>> member(Unit, "w", "unit")
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.UnknownNameError: unit: there is no w; known: d, mo, y
    """
    try:
        return kind(cast("str", given))
    except ValueError:
        raise UnknownNameError(where, given, [word.value for word in kind]) from None
