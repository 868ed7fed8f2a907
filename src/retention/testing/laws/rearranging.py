"""In any order, whole or in parts: the answers are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import attrs
import numpy as np

from retention.activity import History, Interaction, Purchase, Return
from retention.aggregates import Run, Tally
from retention.handbook import Handbook
from retention.lifecycle import Lifecycle
from retention.logs import InteractionLog, PurchaseLog
from retention.measures import figure, is_measure
from retention.mechanisms.periods import AsOf, When, zone_of
from retention.mechanisms.policies import is_blank
from retention.mechanisms.rules import Rule
from retention.summaries import Summary
from retention.testing.laws.agreement import agree, agree_by_customer
from retention.testing.laws.answers import (
    ByCustomer,
    Population,
    attributes_of,
    bands_of,
    column_of,
    coming,
    compared,
    decided,
    facts_of,
    filled,
    names_of,
    pinned_by,
)
from retention.windows import Ever

T = TypeVar("T")
Facts = tuple[Sequence[Purchase | Return], Sequence[Interaction]]


def order_does_not_matter(
    handbook: Handbook, population: Population, *, as_of: When, seed: int = 0
) -> None:
    """Facts in another order, backwards or shuffled, give the same answers.

    What the handbook leaves blank is not asked.
    """
    money, contact = facts_of(population)
    before = _answers(handbook, money, contact, population, as_of)
    for how in ("backwards", "shuffled"):
        again = _answers(handbook, _turned(money, how, seed), _turned(contact, how, seed),
                         population, as_of)  # fmt: skip
        for question, answers in before.items():
            case = f"{question}, as of {as_of}, rows {how}"
            agree_by_customer(
                "order_does_not_matter", case, as_given=answers, turned=again[question]
            )
        for history in () if is_blank(handbook.lifecycle.stage_table) else population:
            _ask_turned(handbook.lifecycle, history, how, seed, as_of)


def union_is_merge(
    handbook: Handbook, population: Population, *, as_of: When, seed: int = 0
) -> None:
    """The summary of all facts is the merge of the summaries of two parts of them.

    Runs are not asked: they do not merge.
    """
    point = AsOf.at(as_of, zone_of(handbook.lifecycle.zone))
    names = _measures(handbook)
    money, contact = facts_of(population)
    chance = np.random.default_rng(seed)
    left, right = (chance.random(len(money)) < 1 / 2, chance.random(len(contact)) < 1 / 2)

    def summary(taken: bool | None) -> Summary:  # noqa: FBT001  None: everything
        bought = [x for x, side in zip(money, left, strict=True) if taken in {None, bool(side)}]
        others = [x for x, side in zip(contact, right, strict=True) if taken in {None, bool(side)}]
        return Summary.of(names, PurchaseLog.of(bought), InteractionLog.of(others), as_of=point)

    whole, merged = summary(None), summary(taken=True).merge(summary(taken=False))
    law = "union_is_merge"
    agree(law, f"the facts left out as of {as_of}", union=whole.left_out, merge=merged.left_out)
    for name in names:
        agree_by_customer(
            law,
            f"{name} as of {as_of}",
            union=column_of(whole, name),
            merge=column_of(merged, name),
        )


def update_is_whole(
    handbook: Handbook,
    population: Population,
    *,
    as_of: When,
    later: When | None = None,
    seed: int = 0,
) -> None:
    """The summary of all facts is that of some, brought up to date with the rest in two steps.

    Which facts come first is chance: the new ones are backdated, returns, of new customers.
    With ``later`` the second step also moves the point of view; it takes facts that were not
    known before, and asks for measures alone whose window stays. Runs are not asked.
    """
    law, zone = "update_is_whole", zone_of(handbook.lifecycle.zone)
    point = AsOf.at(as_of, zone)
    end = point if later is None else AsOf.at(later, zone)
    names = [x for x in _measures(handbook) if later is None or _stay(x, point, end)]
    steps = _in_steps(facts_of(population), point, seed, known=later is not None)

    def logs(*steps: Facts) -> tuple[PurchaseLog, InteractionLog]:
        return (
            PurchaseLog.of([x for money, _ in steps for x in money]),
            InteractionLog.of([x for _, contact in steps for x in contact]),
        )

    whole = Summary.of(names, *logs(*steps), as_of=end)
    updated = Summary.of(names, *logs(steps[0]), as_of=point).updated(*logs(steps[1]))
    updated = updated.updated(*logs(steps[2]), as_of=later)
    case = f"as of {as_of}" if later is None else f"as of {as_of}, then {later}"
    agree(law, f"the customers {case}", whole=whole.customers.tolist(),
          updated=updated.customers.tolist())  # fmt: skip
    agree(law, f"the facts left out {case}", whole=whole.left_out, updated=updated.left_out)
    for name in names:
        columns = {"whole": column_of(whole, name), "updated": column_of(updated, name)}
        agree_by_customer(law, f"{name} {case}", **columns)


def _in_steps(facts: Facts, point: AsOf, seed: int, *, known: bool) -> list[Facts]:
    """Deal facts to three steps; if asked, only the last gets what is not yet known."""
    chance = np.random.default_rng(seed)

    def step(fact: Purchase | Return | Interaction) -> int:
        return 2 if known and not point.knows(fact.at) else int(chance.integers(0, 3))

    money, contact = ([(x, step(x)) for x in facts[0]], [(x, step(x)) for x in facts[1]])
    return [([x for x, n in money if n == m], [x for x, n in contact if n == m]) for m in range(3)]


def _stay(name: str, before: AsOf, after: AsOf) -> bool:
    """Whether a measure counts from the same day on at both points of view, whatever happens."""
    tallies = [each for each in figure(name).aggregates if isinstance(each, Tally)]
    return all(isinstance(each.span, Ever) or before == after for each in tallies)


def _answers(
    handbook: Handbook,
    money: Sequence[Purchase | Return],
    contact: Sequence[Interaction],
    population: Population,
    as_of: When,
) -> dict[str, ByCustomer]:
    """Every plural answer of a handbook, customer by customer."""
    logs = PurchaseLog.of(money), InteractionLog.of(contact)
    asked: dict[str, Any] = {"as_of": as_of, "customers": names_of(population)}
    lifecycle, found = handbook.lifecycle, dict[str, ByCustomer]()
    segmentation = pinned_by(handbook.segmentation, logs, as_of)
    if not is_blank(segmentation.layer_table):
        found["layers"] = decided(segmentation.layers(*logs, as_of=as_of))
        found["dues of layers"] = coming(segmentation.dues(*logs, as_of=as_of))
    if not is_blank(segmentation.rfm):
        found["rfm_cells"] = bands_of(segmentation.rfm_cells(*logs, as_of=as_of))
    known = attributes_of(population)
    for axis in filter(filled, handbook.segmentation.classifications):
        found[axis.name] = decided(axis.outcomes(*logs, attributes=known, **asked))
    if not is_blank(lifecycle.stage_table):
        found["stages"] = decided(lifecycle.stages(*logs, **asked))
        found["dues of stages"] = coming(lifecycle.dues(*logs, **asked))
        found["interactings"] = compared(lifecycle.interactings(*logs, **asked))
    return found


def _ask_turned(lifecycle: Lifecycle, history: History, how: str, seed: int, as_of: When) -> None:
    other = attrs.evolve(
        history,
        purchases=_turned(history.purchases, how, seed),
        interactions=_turned(history.interactions, how, seed),
        returns=_turned(history.returns, how, seed),
    )
    case = f"customer {history.customer!r}, as of {as_of}, facts {how}"
    one, two = (
        (lifecycle.stage(x, as_of=as_of).outcome, lifecycle.due(x, as_of=as_of),
         lifecycle.timeline(x, until=as_of))
        for x in (history, other)
    )  # fmt: skip
    agree("order_does_not_matter", case, as_given=one, turned=two)


def _measures(handbook: Handbook) -> list[str]:
    """Measures that the rules ask for and that merge; amounts in place of their shares."""
    rules = [entry.value for entry in handbook.values() if isinstance(entry.value, Rule)]
    asked = [name for rule in rules for name in rule.measures() if is_measure(name)]
    if not is_blank(handbook.segmentation.rfm):  # bands name their measure beside their limits
        asked += [name for table in handbook.segmentation.rfm.tables for name in table.measures]
    amounts = dict.fromkeys(figure(name).share_of or name for name in asked)
    return [x for x in amounts if not any(isinstance(y, Run) for y in figure(x).aggregates)]


def _turned(facts: Sequence[T], how: str, seed: int) -> list[T]:
    if how == "backwards":
        return list(facts)[::-1]
    return [facts[n] for n in np.random.default_rng(seed).permutation(len(facts))]
