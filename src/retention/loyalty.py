"""The loyalty programme: one policy value that bundles tiers, points, prices and benefits (E-01).

A programme is versioned data: which tiers there are and how they are reached, what earns
points and what they buy, which benefits come with a tier, when the member day is. It judges
what is done with a member: what the rules give happens at once, everything else needs somebody
who approves it (E-38), and nothing happens before the membership is approved.

How points are booked is decided in ``ledger``, how a tier changes in ``tiers``, how a benefit
is used in ``redemptions``; reports about a programme are in ``loyalty_reports``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, overload

import attrs

from retention import points
from retention.accounts import Account
from retention.earning import EarningQuote
from retention.loyalty_orders import (
    CarryOut,
    Earn,
    EarnFor,
    EvaluateTier,
    Grant,
    LoyaltyCommand,
    LoyaltyFact,
    LoyaltyOrder,
    Member,
    Offset,
    Overridden,
    RedeemFor,
    Refund,
    SetTier,
    UpgradeTier,
    held_points,
)
from retention.loyalty_repeats import repeated_before
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.periods import When
from retention.mechanisms.policies import policy
from retention.points import POINTS
from retention.programmes import ProgrammeTerms, ProgrammeViolation, member_of
from retention.redeeming import RedemptionPurpose
from retention.redemptions import PointsAction, PointsRequest
from retention.rewards import Reward, RewardKind, RewardReversal
from retention.tier_changes import TIER, Standing, TierChange, TierMove
from retention.touch_requests import TouchKind, TouchRequest

__all__ = [
    "CarryOut",
    "Earn",
    "EarnFor",
    "EvaluateTier",
    "Grant",
    "LoyaltyCommand",
    "LoyaltyFact",
    "LoyaltyOrder",
    "Member",
    "Offset",
    "Overridden",
    "Programme",
    "ProgrammeViolation",
    "RedeemFor",
    "Refund",
    "SetTier",
    "UpgradeTier",
    "in_force",
]

_ALLOWED = tuple(LoyaltyCommand)
Answer = Accepted[Member, LoyaltyFact] | Refused


@policy
class Programme(ProgrammeTerms):
    """A version of the programme: tiers, earning, redeeming, points, benefits, member day (E-01).

    What a member holds when the programme changes follows the room it is of: lots keep their
    days, a tier its last day, and the next decision is made by the programme then in force.

    >>> from retention.activity import Purchase
    >>> from retention.earning import EarningRules
    >>> from retention.mechanisms.money import Money
    >>> programme = Programme(earning=EarningRules(step=Money.of(10, "CNY")))
    >>> order = Purchase("M-1", date(2024, 6, 15), 259_00, order="O-1", currency="CNY")
    >>> account = programme.points.start("M-1")
    >>> done = programme.decide(account, Earn(order, at=order.at, by="checkout")).or_raise()
    >>> print(done.state.balance(order.at))
    available 25, pending 0, held 0
    >>> programme.decide(done.state, Earn(order, at=order.at, by="checkout")).or_raise().state \
