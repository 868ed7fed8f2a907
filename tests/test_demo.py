"""The demo on the real log, beside a second program that reads the file by the handbook's words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
AS_OF, SINCE = date(1998, 6, 30), date(1998, 3, 31)
GIVEN = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"}

Rows = Iterable[tuple[str, date, int]]


def demo(out: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(ROOT / "examples" / "cdnow.py"), "--out", str(out)]
    command = [*program, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env=GIVEN, check=False
    )


def plain(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return found


# --- the handbook's words, once more ------------------------------------------------------------


def cdnow() -> list[tuple[str, date, int]]:
    path = Path(str(distribution("lifetimes").locate_file("lifetimes/datasets/CDNOW_master.txt")))
    rows = []
    for line in path.read_text(encoding="ascii").splitlines()[1:]:
        customer, day, _, amount = line.split()
        whole, cents = amount.split(".")
        rows.append((customer, date.fromisoformat(day), 100 * int(whole) + int(cents)))
    return rows


def layers_and_stages(rows: Rows, as_of: date) -> dict[str, tuple[str, str, int]]:
    """Layer, stage and spend of every customer, with loops over the facts alone."""
    facts = defaultdict(list)
    for customer, day, amount in rows:
        if day <= as_of:
            facts[customer].append((day, amount))
    spend = {customer: sum(amount for _, amount in found) for customer, found in facts.items()}
    larger, seen = {}, 0
    for amount, number in sorted(Counter(spend.values()).items(), reverse=True):
        larger[amount] = seen  # customers who spent more: equal amounts share the best rank
        seen += number
    result = {}
    for customer, found in facts.items():
        days = [(as_of - day).days for day, _ in found]
        rank = larger[spend[customer]] + 1
        within = {n: sum(day <= n for day in days) for n in (30, 90)}
        first, last = max(days), min(days)
        if first <= 30:
            layer = "new"
        elif last <= 30 and within[30] >= 2 and 100 * rank <= 20 * len(facts):
            layer = "high_active"
        elif last <= 90 and within[90] >= 1 and 100 * rank <= 50 * len(facts):
            layer = "medium_active"
        elif 91 <= last <= 180:
            layer = "sleeping"
        elif last > 180:
            layer = "lost"
        else:
            layer = "general_active"
        stage = (
            "new" if first <= 30
            else "active" if last <= 90
            else "sleeping" if last <= 180
            else "lost"
        )  # fmt: skip
        result[customer] = layer, stage, spend[customer]
    return result


# --- the real log -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    done = demo(folder)
    assert done.returncode == 0, done.stderr
    assert str(folder / "report.html") in done.stdout
    assert "69,659" in done.stdout
    assert done.stderr == ""
    return folder


@pytest.fixture(scope="module")
def now() -> dict[str, tuple[str, str, int]]:
    return layers_and_stages(cdnow(), AS_OF)


@pytest.fixture(scope="module")
def before() -> dict[str, tuple[str, str, int]]:
    return layers_and_stages(cdnow(), SINCE)


def test_the_demo_reads_the_whole_log(out: Path) -> None:
    found = plain(out)
    assert found["as_of"] == "1998-06-30"
    assert found["handbook"] == "ecommerce"
    assert found["customers"] == 23_570
    assert found["purchases"] == 69_659
    assert found["problems"] == []
    assert found["left_out"] == 0
    assert set(found["layers"]) == {
        "new", "high_active", "medium_active", "sleeping", "lost", "general_active",
    }  # fmt: skip
    assert set(found["stages"]) == {
        "registered", "potential", "new", "active", "sleeping", "lost",
    }  # fmt: skip


@pytest.mark.parametrize(("axis", "place"), [("layers", 0), ("stages", 1)])
def test_counts_and_spend_agree_with_a_second_program(
    out: Path, now: dict[str, tuple[str, str, int]], axis: str, place: int
) -> None:
    counts = Counter(str(row[place]) for row in now.values())
    spend: Counter[str] = Counter()
    for row in now.values():
        spend[str(row[place])] += row[2]
    for key, row in plain(out)[axis].items():
        assert (key, row["customers"], row["spend_minor"]) == (key, counts[key], spend[key])
    assert sum(counts.values()) == 23_570


@pytest.mark.parametrize(("axis", "place"), [("layers", 0), ("stages", 1)])
def test_movement_agrees_with_a_second_program(
    out: Path,
    now: dict[str, tuple[str, str, int]],
    before: dict[str, tuple[str, str, int]],
    axis: str,
    place: int,
) -> None:
    pairs = Counter((before[customer][place], now[customer][place]) for customer in now)
    movement = plain(out)["movement"]
    assert movement["since"] == "1998-03-31"
    assert {(row["from"], row["to"]): row["customers"] for row in movement[axis]} == pairs


def test_what_is_due_agrees_with_a_second_program(
    out: Path, now: dict[str, tuple[str, str, int]]
) -> None:
    later = layers_and_stages(cdnow(), AS_OF + timedelta(days=30))  # no purchase is that late
    pairs = Counter((now[x][1], later[x][1]) for x in now if now[x][1] != later[x][1])
    changes = plain(out)["due"]["changes"]
    assert {(row["from"], row["to"]): row["customers"] for row in changes} == pairs


def test_month_ends_agree_with_a_second_program(out: Path) -> None:
    timeline = plain(out)["timeline"]
    assert [row["day"] for row in timeline][::17] == ["1997-01-31", "1998-06-30"]
    for row in timeline[3::6]:
        found = layers_and_stages(cdnow(), date.fromisoformat(row["day"]))
        counts = Counter(stage for _, stage, _ in found.values())
        assert {key: n for key, n in row["stages"].items() if n} == counts


def test_ten_customers_are_explained(out: Path, now: dict[str, tuple[str, str, int]]) -> None:
    explained = plain(out)["explained"]
    assert len(explained) == 10
    for row in explained:
        layer, stage, spend = now[row["customer"]]
        assert (row["layer"], row["stage"]) == (layer, stage)
        assert row["measures"]["spend_minor"] == spend
        for axis in ("layer", "stage"):
            assert row["reasons"][axis]["en"]
            assert row["reasons"][axis]["zh"]


def test_the_page_is_written(out: Path) -> None:
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "18,196 · 77.2%" in page  # lost
    assert "高价值活跃客户" in page


# --- a file of one's own ------------------------------------------------------------------------

OWN = """\ufeff会员号;日期;金额;备注
0007;2024-06-01;12.50;
0007;20240602;8;
"a<b>";2024-06-29T17:00:00+00:00;3.1;"two
lines"
x;2024-06-30 10:00:00;3.1;
;2024-06-01;1.00;
x;31/12/2023;1.00;
x;0024-01-01;1.00;
x;2023-12-31;abc;
x;2023-12-31;-5.00;
x;2023-12-31;5,00;

