"""Recorded grades: which one holds on a day, when grading is due again, and who moves.

Grades come from classifications, scores or reviewed batches; how they become valid is said by
``grading`` and ``publications``. Here they are only kept, timed and compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from attrs import field, frozen

from retention.mechanisms.decisions import Decision, said
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    NotRisingError,
    UnknownNameError,
)
from retention.mechanisms.obligations import After, Every, Window
from retention.mechanisms.periods import When, local_date, plus_months, zone_of
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.tables import Column, Head, Shown, Table, count_text, figures, headline
from retention.mechanisms.timelines import Timeline
from retention.mechanisms.words import Language, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from retention.mechanisms.outcomes import Outcomes

Customer = str | int
Grades = tuple[tuple[Customer, str], ...]
GradeOf = Mapping[str, str] | Mapping[int, str] | Mapping[Customer, str]  # keys are invariant


class Direction(Word):
    """Which way a grade changed (C-17)."""

    UP = "up", "升级"
    DOWN = "down", "降级"
    ENTERED = "entered", "首次评级"
    LEFT = "left", "不再评级"


def graded(given: GradeOf | Iterable[tuple[Customer, str]]) -> Grades:
    """Return grades of customers as a value: pairs in a fixed order, each customer once.

    >>> graded({"u2": "gold", "u1": "silver"})
    (('u1', 'silver'), ('u2', 'gold'))
    """
    pairs = list(cast("GradeOf", given).items() if isinstance(given, Mapping) else given)
    if len({customer for customer, _ in pairs}) < len(pairs):
        raise DuplicateError("grades", "a customer")
    return tuple(sorted(pairs, key=lambda pair: (isinstance(pair[0], str), pair[0])))


def next_window(every: Every | After, last: When, zone: ZoneInfo) -> Window:
    """Return the window after the one that was fulfilled last.

    >>> quarterly = next_window(Every(months=3), date(2024, 2, 10), zone_of("Asia/Shanghai"))
    >>> quarterly.last_day
    datetime.date(2024, 6, 30)
    """
    if isinstance(every, After):
        return next(every.windows(last, zone=zone))
    # No period is longer than a year, so the one after this begins within the next.
    until = plus_months(local_date(last, zone).replace(day=1), 12)
    return list(every.windows(last, zone=zone, until=until))[1]


@frozen
class GradeAssessment:
    """Grades of many customers that hold from one day on, and where they come from."""

    since: date
    grades: Grades = field(converter=graded, repr=False)
    reason: str = ""

    @cached_property
    def of(self) -> dict[Customer, str]:
        """The grades by customer."""
        return dict(self.grades)


@frozen
class RecordedGrades:
    """Every assessment that took effect, oldest first; who is not in one keeps the grade before.

    >>> recorded = RecordedGrades((GradeAssessment(date(2024, 1, 1), {"u1": "gold"}),))
    >>> recorded = recorded.then(GradeAssessment(date(2024, 7, 5), {"u1": "platinum"}, "batch 2"))
    >>> recorded.grade("u1", on=date(2024, 7, 4)), recorded.grade("u1", on=date(2024, 7, 5))
    ('gold', 'platinum')
    >>> recorded.grade("u1", on=date(2023, 12, 31))
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.UnknownNameError: grade: there is no evaluation by 2023-12-31; \
known: 2024-01-01 and later
    """

    assessments: tuple[GradeAssessment, ...] = field(
        default=(), converter=tuple[GradeAssessment, ...]
    )

    def __attrs_post_init__(self) -> None:
        days = [each.since for each in self.assessments]
        if any(after <= one for one, after in pairwise(days)):
            raise NotRisingError("assessments", list(map(str, days)), "days that follow each other")

    @property
    def last_day(self) -> date | None:
        """Day from which the latest assessment holds; None before the first."""
        return self.assessments[-1].since if self.assessments else None

    def then(self, assessment: GradeAssessment) -> RecordedGrades:
        """Return the record with one more assessment, later than all others."""
        return RecordedGrades((*self.assessments, assessment))

    def history(self, customer: Customer) -> Timeline[str]:
        """Return every grade of one customer with the day from which it held (C-41).

        >>> one = RecordedGrades((GradeAssessment(date(2024, 1, 1), {"u1": "gold"}),))
        >>> [(grade, str(first)) for grade, first, _ in one.history("u1").spans()]
        [('gold', '2024-01-01')]
        """
        found: Timeline[str] = Timeline()
        for each in self.assessments:
            if customer in each.of:
                found = found.then(each.of[customer], each.since, reason=each.reason)
        return found

    def grade(self, customer: Customer, *, on: date) -> str:
        """Return the grade that held on a day; raise before the first evaluation."""
        history = self.history(customer)
        held = history.held(on)
        if held is None:
            first = f"{history.entries[0].since} and later" if history.entries else ()
            raise UnknownNameError("grade", f"evaluation by {on}", first)
        return held.value

    def grades(self, *, on: date) -> dict[Customer, str]:
        """Return the grade of everybody who had one on a day.

        >>> RecordedGrades((GradeAssessment(date(2024, 1, 1), {"u1": "gold"}),)).grades(
        ...     on=date(2024, 1, 1)
        ... )
        {'u1': 'gold'}
        """
        found: dict[Customer, str] = {}
        for each in self.assessments:
            if each.since <= on:
                found |= each.of
        return found


@frozen
class GradeChange:
    """One customer whose grade differs from the recorded one (C-17)."""

    customer: Customer
    before: str | None
    after: str | None
    direction: Direction
    reason: str = ""


@policy
class Regrading(Policy):
    """How often customers are graded again, on which ladder (C-17).

    ``ladder`` runs from the lowest grade to the highest; ``every`` is a calendar period
    (``Every``), an interval from the last time (``After``), or None: on each event (VAR-13).

    >>> quarterly = Regrading(("low", "medium", "high"), Every(months=3))
    >>> [str(day) for day in quarterly.dates(date(2024, 2, 10), until=date(2024, 12, 31))]
    ['2024-03-31', '2024-06-30', '2024-09-30', '2024-12-31']
    >>> change = quarterly.change("K-7", "high", "medium", reason="score 55 is below 70")
    >>> change.direction.label("zh"), change.reason
    ('降级', 'score 55 is below 70')
    """

    ladder: tuple[str, ...] = field(converter=tuple)
    every: Every | After | None
    zone: str = "Asia/Shanghai"

    def __attrs_post_init__(self) -> None:
        if len(set(self.ladder)) < max(len(self.ladder), 2):
            raise InvalidValueError("ladder", self.ladder, "two grades or more, each once")

    def rank(self, grade: str) -> int:
        """Return the place of a grade on the ladder, the lowest is 0.

        >>> Regrading(("low", "high"), None).rank("high")
        1
        """
        if grade not in self.ladder:
            raise UnknownNameError("ladder", grade, tuple(map(str, self.ladder)))
        return self.ladder.index(grade)

    # --- when -----------------------------------------------------------------------------------

    def next_window(self, last: When) -> Window | None:
        """Return when to grade next after the last time; None when every event grades anew."""
        return None if self.every is None else next_window(self.every, last, zone_of(self.zone))

    def dates(self, since: date, *, until: date) -> tuple[date, ...]:
        """Return the last day of every grading from ``since`` to ``until``, each done on its day.

        >>> monthly = Regrading(("low", "high"), After(months=1))
        >>> [str(day) for day in monthly.dates(date(2024, 1, 31), until=date(2024, 3, 31))]
        ['2024-02-29', '2024-03-29']
        """
        zone, days = zone_of(self.zone), list[date]()
        if isinstance(self.every, Every):
            days += [w.last_day for w in self.every.windows(since, zone=zone, until=until)]
        elif isinstance(self.every, After):
            last = since
            while last <= until:
                last = next(self.every.windows(last, zone=zone)).last_day
                days.append(last)
        return tuple(day for day in days if since <= day <= until)

    # --- who ------------------------------------------------------------------------------------

    def direction(self, before: str | None, after: str | None) -> Direction | None:
        """Return which way a grade went; None when it stayed.

        >>> Regrading(("low", "high"), None).direction("low", "high")
        <Direction.UP: 'up'>
        """
        old = None if before is None else self.rank(before)
        new = None if after is None else self.rank(after)
        if old == new:
            return None
        if old is None or new is None:
            return Direction.ENTERED if old is None else Direction.LEFT
        return Direction.UP if new > old else Direction.DOWN

    def change(
        self,
        customer: Customer,
        before: str | None,
        after: str | Decision[Any] | None,
        *,
        reason: str = "",
    ) -> GradeChange | None:
        """Compare a recorded grade with a computed one; a decision brings its own reason."""
        now: str | None = after.outcome if isinstance(after, Decision) else after
        direction = self.direction(before, now)
        if direction is None:
            return None
        why = after.explain() if isinstance(after, Decision) else ""
        return GradeChange(customer, before, now, direction, reason or why)

    def changes(self, recorded: GradeOf, computed: Outcomes[Any]) -> GradeChanges:
        """Compare the recorded grades of many customers with the computed ones."""
        return GradeChanges.between(self, recorded, computed)


@frozen(eq=False)
class GradeChanges(Shown):
    """Everybody whose grade differs from the recorded one, as columns (C-17).

    Iterating gives one :class:`GradeChange` after the other, each with its reason.
    """

    regrading: Regrading
    customers: NDArray[Any] = field(repr=False)
    before: NDArray[np.int16] = field(repr=False)  # places on the ladder; -1: none
    after: NDArray[np.int16] = field(repr=False)
    computed: Outcomes[Any] = field(repr=False)

    @classmethod
    def between(
        cls, regrading: Regrading, recorded: GradeOf, computed: Outcomes[Any]
    ) -> GradeChanges:
        """Join recorded and computed grades by customer; keep those that differ."""
        import numpy as np

        outcomes = [
            -1 if each is None else regrading.rank(each) for each in computed.table.outcomes
        ]
        known = np.array(list(recorded)) if recorded else computed.customers[:0]
        everyone = np.union1d(known, computed.customers)
        before, after = np.full((2, len(everyone)), -1, np.int16)
        before[np.searchsorted(everyone, known)] = [regrading.rank(x) for x in recorded.values()]
        codes = np.array(outcomes, np.int16)[computed.codes]
        after[np.searchsorted(everyone, computed.customers)] = codes
        moved = before != after
        return cls(regrading, everyone[moved], before[moved], after[moved], computed)

    def __len__(self) -> int:
        """Return the number of customers whose grade differs."""
        return len(self.customers)

    def __repr__(self) -> str:
        """Return sizes alone."""
        counts = {str(word): number for word, number in self.counts().items()}
        return headline("GradeChanges", len(self), "customers", counts)

    def to_table(self, language: Language = "en") -> Table:
        """Return customers per change of grade, from the highest place on the ladder down."""
        import numpy as np

        pairs = np.stack([self.before, self.after], axis=1)
        found, number = np.unique(pairs, axis=0, return_counts=True)
        names = [*(said(each, language) for each in self.regrading.ladder)]
        names.append(Head.NOT_KNOWN.label(language))  # -1 is the last
        rows = [
            (names[was], names[now], count_text(customers))
            for (was, now), customers in zip(
                found[::-1].tolist(), number[::-1].tolist(), strict=True
            )
        ]
        columns = (Column(Head.BEFORE.label(language)), Column(Head.AFTER.label(language)))
        return Table((*columns, *figures([Head.CUSTOMERS.label(language)])), rows)

    def __iter__(self) -> Iterator[GradeChange]:
        """Go through the changes, in the order of the customers."""
        names = (*self.regrading.ladder, None)  # -1 is the last
        moved = set(self.customers.tolist())
        why = {who: found for who, found in self.computed.decisions() if who in moved}
        rows = zip(self.customers.tolist(), self.before.tolist(), self.after.tolist(), strict=True)
        for customer, old, new in rows:
            now = why[customer] if customer in why else names[new]
            change = self.regrading.change(customer, names[old], now)
            if change is not None:
                yield change

    def counts(self) -> dict[Direction, int]:
        """Return how many went which way, zeros included."""
        columns = self.to_columns()["direction"]
        return {word: int((columns == word.value).sum()) for word in Direction}

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: customer, grades before and after, and the direction."""
        import numpy as np

        names = np.array([*map(str, self.regrading.ladder), ""])
        up, entered, left = self.after > self.before, self.before < 0, self.after < 0
        words = [Direction.ENTERED.value, Direction.LEFT.value, Direction.UP.value]
        direction = np.select([entered, left, up], words, Direction.DOWN.value)
        return {
            "customer": self.customers,
            "before": names[self.before],
            "after": names[self.after],
            "direction": direction,
        }
