"""Logs of many customers: what is kept, what is set aside, what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retention import History, Interaction, Purchase, Return
from retention.identifiers import encode
from retention.logs import InteractionLog, PurchaseLog, Returns, Times
from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.errors import (
    InvalidValueError,
    MixedCurrenciesError,
    NaiveInstantError,
    RetentionError,
    UnequalColumnsError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.periods import AsOf, When, day_number, local_date
from tests.refusals import refused

DAY = date(2024, 6, 30)
SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
SECONDS = np.array(["2024-01-01T00:00", "2024-01-02T00:00"], "datetime64[s]")
TWO: dict[str, Any] = {"customer": ["a", "b"], "at": [DAY, DAY], "amount": [1.0, 2.0]}


def log(**columns: object) -> PurchaseLog:
    return PurchaseLog.from_columns(**TWO | columns)


# --- rows that are set aside ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"at": np.array(["2024-06-30", "NaT"], "datetime64[D]")}, (Code.NO_TIME, (1,), "NaT")),
        (
            {"at": np.array(["NaT", "NaT"], "datetime64[ns]"), "utc": True},
            (Code.NO_TIME, (0, 1), "NaT"),
        ),
        ({"at": [None, DAY]}, (Code.NO_TIME, (0,), "NaT")),
        ({"at": [datetime(2024, 1, 1, tzinfo=UTC), None]}, (Code.NO_TIME, (1,), "NaT")),
        ({"amount": [1.0, float("nan")]}, (Code.NOT_FINITE, (1,), "nan")),
        ({"amount": [float("inf"), -float("inf")]}, (Code.NOT_FINITE, (0, 1), "inf")),
        ({"amount": [1.0, 1e18]}, (Code.NOT_FINITE, (1,), "1e+18")),
        ({"amount": [-2.0, 1.0]}, (Code.NEGATIVE_AMOUNT, (0,), "-200")),
        ({"amount": None, "amount_minor": [1, -2]}, (Code.NEGATIVE_AMOUNT, (1,), "-2")),
        ({"customer": ["a", ""]}, (Code.NO_CUSTOMER, (1,), "")),
        ({"order": ["x", "x"]}, (Code.DUPLICATE_ORDER, (1,), "x")),
        ({"order": [7, 7]}, (Code.DUPLICATE_ORDER, (1,), "7")),
    ],
    ids=range(12),
)
def test_a_bad_row_is_set_aside_with_its_number(
    columns: dict[str, Any], problem: tuple[Code, tuple[int, ...], str]
) -> None:
    found = log(**columns)
    code, rows, given = problem
    (told,) = found.problems
    assert (told.code, told.rows, told.given) == problem
    assert told.allowed
    assert code.label() in told.text("en")
    assert code.zh in told.text("zh")
    assert len(found) == 2 - len(rows)
    assert given in str(told)


def test_every_problem_is_told_and_a_row_is_set_aside_once() -> None:
    found = PurchaseLog.from_columns(
        customer=["a", "", "c", "d", "e"],
        at=np.array(["2024-01-01", "NaT", "NaT", "2024-01-04", "2024-01-05"], "datetime64[D]"),
        amount=[1.0, float("nan"), 2.0, -1.0, 5.0],
        order=["1", "1", "3", "", ""],
    )
    assert {each.code: each.rows for each in found.problems} == {
        Code.NO_CUSTOMER: (1,),
        Code.NO_TIME: (1, 2),
        Code.NOT_FINITE: (1,),
        Code.NEGATIVE_AMOUNT: (3,),
        Code.DUPLICATE_ORDER: (1,),
    }
    assert found.customers.tolist() == ["a", "e"]
    assert found.amounts_minor.tolist() == [100, 500]


def test_negative_amounts_are_returns_if_you_say_so() -> None:
    found = log(amount=[5.0, -2.0], customer=["a", "a"], returns="net")
    assert (found.problems, found.has_returns) == ((), True)
    history = found.history("a")
    assert [x.amount_minor for x in history.purchases] == [500]
    assert [x.amount_minor for x in history.returns] == [200]
    assert not log(returns=Returns.NET).has_returns


def test_empty_orders_are_none() -> None:
    assert log(order=["", ""]).problems == ()
    assert log(order=["x", ""]).problems == ()


# --- columns that are no log ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "error", "where"),
    [
        ({"amount": [1.0]}, UnequalColumnsError, "log"),
        ({"at": [DAY]}, UnequalColumnsError, "log"),
        ({"customer": "a"}, UnequalColumnsError, "log"),
        ({"amount": [[1.0], [2.0]]}, UnequalColumnsError, "log"),
        ({"order": ["x"]}, UnequalColumnsError, "log"),
        ({"customer": np.array(["a", None], object)}, WrongTypeError, "customer"),
        ({"customer": [1.0, 2.0]}, WrongTypeError, "customer"),
        ({"customer": [True, False]}, WrongTypeError, "customer"),
        ({"amount": [True, False]}, WrongTypeError, "amount"),
        ({"amount": ["1", "2"]}, WrongTypeError, "amount"),
        ({"amount": np.array([1.0, None], object)}, WrongTypeError, "amount"),
        ({"amount": None, "amount_minor": [1.0, 2.0]}, WrongTypeError, "amount_minor"),
        (
            {"amount": None, "amount_minor": np.array([1, None], object)},
            WrongTypeError,
            "amount_minor",
        ),
        ({"amount_minor": [1, 2]}, InvalidValueError, "amount"),
        ({"amount": None}, InvalidValueError, "amount"),
        ({"at": [datetime(2024, 1, 1), DAY]}, NaiveInstantError, "at"),
        (
            {"at": np.array(["2024-01-01T00:00", "2024-01-02T00:00"], "datetime64[s]")},
            NaiveInstantError,
            "at",
        ),
        (
            {"at": np.array([], "datetime64[s]"), "customer": np.array([], "U"), "amount": []},
            NaiveInstantError,
            "at",
        ),
        ({"at": ["2024-01-01", "2024-01-02"]}, WrongTypeError, "at"),
        ({"at": np.array(["2024-01-01", "2024-01-02"])}, WrongTypeError, "at"),
        ({"at": np.array([19000, 19001])}, WrongTypeError, "at"),
        ({"at": [DAY, datetime(2024, 1, 1, tzinfo=UTC)]}, WrongTypeError, "at"),
        ({"currency": ["EUR", "CNY"]}, MixedCurrenciesError, "log"),
    ],
    ids=range(23),
)
def test_columns_that_cannot_be_a_log(
    columns: dict[str, Any], error: type[RetentionError], where: str
) -> None:
    with refused(error, where):
        log(**columns)


def test_unequal_columns_say_their_lengths() -> None:
    with pytest.raises(UnequalColumnsError) as caught:
        log(amount=[1.0])
    given = caught.value.given
    assert isinstance(given, dict)
    assert (given["customer"], given["at"], given["amount"]) == (2, 2, 1)


def test_a_row_that_was_set_aside_has_no_currency() -> None:
    assert log(currency=["CNY", "EUR"], order=["x", "x"]).currency == "CNY"
    assert log(currency="CNY").currency == "CNY"
    assert log(currency=["CNY", "CNY"]).currency == "CNY"


# --- amounts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amounts", "digits", "minor"),
    [
        ([12.5, 0.0], 2, [1250, 0]),
        ([0.125, 0.375], 2, [12, 38]),  # half to even
        ([1.5, 2.5], 0, [2, 2]),
        ([1.2345, 2.0], 3, [1234, 2000]),
        ([3, 4], 2, [300, 400]),
    ],
)
def test_amounts_become_minor_units(amounts: list[float], digits: int, minor: list[int]) -> None:
    assert log(amount=amounts, minor_digits=digits).amounts_minor.tolist() == minor


def test_whole_minor_units_are_exact() -> None:
    exact = [2**62 + 1, 2**53 + 1]
    assert log(amount=None, amount_minor=exact).amounts_minor.tolist() == exact


def test_the_columns_are_not_changed() -> None:
    amounts, ids = np.array([1.0, -2.0]), np.array(["b", "a"])
    log(amount=amounts, customer=ids, returns="net")
    assert amounts.tolist() == [1.0, -2.0]
    assert ids.tolist() == ["b", "a"]


# --- times ----------------------------------------------------------------------------------------


zones = st.sampled_from([SHANGHAI, BERLIN, ZoneInfo("America/Sao_Paulo"), ZoneInfo("UTC")])
instants = st.datetimes(datetime(1985, 1, 1), datetime(2030, 1, 1), timezones=zones)
as_ofs = instants | st.dates(date(1985, 1, 1), date(2030, 1, 1))


# A minute after midnight of the 7th it is the evening of the 6th once more.
_TWICE = [datetime(2010, 11, 7, 2, minute, 30, tzinfo=UTC) for minute in (20, 30, 40)]


@given(st.lists(instants, max_size=6), zones)
@example(_TWICE, ZoneInfo("America/St_Johns"))
def test_days_of_instants_are_local(when: list[datetime], zone: ZoneInfo) -> None:
    found = PurchaseLog.from_columns(
        customer=np.zeros(len(when), int), at=when, amount_minor=np.zeros(len(when), int)
    )
    expected = [day_number(local_date(x, zone)) for x in when]
    assert found.times.days(zone).tolist() == expected


@pytest.mark.rule("RC-01")
@given(
    st.lists(instants, max_size=6), instants | st.dates(date(1985, 1, 1), date(2030, 1, 1)), zones
)
def test_known_rows_are_those_that_the_point_of_view_knows(
    when: list[datetime],
    at: When,
    zone: ZoneInfo,
) -> None:
    as_of = AsOf.at(at, zone)
    found = PurchaseLog.from_columns(
        customer=np.zeros(len(when), int), at=when, amount_minor=np.arange(len(when))
    )
    known = found.amounts_minor[found.times.known(as_of)].tolist()
    assert known == [n for n, x in enumerate(when) if as_of.knows(x)]


def test_columns_of_instants_in_utc() -> None:
    edge = np.array(["2024-06-30T15:59:59", "2024-06-30T16:00:00"], "datetime64[s]")
    times = log(at=edge, utc=True).times
    assert times.days(SHANGHAI).tolist() == [day_number(DAY), day_number(DAY) + 1]
    assert times.days(BERLIN).tolist() == [day_number(DAY)] * 2


def test_times_know_whether_they_rise() -> None:
    assert Times(np.array([1, 1, 2]), are_days=True).rising
    assert not Times(np.array([2, 1]), are_days=True).rising
    assert Times(np.array([], np.int64), are_days=True).rising


# --- facts and histories --------------------------------------------------------------------------


def test_facts_become_a_log_and_again_facts() -> None:
    facts: list[Purchase | Return] = [
        Purchase("b", DAY, 5, currency="CNY"),
        Return("b", DAY, 2, currency="CNY"),
        Purchase("a", DAY - timedelta(days=1), 2**62, currency="CNY"),
    ]
    found = PurchaseLog.of(facts)
    assert (len(found), found.currency, found.problems) == (3, "CNY", ())
    for name in ("a", "b"):
        history = found.history(name)
        mine = [x for x in facts if x.customer == name]
        money: list[Purchase | Return] = [*history.purchases, *history.returns]
        assert [(type(x), x.at, x.amount_minor) for x in money] == [
            (type(x), x.at, x.amount_minor) for x in mine
        ]


def test_histories_of_both_logs() -> None:
    others = InteractionLog.of([Interaction("b", DAY, "login"), Interaction("z", DAY, "call")])
    found = dict(log().histories(others))
    assert list(found) == ["a", "b", "z"]
    assert [len(x.interactions) for x in found.values()] == [0, 1, 1]
    assert found["z"] == History("z", interactions=[Interaction("z", DAY, "call")])
    assert log().history("b", others) == found["b"]
    assert dict(log().histories()).keys() == {"a", "b"}


def test_a_stranger_has_no_history() -> None:
    with refused(UnknownNameError, "customer", given="z", allowed="a customer of this log"):
        log().history("z")
    assert InteractionLog.of([]).of_customer("z") == ()


def test_nobody() -> None:
    nobody = PurchaseLog.of([])
    assert (len(nobody), nobody.problems) == (0, ())
    assert repr(nobody) == "PurchaseLog(0 rows, 0 customers)"
    assert repr(InteractionLog.of([])) == "InteractionLog(0 rows, 0 customers)"
    assert nobody.times.known(AsOf.at(DAY, SHANGHAI)) == slice(None)


def test_a_log_shows_nobody() -> None:
    assert "a" not in repr(log(customer=["Zoë", "Zoë"])).split("(")[1].replace("rows", "")
    assert repr(log()) == "PurchaseLog(2 rows, 2 customers)"


# --- interactions ---------------------------------------------------------------------------------


def test_interactions_as_columns() -> None:
    found = InteractionLog.from_columns(
        customer=["b", "a", "", "b"],
        at=[DAY, None, DAY, DAY],
        kind=["login", "call", "call", "browse"],
    )
    assert found.problems == (
        Problem(Code.NO_CUSTOMER, (2,), "", "an identifier"),
        Problem(Code.NO_TIME, (1,), "NaT", "a time in every row"),
    )
    assert [str(x.kind) for x in found.of_customer("b")] == ["login", "browse"]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("columns", "error", "where", "given"),
    [
        ({"kind": ["lgin"]}, UnknownNameError, "kind", "lgin"),
        ({"kind": ["login", "call"]}, UnequalColumnsError, "log", None),
        ({"customer": np.array([None], object)}, WrongTypeError, "customer", None),
        ({"at": [datetime(2024, 1, 1)]}, NaiveInstantError, "at", datetime(2024, 1, 1)),
    ],
    ids=range(4),
)
def test_interactions_that_cannot_be_a_log(
    columns: dict[str, Any], error: type[RetentionError], where: str, given: object
) -> None:
    whole: dict[str, Any] = {"customer": ["a"], "at": [DAY], "kind": ["login"]}
    with refused(error, where) as caught:
        InteractionLog.from_columns(**whole | columns)
    assert given is None or caught.value.given == given


# --- identifiers ----------------------------------------------------------------------------------


@given(
    st.lists(st.integers(-3, 3) | st.integers(0, 5000), max_size=30)
    | st.lists(st.text("ab金", min_size=1, max_size=3), min_size=1, max_size=10)
)
def test_customers_are_encoded_once(ids: list[Any]) -> None:
    customers, codes = encode(np.array(ids, None if ids and isinstance(ids[0], str) else np.int64))
    assert customers.tolist() == sorted(set(ids))
    assert [customers[code] for code in codes] == ids


@pytest.mark.parametrize("dtype", ["uint8", "int32", "uint32"])
def test_numbers_of_any_width_are_identifiers(dtype: str) -> None:
    found = log(customer=np.array([200, 7], dtype))
    assert found.customers.tolist() == [7, 200]
    assert found.history(200).customer == 200
