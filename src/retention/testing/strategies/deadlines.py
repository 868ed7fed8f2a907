"""Limits in time, their windows, moments around the edges of a window, and timelines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.obligations import After, Days, Every, Limit, Window, Within
from retention.mechanisms.periods import When, local_date, plus_months, zone_of
from retention.mechanisms.timelines import Timeline
from retention.testing.strategies.times import MAX_DAY, MIN_DAY, Grain, times, zones

_PERIODS = (1, 2, 3, 4, 6, 12)  # months
_EDGES = (1, 5, 10, 28, -1, -3, -17, -28)  # days of a period, also from its end
_TELLING = (
    date(2024, 1, 31), date(2024, 2, 29), date(2023, 2, 28), date(2023, 12, 31),
    date(2024, 3, 31), date(2023, 10, 29),  # clocks change in Berlin ...
    date(2024, 3, 10), date(2023, 11, 5),  # ... in New York
    date(2023, 4, 2), date(2023, 9, 3), date(2024, 4, 7),  # ... in Santiago and on Lord Howe
)  # fmt: skip
_BESIDE = tuple(timedelta(*step) for step in ((0,), (0, 0, 1), (0, 18_000), (1,), (9,)))


def limits_in_time(*, max_hours: int = 200, max_days: int = 40) -> SearchStrategy[Limit]:
    """Limits of every kind: hours, local dates, calendar periods and intervals.

    >>> from hypothesis import find
    >>> find(limits_in_time(), lambda limit: isinstance(limit, Every))
    Every(months=1, first_day=1, last_day=1)
    """
    days = st.integers(0, max_days)
    several = st.tuples(days, days).map(lambda two: Days(min(two), max(two)))
    return st.one_of(
        st.builds(Within, hours=st.integers(0, max_hours), minutes=st.integers(1, 59)),
        several,
        st.builds(Days, st.just(0), days, months=st.integers(0, 30)),
        _cadences(),
        st.builds(After, months=st.integers(0, 24), days=st.integers(1, max(max_days, 1))),
        st.builds(After, months=st.integers(1, 24)),
    )


def triggers(
    *, min_day: date = MIN_DAY, max_day: date = MAX_DAY, grain: Grain = "any"
) -> SearchStrategy[When]:
    """What limits count from: dates and instants, many at ends of months or changes of clocks.

    >>> from hypothesis import find
    >>> find(triggers(grain="days"), lambda day: (day.month, day.day) == (2, 29))
    datetime.date(2024, 2, 29)
    """
    drawn = times(min_day=min_day, max_day=max_day, grain=grain)
    telling = [day for day in _TELLING if min_day <= day <= max_day]
    if grain == "instants" or not telling:
        return drawn
    return st.one_of(st.sampled_from(telling), drawn)


def windows(
    *, min_day: date = MIN_DAY, max_day: date = MAX_DAY, hours: bool = True
) -> SearchStrategy[Window]:
    """Windows of every limit in zones of every kind; without ``hours`` those of dates alone.

    >>> from hypothesis import find
    >>> find(windows(hours=False), lambda window: window.last_day == date(2024, 2, 29)).hours
    False
    """
    return _windows(min_day, max_day, hours)


def moments(window: Window) -> SearchStrategy[When]:
    """Instants at the edges of a window and beside them, and dates where dates are enough.

    >>> from hypothesis import find
    >>> window = next(Days(0, 3).windows(date(2024, 3, 3), zone=zone_of("UTC")))
    >>> find(moments(window), lambda when: when == date(2024, 3, 7))
    datetime.date(2024, 3, 7)
    """
    edges = (window.opens, window.closes, window.late_until or window.closes)
    steps = [sign * step for step in _BESIDE for sign in (1, -1)]
    exact = st.builds(
        lambda edge, step: edge + step, st.sampled_from(edges), st.sampled_from(steps)
    )
    if window.hours:
        return exact
    return st.one_of(exact, exact.map(lambda when: local_date(when, window.zone)))


def timelines(
    *,
    values: Iterable[str] = ("a", "b", "c"),
    max_entries: int = 6,
    min_day: date = MIN_DAY,
    max_gap: int = 40,
) -> SearchStrategy[Timeline[str]]:
    """Histories of a value: nothing at all, values of one day, and times without a value.

    >>> from hypothesis import find
    >>> gap = find(timelines(), lambda each: any(entry.until for entry in each.entries))
    >>> [str(last) for _, _, last in gap.spans()]
    ['2022-12-02']
    """
    step = st.tuples(st.one_of(st.sampled_from(list(values)), st.none()), st.integers(1, max_gap))
    return st.lists(step, max_size=max_entries).map(lambda steps: _played(steps, min_day))


def _played(steps: list[tuple[str | None, int]], first: date) -> Timeline[str]:
    """Each value from so many days later on; None ends the value before."""
    found, today = Timeline[str](), first
    for value, later in steps:
        today += timedelta(days=later)
        if value is not None:
            found = found.then(value, today)
        elif found.entries and found.entries[-1].until is None:
            found = found.ended(today - timedelta(days=1))
    return found


def _cadences() -> SearchStrategy[Every]:
    """Calendar periods, whole or narrowed to some of their days."""
    narrowed = []
    for months in _PERIODS:
        for first in _EDGES:
            narrowed += [x for x in (_cadence(months, first, last) for last in _EDGES) if x]
    whole = [Every(months=months) for months in _PERIODS]
    return st.one_of(st.sampled_from(narrowed), st.sampled_from(whole))


def _cadence(months: int, first: int, last: int) -> Every | None:
    try:
        return Every(months=months, first_day=first, last_day=last)
    except InvalidValueError:  # it would close before it opens
        return None


@st.composite
def _windows(draw: DrawFn, min_day: date, max_day: date, hours: bool) -> Window:  # noqa: FBT001
    zone = zone_of(draw(zones()))
    kinds = limits_in_time()
    limit = draw(kinds if hours else kinds.filter(lambda each: not isinstance(each, Within)))
    grain: Grain = "instants" if isinstance(limit, Within) else "any"
    since = draw(triggers(min_day=min_day, max_day=max_day, grain=grain))
    return draw(st.sampled_from(_opened(limit, since, zone)))


def _opened(limit: Limit, since: When, zone: ZoneInfo) -> list[Window]:
    if isinstance(limit, Every):
        until = plus_months(local_date(since, zone), limit.months)
        return list(limit.windows(since, zone=zone, until=until))
    return list(limit.windows(since, zone=zone))
