"""What stands in many accounts of points, from columns of entries (E-14, E-15).

The answer to every account is that of :meth:`PointsPolicy.decide`, entry by entry, or of
:meth:`PointsPolicy.replay`, where the log has facts. Accounts that only earn and redeem are
added up as columns (``point_scans``). All others go the way of one account, and so does one
that redeemed more than it had: which is which is found account by account, and both ways give
the same. An entry that is refused changes nothing and stands among the ``problems``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from attrs import define, evolve, field, frozen
from numpy.typing import NDArray

from retention.accounts import Account, make_account
from retention.lots import SLIDING, Validity
from retention.mechanisms.answers import Accepted, Code, Problem, Refused
from retention.mechanisms.choices import member
from retention.mechanisms.errors import UnknownNameError
from retention.mechanisms.periods import (
    EPOCH,
    LAST_DAY,
    AsOf,
    When,
    day_number,
    day_of,
    zone_of,
)
from retention.mechanisms.tables import (
    Column,
    Head,
    Shown,
    Table,
    count_text,
    figures,
    headline,
)
from retention.mechanisms.words import Language, Word
from retention.point_logs import (
    COINLESS,
    EARN,
    OPEN,
    OPENING,
    PLAIN,
    REDEEM,
    SPENDING,
    PointsLog,
)
from retention.point_policies import PointCurrency
from retention.point_scans import (
    DEEP,
    NEVER,
    Lots,
    Rows,
    Sums,
    ranked,
    scans,
    spent,
    summed,
)
from retention.points import POINTS, Captured, PointsFact, PointsOrder, Redeemed, RedemptionReversed

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class PointState(Word, zh="积分状态"):
    """What the points of an account are."""

    AVAILABLE = "available", "可用"
    PENDING = "pending", "待生效"
    HELD = "held", "预占"
    DEBT = "debt", "欠"
    EXPIRED = "expired", "已过期"
    REDEEMED = "redeemed", "已兑换"


class Expiries(Word, zh="到期口径"):
    """By what a forecast adds up."""

    DAY = "day", "日"
    MONTH = "month", "月"


class Rules(Protocol):
    """What is asked of the policy; ``PointsPolicy`` is one."""

    zone: str
    validity: Validity

    @property
    def currencies(self) -> tuple[PointCurrency, ...]:
        """The kinds of points."""
        ...

    def currency(self, code: str) -> PointCurrency | None:
        """Return the row of a currency."""
        ...

    def validity_of(self, row: PointCurrency, own: Validity | None = None) -> Validity:
        """Return the validity that holds."""
        ...

    def pending_until(self, row: PointCurrency, on: date) -> date:
        """Return the first usable day."""
        ...

    def start(self, account_id: str) -> Account:
        """Return an account without facts."""
        ...

    def decide(
        self, account: Account, command: PointsOrder
    ) -> Accepted[Account, PointsFact] | Refused:
        """Judge a command."""
        ...

    def replay(self, account_id: str, facts: Iterable[PointsFact]) -> Account:
        """Make an account from its facts."""
        ...


@frozen(eq=False)
class Balances(Shown):
    """What stands in every account of a log, in points of one currency.

    ``problems`` are the rows that were set aside, and those that were refused: more was
    redeemed than there was, an expiry before the points can be used. ``left_out`` counts the
    rows after ``as_of``, ``one_by_one`` the accounts that went the way of one account.

    >>> from retention.ledger import PointsPolicy
    >>> log = PointsLog.from_columns(
    ...     account=["a", "b", "a"],
    ...     kind=["earn", "earn", "redeem"],
    ...     at=np.array(["2024-06-01", "2024-06-01", "2024-06-02"], "M8[D]"),
    ...     points=[50, 30, 20],
    ... )
    >>> policy = PointsPolicy(validity=Validity(months=12))
    >>> found = policy.balances(log, as_of=date(2024, 6, 30))
    >>> found
    Balances(2 accounts as of 2024-06-30: 60 available, 20 redeemed)
    >>> found.to_columns()["available"].tolist(), found.forecast()["points"].tolist()
    ([30, 30], [30, 30])
    """

    accounts: NDArray[Any] = field(repr=False)
    currency: str
    as_of: AsOf
    sums: Sums = field(repr=False)
    held: Numbers = field(repr=False)
    debt: Numbers = field(repr=False)
    left_out: int = 0
    one_by_one: int = 0
    problems: tuple[Problem, ...] = ()
    book: Book = field(kw_only=True, repr=False)  # what the lots are made from

    def __len__(self) -> int:
        """Return the number of accounts."""
        return len(self.accounts)

    def __repr__(self) -> str:
        """Return sizes and sums alone."""
        rest = f"; {len(self.problems)} problems" if self.problems else ""
        rest += f"; {self.left_out:,} rows later" if self.left_out else ""
        unit = f"accounts as of {self.as_of.day}"
        named = {str(state): n for state, n in self.totals().items()}
        return headline("Balances", len(self), unit, named, rest)

    def totals(self) -> dict[PointState, int]:
        """Return the points of all accounts together, by what they are."""
        return {state: int(column.sum()) for state, column in self._states.items()}

    @property
    def _states(self) -> dict[PointState, Numbers]:
        sums = self.sums
        columns = (sums.available, sums.pending, self.held, self.debt, sums.expired, sums.redeemed)
        return dict(zip(PointState, columns, strict=True))

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: account, points by what they are, and what expires next.

        ``next_expires_on`` is the first unusable day; NaT: nothing expires.
        """
        return {
            "account": self.accounts,
            **{str(state): column for state, column in self._states.items()},
            "next_expires_on": _dates(self.sums.next_expires),
            "next_expiring_points": self.sums.next_points,
        }

    def to_table(self, language: Language = "en") -> Table:
        """Return accounts and points by what the points are."""
        heads = figures(head.label(language) for head in (Head.CUSTOMERS, Head.POINTS))
        rows = (
            (state.label(language), count_text(int((n > 0).sum())), count_text(int(n.sum())))
            for state, n in self._states.items()
        )
        return Table((Column(Head.STATE.label(language)), *heads), rows)

    def lots(self) -> dict[str, NDArray[Any]]:
        """Return every lot in which something remains, soonest to expire first in an account.

        ``lot`` is the number of the row that opened it, of the fact where the log has facts;
        ``expires_on`` the first unusable day, NaT where there is none. What an expired lot
        had left is there, as in ``Account.lots``.
        """
        lots = self.book.lots
        some = np.flatnonzero(lots.left)
        some = some[np.lexsort((lots.row[some], lots.expires[some], lots.account[some]))]
        return {
            "account": self.accounts[lots.account[some]],
            "lot": lots.row[some],
            "remaining": lots.left[some],
            "usable_on": lots.usable[some].astype("M8[D]"),
            "expires_on": _dates(lots.expires[some]),
        }

    def forecast(self, by: Expiries | Literal["day", "month"] = Expiries.DAY) -> dict[str, Any]:
        """Return when points expire if nothing happens any more, held and pending ones too.

        Columns: account, ``expires_on`` (the first unusable day; NaT: never), points; or
        ``by="month"``: the ``month`` of the last usable day. The points of an account sum to
        what is available, pending and held.
        """
        lots, held = self.book.lots, self.book.reserved
        live = (lots.expires > day_number(self.as_of.day)) & (lots.left > 0)
        account = np.concatenate([lots.account[live], held.account])
        expires = np.concatenate([lots.expires[live], held.expires])
        points = np.concatenate([lots.left[live], held.left])
        name, days = "expires_on", _dates(expires)
        if member(Expiries, by, "by") is Expiries.MONTH:
            last = np.where(expires >= NEVER, OPEN, expires - 1).astype("M8[D]")
            name, days = "month", last.astype("M8[M]")
        numbers = days.astype(np.int64)
        numbers = np.where(numbers == OPEN, NEVER, numbers)
        order = np.lexsort((numbers, account))
        account, numbers, days, points = (x[order] for x in (account, numbers, days, points))
        new = np.ones(len(account), bool)
        new[1:] = (account[1:] != account[:-1]) | (numbers[1:] != numbers[:-1])
        first = np.flatnonzero(new)
        whole = np.add.reduceat(points, first) if len(first) else points
        return {"account": self.accounts[account[first]], name: days[first], "points": whole}

    def earned(self, since: date | None = None, until: date | None = None) -> Numbers:
        """Return what each account earned on these local dates, less what was reversed.

        It counts as ``Account.earned`` does: a reversal lessens the day of its earning.
        """
        return self.book.earned(since or date.min, until or date.max)


