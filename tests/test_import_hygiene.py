from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "cattrs", "hypothesis", "narwhals", "matplotlib", "dateutil", "pandas", "polars")


def loaded_after(statement: str) -> set[str]:
    program = f"import sys; {statement}; print(*sys.modules, sep='\\n')"
    command = [sys.executable, "-c", program]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_the_root_import_is_light() -> None:
    already = loaded_after("pass")  # what start-up hooks of this environment load is not ours
    assert loaded_after("import retention") - already >= {"retention"}
    assert (loaded_after("import retention") - already).isdisjoint(HEAVY)


def test_asking_for_the_names_of_the_root_is_light() -> None:
    assert loaded_after("import retention; dir(retention)").isdisjoint(HEAVY)
