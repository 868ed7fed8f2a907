"""One table of states and commands: the single step, the fact it makes, and a million at once.

The machine is a complaint's way through a company, with the names that a command must bring.
The peer writes the same rows as transitions with conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from benchmarks.works import OURS, Side, Sums, Work
from retention.mechanisms.machines import Codes, Machine, Step, Taken
from retention.mechanisms.words import Word


class State(Word):
    """States of a complaint."""

    ACCEPTED = "accepted", "已受理"
    VERIFIED = "verified", "已核实"
    UNFOUNDED = "unfounded", "不成立"
    ASSIGNED = "assigned", "已分派"
    SOLUTION_PROPOSED = "solution_proposed", "已提方案"
    AGREED = "agreed", "已同意"
    EXECUTING = "executing", "执行中"
    RESULT_REPORTED = "result_reported", "已反馈结果"
    VISITED = "visited", "已回访"
    TRACKING = "tracking", "跟踪中"
    CLOSED = "closed", "已结案"


class Do(Word):
    """Commands to a complaint."""

    VERIFY = "verify", "核实"
    REJECT = "reject", "驳回"
    ASSIGN = "assign", "分派"
    PROPOSE = "propose", "提出方案"
    REFUSE = "refuse", "拒绝方案"
    AGREE = "agree", "同意方案"
    EXECUTE = "execute", "执行"
    REPORT = "report", "反馈结果"
    VISIT = "visit", "回访"
    SATISFIED = "satisfied", "满意"
    DISSATISFIED = "dissatisfied", "不满意"
    CONFIRM = "confirm", "确认未再发生"


COMPLAINT = Machine(
    "complaint",
    State,
    Do,
    """
    accepted           -verify->        verified
    accepted           -reject->        unfounded            [reply]
    verified           -assign->        assigned             [department, person]
    assigned           -propose->       solution_proposed
    solution_proposed  -refuse->        assigned
    solution_proposed  -agree->         agreed
    agreed             -execute->       executing
    executing          -report->        result_reported
    result_reported    -visit->         visited
    visited            -satisfied->     tracking
    visited            -dissatisfied->  assigned
    tracking           -confirm->       closed               [no_recurrence]
    """,
)
NAMES = ("department", "no_recurrence", "person", "reply")
STATES, COMMANDS = tuple(State), tuple(Do)


@frozen
class Events:
    """Columns of commands: places of states and words, who brings what, and runs of entities."""

    states: NDArray[np.uint8]
    commands: NDArray[np.uint8]
    given: dict[str, NDArray[np.bool_]]
    offsets: NDArray[np.intp]


@frozen
class Ways:
    """The rows that leave each state, as arrays that a walk can draw from."""

    first: NDArray[np.int64]  # of each state, in the rows sorted by their source
    number: NDArray[np.int64]
    command: NDArray[np.uint8]
    target: NDArray[np.int64]
    needs: NDArray[np.bool_]  # one column for each name

    @classmethod
    def of(cls, machine: Machine[State, Do]) -> Ways:
        """Read the table once."""
        steps = sorted(machine.steps, key=lambda each: STATES.index(each.source))
        source = np.array([STATES.index(each.source) for each in steps])
        number = np.bincount(source, minlength=len(STATES))
        command = [COMMANDS.index(each.command) for each in steps if each.command]
        target = np.array([STATES.index(each.target) for each in steps])
        needs = np.array([[name in each.needs for name in NAMES] for each in steps])
        first = np.cumsum(number) - number
        return cls(first, number, np.array(command, np.uint8), target, needs)


def made(rows: int) -> Events:
    """Walk complaints through the machine, a few wrong commands and missing names included."""
    chance, ways = np.random.default_rng(11), Ways.of(COMPLAINT)
    states = np.zeros(rows // 4 + 20, np.int64)
    who, columns = np.arange(len(states)), []
    while who.size:
        here = states[who]
        way = ways.first[here] + (chance.random(who.size) * ways.number[here]).astype(np.int64)
        brings = chance.random((who.size, len(NAMES))) < 0.95
        wrong = chance.random(who.size) < 0.02
        does = np.where(wrong, chance.integers(0, len(COMMANDS), who.size), ways.command[way])
        columns.append((who, here, does, brings))
        holds = ~wrong & (brings | ~ways.needs[way]).all(axis=1)
        states[who[holds]] = ways.target[way[holds]]
        going = (ways.number[states[who]] > 0) & (chance.random(who.size) < 0.97)
        who = who[going]
    owner, here, does, brings = (np.concatenate(each) for each in zip(*columns, strict=True))
    order = np.argsort(owner, kind="stable")[:rows]
    assert len(order) == rows, "too few complaints"
    given = {name: brings[order, column] for column, name in enumerate(NAMES)}
    lengths = np.bincount(owner[order])
    edges = np.concatenate([[0], np.cumsum(lengths)])
    return Events(here[order].astype(np.uint8), does[order].astype(np.uint8), given, edges)


def plain(rows: int) -> Events:
    """Make commands that all hold and need nothing."""
    chance = np.random.default_rng(12)
    free = [x for x in COMPLAINT.steps if x.command and not x.needs]
    row = chance.integers(0, len(free), rows)
    sources = np.array([STATES.index(x.source) for x in free], np.uint8)[row]
    commands = np.array([COMMANDS.index(x.command) for x in free if x.command], np.uint8)[row]
    return Events(sources, commands, {}, np.array([0, rows]))


def _state_sums(states: Any) -> Sums:
    """States afterwards, counted, and summed with their places so that swaps show too."""
    found = np.asarray(states, np.int64)
    counts = np.bincount(found, minlength=len(STATES)).tolist()
    return (*map(float, counts), float((found * (np.arange(len(found)) % 1009)).sum()))


def _taken_sums(taken: tuple[Any, Sequence[int]]) -> Sums:
    states, refused = taken
    return (*_state_sums(states), float(len(refused)), float(sum(refused)))


# --- ours ---------------------------------------------------------------------------------------


def _alternating(rows: int) -> list[Do]:
    return [Do.PROPOSE, Do.REFUSE] * (rows // 2)


def _steps(commands: list[Do]) -> State:
    step, state = COMPLAINT.step, State.ASSIGNED
    for command in commands:
        row = step(state, command)
        assert isinstance(row, Step)
        state = row.target
    return state


@frozen
class Complaint:
    """The state of one complaint."""

    number: int
    state: State


@frozen
class Moved:
    """A fact: what happened to a complaint."""

    number: int
    by: str
    command: Do
    target: State


def _facts(commands: list[Do]) -> tuple[State, list[Moved]]:
    complaint, facts, step = Complaint(7, State.ASSIGNED), [], COMPLAINT.step
    for command in commands:
        row = step(complaint.state, command)
        assert isinstance(row, Step)
        facts.append(Moved(complaint.number, "C-17", command, row.target))
        complaint = Complaint(complaint.number, row.target)
    return complaint.state, facts


def _encoded(rows: int) -> Codes[State, Do]:
    events = plain(rows)
    return COMPLAINT.encode(events.states, events.commands)


def _guarded(events: Events) -> Taken[State, Do]:
    return COMPLAINT.taken(COMPLAINT.encode(events.states, events.commands, events.given))


def _replayed(events: Events) -> Taken[State, Do]:
    return COMPLAINT.replay(State.ACCEPTED, events.commands, events.offsets, events.given)


def _of_taken(taken: Taken[State, Do]) -> Sums:
    return _taken_sums((taken.states, taken.refusals.rows.tolist()))


# --- transitions --------------------------------------------------------------------------------


class _Model:
    """A complaint as the peer moves it."""

    given: frozenset[str] = frozenset()


def _condition(name: str) -> Callable[[Any], bool]:
    return lambda self: name in self.given


for _name in NAMES:
    setattr(_Model, f"has_{_name}", _condition(_name))


@cache
def _peer() -> Any:
    from transitions import Machine as PeerMachine

    model = _Model()
    PeerMachine(
        model,
        states=[state.value for state in State],
        initial="assigned",
        auto_transitions=False,
        ignore_invalid_triggers=True,
        transitions=[
            {
                "trigger": str(each.command),
                "source": each.source.value,
                "dest": each.target.value,
                "conditions": [f"has_{name}" for name in sorted(each.needs)],
            }
            for each in COMPLAINT.steps
        ],
    )
    return model


def _peer_alternating(rows: int) -> list[Callable[[], bool]]:
    model = _peer()
    model.state = "assigned"
    return [model.propose, model.refuse] * (rows // 2)


def _peer_steps(triggers: list[Callable[[], bool]]) -> State:
    for trigger in triggers:
        trigger()
    return State(_peer().state)


def _peer_facts(triggers: list[Callable[[], bool]]) -> tuple[State, list[Moved]]:
    model, facts = _peer(), []
    for trigger, command in zip(triggers, _alternating(len(triggers)), strict=True):
        trigger()
        facts.append(Moved(7, "C-17", command, model.state))
    return State(model.state), facts


@frozen
class _PeerEvents:
    """Events as the peer takes them: names of states, bound triggers, sets of names."""

    states: list[str]
    triggers: list[Callable[[], bool]]
    given: list[frozenset[str]]
    offsets: list[int]


def _peer_made(events: Events) -> _PeerEvents:
    model = _peer()
    bound = [getattr(model, command.value) for command in COMMANDS]
    names = [STATES[place].value for place in events.states.tolist()]
    columns = [(name, column.tolist()) for name, column in events.given.items()]
    given = [
        frozenset(name for name, column in columns if column[row]) for row in range(len(names))
    ]
    triggers = [bound[place] for place in events.commands.tolist()]
    return _PeerEvents(names, triggers, given, events.offsets.tolist())


def _places(names: Iterable[str]) -> list[int]:
    places = {state.value: place for place, state in enumerate(STATES)}
    return [places[name] for name in names]


def _peer_bulk(events: _PeerEvents) -> tuple[list[str], list[int]]:
    model, after, refused = _peer(), [], []
    rows = zip(events.states, events.triggers, events.given, strict=True)
    for row, (state, trigger, given) in enumerate(rows):
        model.state, model.given = state, given
        if not trigger():
            refused.append(row)
        after.append(model.state)
    return after, refused


def _peer_replay(events: _PeerEvents) -> tuple[list[str], list[int]]:
    model, after, refused = _peer(), [], []
    for first, end in pairwise(events.offsets):
        model.state = "accepted"
        for row in range(first, end):
            model.given = events.given[row]
            if not events.triggers[row]():
                refused.append(row)
        after.append(model.state)
    return after, refused


def _of_peer(found: tuple[list[str], list[int]]) -> Sums:
    return _taken_sums((_places(found[0]), found[1]))


# --- rows of the table --------------------------------------------------------------------------


def _last(state: State) -> Sums:
    return (float(STATES.index(state)),)


def _last_and_facts(found: tuple[State, list[Moved]]) -> Sums:
    return (*_last(found[0]), float(sum(STATES.index(State(x.target)) for x in found[1])))


def _transitions(
    prepare: Callable[[int], Any],
    run: Callable[[Any], Any],
    sums: Callable[[Any], Sums],
    at_least: float,
) -> Side:
    return Side("transitions", prepare, run, sums, at_least=at_least, rows=50_000, runs=3)


WORKS = (
    Work(
        "machine-one",
        "one command after the other: the row that it takes",
        200_000,
        Side(OURS, _alternating, _steps, _last),
        (_transitions(_peer_alternating, _peer_steps, _last, 15),),
    ),
    Work(
        "machine-fact",
        "one command after the other: the row, a fact and the new state",
        200_000,
        Side(OURS, _alternating, _facts, _last_and_facts),
        (_transitions(_peer_alternating, _peer_facts, _last_and_facts, 4),),
    ),
    Work(
        "machine-bulk",
        "commands in prepared codes",
        1_000_000,
        Side(OURS, _encoded, COMPLAINT.run, _state_sums),
        (
            _transitions(
                lambda rows: _peer_made(plain(rows)),
                lambda events: _peer_bulk(events)[0],
                lambda names: _state_sums(_places(names)),
                3_000,
            ),
        ),
        runs=15,
    ),
    Work(
        "machine-bulk-guarded",
        "columns of commands and of what they bring, with every refusal",
        1_000_000,
        Side(OURS, made, _guarded, _of_taken),
        (_transitions(lambda rows: _peer_made(made(rows)), _peer_bulk, _of_peer, 800),),
        runs=15,
    ),
    Work(
        "machine-replay",
        "the commands to each complaint, folded in their order",
        1_000_000,
        Side(OURS, made, _replayed, _of_taken),
        (_transitions(lambda rows: _peer_made(made(rows)), _peer_replay, _of_peer, 400),),
        runs=15,
    ),
)
