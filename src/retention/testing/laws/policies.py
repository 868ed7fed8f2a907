"""A policy is a value: changes can be taken back and seen. A machine is its table."""

from __future__ import annotations

from typing import Any, TypeVar

from retention.mechanisms.answers import Refused
from retention.mechanisms.machines import Machine
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
