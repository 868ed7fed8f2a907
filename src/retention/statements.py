"""What a member reads: balances, statements, what expires when, and reminders (E-14, E-16).

A statement names every point: where it came from, where it went, and what time took. Its
balance is what is available, pending and held, less a debt. Expiries and lapsed holds stand in
it though no fact says so: they follow from the facts and the calendar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from heapq import heappop, heappush
from typing import Any
from zoneinfo import ZoneInfo

from attrs import define, field, frozen

from retention.mechanisms.periods import AsOf, plus_days
from retention.mechanisms.words import Word
from retention.points import Captured, Held, Parts, PointsCommand, PointsFact, Released

POINTS_EXPIRY = "points_expiry"  # kind of the request


class TimeEvent(Word):
    """What happens to points by time alone."""

    EXPIRE = "expire", "过期"
    LAPSE = "lapse", "预占到期"


class DueKind(Word):
    """What is due next in an account of points."""

    REMINDER = "reminder", "到期提醒"
    EXPIRY = "expiry", "积分到期"
    PENDING = "pending", "待生效积分生效"
    HOLD = "hold", "预占到期"


@frozen
class Balance:
    """What stands in an account, in points of one currency.

    >>> str(Balance(180, next_expires_on=date(2024, 6, 1), next_expiring=50))
    'available 180, pending 0, held 0; 50 usable through 2024-05-31'
    """

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    expired: int = 0  # what lots had left when they expired
    next_expires_on: date | None = None  # the first unusable day of what expires next
    next_expiring: int = 0

    @property
    def total(self) -> int:
        """What a statement ends with."""
        return self.available + self.pending + self.held - self.debt

    @property
    def usable_through(self) -> date | None:
        """Last usable day of what expires next."""
        return None if self.next_expires_on is None else plus_days(self.next_expires_on, -1)

    def __str__(self) -> str:
        """Return one line for people."""
        debt = f", debt {self.debt}" if self.debt else ""
        said = f"available {self.available}, pending {self.pending}, held {self.held}{debt}"
        last = self.usable_through
        return f"{said}; {self.next_expiring} usable through {last}" if last else said


@frozen
class Expiring:
    """Points that expire on one day, if nothing happens before; on None: never."""

    currency: str
    points: int
    expires_on: date | None

    @property
    def usable_through(self) -> date | None:
        """The last usable day."""
        return None if self.expires_on is None else plus_days(self.expires_on, -1)


@frozen
class Due:
    """Something that comes by itself: what, on which day, for how many points."""

    kind: DueKind
    on: date
    points: int
    currency: str
    reference: str = ""  # id of the hold
    usable_through: date | None = None

    @property
    def order(self) -> tuple[date, str, str, str, date]:
        """Sort key of a list of what is due."""
        last = self.usable_through or date.max
        return self.on, self.kind, self.currency, self.reference, last

    def __str__(self) -> str:
        """Return one line for people."""
        last = f" usable through {self.usable_through}" if self.usable_through else ""
        return f"{self.on} {self.kind}: {self.points} {self.currency}{last}"


@frozen
class ExpiryReminder:
    """A request to tell a member that points expire: how many, when, what they buy (E-16)."""

    account: str
    points: int
    currency: str
    usable_through: date
    available: int  # on the day of the reminder, those that expire included
    affordable: tuple[str, ...] = ()  # items that the available points pay, dearest first
    kind: str = POINTS_EXPIRY


def reminders(
    account: str, due: Iterable[Due], available: Mapping[str, int], prices: Mapping[str, int]
) -> tuple[ExpiryReminder, ...]:
    """Return a request for each reminder among what is due.

    ``available`` are points by currency, ``prices`` points by item of the catalogue.

    >>> due = Due(DueKind.REMINDER, date(2024, 5, 31), 80, "points", "", date(2024, 6, 30))
    >>> prices = {"cup": 60, "scarf": 200}
    >>> reminders("M-1", [due], {"points": 110}, prices)[0].affordable
    ('cup',)
    """
    found = []
    for each in due:
        if each.kind is DueKind.REMINDER and each.usable_through is not None:
            have = available.get(each.currency, 0)
            items = sorted((-price, item) for item, price in prices.items() if price <= have)
            found.append(
                ExpiryReminder(
                    *(account, each.points, each.currency, each.usable_through, have),
                    tuple(item for _, item in items),
                )
            )
    return tuple(found)


@frozen
class Entry:
    """One line of a statement: what changed the balance, by how much, and the balance then."""

    on: date
    what: Any  # a PointsCommand, or the TimeEvent that happened by itself
    points: int
    balance: int
    reference: str = ""
    lots: Parts = ()  # which lots, and by how much


@frozen
class Statement:
    """Every change between two local dates, both inside."""

    account: str
    currency: str
    since: date
    until: date
    opening: int
    closing: int
    entries: tuple[Entry, ...]
    rebooked: bool = False  # a late fact has changed which lots earlier entries took

    def __str__(self) -> str:
        """Return the statement as lines of text."""
        lines = [f"{self.account}, {self.currency}, {self.since} to {self.until}"]
        lines += [f"{'opening':32}{self.opening:>18}"]
        lines += [
            f"{x.on} {x.what:<20} {x.points:>+8} {x.balance:>9} {x.reference}".rstrip()
            for x in self.entries
        ]
        return "\n".join([*lines, f"{'closing':32}{self.closing:>18}"])


@define
class Walk:
    """A walk through the facts of one currency in the order of effect, line by line."""

    currency: str
    zone: ZoneInfo
    total: int = 0
    left: dict[int, int] = field(factory=dict)
    expired: set[int] = field(factory=set)
    sliding: set[int] = field(factory=set)
    coming: list[tuple[int, int]] = field(factory=list)  # (day of expiry, lot), a heap
    slides: int = 0
    debt: int = 0
    holds: dict[str, Held] = field(factory=dict)
    lines: list[Entry] = field(factory=list)

    def step(self, fact: PointsFact) -> None:
        """Write what happened by itself before a fact, and the fact."""
        over = (x for x in self.holds.values() if x.over_before(fact.at, fact.on, self.zone))
        self._advance(fact.on, over)
        if getattr(fact, "currency", None) != self.currency:
            return
        before, fresh = self.total, list[tuple[int, int]]()
        renews = getattr(fact, "renews", None)
        if renews is not None:
            self.slides = max(self.slides, renews.toordinal())
        if fact.opened:
            self._open(fact)
        if isinstance(fact, Held):
            self.holds[fact.hold] = fact
            self.total += fact.points
        elif isinstance(fact, Captured | Released):
            self.total -= self.holds.pop(fact.hold).points
        taken, given = fact.moves
        for lot, points in taken:
            self._move(lot, -points)
        for lot, points in given:
            self._move(lot, points)
            if lot in self.expired:  # it comes back, and is expired at once
                self.total += points
                fresh.append((lot, points))
        self.debt += fact.owed
        self.total -= fact.owed
        opened = ((fact.sequence, fact.opened),) if fact.opened else ()
        lots = (*opened, *((lot, -n) for lot, n in taken), *given)
        reference = next(iter(fact.names), "")
        self._write(fact.on, fact.name, self.total - before, reference, lots)
        for part in fresh:
            self._expire(fact.on, [part])

    def _open(self, fact: Any) -> None:  # noqa: ANN401  any fact that opens a lot
        self.left[fact.sequence] = fact.opened
        self.total += fact.opened
        if fact.sliding:
            self.sliding.add(fact.sequence)
        elif fact.expires_on is not None:
            heappush(self.coming, (fact.expires_on.toordinal(), fact.sequence))

    def _move(self, lot: int, points: int) -> None:
        self.left[lot] += points
        if lot not in self.expired:
            self.total += points

    def _write(
        self, on: date, what: PointsCommand | TimeEvent, points: int, reference: str, lots: Parts
    ) -> None:
        self.lines.append(Entry(on, what, points, self.total, reference, lots))

    def _expire(self, on: date, parts: Parts | list[tuple[int, int]]) -> None:
        points = sum(n for _, n in parts)
        if points:
            self.total -= points
            lots = tuple((lot, -n) for lot, n in parts if n)
            self._write(on, TimeEvent.EXPIRE, -points, "", lots)

    def _advance(self, day: date, lapsed: Iterable[Held]) -> None:
        """Write what time did up to the beginning of a fact, or the end of a day."""
        backs = sorted((x.lapse_day(self.zone).toordinal(), x.sequence, x) for x in lapsed)
        for back, _, held in backs:
            self._expire_until(min(back, day.toordinal()))
            self._lapse(date.fromordinal(back), held)
        self._expire_until(day.toordinal())

    def _lapse(self, on: date, held: Held) -> None:
        del self.holds[held.hold]
        fresh = []
        for lot, points in held.taken:
            back = points
            if lot not in self.expired:
                repaid = min(self.debt, points)
                self.debt -= repaid
                back -= repaid
            else:
                fresh.append((lot, back))
            self.left[lot] += back
        # The total does not change: what was held is available, or has repaid a debt.
        self._write(on, TimeEvent.LAPSE, 0, held.hold, held.taken)
        self._expire(on, fresh)

    def _expire_until(self, day: int) -> None:
        for expires, lots in self._passed(day):
            self.expired.update(lots)
            self._expire(date.fromordinal(expires), [(lot, self.left[lot]) for lot in lots])

    def _passed(self, day: int) -> Iterator[tuple[int, list[int]]]:
        """Return the expiries up to a day, the earliest first."""
        while True:
            fixed = self.coming[0][0] if self.coming else day + 1
            slid = self.slides if self.slides and self.sliding else day + 1
            soonest = min(fixed, slid)
            if soonest > day:
                return
            lots = list[int]()
            while self.coming and self.coming[0][0] == soonest:
                lots.append(heappop(self.coming)[1])
            if slid == soonest:
                lots += sorted(self.sliding)
                self.sliding.clear()
            yield soonest, lots

    def statement(self, account: str, since: date, until: date, *, rebooked: bool) -> Statement:
        """Return what was written on these dates, with what time does until the last is over."""
        view = AsOf(until, None, self.zone)
        self._advance(until, [x for x in self.holds.values() if x.over(view)])
        before = [line.balance for line in self.lines if line.on < since]
        inside = tuple(line for line in self.lines if since <= line.on <= until)
        opening = before[-1] if before else 0
        closing = inside[-1].balance if inside else opening
        span = (account, self.currency, since, until)
        return Statement(*span, opening, closing, inside, rebooked)
