"""The tags of one customer over time: since when each holds, and when it must be asked again.

A sheet is what its evaluations left. That a tag is due or has expired is a function of the
day of the question, never a stored fact. Which rule gives which tag is said in ``tags``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
from attrs import field, frozen

from retention.mechanisms.acts import Fact
from retention.mechanisms.errors import InvalidValueError, UnknownNameError
from retention.mechanisms.machines import Machine
from retention.mechanisms.tables import Column, Head, Shown, Table, headline
from retention.mechanisms.timelines import Timeline
from retention.mechanisms.words import Language, Word

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DAY = timedelta(days=1)


class TagState(Word):
    """Where the tag of a customer stands (SM-32)."""

    ABSENT = "absent", "无此标签"
    ASSIGNED = "assigned", "已打标签"
    DUE = "due", "待重新评估"
    EXPIRED = "expired", "逾期未评估"


class TagEvent(Word):
    """What an evaluation finds (SM-32)."""

    RULE_TRUE = "rule_true", "规则成立"
    RULE_FALSE = "rule_false", "规则不成立"


class TagCommand(Word):
    """What is done with a sheet of tags (C-33)."""

    EVALUATE = "evaluate", "评估"


TAGGING = Machine(
    "SM-32",
    TagState,
    TagEvent,
    """
    absent    -rule_true->   assigned
    assigned  ->             due       (month passes)
    due       -rule_true->   assigned
    due       -rule_false->  absent
    due       ->             expired   (not evaluated, reported)
    expired   -rule_true->   assigned
    expired   -rule_false->  absent
    """,
)
"""The tag of 004 as a machine; a tag that is not due yet is not asked again."""


@frozen
class Finding:
    """What an evaluation found of one tag, and when the tag must be asked again."""

    tag: str
    holds: bool
    evidence: str
    due_from: date
    next_evaluation: date  # the last day in time


@frozen
class Evaluated(Fact):
    """The tags of a customer were evaluated (C-33)."""

    name: ClassVar[TagCommand] = TagCommand.EVALUATE
    customer: str | int
    findings: tuple[Finding, ...] = field(converter=tuple[Finding, ...])


@frozen
class Assignment:
    """What is known of one tag: the last finding, and since when the tag holds (C-33).

    It keeps the interval under which it was evaluated, whatever the policy says later.
    """

    finding: Finding
    evaluated_on: date
    valid_from: date | None  # None: the customer does not have the tag
    history: Timeline[str] = field(factory=Timeline[str], repr=False)

    def state(self, on: date) -> TagState:
        """Return where the tag stands on a day, the last evaluation's or a later one.

        >>> found = Finding("active", True, "", date(2024, 4, 1), date(2024, 4, 1))
        >>> active = Assignment(found, date(2024, 3, 1), date(2024, 3, 1))
        >>> [str(active.state(date(2024, *day))) for day in ((3, 31), (4, 1), (4, 2))]
        ['assigned', 'due', 'expired']
        """
        if on < self.evaluated_on:
            allowed = f"{self.evaluated_on} or later; the history knows earlier days"
            raise InvalidValueError("on", str(on), allowed)
        if self.valid_from is None:
            return TagState.ABSENT
        if on > self.finding.next_evaluation:
            return TagState.EXPIRED
        return TagState.DUE if on >= self.finding.due_from else TagState.ASSIGNED

    def then(self, finding: Finding, on: date) -> Assignment:
        """Return the assignment after an evaluation; a tag that had expired begins anew."""
        history, since = self.history, self.valid_from
        if since is not None and self.state(on) is TagState.EXPIRED:
            history, since = history.ended(self.finding.next_evaluation), None
        if finding.holds and since is None:
            history, since = history.then(finding.tag, on, reason=finding.evidence), on
        elif not finding.holds and since is not None:
            history, since = history.ended(on - _DAY), None
        return Assignment(finding, on, since, history)


@frozen
class TagDiff:
    """What an evaluation changed: tags added, removed, and kept (C-33)."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


