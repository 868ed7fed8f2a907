"""How often, when first, when last, for how much: four figures a customer, ids as text.

Customer numbers such as CU0000012345, random ids of 32 hexadecimal digits, and sparse whole
numbers. Everybody gets the ids in the own native form: our side numpy's text of fixed width
(four bytes a character), polars and DuckDB their strings, pandas its own. Nobody has seen
them before: the encoding is in every time. ``from a log`` and ``from a dictionary`` show what
is left when the ids are encoded already, as in the second question to the same log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve

from benchmarks.summary import (
    Columns,
    customer_numbers,
    duckdb_table,
    from_columns,
    made,
    pandas_frame,
    polars_frame,
    read_once,
)
from benchmarks.works import OURS, Side, Sums, Work
from retention.identifiers import Identifiers
from retention.mechanisms.periods import AsOf, day_of, zone_of
from retention.summaries import Summary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from retention.logs import PurchaseLog

Make = Callable[[int], Columns]
Figures = dict[str, Any]
NAMES = ("purchases", "days_since_first_purchase", "days_since_purchase", "spend_minor")


def hexadecimal(rows: int) -> Columns:
    """Make purchases whose customers have random ids of 32 digits."""
    columns = made(rows)
    customers = int(columns.customer.max(initial=0)) + 1
    digits = np.random.default_rng(11).integers(0, 16, (customers, 32))
    names = np.array(list("0123456789abcdef"))[digits].view("U32").reshape(-1)
    return evolve(columns, customer=names[columns.customer])


def sparse(rows: int) -> Columns:
    """Make purchases whose customers have random whole numbers."""
    columns = made(rows)
    customers = int(columns.customer.max(initial=0)) + 1
    numbers = np.random.default_rng(11).integers(1, 2**62, customers)
    return evolve(columns, customer=numbers[columns.customer])


# --- ours ---------------------------------------------------------------------------------------


def _of_log(log: PurchaseLog) -> Figures:
    last = day_of(int(log.times.numbers[-1]))
    return Summary.of(NAMES, log, as_of=AsOf.at(last, zone_of("UTC"))).columns()


def _ours(columns: Columns) -> Figures:
    return _of_log(from_columns(columns))


def _dictionary(columns: Columns) -> tuple[Columns, NDArray[Any], NDArray[np.int32]]:
    """Ids as an engine holds them: in the order in which they came, codes of four bytes."""
    customers, codes = np.unique(columns.customer, return_inverse=True)
    order = np.random.default_rng(13).permutation(len(customers))
    place = np.argsort(order)
    return columns, customers[order], place[codes].astype(np.int32)


def _of_dictionary(given: tuple[Columns, NDArray[Any], NDArray[np.int32]]) -> Figures:
    columns, customers, codes = given
    ids = Identifiers.coded(customers=customers, codes=codes)
    return _of_log(from_columns(columns, ids))


def _sums(found: Figures) -> Sums:
    """Customers, and the sum of each column."""
    columns = [np.asarray(found[name]) for name in NAMES]
    return (float(len(columns[0])), *(float(column.sum()) for column in columns))


# --- peers --------------------------------------------------------------------------------------


def _polars(frame: Any, engine: str) -> Any:
    import polars as pl

    day, amount = pl.col("day"), pl.col("amount")
    return (
        frame.lazy()
        .group_by("customer")
        .agg(
            pl.len().alias("purchases"),
            day.min().alias("first"),
            day.max().alias("last"),
            amount.sum().alias("spend_minor"),
        )
        .collect(engine=engine)
    )


_SQL = """
select customer, count(*) as purchases, min(day) as first, max(day) as last,
       sum(amount)::bigint as spend_minor
from log group by customer
"""


def _duckdb(connection: Any) -> Any:
    return connection.execute(_SQL).fetchnumpy()


def _pandas(frame: Any) -> Any:
    return frame.groupby("customer", sort=False).agg(
        purchases=("amount", "size"),
        first=("day", "min"),
        last=("day", "max"),
        spend_minor=("amount", "sum"),
    )


def _peer_sums(found: Any) -> Sums:
    """The same from the days themselves; the last day of all is the day of the question."""
    first, last = (
        np.asarray(found[name], "datetime64[D]").view("i8") for name in ("first", "last")
    )
    today = last.max()
    spend = np.asarray(found["spend_minor"])
    since = {"days_since_first_purchase": today - first, "days_since_purchase": today - last}
    return _sums({"purchases": found["purchases"], "spend_minor": spend, **since})


# --- rows of the table --------------------------------------------------------------------------


def _as_is(found: Sums) -> Sums:
    return found


def _work(name: str, title: str, make: Make) -> Work:
    def prepared(container: Callable[[Columns], Any]) -> Callable[[int], Any]:
        return lambda rows: container(make(rows))

    frame = prepared(polars_frame)
    peers = (
        Side("polars", frame, lambda x: _polars(x, "auto"), _peer_sums, at_least=1),
        Side("polars-streaming", frame, lambda x: _polars(x, "streaming"), _peer_sums, at_least=1),
        Side("duckdb", prepared(duckdb_table), _duckdb, _peer_sums, at_least=1),
        Side("pandas", prepared(pandas_frame), _pandas, _peer_sums),
    )
    also = (
        Side(f"{OURS}, from a log", prepared(from_columns), _of_log, _sums),
        Side(f"{OURS}, from a dictionary", prepared(_dictionary), _of_dictionary, _sums),
    )
    return Work(
        name,
        title,
        1_000_000,
        Side(OURS, make, _ours, _sums),
        peers,
        also=also,
        family=name.removesuffix("-1m"),
        limit=Side("bytes read once", make, read_once, _as_is),
    )


WORKS = (
    _work("count-string-1m", "count, first, last, sum; customer numbers as text", customer_numbers),
    _work("count-hex-1m", "count, first, last, sum; random ids as text", hexadecimal),
    _work("count-sparse-1m", "count, first, last, sum; sparse whole numbers", sparse),
)
