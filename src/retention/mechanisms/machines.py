"""A machine is a text table: which command leads from which state to which, and what it needs.

Required fields, roles, conditions and separation of duties are one thing: names that the
command must bring. A row without a command is made by time alone: it is drawn and reached,
never commanded; the state it leads to is a function of ``as_of``. All machines refuse
whatever has no row (X-05).

``step`` answers one command. For millions, ``encode`` turns columns into codes once; ``run``
and ``taken`` read one table entry an event, and ``replay`` folds the events of many entities.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import field, frozen

from retention.mechanisms.answers import Code, Refused
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    UnknownNameError,
    UnreadableTextError,
)
from retention.mechanisms.folds import edges_of, folded, marked, mask, places, texts
from retention.mechanisms.tables import Column, Head, Shown, Table, count_text, figures, headline
from retention.mechanisms.words import Language, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.intp]

S = TypeVar("S", bound=Word)
C = TypeVar("C", bound=Word)
W = TypeVar("W", bound=Word)

_LINE = re.compile(
    r"\s*(?P<sources>\w+(?:\s*/\s*\w+)*)\s*"
    r"(?:-(?P<command>\w+)->|->)\s*"
    r"(?P<target>\w+)\s*"
    r"(?:\[(?P<needs>[\w\s,]*)\]\s*)?"
    r"(?:\((?P<remark>.*)\)\s*)?"
)
_READS = "state/state -command-> state [name, name] (remark); leave the command out for time"
_MOST_NEEDS = 12  # different sets of needs that columns can hold: one bit each in a code


@frozen
class Step(Generic[S, C]):
    """One row of a machine: from ``source`` by ``command`` to ``target``."""

    source: S
    command: C | None  # None: time alone makes this step
    target: S
    needs: frozenset[str] = frozenset()
    remark: str = ""

    def __str__(self) -> str:
        """Return the row as the table writes it."""
        arrow = f"-{self.command}->" if self.command else "->"
        needs = f" [{', '.join(sorted(self.needs))}]" if self.needs else ""
        return f"{self.source} {arrow} {self.target}{needs}" + (
            f" ({self.remark})" if self.remark else ""
        )


@frozen
class Trial(Generic[S, C]):
    """One cell of the test matrix: a command in a state, what it brings, and the answer."""

    state: S
    command: C
    given: frozenset[str]
    answer: Step[S, C] | Refused


@frozen
class Machine(Generic[S, C]):
    """States, commands and the table that joins them.

    >>> from retention.mechanisms.words import Word
    >>> class Door(Word):
    ...     OPEN = "open", "开"
    ...     SHUT = "shut", "关"
    >>> class Do(Word):
    ...     CLOSE = "close", "关门"
    ...     LOCK = "lock", "上锁"
    >>> door = Machine("door", Door, Do, "open -close-> shut [hand]")
    >>> str(door.step(Door.OPEN, Do.CLOSE, {"hand"}))
    'open -close-> shut [hand]'
    >>> str(door.step(Door.OPEN, Do.LOCK))
    'lock while open: not possible; allowed now: close'
    """

    id: str
    states: type[S]
    commands: type[C]
    table: str = field(repr=False)
    steps: tuple[Step[S, C], ...] = field(init=False, eq=False, repr=False)
    _rows: dict[tuple[S, C], Step[S, C]] = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        lines = (line for line in self.table.splitlines() if line.strip())
        steps = tuple(step for line in lines for step in self._read(line))
        rows: dict[tuple[S, C], Step[S, C]] = {}
        for step in steps:
            if step.command is None:
                continue
            if (step.source, step.command) in rows:
                raise DuplicateError(f"machine {self.id}", f"{step.source} -{step.command}->")
            rows[step.source, step.command] = step
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "_rows", rows)

    def step(
        self, state: S, command: C, given: Collection[str] = frozenset()
    ) -> Step[S, C] | Refused:
        """Return the row that the command takes, or the refusal; ``given`` names what it brings."""
        row = self._rows.get((state, command))
        if row is None:
            return Refused(Code.NOT_POSSIBLE, (state, command), (), self.allowed(state))
        if row.needs and not row.needs.issubset(given):
            missing = tuple(sorted(row.needs.difference(given)))
            return Refused(Code.NAMES_MISSING, (state, command), missing, self.allowed(state))
        return row

    def allowed(self, state: S) -> tuple[C, ...]:
        """Commands that have a row in this state."""
        return tuple(each.command for each in self.steps if each.source is state and each.command)

    def between(self, source: S, target: S) -> tuple[Step[S, C], ...]:
        """Rows that lead from one state to another."""
        return tuple(x for x in self.steps if x.source is source and x.target is target)

    def by_time(self, state: S | None = None) -> tuple[Step[S, C], ...]:
        """Rows that time alone makes, all of them or those that leave a state."""
        timed = (each for each in self.steps if each.command is None)
        return tuple(each for each in timed if state is None or each.source is state)

    def __str__(self) -> str:
        """Return the id and every row: what a fingerprint of a policy is made from."""
        return f"{self.id}: {'; '.join(map(str, self.steps))}"

    # --- what the table says about itself -------------------------------------------------------

    def reachable(self, start: S) -> frozenset[S]:
        """States that some way leads to from ``start``, by commands or by time."""
        seen, todo = {start}, [start]
        while todo:
            here = todo.pop()
            found = {x.target for x in self.steps if x.source is here} - seen
            seen |= found
            todo += found
        return frozenset(seen)

    def unreachable(self, start: S) -> frozenset[S]:
        """States that no row leads to from ``start``, by command or by time."""
        return frozenset(self.states) - self.reachable(start)

    def dead_ends(self) -> frozenset[S]:
        """States that nothing leaves: where things end, or a row is missing."""
        left = {each.source for each in self.steps if each.target is not each.source}
        return frozenset(self.states) - left

    def unused(self) -> tuple[C, ...]:
        """Commands without a row."""
        used = {each.command for each in self.steps}
        return tuple(each for each in self.commands if each not in used)

    def matrix(self) -> Iterator[Trial[S, C]]:
        """Every command in every state, with what it needs and without: the test matrix."""
        for state in self.states:
            for command in self.commands:
                row = self._rows.get((state, command))
                needs = frozenset[str]() if row is None else row.needs
                for given in dict.fromkeys((needs, frozenset[str]())):
                    yield Trial(state, command, given, self.step(state, command, given))

    def mermaid(self) -> str:
        """Return the machine as a Mermaid state diagram."""
        lines = ["stateDiagram-v2"]
        for each in self.steps:
            what = str(each.command or "time") + (f" ({each.remark})" if each.remark else "")
            needs = f" [{', '.join(sorted(each.needs))}]" if each.needs else ""
            lines.append(f"    {each.source} --> {each.target}: {what}{needs}")
        return "\n".join(lines)

    def page(self, language: Language = "en") -> str:
        """Return the documentation of the machine in Markdown: the table and the diagram.

        >>> from retention.mechanisms.words import Word
        >>> class Door(Word):
        ...     OPEN = "open", "开"
        ...     SHUT = "shut", "关"
        >>> class Do(Word):
        ...     CLOSE = "close", "关门"
        >>> print(Machine("door", Door, Do, "open -close-> shut [hand]").page("zh"))
        ## door
        <BLANKLINE>
        | 状态 | 命令 | 之后 | 必须提供 | 备注 |
        |---|---|---|---|---|
        | 开 `open` | 关门 `close` | 关 `shut` | hand |  |
        <BLANKLINE>
        ```mermaid
        stateDiagram-v2
            open --> shut: close [hand]
        ```
        """
        heads = {
            "en": ("State", "Command", "Then", "Must bring", "Remark"),
            "zh": ("状态", "命令", "之后", "必须提供", "备注"),
        }[language]
        rows = [heads, ("---",) * len(heads), *(_cells(each, language) for each in self.steps)]
        lines = ["| " + " | ".join(cells) + " |" for cells in rows]
        lines[1] = lines[1].replace(" ", "")
        table = "\n".join(lines)
        return f"## {self.id}\n\n{table}\n\n```mermaid\n{self.mermaid()}\n```"

    # --- many at once: columns ------------------------------------------------------------------

    def encode(
        self,
        states: ArrayLike,
        commands: ArrayLike,
        given: Mapping[str, ArrayLike] | None = None,
    ) -> Codes[S, C]:
        """Turn columns into codes that can be run again and again: one command to a row.

        States and commands are words or their places in the enumeration; ``given`` says for
        each name which commands bring it (one truth for all of them is enough).

        >>> from retention.mechanisms.words import Word
        >>> class Door(Word):
        ...     OPEN = "open", "开"
        ...     SHUT = "shut", "关"
        >>> class Do(Word):
        ...     CLOSE = "close", "关门"
        >>> door = Machine("door", Door, Do, "open -close-> shut [hand]")
        >>> codes = door.encode(["open"] * 2, ["close"] * 2, {"hand": [True, False]})
        >>> door.run(codes).tolist()
        [1, 0]
        >>> str(door.taken(codes).refusals.at(1))
        'close while open: names missing (hand); allowed now: close'
        """
        return self._numbers.encode(self, states, commands, given or {})

    def run(self, codes: Codes[S, C]) -> NDArray[Any]:
        """Return the state after each command, as places; a refused one changes nothing."""
        after: NDArray[Any] = self._numbers.after.take(codes.codes, mode="clip")
        return after

    def taken(self, codes: Codes[S, C]) -> Taken[S, C]:
        """Return the state after each command, and every refusal with what explains it."""
        import numpy as np

        rows = np.flatnonzero(self._numbers.refused.take(codes.codes, mode="clip"))
        return Taken(self.run(codes), Refusals(self, rows, codes.codes[rows], codes.given))

    def replay(
        self,
        starts: ArrayLike,
        commands: ArrayLike,
        offsets: ArrayLike,
        given: Mapping[str, ArrayLike] | None = None,
    ) -> Taken[S, C]:
        """Fold the commands of many entities, each in its order, into their last states.

        Entity ``i`` has the commands from ``offsets[i]`` up to, and without, ``offsets[i+1]``
        and begins in ``starts[i]``, or all in one state. A refused command changes nothing;
        its row is that of the command.

        >>> from retention.mechanisms.words import Word
        >>> class Door(Word):
        ...     OPEN = "open", "开"
        ...     SHUT = "shut", "关"
        >>> class Do(Word):
        ...     CLOSE = "close", "关门"
        >>> door = Machine("door", Door, Do, "open -close-> shut")
        >>> done = door.replay("open", ["close", "close", "close"], [0, 0, 1, 3])
        >>> done.words().tolist(), done.refusals.rows.tolist()
        (['open', 'shut', 'shut'], [2])
        """
        return self._numbers.replay(self, starts, commands, offsets, given or {})

    @cached_property
    def _numbers(self) -> _Numbers:
        return _Numbers.of(self)

    # --- reading the table ----------------------------------------------------------------------

    def _read(self, line: str) -> list[Step[S, C]]:
        """Read one line of the table; several sources make several rows."""
        found = _LINE.fullmatch(line)
        if found is None:
            raise UnreadableTextError(f"machine {self.id}", line.strip(), _READS)
        needs = frozenset(filter(None, (x.strip() for x in (found["needs"] or "").split(","))))
        return [
            Step(
                self._word(self.states, source.strip()),
                self._word(self.commands, found["command"]) if found["command"] else None,
                self._word(self.states, found["target"]),
                needs,
                found["remark"] or "",
            )
            for source in found["sources"].split("/")
        ]

    def _word(self, words: type[W], name: str) -> W:
        try:
            return words(name)
        except ValueError:
            known = tuple(each.value for each in words)
            raise UnknownNameError(f"machine {self.id}, {words.__name__}", name, known) from None


def _cells(step: Step[Any, Any], language: Language) -> tuple[str, ...]:
    """One row of the documentation; words with their code."""

    def shown(word: Word) -> str:
        return f"{word.label(language)} `{word}`" if word.label(language) != word else f"`{word}`"

    time = "时间推移" if language == "zh" else "time"
    command = shown(step.command) if step.command else time
    needs = ", ".join(sorted(step.needs))
    return shown(step.source), command, shown(step.target), needs, step.remark


# --- columns ------------------------------------------------------------------------------------


@frozen(eq=False)
class Codes(Generic[S, C]):
    """Commands prepared for :meth:`Machine.run`: state, command and needs in one number each."""

    machine: Machine[S, C]
    codes: Numbers = field(repr=False)
    given: Mapping[str, NDArray[np.bool_]] = field(repr=False)  # only names that are needed

    def __len__(self) -> int:
        """Return the number of commands."""
        return len(self.codes)


@frozen(eq=False)
class Refusals(Shown, Generic[S, C]):
    """Commands that did not hold, as columns; one of them is explained when asked for."""

    machine: Machine[S, C]
    rows: Numbers = field(repr=False)  # rising: rows of the commands as they were handed over
    codes: Numbers = field(repr=False)
    given: Mapping[str, NDArray[np.bool_]] = field(repr=False)

    def __len__(self) -> int:
        """Return the number of refused commands."""
        return len(self.rows)

    def __repr__(self) -> str:
        """Return sizes alone."""
        codes, number = self._summed()
        counts = {str(each.code): n for each, n in zip(codes, number, strict=True)}
        return headline("Refusals", len(self), "rows", counts)

    def to_table(self, language: Language = "en") -> Table:
        """Return how many rows were refused, by state, command and code."""
        rows = (
            (*map(str, each.given), str(each.code), count_text(number))
            for each, number in zip(*self._summed(), strict=True)
        )
        columns = (Column(head.label(language)) for head in (Head.STATE, Head.COMMAND, Head.CODE))
        return Table((*columns, *figures([Head.ROWS.label(language)])), rows)

    def at(self, row: int) -> Refused:
        """Return the refusal of one row: why, what was missing, what would be accepted."""
        import numpy as np

        place = int(np.searchsorted(self.rows, row))
        if place == len(self.rows) or self.rows[place] != row:
            raise UnknownNameError("refusals", row, f"{len(self)} refused rows")
        return self._at(place)

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return row, state, command, code, missing names and allowed commands, as text."""
        import numpy as np

        kinds, first, which = np.unique(self._kinds(), return_index=True, return_inverse=True)
        found = [self._at(int(place)) for place in first]
        texts = [
            (*each.given, each.code, ", ".join(each.missing), ", ".join(each.allowed))
            for each in found
        ]
        table = np.array(texts, str).reshape(len(kinds), 5)
        names = ("state", "command", "code", "missing", "allowed")
        columns = {name: table[which, number] for number, name in enumerate(names)}
        return {"row": self.rows, **columns}

    def _at(self, place: int) -> Refused:
        row = self.rows[place]
        given = {name for name, brought in self.given.items() if brought[row]}
        state, command = self._decoded(self.codes[place])
        answer = self.machine.step(
            list(self.machine.states)[state], list(self.machine.commands)[command], given
        )
        assert isinstance(answer, Refused)  # noqa: S101  the columns agree with the table
        return answer

    def _decoded(self, codes: Any) -> Any:  # noqa: ANN401  one or columns
        """Return the places of states and commands."""
        return self.machine._numbers.decode(codes)  # noqa: SLF001  its own machine

    def _summed(self) -> tuple[list[Refused], list[int]]:
        """Refusals that read the same once, and how many rows each stands for."""
        import numpy as np

        _, first, number = np.unique(self._kinds(), return_index=True, return_counts=True)
        return [self._at(int(place)) for place in first], number.tolist()

    def _kinds(self) -> Numbers:
        """One number for all refusals that read the same."""
        states, commands = self._decoded(self.codes)
        kinds: Numbers = states * len(self.machine.commands) + commands
        for brought in self.given.values():
            kinds = kinds * 2 + brought[self.rows]
        return kinds


