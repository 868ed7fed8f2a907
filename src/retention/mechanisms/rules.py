"""A rule is a value: limits on measures, joined by ``&`` and ``|``, negated by ``~``.

The same rule answers for one row (``holds``, without numpy) and for columns (``mask``), reads
and writes as text, and says which limits decided. Which outcome follows from which rule is
said in ``decisions``; what a measure means is said by the room that measures.

An absent name is a mistake and raises. A missing value (``None``, NaN, empty text) matches
nothing, also under negation: ``~`` is pushed down to the limits, so no "not" is ever
evaluated, and Python, numpy, data frames and SQL agree.
"""

from __future__ import annotations

import ast
import keyword
import math
import operator
import sys
import tokenize
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, TypeVar, cast
from unicodedata import normalize

from attrs import field, frozen

from retention.mechanisms.answers import Reason, Scalar
from retention.mechanisms.errors import (
    InvalidValueError,
    RuleTruthError,
    UnknownMeasureError,
    UnknownNameError,
    UnreadableTextError,
    WrongTypeError,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Columns = Mapping[str, NDArray[Any]]

Row = Mapping[str, Scalar]
Relation = Literal[
    "<=", "<", ">=", ">", "==", "!=", "in", "not in", "between", "outside", "missing", "known"
]
V = TypeVar("V", int, float, str, bool)

_READS = (
    "limits such as days_since_purchase <= 30, 31 <= days <= 90, grade in ('gold', 'silver'), "
    "grade is missing, joined by and, or, not, ()"
)
_RESERVED = frozenset({"missing", "known", "inf", *keyword.kwlist})


class Rule:
    """What every rule can do; the kinds are :class:`Limit`, :class:`All` and :class:`AnyOf`."""

    __slots__ = ()

    def holds(self, row: Row) -> bool:
        """Whether the rule holds for one row, a mapping from measure to value."""
        raise NotImplementedError

    def mask(self, columns: Columns) -> Mask:
        """Whether the rule holds, for every row of columns of equal length."""
        raise NotImplementedError

    def limits(self) -> Iterator[Limit]:
        """All limits of the rule, from left to right."""
        raise NotImplementedError

    def reasons(self, row: Row) -> tuple[Reason, ...]:
        """Return the limits that decided: what held if the rule holds, else what failed."""
        raise NotImplementedError

    def replaced(self, change: Callable[[Limit], Rule]) -> Rule:
        """Return the rule with every limit put through ``change``."""
        raise NotImplementedError

    def __invert__(self) -> Rule:
        """Return the rule that holds where this one fails, missing values aside."""
        raise NotImplementedError

    def __and__(self, other: Rule) -> Rule:
        """Return the rule that holds where both hold."""
        return All((self, other))

    def __or__(self, other: Rule) -> Rule:
        """Return the rule that holds where one of them holds."""
        return AnyOf((self, other))

    def __bool__(self) -> NoReturn:
        """Refuse ``and``, ``or``, ``if`` and chained comparison."""
        advice = "use rule.holds(row); join with & and |; write measure.between(31, 90) for a range"
        raise RuleTruthError("rule", str(self), advice)

    def measures(self) -> tuple[str, ...]:
        """Names of the measures that the rule asks for, each once, in order."""
        return tuple(dict.fromkeys(each.measure for each in self.limits()))

    def with_(self, path: str, value: Any) -> Rule:  # noqa: ANN401
        """Return the rule with the one limit on a measure replaced.

        >>> str(parse("days <= 30 and orders >= 2").with_("days", 45))
        'days <= 45 and orders >= 2'
        """
        found = [each for each in self.limits() if each.measure == path]
        if not found:
            raise UnknownNameError(f"rule {self}", path, self.measures())
        if len(found) > 1:
            raise InvalidValueError(f"rule {self}", path, "one limit; give the whole rule as text")
        new = Limit(path, found[0].relation, tuple(value) if isinstance(value, list) else value)
        return self.replaced(lambda limit: new if limit is found[0] else limit)

    def reread(self, text: str) -> Rule:
        """Return the rule that a text writes (how a policy replaces a rule)."""
        return parse(text)


@frozen
class Limit(Rule):
    """One limit on one measure: the only thing that rules are made of.

    >>> limit = Limit("days_since_purchase", "<=", 30)
    >>> limit.holds({"days_since_purchase": 30}), limit.holds({"days_since_purchase": None})
    (True, False)
    >>> str(~limit)
    'days_since_purchase > 30'
    """

    measure: str
    relation: Relation
    limit: Any = None  # a number or text; two numbers for a range; a tuple for "in"
    note: str = field(default="", eq=False, kw_only=True)  # the limit as written, when pinned

    def __attrs_post_init__(self) -> None:
        _check_name(self.measure)
        if self.relation not in _ONE:
            raise UnknownNameError("Limit.relation", self.relation, tuple(_ONE))
        object.__setattr__(self, "limit", _checked_limit(self))

    def holds(self, row: Row) -> bool:
        """Whether the limit holds for one row."""
        try:
            value = row[self.measure]
        except KeyError:
            raise UnknownMeasureError("rule", self.measure, tuple(row)) from None
        # NaN and NaT are the values that do not equal themselves.
        if value is None or value != value or value == "":  # noqa: PLR0124
            return self.relation == "missing"
        try:
            return cast("bool", _ONE[self.relation](value, self.limit))
        except TypeError:
            given = type(value).__name__
            raise WrongTypeError(self.measure, given, f"a value that {self} compares") from None

    def mask(self, columns: Columns) -> Mask:
        """Whether the limit holds, for every row of a column."""
        try:
            column = columns[self.measure]
        except KeyError:
            raise UnknownMeasureError("rule", self.measure, tuple(columns)) from None
        from retention.mechanisms.masks import mask

        return mask(column, self.relation, self.limit)

    def limits(self) -> Iterator[Limit]:
        """Return itself."""
        yield self

    def reasons(self, row: Row) -> tuple[Reason, ...]:
        """Return the one limit as it was looked at."""
        held, value = self.holds(row), row[self.measure]
        given = None if value is None or value != value or value == "" else value  # noqa: PLR0124
        return (Reason(self.measure, given, self.wanted, held=held, note=self.note),)

    def replaced(self, change: Callable[[Limit], Rule]) -> Rule:
        """Return what ``change`` makes of this limit."""
        return change(self)

    def __invert__(self) -> Limit:
        """Return the opposite limit; a missing value matches neither."""
        return Limit(self.measure, _FLIPPED[self.relation], self.limit)

    @property
    def wanted(self) -> str:
        """What the limit asks for, as a phrase behind the value."""
        match self.relation:
            case "between" | "outside":
                return f"{self.relation} {self.limit[0]!r} and {self.limit[1]!r}"
            case "missing" | "known":
                return self.relation
            case _:
                return f"{self.relation} {self.limit!r}"

    def __str__(self) -> str:
        """Return the text that :func:`parse` reads back."""
        match self.relation:
            case "between":
                return f"{self.limit[0]!r} <= {self.measure} <= {self.limit[1]!r}"
            case "outside":
                return f"not {self.limit[0]!r} <= {self.measure} <= {self.limit[1]!r}"
            case "missing" | "known":
                return f"{self.measure} is {self.relation}"
            case _:
                return f"{self.measure} {self.relation} {self.limit!r}"


@frozen
class _Joined(Rule):
    parts: tuple[Rule, ...]

    def __attrs_post_init__(self) -> None:
        # Rules of the same kind are flattened, so that each rule has one form only.
        flat = [x.parts if isinstance(x, type(self)) else (x,) for x in self.parts]
        object.__setattr__(self, "parts", tuple(part for parts in flat for part in parts))
        if len(self.parts) < 2 or not all(isinstance(part, Rule) for part in self.parts):  # noqa: PLR2004
            raise WrongTypeError(type(self).__name__, self.parts, "two rules or more")

    def limits(self) -> Iterator[Limit]:
        for part in self.parts:
            yield from part.limits()

    def reasons(self, row: Row) -> tuple[Reason, ...]:
        held = self.holds(row)
        deciding = [part for part in self.parts if part.holds(row) == held]
        return tuple(reason for part in deciding for reason in part.reasons(row))

    def replaced(self, change: Callable[[Limit], Rule]) -> Rule:
        return type(self)(tuple(part.replaced(change) for part in self.parts))


@frozen
class All(_Joined):
    """All parts must hold.

    >>> str(Measure[int]("days").between(91, 180) & Measure[int]("orders").is_(1))
    '91 <= days <= 180 and orders == 1'
    """

    def holds(self, row: Row) -> bool:
        """Whether all parts hold for one row."""
        for part in self.parts:  # noqa: SIM110  a loop is twice as fast as all(...) here
            if not part.holds(row):
                return False
        return True

    def mask(self, columns: Columns) -> Mask:
        """Whether all parts hold, for every row."""
        mask = self.parts[0].mask(columns)
        for part in self.parts[1:]:
            mask &= part.mask(columns)
        return mask

    def __invert__(self) -> AnyOf:
        """Return "one of the parts fails"."""
        return AnyOf(tuple(~part for part in self.parts))

    def __str__(self) -> str:
        """Return the text that :func:`parse` reads back."""
        return " and ".join(f"({p})" if isinstance(p, AnyOf) else str(p) for p in self.parts)


@frozen
class AnyOf(_Joined):
    """One part must hold.

    >>> str((Measure[int]("days") <= 90) | (Measure[int]("logins_each_week_4w") >= 1))
    'days <= 90 or logins_each_week_4w >= 1'
    """

    def holds(self, row: Row) -> bool:
        """Whether one part holds for one row."""
        for part in self.parts:  # noqa: SIM110  a loop is twice as fast as any(...) here
            if part.holds(row):
                return True
        return False

    def mask(self, columns: Columns) -> Mask:
        """Whether one part holds, for every row."""
        mask = self.parts[0].mask(columns)
        for part in self.parts[1:]:
            mask |= part.mask(columns)
        return mask

    def __invert__(self) -> All:
        """Return "all parts fail"."""
        return All(tuple(~part for part in self.parts))

    def __str__(self) -> str:
        """Return the text that :func:`parse` reads back."""
        return " or ".join(map(str, self.parts))


@frozen(eq=False)
class Measure(Generic[V]):
    """A named figure about a customer; comparing it gives a rule.

    >>> days = Measure[int]("days_since_purchase", unit="days", zh="距上次购买天数")
    >>> str(days <= 30), str(days.between(31, 90)), str(days.is_missing())
    ('days_since_purchase <= 30', '31 <= days_since_purchase <= 90', \
'days_since_purchase is missing')
    >>> 31 <= days <= 90
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.RuleTruthError: rule: days_since_purchase >= 31 has no truth of \
its own; use rule.holds(row); join with & and |; write measure.between(31, 90) for a range
    """

    name: str = field(validator=lambda *given: _check_name(given[2]))
    unit: str = field(default="", kw_only=True)
    zh: str = field(default="", kw_only=True)

    def __le__(self, limit: V) -> Limit:
        """At most."""
        return Limit(self.name, "<=", limit)

    def __lt__(self, limit: V) -> Limit:
        """Less than."""
        return Limit(self.name, "<", limit)

    def __ge__(self, limit: V) -> Limit:
        """At least."""
        return Limit(self.name, ">=", limit)

    def __gt__(self, limit: V) -> Limit:
        """More than."""
        return Limit(self.name, ">", limit)

    def is_(self, value: V) -> Limit:
        """Exactly this value."""
        return Limit(self.name, "==", value)

    def one_of(self, *values: V) -> Limit:
        """Return a limit that holds for each of these values."""
        return Limit(self.name, "in", values)

    def between(self, low: V, high: V) -> Limit:
        """From ``low`` to ``high``, both inside (RC-05)."""
        return Limit(self.name, "between", (low, high))

    def is_missing(self) -> Limit:
        """No value is known."""
        return Limit(self.name, "missing")

    def __eq__(self, other: object) -> bool:
        """Compare two measures by name; refuse a value, since a rule was probably meant."""
        if isinstance(other, int | float | str):
            raise RuleTruthError("measure", f"{self.name} == {other!r}", f"use .is_({other!r})")
        return isinstance(other, Measure) and other.name == self.name

    def __hash__(self) -> int:
        """Hash by name."""
        return hash(self.name)


def parse(text: str) -> Rule:
    """Read a rule from text; nothing is ever evaluated.

    >>> parse("not (days <= 90 or 2 <= orders <= 5)") == parse("days > 90 and not 2 <= orders <= 5")
    True
    >>> parse("days <= __import__('os')")
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.UnreadableTextError: rule: cannot read "__import__('os')" at \
column 9; write limits such as days_since_purchase <= 30, 31 <= days <= 90, grade in ('gold', \
'silver'), grade is missing, joined by and, or, not, ()
    """
    if not isinstance(text, str):
        raise WrongTypeError("rule", text, _READS)
    line = text.strip().replace("\n", " ")
    try:
        found = ast.parse(line, mode="eval").body
        if "#" in line and _has_comment(line):  # it would swallow the rest of the rule
            raise UnreadableTextError("rule", text, _READS)
        return _rule(found)
    except (SyntaxError, RecursionError, MemoryError, ValueError) as cause:
        if isinstance(cause, UnreadableTextError | InvalidValueError):
            raise
        raise UnreadableTextError("rule", text, _READS) from None


def _has_comment(line: str) -> bool:
    return any(
        token.type == tokenize.COMMENT for token in tokenize.generate_tokens(iter([line]).__next__)
    )


def as_rule(given: Rule | str) -> Rule:
    """Return a rule; a text is read, anything else is refused.

    >>> str(as_rule("days <= 30"))
    'days <= 30'
    """
    return given if isinstance(given, Rule) else parse(given)


def _rule(node: ast.expr) -> Rule:
    match node:
        case ast.BoolOp(op=ast.And(), values=parts):
            return All(tuple(map(_rule, parts)))
        case ast.BoolOp(op=ast.Or(), values=parts):
            return AnyOf(tuple(map(_rule, parts)))
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return ~_rule(part)
        case ast.Compare(
            left=ast.Name(id=name),
            ops=[ast.Is()],
            comparators=[ast.Name(id="missing" | "known" as word)],
        ):
            return Limit(name, cast("Relation", word))
        case ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[right]) if type(op) in _AST:
            return Limit(name, _AST[type(op)], _constant(right))
        case ast.Compare(left=low, ops=[a, b], comparators=[ast.Name(id=name), high]):
            return _range(name, (_constant(low), a), (b, _constant(high)), node)
        case _:
            raise _unreadable(node)


