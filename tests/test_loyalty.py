"""The programme as a whole: from the purchase to points, prices, tiers, overrides, reports."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import retention
from retention import (
    Accepted,
    BlankValueError,
    History,
    InvalidValueError,
    Purchase,
    Refused,
    Return,
    WrongTypeError,
    loyalty,
)
from retention.accounts import Account
from retention.benefits import Benefit, BenefitCatalogue, BenefitKind
from retention.classifications import Classification
from retention.earning import EarningEvent, EarningRules, EventReward, OrderLine, Promotion
from retention.loyalty import (
    CarryOut,
    Earn,
    EarnFor,
    EvaluateTier,
    Grant,
    Member,
    Offset,
    Overridden,
    Programme,
    RedeemFor,
    Refund,
    SetTier,
    UpgradeTier,
)
from retention.loyalty_reports import annual, participation
from retention.mechanisms.answers import Code
from retention.mechanisms.decisions import FirstMatch
from retention.mechanisms.money import Money
from retention.mechanisms.obligations import Every
from retention.mechanisms.policies import Origin, is_blank
from retention.mechanisms.rules import parse
from retention.member_days import MemberDay
from retention.points import Earned, EarningReversed, Redeemed
from retention.presets import (
    customer_operations,
    ecommerce,
    membership,
    new_measures,
    user_retention,
)
from retention.redeeming import (
    CashOffset,
    CatalogueItem,
    OffsetQuote,
    RedemptionPurpose,
    RedemptionRules,
    UpgradePrice,
)
from retention.redemptions import PointsAction, PointsRequest
from retention.rewards import Reward, reversal
from retention.testing import laws, loyalty_orders, programmes
from retention.tier_changes import TierChange, TierMove
from retention.tiers import TierCase, Tiers
from retention.touch_requests import TouchKind, TouchRequest
from tests import catalogue
from tests.refusals import refused

YUAN = Money.of(1, "CNY")
SHANGHAI = ZoneInfo("Asia/Shanghai")


def tiers(**terms: Any) -> Tiers:  # noqa: ANN401
    cases = (
        TierCase("gold", parse("qualifying_spend_minor >= 500000")),
        TierCase("silver", parse("qualifying_spend_minor >= 100000")),
    )
    return Tiers(Classification("tiers", FirstMatch(cases, otherwise="ordinary")), **terms)


PRICES = RedemptionRules(
    purposes=tuple(RedemptionPurpose),
    items=(
        CatalogueItem("umbrella", RedemptionPurpose.GIFT, 70),
        CatalogueItem("course", RedemptionPurpose.SERVICE, 90, tiers=("gold",)),
        CatalogueItem("lamp", RedemptionPurpose.PRODUCT, 50, until=date(2024, 5, 31)),
    ),
    offset=CashOffset(10, YUAN, share=Fraction(1, 2), at_most=Money.of(30, "CNY"), least_points=20),
    upgrades=(UpgradePrice("silver", 100), UpgradePrice("gold", 400)),
)
OURS = Programme(
    tiers=tiers(),
    earning=EarningRules(
        step=Money.of(10, "CNY"),
        events=(EventReward(EarningEvent.DISCUSSION, 30),),
        promotions=(Promotion("gold bonus", factor=Fraction(3, 2), tiers=("gold",)),),
    ),
    redeeming=PRICES,
)
DAY = date(2024, 5, 6)


def member(**more: Any) -> Member:  # noqa: ANN401
    given: dict[str, Any] = {"approved_at": date(2024, 1, 1), "history": History("M-1")}
    return Member("M-1", OURS.points.start("M-1"), **(given | more))


def bought(day: Any, minor: int, order: str, currency: str = "CNY") -> Purchase:  # noqa: ANN401
    return Purchase("M-1", day, minor, order=order, currency=currency)


def earn(day: Any, minor: int, order: str, **more: Any) -> Earn:  # noqa: ANN401
    return Earn(bought(day, minor, order), at=day, by="checkout", **more)


def rich(points: int, **more: Any) -> Member:  # noqa: ANN401
    """A member with points on the account."""
    given = Grant(points, "start", approver="boss", at=date(2024, 1, 1), by="li", key="start")
    return OURS.decide(member(**more), given).or_raise().state


def refusal(answer: object) -> tuple[Code, tuple[str, ...], tuple[str, ...]]:
    assert isinstance(answer, Refused)
    return answer.code, answer.missing, answer.allowed


# --- S-24: the scenario through the front door ----------------------------------------------------

S24 = membership.programme.with_all(
    {
        "earning.step": Money.of("10", "CNY"),
        "earning.events.discussion.points": 30,
        "redeeming.offset": CashOffset(10, YUAN),
        "redeeming.items": (CatalogueItem("gift", RedemptionPurpose.GIFT, 70),),
    }
)


@pytest.mark.rule("S-24", "E-08", "E-09", "E-10", "E-11", "E-12", "E-16", "VAR-12", "VAR-05")
def test_the_scenario_as_written() -> None:
    who = Member("M-1", S24.points.start("M-1"), date(2023, 1, 1), date(1990, 5, 20))

    def do(command: Any) -> Accepted[Member, Any]:  # noqa: ANN401
        return S24.decide(who, command).or_raise()

    first = Earn(bought(date(2023, 5, 3), 259_00, "O-1"), at=date(2023, 5, 3), by="checkout")
    done = do(first)
    assert [(x.points, str(x.expires_on)) for x in done.facts if isinstance(x, Earned)] == [
        (25, "2024-06-01"),
        (25, "2024-06-01"),
    ]
    who = done.state
    who = do(
        Earn(bought(date(2023, 6, 15), 1_000_00, "O-2"), at=date(2023, 6, 15), by="checkout")
    ).state
    talk = EarnFor(EarningEvent.DISCUSSION, "topic-7", at=date(2023, 7, 1), by="li")
    who = do(talk).state
    assert who.account.balance(date(2023, 7, 1)).available == 180
    gift = do(RedeemFor("gift", at=date(2024, 1, 10), by="shop", key="G-1"))
    who = gift.state
    (taken,) = (x for x in gift.facts if isinstance(x, Redeemed))
    assert [points for _, points in taken.taken] == [25, 25, 20]  # base and bonus, then lot 2
    assert who.account.balance(date(2024, 1, 10)).available == 110
    reminders = [x for x in who.account.due(date(2024, 5, 30)) if x.kind == "reminder"]
    assert (reminders[0].on, reminders[0].points, reminders[0].usable_through) == (
        date(2024, 5, 31),
        80,
        date(2024, 6, 30),
    )
    (reminder,) = S24.reminders(who, on=date(2024, 5, 31))
    assert (reminder.points, reminder.usable_through, reminder.affordable) == (
        80,
        date(2024, 6, 30),
        ("gift",),
    )
    assert S24.reminders(who, on=date(2024, 5, 30)) == ()
    order = Money.of("85.00", "CNY")
    paid = do(Offset(50, order, at=date(2024, 6, 20), by="checkout", key="O-3"))
    who = paid.state
    (quote,) = (x for x in paid.requests if isinstance(x, OffsetQuote))
    assert (quote.points, str(quote.amount), str(quote.payable)) == (50, "5.00 CNY", "80.00 CNY")
    last = bought(date(2024, 6, 20), 85_00, "O-3")
    done = do(Earn(last, points_part_minor=5_00, at=date(2024, 6, 20), by="checkout"))
    who = done.state
    (fact,) = (x for x in done.facts if isinstance(x, Earned))
    assert (fact.points, fact.expires_on) == (8, date(2025, 7, 1))
    for day, left in (
        (date(2024, 6, 30), 68),
        (date(2024, 7, 1), 38),
        (date(2024, 7, 31), 38),
        (date(2024, 8, 1), 8),
    ):
        assert who.account.balance(day).available == left
    small = S24.with_("redeeming.items", (CatalogueItem("pen", RedemptionPurpose.GIFT, 9),))
    no = small.decide(who, RedeemFor("pen", at=date(2024, 8, 1), by="shop"))
    assert refusal(no)[0] is Code.TOO_FEW_POINTS
    small = small.with_("redeeming.items", (CatalogueItem("pen", RedemptionPurpose.GIFT, 8),))
    assert isinstance(small.decide(who, RedeemFor("pen", at=date(2024, 8, 1), by="shop")), Accepted)
    assert do(first).state == who  # posting the first purchase twice changes nothing


@pytest.mark.rule("S-24")
@given(st.integers(0, 5_000_00), st.integers(1, 50_00), st.integers(1, 12), st.integers(1, 12))
def test_the_scenario_with_other_numbers(minor: int, step: int, month: int, born: int) -> None:
    ours = membership.programme.with_("earning.step", Money(step, "CNY"))
    day = date(2023, month, 28)
    who = Member("M-1", ours.points.start("M-1"), day, date(1990, born, 1))
    after = ours.decide(who, Earn(bought(day, minor, "O-1"), at=day, by="checkout")).or_raise()
    base = minor // step
    assert sum(x.points for x in after.facts if isinstance(x, Earned)) == (
        2 * base if month == born else base
    )
    balance = after.state.account.balance
    last = date(2024 + (month == 12), month % 12 + 1, 1)  # the first unusable day
    assert balance(last.fromordinal(last.toordinal() - 1)).available == sum(
        x.points for x in after.facts if isinstance(x, Earned)
    )
    assert balance(last).available == 0


def test_readme_first_use() -> None:
    programme = membership.programme.with_("earning.step", Money.of("10", "CNY"))
    account = programme.points.start("M-1")
    now = datetime(2023, 5, 3, 12, tzinfo=SHANGHAI)
    purchase = bought(now, 259_00, "O-1")
    done = programme.decide(account, Earn(purchase, at=now, by="checkout", key="O-1"))
    assert isinstance(done, Accepted)
    assert isinstance(done.state, Account)
    assert done.state.balance(now).available == 25  # an account alone has no birthday
    again = programme.decide(
        account, Earn(purchase, at=now, by="checkout", key="O-1"), earlier=done.facts
    ).or_raise()
    assert (again.state, again.facts) == (account, done.facts)
    other = bought(now, 300_00, "O-9")
    no = programme.decide(
        account, Earn(other, at=now, by="checkout", key="O-1"), earlier=done.facts
    )
    assert refusal(no)[:2] == (Code.KEY_REUSED, ("unused_key",))
    assert retention.loyalty is loyalty


# --- E-01, E-03: the programme itself -------------------------------------------------------------


@pytest.mark.rule("E-01")
def test_a_programme_is_versioned_data() -> None:
    new = attrs.evolve(OURS, version="2", effective_from=date(2024, 7, 1))
    assert loyalty.in_force([new, OURS], date(2024, 6, 30)) == OURS
    assert loyalty.in_force([new, OURS], date(2024, 7, 1)) == new
    with refused(InvalidValueError, "in_force"):
        loyalty.in_force([new], date(2024, 6, 30))
    assert [x.path for x in OURS.compare(OURS.with_("tiers.gold.when", "qualifying_points >= 9"))]
    paths = {entry.path for entry in OURS.values()}
    assert {"tiers.gold.when", "earning.step", "redeeming.items.umbrella.points"} <= paths


@pytest.mark.rule("E-01", "E-12", "E-13")
def test_violations_are_listed() -> None:
    assert OURS.violations() == ()
    wrong = attrs.evolve(
        OURS,
        redeeming=attrs.evolve(
            PRICES, offset=None, upgrades=(UpgradePrice("platinum", 5), UpgradePrice("gold", 9))
        ),
        earning=attrs.evolve(OURS.earning, promotions=(Promotion("p", points=1, tiers=("vip",)),)),
    )
    assert [str(x) for x in wrong.violations()] == [
        "redeeming.upgrades.platinum: platinum; allowed: ordinary, silver, gold (E-01)",
        "earning.promotions.p: vip; allowed: ordinary, silver, gold (E-01)",
        "redeeming.offset: none; allowed: a rate, as CashOffset (E-12)",
    ]
    (far,) = attrs.evolve(OURS, earning=EarningRules(zone="UTC")).violations()
    assert (far.where, far.given, far.allowed) == ("earning.zone", "UTC", "Asia/Shanghai")
    bare = attrs.evolve(OURS, tiers=None, earning=EarningRules())
    assert {x.rule for x in bare.violations()} == {"E-01", "E-13"}


@pytest.mark.rule("E-03")
def test_a_higher_tier_never_has_fewer_benefits() -> None:
    ladder = ("silver", "gold")
    fine = BenefitCatalogue(
        (Benefit(BenefitKind.FREE_SHIPPING, ("silver", "gold")),), ladder=ladder
    )
    assert attrs.evolve(OURS, benefits=fine).violations() == ()
    worse = BenefitCatalogue((Benefit(BenefitKind.FREE_SHIPPING, ("silver",)),), ladder=ladder)
    (found,) = attrs.evolve(OURS, benefits=worse).violations()
    assert (found.rule, found.where) == ("E-03", "benefits of gold")
    strange = BenefitCatalogue((), ladder=("bronze",))
    (found,) = attrs.evolve(OURS, benefits=strange).violations()
    assert (found.rule, found.given) == ("E-01", "bronze")


# --- membership -----------------------------------------------------------------------------------


@pytest.mark.rule("E-11")
def test_nothing_happens_before_the_approval() -> None:
    approved = datetime(2024, 1, 6, 15, tzinfo=SHANGHAI)
    who = member(approved_at=approved)
    early = datetime(2024, 1, 6, 14, 59, tzinfo=SHANGHAI)
    for command in (
        RedeemFor("umbrella", at=early, by="shop"),
        earn(early, 259_00, "O-1"),
        Grant(5, "goodwill", approver="boss", at=early, by="li"),
    ):
        assert refusal(OURS.decide(who, command))[:2] == (Code.NOT_A_MEMBER, ("approval",))
    assert isinstance(OURS.decide(who, earn(approved, 259_00, "O-1")), Accepted)
    never = member(approved_at=None)
    assert refusal(OURS.decide(never, earn(DAY, 1, "O-1")))[0] is Code.NOT_A_MEMBER
    with refused(InvalidValueError, "as_of"):
        OURS.tier(never, as_of=DAY)


# --- earning through the front door ---------------------------------------------------------------


@pytest.mark.rule("E-09", "E-14")
def test_a_source_earns_once() -> None:
    one = OURS.decide(member(), earn(DAY, 259_00, "O-1")).or_raise()
    again = OURS.decide(one.state, earn(date(2024, 6, 1), 259_00, "O-1")).or_raise()
    assert again.state == one.state
    no = OURS.decide(one.state, earn(DAY, 300_00, "O-1"))
    assert refusal(no)[0] is Code.KEY_REUSED
    talk = EarnFor(EarningEvent.DISCUSSION, "topic-7", at=DAY, by="li")
    two = OURS.decide(one.state, talk).or_raise()
    assert OURS.decide(two.state, talk).or_raise().state == two.state
    (fact,) = two.facts
    assert isinstance(fact, Earned)
    assert (fact.points, fact.source, fact.reason) == (
        30,
        "topic-7",
        "discussion: event discussion is worth 30",
    )


@pytest.mark.rule("E-38")
def test_an_event_without_a_rule_needs_an_override() -> None:
    for event in (EarningEvent.CONTEST, EarningEvent.PURCHASE):
        no = OURS.decide(member(), EarnFor(event, "quiz", at=DAY, by="li"))
        assert refusal(no) == (Code.OVERRIDE_REQUIRED, ("rule",), ("grant",))


def test_purchases_of_others_and_without_a_source_are_refused() -> None:
    stranger = Purchase("M-2", DAY, 259_00, order="O-1", currency="CNY")
    no = OURS.decide(member(), Earn(stranger, at=DAY, by="checkout"))
    assert refusal(no)[:2] == (Code.NAMES_MISSING, ("purchase_of_this_member",))
    no = OURS.decide(member(), earn(DAY, 259_00, ""))
    assert refusal(no)[:2] == (Code.NAMES_MISSING, ("order_or_key",))
    assert isinstance(OURS.decide(member(), earn(DAY, 259_00, "", key="k")), Accepted)
    no = OURS.decide(member(), Refund(bought(DAY, 1, "O-7"), 1, at=DAY, by="li"))
    assert refusal(no)[:2] == (Code.UNKNOWN_REFERENCE, ("earning",))
    with refused(WrongTypeError, "state"):
        OURS.decide("M-1", earn(DAY, 1, "O-1"))  # type: ignore[call-overload]


def test_nothing_is_half_applied() -> None:
    two = attrs.evolve(OURS.earning, promotions=(Promotion("extra", points=5),))
    one_kind = attrs.evolve(OURS, earning=two)
    who = member()
    before = who
    wrong = Earn(bought(DAY, 259_00, "O-1", "USD"), at=DAY, by="checkout")
    with pytest.raises(retention.MixedCurrenciesError):
        one_kind.decide(who, wrong)
    assert who == before


@pytest.mark.rule("E-17")
def test_refunds_take_back_what_the_rest_does_not_earn() -> None:
    ours = attrs.evolve(OURS, earning=EarningRules(step=Money.of(10, "CNY")))
    done = ours.decide(member(), earn(DAY, 259_00, "O-1")).or_raise()
    part = Refund(bought(DAY, 259_00, "O-1"), 9_01, at=date(2024, 5, 8), by="li", key="R-1")
    kept = ours.decide(done.state, part).or_raise()
    (fact,) = kept.facts
    assert isinstance(fact, EarningReversed)
    assert fact.points == 1
    rest = Refund(bought(DAY, 259_00, "O-1"), 259_00, at=date(2024, 5, 9), by="li", key="R-2")
    gone = ours.decide(kept.state, rest).or_raise()
    assert gone.state.account.balance(date(2024, 5, 9)).available == 0
    nothing = ours.decide(done.state, attrs.evolve(part, refunded_minor=1_00)).or_raise()
    assert nothing.state.account.balance(DAY).available == 25
    assert nothing.facts == ()  # 258.00 still earn 25


def test_a_quote_commits_nothing() -> None:
    who = member()
    order = earn(DAY, 259_00, "O-1").order
    quote = OURS.quote(who, order)
    assert (quote.points, str(quote.reasons[0])) == (
        25,
        "counted_minor 25900 is worth 1 for each full 10.00 CNY",
    )
    assert who.account.sequence == 0


def test_the_tier_gives_a_bonus_from_the_purchase_after_the_rise_on() -> None:
    first = OURS.decide(member(), earn(DAY, 5_000_00, "O-1")).or_raise()
    assert sum(x.points for x in first.facts if isinstance(x, Earned)) == 500
    second = OURS.decide(first.state, earn(date(2024, 5, 7), 100_00, "O-2")).or_raise()
    assert [x.points for x in second.facts if isinstance(x, Earned)] == [10, 5]


def test_what_other_rooms_ask_for_is_carried_out_once() -> None:
    reward = Reward("M-1", "points", 200, reason="referral", source="r-1", key="r-1:referrer")
    ask = CarryOut(reward, at=DAY, by="referrals")
    done = OURS.decide(member(), ask).or_raise()
    assert done.state.account.balance(DAY).available == 200
    assert OURS.decide(done.state, ask).or_raise().state == done.state
    other = CarryOut(attrs.evolve(reward, amount=300), at=DAY, by="referrals")
    assert refusal(OURS.decide(done.state, other))[0] is Code.KEY_REUSED
    back = CarryOut(reversal(reward, "returned"), at=DAY, by="referrals")
    gone = OURS.decide(done.state, back).or_raise().state
    assert gone.account.balance(DAY).available == 0
    assert OURS.decide(gone, back).or_raise().state == gone
    take = PointsRequest("M-1", PointsAction.TAKE, 50, "u-1", "u-1:take")
    used = OURS.decide(done.state, CarryOut(take, at=DAY, by="desk")).or_raise().state
    assert used.account.balance(DAY).available == 150
    give = PointsRequest("M-1", PointsAction.RETURN, 50, "u-1", "u-1:return")
    again = OURS.decide(used, CarryOut(give, at=DAY, by="desk")).or_raise().state
    assert again.account.balance(DAY).available == 200
    gift = attrs.evolve(reward, kind="gift")
    no = OURS.decide(member(), CarryOut(gift, at=DAY, by="referrals"))
    assert refusal(no) == (Code.NOT_APPLICABLE, ("gift",), ("points",))
    no = OURS.decide(member(), CarryOut(attrs.evolve(reward, member="M-2"), at=DAY, by="x"))
    assert refusal(no)[1] == ("request_of_this_member",)


# --- redeeming ------------------------------------------------------------------------------------


@pytest.mark.rule("E-11", "VAR-12")
def test_the_catalogue_of_prices() -> None:
    who = rich(120)
    done = OURS.decide(who, RedeemFor("umbrella", at=DAY, by="shop", key="r-1")).or_raise()
    (fact,) = done.facts
    assert isinstance(fact, Redeemed)
    assert (fact.points, fact.purpose, fact.redemption) == (70, "gift:umbrella", "r-1")
    assert done.state.account.balance(DAY).available == 50
    for item, day in (("bicycle", DAY), ("course", DAY), ("lamp", date(2024, 6, 1))):
        no = OURS.decide(who, RedeemFor(item, at=day, by="shop"))
        assert refusal(no)[:2] == (Code.NOT_OFFERED, (item,))
    no = OURS.decide(done.state, RedeemFor("umbrella", at=DAY, by="shop"))
    assert refusal(no)[0] is Code.TOO_FEW_POINTS
    names = [x.name for x in PRICES.affordable(100, DAY, tier="gold")]
    assert names == ["course", "umbrella", "lamp"]
    assert [x.name for x in PRICES.affordable(100, date(2024, 6, 1))] == ["umbrella"]
    assert [x.name for x in PRICES.affordable(70, date(2024, 6, 1))] == ["umbrella"]
    assert PRICES.affordable(69, date(2024, 6, 1)) == ()


@pytest.mark.rule("E-11")
def test_every_use_of_the_handbooks_is_a_purpose() -> None:
    assert [str(x) for x in RedemptionPurpose] == [
        "product",
        "service",
        "gift",
        "cash_offset",
        "tier_upgrade",
        "other_offer",
    ]


@pytest.mark.rule("E-12")
@pytest.mark.parametrize(
    ("points", "order", "used", "paid"),
    [
        (50, "85.00", 50, "5.00"),
        (55, "85.00", 55, "5.50"),
        (999, "50.00", 250, "25.00"),  # half of the order
        (999, "900.00", 300, "30.00"),  # at most 30.00
        (999, "0.00", 0, "0.00"),
        (19, "85.00", 0, "0.00"),  # below the minimum
        (20, "85.00", 20, "2.00"),
        (999, "3.00", 0, "0.00"),  # half of 3.00 would take 15 points, below the minimum
    ],
)
def test_a_cash_offset(points: int, order: str, used: int, paid: str) -> None:
    assert PRICES.offset is not None
    quote = PRICES.offset.of(points, Money.of(order, "CNY"))
    assert (quote.points, str(quote.amount)) == (used, f"{paid} CNY")
    assert quote.payable + quote.amount == Money.of(order, "CNY")


@pytest.mark.rule("E-12")
@given(
    st.integers(0, 10**6), st.integers(0, 10**7), st.integers(1, 999), st.integers(1, 999),
    st.none() | st.integers(1, 10),
)  # fmt: skip
def test_an_offset_never_pays_more_than_cap_order_or_points(
    points: int, order: int, rate: int, minor: int, tenths: int | None
) -> None:
    share = None if tenths is None else Fraction(tenths, 10)
    offset = CashOffset(rate, Money(minor, "CNY"), share=share)
    quote = offset.of(points, Money(order, "CNY"))
    assert 0 <= quote.points <= points
    assert 0 <= quote.payable.minor <= order
    assert quote.amount.minor <= order * (share or 1)
    assert quote.amount.minor * rate <= quote.points * minor  # no point is given too much for
    if quote.points:  # one point less would pay less
        assert (quote.points - 1) * minor // rate < quote.amount.minor


@pytest.mark.rule("E-12")
def test_an_offset_through_the_front_door() -> None:
    who, order = rich(500), Money.of(85, "CNY")
    done = OURS.decide(who, Offset(500, order, at=DAY, by="checkout", key="O-3")).or_raise()
    assert done.state.account.balance(DAY).available == 200  # at most 30.00, so 300 points
    no = OURS.decide(who, Offset(19, order, at=DAY, by="checkout"))
    assert refusal(no)[:2] == (Code.NOT_APPLICABLE, ("points 19 is not >= 20",))
    none = attrs.evolve(OURS, redeeming=RedemptionRules())
    no = none.decide(who, Offset(19, order, at=DAY, by="checkout"))
    assert refusal(no)[0] is Code.NOT_OFFERED
    with pytest.raises(retention.MixedCurrenciesError):
        OURS.decide(who, Offset(50, Money.of(85, "USD"), at=DAY, by="checkout"))


@pytest.mark.rule("E-13", "SM-12", "E-06")
def test_points_buy_one_step_of_the_ladder() -> None:
    who = rich(450)
    no = OURS.decide(who, UpgradeTier("gold", at=DAY, by="M-1"))
    assert refusal(no) == (Code.NOT_POSSIBLE, ("one_step",), ("silver",))
    done = OURS.decide(who, UpgradeTier("silver", at=DAY, by="M-1", key="u-1")).or_raise()
    paid, change = done.facts
    assert isinstance(paid, Redeemed)
    assert isinstance(change, TierChange)
    assert (paid.points, paid.purpose) == (100, "tier_upgrade:silver")
    assert (change.move, change.left, change.entered, change.valid_through, change.cause) == (
        TierMove.BUY,
        "ordinary",
        "silver",
        date(2025, 5, 5),
        "100 points",
    )
    here = OURS.tier(done.state, as_of=DAY)
    assert (here.tier, here.valid_through) == ("silver", date(2025, 5, 5))
    assert [x.kind for x in done.requests if isinstance(x, TouchRequest)] == [TouchKind.TIER_CHANGE]
    no = OURS.decide(done.state, UpgradeTier("gold", at=DAY, by="M-1"))
    assert refusal(no)[0] is Code.TOO_FEW_POINTS  # 350 of 400
    top = OURS.decide(member(), earn(DAY, 9_000_00, "O-1")).or_raise().state
    no = OURS.decide(top, UpgradeTier("gold", at=DAY, by="M-1"))
    assert refusal(no)[:2] == (Code.NOT_POSSIBLE, ("one_step",))
    cheap = attrs.evolve(OURS, redeeming=attrs.evolve(PRICES, upgrades=()))
    no = cheap.decide(who, UpgradeTier("silver", at=DAY, by="M-1"))
    assert refusal(no)[:2] == (Code.NOT_OFFERED, ("price of silver",))
    none = attrs.evolve(OURS, redeeming=RedemptionRules())
    no = none.decide(who, UpgradeTier("silver", at=DAY, by="M-1"))
    assert refusal(no)[:2] == (Code.NOT_OFFERED, ("tier_upgrade",))


def _bad() -> list[Any]:
    item: Any = CatalogueItem
    offset: Any = CashOffset
    return [
        lambda: item("x", "gift", 1.5),
        lambda: item("x", "gift", 0),
        lambda: item("x", "cash_offset", 5),
        lambda: item("x", "gift", 5, since=DAY, until=date(2024, 5, 5)),
        lambda: offset(10, 1),
        lambda: offset(10, Money(0, "CNY")),
        lambda: offset(0, YUAN),
        lambda: offset(10, YUAN, share=0.5),
        lambda: offset(10, YUAN, share="3/2"),
        lambda: CashOffset(10, YUAN).of(-1, YUAN),
        lambda: CashOffset(10, YUAN).of(5, Money(-1, "CNY")),
        lambda: Offset(0, YUAN, at=DAY, by="li"),
        lambda: Refund(bought(DAY, 1, "O"), 0, at=DAY, by="li"),
        lambda: Grant(0, "x", at=DAY, by="li"),
        lambda: Grant(5, "", at=DAY, by="li"),
    ]


@pytest.mark.parametrize("number", range(15))
def test_bad_values_are_refused(number: int) -> None:
    with pytest.raises((InvalidValueError, WrongTypeError)):
        _bad()[number]()


def test_a_catalogue_holds_only_what_points_may_be_used_for() -> None:
    items = (CatalogueItem("umbrella", RedemptionPurpose.GIFT, 70),)
    with refused(retention.UnknownNameError, "RedemptionRules.items.umbrella"):
        RedemptionRules(purposes=(RedemptionPurpose.SERVICE,), items=items)
    with pytest.raises(retention.DuplicateError):
        RedemptionRules(purposes=(RedemptionPurpose.GIFT,), items=items * 2)
    with refused(retention.UnknownNameError, "RedemptionRules.items", given="bicycle"):
        PRICES.item("bicycle")


# --- tiers through the front door -----------------------------------------------------------------


@pytest.mark.rule("E-04", "E-06")
def test_a_purchase_raises_the_tier_at_once_and_asks_for_a_notice() -> None:
    done = OURS.decide(member(), earn(DAY, 1_000_00, "O-1")).or_raise()
    change = done.facts[-1]
    assert isinstance(change, TierChange)
    assert (change.move, change.entered, change.on) == (TierMove.UP, "silver", DAY)
    assert done.requests == (
        TouchRequest(
            "M-1",
            TouchKind.TIER_CHANGE,
            DAY,
            {
                "move": "up",
                "left": "ordinary",
                "entered": "silver",
                "valid_through": "2025-05-05",
            },
            rule="E-06",
        ),
    )
    assert done.state.changes == (change,)
    again = OURS.replay(member(history=done.state.history), done.facts)
    assert again == done.state


@pytest.mark.rule("E-04")
def test_a_late_entry_never_comes_before_a_change_on_record() -> None:
    who = OURS.decide(member(), earn(DAY, 1_000_00, "O-1")).or_raise().state
    late = OURS.decide(who, earn(date(2024, 3, 1), 4_000_00, "O-0")).or_raise()
    assert [(x.move, x.left, x.entered, x.on) for x in late.state.changes] == [
        (TierMove.UP, "ordinary", "silver", DAY),
        (TierMove.UP, "silver", "gold", DAY),
    ]
    evening = datetime(2024, 5, 6, 20, tzinfo=SHANGHAI)
    noon = datetime(2024, 5, 6, 12, tzinfo=SHANGHAI)
    who = OURS.decide(member(), earn(evening, 1_000_00, "O-1")).or_raise().state
    late = OURS.decide(who, earn(noon, 10_00, "O-0")).or_raise()
    assert late.state.changes == who.changes


@pytest.mark.rule("E-39", "E-44")
def test_points_that_came_back_were_not_redeemed() -> None:
    who = OURS.decide(rich(100), RedeemFor("umbrella", at=DAY, by="shop", key="r")).or_raise().state
    back = PointsRequest("M-1", PointsAction.RETURN, 20, "r", "r:return")
    who = OURS.decide(who, CarryOut(back, at=DAY, by="shop")).or_raise().state
    assert annual(OURS, who, 2024).points_redeemed == 50
    report = participation([who], customers=1, since=DAY, until=DAY)
    assert report.redemption.numerator == 50


def test_base_and_bonus_have_keys_of_their_own() -> None:
    promoted = attrs.evolve(
        OURS, earning=attrs.evolve(OURS.earning, promotions=(Promotion("extra", points=5),))
    )
    done = promoted.decide(member(), earn(DAY, 259_00, "O-1", key="k")).or_raise()
    assert [(fact.key, fact.by) for fact in done.facts] == [
        ("k", "checkout"),
        ("k#extra", "checkout"),
    ]


@pytest.mark.rule("E-05", "E-06")
def test_falls_are_put_on_record_with_their_notice() -> None:
    who = OURS.decide(member(), earn(DAY, 1_000_00, "O-1")).or_raise().state
    done = OURS.decide(who, EvaluateTier(at=date(2026, 6, 1), by="nightly")).or_raise()
    assert [
        (str(x.move), x.entered, str(x.on)) for x in done.facts if isinstance(x, TierChange)
    ] == [
        ("keep", "silver", "2025-05-06"),
        ("down", "ordinary", "2026-05-06"),
    ]
    assert len(done.requests) == 2
    again = OURS.decide(done.state, EvaluateTier(at=date(2026, 6, 1), by="nightly")).or_raise()
    assert (again.facts, again.requests) == ((), ())
    assert OURS.tier(done.state, as_of=date(2026, 6, 1)).tier == "ordinary"


@pytest.mark.rule("E-02")
def test_points_can_make_the_tier() -> None:
    case = TierCase("silver", parse("qualifying_points >= 100"))
    ladder = Tiers(Classification("tiers", FirstMatch((case,), otherwise="ordinary")))
    ours = attrs.evolve(OURS, tiers=ladder, redeeming=RedemptionRules())
    done = ours.decide(member(), earn(DAY, 1_000_00, "O-1")).or_raise()
    assert ours.tier(done.state, as_of=DAY).tier == "silver"
    returned = Refund(bought(DAY, 1_000_00, "O-1"), 1_00, at=DAY, by="li")
    back = ours.decide(done.state, returned).or_raise().state
    assert ours.tier(attrs.evolve(back, changes=()), as_of=DAY).tier == "ordinary"
    account = ours.decide(ours.points.start("M-1"), earn(DAY, 1_000_00, "O-1")).or_raise().state
    assert ours.tier(account, as_of=DAY).tier == "silver"


def test_what_is_due_holds_points_and_tier() -> None:
    who = OURS.decide(member(), earn(DAY, 1_000_00, "O-1")).or_raise().state
    ends = [x.what for x in OURS.due(who, as_of=DAY) if hasattr(x, "what")]
    assert ends == ["tier silver ends"]
    assert OURS.due(member(approved_at=None), as_of=DAY) == ()


# --- E-38 -----------------------------------------------------------------------------------------


@pytest.mark.rule("E-38")
def test_what_no_rule_gives_needs_another_person() -> None:
    for command in (
        Grant(50, "goodwill", at=DAY, by="li"),
        SetTier("gold", "status match", at=DAY, by="li"),
    ):
        assert refusal(OURS.decide(member(), command))[:2] == (
            Code.OVERRIDE_REQUIRED,
            ("approver",),
        )
        own = attrs.evolve(command, approver="li")
        assert refusal(OURS.decide(member(), own))[:2] == (
            Code.OVERRIDE_REQUIRED,
            ("another_approver",),
        )
    done = OURS.decide(
        member(), Grant(50, "goodwill", approver="boss", at=DAY, by="li", key="g-1")
    ).or_raise()
    log = done.facts[-1]
    assert isinstance(log, Overridden)
    assert (log.operation, log.approver, log.by, log.reason) == ("grant", "boss", "li", "goodwill")
    assert done.state.overrides == (log,)
    assert done.state.account.balance(DAY).available == 50
    again = OURS.decide(
        done.state,
        Grant(50, "goodwill", approver="boss", at=DAY, by="li", key="g-1"),
        earlier=done.facts,
    ).or_raise()
    assert again.state == done.state


@pytest.mark.rule("E-38", "SM-12")
def test_a_match_and_a_lock_are_overrides() -> None:
    match = SetTier(
        "gold",
        "status match",
        approver="boss",
        valid_through=date(2024, 8, 31),
        locked_through=date(2024, 12, 31),
        at=DAY,
        by="li",
        key="m-1",
    )
    done = OURS.decide(member(), match).or_raise()
    assert OURS.tier(done.state, as_of=date(2024, 12, 31)).tier == "gold"
    assert OURS.tier(done.state, as_of=date(2025, 1, 1)).tier == "ordinary"
    assert [type(x).__name__ for x in done.facts] == ["TierChange", "Overridden"]
    no = OURS.decide(member(), attrs.evolve(match, tier="platinum", key=""))
    assert refusal(no)[2] == ("ordinary", "silver", "gold")
    repeated = OURS.decide(done.state, match, earlier=done.facts).or_raise()
    assert repeated.state == done.state


# --- E-24, E-39, E-44 -----------------------------------------------------------------------------


@pytest.mark.rule("E-24")
def test_the_member_day_and_its_notice() -> None:
    day = MemberDay(Every(months=1, first_day=18, last_day=18), notice_days=3)
    found = day.dates(date(2024, 1, 1), date(2024, 12, 31))
    assert [x.day for x in found] == [18] * 12
    assert day.dates(date(2024, 1, 18), date(2024, 1, 18)) == (date(2024, 1, 18),)
    asked = day.notices(["M-1", "M-2"], date(2024, 3, 1), date(2024, 3, 31))
    assert [(x.customer, x.kind, x.on, x.says) for x in asked] == [
        (who, TouchKind.MEMBER_DAY, date(2024, 3, 15), (("member_day", "2024-03-18"),))
        for who in ("M-1", "M-2")
    ]
    last = MemberDay(Every(months=1, first_day=-1))
    assert last.dates(date(2024, 2, 1), date(2024, 2, 29)) == (date(2024, 2, 29),)
    theirs = ecommerce.programme.member_day
    assert theirs is not None
    with pytest.raises(BlankValueError):
        theirs.dates(DAY, DAY)
    wrong: Any = MemberDay
    with refused(WrongTypeError, "MemberDay.on"):
        wrong("the 18th")


@pytest.mark.rule("E-39")
def test_participation() -> None:
    one = OURS.decide(rich(100), RedeemFor("umbrella", at=DAY, by="shop")).or_raise().state
    idle = attrs.evolve(member(), id="M-2", history=History("M-2"))
    buyer = attrs.evolve(
        member(),
        id="M-3",
        history=History("M-3", [Purchase("M-3", DAY, 5_00)]),
    )
    late = attrs.evolve(member(), id="M-4", approved_at=date(2025, 1, 1), history=None)
    report = participation(
        [one, idle, buyer, late],
        customers=12,
        since=date(2024, 1, 1),
        until=date(2024, 12, 31),
        benefit_users=["M-2", "stranger", "M-4"],
    )
    assert [
        (x.numerator, x.denominator)
        for x in (report.enrolled, report.active, report.redemption, report.benefit_use)
    ] == [(3, 12), (2, 3), (70, 100), (1, 3)]
    empty = participation([], customers=0, since=DAY, until=DAY)
    assert empty.enrolled.value is None
    assert empty.redemption.value is None
    with refused(InvalidValueError, "customers"):
        participation([one, idle], customers=1, since=DAY, until=DAY)
    with refused(InvalidValueError, "until"):
        participation([], customers=1, since=DAY, until=date(2024, 5, 5))


@pytest.mark.rule("E-44")
def test_the_year_of_a_member() -> None:
    who = OURS.decide(member(), earn(DAY, 1_000_00, "O-1")).or_raise().state
    who = OURS.decide(who, RedeemFor("umbrella", at=date(2024, 5, 7), by="shop")).or_raise().state
    who = OURS.decide(who, earn(date(2025, 1, 1), 10_00, "O-2")).or_raise().state
    assert who.history is not None
    back = who.history.with_fact(Return("M-1", date(2024, 6, 1), 100_00, currency="CNY"))
    report = annual(OURS, attrs.evolve(who, history=back), 2024)
    assert (report.orders, report.spend_minor) == (1, 900_00)
    assert (report.points_earned, report.points_redeemed, report.points_at_year_end) == (
        100,
        70,
        30,
    )
    assert report.tier_at_year_end == "silver"
    assert report.promotions == ((DAY, "ordinary", "silver"),)
    before = annual(OURS, who, 2023)
    assert (before.orders, before.points_earned, before.tier_at_year_end) == (0, 0, "")
    assert before.promotions == ()
    unrecorded = attrs.evolve(who, changes=())
    assert annual(OURS, unrecorded, 2024).promotions == ((DAY, "ordinary", "silver"),)


@given(programmes(), loyalty_orders())
def test_a_programme_replays(ours: Programme, orders: list[loyalty.LoyaltyOrder]) -> None:
    laws.a_programme_replays(ours, orders)


def test_a_programme_that_forgets_breaks_the_law() -> None:
    class Forgetful(Programme):
        def replay(self, start: Member, facts: object) -> Member:
            return start

    with pytest.raises(AssertionError, match="law a_programme_replays is broken"):
        laws.a_programme_replays(
            Forgetful(earning=OURS.earning), [earn(DAY, 259_00, "O-1", key="k")]
        )


# --- the presets ----------------------------------------------------------------------------------

PROGRAMMES = {
    "user_retention": user_retention.programme,
    "customer_operations": customer_operations.programme,
    "ecommerce": ecommerce.programme,
    "membership": membership.programme,
    "new_measures": new_measures.programme,
}


@pytest.mark.rule("VAR-12", "E-01", "X-01")
def test_the_programmes_equal_the_catalogue() -> None:
    block = catalogue.preset("user_retention")
    ours = PROGRAMMES["user_retention"]
    assert block["tiers"] == {
        "ladder": None,
        "by": ["spend", "frequency", "loyalty"],
        "thresholds": None,
    }
    assert is_blank(ours.tiers)
    assert list(ours.earning.rewarded) == block["points"]["earn"]
    assert [str(x) for x in ours.redeeming.purposes] == block["points"]["use"]

    block = catalogue.preset("customer_operations")["loyalty"]
    ours = PROGRAMMES["customer_operations"]
    assert block["points"] == {"ratio_of_spend": None}
    assert is_blank(ours.earning.ratio)
    assert ours.earning.step is None
    assert [str(x) for x in ours.redeeming.purposes] == block["use"]
    assert block["monotone"] is True
    assert not [x for x in ours.violations() if x.rule == "E-03"]

    block = catalogue.preset("ecommerce")
    ours = PROGRAMMES["ecommerce"]
    assert block["vip"]["thresholds"] is None
    assert {"member_day", "points_expiry"} <= set(block["reminders"])
    assert ours.member_day is not None
    assert is_blank(ours.member_day.on)

    block = catalogue.preset("membership")["points"]
    ours = PROGRAMMES["membership"]
    assert (block["earn"], block["step"]) == ("per_step_of_spend", None)
    assert is_blank(ours.earning.step)
    assert ours.earning.ratio is None
    assert ours.earning.birthday is not None
    assert ours.earning.birthday.factor == block["birthday_factor"]
    assert ours.earning.birthday.source("factor").origin is Origin.STATED
    assert block["validity"] == "end_of_month_after_12mo"
    assert (ours.points.validity.months, ours.points.validity.until_end_of) == (12, "month")
    assert f"{ours.points.reminder_days}d" == block["reminder"]
    assert [str(x) for x in ours.redeeming.purposes] == block["use"]

    assert "points_redemption" in catalogue.preset("new_measures")["member_benefits"]
    assert PROGRAMMES["new_measures"].tiers is None
    assert is_blank(PROGRAMMES["new_measures"].redeeming.purposes)


@pytest.mark.rule("VAR-12", "X-02")
@pytest.mark.parametrize("name", sorted(PROGRAMMES))
def test_blanks_say_so_when_they_are_used(name: str) -> None:
    ours = PROGRAMMES[name]
    account = PROGRAMMES["membership"].points.start("M-1")
    with pytest.raises(BlankValueError, match=r"\.(ratio|step)"):
        ours.decide(account, earn(DAY, 259_00, "O-1"))
    paths = {x.path for x in ours.blanks()}
    assert paths & {"earning.ratio", "earning.step"}


@pytest.mark.rule("E-03", "VAR-01")
def test_what_the_examples_of_the_shop_leave_out_is_found() -> None:
    """002 names the tasting for gold alone, so diamond has less in one thing; nobody hides it."""
    (found,) = ecommerce.programme.violations()
    assert (found.rule, found.where) == ("E-03", "benefits of diamond_card")
    assert "new_product_tasting" in found.given


def test_a_filled_programme_of_the_handbook_goes_from_purchase_to_tier() -> None:
    ours = membership.programme.with_all(
        {
            "earning.step": Money.of("10", "CNY"),
            "tiers.silver_card.when": "qualifying_spend_minor >= 100000",
            "tiers.gold_card.when": "qualifying_spend_minor >= 300000 and purchases_1y >= 2",
            "tiers.diamond.when": "qualifying_spend_minor >= 900000 and run_years >= 1",
            "tiers.validity_months": 12,
        }
    )
    who = Member("M-1", ours.points.start("M-1"), date(2024, 1, 1), history=History("M-1"))
    who = ours.decide(who, earn(DAY, 2_000_00, "O-1")).or_raise().state
    who = ours.decide(who, earn(date(2024, 5, 7), 1_000_00, "O-2")).or_raise().state
    here = ours.tier(who, as_of=date(2024, 5, 7))
    assert here.tier == "gold_card"
    assert here.next_tier == "diamond"


def test_lines_that_earn_nothing() -> None:
    ours = attrs.evolve(
        OURS, earning=EarningRules(step=Money.of(10, "CNY"), excluded=("gift_card",))
    )
    lines = OrderLine("gift_card", 100_00), OrderLine("shoes", 59_00)
    done = ours.decide(member(), earn(DAY, 159_00, "O-1", lines=lines)).or_raise()
    assert done.state.account.balance(DAY).available == 5
