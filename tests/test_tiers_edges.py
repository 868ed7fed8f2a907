"""Tiers on the days where one more or less would be another tier; counted by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from retention import History, Purchase
from retention.classifications import Classification
from retention.mechanisms.decisions import FirstMatch
from retention.mechanisms.rules import parse
from retention.tier_changes import TierChange, TierFacts, TierMove
from retention.tier_gaps import gaps_of, orders_to_go
from retention.tiers import TierCase, Tiers

tier_case: Any = TierCase  # with rules as texts, as a file gives them
SILVER = tier_case("silver", "qualifying_spend_minor >= 100000")
GOLD = tier_case("gold", "qualifying_spend_minor >= 500000")
JOINED = date(2022, 3, 20)


def ladder(**terms: Any) -> Tiers:  # noqa: ANN401
    return Tiers(Classification("tiers", FirstMatch((GOLD, SILVER), otherwise="ordinary")), **terms)


@pytest.mark.rule("E-02")
@pytest.mark.parametrize(
    ("since", "day", "months", "first"),
    [
        (JOINED, date(2024, 3, 19), 12, date(2023, 3, 20)),  # the day before an anniversary
        (JOINED, date(2024, 3, 20), 12, date(2024, 3, 20)),
        (JOINED, date(2025, 3, 1), 12, date(2024, 3, 20)),
        (JOINED, date(2022, 3, 20), 12, JOINED),
        (JOINED, date(2023, 3, 19), 12, JOINED),
        (JOINED, date(2023, 1, 19), 3, date(2022, 12, 20)),  # 20 June, September, December
        (JOINED, date(2024, 3, 25), 1, date(2024, 3, 20)),
        (date(2024, 1, 31), date(2024, 2, 28), 1, date(2024, 1, 31)),
        (date(2024, 1, 31), date(2024, 2, 29), 1, date(2024, 2, 29)),
    ],
)
def test_the_window_begins_with_the_last_anniversary(
    since: date, day: date, months: int, first: date
) -> None:
    tiers = ladder(window="anniversary", window_months=months)
    assert tiers.first_day(day, since) == first


@pytest.mark.rule("E-04", "SM-12")
@pytest.mark.parametrize(
    ("at", "on", "seen"),
    [
        (date(2024, 3, 10), date(2024, 3, 1), "ordinary"),  # backdated, and not known yet
        (date(2024, 3, 1), date(2024, 3, 10), "ordinary"),  # known, and it begins later
        (date(2024, 3, 5), date(2024, 3, 5), "silver"),
    ],
)
def test_a_change_counts_when_it_is_known_and_has_begun(at: date, on: date, seen: str) -> None:
    change = TierChange(
        "M-1", TierMove.SET, "ordinary", "silver", date(2024, 12, 31), at=at, by="ann", on=on
    )
    bought = [Purchase("M-1", date(2024, 1, 2), 1_00)]
    facts = TierFacts("M-1", JOINED, History("M-1", bought), changes=[change])
    assert ladder().tier(facts, as_of=date(2024, 3, 5)).tier == seen


@pytest.mark.rule("E-05", "SM-12")
@pytest.mark.parametrize(
    ("before", "spent", "move", "day"),
    [
        ((2024, 8, 20), 999_99, "down", "2025-03-12"),
        ((2024, 8, 20), 1_000_00, "keep", "2025-03-01"),
        ((2024, 8, 10), 999_99, "keep", "2025-03-01"),  # with 1 cent of the first day
        ((2024, 8, 9), 999_99, "down", "2025-03-12"),  # which is the day before the window
    ],
)
def test_a_purchase_in_the_grace_period_keeps_the_tier_if_it_is_enough(
    before: tuple[int, int, int], spent: int, move: str, day: str
) -> None:
    """The window of the last valid day, 9 February 2025, begins on 10 August 2024."""
    tiers = ladder(validity_months=6, window_months=6, grace_days=30)
    cents = 1 if before != (2024, 8, 20) else 0
    bought = ((2024, 2, 10), 1_000_00), (before, cents), ((2025, 3, 1), spent)
    purchases = [Purchase("M-1", date(*on), minor) for on, minor in bought]
    facts = TierFacts("M-1", date(2024, 1, 1), History("M-1", purchases))
    last = tiers.changes(facts, as_of=date(2025, 3, 12))[-1]
    assert (str(last.move), str(last.on)) == (move, day)


@pytest.mark.rule("E-02")
@pytest.mark.parametrize(
    ("first", "tier"),
    [(date(2023, 2, 10), "ordinary"), (date(2023, 2, 11), "silver")],
)
def test_points_qualify_inside_the_window_alone(first: date, tier: str) -> None:
    """Of the twelve months that end on 10 February 2024 the first day is 11 February 2023."""
    row = tier_case("silver", "qualifying_points >= 100")
    tiers = Tiers(Classification("tiers", FirstMatch((row,), otherwise="ordinary")))
    points = (first, 60), (date(2024, 2, 10), 40)
    facts = TierFacts("M-1", JOINED, History("M-1"), points)
    assert tiers.tier(facts, as_of=date(2024, 2, 10)).tier == tier


def test_what_no_whole_amount_closes_has_no_gap_in_numbers() -> None:
    for given in (2.5, True):
        ((gap,),) = gaps_of(parse("score >= 5"), {"score": given})
        assert (gap.given, gap.missing, gap.orders) == (given, None, None)
    assert orders_to_go(5, 5, 0) is None
    assert orders_to_go(5, 0, 1) is None


def test_a_limit_may_be_the_same_in_two_tiers() -> None:
    gold = tier_case("gold", "qualifying_spend_minor >= 100000 and qualifying_points >= 9")
    tiers = Tiers(Classification("tiers", FirstMatch((gold, SILVER), otherwise="ordinary")))
    row = {"qualifying_spend_minor": 100000, "qualifying_points": 9}
    assert tiers.meets(row).outcome == "gold"
    assert tiers.meets(row | {"qualifying_points": 8}).outcome == "silver"
