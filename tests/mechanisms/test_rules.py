"""Rules as values, as text, for one row and for columns."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.mechanisms.answers import Reason
from retention.mechanisms.errors import (
    InvalidValueError,
    RetentionError,
    RuleTruthError,
    UnknownMeasureError,
    UnknownNameError,
    UnreadableTextError,
    WrongTypeError,
)
from retention.mechanisms.rules import All, AnyOf, Limit, Measure, Rule, parse
from tests.refusals import check, refused

DAYS = Measure[int]("days", unit="days", zh="天数")
ORDERS = Measure[int]("orders")
GRADE = Measure[str]("grade")

numbers = st.integers(-5, 5) | st.sampled_from([0.5, 2.5, -math.inf, math.inf])
grades = st.sampled_from(["gold", "two  spaces", "it's", 'say "x"', "# 金"])
number_limits = st.builds(
    Limit,
    st.sampled_from(["days", "orders"]),
    st.sampled_from(["<=", "<", ">=", ">", "==", "!="]),
    numbers,
) | st.builds(
    lambda name, how, pair: Limit(name, how, tuple(sorted(pair))),
    st.sampled_from(["days", "orders"]),
    st.sampled_from(["between", "outside"]),
    st.tuples(numbers, numbers),
)
grade_limits = st.builds(
    Limit, st.just("grade"), st.sampled_from(["==", "!="]), grades
) | st.builds(
    Limit,
    st.just("grade"),
    st.sampled_from(["in", "not in"]),
    st.lists(grades, min_size=1, max_size=3).map(tuple),
)
absence = st.builds(
    Limit, st.sampled_from(["days", "orders", "grade"]), st.sampled_from(["missing", "known"])
)
rules: st.SearchStrategy[Rule] = st.recursive(
    number_limits | grade_limits | absence,
    lambda inner: st.builds(
        lambda kind, parts: kind(tuple(parts)),
        st.sampled_from([All, AnyOf]),
        st.lists(inner, min_size=2, max_size=3),
    ),
    max_leaves=6,
)
rows = st.fixed_dictionaries(
    {
        "days": st.none() | numbers | st.just(math.nan),
        "orders": st.integers(-5, 5),
        "grade": st.none() | grades | st.just(""),
    }
)


def columns(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "days": np.array([math.nan if x["days"] is None else x["days"] for x in found], float),
        "orders": np.array([x["orders"] for x in found], np.int64),
        "grade": np.array([x["grade"] or "" for x in found], "U20"),
    }


def naive(rule: Rule, row: dict[str, Any]) -> bool:
    """The rule read as logic with three values, in another way than the library's."""
    if isinstance(rule, All):
        return all(naive(part, row) for part in rule.parts)
    if isinstance(rule, AnyOf):
        return any(naive(part, row) for part in rule.parts)
    assert isinstance(rule, Limit)
    value = row[rule.measure]
    missing = value in {None, ""} or (isinstance(value, float) and math.isnan(value))
    if rule.relation in {"missing", "known"}:
        return missing == (rule.relation == "missing")
    if missing:
        return False
    text = {"between": "b[0] <= a <= b[1]", "outside": "a < b[0] or a > b[1]"}.get(rule.relation)
    return bool(eval(text or f"a {rule.relation} b", {"a": value, "b": rule.limit}))  # noqa: S307  the library itself never does


# --- laws -----------------------------------------------------------------------------------------


@given(rules, st.lists(rows, min_size=1, max_size=5))
def test_one_row_and_columns_get_the_same_answer(rule: Rule, found: list[dict[str, Any]]) -> None:
    one = [rule.holds(row) for row in found]
    assert one == [naive(rule, row) for row in found]
    mask = rule.mask(columns(found))
    assert mask.dtype == bool
    assert mask.tolist() == one


@given(rules)
def test_text_and_rule_are_the_same(rule: Rule) -> None:
    assert parse(str(rule)) == rule
    assert str(parse(str(rule))) == str(rule)
    assert pickle.loads(pickle.dumps(rule)) == rule  # noqa: S301  our own
    assert hash(parse(str(rule))) == hash(rule)


@given(rules, rows)
def test_twice_not_is_nothing_and_a_missing_value_matches_neither(
    rule: Rule, row: dict[str, Any]
) -> None:
    assert ~~rule == rule
    assert not (rule.holds(row) and (~rule).holds(row))
    if all(row[name] not in {None, ""} and row[name] == row[name] for name in rule.measures()):
        assert rule.holds(row) != (~rule).holds(row)


@given(rules, rules, rows)
def test_and_or(one: Rule, other: Rule, row: dict[str, Any]) -> None:
    assert (one & other).holds(row) == (one.holds(row) and other.holds(row))
    assert (one | other).holds(row) == (one.holds(row) or other.holds(row))
    assert ~(one & other) == ~one | ~other


