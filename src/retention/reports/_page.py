"""An assessment as one page: tables, pictures, and the reasons behind ten customers.

The page needs nothing but itself: no script, no font, no address. It follows the light or dark
setting of whoever reads it, and it prints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from retention.mechanisms.policies import plain
from retention.mechanisms.tables import Cell, Column, Head, Line, Table, escape
from retention.reports import _pictures as pictures
from retention.reports._plain import DUE_DAYS, EXAMPLES, next_change
from retention.reports._style import STYLE
from retention.reports._voice import Voice

if TYPE_CHECKING:
    from retention.handbook import Assessment
    from retention.lifecycle import Stage
    from retention.mechanisms.decisions import Decision, FirstMatch
    from retention.mechanisms.outcomes import Movement, Outcomes
    from retention.mechanisms.periods import When
    from retention.mechanisms.words import Language

    Timeline = Mapping[When, Mapping[Stage, int]]


def html(
    assessment: Assessment,
    *,
    language: Language = "en",
    timeline: Mapping[When, Mapping[Stage, int]] | None = None,
) -> str:
    """Return the whole page.

    ``timeline`` is what :func:`retention.handbook.stage_counts` returns for some days;

    >>> from datetime import date
    >>> from retention import PurchaseLog, assess
    >>> from retention.presets import ecommerce
    >>> log = PurchaseLog.from_columns(customer=["a"], at=[date(2024, 6, 1)], amount=[12.5])
    >>> page = html(assess(ecommerce, log, as_of=date(2024, 6, 30)), language="zh")
    >>> page.splitlines()[1], "高价值活跃客户" in page
    ('<html lang="zh-Hans">', True)
    """
    voice = Voice(language, assessment.currency)
    sections = list(_sections(assessment, voice, timeline or {}))
    title, lang = escape(_titles(assessment, voice)[0]), "zh-Hans" if language == "zh" else "en"
    return "\n".join(
        (
            "<!DOCTYPE html>",
            f'<html lang="{lang}">',
            f'<head><meta charset="utf-8"/><title>{title}</title>',
            '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
            f"<style>{STYLE}</style></head>",
            f"<body><main>{_head(assessment, voice)}",
            _contents([heading for heading, _ in sections], voice),
            *(_section(number, *each) for number, each in enumerate(sections, 1)),
            "</main></body></html>\n",
        )
    )


def _sections(
    assessment: Assessment, voice: Voice, timeline: Timeline
) -> Iterator[tuple[str, Iterable[str]]]:
    say = voice.say
    yield say("layers"), _outcomes(assessment.layers, voice, "layers", "layer")
    yield say("stages"), _outcomes(assessment.stages, voice, "stages", "stage")
    yield say("rfm"), _rfm(assessment, voice)
    if timeline:
        yield say("timeline"), (_wide(pictures.timeline(timeline, voice)),)
    if assessment.since is not None:
        yield say("movement", day=assessment.since), _movements(assessment, voice)
    yield say("due", days=DUE_DAYS), _due(assessment, voice)
    yield say("explained"), _explained(assessment, voice)
    yield say("assumed"), _assumed(assessment, voice)
    yield say("problems"), _problems(assessment, voice)


def _section(number: int, heading: str, parts: Iterable[str]) -> str:
    inside = "\n".join(parts)
    return f'<section id="s{number}"><h2>{escape(heading)}</h2>\n{inside}</section>'


# --- the top ------------------------------------------------------------------------------------


def _head(assessment: Assessment, voice: Voice) -> str:
    handbook = assessment.handbook
    title, other = _titles(assessment, voice)
    as_of = voice.say("as_of", day=assessment.as_of)
    which = voice.say("fingerprint", name=handbook.name, fingerprint=handbook.fingerprint())
    soon = assessment.due.within(DUE_DAYS, assessment.stages.as_of)
    spend = sum(assessment.stages.totals("spend_minor").values())
    tiles = (
        (voice.count(len(assessment.stages)), voice.say("customers")),
        (voice.count(assessment.purchases), voice.say("purchases")),
        (voice.money(spend), voice.spend),
        (voice.count(sum(soon.values())), voice.say("due", days=DUE_DAYS)),
    )
    shown = "".join(f"<div><b>{escape(n)}</b><span>{escape(t)}</span></div>" for n, t in tiles)
    return (
        f"<header><h1>{escape(title)}<small>{escape(other)}</small></h1>"
        f'<p>{escape(as_of)} · {escape(which)}</p><div class="tiles">{shown}</div></header>'
    )


def _titles(assessment: Assessment, voice: Voice) -> tuple[str, str]:
    """Title of the handbook in the language of the page, then in the other."""
    english, chinese = assessment.handbook.title, assessment.handbook.title_zh
    return (chinese, english) if voice.language == "zh" else (english, chinese)


def _contents(headings: Sequence[str], voice: Voice) -> str:
    links = (f'<a href="#s{n}">{escape(name)}</a>' for n, name in enumerate(headings, 1))
    return f'<nav aria-label="{escape(voice.say("contents"))}">{" ".join(links)}</nav>'


# --- layers and stages --------------------------------------------------------------------------


def _outcomes(found: Outcomes[Any], voice: Voice, title: str, axis: str) -> Iterator[str]:
    yield _wide(pictures.outcomes(found, voice.say(title), voice))
    cases = {case.outcome: case for case in found.table.cases}
    upkeep = any(hasattr(case, "goal") for case in cases.values())
    heads = (axis, "rule", Head.GOAL, Head.KEY_ACTIONS) if upkeep else (axis, "rule")
    rows = (
        (_both(outcome, voice), *_says(cases.get(outcome), voice, upkeep=upkeep))
        for outcome in found.table.outcomes
    )
    yield _table(map(voice.say, heads), rows, kind="upkeep" if upkeep else "rules")
    yield _note(voice.say("order"))


def _says(case: Any, voice: Voice, *, upkeep: bool) -> Iterator[Cell]:  # noqa: ANN401
    """What the handbook says about one outcome: the rule, the goal, the key actions."""
    yield voice.say("otherwise") if case is None else voice.rule(case.when)
    if upkeep and case is None:
        yield Line("", note=voice.say("no_goal"))
        yield ""
    elif upkeep and case is not None:
        yield _both(case.goal, voice)
        yield tuple(_both(each, voice) for each in case.actions)


# --- recency, frequency, monetary value ---------------------------------------------------------


def _rfm(assessment: Assessment, voice: Voice) -> Iterator[str]:
    rfm = assessment.rfm
    yield _wide(pictures.rfm(assessment, voice))
    yield _note(voice.say("rfm_note"))
    yield f"<h3>{escape(voice.say('bands'))}</h3>"
    axes = (("R", rfm.recency.table), ("F", rfm.frequency.table), ("M", rfm.monetary.table))
    columns = [list(_bands(letter, table, voice)) for letter, table in axes]
    heads = map(voice.say, (Head.RECENCY, Head.FREQUENCY, Head.MONETARY_VALUE))
    yield _table(heads, zip_longest(*columns, fillvalue=""))


def _bands(letter: str, table: FirstMatch[int], voice: Voice) -> Iterator[Cell]:
    rules = {case.outcome: case.when for case in table.cases}
    for band in table.outcomes:
        rule = voice.rule(rules[band]) if band in rules else voice.say("otherwise")
        yield Line(rule, mark=f"{letter}{band}")


# --- movement and what is due -------------------------------------------------------------------


def _movements(assessment: Assessment, voice: Voice) -> Iterator[str]:
    days = {"before": assessment.since, "now": assessment.as_of}
    for axis, moved in (("layers", assessment.layers_moved), ("stages", assessment.stages_moved)):
        if moved is not None:
            yield f"<h3>{escape(voice.say(f'{axis}_from_to', **days))}</h3>"
            yield f"<p>{escape(_moved(moved, f'moved_{axis}', voice))}</p>"
            yield _wide(pictures.movement(moved, voice.say(f"{axis}_from_to", **days), voice))
    yield _note(voice.say("row_share"))


def _moved(moved: Movement[Any], phrase: str, voice: Voice) -> str:
    counts = moved.counts()
    number = sum(n for (was, now), n in counts.items() if was != now)
    everybody = sum(counts.values())
    share = voice.share(number, everybody)
    return voice.say(phrase, moved=voice.count(number), all=voice.count(everybody), share=share)


def _due(assessment: Assessment, voice: Voice) -> Iterator[str]:
    as_of = assessment.stages.as_of
    if not assessment.due.within(DUE_DAYS, as_of):
        yield f"<p>{escape(voice.say('due_none'))}</p>"
        return
    last = as_of.day + timedelta(days=DUE_DAYS)
    yield f"<p>{escape(voice.say('due_note', day=last))}</p>"
    yield _wide(pictures.due(assessment, voice))


# --- customers ----------------------------------------------------------------------------------


def _explained(assessment: Assessment, voice: Voice) -> Iterator[str]:
    yield f"<p>{escape(voice.say('explained_note'))}</p>"
    yield '<div class="cards">'
    for customer, layer, stage in assessment.examples(EXAMPLES):
        yield f"<article><h3>{escape(customer)}</h3>"
        yield from _why("layer", layer, voice)
        yield from _why("stage", stage, voice)
        yield f"<p>{escape(_next(assessment, customer, voice))}</p></article>"
    yield "</div>"


def _why(axis: str, decision: Decision[Any], voice: Voice) -> Iterator[str]:
    outcome, gap = voice.name(decision.outcome), "" if voice.language == "zh" else " "
    head = voice.say("because", axis=voice.say(axis), outcome=outcome)
    yield f"<p><b>{escape(head)}</b></p><ul>"
    yield from (f"<li>{escape(each)}</li>" for each in voice.because(decision))
    yield "</ul>"
    for other, why in voice.not_because(decision):
        yield f'<p class="not">{escape(voice.say("not", outcome=other) + gap + why)}</p>'


def _next(assessment: Assessment, customer: object, voice: Voice) -> str:
    change = next_change(assessment, customer)
    if change is None:
        return voice.say("never")
    day, left, entered = change
    return voice.say("next", day=day, left=voice.name(left), entered=voice.name(entered))


# --- what to know before trusting it ------------------------------------------------------------


def _assumed(assessment: Assessment, voice: Voice) -> Iterator[str]:
    rows = [
        (Line(x.path, code=True), str(plain(x.value)), x.source.clause)
        for x in assessment.handbook.assumed()
    ]
    if not rows:
        yield f"<p>{escape(voice.say('assumed_none'))}</p>"
        return
    yield _table(map(voice.say, ("path", "value", "source")), rows)


def _problems(assessment: Assessment, voice: Voice) -> Iterator[str]:
    if assessment.problems:
        lines = (escape(problem.text(voice.language)) for problem in assessment.problems)
        yield "<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"
    else:
        yield f"<p>{escape(voice.say('problems_none'))}</p>"
    number = voice.count(assessment.left_out)
    yield f"<p>{escape(voice.say('left_out', day=assessment.as_of, number=number))}</p>"


# --- elements -----------------------------------------------------------------------------------


def _both(outcome: object, voice: Voice) -> Line:
    name, other = pictures.name(outcome, voice)
    return Line(name, note=other)


def _table(heads: Iterable[str], rows: Iterable[Sequence[Cell]], *, kind: str = "") -> str:
    return _wide(Table(map(Column, heads), rows).html(kind))


def _wide(inside: str) -> str:
    return f'<div class="wide">{inside}</div>'


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'
