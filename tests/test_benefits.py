"""Benefits: catalogue, entitlements, rights, occasions, privileges, discounts (E-03, E-19 to E-27, E-35, E-41 to E-46)."""  # noqa: E501

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.benefit_grants import (
    AnniversaryBenefit,
    BenefitGranted,
    BirthdayBenefit,
    Occasion,
    OccasionBenefits,
)
from retention.benefits import (
    AcquiredRight,
    Aspect,
    Benefit,
    BenefitCatalogue,
    BenefitClass,
    BenefitKind,
    ComesWith,
    Shortfall,
    Violation,
    shortfalls,
)
from retention.coupons import CouponKind, Coupons, CouponTerms, Order
from retention.discounts import Discounts, DiscountStacking, Line
from retention.earning import BirthdayWindow, LeapBirthday
from retention.mechanisms.answers import Code, Refused
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.errors import (
    BlankValueError,
    DuplicateError,
    InvalidValueError,
    NaiveInstantError,
    UnequalColumnsError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.money import Money, RoundingRule
from retention.mechanisms.obligations import Outcome
from retention.mechanisms.policies import blank
from retention.mechanisms.rules import parse
from retention.presets._benefits_customer_operations import VALUE_BENEFITS
from retention.presets._benefits_ecommerce import BENEFITS as VIP
from retention.presets._benefits_ecommerce import DISPATCH, OCCASIONS
from retention.presets._benefits_membership import BENEFITS as MEMBERS
from retention.presets._benefits_user_retention import OCCASIONS as USER_OCCASIONS
from retention.privileges import (
    Advisor,
    DedicatedService,
    EarlierWindow,
    Event,
    EventPriority,
    ReservedPlaces,
)
from retention.rewards import (
    ActivityReward,
    ActivityRewards,
    Reward,
    RewardKind,
    reversal,
    total,
)
from retention.testing import benefit_catalogues, days, laws
from tests.refusals import refused

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2024, 6, 30)
LADDER = ("silver", "gold", "diamond")
K = BenefitKind


def catalogue(*rows: Benefit, version: str = "1") -> BenefitCatalogue:
    return BenefitCatalogue(rows, ladder=LADDER, version=version)


def kinds(found: Any) -> set[str]:  # noqa: ANN401  entitlements
    return {each.kind.value for each in found}


# --- E-21: the VIP examples of 002 ----------------------------------------------------------------

ALL_VIP = {"priority_service", "priority_dispatch", "offline_events"}


@pytest.mark.rule("E-21", "E-19")
@pytest.mark.parametrize(
    ("tier", "more"),
    [
        ("silver_card", set()),
        ("gold_card", {"new_product_tasting"}),
        (
            "diamond_card",
            {"free_shipping", "dedicated_service", "birthday_gift", "custom_packaging"},
        ),
    ],
    ids=["silver", "gold", "diamond"],
)
def test_the_vip_examples(tier: str, more: set[str]) -> None:
    assert kinds(VIP.entitlements(tier, on=DAY)) == ALL_VIP | more


def test_who_is_no_vip_has_nothing_of_it() -> None:
    for nobody in (None, "", "none"):
        assert VIP.entitlements(nobody, on=DAY) == ()


@pytest.mark.rule("E-45")
def test_free_shipping_can_be_asked_for_one_and_for_many() -> None:
    yes = VIP.entitlement("free_shipping", "diamond_card", on=DAY)
    no = VIP.entitlement(K.FREE_SHIPPING, "gold_card", on=DAY)
    assert (yes.held, no.held) == (True, False)
    assert str(yes) == "entitled to free_shipping: tier diamond_card is one of diamond_card"
    assert str(no) == "not entitled to free_shipping: tier gold_card is not one of diamond_card"
    tiers = ["silver_card", "diamond_card", "", "none"]
    assert VIP.entitled("free_shipping", tiers).tolist() == [False, True, False, False]
    assert MEMBERS.entitlement("free_delivery", "ordinary", on=DAY).held
    assert VIP.entitled("coupon", ["gold_card"]).tolist() == [False]
    assert str(VIP.entitlement("coupon", "gold_card", on=DAY)) == (
        "not entitled to coupon: no row names it"
    )


# --- E-03 -----------------------------------------------------------------------------------------


@pytest.mark.rule("E-03")
def test_a_higher_tier_with_fewer_or_worse_benefits_is_reported() -> None:
    found = catalogue(
        Benefit(K.FREE_SHIPPING, ("silver",)),
        Benefit(K.CUSTOM_PACKAGING, ("silver",), quota=12),
        Benefit(K.CUSTOM_PACKAGING, ("gold",), quota=4),
        Benefit(K.CUSTOM_PACKAGING, ("diamond",)),
        Benefit(K.EXCLUSIVE_DISCOUNT, ("gold",), pays=Fraction(8, 10)),
        Benefit(K.EXCLUSIVE_DISCOUNT, ("diamond",), pays=Fraction(9, 10), scope=("books",)),
    ).violations()
    assert [(x.lower, x.higher, x.shortfall.kind, x.shortfall.aspect) for x in found] == [
        ("silver", "gold", K.FREE_SHIPPING, Aspect.MISSING),
        ("silver", "gold", K.CUSTOM_PACKAGING, Aspect.QUOTA),
        ("gold", "diamond", K.EXCLUSIVE_DISCOUNT, Aspect.RATE),
        ("gold", "diamond", K.EXCLUSIVE_DISCOUNT, Aspect.SCOPE),
    ]


