"""A machine is a text table: which command leads from which state to which, and what it needs.

Required fields, roles, conditions and separation of duties are one thing: names that the
command must bring. A row without a command is made by time alone: it is drawn and reached,
never commanded; the state it leads to is a function of ``as_of``. All machines refuse
whatever has no row (X-05).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Generic, TypeVar

from attrs import field, frozen

from retention.mechanisms.answers import Code, Refused
from retention.mechanisms.errors import DuplicateError, UnknownNameError, UnreadableTextError
from retention.mechanisms.words import Word

S = TypeVar("S", bound=Word)
C = TypeVar("C", bound=Word)

_LINE = re.compile(
    r"\s*(?P<sources>\w+(?:\s*/\s*\w+)*)\s*"
    r"(?:-(?P<command>\w+)->|->)\s*"
    r"(?P<target>\w+)\s*"
    r"(?:\[(?P<needs>[\w\s,]*)\]\s*)?"
    r"(?:\((?P<remark>.*)\)\s*)?"
)
_READS = "state/state -command-> state [name, name] (remark); leave the command out for time"


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

    def unreachable(self, start: S) -> frozenset[S]:
        """States that no row leads to from ``start``, by command or by time."""
        seen, todo = {start}, [start]
        while todo:
            here = todo.pop()
            found = {x.target for x in self.steps if x.source is here} - seen
            seen |= found
            todo += found
        return frozenset(self.states) - seen

    def mermaid(self) -> str:
        """Return the machine as a Mermaid state diagram."""
        lines = ["stateDiagram-v2"]
        for each in self.steps:
            what = str(each.command or "time") + (f" ({each.remark})" if each.remark else "")
            needs = f" [{', '.join(sorted(each.needs))}]" if each.needs else ""
            lines.append(f"    {each.source} --> {each.target}: {what}{needs}")
        return "\n".join(lines)

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


W = TypeVar("W", bound=Word)
