"""The outcomes of many customers: how many, how much, why this one, and who moved.

What :meth:`~retention.mechanisms.decisions.FirstMatch.codes` found stands beside the columns
that it was found from, so every outcome can be explained without asking again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import numpy as np
from attrs import field, frozen

from retention.mechanisms.answers import Problem, Scalar
from retention.mechanisms.decisions import Decision, FirstMatch, label, said
from retention.mechanisms.errors import UnequalColumnsError, UnknownNameError
from retention.mechanisms.estimates import Estimate
from retention.mechanisms.periods import AsOf
from retention.mechanisms.tables import (
    Cell,
    Column,
    Head,
    Line,
    Shown,
    Table,
    amount_text,
    count_text,
    figures,
    headline,
    share_text,
)
from retention.mechanisms.words import Language, Word

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from retention.mechanisms.rules import Columns

Outcome = TypeVar("Outcome")

SPEND = "spend_minor"  # the measure whose totals a table shows beside the customers


@frozen(eq=False)
class Outcomes(Shown, Generic[Outcome]):
    """One outcome per customer, as columns.

    ``left_out`` counts the facts after ``as_of``, ``problems`` the rows that were set aside.

    >>> from retention.mechanisms.decisions import Case
    >>> from retention.mechanisms.rules import parse
    >>> from datetime import date
    >>> from zoneinfo import ZoneInfo
    >>> table = FirstMatch((Case("small", parse("days <= 30")),), otherwise="large")
    >>> found = Outcomes.of(
    ...     table,
    ...     np.array(["a", "b"]),
    ...     {"days": np.array([3, 70])},
    ...     AsOf.at(date(2024, 6, 30), ZoneInfo("UTC")),
    ... )
    >>> found.counts(), found.explain("b")
    ({'small': 1, 'large': 1}, 'large: no other case holds; not small: days 70 is not <= 30')
    >>> found
    Outcomes(2 customers as of 2024-06-30: 1 small, 1 large)
    >>> print(found.to_table().text())
    outcome  customers  share of customers
    small            1               50.0%
    large            1               50.0%
    """

    table: FirstMatch[Outcome] = field(repr=False)
    customers: NDArray[Any] = field(repr=False)
    codes: NDArray[np.uint8] = field(repr=False)
    columns: Columns = field(repr=False)
    as_of: AsOf
    left_out: int = 0
    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(
        cls,
        table: FirstMatch[Outcome],
        customers: NDArray[Any],
        columns: Columns,
        as_of: AsOf,
        *,
        left_out: int = 0,
        problems: Sequence[Problem] = (),
    ) -> Outcomes[Outcome]:
        """Decide every row of the columns."""
        codes = table.codes(columns)
        return cls(table, customers, codes, columns, as_of, left_out, tuple(problems))

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.customers)

    def __repr__(self) -> str:
        """Return sizes alone: ids and amounts of customers do not belong into messages."""
        named = {label(outcome): number for outcome, number in self.counts().items()}
        rest = f"; {len(self.problems)} problems" if self.problems else ""
        rest += f"; {self.left_out:,} facts later" if self.left_out else ""
        return headline("Outcomes", len(self), f"customers as of {self.as_of.day}", named, rest)

    def counts(self) -> dict[Outcome, int]:
        """Customers per outcome, in the order of the table, zeros included."""
        found = np.bincount(self.codes, minlength=len(self.table.outcomes))
        return dict(zip(self.table.outcomes, found.tolist(), strict=True))

    def totals(self, measure: str) -> dict[Outcome, int | float]:
        """Sum of a measure per outcome; exact for integers."""
        column = self.column(measure)
        return {
            outcome: _total(column[self.codes == code])
            for code, outcome in enumerate(self.table.outcomes)
        }

    def column(self, measure: str) -> NDArray[Any]:
        """Return the values of one measure, in the order of the customers."""
        if measure not in self.columns:
            raise UnknownNameError("Outcomes.column", measure, tuple(self.columns))
        return self.columns[measure]

    def row_of(self, customer: object) -> int:
        """Number of the row of a customer."""
        found = np.flatnonzero(self.customers == customer)
        if not found.size:
            raise UnknownNameError("customer", customer, "a customer of this log")
        return int(found[0])

    def decision(self, customer: object) -> Decision[Outcome]:
        """Return the decision about one customer, with its reasons."""
        return self._decision(self.row_of(customer))

    def explain(self, customer: object) -> str:
        """Return one line: why this outcome, and why not those before it (C-40)."""
        return self.decision(customer).explain()

    def members(self, outcome: Outcome) -> NDArray[Any]:
        """Return the customers with an outcome."""
        found: NDArray[Any] = self.customers[self.codes == self.code(outcome)]
        return found

    def code(self, outcome: Outcome) -> int:
        """Return the number of an outcome in the table, as ``codes`` holds it."""
        if outcome not in self.table.outcomes:
            raise UnknownNameError("outcome", outcome, tuple(map(str, self.table.outcomes)))
        return self.table.outcomes.index(outcome)

    def compare(self, before: Outcomes[Outcome]) -> Movement[Outcome]:
        """Say who moved from which outcome to which since an earlier result."""
        return Movement.between(before, self)

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: customer, outcome (as text), and every measure.

        The text of an outcome is empty for whoever has none.
        """
        names = _codes_of(self.table)
        return {"customer": self.customers, "outcome": names[self.codes], **self.columns}

    def decisions(self) -> Iterator[tuple[Any, Decision[Outcome]]]:
        """Customers with their decisions, one after the other."""
        for row in range(len(self)):
            yield self.customers[row].item(), self._decision(row)

    def to_table(
        self, language: Language = "en", *, currency: str = "", upkeep: bool = True
    ) -> Table:
        """Return customers and spend per outcome, and the upkeep where the handbook has it.

        Spend stands there when the table asks for it, in ``currency`` if one is named. Upkeep
        is what a case says besides its rule: its goal and its key actions (C-21).
        """
        names: list[tuple[Cell, ...]] = [(said(each, language),) for each in self.table.outcomes]
        columns: list[Column] = [Column(heading(self.table.outcomes, language))]
        if any(isinstance(each, Word) for each in self.table.outcomes):
            other: Language = "zh" if language == "en" else "en"
            columns.append(Column("中文" if other == "zh" else "English"))
            names = [(*x, said(y, other)) for x, y in zip(names, self.table.outcomes, strict=True)]
        parts: list[tuple[Sequence[Column], Sequence[tuple[Cell, ...]]]] = [
            (columns, names),
            _shares(self.counts(), CUSTOMERS, language),
        ]
        if SPEND in self.columns:
            parts.append(_shares(self.totals(SPEND), SPENT, language, currency))
        if upkeep and any(hasattr(case, "goal") for case in self.table.cases):
            parts.append(_upkeep(self.table, language))
        heads = tuple(column for columns, _ in parts for column in columns)
        rows = zip(*(rows for _, rows in parts), strict=True)
        return Table(heads, (sum(row, ()) for row in rows))

    def _decision(self, row: int) -> Decision[Outcome]:
        code = int(self.codes[row])
        values = {name: _scalar(column[row]) for name, column in self.columns.items()}
        return Decision(self.table.outcomes[code], self.table, code, values)