@frozen
class TagSheet(Shown):
    """The tags of one customer, as the evaluations left them.

    >>> TagSheet("C-17")
    TagSheet(0 tags)
    """

    customer: str | int
    assignments: tuple[Assignment, ...] = ()
    last: date | None = None  # the day of the latest evaluation

    def __repr__(self) -> str:
        """Return sizes alone: the id of a customer does not belong into messages."""
        asked = f"; last asked on {self.last}" if self.last else ""
        counts = {"on the sheet": len(self.listed)}
        return headline("TagSheet", len(self.assignments), "tags", counts, asked)

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns, one row a tag; ``valid_from`` is NaT while it does not hold."""
        import numpy as np

        found = [each.finding for each in self.assignments]
        days = {
            "evaluated_on": [each.evaluated_on for each in self.assignments],
            "valid_from": [each.valid_from for each in self.assignments],
            "due_from": [each.due_from for each in found],
            "next_evaluation": [each.next_evaluation for each in found],
        }
        return {
            "tag": np.array([each.tag for each in found], str),
            "holds": np.array([each.holds for each in found], bool),
            "evidence": np.array([each.evidence for each in found], str),
            **{name: np.array(column, "datetime64[D]") for name, column in days.items()},
        }

    def to_table(self, language: Language = "en") -> Table:
        """Return the tags with since when they hold and by when they must be asked again."""
        rows = (
            (
                *(each.finding.tag, str(each.valid_from or "–")),
                *(str(each.evaluated_on), str(each.finding.next_evaluation)),
            )
            for each in self.assignments
        )
        heads = (Head.TAG, Head.SINCE, Head.ASKED_ON, Head.NEXT_BY)
        return Table((Column(head.label(language)) for head in heads), rows)

    def assignment(self, tag: str) -> Assignment:
        """Return what is known of a tag; raise when it was never evaluated."""
        found = {each.finding.tag: each for each in self.assignments}
        if tag not in found:
            raise UnknownNameError("tag", tag, tuple(found))
        return found[tag]

    def state(self, tag: str, *, on: date) -> TagState:
        """Return where a tag stands on a day; a tag that was never evaluated is absent.

        >>> TagSheet("C-17").state("active", on=date(2024, 3, 1))
        <TagState.ABSENT: 'absent'>
        """
        known = any(each.finding.tag == tag for each in self.assignments)
        return self.assignment(tag).state(on) if known else TagState.ABSENT

    def tags(self, *, on: date) -> tuple[str, ...]:
        """Return the tags that hold on a day, also those due; expired ones do not.

        >>> TagSheet("C-17").tags(on=date(2024, 3, 1))
        ()
        """
        valid = {TagState.ASSIGNED, TagState.DUE}
        return tuple(x.finding.tag for x in self.assignments if x.state(on) in valid)

    def history(self, tag: str) -> Timeline[str]:
        """Return the spans in which a tag held (C-41); the last may have expired by now."""
        return self.assignment(tag).history

    def compare(self, before: TagSheet) -> TagDiff:
        """Return what changed since an earlier sheet of the same customer."""
        old, new = before.listed, self.listed
        return TagDiff(
            tuple(tag for tag in new if tag not in old),
            tuple(tag for tag in old if tag not in new),
            tuple(tag for tag in new if tag in old),
        )

    @property
    def listed(self) -> tuple[str, ...]:
        """Tags that the latest evaluations left on the sheet, whether they expired or not."""
        return tuple(x.finding.tag for x in self.assignments if x.valid_from is not None)

    def apply(self, fact: Evaluated) -> TagSheet:
        """Return the sheet after an evaluation."""
        found = {each.finding.tag: each for each in self.assignments}
        for finding in fact.findings:
            before = found.get(finding.tag) or Assignment(finding, fact.on, None)
            found[finding.tag] = before.then(finding, fact.on)
        return attrs.evolve(self, assignments=tuple(found.values()), last=fact.on)


def replay(customer: str | int, facts: Iterable[Evaluated]) -> TagSheet:
    """Fold all evaluations of a customer, oldest first.

    >>> found = Finding("active", True, "", date(2024, 4, 1), date(2024, 4, 1))
    >>> day = date(2024, 3, 1)
    >>> fact = Evaluated("C-17", (found,), at=day, on=day, by="monthly job")
    >>> replay("C-17", [fact]).tags(on=day)
    ('active',)
    """
    sheet = TagSheet(customer)
    for fact in facts:
        sheet = sheet.apply(fact)
    return sheet


@frozen
class Overdue:
    """A tag that should have been evaluated again (C-33); absent tags can be overdue too."""

    customer: str | int
    tag: str
    state: TagState
    evaluated_on: date
    next_evaluation: date


def overdue(sheets: Iterable[TagSheet], *, as_of: date) -> tuple[Overdue, ...]:
    """Return every tag whose evaluation is overdue on a day, the oldest first.

    >>> found = Finding("active", True, "", date(2024, 4, 1), date(2024, 4, 1))
    >>> day = date(2024, 3, 1)
    >>> sheet = replay("C-17", [Evaluated("C-17", (found,), at=day, on=day, by="monthly job")])
    >>> [(x.tag, str(x.next_evaluation)) for x in overdue([sheet], as_of=date(2024, 4, 2))]
    [('active', '2024-04-01')]
    """
    late = (
        Overdue(
            sheet.customer,
            each.finding.tag,
            each.state(as_of),
            each.evaluated_on,
            each.finding.next_evaluation,
        )
        for sheet in sheets
        for each in sheet.assignments
        if as_of > each.finding.next_evaluation
    )
    return tuple(sorted(late, key=lambda x: (x.next_evaluation, str(x.customer), x.tag)))
