"""Columns of words as places in their enumeration, and folds over ragged columns of events.

A machine written out as numbers is one array: the code of a state plus the code of an event
is where the next state stands. Which numbers mean what is said by ``machines``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retention.mechanisms.errors import (
    InvalidValueError,
    UnequalColumnsError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.words import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.intp]

_FEW = 64  # entities below which a plain loop is faster than columns


def marked(small: np.dtype[Any]) -> int:
    """Return the bit of a type of codes that marks a refusal: its last one.

    >>> import numpy as np
    >>> marked(np.dtype(np.uint16))
    15
    """
    return int(small.itemsize) * 8 - 1


def folded(
    jumps: NDArray[Any], events: NDArray[Any], edges: Numbers, here: NDArray[Any]
) -> tuple[Numbers, Numbers]:
    """Fold the events of each entity into ``here``; return rows and codes of what was refused.

    Event ``i`` lies between the edges of its entity, ``here`` holds the codes of the states,
    ``jumps`` the next one of each code, with its last bit set where the event is refused; all
    are of one unsigned type. Entities that are at the same turn go together; the last few go
    one by one.

    >>> import numpy as np
    >>> swap = np.array([1, 0], np.uint8)  # two states, one event that leads to the other
    >>> here = np.array([0, 1, 0], np.uint8)
    >>> rows, codes = folded(swap, np.zeros(3, np.uint8), np.array([0, 1, 3, 3]), here)
    >>> here.tolist(), rows.tolist()
    ([1, 1, 0], [])
    """
    import numpy as np

    lengths = np.diff(edges)
    order = _longest_first(lengths)
    most = int(lengths.max(initial=0))
    busy = len(lengths) - np.cumsum(np.bincount(lengths, minlength=most + 1))
    turns = int(np.count_nonzero(busy >= _FEW))
    found = _together(jumps, events, (edges[:-1][order], order, busy[:turns]), here)
    table = jumps.tolist() if busy[turns] else []
    for entity in order[: busy[turns]].tolist():
        span = slice(int(edges[entity]) + turns, int(edges[entity + 1]))
        rows, codes = _alone(table, marked(jumps.dtype), events[span].tolist(), here, entity)
        found.append((rows + span.start, codes))
    nothing = np.empty(0, np.intp)
    rows, codes = (np.concatenate([nothing, *(x[side] for x in found)]) for side in (0, 1))
    return rows, codes


def _longest_first(lengths: Numbers) -> Numbers:
    """Order of falling lengths; sixteen bits are sorted by their digits."""
    import numpy as np

    most = int(lengths.max(initial=0))
    short = most - lengths
    return np.argsort(short.astype(np.uint16) if most < 2**16 else short, kind="stable")


def _together(
    jumps: NDArray[Any],
    events: NDArray[Any],
    entities: tuple[Numbers, Numbers, Numbers],
    here: NDArray[Any],
) -> list[tuple[Numbers, Numbers]]:
    """Fold turn by turn; ``entities`` are first events, places and the number of busy ones."""
    import numpy as np

    first, order, busy = entities
    states, mark = here[order], jumps.dtype.type(1 << marked(jumps.dtype))
    found = []
    for turn, many in enumerate(busy.tolist()):
        at, now = first[:many] + turn, states[:many]
        codes = events.take(at) + now
        jumps.take(codes, out=now, mode="clip")
        if now.max() >= mark:
            bad = np.flatnonzero(now >= mark)
            found.append((at[bad], codes[bad].astype(np.intp)))
            now &= ~mark
    here[order] = states
    return found


def _alone(
    table: list[int], bit: int, events: list[int], here: NDArray[Any], entity: int
) -> tuple[Numbers, Numbers]:
    """Fold what is left of one long entity; rows count from its first event."""
    import numpy as np

    mark, now = 1 << bit, int(here[entity])
    rows, codes = [], []
    for row, event in enumerate(events):
        then = table[now + event]
        if then >= mark:
            rows.append(row)
            codes.append(now + event)
            then -= mark
        now = then
    here[entity] = now
    return np.array(rows, np.intp), np.array(codes, np.intp)


def places(
    words: type[Word], given: ArrayLike, where: str, size: int | None = None
) -> NDArray[Any]:
    """Return places in an enumeration for words or places; one for all if a size is given.

    >>> class Door(Word):
    ...     OPEN = "open", "开"
    ...     SHUT = "shut", "关"
    >>> places(Door, ["shut", "open"], "states").tolist()
    [1, 0]
    """
    import numpy as np

    found = np.asarray(given)
    if found.dtype.kind not in "iu" and found.size:
        found = _looked_up(words, found, where)
    elif found.size and (found.min() < 0 or found.max() >= len(words)):
        raise InvalidValueError(where, int(found.max()), f"0 to {len(words) - 1}")
    if size is not None:
        found = np.broadcast_to(found, (size,)) if found.ndim == 0 else found
        if len(found) != size:
            raise UnequalColumnsError(where, {where: len(found), "entities": size})
    return found


def _looked_up(words: type[Word], given: NDArray[Any], where: str) -> Numbers:
    import numpy as np

    if given.dtype.kind not in "UTO":
        raise WrongTypeError(where, given.dtype.name, f"words of {words.__name__}, or places")
    names, known = given.astype(str), texts(words)
    order = np.argsort(known)
    place = order[np.minimum(np.searchsorted(known, names, sorter=order), len(known) - 1)]
    strange = known[place] != names
    if strange.any():
        raise UnknownNameError(where, str(names[strange][0]), known.tolist())
    return place


def texts(words: type[Word]) -> NDArray[Any]:
    """Return the codes of an enumeration in its order, as text."""
    import numpy as np

    return np.array([word.value for word in words])


def mask(given: ArrayLike, name: str, size: int) -> NDArray[np.bool_]:
    """Check a column of truths; a single one counts for all rows."""
    import numpy as np

    found = np.asarray(given)
    if found.dtype.kind != "b" and found.size:
        raise WrongTypeError(f"given[{name!r}]", found.dtype.name, "a column of truths")
    if found.ndim and len(found) != size:
        raise UnequalColumnsError("given", {name: len(found), "commands": size})
    return np.broadcast_to(found.astype(bool), (size,))


def edges_of(offsets: ArrayLike, size: int) -> Numbers:
    """Check that offsets cut all rows into runs that follow each other."""
    import numpy as np

    edges = np.asarray(offsets)
    fits = edges.dtype.kind in "iu" and edges.ndim == 1 and edges.size and edges[0] == 0
    if not fits or edges[-1] != size or (np.diff(edges.astype(np.intp)) < 0).any():
        raise InvalidValueError("offsets", edges.tolist()[:5], f"rising from 0 to {size}")
    return edges.astype(np.intp)