== done.state
    True
    """

    # --- decisions ------------------------------------------------------------------------------

    @overload
    def decide(
        self, state: Member, command: LoyaltyOrder, *, earlier: Iterable[LoyaltyFact] = ()
    ) -> Accepted[Member, LoyaltyFact] | Refused: ...
    @overload
    def decide(
        self, state: Account, command: LoyaltyOrder, *, earlier: Iterable[LoyaltyFact] = ()
    ) -> Accepted[Account, LoyaltyFact] | Refused: ...
    def decide(
        self,
        state: Member | Account,
        command: LoyaltyOrder,
        *,
        earlier: Iterable[LoyaltyFact] = (),
    ) -> Accepted[Any, LoyaltyFact] | Refused:
        """Judge a command to a member, or to the account alone of somebody who is one.

        A source earns once: the same purchase again gives the earlier facts and changes
        nothing. Several facts of one command come together or not at all.
        """
        answer = self._judged(member_of(state), state, command, tuple(earlier))
        if isinstance(answer, Refused) or isinstance(state, Member):
            return answer
        return Accepted(answer.state.account, answer.facts, answer.requests)

    def _judged(
        self,
        member: Member,
        state: Member | Account,
        command: LoyaltyOrder,
        earlier: tuple[LoyaltyFact, ...],
    ) -> Answer:
        if isinstance(state, Member) and not member.approved(self.point(command.at)):
            return Refused(Code.NOT_A_MEMBER, ("applicant", command.name), ("approval",))
        counted = self.earning.counted_minor(command.order) if isinstance(command, Earn) else 0
        again = repeated_before(member, command, earlier, counted)
        if again is not None:
            return again
        judges: dict[type, Callable[[Member, Any], Answer]] = {
            Earn: self._earn,
            EarnFor: self._earn_for,
            Refund: self._refund,
            RedeemFor: self._redeem_for,
            Offset: self._offset,
            UpgradeTier: self._upgrade,
            EvaluateTier: self._evaluate,
            Grant: self._grant,
            SetTier: self._set_tier,
            CarryOut: self._carry_out,
        }
        return judges[type(command)](member, command)

    # --- earning --------------------------------------------------------------------------------

    def _earn(self, member: Member, command: Earn) -> Answer:
        if command.purchase.customer != member.id:
            return _missing(command, "purchase_of_this_member")
        if not command.source:
            return _missing(command, "order_or_key")
        quote = self.quote(member, command.order)
        given = self._give(member, command, quote, command.source)
        if isinstance(given, Refused):
            return given
        bought = given.state.with_purchase(command.purchase)
        return self._evaluated(bought, command, given)

    def _earn_for(self, member: Member, command: EarnFor) -> Answer:
        wanted = command.prize or str(command.event)
        rows = [(row.key, row.event) for row in self.earning.events]
        if (wanted, command.event) not in rows:
            grant = (LoyaltyCommand.GRANT,)
            return Refused(Code.OVERRIDE_REQUIRED, ("member", command.name), ("rule",), grant)
        quote = self.earning.reward(
            command.event,
            name=command.prize,
            on=self.point(command.at).day,
            earned=lambda since, until: member.account.earned(POINTS, since, until),
        )
        given = self._give(member, command, quote, command.source)
        return given if isinstance(given, Refused) else self._evaluated(given.state, command, given)

    def _give(
        self, member: Member, command: Earn | EarnFor, quote: EarningQuote, source: str
    ) -> Answer:
        """Book the parts of a quote, each as an entry of its own."""
        key = command.key or f"{command.name}:{source}"
        return self._book(
            member,
            [
                points.Earn(
                    part.points,
                    source,
                    f"{part.rule}: {part.reason}",
                    at=command.at,
                    by=command.by,
                    key=key if part.rule == "purchase" else f"{key}#{part.rule}",
                )
                for part in quote.parts
                if part.points
            ],
        )

    def _refund(self, member: Member, command: Refund) -> Answer:
        if command.purchase.customer != member.id:
            return _missing(command, "purchase_of_this_member")
        source = command.purchase.order
        held = held_points(member.account, source) if source else 0
        if not held:
            return Refused(Code.UNKNOWN_REFERENCE, ("member", command.name), ("earning",), _ALLOWED)
        tier = self.tier_name(member, command.purchase.at)
        kept = self.earning.kept_points(command.order, held, birthday=member.birthday, tier=tier)
        if kept == held:
            return Accepted(member)
        taken = points.ReverseEarning(
            source, held - kept, at=command.at, by=command.by, key=command.key
        )
        return self._book(member, [taken])

    def _carry_out(self, member: Member, command: CarryOut) -> Answer:
        """Book what another room asks for; what is no matter of points is the host's."""
        request = command.request
        if request.member != member.id:
            return _missing(command, "request_of_this_member")
        if not isinstance(request, PointsRequest) and request.kind is not RewardKind.POINTS:
            given = ("member", command.name)
            return Refused(Code.NOT_APPLICABLE, given, (str(request.kind),), (RewardKind.POINTS,))
        act: dict[str, Any] = {"at": command.at, "by": command.by, "key": request.key}
        if isinstance(request, Reward):
            reason = f"{request.reason}: {request.source}"
            order: points.PointsOrder = points.Earn(request.amount, request.key, reason, **act)
        elif isinstance(request, RewardReversal):
            order = points.ReverseEarning(request.reverses, request.amount, **act)
        elif request.action is PointsAction.TAKE:
            use = f"benefit:{request.source}"
            order = points.Redeem(request.points, use, redemption=request.source, **act)
        else:
            order = points.ReverseRedemption(request.source, request.points, **act)
        done = self._book(member, [order])
        return done if isinstance(done, Refused) else self._evaluated(done.state, command, done)

    # --- redeeming ------------------------------------------------------------------------------

    def _redeem_for(self, member: Member, command: RedeemFor) -> Answer:
        items = self.redeeming.items
        row = next((x for x in items if x.name == command.item), None)
        day = self.point(command.at).day
        if row is None or not row.offered(day, tier=self.tier_name(member, command.at)):
            offered = tuple(x.name for x in items)
            return Refused(Code.NOT_OFFERED, ("member", command.name), (command.item,), offered)
        return self._book(member, [self._spend(command, row.points, f"{row.purpose}:{row.name}")])

    def _offset(self, member: Member, command: Offset) -> Answer:
        rate = self.redeeming.offset
        if rate is None or not self.redeeming.offers(RedemptionPurpose.CASH_OFFSET):
            offered = tuple(map(str, self.redeeming.purposes))
            return Refused(Code.NOT_OFFERED, ("member", command.name), ("cash_offset",), offered)
        quote = rate.of(command.points, command.order)
        if not quote.points:
            why = tuple(str(reason) for reason in quote.reasons if not reason.held)
            return Refused(Code.NOT_APPLICABLE, ("member", command.name), why, _ALLOWED)
        done = self._book(member, [self._spend(command, quote.points, "cash_offset")])
        if isinstance(done, Refused):
            return done
        return Accepted(done.state, done.facts, (quote, *done.requests))

    def _spend(self, command: RedeemFor | Offset | UpgradeTier, n: int, purpose: str) -> Any:  # noqa: ANN401
        return points.Redeem(n, purpose, at=command.at, by=command.by, key=command.key)

    def _upgrade(self, member: Member, command: UpgradeTier) -> Answer:
        """Sell the next step of the ladder, with its normal validity (E-13)."""
        given = ("member", command.name)
        if not self.redeeming.offers(RedemptionPurpose.TIER_UPGRADE):
            offered = tuple(map(str, self.redeeming.purposes))
            return Refused(Code.NOT_OFFERED, given, ("tier_upgrade",), offered)
        here = self.tier(member, as_of=command.at)
        if here.next_tier != command.tier:
            above = (here.next_tier,) if here.next_tier else ()
            return Refused(Code.NOT_POSSIBLE, (here.tier, command.name), ("one_step",), above)
        price = self.redeeming.upgrade(command.tier)
        if price is None:
            return Refused(Code.NOT_OFFERED, given, (f"price of {command.tier}",), _ALLOWED)
        spend = self._spend(command, price.points + 0, f"tier_upgrade:{command.tier}")
        done = self._book(member, [spend])
        if isinstance(done, Refused):
            return done
        cause = f"{price.points} points"
        return self._moved(
            done, command, TierMove.BUY, command.tier, cause, here, frozenset({"points"})
        )

    # --- overrides (E-38) -----------------------------------------------------------------------

    def _grant(self, member: Member, command: Grant) -> Answer:
        unfit = _unapproved(command)
        if unfit is not None:
            return unfit
        source = command.key or f"override:{command.reason}"
        given = points.Earn(
            command.points,
            source,
            f"override: {command.reason}",
            at=command.at,
            by=command.by,
            key=command.key,
        )
        done = self._book(member, [given])
        return done if isinstance(done, Refused) else self._logged(done, command)

    def _set_tier(self, member: Member, command: SetTier) -> Answer:
        unfit = _unapproved(command)
        if unfit is not None:
            return unfit
        here = self.tier(member, as_of=command.at)
        names = tuple(map(str, self.ladder.names)) if self.ladder else ()
        if command.tier not in names:
            return Refused(Code.NOT_POSSIBLE, (here.tier, command.name), ("tier",), names)
        base: Accepted[Member, LoyaltyFact] = Accepted(member)
        moved = self._moved(
            base, command, TierMove.SET, command.tier, f"override: {command.reason}", here,
            frozenset({"approver"}), (command.valid_through, command.locked_through),
        )  # fmt: skip
        return moved if isinstance(moved, Refused) else self._logged(moved, command)

    def _logged(self, done: Accepted[Member, LoyaltyFact], command: Grant | SetTier) -> Answer:
        fact = Overridden(
            str(command.name),
            command.approver,
            command.reason,
            at=command.at,
            by=command.by,
            on=self.point(command.at).day,
            key=command.key,
        )
        state = attrs.evolve(done.state, overrides=(*done.state.overrides, fact))
        return Accepted(state, (*done.facts, fact), done.requests)

    # --- tiers ----------------------------------------------------------------------------------

    def _evaluated(
        self, member: Member, command: LoyaltyOrder, done: Accepted[Member, LoyaltyFact]
    ) -> Answer:
        """Put the changes of tier on record that follow, and ask for their notices (E-06)."""
        ladder = self.ready_tiers
        if ladder is None or member.approved_at is None:
            return Accepted(member, done.facts, done.requests)
        when = self._evaluated_at(member, command.at)
        found = ladder.changes(self.tier_facts(member, self.point(when)), as_of=when)
        keyed = tuple(attrs.evolve(change, key=command.key) for change in found)
        return _with_changes(member, done, keyed)

    def _evaluated_at(self, member: Member, at: When) -> When:
        """Return when the tier is judged: a late entry never comes before a change on record."""
        last, point = (member.changes[-1] if member.changes else None), self.point(at)
        if last is None or (point.knows(last.at) and last.on <= point.day):
            return at
        return max(last.on, point.day)

    def _evaluate(self, member: Member, command: EvaluateTier) -> Answer:
        return self._evaluated(member, command, Accepted(member))

    def _moved(
        self,
        done: Accepted[Member, LoyaltyFact],
        command: UpgradeTier | SetTier,
        move: TierMove,
        tier: str,
        cause: str,
        here: Standing,
        brings: frozenset[str],
        ends: tuple[date | None, date | None] = (None, None),
    ) -> Answer:
        """Record what the rules did before, and then a step that somebody asked for (SM-12)."""
        step = TIER.step(here.state, move, brings)
        if isinstance(step, Refused) or self.ladder is None:
            return step if isinstance(step, Refused) else _missing(command, "tiers")
        day = self.point(command.at).day
        change = TierChange(
            done.state.id,
            move,
            here.tier,
            tier,
            ends[0] or self.ladder.last_day(day, tier),
            ends[1],
            cause,
            at=command.at,
            by=command.by,
            on=day,
            key=command.key,
        )
        return _with_changes(done.state, done, (*here.new_changes, change))

    def _book(self, member: Member, orders: Iterable[points.PointsOrder]) -> Answer:
        """Carry out commands to the account one after the other: all of them or none."""
        account, facts = member.account, list[LoyaltyFact]()
        for order in orders:
            answer = self.points.decide(account, order)
            if isinstance(answer, Refused):
                return answer
            account = answer.state
            facts += answer.facts
        return Accepted(attrs.evolve(member, account=account), tuple(facts))

    def replay(self, start: Member, facts: Iterable[LoyaltyFact]) -> Member:
        """Fold the facts of a member: account, tiers, overrides; purchases are the host's."""
        log = list(facts)
        booked = [fact for fact in log if isinstance(fact, points.PointsFact)]
        changes = tuple(fact for fact in log if isinstance(fact, TierChange))
        overrides = tuple(fact for fact in log if isinstance(fact, Overridden))
        account = self.points.replay(start.account.id, (*start.account.facts, *booked))
        return attrs.evolve(
            start,
            account=account,
            changes=(*start.changes, *changes),
            overrides=(*start.overrides, *overrides),
        )


