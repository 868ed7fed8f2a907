"""An assessment as text for a terminal, in aligned columns also where they hold Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from retention.charts import columns_of
from retention.mechanisms.policies import plain
from retention.reports._plain import DUE_DAYS, EXAMPLES, next_change
from retention.reports._voice import Voice

if TYPE_CHECKING:
    from retention.handbook import Assessment
    from retention.lifecycle import Stage
    from retention.mechanisms.outcomes import Movement, Outcomes
    from retention.mechanisms.periods import When
    from retention.mechanisms.words import Language


def text(
    assessment: Assessment,
    *,
    language: Language = "en",
    timeline: Mapping[When, Mapping[Stage, int]] | None = None,
) -> str:
    """Return a summary in lines.

    >>> from datetime import date
    >>> from retention import PurchaseLog, assess
    >>> from retention.presets import ecommerce
    >>> log = PurchaseLog.from_columns(customer=["a"], at=[date(2024, 6, 1)], amount=[12.5])
    >>> lines = text(assess(ecommerce, log, as_of=date(2024, 6, 30))).splitlines()
    >>> for line in lines[4:7]:
    ...     print(line)
    Maintenance layers
      layer                           customers  share of customers  spend  share of spend
      new             新客户                  1              100.0%  12.50          100.0%
    """
    voice = Voice(language, assessment.currency)
    blocks = (_head(assessment, voice), *_blocks(assessment, voice, timeline or {}))
    lines = "\n\n".join("\n".join(block) for block in blocks).split("\n")
    return "\n".join(_printable(line).rstrip() for line in lines) + "\n"


def _blocks(
    assessment: Assessment, voice: Voice, timeline: Mapping[When, Mapping[Stage, int]]
) -> Iterator[Iterable[str]]:
    yield _outcomes(assessment.layers, voice, "layers", "layer")
    yield _outcomes(assessment.stages, voice, "stages", "stage")
    yield _rfm(assessment, voice)
    if timeline:
        yield _timeline(timeline, voice)
    for axis, moved in (("layers", assessment.layers_moved), ("stages", assessment.stages_moved)):
        if moved is not None:
            yield _moved(moved, axis, assessment, voice)
    yield _due(assessment, voice)
    yield _explained(assessment, voice)
    yield _assumed(assessment, voice)
    yield _problems(assessment, voice)


def _head(assessment: Assessment, voice: Voice) -> Iterator[str]:
    handbook, zh = assessment.handbook, voice.language == "zh"
    spend = sum(assessment.stages.totals("spend_minor").values())
    yield handbook.title_zh if zh else handbook.title
    as_of = voice.say("as_of", day=assessment.as_of)
    which = voice.say("fingerprint", name=handbook.name, fingerprint=handbook.fingerprint())
    yield f"{as_of}{'；' if zh else '; '}{which}"
    figures = (
        (voice.say("customers"), voice.count(len(assessment.stages))),
        (voice.say("purchases"), voice.count(assessment.purchases)),
        (voice.spend, voice.money(spend)),
    )
    comma = "，" if zh else ", "
    yield comma.join(voice.say("headed", head=what, text=number) for what, number in figures)


def _outcomes(found: Outcomes[Any], voice: Voice, title: str, axis: str) -> Iterator[str]:
    counts, spend = found.counts(), found.totals("spend_minor")
    people, money = sum(counts.values()), sum(spend.values())
    heads = ("customers", "of_customers")
    rows = [
        (
            *(voice.name(outcome), voice.other(outcome)),
            *(voice.count(counts[outcome]), voice.share(counts[outcome], people)),
            *(voice.money(spend[outcome]), voice.share(spend[outcome], money)),
        )
        for outcome in found.table.outcomes
    ]
    top = (voice.say(axis), "", *map(voice.say, heads), voice.spend, voice.say("of_spend"))
    yield voice.say(title)
    yield from table((top, *rows), left=2)


def _rfm(assessment: Assessment, voice: Voice) -> Iterator[str]:
    counts = assessment.rfm.counts()
    bands = assessment.rfm.monetary.table.outcomes
    rows = [
        (f"R{r} F{f}", *(voice.count(counts.get((r, f, m), 0)) for m in bands))
        for r, f in sorted({(r, f) for r, f, _ in counts})
    ]
    yield voice.say("rfm")
    yield from table((("", *(f"M{m}" for m in bands)), *rows), left=1)


def _timeline(timeline: Mapping[When, Mapping[Stage, int]], voice: Voice) -> Iterator[str]:
    stages = [s for s in next(iter(timeline.values())) if any(x[s] for x in timeline.values())]
    rows = [(str(day), *(voice.count(n[s]) for s in stages)) for day, n in timeline.items()]
    yield voice.say("timeline")
    yield from table((("", *map(voice.name, stages)), *rows), left=1)


def _moved(moved: Movement[Any], axis: str, assessment: Assessment, voice: Voice) -> Iterator[str]:
    yield voice.say(f"{axis}_from_to", before=assessment.since, now=assessment.as_of)
    changed = {pair: n for pair, n in moved.counts().items() if pair[0] != pair[1]}
    yield from table(_changes(changed, voice), left=1)


def _changes(counts: Mapping[tuple[Any, Any], int], voice: Voice) -> list[tuple[str, str]]:
    """Changes with their customers, the most frequent first."""
    return [
        (f"{voice.name(was)} → {voice.name(now)}", voice.count(number))
        for (was, now), number in sorted(counts.items(), key=lambda item: -item[1])
    ]


def _due(assessment: Assessment, voice: Voice) -> Iterator[str]:
    counts = assessment.due.within(DUE_DAYS, assessment.stages.as_of)
    yield voice.say("due", days=DUE_DAYS)
    yield from table(_changes(counts, voice), left=1) if counts else [f"  {voice.say('due_none')}"]


def _explained(assessment: Assessment, voice: Voice) -> Iterator[str]:
    yield voice.say("explained")
    for customer, layer, stage in assessment.examples(EXAMPLES):
        yield f"  {_printable(str(customer))}"
        for axis, decision in (("layer", layer), ("stage", stage)):
            why = voice.say("headed", head=voice.say(axis), text=voice.briefly(decision))
            yield f"    {why}"
        change = next_change(assessment, customer)
        if change is not None:
            day, left, entered = change[0], voice.name(change[1]), voice.name(change[2])
            yield f"    {voice.say('next', day=day, left=left, entered=entered)}"


def _assumed(assessment: Assessment, voice: Voice) -> Iterator[str]:
    yield voice.say("assumed")
    rows = [(each.path, str(plain(each.value))) for each in assessment.handbook.assumed()]
    yield from table(rows, left=2) if rows else [f"  {voice.say('assumed_none')}"]


def _problems(assessment: Assessment, voice: Voice) -> Iterator[str]:
    yield voice.say("problems")
    for problem in assessment.problems:
        yield f"  {problem.text(voice.language)}"
    if not assessment.problems:
        yield f"  {voice.say('problems_none')}"
    number = voice.count(assessment.left_out)
    yield f"  {voice.say('left_out', day=assessment.as_of, number=number)}"


def table(rows: Sequence[Sequence[str]], *, left: int) -> Iterator[str]:
    """Align columns: the first ones to the left, the numbers behind them to the right.

    >>> for line in table([("lost", "流失客户", "7"), ("active", "活跃", "12")], left=2):
    ...     print(line)
      lost    流失客户   7
      active  活跃      12
    """
    widths = [
        max(columns_of(cell) for cell in column) for column in zip_longest(*rows, fillvalue="")
    ]
    for row in rows:
        cells = (
            _padded(cell, width, right=number >= left)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  " + "  ".join(cells)


def _padded(cell: str, width: int, *, right: bool) -> str:
    gap = " " * (width - columns_of(cell))
    return gap + cell if right else cell + gap


def _printable(line: str) -> str:
    """Take the power over a terminal from whatever came in with the data."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in line)
