"""Purchases and interactions of many customers as columns.

Bad rows are set aside with their numbers and never guessed (``problems``); columns that
cannot be a log at all are refused. Customer ids are encoded once, by ``identifiers``;
everything after works on the codes. Use ``activity`` for the facts of one customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike, NDArray

from retention.activity import History, Interaction, InteractionKind, Purchase, Return
from retention.identifiers import Identifiers, signed
from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.choices import member
from retention.mechanisms.errors import (
    InvalidValueError,
    MixedCurrenciesError,
    NaiveInstantError,
    UnequalColumnsError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.periods import (
    LAST_DAY,
    AsOf,
    checked,
    day_edge,
    day_end,
    day_number,
    day_of,
    in_utc,
    local_date,
)
from retention.mechanisms.words import Word

_MICRO = timedelta(microseconds=1)
_DAY = 86_400_000_000  # microseconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENDLESS = 2**62  # microseconds: beyond the calendar
_MOST_MINOR = 2**53  # beyond this a float64 no longer holds every whole number
_TIMES = (
    "dates, aware datetimes, a datetime64[D] column of local days, or any datetime64 column "
    "with utc=True if it holds UTC instants"
)
KINDS = tuple(InteractionKind)


class Returns(Word):
    """What a negative amount means."""

    REFUSE = "refuse", "拒绝"
    NET = "net", "冲减消费"


@frozen(eq=False)
class Times:
    """When each row happened: local days, or instants as microseconds since 1970 in UTC."""

    numbers: NDArray[np.int64] = field(repr=False)
    are_days: bool

    @cached_property
    def rising(self) -> bool:
        """Whether the rows are in the order of time, as a log arrives."""
        return bool((self.numbers[1:] >= self.numbers[:-1]).all())

    def days(self, zone: ZoneInfo) -> NDArray[np.int64]:
        """Return the day numbers of the local dates."""
        if self.are_days or not self.numbers.size:
            return self.numbers
        low, high = (local_date(instant_of(int(n)), zone) for n in self._ends())
        # One more: where clocks go back over midnight, the last instant is not on the last date.
        last = min(day_number(high) + 1, LAST_DAY)
        numbers = range(day_number(low), last + 1)
        begins = [microseconds_of(day_edge(day_of(n), zone)) for n in numbers]
        edges = np.array([*begins, _end(day_of(last), zone)])
        lengths = np.diff(edges)
        if (lengths == lengths[0]).all():  # no change of clocks in between: plain arithmetic
            days: NDArray[np.int64] = (self.numbers - edges[0]) // lengths[0] + numbers[0]
            return days
        place = np.searchsorted(edges, self.numbers, side="right") - 1
        days = place + numbers[0]
        # Where clocks go back over midnight a date comes twice; such days are asked one by one.
        odd = np.flatnonzero((lengths != _DAY)[np.minimum(place, len(lengths) - 1)])
        local = [local_date(instant_of(n), zone) for n in self.numbers[odd].tolist()]
        days[odd] = [day_number(day) for day in local]
        return days

    def known(self, as_of: AsOf) -> slice | NDArray[np.bool_]:
        """Rows that are known at a point of view; a slice when all or the first of them are."""
        if not self.numbers.size:
            return slice(None)
        if self.are_days:
            end = day_number(as_of.day) + 1
        elif as_of.instant is not None:
            end = microseconds_of(as_of.instant) + 1
        else:
            end = _end(as_of.day, as_of.zone)
        if self._ends()[1] < end:
            return slice(None)
        if self.rising:
            return slice(0, int(np.searchsorted(self.numbers, end)))
        return self.numbers < end

    def _ends(self) -> tuple[np.int64, np.int64]:
        if self.rising:
            return self.numbers[0], self.numbers[-1]
        return self.numbers.min(), self.numbers.max()

    def kept(self, rows: NDArray[np.bool_] | None) -> Times:
        """Return the times of the rows that were not set aside."""
        return self if rows is None else Times(self.numbers[rows], self.are_days)


@frozen(eq=False)
class PurchaseLog:
    """Purchases, and returns if netted, of many customers.

    >>> log = PurchaseLog.from_columns(
    ...     customer=["a", "b", "a"],
    ...     at=np.array(["2024-06-01", "2024-06-02", "NaT"], "datetime64[D]"),
    ...     amount=[12.50, 8.00, 3.10],
    ... )
    >>> log, str(log.problems[0])
    (PurchaseLog(2 rows, 2 customers), \
'no time: 1 row (2), first NaT; allowed: a time in every row')
    """

    customers: NDArray[Any]  # identifier of each code
    codes: NDArray[np.intp]  # code of the customer, per row
    times: Times
    amounts_minor: NDArray[np.int64]  # negative: a return
    has_returns: bool = False
    currency: str = ""
    problems: tuple[Problem, ...] = ()
    core: NDArray[np.bool_] | None = None  # rows of core products; None: none is
    profits_minor: NDArray[np.int64] | None = None  # what a row contributed; None: not known

    @classmethod
    def from_columns(  # noqa: PLR0913  one keyword a column
        cls,
        *,
        customer: ArrayLike | Identifiers,
        at: Any,  # noqa: ANN401  a column of datetime64, or dates and datetimes
        amount: ArrayLike | None = None,
        amount_minor: ArrayLike | None = None,
        order: ArrayLike | None = None,
        currency: str | Sequence[str] = "",
        returns: Returns | str = Returns.REFUSE,
        utc: bool = False,
        minor_digits: int = 2,
        core: ArrayLike | None = None,
        profit_minor: ArrayLike | None = None,
    ) -> PurchaseLog:
        """Read columns of equal length; the input is not changed.

        Give ``amount_minor`` (whole numbers, exact) or ``amount`` (rounded half to even to
        ``minor_digits``). ``returns="net"`` lets negative amounts lessen spend.
        """
        ids, times = Identifiers.of(customer), times_of(at, utc=utc)
        minor, unfit = _minor(amount, amount_minor, minor_digits)
        one_currency = isinstance(currency, str)
        more = {
            "order": None if order is None else texts_of(order, "order", also="iu"),
            "currency": None if one_currency else texts_of(currency, "currency"),
            "core": None if core is None else np.asarray(core, bool),
            "profit_minor": None if profit_minor is None else _minor(None, profit_minor, 0)[0],
        }
        check_lengths(customer=ids.codes, at=times.numbers, amount=minor, **more)
        net = member(Returns, returns, "returns") is Returns.NET
        has_returns = bool(minor.size) and int(minor.min()) < 0
        refused = minor < 0 if has_returns and not net else None
        problems, keep = set_aside(
            *_nameless_or_timeless(ids, times),
            (Code.NOT_FINITE, unfit, np.asarray(amount), "a finite amount"),
            (Code.NEGATIVE_AMOUNT, refused, minor, _NO_RETURNS),
            (Code.DUPLICATE_ORDER, _repeated(more["order"]), more["order"], "each order once"),
        )
        kept = {name: None if x is None else _kept(x, keep) for name, x in more.items()}
        ids = ids.kept(keep)
        return cls(
            ids.customers,
            ids.codes,
            times.kept(keep),
            _kept(minor, keep),
            net and has_returns,
            str(currency) if kept["currency"] is None else _one_currency(kept["currency"]),
            problems,
            kept["core"],
            kept["profit_minor"],
        )

    @classmethod
    def of(cls, facts: Iterable[Purchase | Return]) -> PurchaseLog:
        """Read facts; a return becomes a row with a negative amount."""
        rows = list(facts)
        return cls.from_columns(
            customer=[fact.customer for fact in rows],
            at=[fact.at for fact in rows],
            amount_minor=[
                -x.amount_minor if isinstance(x, Return) else x.amount_minor for x in rows
            ],
            order=np.array([x.order if isinstance(x, Purchase) else "" for x in rows], "U"),
            currency=[fact.currency for fact in rows],
            returns=Returns.NET,
            core=[isinstance(fact, Purchase) and fact.core for fact in rows],
            profit_minor=[getattr(x, "profit_minor", 0) or 0 for x in rows],
        )

    def __len__(self) -> int:
        """Return the number of rows that were kept."""
        return len(self.codes)

    def __repr__(self) -> str:
        """Return the size alone: ids and amounts of customers do not belong into messages."""
        return f"PurchaseLog({len(self)} rows, {len(self.customers)} customers)"

    def sort_of(
        self, of: str, rows: slice | NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_] | None, NDArray[np.int64] | None]:
        """Which of some rows are of one sort (None: all), and what each weighs (None: one)."""
        amounts = self.amounts_minor[rows]
        if of == "spend_minor":
            return None, amounts
        if of == "profit_minor":
            profits = self.profits_minor
            return None, np.zeros(len(amounts), np.int64) if profits is None else profits[rows]
        bought = amounts >= 0 if self.has_returns else None
        if of == "purchases":
            return bought, None
        core = np.zeros(len(amounts), bool) if self.core is None else self.core[rows]
        return core if bought is None else core & bought, None

    def history(self, customer: object, interactions: InteractionLog | None = None) -> History:
        """Return the facts of one customer as the library's own values."""
        found = np.flatnonzero(self.customers == customer)
        if not found.size:
            raise UnknownNameError("customer", customer, "a customer of this log")
        others = () if interactions is None else interactions.of_customer(customer)
        return self._history(int(found[0]), np.flatnonzero(self.codes == found[0]), others)

    def histories(
        self, interactions: InteractionLog | None = None
    ) -> Iterator[tuple[str | int, History]]:
        """Return the facts of every customer of one of the logs, one after the other."""
        others = dict(interactions.by_customer()) if interactions is not None else {}
        for code, rows in enumerate(_groups(self.codes, len(self.customers))):
            name = self.customers[code].item()
            yield name, self._history(code, rows, others.pop(name, ()))
        for name, facts in others.items():
            yield name, History(name, interactions=facts)

    def _history(
        self, code: int, rows: NDArray[np.intp], others: tuple[Interaction, ...]
    ) -> History:
        name, money = self.customers[code].item(), self.currency
        facts = [
            (when_of(self.times, row), int(self.amounts_minor[row]), row) for row in rows.tolist()
        ]
        bought = (
            Purchase(name, at, n, currency=money, **self._more(row))
            for at, n, row in facts
            if n >= 0
        )
        back = (Return(name, at, -n, currency=money) for at, n, _ in facts if n < 0)
        return History(name, bought, others, back)

    def _more(self, row: int) -> dict[str, Any]:
        core = False if self.core is None else bool(self.core[row])
        profit = None if self.profits_minor is None else int(self.profits_minor[row])
        return {"core": core, "profit_minor": profit}


