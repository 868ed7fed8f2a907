"""Customer ids of rows as codes: who occurs, in order, and for every row the number of its own.

Ids are encoded once; everything after works on the codes. Whole numbers and text stay apart:
7 and "7" are not the same customer. Which rows are kept is not decided here.

Small numbers are their own codes, and so is text whose characters differ in few places, such
as C00017. All other ids are thrown into a table by a hash, and every row is compared with the
one that it finds there; those that differ are thrown again. So a hash costs time when it is
bad, and is never believed: whatever is left after some rounds is sorted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike, NDArray

from retention.mechanisms.errors import InvalidValueError, UnequalColumnsError, WrongTypeError

_NUMBERS = "whole numbers below 2**63, or text"
_TEXT = "text, or whole numbers, in every row; '' where there is none"
_CODES = "for every row the place of its id in customers, or -1 where there is none"
_BLOCK = 16_384  # rows that stay in the cache
_LETTERS = 64  # characters beyond which a row is not made as wide as the longest id
_MANY = 256  # rows that are looked at as one, so that the loops over columns are long
_BYTES = 8  # of a word
_MIX = 0x9E3779B97F4A7C15  # odd, bits without a pattern
_WORD, _HALF = 2**64, 2**31

Word64 = NDArray[np.uint64]
Rows = NDArray[np.intp]


@frozen(eq=False)
class Identifiers:
    """Encoded ids, one a row.

    Text may be numpy's of fixed or of any length, bytes of UTF-8, or Python's own. Data engines
    hold text as a dictionary and codes; :meth:`coded` takes those as they are, so that nothing
    is encoded twice. Give the result to a log in place of the column.

    >>> Identifiers.of(["b", "a", "b"])
    Identifiers(3 rows, 2 customers)
    >>> known = Identifiers.coded(customers=["b", "unused", "a"], codes=[2, 0, 2])
    >>> known.customers.tolist(), known.codes.tolist()
    (['a', 'b'], [0, 1, 0])
    """

    customers: NDArray[Any]  # sorted, each once, each used
    codes: Rows

    @classmethod
    def of(cls, column: ArrayLike | Identifiers) -> Identifiers:
        """Encode a column; one that is encoded already stays as it is."""
        if isinstance(column, Identifiers):
            return column
        return cls(*_encoded(_column(column)))

    @classmethod
    def coded(cls, *, customers: ArrayLike, codes: ArrayLike) -> Identifiers:
        """Take a dictionary and the place in it of every row's id; -1 is no id.

        The dictionary may be in any order, and hold what no row uses.
        """
        names, places = _column(customers), np.asarray(codes)
        if places.dtype.kind not in "iu" or places.ndim != 1:
            raise WrongTypeError("codes", places.dtype, _CODES)
        if not places.size:
            return cls(*_encoded(names[:0]))
        if not -1 <= places.min() <= places.max() < len(names):
            raise InvalidValueError("codes", "a place beyond the customers", _CODES)
        if places.min() < 0:
            names, places = _with_nobody(names, places)
        used = np.zeros(len(names), bool)
        used[places] = True
        found, numbers = _encoded(names if used.all() else names[used])
        numbers = numbers if used.all() else numbers[np.cumsum(used) - 1]
        return cls(found, numbers[places])

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.codes)

    def __repr__(self) -> str:
        """Return the size alone: ids of customers do not belong into messages."""
        return f"Identifiers({len(self)} rows, {len(self.customers)} customers)"

    @property
    def nameless(self) -> NDArray[np.bool_] | None:
        """Rows without an id (None: there are none); empty text comes first in the order."""
        if self.customers.dtype.kind != "U" or not len(self.customers) or self.customers[0]:
            return None
        found: NDArray[np.bool_] = self.codes == 0
        return found

    def kept(self, rows: NDArray[np.bool_] | None) -> Identifiers:
        """Return the ids of the rows that were not set aside."""
        if rows is None:
            return self
        return Identifiers.coded(customers=self.customers, codes=self.codes[rows])


def encode(ids: NDArray[Any]) -> tuple[NDArray[Any], Rows]:
    """Return the identifiers that occur, sorted, and for every row the number of its own.

    >>> encode(np.array(["b", "a", "b"]))
    (array(['a', 'b'], dtype='<U1'), array([1, 0, 1]))
    """
    if not ids.size:
        return ids, np.zeros(0, np.intp)
    return _numbers(ids) if ids.dtype.kind == "i" else _fixed_text(ids)


def united(groups: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], list[Rows]]:
    """Return all identifiers of some groups, sorted, and where each group's own are among them.

    >>> everyone, places = united([np.array([7, 9]), np.array([8, 7])])
    >>> everyone.tolist(), [place.tolist() for place in places]
    ([7, 8, 9], [[0, 2], [1, 0]])
    """
    if {group.dtype.kind for group in groups} == {"i", "U"}:
        raise InvalidValueError("customers", "numbers in one log, text in another", "one kind")
    everyone, places = encode(np.concatenate(groups))
    return everyone, np.split(places, np.cumsum([len(group) for group in groups])[:-1])


# --- what may stand for a customer ----------------------------------------------------------------


def _column(column: ArrayLike) -> NDArray[Any]:
    ids = np.asarray(column)
    if ids.ndim != 1:
        raise UnequalColumnsError("log", {"customer": ids.shape})
    if isinstance(column, Sequence) and ids.dtype.kind == "U" and not _all(str, column):
        raise WrongTypeError("customer", "text among other kinds", _TEXT)
    return ids


def _encoded(ids: NDArray[Any]) -> tuple[NDArray[Any], Rows]:
    match ids.dtype.kind:
        case "i" | "U":
            return encode(ids)
        case _ if not ids.size:
            return encode(ids.astype("U1"))
        case "u":
            return encode(signed(ids, "customer", _NUMBERS))
        case "S":
            customers, codes = _fixed_text(ids)
            return _utf8(customers), codes
        case "O":
            return _objects(ids.tolist())
        case "T":
            return _flexible(ids)
    raise WrongTypeError("customer", ids.dtype, _TEXT)


def signed(column: NDArray[Any], where: str, allowed: str) -> NDArray[np.int64]:
    """Return whole numbers as 64 bits with a sign; nothing is wrapped around.

    >>> signed(np.array([7], "uint8"), "customer", "whole numbers").dtype
    dtype('int64')
    """
    if column.dtype.kind == "i" or not column.size:
        return column.astype(np.int64, copy=False)
    kind = column.dtype.kind
    if kind != "u" and not (kind == "O" and all(isinstance(x, int) for x in column.tolist())):
        raise WrongTypeError(where, column.dtype, allowed)
    if not -(2**63) <= column.min() <= column.max() < 2**63:
        raise InvalidValueError(where, "a number beyond 64 bits", allowed)
    return column.astype(np.int64)


def _objects(values: list[Any]) -> tuple[NDArray[Any], Rows]:
    """Encode Python's own values."""
    if _all(str, values):
        return _texts(values)
    if not _all(int, values):
        raise WrongTypeError("customer", "object", _TEXT)
    return encode(signed(np.array(values, object), "customer", _NUMBERS))


