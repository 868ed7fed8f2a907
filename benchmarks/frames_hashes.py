"""The command ``python -m benchmarks.frames_hashes``: eight engines, one answer.

Every engine reads the same Parquet files in a process of its own, and pins, summarises and
decides there. The SHA-256 over all sorted columns must be that of a calculation in plain numpy
which shares no code with the library. The purchases have rows without customer, time or
amount, the attributes have nulls, NaN and empty texts. An engine that is not installed is
skipped; a different hash ends the command with an error.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import date
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retention.presets import ecommerce

DAY = date(2024, 6, 1)
FOLDER = Path("build/frames")
RULES = {
    "unhappy": "not (score > 0.5 or visits is missing)",
    "courted": "visits >= 3 and grade != 'gold' or score is missing",
    "odd": "not (grade in ('gold', 'silver') and 0.25 <= score <= 0.75)",
}
Columns = Mapping[str, NDArray[Any]]


# --- the data ------------------------------------------------------------------------------------


def made(rows: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make purchases and attributes; ``None`` stands for null. Equal sizes give equal data."""
    chance = np.random.default_rng(17)
    number = max(rows // 10, 5)
    who = chance.integers(0, number, rows)
    micro = chance.integers(0, 730 * 86_400, rows) * 1_000_000 + chance.integers(0, 10**6, rows)
    at = np.datetime64("2022-07-01", "us") + micro.astype("timedelta64[us]")
    amounts = np.rint(chance.gamma(1.2, 40.0, rows)).astype(np.int64) * 50  # many ties, some 0
    names = np.array([f"C{n:07d}" for n in range(number)])
    bought = {
        "customer": _holes(names[who], chance.random(rows) < 0.001),
        "at": _holes(at, chance.random(rows) < 0.001),
        "amount_minor": _holes(amounts, chance.random(rows) < 0.001),
    }
    score = np.where(chance.random(number) < 0.1, np.nan, np.round(chance.random(number), 2))
    grade = np.array(["gold", "silver", "bronze", ""])[chance.integers(0, 4, number)]
    known = {
        "customer": names.tolist(),
        "score": _holes(score, chance.random(number) < 0.1),
        "visits": _holes(chance.integers(0, 9, number), chance.random(number) < 0.2),
        "grade": _holes(grade, chance.random(number) < 0.1),
    }
    return bought, known


def _holes(column: NDArray[Any], holes: NDArray[np.bool_]) -> list[Any]:
    return [None if out else x for x, out in zip(column.tolist(), holes.tolist(), strict=True)]


def write(rows: int) -> None:
    """Write the files that every engine reads."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    bought, known = made(rows)
    FOLDER.mkdir(parents=True, exist_ok=True)
    times = pa.array(bought["at"], pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({**bought, "at": times}), FOLDER / "purchases.parquet")
    scores = pa.array(known["score"], pa.float64(), from_pandas=False)
    pq.write_table(pa.table({**known, "score": scores}), FOLDER / "customers.parquet")


# --- the oracle: plain numpy, by the text of the rules --------------------------------------------


def oracle(rows: int) -> dict[str, NDArray[Any]]:
    """Compute every column without the library."""
    bought, known = made(rows)
    kept = [row for row in zip(*bought.values(), strict=True) if None not in row]
    who, when, amounts = (np.array(column) for column in zip(*kept, strict=True))
    micro = when.astype("datetime64[us]").astype(np.int64)
    days = (micro + 8 * 3_600_000_000) // 86_400_000_000  # Asia/Shanghai: eight hours, all years
    today = np.datetime64(DAY).astype(np.int64)
    here = days <= today
    who, micro, amounts, ago = who[here], micro[here], amounts[here], today - days[here]
    names, codes = np.unique(who, return_inverse=True)
    first, last = np.full(len(names), 2**62), np.full(len(names), -(2**62))
    np.minimum.at(first, codes, micro)
    np.maximum.at(last, codes, micro)
    oldest, latest = np.zeros(len(names), np.int64), np.full(len(names), 2**40)
    np.maximum.at(oldest, codes, ago)
    np.minimum.at(latest, codes, ago)
    counts = {n: np.bincount(codes[ago <= n], minlength=len(names)) for n in (30, 90, 365)}
    spend = np.zeros(len(names), np.int64)
    np.add.at(spend, codes, amounts)
    rising = np.sort(spend)
    rank = 1 + len(names) - np.searchsorted(rising, spend, side="right")

    def top(percent: int) -> NDArray[np.bool_]:
        return (rank * 100 <= len(names) * percent) & (spend > 0)

    layer = np.select(
        [
            oldest <= 30,
            (latest <= 30) & (counts[30] >= 2) & top(20),
            (latest <= 90) & (counts[90] >= 1) & top(50),
            (latest >= 91) & (latest <= 180),
            latest > 180,
        ],
        ["new", "high_active", "medium_active", "sleeping", "lost"],
        "general_active",
    )
    recency = np.select([latest <= 30, latest <= 90, latest <= 180], [1, 2, 3], 4)
    frequency = np.select([counts[30] >= 2, counts[90] >= 1, counts[365] >= 1], [1, 2, 3], 4)
    monetary = np.select([top(20), top(50), top(80)], [1, 2, 3], 4)
    return {
        "customer": names, "first_purchase": first, "last_purchase": last,
        "purchases_30d": counts[30], "purchases_90d": counts[90], "purchases_365d": counts[365],
        "spend_minor": spend, "recency": recency, "frequency": frequency, "monetary": monetary,
        "layer": layer, **_oracle_of_rules(known),
    }  # fmt: skip


def _oracle_of_rules(known: Mapping[str, list[Any]]) -> dict[str, NDArray[Any]]:
    """Row by row in Python; a missing value matches nothing."""
    found: dict[str, list[bool]] = {name: [] for name in RULES}
    for score, visits, grade in zip(known["score"], known["visits"], known["grade"], strict=True):
        no_score = score is None or score != score  # noqa: PLR0124  NaN
        other = bool(grade) and grade not in {"gold", "silver"}
        found["unhappy"].append(not no_score and score <= 0.5 and visits is not None)
        courted = visits is not None and visits >= 3 and bool(grade) and grade != "gold"
        found["courted"].append(courted or no_score)
        found["odd"].append(other or (not no_score and not 0.25 <= score <= 0.75))
    return {name: np.array(column) for name, column in found.items()}


# --- the engines ---------------------------------------------------------------------------------


def _pandas(name: str) -> Any:
    import pandas as pd

    return pd.read_parquet(FOLDER / f"{name}.parquet")


def _pandas_arrow(name: str) -> Any:
    import pandas as pd

    return pd.read_parquet(FOLDER / f"{name}.parquet", dtype_backend="pyarrow")


def _polars(name: str) -> Any:
    import polars as pl

    return pl.read_parquet(FOLDER / f"{name}.parquet")


def _polars_lazy(name: str) -> Any:
    import polars as pl

    return pl.scan_parquet(FOLDER / f"{name}.parquet")


def _pyarrow(name: str) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(FOLDER / f"{name}.parquet")


def _duckdb(name: str) -> Any:
    import duckdb

    return duckdb.read_parquet(str(FOLDER / f"{name}.parquet"))


def _ibis(name: str) -> Any:
    import ibis

    return ibis.duckdb.connect().read_parquet(FOLDER / f"{name}.parquet")


def _spark(name: str) -> Any:
    from examples.spark_layers import session

    return session().read.parquet(str(FOLDER / f"{name}.parquet"))


ENGINES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "polars lazy": ("polars", _polars_lazy),
    "polars eager": ("polars", _polars),
    "DuckDB": ("duckdb", _duckdb),
    "pyarrow": ("pyarrow", _pyarrow),
    "Ibis on DuckDB": ("ibis-framework", _ibis),
    "pandas": ("pandas", _pandas),
    "pandas with pyarrow types": ("pandas", _pandas_arrow),
    "PySpark": ("pyspark", _spark),
}


def asked(read: Callable[[str], Any]) -> dict[str, NDArray[Any]]:
    """Pin, summarise and decide in an engine; only then are the columns read."""
    from retention import frames

    bought, shop = read("purchases"), ecommerce.segmentation
    published = frames.pin(bought, shop, as_of=DAY)
    summary = frames.summary(bought, published, as_of=DAY)
    cells = frames.rfm_cells(published, summary, as_of=DAY)
    found = _read(frames.layers(published, cells, as_of=DAY))
    known = read("customers")
    for name, rule in RULES.items():
        known = frames.mask(rule, known, into=name)
    rules = _read(known)
    return found | {name: rules[name] for name in RULES}


def _read(frame: Any) -> dict[str, NDArray[Any]]:
    """Sorted columns in numpy, instants as microseconds."""
    import narwhals.stable.v2 as nw

    table = nw.from_native(frame)
    if isinstance(table, nw.LazyFrame):
        table = table.collect(backend="pyarrow")
    table = table.sort("customer")
    columns = {}
    for name, dtype in table.schema.items():
        series = table[name]
        if isinstance(dtype, nw.Datetime):
            series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
            columns[name] = series.to_numpy().astype("datetime64[us]").astype(np.int64)
        elif isinstance(dtype, nw.String):
            columns[name] = np.array(series.fill_null("").to_list(), "U")
        else:
            columns[name] = np.asarray(series.to_numpy())
    return columns


def fingerprint(columns: Columns) -> str:
    """SHA-256 over the columns that the oracle has, in its order."""
    digest = sha256()
    for name in ("customer", *NAMES):
        column = columns[name]
        text = column.dtype.kind in "UO"
        digest.update(f"{name} {len(column)}\n".encode())
        plain = "\n".join(column.tolist()).encode() if text else column.astype("<i8").tobytes()
        digest.update(plain)
    return digest.hexdigest()


NAMES = (
    "first_purchase", "last_purchase", "purchases_30d", "purchases_90d", "purchases_365d",
    "spend_minor", "recency", "frequency", "monetary", "layer", *RULES,
)  # fmt: skip


# --- the command ---------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.frames_hashes")
    parser.add_argument("engines", nargs="*", help=f"of: {', '.join(ENGINES)}")
    parser.add_argument("--rows", type=int, default=1_000_000, help="purchases")
    parser.add_argument("--one", action="store_true", help="in this process, as JSON")
    given = parser.parse_args(arguments)
    if given.one:
        print(json.dumps(one(given.engines[0])))
        return
    write(given.rows)
    wanted = fingerprint(oracle(given.rows))
    _line("numpy oracle", np.__version__, "", wanted)
    found = [_apart(name, wanted) for name in given.engines or ENGINES]
    if False in found:
        raise SystemExit("an engine gave another answer")
    size = f"{given.rows} purchases, {len(NAMES) + 1} columns"
    print(f"{sum(map(bool, found))} engines, one answer: {size}")


def one(name: str) -> dict[str, Any]:
    """Ask one engine, here."""
    start = perf_counter()
    found = fingerprint(asked(ENGINES[name][1]))
    return {"hash": found, "seconds": perf_counter() - start}


def _apart(name: str, wanted: str) -> bool | None:
    """Ask one engine in a process of its own; None where it is not installed."""
    package = ENGINES[name][0]
    if find_spec(package.removesuffix("-framework")) is None:
        _line(name, "", "", "skipped: not installed")
        return None
    command = [sys.executable, "-m", "benchmarks.frames_hashes", "--one", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        _line(name, version(package), "", f"failed: {done.stderr[-2000:]}")
        return False
    answer = json.loads(done.stdout.splitlines()[-1])
    same = bool(answer["hash"] == wanted)
    note = "" if same else "  DIFFERENT"
    _line(name, version(package), f"{answer['seconds']:.2f} s", answer["hash"] + note)
    return same


def _line(*cells: str) -> None:
    print(f"{cells[0]:<26} {cells[1]:<8} {cells[2]:>8}  {cells[3]}", flush=True)


if __name__ == "__main__":
    main()
