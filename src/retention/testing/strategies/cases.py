"""Cases as they happen: what comes in, what people do with it, most of it possible, not all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from retention.case_flows import NOTES, Note
from retention.case_groups import GroupCandidate
from retention.cases import FeedbackCase
from retention.feedback import Feedback
from retention.intake import Entry, FeedbackItem, FeedbackKind, Receive
from retention.mechanisms.answers import Accepted
from retention.mechanisms.workflows import Act

CaseCommand = Receive | Act[Any]
HOLDS = ("in_crm",)  # what only a host knows: a made-up host has everything in its system
_START = datetime(2024, 6, 3, 1, tzinfo=UTC)
_PAUSES = (0, 0, 1, 60, 600, 1_800, 7_200, 46_000)  # minutes from one command to the next
_WORDS: dict[str, tuple[Any, ...]] = {
    "severity": ("minor", "moderate", "serious", "major"),
    "scope": ("single", "several", "group"),
    "urgency": ("low", "medium", "high"),
    "nature": ("late_delivery", "product_quality_safety"),
    "channel": ("phone", "email", "sms"),
    "rating": (1, 3, 4, 5),
    "layer": ("", "high_active"),
    "cause": ("courier", "stock"),
    "departments": (("logistics",), ("logistics", "product")),
    "fields": (("matter",), ("content", "evidence")),
    "evidence": (("photo",),),
}


def case_stories(
    rules: Feedback,
    *,
    name: str = "K-1",
    max_acts: int = 16,
    customers: tuple[str, ...] = ("C-1", "C-2"),
) -> SearchStrategy[list[CaseCommand]]:
    """Commands of one case, its intake first: possible ones, others, and some too early.

    >>> from hypothesis import find
    >>> from retention.presets import ecommerce
    >>> story = find(case_stories(ecommerce.feedback), lambda commands: len(commands) == 1)
    >>> str(story[0].name), story[0].item.customer
    ('receive', 'C-1')
    """
    return _stories(rules, name, max_acts, customers)


def told_cases(
    rules: Feedback, *, min_size: int = 0, max_size: int = 5
) -> SearchStrategy[list[FeedbackCase]]:
    """Cases after their stories: what was refused did not happen.

    >>> from hypothesis import find
    >>> from retention.presets import ecommerce
    >>> [case.id for case in find(told_cases(ecommerce.feedback), lambda found: len(found) == 1)]
    ['K-0']
    """
    sizes = st.integers(min_size, max_size)
    return sizes.flatmap(
        lambda size: st.tuples(
            *(
                case_stories(rules, name=f"K-{n}").map(lambda x: _told(rules, x))
                for n in range(size)
            )
        ).map(list)
    )


def group_candidates(*, max_size: int = 14) -> SearchStrategy[list[GroupCandidate]]:
    """Cases of few customers and causes, close to each other, some at one instant.

    >>> from hypothesis import find
    >>> find(group_candidates(), lambda found: len(found) == 1)[0].case
    'K-0'
    """
    hours = st.sampled_from((0, 1, 23, 24, 25, 47, 48, 49, 72))
    who = st.sampled_from(("a", "b", "c", "d"))
    rows = st.tuples(who, hours, st.sampled_from(("late", "rude", "")))
    return st.lists(rows, max_size=max_size).map(
        lambda found: [
            GroupCandidate(f"K-{n}", customer, _START + timedelta(hours=hour), cause)
            for n, (customer, hour, cause) in enumerate(found)
        ]
    )


@st.composite
def _stories(
    draw: DrawFn, rules: Feedback, name: str, most: int, customers: tuple[str, ...]
) -> list[CaseCommand]:
    """Follow the case, so that commands which are possible can be preferred."""
    at = _START + timedelta(minutes=draw(st.integers(0, 20_000)))
    intake = _intake(draw, rules, name, customers, at)
    commands: list[CaseCommand] = [intake]
    case = rules.decide(None, intake).or_raise().state
    for _ in range(draw(st.integers(0, most))):
        at += timedelta(minutes=draw(st.sampled_from(_PAUSES)))
        early = draw(st.sampled_from((False,) * 9 + (True,)))
        act = _act(draw, rules, case, at - timedelta(days=60) if early else at)
        commands.append(act)
        answer = rules.decide(case, act, holds=HOLDS)
        case = answer.state if isinstance(answer, Accepted) else case
    return commands


def _intake(
    draw: DrawFn, rules: Feedback, name: str, customers: tuple[str, ...], at: datetime
) -> Receive:
    item = FeedbackItem(
        draw(st.sampled_from(customers)),
        at,
        draw(st.sampled_from(rules.form.kinds or (FeedbackKind.COMPLAINT, FeedbackKind.INQUIRY))),
        draw(st.sampled_from(rules.form.entries or (Entry.APP,))),
        matter="what happened, in their words",
        demand="what they want",
        contact="13900000000",
        evidence=draw(st.sampled_from(((), ("a photo of a street",)))),
        topic=draw(st.sampled_from(("", "logistics_delay", "bad_attitude"))),
    )
    return Receive(case=name, item=item, at=at + timedelta(minutes=draw(st.integers(0, 5))))


def _act(draw: DrawFn, rules: Feedback, case: FeedbackCase, at: datetime) -> Act[Any]:
    own: Any = rules.flow.workflow.machine.commands
    way, allowed = [str(x) for x in own], rules.allowed(case)
    every = [*way, *(str(x) for x in Note)]
    pools = [[x for x in allowed if x in way], list(allowed), every]
    pool = pools[draw(st.sampled_from((0, 0, 0, 0, 1, 1, 2)))]
    name = draw(st.sampled_from(pool or every))
    roles = next((row.roles for row in rules.rights if row.command == name), ("",))
    brings = dict(_brings(draw, rules, name, at))
    if brings and draw(st.sampled_from((False,) * 6 + (True,))):
        brings.pop(draw(st.sampled_from(sorted(brings))))
    return Act(name, at=at, by="li", role=roles[0], brings=brings)


def _brings(draw: DrawFn, rules: Feedback, name: str, at: datetime) -> Iterator[tuple[str, Any]]:
    machine: Any = rules.flow.workflow.machine
    rows: tuple[Any, ...] = (*machine.steps, *NOTES.steps)
    named = {need for row in rows if str(row.command) == name for need in row.needs}
    facts = rules.triage.facts if rules.triage and name in rules.flow.assesses else ()
    for need in sorted(named | set(facts) | ({"rating"} if name == "archive" else set())):
        if need == "time_node":
            yield need, at + timedelta(hours=draw(st.sampled_from((1, 30, 100))))
        elif need in _WORDS:
            yield need, draw(st.sampled_from(_WORDS[need]))
        elif not need.startswith(("is_", "both_")):
            yield need, f"some {need}"
    if name == "remark":
        yield "layer", draw(st.sampled_from(_WORDS["layer"]))


def _told(rules: Feedback, commands: list[CaseCommand]) -> FeedbackCase:
    first, *rest = commands
    case = rules.decide(None, first).or_raise().state
    for command in rest:
        answer = rules.decide(case, command, holds=HOLDS)
        case = answer.state if isinstance(answer, Accepted) else case
    return case
