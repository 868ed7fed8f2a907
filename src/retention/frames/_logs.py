"""Logs from frames: what is missing becomes a problem with its row, and no type is guessed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

import attrs
import narwhals.stable.v2 as nw
import numpy as np

from retention.frames._native import (
    TIMES,
    WHOLE,
    collected,
    engine_of,
    is_text,
    opened,
    type_of,
    words,
)
from retention.logs import InteractionLog, PurchaseLog, Returns
from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.errors import (
    InvalidValueError,
    NaiveInstantError,
    WrongTypeError,
)
from retention.mechanisms.periods import checked, in_utc

if TYPE_CHECKING:
    from numpy.typing import NDArray

_IDS = "text or whole numbers; whole numbers with holes that became floats must be made whole again"


def purchases(  # noqa: PLR0913  one keyword a column
    frame: Any,  # noqa: ANN401  any frame that narwhals knows
    *,
    customer: str = "customer",
    at: str = "at",
    amount: str | None = None,
    amount_minor: str | None = None,
    order: str | None = None,
    currency: str = "",
    currency_column: str | None = None,
    core: str | None = None,
    profit_minor: str | None = None,
    returns: Returns | str = Returns.REFUSE,
    utc: bool = False,
    days: bool = False,
    minor_digits: int = 2,
) -> PurchaseLog:
    """Read purchases from a frame; the arguments name its columns, a lazy frame is collected.

    Give ``amount_minor`` (whole minor units) or ``amount`` (12.50, as float or decimal).
    Instants without a zone are refused unless ``utc=True`` says that they are UTC, or
    ``days=True`` that they are local times, of which the day alone counts. Rows without
    customer, time or amount are set aside as ``problems`` under their numbers.
    ``returns="net"`` lets negative amounts lessen spend.

    >>> import polars as pl
    >>> from datetime import date
    >>> frame = pl.DataFrame(
    ...     {
    ...         "customer_id": ["a", None, "b"],
    ...         "date": [date(2024, 6, 1), date(2024, 6, 2), None],
    ...         "amount": [12.50, 8.00, 3.10],
    ...     }
    ... )
    >>> log = purchases(frame, customer="customer_id", at="date", amount="amount")
    >>> log, [(str(each.code), each.rows) for each in log.problems]
    (PurchaseLog(1 rows, 1 customers), [('no_customer', (1,)), ('no_time', (2,))])
    """
    if (amount is None) == (amount_minor is None):
        raise InvalidValueError("amount", "both or neither", "one of amount and amount_minor")
    names = {"customer": customer, "at": at, "amount": amount or amount_minor, "order": order,
             "currency": currency_column, "core": core, "profit_minor": profit_minor}  # fmt: skip
    rows = _Rows.of(frame, {key: name for key, name in names.items() if name is not None})
    ids, times = rows.identifiers("customer"), rows.times("at", utc=utc, days=days)
    money, unfit = rows.money("amount", None if amount is None else minor_digits)
    keep, problems = rows.kept(
        (Code.NO_CUSTOMER, ids.missing, "null", "an identifier"),
        (Code.NO_TIME, times.missing, "null", "a time in every row"),
        (Code.NO_AMOUNT, money.missing, "null", "an amount"),
        (Code.NOT_FINITE, unfit, "nan or infinite", "a finite amount"),
    )
    log = PurchaseLog.from_columns(
        customer=ids.values[keep],
        at=times.values[keep],
        amount_minor=money.values[keep],
        order=rows.texts("order", keep, numbers=True),
        currency=rows.texts("currency", keep) if currency_column else currency,
        returns=returns,
        utc=True,
        core=rows.flags("core", keep),
        profit_minor=rows.whole("profit_minor", keep),
    )
    return attrs.evolve(log, problems=_together(problems, log.problems, keep))


def interactions(
    frame: Any,  # noqa: ANN401  any frame that narwhals knows
    *,
    customer: str = "customer",
    at: str = "at",
    kind: str = "kind",
    topic: str | None = None,
    utc: bool = False,
    days: bool = False,
) -> InteractionLog:
    """Read interactions from a frame; the arguments name its columns, a lazy frame is collected.

    An interaction without a kind is refused like one of an unknown kind: nobody can say what it
    counts for.

    >>> import pyarrow as pa
    >>> from datetime import date
    >>> table = pa.table({"who": [7], "day": [date(2024, 5, 15)], "kind": ["login"]})
    >>> interactions(table, customer="who", at="day")
    InteractionLog(1 rows, 1 customers)
    """
    names = {"customer": customer, "at": at, "kind": kind, "topic": topic}
    rows = _Rows.of(frame, {key: name for key, name in names.items() if name is not None})
    ids, times = rows.identifiers("customer"), rows.times("at", utc=utc, days=days)
    keep, problems = rows.kept(
        (Code.NO_CUSTOMER, ids.missing, "null", "an identifier"),
        (Code.NO_TIME, times.missing, "null", "a time in every row"),
    )
    kinds = rows.texts("kind", keep)
    log = InteractionLog.from_columns(
        customer=ids.values[keep],
        at=times.values[keep],
        kind=np.array([], "U") if kinds is None else kinds,
        utc=True,
        topic=rows.texts("topic", keep),
    )
    return attrs.evolve(log, problems=_together(problems, log.problems, keep))


@attrs.frozen(eq=False)
class _Column:
    """Values of one column, and the rows where there are none; those hold a filler."""

    values: NDArray[Any]
    missing: NDArray[np.bool_]


@attrs.frozen(eq=False)
class _Rows:
    """The columns that were asked for, collected, under the names of the log."""

    frame: nw.DataFrame[Any]
    names: dict[str, str]

    @classmethod
    def of(cls, frame: Any, names: dict[str, str]) -> _Rows:  # noqa: ANN401
        known = opened(frame)
        for name in names.values():
            type_of(known, name)
        return cls(collected(known.select(*dict.fromkeys(names.values()))), names)

    def series(self, key: str) -> nw.Series[Any]:
        return self.frame[self.names[key]]

    def missing(self, key: str) -> NDArray[np.bool_]:
        return np.asarray(self.series(key).is_null().to_numpy(), bool)

    def identifiers(self, key: str) -> _Column:
        series, missing = self.series(key), self.missing(key)
        if series.dtype.is_integer():
            return _Column(series.fill_null(0).to_numpy(), missing)
        if is_text(series.dtype) or missing.all():
            return _Column(words(series), missing)
        raise WrongTypeError(self.names[key], str(series.dtype), _IDS)

    def times(self, key: str, *, utc: bool, days: bool) -> _Column:
        series, missing = self.series(key), self.missing(key)
        dtype, name = series.dtype, self.names[key]
        if missing.all():
            return _Column(np.zeros(len(missing), "datetime64[D]"), missing)
        if isinstance(dtype, nw.Datetime):
            return _Column(_instants(series, missing, name, utc=utc, days=days), missing)
        if isinstance(dtype, nw.Date | nw.Object):
            return _Column(_from_python(series.to_list(), missing, name), missing)
        raise WrongTypeError(name, str(dtype), TIMES)

    def money(self, key: str, digits: int | None) -> tuple[_Column, NDArray[np.bool_]]:
        """Whole minor units, and the rows whose amount is no finite number."""
        series, missing = self.series(key), self.missing(key)
        fine = np.zeros(len(missing), bool)
        if missing.all():
            return _Column(np.zeros(len(missing), np.int64), missing), fine
        if isinstance(series.dtype, nw.Decimal):
            given = zip(series.to_list(), missing, strict=True)
            minor = [0 if out else _minor(x, digits or 0) for x, out in given]
            return _Column(np.array(minor, np.int64), missing), fine
        if digits is None:
            return _Column(_whole(series, missing, self.names[key]), missing), fine
        if not series.dtype.is_numeric():
            raise WrongTypeError(self.names[key], str(series.dtype), "numbers, e.g. 12.50")
        values = series.cast(nw.Float64).fill_null(0.0).to_numpy()
        rounded = np.rint(values * 10.0**digits)
        fit = np.abs(rounded) < 2**53
        if engine_of(self.frame) == "pandas":  # there NaN is how a missing number is written
            missing = missing | np.isnan(values)
        return _Column(np.where(fit, rounded, 0).astype(np.int64), missing), ~fit & ~missing

    def texts(self, key: str, keep: Any, *, numbers: bool = False) -> Any:  # noqa: ANN401
        """Text, empty where there is none; None when the column was not named."""
        if key not in self.names:
            return None
        series, missing = self.series(key), self.missing(key)
        if missing.all():
            return np.full(len(missing), "")[keep]
        whole = numbers and series.dtype.is_integer()
        if whole and not missing.any():
            return series.to_numpy()[keep]
        if not whole and not is_text(series.dtype):
            raise WrongTypeError(self.names[key], str(series.dtype), "text")
        return words(series)[keep]

    def flags(self, key: str, keep: Any) -> Any:  # noqa: ANN401
        if key not in self.names:
            return None
        series = self.series(key)
        if not isinstance(series.dtype, nw.Boolean):
            raise WrongTypeError(self.names[key], str(series.dtype), "truths in every row")
        return np.array([bool(x) for x in series.fill_null(value=False).to_list()], bool)[keep]

    def whole(self, key: str, keep: Any) -> Any:  # noqa: ANN401
        if key not in self.names:
            return None
        return _whole(self.series(key), self.missing(key), self.names[key])[keep]

    def kept(
        self, *bad: tuple[Code, NDArray[np.bool_], str, str]
    ) -> tuple[NDArray[np.bool_], list[Problem]]:
        """Rows that can be read, and the problems of the others."""
        keep, problems = np.ones(len(self.frame), bool), list[Problem]()
        for code, rows, given, allowed in bad:
            if rows.any():
                numbers = tuple(np.flatnonzero(rows).tolist())
                problems.append(Problem(code, numbers, given, allowed))
                keep &= ~rows
        return keep, problems


def _together(
    before: list[Problem], after: tuple[Problem, ...], keep: NDArray[np.bool_]
) -> tuple[Problem, ...]:
    """Problems of one kind in one; rows that the log counted get the numbers of the frame."""
    numbers = np.flatnonzero(keep)
    found = {problem.code: problem for problem in before}
    for problem in after:
        rows = tuple(numbers[list(problem.rows)].tolist())
        known = found.get(problem.code)
        joined = rows if known is None else tuple(sorted({*known.rows, *rows}))
        found[problem.code] = attrs.evolve(known or problem, rows=joined)
    return tuple(found.values())


def _instants(
    series: nw.Series[Any], missing: NDArray[np.bool_], name: str, *, utc: bool, days: bool
) -> NDArray[Any]:
    if series.dtype.time_zone is not None:  # type: ignore[attr-defined,unused-ignore]
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return np.asarray(series.to_numpy()).astype("datetime64[us]")
    values = np.asarray(series.to_numpy()).astype("datetime64[us]")
    if days:
        return np.asarray(values.astype("datetime64[D]"))
    if not utc:
        raise NaiveInstantError(name, str(values[~missing][0]), TIMES)
    return values


def _from_python(values: Sequence[Any], missing: NDArray[np.bool_], name: str) -> NDArray[Any]:
    """Read dates or aware datetimes that a frame holds as Python's own."""
    given = [checked(x, name) for x, out in zip(values, missing, strict=True) if not out]
    instants = [isinstance(x, datetime) for x in given]
    if any(instants) and not all(instants):
        raise WrongTypeError(name, "dates among datetimes", "one of the two in one column")
    plain = [in_utc(x).replace(tzinfo=None) if isinstance(x, datetime) else x for x in given]
    found = np.zeros(len(values), "datetime64[us]" if any(instants) else "datetime64[D]")
    found[~missing] = np.array(plain, found.dtype)
    return found


def _minor(amount: Decimal, digits: int) -> int:
    return int(amount.scaleb(digits).to_integral_value(ROUND_HALF_EVEN))


def _whole(series: nw.Series[Any], missing: NDArray[np.bool_], name: str) -> NDArray[Any]:
    """Whole numbers; a column that became floats because of its holes is read back exactly."""
    if series.dtype.is_integer():
        return np.asarray(series.fill_null(0).to_numpy())
    if not series.dtype.is_float():
        raise WrongTypeError(name, str(series.dtype), WHOLE)
    values = np.where(missing, 0.0, series.to_numpy().astype(np.float64))
    rounded = np.rint(values)
    if not (np.isfinite(values) & (rounded == values) & (np.abs(values) < 2**53)).all():
        raise InvalidValueError(name, "a number that is not whole", WHOLE)
    return rounded.astype(np.int64)
