"""Grading: a batch of computed grades is reviewed, approved by others, and takes effect.

The process is data (VAR-13): reviewed by a working group (000), published (001), automatic
(002) or monthly (004). The machine SM-08 is the reviewed one. What the grades stand on is in
``grading_inputs``, the published process in ``publications``, rhythm and changes in
``regrading``; how a grade is computed is left to classifications.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, ClassVar

import attrs
from attrs import field, frozen

from retention.grading_inputs import Coverage, GradingInput, GradingSource
from retention.mechanisms.acts import Command, Fact, repeated
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.errors import InvalidValueError, UnknownNameError
from retention.mechanisms.machines import Machine
from retention.mechanisms.obligations import Window
from retention.mechanisms.periods import local_date, zone_of
from retention.mechanisms.policies import Policy, blank, policy
from retention.mechanisms.words import Word
from retention.publications import PublicationTerms
from retention.regrading import GradeAssessment, Grades, RecordedGrades, Regrading, graded


class BatchState(Word):
    """Where a grading batch stands (SM-08)."""

    COLLECTING = "collecting", "收集数据"
    ANALYSED = "analysed", "已分析"
    SUBMITTED = "submitted", "已提交审核"
    APPROVED = "approved", "已批准"
    REJECTED = "rejected", "已驳回"
    EFFECTIVE = "effective", "已生效"
    SUPERSEDED = "superseded", "已被取代"


class GradingCommand(Word):
    """What is done with a grading batch (SM-08)."""

    ANALYSE = "analyse", "分析"
    SUBMIT = "submit", "提交审核"
    APPROVE = "approve", "批准"
    REJECT = "reject", "驳回"
    REANALYSE = "reanalyse", "重新分析"
    ACTIVATE = "activate", "生效"


GRADING = Machine(
    "SM-08",
    BatchState,
    GradingCommand,
    """
    collecting  -analyse->    analysed
    analysed    -submit->     submitted
    submitted   -approve->    approved    [working_group, not_submitter]
    submitted   -reject->     rejected    [working_group, reason]
    rejected    -reanalyse->  analysed
    approved    -activate->   effective
    effective   ->            superseded  (next batch effective)
    """,
)
"""The reviewed grading of 000 as a machine; who rejects is a reviewer too (C-14)."""


class Process(Word):
    """How computed grades become valid (VAR-13)."""

    REVIEWED = "reviewed", "工作小组审核"
    PUBLISHED = "published", "内部公示"
    AUTOMATIC = "automatic", "系统自动划分"


# --- commands and facts ---------------------------------------------------------------------------


@frozen
class Analyse(Command):
    """Hand in the grades that were computed for the first time, and what they stand on."""

    name: ClassVar[GradingCommand] = GradingCommand.ANALYSE
    batch: str
    grades: Grades = field(converter=graded, repr=False)
    given: GradingInput = field(factory=GradingInput)


@frozen
class Reanalyse(Analyse):
    """Hand in the grades that were computed again after a rejection."""

    name: ClassVar[GradingCommand] = GradingCommand.REANALYSE


@frozen
class Submit(Command):
    """Submit a batch to the working group."""

    name: ClassVar[GradingCommand] = GradingCommand.SUBMIT
    batch: str


@frozen
class Approve(Command):
    """Approve a batch, as a member of the working group who did not submit it."""

    name: ClassVar[GradingCommand] = GradingCommand.APPROVE
    batch: str


@frozen
class Reject(Command):
    """Reject a batch with a reason."""

    name: ClassVar[GradingCommand] = GradingCommand.REJECT
    batch: str
    reason: str


@frozen
class Activate(Command):
    """Let an approved batch take effect, on the local day of the command."""

    name: ClassVar[GradingCommand] = GradingCommand.ACTIVATE
    batch: str


@frozen
class Analysed(Fact):
    """Grades were computed."""

    name: ClassVar[GradingCommand] = GradingCommand.ANALYSE
    batch: str
    grades: Grades = field(converter=graded, repr=False)
    given: GradingInput = field(factory=GradingInput)


@frozen
class Reanalysed(Analysed):
    """Grades were computed again."""

    name: ClassVar[GradingCommand] = GradingCommand.REANALYSE


@frozen
class Submitted(Fact):
    """A batch was submitted to the working group."""

    name: ClassVar[GradingCommand] = GradingCommand.SUBMIT
    batch: str


@frozen
class Approved(Fact):
    """The working group approved a batch."""

    name: ClassVar[GradingCommand] = GradingCommand.APPROVE
    batch: str


@frozen
class Rejected(Fact):
    """The working group rejected a batch."""

    name: ClassVar[GradingCommand] = GradingCommand.REJECT
    batch: str
    reason: str


@frozen
class Activated(Fact):
    """A batch took effect; the one before it is superseded by that."""

    name: ClassVar[GradingCommand] = GradingCommand.ACTIVATE
    batch: str


GradingOrder = Analyse | Reanalyse | Submit | Approve | Reject | Activate
GradingFact = Analysed | Reanalysed | Submitted | Approved | Rejected | Activated


# --- the state ------------------------------------------------------------------------------------


@frozen
class ReviewRound:
    """One submission of a batch with the grades as they stood, and what the group said."""

    submitted: Submitted
    grades: Grades = field(repr=False)
    verdict: Approved | Rejected | None = None


@frozen
class Batch:
    """One grading batch as its facts left it; rounds of review are kept."""

    id: str
    state: BatchState = BatchState.COLLECTING
    grades: Grades = field(default=(), converter=graded, repr=False)
    given: GradingInput = field(factory=GradingInput)
    rounds: tuple[ReviewRound, ...] = ()
    last: date | None = None  # the day of the latest fact

    @property
    def submitter(self) -> str | None:
        """Who submitted it last; None before."""
        return self.rounds[-1].submitted.by if self.rounds else None

    def apply(self, fact: GradingFact) -> Batch:
        """Return the batch after a fact; trusts it, since the process has judged it."""
        target = next(x.target for x in GRADING.steps if x.command is fact.name)
        here = attrs.evolve(self, state=target, last=fact.on)
        match fact:
            case Analysed():
                return attrs.evolve(here, grades=fact.grades, given=fact.given)
            case Submitted():
                return attrs.evolve(here, rounds=(*self.rounds, ReviewRound(fact, self.grades)))
            case Approved() | Rejected():
                judged = attrs.evolve(self.rounds[-1], verdict=fact)
                return attrs.evolve(here, rounds=(*self.rounds[:-1], judged))
        return here


@frozen
class Grading:
    """Every batch of one process, and the grades that took effect."""

    batches: tuple[Batch, ...] = ()
    recorded: RecordedGrades = field(factory=RecordedGrades)

    def batch(self, number: str) -> Batch:
        """Return a batch; one that nobody analysed is still collecting.

        >>> Grading().batch("2024-H2").state
        <BatchState.COLLECTING: 'collecting'>
        """
        return next((each for each in self.batches if each.id == number), Batch(number))

    def grade(self, customer: str | int, *, on: date) -> str:
        """Return the grade that held on a day; raise before the first evaluation (C-41)."""
        return self.recorded.grade(customer, on=on)

    def apply(self, fact: GradingFact) -> Grading:
        """Return the state after a fact; trusts it, since the process has judged it."""
        after = self.batch(fact.batch).apply(fact)
        others = [each for each in self.batches if each.id != fact.batch]
        if not isinstance(fact, Activated):
            return attrs.evolve(self, batches=(*others, after))
        assessment = GradeAssessment(fact.on, after.grades, f"batch {fact.batch}")
        done = (_superseded(each) for each in others)
        return Grading((*done, after), self.recorded.then(assessment))


def _superseded(batch: Batch) -> Batch:
    if batch.state is not BatchState.EFFECTIVE:
        return batch
    return attrs.evolve(batch, state=BatchState.SUPERSEDED)


def replay(facts: Iterable[GradingFact], start: Grading = Grading()) -> Grading:
    """Fold all facts of a process, oldest first; ``start`` holds grades from before it began.

    >>> day = date(2024, 7, 1)
    >>> replay([Analysed("H2", {"u1": "gold"}, at=day, on=day, by="li")]).batch("H2").state
    <BatchState.ANALYSED: 'analysed'>
    """
    for fact in facts:
        start = start.apply(fact)
    return start


# --- the policy -----------------------------------------------------------------------------------


@policy
class Head(Policy):
    """One department and the person who heads it, who is a member of the group (K-02)."""

    department: str
    person: str = blank("the head of the department")

    @property
    def key(self) -> str:
        """Name of the row: the department."""
        return self.department


@policy
class WorkingGroup(Policy):
    """The heads of the departments, who alone may review grades (K-02).

    >>> group = WorkingGroup("retention_working_group", (Head("marketing", "chen"),))
    >>> group.has("chen"), group.has("li")
    (True, False)
    """

    rows_in: ClassVar[str] = "heads"

    name: str
    heads: tuple[Head, ...] = field(converter=tuple)

    def has(self, person: str) -> bool:
        """Whether a person is a member; a head who is not named yet raises."""
        return any(bool(head.person) and head.person == person for head in self.heads)


@policy
class GradingProcess(Policy):
    """How grades are collected, reviewed, put in force and adjusted (C-14, VAR-13).

    A batch keeps the grades that it was submitted with; a change of this policy holds for the
    next command.

    >>> from retention.mechanisms.obligations import Every
    >>> process = GradingProcess(
    ...     Process.REVIEWED,
    ...     Regrading(("silver", "gold"), Every(months=3)),
    ...     group=WorkingGroup("retention_working_group", (Head("marketing", "chen"),)),
    ... )
    >>> day = date(2024, 7, 2)
    >>> state = process.decide(Grading(), Analyse("H2", {"u1": "gold"}, at=day, by="li")).state
    >>> state = process.decide(state, Submit("H2", at=day, by="li")).state
    >>> print(process.decide(state, Approve("H2", at=day, by="li")))
    approve while submitted: names missing (not_submitter, working_group); allowed now: approve, \
