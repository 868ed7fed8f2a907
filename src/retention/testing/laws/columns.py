"""One customer and many get the same answers, pinned or not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from retention.activity import History
from retention.ageing import Transition
from retention.classifications import Classification
from retention.dues import Dues
from retention.handbook import Handbook
from retention.lifecycle import Lifecycle
from retention.measures import measured
from retention.mechanisms.periods import AsOf, When, zone_of
from retention.mechanisms.policies import is_blank
from retention.segmentation import Segmentation
from retention.summaries import Summary
from retention.testing.laws.agreement import agree_by_customer
from retention.testing.laws.answers import (
    Population,
    bands_of,
    column_of,
    coming,
    compared,
    decided,
    facts_of,
    logs_of,
    names_of,
    pinned_by,
    told,
)


def one_equals_columns(handbook: Handbook, population: Population, *, as_of: When) -> None:
    """Every singular function answers as its plural does, with the same reasons.

    What the handbook leaves blank is not asked.
    """
    segmentation, lifecycle = handbook.segmentation, handbook.lifecycle
    if not is_blank(segmentation.layer_table):
        layer_equals_layers(segmentation, population, as_of=as_of)
        due_equals_dues(segmentation, population, as_of=as_of)
    if not is_blank(segmentation.rfm):
        rfm_cell_equals_rfm_cells(segmentation, population, as_of=as_of)
    for axis in segmentation.classifications:
        outcome_equals_outcomes(axis, population, as_of=as_of)
        due_equals_dues(axis, population, as_of=as_of)
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
    logs, everyone = logs_of(population), names_of(population)
    pinned = classification
    if not classification.pinned:
        pinned = classification.pin(*logs, as_of=as_of, customers=everyone)
    asked = {x.customer: pinned.outcome(x, as_of=as_of) for x in population}
    agree_by_customer(
        "outcome_equals_outcomes", f"as of {as_of}",
        outcome={name: told(one) for name, one in asked.items() if one.outcome is not None},
        outcomes=decided(pinned.outcomes(*logs, as_of=as_of, customers=everyone)),
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
    else:
        one = {x.customer: policy.due(x, as_of=as_of) for x in population}
        everyone = names_of(population)
        many = policy.dues(*logs, as_of=as_of, customers=everyone)
    agree_by_customer(
        "due_equals_dues", f"as of {as_of}",
        due={name: (x.on, x.left, x.entered) for name, x in one.items() if x is not None},
        dues=coming(many),
    )  # fmt: skip


def pinned_equals_unpinned(
    segmentation: Segmentation, population: Population, *, as_of: When
) -> None:
    """The pinned policy says of each customer of its base what the policy itself says."""
    logs = logs_of(population)
    pinned = segmentation.pin(*logs, as_of=as_of)
    layers, cells = (
        segmentation.layers(*logs, as_of=as_of), segmentation.rfm_cells(*logs, as_of=as_of)
    )  # fmt: skip
    buyers = _heard_of(pinned, population, as_of)
    asked = {x.customer: pinned.layer(x, as_of=as_of) for x in buyers}
    bands = {x.customer: pinned.rfm_cell(x, as_of=as_of).bands for x in buyers}
    inside = set(layers.customers.tolist())
    law, case = "pinned_equals_unpinned", f"as of {as_of}"
    agree_by_customer(
        law, case,
        pinned_layer={name: one.outcome for name, one in asked.items() if one.outcome is not None},
        layers={name: one.outcome for name, one in layers.to_rows()},
    )  # fmt: skip
    agree_by_customer(
        law, case,
        pinned_rfm_cell={name: found for name, found in bands.items() if name in inside},
        rfm_cells=bands_of(cells),
    )  # fmt: skip


def _heard_of(segmentation: Segmentation, population: Population, as_of: When) -> list[History]:
    """Those of whom a log knows something by then; columns cannot know of others."""
    point = segmentation.at(as_of)
    return [
        history
        for history in population
        if any(point.knows(fact.at) for facts in facts_of([history]) for fact in facts)
    ]
