"""Pinning on any engine: distinct amounts with their counts are all that a share needs.

Whether somebody is within the first x % depends on the amount alone, so the engine counts each
amount, the counts come here, and the result equals ``policy.pin(log)``. No ranks over the whole
frame are made: engines of SQL would put every row into one task for that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs
import narwhals.stable.v2 as nw
import numpy as np
from attrs import field, frozen

from retention import measures
from retention.classifications import Classification
from retention.frames._native import Frame, collected, opened, stacked
from retention.frames._needs import axes_of, tag_axis
from retention.frames._rules import expression
from retention.frames._summaries import summary
from retention.grades import Graded
from retention.mechanisms import ranks
from retention.mechanisms.errors import InvalidValueError, WrongTypeError
from retention.mechanisms.periods import AsOf, When, zone_of
from retention.mechanisms.policies import is_blank
from retention.mechanisms.ranks import Population, Ties
from retention.scores import Scored
from retention.segmentation import Rfm, Segmentation
from retention.tags import TagLibrary

if TYPE_CHECKING:
    from numpy.typing import NDArray

Pinned = TypeVar("Pinned", Segmentation, Classification[Any], TagLibrary)


def pin(frame: Any, policy: Pinned, *, as_of: When, **columns: Any) -> Pinned:  # noqa: ANN401
    """Turn every limit on a share of the population into a limit on an amount, in the engine.

    The result equals ``policy.pin(log, as_of=as_of)``. ``columns`` are those of
    :func:`retention.frames.summary`. One aggregation runs; what travels here is one row for
    every distinct amount.

    >>> import polars as pl
    >>> from datetime import date
    >>> from retention.presets import ecommerce
    >>> bought = pl.LazyFrame(
    ...     {"customer": range(10), "amount_minor": range(100, 110), "at": [date(2024, 6, 1)] * 10}
    ... )
    >>> published = pin(bought, ecommerce.segmentation, as_of=date(2024, 6, 30))
    >>> str(published.layer_table.cases[1].when.parts[2]), str(published.pinned)
    ('spend_minor >= 108', '2024-06-30, 10 customers')
    """
    point = AsOf.at(as_of, zone_of(policy.zone))
    axes = list(_axes(policy))
    wanted = [(axis, share) for axis in axes for share in axis.shares]
    found = _populations(frame, wanted, point, columns) if wanted else []
    by_axis = [
        {share: found[n] for n, (other, share) in enumerate(wanted) if other is axis}
        for axis in axes
    ]
    when = point.instant or point.day
    pinned = [_pinned(axis, base, when) for axis, base in zip(axes, by_axis, strict=True)]
    return cast("Pinned", _together(policy, pinned))


def _axes(policy: Any) -> Iterable[Classification[Any]]:  # noqa: ANN401
    """The axes of a policy that may limit shares, in a fixed order."""
    if isinstance(policy, TagLibrary):
        return [tag_axis(policy, rule.when) for rule in policy.rules if not is_blank(rule.when)]
    if isinstance(policy, Segmentation | Classification) and policy.pinned is not None:
        raise InvalidValueError("pin", policy.pinned, "a policy that still limits shares")
    for each in getattr(policy, "classifications", (policy,)):
        _check_scores(each)
    if isinstance(policy, Segmentation):
        return [*axes_of(policy), *policy.classifications]
    if isinstance(policy, Classification):
        return [policy]
    raise WrongTypeError("policy", type(policy).__name__, "a segmentation, classification or tags")


def _check_scores(axis: Any) -> None:  # noqa: ANN401
    """Refuse what ranks by scores: a score is no plain sum of the engine."""
    if not isinstance(axis, Scored):
        return
    by_rank = any(factor.rank_steps and not factor.reached for factor in axis.scoring.factors)
    own = f"{axis.scoring.name}_share"
    if by_rank or own in (name for case in _filled(axis) for name in case.when.measures()):
        allowed = "amounts; pin a score with its own pin(frames.purchases(frame), as_of=...)"
        raise InvalidValueError("pin in a frame", axis.name, allowed)


def _filled(axis: Classification[Any]) -> list[Any]:
    return [case for case in axis.table.cases if not is_blank(case.when)]


def _together(policy: Any, pinned: list[Any]) -> Any:  # noqa: ANN401
    """Put pinned axes back into the policy that they came from."""
    if isinstance(policy, TagLibrary):
        left = iter(pinned)
        rules = (
            rule if is_blank(rule.when) else attrs.evolve(rule, when=_rule_of(next(left)))
            for rule in policy.rules
        )
        return attrs.evolve(policy, rules=tuple(rules))
    if isinstance(policy, Classification):
        return pinned[0]
    parts: dict[str, Any] = {}
    number = len(pinned) - len(policy.classifications)
    own, others = pinned[:number], pinned[number:]
    if not is_blank(policy.layer_table):
        parts["layers"] = own.pop(0).table
    if not is_blank(policy.rfm):
        parts["rfm"] = Rfm(*(axis.table for axis in own))
    return attrs.evolve(policy, **parts, classifications=tuple(others))


def _rule_of(axis: Classification[bool]) -> Any:  # noqa: ANN401
    return axis.table.cases[0].when


def _pinned(
    axis: Classification[Any], populations: dict[str, Population], when: When
) -> Classification[Any]:
    if not populations:
        return axis
    asked = axis.ranked.shares if isinstance(axis, Graded) else axis.shares
    table = axis.table
    if asked:
        table = table.pin({share: populations[share] for share in asked}, when)
    if not isinstance(axis, Graded):
        return attrs.evolve(axis, table=table)
    criteria = tuple(attrs.evolve(x, when=ranks.pin(x.when, populations)) for x in axis.criteria)
    return attrs.evolve(axis, table=table, criteria=criteria)


# --- populations from counts ---------------------------------------------------------------------


def _populations(
    frame: Any,  # noqa: ANN401
    wanted: list[tuple[Classification[Any], str]],
    point: AsOf,
    columns: dict[str, Any],
) -> list[Population]:
    """Measure once, count the distinct amounts of every share, and collect them together."""
    names = dict.fromkeys(name for axis, share in wanted for name in _needs(axis, share))
    when = point.instant or point.day
    zone = point.zone.key
    measured = opened(summary(frame, tuple(names), as_of=when, zone=zone, **columns))
    counted = [_counts(measured, axis, share, n, point) for n, (axis, share) in enumerate(wanted)]
    rows = collected(stacked(counted))
    which, amount, tie, many = (
        np.asarray(rows[name].to_numpy(), np.int64) for name in (_WHICH, _AMOUNT, _TIE, _MANY)
    )
    return [
        _population(axis, share, *(column[which == n] for column in (amount, tie, many)))
        for n, (axis, share) in enumerate(wanted)
    ]


_WHICH, _AMOUNT, _TIE, _MANY = "_which", "_amount", "_tie", "_many"


def _needs(axis: Classification[Any], share: str) -> list[str]:
    people = [] if axis.population is None else list(axis.population.measures())
    ties = [_orders(share)] if axis.ranking.ties is Ties.BY_FREQUENCY else []
    return [*people, measures.share_of(share), *ties]


def _orders(share: str) -> str:
    return "purchases" + share.partition("_share")[2]


def _counts(
    measured: Frame, axis: Classification[Any], share: str, number: int, point: AsOf
) -> Frame:
    """How many customers of the population have each amount, and each tie breaker beside it."""
    if axis.population is not None:
        measured = measured.filter(expression(axis.population, measured, point))
    by_frequency = axis.ranking.ties is Ties.BY_FREQUENCY
    tie = nw.col(_orders(share)) if by_frequency else nw.lit(0).cast(nw.Int64)
    pairs = measured.select(nw.col(measures.share_of(share)).alias(_AMOUNT), tie.alias(_TIE))
    counted = pairs.group_by(_AMOUNT, _TIE).agg(nw.len().alias(_MANY))
    which = nw.lit(number).cast(nw.Int64).alias(_WHICH)
    return counted.select(which, _AMOUNT, _TIE, nw.col(_MANY).cast(nw.Int64))


def _population(
    axis: Classification[Any],
    share: str,
    amounts: NDArray[np.int64],
    ties: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> Population:
    by_frequency = axis.ranking.ties is Ties.BY_FREQUENCY
    order = np.lexsort((ties, amounts))[::-1]
    base = _Counted(amounts[order], ties[order], counts[order])
    return _CountedPopulation(
        measures.share_of(share),
        cast("Any", base),
        _orders(share) if by_frequency else "",
        ties if by_frequency else None,
        axis.ranking.rounding,
    )


@frozen(eq=False)
class _Counted:
    """Distinct amounts from the largest on, with how many customers have each."""

    amounts: NDArray[np.int64] = field(repr=False)
    ties: NDArray[np.int64] = field(repr=False)
    counts: NDArray[np.int64] = field(repr=False)

    def __len__(self) -> int:
        return int(self.counts.sum())

    def at(self, rank: int) -> tuple[int, int]:
        """Return amount and tie breaker of the customer with this rank."""
        row = int(np.searchsorted(np.cumsum(self.counts), rank))
        return int(self.amounts[row]), int(self.ties[row])


@frozen(eq=False)
class _CountedPopulation(Population):
    """A population of which only the counts have travelled."""

    def _at(self, rank: int) -> tuple[Any, Any]:
        amount, tie = cast("_Counted", self.amounts).at(rank)
        return amount, None if self.tie_values is None else tie
