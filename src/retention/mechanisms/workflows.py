"""A workflow: a machine in use, with who did what and when, and what each step brought.

Office machines need no class a command: an act names its command and brings values under the
names that the table asks for. What must be true besides (a condition that an area computes)
and the role of the actor are names as well. The log of steps is the only truth; the progress
of an entity is made from it by ``replay``, the states of many from columns by ``states``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import attrs
from attrs import field, frozen

from retention.mechanisms.acts import repeated, timed, who
from retention.mechanisms.answers import Accepted, Code, Problem, Refused
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.machines import Machine, Refusals
from retention.mechanisms.periods import When, in_utc, local_date, zone_of
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.tables import Head, Shown, Table, counted, headline
from retention.mechanisms.words import Language, Word

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

S = TypeVar("S", bound=Word)
C = TypeVar("C", bound=Word)
N = TypeVar("N", bound=str)  # what an act calls its command: the word, or its code


def _brought(given: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    pairs = cast("Mapping[str, Any]", given).items() if isinstance(given, Mapping) else given
    found = tuple(sorted(((name, _held(value, name)) for name, value in pairs), key=_name))
    names = [name for name, _ in found]
    if len(set(names)) < len(names):
        raise DuplicateError("brings", next(name for name in names if names.count(name) > 1))
    return found


def _name(pair: tuple[str, Any]) -> str:
    return pair[0]


def _held(value: Any, name: str) -> Any:  # noqa: ANN401  whatever a form holds
    """Return a value that stays as it is: lists become tuples."""
    if isinstance(value, list | tuple):
        return tuple(_held(each, name) for each in cast("Iterable[Any]", value))
    if isinstance(value, Mapping | AbstractSet):
        raise WrongTypeError(f"brings.{name}", value, "one value, or several in a tuple or a list")
    return cast("Any", value)


def _empty(value: object) -> bool:
    """Whether nothing stands under a name; 0 is something."""
    return value is None or value is False or (isinstance(value, str | tuple) and not value)


class _Brings:
    """What an act and its step have in common: values under names."""

    __slots__ = ()
    brings: tuple[tuple[str, Any], ...]

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401
        """Return the value that was brought under a name."""
        for found, value in self.brings:
            if found == name:
                return value
        raise UnknownNameError("brings", name, [found for found, _ in self.brings])

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401
        """Return the value that was brought under a name, or another one."""
        return dict(self.brings).get(name, default)


@frozen
class Act(_Brings, Generic[N]):
    """A command of an office machine: what, when, by whom, in which role, and what it brings.

    >>> act = Act("assign", at=date(2024, 5, 6), by="li", brings={"department": "logistics"})
    >>> act["department"], act.get("person")
    ('logistics', None)
    """

    name: N
    at: When = field(validator=timed, kw_only=True)
    by: str = field(validator=who, kw_only=True)
    role: str = field(default="", kw_only=True)
    key: str = field(default="", kw_only=True)
    brings: tuple[tuple[str, Any], ...] = field(default=(), converter=_brought, kw_only=True)

    @property
    def names(self) -> frozenset[str]:
        """Names under which something was brought, the role among them."""
        named = {name for name, value in self.brings if not _empty(value)}
        return frozenset(named | ({self.role} if self.role else set()))

    def body(self) -> dict[str, Any]:
        """Return what makes two acts the same; who asks again may do so later."""
        return {"by": self.by, "role": self.role, "brings": self.brings}


@frozen
class Taken(_Brings, Generic[S, C]):
    """A step was taken: the fact that the store keeps."""

    name: C
    source: S | None  # None: with this step it began
    target: S
    at: When = field(validator=timed, kw_only=True)
    by: str = field(validator=who, kw_only=True)
    on: date = field(kw_only=True)
    role: str = field(default="", kw_only=True)
    key: str = field(default="", kw_only=True)
    brings: tuple[tuple[str, Any], ...] = field(default=(), converter=_brought, kw_only=True)

    def answers(self, act: Act[C] | Act[str]) -> bool:
        """Whether this step came from such an act, the time aside."""
        body = act.body()
        return self.name == act.name and all(getattr(self, x) == y for x, y in body.items())


@frozen
class Progress(Generic[S, C]):
    """Where one entity stands, and every step that led there."""

    id: str
    state: S
    steps: tuple[Taken[S, C], ...] = field(default=(), repr=False)

    @property
    def sequence(self) -> int:
        """Number of steps; a store appends after it."""
        return len(self.steps)

    @property
    def last(self) -> Taken[S, C] | None:
        """The latest step."""
        return self.steps[-1] if self.steps else None

    def when(self, *targets: S) -> Taken[S, C] | None:
        """Return the latest step that led into one of these states."""
        return next((x for x in reversed(self.steps) if x.target in targets), None)

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401
        """Return what was brought last under a name."""
        found = (x.get(name) for x in reversed(self.steps) if x.get(name) is not None)
        return next(found, default)

    def apply(self, step: Taken[S, C]) -> Progress[S, C]:
        """Return the progress after a step; trusts it, since the workflow has judged it."""
        return attrs.evolve(self, state=step.target, steps=(*self.steps, step))


@policy
class Workflow(Policy, Generic[S, C]):
    """A machine with its first state and zone; the machine itself is a mechanism, not a value.

    An open entity follows a change of the workflow at once: its steps stay as they were taken.

    >>> class Door(Word):
    ...     OPEN = "open", "开"
    ...     SHUT = "shut", "关"
    >>> class Do(Word):
    ...     CLOSE = "close", "关门"
    >>> door = Workflow(Machine("door", Door, Do, "open -close-> shut [hand]"), Door.OPEN)
    >>> act = Act(Do.CLOSE, at=date(2024, 5, 6), by="li", brings={"hand": "left"})
    >>> shut = door.decide(door.start("d-1"), act).or_raise()
    >>> shut.state.state.value, shut.facts[0]["hand"], shut.state == door.replay("d-1", shut.facts)
    ('shut', 'left', True)
    >>> str(door.decide(door.start("d-1"), Act(Do.CLOSE, at=date(2024, 5, 6), by="li")))
    'close while open: names missing (hand); allowed now: close'
    """

    machine: Machine[S, C]
    first: S
    zone: str = "Asia/Shanghai"
    # Conditions of the table that only the area finds true: no act can bring them.
    judged: tuple[str, ...] = field(default=(), converter=tuple)

    def __attrs_post_init__(self) -> None:
        needs = sorted({name for each in self.machine.steps for name in each.needs})
        strange = next((name for name in self.judged if name not in needs), None)
        if strange is not None:
            raise UnknownNameError(f"Workflow.judged, machine {self.machine.id}", strange, needs)

    def start(self, id: str) -> Progress[S, C]:  # noqa: A002  the word that stores use
        """Return an entity to which nothing has happened."""
        if not id:
            raise InvalidValueError("id", id, "the identifier of the entity, a text")
        return Progress(id, self.first)

    def decide(
        self,
        progress: Progress[S, C],
        act: Act[C] | Act[str],
        *,
        earlier: Iterable[Taken[S, C]] = (),
        holds: Collection[str] = (),
        missing: Collection[str] = (),
    ) -> Accepted[Progress[S, C], Taken[S, C]] | Refused:
        """Judge an act.

        ``holds`` are conditions of the table that the area found true, ``missing`` further
        names that this act would have to bring; ``earlier`` are the facts that the store
        holds under the key of the act. A step is never dated before the one that it follows.
        """
        command = self._command(act)
        allowed = self.machine.allowed(progress.state)
        again = repeated(progress, act, earlier, given=progress.state, allowed=allowed)
        if again is not None:
            return again
        given = (act.names - frozenset(self.judged)) | frozenset(holds)
        step = self.machine.step(progress.state, command, given)
        if isinstance(step, Refused) and step.code is not Code.NAMES_MISSING:
            return step
        needed = step.missing if isinstance(step, Refused) else ()
        late = () if self._in_order(progress, act) else ("later_time",)
        lacking = tuple(dict.fromkeys((*needed, *missing, *late)))
        if isinstance(step, Refused) or lacking:
            return Refused(Code.NAMES_MISSING, (progress.state, command), lacking, allowed)
        taken = self._taken(act, command, step.source, step.target)
        return Accepted(progress.apply(taken), (taken,))

    def replay(self, id: str, steps: Iterable[Taken[S, C]]) -> Progress[S, C]:  # noqa: A002
        """Fold all steps of an entity, oldest first."""
        found = tuple(steps)
        if not found:
            return self.start(id)
        return Progress(id, found[-1].target, found)

    def states(
        self,
        entities: ArrayLike,
        commands: ArrayLike,
        given: Mapping[str, ArrayLike] | None = None,
    ) -> WorkflowStates[S, C]:
        """Return the state of every entity of a log in columns; its steps stand in their order.

        Without ``given`` the rows are steps that were taken, so whatever they needed was
        there. With it they are commands to be judged, and it says which row brings which name.
        A row that the table does not take changes nothing and is reported.

        >>> class Door(Word):
        ...     OPEN = "open", "开"
        ...     SHUT = "shut", "关"
        >>> class Do(Word):
        ...     CLOSE = "close", "关门"
        >>> door = Workflow(Machine("door", Door, Do, "open -close-> shut [hand]"), Door.OPEN)
        >>> found = door.states(["d-2", "d-1", "d-2"], ["close", "close", "close"])
        >>> found.of("d-2").value, found.counts(), str(found.problems[0])
        ('shut', {'open': 0, 'shut': 2}, 'not possible: 1 row (2), first close while shut; \
allowed: nothing')
        """
        import numpy as np

        who, does = np.asarray(entities), np.asarray(commands)
        if len(who) != len(does):
            raise UnequalColumnsError("states", {"entities": len(who), "commands": len(does)})
        ids, places = np.unique(who, return_inverse=True)
        order = np.argsort(places, kind="stable")
        offsets = np.concatenate([[0], np.cumsum(np.bincount(places, minlength=len(ids)))])
        needs = {name for each in self.machine.steps for name in each.needs}
        brought: Mapping[str, ArrayLike] = dict.fromkeys(needs, True) if given is None else given
        columns = {name: np.asarray(column) for name, column in brought.items()}
        turned = {name: each[order] if each.ndim else each for name, each in columns.items()}
        done = self.machine.replay(self.first, does[order], offsets, turned)
        problems = tuple(_problems(done.refusals, order))
        return WorkflowStates(self.machine, ids, done.states, problems)

    def allowed(self, progress: Progress[S, C]) -> tuple[C, ...]:
        """Commands that have a row in this state."""
        return self.machine.allowed(progress.state)

    def _command(self, act: Act[C] | Act[str]) -> C:
        if act.name not in tuple(self.machine.commands):
            raise UnknownNameError("act", act.name, [str(x) for x in self.machine.commands])
        return self.machine.commands(act.name)

    def _in_order(self, progress: Progress[S, C], act: Act[C] | Act[str]) -> bool:
        last = progress.last
        if last is None:
            return True
        zone = zone_of(self.zone)
        days = local_date(last.at, zone), local_date(act.at, zone)
        return days[0] < days[1] or (days[0] == days[1] and not _before(act.at, last.at))

    def _taken(self, act: Act[C] | Act[str], command: C, source: S, target: S) -> Taken[S, C]:
        return Taken(
            command,
            source,
            target,
            at=act.at,
            by=act.by,
            on=local_date(act.at, zone_of(self.zone)),
            role=act.role,
            key=act.key,
            brings=act.brings,
        )


def _before(one: When, other: When) -> bool:
    """Whether an instant is earlier than another one; dates of one day are not."""
    if not isinstance(one, datetime) or not isinstance(other, datetime):
        return False
    return in_utc(one) < in_utc(other)


@frozen(eq=False)
class WorkflowStates(Shown, Generic[S, C]):
    """The states of many entities as columns, and the rows of the log that do not fit."""

    machine: Machine[S, C] = field(repr=False)
    entities: NDArray[Any] = field(repr=False)  # rising, each once
    codes: NDArray[Any] = field(repr=False)  # places in the enumeration of states
    problems: tuple[Problem, ...] = ()

    def of(self, entity: object) -> S:
        """Return the state of one entity; raise when the log does not name it."""
        import numpy as np

        found = np.flatnonzero(self.entities == entity)
        if not len(found):
            raise UnknownNameError("entity", entity, f"{len(self.entities)} entities of the log")
        return list(self.machine.states)[int(self.codes[found[0]])]

    def counts(self) -> dict[str, int]:
        """Return the number of entities in each state, in the order of the machine."""
        import numpy as np

        names = [each.value for each in self.machine.states]
        return dict(zip(names, np.bincount(self.codes, minlength=len(names)).tolist(), strict=True))

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: entity, state."""
        import numpy as np

        names = np.array([each.value for each in self.machine.states])
        return {"entity": self.entities, "state": names[self.codes]}

    def __len__(self) -> int:
        """Return the number of entities."""
        return len(self.entities)

    def __repr__(self) -> str:
        """Return sizes alone."""
        return headline(
            "WorkflowStates", len(self), f"entities of {self.machine.id}", self.counts()
        )

    def to_table(self, language: Language = "en") -> Table:
        """Return the number of entities in each state, with its share."""
        counts = zip(self.machine.states, self.counts().values(), strict=True)
        named = {state.label(language): number for state, number in counts}
        return counted(named, Head.STATE, language, heads=(Head.NUMBER, Head.SHARE))


def _problems(refusals: Refusals[S, C], order: NDArray[Any]) -> Iterator[Problem]:
    """One problem for each code and command while a state, with the rows as they were given."""
    found: dict[tuple[Code, str, str], list[int]] = {}
    for place in refusals.rows.tolist():
        no = refusals.at(place)
        needs = f", which needs {', '.join(no.missing)}" if no.missing else ""
        said = f"{no.given[1]} while {no.given[0]}{needs}", ", ".join(no.allowed) or "nothing"
        found.setdefault((no.code, *said), []).append(int(order[place]))
    for (code, given, allowed), rows in found.items():
        yield Problem(code, tuple(sorted(rows)), given, allowed)
