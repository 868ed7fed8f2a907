"""Ten thousand questions beside the clock on the wall, and beside a peer where that is right."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from random import Random  # noqa: TID251  always with a seed
from typing import Any

import pytest

from retention.mechanisms.calendars import Calendar, Closure, Opening, WeekHours
from retention.mechanisms.errors import BeyondKnownError
from retention.mechanisms.hours import ALL_DAY, WEEK, Hours
from retention.testing.oracles import stepped_between, stepped_due, stepped_latest_start
from retention.testing.strategies.calendars import CHANGES

MINUTE = timedelta(minutes=1)
DAYS = ("00:00-24:00", "09:00-12:00 13:00-18:00", "22:00-24:00", "00:00-02:30", "02:15-03:45")
NIGHTS = ("00:00-06:00 23:30-24:00", "01:30-02:30", "23:00-23:59", "02:00-02:30 03:00-24:00")


def drawn(chance: Random, zone: str, middle: date) -> Calendar:
    """A calendar around a change of clocks."""
    hours = chance.sample((*DAYS, *NIGHTS), 2)
    days = chance.sample(WEEK, 7)
    cut = chance.randint(3, 7)
    parts = [part for part in (days[:cut], days[cut:]) if part]
    rows = [WeekHours(part, each) for part, each in zip(parts, hours, strict=False)]
    week = {day: row.hours for row in rows for day in row.days}
    near = [middle + timedelta(days=n) for n in (-2, -1, 0, 1, 2)]
    closed = {
        day: chance.choice((ALL_DAY, Hours.of("00:00-02:30"), Hours.of("10:00-14:00")))
        for day in chance.sample(near, 2)
    }
    openings = []
    for day in chance.sample(near, 1):
        left = week.get(WEEK[day.weekday()], Hours()).without(closed.get(day, Hours()))
        extra = Hours.of(chance.choice((*DAYS, *NIGHTS))).without(left)
        openings += [Opening(day, extra)] if extra.segments else []
    return Calendar(
        zone, zone, tuple(rows),
        closures=tuple(Closure(day, hours=each) for day, each in closed.items()),
        openings=tuple(openings),
        known_from=middle - timedelta(days=40),
        known_through=middle + timedelta(days=40),
    )  # fmt: skip


@pytest.mark.deep
@pytest.mark.parametrize("zone", sorted(CHANGES))
def test_questions_beside_the_clock_on_the_wall(zone: str) -> None:
    chance, asked = Random(zone), 0  # noqa: S311
    while asked < 10_000 / len(CHANGES):
        middle = chance.choice(CHANGES[zone])
        calendar = drawn(chance, zone, middle)
        noon = datetime.combine(middle, time(), UTC)
        for _ in range(10):
            start = noon + chance.randint(-2_000, 2_000) * MINUTE
            end = start + chance.randint(0, 2_500) * MINUTE
            budget = chance.randint(0, 480) * MINUTE
            assert calendar.open_between(start, end) == stepped_between(calendar, start, end)
            try:
                found = calendar.due(start, budget)
            except BeyondKnownError:
                continue
            assert found == stepped_due(calendar, start, budget)
            back = calendar.latest_start(start, budget)
            assert back == stepped_latest_start(calendar, start, budget)
            asked += 1
    assert asked >= 10_000 / len(CHANGES)


# --- beside a peer --------------------------------------------------------------------------------
# The peer is right where no segment begins in an hour that is left out, and where no closed date
# has 23 or 25 hours. It cannot say 24:00.


def peer_rules(calendar: Calendar) -> Any:  # noqa: ANN401
    business = pytest.importorskip("businesstimedelta")
    pytz = pytest.importorskip("pytz")
    zone = pytz.timezone(calendar.zone)
    days = [
        business.WorkDayRule(
            time(since // 3600, since // 60 % 60), time(until // 3600, until // 60 % 60),
            [WEEK.index(day) for day in row.days], tz=zone,
        )
        for row in calendar.week
        for since, until in row.hours.segments
    ]  # fmt: skip
    closed = [each.first for each in calendar.closures] or [date(2000, 1, 1)]
    return business, business.Rules([*days, business.HolidayRule(closed, tz=zone)])


@pytest.mark.deep
@pytest.mark.filterwarnings("ignore")  # what a peer warns of is its own
@pytest.mark.parametrize(
    "zone", ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
)
def test_questions_beside_a_peer(zone: str) -> None:
    closed = [date(2024, month, day) for month, day in ((1, 1), (5, 1), (12, 25))]
    office = Calendar(
        zone, zone, (WeekHours("mon-fri", "09:00-12:00 13:00-18:00"),),
        closures=tuple(map(Closure, closed)), known_from=date(2023, 1, 1),
        known_through=date(2025, 12, 31),
    )  # fmt: skip
    business, rules = peer_rules(office)
    chance, found = Random(zone), Counter[bool]()  # noqa: S311
    for _ in range(400):
        start = datetime(2024, 1, 1, tzinfo=UTC) + chance.randint(0, 500_000) * MINUTE
        end = start + chance.randint(0, 14_000) * MINUTE
        budget = chance.randint(1, 2_400) * MINUTE
        due = start + business.BusinessTimeDelta(rules, seconds=int(budget.total_seconds()))
        found[due == office.due(start, budget)] += 1
        difference = rules.difference(start, end)
        elapsed = timedelta(hours=difference.hours, seconds=difference.seconds)
        found[elapsed == office.open_between(start, end)] += 1
    assert found == {True: 800}
