"""The points ledger where one step more or less would be another balance; counted by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import attrs
import pytest

from retention.ledger import Account, PointCurrency, PointsPolicy
from retention.lots import Lots, Validity
from retention.mechanisms.answers import Code, Refused
from retention.mechanisms.errors import InvalidValueError
from retention.points import (
    Adjust,
    Capture,
    Earn,
    Earned,
    EarningReversed,
    Hold,
    PointsFact,
    PointsOrder,
    Redeem,
    Redeemed,
    Reinstate,
    Release,
    ReverseEarning,
    ReverseRedemption,
)
from retention.statements import DueKind
from tests.refusals import refused

D = date(2024, 1, 1)
PLAIN = PointsPolicy()
WAITING = PointsPolicy(pending_days=8)
BY: dict[str, Any] = {"by": "ann"}
Anything = Any  # what a caller may give


def days(number: int) -> date:
    return D + timedelta(days=number)


def earn(points: int, day: int = 0, source: str = "O-1", **more: Anything) -> Earn:
    return Earn(points, source, at=days(day), **BY, **more)


def redeem(points: int, day: int = 0, **more: Anything) -> Redeem:
    return Redeem(points, at=days(day), **BY, **more)


class Told:
    """One account through its commands, each of which is accepted."""

    def __init__(self, *commands: PointsOrder, policy: PointsPolicy = PLAIN) -> None:
        self.policy, self.log = policy, list[PointsFact]()
        self.account: Account = policy.start("M-1")
        self.do(*commands)

    def do(self, *commands: PointsOrder) -> Told:
        for command in commands:
            answer = self.policy.decide(self.account, command).or_raise()
            self.account = answer.state
            self.log += answer.facts
        assert self.policy.replay("M-1", self.log) == self.account
        return self

    def no(self, command: PointsOrder) -> Code:
        answer = self.policy.decide(self.account, command)
        assert isinstance(answer, Refused)
        return answer.code

    def at(self, day: int) -> tuple[int, int, int, int]:
        found = self.account.balance(days(day))
        return found.available, found.pending, found.held, found.debt

    def lines(self, until: int) -> list[tuple[int, str, int, int]]:
        """Day, what, points and balance of a statement, which ends with the balance."""
        told = self.account.statement(D, days(until))
        assert told.closing == self.account.balance(days(until)).total
        return [((x.on - D).days, str(x.what), x.points, x.balance) for x in told.entries]


# --- holds ----------------------------------------------------------------------------------------


def test_of_two_open_holds_the_one_that_is_named_is_resolved() -> None:
    def two() -> Told:
        carts = (Hold(n, name, at=D, **BY) for n, name in ((30, "a"), (15, "b")))
        return Told(earn(50), *carts)

    assert two().at(0) == (5, 0, 45, 0)
    assert two().do(Capture("b", at=D, **BY)).at(0) == (5, 0, 30, 0)
    assert two().do(Release("b", at=D, **BY)).at(0) == (20, 0, 30, 0)
    assert two().do(Capture("a", 10, at=D, **BY)).at(0) == (25, 0, 15, 0)


def test_of_two_holds_the_one_that_lapsed_comes_back() -> None:
    carts = (Hold(n, name, until, at=D, **BY) for n, name, until in CARTS)
    book = Told(earn(50), *carts)
    assert [book.at(n) for n in (2, 3)] == [(5, 0, 45, 0), (35, 0, 15, 0)]
    assert [line[:2] for line in book.lines(9)] == [
        (0, "earn"), (0, "hold"), (0, "hold"), (3, "lapse")
    ]  # fmt: skip


CARTS = (30, "a", days(2)), (15, "b", None)


@pytest.mark.rule("E-17")
def test_a_lapsed_hold_repays_a_debt_first() -> None:
    book = Told(
        earn(50), earn(40, source="O-2"),
        Hold(60, "cart", days(2), at=D, **BY),  # the 50 of the first lot, 10 of the second
        ReverseEarning("O-1", at=days(1), **BY),  # the 30 that are left of the second, 20 missing
    )  # fmt: skip
    assert [book.at(n) for n in (0, 1, 2, 3)] == [
        (30, 0, 60, 0), (0, 0, 60, 20), (0, 0, 60, 20), (40, 0, 0, 0)
    ]  # fmt: skip
    assert [lot.remaining for lot in book.account.lots(days(3))] == [30, 10]
    book.do(redeem(40, 5), earn(7, 6, "O-3"))
    assert book.at(6) == (7, 0, 0, 0)
    assert book.lines(6) == [
        (0, "earn", 50, 50), (0, "earn", 40, 90), (0, "hold", 0, 90),
        (1, "reverse_earning", -50, 40), (3, "lapse", 0, 40),
        (5, "redeem", -40, 0), (6, "earn", 7, 7),
    ]  # fmt: skip


@pytest.mark.rule("E-15", "E-17")
def test_of_two_holds_that_lapsed_the_earlier_one_repays_the_debt() -> None:
    book = Told(
        earn(30, expires_on=days(20)), earn(30, source="O-2", expires_on=days(20)),
        Hold(30, "b", days(4), at=D, **BY), Hold(30, "a", days(2), at=D, **BY),
        ReverseEarning("O-1", at=days(1), **BY),
    )  # fmt: skip
    assert [book.at(n) for n in (1, 3, 5, 20)] == [
        (0, 0, 60, 30), (0, 0, 30, 0), (30, 0, 0, 0), (0, 0, 0, 0)
    ]  # fmt: skip
    assert [(lot.number, lot.remaining) for lot in book.account.lots(days(6))] == [(1, 30)]
    assert book.lines(20)[-3:] == [(3, "lapse", 0, 30), (5, "lapse", 0, 30), (20, "expire", -30, 0)]


@pytest.mark.rule("E-15")
def test_what_a_lapsed_hold_gave_back_expires_with_its_lot() -> None:
    book = Told(earn(50, expires_on=days(9)), Hold(30, "cart", days(2), at=D, **BY))
    assert book.lines(9) == [
        (0, "earn", 50, 50), (0, "hold", 0, 50), (3, "lapse", 0, 50), (9, "expire", -50, 0)
    ]  # fmt: skip
    assert [(x.points, x.usable_through) for x in book.account.forecast(D)] == [(50, days(8))]
    kept = Told(earn(50, expires_on=days(9)), Hold(20, "cart", at=D, **BY))
    found = kept.account.forecast(D)
    assert [(x.points, x.usable_through) for x in found] == [(30, days(8)), (20, None)]


# --- debts ----------------------------------------------------------------------------------------


@pytest.mark.rule("E-14", "E-17")
def test_a_statement_counts_a_debt_and_what_repays_it() -> None:
    book = Told(earn(50), redeem(50, 1), ReverseEarning("O-1", at=days(2), **BY))
    assert book.at(2) == (0, 0, 0, 50)
    book.do(earn(80, 3, "O-2"))
    assert book.at(3) == (30, 0, 0, 0)
    assert book.lines(3) == [
        (0, "earn", 50, 50), (1, "redeem", -50, 0),
        (2, "reverse_earning", -50, -50), (3, "earn", 80, 30),
    ]  # fmt: skip


@pytest.mark.rule("E-14", "E-17")
def test_facts_that_repay_more_than_is_owed_are_an_error() -> None:
    book = Told(earn(50), redeem(50, 1), ReverseEarning("O-1", at=days(2), **BY))
    log = book.do(earn(80, 3, "O-2")).log
    assert isinstance(log[-1], Earned)
    assert log[-1].repaid == 50
    with refused(InvalidValueError, "debt of points", given=-1):
        PLAIN.replay("M-1", [*log[:-1], attrs.evolve(log[-1], repaid=51)])


@pytest.mark.rule("E-17")
def test_an_earning_is_taken_back_from_what_can_be_spent_then_from_what_is_pending() -> None:
    spent = earn(50), earn(20, 2, "O-2"), redeem(50, 8)
    book = Told(*spent, earn(40, 9, "O-3", expires_on=days(30)), policy=WAITING)
    assert book.at(10) == (20, 40, 0, 0)
    book.do(ReverseEarning("O-1", at=days(10), **BY))  # 20 of the second, 30 of the third
    assert book.at(10) == (0, 10, 0, 0)
    assert [lot.number for lot in book.account.lots(days(10))] == [4]


@pytest.mark.rule("E-17")
def test_what_comes_back_in_several_lots_repays_a_debt_once() -> None:
    book = Told(
        earn(20), earn(20, source="O-2"), earn(35, source="O-3"),
        redeem(40, key="A"), redeem(35, key="B"), ReverseEarning("O-3", at=D, **BY),
    )  # fmt: skip
    assert book.at(0) == (0, 0, 0, 35)
    book.do(ReverseRedemption("A", at=days(1), **BY))  # 20 of the second lot, 15 of the first
    assert [(lot.number, lot.remaining) for lot in book.account.lots(days(1))] == [(1, 5)]
    assert book.at(1) == (5, 0, 0, 0)


@pytest.mark.rule("E-15", "E-17")
def test_what_is_earned_beside_a_debt_expires_like_other_points() -> None:
    book = Told(earn(50), redeem(50, 1), policy=PointsPolicy(validity=Validity(days=30)))
    book.do(ReverseEarning("O-1", at=days(2), **BY), earn(80, 3, "O-2"))
    assert [book.at(n) for n in (3, 33, 34)] == [(30, 0, 0, 0), (30, 0, 0, 0), (0, 0, 0, 0)]


@pytest.mark.rule("E-17")
def test_a_part_of_a_source_is_taken_back_by_the_facts_it_needs() -> None:
    book = Told(earn(25), earn(25, reason="birthday"), earn(9, source="O-2"))
    for points, lots in ((10, [1]), (20, [1, 2]), (20, [2])):
        before = len(book.log)
        book.do(ReverseEarning("O-1", points, at=days(1), **BY))
        facts = book.log[before:]
        assert [x.lot for x in facts if isinstance(x, EarningReversed)] == lots
    assert book.at(1) == (9, 0, 0, 0)


@pytest.mark.rule("E-15")
@pytest.mark.parametrize("owing", [False, True])
def test_a_validity_of_its_own_slides_only_where_activity_moves_it(*, owing: bool) -> None:
    book = Told(earn(50), redeem(50, 1))
    if owing:
        book.do(ReverseEarning("O-1", at=days(2), **BY))
    own = Validity(days=30, inactivity=True)
    book.do(earn(80, 3, "O-2", validity=own), redeem(5, 20))
    left = 25 if owing else 75
    assert [book.at(n)[0] for n in (33, 34)] == [left, 0]


@pytest.mark.rule("E-38")
def test_a_correction_expires_after_its_day() -> None:
    assert Told().no(Adjust(5, "gift", expires_on=D, at=D, **BY)) is Code.EXPIRES_TOO_SOON
    book = Told(Adjust(5, "gift", expires_on=days(1), at=D, **BY))
    assert [book.at(n)[0] for n in (0, 1)] == [5, 0]


@pytest.mark.rule("E-38")
@pytest.mark.parametrize(("day", "usable"), [(4, None), (5, 50), (14, 50), (15, None)])
def test_points_are_reinstated_by_hand_from_the_day_of_their_expiry_on(
    day: int, usable: int | None
) -> None:
    book = Told(earn(50, expires_on=days(5)), policy=PointsPolicy(reinstatement_days=10))
    bring = Reinstate(1, "goodwill", at=days(day), **BY)
    if usable is None:
        assert book.no(bring) in {Code.NOT_POSSIBLE, Code.TOO_LATE}
        return
    assert book.do(bring).at(day) == (usable, 0, 0, 0)
    assert [book.at(day + n)[0] for n in (10, 11)] == [usable, 0]


# --- expiry ---------------------------------------------------------------------------------------


@pytest.mark.rule("E-15")
def test_a_redemption_on_the_day_of_an_expiry_leaves_the_expired_lot() -> None:
    book = Told(earn(50, expires_on=days(5)), earn(30, source="O-2"))
    assert book.no(redeem(31, 5)) is Code.TOO_FEW_POINTS
    book.do(redeem(30, 5))
    assert book.at(5) == (0, 0, 0, 0)
    assert book.account.balance(days(5)).expired == 50


@pytest.mark.rule("E-14", "E-17")
def test_what_comes_back_to_an_expired_lot_expires_at_once() -> None:
    book = Told(earn(50, expires_on=days(5)), redeem(50, 1, key="R"))
    book.do(ReverseRedemption("R", at=days(6), **BY), earn(7, 7, "O-2"))
    assert [book.at(n)[0] for n in (4, 6, 7)] == [0, 0, 7]
    assert book.lines(7) == [
        (0, "earn", 50, 50), (1, "redeem", -50, 0),
        (6, "reverse_redemption", 50, 50), (6, "expire", -50, 0), (7, "earn", 7, 7),
    ]  # fmt: skip


@pytest.mark.rule("E-15")
def test_activity_after_an_inactivity_moves_nothing_that_slid_out() -> None:
    policy = PointsPolicy(validity=Validity(days=30, inactivity=True))
    book = Told(earn(50, expires_on=days(900)), earn(20, source="O-2"), policy=policy)
    found = book.account.forecast(D)
    assert [(x.points, x.usable_through) for x in found] == [(20, days(30)), (50, days(899))]
    assert [book.at(n)[0] for n in (30, 31)] == [70, 50]
    assert book.no(redeem(51, 31)) is Code.TOO_FEW_POINTS
    book.do(redeem(10, 40), earn(5, 41, "O-3"))
    assert [book.at(n)[0] for n in (40, 41, 71, 72, 900)] == [40, 45, 45, 40, 0]
    assert book.account.balance(days(41)).expired == 20
    assert book.lines(72) == [
        (0, "earn", 50, 50), (0, "earn", 20, 70), (31, "expire", -20, 50),
        (40, "redeem", -10, 40), (41, "earn", 5, 45), (72, "expire", -5, 40),
    ]  # fmt: skip


@pytest.mark.rule("E-15")
def test_of_lots_that_slide_together_the_earlier_earned_is_spent_first() -> None:
    policy = PointsPolicy(validity=Validity(days=30, inactivity=True))
    book = Told(earn(50, 10), earn(40, 5, "late"), redeem(30, 12), policy=policy)
    assert [(lot.number, lot.remaining) for lot in book.account.lots(days(12))] == [
        (2, 10), (1, 50)
    ]  # fmt: skip


@pytest.mark.rule("E-15", "E-17")
@pytest.mark.parametrize(("back", "usable_until"), [(4, 4), (5, 15), (14, 24), (15, None)])
def test_points_come_back_to_life_from_the_day_of_their_expiry_on(
    back: int, usable_until: int | None
) -> None:
    book = Told(
        earn(50, expires_on=days(5)), redeem(50, key="R"),
        ReverseRedemption("R", at=days(back), **BY), policy=PointsPolicy(reinstatement_days=10),
    )  # fmt: skip
    usable = {n for n in range(back, 40) if book.at(n)[0] == 50}
    assert usable == set(range(back, 0 if usable_until is None else usable_until + 1))


# --- redemptions ----------------------------------------------------------------------------------


@pytest.mark.rule("E-14", "E-17")
@pytest.mark.parametrize("inactivity", [False, True])
def test_a_redemption_without_a_key_is_named_by_its_place(*, inactivity: bool) -> None:
    validity = Validity(days=90, inactivity=inactivity)
    book = Told(earn(50), redeem(20, 1), redeem(10, 1), policy=PointsPolicy(validity=validity))
    assert [x.redemption for x in book.log if isinstance(x, Redeemed)] == ["2", "3"]
    assert book.do(ReverseRedemption("2", at=days(2), **BY)).at(2) == (40, 0, 0, 0)


# --- late facts -----------------------------------------------------------------------------------


@pytest.mark.rule("E-17")
def test_a_late_fact_that_changes_nothing_rebooks_nothing() -> None:
    book = Told(
        earn(50, expires_on=days(90)), redeem(30, 10, key="R"),
        ReverseRedemption("R", 20, at=days(12), **BY),
    )  # fmt: skip
    book.do(earn(40, 5, "late"))  # it never expires, so nothing would have taken it first
    assert [type(x).__name__ for x in book.log] == [
        "Earned", "Redeemed", "RedemptionReversed", "Earned"
    ]  # fmt: skip
    assert [book.at(n)[0] for n in (4, 5, 10, 12, 90)] == [50, 90, 60, 80, 40]


@pytest.mark.rule("E-17")
@pytest.mark.parametrize(("shortfall", "debt", "forgiven"), [("debt", 20, 0), ("clamp", 0, 20)])
def test_a_late_redemption_leaves_a_later_reversal_short(
    shortfall: Anything, debt: int, forgiven: int
) -> None:
    policy = PointsPolicy(shortfall=shortfall)
    book = Told(earn(50), ReverseEarning("O-1", at=days(10), **BY), policy=policy)
    book.do(redeem(20, 5))
    again = book.account.facts[1]
    assert isinstance(again, EarningReversed)
    assert (again.taken, again.debt, again.forgiven) == (((1, 30),), debt, forgiven)
    assert [book.at(n) for n in (4, 5, 10)] == [(50, 0, 0, 0), (30, 0, 0, 0), (0, 0, 0, debt)]


@pytest.mark.rule("E-17")
def test_a_pinned_late_fact_leaves_a_lot_what_later_facts_needed_in_between() -> None:
    soon, late = earn(50, expires_on=days(90)), earn(50, source="O-2")
    policy = PointsPolicy(late="pin")  # type: ignore[arg-type]
    book = Told(soon, late, redeem(30, 10, key="R"), policy=policy)
    book.do(ReverseRedemption("R", at=days(20), **BY), redeem(10, 30))
    book.do(redeem(40, 5))  # 20 of the first lot, since 30 go on day 10; 20 of the second
    assert [book.at(n)[0] for n in (4, 5, 10, 20, 30, 90)] == [100, 60, 30, 60, 50, 30]


def test_a_late_fact_rebooks_the_beginning_of_a_long_log() -> None:
    book = Told(earn(1_000, expires_on=days(900)))
    for n in range(1, 201):
        book.account = book.policy.decide(book.account, redeem(1, n)).or_raise().state
    book.log = list(book.account.facts)
    # It comes after what is on record of its day, so it pays for the days 4 to 8.
    book.do(earn(5, 3, "late", expires_on=days(10)))
    facts = book.account.facts
    assert [x.sequence for x in facts] == list(range(1, 204))
    taken = [x.taken for x in facts if isinstance(x, Redeemed)]
    assert [n for n, parts in enumerate(taken, 1) if parts == ((202, 1),)] == [4, 5, 6, 7, 8]
    assert [book.at(n)[0] for n in (2, 3, 7, 200)] == [998, 1_002, 998, 805]


@pytest.mark.rule("E-15")
def test_a_late_lot_pays_for_a_later_correction() -> None:
    book = Told(earn(50, expires_on=days(90)), Adjust(-1, "mistake", at=days(10), **BY))
    book.do(earn(5, 5, "late", expires_on=days(20)))
    assert [book.at(n)[0] for n in (5, 10, 20)] == [55, 54, 50]


@pytest.mark.rule("E-17")
@pytest.mark.parametrize("late", ["rebook", "pin"])
def test_a_late_return_leaves_what_a_smaller_redemption_would_have_taken(late: Anything) -> None:
    book = Told(
        earn(20, expires_on=days(90)), earn(20, source="O-2"), redeem(40, 1, key="R"),
        ReverseRedemption("R", 15, at=days(10), **BY), policy=PointsPolicy(late=late),
    )  # fmt: skip
    book.do(ReverseRedemption("R", 10, at=days(5), **BY))  # 15 are left, all of the first lot
    left = [(lot.number, lot.remaining) for lot in book.account.lots(days(10))]
    assert left == [(1, 5), (2, 20)]
    assert [book.at(n)[0] for n in (4, 5, 10, 90)] == [0, 10, 25, 20]


# --- deep accounts --------------------------------------------------------------------------------


@pytest.mark.rule("E-15")
@pytest.mark.parametrize("day", [0, 1, 63, 64, 65, 128, 129, 200, 399, 400, 401])
def test_many_lots_are_cut_at_the_day(day: int) -> None:
    rows = [(n, 0, n, 1, 0) for n in range(1, 401)]  # one expires on each day
    lots = Lots.of(rows)
    assert len(lots.chunks) > 4
    assert list(lots.before(day)) == rows[:day]
    assert list(lots.after(day)) == rows[day:]
    assert (lots.find(day, 0, 401), lots.find(401, 0, 401)) == (None, None)
    spent = lots.spent(day, 100)
    if day > 300:
        assert spent is None
        return
    assert spent is not None
    assert list(spent[0]) == rows[:day] + rows[day + 100 :]
    assert spent[1] == tuple((n, 1) for n in range(day + 1, day + 101))


@pytest.mark.rule("E-15")
@pytest.mark.parametrize("points", [1, 63, 64, 65, 127, 128, 192, 399, 400])
def test_many_lots_are_spent_up_to_the_end_of_a_chunk(points: int) -> None:
    rows = [(n, 0, n, 1, 0) for n in range(1, 401)]
    spent = Lots.of(rows).spent(0, points)
    assert spent is not None
    assert list(spent[0]) == rows[points:]


def test_lots_that_come_between_others() -> None:
    rows = [(n, 0, n, 1, 0) for n in range(1, 801)]
    lots = Lots.of(rows[1::2])
    for row in rows[::2]:
        lots = lots.put(row)
    assert list(lots) == rows
    assert max(map(len, lots.chunks)) <= 128


# --- two currencies -------------------------------------------------------------------------------


@pytest.mark.rule("E-14")
def test_two_currencies_are_two_balances() -> None:
    policy = PointsPolicy(currencies=("points", "status"))  # type: ignore[arg-type]
    book = Told(earn(10), earn(90, currency="status"), policy=policy)
    again = policy.replay("M-1", book.log)
    assert [again.balance(D, code).available for code in ("points", "status")] == [10, 90]
    book.do(redeem(4, 1, currency="status"))
    other = Told(earn(90, currency="status"), earn(10), redeem(4, 1), policy=policy)
    assert policy.replay("M-1", other.log[:1]).balance(D, "points").available == 0
    assert [other.account.balance(days(1), x).available for x in ("points", "status")] == [6, 90]
    assert [book.account.balance(days(1), x).available for x in ("points", "status")] == [10, 86]


@pytest.mark.rule("E-15", "E-17")
@pytest.mark.parametrize("turned", [False, True])
def test_a_currency_has_a_validity_and_a_wait_of_its_own(*, turned: bool) -> None:
    own = PointCurrency("status", validity=Validity(days=5), pending_days=2)
    rows = [own, PointCurrency("points")] if turned else [PointCurrency("points"), own]
    policy = PointsPolicy(currencies=rows, validity=Validity(days=30), pending_days=1)  # type: ignore[arg-type]
    for commands in ([earn(10, currency="status")], [earn(7), earn(10, currency="status")]):
        account = Told(*commands, policy=policy).account
        found = [account.balance(days(n), "status") for n in (1, 2, 5, 6)]
        assert [(x.available, x.pending) for x in found] == [(0, 10), (10, 0), (10, 0), (0, 0)]
    both = Told(earn(7), earn(10, currency="status"), policy=policy).account
    found = [both.balance(days(n)) for n in (0, 1, 30, 31)]
    assert [(x.available, x.pending) for x in found] == [(0, 7), (7, 0), (7, 0), (0, 0)]


def test_a_second_currency_may_count_for_a_tier_alone() -> None:
    rows = [PointCurrency("points"), PointCurrency("status", redeemable=False)]
    policy = PointsPolicy(currencies=rows)  # type: ignore[arg-type]
    book = Told(earn(90, currency="status"), policy=policy)
    assert book.no(redeem(1, 1, currency="status")) is Code.NOT_POSSIBLE


def test_the_only_currency_may_count_for_a_tier_alone() -> None:
    status = PointCurrency("status", redeemable=False)
    book = Told(earn(90, currency="status"), policy=PointsPolicy(currencies=[status]))  # type: ignore[arg-type]
    assert book.no(redeem(1, 1, currency="status")) is Code.NOT_POSSIBLE
    assert book.no(Hold(1, "h", currency="status", at=D, **BY)) is Code.NOT_POSSIBLE
    assert book.account.balance(days(1), "status").available == 90


# --- what is told ---------------------------------------------------------------------------------


def test_both_ends_of_a_span_of_earning_are_inside() -> None:
    book = Told(earn(10), earn(20, 3, "O-2"), ReverseEarning("O-2", 5, at=days(9), **BY))
    book.do(Adjust(4, "goodwill", at=days(9), **BY))
    spans = [((0, 0), 10), ((0, 2), 10), ((0, 3), 25), ((3, 3), 15), ((1, 8), 15), ((9, 9), 4)]
    for (first, last), points in spans:
        assert book.account.earned("points", days(first), days(last)) == points


@pytest.mark.rule("SM-13")
def test_points_that_become_usable_on_one_day_are_due_together() -> None:
    book = Told(earn(50), earn(30, source="O-2"), earn(5, 1, "O-3"), policy=WAITING)
    due = [(x.kind, x.on, x.points) for x in book.account.due(days(1))]
    assert due == [(DueKind.PENDING, days(8), 80), (DueKind.PENDING, days(9), 5)]


@pytest.mark.rule("E-16")
def test_a_reminder_falls_on_its_day_alone() -> None:
    book = Told(earn(50, expires_on=days(60)))  # usable through day 59, announced 30 days before
    told = {n: [x.points for x in book.account.reminders(days(n), {})] for n in range(70)}
    assert {n for n, points in told.items() if points} == {29}
    assert told[29] == [50]
    prices = {"cup": 5, "scarf": 30, "pen": 30, "coat": 51}
    (request,) = book.account.reminders(days(29), prices)
    assert request.affordable == ("pen", "scarf", "cup")  # the dearest first, then by name


@pytest.mark.rule("E-16")
def test_points_that_are_valid_for_less_than_the_lead_are_announced_when_they_open() -> None:
    book = Told(earn(50, expires_on=days(20)), policy=WAITING)
    due = [(x.kind, x.on, x.points) for x in book.account.due(D)]
    assert sorted(due) == [
        (DueKind.EXPIRY, days(20), 50), (DueKind.PENDING, days(8), 50),
        (DueKind.REMINDER, days(8), 50),
    ]  # fmt: skip


@pytest.mark.rule("E-15")
def test_the_last_day_of_the_calendar_is_an_expiry_like_others() -> None:
    book = Told(earn(50, expires_on=date.max), earn(30, source="O-2"))
    found = book.account.balance(D)
    assert (found.available, found.next_expiring, found.next_expires_on) == (80, 50, date.max)
    assert book.do(redeem(60, 1)).account.lots(days(1))[0].remaining == 20
    assert book.account.lots(days(1))[0].number == 2


@pytest.mark.rule("E-15", "E-16")
def test_a_forecast_says_the_last_usable_day() -> None:
    book = Told(earn(50, expires_on=days(9)), earn(30, source="O-2"))
    found = book.account.forecast(D)
    assert [(x.points, x.usable_through) for x in found] == [(50, days(8)), (30, None)]
    assert book.account.balance(days(8)).next_expiring == 50
    after = book.account.balance(days(9))
    assert (after.next_expiring, after.next_expires_on, after.usable_through) == (0, None, None)