@given(rules, rows)
def test_reasons_are_the_limits_that_decided(rule: Rule, row: dict[str, Any]) -> None:
    reasons = rule.reasons(row)
    assert reasons
    assert {reason.held for reason in reasons} == {rule.holds(row)}
    assert {reason.subject for reason in reasons} <= set(rule.measures())


@given(rules)
def test_replacing_nothing_changes_nothing(rule: Rule) -> None:
    assert rule.replaced(lambda limit: limit) == rule
    assert rule.reread(str(rule)) == rule


# --- one limit ------------------------------------------------------------------------------------


@pytest.mark.rule("RC-05")
@pytest.mark.parametrize(
    ("limit", "holding", "failing"),
    [
        (DAYS <= 30, [30, 29.5, -math.inf], [31, math.inf, 2**70]),
        (DAYS < 30, [29], [30]),
        (DAYS >= 30, [30, math.inf], [29]),
        (DAYS > 30, [31], [30]),
        (DAYS.between(31, 90), [31, 90, 60], [30, 91]),
        (~DAYS.between(31, 90), [30, 91], [31, 90]),
        (DAYS.is_(3), [3, 3.0], [4]),
        (~DAYS.is_(3), [4], [3]),
        (GRADE.one_of("gold", "silver"), ["gold"], ["tin"]),
        (~GRADE.one_of("gold", "silver"), ["tin"], ["gold"]),
        (Measure[bool]("vip").is_(True), [True], [False]),
        (DAYS <= 2**70, [2**70, 2**70 - 1], [2**70 + 1]),
        (Measure[float]("days") >= -math.inf, [0, -(2**80)], []),
    ],
    ids=str,
)  # fmt: skip
def test_a_limit_at_its_edges(limit: Limit, holding: list[Any], failing: list[Any]) -> None:
    for value in holding:
        assert limit.holds({limit.measure: value})
    for value in failing:
        assert not limit.holds({limit.measure: value})


@pytest.mark.parametrize("value", [None, math.nan, "", np.float64("nan")], ids=range(4))
@pytest.mark.parametrize(
    "text",
    ["days <= 30", "days > 30", "days == 1", "days != 1", "days in (1,)", "days not in (1,)",
     "1 <= days <= 3", "not 1 <= days <= 3", "days is known"],
)  # fmt: skip
def test_a_missing_value_matches_nothing(value: object, text: str) -> None:
    row: Any = {"days": value}
    assert not parse(text).holds(row)
    assert parse("days is missing").holds(row)
    (reason,) = parse(text).reasons(row)
    assert reason.given is None


@pytest.mark.parametrize(
    ("limit", "wanted"),
    [
        (DAYS <= 30, "<= 30"),
        (DAYS.between(1, 2), "between 1 and 2"),
        (~DAYS.between(1, 2), "outside 1 and 2"),
        (DAYS.is_missing(), "missing"),
        (~DAYS.is_missing(), "known"),
        (GRADE.one_of("a"), "in ('a',)"),
    ],
    ids=str,
)
def test_what_a_limit_wants(limit: Limit, wanted: str) -> None:
    assert limit.wanted == wanted


def test_a_note_is_kept_and_does_not_count() -> None:
    noted = Limit("days", "<=", 3, note="share <= 0.2")
    assert noted == Limit("days", "<=", 3)
    assert noted.reasons({"days": 4}) == (
        Reason("days", 4, "<= 3", held=False, note="share <= 0.2"),
    )


def test_numbers_of_numpy_become_pythons_own() -> None:
    limit = Limit("days", "between", (np.int64(1), np.float64(2.5)))
    assert list(map(type, limit.limit)) == [int, float]
    assert str(limit) == "1 <= days <= 2.5"


BAD_LIMITS: list[tuple[tuple[Any, ...], type[RetentionError], str, object]] = [
    (("days since", "<=", 1), InvalidValueError, "measure", "days since"),
    (("", "<=", 1), InvalidValueError, "measure", ""),
    (("missing", "<=", 1), InvalidValueError, "measure", "missing"),
    (("inf", "<=", 1), InvalidValueError, "measure", "inf"),
    (("class", "<=", 1), InvalidValueError, "measure", "class"),
    (("days", "=<", 1), UnknownNameError, "Limit.relation", "=<"),
    (("days", "<=", "30"), WrongTypeError, "limit on days", "30"),
    (("days", "<=", True), WrongTypeError, "limit on days", True),
    (("days", "<=", None), WrongTypeError, "limit on days", None),
    (("days", "between", (3,)), WrongTypeError, "limit on days", (3,)),
    (("days", "between", [1, 3]), WrongTypeError, "limit on days", [1, 3]),
    (("days", "between", (3, 1)), InvalidValueError, "limit on days", (3, 1)),
    (("days", "between", ("a", "b")), WrongTypeError, "limit on days", "a"),
    (("days", "in", ()), WrongTypeError, "limit on days", ()),
    (("days", "in", "gold"), WrongTypeError, "limit on days", "gold"),
    (("days", "in", (None,)), WrongTypeError, "limit on days", None),
    (("days", "in", ("1", 2)), WrongTypeError, "limit on days", ("1", 2)),
    (("\ufb01", "<=", 1), InvalidValueError, "measure", "\ufb01"),
    (("days", "==", ""), InvalidValueError, "limit on days", "''"),
    (("days", "==", None), WrongTypeError, "limit on days", None),
    (("days", "==", object), WrongTypeError, "limit on days", object),
]


