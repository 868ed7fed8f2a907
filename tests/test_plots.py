"""Plots draw what the result counts, on the axes they are given, and change nothing else."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import font_manager
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from retention import PurchaseLog, RetentionWarning, assess, plots
from retention.charts import PALETTE
from retention.handbook import Assessment, stage_counts
from retention.lifecycle import Stage
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.errors import MissingExtraError, UnknownNameError
from retention.mechanisms.outcomes import Outcomes
from retention.mechanisms.periods import AsOf, zone_of
from retention.mechanisms.rules import parse
from retention.plots import _flow, _pen
from retention.presets import ecommerce
from retention.segmentation import Layer
from tests.refusals import refused

AS_OF, SINCE = date(2024, 6, 30), date(2024, 3, 31)


@pytest.fixture(autouse=True)
def _own_figures() -> Iterator[None]:
    """Draw without a screen, and close what was opened."""
    mpl.use("agg")
    yield
    plt.close("all")


def shop() -> PurchaseLog:
    random = np.random.default_rng(11)
    days = [AS_OF - timedelta(days=int(n)) for n in random.integers(2, 400, 500)]
    customers = [f"C-{n:03}" for n in (*range(200), *random.integers(0, 200, 300))]
    amounts = random.integers(100, 50_000, 500)
    return PurchaseLog.from_columns(customer=customers, at=days, amount_minor=amounts)


LOG = shop()
FOUND = assess(ecommerce, LOG, as_of=AS_OF, since=SINCE)
ONE = assess(
    ecommerce,
    PurchaseLog.from_columns(customer=["a"], at=[date(2024, 6, 1)], amount=[12.5]),
    as_of=AS_OF,
    since=SINCE,
)
NOBODY = assess(ecommerce, PurchaseLog.of([]), as_of=AS_OF, since=SINCE)
DAYS = stage_counts(ecommerce, LOG, days=[SINCE, date(2024, 4, 30), date(2024, 5, 31), AS_OF])


def drawn(name: str, found: Assessment = FOUND, ax: Axes | None = None, **given: Any) -> Any:  # noqa: ANN401
    layers, stages = found.layers_moved, found.stages_moved
    assert layers is not None
    assert stages is not None
    match name:
        case "segments":
            return plots.segments(found.layers, ax, **given)
        case "rfm":
            return plots.rfm(found.rfm, ax, **given)
        case "migration":
            return plots.migration(layers, ax, **given)
        case "flow":
            return plots.stage_flow(stages, ax, **given)
    counts = DAYS if found is FOUND else {AS_OF: found.stages.counts()}
    return plots.stage_flow(counts, ax, **given)


PLOTS = ("segments", "rfm", "migration", "flow", "stages over time")
every_plot = pytest.mark.parametrize("name", PLOTS)


def letters(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.findobj(Text) if text.get_text()]


def written(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def heat(ax: Axes) -> Any:  # noqa: ANN401
    (image,) = ax.images
    return image.get_array()


@pytest.fixture
def any_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every letter as written, so that these tests need no Chinese font."""
    monkeypatch.setattr(_pen, "_families", lambda letters: ())


# --- what is drawn ------------------------------------------------------------------------------


def test_bars_are_as_long_as_the_counts() -> None:
    ax, counts = drawn("segments"), FOUND.layers.counts()
    assert [bar.get_width() for bar in ax.patches] == list(counts.values())
    assert [label.get_text() for label in ax.get_yticklabels()] == [x.label() for x in counts]
    assert written(ax) == [f"{n:,} · {100 * n / 200:.1f}%" for n in counts.values()]
    assert len(FOUND.layers) == 200
    assert (ax.get_title(), ax.get_xlabel()) == ("Customers by layer, 2024-06-30", "customers")
    assert ax.yaxis_inverted()  # the first of the table stands on top


def test_bars_of_an_amount_are_whole_units() -> None:
    ax: Any = plots.segments(FOUND.layers, measure="spend_minor", currency="CNY")
    totals = FOUND.layers.totals("spend_minor")
    assert [bar.get_width() for bar in ax.patches] == [n / 100 for n in totals.values()]
    assert written(ax)[-1].startswith(f"{totals[Layer.GENERAL_ACTIVE] / 100:,.2f} · ")
    assert (ax.get_title(), ax.get_xlabel()) == ("Spend (CNY) by layer, 2024-06-30", "spend (CNY)")
    with refused(UnknownNameError, "Outcomes.column", given="spent"):
        plots.segments(FOUND.layers, measure="spent")


