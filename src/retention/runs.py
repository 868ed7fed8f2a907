"""Unbroken runs of purchases, of one customer and of many (C-11, AMB-19)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from retention.mechanisms.periods import day_number, day_of, plus_days, plus_months
from retention.mechanisms.words import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_RUN = 2**31  # first day of a run that there is not: later than any day


class RunOf(Word):
    """What must follow without a gap (AMB-19)."""

    GAPS = "gaps", "间隔不超过12个月"
    YEARS = "years", "自然年"
    BLOCKS = "blocks", "12个月区间"


def run(days: list[date], today: date, by: RunOf) -> int:
    """Return the run that still lasts on a day: its first day number, or its length.

    ``days`` rise. Without a run the first day is ``NO_RUN`` and the length 0.

    >>> days = [date(2020, 3, 1), date(2021, 3, 1), date(2022, 3, 2)]
    >>> run(days, date(2022, 6, 30), RunOf.GAPS) == day_number(date(2022, 3, 2))
    True
    >>> run(days, date(2022, 6, 30), RunOf.YEARS)
    3
    """
    if by is not RunOf.GAPS:
        return _blocks(days, today, by)
    start: date | None = None
    after = today
    for day in reversed(days):
        if plus_months(day, 12) < after:
            break
        start = after = day
    return NO_RUN if start is None else day_number(start)


def _blocks(days: list[date], today: date, by: RunOf) -> int:
    """Count back the years, or blocks of 12 months, that hold a purchase."""
    held = {_block(day, today, by) for day in days}
    number = 0
    while number in held:
        number += 1
    return number


def _block(day: date, today: date, by: RunOf) -> int:
    if by is RunOf.YEARS:
        return today.year - day.year
    number = 0
    while number < today.year and plus_months(today, -12 * (number + 1)) >= day:
        number += 1
    return number


def full_years(start: date, today: date) -> int:
    """Return the full years between two dates; 29 February counts as the month's end.

    >>> (
    ...     full_years(date(2020, 2, 29), date(2023, 2, 28)),
    ...     full_years(date(2021, 3, 2), date(2024, 3, 1)),
    ... )
    (3, 2)
    """
    years = max(0, today.year - start.year)
    return years if plus_months(start, 12 * years) <= today else years - 1


def turns_of_run(days: list[date], today: date, by: RunOf) -> tuple[date, ...]:
    """Dates on which a run may grow by a year, or break because nothing was bought.

    >>> [str(day) for day in turns_of_run([date(2023, 3, 1)], date(2023, 6, 1), RunOf.GAPS)]
    ['2024-03-01', '2024-03-02']
    """
    if by is RunOf.YEARS:
        begin = date(today.year, 1, 1)
        return tuple(plus_months(begin, 12 * n) for n in range(1, len(days) + 2))
    if by is RunOf.BLOCKS:
        ends = [plus_months(day, 12 * n) for day in days for n in range(1, len(days) + 2)]
        return tuple(plus_days(end, extra) for end in ends for extra in range(4))
    start = run(days, today, by)
    if start == NO_RUN:
        return ()
    breaks = plus_days(plus_months(days[-1], 12), 1)
    years = range(1, breaks.year - day_of(start).year + 1)
    return (*(plus_months(day_of(start), 12 * n) for n in years), breaks)


def runs(
    codes: NDArray[np.intp], days: NDArray[np.int64], size: int, today: date, by: RunOf
) -> NDArray[np.int64]:
    """Return :func:`run` for every code, from the codes and day numbers of its purchases.

    >>> import numpy as np
    >>> days = np.array([day_number(date(2022, 3, 1)), day_number(date(2023, 2, 1))])
    >>> runs(np.array([0, 0]), days, 2, date(2023, 6, 1), RunOf.YEARS).tolist()
    [2, 0]
    """
    import numpy as np

    different, place = np.unique(days, return_inverse=True)
    dates = [day_of(day) for day in different.tolist()]
    if by is RunOf.GAPS:
        limits = np.array([day_number(plus_months(day, 12)) for day in dates], np.int64)
        return _starts(codes, days, limits[place], size, day_number(today))
    blocks = np.array([_block(day, today, by) for day in dates], np.int64)
    pairs = np.unique(codes.astype(np.int64) << _BITS | blocks[place])
    who, block = pairs >> _BITS, pairs & ((1 << _BITS) - 1)
    begins = np.flatnonzero(np.diff(who, prepend=-1))
    position = np.arange(len(who)) - np.repeat(begins, np.diff(begins, append=len(who)))
    return np.bincount(who[block == position], minlength=size)


_BITS = 32  # a code and a number share one integer


def _starts(
    codes: NDArray[np.intp],
    days: NDArray[np.int64],
    limits: NDArray[np.int64],
    size: int,
    today: int,
) -> NDArray[np.int64]:
    """First day of the run that still lasts, per code; ``limits`` say how long each day reaches."""
    import numpy as np

    found = np.full(size, NO_RUN, np.int64)
    order = np.lexsort((days, codes))
    codes, days, limits = codes[order], days[order], limits[order]
    begins = np.flatnonzero(np.diff(codes, prepend=-1))
    if not begins.size:
        return found
    after = np.append(days[1:], today)
    after[np.append(begins[1:], len(codes)) - 1] = today
    place = np.arange(len(codes))
    broken = np.maximum.reduceat(np.where(limits < after, place, -1), begins)
    first = np.where(broken >= 0, broken + 1, begins)
    lasts = first < np.append(begins[1:], len(codes))
    found[codes[begins[lasts]]] = days[first[lasts]]
    return found
