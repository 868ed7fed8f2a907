"""Ladders of tiers, and what people do with batches of grades."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from retention.grading import (
    GRADING,
    Activate,
    Analyse,
    Approve,
    Grading,
    GradingCommand,
    GradingOrder,
    GradingProcess,
    Reanalyse,
    Reject,
    Submit,
)
from retention.measures import figure
from retention.mechanisms.answers import Accepted
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.policies import is_blank
from retention.mechanisms.rules import Limit

_TIERS = ("diamond", "platinum", "gold", "silver")
_SHARES = (0.05, 0.1, 0.2, 0.25, 0.35, 0.5, 0.8, 0.9, 1.0)
_AMOUNTS = (1, 99, 100, 101, 50_00, 100_00, 1_000_00)
_RANKED = ("spend_share", "spend_share_1y", "spend_minor", "spend_minor_1y")
_START = date(2024, 7, 1)


def tiers(
    *, measures: Iterable[str] = _RANKED, max_tiers: int = len(_TIERS)
) -> SearchStrategy[FirstMatch[str]]:
    """Ladders from the highest tier down, by limits on a rank share or on an amount.

    >>> from hypothesis import find
    >>> ladder = find(tiers(measures=["spend_share"]), lambda each: len(each.cases) == 2)
    >>> [str(case.when) for case in ladder.cases], ladder.outcomes
    (['spend_share <= 0.05', 'spend_share <= 0.1'], ('diamond', 'platinum', 'ordinary'))
    """
    most = min(max_tiers, len(_TIERS))
    return st.one_of([_ladders(name, most) for name in measures])


def grading_commands(
    process: GradingProcess,
    *,
    max_commands: int = 25,
    batches: Iterable[str] = ("a", "b"),
    min_day: date = _START,
) -> SearchStrategy[list[GradingOrder]]:
    """What members of the group and others do, day by day; most of it is possible, not all.

    Every head of the group must be named.

    >>> from hypothesis import find
    >>> from retention.grading import Head, WorkingGroup
    >>> from retention.presets import user_retention
    >>> group = WorkingGroup("group", (Head("marketing", "chen"),))
    >>> process = user_retention.segmentation.process.with_("group", group)
    >>> done = find(grading_commands(process), lambda found: len(found) == 2)
    >>> [str(command.name) for command in done]
    ['analyse', 'submit']
    """
    return _commands(process, max_commands, tuple(batches), min_day)


def _ladders(measure: str, most: int) -> SearchStrategy[FirstMatch[str]]:
    ranked = bool(figure(measure).share_of)
    points = st.sampled_from(_SHARES if ranked else _AMOUNTS)
    drawn = st.lists(points, min_size=1, max_size=most, unique=True)

    def ladder(limits: list[float], *, strictly: bool) -> FirstMatch[str]:
        relation = "<" if ranked else ">"
        falling = sorted(limits, reverse=not ranked)
        cases = (
            Case(name, Limit(measure, relation if strictly else f"{relation}=", limit))  # type: ignore[arg-type]
            for name, limit in zip(_TIERS, falling, strict=False)
        )
        return FirstMatch(tuple(cases), otherwise="ordinary")

    return st.builds(ladder, drawn, strictly=st.booleans())


@st.composite
def _commands(
    draw: DrawFn, process: GradingProcess, most: int, batches: tuple[str, ...], first: date
) -> list[GradingOrder]:
    """Follow the state, so that commands which are possible can be preferred."""
    turn = st.tuples(
        st.integers(0, 5), st.sampled_from(batches), st.sampled_from(_people(process)),
        st.integers(-1, 3), st.sampled_from(process.regrading.ladder),
    )  # fmt: skip
    state, found, day = Grading(), list[GradingOrder](), first
    for number, batch, by, days, grade in draw(st.lists(turn, max_size=most)):
        day += timedelta(days=days)
        choices = (*GRADING.allowed(state.batch(batch).state), *GradingCommand)
        command = _order(choices[number], batch, day, by, grade)
        answer = process.decide(state, command)
        state = answer.state if isinstance(answer, Accepted) else state
        found.append(command)
    return found


def _people(process: GradingProcess) -> list[str]:
    """The members who are named, and two who are none."""
    heads = () if is_blank(process.group) else process.group.heads
    members = [head.person for head in heads if not is_blank(head.person)]
    return ["an analyst", *members, "a stranger"]


def _order(name: GradingCommand, batch: str, at: date, by: str, grade: str) -> GradingOrder:
    match name:
        case GradingCommand.ANALYSE:
            return Analyse(batch, {"u": grade}, at=at, by=by)
        case GradingCommand.REANALYSE:
            return Reanalyse(batch, {"u": grade, "v": grade}, at=at, by=by)
        case GradingCommand.REJECT:
            return Reject(batch, "wrong", at=at, by=by)
    kinds: dict[GradingCommand, type[Submit | Approve | Activate]] = {
        GradingCommand.SUBMIT: Submit,
        GradingCommand.APPROVE: Approve,
        GradingCommand.ACTIVATE: Activate,
    }
    return kinds[name](batch, at=at, by=by)
