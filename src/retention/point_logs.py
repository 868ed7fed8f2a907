"""Entries of many accounts of points as columns: what was earned, redeemed, reversed, and when.

A log is a book of commands that were carried out, or of facts that are kept. Bad rows are set
aside with their numbers and never guessed (``problems``); columns that cannot be a log at all
are refused. The rows of an account count in the order of their time, those of one moment as
they stand; in which order the accounts stand does not matter.

What the entries add up to is decided in ``point_columns``; a single account is in ``accounts``.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike, NDArray

from retention.identifiers import Identifiers, signed
from retention.logs import (
    Times,
    check_lengths,
    microseconds_of,
    set_aside,
    texts_of,
    times_of,
    when_of,
)
from retention.lots import NEVER as NO_END
from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.errors import WrongTypeError
from retention.mechanisms.periods import AsOf, day_number, day_of, in_utc
from retention.point_orders import (
    POINTS,
    Adjust,
    Capture,
    Earn,
    Hold,
    OpenBalance,
    Parcel,
    PointsCommand,
    PointsOrder,
    Receive,
    Redeem,
    Release,
    ReverseEarning,
    ReverseRedemption,
    Transfer,
)
from retention.point_scans import NEVER
from retention.points import Earned, Opened, PointsFact, Redeemed

Numbers = NDArray[np.int64]

OPEN = np.iinfo(np.int64).min  # a day that the policy decides; how datetime64 writes NaT
_MOST = 2**40  # points of a row; so many rows fit into one account that nobody has more
_EXACT = 2**53  # beyond this a float64 no longer holds every whole number
_DAYS = "local days: dates, or a datetime64[D] column; None or NaT: as the policy says"
_WHOLE = "whole points: no fraction, no truth value"

KINDS = (
    *(PointsCommand.EARN, PointsCommand.REDEEM, PointsCommand.OPEN_BALANCE),
    *(PointsCommand.HOLD, PointsCommand.CAPTURE, PointsCommand.RELEASE),
    *(PointsCommand.REVERSE_EARNING, PointsCommand.REVERSE_REDEMPTION),
    *(PointsCommand.ADJUST, PointsCommand.TRANSFER, PointsCommand.RECEIVE),
)
EARN, REDEEM, OPENING = 0, 1, 2  # places in KINDS; a row of these alone is plain
PLAIN = 3  # kinds before this one
SPENDING = (1, 3, 9)  # kinds that take what can be spent
COINLESS = (4, 5, 7)  # kinds that follow the currency of what they name
_ALL_OR_PART = (4, 5, 6, 7)  # 0 points: all that is left
_NAMED = (3, 4, 5, 6, 7, 9, 10)  # what is reversed, held, sent to or from must be named
_SIGNED = 8  # a correction may be less than 0


@frozen(eq=False)
class PointsLog:
    """Entries of many accounts, account by account in the order of time.

    >>> log = PointsLog.from_columns(
    ...     account=["a", "b", "a"],
    ...     kind=["earn", "earn", "redeem"],
    ...     at=np.array(["2024-06-01", "2024-06-01", "2024-06-02"], "M8[D]"),
    ...     points=[50, 1.5, 20],
    ... )
    >>> log, str(log.problems[0])
    (PointsLog(2 rows, 1 accounts), \
'not whole: 1 row (1), first 1.5; allowed: whole points: no fraction, no truth value')
    """

    accounts: NDArray[Any]  # the id of each code, sorted
    codes: NDArray[np.intp]  # code of the account, per row
    times: Times
    kinds: NDArray[np.uint8]  # place in KINDS
    points: Numbers
    rows: Numbers  # numbers of the rows as they were handed over
    currencies: NDArray[np.intp] | None = None  # None: all of the first currency
    currency_names: tuple[str, ...] = (POINTS,)
    expires: Numbers | None = None  # day numbers; None, or OPEN in a row: as the policy says
    usable: Numbers | None = None
    days: Numbers | None = None  # local days where facts say them; None: from the times
    texts: Mapping[str, NDArray[Any]] = field(factory=dict)  # reference, key, approver
    until: Times | None = None  # of holds
    facts: Mapping[int, tuple[PointsFact, ...]] | None = None  # of each code, where kept
    special: NDArray[np.bool_] | None = None  # accounts whose facts are no plain rows
    problems: tuple[Problem, ...] = ()

    @classmethod
    def from_columns(  # noqa: PLR0913  one keyword a column
        cls,
        *,
        account: ArrayLike | Identifiers,
        kind: ArrayLike | Identifiers,
        at: Any,  # noqa: ANN401  a column of datetime64, or dates and datetimes
        points: ArrayLike,
        currency: str | ArrayLike | Identifiers = POINTS,
        reference: ArrayLike | None = None,
        key: ArrayLike | None = None,
        expires_on: ArrayLike | None = None,
        usable_on: ArrayLike | None = None,
        until: Any = None,  # noqa: ANN401  like at
        approver: ArrayLike | None = None,
        utc: bool = False,
    ) -> PointsLog:
        """Read columns of equal length; the input is not changed.

        ``kind`` are the codes of ``PointsCommand``. ``reference`` is the source of an earning
        and of its reversal, the id of a redemption and of its return, of a hold and of what
        ends it, the other account of a transfer, the reason of a correction. 0 points of a
        capture, a release or a reversal are all that is left. A key that an account has had
        before is set aside.
        """
        ids, times, (kinds, names) = Identifiers.of(account), times_of(at, utc=utc), _kinds(kind)
        whole, fraction = _points(points)
        money, coins = _currencies(currency)
        texts = {"reference": reference, "key": key, "approver": approver}
        more = {name: texts_of(x, name) for name, x in texts.items() if x is not None}
        days = {
            "expires_on": _days(expires_on, "expires_on"),
            "usable_on": _days(usable_on, "usable_on"),
        }
        ends = None if until is None else times_of(until, utc=utc)
        check_lengths(
            account=ids.codes, at=times.numbers, kind=kinds, points=whole, currency=coins,
            until=None if ends is None else ends.numbers, **more, **days,
        )  # fmt: skip
        given = np.asarray(points)
        problems, keep = set_aside(
            (Code.NO_CUSTOMER, ids.nameless, "", "an account"),
            (Code.NO_TIME, _timeless(times), "NaT", "a time in every row"),
            (Code.UNKNOWN_KIND, _some(kinds == len(KINDS)), names, ", ".join(KINDS)),
            (Code.NOT_WHOLE, fraction, given, _WHOLE),
            (Code.ABOVE_LIMIT, _some(abs(whole) >= _MOST), given, "less than 2**40 points"),
            (Code.NOT_POSITIVE, _refused(kinds, whole, fraction), given, "1 point or more"),
            (Code.NAMES_MISSING, _nameless(kinds, more.get("reference")), "''", "a reference"),
            (Code.KEY_REUSED, _again(ids.codes, more.get("key")), more.get("key"), "each key once"),
        )
        rows = np.arange(len(whole)) if keep is None else np.flatnonzero(keep)
        ids = ids.kept(keep)
        rows = _sorted(rows, ids.codes, times, keep)
        place = rows if keep is None else np.cumsum(keep)[rows] - 1
        taken = Times(times.numbers[rows], times.are_days)
        return cls(
            ids.customers,
            ids.codes[place],
            taken,
            kinds[rows],
            whole[rows],
            rows,
            None if coins is None else coins[rows],
            money,
            _at(days["expires_on"], rows),
            _at(days["usable_on"], rows),
            texts={name: column[rows] for name, column in more.items()},
            until=None if ends is None else Times(ends.numbers[rows], ends.are_days),
            problems=problems,
        )

    @classmethod
    def of(cls, facts: Mapping[str, Iterable[PointsFact]]) -> PointsLog:
        """Read the facts of every account, each in the order of its log.

        Accounts that only earned and redeemed, in the order of time, become rows; the facts
        of the others are kept as they are.
        """
        logs = {name: tuple(facts[name]) for name in sorted(facts)}
        sort = next((type(x.at) is date for log in logs.values() for x in log), True)
        plain = [_plain(log, dated=sort) for log in logs.values()]
        rows: list[Any] = [
            (code, fact)
            for code, (log, yes) in enumerate(zip(logs.values(), plain, strict=True))
            for fact in (log if yes else ())
        ]
        names = tuple(sorted({x.currency for _, x in rows})) or (POINTS,)
        usable = [getattr(x, "usable_on", None) for _, x in rows]
        return cls(
            np.array(list(logs), "U") if logs else np.zeros(0, "U1"),
            np.array([code for code, _ in rows], np.intp),
            times_of([fact.at for _, fact in rows], utc=True),
            np.array([KINDS.index(fact.name) for _, fact in rows], np.uint8),
            np.array([fact.points for _, fact in rows], np.int64),
            np.array([fact.sequence for _, fact in rows], np.int64),
            np.array([names.index(fact.currency) for _, fact in rows], np.intp),
            names,
            np.array([_end(getattr(fact, "expires_on", None)) for _, fact in rows], np.int64),
            np.array([OPEN if x is None else day_number(x) for x in usable], np.int64),
            np.array([day_number(fact.on) for _, fact in rows], np.int64),
            facts=dict(enumerate(logs.values())),
            special=~np.array(plain, bool),
        )

    def __len__(self) -> int:
        """Return the number of rows that were kept, or of facts."""
        if self.facts is not None:
            return sum(map(len, self.facts.values()))
        return len(self.codes)

    def __repr__(self) -> str:
        """Return the size alone: ids of members do not belong into messages."""
        return f"PointsLog({len(self)} rows, {len(self.accounts)} accounts)"

    def known(self, view: AsOf, days: Numbers) -> NDArray[np.bool_] | None:
        """Rows that are known at a point of view; None when all are."""
        if self.times.are_days or view.instant is None:
            found = days <= day_number(view.day)
        else:
            found = self.times.numbers <= microseconds_of(view.instant)
        return None if found.all() else found

    def commands(self, rows: range) -> Iterator[tuple[int, PointsOrder]]:
        """Return rows as commands, each with its number as it was handed over."""
        for row in rows:
            yield int(self.rows[row]), _COMMANDS[KINDS[self.kinds[row]]](_Entry(self, row))

    def text(self, name: str, row: int) -> str:
        """Return what a column of text says in a row; nothing where there is no column."""
        return str(self.texts[name][row]) if name in self.texts else ""

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns of the rows, account by account in the order of time."""
        instant = "M8[D]" if self.times.are_days else "M8[us]"
        coins = np.zeros(len(self.codes), np.intp) if self.currencies is None else self.currencies
        found = {
            "account": self.accounts[self.codes],
            "kind": np.array([str(kind) for kind in KINDS])[self.kinds],
            "at": self.times.numbers.astype(instant),
            "points": self.points,
            "currency": np.array(self.currency_names)[coins],
        }
        for name, days in (("expires_on", self.expires), ("usable_on", self.usable)):
            if days is not None:
                found[name] = _dates(days)
        return found | dict(self.texts)


