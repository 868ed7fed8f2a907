"""Decisions: the first case that holds gives the outcome, and the reasons stay readable.

One table answers for one row (:class:`Decision`) and for columns, with equal outcomes
(:class:`~retention.mechanisms.outcomes.Outcomes`). Layers, stages, bands, grades and tags are
such tables with other data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import combinations, pairwise, product
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import attrs
from attrs import field, frozen

from retention.mechanisms.answers import Reason
from retention.mechanisms.errors import (
    DuplicateError,
    GapError,
    InvalidValueError,
    NotRisingError,
    OverlapError,
    UnequalColumnsError,
    WrongTypeError,
)
from retention.mechanisms.periods import When
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.ranks import Pin, Population, pin
from retention.mechanisms.rules import Limit, Row, Rule, as_rule
from retention.mechanisms.words import Language, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from retention.mechanisms.rules import Columns

Outcome = TypeVar("Outcome")

_MOST_OUTCOMES = 255  # of one table: a code is one byte
_MANY = f"{_MOST_OUTCOMES} outcomes or fewer"
_MOST_CELLS = 200_000  # cells that a proof without a catch-all may look at
_EXACT = 2**53  # floats hold every whole number below
_BLOCK = 2**17  # rows whose masks stay in the cache of the processor


@policy
class Case(Policy, Generic[Outcome]):
    """One row of a table: the outcome and the rule that must hold for it."""

    outcome: Outcome
    when: Rule = field(converter=as_rule)

    @property
    def key(self) -> str:
        """Name of the row: the outcome's code."""
        return str(self.outcome)


