"""What stands in many accounts of points, from columns of entries (E-14, E-15).

The answer to every account is that of :meth:`~retention.ledger.PointsPolicy.decide`, entry by
entry, or of :meth:`~retention.ledger.PointsPolicy.replay`, where the log has facts. Accounts
that only earn and redeem are added up as columns (``point_scans``). All others go the way of
one account, and so does one that redeemed more than it had: which is which is found account by
account, and both ways give the same. An entry that is refused changes nothing and stands among
the ``problems``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property
from typing import Any, Literal

import numpy as np
from attrs import define, evolve, field, frozen
from numpy.typing import NDArray

from retention.accounts import Account, make_account
from retention.lots import SLIDING
from retention.mechanisms.answers import Code, Problem, Refused
from retention.mechanisms.choices import member
from retention.mechanisms.errors import UnknownNameError
from retention.mechanisms.periods import (
    EPOCH,
    AsOf,
    When,
    day_number,
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
    EARN,
    OPEN,
    PointsLog,
)
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
from retention.point_shapes import Flags, Numbers, Question, Rules
from retention.points import POINTS, Captured, PointsFact, Redeemed, RedemptionReversed


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


@frozen(eq=False)
class Balances(Shown):
    """What stands in every account of a log, in points of one currency.

    ``problems`` are the rows that were set aside, and those that were refused: more was
    redeemed than there was, an expiry before the points can be used. ``left_out`` counts the
    rows after ``as_of``, ``one_by_one`` the accounts that went the way of one account.

    >>> from retention.ledger import PointsPolicy
    >>> from retention.lots import Validity
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
        account, expires = lots.account[some], lots.expires[some]
        step = account[1:] - account[:-1]
        if not ((step > 0) | ((step == 0) & (expires[1:] >= expires[:-1]))).all():
            some = some[np.lexsort((expires, account))]  # of one day the earlier comes first
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


def balances(policy: Rules, log: PointsLog, *, as_of: When, currency: str = POINTS) -> Balances:
    """Return what stands in every account of a log; a date means the whole of it."""
    if policy.currency(currency) is None and currency not in log.currency_names:
        known = [row.code for row in policy.currencies]
        raise UnknownNameError("currency", currency, known)
    return _balances(Question.of(policy, log, AsOf.at(as_of, zone_of(policy.zone)), currency))


def _balances(question: Question) -> Balances:
    """Add the rows up, block by block, and look at the accounts left over one by one."""
    size = len(question.log.accounts)
    sums, book = Sums.none(size), Book(question.rows, question.numbers, question)
    over = np.zeros(size, bool)
    for first, block, scan in scans(question.rows, day_number(question.view.day)):
        here = slice(first, first + block.size)
        if scan is None:
            over[here] = True
            continue
        book.unordered[here] = scan.unordered
        over[here] = scan.failed & ~scan.unordered
        sums.put(here, scan.sums(), slice(None))
    _mixed(question, book, sums, over)
    question.alone |= over
    held, debt = np.zeros(size, np.int64), np.zeros(size, np.int64)
    single = _OneByOne(question, sums, held, debt)
    book.single = single.run(np.flatnonzero(question.alone))
    book.alone = question.alone
    known = len(question.log.codes) if question.known is None else int(question.known.sum())
    return Balances(
        *(question.log.accounts, question.currency, question.view, sums, held, debt),
        left_out=len(question.log.codes) - known + single.left_out,
        one_by_one=int(question.alone.sum()),
        problems=(*question.log.problems, *question.aside, *single.problems()),
        book=book,
    )


def _mixed(question: Question, book: Book, sums: Sums, over: Flags) -> None:
    """Add up the accounts whose lots expire in any order, rank by rank."""
    if not book.unordered.any():
        return
    counts = np.diff(question.rows.starts)
    some = book.unordered & ~over & ~question.alone
    slow = some & ((counts > DEEP) | (question.rows.renewed is not None))
    over |= slow
    codes = np.flatnonzero(some & ~slow)
    if not len(codes):
        return
    rows = _only(question.rows, codes)
    lots, failed = ranked(rows)
    over[codes[failed]] = True
    found = summed(lots, len(codes), day_number(question.view.day), spent(rows))
    sums.put(codes[~failed], found, ~failed)


