"""Points of many accounts as columns: what each account is alone, and what an oracle finds."""

from __future__ import annotations

import random  # noqa: TID251  columns by the hundred, named by their seed
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention import point_columns, point_scans, point_shapes
from retention.identifiers import Identifiers
from retention.ledger import PointCurrency, PointsPolicy, Shortfall
from retention.lots import PeriodEnd, Validity
from retention.mechanisms.errors import (
    NaiveInstantError,
    UnequalColumnsError,
    UnknownNameError,
    WrongTypeError,
)
from retention.point_columns import Balances, Expiries
from retention.point_logs import PointsLog
from retention.points import Earn, Hold, Redeem
from retention.presets import membership
from retention.testing import laws
from retention.testing.laws.points import journey
from retention.testing.strategies.point_columns import log_of, made_entries, points_logs
from retention.testing.strategies.points import points_commands, points_policies
from tests.oracles.points import Ledger, Rules
from tests.refusals import refused

DAY = date(2024, 6, 1)
YEAR = PointsPolicy(validity=Validity(months=12))
BEGIN, END = date(2023, 12, 29), date(2026, 6, 1)


def entries(*rows: tuple[Any, ...], **more: object) -> PointsLog:
    """Rows of account, kind, time and points."""
    account, kind, at, points = map(list, zip(*rows, strict=True))
    said: dict[str, Any] = dict(more)
    return PointsLog.from_columns(account=account, kind=kind, at=at, points=points, **said)


def row(found: Balances, account: str = "a") -> dict[str, Any]:
    return next(each for each in found.to_rows() if each["account"] == account)


# --- laws ---------------------------------------------------------------------------------------


@pytest.mark.rule("E-14", "E-15")
@given(data=st.data())
def test_columns_of_entries_are_each_account_alone(data: st.DataObject) -> None:
    policy = data.draw(points_policies())
    log, day = data.draw(points_logs(policy)), data.draw(st.dates(BEGIN, END))
    laws.balance_equals_balances(policy, log, as_of=day)
    hour = data.draw(st.integers(0, 23))
    instant = datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC)
    laws.balance_equals_balances(policy, log, as_of=instant)


@pytest.mark.rule("E-14", "E-15")
@given(data=st.data())
def test_columns_of_facts_are_each_account_alone(data: st.DataObject) -> None:
    policy, logs = data.draw(points_policies()), {}
    for name in ("M-1", "M-2"):
        steps = list(journey(policy, data.draw(points_commands(policy))))
        logs[name] = steps[-1].log if steps else ()
    day = data.draw(st.dates(BEGIN, END))
    laws.balance_equals_balances(policy, PointsLog.of(logs), as_of=day)


@given(data=st.data())
def test_a_forecast_sums_to_the_balance(data: st.DataObject) -> None:
    policy = data.draw(points_policies())
    log, day = data.draw(points_logs(policy)), data.draw(st.dates(BEGIN, END))
    if "points" not in log.currency_names:
        return
    found = policy.balances(log, as_of=day)
    sums = found.sums
    for by in Expiries:
        forecast = found.forecast(by)
        for place, name in enumerate(found.accounts.tolist()):
            coming = int(forecast["points"][forecast["account"] == name].sum())
            parts = sums.available[place], sums.pending[place], found.held[place]
            assert coming == sum(map(int, parts))
    whole = found.totals()
    assert all(points >= 0 for points in whole.values())


@given(data=st.data())
def test_the_order_of_the_accounts_does_not_matter(data: st.DataObject) -> None:
    policy = data.draw(points_policies())
    columns = made_entries(policy, lambda low, high: data.draw(st.integers(low, high)), 15)
    # Rows of one account keep their order; accounts come in any.
    numbers = sorted(range(15), key=lambda n: (columns["account"][n][::-1], n), reverse=False)
    other = {name: [column[n] for n in numbers] for name, column in columns.items()}
    day = data.draw(st.dates(BEGIN, END))
    first, second = (policy.balances(log_of(x), as_of=day) for x in (columns, other))
    assert list(first.to_rows()) == list(second.to_rows())


