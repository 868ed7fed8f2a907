"""An assessment as text for a terminal, in aligned columns also where they hold Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from retention.mechanisms.policies import plain
from retention.mechanisms.tables import Column, Shown, Table, checked, figures, printable
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
      layer           中文            customers  share of customers  spend  share of spend
      new             新客户                  1              100.0%  12.50          100.0%
    """
    voice = Voice(language, assessment.currency)
    blocks = (_head(assessment, voice), *_blocks(assessment, voice, timeline or {}))
    lines = "\n\n".join("\n".join(block) for block in blocks).split("\n")
    return "\n".join(printable(line).rstrip() for line in lines) + "\n"


def table(result: Shown, *, language: Language = "en") -> str:
    """Return what a result says as a table of aligned columns: counts, and no customer.

    >>> from datetime import date
    >>> from retention import PurchaseLog
    >>> from retention.presets import ecommerce
    >>> log = PurchaseLog.from_columns(customer=["a"], at=[date(2024, 6, 1)], amount=[12.5])
    >>> rfm = ecommerce.segmentation.rfm_cells(log, as_of=date(2024, 6, 30))
    >>> print(table(rfm, language="zh"))
    最近一次购买 / 购买频次  M1  M2  M3  M4
    R1 F2                     0   0   0   1
    """
    return "\n\n".join(each.text() for each in result.to_tables(checked(language)))


def _blocks(
    assessment: Assessment, voice: Voice, timeline: Mapping[When, Mapping[Stage, int]]
) -> Iterator[Iterable[str]]:
    yield _outcomes(assessment.layers, voice, "layers")
    yield _outcomes(assessment.stages, voice, "stages")
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


def _rows(table: Table, *, heads: bool = True) -> Iterator[str]:
    yield from (f"  {line}" for line in table.lines(heads=heads))


def _outcomes(found: Outcomes[Any], voice: Voice, title: str) -> Iterator[str]:
    yield voice.say(title)
    yield from _rows(found.to_table(voice.language, currency=voice.currency, upkeep=False))


def _rfm(assessment: Assessment, voice: Voice) -> Iterator[str]:
    yield voice.say("rfm")
    yield from _rows(assessment.rfm.to_table(voice.language))


def _timeline(timeline: Mapping[When, Mapping[Stage, int]], voice: Voice) -> Iterator[str]:
    stages = [s for s in next(iter(timeline.values())) if any(x[s] for x in timeline.values())]
    rows = ((str(day), *(voice.count(n[s]) for s in stages)) for day, n in timeline.items())
    yield voice.say("timeline")
    yield from _rows(Table((Column(""), *figures(map(voice.name, stages))), rows))


def _moved(moved: Movement[Any], axis: str, assessment: Assessment, voice: Voice) -> Iterator[str]:
    yield voice.say(f"{axis}_from_to", before=assessment.since, now=assessment.as_of)
    changed = {pair: n for pair, n in moved.counts().items() if pair[0] != pair[1]}
    yield from _changes(changed, voice)


def _changes(counts: Mapping[tuple[Any, Any], int], voice: Voice) -> Iterator[str]:
    """Changes with their customers, the most frequent first."""
    rows = (
        (f"{voice.name(was)} → {voice.name(now)}", voice.count(number))
        for (was, now), number in sorted(counts.items(), key=lambda item: -item[1])
    )
    yield from _rows(Table((Column(""), *figures([""])), rows), heads=False)


def _due(assessment: Assessment, voice: Voice) -> Iterator[str]:
    counts = assessment.due.within(DUE_DAYS, assessment.stages.as_of)
    yield voice.say("due", days=DUE_DAYS)
    yield from _changes(counts, voice) if counts else [f"  {voice.say('due_none')}"]


def _explained(assessment: Assessment, voice: Voice) -> Iterator[str]:
    yield voice.say("explained")
    for customer, layer, stage in assessment.examples(EXAMPLES):
        yield f"  {printable(str(customer))}"
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
    shown = Table((Column(""), Column("")), rows)
    yield from _rows(shown, heads=False) if rows else [f"  {voice.say('assumed_none')}"]


def _problems(assessment: Assessment, voice: Voice) -> Iterator[str]:
    yield voice.say("problems")
    for problem in assessment.problems:
        yield f"  {problem.text(voice.language)}"
    if not assessment.problems:
        yield f"  {voice.say('problems_none')}"
    number = voice.count(assessment.left_out)
    yield f"  {voice.say('left_out', day=assessment.as_of, number=number)}"
