"""How long an import takes in a fresh interpreter, beside the lightest dependency.

The clock runs inside the new interpreter, so its own start is not counted.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.works import OURS, Side, Sums, Work

_PROGRAM = """
from time import perf_counter
start = perf_counter()
import {name}
print(perf_counter() - start)
import sys
print("numpy" in sys.modules)
"""


def _imported(name: str) -> tuple[float, bool]:
    """Return the seconds, and whether numpy was loaded too."""
    program = _PROGRAM.format(name=name)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)  # noqa: S603
    seconds, loaded = done.stdout.split()
    return float(seconds), loaded == b"True"


def _clock(name: str) -> Callable[[Any], tuple[float, Any]]:
    return lambda _: _imported(name)


def _without_numpy(loaded: bool) -> Sums:  # noqa: FBT001
    assert not loaded, "import retention loads numpy"
    return (0.0,)


def _side(name: str, at_least: float | None = None) -> Side:
    return Side(
        name,
        lambda _: None,
        lambda _: _imported(name)[1],
        _without_numpy,
        at_least=at_least,
        clock=_clock(name),
    )


WORKS = (
    Work(
        "import",
        "import in a fresh interpreter; under 2x `import attrs`, without numpy",
        1,
        _side(OURS),
        (_side("attrs", at_least=0.5),),
        runs=15,
    ),
)