@pytest.mark.deep
@pytest.mark.parametrize("block", range(5))
def test_ten_thousand_logs_are_each_account_alone(block: int) -> None:
    for seed in range(block * 2_000, (block + 1) * 2_000):
        choose = random.Random(seed)  # noqa: S311
        policy = _policy(choose)
        log = log_of(made_entries(policy, choose.randint, choose.randint(1, 40)))
        day = BEGIN + timedelta(days=choose.randint(0, 700))
        try:
            laws.balance_equals_balances(policy, log, as_of=day)
        except Exception as cause:
            cause.add_note(f"seed {seed}")
            raise


def _policy(choose: random.Random) -> PointsPolicy:
    pick = choose.choice
    points, miles = PointCurrency("points"), PointCurrency("miles")
    status = PointCurrency("status", redeemable=False, validity=Validity())
    return PointsPolicy(
        currencies=pick([(points,), (points, status), (points, miles)]),
        validity=pick(
            [
                Validity(),
                Validity(days=pick([1, 30, 60])),
                Validity(months=pick([1, 12]), until_end_of=pick(list(PeriodEnd))),
                Validity(days=pick([7, 30]), inactivity=True),
            ]
        ),
        pending_days=pick([0, 0, 8]),
        shortfall=pick(list(Shortfall)),
        zone=pick(["Asia/Shanghai", "America/New_York"]),
    )


# --- the oracle ---------------------------------------------------------------------------------


def _tell(oracle: Ledger, each: dict[str, Any], number: int) -> None:
    day, points, name = each["at"], each["points"], each["reference"]
    oracle.until(day)
    match each["kind"]:
        case "earn":
            oracle.earn(day, points, name or "entry", each["expires_on"])
        case "redeem":
            oracle.redeem(day, points, name or f"row {number}")
        case "hold":
            oracle.hold(day, points, name, each["until"])
        case "capture":
            oracle.capture(day, name, points or None)
        case "release":
            oracle.release(day, name)
        case "reverse_earning":
            oracle.reverse_earning(day, name, points or None)
        case "reverse_redemption":
            oracle.reverse_redemption(day, name, points or None)


KNOWN = {
    *("earn", "redeem", "hold", "capture", "release"),
    *("reverse_earning", "reverse_redemption"),
}


def compare_with_oracle(rules: Rules, columns: dict[str, Any], as_of: date) -> int:
    """Both have the same balances; returns how many points are available."""
    names = ("account", "kind", "at", "points", "reference", "expires_on", "until")
    given = zip(*(columns[name] for name in names), strict=True)
    rows: list[dict[str, Any]] = [dict(zip(names, x, strict=True)) for x in given]
    rows = [x for x in rows if x["kind"] in KNOWN and type(x["at"]) is date]
    policy = PointsPolicy(
        validity=Validity(
            days=rules.days,
            months=rules.months,
            until_end_of=PeriodEnd.MONTH if rules.month_end else PeriodEnd.NONE,
            inactivity=rules.inactivity,
        ),
        pending_days=rules.pending,
        shortfall=Shortfall(rules.shortfall),
        expired_counts_as_returned=rules.expired_counts,
        reinstatement_days=rules.reinstate,
    )
    log = log_of({name: [x[name] for x in rows] for name in names} if rows else {})
    found = policy.balances(log, as_of=as_of)
    for each in found.to_rows():
        oracle = Ledger(rules)
        mine = [(n, x) for n, x in enumerate(rows) if x["account"] == each["account"]]
        for number, one in sorted(mine, key=lambda pair: pair[1]["at"]):
            if one["at"] <= as_of:
                _tell(oracle, one, number)
        oracle.until(as_of)
        parts = tuple(each[x] for x in ("available", "pending", "held", "debt", "expired"))
        assert parts == oracle.balance(as_of), each
    return found.totals()[point_columns.PointState.AVAILABLE]


def _rules(choose: random.Random) -> Rules:
    pick = choose.choice
    days = pick([None, 1, 7, 30])
    months = None if days else pick([None, 1, 12])
    return Rules(
        days=days,
        months=months,
        month_end=bool(months) and pick([True, False]),
        inactivity=bool(days) and pick([True, False]),
        pending=pick([0, 0, 1, 8]),
        shortfall=pick(["debt", "clamp", "refuse"]),
        expired_counts=pick([True, False]),
        reinstate=pick([0, 5, 40]),
    )