@pytest.mark.parametrize(
    ("facts", "kind", "where", "given"), BAD_LIMITS, ids=range(len(BAD_LIMITS))
)
def test_a_limit_that_cannot_be(
    facts: tuple[Any, ...], kind: type[RetentionError], where: str, given: object
) -> None:
    with refused(kind, where, given=given):
        Limit(*facts)


@pytest.mark.parametrize("relation", ["<=", "==", "between", "in"])
def test_a_limit_on_nothing_points_to_is_missing(relation: Any) -> None:  # noqa: ANN401
    nan: Any = {"between": (0, math.nan), "in": (math.nan,)}.get(relation, math.nan)
    with refused(
        InvalidValueError, "limit on days", allowed="a number; ask is_missing() for a missing value"
    ):
        Limit("days", relation, nan)


# --- absent names ---------------------------------------------------------------------------------


def test_an_absent_measure_is_a_mistake() -> None:
    rule = parse("days <= 30 and orders >= 2")
    with refused(UnknownMeasureError, "rule", given="orders", allowed=("days", "order")) as caught:
        rule.holds({"days": 3, "order": 2})
    assert "perhaps 'order'" in str(caught.value)
    with refused(UnknownMeasureError, "rule", given="days", allowed=("day",)):
        rule.mask({"day": np.array([3])})


def test_measures_in_order_each_once() -> None:
    rule = parse("b <= 1 or (a > 2 and b > 5 and not c is missing)")
    assert rule.measures() == ("b", "a", "c")
    assert [str(limit) for limit in rule.limits()] == ["b <= 1", "a > 2", "b > 5", "c is known"]


@pytest.mark.parametrize("column", [np.array([None, 1], object), np.array(["a", None], object)])
def test_a_column_of_objects_is_refused(column: Any) -> None:  # noqa: ANN401
    with refused(WrongTypeError, "column", given=np.dtype(object)):
        parse("days <= 30").mask({"days": column})


# --- joining and truth ----------------------------------------------------------------------------


def test_rules_of_one_kind_are_flat() -> None:
    a, b, c = DAYS <= 1, ORDERS >= 2, GRADE.is_("x")
    assert (a & b) & c == a & (b & c) == All((a, b, c))
    assert (a | b) | c == a | (b | c) == AnyOf((a, b, c))
    assert str((a | b) & c) == "(days <= 1 or orders >= 2) and grade == 'x'"
    assert str(a & b | c) == "days <= 1 and orders >= 2 or grade == 'x'"


@pytest.mark.parametrize("kind", [All, AnyOf])
@pytest.mark.parametrize("parts", [(), (DAYS <= 1,), (DAYS <= 1, 5)])
def test_joining_needs_two_rules(kind: type[All | AnyOf], parts: tuple[Any, ...]) -> None:
    with refused(WrongTypeError, kind.__name__, given=parts, allowed="two rules or more"):
        kind(parts)


@pytest.mark.parametrize(
    "use",
    [
        lambda: bool(DAYS <= 30),
        lambda: 31 <= DAYS <= 90,
        lambda: all([DAYS <= 30, ORDERS >= 2]),
        lambda: not (DAYS <= 30),
        lambda: {True: 1}.get(not DAYS.is_missing()),
        lambda: bool(parse("days <= 30 and orders >= 2")),
    ],
    ids=range(6),
)
def test_a_rule_has_no_truth_of_its_own(use: Any) -> None:  # noqa: ANN401
    with refused(RuleTruthError, "rule") as caught:
        use()
    assert "between" in str(caught.value)


@pytest.mark.parametrize("value", [3, 2.5, "gold", True])
def test_a_measure_is_not_compared_with_equals(value: object) -> None:
    with refused(RuleTruthError, "measure") as caught:
        assert value == DAYS
    assert f".is_({value!r})" in str(caught.value)


