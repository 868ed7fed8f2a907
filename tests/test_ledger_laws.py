"""The laws of points hold for made-up programmes, and an oracle finds the same balances."""

from __future__ import annotations

import random  # noqa: TID251  sequences by the thousand, named by their seed
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.ledger import LateRule, PointsPolicy, Shortfall
from retention.lots import PeriodEnd, Validity
from retention.mechanisms.answers import Accepted
from retention.points import (
    Adjust,
    Capture,
    Earn,
    Hold,
    PointsOrder,
    Redeem,
    Release,
    ReverseEarning,
    ReverseRedemption,
)
from retention.testing import laws
from retention.testing.laws.points import journey
from retention.testing.strategies.points import made_commands, points_commands, points_policies
from tests.oracles.points import Ledger, Rules

Law = Callable[[PointsPolicy, list[PointsOrder]], None]

EACH: tuple[Law, ...] = (
    laws.points_are_conserved,
    laws.lots_stay_within_their_points,
    laws.every_balance_is_legal,
    laws.replay_equals_steps,
    laws.the_log_only_grows,
    laws.a_refusal_changes_nothing,
    laws.a_key_repeats_its_answer,
    laws.a_hold_resolves_once,
    laws.a_redemption_takes_what_is_available,
    laws.redeem_then_reverse_is_identity,
    laws.forecast_sums_to_the_balance,
    laws.statement_closes_with_the_balance,
    laws.nothing_changes_in_points_before_due,
)


@pytest.mark.rule("E-14", "E-15", "E-17")
@pytest.mark.parametrize("law", EACH, ids=lambda law: law.__name__)
@given(data=st.data())
def test_every_programme_keeps_the_law(law: Law, data: st.DataObject) -> None:
    policy = data.draw(points_policies())
    law(policy, data.draw(points_commands(policy)))


@given(data=st.data())
def test_parts_of_a_redemption_come_back_to_the_lots_it_took(data: st.DataObject) -> None:
    policy = data.draw(points_policies())
    parts = data.draw(st.lists(st.integers(1, 30), max_size=4))
    commands = data.draw(points_commands(policy))
    laws.redeem_then_reverse_is_identity(policy, commands, parts)


@pytest.mark.rule("E-15")
@given(data=st.data())
def test_no_other_order_saves_points_from_expiry(data: st.DataObject) -> None:
    policy = data.draw(points_policies(late=LateRule.REBOOK, inactivity=False))
    commands = data.draw(points_commands(policy))
    day = data.draw(st.dates(date(2024, 1, 1), date(2026, 1, 1)))
    laws.soonest_first_expires_least(
        policy, commands, lambda lots: data.draw(st.sampled_from(lots)), on=day
    )


@pytest.mark.rule("E-17")
@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), min_size=1).filter(sum))
def test_partial_refunds_take_back_the_whole(points: int, refunds: list[int]) -> None:
    laws.refunds_sum_to_the_whole(points, refunds)


def _policy(choose: random.Random) -> PointsPolicy:
    pick = choose.choice
    validity = pick(
        [
            Validity(),
            Validity(days=pick([1, 7, 30, 60])),
            Validity(months=pick([1, 2, 12]), until_end_of=pick(list(PeriodEnd))),
            Validity(through=date(2024, 2, 29)),
            Validity(days=pick([7, 30]), inactivity=True),
        ]
    )
    return PointsPolicy(
        validity=validity,
        pending_days=pick([0, 0, 1, 8]),
        shortfall=pick(list(Shortfall)),
        expired_counts_as_returned=pick([True, False]),
        reinstatement_days=pick([0, 0, 5, 40]),
        late=pick(list(LateRule)),
    )


@pytest.mark.deep
@pytest.mark.parametrize("block", range(10))
def test_a_hundred_thousand_sequences_keep_the_laws(block: int) -> None:
    """Each sequence is put to one law, all laws in turn; the seed names the sequence."""
    for seed in range(block * 10_000, (block + 1) * 10_000):
        choose = random.Random(seed)  # noqa: S311
        policy = _policy(choose)
        commands = made_commands(policy, choose.randint, choose.randint(1, 25))
        law: Law = EACH[seed % len(EACH)]
        try:
            law(policy, commands)
        except Exception as cause:
            cause.add_note(f"seed {seed}")
            raise


# --- the oracle -----------------------------------------------------------------------------------