@pytest.mark.rule("E-14", "E-15")
def test_an_oracle_that_moves_single_points_finds_the_same() -> None:
    available = 0
    for seed in range(400):
        choose = random.Random(seed)  # noqa: S311
        rules = _rules(choose)
        columns = made_entries(PointsPolicy(), choose.randint, 25)
        columns["usable_on"] = [None] * 25
        columns["currency"] = ["points"] * 25
        as_of = date(2024, 1, 1) + timedelta(days=choose.randint(0, 400))
        try:
            available += compare_with_oracle(rules, columns, as_of)
        except AssertionError as cause:
            cause.add_note(f"seed {seed}: {rules}")
            raise
    assert available > 1_000  # else the columns say nothing


# --- the rules, by hand ---------------------------------------------------------------------------


@pytest.mark.rule("E-15")
def test_the_soonest_to_expire_are_spent_first_whenever_they_came() -> None:
    log = entries(
        ("a", "earn", DAY, 50),
        ("a", "earn", DAY, 30),
        ("a", "redeem", DAY, 40),
        expires_on=[date(2025, 1, 1), date(2024, 7, 1), None],
    )
    found = YEAR.balances(log, as_of=DAY)
    lots = found.lots()
    assert (lots["lot"].tolist(), lots["remaining"].tolist()) == ([0], [40])
    assert lots["expires_on"].tolist() == [date(2025, 1, 1)]
    assert row(found)["next_expires_on"] == date(2025, 1, 1)


@pytest.mark.rule("E-15")
@pytest.mark.parametrize(
    ("earned", "validity", "last"),
    [
        (date(2020, 7, 6), Validity(months=12, until_end_of=PeriodEnd.MONTH), date(2021, 7, 31)),
        (date(2024, 2, 29), Validity(months=12), date(2025, 2, 28)),
        (date(2024, 1, 31), Validity(months=1), date(2024, 2, 29)),
        (date(2024, 2, 1), Validity(days=30), date(2024, 3, 2)),
    ],
)
def test_the_last_day_counts_and_the_next_does_not(
    earned: date, validity: Validity, last: date
) -> None:
    policy, log = PointsPolicy(validity=validity), entries(("a", "earn", earned, 50))
    on, after = (policy.balances(log, as_of=last + timedelta(days=n)) for n in (0, 1))
    assert (row(on)["available"], row(on)["expired"]) == (50, 0)
    assert row(on)["next_expires_on"] == last + timedelta(days=1)
    assert (row(after)["available"], row(after)["expired"]) == (0, 50)
    assert row(after)["next_expires_on"] is None


@pytest.mark.rule("E-14")
def test_a_redemption_above_the_balance_is_named_and_changes_nothing() -> None:
    log = entries(
        ("b", "earn", DAY, 5),
        ("a", "redeem", DAY, 10),
        ("a", "earn", DAY, 50),
        ("a", "redeem", DAY, 51),
        ("a", "redeem", DAY, 20),
    )
    found = YEAR.balances(log, as_of=DAY)
    assert (row(found)["available"], row(found)["redeemed"], found.one_by_one) == (30, 20, 1)
    (problem,) = found.problems
    assert (problem.code, problem.rows) == ("too_few_points", (1, 3))


def test_points_of_the_day_before_are_gone_with_the_evening_in_the_zone_of_the_policy() -> None:
    evening = datetime(2024, 6, 1, 16, 30, tzinfo=UTC)  # half past midnight of the 2nd, Shanghai
    policy = PointsPolicy(validity=Validity(days=1))
    log = entries(("a", "earn", evening, 50))
    assert row(policy.balances(log, as_of=date(2024, 6, 1)))["available"] == 0
    assert policy.balances(log, as_of=date(2024, 6, 1)).left_out == 1
    assert row(policy.balances(log, as_of=date(2024, 6, 3)))["available"] == 50
    assert row(policy.balances(log, as_of=date(2024, 6, 4)))["expired"] == 50
    before = evening - timedelta(minutes=1)
    assert policy.balances(log, as_of=before).left_out == 1


