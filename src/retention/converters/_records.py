"""Records as plain data: every class of the library by its annotations, and its sources."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from functools import cache
from importlib import import_module
from itertools import repeat
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
from attrs import field, frozen

from retention.accounts import Account
from retention.converters._accounts import account_of, account_plain
from retention.converters._kinds import (
    APART,
    KINDS,
    NAMED,
    VERSION,
    home_of,
    kind_of,
    kinds_below,
)
from retention.converters._leaves import (
    SIMPLE,
    Shape,
    check_columns,
    column_of,
    column_plain,
    named_column,
    number_of,
    number_plain,
    rule_of,
    rule_plain,
    rule_text,
    scalar,
    time_of,
    time_text,
)
from retention.converters._reading import (
    chosen,
    join,
    keyed,
    kind_in,
    member,
    opened,
    placed,
    typed,
)
from retention.converters._words import WORDS
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.periods import When
from retention.mechanisms.policies import Blank, Origin, Policy, Source
from retention.mechanisms.rules import Rule
from retention.mechanisms.words import Word

_LEAVES = ("number", "fraction", "time", "blank")  # keys of leaves that JSON has not


@frozen
class _Part:
    """One field of a record: its key in plain data, its name, its shape."""

    key: str
    name: str
    alias: str
    shape: Shape
    required: bool


@frozen(eq=False)
class Plain:
    """The reader and writer of every kind, with some enumerations more than the library's."""

    words: Mapping[str, type[Word]]
    _shapes: dict[Any, Shape] = field(factory=dict, repr=False)
    _parts: dict[type, tuple[_Part, ...]] = field(factory=dict, repr=False)

    # --- where any value may stand ---

    def write(self, value: Any) -> Any:  # noqa: ANN401
        """Return the plain form of a value, whatever it is."""
        match value:
            case Word():
                return {self.name_of(type(value)): value.value}
            case None | bool() | int() | str():
                return getattr(value, "item", lambda: value)()  # numpy texts are texts
            case datetime() | date():
                return {"time": time_text(value)}
            case tuple() | list():
                return [self.write(each) for each in value]
            case Blank():
                return {"blank": value.clause}
            case Rule():
                return rule_plain(value)
        if isinstance(value, float | Fraction) or hasattr(value, "dtype"):
            return number_plain(value)
        if kind_of(type(value)) is None:
            raise WrongTypeError("to_plain", type(value).__name__, f"one of {', '.join(KINDS)}")
        return self._write_record(value)

    def read(self, data: Any, path: str) -> Any:  # noqa: ANN401
        """Return the value of a plain form, whatever it is."""
        if data is None or isinstance(data, bool | int | float | str):
            return data
        if isinstance(data, list | tuple):
            return tuple(self.read(each, join(path, n)) for n, each in enumerate(data))
        if not isinstance(data, Mapping) or len(data) != 1 or "kind" in data:
            return self._read_record(data, path)
        ((name, inside),) = data.items()
        readers: dict[str, Callable[[Any, str], Any]] = {
            "number": lambda *_: number_of(data, path),
            "fraction": lambda *_: number_of(data, path),
            "time": time_of,
            "blank": lambda clause, at: Blank(typed(clause, at, str, "a clause"), path=path),
        }
        if name in readers:
            return readers[name](inside, path)
        return member(self.enumeration(name, path), inside, path)

    # --- enumerations ---

    def name_of(self, words: type[Word]) -> str:
        """Return the name under which an enumeration is stored."""
        name = self._name_of(words)
        if name is None:
            raise UnknownNameError("words", words.__name__, (*WORDS, *self.words))
        return name

    def _name_of(self, words: type[Word]) -> str | None:
        own = next((name for name, each in self.words.items() if each is words), None)
        home = f"{words.__module__}.{words.__qualname__}".removeprefix("retention.")
        return own or next((name for name, each in WORDS.items() if each == home), None)

    def enumeration(self, name: Any, path: str) -> type[Word]:  # noqa: ANN401
        """Return the enumeration of a name."""
        found = chosen({**WORDS, **self.words}, name, path or "data")
        words: type[Word] = home_of(found) if isinstance(found, str) else found
        return words

    # --- shapes: from what an annotation says ---

    def shape(self, hint: Any) -> Shape:  # noqa: ANN401
        """Return how values of an annotation are written and read."""
        if hint not in self._shapes:
            self._shapes[hint] = self._shape(hint)
        return self._shapes[hint]

    def _shape(self, hint: Any) -> Shape:  # noqa: ANN401
        origin, inside = get_origin(hint), get_args(hint)
        forms: dict[Any, Callable[[tuple[Any, ...]], Shape]] = {
            Union: self._union,
            UnionType: self._union,
            tuple: self._tuple,
            frozenset: self._set,
            dict: self._mapping,
            Mapping: self._mapping,
            type: lambda _: Shape(self.name_of, self.enumeration),
        }
        return forms[origin](inside) if origin in forms else self._class(origin or hint)

    def _text(self, value: str) -> Any:  # noqa: ANN401
        """A text; a term of the library that stands for a text keeps its enumeration."""
        known = isinstance(value, Word) and self._name_of(type(value)) is not None
        return self.write(value) if known else str(value)

    def _text_of(self, data: Any, path: str) -> str:  # noqa: ANN401
        found = self.read(data, path) if isinstance(data, Mapping) else data
        return SIMPLE[str].read(found, path)  # type: ignore[no-any-return]

    def _class(self, plain: Any) -> Shape:  # noqa: ANN401
        if plain is str:
            return Shape(self._text, self._text_of)
        if plain in SIMPLE:
            return SIMPLE[plain]
        if plain in {Any, object} or not isinstance(plain, type):
            return Shape(self.write, self.read)
        if issubclass(plain, Word):
            return Shape(lambda v: plain(v).value, lambda data, path: member(plain, data, path))
        if issubclass(plain, Rule):
            return Shape(rule_text, rule_of)
        if plain.__name__ == "ndarray":
            return Shape(column_plain, column_of)
        return self._records((plain,))

    def _records(self, classes: tuple[type, ...]) -> Shape:
        return Shape(self.write, lambda data, path: self._read_record(data, path, classes))

    def _union(self, hints: tuple[Any, ...]) -> Shape:
        rest = [hint for hint in hints if hint is not type(None)]
        if set(rest) == {date, datetime}:
            inner = Shape(time_text, time_of)
        elif len(rest) == 1:
            inner = self.shape(rest[0])
        elif set(rest) <= {str, int, float, bool, Fraction}:
            inner = Shape(self.write, lambda data, path: scalar(data, path, rest))
        else:
            inner = self._records(tuple(get_origin(hint) or hint for hint in rest))
        if len(rest) == len(hints):
            return inner
        return Shape(
            lambda value: None if value is None else inner.write(value),
            lambda data, path: None if data is None else inner.read(data, path),
        )

    def _tuple(self, hints: tuple[Any, ...]) -> Shape:
        open_end = hints[1:] == (...,)
        shapes = [self.shape(hint) for hint in hints if hint is not ...]

        def shapes_for(items: Sequence[Any], path: str) -> Iterator[tuple[Any, Shape]]:
            if not open_end and len(items) != len(shapes):
                allowed = f"a list of {len(shapes)}"
                raise InvalidValueError(path, f"a list of {len(items)}", allowed)
            return zip(items, repeat(shapes[0]) if open_end else shapes, strict=False)

        def read(data: Any, path: str) -> tuple[Any, ...]:  # noqa: ANN401
            pairs = shapes_for(typed(data, path, list, "a list"), path)
            return tuple(x.read(item, join(path, n)) for n, (item, x) in enumerate(pairs))

        return Shape(lambda given: [x.write(item) for item, x in shapes_for(given, "tuple")], read)

    def _set(self, hints: tuple[Any, ...]) -> Shape:
        items = self._tuple((*hints, ...))
        return Shape(sorted, lambda data, path: frozenset(items.read(data, path)))

    def _mapping(self, hints: tuple[Any, ...]) -> Shape:
        key, value = hints
        return self._object(value) if key is str else self._pairs(key, value)

    def _object(self, value: Any) -> Shape:  # noqa: ANN401
        inner = self.shape(value)

        def read(data: Any, path: str) -> dict[str, Any]:  # noqa: ANN401
            items = typed(data, path, Mapping, "an object").items()
            return {name: inner.read(each, join(path, name)) for name, each in items}

        return Shape(lambda given: {str(k): inner.write(v) for k, v in given.items()}, read)

    def _pairs(self, *hints: Any) -> Shape:  # noqa: ANN401
        """Keys that are no text: a list of pairs."""
        key, value = map(self.shape, hints)

        def pair(data: Any, path: str) -> tuple[Any, Any]:  # noqa: ANN401
            items = typed(data, path, list, "a list of two")
            if len(items) != len(hints):
                raise InvalidValueError(path, f"a list of {len(items)}", "a list of two")
            return key.read(items[0], path), value.read(items[1], path)

        def read(data: Any, path: str) -> dict[Any, Any]:  # noqa: ANN401
            items = typed(data, path, list, "a list of pairs")
            return dict(pair(each, join(path, n)) for n, each in enumerate(items))

        return Shape(lambda v: [[key.write(k), value.write(x)] for k, x in v.items()], read)

    # --- records ---

    def parts(self, cls: type) -> tuple[_Part, ...]:
        """Return the fields of a class as plain data have them."""
        if cls not in self._parts:
            hints = get_type_hints(cls, localns=_names_of_hints(cls))
            self._parts[cls] = tuple(
                self._part(cls, each, hints[each.name])
                for each in attrs.fields(cls)
                if each.init and each.name != "sources"
            )
        return self._parts[cls]

    def _part(self, cls: type, attribute: Any, hint: Any) -> _Part:  # noqa: ANN401
        alias = attribute.alias or attribute.name
        # "kind" and "version" are those of the record itself.
        key = f"{kind_of(cls)}_{alias}" if alias in {"kind", "version"} else alias
        required = attribute.default is attrs.NOTHING
        words = NAMED.get(f"{kind_of(cls)}.{key}")
        shape = named_column(home_of(words)) if words else self.shape(hint)
        return _Part(key, attribute.name, alias, shape, required)

    def _write_record(self, value: Any) -> dict[str, Any]:  # noqa: ANN401
        cls = type(value)
        if cls is Account:
            return account_plain(value, self.write)
        found: dict[str, Any] = {"kind": kind_of(cls), "version": VERSION}
        for part in self.parts(cls):
            found[part.key] = self._write_part(part, getattr(value, part.name))
        if isinstance(value, Policy):
            found["sources"] = self._write_sources(value)
        return found

    def _write_part(self, part: _Part, value: Any) -> Any:  # noqa: ANN401
        return self.write(value) if isinstance(value, Blank) else part.shape.write(value)

    def _write_sources(self, policy: Policy) -> dict[str, Any]:
        found = {}
        for part in self.parts(type(policy)):
            if part.name not in policy.sources:
                continue
            source, cited = policy.sources[part.name]
            found[part.key] = {"origin": source.origin.value, "clause": source.clause}
            if cited != getattr(policy, part.name):
                found[part.key]["value"] = self._write_part(part, cited)
        return found

    def _read_record(self, data: Any, path: str, classes: tuple[type, ...] = (object,)) -> Any:  # noqa: ANN401
        kind = kind_in(data, path)
        cls, path = home_of(KINDS[kind]), path or kind
        if not issubclass(cls, classes):
            raise WrongTypeError(join(path, "kind"), kind, kinds_below(classes))
        if cls is Rule:
            return rule_of(data, path)
        if cls is Account:
            return account_of(data, path, self._read_record)
        parts = {part.key: part for part in self.parts(cls)}
        required = [key for key, part in parts.items() if part.required]
        given = opened(data, path, required, (*parts, *["sources"] * issubclass(cls, Policy)))
        cited = given.pop("sources", None)
        found = {
            parts[key].alias: self._read_part(cls, parts[key], each, join(path, key))
            for key, each in given.items()
        }
        check_columns(found, path, APART.get(kind, ()))
        if cited is not None:
            found["sources"] = self._read_sources(cls, cited, found, join(path, "sources"))
        with placed(path, parts):
            return cls(**found)

    def _read_part(self, cls: type, part: _Part, data: Any, path: str) -> Any:  # noqa: ANN401
        if isinstance(data, Mapping) and list(data) == ["blank"] and issubclass(cls, Policy):
            clause = typed(data["blank"], path, str, "a clause")
            return Blank(clause, path=f"{cls.__name__}.{part.name}")
        return part.shape.read(data, path)

    def _read_sources(
        self,
        cls: type,
        data: Any,  # noqa: ANN401
        values: Mapping[str, Any],
        path: str,
    ) -> dict[str, tuple[Source, Any]]:
        parts = {part.key: part for part in self.parts(cls)}
        found = {}
        for key, each in keyed(data, path, (), parts).items():
            part, at = parts[key], join(path, key)
            source = _source(each, at)
            value = values.get(part.alias)
            if "value" in each:
                value = self._read_part(cls, part, each["value"], join(at, "value"))
            found[part.name] = (source, value)
        return found


