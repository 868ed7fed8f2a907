"""Strategies: made-up customers, times, rules, machines and variants of a policy.

Everything is drawn towards the places where rules break: limits and the days beside them,
ends of months, leap days, changes of clocks, equal amounts, orders of one day, nothing at all.
"""

from retention.testing.strategies.facts import (
    histories,
    interactions,
    populations,
    purchases,
    returns,
    situations,
)
from retention.testing.strategies.policies import changes, classifications, machines, variants
from retention.testing.strategies.rules import limits, rows, rules
from retention.testing.strategies.times import as_ofs, days, instants, zones

__all__ = [
    "as_ofs",
    "changes",
    "classifications",
    "days",
    "histories",
    "instants",
    "interactions",
    "limits",
    "machines",
    "populations",
    "purchases",
    "returns",
    "rows",
    "rules",
    "situations",
    "variants",
    "zones",
]
