"""Days, months, zones and windows, in all corners of the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.mechanisms.errors import (
    InvalidValueError,
    NaiveInstantError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.periods import (
    AsOf,
    Trailing,
    Unit,
    checked,
    day_edge,
    day_number,
    day_of,
    local_date,
    monday,
    month_ends,
    plus_months,
    zone_of,
)
from tests.refusals import refused

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
days = st.dates(date(1900, 1, 1), date(2200, 1, 1))
zones = st.sampled_from([SHANGHAI, BERLIN, SAO_PAULO, ZoneInfo("Africa/Cairo"), ZoneInfo("UTC")])


class NotATime(datetime):
    """What pandas calls NaT: a datetime that does not equal itself."""

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def test_a_naive_instant_is_refused() -> None:
    naive = datetime(2024, 6, 30, 18)
    with refused(NaiveInstantError, "at", given=naive):
        checked(naive, "at")
    with refused(NaiveInstantError, "as_of", given=naive):
        AsOf.at(naive, SHANGHAI)


def test_not_a_time_is_refused() -> None:
    with pytest.raises(NaiveInstantError) as caught:
        checked(NotATime(2024, 6, 30, tzinfo=UTC), "at")
    assert caught.value.code == "naive_instant"


@pytest.mark.parametrize("value", ["2024-06-30", 20240630, None, time(3), timedelta(1)])
def test_what_is_no_time_is_refused(value: object) -> None:
    with refused(WrongTypeError, "at", given=value):
        checked(value, "at")  # type: ignore[arg-type]


def test_a_zone_that_says_nothing_is_none() -> None:
    class Silent(tzinfo):
        def utcoffset(self, _: datetime | None) -> None:
            return None

        tzname = dst = utcoffset

    with pytest.raises(NaiveInstantError):
        checked(datetime(2024, 6, 30, tzinfo=Silent()), "at")


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Asia/shanghai2", "/UTC"])
def test_an_unknown_zone(name: str) -> None:
    with refused(UnknownNameError, "zone", given=name):
        zone_of(name)


def test_a_zone_by_name() -> None:
    assert zone_of("Asia/Shanghai") is zone_of("Asia/Shanghai")


@pytest.mark.rule("RC-01")
@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        # both sides of local midnight
        (datetime(2024, 6, 30, 15, 59, 59, 999999, UTC), SHANGHAI, date(2024, 6, 30)),
        (datetime(2024, 6, 30, 16, tzinfo=UTC), SHANGHAI, date(2024, 7, 1)),
        # summer time in China, 1986 to 1991
        (datetime(1988, 6, 30, 15, 30, tzinfo=UTC), SHANGHAI, date(1988, 7, 1)),
        (datetime(1985, 6, 30, 15, 30, tzinfo=UTC), SHANGHAI, date(1985, 6, 30)),
        (datetime(1991, 9, 14, 15, 30, tzinfo=UTC), SHANGHAI, date(1991, 9, 15)),
        (datetime(1991, 9, 15, 15, 30, tzinfo=UTC), SHANGHAI, date(1991, 9, 15)),
        # midnight does not exist in Sao Paulo on 4 November 2018
        (datetime(2018, 11, 4, 2, 59, 59, tzinfo=UTC), SAO_PAULO, date(2018, 11, 3)),
        (datetime(2018, 11, 4, 3, 0, tzinfo=UTC), SAO_PAULO, date(2018, 11, 4)),
        # 23 hours to midnight twice on 17 February 2018
        (datetime(2018, 2, 18, 2, 30, tzinfo=UTC), SAO_PAULO, date(2018, 2, 17)),
        (datetime(2018, 2, 18, 3, 0, tzinfo=UTC), SAO_PAULO, date(2018, 2, 18)),
        (datetime(2024, 3, 30, 23, 30, tzinfo=UTC), BERLIN, date(2024, 3, 31)),
        (datetime(2024, 3, 31, 22, 30, tzinfo=UTC), BERLIN, date(2024, 4, 1)),
    ],
    ids=range(12),
)
def test_the_local_date_of_an_instant(instant: datetime, zone: ZoneInfo, day: date) -> None:
    assert local_date(instant, zone) == day
    assert local_date(instant.astimezone(BERLIN), zone) == day
    assert local_date(day, zone) == day


@pytest.mark.parametrize(
    ("day", "zone", "edge", "hours"),
    [
        (date(2024, 3, 31), BERLIN, datetime(2024, 3, 30, 23, tzinfo=UTC), 23),
        (date(2024, 10, 27), BERLIN, datetime(2024, 10, 26, 22, tzinfo=UTC), 25),
        (date(2018, 11, 4), SAO_PAULO, datetime(2018, 11, 4, 3, tzinfo=UTC), 23),
        (date(2018, 2, 17), SAO_PAULO, datetime(2018, 2, 17, 2, tzinfo=UTC), 25),
        (date(1988, 4, 17), SHANGHAI, datetime(1988, 4, 16, 16, tzinfo=UTC), 23),
        (date(2024, 2, 29), SHANGHAI, datetime(2024, 2, 28, 16, tzinfo=UTC), 24),
    ],
    ids=range(6),
)
def test_a_local_day_begins_once(day: date, zone: ZoneInfo, edge: datetime, hours: int) -> None:
    assert day_edge(day, zone) == edge
    assert day_edge(day, zone).tzinfo is UTC
    assert day_edge(day + timedelta(days=1), zone) - edge == timedelta(hours=hours)


@given(days, zones)
def test_a_day_holds_its_edge_and_nothing_before(day: date, zone: ZoneInfo) -> None:
    edge = day_edge(day, zone)
    assert local_date(edge, zone) == day
    assert local_date(edge - timedelta(microseconds=1), zone) < day


def test_every_zone_of_the_database_has_days() -> None:
    for name in sorted(available_timezones() - {"localtime"})[::7]:
        edges = [day_edge(date(2024, 1, 1) + timedelta(days=n), zone_of(name)) for n in range(3)]
        assert edges == sorted(edges)


# --- points of view -------------------------------------------------------------------------------


def test_a_date_knows_its_whole_day() -> None:
    as_of = AsOf.at(date(2024, 6, 30), SHANGHAI)
    assert (as_of.day, as_of.instant) == (date(2024, 6, 30), None)
    assert as_of.ended_before == date(2024, 7, 1)
    assert as_of.knows(datetime(2024, 6, 30, 15, 59, tzinfo=UTC))
    assert not as_of.knows(datetime(2024, 6, 30, 16, tzinfo=UTC))
    assert as_of.knows(date(2024, 6, 30))
    assert not as_of.knows(date(2024, 7, 1))


def test_an_instant_knows_what_came_before_it() -> None:
    noon = datetime(2024, 6, 30, 12, tzinfo=SHANGHAI)
    as_of = AsOf.at(noon, SHANGHAI)
    assert (as_of.day, as_of.ended_before) == (date(2024, 6, 30), date(2024, 6, 30))
    assert as_of.knows(noon)
    assert as_of.knows(noon.astimezone(BERLIN))
    assert not as_of.knows(noon + timedelta(microseconds=1))
    assert as_of.knows(date(2024, 6, 30))  # a fact with a date alone begins its day
    assert not as_of.knows(date(2024, 7, 1))


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=zones), zones)
def test_the_day_of_an_instant_is_local(instant: datetime, zone: ZoneInfo) -> None:
    as_of = AsOf.at(instant, zone)
    assert as_of.day == instant.astimezone(zone).date()
    assert as_of.knows(instant)


# --- months ---------------------------------------------------------------------------------------


@pytest.mark.rule("RC-08")
@pytest.mark.parametrize(
    ("anchor", "months", "day"),
    [
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2023, 1, 31), 1, date(2023, 2, 28)),
        (date(2024, 1, 31), 2, date(2024, 3, 31)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2024, 3, 31), -1, date(2024, 2, 29)),
        (date(2024, 12, 31), 2, date(2025, 2, 28)),
        (date(2024, 5, 15), 0, date(2024, 5, 15)),
        (date(1900, 1, 31), 1, date(1900, 2, 28)),
        (date(2000, 1, 31), 1, date(2000, 2, 29)),
    ],
)
def test_months_from_an_anchor(anchor: date, months: int, day: date) -> None:
    assert plus_months(anchor, months) == day


@given(days, st.integers(-500, 500))
def test_months_keep_the_day_or_end_the_month(anchor: date, months: int) -> None:
    found = plus_months(anchor, months)
    assert (found.year * 12 + found.month) - (anchor.year * 12 + anchor.month) == months
    clamped = (found + timedelta(days=1)).day == 1 and found.day < anchor.day
    assert found.day == anchor.day or clamped


def test_two_steps_differ_from_one() -> None:
    stepped = plus_months(plus_months(date(2024, 1, 31), 1), 1)
    assert stepped == date(2024, 3, 29)
    assert plus_months(date(2024, 1, 31), 2) == date(2024, 3, 31)


# --- trailing windows -----------------------------------------------------------------------------


@pytest.mark.rule("RC-06", "RC-08")
@pytest.mark.parametrize(
    ("window", "day", "first"),
    [
        (Trailing(30, Unit.DAY), date(2024, 6, 30), date(2024, 5, 31)),
        (Trailing(1, Unit.DAY), date(2024, 3, 1), date(2024, 2, 29)),
        (Trailing(6, Unit.MONTH), date(2024, 6, 30), date(2023, 12, 31)),
        (Trailing(1, Unit.MONTH), date(2024, 3, 31), date(2024, 3, 1)),
        (Trailing(1, Unit.YEAR), date(2024, 12, 31), date(2024, 1, 1)),
        (Trailing(1, Unit.YEAR), date(2024, 2, 29), date(2023, 3, 1)),
        (Trailing(12, Unit.MONTH), date(2024, 2, 29), date(2023, 3, 1)),
        (Trailing(4, Unit.YEAR), date(2024, 2, 29), date(2020, 3, 1)),
    ],
)
def test_the_first_day_of_a_window(window: Trailing, day: date, first: date) -> None:
    assert window.first_day(day) == first


@given(
    st.builds(Trailing, st.integers(1, 60), st.sampled_from([Unit.DAY, Unit.MONTH])),
    st.dates(date(1990, 1, 1), date(2090, 1, 1)),
)
def test_a_day_leaves_a_window_on_one_of_the_days_named(window: Trailing, day: date) -> None:
    last = day
    while window.first_day(last) <= day:
        last += timedelta(days=1)
    assert last in window.leaves_on(day)


@pytest.mark.parametrize("count", [0, -1])
def test_a_window_has_a_day(count: int) -> None:
    with refused(InvalidValueError, "Trailing.count", given=count, allowed="at least 1"):
        Trailing(count, Unit.DAY)


# --- weeks, month ends, day numbers ---------------------------------------------------------------


@given(days)
def test_a_week_begins_on_monday(day: date) -> None:
    found = monday(day)
    assert found.weekday() == 0
    assert timedelta(0) <= day - found <= timedelta(days=6)


@pytest.mark.parametrize(
    ("first", "last", "ends"),
    [
        (date(2024, 1, 15), date(2024, 3, 31), ["2024-01-31", "2024-02-29", "2024-03-31"]),
        (date(2023, 12, 1), date(2024, 1, 1), ["2023-12-31", "2024-01-01"]),
        (date(2024, 6, 30), date(2024, 6, 30), ["2024-06-30"]),
        (date(2024, 1, 31), date(2024, 2, 10), ["2024-01-31", "2024-02-10"]),
    ],
)
def test_month_ends(first: date, last: date, ends: list[str]) -> None:
    assert [str(day) for day in month_ends(first, last)] == ends


@given(st.dates())
def test_a_day_number_is_a_day(day: date) -> None:
    assert day_of(day_number(day)) == day
    assert day_number(day) == (day - date(1970, 1, 1)).days


def test_day_number_zero() -> None:
    assert day_number(date(1970, 1, 1)) == 0
    assert day_of(-1) == date(1969, 12, 31)
    assert (day_of(day_number(date.min)), day_of(day_number(date.max))) == (date.min, date.max)
