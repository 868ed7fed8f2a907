"""Shares and means keep what they stand on; without a denominator nothing is claimed."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.mechanisms.errors import InvalidValueError, WrongTypeError
from retention.mechanisms.estimates import Change, Estimate, Verdict, verdict

numbers = st.integers(0, 10**6)


def test_an_empty_denominator_has_no_value() -> None:
    assert Estimate(0, 0).value is None
    assert Estimate(3, 0).value is None
    assert Estimate.mean([]).value is None
    assert str(Estimate(0, 0)) == "no value (0 of 0)"
    assert str(Estimate(3, 0)) == "no value (3 of 0)"
    for mode in Change:
        assert Estimate(0, 0).change_from(Estimate(1, 2), mode) is None
        assert Estimate(1, 2).change_from(Estimate(0, 0), mode) is None
    assert verdict(Estimate(0, 0).value, at_least=0) is Verdict.UNDECIDED


@given(numbers, st.integers(1, 10**6))
def test_a_value_is_exact(numerator: int, denominator: int) -> None:
    assert Estimate(numerator, denominator).value == Fraction(numerator, denominator)


@given(st.lists(st.fractions() | st.integers(), min_size=1, max_size=20))
def test_a_mean_is_between_its_values(values: list[Fraction | int]) -> None:
    mean = Estimate.mean(values)
    assert mean.denominator == len(values)
    assert mean.value is not None
    assert min(values) <= mean.value <= max(values)
    assert mean.value * len(values) == sum(values)


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(1, 8), "12.5 % (1 of 8)"),
        (Estimate(2, 3), "66.67 % (2 of 3)"),
        (Estimate(0, 7), "0 % (0 of 7)"),
        (Estimate.mean([4, 5, 5, 4]), "4.5 (18 over 4)"),
        (Estimate.mean([Fraction(1, 2)]), "0.5 (1/2 over 1)"),
    ],
)
def test_a_share_reads_as_per_cent_and_a_mean_as_it_is(estimate: Estimate, text: str) -> None:
    assert str(estimate) == text


@pytest.mark.parametrize(  # AMB-10
    ("now", "before", "points", "relative"),
    [
        (Estimate(33, 100), Estimate(30, 100), Fraction(3, 100), Fraction(1, 10)),
        (Estimate(30, 100), Estimate(30, 100), Fraction(0), Fraction(0)),
        (Estimate(0, 10), Estimate(1, 10), Fraction(-1, 10), Fraction(-1)),
        (Estimate(1, 10), Estimate(0, 10), Fraction(1, 10), None),  # nothing to relate it to
    ],
)
def test_a_change_in_points_or_relative(
    now: Estimate, before: Estimate, points: Fraction, relative: Fraction | None
) -> None:
    assert now.change_from(before, Change.POINTS) == points
    assert now.change_from(before, Change.RELATIVE) == relative


@pytest.mark.parametrize(
    ("value", "targets", "expected"),
    [
        (Fraction(3, 10), {"at_least": 0.3}, Verdict.MET),  # the bound itself, RC-05
        (Fraction(29, 100), {"at_least": 0.3}, Verdict.MISSED),
        (Fraction(3, 10), {"at_least": Fraction(3, 10)}, Verdict.MET),
        (Fraction(1), {"at_least": 1}, Verdict.MET),
        (Fraction(-3, 100), {"at_most": -0.03}, Verdict.MET),
        (Fraction(-2, 100), {"at_most": -0.03}, Verdict.MISSED),
        (Fraction(1, 2), {"at_least": 0.4, "at_most": 0.6}, Verdict.MET),
        (Fraction(7, 10), {"at_least": 0.4, "at_most": 0.6}, Verdict.MISSED),
        (None, {"at_least": 0.3}, Verdict.UNDECIDED),
        (None, {"at_most": 0.3}, Verdict.UNDECIDED),
    ],
)
def test_a_target_is_met_missed_or_undecided(
    value: Fraction | None, targets: dict[str, Any], expected: Verdict
) -> None:
    assert verdict(value, **targets) is expected


def test_bad_input_is_refused() -> None:
    with pytest.raises(InvalidValueError):
        Estimate(1, -1)
    wrong: Any
    for wrong in (0.5, True, "1", None):
        with pytest.raises(WrongTypeError):
            Estimate(wrong, 2)
        with pytest.raises(WrongTypeError):
            Estimate(1, wrong)
    with pytest.raises(WrongTypeError):
        Estimate.mean([0.1, 0.2])  # type: ignore[list-item]
    with pytest.raises(InvalidValueError, match="at_least or at_most"):
        verdict(Fraction(1))
    for number in (float("nan"), float("inf")):
        with pytest.raises(InvalidValueError, match="finite"):
            verdict(Fraction(1), at_least=number)


def test_verdicts_in_two_languages() -> None:
    assert [x.label("zh") for x in Verdict] == ["达成", "未达成", "无法判定"]
    assert [x.label() for x in Verdict] == ["met", "missed", "undecided"]
