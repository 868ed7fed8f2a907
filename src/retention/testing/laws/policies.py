"""A policy is a value: changes can be taken back and seen. A machine is its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

from retention.mechanisms.answers import Refused
from retention.mechanisms.machines import Machine, Taken
from retention.mechanisms.policies import Origin, Policy
from retention.mechanisms.words import Word
from retention.testing.laws.agreement import agree

S = TypeVar("S", bound=Word)
C = TypeVar("C", bound=Word)


def change_can_be_taken_back(policy: Policy, path: str, value: Any) -> None:  # noqa: ANN401
    """A changed value shows at its path alone; putting the old one back restores everything.

    Everything means equality, the fingerprint, and the citation that the change took away.
    """
    law, case = "change_can_be_taken_back", f"the path {path} and the value {value}"
    before = {entry.path: entry for entry in policy.values()}
    changed = policy.with_(path, value)
    agree(law, case, changed=[each.path for each in policy.compare(changed)], wanted=[path])
    if before[path].source.origin is not Origin.GIVEN:  # else the new value may be the cited one
        origin = next(entry for entry in changed.values() if entry.path == path).source.origin
        agree(law, case, origin_of_the_change=str(origin), wanted="given")
    back = changed.with_(path, before[path].value)
    agree(law, case, policy=policy, taken_back=back)
    agree(law, case, cited=list(before.values()), cited_again=list(back.values()))
    fingerprint_follows_values(policy, changed)
    fingerprint_follows_values(policy, back)


def fingerprint_follows_values(policy: Policy, other: Policy) -> None:
    """Two policies have one fingerprint exactly when no value differs."""
    differing = [each.path for each in policy.compare(other)]
    agree(
        "fingerprint_follows_values", f"two policies that differ at {differing}",
        equality=policy == other,
        comparison=not differing,
        fingerprints=policy.fingerprint() == other.fingerprint(),
    )  # fmt: skip


def every_state_is_reachable(machine: Machine[S, C], start: S) -> None:
    """Some way, by commands or by time, leads from the start to every state."""
    reached, todo = {start}, [start]
    while todo:
        here = todo.pop()
        found = {step.target for step in machine.steps if step.source is here} - reached
        reached |= found
        todo += found
    missed = sorted(str(state) for state in machine.states if state not in reached)
    agree("every_state_is_reachable", f"machine {machine.id}", not_reached=missed, wanted=[])
    agree(
        "every_state_is_reachable", f"machine {machine.id}",
        unreachable=sorted(map(str, machine.unreachable(start))), not_reached=missed,
    )  # fmt: skip


def machine_keeps_its_table(machine: Machine[S, C]) -> None:
    """Each row is taken with what it needs and refused without; whatever has no row is refused."""
    law = "machine_keeps_its_table"
    rows = {(step.source, step.command): step for step in machine.steps if step.command}
    for state in machine.states:
        allowed = machine.allowed(state)
        for command in machine.commands:
            case, row = f"{state} -{command}->", rows.get((state, command))
            agree(law, case, table=row is not None, allowed=command in allowed)
            needs = frozenset() if row is None else row.needs
            taken = machine.step(state, command, needs)
            agree(law, case, table=row, step=None if isinstance(taken, Refused) else taken)
            for name in needs:
                short = machine.step(state, command, needs - {name})
                missing = short.missing if isinstance(short, Refused) else ()
                agree(law, f"{case} without {name}", missing=missing, wanted=(name,))


def machine_bulk_equals_steps(
    machine: Machine[S, C],
    states: Sequence[S],
    commands: Sequence[C],
    *,
    given: Mapping[str, Sequence[bool]],
    offsets: Sequence[int] = (),
) -> None:
    """Columns of commands do what one command after the other does, with the same refusals.

    Each command is run in its state. ``offsets`` cut the commands into those of one entity
    each, which begins in the state of its first command; without them every command has its own.

    >>> from retention.grading import GRADING, BatchState, GradingCommand
    >>> machine_bulk_equals_steps(
    ...     GRADING,
    ...     [BatchState.SUBMITTED] * 2,
    ...     [GradingCommand.REJECT] * 2,
    ...     given={"working_group": [True, False], "reason": [True, True]},
    ... )
    """
    law, codes = "machine_bulk_equals_steps", machine.encode(states, commands, given)
    events = [
        (command, frozenset(name for name, column in given.items() if column[row]))
        for row, command in enumerate(commands)
    ]
    one_by_one = [
        _walked(machine, state, [event], row)
        for row, (state, event) in enumerate(zip(states, events, strict=True))
    ]
    _compare_bulk(f"{law}", f"commands of machine {machine.id}", one_by_one, machine.taken(codes))
    places = list(machine.states)
    agree(
        law, f"commands of machine {machine.id}",
        run=[places[place] for place in machine.run(codes).tolist()],
        steps=[state for state, _ in one_by_one],
    )  # fmt: skip
    edges = list(offsets) or list(range(len(commands) + 1))
    spans = [(first, last) for first, last in pairwise(edges)]
    starts = [states[first] if first < last else places[0] for first, last in spans]
    folded = [
        _walked(machine, start, events[first:last], first)
        for start, (first, last) in zip(starts, spans, strict=True)
    ]
    many = machine.replay(starts, commands, edges, given)
    _compare_bulk(law, f"entities of machine {machine.id}", folded, many)


def _walked(
    machine: Machine[S, C], here: S, events: Sequence[tuple[C, frozenset[str]]], first: int
) -> tuple[S, dict[int, Refused]]:
    """One command after the other: the last state, and the refusals by their rows."""
    refused: dict[int, Refused] = {}
    for row, (command, brought) in enumerate(events, first):
        answer = machine.step(here, command, brought)
        if isinstance(answer, Refused):
            refused[row] = answer
        else:
            here = answer.target
    return here, refused


def _compare_bulk(
    law: str, case: str, found: Sequence[tuple[S, dict[int, Refused]]], many: Taken[S, C]
) -> None:
    agree(law, case, steps=[str(state) for state, _ in found], columns=many.words().tolist())
    refused = {row: str(answer) for _, answers in found for row, answer in answers.items()}
    rows = many.refusals.rows.tolist()
    agree(law, f"refusals of {case}", steps=refused,
          columns={row: str(many.refusals.at(row)) for row in rows})  # fmt: skip
    columns = many.refusals.to_columns()
    answers = [answer for _, each in found for answer in each.values()]
    agree(
        law, f"columns of refusals of {case}",
        steps=[(x.given[0], x.given[1], x.code, ", ".join(x.missing)) for x in answers],
        columns=list(zip(*(columns[x].tolist() for x in ("state", "command", "code", "missing")),
                         strict=True)),
    )  # fmt: skip
