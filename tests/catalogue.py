"""Reads the catalogue of handbook rules in docs/rules, so that tests compare with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

RULES = Path(__file__).parent.parent / "docs" / "rules"


def preset(name: str) -> dict[str, Any]:
    """The YAML block of one preset."""
    text = (RULES / "presets.md").read_text(encoding="utf-8")
    found = re.search(rf"^### `{name}`.*?```yaml\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    assert found, f"no block for {name}"
    block = yaml.safe_load(found[1])
    assert isinstance(block, dict)
    return block


def machine(number: str) -> tuple[list[str], list[str]]:
    """States and transitions of one machine, as the catalogue's row writes them."""
    for line in (RULES / "machines.md").read_text(encoding="utf-8").splitlines():
        if f"{number} |" in line:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            return cells[2].split(", "), _apart(cells[3])
    message = f"no machine {number}"
    raise AssertionError(message)


def _apart(transitions: str) -> list[str]:
    """Split at semicolons, but for those inside brackets."""
    return re.split(r"; (?![^\[(]*[\])])", transitions)


def edges(transitions: list[str]) -> set[tuple[str, str, str]]:
    """(source, what, target) for each transition, ``a/b`` taken apart."""
    found = set()
    for line in transitions:
        read = re.fullmatch(r"(?P<sources>[\w/]+) -(?P<what>.+)→ (?P<target>\w+).*", line)
        assert read, f"cannot read {line!r}"
        for source in read["sources"].split("/"):
            found.add((source, read["what"], read["target"]))
    return found