@pytest.mark.rule("E-03", "E-21")
def test_the_vip_examples_break_the_rule_of_001_in_one_place() -> None:
    gap = Shortfall(K.NEW_PRODUCT_TASTING, Aspect.MISSING, "new_product_tasting_gold_card", "")
    assert VIP.violations() == (Violation("gold_card", "diamond_card", gap),)
    ours = VIP.with_("new_product_tasting_gold_card.and_above", value=True)
    assert ours.violations() == ()
    assert ours.entitlement("new_product_tasting", "diamond_card", on=DAY).held
    assert not ours.entitlement("new_product_tasting", "silver_card", on=DAY).held
    assert MEMBERS.violations() == VALUE_BENEFITS.violations() == ()


@pytest.mark.parametrize(
    ("had", "has", "aspects"),
    [
        ({}, {}, []),
        ({"quota": 12}, {"quota": 1, "per_months": 1}, [Aspect.QUOTA]),  # not all at once
        ({"quota": 1, "per_months": 1}, {"quota": 12}, []),
        ({"quota": 1, "per_months": 1}, {"quota": 11}, [Aspect.QUOTA]),
        ({"quota": 1, "per_months": 3}, {"quota": 1, "per_months": 4}, [Aspect.QUOTA]),
        ({"quota": 1, "per_months": 3}, {"quota": 2, "per_months": 4}, []),
        ({"quota": 2, "per_months": None}, {"quota": 2, "per_months": 1}, []),
        ({"quota": 12}, {}, []),
        ({}, {"quota": 99}, [Aspect.QUOTA]),
        ({"quota": 12}, {"quota": 99, "per_months": None}, [Aspect.QUOTA]),  # once for all
        ({"scope": ("books",)}, {}, []),
        ({"scope": ("books",)}, {"scope": ("books", "toys")}, []),
        ({"scope": ("books", "toys")}, {"scope": ("books",)}, [Aspect.SCOPE]),
        ({}, {"valid_through": DAY}, [Aspect.VALIDITY]),
        ({"valid_through": DAY}, {}, []),
        ({"pays": Fraction(1, 2)}, {"pays": Fraction(1, 2)}, []),
    ],
    ids=str,
)
def test_what_is_less(had: dict[str, Any], has: dict[str, Any], aspects: list[Aspect]) -> None:
    found = shortfalls([Benefit(K.COUPON, **had)], [Benefit(K.COUPON, **has)])
    assert [each.aspect for each in found] == aspects


@given(benefit_catalogues())
def test_no_violation_means_no_less(found: BenefitCatalogue) -> None:
    laws.a_higher_tier_has_no_less(found)


@given(benefit_catalogues())
def test_violations_are_those_of_neighbours(found: BenefitCatalogue) -> None:
    # brute force over every pair of tiers: neighbours show whether there is any
    pairs = [(a, b) for n, a in enumerate(LADDER) for b in LADDER[n + 1 :]]
    lost = any(shortfalls(found.plain(a), found.plain(b)) for a, b in pairs)
    assert lost is bool(found.violations())


# --- E-19, E-20: the catalogue --------------------------------------------------------------------


@pytest.mark.rule("E-20")
def test_benefits_are_basic_or_advanced() -> None:
    classes = {level: {x.value for x in found} for level, found in MEMBERS.classes().items()}
    assert classes == {
        BenefitClass.BASIC: {
            "points", "priority_service", "exclusive_discount", "birthday_benefit",
            "free_delivery", "member_news", "coupon",
        },
        BenefitClass.ADVANCED: {
            "individual_recommendation", "service_scheme", "individual_offer", "launch_priority",
            "limited_edition_priority", "member_event_priority", "dedicated_team",
        },
    }  # fmt: skip
    assert VIP.classes()[None] != ()


def test_what_comes_with_a_grant_needs_one() -> None:
    shop = catalogue(Benefit(K.COUPON, comes_with=ComesWith.GRANT))
    no = shop.entitlement("coupon", "gold", on=DAY)
    assert (no.held, str(no.reasons[0])) == (False, "comes_with tier is not a grant")
    right = AcquiredRight("M", shop.benefits[0], "1", since=DAY)
    assert shop.entitlement("coupon", "gold", on=DAY, rights=[right]).held
    assert shop.entitled("coupon", ["gold"]).tolist() == [False]
    assert shop.matrix()["gold"] == frozenset()


