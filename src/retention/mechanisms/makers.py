"""Make a frozen value without its checks, where what goes in was checked before.

A frozen class pays for every field that it sets. On the path of one command that is most of
the time, so the values that a decision makes by the million are filled while they still are
of a twin class that lets itself be filled, and frozen by becoming the class itself.
"""

from __future__ import annotations

from collections.abc import Callable
from types import new_class
from typing import Any, TypeVar, cast

import attrs

T = TypeVar("T")


def maker(cls: type[T]) -> Callable[..., T]:
    """Return a function that makes values of a frozen class from all its fields, by name.

    It checks nothing, converts nothing and knows no defaults. The class has slots; weak
    references, if any, are kept by a class above it (``weakref_slot=False``).

    >>> from retention.mechanisms.answers import Accepted
    >>> make = maker(Accepted)
    >>> make(state="assigned", facts=(), requests=()) == Accepted("assigned")
    True
    """
    names = [each.name for each in attrs.fields(cast("Any", cls))]
    inside: dict[str, Any] = {
        "__slots__": cls.__dict__["__slots__"],
        "__setattr__": object.__setattr__,
        "__delattr__": object.__delattr__,
        "__hash__": None,
    }
    bases = cls.__dict__.get("__orig_bases__", cls.__bases__)
    twin = new_class(f"_{cls.__name__}Twin", bases, exec_body=lambda space: space.update(inside))
    lines = [f"def make({', '.join(names)}):", "    it = new(twin)"]
    lines += [f"    it.{name} = {name}" for name in names]
    lines += ["    it.__class__ = cls", "    return it"]
    space: dict[str, Any] = {"new": object.__new__, "twin": twin, "cls": cls}
    exec("\n".join(lines), space)  # noqa: S102  as attrs itself makes its constructors
    return cast("Callable[..., T]", space["make"])
