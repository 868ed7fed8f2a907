"""An account of points: the facts that count, and what they add up to.

Facts say what they did, so an account is their plain sum: it needs no policy. Facts are summed
in the order of their effect, those of one moment in the order of the log; a fact with a date
alone begins its day. What time does is not summed but looked at: an expiry, the end of a
pending time and the deadline of a hold follow from ``as_of``. A hold that lapsed gives its
points back to their lots; what expired meanwhile stays expired.

What may happen to an account is decided in ``ledger``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import cast
from zoneinfo import ZoneInfo

from attrs import define, field, frozen

from retention.account_books import (
    Book,
    Chunk,
    Terms,
    comes_before,
    in_order,
    make_book,
    make_terms,
    place,
)
from retention.lots import CHUNK, NEVER, SLIDING, Lot, Lots, Row
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.makers import maker
from retention.mechanisms.periods import (
    AsOf,
    When,
    plus_days,
    zone_of,
)
from retention.points import (
    POINTS,
    Adjusted,
    Captured,
    Earned,
    EarningReversed,
    Held,
    Opened,
    PointsFact,
    Rebooked,
    Redeemed,
    Released,
)
from retention.statements import (
    Balance,
    Due,
    DueKind,
    Expiring,
    ExpiryReminder,
    Statement,
    Walk,
    reminders,
)

__all__ = [
    "Account",
    "Book",
    "Chunk",
    "Draft",
    "Terms",
    "comes_before",
    "in_order",
    "make_account",
    "make_book",
    "make_terms",
    "place",
    "plain_sum",
]


@frozen(weakref_slot=False)  # so that it has a maker
class Account:
    """What the facts of one account add up to. Ask it ``as_of`` a date or an instant.

    >>> from retention.ledger import PointsPolicy
    >>> from retention.points import Earn
    >>> policy, day = PointsPolicy(), date(2024, 1, 1)
    >>> account = policy.start("M-1")
    >>> account = policy.decide(account, Earn(50, "O-1", at=day, by="checkout")).or_raise().state
    >>> account.balance(day).available, account.sequence
    (50, 1)
    """

    terms: Terms
    chunks: tuple[Chunk, ...] = field(default=(), repr=False)
    tail: tuple[PointsFact, ...] = field(default=(), repr=False)
    books: tuple[Book, ...] = ()
    holds: tuple[Held, ...] = ()  # open, whether or not their deadline has passed
    last: PointsFact | None = field(default=None, repr=False)  # the latest in order of effect

    @property
    def id(self) -> str:
        """The id of the account."""
        return self.terms.id

    @property
    def sequence(self) -> int:
        """Number of facts; a store appends after it."""
        return len(self.chunks) * CHUNK + len(self.tail)

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which its days are."""
        return zone_of(self.terms.zone)

    @property
    def facts(self) -> tuple[PointsFact, ...]:
        """The facts as they count now, in the order of the log.

        After a rebooking those are not, in every part, what was stored.
        """
        return tuple(self._facts())

    def _facts(self) -> Iterator[PointsFact]:
        for chunk in self.chunks:
            yield from chunk.facts
        yield from self.tail

    def fact(self, sequence: int) -> PointsFact:
        """Return one fact by its place in the log."""
        chunk, at = divmod(sequence - 1, CHUNK)
        return self.tail[at] if chunk == len(self.chunks) else self.chunks[chunk].facts[at]

    def named(self, name: str) -> Iterator[PointsFact]:
        """Return the facts of a source, hold or redemption."""
        for chunk in self.chunks:
            if name in chunk.names:
                yield from (fact for fact in chunk.facts if name in fact.names)
        yield from (fact for fact in self.tail if name in fact.names)

    def book(self, currency: str) -> Book:
        """Return one currency; an empty one when nothing happened in it."""
        for book in self.books:
            if book.currency == currency:
                return book
        return Book(currency)

    def hold(self, name: str) -> Held | None:
        """Return an open hold by its id."""
        return next((held for held in self.holds if held.hold == name), None)

    # --- reading ----------------------------------------------------------------------------

    def seen(self, as_of: When) -> tuple[Account, AsOf]:
        """Return the account as of a date or an instant: earlier facts only, holds settled."""
        view = AsOf.at(as_of, self.zone)
        if self.last is None or view.knows(self.last.at):
            account = self
        else:
            known = [fact for fact in in_order(self.facts) if view.knows(fact.at)]
            account = self.bare().summed(known)
        return account.settled(view), view

    def settled(self, view: AsOf) -> Account:
        """Return the account with the holds given back whose deadline has passed."""
        if not any(held.over(view) for held in self.holds):
            return self
        draft = Draft(self)
        draft.give_back(held for held in self.holds if held.over(view))
        return draft.account(self.last)

    def balance(self, as_of: When, currency: str = POINTS) -> Balance:
        """Return what is available, pending, held and owed; a date means the whole of it."""
        account, view = self.seen(as_of)
        book, day = account.book(currency), view.day.toordinal()
        held = sum(each.points for each in account.holds if each.currency == currency)
        found = {"available": 0, "pending": 0, "expired": 0}
        soonest: dict[int, int] = {}
        for row in book.lots:
            expires = book.slides if row[0] == SLIDING else row[0]
            state = "expired" if expires <= day else "pending" if row[4] > day else "available"
            found[state] += row[3]
            if expires > day:
                soonest[expires] = soonest.get(expires, 0) + row[3]
        first = min(soonest, default=NEVER)
        points = soonest[first] if first < SLIDING else 0
        expires_on = date.fromordinal(first) if first < SLIDING else None
        return Balance(
            **found, held=held, debt=book.debt, next_expires_on=expires_on, next_expiring=points
        )

    def lots(self, as_of: When, currency: str = POINTS) -> tuple[Lot, ...]:
        """Return the lots in which something remains, soonest to expire first."""
        account, _ = self.seen(as_of)
        book = account.book(currency)
        found = (_lot(account, book, row) for row in book.lots)
        return tuple(sorted(found, key=_lot_order))

    def earned(
        self, currency: str = POINTS, since: date | None = None, until: date | None = None
    ) -> int:
        """Return the points earned on these local dates, both inside, less their reversals.

        A reversal lessens the day of its earning, so that a returned purchase does not count
        for a tier. What was adjusted by hand counts on its own day.
        """
        first, last = since or date.min, until or date.max
        days: dict[int, date] = {}
        total = 0
        for fact in in_order(self.facts):
            if isinstance(fact, Earned) and fact.currency == currency:
                days[fact.sequence] = fact.on
                total += fact.points if first <= fact.on <= last else 0
            elif isinstance(fact, EarningReversed) and fact.lot in days:
                total -= fact.points if first <= days[fact.lot] <= last else 0
            elif isinstance(fact, Adjusted) and fact.currency == currency:
                total += fact.points if first <= fact.on <= last else 0
        return total

    def statement(self, since: date, until: date, currency: str = POINTS) -> Statement:
        """Return every change of these local dates, both inside, between two balances."""
        if until < since:
            raise InvalidValueError("until", until, f"{since} or later")
        walk = Walk(currency, self.zone)
        for fact in in_order(self.facts):
            if fact.on > until:
                break
            walk.step(fact)
        rebooked = any(isinstance(fact, Rebooked) for fact in self._facts())
        return walk.statement(self.id, since, until, rebooked=rebooked)

    def forecast(self, as_of: When, currency: str = POINTS) -> tuple[Expiring, ...]:
        """Return when points expire if nothing happens any more, held and pending ones too.

        The last entry, without a date, are those that never do.
        """
        account, view = self.seen(as_of)
        book, day = account.book(currency), view.day.toordinal()
        found: dict[int, int] = {}
        for row in book.lots:
            expires = book.slides if row[0] == SLIDING else row[0]
            if expires > day:
                found[expires] = found.get(expires, 0) + row[3]
        for held in account.holds:
            if held.currency == currency:
                back = NEVER if held.until is None else held.lapse_day(self.zone).toordinal()
                for lot, points in held.taken:
                    expires = max(account.expiry(lot), back)
                    found[expires] = found.get(expires, 0) + points
        return tuple(
            Expiring(currency, found[day], date.fromordinal(day) if day < SLIDING else None)
            for day in sorted(found)
        )

    def due(self, as_of: When) -> tuple[Due, ...]:
        """Return what comes next: reminders, expiries, pending points, deadlines of holds."""
        account, view = self.seen(as_of)
        first = plus_days(view.day, 1)
        found = [due for book in account.books for due in account.coming(book, first)]
        for held in account.holds:
            if held.until is not None:
                day = held.lapse_day(self.zone)
                found.append(Due(DueKind.HOLD, day, held.points, held.currency, held.hold))
        return tuple(sorted(found, key=attrgetter("order")))

    def reminders(self, on: date, prices: Mapping[str, int]) -> tuple[ExpiryReminder, ...]:
        """Return the requests to remind that fall on a date; prices of what points buy (E-16)."""
        account, _ = self.seen(on)
        due = [x for book in account.books for x in account.coming(book, on) if x.on == on]
        codes = [book.currency for book in account.books]
        available = {code: self.balance(on, code).available for code in codes}
        return reminders(self.id, due, available, prices)

    def coming(self, book: Book, first: date) -> Iterator[Due]:
        """Return what comes on a date or later."""
        day = first.toordinal() - 1
        expiring: dict[tuple[DueKind, int, int], int] = {}
        for row in book.lots:
            expires = book.slides if row[0] == SLIDING else row[0]
            if expires <= day:
                continue
            if row[4] > day:
                opens = (DueKind.PENDING, row[4], 0)
                expiring[opens] = expiring.get(opens, 0) + row[3]
            if expires >= SLIDING:
                continue
            # Points that are valid for less than the lead are announced when they can be used.
            remind = max(expires - 1 - self.terms.reminder_days, row[4])
            for key in ((DueKind.EXPIRY, expires, expires), (DueKind.REMINDER, remind, expires)):
                if key[1] > day:
                    expiring[key] = expiring.get(key, 0) + row[3]
        for (kind, on, expires), points in expiring.items():
            through = date.fromordinal(expires - 1) if expires else None
            yield Due(kind, date.fromordinal(on), points, book.currency, usable_through=through)

    def expiry(self, lot: int) -> int:
        """Return the first unusable day of a lot, as an ordinal."""
        return self._expires(lot)[0]

    def _expires(self, lot: int) -> tuple[int, Opened]:
        fact = _opening(self.fact(lot))
        book = self.book(fact.currency)
        key = _key(fact, book.lapses)
        return (book.slides if key == SLIDING else key), fact

    # --- adding -----------------------------------------------------------------------------

    def settled_before(self, at: When, on: date) -> Account:
        """Return the account with the holds given back that lapsed before a moment."""
        over = [held for held in self.holds if held.over_before(at, on, self.zone)]
        if not over:
            return self
        draft = Draft(self)
        draft.give_back(over)
        return draft.account(self.last)

    def bare(self) -> Account:
        """Return the account with its log, of which nothing is summed."""
        return Account(self.terms, self.chunks, self.tail)

    def replacing(self, fact: PointsFact) -> Account:
        """Return the account with one fact of its log as it counts now."""
        chunk, at = divmod(fact.sequence - 1, CHUNK)
        if chunk == len(self.chunks):
            tail = (*self.tail[:at], fact, *self.tail[at + 1 :])
            return Account(self.terms, self.chunks, tail, self.books, self.holds, self.last)
        old = self.chunks[chunk].facts
        new = Chunk((*old[:at], fact, *old[at + 1 :]))
        chunks = (*self.chunks[:chunk], new, *self.chunks[chunk + 1 :])
        return Account(self.terms, chunks, self.tail, self.books, self.holds, self.last)

    def journalled(self, facts: Iterable[PointsFact]) -> Account:
        """Return the account with more facts in its log, which are not summed yet."""
        chunks, tail = self.chunks, (*self.tail, *facts)
        while len(tail) >= CHUNK:
            chunks, tail = (*chunks, Chunk(tail[:CHUNK])), tail[CHUNK:]
        return make_account(self.terms, chunks, tail, self.books, self.holds, self.last)

    def summed(self, facts: Iterable[PointsFact]) -> Account:
        """Return the account with facts of its log summed, in the order that they are given."""
        draft = Draft(self)
        return draft.account(draft.run(facts) or self.last)

    def after(self, facts: Sequence[PointsFact]) -> Account:
        """Return the account after new facts that come last, in the log and in their effect."""
        return self.journalled(facts).summed(facts)

    def moved(self, book: Book, lots: Lots, fact: PointsFact) -> Account:
        """Return the account after one fact that only changed the lots of its only book."""
        new = make_book(book.currency, lots, book.debt, book.slides, book.lapses)
        chunks, tail = self.chunks, self.tail + (fact,)  # noqa: RUF005  faster than unpacking
        if len(tail) == CHUNK:
            chunks, tail = (*chunks, Chunk(tail)), ()
        return make_account(self.terms, chunks, tail, (new,), self.holds, fact)