@pytest.mark.rule("E-19")
@pytest.mark.parametrize(
    ("on", "held"),
    [("2024-01-31", False), ("2024-02-01", True), ("2024-02-29", True), ("2024-03-01", False)],
)
def test_a_row_holds_to_the_end_of_its_last_day(on: str, held: bool) -> None:
    row = Benefit(K.COUPON, valid_from=date(2024, 2, 1), valid_through=date(2024, 2, 29))
    day = date.fromisoformat(on)
    shop = catalogue(row)
    assert shop.entitlement("coupon", "gold", on=day).held is held
    assert shop.entitled("coupon", ["gold"], on=day).tolist() == [held]


@pytest.mark.rule("E-19")
@pytest.mark.parametrize(
    ("months", "uses", "on", "left"),
    [
        (1, ["2024-01-31"], "2024-01-31", 1),
        (1, ["2024-01-31", "2024-01-01"], "2024-01-31", 0),
        (1, ["2024-01-31", "2024-01-01"], "2024-02-01", 2),
        (3, ["2024-01-31", "2024-03-31"], "2024-02-01", 0),
        (12, ["2023-12-31", "2024-12-31"], "2024-01-01", 1),
        (None, ["2019-12-31", "2024-12-31"], "2030-01-01", 0),
        (12, ["2024-01-01"] * 5, "2024-01-01", 0),
    ],
)
def test_a_quota_is_counted_in_calendar_periods(
    months: int | None, uses: list[str], on: str, left: int
) -> None:
    row = Benefit(K.COUPON, quota=2, per_months=months)
    assert row.left(map(date.fromisoformat, uses), on=date.fromisoformat(on)) == left


@given(
    st.builds(
        Benefit, st.just(K.COUPON), quota=st.none() | st.integers(1, 3),
        per_months=st.sampled_from((1, 2, 3, 4, 6, 12, None)),
    ),
    st.lists(days(), max_size=20),
)  # fmt: skip
def test_a_quota_is_never_exceeded(row: Benefit, found: list[date]) -> None:
    laws.a_quota_is_never_exceeded(row, found)


def test_what_a_catalogue_does_not_take() -> None:
    with refused(InvalidValueError, "Benefit.quota", given=0):
        Benefit(K.COUPON, quota=0)
    with refused(InvalidValueError, "Benefit.per_months", given=5):
        Benefit(K.COUPON, per_months=5)
    with refused(InvalidValueError, "Benefit.pays", given=Fraction(3, 2)):
        Benefit(K.COUPON, pays=Fraction(3, 2))
    with refused(UnknownNameError, "kind", given="cupon"):
        VIP.entitlement("cupon", "gold_card", on=DAY)
    with refused(DuplicateError, "benefits", given="coupon"):
        catalogue(Benefit(K.COUPON), Benefit(K.COUPON))
    with refused(DuplicateError, "benefits of gold", given="coupon"):
        catalogue(Benefit(K.COUPON), Benefit(K.COUPON, ("gold",)))
    with refused(UnknownNameError, "benefit coupon_platinum", given="platinum"):
        catalogue(Benefit(K.COUPON, ("platinum",)))
    unnamed = BenefitCatalogue((Benefit(K.COUPON),), ladder=blank("000: names"))
    with pytest.raises(BlankValueError, match=r"BenefitCatalogue\.ladder"):
        unnamed.entitlement("coupon", "gold", on=DAY)


# --- E-23: preferences ----------------------------------------------------------------------------


@pytest.mark.rule("E-23")
def test_benefits_are_proposed_by_preferences_with_the_reason() -> None:
    shop = catalogue(
        Benefit(K.CUSTOM_PACKAGING, ("diamond",), suits=parse("likes_gifts == True")),
        Benefit(K.NEW_PRODUCT_TASTING, suits=parse("favourite in ('food', 'tea')")),
        Benefit(K.FREE_SHIPPING),
    )
    (found,) = shop.proposals({"favourite": "tea", "likes_gifts": True}, "gold", on=DAY)
    assert found.kind is K.NEW_PRODUCT_TASTING
    assert [str(each) for each in found.reasons] == [
        "tier gold is one of silver, gold, diamond", "favourite tea is in ('food', 'tea')",
    ]  # fmt: skip
    assert len(shop.proposals({"favourite": "tea", "likes_gifts": True}, "diamond", on=DAY)) == 2
    assert shop.proposals({}, "diamond", on=DAY) == ()  # nobody asked
    assert shop.proposals({"favourite": "toys"}, "diamond", on=DAY) == ()


# --- E-35: old rights -----------------------------------------------------------------------------


