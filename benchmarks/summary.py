"""A log of purchases becomes the summary that models of customer lifetime value are fitted on.

Dense whole-number ids or customer numbers as text, whole days, 100,000 customers per million
rows, 730 days, some customers far busier than others, rows in the order of time. All purchases
of one day are one.

Text is in the native form of each side: our side gets numpy's text of fixed width, four bytes
a character, and its time begins with these raw columns, for the peers read their strings in
every run too. The time from a log, whose ids are encoded already, is printed beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, frozen

from benchmarks.works import OURS, Side, Sums, Work
from retention.clv import ClvSummary, clv_summary
from retention.identifiers import Identifiers
from retention.logs import PurchaseLog
from retention.mechanisms.periods import AsOf, day_of, zone_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAYS = 730
FIRST = 19_000  # days since 1970


@frozen(eq=False)
class Columns:
    """The purchases, as everybody gets them."""

    customer: NDArray[Any]
    day: NDArray[np.int64]
    amount_minor: NDArray[np.int64]

    @property
    def dates(self) -> NDArray[np.datetime64]:
        """The days as numpy writes them."""
        return self.day.view("datetime64[D]")


Make = Callable[[int], Columns]


def made(rows: int) -> Columns:
    """Make purchases; equal sizes give equal purchases."""
    chance = np.random.default_rng(7)
    customers = max(rows // 10, 1)
    busy = (chance.random(rows) ** 1.6 * customers).astype(np.int64)
    customer = chance.permutation(customers)[busy]
    day = np.sort(chance.integers(FIRST, FIRST + DAYS, rows))
    return Columns(customer, day, np.rint(chance.gamma(2.0, 2_000.0, rows)).astype(np.int64))


def customer_numbers(rows: int) -> Columns:
    """Make the same purchases, the ids as text."""
    columns = made(rows)
    customers = int(columns.customer.max(initial=0)) + 1
    numbers = np.random.default_rng(11).permutation(customers).tolist()
    names = np.array([f"CU{number:010d}" for number in numbers], "U12")
    return evolve(columns, customer=names[columns.customer])


def _sums(repeats: Any, recency: Any, age: Any, spend: Any) -> Sums:
    """Customers, and the sum of each column."""
    columns = (np.asarray(column) for column in (repeats, recency, age, spend))
    return (float(len(repeats)), *(float(column.sum()) for column in columns))


# --- ours ---------------------------------------------------------------------------------------


def from_columns(columns: Columns, ids: Identifiers | None = None) -> PurchaseLog:
    """Make a log, of ids that are encoded already if they are given."""
    return PurchaseLog.from_columns(
        customer=columns.customer if ids is None else ids,
        at=columns.dates,
        amount_minor=columns.amount_minor,
    )


def _log(rows: int) -> PurchaseLog:
    return from_columns(made(rows))


def _of_columns(columns: Columns) -> ClvSummary:
    return _ours(from_columns(columns))


def _ours(log: PurchaseLog) -> ClvSummary:
    last = day_of(int(log.times.numbers[-1]))
    return clv_summary(log, as_of=AsOf.at(last, zone_of("UTC")))


def _our_sums(found: ClvSummary) -> Sums:
    return _sums(
        found.repeat_purchases,
        found.age_at_last_purchase_days,
        found.age_days,
        found.mean_repeat_spend_minor,
    )


def _read_once(log: PurchaseLog) -> Sums:
    columns = (log.codes, log.times.numbers, log.amounts_minor)
    return tuple(float(column.sum()) for column in columns)


def read_once(columns: Columns) -> Sums:
    """Read every byte of raw columns."""
    letters = columns.customer.dtype.kind == "U"
    ids = columns.customer.view(np.uint32) if letters else columns.customer
    return tuple(float(x.sum()) for x in (ids, columns.day, columns.amount_minor))


def _as_is(found: Sums) -> Sums:
    return found


# --- peers --------------------------------------------------------------------------------------


def _ids(columns: Columns) -> Any:
    """Whole numbers as they are; text as Python's own, from which every peer makes its own."""
    return columns.customer.tolist() if columns.customer.dtype.kind == "U" else columns.customer


def polars_frame(columns: Columns) -> Any:
    """Make a polars frame."""
    import polars as pl

    return pl.DataFrame(
        {"customer": _ids(columns), "day": columns.dates, "amount": columns.amount_minor}
    )


def _polars(frame: Any) -> Any:
    """The faster form for the engine that is used when none is named."""
    import polars as pl

    day, amount, first = pl.col("day"), pl.col("amount"), pl.col("first")
    return _polars_ages(
        frame,
        frame.lazy()
        .with_columns(day.min().over("customer").alias("first"))
        .group_by("customer")
        .agg(
            (day.n_unique() - 1).alias("repeats"),
            first.first(),
            day.max().alias("last"),
            amount.filter(day != first).sum().alias("later"),
        ),
    ).collect()


def _polars_streaming(frame: Any) -> Any:
    """The faster form for the streaming engine."""
    import polars as pl

    day, amount = pl.col("day"), pl.col("amount")
    return _polars_ages(
        frame,
        frame.lazy()
        .group_by("customer", "day")
        .agg(amount.sum())
        .group_by("customer")
        .agg(
            (pl.len() - 1).alias("repeats"),
            day.min().alias("first"),
            day.max().alias("last"),
            (amount.sum() - amount.get(day.arg_min())).alias("later"),
        ),
    ).collect(engine="streaming")