def test_clocks_that_go_back_over_midnight_send_an_account_the_other_way() -> None:
    policy = PointsPolicy(validity=Validity(days=30), zone="America/St_Johns")
    midnight = datetime(2010, 11, 7, 2, 30, 30, tzinfo=UTC)  # the 7th; a minute later the 6th
    log = entries(
        ("a", "earn", midnight - timedelta(days=1), 50),
        ("a", "earn", midnight, 50),
        ("a", "redeem", midnight + timedelta(minutes=9), 70),
        ("b", "earn", midnight, 5),
    )
    for day in (date(2010, 11, 6), date(2010, 11, 7), midnight, midnight + timedelta(hours=1)):
        laws.balance_equals_balances(policy, log, as_of=day)
    assert policy.balances(log, as_of=date(2010, 11, 7)).one_by_one == 1


def test_inactivity_starts_again_with_every_redemption() -> None:
    policy = PointsPolicy(validity=Validity(days=30, inactivity=True))
    log = entries(
        ("a", "earn", date(2024, 1, 1), 50),
        ("a", "redeem", date(2024, 1, 31), 10),
        ("b", "earn", date(2024, 1, 1), 50),
        ("b", "redeem", date(2024, 2, 1), 10),
    )
    found = policy.balances(log, as_of=date(2024, 3, 1))
    assert (row(found)["available"], row(found)["next_expires_on"]) == (40, date(2024, 3, 2))
    assert (row(found, "b")["available"], row(found, "b")["expired"]) == (0, 50)
    assert [problem.rows for problem in found.problems] == [(3,)]


def test_each_currency_stands_for_itself() -> None:
    status = PointCurrency("status", redeemable=False, validity=Validity())
    both = PointCurrency("points"), status
    policy = PointsPolicy(currencies=both, validity=Validity(days=1))
    log = entries(
        ("a", "earn", DAY, 50),
        ("a", "earn", DAY, 7),
        ("a", "redeem", DAY, 7),
        ("a", "earn", DAY, 9),
        currency=["points", "status", "status", "miles"],
    )
    later = DAY + timedelta(days=9)
    points, kept = (policy.balances(log, as_of=later, currency=x) for x in ("points", "status"))
    assert (row(points)["expired"], row(kept)["available"]) == (50, 7)
    assert [(str(x.code), x.rows) for x in kept.problems] == [
        ("unknown_currency", (3,)),
        ("not_possible", (2,)),
    ]
    with refused(UnknownNameError, "currency", given="stars"):
        policy.balances(log, as_of=later, currency="stars")


def test_accounts_that_break_the_shape_go_one_by_one() -> None:
    log = entries(
        ("a", "earn", DAY, 50),
        ("a", "hold", DAY, 20),
        ("b", "earn", DAY, 30),
        ("b", "redeem", DAY, 30),
        ("b", "reverse_earning", DAY, 0),
        ("c", "earn", DAY, 5),
        reference=["o-1", "h-1", "o-2", "r-1", "o-2", "o-3"],
    )
    found = YEAR.balances(log, as_of=DAY)
    assert found.one_by_one == 2
    assert (row(found)["available"], row(found)["held"]) == (30, 20)
    assert (row(found, "b")["debt"], row(found, "c")["available"]) == (30, 5)
    assert found.earned().tolist() == [50, 0, 5]
    assert found.forecast()["points"].tolist() == [30, 20, 5]  # what is held never comes back


def test_a_balance_that_is_taken_over_comes_first() -> None:
    log = entries(
        ("a", "open_balance", DAY, 50),
        ("a", "earn", DAY, 5),
        ("b", "earn", DAY, 5),
        ("b", "open_balance", DAY, 50),
    )
    found = YEAR.balances(log, as_of=DAY)
    assert [x["available"] for x in found.to_rows()] == [55, 5]
    assert found.earned().tolist() == [5, 5]
    assert [problem.rows for problem in found.problems] == [(3,)]


def test_points_that_are_pending_cannot_be_redeemed() -> None:
    policy = PointsPolicy(pending_days=8)
    log = entries(
        ("a", "earn", DAY, 50),
        ("a", "earn", DAY + timedelta(days=4), 9),
        ("a", "redeem", DAY + timedelta(days=8), 50),
    )
    found = policy.balances(log, as_of=DAY + timedelta(days=8))
    assert (row(found)["available"], row(found)["pending"], found.problems) == (0, 9, ())


def test_a_hundred_rows_of_mixed_expiries_go_one_by_one() -> None:
    ends = [DAY + timedelta(days=200 - n) for n in range(100)]
    log = entries(*[("a", "earn", DAY, 1)] * 100, expires_on=ends)
    found = YEAR.balances(log, as_of=DAY + timedelta(days=150))
    assert (row(found)["available"], row(found)["expired"], found.one_by_one) == (50, 50, 1)