def test_measures_are_compared_by_name() -> None:
    assert Measure("days", unit="x") == DAYS
    assert DAYS != ORDERS
    assert DAYS != None  # noqa: E711
    assert len({DAYS, Measure("days"), ORDERS}) == 2
    with refused(InvalidValueError, "measure", given="days since"):
        Measure("days since")


# --- changes and text -----------------------------------------------------------------------------


def test_a_rule_is_changed_by_measure() -> None:
    rule = parse("days <= 30 and 1 <= orders <= 3 and grade in ('a', 'b')")
    assert str(rule.with_("days", 45)) == str(rule).replace("30", "45")
    assert str(rule.with_("orders", [2, 4])) == str(rule).replace(
        "1 <= orders <= 3", "2 <= orders <= 4"
    )
    assert str(rule.with_("grade", ["c"])) == str(rule).replace("('a', 'b')", "('c',)")
    with refused(UnknownNameError, given="order", allowed=rule.measures()) as caught:
        rule.with_("order", 3)
    assert "perhaps 'orders'" in str(caught.value)
    with refused(InvalidValueError, given="days", allowed="one limit; give the whole rule as text"):
        parse("days <= 3 or days > 9").with_("days", 5)
    with refused(WrongTypeError, "limit on days", given="x"):
        rule.with_("days", "x")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("  days\n<= 30 \t", "days <= 30"),
        ("31<=days<=90", "31 <= days <= 90"),
        ("31 < days <= 90", "days > 31 and days <= 90"),
        ("31 <= days < 90", "days >= 31 and days < 90"),
        ("31 < days < 90", "days > 31 and days < 90"),
        ("not days <= 30", "days > 30"),
        ("not not days <= 30", "days <= 30"),
        ("not (a <= 1 or 2 <= b <= 5)", "a > 1 and not 2 <= b <= 5"),
        ("not (a <= 1 and b is missing)", "a > 1 or b is known"),
        ("a <= 1 and (b <= 2 or c <= 3)", "a <= 1 and (b <= 2 or c <= 3)"),
        ("a <= 1 or b <= 2 and c <= 3", "a <= 1 or b <= 2 and c <= 3"),
        ("(a <= 1)", "a <= 1"),
        ("days <= inf", "days <= inf"),
        ("days >= -inf", "days >= -inf"),
        ("days <= -30", "days <= -30"),
        ("days <= 1e3", "days <= 1000"),
        ("grade == 'it\\'s'", 'grade == "it\'s"'),
        ("vip == True", "vip == True"),
        ("grade == 'a  b # c'", "grade == 'a  b # c'"),
        ("金额 >= 100", "金额 >= 100"),
    ],
)
def test_rules_as_text(text: str, found: str) -> None:
    assert str(parse(text)) == found


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "days", "30", "days <=", "<= 30", "days <= 30 and", "days <= 30 days", "a < b",
        "30 >= days", "90 >= days >= 31", "31 <= days >= 90", "days = 30", "days =< 30", "1 <= 2",
        "days <= 30 if x else 2", "f(days) <= 30", "days <= f(30)", "days.x <= 30", "days[0] <= 3",
        "lambda: 3", "days <= __import__('os').system('true')", "[x for x in days]", "days <= {1}",
        "days in [1, 2]", "days is gone", "days is not missing", "days <= nan", "days <= None",
        "days <= ...", "days <= b'x'", "days <= 3j", "days + 1 <= 3", "a <= 1 & b <= 2",
        "a <= b <= c <= d", "days <= 30;", "\0", "days <= '", "class <= 3",
        "(" * 3000, "not " * 5000 + "a <= 1", "a <= " + "9" * 5000,
    ],
    ids=range(42),
)  # fmt: skip
def test_text_that_is_no_rule(text: str) -> None:
    with refused(UnreadableTextError, "rule") as caught:
        parse(text)
    assert "days_since_purchase <= 30" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("3 <= days <= 1", InvalidValueError),
        ("days == ''", InvalidValueError),
        ("missing <= 3", InvalidValueError),
        ("days <= 'x'", WrongTypeError),
        ("days <= True", WrongTypeError),
        ("days in ()", WrongTypeError),
        ("days in 3", WrongTypeError),
        ("days <= -'x'", WrongTypeError),
    ],
)
def test_text_of_a_limit_that_cannot_be(text: str, kind: type[RetentionError]) -> None:
    with refused(kind):
        parse(text)


@given(st.text(max_size=30) | st.text("days <=0123'()andorntisim", max_size=30))
def test_any_text_is_a_rule_or_an_error_of_the_library(text: str) -> None:
    try:
        rule = parse(text)
    except RetentionError as error:
        check(error)
    else:
        assert parse(str(rule)) == rule


def test_the_column_of_the_mistake_is_said() -> None:
    with refused(UnreadableTextError, given='"f(x)" at column 24'):
        parse("days <= 3 and orders < f(x)")