reject
    >>> process.decide(state, Approve("H2", at=day, by="chen")).state.batch("H2").state
    <BatchState.APPROVED: 'approved'>
    """

    process: Process
    regrading: Regrading
    group: WorkingGroup = field(default=blank("no working group"), kw_only=True)
    publication: PublicationTerms = field(default=blank("no publication"), kw_only=True)
    sources_wanted: tuple[GradingSource, ...] = field(default=(), converter=tuple, kw_only=True)

    def decide(
        self, state: Grading, command: GradingOrder, *, earlier: Iterable[GradingFact] = ()
    ) -> Accepted[Grading, GradingFact] | Refused:
        """Judge a command; ``earlier`` are facts that the store holds under its key."""
        self._check(command)
        batch = state.batch(command.batch)
        allowed = GRADING.allowed(batch.state)
        again = repeated(state, command, earlier, given=batch.state, allowed=allowed)
        if again is not None:
            return again
        step = GRADING.step(batch.state, command.name, set(self._brings(batch, command)))
        if isinstance(step, Refused):
            return step
        if missing := tuple(self._missing(state, batch, command)):
            return Refused(Code.NAMES_MISSING, (batch.state, command.name), missing, allowed)
        fact = self._fact(command)
        return Accepted(state.apply(fact), (fact,))

    def due(self, state: Grading) -> Window | None:
        """Return when to grade again after the latest batch; None when nothing waits for it.

        >>> from retention.mechanisms.obligations import Every
        >>> process = GradingProcess(Process.REVIEWED, Regrading(("low", "high"), Every(months=3)))
        >>> held = RecordedGrades((GradeAssessment(date(2024, 7, 5), {"u1": "high"}),))
        >>> process.due(Grading(recorded=held)).last_day
        datetime.date(2024, 12, 31)
        """
        last = state.recorded.last_day
        return None if last is None else self.regrading.next_window(last)

    def coverage(self, batch: Batch) -> Coverage:
        """Return which of the wanted sources a batch stands on (C-15).

        >>> process = GradingProcess(
        ...     Process.REVIEWED,
        ...     Regrading(("low", "high"), None),
        ...     sources_wanted=(GradingSource.SURVEY,),
        ... )
        >>> print(process.coverage(Batch("H2", grades={"u1": "high"})))
        survey: missing
        """
        return batch.given.coverage(self.sources_wanted, population=len(batch.grades))

    def _check(self, command: GradingOrder) -> None:
        """Refuse what is a mistake in any state: another process, a grade that is no grade."""
        if self.process is not Process.REVIEWED:
            raise InvalidValueError("decide", str(self.process), "a process that is reviewed")
        if isinstance(command, Analyse):
            unknown = {grade for _, grade in command.grades} - set(self.regrading.ladder)
            if unknown:
                known = tuple(map(str, self.regrading.ladder))
                raise UnknownNameError("ladder", min(unknown), known)

    def _brings(self, batch: Batch, command: GradingOrder) -> Iterator[str]:
        """Names of the machine that the command brings."""
        if isinstance(command, Approve | Reject) and self.group.has(command.by):
            yield "working_group"
        if command.by != batch.submitter:
            yield "not_submitter"
        if isinstance(command, Reject) and command.reason.strip():
            yield "reason"

    def _missing(self, state: Grading, batch: Batch, command: GradingOrder) -> Iterator[str]:
        """Conditions beside those of the machine that the command does not meet."""
        day = self._day(command)
        if isinstance(command, Analyse) and not command.grades:
            yield "grades"
        if batch.last is not None and day < batch.last:
            yield "later_time"
        # One day has one grade: a second batch takes effect on another day.
        before = state.recorded.last_day
        if isinstance(command, Activate) and before is not None and day <= before:
            yield "later_day"

    def _fact(self, command: GradingOrder) -> GradingFact:
        act: dict[str, Any] = attrs.asdict(command, recurse=False) | {"on": self._day(command)}
        return _FACTS[command.name](**act)

    def _day(self, command: Command) -> date:
        return local_date(command.at, zone_of(self.regrading.zone))


_FACTS: dict[GradingCommand, type[GradingFact]] = {
    GradingCommand.ANALYSE: Analysed,
    GradingCommand.REANALYSE: Reanalysed,
    GradingCommand.SUBMIT: Submitted,
    GradingCommand.APPROVE: Approved,
    GradingCommand.REJECT: Rejected,
    GradingCommand.ACTIVATE: Activated,
}
