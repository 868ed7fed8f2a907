"""Laws: what must hold for every handbook and every customer.

Plain functions for your own policies, to be called inside ``@given`` or with a history of
yours. A law that is broken raises an AssertionError whose sentence says which law, which
customer, and both values.
"""

from retention.testing.laws.answers import logs_of
from retention.testing.laws.benefits import (
    a_coupon_is_used_once,
    a_higher_tier_has_no_less,
    a_price_after_a_coupon_is_between_zero_and_the_price,
    a_quota_is_never_exceeded,
    a_referral_is_rewarded_once,
    compensation_is_for_those_who_lose,
    losses_one_equals_columns,
)
from retention.testing.laws.calendars import (
    a_calendar_agrees_with_the_clock_on_the_wall,
    due_and_open_time_agree,
    one_calendar_question_equals_columns,
    open_time_adds_up,
)
from retention.testing.laws.case_stores import case_store_machine
from retention.testing.laws.cases import (
    a_case_keeps_its_rules,
    a_pause_never_shortens_used_time,
    cases_one_equals_columns,
    causes_one_equals_columns,
    groups_one_equals_columns,
    merging_loses_nobody,
    redaction_keeps_figures,
)
from retention.testing.laws.clocks import (
    a_clock_agrees_with_the_clock_on_the_wall,
    a_new_target_moves_no_used_time,
    clock_rows,
    nothing_happens_before_next_at,
    one_clock_equals_columns,
    used_time_stays_used,
)
from retention.testing.laws.columns import (
    due_equals_dues,
    interacting_equals_interactings,
    layer_equals_layers,
    measure_equals_column,
    one_equals_columns,
    outcome_equals_outcomes,
    pinned_equals_unpinned,
    rfm_cell_equals_rfm_cells,
    stage_equals_stages,
)
from retention.testing.laws.deadlines import (
    an_obligation_has_one_outcome,
    windows_of_a_cadence_tile_the_calendar,
)
from retention.testing.laws.grades import (
    a_non_buyer_is_never_above_the_lowest,
    grades_rise_with_spend,
    ties_share_a_grade,
)
from retention.testing.laws.grading import (
    a_batch_takes_effect_only_after_another_person_approved_it,
)
from retention.testing.laws.ledger_stores import ledger_store_machine
from retention.testing.laws.point_columns import balance_equals_balances
from retention.testing.laws.points import (
    a_hold_resolves_once,
    a_key_repeats_its_answer,
    a_redemption_takes_what_is_available,
    a_refusal_changes_nothing,
    every_balance_is_legal,
    forecast_sums_to_the_balance,
    lots_stay_within_their_points,
    nothing_changes_in_points_before_due,
    points_are_conserved,
    redeem_then_reverse_is_identity,
    refunds_sum_to_the_whole,
    replay_equals_steps,
    soonest_first_expires_least,
    statement_closes_with_the_balance,
    the_log_only_grows,
)
from retention.testing.laws.policies import (
    change_can_be_taken_back,
    every_state_is_reachable,
    fingerprint_follows_values,
    machine_bulk_equals_steps,
    machine_keeps_its_table,
)
from retention.testing.laws.programmes import (
    a_programme_replays,
    a_tier_holds_until_its_last_day,
    caps_are_never_exceeded,
    closing_the_gaps_raises_the_tier,
    more_never_lowers_the_tier,
    more_spend_never_earns_less,
    recording_changes_nothing,
    refunds_telescope,
    tier_columns_of,
    tier_equals_tiers,
)
from retention.testing.laws.rearranging import (
    order_does_not_matter,
    union_is_merge,
    update_is_whole,
)
from retention.testing.laws.rules import (
    double_negation,
    pinned_rule_is_rank,
    rule_one_equals_columns,
    text_round_trip,
)
from retention.testing.laws.service import (
    a_hand_over_loses_no_history,
    sessions_one_equals_columns,
    the_queue_is_one_order,
)
from retention.testing.laws.tags import a_tag_follows_its_rule, tags_one_equals_columns
from retention.testing.laws.times import (
    history_has_no_overlap,
    nothing_changes_before_due,
    stage_function_is_stage_machine,
    stage_table_agrees_with_stage_function,
)
from retention.testing.laws.workflows import (
    a_workflow_keeps_its_machine,
    workflow_one_equals_columns,
)

