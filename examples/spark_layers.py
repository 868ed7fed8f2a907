"""Maintenance layers of every customer, as a Spark job.

``spark-submit examples/spark_layers.py PURCHASES.parquet AS_OF [RESULT.parquet]``; the file
holds ``customer``, ``at`` (instants) and ``amount_minor``. Everything runs in the cluster: the
shares of the handbook are pinned to amounts once, then each customer is decided alone.
"""

from __future__ import annotations

import os
import sys
from datetime import date
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from retention import frames
from retention.presets import ecommerce


def session() -> SparkSession:
    """Open a local session; a cluster brings its own, so these settings are for trying out."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else the workers take another Python
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder: Any = SparkSession.builder
    return builder.config(
        map={
            "spark.master": "local[2]",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.shuffle.partitions": "4",
            "spark.sql.session.timeZone": "UTC",
        }
    ).getOrCreate()


def layers_of(purchases: DataFrame, as_of: date) -> DataFrame:
    """Return every customer of a Spark frame with the layer, as a Spark frame."""
    published = frames.pin(purchases, ecommerce.segmentation, as_of=as_of)
    for case in published.layer_table.cases:
        print(f"{case.outcome}: {case.when}")  # what top 20 % means in money today
    summary = frames.summary(purchases, published, as_of=as_of)
    return frames.layers(published, summary, as_of=as_of)


def main(path: str, day: str, result: str = "") -> None:
    """Read, decide, show; write where a result is wanted."""
    found = layers_of(session().read.parquet(path), date.fromisoformat(day)).cache()
    found.groupBy("layer").count().orderBy("layer").show()
    if result:
        found.select("customer", "layer").write.mode("overwrite").parquet(result)


if __name__ == "__main__":
    main(*sys.argv[1:])
