"""One case as its log has it: the item, its way, its notes, and who is owed a reply.

A case is a fold of its facts and decides nothing: what may happen to it is said by
``feedback``, what concerns several cases by ``case_groups``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import attrs
from attrs import field, frozen

from retention.case_clocks import RECEIVED, Event
from retention.case_flows import Note, NoteState
from retention.intake import FeedbackItem, Received
from retention.mechanisms.periods import When, in_utc
from retention.mechanisms.workflows import Progress, Taken

Step = Taken[Any, Any]
CaseFact = Received | Step


@frozen
class CaseRequest:
    """Something the host should do at once: what, for which case, to whom, by which rule."""

    what: str
    case: str
    to: tuple[str, ...]
    rule: str


@frozen
class FeedbackCase:
    """One case: the item, its way, its notes, and everything in the order of the log."""

    id: str
    opened: Received
    progress: Progress[Any, Any]
    notes: Progress[NoteState, Note]
    log: tuple[CaseFact, ...] = field(repr=False)

    @property
    def item(self) -> FeedbackItem:
        """What came in."""
        return self.opened.item

    @property
    def state(self) -> Any:  # noqa: ANN401  a word of the case's own machine
        """Where the case stands on its way."""
        return self.progress.state

    @property
    def sequence(self) -> int:
        """Number of facts; a store appends after it."""
        return len(self.log)

    @property
    def received(self) -> When:
        """When the customer spoke: the earliest of all who were merged into this case."""
        first = self.item.at
        for step in self.noted(Note.ABSORB):
            first = step["received"] if is_before(step["received"], first) else first
        return first

    @property
    def customers(self) -> tuple[str | int, ...]:
        """Return everybody to whom this case owes a reply: merged in, and not split off."""
        found: dict[str | int, None] = {self.item.customer: None}
        for step in self.noted(Note.ABSORB, Note.SPLIT_OFF):
            for each in step["customers"]:
                found.pop(each, None)
                found |= {each: None} if step.name is Note.ABSORB else {}
        return tuple(found)

    def noted(self, *notes: Note) -> tuple[Step, ...]:
        """Return the notes of some kinds, oldest first."""
        return tuple(x for x in self.log if isinstance(x, Taken) and x.name in notes)

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened, as clocks read it; the case begins when the customer spoke."""
        steps = (x for x in self.log if isinstance(x, Taken))
        begin = Event(RECEIVED, self.received)
        return (begin, *(Event(str(x.name), x.at, dict(x.brings)) for x in steps))

    def known(self, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what is known of the case by name: of its item, and what was brought last."""
        item = {x: getattr(self.item, x) for x in ("kind", "channel", "topic", "cause", "product")}
        found: dict[str, Any] = {name: str(value) for name, value in item.items() if value}
        for fact in self.log:
            if isinstance(fact, Taken):
                found.update({name: value for name, value in fact.brings if value is not None})
        return found | dict(more or {})

    def apply(self, step: Step) -> FeedbackCase:
        """Return the case after a step; trusts it, since the handbook has judged it.

        A step of the way ends a pause, and takes up a case that was over.
        """
        log = (*self.log, step)
        if isinstance(step.name, Note):
            return attrs.evolve(self, notes=self.notes.apply(step), log=log)
        notes = attrs.evolve(self.notes, state=NoteState.OPEN)
        return attrs.evolve(self, progress=self.progress.apply(step), notes=notes, log=log)


def is_before(one: When, other: When) -> bool:
    """Whether a time is before another; two dates, or a date and an instant, go by the day.

    >>> is_before(date(2024, 6, 1), date(2024, 6, 2)), is_before(date(2024, 6, 1), date(2024, 6, 1))
    (True, False)
    """
    if isinstance(one, datetime) and isinstance(other, datetime):
        return in_utc(one) < in_utc(other)
    return _day(one) < _day(other)


def _day(when: When) -> date:
    return when.date() if isinstance(when, datetime) else when