def _dates(days: Numbers) -> NDArray[Any]:
    return np.where(days >= NEVER, OPEN, days).astype("M8[D]")


def balances(
    policy: Rules, log: PointsLog, *, as_of: When, currency: str = POINTS
) -> Balances:
    """Return what stands in every account of a log; a date means the whole of it."""
    if policy.currency(currency) is None and currency not in log.currency_names:
        known = [row.code for row in policy.currencies]
        raise UnknownNameError("currency", currency, known)
    return _Work.of(policy, log, AsOf.at(as_of, zone_of(policy.zone)), currency).balances()


# --- what the plain rows of a currency are --------------------------------------------------------


@define(eq=False)
class _Work:
    """One question on its way: the rows that count, and what is known of every account."""

    policy: Any
    log: PointsLog
    view: AsOf
    currency: str
    days: Numbers
    counted: Flags | None  # rows that are known and that some rule takes; None: all
    known: Flags | None
    aside: list[Problem]
    alone: Flags  # accounts that go the way of one
    rows: Rows
    numbers: Numbers | None = None  # places in the log of these rows; None: all

    @classmethod
    def of(cls, policy: Any, log: PointsLog, view: AsOf, currency: str) -> _Work:  # noqa: ANN401
        """Choose the rows; those that no rule takes are set aside."""
        days = log.times.days(view.zone) if log.days is None else log.days
        known = log.known(view, days)
        alone = np.zeros(len(log.accounts), bool)
        if log.special is not None:
            alone |= log.special
        work = cls(policy, log, view, currency, days, known, known, [], alone, _NO_ROWS)
        if log.facts is None:
            work._set_aside()
        work._choose()
        return work

    def _set_aside(self) -> None:
        """Set rows aside that are refused whatever the account has (E-14)."""
        log, policy = self.log, self.policy
        codes = tuple(row.code for row in policy.currencies)
        strange = [n for n, name in enumerate(log.currency_names) if name not in codes]
        status = [
            n
            for n, name in enumerate(log.currency_names)
            if name in codes and not policy.currency(name).redeemable and name == self.currency
        ]
        if strange:
            # What captures, releases or returns something names no currency of its own.
            bad = _among(log, strange) & ~np.isin(log.kinds, COINLESS)
            named = ", ".join(log.currency_names[n] for n in strange)
            self._aside(Code.UNKNOWN_CURRENCY, bad, named, ", ".join(codes))
        if status:
            bad = _among(log, status) & np.isin(log.kinds, SPENDING)
            self._aside(Code.NOT_POSSIBLE, bad, self.currency, "a currency that can be redeemed")

    def _aside(self, code: Code, bad: Flags, given: str, allowed: str) -> None:
        if self.known is not None:
            bad = bad & self.known
        if bad.any():
            numbers = np.sort(self.log.rows[bad])
            self.aside.append(Problem(code, tuple(numbers.tolist()), given, allowed))
            self.counted = ~bad if self.counted is None else self.counted & ~bad

    def _choose(self) -> None:
        log = self.log
        self._odd_accounts()
        mine = self.counted
        if len(log.currency_names) > 1 or log.currency_names[0] != self.currency:
            places = [n for n, x in enumerate(log.currency_names) if x == self.currency]
            found = _among(log, places)
            mine = found if mine is None else mine & found
        self._take(mine)
        if log.facts is None and self._too_soon():
            mine = self.counted if mine is None else mine & self.counted
            self._take(mine)
        if self.alone.any():
            fine = ~self.alone[log.codes]
            self._take(fine if mine is None else mine & fine)

    def _take(self, mine: Flags | None) -> None:
        log, some = self.log, slice(None) if mine is None else mine
        day, kinds = self.days[some], log.kinds[some]
        opens = kinds != REDEEM
        row = self.policy.currency(self.currency)
        expires, usable, renewed = _terms(self.policy, row, day)
        if log.facts is not None:
            renewed = None
        fixed = log.expires is not None and bool((log.expires[some][opens] != OPEN).any())
        if log.expires is not None:
            given = log.expires[some]
            if renewed is not None and fixed:
                mixed = np.unique(log.codes[some][opens & (given != OPEN)])
                self.alone[mixed] = True
            expires = np.where(given == OPEN, expires, given)
        if log.usable is not None:
            given = log.usable[some]
            usable = np.where(given == OPEN, usable, given)
        self.numbers = None if mine is None else np.flatnonzero(mine)
        self.rows = Rows(
            *(len(log.accounts), log.codes[some], day, opens, log.points[some]),
            *(expires, usable, renewed),
        )

    def _too_soon(self) -> bool:
        """Set earnings aside that expire before they can be used; True if there are any."""
        rows, log = self.rows, self.log
        soon = rows.opens & (rows.expires <= np.maximum(rows.usable, rows.day))
        plain = self._kinds() < PLAIN
        soon &= plain
        if rows.renewed is not None:  # what slides is not judged, what has a day is
            soon &= False if log.expires is None else self._given() != OPEN
        if not soon.any():
            return False
        bad = np.zeros(len(log.codes), bool)
        bad[np.flatnonzero(soon) if self.numbers is None else self.numbers[soon]] = True
        first = np.datetime64(int(rows.expires[soon][0]), "D")
        self._aside(Code.EXPIRES_TOO_SOON, bad, str(first), "after the first usable day")
        return True

    def _kinds(self) -> NDArray[np.uint8]:
        return self.log.kinds if self.numbers is None else self.log.kinds[self.numbers]

    def _given(self) -> Numbers:
        days = np.asarray(self.log.expires)
        return days if self.numbers is None else days[self.numbers]

    def _odd_accounts(self) -> None:
        """Find the accounts whose rows break the plain shape."""
        log, alone, some = self.log, self.alone, self.counted
        codes = log.codes if some is None else log.codes[some]
        kinds = log.kinds if some is None else log.kinds[some]
        days = self.days if some is None else self.days[some]
        if log.facts is not None or not len(kinds):
            return
        if kinds.max() >= PLAIN:
            alone[codes[kinds >= PLAIN]] = True
        if (kinds == OPENING).any():  # it comes before anything else
            alone[codes[1:][(codes[1:] == codes[:-1]) & _opens_after(kinds)]] = True
        if not log.times.are_days:  # clocks that go back over midnight
            alone[codes[1:][(codes[1:] == codes[:-1]) & (days[1:] < days[:-1])]] = True
        if "reference" in log.texts:
            spends = kinds == REDEEM
            names = log.texts["reference"] if some is None else log.texts["reference"][some]
            _same_names(alone, codes[spends], names[spends])

    # --- adding up ------------------------------------------------------------------------------

    def balances(self) -> Balances:
        """Add the rows up, block by block, and look at the accounts left over one by one."""
        size = len(self.log.accounts)
        sums, book = Sums.none(size), Book(self.rows, self.numbers, self)
        over = np.zeros(size, bool)
        for first, block, scan in scans(self.rows, day_number(self.view.day)):
            here = slice(first, first + block.size)
            if scan is None:
                over[here] = True
                continue
            book.unordered[here] = scan.unordered
            over[here] = scan.failed & ~scan.unordered
            sums.put(here, scan.sums(), slice(None))
        self._mixed(book, sums, over)
        self.alone |= over
        held, debt = np.zeros(size, np.int64), np.zeros(size, np.int64)
        single = _OneByOne(self, sums, held, debt)
        book.single = single.run(np.flatnonzero(self.alone))
        book.alone = self.alone
        known = len(self.log.codes) if self.known is None else int(self.known.sum())
        return Balances(
            *(self.log.accounts, self.currency, self.view, sums, held, debt),
            left_out=len(self.log.codes) - known + single.left_out,
            one_by_one=int(self.alone.sum()),
            problems=(*self.log.problems, *self.aside, *single.problems()),
            book=book,
        )

    def _mixed(self, book: Book, sums: Sums, over: Flags) -> None:
        """Add up the accounts whose lots expire in any order, rank by rank."""
        counts = np.diff(self.rows.starts())
        some = book.unordered & ~over & ~self.alone
        slow = some & ((counts > DEEP) | (self.rows.renewed is not None))
        over |= slow
        codes = np.flatnonzero(some & ~slow)
        if not len(codes):
            return
        rows = _only(self.rows, codes)
        lots, failed = ranked(rows)
        over[codes[failed]] = True
        found = summed(lots, len(codes), day_number(self.view.day), spent(rows))
        sums.put(codes[~failed], found, ~failed)