POLICIES = st.builds(
    Rules,
    days=st.none() | st.sampled_from([1, 7, 30]),
    months=st.none() | st.sampled_from([1, 12]),
    month_end=st.booleans(),
    inactivity=st.booleans(),
    pending=st.sampled_from([0, 0, 1, 8]),
    shortfall=st.sampled_from(["debt", "clamp", "refuse"]),
    expired_counts=st.booleans(),
    reinstate=st.sampled_from([0, 5, 40]),
).filter(
    lambda x: (
        (x.days is None or x.months is None)
        and not (x.month_end and x.months is None)
        and not (x.inactivity and x.days is None)
    )
)


def _same(rules: Rules) -> PointsPolicy:
    return PointsPolicy(
        validity=Validity(
            days=rules.days,
            months=rules.months,
            until_end_of=PeriodEnd.MONTH if rules.month_end else PeriodEnd.NONE,
            inactivity=rules.inactivity,
        ),
        pending_days=rules.pending,
        shortfall=Shortfall(rules.shortfall),
        expired_counts_as_returned=rules.expired_counts,
        reinstatement_days=rules.reinstate,
    )


def _told(oracle: Ledger, command: object, day: date, name: str) -> bool:
    oracle.until(day)
    match command:
        case Earn(points=points, source=source, expires_on=end):
            return oracle.earn(day, points, source, end)
        case Redeem(points=points):
            return oracle.redeem(day, points, name)
        case Hold(points=points, hold=hold, until=until):
            assert until is None or isinstance(until, date)
            return oracle.hold(day, points, hold, until)
        case Capture(hold=hold, points=points):
            return oracle.capture(day, hold, points)
        case Release(hold=hold):
            return oracle.release(day, hold)
        case ReverseEarning(source=source, points=points):
            return oracle.reverse_earning(day, source, points)
        case ReverseRedemption(redemption=redemption, points=points):
            return oracle.reverse_redemption(day, redemption, points)
        case Adjust(points=points):
            return oracle.adjust(day, points)
    raise AssertionError(command)


KNOWN = (Earn, Redeem, Hold, Capture, Release, ReverseEarning, ReverseRedemption, Adjust)


def compare_with_oracle(rules: Rules, commands: list[PointsOrder]) -> int:
    """Both accept the same commands and have the same balances; returns how many were accepted."""
    policy, oracle, yes, day = _same(rules), Ledger(rules), 0, date.min
    plain = [x for x in commands if isinstance(x, KNOWN) and type(x.at) is date]
    ordered = []
    for command in plain:
        if command.at >= day:
            day = command.at
            ordered.append(command)
    for step in journey(policy, ordered):
        sent: Any = step.command
        day = sent.at
        name = getattr(sent, "redemption", "") or sent.key
        accepted = isinstance(step.answer, Accepted)
        assert _told(oracle, sent, day, name) is accepted, (sent, step.answer)
        yes += accepted
        found = step.after.balance(day)
        parts = (found.available, found.pending, found.held, found.debt, found.expired)
        assert parts == oracle.balance(day), sent
    for _ in range(10):
        day += timedelta(days=9)
        oracle.until(day)
        found = step.after.balance(day) if ordered else policy.start("M-1").balance(day)
        parts = (found.available, found.pending, found.held, found.debt, found.expired)
        assert parts == oracle.balance(day), day
    return yes


@pytest.mark.rule("E-14", "E-15", "E-17", "SM-13")
@given(data=st.data())
def test_an_account_is_what_its_points_are_one_by_one(data: st.DataObject) -> None:
    rules = data.draw(POLICIES)
    assert isinstance(rules, Rules)
    compare_with_oracle(rules, data.draw(points_commands(PointsPolicy())))


@pytest.mark.deep
def test_the_oracle_agrees_on_many_sequences() -> None:
    accepted = 0
    for seed in range(5_000):
        choose = random.Random(seed)  # noqa: S311
        pick = choose.choice
        days = pick([None, 1, 7, 30])
        months = None if days else pick([None, 1, 12])
        rules = Rules(
            days=days,
            months=months,
            month_end=bool(months) and pick([True, False]),
            inactivity=bool(days) and pick([True, False]),
            pending=pick([0, 0, 1, 8]),
            shortfall=pick(["debt", "clamp", "refuse"]),
            expired_counts=pick([True, False]),
            reinstate=pick([0, 5, 40]),
        )
        commands = made_commands(PointsPolicy(), choose.randint, 25)
        try:
            accepted += compare_with_oracle(rules, commands)
        except AssertionError as cause:
            cause.add_note(f"seed {seed}: {rules}")
            raise
    assert accepted > 10_000  # else the sequences say nothing
