"""Time alone changes nothing before it is due; every change of stage is a row of the machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from retention.activity import History
from retention.ageing import Transition, Trigger
from retention.classifications import Classification
from retention.lifecycle import LIFECYCLE, Lifecycle, LifecycleEvent, Stage
from retention.mechanisms.decisions import Decision
from retention.mechanisms.errors import UnknownNameError
from retention.mechanisms.machines import Machine
from retention.mechanisms.periods import AsOf, When, day_edge, local_date, zone_of
from retention.mechanisms.timelines import Timeline
from retention.segmentation import Segmentation
from retention.testing.laws.agreement import agree
from retention.testing.laws.columns import stage_equals_stages

_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
_AFTER = timedelta(days=400)  # longer than any window of the handbooks

_COMMANDS: dict[Trigger, frozenset[LifecycleEvent | None]] = {
    # The end of a week, too, can complete frequent interaction.
    Trigger.TIME: frozenset({None, LifecycleEvent.INTERACT_OFTEN}),
    Trigger.PURCHASE: frozenset({LifecycleEvent.PURCHASE}),
    Trigger.INTERACTION: frozenset({LifecycleEvent.INTERACT, LifecycleEvent.INTERACT_OFTEN}),
    Trigger.RETURN: frozenset(),
}


def nothing_changes_before_due(
    policy: Segmentation | Lifecycle | Classification[Any],
    history: History,
    *,
    as_of: When,
    days: int = 800,
) -> None:
    """If nothing happens, the outcome stays until ``due``, and is then what ``due`` says.

    Every day from ``as_of`` on is asked, and every instant at which a day begins; where
    nothing is due, the next ``days`` days. A segmentation must be pinned.
    """
    point = AsOf.at(as_of, zone_of(policy.zone))
    known = _known(history, point)
    due = policy.due(history, as_of=as_of)
    case = f"customer {history.customer!r} as of {as_of}"
    law, ask = "nothing_changes_before_due", _question(policy, known)
    agree(law, case, due=due, due_without_what_is_not_known=policy.due(known, as_of=as_of))
    now = ask(as_of).outcome
    agree(law, case, with_all_facts=_question(policy, history)(as_of).outcome, known=now)
    end = point.day + timedelta(days=days) if due is None else due.on
    for day in _days(point.day if point.instant else point.day + _DAY, end):
        agree(
            law,
            f"{case} on {day}",
            now=now,
            later=ask(day).outcome,
            due=now if due is None else due.left,
        )
    _instants_before(law, case, ask, point, now, end if due is None else due.at)
    if due is not None:
        agree(law, f"{case} on {due.on}", due=due.entered, then=ask(due.on).outcome)
        agree(law, f"{case} at {due.at}", due=due.entered, then=ask(due.at).outcome)


def history_has_no_overlap(timeline: Timeline[Any]) -> None:
    """On each day at most one span of a history holds, and ``at`` gives its value (C-41).

    Every day is asked, from before the first one until after the last change.

    >>> held = Timeline().then("gold", date(2024, 1, 1)).then("platinum", date(2024, 7, 5))
    >>> history_has_no_overlap(held)
    """
    spans = list(timeline.spans()) if timeline.entries else []
    edges = [day for _, first, last in spans for day in (first, last) if day is not None]
    edges += [entry.since for entry in timeline.entries]
    for day in _days(min(edges) - _DAY, max(edges) + 2 * _DAY) if edges else []:
        covering = [value for value, first, last in spans if first <= day <= (last or day)]
        by_hand = [x for x in timeline.entries if x.since <= day][-1:]
        held = [x.value for x in by_hand if x.until is None or day <= x.until]
        case = f"the timeline on {day}"
        agree("history_has_no_overlap", case, entries=held, spans=covering)
        agree("history_has_no_overlap", case, entries=held, at=_at(timeline, day))


def stage_function_is_stage_machine(
    lifecycle: Lifecycle,
    history: History,
    *,
    until: When,
    machine: Machine[Stage, LifecycleEvent] = LIFECYCLE,
) -> None:
    """The timeline of a history walks along rows of the machine, and leads to each day's stage."""
    law, point = "stage_function_is_stage_machine", AsOf.at(until, zone_of(lifecycle.zone))
    case = f"customer {history.customer!r} until {until}"
    changes = lifecycle.timeline(history, until=until)
    start = lifecycle.stage(History(history.customer), as_of=until).outcome
    here = start
    for change in changes:
        agree(law, f"{case}, {change.on}", stage_before=here, stage_left=change.left)
        _check_row(law, case, machine, change)
        here = change.entered
    agree(law, case, timeline=here, stage=lifecycle.stage(history, as_of=until).outcome)
    _check_days(lifecycle, history, changes, start, point)
    _check_instants(lifecycle, history, changes)


