"""A million cases at an instant: states, clocks, breaches, backlog and compliance.

The answers are those of ``Feedback`` for each case, asked about any past instant: what happened
later is not known. Each clock reads only the facts that concern it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from retention.case_clocks import RECEIVED, ClockRule
from retention.case_flows import NOTES, Note, NoteState
from retention.case_logs import CaseLog, commands_of
from retention.feedback import Feedback
from retention.logs import Times
from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.clock_columns import NO_OUTCOME, OUTCOMES, ClockRows, PauseColumns
from retention.mechanisms.errors import (
    InvalidValueError,
)
from retention.mechanisms.estimates import Estimate
from retention.mechanisms.intervals import wilson
from retention.mechanisms.kpis import KpiValue, Target
from retention.mechanisms.obligations import Days, Outcome, Within
from retention.mechanisms.open_columns import (
    NONE,
    Mask,
    Numbers,
    as_instants,
    as_lengths,
)
from retention.mechanisms.open_time import micros
from retention.mechanisms.periods import day_edge, day_of, plus_months, zone_of
from retention.mechanisms.words import Word

_STARTS, _STOPS, _ENDS = 1, 2, 4
_PENDING, _DUE, _ON_TIME, _LATE, _MISSED = (
    OUTCOMES.index(x)
    for x in (Outcome.PENDING, Outcome.DUE, Outcome.ON_TIME, Outcome.LATE, Outcome.MISSED)
)
# Notes after which a case waits: the pause, and the rows from paused to paused.
_WAITS = {str(x.command) for x in NOTES.steps if x.target is NoteState.PAUSED}


# --- what many cases say --------------------------------------------------------------------------


@frozen(eq=False)
class ClockOutcomes:
    """The latest run of one clock for every case; outcome 255 where it does not run."""

    name: str
    rule: str
    outcomes: NDArray[np.uint8]  # places in ``OUTCOMES``
    started: NDArray[np.datetime64]
    stopped: NDArray[np.datetime64]
    due: NDArray[np.datetime64]
    used: NDArray[np.timedelta64]
    problems: tuple[Problem, ...] = ()

    @property
    def breached(self) -> Mask:
        """Which cases ran past their limit, whether it was met late or not at all."""
        found: Mask = (self.outcomes == _LATE) | (self.outcomes == _MISSED)
        return found

    def counts(self) -> dict[Outcome, int]:
        """Return how many cases have each outcome."""
        number = np.bincount(self.outcomes, minlength=NO_OUTCOME + 1)
        return {each: int(number[place]) for place, each in enumerate(OUTCOMES)}

    def compliance(self, *, as_of: datetime, target: Target | None = None) -> KpiValue:
        """Return the share of runs in time; what is open and not due is counted apart (AMB-24)."""
        counts = self.counts()
        missed = counts[Outcome.LATE] + counts[Outcome.MISSED]
        share = Estimate(counts[Outcome.ON_TIME], counts[Outcome.ON_TIME] + missed)
        return KpiValue(
            self.name,
            f"latest runs of {self.name} that were stopped in time ({self.rule})",
            share,
            interval=wilson(share),
            as_of=as_of,
            undecided=counts[Outcome.DUE] + counts[Outcome.PENDING],
            target=target,
        )


class PercentileMethod(Word):
    """How a percentile is taken."""

    NEAREST_RANK = "nearest_rank", "最近秩法"


@frozen(eq=False)
class Backlog:
    """The ages of the cases that are open at an instant, youngest first."""

    as_of: datetime
    ages: NDArray[np.timedelta64] = field(repr=False)
    method: PercentileMethod = PercentileMethod.NEAREST_RANK

    def __len__(self) -> int:
        """Return the number of open cases."""
        return len(self.ages)

    def percentile(self, percent: int) -> timedelta | None:
        """Return the age that so many of a hundred open cases do not exceed; None for no case.

        It is the age of a case, not one between two: that of rank ``percent`` of ``n``, rounded
        up.

        >>> hours = np.array([1, 2, 3, 40], "timedelta64[h]").astype("timedelta64[us]")
        >>> Backlog(datetime(2024, 7, 1), hours).percentile(75)
        datetime.timedelta(seconds=10800)
        """
        if not 1 <= percent <= 100:  # noqa: PLR2004
            raise InvalidValueError("percent", percent, "1 to 100")
        if not len(self):
            return None
        rank = -(-percent * len(self) // 100)
        return timedelta(microseconds=int(self.ages[rank - 1].astype(np.int64)))


@frozen(eq=False)
class CaseColumns:
    """What many cases say at an instant: state, standing and clocks, one row a case."""

    rules: Feedback = field(repr=False)
    as_of: datetime
    cases: NDArray[Any] = field(repr=False)
    received: Numbers = field(repr=False)
    states: NDArray[Any] = field(repr=False)  # places in the states of the way
    standings: NDArray[np.uint8] = field(repr=False)  # places in ``NoteState``
    clocks: Mapping[str, ClockOutcomes] = field(repr=False)
    problems: tuple[Problem, ...] = ()

    @property
    def open(self) -> Mask:
        """Which cases have come in, and are neither over nor merged into another."""
        here = (self.received != NONE) & (self.received <= micros(self.as_of, "as_of"))
        waits = [list(NoteState).index(x) for x in (NoteState.OPEN, NoteState.PAUSED)]
        found: Mask = here & np.isin(self.standings, waits)
        return found

    def backlog(self) -> Backlog:
        """Return the ages of the open cases at the instant that was asked about."""
        ages = np.sort(micros(self.as_of, "as_of") - self.received[self.open])
        return Backlog(self.as_of, as_lengths(ages))

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: case, state, standing, and the outcome and due of each clock."""
        way: Any = self.rules.flow.workflow.machine.states
        words = np.array([*(str(x) for x in OUTCOMES), ""])
        found = {
            "case": self.cases,
            "state": np.array([str(x) for x in way])[self.states],
            "standing": np.array([str(x) for x in NoteState])[self.standings],
        }
        for name, clock in self.clocks.items():
            found[name] = words[np.minimum(clock.outcomes, len(OUTCOMES))]
            found[f"{name}_due"] = clock.due
        return found


