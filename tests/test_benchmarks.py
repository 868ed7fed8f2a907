"""The benchmarks run, and both sides of every row compute the same. Nothing here is timed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from attrs import evolve

from benchmarks import __main__ as command
from benchmarks import show
from benchmarks.runner import Compared, Measured, UnequalSumsError, agree, measure
from benchmarks.works import OURS, Side, Work, catalogue, chosen

KEYS = {
    "name",
    "ours_rows",
    "peer_rows",
    "ours_s",
    "peer",
    "peer_s",
    "ratio",
    "memory_ours_mb",
    "memory_peer_mb",
    "runs",
}
ROWS = 2_000


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent.parent)  # each side runs as `python -m benchmarks...`


def test_every_row_of_the_table_has_its_file() -> None:
    named = {"import", "layers-1m", "summary-dense-1m", "summary-dense-10m"}
    assert named | {"summary-string-1m", "count-string-1m"} <= set(catalogue())


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"no benchmark layers-2m; there are: .*layers-1m"):
        chosen(["layers-2m"])


@pytest.mark.filterwarnings("ignore")  # what a peer warns of is its own
@pytest.mark.parametrize(
    "name",
    [
        "import",
        "layers-1m",
        "summary-dense-1m",
        "summary-string-1m",
        "count-string-1m",
        pytest.param("count-hex-1m", marks=pytest.mark.deep),
        pytest.param("count-sparse-1m", marks=pytest.mark.deep),
    ],
)
def test_all_sides_that_are_installed_agree(name: str) -> None:
    work = catalogue()[name]
    rows = min(work.rows, ROWS)
    ours = measure(work.ours, rows, 1)
    for side in (*work.peers, *work.also):
        theirs = measure(side, rows, 1)
        if not theirs.skipped:
            agree(name, side.name, theirs.sums, ours.sums)


def test_json_has_one_row_for_each_peer(capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["layers-1m", "import", "--json", "--rows", str(ROWS), "--runs", "1"])
    rows = json.loads(capsys.readouterr().out)
    assert {(row["name"], row["peer"]) for row in rows} >= {
        ("layers-1m", "numpy.select"),
        ("import", "attrs"),
    }
    for row in rows:
        assert row.keys() == KEYS
        assert row["ours_rows"] == (1 if row["name"] == "import" else ROWS)
        assert row["ratio"] == pytest.approx(row["peer_s"] / row["ours_s"])
        elsewhere = row["name"] == "import" or not sys.platform.startswith("linux")
        assert (row["memory_ours_mb"] is None) == elsewhere


def test_growth_is_ours_beside_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    found = show.growth(catalogue()["layers-1m"], [500, ROWS], 1)
    assert [step["rows"] for step in found["sizes"]] == [500, ROWS]
    show.grown(found)
    assert "layers: exponent" in capsys.readouterr().out


def test_a_missing_peer_is_skipped_with_the_reason() -> None:
    def prepare(_: int) -> None:
        raise ImportError("No module named 'nobody'")

    side = Side("nobody", prepare, lambda _: None, lambda _: ())
    assert measure(side, 10, 1) == Measured(10, skipped="No module named 'nobody'")


def test_sides_that_disagree_are_an_error() -> None:
    agree("sum", "peer", (3.0, 1e12), (3.0, 1e12 + 1e-3))
    with pytest.raises(UnequalSumsError, match="sum: peer found"):
        agree("sum", "peer", (3.0,), (4.0,))
    with pytest.raises(UnequalSumsError):
        agree("sum", "peer", (3.0,), (3.0, 0.0))


@pytest.fixture
def counted() -> Compared:
    ours = Side(OURS, range, sum, lambda total: (float(total),))
    peer = evolve(ours, name="peer", at_least=2.0, memory_share=0.5)
    work = Work("sum", "a sum", 100, ours, (peer, evolve(peer, name="gone")))
    peers = {
        "peer": Measured(10, (0.3, 0.1, 0.2), 3.0),
        "gone": Measured(10, skipped="not installed"),
    }
    return Compared(work, Measured(100, (1.0,), 1.0), peers, {"raw": Measured(100, (2.0,))})


def test_the_ratio_is_a_row_to_a_row(counted: Compared) -> None:
    (row,) = show.rows_of(counted)
    assert row["peer_s"] == 0.2  # the median
    assert row["ratio"] == pytest.approx(2.0)  # 20 ms a row beside 10 ms a row


def test_the_table_says_whether_a_target_is_met(
    counted: Compared, capsys: pytest.CaptureFixture[str]
) -> None:
    show.table(counted)
    printed = capsys.readouterr().out
    assert "peer (10 rows)" in printed
    assert "2: met; memory at most 0.5 of theirs: met" in printed
    assert "sum: gone skipped, not installed" in printed
    assert "raw" in printed