def test_huge_points_and_small_blocks_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    most, rows = 2**40 - 1, list[tuple[Any, ...]]()
    for name in range(200):
        rows += [(f"M-{name:03}", "earn", DAY, most), (f"M-{name:03}", "redeem", DAY, most - name)]
    log = entries(*rows)
    wanted = list(range(200))
    assert YEAR.balances(log, as_of=DAY).sums.available.tolist() == wanted
    monkeypatch.setattr(point_scans, "ROWS", 7)
    found = YEAR.balances(log, as_of=DAY)
    assert (found.sums.available.tolist(), found.one_by_one) == (wanted, 0)
    monkeypatch.setattr(point_scans, "_MOST", 2**43)
    found = YEAR.balances(log, as_of=DAY)
    assert (found.sums.available.tolist(), found.one_by_one) == (wanted, 0)
    assert found.lots()["remaining"].tolist() == wanted[1:]
    monkeypatch.setattr(point_scans, "_MOST", 2**10)
    found = YEAR.balances(log, as_of=DAY)
    assert (found.sums.available.tolist(), found.one_by_one) == (wanted, 200)


def test_facts_of_accounts_become_rows_where_they_are_plain() -> None:
    policy, logs = YEAR, {}
    said: dict[str, Any] = {"at": DAY, "by": "ann"}
    plain = [Earn(50, "o-1", **said), Redeem(20, **said)]
    for name, commands in (("a", plain), ("b", [*plain, Hold(5, "h-1", **said)]), ("c", [])):
        account = policy.start(name)
        for command in commands:
            account = policy.decide(account, command).or_raise().state
        logs[name] = account.facts
    log = PointsLog.of(logs)
    found = policy.balances(log, as_of=DAY)
    assert (len(log), len(log.codes), found.one_by_one) == (5, 2, 1)
    assert found.sums.available.tolist() == [30, 25, 0]
    assert found.lots()["lot"].tolist() == [1, 1]
    assert policy.balances(log, as_of=DAY - timedelta(days=1)).left_out == 5
    assert len(PointsLog.of({}).accounts) == 0


def test_a_programme_is_the_front_door() -> None:
    log = entries(("a", "earn", DAY, 50))
    assert row(membership.programme.balances(log, as_of=DAY))["available"] == 50


# --- bad input ------------------------------------------------------------------------------------


def test_bad_rows_are_set_aside_by_number() -> None:
    log = entries(
        ("a", "earn", DAY, 50),
        ("a", "earn", DAY, 1.5),
        ("a", "earn", DAY, True),
        ("a", "earn", DAY, 0),
        ("a", "redeem", DAY, -5),
        ("", "earn", DAY, 5),
        ("a", "earn", None, 5),
        ("a", "spend", DAY, 5),
        ("a", "earn", DAY, 2**40),
        ("a", "earn", DAY, None),
        ("a", "hold", DAY, 5),
        ("a", "earn", DAY, 7),
        reference=[""] * 12,
        key=["k-1"] + [""] * 10 + ["k-1"],
    )
    assert [(str(x.code), x.rows) for x in log.problems] == [
        ("no_customer", (5,)),
        ("no_time", (6,)),
        ("unknown_kind", (7,)),
        ("not_whole", (1, 2, 9)),
        ("above_limit", (8,)),
        ("not_positive", (3, 4)),
        ("names_missing", (10,)),
        ("key_reused", (11,)),
    ]
    assert log.problems[2].given == "spend"
    found = YEAR.balances(log, as_of=DAY)
    assert (row(found)["available"], found.problems) == (50, log.problems)


@pytest.mark.rule("E-15")
def test_an_expiry_before_the_points_can_be_used_is_set_aside() -> None:
    log = entries(
        ("a", "earn", DAY, 50),
        ("a", "earn", DAY, 60),
        ("a", "earn", DAY, 70),
        expires_on=[DAY, DAY + timedelta(days=1), date(2024, 6, 5)],
        usable_on=[None, None, date(2024, 6, 5)],
    )
    found = YEAR.balances(log, as_of=DAY)
    assert row(found)["available"] == 60
    assert [(str(x.code), x.rows) for x in found.problems] == [("expires_too_soon", (0, 2))]


