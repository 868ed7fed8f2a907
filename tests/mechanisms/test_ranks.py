"""Rank shares, and the amounts that they become."""

from __future__ import annotations

import math
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.ranks import (
    Pin,
    Population,
    Ranking,
    Rounding,
    Ties,
    best_ranks,
    exact,
    pin,
)
from retention.mechanisms.rules import Limit, parse
from tests.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Sequence

shares = st.sampled_from([0, 0.01, 0.1, 0.2, 0.35, 0.5, 1 / 3, 0.8, 0.99, 1, 1.0])
positive = st.lists(st.integers(1, 12), min_size=1, max_size=30)
amounts = st.lists(st.integers(-2, 12) | st.integers(2**62, 2**62 + 9), min_size=1, max_size=30)


def rank(amount: float, everybody: list[int]) -> int:
    return 1 + sum(other > amount for other in everybody)


@pytest.mark.rule("RC-09")
@given(amounts)
def test_equal_amounts_share_the_best_rank(everybody: list[int]) -> None:
    found = best_ranks(np.array(everybody)).tolist()
    assert found == [rank(amount, everybody) for amount in everybody]


@pytest.mark.rule("RC-09", "C-09")
@given(positive, shares, st.sampled_from(Rounding))
def test_a_share_of_ranks_is_a_limit_on_the_amount(
    everybody: list[int], share: float, rounding: Rounding
) -> None:
    population = Population("spend", np.array(everybody), rounding=rounding)
    allowed = len(everybody) * Fraction(str(share))
    allowed = Fraction(math.ceil(allowed)) if rounding is Rounding.CEIL else allowed
    for amount in everybody:
        row = {"spend": amount}
        assert population.at_most(share).holds(row) == (rank(amount, everybody) <= allowed)
        below = rank(amount, everybody) < len(everybody) * Fraction(str(share))
        assert population.below(share).holds(row) == below


@given(amounts, shares.filter(lambda share: share < 1))
def test_nothing_never_ranks_above_the_lowest_band(everybody: list[int], share: float) -> None:
    rule = Population("spend", np.array(everybody)).at_most(share)
    assert not any(rule.holds({"spend": amount}) for amount in everybody if amount <= 0)


@given(amounts.flatmap(lambda x: st.tuples(st.just(x), st.permutations(x))), shares)
def test_the_order_of_the_rows_does_not_matter(
    orders: tuple[list[int], list[int]], share: float
) -> None:
    one, other = (Population("spend", np.array(x)).at_most(share) for x in orders)
    assert one == other


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=20), shares)
def test_ties_are_broken_by_frequency(pairs: list[tuple[int, int]], share: float) -> None:
    spend, orders = (np.array(column) for column in zip(*pairs, strict=True))
    rule = Population("spend", spend, "orders", orders).at_most(share)
    for pair in pairs:
        place = 1 + sum(other > pair for other in pairs)
        # Among those equal in both, all or none are in: the last of them must fit.
        last = place + pairs.count(pair) - 1
        held = rule.holds({"spend": pair[0], "orders": pair[1]})
        assert held or last > len(pairs) * Fraction(str(share))
        assert not held or place <= len(pairs) * Fraction(str(share))


@pytest.mark.rule("RC-09", "AMB-01")
@pytest.mark.parametrize(
    ("everybody", "share", "rounding", "text"),
    [
        (range(1, 11), 0.2, Rounding.EXACT, "spend >= 9"),
        (range(1, 11), 0.25, Rounding.EXACT, "spend >= 9"),
        (range(1, 11), 0.25, Rounding.CEIL, "spend >= 8"),
        (range(1, 5), 0.2, Rounding.EXACT, "spend >= inf"),
        (range(1, 5), 0.2, Rounding.CEIL, "spend >= 4"),
        (range(1, 11), 0, Rounding.CEIL, "spend >= inf"),
        (range(1, 11), 1, Rounding.EXACT, "spend >= -inf"),
        ([5] * 10, 0.2, Rounding.EXACT, "spend >= 5"),
        ([5, 0, 0, 0], 0.5, Rounding.EXACT, "spend > 0"),
        ([7], 0.99, Rounding.EXACT, "spend >= inf"),
        ([7], 1.0, Rounding.EXACT, "spend >= -inf"),
        ([], 0.5, Rounding.EXACT, "spend >= inf"),
        (range(1, 181), 0.35, Rounding.EXACT, "spend >= 118"),  # 63 ranks, not 62.999...
        ([2**60 + 1, 2**60, 3], 0.34, Rounding.EXACT, f"spend >= {2**60 + 1}"),
    ],
    ids=range(14),
)
def test_shares_as_amounts(
    everybody: Sequence[int],
    share: float,
    rounding: Rounding,
    text: str,
) -> None:
    population = Population("spend", np.array([*everybody], np.int64), rounding=rounding)
    assert str(population.at_most(share)) == text


