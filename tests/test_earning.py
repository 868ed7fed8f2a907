"""Earning: ratio and step, events, birthdays, promotions, caps, exclusions, refunds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention import (
    BlankValueError,
    DuplicateError,
    InvalidValueError,
    MixedCurrenciesError,
    Purchase,
    UnknownNameError,
    UnreadableTextError,
    WrongTypeError,
)
from retention.earning import (
    BirthdayBonus,
    BirthdayWindow,
    CapPeriod,
    EarningCap,
    EarningEvent,
    EarningOrder,
    EarningRules,
    EventReward,
    LeapBirthday,
    OrderLine,
    Promotion,
    Stacking,
    birthday_in,
)
from retention.mechanisms.money import Money
from retention.mechanisms.policies import blank
from retention.testing import days, earning_orders, earning_rules, laws
from tests.refusals import refused

# What a form or a file gives: terms by their codes, fractions as texts.
bonus: Any = BirthdayBonus
reward: Any = EventReward
cap: Any = EarningCap
promotion: Any = Promotion
rules_of: Any = EarningRules

DAY = date(2024, 6, 15)
TEN = Money.of(10, "CNY")
BY_STEP = rules_of(step=TEN)


def order(minor: int, *, at: date | datetime = DAY, currency: str = "CNY") -> EarningOrder:
    return EarningOrder(Purchase("M-1", at, minor, order="O-1", currency=currency))


@pytest.mark.rule("E-07", "VAR-12")
@pytest.mark.parametrize(
    ("minor", "ratio", "points"),
    [
        (100_00, Fraction(1), 100),
        (99_99, Fraction(1), 99),
        (100_00, Fraction(1, 3), 33),
        (196_00, Fraction(1, 900), 0),  # 196 / 900 is no 217
        (900_00, Fraction(1, 900), 1),
        (0, Fraction(5), 0),
        (2**53 + 1, Fraction(100), 2**53 + 1),  # beyond what floats hold
    ],
)
def test_a_ratio_is_exact_and_rounded_down(minor: int, ratio: Fraction, points: int) -> None:
    assert rules_of(ratio=ratio).quote(order(minor)).points == points


@pytest.mark.rule("E-07")
def test_a_ratio_counts_units_of_the_currency() -> None:
    rules = rules_of(ratio="1/100")
    assert rules.quote(order(5000, currency="JPY")).points == 50
    assert rules.quote(order(5000)).points == 0


@pytest.mark.rule("E-08", "VAR-12")
@pytest.mark.parametrize(
    ("minor", "each", "points"),
    [
        (259_00, 1, 25),
        (1_000_00, 1, 100),
        (85_00, 1, 8),
        (9_99, 1, 0),
        (10_00, 1, 1),
        (39_99, 5, 15),
    ],
)
def test_steps_count_full_units_of_spend(minor: int, each: int, points: int) -> None:
    assert rules_of(step=TEN, points_per_step=each).quote(order(minor)).points == points


@pytest.mark.rule("E-08")
def test_one_rate_and_no_other() -> None:
    with refused(InvalidValueError, "EarningRules", given="ratio and step"):
        rules_of(ratio=Fraction(1), step=TEN)
    assert rules_of(ratio=blank("000"), step=TEN).quote(order(25_00)).points == 2
    with pytest.raises(BlankValueError):
        rules_of(ratio=blank("000"), step=blank("000")).quote(order(25_00))
    with refused(InvalidValueError, "EarningRules", given="a purchase"):
        rules_of().quote(order(25_00))
    with refused(MixedCurrenciesError, "EarningRules.step", given=["CNY", "USD"]):
        BY_STEP.quote(order(25_00, currency="USD"))


@pytest.mark.rule("E-09")
def test_every_event_of_the_handbooks_can_earn() -> None:
    rows = [reward(event, n) for n, event in enumerate(EarningEvent, 10)]
    rules = rules_of(step=TEN, events=tuple(rows[1:]))
    assert [str(event) for event in EarningEvent] == [
        "purchase",
        "activity",
        "referral",
        "discussion",
        "contest",
        "compensation",
    ]
    assert set(rules.rewarded) == {str(event) for event in EarningEvent}
    for n, event in list(enumerate(EarningEvent, 10))[1:]:
        (part,) = rules.reward(event, on=DAY).parts
        assert (part.event, part.points, str(part.reason)) == (
            event,
            n,
            f"event {event} is worth {n}",
        )


@pytest.mark.rule("E-09")
def test_prizes_have_names_and_strangers_earn_nothing() -> None:
    first = reward("contest", 500, name="first_prize")
    second = reward("contest", 200, name="second_prize")
    rules = rules_of(step=TEN, events=(first, second))
    assert rules.reward(EarningEvent.CONTEST, name="second_prize", on=DAY).points == 200
    with refused(UnknownNameError, "EarningRules.events", given="activity"):
        rules.reward(EarningEvent.ACTIVITY, on=DAY)
    with pytest.raises(DuplicateError):
        rules_of(step=TEN, events=(first, first))


@pytest.mark.rule("E-10", "VAR-05")
@pytest.mark.parametrize(
    ("window", "day", "points"),
    [
        (BirthdayWindow.MONTH, date(2023, 5, 1), 50),
        (BirthdayWindow.MONTH, date(2023, 5, 31), 50),
        (BirthdayWindow.MONTH, date(2023, 6, 1), 25),
        (BirthdayWindow.MONTH, date(2023, 4, 30), 25),
        (BirthdayWindow.DAY, date(2023, 5, 20), 50),
        (BirthdayWindow.DAY, date(2023, 5, 19), 25),
        (BirthdayWindow.QUARTER, date(2023, 6, 30), 50),
        (BirthdayWindow.QUARTER, date(2023, 7, 1), 25),
    ],
)
def test_birthday_points(window: BirthdayWindow, day: date, points: int) -> None:
    rules = rules_of(step=TEN, birthday=bonus(2, window))
    quote = rules.quote(order(259_00, at=day), birthday=date(1990, 5, 20))
    assert quote.points == points
    wanted = ["purchase", "birthday"] if points == 50 else ["purchase"]
    assert [part.rule for part in quote.parts] == wanted
    assert rules.quote(order(259_00, at=day)).points == 25  # nobody knows the birthday


@pytest.mark.rule("E-10")
def test_the_local_day_decides_about_the_birthday() -> None:
    rules = rules_of(step=TEN, birthday=bonus(2))
    last = datetime(2023, 5, 31, 16, tzinfo=UTC)  # June in Shanghai
    assert rules.quote(order(259_00, at=last), birthday=date(1990, 5, 20)).points == 25


@pytest.mark.rule("E-10")
def test_29_february() -> None:
    born = date(2000, 2, 29)
    assert birthday_in(2024, born, LeapBirthday.MAR_1) == born.replace(year=2024)
    assert birthday_in(2023, born, LeapBirthday.FEB_28) == date(2023, 2, 28)
    assert birthday_in(2023, born, LeapBirthday.MAR_1) == date(2023, 3, 1)
    late = bonus(2, "day", "mar1")
    assert not late.covers(born, date(2023, 2, 28))
    assert late.covers(born, date(2023, 3, 1))


@pytest.mark.rule("E-10")
@pytest.mark.parametrize(
    ("stacking", "bonuses"),
    [
        (Stacking.BEST, {"spring": 50}),  # the largest one alone
        (Stacking.SUM, {"birthday": 25, "spring": 50}),
        (Stacking.PRODUCT, {"birthday": 25, "spring": 100}),  # 25 x 2 x 3 = 150
    ],
)
def test_bonuses_stack_by_a_stated_rule(stacking: Stacking, bonuses: dict[str, int]) -> None:
    rules = rules_of(
        step=TEN,
        birthday=bonus(2),
        promotions=(promotion("spring", factor=3),),
        stacking=stacking,
    )
    quote = rules.quote(order(259_00, at=date(2023, 5, 3)), birthday=date(1990, 5, 20))
    assert {part.rule: part.points for part in quote.parts} == {"purchase": 25} | bonuses


def test_promotions_hold_in_their_period_from_an_amount_on_and_for_tiers() -> None:
    summer = promotion(
        "summer",
        points=7,
        since=date(2024, 6, 1),
        until=date(2024, 6, 30),
        least_minor=100_00,
        tiers=("gold",),
    )
    rules = rules_of(step=TEN, promotions=(summer,))
    for day, minor, tier, points in (
        (date(2024, 6, 1), 100_00, "gold", 17),
        (date(2024, 6, 30), 100_00, "gold", 17),
        (date(2024, 7, 1), 100_00, "gold", 10),
        (date(2024, 5, 31), 100_00, "gold", 10),
        (date(2024, 6, 15), 99_99, "gold", 9),
        (date(2024, 6, 15), 100_00, "silver", 10),
    ):
        assert rules.quote(order(minor, at=day), tier=tier).points == points, (day, minor, tier)


def test_caps_cut_the_bonus_before_the_base() -> None:
    caps = cap("order", 30), cap("day", 40), cap("month", 45)
    rules = rules_of(step=TEN, birthday=bonus(2), caps=caps)
    first = rules.quote(order(259_00), birthday=date(1990, 6, 1))
    assert [(part.points, part.capped) for part in first.parts] == [(25, 0), (5, 20)]
    same_day = rules.quote(order(259_00), earned=lambda _, __: 30)
    assert [(part.points, part.capped) for part in same_day.parts] == [(10, 15)]

    def earlier(since: date, until: date) -> int:
        return 44 if (since, until) == (date(2024, 6, 1), date(2024, 6, 30)) else 0

    assert rules.quote(order(259_00), earned=earlier).points == 1
    assert rules.quote(order(259_00), earned=lambda _, __: 99).points == 0


def test_excluded_lines_earn_nothing() -> None:
    rules = rules_of(step=TEN, excluded=("gift_card", "tax"))
    lines = OrderLine("shoes", 60_00), OrderLine("gift_card", 30_00), OrderLine("tax", 10_00)
    bought = Purchase("M-1", DAY, 100_00, currency="CNY")
    assert rules.counted_minor(EarningOrder(bought, lines)) == 60_00
    assert rules.quote(EarningOrder(bought, lines)).points == 6
    # 50.00 paid with points: 30.00 of it on what earns
    assert rules.counted_minor(EarningOrder(bought, lines, points_part_minor=50_00)) == 30_00
    with refused(InvalidValueError, "EarningOrder.lines", given=90_00):
        EarningOrder(bought, lines[:2])


@pytest.mark.rule("S-24")
def test_the_part_paid_with_points_earns_only_where_the_rule_says_so() -> None:
    paid = EarningOrder(Purchase("M-1", DAY, 104_00, currency="CNY"), points_part_minor=5_00)
    assert BY_STEP.quote(paid).points == 9
    assert rules_of(step=TEN, on_points_part=True).quote(paid).points == 10


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: rules_of(ratio=0.1),
        lambda: rules_of(ratio=0),
        lambda: rules_of(ratio="a tenth"),
        lambda: rules_of(step=10),
        lambda: rules_of(step=Money.of(0, "CNY")),
        lambda: rules_of(step=TEN, points_per_step=0),
        lambda: rules_of(step=TEN, points_per_step=1.5),
        lambda: reward("activity", 2.5),
        lambda: reward("activity", 0),
        lambda: reward("shopping", 5),
        lambda: bonus(1),
        lambda: bonus(2, "week"),
        lambda: promotion("p", since=DAY, until=date(2024, 6, 14)),
        lambda: promotion("p", weekdays=(0,)),
        lambda: promotion("p", factor="1/2"),
        lambda: cap("week", 5),
        lambda: rules_of(step=TEN, caps=(cap("order", 50), cap("day", 40))),
        lambda: rules_of(step=TEN, stacking="all"),
        lambda: OrderLine("shoes", -1),
        lambda: EarningOrder(Purchase("M-1", DAY, 5_00), points_part_minor=5_01),
    ],
    ids=[str(n) for n in range(20)],
)
def test_bad_rules_are_refused(wrong: object) -> None:
    errors = (InvalidValueError, UnknownNameError, UnreadableTextError, WrongTypeError)
    with pytest.raises(errors):
        wrong()  # type: ignore[operator]


# --- laws -----------------------------------------------------------------------------------------


@given(earning_rules(), earning_orders(), st.integers(0, 300_00), st.none() | days())
def test_more_spend_never_earns_less(
    rules: EarningRules, each: EarningOrder, more: int, birthday: date | None
) -> None:
    laws.more_spend_never_earns_less(rules, each, more_minor=more, birthday=birthday)


@pytest.mark.rule("E-17")
@given(earning_rules(), earning_orders(), st.lists(st.integers(0, 120_00), max_size=4))
def test_refunds_telescope(rules: EarningRules, each: EarningOrder, parts: list[int]) -> None:
    laws.refunds_telescope(rules, each, parts)


@given(earning_rules(), st.lists(earning_orders(), max_size=4), st.none() | days())
def test_caps_are_never_exceeded(
    rules: EarningRules, orders: list[EarningOrder], birthday: date | None
) -> None:
    laws.caps_are_never_exceeded(rules, orders, birthday=birthday)


@given(st.integers(0, 10**7), st.integers(1, 10**5), st.integers(1, 9))
def test_steps_are_floor_times_points(minor: int, step: int, each: int) -> None:
    rules = rules_of(step=Money(step, "CNY"), points_per_step=each)
    full = 0
    while full < 5 and (full + 1) * step <= minor:  # counted by hand where it is short
        full += 1
    if full < 5:
        assert rules.base(minor, "CNY") == full * each
    assert (
        rules.base(minor, "CNY") * step <= minor * each < (rules.base(minor, "CNY") + each) * step
    )


def test_a_broken_law_says_so() -> None:
    class Odd(EarningRules):
        def base(self, counted_minor: int, currency: str = "") -> int:
            return counted_minor % 7

    with pytest.raises(AssertionError, match="law more_spend_never_earns_less is broken"):
        laws.more_spend_never_earns_less(Odd(step=TEN), order(6), more_minor=1)


def test_cap_spans_are_calendar_periods() -> None:
    spans = {per: cap(per, 9).span(date(2024, 2, 29)) for per in CapPeriod}
    assert spans[CapPeriod.DAY] == (date(2024, 2, 29), date(2024, 2, 29))
    assert spans[CapPeriod.MONTH] == (date(2024, 2, 1), date(2024, 2, 29))
    assert spans[CapPeriod.YEAR] == (date(2024, 1, 1), date(2024, 12, 31))


@pytest.mark.rule("E-07", "E-08")
def test_a_ratio_or_a_step_earns_on_purchases() -> None:
    for rules in (EarningRules(ratio=Fraction(1)), EarningRules(step=TEN)):
        assert rules.rewarded == ("purchase",)
    assert not EarningRules().earns_on_purchases


@pytest.mark.rule("E-17")
def test_what_was_given_back_above_the_order_earns_nothing_and_owes_nothing() -> None:
    rules = EarningRules(step=TEN, excluded=("shipping",))
    lines = OrderLine("shoes", 90_00), OrderLine("shipping", 10_00)
    bought = Purchase("M-1", date(2024, 6, 15), 100_00)
    for refunded, points in ((0, 9), (89_99, 0), (90_00, 0), (100_00, 0)):
        quote = rules.quote(EarningOrder(bought, lines, refunded_minor=refunded))
        assert quote.points == points
