"""Errors keep facts, speak two languages, and survive pickling."""

from __future__ import annotations

import copy
import warnings

import pytest

import retention
from retention.mechanisms import errors
from retention.mechanisms.errors import (
    BlankValueError,
    InvalidValueError,
    MissingExtraError,
    RefusedError,
    RetentionError,
    RetentionWarning,
    UnknownMeasureError,
    UnknownNameError,
    UnreadableTextError,
    WrongTypeError,
)
from tests.refusals import check

KINDS = sorted(
    (x for x in vars(errors).values() if isinstance(x, type) and issubclass(x, RetentionError)),
    key=lambda kind: kind.__name__,
)
FACTS = [
    ("at_most", (30, 20), "limits that rise"),
    ("measure", "orders_30d", ("purchases_30d", "purchases_90d")),
    ("amount", float("nan"), ["a finite amount"]),
    ("pin", None, "pin(...)"),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("facts", FACTS, ids=["text", "names", "list", "nothing"])
def test_every_error_offers_the_same(kind: type[RetentionError], facts: tuple[object, ...]) -> None:
    error = kind(*facts)  # type: ignore[arg-type]
    assert (error.where, error.given, error.allowed) == facts
    check(error)
    assert str(copy.copy(error)) == str(error)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_stands_at_the_front_door(kind: type[RetentionError]) -> None:
    assert getattr(retention, kind.__name__) is kind


def test_codes_tell_errors_apart() -> None:
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(codes)
    assert all(code == code.lower() for code in codes)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (InvalidValueError, ValueError),
        (WrongTypeError, TypeError),
        (UnknownNameError, LookupError),
        (UnreadableTextError, ValueError),
        (MissingExtraError, ImportError),
    ],
)
def test_errors_are_those_of_python_too(
    kind: type[RetentionError], builtin: type[Exception]
) -> None:
    assert issubclass(kind, builtin)


def test_the_sentence_is_built_when_it_is_read() -> None:
    error = InvalidValueError("at_most", (30, 20), "limits that rise")
    error.where = "bands.at_most"
    assert str(error) == "bands.at_most: (30, 20) is not allowed; allowed: limits that rise"
    assert error.text("zh") == "bands.at_most：(30, 20) 不被允许；允许：limits that rise"


def test_allowed_is_one_text_or_several_names_or_nothing() -> None:
    assert str(InvalidValueError("a", 1, ("b", "c"))).endswith("allowed: b, c")
    assert str(InvalidValueError("a", 1)).endswith("allowed: nothing")


def test_a_long_value_is_cut() -> None:
    assert len(str(InvalidValueError("a", "x" * 10_000, "less"))) < 200
    assert "..." in str(InvalidValueError("a", list(range(1000)), "less"))
    assert "x" * 120 + " is not" in str(InvalidValueError("a", "x" * 120, "less"))


def test_a_misspelling_is_pointed_out() -> None:
    error = UnknownMeasureError("rule", "purchase_30d", ("purchases_30d", "spend_minor"))
    assert error.nearest == "purchases_30d"
    assert str(error).endswith("; perhaps 'purchases_30d'")
    assert error.text("zh").endswith("；是否想写 'purchases_30d'？")
    far = UnknownNameError("zone", "Mars", "an IANA name")
    assert far.nearest is None
    assert "perhaps" not in str(far)
    assert UnknownNameError("a", "nam", "name").nearest == "name"
    assert UnknownNameError("a", 7, ()).nearest is None


def test_sentences_of_errors_that_advise() -> None:
    assert str(MissingExtraError("retention.plots", "matplotlib", "plots")) == (
        "retention.plots needs matplotlib; install it with: pip install 'retention[plots]'"
    )
    assert str(BlankValueError("Vip.gold", "002: gold", "with_")) == (
        "Vip.gold: the handbook leaves this blank (002: gold); set it with with_"
    )
    assert RefusedError("lock while open", "not possible", ("close",)).text("zh") == (
        "lock while open：not possible 被拒绝；当前允许：close"
    )


def test_one_filter_reaches_every_warning() -> None:
    with pytest.warns(RetentionWarning):
        warnings.warn("old", RetentionWarning, stacklevel=1)
