"""What a customer wants: a protocol for whatever reads texts, and keywords as a baseline (H-35).

A recogniser turns a text into an intent with a confidence; the handbook says which process an
intent leads to, and everything else goes to a person. The baseline knows words, not meaning:
"not a return" is still about a return. A model of the host's own only has to offer
``recognise``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction
from typing import Protocol

from attrs import field, frozen

from retention.mechanisms.errors import DuplicateError, InvalidValueError, WrongTypeError
from retention.mechanisms.policies import Policy, is_blank, policy

_SPACE = re.compile(r"\s+")


@frozen
class Recognition:
    """What a text is taken for: the intent, how sure, and the process; no process: a person.

    ``confidence`` is an exact share from 0 to 1. ``tied`` names the intents that fit equally
    well, when no single one fits best.
    """

    intent: str
    confidence: Fraction
    flow: str = ""
    keywords: tuple[str, ...] = ()
    tied: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.confidence <= 1:
            raise InvalidValueError("confidence", self.confidence, "a share from 0 to 1")

    @property
    def to_human(self) -> bool:
        """Whether a person must take it."""
        return not self.flow


class Recogniser(Protocol):
    """Whatever turns a text into an intent: keywords, a model, a service of the host."""

    def recognise(self, text: str) -> Recognition:
        """Return what a text is taken for."""
        ...


@policy
class IntentKeywords(Policy):
    """One intent, the words that point to it in any language, and the process it leads to."""

    intent: str
    flow: str  # empty: a person
    keywords: tuple[str, ...] = field(converter=tuple)

    def __attrs_post_init__(self) -> None:
        if is_blank(self.keywords):
            return
        for word in self.keywords:
            if not normalised(word):
                raise InvalidValueError(f"intent {self.intent}.keywords", word, "words")

    @property
    def key(self) -> str:
        """Name as a row of a table."""
        return self.intent


@policy
class KeywordIntents(Policy):
    """Intents by keywords: the most keywords win, then the most characters of them.

    A longer keyword hides a shorter one inside it, so "return policy" is no "return". Two
    intents that are equal in both are a tie: nobody guesses, a person takes it. Confidence is
    the share of the matched characters that speak for the winner; below ``sure_from`` a person
    takes it too.

    >>> intents = KeywordIntents((IntentKeywords("logistics", "logistics_query", ("快递",)),))
    >>> found = intents.recognise("我的快递没到")
    >>> found.intent, found.flow, str(found.confidence)
    ('logistics', 'logistics_query', '1')
    >>> intents.recognise("你好").to_human
    True
    """

    intents: tuple[IntentKeywords, ...] = field(converter=tuple)
    sure_from: Fraction | float | str = "1/2"

    def __attrs_post_init__(self) -> None:
        if is_blank(self.intents) or is_blank(self.sure_from):
            return
        names = [row.intent for row in self.intents]
        if len(set(names)) < len(names):
            raise DuplicateError("KeywordIntents.intents", max(names, key=names.count))
        if not 0 <= Fraction(self.sure_from) <= 1:
            raise InvalidValueError("sure_from", self.sure_from, "a share from 0 to 1")

    def recognise(self, text: str) -> Recognition:
        """Return the intent of a text, or none; what nobody is sure of goes to a person (H-35)."""
        if not isinstance(text, str):
            raise WrongTypeError("text", type(text).__name__, "a text")
        found = self._found(normalised(text))
        if not found:
            return Recognition("", Fraction(0))
        weights = {name: (len(words), sum(map(len, words))) for name, words in found.items()}
        best = max(weights.values())
        winner, *others = sorted(name for name, weight in weights.items() if weight == best)
        sure = Fraction(best[1], sum(length for _, length in weights.values()))
        if others:
            return Recognition("", sure, tied=(winner, *others))
        words = tuple(sorted(found[winner]))
        flow = next(row.flow for row in self.intents if row.intent == winner)
        return Recognition(winner, sure, flow if sure >= Fraction(self.sure_from) else "", words)

    def _found(self, text: str) -> dict[str, set[str]]:
        """Return the keywords of each intent that stand in a text, longest first."""
        matches = sorted(
            (start - end, start, word, row.intent)
            for row in self.intents
            for word in {normalised(x) for x in row.keywords}
            for start, end in occurrences(word, text)
        )
        taken: set[tuple[int, int]] = set()
        found: dict[str, set[str]] = {}
        for negative, start, word, intent in matches:
            span = (start, start - negative)
            free = all(span[1] <= low or high <= start for low, high in taken)
            if free or span in taken:  # one word may point to two intents
                taken.add(span)
                found.setdefault(intent, set()).add(word)
        return found


def normalised(text: str) -> str:
    """Return a text in one form: full-width letters as plain ones, no case, single spaces.

    >>> normalised("Ｗｈｅｒｅ　is  my ORDER？")
    'where is my order?'
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _SPACE.sub(" ", plain).strip()


def occurrences(word: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield where a word stands in a text; words of Latin letters stand by themselves.

    >>> (
    ...     list(occurrences("return", "returned, to return")),
    ...     list(occurrences("快递", "我的快递没到")),
    ... )
    ([(13, 19)], [(2, 4)])
    """
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if not (_joined(text, start) or _joined(text, end)):
            yield start, end
        start = text.find(word, start + 1)


def _joined(text: str, place: int) -> bool:
    """Whether two Latin letters or digits meet at a place, so that a word goes on."""
    return 0 < place < len(text) and _latin(text[place - 1]) and _latin(text[place])


def _latin(letter: str) -> bool:
    return letter.isalnum() and letter < "\u0250"
