"""Points of many accounts at once: what is left of every lot, by arithmetic on whole columns.

Lots are spent soonest to expire first (E-15). Where no later lot of an account expires before
an earlier one, the points that are gone after row k, redeemed or expired, are
``gone[k] = max(gone[k - 1], lapsed[k]) + redeemed[k]``, where ``lapsed`` are the points of all
lots whose expiry has come. That is one running maximum for all accounts (:func:`scanned`).
Where lots expire in another order than they came, the first rows of all accounts are gone
through together, then the second rows, and so on (:func:`ranked`). Both are exact.

Which accounts these two fit is decided in ``point_columns``; those that overdraw are named,
and nothing that is said about them counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from retention.mechanisms.periods import FIRST_DAY, LAST_DAY

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEVER = LAST_DAY + 1  # day number of what does not expire
ROWS = 131_072  # of a block: what is looked at together stays in the cache
DEEP = 64  # rows of an account beyond which going rank by rank does not pay
_WIDE = 2**22  # more than the calendar has days
_CELLS = 262_144  # of a block of ranks: lots times accounts
_MOST = 2**62


@frozen(eq=False)
class Rows:
    """Earnings and redemptions of whole accounts in one currency, account by account.

    Accounts are numbered from 0; rows of one account stand in the order of their effect.
    ``expires`` and ``usable`` say nothing in the row of a redemption.
    """

    size: int  # accounts, those without rows among them
    account: Numbers
    day: Numbers
    opens: Flags  # a lot; else it is a redemption
    points: Numbers
    expires: Numbers  # the first unusable day; NEVER
    usable: Numbers
    renewed: Numbers | None = None  # unusable from this day on unless activity comes before

    def of(self, rows: slice | Flags, first: int, size: int) -> Rows:
        """Return some of the rows; the accounts are numbered anew from ``first``."""
        renewed = None if self.renewed is None else self.renewed[rows]
        day = self.day[rows]
        usable = day if self.usable is self.day else self.usable[rows]
        return Rows(
            *(size, self.account[rows] - first, day, self.opens[rows]),
            *(self.points[rows], self.expires[rows], usable, renewed),
        )

    @cached_property
    def starts(self) -> Numbers:
        """Place of the first row of every account, and behind the last row."""
        return _starts(self.account, self.size)

    def blocks(self) -> Iterator[tuple[int, Rows]]:
        """Return blocks of whole accounts, each with the number of its first account."""
        starts, first = self.starts, 0
        while first < self.size:
            last = int(np.searchsorted(starts, starts[first] + ROWS, side="right")) - 1
            last = min(max(last, first + 1), first + ROWS, self.size)
            yield first, self.of(slice(starts[first], starts[last]), first, last - first)
            first = last


@frozen(eq=False)
class Sums:
    """What stands in every account; columns of equal length."""

    available: Numbers
    pending: Numbers
    expired: Numbers
    redeemed: Numbers
    next_expires: Numbers  # day number; NEVER where nothing expires
    next_points: Numbers

    @classmethod
    def none(cls, size: int) -> Sums:
        """Return sums of nothing."""
        a, b, c, d, e = np.zeros((5, size), np.int64)
        return cls(a, b, c, d, np.full(size, NEVER), e)

    def put(self, place: slice | Numbers, other: Sums, rows: slice | Numbers | Flags) -> None:
        """Write some rows of other sums into these."""
        for mine, theirs in zip(self.columns, other.columns, strict=True):
            mine[place] = theirs[rows]

    @property
    def columns(self) -> tuple[Numbers, ...]:
        """All of them, in the order of the fields."""
        return (
            *(self.available, self.pending, self.expired, self.redeemed),
            *(self.next_expires, self.next_points),
        )


@frozen(eq=False)
class Lots:
    """Lots of some accounts, account by account."""

    account: Numbers
    left: Numbers
    expires: Numbers
    usable: Numbers
    row: NDArray[Any] = field(factory=lambda: np.zeros(0, np.int64))  # which row opened it


def summed(lots: Lots, size: int, day: int, redeemed: Numbers) -> Sums:
    """Add lots up, given what was redeemed of each account.

    >>> one = [np.array(x) for x in ([0, 0], [50, 20], [90, NEVER], [1, 9])]
    >>> [x.tolist() for x in summed(Lots(*one), 1, 5, np.array([7])).columns]
    [[50], [20], [0], [7], [90], [50]]
    """
    ends = _starts(lots.account, size)
    dead = lots.expires <= day
    late = ~dead & (lots.usable > day)
    coming = ~dead & (lots.left > 0)
    soonest = np.full(size, NEVER)
    np.minimum.at(soonest, lots.account[coming], lots.expires[coming])
    first = coming & (lots.expires == soonest[lots.account]) & (lots.expires < NEVER)
    return Sums(
        _per_account(np.where(dead | late, 0, lots.left), ends),
        _per_account(np.where(late, lots.left, 0), ends),
        _per_account(np.where(dead, lots.left, 0), ends),
        redeemed,
        soonest,
        _per_account(np.where(first, lots.left, 0), ends),
    )


def spent(rows: Rows) -> Numbers:
    """Return the points that each account has redeemed."""
    return _per_account(np.where(rows.opens, 0, rows.points), rows.starts)


def _per_account(values: Numbers, starts: Numbers) -> Numbers:
    total = _totals(values)
    return total[starts[1:]] - total[starts[:-1]]


def _totals(values: Numbers | Flags) -> Numbers:
    """Running sum with a zero before."""
    total = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=total[1:])
    return total


def _starts(account: Numbers, size: int) -> Numbers:
    """Place of the first row of every account, and behind the last; accounts never fall."""
    new = np.flatnonzero(account[1:] != account[:-1]) + 1
    if len(account) and len(new) + 1 == size:  # none is without a row
        return np.concatenate(([0], new, [len(account)]))
    return _totals(np.bincount(account, minlength=size))


# --- lots that expire in the order in which they came ---------------------------------------------


@frozen(eq=False)
class Scan:
    """One running maximum over the rows of a block; made by :func:`scanned`.

    Points are counted through the whole block: those of an account lie between ``base`` and
    ``end``. ``gone`` is so much of it as is redeemed or has expired.
    """

    rows: Rows
    day: int
    opened: NDArray[np.intp]  # rows that open lots
    total: Numbers  # points of all lots before each lot, and of all
    keys: Numbers  # of lots: account and expiry
    starts: Numbers  # first lot of every account, and behind the last
    spends: NDArray[np.intp]  # rows that redeem
    redeemed: Numbers  # points of redemptions before each, and of all
    after: Numbers  # gone after each redemption
    first_spend: Numbers  # first redemption of every account
    lapsed_at_end: Numbers
    overdrawn: Flags  # redemptions for which there was not enough
    unordered: Flags  # accounts whose lots expire, or open, in another order than they came

    @property
    def failed(self) -> Flags:
        """Accounts with a redemption for which there was not enough."""
        found = np.zeros(self.rows.size, bool)
        found[self.rows.account[self.spends[self.overdrawn]]] = True
        return found

    def sums(self) -> Sums:
        """Return what stands in every account."""
        rows, base, end = self.rows, self.total[self.starts[:-1]], self.total[self.starts[1:]]
        redeemed = _between(self.redeemed, self.first_spend)
        gone = np.maximum(self._after_last(base), self.lapsed_at_end)
        usable = end if _at_once(rows, self.opened) else self._usable(end)
        soonest, coming = self._next(gone, end)
        return Sums(
            np.maximum(usable - gone, 0),
            end - np.maximum(usable, gone),
            gone - base - redeemed,
            *(redeemed, soonest, coming),
        )

    def _after_last(self, base: Numbers) -> Numbers:
        some = self.first_spend[1:] > self.first_spend[:-1]
        found = base.copy()
        found[some] = self.after[self.first_spend[1:][some] - 1]
        return found

    def _usable(self, end: Numbers) -> Numbers:
        keys = _key(self.rows.account, self.rows.usable, self.opened)
        accounts = np.arange(self.rows.size)
        return np.minimum(end, _until(self.total, keys, accounts, self.day))

    def _next(self, gone: Numbers, end: Numbers) -> tuple[Numbers, Numbers]:
        """Return the day on which points expire next, and how many."""
        soonest, coming = np.full(len(gone), NEVER), np.zeros(len(gone), np.int64)
        some = np.flatnonzero((gone < end) & ~self.unordered & ~self.failed)
        if self.rows.renewed is not None:
            last = self.rows.starts[1:][some] - 1
            soonest[some], coming[some] = self.rows.renewed[last], (end - gone)[some]
            return soonest, coming
        lot = np.searchsorted(self.total, gone[some], side="right") - 1
        days = self.rows.expires[self.opened[lot]]
        some, days = some[days < NEVER], days[days < NEVER]
        soonest[some] = days
        coming[some] = _until(self.total, self.keys, some, days) - gone[some]
        return soonest, coming

    def lots(self) -> Lots:
        """Return what is left of every lot; of an expired one, what it had left by then.

        Each redemption takes a stretch of the points, so a lot has lost what lies within.
        """
        begins, total = self.after - np.diff(self.redeemed), self.total
        place = np.searchsorted(begins, total) - 1
        before = np.maximum(place, 0)
        if len(begins):
            part = np.minimum(total - begins[before], np.diff(self.redeemed)[before])
            lost = np.where(place < 0, 0, self.redeemed[before] + part)
        else:
            lost = np.zeros(len(total), np.int64)
        rows, opened = self.rows, self.opened
        return Lots(
            rows.account[opened],
            rows.points[opened] - np.diff(lost),
            rows.expires[opened] if rows.renewed is None else self._slid(),
            rows.usable[opened],
            opened,
        )

    def _slid(self) -> Numbers:
        """Return the day on which each lot slid out, or will unless activity comes before."""
        rows, gaps = self.rows, _gaps(self.rows)
        renewed = np.asarray(rows.renewed)
        account, last = rows.account[self.opened], rows.starts[1:] - 1
        found = renewed[last[account]]
        after = np.searchsorted(gaps, self.opened, side="right")
        some = np.flatnonzero(after < len(gaps))
        some = some[rows.account[gaps[after[some]]] == account[some]]
        found[some] = renewed[gaps[after[some]] - 1]
        return found


def scans(rows: Rows, day: int) -> Iterator[tuple[int, Rows, Scan | None]]:
    """Scan block after block, each with the number of its first account; see :func:`scanned`.

    A block whose points are too many is halved; for one account alone the scan may be None.
    """
    for first, block in rows.blocks():
        yield from _scans(first, block, day)


def _scans(first: int, block: Rows, day: int) -> Iterator[tuple[int, Rows, Scan | None]]:
    scan = scanned(block, day)
    if scan is not None or block.size == 1:
        yield first, block, scan
        return
    half, starts = block.size // 2, block.starts
    yield from _scans(first, block.of(slice(0, starts[half]), 0, half), day)
    rest = slice(starts[half], starts[-1])
    yield from _scans(first + half, block.of(rest, half, block.size - half), day)


def scanned(rows: Rows, day: int) -> Scan | None:
    """Scan a block as of the end of a day; None when its points do not fit into 64 bits.

    >>> fifty, twenty = [0, 1, True, 50, 90, 1], [0, 2, False, 20, 0, 0]
    >>> columns = [np.array(x) for x in zip(fifty, twenty)]
    >>> scan = scanned(Rows(1, *columns), 5)
    >>> scan.sums().available.tolist(), scan.lots().left.tolist(), scan.failed.tolist()
    ([30], [30], [False])
    """
    account = rows.account
    opened, spends = np.flatnonzero(rows.opens), np.flatnonzero(~rows.opens)
    total, redeemed = _totals(rows.points[opened]), _totals(rows.points[spends])
    apart = int(total[-1] + redeemed[-1]) + 1
    if apart * rows.size >= _MOST:
        return None
    of_spend = account[spends]
    starts = _totals(rows.opens)[rows.starts]
    first_spend = rows.starts - starts
    keys = _key(account, rows.expires, opened)
    days = rows.day[spends]
    earned = total[spends - np.arange(len(spends))]
    base = total[starts]
    if rows.renewed is None:
        lapsed = _until(total, keys, of_spend, days)
        at_end = _until(total, keys, np.arange(rows.size), day)
    else:
        lapsed, at_end = _slides(rows, total, base, spends, day)
    own = redeemed[:-1] - redeemed[first_spend[of_spend]]  # redeemed before, of this account
    # Far apart, so that one account does not reach into the next.
    offset = of_spend * apart
    after = np.maximum.accumulate(lapsed - own + offset) - offset
    after += own + np.diff(redeemed)
    usable = earned
    if not _at_once(rows, opened):
        late = _key(account, rows.usable, opened)
        usable = np.minimum(earned, _until(total, late, of_spend, days))
    return Scan(
        *(rows, day, opened, total, keys, starts, spends, redeemed, after, first_spend),
        *(at_end, after > usable, _unordered(rows, opened)),
    )


def _key(account: Numbers, days: Numbers, lots: NDArray[np.intp]) -> Numbers:
    return account[lots] * _WIDE + (days[lots] - FIRST_DAY)


def _until(total: Numbers, keys: Numbers, account: Numbers, days: Numbers | int) -> Numbers:
    """Return the points of all lots up to a day of an account."""
    wanted = account * _WIDE + (days - FIRST_DAY)
    return total[np.searchsorted(keys, wanted, side="right")]


def _between(total: Numbers, starts: Numbers) -> Numbers:
    return total[starts[1:]] - total[starts[:-1]]


def _at_once(rows: Rows, opened: NDArray[np.intp]) -> bool:
    """Whether all points could be used when they came."""
    same = rows.usable is rows.day
    return same or bool((rows.usable[opened] <= rows.day[opened]).all())


def _unordered(rows: Rows, opened: NDArray[np.intp]) -> Flags:
    account, expires = rows.account[opened], rows.expires[opened]
    if rows.renewed is None:
        back = expires[1:] < expires[:-1]
    else:
        back = np.zeros(max(len(opened) - 1, 0), bool)
    if rows.usable is not rows.day:
        usable = rows.usable[opened]
        back |= usable[1:] < usable[:-1]
    back &= account[1:] == account[:-1]
    found = np.zeros(rows.size, bool)
    found[account[1:][back]] = True
    return found


def _gaps(rows: Rows) -> NDArray[np.intp]:
    """Rows before which everything slid out: no activity for too long."""
    renewed = np.asarray(rows.renewed)
    same = rows.account[1:] == rows.account[:-1]
    return np.flatnonzero(same & (renewed[:-1] <= rows.day[1:])) + 1


def _slides(
    rows: Rows, total: Numbers, base: Numbers, spends: NDArray[np.intp], day: int
) -> tuple[Numbers, Numbers]:
    """Return what has lapsed at each redemption, and at the end, where inactivity counts."""
    gaps = _gaps(rows)
    before: Numbers = np.cumsum(rows.opens) - rows.opens  # lots before each row
    lapsed = np.zeros(len(rows.day), np.int64)
    lapsed[gaps] = total[before[gaps]]
    lapsed = np.maximum.accumulate(lapsed)
    starts = rows.starts
    at_end, some = base[:-1].copy(), np.flatnonzero(starts[1:] > starts[:-1])
    last = starts[1:][some] - 1
    over = np.asarray(rows.renewed)[last] <= day
    at_end[some] = np.where(over, base[1:][some], np.maximum(lapsed[last], base[some]))
    return np.maximum(lapsed[spends], base[rows.account[spends]]), at_end


# --- lots that expire in any order ----------------------------------------------------------------


def ranked(rows: Rows) -> tuple[Lots, Flags]:
    """Return what is left of every lot, and the accounts that were overdrawn.

    No account should have more than ``DEEP`` rows: the work grows with their square.

    >>> first, second, gift = (
    ...     [0, 1, True, 50, 90, 1],
    ...     [0, 2, True, 9, 8, 2],
    ...     [0, 3, False, 20, 0, 0],
    ... )
    >>> columns = [np.array(x) for x in zip(first, second, gift)]
    >>> lots, failed = ranked(Rows(1, *columns))
    >>> lots.left.tolist(), failed.tolist()
    ([39, 0], [False])
    """
    opened, starts = np.flatnonzero(rows.opens), rows.starts
    left, failed = np.zeros(len(opened), np.int64), np.zeros(rows.size, bool)
    deepest = int(np.diff(starts).max(initial=1))
    many = max(_CELLS // max(deepest, 1), 1)
    lot_starts = _starts(rows.account[opened], rows.size)
    for first in range(0, rows.size, many):
        last = min(first + many, rows.size)
        block = rows.of(slice(starts[first], starts[last]), first, last - first)
        lots = slice(lot_starts[first], lot_starts[last])
        left[lots], failed[first:last] = _by_rank(block)
    account, expires, usable = (x[opened] for x in (rows.account, rows.expires, rows.usable))
    return Lots(account, left, expires, usable, opened), failed


def _by_rank(rows: Rows) -> tuple[Numbers, Flags]:
    opened, starts = np.flatnonzero(rows.opens), rows.starts
    account, expires = rows.account[opened], rows.expires[opened]
    slots = np.empty(len(opened), np.int64)
    in_order = np.lexsort((expires, account))  # stable: of one day the earlier comes first
    lot_starts = _starts(account, rows.size)
    slots[in_order] = np.arange(len(opened)) - lot_starts[account[in_order]]
    shape = (int(np.diff(lot_starts).max(initial=0)), rows.size)
    left, ends, begins = (np.zeros(shape, np.int64) for _ in range(3))
    ends[slots, account], begins[slots, account] = expires, rows.usable[opened]
    slot_of = np.zeros(len(rows.day), np.int64)
    slot_of[opened] = slots
    failed, counts = np.zeros(rows.size, bool), np.diff(starts)
    for rank in range(int(counts.max(initial=0))):
        place = starts[:-1][counts > rank] + rank
        new, old = place[rows.opens[place]], place[~rows.opens[place]]
        left[slot_of[new], rows.account[new]] = rows.points[new]
        who, day, need = rows.account[old], rows.day[old], rows.points[old]
        live = (ends[:, who] > day) & (begins[:, who] <= day)
        have = np.where(live, left[:, who], 0)
        so_far = np.cumsum(have, axis=0)
        left[:, who] -= np.minimum(np.maximum(need - (so_far - have), 0), have)
        failed[who] |= so_far[-1] < need if len(so_far) else True
    return left[slots, account], failed