def _texts(values: list[str]) -> tuple[NDArray[Any], Rows]:
    """Encode text of any length; the width of the longest is not paid for every row."""
    longest = max(map(len, values))
    if longest <= _LETTERS:
        return encode(np.array(values, f"U{max(longest, 1)}"))
    number = {value: place for place, value in enumerate(dict.fromkeys(values))}
    customers, again = encode(np.array(list(number), "U"))
    return customers, again[np.fromiter(map(number.__getitem__, values), np.intp, len(values))]


def _flexible(ids: NDArray[Any]) -> tuple[NDArray[Any], Rows]:
    """Encode numpy's text of any length."""
    if hasattr(ids.dtype, "na_object"):  # it may hold what is no text
        return _objects(ids.tolist())
    longest = int(np.strings.str_len(ids).max())
    if longest > _LETTERS:
        return _texts(ids.tolist())
    return encode(ids.astype(f"U{max(longest, 1)}"))


def _utf8(customers: NDArray[Any]) -> NDArray[Any]:
    """Return bytes as text; the order of UTF-8 is the order of its characters."""
    try:
        return customers.astype("U")  # fast, for ASCII alone
    except UnicodeDecodeError:
        pass
    try:
        return np.strings.decode(customers, "utf-8")
    except UnicodeDecodeError as cause:
        raise WrongTypeError("customer", "bytes", "text, or bytes of UTF-8") from cause


def _all(kind: type, values: Iterable[object]) -> bool:
    """Whether all are of one kind; true and false are no numbers here."""
    return all(issubclass(each, kind) and each is not bool for each in set(map(type, values)))


