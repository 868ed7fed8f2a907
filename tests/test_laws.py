"""The laws hold for the presets and variants of them, and each law notices when it is broken."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention import (
    History,
    Interaction,
    InvalidValueError,
    Purchase,
    PurchaseLog,
    Return,
    WrongTypeError,
    parse,
)
from retention.classifications import Classification
from retention.grading import GRADING, GradingOrder, Head, WorkingGroup
from retention.handbook import Handbook
from retention.lifecycle import LIFECYCLE, Stage
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.machines import Machine
from retention.mechanisms.obligations import After, Done, Every, Obligation
from retention.mechanisms.periods import AsOf, When, local_date, zone_of
from retention.mechanisms.ranks import Ranking, Rounding, Ties
from retention.mechanisms.rules import Limit, Rule
from retention.mechanisms.timelines import Timeline
from retention.mechanisms.words import Word
from retention.presets import (
    customer_operations,
    ecommerce,
    membership,
    new_measures,
    user_retention,
)
from retention.segmentation import Segmentation
from retention.summaries import Summary
from retention.tag_sheets import TAGGING
from retention.tags import TagLibrary, TagRule
from retention.testing import (
    as_ofs,
    attributes,
    changes,
    classifications,
    command_columns,
    grading_commands,
    histories,
    laws,
    limits_in_time,
    machines,
    moments,
    rows,
    rules,
    situations,
    tag_libraries,
    tiers,
    timelines,
    triggers,
    variants,
    windows,
    zones,
)
from retention.testing.strategies.rules import MEASURES

Situation = tuple[tuple[History, ...], When]


def changed(**values: object) -> Handbook:
    """The preset with values at other paths; a double underscore is a dot."""
    handbook = ecommerce
    for path, value in values.items():
        handbook = handbook.with_(path.replace("__", "."), value)
    return handbook


DAY = date(2024, 6, 30)
HIGH = "days_since_purchase <= 30 and {} and {} <= 0.2"
HANDBOOKS = {
    "as_written": ecommerce,
    "ties_by_frequency": changed(segmentation__ranking__ties="by_frequency"),
    "rounded_up": changed(segmentation__ranking__rounding="ceil"),
    "spend_of_a_year": changed(
        segmentation__ranking__ties="by_frequency",
        segmentation__rfm__monetary__measure="spend_share_1y",
        segmentation__layers__high_active__when=HIGH.format("purchases_30d >= 2", "spend_share_1y"),
    ),
    "monthly_average": changed(
        segmentation__layers__high_active__when=HIGH.format(
            "purchases_per_month_3mo >= 0.5", "spend_share"
        )
    ),
    "seven_day_blocks": changed(
        lifecycle__stages__active__when="days_since_purchase <= 90 or logins_each_7d_2w >= 1"
    ),
    "other_zones": changed(
        segmentation__zone="America/New_York", lifecycle__zone="Australia/Lord_Howe"
    ),
}
# Stages of other handbooks that SM-06 still describes.
SAME_MACHINE = ("as_written", "seven_day_blocks", "other_zones")

# These laws look at segments and stages; other areas have their own.
handbooks = st.one_of(
    st.sampled_from(list(HANDBOOKS.values())),
    variants(ecommerce, paths=["segmentation", "lifecycle"]),
)


# --- the laws hold -------------------------------------------------------------------------------


@given(handbooks, situations())
def test_one_equals_columns(handbook: Handbook, situation: Situation) -> None:
    laws.one_equals_columns(handbook, situation[0], as_of=situation[1])


@given(situations(grain="instants", zone="America/New_York"))
def test_one_equals_columns_where_clocks_change(situation: Situation) -> None:
    laws.one_equals_columns(HANDBOOKS["other_zones"], situation[0], as_of=situation[1])


@given(situations(max_customers=4), st.sampled_from(["Asia/Shanghai", "America/New_York"]))
def test_measures_equal_columns(situation: Situation, zone: str) -> None:
    laws.measure_equals_column(MEASURES, situation[0], as_of=situation[1], zone=zone)


@given(classifications(), situations(max_customers=3))
def test_classifications_that_nobody_wrote(axis: Classification[str], situation: Situation) -> None:
    laws.outcome_equals_outcomes(axis, situation[0], as_of=situation[1])
    laws.due_equals_dues(axis, situation[0], as_of=situation[1])


@given(classifications(), histories(max_purchases=4, max_interactions=3), as_ofs(grain="days"))
def test_no_outcome_changes_before_it_is_due(
    axis: Classification[str], history: History, as_of: date
) -> None:
    laws.nothing_changes_before_due(axis, history, as_of=as_of, days=420)


@pytest.mark.rule("X-03")
@given(handbooks, situations(max_customers=4), st.integers(0, 2**32))
def test_order_does_not_matter(handbook: Handbook, situation: Situation, seed: int) -> None:
    laws.order_does_not_matter(handbook, situation[0], as_of=situation[1], seed=seed)


@given(handbooks, situations(), st.integers(0, 2**32))
def test_union_is_merge(handbook: Handbook, situation: Situation, seed: int) -> None:
    laws.union_is_merge(handbook, situation[0], as_of=situation[1], seed=seed)


@given(handbooks, situations(), st.integers(0, 2**32))
def test_an_update_is_the_whole(handbook: Handbook, situation: Situation, seed: int) -> None:
    laws.update_is_whole(handbook, situation[0], as_of=situation[1], seed=seed)


@given(handbooks, situations(), st.integers(0, 2**32), st.integers(0, 60))
def test_an_update_moves_the_point_of_view(
    handbook: Handbook, situation: Situation, seed: int, days: int
) -> None:
    later = situation[1] + timedelta(days=days)
    laws.update_is_whole(handbook, situation[0], as_of=situation[1], later=later, seed=seed)


@pytest.mark.rule("C-25")
@given(handbooks, situations())
def test_pinned_equals_unpinned(handbook: Handbook, situation: Situation) -> None:
    laws.pinned_equals_unpinned(handbook.segmentation, situation[0], as_of=situation[1])


SHARES = st.sampled_from([0.05, 0.1, 0.2, 0.25, 0.35, 0.5, 0.8, 0.9, 1.0, 0.0, 1.5])
AMOUNTS = st.lists(st.sampled_from([0, 1, 2, 3, 100, -1, 101, 102, 103]), min_size=1, max_size=21)
SHARE_LIMITS = st.one_of(
    st.builds(Limit, st.just("spend_share"), st.sampled_from(["<=", "<", ">=", ">"]), SHARES),
    st.builds(
        lambda relation, one, other: Limit("spend_share", relation, tuple(sorted((one, other)))),
        st.sampled_from(["between", "outside"]), SHARES, SHARES,
    ),
    st.builds(Limit, st.just("spend_share"), st.sampled_from(["missing", "known"])),
)  # fmt: skip
SHARE_RULES = st.one_of(
    SHARE_LIMITS,
    st.builds(lambda one, other: one & other, SHARE_LIMITS, SHARE_LIMITS),
    st.builds(lambda one, other: ~(one | other), SHARE_LIMITS, SHARE_LIMITS),
)


@pytest.mark.rule("RC-09")
@given(SHARE_RULES, AMOUNTS, st.sampled_from(Rounding))
def test_pinned_rule_is_rank(rule: Rule, amounts: list[int], rounding: Rounding) -> None:
    laws.pinned_rule_is_rank(rule, amounts, rounding=rounding)


@pytest.mark.rule("RC-09")
@given(SHARE_RULES, AMOUNTS, st.data())
def test_pinned_rule_is_rank_with_ties_broken(
    rule: Rule, amounts: list[int], data: st.DataObject
) -> None:
    orders = st.lists(st.integers(1, 3), min_size=len(amounts), max_size=len(amounts))
    laws.pinned_rule_is_rank(rule, amounts, ties=data.draw(orders))


@pytest.mark.rule("D-06", "SM-06")
@pytest.mark.parametrize("name", SAME_MACHINE)
@given(history=histories(), until=as_ofs())
def test_stage_function_is_stage_machine(name: str, history: History, until: When) -> None:
    laws.stage_function_is_stage_machine(HANDBOOKS[name].lifecycle, history, until=until)


@pytest.mark.rule("D-06", "SM-06")
@given(histories())
def test_stage_table_agrees_with_stage_function(history: History) -> None:
    laws.stage_table_agrees_with_stage_function(ecommerce.lifecycle, history)


@given(handbooks, histories(max_returns=0), as_ofs())
def test_no_stage_changes_before_it_is_due(
    handbook: Handbook, history: History, as_of: When
) -> None:
    laws.nothing_changes_before_due(handbook.lifecycle, history, as_of=as_of)


@given(handbooks, situations(min_customers=1, max_customers=3))
def test_no_layer_changes_before_it_is_due(handbook: Handbook, situation: Situation) -> None:
    base, as_of = situation
    pinned = handbook.segmentation.pin(laws.logs_of(base)[0], as_of=as_of)
    laws.nothing_changes_before_due(pinned, base[0], as_of=as_of, days=420)


@given(rules(texts=["grade"]))
def test_text_round_trip(rule: Rule) -> None:
    laws.text_round_trip(rule)


@given(st.data())
def test_double_negation_and_columns(data: st.DataObject) -> None:
    rule = data.draw(rules(texts=["grade"]))
    asked = data.draw(st.lists(rows(rule), max_size=8))
    laws.double_negation(rule, asked)
    laws.rule_one_equals_columns(rule, asked)


@given(handbooks, st.data())
def test_a_change_can_be_taken_back(handbook: Handbook, data: st.DataObject) -> None:
    laws.change_can_be_taken_back(handbook, *data.draw(changes(handbook)))


@given(handbooks, handbooks)
def test_fingerprint_follows_values(one: Handbook, other: Handbook) -> None:
    laws.fingerprint_follows_values(one, other)


@given(machines())
def test_machines(machine: Machine[Word, Word]) -> None:
    laws.every_state_is_reachable(machine, next(iter(machine.states)))
    laws.machine_keeps_its_table(machine)


@pytest.mark.rule("SM-06")
def test_the_lifecycle_is_reached_from_registration() -> None:
    laws.every_state_is_reachable(LIFECYCLE, Stage.REGISTERED)
    laws.machine_keeps_its_table(LIFECYCLE)


# --- the other handbooks -------------------------------------------------------------------------

STRICT = user_retention.segmentation.classification("spend_grade").with_("mode", "strict")
SCORED = {"high.when": "value_score >= 70", "medium.when": "value_score >= 40"}
OTHERS = {
    "user_retention": user_retention,
    "strict_grades": attrs.evolve(
        user_retention, segmentation=Segmentation(classifications=(STRICT,))
    ),
    "customer_operations": customer_operations,
    "membership": membership,
    "membership_filled": membership.with_all(
        {f"segmentation.classifications.value_score.{path}": rule for path, rule in SCORED.items()}
    ),
    "new_measures": new_measures,
    "new_measures_filled": new_measures.with_all(
        {
            "segmentation.classifications.layers.diamond.when": "value >= 80 and activity >= 60",
            "segmentation.classifications.layers.gold.when": "value >= 60 or spend_share <= 0.2",
            "segmentation.classifications.layers.silver.when": "value >= 40",
            "segmentation.tags.high_value.when": "spend_minor >= 100_00",
            "segmentation.tags.active.when": "days_since_interaction <= 30",
        }
    ),
}
other = pytest.mark.parametrize("name", OTHERS)
ASKED = {
    name: situations(min_customers=1, max_customers=3, attributes=attributes(handbook))
    for name, handbook in OTHERS.items()
}


@other
@given(data=st.data())
def test_one_equals_columns_in_other_handbooks(name: str, data: st.DataObject) -> None:
    base, as_of = data.draw(ASKED[name])
    laws.one_equals_columns(OTHERS[name], base, as_of=as_of)


@pytest.mark.rule("X-03")
@given(st.sampled_from(list(OTHERS)), st.data(), st.integers(0, 2**32))
def test_order_does_not_matter_in_other_handbooks(
    name: str, data: st.DataObject, seed: int
) -> None:
    base, as_of = data.draw(ASKED[name])
    laws.order_does_not_matter(OTHERS[name], base, as_of=as_of, seed=seed)
    laws.union_is_merge(OTHERS[name], base, as_of=as_of, seed=seed)


@pytest.mark.rule("C-25")
@given(st.sampled_from([name for name in OTHERS if name != "membership"]), st.data())
def test_pinned_equals_unpinned_in_other_handbooks(name: str, data: st.DataObject) -> None:
    base, as_of = data.draw(ASKED[name])
    laws.pinned_equals_unpinned(OTHERS[name].segmentation, base, as_of=as_of)


@given(st.sampled_from([OTHERS[name] for name in OTHERS if name != "membership"]), st.data())
def test_a_change_of_other_handbooks(handbook: Handbook, data: st.DataObject) -> None:
    laws.change_can_be_taken_back(handbook, *data.draw(changes(handbook)))


AGEING = [
    axis
    for axis in user_retention.segmentation.classifications
    if not any(name.endswith("_share_1y") for name in axis.table.measures)
]


@given(st.sampled_from(AGEING), ASKED["user_retention"])
def test_no_class_changes_before_it_is_due(axis: Classification[Any], situation: Situation) -> None:
    base, as_of = situation
    laws.nothing_changes_before_due(axis, base[0], as_of=as_of, days=400)


# --- grades, tags, deadlines ---------------------------------------------------------------------

SPENT = st.lists(st.integers(0, 4) | st.integers(0, 10**6), max_size=30)
TIERS = st.builds(
    lambda table, ties, rounding: Classification(
        "tiers", table, ranking=Ranking(ties=ties, rounding=rounding)
    ),
    tiers(), st.sampled_from(Ties), st.sampled_from(Rounding),
)  # fmt: skip
LADDERS = [
    user_retention.segmentation.classification(name)
    for name in ("spend_grade", "amount_level", "profit_level", "value_classes")
]
LADDERS += [axis.with_("ranking.rounding", "ceil") for axis in LADDERS]


@pytest.mark.rule("C-07", "C-09", "RC-09")
@given(TIERS | st.sampled_from(LADDERS), SPENT)
def test_grades_by_rank(axis: Classification[Any], amounts: list[int]) -> None:
    laws.ties_share_a_grade(axis, amounts, as_of=DAY)
    laws.a_non_buyer_is_never_above_the_lowest(axis, amounts, as_of=DAY, others=2)
    laws.grades_rise_with_spend(axis, amounts, as_of=DAY)


GROUP = WorkingGroup("group", (Head("marketing", "chen"), Head("customer_service", "wang")))
PROCESS = user_retention.segmentation.process.with_("group", GROUP)


@pytest.mark.rule("C-14", "C-41", "K-13", "SM-08")
@given(grading_commands(PROCESS))
def test_a_batch_takes_effect_only_after_another_person_approved_it(
    commands: list[GradingOrder],
) -> None:
    laws.a_batch_takes_effect_only_after_another_person_approved_it(PROCESS, commands)


@pytest.mark.rule("C-41")
@given(timelines())
def test_a_history_has_no_overlap(timeline: Timeline[str]) -> None:
    laws.history_has_no_overlap(timeline)


@pytest.mark.rule("RC-02", "RC-03", "RC-04", "RC-12")
@given(st.data())
def test_an_obligation_has_one_outcome(data: st.DataObject) -> None:
    window = data.draw(windows())
    around = moments(window)
    done = st.builds(Done, st.just("C-1"), st.sampled_from(["call", "visit"]), around,
                     st.sampled_from(["phone", "letter"]))  # fmt: skip
    laws.an_obligation_has_one_outcome(
        Obligation("C-1", "call", window, "X-04", channels=("phone",)),
        data.draw(st.lists(done, max_size=4)),
        as_ofs=data.draw(st.lists(around, min_size=2, max_size=6)),
    )


CADENCES = limits_in_time().filter(lambda limit: isinstance(limit, Every | After))


@pytest.mark.rule("RC-07")
@given(CADENCES, triggers(), st.integers(0, 700), st.lists(triggers(), max_size=4), zones())
def test_windows_of_a_cadence_tile_the_calendar(
    limit: Every | After, since: When, length: int, done: list[When], zone: str
) -> None:
    home = zone_of(zone)
    until = local_date(since, home) + timedelta(days=length)
    laws.windows_of_a_cadence_tile_the_calendar(limit, since, zone=home, until=until, done=done)


SHARES_AS_TAGS = TagLibrary(
    (
        TagRule("top", parse("spend_share <= 0.2 and days_since_purchase <= 90")),
        TagRule("quiet_top", parse("has_top == True and interactions_30d < 1")),
    ),
    every=After(months=1),
    population=parse("purchases >= 1"),
)


@pytest.mark.rule("C-30", "C-31")
@given(
    tag_libraries()
    | st.sampled_from([OTHERS["new_measures_filled"].segmentation.tags, SHARES_AS_TAGS]),
    situations(max_customers=3),
)
def test_tags_one_equals_columns(library: TagLibrary, situation: Situation) -> None:
    laws.tags_one_equals_columns(library, situation[0], as_of=situation[1])


GAPS = st.lists(st.integers(1, 70), min_size=1, max_size=8)
TAGGED = tag_libraries(measures=["purchases_30d", "interactions_90d", "days_since_purchase"])


@pytest.mark.rule("SM-32", "C-33", "C-41")
@given(TAGGED, histories(max_returns=0), GAPS)
def test_a_tag_follows_its_rule(library: TagLibrary, history: History, gaps: list[int]) -> None:
    days = [date(2024, 1, 1) + timedelta(days=sum(gaps[:n])) for n in range(len(gaps))]
    laws.a_tag_follows_its_rule(library, history, days)


@pytest.mark.rule("X-05")
@given(machines() | st.sampled_from([LIFECYCLE, GRADING, TAGGING]), st.data())
def test_machine_bulk_equals_steps(machine: Machine[Any, Any], data: st.DataObject) -> None:
    laws.machine_bulk_equals_steps(machine, **data.draw(command_columns(machine)))


# --- cases that the laws found -------------------------------------------------------------------

OLD = History("C-1", [Purchase("C-1", DAY - timedelta(days=90), 5)])  # its last day as active
YOUNG = [History(f"C-{n}", [Purchase(f"C-{n}", DAY, 1)]) for n in (2, 3, 4)]
BASE = [OLD, *YOUNG]  # in which the old one spends most
CALLER = History("C-1", interactions=[Interaction("C-1", DAY, "call")])
NEW_YORK = ZoneInfo("America/New_York")


def test_nothing_given_back_is_no_purchase() -> None:
    with suppress(InvalidValueError):  # or no fact at all
        base = [History("C-1", returns=[Return("C-1", DAY, 0)])]
        laws.one_equals_columns(ecommerce, base, as_of=DAY)


def test_an_hour_that_comes_twice() -> None:
    first = datetime(2024, 11, 3, 1, 30, tzinfo=NEW_YORK)
    later = datetime(2024, 11, 3, 1, 10, tzinfo=NEW_YORK, fold=1)
    base = [History("C-1", [Purchase("C-1", later, 1)])]
    laws.one_equals_columns(ecommerce, base, as_of=first)


def test_clocks_that_go_back_over_midnight() -> None:
    policy = ecommerce.lifecycle.with_("zone", "America/St_Johns")
    at = datetime(2010, 11, 7, 2, 45, tzinfo=UTC)  # 23:15 of the 6th, for the second time
    last = at + timedelta(days=2)
    base = [History("C-1", [Purchase("C-1", at, 1), Purchase("C-1", last, 1)])]
    for day in (date(2010, 12, 6), date(2010, 12, 7)):
        laws.stage_equals_stages(policy, base, as_of=day)


def test_words_with_two_spaces() -> None:
    laws.text_round_trip(Limit("grade", "==", "a  b"))


def test_letters_that_python_writes_otherwise() -> None:
    with suppress(InvalidValueError):  # or no name at all
        laws.text_round_trip(Limit("ﬁt", "<=", 1))


def test_words_among_numbers() -> None:
    with suppress(WrongTypeError):  # or no rule at all
        laws.rule_one_equals_columns(Limit("grade", "in", ("a", 1)), [{"grade": 1}])


def test_nobody_without_spend_is_within_a_share_that_is_rounded_up() -> None:
    laws.pinned_rule_is_rank(parse("spend_share <= 0.8"), [5, 4, 3, 0], rounding=Rounding.CEIL)


def test_a_summary_of_nothing_merges_with_numbers() -> None:
    point = AsOf.at(DAY, zone_of("UTC"))
    one = Summary.of(["purchases"], PurchaseLog.of([Purchase(7, DAY, 1)]), as_of=point)
    none = Summary.of(["purchases"], PurchaseLog.of([]), as_of=point)
    assert none.merge(one).customers.tolist() == one.merge(none).customers.tolist() == [7]


def test_an_empty_list_of_customers_keeps_the_numbers() -> None:
    log = PurchaseLog.of([Purchase(7, DAY, 1)])
    found = ecommerce.lifecycle.stages(log, as_of=DAY, customers=[])
    assert [type(name) for name in found.customers.tolist()] == [int]


def test_ties_are_broken_where_the_population_does_not_count_purchases() -> None:
    policy = (
        HANDBOOKS["ties_by_frequency"].segmentation.with_(
            "population", "days_since_first_purchase >= 0"
        )
    ).with_("layers.high_active.when", "spend_share_1y <= 0.2")
    policy = policy.with_("layers.medium_active.when", "spend_share_1y <= 0.5")
    laws.pinned_equals_unpinned(policy, [OLD], as_of=DAY)


def test_recency_of_interactions_in_columns() -> None:
    policy = ecommerce.segmentation.with_("rfm.recency.measure", "days_since_interaction")
    base = [attrs.evolve(OLD, interactions=CALLER.interactions)]
    laws.rfm_cell_equals_rfm_cells(policy, base, as_of=DAY)


def test_equal_values_have_one_fingerprint() -> None:
    other = ecommerce.with_("lifecycle.reduced.window_days", 90.0)
    laws.fingerprint_follows_values(ecommerce, other)


def test_a_week_that_ends_before_a_fact_of_monday() -> None:
    """On Sunday, as a whole day, the week has ended; a purchase of Monday comes after it."""
    monday = date(2024, 7, 1)
    logins = [
        Interaction("C-1", monday - timedelta(days=days), "login") for days in (14, 21, 28, 35)
    ]
    facts = [Purchase("C-1", date(2024, 1, 1), 1), Purchase("C-1", monday, 1)]
    laws.stage_function_is_stage_machine(
        ecommerce.lifecycle, History("C-1", facts, logins), until=date(2024, 7, 7)
    )


def classified(rule: str) -> Classification[str]:
    return Classification("drawn", FirstMatch((Case("first", parse(rule)),), otherwise="other"))


def test_dues_of_runs_where_nothing_happened() -> None:
    laws.due_equals_dues(classified("run_years >= 1"), [], as_of=DAY)


def test_years_since_the_first_purchase_end_on_its_anniversary() -> None:
    base = History("C-1", [Purchase("C-1", date(2024, 2, 29), 1)])
    axis = classified("tenure_years <= 0")
    laws.nothing_changes_before_due(axis, base, as_of=DAY)
    laws.due_equals_dues(axis, [base], as_of=DAY)


def test_reasons_write_a_whole_average_alike() -> None:
    axis = classified("purchases_per_month_3mo <= 1")
    laws.outcome_equals_outcomes(axis, [History("C-1")], as_of=DAY)


def test_what_comes_back_with_an_interaction_does_not_make_the_stage() -> None:
    history = History("C-1", [], [Interaction("C-1", DAY, "browse")], [Return("C-1", DAY, 1)])
    laws.stage_function_is_stage_machine(ecommerce.lifecycle, history, until=DAY)
