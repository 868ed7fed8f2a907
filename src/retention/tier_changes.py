"""What happens to the tier of a member: the facts, and where a member stands after them.

A change of tier is a fact like any other: past tense, stored by the host, folded into a
standing (SM-12). Which changes the rules make is decided by ``tiers``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar

import attrs
from attrs import field, frozen

from retention.activity import History
from retention.earning import whole
from retention.mechanisms.acts import Fact
from retention.mechanisms.decisions import Decision
from retention.mechanisms.machines import Machine
from retention.mechanisms.words import Word
from retention.tier_gaps import Gap


class TierState(Word):
    """Where a member stands on the ladder (SM-12)."""

    HELD = "held", "有效"
    IN_GRACE = "in_grace", "宽限中"


class TierMove(Word):
    """What happens to a tier (SM-12)."""

    UP = "up", "升级"
    BUY = "buy", "积分升级"
    KEEP = "keep", "保级"
    GRACE = "grace", "宽限"
    DOWN = "down", "降级"
    SET = "set", "授权调整"


TIER = Machine(
    "SM-12",
    TierState,
    TierMove,
    """
    held/in_grace  -up->     held      [upgrade_condition]
    held/in_grace  -buy->    held      [points]
    held/in_grace  -keep->   held      [retention_condition]  (at the end of the validity)
    held           -grace->  in_grace  [grace_days]
    held/in_grace  -down->   held      [retention_failed]  (one step, or to what is met)
    held/in_grace  -set->    held      [approver]  (status match, lock, correction)
    """,
)
"""The tier of a member as a machine; the position on the ladder stands in the changes."""


class TierEvent(Word):
    """The one kind of fact that a ladder knows."""

    TIER_CHANGED = "tier_changed", "等级变更"


@frozen
class TierChange(Fact):
    """A tier was entered, kept, extended or left (E-04, E-05).

    ``on`` is the first day that it holds, ``valid_through`` the last one; None has no end.
    """

    name: ClassVar[TierEvent] = TierEvent.TIER_CHANGED

    member: str | int
    move: TierMove
    left: str
    entered: str
    valid_through: date | None = None
    locked_through: date | None = None  # the tier cannot be lost before
    cause: str = ""  # in words: the rule that held or failed, the price, the override


def _pairs(given: Iterable[tuple[date, int]]) -> tuple[tuple[date, int], ...]:
    return tuple((day, whole(points, "points", least=-(2**62))) for day, points in given)


def _changes(given: Iterable[TierChange]) -> tuple[TierChange, ...]:
    return tuple(given)


@frozen
class TierFacts:
    """What a ladder is asked about: since when a member is one, what they did, their changes."""

    member: str | int
    since: date  # the local day of the approval
    history: History = field(repr=False)
    points: tuple[tuple[date, int], ...] = field(default=(), converter=_pairs, repr=False)
    changes: tuple[TierChange, ...] = field(default=(), converter=_changes, repr=False)


@frozen
class Standing:
    """The tier of one member on a day, since when, until when, and what comes next.

    ``to_keep`` and ``to_rise`` are alternatives, each a list of gaps; one alternative without
    gaps means that nothing is missing, no alternative that there is nothing to keep or reach.
    """

    tier: str
    state: TierState
    since: date
    valid_through: date | None
    locked_through: date | None
    decision: Decision[Any] = field(repr=False)
    new_changes: tuple[TierChange, ...] = ()  # by rule, not on record yet
    falls_to: str = ""
    next_tier: str = ""
    to_keep: tuple[tuple[Gap, ...], ...] = ()
    to_rise: tuple[tuple[Gap, ...], ...] = ()
    currency: str = ""

    def explain(self) -> str:
        """Return one line: the tier, its end, what is missing to keep it and to rise."""
        currency = self.currency
        end = f" until {self.valid_through}" if self.valid_through else ""
        parts = [f"{self.tier}{end}" + (" (grace)" if self.state is TierState.IN_GRACE else "")]
        for what, gaps in ((f"to keep {self.tier}", self.to_keep), (self._rise, self.to_rise)):
            if gaps:
                parts.append(f"{what}: {_either(gaps, currency)}")
        return "; ".join(parts)

    @property
    def _rise(self) -> str:
        return f"to rise to {self.next_tier}"

    def __str__(self) -> str:
        """Return the line."""
        return self.explain()


def _either(alternatives: tuple[tuple[Gap, ...], ...], currency: str) -> str:
    texts = (", ".join(gap.text(currency) for gap in gaps) for gaps in alternatives)
    return " or ".join(text or "nothing is missing" for text in texts)


def after(here: Standing, change: TierChange) -> Standing:
    """Return the standing after a change; trusts it."""
    grace = change.move is TierMove.GRACE
    return attrs.evolve(
        here,
        tier=change.entered,
        state=TierState.IN_GRACE if grace else TierState.HELD,
        since=change.on,
        valid_through=change.valid_through,
        locked_through=change.locked_through,
    )
