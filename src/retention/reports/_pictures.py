"""Which picture shows which part of an assessment; how it is drawn is said in ``charts``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from retention.charts import Cell, Name, Panel, Series, bars, heat, stacked
from retention.mechanisms.tables import Head
from retention.reports._plain import DUE_DAYS
from retention.reports._voice import Voice

if TYPE_CHECKING:
    from retention.handbook import Assessment
    from retention.lifecycle import Stage
    from retention.mechanisms.outcomes import Movement, Outcomes
    from retention.mechanisms.periods import When

_Pairs = Mapping[tuple[Any, Any], int]


def name(outcome: object, voice: Voice) -> Name:
    """Name of an outcome in both languages, that of the page first."""
    return voice.name(outcome), voice.other(outcome)


def outcomes(found: Outcomes[Any], title: str, voice: Voice) -> str:
    """Bars of customers and of spend, one line per outcome."""
    counts, spend = found.counts(), found.totals("spend_minor")
    panels = (
        Panel(voice.say("customers"), tuple(counts.values()), voice.shares(counts, voice.count)),
        Panel(voice.spend, tuple(spend.values()), voice.shares(spend, voice.money)),
    )
    return bars([name(each, voice) for each in counts], panels, title=title)


def rfm(assessment: Assessment, voice: Voice) -> str:
    """One line per pair of recency and frequency that occurs, one column per monetary band."""
    cells = assessment.rfm.counts()
    lines, columns = assessment.rfm.axes()
    counts = {((r, f), m): number for (r, f, m), number in cells.items()}
    shaded = {pair: number for pair, number in counts.items() if number}
    names = [(f"R{r} F{f}", "") for r, f in lines]
    heads = [(f"M{m}", "") for m in columns]
    return _crossed(counts, (lines, columns), (names, heads), shaded, voice.say("rfm"), voice)


def movement(moved: Movement[Any], title: str, voice: Voice) -> str:
    """From which outcome, in lines, to which, in columns; whoever stayed is not shaded."""
    counts = moved.counts()
    lines, columns = moved.axes()
    shaded = {pair: number for pair, number in counts.items() if pair[0] != pair[1]}
    names = ([name(each, voice) for each in lines], [name(each, voice) for each in columns])
    return _crossed(counts, (lines, columns), names, shaded, title, voice, shares=True)


def _crossed(
    counts: _Pairs,
    axes: tuple[Sequence[Any], Sequence[Any]],
    names: tuple[Sequence[Name], Sequence[Name]],
    shaded: _Pairs,
    title: str,
    voice: Voice,
    *,
    shares: bool = False,
) -> str:
    """Return a heat table of pairs with totals of lines and columns."""
    lines, columns = axes
    most, all_of = max(shaded.values(), default=1), sum(counts.values())
    cells = {}
    for row, line in enumerate(lines):
        total = sum(counts.get((line, column), 0) for column in columns)
        for number, column in enumerate(columns):
            count = counts.get((line, column), 0)
            note = voice.share(count, total) if shares and count else ""
            shade = math.sqrt(shaded[line, column] / most) if (line, column) in shaded else None
            cells[row, number] = Cell(voice.count(count) if count else "·", shade, note)
        cells[row, len(columns)] = Cell(voice.count(total), None, voice.share(total, all_of))
    for number, column in enumerate(columns):
        total = sum(counts.get((line, column), 0) for line in lines)
        cells[len(lines), number] = Cell(voice.count(total), None, voice.share(total, all_of))
    cells[len(lines), len(columns)] = Cell(voice.count(all_of))
    total_name = (voice.say("total"), "")
    corner = (voice.say(Head.FROM_LINE_TO_COLUMN), "") if shares else ("", "")
    rows, heads = ([*each, total_name] for each in names)
    return heat(rows, heads, cells, title=title, corner=corner)


def timeline(counts: Mapping[When, Mapping[Stage, int]], voice: Voice) -> str:
    """Customers per stage on each of some days, one column per day."""
    series = []
    for colour, stage in enumerate(next(iter(counts.values()))):
        values = [each[stage] for each in counts.values()]
        if any(values):
            note = voice.count(values[-1])
            series.append(Series(voice.name(stage), values, colour=colour, note=note))
    return stacked([str(day) for day in counts], series, title=voice.say("timeline"))


def due(assessment: Assessment, voice: Voice) -> str:
    """Changes of stage on each of the next days, in the colour of the stage to come."""
    import numpy as np

    dues, as_of = assessment.due, assessment.stages.as_of
    # A question about an instant may find a change later on the same day.
    days = [as_of.day + timedelta(days=n) for n in range(as_of.instant is None, DUE_DAYS + 1)]
    places = (dues.on - np.datetime64(days[0])).astype(np.int64)
    soon = ~np.isnat(dues.on) & (places < len(days))
    series = []
    for (was, now), number in dues.within(DUE_DAYS, as_of).items():
        codes = dues.table.outcomes.index(was), dues.table.outcomes.index(now)
        hit = soon & (dues.current == codes[0]) & (dues.becomes == codes[1])
        values = np.bincount(places[hit], minlength=len(days)).tolist()
        label, note = f"{voice.name(was)} → {voice.name(now)}", voice.count(number)
        series.append(Series(label, values, colour=codes[1], note=note))
    labels = [f"{day:%m-%d}" for day in days]
    return stacked(labels, series, title=voice.say("due_days"))