_NO_ROWS = Rows(
    0, *(np.zeros(0, kind) for kind in (np.int64, np.int64, np.bool_)),
    *(np.zeros(0, np.int64) for _ in range(3)),
)  # fmt: skip


def _among(log: PointsLog, currencies: Sequence[int]) -> Flags:
    if log.currencies is None:
        return np.full(len(log.codes), 0 in currencies)
    return np.isin(log.currencies, currencies)


def _only(rows: Rows, codes: Numbers) -> Rows:
    """Return the rows of some accounts, numbered by their place among these."""
    place = np.full(rows.size, -1)
    place[codes] = np.arange(len(codes))
    found = rows.of(place[rows.account] >= 0, 0, len(codes))
    return evolve(found, account=place[found.account])


def _terms(policy: Any, row: Any, days: Numbers) -> tuple[Numbers, Numbers, Numbers | None]:  # noqa: ANN401
    """Return the first unusable and the first usable day of points earned on these days."""
    if row is None:
        return np.full(len(days), NEVER), days, None
    validity = policy.validity_of(row)
    ends = _by_day(days, lambda day: _number(validity.expires_on(day)))
    begins = day_number(policy.pending_until(row, date(2024, 1, 1)))
    pending = begins - day_number(date(2024, 1, 1))
    usable = np.minimum(days + pending, LAST_DAY) if pending else days
    return ends, usable, ends if validity.inactivity else None


