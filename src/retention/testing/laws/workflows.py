"""A workflow in use never leaves its table, forgets nothing, and gives one answer to one key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import attrs

from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.periods import local_date, zone_of
from retention.mechanisms.words import Word
from retention.mechanisms.workflows import Act, Progress, Taken, Workflow
from retention.testing.laws.agreement import agree, agree_by_customer

S = TypeVar("S", bound=Word)
C = TypeVar("C", bound=Word)

_LAW = "a_workflow_keeps_its_machine"


def a_workflow_keeps_its_machine(
    workflow: Workflow[S, C], acts: Iterable[Act[C]], *, holds: Collection[str] = ()
) -> Progress[S, C]:
    """However acts follow each other: each step is a row of the table with what the row needs.

    Also: a refusal changes nothing and says what the table allows; the steps replayed give the
    progress again; their days never fall; a key that comes again repeats the answer, with
    another content it is refused. Returns where the entity ends.

    >>> from datetime import date
    >>> from retention.grading import GRADING, BatchState, GradingCommand
    >>> day = date(2024, 7, 1)
    >>> a_workflow_keeps_its_machine(
    ...     Workflow(GRADING, BatchState.COLLECTING),
    ...     [Act(GradingCommand.ANALYSE, at=day, by="li") for _ in range(2)],
    ... ).state.value
    'analysed'
    """
    progress = workflow.start("an entity")
    for number, act in enumerate(acts):
        case = f"act {number}, {act.name} by {act.by} while {progress.state}"
        rows = [x for x in workflow.machine.steps if x.source is progress.state and x.command]
        row = next((x for x in rows if x.command == act.name), None)
        given = (act.names - set(workflow.judged)) | set(holds)
        answer = workflow.decide(progress, act, holds=holds)
        if isinstance(answer, Refused):
            agree(_LAW, case, allows=answer.allowed, table_allows=tuple(x.command for x in rows))
            short = row is None or not row.needs <= given
            agree(_LAW, case, lacks=short or answer.missing == ("later_time",), refused=True)
            continue
        (step,) = answer.facts
        agree(_LAW, case, step=(step.source, step.name, step.target),
              table=row and (row.source, row.command, row.target))  # fmt: skip
        agree(_LAW, case, has_what_it_needs=row is not None and row.needs <= given, wanted=True)
        _check_key(workflow, case, progress, act, holds)
        progress = answer.state
        agree(_LAW, case, progress=progress, replay=workflow.replay("an entity", progress.steps))
    days = [step.on for step in progress.steps]
    agree(_LAW, "all steps", days=days, sorted_days=sorted(days))
    zone = zone_of(workflow.zone)
    agree(_LAW, "all steps", days=days, local=[local_date(x.at, zone) for x in progress.steps])
    return progress


def _check_key(
    workflow: Workflow[S, C],
    case: str,
    progress: Progress[S, C],
    act: Act[C],
    holds: Collection[str],
) -> None:
    keyed = attrs.evolve(act, key=act.key or "a key")
    first = workflow.decide(progress, keyed, holds=holds).or_raise()
    again = workflow.decide(first.state, keyed, earlier=first.facts, holds=holds)
    repeated = isinstance(again, Accepted) and (again.state, again.facts)
    agree(_LAW, f"{case}, again", first=(first.state, first.facts), again=repeated)
    other = attrs.evolve(keyed, by=f"not {act.by}")
    answer = workflow.decide(first.state, other, earlier=first.facts, holds=holds)
    code = answer.code if isinstance(answer, Refused) else None
    agree(_LAW, f"{case}, the key with another person", answer=code, wanted=Code.KEY_REUSED)


def workflow_one_equals_columns(
    workflow: Workflow[S, C], steps: Mapping[str, Sequence[Taken[S, C]]]
) -> None:
    """The steps of many entities in columns, mixed as a store has them, give the same states.

    >>> from datetime import date
    >>> from retention.grading import GRADING, BatchState, GradingCommand
    >>> flow = Workflow(GRADING, BatchState.COLLECTING)
    >>> act = Act(GradingCommand.ANALYSE, at=date(2024, 7, 1), by="li")
    >>> workflow_one_equals_columns(flow, {"a": flow.decide(flow.start("a"), act).or_raise().facts})
    """
    law = "workflow_one_equals_columns"
    longest = max(map(len, steps.values()), default=0)
    turns = [(who, row[n]) for n in range(longest) for who, row in steps.items() if n < len(row)]
    entities, commands = [who for who, _ in turns], [step.name for _, step in turns]
    found = workflow.states(entities, commands)
    agree(law, "all entities", problems=found.problems, wanted=())
    one: dict[Any, S] = {x: workflow.replay(x, row).state for x, row in steps.items() if row}
    agree_by_customer(law, "in columns", one=one, columns={x: found.of(x) for x in one})
    totals = {each.value: list(one.values()).count(each) for each in workflow.machine.states}
    agree(law, "all entities", one=totals, columns=found.counts())
    judged = workflow.states(
        entities, commands, {x: False for row in _needs(workflow) for x in row}
    )
    needy = sum(bool(problem.rows) for problem in judged.problems)
    agree(law, "nothing brought", refused=needy > 0, wanted=_stuck(workflow, steps))


def _needs(workflow: Workflow[S, C]) -> list[frozenset[str]]:
    return [step.needs for step in workflow.machine.steps if step.needs]


def _stuck(workflow: Workflow[S, C], steps: Mapping[str, Sequence[Taken[S, C]]]) -> bool:
    """Whether some step of an entity could not be taken by one that brings nothing."""
    rows = {(x.source, x.command): x.needs for x in workflow.machine.steps}
    return any(rows[x.source, x.name] for row in steps.values() for x in row if x.source)
