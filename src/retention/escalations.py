"""Escalations: who has to be told of a case, when, and who has taken it over (H-04, H-15).

Two things send a case upwards: its level, at once, and a clock that ran on after it was due,
by the ladder of its row. Both are read from the log and ``as_of``; the notes ``alert`` and
``take_over`` say what was done about it. Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from attrs import frozen

from retention.case_flows import Note
from retention.cases import FeedbackCase, Step, is_before
from retention.feedback import Feedback
from retention.intake import Received
from retention.mechanisms.clocks import AlarmKind
from retention.mechanisms.errors import WrongTypeError
from retention.mechanisms.periods import in_utc
from retention.mechanisms.words import Word
from retention.triage import Consequence


class EscalationCause(Word):
    """What sends a case upwards."""

    LEVEL = "level", "等级升级"
    CLOCK = "clock", "超时升级"
    WARNING = "warning", "到期预警"


@frozen
class Escalation:
    """Somebody has to be told of a case: since when, why, and what was done about it.

    ``told`` is when ``alert`` was noted for that level, ``taken_over`` who took the case since.
    """

    case: str
    at: datetime
    cause: EscalationCause
    to: str
    what: str  # the level, or the clock
    rule: str
    told: datetime | None = None
    taken_over: str = ""

    @property
    def is_open(self) -> bool:
        """Whether nobody was told, and nobody has taken the case over."""
        return self.told is None and not self.taken_over

    def __str__(self) -> str:
        """Return one line for people."""
        done = f"taken over by {self.taken_over}" if self.taken_over else "to be told"
        said = done if self.told is None or self.taken_over else f"told {self.told.isoformat()}"
        return f"{self.case}: {self.to or 'handler'} since {self.at.isoformat()}, {said}"


def escalations(
    rules: Feedback, case: FeedbackCase, *, as_of: datetime, ahead: bool = False
) -> tuple[Escalation, ...]:
    """Return who has to be told of a case by an instant, earliest first.

    With ``ahead`` also what comes when nothing happens, so that a host can set its timers.

    >>> from retention.intake import FeedbackItem, Receive
    >>> from retention.mechanisms.workflows import Act
    >>> from retention.presets import ecommerce
    >>> rules, at = ecommerce.feedback, datetime.fromisoformat("2024-06-10T09:00+08:00")
    >>> item = FeedbackItem("C-1", at, "complaint", "app", matter="fraud")
    >>> case = rules.decide(None, Receive(case="K-1", item=item, at=at)).or_raise().state
    >>> grade = Act("grade", at=at, by="li", brings={"severity": "major"})
    >>> case = rules.decide(case, grade, holds={"in_crm"}).or_raise().state
    >>> print(*escalations(rules, case, as_of=at))
    K-1: management since 2024-06-10T01:00:00+00:00, to be told
    """
    seen = rules.seen(case, as_of)
    found = [*_by_level(rules, seen), *_by_clocks(rules, seen, as_of)]
    wanted = (x for x in found if ahead or x.at <= as_of)
    return tuple(sorted(wanted, key=lambda x: (x.at, x.cause, x.to)))


def escalation_agenda(
    rules: Feedback, cases: Iterable[FeedbackCase], *, as_of: datetime
) -> tuple[Escalation, ...]:
    """Return everybody who has still to be told of some cases, who waits longest first."""
    found = (x for case in cases for x in escalations(rules, case, as_of=as_of) if x.is_open)
    return tuple(sorted(found, key=lambda x: (x.at, x.case)))


def _by_level(rules: Feedback, case: FeedbackCase) -> Iterator[Escalation]:
    """A level that goes to management does so when it is settled (H-15)."""
    triage = rules.triage
    if triage is None:
        return
    before = rules.replay([case.opened])
    for fact in case.log[1:]:
        if isinstance(fact, Received):
            continue
        before = before.apply(fact)
        level = rules.level(before) if str(fact.name) in rules.flow.assesses else None
        if level is None or Consequence.MANAGEMENT not in triage.consequences(level.outcome):
            continue
        at, to = _instant(fact), str(Consequence.MANAGEMENT)
        told, taken = _answer(case, at, to)
        what = str(level.outcome)
        yield Escalation(case.id, at, EscalationCause.LEVEL, to, what, triage.rule, told, taken)


def _by_clocks(rules: Feedback, case: FeedbackCase, as_of: datetime) -> Iterator[Escalation]:
    """A clock warns before it is due, and goes up its ladder after it (H-26)."""
    for reading in rules.clocks(case, as_of=as_of):
        for alarm in () if reading.reading is None else reading.reading.alarms:
            warns = alarm.kind is AlarmKind.WARNING
            to = reading.who if warns else alarm.to
            cause = EscalationCause.WARNING if warns else EscalationCause.CLOCK
            told, taken = _answer(case, alarm.at, to)
            yield Escalation(case.id, alarm.at, cause, to, reading.name, reading.rule, told, taken)


def _answer(case: FeedbackCase, at: datetime, to: str) -> tuple[datetime | None, str]:
    """Return when somebody was told since an instant, and who has taken the case over since."""
    alerts = (x for x in case.noted(Note.ALERT) if x["level"] == to and not is_before(x.at, at))
    takers = (x for x in case.noted(Note.TAKE_OVER) if not is_before(x.at, at))
    told, taken = next(alerts, None), next(takers, None)
    return None if told is None else _instant(told), "" if taken is None else str(taken["person"])


def _instant(step: Step) -> datetime:
    if not isinstance(step.at, datetime):
        raise WrongTypeError(str(step.name), step.at, "an aware instant: escalations count hours")
    return in_utc(step.at)
