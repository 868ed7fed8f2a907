"""Open time adds up, in both directions, one at a time and in columns, and as a clock shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from retention.mechanisms.calendars import OpenHours, Standing
from retention.mechanisms.clocks import Hours
from retention.mechanisms.errors import RetentionError
from retention.testing.laws.agreement import agree
from retention.testing.oracles import (
    MINUTE,
    stepped_between,
    stepped_due,
    stepped_latest_start,
)

_NOTHING = timedelta(0)


def due_and_open_time_agree(calendar: OpenHours, start: datetime, budget: timedelta) -> None:
    """Up to the due instant lies the budget and no less before it; budgets add up and do not fall.

    The way back from the due instant loses nothing, and leads to the start or to a later
    instant with no open time between.

    >>> from datetime import UTC
    >>> from retention.mechanisms.calendars import Calendar, WeekHours
    >>> office = Calendar("office", "UTC", (WeekHours("mon-fri", "09:00-17:00"),))
    >>> friday = datetime(2024, 7, 5, 16, tzinfo=UTC)
    >>> due_and_open_time_agree(office, friday, timedelta(hours=9))
    """
    law, case = "due_and_open_time_agree", f"{budget} from {start.isoformat()}"
    start = start.astimezone(UTC)
    due = calendar.due(start, budget)
    agree(law, case, budget=budget, open_until_due=calendar.open_between(start, due))
    if budget:
        before = due - timedelta(microseconds=1)
        agree(law, case, used_just_before=calendar.open_between(start, before) < budget, less=True)
    half = budget / 2
    agree(
        law, case, at_once=due, in_two_parts=calendar.due(calendar.due(start, half), budget - half)
    )
    agree(law, case, half_is_later=calendar.due(start, half) > due, later=False)
    back = calendar.latest_start(due, budget)
    agree(law, case, way_back=calendar.open_between(back, due), budget=budget)
    agree(law, case, way_back_before_start=back < start, before=False)
    agree(law, case, lost_on_the_way_back=calendar.open_between(start, back), nothing=_NOTHING)


def open_time_adds_up(calendar: OpenHours, times: Sequence[datetime]) -> None:
    """Open time over a whole is that over its parts, and that of the stretches that are open.

    >>> from datetime import UTC
    >>> from retention.mechanisms.calendars import Calendar, WeekHours
    >>> office = Calendar("office", "UTC", (WeekHours("mon-fri", "09:00-17:00"),))
    >>> open_time_adds_up(office, [datetime(2024, 7, day, tzinfo=UTC) for day in (1, 2, 9)])
    """
    law, times = "open_time_adds_up", sorted(each.astimezone(UTC) for each in times)
    whole = calendar.open_between(times[0], times[-1])
    parts = [calendar.open_between(one, other) for one, other in pairwise(times)]
    stretches = calendar.stretches(times[0], times[-1])
    case = f"{times[0].isoformat()} to {times[-1].isoformat()}"
    shown = [x.elapsed for x in stretches if x.standing is Standing.OPEN]
    agree(law, case, whole=whole, parts=sum(parts, _NOTHING), stretches=sum(shown, _NOTHING))
    edges = [times[0], *(each.until for each in stretches)]
    agree(law, case, begins=[x.since for x in stretches], ends=edges[:-1])
    agree(law, case, last_stretch_ends=edges[-1], asked_until=times[-1])


def one_calendar_question_equals_columns(
    calendar: OpenHours, starts: Sequence[datetime], budgets: Sequence[timedelta]
) -> None:
    """Each row of a column has the answer of the single question, or is set aside as it fails.

    >>> from datetime import UTC
    >>> from retention.mechanisms.calendars import Calendar, WeekHours
    >>> office = Calendar("office", "UTC", (WeekHours("mon-fri", "09:00-17:00"),))
    >>> friday = datetime(2024, 7, 5, 16, tzinfo=UTC)
    >>> one_calendar_question_equals_columns(office, [friday], [timedelta(hours=9)])
    """
    law, starts = "one_calendar_question_equals_columns", [x.astimezone(UTC) for x in starts]
    dues = calendar.dues(starts, budgets).values.tolist()
    backs = calendar.latest_starts(starts, budgets).values.tolist()
    ends = [max(start, starts[0]) for start in starts]
    betweens = calendar.open_betweens(starts, ends).values.tolist()
    for row, (start, budget) in enumerate(zip(starts, budgets, strict=True)):
        case = f"row {row}, {budget} from {start.isoformat()}"
        agree(law, case, one=_naive(calendar.due, start, budget), columns=dues[row])
        agree(law, case, one=_naive(calendar.latest_start, start, budget), columns=backs[row])
        agree(law, case, one=_naive(calendar.open_between, start, ends[row]), columns=betweens[row])


def a_calendar_agrees_with_the_clock_on_the_wall(
    calendar: Hours,
    start: datetime,
    end: datetime,
    budget: timedelta,
    *,
    step: timedelta = MINUTE,
) -> None:
    """Open time is what somebody counts who looks at the clock on the wall at every step.

    Starts, ends, budgets and edges of hours must be whole steps. Where the calendar does not
    know its dates far enough for a budget, that question is left out.

    >>> from datetime import UTC
    >>> from retention.mechanisms.calendars import Calendar, WeekHours
    >>> office = Calendar("office", "UTC", (WeekHours("mon-fri", "09:00-17:00"),))
    >>> friday = datetime(2024, 7, 5, 16, tzinfo=UTC)
    >>> a_calendar_agrees_with_the_clock_on_the_wall(
    ...     office, friday, friday + timedelta(hours=3), timedelta(minutes=90)
    ... )
    """
    law, case = "a_calendar_agrees_with_the_clock_on_the_wall", f"{start.isoformat()}, {budget}"
    if start <= end:
        agree(
            law, f"{start.isoformat()} to {end.isoformat()}",
            open_between=calendar.open_between(start, end),
            steps=stepped_between(calendar, start, end, step=step),
        )  # fmt: skip
    due = _naive(calendar.due, start, budget)
    if due is not None:
        steps = stepped_due(calendar, start, budget, step=step).replace(tzinfo=None)
        agree(law, case, due=due, steps=steps)
    back = _naive(calendar.latest_start, start, budget)
    if back is not None:
        steps = stepped_latest_start(calendar, start, budget, step=step).replace(tzinfo=None)
        agree(law, case, latest_start=back, steps=steps)


def _naive(question: object, *given: object) -> object:
    """The answer as a column shows it, without its zone; None where it is an error."""
    try:
        found = question(*given)  # type: ignore[operator]
    except RetentionError:
        return None
    return found.replace(tzinfo=None) if isinstance(found, datetime) else found
