"""Days, instants, zones and points of view, drawn towards the places where calendars are odd."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from retention.mechanisms.periods import When, day_edge, zone_of

Grain = Literal["days", "instants", "any"]
"""How a time is known: by its local day alone, as an instant, or one of the two."""

MIN_DAY = date(2022, 12, 1)
MAX_DAY = date(2024, 6, 30)  # a Sunday, the end of a month and of a half year
ZONE = "Asia/Shanghai"

_ZONES = (
    ZONE,
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour
    "Africa/Casablanca",  # back and forth within two months
    "America/Santiago",  # changes at midnight, so that a day begins at one o'clock
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
)
# Days back from the last one that limits of handbooks and ends of windows fall on.
_BACK = (0, 1, 6, 7, 28, 29, 30, 31, 60, 61, 89, 90, 91, 92, 179, 180, 181, 182, 364, 365, 366)


def zones() -> SearchStrategy[str]:
    """Names of zones: with and without changes of clocks, also at midnight or by half an hour.

    >>> from hypothesis import find
    >>> find(zones(), lambda zone: True)
    'Asia/Shanghai'
    """
    return st.sampled_from(_ZONES)


def days(*, min_day: date = MIN_DAY, max_day: date = MAX_DAY) -> SearchStrategy[date]:
    """Dates; many lie as far before ``max_day`` as limits do, or end a month.

    >>> from hypothesis import find
    >>> find(days(), lambda day: (day.month, day.day) == (2, 29))
    datetime.date(2024, 2, 29)
    """
    return _days(min_day, max_day)


def instants(
    *, min_day: date = MIN_DAY, max_day: date = MAX_DAY, zone: str = ZONE
) -> SearchStrategy[datetime]:
    """Aware instants on days of ``zone``, in any zone; many at the edge of a day.

    >>> from hypothesis import find
    >>> find(instants(zone="UTC"), lambda at: at.tzinfo is not None).date() <= MAX_DAY
    True
    """
    return _instants(days(min_day=min_day, max_day=max_day), zone)


def as_ofs(
    *,
    min_day: date = MIN_DAY,
    max_day: date = MAX_DAY,
    zone: str = ZONE,
    grain: Grain = "any",
) -> SearchStrategy[When]:
    """Points of view: whole days or instants; ``max_day`` itself and its neighbours are likely.

    >>> from hypothesis import find
    >>> find(as_ofs(grain="days"), lambda day: True)
    datetime.date(2024, 6, 30)
    """
    close = days(min_day=max(min_day, max_day - timedelta(days=7)), max_day=max_day)
    around = st.one_of(st.just(max_day), close, days(min_day=min_day, max_day=max_day))
    return _of_grain(around, _instants(around, zone), grain)


def times(
    *, min_day: date, max_day: date, zone: str = ZONE, grain: Grain = "any"
) -> SearchStrategy[When]:
    """When facts happened: days, instants, or both kinds."""
    within = days(min_day=min_day, max_day=max_day)
    return _of_grain(within, _instants(within, zone), grain)


def _of_grain(
    whole: SearchStrategy[date], exact: SearchStrategy[datetime], grain: Grain
) -> SearchStrategy[When]:
    kinds: dict[Grain, SearchStrategy[When]] = {
        "days": whole,
        "instants": exact,
        "any": st.one_of(whole, exact),
    }
    return kinds[grain]


@lru_cache(maxsize=256)
def _days(min_day: date, max_day: date) -> SearchStrategy[date]:
    every = [max_day - timedelta(days=back) for back in range((max_day - min_day).days + 1)]
    telling = [every[back] for back in _BACK if back < len(every)]
    telling += [day for day in every if (day + timedelta(days=1)).day == 1]
    return st.one_of(st.sampled_from(telling), st.sampled_from(every))


@st.composite
def _instants(draw: DrawFn, within: SearchStrategy[date], zone: str) -> datetime:
    day, home = draw(within), zone_of(zone)
    begins, ends = day_edge(day, home), day_edge(day + timedelta(days=1), home)
    last = max((ends - begins) // timedelta(microseconds=1) - 1, 0)
    after = draw(st.one_of(st.sampled_from((0, 1, last // 2, last)), st.integers(0, last)))
    moment = begins.astimezone(UTC) + timedelta(microseconds=after)
    return moment.astimezone(zone_of(draw(st.one_of(st.just(zone), zones()))))


@st.composite
def rhythm(
    draw: DrawFn,
    least: int,
    most: int,
    steps: tuple[int, int],
    wobble: int,
    min_day: date,
    max_day: date,
) -> list[date]:
    """Days at about equal steps, the last one first; none before ``min_day``."""
    step, number = draw(st.integers(*steps)), draw(st.integers(least, most))
    lately = max(min_day, max_day - timedelta(days=45))
    last = draw(
        st.one_of(days(min_day=lately, max_day=max_day), days(min_day=min_day, max_day=max_day))
    )
    back = [step * n + draw(st.integers(0, wobble)) for n in range(number)]
    return [max(last - timedelta(days=each), min_day) for each in back]
