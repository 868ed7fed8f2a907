"""The laws hold for the presets and variants of them, and each law notices when it is broken."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
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
from retention.handbook import Handbook
from retention.lifecycle import LIFECYCLE, Stage
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.machines import Machine
from retention.mechanisms.periods import AsOf, When, zone_of
from retention.mechanisms.ranks import Rounding
from retention.mechanisms.rules import Limit, Rule
from retention.mechanisms.words import Word
from retention.presets import ecommerce
from retention.summaries import Summary
from retention.testing import (
    as_ofs,
    changes,
    classifications,
    histories,
    laws,
    machines,
    rows,
    rules,
    situations,
    variants,
)
from retention.testing.strategies.rules import MEASURES

Situation = tuple[tuple[History, ...], When]


def changed(**values: object) -> Handbook:
    """The preset with values at other paths; a double underscore is a dot."""
    handbook = ecommerce
    for path, value in values.items():
        handbook = handbook.with_(path.replace("__", "."), value)
    return handbook


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

handbooks = st.one_of(st.sampled_from(list(HANDBOOKS.values())), variants(ecommerce))


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


# --- cases that the laws found -------------------------------------------------------------------

DAY = date(2024, 6, 30)
OLD = History("C-1", [Purchase("C-1", DAY - timedelta(days=90), 5)])  # its last day as active
OTHERS = [History(f"C-{n}", [Purchase(f"C-{n}", DAY, 1)]) for n in (2, 3, 4)]
BASE = [OLD, *OTHERS]  # in which the old one spends most
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
