"""Open time: tables of cases worked out by hand, changes of clocks, and what is refused."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest

from retention.mechanisms.answers import Code
from retention.mechanisms.calendars import (
    Calendar,
    CalendarVersions,
    Closure,
    Opening,
    Standing,
    WeekHours,
    hours_of,
    offsets,
)
from retention.mechanisms.errors import (
    BeyondKnownError,
    DuplicateError,
    InvalidValueError,
    NaiveInstantError,
    NotRisingError,
    OverlapError,
    UnequalColumnsError,
    UnknownNameError,
    UnreadableTextError,
    WrongTypeError,
)
from retention.mechanisms.hours import ALL_DAY, Hours, Weekday, weekdays
from retention.mechanisms.open_time import OpenTime, micros, union
from retention.mechanisms.policies import blank, stated
from retention.mechanisms.versions import Version, Versions
from tests.refusals import refused

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
TWO = "09:00-12:00 13:00-18:00"


def week(hours: str = TWO, days: str = "mon-fri") -> tuple[WeekHours, ...]:
    return (WeekHours(days, hours),)


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


OFFICE = Calendar("office", "UTC", week())


# --- tables of cases, all worked out by hand ------------------------------------------------------
# 2024-07-01 is a Monday.


@pytest.mark.parametrize(
    ("start", "budget", "due"),
    [
        ("2024-07-01 10:00", 0, "2024-07-01 10:00"),  # nothing to do is due at once
        ("2024-07-01 07:00", 0, "2024-07-01 07:00"),  # also before opening
        ("2024-07-01 10:00", 60, "2024-07-01 11:00"),  # inside
        ("2024-07-01 10:00", 120, "2024-07-01 12:00"),  # up to the close: due at the close
        ("2024-07-01 10:00", 121, "2024-07-01 13:01"),  # over lunch
        ("2024-07-01 07:00", 60, "2024-07-01 10:00"),  # before opening
        ("2024-07-01 12:00", 60, "2024-07-01 14:00"),  # at a close
        ("2024-07-01 12:30", 60, "2024-07-01 14:00"),  # at lunch
        ("2024-07-01 13:00", 300, "2024-07-01 18:00"),  # a whole segment
        ("2024-07-01 18:00", 30, "2024-07-02 09:30"),  # at the end of the day
        ("2024-07-01 20:00", 30, "2024-07-02 09:30"),  # after it
        ("2024-07-01 09:00", 480, "2024-07-01 18:00"),  # a whole day
        ("2024-07-01 09:00", 481, "2024-07-02 09:01"),
        ("2024-07-05 17:00", 120, "2024-07-08 10:00"),  # over the weekend
        ("2024-07-06 12:00", 480, "2024-07-08 18:00"),  # from a Saturday
        ("2024-07-01 09:00", 2400, "2024-07-05 18:00"),  # a whole week
        ("2024-07-01 09:00", 4801, "2024-07-15 09:01"),  # two weeks and a minute
    ],
)
def test_when_a_budget_is_used_up(start: str, budget: int, due: str) -> None:
    assert OFFICE.due(at(start), minutes(budget)) == at(due)


@pytest.mark.parametrize(
    ("end", "budget", "start"),
    [
        ("2024-07-01 17:00", 60, "2024-07-01 16:00"),
        ("2024-07-01 14:00", 60, "2024-07-01 13:00"),  # back to the opening: there it begins
        ("2024-07-01 14:00", 61, "2024-07-01 11:59"),  # over lunch
        ("2024-07-01 12:30", 60, "2024-07-01 11:00"),  # from the gap
        ("2024-07-01 18:00", 480, "2024-07-01 09:00"),  # a whole day
        ("2024-07-01 18:00", 481, "2024-06-28 17:59"),  # over the weekend
        ("2024-07-01 23:00", 30, "2024-07-01 17:30"),  # after hours
        ("2024-07-01 08:00", 30, "2024-06-28 17:30"),  # before opening
        ("2024-07-06 12:00", 300, "2024-07-05 13:00"),
        ("2024-07-06 12:00", 0, "2024-07-06 12:00"),
    ],
)
def test_the_latest_start_before_an_end(end: str, budget: int, start: str) -> None:
    assert OFFICE.latest_start(at(end), minutes(budget)) == at(start)


@pytest.mark.parametrize(
    ("start", "end", "open_minutes"),
    [
        ("2024-07-01 09:00", "2024-07-01 09:00", 0),
        ("2024-07-01 06:00", "2024-07-01 08:00", 0),  # before
        ("2024-07-01 18:00", "2024-07-02 09:00", 0),  # at night
        ("2024-07-01 12:00", "2024-07-01 13:00", 0),  # at lunch
        ("2024-07-01 08:00", "2024-07-01 10:00", 60),
        ("2024-07-01 11:00", "2024-07-01 14:00", 120),
        ("2024-07-01 17:00", "2024-07-01 22:00", 60),
        ("2024-07-01 00:00", "2024-07-02 00:00", 480),
        ("2024-07-05 17:00", "2024-07-08 10:00", 120),
        ("2024-07-01 00:00", "2024-07-08 00:00", 2400),
        ("2024-01-01 00:00", "2025-01-01 00:00", 262 * 480),  # 366 days, 262 of them Mon to Fri
    ],
)
def test_open_time_between_two_instants(start: str, end: str, open_minutes: int) -> None:
    assert OFFICE.open_between(at(start), at(end)) == minutes(open_minutes)


@pytest.mark.parametrize(
    ("closed", "budget", "due"),
    [
        ("", 60, "2024-07-01 11:00"),
        ("09:00-09:30", 60, "2024-07-01 11:00"),  # before the start: no matter
        ("09:30-10:30", 60, "2024-07-01 11:30"),  # over the start
        ("10:30-10:45", 60, "2024-07-01 11:15"),  # in the middle
        ("10:30-10:45 11:00-11:10", 60, "2024-07-01 11:25"),  # several
        ("11:30-14:00", 120, "2024-07-01 14:30"),  # over the end and lunch
        ("10:00-12:00", 60, "2024-07-01 14:00"),  # the whole rest
        ("00:00-24:00", 60, "2024-07-02 10:00"),  # the whole day
        ("11:00-12:00", 60, "2024-07-01 11:00"),  # begins where it is due
    ],
)
def test_closures_of_some_hours(closed: str, budget: int, due: str) -> None:
    closures = (Closure(date(2024, 7, 1), hours=closed),) if closed else ()
    calendar = Calendar("x", "UTC", week(), closures=closures, known_through=date(2024, 12, 31))
    assert calendar.due(at("2024-07-01 10:00"), minutes(budget)) == at(due)


def test_each_day_has_its_hours() -> None:
    rows = (WeekHours("mon,tue", "10:00-12:00"), WeekHours("sat", "00:00-24:00"))
    calendar = Calendar("shop", "UTC", rows)
    assert calendar.due(at("2024-07-01 11:00"), minutes(121)) == at("2024-07-02 11:01")
    assert calendar.due(at("2024-07-02 12:00"), minutes(24 * 60)) == at("2024-07-07 00:00")
    assert [str(calendar.hours_on(date(2024, 7, day))) for day in (1, 3, 6)] == [
        "10:00-12:00", "", "00:00-24:00",
    ]  # fmt: skip


def test_24_hours_lose_no_minute() -> None:
    whole = Calendar("always", "UTC", week("00:00-24:00", "mon-sun"))
    nearly = Calendar("nearly", "UTC", week("00:00-23:59", "mon-sun"))
    first, last = at("2024-07-01 00:00"), at("2024-07-31 00:00")
    assert whole.open_between(first, last) == timedelta(days=30)
    assert nearly.open_between(first, last) == timedelta(days=30) - minutes(30)
    assert whole.is_open(at("2024-07-01 23:59:59"))
    assert not nearly.is_open(at("2024-07-01 23:59:00"))


def test_seconds_and_microseconds_are_kept() -> None:
    chat = Calendar("chat", "UTC", week("09:00:30-09:00:45", "mon-sun"))
    start = at("2024-07-01 09:00:30.000001")
    assert chat.due(start, timedelta(seconds=15)) == at("2024-07-02 09:00:30.000001")
    assert chat.open_between(start, at("2024-07-03 00:00")) == timedelta(
        seconds=30, microseconds=-1
    )


@pytest.mark.parametrize(
    ("when", "is_open"),
    [("08:59:59", False), ("09:00", True), ("11:59:59", True), ("12:00", False), ("18:00", False)],
)
def test_open_from_the_opening_up_to_the_close(when: str, is_open: bool) -> None:
    assert OFFICE.is_open(at(f"2024-07-01 {when}")) is is_open


# --- dates: days off, make-up workdays ------------------------------------------------------------
# The schedule of 2024 in China: off from 10 to 17 February, for which the Sundays 4 and 18
# February were worked; off from 1 to 7 October, for which 29 September and 12 October were.

CHINA = Calendar(
    "china",
    "Asia/Shanghai",
    week(),
    closures=(
        Closure(date(2024, 2, 10), date(2024, 2, 17), reason="Spring Festival"),
        Closure(date(2024, 10, 1), date(2024, 10, 7), reason="National Day"),
    ),
    openings=tuple(
        Opening(day, TWO, "make-up workday")
        for day in (date(2024, 2, 4), date(2024, 2, 18), date(2024, 9, 29), date(2024, 10, 12))
    ),
    known_through=date(2024, 12, 31),
)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2024-02-02 17:00", 2, "2024-02-04 10:00"),  # Friday, then the Sunday that is worked
        ("2024-02-09 17:00", 2, "2024-02-18 10:00"),  # over the festival to a Sunday
        ("2024-02-12 10:00", 8, "2024-02-18 18:00"),  # from inside
        ("2024-09-30 10:00", 8, "2024-10-08 10:00"),
        ("2024-10-11 17:00", 2, "2024-10-12 10:00"),  # Friday, then the Saturday that is worked
    ],
)
def test_days_off_and_make_up_workdays(start: str, hours: int, due: str) -> None:
    zone = "Asia/Shanghai"
    found = CHINA.due(at(start, zone), timedelta(hours=hours))
    assert found == at(due, zone)
    assert found.tzinfo is UTC


def test_an_extra_opening_wins_over_a_closure() -> None:
    day = date(2024, 7, 1)
    calendar = Calendar(
        "x", "UTC", week(), closures=(Closure(day),), openings=(Opening(day, "10:00-14:00"),),
        known_through=date(2024, 12, 31),
    )  # fmt: skip
    assert str(calendar.hours_on(day)) == "10:00-14:00"
    assert calendar.due(at("2024-07-01 00:00"), minutes(241)) == at("2024-07-02 09:01")


def test_beyond_the_known_dates_is_an_error() -> None:
    zone = "Asia/Shanghai"
    last = at("2024-12-31 18:00", zone)
    known = "2023-12-31T16:00:00+00:00 to 2024-12-31T16:00:00+00:00"
    assert CHINA.due(last, minutes(0)) == last
    assert CHINA.due(at("2024-12-31 17:00", zone), minutes(60)) == last
    for question in (
        lambda: CHINA.due(last, minutes(1)),
        lambda: CHINA.due(at("2025-01-01 00:00:01", zone), minutes(0)),
        lambda: CHINA.latest_start(at("2024-01-01 09:00", zone), minutes(1)),
        lambda: CHINA.open_between(last, at("2025-01-02 00:00", zone)),
        lambda: CHINA.open_between(at("2023-12-31 00:00", zone), last),
        lambda: CHINA.is_open(at("2025-06-01 00:00", zone)),
        lambda: CHINA.stretches(last, at("2025-06-01 00:00", zone)),
        lambda: CHINA.hours_on(date(2025, 1, 2)),
    ):
        with refused(BeyondKnownError, "calendar china", allowed=known):
            question()
    longer = CHINA.with_("known_through", date(2025, 1, 31))
    assert longer.due(last, minutes(1)) == at("2025-01-01 09:01", zone)


def test_dates_need_an_end_of_knowledge() -> None:
    with refused(InvalidValueError, "Calendar.known_through", given=None):
        Calendar("x", "UTC", week(), closures=(Closure(date(2024, 7, 1)),))
    with refused(InvalidValueError, "Calendar.known_through", given="2024-07-01 to 2024-07-01"):
        Calendar(
            "x", "UTC", week(), closures=(Closure(date(2024, 7, 1)),),
            known_through=date(2024, 6, 30),
        )  # fmt: skip
    with refused(InvalidValueError, "Calendar.known_through"):
        Calendar("x", "UTC", week(), known_from=date(2024, 7, 1), known_through=date(2024, 6, 30))
    ever = Calendar(
        "x", "UTC", week(), closures=(Closure(date(2024, 7, 1)),), known_through=date.max
    )
    assert ever.due(at("2199-12-30 09:00"), minutes(60)) == at("2199-12-30 10:00")


def test_what_was_skipped_and_why() -> None:
    zone = "Asia/Shanghai"
    found = CHINA.stretches(at("2024-09-30 17:00", zone), at("2024-10-08 10:00", zone))
    told = [each.text(SHANGHAI) for each in found]
    assert told[0] == "2024-09-30 17:00 - 2024-09-30 18:00 open"
    assert told[2] == "2024-10-01 09:00 - 2024-10-01 12:00 closed (National Day)"
    assert told[-1] == "2024-10-08 09:00 - 2024-10-08 10:00 open"
    closed = [each for each in found if each.standing is Standing.CLOSED]
    # 1 to 4 October and the 7th: the 5th and 6th are a weekend anyway
    assert len(closed) == 2 * 5
    assert sum((each.elapsed for each in closed), timedelta(0)) == timedelta(hours=40)
    worked = CHINA.stretches(at("2024-09-29 00:00", zone), at("2024-09-29 12:00", zone))
    assert [(each.standing.value, each.why) for each in worked] == [
        ("outside_hours", ""), ("open", "make-up workday"),
    ]  # fmt: skip
    assert found[2].text(SHANGHAI, "zh").endswith("休息 (National Day)")


# --- changes of clocks ----------------------------------------------------------------------------


def always(zone: str, hours: str = "00:00-24:00") -> Calendar:
    return Calendar(zone, zone, week(hours, "mon-sun"))


@pytest.mark.parametrize(
    ("zone", "day", "hours", "opens_for"),
    [
        ("Europe/Berlin", "2024-03-31", "00:00-24:00", 23 * 60),
        ("Europe/Berlin", "2024-10-27", "00:00-24:00", 25 * 60),
        ("Europe/Berlin", "2024-03-31", "02:00-03:00", 0),  # the hour that is left out
        ("Europe/Berlin", "2024-03-31", "02:30-04:00", 60),  # opens at three
        ("Europe/Berlin", "2024-10-27", "02:00-03:00", 120),  # the hour that comes twice
        ("Europe/Berlin", "2024-10-27", "02:30-03:30", 90),
        ("Australia/Lord_Howe", "2024-10-06", "02:00-03:00", 30),
        ("Australia/Lord_Howe", "2024-04-07", "01:00-02:00", 90),
        ("America/Havana", "2024-03-10", "00:00-01:00", 0),  # midnight itself is left out
        ("America/Havana", "2024-11-03", "00:00-01:00", 120),
        ("America/St_Johns", "2010-11-07", "00:00-00:01", 2),  # back at one past midnight ...
        ("America/St_Johns", "2010-11-06", "23:00-24:00", 119),  # ... into the day before
        ("Pacific/Apia", "2011-12-30", "00:00-24:00", 0),  # a date that never was
        ("Asia/Tehran", "2022-03-22", "00:00-02:00", 60),
        ("Africa/Casablanca", "2024-03-10", "02:00-04:00", 180),
        ("Asia/Kathmandu", "1986-01-01", "00:00-01:00", 45),
    ],
)
def test_an_hour_is_open_when_the_clock_on_the_wall_says_so(
    zone: str, day: str, hours: str, opens_for: int
) -> None:
    on = date.fromisoformat(day)
    closures = tuple(
        Closure(on + timedelta(days=n)) for n in (-3, -2, -1, 1, 2, 3)
    )  # so that only the hours of that date count
    calendar = Calendar(
        zone, zone, week(hours, "mon-sun"), closures=closures, known_through=date.max
    )
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
    found = calendar.open_between(begin - timedelta(days=2), begin + timedelta(days=2))
    assert found == minutes(opens_for)


def test_a_budget_over_the_change_of_clocks() -> None:
    # Saturday 22:00 plus eight hours: in spring the clock shows seven, in autumn five.
    for day, clock in (("2024-03-30", "07:00"), ("2024-10-26", "05:00")):
        start = at(f"{day} 22:00", "Europe/Berlin")
        due = always("Europe/Berlin").due(start, timedelta(hours=8))
        assert due.astimezone(BERLIN).strftime("%H:%M") == clock
        assert due - start.astimezone(UTC) == timedelta(hours=8)


def test_the_doubled_hour_is_told_apart() -> None:
    calendar = always("Europe/Berlin", "02:00-03:00")
    first = at("2024-10-27 02:30", "Europe/Berlin")
    second = first.replace(fold=1)
    assert calendar.open_between(first, second) == minutes(60)
    assert calendar.due(first, minutes(30)) == datetime(2024, 10, 27, 1, 0, tzinfo=UTC)
    assert calendar.due(second, minutes(30)) == datetime(2024, 10, 27, 2, 0, tzinfo=UTC)


def test_every_change_of_clocks_is_found() -> None:
    first, last = (micros(at(f"{year}-01-01"), "x") for year in (2024, 2025))
    changes = {
        "Europe/Berlin": 2, "Africa/Casablanca": 2, "Australia/Lord_Howe": 2, "Asia/Shanghai": 0,
    }  # fmt: skip
    for zone, number in changes.items():
        found = list(offsets(ZoneInfo(zone), first, last))
        assert len(found) == number + 1
        assert (found[0][0], found[-1][1]) == (first, last)


# --- versions -------------------------------------------------------------------------------------


def test_a_version_counts_from_its_instant() -> None:
    change = at("2024-07-02 11:00")
    later = OFFICE.with_("week.mon-fri.hours", "08:00-20:00")
    both = hours_of(Versions.always(OFFICE).then(later, change))
    # Tuesday: 09 to 11 in the old hours, then straight on to 20:00, without lunch
    assert both.open_between(at("2024-07-02 00:00"), at("2024-07-03 00:00")) == minutes(11 * 60)
    assert both.due(at("2024-07-01 17:00"), timedelta(hours=4)) == at("2024-07-02 12:00")
    assert both.latest_start(at("2024-07-02 12:00"), timedelta(hours=4)) == at("2024-07-01 17:00")
    told = both.stretches(at("2024-07-02 10:00"), at("2024-07-02 20:00"))
    assert {each.standing for each in told} == {Standing.OPEN}


def test_a_version_that_knows_its_dates_may_follow_one_that_does_not_any_more() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    next_year = attrs.evolve(
        CHINA, closures=(Closure(date(2025, 1, 1)),), openings=(), known_through=date(2025, 12, 31)
    )
    new_year = datetime(2025, 1, 1, tzinfo=zone)
    both = CalendarVersions(Versions.always(CHINA).then(next_year, new_year))
    assert both.due(at("2024-12-31 17:00", "Asia/Shanghai"), minutes(90)) == datetime(
        2025, 1, 2, 9, 30, tzinfo=zone
    )
    with refused(BeyondKnownError, "calendar china"):
        both.due(new_year, timedelta(days=300))
    summer = attrs.evolve(next_year, closures=(), known_from=date(2025, 6, 1))
    with refused(InvalidValueError, "CalendarVersions"):
        CalendarVersions(Versions.always(CHINA).then(summer, datetime(2025, 3, 1, tzinfo=zone)))


def test_versions_follow_each_other() -> None:
    change = at("2024-07-02 11:00")
    with refused(NotRisingError, "versions"):
        Versions.always(1).then(2, change).then(3, change)
    with refused(NotRisingError, "versions"):
        Versions((Version(1, change), Version(2)))
    with refused(UnknownNameError, "versions"):
        Versions(())
    with refused(UnknownNameError, "versions"):
        Versions((Version(1, change),)).at(at("2024-07-01"))
    with refused(NaiveInstantError, "Version.since"):
        Version(1, datetime(2024, 7, 1))
    with refused(WrongTypeError, "Version.since"):
        Version(1, date(2024, 7, 1))  # type: ignore[arg-type]
    with refused(WrongTypeError, "calendar"):
        hours_of("office")  # type: ignore[arg-type]


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "error"),
    [
        ("09:00-17", UnreadableTextError),
        ("nine to five", UnreadableTextError),
        ("9:00-17:00", UnreadableTextError),
        ("09:00-24:01", InvalidValueError),
        ("09:60-10:00", InvalidValueError),
        ("22:00-06:00", InvalidValueError),
        ("09:00-09:00", InvalidValueError),
        ("09:00-12:00 11:59-18:00", OverlapError),
    ],
)
def test_hours_that_are_none(hours: str, error: type[InvalidValueError]) -> None:
    with refused(error, "hours"):
        Hours.of(hours)


def test_hours_are_texts() -> None:
    assert Hours.of("13:00-18:00, 09:00-12:00") == Hours.of(TWO)
    assert str(Hours.of("09:00-12:00 12:00-13:00")) == "09:00-13:00"
    assert str(Hours.of("00:00:01-24:00")) == "00:00:01-24:00"
    assert Hours.of("") == Hours()
    assert ALL_DAY.seconds == 86_400
    with refused(WrongTypeError, "hours"):
        Hours.of(9)  # type: ignore[arg-type]
    with refused(UnknownNameError, "hours"):
        OFFICE.with_("week.mon-fri.hours.first", "09:00")
    assert weekdays("sun, mon") == (Weekday.MONDAY, Weekday.SUNDAY)
    for wrong in ("sun-mon", "mon-funday", ""):
        with pytest.raises((InvalidValueError, UnknownNameError)):
            weekdays(wrong)
    with refused(InvalidValueError, "days"):
        weekdays(())


def test_calendars_that_are_none() -> None:
    day = date(2024, 7, 1)
    known = date(2024, 12, 31)
    with refused(InvalidValueError, "Calendar.week"):
        Calendar("never", "UTC", ())
    with refused(InvalidValueError, "Calendar.week"):
        Calendar("never", "UTC", week(""))
    with refused(UnknownNameError, "zone"):
        Calendar("x", "Mars/Olympus", week())
    with refused(DuplicateError, "Calendar.week", given="mon"):
        Calendar("x", "UTC", (*week(), WeekHours("mon", "19:00-20:00")))
    with refused(DuplicateError, "Calendar.closures", given="2024-07-01"):
        Calendar("x", "UTC", week(), closures=(Closure(day), Closure(day)), known_through=known)
    with refused(DuplicateError, "Calendar.openings", given="2024-07-01"):
        twice = (Opening(day, "19:00-20:00"), Opening(day, "20:00-21:00"))
        Calendar("x", "UTC", week(), openings=twice, known_through=known)
    with refused(OverlapError, "Calendar.openings", allowed="hours when it is closed anyway"):
        Calendar("x", "UTC", week(), openings=(Opening(day, "17:00-20:00"),), known_through=known)
    with refused(InvalidValueError, "Closure.last"):
        Closure(day, date(2024, 6, 30))


def test_a_calendar_of_dates_alone_ends_with_them() -> None:
    fair = Calendar(
        "fair", "UTC", (), openings=(Opening(date(2024, 7, 1), "10:00-12:00"),),
        known_from=date.min, known_through=date.max,
    )  # fmt: skip
    assert fair.due(at("2024-01-01 00:00"), minutes(120)) == at("2024-07-01 12:00")
    with refused(InvalidValueError, "budget", allowed="at most 2:00:00: calendar fair"):
        fair.due(at("2024-01-01 00:00"), minutes(121))
    with refused(InvalidValueError, "budget", allowed="at most 0:00:00: calendar fair"):
        fair.latest_start(at("2024-07-01 09:00"), minutes(1))


def test_questions_that_are_none() -> None:
    now = at("2024-07-01 10:00")
    with refused(NaiveInstantError, "start"):
        OFFICE.due(datetime(2024, 7, 1), minutes(1))
    with refused(WrongTypeError, "start"):
        OFFICE.due(date(2024, 7, 1), minutes(1))  # type: ignore[arg-type]
    with refused(WrongTypeError, "budget"):
        OFFICE.due(now, 60)  # type: ignore[arg-type]
    with refused(InvalidValueError, "budget", given=minutes(-1)):
        OFFICE.due(now, minutes(-1))
    with refused(InvalidValueError, "end"):
        OFFICE.open_between(now, now - minutes(1))
    with refused(InvalidValueError, "end"):
        OFFICE.stretches(now, now - minutes(1))
    with refused(BeyondKnownError, "calendar office"):
        OFFICE.due(datetime(9999, 12, 31, tzinfo=UTC), minutes(1))
    with refused(InvalidValueError, "budget"):
        OFFICE.due(now, timedelta(days=60_000))
    with refused(WrongTypeError, "day"):
        OFFICE.hours_on(now)


# --- calendars are values -------------------------------------------------------------------------


def test_a_calendar_is_a_value() -> None:
    now = at("2024-07-01 10:00", "Asia/Shanghai")
    used = CHINA.due(now, timedelta(hours=40))
    again = pickle.loads(pickle.dumps(CHINA))  # noqa: S301  our own
    for other in (again, copy.deepcopy(CHINA), attrs.evolve(CHINA)):
        assert (other, hash(other)) == (CHINA, hash(CHINA))
        assert other.fingerprint() == CHINA.fingerprint()
        assert other.due(now, timedelta(hours=40)) == used
    assert "open_time" not in repr(CHINA)
    changed = CHINA.with_("week.mon-fri.hours", "09:00-17:00")
    assert changed.fingerprint() != CHINA.fingerprint()
    paths = [entry.path for entry in CHINA.compare(changed)]
    assert paths == ["week.mon-fri.hours"]


def test_answers_do_not_depend_on_earlier_questions() -> None:
    days = (0, 9_000, -20_000, 40, 3_000)
    starts = [at("2024-07-01 10:00") + timedelta(days=n) for n in days]
    alone = [attrs.evolve(OFFICE).due(start, timedelta(hours=100)) for start in starts]
    one_after_the_other = attrs.evolve(OFFICE)
    assert [one_after_the_other.due(start, timedelta(hours=100)) for start in starts] == alone


def test_hours_may_be_cited_or_left_open() -> None:
    cited = Calendar("x", "UTC", stated(week(), "002 service hours"))
    assert str(cited.source("week")) == "stated 002 service hours"
    open_end = Calendar("x", "UTC", blank("000: service hours"))
    assert [entry.path for entry in open_end.blanks()] == ["week"]
    filled = open_end.with_("week", week())
    assert filled.due(at("2024-07-01 10:00"), minutes(60)) == at("2024-07-01 11:00")


def test_single_questions_do_not_load_numpy() -> None:
    program = (
        "import sys; from datetime import *; from retention.mechanisms.calendars import *; "
        "from retention.mechanisms.clocks import *; "
        "week = (WeekHours('mon-fri', '09:00-17:00'),); now = datetime(2024, 7, 1, tzinfo=UTC); "
        "office = Calendar('x', 'UTC', week); hour = timedelta(hours=1); office.due(now, hour); "
        "print(ClockTerms(Target('x', hour), office).read(ClockFacts(now), as_of=now)); "
        "print('numpy' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"


# --- columns --------------------------------------------------------------------------------------


def test_columns_set_aside_what_they_cannot_answer() -> None:
    zone = "Asia/Shanghai"
    starts = [
        at("2024-09-30 17:00", zone), None, datetime(2024, 7, 1), at("2025-06-01 00:00", zone),
        at("2024-12-31 17:00", zone), at("2024-12-31 17:30", zone),
    ]  # fmt: skip
    found = CHINA.dues(starts, timedelta(hours=1))
    assert [str(each) for each in found.values] == [
        "2024-09-30T10:00:00.000000", "NaT", "NaT", "NaT", "2024-12-31T10:00:00.000000", "NaT",
    ]  # fmt: skip
    assert [(problem.code, problem.rows) for problem in found.problems] == [
        (Code.NAIVE_INSTANT, (2,)), (Code.NO_TIME, (1,)),
        (Code.BEYOND_KNOWN, (3,)), (Code.BEYOND_KNOWN, (5,)),
    ]  # fmt: skip
    negative = CHINA.dues(starts[:1], [minutes(-1)])
    assert [(each.code, each.rows) for each in negative.problems] == [(Code.NEGATIVE_TIME, (0,))]
    backwards = CHINA.open_betweens(starts[:1], [at("2024-09-30 16:59", zone)])
    assert [each.code for each in backwards.problems] == [Code.END_BEFORE_START]
    early = CHINA.latest_starts([at("2024-01-01 09:00", zone)], timedelta(hours=1))
    assert [each.code for each in early.problems] == [Code.BEYOND_KNOWN]


@pytest.mark.parametrize(
    "hours",
    ["09:00-12:00 13:00-18:00", "00:00-24:00", "09:00-09:01 09:02-09:03 09:04-09:05 09:06-09:07"],
)
def test_many_rows_are_found_in_another_way_with_the_same_answers(hours: str) -> None:
    calendar = Calendar("x", "Europe/Berlin", week(hours, "mon-sun"))
    chance = np.random.default_rng(5)
    starts = np.datetime64("2024-03-01", "us") + chance.integers(0, 40 * 86_400 * 10**6, 5_000)
    budgets = chance.integers(0, 9 * 60, 5_000).astype("timedelta64[m]")
    for question in (calendar.dues, calendar.latest_starts):
        few = [
            question(starts[n : n + 1_000], budgets[n : n + 1_000]) for n in range(0, 5_000, 1_000)
        ]
        assert (question(starts, budgets).values == np.concatenate([x.values for x in few])).all()
    ends = starts + budgets
    halves = [calendar.open_betweens(starts[n::2], ends[n::2]).values for n in (0, 1)]
    whole = calendar.open_betweens(starts, ends).values
    assert (whole[::2] == halves[0]).all()
    assert (whole[1::2] == halves[1]).all()


def test_columns_of_every_unit() -> None:
    starts = np.array(["2024-07-01T10", "2024-07-01T11", "NaT"], "datetime64[h]")
    budgets = np.array([60, 120, 1], "timedelta64[m]")
    found = OFFICE.dues(starts, budgets)
    assert found.values.tolist()[:2] == [datetime(2024, 7, 1, 11), datetime(2024, 7, 1, 14)]
    assert np.isnat(found.values[2])
    assert found.values.dtype == "datetime64[us]"
    at_lunch = [at("2024-07-01 12:30")]
    for question in (OFFICE.dues, OFFICE.latest_starts):
        assert question(at_lunch, timedelta(0)).values.tolist() == [datetime(2024, 7, 1, 12, 30)]
    assert len(OFFICE.dues([], timedelta(0)).values) == 0
    assert len(OFFICE.dues([], []).values) == 0


def test_columns_that_are_none() -> None:
    now = [at("2024-07-01 10:00")]
    with refused(WrongTypeError, "starts"):
        OFFICE.dues(np.array(["2024-07-01"], "datetime64[D]"), minutes(1))
    with refused(WrongTypeError, "starts"):
        OFFICE.dues(np.array([1.5]), minutes(1))
    with refused(WrongTypeError, "budgets"):
        OFFICE.dues(now, [60])  # type: ignore[list-item]
    with refused(WrongTypeError, "budgets"):
        OFFICE.dues(now, np.array([1.5]))
    with refused(UnequalColumnsError, "budgets"):
        OFFICE.dues(now, [minutes(1), minutes(2)])
    with refused(UnequalColumnsError, "ends"):
        OFFICE.open_betweens(now, [*now, *now])


# --- the kernel -----------------------------------------------------------------------------------


def test_the_kernel_takes_any_stretches() -> None:
    def stretches(begin: int, end: int) -> list[tuple[int, int]]:
        minute = 60_000_000
        tens = range(begin // (10 * minute), end // (10 * minute) + 1)
        whole = [(n * 10 * minute, n * 10 * minute + 3 * minute) for n in tens]
        found = [(max(a, begin), min(b, end)) for a, b in whole]
        return [each for each in found if each[0] < each[1]]

    start = micros(at("2024-07-01 10:00"), "start")
    kernel = OpenTime("three of ten", stretches)
    assert kernel.due(start, 4 * 60_000_000) == start + 11 * 60_000_000
    assert kernel.between(start, start + 11 * 60_000_000) == 4 * 60_000_000
    assert union([(3, 5), (1, 2), (2, 3)]) == ((1, 5),)
