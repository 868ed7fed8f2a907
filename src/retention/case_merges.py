"""Two cases at once: merging, splitting, and facts that are stored together (H-44).

Merging keeps the earliest receipt and everybody who is owed a reply. Nothing is done by
halves: an answer holds the facts of every case that it touches, for the store to append all
of them or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, frozen

from retention.case_flows import CaseFlow, Note
from retention.cases import CaseFact, FeedbackCase
from retention.feedback import Feedback
from retention.intake import FeedbackItem, Receive
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.workflows import Act

_TOGETHER = ("both_cases",)
Said = tuple[Note, dict[str, Any]]


@frozen
class CaseFacts:
    """Facts of one case, to be appended after its ``expected`` ones, with all others or none."""

    case: str
    expected: int
    facts: tuple[CaseFact, ...]


@frozen
class CasePair:
    """Two cases after something that concerns both."""

    one: FeedbackCase
    other: FeedbackCase


def merge(
    rules: Feedback, case: FeedbackCase, into: FeedbackCase, *, at: datetime, by: str, why: str = ""
) -> Accepted[CasePair, CaseFacts] | Refused:
    """Merge a case into another: its receipt and its customers go over, its way stands still.

    Refused for a case into itself, for one that was merged or is over, and into such a one;
    so there are no circles. Nobody who is owed a reply is lost.
    """
    if case.id == into.id:
        given = (str(case.state), str(Note.MERGE_INTO))
        return Refused(Code.NOT_POSSIBLE, given, ("another_case",), rules.allowed(case))
    brings = {"received": case.received, "customers": case.customers, "reason": why}
    notes = ((Note.MERGE_INTO, {"reason": why}), (Note.ABSORB, brings))
    pair = note_both(rules, (case, into), notes, at=at, by=by)
    if isinstance(pair, Refused):
        return pair
    return Accepted(pair, (added(case, pair.one), added(into, pair.other)))


def split(
    rules: Feedback,
    case: FeedbackCase,
    item: FeedbackItem,
    *,
    new: str,
    at: datetime,
    by: str,
    customers: Sequence[str | int] = (),
) -> Accepted[CasePair, CaseFacts] | Refused:
    """Split a matter off into a case of its own, which begins with the same receipt.

    Its item may say what the matter is; whatever time it names, the new case begins when the
    customer spoke. ``customers`` go over to the new case; its own customer stays with both.
    """
    strange = [x for x in (item.customer, *customers) if x not in case.customers]
    if strange or new == case.id:
        given = (str(case.state), str(Note.SPLIT_OFF))
        missing = ("another_case",) if new == case.id else ("customers_of_this_case",)
        return Refused(Code.NOT_POSSIBLE, given, missing, rules.allowed(case))
    answer = rules.decide(None, Receive(case=new, item=evolve(item, at=case.received), at=at))
    if isinstance(answer, Refused):
        return answer
    gone = tuple(x for x in customers if x != case.item.customer)
    brings = {"received": case.received, "customers": (item.customer, *gone)}
    notes = ((Note.SPLIT_OFF, {"customers": gone}), (Note.ABSORB, brings))
    pair = note_both(rules, (case, answer.state), notes, at=at, by=by)
    if isinstance(pair, Refused):
        return pair
    return Accepted(pair, (added(case, pair.one), CaseFacts(new, 0, pair.other.log)))


def note_both(
    rules: Feedback,
    cases: tuple[FeedbackCase, FeedbackCase],
    notes: tuple[Said, Said],
    *,
    at: datetime,
    by: str,
) -> CasePair | Refused:
    """Note something in two cases, each naming the other; the first refusal is the answer."""
    after: list[FeedbackCase] = []
    for case, other, (note, brings) in zip(cases, reversed(cases), notes, strict=True):
        act = Act(note, at=at, by=by, brings=brings | {"case": other.id})
        answer = rules.decide(case, act, holds=_TOGETHER)
        if isinstance(answer, Refused):
            return evolve(answer, given=(f"{case.id} {rules.standing(case)}", str(note)))
        after.append(answer.state)
    return CasePair(*after)


def added(before: FeedbackCase, after: FeedbackCase) -> CaseFacts:
    """Return the facts that a case has more than before."""
    return CaseFacts(after.id, before.sequence, after.log[before.sequence :])


def is_replied(rules: Feedback, case: FeedbackCase) -> bool:
    """Whether the customer had a reply, and the way can end without another one.

    A case that came back, or whose customer was not satisfied, owes its reply again.
    """
    said = any(str(step.name) in rules.flow.replies for step in case.progress.steps)
    return said and str(case.state) in _answered(rules.flow)


def _answered(flow: CaseFlow) -> set[str]:
    """Return the states from which the end is reached without a reply."""
    rows = [
        x
        for x in flow.workflow.machine.steps
        if str(x.command) not in flow.replies and str(x.command) != flow.recurs
    ]
    found = set(flow.over)
    while more := {str(x.source) for x in rows if str(x.target) in found} - found:
        found |= more
    return found