_Heads = tuple[Head, Head, Callable[[Any], str]]
CUSTOMERS: _Heads = Head.CUSTOMERS, Head.SHARE_OF_CUSTOMERS, count_text
SPENT: _Heads = Head.SPEND, Head.SHARE_OF_SPEND, amount_text


def heading(outcomes: Iterable[object], language: Language = "en") -> str:
    """Return what the outcomes are: layer, stage, spend grade; or just outcome.

    >>> from retention.presets import ecommerce
    >>> heading(ecommerce.segmentation.layer_table.outcomes), heading(["gold"], "zh")
    ('layer', '结果')
    """
    words = [type(each) for each in outcomes if isinstance(each, Word)]
    return words[0].heading(language) if words else Head.OUTCOME.label(language)


def _shares(
    values: Mapping[Any, float], heads: _Heads, language: Language, currency: str = ""
) -> tuple[Sequence[Column], list[tuple[Cell, ...]]]:
    """Return a column of figures and one of their shares."""
    behind, whole = f" ({currency})" if currency else "", sum(values.values())
    named = figures((heads[0].label(language) + behind, heads[1].label(language)))
    return named, [(heads[2](each), share_text(each, whole)) for each in values.values()]


def _upkeep(
    table: FirstMatch[Any], language: Language
) -> tuple[Sequence[Column], list[tuple[Cell, ...]]]:
    """Return goal and key actions of every outcome; the catch-all has none."""
    cases = {case.outcome: case for case in table.cases}
    rows: list[tuple[Cell, ...]] = []
    for outcome in table.outcomes:
        case = cases.get(outcome)
        goal, actions = getattr(case, "goal", None), getattr(case, "actions", ())
        named = tuple(Line(said(each, language)) for each in actions)
        rows.append(("" if goal is None else said(goal, language), named))
    return [Column(head.label(language)) for head in (Head.GOAL, Head.KEY_ACTIONS)], rows