def _number(day: date | None) -> int:
    return NEVER if day is None else day_number(day)


def _by_day(days: Numbers, answer: Any) -> Numbers:  # noqa: ANN401
    """Ask for every day that occurs once."""
    if not len(days):
        return days
    low, high = int(days.min()), int(days.max())
    if high - low < 4 * len(days) + 1024:
        seen = np.zeros(high - low + 1, bool)
        seen[days - low] = True
        table = np.zeros(high - low + 1, np.int64)
        table[seen] = [answer(day_of(n + low)) for n in np.flatnonzero(seen).tolist()]
        return table[days - low]
    found, places = np.unique(days, return_inverse=True)
    return np.array([answer(day_of(n)) for n in found.tolist()], np.int64)[places]


def _opens_after(kinds: NDArray[np.uint8]) -> Flags:
    """Whether each row but the first takes a balance over that another kind of row precedes."""
    return (kinds[1:] == OPENING) & (kinds[:-1] != OPENING)


def _same_names(alone: Flags, codes: NDArray[np.intp], names: NDArray[Any]) -> None:
    """Find accounts whose redemptions may have one id: named twice, or by their number."""
    named = names != ""
    if not named.any():
        return
    some = np.zeros(len(alone), bool)
    some[codes[~named]] = True
    alone[codes[named & some[codes]]] = True
    _, numbers = np.unique(names, return_inverse=True)
    pairs = codes[named] * np.intp(len(names) + 1) + numbers[named]
    order = np.argsort(pairs, kind="stable")
    twice = pairs[order][1:] == pairs[order][:-1]
    alone[codes[named][order[1:][twice]]] = True