def in_force(versions: Iterable[Programme], on: date) -> Programme:
    """Return the version of the programme that holds on a day: the last that took effect.

    >>> old, new = Programme(), Programme(version="2", effective_from=date(2024, 7, 1))
    >>> [in_force([new, old], date(2024, month, 1)).version for month in (6, 7)]
    ['1', '2']
    """
    begun = [x for x in versions if (x.effective_from or date.min) <= on]
    if not begun:
        raise InvalidValueError("in_force", on, "a day from the first version on")
    return max(begun, key=lambda x: x.effective_from or date.min)


def _missing(command: LoyaltyOrder, name: str) -> Refused:
    return Refused(Code.NAMES_MISSING, ("member", command.name), (name,), _ALLOWED)


def _unapproved(command: Grant | SetTier) -> Refused | None:
    """Refuse what no rule gives unless another person approves it (E-38)."""
    given = ("member", command.name)
    if not command.approver:
        return Refused(Code.OVERRIDE_REQUIRED, given, ("approver",), _ALLOWED)
    if command.approver == command.by:
        return Refused(Code.OVERRIDE_REQUIRED, given, ("another_approver",), _ALLOWED)
    return None


def _with_changes(
    member: Member, done: Accepted[Member, LoyaltyFact], changes: tuple[TierChange, ...]
) -> Accepted[Member, LoyaltyFact]:
    state = attrs.evolve(member, changes=(*member.changes, *changes))
    notices = tuple(_notice(change) for change in changes)
    return Accepted(state, (*done.facts, *changes), (*done.requests, *notices))


def _notice(change: TierChange) -> TouchRequest:
    """Ask for the notice of a change of tier (E-06)."""
    through = None if change.valid_through is None else str(change.valid_through)
    says = {
        "move": str(change.move),
        "left": change.left,
        "entered": change.entered,
        "valid_through": through,
    }
    return TouchRequest(change.member, TouchKind.TIER_CHANGE, change.on, says, rule="E-06")
