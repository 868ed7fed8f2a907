"""Tiers of many members from columns: the spend of the twelve months before every purchase.

The peer rolls the same window over the same rows and takes the highest limit that was ever
met, so the tiers that are compared are never lost; the full terms, with a last day and falls,
stand beside them.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import numpy as np

from benchmarks.works import OURS, Side, Sums, Work
from retention.classifications import Classification
from retention.ledger import PointsPolicy
from retention.logs import PurchaseLog
from retention.mechanisms.decisions import FirstMatch
from retention.mechanisms.rules import parse
from retention.point_columns import Balances
from retention.point_logs import PointsLog
from retention.tier_columns import MemberTiers, TierColumns
from retention.tiers import TierCase, Tiers

EACH, SPAN = 4, 730  # purchases a member, days
START, TODAY = date(2023, 1, 1), date(2024, 12, 31)
LIMITS = {"gold": 300_00, "silver": 150_00}
LADDER: Classification[Any] = Classification(
    "tiers",
    FirstMatch(
        tuple(TierCase(x, parse(f"qualifying_spend_minor >= {n}")) for x, n in LIMITS.items()),
        otherwise="ordinary",
    ),
)
FOR_EVER, FOR_A_YEAR = Tiers(LADDER, validity_months=None), Tiers(LADDER)


@cache
def purchases(rows: int) -> dict[str, Any]:
    """Make purchases in the order of time, ``EACH`` of a member."""
    chance = np.random.default_rng(11)
    day = np.sort(chance.integers(0, SPAN, rows * EACH))
    return {
        "customer": np.repeat(np.arange(rows), EACH)[chance.permutation(rows * EACH)],
        "at": np.datetime64(START) + day,
        "amount_minor": chance.integers(1_00, 200_00, rows * EACH),
    }


def columns(rows: int) -> TierColumns:
    """Return members and purchases as our columns."""
    since = np.full(rows, np.datetime64(START))
    log = PurchaseLog.from_columns(**purchases(rows), currency="CNY")
    return TierColumns.of(np.arange(rows), since=since, purchases=log)


def _for_ever(given: TierColumns) -> MemberTiers:
    return FOR_EVER.tiers(given, as_of=TODAY)


def _for_a_year(given: TierColumns) -> MemberTiers:
    return FOR_A_YEAR.tiers(given, as_of=TODAY)


def entries(rows: int) -> PointsLog:
    """Return the purchases as entries of points, one for each."""
    facts = purchases(rows)
    return PointsLog.from_columns(
        account=facts["customer"],
        kind=np.full(len(facts["at"]), "earn"),
        at=facts["at"],
        points=facts["amount_minor"],
    )


def _balances(log: PointsLog) -> Balances:
    return PointsPolicy().balances(log, as_of=TODAY)


def _members(found: MemberTiers | Balances) -> Sums:
    return (float(len(found)),)


def _sums(found: MemberTiers) -> Sums:
    return tuple(float(n) for n in found.counts().values())


def _frame(rows: int) -> Any:
    import polars as pl

    return pl.DataFrame(purchases(rows))


def _polars(frame: Any) -> Any:
    import polars as pl

    rolled = frame.sort("customer", "at").rolling("at", period="12mo", group_by="customer")
    spent = rolled.agg(pl.col("amount_minor").sum())
    return spent.group_by("customer").agg(pl.col("amount_minor").max())


def _polars_sums(most: Any) -> Sums:
    amounts = most["amount_minor"].to_numpy()
    gold = int((amounts >= LIMITS["gold"]).sum())
    silver = int((amounts >= LIMITS["silver"]).sum()) - gold
    return float(len(amounts) - gold - silver), float(silver), float(gold)


WORKS = (
    Work(
        "tiers-members-1m",
        "tiers of a million members from four million purchases, rolling twelve months",
        1_000_000,
        Side(OURS, columns, _for_ever, _sums),
        (Side("polars", _frame, _polars, _polars_sums, at_least=1),),
        runs=3,
        family="tiers-members",
    ),
    Work(
        "tiers-terms-1m",
        "the same with a last day and falls, beside balances read from the same facts",
        1_000_000,
        Side(OURS, columns, _for_a_year, _members),
        (Side("balances", entries, _balances, _members, at_least=1 / 3),),
        runs=3,
        family="tiers-terms",
    ),
)