x;2023-12-31;5.00
x;2023-12-31;5.005;
x;2023-12-31;5.00;ok
"""


def test_a_file_of_ones_own_loses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text(OWN, encoding="utf-8")
    done = demo(tmp_path, "--file", file, "--language", "zh")
    assert done.returncode == 0, done.stderr
    found = plain(tmp_path)
    assert found["as_of"] == "2024-06-30"  # the instant counts as a day in the handbook's zone
    assert (found["customers"], found["purchases"]) == (3, 4)
    assert found["layers"]["new"]["spend_minor"] == 1250 + 800 + 310
    assert found["layers"]["lost"]["spend_minor"] == 500
    assert [row["customer"] for row in found["explained"]] == ["0007", "x", "a<b>"]
    assert {(row["code"], *row["rows"]) for row in found["problems"]} == {
        ("naive_instant", 6),
        ("no_customer", 7),
        ("no_time", 8, 9),
        ("no_amount", 10, 12, 15),
        ("negative_amount", 11),
        ("no_amount", 14),
    }
    assert "a&lt;b&gt;" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_negative_amounts_can_be_returns(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("customer,date,amount\na,2024-06-01,5.00\na,2024-06-02,-2.00\n")
    assert demo(tmp_path, "--file", file, "--returns", "net").returncode == 0
    assert plain(tmp_path)["layers"]["new"]["spend_minor"] == 300


def test_a_quote_that_is_never_closed_hides_no_line(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text('customer,date,amount\na,2024-06-01,5.00\nb,"2024-06-02,2.00\nc,2024-06-03,1\n')
    assert demo(tmp_path, "--file", file).returncode == 0
    assert plain(tmp_path)["problems"][0]["rows"] == [3, 4]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file is empty"),
        ("customer,date,amount\n", "no row that can be read: there is none"),
        ("customer,date,amount\na,b,c\n", "no amount: 1 row (2), first c"),
        ("who,when,amount\na,2024-01-01,1\n", "no column for the customer; found: who, when"),
        ("customer,date,sum\na,2024-01-01,1\n", "allowed: amount, spend, total"),
    ],
    ids=["empty", "header alone", "no good row", "no customer", "no amount"],
)
def test_a_file_that_cannot_be_read_is_answered(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "own.csv"
    file.write_text(text)
    done = demo(tmp_path, "--file", file)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_in_another_encoding_is_answered(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_bytes("customer,date,amount\n客户,2024-01-01,1\n".encode("gb18030"))
    done = demo(tmp_path, "--file", file)
    assert done.returncode == 1
    assert "line 2 is not UTF-8" in done.stderr


def test_a_terminal_without_chinese_letters_is_no_obstacle(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("customer,date,amount\na,2024-06-01,5.00\n")
    program = [sys.executable, str(ROOT / "examples" / "cdnow.py"), "--out", str(tmp_path)]
    given = {**GIVEN, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*program, "--file", str(file)], capture_output=True, env=given, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_later_day_than_the_question_is_refused(tmp_path: Path) -> None:
    done = demo(tmp_path, "--since", "1999-01-01")
    assert done.returncode == 1
    assert "a day before as_of" in done.stderr