def _with_nobody(names: NDArray[Any], places: Rows) -> tuple[NDArray[Any], Rows]:
    """Give rows without an id an empty one; numbers have none."""
    if names.size and names.dtype.kind in "iu":
        raise InvalidValueError("codes", -1, "a number of a customer in every row")
    nobody = np.array([""], names.dtype if names.dtype.kind in "OT" else "U1")
    known = names if names.size else nobody[:0]
    return np.concatenate([known, nobody]), np.where(places < 0, len(known), places)


# --- numbers --------------------------------------------------------------------------------------


def _numbers(ids: NDArray[Any]) -> tuple[NDArray[Any], Rows]:
    low, high = int(ids.min()), int(ids.max())
    if low >= 0 and high < _few(ids.size):  # small numbers are their own codes
        seen = np.zeros(high + 1, bool)
        seen[ids] = True
        if seen.all():
            return np.arange(high + 1, dtype=ids.dtype), ids.astype(np.intp, copy=False)
        return np.flatnonzero(seen).astype(ids.dtype), (np.cumsum(seen) - 1)[ids]
    words = ids.astype(np.int64, copy=False).view(np.uint64)
    leaders, codes = _grouped([words ^ np.uint64(2**63)])  # so that negative ones are first
    return ids[leaders], codes


def _few(rows: int) -> int:
    """Numbers below this are few enough for a table with a place for each."""
    return 4 * rows + 1024


# --- text of fixed width --------------------------------------------------------------------------


def _fixed_text(ids: NDArray[Any]) -> tuple[NDArray[Any], Rows]:
    letters = _letters(ids)
    places = _places(letters)
    leaders, codes = _grouped(_words(letters)) if places is None else _placed(places)
    return ids[leaders], codes


