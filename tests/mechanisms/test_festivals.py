"""Dates of festivals, beside published dates and the position of the sun."""

from __future__ import annotations

import math
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from retention.mechanisms.errors import (
    BeyondKnownError,
    DuplicateError,
    InvalidValueError,
    MissingExtraError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.festivals import (
    CHINA,
    FIXED,
    Festival,
    FestivalRow,
    Festivals,
    Reckoning,
    lunar_date,
    qingming,
)
from retention.mechanisms.policies import stated
from tests.refusals import refused


# The table below scenario S-07 of the catalogue.
@pytest.mark.parametrize(
    ("year", "spring", "autumn"),
    [
        (2023, "01-22", "09-29"), (2024, "02-10", "09-17"), (2025, "01-29", "10-06"),
        (2026, "02-17", "09-25"), (2027, "02-06", "09-15"), (2028, "01-26", "10-03"),
        (2029, "02-13", "09-22"), (2030, "02-03", "09-12"),
    ],
)  # fmt: skip
def test_spring_festival_and_mid_autumn(year: int, spring: str, autumn: str) -> None:
    assert CHINA.on(Festival.SPRING_FESTIVAL, year).isoformat() == f"{year}-{spring}"
    assert CHINA.on("mid_autumn", year).isoformat() == f"{year}-{autumn}"


def test_all_festivals_of_2024() -> None:
    # As the notice of the State Council and printed calendars of that year have them.
    assert [str(each) for each in CHINA.of_year(2024)] == [
        "2024-01-01 new_year",
        "2024-02-09 spring_festival_eve",
        "2024-02-10 spring_festival",
        "2024-02-24 lantern",
        "2024-03-08 womens_day",
        "2024-04-04 qingming",
        "2024-05-01 labour_day",
        "2024-06-01 childrens_day",
        "2024-06-10 dragon_boat",
        "2024-08-10 qixi",
        "2024-09-17 mid_autumn",
        "2024-10-01 national_day",
        "2024-10-11 double_ninth",
    ]
    assert {each.festival for each in CHINA.of_year(2024)} == set(Festival)


def test_leap_months_do_not_move_festivals() -> None:
    # 2025 had a second sixth month, 2033 has a leap month eleven.
    assert CHINA.on("qixi", 2025) == date(2025, 8, 29)
    assert CHINA.on("spring_festival", 2034) == date(2034, 2, 19)


def sun_at(when: datetime) -> float:
    """Apparent longitude of the sun in degrees, to about a hundredth (low-precision theory)."""
    centuries = ((when - datetime(2000, 1, 1, 12, tzinfo=UTC)) / timedelta(days=36_525)) + (
        70 / 86_400 / 36_525
    )
    anomaly = math.radians(357.52911 + 35_999.05029 * centuries)
    centre = (
        (1.914602 - 0.004817 * centuries) * math.sin(anomaly)
        + (0.019993 - 0.000101 * centuries) * math.sin(2 * anomaly)
        + 0.000289 * math.sin(3 * anomaly)
    )
    node = math.radians(125.04 - 1934.136 * centuries)
    mean = 280.46646 + 36_000.76983 * centuries + 0.0003032 * centuries**2
    return (mean + centre - 0.00569 - 0.00478 * math.sin(node)) % 360


def test_qingming_is_the_day_on_which_the_sun_is_at_fifteen_degrees() -> None:
    doubtful = []
    for year in range(1950, 2100):
        begins = datetime.combine(qingming(year), datetime.min.time(), UTC) - timedelta(hours=8)
        edges = sun_at(begins), sun_at(begins + timedelta(days=1))
        if not edges[0] <= 15 < edges[1]:
            doubtful.append((year, min(abs(each - 15) for each in edges)))
    # The theory here is good for a quarter of an hour; the table must not be off by more.
    assert all(off < 0.015 for _, off in doubtful)
    assert len(doubtful) <= 2


@pytest.mark.parametrize(("year", "day"), [(2023, 5), (2024, 4), (2025, 4), (2026, 5), (2027, 5)])
def test_qingming_as_it_was_announced(year: int, day: int) -> None:
    assert qingming(year) == date(year, 4, day)


def test_a_year_without_data_is_an_error() -> None:
    with refused(BeyondKnownError, "qingming", given="2100", allowed="1950 to 2099"):
        qingming(2100)
    with refused(BeyondKnownError, "qingming", given="1949"):
        FIXED.of_year(1949)
    for year in (1899, 2100):
        with refused(BeyondKnownError, "lunar calendar", given=str(year), allowed="1900 to 2099"):
            CHINA.on("spring_festival", year)
    with refused(BeyondKnownError, "lunar calendar", given="day 30 of month 1 of 2024"):
        lunar_date(2024, 1, 30)


def test_a_company_adds_its_own() -> None:
    founding = FestivalRow("founding_day", Reckoning.GREGORIAN, 6, 18)
    sale = FestivalRow(
        "autumn_sale",
        Reckoning.LISTED,
        dates=stated((date(2024, 11, 2), date(2025, 11, 8)), "p. 3"),
    )
    ours = Festivals((founding, sale))
    assert [str(each) for each in ours.of_year(2024)] == [
        "2024-06-18 founding_day", "2024-11-02 autumn_sale",
    ]  # fmt: skip
    assert ours.on("autumn_sale", 2025) == date(2025, 11, 8)
    with refused(BeyondKnownError, "autumn_sale", given="2026", allowed="2024, 2025"):
        ours.on("autumn_sale", 2026)
    assert ours.with_("founding_day.day", 19).on("founding_day", 2024) == date(2024, 6, 19)
    found = ours.between(date(2024, 11, 2), date(2025, 6, 18))
    assert [each.on for each in found] == [date(2024, 11, 2), date(2025, 6, 18)]


def test_rows_that_are_none() -> None:
    with refused(UnknownNameError, "festival"):
        CHINA.on("easter", 2024)
    with refused(DuplicateError, "Festivals"):
        Festivals((*FIXED.rows, FIXED.rows[0]))
    with refused(InvalidValueError, "FestivalRow"):
        FestivalRow("x", Reckoning.GREGORIAN, 13, 1)
    with refused(InvalidValueError, "FestivalRow"):
        FestivalRow("x", Reckoning.LUNAR, 1, 31)
    with refused(DuplicateError, "FestivalRow.dates"):
        FestivalRow("x", Reckoning.LISTED, dates=(date(2024, 1, 1), date(2024, 1, 2)))
    with refused(WrongTypeError, "year"):
        CHINA.on("new_year", "2024")  # type: ignore[arg-type]
    with refused(BeyondKnownError, "leap_day", given="2025"):
        FestivalRow("leap_day", Reckoning.GREGORIAN, 2, 29).on(2025)


def test_without_the_extra_fixed_dates_are_still_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lunar_python", None)
    assert FIXED.on("national_day", 2024) == date(2024, 10, 1)
    with refused(MissingExtraError, "lunar dates", given="lunar_python", allowed="festivals"):
        CHINA.on("lantern", 2024)


def test_festivals_have_names() -> None:
    assert Festival.DOUBLE_NINTH.label("zh") == "重阳节"
    assert Festival.DRAGON_BOAT.label() == "dragon boat"