def _range(
    name: str, low: tuple[Any, ast.cmpop], high: tuple[ast.cmpop, Any], node: ast.expr
) -> Rule:
    """Read a chain such as ``31 <= days <= 90``."""
    (least, a), (b, most) = low, high
    if isinstance(a, ast.LtE) and isinstance(b, ast.LtE):
        return Limit(name, "between", (least, most))
    if not (isinstance(a, ast.LtE | ast.Lt) and isinstance(b, ast.LtE | ast.Lt)):
        raise _unreadable(node)
    above: Relation = ">=" if isinstance(a, ast.LtE) else ">"
    return Limit(name, above, least) & Limit(name, _AST[type(b)], most)


def _constant(node: ast.expr) -> Any:  # noqa: ANN401
    match node:
        case ast.Constant(value=bool() | int() | float() | str() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=inside):
            return -_number(_constant(inside), "rule")
        case ast.Name(id="inf"):
            return math.inf
        case ast.Tuple(elts=parts):
            return tuple(map(_constant, parts))
        case _:
            raise _unreadable(node)


def _unreadable(node: ast.expr) -> UnreadableTextError:
    given = f'"{ast.unparse(node)}" at column {node.col_offset + 1}'
    return UnreadableTextError("rule", given, _READS)


_AST: dict[type[ast.cmpop], Relation] = {
    ast.LtE: "<=",
    ast.Lt: "<",
    ast.GtE: ">=",
    ast.Gt: ">",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
}