@pytest.mark.rule("E-35")
def test_a_right_of_an_old_version_holds_until_its_extended_validity_ends() -> None:
    old, new = catalogue(Benefit(K.FREE_SHIPPING), version="2024-1"), catalogue(version="2024-2")
    right = AcquiredRight(
        "M", old.benefits[0], old.version, since=date(2024, 1, 1), through=date(2024, 6, 30)
    )

    def held(right: AcquiredRight, day: date) -> bool:
        found = new.entitlement("free_shipping", "gold", on=day, rights=[right])
        assert found.version == ("2024-1" if found.held else "")
        return found.held

    assert [held(right, date(2024, 6, day)) for day in (29, 30)] == [True, True]
    assert not held(right, date(2024, 7, 1))
    assert not held(right, date(2023, 12, 31))
    longer = right.extended(date(2024, 9, 30))
    assert held(longer, date(2024, 9, 30))
    assert not held(longer, date(2024, 10, 1))
    assert longer.extended(date(2024, 8, 1)) == longer  # an extension never shortens
    for_ever = AcquiredRight("M", old.benefits[0], "2024-1", since=date(2024, 1, 1))
    assert for_ever.extended(DAY) == for_ever
    assert held(for_ever, date(2099, 1, 1))
    assert kinds(new.entitlements("gold", on=DAY, rights=[right])) == {"free_shipping"}
    with refused(InvalidValueError, "AcquiredRight.through"):
        AcquiredRight("M", old.benefits[0], "1", since=DAY, through=date(2024, 6, 29))


@pytest.mark.rule("E-35")
def test_the_better_of_old_right_and_new_row_counts() -> None:
    old = Benefit(K.EXCLUSIVE_DISCOUNT, pays=Fraction(7, 10))
    new = catalogue(Benefit(K.EXCLUSIVE_DISCOUNT, pays=Fraction(9, 10)), version="2")
    right = AcquiredRight("M", old, "1", since=date(2024, 1, 1), through=DAY)
    rates = {
        day: found.benefit.pays
        for day in (DAY, DAY + timedelta(days=1))
        for found in [new.entitlement("exclusive_discount", "gold", on=day, rights=[right])]
        if found.benefit is not None
    }
    assert list(rates.values()) == [Fraction(7, 10), Fraction(9, 10)]
    worse = AcquiredRight("M", Benefit(K.EXCLUSIVE_DISCOUNT), "1", since=date(2024, 1, 1))
    assert new.entitlement("exclusive_discount", "gold", on=DAY, rights=[worse]).version == "2"


# --- E-25, E-26, E-27, VAR-05: occasions ----------------------------------------------------------

BORN = date(1992, 2, 29)
ROWS = OccasionBenefits(
    birthday=FirstMatch(
        (
            Case(BirthdayBenefit.GIFT, parse("tier == 'diamond' and spend_minor_1y >= 100000")),
            Case(BirthdayBenefit.FREE_SERVICE, parse("tier in ('diamond', 'gold')")),
        ),
        otherwise=BirthdayBenefit.DISCOUNT,
    ),
    anniversaries=(
        AnniversaryBenefit(Occasion.MEMBERSHIP_ANNIVERSARY, "gift"),
        AnniversaryBenefit(Occasion.FIRST_PURCHASE_ANNIVERSARY, "offer", from_year=2),
    ),
    newcomer=(K.NEWCOMER_PACK, K.FIRST_PURCHASE_DISCOUNT),
    valid_days=14,
)


def birthday(rows: OccasionBenefits, on: date, *given: BenefitGranted, **known: Any) -> Any:  # noqa: ANN401
    row: dict[str, Any] = {"tier": "gold", "spend_minor_1y": 0} | known
    return rows.grant_birthday("M", BORN, row, on=on, by="crm", given=given)


@pytest.mark.rule("E-25")
@pytest.mark.parametrize(
    ("tier", "spend", "kind"),
    [
        ("diamond", 100_000, "gift"),
        ("diamond", 99_999, "free_service"),
        ("gold", 100_000, "free_service"),
        ("silver", 100_000, "discount"),
    ],
)
def test_the_birthday_benefit_follows_tier_and_spend(tier: str, spend: int, kind: str) -> None:
    (fact,) = birthday(ROWS, date(2024, 2, 29), tier=tier, spend_minor_1y=spend).or_raise().facts
    assert (fact.kind, fact.through, fact.key) == (kind, date(2024, 3, 14), "M:birthday:2024")
    assert bool(fact.reasons) is (kind != "discount")


