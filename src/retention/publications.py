"""Grades made known inside the company: to whom, who has read them, and since when they hold.

The process of 001 (C-16): grades take effect when they are published to named departments and
persons. Who reviews grades before they take effect (000) is decided in ``grading``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, ClassVar

import attrs
from attrs import field, frozen

from retention.mechanisms.acts import Command, Fact, repeated
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.machines import Machine
from retention.mechanisms.periods import local_date, zone_of
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.words import Word
from retention.regrading import GradeAssessment, Grades, RecordedGrades, graded


class PublicationState(Word):
    """Where a publication of grades stands (SM-09)."""

    COMPUTED = "computed", "已评定"
    PUBLISHED = "published", "已公示"
    ACKNOWLEDGED = "acknowledged", "已全部知晓"
    SUPERSEDED = "superseded", "已被取代"


class PublicationCommand(Word):
    """What is done with a publication (SM-09)."""

    PUBLISH = "publish", "公示"
    ACKNOWLEDGE = "acknowledge", "确认知晓"
    SUPERSEDE = "supersede", "取代"


PUBLICATION = Machine(
    "SM-09",
    PublicationState,
    PublicationCommand,
    """
    computed                -publish->      published     [audience]
    published               -acknowledge->  acknowledged  [all_read]  (by the last reader)
    published/acknowledged  -supersede->    superseded    (new grade)
    """,
)
"""The publication of 001 as a machine; the readers before the last one leave it published."""


@frozen
class Publish(Command):
    """Make the grades known to the audience; they hold from this day on."""

    name: ClassVar[PublicationCommand] = PublicationCommand.PUBLISH


@frozen
class Acknowledge(Command):
    """Say that a department or person of the audience has read them."""

    name: ClassVar[PublicationCommand] = PublicationCommand.ACKNOWLEDGE
    reader: str


@frozen
class Supersede(Command):
    """Say that a new grading has replaced these grades."""

    name: ClassVar[PublicationCommand] = PublicationCommand.SUPERSEDE
    successor: str  # id of the new publication


@frozen
class Published(Fact):
    """The grades were made known to these readers, and hold from that day on."""

    name: ClassVar[PublicationCommand] = PublicationCommand.PUBLISH
    audience: tuple[str, ...]


@frozen
class Acknowledged(Fact):
    """A reader of the audience knows the grades."""

    name: ClassVar[PublicationCommand] = PublicationCommand.ACKNOWLEDGE
    reader: str


@frozen
class Superseded(Fact):
    """Another publication replaced these grades."""

    name: ClassVar[PublicationCommand] = PublicationCommand.SUPERSEDE
    successor: str


PublicationOrder = Publish | Acknowledge | Supersede
PublicationFact = Published | Acknowledged | Superseded


@frozen
class GradePublication:
    """One publication of grades with its audience and who has read it (C-16)."""

    id: str
    grades: Grades = field(converter=graded, repr=False)
    state: PublicationState = PublicationState.COMPUTED
    audience: tuple[str, ...] = ()
    acknowledged: tuple[Acknowledged, ...] = ()
    since: date | None = None  # the day from which the grades hold
    last: date | None = None  # the day of the latest fact

    @property
    def unread(self) -> tuple[str, ...]:
        """Readers of the audience who have not acknowledged."""
        read = {fact.reader for fact in self.acknowledged}
        return tuple(reader for reader in self.audience if reader not in read)

    @property
    def fully_acknowledged(self) -> bool:
        """Whether it was published and everybody has read it."""
        return bool(self.audience) and not self.unread

    def apply(self, fact: PublicationFact) -> GradePublication:
        """Return the publication after a fact; trusts it, since the terms have judged it."""
        here = attrs.evolve(self, last=fact.on)
        match fact:
            case Published(audience=audience):
                state = PublicationState.PUBLISHED
                return attrs.evolve(here, state=state, audience=audience, since=fact.on)
            case Acknowledged():
                here = attrs.evolve(here, acknowledged=(*self.acknowledged, fact))
                done = PublicationState.ACKNOWLEDGED
                return attrs.evolve(here, state=done) if here.fully_acknowledged else here
            case Superseded():
                return attrs.evolve(here, state=PublicationState.SUPERSEDED)


@policy
class PublicationTerms(Policy):
    """Which departments and persons must know new grades (C-16).

    A publication keeps the audience that it was published to; a change of these terms holds
    for the next one.

    >>> terms = PublicationTerms(departments=("customer_service", "sales"))
    >>> draft = GradePublication("2024-Q3", {"K-7": "medium"})
    >>> day = date(2024, 7, 1)
    >>> shown = terms.decide(draft, Publish(at=day, by="li")).or_raise().state
    >>> read = terms.decide(shown, Acknowledge("sales", at=day, by="wang")).or_raise().state
    >>> read.fully_acknowledged, read.unread, read.state.label("zh")
    (False, ('customer_service',), '已公示')
    """

    departments: tuple[str, ...] = field(default=(), converter=tuple)
    persons: tuple[str, ...] = field(default=(), converter=tuple)
    zone: str = "Asia/Shanghai"

    @property
    def audience(self) -> tuple[str, ...]:
        """Everybody who must know, departments first."""
        return (*self.departments, *self.persons)

    def decide(
        self,
        state: GradePublication,
        command: PublicationOrder,
        *,
        earlier: Iterable[PublicationFact] = (),
    ) -> Accepted[GradePublication, PublicationFact] | Refused:
        """Judge a command; ``earlier`` are facts that the store holds under its key."""
        allowed = PUBLICATION.allowed(state.state)
        again = repeated(state, command, earlier, given=state.state, allowed=allowed)
        if again is not None:
            return again
        # A reader before the last one is no step of the machine: it stays published.
        brings = {"all_read"} | ({"audience"} if self.audience else set())
        step = PUBLICATION.step(state.state, command.name, brings)
        if isinstance(step, Refused):
            return step
        if missing := tuple(self._missing(state, command)):
            return Refused(Code.NAMES_MISSING, (state.state, command.name), missing, allowed)
        fact = self._fact(command)
        return Accepted(state.apply(fact), (fact,))

    def _missing(self, state: GradePublication, command: PublicationOrder) -> Iterator[str]:
        """Conditions beside those of the machine that the command does not meet."""
        if isinstance(command, Publish) and not state.grades:
            yield "grades"
        if isinstance(command, Acknowledge) and command.reader not in state.audience:
            yield "reader_of_audience"
        elif isinstance(command, Acknowledge) and command.reader not in state.unread:
            yield "first_reading"
        if state.last is not None and self._day(command) < state.last:
            yield "later_time"

    def _fact(self, command: PublicationOrder) -> PublicationFact:
        act: dict[str, Any] = {
            "at": command.at,
            "by": command.by,
            "on": self._day(command),
            "key": command.key,
        }
        match command:
            case Publish():
                return Published(self.audience, **act)
            case Acknowledge(reader=reader):
                return Acknowledged(reader, **act)
            case Supersede(successor=successor):
                return Superseded(successor, **act)

    def _day(self, command: Command) -> date:
        return local_date(command.at, zone_of(self.zone))


def replay(start: GradePublication, facts: Iterable[PublicationFact]) -> GradePublication:
    """Fold all facts of a publication, oldest first.

    >>> day = date(2024, 7, 1)
    >>> facts = [Published(("sales",), at=day, on=day, by="li")]
    >>> replay(GradePublication("2024-Q3", {"K-7": "low"}), facts).unread
    ('sales',)
    """
    for fact in facts:
        start = start.apply(fact)
    return start


def recorded(publications: Iterable[GradePublication]) -> RecordedGrades:
    """Return the grades that these publications put in force, by the day of publication (C-41).

    >>> day = date(2024, 7, 1)
    >>> shown = GradePublication("2024-Q3", {"K-7": "low"}, since=day)
    >>> recorded([shown]).grade("K-7", on=day)
    'low'
    """
    held = sorted(
        ((each.since, each) for each in publications if each.since), key=lambda pair: pair[0]
    )
    return RecordedGrades(
        tuple(GradeAssessment(since, each.grades, f"publication {each.id}") for since, each in held)
    )