def _between(value: Any, limit: Any) -> Any:  # noqa: ANN401
    return limit[0] <= value <= limit[1]


def _outside(value: Any, limit: Any) -> Any:  # noqa: ANN401
    return not limit[0] <= value <= limit[1]


def _inside(value: Any, limit: Any) -> Any:  # noqa: ANN401
    return value in limit


def _elsewhere(value: Any, limit: Any) -> Any:  # noqa: ANN401
    return value not in limit


def _never(*_: Any) -> bool:  # noqa: ANN401
    return False


def _always(*_: Any) -> bool:  # noqa: ANN401
    return True


# One row a relation: how it is tested for a value that is known, and what its opposite is.
_ONE: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
    "in": _inside,
    "not in": _elsewhere,
    "between": _between,
    "outside": _outside,
    "missing": _never,
    "known": _always,
}
_PAIRS: tuple[tuple[Relation, Relation], ...] = (
    ("<=", ">"),
    ("<", ">="),
    ("==", "!="),
    ("in", "not in"),
    ("between", "outside"),
    ("missing", "known"),
)
_FLIPPED: dict[Relation, Relation] = {}
for _a, _b in _PAIRS:
    _FLIPPED |= {_a: _b, _b: _a}


def _check_name(name: str) -> None:
    if not isinstance(name, str):
        raise WrongTypeError("measure", name, "a name such as days_since_purchase")
    # Python reads letters in their compatible form, so only that form comes back from text.
    plain = normalize("NFKC", name)
    if not name.isidentifier() or name in _RESERVED or plain != name:
        raise InvalidValueError("measure", name, "a name such as days_since_purchase")