def test_what_stands_beside_a_bar_has_room() -> None:
    _, ax = plt.subplots(figsize=(4, 3))
    drawn("segments", ax=ax).figure.draw_without_rendering()
    edge = ax.get_window_extent().x1
    assert all(text.get_window_extent().x1 <= edge for text in ax.texts)


def test_the_heat_table_holds_every_cell() -> None:
    ax, counts = drawn("rfm"), FOUND.rfm.counts()
    lines, bands = FOUND.rfm.axes()
    values = [[counts.get((r, f, m), 0) for m in bands] for r, f in lines]
    assert heat(ax).data.tolist() == values
    assert heat(ax).sum() == 200
    assert written(ax) == [f"{n:,}" if n else "·" for row in values for n in row]
    assert [x.get_text() for x in ax.get_yticklabels()] == [f"R{r} F{f}" for r, f in lines]
    assert [x.get_text() for x in ax.get_xticklabels()] == [f"M{m}" for m in bands]
    assert (ax.get_ylabel(), ax.get_xlabel()) == (
        "recency / frequency", "monetary value: band 1 is the best",
    )  # fmt: skip


def test_migration_holds_every_pair_and_shades_who_moved() -> None:
    ax, moved = drawn("migration"), FOUND.layers_moved
    assert moved is not None
    counts, (lines, columns) = moved.counts(), moved.axes()
    values = [[counts.get((was, now), 0) for now in columns] for was in lines]
    assert heat(ax).data.tolist() == values
    changed = sum(n for (was, now), n in counts.items() if was != now)
    assert heat(ax).sum() == changed  # whoever stayed is masked
    assert f"{changed} of 200 customers changed layer" in ax.get_title().replace("\n", " ")
    assert written(ax) == [
        f"{n:,}\n{100 * n / sum(row):.1f}%" if n else "·" for row in values for n in row
    ]
    names = [f"{x.label()}\n{sum(row)}" for x, row in zip(lines, values, strict=True) if x]
    assert [x.get_text() for x in ax.get_yticklabels()][: len(names)] == names
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("before, 2024-03-31", "after, 2024-06-30")


def test_columns_over_time_stand_on_each_other() -> None:
    ax = drawn("stages over time")
    there = [stage for stage in Stage if any(counts[stage] for counts in DAYS.values())]
    bars = [list(container) for container in ax.containers]
    assert [[bar.get_height() for bar in each] for each in bars] == [
        [counts[stage] for counts in DAYS.values()] for stage in there
    ]
    for below, above in pairwise(bars):
        assert [x.get_y() + x.get_height() for x in below] == [x.get_y() for x in above]
    legend = ax.get_legend()
    assert legend is not None
    last = [f"{stage.label()} {DAYS[AS_OF][stage]:,}" for stage in there]
    assert [text.get_text() for text in legend.get_texts()] == last[::-1]
    assert [x.get_text() for x in ax.get_xticklabels()][-1] == "2024-06-30"
    assert (ax.get_title(), ax.get_ylabel()) == ("Customers by stage", "customers")


def test_a_flow_is_as_wide_as_its_customers() -> None:
    ax, moved = drawn("flow"), FOUND.stages_moved
    assert moved is not None
    counts, (before, after) = moved.counts(), moved.axes()
    sums = [sum(n for (was, _), n in counts.items() if was == x) for x in before]
    sums += [sum(n for (_, now), n in counts.items() if now == x) for x in after]
    assert [bar.get_height() for bar in ax.patches] == sums
    names = [x.label() if x else "not known" for x in (*before, *after)]
    assert written(ax) == [f"{name} {n:,}" for name, n in zip(names, sums, strict=True)]
    ends = []
    for ribbon in ax.collections:
        corners = ribbon.get_paths()[0].vertices
        left, right = (corners[corners[:, 0] == side][:, 1] for side in (0, 1))
        assert np.ptp(left) == pytest.approx(np.ptp(right))
        ends.append(round(float(np.ptp(left))))
    order = [counts[was, now] for was in before for now in after if (was, now) in counts]
    assert ends == order
    assert ax.get_title() == "Customers by stage, 2024-03-31 to 2024-06-30"


