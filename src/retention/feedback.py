"""Feedback and complaints: one case from intake to its end, judged step by step.

A handbook's rules are data: the form, the way of a case (``case_flows``), the levels
(``triage``), the clocks (``case_clocks``), who may do what, which department is responsible.
The log of a case is the only truth: its state, its clocks and what is due are functions of the
log and ``as_of``. Groups, returns, sessions, root causes and improvements have rooms of their
own; messages are sent by the host, which finds in ``requests`` what is to be done at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import attrs
from attrs import field, frozen

from retention.case_clocks import RECEIVED, ClockReading, ClockRule
from retention.case_flows import JUDGED, NOTES, CaseFlow, Note, NoteState
from retention.cases import CaseFact, CaseRequest, FeedbackCase, Step, is_before
from retention.complaint_rates import HandledCase
from retention.intake import FeedbackItem, IntakeForm, Receive, Received
from retention.mechanisms.acts import repeated
from retention.mechanisms.answers import Accepted, Code, Reason, Refused
from retention.mechanisms.choices import member
from retention.mechanisms.clocks import Pause
from retention.mechanisms.decisions import Decision
from retention.mechanisms.errors import InvalidValueError, UnknownNameError, WrongTypeError
from retention.mechanisms.periods import When, checked, local_date, zone_of
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.words import Word
from retention.mechanisms.workflows import Act, Progress, Taken, Workflow
from retention.triage import CaseLevel, Consequence, Scope, Severity, Triage, Urgency

__all__ = [
    "Act",
    "Arrival",
    "ArrivalKind",
    "CaseRequest",
    "Feedback",
    "FeedbackCase",
    "FeedbackItem",
    "Receive",
    "Received",
    "Right",
    "Route",
]

W = TypeVar("W", bound=Word)
ANY_RATING = (1, 5)


@policy
class Right(Policy):
    """Who may give a command: roles of the company; a command without a row is open to all."""

    command: str
    roles: tuple[str, ...] = field(converter=tuple)

    @property
    def key(self) -> str:
        """Name as a row of a table."""
        return self.command


@policy
class Route(Policy):
    """Which department answers for a topic or kind of feedback (H-10, H-37)."""

    about: str
    department: str

    @property
    def key(self) -> str:
        """Name as a row of a table."""
        return self.about


class ArrivalKind(Word):
    """What a new item is to the cases that are known."""

    NEW = "new", "新受理"
    ATTACHED = "attached", "并入未结案件"
    REOPENED = "reopened", "复发，重新打开"


@frozen
class Arrival:
    """Where a new item belongs: a new case, an open one, or one that is taken up again."""

    kind: ArrivalKind
    case: str  # empty when new
    reason: Reason


@policy
class Feedback(Policy):
    """The rules of one handbook for one kind of case.

    An open case follows a change of these rules at once: the next step is judged by the rules
    in force; steps that were taken stay, and so does time that clocks have used when the
    versions of a clock are read together. ``Received.policy`` remembers under which
    fingerprint it was opened.

    >>> from retention.presets import ecommerce
    >>> rules = ecommerce.feedback
    >>> at = datetime(2024, 6, 10, 9, tzinfo=zone_of("Asia/Shanghai"))
    >>> item = FeedbackItem(
    ...     "C-17", at, "complaint", "app", matter="parcel damaged", demand="refund"
    ... )
    >>> case = rules.decide(None, Receive(case="K-1", item=item, at=at)).or_raise().state
    >>> str(case.state), str(rules.clocks(case, as_of=at)[0])
    ('received', 'completion due: due 2024-06-11T01:00:00+00:00, used 0:00:00 (H-26)')
    >>> print(rules.decide(case, Act("handle", at=at, by="agent")))
    handle while received: not possible; allowed now: grade
    """

    form: IntakeForm
    flow: CaseFlow
    triage: Triage | None = None
    clocks_table: tuple[ClockRule, ...] = field(default=(), converter=tuple, alias="clocks")
    rights: tuple[Right, ...] = field(default=(), converter=tuple)
    routes: tuple[Route, ...] = field(default=(), converter=tuple)
    reply_channels: tuple[str, ...] = field(default=(), converter=tuple)  # empty: any
    recurrence_days: int = 30
    satisfied_from: int = 4  # rating of 1 to 5 with which a customer counts as satisfied
    rule: str = "H-01"
    zone: str = "Asia/Shanghai"

    def __attrs_post_init__(self) -> None:
        for name in ("recurrence_days", "satisfied_from"):
            value: Any = getattr(self, name)
            if not is_blank(value) and (isinstance(value, bool) or not isinstance(value, int)):
                raise WrongTypeError(f"Feedback.{name}", value, "a whole number")
        commands = {*self._own, *(str(x) for x in Note)}
        strange = [x.command for x in self.rights if x.command not in commands]
        events = [x for row in self.clocks_table for x in (*row.starts, *row.stops, *row.ends)]
        strange += [x for x in events if x not in commands and x != RECEIVED]
        if strange:
            raise UnknownNameError("Feedback", strange[0], sorted(commands))

    # --- one command ----------------------------------------------------------------------------

    def decide(
        self,
        case: FeedbackCase | None,
        command: Receive | Act[Any],
        *,
        earlier: Iterable[CaseFact] = (),
        holds: Collection[str] = (),
    ) -> Accepted[FeedbackCase, CaseFact] | Refused:
        """Judge a command: the intake of a case, a step of its way, or a note.

        ``holds`` are conditions that only the host can know, such as ``in_crm``, or a room that
        sees several cases; ``earlier``
        are the facts that the store holds under the key of the command.
        """
        if isinstance(command, Receive):
            return self._receive(case, command, tuple(earlier))
        if case is None:
            allowed = (str(command.name), "receive")
            return Refused(Code.NOT_POSSIBLE, ("nothing", str(command.name)), (), allowed[1:])
        flow = self._flow_of(command)
        if (no := self._right(case, command)) is not None:
            return no
        at = self._view(case, flow)
        lacking = [] if self._in_order(case, command) else ["later_time"]
        if self._ends(case, command) and case.noted(Note.GATHER) and _REPLIED not in holds:
            lacking.append(_REPLIED)  # H-16: the room that sees the children says so
        found = tuple(x for x in earlier if isinstance(x, Taken))
        answer = flow.decide(
            at, command, earlier=found, missing=lacking, holds={*holds, *self._true(case, command)}
        )
        if isinstance(answer, Refused):
            return self._told(case, answer)
        (step, *_) = answer.facts
        if found:  # the key was used before: the answer is repeated, nothing happens again
            return Accepted(case, answer.facts)
        after = case.apply(step)
        return Accepted(after, answer.facts, tuple(self._requests(after, step)))

    def replay(self, facts: Iterable[CaseFact]) -> FeedbackCase:
        """Fold all facts of a case, oldest first; the first is its intake."""
        first, *rest = facts
        if not isinstance(first, Received):
            raise WrongTypeError("replay", type(first).__name__, "facts that begin with Received")
        case = self._opened(first)
        for step in rest:
            case = case.apply(cast("Step", step))
        return case

    def allowed(self, case: FeedbackCase, *, role: str = "") -> tuple[str, ...]:
        """Return the commands that have a row now, and that a role has the right to give."""
        found = self.flow.workflow.allowed(case.progress) if self._moves(case) else ()
        notes = NOTES.allowed(self._view(case, self._notes).state)
        names = (*(str(x) for x in found), *(str(x) for x in notes))
        return tuple(x for x in names if not role or role in self._roles(x, role))

    # --- what a case is -------------------------------------------------------------------------

    def level(self, case: FeedbackCase) -> Decision[CaseLevel] | None:
        """Return the level of a case by what is known of it; None before its assessment."""
        assessed = any(str(x.name) in self.flow.assesses for x in case.progress.steps)
        if self.triage is None or not assessed:
            return None
        return self.triage.level(case.known())

    def standing(self, case: FeedbackCase) -> NoteState:
        """Return whether a case hears notes: open, paused, over or merged."""
        return cast("NoteState", self._view(case, self._notes).state)

    def seen(self, case: FeedbackCase, as_of: When) -> FeedbackCase:
        """Return a case as it was known at a time: what happened later is left out."""
        known = [x for x in case.log[1:] if not is_before(as_of, x.at)]
        return case if len(known) == len(case.log) - 1 else self.replay([case.opened, *known])

    def is_over(self, case: FeedbackCase) -> bool:
        """Whether the way of a case has ended."""
        return str(case.state) in self.flow.over

    def is_solved(self, case: FeedbackCase) -> bool | None:
        """Whether it was solved for good (I-07): None while open, False after it came back."""
        if self.flow.recurs and any(str(x.name) == self.flow.recurs for x in case.progress.steps):
            return False
        return True if str(case.state) in self.flow.solved else None

    def completed(self, case: FeedbackCase) -> When | None:
        """Return when the case was first handled to its end (H-26); None if it was not yet."""
        steps = (x for x in case.progress.steps if str(x.name) in self.flow.completes)
        return next((x.at for x in steps), None)

    def handled(self, case: FeedbackCase) -> HandledCase:
        """Return what the complaint rates need of a case (I-06, I-07)."""
        done = self.completed(case)
        for when in (case.received, done):
            if when is not None and not isinstance(when, datetime):
                raise WrongTypeError("handled", when, "aware instants: the rates count hours")
        received = cast("datetime", case.received)
        return HandledCase(received, cast("datetime | None", done), self.is_solved(case))

    def department(self, case: FeedbackCase) -> str:
        """Return the department that answers for a case (H-10, H-37); empty if no row fits."""
        about = (case.item.topic, case.item.cause, str(case.item.kind))
        rows = {row.about: row.department for row in self.routes}
        return next((rows[x] for x in about if x in rows), "")

    def rounds(self, case: FeedbackCase) -> tuple[Step, ...]:
        """Return every solution that was proposed and every refusal of one (H-18)."""
        return tuple(x for x in case.progress.steps if str(x.name) in {"propose", "refuse"})

    # --- clocks ---------------------------------------------------------------------------------

    def clocks(self, case: FeedbackCase, *, as_of: datetime) -> tuple[ClockReading, ...]:
        """Return the latest run of every clock of a case; none of those that never started."""
        return tuple(runs[-1] for runs in self._runs(case, as_of) if runs)

    def clock_history(self, case: FeedbackCase, *, as_of: datetime) -> tuple[ClockReading, ...]:
        """Return every run of every clock, also those before a case was taken up again."""
        return tuple(reading for runs in self._runs(case, as_of) for reading in runs)

    def due(self, case: FeedbackCase, *, as_of: datetime) -> tuple[ClockReading, ...]:
        """Return what is still to be done, earliest deadline first, what stands still last."""
        still = [reading for reading in self.clocks(case, as_of=as_of) if reading.is_open]
        return tuple(sorted(still, key=lambda x: (x.due is None, x.due or as_of)))

    def pauses(self, case: FeedbackCase) -> tuple[Pause, ...]:
        """Return when the case waited for somebody, and for what."""
        found: list[Pause] = []
        since: Step | None = None
        for fact in case.log:
            if not isinstance(fact, Taken):
                continue
            waits = fact.target is NoteState.PAUSED
            if since is None and waits:
                since = fact
            elif since is not None and not waits:
                found.append(Pause(_aware(since.at), _aware(fact.at), str(since.get("reason"))))
                since = None
        if since is not None:
            found.append(Pause(_aware(since.at), None, str(since.get("reason"))))
        return tuple(found)

    def _runs(self, case: FeedbackCase, as_of: datetime) -> Iterator[tuple[ClockReading, ...]]:
        if not isinstance(checked(as_of, "as_of"), datetime):
            raise WrongTypeError("as_of", as_of, "an aware instant, since clocks count hours")
        case = self.seen(case, as_of)
        known = case.known({"level": self._level_word(case)})
        pauses = self.pauses(case)
        for row in self.clocks_table:
            if row.applies(known):
                read = row.readings(case.events, as_of=as_of, zone=self.zone, pauses=pauses)
                yield tuple(read)

    # --- what arrives ---------------------------------------------------------------------------

    def arrival(self, item: FeedbackItem, cases: Iterable[FeedbackCase]) -> Arrival:
        """Say where a new item belongs (H-08, H-44): an open case, a solved one, or none.

        A contact of the same customer about the same topic joins the open case, whatever the
        channel. Within ``recurrence_days`` days after it was handled (day N is in, RC-06) it
        takes the case up again. Items without a topic are always new.
        """
        mine = [x for x in cases if self._same(item, x)]
        for case in mine:
            if not self.is_over(case) and not self._handled_since(case):
                held = Reason("case", case.id, "open", held=True)
                return Arrival(ArrivalKind.ATTACHED, case.id, held)
        found = [(self._days_since(case, item), case) for case in mine if self.flow.recurs]
        known = [(days, case) for days, case in found if days is not None and days >= 0]
        if not known:
            reason = Reason("earlier_cases", len(mine), ">= 1 handled", held=False)
            return Arrival(ArrivalKind.NEW, "", reason)
        days, case = min(known, key=lambda pair: (pair[0], pair[1].id))
        again = days <= self.recurrence_days
        reason = Reason("days_since_handled", days, f"<= {self.recurrence_days}", held=again)
        if again:
            return Arrival(ArrivalKind.REOPENED, case.id, reason)
        return Arrival(ArrivalKind.NEW, "", reason)

    def _same(self, item: FeedbackItem, case: FeedbackCase) -> bool:
        about = item.topic or item.cause
        same = about and about in {case.item.topic, case.item.cause}
        return bool(same) and item.customer == case.item.customer

    def _handled_since(self, case: FeedbackCase) -> When | None:
        """When the time began in which the same problem counts as a recurrence."""
        last = case.progress.last
        steps = (x for x in reversed(case.progress.steps) if str(x.name) in self.flow.recurs_from)
        found = next(steps, None)
        open_again = last is not None and str(last.name) == self.flow.recurs
        return None if found is None or open_again else found.at

    def _days_since(self, case: FeedbackCase, item: FeedbackItem) -> int | None:
        when = self._handled_since(case)
        if when is None:
            return None
        zone = zone_of(self.zone)
        return (local_date(item.at, zone) - local_date(when, zone)).days

    # --- parts of a decision --------------------------------------------------------------------

    def _receive(
        self, case: FeedbackCase | None, command: Receive, earlier: Sequence[CaseFact]
    ) -> Accepted[FeedbackCase, CaseFact] | Refused:
        known = [x for x in earlier if isinstance(x, Received)]
        state = self._opened(known[0]) if known else None
        again = repeated(state, command, known, given="nothing", allowed=("receive",))
        if isinstance(again, Refused):
            return again
        if again is not None and state is not None:
            return Accepted(state, tuple(known))
        if case is not None:
            allowed = self.allowed(case)
            return Refused(Code.NOT_POSSIBLE, (str(case.state), "receive"), (), allowed)
        self.form.check(attrs.evolve(command.item, **self._filled(command.item)))
        if missing := tuple(self._unfit(command)):
            return Refused(Code.NAMES_MISSING, ("nothing", "receive"), missing, ("receive",))
        fact = Received(
            case=command.case,
            item=command.item,
            at=command.at,
            by=command.by,
            on=local_date(command.at, zone_of(self.zone)),
            key=command.key,
            policy=self.fingerprint(),
        )
        return Accepted(self._opened(fact), (fact,))

    def _filled(self, item: FeedbackItem) -> dict[str, Any]:
        """Return required fields that are missing, filled, so that ``missing`` can name them."""
        return {name: getattr(item, name) or "?" for name in self.form.missing(item)}

    def _unfit(self, command: Receive) -> Iterator[str]:
        yield from self.form.missing(command.item)
        if not command.case:
            yield "case"
        if is_before(command.at, command.item.at):
            yield "later_time"

    def _opened(self, fact: Received) -> FeedbackCase:
        way: Progress[Any, Any] = self.flow.workflow.start(fact.case)
        return FeedbackCase(fact.case, fact, way, self._notes.start(fact.case), (fact,))

    @property
    def _own(self) -> tuple[str, ...]:
        """Commands of the way, beside the notes that every case takes."""
        commands: Any = self.flow.workflow.machine.commands
        return tuple(str(x) for x in commands)

    @property
    def _notes(self) -> Workflow[NoteState, Note]:
        return Workflow(NOTES, NoteState.OPEN, self.zone, JUDGED["notes"])

    def _flow_of(self, command: Act[Any]) -> Workflow[Any, Any]:
        if command.name in self._own:
            return self.flow.workflow
        if command.name in tuple(Note):
            return self._notes
        names = [*self._own, *(str(x) for x in Note)]
        raise UnknownNameError("act", command.name, names)

    def _view(self, case: FeedbackCase, flow: Workflow[Any, Any]) -> Progress[Any, Any]:
        """Return where a case stands in one of its two tables."""
        if flow is self.flow.workflow:
            return case.progress if self._moves(case) else attrs.evolve(case.progress, state=_STILL)
        over = self.is_over(case) and case.notes.state is not NoteState.MERGED
        return attrs.evolve(case.notes, state=NoteState.OVER) if over else case.notes

    def _moves(self, case: FeedbackCase) -> bool:
        return case.notes.state is not NoteState.MERGED

    def _ends(self, case: FeedbackCase, act: Act[Any]) -> bool:
        """Whether an act would lead the way of a case to its end."""
        rows = (x for x in self.flow.workflow.machine.steps if x.source is case.state)
        return any(str(x.command) == act.name and str(x.target) in self.flow.over for x in rows)

    def _right(self, case: FeedbackCase, act: Act[Any]) -> Refused | None:
        roles = self._roles(str(act.name), act.role)
        if act.role in roles:
            return None
        allowed = self.allowed(case, role=act.role) if act.role else ()
        missing = tuple(f"role {role}" for role in roles)
        return Refused(Code.NO_RIGHT, (str(case.state), str(act.name)), missing, allowed)

    def _roles(self, command: str, default: str) -> tuple[str, ...]:
        rows = {row.command: row.roles for row in self.rights}
        return rows.get(command, (default,))

    def _told(self, case: FeedbackCase, no: Refused) -> Refused:
        return attrs.evolve(no, given=(str(case.state), no.given[1]))

    def _in_order(self, case: FeedbackCase, act: Act[Any]) -> bool:
        """Whether an act is not dated before the latest fact of the case, note or step."""
        return not is_before(act.at, case.log[-1].at)

    def _true(self, case: FeedbackCase, act: Act[Any]) -> Iterator[str]:
        """Return the conditions of the tables that hold for this act."""
        known = case.known(dict(act.brings))
        level = self._level_word(case, known) or self._assessing(act, known)
        yield f"is_{level}"
        if level != str(CaseLevel.MAJOR):
            yield "is_not_major"
        departments = act.get("departments") or ()
        least = self.triage.joint_team if self.triage else None
        if least is not None and len(set(departments)) >= least:
            yield "joint_team"
        if not self.reply_channels or act.get("channel") in self.reply_channels:
            yield "reply_channel"
        if not self.form.missing(case.item):
            yield "four_fields"
        rating = known.get("rating")
        if rating is not None and self._rating(rating) >= self.satisfied_from:
            yield "satisfied"
        if self._quiet(case, act):
            yield "no_recurrence"

    def _rating(self, rating: Any) -> int:  # noqa: ANN401
        low, high = ANY_RATING
        if isinstance(rating, bool) or not isinstance(rating, int) or not low <= rating <= high:
            raise InvalidValueError("rating", rating, f"a whole number from {low} to {high}")
        return rating

    def _quiet(self, case: FeedbackCase, act: Act[Any]) -> bool:
        """Whether the days in which the same problem would count as a recurrence are over."""
        since = self._handled_since(case)
        if since is None:
            return False
        zone = zone_of(self.zone)
        last = local_date(since, zone) + timedelta(days=self.recurrence_days)
        return local_date(act.at, zone) > last

    def _assessing(self, act: Act[Any], known: Mapping[str, Any]) -> str:
        if self.triage is None or is_blank(self.triage.table):
            return ""
        if str(act.name) not in self.flow.assesses:
            return ""
        return str(self.triage.level(_checked(known)).outcome)

    def _level_word(self, case: FeedbackCase, known: Mapping[str, Any] | None = None) -> str:
        assessed = any(str(x.name) in self.flow.assesses for x in case.progress.steps)
        if self.triage is None or not assessed:
            return ""
        return str(self.triage.level(_checked(known or case.known())).outcome)

    def _requests(self, case: FeedbackCase, step: Step) -> Iterator[CaseRequest]:
        """Return what has to happen at once after a step (H-04, H-14, H-15)."""
        if self.triage is None or str(step.name) not in self.flow.assesses:
            return
        level = self.triage.level(_checked(case.known())).outcome
        for what in self.triage.consequences(level):
            to = step.get("departments") or (self.department(case) or "customer_service",)
            whom = ("management",) if what is Consequence.MANAGEMENT else tuple(to)
            yield CaseRequest(str(what), case.id, whom, self.triage.rule)


class _Still(Word):
    """The way of a case that was merged into another: nothing has a row here."""

    MERGED = "merged", "已合并"


_STILL = _Still.MERGED
_REPLIED = "children_replied"

_DIMENSIONS: tuple[tuple[str, type[Word]], ...] = (
    ("severity", Severity),
    ("scope", Scope),
    ("urgency", Urgency),
)


def _checked(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known; a level that is no word of its dimension is refused."""
    words = {
        name: str(member(kind, known[name], name)) for name, kind in _DIMENSIONS if name in known
    }
    return dict(known) | words


def _aware(when: When) -> datetime:
    if not isinstance(when, datetime):
        raise WrongTypeError("pause", when, "aware instants: pauses count hours")
    return when