def read(rules: Feedback, log: CaseLog, *, as_of: datetime) -> CaseColumns:
    """Say for every case of a log where it stands and what its clocks say at an instant.

    Equal to ``Feedback.replay``, ``standing`` and ``clocks`` of each case as it was known then.

    >>> from retention.presets import ecommerce
    >>> at = np.array(["2024-06-10T01:00", "2024-06-11T00:30"], "datetime64[us]")
    >>> log = CaseLog.from_columns(
    ...     ecommerce.feedback,
    ...     cases=[7],
    ...     received=at[:1],
    ...     case=[7, 7, 7],
    ...     command=["grade", "handle", "complete"],
    ...     at=[at[0], at[0], at[1]],
    ...     attributes={"layer": [""]},
    ... )
    >>> found = read(ecommerce.feedback, log, as_of=datetime.fromisoformat("2024-06-20T00:00Z"))
    >>> {name: column[0] for name, column in found.to_columns().items() if name == "completion"}
    {'completion': np.str_('on_time')}
    """
    now = micros(as_of, "as_of")
    facts = _Facts.of(rules, log, now)
    states, problems = facts.states()
    clocks = {str(row.name): facts.clock(row, as_of) for row in rules.clocks_table}
    more = tuple(x for clock in clocks.values() for x in clock.problems)
    return CaseColumns(
        rules, as_of, log.cases, log.received, states, facts.standings(states), clocks,
        (*log.problems, *problems, *more),
    )  # fmt: skip


# --- the facts that are known at an instant -------------------------------------------------------


