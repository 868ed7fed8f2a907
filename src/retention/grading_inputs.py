"""What grading stands on: which sources were delivered, by which department, and what is missing.

The figures themselves are measured elsewhere; here is only what a reviewer asks first.
"""

from __future__ import annotations

from attrs import field, frozen

from retention.mechanisms.choices import member
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.estimates import Estimate
from retention.mechanisms.periods import When, checked
from retention.mechanisms.words import Word


class GradingSource(Word):
    """Sources of grading: five of 000 (C-15), three of 001 (C-16)."""

    PURCHASE_BEHAVIOUR = "purchase_behaviour", "购买行为"
    SPEND = "spend", "消费金额"
    FREQUENCY = "frequency", "购买频次"
    SURVEY = "survey", "满意度调查结果"
    FEEDBACK = "feedback", "反馈与建议"
    PURCHASE_DATA = "purchase_data", "购买数据"
    TRANSACTIONS = "transactions", "交易记录"
    EVALUATIONS = "evaluations", "客户评价"


USER_SOURCES = tuple(GradingSource)[:5]
"""Sources that 000 names: behaviour, spend, frequency, survey, feedback (C-15)."""
CUSTOMER_SOURCES = tuple(GradingSource)[5:]
"""Sources that 001 names: purchases, transactions, evaluations (C-16)."""


def _source(given: GradingSource | str) -> GradingSource:
    return member(GradingSource, given, "source")


@frozen
class Delivery:
    """One source as one department delivered it, and for how many customers."""

    source: GradingSource = field(converter=_source)
    department: str
    at: When = field(validator=lambda *given: checked(given[2], "at"))
    customers: int = field()

    def __attrs_post_init__(self) -> None:
        if not self.department:
            raise InvalidValueError("Delivery.department", "''", "the department that delivered it")
        if self.customers < 0:
            raise InvalidValueError("Delivery.customers", self.customers, "0 or more")


@frozen
class Covered:
    """One wanted source: who delivered it, and the share of customers that it covers."""

    source: GradingSource
    departments: tuple[str, ...]
    share: Estimate

    @property
    def missing(self) -> bool:
        """Whether nobody delivered anything of it."""
        return not self.departments


@frozen
class Coverage:
    """The sources that grading wants, as they were delivered (C-15)."""

    rows: tuple[Covered, ...]

    @property
    def missing(self) -> tuple[GradingSource, ...]:
        """Sources that nobody delivered."""
        return tuple(row.source for row in self.rows if row.missing)

    @property
    def complete(self) -> bool:
        """Whether every source was delivered."""
        return not self.missing

    def __str__(self) -> str:
        """Return one line for each source."""
        return "\n".join(
            f"{row.source.label()}: "
            + ("missing" if row.missing else f"{', '.join(row.departments)}, {row.share}")
            for row in self.rows
        )


@frozen
class GradingInput:
    """Everything that was delivered for one grading, each with its department (C-15).

    >>> from datetime import date
    >>> given = GradingInput((Delivery("spend", "marketing", date(2024, 7, 1), 38),))
    >>> report = given.coverage((GradingSource.SPEND, GradingSource.SURVEY), population=40)
    >>> print(report)
    spend: marketing, 95 % (38 of 40)
    survey: missing
    >>> report.missing
    (<GradingSource.SURVEY: 'survey'>,)
    """

    deliveries: tuple[Delivery, ...] = field(default=(), converter=tuple[Delivery, ...])

    def coverage(self, wanted: tuple[GradingSource, ...], *, population: int) -> Coverage:
        """Compare what was delivered with what is wanted, for so many customers."""
        return Coverage(tuple(self._covered(source, population) for source in wanted))

    def _covered(self, source: GradingSource, population: int) -> Covered:
        found = [each for each in self.deliveries if each.source is source]
        departments = tuple(dict.fromkeys(each.department for each in found))
        # Two departments may know the same customers: the larger delivery is what is certain.
        customers = max((each.customers for each in found), default=0)
        if customers > population:
            raise InvalidValueError(f"customers of {source}", customers, f"at most {population}")
        return Covered(source, departments, Estimate(customers, population))
