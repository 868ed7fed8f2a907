"""What a policy needs of a frame: its measures, the columns behind them, and its zone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from retention import measures
from retention.aggregates import Aggregate
from retention.classifications import Classification
from retention.frames._quantities import column_of, parts
from retention.handbook import Handbook
from retention.lifecycle import Lifecycle
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.periods import AsOf
from retention.mechanisms.policies import is_blank
from retention.mechanisms.rules import Rule
from retention.segmentation import Segmentation
from retention.tags import TagLibrary

Measured = (
    Handbook | Segmentation | Lifecycle | Classification[Any] | TagLibrary | Rule | Iterable[str]
)

AS_OF = "as_of"  # the point of view, beside every row of a summary


def wanted(policy: Measured) -> tuple[tuple[str, ...], str]:
    """Return the measures that a policy needs, amounts in place of shares, and its zone."""
    match policy:
        case Handbook():
            both = wanted(policy.segmentation), wanted(policy.lifecycle)
            return tuple(dict.fromkeys(both[0][0] + both[1][0])), both[0][1]
        case Segmentation():
            return _names(x for axis in axes_of(policy) for x in axis.needs), policy.zone
        case Lifecycle():
            return _names(policy.stage_table.measures), policy.zone
        case Classification():
            return _names(policy.needs), policy.zone
        case TagLibrary():
            axes = [tag_axis(policy, rule.when) for rule in policy.rules]
            return _names(x for axis in axes for x in axis.needs), policy.zone
        case Rule():
            return _names(policy.measures()), ""
        case str():
            return _names([policy]), ""
        case _:
            return _names(policy), ""


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if measures.is_measure(name)))


def zone_name(own: str, given: str | None) -> str:
    """Return the zone whose days are counted: the policy's own, or the one that was given."""
    if own and given and own != given:
        raise InvalidValueError("zone", given, f"none: the policy has its own, {own}")
    if not own and not given:
        raise InvalidValueError("zone", given, "the zone whose days are counted")
    return own or str(given)


def axes_of(policy: Segmentation) -> list[Classification[Any]]:
    """Return layers and bands of a segmentation as axes; its classifications are asked alone."""
    axes = []
    if not is_blank(policy.layer_table):
        axes.append(policy.classification("layers"))
    if not is_blank(policy.rfm):
        axes += [
            Classification(name, table, policy.population, policy.ranking, policy.zone)
            for name, table in zip(LETTERS, policy.rfm.tables, strict=True)
        ]
    return axes


LETTERS = ("recency", "frequency", "monetary")


def tag_axis(library: TagLibrary, rule: Rule) -> Classification[bool]:
    """Return one rule of a library as an axis over its population."""
    table = FirstMatch((Case(True, rule),), otherwise=False)
    return Classification("tag", table, library.population, zone=library.zone)


def aggregates_of(names: Iterable[str]) -> dict[str, Aggregate]:
    """Return the aggregates behind some measures by the names of their columns."""
    found = (each for name in names for each in parts(_unshared(name)))
    return {column_of(each): each for each in found}


def _unshared(name: str) -> measures.Figure:
    return measures.figure(measures.share_of(name) or name)


def as_of_text(point: AsOf) -> str:
    """Return a point of view as the summary writes it beside every row."""
    when = point.day if point.instant is None else point.instant
    return f"{when.isoformat()} {point.zone.key}"
