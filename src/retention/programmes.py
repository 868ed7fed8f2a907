"""What a loyalty programme consists of, what contradicts itself in it, and what it answers.

The programme is versioned data (E-01). What happens to a member is decided in ``loyalty``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from retention.accounts import Account
from retention.benefit_grants import OccasionBenefits
from retention.benefits import BenefitCatalogue
from retention.coupons import Coupons
from retention.earning import EarningOrder, EarningQuote, EarningRules
from retention.ledger import PointsPolicy
from retention.loyalty_orders import Member, qualifying_points
from retention.mechanisms.errors import InvalidValueError, WrongTypeError
from retention.mechanisms.periods import AsOf, When, plus_days, zone_of
from retention.mechanisms.policies import Policy, blank, is_blank, policy
from retention.member_days import MemberDay
from retention.points import POINTS
from retention.privileges import DedicatedService, EventPriority, PriorityDispatch
from retention.programme_changes import BenefitReviews, ChangeTerms
from retention.redeeming import RedemptionPurpose, RedemptionRules
from retention.redemptions import RedemptionTerms
from retention.referrals import ReferralTerms
from retention.rewards import ActivityRewards
from retention.statements import DueKind, ExpiryReminder, reminders
from retention.tier_changes import Standing, TierFacts
from retention.tiers import Tiers

if TYPE_CHECKING:
    from retention.point_columns import Balances
    from retention.point_logs import PointsLog


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


_WITH_ZONE = (
    *("earning", "points", "tiers", "member_day", "coupons", "referral"),
    *("dispatch", "benefit_redemption", "benefit_reviews", "benefit_changes"),
)


@policy
class ProgrammeTerms(Policy):
    """The parts of a programme; blank ones are carried and named when they are used.

    Every rule about members is one of them: ``coupons`` (E-40), ``referral`` (E-28 to E-30),
    ``occasions`` (E-25 to E-27), the privileges of tiers (E-22, E-42, E-43), how benefits are
    used (E-36), reviewed (E-31) and changed (E-32 to E-34). So one path changes any of them.

    >>> from retention.presets import ecommerce, user_retention
    >>> str(ecommerce.programme.coupons.terms("first_order_back").pays)
    '4/5'
    >>> ours = user_retention.with_("programme.referral.referrer.amount", 200)
    >>> ours.programme.referral.referrer.amount
    200
    """

    version: str = "1"
    effective_from: date | None = None
    tiers: Tiers | None = None
    earning: EarningRules = field(factory=EarningRules)
    redeeming: RedemptionRules = field(factory=RedemptionRules)
    points: PointsPolicy = field(factory=PointsPolicy)
    benefits: BenefitCatalogue | None = None
    member_day: MemberDay | None = None
    occasions: OccasionBenefits = field(default=blank("no occasions are named"))
    coupons: Coupons = field(default=blank("no coupons are named"))
    referral: ReferralTerms = field(default=blank("no referrals are named"))
    activity_rewards: ActivityRewards = field(default=blank("no rewards of activities are named"))
    dispatch: PriorityDispatch = field(default=blank("no priority of dispatch is named"))
    dedicated_service: DedicatedService = field(default=blank("no dedicated staff is named"))
    event_priority: EventPriority = field(default=blank("no priority at events is named"))
    benefit_redemption: RedemptionTerms = field(default=blank("no use of benefits is named"))
    benefit_reviews: BenefitReviews = field(default=blank("no review of benefits is named"))
    benefit_changes: ChangeTerms = field(default=blank("no change of benefits is named"))
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
        yield from self._unreachable_channels()
        offset = self.redeeming.offset
        if is_blank(self.redeeming.purposes):
            return
        if self.redeeming.offers(RedemptionPurpose.CASH_OFFSET) and offset is None:
            yield ProgrammeViolation("E-12", "redeeming.offset", "none", "a rate, as CashOffset")
        if self.redeeming.offers(RedemptionPurpose.TIER_UPGRADE) and self.tiers is None:
            yield ProgrammeViolation("E-13", "tiers", "none", "a ladder, since points buy a step")

    def _other_zones(self) -> Iterator[ProgrammeViolation]:
        """Parts whose days are not those of the programme."""
        for name in _WITH_ZONE:
            part = getattr(self, name)
            if part is not None and not is_blank(part) and part.zone != self.zone:
                yield ProgrammeViolation("E-01", f"{name}.zone", part.zone, self.zone)

    def _named_tiers(self) -> Iterator[tuple[str, str]]:
        """Every tier that some part of the programme names."""
        upgrades = self.redeeming.upgrades
        for row in () if is_blank(upgrades) else upgrades:
            yield f"redeeming.upgrades.{row.key}", row.tier
        for item in self.redeeming.items:
            yield from ((f"redeeming.items.{item.key}", tier) for tier in item.tiers)
        for each in self.earning.promotions:
            yield from ((f"earning.promotions.{each.key}", tier) for tier in each.tiers)
        if self.tiers is not None and not is_blank(self.tiers):
            yield from self._tiers_of_benefits()

    def _tiers_of_benefits(self) -> Iterator[tuple[str, str]]:
        """Every tier that benefits and privileges name (E-19, E-22, E-42, E-43)."""
        benefits, events = self.benefits, self.event_priority
        named: dict[str, Any] = {
            "dispatch": self.dispatch,
            "dedicated_service": self.dedicated_service,
        }
        if not is_blank(events) and not is_blank(events.windows):
            named |= {f"event_priority.{row.key}": row for row in events.windows}
        if not is_blank(events) and events.reserved is not None:
            named["event_priority.reserved"] = events.reserved
        lists = {where: part.tiers for where, part in named.items() if not is_blank(part)}
        if benefits is not None and not is_blank(benefits):
            lists = {"benefits.ladder": benefits.ladder, **lists}
        for where, tiers in lists.items():
            yield from ((where, tier) for tier in (() if is_blank(tiers) else tiers))

    def _unreachable_channels(self) -> Iterator[ProgrammeViolation]:
        """A notice that asks for more channels than there are can never be given (E-32)."""
        terms = self.benefit_changes
        if is_blank(terms) or is_blank(terms.channels) or is_blank(terms.min_channels):
            return
        most = len(set(terms.channels))
        if terms.min_channels > most:
            where, given = "benefit_changes.min_channels", str(terms.min_channels)
            yield ProgrammeViolation("E-32", where, given, f"<= {most}, the channels named")

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

    def balances(self, log: PointsLog, *, as_of: When, currency: str = POINTS) -> Balances:
        """Return what stands in every account of a log of entries, as columns (E-14)."""
        return self.points.balances(log, as_of=as_of, currency=currency)

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
