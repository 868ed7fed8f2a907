"""Data frames in, data frames out: logs from frames, and the rules as expressions in the engine.

A frame is any that narwhals knows: pandas (classic or with types of pyarrow), polars (eager or
lazy), pyarrow, DuckDB, Ibis, Spark. What comes back is of the caller's own kind, and what was
lazy stays lazy.

- :func:`purchases` and :func:`interactions` read a frame into a log, for everything else in
  this library.
- :func:`summary` measures every customer inside the engine; :func:`layers`, :func:`stages`,
  :func:`tiers`, :func:`classification`, :func:`rfm_cells`, :func:`tags` and :func:`mask` decide
  there, row by row, with a policy whose shares :func:`pin` has turned into amounts.
- :func:`by_customer` and :func:`map_batches` run the numpy functions of this library where
  expressions do not reach: runs of purchases, schedules, machines.

Engines differ in dates, zones, division and missing values. So days are compared as instants
that Python computed, averages and shares as whole numbers, and a missing value matches nothing,
also under ``~``. What cannot be said that way is refused by name. The rules themselves are
elsewhere: here is no threshold. This room needs the extra ``frames``.
"""

from __future__ import annotations

from retention.mechanisms.errors import MissingExtraError

try:
    import narwhals as _narwhals  # noqa: F401  the partner, or the advice how to get it
except ImportError as _cause:
    raise MissingExtraError("retention.frames", "narwhals", "frames") from _cause

from retention.frames._batches import by_customer, map_batches
from retention.frames._decisions import (
    classification,
    layers,
    rfm_cells,
    stages,
    tags,
    tiers,
)
from retention.frames._logs import interactions, purchases
from retention.frames._pins import pin
from retention.frames._rules import mask
from retention.frames._summaries import set_aside, summary

__all__ = [
    "by_customer",
    "classification",
    "interactions",
    "layers",
    "map_batches",
    "mask",
    "pin",
    "purchases",
    "rfm_cells",
    "set_aside",
    "stages",
    "summary",
    "tags",
    "tiers",
]
