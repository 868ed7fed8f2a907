"""Points of many accounts from columns of entries: ten in an account, ten million in all.

The entries are those of ``points``: an expiry after a year, 35 of 100 redeem if there is
something. The peer makes its aggregates from the events that it has stored; what is compared
is the time of a row. ``from columns`` stands beside it: the same with what comes before, the
reading and checking of raw columns whose rows stand in the order of time.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from benchmarks.points import (
    HORIZON,
    SHALLOW,
    SPAN,
    START,
    VALID,
    Event,
    peer_replayed,
    peer_stored,
    peer_sums,
)
from benchmarks.works import OURS, Side, Sums, Work
from retention.identifiers import Identifiers
from retention.ledger import PointsPolicy
from retention.lots import Validity
from retention.mechanisms.periods import plus_days
from retention.point_columns import Balances, PointState
from retention.point_logs import PointsLog

# Valid for so many days: unusable from the day after the last.
POLICY = PointsPolicy(validity=Validity(days=VALID - 1))
END = plus_days(START, HORIZON)
PROMOTION = 60  # days; one earning in ten of the mixed entries


@cache
def entries(rows: int, *, mixed: bool = False) -> dict[str, Any]:
    """Make accepted entries, ten in each account, in the order of accounts."""
    chance, size = np.random.default_rng(7), rows // SHALLOW
    day = np.sort(chance.integers(0, SPAN, (SHALLOW, size)), axis=0)
    wants = chance.random((SHALLOW, size)) < 0.35
    points, part = chance.integers(1, 500, (SHALLOW, size)), chance.random((SHALLOW, size))
    short = mixed & (chance.random((SHALLOW, size)) < 0.1)
    ends = day + np.where(short, PROMOTION, VALID)
    left, redeems = np.zeros((SHALLOW, size), np.int64), np.zeros((SHALLOW, size), bool)
    for step in range(SHALLOW):
        have = np.where(ends > day[step], left, 0)
        total = have.sum(axis=0)
        redeems[step] = wants[step] & (total > 0)
        spend = np.maximum((part[step] * total).astype(np.int64), 1)
        points[step] = np.where(redeems[step], spend, points[step])
        need = np.where(redeems[step], spend, 0)
        order = np.argsort(ends, axis=0, kind="stable")
        sorted_have = np.take_along_axis(have, order, axis=0)
        before = np.cumsum(sorted_have, axis=0) - sorted_have
        taken = np.clip(need - before, 0, sorted_have)
        rest = np.take_along_axis(left, order, axis=0) - taken
        np.put_along_axis(left, order, rest, axis=0)
        left[step] = np.where(redeems[step], 0, points[step])
    return {
        "account": np.repeat(np.arange(size), SHALLOW),
        "kind": redeems.T.ravel(),
        "at": np.datetime64(START) + day.T.ravel(),
        "points": points.T.ravel(),
        "expires_on": np.datetime64(START) + ends.T.ravel(),
    }


def columns(rows: int, *, mixed: bool = False) -> dict[str, Any]:
    """Return entries as raw columns in the order of time, the kind as a dictionary and codes."""
    found = dict(entries(rows, mixed=mixed))
    order = np.argsort(found["at"], kind="stable")
    found = {name: column[order] for name, column in found.items()}
    kinds = found["kind"].astype(np.int64)
    found["kind"] = Identifiers.coded(customers=["earn", "redeem"], codes=kinds)
    if not mixed:
        del found["expires_on"]  # the policy knows
    return found


def _log(rows: int) -> PointsLog:
    return PointsLog.from_columns(**columns(rows))


def _mixed(rows: int) -> PointsLog:
    return PointsLog.from_columns(**columns(rows, mixed=True))


def _balances(log: PointsLog) -> Balances:
    return POLICY.balances(log, as_of=END)


def _from_columns(given: dict[str, Any]) -> Balances:
    return _balances(PointsLog.from_columns(**given))


def _with_lots(log: PointsLog) -> Balances:
    found = _balances(log)
    assert len(found.lots()["lot"])
    return found


def sums(found: Balances) -> Sums:
    """Open, expired and redeemed points."""
    totals = found.totals()
    return tuple(float(totals[PointState(x)]) for x in ("available", "expired", "redeemed"))


def events(rows: int, *, mixed: bool = False) -> list[Event]:
    """Return the same entries for the peer."""
    found = entries(rows, mixed=mixed)
    days = (found["at"] - np.datetime64(START)).astype(np.int64).tolist()
    valid = (found["expires_on"] - found["at"]).astype(np.int64).tolist()
    plain = (
        found["account"].tolist(),
        days,
        found["kind"].tolist(),
        found["points"].tolist(),
        valid,
    )
    return [Event(*row) for row in zip(*plain, strict=True)]


WORKS = (
    Work(
        "points-bulk-10m",
        "balances of a million accounts from ten million entries",
        10_000_000,
        Side(OURS, _log, _balances, sums),
        (
            Side(
                "eventsourcing",
                lambda rows: peer_stored(events(rows)),
                peer_replayed,
                peer_sums,
                at_least=300,
                rows=10_000,
                runs=3,
            ),
        ),
        also=(
            Side("from columns", columns, _from_columns, sums),
            Side("and every lot", _log, _with_lots, sums),
        ),
        runs=3,
    ),
    Work(
        "points-mixed-10m",
        "the same where one earning in ten expires after two months",
        10_000_000,
        Side(OURS, _mixed, _balances, sums),
        (
            Side(
                "eventsourcing",
                lambda rows: peer_stored(events(rows, mixed=True)),
                peer_replayed,
                peer_sums,
                at_least=100,
                rows=10_000,
                runs=3,
            ),
        ),
        runs=3,
    ),
)
