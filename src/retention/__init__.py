"""The rules by which a company keeps its customers, as typed values and pure functions.

Everything but the errors is imported on first use, so ``import retention`` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from retention.mechanisms.errors import (
    BeyondKnownError,
    BlankValueError,
    DuplicateError,
    GapError,
    InvalidValueError,
    MissingExtraError,
    MixedCurrenciesError,
    NaiveInstantError,
    NotRisingError,
    OverlapError,
    RefusedError,
    RetentionError,
    RetentionWarning,
    RuleTruthError,
    UnequalColumnsError,
    UnknownMeasureError,
    UnknownNameError,
    UnpinnedPolicyError,
    UnreadableTextError,
    WrongTypeError,
)

if TYPE_CHECKING:
    from retention import (
        converters,
        frames,
        lifecycle,
        loyalty,
        plots,
        presets,
        reports,
        segmentation,
    )
    from retention.activity import History, Interaction, InteractionKind, Purchase, Return
    from retention.handbook import Handbook, assess
    from retention.logs import InteractionLog, PurchaseLog
    from retention.mechanisms.answers import Accepted, Problem, Reason, Refused
    from retention.mechanisms.money import Money
    from retention.mechanisms.rules import Measure, Rule, parse
else:
    _HOMES = {
        "Accepted": "mechanisms.answers",
        "Handbook": "handbook",
        "History": "activity",
        "Interaction": "activity",
        "InteractionKind": "activity",
        "InteractionLog": "logs",
        "Measure": "mechanisms.rules",
        "Money": "mechanisms.money",
        "Problem": "mechanisms.answers",
        "Purchase": "activity",
        "PurchaseLog": "logs",
        "Reason": "mechanisms.answers",
        "Refused": "mechanisms.answers",
        "Return": "activity",
        "Rule": "mechanisms.rules",
        "assess": "handbook",
        "parse": "mechanisms.rules",
    }
    _ROOMS = {
        "converters",
        "frames",
        "lifecycle",
        "loyalty",
        "plots",
        "presets",
        "reports",
        "segmentation",
    }

    def __getattr__(name):  # noqa: ANN001, ANN202  checkers read the imports above
        if name in _HOMES:
            return getattr(import_module(f"retention.{_HOMES[name]}"), name)
        if name in _ROOMS:
            return import_module(f"retention.{name}")
        raise AttributeError(f"module 'retention' has no attribute {name!r}")

    def __dir__():  # noqa: ANN202
        return __all__


__all__ = [
    "Accepted",
    "BeyondKnownError",
    "BlankValueError",
    "DuplicateError",
    "GapError",
    "Handbook",
    "History",
    "Interaction",
    "InteractionKind",
    "InteractionLog",
    "InvalidValueError",
    "Measure",
    "MissingExtraError",
    "MixedCurrenciesError",
    "Money",
    "NaiveInstantError",
    "NotRisingError",
    "OverlapError",
    "Problem",
    "Purchase",
    "PurchaseLog",
    "Reason",
    "Refused",
    "RefusedError",
    "RetentionError",
    "RetentionWarning",
    "Return",
    "Rule",
    "RuleTruthError",
    "UnequalColumnsError",
    "UnknownMeasureError",
    "UnknownNameError",
    "UnpinnedPolicyError",
    "UnreadableTextError",
    "WrongTypeError",
    "assess",
    "converters",
    "frames",
    "lifecycle",
    "loyalty",
    "parse",
    "plots",
    "presets",
    "reports",
    "segmentation",
]