def _dates(days: Numbers) -> NDArray[Any]:
    return np.where(days >= NEVER, OPEN, days).astype("M8[D]")


# --- reading columns ------------------------------------------------------------------------------


def _kinds(given: Any) -> tuple[NDArray[np.uint8], NDArray[Any]]:  # noqa: ANN401
    """Return places in KINDS, one beyond for what is none, and then what was given."""
    column = given if isinstance(given, Identifiers) else Identifiers.of(texts_of(given, "kind"))
    known = {str(kind): place for place, kind in enumerate(KINDS)}
    numbers = np.array([known.get(str(x), len(KINDS)) for x in column.customers], np.uint8)
    strange = bool((numbers == len(KINDS)).any())
    return numbers[column.codes], column.customers[column.codes if strange else slice(0)]


def _points(given: ArrayLike) -> tuple[Numbers, NDArray[np.bool_] | None]:
    """Return whole points, and the rows whose points are none (None: all are whole)."""
    column = np.asarray(given)
    match column.dtype.kind:
        case "i" | "u":
            return signed(column, "points", _WHOLE), None
        case "f":
            whole = np.abs(column) < _EXACT
            whole &= np.where(whole, column, 0.5) % 1 == 0
            return np.where(whole, column, 0).astype(np.int64), _some(~whole)
        case "O":
            kept = [_is_whole(x) for x in column.tolist()]
            numbers = [int(x) if yes else 0 for x, yes in zip(column.tolist(), kept, strict=True)]
            return np.array(numbers, np.int64), _some(~np.array(kept, bool))
        case _ if not column.size:
            return column.astype(np.int64), None
    raise WrongTypeError("points", column.dtype, _WHOLE)


