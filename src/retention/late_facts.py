"""Facts that take effect before others that are known: backdated and out of order.

The policy chooses. *Rebook*: later facts take lots as if the late one had always been there;
what that changes is a fact too, so the log still says everything. *Pin*: later facts keep what
they took, and the late one gets what they have left. Either way every balance of the past and
of today stays legal, or the command is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import attrs

from retention.accounts import Account, Draft, comes_before, in_order
from retention.booking_rules import RULES, Booking, claw_back, come_back
from retention.bookings import back, first_of, redemption_of, taken, without
from retention.mechanisms.answers import Code, Refused
from retention.mechanisms.errors import InvalidValueError
from retention.point_policies import LateRule, PointsRules, Shortfall
from retention.points import (
    Adjusted,
    Captured,
    Earned,
    EarningReversed,
    Held,
    Opened,
    PointsFact,
    PointsOrder,
    Rebooked,
    Received,
    Redeemed,
    RedemptionReversed,
    Released,
)

Decided = tuple[Account, tuple[PointsFact, ...]] | Refused


def decided_late(rules: PointsRules, account: Account, command: PointsOrder, on: date) -> Decided:
    """Return the account after a late command with its facts, or the refusal."""
    order = in_order(account.facts)
    before = [fact for fact in order if not comes_before(command.at, on, fact)]
    after = order[len(before) :]
    used = _used_later(command, after)
    if used is not None:
        return _broken(rules, account, command, on, f"{used.name} of {used.on}")
    past = account.bare().summed(before).settled_before(command.at, on)
    pinned = rules.late is LateRule.PIN
    base = _capped(past, after) if pinned else past
    facts = RULES[type(command)](Booking(rules, base, on), command)
    if isinstance(facts, Refused):
        return facts
    if pinned:
        whole = account.journalled(facts).bare()
        try:
            return whole.summed([*before, *facts, *after]), tuple(facts)
        except InvalidValueError as cause:
            return _broken(rules, base, command, on, str(cause))
    return _rebook(rules, account, command, on, (before, facts, after))


def _used_later(command: PointsOrder, after: Sequence[PointsFact]) -> PointsFact | None:
    """Return a later fact of the same hold: what made or resolved it cannot come twice."""
    hold = getattr(command, "hold", None)
    return next((x for x in after if hold and getattr(x, "hold", None) == hold), None)


def _capped(past: Account, after: Sequence[PointsFact]) -> Account:
    """Return a past account in which only that is left which later facts have never used."""
    later, lowest, debts = Draft(past), dict[int, int](), {x.currency: x.debt for x in past.books}
    for fact in after:
        later.apply(fact)
        debts = {code: min(debt, later.debts[code]) for code, debt in debts.items()}
        for lot, _ in fact.moves[0]:
            lowest[lot] = min(lowest.get(lot, later.left[lot]), later.left[lot])
    capped = Draft(past)
    capped.debts |= debts
    for lot, points in lowest.items():
        if lot <= past.sequence and points < capped.remaining(lot):
            capped.left[lot] = points
    return capped.account(past.last)


def _rebook(
    rules: PointsRules,
    account: Account,
    command: PointsOrder,
    on: date,
    order: tuple[Sequence[PointsFact], Sequence[PointsFact], Sequence[PointsFact]],
) -> Decided:
    """Go through the later facts once more; each takes the lots that it now would."""
    before, facts, after = order
    state = account.journalled(facts).bare().summed([*before, *facts])
    passed, replaced = [*before, *facts], list[PointsFact]()
    for fact in after:
        state = state.settled_before(fact.at, fact.on)
        again = _again(rules, state, fact, passed)
        try:
            if again is not None and again != fact:
                state = state.replacing(again)
                replaced.append(again)
            state = state.summed([again or fact])
        except InvalidValueError as cause:
            return _broken(rules, account, command, on, str(cause))
        if again is None:
            return _broken(rules, account, command, on, f"{fact.name} of {fact.on}")
        passed.append(again)
    if not replaced:
        return state, tuple(facts)
    act = Booking(rules, state, on).act(command)
    note = Rebooked(sorted(replaced, key=lambda fact: fact.sequence), **act)
    return state.journalled([note]), (*facts, note)


def _broken(
    rules: PointsRules, account: Account, command: PointsOrder, on: date, what: str
) -> Refused:
    allowed = (f"at {account.last.on} or later",) if account.last else ()
    return Booking(rules, account, on).no(command, Code.BREAKS_HISTORY, what, allowed)


# --- a later fact once more -----------------------------------------------------------------------


def _again(
    rules: PointsRules, account: Account, fact: PointsFact, passed: Sequence[PointsFact]
) -> PointsFact | None:
    """Return a fact with what it does in the new history; None when it cannot be any more."""
    rebooks = _REBOOKS.get(type(fact))
    return fact if rebooks is None else rebooks(Booking(rules, account, fact.on), fact, passed)


def _brings(booking: Booking, fact: Any, _: Sequence[PointsFact]) -> PointsFact | None:  # noqa: ANN401
    if fact.points < 0:
        return _takes(booking, fact, _)
    repaid = booking.repaid(fact.currency, fact.points)
    new: PointsFact = attrs.evolve(fact, repaid=repaid)
    return new


def _takes(booking: Booking, fact: Any, _: Sequence[PointsFact]) -> PointsFact | None:  # noqa: ANN401
    book, renews = booking.account.book(fact.currency), getattr(fact, "renews", None)
    day = renews.toordinal() if renews else 0
    parts = taken(book, fact.on.toordinal(), abs(fact.points), day)
    return None if parts is None else attrs.evolve(fact, taken=parts)


def _resolves(booking: Booking, fact: Any, _: Sequence[PointsFact]) -> PointsFact | None:  # noqa: ANN401
    found = booking.account.hold(fact.hold)
    if found is None:
        return None
    used = first_of(found.taken, fact.points) if isinstance(fact, Captured) else ()
    rest = back(booking.account, fact.currency, without(found.taken, used), fact.on)
    new: PointsFact = attrs.evolve(fact, given=rest.given, repaid=rest.repaid)
    return attrs.evolve(new, captured=used) if isinstance(new, Captured) else new


def _reverses(
    booking: Booking, fact: EarningReversed, _: Sequence[PointsFact]
) -> PointsFact | None:
    earning: Any = booking.account.fact(fact.lot)
    parts, short = claw_back(booking, earning, fact.points)
    shortfall = booking.rules.shortfall
    if short and shortfall is Shortfall.REFUSE:
        return None
    debt = short if shortfall is Shortfall.DEBT else 0
    return attrs.evolve(fact, taken=parts, debt=debt, forgiven=short - debt)


def _returns(
    booking: Booking, fact: RedemptionReversed, passed: Sequence[PointsFact]
) -> PointsFact | None:
    found = redemption_of(booking.account, fact.redemption)
    if found is None:
        return None
    skip = sum(
        x.points
        for x in passed
        if isinstance(x, RedemptionReversed) and x.redemption == fact.redemption
    )
    rest = come_back(booking, found, fact.points, skip)
    again = rest.reinstated > 0
    return attrs.evolve(
        fact,
        given=rest.given,
        repaid=rest.repaid,
        reinstated=rest.reinstated,
        usable_on=fact.on if again else None,
        expires_on=booking.rules.reinstated_until(fact.on) if again else None,
    )


_Rebooks = Callable[[Booking, Any, Sequence[PointsFact]], PointsFact | None]

# What went to another account cannot be changed there, and what a person decided stands.
_REBOOKS: Mapping[type[PointsFact], _Rebooks] = {
    Earned: _brings,
    Opened: _brings,
    Received: _brings,
    Adjusted: _brings,
    Redeemed: _takes,
    Held: _takes,
    Captured: _resolves,
    Released: _resolves,
    EarningReversed: _reverses,
    RedemptionReversed: _returns,
}
