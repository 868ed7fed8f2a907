"""Which entries of a log count, in one currency, and which accounts are plain enough for columns.

A row that is refused whatever the account has is set aside. An account is plain when it only
earned and redeemed. Holds, reversals, corrections, transfers, ids that come twice, days of
expiry among those that slide, and clocks that went back over midnight send it the way of one
account. What the rows add up to is decided in ``point_columns``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Protocol

import numpy as np
from attrs import define
from numpy.typing import NDArray

from retention.accounts import Account
from retention.lots import Validity
from retention.mechanisms.answers import Accepted, Code, Problem, Refused
from retention.mechanisms.periods import LAST_DAY, AsOf, day_number, day_of
from retention.point_logs import (
    COINLESS,
    OPEN,
    OPENING,
    PLAIN,
    REDEEM,
    SPENDING,
    PointsLog,
)
from retention.point_policies import PointCurrency
from retention.point_scans import NEVER, Rows
from retention.points import PointsFact, PointsOrder

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Rules(Protocol):
    """What is asked of the policy; ``PointsPolicy`` is one."""

    @property
    def zone(self) -> str:
        """The zone in which its days are."""
        ...

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


@define(eq=False)
class Question:
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
    def of(cls, policy: Any, log: PointsLog, view: AsOf, currency: str) -> Question:  # noqa: ANN401
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
        if log.currency_names != (self.currency,):
            places = [n for n, x in enumerate(log.currency_names) if x == self.currency]
            found = _among(log, places)
            mine = found if mine is None else mine & found
        self._take(mine)
        if log.facts is None and self._too_soon():
            mine = self.counted if mine is None else mine & np.asarray(self.counted)
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


_NONE, _NO_FLAGS = np.zeros(0, np.int64), np.zeros(0, np.bool_)
_NO_ROWS = Rows(0, _NONE, _NONE, _NO_FLAGS, _NONE, _NONE, _NONE)


def _among(log: PointsLog, currencies: Sequence[int]) -> Flags:
    if log.currencies is None:
        return np.full(len(log.codes), 0 in currencies)
    return np.isin(log.currencies, currencies)


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


_MANY = 40_000  # days that are asked about without looking which of them occur


def _by_day(days: Numbers, answer: Any) -> Numbers:  # noqa: ANN401
    """Ask for every day that occurs once."""
    if not len(days):
        return days
    low, high = int(days.min()), int(days.max())
    if high - low < min(len(days), _MANY):
        table = np.array([answer(day_of(n)) for n in range(low, high + 1)], np.int64)
        return table[days - low]
    found, places = np.unique(days, return_inverse=True)
    return np.array([answer(day_of(n)) for n in found.tolist()], np.int64)[places]


def _opens_after(kinds: NDArray[np.uint8]) -> Flags:
    """Whether each row but the first takes a balance over that another kind of row precedes."""
    found: Flags = (kinds[1:] == OPENING) & (kinds[:-1] != OPENING)
    return found


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