def _checked_limit(limit: Limit) -> Any:  # noqa: ANN401
    """Return the limit's value as plain Python; refuse what the relation cannot compare."""
    value = limit.limit
    where = f"limit on {limit.measure}"
    match limit.relation:
        case "missing" | "known":
            return None
        case "in" | "not in":
            if not isinstance(value, tuple) or not value:
                raise WrongTypeError(where, value, "a tuple of values")
            found = tuple(_scalar(each, where) for each in value)
            if len({isinstance(each, str) for each in found}) > 1:
                raise WrongTypeError(where, value, "values of one kind: all text, or all numbers")
            return found
        case "between" | "outside":
            if not isinstance(value, tuple) or len(value) != 2:  # noqa: PLR2004
                raise WrongTypeError(where, value, "two numbers, lowest and highest")
            low, high = (_number(each, where) for each in value)
            if low > high:
                raise InvalidValueError(where, value, "the lowest value first")
            return (low, high)
        case "==" | "!=":
            return _scalar(value, where)
        case _:
            return _number(value, where)


def _scalar(value: Any, where: str) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        if not value:
            raise InvalidValueError(where, "''", "text; ask is_missing() for an empty value")
        return str(value)
    return value if isinstance(value, bool) else _number(value, where)


def _number(value: Any, where: str) -> int | float:  # noqa: ANN401
    value = value.item() if hasattr(value, "item") else value  # numpy scalars become Python's own
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongTypeError(where, value, "a number")
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        raise InvalidValueError(where, f"{value.bit_length()} bits", "a number that a float holds")
    if math.isnan(value):
        raise InvalidValueError(where, value, "a number; ask is_missing() for a missing value")
    # A whole number is kept as one: beside columns of whole numbers a float is inexact.
    return int(value) if isinstance(value, float) and value.is_integer() else value