def test_columns_that_can_be_no_log_are_refused() -> None:
    with refused(UnequalColumnsError, "log"):
        PointsLog.from_columns(account=["a"], kind=["earn"], at=[DAY], points=[1, 2])
    for points in ([True], ["5"]):
        with refused(WrongTypeError, "points"):
            PointsLog.from_columns(account=["a"], kind=["earn"], at=[DAY], points=points)
    with refused(NaiveInstantError, "at"):
        entries(("a", "earn", datetime(2024, 6, 1), 5))
    with refused(WrongTypeError, "expires_on"):
        entries(("a", "earn", DAY, 5), expires_on=[datetime(2024, 7, 1, tzinfo=UTC)])


def test_points_may_come_as_floats_that_are_whole_and_ids_as_a_dictionary() -> None:
    log = PointsLog.from_columns(
        account=Identifiers.coded(customers=["b", "a"], codes=[1, 0, 1]),
        kind=Identifiers.coded(customers=["redeem", "earn"], codes=[0, 1, 1]),
        at=np.array(["2024-06-02", "2024-06-01", "2024-06-01"], "M8[D]"),
        points=np.array([20.0, 5.0, 50.0]),
    )
    assert YEAR.balances(log, as_of=date(2024, 6, 2)).sums.available.tolist() == [30, 5]
    assert log.to_columns()["kind"].tolist() == ["earn", "redeem", "earn"]
    plain: dict[str, Any] = log.to_columns()
    again = PointsLog.from_columns(**plain)
    assert again.to_columns()["points"].tolist() == [50, 20, 5]


def test_nothing_at_all_is_no_error() -> None:
    found = YEAR.balances(log_of({}), as_of=DAY)
    assert (len(found), repr(found)) == (0, "Balances(0 accounts as of 2024-06-01)")
    assert all(len(x) == 0 for x in (*found.lots().values(), *found.forecast().values()))
    assert len(found.earned()) == 0


def test_a_result_shows_itself_without_naming_anybody() -> None:
    found = YEAR.balances(entries(("<i>secret", "earn", DAY, 1500)), as_of=DAY)
    assert repr(found) == "Balances(1 account as of 2024-06-01: 1,500 available)"
    assert "secret" not in found._repr_html_() + repr(found)
    assert found.to_table().text().splitlines()[:2] == [
        "state      customers  points",
        "available          1   1,500",
    ]
    assert "可用" in found.to_table("zh").text()


# --- broken variants ------------------------------------------------------------------------------


def broken() -> str:
    """The sentence of the first of some logs that breaks the law."""
    for seed in range(400):
        choose = random.Random(seed)  # noqa: S311
        policy = _policy(choose)
        log = log_of(made_entries(policy, choose.randint, 25))
        try:
            laws.balance_equals_balances(policy, log, as_of=date(2024, 3, 1))
        except AssertionError as cause:
            return str(cause)
    return ""


@pytest.mark.rule("E-15")
def test_an_expiry_one_day_late(monkeypatch: pytest.MonkeyPatch) -> None:
    right: Any = point_scans._until
    monkeypatch.setattr(point_scans, "_until", lambda *x: right(*x[:3], x[3] - 1))
    assert "balance_equals_balances" in broken()


@pytest.mark.rule("E-15")
def test_lots_of_any_expiry_taken_as_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    none: Any = lambda rows, _: np.zeros(rows.size, bool)  # noqa: E731
    monkeypatch.setattr(point_scans, "_unordered", none)
    assert "balance_equals_balances" in broken()


@pytest.mark.rule("E-14")
def test_pending_points_that_can_be_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(point_scans, "_at_once", lambda *_: True)
    assert "balance_equals_balances" in broken()


def test_inactivity_that_nobody_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(point_scans, "_gaps", lambda _: np.zeros(0, np.intp))
    assert "balance_equals_balances" in broken()


def test_overdrafts_that_nobody_looks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        point_scans.Scan, "failed", property(lambda scan: np.zeros(scan.rows.size, bool))
    )
    assert "balance_equals_balances" in broken()


def test_accounts_of_every_shape_taken_as_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(point_shapes.Question, "_odd_accounts", lambda _: None)
    assert "balance_equals_balances" in broken()


def test_the_library_itself_breaks_no_law() -> None:
    assert broken() == ""
