"""Using a benefit: identity and status first, then a state machine, and what failures bring.

Points redemptions, discounts and service bookings go the same way (E-18, SM-14). A refused use
names every reason; a failed one returns the points and opens a case with the department in
charge (E-37); a report says how well benefits are fulfilled (E-36). What a redemption costs is
decided in ``redeeming``, who is entitled in ``benefits``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import date

import attrs
from attrs import field, frozen

from retention.benefits import AcquiredRight, BenefitCatalogue, BenefitKind
from retention.mechanisms.acts import timed
from retention.mechanisms.answers import Accepted, Reason, Refused
from retention.mechanisms.choices import member as chosen
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.estimates import Estimate
from retention.mechanisms.machines import Machine
from retention.mechanisms.obligations import After, Days, Obligation, Within, judge
from retention.mechanisms.obligations import Outcome as Timeliness
from retention.mechanisms.periods import When, local_date, zone_of
from retention.mechanisms.policies import Policy, policy, read
from retention.mechanisms.words import Word
from retention.mechanisms.workflows import Act, Progress, Taken, Workflow


class RedemptionState(Word, zh="权益使用状态"):
    """Where the use of a benefit stands (SM-14)."""

    REQUESTED = "requested", "已申请"
    VERIFIED = "verified", "已核验"
    REFUSED = "refused", "已拒绝"
    PROCESSING = "processing", "办理中"
    FULFILLED = "fulfilled", "已兑现"
    FAILED = "failed", "未兑现"
    CANCELLED = "cancelled", "已取消"


class RedemptionCommand(Word, zh="权益使用操作"):
    """What is done with it (SM-14)."""

    VERIFY = "verify", "核验"
    REFUSE = "refuse", "拒绝"
    PROCESS = "process", "办理"
    FULFIL = "fulfil", "兑现"
    FAIL = "fail", "报告问题"
    CANCEL = "cancel", "取消"


REDEMPTION = Machine(
    "SM-14",
    RedemptionState,
    RedemptionCommand,
    """
    requested           -verify->   verified    [identity, status]
    requested           -refuse->   refused     [reason]   (verification fails)
    verified            -process->  processing
    processing          -fulfil->   fulfilled
    processing          -fail->     failed      (problem, opens a case)
    requested/verified  -cancel->   cancelled
    """,
)
"""The use of a benefit as a machine; identity and status are found by the terms alone."""

RedemptionStep = Taken[RedemptionState, RedemptionCommand]


class RefusalReason(Word, zh="拒绝原因"):
    """Why a benefit cannot be used (E-18)."""

    NOT_IDENTIFIED = "not_identified", "身份未核实"
    NOT_MEMBER = "not_member", "非会员"
    NOT_ACTIVE = "not_active", "会员状态无效"
    NOT_ENTITLED = "not_entitled", "无此权益"
    EXPIRED = "expired", "权益已过期"
    USED_UP = "used_up", "次数已用完"
    TOO_FEW_POINTS = "too_few_points", "积分不足"
    NO_SLOT = "no_slot", "时段不可用"


class PointsAction(Word, zh="积分操作"):
    """What the ledger is asked to do for a redemption."""

    TAKE = "take", "扣减"
    RETURN = "return", "返还"


def _kind(given: BenefitKind | str) -> BenefitKind:
    return chosen(BenefitKind, given, "kind")


@frozen
class RedemptionRequest:
    """A member asks to use a benefit: which, when, for how many points, at which time."""

    id: str
    member: str | int
    kind: BenefitKind = field(converter=_kind)
    at: When = field(validator=timed, kw_only=True)
    points: int = field(default=0, kw_only=True)  # what it costs
    slot: When | None = field(default=None, kw_only=True)  # of a service that is booked

    def __attrs_post_init__(self) -> None:
        if self.points < 0:
            raise InvalidValueError("RedemptionRequest.points", self.points, "0 or more")
        if not self.id:
            raise InvalidValueError("RedemptionRequest.id", self.id, "a text")


@frozen
class MemberStatus:
    """What is known of a member when he asks: the facts that verification looks at."""

    member: str | int
    identified: bool
    membership: str | None  # state of the membership (SM-02); None: no member
    tier: str | None = None
    points: int = 0
    rights: tuple[AcquiredRight, ...] = ()
    uses: tuple[date, ...] = ()  # days on which this benefit was used before


@frozen
class PointsRequest:
    """A request to the ledger: take or return the points of a redemption, once."""

    member: str | int
    action: PointsAction
    points: int
    source: str
    key: str


@frozen
class SlotRequest:
    """A request to the booking system: hold a time, or let it go."""

    member: str | int
    slot: When
    held: bool
    source: str


@frozen
class BenefitCase:
    """A request to open a case of kind ``benefit`` with the department in charge (E-37)."""

    member: str | int
    benefit: BenefitKind
    matter: str
    department: str
    at: When
    source: str
    kind: str = "benefit"


@frozen
class Redemption:
    """One use of a benefit: the request, where it stands, and every step."""

    request: RedemptionRequest
    progress: Progress[RedemptionState, RedemptionCommand]

    @classmethod
    def of(cls, request: RedemptionRequest) -> Redemption:
        """Return a request that nobody has looked at."""
        return cls(request, Progress(request.id, RedemptionState.REQUESTED))

    @property
    def state(self) -> RedemptionState:
        """Where it stands."""
        return self.progress.state

    @property
    def reasons(self) -> tuple[RefusalReason, ...]:
        """Why it was refused; empty otherwise."""
        step = self.progress.when(RedemptionState.REFUSED)
        return () if step is None else tuple(RefusalReason(x) for x in step.get("reason", ()))


@policy
class Department(Policy):
    """Who answers for problems with one kind of benefit (E-37)."""

    kind: BenefitKind = field(converter=_kind)
    department: str

    @property
    def key(self) -> str:
        """Name of the row: the kind."""
        return self.kind.value


@policy
class RedemptionTerms(Policy):
    """How benefits are used: who is in charge of problems, by when, and how often it is inspected.

    An open redemption follows a change of these terms at once; its steps stay.

    >>> from retention.benefits import Benefit
    >>> terms = RedemptionTerms(department="customer_service")
    >>> shop = BenefitCatalogue((Benefit("free_shipping", quota=1),), ladder=["gold"])
    >>> asked = Redemption.of(RedemptionRequest("r-1", "M-1", "free_shipping", at=date(2024, 6, 1)))
    >>> member = MemberStatus("M-1", True, "active", "gold", uses=(date(2024, 1, 5),))
    >>> look = Act(RedemptionCommand.VERIFY, at=date(2024, 6, 1), by="system")
    >>> found = terms.verify(asked, look, member, shop).or_raise().state
    >>> found.state.value, [str(each) for each in found.reasons]
    ('refused', ['used_up'])
    """

    department: str  # who answers for what no row names
    departments: tuple[Department, ...] = field(
        default=read((), "no department is named for a kind"), converter=tuple
    )
    within: Within | Days | None = read(None, "no time limit is named")
    inspected: After | None = read(None, "no inspection is named")
    zone: str = read("Asia/Shanghai", "no zone is named")

    @property
    def workflow(self) -> Workflow[RedemptionState, RedemptionCommand]:
        """The machine in use, in this zone; verification alone finds identity and status."""
        return Workflow(
            REDEMPTION, RedemptionState.REQUESTED, self.zone, judged=("identity", "status")
        )

    # --- verification first -----------------------------------------------------------------------

    def reasons(
        self,
        request: RedemptionRequest,
        status: MemberStatus,
        catalogue: BenefitCatalogue,
        *,
        on: date,
        free_slots: Collection[When] | None = None,
    ) -> tuple[RefusalReason, ...]:
        """Return every reason against a request on a date; none means it can be verified."""
        return tuple(self._against(request, status, catalogue, on, free_slots))

    def _against(
        self,
        request: RedemptionRequest,
        status: MemberStatus,
        catalogue: BenefitCatalogue,
        on: date,
        free_slots: Collection[When] | None,
    ) -> Iterator[RefusalReason]:
        if not status.identified or status.member != request.member:
            yield RefusalReason.NOT_IDENTIFIED
        if status.membership is None:
            yield RefusalReason.NOT_MEMBER
        elif status.membership != "active":
            yield RefusalReason.NOT_ACTIVE
        found = catalogue.entitlement(request.kind, status.tier, on=on, rights=status.rights)
        if not found.held:
            mine = [x for x in status.rights if x.benefit.kind is request.kind]
            over = any(x.through is not None and x.through < on for x in mine)
            ended = over or _ended(found.reasons)
            yield RefusalReason.EXPIRED if ended else RefusalReason.NOT_ENTITLED
        elif found.benefit is not None and found.benefit.left(status.uses, on=on) == 0:
            yield RefusalReason.USED_UP
        if request.points > status.points:
            yield RefusalReason.TOO_FEW_POINTS
        if request.slot is not None and request.slot not in (free_slots or ()):
            yield RefusalReason.NO_SLOT

    def verify(
        self,
        redemption: Redemption,
        act: Act[RedemptionCommand],
        status: MemberStatus,
        catalogue: BenefitCatalogue,
        *,
        free_slots: Collection[When] | None = None,
        earlier: Iterable[RedemptionStep] = (),
    ) -> Accepted[Redemption, RedemptionStep] | Refused:
        """Verify identity and status before anything else; what speaks against it refuses it.

        Either way a step is taken. Points are asked for and the slot is held when it holds.
        """
        before = tuple(x for x in earlier if act.key and x.key == act.key)
        if before and all(x.by == act.by and x.name in _VERIFYING for x in before):
            return Accepted(redemption, before)
        request, day = redemption.request, local_date(act.at, zone_of(self.zone))
        against = self.reasons(request, status, catalogue, on=day, free_slots=free_slots)
        if against:
            brings = {**dict(act.brings), "reason": tuple(x.value for x in against)}
            refusal = attrs.evolve(act, name=RedemptionCommand.REFUSE, brings=brings)
            return self.decide(redemption, refusal, earlier=before)
        holds = ("identity", "status")
        answer = self.workflow.decide(redemption.progress, act, earlier=before, holds=holds)
        if isinstance(answer, Refused):
            return answer
        return self._accepted(redemption, answer, self._taking(request))

    # --- every other step -------------------------------------------------------------------------

    def decide(
        self,
        redemption: Redemption,
        act: Act[RedemptionCommand],
        *,
        earlier: Iterable[RedemptionStep] = (),
    ) -> Accepted[Redemption, RedemptionStep] | Refused:
        """Judge an act; failing and cancelling ask to return what verification took."""
        missing = () if act.name != RedemptionCommand.FAIL or act.get("problem") else ("problem",)
        answer = self.workflow.decide(redemption.progress, act, earlier=earlier, missing=missing)
        if isinstance(answer, Refused):
            return answer
        fresh = answer.state.sequence > redemption.progress.sequence
        requests = self._requests(redemption, act) if fresh else ()
        return self._accepted(redemption, answer, requests)

    def _accepted(
        self,
        redemption: Redemption,
        answer: Accepted[Progress[RedemptionState, RedemptionCommand], RedemptionStep],
        requests: Iterable[object],
    ) -> Accepted[Redemption, RedemptionStep]:
        state = attrs.evolve(redemption, progress=answer.state)
        return Accepted(state, answer.facts, tuple(requests))

    def _taking(self, request: RedemptionRequest) -> Iterator[object]:
        if request.points:
            key = f"{request.id}:take"
            yield PointsRequest(request.member, PointsAction.TAKE, request.points, request.id, key)
        if request.slot is not None:
            yield SlotRequest(request.member, request.slot, True, request.id)

    def _requests(self, redemption: Redemption, act: Act[RedemptionCommand]) -> Iterator[object]:
        """What a step asks of others: points back, the slot free, a case."""
        request, ends = redemption.request, (RedemptionCommand.FAIL, RedemptionCommand.CANCEL)
        taken = redemption.progress.when(RedemptionState.VERIFIED) is not None
        if act.name in ends and taken and request.points:
            key = f"{request.id}:return"
            yield PointsRequest(
                request.member, PointsAction.RETURN, request.points, request.id, key
            )
        if act.name in ends and taken and request.slot is not None:
            yield SlotRequest(request.member, request.slot, False, request.id)
        if act.name == RedemptionCommand.FAIL:
            yield self.case(
                request.member, request.kind, act["problem"], at=act.at, source=request.id
            )

    # --- complaints, deadlines, inspection --------------------------------------------------------

    def case(
        self, member: str | int, kind: BenefitKind | str, matter: str, *, at: When, source: str = ""
    ) -> BenefitCase:
        """Return the case that a problem or complaint about a benefit opens (E-37).

        >>> RedemptionTerms("customer_service", (Department("free_shipping", "logistics"),)).case(
        ...     "M-1", "free_shipping", "was charged", at=date(2024, 6, 1)
        ... ).department
        'logistics'
        """
        kind = chosen(BenefitKind, kind, "kind")
        rows = {row.kind: row.department for row in self.departments}
        return BenefitCase(member, kind, matter, rows.get(kind, self.department), at, source)

    def due(self, redemption: Redemption) -> tuple[Obligation, ...]:
        """Return what must still happen: the benefit is to be fulfilled in its time."""
        if self.within is None or redemption.state not in _OPEN:
            return ()
        return (self._obligation(redemption.request, self.within),)

    def _obligation(self, request: RedemptionRequest, within: Within | Days) -> Obligation:
        (window,) = within.windows(request.at, zone=zone_of(self.zone))
        return Obligation(request.id, f"fulfil {request.kind}", window, "E-36", trigger=request.at)

    def report(
        self,
        redemptions: Iterable[Redemption],
        *,
        since: date,
        as_of: When,
        inspections: Iterable[date] = (),
    ) -> FulfilmentReport:
        """Return how benefits were fulfilled from a day on, and the next inspection (E-36)."""
        zone = zone_of(self.zone)
        until = local_date(as_of, zone)
        known = [
            attrs.evolve(each, progress=_seen(each.progress, until))
            for each in redemptions
            if since <= local_date(each.request.at, zone) <= until
        ]
        states = Counter(each.state for each in known)
        failed = (each for each in known if each.state is RedemptionState.FAILED)
        return FulfilmentReport(
            since,
            until,
            tuple((state.value, states[state]) for state in RedemptionState),
            self._late(known, as_of),
            tuple((x.request.id, str(x.progress.get("problem", ""))) for x in failed),
            tuple(each.request.id for each in known if each.state in _OPEN),
            self._inspection(since, inspections, until),
        )

    def _late(self, known: Iterable[Redemption], as_of: When) -> tuple[str, ...] | None:
        """Requests fulfilled after their time or still waiting past it; None without a limit."""
        if self.within is None:
            return None
        found = []
        for each in known:
            step = each.progress.when(RedemptionState.FULFILLED)
            if step is None and each.state not in _OPEN:
                continue
            window = self._obligation(each.request, self.within).window
            done = () if step is None else (step.at,)
            if judge(window, done, as_of=as_of).outcome in {Timeliness.LATE, Timeliness.MISSED}:
                found.append(each.request.id)
        return tuple(found)

    def _inspection(self, since: date, done: Iterable[date], until: date) -> date | None:
        """The last day of the next inspection, counted from the last one (AMB-31)."""
        if self.inspected is None:
            return None
        held = [day for day in done if day <= until]
        *_, window = self.inspected.windows(since, zone=zone_of(self.zone), done=held)
        return window.last_day


@frozen
class FulfilmentReport:
    """How benefits were fulfilled among the requests of a span (E-36)."""

    since: date
    until: date
    states: tuple[tuple[str, int], ...]  # every state with its number of requests
    late: tuple[str, ...] | None  # None: the handbook names no time limit
    problems: tuple[tuple[str, str], ...]  # request and problem
    waiting: tuple[str, ...]
    next_inspection: date | None

    @property
    def requests(self) -> int:
        """Number of requests."""
        return sum(count for _, count in self.states)

    def count(self, state: RedemptionState) -> int:
        """Return how many requests ended or stand in a state."""
        return dict(self.states)[state.value]

    @property
    def fulfilled(self) -> Estimate:
        """Share of the requests that were entitled to it and not withdrawn."""
        gone = (RedemptionState.REFUSED, RedemptionState.CANCELLED)
        base = self.requests - sum(self.count(state) for state in gone)
        return Estimate(self.count(RedemptionState.FULFILLED), base)


def replay(request: RedemptionRequest, steps: Iterable[RedemptionStep]) -> Redemption:
    """Return a redemption after all its steps, oldest first.

    >>> asked = RedemptionRequest("r-1", "M-1", "free_shipping", at=date(2024, 6, 1))
    >>> replay(asked, []).state.value
    'requested'
    """
    found = tuple(steps)
    state = found[-1].target if found else RedemptionState.REQUESTED
    return Redemption(request, Progress(request.id, state, found))


_VERIFYING = frozenset({RedemptionCommand.VERIFY, RedemptionCommand.REFUSE})
_OPEN = frozenset({RedemptionState.REQUESTED, RedemptionState.VERIFIED, RedemptionState.PROCESSING})


def _ended(reasons: Iterable[Reason]) -> bool:
    """Whether a benefit is there but its time is over or has not come."""
    failed = [each.subject for each in reasons if not each.held]
    return "date" in failed and "comes_with" not in failed and "tier" not in failed


def _seen(
    progress: Progress[RedemptionState, RedemptionCommand], until: date
) -> Progress[RedemptionState, RedemptionCommand]:
    """What was known of a use by the end of a day."""
    steps = tuple(step for step in progress.steps if step.on <= until)
    return Progress(progress.id, steps[-1].target if steps else RedemptionState.REQUESTED, steps)