__all__ = [
    "a_batch_takes_effect_only_after_another_person_approved_it",
    "a_calendar_agrees_with_the_clock_on_the_wall",
    "a_case_keeps_its_rules",
    "a_clock_agrees_with_the_clock_on_the_wall",
    "a_coupon_is_used_once",
    "a_hand_over_loses_no_history",
    "a_higher_tier_has_no_less",
    "a_hold_resolves_once",
    "a_key_repeats_its_answer",
    "a_new_target_moves_no_used_time",
    "a_non_buyer_is_never_above_the_lowest",
    "a_pause_never_shortens_used_time",
    "a_price_after_a_coupon_is_between_zero_and_the_price",
    "a_programme_replays",
    "a_quota_is_never_exceeded",
    "a_redemption_takes_what_is_available",
    "a_referral_is_rewarded_once",
    "a_refusal_changes_nothing",
    "a_tag_follows_its_rule",
    "a_tier_holds_until_its_last_day",
    "a_workflow_keeps_its_machine",
    "an_obligation_has_one_outcome",
    "balance_equals_balances",
    "caps_are_never_exceeded",
    "case_store_machine",
    "cases_one_equals_columns",
    "causes_one_equals_columns",
    "change_can_be_taken_back",
    "clock_rows",
    "closing_the_gaps_raises_the_tier",
    "compensation_is_for_those_who_lose",
    "double_negation",
    "due_and_open_time_agree",
    "due_equals_dues",
    "every_balance_is_legal",
    "every_state_is_reachable",
    "fingerprint_follows_values",
    "forecast_sums_to_the_balance",
    "grades_rise_with_spend",
    "groups_one_equals_columns",
    "history_has_no_overlap",
    "interacting_equals_interactings",
    "layer_equals_layers",
    "ledger_store_machine",
    "logs_of",
    "losses_one_equals_columns",
    "lots_stay_within_their_points",
    "machine_bulk_equals_steps",
    "machine_keeps_its_table",
    "measure_equals_column",
    "merging_loses_nobody",
    "more_never_lowers_the_tier",
    "more_spend_never_earns_less",
    "nothing_changes_before_due",
    "nothing_changes_in_points_before_due",
    "nothing_happens_before_next_at",
    "one_calendar_question_equals_columns",
    "one_clock_equals_columns",
    "one_equals_columns",
    "open_time_adds_up",
    "order_does_not_matter",
    "outcome_equals_outcomes",
    "pinned_equals_unpinned",
    "pinned_rule_is_rank",
    "points_are_conserved",
    "recording_changes_nothing",
    "redaction_keeps_figures",
    "redeem_then_reverse_is_identity",
    "refunds_sum_to_the_whole",
    "refunds_telescope",
    "replay_equals_steps",
    "rfm_cell_equals_rfm_cells",
    "rule_one_equals_columns",
    "sessions_one_equals_columns",
    "soonest_first_expires_least",
    "stage_equals_stages",
    "stage_function_is_stage_machine",
    "stage_table_agrees_with_stage_function",
    "statement_closes_with_the_balance",
    "tags_one_equals_columns",
    "text_round_trip",
    "the_log_only_grows",
    "the_queue_is_one_order",
    "tier_columns_of",
    "tier_equals_tiers",
    "ties_share_a_grade",
    "union_is_merge",
    "update_is_whole",
    "used_time_stays_used",
    "windows_of_a_cadence_tile_the_calendar",
    "workflow_one_equals_columns",
]
