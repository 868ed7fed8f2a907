"""Reports show what the assessment holds: every number, both languages, nothing that breaks out."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from retention import InteractionLog, PurchaseLog, UnknownNameError, assess, charts, reports
from retention.handbook import Assessment, stage_counts
from retention.lifecycle import Stage
from retention.mechanisms import tables
from retention.mechanisms.words import Language
from retention.presets import ecommerce
from retention.segmentation import Action, Goal, Layer

AS_OF, SINCE = date(2024, 6, 30), date(2024, 3, 31)
HOSTILE = '<script>alert("1")</script>&\'\x1b[2J\x00\u202e'
SVG = "{http://www.w3.org/2000/svg}"
LANGUAGES: tuple[Language, Language] = ("en", "zh")
both = pytest.mark.parametrize("language", LANGUAGES)


def shop() -> PurchaseLog:
    """Two hundred customers whose last purchase lies 3 to 399 days back."""
    random = np.random.default_rng(7)
    customers, days, amounts = [], [], []
    for number in range(200):
        for _ in range(1 + number % 4):
            customers.append(f"C-{number:03}")
            days.append(AS_OF - timedelta(days=3 + int(random.integers(0, 397))))
            amounts.append(int(random.integers(0, 50_000)))
    return PurchaseLog.from_columns(
        customer=customers, at=days, amount_minor=amounts, currency="CNY"
    )


LOG = shop()
FOUND = assess(ecommerce, LOG, as_of=AS_OF, since=SINCE)
TIMELINE = stage_counts(ecommerce, LOG, days=[SINCE, date(2024, 4, 30), AS_OF])


def page(language: Language = "en", found: Assessment = FOUND) -> str:
    timeline = TIMELINE if found is FOUND else None
    return reports.html(found, language=language, timeline=timeline)


def pictures(markup: str) -> Iterator[ET.Element]:
    for svg in re.findall("<svg.*?</svg>", markup, re.DOTALL):
        yield ET.fromstring(svg)  # noqa: S314  our own text


def picture(markup: str, title: str) -> ET.Element:
    return next(svg for svg in pictures(markup) if svg.get("aria-label") == title)


def letters(svg: ET.Element) -> list[str]:
    return [each.text or "" for each in svg.iter(f"{SVG}text")]


# --- the page -----------------------------------------------------------------------------------


@both
def test_the_page_is_well_formed(language: Language) -> None:
    markup = page(language).removeprefix("<!DOCTYPE html>\n")
    root = ET.fromstring(markup)  # noqa: S314  every element is closed, every letter escaped
    assert root.get("lang") == {"en": "en", "zh": "zh-Hans"}[language]
    assert root.find("head/meta").get("charset") == "utf-8"  # type: ignore[union-attr]
    targets = {each.get("id") for each in root.iter("section")}
    assert {link.get("href") for link in root.iter("a")} == {f"#{name}" for name in targets}
    assert len(targets) == 9


@both
def test_the_page_needs_nothing_but_itself(language: Language) -> None:
    markup = page(language).replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"<script|<link|<img|src=|url\(|@import|https?:", markup)


def test_the_pictures_are_named_and_take_the_colour_of_the_page() -> None:
    found = list(pictures(page()))
    assert len(found) == 7  # layers, stages, RFM, month ends, two movements, due
    for svg in found:
        title = svg.find(f"{SVG}title")
        assert svg.get("role") == "img"
        assert title is not None
        assert title.text == svg.get("aria-label") != ""
        assert svg.get("fill") == "currentColor"


@both
def test_every_term_is_there_in_both_languages(language: Language) -> None:
    markup = page(language)
    for word in (*Layer, *Stage, *Goal, *Action):
        assert tables.escape(word.label("en")) in markup
        assert tables.escape(word.label("zh")) in markup


@both
def test_bars_show_the_counts_and_the_spend(language: Language) -> None:
    title = {"en": "Maintenance layers", "zh": "客户维护层级"}[language]
    texts = letters(picture(page(language), title))
    counts, spend = FOUND.layers.counts(), FOUND.layers.totals("spend_minor")
    for layer in Layer:
        share = 100 * counts[layer] / 200
        assert f"{counts[layer]:,} · {share:.1f}%" in texts
        amount = f"{spend[layer] / 100:,.2f} · {100 * spend[layer] / sum(spend.values()):.1f}%"
        assert amount in texts


def test_bars_are_as_long_as_their_values() -> None:
    panel = charts.Panel("n", [10, 5, 0], ["10", "5", "0"])
    svg = ET.fromstring(charts.bars([("a", ""), ("b", ""), ("c", "")], [panel], title="t"))  # noqa: S314
    widths = [float(each.get("width", "0")) for each in svg.iter(f"{SVG}rect")]
    assert len(widths) == 2  # nothing is drawn for zero
    assert widths[0] == pytest.approx(2 * widths[1])


def test_the_heat_table_shows_every_cell_and_its_margins() -> None:
    texts = letters(picture(page(), "Recency, frequency, monetary value"))
    counts = FOUND.rfm.counts()
    for number in counts.values():
        assert f"{number:,}" in texts
    lines = {(r, f) for r, f, _ in counts}
    assert {f"R{r} F{f}" for r, f in lines} <= set(texts)
    assert texts[-1] == "200"


def test_a_stronger_shade_holds_more() -> None:
    cells = {(0, 0): charts.Cell("1", 0.1), (0, 1): charts.Cell("9", 0.9), (0, 2): charts.Cell("-")}
    svg = ET.fromstring(charts.heat([("r", "")], [("a", "")] * 3, cells, title="t"))  # noqa: S314
    shades = [float(rect.get("style", "").rpartition(":")[2]) for rect in svg.iter(f"{SVG}rect")]
    assert len(shades) == 2
    assert shades[0] < shades[1] < 0.6


def test_the_timeline_shows_every_day_and_stage() -> None:
    svg = picture(page(), "Stages at month ends")
    hints = {each.text for each in svg.iter(f"{SVG}title")}
    for day, counts in TIMELINE.items():
        for stage, number in counts.items():
            assert (f"{day} {stage.label()}: {number:,}" in hints) == (number > 0)
    assert {"2024-03-31", "2024-04-30", "2024-06-30"} <= set(letters(svg))


def test_columns_are_as_high_as_the_lines_say_and_stand_on_each_other() -> None:
    series = [charts.Series("s", [8, 2]), charts.Series("t", [1, 5])]
    svg = ET.fromstring(charts.stacked(["a", "b"], series, title="t"))  # noqa: S314
    lines = [float(each.get("y1", "0")) for each in svg.iter(f"{SVG}line")]
    steps = [int(text) for text in letters(svg)[2:-2]]
    one = (lines[0] - lines[-1]) / (steps[-1] - steps[0])
    bars = list(svg.iter(f"{SVG}rect"))[2:]  # behind the two of the legend
    heights = [float(each.get("height", "0")) for each in bars]
    bottoms = [
        float(each.get("y", "0")) + each_height
        for each, each_height in zip(bars, heights, strict=True)
    ]
    assert heights == pytest.approx([8 * one, 1 * one, 2 * one, 5 * one], rel=1e-4)
    floor = lines[0]
    assert bottoms == pytest.approx([floor, floor - 8 * one, floor, floor - 2 * one], rel=1e-4)


def test_whoever_stayed_is_not_shaded() -> None:
    svg = picture(page(), "Stages: from 2024-03-31 to 2024-06-30")
    assert FOUND.stages_moved is not None
    moved = [pair for pair in FOUND.stages_moved.counts() if pair[0] != pair[1]]
    assert len(list(svg.iter(f"{SVG}rect"))) == len(moved) < len(FOUND.stages_moved.counts())


def test_movement_shows_who_moved() -> None:
    assert FOUND.stages_moved is not None
    counts = FOUND.stages_moved.counts()
    texts = letters(picture(page(), "Stages: from 2024-03-31 to 2024-06-30"))
    for number in counts.values():
        assert f"{number:,}" in texts
    moved = sum(n for (was, now), n in counts.items() if was != now)
    assert f"{moved} of 200 customers ({moved / 2:.1f}%) changed stage." in page()
    assert "not known" in texts  # those who first bought after the earlier day


def test_what_is_due_adds_up() -> None:
    svg = picture(page(), "Changes per day")
    hints = [each.text or "" for each in svg.iter(f"{SVG}title")][1:]
    shown = sum(int(hint.rpartition(": ")[2].replace(",", "")) for hint in hints)
    assert shown == sum(FOUND.due.within(30, FOUND.stages.as_of).values()) > 0


def test_the_due_picture_of_an_instant_knows_its_own_day() -> None:
    noon = datetime(2024, 6, 30, 4, tzinfo=UTC)
    found = assess(ecommerce, LOG, as_of=noon)
    assert "06-30" in letters(picture(page(found=found), "Changes per day"))


def test_ten_customers_are_explained() -> None:
    markup = page()
    assert markup.count("<article>") == 10
    for customer, layer, _ in FOUND.examples(10):
        assert f"<h3>{customer}</h3>" in markup
        assert f"layer {layer.outcome.label()}, because" in markup


def test_the_page_says_why_in_figures_for_people() -> None:
    log = PurchaseLog.from_columns(
        customer=["a", "a", "b", "c", "d", "e"],
        at=[date(2024, 6, 20), date(2024, 5, 1), *[date(2024, 4, 20)] * 4],
        amount_minor=[123456, 0, 500, 400, 300, 200],
    )
    markup = page(found=assess(ecommerce, log, as_of=AS_OF))
    assert "<li>spend 1,234.56 is ≥ 5.00 (rank share of spend ≤ 50%)</li>" in markup
    assert "not high active: purchases in the last 30 days 1 is not ≥ 2" in markup
    zh = page("zh", assess(ecommerce, log, as_of=AS_OF))
    assert "累计消费 1,234.56 满足 ≥ 5.00" in zh
    assert (
        "days_since"
        not in re.sub("<code>.*?</code>", "", zh).partition("制度未规定而假定的值</h2>")[0]
    )


def test_assumed_values_are_listed() -> None:
    markup = page()
    assert len(ecommerce.assumed()) > 10
    for each in ecommerce.assumed():
        assert f"<code>{each.path}</code>" in markup


@both
def test_nothing_breaks_out_of_the_page(language: Language) -> None:
    log = PurchaseLog.from_columns(customer=[HOSTILE], at=[AS_OF], amount=[1.0], currency="<i>")
    found = assess(ecommerce.with_("title", "<b>T</b>"), log, as_of=AS_OF)
    markup = reports.html(found, language=language)
    assert "<script" not in markup
    assert "&lt;script&gt;" in markup
    assert "<b>T</b>" not in markup
    assert "<i>" not in markup
    assert not {"\x1b", "\x00", "\u202e"} & set(markup)
    ET.fromstring(markup.removeprefix("<!DOCTYPE html>\n"))  # noqa: S314
    assert not {"\x1b", "\x00", "\u202e"} & set(reports.text(found, language=language))


def test_problems_and_facts_left_out_are_named() -> None:
    log = PurchaseLog.from_columns(
        customer=["a", "b", "c"],
        at=np.array(["2024-06-01", "NaT", "2024-07-01"], "datetime64[D]"),
        amount=[1.0, 2.0, 3.0],
    )
    found = assess(ecommerce, log, as_of=AS_OF)
    for shown in (page(found=found), reports.text(found)):
        assert "no time: 1 row (1), first NaT" in shown
        assert "Facts after 2024-06-30 that are not counted: 1." in shown


@both
def test_nobody_at_all_is_a_page_too(language: Language) -> None:
    log = PurchaseLog.from_columns(customer=["a"], at=[AS_OF], amount=[1.0])
    found = assess(ecommerce, log, as_of=date(2020, 1, 1), since=date(2019, 1, 1))
    ET.fromstring(page(language, found).removeprefix("<!DOCTYPE html>\n"))  # noqa: S314
    assert "–" in reports.text(found, language=language)  # a share of nobody has no value
    assert reports.data(found)["layers"]["new"]["customers_share"] is None


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="en, zh"):
        reports.html(FOUND, language="de")  # type: ignore[arg-type]


# --- plain data ---------------------------------------------------------------------------------


def test_data_is_plain_and_agrees_with_the_assessment() -> None:
    found = reports.data(FOUND, timeline=TIMELINE)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["as_of"], found["customers"], found["purchases"]) == ("2024-06-30", 200, len(LOG))
    assert found["fingerprint"] == ecommerce.fingerprint()
    counts, spend = FOUND.layers.counts(), FOUND.layers.totals("spend_minor")
    assert {key: row["customers"] for key, row in found["layers"].items()} == counts
    assert {key: row["spend_minor"] for key, row in found["layers"].items()} == spend
    assert {key: row["customers"] for key, row in found["stages"].items()} == FOUND.stages.counts()
    assert set(found["layers"]) == set(Layer)
    assert set(found["stages"]) == set(Stage)
    for axis in ("layers", "stages"):
        for rows in (found["movement"][axis], found[axis].values()):
            assert sum(row["customers"] for row in rows) == 200
    assert sum(cell["customers"] for cell in found["rfm"]["cells"]) == 200
    assert [row["day"] for row in found["timeline"]] == [str(day) for day in TIMELINE]


def test_data_explains_ten_customers_in_two_languages() -> None:
    explained = reports.data(FOUND)["explained"]
    assert len(explained) == len({row["customer"] for row in explained}) == 10
    for row in explained:
        assert row["layer"] == str(FOUND.layers.decision(row["customer"]).outcome)
        for axis in ("layer", "stage"):
            assert row["reasons"][axis]["en"].startswith(row[axis].replace("_", " ") + ": ")
            assert row["reasons"][axis]["zh"].startswith(
                {"layer": Layer, "stage": Stage}[axis](row[axis]).zh
            )
        if row["due"] is not None:
            assert row["due"]["on"] > "2024-06-30"
            assert row["due"]["from"] == row["stage"] != row["due"]["to"]


def test_data_without_an_earlier_day_has_no_movement() -> None:
    assert reports.data(assess(ecommerce, LOG, as_of=AS_OF))["movement"] is None


# --- text ---------------------------------------------------------------------------------------


@both
def test_tables_of_the_text_are_aligned(language: Language) -> None:
    shown = reports.text(FOUND, language=language, timeline=TIMELINE)
    blocks = [block.splitlines() for block in shown.split("\n\n")]
    for block in blocks[1:4]:  # layers, stages, RFM: numbers end in one column
        # in this encoding Chinese letters take two bytes, as they take two columns
        assert len({len(line.encode("gb18030")) for line in block[1:]}) == 1
    assert len(blocks[1]) == 2 + len(Layer)
    assert len(blocks[2]) == 2 + len(Stage)


def test_the_text_has_the_numbers() -> None:
    shown = reports.text(FOUND)
    for layer, number in FOUND.layers.counts().items():
        line = next(x for x in shown.splitlines() if x.startswith(f"  {layer.label()} "))
        assert line.split()[len(layer.label().split()) + 1] == f"{number:,}"


# --- stages on several days ---------------------------------------------------------------------


def test_stage_counts_ask_for_every_day_and_for_interactions() -> None:
    purchases = PurchaseLog.from_columns(customer=["a"], at=[date(2024, 1, 1)], amount=[1.0])
    seen = InteractionLog.from_columns(customer=["b"], at=[date(2024, 2, 1)], kind=["browse"])
    days = [date(2024, 1, 31), date(2024, 2, 29), date(2024, 6, 30)]
    counts = stage_counts(ecommerce, purchases, seen, days=days, customers=["c"])
    assert [
        {str(stage): number for stage, number in counts[day].items() if number} for day in days
    ] == [
        {"registered": 1, "new": 1},
        {"registered": 1, "potential": 1, "active": 1},
        {"registered": 1, "potential": 1, "lost": 1},
    ]
