"""When a command to a member comes again: by its key, or by the source that earns once (E-14)."""

from __future__ import annotations

from retention import points
from retention.loyalty_orders import (
    CarryOut,
    Earn,
    EarnFor,
    Grant,
    LoyaltyCommand,
    LoyaltyFact,
    LoyaltyOrder,
    Member,
    Offset,
    Overridden,
    RedeemFor,
    Refund,
    UpgradeTier,
)
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.redemptions import PointsRequest
from retention.tier_changes import TierChange


def repeated_before(
    member: Member, command: LoyaltyOrder, earlier: tuple[LoyaltyFact, ...], counted_minor: int
) -> Accepted[Member, LoyaltyFact] | Refused | None:
    """Repeat what a source or a key did before; refuse it for another content (E-14).

    ``counted_minor`` is what of the order earns, so that another amount is noticed.
    """
    found = _done_before(member, command, earlier)
    if not found:
        return None
    if all(_came_from(fact, command, counted_minor) for fact in found):
        return Accepted(member, found)
    return Refused(
        Code.KEY_REUSED, ("member", command.name), ("unused_key",), tuple(LoyaltyCommand)
    )


def _done_before(
    member: Member, command: LoyaltyOrder, earlier: tuple[LoyaltyFact, ...]
) -> tuple[LoyaltyFact, ...]:
    key = command.request.key if isinstance(command, CarryOut) else command.key
    if isinstance(command, CarryOut):
        earlier = (*earlier, *member.account.facts)  # a request is done once, whoever hands it in
    keyed = (x for x in earlier if key and (x.key == key or x.key.startswith(f"{key}#")))
    found = dict.fromkeys(keyed)
    if isinstance(command, Earn | EarnFor) and command.source:
        for fact in member.account.named(command.source):
            if isinstance(fact, points.Earned):
                found[fact] = None
    return tuple(found)


def _came_from(fact: LoyaltyFact, command: LoyaltyOrder, counted: int) -> bool:
    """Whether a fact came from such a command, the time aside."""
    if isinstance(fact, TierChange):
        wanted = getattr(command, "tier", fact.entered)
        return fact.by in {"rule", command.by} and wanted == fact.entered
    if isinstance(fact, Overridden):
        same = (getattr(command, "reason", None), getattr(command, "approver", None))
        return same == (fact.reason, fact.approver) and fact.by == command.by
    return _booked_by(fact, command, counted)


def _booked_by(fact: points.PointsFact, command: LoyaltyOrder, counted: int) -> bool:
    if isinstance(command, CarryOut):
        return _asked_by(fact, command)
    if isinstance(fact, points.Earned):
        return _earned_by(fact, command, counted)
    if fact.by != command.by:
        return False
    if isinstance(fact, points.EarningReversed):
        return isinstance(command, Refund) and fact.source == command.purchase.order
    return isinstance(fact, points.Redeemed) and _redeemed_by(fact, command)


def _earned_by(fact: points.Earned, command: LoyaltyOrder, counted: int) -> bool:
    """Whether points came from the same source by the same rule; who says so does not matter."""
    match command:
        case Earn():
            base = fact.reason.startswith("purchase: ")
            same = not base or f" {counted} " in fact.reason
            return fact.source == command.source and same
        case EarnFor():
            rule = command.prize or str(command.event)
            return fact.source == command.source and fact.reason.startswith(f"{rule}: ")
        case Grant():
            return (fact.points, fact.reason) == (command.points, f"override: {command.reason}")
    return False


def _redeemed_by(fact: points.Redeemed, command: LoyaltyOrder) -> bool:
    match command:
        case RedeemFor():
            return fact.purpose.endswith(f":{command.item}")
        case Offset():
            return fact.purpose == "cash_offset" and fact.points <= command.points
        case UpgradeTier():
            return fact.purpose == f"tier_upgrade:{command.tier}"
    return False


def _asked_by(fact: points.PointsFact, command: CarryOut) -> bool:
    """Whether a fact carries out such a request."""
    request = command.request
    wanted = request.points if isinstance(request, PointsRequest) else request.amount
    done = getattr(fact, "points", None)
    # One reversal may take several facts, each with a part of the points.
    whole = done == wanted or isinstance(fact, points.EarningReversed)
    return fact.key == request.key and whole
