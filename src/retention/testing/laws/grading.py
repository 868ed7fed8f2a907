"""A grade takes effect when somebody else approved it; facts give the state again."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from datetime import date

import attrs

from retention.grading import (
    GRADING,
    Activated,
    Approved,
    BatchState,
    Grading,
    GradingFact,
    GradingOrder,
    GradingProcess,
    Submitted,
    replay,
)
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.testing.laws.agreement import agree
from retention.testing.laws.times import history_has_no_overlap

_NOTHING = Grading()
_LAW = "a_batch_takes_effect_only_after_another_person_approved_it"


def a_batch_takes_effect_only_after_another_person_approved_it(
    process: GradingProcess, commands: Iterable[GradingOrder], *, start: Grading = _NOTHING
) -> None:
    """However commands follow each other: no batch takes effect unless a member of the group,
    who did not submit it, approved it as it was submitted (C-14, K-13).

    Also: a refusal changes nothing and says what is allowed; the facts give the state again;
    a key that comes again repeats the answer, with another content it is refused; the grade
    of a day is that of the batch which took effect last.

    >>> from retention.grading import Analyse, Approve, Head, Submit, WorkingGroup
    >>> from retention.presets import user_retention
    >>> group = WorkingGroup("group", (Head("marketing", "chen"),))
    >>> process = user_retention.segmentation.process.with_("group", group)
    >>> done = [Analyse("H2", {"u": "gold"}, at=date(2024, 7, 1), by="li")]
    >>> done += [Submit("H2", at=date(2024, 7, 2), by="li")]
    >>> done += [Approve("H2", at=date(2024, 7, 3), by=name) for name in ("li", "chen")]
    >>> a_batch_takes_effect_only_after_another_person_approved_it(process, done)
    """  # noqa: D205  one sentence
    state, facts = start, list[GradingFact]()
    for number, command in enumerate(commands):
        case = f"command {number}, {command.name} of batch {command.batch} by {command.by}"
        before = copy.deepcopy(state)
        answer = process.decide(state, command)
        agree(_LAW, f"{case}, the state before", left_alone=state == before, wanted=True)
        if isinstance(answer, Refused):
            allowed = GRADING.allowed(state.batch(command.batch).state)
            agree(_LAW, case, refusal_allows=answer.allowed, machine_allows=allowed)
            continue
        _check_key(process, case, state, command)
        state, facts = answer.state, [*facts, *answer.facts]
        _check_approval(process, case, facts)
        agree(_LAW, case, state=state, replay=replay(facts, start))
    _check_grades(start, state, facts)


def _check_key(process: GradingProcess, case: str, state: Grading, command: GradingOrder) -> None:
    keyed = attrs.evolve(command, key=command.key or "a key")
    first = process.decide(state, keyed).or_raise()
    again = process.decide(first.state, keyed, earlier=first.facts)
    repeated = isinstance(again, Accepted) and (again.state, again.facts)
    agree(_LAW, f"{case}, again", first=(first.state, first.facts), again=repeated)
    other = attrs.evolve(keyed, by=f"not {command.by}")
    answer = process.decide(first.state, other, earlier=first.facts)
    code = answer.code if isinstance(answer, Refused) else None
    agree(_LAW, f"{case}, the key with another person", answer=code, wanted=Code.KEY_REUSED)


def _check_approval(process: GradingProcess, case: str, facts: Sequence[GradingFact]) -> None:
    last = facts[-1] if facts else None
    if not isinstance(last, Activated):
        return
    own = [fact for fact in facts[:-1] if fact.batch == last.batch]
    approval = own[-1] if own else None
    submission = next((fact for fact in reversed(own) if isinstance(fact, Submitted)), None)
    if not isinstance(approval, Approved) or submission is None:
        raise AssertionError(f"law {_LAW} is broken for {case}: nobody approved it")
    if approval.by == submission.by or not process.group.has(approval.by):
        raise AssertionError(
            f"law {_LAW} is broken for {case}: {submission.by} submitted it and {approval.by} "
            f"approved it"
        )
    agree(_LAW, case, days=sorted(days := [submission.on, approval.on, last.on]), facts=days)


def _check_grades(start: Grading, state: Grading, facts: Sequence[GradingFact]) -> None:
    """Each batch that took effect gives the grades from its day on, until the next one."""
    active = [fact for fact in facts if isinstance(fact, Activated)]
    effective = [each.id for each in state.batches if each.state is BatchState.EFFECTIVE]
    if active:
        agree(_LAW, "all batches", effective=effective, activated_last=[active[-1].batch])
    held = dict(start.recorded.grades(on=date.max))
    for fact in active:
        held |= dict(state.batch(fact.batch).grades)
        found = state.recorded.grades(on=fact.on)
        agree(_LAW, f"batch {fact.batch} on {fact.on}", recorded=found, activated=held)
    for customer in held:
        history_has_no_overlap(state.recorded.history(customer))