@policy
class FirstMatch(Policy, Generic[Outcome]):
    """Cases in order of precedence; the first that holds gives the outcome.

    ``otherwise`` is the catch-all. Without one the cases must leave no gap, which is proven
    when the table is made. ``exclusive`` tables must not overlap. ``rising`` names a measure
    whose upper limits must rise from case to case.

    >>> from retention.mechanisms.rules import parse
    >>> sizes = FirstMatch((Case("small", parse("days <= 30")), Case("large", parse("days > 30"))))
    >>> sizes.decide({"days": 31}).outcome
    'large'
    >>> FirstMatch((Case("small", parse("days <= 30")), Case("large", parse("days > 60"))))
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.GapError: FirstMatch: no case holds for {'days': 60}; close the \
gap or name a catch-all with otherwise=...
    """

    rows_in: ClassVar[str] = "cases"

    cases: tuple[Case[Outcome], ...] = field(converter=tuple)
    otherwise: Outcome | None = None
    exclusive: bool = False
    rising: str = ""
    pinned: Pin | None = None  # when shares became amounts, if they did

    def __attrs_post_init__(self) -> None:
        if not all(isinstance(case, Case) for case in self.cases):
            raise WrongTypeError("FirstMatch.cases", self.cases, "Case(outcome, when) in a tuple")
        if len(self.outcomes) > _MOST_OUTCOMES:
            raise InvalidValueError("FirstMatch.cases", len(self.outcomes), _MANY)
        keys = [case.key for case in self.cases]
        if len(set(keys)) < len(keys) or str(self.otherwise) in keys:
            raise DuplicateError("FirstMatch.cases", keys)
        if not self.cases:
            raise InvalidValueError("FirstMatch.cases", (), "one case or more")
        if self.rising:
            self._check_rising()
        if self.exclusive:
            self._check_overlaps()
        if self.otherwise is None:
            self._check_gaps()

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        """All outcomes in the order of their codes; the catch-all is the last."""
        found = tuple(case.outcome for case in self.cases)
        return found if self.otherwise is None else (*found, self.otherwise)

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures that the table asks for."""
        return tuple(dict.fromkeys(name for case in self.cases for name in case.when.measures()))

    def decide(self, row: Row) -> Decision[Outcome]:
        """Return the outcome for one row; reasons are built only when they are read."""
        for number, case in enumerate(self.cases):
            if case.when.holds(row):
                return Decision(case.outcome, self, number, row)
        if self.otherwise is None:
            raise GapError("FirstMatch", dict(row))
        return Decision(self.otherwise, self, len(self.cases), row)

    def codes(self, columns: Columns) -> NDArray[np.uint8]:
        """Return for every row the number of its outcome in ``outcomes``."""
        import numpy as np

        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise UnequalColumnsError("FirstMatch", lengths)
        codes = np.zeros(next(iter(lengths.values()), 0), np.uint8)
        for low in range(0, max(len(codes), 1), _BLOCK):
            rows = slice(low, low + _BLOCK)
            self._count({name: column[rows] for name, column in columns.items()}, codes[rows])
        if self.otherwise is None and (codes == len(self.cases)).any():
            first = int(np.argmax(codes))
            raise GapError("FirstMatch", {name: columns[name][first] for name in self.measures})
        return codes

    def _count(self, columns: Columns, codes: NDArray[np.uint8]) -> None:
        """Count for every row the cases before the one that decides: that is its code."""
        import numpy as np

        undecided = np.ones(len(codes), bool)
        for case in self.cases:
            undecided &= ~case.when.mask(columns)
            codes += undecided

    def pin(self, populations: Mapping[str, Population], as_of: When) -> FirstMatch[Outcome]:
        """Return the table with every limit on a share turned into one on an amount."""
        size = max((len(each.amounts) for each in populations.values()), default=0)
        cases = tuple(
            case if is_blank(case.when) else attrs.evolve(case, when=pin(case.when, populations))
            for case in self.cases
        )
        return attrs.evolve(self, cases=cases, pinned=Pin(as_of, size))

    def _check_rising(self) -> None:
        tops = [top for case in self.cases for top in _tops(case.when, self.rising)]
        if any(b < a for a, b in pairwise(tops)):
            raise NotRisingError(self.rising, tops, "upper limits that rise from case to case")

    def _check_overlaps(self) -> None:
        for one, other in combinations(self.cases, 2):
            both = one.when & other.when
            for row in _cells(both):
                if both.holds(row):
                    raise OverlapError(
                        f"{one.key} and {other.key}", row, "cases that exclude each other"
                    )

    def _check_gaps(self) -> None:
        rules = [case.when for case in self.cases]
        for row in _cells(*rules):
            if not any(rule.holds(row) for rule in rules):
                raise GapError("FirstMatch", row)


@policy
class Bands(Policy):
    """Numbered bands of one measure by their upper limits; band 1 is the first (C-20).

    With ``open_end`` one more band holds what lies above the last limit.

    >>> recency = Bands("days_since_purchase", at_most=(30, 90, 180), open_end=True)
    >>> recency.table.decide({"days_since_purchase": 181}).outcome
    4
    >>> Bands("days_since_purchase", at_most=(30, 20), open_end=True)
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.NotRisingError: days_since_purchase: (30, 20) does not rise, so \
bands would overlap; allowed: upper limits that rise
    """

    measure: str
    at_most: tuple[float, ...] = field(converter=tuple)
    open_end: bool = field(kw_only=True)

    def __attrs_post_init__(self) -> None:
        for top in self.at_most:
            Limit(self.measure, "<=", top)  # which refuses what is no limit
        if any(b <= a for a, b in pairwise(self.at_most)):
            raise NotRisingError(self.measure, self.at_most, "upper limits that rise")
        of_a_whole = "share" in self.measure.split("_") and not self.open_end
        if of_a_whole and self.at_most[-1:] != (1,):
            raise InvalidValueError(self.measure, self.at_most, "shares up to 1, the whole")
        if len(self.at_most) + self.open_end < 2:  # noqa: PLR2004
            raise InvalidValueError(self.measure, self.at_most, "two bands or more")
        if len(self.at_most) + self.open_end > _MOST_OUTCOMES:
            raise InvalidValueError(self.measure, len(self.at_most), _MANY)

    @cached_property
    def table(self) -> FirstMatch[int]:
        """The bands as a table of cases; the last band is what the others leave."""
        limits = self.at_most if self.open_end else self.at_most[:-1]
        cases = (Case(n, Limit(self.measure, "<=", top)) for n, top in enumerate(limits, 1))
        return FirstMatch(tuple(cases), otherwise=len(limits) + 1)


@frozen
class Decision(Generic[Outcome]):
    """One outcome with everything that led to it."""

    outcome: Outcome
    table: FirstMatch[Outcome] = field(repr=False)
    code: int = field(repr=False)  # number of the case; one past the last for the catch-all
    row: Row = field(repr=False)

    @property
    def pinned(self) -> Pin | None:
        """When the shares of the population became the amounts that this decision used."""
        return self.table.pinned

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Limits that gave the outcome; empty for the catch-all."""
        cases = self.table.cases
        return cases[self.code].when.reasons(self.row) if self.code < len(cases) else ()

    @property
    def passed_over(self) -> dict[Outcome, tuple[Reason, ...]]:
        """Outcomes that stood before this one, each with the limits that failed."""
        before = self.table.cases[: self.code]
        return {case.outcome: case.when.reasons(self.row) for case in before}

    @property
    def matches(self) -> tuple[Outcome, ...]:
        """Every outcome whose rule holds, also those that precedence left out (C-22)."""
        return tuple(case.outcome for case in self.table.cases if case.when.holds(self.row))

    def explain(self, language: Language = "en", *, name: Callable[[str], str] = str) -> str:
        """Return one line for people: why this outcome, and why not those before it (C-40)."""
        colon, comma, stop, no = (
            ("：", "、", "；", "不是") if language == "zh" else (": ", ", ", "; ", "not ")
        )
        why = comma.join(reason.text(language, name=name) for reason in self.reasons)
        rest = "其余规则均不满足" if language == "zh" else "no other case holds"
        parts = [label(self.outcome, language) + colon + (why or rest)]
        for outcome, reasons in self.passed_over.items():
            if outcome is None:  # whoever is asked about belongs to the population
                continue
            failed = comma.join(reason.text(language, name=name) for reason in reasons)
            parts.append(no + label(outcome, language) + colon + failed)
        return stop.join(parts)

    def __str__(self) -> str:
        """Return the English line."""
        return self.explain()