_NO_RETURNS = "0 or more; say returns='net' if negative amounts are returns"


@frozen(eq=False)
class InteractionLog:
    """Interactions of many customers; ``kinds`` are numbers into ``KINDS``.

    >>> InteractionLog.from_columns(customer=[7], at=[date(2024, 5, 15)], kind=["login"])
    InteractionLog(1 rows, 1 customers)
    """

    customers: NDArray[Any]
    codes: NDArray[np.intp]
    times: Times
    kinds: NDArray[np.uint8]
    problems: tuple[Problem, ...] = ()
    topics: NDArray[Any] | None = None  # what each was about; None: not known

    @classmethod
    def from_columns(
        cls,
        *,
        customer: ArrayLike | Identifiers,
        at: Any,  # noqa: ANN401  a column of datetime64, or dates and datetimes
        kind: ArrayLike,
        utc: bool = False,
        topic: ArrayLike | None = None,
    ) -> InteractionLog:
        """Read columns of equal length; a kind that no handbook knows is refused."""
        ids, times = Identifiers.of(customer), times_of(at, utc=utc)
        names, inverse = np.unique(np.asarray(kind, "U"), return_inverse=True)
        known = [word.value for word in KINDS]
        strange = next((name for name in names.tolist() if name not in known), None)
        if strange is not None:
            raise UnknownNameError("kind", strange, known)
        numbers = np.array([known.index(name) for name in names.tolist()], np.uint8)
        kinds = numbers[inverse] if names.size else np.array([], np.uint8)
        topics = None if topic is None else texts_of(topic, "topic")
        check_lengths(customer=ids.codes, at=times.numbers, kind=kinds, topic=topics)
        problems, keep = set_aside(*_nameless_or_timeless(ids, times))
        ids, times = ids.kept(keep), times.kept(keep)
        about = None if topics is None else _kept(topics, keep)
        return cls(ids.customers, ids.codes, times, _kept(kinds, keep), problems, about)

    @classmethod
    def of(cls, facts: Iterable[Interaction]) -> InteractionLog:
        """Read facts."""
        rows = list(facts)
        return cls.from_columns(
            customer=[fact.customer for fact in rows],
            at=[fact.at for fact in rows],
            kind=np.array([fact.kind.value for fact in rows], "U"),
            topic=np.array([fact.topic for fact in rows], "U"),
        )

    def __len__(self) -> int:
        """Return the number of rows that were kept."""
        return len(self.codes)

    def __repr__(self) -> str:
        """Return the size alone."""
        return f"InteractionLog({len(self)} rows, {len(self.customers)} customers)"

    def sort_of(
        self, of: str, rows: slice | NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_] | None, NDArray[np.int64] | None]:
        """Which of some rows are of one sort (None: all), and what each weighs (None: one)."""
        if of == "interactions":
            return None, None
        kind, _, topic = of.partition(":")
        kinds = self.kinds[rows]
        if not topic:
            return kinds == KINDS.index(InteractionKind(kind)), None
        none = np.zeros(len(kinds), bool)
        return none if self.topics is None else self.topics[rows] == topic, None

    def of_customer(self, customer: object) -> tuple[Interaction, ...]:
        """Return the interactions of one customer, none for a stranger."""
        found = np.flatnonzero(self.customers == customer)
        if not found.size:
            return ()
        return self._facts(int(found[0]), np.flatnonzero(self.codes == found[0]))

    def by_customer(self) -> Iterator[tuple[str | int, tuple[Interaction, ...]]]:
        """Return the interactions of every customer, one after the other."""
        for code, rows in enumerate(_groups(self.codes, len(self.customers))):
            yield self.customers[code].item(), self._facts(code, rows)

    def _facts(self, code: int, rows: NDArray[np.intp]) -> tuple[Interaction, ...]:
        name = self.customers[code].item()
        return tuple(
            Interaction(name, when_of(self.times, row), KINDS[self.kinds[row]], self._topic(row))
            for row in rows.tolist()
        )

    def _topic(self, row: int) -> str:
        return "" if self.topics is None else str(self.topics[row])


