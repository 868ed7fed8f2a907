"""Variants of a policy, and machines that nobody wrote."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, cast

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from retention.classifications import Classification
from retention.handbook import Handbook
from retention.measures import is_measure
from retention.mechanisms.answers import Scalar
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.errors import RetentionError
from retention.mechanisms.machines import Machine
from retention.mechanisms.policies import Entry, Policy, is_blank
from retention.mechanisms.rules import Limit, Rule
from retention.mechanisms.words import Word
from retention.scores import Scored
from retention.testing.strategies.rules import MEASURES, rules, values
from retention.testing.strategies.times import ZONE

P = TypeVar("P", bound=Policy)
S = TypeVar("S", bound=Word)
C = TypeVar("C", bound=Word)


def changes(policy: Policy, *, paths: Iterable[str] = ()) -> SearchStrategy[tuple[str, Any]]:
    """A path of the policy and another value that it takes there: a number or a rule.

    ``paths`` narrow it to some values, or to all values below a path such as ``lifecycle``.

    >>> from hypothesis import find
    >>> from retention.presets import ecommerce
    >>> path, value = find(changes(ecommerce.lifecycle), lambda change: True)
    >>> ecommerce.lifecycle.with_(path, value) == ecommerce.lifecycle
    False
    """
    below = tuple(paths)
    leaves = [x for x in policy.values() if _steps(x) and (not below or _under(x.path, below))]
    return _changes(_Leaves(policy, leaves)) if leaves else st.nothing()


def variants(policy: P, *, max_changes: int = 3, paths: Iterable[str] = ()) -> SearchStrategy[P]:
    """The policy itself, or with a few numbers and rules changed.

    >>> from hypothesis import given, settings
    >>> from retention.presets import ecommerce
    >>> @settings(max_examples=3, database=None)
    ... @given(variants(ecommerce, paths=["lifecycle.reduced.window_days"]))
    ... def test(handbook):
    ...     assert handbook.segmentation == ecommerce.segmentation
    >>> test()
    """
    return _variants(_Drawn(policy, tuple(paths)), max_changes)


def classifications(
    *, measures: Iterable[str] = MEASURES, max_cases: int = 3, zone: str = ZONE
) -> SearchStrategy[Classification[str]]:
    """Classifications that nobody wrote: a few rules in a row, and what is left.

    >>> from hypothesis import find
    >>> find(classifications(measures=["days_since_purchase"]), lambda axis: True).table.outcomes
    ('first', 'otherwise')
    """
    one = rules(measures=list(measures), max_limits=3)
    drawn = st.lists(one, min_size=1, max_size=min(max_cases, len(_ORDINALS)))
    return drawn.map(lambda found: Classification("drawn", _table(found), zone=zone))


def machines(
    *, min_states: int = 1, max_states: int = 6, max_commands: int = 4
) -> SearchStrategy[Machine[Word, Word]]:
    """Machines whose states are all reached from the first one.

    >>> from hypothesis import find
    >>> machine = find(machines(min_states=2), lambda each: True)
    >>> machine.unreachable(next(iter(machine.states)))
    frozenset()
    """
    return _machines(min_states, max_states, max_commands)


def command_columns(
    machine: Machine[S, C], *, max_commands: int = 60
) -> SearchStrategy[dict[str, Any]]:
    """Columns of commands for a machine, and cuts between entities, as the law asks for them.

    >>> from hypothesis import find
    >>> from retention.grading import GRADING
    >>> columns = find(command_columns(GRADING), lambda each: len(each["commands"]) == 1)
    >>> columns["states"], columns["given"]["reason"]
    ([<BatchState.COLLECTING: 'collecting'>], [False])
    """
    names = sorted({name for step in machine.steps for name in step.needs})
    turn = st.tuples(
        st.sampled_from(list(machine.states)), st.sampled_from(list(machine.commands)),
        st.sets(st.sampled_from(names)) if names else st.just(set[str]()),
    )  # fmt: skip
    cuts = st.lists(st.integers(0, max_commands), max_size=8)

    def columns(turns: list[tuple[S, C, set[str]]], cut: list[int]) -> dict[str, Any]:
        edges = [0, *sorted(min(each, len(turns)) for each in cut), len(turns)]
        given = {name: [name in brought for _, _, brought in turns] for name in names}
        states, commands = ([turn[side] for turn in turns] for side in (0, 1))
        return {"states": states, "commands": commands, "given": given, "offsets": edges}

    return st.builds(columns, st.lists(turn, max_size=max_commands), cuts)


def attributes(handbook: Handbook) -> SearchStrategy[dict[str, Scalar]]:
    """What the rules of a handbook ask for besides facts: at their limits, beside, or missing.

    >>> from hypothesis import find
    >>> from retention.presets import user_retention
    >>> find(attributes(user_retention), lambda found: found["industry"] == "industry_a")[
    ...     "potential"
    ... ]
    0.5
    """
    axes = handbook.segmentation.classifications
    scorings = [axis.scoring for axis in axes if isinstance(axis, Scored)]
    known = {f"{scoring.name}{end}" for scoring in scorings for end in ("", "_share")}
    rules = [entry.value for entry in handbook.values() if isinstance(entry.value, Rule)]
    asked = [limit for rule in rules for limit in rule.limits()]
    points: dict[str, list[Any]] = {}
    for limit in asked:
        if not (is_measure(limit.measure) or limit.measure in known | _tags(handbook)):
            given = limit.limit if isinstance(limit.limit, tuple) else (limit.limit,)
            points.setdefault(limit.measure, []).extend(x for x in given if x is not None)
    factors = {x.measure for scoring in scorings for x in scoring.factors}
    parts = {name: st.sampled_from(_FACTORS) for name in factors if not is_measure(name)}
    return st.fixed_dictionaries({name: values(found) for name, found in points.items()} | parts)


def _tags(handbook: Handbook) -> set[str]:
    library = handbook.segmentation.tags
    return set() if is_blank(library) else {f"has_{rule.key}" for rule in library.rules}


_FACTORS = (0, 1, 0.5, 0.25, 0.7, 1 / 3, None)
_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def _table(found: list[Rule]) -> FirstMatch[str]:
    cases = (Case(name, rule) for name, rule in zip(_ORDINALS, found, strict=False))
    return FirstMatch(tuple(cases), otherwise="otherwise")


def _steps(leaf: Entry) -> tuple[Any, ...]:
    """Other values of the same kind as a leaf: a little less, a little more, much more."""
    value = leaf.value
    if leaf.path.endswith(".outcome"):  # it names the row, so another one moves the path
        return ()
    if isinstance(value, Rule):
        moved = [(each, step) for each in value.limits() for step in _steps_of(each)]
        return tuple(_moved(value, each, step) for each, step in moved)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return (value + 1, value - 1, value * 2) if value else (1, 2)
    return ()


def _steps_of(limit: Limit) -> tuple[Any, ...]:
    given = limit.limit
    if isinstance(given, tuple) or not isinstance(given, int | float) or not math.isfinite(given):
        return ()
    if isinstance(given, float):
        return (round(given / 2, 6), round((1 + given) / 2, 6), 0.35)
    return (given + 1, given - 1, given * 2)


def _moved(rule: Rule, limit: Limit, value: Any) -> Rule:  # noqa: ANN401
    new = Limit(limit.measure, limit.relation, value)
    return rule.replaced(lambda each: new if each is limit else each)


def _under(path: str, paths: tuple[str, ...]) -> bool:
    return any(path == each or path.startswith(f"{each}.") for each in paths)


class _Leaves:
    """The leaves of a policy; a handbook has hundreds, and nobody wants to read them all."""

    def __init__(self, policy: Policy, leaves: list[Entry]) -> None:
        self.policy, self.leaves = policy, leaves

    def __repr__(self) -> str:
        return f"{len(self.leaves)} leaves of {type(self.policy).__name__}"


@st.composite
def _changes(draw: DrawFn, of: _Leaves) -> tuple[str, Any]:
    leaf = of.leaves[draw(st.integers(0, len(of.leaves) - 1))]
    steps = _steps(leaf)
    value = steps[draw(st.integers(0, len(steps) - 1))]
    if value == leaf.value:
        reject()
    try:
        of.policy.with_(leaf.path, value)
    except RetentionError:  # the policy says itself what it does not take
        reject()
    return leaf.path, value


class _Drawn(Generic[P]):
    """A policy to be changed; hypothesis writes strategies out, and a handbook is long."""

    def __init__(self, policy: P, paths: tuple[str, ...]) -> None:
        self.policy, self.paths = policy, paths

    def __repr__(self) -> str:
        return type(self.policy).__name__


@st.composite
def _variants(draw: DrawFn, of: _Drawn[P], most: int) -> P:
    policy = of.policy
    for _ in range(draw(st.integers(0, most))):
        path, value = draw(changes(policy, paths=of.paths))
        policy = policy.with_(path, value)
    return policy


@st.composite
def _machines(draw: DrawFn, least: int, most: int, commands: int) -> Machine[Word, Word]:
    number = draw(st.integers(least, most))
    does = draw(st.integers(1, commands))
    ways: dict[tuple[int, int], int] = {}  # state, command: target; command 0 is time
    for target in range(1, number):  # each state hangs on an earlier one, or time leads there
        state, command = draw(st.integers(0, target - 1)), draw(st.integers(1, does))
        taken = (state, command) in ways
        ways[(state, -target) if taken else (state, command)] = target
    for state, command, target in draw(_extra_ways(number, does)):
        ways.setdefault((state, command), target)
    lines = [_line(draw, *way, target) for way, target in ways.items()]
    return Machine("drawn", _words("State", "s", number), _words("Do", "c", does), "\n".join(lines))


def _extra_ways(number: int, does: int) -> SearchStrategy[list[tuple[int, int, int]]]:
    state = st.integers(0, number - 1)
    return st.lists(st.tuples(state, st.integers(1, does), state), max_size=6)


def _line(draw: DrawFn, state: int, command: int, target: int) -> str:
    if command <= 0:
        return f"s{state} -> s{target} (time)"
    needs = draw(st.sampled_from(("", " [person]", " [person, reason]")))
    return f"s{state} -c{command - 1}-> s{target}{needs}"


def _words(name: str, letter: str, number: int) -> type[Word]:
    """An enumeration of some words that mean nothing."""
    members = {f"{letter}{n}".upper(): (f"{letter}{n}", f"第{n}") for n in range(number)}
    make = cast("Callable[[str, object], type[Word]]", Word)  # the functional form of enumerations
    return make(name, members)
