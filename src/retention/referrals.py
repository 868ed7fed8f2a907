"""Referrals: who invited whom, who is rewarded once, and what is refused or taken back.

Both sides are rewarded exactly once, when the referred user has bought for the first time
(E-28); invalid referrals are refused with their reasons, and a return within the return period
takes the rewards back (E-30, SM-16). Chains of invitations are a tree (E-29). Rewards are
requests: the ledger decides how points are booked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from functools import cached_property

import attrs
from attrs import field, frozen

from retention.mechanisms.acts import timed, who
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.choices import member as chosen
from retention.mechanisms.errors import (
    UnknownNameError,
)
from retention.mechanisms.machines import Machine
from retention.mechanisms.periods import When, local_date, plus_days, zone_of
from retention.mechanisms.policies import Policy, policy, read
from retention.mechanisms.words import Word
from retention.mechanisms.workflows import Act, Progress, Taken, Workflow
from retention.rewards import Reward, RewardKind, reversal


class ReferralState(Word, zh="推荐状态"):
    """Where a referral stands (SM-16)."""

    INVITED = "invited", "已邀请"
    REGISTERED = "registered", "已注册"
    PURCHASED = "purchased", "已首购"
    REWARDED = "rewarded", "已奖励"
    REFUSED = "refused", "不予奖励"
    CANCELLED = "cancelled", "已撤销"


class ReferralCommand(Word, zh="推荐操作"):
    """What happens to a referral (SM-16)."""

    REGISTER = "register", "注册"
    REFUSE = "refuse", "拒绝"
    PURCHASE = "purchase", "首次购买"
    REWARD = "reward", "发放双方奖励"
    CANCEL = "cancel", "退货撤销"


REFERRAL = Machine(
    "SM-16",
    ReferralState,
    ReferralCommand,
    """
    invited             -register->  registered  [valid_code]
    invited/registered  -refuse->    refused     (invalid)
    registered          -purchase->  purchased   (first purchase)
    purchased           -reward->    rewarded    (both)
    purchased/rewarded  -cancel->    cancelled   (return)
    """,
)
"""A referral as a machine; whether a code is valid is found by the terms alone."""

ReferralStep = Taken[ReferralState, ReferralCommand]


class Invalid(Word, zh="无效原因"):
    """Why a referral brings no reward (E-30)."""

    SELF_REFERRAL = "self_referral", "自我推荐"
    EXISTING_CUSTOMER = "existing_customer", "已是客户"
    REPEATED_CONTACT = "repeated_contact", "联系方式重复"
    ALREADY_REFERRED = "already_referred", "已被推荐"
    WRONG_CODE = "wrong_code", "邀请码无效"


@frozen
class Invitation:
    """Somebody invited somebody: the fact with which a referral begins.

    ``contacts`` are digests of telephone numbers and addresses, made by the host with its own
    salt: equal ones mean repeated contact data, and nobody can read them.
    """

    id: str
    referrer: str | int
    code: str = field(validator=who)  # the share link or code
    at: When = field(validator=timed, kw_only=True)
    by: str = field(validator=who, kw_only=True)
    invitee: str | int = field(default="", kw_only=True)  # if it is known
    campaign: str = field(default="", kw_only=True)
    referrer_contacts: frozenset[str] = field(
        default=frozenset(), converter=frozenset, repr=False, kw_only=True
    )


@frozen
class Referral:
    """One referral: how it began, where it stands, and every step."""

    invitation: Invitation
    progress: Progress[ReferralState, ReferralCommand]

    @property
    def id(self) -> str:
        """Its identifier."""
        return self.invitation.id

    @property
    def state(self) -> ReferralState:
        """Where it stands."""
        return self.progress.state

    @property
    def referee(self) -> str | int | None:
        """The referred user, once he is known."""
        invitee, step = self.invitation.invitee, self._joined
        known: str | int | None = invitee if invitee != "" else None
        found: str | int | None = known if step is None else step.get("referee", known)
        return found

    @property
    def reasons(self) -> tuple[Invalid, ...]:
        """Why it was refused; empty otherwise."""
        step = self.progress.when(ReferralState.REFUSED)
        return () if step is None else tuple(Invalid(x) for x in step.get("reason", ()))

    @property
    def contacts(self) -> frozenset[str]:
        """Digests that the referred user gave when he registered."""
        return frozenset() if self._joined is None else frozenset(self._joined.get("contacts", ()))

    @property
    def _joined(self) -> ReferralStep | None:
        """The step that says who was referred; later acts do not change it."""
        return self.progress.when(ReferralState.REGISTERED, ReferralState.REFUSED)

    @property
    def given(self) -> tuple[Reward, ...]:
        """The rewards that were given for it, as they were then."""
        step = self.progress.when(ReferralState.REWARDED)
        return () if step is None else tuple(step.get("given", ()))

    def reached(self, state: ReferralState) -> bool:
        """Whether it ever stood in a state."""
        return state is ReferralState.INVITED or self.progress.when(state) is not None


ReferralFact = Invitation | ReferralStep


def _referrals(given: Iterable[Referral]) -> tuple[Referral, ...]:
    return tuple(given)


@frozen
class ReferralBook:
    """Every referral of a programme, in the order of their invitations."""

    referrals: tuple[Referral, ...] = field(default=(), converter=_referrals, repr=False)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {each.id: place for place, each in enumerate(self.referrals)}

    def referral(self, id: str) -> Referral:  # noqa: A002  the word that stores use
        """Return one referral; raise when there is none."""
        if id not in self._places:
            raise UnknownNameError("referral", id, tuple(self._places)[:5])
        return self.referrals[self._places[id]]

    def with_(self, referral: Referral) -> ReferralBook:
        """Return the book with a referral that is new or has moved on."""
        place = self._places.get(referral.id, len(self.referrals))
        return ReferralBook((*self.referrals[:place], referral, *self.referrals[place + 1 :]))


@policy
class Side(Policy):
    """What one side of a referral is given; the amount is points or minor units (E-28)."""

    kind: RewardKind = field(converter=lambda x: chosen(RewardKind, x, "kind"))
    amount: int
    article: str = read("", "no article is named")


@policy
class ReferralTerms(Policy):
    """Rewards of both sides, return period and caps (E-28 to E-30).

    A reward is what the terms say on the day on which it is given. Everything is decided on
    the whole book, since one referral may exclude another.

    >>> terms = ReferralTerms(Side("points", 200), Side("points", 100), return_days=7)
    >>> day = date(2024, 8, 1)
    >>> asked = Invitation("r-1", "A", "link-a", at=day, by="A")
    >>> book = terms.invite(ReferralBook(), asked).or_raise().state
    >>> join = Act(
    ...     ReferralCommand.REGISTER, at=day, by="B", brings={"referee": "B", "code": "link-a"}
    ... )
    >>> book = terms.decide(book, "r-1", join, existing={"A"}).or_raise().state
    >>> buy = Act(ReferralCommand.PURCHASE, at=day, by="shop", brings={"order": "o-1"})
    >>> book = terms.decide(book, "r-1", buy).or_raise().state
    >>> give = Act(ReferralCommand.REWARD, at=day, by="shop")
    >>> given = terms.decide(book, "r-1", give).or_raise()
    >>> [(each.member, each.amount) for each in given.requests]
    [('A', 200), ('B', 100)]
    >>> print(terms.decide(given.state, "r-1", give))
    reward while rewarded: not possible; allowed now: cancel
    """

    referrer: Side
    referee: Side
    return_days: int = read(7, "no return period is named")  # after the day of receipt (AMB-11)
    cap: int | None = read(None, "no cap is named")  # rewards for one referrer ...
    cap_days: int | None = read(None, "no cap period is named")  # ... in so many days; None: ever
    after_return_period: bool = read(False, "no word on waiting for returns")
    zone: str = read("Asia/Shanghai", "no zone is named")

    @property
    def workflow(self) -> Workflow[ReferralState, ReferralCommand]:
        """The machine in use, in this zone."""
        return Workflow(REFERRAL, ReferralState.INVITED, self.zone, judged=("valid_code",))

    # --- how it begins ----------------------------------------------------------------------------

    def invite(
        self, book: ReferralBook, invitation: Invitation, *, existing: Collection[str | int] = ()
    ) -> Accepted[ReferralBook, ReferralFact] | Refused:
        """Begin a referral; one that cannot count is refused at once, with its reasons (E-30).

        ``existing`` are those who were customers before; the same invitation again is no other.
        """
        if invitation.id in book._places:  # noqa: SLF001  its own book
            known = book.referral(invitation.id)
            if known.invitation == invitation:
                return Accepted(book, (invitation,))
            return Refused(Code.KEY_REUSED, (known.state, "invite"), ("unused_id",))
        begun = Referral(invitation, Progress(invitation.id, ReferralState.INVITED))
        who = invitation.invitee
        against = self._against(book, begun, who, frozenset(), existing) if who != "" else ()
        if not against:
            return Accepted(book.with_(begun), (invitation,))
        act = Act(ReferralCommand.REFUSE, at=invitation.at, by=invitation.by)
        refused = self._refuse(book, begun, act, against)
        if isinstance(refused, Refused):
            return refused
        return Accepted(refused.state, (invitation, *refused.facts))

    def _against(
        self,
        book: ReferralBook,
        referral: Referral,
        referee: str | int,
        contacts: frozenset[str],
        existing: Collection[str | int],
    ) -> tuple[Invalid, ...]:
        """Return every reason against a referral of somebody."""
        begun = referral.invitation
        others = [x for x in book.referrals if x.id != referral.id]
        live = [x for x in others if x.state is not ReferralState.REFUSED]
        own = referee == begun.referrer or bool(contacts & begun.referrer_contacts)
        joined = [x for x in live if x.reached(ReferralState.REGISTERED)]
        found = {
            Invalid.SELF_REFERRAL: own,
            Invalid.EXISTING_CUSTOMER: referee in existing,
            Invalid.ALREADY_REFERRED: any(x.referee == referee for x in joined),
            Invalid.REPEATED_CONTACT: any(contacts & x.contacts for x in joined),
        }
        return tuple(reason for reason, holds in found.items() if holds)

    # --- every other step -------------------------------------------------------------------------

    def decide(
        self,
        book: ReferralBook,
        id: str,  # noqa: A002  the word that stores use
        act: Act[ReferralCommand],
        *,
        existing: Collection[str | int] = (),
        earlier: Iterable[ReferralFact] = (),
    ) -> Accepted[ReferralBook, ReferralFact] | Refused:
        """Judge an act on one referral; ``existing`` are the customers before a registration.

        Registering brings ``referee`` and ``code``, and ``contacts`` if there are any; buying
        brings ``order``; cancelling the ``order`` that was returned. What cannot count becomes
        refused. Rewards and reversals are requests with keys of their own.
        """
        referral = book.referral(id)
        steps = (x for x in earlier if isinstance(x, Taken))
        before = tuple(x for x in steps if act.key and x.key == act.key)
        if before and all(_came_from(x, act) for x in before):
            return Accepted(book, before)
        waits = referral.progress.state is ReferralState.INVITED  # who came second spoils nothing
        registers = act.name == ReferralCommand.REGISTER and waits
        if registers and act.get("referee") is not None and not before:
            against = self._against(
                book, referral, act["referee"], frozenset(act.get("contacts", ())), existing
            )
            wrong = act.get("code") != referral.invitation.code
            against = (*against, *((Invalid.WRONG_CODE,) if wrong else ()))
            if against:
                return self._refuse(book, referral, act, against)
        missing = tuple(self._missing(referral, act))
        if act.name == ReferralCommand.REWARD:  # the fact keeps what was given
            given = self.rewards(book, referral, on=local_date(act.at, zone_of(self.zone)))
            act = attrs.evolve(act, brings={**dict(act.brings), "given": given})
        answer = self.workflow.decide(
            referral.progress, act, earlier=before, holds=("valid_code",), missing=missing
        )
        if isinstance(answer, Refused):
            return answer
        moved = attrs.evolve(referral, progress=answer.state)
        return Accepted(book.with_(moved), answer.facts, tuple(_requests(moved)))

    def _refuse(
        self,
        book: ReferralBook,
        referral: Referral,
        act: Act[ReferralCommand],
        against: Iterable[Invalid],
    ) -> Accepted[ReferralBook, ReferralFact] | Refused:
        brings = {**dict(act.brings), "reason": tuple(x.value for x in against)}
        refusal = attrs.evolve(act, name=ReferralCommand.REFUSE, brings=brings)
        answer = self.workflow.decide(referral.progress, refusal)
        if isinstance(answer, Refused):
            return answer
        moved = attrs.evolve(referral, progress=answer.state)
        return Accepted(book.with_(moved), answer.facts)

    def _missing(self, referral: Referral, act: Act[ReferralCommand]) -> Iterator[str]:
        """Names beside those of the machine."""
        day, bought = local_date(act.at, zone_of(self.zone)), referral.progress.when(_PURCHASED)
        match act.name:
            case ReferralCommand.REGISTER if act.get("referee") is None:
                yield "referee"
            case ReferralCommand.REFUSE if not act.get("reason"):
                yield "reason"
            case ReferralCommand.PURCHASE if not act.get("order"):
                yield "order"
            case ReferralCommand.REWARD if self.after_return_period and bought is not None:
                if day <= self._last_return(bought):
                    yield "return_period_over"
            case ReferralCommand.CANCEL if bought is not None:
                if act.get("order") != bought["order"]:
                    yield "qualifying_order"
                received = act.get("received_on") or bought.get("received_on") or bought.on
                if day > plus_days(received, self.return_days):
                    yield "return_period"

    def _last_return(self, bought: ReferralStep) -> date:
        return plus_days(bought.get("received_on") or bought.on, self.return_days)

    def rewards(self, book: ReferralBook, referral: Referral, *, on: date) -> tuple[Reward, ...]:
        """Return what both sides are given for a referral on a day.

        The referrer is given nothing above his cap; the referred user is not to suffer from it.
        """
        sides = [("referee", self.referee, referral.referee)]
        if not self.capped(book, referral.invitation.referrer, on=on):
            sides.insert(0, ("referrer", self.referrer, referral.invitation.referrer))
        return tuple(
            Reward(
                someone,
                side.kind.value,  # which a blank refuses
                side.amount,
                reason="referral",
                source=referral.id,
                key=f"{referral.id}:{name}",
                article=side.article,
            )
            for name, side, someone in sides
            if someone is not None
        )

    def capped(self, book: ReferralBook, referrer: str | int, *, on: date) -> bool:
        """Whether a referrer has had all rewards that the cap allows, up to a day (E-29).

        The days of the cap are as many dates, this one the last (RC-06). What was taken back
        does not count.
        """
        if self.cap is None:
            return False
        first = date.min if self.cap_days is None else plus_days(on, 1 - self.cap_days)
        mine = (x for x in book.referrals if x.state is ReferralState.REWARDED)
        had = [
            x for x in mine for reward in x.given
            if reward.member == referrer == x.invitation.referrer
            and first <= x.progress.steps[-1].on <= on
        ]  # fmt: skip
        return len(had) >= self.cap

    def due(self, referral: Referral) -> date | None:
        """Return the first day on which a referral that waits can be rewarded; else None."""
        bought = referral.progress.when(_PURCHASED)
        if referral.state is not _PURCHASED or bought is None:
            return None
        return plus_days(self._last_return(bought), 1) if self.after_return_period else bought.on

    def replay(self, facts: Iterable[tuple[str, ReferralFact]]) -> ReferralBook:
        """Fold the facts of a book, oldest first, each with the id of its referral."""
        book = ReferralBook()
        for id, fact in facts:  # noqa: A001
            if isinstance(fact, Invitation):
                book = book.with_(Referral(fact, Progress(id, ReferralState.INVITED)))
            else:
                known = book.referral(id)
                book = book.with_(attrs.evolve(known, progress=known.progress.apply(fact)))
        return book


_PURCHASED = ReferralState.PURCHASED


def _requests(moved: Referral) -> Iterator[object]:
    """What the last step of a referral asks of the ledger."""
    if moved.state is ReferralState.REWARDED:
        yield from moved.given
    if moved.state is ReferralState.CANCELLED:
        for reward in moved.given:
            yield reversal(reward, "qualifying_purchase_returned")


def _came_from(step: ReferralStep, act: Act[ReferralCommand]) -> bool:
    """Whether a stored step answers an act: it may hold more, such as reasons or rewards."""
    same = all(step.get(name) == value for name, value in act.brings)
    refused = act.name == ReferralCommand.REGISTER and step.name is ReferralCommand.REFUSE
    return (refused or step.name == act.name) and step.by == act.by and same
