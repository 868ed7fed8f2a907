"""What a loyalty programme consists of, what contradicts itself in it, and what it answers.

The programme is versioned data (E-01). What happens to a member is decided in ``loyalty``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from attrs import field, frozen

from retention.accounts import Account
from retention.benefits import BenefitCatalogue
from retention.earning import EarningOrder, EarningQuote, EarningRules
from retention.ledger import PointsPolicy
from retention.loyalty_orders import Member, qualifying_points
from retention.mechanisms.errors import InvalidValueError, WrongTypeError
from retention.mechanisms.periods import AsOf, When, plus_days, zone_of
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.member_days import MemberDay
from retention.points import POINTS
from retention.redeeming import RedemptionPurpose, RedemptionRules
from retention.statements import DueKind, ExpiryReminder, reminders
from retention.tier_changes import Standing, TierFacts
from retention.tiers import Tiers


@frozen
class ProgrammeViolation:
    """Something in a programme that contradicts itself or a rule of the handbook (E-01)."""

    rule: str
    where: str
    given: str
    allowed: str

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{self.where}: {self.given}; allowed: {self.allowed} ({self.rule})"


@policy
class ProgrammeTerms(Policy):
    """The parts of a programme; blank ones are carried and named when they are used."""

    version: str = "1"
    effective_from: date | None = None
    tiers: Tiers | None = None
    earning: EarningRules = field(factory=EarningRules)
    redeeming: RedemptionRules = field(factory=RedemptionRules)
    points: PointsPolicy = field(factory=PointsPolicy)
    benefits: BenefitCatalogue | None = None
    member_day: MemberDay | None = None
    qualifying_currency: str = POINTS  # whose points count for a tier
    zone: str = "Asia/Shanghai"

    # --- the programme itself -------------------------------------------------------------------

    def violations(self) -> tuple[ProgrammeViolation, ...]:
        """Return everything in which the programme contradicts itself (E-01, E-03).

        What is blank is not judged; ``blanks()`` lists it.
        """
        return tuple(self._violations())

    def _violations(self) -> Iterator[ProgrammeViolation]:
        names = [str(name) for name in self.ladder.names] if self.ladder else []
        for where, tier in self._named_tiers():
            if tier not in names:
                yield ProgrammeViolation("E-01", where, tier, ", ".join(names) or "no tiers")
        benefits = self.benefits
        if benefits is not None and not is_blank(benefits) and not is_blank(benefits.ladder):
            for each in benefits.violations():
                where = f"benefits of {each.higher}"
                yield ProgrammeViolation(
                    "E-03", where, str(each.shortfall), f"at least what {each.lower} has"
                )
        yield from self._other_zones()
        offset = self.redeeming.offset
        if is_blank(self.redeeming.purposes):
            return
        if self.redeeming.offers(RedemptionPurpose.CASH_OFFSET) and offset is None:
            yield ProgrammeViolation("E-12", "redeeming.offset", "none", "a rate, as CashOffset")
        if self.redeeming.offers(RedemptionPurpose.TIER_UPGRADE) and self.tiers is None:
            yield ProgrammeViolation("E-13", "tiers", "none", "a ladder, since points buy a step")

    def _other_zones(self) -> Iterator[ProgrammeViolation]:
        """Parts whose days are not those of the programme."""
        zones = {"earning": self.earning.zone, "points": self.points.zone}
        if self.ladder is not None:
            zones["tiers"] = self.ladder.zone
        for part, zone in zones.items():
            if zone != self.zone:
                yield ProgrammeViolation("E-01", f"{part}.zone", zone, self.zone)

    def _named_tiers(self) -> Iterator[tuple[str, str]]:
        """Every tier that some part of the programme names."""
        upgrades = self.redeeming.upgrades
        for row in () if is_blank(upgrades) else upgrades:
            yield f"redeeming.upgrades.{row.key}", row.tier
        for item in self.redeeming.items:
            yield from ((f"redeeming.items.{item.key}", tier) for tier in item.tiers)
        for each in self.earning.promotions:
            yield from ((f"earning.promotions.{each.key}", tier) for tier in each.tiers)
        spoken_of = self.tiers is not None and not is_blank(self.tiers)
        if spoken_of and self.benefits is not None and not is_blank(self.benefits):
            ladder = self.benefits.ladder
            yield from (("benefits.ladder", tier) for tier in (() if is_blank(ladder) else ladder))

    @property
    def ladder(self) -> Tiers | None:
        """The terms of tiers, if there are any that the handbook did not leave blank."""
        return None if self.tiers is None or is_blank(self.tiers) else self.tiers

    @property
    def ready_tiers(self) -> Tiers | None:
        """The terms of tiers, if nothing in them is blank."""
        ladder = self.ladder
        return ladder if ladder is not None and ladder.ready else None

    # --- questions ------------------------------------------------------------------------------

    def tier(self, member: Member | Account, *, as_of: When) -> Standing:
        """Return the tier of a member, why, until when, and what is missing (E-02).

        A blank in the ladder is named; whoever is no member yet has no tier.
        """
        whole = member_of(member)
        point = self.point(as_of)
        if isinstance(member, Member) and not whole.approved(point):
            raise InvalidValueError("as_of", as_of, "a time from the approval of the member on")
        if self.tiers is None:
            raise InvalidValueError("Programme.tiers", None, "a ladder, as Tiers")
        if is_blank(self.tiers):
            bool(self.tiers)  # which raises, and names the path
        return self.tiers.tier(self.tier_facts(whole, point), as_of=as_of)

    def quote(self, member: Member | Account, order: EarningOrder) -> EarningQuote:
        """Return what an order would earn, before anything is committed."""
        whole = member_of(member)
        return self.earning.quote(
            order,
            birthday=whole.birthday,
            tier=self.tier_name(whole, order.purchase.at),
            earned=lambda since, until: whole.account.earned(POINTS, since, until),
        )

    def due(self, member: Member, *, as_of: When) -> tuple[Any, ...]:
        """Return what comes next: the account's dues, and the end of the tier (E-05)."""
        dues: tuple[Any, ...] = member.account.due(as_of)
        ladder = self.ready_tiers
        if ladder is None or not member.approved(self.point(as_of)):
            return dues
        return (*dues, *ladder.due(self.tier_facts(member, self.point(as_of)), as_of=as_of))

    def reminders(self, member: Member | Account, *, on: date) -> tuple[ExpiryReminder, ...]:
        """Return the reminders of a day: points, their last usable day, what they buy (E-16)."""
        whole = member_of(member)
        due = [x for x in whole.account.due(plus_days(on, -1)) if x.on == on]
        available = {
            x.currency: whole.account.balance(on, x.currency).available
            for x in due
            if x.kind is DueKind.REMINDER
        }
        if not available:
            return ()
        tier = self.tier_name(whole, on)
        prices = {x.name: x.points for x in self.redeeming.items if x.offered(on, tier=tier)}
        return reminders(whole.account.id, due, available, prices)

    def point(self, when: When) -> AsOf:
        """Read a time in the zone of the programme."""
        return AsOf.at(when, zone_of(self.zone))

    def tier_facts(self, member: Member, point: AsOf) -> TierFacts:
        """Return what the ladder is asked about a member."""
        first = point.day if member.approved_at is None else self.point(member.approved_at).day
        pairs = qualifying_points(member.account, point, self.qualifying_currency)
        if member.approved_at is None:  # an account alone: its first day is that of the member
            first = min((day for day, _ in pairs), default=first)
        return TierFacts(member.id, first, member.known, pairs, member.changes)

    def tier_name(self, member: Member, when: When) -> str:
        """Return the tier for rules that ask for one; empty while the ladder is not filled."""
        ladder = self.ready_tiers
        if ladder is None:
            return ""
        point = self.point(when)
        return str(ladder.tier(self.tier_facts(member, point), as_of=when).tier)


def member_of(state: Member | Account) -> Member:
    """Return a member; an account alone is that of somebody who is one."""
    if isinstance(state, Account):
        return Member(state.id, state)
    if not isinstance(state, Member):
        raise WrongTypeError("state", state, "a Member, or the Account of one")
    return state
