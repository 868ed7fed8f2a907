"""What a handbook answers about some customers, customer by customer, ready to be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike

from retention.activity import History, Interaction, Purchase, Return
from retention.classifications import Classification
from retention.dues import Dues
from retention.logs import InteractionLog, PurchaseLog
from retention.mechanisms.decisions import Decision
from retention.mechanisms.outcomes import Outcomes
from retention.mechanisms.periods import When, day_of
from retention.segmentation import RfmCells, Segmentation
from retention.summaries import Attributes, Summary

Population = Sequence[History]
ByCustomer = Mapping[Any, object]


def logs_of(population: Population) -> tuple[PurchaseLog, InteractionLog]:
    """Return the facts of some customers as the two logs.

    >>> from datetime import date
    >>> logs_of([History("C-1", [Purchase("C-1", date(2024, 1, 1), 12_50)])])
    (PurchaseLog(1 rows, 1 customers), InteractionLog(0 rows, 0 customers))
    """
    money, contact = facts_of(population)
    return PurchaseLog.of(money), InteractionLog.of(contact)


def attributes_of(population: Population) -> Attributes | None:
    """Return what the host knows of some customers besides, None if it is nothing.

    >>> attributes_of([History("C-1", attributes={"industry": "retail"})]).columns["industry"][0]
    np.str_('retail')
    """
    rows = [dict(history.attributes) for history in population]
    columns: dict[str, ArrayLike] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        nothing = "" if any(isinstance(value, str) for value in values) else np.nan
        columns[name] = [nothing if value is None else value for value in values]
    if not columns:
        return None
    return Attributes.from_columns(customer=[x.customer for x in population], **columns)


def pinned_by(
    segmentation: Segmentation,
    logs: tuple[PurchaseLog, InteractionLog],
    as_of: When,
    attributes: Attributes | None = None,
) -> Segmentation:
    """Return the policy pinned to its own base, unless it is pinned already."""
    if segmentation.pinned:
        return segmentation
    layered = attrs.evolve(segmentation, classifications=())  # each of those is asked by itself
    return layered.pin(*logs, as_of=as_of, attributes=attributes)


def axis_pinned(
    axis: Classification[Any], population: Population, as_of: When
) -> Classification[Any]:
    """Return a classification pinned to the population, unless it is pinned already."""
    if axis.pinned:
        return axis
    return axis.pin(
        *logs_of(population),
        as_of=as_of,
        customers=names_of(population),
        attributes=attributes_of(population),
    )


def filled(axis: Classification[Any]) -> bool:
    """Whether no rule and no weight of a classification is blank."""
    return not axis.blanks()


def facts_of(population: Population) -> tuple[list[Purchase | Return], list[Interaction]]:
    """Return the facts of some customers, money and contact apart."""
    money: list[Purchase | Return] = []
    for history in population:
        money += [*history.purchases, *history.returns]
    return money, [fact for x in population for fact in x.interactions]


def names_of(population: Population) -> list[Any] | None:
    """Return the names of some customers, None for nobody."""
    return [history.customer for history in population] or None


def told(decision: Decision[Any]) -> tuple[object, ...]:
    """Outcome and reasons: all that a customer can be told."""
    return decision.outcome, *map(str, decision.reasons)


def decided(outcomes: Outcomes[Any]) -> ByCustomer:
    """Return outcome and reasons by customer."""
    return {name: told(decision) for name, decision in outcomes.decisions()}


def bands_of(cells: RfmCells) -> ByCustomer:
    """Return the three bands by customer."""
    columns = cells.to_columns()
    axes = (columns[name].tolist() for name in ("recency", "frequency", "monetary"))
    bands = zip(*axes, strict=True)
    return dict(zip(columns["customer"].tolist(), bands, strict=True))


def coming(dues: Dues[Any]) -> ByCustomer:
    """The day and what is left and entered, of those to whom something happens."""
    rows = zip(dues.customers.tolist(), dues.on, dues.current, dues.becomes, strict=True)
    names = dues.table.outcomes
    return {
        customer: (day_of(int(on.astype(np.int64))), names[now], names[becomes])
        for customer, on, now, becomes in rows
        if not np.isnat(on)
    }


def compared(columns: Mapping[str, Any]) -> ByCustomer:
    """Return both counts and the verdict by customer."""
    axes = (columns[name].tolist() for name in ("latest", "preceding", "reduced"))
    return dict(zip(columns["customer"].tolist(), zip(*axes, strict=True), strict=True))


def column_of(summary: Summary, name: str) -> ByCustomer:
    """Return one measure by customer, None where a value is missing."""
    values = (None if x != x else x for x in summary.column(name).tolist())  # noqa: PLR0124  NaN
    return dict(zip(summary.customers.tolist(), values, strict=True))
