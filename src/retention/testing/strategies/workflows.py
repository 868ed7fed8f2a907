"""What people do with an entity of a workflow: acts, most of them possible, not all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from retention.mechanisms.answers import Accepted
from retention.mechanisms.words import Word
from retention.mechanisms.workflows import Act, Workflow

S = TypeVar("S", bound=Word)
C = TypeVar("C", bound=Word)

_START = date(2024, 7, 1)


def acts(
    workflow: Workflow[S, C],
    *,
    max_acts: int = 12,
    people: Iterable[str] = ("li", "chen"),
    values: Mapping[str, Any] | None = None,
    min_day: date = _START,
) -> SearchStrategy[list[Act[C]]]:
    """Acts on one entity, day by day: possible ones, others, and some that forget a name.

    ``values`` says what is brought under a name; other names bring a text.

    >>> from hypothesis import find
    >>> from retention.mechanisms.machines import Machine
    >>> class Door(Word):
    ...     OPEN = "open", "开"
    ...     SHUT = "shut", "关"
    >>> class Do(Word):
    ...     CLOSE = "close", "关门"
    >>> door = Workflow(Machine("door", Door, Do, "open -close-> shut [hand]"), Door.OPEN)
    >>> [found.brings for found in find(acts(door), lambda drawn: len(drawn) == 1)]
    [(('hand', 'something'),)]
    """
    return _acts(workflow, max_acts, tuple(people), dict(values or {}), min_day)


@st.composite
def _acts(
    draw: DrawFn,
    workflow: Workflow[S, C],
    most: int,
    people: tuple[str, ...],
    values: dict[str, Any],
    day: date,
) -> list[Act[C]]:
    """Follow the state, so that acts which are possible can be preferred."""
    turn = st.tuples(
        st.integers(0, 7), st.sampled_from(people), st.sampled_from((0, 0, 1, 30, -1)),
        st.sampled_from((False, False, False, True)),
    )  # fmt: skip
    machine, progress, found = workflow.machine, workflow.start("drawn"), list[Act[C]]()
    for number, by, days, forgets in draw(st.lists(turn, max_size=most)):
        choices = (*machine.allowed(progress.state), *machine.commands)
        command = choices[number % len(choices)]
        day += timedelta(days=days)
        rows = [x for x in machine.steps if (x.source, x.command) == (progress.state, command)]
        needs = sorted(rows[0].needs - set(workflow.judged)) if rows else []
        brings = {name: values.get(name, "something") for name in needs[forgets:]}
        act = Act(command, at=day, by=by, brings=brings)
        answer = workflow.decide(progress, act, holds=workflow.judged)
        progress = answer.state if isinstance(answer, Accepted) else progress
        found.append(act)
    return found