@frozen(eq=False)
class _Facts:
    rules: Feedback
    log: CaseLog
    now: int
    case: NDArray[np.intp]
    command: NDArray[Any]
    at: Numbers
    promised: Numbers | None
    rows: NDArray[np.intp] | None  # of the log; None: all

    @classmethod
    def of(cls, rules: Feedback, log: CaseLog, now: int) -> _Facts:
        late = log.at > now
        if not late.any():
            return cls(rules, log, now, log.case, log.command, log.at, log.promised, None)
        keep = np.flatnonzero(~late)
        promised = None if log.promised is None else log.promised[keep]
        return cls(rules, log, now, log.case[keep], log.command[keep], log.at[keep], promised, keep)

    @property
    def names(self) -> tuple[str, ...]:
        return commands_of(self.rules)

    def states(self) -> tuple[NDArray[Any], tuple[Problem, ...]]:
        """Fold the steps of the way of each case; a step that has no row changes nothing."""
        flow = self.rules.flow.workflow
        own = len(self.names) - len(Note)
        mine = np.flatnonzero(self.command < own)
        number = np.bincount(self.case[mine], minlength=len(self.log))
        edges = np.concatenate([[0], np.cumsum(number)])
        given = dict.fromkeys({n for x in flow.machine.steps for n in x.needs}, np.True_)
        done = flow.machine.replay(flow.first, self.command[mine], edges, given)
        if not len(done.refusals):
            return done.states, ()
        rows = mine[done.refusals.rows]
        for of in (self.rows, self.log.rows):
            rows = rows if of is None else of[rows]
        first = done.refusals.at(int(done.refusals.rows[0]))
        allowed = ", ".join(first.allowed) or "nothing"
        told = f"{first.given[1]} while {first.given[0]}"
        return done.states, (Problem(Code.NOT_POSSIBLE, tuple(rows.tolist()), told, allowed),)

    def standings(self, states: NDArray[Any]) -> NDArray[np.uint8]:
        """Return whether each case is open, waits, is over, or was merged."""
        way: Any = self.rules.flow.workflow.machine.states
        over = np.array([str(x) in self.rules.flow.over for x in way])[states]
        words = list(NoteState)
        found = np.full(len(self.log), words.index(NoteState.OPEN), np.uint8)
        row, _, until = self.pauses()
        found[row[until == NONE]] = words.index(NoteState.PAUSED)
        found[over] = words.index(NoteState.OVER)
        merged = self.command == self.names.index(str(Note.MERGE_INTO))
        found[self.case[merged]] = words.index(NoteState.MERGED)
        return found

    def pauses(self) -> tuple[NDArray[np.intp], Numbers, Numbers]:
        """Return case, begin and end of every pause: it ends with the next fact that is no wait."""
        none = np.zeros(0, np.int64)
        begins = np.flatnonzero(self.command == self.names.index(str(Note.PAUSE)))
        if not len(begins):
            return none.astype(np.intp), none, none
        waits = np.array([x in _WAITS for x in self.names])[self.command]
        ends = np.append(np.flatnonzero(~waits), len(waits))
        nearest = ends[np.searchsorted(ends, begins)]
        inside = np.minimum(nearest, len(waits) - 1)
        ended = (nearest < len(waits)) & (self.case[inside] == self.case[begins])
        until = np.where(ended, self.at[inside], NONE)
        return self.case[begins], self.at[begins], until

    # --- one clock ------------------------------------------------------------------------------

    def clock(self, row: ClockRule, as_of: datetime) -> ClockOutcomes:
        """Read the latest run of a clock for every case that has it."""
        start, stop, until = self.runs(row)
        runs = start != NONE
        if row.when is not None:
            runs &= row.when.mask({x: self.log.attributes[x] for x in row.when.measures()})
        mine = np.flatnonzero(runs)
        size = len(self.log)
        outcomes, due, used = np.full(size, NO_OUTCOME, np.uint8), *_nothing(size, 2)
        problems: tuple[Problem, ...] = ()
        if isinstance(row.limit, Within):
            problems = self._counted(row, mine, (start, stop), (outcomes, due, used), as_of)
        else:
            opens, closes = self._window(row, start[mine], until[mine])
            by_hours = row.limit is None and not self.log.promised_days
            outcomes[mine] = _judged(opens, closes, stop[mine], self.now, hours=by_hours)
            due[mine] = closes
        start[~runs] = stop[~runs] = NONE
        return ClockOutcomes(
            row.name, row.rule, outcomes, as_instants(start), as_instants(stop),
            as_instants(due), as_lengths(used), problems,
        )  # fmt: skip

    def runs(self, row: ClockRule) -> tuple[Numbers, Numbers, Numbers]:
        """Return begin, stop and promised time of the latest run: ``ClockRule.runs`` of each."""
        roles = _roles(row, self.names)[self.command]
        if row.promised and self.promised is not None:
            mine = np.flatnonzero((roles > 0) | (self.promised != NONE))
        else:
            mine = np.flatnonzero(roles)
        case, role, at = self.case[mine], roles[mine], self.at[mine]
        told = (
            self.promised[mine] if row.promised and self.promised is not None
            else np.full(len(mine), NONE)
        )  # fmt: skip
        start, stop, until = _nothing(len(self.log), 3)
        if RECEIVED in row.starts:
            here = (self.log.received != NONE) & (self.log.received <= self.now)
            start[here] = self.log.received[here]
        for turn in _turns(case):
            who, does, when, says = case[turn], role[turn], at[turn], told[turn]
            begun, ended, held = start[who], stop[who], until[who]
            runs = (begun != NONE) & (ended == NONE)
            closes = runs & (does & (_STOPS | _ENDS) > 0)
            again = closes & (does & _ENDS == 0) & row.repeats
            begins = again | ((~runs | closes) & ~again & (does & _STARTS > 0))
            keeps = runs & ~closes & (says != NONE) & ~self._broken(held, when)
            start[who] = np.where(begins, when, begun)
            stop[who] = np.where(begins, NONE, np.where(closes, when, ended))
            until[who] = np.where(begins | keeps, says, held)
        return start, stop, until

    def _broken(self, held: Numbers, when: Numbers) -> Mask:
        """Whether a promise had passed when another one was made: then it stays broken."""
        if self.log.promised_days:
            days = Times(when, are_days=False).days(zone_of(self.rules.zone))
            when = days
        broken: Mask = (held != NONE) & (when > held)
        return broken

    def _counted(
        self,
        row: ClockRule,
        mine: NDArray[np.intp],
        run: tuple[Numbers, Numbers],
        into: tuple[NDArray[np.uint8], Numbers, Numbers],
        as_of: datetime,
    ) -> tuple[Problem, ...]:
        """Read a clock of hours; the answers go into the columns of all cases."""
        start, stop = (as_instants(x[mine]) for x in run)
        pauses = None
        if row.pauses:
            whose, since, until = self.pauses()
            place = np.full(len(self.log), -1)
            place[mine] = np.arange(len(mine))
            known = place[whose] >= 0
            pauses = PauseColumns(
                place[whose][known], as_instants(since[known]), as_instants(until[known])
            )
        read_ = row.terms.reads(ClockRows(start, stop, pauses), as_of=as_of)
        outcomes, due, used = into
        outcomes[mine] = read_.outcomes
        due[mine], used[mine] = read_.due.view(np.int64), read_.used.view(np.int64)
        return read_.problems

    def _window(self, row: ClockRule, start: Numbers, until: Numbers) -> tuple[Numbers, Numbers]:
        """Return where the windows of a clock of dates, or of a promise, open and close."""
        zone = self.rules.zone
        if isinstance(row.limit, Days):
            days = Times(start, are_days=False).days(zone_of(zone))
            limit = row.limit
            opens = start if limit.first == 0 else _edges(days + limit.first, zone)
            last = _months_on(days, limit.months) + limit.last
            return opens, _edges(last + 1, zone)
        if (until == NONE).any():
            raise InvalidValueError(f"clock {row.name}", None, f"a time under {row.promised!r}")
        closes = _edges(until + 1, zone) if self.log.promised_days else until
        return start, np.maximum(start, closes)


