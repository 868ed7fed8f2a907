"""RC-06, RC-08 and D-03: which days a window holds."""

from __future__ import annotations

from datetime import date, timedelta


def within_last(day: date, number: int, as_of: date) -> bool:
    """RC-06: the days 0..N, so day N is in."""
    return 0 <= (as_of - day).days <= number


def latest(day: date, number: int, as_of: date) -> bool:
    """RC-06, windows compared with each other: exactly N dates, (as_of - N, as_of]."""
    return as_of - timedelta(days=number) < day <= as_of


def preceding(day: date, number: int, as_of: date) -> bool:
    """RC-06: before it (as_of - 2N, as_of - N]."""
    return as_of - timedelta(days=2 * number) < day <= as_of - timedelta(days=number)


def years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return date(day.year - years, 2, 28)


def within_past_year(day: date, as_of: date) -> bool:
    """RC-08: (as_of - 1 year, as_of]."""
    return years_before(as_of, 1) < day <= as_of


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or the last that there is."""
    number = day.year * 12 + day.month - 1 - months
    for last in (day.day, 30, 29, 28):
        try:
            return date(number // 12, number % 12 + 1, min(last, day.day))
        except ValueError:
            continue
    raise AssertionError


def full_weeks(number: int, as_of: date) -> list[tuple[date, date]]:
    """D-03: Monday to Sunday, ended by as_of, the latest first."""
    sunday = as_of
    while sunday.isoweekday() != 7:
        sunday -= timedelta(days=1)
    ends = [sunday - timedelta(days=7 * week) for week in range(number)]
    return [(end - timedelta(days=6), end) for end in ends]