@frozen(eq=False)
class Movement(Shown, Generic[Outcome]):
    """Customers who are in one outcome now and were in another before.

    ``None`` stands for customers without an outcome: only one of the two results knows them,
    or they are outside its population.
    """

    before: Outcomes[Outcome] = field(repr=False)
    after: Outcomes[Outcome] = field(repr=False)
    customers: NDArray[Any] = field(repr=False)
    was: NDArray[np.int16] = field(repr=False)  # code before; -1: not known then
    became: NDArray[np.int16] = field(repr=False)  # code now; -1: not known any more

    @classmethod
    def between(cls, before: Outcomes[Outcome], after: Outcomes[Outcome]) -> Movement[Outcome]:
        """Join two results by customer."""
        customers = np.union1d(before.customers, after.customers)
        return cls(before, after, customers, _codes(before, customers), _codes(after, customers))

    def counts(self) -> dict[tuple[Outcome | None, Outcome | None], int]:
        """Customers per pair of outcomes before and now, only pairs that occur."""
        wide = len(self.after.table.outcomes) + 1
        pairs = (self.was.astype(np.int64) + 1) * wide + (self.became + 1)
        counts: dict[tuple[Outcome | None, Outcome | None], int] = {}
        for pair, number in zip(*np.unique_counts(pairs), strict=True):
            was, now = divmod(int(pair), wide)
            names = self._name(self.before, was), self._name(self.after, now)
            counts[names] = counts.get(names, 0) + int(number)
        return counts

    def conversion(self, was: Outcome, now: Outcome) -> Estimate:
        """Return the share of those in one outcome before who are in another now (C-37)."""
        here = self._is(self.was, self.before, was)
        there = here & self._is(self.became, self.after, now)
        return Estimate(int(there.sum()), int(here.sum()))

    def movers(self, was: Outcome | None, now: Outcome | None) -> NDArray[Any]:
        """Return the customers who went from one outcome to another."""
        hit = self._is(self.was, self.before, was) & self._is(self.became, self.after, now)
        found: NDArray[Any] = self.customers[hit]
        return found

    def __len__(self) -> int:
        """Return the number of customers of both results together."""
        return len(self.customers)

    def __repr__(self) -> str:
        """Return sizes alone."""
        moved = sum(n for (was, now), n in self.counts().items() if was != now)
        return headline("Movement", len(self), "customers", {"moved": moved})

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: customer, and the outcomes before and after as text.

        The text is empty for whoever had none.
        """
        before, after = _codes_of(self.before.table), _codes_of(self.after.table)
        return {
            "customer": self.customers,
            "before": np.append(before, "")[self.was],  # -1 is the last
            "after": np.append(after, "")[self.became],
        }

    def axes(self) -> tuple[list[Outcome | None], list[Outcome | None]]:
        """Outcomes that occur before and after, in the order of the tables; None is the last."""
        counts = self.counts()
        return (
            _occurring({was for was, _ in counts}, self.before.table.outcomes),
            _occurring({now for _, now in counts}, self.after.table.outcomes),
        )

    def to_table(self, language: Language = "en") -> Table:
        """Return customers from line to column, each with the share of the line, and totals."""
        counts, (lines, columns) = self.counts(), self.axes()
        everybody, whole = Head.TOTAL.label(language), len(self)
        names = [_known(each, language) for each in columns]
        rows: list[tuple[Cell, ...]] = []
        for line in lines:
            row = [counts.get((line, column), 0) for column in columns]
            total = Line(count_text(sum(row)), note=share_text(sum(row), whole))
            cells = (_part(number, sum(row)) for number in row)
            rows.append((_known(line, language), *cells, total))
        sums = [sum(counts.get((line, column), 0) for line in lines) for column in columns]
        rows.append((everybody, *(_part(number, whole) for number in sums), count_text(whole)))
        corner = Column(Head.FROM_LINE_TO_COLUMN.label(language))
        return Table((corner, *figures((*names, everybody))), rows)

    def text(self) -> str:
        """Return one line for each pair in which the outcome changed, largest first."""
        moved = [(n, was, now) for (was, now), n in self.counts().items() if was != now]
        lines = (
            f"{n:>8} {_or_none(was)} -> {_or_none(now)}"
            for n, was, now in sorted(moved, key=lambda row: -row[0])
        )
        return "\n".join(lines)

    @staticmethod
    def _name(side: Outcomes[Outcome], number: int) -> Outcome | None:
        return None if number == 0 else side.table.outcomes[number - 1]

    @staticmethod
    def _is(
        codes: NDArray[np.int16], side: Outcomes[Outcome], outcome: Outcome | None
    ) -> NDArray[np.bool_]:
        """Whether each customer has an outcome; None: not known, or outside."""
        nothing = [-1, *(n for n, each in enumerate(side.table.outcomes) if each is None)]
        return np.isin(codes, nothing if outcome is None else [side.code(outcome)])


def _occurring(found: Collection[Any], order: Sequence[Any]) -> list[Any]:
    return [each for each in (*(x for x in order if x is not None), None) if each in found]


def _known(outcome: object, language: Language) -> str:
    return Head.NOT_KNOWN.label(language) if outcome is None else said(outcome, language)


def _part(number: int, whole: int) -> Cell:
    """Return a count with its share; a dot for nobody."""
    return Line(count_text(number), note=share_text(number, whole)) if number else "·"


def _codes_of(table: FirstMatch[Any]) -> NDArray[np.str_]:
    """Outcomes as text in the order of their codes; empty for none at all."""
    return np.array(["" if each is None else str(each) for each in table.outcomes], str)


def _total(column: NDArray[Any]) -> int | float:
    """Sum exactly: whole numbers that could pass 64 bits are summed by Python."""
    whole = column.dtype.kind in "iu" and column.size
    if whole and max(-int(column.min()), int(column.max())) * column.size >= 2**63:
        column = column.astype(object)
    total = column.sum()
    return cast("int | float", total.item() if hasattr(total, "item") else total)


def _or_none(outcome: object) -> str:
    return "(unknown)" if outcome is None else label(outcome)


def _codes(side: Outcomes[Outcome], customers: NDArray[Any]) -> NDArray[np.int16]:
    codes = np.full(len(customers), -1, np.int16)
    codes[np.searchsorted(customers, side.customers)] = side.codes
    return codes


def _scalar(value: Any) -> Scalar:  # noqa: ANN401
    plain: Scalar = value.item()
    if isinstance(plain, float):
        # A column with missing days is one of floats; a day in it is still a whole number.
        return None if plain != plain else int(plain) if plain.is_integer() else plain  # noqa: PLR0124
    return plain


@frozen(eq=False)
class Cells(Shown):
    """Customers crossed along several dimensions: layer, stage, industry, tags (C-26).

    >>> import numpy as np
    >>> cells = Cells.of(np.array(["a", "b"]), layer=["new", "lost"], industry=["retail", "retail"])
    >>> cells.counts()
    {('lost', 'retail'): 1, ('new', 'retail'): 1}
    >>> cells.members(industry="retail").tolist()
    ['a', 'b']
    >>> cells
    Cells(2 customers in 2 cells of layer, industry)
    """

    customers: NDArray[Any] = field(repr=False)
    dimensions: dict[str, NDArray[np.str_]] = field(repr=False)

    @classmethod
    def of(cls, customers: NDArray[Any], **dimensions: Any) -> Cells:  # noqa: ANN401
        """Cross columns of texts, one row a customer."""
        columns = {name: np.asarray(column, "U") for name, column in dimensions.items()}
        lengths = {len(customers), *(len(column) for column in columns.values())}
        if len(lengths) > 1 or not columns:
            shown = {name: len(column) for name, column in columns.items()}
            raise UnequalColumnsError("cells", {"customers": len(customers)} | shown)
        return cls(customers, columns)

    def counts(self) -> dict[tuple[str, ...], int]:
        """Customers per combination that occurs."""
        table = np.stack(list(self.dimensions.values()), axis=1)
        cells, number = np.unique(table, axis=0, return_counts=True)
        return {tuple(c): n for c, n in zip(cells.tolist(), number.tolist(), strict=True)}

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.customers)

    def __repr__(self) -> str:
        """Return sizes alone."""
        unit = f"customers in {len(self.counts()):,} cells of {', '.join(self.dimensions)}"
        return headline("Cells", len(self), unit, {})

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: customer, and every dimension as text."""
        return {"customer": self.customers, **self.dimensions}

    def to_table(self, language: Language = "en") -> Table:
        """Return customers per combination that occurs, with their share."""
        heads, figured = _shares(self.counts(), CUSTOMERS, language)
        rows = zip(self.counts(), figured, strict=True)
        columns = (*map(Column, self.dimensions), *heads)
        return Table(columns, ((*cell, *figure) for cell, figure in rows))

    def members(self, **wanted: str) -> NDArray[Any]:
        """Return the customers who have all of these values."""
        inside = np.ones(len(self.customers), bool)
        for name, value in wanted.items():
            if name not in self.dimensions:
                raise UnknownNameError("dimension", name, tuple(self.dimensions))
            inside &= self.dimensions[name] == str(value)
        found: NDArray[Any] = self.customers[inside]
        return found


def cross(**axes: Outcomes[Any]) -> Cells:
    """Cross several results by customer; the empty text stands where a result knows nobody (C-26).

    >>> from retention.presets import ecommerce
    >>> from retention import PurchaseLog
    >>> from datetime import date
    >>> log = PurchaseLog.from_columns(customer=["a"], at=[date(2024, 6, 1)], amount=[12.5])
    >>> day = date(2024, 6, 30)
    >>> cross(
    ...     layer=ecommerce.segmentation.layers(log, as_of=day),
    ...     stage=ecommerce.lifecycle.stages(log, as_of=day),
    ... ).counts()
    {('new', 'new'): 1}
    """
    if not axes:
        raise UnequalColumnsError("cross", {})
    everyone = np.unique(np.concatenate([axis.customers for axis in axes.values()]))
    columns = {}
    for name, axis in axes.items():
        names = np.append("", _codes_of(axis.table))
        columns[name] = names[_codes(axis, everyone) + 1]
    return Cells.of(everyone, **columns)