def label(outcome: object, language: Language = "en") -> str:
    """Name of an outcome for people: its code in English, the handbook's term in Chinese."""
    if outcome is None:
        return "不在范围内" if language == "zh" else "outside"
    return outcome.zh if language == "zh" and isinstance(outcome, Word) else str(outcome)


def said(outcome: object, language: Language = "en") -> str:
    """Name of an outcome for people: its words in English, the handbook's term in Chinese.

    >>> from retention.segmentation import Layer
    >>> said(Layer.HIGH_ACTIVE), said(Layer.LOST, "zh"), said("small", "zh"), said(None)
    ('high active', '流失客户', 'small', 'outside')
    """
    return outcome.label(language) if isinstance(outcome, Word) else label(outcome, language)


def _tops(rule: Rule, measure: str) -> Iterator[float]:
    """Upper limits that a rule sets on a measure."""
    for limit in rule.limits():
        if limit.measure == measure and limit.relation in {"<=", "<"}:
            yield limit.limit
        elif limit.measure == measure and limit.relation == "between":
            yield limit.limit[1]


def _cells(*rules: Rule) -> Iterator[dict[str, Any]]:
    """One row for every combination of ranges in which no limit of the rules changes its answer."""
    points: dict[str, set[Any]] = {}
    for rule in rules:
        for limit in rule.limits():
            if limit.limit is not None:
                values = limit.limit if isinstance(limit.limit, tuple) else (limit.limit,)
                points.setdefault(limit.measure, set()).update(values)
            else:
                points.setdefault(limit.measure, set())
    axes = [
        _axis(sorted(values, key=lambda v: (isinstance(v, str), v))) for values in points.values()
    ]
    size = 1
    for axis in axes:
        size *= len(axis)
    if size > _MOST_CELLS:
        raise InvalidValueError("FirstMatch", f"{size} combinations to prove", "otherwise=...")
    for values in product(*axes):
        yield dict(zip(points, values, strict=True))


def _axis(values: list[Any]) -> list[Any]:
    """The values themselves, one between each two neighbours, and one beyond either end."""
    if not values:
        return [0.0]
    if isinstance(values[-1], str):
        return [*values, "".join(map(str, values)) + "_"]
    return [values[0] - 1, *values, *(_middle(a, b) for a, b in pairwise(values)), values[-1] + 1]


def _middle(low: float, high: float) -> float:
    total = low + high
    huge = isinstance(total, int) and abs(total) >= _EXACT
    return total // 2 if huge else total / 2
