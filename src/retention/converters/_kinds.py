"""What can be stored, by name: kinds of records and enumerations, and where they live."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

VERSION = 1  # of every kind; one that changes gets a number of its own, and a reader of the old

KINDS: Mapping[str, str] = {
    "purchase": "activity.Purchase",
    "return": "activity.Return",
    "interaction": "activity.Interaction",
    "history": "activity.History",
    "times": "logs.Times",
    "purchase_log": "logs.PurchaseLog",
    "interaction_log": "logs.InteractionLog",
    "reason": "mechanisms.answers.Reason",
    "problem": "mechanisms.answers.Problem",
    "accepted": "mechanisms.answers.Accepted",
    "refused": "mechanisms.answers.Refused",
    "rule": "mechanisms.rules.Rule",
    "measure": "mechanisms.rules.Measure",
    "case": "mechanisms.decisions.Case",
    "layer_case": "segmentation.LayerCase",
    "first_match": "mechanisms.decisions.FirstMatch",
    "bands": "mechanisms.decisions.Bands",
    "decision": "mechanisms.decisions.Decision",
    "ranking": "mechanisms.ranks.Ranking",
    "population": "mechanisms.ranks.Population",
    "rfm": "segmentation.Rfm",
    "rfm_cell": "segmentation.RfmCell",
    "rfm_cells": "segmentation.RfmCells",
    "pin": "mechanisms.ranks.Pin",
    "segmentation": "segmentation.Segmentation",
    "classification": "classifications.Classification",
    "factor": "scores.Factor",
    "scoring": "scores.Scoring",
    "scored": "scores.Scored",
    "contribution": "scores.Contribution",
    "score": "scores.Score",
    "scores": "scores.Scores",
    "criterion": "grades.Criterion",
    "graded": "grades.Graded",
    "check": "grades.Check",
    "standing": "grades.Standing",
    "standings": "grades.Standings",
    "service_case": "grades.ServiceCase",
    "regrading": "regrading.Regrading",
    "grade_assessment": "regrading.GradeAssessment",
    "recorded_grades": "regrading.RecordedGrades",
    "grade_change": "regrading.GradeChange",
    "grade_changes": "regrading.GradeChanges",
    "head": "grading.Head",
    "working_group": "grading.WorkingGroup",
    "publication_terms": "publications.PublicationTerms",
    "publication_publish": "publications.Publish",
    "publication_acknowledge": "publications.Acknowledge",
    "publication_supersede": "publications.Supersede",
    "publication_published": "publications.Published",
    "publication_acknowledged": "publications.Acknowledged",
    "publication_superseded": "publications.Superseded",
    "grade_publication": "publications.GradePublication",
    "grading_process": "grading.GradingProcess",
    "grading_analyse": "grading.Analyse",
    "grading_reanalyse": "grading.Reanalyse",
    "grading_submit": "grading.Submit",
    "grading_approve": "grading.Approve",
    "grading_reject": "grading.Reject",
    "grading_activate": "grading.Activate",
    "grading_analysed": "grading.Analysed",
    "grading_reanalysed": "grading.Reanalysed",
    "grading_submitted": "grading.Submitted",
    "grading_approved": "grading.Approved",
    "grading_rejected": "grading.Rejected",
    "grading_activated": "grading.Activated",
    "review_round": "grading.ReviewRound",
    "grading_batch": "grading.Batch",
    "grading": "grading.Grading",
    "grading_delivery": "grading_inputs.Delivery",
    "grading_covered": "grading_inputs.Covered",
    "grading_coverage": "grading_inputs.Coverage",
    "grading_input": "grading_inputs.GradingInput",
    "tag_rule": "tags.TagRule",
    "tag_library": "tags.TagLibrary",
    "tag_evaluate": "tags.Evaluate",
    "tag_evaluated": "tag_sheets.Evaluated",
    "tag_finding": "tag_sheets.Finding",
    "tag_assignment": "tag_sheets.Assignment",
    "tag_sheet": "tag_sheets.TagSheet",
    "tag_diff": "tag_sheets.TagDiff",
    "overdue_tag": "tag_sheets.Overdue",
    "tagged": "tags.Tagged",
    "tag_moves": "tags.TagMoves",
    "tag_columns": "tags.TagColumns",
    "reason_learnt": "reasons.ReasonLearnt",
    "adjustment": "reasons.Adjustment",
    "reason_report": "reasons.ReasonReport",
    "proposal": "proposals.Proposal",
    "outcome_changed": "classifications.OutcomeChanged",
    "reduction": "lifecycle.Reduction",
    "wake_up": "lifecycle.WakeUp",
    "lifecycle": "lifecycle.Lifecycle",
    "interacting": "lifecycle.Interacting",
    "reactivation": "lifecycle.Reactivation",
    "contact": "lifecycle.Contact",
    "handled": "lifecycle.Handled",
    "handling_step": "lifecycle.HandlingStep",
    "transition": "ageing.Transition",
    "handbook": "handbook.Handbook",
    "source": "mechanisms.policies.Source",
    "entry": "mechanisms.policies.Entry",
    "difference": "mechanisms.policies.Difference",
    "machine": "mechanisms.machines.Machine",
    "step": "mechanisms.machines.Step",
    "trial": "mechanisms.machines.Trial",
    "gap": "mechanisms.gaps.Gap",
    "money": "mechanisms.money.Money",
    "estimate": "mechanisms.estimates.Estimate",
    "held": "mechanisms.timelines.Held",
    "timeline": "mechanisms.timelines.Timeline",
    "window": "mechanisms.obligations.Window",
    "within": "mechanisms.obligations.Within",
    "days": "mechanisms.obligations.Days",
    "every": "mechanisms.obligations.Every",
    "after": "mechanisms.obligations.After",
    "obligation": "mechanisms.obligations.Obligation",
    "done": "mechanisms.obligations.Done",
    "judgement": "mechanisms.obligations.Judgement",
    "agenda_item": "mechanisms.obligations.AgendaItem",
    "as_of": "mechanisms.periods.AsOf",
    "trailing": "mechanisms.periods.Trailing",
    "ever": "windows.Ever",
    "last": "windows.Last",
    "compared": "windows.Compared",
    "week": "windows.Week",
    "block": "windows.Block",
    "extreme": "aggregates.Extreme",
    "tally": "aggregates.Tally",
    "run": "aggregates.Run",
    "attributes": "summaries.Attributes",
    "summary": "summaries.Summary",
    "clv_summary": "clv.ClvSummary",
    "outcomes": "mechanisms.outcomes.Outcomes",
    "movement": "mechanisms.outcomes.Movement",
    "cells": "mechanisms.outcomes.Cells",
    "dues": "dues.Dues",
}
"""What can be stored: the kind and where its class lives; imported when it is first needed."""

WORDS: Mapping[str, str] = {
    "code": "mechanisms.answers.Code",
    "origin": "mechanisms.policies.Origin",
    "run_of": "runs.RunOf",
    "unit": "mechanisms.periods.Unit",
    "verdict": "mechanisms.estimates.Verdict",
    "change": "mechanisms.estimates.Change",
    "rounding_rule": "mechanisms.money.RoundingRule",
    "obligation_outcome": "mechanisms.obligations.Outcome",
    "rounding": "mechanisms.ranks.Rounding",
    "ties": "mechanisms.ranks.Ties",
    "interaction_kind": "activity.InteractionKind",
    "returns": "logs.Returns",
    "layer": "segmentation.Layer",
    "goal": "segmentation.Goal",
    "action": "segmentation.Action",
    "purchase_class": "grades.PurchaseClass",
    "overdue": "grades.Overdue",
    "party_type": "grades.PartyType",
    "industry_class": "grades.IndustryClass",
    "value_class": "grades.ValueClass",
    "spend_grade": "grades.SpendGrade",
    "vip_tier": "grades.VipTier",
    "member_tier": "grades.MemberTier",
    "loyalty_grade": "grades.LoyaltyGrade",
    "stability": "grades.Stability",
    "participation": "grades.Participation",
    "brand": "grades.Brand",
    "value_layer": "grades.ValueLayer",
    "service": "grades.Service",
    "strictness": "grades.Strictness",
    "process": "grading.Process",
    "batch_state": "grading.BatchState",
    "grading_command": "grading.GradingCommand",
    "publication_state": "publications.PublicationState",
    "publication_command": "publications.PublicationCommand",
    "direction": "regrading.Direction",
    "grading_source": "grading_inputs.GradingSource",
    "tag": "tags.Tag",
    "recency_basis": "tags.RecencyBasis",
    "tag_state": "tag_sheets.TagState",
    "tag_event": "tag_sheets.TagEvent",
    "tag_command": "tag_sheets.TagCommand",
    "non_purchase_reason": "reasons.NonPurchaseReason",
    "basis": "proposals.Basis",
    "stage": "lifecycle.Stage",
    "lifecycle_event": "lifecycle.LifecycleEvent",
    "class_event": "lifecycle.ClassEvent",
    "handling": "lifecycle.Handling",
    "handling_event": "lifecycle.HandlingEvent",
    "reach": "lifecycle.Reach",
    "automation": "lifecycle.Automation",
    "trigger": "ageing.Trigger",
}
"""The library's enumerations by name."""

