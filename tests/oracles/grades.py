"""000 二(二): spend grades and loyalty grades, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

Bought = tuple[date, int, bool]  # day, amount, core product

SPEND = (("diamond", 5), ("platinum", 10), ("gold", 20), ("silver", 50))


def years_after(day: date, years: int) -> date:
    """The same day in another year; 29 February becomes the 28th where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def spend_grades(
    users: Sequence[Sequence[Bought]],
    as_of: date,
    *,
    ceil: bool = False,
    by_frequency: bool = False,
) -> list[str | None]:
    """Rank of the spend of the past year among all who ever bought; None for the others."""
    known = [[fact for fact in user if fact[0] <= as_of] for user in users]
    inside = [[fact for fact in user if years_after(as_of, -1) < fact[0]] for user in known]
    spent = [sum(amount for _, amount, _ in user) for user in inside]
    keys = [(x, len(y) if by_frequency else 0) for x, y in zip(spent, inside, strict=True)]
    ranked = [key for key, user in zip(keys, known, strict=True) if user]
    return [
        _spend_grade(1 + sum(other > key for other in ranked), len(ranked), key[0], ceil=ceil)
        if user
        else None
        for key, user in zip(keys, known, strict=True)
    ]


def _spend_grade(rank: int, number: int, spent: int, *, ceil: bool) -> str:
    for grade, percent in SPEND:
        most = Fraction(number * percent, 100)
        if ceil:
            most = Fraction(-(-most.numerator // most.denominator))
        if spent > 0 and rank <= most:
            return grade
    return "ordinary"


def loyalty_grade(
    user: Sequence[Bought], as_of: date, *, mode: str = "gaps", general_needs_run: bool = False
) -> str | None:
    """Loyal after 3 years of core products in a row, fairly after 2 of any, then 1 at all."""
    days = sorted(day for day, _, _ in user if day <= as_of)
    core = sorted(day for day, _, is_core in user if is_core and day <= as_of)
    if not days:
        return None
    if in_a_row(core, as_of, mode) >= 3:
        return "loyal"
    if in_a_row(days, as_of, mode) >= 2:
        return "fairly_loyal"
    once = in_a_row(days, as_of, mode) if general_needs_run else full_years(days[0], as_of)
    return "generally_loyal" if once >= 1 else "low"


def in_a_row(days: Sequence[date], as_of: date, mode: str) -> int:
    """How many years in a row, by one of the three readings (AMB-19)."""
    if mode == "calendar":
        years = {day.year for day in days}
        return next(n for n in range(9999) if as_of.year - n not in years)
    if mode == "blocks":
        edges = [(years_after(as_of, -n - 1), years_after(as_of, -n)) for n in range(60)]
        held = [any(low < day <= high for day in days) for low, high in edges]
        return held.index(False)
    start = None
    until = as_of
    for day in reversed(days):
        if until > years_after(day, 1):
            break
        start = until = day
    return 0 if start is None else full_years(start, as_of)


def full_years(start: date, as_of: date) -> int:
    return max(n for n in range(100) if n == 0 or years_after(start, n) <= as_of)
