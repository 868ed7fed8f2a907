"""Logs from frames of every kind: what is missing is a problem, and no type is guessed."""

# ruff: noqa: ANN401  frames of any kind go in and out

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from retention import PurchaseLog, frames
from retention.mechanisms.answers import Code
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.errors import (
    InvalidValueError,
    MissingExtraError,
    NaiveInstantError,
    UnequalColumnsError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.rules import parse
from retention.presets import user_retention
from tests.engines import ENGINES, Engine, column, each, kind, rows
from tests.refusals import refused

DAY = date(2024, 6, 30)
AT = [datetime(2024, 6, 1, 15, 30, tzinfo=UTC), None, datetime(2024, 6, 2, tzinfo=UTC)]
WITH_DAYS = {name: make for name, make in ENGINES.items() if name != "pandas"}


def table(**more: Any) -> pa.Table:
    columns: dict[str, Any] = {
        "customer": pa.array(["a", "b", None]),
        "at": pa.array(AT, pa.timestamp("us", "UTC")),
        "amount": pa.array([12.50, 8.0, 3.0]),
    }
    return pa.table(columns | more)


def read(frame: Any, **more: Any) -> PurchaseLog:
    return frames.purchases(frame, **({"amount": "amount"} | more))


def codes(log: Any) -> dict[str, tuple[int, ...]]:
    return {str(each.code): each.rows for each in log.problems}


@each()
def test_what_is_missing_becomes_a_problem(engine: Engine) -> None:
    log = read(engine(table()))
    assert (log.customers.tolist(), log.amounts_minor.tolist()) == (["a"], [1250])
    assert log.times.numbers.tolist() == [int(AT[0].timestamp()) * 10**6]  # type: ignore[union-attr]
    assert codes(log) == {"no_time": (1,), "no_customer": (2,)}


@each()
def test_numbers_as_identifiers_and_missing_amounts(engine: Engine) -> None:
    at = pa.array([AT[0]] * 5, pa.timestamp("ms", "Europe/Berlin"))
    found = pa.table(
        {
            "customer": pa.array([3, 1, 3, 1, 2], pa.int32()),
            "at": at,
            "amount": pa.array([1.005, None, float("nan"), float("inf"), 2.0]),
        }
    )
    log = read(engine(found))
    assert log.customers.tolist() == [2, 3]
    assert log.amounts_minor.tolist() == [100, 200]  # half to even
    assert set(log.times.numbers.tolist()) == {int(AT[0].timestamp()) * 10**6}  # type: ignore[union-attr]
    gone = codes(log)
    assert sorted(row for numbers in gone.values() for row in numbers) == [1, 2, 3]
    assert gone["not_finite"][-1] == 3


@each()
def test_returns_orders_and_currencies(engine: Engine) -> None:
    at = pa.array([AT[0]] * 4, pa.timestamp("us", "UTC"))
    found = pa.table(
        {
            "customer": ["a", None, "a", "b"], "at": at, "amount": [10, 1, -4, 2],
            "order": ["1", "9", None, "1"], "currency": ["CNY"] * 4,
        }
    )  # fmt: skip
    how: Any = {"amount": None, "amount_minor": "amount", "order": "order"}
    log = read(engine(found), **how, currency_column="currency", returns="net")
    assert (log.currency, log.amounts_minor.tolist(), log.has_returns) == ("CNY", [10, -4], True)
    assert codes(log) == {"no_customer": (1,), "duplicate_order": (3,)}
    refusing = read(engine(found), **how)
    assert codes(refusing)["negative_amount"] == (2,)


@each(WITH_DAYS)
def test_days(engine: Engine) -> None:
    days = pa.array([date(2024, 6, 1), None, date(2024, 2, 29)])
    log = read(engine(table(at=days, customer=["a", "b", "c"])))
    assert log.times.are_days
    assert log.history("c").purchases[0].at == date(2024, 2, 29)
    assert codes(log) == {"no_time": (1,)}


@each()
def test_times_without_a_zone(engine: Engine) -> None:
    at = pa.array([datetime(2024, 6, 1, 15, 30), None, None], pa.timestamp("us"))
    naive = engine(table(at=at))
    with refused(NaiveInstantError, "at"):
        read(naive)
    assert read(naive, utc=True).history("a").purchases[0].at == AT[0]
    assert read(naive, days=True).history("a").purchases[0].at == date(2024, 6, 1)


def test_objects_of_python_in_pandas() -> None:
    frame = pd.DataFrame({"customer": ["a", "b"], "amount": [1.0, 2.0]})
    frame["at"] = pd.Series([date(2024, 6, 1), None], dtype=object)
    assert codes(read(frame)) == {"no_time": (1,)}
    east = timezone(timedelta(hours=8))
    frame["at"] = pd.Series([datetime(2024, 6, 1, 8, tzinfo=east), AT[2]], dtype=object)
    assert read(frame).history("a").purchases[0].at == datetime(2024, 6, 1, tzinfo=UTC)
    frame["at"] = pd.Series([date(2024, 6, 1), AT[0]], dtype=object)
    with refused(WrongTypeError, "at"):
        read(frame)
    frame["at"] = pd.Series([datetime(2024, 6, 1, 8), None], dtype=object)
    with refused(NaiveInstantError, "at"):
        read(frame)


def test_money_as_decimals_is_exact() -> None:
    amounts = pa.array([Decimal("12.345"), Decimal("0.105"), None], pa.decimal128(10, 3))
    at = pa.array([AT[0]] * 3, pa.timestamp("us", "UTC"))
    log = read(table(amount=amounts, at=at, customer=["a", "b", "c"]))
    assert log.amounts_minor.tolist() == [1234, 10]  # half to even
    assert codes(log) == {"no_amount": (2,)}


def test_whole_numbers_that_a_hole_made_floats() -> None:
    frame = pd.DataFrame({"customer": ["a", "b"], "at": [AT[0]] * 2, "n": [5, None]})
    log = frames.purchases(frame, amount_minor="n")
    assert (log.amounts_minor.tolist(), codes(log)) == ([5], {"no_amount": (1,)})
    frame["n"] = [5.5, None]
    with refused(InvalidValueError, "n"):
        frames.purchases(frame, amount_minor="n")
    frame["customer"] = [1.0, None]
    with refused(WrongTypeError, "customer"):
        frames.purchases(frame, amount="n")


def test_columns_of_the_wrong_type_are_refused_by_name() -> None:
    frame = pl.from_arrow(table())
    for name, wrong in (("at", pl.lit("2024-06-01")), ("amount", pl.lit("1.00"))):
        with refused(WrongTypeError, name):
            read(frame.with_columns(wrong.alias(name)))
    with refused(UnknownNameError, "column", given="when"):
        read(frame, at="when")
    with refused(InvalidValueError, "amount"):
        frames.purchases(frame)
    with refused(WrongTypeError, "amount"):
        read(frame, order="amount")
    with refused(WrongTypeError, "amount"):
        read(frame, core="amount")
    with refused(WrongTypeError, "frame", given="str"):
        read("purchases.csv")


def test_core_profit_and_words_of_other_types() -> None:
    frame = pl.DataFrame(
        {
            "customer": pl.Series(["a", "b"], dtype=pl.Categorical),
            "at": [date(2024, 6, 1)] * 2, "n": [5, 6], "core": [True, None], "profit": [3, None],
            "order": [7, 8],
        }
    )  # fmt: skip
    log = frames.purchases(
        frame, amount_minor="n", core="core", profit_minor="profit", order="order"
    )
    assert log.core is not None
    assert log.profits_minor is not None
    assert (log.core.tolist(), log.profits_minor.tolist()) == ([True, False], [3, 0])


@each()
def test_nothing_at_all(engine: Engine) -> None:
    assert len(read(engine(table().slice(0, 0)))) == 0
    absent = pa.array([None, None, None], pa.string())
    assert codes(read(engine(table(customer=absent))))["no_customer"] == (0, 1, 2)


@each()
def test_interactions(engine: Engine) -> None:
    found = table(kind=["login", "call", "browse"], topic=pa.array(["x", None, None]))
    log = frames.interactions(engine(found), topic="topic")
    assert [str(x.kind) for x in log.of_customer("a")] == ["login"]
    assert log.of_customer("a")[0].topic == "x"
    assert codes(log) == {"no_time": (1,), "no_customer": (2,)}
    with refused(UnknownNameError, "kind"):
        frames.interactions(engine(table(kind=pa.array([None, "call", "call"], pa.string()))))


# --- numpy functions over batches ----------------------------------------------------------------

LOYALTY = user_retention.segmentation.classification("loyalty_grade")


def years() -> pa.Table:
    at = [datetime(2024 - n % 5, 6, 1, tzinfo=UTC) for n in range(60)]
    return pa.table(
        {
            "customer": [f"C{n % 7}" for n in range(60)],
            "at": pa.array(at, pa.timestamp("us", "UTC")),
            "amount_minor": pa.array(range(60), pa.int64()),
        }
    )


@pytest.mark.rule("C-10", "C-11")
@each()
def test_runs_are_taken_from_whole_histories(engine: Engine) -> None:
    frame = engine(years())
    found = frames.by_customer(
        frame, lambda log: LOYALTY.outcomes(log, as_of=DAY), amount_minor="amount_minor"
    )
    assert kind(found) is kind(frame)
    oracle = LOYALTY.outcomes(frames.purchases(frame, amount_minor="amount_minor"), as_of=DAY)
    assert column(found, "outcome") == {
        who: str(oracle.decision(who).outcome) for who in oracle.customers.tolist()
    }


def test_columns_of_ones_own() -> None:
    def spent(log: PurchaseLog) -> dict[str, Any]:
        sums = np.bincount(log.codes, log.amounts_minor, len(log.customers))
        return {"who": log.customers, "mean": sums / 2}

    found = frames.by_customer(
        pl.from_arrow(years()).lazy(), spent, amount_minor="amount_minor",
        gives={"who": str, "mean": float},
    )  # fmt: skip
    assert found.collect().schema == {"who": pl.String, "mean": pl.Float64}
    with refused(WrongTypeError, "mean"):
        frames.by_customer(
            years(), spent, amount_minor="amount_minor", gives={"who": str, "mean": int}
        )
    with refused(InvalidValueError, "columns of the answer"):
        frames.by_customer(years(), spent, amount_minor="amount_minor", gives={"who": str})


@each()
def test_rows_are_decided_by_numpy_in_batches(engine: Engine) -> None:
    sizes = FirstMatch((Case("small", parse("days <= 30 and grade == 'x'")),), otherwise="large")
    frame = engine(
        pa.table({"customer": [1, 2, 3], "days": [3, None, 70], "grade": ["x", "x", None]})
    )
    found = frames.map_batches(
        frame, lambda columns: {"code": sizes.codes(columns)}, reads=["days", "grade"],
        gives={"code": int},
    )  # fmt: skip
    assert kind(found) is kind(frame)
    assert rows(found, "customer", "code") == [(1, 0), (2, 1), (3, 1)]
    with refused(UnequalColumnsError, "map_batches"):
        frames.map_batches(
            frame, lambda columns: {"code": np.array([1])}, reads=[], gives={"code": int}
        )
    with refused(UnknownNameError, "column"):
        frames.map_batches(frame, lambda columns: {}, reads=["dayz"], gives={})


# --- the extra -----------------------------------------------------------------------------------


def test_without_narwhals_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "narwhals", None)
    monkeypatch.delitem(sys.modules, "retention.frames")
    with refused(MissingExtraError, "retention.frames", given="narwhals", allowed="frames"):
        import_module("retention.frames")


def test_every_problem_has_a_code() -> None:
    assert {Code(x) for x in codes(read(table()))} == {Code.NO_TIME, Code.NO_CUSTOMER}
