"""What is compared: a piece of work, and the sides that do it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from attrs import field, frozen

import benchmarks

OURS = "retention"
Sums = tuple[float, ...]


@frozen
class Side:
    """One implementation. Only ``run`` is timed; it gets what ``prepare`` made for it.

    ``prepare(rows)`` returns the implementation's own native container, ``sums(result)`` the
    numbers in which all sides must agree. ``clock``, if given, replaces the clock around
    ``run``: it does the work once, elsewhere, and returns the seconds and the result; then
    the memory is not known.
    """

    name: str
    prepare: Callable[[int], Any]
    run: Callable[[Any], Any]
    sums: Callable[[Any], Sums]
    at_least: float | None = None  # target of the ratio
    memory_share: float | None = None  # target of our memory, as a share of theirs
    rows: int | None = None  # when a side cannot do as many as the others
    runs: int | None = None
    warm: bool = True
    clock: Callable[[Any], tuple[float, Any]] | None = None


@frozen
class Work:
    """One row of the table: our side, the peers, and what else we want printed."""

    name: str
    title: str
    rows: int
    ours: Side
    peers: tuple[Side, ...]
    also: tuple[Side, ...] = ()  # other ways to do it with us, so that nobody is fooled
    runs: int = 7
    rounds: int = 3  # processes per side, in turns, so that a disturbance meets all sides
    family: str = ""  # works of one family grow together and are grown once
    limit: Side | None = field(default=None)  # what no implementation can be faster than

    def side(self, name: str) -> Side:
        """Return a side by its name."""
        extra = () if self.limit is None else (self.limit,)
        sides: dict[str, Side] = {
            side.name: side for side in (self.ours, *self.peers, *self.also, *extra)
        }
        return sides[name]


@cache
def catalogue() -> dict[str, Work]:
    """Return all works by name; the files are found, not listed."""
    names = sorted(each.name for each in pkgutil.iter_modules(benchmarks.__path__))
    modules = [importlib.import_module(f"benchmarks.{x}") for x in names if x != "__main__"]
    works = [work for module in modules for work in getattr(module, "WORKS", ())]
    return {work.name: work for work in works}


def chosen(names: Iterable[str]) -> list[Work]:
    """Return the works with these names, or all."""
    found = catalogue()
    unknown = [name for name in names if name not in found]
    if unknown:
        raise SystemExit(f"no benchmark {', '.join(unknown)}; there are: {', '.join(found)}")
    return [found[name] for name in names] or list(found.values())
