"""Benefits, coupons, referrals and changes of the five handbooks equal the catalogue's blocks."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from importlib import import_module

import pytest

from retention.benefit_grants import BirthdayBenefit
from retention.benefits import BenefitCatalogue, BenefitClass, BenefitKind, ComesWith
from retention.earning import BirthdayWindow
from retention.handbook import Handbook
from retention.mechanisms.errors import BlankValueError
from retention.mechanisms.obligations import After
from retention.mechanisms.policies import Origin, Policy, is_blank
from retention.mechanisms.words import Word
from retention.presets import (
    customer_operations,
    ecommerce,
    membership,
    new_measures,
    user_retention,
)
from retention.privileges import EarlierWindow, PriorityDispatch, ReservedPlaces
from retention.redemptions import REDEMPTION, RedemptionState
from tests import catalogue

HANDBOOKS = {
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


PARTS = (
    *("benefits", "occasions", "coupons", "referral", "activity_rewards", "dispatch"),
    *("dedicated_service", "event_priority", "benefit_redemption", "benefit_reviews"),
    "benefit_changes",
)


def policies(handbook: Handbook) -> dict[str, Policy]:
    """What the handbook says of benefits, by path."""
    found = {f"programme.{name}": getattr(handbook.programme, name) for name in PARTS}
    found["value_benefits"] = handbook.value_benefits
    return {path: part for path, part in found.items() if not is_blank(part)}


def catalogues(handbook: Handbook) -> list[BenefitCatalogue]:
    return [x for x in policies(handbook).values() if isinstance(x, BenefitCatalogue)]


def benefits_of(handbook: Handbook) -> BenefitCatalogue:
    found = handbook.programme.benefits
    assert found is not None
    return found


def by_tier(found: BenefitCatalogue, tier: str | None) -> set[str]:
    return {row.kind.value for row in found.plain(tier)}


def read(names: list[str]) -> set[str]:
    return {READ.get(name, name) for name in names}


@pytest.mark.rule("X-02", "E-19")
@pytest.mark.parametrize("name", HANDBOOKS)
def test_every_value_names_origin_and_clause(name: str) -> None:
    handbook, number = HANDBOOKS[name]
    structure = (".outcome", ".exclusive", ".rising", ".pinned")
    for policy in policies(handbook).values():
        for entry in policy.values():
            if not entry.path.endswith(structure):
                assert entry.source.origin is not Origin.GIVEN, entry.path
                assert entry.source.clause.startswith((number, "no ")), entry.path


@pytest.mark.rule("E-19", "E-27", "E-28", "VAR-05")
def test_000_equals_the_catalogue() -> None:
    block = catalogue.preset("user_retention")
    rows = benefits_of(user_retention).benefits
    tiers = {row.kind.value for row in rows if row.comes_with is ComesWith.TIER}
    assert tiers == set(block["benefits"])
    granted = {row.kind.value for row in rows if row.comes_with is ComesWith.GRANT}
    assert granted == {*block["newcomer_benefits"], "coupon", "benefit_upgrade"}
    assert [each.value for each in user_retention.programme.occasions.newcomer] == block[
        "newcomer_benefits"
    ]
    care = block["care"]
    assert user_retention.programme.occasions.birthday_window.value == care["birthday"]["mode"]
    assert user_retention.programme.occasions.leap.value == care["birthday"]["feb29"]
    named = [
        each.key.removesuffix("_anniversary")
        for each in user_retention.programme.occasions.anniversaries
    ]
    assert named == care["anniversaries"]
    referral = block["referral"]
    assert (referral["trigger"], referral["both_sides"]) == ("first_purchase_of_referred", True)
    for side in (
        user_retention.programme.referral.referrer,
        user_retention.programme.referral.referee,
    ):
        assert is_blank(side.kind)
        assert is_blank(side.amount)
    assert is_blank(benefits_of(user_retention).ladder)
    assert block["tiers"]["ladder"] is None


@pytest.mark.rule("E-19")
def test_001_equals_the_catalogue() -> None:
    block = catalogue.preset("customer_operations")["loyalty"]
    rows = benefits_of(customer_operations).benefits
    assert {row.kind.value for row in rows} == set(block["benefits"])
    assert block["monotone"] is True
    assert customer_operations.value_benefits.violations() == ()
    # E-19: services of high value
    assert by_tier(customer_operations.value_benefits, "high") == {
        "priority_response", "individual_solution", "exclusive_training", "event_priority",
        "upgrade_discount",
    }  # fmt: skip
    assert by_tier(customer_operations.value_benefits, "medium") == set()


@pytest.mark.rule("E-19", "E-21", "E-22", "E-40", "E-42")
def test_002_equals_the_catalogue() -> None:
    block = catalogue.preset("ecommerce")
    vip = block["vip"]
    assert list(benefits_of(ecommerce).ladder) == vip["tiers"]
    for tier in vip["tiers"]:
        wanted = read(vip["benefits"]["all"]) | read(vip["benefits"].get(tier, []))
        assert by_tier(benefits_of(ecommerce), tier) == wanted
    assert f"dispatch_{ecommerce.programme.dispatch.hours}h" in vip["benefits"]["all"]
    assert list(ecommerce.programme.dispatch.tiers) == vip["tiers"]
    assert list(ecommerce.programme.dedicated_service.tiers) == ["diamond_card"]
    back = ecommerce.programme.coupons.terms("first_order_back").pays
    layer = block["layers"]
    assert back is not None
    assert f"return_discount_{float(back)}" in layer["sleeping"]["actions"]
    assert "no_threshold_coupon" in layer["lost"]["actions"]
    assert "thanks_24h_coupon" in layer["new"]["actions"]
    assert [row.key for row in ecommerce.programme.coupons.rows] == [
        "second_purchase", "spend_and_save", "no_threshold", "first_order_back", "mid_autumn",
    ]  # fmt: skip
    open_ = [entry.path for entry in ecommerce.programme.coupons.blanks()]
    assert open_ == [
        "second_purchase.off_minor", "spend_and_save.off_minor", "spend_and_save.threshold_minor",
        "no_threshold.off_minor", "mid_autumn.off_minor",
    ]  # fmt: skip


@pytest.mark.rule("E-19", "E-20", "E-31", "E-32", "E-33", "E-34", "E-36")
def test_003_equals_the_catalogue() -> None:
    block = catalogue.preset("membership")
    found = benefits_of(membership)
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
    change, terms = block["benefit_change"], membership.programme.benefit_changes
    assert list(terms.channels) == change["notice_via"]
    assert terms.min_channels == change["min_channels"]
    assert f"{terms.lead_days}d" == change["lead"]
    assert {row.form.value for row in terms.remedies} == set(change["compensation"])
    assert change["contents"] == ["reason", "content", "effective_time"]
    verify = next(x for x in REDEMPTION.steps if x.target is RedemptionState.VERIFIED)
    assert {x.replace("benefit_", "") for x in block["redemption"]["verify"]} == verify.needs
    birthday = block["plan"]["birthday"]
    assert membership.programme.occasions.birthday_window.value == birthday["batch"]
    assert set(birthday["benefit"]) <= {each.value for each in BirthdayBenefit}
    # constants: half-yearly, monthly
    assert membership.programme.benefit_reviews.every.months == 6
    assert membership.programme.benefit_redemption.inspected is not None
    assert membership.programme.benefit_redemption.inspected.months == 1


@pytest.mark.rule("E-19", "E-29", "VAR-05")
def test_004_equals_the_catalogue() -> None:
    block = catalogue.preset("new_measures")
    found = benefits_of(new_measures)
    assert list(found.ladder) == block["layers"]["ladder"]
    for tier in (None, "silver", "gold"):
        assert by_tier(found, tier) == set(block["member_benefits"])
    assert by_tier(found, "diamond") == {*block["member_benefits"], *block["layers"]["diamond"]}
    assert block["fission"]["both_sides"] is True
    assert is_blank(new_measures.programme.occasions)  # VAR-05: a greeting alone


@pytest.mark.rule("VAR-05")
def test_the_handbooks_keep_birthdays_in_their_own_ways() -> None:
    windows = {
        "000": user_retention.programme.occasions.birthday_window,
        "002": ecommerce.programme.occasions.birthday_window,
        "003": membership.programme.occasions.birthday_window,
    }
    assert windows == {
        "000": BirthdayWindow.DAY, "002": BirthdayWindow.DAY, "003": BirthdayWindow.MONTH,
    }  # fmt: skip
    assert user_retention.programme.occasions.source("birthday_window").origin is Origin.STATED
    assert ecommerce.programme.occasions.source("birthday_window").origin is Origin.ASSUMED
    handbooks = {"000": user_retention, "002": ecommerce, "003": membership}
    blanks = {
        number: is_blank(each.programme.occasions.birthday) for number, each in handbooks.items()
    }
    assert blanks == {"000": True, "002": False, "003": True}


def test_every_kind_of_benefit_is_named_by_a_handbook() -> None:
    named = {
        row.kind
        for handbook, _ in HANDBOOKS.values()
        for each in catalogues(handbook)
        for row in each.benefits
    }
    # what 000 gives on anniversaries is a gift or an offer
    assert set(BenefitKind) - named == {BenefitKind.ANNIVERSARY_BENEFIT}
    assert all(isinstance(kind, Word) for kind in named)


def test_entitlements_can_be_asked_where_nothing_is_open() -> None:
    day = date(2024, 6, 30)
    for handbook, _ in HANDBOOKS.values():
        for each in catalogues(handbook):
            if not is_blank(each.ladder):
                assert each.entitlements(each.ladder[-1], on=day)


# --- one value ------------------------------------------------------------------------------------

SAYS = {
    "user_retention": {"occasions", "referral", "activity_rewards"},
    "customer_operations": set[str](),
    "ecommerce": {"occasions", "coupons", "dispatch", "dedicated_service"},
    "membership": {
        "occasions", "coupons", "dedicated_service", "event_priority", "benefit_redemption",
        "benefit_reviews", "benefit_changes",
    },
    "new_measures": {"referral"},
}  # fmt: skip


@pytest.mark.rule("E-01", "X-02")
@pytest.mark.parametrize("name", HANDBOOKS)
def test_a_handbook_holds_every_rule_of_its_benefits(name: str) -> None:
    handbook, _ = HANDBOOKS[name]
    found = {path.removeprefix("programme.") for path in policies(handbook)}
    assert found - {"benefits", "value_benefits"} == SAYS[name]
    assert ("value_benefits" in found) == (name == "customer_operations")
    # nothing is said of it elsewhere: every policy of the file stands in the handbook
    file = import_module(f"retention.presets._benefits_{name}")
    held = list(policies(handbook).values())
    values = [x for x in vars(file).values() if isinstance(x, Policy)]
    assert len(values) == len(held)
    assert all(any(each is x for x in held) for each in values)


CHANGES: list[tuple[Handbook, str, object]] = [
    (ecommerce, "programme.coupons.first_order_back.pays", Fraction(7, 10)),
    (ecommerce, "programme.dispatch.hours", 12),
    (ecommerce, "programme.dedicated_service.tiers", ("gold_card", "diamond_card")),
    (user_retention, "programme.referral.return_days", 14),
    (user_retention, "programme.occasions.anniversaries.membership_anniversary.from_year", 5),
    (membership, "programme.benefit_changes.lead_days", 60),
    (membership, "programme.benefit_reviews.every", After(months=3)),
    (membership, "programme.benefit_redemption.department", "service"),
    (new_measures, "programme.referral.referrer.amount", 200),
    (customer_operations, "value_benefits.version", "2"),
]


@pytest.mark.rule("E-01", "X-01")
@pytest.mark.parametrize(
    ("handbook", "path", "value"), CHANGES, ids=lambda x: x if isinstance(x, str) else ""
)
def test_a_rule_of_benefits_is_changed_by_path(
    handbook: Handbook, path: str, value: object
) -> None:
    ours = handbook.with_(path, value)
    assert [(x.path, x.after) for x in handbook.compare(ours)] == [(path, value)]
    assert ours.fingerprint() != handbook.fingerprint()
    (before,) = (x for x in handbook.values() if x.path == path)
    assert ours.with_(path, before.value) == handbook
    (entry,) = (x for x in ours.values() if x.path == path)
    assert entry.source.origin is Origin.GIVEN


def test_what_no_handbook_says_is_named_when_it_is_used() -> None:
    with pytest.raises(BlankValueError, match=r"coupons.*no coupons are named"):
        _ = new_measures.programme.coupons.rows
    ours = new_measures.with_("programme.coupons", ecommerce.programme.coupons)
    assert ours.programme.coupons.terms("first_order_back").pays == Fraction(4, 5)


@pytest.mark.rule("E-01", "E-22", "E-32", "E-42", "E-43")
def test_what_contradicts_itself_in_benefits_is_listed() -> None:
    for handbook in (user_retention, customer_operations, membership, new_measures):
        assert handbook.programme.violations() == ()
    wrong = membership.programme.with_all(
        {
            "dispatch": PriorityDispatch(("vip",), hours=24),
            "dedicated_service.tiers": ("diamond", "platinum"),
            "event_priority.windows": (EarlierWindow(("gold",), hours=2),),
            "event_priority.reserved": ReservedPlaces(("silver",), places=3),
            "benefit_changes.min_channels": 5,
            "benefit_reviews.zone": "UTC",
            "coupons.zone": "UTC",
        }
    )
    tiers = "ordinary, silver_card, gold_card, diamond"
    found = {x.where: (x.given, x.allowed, x.rule) for x in wrong.violations()}
    assert found == {
        "dispatch": ("vip", tiers, "E-01"),
        "dedicated_service": ("platinum", tiers, "E-01"),
        "event_priority.gold": ("gold", tiers, "E-01"),
        "event_priority.reserved": ("silver", tiers, "E-01"),
        "benefit_changes.min_channels": ("5", "<= 4, the channels named", "E-32"),
        "benefit_reviews.zone": ("UTC", "Asia/Shanghai", "E-01"),
        "coupons.zone": ("UTC", "Asia/Shanghai", "E-01"),
    }
