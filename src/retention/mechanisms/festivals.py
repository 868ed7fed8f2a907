"""Dates of festivals: fixed ones, those of the Chinese lunar calendar, and a company's own.

The date of a festival is not a day off: which days are off, and which Saturdays are worked for
them, is announced every year and given to a ``Calendar`` as data. A year without data is an
error. Lunar dates need the extra ``festivals``; fixed ones and Qingming do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from attrs import field, frozen

from retention.mechanisms.choices import member
from retention.mechanisms.errors import (
    BeyondKnownError,
    DuplicateError,
    InvalidValueError,
    MissingExtraError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.words import Word


class Festival(Word):
    """Festivals of China and the international ones kept there."""

    NEW_YEAR = "new_year", "元旦"
    SPRING_FESTIVAL_EVE = "spring_festival_eve", "除夕"
    SPRING_FESTIVAL = "spring_festival", "春节"
    LANTERN = "lantern", "元宵节"
    WOMENS_DAY = "womens_day", "妇女节"
    QINGMING = "qingming", "清明节"
    LABOUR_DAY = "labour_day", "劳动节"
    CHILDRENS_DAY = "childrens_day", "儿童节"
    DRAGON_BOAT = "dragon_boat", "端午节"
    QIXI = "qixi", "七夕"
    MID_AUTUMN = "mid_autumn", "中秋节"
    DOUBLE_NINTH = "double_ninth", "重阳节"
    NATIONAL_DAY = "national_day", "国庆节"


class Reckoning(Word):
    """How a festival's date is found."""

    GREGORIAN = "gregorian", "公历"
    LUNAR = "lunar", "农历"
    SOLAR_TERM = "solar_term", "节气"
    LISTED = "listed", "逐年列出"


