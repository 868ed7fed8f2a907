"""Strategies: made-up customers, times, deadlines, rules, ladders, tags, machines and variants.

Everything is drawn towards the places where rules break: limits and the days beside them,
ends of months, leap days, changes of clocks, equal amounts, orders of one day, nothing at all.
"""

from retention.testing.strategies.benefits import (
    benefit_catalogues,
    coupon_terms,
    referral_moves,
)
from retention.testing.strategies.calendars import (
    budgets,
    calendar_versions,
    calendars,
    clock_facts,
    clock_terms,
    day_hours,
    questions,
)
from retention.testing.strategies.cases import case_stories, group_candidates, told_cases
from retention.testing.strategies.deadlines import (
    limits_in_time,
    moments,
    timelines,
    triggers,
    windows,
)
from retention.testing.strategies.facts import (
    histories,
    interactions,
    populations,
    purchases,
    returns,
    situations,
)
from retention.testing.strategies.grades import grading_commands, tiers
from retention.testing.strategies.point_columns import points_logs
from retention.testing.strategies.points import points_commands, points_policies
from retention.testing.strategies.policies import (
    attributes,
    changes,
    classifications,
    command_columns,
    machines,
    variants,
)
from retention.testing.strategies.programmes import (
    bases_on_ladders,
    earning_orders,
    earning_rules,
    ladders,
    loyalty_orders,
    members_on_ladders,
    programmes,
)
from retention.testing.strategies.rules import limits, rows, rules
from retention.testing.strategies.service import contacts, service_sessions, waiting_lines
from retention.testing.strategies.tags import tag_libraries
from retention.testing.strategies.times import as_ofs, days, instants, zones
from retention.testing.strategies.workflows import acts

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
    "limits",
    "limits_in_time",
    "loyalty_orders",
    "machines",
    "members_on_ladders",
    "moments",
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
