"""A million cases with nine facts each: states, four clocks and breaches from columns.

The path beside it asks the same policy one case after the other: replay, standing, clocks.
The peer walks the same steps through its own machine, without clocks.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import attrs
import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from benchmarks.works import OURS, Side, Sums, Work
from retention.case_clocks import RECEIVED, ClockRule
from retention.case_columns import CaseColumns, read
from retention.case_flows import Note, NoteState
from retention.case_logs import CaseLog, commands_of
from retention.cases import FeedbackCase
from retention.feedback import Feedback
from retention.intake import FeedbackItem, Received
from retention.mechanisms.clock_columns import OUTCOMES
from retention.mechanisms.obligations import Days, Within
from retention.mechanisms.workflows import Taken
from retention.presets import ecommerce

START = datetime(2024, 1, 1, tzinfo=UTC)
AS_OF = datetime(2024, 7, 1, tzinfo=UTC)
# A case as it goes; a way of nine facts: five steps, four notes, a pause among them.
TAPE = ("grade", "respond", "handle", "pause", "resume", "notify", "complete", "report", "visit")
MINUTE = 60_000_000
BEGIN = int(START.timestamp()) * 1_000_000


@cache
def rules() -> Feedback:
    """Return the handbook of a shop with four clocks: hours, pauses, and a window of dates."""
    clocks = (
        ClockRule("first_response", (RECEIVED,), ("respond",), Within(hours=1), rule="H-45"),
        ClockRule("completion", (RECEIVED,), ("complete",), Within(hours=24), rule="H-26",
                  pauses=True),
        ClockRule("progress", ("handle",), ("notify",), Within(hours=24), rule="H-06",
                  repeats=True, ends=("complete",)),
        ClockRule("visit", ("complete",), ("visit",), Days(0, 3), rule="H-25"),
    )  # fmt: skip
    return attrs.evolve(ecommerce.feedback, clocks=clocks)


@frozen
class Facts:
    """Columns: when each case came, how many of its nine facts are there, and their times."""

    received: NDArray[np.int64]
    number: NDArray[np.intp]
    at: NDArray[np.int64]  # a row a case, a column a fact


def made(rows: int) -> Facts:
    """Make cases of half a year; one in ten stops on its way."""
    chance = np.random.default_rng(17)
    received = BEGIN + chance.integers(0, 170 * 24 * 60, rows) * MINUTE
    gaps = chance.integers(1, 1_200, (rows, len(TAPE))) * MINUTE
    stops = chance.random(rows) < 0.1
    number = np.where(stops, chance.integers(0, len(TAPE), rows), len(TAPE))
    return Facts(received, number, received[:, None] + np.cumsum(gaps, axis=1))


@frozen
class Columns:
    """The same facts as a store hands them over: one row a fact."""

    received: NDArray[np.datetime64]
    case: NDArray[np.intp]
    command: NDArray[np.uint8]
    at: NDArray[np.datetime64]


def columns(rows: int) -> Columns:
    """Return the facts as columns, in the order of cases."""
    facts, names = made(rows), commands_of(rules())
    held = np.arange(len(TAPE)) < facts.number[:, None]
    tape = np.array([names.index(x) for x in TAPE], np.uint8)
    return Columns(
        facts.received.view("datetime64[us]"),
        np.repeat(np.arange(rows), facts.number),
        np.broadcast_to(tape, held.shape)[held],
        facts.at[held].view("datetime64[us]"),
    )


def _bulk(given: Columns) -> CaseColumns:
    log = CaseLog.from_columns(
        rules(), cases=np.arange(len(given.received)), received=given.received,
        case=given.case, command=given.command, at=given.at,
    )  # fmt: skip
    return read(rules(), log, as_of=AS_OF)


def _bulk_sums(found: CaseColumns) -> Sums:
    clocks = found.clocks.values()
    counts = [np.bincount(x.outcomes, minlength=256)[: len(OUTCOMES)] for x in clocks]
    breaches = [x.breached.sum() for x in clocks]
    numbers = [*np.bincount(found.states, minlength=9), *np.ravel(counts), *breaches]
    return tuple(map(float, numbers))


# --- one after the other ------------------------------------------------------------------------


def logs(rows: int) -> list[list[Any]]:
    """Return the facts of each case as values."""
    facts, way = made(rows), rules().flow.workflow.machine
    source, found = [], []
    state: Any = rules().flow.workflow.first
    for name in TAPE:
        step = next((x for x in way.steps if x.source is state and x.command == name), None)
        source.append((state, step))
        state = step.target if step else state
    for row in range(rows):
        at = START + timedelta(microseconds=int(facts.received[row]) - BEGIN)
        item = FeedbackItem(row, at, "complaint", "app", matter="m")
        log: list[Any] = [Received(case=str(row), item=item, at=at, by="c", on=at.date())]
        log += [_fact(facts, row, n, source[n]) for n in range(int(facts.number[row]))]
        found.append(log)
    return found


def _fact(facts: Facts, row: int, turn: int, way: tuple[Any, Any]) -> Taken[Any, Any]:
    at = START + timedelta(microseconds=int(facts.at[row, turn]) - BEGIN)
    _, step = way
    if step is not None:
        return Taken(step.command, step.source, step.target, at=at, by="li", on=at.date())
    state = NoteState.PAUSED if TAPE[turn] == "pause" else NoteState.OPEN
    why = {"reason": "customer"} if TAPE[turn] == "pause" else {}
    return Taken(Note(TAPE[turn]), NoteState.OPEN, state, at=at, by="li", on=at.date(),
                 brings=why)  # fmt: skip


def _one_by_one(given: list[list[Any]]) -> list[tuple[FeedbackCase, Any]]:
    policy, found = rules(), []
    for log in given:
        case = policy.replay(log)
        policy.standing(case)
        found.append((case, policy.clocks(case, as_of=AS_OF)))
    return found


def _one_sums(found: list[tuple[FeedbackCase, Any]]) -> Sums:
    way: Any = rules().flow.workflow.machine.states
    states = list(way)
    names = [row.name for row in rules().clocks_table]
    counts = np.zeros(len(states))
    outcomes = np.zeros((len(names), len(OUTCOMES)))
    breaches = np.zeros(len(names))
    for case, readings in found:
        counts[states.index(case.state)] += 1
        for reading in readings:
            place = names.index(reading.name)
            outcomes[place, OUTCOMES.index(reading.outcome)] += 1
            breaches[place] += reading.outcome in {"late", "missed"}
    return (*counts.tolist(), *outcomes.ravel().tolist(), *breaches.tolist())


# --- states alone, beside a peer ----------------------------------------------------------------


def _states(given: Columns) -> NDArray[Any]:
    log = CaseLog.from_columns(
        rules(), cases=np.arange(len(given.received)), received=given.received,
        case=given.case, command=given.command, at=given.at,
    )  # fmt: skip
    no_clocks = attrs.evolve(rules(), clocks=())
    return read(no_clocks, log, as_of=AS_OF).states


def _state_sums(states: Any) -> Sums:
    return tuple(np.bincount(np.asarray(states, np.int64), minlength=9).astype(float).tolist())


def _peer_made(rows: int) -> tuple[Any, list[list[Any]]]:
    from transitions import Machine as PeerMachine

    class Model:
        state: str

    model: Any = Model()
    way = rules().flow.workflow.machine
    PeerMachine(
        model,
        states=[str(x) for x in way.states],
        initial=str(rules().flow.workflow.first),
        auto_transitions=False,
        transitions=[
            {"trigger": str(x.command), "source": str(x.source), "dest": str(x.target)}
            for x in way.steps
        ],
    )
    facts, own = made(rows), {str(x.command) for x in way.steps}
    bound = [getattr(model, name) if name in own else None for name in TAPE]
    tapes = [[x for x in bound[:n] if x is not None] for n in range(len(TAPE) + 1)]
    return model, [tapes[n] for n in facts.number.tolist()]


def _peer(given: tuple[Any, list[list[Any]]]) -> list[int]:
    model, cases = given
    names = [str(x) for x in rules().flow.workflow.machine.states]
    first, found = str(rules().flow.workflow.first), []
    for steps in cases:
        model.state = first
        for step in steps:
            step()
        found.append(names.index(model.state))
    return found


WORKS = (
    Work(
        "cases-bulk-1m",
        "cases with nine facts each: state, four clocks and breaches at an instant",
        1_000_000,
        Side(OURS, columns, _bulk, _bulk_sums),
        (Side("one by one", logs, _one_by_one, _one_sums, at_least=50, rows=3_000, runs=3),),
        runs=5,
        rounds=2,
    ),
    Work(
        "cases-states-1m",
        "the same facts: the state of each case alone",
        1_000_000,
        Side(OURS, columns, _states, _state_sums),
        (Side("transitions", _peer_made, _peer, _state_sums, at_least=50, rows=20_000, runs=3),),
        runs=5,
        rounds=2,
    ),
)
