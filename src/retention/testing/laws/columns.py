"""One customer and many get the same answers, pinned or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from retention.activity import History
from retention.ageing import Transition
from retention.classifications import Classification
from retention.dues import Dues
from retention.handbook import Handbook
from retention.lifecycle import Lifecycle
from retention.measures import measured
from retention.mechanisms.decisions import Decision
from retention.mechanisms.outcomes import Outcomes
from retention.mechanisms.periods import AsOf, When, zone_of
from retention.mechanisms.policies import is_blank
from retention.scores import Scored
from retention.segmentation import Segmentation
from retention.summaries import Summary
from retention.testing.laws.agreement import agree_by_customer
from retention.testing.laws.answers import (
    Population,
    attributes_of,
    axis_pinned,
    bands_of,
    column_of,
    coming,
    compared,
    decided,
    facts_of,
    filled,
    logs_of,
    names_of,
    pinned_by,
    told,
)
from retention.testing.laws.tags import tags_one_equals_columns


def one_equals_columns(handbook: Handbook, population: Population, *, as_of: When) -> None:
    """Every singular function answers as its plural does, with the same reasons.

    What the handbook leaves blank is not asked; when a score changes next is not foretold.
    """
    segmentation, lifecycle = handbook.segmentation, handbook.lifecycle
    if not is_blank(segmentation.layer_table):
        layer_equals_layers(segmentation, population, as_of=as_of)
        due_equals_dues(segmentation, population, as_of=as_of)
    if not is_blank(segmentation.rfm):
        rfm_cell_equals_rfm_cells(segmentation, population, as_of=as_of)
    for axis in filter(filled, segmentation.classifications):
        outcome_equals_outcomes(axis, population, as_of=as_of)
        if not isinstance(axis, Scored):
            due_equals_dues(axis, population, as_of=as_of)
    if not is_blank(segmentation.tags) and not segmentation.tags.blanks():
        tags_one_equals_columns(segmentation.tags, population, as_of=as_of)
    if not is_blank(lifecycle.stage_table):
        stage_equals_stages(lifecycle, population, as_of=as_of)
        interacting_equals_interactings(lifecycle, population, as_of=as_of)
        due_equals_dues(lifecycle, population, as_of=as_of)


def measure_equals_column(
    names: Iterable[str], population: Population, *, as_of: When, zone: str = "Asia/Shanghai"
) -> None:
    """Measures taken from one history are those taken from columns."""
    point, names = AsOf.at(as_of, zone_of(zone)), list(names)
    summary = Summary.of(names, *logs_of(population), as_of=point, customers=names_of(population))
    one = {x.customer: measured(x, names, point) for x in population}
    for name in names:
        agree_by_customer(
            "measure_equals_column", f"{name} as of {as_of}",
            measured={customer: found[name] for customer, found in one.items()},
            column=column_of(summary, name),
        )  # fmt: skip


def outcome_equals_outcomes(
    classification: Classification[Any], population: Population, *, as_of: When
) -> None:
    """``outcome`` of one customer is what ``outcomes`` says of them, for the same reasons."""
    pinned = axis_pinned(classification, population, as_of)
    asked = {x.customer: pinned.outcome(x, as_of=as_of) for x in population}
    many = pinned.outcomes(
        *logs_of(population),
        as_of=as_of,
        customers=names_of(population),
        attributes=attributes_of(population),
    )
    agree_by_customer(
        "outcome_equals_outcomes", f"{classification.name} as of {as_of}",
        outcome={name: told(one) for name, one in asked.items() if one.outcome is not None},
        outcomes=decided(many),
    )  # fmt: skip


def layer_equals_layers(segmentation: Segmentation, population: Population, *, as_of: When) -> None:
    """``layer`` of one customer is what ``layers`` says of them, for the same reasons."""
    logs = logs_of(population)
    pinned = pinned_by(segmentation, logs, as_of)
    asked = {x.customer: pinned.layer(x, as_of=as_of) for x in _heard_of(pinned, population, as_of)}
    agree_by_customer(
        "layer_equals_layers", f"as of {as_of}",
        layer={name: told(one) for name, one in asked.items() if one.outcome is not None},
        layers=decided(pinned.layers(*logs, as_of=as_of)),
    )  # fmt: skip


def rfm_cell_equals_rfm_cells(
    segmentation: Segmentation, population: Population, *, as_of: When
) -> None:
    """``rfm_cell`` of one customer of the population is what ``rfm_cells`` says of them."""
    logs = logs_of(population)
    pinned = pinned_by(segmentation, logs, as_of)
    cells = bands_of(pinned.rfm_cells(*logs, as_of=as_of))
    asked = {x.customer: pinned.rfm_cell(x, as_of=as_of).bands for x in population}
    inside = {name: bands for name, bands in asked.items() if name in cells}
    agree_by_customer(
        "rfm_cell_equals_rfm_cells", f"as of {as_of}", rfm_cell=inside, rfm_cells=cells
    )


def stage_equals_stages(lifecycle: Lifecycle, population: Population, *, as_of: When) -> None:
    """``stage`` of one customer is what ``stages`` says of them, for the same reasons."""
    logs, everyone = logs_of(population), names_of(population)
    agree_by_customer(
        "stage_equals_stages", f"as of {as_of}",
        stage={x.customer: told(lifecycle.stage(x, as_of=as_of)) for x in population},
        stages=decided(lifecycle.stages(*logs, as_of=as_of, customers=everyone)),
    )  # fmt: skip


def interacting_equals_interactings(
    lifecycle: Lifecycle, population: Population, *, as_of: When
) -> None:
    """``interacting`` of one customer is what ``interactings`` says of them."""
    logs, everyone = logs_of(population), names_of(population)
    asked = {x.customer: lifecycle.interacting(x, as_of=as_of) for x in population}
    agree_by_customer(
        "interacting_equals_interactings", f"as of {as_of}",
        interacting={n: (one.latest, one.preceding, one.reduced) for n, one in asked.items()},
        interactings=compared(lifecycle.interactings(*logs, as_of=as_of, customers=everyone)),
    )  # fmt: skip


def due_equals_dues(
    policy: Segmentation | Lifecycle | Classification[Any], population: Population, *, as_of: When
) -> None:
    """``due`` of one customer is what ``dues`` says of them: the day, and what is entered."""
    logs = logs_of(population)
    one: dict[Any, Transition[Any] | None]
    if isinstance(policy, Segmentation):
        pinned = pinned_by(policy, logs, as_of)
        buyers = _heard_of(pinned, population, as_of)
        one = {x.customer: pinned.due(x, as_of=as_of) for x in buyers}
        many: Dues[Any] = pinned.dues(*logs, as_of=as_of)
    elif isinstance(policy, Lifecycle):
        one = {x.customer: policy.due(x, as_of=as_of) for x in population}
        many = policy.dues(*logs, as_of=as_of, customers=names_of(population))
    else:
        axis, everyone = axis_pinned(policy, population, as_of), names_of(population)
        one = {x.customer: axis.due(x, as_of=as_of) for x in population}
        known = attributes_of(population)
        many = axis.dues(*logs, as_of=as_of, customers=everyone, attributes=known)
    agree_by_customer(
        "due_equals_dues", f"as of {as_of}",
        due={name: (x.on, x.left, x.entered) for name, x in one.items() if x is not None},
        dues=coming(many),
    )  # fmt: skip


def pinned_equals_unpinned(
    segmentation: Segmentation, population: Population, *, as_of: When
) -> None:
    """The pinned policy says of each customer of its base what the policy itself says.

    What the handbook leaves blank is not asked.
    """
    logs, known = logs_of(population), attributes_of(population)
    pinned = segmentation.pin(*logs, as_of=as_of, attributes=known)
    buyers = _heard_of(pinned, population, as_of)
    law, case = "pinned_equals_unpinned", f"as of {as_of}"
    if not is_blank(segmentation.layer_table):
        agree_by_customer(
            law, case,
            pinned_layer=_inside({x.customer: pinned.layer(x, as_of=as_of) for x in buyers}),
            layers=_outcomes(segmentation.layers(*logs, as_of=as_of)),
        )  # fmt: skip
    if not is_blank(segmentation.rfm):
        cells = bands_of(segmentation.rfm_cells(*logs, as_of=as_of))
        bands = {x.customer: pinned.rfm_cell(x, as_of=as_of).bands for x in buyers}
        inside = {name: found for name, found in bands.items() if name in cells}
        agree_by_customer(law, case, pinned_rfm_cell=inside, rfm_cells=cells)
    for axis in filter(filled, segmentation.classifications):
        one = pinned.classification(axis.name)
        agree_by_customer(
            law, f"{axis.name} {case}",
            pinned_outcome=_inside({x.customer: one.outcome(x, as_of=as_of) for x in buyers}),
            outcomes=_outcomes(axis.outcomes(*logs, as_of=as_of, attributes=known)),
        )  # fmt: skip


def _inside(asked: Mapping[Any, Decision[Any]]) -> dict[Any, object]:
    return {name: one.outcome for name, one in asked.items() if one.outcome is not None}


def _outcomes(found: Outcomes[Any]) -> dict[Any, object]:
    return {name: one.outcome for name, one in found.decisions()}


def _heard_of(segmentation: Segmentation, population: Population, as_of: When) -> list[History]:
    """Those of whom a log knows something by then; columns cannot know of others."""
    point = segmentation.at(as_of)
    return [
        history
        for history in population
        if any(point.knows(fact.at) for facts in facts_of([history]) for fact in facts)
    ]
