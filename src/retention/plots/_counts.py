"""Bars and heat tables: customers per outcome, per RFM cell, and from outcome to outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from retention.charts import PALETTE
from retention.mechanisms.outcomes import heading
from retention.mechanisms.tables import Head, amount_text, count_text, share_text
from retention.plots._pen import (
    LEAST,
    LINE,
    SHRINKS,
    Pen,
    bare,
    pen_for,
    side_name,
    size_now,
    width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from retention.mechanisms.outcomes import Movement, Outcomes
    from retention.mechanisms.words import Language
    from retention.segmentation import RfmCells

_HEAT = LinearSegmentedColormap.from_list("heat", ["#e8eefc", PALETTE[2]]).with_extremes(bad="none")
_BRIGHT = 0.45  # luminance above which letters on a colour are dark


def segments(
    outcomes: Outcomes[Any],
    ax: Axes | None = None,
    *,
    measure: str = "",
    language: Language = "en",
    currency: str = "",
) -> Axes:
    """Draw customers per outcome as bars, with their shares; or the totals of a measure.

    The totals of a measure whose name holds ``_minor`` are shown in whole units of
    ``currency``. Raises :class:`~retention.mechanisms.errors.UnknownNameError` for a measure
    that the result does not have.

    >>> from datetime import date
    >>> from retention import PurchaseLog
    >>> from retention.presets import ecommerce
    >>> log = PurchaseLog.from_columns(customer=["a"], at=[date(2024, 6, 1)], amount=[12.5])
    >>> ax = segments(ecommerce.lifecycle.stages(log, as_of=date(2024, 6, 30)))
    >>> ax.get_title(), [text.get_text() for text in ax.get_yticklabels()][:2]
    ('Customers by stage, 2024-06-30', ['registered', 'potential'])
    """
    values: Mapping[Any, float] = outcomes.totals(measure) if measure else outcomes.counts()
    minor = "_minor" in measure
    pen = pen_for(ax, language, values, (6.8, 1.3 + 0.4 * len(values)))
    what = _what(pen, measure, currency)
    axis = heading(values, pen.language)
    pen.title(pen.say("by", what=_capital(what), axis=axis, day=outcomes.as_of.day))
    shown = [value / 100 if minor else value for value in values.values()]
    whole = sum(values.values())
    texts = [
        f"{amount_text(value) if minor else count_text(value)} · {share_text(value, whole)}"  # type: ignore[arg-type]
        for value in values.values()
    ]
    bars = pen.ax.barh(range(len(values)), shown, color=PALETTE[2], height=0.68)
    pen.ax.bar_label(bars, texts, padding=4)
    pen.ax.set_yticks(range(len(values)), labels=[pen.name(each) for each in values])
    pen.ax.invert_yaxis()
    _widen(pen, shown, texts)
    pen.ax.set_xlabel(what)
    steps = int(pen.points[0] / (width([count_text(int(max(shown)))]) + 14))
    pen.ax.xaxis.set_major_locator(MaxNLocator(min(max(steps, 1), 5), integer=not minor))
    pen.ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    bare(pen.ax)
    return pen.done()


def rfm(cells: RfmCells, ax: Axes | None = None, *, language: Language = "en") -> Axes:
    """Draw customers per RFM cell: lines are recency and frequency, columns are monetary value.

    A stronger shade holds more; the shade follows the root, so that small cells stay visible.
    """
    counts, (lines, bands) = cells.counts(), cells.axes()
    pen = pen_for(ax, language, (), (2.4 + 1.1 * len(bands), 1.7 + 0.34 * len(lines)))
    pen.title(pen.say("rfm", day=cells.recency.as_of.day))
    if not lines:
        return pen.nobody()
    table = np.array([[counts.get((r, f, m), 0) for m in bands] for r, f in lines])
    _heat(
        pen, table, table == 0, [[count_text(n) if n else "·" for n in x] for x in table.tolist()]
    )
    pen.ax.set_yticks(range(len(lines)), labels=[f"R{r} F{f}" for r, f in lines])
    pen.ax.set_xticks(range(len(bands)), labels=[f"M{m}" for m in bands])
    pen.ax.set_ylabel(f"{pen.head(Head.RECENCY)} / {pen.head(Head.FREQUENCY)}")
    pen.ax.set_xlabel(pen.say("bands", what=pen.head(Head.MONETARY_VALUE)))
    return pen.done()


def migration(
    movement: Movement[Any], ax: Axes | None = None, *, language: Language = "en"
) -> Axes:
    """Draw who moved from which outcome, in lines, to which, in columns.

    Every cell says the customers and their share of the line. Whoever stayed is not shaded.
    """
    counts, (lines, columns) = movement.counts(), movement.axes()
    figure = (2.6 + 1.25 * len(columns), 1.9 + 0.56 * len(lines))
    pen = pen_for(ax, language, (*lines, *columns), figure)
    moved = sum(n for (was, now), n in counts.items() if was != now)
    named = {"moved": count_text(moved), "all": count_text(len(movement))}
    pen.title(pen.say("moved", axis=heading(movement.after.table.outcomes, pen.language), **named))
    if not counts:
        return pen.nobody()
    table = np.array([[counts.get((was, now), 0) for now in columns] for was in lines])
    stayed = np.array([[was == now for now in columns] for was in lines])
    texts = [
        [f"{count_text(n)}\n{share_text(n, sum(row))}" if n else "·" for n in row]
        for row in table.tolist()
    ]
    size = _heat(pen, table, stayed | (table == 0), texts)
    labels = [
        [f"{pen.name(x)}\n{count_text(n)}" for x, n in zip(names, sums.tolist(), strict=True)]
        for names, sums in ((lines, table.sum(axis=1)), (columns, table.sum(axis=0)))
    ]
    pen.ax.set_yticks(range(len(lines)), labels=labels[0], fontsize=size)
    _name_columns(pen, labels[1], size)
    pen.ax.set_ylabel(side_name(pen, Head.BEFORE, movement))
    pen.ax.set_xlabel(side_name(pen, Head.AFTER, movement))
    return pen.done()


def _what(pen: Pen, measure: str, currency: str) -> str:
    """Name of what the bars show, with its unit."""
    if not measure:
        return pen.head(Head.CUSTOMERS)
    name = pen.head(Head.SPEND) if measure == "spend_minor" else measure.replace("_minor", "")
    return f"{name} ({currency})" if currency else name


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _widen(pen: Pen, values: Sequence[float], texts: Sequence[str]) -> None:
    """Make room beside the bars for what stands there."""
    room = min(width(texts) + 10, 0.6 * pen.points[0]) / pen.points[0]
    low, high = min(*values, 0), max(*values, 0)
    high = high if high or low else 1
    low, high = low / (1 - room), high / (1 - room)
    pen.ax.set_xlim(low, high)


def _heat(pen: Pen, table: Any, plain: Any, texts: Sequence[Sequence[str]]) -> float:  # noqa: ANN401
    """Shade a table of counts, but not its plain cells, and write a text into every cell.

    Returns the size of the letters that fit.
    """
    shaded = np.ma.array(table, mask=plain)
    most, size = shaded.max(), _fitting(pen, texts)
    scale = PowerNorm(0.5, vmin=0, vmax=1 if most is np.ma.masked else most)
    image = pen.ax.imshow(shaded, cmap=_HEAT, norm=scale, aspect="auto")
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            on: dict[str, Any] = {"fontsize": size}
            if not plain[row, column]:
                on["color"] = _letters_on(image.to_rgba(shaded[row, column])[:3])
            pen.ax.text(column, row, text, ha="center", va="center", **on)
    pen.ax.tick_params(length=0)
    pen.ax.spines[:].set_visible(False)
    return size


def _fitting(pen: Pen, texts: Sequence[Sequence[str]]) -> float:
    """Size of letters with which all texts fit into their cells."""
    wide = SHRINKS * pen.points[0] / len(texts[0])
    high = SHRINKS * pen.points[1] / len(texts)
    lines = [text.split("\n") for row in texts for text in row]
    across = wide / (width(line for text in lines for line in text) + 4)
    down = high / (LINE * size_now() * max(map(len, lines)))
    return max(size_now() * min(across, down, 1), LEAST)


def _letters_on(colour: Any) -> str:  # noqa: ANN401
    red, green, blue = colour
    bright = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 > _BRIGHT / 2
    return "black" if bright else "white"


def _name_columns(pen: Pen, labels: Sequence[str], size: float) -> None:
    """Write the names of columns; turned, if they would run into each other."""
    room = SHRINKS * pen.points[0] / len(labels)
    look: dict[str, Any] = {"fontsize": size}
    if width(line for label in labels for line in label.split("\n")) + 4 > room:
        labels = [label.replace("\n", " ") for label in labels]
        look |= {"rotation": 35, "ha": "right", "rotation_mode": "anchor"}
    pen.ax.set_xticks(range(len(labels)), labels=labels, **look)