@policy
class FestivalRow(Policy):
    """One festival: a month and a day of a calendar, or dates listed year by year.

    ``days_after`` moves the date: the eve of the Spring Festival is one day before it. A
    company's own day has a name of its own in ``festival``.
    """

    festival: str
    reckoning: Reckoning = field(converter=lambda given: member(Reckoning, given, "reckoning"))
    month: int = 0
    day: int = 0
    days_after: int = field(default=0, kw_only=True)
    dates: tuple[date, ...] = field(default=(), converter=tuple, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not is_blank(self.month) and self.reckoning in {Reckoning.GREGORIAN, Reckoning.LUNAR}:
            _checked_day(self.reckoning, self.month, self.day)
        years = [each.year for each in self.dates]
        if len(set(years)) < len(years):
            raise DuplicateError("FestivalRow.dates", str(self.dates))

    @property
    def key(self) -> str:
        """Name of the row in a path."""
        return str(self.festival)

    def on(self, year: int) -> date:
        """Return the date of the festival that is counted in a year; an error without data."""
        found = {
            Reckoning.GREGORIAN: self._gregorian,
            Reckoning.LUNAR: self._lunar,
            Reckoning.SOLAR_TERM: self._solar_term,
            Reckoning.LISTED: self._listed,
        }[self.reckoning](year)
        return found + timedelta(days=self.days_after)

    def _gregorian(self, year: int) -> date:
        try:
            return date(year, self.month, self.day)
        except ValueError:
            raise BeyondKnownError(self.key, str(year), "years with such a date") from None

    def _lunar(self, year: int) -> date:
        return lunar_date(year, self.month, self.day)

    def _solar_term(self, year: int) -> date:
        return qingming(year)

    def _listed(self, year: int) -> date:
        found = next((each for each in self.dates if each.year == year), None)
        if found is None:
            years = ", ".join(str(each.year) for each in self.dates)
            raise BeyondKnownError(self.key, str(year), years or "no year")
        return found


def _checked_day(reckoning: Reckoning, month: int, day: int) -> None:
    longest = 31 if reckoning is Reckoning.GREGORIAN else 30
    if not (1 <= month <= 12 and 1 <= day <= longest):  # noqa: PLR2004  months of a year
        raise InvalidValueError("FestivalRow", (month, day), f"month 1 to 12, day 1 to {longest}")


@frozen
class FestivalDate:
    """A festival and its date."""

    on: date
    festival: str

    def __str__(self) -> str:
        """Return the date and the code."""
        return f"{self.on} {self.festival}"


@policy
class Festivals(Policy):
    """The festivals that a company keeps; its own rows may be added.

    >>> ours = Festivals((FestivalRow("founding_day", "gregorian", 6, 18), *FIXED.rows))
    >>> [str(each) for each in ours.of_year(2025)][:2]
    ['2025-01-01 new_year', '2025-03-08 womens_day']
    >>> ours.on("founding_day", 2025)
    datetime.date(2025, 6, 18)
    """

    rows_in = "rows"
    rows: tuple[FestivalRow, ...] = field(converter=tuple)

    def __attrs_post_init__(self) -> None:
        if is_blank(self.rows):
            return
        keys = [row.key for row in self.rows]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice:
            raise DuplicateError("Festivals", twice)

    def on(self, festival: str, year: int) -> date:
        """Return the date of a festival in a year; a year without data is an error."""
        row = next((row for row in self.rows if row.key == str(festival)), None)
        if row is None:
            raise UnknownNameError("festival", str(festival), [row.key for row in self.rows])
        return row.on(_checked_year(year))

    def of_year(self, year: int) -> tuple[FestivalDate, ...]:
        """Return the festivals of a year by date; one year without data is an error for all."""
        found = [FestivalDate(row.on(_checked_year(year)), row.festival) for row in self.rows]
        return tuple(sorted(found, key=lambda each: (each.on, str(each.festival))))

    def between(self, first: date, last: date) -> tuple[FestivalDate, ...]:
        """Return the festivals from a date to another, both included."""
        return tuple(each for each in self._around(first, last) if first <= each.on <= last)

    def _around(self, first: date, last: date) -> Iterator[FestivalDate]:
        for year in range(first.year, last.year + 1):
            yield from self.of_year(year)


def _checked_year(year: int) -> int:
    if isinstance(year, bool) or not isinstance(year, int):
        raise WrongTypeError("year", year, "a whole number such as 2026")
    return year


# --- where dates come from ------------------------------------------------------------------------

_FIRST_LUNAR, _LAST_LUNAR = 1900, 2099


def lunar_date(year: int, month: int, day: int) -> date:
    """Return the date of a day of the Chinese lunar calendar, in an ordinary month.

    Known for the lunar years 1900 to 2099, by the partner of the extra. Festivals are not kept
    in leap months.

    >>> lunar_date(2024, 1, 1)
    datetime.date(2024, 2, 10)
    """
    try:
        from lunar_python import Lunar, LunarMonth
    except ImportError as cause:
        raise MissingExtraError("lunar dates", "lunar_python", "festivals") from cause
    if not _FIRST_LUNAR <= year <= _LAST_LUNAR:
        raise BeyondKnownError("lunar calendar", str(year), f"{_FIRST_LUNAR} to {_LAST_LUNAR}")
    whole: Any = LunarMonth.fromYm(year, month)
    if whole is None or not 1 <= day <= whole.getDayCount():
        text = f"day {day} of month {month} of {year}"
        raise BeyondKnownError("lunar calendar", text, "days that the month has")
    found: Any = Lunar.fromYmd(year, month, day).getSolar()
    return date(found.getYear(), found.getMonth(), found.getDay())


# Day of April of each year, one row a decade: Hong Kong Observatory, Gregorian-Lunar Calendar
# Conversion Table (solar term Ching Ming, sun at 15 degrees, dates of UTC+8).
_QINGMING = {
    1950: "5555555555",
    1960: "5555555555",
    1970: "5555554555",
    1980: "4555455545",
    1990: "5545554555",
    2000: "4555455544",
    2010: "5544554455",
    2020: "4455445544",
    2030: "5544554455",
    2040: "4445444544",
    2050: "4544454445",
    2060: "4445444544",
    2070: "4544444444",
    2080: "4444444444",
    2090: "4444444444",
}


def qingming(year: int) -> date:
    """Return the date of Qingming, which is a solar term, from a published table.

    >>> qingming(2024), qingming(2023)
    (datetime.date(2024, 4, 4), datetime.date(2023, 4, 5))
    """
    decade = year - year % 10
    if decade not in _QINGMING:
        raise BeyondKnownError("qingming", str(year), f"{min(_QINGMING)} to {max(_QINGMING) + 9}")
    return date(year, 4, int(_QINGMING[decade][year % 10]))


FIXED = Festivals(
    (
        FestivalRow(Festival.NEW_YEAR, Reckoning.GREGORIAN, 1, 1),
        FestivalRow(Festival.WOMENS_DAY, Reckoning.GREGORIAN, 3, 8),
        FestivalRow(Festival.QINGMING, Reckoning.SOLAR_TERM),
        FestivalRow(Festival.LABOUR_DAY, Reckoning.GREGORIAN, 5, 1),
        FestivalRow(Festival.CHILDRENS_DAY, Reckoning.GREGORIAN, 6, 1),
        FestivalRow(Festival.NATIONAL_DAY, Reckoning.GREGORIAN, 10, 1),
    )
)
"""Festivals whose dates need no extra."""

CHINA = Festivals(
    (
        *FIXED.rows,
        FestivalRow(Festival.SPRING_FESTIVAL_EVE, Reckoning.LUNAR, 1, 1, days_after=-1),
        FestivalRow(Festival.SPRING_FESTIVAL, Reckoning.LUNAR, 1, 1),
        FestivalRow(Festival.LANTERN, Reckoning.LUNAR, 1, 15),
        FestivalRow(Festival.DRAGON_BOAT, Reckoning.LUNAR, 5, 5),
        FestivalRow(Festival.QIXI, Reckoning.LUNAR, 7, 7),
        FestivalRow(Festival.MID_AUTUMN, Reckoning.LUNAR, 8, 15),
        FestivalRow(Festival.DOUBLE_NINTH, Reckoning.LUNAR, 9, 9),
    )
)
"""All festivals of this room; the lunar ones need the extra ``festivals``."""