APART: Mapping[str, tuple[str, ...]] = {
    "purchase_log": ("customers",),
    "interaction_log": ("customers",),
    "tag_moves": ("added", "removed", "kept"),
}
"""Columns that are lists of their own; all others of a record stand beside each other."""

NAMED: Mapping[str, str] = {"interaction_log.kinds": "activity.InteractionKind"}
"""Columns of places in an enumeration: they are stored by name, so it may grow."""


@cache
def home_of(home: str) -> Any:  # noqa: ANN401
    """Return the class at an address of the library.

    >>> home_of("activity.Purchase").__name__
    'Purchase'
    """
    module, _, name = home.rpartition(".")
    return getattr(import_module(f"retention.{module}"), name)


_NAMES = {f"retention.{home}": kind for kind, home in KINDS.items()}


def kind_of(cls: type) -> str | None:
    """Return the kind of a class; None for a class that is not stored.

    >>> kind_of(home_of("activity.Purchase")), kind_of(int)
    ('purchase', None)
    """
    return _NAMES.get(f"{cls.__module__}.{cls.__qualname__}")


def kinds_below(classes: tuple[type, ...]) -> tuple[str, ...]:
    """Return the kinds of some classes and of what is derived from them.

    >>> kinds_below((home_of("mechanisms.rules.Rule"), home_of("activity.Return")))
    ('return', 'rule')
    """
    return tuple(kind for kind, home in KINDS.items() if issubclass(home_of(home), classes))
