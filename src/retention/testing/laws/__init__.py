"""Laws: what must hold for every handbook and every customer.

Plain functions for your own policies, to be called inside ``@given`` or with a history of
yours. A law that is broken raises an AssertionError whose sentence says which law, which
customer, and both values.
"""

from retention.testing.laws.answers import logs_of
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
from retention.testing.laws.policies import (
    change_can_be_taken_back,
    every_state_is_reachable,
    fingerprint_follows_values,
    machine_bulk_equals_steps,
    machine_keeps_its_table,
)
from retention.testing.laws.rearranging import order_does_not_matter, union_is_merge
from retention.testing.laws.rules import (
    double_negation,
    pinned_rule_is_rank,
    rule_one_equals_columns,
    text_round_trip,
)
from retention.testing.laws.tags import a_tag_follows_its_rule, tags_one_equals_columns
from retention.testing.laws.times import (
    history_has_no_overlap,
    nothing_changes_before_due,
    stage_function_is_stage_machine,
    stage_table_agrees_with_stage_function,
)

__all__ = [
    "a_batch_takes_effect_only_after_another_person_approved_it",
    "a_non_buyer_is_never_above_the_lowest",
    "a_tag_follows_its_rule",
    "an_obligation_has_one_outcome",
    "change_can_be_taken_back",
    "double_negation",
    "due_equals_dues",
    "every_state_is_reachable",
    "fingerprint_follows_values",
    "grades_rise_with_spend",
    "history_has_no_overlap",
    "interacting_equals_interactings",
    "layer_equals_layers",
    "logs_of",
    "machine_bulk_equals_steps",
    "machine_keeps_its_table",
    "measure_equals_column",
    "nothing_changes_before_due",
    "one_equals_columns",
    "order_does_not_matter",
    "outcome_equals_outcomes",
    "pinned_equals_unpinned",
    "pinned_rule_is_rank",
    "rfm_cell_equals_rfm_cells",
    "rule_one_equals_columns",
    "stage_equals_stages",
    "stage_function_is_stage_machine",
    "stage_table_agrees_with_stage_function",
    "tags_one_equals_columns",
    "text_round_trip",
    "ties_share_a_grade",
    "union_is_merge",
    "windows_of_a_cadence_tile_the_calendar",
]