def test_a_share_is_as_it_was_written() -> None:
    assert exact(0.35) == Fraction(35, 100)
    assert exact(1) == 1
    assert exact(0.1) + exact(0.2) == exact(0.3)
    assert exact(1e-7) == Fraction(1, 10**7)


# --- pinning rules --------------------------------------------------------------------------------

HUNDRED = {"share": Population("spend", np.arange(1, 101))}


@pytest.mark.rule("C-09")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("share <= 0.2", "spend >= 81"),
        ("share < 0.2", "spend >= 82"),
        ("share > 0.2", "spend < 81"),
        ("share >= 0.2", "spend < 82"),
        ("0.2 <= share <= 0.5", "spend < 82 and spend >= 51"),
        ("not 0.2 <= share <= 0.5", "spend >= 82 or spend < 51"),
        ("share is missing", "spend is missing"),
        ("share is known", "spend is known"),
        ("orders >= 2", "orders >= 2"),
        (
            "share <= 0.2 and orders >= 2 or share > 0.9",
            "spend >= 81 and orders >= 2 or spend < 11",
        ),
    ],
)
def test_a_rule_is_pinned(text: str, found: str) -> None:
    pinned = pin(parse(text), HUNDRED)
    assert str(pinned) == found
    ranks = {amount: 101 - amount for amount in range(1, 101)}
    for amount, place in ranks.items():
        row = {"spend": amount, "orders": 1}
        assert pinned.holds(row) == parse(text).holds(row | {"share": place / 100})


def test_a_pinned_limit_remembers_what_it_was() -> None:
    pinned = pin(parse("share <= 0.2 and orders >= 2"), HUNDRED)
    assert [limit.note for limit in pinned.limits()] == ["share <= 0.2", ""]
    assert str(pinned.reasons({"spend": 80, "orders": 2})[0]) == (
        "spend 80 is not >= 81 (share <= 0.2)"
    )


def test_pinning_without_a_population_changes_nothing() -> None:
    rule = parse("share <= 0.2")
    assert pin(rule, {}) is rule


@pytest.mark.parametrize(
    "text", ["share == 0.2", "share != 0.2", "share in (0.2,)", "share not in (1,)"]
)
def test_a_share_is_a_range(text: str) -> None:
    limit = parse(text)
    assert isinstance(limit, Limit)
    with refused(InvalidValueError, text, given=limit.relation):
        pin(limit, HUNDRED)


def test_a_pin_says_day_and_size() -> None:
    assert str(Pin(date(2024, 6, 30), 23_570)) == "2024-06-30, 23570 customers"
    assert Ranking() == Ranking(Ties.SHARE_BEST, Rounding.EXACT)


@pytest.mark.parametrize("text", ["spend_share < 1.5", "spend_share <= 1", "spend_share <= 1.5"])
def test_a_share_of_the_whole_or_more_takes_everybody(text: str) -> None:
    base = Population("spend_minor", np.array([5, 0, 0]))
    rule = pin(parse(text), {"spend_share": base})
    assert rule.mask({"spend_minor": np.array([5, 0, -3])}).tolist() == [True] * 3
    below = pin(parse("spend_share < 1"), {"spend_share": base})
    assert below.mask({"spend_minor": np.array([5, 0])}).tolist() == [True, False]
