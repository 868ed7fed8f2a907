"""Frequent questions and the message board: one set of answers for bot, website and agents (H-49).

The same lookup serves whoever asks, so a customer hears the same everywhere. Texts are the
host's; what a text is about is found as in ``intents``. What was seen how often is counted
from facts, never kept as a counter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

from attrs import field, frozen

from retention.intents import normalised, occurrences
from retention.mechanisms.acts import timed
from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.obligations import Judgement, Within, judge
from retention.mechanisms.periods import AsOf, When, checked, in_utc, local_date, zone_of
from retention.mechanisms.policies import Policy, policy


def _words(given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise WrongTypeError("keywords", given, "several words in a list")
    return tuple(given)


def _said(_: object, attribute: Any, value: str) -> None:  # noqa: ANN401
    if not value:
        raise InvalidValueError(attribute.name, "''", "a text")


@frozen
class FaqEntry:
    """A question that is often asked, and its answer."""

    id: str = field(validator=_said)
    question: str = field(validator=_said)
    answer: str = field(validator=_said, repr=False)
    topic: str = ""
    keywords: tuple[str, ...] = field(default=(), converter=_words)


@frozen
class FaqView:
    """Somebody read an entry: a customer on the website, the bot, an agent."""

    entry: str
    at: When = field(validator=timed)
    channel: str = ""


@frozen
class FaqMatch:
    """An entry that may answer, and what it was found by."""

    entry: FaqEntry
    exact: bool  # the question itself was asked
    keywords: tuple[str, ...] = ()


@frozen
class Faq:
    """The entries that everybody shares.

    >>> faq = Faq(
    ...     [FaqEntry("ship", "我的快递到哪了？", "...", "logistics_query", ["快递", "parcel"])]
    ... )
    >>> [found.entry.id for found in faq.lookup("我的快递没到")], faq.lookup("发票")
    (['ship'], ())
    """

    entries: tuple[FaqEntry, ...] = field(converter=tuple[FaqEntry, ...])

    def __attrs_post_init__(self) -> None:
        ids = [each.id for each in self.entries]
        if len(set(ids)) < len(ids):
            raise DuplicateError("Faq.entries", max(ids, key=ids.count))

    def entry(self, id: str) -> FaqEntry:  # noqa: A002  the word that stores use
        """Return one entry."""
        for each in self.entries:
            if each.id == id:
                return each
        raise UnknownNameError("Faq", id, [each.id for each in self.entries])

    def about(self, topic: str) -> tuple[FaqEntry, ...]:
        """Return the entries of a topic, such as a process that an intent leads to."""
        return tuple(each for each in self.entries if each.topic == topic)

    def lookup(
        self, text: str, *, topic: str = "", views: Iterable[FaqView] = ()
    ) -> tuple[FaqMatch, ...]:
        """Return the entries that may answer a text, the best first.

        First the question itself, then the most keywords, then the most characters of them,
        then what was read more often, then the reference. With ``topic`` only its entries.
        """
        if not isinstance(text, str):
            raise WrongTypeError("text", type(text).__name__, "a text")
        asked, read = normalised(text), Counter(view.entry for view in views)
        found: list[tuple[tuple[int, int, int, int, str], FaqMatch]] = []
        for entry in self.about(topic) if topic else self.entries:
            exact = bool(asked) and normalised(entry.question) == asked
            words = [x for x in map(normalised, entry.keywords) if x and _stands(x, asked)]
            if exact or words:
                letters = sum(map(len, words))
                place = (-exact, -len(words), -letters, -read[entry.id], entry.id)
                found.append((place, FaqMatch(entry, exact, tuple(sorted(words)))))
        return tuple(match for _, match in sorted(found, key=lambda pair: pair[0]))

    def views(
        self,
        seen: Iterable[FaqView],
        *,
        since: date,
        until: date,
        zone: str = "Asia/Shanghai",
    ) -> tuple[dict[str, int], tuple[Problem, ...]]:
        """Return how often each entry was read on the dates of a period, zeros included.

        Views of entries that do not exist are set aside with their rows.
        """
        if until < since:
            raise InvalidValueError("until", until, f"{since} or later")
        counts, strange = {each.id: 0 for each in self.entries}, list[tuple[int, str]]()
        local = zone_of(zone)
        for row, view in enumerate(seen):
            if view.entry not in counts:
                strange.append((row, view.entry))
            elif since <= local_date(view.at, local) <= until:
                counts[view.entry] += 1
        if not strange:
            return counts, ()
        rows = tuple(row for row, _ in strange)
        allowed = f"one of {len(counts)} entries"
        return counts, (Problem(Code.UNKNOWN_REFERENCE, rows, strange[0][1], allowed),)


def _stands(word: str, text: str) -> bool:
    return next(iter(occurrences(word, text)), None) is not None


# --- the message board ----------------------------------------------------------------------------


@frozen
class BoardItem:
    """What somebody wrote on the message board, and when it was answered."""

    id: str = field(validator=_said)
    at: When = field(validator=timed)
    question: str = field(repr=False, validator=_said)
    topic: str = field(default="", kw_only=True)
    customer: str | int = field(default="", kw_only=True)
    answered: When | None = field(default=None, kw_only=True)
    answer: str = field(default="", repr=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.answered is None:
            return
        checked(self.answered, "BoardItem.answered")
        both = isinstance(self.answered, datetime) and isinstance(self.at, datetime)
        if both and in_utc(self.answered) < in_utc(self.at):  # type: ignore[arg-type]
            raise InvalidValueError("BoardItem.answered", self.answered, f"{self.at} or later")


@frozen
class OpenItem:
    """An item of the board that nobody has answered, and what became of its limit."""

    item: BoardItem
    judgement: Judgement


@policy
class MessageBoard(Policy):
    """How soon the board is answered.

    >>> from datetime import UTC
    >>> nine = datetime(2024, 6, 1, 9, tzinfo=UTC)
    >>> board = MessageBoard(Within(hours=24))
    >>> (still,) = board.still_open([BoardItem("b-1", nine, "?")], as_of=nine.replace(day=3))
    >>> str(still.judgement.outcome)
    'missed'
    """

    limit: Within
    channels: tuple[str, ...] = field(default=(), converter=tuple)
    rule: str = "H-49"
    zone: str = "Asia/Shanghai"

    def still_open(
        self, items: Iterable[BoardItem], *, as_of: datetime, topics: Collection[str] = ()
    ) -> tuple[OpenItem, ...]:
        """Return what was asked and not answered at an instant, the oldest deadline first."""
        zone = zone_of(self.zone)
        view = AsOf.at(as_of, zone)
        found: list[OpenItem] = []
        for item in items:
            mine = not topics or item.topic in topics
            answered = item.answered is not None and view.knows(item.answered)
            if mine and view.knows(item.at) and not answered:
                (window,) = self.limit.windows(item.at, zone=zone)
                found.append(OpenItem(item, judge(window, (), as_of=as_of)))
        return tuple(sorted(found, key=lambda x: (x.judgement.window.closes, x.item.id)))