def test_an_outcome_keeps_its_colour() -> None:
    bars = {c.get_label().rsplit(" ", 1)[0]: c[0] for c in drawn("stages over time").containers}
    ax, moved = drawn("flow"), FOUND.stages_moved
    assert moved is not None
    after = list(zip(moved.axes()[1], ax.patches[len(moved.axes()[0]) :], strict=True))
    for stage, bar in after:
        assert stage is not None
        wanted = to_rgb(PALETTE[list(Stage).index(stage)])
        assert to_rgb(bar.get_facecolor()[:3]) == wanted
        assert to_rgb(bars[stage.label()].get_facecolor()[:3]) == wanted


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.floats(0.1, 30))
def test_captions_do_not_overlap_and_stay_inside(places: list[float], least: float) -> None:
    moved = _flow._apart(sorted(places), least, 100.0)
    apart = min(least, 100 / len(places))
    assert all(b - a >= apart - 1e-9 for a, b in pairwise(moved))
    assert moved[0] - apart / 2 >= -1e-6
    assert moved[-1] + apart / 2 <= 100 + 1e-6


# --- the axes -----------------------------------------------------------------------------------


@every_plot
def test_axes_in_axes_out(name: str) -> None:
    _, ax = plt.subplots()
    before = plt.get_fignums()
    assert drawn(name, ax=ax) is ax
    assert plt.get_fignums() == before


@every_plot
def test_without_axes_one_figure_is_made(name: str) -> None:
    ax = drawn(name)
    assert isinstance(ax, Axes)
    assert len(plt.get_fignums()) == 1


@every_plot
def test_nothing_global_changes(name: str, any_font: None) -> None:
    before, styles = dict(mpl.rcParams), list(mpl.colormaps)
    for language in ("en", "zh"):
        drawn(name, language=language)
    assert dict(mpl.rcParams) == before
    assert list(mpl.colormaps) == styles


@every_plot
def test_what_stood_on_the_axes_stays(name: str) -> None:
    _, ax = plt.subplots()
    mine = ax.text(0, 0, "mine", fontfamily="monospace")
    drawn(name, ax=ax)
    assert mine in ax.texts
    assert mine.get_fontfamily() == ["monospace"]


@every_plot
@pytest.mark.parametrize("found", [ONE, NOBODY], ids=["one customer", "nobody"])
def test_one_customer_and_nobody_are_drawn_too(name: str, found: Assessment) -> None:
    ax = drawn(name, found)
    ax.figure.draw_without_rendering()
    assert ax.get_title()
    if found is NOBODY and name != "segments":
        assert written(ax) == ["no customers"]
    elif found is NOBODY:
        assert written(ax) == ["0 · –"] * len(Layer)


def test_one_segment_alone() -> None:
    table = FirstMatch((Case("in", parse("days <= 30")),), otherwise="out")
    view = AsOf.at(AS_OF, zone_of("UTC"))
    days = {"days": np.array([3]), "gain_minor": np.array([-250])}
    found = Outcomes.of(table, np.array(["a"]), days, view)
    assert written(plots.segments(found)) == ["1 · 100.0%", "0 · 0.0%"]
    ax: Any = plots.segments(found, measure="gain_minor")
    assert [bar.get_width() for bar in ax.patches] == [-2.5, 0]
    assert ax.get_xlim()[0] < -2.5
    assert ax.get_title().startswith("Gain by outcome")


def test_no_day_at_all() -> None:
    assert written(plots.stage_flow({})) == ["no customers"]


def test_many_days_do_not_run_into_each_other() -> None:
    days = [AS_OF - timedelta(days=n) for n in range(90, -1, -1)]
    ax: Any = plots.stage_flow({day: {Stage.LOST: 3} for day in days})
    ax.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert len(boxes) > 2
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))
    assert ax.get_xticklabels()[-1].get_text() == "2024-06-30"