def _source(data: Any, path: str) -> Source:  # noqa: ANN401
    given = keyed(data, path, ("origin", "clause"), ("origin", "clause", "value"))
    origin = member(Origin, given["origin"], join(path, "origin"))
    return Source(origin, typed(given["clause"], join(path, "clause"), str, "text"))


def _names_of_hints(cls: type) -> dict[str, Any]:
    """Names that annotations use and only a checker imports: numpy's, and other kinds."""
    text = " ".join(str(each.type) for each in attrs.fields(cls))
    homes = {home.rpartition(".")[2]: home for home in KINDS.values()}
    here = vars(import_module(cls.__module__))
    unknown = {name: home for name, home in homes.items() if name in text and name not in here}
    found = {name: home_of(home) for name, home in unknown.items()}
    if "NDArray" in text or "Columns" in text:
        import numpy as np
        from numpy.typing import NDArray

        found |= {"np": np, "NDArray": NDArray, "Columns": Mapping[str, NDArray[Any]]}
    return found


def is_ours(hint: Any) -> bool:  # noqa: ANN401
    """Whether an annotation names values of this library alone.

    >>> is_ours(Rule), is_ours(When), is_ours(int)
    (True, True, False)
    """
    if get_origin(hint) in {Union, UnionType}:
        return hint == When or all(map(is_ours, get_args(hint)))
    cls = get_origin(hint) or hint
    return isinstance(cls, type) and (issubclass(cls, Rule) or kind_of(cls) is not None)


@cache
def plain_for(words: tuple[type[Word], ...] = ()) -> Plain:
    """Return the reader and writer that knows some enumerations more.

    >>> plain_for().write(date(2024, 6, 30))
    {'time': '2024-06-30'}
    """
    found: dict[str, type[Word]] = {}
    for each in words:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", each.__name__).lower()
        if name in {*found, *WORDS, *_LEAVES, "kind"}:
            raise DuplicateError("words", name)
        found[name] = each
    return Plain(found)
