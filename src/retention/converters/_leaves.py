"""Times, numbers, rules and columns as plain data: everything that is not a record."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from attrs import frozen

from retention.converters._kinds import VERSION
from retention.converters._reading import (
    chosen,
    join,
    keyed,
    kind_in,
    member,
    opened,
    placed,
    shown,
    typed,
)
from retention.mechanisms.errors import (
    InvalidValueError,
    UnequalColumnsError,
    UnknownNameError,
    UnreadableTextError,
    WrongTypeError,
)
from retention.mechanisms.periods import When, checked, zone_of
from retention.mechanisms.rules import Limit, Rule, parse
from retention.mechanisms.words import Word


@frozen
class Shape:
    """How what stands in one place is written, and how it is read; paths name the place."""

    write: Callable[[Any], Any]
    read: Callable[[Any, str], Any]


# --- times ------------------------------------------------------------------------------------

_TIMES = "a date such as 2024-06-30, or an instant such as 2024-06-30T18:00:00+08:00[Asia/Shanghai]"


def time_text(when: When) -> str:
    """Return a date or an instant as text.

    >>> time_text(datetime(2024, 6, 30, 18, tzinfo=ZoneInfo("Asia/Shanghai")))
    '2024-06-30T18:00:00+08:00[Asia/Shanghai]'
    """
    if not isinstance(when, datetime):
        return when.isoformat()
    name = when.tzinfo.key if isinstance(when.tzinfo, ZoneInfo) else None
    return when.isoformat() + (f"[{name}]" if name else "")


def time_of(data: Any, path: str) -> When:  # noqa: ANN401
    """Read a date or an instant."""
    text = typed(data, path, str, _TIMES)
    bare, bracket, name = text.removesuffix("]").partition("[")
    try:
        when = datetime.fromisoformat(bare) if "T" in bare else date.fromisoformat(bare)
    except ValueError as cause:
        raise UnreadableTextError(path, data, _TIMES) from cause
    checked(when, path)
    if not bracket:
        return when
    if not isinstance(when, datetime):
        raise UnreadableTextError(path, data, _TIMES)
    return _in_zone(when, zone_at(name, path))


def _in_zone(when: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant in its zone: the clock as it was written if the zone has it."""
    for fold in (0, 1):
        local = when.replace(tzinfo=zone, fold=fold)
        if local.utcoffset() == when.utcoffset():
            return local
    return when.astimezone(zone)


def zone_at(data: Any, path: str) -> ZoneInfo:  # noqa: ANN401
    """Read the name of a zone."""
    with placed(path):
        return zone_of(typed(data, path, str, "a zone such as Asia/Shanghai"))


def _day(data: Any, path: str) -> date:  # noqa: ANN401
    when = time_of(data, path)
    if isinstance(when, datetime):
        raise WrongTypeError(path, data, "a date such as 2024-06-30")
    return when


def _instant(data: Any, path: str) -> datetime:  # noqa: ANN401
    when = time_of(data, path)
    if not isinstance(when, datetime):
        raise WrongTypeError(path, data, "an instant such as 2024-06-30T18:00:00+08:00")
    return when


_AMOUNTS = "an amount of time such as PT14400S"
_SECONDS = re.compile(r"(-?)PT(\d{1,14})(?:\.(\d{6}))?S")
_MICRO = timedelta(microseconds=1)


def length_text(amount: timedelta) -> str:
    """Return an amount of time as ISO 8601 writes seconds.

    >>> length_text(timedelta(hours=4)), length_text(timedelta(milliseconds=-1500))
    ('PT14400S', '-PT1.500000S')
    """
    seconds, micros = divmod(abs(amount) // _MICRO, 1_000_000)
    sign = "-" if amount.days < 0 else ""
    return f"{sign}PT{seconds}.{micros:06}S" if micros else f"{sign}PT{seconds}S"


def length_of(data: Any, path: str) -> timedelta:  # noqa: ANN401
    """Read an amount of time."""
    read = _SECONDS.fullmatch(typed(data, path, str, _AMOUNTS))
    if read is None:
        raise UnreadableTextError(path, data, _AMOUNTS)
    try:
        found = timedelta(seconds=int(read[2]), microseconds=int(read[3] or 0))
    except OverflowError as cause:
        raise UnreadableTextError(path, data, _AMOUNTS) from cause
    return -found if read[1] else found


# --- numbers and texts --------------------------------------------------------------------------

_NUMBERS = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


def number_plain(value: Any) -> Any:  # noqa: ANN401
    """Return a number as JSON has it; infinities and NaN by name.

    >>> number_plain(0.2), number_plain(math.inf)
    (0.2, {'number': 'inf'})
    """
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, Fraction):
        return {"fraction": str(number)}
    whole = not isinstance(number, float) or math.isfinite(number)
    return number if whole else {"number": str(number)}


