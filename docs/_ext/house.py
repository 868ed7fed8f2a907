"""The modules of the package as the reference lists them, read from its files.

Which are for users, in which order they stand, and what each says of itself first. Nothing is
imported.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "retention"
HANDBOOKS = ("handbook", "presets")


def rooms() -> dict[str, Path]:
    """Every public module by its name without the package, and its file."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        if parts and not any(part.startswith("_") for part in parts) and _open(path):
            found[".".join(parts)] = path
    return found


def _open(path: Path) -> bool:
    """Whether a module is for users: a package with ``__all__`` offers the modules named there."""
    inside = path.parents[1] if path.name == "__init__.py" else path.parent
    name = path.parent.name if path.name == "__init__.py" else path.stem
    front = ast.parse((inside / "__init__.py").read_text(encoding="utf-8"))
    package = ".".join(inside.relative_to(PACKAGE.parent).parts)
    modules = {
        alias.name
        for node in ast.walk(front)
        if isinstance(node, ast.ImportFrom) and node.module == package
        for alias in node.names
    }
    closed = any(isinstance(node, ast.Assign) and _names_all(node) for node in front.body)
    return inside == PACKAGE or not closed or name in modules


def _names_all(node: ast.Assign) -> bool:
    return [ast.unparse(target) for target in node.targets] == ["__all__"]


def floors() -> list[str]:
    """Names of rooms from the roof down, as the import contract has them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    return [
        room.strip(" ()").removeprefix("retention.")
        for floor in layers
        for room in floor.split("|")
    ]


def grouped() -> dict[str, list[str]]:
    """The rooms of each group, from the roof down."""
    order = floors()
    roof = min(order.index(room) for room in HANDBOOKS)

    def place(room: str) -> int:
        parts = room.split(".")
        prefixes = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
        return next((order.index(name) for name in prefixes if name in order), len(order))

    groups: dict[str, list[str]] = {"areas": [], "handbooks": [], "edges": [], "mechanisms": []}
    for room in sorted(rooms(), key=lambda room: (place(room), room)):
        if room.split(".")[0] == "mechanisms":
            group = "mechanisms"
        elif room in HANDBOOKS:
            group = "handbooks"
        else:
            group = "edges" if place(room) < roof else "areas"
        groups[group].append(room)
    return groups


def first_sentence(path: Path) -> str:
    """What a module says of itself first."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first = " ".join(text.partition("\n\n")[0].split())
    first = re.sub(r":\w+:`[~.]*([^`]+)`", r"``\1``", first)
    return re.split(r"(?<=[.!?])\s", first, maxsplit=1)[0]