def _polars_ages(frame: Any, found: Any) -> Any:
    import polars as pl

    first, repeats = pl.col("first"), pl.col("repeats")
    return found.select(
        "customer",
        "repeats",
        (pl.col("last") - first).dt.total_days().alias("recency"),
        (frame["day"].max() - first).dt.total_days().alias("age"),
        pl.when(repeats > 0).then(pl.col("later") / repeats).otherwise(0.0).alias("spend"),
    )


def _frame_sums(found: Any) -> Sums:
    return _sums(*(found[name].to_numpy() for name in ("repeats", "recency", "age", "spend")))


_SQL = """
with visits as (select customer, day, sum(amount) as amount from log group by customer, day),
     each as (select customer, count(*) - 1 as repeats, min(day) as first, max(day) as last,
                     sum(amount) - arg_min(amount, day) as later
              from visits group by customer)
select customer, repeats, last - first as recency, (select max(day) from log) - first as age,
       case when repeats > 0 then later / repeats else 0 end as spend
from each
"""


def duckdb_table(columns: Columns) -> Any:
    """Make a table inside DuckDB."""
    import duckdb
    import pyarrow as pa

    arrays = {"customer": _ids(columns), "day": columns.dates, "amount": columns.amount_minor}
    connection = duckdb.connect()
    connection.register("arrow", pa.table({name: pa.array(x) for name, x in arrays.items()}))
    connection.execute("create table log as select * from arrow")
    connection.unregister("arrow")
    return connection


def _duckdb(connection: Any) -> Any:
    return connection.execute(_SQL).fetchnumpy()


def _duckdb_sums(found: Any) -> Sums:
    return _sums(*(found[name] for name in ("repeats", "recency", "age", "spend")))


def pandas_frame(columns: Columns) -> Any:
    """Make a pandas frame."""
    import pandas as pd

    return pd.DataFrame(
        {
            "customer": _ids(columns),
            "day": columns.dates.astype("datetime64[ns]"),
            "amount": columns.amount_minor,
        }
    )


def _pandas(frame: Any) -> Any:
    visits = frame.groupby(["customer", "day"], sort=False, as_index=False)["amount"].sum()
    first = visits.groupby("customer", sort=False)["day"].transform("min")
    visits["later"] = visits["amount"].where(visits["day"] != first, 0)
    found = visits.groupby("customer", sort=False).agg(
        visits=("amount", "size"), first=("day", "min"), last=("day", "max"), later=("later", "sum")
    )
    repeats = found["visits"] - 1
    return found.assign(
        repeats=repeats,
        recency=(found["last"] - found["first"]).dt.days,
        age=(frame["day"].max() - found["first"]).dt.days,
        spend=(found["later"] / repeats.clip(lower=1)),
    )


def _lifetimes_frame(columns: Columns) -> Any:
    import lifetimes.utils  # noqa: F401  missing is told before the clock starts

    return pandas_frame(columns)


def _lifetimes(frame: Any) -> Any:
    from lifetimes.utils import summary_data_from_transaction_data

    return summary_data_from_transaction_data(
        frame, "customer", "day", monetary_value_col="amount", freq="D"
    )


def _lifetimes_sums(found: Any) -> Sums:
    names = ("frequency", "recency", "T", "monetary_value")
    return _sums(*(found[name].to_numpy() for name in names))


# --- rows of the table --------------------------------------------------------------------------


def _prepared(make: Make, container: Callable[[Columns], Any]) -> Callable[[int], Any]:
    return lambda rows: container(make(rows))


def _peers(make: Make, at_least: float) -> tuple[Side, ...]:
    frame = _prepared(make, polars_frame)
    return (
        Side("polars", frame, _polars, _frame_sums, at_least=at_least, memory_share=0.5),
        Side("polars-streaming", frame, _polars_streaming, _frame_sums, at_least=at_least),
        Side("duckdb", _prepared(make, duckdb_table), _duckdb, _duckdb_sums, at_least=at_least),
        Side("pandas", _prepared(make, pandas_frame), _pandas, _frame_sums),
    )


_TITLE = "purchases to a lifetime-value summary, dense ids"
_OURS = Side(OURS, _log, _ours, _our_sums)
_RAW = Side(f"{OURS}, from raw columns", made, _of_columns, _our_sums)
_LIMIT = Side("bytes read once", _log, _read_once, _as_is)
_LIFETIMES = Side(
    "lifetimes", _prepared(made, _lifetimes_frame), _lifetimes, _lifetimes_sums, at_least=25
)

WORKS = (
    Work(
        "summary-dense-1m",
        _TITLE,
        1_000_000,
        _OURS,
        (*_peers(made, 4), _LIFETIMES),
        also=(_RAW,),
        family="summary-dense",
        limit=_LIMIT,
    ),
    Work(
        "summary-dense-10m",
        _TITLE,
        10_000_000,
        _OURS,
        (*_peers(made, 4), evolve(_LIFETIMES, warm=False)),
        also=(_RAW,),
        runs=5,
        rounds=1,
        family="summary-dense",
        limit=_LIMIT,
    ),
    Work(
        "summary-string-1m",
        "the same, customer numbers as text",
        1_000_000,
        Side(OURS, customer_numbers, _of_columns, _our_sums),
        _peers(customer_numbers, 1),
        also=(
            Side(
                f"{OURS}, from a log", _prepared(customer_numbers, from_columns), _ours, _our_sums
            ),
        ),
        family="summary-string",
        limit=Side("bytes read once", customer_numbers, read_once, _as_is),
    ),
)