def plain_sum(terms: Terms, log: Sequence[PointsFact]) -> Account | None:  # noqa: C901  one loop
    """Return the sum of a plain log: numbered, in order, one currency earned and redeemed.

    It is what nearly every log is, and needs no draft; None for all others.
    """
    left, code, day = dict[int, int](), "", date.min
    if not log or len(log) > CHUNK:
        return None
    last = log[0]
    for number, fact in enumerate(log, 1):
        on = fact.on
        if fact.sequence != number or (on <= day and comes_before(fact.at, on, last)):
            return None
        last, day = fact, on
        if type(fact) is Earned:
            if fact.renews is not None or fact.repaid or (code != fact.currency and code):
                return None
            left[number], code = fact.points, fact.currency
        elif type(fact) is Redeemed and fact.renews is None:
            for lot, points in fact.taken:
                left[lot] = rest = left.get(lot, 0) - points
                if rest < 0:
                    return None
        else:
            return None
    rows = list[Row]()
    for lot, rest in left.items():
        if rest:
            earned = cast("Opened", log[lot - 1])
            on, expires, usable = earned.on, earned.expires_on, earned.usable_on
            start = on.toordinal()
            opens = start if usable is on else usable.toordinal()
            rows.append((expires.toordinal() if expires else NEVER, start, lot, rest, opens))
    book = make_book(code, Lots.of(rows), 0, 0, ())
    chunks, tail = ((Chunk(tuple(log)),), ()) if len(log) == CHUNK else ((), tuple(log))
    return make_account(terms, chunks, tail, (book,), (), last)


