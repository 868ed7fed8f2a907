"""Policies are values: plain typed fields, a citation beside each, and one way to change them.

``new_days=stated(30, "002 二(一)2")`` is an ``int`` for checker and reader; where it came
from is kept beside it (X-02) and is lost when the value changes. A handbook is a policy of
policies and tables, so one path such as ``lifecycle.stages.active.when.days_since_purchase``
reaches every leaf of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, ClassVar, NoReturn, Protocol, Self, TypeVar, cast, runtime_checkable
from typing import dataclass_transform as _dataclass_transform

import attrs
from attrs import Converter, field, frozen

from retention.mechanisms.choices import member
from retention.mechanisms.errors import (
    BlankValueError,
    InvalidValueError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.words import Word

T = TypeVar("T")


class Origin(Word):
    """Where a value comes from (RC-11)."""

    STATED = "stated", "明文"
    READ = "read", "解读"
    ASSUMED = "assumed", "假定"
    BLANK = "blank", "空白"
    GIVEN = "given", "自定"


@frozen
class Source:
    """Origin of one value and the clause that it stands in."""

    origin: Origin
    clause: str = ""

    def __str__(self) -> str:
        """Return origin and clause as one text."""
        return f"{self.origin} {self.clause}".strip()


_GIVEN = Source(Origin.GIVEN)


@frozen
class _Citation:
    """A value on its way into a policy, with its source."""

    value: Any
    source: Source


def stated(value: T, clause: str) -> T:
    """Mark a value that stands literally in the handbook."""
    return cast("T", _Citation(value, Source(Origin.STATED, clause)))


def read(value: T, clause: str) -> T:
    """Mark a value that the handbook says in other words; the clause names the reading."""
    return cast("T", _Citation(value, Source(Origin.READ, clause)))


def assumed(value: T, clause: str) -> T:
    """Mark a value that is not in the handbook; the clause says what it stands in for."""
    return cast("T", _Citation(value, Source(Origin.ASSUMED, clause)))


def blank(clause: str) -> Any:  # noqa: ANN401  it stands in for a value of any type
    """Mark a value that the handbook leaves open; using it raises and names the path."""
    return _Citation(Blank(clause), Source(Origin.BLANK, clause))


@frozen(eq=True, order=False)
class Blank:
    """A hole in a policy: it can be carried, compared and listed, but not used.

    >>> Blank("002: thresholds", path="Vip.gold_minor") > 3
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.BlankValueError: Vip.gold_minor: the handbook leaves this blank \
(002: thresholds); set it with policy.with_('...gold_minor', value)
    """

    clause: str
    path: str = field(default="", eq=False)

    def _use(self, *_: object) -> NoReturn:
        name = self.path.rpartition(".")[2]
        advice = f"policy.with_('...{name}', value)"
        raise BlankValueError(self.path, self.clause, advice)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # how copying and pickling ask what a value can do
            raise AttributeError(name)
        self._use()

    __lt__ = __le__ = __gt__ = __ge__ = _use
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _use
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _use
    __pow__ = __rpow__ = __divmod__ = __rdivmod__ = __abs__ = __round__ = __pos__ = _use
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__ = _use
    __floor__ = __ceil__ = __trunc__ = __getitem__ = __reversed__ = __fspath__ = _use
    __bool__ = __int__ = __float__ = __index__ = __iter__ = __len__ = __contains__ = _use


def is_blank(value: object) -> bool:
    """Whether a value of a policy is still to be filled.

    >>> is_blank(Blank("002: thresholds")), is_blank(30)
    (True, False)
    """
    return isinstance(value, Blank)


@runtime_checkable
class Leaf(Protocol):
    """A leaf with an inside of its own: a rule is reread from text and changed by measure."""

    def with_(self, path: str, value: Any) -> Any:  # noqa: ANN401
        """Return the leaf with the part at ``path`` replaced."""

    def reread(self, text: str) -> Any:  # noqa: ANN401
        """Return the leaf of the same kind that ``text`` writes."""


@frozen
class Entry:
    """One value of a policy: its dotted path, the value and the source."""

    path: str
    value: Any
    source: Source

    def __str__(self) -> str:
        """Return one readable line."""
        return f"{self.path} = {plain(self.value)}  [{self.source}]"


@frozen
class Difference:
    """One path at which two policies differ; ``None`` where one has no such path."""

    path: str
    before: Any
    after: Any


def _noting(convert: Callable[[Any], Any] | None) -> Converter[Any, Any]:
    """Return a converter that keeps the citation of a value in the policy's ``sources``."""

    def note(given: Any, policy: Any, attribute: Any) -> Any:  # noqa: ANN401
        where = f"{type(policy).__name__}.{attribute.alias or attribute.name}"
        if not isinstance(given, _Citation):
            return _converted(given, convert, where)
        inside = _converted(given.value, convert, where)
        policy.sources[attribute.name] = (given.source, inside)
        return inside

    return Converter(note, takes_self=True, takes_field=True)


