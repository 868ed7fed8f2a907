"""Ledgers with one mistake each: the shipped laws find them, and say which law it was."""

from __future__ import annotations

import random  # noqa: TID251  sequences by the hundred, named by their seed
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

import attrs
import pytest

from retention import booking_rules, bookings, late_facts
from retention.accounts import Book, Draft
from retention.booking_rules import Booking
from retention.bookings import Back
from retention.ledger import PointsPolicy
from retention.lots import Lots, Row, Validity
from retention.mechanisms.answers import Code, Refused
from retention.points import (
    Capture,
    Captured,
    Earn,
    EarningReversed,
    Held,
    PointsFact,
    PointsOrder,
    Redeem,
    Redeemed,
)
from retention.testing import laws
from retention.testing.strategies.points import made_commands

POLICY = PointsPolicy(validity=Validity(days=30), pending_days=1)
Law = Callable[[PointsPolicy, Iterable[PointsOrder]], None]


def broken(law: Law, policy: PointsPolicy = POLICY) -> str:
    """The sentence of the first of some sequences that breaks the law."""
    for seed in range(300):
        choose = random.Random(seed)  # noqa: S311
        try:
            law(policy, made_commands(policy, choose.randint, 20))
        except AssertionError as cause:
            return str(cause)
    return ""


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """All commands go the same way; there is no short one for the two that are nearly all."""
    monkeypatch.setattr(PointsPolicy, "_redeem", lambda *_: None)
    monkeypatch.setattr(PointsPolicy, "_earn", lambda *_: None)
    return monkeypatch


@pytest.mark.rule("E-15")
def test_an_expiry_that_is_not_checked(plain: pytest.MonkeyPatch) -> None:
    def every_row(book: Book, _: int, __: int = 0) -> Iterator[Row]:
        yield from book.lots

    plain.setattr(bookings, "in_spending_order", every_row)
    assert "not available says [(" in broken(laws.a_redemption_takes_what_is_available)


@pytest.mark.rule("E-15")
def test_a_short_way_that_does_not_check_the_expiry(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Lots.spent
    monkeypatch.setattr(Lots, "spent", lambda it, day, points: right(it, day - 1, points))
    assert "a_redemption_takes_what_is_available" in broken(
        laws.a_redemption_takes_what_is_available
    )


@pytest.mark.rule("E-15")
def test_lots_that_are_taken_in_another_order(plain: pytest.MonkeyPatch) -> None:
    right = bookings.in_spending_order

    def last_first(book: Book, day: int, renews: int = 0) -> Iterator[Row]:
        return reversed(list(right(book, day, renews)))

    plain.setattr(bookings, "in_spending_order", last_first)
    said: dict[str, Any] = {"at": date(2024, 1, 1), "by": "ann"}
    commands = [
        Earn(10, "o-1", expires_on=date(2024, 1, 5), **said),
        Earn(10, "o-2", **said),
        Redeem(10, **said),
    ]
    with pytest.raises(AssertionError, match=r"soonest_first_expires_least .* more says 10"):
        laws.soonest_first_expires_least(PointsPolicy(), commands, min, on=date(2024, 1, 5))


@pytest.mark.rule("E-17")
def test_a_debt_that_is_skipped(plain: pytest.MonkeyPatch) -> None:
    right = booking_rules.reversal_of

    def no_debt(*given: object) -> EarningReversed | Refused:
        fact = right(*given)  # type: ignore[arg-type]
        return fact if isinstance(fact, Refused) else attrs.evolve(fact, debt=0)

    plain.setattr(booking_rules, "reversal_of", no_debt)
    assert "points_are_conserved" in broken(laws.points_are_conserved)


@pytest.mark.rule("E-17")
def test_a_debt_that_nobody_repays(plain: pytest.MonkeyPatch) -> None:
    plain.setattr(Booking, "repaid", lambda *_: 0)
    assert "beside debt" in broken(laws.every_balance_is_legal)


def test_a_redemption_that_comes_back_as_a_new_lot(plain: pytest.MonkeyPatch) -> None:
    def as_new(_: Booking, __: Redeemed | Captured, points: int, ___: int) -> Back:
        return Back((), 0, points)

    plain.setattr(booking_rules, "come_back", as_new)
    assert "redeem_then_reverse_is_identity" in broken(laws.redeem_then_reverse_is_identity)


def test_a_lapsed_hold_that_gives_nothing_back(plain: pytest.MonkeyPatch) -> None:
    def forget(draft: Draft, lapsed: Iterable[Held]) -> None:
        for held in list(lapsed):
            del draft.holds[held.hold]

    plain.setattr(Draft, "give_back", forget)
    assert "points_are_conserved" in broken(laws.points_are_conserved)


def test_a_hold_that_is_captured_twice(plain: pytest.MonkeyPatch) -> None:
    def any_hold(booking: Booking, command: Capture) -> Held | Refused:
        named = booking.account.named(command.hold)
        found = next((x for x in named if isinstance(x, Held)), None)
        return found or booking.no(command, Code.UNKNOWN_REFERENCE, "hold")

    plain.setattr(booking_rules, "_open_hold", any_hold)
    assert "a_hold_resolves_once" in broken(laws.a_hold_resolves_once)


def test_a_replay_that_forgets_redemptions(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Draft.run

    def forgetful(it: Draft, facts: Iterable[PointsFact]) -> PointsFact | None:
        return right(it, [x for x in facts if not isinstance(x, Redeemed)])

    monkeypatch.setattr(Draft, "run", forgetful)
    assert "replay_equals_steps" in broken(laws.replay_equals_steps)


def test_a_late_fact_that_takes_what_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late_facts, "_again", lambda _, __, fact, ___: fact)
    monkeypatch.setattr(Draft, "_add", _careless)
    rebooks = attrs.evolve(POLICY, pending_days=0)
    assert broken(laws.lots_stay_within_their_points, rebooks)


def _careless(draft: Draft, lot: int, points: int) -> None:
    draft.left[lot] = draft.remaining(lot) + points