def _letters(ids: NDArray[Any]) -> NDArray[Any]:
    """Characters as numbers of as few bytes as they need, a row an id."""
    size = 1 if ids.dtype.kind == "S" else 4
    native = np.ascontiguousarray(ids, ids.dtype.newbyteorder("="))
    points = native.view(f"u{size}").reshape(len(ids), max(ids.dtype.itemsize // size, 1))
    for needed in (1, 2):
        if needed < size and (found := _narrowed(points, needed)) is not None:
            return found
    return points


def _narrowed(points: NDArray[Any], size: int) -> NDArray[Any] | None:
    """Return characters in so many bytes; None if one does not fit."""
    found = np.empty(points.shape, f"u{size}")
    for rows in _blocks(len(points)):
        if points[rows].max() >= 256**size:
            return None
        found[rows] = points[rows]
    return found


def _places(letters: NDArray[Any]) -> Rows | None:
    """Ids as numbers in the same order, where the characters differ in few places; else None."""
    low, high = (ends.tolist() for ends in _ends(letters))
    differing = [(n, high[n] - low[n] + 1) for n in range(len(low)) if high[n] > low[n]]
    if prod(size for _, size in differing) > _few(len(letters)):
        return None
    sizes = [size for _, size in differing]
    least, most = (_number([ends[n] for n, _ in differing], sizes) for ends in (low, high))
    kind = np.int32 if most < _HALF else np.int64  # half the width is almost twice as fast
    found = np.empty(len(letters), np.intp)
    for rows in _blocks(len(letters)):
        columns = [letters[rows, n] for n, _ in differing]
        number = _number(columns, sizes, np.zeros(rows.stop - rows.start, kind))
        found[rows] = number - least
    return found


def _number(digits: Sequence[Any], sizes: list[int], number: Any = 0) -> Any:  # noqa: ANN401
    """Read digits as a number, each place of another size."""
    for digit, size in zip(digits, sizes, strict=True):
        number *= size
        number += digit
    return number


def _ends(letters: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lowest and highest number of every column; many rows are looked at as one long row."""
    rows, width = letters.shape
    many = _MANY if rows >= _MANY else 1
    long = letters[: rows - rows % many].reshape(-1, many * width)
    rest = letters[rows - rows % many :]
    low = np.concatenate([long.min(axis=0).reshape(many, width), rest]).min(axis=0)
    high = np.concatenate([long.max(axis=0).reshape(many, width), rest]).max(axis=0)
    return low.astype(np.int64), high.astype(np.int64)


def _words(letters: NDArray[Any]) -> list[Word64]:
    """Cut ids into words of eight bytes whose order is theirs; the last may overlap another."""
    rows, width = len(letters), letters.dtype.itemsize * letters.shape[1]
    high_first = letters.astype(letters.dtype.newbyteorder(">"), copy=False)
    text = high_first.view(np.uint8).reshape(rows, width)
    if width < _BYTES:
        text, width = np.pad(text, ((0, 0), (0, _BYTES - width))), _BYTES
    starts = [*range(0, width - _BYTES, _BYTES), width - _BYTES]
    views = (np.ndarray(rows, ">u8", text, start, (width,)) for start in starts)
    return [view.astype(np.uint64) for view in views]


# --- equal ids ------------------------------------------------------------------------------------


def _placed(places: Rows) -> tuple[Rows, Rows]:
    """One row of every number, in their order, and the code of every row, in its place."""
    row_of = np.full(int(places.max()) + 1, -1, np.intp)
    for rows in _blocks(len(places)):
        row_of[places[rows]] = np.arange(rows.start, rows.stop)
    found = np.flatnonzero(row_of >= 0)
    return row_of[found], _numbered(found, len(row_of), places)


def _grouped(words: list[Word64]) -> tuple[Rows, Rows]:
    """One row of every id, in the order of their words, and the code of every row."""
    leader = _leaders(words)
    own = np.empty(len(leader), bool)
    for rows in _blocks(len(leader)):
        np.equal(leader[rows], np.arange(rows.start, rows.stop), out=own[rows])
    found = np.flatnonzero(own)
    found = found[_in_order([word[found] for word in words])]
    return found, _numbered(found, len(leader), leader)


def _numbered(found: Rows, size: int, places: Rows) -> Rows:
    """Put in place of every value its place among those found."""
    number = np.empty(size, np.intp)
    number[found] = np.arange(len(found))
    for rows in _blocks(len(places)):
        places[rows] = number.take(places[rows])
    return places


def _blocks(size: int) -> Iterator[slice]:
    """Rows in blocks: what is made on the way stays in the cache."""
    for start in range(0, size, _BLOCK):
        yield slice(start, min(start + _BLOCK, size))


def _leaders(words: list[Word64]) -> Rows:
    """For every row one row with the same words, the same for all of them."""
    leader = _met(words)
    left = others = _others(words, leader)
    settled = 2 * len(left) <= len(leader)
    while settled and left.size:
        words = [word[others] for word in words]
        met = _met(words)
        leader[left] = left[met]
        others = _others(words, met)
        settled = 2 * len(others) <= len(left)
        left = left[others]
    words = [word[others] for word in words]  # of which the hash does not tell enough: sort them
    order = np.lexsort(words[::-1])
    begins = _begins([word[order] for word in words])
    leader[left[order]] = left[order[begins]][np.cumsum(begins) - 1]
    return leader


def _met(words: list[Word64]) -> Rows:
    """Throw rows into a table; return the row that each finds there, the last of its place."""
    size = len(words[0])
    bits = size.bit_length()  # about as many places as rows
    table, met = np.empty(1 << bits, np.intp), np.empty(size, np.intp)
    for rows in _blocks(size):
        mixed = _hash([word[rows] for word in words], size)
        met[rows] = mixed >> np.uint64(64 - bits)
        table[met[rows]] = np.arange(rows.start, rows.stop)
    for rows in _blocks(size):
        met[rows] = table.take(met[rows])
    return met


def _hash(words: list[Word64], salt: int) -> Word64:
    """Mix words into one; the high bits are the good ones, another salt mixes another way."""
    mixed = words[0] * _factor(salt)
    for place, word in enumerate(words[1:], 1):
        mixed += word * _factor(salt + place)
    return mixed


def _factor(number: int) -> np.uint64:
    return np.uint64(pow(_MIX, 2 * number + 1, _WORD))


def _others(words: list[Word64], met: Rows) -> Rows:
    """Rows that found a row with other words."""
    differ = np.zeros(len(met), bool)
    for rows in _blocks(len(met)):
        for word in words:
            differ[rows] |= word.take(met[rows]) != word[rows]
    return np.flatnonzero(differ)


def _in_order(words: list[Word64]) -> Rows:
    """Sort by the first word, and where that does not tell, by all."""
    order = np.argsort(words[0])
    if len(words) == 1:
        return order
    first = words[0][order]
    equal = np.flatnonzero(first[1:] == first[:-1])
    if equal.size:
        tied = np.union1d(equal, equal + 1)
        rows = order[tied]
        order[tied] = rows[np.lexsort([word[rows] for word in words[::-1]])]
    return order


def _begins(words: list[Word64]) -> NDArray[np.bool_]:
    begins = np.zeros(len(words[0]), bool)
    begins[:1] = True
    for word in words:
        begins[1:] |= word[1:] != word[:-1]
    return begins
