"""Sessions at the service desk: the bot first, then a person, with the history (SM-27).

Routine questions go to the bot (H-31); what it cannot solve is handed over with everything
that is known of the customer (H-33). Bot and human response are two clocks (H-32, AMB-20),
rows of data like those of a case. How a text becomes an intent is ``intents``, who is served
next is ``triage``, the rates of many sessions are ``session_rates``; messages are the host's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, ClassVar, TypeAlias

import attrs
from attrs import field, frozen

from retention.case_clocks import RECEIVED, ClockReading, ClockRule, Event
from retention.cases import CaseRequest
from retention.handovers import HandoverBrief
from retention.intake import Entry
from retention.mechanisms.acts import Command, Fact, repeated, who
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.choices import member
from retention.mechanisms.errors import UnknownNameError, WrongTypeError
from retention.mechanisms.estimates import Verdict
from retention.mechanisms.kpis import Target
from retention.mechanisms.machines import Machine
from retention.mechanisms.obligations import Outcome
from retention.mechanisms.periods import When, checked, in_utc, local_date, zone_of
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.words import Word
from retention.mechanisms.workflows import Act, Progress, Taken, Workflow


class SessionState(Word):
    """States of a session (SM-27, 002)."""

    OPENED = "opened", "已接入"
    BOT = "bot", "智能客服"
    HANDED_OVER = "handed_over", "已转人工"
    HUMAN = "human", "人工客服"
    RESOLVED = "resolved", "已解决"
    TRANSFERRED = "transferred", "已转案件"
    ABANDONED = "abandoned", "客户已离开"


class SessionCommand(Word):
    """Commands of a session (SM-27, 002)."""

    RECOGNISE = "recognise", "识别意图"
    SOLVE = "solve", "解决"
    HAND_OVER = "hand_over", "转人工"
    ANSWER = "answer", "人工应答"
    OPEN_CASE = "open_case", "转为案件"
    LEAVE = "leave", "客户离开"


class SessionIntake(Word):
    """The command with which a session begins."""

    OPEN = "open", "接入"


# The bot answers with the intent that it recognised, the person with ``answer``: the two steps
# that stop the clocks (AMB-20). A session that becomes a case says which one and of what kind.
SESSION = Machine(
    "SM-27",
    SessionState,
    SessionCommand,
    """
    opened -recognise-> bot [intent]
    bot -solve-> resolved
    bot -hand_over-> handed_over [history_attached]
    handed_over -answer-> human
    human -solve-> resolved
    human -open_case-> transferred [case, case_kind] (complaint or after-sales case)
    opened/bot/handed_over/human -leave-> abandoned
    """,
)
JUDGED = ("history_attached", "case_kind")  # what an act cannot claim by itself
HISTORY = "history"  # the name under which a hand-over keeps its references

SessionStep: TypeAlias = Taken[SessionState, SessionCommand]
OVER = frozenset({SessionState.RESOLVED, SessionState.TRANSFERRED, SessionState.ABANDONED})


def _entry(given: Entry | str) -> Entry:
    return member(Entry, given, "channel")


@frozen(kw_only=True)
class Open(Command):
    """A customer asks for help on a channel."""

    name: ClassVar[SessionIntake] = SessionIntake.OPEN

    session: str
    customer: str | int
    channel: Entry = field(converter=_entry)
    by: str = field(default="customer", validator=who)


@frozen(kw_only=True)
class SessionOpened(Fact):
    """A session was opened."""

    name: ClassVar[SessionIntake] = SessionIntake.OPEN

    session: str
    customer: str | int
    channel: Entry = field(converter=_entry)
    policy: str = ""  # fingerprint of the desk under which it was opened


SessionFact: TypeAlias = SessionOpened | SessionStep


@frozen
class ServiceSession:
    """One session: who opened it, where, and every step since."""

    opened: SessionOpened
    progress: Progress[SessionState, SessionCommand]

    @property
    def id(self) -> str:
        """The reference of the session."""
        return self.opened.session

    @property
    def customer(self) -> str | int:
        """Who asked."""
        return self.opened.customer

    @property
    def state(self) -> SessionState:
        """Where it stands."""
        return self.progress.state

    @property
    def intent(self) -> str:
        """What the bot took it for; empty before."""
        found = (x for x in self.progress.steps if x.name is SessionCommand.RECOGNISE)
        return next((str(x["intent"]) for x in found), "")

    @property
    def log(self) -> tuple[SessionFact, ...]:
        """Every fact, oldest first; a store keeps these."""
        return (self.opened, *self.progress.steps)

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened, as clocks read it."""
        steps = self.progress.steps
        begin = Event(RECEIVED, self.opened.at)
        return (begin, *(Event(str(x.name), x.at, dict(x.brings)) for x in steps))

    def history(self) -> tuple[str, ...]:
        """Return the references that went to the person with the hand-over (H-33)."""
        return tuple(self.progress.get(HISTORY, ()))