@pytest.mark.rule("E-25", "VAR-05")
@pytest.mark.parametrize(
    ("window", "leap", "on", "code"),
    [
        (BirthdayWindow.DAY, LeapBirthday.FEB_28, "2024-02-29", None),
        (BirthdayWindow.DAY, LeapBirthday.FEB_28, "2024-02-28", Code.NOT_THE_DAY),
        (BirthdayWindow.DAY, LeapBirthday.FEB_28, "2025-02-28", None),
        (BirthdayWindow.DAY, LeapBirthday.MAR_1, "2025-02-28", Code.NOT_THE_DAY),
        (BirthdayWindow.DAY, LeapBirthday.MAR_1, "2025-03-01", None),
        (BirthdayWindow.MONTH, LeapBirthday.FEB_28, "2025-02-01", None),
        (BirthdayWindow.MONTH, LeapBirthday.FEB_28, "2025-03-01", Code.NOT_THE_DAY),
        (BirthdayWindow.QUARTER, LeapBirthday.FEB_28, "2025-03-31", None),
        (BirthdayWindow.QUARTER, LeapBirthday.FEB_28, "2025-04-01", Code.NOT_THE_DAY),
    ],
)
def test_the_window_of_a_birthday_is_data(
    window: BirthdayWindow, leap: LeapBirthday, on: str, code: Code | None
) -> None:
    rows = ROWS.with_all({"birthday_window": window, "leap": leap})
    answer = birthday(rows, date.fromisoformat(on))
    assert (answer.code if isinstance(answer, Refused) else None) is code


@pytest.mark.rule("E-25")
def test_a_birthday_benefit_is_given_once_a_year() -> None:
    month = ROWS.with_("birthday_window", BirthdayWindow.MONTH)
    first = birthday(month, date(2024, 2, 1)).or_raise()
    for day in (date(2024, 2, 1), date(2024, 2, 29)):
        again = birthday(month, day, *first.facts)
        assert isinstance(again, Refused)
        assert (again.code, again.missing) == (Code.ALREADY_GRANTED, ("M:birthday:2024",))
    assert birthday(month, date(2025, 2, 1), *first.facts).or_raise().state[0] == first.facts[0]
    nothing = birthday(OccasionBenefits(), date(2024, 2, 29))
    assert nothing.code is Code.NOT_ENTITLED
    right = first.facts[0].right(Benefit(K.BIRTHDAY_BENEFIT), "1")
    assert (right.since, right.through) == (date(2024, 2, 1), date(2024, 2, 15))


@pytest.mark.rule("E-25", "VAR-05", "E-21")
def test_002_gives_a_gift_to_diamond_cards_and_the_high_value_active_alone() -> None:
    def asked(tier: str, layer: str) -> Any:  # noqa: ANN401
        known = {"tier": tier, "layer": layer}
        return OCCASIONS.grant_birthday("M", BORN, known, on=date(2024, 2, 29), by="crm")

    assert asked("diamond_card", "sleeping").or_raise().facts[0].kind == "gift"
    assert asked("none", "high_active").or_raise().facts[0].kind == "gift"
    assert asked("gold_card", "medium_active").code is Code.NOT_ENTITLED


def test_the_rule_table_of_000_is_to_be_filled() -> None:
    with pytest.raises(BlankValueError, match=r"OccasionBenefits\.birthday"):
        USER_OCCASIONS.grant_birthday("M", BORN, {}, on=date(2024, 2, 29), by="crm")


@pytest.mark.rule("E-26")
@pytest.mark.parametrize(
    ("occasion", "since", "on", "code"),
    [
        ("membership_anniversary", "2023-04-10", "2024-04-10", None),
        ("membership_anniversary", "2023-04-10", "2023-04-10", Code.NOT_ENTITLED),
        ("membership_anniversary", "2023-04-10", "2024-04-11", Code.NOT_THE_DAY),
        ("membership_anniversary", "2024-02-29", "2025-02-28", None),
        ("first_purchase_anniversary", "2023-04-10", "2024-04-10", Code.NOT_ENTITLED),
        ("first_purchase_anniversary", "2023-04-10", "2025-04-10", None),
        ("newcomer", "2023-04-10", "2024-04-10", Code.NOT_ENTITLED),
    ],
)
def test_anniversaries(occasion: str, since: str, on: str, code: Code | None) -> None:
    day = date.fromisoformat(on)
    given: tuple[BenefitGranted, ...] = ()
    ask: dict[str, Any] = {"on": day, "by": "crm"}
    answer = ROWS.grant_anniversary(
        "M", Occasion(occasion), date.fromisoformat(since), given=given, **ask
    )
    assert (answer.code if isinstance(answer, Refused) else None) is code
    if not isinstance(answer, Refused):
        again = ROWS.grant_anniversary(
            "M", Occasion(occasion), date.fromisoformat(since), given=answer.facts, **ask
        )
        assert isinstance(again, Refused)
        assert again.code is Code.ALREADY_GRANTED


@pytest.mark.rule("E-27")
def test_a_newcomer_benefit_is_given_once_per_user() -> None:
    first = ROWS.grant_newcomer("u", "newcomer_pack", on=DAY, by="crm").or_raise()
    again = ROWS.grant_newcomer(
        "u", "newcomer_pack", on=date(2030, 1, 1), by="x", given=first.state
    )
    assert isinstance(again, Refused)
    assert again.code is Code.ALREADY_GRANTED
    for other in (("u", "first_purchase_discount"), ("v", "newcomer_pack")):
        granted = ROWS.grant_newcomer(*other, on=DAY, by="crm", given=first.state).or_raise()
        assert len(granted.state) == 2
    no = ROWS.grant_newcomer("u", "trial_extension", on=DAY, by="crm")
    assert isinstance(no, Refused)
    assert no.code is Code.NOT_ENTITLED
    assert [str(each) for each in USER_OCCASIONS.newcomer] == [
        "first_purchase_discount", "trial_extension", "newcomer_pack",
    ]  # fmt: skip