def _converted(value: Any, convert: Callable[[Any], Any] | None, where: str) -> Any:  # noqa: ANN401
    if is_blank(value):
        return Blank(value.clause, path=value.path or where)
    if convert is tuple and (isinstance(value, str) or not isinstance(value, Iterable)):
        raise WrongTypeError(where, value, "several values, in a tuple or a list")
    return value if convert is None else convert(value)


def _noted(each: Any) -> bool:  # noqa: ANN401
    return each.name == "sources" or isinstance(each.converter, Converter)  # inherited


def _citing(_: type, fields: list[Any]) -> list[Any]:
    return [
        each if _noted(each) else each.evolve(converter=_noting(each.converter)) for each in fields
    ]


@_dataclass_transform(frozen_default=True, field_specifiers=(field,))
def policy(cls: type[T]) -> type[T]:
    """Make a class a policy: frozen, with slots, its values may carry citations.

    >>> @policy
    ... class Rest(Policy):
    ...     days: int
    >>> rest = Rest(stated(30, "002 二(一)2"))
    >>> rest.days, str(rest.source("days")), str(rest.with_("days", 45).source("days"))
    (30, 'stated 002 二(一)2', 'given')
    """
    return attrs.define(frozen=True, field_transformer=_citing)(cls)


@frozen
class Policy:
    """What every policy can do: be listed, changed by path, compared and fingerprinted."""

    # The first field, so that the converters of all others find it filled.
    sources: dict[str, tuple[Source, Any]] = field(
        factory=dict, converter=dict, eq=False, repr=False, kw_only=True
    )
    rows_in: ClassVar[str] = ""  # the field whose rows a path reaches without naming it

    @property
    def key(self) -> str:
        """Name of this policy as a row of a table; empty when it is not one."""
        return ""

    def source(self, name: str) -> Source:
        """Source of one field; a changed value has lost its citation by itself."""
        source, value = self.sources.get(name, (_GIVEN, None))
        unchanged = name in self.sources and value == getattr(self, name)
        return source if unchanged else _GIVEN

    def values(self, prefix: str = "", source: Source = _GIVEN) -> Iterator[Entry]:
        """Every value below this policy, in the order of the fields, with path and source.

        ``source`` is that of this policy as a whole: what has no source of its own has this.
        """
        for name, attribute in _names(self).items():
            value = getattr(self, attribute)
            inner = prefix if name == self.rows_in else f"{prefix}{name}."
            own = self.source(attribute)
            found = source if own.origin is Origin.GIVEN else own
            if isinstance(value, Policy):
                yield from value.values(inner, found)
            elif _is_table(value):
                for row in value:
                    yield from row.values(f"{inner}{row.key}.", found)
            else:
                yield Entry(prefix + name, value, found)

    def assumed(self) -> tuple[Entry, ...]:
        """Return the values that stand in for something the handbook does not say."""
        return tuple(each for each in self.values() if each.source.origin is Origin.ASSUMED)

    def blanks(self) -> tuple[Entry, ...]:
        """Return the values that somebody must still fill."""
        return tuple(each for each in self.values() if isinstance(each.value, Blank))

    def with_(self, path: str, value: Any) -> Self:  # noqa: ANN401
        """Return a copy with the value at a dotted path replaced and everything validated.

        A rule is replaced by its text, or one limit of it through the name of its measure.
        """
        return self.with_all({path: value})

    def with_all(self, changes: Mapping[str, Any]) -> Self:
        """Return a copy with several values replaced at once: only the result is validated.

        >>> from retention.presets import ecommerce
        >>> ours = ecommerce.with_all(
        ...     {"segmentation.rfm.recency.at_most": [20, 60, 120], "name": "ours"}
        ... )
        >>> ours.name, ours.segmentation.rfm.recency.at_most
        ('ours', (20, 60, 120))
        """
        rows = getattr(self, self.rows_in) if self.rows_in else ()
        names, new, inner = _names(self), dict[str, Any](), dict[str, Any]()
        for head, inside in _by_head(changes).items():
            where = f"{type(self).__name__}.{head}"
            if head in names:
                new[head] = _replaced(getattr(self, names[head]), inside, where)
            elif isinstance(rows, Policy) or head in {row.key for row in rows}:
                inner |= {f"{head}.{rest}" if rest else head: x for rest, x in inside.items()}
            else:
                raise UnknownNameError(where, head, (*names, *(row.key for row in rows)))
        if inner:
            new[self.rows_in] = _replaced(rows, inner, type(self).__name__)
        return cast("Self", attrs.evolve(cast("Any", self), **new))

    def compare(self, other: Policy) -> tuple[Difference, ...]:
        """Return every path at which ``other`` differs, with the value here and there."""
        if not isinstance(other, Policy):
            raise WrongTypeError("compare", other, "a policy of the same class")
        before = {each.path: each.value for each in self.values()}
        after = {each.path: each.value for each in other.values()}
        return tuple(
            Difference(path, before.get(path), after.get(path))
            for path in (*before, *(path for path in after if path not in before))
            if before.get(path) != after.get(path)
        )

    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change when any value changes; sources do not count."""
        rows = [[each.path, plain(each.value)] for each in self.values()]
        text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def plain(value: Any) -> Any:  # noqa: ANN401
    """Turn a leaf of a policy into plain data: numbers, texts, lists; the rest as its text."""
    if is_blank(value):
        return f"blank: {value.clause}"
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and value.is_integer():
        return int(value)  # 90.0 is the same policy as 90
    if value is None or isinstance(value, int | float | str):
        return value
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return str(value)


def _names(value: Policy) -> dict[str, str]:
    """Names of the fields as paths and constructors say them, and as attributes."""
    fields = attrs.fields(type(value))
    return {x.alias or x.name: x.name for x in fields if x.name != "sources" and x.init}


def _is_table(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(x, Policy) for x in value)


def _by_head(changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Changes by the first part of their paths."""
    found: dict[str, dict[str, Any]] = {}
    for path, value in changes.items():
        head, _, rest = path.partition(".")
        found.setdefault(head, {})[rest] = value
    return found


