"""Shares of a population by rank: tiers with the tie rule, and the rank share of every amount.

Equal amounts share the best rank. The peer's quantiles are points between amounts; its sides
agree where no tie lies across a bound, so the amounts of the tiers differ from each other.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.works import OURS, Side, Sums, Work
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.ranks import Population, best_ranks
from retention.mechanisms.rules import parse

TODAY = date(2024, 6, 30)
SHARES = (0.05, 0.2, 0.5, 0.8)
TIERS = FirstMatch(
    tuple(Case(tier, parse(f"spend_share <= {x}")) for tier, x in enumerate(SHARES)),
    otherwise=len(SHARES),
)


def spends(rows: int) -> NDArray[np.int64]:
    """Make amounts with many ties."""
    chance = np.random.default_rng(3)
    return np.rint(chance.gamma(2.0, 45_000.0, rows) / 100).astype(np.int64) * 100


def different(rows: int) -> NDArray[np.int64]:
    """Make amounts that all differ, in no order."""
    chance = np.random.default_rng(4)
    return chance.permutation(np.cumsum(chance.integers(1, 40, rows)))


# --- ours ---------------------------------------------------------------------------------------


def _tiers(amounts: NDArray[np.int64]) -> NDArray[np.uint8]:
    pinned = TIERS.pin({"spend_share": Population("spend_minor", amounts)}, TODAY)
    return pinned.codes({"spend_minor": amounts})


def _shares(amounts: NDArray[np.int64]) -> NDArray[np.float64]:
    return best_ranks(amounts) / len(amounts)


# --- pandas -------------------------------------------------------------------------------------


def _series(amounts: NDArray[np.int64]) -> Any:
    import pandas as pd

    return pd.Series(amounts)


def _qcut(series: Any) -> Any:
    import pandas as pd

    bounds = [0.0, *(round(1 - share, 6) for share in reversed(SHARES)), 1.0]
    return pd.qcut(series, bounds, labels=False)


def _rank(series: Any) -> Any:
    return series.rank(method="min", ascending=False, pct=True)


# --- rows of the table --------------------------------------------------------------------------


def _tier_sums(tiers: Any) -> Sums:
    """Customers per tier, and the sum of tier times place, so that swaps show too."""
    found = np.asarray(tiers, np.int64)
    counts = np.bincount(found, minlength=len(SHARES) + 1).tolist()
    return (*map(float, counts), float((found * (np.arange(len(found)) % 1009)).sum()))


def _qcut_sums(tiers: Any) -> Sums:
    return _tier_sums(len(SHARES) - np.asarray(tiers, np.int64))


def _share_sums(shares: Any) -> Sums:
    found = np.asarray(shares)
    return float(found.sum()), float((found * (np.arange(len(found)) % 1009)).sum())


def _read_once(amounts: NDArray[np.int64]) -> Sums:
    return (float(amounts.sum()),)


WORKS = (
    Work(
        "tiers-1m",
        "five tiers of a population by its shares",
        1_000_000,
        Side(OURS, different, _tiers, _tier_sums),
        (Side("pandas.qcut", lambda n: _series(different(n)), _qcut, _qcut_sums, at_least=4),),
        family="tiers",
        limit=Side("bytes read once", different, _read_once, lambda sums: sums),
    ),
    Work(
        "shares-1m",
        "the rank share of every amount, ties at their best rank",
        1_000_000,
        Side(OURS, spends, _shares, _share_sums),
        (Side("pandas.rank", lambda n: _series(spends(n)), _rank, _share_sums, at_least=2),),
        family="shares",
        limit=Side("bytes read once", spends, _read_once, lambda sums: sums),
    ),
)
