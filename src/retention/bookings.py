"""Which lots a command takes points from, and to which it gives them back.

Soonest to expire first (E-15), recorded part by part, so that what is taken back goes where it
came from. Points that come back repay a debt first. Whether a command may do this at all is
decided in ``ledger``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import chain

from attrs import frozen

from retention.accounts import Account, Book
from retention.lots import SLIDING, Row
from retention.points import (
    Captured,
    Earned,
    EarningReversed,
    Opened,
    Parts,
    Redeemed,
    RedemptionReversed,
)


def in_spending_order(book: Book, day: int, renews: int = 0) -> Iterator[Row]:
    """Return the rows of a book that have not expired on a day, pending ones among them.

    What slides expires with the next day of inactivity, which this spending itself moves.
    """
    if not book.slides:
        yield from book.lots.after(day)
        return
    slides = max(book.slides, renews)
    alive = (row for row in book.lots.after(day) if row[0] != SLIDING or book.slides > day)
    yield from sorted(alive, key=lambda row: (slides if row[0] == SLIDING else row[0], *row[1:]))


def taken(book: Book, day: int, points: int, renews: int = 0) -> Parts | None:
    """Return the lots that pay so many points, and how much each; None when it is not enough.

    >>> from retention.lots import Lots
    >>> book = Book("points", Lots.of([(90, 1, 1, 50, 1), (120, 2, 2, 100, 2)]))
    >>> taken(book, 10, 70), taken(book, 90, 70), taken(book, 10, 151)
    (((1, 50), (2, 20)), ((2, 70),), None)
    """
    found = _parts((r for r in in_spending_order(book, day, renews) if r[4] <= day), points)
    return found if sum(n for _, n in found) == points else None


def _parts(rows: Iterable[Row], points: int) -> Parts:
    found = list[tuple[int, int]]()
    for row in rows:
        if not points:
            break
        part = min(row[3], points)
        found.append((row[2], part))
        points -= part
    return tuple(found)


def available(book: Book, day: int) -> int:
    """Return how many points can be spent on a day."""
    return sum(row[3] for row in in_spending_order(book, day) if row[4] <= day)


@frozen
class Back:
    """What becomes of points that come back: to their lots, into a debt, into a new lot."""

    given: Parts = ()
    repaid: int = 0
    reinstated: int = 0


def back(
    account: Account,
    currency: str,
    parts: Parts,
    on: date,
    reinstates: Callable[[int, int], bool] = lambda _, __: False,
) -> Back:
    """Return what becomes of parts that come back on a day.

    ``reinstates(expiry, day)`` says whether points whose expiry has passed come back to life;
    the others go to their lot and stay expired.
    """
    debt, day = account.book(currency).debt, on.toordinal()
    given, repaid, reinstated = list[tuple[int, int]](), 0, 0
    for lot, points in parts:
        expiry = account.expiry(lot)
        again = expiry <= day and reinstates(expiry, day)
        pays = min(debt - repaid, points) if expiry > day or again else 0
        repaid += pays
        rest = points - pays
        if again:
            reinstated += rest
        elif rest:
            given.append((lot, rest))
    return Back(tuple(given), repaid, reinstated)


# --- redemptions ------------------------------------------------------------------------------


def redemption_of(account: Account, name: str) -> Redeemed | Captured | None:
    """Return a redemption by its id; None when there is none, or more than one."""
    found = [x for x in account.named(name) if isinstance(x, Redeemed | Captured)]
    return found[0] if len(found) == 1 else None


def returned(account: Account, redemption: Redeemed | Captured) -> int:
    """Return how many points of a redemption have come back already."""
    facts = account.named(redemption.redemption)
    return sum(x.points for x in facts if isinstance(x, RedemptionReversed))


def last_taken(parts: Parts, skip: int, points: int) -> Parts:
    """Return points of a redemption from the lot that it took last, leaving some out before.

    What is left of it is then what a smaller redemption would have taken.

    >>> last_taken(((1, 50), (2, 20)), 0, 30), last_taken(((1, 50), (2, 20)), 30, 40)
    (((2, 20), (1, 10)), ((1, 40),))
    """
    found = list[tuple[int, int]]()
    for lot, held in reversed(parts):
        left = max(held - skip, 0)
        skip = max(skip - held, 0)
        part = min(left, points)
        points -= part
        if part:
            found.append((lot, part))
    return tuple(found)


def without(parts: Parts, others: Parts) -> Parts:
    """Return what is left of parts when others are left out."""
    gone = dict(others)
    rest = ((lot, points - gone.get(lot, 0)) for lot, points in parts)
    return tuple((lot, points) for lot, points in rest if points)


def first_of(parts: Parts, points: int) -> Parts:
    """Return the first points of some parts.

    >>> first_of(((1, 50), (2, 20)), 60)
    ((1, 50), (2, 10))
    """
    found = list[tuple[int, int]]()
    for lot, held in parts:
        part = min(held, points)
        points -= part
        if part:
            found.append((lot, part))
    return tuple(found)


# --- earnings ---------------------------------------------------------------------------------


def earnings_of(account: Account, source: str, currency: str) -> list[Earned | Opened]:
    """Return the earnings of a source in one currency, or in all where it is empty."""
    found = (x for x in account.named(source) if isinstance(x, Earned | Opened))
    return [x for x in found if x.source == source and currency in {"", x.currency}]


def reversible(account: Account, earning: Earned | Opened) -> int:
    """Return how many points of an earning have not been reversed."""
    facts = (x for x in account.named(earning.source) if isinstance(x, EarningReversed))
    return earning.points - sum(x.points for x in facts if x.lot == earning.sequence)


def clawed_back(
    account: Account, earning: Earned | Opened, points: int, on: date, *, expired_counts: bool
) -> tuple[Parts, int]:
    """Return from which lots an earning is taken back, and how many points are not there.

    From its own lot first, pending or not, and what of it has expired if that counts as
    returned; then from what can be spent, then from what is pending, soonest first.
    """
    book, day = account.book(earning.currency), on.toordinal()
    number = earning.sequence
    own = (row for row in book.lots if row[2] == number)
    counted = (row for row in own if expired_counts or account.expiry(number) > day)
    others = [row for row in in_spending_order(book, day) if row[2] != number]
    usable = (row for row in others if row[4] <= day)
    pending = (row for row in others if row[4] > day)
    parts = _parts(chain(counted, usable, pending), points)
    return parts, points - sum(n for _, n in parts)
