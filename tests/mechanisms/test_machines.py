"""Machines as text tables: steps, refusals, reachability."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from retention.lifecycle import LIFECYCLE, LifecycleEvent, Stage
from retention.mechanisms.answers import Code, Refused
from retention.mechanisms.errors import DuplicateError, UnknownNameError, UnreadableTextError
from retention.mechanisms.machines import Machine, Step
from retention.mechanisms.words import Word
from tests.refusals import refused


class Door(Word):
    OPEN = "open", "开"
    SHUT = "shut", "关"
    LOCKED = "locked", "锁"
    GONE = "gone", "无"


class Do(Word):
    CLOSE = "close", "关门"
    LOCK = "lock", "上锁"
    KICK = "kick", "踢"


TABLE = """
    open          -close-> shut    [hand]
    shut          -lock->  locked  [key, hand]  (twice round)
    open / locked -kick->  open
    open ->                shut    (the wind, after 8 hours)
"""
DOOR = Machine("door", Door, Do, TABLE)


def test_a_table_is_read_row_by_row() -> None:
    assert [str(step) for step in DOOR.steps] == [
        "open -close-> shut [hand]",
        "shut -lock-> locked [hand, key] (twice round)",
        "open -kick-> open",
        "locked -kick-> open",
        "open -> shut (the wind, after 8 hours)",
    ]


def test_a_table_that_is_written_out_reads_the_same() -> None:
    again = Machine("door", Door, Do, "\n".join(map(str, DOOR.steps)))
    assert again.steps == DOOR.steps


def test_a_step_is_a_row() -> None:
    step = DOOR.step(Door.SHUT, Do.LOCK, {"key", "hand", "hat"})
    assert step == Step(Door.SHUT, Do.LOCK, Door.LOCKED, frozenset({"key", "hand"}), "twice round")
    assert step is DOOR.steps[1]  # nothing is made
    assert DOOR.step(Door.OPEN, Do.KICK) is DOOR.steps[2]


@pytest.mark.rule("X-05")
@pytest.mark.parametrize(
    ("state", "command", "given", "refusal"),
    [
        (
            Door.OPEN,
            Do.LOCK,
            {"key", "hand"},
            Refused(Code.NOT_POSSIBLE, ("open", "lock"), (), ("close", "kick")),
        ),
        (
            Door.SHUT,
            Do.LOCK,
            {"key"},
            Refused(Code.NAMES_MISSING, ("shut", "lock"), ("hand",), ("lock",)),
        ),
        (
            Door.SHUT,
            Do.LOCK,
            set(),
            Refused(Code.NAMES_MISSING, ("shut", "lock"), ("hand", "key"), ("lock",)),
        ),
        (Door.GONE, Do.KICK, set(), Refused(Code.NOT_POSSIBLE, ("gone", "kick"))),
    ],
    ids=["no row", "one missing", "all missing", "dead end"],
)
def test_what_has_no_row_is_refused(
    state: Door, command: Do, given: set[str], refusal: Refused
) -> None:
    assert DOOR.step(state, command, given) == refusal


@pytest.mark.rule("X-05")
def test_every_pair_without_a_row_is_refused() -> None:
    machines: list[Machine[Any, Any]] = [DOOR, LIFECYCLE]
    for machine in machines:
        commanded = {(step.source, step.command) for step in machine.steps if step.command}
        for state in machine.states:
            for command in machine.commands:
                answer = machine.step(state, command, {"hand", "key"})
                assert isinstance(answer, Step) == ((state, command) in commanded)
                if isinstance(answer, Refused):
                    assert answer.given == (state, command)
                    assert answer.allowed == machine.allowed(state)


def test_time_is_no_command() -> None:
    assert DOOR.steps[-1].command is None
    assert DOOR.between(Door.OPEN, Door.SHUT) == (DOOR.steps[0], DOOR.steps[4])
    assert DOOR.allowed(Door.OPEN) == (Do.CLOSE, Do.KICK)
    assert DOOR.between(Door.GONE, Door.OPEN) == ()


def test_reachability_counts_time_too() -> None:
    assert DOOR.unreachable(Door.OPEN) == {Door.GONE}
    assert DOOR.unreachable(Door.GONE) == {Door.OPEN, Door.SHUT, Door.LOCKED}
    by_time = Machine("m", Door, Do, "open -> shut\nshut -> locked\nlocked -kick-> gone")
    assert by_time.unreachable(Door.OPEN) == frozenset()


def test_a_diagram() -> None:
    assert DOOR.mermaid().splitlines() == [
        "stateDiagram-v2",
        "    open --> shut: close [hand]",
        "    shut --> locked: lock (twice round) [hand, key]",
        "    open --> open: kick",
        "    locked --> open: kick",
        "    open --> shut: time (the wind, after 8 hours)",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "open close shut",
        "open -close- shut",
        "open -> ",
        "-> shut",
        "open -close-> shut [hand",
        "open -close-> shut [hand; key]",
        "open -close-> shut shut",
        "open, shut -close-> shut",
        "open -close now-> shut",
    ],
)
def test_a_line_that_cannot_be_read(line: str) -> None:
    with refused(UnreadableTextError, "machine door", given=line.strip()):
        Machine("door", Door, Do, f"open -kick-> open\n  {line}  ")


@pytest.mark.parametrize(
    ("line", "words", "given", "nearest"),
    [
        ("opem -close-> shut", "Door", "opem", "open"),
        ("open -clos-> shut", "Do", "clos", "close"),
        ("open / shutt -close-> shut", "Door", "shutt", "shut"),
        ("open -close-> ajar", "Door", "ajar", None),
    ],
)
def test_a_word_that_nobody_knows(line: str, words: str, given: str, nearest: str | None) -> None:
    with refused(UnknownNameError, f"machine door, {words}", given=given) as caught:
        Machine("door", Door, Do, line)
    assert isinstance(caught.value, UnknownNameError)
    assert caught.value.nearest == nearest


def test_a_command_leads_to_one_state_only() -> None:
    with pytest.raises(DuplicateError, match="machine door: open -close->") as caught:
        Machine("door", Door, Do, "open -close-> shut\nopen -close-> locked")
    assert caught.value.code == "duplicate"


def test_machines_are_values() -> None:
    assert Machine("door", Door, Do, TABLE) == DOOR
    assert Machine("gate", Door, Do, TABLE) != DOOR
    assert pickle.loads(pickle.dumps(DOOR)).steps == DOOR.steps  # noqa: S301  our own
    assert Machine("still", Door, Do, "").steps == ()


@pytest.mark.rule("SM-06")
def test_the_lifecycle_as_a_machine() -> None:
    drawn = {(x.source, x.command, x.target) for x in LIFECYCLE.steps}
    buy, often = LifecycleEvent.PURCHASE, LifecycleEvent.INTERACT_OFTEN
    assert {(Stage.SLEEPING, buy, Stage.ACTIVE), (Stage.LOST, buy, Stage.ACTIVE)} <= drawn
    assert {(Stage.SLEEPING, often, Stage.ACTIVE), (Stage.LOST, often, Stage.ACTIVE)} <= drawn
    assert {(Stage.NEW, None, Stage.ACTIVE), (Stage.SLEEPING, None, Stage.LOST)} <= drawn
    assert LIFECYCLE.unreachable(Stage.REGISTERED) == frozenset()
    assert isinstance(LIFECYCLE.step(Stage.ACTIVE, buy), Refused)