def number_of(data: Any, path: str) -> Any:  # noqa: ANN401
    """Read a number; whole numbers stay whole, fractions exact."""
    if isinstance(data, Mapping) and list(data) == ["number"]:
        return chosen(_NUMBERS, data["number"], path)
    if isinstance(data, Mapping) and list(data) == ["fraction"]:
        return _fraction(data["fraction"], path)
    return typed(data, path, int | float, "a number")


def _fraction(data: Any, path: str) -> Fraction:  # noqa: ANN401
    text = typed(data, path, str, "text such as 1/3")
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as cause:
        raise UnreadableTextError(path, text, "whole numbers such as 1/3") from cause


def scalar(data: Any, path: str, kinds: list[type]) -> Any:  # noqa: ANN401
    """Read a single value of one of some types."""
    found = number_of(data, path) if isinstance(data, Mapping) else data
    whole = type(found) is int and float in kinds
    if not whole and type(found) not in kinds:
        raise WrongTypeError(path, shown(data), [kind.__name__ for kind in kinds])
    return found


def _whole(value: Any) -> int:  # noqa: ANN401
    """A whole number, whatever type it came in; what would be cut off is refused."""
    if isinstance(value, float) and not value.is_integer():
        raise WrongTypeError("to_plain", value, "a whole number")
    return int(value)


def _exactly(kind: type, allowed: str) -> Shape:
    return Shape(kind, lambda data, path: typed(data, path, kind, allowed))


SIMPLE: dict[Any, Shape] = {
    str: _exactly(str, "text"),
    int: Shape(_whole, lambda data, path: typed(data, path, int, "a whole number")),
    bool: _exactly(bool, "true or false"),
    float: Shape(number_plain, number_of),
    Fraction: Shape(number_plain, lambda data, path: scalar(data, path, [Fraction])),
    date: Shape(time_text, _day),
    datetime: Shape(time_text, _instant),
    timedelta: Shape(length_text, length_of),
    ZoneInfo: Shape(lambda zone: zone.key, zone_at),
}
"""Shapes of the types that are written as one text or number."""


# --- rules ----------------------------------------------------------------------------------------


def rule_plain(rule: Rule) -> dict[str, Any]:
    """Return a rule as a record; pinned limits keep the note of what they were.

    >>> rule_plain(parse("days <= 30"))
    {'kind': 'rule', 'version': 1, 'text': 'days <= 30'}
    """
    notes = [limit.note for limit in rule.limits()]
    noted = {"notes": notes} if any(notes) else {}
    return {"kind": "rule", "version": VERSION, "text": str(rule), **noted}


def rule_text(rule: Rule) -> Any:  # noqa: ANN401
    """Return a rule inside a policy: its text alone, unless limits have notes.

    >>> rule_text(parse("days <= 30"))
    'days <= 30'
    """
    found = rule_plain(rule)
    return found if "notes" in found else found["text"]


def rule_of(data: Any, path: str) -> Rule:  # noqa: ANN401
    """Read a rule from its text, or from a record."""
    if isinstance(data, str):
        with placed(path):
            return parse(data)
    if kind_in(data, path) != "rule":
        raise WrongTypeError(join(path, "kind"), data["kind"], "rule")
    given = opened(data, path, ("text",), ("text", "notes"))
    at = join(path, "text")
    text = typed(given["text"], at, str, "the text of a rule")
    with placed(at):
        rule = parse(text)
    return _noted(rule, given.get("notes"), join(path, "notes"))


def _noted(rule: Rule, notes: Any, path: str) -> Rule:  # noqa: ANN401
    if notes is None:
        return rule
    limits, given = len(list(rule.limits())), typed(notes, path, list, "a list")
    if len(given) != limits:
        raise InvalidValueError(path, f"a list of {len(given)}", f"a list of {limits}: one a limit")
    left = iter([typed(each, join(path, n), str, "text") for n, each in enumerate(given)])
    return rule.replaced(lambda x: Limit(x.measure, x.relation, x.limit, note=next(left)))


# --- columns: numpy is loaded by the first of them ------------------------------------------------

