"""The links from rules to code and tests are read from the text; this is what the reader sees."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
EXTENSIONS = ROOT / "docs" / "_ext"


def extension(name: str) -> ModuleType:
    """A module of the documentation, which is no package."""
    spec = importlib.util.spec_from_file_location(name, EXTENSIONS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


places = extension("rule_places")

SOURCE = '''"""The room of layers (C-20).

>>> layer("C-17")
'C-18'

A customer is called ``C-19`` here.
"""

from x import y

# D-01 to D-03: the table of stages,
# read as AMB-03 says.
STAGES = (
    stated(30, "RC-06: days"),
    60,  # D-04
)
"""Stages of SM-06."""


# H-01
@decorated
class Layer(Word):
    """A layer."""

    NEW = "new"  # C-21
    old: int = 3
    """C-22 here."""

    # C-23
    def label(self) -> str:
        """Say it."""
        def inner():
            return "E-01"
        return inner()


def alone():
    pass


# I-01 stands at the end
'''


def found(source: str, path: str = "src/retention/layers.py") -> set[tuple[str, str]]:
    return {(rule, place.name) for rule, place in places.citations(source, path)}


def test_a_citation_belongs_to_the_smallest_named_code_around_it() -> None:
    assert found(SOURCE) == {
        ("C-20", "retention.layers"),
        ("D-01", "retention.layers.STAGES"),
        ("D-02", "retention.layers.STAGES"),
        ("D-03", "retention.layers.STAGES"),
        ("AMB-03", "retention.layers.STAGES"),
        ("RC-06", "retention.layers.STAGES"),
        ("D-04", "retention.layers.STAGES"),
        ("SM-06", "retention.layers.STAGES"),
        ("H-01", "retention.layers.Layer"),
        ("C-21", "retention.layers.Layer"),
        ("C-22", "retention.layers.Layer"),
        ("C-23", "retention.layers.Layer.label"),
        ("E-01", "retention.layers.Layer.label"),
        ("I-01", "retention.layers"),
    }


def test_a_package_is_named_after_its_folder() -> None:
    assert found('"""X-01."""', "src/retention/presets/__init__.py") == {
        ("X-01", "retention.presets")
    }


def test_a_place_has_the_line_of_its_definition() -> None:
    lines = {place.name: place.line for place in places.defined(SOURCE, "src/retention/layers.py")}
    assert lines == {
        "retention.layers": 1,
        "retention.layers.STAGES": 13,
        "retention.layers.Layer": 22,
        "retention.layers.Layer.label": 30,
        "retention.layers.alone": 37,
    }


def test_a_name_means_what_the_imports_say() -> None:
    source = """
from typing import TYPE_CHECKING
from x import Layer as Level
if TYPE_CHECKING:
    from y.z import When
    Language = str
class Own:
    def method(self): ...
"""
    assert places.meanings(source, "src/retention/layers.py") == {
        "TYPE_CHECKING": "typing.TYPE_CHECKING",
        "Level": "x.Layer",
        "When": "y.z.When",
        "Language": "retention.layers.Language",
        "Own": "retention.layers.Own",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(C-21, AMB-33)", ["C-21", "AMB-33"]),
        ("C-21 and C-21", ["C-21"]),
        ("C-21 to C-23", ["C-21", "C-23", "C-22"]),
        ("# C-09 to\n# C-11", ["C-09", "C-11", "C-10"]),
        ("C-21 to D-02", ["C-21", "D-02"]),
        ("S-17a, S-17d, XC-21, C-211, C-1, c-21, SM-6, ABC-21-7", ["S-17a"]),
        ("", []),
    ],
)
def test_ids_of_a_text(text: str, expected: list[str]) -> None:
    assert places.ids(text) == expected


SUITE = """
import pytest
from pytest import mark

CASES = [pytest.param(1, marks=pytest.mark.rule("AMB-01")), 2]

@pytest.mark.rule("C-21", "SM-06")
@pytest.mark.parametrize("n", CASES)
def test_plain(n):
    assert "C-99"

@mark.rule("RC-09")
class TestMachine:
    @pytest.mark.rule("D-01")
    def test_in_class(self): ...

@pytest.mark.other("D-02")
def test_other(): ...
"""


def test_marks_are_read_without_a_run() -> None:
    assert {(rule, place.name) for rule, place in places.marks(SUITE, "tests/test_x.py")} == {
        ("AMB-01", "CASES"),
        ("C-21", "test_plain"),
        ("SM-06", "test_plain"),
        ("RC-09", "TestMachine"),
        ("D-01", "TestMachine::test_in_class"),
    }


def test_a_mark_on_the_module_holds_for_every_test() -> None:
    suite = 'import pytest\npytestmark = [pytest.mark.rule("X-07")]\n'
    assert [(rule, place.name) for rule, place in places.marks(suite, "tests/test_x.py")] == [
        ("X-07", "")
    ]


def test_a_small_project(tmp_path: Path) -> None:
    def write(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")

    write("docs/rules/C.md", '- <a id="C-01"></a>**C-01** one\n- <a id="C-02"></a>**C-02** two\n')
    write("src/retention/layers.py", 'def layer():\n    """C-01."""\n')
    write("src/retention/testing/laws/layers.py", 'def law():\n    """C-01."""\n')
    write("tests/test_x.py", 'import pytest\n@pytest.mark.rule("C-01")\ndef test_x(): ...\n')
    project = places.collect(tmp_path)
    assert project.rules == ("C-01", "C-02")
    assert [place.name for place in project.code["C-01"]] == ["retention.layers.layer"]
    assert [place.name for place in project.laws["C-01"]] == ["retention.testing.laws.layers.law"]
    assert project.tests["C-01"] == [places.Place("tests/test_x.py", 3, "test_x")]
    assert [(project.carried(rule), project.tested(rule)) for rule in project.rules] == [
        (True, True),
        (False, False),
    ]


# --- this project -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def here() -> object:
    return places.collect(ROOT)


def test_every_rule_has_one_anchor(here: object) -> None:
    rules: tuple[str, ...] = here.rules  # type: ignore[attr-defined]
    assert len(rules) == len(set(rules)) > 500


def test_every_id_that_code_or_a_mark_names_is_in_the_catalogue(here: object) -> None:
    named = {
        (rule, f"{place.path}:{place.line}")
        for kind in ("code", "laws", "tests")
        for rule, found in getattr(here, kind).items()
        for place in found
        if rule not in here.rules  # type: ignore[attr-defined]
    }
    assert named == set()
