"""The presets equal the catalogue's blocks, and every value names its origin and source."""

from __future__ import annotations

from datetime import date

import attrs
import pytest

from retention import History, InvalidValueError, NotRisingError, Purchase, UnknownNameError
from retention.lifecycle import LIFECYCLE, LifecycleEvent, Stage
from retention.mechanisms.decisions import Bands, FirstMatch
from retention.mechanisms.policies import Origin, is_blank
from retention.mechanisms.ranks import Rounding, Ties
from retention.mechanisms.rules import Limit, Rule
from retention.mechanisms.words import Word
from retention.presets import ecommerce, membership
from retention.segmentation import Layer, LayerCase
from tests import catalogue

BLOCK = catalogue.preset("ecommerce")


def limits(rule: Rule) -> dict[str, Limit]:
    return {limit.measure: limit for limit in rule.limits()}


def layer(name: str) -> LayerCase:
    found = [case for case in ecommerce.segmentation.layer_table.cases if case.key == name]
    assert len(found) == 1
    assert isinstance(found[0], LayerCase)
    return found[0]


@pytest.mark.rule("C-20", "X-01")
def test_bands_equal_the_catalogue() -> None:
    stated, rfm = BLOCK["rfm"], ecommerce.segmentation.rfm
    assert isinstance(rfm.recency, Bands)
    assert isinstance(rfm.monetary, Bands)
    assert isinstance(rfm.frequency, FirstMatch)
    assert rfm.recency.measure == f"days_since_{stated['recency_basis']}"
    assert list(rfm.recency.at_most) == stated["recency_days"]
    assert rfm.recency.open_end
    assert rfm.monetary.measure == "spend_share"  # cumulative: no window in the name
    assert stated["monetary"]["basis"] == "cumulative"
    assert list(rfm.monetary.at_most) == stated["monetary"]["shares"]
    # AMB-05: month, quarter and year are the trailing 30, 90 and 365 days
    days = {"month_avg": 30, "quarter": 90, "year": 365}
    expected = [f"purchases_{days[k]}d >= {v}" for k, v in stated["frequency"].items()]
    assert [str(case.when) for case in rfm.frequency.cases] == expected
    assert rfm.frequency.outcomes == (1, 2, 3, 4)


@pytest.mark.rule("C-21", "C-23")
def test_layers_equal_the_catalogue() -> None:
    stated = BLOCK["layers"]
    assert BLOCK["layer_frequency_window"] == "layer_recency"
    for name in ("high_active", "medium_active"):
        r, f, m = (stated[name][key] for key in "rfm")
        expected = f"days_since_purchase <= {r} and purchases_{r}d >= {f} and spend_share <= {m}"
        assert str(layer(name).when) == expected
    first = limits(layer("new").when)
    assert str(first["days_since_first_purchase"]) == (
        f"days_since_first_purchase <= {stated['new']['days']}"
    )
    low, high = stated["sleeping"]["days"]
    assert str(layer("sleeping").when) == f"{low} <= days_since_purchase <= {high}"
    assert str(layer("lost").when) == f"days_since_purchase > {stated['lost']['after']}"
    for name, row in stated.items():
        assert layer(name).goal == row["goal"]
        assert list(layer(name).actions) == row["actions"]


@pytest.mark.rule("C-22")
def test_precedence_and_catch_all_equal_the_catalogue() -> None:
    table = ecommerce.segmentation.layer_table
    assert [case.key for case in table.cases] == BLOCK["layer_precedence"]
    assert table.otherwise == BLOCK["layer_catch_all"]


@pytest.mark.rule("D-01", "D-02", "D-03", "D-04")
def test_stages_equal_the_catalogue() -> None:
    stated, life = BLOCK["lifecycle"], ecommerce.lifecycle
    rules = {case.key: limits(case.when) for case in life.stage_table.cases}
    assert rules["new"]["days_since_first_purchase"].limit == stated["new_days"]
    assert rules["active"]["days_since_purchase"].limit == stated["active_days"]
    sleeping = rules["sleeping"]["days_since_purchase"].limit
    assert [rules["active"]["days_since_purchase"].limit + 1, sleeping] == stated["sleeping_days"]
    assert sleeping == stated["lost_after_days"]
    assert rules["sleeping"]["days_since_interaction"].limit == int(
        stated["interaction_window"].removesuffix("d")
    )
    weeks, rate = stated["frequent"]["weeks"], stated["frequent"]["login_per_week"]
    assert str(rules["active"][f"logins_each_week_{weeks}w"]) == (
        f"logins_each_week_{weeks}w >= {rate}"
    )
    assert f"{life.reduced.window_days}d" == stated["reduced"]["window"]
    assert life.reduced.ratio_below == stated["reduced"]["ratio_below"]
    assert life.stage_table.otherwise is Stage.LOST


@pytest.mark.rule("VAR-01")
def test_the_ladders_of_programmes_equal_the_catalogue() -> None:
    vip = ecommerce.programme.tiers.ladder.table  # type: ignore[union-attr]
    assert [str(tier) for tier in reversed(vip.outcomes)] == ["none", *BLOCK["vip"]["tiers"]]
    assert BLOCK["vip"]["thresholds"] is None
    members = membership.programme.tiers.ladder.table  # type: ignore[union-attr]
    stated = catalogue.preset("membership")["tiers"]
    assert [str(tier) for tier in reversed(members.outcomes)] == stated["ladder"]
    assert stated["thresholds"] is None
    for table in (vip, members):
        assert all(is_blank(case.when) for case in table.cases)
    ours = ecommerce.with_all(
        {
            f"programme.tiers.{tier}.when": f"spend_minor >= {least}"
            for tier, least in (("diamond_card", 500), ("gold_card", 300), ("silver_card", 100))
        }
    )
    assert ours.programme.tiers is not None
    axis = ours.programme.tiers.ladder
    for spent, tier in (
        (99, "none"),
        (100, "silver_card"),
        (499, "gold_card"),
        (500, "diamond_card"),
    ):
        history = History("c", [Purchase("c", date(2024, 1, 1), spent)])
        assert axis.outcome(history, as_of=date(2024, 6, 30)).outcome == tier