def _is_whole(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return False
    number: Any = value
    return bool(abs(number) < _EXACT and number == int(number))  # a NaN is not less


def _currencies(given: Any) -> tuple[tuple[str, ...], NDArray[np.intp] | None]:  # noqa: ANN401
    if isinstance(given, str):
        return (given,), None
    column = (
        given if isinstance(given, Identifiers) else Identifiers.of(texts_of(given, "currency"))
    )
    return tuple(map(str, column.customers)) or (POINTS,), column.codes


def _days(given: ArrayLike | None, where: str) -> Numbers | None:
    if given is None:
        return None
    column = np.asarray(given)
    if column.dtype.kind == "O" and not any(isinstance(x, datetime) for x in column.tolist()):
        column = np.array([None if x is None else x for x in column.tolist()], "M8[D]")
    if column.dtype != "datetime64[D]" and column.size:
        raise WrongTypeError(where, column.dtype, _DAYS)
    return column.astype("M8[D]").astype(np.int64)


def _at(days: Numbers | None, rows: NDArray[np.intp]) -> Numbers | None:
    return None if days is None else days[rows]


def _some(rows: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    return rows if rows.any() else None


def _timeless(times: Times) -> NDArray[np.bool_] | None:
    return _some(times.numbers == OPEN)


def _refused(
    kinds: NDArray[np.uint8], points: Numbers, fraction: NDArray[np.bool_] | None
) -> NDArray[np.bool_] | None:
    """Rows with fewer points than their kind can have; a fraction was found before."""
    if points.size and points.min() >= 1:
        return None
    few = np.where(np.isin(kinds, _ALL_OR_PART), points < 0, points < 1)
    few = np.where(kinds == _SIGNED, points == 0, few) & (kinds < len(KINDS))
    return _some(few if fraction is None else few & ~fraction)


def _nameless(kinds: NDArray[np.uint8], reference: NDArray[Any] | None) -> NDArray[np.bool_] | None:
    if not (kinds >= PLAIN).any():
        return None
    named = np.isin(kinds, _NAMED)
    return _some(named if reference is None else named & (reference == ""))


def _again(codes: NDArray[np.intp], key: NDArray[Any] | None) -> NDArray[np.bool_] | None:
    """Rows with a key that their account has had before; an empty key is none."""
    if key is None or not key.size:
        return None
    keys = Identifiers.of(key)
    pairs = codes * np.intp(len(keys.customers)) + keys.codes
    again = np.ones(len(key), bool)
    again[np.unique(pairs, return_index=True)[1]] = False
    return _some(again & (key != ""))


def _sorted(
    rows: NDArray[np.intp],
    codes: NDArray[np.intp],
    times: Times,
    keep: NDArray[np.bool_] | None,
) -> NDArray[np.intp]:
    """Return the rows account by account in the order of time; ``codes`` are those of rows."""
    moments = times.numbers if keep is None else times.numbers[keep]
    step = codes[1:] - codes[:-1]
    if ((step > 0) | ((step == 0) & (moments[1:] >= moments[:-1]))).all():
        return rows
    if not (moments[1:] >= moments[:-1]).all():
        return rows[np.lexsort((moments, codes))]
    # Code and place in one number: sorting those is many times as fast as sorting places.
    bits = len(codes).bit_length()
    if int(codes.max()).bit_length() + bits >= np.iinfo(np.int64).bits - 1:
        return rows[np.argsort(codes, kind="stable")]
    packed = (codes << bits) | np.arange(len(codes))
    packed.sort()
    found: NDArray[np.intp] = rows[packed & ((1 << bits) - 1)]
    return found


# --- rows as commands -----------------------------------------------------------------------------


@frozen
class _Entry:
    """One row, as the commands are made from it."""

    log: PointsLog
    row: int

    @property
    def points(self) -> int:
        return int(self.log.points[self.row])

    @property
    def some(self) -> int | None:
        return self.points or None

    @property
    def currency(self) -> str:
        return self.log.currency_names[
            0 if self.log.currencies is None else self.log.currencies[self.row]
        ]

    @property
    def name(self) -> str:
        return self.log.text("reference", self.row)

    @property
    def opening(self) -> dict[str, Any]:
        return {
            "currency": self.currency,
            "usable_on": self.day(self.log.usable),
            "expires_on": self.day(self.log.expires),
            **self.who,
        }

    @property
    def who(self) -> dict[str, Any]:
        at = when_of(self.log.times, self.row)
        return {"at": at, "by": "entries", "key": self.log.text("key", self.row)}

    @property
    def until(self) -> date | datetime | None:
        until = self.log.until
        if until is None or until.numbers[self.row] == OPEN:
            return None
        return when_of(until, self.row)

    def day(self, days: Numbers | None) -> date | None:
        return None if days is None or days[self.row] == OPEN else day_of(int(days[self.row]))


_UNNAMED = "entry"  # the source or reason of a row that names none

_COMMANDS: Mapping[PointsCommand, Callable[[_Entry], PointsOrder]] = {
    PointsCommand.EARN: lambda x: Earn(x.points, x.name or _UNNAMED, **x.opening),
    PointsCommand.OPEN_BALANCE: lambda x: OpenBalance(x.points, x.name or _UNNAMED, **x.opening),
    PointsCommand.REDEEM: lambda x: Redeem(x.points, "", x.currency, x.name, **x.who),
    PointsCommand.HOLD: lambda x: Hold(x.points, x.name, x.until, x.currency, **x.who),
    PointsCommand.CAPTURE: lambda x: Capture(x.name, x.some, **x.who),
    PointsCommand.RELEASE: lambda x: Release(x.name, **x.who),
    PointsCommand.REVERSE_EARNING: lambda x: ReverseEarning(x.name, x.some, x.currency, **x.who),
    PointsCommand.REVERSE_REDEMPTION: lambda x: ReverseRedemption(x.name, x.some, **x.who),
    PointsCommand.ADJUST: lambda x: Adjust(
        *(x.points, x.name or _UNNAMED, x.log.text("approver", x.row), x.currency),
        x.day(x.log.expires),
        **x.who,
    ),
    PointsCommand.TRANSFER: lambda x: Transfer(x.name, x.points, x.currency, **x.who),
    PointsCommand.RECEIVE: lambda x: Receive(
        x.name, (Parcel(x.points, x.day(x.log.expires)),), x.currency, **x.who
    ),
}


# --- facts ----------------------------------------------------------------------------------------


def _end(day: date | None) -> int:
    return NEVER if day is None else day_number(day)


def _plain(log: Sequence[PointsFact], *, dated: bool) -> bool:
    """Whether facts are earnings and redemptions alone, in the order of time, soonest first."""
    books: dict[str, list[tuple[int, int, int, int, int]]] = {}
    last: Any = ()
    for number, fact in enumerate(log, 1):
        if fact.sequence != number or (type(fact.at) is date) is not dated:
            return False
        # In UTC: two wall times of an hour that comes twice do not say which is later.
        place = (fact.on, in_utc(fact.at) if isinstance(fact.at, datetime) else None)
        if last and (place[0] < last[0] or (not dated and place < last)):
            return False
        last = place
        if type(fact) is Redeemed:
            lots = books.get(fact.currency, [])
            if fact.renews is not None or not _takes(lots, fact):
                return False
        elif type(fact) in {Earned, Opened}:
            lot: Any = fact
            if lot.sliding or lot.renews is not None or lot.repaid:
                return False
            ends = NO_END if lot.expires_on is None else lot.expires_on.toordinal()
            row = (ends, number, lot.on.toordinal(), lot.points, lot.usable_on.toordinal())
            insort(books.setdefault(lot.currency, []), row)
        else:
            return False
    return True


def _takes(lots: list[tuple[int, int, int, int, int]], fact: Redeemed) -> bool:
    """Take what a redemption says off its lots; False where others come before these."""
    day, found = fact.on.toordinal(), list[tuple[int, int]]()
    need, place = fact.points, 0
    while need and place < len(lots):
        ends, number, earned, left, usable = lots[place]
        if ends <= day or usable > day:
            place += 1
            continue
        part = min(left, need)
        need -= part
        found.append((number, part))
        if part == left:
            del lots[place]
        else:
            lots[place] = (ends, number, earned, left - part, usable)
    return not need and tuple(found) == fact.taken
