"""Strategies: made-up customers, times, deadlines, rules, ladders, tags, machines and variants.

Everything is drawn towards the places where rules break: limits and the days beside them,
ends of months, leap days, changes of clocks, equal amounts, orders of one day, nothing at all.
"""

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
from retention.testing.strategies.policies import (
    attributes,
    changes,
    classifications,
    command_columns,
    machines,
    variants,
)
from retention.testing.strategies.rules import limits, rows, rules
from retention.testing.strategies.tags import tag_libraries
from retention.testing.strategies.times import as_ofs, days, instants, zones

__all__ = [
    "as_ofs",
    "attributes",
    "changes",
    "classifications",
    "command_columns",
    "days",
    "grading_commands",
    "histories",
    "instants",
    "interactions",
    "limits",
    "limits_in_time",
    "machines",
    "moments",
    "populations",
    "purchases",
    "returns",
    "rows",
    "rules",
    "situations",
    "tag_libraries",
    "tiers",
    "timelines",
    "triggers",
    "variants",
    "windows",
    "zones",
]
