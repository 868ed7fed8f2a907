"""Summaries of logs: equal to the measures of each customer, mergeable, exact."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention import History, Interaction, InteractionKind, Purchase, PurchaseLog, Return
from retention.clv import clv_summary
from retention.logs import InteractionLog
from retention.measures import measured
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    UnknownMeasureError,
    UnpinnedPolicyError,
)
from retention.mechanisms.periods import AsOf, When
from retention.summaries import Attributes, Summary, sums
from tests.refusals import refused

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2024, 6, 30)
AS_OF = AsOf.at(DAY, SHANGHAI)
NAMES = [
    "purchases", "purchases_30d", "purchases_6mo", "spend_minor", "spend_minor_1y",
    "days_since_purchase", "days_since_first_purchase", "purchases_per_month_3mo",
    "interactions_30d", "days_since_interaction", "logins_each_week_2w", "logins_each_7d_2w",
    "interactions_latest_30d", "interactions_preceding_30d",
]  # fmt: skip
MERGE = [name for name in NAMES if not name.startswith("logins_each")]

zones = st.sampled_from(
    [SHANGHAI, ZoneInfo("Europe/Berlin"), ZoneInfo("America/Sao_Paulo"), ZoneInfo("UTC")]
)
near = st.dates(date(2023, 1, 1), date(2024, 9, 1))
around = st.datetimes(datetime(2018, 2, 10), datetime(2018, 11, 10), timezones=zones)
names = st.sampled_from("abc")


def facts(times: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[list[Any], list[Any]]]:
    money = st.builds(Purchase, names, times, st.integers(0, 2**55)) | st.builds(
        Return, names, times, st.integers(1, 2**55)
    )
    others = st.builds(Interaction, names, times, st.sampled_from(InteractionKind))
    return st.tuples(st.lists(money, max_size=8), st.lists(others, max_size=8))


def history(name: str, money: list[Any], others: list[Any]) -> History:
    mine = [x for x in money if x.customer == name]
    return History(
        name,
        [x for x in mine if isinstance(x, Purchase)],
        [x for x in others if x.customer == name],
        [x for x in mine if isinstance(x, Return)],
    )


def agree(money: list[Any], others: list[Any], as_of: AsOf) -> None:
    summary = Summary.of(NAMES, PurchaseLog.of(money), InteractionLog.of(others), as_of=as_of)
    columns = summary.columns()
    known = [x for x in (*money, *others) if as_of.knows(x.at)]
    assert summary.customers.tolist() == sorted({x.customer for x in known})
    assert summary.left_out == len(money) + len(others) - len(known)
    for row, name in enumerate(summary.customers.tolist()):
        one = measured(history(name, money, others), NAMES, as_of)
        many = {each: columns[each][row].item() for each in NAMES}
        assert {k: None if v != v else v for k, v in many.items()} == one  # noqa: PLR0124


@given(facts(near), near)
def test_columns_of_days_equal_the_measures_of_each_customer(
    found: tuple[list[Any], list[Any]], day: date
) -> None:
    agree(*found, AsOf.at(day, SHANGHAI))


@given(facts(around), around | st.dates(date(2018, 2, 10), date(2018, 11, 10)), zones)
def test_columns_of_instants_equal_the_measures_of_each_customer(
    found: tuple[list[Any], list[Any]],
    at: When,
    zone: ZoneInfo,
) -> None:
    agree(*found, AsOf.at(at, zone))


@given(facts(near), near)
def test_rows_in_the_order_of_time_get_the_same_answers(
    found: tuple[list[Any], list[Any]], day: date
) -> None:
    money, others = (sorted(x, key=lambda fact: fact.at) for x in found)
    agree(money, others, AsOf.at(day, SHANGHAI))


@given(facts(near), facts(near), near)
def test_the_summary_of_a_union_is_the_merge_of_the_summaries(
    one: tuple[list[Any], list[Any]], other: tuple[list[Any], list[Any]], day: date
) -> None:
    as_of = AsOf.at(day, SHANGHAI)

    def summary(money: list[Any], others: list[Any]) -> Summary:
        return Summary.of(MERGE, PurchaseLog.of(money), InteractionLog.of(others), as_of=as_of)

    merged = summary(*one).merge(summary(*other))
    whole = summary(one[0] + other[0], one[1] + other[1])
    assert merged.customers.tolist() == whole.customers.tolist()
    assert merged.left_out == whole.left_out
    for name in MERGE:
        np.testing.assert_array_equal(merged.column(name), whole.column(name))


def log(*rows: tuple[Any, date, int]) -> PurchaseLog:
    return PurchaseLog.of([Purchase(*row) for row in rows])


# --- sums -----------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(-(2**58), 2**58) | st.integers(-9, 9)), max_size=20
    )
)
def test_sums_are_exact_beyond_what_a_float_holds(rows: list[tuple[int, int]]) -> None:
    codes = np.array([code for code, _ in rows], np.intp)
    amounts = np.array([amount for _, amount in rows], np.int64)
    expected = [sum(amount for code, amount in rows if code == n) for n in range(4)]
    assert sums(codes, amounts, 4).tolist() == expected


def test_spend_is_exact_beyond_2_to_the_53() -> None:
    rows = [("a", DAY, 2**53 + 1), ("a", DAY, 1), ("b", DAY, 2**60 + 1)]
    summary = Summary.of(["spend_minor"], log(*rows), as_of=AS_OF)
    assert summary.column("spend_minor").tolist() == [2**53 + 2, 2**60 + 1]


# --- who is in it ---------------------------------------------------------------------------------


def test_facts_after_the_day_are_left_out_and_counted() -> None:
    later = DAY + timedelta(days=1)
    summary = Summary.of(
        ["purchases"], log(("a", DAY, 1), ("a", later, 1), ("b", later, 1)), as_of=AS_OF
    )
    assert (summary.customers.tolist(), summary.left_out) == (["a"], 2)
    assert summary.column("purchases").tolist() == [1]


def test_listed_customers_are_in_even_without_a_fact() -> None:
    rows = log(("b", DAY, 1), ("c", DAY + timedelta(days=1), 1))
    summary = Summary.of(
        ["purchases", "days_since_purchase"], rows, as_of=AS_OF, customers=["z", "b", "a", "a"]
    )
    assert summary.customers.tolist() == ["a", "b", "z"]
    assert summary.column("purchases").tolist() == [0, 1, 0]
    assert str(summary.column("days_since_purchase").tolist()) == "[nan, 0.0, nan]"


def test_nobody_and_one() -> None:
    nobody = Summary.of(NAMES, PurchaseLog.of([]), InteractionLog.of([]), as_of=AS_OF)
    assert (len(nobody), nobody.left_out) == (0, 0)
    assert all(column.tolist() == [] for column in nobody.columns().values())
    one = Summary.of(["purchases"], log(("a", DAY, 5)), as_of=AS_OF)
    assert len(one) == 1
    assert nobody.names == tuple(NAMES)


def test_only_interactions() -> None:
    others = InteractionLog.of([Interaction("x", DAY, InteractionKind.CALL)])
    summary = Summary.of(["purchases", "interactions"], PurchaseLog.of([]), others, as_of=AS_OF)
    assert summary.customers.tolist() == ["x"]
    assert [summary.column(x).tolist() for x in summary.names] == [[0], [1]]


def test_customers_are_all_numbers_or_all_text() -> None:
    others = InteractionLog.of([Interaction(7, DAY, InteractionKind.CALL)])
    with refused(InvalidValueError, "customers"):
        Summary.of(["purchases"], log(("a", DAY, 1)), others, as_of=AS_OF)
    with refused(InvalidValueError, "customers"):
        Summary.of(["purchases"], log(("a", DAY, 1)), as_of=AS_OF, customers=[1, 2])


def test_problems_of_both_logs_are_kept() -> None:
    rows = PurchaseLog.from_columns(customer=["a", ""], at=[DAY, DAY], amount=[1, 1])
    others = InteractionLog.from_columns(customer=["a"], at=[None], kind=["call"])
    summary = Summary.of(["purchases"], rows, others, as_of=AS_OF)
    assert [problem.code for problem in summary.problems] == ["no_customer", "no_time"]


# --- what cannot be asked -------------------------------------------------------------------------


def test_a_share_is_not_a_column() -> None:
    summary = Summary.of(["spend_minor"], log(("a", DAY, 1)), as_of=AS_OF)
    with refused(UnpinnedPolicyError, given="spend_share"):
        summary.column("spend_share")
    with refused(UnknownMeasureError, given="spent"):
        summary.column("spent")


def test_only_the_same_summaries_merge() -> None:
    rows = log(("a", DAY, 1))
    one = Summary.of(["purchases"], rows, as_of=AS_OF)
    for other in (
        Summary.of(["spend_minor"], rows, as_of=AS_OF),
        Summary.of(["purchases"], rows, as_of=AsOf.at(date(2024, 6, 29), SHANGHAI)),
        Summary.of(["purchases"], rows, as_of=AsOf.at(DAY, ZoneInfo("UTC"))),
    ):
        with refused(InvalidValueError, "merge"):
            one.merge(other)


def test_a_run_does_not_merge() -> None:
    one = Summary.of(["purchases", "run_years"], log(("a", DAY, 1)), as_of=AS_OF)
    with refused(InvalidValueError, "merge", given="run_years"):
        one.merge(one)


# --- new facts ------------------------------------------------------------------------------------

HELD = ["purchases", "spend_minor", "days_since_purchase", "days_since_first_purchase"]
JULY = date(2024, 7, 5)


def brought(summary: Summary, *rows: Purchase | Return, as_of: When | None = None) -> Summary:
    return summary.updated(PurchaseLog.of(rows), as_of=as_of)


def test_new_facts_are_added() -> None:
    summary = Summary.of([*HELD, "purchases_30d"], log(("b", DAY, 7)), as_of=AS_OF)
    found = brought(
        summary,
        Purchase("b", date(2024, 1, 1), 5),  # backdated
        Return("b", DAY, 4),
        Purchase("a", date(2024, 6, 1), 9),  # a new customer, before the old one in the order
        Purchase("c", JULY, 1),  # not known yet
    )
    assert found.customers.tolist() == ["a", "b"]
    assert {name: column.tolist() for name, column in found.columns().items()} == {
        "purchases": [1, 2],
        "spend_minor": [9, 8],
        "days_since_purchase": [29, 0],
        "days_since_first_purchase": [29, 181],
        "purchases_30d": [1, 1],
    }
    assert (found.left_out, found.as_of) == (1, AS_OF)
    assert summary.column("spend_minor").tolist() == [7]  # the earlier one is not changed


def test_nothing_new_and_nothing_old() -> None:
    nobody = Summary.of(HELD, PurchaseLog.of([]), as_of=AS_OF)
    for found in (
        brought(nobody, Purchase("b", DAY, 7)),
        brought(brought(nobody), Purchase("b", DAY, 7)),
    ):
        assert (found.customers.tolist(), found.column("spend_minor").tolist()) == (["b"], [7])
    assert len(brought(nobody)) == 0


def test_the_point_of_view_moves() -> None:
    summary = Summary.of(HELD, log(("b", DAY, 7)), as_of=AS_OF, customers=["z"])
    found = brought(summary, Purchase("b", JULY, 5), as_of=JULY)
    assert found.as_of == AsOf.at(JULY, SHANGHAI)
    assert found.customers.tolist() == ["b", "z"]
    assert found.column("days_since_purchase").tolist()[0] == 0
    assert found.column("days_since_first_purchase").tolist()[0] == 5
    assert found.column("spend_minor").tolist() == [12, 0]


def test_full_weeks_stay_until_the_next_is_full() -> None:
    names = ["logins_each_week_2w"]
    login = Interaction("a", date(2024, 6, 25), InteractionKind.LOGIN)
    tuesday, thursday = date(2024, 6, 25), date(2024, 6, 27)
    none, others = PurchaseLog.of([]), InteractionLog.of([login])
    summary = Summary.of(names, none, others, as_of=AsOf.at(tuesday, SHANGHAI))
    assert len(summary.updated(none, as_of=thursday)) == 1
    with refused(InvalidValueError, "updated", given=names[0]):
        summary.updated(none, as_of=date(2024, 6, 30))


def test_a_window_that_moves_is_refused_by_name() -> None:
    summary = Summary.of([*HELD, "purchases_30d"], log(("b", DAY, 7)), as_of=AS_OF)
    with refused(InvalidValueError, "updated", given="purchases_30d") as caught:
        brought(summary, as_of=JULY)
    assert "summarise all rows as of 2024-07-05" in str(caught.value)
    assert len(brought(summary, as_of=DAY)) == 1  # the day itself moves nothing
    run = Summary.of(["purchases", "run_years"], log(("b", DAY, 7)), as_of=AS_OF)
    with refused(InvalidValueError, "updated", given="run_years"):
        brought(run, Purchase("b", DAY, 7))


def test_the_point_of_view_does_not_go_back() -> None:
    noon = datetime(2024, 6, 30, 12, tzinfo=SHANGHAI)
    whole = Summary.of(HELD, log(("b", DAY, 7)), as_of=AS_OF)
    for earlier in (date(2024, 6, 29), noon):
        with refused(InvalidValueError, "as_of"):
            brought(whole, as_of=earlier)
    part = Summary.of(HELD, log(("b", DAY, 7)), as_of=AsOf.at(noon, SHANGHAI))
    assert brought(part, as_of=noon + timedelta(hours=1)).as_of.day == DAY
    assert brought(part, as_of=DAY).as_of == AS_OF
    with refused(InvalidValueError, "as_of"):
        brought(part, as_of=noon - timedelta(hours=1))


def test_what_was_left_out_cannot_come_back() -> None:
    summary = Summary.of(HELD, log(("b", DAY, 7), ("b", JULY, 7)), as_of=AS_OF)
    with refused(InvalidValueError, "left_out", given=1):
        brought(summary, as_of=JULY)


# --- attributes -----------------------------------------------------------------------------------


def test_attributes_stand_beside_measures() -> None:
    who = Attributes.from_columns(
        customer=["b", "a", "q"], industry=["retail", "banking", ""], stars=[1.0, 2.0, 3.0]
    )
    rows = log(("a", DAY, 1), ("b", DAY, 1), ("c", DAY, 1))
    summary = Summary.of(["purchases", "industry"], rows, as_of=AS_OF, attributes=who)
    assert summary.column("industry").tolist() == ["banking", "retail", ""]
    assert str(summary.column("stars").tolist()) == "[2.0, 1.0, nan]"
    assert summary.attributes_of(0) == {"industry": "banking", "stars": 2.0}
    assert Summary.of(["purchases"], rows, as_of=AS_OF).attributes_of(0) == {}
    with refused(UnknownMeasureError, "attribute", given="region"):
        summary.column("region")


def test_attributes_that_cannot_be() -> None:
    with refused(UnequalColumnsError, "attributes", given={"customer": 1, "stars": 2}):
        Attributes.from_columns(customer=["a"], stars=[1, 2])
    with refused(DuplicateError, "attributes.customer"):
        Attributes.from_columns(customer=["a", "a"], stars=[1, 2])
    nobody = Attributes.from_columns(customer=np.array([], "U1"), stars=np.array([], float))
    assert str(nobody.column("stars", np.array(["a"])).tolist()) == "[nan]"


# --- the summary that purchase models are fitted on -----------------------------------------------


def clv(rows: list[Purchase | Return], day: date) -> dict[Any, tuple[Any, ...]]:
    """The same in plain Python."""
    found = {}
    for name in sorted({x.customer for x in rows}, key=str):
        mine = [x for x in rows if x.customer == name and x.at <= day]
        days = sorted({x.at for x in mine if isinstance(x, Purchase)})
        if not days:
            continue
        later = [
            x.amount_minor if isinstance(x, Purchase) else -x.amount_minor
            for x in mine
            if x.at != days[0]
        ]
        repeats = len(days) - 1
        found[name] = (
            repeats,
            (days[-1] - days[0]).days,
            (day - days[0]).days,
            sum(later) / repeats if repeats else 0.0,
        )
    return found


days_of_june = st.dates(date(2024, 6, 1), date(2024, 6, 30))


@given(
    st.lists(
        st.builds(Purchase, names, days_of_june, st.integers(0, 10**6))
        | st.builds(Return, names, days_of_june, st.integers(1, 10**6)),
        max_size=12,
    ),
    days_of_june,
)
def test_the_clv_summary_is_what_plain_python_says(rows: list[Any], day: date) -> None:
    summary = clv_summary(PurchaseLog.of(rows), as_of=AsOf.at(day, SHANGHAI))
    customers, *columns = (column.tolist() for column in summary.to_columns().values())
    found = dict(zip(customers, zip(*columns, strict=True), strict=True))
    expected = clv(rows, day)
    assert {k: v[:3] for k, v in found.items()} == {k: v[:3] for k, v in expected.items()}
    assert [v[3] for v in found.values()] == pytest.approx([v[3] for v in expected.values()])
    assert summary.left_out == sum(x.at > day for x in rows)


def test_the_clv_summary_of_many_rows_on_few_days() -> None:
    codes = np.arange(4000) % 3
    at = np.datetime64("2024-06-01") + np.arange(4000) % 7
    for order in (np.arange(4000), np.argsort(at, kind="stable")):
        rows = PurchaseLog.from_columns(
            customer=codes[order], at=at[order], amount_minor=np.ones(4000, int)
        )
        summary = clv_summary(rows, as_of=AS_OF)
        assert summary.repeat_purchases.tolist() == [6, 6, 6]
        assert summary.age_days.tolist() == [29, 29, 29]


def test_the_clv_summary_of_nobody() -> None:
    summary = clv_summary(PurchaseLog.of([]), as_of=AS_OF)
    assert all(column.tolist() == [] for column in summary.to_columns().values())
    before = clv_summary(log(("a", DAY, 1)), as_of=AsOf.at(date(2024, 1, 1), SHANGHAI))
    assert (before.customers.tolist(), before.left_out) == ([], 1)
