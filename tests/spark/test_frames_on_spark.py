"""The same answers on a real local session of Spark; run by ``make test-spark``."""

# ruff: noqa: ANN401  frames of Spark have no types here

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retention import PurchaseLog, frames, parse
from retention.presets import ecommerce, user_retention

pytest.importorskip("pyspark", reason="pyspark is not installed; run make test-spark")
pytestmark = pytest.mark.filterwarnings("ignore")  # Spark's own

ROOT = Path(__file__).parent.parent.parent
DAY = date(2024, 6, 1)


@pytest.fixture(scope="module")
def columns() -> dict[str, Any]:
    chance = np.random.default_rng(5)
    seconds = chance.integers(0, 500 * 86_400, 3_000).astype("timedelta64[s]")
    return {
        "customer": np.array([f"C{n}" for n in chance.integers(0, 300, 3_000)]),
        "at": np.datetime64("2023-02-01", "us") + seconds,
        "amount_minor": chance.integers(0, 15, 3_000) * 100,
    }


@pytest.fixture(scope="module")
def log(columns: dict[str, Any]) -> PurchaseLog:
    return PurchaseLog.from_columns(**columns, utc=True)


@pytest.fixture(scope="module")
def bought(spark: Any, columns: dict[str, Any]) -> Any:
    import pyarrow as pa

    at = pa.array(columns["at"], pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
    table = pa.table({**columns, "at": at})
    once = datetime(2024, 5, 1, tzinfo=UTC)
    holes = pa.table(
        {
            "customer": pa.array([None, "C1", "C2"]),
            "at": pa.array([once, None, once], at.type),
            "amount_minor": pa.array([1, 1, None], pa.int64()),
        }
    )
    return spark.createDataFrame(pa.concat_tables([table, holes])).repartition(5).cache()


def found(frame: Any, name: str, key: str = "customer") -> dict[Any, Any]:
    return {row[key]: row[name] for row in frame.select(key, name).collect()}


def named(outcomes: Any) -> dict[Any, str]:
    texts = [str(outcomes.table.outcomes[code]) for code in outcomes.codes]
    return dict(zip(outcomes.customers.tolist(), texts, strict=True))


@pytest.mark.rule("RC-09", "C-20", "C-21")
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_pin_summary_and_layers(spark: Any, bought: Any, log: PurchaseLog, zone: str) -> None:
    spark.conf.set("spark.sql.session.timeZone", zone)
    shop = ecommerce.segmentation
    published = frames.pin(bought, shop, as_of=DAY)
    assert published == shop.pin(log, as_of=DAY)
    summary = frames.summary(bought, published, as_of=DAY)
    layers = frames.layers(published, summary, as_of=DAY)
    assert type(layers) is type(bought)
    oracle = published.layers(log, as_of=DAY)
    assert found(layers, "layer") == named(oracle)
    assert found(summary, "spend_minor") == dict(
        zip(oracle.customers.tolist(), oracle.column("spend_minor").tolist(), strict=True)
    )
    cells = published.rfm_cells(log, as_of=DAY).to_columns()
    bands = frames.rfm_cells(published, summary, as_of=DAY)
    for axis in ("recency", "frequency", "monetary"):
        wanted = dict(zip(cells["customer"].tolist(), cells[axis].tolist(), strict=True))
        assert found(bands, axis) == wanted
    spark.conf.set("spark.sql.session.timeZone", "UTC")


@pytest.mark.rule("D-01", "D-02")
def test_stages(spark: Any, bought: Any, log: PurchaseLog) -> None:
    people = spark.createDataFrame([("C1",), ("nobody",)], "customer string")
    seen = [("visitor", datetime(2024, 5, 1, tzinfo=UTC), "browse")]
    others = spark.createDataFrame(seen, "customer string, at timestamp, kind string")
    life = ecommerce.lifecycle
    summary = frames.summary(bought, life, as_of=DAY, interactions=others, customers=people)
    wanted = named(life.stages(log, as_of=DAY))
    assert found(frames.stages(life, summary, as_of=DAY), "stage") == wanted | {
        "visitor": "potential",
        "nobody": "registered",
    }


def test_rows_that_were_left_out_are_counted(bought: Any) -> None:
    aside = frames.set_aside(bought)
    assert aside == {"no_customer": 1, "no_time": 1, "no_amount": 1, "negative_amount": 0}


def test_a_log_is_collected(bought: Any, log: PurchaseLog) -> None:
    here = frames.purchases(bought, amount_minor="amount_minor")
    assert len(here) == len(log)
    assert [len(each.rows) for each in here.problems] == [1, 1, 1]
    assert sorted(here.amounts_minor.tolist()) == sorted(log.amounts_minor.tolist())


def test_missing_values_match_nothing(spark: Any) -> None:
    rows = [(1, 0.4, "x"), (2, math.nan, None), (3, None, ""), (4, 0.6, "y")]
    frame = spark.createDataFrame(rows, "customer int, score double, grade string")
    for text in ("score <= 0.5", "score > 0.5", "grade == 'x'", "grade != 'x'", "score is missing"):
        for rule in (parse(text), ~parse(text)):
            wanted = {n: rule.holds({"score": s, "grade": g}) for n, s, g in rows}
            assert found(frames.mask(rule, frame), "holds") == wanted, str(rule)


def test_a_summary_of_another_day_never_decides(bought: Any) -> None:
    published = frames.pin(bought, ecommerce.segmentation, as_of=DAY)
    summary = frames.summary(bought, published, as_of=DAY)
    layers = frames.layers(published, summary, as_of=DAY + timedelta(days=1))
    assert set(found(layers, "layer").values()) == {None}


@pytest.mark.rule("C-10", "C-11")
def test_whole_histories_in_the_workers(bought: Any, log: PurchaseLog) -> None:
    loyalty = user_retention.segmentation.classification("loyalty_grade")
    grades = frames.by_customer(
        bought, lambda part: loyalty.outcomes(part, as_of=DAY), amount_minor="amount_minor"
    )
    assert found(grades, "outcome") == named(loyalty.outcomes(log, as_of=DAY))


def test_numpy_over_batches_in_the_workers(bought: Any, log: PurchaseLog) -> None:
    published = ecommerce.segmentation.pin(log, as_of=DAY)
    table = published.rfm.tables[2]
    summary = frames.summary(bought, published, as_of=DAY)
    amounts = list(table.measures)
    batches = frames.map_batches(
        summary, lambda part: {"band": table.codes(part)}, reads=amounts, gives={"band": int}
    )
    oracle = published.rfm_cells(log, as_of=DAY).to_columns()
    wanted = dict(zip(oracle["customer"].tolist(), (oracle["monetary"] - 1).tolist(), strict=True))
    assert found(batches, "band") == wanted


def test_the_job(bought: Any, log: PurchaseLog, tmp_path: Path, capsys: Any) -> None:
    from examples import spark_layers

    source, result = str(tmp_path / "purchases.parquet"), str(tmp_path / "layers.parquet")
    bought.write.parquet(source)
    spark_layers.main(source, DAY.isoformat(), result)
    layers = spark_layers.session().read.parquet(result)
    assert found(layers, "layer") == named(ecommerce.segmentation.layers(log, as_of=DAY))
    assert "high_active: days_since_purchase <= 30" in capsys.readouterr().out


def test_the_page(spark: Any, bought: Any) -> None:
    text = (ROOT / "docs" / "how-to" / "spark.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 4
    names: dict[str, Any] = {"spark": spark, "purchases": bought}
    for block in blocks:
        exec(compile(block, "spark.md", "exec"), names)  # noqa: S102  the page itself
    assert names["layers"].columns
