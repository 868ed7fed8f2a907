"""The points ledger by example: the scenario of the handbook, published figures, hard cases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.digests import chain, check, head_of
from retention.households import Household
from retention.ledger import Account, LateRule, PointCurrency, PointsPolicy
from retention.liability import Liability, cohorts, price_of_points
from retention.lots import Lot, Lots, LotState, PeriodEnd, Validity
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    NaiveInstantError,
    UnknownNameError,
    WrongTypeError,
)
from retention.points import (
    Adjust,
    Capture,
    Earn,
    Earned,
    Hold,
    OpenBalance,
    Parcel,
    PointsFact,
    PointsOrder,
    Rebooked,
    Receive,
    Redeem,
    Redeemed,
    Reinstate,
    Release,
    ReverseEarning,
    ReverseRedemption,
    Transfer,
    points_to_reverse,
)
from retention.statements import DueKind, ExpiryReminder
from tests.refusals import refused

D = date(2024, 1, 1)
PLAIN = PointsPolicy()
BY: dict[str, Any] = {"by": "ann"}
Anything = Any  # what a caller may give


def days(number: int) -> date:
    return D + timedelta(days=number)


class Book:
    """One account through its commands: what was stored, and how it stands."""

    def __init__(self, policy: PointsPolicy = PLAIN, name: str = "M-1") -> None:
        self.policy = policy
        self.account: Account = policy.start(name)
        self.log: list[PointsFact] = []

    def do(self, *commands: PointsOrder) -> Book:
        for command in commands:
            answer = self.policy.decide(self.account, command).or_raise()
            self.account = answer.state
            self.log += answer.facts
        assert self.policy.replay(self.account.id, self.log) == self.account
        return self

    def no(self, command: PointsOrder) -> Refused:
        answer = self.policy.decide(self.account, command)
        assert isinstance(answer, Refused)
        assert answer.text("zh") != str(answer)
        return answer

    def at(self, day: date, currency: str = "points") -> tuple[int, int, int, int]:
        found = self.account.balance(day, currency)
        return found.available, found.pending, found.held, found.debt


def earn(points: int, day: date = D, source: str = "O-1", **more: Anything) -> Earn:
    return Earn(points, source, at=day, **BY, **more)


def redeem(points: int, day: date = D, **more: Anything) -> Redeem:
    return Redeem(points, at=day, **BY, **more)


# --- the scenario of the handbook -----------------------------------------------------------------

YEAR = PointsPolicy(validity=Validity(months=12, until_end_of=PeriodEnd.MONTH), reminder_days=30)


@pytest.mark.rule("S-24", "E-14", "E-15", "E-16", "SM-13", "VAR-12")
def test_the_ledger_of_the_member_in_the_handbook() -> None:
    """1 point for 10 yuan is counted elsewhere: the points are given."""
    book = Book(YEAR)
    first = earn(25, date(2023, 5, 3), "O-1", reason="purchase", key="O-1")
    book.do(first, earn(25, date(2023, 5, 3), "O-1", reason="birthday", key="O-1b"))
    book.do(earn(100, date(2023, 6, 15), "O-2"), earn(30, date(2023, 7, 1), "discussion"))
    account = book.account
    assert [lot.usable_through for lot in account.lots(date(2023, 7, 1))] == [
        date(2024, 5, 31), date(2024, 5, 31), date(2024, 6, 30), date(2024, 7, 31)
    ]  # fmt: skip
    assert account.balance(date(2023, 7, 1)).available == 180
    again = YEAR.decide(account, first, earlier=account.facts[:1])
    assert again == Accepted(account, account.facts[:1])  # posting it twice changes nothing

    book.do(redeem(70, date(2024, 1, 10), purpose="gift"))
    taken = book.account.facts[-1]
    assert isinstance(taken, Redeemed)
    assert taken.taken == ((1, 25), (2, 25), (3, 20))  # the 50 of May, and 20 of June
    assert book.at(date(2024, 1, 10)) == (110, 0, 0, 0)

    (reminder,) = book.account.reminders(date(2024, 5, 31), {"cup": 80, "scarf": 111})
    assert reminder == ExpiryReminder(
        "M-1", 80, "points", date(2024, 6, 30), available=110, affordable=("cup",)
    )
    assert reminder.kind == "points_expiry"
    assert book.account.reminders(date(2024, 5, 30), {}) == ()

    book.do(redeem(50, date(2024, 6, 20), purpose="cash_offset"), earn(8, date(2024, 6, 20), "O-3"))
    assert book.account.lots(date(2024, 6, 20))[-1].usable_through == date(2025, 6, 30)
    assert book.at(date(2024, 6, 20)) == (68, 0, 0, 0)
    assert book.at(date(2024, 6, 30)) == (68, 0, 0, 0)
    assert book.at(date(2024, 7, 1)) == (38, 0, 0, 0)
    assert book.at(date(2024, 8, 1)) == (8, 0, 0, 0)
    no = book.no(redeem(9, date(2024, 8, 1)))
    assert (no.code, no.allowed) == (Code.TOO_FEW_POINTS, ("redeem at most 8",))
    book.do(redeem(8, date(2024, 8, 1)))
    told = book.account.statement(date(2024, 6, 1), date(2024, 8, 1))
    assert [(str(x.on), x.what, x.points, x.balance) for x in told.entries] == [
        ("2024-06-20", "redeem", -50, 60), ("2024-06-20", "earn", 8, 68),
        ("2024-07-01", "expire", -30, 38), ("2024-08-01", "expire", -30, 8),
        ("2024-08-01", "redeem", -8, 0),
    ]  # fmt: skip
    assert (told.opening, told.closing) == (110, 0)


@pytest.mark.rule("S-24", "E-15", "E-16")
def test_the_same_at_the_end_of_february() -> None:
    book = Book(YEAR).do(earn(40, date(2023, 2, 28), "O-1"), earn(60, date(2023, 3, 1), "O-2"))
    assert book.at(date(2024, 2, 29)) == (100, 0, 0, 0)  # a leap day is the end of the month
    assert book.at(date(2024, 3, 1)) == (60, 0, 0, 0)
    (reminder,) = book.account.reminders(date(2024, 1, 30), {})
    assert (reminder.points, reminder.usable_through) == (40, date(2024, 2, 29))
    due = book.account.due(date(2024, 1, 29))
    assert [(str(x.on), x.kind, x.points) for x in due] == [
        ("2024-01-30", DueKind.REMINDER, 40), ("2024-03-01", DueKind.EXPIRY, 40),
        ("2024-03-01", DueKind.REMINDER, 60), ("2024-04-01", DueKind.EXPIRY, 60),
    ]  # fmt: skip
    assert str(due[0]) == "2024-01-30 reminder: 40 points usable through 2024-02-29"


# --- validity ------------------------------------------------------------------------------------


@pytest.mark.rule("E-15", "RC-03")
@pytest.mark.parametrize(
    ("validity", "earned", "through"),
    [
        # Square, Loyalty API: earned 6 July 2020 with P12M, usable through 31 July 2021.
        (Validity(months=12, until_end_of=PeriodEnd.MONTH), date(2020, 7, 6), date(2021, 7, 31)),
        # Voucherify: 31 January and one month, through 28 February.
        (Validity(months=1), date(2023, 1, 31), date(2023, 2, 28)),
        (Validity(months=1), date(2024, 1, 31), date(2024, 2, 29)),
        (Validity(days=1), date(2024, 2, 28), date(2024, 2, 29)),
        (Validity(months=3, until_end_of=PeriodEnd.QUARTER), date(2024, 2, 1), date(2024, 6, 30)),
        (
            Validity(months=1, until_end_of=PeriodEnd.HALF_YEAR),
            date(2024, 5, 31),
            date(2024, 6, 30),
        ),
        (Validity(days=1, until_end_of=PeriodEnd.YEAR), date(2024, 12, 31), date(2025, 12, 31)),
        (Validity(through=date(2024, 12, 31)), date(2024, 1, 1), date(2024, 12, 31)),
        (Validity(), date(2024, 1, 1), None),
        (Validity(days=9), date(9999, 12, 30), date(9999, 12, 31)),
    ],
)
def test_the_last_usable_day(validity: Validity, earned: date, through: date | None) -> None:
    assert validity.usable_through(earned) == through
    if through not in {None, date.max}:
        assert validity.expires_on(earned) == through + timedelta(days=1)


@pytest.mark.rule("E-15")
def test_inactivity_takes_everything_at_once_and_activity_saves_it() -> None:
    # Smile.io: 500 points of 1 January 2021 and 100 of 31 December 2021 go together.
    policy = PointsPolicy(validity=Validity(months=12, inactivity=True))
    book = Book(policy).do(earn(500, date(2021, 1, 1), "a"), earn(100, date(2021, 12, 31), "b"))
    assert book.at(date(2022, 12, 31)) == (600, 0, 0, 0)
    assert book.at(date(2023, 1, 1)) == (0, 0, 0, 0)
    book.do(redeem(100, date(2022, 12, 31)))
    assert book.at(date(2023, 12, 31)) == (500, 0, 0, 0)
    book.do(earn(7, date(2024, 3, 1), "c"))
    assert book.at(date(2024, 3, 1)) == (7, 0, 0, 0)
    assert book.account.balance(date(2024, 3, 1)).expired == 500


def test_a_validity_says_one_thing() -> None:
    with refused(InvalidValueError, "Validity"):
        Validity(months=1, days=1)
    with refused(InvalidValueError, "Validity.inactivity"):
        Validity(inactivity=True)
    with refused(WrongTypeError, "Validity.days", given=1.5):
        Validity(days=1.5)  # type: ignore[arg-type]
    with refused(InvalidValueError, "Validity.months", given=0):
        Validity(months=0)
    with refused(UnknownNameError, "until_end_of", given="week"):
        Validity(days=1, until_end_of="week")  # type: ignore[arg-type]


# --- pending, holds -------------------------------------------------------------------------------


@pytest.mark.rule("E-17")
def test_points_are_pending_until_the_return_window_has_closed() -> None:
    book = Book(PointsPolicy(pending_days=8)).do(earn(50))  # 7 days, the 7th counts
    assert [book.at(days(n))[:2] for n in (0, 7, 8)] == [(0, 50), (0, 50), (50, 0)]
    assert book.no(redeem(1, days(7))).code is Code.TOO_FEW_POINTS
    assert [(x.kind, x.on) for x in book.account.due(D)] == [(DueKind.PENDING, days(8))]
    assert book.do(ReverseEarning("O-1", at=days(7), **BY)).at(days(8)) == (0, 0, 0, 0)


def test_a_checkout_holds_captures_a_part_and_the_rest_comes_back() -> None:
    book = Book().do(earn(50, expires_on=days(5)), earn(50, source="O-2"))
    book.do(Hold(80, "cart", days(9), at=days(4), **BY))
    assert book.at(days(4)) == (20, 0, 80, 0)
    assert book.at(days(5)) == (20, 0, 80, 0)  # what is held does not expire
    assert book.no(Capture("cart", 81, at=days(5), **BY)).code is Code.ABOVE_LIMIT
    book.do(Capture("cart", 30, at=days(5), **BY))
    assert book.at(days(5)) == (50, 0, 0, 0)  # 20 of the first lot came back too late
    assert book.account.balance(days(5)).expired == 20
    assert book.no(Capture("cart", at=days(5), **BY)).code is Code.ALREADY_RESOLVED
    assert book.no(Release("cart", at=days(5), **BY)).code is Code.ALREADY_RESOLVED
    assert book.no(Hold(1, "cart", at=days(5), **BY)).code is Code.KEY_REUSED
    book.do(ReverseRedemption("cart", at=days(6), **BY))
    assert book.account.balance(days(6)).expired == 50


def test_a_hold_lapses_by_itself() -> None:
    book = Book().do(earn(50), Hold(30, "cart", days(2), at=D, **BY))
    assert [book.at(days(n))[0] for n in (2, 3)] == [20, 50]  # the whole of the last day counts
    assert book.account.due(D)[0].on == days(3)
    assert book.no(Capture("cart", at=days(3), **BY)).code is Code.TOO_LATE
    book.do(redeem(50, days(3)))
    assert book.at(days(3)) == (0, 0, 0, 0)


def test_a_hold_until_an_instant_counts_the_instant() -> None:
    noon = datetime(2024, 1, 1, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
    second = timedelta(seconds=1)
    book = Book().do(Earn(50, "O", at=noon - second, **BY), Hold(30, "h", noon, at=noon, **BY))
    assert book.account.balance(noon).held == 30
    assert book.account.balance(noon + second).held == 0
    assert book.account.balance(D).held == 0  # of a date all is known
    assert book.no(Capture("h", at=noon + second, **BY)).code is Code.TOO_LATE
    book.do(Capture("h", at=noon, **BY))
    assert book.no(Hold(1, "x", noon - second, at=noon, **BY)).code is Code.TOO_LATE
    assert book.no(Release("y", at=noon, **BY)).code is Code.UNKNOWN_REFERENCE


# --- reversals -----------------------------------------------------------------------------------


@pytest.mark.rule("E-17")
def test_a_redemption_comes_back_to_its_lots_and_what_has_expired_is_lost() -> None:
    book = Book().do(earn(50, expires_on=days(5)), earn(50, source="O-2", expires_on=days(90)))
    book.do(redeem(70, key="R"), ReverseRedemption("R", 30, at=days(3), **BY))
    assert [lot.remaining for lot in book.account.lots(days(3))] == [10, 50]
    book.do(ReverseRedemption("R", at=days(5), **BY))
    assert book.at(days(5)) == (50, 0, 0, 0)
    assert book.account.balance(days(5)).expired == 50
    assert book.no(ReverseRedemption("R", at=days(6), **BY)).code is Code.ALREADY_RESOLVED
    assert book.no(ReverseRedemption("?", at=days(6), **BY)).code is Code.UNKNOWN_REFERENCE


@pytest.mark.rule("E-17")
def test_a_redemption_cannot_come_back_with_more_than_it_took() -> None:
    book = Book().do(earn(50), redeem(20, key="R"))
    no = book.no(ReverseRedemption("R", 21, at=D, **BY))
    assert (no.code, no.allowed) == (Code.ABOVE_LIMIT, ("reverse_redemption at most 20",))


@pytest.mark.rule("E-17")
@pytest.mark.parametrize(("back", "usable"), [(14, 50), (15, 0)])
def test_what_expired_is_reinstated_within_the_window(back: int, usable: int) -> None:
    policy = PointsPolicy(reinstatement_days=10)
    book = Book(policy).do(earn(50, expires_on=days(5)), redeem(50, key="R"))
    book.do(ReverseRedemption("R", at=days(back), **BY))  # usable through day 4, and ten more
    assert book.at(days(back)) == (usable, 0, 0, 0)
    assert book.at(days(back + 10)) == (usable, 0, 0, 0)
    assert book.at(days(back + 11)) == (0, 0, 0, 0)


@pytest.mark.rule("E-17")
@pytest.mark.parametrize(
    ("shortfall", "debt", "then"), [("debt", 40, 60), ("clamp", 0, 100), ("refuse", None, None)]
)
def test_an_earning_is_taken_back_that_was_spent(
    shortfall: Anything, debt: int | None, then: int | None
) -> None:
    book = Book(PointsPolicy(shortfall=shortfall))
    book.do(earn(50), earn(30, reason="bonus"), redeem(40))
    command = ReverseEarning("O-1", at=days(1), **BY)
    if debt is None:
        assert book.no(command).code is Code.TOO_FEW_POINTS
        assert book.at(days(1)) == (40, 0, 0, 0)
        return
    book.do(command)
    assert book.at(days(1)) == (0, 0, 0, debt)
    assert book.no(command).code is Code.ALREADY_RESOLVED
    book.do(earn(100, days(2), "O-3"))
    assert book.at(days(2)) == (then, 0, 0, 0)


@pytest.mark.rule("E-17")
def test_partial_refunds_take_back_the_whole_purchase() -> None:
    book, before = Book().do(earn(25), earn(25, reason="birthday")), 0
    for refund in (100_00, 59_00, 100_00):
        points = points_to_reverse(
            50, amount_minor=259_00, refunded_before_minor=before, refund_minor=refund
        )
        before += refund
        book.do(ReverseEarning("O-1", points, at=D, **BY))
    assert book.at(D) == (0, 0, 0, 0)
    assert book.no(ReverseEarning("O-1", 1, at=D, **BY)).code is Code.ALREADY_RESOLVED
    with refused(InvalidValueError, "refund_minor"):
        points_to_reverse(5, amount_minor=10, refunded_before_minor=6, refund_minor=5)


@pytest.mark.rule("E-17")
@pytest.mark.parametrize(("counts", "left"), [(True, 20), (False, 0)])
def test_whether_expired_points_count_as_returned(*, counts: bool, left: int) -> None:
    policy = PointsPolicy(expired_counts_as_returned=counts)
    book = Book(policy).do(earn(20, expires_on=days(2)), earn(20, source="O-2"))
    book.do(ReverseEarning("O-1", at=days(2), **BY))
    assert book.at(days(2)) == (left, 0, 0, 0)


def test_an_earning_cannot_be_reversed_above_what_it_brought() -> None:
    book = Book().do(earn(20))
    no = book.no(ReverseEarning("O-1", 21, at=D, **BY))
    assert (no.code, no.allowed) == (Code.ABOVE_LIMIT, ("reverse_earning at most 20",))
    assert book.no(ReverseEarning("O-9", at=D, **BY)).code is Code.UNKNOWN_REFERENCE


# --- by hand --------------------------------------------------------------------------------------


@pytest.mark.rule("E-38")
def test_a_correction_needs_a_reason_and_above_a_limit_another_person() -> None:
    book = Book(PointsPolicy(approval_limit=20))
    adjust = Adjust(21, "late parcel", at=D, **BY)
    no = book.no(adjust)
    assert (no.code, no.missing) == (Code.NOT_APPROVED, ("approver",))
    own = book.no(attrs.evolve(adjust, approver="ann"))
    assert (own.code, own.missing) == (Code.NOT_APPROVED, ("other_approver",))
    book.do(attrs.evolve(adjust, approver="bob"), Adjust(-20, "mistake", at=D, **BY))
    assert book.at(D) == (1, 0, 0, 0)
    assert book.no(Adjust(-2, "mistake", at=D, **BY)).code is Code.TOO_FEW_POINTS
    with refused(InvalidValueError, "reason"):
        Adjust(5, "", at=D, **BY)


@pytest.mark.rule("E-38")
def test_expired_points_are_reinstated_by_hand() -> None:
    book = Book(PointsPolicy(reinstatement_days=10, approval_limit=5)).do(
        earn(20, expires_on=days(2))
    )
    bring = Reinstate(1, "goodwill", 6, "bob", at=days(3), **BY)
    assert book.no(attrs.evolve(bring, at=days(1))).code is Code.NOT_POSSIBLE
    assert book.no(attrs.evolve(bring, lot=9)).code is Code.UNKNOWN_REFERENCE
    assert book.no(attrs.evolve(bring, points=21)).code is Code.ABOVE_LIMIT
    assert book.no(attrs.evolve(bring, approver="")).code is Code.NOT_APPROVED
    assert book.no(attrs.evolve(bring, at=days(12))).code is Code.TOO_LATE
    assert book.no(attrs.evolve(bring, expires_on=days(3))).code is Code.EXPIRES_TOO_SOON
    book.do(bring)
    assert book.at(days(3)) == (6, 0, 0, 0)
    assert book.account.balance(days(3)).expired == 14


# --- currencies, transfers, opening balances, households ------------------------------------------


def test_points_that_count_for_a_tier_are_not_spent() -> None:
    status = PointCurrency("status", redeemable=False, validity=Validity())
    book = Book(PointsPolicy(currencies=(PointCurrency("points"), status))).do(
        earn(10), earn(90, currency="status"), earn(10, days(40), "O-2", currency="status")
    )
    assert book.at(days(40), "status") == (100, 0, 0, 0)
    assert book.no(redeem(1, days(40), currency="status")).code is Code.NOT_POSSIBLE
    no = book.no(redeem(1, days(40), currency="miles"))
    assert (no.code, no.allowed) == (Code.UNKNOWN_CURRENCY, ("points", "status"))
    book.do(ReverseEarning("O-1", 30, "status", at=days(50), **BY))
    assert book.account.earned("status", D, days(30)) == 60  # the day of the earning counts
    assert book.account.earned("status") == 70
    book.do(Adjust(5, "goodwill", currency="status", at=days(60), **BY))
    assert book.account.earned("status", days(30), days(60)) == 15
    assert book.at(days(60)) == (10, 0, 0, 0)


def test_a_transfer_keeps_the_expiry_and_is_received_once() -> None:
    ann, bob = Book(), Book(name="M-2")
    ann.do(earn(30, expires_on=days(9)), earn(30, source="O-2"))
    answer = PLAIN.decide(ann.account, Transfer("M-2", 40, at=D, **BY)).or_raise()
    (request,) = answer.requests
    assert isinstance(request, Receive)
    assert request.parcels == (Parcel(30, days(9)), Parcel(10))
    bob.do(request)
    assert [lot.expires_on for lot in bob.account.lots(D)] == [days(9), None]
    again = PLAIN.decide(bob.account, request, earlier=bob.log)
    assert again == Accepted(bob.account, tuple(bob.log))
    other = attrs.evolve(request, parcels=[Parcel(41)])
    refusal = PLAIN.decide(bob.account, other, earlier=bob.log)
    assert isinstance(refusal, Refused)
    assert refusal.code is Code.KEY_REUSED
    sent = answer.state.balance(D).available
    assert (sent, bob.at(D)[0]) == (20, 40)
    assert ann.no(Transfer("M-1", 1, at=D, **BY)).code is Code.NOT_POSSIBLE
    late = attrs.evolve(request, at=days(9))
    assert Book(name="M-3").no(late).code is Code.EXPIRES_TOO_SOON


def test_an_opening_balance_comes_first() -> None:
    book = Book().do(
        OpenBalance(40, expires_on=days(5), at=D, **BY), OpenBalance(10, at=D, **BY), earn(5)
    )
    assert book.at(days(5)) == (15, 0, 0, 0)
    assert book.account.earned() == 5
    assert book.no(OpenBalance(1, at=D, **BY)).code is Code.NOT_POSSIBLE


def test_a_household_spends_what_expires_first() -> None:
    ann = Book(name="ann").do(earn(50, expires_on=days(90)))
    bob = Book(name="bob").do(earn(30, expires_on=days(60)), earn(9, source="p", usable_on=days(9)))
    home = Household([ann.account, bob.account])
    found = home.balance(D)
    assert (found.available, found.pending, found.next_expiring) == (80, 9, 30)
    assert home.shares(40, D) == (("bob", 30), ("ann", 10))
    assert home.shares(81, D) is None
    with refused(DuplicateError, "Household.accounts", given="ann"):
        Household([ann.account, ann.account])


# --- keys, late facts, two clocks -----------------------------------------------------------------


def test_a_key_repeats_the_answer_and_refuses_another_body() -> None:
    book, command = Book(), earn(5, key="K")
    book.do(command)
    again = PLAIN.decide(book.account, attrs.evolve(command, at=days(3)), earlier=book.log)
    assert again == Accepted(book.account, tuple(book.log))
    other = PLAIN.decide(book.account, attrs.evolve(command, points=6), earlier=book.log)
    assert isinstance(other, Refused)
    assert other.code is Code.KEY_REUSED


def test_a_refused_key_may_be_accepted_later() -> None:
    book, command = Book(), redeem(5, days(1), key="K")
    before = book.account
    assert book.no(command).code is Code.TOO_FEW_POINTS
    assert book.account == before
    book.do(earn(5), command)
    assert book.at(days(1)) == (0, 0, 0, 0)


def late_book(late: Anything) -> Book:
    book = Book(PointsPolicy(late=late)).do(earn(50, expires_on=days(90)), redeem(30, days(10)))
    return book.do(earn(40, days(5), "late", expires_on=days(20), recorded_at=days(12)))


def test_a_late_fact_rebooks_what_came_after_it() -> None:
    book = late_book("rebook")
    note = book.log[-1]
    assert isinstance(note, Rebooked)
    assert isinstance(note.replaced[0], Redeemed)
    assert note.replaced[0].taken == ((3, 30),)  # it expires first
    assert [book.at(days(n))[0] for n in (5, 10, 20)] == [90, 60, 50]
    assert book.account.statement(D, days(30)).rebooked
    assert book.log[1] != book.account.facts[1]  # the log says both


def test_a_late_fact_is_pinned_beside_what_came_after_it() -> None:
    book = late_book("pin")
    assert [type(x).__name__ for x in book.log] == ["Earned", "Redeemed", "Earned"]
    assert [book.at(days(n))[0] for n in (5, 10, 20)] == [90, 60, 20]
    no = book.no(redeem(61, days(6)))  # 90 were there then, but later facts have used 30
    assert no.code is Code.TOO_FEW_POINTS
    assert book.do(redeem(60, days(6))).at(days(20)) == (0, 0, 0, 0)


def test_a_late_fact_that_breaks_history_is_refused() -> None:
    book = Book().do(earn(50), redeem(40, days(10)))
    no = book.no(redeem(20, days(5)))
    assert (no.code, no.allowed) == (Code.BREAKS_HISTORY, (f"at {days(10)} or later",))
    assert book.at(days(10)) == (10, 0, 0, 0)


@pytest.mark.parametrize("late", ["rebook", "pin"])
def test_a_balance_of_a_day_as_it_is_known_and_as_it_was_known(late: Anything) -> None:
    book = late_book(late)
    policy = book.policy
    assert policy.balance(book.log, as_of=days(10)).available == 60
    assert policy.balance(book.log, as_of=days(10), known_at=days(11)).available == 20
    assert policy.balance(book.log, as_of=days(10), known_at=days(12)).available == 60


def test_instants_and_days_of_the_zone() -> None:
    evening = datetime(2024, 1, 1, 17, 0, tzinfo=UTC)  # 2 January in Shanghai
    book = Book(PointsPolicy(validity=Validity(days=1))).do(Earn(9, "O", at=evening, **BY))
    assert book.account.facts[0].on == date(2024, 1, 2)
    assert [book.at(date(2024, 1, n))[0] for n in (1, 2, 3, 4)] == [0, 9, 9, 0]
    west = Book(PointsPolicy(validity=Validity(days=1), zone="America/New_York"))
    assert west.do(Earn(9, "O", at=evening, **BY)).account.facts[0].on == D


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("points", [1.0, True, "5", None])
@pytest.mark.parametrize("make", [earn, redeem, lambda n: Hold(n, "h", at=D, **BY)])
def test_points_are_whole(make: Anything, points: Anything) -> None:
    with refused(WrongTypeError, "points", given=points):
        make(points)


@pytest.mark.parametrize("points", [0, -1])
@pytest.mark.parametrize("make", [earn, redeem, lambda n: Transfer("M-2", n, at=D, **BY)])
def test_points_are_more_than_none(make: Anything, points: int) -> None:
    with refused(InvalidValueError, "points", given=points):
        make(points)


def test_what_no_account_takes() -> None:
    with refused(InvalidValueError, "points", given=0):
        Adjust(0, "why", at=D, **BY)
    with refused(InvalidValueError, "source"):
        Earn(1, "", at=D, **BY)
    with refused(WrongTypeError, "source", given=7):
        Earn(1, 7, at=D, **BY)  # type: ignore[arg-type]
    with refused(InvalidValueError, "by"):
        Earn(1, "O", at=D, by="")
    with refused(NaiveInstantError, "at"):
        Earn(1, "O", at=datetime(2024, 1, 1), **BY)
    with refused(InvalidValueError, "parcels", given=()):
        Receive("M-1", [], at=D, **BY)
    with refused(InvalidValueError, "account_id"):
        PLAIN.start("")
    with refused(WrongTypeError, "account_id", given=7):
        PLAIN.start(7)  # type: ignore[arg-type]
    book = Book()
    assert book.no(earn(5, expires_on=D)).code is Code.EXPIRES_TOO_SOON
    assert book.no(earn(5, expires_on=days(3), usable_on=days(3))).code is Code.EXPIRES_TOO_SOON
    assert book.no(earn(5, currency="miles")).code is Code.UNKNOWN_CURRENCY
    assert book.no(redeem(1)).allowed == ()


def test_what_no_policy_says() -> None:
    with refused(DuplicateError, "PointsPolicy.currencies", given="points"):
        PointsPolicy(currencies=("points", "points"))  # type: ignore[arg-type]
    with refused(InvalidValueError, "PointsPolicy.currencies"):
        PointsPolicy(currencies=())
    with refused(UnknownNameError, "shortfall", given="forget"):
        PointsPolicy(shortfall="forget")  # type: ignore[arg-type]
    with refused(WrongTypeError, "PointsPolicy.pending_days", given=True):
        PointsPolicy(pending_days=True)
    with refused(InvalidValueError, "PointsPolicy.reminder_days", given=-1):
        PointsPolicy(reminder_days=-1)
    with refused(InvalidValueError, "PointCurrency.code"):
        PointCurrency("")


def test_facts_out_of_sequence_are_an_error() -> None:
    log = Book().do(earn(5), redeem(3)).log
    with refused(InvalidValueError, "sequence", given=2, allowed="1, the next in the log"):
        PLAIN.replay("M-1", log[1:])
    with refused(InvalidValueError, "sequence", given=1, allowed="2, the next in the log"):
        PLAIN.replay("M-1", [log[0], log[0]])
    assert isinstance(log[1], Redeemed)
    spent = attrs.evolve(log[1], taken=((1, 6),))
    with refused(InvalidValueError, "lot 1", given=-1):
        PLAIN.replay("M-1", [log[0], spent])


def test_an_account_remembers_the_policy_and_a_hold_its_deadline() -> None:
    book = Book().do(earn(5), Hold(3, "h", days(2), at=D, **BY))
    assert book.account.terms.fingerprint == PLAIN.fingerprint()
    other = PointsPolicy(validity=Validity(days=1), pending_days=9)
    assert other.fingerprint() != PLAIN.fingerprint()
    replayed = other.replay("M-1", book.log)
    assert replayed.balance(days(1)) == book.account.balance(days(1))  # facts say it all


# --- lots, deep accounts --------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 500), st.integers(0, 3)), max_size=400))
def test_lots_in_chunks_are_the_lots(rows: list[tuple[int, int, int]]) -> None:
    lots, plain = Lots(), dict[tuple[int, int, int], int]()
    for expires, number, points in rows:
        lots = lots.put((expires, 0, number, points, 0))
        plain[expires, 0, number] = points
    wanted = [(*key, points, 0) for key, points in sorted(plain.items()) if points]
    assert list(lots) == wanted
    assert lots == Lots.of(wanted)
    assert len(lots) == len(wanted)
    for day in (0, 5, 9):
        assert list(lots.after(day)) == [row for row in wanted if row[0] > day]
        assert list(lots.before(day)) == [row for row in wanted if row[0] <= day]
    for row in wanted:
        assert lots.find(*row[:3]) == row
    assert max(map(len, lots.chunks), default=0) <= 128


def test_a_deep_account_is_the_same() -> None:
    book = Book(YEAR)
    for number in range(700):
        command = (
            redeem(3, days(number)) if number % 3 == 2 else earn(5, days(number), f"O-{number}")
        )
        answer = YEAR.decide(book.account, command).or_raise()
        book.account = answer.state
        book.log += answer.facts
    assert YEAR.replay("M-1", book.log) == book.account
    assert book.account.fact(100) == book.log[99]
    assert [x.sequence for x in book.account.named("O-600")] == [601]
    assert book.account.sequence == 700


@pytest.mark.rule("SM-13")
def test_the_states_of_a_lot() -> None:
    lot = Lot(1, "O", "points", 50, 20, D, days(2), days(9))
    assert [lot.state(days(n)) for n in (1, 2, 8, 9)] == [
        LotState.PENDING, LotState.AVAILABLE, LotState.AVAILABLE, LotState.EXPIRED
    ]  # fmt: skip
    empty = attrs.evolve(lot, remaining=0)
    assert empty.state(D) is LotState.USED
    assert empty.state(D, reversed_points=50) is LotState.REVERSED
    assert lot.usable_through == days(8)


# --- liability, digests ---------------------------------------------------------------------------


def test_the_published_example_of_the_standard() -> None:
    """IFRS 15, Illustrative Example 52 (IE267 to IE270), in units of currency."""
    price = price_of_points(100_000, goods_minor=100_000, points_minor=9_500)
    assert (price, 100_000 - price) == (8_676, 91_324)
    first = Liability(price, redeemed=4_500, expected=9_500)
    assert (first.revenue_minor, first.liability_minor) == (4_110, 4_566)
    second = Liability(price, redeemed=8_500, expected=9_700)
    assert second.revenue_minor - first.revenue_minor == 3_493
    assert second.liability_minor == 1_073


def test_a_second_published_example() -> None:
    """KPMG, Revenue - IFRS 15 handbook, Example 10A and 10B: 9,000 for points, 9,700 expected."""
    first = Liability(9_000, redeemed=4_500, expected=9_700)
    assert first.revenue_minor == 4_175
    assert Liability(9_000, 8_500, 9_900).revenue_minor - first.revenue_minor == 3_552
    assert Liability(9_000, 8_500, 9_200).revenue_minor - first.revenue_minor == 4_140


def test_cohorts_follow_the_lots() -> None:
    book = Book().do(
        earn(100, expires_on=days(30)), earn(50, source="O-2", expires_on=days(400)),
        redeem(90, days(3)), earn(40, days(380), "O-3"), redeem(20, days(380)),
        Hold(5, "h", at=days(380), **BY), ReverseEarning("O-3", 10, at=days(381), **BY),
    )  # fmt: skip
    first, second = cohorts([book.account, Book(name="M-2").account], days(381))
    assert (first.earned, first.reversed, first.used, first.expired) == (150, 0, 110, 10)
    assert (first.outstanding, first.redemption_rate) == (30, Fraction(11, 15))
    assert (second.start, second.issued, second.outstanding) == (date(2025, 1, 1), 30, 30)
    assert first.liability(1_500, ultimate_rate=Fraction(1)).expected == 140  # 10 are gone
    assert first.liability(1_500, ultimate_rate=Fraction(0)).liability_minor == 0
    assert Liability(100, 0, 0).liability_minor == 0
    with refused(InvalidValueError, "expected", given=1):
        Liability(100, 2, 1)
    with refused(InvalidValueError, "goods_minor"):
        price_of_points(1, goods_minor=0, points_minor=0)


@pytest.mark.rule("A-45")
def test_a_chain_shows_the_first_entry_that_was_touched() -> None:
    log = Book().do(earn(5), earn(6, source="O-2"), redeem(3)).log
    kept = list(chain(log))
    head = head_of(log)
    assert check(log, kept, head=head).whole
    assert head == kept[-1]
    assert isinstance(log[1], Earned)
    changed = [log[0], attrs.evolve(log[1], points=7), log[2]]
    assert check(changed, kept).broken_at == 2
    assert check(log[:2], kept[:2]).whole  # a chain alone does not see its end cut off ...
    assert check(log[:2], kept[:2], head=head).broken_at == 3  # ... the head does
    assert check([log[1], log[0], log[2]], kept).broken_at == 1
    assert check([*log, log[2]], kept).broken_at == 4
    assert check([], []).whole


@pytest.mark.rule("E-14")
@pytest.mark.parametrize("late", list(LateRule))
@pytest.mark.parametrize("first", [Capture, Release])
@pytest.mark.parametrize("second", [Capture, Release])
def test_a_late_command_does_not_resolve_a_hold_once_more(
    late: LateRule, first: type[Capture | Release], second: type[Capture | Release]
) -> None:
    policy = PointsPolicy(late=late)
    account = policy.start("M-1")
    for command in (
        Earn(50, "O-1", at=date(2024, 1, 1), by="shop"),
        Hold(30, "h-1", at=date(2024, 1, 2), by="shop"),
        first("h-1", at=date(2024, 1, 20), by="shop"),
    ):
        account = policy.decide(account, command).or_raise().state
    refusal = policy.decide(account, second("h-1", at=date(2024, 1, 10), by="office"))
    assert isinstance(refusal, Refused)
    assert refusal.code is Code.BREAKS_HISTORY
    again = policy.decide(account, Hold(5, "h-1", at=date(2024, 1, 1), by="office"))
    assert isinstance(again, Refused)
    later = 20 if first is Capture else 50
    assert account.balance(date(2024, 2, 1)).available == later
