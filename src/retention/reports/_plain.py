"""An assessment as plain data: numbers, texts, lists and dicts, ready for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from retention.mechanisms.policies import plain
from retention.reports._voice import Voice

if TYPE_CHECKING:
    from retention.handbook import Assessment
    from retention.lifecycle import Stage
    from retention.mechanisms.answers import Problem
    from retention.mechanisms.decisions import Decision, FirstMatch
    from retention.mechanisms.outcomes import Movement, Outcomes
    from retention.mechanisms.periods import When

DUE_DAYS = 30  # how far ahead a report looks
EXAMPLES = 10  # how many customers it explains

_EN, _ZH = Voice("en"), Voice("zh")


def data(
    assessment: Assessment,
    *,
    timeline: Mapping[When, Mapping[Stage, int]] | None = None,
) -> dict[str, Any]:
    """Return everything a report says as plain data; amounts are whole minor units.

    >>> from datetime import date
    >>> from retention import PurchaseLog, assess
    >>> from retention.presets import ecommerce
    >>> log = PurchaseLog.from_columns(customer=["a"], at=[date(2024, 6, 1)], amount=[12.5])
    >>> found = data(assess(ecommerce, log, as_of=date(2024, 6, 30)))
    >>> found["layers"]["new"]["customers"], found["layers"]["new"]["spend_minor"]
    (1, 1250)
    >>> found["explained"][0]["reasons"]["layer"]["en"]
    'new: days since the first purchase 29 is ≤ 30'
    """
    handbook = assessment.handbook
    return {
        "as_of": str(assessment.as_of),
        "handbook": handbook.name,
        "title": {"en": handbook.title, "zh": handbook.title_zh},
        "fingerprint": handbook.fingerprint(),
        "currency": assessment.currency,
        "customers": len(assessment.stages),
        "purchases": assessment.purchases,
        "layers": _outcomes(assessment.layers),
        "stages": _outcomes(assessment.stages),
        "rfm": _rfm(assessment),
        "timeline": _timeline(timeline or {}),
        "movement": _movements(assessment),
        "due": _due(assessment),
        "explained": list(_explained(assessment)),
        "assumed": [
            {"path": each.path, "value": plain(each.value), "source": each.source.clause}
            for each in handbook.assumed()
        ],
        "problems": [_problem(each) for each in assessment.problems],
        "left_out": assessment.left_out,
    }


def _outcomes(found: Outcomes[Any]) -> dict[str, Any]:
    counts, spend = found.counts(), found.totals("spend_minor")
    all_customers, all_spend = sum(counts.values()), sum(spend.values())
    rows = {case.outcome: case for case in found.table.cases}
    return {
        str(outcome): {
            **_names(outcome),
            "customers": counts[outcome],
            "customers_share": _share(counts[outcome], all_customers),
            "spend_minor": spend[outcome],
            "spend_share": _share(spend[outcome], all_spend),
            "rule": None if outcome not in rows else str(rows[outcome].when),
            **_upkeep(rows.get(outcome)),
        }
        for outcome in found.table.outcomes
    }


def _upkeep(case: object) -> dict[str, Any]:
    """Goal and key actions, where a row of the handbook has them."""
    goal, actions = getattr(case, "goal", None), getattr(case, "actions", ())
    if goal is None:
        return {}
    return {
        "goal": {"key": str(goal), **_names(goal)},
        "actions": [{"key": str(each), **_names(each)} for each in actions],
    }


def _names(outcome: object) -> dict[str, str]:
    return {"en": _EN.name(outcome), "zh": _ZH.name(outcome)}


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _rfm(assessment: Assessment) -> dict[str, Any]:
    rfm = assessment.rfm
    axes = {"recency": rfm.recency, "frequency": rfm.frequency, "monetary": rfm.monetary}
    return {
        "bands": {name: list(_bands(axis.table)) for name, axis in axes.items()},
        "cells": [
            {"recency": r, "frequency": f, "monetary": m, "customers": number}
            for (r, f, m), number in rfm.counts().items()
        ],
    }


def _bands(table: FirstMatch[int]) -> Iterator[dict[str, Any]]:
    rules = {case.outcome: str(case.when) for case in table.cases}
    for band in table.outcomes:
        yield {"band": band, "rule": rules.get(band)}


def _timeline(timeline: Mapping[When, Mapping[Stage, int]]) -> list[dict[str, Any]]:
    return [
        {"day": str(day), "stages": {str(stage): number for stage, number in counts.items()}}
        for day, counts in timeline.items()
    ]


def _movements(assessment: Assessment) -> dict[str, Any] | None:
    if assessment.layers_moved is None or assessment.stages_moved is None:
        return None
    return {
        "since": str(assessment.since),
        "layers": _movement(assessment.layers_moved),
        "stages": _movement(assessment.stages_moved),
    }


def _movement(moved: Movement[Any]) -> list[dict[str, Any]]:
    """Every pair that occurs, those who stayed included."""
    return [
        {"from": _key(was), "to": _key(now), "customers": number}
        for (was, now), number in moved.counts().items()
    ]


def _key(outcome: object) -> str | None:
    return None if outcome is None else str(outcome)


def _due(assessment: Assessment) -> dict[str, Any]:
    changes = assessment.due.within(DUE_DAYS, assessment.stages.as_of)
    return {
        "days": DUE_DAYS,
        "changes": [
            {"from": str(was), "to": str(now), "customers": number}
            for (was, now), number in changes.items()
        ],
    }


def _explained(assessment: Assessment) -> Iterator[dict[str, Any]]:
    for customer, layer, stage in assessment.examples(EXAMPLES):
        yield {
            "customer": customer,
            "layer": str(layer.outcome),
            "stage": str(stage.outcome),
            "reasons": {"layer": _reasons(layer), "stage": _reasons(stage)},
            "measures": {**stage.row, **layer.row},
            "due": _next(assessment, customer),
        }


def _reasons(decision: Decision[Any]) -> dict[str, str]:
    return {"en": _EN.explain(decision), "zh": _ZH.explain(decision)}


def _next(assessment: Assessment, customer: object) -> dict[str, str] | None:
    change = next_change(assessment, customer)
    if change is None:
        return None
    day, left, entered = change
    return {"on": day, "from": str(left), "to": str(entered)}


def next_change(assessment: Assessment, customer: object) -> tuple[str, Stage, Stage] | None:
    """Day on which the stage of a customer changes by itself, what it is and what it becomes."""
    due = assessment.due
    row = int((due.customers == customer).argmax())
    day = str(due.on[row])
    if day == "NaT":
        return None
    return day, due.table.outcomes[due.current[row]], due.table.outcomes[due.becomes[row]]


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "code": str(problem.code),
        "rows": list(problem.rows),
        "given": problem.given,
        "allowed": problem.allowed,
        "en": problem.text("en"),
        "zh": problem.text("zh"),
    }