make_account = maker(Account)


def _opening(fact: PointsFact) -> Opened:
    """Return a fact as the one that opened a lot; all of those have the columns of Opened."""
    return cast("Opened", fact)


def _key(fact: Opened, lapses: tuple[int, ...]) -> int:
    """Return the expiry of a lot as its row has it: what slid out keeps the day of that."""
    if fact.sliding:
        earned = fact.on.toordinal()
        return next((lapse for lapse in lapses if lapse > earned), SLIDING)
    return NEVER if fact.expires_on is None else fact.expires_on.toordinal()


def _lot_order(lot: Lot) -> tuple[date, date, int]:
    return lot.expires_on or date.max, lot.earned_on, lot.number


def _lot(account: Account, book: Book, row: Row) -> Lot:
    fact = _opening(account.fact(row[2]))
    expires = book.slides if row[0] == SLIDING else row[0]
    return Lot(
        number=row[2],
        source=fact.source,
        currency=book.currency,
        points=fact.opened,
        remaining=row[3],
        earned_on=date.fromordinal(row[1]),
        usable_on=date.fromordinal(row[4]),
        expires_on=date.fromordinal(expires) if expires < SLIDING else None,
        sliding=fact.sliding,
    )


# --- the sum ------------------------------------------------------------------------------------


