"""The outcomes of many customers: how many, how much, why this one, and who moved.

What :meth:`~retention.mechanisms.decisions.FirstMatch.codes` found stands beside the columns
that it was found from, so every outcome can be explained without asking again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import numpy as np
from attrs import field, frozen

from retention.mechanisms.answers import Problem, Scalar
from retention.mechanisms.decisions import Decision, FirstMatch, label
from retention.mechanisms.errors import UnequalColumnsError, UnknownNameError
from retention.mechanisms.estimates import Estimate
from retention.mechanisms.periods import AsOf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from retention.mechanisms.rules import Columns

Outcome = TypeVar("Outcome")


@frozen(eq=False)
class Outcomes(Generic[Outcome]):
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
        """Return plain columns: customer, outcome (as text), and every measure."""
        names = np.array([str(outcome) for outcome in self.table.outcomes])
        return {"customer": self.customers, "outcome": names[self.codes], **self.columns}

    def to_rows(self) -> Iterator[tuple[Any, Decision[Outcome]]]:
        """Customers with their decisions, one after the other."""
        for row in range(len(self)):
            yield self.customers[row].item(), self._decision(row)

    def _decision(self, row: int) -> Decision[Outcome]:
        code = int(self.codes[row])
        values = {name: _scalar(column[row]) for name, column in self.columns.items()}
        return Decision(self.table.outcomes[code], self.table, code, values)


@frozen(eq=False)
class Movement(Generic[Outcome]):
    """Customers who are in one outcome now and were in another before.

    ``None`` stands for customers whom only one of the two results knows.
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
        found, number = np.unique(pairs, return_counts=True)
        return {
            (self._name(self.before, p // wide), self._name(self.after, p % wide)): n
            for p, n in zip(found.tolist(), number.tolist(), strict=True)
        }

    def conversion(self, was: Outcome, now: Outcome) -> Estimate:
        """Return the share of those in one outcome before who are in another now (C-37)."""
        here = self.was == self._code(self.before, was)
        there = here & (self.became == self._code(self.after, now))
        return Estimate(int(there.sum()), int(here.sum()))

    def movers(self, was: Outcome | None, now: Outcome | None) -> NDArray[Any]:
        """Return the customers who went from one outcome to another."""
        there = self.became == self._code(self.after, now)
        hit = (self.was == self._code(self.before, was)) & there
        found: NDArray[Any] = self.customers[hit]
        return found

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
    def _code(side: Outcomes[Outcome], outcome: Outcome | None) -> int:
        return -1 if outcome is None else side.code(outcome)


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
class Cells:
    """Customers crossed along several dimensions: layer, stage, industry, tags (C-26).

    >>> import numpy as np
    >>> cells = Cells.of(np.array(["a", "b"]), layer=["new", "lost"], industry=["retail", "retail"])
    >>> cells.counts()
    {('lost', 'retail'): 1, ('new', 'retail'): 1}
    >>> cells.members(industry="retail").tolist()
    ['a', 'b']
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
        names = np.array(["", *map(str, axis.table.outcomes)])
        columns[name] = names[_codes(axis, everyone) + 1]
    return Cells.of(everyone, **columns)
