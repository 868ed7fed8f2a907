"""Columns of entries of a few accounts of points: plain ones as a rule, and everything else.

Most accounts only earn and redeem, with amounts that are just enough and one too many, days of
expiry that go up and down, and many rows on one day; in some, one row breaks the shape.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st

from retention.ledger import PointsPolicy
from retention.point_logs import PointsLog
from retention.testing.strategies.points import Chooser

_BEGIN = date(2023, 12, 29)
_STEPS = (0, 0, 0, 0, 1, 1, 2, 7, 29, 30, 31, 60, 366)
_PLAIN = ("earn", "earn", "earn", "redeem", "redeem")
_OTHERS = (
    *("hold", "capture", "release", "reverse_earning", "reverse_redemption", "adjust"),
    *("transfer", "receive", "open_balance"),
)


def made_entries(policy: PointsPolicy, choose: Chooser, number: int) -> dict[str, Any]:
    """Make columns of entries by choosing whole numbers; some rows will be refused."""
    day, hours = _BEGIN, choose(0, 3) == 0
    plain, dated, late = choose(0, 2) > 0, choose(0, 2), choose(0, 2) == 0
    rows = []
    for _ in range(number):
        day += timedelta(days=_STEPS[choose(0, len(_STEPS) - 1)])
        kind = _PLAIN[choose(0, 4)]
        if not plain and choose(0, 3) == 0:
            kind = _OTHERS[choose(0, len(_OTHERS) - 1)]
        at = datetime.combine(day, time(choose(0, 23), 30), UTC) if hours else day
        rows.append(
            {
                "account": f"M-{choose(1, 3)}",
                "kind": kind,
                "at": at,
                "points": _points(choose, kind),
                "currency": _currency(policy, choose),
                "reference": "" if choose(0, 1) and kind in _PLAIN else f"r-{choose(1, 3)}",
                "expires_on": _day(choose, day, dated),
                "usable_on": day + timedelta(days=choose(0, 9))
                if late and choose(0, 3) == 0
                else None,
                "until": None if hours or choose(0, 1) else day + timedelta(days=choose(0, 9)),
            }
        )
    if choose(0, 3) == 0:  # a warehouse gives rows in any order
        rows.sort(key=lambda row: (row["points"], row["account"]))
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _points(choose: Chooser, kind: str) -> int:
    if kind == "earn":
        return choose(1, 60)
    if kind == "adjust":
        return choose(1, 30) * (1 if choose(0, 1) else -1)
    return choose(0, 30) if kind in {"capture", "reverse_earning"} else choose(1, 60)


def _currency(policy: PointsPolicy, choose: Chooser) -> str:
    codes = [row.code for row in policy.currencies]
    if len(codes) == 1 and choose(0, 20):
        return codes[0]
    return [*codes, "unknown"][choose(0, len(codes))]


def _day(choose: Chooser, day: date, dated: int) -> date | None:
    """No day, or one that never falls behind, or any."""
    if not dated or not choose(0, 2):
        return None
    return day + timedelta(days=40 if dated == 1 else choose(0, 90))


def log_of(columns: dict[str, Any]) -> PointsLog:
    """Return made columns as a log."""
    if not columns:
        return PointsLog.from_columns(account=[], kind=[], at=[], points=[])
    return PointsLog.from_columns(**columns)


@st.composite
def points_logs(draw: st.DrawFn, policy: PointsPolicy, *, most: int = 20) -> PointsLog:
    """Entries of up to three accounts.

    >>> from hypothesis import find
    >>> len(find(points_logs(PointsPolicy()), lambda log: len(log) == 2))
    2
    """
    number = draw(st.integers(0, most))
    columns = made_entries(policy, lambda low, high: draw(st.integers(low, high)), number)
    return log_of(columns)
