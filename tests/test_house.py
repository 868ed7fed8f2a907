"""The rules of the house: what the text of every module must keep."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

import retention

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "retention"
MODULES = sorted(PACKAGE.rglob("*.py"))
PRESETS = [path for path in MODULES if "presets" in path.relative_to(PACKAGE).with_suffix("").parts]
NAMELESS = {"base", "common", "helpers", "manager", "misc", "utils"}
CONTROL = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda),
    *(ast.If, ast.IfExp, ast.For, ast.While, ast.Match, ast.Try, ast.With),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)


def named(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


every_module = pytest.mark.parametrize("path", MODULES, ids=named)


def test_there_is_a_house() -> None:
    assert len(MODULES) > 1


@every_module
def test_a_module_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 600


@every_module
def test_a_module_is_named_after_its_subject(path: Path) -> None:
    assert not NAMELESS & {part.strip("_") for part in Path(named(path)).with_suffix("").parts}


@every_module
def test_what_is_public_is_explained(path: Path) -> None:
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    assert [
        node.name
        for node in tree(path).body
        if isinstance(node, definitions)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ] == []


@every_module
def test_nobody_reads_a_clock(path: Path) -> None:
    assert [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"now", "today", "utcnow"}
    ] == []


@pytest.mark.parametrize("path", PRESETS, ids=named)
def test_presets_are_data(path: Path) -> None:
    assert [
        f"line {node.lineno}: {type(node).__name__}"
        for node in ast.walk(tree(path))
        if isinstance(node, CONTROL)
    ] == []


def test_every_room_has_a_floor() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    floors = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    rooms = {room.strip(" ()") for floor in floors for room in floor.split("|")}
    packages = {"retention", "retention.mechanisms"}  # an __init__ that only names what is inside
    homeless = [
        module
        for module in map(dotted, MODULES)
        if module not in packages
        and not any(module == room or module.startswith(room + ".") for room in rooms)
    ]
    assert homeless == []


def test_the_front_door() -> None:
    names = retention.__all__
    assert 20 <= len(names) <= 45
    # constants, then classes, then the rest: the order that the linter keeps
    assert list(names) == sorted(names, key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    assert len(set(names)) == len(names)
    assert [name for name in names if not hasattr(retention, name)] == []
    assert set(names) <= set(dir(retention))