def test_layers_answer_purchases_and_stages_answer_touches() -> None:  # AMB-33
    assert BLOCK["drive_by"] == "stage"
    layers, stages = ecommerce.segmentation.layer_table, ecommerce.lifecycle.stage_table
    assert not any("interaction" in name or "login" in name for name in layers.measures)
    assert any("interaction" in name for name in stages.measures)


@pytest.mark.rule("X-01")
def test_a_preset_is_frozen_and_changed_by_copy() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        ecommerce.name = "ours"  # type: ignore[misc]
    path = "segmentation.layers.high_active.when.days_since_purchase"
    ours = ecommerce.with_(path, 45)
    assert [(x.path, str(x.after)) for x in ecommerce.compare(ours)] == [
        (
            "segmentation.layers.high_active.when",
            "days_since_purchase <= 45 and purchases_30d >= 2 and spend_share <= 0.2",
        )
    ]
    assert ours.with_(path, 30) == ecommerce
    assert hash(ours.with_(path, 30)) == hash(ecommerce)
    with pytest.raises(NotRisingError):
        ecommerce.with_("lifecycle.stages.active.when.days_since_purchase", 200)
    with pytest.raises(NotRisingError):
        ecommerce.with_("segmentation.rfm.recency.at_most", (30, 20, 180))
    with pytest.raises(InvalidValueError):
        ecommerce.with_("lifecycle.reduced.window_days", 0)
    with pytest.raises(UnknownNameError, match="perhaps 'lifecycle'"):
        ecommerce.with_("lifecycles.stages", 1)


@pytest.mark.rule("X-02")
def test_every_value_names_origin_and_source() -> None:
    entries = {entry.path: entry for entry in ecommerce.values()}
    structure = {"name", "title", "title_zh"}
    for path, entry in entries.items():
        is_key = path.endswith(
            (
                ".outcome",
                ".exclusive",
                ".rising",
                ".open_end",
                ".pinned",
                ".name",
                ".survey",
                ".promised",
                ".command",
                ".about",
                ".rule",
            )
        )
        says_nothing = entry.value in (None, (), "") or entry.value is False
        if entry.source.origin is Origin.GIVEN and says_nothing:
            continue
        if path not in structure and not is_key:
            assert entry.source.origin is not Origin.GIVEN, path
            assert entry.source.clause, path
    areas = ("segmentation.", "lifecycle.")  # other areas list theirs beside their own tests
    assert {x.path for x in ecommerce.assumed() if x.path.startswith(areas)} == {
        "segmentation.ranking.ties",
        "segmentation.ranking.rounding",
        "segmentation.zone",
        "segmentation.process.regrading.zone",
        "lifecycle.stages.active.when",
        "lifecycle.reduced.window_days",
        "lifecycle.reduced.ratio_below",
        "lifecycle.zone",
    }
    changed = ecommerce.with_("lifecycle.reduced.window_days", 60)
    assert changed.lifecycle.reduced.source("window_days").origin is Origin.GIVEN
    assert changed.lifecycle.reduced.source("ratio_below").origin is Origin.ASSUMED


@pytest.mark.rule("X-08")
def test_every_term_has_a_chinese_name() -> None:
    def words(kind: type[Word]) -> list[type[Word]]:
        below = [inner for each in kind.__subclasses__() for inner in words(each)]
        return [kind, *below]

    terms = [term for kind in words(Word) if kind is not Word for term in kind]
    assert len(terms) > 40
    for term in terms:
        assert term.label("zh"), term
        assert term.label("en") == term.value.replace("_", " ")
    assert Layer.SLEEPING.label("zh") == "沉睡客户"
    assert {stage.label("zh") for stage in Stage} >= {
        "潜在客户",
        "新客户",
        "活跃客户",
        "沉睡客户",
        "流失客户",
    }
    assert {word.label("zh") for word in (*Ties, *Rounding)} >= {"精确", "向上取整"}


# How the catalogue's words for SM-06 read as events; None is made by time alone.
EVENTS = {
    "interaction (browse, favourite, cart or similar)": LifecycleEvent.INTERACT,
    "first order": LifecycleEvent.PURCHASE,
    "purchase": LifecycleEvent.PURCHASE,
    "frequent interaction": LifecycleEvent.INTERACT_OFTEN,
    "some interaction": LifecycleEvent.INTERACT,
    "day 31": None,
    "day ≥ 91 and not frequent": None,
    "day ≥ 181 and no interaction for over 180 days": None,
}


@pytest.mark.rule("SM-06", "X-05")
def test_the_lifecycle_equals_the_catalogue() -> None:
    states, transitions = catalogue.machine("SM-06")
    assert [stage.value for stage in Stage] == states
    expected = {(a, EVENTS[what], b) for a, what, b in catalogue.edges(transitions)}
    assert {(x.source, x.command, x.target) for x in LIFECYCLE.steps} == expected
    assert not LIFECYCLE.unreachable(Stage.REGISTERED)
