"""Frames of any kind opened, and their columns found; what engines differ in has its place here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from retention.mechanisms.errors import NaiveInstantError, UnknownNameError, WrongTypeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Frame: TypeAlias = "nw.DataFrame[Any] | nw.LazyFrame[Any]"

TIMES = (
    "a column of dates, of instants with a zone, of instants in UTC with utc=True, or of local "
    "times with days=True, of which the day alone counts"
)
WHOLE = "whole numbers; floats that are whole count only in a frame that is not lazy"
_TO_ARROW = ("duckdb", "ibis", "pyspark", "pyspark_connect", "sqlframe")
_WITH_ZONES = ("pandas", "modin", "cudf", "polars", "pyarrow", "dask")


def opened(frame: Any) -> Frame:  # noqa: ANN401  any frame that narwhals knows
    """Return a frame as narwhals sees it; what is none is refused.

    >>> opened([1, 2])
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.WrongTypeError: frame: list is of a kind that is not taken \
here; give a frame of pandas, polars, pyarrow, DuckDB, Ibis, Spark or another that narwhals knows
    """
    allowed = (
        "a frame of pandas, polars, pyarrow, DuckDB, Ibis, Spark or another that narwhals knows"
    )
    try:
        found = nw.from_native(frame)
    except TypeError:
        raise WrongTypeError("frame", type(frame).__name__, allowed) from None
    return found


def is_lazy(frame: Frame) -> bool:
    """Whether a frame is a plan that has not been run."""
    return isinstance(frame, nw.LazyFrame)


def collected(frame: Frame) -> nw.DataFrame[Any]:
    """Run the plan of a frame; engines of SQL hand over columns of Arrow."""
    if not isinstance(frame, nw.LazyFrame):
        return frame
    name = str(frame.implementation).removeprefix("Implementation.").lower()
    return frame.collect(backend="pyarrow") if name in _TO_ARROW else frame.collect()


def type_of(frame: Frame, name: str) -> Any:  # noqa: ANN401  a type of narwhals
    """Return the type of a column; a name that there is not is refused."""
    schema = frame.collect_schema()
    if name not in schema:
        raise UnknownNameError("column", name, tuple(schema))
    return schema[name]


def stacked(frames: Sequence[Any]) -> Any:  # noqa: ANN401  frames of one kind
    """Return frames of the same columns as one."""
    return frames[0] if len(frames) == 1 else nw.concat(frames, how="vertical")


def engine_of(frame: Frame) -> str:
    """Return the name of the engine, such as ``polars`` or ``pyspark``."""
    return str(frame.implementation).removeprefix("Implementation.").lower()


def times_of(frame: Frame, name: str, *, utc: bool, days: bool) -> Any:  # noqa: ANN401
    """Return a column of times in the form of this room; refuse what says no time.

    Instants are in UTC, local days are dates. Where an engine has no dates of its own (pandas),
    local days stay instants without a zone, at midnight; where one cannot give a zone to an
    instant (SQL), instants without a zone are in UTC.
    """
    dtype, column = type_of(frame, name), nw.col(name)
    if isinstance(dtype, nw.Date):
        return column
    if not isinstance(dtype, nw.Datetime):
        raise WrongTypeError(name, str(dtype), TIMES)
    if dtype.time_zone is not None:
        return in_utc(frame, name)
    if days:
        return column.dt.truncate("1d") if engine_of(frame) == "pandas" else column.cast(nw.Date)
    if not utc:
        raise NaiveInstantError(name, str(dtype), TIMES)
    return column.dt.replace_time_zone("UTC") if engine_of(frame) in _WITH_ZONES else column


def in_utc(frame: Frame, name: str) -> Any:  # noqa: ANN401  an expression of narwhals
    """Return a column of times that literals in UTC compare with.

    The engines of SQL keep every instant as one, and show it in the zone of the session.
    """
    zone = getattr(type_of(frame, name), "time_zone", None)
    if zone is not None and zone != "UTC" and engine_of(frame) in _WITH_ZONES:
        return nw.col(name).dt.convert_time_zone("UTC")
    return nw.col(name)


def are_days(frame: Frame, name: str) -> bool:
    """Whether a column in the form of this room holds local days."""
    dtype = type_of(frame, name)
    if isinstance(dtype, nw.Datetime):
        return dtype.time_zone is None and engine_of(frame) in _WITH_ZONES
    return isinstance(dtype, nw.Date)


def moment(frame: Frame, name: str, instant: datetime, day: date) -> Any:  # noqa: ANN401
    """Return the instant, or the day, that a column in the form of this room compares with."""
    dtype = type_of(frame, name)
    if isinstance(dtype, nw.Date):
        return nw.lit(day)
    if are_days(frame, name):
        return nw.lit(datetime.combine(day, time()))
    return nw.lit(instant if dtype.time_zone is not None else instant.replace(tzinfo=None))


def is_text(dtype: Any) -> bool:  # noqa: ANN401
    """Whether a type holds words."""
    return isinstance(dtype, nw.String | nw.Categorical | nw.Enum)


def words(series: nw.Series[Any]) -> NDArray[Any]:
    """Return a column as text in numpy, empty where there is none."""
    return np.array(series.cast(nw.String).fill_null("").to_list(), "U")
