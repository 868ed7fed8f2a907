"""Outcomes of many customers: counts, totals, reasons, movement."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.errors import GapError, UnknownNameError
from retention.mechanisms.outcomes import Outcomes
from retention.mechanisms.periods import AsOf, zone_of
from retention.mechanisms.rules import parse
from tests.refusals import refused

DAY = AsOf.at(date(2024, 6, 30), zone_of("Asia/Shanghai"))
TABLE = FirstMatch(
    (Case("small", parse("days <= 30")), Case("middle", parse("days <= 90"))), otherwise="large"
)


def of(days: dict[Any, float], **more: list[float]) -> Outcomes[str]:
    customers = np.array(
        list(days) or [], "U5" if not days or isinstance(next(iter(days)), str) else None
    )
    columns = {"days": np.array(list(days.values()))} | {k: np.array(v) for k, v in more.items()}
    return Outcomes.of(TABLE, customers, columns, DAY)


FOUR = of({"a": 3, "b": 70, "c": 5, "d": 31}, spend=[2**60 + 1, 5, 2**60, 7])


def test_counts_hold_every_outcome_in_order() -> None:
    assert FOUR.counts() == {"small": 2, "middle": 2, "large": 0}
    assert list(FOUR.counts()) == ["small", "middle", "large"]
    assert len(FOUR) == 4


def test_totals_are_exact() -> None:
    assert FOUR.totals("spend") == {"small": 2**61 + 1, "middle": 12, "large": 0}
    assert of({"a": 1, "b": 2}, share=[0.5, 0.25]).totals("share")["small"] == 0.75


def test_nobody() -> None:
    nobody = of({})
    assert len(nobody) == 0
    assert nobody.counts() == {"small": 0, "middle": 0, "large": 0}
    assert nobody.totals("days") == {"small": 0, "middle": 0, "large": 0}
    assert list(nobody.decisions()) == []
    assert nobody.compare(nobody).counts() == {}
    assert nobody.compare(nobody).text() == ""


def test_one_customer() -> None:
    one = of({"a": 3})
    assert one.explain("a") == "small: days 3 is <= 30"
    assert one.members("small").tolist() == ["a"]


def test_members_and_decisions() -> None:
    assert FOUR.members("middle").tolist() == ["b", "d"]
    assert FOUR.members("large").tolist() == []
    assert FOUR.decision("b").outcome == "middle"
    assert FOUR.row_of("c") == 2
    assert FOUR.explain("b") == "middle: days 70 is <= 90; not small: days 70 is not <= 30"
    assert [(name, str(x.outcome)) for name, x in FOUR.decisions()] == [
        ("a", "small"), ("b", "middle"), ("c", "small"), ("d", "middle"),
    ]  # fmt: skip


def test_customers_may_be_numbers() -> None:
    seven = of({7: 3, 9: 70})
    assert seven.decision(9).outcome == "middle"
    assert [name for name, _ in seven.decisions()] == [7, 9]
    with refused(UnknownNameError, "customer", given=8):
        seven.decision(8)


@pytest.mark.parametrize(
    ("ask", "where", "given", "nearest"),
    [
        (lambda: FOUR.decision("z"), "customer", "z", None),
        (lambda: FOUR.row_of("z"), "customer", "z", None),
        (lambda: FOUR.explain("z"), "customer", "z", None),
        (lambda: FOUR.column("day"), "Outcomes.column", "day", "days"),
        (lambda: FOUR.totals("spent"), "Outcomes.column", "spent", "spend"),
        (lambda: FOUR.members("smal"), "outcome", "smal", "small"),
    ],
    ids=range(6),
)
def test_what_is_not_there(ask: Any, where: str, given: object, nearest: str | None) -> None:  # noqa: ANN401
    with refused(UnknownNameError, where, given=given) as caught:
        ask()
    assert isinstance(caught.value, UnknownNameError)
    assert caught.value.nearest == nearest


def test_a_missing_value_is_none_and_a_whole_day_is_whole() -> None:
    found = of({"a": np.nan, "b": 70.0, "c": 0.5})
    assert found.decision("a").row == {"days": None}
    assert found.explain("a").startswith("large: no other case holds; not small: days is missing")
    row = found.decision("b").row
    assert (row["days"], type(row["days"])) == (70, int)
    assert found.decision("c").row == {"days": 0.5}


def test_plain_columns() -> None:
    found = FOUR.to_columns()
    assert list(found) == ["customer", "outcome", "days", "spend"]
    assert found["outcome"].tolist() == ["small", "middle", "small", "middle"]
    assert found["spend"].tolist() == [2**60 + 1, 5, 2**60, 7]


def test_what_was_left_out_and_set_aside_is_told() -> None:
    problem = Problem(Code.NO_TIME, (3,), "NaT", "a time")
    found = Outcomes.of(TABLE, FOUR.customers, FOUR.columns, DAY, left_out=2, problems=[problem])
    assert (found.left_out, found.problems, found.as_of) == (2, (problem,), DAY)


def test_a_gap_is_an_error() -> None:
    whole = FirstMatch((Case("a", parse("days <= 30")), Case("b", parse("days > 30"))))
    with refused(GapError, "FirstMatch"):
        Outcomes.of(whole, np.array(["a"]), {"days": np.array([np.nan])}, DAY)


# --- movement -------------------------------------------------------------------------------------


@pytest.mark.rule("D-06")
def test_who_moved() -> None:
    before = of({"a": 3, "b": 70, "c": 5, "e": 99})
    moved = FOUR.compare(before)
    assert moved.counts() == {
        ("small", "small"): 2, ("middle", "middle"): 1, ("large", None): 1, (None, "middle"): 1,
    }  # fmt: skip
    assert moved.movers("small", "small").tolist() == ["a", "c"]
    assert moved.movers(None, "middle").tolist() == ["d"]
    assert moved.movers("large", None).tolist() == ["e"]
    assert moved.movers("small", "large").tolist() == []
    assert sorted(line.split(maxsplit=1)[1] for line in moved.text().splitlines()) == [
        "(unknown) -> middle", "large -> (unknown)",
    ]  # fmt: skip


outcomes = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([3, 70, 99]), max_size=8)


@given(outcomes, outcomes)
def test_movement_is_what_a_join_says(then: dict[str, float], now: dict[str, float]) -> None:
    before, after = (of(dict(sorted(x.items()))) for x in (then, now))
    moved = after.compare(before)
    name = {3: "small", 70: "middle", 99: "large", None: None}
    pairs = [(name[then.get(x)], name[now.get(x)]) for x in sorted(then | now)]  # type: ignore[index]
    assert moved.counts() == {pair: pairs.count(pair) for pair in pairs}
    for pair in pairs:
        found = [x for x, other in zip(sorted(then | now), pairs, strict=True) if other == pair]
        assert moved.movers(*pair).tolist() == found
    assert sum(moved.counts().values()) == len(then | now)