def test_what_is_due_next() -> None:
    # the days of S-07: born 29 February, joined and bought first in 2023
    rows = USER_OCCASIONS.with_("birthday", ROWS.birthday)
    ask = {"born": BORN, "joined": date(2023, 4, 10), "first_purchase": date(2023, 5, 2)}
    found = rows.calendar(**ask, since=date(2025, 1, 1), until=date(2025, 12, 31))
    assert [(str(day), str(occasion), year) for day, occasion, year in found] == [
        ("2025-02-28", "birthday", 33),
        ("2025-04-10", "membership_anniversary", 2),
        ("2025-05-02", "first_purchase_anniversary", 2),
    ]
    assert rows.calendar(since=DAY, until=DAY) == ()
    first = rows.calendar(joined=DAY, since=DAY, until=date(2025, 6, 30))
    assert [year for _, _, year in first] == [1]


# --- E-22, E-42, E-43: privileges -----------------------------------------------------------------

PLACED = datetime(2024, 6, 1, 10, tzinfo=SHANGHAI)


@pytest.mark.rule("E-22", "RC-02")
@pytest.mark.parametrize(
    ("after", "outcome"),
    [
        (timedelta(hours=24), Outcome.ON_TIME),
        (timedelta(hours=24, seconds=1), Outcome.LATE),
        (timedelta(0), Outcome.ON_TIME),
        (None, Outcome.MISSED),
    ],
)
def test_a_vip_order_leaves_within_24_hours(after: timedelta | None, outcome: Outcome) -> None:
    (task,) = DISPATCH.obligations("o-1", "silver_card", PLACED)
    assert task.window.closes == datetime(2024, 6, 2, 10, tzinfo=SHANGHAI)
    sent = None if after is None else PLACED + after
    later = PLACED + timedelta(days=3)
    assert DISPATCH.judged(task, sent, as_of=later).outcome is outcome
    assert DISPATCH.judged(task, as_of=PLACED + timedelta(hours=24)).outcome is Outcome.DUE


def test_dispatch_is_asked_about_instants_and_for_vips_alone() -> None:
    assert DISPATCH.obligations("o-1", None, PLACED) == ()
    day: Any = DAY
    with pytest.raises(WrongTypeError):
        DISPATCH.obligations("o-1", "gold_card", day)


TEAM = DedicatedService(("gold", "diamond"))
MEMBER_ROWS = [("a", "gold"), ("b", "diamond"), ("c", "silver"), ("d", "gold"), ("e", "diamond")]


@pytest.mark.rule("E-42")
def test_high_tiers_have_one_person_each_as_far_as_the_roster_goes() -> None:
    found = TEAM.assign(MEMBER_ROWS, [Advisor("wu", 1), Advisor("li", 2)])
    # diamonds first, each to whoever has most room, the first of the roster on a tie
    assert found.of == (("b", "li"), ("e", "wu"), ("a", "li"))
    assert found.without == ("d",)
    assert found.person("c") is None
    assert TEAM.assign(MEMBER_ROWS, []).without == ("b", "e", "a", "d")
    assert TEAM.assign([], [Advisor("wu", 1)]).of == ()


@pytest.mark.rule("E-42")
def test_who_has_a_person_keeps_him() -> None:
    before: dict[str | int, str] = {"a": "wu", "c": "wu", "e": "gone", "d": "li"}
    found = TEAM.assign(MEMBER_ROWS, [Advisor("wu", 2), Advisor("li", 1)], before=before)
    assert dict(found.of) == {"a": "wu", "d": "li", "b": "wu"}
    assert found.without == ("e",)
    assert set(found.ended) == {"c", "e"}  # another tier now; a person who left
    with refused(DuplicateError, "roster"):
        TEAM.assign([], [Advisor("wu", 1), Advisor("wu", 2)])
    with refused(InvalidValueError, "Advisor.capacity"):
        Advisor("wu", -1)


OPENS = datetime(2024, 6, 18, 10, tzinfo=SHANGHAI)
SALE = Event("sale", OPENS, OPENS + timedelta(hours=12), places=10)
PRIORITY = EventPriority(
    (EarlierWindow(("diamond",), 2), EarlierWindow(("diamond", "gold"), 1)),
    ReservedPlaces(("diamond",), 4, until_hours_before_close=1),
)


