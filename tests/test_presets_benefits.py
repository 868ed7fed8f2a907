"""Benefits, coupons, referrals and changes of the five handbooks equal the catalogue's blocks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from retention.benefit_grants import BirthdayBenefit
from retention.benefits import BenefitCatalogue, BenefitClass, BenefitKind, ComesWith
from retention.earning import BirthdayWindow
from retention.mechanisms.policies import Origin, Policy, is_blank
from retention.mechanisms.words import Word
from retention.presets import (
    _benefits_customer_operations as customer_operations,
)
from retention.presets import _benefits_ecommerce as ecommerce
from retention.presets import _benefits_membership as membership
from retention.presets import _benefits_new_measures as new_measures
from retention.presets import _benefits_user_retention as user_retention
from retention.redemptions import REDEMPTION, RedemptionState
from tests import catalogue

FILES = {
    "user_retention": (user_retention, "000"),
    "customer_operations": (customer_operations, "001"),
    "ecommerce": (ecommerce, "002"),
    "membership": (membership, "003"),
    "new_measures": (new_measures, "004"),
}
# Words of the blocks that stand for other or for several kinds.
READ = {
    "dispatch_24h": "priority_dispatch",
    "events": "offline_events",
    "news": "member_news",
}


def policies(module: Any) -> dict[str, Policy]:  # noqa: ANN401
    return {name: each for name, each in vars(module).items() if isinstance(each, Policy)}


def by_tier(found: BenefitCatalogue, tier: str | None) -> set[str]:
    return {row.kind.value for row in found.plain(tier)}


def read(names: list[str]) -> set[str]:
    return {READ.get(name, name) for name in names}


@pytest.mark.rule("X-02", "E-19")
@pytest.mark.parametrize("name", FILES)
def test_every_value_names_origin_and_clause(name: str) -> None:
    module, number = FILES[name]
    structure = (".outcome", ".exclusive", ".rising", ".pinned")
    for policy in policies(module).values():
        for entry in policy.values():
            if not entry.path.endswith(structure):
                assert entry.source.origin is not Origin.GIVEN, entry.path
                assert entry.source.clause.startswith((number, "no ")), entry.path


@pytest.mark.rule("E-19", "E-27", "E-28", "VAR-05")
def test_000_equals_the_catalogue() -> None:
    block = catalogue.preset("user_retention")
    rows = user_retention.BENEFITS.benefits
    tiers = {row.kind.value for row in rows if row.comes_with is ComesWith.TIER}
    assert tiers == set(block["benefits"])
    granted = {row.kind.value for row in rows if row.comes_with is ComesWith.GRANT}
    assert granted == {*block["newcomer_benefits"], "coupon", "benefit_upgrade"}
    assert [each.value for each in user_retention.OCCASIONS.newcomer] == block["newcomer_benefits"]
    care = block["care"]
    assert user_retention.OCCASIONS.birthday_window.value == care["birthday"]["mode"]
    assert user_retention.OCCASIONS.leap.value == care["birthday"]["feb29"]
    named = [
        each.key.removesuffix("_anniversary") for each in user_retention.OCCASIONS.anniversaries
    ]
    assert named == care["anniversaries"]
    referral = block["referral"]
    assert (referral["trigger"], referral["both_sides"]) == ("first_purchase_of_referred", True)
    for side in (user_retention.REFERRALS.referrer, user_retention.REFERRALS.referee):
        assert is_blank(side.kind)
        assert is_blank(side.amount)
    assert is_blank(user_retention.BENEFITS.ladder)
    assert block["tiers"]["ladder"] is None


@pytest.mark.rule("E-19")
def test_001_equals_the_catalogue() -> None:
    block = catalogue.preset("customer_operations")["loyalty"]
    rows = customer_operations.BENEFITS.benefits
    assert {row.kind.value for row in rows} == set(block["benefits"])
    assert block["monotone"] is True
    assert customer_operations.VALUE_BENEFITS.violations() == ()
    # E-19: services of high value
    assert by_tier(customer_operations.VALUE_BENEFITS, "high") == {
        "priority_response", "individual_solution", "exclusive_training", "event_priority",
        "upgrade_discount",
    }  # fmt: skip
    assert by_tier(customer_operations.VALUE_BENEFITS, "medium") == set()


@pytest.mark.rule("E-19", "E-21", "E-22", "E-40", "E-42")
def test_002_equals_the_catalogue() -> None:
    block = catalogue.preset("ecommerce")
    vip = block["vip"]
    assert list(ecommerce.BENEFITS.ladder) == vip["tiers"]
    for tier in vip["tiers"]:
        wanted = read(vip["benefits"]["all"]) | read(vip["benefits"].get(tier, []))
        assert by_tier(ecommerce.BENEFITS, tier) == wanted
    assert f"dispatch_{ecommerce.DISPATCH.hours}h" in vip["benefits"]["all"]
    assert list(ecommerce.DISPATCH.tiers) == vip["tiers"]
    assert list(ecommerce.DEDICATED.tiers) == ["diamond_card"]
    back = ecommerce.COUPONS.terms("first_order_back").pays
    layer = block["layers"]
    assert back is not None
    assert f"return_discount_{float(back)}" in layer["sleeping"]["actions"]
    assert "no_threshold_coupon" in layer["lost"]["actions"]
    assert "thanks_24h_coupon" in layer["new"]["actions"]
    assert [row.key for row in ecommerce.COUPONS.rows] == [
        "second_purchase", "spend_and_save", "no_threshold", "first_order_back", "mid_autumn",
    ]  # fmt: skip
    open_ = [entry.path for entry in ecommerce.COUPONS.blanks()]
    assert open_ == [
        "second_purchase.off_minor", "spend_and_save.off_minor", "spend_and_save.threshold_minor",
        "no_threshold.off_minor", "mid_autumn.off_minor",
    ]  # fmt: skip


@pytest.mark.rule("E-19", "E-20", "E-31", "E-32", "E-33", "E-34", "E-36")
def test_003_equals_the_catalogue() -> None:
    block = catalogue.preset("membership")
    found = membership.BENEFITS
    assert list(found.ladder) == block["tiers"]["ladder"]
    kinds = {
        level: {x.kind.value for x in found.benefits if x.level is level} for level in BenefitClass
    }
    benefits = block["benefits"]
    # tier_privileges are those that the block lists; the birthday coupon is granted
    privileges = set(benefits["privileges"])
    basic = read([each for each in benefits["basic"] if each != "tier_privileges"])
    assert kinds[BenefitClass.BASIC] == basic | privileges | {"coupon"}
    parts = {
        "individual_service": {"individual_recommendation", "service_scheme", "individual_offer"},
        "priority_participation": {
            "launch_priority", "limited_edition_priority", "member_event_priority",
        },
        "dedicated_team": {"dedicated_team"},
    }  # fmt: skip
    advanced = [parts[each] for each in benefits["advanced"]]
    assert kinds[BenefitClass.ADVANCED] == set().union(*advanced)
    change, terms = block["benefit_change"], membership.CHANGES
    assert list(terms.channels) == change["notice_via"]
    assert terms.min_channels == change["min_channels"]
    assert f"{terms.lead_days}d" == change["lead"]
    assert {row.form.value for row in terms.remedies} == set(change["compensation"])
    assert change["contents"] == ["reason", "content", "effective_time"]
    verify = next(x for x in REDEMPTION.steps if x.target is RedemptionState.VERIFIED)
    assert {x.replace("benefit_", "") for x in block["redemption"]["verify"]} == verify.needs
    birthday = block["plan"]["birthday"]
    assert membership.OCCASIONS.birthday_window.value == birthday["batch"]
    assert set(birthday["benefit"]) <= {each.value for each in BirthdayBenefit}
    # constants: half-yearly, monthly
    assert membership.REVIEWS.every.months == 6
    assert membership.REDEMPTIONS.inspected is not None
    assert membership.REDEMPTIONS.inspected.months == 1


@pytest.mark.rule("E-19", "E-29", "VAR-05")
def test_004_equals_the_catalogue() -> None:
    block = catalogue.preset("new_measures")
    found = new_measures.BENEFITS
    assert list(found.ladder) == block["layers"]["ladder"]
    for tier in (None, "silver", "gold"):
        assert by_tier(found, tier) == set(block["member_benefits"])
    assert by_tier(found, "diamond") == {*block["member_benefits"], *block["layers"]["diamond"]}
    assert block["fission"]["both_sides"] is True
    assert not hasattr(new_measures, "OCCASIONS")  # VAR-05: a greeting alone


@pytest.mark.rule("VAR-05")
def test_the_handbooks_keep_birthdays_in_their_own_ways() -> None:
    windows = {
        "000": user_retention.OCCASIONS.birthday_window,
        "002": ecommerce.OCCASIONS.birthday_window,
        "003": membership.OCCASIONS.birthday_window,
    }
    assert windows == {
        "000": BirthdayWindow.DAY, "002": BirthdayWindow.DAY, "003": BirthdayWindow.MONTH,
    }  # fmt: skip
    assert user_retention.OCCASIONS.source("birthday_window").origin is Origin.STATED
    assert ecommerce.OCCASIONS.source("birthday_window").origin is Origin.ASSUMED
    blanks = {
        number: is_blank(each.birthday)
        for number, each in (("000", user_retention.OCCASIONS), ("002", ecommerce.OCCASIONS),
                             ("003", membership.OCCASIONS))
    }  # fmt: skip
    assert blanks == {"000": True, "002": False, "003": True}


def test_every_kind_of_benefit_is_named_by_a_handbook() -> None:
    named = {
        row.kind
        for module, _ in FILES.values()
        for each in policies(module).values()
        if isinstance(each, BenefitCatalogue)
        for row in each.benefits
    }
    # what 000 gives on anniversaries is a gift or an offer
    assert set(BenefitKind) - named == {BenefitKind.ANNIVERSARY_BENEFIT}
    assert all(isinstance(kind, Word) for kind in named)


def test_entitlements_can_be_asked_where_nothing_is_open() -> None:
    day = date(2024, 6, 30)
    for module in (customer_operations, ecommerce, membership, new_measures):
        for each in policies(module).values():
            if isinstance(each, BenefitCatalogue) and not is_blank(each.ladder):
                assert each.entitlements(each.ladder[-1], on=day)
