"""Rules as expressions answer as ``rule.holds`` does, on every engine, for every kind of node."""

# ruff: noqa: ANN401  frames of any kind go in and out

from __future__ import annotations

import math
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl
import pyarrow as pa
import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from retention import frames, parse
from retention.mechanisms.errors import (
    InvalidValueError,
    UnknownMeasureError,
    UnpinnedPolicyError,
    WrongTypeError,
)
from retention.mechanisms.rules import All, AnyOf, Limit, Relation, Rule
from retention.testing import strategies
from tests.engines import ENGINES, Engine, column, each, kind, rows
from tests.refusals import refused

TYPES = {
    "days": pa.int64(),
    "orders": pa.int32(),
    "score": pa.float64(),
    "weight": pa.float32(),
    "grade": pa.string(),
    "vip": pa.bool_(),
}
NUMBERS = ("days", "orders", "score")


def table(found: list[dict[str, Any]], types: dict[str, pa.DataType] = TYPES) -> pa.Table:
    """NaN stays NaN where the type has one; whole numbers have holes only."""
    columns: dict[str, Any] = {"customer": pa.array(range(len(found)), pa.int64())}
    for name, dtype in types.items():
        values = [row.get(name) for row in found]
        if pa.types.is_integer(dtype):
            values = [None if x is None or not math.isfinite(x) else math.floor(x) for x in values]
        columns[name] = pa.array(values, dtype, from_pandas=False)
    return pa.table(columns)


def whole(row: dict[str, Any]) -> dict[str, Any]:
    """The row as the types of the table hold it."""
    found = dict(row)
    for name in ("days", "orders"):
        if isinstance(found.get(name), float):
            found[name] = math.floor(found[name]) if math.isfinite(found[name]) else None
    return found


def agree(engine: Engine, rule: Rule, given_rows: list[dict[str, Any]]) -> None:
    frame = engine(table(given_rows))
    for asked in (rule, ~rule):
        held = column(frames.mask(asked, frame), "holds")
        expected = {n: asked.holds(whole(row)) for n, row in enumerate(given_rows)}
        assert {n: bool(x) for n, x in held.items()} == expected, str(asked)
        assert None not in held.values()


@st.composite
def cases(draw: st.DrawFn) -> tuple[Rule, list[dict[str, Any]]]:
    rule = draw(strategies.rules(measures=NUMBERS, texts=["grade"]))
    found = draw(st.lists(strategies.rows(rule), min_size=1, max_size=6))
    absent = dict.fromkeys(TYPES)
    words = [row | {"grade": x} for row in found if isinstance(x := row.get("grade"), str | None)]
    return rule, [absent | row for row in words]


FAST = {name: ENGINES[name] for name in ("polars", "pyarrow", "pandas", "pandas-arrow", "duckdb")}
WITH_TRUTHS = {name: make for name, make in ENGINES.items() if name != "pandas"}


@each(FAST)
@given(case=cases())
def test_an_expression_answers_as_the_rule_does(engine: Engine, case: Any) -> None:
    rule, found = case
    agree(engine, rule, found)


RELATIONS: dict[Relation, Any] = {
    "<=": 30, "<": 30, ">=": 30, ">": 30, "==": 30, "!=": 30, "in": (30, 31), "not in": (30, 31),
    "between": (30, 90), "outside": (30, 90), "missing": None, "known": None,
}  # fmt: skip
VALUES = (None, math.nan, 0, -1, 29, 30, 30.5, 31, 90, 91)
WORDS = (None, "", "gold", "silver", "金")


@each()
@pytest.mark.parametrize("relation", RELATIONS)
def test_every_relation_on_every_engine(engine: Engine, relation: Relation) -> None:
    absent = dict.fromkeys(TYPES)
    found = [absent | {"days": x, "score": x, "weight": x, "orders": x} for x in VALUES]
    for name in ("days", "orders", "score", "weight"):
        agree(engine, Limit(name, relation, RELATIONS[relation]), found)
    if relation in {"==", "!=", "in", "not in", "missing", "known"}:
        words: Any = ("gold", "金") if "in" in relation and relation != "missing" else "gold"
        limit = Limit("grade", relation, None if relation in {"missing", "known"} else words)
        agree(engine, limit, [absent | {"grade": word} for word in WORDS])


@each()
def test_limits_between_whole_numbers(engine: Engine) -> None:
    found = [dict.fromkeys(TYPES) | {"days": x, "score": x} for x in (None, 29, 30, 31, 91)]
    for text in ("days <= 30.5", "days < 30.5", "days >= 30.5", "30.5 <= days <= 90.5",
                 "days == 30.5", "days in (30.5, 31)", "score < 30.5"):  # fmt: skip
        agree(engine, parse(text), found)


@each()
def test_joined_and_nested(engine: Engine) -> None:
    absent = dict.fromkeys(TYPES)
    found = [
        absent | {"days": days, "grade": grade, "score": score}
        for days in (None, 10, 40)
        for grade in WORDS
        for score in (None, math.nan, 0.5)
    ]
    for text in (
        "days <= 30 and (grade == 'gold' or score > 0.25)",
        "not (days <= 30 and grade == 'gold') or score is missing",
        "not (days <= 30 or (grade in ('gold', '金') and not score >= 0.5))",
    ):
        agree(engine, parse(text), found)


@each(WITH_TRUTHS)
def test_truths(engine: Engine) -> None:
    absent = dict.fromkeys(TYPES)
    found = [absent | {"vip": vip} for vip in (True, False, None)]
    for limit in (Limit("vip", "==", True), Limit("vip", "!=", True), Limit("vip", "in", (1, 2)),
                  Limit("vip", "<=", 0), Limit("vip", "missing")):  # fmt: skip
        agree(engine, limit, found)