def test_letters_shrink_with_the_axes() -> None:
    _, ax = plt.subplots(figsize=(2.5, 2))
    size = drawn("migration", ax=ax).texts[0].get_fontsize()
    assert size < 8
    assert all(label.get_rotation() == 35 for label in ax.get_xticklabels())


# --- languages ----------------------------------------------------------------------------------


@every_plot
def test_chinese_labels(name: str, any_font: None) -> None:
    ax = drawn(name, language="zh")
    said = "".join(letters(ax)).replace("\n", "")
    assert "客户" in said
    assert not {word for word in ("customers", "recency", "before", "stage") if word in said}


@pytest.mark.usefixtures("any_font")
def test_the_terms_are_those_of_the_handbook() -> None:
    ax = drawn("segments", language="zh")
    assert [x.get_text() for x in ax.get_yticklabels()] == [x.zh for x in FOUND.layers.counts()]
    assert ax.get_title() == "2024-06-30 各客户层级的客户数"
    assert ax.get_xlabel() == "客户数"


@every_plot
def test_without_a_chinese_font_one_warning_and_english(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pen, "CHINESE_FONTS", ())
    with pytest.warns(RetentionWarning, match="fonts-wqy-microhei") as caught:
        ax = drawn(name, language="zh")
    assert len(caught) == 1
    ax.figure.draw_without_rendering()  # and no warning about missing glyphs
    english = drawn(name)
    english.figure.draw_without_rendering()
    assert letters(ax) == letters(english)


def test_the_warning_points_at_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pen, "CHINESE_FONTS", ())
    moved = FOUND.stages_moved
    assert moved is not None
    calls: tuple[Callable[[], Axes], ...] = (
        lambda: plots.rfm(FOUND.rfm, language="zh"),
        lambda: plots.stage_flow(moved, language="zh"),
        lambda: plots.stage_flow(DAYS, language="zh"),
    )
    for call in calls:
        with pytest.warns(RetentionWarning) as caught:
            call()
        assert [Path(each.filename).name for each in caught] == ["test_plots.py"]


def test_an_installed_font_is_found_and_latin_stays_first() -> None:
    installed = {font.name for font in font_manager.fontManager.ttflist}
    wanted = [family for family in plots.CHINESE_FONTS if family in installed]
    if not wanted:
        pytest.skip("no Chinese font is installed")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = drawn("segments", language="zh")
        ax.figure.draw_without_rendering()
    assert ax.title.get_fontfamily() == [*mpl.rcParams["font.family"], wanted[0]]


def test_english_needs_no_other_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pen, "CHINESE_FONTS", ())
    ax = drawn("segments")
    assert ax.title.get_fontfamily() == mpl.rcParams["font.family"]


def test_names_in_chinese_ask_for_a_font_in_english_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pen, "CHINESE_FONTS", ())
    with pytest.warns(RetentionWarning, match="大"):
        plots.stage_flow({AS_OF: {"大": 1}})


def test_an_unknown_language_is_refused() -> None:
    with refused(UnknownNameError, "language", given="de"):
        drawn("rfm", language="de")


# --- colours ------------------------------------------------------------------------------------

# How colours look without one of the three sorts of cones: Machado, Oliveira and Fernandes (2009),
# "A Physiologically-based Model for Simulation of Color Vision Deficiency", severity 1.0.
EYES = {
    "all three": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                 [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def lab(colour: str, eyes: Any) -> Any:  # noqa: ANN401
    """CIE 1976 L*a*b* of a colour as such eyes see it; a distance of 2 is just seen."""
    part = np.array(to_rgb(colour))
    light = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(eyes) @ light, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.maximum(np.array(to_xyz) @ seen / [0.9505, 1, 1.089], 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eyes", EYES.values(), ids=EYES)
def test_colours_stay_apart_for_colour_blind_eyes(eyes: Any) -> None:  # noqa: ANN401
    seen = [lab(colour, eyes) for colour in PALETTE]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 18


# --- the extra ----------------------------------------------------------------------------------


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [x for x in sys.modules if x.startswith("retention.plots")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError) as caught:
        importlib.import_module("retention.plots")
    assert str(caught.value) == (
        "retention.plots needs matplotlib; install it with: pip install 'retention[plots]'"
    )
