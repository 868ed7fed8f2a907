"""Calendars and clocks, drawn towards changes of clocks, edges of days and edges of hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from retention.mechanisms.calendars import (
    Calendar,
    CalendarVersions,
    Closure,
    Opening,
    WeekHours,
)
from retention.mechanisms.clocks import (
    ClockFacts,
    ClockTerms,
    EscalationLevel,
    Hours,
    Pause,
    Target,
)
from retention.mechanisms.hours import ALL_DAY, WEEK, clock_text
from retention.mechanisms.hours import Hours as DayHours
from retention.mechanisms.versions import Versions

# Dates on which something happens to the clocks of a zone.
CHANGES: dict[str, tuple[date, ...]] = {
    "Asia/Shanghai": (date(2024, 7, 1), date(1988, 4, 17), date(1991, 9, 15)),
    "UTC": (date(2024, 2, 29),),
    "Europe/Berlin": (date(2024, 3, 31), date(2024, 10, 27)),
    "Europe/London": (date(2024, 3, 31), date(2024, 10, 27)),
    "America/New_York": (date(2024, 3, 10), date(2024, 11, 3)),
    "America/St_Johns": (date(2024, 3, 10), date(2010, 11, 7)),  # in 2010 at one past midnight
    "America/Havana": (date(2024, 3, 10), date(2024, 11, 3)),  # at midnight
    "America/Santiago": (date(2024, 4, 6), date(2024, 9, 8)),  # at midnight, back over it
    "Australia/Lord_Howe": (date(2024, 4, 7), date(2024, 10, 6)),  # by half an hour
    "Africa/Casablanca": (date(2024, 3, 10), date(2024, 4, 14)),  # around Ramadan
    "Asia/Kathmandu": (date(2024, 7, 1), date(1985, 12, 31)),  # by a quarter of an hour
    "Asia/Tehran": (date(2022, 3, 22), date(2022, 9, 21)),  # at midnight
    "Pacific/Apia": (date(2011, 12, 30), date(2011, 9, 24)),  # a date that never was
}
"""Zones of every kind, with dates on which their clocks change, if they do."""

_EDGES = tuple(
    int(hours * 3600)
    for hours in (0, 0.5, 1, 1.5, 2, 2.25, 2.5, 3, 4, 8, 9, 12, 13, 17.5, 18, 22, 23, 23.5, 24)
)
_AROUND = 12  # days for which a drawn calendar knows its dates, on both sides
_NEAR = 3  # days on both sides of a change within which questions lie
_MINUTE = timedelta(minutes=1)


@st.composite
def day_hours(draw: DrawFn, max_segments: int = 3) -> DayHours:
    """Hours of a day: one or several segments, some up to 24:00, some in the hour of a change.

    >>> from hypothesis import find
    >>> str(find(day_hours(), lambda hours: hours.segments[-1][1] == 86_400))
    '00:00-24:00'
    """
    number = draw(st.integers(1, max_segments))
    if draw(st.booleans()) and number == 1:
        return ALL_DAY
    edges = st.lists(st.sampled_from(_EDGES), min_size=2 * number, max_size=2 * number, unique=True)
    drawn = sorted(draw(edges))
    segments = zip(drawn[::2], drawn[1::2], strict=True)
    return DayHours.of(" ".join(clock_text(*each) for each in segments))


@st.composite
def calendars(draw: DrawFn, *, zone: str | None = None) -> Calendar:
    """Calendars that know their dates for some days around a change of clocks.

    Several segments a day, 24:00, closures of a day or of some hours, and extra openings.

    >>> from hypothesis import find
    >>> find(calendars(zone="Europe/Berlin"), lambda calendar: bool(calendar.openings)).zone
    'Europe/Berlin'
    """
    name = draw(st.sampled_from(sorted(CHANGES))) if zone is None else zone
    middle = draw(st.sampled_from(CHANGES[name]))
    shuffled = draw(st.permutations(WEEK))
    cut = draw(st.integers(1, len(WEEK)))
    rows = [WeekHours(shuffled[:cut], draw(day_hours()))]
    if cut < len(WEEK) and draw(st.booleans()):
        rows.append(WeekHours(shuffled[cut:], draw(day_hours())))
    week = {day: row.hours for row in rows for day in row.days}
    near = st.integers(-_NEAR, _NEAR).map(lambda n: middle + timedelta(days=n))
    closed = draw(st.lists(near, max_size=3, unique=True))
    closures = [Closure(day, hours=draw(st.just(ALL_DAY) | day_hours())) for day in closed]
    openings = []
    for day in draw(st.lists(near, max_size=2, unique=True)):
        open_anyway = week.get(WEEK[day.weekday()], DayHours())
        closure = next((each.hours for each in closures if each.first == day), DayHours())
        extra = draw(day_hours()).without(open_anyway.without(closure))
        openings += [Opening(day, extra)] if extra.segments else []
    return Calendar(
        name,
        name,
        tuple(rows),
        closures=tuple(closures),
        openings=tuple(openings),
        known_from=middle - timedelta(days=_AROUND),
        known_through=middle + timedelta(days=_AROUND),
    )


@st.composite
def calendar_versions(draw: DrawFn) -> CalendarVersions:
    """A calendar that changes its hours once near a change of clocks, or even its zone.

    >>> from hypothesis import find
    >>> len(find(calendar_versions(), lambda _: True).versions.entries)
    2
    """
    one = draw(calendars())
    week = (WeekHours("mon-sun", draw(day_hours())),)
    other = one.with_all({"week": week, "openings": ()})
    return CalendarVersions(Versions.always(one).then(other, draw(questions(one))))


def questions(calendar: Hours) -> SearchStrategy[datetime]:
    """Instants at whole minutes around the change of clocks that a drawn calendar knows of.

    >>> from hypothesis import find
    >>> berlin = find(calendars(zone="Europe/Berlin"), lambda _: True)
    >>> find(questions(berlin), lambda when: True).tzinfo
    datetime.timezone.utc
    """
    first = calendar if isinstance(calendar, Calendar) else calendar.versions.entries[0].value
    assert first.known_from is not None  # noqa: S101  drawn calendars know their dates
    middle = first.known_from + timedelta(days=_AROUND)
    begins = datetime.combine(middle, time(), ZoneInfo(first.zone)).astimezone(UTC)
    begins = begins.replace(second=0)
    minutes = _NEAR * 24 * 60
    telling = st.sampled_from([edge // 60 + 60 * n for edge in _EDGES for n in (-24, -1, 0, 24)])
    return st.one_of(telling, st.integers(-minutes, minutes)).map(lambda n: begins + n * _MINUTE)


def budgets(*, max_minutes: int = 2 * 24 * 60) -> SearchStrategy[timedelta]:
    """Amounts of open time in whole minutes, none at all among them.

    >>> from hypothesis import find
    >>> find(budgets(), lambda budget: budget > timedelta(0))
    datetime.timedelta(seconds=60)
    """
    whole = st.sampled_from((0, 1, 30, 60, 180, 240, 480, 540))
    return st.one_of(whole, st.integers(0, max_minutes)).map(lambda n: n * _MINUTE)


@st.composite
def clock_facts(draw: DrawFn, hours: Hours) -> ClockFacts:
    """Facts of a clock: pauses that overlap, touch or never end, a stop, or none.

    >>> from hypothesis import find
    >>> office = find(calendars(), lambda _: True)
    >>> len(find(clock_facts(office), lambda facts: len(facts.pauses) > 1).pauses)
    2
    """
    asked = questions(hours)
    started = draw(asked)
    pauses = []
    for since, until in draw(st.lists(st.tuples(asked, st.none() | asked), max_size=4)):
        later = until is None or until >= since
        pauses.append(Pause(since, until) if later else Pause(until or since, since))
    stopped = draw(st.none() | asked.filter(lambda when: when >= started))
    return ClockFacts(started, stopped, pauses)


@st.composite
def clock_terms(draw: DrawFn, hours: SearchStrategy[Hours] | None = None) -> ClockTerms:
    """Targets with warnings and escalation levels, some of them changed on the way.

    >>> from hypothesis import find
    >>> len(find(clock_terms(), lambda terms: len(terms.targets.entries) > 1).targets.entries)
    2
    """
    found = draw(hours if hours is not None else st.one_of(calendars(), calendar_versions()))
    targets = Versions.always(draw(_targets()))
    for since in sorted(set(draw(st.lists(questions(found), max_size=2)))):
        targets = targets.then(draw(_targets()), since)
    return ClockTerms(targets, found)


@st.composite
def _targets(draw: DrawFn) -> Target:
    short = budgets(max_minutes=300)
    steps = sorted(set(draw(st.lists(short, max_size=2))))
    levels = tuple(EscalationLevel(after, f"level {n}") for n, after in enumerate(steps, 1))
    warnings = tuple(draw(st.lists(short, max_size=2)))
    return Target("reply", draw(budgets(max_minutes=24 * 60)), warnings=warnings, levels=levels)