@frozen(eq=False)
class Taken(Generic[S, C]):
    """What commands did: the states afterwards, as places, and the refusals."""

    states: NDArray[Any] = field(repr=False)
    refusals: Refusals[S, C]

    def words(self) -> NDArray[Any]:
        """Return the states afterwards as text."""
        words: NDArray[Any] = texts(self.refusals.machine.states)[self.states]
        return words


@frozen(eq=False)
class _Numbers:
    """A machine as tables: state, command, and one bit for each set of needs that is met."""

    wide: int  # codes of one state
    bits: int
    needs: tuple[frozenset[str], ...]
    after: NDArray[Any]
    refused: NDArray[np.bool_]

    @classmethod
    def of(cls, machine: Machine[S, C]) -> _Numbers:
        """Write the table out: what each code leads to."""
        import numpy as np

        needs = tuple(dict.fromkeys(each.needs for each in machine.steps if each.needs))
        if len(needs) > _MOST_NEEDS:
            allowed = f"at most {_MOST_NEEDS} different ones for columns"
            raise InvalidValueError(f"machine {machine.id}, sets of needs", len(needs), allowed)
        states, commands = list(machine.states), list(machine.commands)
        size, bits = 1 << len(needs), np.arange(1 << len(needs))
        target = np.arange(len(states))[:, None, None] + np.zeros((1, len(commands), size), int)
        refused = np.ones(target.shape, bool)
        for step in machine.steps:
            if step.command is not None:
                at = states.index(step.source), commands.index(step.command)
                met = bits >> needs.index(step.needs) & 1 == 1 if step.needs else bits >= 0
                target[at] = np.where(met, states.index(step.target), target[at])
                refused[at] = ~met
        small = np.min_scalar_type(max(len(states) - 1, 0))
        after = target.ravel().astype(small)
        return cls(len(commands) * size, len(needs), needs, after, refused.ravel())

    def encode(
        self,
        machine: Machine[S, C],
        states: ArrayLike,
        commands: ArrayLike,
        given: Mapping[str, ArrayLike],
    ) -> Codes[S, C]:
        """Join state, command and needs; all commands at once."""
        import numpy as np

        events, brought = self.events(machine, commands, given)
        here = places(machine.states, states, "states")
        if len(here) != len(events):
            raise UnequalColumnsError("encode", {"states": len(here), "commands": len(events)})
        codes = here.astype(self.small) * self.small.type(self.wide) + events
        return Codes(machine, codes.astype(np.intp), brought)

    def events(
        self, machine: Machine[S, C], commands: ArrayLike, given: Mapping[str, ArrayLike]
    ) -> tuple[NDArray[Any], dict[str, NDArray[np.bool_]]]:
        """Return codes without their state, and who brings which name."""
        import numpy as np

        does = places(machine.commands, commands, "commands")
        names = dict.fromkeys(name for needs in self.needs for name in sorted(needs))
        nobody = np.broadcast_to(np.False_, does.shape)
        brought = {
            name: mask(given[name], name, len(does)) if name in given else nobody for name in names
        }
        codes = does.astype(self.small) << self.small.type(self.bits)
        for number, needs in enumerate(self.needs):
            met = reduce(np.logical_and, (brought[name] for name in sorted(needs)))
            codes |= met.astype(self.small) << self.small.type(number)
        return codes, brought

    def decode(self, codes: Any) -> tuple[Any, Any]:  # noqa: ANN401  one or columns
        """Return the places of states and commands."""
        states, rest = divmod(codes, self.wide)
        return states, rest >> self.bits

    def replay(
        self,
        machine: Machine[S, C],
        starts: ArrayLike,
        commands: ArrayLike,
        offsets: ArrayLike,
        given: Mapping[str, ArrayLike],
    ) -> Taken[S, C]:
        """Fold commands; those of many entities that are at the same turn go together."""
        import numpy as np

        events, brought = self.events(machine, commands, given)
        edges = edges_of(offsets, len(events))
        wide = self.small.type(self.wide)
        here = places(machine.states, starts, "starts", size=len(edges) - 1).astype(self.small)
        here *= wide
        rows, codes = folded(self._jumps, events, edges, here)
        order = np.argsort(rows)
        refusals = Refusals(machine, rows[order], codes[order], brought)
        return Taken((here // wide).astype(self.after.dtype), refusals)

    @property
    def small(self) -> np.dtype[Any]:
        """The smallest type that holds every code twice over: its last bit marks a refusal."""
        import numpy as np

        return np.min_scalar_type(2 * len(self.after))

    @cached_property
    def _jumps(self) -> NDArray[Any]:
        """Where each code leads, as the first code of a state; marked where it is refused."""
        jumps = self.after.astype(self.small) * self.small.type(self.wide)
        marks = self.refused.astype(self.small) << self.small.type(marked(self.small))
        joined: NDArray[Any] = jumps | marks
        return joined
