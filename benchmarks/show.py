"""Prints what was measured: a table, JSON, or the growth."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any

from benchmarks.runner import Compared, Measured, apart
from benchmarks.works import OURS, Side, Work

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)


def rows_of(found: Compared) -> list[dict[str, Any]]:
    """Return one plain row per peer that is installed."""
    return [_row(found, name, peer) for name, peer in found.peers.items() if not peer.skipped]


def _row(found: Compared, name: str, peer: Measured) -> dict[str, Any]:
    ours = found.ours
    return {
        "name": found.work.name,
        "ours_rows": ours.rows,
        "peer_rows": peer.rows,
        "ours_s": ours.median,
        "peer": name,
        "peer_s": peer.median,
        "ratio": (peer.median / peer.rows) / (ours.median / ours.rows),
        "memory_ours_mb": ours.memory_mb,
        "memory_peer_mb": peer.memory_mb,
        "runs": len(ours.seconds),
    }


def skipped(found: Compared) -> list[str]:
    """Say which sides were left out, and why."""
    sides = found.peers | found.also
    return [f"{found.work.name}: {x} skipped, {y.skipped}" for x, y in sides.items() if y.skipped]


def table(found: Compared) -> None:
    """Print one work for people."""
    work, ours = found.work, found.ours
    runs = f"median of {len(ours.seconds)} runs"
    print(f"\n{work.name}: {work.title}; {_count(ours.rows, 'row')}, {runs}")
    _line("", "time", "memory", "ratio", "target")
    _line(OURS, _time(ours.median), _megabytes(ours.memory_mb))
    for name, other in found.also.items():
        _line(name, _time(other.median), _megabytes(other.memory_mb))
    for row in rows_of(found):
        _line(
            _named(row),
            _time(row["peer_s"]),
            _megabytes(row["memory_peer_mb"]),
            f"{row['ratio']:.2f}",
            _targets(work.side(row["peer"]), row),
        )
    for line in skipped(found):
        print(" ", line)


def _targets(side: Side, row: dict[str, Any]) -> str:
    parts = []
    if side.at_least is not None:
        parts.append(f"{side.at_least:g}: {_met(row['ratio'] >= side.at_least)}")
    ours, theirs = row["memory_ours_mb"], row["memory_peer_mb"]
    if side.memory_share is not None and ours is not None:
        held = _met(ours <= theirs * side.memory_share)
        parts.append(f"memory at most {side.memory_share:g} of theirs: {held}")
    return "; ".join(parts)


def growth(work: Work, sizes: Iterable[int] = SIZES, runs: int | None = None) -> dict[str, Any]:
    """Measure our side at several sizes, beside the time in which all bytes are read once."""
    steps = []
    for rows in sizes:
        ours = apart(work, work.ours, rows, runs)
        limit = None if work.limit is None else apart(work, work.limit, rows, runs)
        steps.append(_step(ours, limit))
    return {"name": work.family, "exponent": _exponent(steps), "sizes": steps}


def _step(ours: Measured, limit: Measured | None) -> dict[str, Any]:
    least = None if limit is None else limit.median
    times = None if least is None else ours.median / least
    return {"rows": ours.rows, "seconds": ours.median, "limit_s": least, "times_limit": times}


def _exponent(steps: list[dict[str, Any]]) -> float | None:
    """Slope of log(seconds) over log(rows); 1 is linear, one size has none."""
    if len(steps) < 2:
        return None
    points = [(math.log(step["rows"]), math.log(step["seconds"])) for step in steps]
    x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
    above = sum((a - x) * (b - y) for a, b in points)
    return float(above / sum((a - x) ** 2 for a, _ in points))


def grown(found: dict[str, Any]) -> None:
    """Print the growth of one work for people."""
    exponent = found["exponent"]
    print(f"\n{found['name']}: exponent {'-' if exponent is None else format(exponent, '.2f')}")
    _line("rows", "time", "ns a row", "bytes read once", "times the limit")
    for step in found["sizes"]:
        each = f"{step['seconds'] / step['rows'] * 1e9:.1f}"
        least = "" if step["limit_s"] is None else _time(step["limit_s"])
        times = "" if step["times_limit"] is None else f"{step['times_limit']:.1f}"
        _line(f"{step['rows']:,}", _time(step["seconds"]), each, least, times)


def note(text: str) -> None:
    """Say something beside the result."""
    print(text, file=sys.stderr)


def _line(first: str, *others: str) -> None:
    print(f"  {first:30}" + "".join(f"{other:>16}" for other in others[:3]), end="")
    print("  " + "  ".join(others[3:]))


def _named(row: dict[str, Any]) -> str:
    few = row["peer_rows"] != row["ours_rows"]
    return f"{row['peer']} ({_count(row['peer_rows'], 'row')})" if few else str(row["peer"])


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def _megabytes(memory: float | None) -> str:
    return "" if memory is None else f"{memory:.0f} MB"


def _met(held: bool) -> str:  # noqa: FBT001
    return "met" if held else "MISSED"
