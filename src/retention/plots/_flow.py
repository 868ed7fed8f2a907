"""Stages over time: stacked columns of several days, or the flow between two of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import frozen
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from retention.charts import PALETTE
from retention.mechanisms.outcomes import Movement, heading
from retention.mechanisms.tables import Head, count_text
from retention.plots._pen import LEAST, LINE, Pen, bare, pen_for, side_name, size_now, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from retention.mechanisms.periods import When
    from retention.mechanisms.words import Language

_NEUTRAL = "#8a8a8a"  # of customers without an outcome
_OUTWARD: tuple[Literal["right", "left"], ...] = "right", "left"
"""How letters beside the two sides of a flow are aligned."""


def stage_flow(
    flow: Mapping[When, Mapping[Any, int]] | Movement[Any],
    ax: Axes | None = None,
    *,
    language: Language = "en",
) -> Axes:
    """Draw customers per stage on several days as stacked columns, or the flow of a movement.

    ``flow`` is what :func:`retention.handbook.stage_counts` returns, or a movement: then
    bands lead from the outcomes before to those after, each in the colour it comes from.
    """
    if isinstance(flow, Movement):
        names = [name for side in flow.axes() for name in side]
        return _bands(flow, pen_for(ax, language, names, (7.6, 4.6)))
    stages = [*dict.fromkeys(stage for counts in flow.values() for stage in counts)]
    return _columns(flow, stages, pen_for(ax, language, stages, (8.4, 4.2)))


def _columns(flow: Mapping[When, Mapping[Any, int]], stages: Sequence[Any], pen: Pen) -> Axes:
    pen.title(pen.say("over_time", axis=heading(stages, pen.language)))
    if not any(sum(counts.values()) for counts in flow.values()):
        return pen.nobody()
    _stack(pen, flow, stages)
    handles, labels = pen.ax.get_legend_handles_labels()
    legend: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "frameon": False}
    pen.ax.legend(handles[::-1], labels[::-1], **legend)  # in the order of the stack
    _days(pen, [str(day)[:16] for day in flow], labels)
    pen.ax.set_ylabel(pen.head(Head.CUSTOMERS))
    pen.ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    pen.ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    bare(pen.ax)
    return pen.done()


def _stack(pen: Pen, flow: Mapping[When, Mapping[Any, int]], stages: Sequence[Any]) -> None:
    """Stack the stages that occur; the legend says how many they are on the last day."""
    floor = np.zeros(len(flow), np.int64)
    for number, stage in enumerate(stages):
        values = np.array([counts.get(stage, 0) for counts in flow.values()])
        if values.any():
            label = f"{pen.name(stage)} {count_text(int(values[-1]))}"
            colour = PALETTE[number % len(PALETTE)]
            places = range(len(flow))
            pen.ax.bar(places, values, 0.8, bottom=floor, color=colour, label=label)
            floor = floor + values
    pen.ax.set_ylim(0, 1.04 * int(floor.max()))


def _days(pen: Pen, labels: Sequence[str], legend: Sequence[str]) -> None:
    """Write only as many days as find room; the last is always there."""
    last, room = len(labels) - 1, max(pen.points[0] - width(legend) - 40, 1)
    every = max(math.ceil((width(labels) + 10) * len(labels) / room), 1)
    places = [place for place in range(len(labels)) if (last - place) % every == 0]
    pen.ax.set_xticks(places, labels=[labels[place] for place in places])


@frozen
class _Node:
    """One outcome on one side: where its bar begins, and how many customers it holds."""

    outcome: Any
    top: float
    number: int

    @property
    def middle(self) -> float:
        return self.top + self.number / 2


def _bands(movement: Movement[Any], pen: Pen) -> Axes:
    counts, sides = movement.counts(), movement.axes()
    days = {"before": movement.before.as_of.day, "after": movement.after.as_of.day}
    pen.title(pen.say("flow", axis=heading(movement.after.table.outcomes, pen.language), **days))
    if not counts:
        return pen.nobody()
    totals = [
        [sum(n for pair, n in counts.items() if pair[side] == each) for each in names]
        for side, names in enumerate(sides)
    ]
    gap = 0.03 * len(movement)
    nodes = [list(_nodes(names, sums, gap)) for names, sums in zip(sides, totals, strict=True)]
    tables = movement.before.table.outcomes, movement.after.table.outcomes
    order = [x for x in dict.fromkeys((*tables[0], *tables[1])) if x is not None]
    _ribbons(pen, counts, nodes, order)
    pen.ax.set_ylim(max(side[-1].top + side[-1].number for side in nodes), 0)
    _captions(pen, nodes, order)
    pen.ax.set_xticks(
        [0, 1], labels=[side_name(pen, x, movement) for x in (Head.BEFORE, Head.AFTER)]
    )
    for label, outward in zip(pen.ax.get_xticklabels(), _OUTWARD, strict=True):
        label.set_horizontalalignment(outward)
    pen.ax.set_yticks([])
    pen.ax.tick_params(length=0)
    pen.ax.spines[:].set_visible(False)
    return pen.done()


def _nodes(names: Sequence[Any], totals: Sequence[int], gap: float) -> Iterator[_Node]:
    top = 0.0
    for name, total in zip(names, totals, strict=True):
        yield _Node(name, top, total)
        top += total + gap


def _ribbons(
    pen: Pen,
    counts: Mapping[tuple[Any, Any], int],
    nodes: Sequence[Sequence[_Node]],
    order: Sequence[Any],
) -> None:
    """Lead a band from every outcome before to every one after that customers went to."""
    steps = np.linspace(0, 1, 60)
    rise = steps * steps * (3 - 2 * steps)
    used = [{node.outcome: node.top for node in side} for side in nodes]
    for was in nodes[0]:
        for now in nodes[1]:
            number = counts.get((was.outcome, now.outcome), 0)
            if number:
                start, end = used[0][was.outcome], used[1][now.outcome]
                top = start + (end - start) * rise
                look: dict[str, Any] = {
                    "color": _colour(was.outcome, order),
                    "alpha": 0.45,
                    "linewidth": 0.4,
                }
                pen.ax.fill_between(steps, top, top + number, **look)
                used[0][was.outcome] += number
                used[1][now.outcome] += number


def _captions(pen: Pen, nodes: Sequence[Sequence[_Node]], order: Sequence[Any]) -> None:
    """Draw the bars of both sides and write what they are beside them, one below the other."""
    texts = [[f"{pen.name(x.outcome)} {count_text(x.number)}" for x in side] for side in nodes]
    wide = pen.points[0]
    size = max(size_now() * min(1, 0.65 * wide / sum(map(width, texts))), LEAST)
    rooms = [width(side) * size / size_now() + 16 for side in texts]
    inner = max(wide - sum(rooms), 0.2 * wide)
    pen.ax.set_xlim(-rooms[0] / inner, 1 + rooms[1] / inner)
    bottom, _ = pen.ax.get_ylim()
    line = LINE * size * bottom / pen.points[1]
    for side, found in enumerate(nodes):
        thick, out = 8 / inner, -1 if side == 0 else 1
        for node, y, text in zip(
            found, _apart([x.middle for x in found], line, bottom), texts[side], strict=True
        ):
            colour = _colour(node.outcome, order)
            pen.ax.bar(side, node.number, thick, bottom=node.top, color=colour)
            edge = side + out * thick / 2
            ends = [edge, side + out * 12 / inner], [node.middle, y]
            pen.ax.plot(*ends, color=colour, linewidth=0.8)
            at: dict[str, Any] = {"ha": _OUTWARD[side], "va": "center", "fontsize": size}
            pen.ax.text(side + out * 14 / inner, y, text, **at)


def _apart(places: Sequence[float], least: float, end: float) -> list[float]:
    """Move rising places so far apart that what is written there does not overlap."""
    least = min(least, end / len(places))
    moved = [max(places[0], least / 2)]
    for place in places[1:]:
        moved.append(max(place, moved[-1] + least))
    limit = end - least / 2
    for number in reversed(range(len(moved))):
        moved[number] = min(moved[number], limit)
        limit = moved[number] - least
    return moved


def _colour(outcome: object, order: Sequence[Any]) -> str:
    return _NEUTRAL if outcome is None else PALETTE[order.index(outcome) % len(PALETTE)]