def _only(rows: Rows, codes: Numbers) -> Rows:
    """Return the rows of some accounts, numbered by their place among these."""
    if len(codes) == rows.size:
        return rows
    place = np.full(rows.size, -1)
    place[codes] = np.arange(len(codes))
    found = rows.of(place[rows.account] >= 0, 0, len(codes))
    return evolve(found, account=place[found.account])


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

    question: Question
    sums: Sums
    held: Numbers
    debt: Numbers
    left_out: int = 0
    refused: dict[Code, list[tuple[int, str, str]]] = field(factory=dict)

    def run(self, codes: NDArray[np.intp]) -> _Single:
        """Write what stands in these accounts, and return their lots."""
        found, log = _Single(), self.question.log
        if not len(codes):
            return found
        starts = self._starts()
        for code in codes.tolist():
            name = str(log.accounts[code])
            numbers: dict[int, int] = {}
            if log.facts is None:
                account, numbers = self._decided(name, range(starts[code], starts[code + 1]))
            else:
                account = self.question.policy.replay(name, log.facts[code])
            known = tuple(fact for fact in account.facts if self.question.view.knows(fact.at))
            if log.special is not None and log.special[code]:
                self.left_out += account.sequence - len(known)
            found.accounts[code] = account, known
            self._write(code, account, found, numbers)
        return found

    def _starts(self) -> list[int]:
        counts = np.bincount(self.question.log.codes, minlength=len(self.question.log.accounts))
        return [0, *np.cumsum(counts).tolist()]

    def _decided(self, name: str, rows: range) -> tuple[Account, dict[int, int]]:
        """Judge the entries of one account, and remember which row became which fact."""
        policy, log, counted = self.question.policy, self.question.log, self.question.counted
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
        if (getattr(command, "currency", "") or self.question.currency) == self.question.currency:
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

    def _write(self, code: int, account: Account, found: _Single, numbers: dict[int, int]) -> None:
        currency, view = self.question.currency, self.question.view
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
        self.sums.put(np.array([code]), summed(one, 1, day_number(view.day), gone), slice(None))


def _ordinal(day: int) -> int:
    return min(day - EPOCH, NEVER)


def _redeemed(facts: Iterable[Any], currency: str) -> int:
    """Return the points that were redeemed, less what came back."""
    mine = [fact for fact in facts if getattr(fact, "currency", "") == currency]
    back = sum(fact.points for fact in mine if isinstance(fact, RedemptionReversed))
    return sum(x.points for x in mine if isinstance(x, Redeemed | Captured)) - back


def _lots(rows: Sequence[tuple[int, int, int, int, int]]) -> Lots:
    account, left, expires, usable, row = np.array(rows, np.int64).reshape(-1, 5).T
    return Lots(account, left, expires, usable, row)


# --- lots, when somebody asks for them ------------------------------------------------------------


@define(eq=False, slots=False)
class Book:
    """What the balances were made from; lots are found when they are asked for."""

    rows: Rows
    numbers: Numbers | None
    question: Question
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
        found, day = [], day_number(self.question.view.day)
        ordered = np.flatnonzero(~self.unordered & ~self.alone)
        rows, numbers = self._part(ordered)
        starts = rows.starts
        for first, _, scan in scans(rows, day):
            if scan is not None:  # as it was found before, with more accounts
                lots = scan.lots()
                found.append(self._named(lots, ordered[first:], numbers[starts[first] :]))
        mixed = np.flatnonzero(self.unordered & ~self.alone)
        rows, numbers = self._part(mixed)
        return [*found, self._named(ranked(rows)[0], mixed, numbers)]

    def _part(self, codes: NDArray[np.intp]) -> tuple[Rows, Numbers]:
        rows = (
            self.question.log.rows if self.numbers is None else self.question.log.rows[self.numbers]
        )
        here = np.zeros(self.rows.size, bool)
        here[codes] = True
        return _only(self.rows, codes), rows[here[self.rows.account]]

    @staticmethod
    def _named(lots: Lots, codes: NDArray[np.intp], numbers: Numbers) -> Lots:
        """Return lots with the codes of their accounts and the numbers of their rows."""
        return evolve(lots, account=codes[lots.account], row=numbers[lots.row])

    def earned(self, since: date, until: date) -> Numbers:
        """Return what was earned on these local dates, by account."""
        log, rows, currency = self.question.log, self.rows, self.question.currency
        kinds = log.kinds if self.numbers is None else log.kinds[self.numbers]
        some = (kinds == EARN) & (rows.day >= day_number(since)) & (rows.day <= day_number(until))
        found = np.zeros(rows.size, np.int64)
        np.add.at(found, rows.account[some], rows.points[some])
        for code, (account, facts) in self.single.accounts.items():
            bare = make_account(account.terms, (), facts, (), (), None)
            found[code] = bare.earned(currency, since, until)
        return found


def _joined(parts: Sequence[Lots]) -> Lots:
    return Lots(
        np.concatenate([part.account for part in parts]),
        np.concatenate([part.left for part in parts]),
        np.concatenate([part.expires for part in parts]),
        np.concatenate([part.usable for part in parts]),
        np.concatenate([part.row for part in parts]),
    )
