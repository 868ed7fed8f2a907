"""The kinds of data frame that a test is run on, and how their rows are read back."""

# ruff: noqa: ANN401  frames of any kind go in and out

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

Engine = Callable[[pa.Table], Any]


def _duckdb(table: pa.Table) -> Any:
    return duckdb.from_arrow(table)  # frames of two connections do not go together


def _ibis(table: pa.Table) -> Any:
    import ibis

    return ibis.memtable(table)


EAGER: dict[str, Engine] = {
    "pyarrow": lambda table: table,
    "polars": pl.from_arrow,
    "pandas": lambda table: table.to_pandas(),
    "pandas-arrow": lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
}
LAZY: dict[str, Engine] = {
    "polars-lazy": lambda table: pl.from_arrow(table).lazy(),
    "duckdb": _duckdb,
    "ibis": _ibis,
}
ENGINES = EAGER | LAZY
NO_IBIS = pytest.mark.skipif(find_spec("ibis") is None, reason="ibis is not installed")


def each(engines: dict[str, Engine] = ENGINES, deep: str = "") -> pytest.MarkDecorator:
    """Run a test on each of some kinds of frame, as ``engine``; on one of them in the long run."""
    params = [
        pytest.param(
            make,
            id=name,
            marks=[NO_IBIS] * (name == "ibis") + [pytest.mark.deep] * (name == deep),
        )
        for name, make in engines.items()
    ]
    return pytest.mark.parametrize("engine", params)


def rows(frame: Any, *names: str) -> list[tuple[Any, ...]]:
    """Rows of a frame of any kind, in an order of their own: no engine keeps one."""
    found = nw.from_native(frame)
    if isinstance(found, nw.LazyFrame):
        found = found.collect()
    chosen = found.select(*names) if names else found
    return sorted((tuple(map(_plain, row)) for row in chosen.iter_rows()), key=repr)


def column(frame: Any, name: str, key: str = "customer") -> dict[Any, Any]:
    """One column by another one that is unique."""
    return dict(rows(frame, key, name))


def kind(frame: Any) -> type:
    """What a frame is, whichever engine made it."""
    return type(frame)


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if value is pd.NaT or value is pd.NA or value != value else value  # noqa: PLR0124