@pytest.mark.rule("E-43")
@pytest.mark.parametrize(
    ("tier", "minutes", "admitted"),
    [
        ("diamond", -121, False),
        ("diamond", -120, True),
        ("gold", -61, False),
        ("gold", -60, True),
        ("silver", -1, False),
        ("silver", 0, True),
        (None, 0, True),
        ("diamond", 12 * 60, True),
        ("diamond", 12 * 60 + 1, False),
    ],
)
def test_some_tiers_are_let_in_earlier(tier: str | None, minutes: int, admitted: bool) -> None:
    at = OPENS + timedelta(minutes=minutes)
    assert PRIORITY.admission(SALE, tier, at=at).admitted is admitted


@pytest.mark.rule("E-43")
@pytest.mark.parametrize(
    ("tier", "taken", "hours", "admitted"),
    [
        ("silver", {"silver": 5}, 0, True),
        ("silver", {"silver": 6}, 0, False),  # four are kept for diamonds
        ("silver", {"silver": 6, "diamond": 1}, 0, False),
        ("diamond", {"silver": 6, "diamond": 1}, 0, True),
        ("silver", {"silver": 3, "diamond": 6}, 0, True),  # kept places are used up
        ("diamond", {"silver": 6, "diamond": 4}, 0, False),
        ("silver", {"silver": 6}, 11, True),  # the last hour: what is left is free
    ],
)
def test_places_are_kept(tier: str, taken: dict[str, int], hours: int, admitted: bool) -> None:
    found = PRIORITY.admission(SALE, tier, at=OPENS + timedelta(hours=hours), taken=taken)
    assert found.admitted is admitted
    assert found.reasons[-1].subject == "free_places"


def test_an_event_has_instants() -> None:
    with refused(InvalidValueError, "Event.closes"):
        Event("x", OPENS, OPENS - timedelta(seconds=1))
    with refused(NaiveInstantError, "opens"):
        Event("x", datetime(2024, 1, 1), OPENS)
    day: Any = DAY
    with refused(WrongTypeError, "Event.opens"):
        Event("x", day, OPENS)


# --- E-46: discounts ------------------------------------------------------------------------------


def yuan(amount: str) -> Money:
    return Money.of(amount, "CNY")


RATES = catalogue(
    Benefit(K.EXCLUSIVE_DISCOUNT, ("gold",), pays=Fraction(9, 10)),
    Benefit(K.EXCLUSIVE_DISCOUNT, ("diamond",), pays=Fraction(8, 10), scope=("books",)),
)
LINES = [Line("1", yuan("10.05"), "books"), Line("2", yuan("5.00"), "toys")]
BOOK = Coupons((CouponTerms(CouponKind.NO_THRESHOLD, off_minor=300),))


@pytest.mark.rule("E-46")
@pytest.mark.parametrize(
    ("tier", "pays"),
    [(None, "15.05"), ("silver", "15.05"), ("gold", "13.55"), ("diamond", "13.04")],
)
def test_a_discount_has_a_rate_and_a_scope(tier: str | None, pays: str) -> None:
    # gold 9.045 -> 9.05 and 4.50; diamond 8.04 and 5.00
    found = Discounts().priced(RATES, tier, LINES, on=DAY)
    assert (found.before, found.pays) == (yuan("15.05"), yuan(pays))
    assert found.tier_saved == found.before - found.pays
    assert sum(after.minor for _, _, after in found.lines) == found.pays.minor
    assert bool(found.reasons) is (tier in {"gold", "diamond"})


def test_the_rounding_has_a_name() -> None:
    down = Discounts(rounding=RoundingRule.DOWN)
    assert down.priced(RATES, "gold", LINES, on=DAY).pays == yuan("13.54")


@pytest.mark.rule("E-46")
@pytest.mark.parametrize(
    ("stacking", "off", "pays", "tier_saved", "coupon_saved"),
    [
        # gold leaves 13.55 of 15.05, the coupon takes 3.00
        ("together", 300, "10.55", 150, 300),
        ("best", 300, "12.05", 0, 300),
        ("best", 100, "13.55", 150, 0),
        ("best", 150, "13.55", 150, 0),  # as low: the discount of the tier
        ("tier_only", 300, "13.55", 150, 0),
        ("together", 9900, "0.00", 150, 1355),
    ],
)
def test_stacking_is_a_policy(
    stacking: str, off: int, pays: str, tier_saved: int, coupon_saved: int
) -> None:
    book = BOOK.with_("no_threshold.off_minor", off)
    coupon = book.grant("c-1", "M", "no_threshold", on=DAY)
    order = Order("o-1", "M", yuan("15.05"), at=DAY)
    rules = Discounts(stacking=DiscountStacking(stacking))
    found = rules.priced(RATES, "gold", LINES, on=DAY, coupon=(book, coupon, order))
    assert (found.pays, found.tier_saved.minor, found.coupon_saved.minor) == (
        yuan(pays), tier_saved, coupon_saved,
    )  # fmt: skip
    kept = {reason.subject: reason.held for reason in found.reasons}
    assert kept.get("stacking", True) is bool(coupon_saved)


