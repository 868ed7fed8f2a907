"""The layer of every customer, from columns of measures.

The table is the one of the preset, with its shares pinned to amounts. Its rules are written
out once more for every peer; the limits are read from the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from benchmarks.works import OURS, Side, Sums, Work
from retention.logs import PurchaseLog
from retention.mechanisms.decisions import FirstMatch
from retention.presets import ecommerce
from retention.segmentation import Layer

Columns = Mapping[str, NDArray[np.int64]]


def made(rows: int) -> dict[str, NDArray[np.int64]]:
    """Make measures of customers; equal sizes give equal customers."""
    chance = np.random.default_rng(7)
    since = chance.exponential(90.0, rows).astype(np.int64)
    earlier = chance.integers(0, 700, rows) * (chance.random(rows) < 0.9)
    monthly = chance.poisson(1.0, rows) * (since <= 30) + (since <= 30)
    quarterly = monthly + chance.poisson(1.0, rows) * (since <= 90)
    return {
        "days_since_first_purchase": since + earlier,
        "days_since_purchase": since,
        "purchases_30d": monthly,
        "purchases_90d": quarterly,
        "spend_minor": np.rint(chance.gamma(2.0, 45_000.0, rows)).astype(np.int64),
    }


# --- ours ---------------------------------------------------------------------------------------


@cache
def table() -> FirstMatch[Layer]:
    """Return the layer table, pinned on a small population."""
    people = np.arange(1_000)
    log = PurchaseLog.from_columns(
        customer=people,
        at=np.full(1_000, np.datetime64("2024-05-01")),
        amount_minor=np.rint(90_000 * np.linspace(0.0, 2.0, 1_000) ** 0.5).astype(np.int64),
    )
    return ecommerce.segmentation.pin(log, as_of=date(2024, 5, 15)).layer_table


@frozen
class Limits:
    """Numbers of the table that the peers write into their rules."""

    top_20: int
    top_50: int

    @classmethod
    def read(cls) -> Limits:
        """Read the pinned amounts from the table."""
        limits = [limit for case in table().cases for limit in case.when.limits()]
        return cls(*(each.limit for each in limits if each.measure == "spend_minor"))


def _ours(columns: Columns) -> NDArray[np.uint8]:
    return table().codes(columns)


def _sums(codes: Any) -> Sums:
    """Customers per layer, and the sum of layer times place, so that swaps show too."""
    found = np.asarray(codes, np.int64)
    layers = np.bincount(found, minlength=6).tolist()
    return (*map(float, layers), float((found * np.arange(len(found))).sum()))


def _read_once(columns: Columns) -> Sums:
    return tuple(float(column.sum()) for column in columns.values())


def _as_is(found: Sums) -> Sums:
    return found


# --- peers --------------------------------------------------------------------------------------


def _numpy(columns: Columns) -> Any:
    first, since, monthly, quarterly, spend = columns.values()
    limits = Limits.read()
    rules = [
        first <= 30,
        (since <= 30) & (monthly >= 2) & (spend >= limits.top_20),
        (since <= 90) & (quarterly >= 1) & (spend >= limits.top_50),
        (since >= 91) & (since <= 180),
        since > 180,
    ]
    return np.select(rules, list(map(np.uint8, range(5))), np.uint8(5))


def _pandas_frame(rows: int) -> Any:
    import pandas as pd

    return pd.DataFrame(made(rows))


def _pandas(frame: Any) -> Any:
    return _numpy({name: frame[name] for name in frame.columns})


def _polars_frame(rows: int) -> Any:
    import polars as pl

    return pl.DataFrame(made(rows))


def _polars_rules() -> list[Any]:
    import polars as pl

    first, since = pl.col("days_since_first_purchase"), pl.col("days_since_purchase")
    monthly, quarterly = pl.col("purchases_30d"), pl.col("purchases_90d")
    spend, limits = pl.col("spend_minor"), Limits.read()
    return [
        first <= 30,
        (since <= 30) & (monthly >= 2) & (spend >= limits.top_20),
        (since <= 90) & (quarterly >= 1) & (spend >= limits.top_50),
        since.is_between(91, 180),
        since > 180,
    ]


def _polars_case(outcomes: list[Any]) -> Any:
    """When, then, otherwise; the last outcome is what the rules leave."""
    import polars as pl

    chain: Any = pl
    for rule, outcome in zip(_polars_rules(), outcomes[:-1], strict=True):
        chain = chain.when(rule).then(outcome)
    return chain.otherwise(outcomes[-1]).alias("layer")


def _names() -> list[str]:
    return [layer.value for layer in table().outcomes]


def _polars_names() -> Any:
    import polars as pl

    return _polars_case([pl.lit(name) for name in _names()])


def _polars_codes() -> Any:
    import polars as pl

    return _polars_case([pl.lit(code, pl.UInt8) for code in range(6)])


def _code_sums(frame: Any) -> Sums:
    return _sums(frame["layer"].to_numpy())


def _name_sums(frame: Any) -> Sums:
    import polars as pl

    return _sums(frame["layer"].cast(pl.Enum(_names())).to_physical().to_numpy())


def _sql() -> str:
    limits = Limits.read()
    return f"""
        select (case when days_since_first_purchase <= 30 then 0
          when days_since_purchase <= 30 and purchases_30d >= 2
            and spend_minor >= {limits.top_20} then 1
          when days_since_purchase <= 90 and purchases_90d >= 1
            and spend_minor >= {limits.top_50} then 2
          when days_since_purchase between 91 and 180 then 3
          when days_since_purchase > 180 then 4 else 5 end)::utinyint as layer
        from measures"""  # noqa: S608  two numbers


def _duckdb_table(rows: int) -> Any:
    import duckdb
    import pyarrow as pa

    columns = {name: pa.array(column) for name, column in made(rows).items()}
    connection = duckdb.connect()
    connection.register("arrow", pa.table(columns))
    connection.execute("create table measures as select * from arrow")
    connection.unregister("arrow")
    return connection


def _duckdb(connection: Any) -> Any:
    return connection.execute(_sql()).fetchnumpy()["layer"]


# --- rows of the table --------------------------------------------------------------------------

WORKS = (
    Work(
        "layers-1m",
        "layers of customers from columns of measures",
        1_000_000,
        Side(OURS, made, _ours, _sums),
        (
            Side(
                "polars",
                _polars_frame,
                lambda frame: frame.lazy().select(_polars_names()).collect(),
                _name_sums,
                at_least=4,
            ),
            Side(
                "polars-codes",
                _polars_frame,
                lambda frame: frame.lazy().select(_polars_codes()).collect(),
                _code_sums,
                at_least=4,
            ),
            Side(
                "polars-codes-eager",
                _polars_frame,
                lambda frame: frame.select(_polars_codes()),
                _code_sums,
                at_least=4,
            ),
            Side("duckdb", _duckdb_table, _duckdb, _sums),
            Side("pandas", _pandas_frame, _pandas, _sums),
            Side("numpy.select", made, _numpy, _sums),
        ),
        runs=15,
        family="layers",
        limit=Side("bytes read once", made, _read_once, _as_is),
    ),
)
