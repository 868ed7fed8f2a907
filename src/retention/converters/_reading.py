"""Questions that every reader of plain data asks, and the errors that name the place.

An error shows a single value, never a record with everything that it holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from retention.converters._kinds import KINDS, VERSION
from retention.mechanisms.errors import (
    InvalidValueError,
    RetentionError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.words import Word


@contextmanager
def placed(path: str, keys: Collection[str] = ()) -> Iterator[None]:
    """Put the place in the data before what an error of the library names."""
    try:
        yield
    except RetentionError as error:
        inside = error.where in keys
        where = f"{path}.{error.where}" if inside else f"{path} ({error.where})"
        raise type(error)(where, error.given, error.allowed) from error
    except (TypeError, ValueError, ArithmeticError) as error:
        raise InvalidValueError(path, str(error), "values that fit together") from error


def kind_in(data: Any, path: str) -> str:  # noqa: ANN401
    """Return the kind that a record names."""
    given = typed(data, path or "data", Mapping, "an object with a kind and a version")
    at = join(path, "kind")
    if "kind" not in given:
        raise InvalidValueError(at, "nothing", tuple(KINDS))
    kind: str = chosen({kind: kind for kind in KINDS}, given["kind"], at)
    return kind


def opened(
    data: Mapping[str, Any], path: str, required: Iterable[str], keys: Iterable[str]
) -> dict[str, Any]:
    """Return the fields of a record of a known kind, its version and its keys looked at."""
    given = keyed(data, path, ("version",), ("kind", "version", *keys))
    if type(given["version"]) is not int or given["version"] != VERSION:
        raise InvalidValueError(
            join(path, "version"), shown(given["version"]), f"{VERSION}, as this release writes it"
        )
    keyed(data, path, required, given)
    return {key: value for key, value in given.items() if key not in {"kind", "version"}}


def keyed(
    data: Any,  # noqa: ANN401
    path: str,
    required: Iterable[str],
    known: Collection[str],
) -> Mapping[str, Any]:
    """Return an object that has all keys that it must have, and none that nobody knows."""
    given: Mapping[str, Any] = typed(data, path, Mapping, "an object")
    for key in given:
        if key not in known:
            raise UnknownNameError(path, key, tuple(known))
    for key in required:
        if key not in given:
            raise InvalidValueError(join(path, key), "nothing", "a value; this key is required")
    return given


def member(words: type[Word], data: Any, path: str) -> Any:  # noqa: ANN401
    """Return the member of an enumeration that a text names."""
    return chosen({each.value: each for each in words}, data, path)


def chosen(known: Mapping[str, Any], data: Any, path: str) -> Any:  # noqa: ANN401
    """Return what a text stands for."""
    if not isinstance(data, str) or data not in known:
        raise UnknownNameError(path, shown(data), tuple(known))
    return known[data]


def typed(data: Any, path: str, kind: Any, allowed: str) -> Any:  # noqa: ANN401
    """Return data that are of a kind; a truth is no number, a tuple is a list."""
    if kind is list and isinstance(data, tuple):
        return list(data)
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise WrongTypeError(path, shown(data), allowed)
    return data


def shown(data: Any) -> Any:  # noqa: ANN401
    """Return what an error may show of data: a single value, else only what it is.

    >>> shown(["C-17", "C-18"]), shown(12.5)
    ('a list', 12.5)
    """
    if data is None or isinstance(data, bool | int | float | str):
        return data
    if isinstance(data, Mapping):
        return "an object"
    return "a list" if isinstance(data, list | tuple) else type(data).__name__


def join(path: str, key: object) -> str:
    """Return the path of a part.

    >>> join("history.purchases", 2), join("", "kind")
    ('history.purchases.2', 'kind')
    """
    return f"{path}.{key}" if path else str(key)
