"""Clocks: what is used stays used, what is not known changes nothing, one equals columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import attrs

from retention.mechanisms.calendars import Standing
from retention.mechanisms.clock_columns import OUTCOMES, ClockRows, PauseColumns
from retention.mechanisms.clocks import ClockFacts, ClockTerms, Pause, Reading, Target
from retention.mechanisms.errors import BeyondKnownError
from retention.testing.laws.agreement import agree
from retention.testing.oracles import MINUTE, stepped_reading

_NOTHING = timedelta(0)


def used_time_stays_used(
    terms: ClockTerms, facts: ClockFacts, *, as_ofs: Iterable[datetime]
) -> None:
    """Used time never shrinks, whatever is recorded later: pauses take nothing back.

    What happened after an instant changes no reading of that instant. A breach stays where it
    was, and nothing is due while the clock stands still unless it was used up before.

    >>> from datetime import UTC
    >>> from retention.mechanisms.calendars import Calendar, WeekHours
    >>> office = Calendar("office", "UTC", (WeekHours("mon-fri", "09:00-17:00"),))
    >>> times = [datetime(2024, 7, 1, hour, tzinfo=UTC) for hour in range(8, 18)]
    >>> facts = ClockFacts(times[1], pauses=[Pause(times[3], times[5])])
    >>> terms = ClockTerms(Target("reply", timedelta(hours=4)), office)
    >>> used_time_stays_used(terms, facts, as_ofs=times)
    """
    law, before = "used_time_stays_used", None
    for as_of in sorted(each.astimezone(UTC) for each in as_ofs):
        reading, case = terms.read(facts, as_of=as_of), f"{facts} as of {as_of.isoformat()}"
        agree(
            law, case, all_facts=reading, known_facts=terms.read(_known(facts, as_of), as_of=as_of)
        )
        agree(law, case, breach_without_due=bool(reading.breached_at and not reading.due), no=False)
        if reading.paused and not reading.breached_at:
            agree(law, case, due_while_paused=bool(reading.due and reading.due > as_of), no=False)
        if before is not None:
            agree(law, case, used_shrinks=reading.used < before.used, no=False)
            if before.breached_at:
                agree(law, case, breached=reading.breached_at, breached_before=before.breached_at)
        before = reading


def _known(facts: ClockFacts, as_of: datetime) -> ClockFacts:
    """The facts as somebody knew them at an instant."""
    now = as_of.astimezone(UTC)
    stopped = facts.stopped if facts.stopped is not None and facts.stopped <= now else None
    pauses = [
        Pause(x.since, x.until if x.until is not None and x.until <= now else None, x.why)
        for x in facts.pauses
        if x.since <= now
    ]
    return ClockFacts(facts.started, stopped, pauses)


def nothing_happens_before_next_at(
    terms: ClockTerms, facts: ClockFacts, *, as_of: datetime, between: Iterable[datetime] = ()
) -> None:
    """Until ``next_at`` a reading changes only with the log; at that instant it does change.

    >>> from datetime import UTC
    >>> from retention.mechanisms.calendars import Calendar, WeekHours
    >>> office = Calendar("office", "UTC", (WeekHours("mon-fri", "09:00-17:00"),))
    >>> start = datetime(2024, 7, 1, 9, tzinfo=UTC)
    >>> terms = ClockTerms(Target("reply", timedelta(hours=4)), office)
    >>> nothing_happens_before_next_at(terms, ClockFacts(start), as_of=start)
    """
    law, facts = "nothing_happens_before_next_at", _known(facts, as_of)
    reading = terms.read(facts, as_of=as_of)
    end = reading.next_at
    if end is None:
        return
    agree(law, f"{facts}", next_at_lies_ahead=end > as_of, yes=True)
    tick = timedelta(microseconds=1)
    for when in (end - tick, *(each for each in between if as_of <= each < end)):
        said = _said(terms.read(facts, as_of=when), when)
        agree(law, f"{facts} at {when.isoformat()}", now=_said(reading, as_of), then=said)
    try:
        then = _said(terms.read(facts, as_of=end), end)
    except BeyondKnownError:
        return
    agree(law, f"{facts}", changed=then != _said(reading, as_of), yes=True)


def _said(reading: Reading, when: datetime) -> tuple[object, ...]:
    told = sum(alarm.at <= when for alarm in reading.alarms)
    return reading.outcome, reading.due, reading.breached_at, reading.level, told


def a_new_target_moves_no_used_time(
    terms: ClockTerms, facts: ClockFacts, target: Target, since: datetime, *, as_of: datetime
) -> None:
    """A target changed at an instant moves nothing that was used, and no breach before it.

    >>> from datetime import UTC
    >>> from retention.mechanisms.calendars import Calendar, WeekHours
    >>> office = Calendar("office", "UTC", (WeekHours("mon-fri", "09:00-17:00"),))
    >>> start = datetime(2024, 7, 1, 9, tzinfo=UTC)
    >>> terms, less = ClockTerms(Target("reply", timedelta(hours=4)), office), timedelta(hours=1)
    >>> change, now = start + 2 * less, start + 3 * less
    >>> a_new_target_moves_no_used_time(
    ...     terms, ClockFacts(start), Target("reply", less), change, as_of=now
    ... )
    """
    law, case = "a_new_target_moves_no_used_time", f"{facts} changed at {since.isoformat()}"
    changed = attrs.evolve(terms, targets=terms.targets.then(target, since))
    old, new = terms.read(facts, as_of=as_of), changed.read(facts, as_of=as_of)
    agree(law, case, used=new.used, used_before=old.used)
    earlier = [x.breached_at for x in (old, new) if x.breached_at and x.breached_at < since]
    if earlier:
        agree(law, case, breached=new.breached_at, breached_before=old.breached_at)


def one_clock_equals_columns(
    terms: ClockTerms, clocks: Sequence[ClockFacts], *, as_of: datetime
) -> None:
    """Each row of many clocks says what the single clock says, or is set aside as it fails.

    >>> from datetime import UTC
    >>> from retention.mechanisms.calendars import Calendar, WeekHours
    >>> office = Calendar("office", "UTC", (WeekHours("mon-fri", "09:00-17:00"),))
    >>> start = datetime(2024, 7, 1, 9, tzinfo=UTC)
    >>> terms = ClockTerms(Target("reply", timedelta(hours=4)), office)
    >>> one_clock_equals_columns(terms, [ClockFacts(start)], as_of=start + timedelta(hours=5))
    """
    law, found = "one_clock_equals_columns", terms.reads(clock_rows(clocks), as_of=as_of)
    columns = (found.used, found.due, found.breached_at, found.paused)
    rows = zip(found.outcomes.tolist(), *(column.tolist() for column in columns), strict=True)
    for facts, row in zip(clocks, rows, strict=True):
        outcome = OUTCOMES[row[0]] if row[0] < len(OUTCOMES) else None
        try:
            one = terms.read(facts, as_of=as_of)
        except BeyondKnownError:
            agree(law, facts, one=None, columns=outcome)
            continue
        due, over = (x.replace(tzinfo=None) if x else None for x in (one.due, one.breached_at))
        wanted = (one.outcome, one.used, due, over, one.paused)
        agree(law, f"{facts} as of {as_of.isoformat()}", one=wanted, columns=(outcome, *row[1:]))


def clock_rows(clocks: Sequence[ClockFacts]) -> ClockRows:
    """Return the facts of some clocks as columns.

    >>> from datetime import UTC
    >>> len(clock_rows([ClockFacts(datetime(2024, 7, 1, tzinfo=UTC))]).started)
    1
    """
    import numpy as np

    pauses = [(row, x.since, x.until) for row, facts in enumerate(clocks) for x in facts.pauses]
    return ClockRows(
        [facts.started for facts in clocks],
        [facts.stopped for facts in clocks],
        PauseColumns(
            np.array([row for row, _, _ in pauses], np.intp),
            [since for _, since, _ in pauses],
            [until for _, _, until in pauses],
        ),
    )


def a_clock_agrees_with_the_clock_on_the_wall(
    terms: ClockTerms,
    facts: ClockFacts,
    *,
    as_of: datetime,
    until: datetime,
    step: timedelta = MINUTE,
) -> None:
    """A reading is what somebody finds who looks at every step from the start to ``until``.

    >>> from datetime import UTC
    >>> from retention.mechanisms.calendars import Calendar, WeekHours
    >>> office = Calendar("office", "UTC", (WeekHours("mon-fri", "09:00-17:00"),))
    >>> start, hour = datetime(2024, 7, 1, 9, tzinfo=UTC), timedelta(hours=1)
    >>> a_clock_agrees_with_the_clock_on_the_wall(
    ...     ClockTerms(Target("reply", 4 * hour), office),
    ...     ClockFacts(start, pauses=[Pause(start + hour, start + 2 * hour)]),
    ...     as_of=start + 4 * hour,
    ...     until=start + 8 * hour,
    ... )
    """
    law, case = "a_clock_agrees_with_the_clock_on_the_wall", f"{facts} as of {as_of.isoformat()}"
    reading = terms.read(facts, as_of=as_of)
    steps = stepped_reading(terms, facts, as_of=as_of, until=until, step=step)
    due = reading.due if reading.due is not None and reading.due <= until else None
    agree(
        law, case,
        reading=(reading.outcome, reading.used, due),
        steps=(steps.outcome, steps.used, steps.due),
    )  # fmt: skip
    open_now = [x for x in terms.stretches(facts, as_of=as_of) if x.standing is Standing.OPEN]
    shown = sum((x.elapsed for x in open_now), _NOTHING)
    agree(law, case, used=reading.used, stretches=shown)