# --- one account after the other ------------------------------------------------------------------


@define(eq=False)
class _Single:
    """Lots of the accounts that went the way of one, as columns that grow."""

    accounts: dict[int, tuple[Account, tuple[PointsFact, ...]]] = field(factory=dict)
    lots: list[tuple[int, int, int, int, int]] = field(factory=list)
    held: list[tuple[int, int, int]] = field(factory=list)


@define(eq=False)
class _OneByOne:
    """The accounts that break the shape: decided entry by entry, or made from their facts."""

    work: _Work
    sums: Sums
    held: Numbers
    debt: Numbers
    left_out: int = 0
    refused: dict[Code, list[tuple[int, str, str]]] = field(factory=dict)

    def run(self, codes: NDArray[np.intp]) -> _Single:
        """Write what stands in these accounts, and return their lots."""
        found, log, starts = _Single(), self.work.log, self._starts()
        for code in codes.tolist():
            name = str(log.accounts[code])
            numbers: dict[int, int] = {}
            if log.facts is None:
                account, numbers = self._decided(name, range(starts[code], starts[code + 1]))
            else:
                account = self.work.policy.replay(name, log.facts[code])
            known = tuple(fact for fact in account.facts if self.work.view.knows(fact.at))
            if log.special is not None and log.special[code]:
                self.left_out += account.sequence - len(known)
            found.accounts[code] = account, known
            self._write(code, account, found, numbers)
        return found

    def _starts(self) -> list[int]:
        counts = np.bincount(self.work.log.codes, minlength=len(self.work.log.accounts))
        return [0, *np.cumsum(counts).tolist()]

    def _decided(self, name: str, rows: range) -> tuple[Account, dict[int, int]]:
        """Judge the entries of one account, and remember which row became which fact."""
        policy, log, counted = self.work.policy, self.work.log, self.work.counted
        account, numbers = policy.start(name), dict[int, int]()
        for place, (number, command) in zip(rows, log.commands(rows), strict=True):
            if counted is not None and not counted[place]:
                continue
            answer = policy.decide(account, command)
            if isinstance(answer, Refused):
                self._refuse(number, command, answer)
                continue
            numbers |= {fact.sequence: number for fact in answer.facts}
            account = answer.state
        return account, numbers

    def _refuse(self, number: int, command: Any, answer: Refused) -> None:  # noqa: ANN401
        if (getattr(command, "currency", "") or self.work.currency) == self.work.currency:
            given = ", ".join(answer.missing) or str(answer.given[0])
            said = number, given, ", ".join(answer.allowed) or "nothing"
            self.refused.setdefault(answer.code, []).append(said)

    def problems(self) -> tuple[Problem, ...]:
        """Return the refused rows, by cause."""
        found = []
        for code, rows in sorted(self.refused.items()):
            rows.sort()
            numbers = tuple(number for number, _, __ in rows)
            found.append(Problem(code, numbers, rows[0][1], rows[0][2]))
        return tuple(found)

    def _write(
        self, code: int, account: Account, found: _Single, numbers: dict[int, int]
    ) -> None:
        currency, view = self.work.currency, self.work.view
        seen, _ = account.seen(view.day if view.instant is None else view.instant)
        book, lots = seen.book(currency), list[tuple[int, int, int, int, int]]()
        for expires, _, lot, left, usable in book.lots:
            day = book.slides if expires == SLIDING else expires
            row = numbers.get(lot, lot)
            lots.append((code, left, _ordinal(day), usable - EPOCH, row))
        for hold in seen.holds:
            if hold.currency == currency:
                back = NEVER if hold.until is None else day_number(hold.lapse_day(seen.zone))
                for lot, points in hold.taken:
                    found.held.append((code, points, max(_ordinal(seen.expiry(lot)), back)))
        found.lots += lots
        self.held[code] = sum(x.points for x in seen.holds if x.currency == currency)
        self.debt[code] = book.debt
        gone = np.array([_redeemed(found.accounts[code][1], currency)])
        one = _lots([(0, *lot[1:]) for lot in lots])
        self.sums.put(
            np.array([code]), summed(one, 1, day_number(view.day), gone), slice(None)
        )