def _replaced(inside: Any, changes: dict[str, Any], where: str) -> Any:  # noqa: ANN401
    """What stands at a path after the changes at or below it."""
    if "" in changes:
        if len(changes) > 1:
            raise InvalidValueError(where, tuple(changes), "the whole or its parts, not both")
        return _coerced(inside, changes[""])
    if isinstance(inside, Policy):
        return inside.with_all(changes)
    if _is_table(inside):
        return _replaced_rows(inside, _by_head(changes), where)
    if is_blank(inside) or not isinstance(inside, Leaf):
        raise UnknownNameError(where, next(iter(changes)), ())
    for path, value in changes.items():
        inside = inside.with_(path, value)
    return inside


def _replaced_rows(rows: tuple[Policy, ...], changes: dict[str, dict[str, Any]], where: str) -> Any:  # noqa: ANN401
    keys = [row.key for row in rows]
    strange = next((key for key in changes if key not in keys), None)
    if strange is not None:
        raise UnknownNameError(where, strange, keys)
    return tuple(
        _replaced(row, changes[row.key], f"{where}.{row.key}") if row.key in changes else row
        for row in rows
    )


def _coerced(inside: Any, value: Any) -> Any:  # noqa: ANN401
    """Read texts and lists, as they come from a form or a file, as what stood there before."""
    if is_blank(inside):  # nothing stood there that could say how to read it
        return value
    kind: Any = type(inside)
    reads: list[tuple[bool, Callable[[Any], Any]]] = [
        (isinstance(inside, Leaf) and isinstance(value, str), lambda text: inside.reread(text)),  # noqa: PLW0108  it may have none
        (
            isinstance(inside, Word) and isinstance(value, str),
            lambda code: member(kind, code, kind.__name__),
        ),
        (isinstance(inside, tuple) and isinstance(value, list), tuple),
    ]
    for fits, convert in reads:
        if fits:
            return convert(value)
    if isinstance(inside, Policy) and not isinstance(value, Policy):
        raise WrongTypeError(type(inside).__name__, value, "a policy of the same class")
    return value
