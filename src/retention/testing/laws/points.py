"""Points: no point appears or gets lost, nothing that was booked changes, reversals are exact.

Each law sends commands to a new account, one after the other, and looks after each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from operator import attrgetter
from typing import Any

import attrs
from attrs import frozen

from retention.accounts import Account
from retention.ledger import LateRule, PointsPolicy
from retention.lots import Lot
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.periods import When
from retention.points import (
    Captured,
    Earn,
    Earned,
    Held,
    PointsFact,
    PointsOrder,
    Redeem,
    Redeemed,
    Released,
    ReverseRedemption,
    points_to_reverse,
)
from retention.testing.laws.agreement import agree

_LATER = (0, 31)  # days after a command at which its account is looked at
_DAY = timedelta(days=1)


@frozen
class Step:
    """One command on its way through a policy: what was before, the answer, the log after."""

    before: Account
    command: PointsOrder
    answer: Accepted[Account, PointsFact] | Refused
    after: Account
    log: tuple[PointsFact, ...]  # as a store keeps it

    @property
    def days(self) -> list[date]:
        """Days to look at: that of the command, some later ones, and the latest known."""
        at = self.command.at
        day = date(at.year, at.month, at.day)
        known = [self.after.last.on] if self.after.last else []
        return [*(day + timedelta(days=n) for n in _LATER), *known]


def journey(policy: PointsPolicy, commands: Iterable[PointsOrder]) -> Iterator[Step]:
    """Send commands to a new account; what is refused leaves it as it was."""
    account, log = policy.start("M-1"), tuple[PointsFact, ...]()
    for command in commands:
        answer = policy.decide(account, command)
        state = account
        if isinstance(answer, Accepted):
            state, log = answer.state, (*log, *answer.facts)
        yield Step(account, command, answer, state, log)
        account = state


def points_are_conserved(policy: PointsPolicy, commands: Iterable[PointsOrder]) -> None:
    """On every day the entries sum to available + pending + held + expired - debt (E-14).

    >>> points_are_conserved(PointsPolicy(), [Earn(5, "O-1", at=date(2024, 1, 1), by="shop")])
    """
    for step in journey(policy, commands):
        for row in policy.currencies:
            mine = [x for x in step.after.facts if getattr(x, "currency", "") == row.code]
            for day in step.days:
                found = step.after.balance(day, row.code)
                agree(
                    "points_are_conserved", _told(step, day),
                    entries=sum(fact.signed for fact in mine if fact.on <= day),
                    balance=found.total + found.expired,
                )  # fmt: skip


def a_redemption_takes_what_is_available(
    policy: PointsPolicy, commands: Iterable[PointsOrder]
) -> None:
    """What is redeemed or held was available at that moment, lot by lot, and is not any more."""
    for step in journey(policy, commands):
        if not isinstance(step.answer, Accepted) or len(step.answer.facts) != 1:
            continue
        (fact,) = step.answer.facts
        if isinstance(fact, Redeemed | Held) and step.after.last == fact:
            usable = {
                lot.number: lot.remaining
                for lot in step.before.lots(fact.at, fact.currency)
                if lot.usable_on <= fact.on and (lot.expires_on or date.max) > fact.on
            }
            wrong = [part for part in fact.taken if usable.get(part[0], 0) < part[1]]
            told, law = _told(step, fact.on), "a_redemption_takes_what_is_available"
            agree(law, told, not_available=wrong, none=[])
            agree(law, told, parts=sum(n for _, n in fact.taken), points=fact.points)


def lots_stay_within_their_points(policy: PointsPolicy, commands: Iterable[PointsOrder]) -> None:
    """No lot ever has less than no points, or more than it was opened with."""
    for step in journey(policy, commands):
        for row in policy.currencies:
            for day in step.days:
                wrong = [
                    lot for lot in step.after.lots(day, row.code)
                    if not 0 <= lot.remaining <= lot.points
                ]  # fmt: skip
                agree("lots_stay_within_their_points", _told(step, day), wrong=wrong, none=[])


def every_balance_is_legal(policy: PointsPolicy, commands: Iterable[PointsOrder]) -> None:
    """No balance of any past day falls below nothing, whatever came late.

    Nothing is available while there is a debt, unless late facts are pinned.
    """
    for step in journey(policy, commands):
        days = {fact.on for fact in step.after.facts}
        for row in policy.currencies:
            for day in sorted({*days, *step.days}):
                found = step.after.balance(day, row.code)
                parts = (found.available, found.pending, found.held, found.expired)
                low = [n for n in (*parts, found.debt) if n < 0]
                agree("every_balance_is_legal", _told(step, day), low=low, none=[])
                if policy.late is not LateRule.PIN and found.debt:
                    usable = found.available + found.pending
                    agree("every_balance_is_legal", _told(step, day), beside_debt=usable, none=0)


def replay_equals_steps(policy: PointsPolicy, commands: Iterable[PointsOrder]) -> None:
    """The facts of the log give the account that the commands left, after each of them."""
    for step in journey(policy, commands):
        again = policy.replay("M-1", step.log)
        agree(
            "replay_equals_steps", _told(step, step.days[0]),
            replayed=_inside(again), stepped=_inside(step.after),
        )  # fmt: skip


def the_log_only_grows(policy: PointsPolicy, commands: Iterable[PointsOrder]) -> None:
    """Facts are numbered without gaps; what was known of a day by then is never changed.

    The balance as known before a command is the same when it is asked afterwards.
    """
    for step in journey(policy, commands):
        numbers = [fact.sequence for fact in step.log]
        wanted = list(range(1, len(numbers) + 1))
        agree("the_log_only_grows", _told(step, step.days[0]), numbers=numbers, wanted=wanted)
        known = policy.replay("M-1", step.log[: step.before.sequence])
        for day in step.days:
            agree(
                "the_log_only_grows", _told(step, day),
                known=known.balance(day), before=step.before.balance(day),
            )  # fmt: skip


def a_refusal_changes_nothing(policy: PointsPolicy, commands: Iterable[PointsOrder]) -> None:
    """A refusal leaves no trace: the account is what it was, and the key is not used up."""
    for step in journey(policy, commands):
        if isinstance(step.answer, Refused):
            agree(
                "a_refusal_changes_nothing", _told(step, step.days[0]),
                before=_inside(policy.replay("M-1", step.log)), after=_inside(step.after),
            )  # fmt: skip
            kept = tuple(fact for fact in step.log if fact.key == step.command.key)
            agree("a_refusal_changes_nothing", _told(step, step.days[0]), kept=kept, nothing=())


def a_key_repeats_its_answer(policy: PointsPolicy, commands: Iterable[PointsOrder]) -> None:
    """The same command again gives the same facts and changes nothing; another body is refused."""
    for step in journey(policy, commands):
        if not isinstance(step.answer, Accepted):
            continue
        kept = step.answer.facts
        again = policy.decide(step.after, step.command, earlier=kept)
        told = _told(step, step.days[0])
        agree("a_key_repeats_its_answer", told, again=again, once=Accepted(step.after, kept))
        other = attrs.evolve(step.command, by="somebody else")
        refused = policy.decide(step.after, other, earlier=kept)
        code = refused.code if isinstance(refused, Refused) else None
        agree("a_key_repeats_its_answer", told, other_body=code, wanted=Code.KEY_REUSED)


def a_hold_resolves_once(policy: PointsPolicy, commands: Iterable[PointsOrder]) -> None:
    """A hold is captured or released at most once, never above what it held."""
    log: tuple[PointsFact, ...] = ()
    for step in journey(policy, commands):
        log = step.after.facts
    held = {fact.hold: fact for fact in log if isinstance(fact, Held)}
    done = [fact for fact in log if isinstance(fact, Captured | Released)]
    names = [fact.hold for fact in done]
    agree("a_hold_resolves_once", str(names), once=len(set(names)), resolved=len(names))
    above = [fact for fact in done if fact.points > held[fact.hold].points]
    agree("a_hold_resolves_once", str(names), above=above, none=[])


def redeem_then_reverse_is_identity(
    policy: PointsPolicy, commands: Iterable[PointsOrder], parts: Sequence[int] = ()
) -> None:
    """A redemption that is taken back the same day leaves every lot as it was, and its expiry.

    Only what expires with inactivity has a later day, for a redemption is an activity.
    ``parts`` are points of partial reversals; the last one takes what is left.
    """
    for step in journey(policy, commands):
        last = step.after.last
        if last is None:
            continue
        for row in policy.currencies:
            have = step.after.balance(last.at, row.code)
            if not have.available or not row.redeemable or have.debt:
                continue
            said: dict[str, Any] = {"at": last.at, "by": "ann"}
            redeem = Redeem(have.available, currency=row.code, key="there", **said)
            account = policy.decide(step.after, redeem).or_raise().state
            for points in (*parts, None):
                back = ReverseRedemption("there", points, **said)
                answer = policy.decide(account, back)
                account = answer.state if isinstance(answer, Accepted) else account
            agree(
                "redeem_then_reverse_is_identity", _told(step, last.on),
                before=_lots(step.after, last.at, row.code),
                after=_lots(account, last.at, row.code),
            )  # fmt: skip


def soonest_first_expires_least(
    policy: PointsPolicy,
    commands: Iterable[PointsOrder],
    choose: Callable[[Sequence[int]], int],
    *,
    on: date,
) -> None:
    """Never do more points expire than if each redemption had taken lots in another order.

    Only earnings and redemptions count, and validities without inactivity; ``choose`` picks
    the lot to take from next.
    """
    plain = [x for x in commands if isinstance(x, Earn | Redeem)]
    account, left = policy.start("M-1"), dict[int, int]()
    for command in plain:
        answer = policy.decide(account, command)
        if not isinstance(answer, Accepted) or answer.state.last != answer.facts[-1]:
            continue  # refused, or late
        account = answer.state
        (fact,) = answer.facts
        if fact.opened:
            left[fact.sequence] = fact.opened
        need = -fact.signed if fact.signed < 0 else 0
        while need:
            usable = [x for x, rest in left.items() if rest and _usable(account, x, fact.on)]
            if not usable:
                return  # the other order has lost points before: there is nothing to compare
            lot = choose(usable)
            part = min(left[lot], need)
            left[lot] -= part
            need -= part
    if account.last is not None and on >= account.last.on:
        code = policy.currencies[0].code
        mine = (x for x in left if getattr(account.fact(x), "currency", "") == code)
        gone = sum(left[x] for x in mine if account.expiry(x) <= on.toordinal())
        least = account.balance(on, code).expired
        agree("soonest_first_expires_least", str(on), more=max(0, least - gone), none=0)


def _usable(account: Account, lot: int, day: date) -> bool:
    fact = account.fact(lot)
    opens = fact.usable_on if isinstance(fact, Earned) else date.max
    return opens <= day < date.fromordinal(min(account.expiry(lot), date.max.toordinal()))


def refunds_sum_to_the_whole(points: int, refunds_minor: Sequence[int]) -> None:
    """However a refund is split, its parts take back all the points of the purchase (E-17).

    >>> refunds_sum_to_the_whole(25, [100_00, 100_00, 59_00])
    """
    amount, before, taken = sum(refunds_minor), 0, 0
    for refund in refunds_minor:
        taken += points_to_reverse(
            points, amount_minor=amount, refunded_before_minor=before, refund_minor=refund
        )
        before += refund
    agree("refunds_sum_to_the_whole", str(list(refunds_minor)), parts=taken, whole=points)


def forecast_sums_to_the_balance(policy: PointsPolicy, commands: Iterable[PointsOrder]) -> None:
    """What is foretold to expire some day or never is available, pending and held points."""
    for step in journey(policy, commands):
        for row in policy.currencies:
            for day in step.days:
                foretold = sum(x.points for x in step.after.forecast(day, row.code))
                found = step.after.balance(day, row.code)
                agree(
                    "forecast_sums_to_the_balance", _told(step, day),
                    forecast=foretold, balance=found.total + found.debt,
                )  # fmt: skip


def statement_closes_with_the_balance(
    policy: PointsPolicy, commands: Iterable[PointsOrder]
) -> None:
    """A statement begins and ends with the balances of those days, and its lines add up."""
    for step in journey(policy, commands):
        for row in policy.currencies:
            for day in step.days:
                since = day - timedelta(days=60)
                told = step.after.statement(since, day, row.code)
                balances = [step.after.balance(x, row.code).total for x in (since - _DAY, day)]
                agree(
                    "statement_closes_with_the_balance", _told(step, day),
                    statement=[told.opening, told.closing], balances=balances,
                )  # fmt: skip
                lines = told.opening + sum(entry.points for entry in told.entries)
                agree(
                    "statement_closes_with_the_balance", _told(step, day),
                    lines=lines, closing=told.closing,
                )  # fmt: skip


def nothing_changes_in_points_before_due(
    policy: PointsPolicy, commands: Iterable[PointsOrder]
) -> None:
    """Until the day before what is due next, every balance stays; so nothing has to poll."""
    account = policy.start("M-1")
    for step in journey(policy, commands):
        account = step.after
    if account.last is None:
        return
    day = account.last.on
    for _ in range(6):
        due = account.due(day)
        until = due[0].on - _DAY if due else day + timedelta(days=1_000)
        for row in policy.currencies:
            now, then = account.balance(day, row.code), account.balance(until, row.code)
            told = f"{day} to {until}"
            agree("nothing_changes_in_points_before_due", told, now=now, then=then)
        if not due:
            return
        day = due[0].on


def _told(step: Step, day: date) -> str:
    answer = step.answer if isinstance(step.answer, Refused) else step.answer.facts
    return f"on {day} after {step.command} which gave {answer}"


def _lots(account: Account, as_of: When, currency: str) -> list[Lot]:
    found = sorted(account.lots(as_of, currency), key=attrgetter("number"))
    return [attrs.evolve(lot, expires_on=None) if lot.sliding else lot for lot in found]


def _inside(account: Account) -> tuple[object, ...]:
    return account.facts, account.books, set(account.holds), account.last
