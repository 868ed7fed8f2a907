"""What many members did as columns, and what tiers they have: for questions about all of them.

Bad columns are refused; identifiers are encoded once. How the tiers are found is in
``tier_rounds``, the facts of one member are in ``tier_changes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike, NDArray

from retention.logs import PurchaseLog
from retention.mechanisms.answers import Problem
from retention.mechanisms.decisions import said
from retention.mechanisms.errors import DuplicateError, UnequalColumnsError, UnknownNameError
from retention.mechanisms.periods import AsOf, day_of
from retention.mechanisms.tables import Head, Shown, Table, counted, headline
from retention.mechanisms.words import Language
from retention.summaries import Attributes
from retention.tier_changes import TierState
from retention.tier_terms import TierTerms

Days = NDArray[np.int64]

NO_END = 2**40  # a last day that no day reaches


@frozen(eq=False)
class TierColumns:
    """What many members did: since when they are members, purchases, points, attributes.

    ``points`` are member, day and points, day by day, what was taken back as less than 0.

    >>> log = PurchaseLog.from_columns(
    ...     customer=["a"], at=np.array(["2024-02-10"], "M8[D]"), amount_minor=[1_500_00]
    ... )
    >>> TierColumns.of(["a", "b"], since=np.array(["2024-01-01"] * 2, "M8[D]"), purchases=log)
    TierColumns(2 members, 1 purchases, 0 points)
    """

    members: NDArray[Any]
    since: Days
    purchases: PurchaseLog
    point_members: NDArray[np.intp]  # place of the member, per row
    point_days: Days
    points: NDArray[np.int64]
    attributes: Attributes | None = None
    on_record: Mapping[str, NDArray[Any]] | None = None  # the standings that the host keeps

    @classmethod
    def of(
        cls,
        member: ArrayLike,
        *,
        since: ArrayLike,
        purchases: PurchaseLog,
        point_member: ArrayLike = (),
        point_day: ArrayLike = (),
        points: ArrayLike = (),
        attributes: Attributes | None = None,
        on_record: Mapping[str, ArrayLike] | None = None,
    ) -> TierColumns:
        """Read columns; days are ``datetime64[D]`` or day numbers since 1970.

        ``on_record`` are the standings that the host keeps, one row a member in the order of
        ``member``: ``tier``, ``since``, ``valid_through`` (NaT: no end), and if there are any
        ``in_grace`` and ``locked_through``. Without them everybody begins on the lowest tier.
        """
        members, days = np.asarray(member), day_numbers(since)
        lengths = {"member": len(members), "since": len(days)}
        lengths |= {name: len(np.asarray(x)) for name, x in (on_record or {}).items()}
        if len(set(lengths.values())) > 1:
            raise UnequalColumnsError("TierColumns", lengths)
        order = np.argsort(members, kind="stable")
        members, days = members[order], days[order]
        kept = {name: np.asarray(x)[order] for name, x in (on_record or {}).items()}
        rows = day_numbers(point_day), np.asarray(points, np.int64), np.asarray(point_member)
        lengths = {"point_member": len(rows[2]), "point_day": len(rows[0]), "points": len(rows[1])}
        if len(set(lengths.values())) > 1:
            raise UnequalColumnsError("TierColumns", lengths)
        if (members[1:] == members[:-1]).any():
            raise DuplicateError("TierColumns.member", "a member")
        places = _places(members, rows[2])
        return cls(members, days, purchases, places, *rows[:2], attributes, kept or None)

    def __repr__(self) -> str:
        """Return sizes alone: ids of members do not belong into messages."""
        sizes = f"{len(self.purchases)} purchases, {len(self.points)} points"
        return f"TierColumns({len(self.members)} members, {sizes})"


@frozen(eq=False)
class MemberTiers(Shown):
    """The tier of every member, since when, and through which day; columns of equal length."""

    tiers: TierTerms = field(repr=False)
    as_of: AsOf
    members: NDArray[Any] = field(repr=False)
    ranks: NDArray[np.int64] = field(repr=False)  # place on the ladder, 0 the lowest
    since: Days = field(repr=False)
    valid_through: Days = field(repr=False)  # day numbers; a huge one where there is no end
    in_grace: NDArray[np.bool_] = field(repr=False)
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.members)

    def counts(self) -> dict[str, int]:
        """Members per tier, from the lowest to the highest, zeros included."""
        found = np.bincount(self.ranks, minlength=len(self.tiers.names)).tolist()
        return dict(zip(map(str, self.tiers.names), found, strict=True))

    def of(self, member: object) -> tuple[str, TierState, Any, Any]:
        """Return tier, state, first day and last day (None: no end) of one member."""
        found = np.flatnonzero(self.members == member)
        if not found.size:
            raise UnknownNameError("member", member, "a member of these columns")
        row = int(found[0])
        last = int(self.valid_through[row])
        end = None if last >= NO_END else day_of(last)
        state = TierState.IN_GRACE if self.in_grace[row] else TierState.HELD
        return str(self.tiers.names[self.ranks[row]]), state, day_of(int(self.since[row])), end

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: member, tier, since, valid_through (NaT: no end), in_grace."""
        ends = self.valid_through.astype("M8[D]")
        ends[self.valid_through >= NO_END] = np.datetime64("NaT")
        names = np.array([str(name) for name in self.tiers.names])
        return {
            "member": self.members,
            "tier": names[self.ranks],
            "since": self.since.astype("M8[D]"),
            "valid_through": ends,
            "in_grace": self.in_grace,
        }

    def __repr__(self) -> str:
        """Return sizes alone."""
        unit = f"members as of {self.as_of.day}"
        return headline("MemberTiers", len(self), unit, self.counts())

    def to_table(self, language: Language = "en") -> Table:
        """Return members per tier, from the lowest to the highest, with their share."""
        counts = zip(self.tiers.names, self.counts().values(), strict=True)
        return counted({said(tier, language): n for tier, n in counts}, Head.TIER, language)


def day_numbers(given: ArrayLike) -> Days:
    """Return days as numbers since 1970; a column of dates, or of such numbers."""
    column = np.asarray(given)
    if column.dtype.kind == "M":
        return column.astype("M8[D]").astype(np.int64)
    return np.asarray(column, np.int64)


def _places(members: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.intp]:
    """Return the row of each member that is named; all must be members."""
    if not len(wanted):
        return np.zeros(0, np.intp)
    found = np.minimum(np.searchsorted(members, wanted), len(members) - 1)
    strange = members[found] != wanted
    if strange.any():
        raise UnknownNameError("TierColumns", f"{int(strange.sum())} rows", "rows of members alone")
    return found