@pytest.mark.rule("E-46")
def test_points_are_offset_last_and_never_below_zero() -> None:
    rules, coupon = Discounts(), BOOK.grant("c-1", "M", "no_threshold", on=DAY)
    use = (BOOK, coupon, Order("o-1", "M", yuan("15.05"), at=DAY))
    found = rules.priced(RATES, "gold", LINES, on=DAY, coupon=use, offset=yuan("99.00"))
    assert (found.offset, found.pays) == (yuan("10.55"), yuan("0.00"))
    assert (
        str(found) == "0.00 CNY of 15.05 CNY, less tier 1.50 CNY, coupon 3.00 CNY, points 10.55 CNY"
    )
    apart = rules.with_("offset_with_coupon", value=False)
    found = apart.priced(RATES, "gold", LINES, on=DAY, coupon=use, offset=yuan("5.00"))
    assert (found.offset, found.pays) == (yuan("0.00"), yuan("10.55"))
    assert found.reasons[-1].subject == "offset"
    found = apart.priced(RATES, "gold", LINES, on=DAY, offset=yuan("5.00"))
    assert found.pays == yuan("8.55")


def test_orders_in_columns_and_what_is_not_taken() -> None:
    tiers, minor = ["gold", "diamond", "", "gold"], [1005, 1005, 1005, 0]
    # the discount of diamonds is for books: nothing is known of these orders
    assert Discounts().prices(RATES, tiers, minor, on=DAY).tolist() == [905, 1005, 1005, 0]
    for bad, kind in (([1.5] * 4, WrongTypeError), ([-1] * 4, InvalidValueError)):
        with pytest.raises(kind):
            Discounts().prices(RATES, tiers, bad, on=DAY)
    with refused(UnequalColumnsError, "prices"):
        Discounts().prices(RATES, tiers, [1], on=DAY)
    with refused(InvalidValueError, "lines"):
        Discounts().priced(RATES, "gold", [], on=DAY)
    with refused(InvalidValueError, "Line.price"):
        Line("1", yuan("-1"))


@given(
    st.lists(st.tuples(st.sampled_from((*LADDER, "")), st.integers(0, 10**9)), max_size=20),
    st.sampled_from(RoundingRule),
)
def test_one_order_and_a_column_cost_the_same(
    rows: list[tuple[str, int]], rounding: RoundingRule
) -> None:
    rules = Discounts(rounding=rounding)
    found = rules.prices(RATES, [tier for tier, _ in rows], [x for _, x in rows], on=DAY)
    one = [
        rules.priced(RATES, tier, [Line("1", Money(x, "CNY"))], on=DAY).pays.minor
        for tier, x in rows
    ]
    assert one == found.tolist()


# --- E-41: activities -----------------------------------------------------------------------------


@pytest.mark.rule("E-41")
def test_outstanding_and_qualifying_participants_are_rewarded() -> None:
    contest = ActivityRewards(
        (
            ActivityReward("winner", parse("place == 1"), RewardKind.PRIZE, article="camera"),
            ActivityReward("podium", parse("place <= 3"), RewardKind.POINTS, 500),
            ActivityReward(
                "present", parse("hours >= 2"), RewardKind.COUPON, article="no_threshold"
            ),
            ActivityReward(
                "loyal", parse("visits >= 9"), RewardKind.BENEFIT_UPGRADE, article="gold"
            ),
        )
    )
    results: dict[str | int, dict[str, Any]] = {
        "a": {"place": 1, "hours": 9, "visits": 9},
        "b": {"place": 3, "hours": 9, "visits": 9},
        "c": {"place": 4, "hours": 2, "visits": 9},
        "d": {"place": None, "hours": 1, "visits": 9},
        "e": {"place": None, "hours": 1, "visits": 8},
    }
    found = contest.grants("quiz", results)
    given_ = [each.reward for each in found]
    assert [(x.member, x.kind.value, x.amount, x.article) for x in given_] == [
        ("a", "prize", 1, "camera"),
        ("b", "points", 500, ""),
        ("c", "coupon", 1, "no_threshold"),
        ("d", "benefit_upgrade", 1, "gold"),
    ]  # fmt: skip
    assert str(found[1].reasons[0]) == "place 3 is <= 3"
    assert contest.grants("quiz", results, given=["quiz:a", "quiz:b", "quiz:c", "quiz:d"]) == ()
    with refused(DuplicateError, "activity rewards"):
        ActivityRewards((contest.rows[0], contest.rows[0]))


def test_rewards_are_counted_once_by_their_key() -> None:
    given_ = Reward("A", "points", 200, reason="r", source="s", key="k")
    back = reversal(given_, "returned")
    assert total([given_, given_, back, back], "points") == {"A": 0}
    assert total([given_], "cash_back") == {}
    with refused(InvalidValueError, "Reward.amount"):
        Reward("A", "points", 0, reason="r", source="s", key="k")
    with refused(InvalidValueError, "Reward.key"):
        Reward("A", "points", 1, reason="r", source="s", key="")
