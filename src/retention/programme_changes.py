"""Changing benefits: reviewed, announced in time by several channels, compensated, then in force.

A change is reviewed from three sides (E-31), announced with reason, content and effective time
by the channels of the handbook (E-32, E-33), and takes effect only when the lead was kept and
everybody who is worse off was compensated before (SM-17). Who is worse off, and what he is
given, is found in ``change_previews``; old rights stay (E-35).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import attrs
from attrs import field, frozen

from retention.benefits import BenefitCatalogue, BenefitKind
from retention.change_previews import CompensationPlan, Losses, Remedy
from retention.mechanisms.acts import timed, who
from retention.mechanisms.answers import Accepted, Code, Reason, Refused
from retention.mechanisms.choices import member as chosen
from retention.mechanisms.errors import UnequalColumnsError
from retention.mechanisms.machines import Machine
from retention.mechanisms.obligations import After, Done, Obligation, owed
from retention.mechanisms.periods import When, day_number, local_date, plus_days, zone_of
from retention.mechanisms.policies import Policy, policy, read
from retention.mechanisms.words import Word
from retention.mechanisms.workflows import Act, Progress, Taken, Workflow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class ChangeState(Word, zh="权益调整状态"):
    """Where a change stands (SM-17)."""

    DRAFTED = "drafted", "已起草"
    REVIEWED = "reviewed", "已评估"
    ANNOUNCED = "announced", "已公告"
    EFFECTIVE = "effective", "已生效"
    WITHDRAWN = "withdrawn", "已撤回"


class ChangeCommand(Word, zh="权益调整操作"):
    """What is done with a change (SM-17)."""

    REVIEW = "review", "评估"
    ANNOUNCE = "announce", "公告"
    ACTIVATE = "activate", "生效"
    WITHDRAW = "withdraw", "撤回"


CHANGE = Machine(
    "SM-17",
    ChangeState,
    ChangeCommand,
    """
    drafted           -review->    reviewed   [feedback, market, business]
    reviewed          -announce->  announced  [reason, content, effective_time, enough_channels]
    announced         -activate->  effective  [lead_kept, compensated]
    drafted/reviewed  -withdraw->  withdrawn
    announced         -withdraw->  withdrawn  [notice]
    """,
)
"""A change as a machine; channels, lead and compensation are found by the terms alone."""

ChangeStep = Taken[ChangeState, ChangeCommand]

# --- regular review of benefits ------------------------------------------------------------------


class ReviewOutcome(Word, zh="评估结论"):
    """What a review of a benefit ends with (E-31)."""

    KEEP = "keep", "保留"
    ADJUST = "adjust", "调整"
    DROP = "drop", "取消"


def _kind(given: BenefitKind | str) -> BenefitKind:
    return chosen(BenefitKind, given, "kind")


def _outcome(given: ReviewOutcome | str) -> ReviewOutcome:
    return chosen(ReviewOutcome, given, "outcome")


@frozen
class BenefitReview:
    """A benefit was reviewed: three inputs, the figures, and the outcome (E-31)."""

    kind: BenefitKind = field(converter=_kind)
    outcome: ReviewOutcome = field(converter=_outcome)
    at: When = field(validator=timed, kw_only=True)
    by: str = field(validator=who, kw_only=True)
    feedback: str = field(default="", kw_only=True)
    market: str = field(default="", kw_only=True)
    business: str = field(default="", kw_only=True)
    uses: int | None = field(default=None, kw_only=True)
    satisfaction: Fraction | None = field(default=None, kw_only=True)


@frozen
class ChangeProposed:
    """A request: draft a change of this benefit, since its review asks for one."""

    kind: BenefitKind
    outcome: ReviewOutcome
    by: str


@policy
class BenefitReviews(Policy):
    """Every benefit is reviewed regularly, counted from its last review (E-31, AMB-31).

    >>> terms = BenefitReviews(After(months=6))
    >>> half = BenefitReview(
    ...     "free_shipping", "keep", at=date(2024, 6, 30), by="li", feedback="liked", market="usual"
    ... )
    >>> print(terms.record((), half))
    review while open: names missing (business); allowed now: review
    """

    every: After
    zone: str = read("Asia/Shanghai", "no zone is named")

    def record(
        self, reviews: Collection[BenefitReview], review: BenefitReview
    ) -> Accepted[tuple[BenefitReview, ...], BenefitReview] | Refused:
        """Take a review that says something on all three inputs; else refuse it."""
        inputs = ("feedback", "market", "business")
        missing = tuple(name for name in inputs if not getattr(review, name))
        if missing:
            return Refused(Code.NAMES_MISSING, ("open", "review"), missing, ("review",))
        asks = review.outcome is not ReviewOutcome.KEEP
        proposed = ChangeProposed(review.kind, review.outcome, review.by)
        return Accepted((*reviews, review), (review,), (proposed,) if asks else ())

    def due(
        self, kinds: Iterable[BenefitKind], reviews: Collection[BenefitReview], *, since: When
    ) -> tuple[Obligation, ...]:
        """Return the next review of each benefit; the first is counted from ``since``.

        >>> (next_one,) = BenefitReviews(After(months=6)).due(
        ...     [BenefitKind.FREE_SHIPPING], [], since=date(2024, 8, 31)
        ... )
        >>> str(next_one.window.last_day)
        '2025-02-28'
        """
        done = [Done(each.kind.value, "benefit review", each.at) for each in reviews]
        found = (
            owed(
                self.every,
                since,
                subject=kind.value,
                what="benefit review",
                rule="E-31",
                zone=zone_of(self.zone),
                done=done,
            )
            for kind in kinds
        )
        return tuple(each[-1] for each in found)


# --- a change -------------------------------------------------------------------------------------


@frozen
class ProgrammeChange:
    """One change: the catalogue before and after it, where it stands, and every step."""

    id: str
    old: BenefitCatalogue = field(repr=False)
    new: BenefitCatalogue = field(repr=False)
    drafted_by: str = field(validator=who)
    steps: tuple[ChangeStep, ...] = ()

    @property
    def progress(self) -> Progress[ChangeState, ChangeCommand]:
        """Its steps as the workflow sees them."""
        state = self.steps[-1].target if self.steps else ChangeState.DRAFTED
        return Progress(self.id, state, self.steps)

    @property
    def state(self) -> ChangeState:
        """Where it stands."""
        return self.progress.state

    @property
    def announcement(self) -> ChangeStep | None:
        """The step with reason, content, effective time and channels."""
        return self.progress.when(ChangeState.ANNOUNCED)

    @property
    def effective_on(self) -> date | None:
        """The day on which it is to take effect, as announced."""
        step = self.announcement
        found: date | None = None if step is None else step["effective_time"]
        return found

    def catalogue(self, on: date) -> BenefitCatalogue:
        """Return the catalogue in force on a date: the new one from its activation on."""
        step = self.progress.when(ChangeState.EFFECTIVE)
        return self.new if step is not None and step.on <= on else self.old


@frozen
class ChangeNotice:
    """A request: tell a member of a change through a channel, by a day (E-33)."""

    member: str | int
    channel: str
    reason: str
    content: str
    effective_on: date
    send_by: date
    source: str


@frozen(eq=False)
class Told:
    """Which members were told in time by enough channels, and whom no channel reaches."""

    members: NDArray[Any] = field(repr=False)
    told: NDArray[Any] = field(repr=False)
    reachable: NDArray[Any] = field(repr=False)  # number of channels that reach each

    @property
    def untold(self) -> NDArray[Any]:
        """Members who could have been told and were not, or not in time."""
        found: NDArray[Any] = self.members[~self.told & (self.reachable > 0)]
        return found

    @property
    def unreachable(self) -> NDArray[Any]:
        """Members whom no channel reaches: they are reported, and hold nothing up."""
        found: NDArray[Any] = self.members[self.reachable == 0]
        return found


@policy
class ChangeTerms(Policy):
    """Channels, lead and compensation of a change (E-32 to E-34).

    A change that is under way follows new terms at once; what was announced stays announced.
    """

    channels: tuple[str, ...] = field(converter=tuple)
    min_channels: int
    lead_days: int
    remedies: tuple[Remedy, ...] = field(converter=tuple)
    zone: str = read("Asia/Shanghai", "no zone is named")

    @property
    def workflow(self) -> Workflow[ChangeState, ChangeCommand]:
        """The machine in use, in this zone."""
        judged = ("enough_channels", "lead_kept", "compensated")
        return Workflow(CHANGE, ChangeState.DRAFTED, self.zone, judged=judged)

    def decide(
        self,
        change: ProgrammeChange,
        act: Act[ChangeCommand],
        *,
        told: Told | None = None,
        plan: CompensationPlan | None = None,
        done: Mapping[str, date] | None = None,
        earlier: Iterable[ChangeStep] = (),
    ) -> Accepted[ProgrammeChange, ChangeStep] | Refused:
        """Judge an act on a change.

        Announcing brings ``reason``, ``content``, ``effective_time`` (a date) and ``channels``.
        Activating needs who was ``told``, the compensation ``plan`` and what was ``done`` of it:
        the day by key. A notice that comes too late for its effective time is refused.
        """
        earlier = tuple(earlier)
        day = local_date(act.at, zone_of(self.zone))
        fresh = not any(act.key and step.key == act.key for step in earlier)
        if fresh and act.name == ChangeCommand.ANNOUNCE:
            effective = act.get("effective_time")
            first = plus_days(day, self.lead_days)
            if change.state is ChangeState.REVIEWED and effective and effective < first:
                allowed = self.workflow.allowed(change.progress)
                given = (change.state, ChangeCommand.ANNOUNCE)
                return Refused(Code.LEAD_TOO_SHORT, given, (f"effective_time >= {first}",), allowed)
        reasons = self.blocked(change, on=day, told=told, plan=plan, done=done)
        failed = {each.subject for each in reasons if not each.held}
        holds = {
            "enough_channels": self._enough(act.get("channels", ())),
            "lead_kept": "untold_members" not in failed,
            "compensated": "uncompensated_losses" not in failed,
        }
        answer = self.workflow.decide(
            change.progress,
            act,
            earlier=earlier,
            holds=[name for name, held in holds.items() if held],
            missing=tuple(self._missing(change, act)),
        )
        if isinstance(answer, Refused):
            return answer
        return Accepted(attrs.evolve(change, steps=answer.state.steps), answer.facts)

    def _missing(self, change: ProgrammeChange, act: Act[ChangeCommand]) -> Iterator[str]:
        if act.name == ChangeCommand.REVIEW and act.by == change.drafted_by:
            yield "not_drafter"  # separation of duties (K-13)
        effective, day = change.effective_on, local_date(act.at, zone_of(self.zone))
        if act.name == ChangeCommand.ACTIVATE and effective is not None and day < effective:
            yield "effective_time_reached"

    def _enough(self, channels: Iterable[str]) -> bool:
        return len(set(channels) & set(self.channels)) >= self.min_channels

    # --- what stands in the way -------------------------------------------------------------------

    def blocked(
        self,
        change: ProgrammeChange,
        *,
        on: date,
        told: Told | None = None,
        plan: CompensationPlan | None = None,
        done: Mapping[str, date] | None = None,
    ) -> tuple[Reason, ...]:
        """Return every condition of activation on a day, each held or not (E-32, E-34)."""
        effective = change.effective_on
        if effective is None:
            return (Reason("effective_time", None, "an announced day", held=False),)
        untold = None if told is None else len(told.untold)
        open_ = None if plan is None else len(plan.open(done or {}, before=on))
        return (
            Reason("effective_time", str(on), f">= {effective}", held=on >= effective),
            Reason("untold_members", untold, "== 0", held=untold == 0),
            Reason("uncompensated_losses", open_, "== 0", held=open_ == 0),
        )

    def plan(
        self, change: ProgrammeChange, found: Losses, *, on: date, effective_on: date | None = None
    ) -> CompensationPlan:
        """Return the compensation of everybody who is worse off, due before the change (E-34).

        Before the announcement ``effective_on`` says which day is meant.
        """
        day = change.effective_on or effective_on or plus_days(on, self.lead_days)
        return CompensationPlan(change.id, found, self.remedies, on, day)

    # --- notices ----------------------------------------------------------------------------------

    def last_notice(self, effective_on: date) -> date:
        """Return the last day on which a notice keeps the lead."""
        return plus_days(effective_on, -self.lead_days)

    def notices(
        self, change: ProgrammeChange, reachable: Mapping[Any, Collection[str]]
    ) -> Iterator[ChangeNotice]:
        """Return a notice for each member and each channel of the handbook that reaches him."""
        step, effective = change.announcement, change.effective_on
        if step is None or effective is None:
            return
        planned = [each for each in self.channels if each in step["channels"]]
        for member, channels in reachable.items():
            for channel in (each for each in planned if each in channels):
                yield ChangeNotice(
                    member,
                    channel,
                    step["reason"],
                    step["content"],
                    effective,
                    self.last_notice(effective),
                    change.id,
                )

    def is_told(
        self, sent: Iterable[tuple[str, date]], *, reachable: int, effective_on: date
    ) -> bool:
        """Say of one member whether enough channels told him in time (AMB-21).

        >>> terms = ChangeTerms(("email", "sms"), 2, 30, ())
        >>> sent = [("email", date(2024, 6, 1))]
        >>> [terms.is_told(sent, reachable=n, effective_on=date(2024, 7, 1)) for n in (1, 2)]
        [True, False]
        """
        last = self.last_notice(effective_on)
        heard = {channel for channel, day in sent if day <= last and channel in self.channels}
        return len(heard) >= min(reachable, self.min_channels)

    def told(
        self,
        members: ArrayLike,
        reachable: ArrayLike,
        *,
        notices: tuple[ArrayLike, ArrayLike, ArrayLike | Sequence[date]],
        effective_on: date,
    ) -> Told:
        """Say of many members whether enough channels told them in time (AMB-21).

        ``reachable`` counts the channels that reach each; ``notices`` are the columns member,
        channel and day. Two channels are needed, one for whom only one reaches; the same
        channel twice is one, and a notice inside the lead does not count.

        >>> terms = ChangeTerms(("email", "sms"), 2, 30, ())
        >>> days = ["2024-05-31", "2024-06-01", "2024-05-31", "2024-06-02"]
        >>> sent = (["a", "a", "b", "b"], ["email", "sms", "email", "sms"], days)
        >>> terms.told(
        ...     ["a", "b"], [2, 2], notices=sent, effective_on=date(2024, 7, 1)
        ... ).untold.tolist()
        ['b']
        """
        import numpy as np

        who, reach = np.asarray(members), np.asarray(reachable)
        to, channels, days = (np.asarray(each) for each in notices)
        sizes = {"members": len(who), "reachable": len(reach)}
        sent = {"member": len(to), "channel": len(channels), "day": len(days)}
        for found in (sizes, sent):
            if len(set(found.values())) > 1:
                raise UnequalColumnsError("told", found)
        last = np.datetime64(day_number(self.last_notice(effective_on)), "D")
        counts = days.astype("datetime64[D]") <= last
        counts &= np.isin(channels, list(self.channels))
        heard = _channels_by_member(who, to[counts], channels[counts])
        needed = np.minimum(reach, self.min_channels)
        return Told(who, heard >= needed, reach)


def _channels_by_member(
    members: NDArray[Any], to: NDArray[Any], channels: NDArray[Any]
) -> NDArray[np.intp]:
    """Number of different channels that each member was told by."""
    import numpy as np

    everybody, places = np.unique(np.concatenate([members, to]), return_inverse=True)
    names, which = np.unique(channels, return_inverse=True)
    pairs = np.unique(places[len(members) :] * max(len(names), 1) + which)
    found = np.bincount(pairs // max(len(names), 1), minlength=len(everybody))
    heard: NDArray[np.intp] = found[places[: len(members)]]
    return heard