def stage_table_agrees_with_stage_function(
    lifecycle: Lifecycle,
    history: History,
    *,
    machine: Machine[Stage, LifecycleEvent] = LIFECYCLE,
) -> None:
    """One history through and through: the machine, the function and the columns agree.

    From before the first fact until long after the last one; the columns are asked on the
    days of the facts and of the changes, and on the days beside them.
    """
    zone = zone_of(lifecycle.zone)
    facts = [local_date(fact.at, zone) for fact in _facts(history)] or [date(2024, 1, 1)]
    until = max(facts) + _AFTER
    stage_function_is_stage_machine(lifecycle, history, until=until, machine=machine)
    changes = [change.on for change in lifecycle.timeline(history, until=until)]
    one = _of_one_grain(history, zone)
    for day in sorted(
        {day + step for day in (*facts, *changes) for step in (-_DAY, 0 * _DAY, _DAY)}
    ):
        stage_equals_stages(lifecycle, [one], as_of=day)


def _instants_before(
    law: str,
    case: str,
    ask: Callable[[When], Decision[Any]],
    point: AsOf,
    now: object,
    end: When,
) -> None:
    """Ask at the beginning of every day, and just before the end."""
    last = end if isinstance(end, datetime) else day_edge(end, point.zone)
    tomorrow = day_edge(point.day + _DAY, point.zone)
    first = point.instant or tomorrow
    edges = [
        day_edge(day, point.zone)
        for day in _days(point.day + _DAY, local_date(last, point.zone) + _DAY)
    ]
    for at in (*edges, last - _TICK):
        if first <= at < last:
            agree(law, f"{case} at {at}", now=now, later=ask(at).outcome)


def _check_row(
    law: str,
    case: str,
    machine: Machine[Stage, LifecycleEvent],
    change: Transition[Stage],
) -> None:
    rows = machine.between(change.left, change.entered)
    if not any(row.command in _COMMANDS[change.trigger] for row in rows):
        raise AssertionError(
            f"law {law} is broken for {case}: the timeline says {change}, made by "
            f"{change.trigger}; machine {machine.id} has {[str(row) for row in rows]}"
        )


def _check_days(
    lifecycle: Lifecycle,
    history: History,
    changes: Sequence[Transition[Stage]],
    start: Stage,
    point: AsOf,
) -> None:
    """Fold the changes up to each day that is over."""
    days = [local_date(fact.at, point.zone) for fact in _facts(history)]
    first = min(days, default=point.day) - _DAY
    coming, here = list(changes), start
    for day in _days(first, point.ended_before):
        while coming and coming[0].on <= day:
            here = coming.pop(0).entered
        case = f"customer {history.customer!r} on {day}"
        stage = lifecycle.stage(history, as_of=day).outcome
        agree("stage_function_is_stage_machine", case, timeline=here, stage=stage)


def _check_instants(
    lifecycle: Lifecycle, history: History, changes: Sequence[Transition[Stage]]
) -> None:
    """Each change holds from its instant on, and not before."""
    for number, change in enumerate(changes):
        case = f"customer {history.customer!r}, {change}"
        law = "stage_function_is_stage_machine"
        before, then = (
            lifecycle.stage(history, as_of=at).outcome for at in (change.at - _TICK, change.at)
        )
        if not number or changes[number - 1].at < change.at:
            agree(law, f"{case}, before {change.at}", timeline=change.left, stage=before)
        if number + 1 == len(changes) or changes[number + 1].at > change.at:
            agree(law, f"{case}, at {change.at}", timeline=change.entered, stage=then)


def _at(timeline: Timeline[Any], day: date) -> list[Any]:
    """The value of a day, if there is one."""
    try:
        return [timeline.at(day)]
    except UnknownNameError:
        return []


def _question(
    policy: Segmentation | Lifecycle | Classification[Any], history: History
) -> Callable[[When], Decision[Any]]:
    if isinstance(policy, Segmentation):
        return lambda as_of: policy.layer(history, as_of=as_of)
    if isinstance(policy, Classification):
        return lambda as_of: policy.outcome(history, as_of=as_of)
    return lambda as_of: policy.stage(history, as_of=as_of)


def _facts(history: History) -> tuple[Any, ...]:
    return (*history.purchases, *history.returns, *history.interactions)


def _known(history: History, point: AsOf) -> History:
    return attrs.evolve(
        history,
        purchases=[fact for fact in history.purchases if point.knows(fact.at)],
        interactions=[fact for fact in history.interactions if point.knows(fact.at)],
        returns=[fact for fact in history.returns if point.knows(fact.at)],
    )


def _of_one_grain(history: History, zone: ZoneInfo) -> History:
    """A log holds days or instants; a fact known by its day alone begins that day."""
    if len({isinstance(fact.at, datetime) for fact in _facts(history)}) < 2:  # noqa: PLR2004
        return history

    def exact(facts: Sequence[Any]) -> list[Any]:
        return [
            fact
            if isinstance(fact.at, datetime)
            else attrs.evolve(fact, at=day_edge(fact.at, zone))
            for fact in facts
        ]

    return attrs.evolve(
        history,
        purchases=exact(history.purchases),
        interactions=exact(history.interactions),
        returns=exact(history.returns),
    )


def _days(first: date, end: date) -> list[date]:
    """Dates from the first up to, and without, the end."""
    return [first + n * _DAY for n in range((end - first).days)]
