"""The test kit: made-up customers, and the laws that every handbook must keep.

Our tests say little about a handbook that is not ours. Draw customers from ``strategies`` and
put your own policies to the ``laws``, in your own test suite; this needs hypothesis.

>>> from hypothesis import given, settings
>>> from retention.presets import ecommerce
>>> from retention.testing import histories, laws
>>> @settings(max_examples=5, database=None, derandomize=True)
... @given(histories())
... def test_our_stages(history):
...     laws.stage_table_agrees_with_stage_function(ecommerce.lifecycle, history)
>>> test_our_stages()
"""

try:
    import hypothesis  # noqa: F401  asked for here, so that its absence is said in one sentence
except ImportError as cause:
    from retention.mechanisms.errors import MissingExtraError

    raise MissingExtraError("retention.testing", "hypothesis", "testing") from cause

from retention.testing import laws, oracles, strategies
from retention.testing.strategies import (
    acts,
    as_ofs,
    attributes,
    bases_on_ladders,
    benefit_catalogues,
    budgets,
    calendar_versions,
    calendars,
    case_stories,
    changes,
    classifications,
    clock_facts,
    clock_terms,
    command_columns,
    contacts,
    coupon_terms,
    day_hours,
    days,
    earning_orders,
    earning_rules,
    grading_commands,
    group_candidates,
    histories,
    instants,
    interactions,
    ladders,
    limits,
    limits_in_time,
    loyalty_orders,
    machines,
    members_on_ladders,
    moments,
    points_commands,
    points_logs,
    points_policies,
    populations,
    programmes,
    purchases,
    questions,
    referral_moves,
    returns,
    rows,
    rules,
    service_sessions,
    situations,
    tag_libraries,
    tiers,
    timelines,
    told_cases,
    triggers,
    variants,
    waiting_lines,
    windows,
    zones,
)

__all__ = [
    "acts",
    "as_ofs",
    "attributes",
    "bases_on_ladders",
    "benefit_catalogues",
    "budgets",
    "calendar_versions",
    "calendars",
    "case_stories",
    "changes",
    "classifications",
    "clock_facts",
    "clock_terms",
    "command_columns",
    "contacts",
    "coupon_terms",
    "day_hours",
    "days",
    "earning_orders",
    "earning_rules",
    "grading_commands",
    "group_candidates",
    "histories",
    "instants",
    "interactions",
    "ladders",
    "laws",
    "limits",
    "limits_in_time",
    "loyalty_orders",
    "machines",
    "members_on_ladders",
    "moments",
    "oracles",
    "points_commands",
    "points_logs",
    "points_policies",
    "populations",
    "programmes",
    "purchases",
    "questions",
    "referral_moves",
    "returns",
    "rows",
    "rules",
    "service_sessions",
    "situations",
    "strategies",
    "tag_libraries",
    "tiers",
    "timelines",
    "told_cases",
    "triggers",
    "variants",
    "waiting_lines",
    "windows",
    "zones",
]