def _ordinal(day: int) -> int:
    return min(day - EPOCH, NEVER)


def _redeemed(facts: Iterable[Any], currency: str) -> int:
    """Return the points that were redeemed, less what came back."""
    mine = [fact for fact in facts if getattr(fact, "currency", "") == currency]
    back = sum(fact.points for fact in mine if isinstance(fact, RedemptionReversed))
    return sum(x.points for x in mine if isinstance(x, Redeemed | Captured)) - back


def _lots(rows: Sequence[tuple[int, int, int, int, int]]) -> Lots:
    columns = np.array(rows, np.int64).reshape(-1, 5).T
    return Lots(*columns)


# --- lots, when somebody asks for them ------------------------------------------------------------


@define(eq=False, slots=False)
class Book:
    """What the balances were made from; lots are found when they are asked for."""

    rows: Rows
    numbers: Numbers | None
    work: _Work
    unordered: Flags = field(init=False)
    alone: Flags = field(init=False)
    single: _Single = field(factory=_Single)

    def __attrs_post_init__(self) -> None:
        self.unordered = np.zeros(self.rows.size, bool)
        self.alone = np.zeros(self.rows.size, bool)

    @cached_property
    def lots(self) -> Lots:
        """Every lot, with the number of the row or fact that opened it."""
        return _joined([*self._fast(), _lots(self.single.lots)])

    @property
    def reserved(self) -> Lots:
        """What is held, by the day on which it expires if nobody captures it."""
        rows = [(code, points, expires, 0, 0) for code, points, expires in self.single.held]
        return _lots(rows)

    def _fast(self) -> list[Lots]:
        found, day = [], day_number(self.work.view.day)
        ordered = np.flatnonzero(~self.unordered & ~self.alone)
        rows, numbers = self._part(ordered)
        starts = rows.starts()
        for first, _, scan in scans(rows, day):
            if scan is not None:  # as it was found before, with more accounts
                lots = scan.lots()
                found.append(self._named(lots, ordered[first:], numbers[starts[first] :]))
        mixed = np.flatnonzero(self.unordered & ~self.alone)
        rows, numbers = self._part(mixed)
        return [*found, self._named(ranked(rows)[0], mixed, numbers)]

    def _part(self, codes: NDArray[np.intp]) -> tuple[Rows, Numbers]:
        rows = self.work.log.rows if self.numbers is None else self.work.log.rows[self.numbers]
        here = np.zeros(self.rows.size, bool)
        here[codes] = True
        return _only(self.rows, codes), rows[here[self.rows.account]]

    @staticmethod
    def _named(lots: Lots, codes: NDArray[np.intp], numbers: Numbers) -> Lots:
        """Return lots with the codes of their accounts and the numbers of their rows."""
        return evolve(lots, account=codes[lots.account], row=numbers[lots.row])

    def earned(self, since: date, until: date) -> Numbers:
        """Return what was earned on these local dates, by account."""
        log, rows, currency = self.work.log, self.rows, self.work.currency
        kinds = log.kinds if self.numbers is None else log.kinds[self.numbers]
        some = (kinds == EARN) & (rows.day >= day_number(since)) & (rows.day <= day_number(until))
        found = np.zeros(rows.size, np.int64)
        np.add.at(found, rows.account[some], rows.points[some])
        for code, (account, facts) in self.single.accounts.items():
            bare = make_account(account.terms, (), facts, (), (), None)
            found[code] = bare.earned(currency, since, until)
        return found


def _joined(parts: Sequence[Lots]) -> Lots:
    columns = ((x.account, x.left, x.expires, x.usable, x.row) for x in parts)
    return Lots(*(np.concatenate(each) for each in zip(*columns, strict=True)))