def _judged(
    opens: Numbers, closes: Numbers, stop: Numbers, now: int, *, hours: bool
) -> NDArray[np.uint8]:
    """Say what became of windows: ``obligations.judge`` of each."""
    done = (stop != NONE) & (stop >= opens)
    in_time = (stop <= closes) if hours else (stop < closes)
    over = (now > closes) if hours else (now >= closes)
    still = np.where(now < opens, _PENDING, np.where(over, _MISSED, _DUE))
    return np.where(done, np.where(in_time, _ON_TIME, _LATE), still).astype(np.uint8)


def _roles(row: ClockRule, names: Sequence[str]) -> NDArray[np.uint8]:
    """Return what each command means to a clock."""
    parts = ((row.starts, _STARTS), (row.stops, _STOPS), (row.ends, _ENDS))
    found = [sum(bit for events, bit in parts if name in events) for name in names]
    return np.array(found, np.uint8)


def _turns(case: NDArray[np.intp]) -> Iterable[Any]:
    """Return the first facts of all cases, then the second ones, and so on."""
    if not len(case):
        return
    first = np.flatnonzero(np.append(True, case[1:] != case[:-1]))
    sizes = np.diff(np.append(first, len(case)))
    if sizes.max() == 1:
        yield slice(None)
        return
    for turn in range(int(sizes.max())):
        yield (first[sizes > turn]) + turn


def _nothing(size: int, columns: int) -> tuple[Numbers, ...]:
    return tuple(np.full(size, NONE) for _ in range(columns))


def _edges(days: Numbers, zone: str) -> Numbers:
    """Return the instants at which local days begin."""
    found, place = np.unique(days, return_inverse=True)
    edges = [micros(day_edge(day_of(n), zone_of(zone)), "day") for n in found.tolist()]
    return np.array(edges, np.int64)[place]


def _months_on(days: Numbers, months: int) -> Numbers:
    if not months:
        return days
    found, place = np.unique(days, return_inverse=True)
    later = np.array([plus_months(day_of(n), months) for n in found.tolist()], "datetime64[D]")
    return later.astype(np.int64)[place]