@policy
class ServiceDesk(Policy):
    """The desk of one handbook: which questions are the bot's, the clocks, the bot's target.

    An open session follows a change of these rules at once; the steps that it took stay.

    >>> from retention.presets import ecommerce
    >>> desk = ecommerce.service.desk
    >>> at = datetime(2024, 6, 10, 10, tzinfo=zone_of("Asia/Shanghai"))
    >>> command = Open(session="S-1", customer="C-1", channel="app", at=at)
    >>> session = desk.decide(None, command).or_raise().state
    >>> str(desk.due(session, as_of=at)[0])
    'bot_response due: due 2024-06-10T02:01:00+00:00, used 0:00:00 (H-32)'
    >>> print(desk.decide(session, Act("answer", at=at, by="li")))
    answer while opened: not possible; allowed now: recognise, leave
    """

    common: tuple[str, ...] = field(converter=tuple)  # intents of routine questions (H-31, H-34)
    clocks_table: tuple[ClockRule, ...] = field(converter=tuple, alias="clocks")
    bot_solved: Target | None = None  # share of common questions that the bot solves (H-34)
    case_kinds: tuple[str, ...] = field(default=("complaint", "after_sales"), converter=tuple)
    workflow: Workflow[SessionState, SessionCommand] = field(
        default=Workflow(SESSION, SessionState.OPENED, judged=JUDGED)
    )
    rule: str = "H-31"
    zone: str = "Asia/Shanghai"

    def __attrs_post_init__(self) -> None:
        if is_blank(self.clocks_table):
            return
        known = (RECEIVED, *(str(x) for x in SessionCommand))
        events = [x for row in self.clocks_table for x in (*row.starts, *row.stops, *row.ends)]
        strange = next((x for x in events if x not in known), None)
        if strange is not None:
            raise UnknownNameError("ServiceDesk.clocks", strange, sorted(known))

    # --- one command ----------------------------------------------------------------------------

    def decide(
        self,
        session: ServiceSession | None,
        command: Open | Act[Any],
        *,
        brief: HandoverBrief | None = None,
        earlier: Iterable[SessionFact] = (),
    ) -> Accepted[ServiceSession, SessionFact] | Refused:
        """Judge a command; a hand-over needs the brief of this customer as it is then (H-33).

        ``earlier`` are the facts that the store holds under the key of the command.
        """
        _instant(command.at, "at")
        if isinstance(command, Open):
            return self._open(session, command, tuple(earlier))
        if session is None:
            return Refused(Code.NOT_POSSIBLE, ("nothing", str(command.name)), (), ("open",))
        act = self._with_history(session, command, brief)
        late = ["later_time"] if in_utc(act.at) < in_utc(session.opened.at) else []  # type: ignore[arg-type]
        found = tuple(x for x in earlier if isinstance(x, Taken))
        holds = set(self._true(session, act, brief))
        answer = self.workflow.decide(
            session.progress, act, earlier=found, holds=holds, missing=late
        )
        if isinstance(answer, Refused):
            return answer
        after = attrs.evolve(session, progress=answer.state)
        if found:  # the key was used before: the answer is repeated, nothing happens again
            return Accepted(session, answer.facts)
        return Accepted(after, answer.facts, tuple(self._requests(after, answer.facts[0])))

    def replay(self, facts: Iterable[SessionFact]) -> ServiceSession:
        """Fold all facts of a session, oldest first; the first opened it."""
        first, *rest = facts
        if not isinstance(first, SessionOpened):
            raise WrongTypeError(
                "replay", type(first).__name__, "facts that begin with the opening"
            )
        steps = [x for x in rest if isinstance(x, Taken)]
        return ServiceSession(first, self.workflow.replay(first.session, steps))

    def allowed(self, session: ServiceSession) -> tuple[SessionCommand, ...]:
        """Return the commands that have a row now."""
        return self.workflow.allowed(session.progress)

    def _open(
        self, session: ServiceSession | None, command: Open, earlier: tuple[SessionFact, ...]
    ) -> Accepted[ServiceSession, SessionFact] | Refused:
        known = [x for x in earlier if isinstance(x, SessionOpened)]
        state = self.replay(known[:1]) if known else None
        again = repeated(state, command, known, given="nothing", allowed=("open",))
        if isinstance(again, Refused):
            return again
        if again is not None and state is not None:
            return Accepted(state, tuple(known))
        if session is not None:
            allowed = tuple(str(x) for x in self.allowed(session))
            return Refused(Code.NOT_POSSIBLE, (str(session.state), "open"), (), allowed)
        missing = tuple(x for x in ("session", "customer") if getattr(command, x) in ("", None))
        if missing:
            return Refused(Code.NAMES_MISSING, ("nothing", "open"), missing, ("open",))
        fact = SessionOpened(
            session=command.session,
            customer=command.customer,
            channel=command.channel,
            at=command.at,
            by=command.by,
            on=local_date(command.at, zone_of(self.zone)),
            key=command.key,
            policy=self.fingerprint(),
        )
        return Accepted(self.replay([fact]), (fact,))

    def _with_history(
        self, session: ServiceSession, act: Act[Any], brief: HandoverBrief | None
    ) -> Act[Any]:
        """Return the act with the references of the brief: the step itself says what went along."""
        if str(act.name) != str(SessionCommand.HAND_OVER):
            return act
        named = {name: value for name, value in act.brings if name != HISTORY}
        fits = brief is not None and self._fits(session, act, brief)
        more = {HISTORY: brief.references} if fits and brief is not None else {}
        return attrs.evolve(act, brings=named | more)

    def _fits(self, session: ServiceSession, act: Act[Any], brief: HandoverBrief) -> bool:
        """Whether a brief is of this customer and as it was at the hand-over."""
        return brief.customer == session.customer and in_utc(brief.at) == in_utc(
            _instant(act.at, "at")
        )

    def _true(
        self, session: ServiceSession, act: Act[Any], brief: HandoverBrief | None
    ) -> Iterator[str]:
        if brief is not None and self._fits(session, act, brief):
            yield "history_attached"
        if act.get("case_kind") in self.case_kinds:
            yield "case_kind"

    def _requests(self, session: ServiceSession, step: SessionStep) -> Iterator[CaseRequest]:
        if step.name is SessionCommand.RECOGNISE and session.intent not in self.common:
            yield CaseRequest("hand_over", session.id, ("bot",), self.rule)
        if step.name is SessionCommand.HAND_OVER:
            yield CaseRequest("answer", session.id, ("human",), self.rule)
        if step.name is SessionCommand.OPEN_CASE:
            yield CaseRequest(str(step["case_kind"]), session.id, ("human",), self.rule)

    # --- clocks ---------------------------------------------------------------------------------

    def clock(self, name: str) -> ClockRule:
        """Return the row of a clock."""
        rows = {row.name: row for row in self.clocks_table}
        if name not in rows:
            raise UnknownNameError("clock", name, list(rows))
        return rows[name]

    def clocks(self, session: ServiceSession, *, as_of: datetime) -> tuple[ClockReading, ...]:
        """Read every clock that has started; none of those that have not."""
        now = _instant(as_of, "as_of")
        found = (
            tuple(row.readings(session.events, as_of=now, zone=self.zone))
            for row in self.clocks_table
        )
        return tuple(each[-1] for each in found if each)

    def due(self, session: ServiceSession, *, as_of: datetime) -> tuple[ClockReading, ...]:
        """Return what is still to be done, earliest deadline first."""
        still = (x for x in self.clocks(session, as_of=as_of) if x.is_open)
        return tuple(sorted(still, key=lambda x: (x.due or as_of, x.name)))

    def response(self, session: ServiceSession, clock: str, *, as_of: datetime) -> Verdict | None:
        """Say whether the bot or the person answered in time (H-32); None if not yet asked.

        Who left in time without an answer decides nothing; who left after the limit missed it.
        """
        row = self.clock(clock)
        runs = tuple(row.readings(session.events, as_of=_instant(as_of, "as_of"), zone=self.zone))
        if not runs:
            return None
        names = {x.name for x in session.events if x.at == runs[-1].run.stopped}
        answered = bool(names & set(row.stops))
        if runs[-1].outcome is Outcome.ON_TIME and answered:
            return Verdict.MET
        in_time = runs[-1].outcome in {Outcome.ON_TIME, Outcome.DUE, Outcome.PENDING}
        return Verdict.UNDECIDED if in_time else Verdict.MISSED


def _instant(when: When, where: str) -> datetime:
    if not isinstance(checked(when, where), datetime):
        raise WrongTypeError(where, when, "an aware instant, since sessions count seconds")
    return when  # type: ignore[return-value]
