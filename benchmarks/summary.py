"""A log of purchases becomes the summary that models of customer lifetime value are fitted on.

Dense whole-number ids, whole days, 100,000 customers per million rows, 730 days, some
customers far busier than others, rows in the order of time. All purchases of one day are one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, frozen

from benchmarks.works import OURS, Side, Sums, Work
from retention.clv import ClvSummary, clv_summary
from retention.logs import PurchaseLog
from retention.mechanisms.periods import AsOf, day_of, zone_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAYS = 730
FIRST = 19_000  # days since 1970


@frozen(eq=False)
class Columns:
    """The purchases, as everybody gets them."""

    customer: NDArray[np.int64]
    day: NDArray[np.int64]
    amount_minor: NDArray[np.int64]

    @property
    def dates(self) -> NDArray[np.datetime64]:
        """The days as numpy writes them."""
        return self.day.view("datetime64[D]")


def made(rows: int) -> Columns:
    """Make purchases; equal sizes give equal purchases."""
    chance = np.random.default_rng(7)
    customers = max(rows // 10, 1)
    busy = (chance.random(rows) ** 1.6 * customers).astype(np.int64)
    customer = chance.permutation(customers)[busy]
    day = np.sort(chance.integers(FIRST, FIRST + DAYS, rows))
    return Columns(customer, day, np.rint(chance.gamma(2.0, 2_000.0, rows)).astype(np.int64))


def _sums(repeats: Any, recency: Any, age: Any, spend: Any) -> Sums:
    """Customers, and the sum of each column."""
    columns = (np.asarray(column) for column in (repeats, recency, age, spend))
    return (float(len(repeats)), *(float(column.sum()) for column in columns))


# --- ours ---------------------------------------------------------------------------------------


def _from_columns(columns: Columns) -> PurchaseLog:
    return PurchaseLog.from_columns(
        customer=columns.customer, at=columns.dates, amount_minor=columns.amount_minor
    )


def _log(rows: int) -> PurchaseLog:
    return _from_columns(made(rows))


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


def _as_is(found: Sums) -> Sums:
    return found


# --- peers --------------------------------------------------------------------------------------


def _polars_frame(rows: int) -> Any:
    import polars as pl

    columns = made(rows)
    return pl.DataFrame(
        {"customer": columns.customer, "day": columns.dates, "amount": columns.amount_minor}
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


def _duckdb_table(rows: int) -> Any:
    import duckdb
    import pyarrow as pa

    columns = made(rows)
    arrays = {"customer": columns.customer, "day": columns.dates, "amount": columns.amount_minor}
    connection = duckdb.connect()
    connection.register("arrow", pa.table({name: pa.array(x) for name, x in arrays.items()}))
    connection.execute("create table log as select * from arrow")
    connection.unregister("arrow")
    return connection


def _duckdb(connection: Any) -> Any:
    return connection.execute(_SQL).fetchnumpy()


def _duckdb_sums(found: Any) -> Sums:
    return _sums(*(found[name] for name in ("repeats", "recency", "age", "spend")))


def _pandas_frame(rows: int) -> Any:
    import pandas as pd

    columns = made(rows)
    return pd.DataFrame(
        {
            "customer": columns.customer,
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


def _lifetimes_frame(rows: int) -> Any:
    import lifetimes.utils  # noqa: F401  missing is told before the clock starts

    return _pandas_frame(rows)


def _lifetimes(frame: Any) -> Any:
    from lifetimes.utils import summary_data_from_transaction_data

    return summary_data_from_transaction_data(
        frame, "customer", "day", monetary_value_col="amount", freq="D"
    )


def _lifetimes_sums(found: Any) -> Sums:
    names = ("frequency", "recency", "T", "monetary_value")
    return _sums(*(found[name].to_numpy() for name in names))


# --- rows of the table --------------------------------------------------------------------------

_TITLE = "purchases to a lifetime-value summary, dense ids"
_OURS = Side(OURS, _log, _ours, _our_sums)
_RAW = Side(
    f"{OURS}, from raw columns", made, lambda columns: _ours(_from_columns(columns)), _our_sums
)
_LIMIT = Side("bytes read once", _log, _read_once, _as_is)
_LIFETIMES = Side("lifetimes", _lifetimes_frame, _lifetimes, _lifetimes_sums, at_least=25)
_PEERS = (
    Side("polars", _polars_frame, _polars, _frame_sums, at_least=4, memory_share=0.5),
    Side("polars-streaming", _polars_frame, _polars_streaming, _frame_sums, at_least=4),
    Side("duckdb", _duckdb_table, _duckdb, _duckdb_sums, at_least=4),
    Side("pandas", _pandas_frame, _pandas, _frame_sums),
)

WORKS = (
    Work(
        "summary-dense-1m",
        _TITLE,
        1_000_000,
        _OURS,
        (*_PEERS, _LIFETIMES),
        also=(_RAW,),
        family="summary-dense",
        limit=_LIMIT,
    ),
    Work(
        "summary-dense-10m",
        _TITLE,
        10_000_000,
        _OURS,
        (*_PEERS, evolve(_LIFETIMES, warm=False)),
        also=(_RAW,),
        runs=5,
        rounds=1,
        family="summary-dense",
        limit=_LIMIT,
    ),
)
