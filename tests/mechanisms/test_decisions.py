"""Tables of cases: precedence, gaps, overlaps, bands, reasons."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import date
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.lifecycle import Stage
from retention.mechanisms.decisions import Bands, Case, Decision, FirstMatch, label
from retention.mechanisms.errors import (
    DuplicateError,
    GapError,
    InvalidValueError,
    NotRisingError,
    OverlapError,
    RetentionError,
    UnequalColumnsError,
    UnknownMeasureError,
    UnknownNameError,
)
from retention.mechanisms.ranks import Population
from retention.mechanisms.rules import Limit, parse
from tests.refusals import check, refused


def table(*rows: str, **options: object) -> FirstMatch[Any]:
    """Rows such as "small: days <= 30"."""
    pairs = (row.split(": ", 1) for row in rows)
    return FirstMatch(
        tuple(Case(name, parse(text)) for name, text in pairs), **cast("Any", options)
    )


SIZES = table("small: days <= 30", "middle: days <= 90 and orders >= 2", otherwise="large")


# --- precedence -----------------------------------------------------------------------------------


@pytest.mark.rule("C-22")
@pytest.mark.parametrize(
    ("days", "orders", "outcome"),
    [(30, 9, "small"), (31, 2, "middle"), (31, 1, "large"), (91, 9, "large"), (None, 9, "large")],
)
def test_the_first_case_that_holds_decides(days: int | None, orders: int, outcome: str) -> None:
    assert SIZES.decide({"days": days, "orders": orders}).outcome == outcome


limits = st.builds(
    Limit, st.sampled_from(["a", "b"]), st.sampled_from(["<=", ">", "=="]), st.integers(0, 5)
)


@given(
    st.lists(limits, min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=6),
)
def test_one_row_and_columns_get_the_same_outcome(
    rules: list[Limit], rows: list[tuple[int, int]]
) -> None:
    cases = FirstMatch(tuple(Case(n, rule) for n, rule in enumerate(rules)), otherwise=-1)
    found = cases.codes({"a": np.array([a for a, _ in rows]), "b": np.array([b for _, b in rows])})
    one = [cases.decide({"a": a, "b": b}) for a, b in rows]
    assert [cases.outcomes[code] for code in found] == [decision.outcome for decision in one]
    assert found.tolist() == [decision.code for decision in one]
    for decision in one:
        assert decision.matches[:1] in {(decision.outcome,), ()}
        assert list(decision.passed_over) == list(cases.outcomes[: decision.code])
        assert all(reason.held for reason in decision.reasons)
        assert not any(reason.held for rs in decision.passed_over.values() for reason in rs)


def test_many_rows_are_decided_like_few() -> None:
    days = np.arange(300_000) % 100
    codes = SIZES.codes({"days": days, "orders": np.full(len(days), 2)})
    assert codes.dtype == np.uint8
    assert np.array_equal(codes, np.where(days <= 30, 0, np.where(days <= 90, 1, 2)))


def test_no_rows_no_codes() -> None:
    nothing = np.array([], np.int64)
    assert SIZES.codes({"days": nothing, "orders": nothing}).tolist() == []


def test_columns_of_unequal_length() -> None:
    with refused(UnequalColumnsError, "FirstMatch", given={"days": 2, "orders": 1}):
        SIZES.codes({"days": np.array([1, 2]), "orders": np.array([1])})


def test_an_absent_measure() -> None:
    with refused(UnknownMeasureError, "rule", given="orders", allowed=("days", "order")):
        SIZES.decide({"days": 40, "order": 2})
    with refused(UnknownMeasureError, "rule", given="orders"):
        SIZES.codes({"days": np.array([40])})


def test_outcomes_and_measures_in_order() -> None:
    assert SIZES.outcomes == ("small", "middle", "large")
    assert SIZES.measures == ("days", "orders")
    assert table("a: x <= 1", "b: x > 1").outcomes == ("a", "b")


# --- what a table must keep -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "kind", "where", "given"),
    [
        (
            lambda: table("a: x <= 1", "a: x <= 2", otherwise="b"),
            DuplicateError,
            "FirstMatch.cases",
            ["a", "a"],
        ),
        (lambda: table("a: x <= 1", otherwise="a"), DuplicateError, "FirstMatch.cases", ["a"]),
        (lambda: FirstMatch((), otherwise="a"), InvalidValueError, "FirstMatch.cases", ()),
        # gaps without a catch-all
        (lambda: table("a: x <= 30", "b: x > 60"), GapError, "FirstMatch", {"x": 60}),
        (lambda: table("a: x < 30", "b: x > 30"), GapError, "FirstMatch", {"x": 30}),
        (lambda: table("a: x <= 30", "b: 31 <= x <= 90"), GapError, "FirstMatch", None),
        (lambda: table("a: x >= 10"), GapError, "FirstMatch", {"x": 9}),
        (lambda: table("a: x >= 0.5"), GapError, "FirstMatch", {"x": -0.5}),
        (lambda: table("a: g == 'x'", "b: g == 'y'"), GapError, "FirstMatch", {"g": "xy_"}),
        (lambda: table("a: x <= 1 and y <= 1", "b: x > 1"), GapError, "FirstMatch", None),
        # overlaps
        (
            lambda: table("a: x <= 30", "b: 30 <= x <= 90", otherwise="c", exclusive=True),
            OverlapError,
            "a and b",
            {"x": 30},
        ),
        (
            lambda: table("a: x <= 30", "b: y <= 3", otherwise="c", exclusive=True),
            OverlapError,
            "a and b",
            None,
        ),
        # upper limits
        (
            lambda: table("a: x <= 90", "b: x <= 30", otherwise="c", rising="x"),
            NotRisingError,
            "x",
            [90, 30],
        ),
        (
            lambda: table("a: 1 <= x <= 90", "b: x < 30", otherwise="c", rising="x"),
            NotRisingError,
            "x",
            [90, 30],
        ),
    ],
    ids=range(14),
)
def test_a_table_that_cannot_be(
    make: Callable[[], object], kind: type[RetentionError], where: str, given: object
) -> None:
    with pytest.raises(RetentionError) as caught:
        make()
    assert type(caught.value) is kind
    assert caught.value.where == where
    assert given is None or caught.value.given == given
    check(caught.value)


@pytest.mark.parametrize(
    "rows",
    [
        ("a: x <= 30", "b: x > 30"),
        ("a: x < 30", "b: x >= 30"),
        ("a: x <= 30", "b: x > 30 and y <= 1", "c: x > 30 and y > 1"),
        ("a: g == 'x'", "b: g != 'x'"),
        ("a: vip == True", "b: vip == False", "c: vip != True and vip != False"),
        ("a: 1 <= x <= 2", "b: not 1 <= x <= 2"),
        ("a: g in ('x', 'y')", "b: g not in ('x', 'y')"),
        ("a: x is missing", "b: x is known"),
        ("a: x is known and x <= 3", "b: x > 3"),
    ],
)
def test_a_table_without_gap_or_overlap_is_proven(rows: tuple[str, ...]) -> None:
    assert table(*rows, exclusive=True).otherwise is None


def test_a_proof_that_is_too_large_asks_for_a_catch_all() -> None:
    wide = [f"m{n}: " + " and ".join(f"x{k} <= {n}" for k in range(9)) for n in range(1, 5)]
    with refused(InvalidValueError, "FirstMatch", allowed="otherwise=..."):
        table(*wide)
    assert len(table(*wide, otherwise="rest").outcomes) == 5


def test_a_row_that_no_proof_foresaw() -> None:
    whole = table("a: x <= 30", "b: x > 30")
    with refused(GapError, "FirstMatch", given={"x": None}):
        whole.decide({"x": None})
    with refused(GapError, "FirstMatch"):
        whole.codes({"x": np.array([1.0, np.nan])})


def test_upper_limits_may_repeat_and_other_measures_do_not_count() -> None:
    kept = table(
        "a: x <= 30 and y <= 9", "b: x <= 30", "c: y <= 1", "d: x > 50", otherwise="e", rising="x"
    )
    assert kept.rising == "x"


# --- bands ----------------------------------------------------------------------------------------


@pytest.mark.rule("C-20")
@pytest.mark.parametrize(
    ("bands", "values"),
    [
        (
            Bands("d", at_most=(30, 90, 180), open_end=True),
            {0: 1, 30: 1, 31: 2, 90: 2, 91: 3, 180: 3, 181: 4},
        ),
        (
            Bands("d", at_most=(0.2, 0.5, 1.0), open_end=False),
            {0.2: 1, 0.21: 2, 0.5: 2, 0.51: 3, 1.0: 3},
        ),
        (Bands("d", at_most=(5,), open_end=True), {5: 1, 6: 2}),
    ],
    ids=["open", "closed", "two"],
)
def test_bands_are_numbered_from_one(bands: Bands, values: dict[float, int]) -> None:
    assert {x: bands.table.decide({"d": x}).outcome for x in values} == values
    codes = bands.table.codes({"d": np.array(list(values), float)})
    assert [bands.table.outcomes[code] for code in codes] == list(values.values())


@pytest.mark.parametrize(
    ("at_most", "open_end", "kind"),
    [
        ((30, 20), True, NotRisingError),
        ((30, 30), True, NotRisingError),
        ((), True, InvalidValueError),
        ((30,), False, InvalidValueError),
    ],
)
def test_bands_that_cannot_be(
    at_most: tuple[int, ...], open_end: bool, kind: type[RetentionError]
) -> None:
    with refused(kind, "d", given=at_most):
        Bands("d", at_most=at_most, open_end=open_end)


def test_bands_are_changed_as_a_whole() -> None:
    bands = Bands("d", at_most=(30, 90), open_end=True)
    assert bands.with_("at_most", [45, 90]).at_most == (45, 90)
    with refused(NotRisingError, "d"):
        bands.with_("at_most", (90, 45))


# --- one decision ---------------------------------------------------------------------------------


@pytest.mark.rule("C-40")
def test_a_decision_says_why_and_why_not() -> None:
    decision = SIZES.decide({"days": 40, "orders": 2})
    assert str(decision) == (
        "middle: days 40 is <= 90, orders 2 is >= 2; not small: days 40 is not <= 30"
    )
    assert [str(reason) for reason in decision.reasons] == ["days 40 is <= 90", "orders 2 is >= 2"]
    assert decision.pinned is None


def test_a_catch_all_has_no_reason_of_its_own() -> None:
    decision = SIZES.decide({"days": 91, "orders": 1})
    assert decision.reasons == ()
    assert decision.explain() == (
        "large: no other case holds; not small: days 91 is not <= 30; "
        "not middle: days 91 is not <= 90, orders 1 is not >= 2"
    )


def test_a_decision_in_chinese_with_names() -> None:
    stages = FirstMatch((Case(Stage.NEW, parse("days <= 30")),), otherwise=Stage.LOST)
    told = stages.decide({"days": 31}).explain("zh", name={"days": "天数"}.__getitem__)
    assert told.startswith("流失客户")
    assert "其余规则均不满足" in told
    assert "不是新客户" in told
    assert "天数 31 不满足 <= 30" in told
    assert "NaN" not in stages.decide({"days": None}).explain("zh")


def test_matches_are_all_cases_that_hold() -> None:
    assert SIZES.decide({"days": 5, "orders": 3}).matches == ("small", "middle")
    assert SIZES.decide({"days": 500, "orders": 3}).matches == ()


def test_labels() -> None:
    assert (label(None), label(None, "zh")) == ("outside", "不在范围内")
    assert (label(Stage.NEW), label(Stage.NEW, "zh")) == ("new", "新客户")
    assert (label(3), label("x", "zh")) == ("3", "x")


def test_decisions_are_values() -> None:
    decision = SIZES.decide({"days": 5, "orders": 3})
    assert decision == SIZES.decide({"days": 5, "orders": 3})
    assert pickle.loads(pickle.dumps(decision)) == decision  # noqa: S301  our own
    assert repr(decision) == "Decision(outcome='small')"


# --- changes and pins -----------------------------------------------------------------------------


def test_a_row_is_reached_by_its_outcome() -> None:
    changed = SIZES.with_("middle.when.orders", 3)
    assert changed.decide({"days": 40, "orders": 2}).outcome == "large"
    with refused(UnknownNameError, given="smal") as caught:
        SIZES.with_("smal.when", "days <= 3")
    assert isinstance(caught.value, UnknownNameError)
    assert caught.value.nearest == "small"
    with refused(DuplicateError, "FirstMatch.cases"):
        SIZES.with_("small.outcome", "large")


def test_a_pinned_table_answers_for_amounts_and_says_since_when() -> None:
    shares = table("top: share <= 0.2", otherwise="rest")
    ten = {"share": Population("spend", np.arange(1, 11))}
    pinned = shares.pin(ten, date(2024, 6, 30))
    decision: Decision[Any] = pinned.decide({"spend": 9})
    assert decision.outcome == "top"
    assert str(decision.pinned) == "2024-06-30, 10 customers"
    assert decision.explain() == "top: spend 9 is >= 9 (share <= 0.2)"
    assert shares.pinned is None
    assert shares.pin({}, date(2024, 6, 30)).cases == shares.cases


@pytest.mark.parametrize("shares", [(0.2, 0.5), (0.2, 0.5, 0.99), (0.5, 1.2), ()])
def test_bands_of_a_whole_end_at_one(shares: tuple[float, ...]) -> None:
    with pytest.raises(InvalidValueError, match="shares up to 1, the whole") as caught:
        Bands("spend_share_1y", at_most=shares, open_end=False)
    assert caught.value.given == shares
    assert Bands("spend_share", at_most=(0.2, 1.0), open_end=False).table.outcomes == (1, 2)
    assert Bands("spend_share", at_most=(0.2,), open_end=True).table.outcomes == (1, 2)