@define
class Draft:
    """The sum of an account while facts are added; it copies what it changes, once."""

    base: Account
    left: dict[int, int] = field(factory=dict)  # what remains of the lots that were changed
    debts: dict[str, int] = field(init=False)
    slides: dict[str, int] = field(init=False)
    lapses: dict[str, tuple[int, ...]] = field(init=False)
    holds: dict[str, Held] = field(init=False)

    def __attrs_post_init__(self) -> None:
        books = self.base.books
        self.debts = {book.currency: book.debt for book in books}
        self.slides = {book.currency: book.slides for book in books}
        self.lapses = {book.currency: book.lapses for book in books}
        self.holds = {held.hold: held for held in self.base.holds}

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which its days are."""
        return self.base.zone

    def run(self, facts: Iterable[PointsFact]) -> PointsFact | None:
        """Add what facts did, in their order, and return the last of them."""
        left, holds, debts, fact = (
            self.left,
            self.holds,
            self.debts,
            cast("PointsFact | None", None),
        )
        for fact in facts:
            # The two that are nearly all; whatever is special about one, the other way does.
            if type(fact) is Redeemed:
                if not holds and fact.renews is None and all(x in left for x, _ in fact.taken):
                    for lot, points in fact.taken:
                        rest = left[lot] - points
                        if rest < 0:
                            raise InvalidValueError(f"lot {lot}", rest, "0 points or more")
                        left[lot] = rest
                    continue
            elif type(fact) is Earned and not (holds or fact.renews or fact.repaid):
                left[fact.sequence] = fact.points
                if fact.currency not in debts:
                    debts[fact.currency] = 0
                continue
            self.apply(fact)
        return fact

    def apply(self, fact: PointsFact) -> None:
        """Add what one fact did; trusts it, since it was decided."""
        if self.holds:
            at, on = fact.at, fact.on
            self.give_back(x for x in self.holds.values() if x.over_before(at, on, self.zone))
        currency = getattr(fact, "currency", None)
        if currency is None:
            return
        renews = getattr(fact, "renews", None)
        if renews is not None:
            self._renew(currency, fact.on.toordinal(), renews.toordinal())
        if fact.opened:
            self.left[fact.sequence] = fact.opened
        taken, given = fact.moves
        for lot, points in taken:
            self._add(lot, -points)
        for lot, points in given:
            self._add(lot, points)
        debt = self.debts[currency] = self.debts.get(currency, 0) + fact.owed
        if debt < 0:
            raise InvalidValueError(f"debt of {currency}", debt, "0 or more")
        if isinstance(fact, Held):
            self.holds[fact.hold] = fact
        elif isinstance(fact, Captured | Released):
            self.holds.pop(fact.hold, None)

    def _add(self, lot: int, points: int) -> None:
        rest = self.remaining(lot) + points
        if not 0 <= rest <= _opening(self.base.fact(lot)).opened:
            raise InvalidValueError(f"lot {lot}", rest, "points from 0 to those of the lot")
        self.left[lot] = rest

    def remaining(self, lot: int) -> int:
        """Return what remains of a lot."""
        found = self.left.get(lot)
        if found is not None:
            return found
        fact = _opening(self.base.fact(lot))
        book = self.base.book(fact.currency)
        row = book.lots.find(_key(fact, book.lapses), fact.on.toordinal(), lot)
        return 0 if row is None else row[3]

    def _renew(self, currency: str, on: int, renews: int) -> None:
        """Activity on a day: what slid out before is gone, the rest gets a new day."""
        slides = self.slides.get(currency, 0)
        if slides and slides <= on:
            self.lapses[currency] = (*self.lapses.get(currency, ()), slides)
            slides = 0
        self.slides[currency] = max(slides, renews)

    def expiry(self, lot: int) -> int:
        """Return the first unusable day of a lot, as an ordinal."""
        fact = _opening(self.base.fact(lot))
        key = _key(fact, self.lapses.get(fact.currency, ()))
        return self.slides.get(fact.currency, 0) if key == SLIDING else key

    def give_back(self, lapsed: Iterable[Held]) -> None:
        """Give the points of lapsed holds back; those still usable repay a debt first."""
        for held in sorted(lapsed, key=lambda x: (x.lapse_day(self.zone), x.sequence)):
            day = held.lapse_day(self.zone).toordinal()
            del self.holds[held.hold]
            for lot, points in held.taken:
                debt = self.debts.get(held.currency, 0) if self.expiry(lot) > day else 0
                repaid = min(debt, points)
                self.debts[held.currency] = self.debts.get(held.currency, 0) - repaid
                self._add(lot, points - repaid)

    def account(self, last: PointsFact | None) -> Account:
        """Return the account that this has become."""
        base, changed, lapses = self.base, dict[str, list[Row]](), self.lapses
        facts = None if base.chunks else base.tail
        new = not base.books
        for lot, rest in self.left.items():
            if new and not rest:
                continue
            fact = cast("Opened", facts[lot - 1] if facts is not None else base.fact(lot))
            expires, on, currency = fact.expires_on, fact.on.toordinal(), fact.currency
            key = _key(fact, lapses.get(currency, ())) if expires is None else expires.toordinal()
            opens = on if fact.usable_on is fact.on else fact.usable_on.toordinal()
            changed.setdefault(currency, []).append((key, on, lot, rest, opens))
        books = tuple(
            make_book(
                name, self._lots(base.book(name), changed.get(name, ())), self.debts.get(name, 0),
                self.slides.get(name, 0), lapses.get(name, ()),
            )
            for name in sorted({*self.debts, *changed})
        )  # fmt: skip
        return make_account(
            base.terms, base.chunks, base.tail, books, tuple(self.holds.values()), last
        )

    def _lots(self, book: Book, rows: Iterable[Row]) -> Lots:
        if not book.lots.chunks:
            return Lots.of(rows)
        lapses = self.lapses.get(book.currency, ())
        if lapses != book.lapses:
            known = (row for row in book.lots if row[2] not in self.left)
            return Lots.of((*(self._slid(row, lapses) for row in known), *rows))
        lots = book.lots
        for row in rows:
            lots = lots.put(row)
        return lots

    def _slid(self, row: Row, lapses: tuple[int, ...]) -> Row:
        return (_key(_opening(self.base.fact(row[2])), lapses), *row[1:])