@each()
def test_numbers_that_no_float_holds(engine: Engine) -> None:
    big = 2**53 + 1
    frame = engine(pa.table({"customer": [1, 2, 3], "n": [big - 1, big, big + 1]}))
    assert column(frames.mask(Limit("n", "<=", big), frame), "holds") == {
        1: True,
        2: True,
        3: False,
    }
    floats = engine(pa.table({"customer": [1, 2], "n": [2.0**53, 2.0**53 + 2]}))
    held = column(frames.mask(Limit("n", ">=", big), floats), "holds")
    assert held == {1: False, 2: True}
    beyond = {"n <= inf": True, "n > inf": False, f"n >= {-(2**70)}": True, f"n == {2**70}": False}
    for text, holds in beyond.items():
        limit = parse(text)
        assert set(column(frames.mask(limit, frame), "holds").values()) == {holds}


@each()
def test_the_answer_is_of_the_kind_that_was_given(engine: Engine) -> None:
    frame = engine(pa.table({"customer": [1], "n": [5]}))
    found = frames.mask("n >= 3", frame, into="enough")
    assert kind(found) is kind(frame)
    assert rows(found, "customer", "n", "enough") == [(1, 5, True)]


@each()
def test_nobody(engine: Engine) -> None:
    empty = table([]).slice(0, 0)
    assert rows(frames.mask("days <= 30 and grade == 'gold'", engine(empty))) == []


def test_words_of_other_types() -> None:
    frame = pl.DataFrame({"customer": [1, 2, 3], "grade": ["gold", None, "x"]})
    for dtype in (pl.Categorical, pl.Enum(["gold", "x"])):
        found = frames.mask("grade != 'gold'", frame.with_columns(pl.col("grade").cast(dtype)))
        assert found["holds"].to_list() == [False, False, True]


def test_text_beside_numbers_is_never_equal_and_in_no_order() -> None:
    frame = pl.DataFrame({"grade": ["gold", None], "days": [1, None]})
    for rule, held in (
        ("grade == 3", [False, False]),
        ("grade != 3", [True, False]),
        ("days in ('gold', 'x')", [False, False]),
        ("days not in ('gold', 'x')", [True, False]),
    ):
        assert frames.mask(rule, frame)["holds"].to_list() == held
    with refused(WrongTypeError, "grade"):
        frames.mask("grade <= 3", frame)


def test_a_column_without_values_has_no_type() -> None:
    frame = pl.DataFrame({"days": [None, None]})
    assert frames.mask("days <= 30 or days > 30", frame)["holds"].to_list() == [False, False]
    assert frames.mask("days is missing", frame)["holds"].to_list() == [True, True]


@pytest.mark.parametrize(
    "dtype", [pa.decimal128(10, 2), pa.timestamp("us", "UTC"), pa.date32(), pa.list_(pa.int64())]
)
def test_a_type_that_rules_do_not_compare_is_refused(dtype: pa.DataType) -> None:
    values: dict[Any, Any] = {pa.list_(pa.int64()): [1]}
    frame = pa.table({"days": pa.array([values.get(dtype, 0)], dtype)})
    with refused(WrongTypeError, "days", allowed="whole numbers, floats, truths or text"):
        frames.mask("days <= 30", frame)


def test_what_is_not_there_is_refused_by_name() -> None:
    frame = pl.DataFrame({"days": [1]})
    with refused(UnknownMeasureError, "rule", given="dayz", allowed=("days",)):
        frames.mask("dayz <= 30", frame)
    with refused(UnknownMeasureError, "rule", given="purchases_30d"):
        frames.mask("purchases_30d <= 30", frame)
    with refused(UnpinnedPolicyError, "measure", given="spend_share") as caught:
        frames.mask("spend_share <= 0.2", frame)
    assert "pin" in str(caught.value)
    with refused(InvalidValueError, "measure in a frame", given="core_run_years") as caught:
        frames.mask("core_run_years >= 3", frame)
    assert "frames.by_customer" in str(caught.value)


def test_a_frame_that_is_none_is_refused() -> None:
    with refused(WrongTypeError, "frame", given="dict"):
        frames.mask("days <= 30", {"days": [1]})


@frozen
class Strange(Rule):
    """A node that no expression is known for."""

    def limits(self) -> Any:
        return iter(())


def test_a_node_of_another_kind_is_refused() -> None:
    with refused(WrongTypeError, "rule", given="Strange"):
        frames.mask(Strange(), pl.DataFrame({"days": [1]}))
    nodes = {cls for cls in _below(Rule) if cls.__module__.startswith("retention.")}
    assert {x.__name__ for x in nodes if not x.__name__.startswith("_")} == {
        "Limit",
        "All",
        "AnyOf",
    }
    assert {Limit, All, AnyOf} <= nodes


def _below(cls: type[Any]) -> set[type[Any]]:
    return {each for one in cls.__subclasses__() for each in (one, *_below(one))}


def test_a_summary_needs_the_day_for_days() -> None:
    frame = pl.DataFrame({"last_purchase": [1]})
    with refused(InvalidValueError, "as_of"):
        frames.mask("days_since_purchase <= 30", frame)


def test_narwhals_frames_are_taken_too() -> None:
    frame = nw.from_native(pl.DataFrame({"days": [1, 40]}))
    assert frames.mask("days <= 30", frame)["holds"].to_list() == [True, False]
