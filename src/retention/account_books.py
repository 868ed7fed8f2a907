"""What accounts of points are made of: their terms, their currencies, the log in chunks.

Facts take effect in the order of their local day and instant; a fact with a date alone begins
its day. Those of one moment stay in the order of the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cached_property

from attrs import frozen

from retention.lots import NONE, Lots
from retention.mechanisms.makers import maker
from retention.mechanisms.periods import When, in_utc
from retention.points import PointsFact

_DAWN = datetime.min.replace(tzinfo=UTC)  # of a fact with a date alone


@frozen(weakref_slot=False)  # so that it has a maker
class Terms:
    """What an account keeps of the policy under which it was opened.

    A hold keeps its deadline and a lot its days, whatever the policy becomes; a hold that is
    open, and reminders, do not follow a policy change until the account is replayed under it.
    """

    id: str
    zone: str
    reminder_days: int
    fingerprint: str


@frozen(weakref_slot=False)  # so that it has a maker
class Book:
    """One currency of an account."""

    currency: str
    lots: Lots = NONE
    debt: int = 0
    slides: int = 0  # day ordinal: what expires with inactivity is unusable from then on
    lapses: tuple[int, ...] = ()  # earlier such days, on which it did expire


@frozen(slots=False)  # the names are found once, when somebody looks for one
class Chunk:
    """Some facts of a log, and the names under which they are looked up."""

    facts: tuple[PointsFact, ...]

    @cached_property
    def names(self) -> frozenset[str]:
        """All their names."""
        return frozenset(name for fact in self.facts for name in fact.names)


def place(fact: PointsFact) -> tuple[date, datetime]:
    """Sort key of the order of effect: the local day, and the instant within it."""
    return fact.on, _within(fact.at)


def _within(at: When) -> datetime:
    return in_utc(at) if isinstance(at, datetime) else _DAWN


def in_order(facts: Sequence[PointsFact]) -> Sequence[PointsFact]:
    """Return facts in the order of their effect; those of one moment as they were recorded."""
    last: PointsFact | None = None
    for fact in facts:
        if last is not None and comes_before(fact.at, fact.on, last):
            return sorted(facts, key=place)
        last = fact
    return facts


def comes_before(at: When, on: date, last: PointsFact) -> bool:
    """Whether a moment lies before that of a fact."""
    if on != last.on:
        return on < last.on
    if type(at) is date and type(last.at) is date:
        return False
    return _within(at) < _within(last.at)


make_book = maker(Book)
make_terms = maker(Terms)
