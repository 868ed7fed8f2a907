"""Tamper evidence for logs: each entry's digest holds that of the entry before (A-45).

A chain shows the first entry that was changed, removed or put in. It cannot show that the end
was cut off, so the head is given out and kept elsewhere. Nothing here is secret: whoever can
rewrite the log and every kept head can rewrite the past.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Any, cast

import attrs
from attrs import frozen

START = "0" * 64
"""What stands before the first entry."""


@frozen
class Checked:
    """What a check of a chain found: the first broken link, or none."""

    entries: int
    head: str
    broken_at: int | None = None  # place of the first entry that is not what it was, from 1

    @property
    def whole(self) -> bool:
        """Whether no link is broken."""
        return self.broken_at is None


def chain(entries: Iterable[object], *, after: str = START) -> Iterator[str]:
    """Return the digest of each entry with all before it; ``after`` goes on from a head.

    >>> first, second = chain(["earned 5", "redeemed 3"])
    >>> list(chain(["redeemed 3"], after=first)) == [second]
    True
    """
    head = after
    for entry in entries:
        text = json.dumps([head, _plain(entry)], ensure_ascii=False, separators=(",", ":"))
        head = hashlib.sha256(text.encode()).hexdigest()
        yield head


def head_of(entries: Iterable[object]) -> str:
    """Return the digest of a whole log, to be kept elsewhere."""
    head = START
    for head in chain(entries):  # noqa: B007  the last one
        pass
    return head


def check(entries: Iterable[object], digests: Sequence[str], *, head: str = "") -> Checked:
    """Compare a log with the digests that were stored, and with a head that was kept elsewhere.

    >>> log = ["earned 5", "redeemed 3", "earned 1"]
    >>> kept = list(chain(log))
    >>> check(log, kept).whole, check(["earned 5", "redeemed 2", "earned 1"], kept).broken_at
    (True, 2)
    >>> check(log[:2], kept[:2], head=kept[-1]).broken_at
    3
    """
    number, last = 0, START
    for number, last in enumerate(chain(entries), 1):
        if number > len(digests) or digests[number - 1] != last:
            return Checked(number, last, number)
    cut = number < len(digests) or (head and head != last)
    return Checked(number, last, number + 1 if cut else None)


def _plain(value: Any) -> Any:  # noqa: ANN401  whatever an entry holds
    """Return a value as JSON holds it; the same value gives the same text in every process."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, date):  # an instant too
        return value.isoformat()
    if attrs.has(type(value)):
        names = [each.name for each in attrs.fields(cast("Any", type(value)))]
        return [type(value).__name__, *([name, _plain(getattr(value, name))] for name in names)]
    if isinstance(value, Mapping):
        return [[str(key), _plain(each)] for key, each in sorted(value.items())]
    if isinstance(value, Iterable):
        return [_plain(each) for each in value]
    return str(value)
