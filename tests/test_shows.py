"""Results that show themselves: columns, rows, one line, HTML and text with the same numbers."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention import PurchaseLog, assess, reports
from retention.benefits import Benefit, BenefitCatalogue, BenefitKind
from retention.change_previews import losses
from retention.classifications import Classification
from retention.clv import clv_summary
from retention.grades import standings
from retention.invitation_chains import chains
from retention.lifecycle import LIFECYCLE, Stage
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.errors import UnequalColumnsError, UnknownNameError
from retention.mechanisms.estimates import Estimate
from retention.mechanisms.obligations import After
from retention.mechanisms.outcomes import Cells, Movement, Outcomes, cross
from retention.mechanisms.periods import AsOf, zone_of
from retention.mechanisms.rules import parse
from retention.mechanisms.tables import (
    Column,
    Head,
    Line,
    Shown,
    Table,
    columns_of,
    headline,
    spread,
)
from retention.mechanisms.words import Word
from retention.mechanisms.workflows import Workflow
from retention.presets import ecommerce, user_retention
from retention.regrading import Direction, Regrading
from retention.scores import Factor, Scoring
from retention.segmentation import Layer
from retention.summaries import Attributes, Summary
from retention.tag_sheets import TagSheet
from retention.tags import Evaluate, TagLibrary, TagRule
from retention.tier_columns import TierColumns
from retention.tier_terms import TierCase
from retention.tiers import Tiers
from tests.refusals import refused

AS_OF, SINCE = date(2024, 6, 30), date(2024, 3, 31)
VIEW = AsOf.at(AS_OF, zone_of("Asia/Shanghai"))
SECRET = "<i>C-secret-"  # noqa: S105  how every customer of these tests is called


def shop() -> PurchaseLog:
    """Sixty customers, of whom every third buys again; some since the earlier day."""
    rows = [
        (f"{SECRET}{n:02}", AS_OF - timedelta(days=day), 1000 + 7 * n)
        for n in range(60)
        for day in ((5 * n, 200) if n % 3 == 0 else (5 * n,))
    ]
    customers, days, amounts = zip(*rows, strict=True)
    return PurchaseLog.from_columns(
        customer=customers, at=days, amount_minor=amounts, currency="CNY"
    )


def tags() -> TagLibrary:
    rules = (TagRule("active", parse("days_since_purchase <= 90")),)
    return TagLibrary((*rules, TagRule("big", parse("spend_minor >= 1200"))), every=After(months=1))


def sheet() -> TagSheet:
    command = Evaluate(history=LOG.history(SECRET + "00"), at=AS_OF, by="job")
    return tags().decide(TagSheet(SECRET + "00"), command).or_raise().state


def moved_tags() -> Shown:
    return (
        tags().tags_of_all(LOG, as_of=AS_OF).compare(tags().tags_of_all(LOG, as_of=SINCE))["active"]
    )


def scored() -> Any:  # noqa: ANN401
    model = Scoring("value_score", (Factor("a", 0.4, "a"), Factor("b", 0.6, "b")))
    who = Attributes.from_columns(
        customer=[f"{SECRET}{n}" for n in range(4)], a=[0.5, 1.0, 0.25, np.nan], b=[0.5, 0.5, 1, 1]
    )
    nobody = PurchaseLog.of([])
    return model.scores(nobody, as_of=AS_OF, customers=who.customers, attributes=who)


LOG = shop()
FOUND = assess(ecommerce, LOG, as_of=AS_OF, since=SINCE)
NOBODY = assess(ecommerce, PurchaseLog.of([]), as_of=AS_OF, since=SINCE)
GRADES = user_retention.segmentation.classification("spend_grade")


def changes() -> Shown:
    ladder = ("ordinary", "silver", "gold", "platinum", "diamond")
    recorded = {f"{SECRET}{n:02}": ladder[n % 5] for n in range(0, 60, 2)}
    return Regrading(ladder, None).changes(recorded, GRADES.outcomes(LOG, as_of=AS_OF))


def refusals() -> Shown:
    states, commands = ["lost", "lost", "new"], ["interact_often", "interact", "purchase"]
    return LIFECYCLE.taken(LIFECYCLE.encode(states, commands, {})).refusals


def lost_benefits() -> Shown:
    old = BenefitCatalogue((Benefit(BenefitKind.FREE_SHIPPING),), ladder=("silver", "gold"))
    new = BenefitCatalogue(
        (Benefit(BenefitKind.FREE_SHIPPING, ("gold",)),), ladder=("silver", "gold")
    )
    return losses(old, new, [f"{SECRET}{n}" for n in "abc"], ["gold", "silver", ""])


def member_tiers() -> Shown:
    cases = (
        TierCase("gold", parse("qualifying_spend_minor >= 500000")),
        TierCase("silver", parse("qualifying_spend_minor >= 1100")),
    )
    ladder = Tiers(Classification("tiers", FirstMatch(cases, otherwise="ordinary")))
    members = sorted(set(LOG.customers.tolist()))
    since = np.full(len(members), "2023-01-01", "datetime64[D]")
    return ladder.tiers(TierColumns.of(members, since=since, purchases=LOG), as_of=AS_OF)


def workflow_states() -> Shown:
    lives = Workflow(LIFECYCLE, Stage.REGISTERED)
    events = ["interact", "purchase", "purchase"]
    return lives.states([SECRET + "1", SECRET + "2", SECRET + "2"], events)


MOVED = FOUND.stages_moved
assert MOVED is not None
RESULTS: dict[str, Shown] = {
    "assessment": FOUND,
    "layers": FOUND.layers,
    "stages": FOUND.stages,
    "movement": MOVED,
    "rfm": FOUND.rfm,
    "dues": FOUND.due,
    "cells": cross(layer=FOUND.layers, stage=FOUND.stages),
    "standings": standings(GRADES, LOG, as_of=AS_OF),
    "scores": scored(),
    "changes": changes(),
    "tags": tags().tags_of_all(LOG, as_of=AS_OF),
    "tag moves": moved_tags(),
    "tag sheet": sheet(),
    "refusals": refusals(),
    "summary": Summary.of(["days_since_purchase", "spend_minor"], LOG, as_of=VIEW),
    "clv": clv_summary(LOG, as_of=VIEW),
    "chains": chains([SECRET + "a", SECRET + "b"], [SECRET + "b", SECRET + "c"]),
    "losses": lost_benefits(),
    "tiers": member_tiers(),
    "states": workflow_states(),
    "nobody": NOBODY,
    "no layers": NOBODY.layers,
    "no rfm": NOBODY.rfm,
    "no dues": NOBODY.due,
    "no summary": Summary.of(["spend_minor"], PurchaseLog.of([]), as_of=VIEW),
    "no clv": clv_summary(PurchaseLog.of([]), as_of=VIEW),
}
every_result = pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)


def cells_of(html: str) -> list[list[str]]:
    """Texts of a table of HTML, line by line; the notes of a cell are left out."""
    found = ET.fromstring(html)  # noqa: S314  our own text
    for parent in found.iter():
        for note in parent.findall("small"):
            parent.remove(note)
    rows = [found.find("thead/tr"), *found.findall("tbody/tr")]
    return [["\n".join(x for x in cell.itertext() if x) for cell in row or ()] for row in rows]


# --- columns and rows ---------------------------------------------------------------------------


@every_result
def test_columns_are_plain_and_of_equal_length(result: Shown) -> None:
    columns = result.to_columns()
    assert all(type(column) is np.ndarray and column.ndim == 1 for column in columns.values())
    assert len({len(column) for column in columns.values()}) == 1
    assert {column.dtype.kind for column in columns.values()} <= set("biufUM")


@every_result
def test_pandas_and_polars_take_the_columns(result: Shown) -> None:
    columns = result.to_columns()
    for frame in (pd.DataFrame(columns), pl.DataFrame(columns)):
        assert list(frame.columns) == list(columns)
        assert len(frame) == len(next(iter(columns.values())))
    for name, column in columns.items():
        if column.dtype.kind != "f":
            assert pl.DataFrame(columns)[name].to_list() == [*column.tolist()]


@every_result
def test_rows_are_the_columns_one_by_one(result: Shown) -> None:
    rows, columns = list(result.to_rows()), result.to_columns()
    assert [list(row) for row in rows] == [list(columns)] * len(next(iter(columns.values())))
    for name, column in columns.items():
        missing = [value != value for value in column.tolist()]  # noqa: PLR0124
        given = [None if bare else x for x, bare in zip(column.tolist(), missing, strict=True)]
        assert [row[name] for row in rows] == given
    plain = (bool, int, float, str, date, type(None))
    assert all(isinstance(value, plain) for row in rows for value in row.values())


class Moments(Shown):
    """A result with instants, which no result of the library has yet."""

    def to_columns(self) -> dict[str, Any]:
        at = np.array(["2024-06-30T10:00:00.000000001", "NaT"], "datetime64[ns]")
        return {"at": at, "share": np.array([0.5, np.nan])}

    def to_table(self, language: Any = "en") -> Table:  # noqa: ANN401
        return spread(self.to_columns(), Head.MEASURE, language)


def test_instants_and_what_is_missing_are_plain_in_rows() -> None:
    assert list(Moments().to_rows()) == [
        {"at": datetime(2024, 6, 30, 10), "share": 0.5},
        {"at": None, "share": None},
    ]


def test_the_rows_of_an_assessment_say_all_of_a_customer() -> None:
    rows = {row["customer"]: row for row in FOUND.to_rows()}
    assert rows[SECRET + "01"] == {
        "customer": SECRET + "01",
        "layer": "new",
        "stage": "new",
        "recency": 1,
        "frequency": 2,
        "monetary": 4,
        "due_on": date(2024, 7, 26),  # 30 days after 25 June it is still new
        "due_stage": "active",
    }
    assert rows[SECRET + "59"]["stage"] == "lost"
    assert (rows[SECRET + "59"]["due_on"], rows[SECRET + "59"]["due_stage"]) == (None, "")


POPULATION: FirstMatch[Any] = FirstMatch((Case(None, parse("days > 90")),), otherwise="in")


def test_whoever_has_no_outcome_has_an_empty_text() -> None:
    days = {"days": np.array([3, 100])}
    found = Outcomes.of(POPULATION, np.array(["a", "b"]), days, VIEW)
    assert found.to_columns()["outcome"].tolist() == ["in", ""]
    assert list(found.to_rows())[1] == {"customer": "b", "outcome": "", "days": 100}
    assert cross(axis=found).counts() == {("",): 1, ("in",): 1}


def test_outside_and_unknown_are_both_none_and_nobody_is_lost() -> None:
    table = POPULATION
    before = Outcomes.of(table, np.array(["a", "b"]), {"days": np.array([3, 100])}, VIEW)
    after = Outcomes.of(table, np.array(["b", "c"]), {"days": np.array([3, 100])}, VIEW)
    moved = after.compare(before)
    assert moved.counts() == {("in", None): 1, (None, "in"): 1, (None, None): 1}
    assert sum(moved.counts().values()) == len(moved) == 3
    assert moved.movers(None, None).tolist() == ["c"]
    assert moved.movers(None, "in").tolist() == ["b"]
    assert moved.movers("in", None).tolist() == ["a"]
    assert moved.to_columns()["before"].tolist() == ["in", "", ""]
    assert moved.to_columns()["after"].tolist() == ["", "in", ""]
    assert moved.conversion("in", "in") == Estimate(0, 1)


# --- one line -----------------------------------------------------------------------------------


@every_result
def test_a_result_says_its_size_in_one_line_and_nobody_by_name(result: Shown) -> None:
    shown = repr(result)
    assert re.fullmatch(rf"{type(result).__name__}\([\d,]+ [a-z].*\)", shown)
    assert len(shown) < 200
    assert "secret" not in shown
    for amount in (1000, 1007, 2014):  # what single customers spent
        assert str(amount) not in shown.replace(",", "")


def test_what_the_lines_say() -> None:
    assert repr(FOUND.layers) == (
        "Outcomes(60 customers as of 2024-06-30: 4 new, 7 medium_active, 18 sleeping, 23 lost, "
        "8 general_active)"
    )
    assert repr(FOUND) == (
        "Assessment(60 customers under ecommerce as of 2024-06-30: 80 purchases)"
    )
    assert repr(RESULTS["nobody"]) == "Assessment(0 customers under ecommerce as of 2024-06-30)"
    assert repr(RESULTS["tag sheet"]) == (
        "TagSheet(2 tags: 2 on the sheet; last asked on 2024-06-30)"
    )


def test_many_counts_are_cut_and_one_thing_is_not_many() -> None:
    many = {f"band {n}": n for n in range(12)}
    assert headline("Outcomes", 66, "customers", many).endswith(", 8 band 8, 3 more)")
    assert (
        headline("Outcomes", 1, "customers as of today", {}) == "Outcomes(1 customer as of today)"
    )


# --- HTML and text ------------------------------------------------------------------------------


@every_result
@pytest.mark.parametrize("language", ["en", "zh"])
def test_html_and_text_say_the_same(result: Shown, language: Any) -> None:  # noqa: ANN401
    for table in result.to_tables(language):
        rows = cells_of(table.html())
        lines = list(table.lines())
        heads, *body = rows
        assert heads == list(table.heads)
        said = " ".join(re.split(r"\s+", " ".join(lines)))
        for row in body:
            for cell in row:
                for word in cell.split():
                    assert word in said
        assert len(body) == len(table.rows)


@every_result
def test_html_is_well_formed_neutral_and_needs_nothing(result: Shown) -> None:
    html = result._repr_html_()
    ET.fromstring(f"<div>{html}</div>")  # noqa: S314
    assert "secret" not in html
    assert not re.search(r"color|background|https?:|<script|<img|<link|@import", html)
    assert result._repr_html_() == "".join(x.html() for x in result.to_tables("en"))


def test_the_table_of_layers_has_the_numbers_of_the_columns() -> None:
    """Layer, Chinese name, customers, share, spend, share of spend, goal, key actions (C-21)."""
    columns = FOUND.layers.to_columns()
    heads, *rows = cells_of(FOUND.layers.to_table(currency="CNY").html())
    assert heads == [
        "layer", "中文", "customers", "share of customers", "spend (CNY)", "share of spend",
        "goal", "key actions",
    ]  # fmt: skip
    assert [row[:2] for row in rows] == [[x.label(), x.zh] for x in table_order()]
    for row, layer in zip(rows, table_order(), strict=True):
        inside = columns["outcome"] == layer.value
        spend = int(columns["spend_minor"][inside].sum())
        assert row[2] == f"{inside.sum():,}"
        assert row[3] == f"{100 * inside.sum() / 60:.1f}%"
        assert row[4] == f"{spend // 100:,}.{spend % 100:02}"
        assert row[5] == f"{100 * spend / columns['spend_minor'].sum():.1f}%"
    actions = {row[0]: row[7].split("\n") for row in rows}
    assert actions["high active"] == [
        "dedicated manager 24h",
        "tailored benefits",
        "deep interview",
    ]
    assert actions["general active"] == [""]


def table_order() -> tuple[Layer, ...]:
    return ecommerce.segmentation.layer_table.outcomes


def test_a_table_of_layers_in_chinese_is_aligned() -> None:
    lines = FOUND.layers.to_table("zh", upkeep=False).text().splitlines()
    assert lines[0].split() == ["客户层级", "English", "客户数", "客户占比", "累计消费", "消费占比"]
    assert len({columns_of(line) for line in lines}) == 1
    assert lines[1].split()[:3] == ["新客户", "new", "4"]


def test_the_table_of_a_movement_adds_up() -> None:
    assert MOVED is not None
    _, *rows = cells_of(MOVED.to_table().html())
    numbers = [[int(x.replace(",", "").replace("·", "0")) for x in row[1:]] for row in rows]
    for line in numbers:
        assert sum(line[:-1]) == line[-1]
    assert [sum(column) for column in zip(*numbers[:-1], strict=True)] == numbers[-1]
    assert numbers[-1][-1] == len(MOVED) == 60
    assert (rows[-2][0], cells_of(MOVED.to_table("zh").html())[-1][0]) == ("not known", "合计")


def test_the_table_of_dues_counts_every_customer_once() -> None:
    rows = cells_of(FOUND.due.to_table().html())[1:]
    assert sum(int(row[1]) for row in rows) == 60
    columns = FOUND.due.to_columns()
    named = [x for x in rows if x[0] == "sleeping → lost"]
    inside = (columns["current"] == "sleeping") & (columns["becomes"] == "lost")
    assert named[0][1:] == [
        str(inside.sum()), str(columns["on"][inside].min()), str(columns["on"][inside].max()),
    ]  # fmt: skip


def test_the_table_of_rfm_cells_adds_up() -> None:
    rows = cells_of(FOUND.rfm.to_table().html())[1:]
    assert sum(int(x) for row in rows for x in row[1:]) == len(FOUND.rfm) == 60


def test_missing_scores_are_counted() -> None:
    assert repr(RESULTS["scores"]) == (
        "Scores(4 customers as of 2024-06-30: 3 with a score, 1 without)"
    )
    first = cells_of(RESULTS["scores"].to_table().html())[1]
    assert first == ["score", "3", "1", "63.33", "70.00"]  # 50, 70 and 70


def test_ranks_of_standings_follow_each_other() -> None:
    rows = cells_of(RESULTS["standings"].to_table().html())[1:]
    assert next(row[3] for row in rows if row[1] != "0") == "1"
    places = RESULTS["standings"].to_columns()
    for row in rows:
        ranks = places["rank"][places["grade"] == row[0]]
        assert row[3:] == ([str(ranks.min()), str(ranks.max())] if len(ranks) else ["", ""])


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("chains", [["0", "1", "33.3%"], ["1", "1", "33.3%"], ["2", "1", "33.3%"]]),
        ("losses", [["free_shipping", "missing", "1"]]),
        ("states", [
            ["registered", "0", "0.0%"], ["potential", "1", "50.0%"], ["new", "1", "50.0%"],
            ["active", "0", "0.0%"], ["sleeping", "0", "0.0%"], ["lost", "0", "0.0%"],
        ]),
        ("refusals", [["new", "purchase", "not_possible", "1"]]),
        ("tag moves", [["added", "19"], ["removed", "18"], ["kept", "0"]]),
    ],
    ids=range(5),
)  # fmt: skip
def test_small_tables(name: str, rows: list[list[str]]) -> None:
    assert cells_of(RESULTS[name].to_table().html())[1:] == rows


def test_tiers_are_counted_from_the_lowest() -> None:
    columns = RESULTS["tiers"].to_columns()
    rows = cells_of(RESULTS["tiers"].to_table().html())[1:]
    assert [row[0] for row in rows] == ["ordinary", "silver", "gold"]
    for tier, number, _ in rows:
        assert int(number) == int((columns["tier"] == tier).sum())


def test_changes_of_grade_are_counted_as_listed() -> None:
    columns, rows = RESULTS["changes"].to_columns(), cells_of(RESULTS["changes"].to_table().html())
    pairs = list(zip(columns["before"].tolist(), columns["after"].tolist(), strict=True))
    shown = {(a, b): int(n) for a, b, n in rows[1:]}
    assert shown == {
        (a or "not known", b or "not known"): pairs.count((a, b)) for a, b in set(pairs)
    }
    assert set(columns["direction"].tolist()) <= {str(x) for x in Direction}


def test_hostile_names_do_not_break_out() -> None:
    cells = Cells.of(np.array(["a", "b"]), layer=["<script>x</script>", "&"])
    html = cells._repr_html_()
    assert "<script" not in html
    assert cells_of(html)[1:] == [["&", "1", "50.0%"], ["<script>x</script>", "1", "50.0%"]]


@given(st.text(max_size=12), st.text(max_size=12))
def test_nothing_breaks_out_of_a_table(head: str, inside: str) -> None:
    table = Table((Column(head), Column("n", right=True)), ((inside, Line(inside, note=head)),))
    found = ET.fromstring(table.html())  # noqa: S314
    assert [len(row) for row in found.iter("tr")] == [2, 2]
    assert found.find("script") is None
    assert all(line.isprintable() for line in table.text().split("\n"))


@given(st.lists(st.tuples(st.text("ab流失 ", max_size=6), st.integers(0, 10**7)), min_size=1))
def test_text_ends_in_one_column(rows: list[tuple[str, int]]) -> None:
    table = Table((Column("layer"), Column("客户数", right=True)), [(a, f"{n:,}") for a, n in rows])
    assert len({columns_of(line) for line in table.lines()}) == 1


def test_a_cell_of_several_lines_takes_several_lines() -> None:
    table = Table((Column("a"), Column("b")), (("x", (Line("1", note="n"), Line("2", mark="R"))),))
    assert table.text() == "a  b\nx  1\n   R 2"
    assert "<div>1<small" in table.html()
    assert "<b>R</b> 2" in table.html()
    assert Table((Column("a"),), ((Line("p", code=True),),), title="T").text() == "T\na\np"


def test_rows_of_another_length_are_refused() -> None:
    with refused(UnequalColumnsError, "table"):
        Table((Column("a"), Column("b")), (("x",),))


# --- reports.table ------------------------------------------------------------------------------


def test_reports_print_any_result() -> None:
    assert reports.table(FOUND.rfm) == FOUND.rfm.to_table().text()
    whole = reports.table(FOUND, language="zh")
    assert whole.split("\n\n")[0] == FOUND.layers.to_table("zh", currency="CNY").text()
    assert "生命周期阶段" in whole
    with refused(UnknownNameError, "language", given="de"):
        reports.table(FOUND, language="de")  # type: ignore[arg-type]


def test_a_page_and_a_text_have_the_table_of_the_result() -> None:
    text = reports.text(FOUND)
    for line in FOUND.layers.to_table(currency="CNY", upkeep=False).lines():
        assert f"  {line}\n" in text


def test_a_word_names_itself() -> None:
    class SpendGrade(Word, zh="消费等级"):
        GOLD = "gold", "金卡"

    class Plain(Word):
        GOLD = "gold", "金卡"

    assert (SpendGrade.heading(), SpendGrade.heading("zh")) == ("spend grade", "消费等级")
    assert (Plain.heading(), Plain.heading("zh")) == ("plain", "结果")
    assert Layer.heading("zh") == "客户层级"


def test_cells_of_nobody() -> None:
    cells = Cells.of(np.array([], str), layer=[])
    assert (len(cells), cells.counts(), list(cells.to_rows())) == (0, {}, [])
    assert repr(cells) == "Cells(0 customers in 0 cells of layer)"


def test_a_movement_of_nobody() -> None:
    moved = Movement.between(NOBODY.layers, NOBODY.layers)
    assert repr(moved) == "Movement(0 customers)"
    assert cells_of(moved.to_table().html()) == [["from line to column", "total"], ["total", "0"]]
