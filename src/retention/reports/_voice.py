"""How names, figures and reasons are said to people, in one language.

Amounts lose their minor units, shares become percentages, measures get their names. What is
said is decided by the rules themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
from attrs import frozen

from retention import measures
from retention.mechanisms.answers import Reason
from retention.mechanisms.decisions import Decision, said
from retention.mechanisms.errors import UnknownMeasureError
from retention.mechanisms.rules import All, Limit, Rule, parse
from retention.mechanisms.tables import Head, amount_text, checked, count_text, share_text
from retention.mechanisms.words import Language
from retention.reports._phrases import PHRASES

_NUMBER = re.compile(r"-?\b(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|inf)\b")
_SIGNS = {"<=": "≤", ">=": "≥", "!=": "≠", "==": "="}
_ZH = {
    r"between (.+) and (.+)": r"\1 至 \2",
    r"outside (.+) and (.+)": r"不在 \1 至 \2 之内",
    r"missing": "缺失",
    r"known": "已知",
}


@frozen
class Voice:
    """One language and one currency.

    >>> voice = Voice("en")
    >>> voice.money(1399093), voice.share(1, 3), voice.share(0, 0), voice.count(23570)
    ('13,990.93', '33.3%', '–', '23,570')
    >>> voice.rule(parse("days_since_purchase <= 30 and spend_share <= 0.2"))
    'days since the last purchase ≤ 30 and rank share of spend ≤ 20%'
    """

    language: Language = "en"
    currency: str = ""

    def __attrs_post_init__(self) -> None:
        checked(self.language)

    # --- words ----------------------------------------------------------------------------------

    def say(self, phrase: str, **values: object) -> str:
        """Return a phrase of the report with its values."""
        return PHRASES[phrase][self.language == "zh"].format(**values)

    def name(self, outcome: object) -> str:
        """Name of an outcome, or of the part of a handbook, in this language."""
        return self._named(outcome, self.language)

    def other(self, outcome: object) -> str:
        """Name of an outcome in the other language."""
        return self._named(outcome, "en" if self.language == "zh" else "zh")

    @staticmethod
    def _named(outcome: object, language: Language) -> str:
        return Head.NOT_KNOWN.label(language) if outcome is None else said(outcome, language)

    # --- figures --------------------------------------------------------------------------------

    def count(self, number: int) -> str:
        """Return a number of things."""
        return count_text(number)

    def money(self, minor: float) -> str:
        """Return an amount with two decimals, exact for whole minor units."""
        return amount_text(minor)

    def share(self, part: float, whole: float) -> str:
        """Return a percentage; a share of nothing has no value."""
        return share_text(part, whole)

    def shares(self, values: Mapping[object, float], said: Callable[[Any], str]) -> tuple[str, ...]:
        """Return every value with its share of all."""
        whole = sum(values.values())
        return tuple(f"{said(each)} · {self.share(each, whole)}" for each in values.values())

    @property
    def spend(self) -> str:
        """Heading of amounts, with the currency if there is one."""
        return f"{self.say('spend')} ({self.currency})" if self.currency else self.say("spend")

    # --- rules and reasons ----------------------------------------------------------------------

    def rule(self, rule: Rule) -> str:
        """Return a rule as a sentence."""
        if isinstance(rule, Limit):
            return self._limit(rule.measure, rule.wanted, rule.note)
        both = isinstance(rule, All)
        joint = {"en": (" or ", " and "), "zh": (" 或 ", " 且 ")}[self.language][both]
        parts = getattr(rule, "parts", ())
        said = (self.rule(p) if isinstance(p, Limit) else f"({self.rule(p)})" for p in parts)
        return joint.join(said)

    def because(self, decision: Decision[Any]) -> list[str]:
        """Limits that gave the outcome, one sentence each."""
        return [self.reason(each) for each in decision.reasons] or [self.say("no_other")]

    def not_because(self, decision: Decision[Any]) -> Iterator[tuple[str, str]]:
        """Outcomes that stood before, each with the limits that failed."""
        comma = "、" if self.language == "zh" else ", "
        for outcome, reasons in decision.passed_over.items():
            yield self.name(outcome), comma.join(self.reason(each) for each in reasons)

    def briefly(self, decision: Decision[Any]) -> str:
        """Return one line: why this outcome; for a catch-all, why not the others."""
        if not decision.reasons:
            return self.explain(decision)
        comma = "、" if self.language == "zh" else ", "
        why = comma.join(self.because(decision))
        return self.say("headed", head=self.name(decision.outcome), text=why)

    def explain(self, decision: Decision[Any]) -> str:
        """Return one line: why this outcome, and why not those before it."""
        zh = self.language == "zh"
        comma, stop, colon = ("、", "；", "：") if zh else (", ", "; ", ": ")
        first = self.name(decision.outcome) + colon + comma.join(self.because(decision))
        gap = "" if zh else " "
        rest = (
            self.say("not", outcome=name) + gap + why for name, why in self.not_because(decision)
        )
        return stop.join((first, *rest))

    def reason(self, reason: Reason) -> str:
        """Return a limit as it was looked at, with figures that people read."""
        subject, given = reason.subject, reason.given
        if isinstance(given, int | float) and not isinstance(given, bool):
            given = self._figure(subject, given)
        readable = attrs.evolve(
            reason,
            subject=measures.label(subject, self.language),
            given=given,
            wanted=self._wanted(subject, reason.wanted),
            note=self._note(reason.note),
        )
        return readable.text(self.language)

    def _limit(self, measure: str, wanted: str, note: str) -> str:
        behind = f" ({self._note(note)})" if note else ""
        name = measures.label(measure, self.language)
        return f"{name} {self._wanted(measure, wanted)}{behind}"

    def _note(self, note: str) -> str:
        return self.rule(parse(note)) if note else ""

    def _wanted(self, measure: str, wanted: str) -> str:
        """Turn ``>= 13395`` of an amount into ``≥ 133.95``."""
        sign, _, rest = wanted.partition(" ")
        said = f"{_SIGNS[sign]} {rest}" if sign in _SIGNS else wanted
        said = _NUMBER.sub(lambda found: self._figure(measure, float(found[0])), said)
        if self.language == "zh":
            for english, chinese in _ZH.items():
                said = re.sub(f"^{english}$", chinese, said)
        return said

    def _figure(self, measure: str, value: float) -> str:
        """Return a value of a measure in the unit that people use."""
        whole = int(value) if float(value).is_integer() else value
        match _unit(measure):
            case _ if abs(value) == float("inf"):
                return "∞" if value > 0 else "-∞"
            case "minor units":
                return self.money(whole)
            case "share of the population":
                return f"{100 * value:g}%"
            case _:
                return f"{whole:,}" if isinstance(whole, int) else f"{whole:,.2f}"


def _unit(measure: str) -> str:
    try:
        return measures.figure(measure).family.unit
    except UnknownMeasureError:
        return ""