def _all_text(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def texts_of(given: Any, where: str, also: str = "") -> NDArray[Any]:  # noqa: ANN401
    """Return a column of text, or of another sort that may stand for it; never guess."""
    column = np.asarray(given)
    if not column.size or (column.dtype.kind == "O" and _all_text(column.tolist())):
        return column.astype("U")
    if column.dtype.kind not in f"U{also}":
        raise WrongTypeError(where, column.dtype, "text in every row, '' where there is none")
    return column


def times_of(at: Any, *, utc: bool) -> Times:  # noqa: ANN401
    """Read what came as time, without guessing a zone."""
    column = np.asarray(at) if hasattr(at, "__array__") else None
    if column is None:
        return _python_times(list(at))
    if column.dtype.kind != "M":
        raise WrongTypeError("at", column.dtype, _TIMES)
    if column.dtype == "datetime64[D]":
        return Times(column.view(np.int64), are_days=True)
    if not utc:
        first = str(column[0]) if column.size else str(column.dtype)
        raise NaiveInstantError("at", first, _TIMES)
    return Times(column.astype("datetime64[us]").view(np.int64), are_days=False)


def _python_times(at: list[Any]) -> Times:
    """Read dates, or aware datetimes; a mixture counts a date from where UTC begins it."""
    for when in at:
        if when is not None:
            checked(when, "at")
    if not any(isinstance(when, datetime) for when in at):
        days = [_NONE if when is None else day_number(when) for when in at]
        return Times(np.array(days, np.int64), are_days=True)
    if not all(when is None or isinstance(when, datetime) for when in at):
        raise WrongTypeError("at", "dates among datetimes", "one of the two in one column")
    instants = [_NONE if when is None else microseconds_of(in_utc(when)) for when in at]
    return Times(np.array(instants, np.int64), are_days=False)


_NONE = np.iinfo(np.int64).min  # how datetime64 writes NaT


def _missing(times: Times) -> NDArray[np.bool_] | None:
    numbers = times.numbers
    return numbers == _NONE if numbers.size and numbers.min() == _NONE else None


def _minor(
    amount: ArrayLike | None, amount_minor: ArrayLike | None, digits: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
    """Whole minor units, and the rows whose amount is no number (None: all are)."""
    if (amount is None) == (amount_minor is None):
        raise InvalidValueError("amount", "both or neither", "one of amount and amount_minor")
    if amount_minor is not None:
        allowed = "whole minor units of 64 bits, e.g. 1250"
        return signed(np.asarray(amount_minor), "amount_minor", allowed), None
    column = np.asarray(amount)
    if column.dtype.kind not in "iuf":
        raise WrongTypeError("amount", column.dtype, "numbers, e.g. 12.50")
    minor = np.rint(column * 10.0**digits)
    fit = np.abs(minor) < _MOST_MINOR  # NaN and infinity fail too
    if fit.all():
        return minor.astype(np.int64), None
    return np.where(fit, minor, 0).astype(np.int64), ~fit


def check_lengths(**columns: NDArray[Any] | None) -> None:
    """Refuse columns of unequal length."""
    lengths = {name: column.shape for name, column in columns.items() if column is not None}
    if len(set(lengths.values())) > 1 or any(len(shape) != 1 for shape in lengths.values()):
        shown = {name: shape[0] if len(shape) == 1 else shape for name, shape in lengths.items()}
        raise UnequalColumnsError("log", shown)


_Bad = tuple[Code, NDArray[np.bool_] | None, NDArray[Any] | str | None, str]


def _nameless_or_timeless(ids: Identifiers, times: Times) -> tuple[_Bad, _Bad]:
    return (
        (Code.NO_CUSTOMER, ids.nameless, "", "an identifier"),
        (Code.NO_TIME, _missing(times), "NaT", "a time in every row"),
    )


def _repeated(orders: NDArray[Any] | None) -> NDArray[np.bool_] | None:
    """Rows whose order was given before; an empty order is none."""
    if orders is None:
        return None
    found, first = np.unique(orders, return_index=True)
    if len(found) == len(orders):
        return None
    again = np.ones(len(orders), bool)
    again[first] = False
    return again & (orders != "") if orders.dtype.kind == "U" else again


def set_aside(*bad: _Bad) -> tuple[tuple[Problem, ...], NDArray[np.bool_] | None]:
    """Problems, and the rows to keep (None: all of them)."""
    problems = []
    keep: NDArray[np.bool_] | None = None
    for code, rows, column, allowed in bad:
        if rows is None or not rows.any():
            continue
        numbers = np.flatnonzero(rows)
        first = column if isinstance(column, str) else str(np.asarray(column)[numbers[0]])
        problems.append(Problem(code, tuple(numbers.tolist()), first, allowed))
        keep = ~rows if keep is None else keep & ~rows
    return tuple(problems), keep


def _kept(column: NDArray[Any], keep: NDArray[np.bool_] | None) -> NDArray[Any]:
    return column if keep is None else column[keep]


def _one_currency(currencies: NDArray[Any]) -> str:
    found = np.unique(currencies).tolist()
    if len(found) > 1:
        raise MixedCurrenciesError("log", found)
    return str(found[0]) if found else ""


def _groups(codes: NDArray[np.intp], size: int) -> list[NDArray[np.intp]]:
    """Rows of every code, in the order of the rows."""
    if not size:
        return []
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=size))[:-1]
    return np.split(order, ends)


def when_of(times: Times, row: int) -> date | datetime:
    """Return the time of one row."""
    number = int(times.numbers[row])
    return day_of(number) if times.are_days else instant_of(number)


def instant_of(microseconds: int) -> datetime:
    """Return an instant, in UTC, from microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _end(day: date, zone: ZoneInfo) -> int:
    """Microsecond that no longer belongs to a day; all the rest belongs to the last of days."""
    return _ENDLESS if day == date.max else microseconds_of(day_end(day, zone))


def microseconds_of(when: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (when - _EPOCH) // _MICRO
