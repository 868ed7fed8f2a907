"""The reference is made from the package; this is what it must not lose."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "retention"

spec = importlib.util.spec_from_file_location("house", ROOT / "docs" / "_ext" / "house.py")
assert spec is not None
assert spec.loader is not None
house = importlib.util.module_from_spec(spec)
spec.loader.exec_module(house)


def test_every_public_module_at_the_top_is_in_the_reference() -> None:
    files = {path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("_")}
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert {room for room in house.rooms() if "." not in room} == files | folders


def test_every_mechanism_is_in_the_reference() -> None:
    files = {path.stem for path in (PACKAGE / "mechanisms").glob("*.py")} - {"__init__"}
    assert {f"mechanisms.{name}" for name in files if not name.startswith("_")} <= set(
        house.rooms()
    )


def test_a_package_with_a_front_door_keeps_its_other_modules() -> None:
    found = {room for room in house.rooms() if room.startswith("testing")}
    assert {"testing", "testing.laws", "testing.strategies"} <= found
    assert (
        not {"testing.laws.grades", "testing.strategies.rules", "testing.strategies.facts"} & found
    )


def test_every_room_stands_in_one_group() -> None:
    listed = [room for rooms in house.grouped().values() for room in rooms]
    assert sorted(listed) == sorted(house.rooms())


def test_the_order_is_that_of_the_floors() -> None:
    groups = house.grouped()
    assert groups["handbooks"] == ["presets", "handbook"]
    assert groups["areas"].index("segmentation") < groups["areas"].index("activity")
    assert "segmentation" in groups["areas"]
    assert {"reports", "testing.laws"} <= set(groups["edges"])
    assert groups["mechanisms"].index("mechanisms.rules") < groups["mechanisms"].index(
        "mechanisms.words"
    )


def test_the_first_sentence_of_a_room() -> None:
    sentence = house.first_sentence(PACKAGE / "__init__.py")
    assert sentence.startswith("The rules by which a company keeps its customers")
    assert sentence.endswith("pure functions.")


def test_every_room_says_what_it_is_for() -> None:
    assert [room for room, path in house.rooms().items() if not house.first_sentence(path)] == []
