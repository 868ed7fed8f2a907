"""Measures one side in a process of its own, and compares the sides of a work."""

from __future__ import annotations

import ctypes
import gc
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from attrs import asdict, frozen

from benchmarks.works import Side, Sums, Work, catalogue

FEW = 1_000  # rows of the first call, which loads what a side loads late
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class UnequalSumsError(AssertionError):
    """Two sides did not compute the same."""


@frozen
class Measured:
    """What one process found out about one side."""

    rows: int
    seconds: tuple[float, ...] = ()
    memory_mb: float | None = None  # peak above the container
    sums: Sums = ()
    skipped: str = ""

    @property
    def median(self) -> float:
        """Seconds of the middle run."""
        return statistics.median(self.seconds)


# --- inside the process of one side -----------------------------------------------------------


def measure(side: Side, rows: int, runs: int) -> Measured:
    """Prepare, warm up, and time; the memory is that of the first whole run."""
    try:
        if side.warm:
            side.run(side.prepare(min(rows, FEW)))
        container = side.prepare(rows)
    except ImportError as missing:
        return Measured(rows, skipped=str(missing))
    base = _settled()
    first, result = _timed(side, container)
    memory, sums = _above(None if side.clock else base), side.sums(result)
    del result
    seconds = [_timed(side, container)[0] for _ in range(runs)] if side.warm else [first]
    return Measured(rows, tuple(seconds), memory, sums)


def _timed(side: Side, container: Any) -> tuple[float, Any]:
    gc.collect()
    if side.clock is not None:
        return side.clock(container)
    start = perf_counter()
    result = side.run(container)
    return perf_counter() - start, result


def _settled() -> int | None:
    """Give freed memory back, reset the peak, and return the size in kB; None off Linux."""
    gc.collect()
    if not _CLEAR.exists():
        return None
    ctypes.CDLL(None).malloc_trim(0)
    _CLEAR.write_text("5")
    return _kilobytes("VmRSS")


def _above(base: int | None) -> float | None:
    return None if base is None else round(max(0, _kilobytes("VmHWM") - base) / 1024, 1)


def _kilobytes(name: str) -> int:
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))


# --- around the processes ---------------------------------------------------------------------


@frozen
class Compared:
    """All sides of one work."""

    work: Work
    ours: Measured
    peers: dict[str, Measured]
    also: dict[str, Measured]


def compare(work: Work, rows: int | None = None, runs: int | None = None) -> Compared:
    """Measure all sides in turns, at most ``rows``; sides that do not agree are an error."""
    rows = min(rows or work.rows, work.rows)
    sides = (work.ours, *work.peers, *work.also)
    rounds = 1 if runs else work.rounds
    found: dict[str, list[Measured]] = {side.name: [] for side in sides}
    for number in range(rounds):
        for side in sides:
            if number == 0 or side.warm:  # a side without a warm-up is slow: once is enough
                found[side.name].append(apart(work, side, rows, runs))
    merged = {name: _merged(parts) for name, parts in found.items()}
    ours = merged.pop(work.ours.name)
    for side in sides[1:]:
        _check(work, side, merged[side.name], ours)
    also = {side.name: merged.pop(side.name) for side in work.also}
    return Compared(work, ours, merged, also)


def apart(work: Work, side: Side, rows: int | None = None, runs: int | None = None) -> Measured:
    """Measure one side in a process of its own."""
    number = rows or work.rows
    number = number if side.rows is None else min(number, side.rows)
    command = [sys.executable, "-m", "benchmarks.runner", work.name, side.name]
    command += [str(number), str(runs or side.runs or work.runs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"{work.name}, {side.name}: {done.stderr}")
    plain = json.loads(done.stdout)
    return Measured(**plain | {"seconds": tuple(plain["seconds"]), "sums": tuple(plain["sums"])})


def _merged(parts: list[Measured]) -> Measured:
    """Take several processes of one side together."""
    if parts[0].skipped:
        return parts[0]
    memory = [part.memory_mb for part in parts if part.memory_mb is not None]
    seconds = tuple(each for part in parts for each in part.seconds)
    middle = statistics.median(memory) if memory else None
    return Measured(parts[0].rows, seconds, middle, parts[0].sums)


def _check(work: Work, side: Side, theirs: Measured, ours: Measured) -> None:
    if theirs.skipped:
        return
    if theirs.rows != ours.rows:  # the same number of rows, for the sums alone
        ours = apart(work, work.ours, theirs.rows, 1)
    agree(work.name, side.name, theirs.sums, ours.sums)


def agree(work: str, side: str, theirs: Sums, ours: Sums) -> None:
    """Raise unless both sides computed the same."""
    same = len(theirs) == len(ours) and all(
        math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) for a, b in zip(theirs, ours, strict=True)
    )
    if not same:
        raise UnequalSumsError(f"{work}: {side} found {theirs}, retention {ours}")


if __name__ == "__main__":
    _work, _side, _rows, _runs = sys.argv[1:]
    _found = measure(catalogue()[_work].side(_side), int(_rows), int(_runs))
    print(json.dumps(asdict(_found)))
