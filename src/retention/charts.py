"""Pictures of counts as SVG: bars, heat tables and stacked columns.

Data in, text out. Letters and lines take the colour of the page and colours are CSS variables
with a default, so a picture fits light and dark. Letters stay letters: they can be searched,
copied and read aloud, and no font is needed. What the counts mean is said in ``reports``.
Take these for a page that stands by itself, and ``plots`` for matplotlib figures of your own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from attrs import field, frozen

from retention.mechanisms.tables import columns_of, escape

PALETTE = ("#b9bfb4", "#a25cac", "#2c52da", "#1e8176", "#f0b52a", "#c65c24", "#4daef5", "#695231")
"""Colours of series, apart also for colour-blind eyes; ``plots`` takes them too.

A page may set others as ``--chart-1``, ``--chart-2`` and so on.
"""

_EM = 0.62  # width of a Latin letter or digit, in a wide font
_SIZE, _SMALL = 13, 11


Name = tuple[str, str]
"""What a row or column is called, and the smaller line below it; the second may be empty."""


@frozen
class Panel:
    """One column of bars: what it shows, a value for every row, and the text beside each."""

    heading: str
    values: Sequence[float]
    texts: Sequence[str]


@frozen
class Cell:
    """One cell of a heat table; ``weight`` from 0 to 1 is the shade, None leaves it plain."""

    text: str
    weight: float | None = None
    note: str = ""  # the smaller line below


@frozen
class Series:
    """Values over time under one name; ``colour`` is a number into :data:`PALETTE`."""

    name: str
    values: Sequence[int]
    colour: int = field(default=0, kw_only=True)
    note: str = field(default="", kw_only=True)  # stands beside the name in the legend


def bars(names: Sequence[Name], panels: Sequence[Panel], *, title: str) -> str:
    """Return horizontal bars: one row per name, one panel beside the other.

    >>> import re
    >>> svg = bars([("lost", "流失客户")], [Panel("customers", [3], ["3"])], title="Layers")
    >>> re.findall("<text.*?>(.*?)<", svg)
    ['customers', '3', 'lost', '流失客户']
    """
    left, row, top, width = _room(names), 40, 30, 440
    parts = []
    for number, panel in enumerate(panels):
        at = left + number * (width + 24)
        parts.append(_text(at, 14, panel.heading, bold=True))
        parts += _bars(panel, number, at, width, top, row)
    for number, name in enumerate(names):
        parts += _name(0, top + row * number + 13, name)
    return _svg(left + len(panels) * (width + 24) - 24, top + row * len(names), title, parts)


def _bars(
    panel: Panel, number: int, left: float, width: float, top: float, row: float
) -> Iterator[str]:
    most = max((*panel.values, 0)) or 1
    longest = width - max((_width(text) for text in panel.texts), default=0) - 8
    for at, (value, text) in enumerate(zip(panel.values, panel.texts, strict=True)):
        y, size = top + row * at, longest * max(value, 0) / most
        if size:
            yield _rect(left, y, size, 24, _fill((2, 1)[number % 2]))
        yield _text(left + size + 6, y + 17, text)


def heat(
    rows: Sequence[Name],
    columns: Sequence[Name],
    cells: Mapping[tuple[int, int], Cell],
    *,
    title: str,
    corner: Name = ("", ""),
) -> str:
    """Return a table of shaded cells, keyed by the numbers of row and column.

    >>> import re
    >>> svg = heat([("R1", "")], [("M1", "")], {(0, 0): Cell("292", 1.0)}, title="RFM")
    >>> re.findall("<text.*?>(.*?)<", svg)
    ['M1', 'R1', '292']
    """
    left, top, height = _room((*rows, corner)), 40 if any(b for _, b in columns) else 24, 42
    wide = max([88, _room(columns), *(_width(cell.text) + 16 for cell in cells.values())])
    parts = list(_name(0, 14, corner, faint=True))
    for number, name in enumerate(columns):
        parts += _name(left + wide * (number + 0.5), 14, name, middle=True)
    for number, name in enumerate(rows):
        parts += _name(0, top + height * number + (17 if name[1] else 25), name)
    for (row, column), cell in cells.items():
        parts += _cell(cell, left + wide * column, top + height * row, wide, height)
    return _svg(left + wide * len(columns), top + height * len(rows), title, parts)


def _cell(cell: Cell, x: float, y: float, wide: float, height: float) -> Iterator[str]:
    if cell.weight is not None:
        shade = 0.08 + 0.5 * min(max(cell.weight, 0), 1)  # letters stay readable on the darkest
        yield _rect(x + 1, y + 1, wide - 2, height - 2, f"{_fill(2)};fill-opacity:{shade:.3f}")
    yield _text(x + wide / 2, y + (18 if cell.note else 25), cell.text, middle=True)
    if cell.note:
        yield _text(x + wide / 2, y + 33, cell.note, middle=True, small=True)


def stacked(labels: Sequence[str], series: Sequence[Series], *, title: str) -> str:
    """Return stacked columns, one per label, with a legend above.

    >>> import re
    >>> svg = stacked(["May", "June"], [Series("lost", [1, 3])], title="Stages")
    >>> re.findall("<text.*?>(.*?)<", svg)
    ['lost', '0', '1', '2', '3', 'May', 'June']
    """
    width, left, height, margin = 1000, 64, 240, 24
    legend, top = _legend(series, width)
    totals = [sum(values) for values in zip(*(each.values for each in series), strict=True)]
    steps = _steps(max((*totals, 1)))
    unit = height / steps[-1]
    parts = [*legend, *_grid(steps, unit, left, width - margin, top + height)]
    step = (width - left - margin) / max(len(labels), 1)
    for number, label in enumerate(labels):
        x = left + step * number
        parts += _column(label, series, number, x + step * 0.1, step * 0.8, top + height, unit)
    parts += _days(labels, left, step, top + height + 18)
    return _svg(width, top + height + 26, title, parts)


def _column(
    label: str,
    series: Sequence[Series],
    number: int,
    x: float,
    wide: float,
    floor: float,
    unit: float,
) -> Iterator[str]:
    for each, top in zip(series, accumulate(s.values[number] for s in series), strict=True):
        value = each.values[number]
        if value:
            hint = f"{label} {each.name}: {value:,}"
            yield _rect(x, floor - top * unit, wide, value * unit, _fill(each.colour), hint)


def _grid(
    steps: Sequence[int], unit: float, left: float, width: float, floor: float
) -> Iterator[str]:
    for value in steps:
        y = floor - value * unit
        yield (
            f'<line x1="{left}" y1="{y:g}" x2="{width}" y2="{y:g}" stroke="currentColor" '
            'stroke-opacity="0.18"/>'
        )
        yield _text(left - 8, y + 4, f"{value:,}", end=True, small=True)


def _days(labels: Sequence[str], left: float, step: float, y: float) -> Iterator[str]:
    """Labels below the columns, only as many as find room; the last is always there."""
    room = max((_width(label, _SMALL) for label in labels), default=0) + 10
    every, last = max(math.ceil(room / step), 1), len(labels) - 1
    for number, label in enumerate(labels):
        if (last - number) % every == 0:
            yield _text(left + step * (number + 0.5), y, label, middle=True, small=True)


def _legend(series: Sequence[Series], width: float) -> tuple[list[str], float]:
    """Squares with names and notes, and how much room they take."""
    parts, x, y = [], 0.0, 4.0
    for each in series:
        text = f"{each.name} {each.note}".rstrip()
        room = 20 + _width(text) + 18
        if x and x + room > width:
            x, y = 0.0, y + 22
        parts += [_rect(x, y, 12, 12, _fill(each.colour)), _text(x + 18, y + 11, text)]
        x += room
    return parts, y + 32


def _steps(most: int) -> list[int]:
    """Round values for the lines of a picture, from 0 to at least the largest value."""
    rough = most / 5
    power = 10 ** math.floor(math.log10(rough)) if rough >= 1 else 1
    step = int(
        next(n * power for n in (1, 2, 2.5, 5, 10) if n * power >= rough and n * power % 1 == 0)
    )
    return [step * n for n in range(math.ceil(most / step) + 1)]


def _name(
    x: float, y: float, name: Name, *, middle: bool = False, faint: bool = False
) -> Iterator[str]:
    if name[0]:
        yield _text(x, y, name[0], middle=middle, small=faint)
    if name[1]:
        yield _text(x, y + 15, name[1], middle=middle, small=True)


def _room(names: Sequence[Name]) -> float:
    """Width of the widest name, with a gap behind it."""
    return max((max(_width(a), _width(b, _SMALL)) for a, b in names), default=0) + 16


def _width(text: str, size: int = _SIZE) -> float:
    """Guess how wide a text will be, on the safe side."""
    wide = columns_of(text) - len(text)
    return size * (wide * 1.0 + (len(text) - wide) * _EM)


def _fill(colour: int) -> str:
    number = colour % len(PALETTE)
    return f"fill:var(--chart-{number + 1},{PALETTE[number]})"


def _rect(x: float, y: float, width: float, height: float, style: str, hint: str = "") -> str:
    frame = f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" style="{style}"'
    return f"{frame}><title>{escape(hint)}</title></rect>" if hint else f"{frame}/>"


def _text(
    x: float,
    y: float,
    text: str,
    *,
    middle: bool = False,
    end: bool = False,
    small: bool = False,
    bold: bool = False,
) -> str:
    anchor = ' text-anchor="middle"' if middle else ' text-anchor="end"' if end else ""
    look = f' font-size="{_SMALL}" fill-opacity="0.72"' if small else ""
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:g}" y="{y:g}"{anchor}{look}{weight}>{escape(text)}</text>'


def _svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    width, height, name = math.ceil(width), math.ceil(height), escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{name}" '
        f'viewBox="0 0 {width} {height}" width="{width}" font-size="{_SIZE}" fill="currentColor" '
        f'style="height:auto"><title>{name}</title>{"".join(parts)}</svg>'
    )