_DTYPES = (
    *("bool", "float64", "float32", "int64", "int32", "int16", "int8"),
    *("uint64", "uint32", "uint16", "uint8", "text", "days"),
)
_NUMPY = {"text": "U", "days": "datetime64[D]"}
_TABLE = 2  # a shape of fewer lengths is that of a column
_ENTRIES: Mapping[str, Shape] = {
    "bool": SIMPLE[bool],
    "float64": SIMPLE[float],
    "float32": SIMPLE[float],
    "text": SIMPLE[str],
    "days": Shape(time_text, lambda data, path: None if data is None else _day(data, path)),
}


def column_plain(column: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a column as its type and its values; NaT is null; a table has a shape, row by row.

    >>> import numpy as np
    >>> column_plain(np.array([3, 70]))
    {'dtype': 'int64', 'values': [3, 70]}
    >>> column_plain(np.array([[3, 70]]))
    {'dtype': 'int64', 'shape': [1, 2], 'values': [3, 70]}
    """
    if column.ndim > 1:
        flat = column_plain(column.reshape(-1))
        return {"dtype": flat["dtype"], "shape": list(column.shape), "values": flat["values"]}
    name = str(column.dtype)
    dtype = "text" if column.dtype.kind == "U" else "days" if name == _NUMPY["days"] else name
    if dtype not in _DTYPES:
        raise WrongTypeError("column", name, _DTYPES)
    items = column.tolist()
    if dtype in {"float64", "float32"}:
        items = [number_plain(each) for each in items]
    elif dtype == "days":
        items = [None if each is None else time_text(each) for each in items]
    return {"dtype": dtype, "values": items}


def column_of(data: Any, path: str) -> Any:  # noqa: ANN401
    """Read a column."""
    import numpy as np

    given = keyed(data, path, ("dtype", "values"), ("dtype", "shape", "values"))
    dtype, at = given["dtype"], join(path, "values")
    if dtype not in _DTYPES:
        raise UnknownNameError(join(path, "dtype"), shown(dtype), _DTYPES)
    shape = _ENTRIES.get(dtype, SIMPLE[int])
    items = typed(given["values"], at, list, "a list")
    items = [shape.read(each, join(at, n)) for n, each in enumerate(items)]
    try:
        column = np.array(items, _NUMPY.get(dtype, dtype))
    except OverflowError as cause:
        raise InvalidValueError(at, "a number", f"numbers that {dtype} holds") from cause
    return column if "shape" not in given else _shaped(column, given["shape"], join(path, "shape"))


def _shaped(column: Any, shape: Any, path: str) -> Any:  # noqa: ANN401
    rows = [
        SIMPLE[int].read(each, join(path, n))
        for n, each in enumerate(typed(shape, path, list, "a list"))
    ]
    if len(rows) < _TABLE or min(rows) < 0 or math.prod(rows) != len(column):
        raise InvalidValueError(path, tuple(rows), f"lengths of {len(column)} values, row by row")
    return column.reshape(rows)


def named_column(words: type[Word]) -> Shape:
    """Return how a column of places in an enumeration stands as one of names."""
    known = list(words)

    def write(column: Any) -> dict[str, Any]:  # noqa: ANN401
        return {"dtype": "text", "values": [known[place].value for place in column.tolist()]}

    def read(data: Any, path: str) -> Any:  # noqa: ANN401
        import numpy as np

        names, at = column_of(data, path).tolist(), join(path, "values")
        found = [member(words, name, join(at, n)) for n, name in enumerate(names)]
        return np.array([known.index(word) for word in found], np.uint8)

    return Shape(write, read)


def check_columns(values: Mapping[str, Any], path: str, apart: Collection[str] = ()) -> None:
    """Refuse columns of one record that differ in length: they stand beside each other.

    Where the customers are a list of their own, the codes of the rows are places in it.
    """
    found: dict[str, int] = {}
    for name, value in values.items():
        one = value.numbers if type(value).__name__ == "Times" else value
        inside = value if isinstance(value, dict) else {name: one}
        columns = {key: x for key, x in inside.items() if type(x).__name__ == "ndarray"}
        found |= {str(key): len(column) for key, column in columns.items() if key not in apart}
    if len(set(found.values())) > 1:
        raise UnequalColumnsError(path, found)
    if "customers" in apart:
        _check_codes(values["codes"], len(values["customers"]), join(path, "codes"))


def _check_codes(codes: Any, size: int, path: str) -> None:  # noqa: ANN401
    if codes.dtype.kind not in "iu":
        raise WrongTypeError(path, codes.dtype, "whole numbers")
    strange = codes[(codes < 0) | (codes >= size)]
    if len(strange):
        raise InvalidValueError(path, strange[0].item(), f"places among {size} customers")
