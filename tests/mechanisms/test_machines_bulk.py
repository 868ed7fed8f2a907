"""Columns of commands answer as one command does, and a table says what it leaves out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise, product
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from retention.lifecycle import LIFECYCLE, LifecycleEvent, Stage
from retention.mechanisms.answers import Code, Refused
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    UnknownNameError,
    UnreadableTextError,
    WrongTypeError,
)
from retention.mechanisms.machines import Machine, Step
from retention.mechanisms.words import Word
from retention.testing.strategies import machines


class Case(Word):
    VERIFIED = "verified", "已核实"
    ASSIGNED = "assigned", "已分派"
    VISITED = "visited", "已回访"
    CLOSED = "closed", "已结案"
    OVERDUE = "overdue", "已逾期"


class Do(Word):
    ASSIGN = "assign", "分派"
    VISIT = "visit", "回访"
    SATISFIED = "satisfied", "满意"
    REOPEN = "reopen", "重新受理"
    ARGUE = "argue", "争议"


CASES = Machine(
    "cases",
    Case,
    Do,
    """
    verified          -assign->     assigned  [department, person]
    assigned          -visit->      visited   [person]
    assigned          ->            overdue   (three days)
    visited           -satisfied->  closed
    visited/overdue   -reopen->     verified  [reason]
    """,
)
NAMES = ("department", "person", "reason")


def fold(machine: Machine[Word, Word], start: Word, steps: list[tuple[Word, set[str]]]) -> Word:
    here = start
    for command, brought in steps:
        answer = machine.step(here, command, brought)
        here = here if isinstance(answer, Refused) else answer.target
    return here


def drawn_commands(
    data: DataObject, machine: Machine[Word, Word], most: int = 60
) -> tuple[list[Word], list[Word], dict[str, list[bool]]]:
    size = data.draw(st.integers(0, most))
    chance = data.draw(st.randoms(use_true_random=False))
    states = [chance.choice(list(machine.states)) for _ in range(size)]
    commands = [chance.choice(list(machine.commands)) for _ in range(size)]
    brought = {name: [chance.random() < 0.7 for _ in range(size)] for name in ("person", "reason")}
    return states, commands, brought


def names_of(brought: dict[str, list[bool]], row: int) -> set[str]:
    return {name for name, column in brought.items() if column[row]}


@pytest.mark.rule("X-05")
@given(machines(), st.data())
def test_columns_answer_as_one_command_does(machine: Machine[Word, Word], data: DataObject) -> None:
    states, commands, brought = drawn_commands(data, machine)
    taken = machine.taken(machine.encode(states, commands, brought))
    wanted, refused = [], {}
    for row, (state, command) in enumerate(zip(states, commands, strict=True)):
        answer = machine.step(state, command, names_of(brought, row))
        wanted.append(state if isinstance(answer, Refused) else answer.target)
        if isinstance(answer, Refused):
            refused[row] = answer
    assert taken.words().tolist() == wanted
    assert taken.refusals.rows.tolist() == list(refused)
    assert {row: taken.refusals.at(row) for row in refused} == refused
    columns = taken.refusals.to_columns()
    assert columns["state"].tolist() == [x.given[0] for x in refused.values()]
    assert columns["command"].tolist() == [x.given[1] for x in refused.values()]
    assert columns["code"].tolist() == [x.code for x in refused.values()]
    assert columns["missing"].tolist() == [", ".join(x.missing) for x in refused.values()]
    assert columns["allowed"].tolist() == [", ".join(x.allowed) for x in refused.values()]


@given(machines(), st.data())
def test_a_ragged_replay_is_the_fold_of_each_entity(
    machine: Machine[Word, Word], data: DataObject
) -> None:
    _, commands, brought = drawn_commands(data, machine, most=400)
    cuts = data.draw(st.lists(st.integers(0, len(commands)), max_size=90))
    edges = [0, *sorted(cuts), len(commands)]
    chance = data.draw(st.randoms(use_true_random=False))
    starts = [chance.choice(list(machine.states)) for _ in edges[1:]]
    done = machine.replay(starts, commands, edges, brought)
    rows = [[(commands[n], names_of(brought, n)) for n in range(*pair)] for pair in pairwise(edges)]
    wanted = [fold(machine, s, events) for s, events in zip(starts, rows, strict=True)]
    assert done.words().tolist() == wanted
    refused = [
        (first + number, machine.step(fold(machine, start, events[:number]), *event))
        for start, first, events in zip(starts, edges, rows, strict=False)
        for number, event in enumerate(events)
    ]
    expected = {row: answer for row, answer in refused if isinstance(answer, Refused)}
    assert done.refusals.rows.tolist() == list(expected)
    assert {row: done.refusals.at(row) for row in expected} == expected


def test_a_replay_of_many_and_of_few_entities_is_the_same() -> None:
    chance = np.random.default_rng(5)
    commands = chance.integers(0, len(Do), 40_000)
    given_names = {name: chance.random(40_000) < 0.8 for name in NAMES}
    many = np.concatenate([np.arange(0, 30_000, 100), [30_000, 40_000]])  # one of them is long
    together = CASES.replay("verified", commands, many, given_names)
    for entity in (0, 7, 299, 300):
        first, end = int(many[entity]), int(many[entity + 1])
        part = {name: column[first:end] for name, column in given_names.items()}
        alone = CASES.replay("verified", commands[first:end], [0, end - first], part)
        assert alone.states.tolist() == [together.states[entity]]
        rows = together.refusals.rows
        inside = rows[(rows >= first) & (rows < end)] - first
        assert alone.refusals.rows.tolist() == inside.tolist()
    assert len(together.refusals) == len(together.refusals.to_columns()["row"])


def test_codes_can_be_run_again_and_places_stand_for_words() -> None:
    words = CASES.encode(["verified", Case.VISITED], [Do.ASSIGN, "reopen"], {"person": True})
    places = CASES.encode([0, 2], [0, 3], {"person": [True, True], "colour": [True, True]})
    assert words.codes.tolist() == places.codes.tolist()
    assert len(words) == 2
    assert CASES.run(words).tolist() == CASES.run(words).tolist() == [0, 2]
    missing = [CASES.taken(words).refusals.at(row).missing for row in (0, 1)]
    assert missing == [("department",), ("reason",)]
    nothing = CASES.taken(CASES.encode([], []))
    assert (nothing.words().tolist(), len(nothing.refusals)) == ([], 0)
    assert CASES.replay([], [], [0]).states.tolist() == []


@pytest.mark.rule("X-05")
def test_a_refusal_names_state_command_missing_and_allowed() -> None:
    taken = CASES.taken(CASES.encode(["verified"] * 2, ["assign", "visit"], {"person": True}))
    short, impossible = taken.refusals.at(0), taken.refusals.at(1)
    assert (short.code, short.given, short.missing, short.allowed) == (
        Code.NAMES_MISSING,
        (Case.VERIFIED, Do.ASSIGN),
        ("department",),
        (Do.ASSIGN,),
    )
    assert (impossible.code, impossible.missing) == (Code.NOT_POSSIBLE, ())
    assert taken.words().tolist() == ["verified", "verified"]  # nothing half done
    with pytest.raises(UnknownNameError):
        taken.refusals.at(2)


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (UnknownNameError, (["verifed"], ["assign"])),
        (UnknownNameError, (["verified"], ["asign"])),
        (InvalidValueError, ([5], [0])),
        (InvalidValueError, ([0], [-1])),
        (WrongTypeError, ([0.5], [0])),
        (WrongTypeError, ([True], [0])),
        (UnequalColumnsError, ([0, 1], [0])),
        (UnequalColumnsError, ([0], [0], {"person": [True, False]})),
        (WrongTypeError, ([0], [0], {"person": ["yes"]})),
    ],
)
def test_columns_that_do_not_fit_are_refused(error: type[Exception], arguments: tuple) -> None:  # type: ignore[type-arg]
    with pytest.raises(error):
        CASES.encode(*arguments)


@pytest.mark.parametrize("offsets", [[], [1, 2], [0, 1], [0, 3, 2], [[0, 2]], [0.0, 2.0]])
def test_offsets_that_do_not_cut_all_commands_are_refused(offsets: list[int]) -> None:
    with pytest.raises(InvalidValueError):
        CASES.replay("verified", [0, 0], offsets)


def test_there_is_one_start_for_each_entity() -> None:
    with pytest.raises(UnequalColumnsError):
        CASES.replay(["verified"] * 3, [0, 0], [0, 1, 2])


def test_too_many_kinds_of_needs_are_refused_in_columns_alone() -> None:
    class Many(Word):
        HERE = "here", "此"

    make = cast("Callable[[str, object], type[Word]]", Word)
    commands = make("Commands", {f"C{n}": (f"c{n}", "令") for n in range(13)})
    table = "\n".join(f"here -c{n}-> here [n{n}]" for n in range(13))
    machine = Machine("many", Many, commands, table)
    assert isinstance(machine.step(Many.HERE, commands("c4"), {"n4"}), Step)
    with pytest.raises(InvalidValueError, match="at most 12"):
        machine.encode([0], [0])


# --- what a table says about itself ---------------------------------------------------------------


def test_reachable_dead_ends_unused_and_time() -> None:
    assert CASES.unreachable(Case.VERIFIED) == frozenset()
    assert CASES.reachable(Case.CLOSED) == {Case.CLOSED}
    assert CASES.dead_ends() == {Case.CLOSED}
    assert CASES.unused() == (Do.ARGUE,)
    noted = Machine("noted", Case, Do, "verified -assign-> closed\nclosed -argue-> closed")
    assert Case.CLOSED in noted.dead_ends()  # a row that stays leads nowhere
    assert [str(x) for x in CASES.by_time()] == ["assigned -> overdue (three days)"]
    assert CASES.by_time(Case.VISITED) == ()
    assert LIFECYCLE.dead_ends() == frozenset()
    assert {x.target for x in LIFECYCLE.by_time()} == {Stage.ACTIVE, Stage.SLEEPING, Stage.LOST}
    assert set(LIFECYCLE.commands) - set(LIFECYCLE.unused()) == set(LifecycleEvent)


@given(machines())
def test_the_matrix_holds_every_command_in_every_state(machine: Machine[Word, Word]) -> None:
    trials = list(machine.matrix())
    pairs = set(product(machine.states, machine.commands))
    assert {(x.state, x.command) for x in trials} == pairs
    rows = {(x.source, x.command): x for x in machine.steps if x.command is not None}
    for trial in trials:
        row = rows.get((trial.state, trial.command))
        fits = row is not None and row.needs <= trial.given
        assert trial.answer == row if fits else isinstance(trial.answer, Refused)
    guarded = [x for x in rows.values() if x.needs]
    assert len(trials) == len(pairs) + len(guarded)


@given(machines())
def test_page_and_diagram_show_every_row(machine: Machine[Word, Word]) -> None:
    page = machine.page()
    assert page.startswith(f"## {machine.id}\n")
    assert page.count("\n| ") - 1 == len(machine.steps)
    assert page.count(" --> ") == len(machine.steps)
    for step in machine.steps:
        assert f"    {step.source} --> {step.target}: {step.command or 'time'}" in page


def test_page_in_two_languages() -> None:
    assert "| `assigned` | time | `overdue` |  | three days |" in CASES.page()
    assert "| 已分派 `assigned` | 时间推移 | 已逾期 `overdue` |  | three days |" in CASES.page("zh")
    assert "| 已核实 `verified` | 分派 `assign` | 已分派 `assigned` | department, person |  |" in (
        CASES.page("zh")
    )


@given(machines())
def test_a_machine_is_its_text(machine: Machine[Word, Word]) -> None:
    table = "\n".join(map(str, machine.steps))
    again = Machine(machine.id, machine.states, machine.commands, table)
    assert again.steps == machine.steps


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UnreadableTextError, "verified assign assigned"),
        (UnreadableTextError, "verified -assign-> assigned [person"),
        (UnreadableTextError, "verified -assign-> assigned [per-son]"),
        (UnknownNameError, "verifed -assign-> assigned"),
        (UnknownNameError, "verified -asign-> assigned"),
        (UnknownNameError, "verified -assign-> asigned"),
        (DuplicateError, "verified -assign-> assigned\nverified -assign-> closed"),
    ],
)
def test_a_wrong_table_is_refused(error: type[Exception], line: str) -> None:
    with pytest.raises(error):
        Machine("wrong", Case, Do, line)


def test_one_command_does_not_load_numpy() -> None:
    code = (
        "import sys\n"
        "from retention.mechanisms.machines import Machine\n"
        "from retention.mechanisms.words import Word\n"
        "Door = Word('Door', {'OPEN': ('open', '开'), 'SHUT': ('shut', '关')})\n"
        "door = Machine('door', Door, Door, 'open -shut-> shut')\n"
        "door.step(Door.OPEN, Door.SHUT)\n"
        "print(door.page(), list(door.matrix()))\n"
        "assert 'numpy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
