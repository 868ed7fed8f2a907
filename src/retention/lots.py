"""Parcels of points with an expiry of their own, and when that is (E-15, SM-13).

A lot is opened by one fact and has that fact's number. Its days never change; only what
remains of it does. What the lots of an account are is decided in ``ledger``; here is how long
points are valid, and how many lots are kept so that a deep account stays fast: sorted by
(expiry, day of earning, number), in chunks, so that a change copies one chunk and not all.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from attrs import field, frozen

from retention.mechanisms.choices import member
from retention.mechanisms.errors import InvalidValueError, WrongTypeError
from retention.mechanisms.makers import maker
from retention.mechanisms.periods import plus_days, plus_months
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.words import Word

NEVER = date.max.toordinal() + 2  # sorts after every date
SLIDING = NEVER - 1  # expires with the inactivity of the account, which moves
CHUNK = 64  # lots copied by a change of one
_MANY = 2**63  # more than points of any lot
_FEW = 4  # chunks that are looked through faster than they are searched

Parts = tuple[tuple[int, int], ...]  # (number of the lot, points)
Row = tuple[int, int, int, int, int]  # expires, earned, number, remaining, usable: day ordinals


class LotState(Word):
    """Where a lot of points stands (SM-13); pending comes before available."""

    PENDING = "pending", "待生效"
    AVAILABLE = "available", "可用"
    USED = "used", "已使用"
    EXPIRED = "expired", "已过期"
    REVERSED = "reversed", "已冲销"


class PeriodEnd(Word):
    """To the end of which calendar period a validity is extended."""

    NONE = "none", "不延长"
    MONTH = "month", "月末"
    QUARTER = "quarter", "季末"
    HALF_YEAR = "half_year", "半年末"
    YEAR = "year", "年末"


_MONTHS = {PeriodEnd.MONTH: 1, PeriodEnd.QUARTER: 3, PeriodEnd.HALF_YEAR: 6, PeriodEnd.YEAR: 12}


def period_start(day: date, period: PeriodEnd) -> date:
    """Return the first day of the calendar period that a day lies in.

    >>> period_start(date(2024, 5, 3), PeriodEnd.QUARTER)
    datetime.date(2024, 4, 1)
    """
    if period is PeriodEnd.NONE:
        return day
    months = _MONTHS[period]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _count(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    name = f"Validity.{attribute.name}"
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise WrongTypeError(name, value, "a whole number, or None")
    if value is not None and value < 1:
        raise InvalidValueError(name, value, "1 or more, or None for no limit")


def _period(given: PeriodEnd | str) -> PeriodEnd:
    return member(PeriodEnd, given, "until_end_of")


@policy
class Validity(Policy):
    """How long points are valid: months or days, to a period's end, to a date, or for ever.

    Counted as in RC-03: the last usable day is the day of earning plus the months or days,
    then the end of its calendar period where ``until_end_of`` names one. With ``inactivity``
    the count starts again whenever points are earned or redeemed.

    >>> year = Validity(months=12, until_end_of=PeriodEnd.MONTH)
    >>> year.expires_on(date(2023, 5, 3)), year.usable_through(date(2023, 5, 3))
    (datetime.date(2024, 6, 1), datetime.date(2024, 5, 31))
    >>> Validity(days=30).usable_through(date(2024, 2, 1)), Validity().expires_on(date(2024, 2, 1))
    (datetime.date(2024, 3, 2), None)
    """

    months: int | None = field(default=None, validator=_count)
    days: int | None = field(default=None, validator=_count)
    until_end_of: PeriodEnd = field(default=PeriodEnd.NONE, converter=_period)
    through: date | None = None  # the last usable day, whenever they were earned
    inactivity: bool = False

    def __attrs_post_init__(self) -> None:
        limits = [self.months, self.days, self.through]
        if sum(limit is not None for limit in limits) > 1:
            raise InvalidValueError("Validity", limits, "one of months, days and through")
        if self.inactivity and self.months is None and self.days is None:
            raise InvalidValueError("Validity.inactivity", self, "months or days without activity")

    def usable_through(self, earned_on: date) -> date | None:
        """Return the last usable day of points of that day; None when they never expire."""
        if self.through is not None:
            return self.through
        if self.days is not None:
            last = plus_days(earned_on, self.days)
        elif self.months is not None:
            last = plus_months(earned_on, self.months)
        else:
            return None
        if self.until_end_of is PeriodEnd.NONE:
            return last
        start = period_start(last, self.until_end_of)
        return plus_days(plus_months(start, _MONTHS[self.until_end_of]), -1)

    def expires_on(self, earned_on: date) -> date | None:
        """Return the first unusable day of points of that day; None when they never expire."""
        last = self.usable_through(earned_on)
        return None if last is None else plus_days(last, 1)


@frozen
class Lot:
    """One lot as people look at it: where it came from, what remains, and its days."""

    number: int  # of the fact that opened it
    source: str
    currency: str
    points: int  # as it was opened
    remaining: int  # neither used nor held nor reversed
    earned_on: date
    usable_on: date
    expires_on: date | None  # the first unusable day; None: never, as things stand
    sliding: bool = False  # whether activity moves the expiry

    @property
    def usable_through(self) -> date | None:
        """The last usable day."""
        return None if self.expires_on is None else plus_days(self.expires_on, -1)

    def state(self, day: date, *, reversed_points: int = 0) -> LotState:
        """Return where the lot stands on a day (SM-13).

        >>> day = date(2024, 5, 31)
        >>> lot = Lot(1, "O-1", "points", 50, 20, date(2023, 5, 3), date(2023, 5, 3), day)
        >>> lot.state(day), lot.state(date(2024, 5, 30)), lot.usable_through
        (<LotState.EXPIRED: 'expired'>, <LotState.AVAILABLE: 'available'>, \
datetime.date(2024, 5, 30))
        """
        if not self.remaining:
            whole = reversed_points >= self.points
            return LotState.REVERSED if whole else LotState.USED
        if self.expires_on is not None and self.expires_on <= day:
            return LotState.EXPIRED
        return LotState.PENDING if day < self.usable_on else LotState.AVAILABLE


def _first(chunk: tuple[Row, ...]) -> tuple[int, int, int, int]:
    return chunk[0][:4]


def _last_expiry(chunk: tuple[Row, ...]) -> int:
    return chunk[-1][0]


@frozen(eq=False, weakref_slot=False)  # so that it has a maker
class Lots:
    """Open lots of one currency in spending order, in chunks of at most 128.

    >>> lots = Lots.of([(90, 1, 1, 50, 1), (80, 2, 2, 30, 2)])
    >>> [(number, remaining) for _, _, number, remaining, _ in lots]
    [(2, 30), (1, 50)]
    >>> list(lots.put((80, 2, 2, 0, 2)))
    [(90, 1, 1, 50, 1)]
    """

    chunks: tuple[tuple[Row, ...], ...] = ()

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Lots:
        """Return the lots that these rows are; a row without points is none."""
        found = sorted([row for row in rows if row[3]])
        if len(found) <= CHUNK:
            return _make((tuple(found),)) if found else NONE
        return cls(tuple(tuple(found[n : n + CHUNK]) for n in range(0, len(found), CHUNK)))

    def __iter__(self) -> Iterator[Row]:
        """Return every row, soonest to expire first, the expired ones before."""
        for chunk in self.chunks:
            yield from chunk

    def __len__(self) -> int:
        """Return how many lots are open."""
        return sum(map(len, self.chunks))

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same lots, however they are cut into chunks."""
        if not isinstance(other, Lots):
            return NotImplemented
        return self.chunks == other.chunks or tuple(self) == tuple(other)

    def __hash__(self) -> int:
        """Return a number that is equal for equal lots."""
        return hash(tuple(self))

    def live(self, day: int) -> tuple[int, int]:
        """Return the place, chunk and row, of the first lot that has not expired on a day."""
        chunks = self.chunks
        if len(chunks) > _FEW:
            at = bisect_right(chunks, day, key=_last_expiry)
        else:
            at = 0
            while at < len(chunks) and chunks[at][-1][0] <= day:
                at += 1
        if at == len(chunks) or chunks[at][0][0] > day:
            return at, 0
        return at, bisect_left(chunks[at], (day + 1,))

    def after(self, day: int) -> Iterator[Row]:
        """Return the lots that have not expired on a day, soonest to expire first."""
        at, row = self.live(day)
        if at < len(self.chunks):
            yield from self.chunks[at][row:]
            for chunk in self.chunks[at + 1 :]:
                yield from chunk

    def before(self, day: int) -> Iterator[Row]:
        """Return the lots that expired on or before a day."""
        at, row = self.live(day)
        for chunk in self.chunks[:at]:
            yield from chunk
        if row:
            yield from self.chunks[at][:row]

    def find(self, expires: int, earned: int, number: int) -> Row | None:
        """Return the row of a lot with these days and number."""
        key = (expires, earned, number)
        place = self._chunk(key)
        if place < 0:
            return None
        chunk = self.chunks[place]
        at = bisect_left(chunk, key)
        return chunk[at] if at < len(chunk) and chunk[at][:3] == key else None

    def _chunk(self, key: tuple[int, int, int]) -> int:
        """Return the place of the chunk that holds or would take a key; -1 before all."""
        return bisect_right(self.chunks, (*key, _MANY), key=_first) - 1

    def put(self, row: Row) -> Lots:
        """Return the lots with a row added or replaced; one without points is left out."""
        chunks = self.chunks
        if not chunks:
            return Lots(((row,),)) if row[3] else self
        if row[:3] > chunks[-1][-1][:3]:
            return self.added(row) if row[3] else self
        place = max(self._chunk(row[:3]), 0)
        chunk = chunks[place]
        at = bisect_left(chunk, row[:3])
        same = at < len(chunk) and chunk[at][:3] == row[:3]
        new = chunk[:at] + ((row,) if row[3] else ()) + chunk[at + same :]
        if len(new) > 2 * CHUNK:
            return Lots((*chunks[:place], new[:CHUNK], new[CHUNK:], *chunks[place + 1 :]))
        return Lots((*chunks[:place], *((new,) if new else ()), *chunks[place + 1 :]))

    def added(self, row: Row) -> Lots:
        """Return the lots with a new one; as a rule the newest expires last."""
        chunks = self.chunks
        if not chunks:
            return _make(((row,),))
        last = chunks[-1]
        if row < last[-1]:
            return self.put(row)
        if len(last) >= CHUNK:
            return _make((*chunks, (row,)))
        longer = last + (row,)  # noqa: RUF005  faster than unpacking
        return _make((longer,) if len(chunks) == 1 else (*chunks[:-1], longer))

    def spent(self, day: int, points: int) -> tuple[Lots, Parts] | None:
        """Take points from the first live lots; None unless these are usable and enough.

        It is the ordinary case of a redemption: what is taken stands side by side.
        """
        chunks = self.chunks
        if not chunks:
            return None
        place, first = (0, 0) if chunks[0][0][0] > day else self.live(day)
        start, at, need = place, first, points
        taken: Parts = ()
        while place < len(chunks):
            chunk = chunks[place]
            while at < len(chunk):
                expires, earned, number, left, usable = chunk[at]
                if usable > day:
                    return None
                at += 1
                if left < need:
                    taken = (*taken, (number, left))
                    need -= left
                    continue
                rest = chunk[at:]
                if left > need:
                    rest = ((expires, earned, number, left - need, usable),) + rest  # noqa: RUF005
                if first:
                    rest = chunks[start][:first] + rest
                parts = taken + ((number, need),)  # noqa: RUF005
                if not rest:
                    return _make(chunks[:start] + chunks[place + 1 :]), parts
                if len(chunks) == 1:
                    return _make((rest,)), parts
                return _make((*chunks[:start], rest, *chunks[place + 1 :])), parts
            place, at = place + 1, 0
        return None


_make = maker(Lots)
NONE = Lots()
