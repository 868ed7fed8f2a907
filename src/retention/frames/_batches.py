"""Numpy functions over batches of a frame: what expressions cannot say, with the same answers.

Whole histories go to :func:`by_customer`, rows that are decided alone to :func:`map_batches`.
On Spark both run in the workers, over batches of Arrow; elsewhere here, on the collected frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import narwhals.stable.v2 as nw
import numpy as np
from attrs import frozen

from retention.frames._logs import purchases
from retention.frames._native import (
    Frame,
    collected,
    engine_of,
    is_lazy,
    is_text,
    opened,
    type_of,
    words,
)
from retention.logs import PurchaseLog
from retention.mechanisms.errors import InvalidValueError, UnequalColumnsError, WrongTypeError
from retention.mechanisms.outcomes import Outcomes

if TYPE_CHECKING:
    from numpy.typing import NDArray

Native = TypeVar("Native")
Columns = Mapping[str, "NDArray[Any]"]
Answer = Outcomes[Any] | Columns

_SPARK = ("pyspark", "pyspark_connect")
_KINDS = {"i": int, "u": int, "f": float, "b": bool, "U": str}
_ARROW = {int: "int64", float: "float64", bool: "bool", str: "str"}
_SQL = {int: "bigint", float: "double", bool: "boolean", str: "string"}


def by_customer(
    frame: Native,
    ask: Callable[[PurchaseLog], Answer],
    *,
    customer: str = "customer",
    gives: Mapping[str, type] | None = None,
    **columns: Any,  # noqa: ANN401  those of purchases()
) -> Native:
    """Ask a plural function about whole histories, piece by piece; all of a customer in one.

    ``ask`` takes a log of purchases and returns outcomes, or columns by name. Outcomes become
    ``customer``, ``outcome`` and ``code``. ``gives`` names the types of the columns (``int``,
    ``float``, ``bool``, ``str``); else they are those of the answer to an empty log. On Spark
    the pieces are partitions by customer and ``ask`` is sent to the workers; rows that
    :func:`~retention.frames.purchases` sets aside are left out there.

    >>> import polars as pl
    >>> from datetime import date
    >>> from retention.presets import user_retention
    >>> loyalty = user_retention.segmentation.classification("loyalty_grade")
    >>> bought = pl.LazyFrame(
    ...     {"customer": ["a"], "amount_minor": [12_50], "at": [date(2023, 6, 1)]}
    ... )
    >>> by_customer(
    ...     bought,
    ...     lambda log: loyalty.outcomes(log, as_of=date(2024, 6, 30)),
    ...     amount_minor="amount_minor",
    ... ).collect().rows()
    [('a', 'generally_loyal', 2)]
    """
    known = opened(frame)
    text = is_text(type_of(known, customer))
    piece = _Piece(ask, customer, {"customer": customer, **columns}, ())
    types = dict(gives) if gives is not None else piece.types_of_nothing(text=text)
    piece = _Piece(ask, customer, {"customer": customer, **columns}, tuple(types.items()))
    result: Native
    if engine_of(known) in _SPARK:
        whole = frame.repartition(frame[customer])  # type: ignore[attr-defined,index]
        result = whole.mapInArrow(piece.batches, _ddl(types))
        return result
    rows = collected(known)
    result = _like(piece.answer(rows.to_native()), rows, known)
    return result


def map_batches(
    frame: Native,
    ask: Callable[[Columns], Columns],
    *,
    reads: Sequence[str],
    gives: Mapping[str, type],
) -> Native:
    """Return the frame with more columns that a numpy function makes of some of its own.

    Every row is decided alone, so the batches may be cut anywhere. ``ask`` gets whole numbers as
    ``int64``, numbers with holes as ``float64`` with NaN, text with ``""`` where there is none.

    >>> import pyarrow as pa
    >>> from retention.mechanisms.decisions import Case, FirstMatch
    >>> sizes = FirstMatch((Case("small", "days <= 30"),), otherwise="large")
    >>> table = pa.table({"days": [10, 40, None]})
    >>> found = map_batches(
    ...     table,
    ...     lambda columns: {"code": sizes.codes(columns)},
    ...     reads=["days"],
    ...     gives={"code": int},
    ... )
    >>> found["code"].to_pylist()
    [0, 1, 1]
    """
    known = opened(frame)
    for name in reads:
        type_of(known, name)
    work = _Columnwise(ask, tuple(reads), tuple(gives.items()))
    result: Native
    if engine_of(known) in _SPARK:
        own = ", ".join(f"`{x.name}` {x.dataType.simpleString()}" for x in frame.schema)  # type: ignore[attr-defined]
        result = frame.mapInArrow(work.batches, f"{own}, {_ddl(dict(gives))}")  # type: ignore[attr-defined]
        return result
    rows = collected(known)
    result = _back(work.added(rows), known)
    return result


@frozen(eq=False)
class _Piece:
    """What a worker does with all purchases of some customers."""

    ask: Callable[[PurchaseLog], Answer]
    customer: str
    columns: Mapping[str, Any]
    types: tuple[tuple[str, type], ...]

    def types_of_nothing(self, *, text: bool) -> dict[str, type]:
        """Ask about nobody, to learn the columns."""
        nobody = np.array([], "U1" if text else np.int64)
        log = PurchaseLog.from_columns(
            customer=nobody, at=np.array([], "datetime64[D]"), amount_minor=np.array([], np.int64)
        )
        found = _columns(self.ask(log), self.customer)
        return {name: _type_of(name, column) for name, column in found.items()}

    def answer(self, frame: Any) -> dict[str, NDArray[Any]]:  # noqa: ANN401
        found = _columns(self.ask(purchases(frame, **self.columns)), self.customer)
        return _typed(found, dict(self.types))

    def batches(self, given: Iterable[Any]) -> Iterator[Any]:
        """Read all batches of a partition as one; nothing comes of an empty one."""
        frames = [nw.from_arrow(batch, backend="pyarrow") for batch in given]
        if frames:
            found = self.answer(nw.concat(frames, how="vertical").to_native())
            yield from nw.from_dict(found, backend="pyarrow").to_native().to_batches()


@frozen(eq=False)
class _Columnwise:
    """What a worker does with a batch of rows."""

    ask: Callable[[Columns], Columns]
    reads: tuple[str, ...]
    gives: tuple[tuple[str, type], ...]

    def added(self, frame: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
        found = _typed(
            self.ask({name: _numbers(frame[name]) for name in self.reads}), dict(self.gives)
        )
        lengths = {name: len(column) for name, column in found.items()}
        if set(lengths.values()) != {len(frame)}:
            raise UnequalColumnsError("map_batches", {"rows": len(frame), **lengths})
        engine = frame.implementation
        return frame.with_columns(
            *(nw.new_series(name, column, backend=engine) for name, column in found.items())
        )

    def batches(self, given: Iterable[Any]) -> Iterator[Any]:
        for batch in given:
            found = self.added(nw.from_arrow(batch, backend="pyarrow"))
            yield from found.to_native().to_batches()


def _columns(answer: Answer, customer: str) -> dict[str, NDArray[Any]]:
    if isinstance(answer, Outcomes):
        names = np.array([str(outcome) for outcome in answer.table.outcomes])
        codes = answer.codes.astype(np.int64)
        return {customer: answer.customers, "outcome": names[codes], "code": codes}
    return {name: np.asarray(column) for name, column in answer.items()}


def _type_of(name: str, column: NDArray[Any]) -> type:
    if column.dtype.kind not in _KINDS:
        raise WrongTypeError(name, column.dtype, "numbers, truths or text")
    return _KINDS[column.dtype.kind]


def _typed(found: Columns, types: dict[str, type]) -> dict[str, NDArray[Any]]:
    """Give the columns their types; a float never becomes a whole number."""
    if set(found) != set(types):
        raise InvalidValueError("columns of the answer", tuple(found), f"{', '.join(types)}")
    typed = {}
    for name, wanted in types.items():
        if wanted is int and _type_of(name, found[name]) is float:
            raise WrongTypeError(name, "float", f"whole numbers, or gives={{'{name}': float}}")
        typed[name] = np.asarray(found[name]).astype(_ARROW[wanted])
    return typed


def _ddl(types: dict[str, type]) -> str:
    return ", ".join(f"`{name}` {_SQL[wanted]}" for name, wanted in types.items())


def _numbers(series: nw.Series[Any]) -> NDArray[Any]:
    """One column in numpy; a missing number is NaN, a missing text is empty."""
    if is_text(series.dtype):
        return words(series)
    if series.dtype.is_integer() or isinstance(series.dtype, nw.Boolean):
        if not series.is_null().any():
            kind = np.int64 if series.dtype.is_integer() else np.bool_
            return np.asarray(series.to_numpy()).astype(kind)
        series = series.cast(nw.Float64)
    if not series.dtype.is_float():
        raise WrongTypeError(series.name, str(series.dtype), "numbers, truths or text")
    return np.asarray(series.cast(nw.Float64).to_numpy(), np.float64)


def _like(columns: dict[str, NDArray[Any]], rows: nw.DataFrame[Any], asked: Frame) -> Any:  # noqa: ANN401
    return _back(nw.from_dict(columns, backend=rows.implementation), asked)


def _back(found: nw.DataFrame[Any], asked: Frame) -> Any:  # noqa: ANN401
    """Return an answer as the kind of frame that was given, lazy where that was lazy."""
    return (
        found.lazy(backend=asked.implementation).to_native()
        if is_lazy(asked)
        else found.to_native()
    )
