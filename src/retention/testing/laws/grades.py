"""Grades by rank: equal customers share one, nothing bought is the lowest, more is never less."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from retention.activity import History, Purchase
from retention.classifications import Classification
from retention.measures import figure, is_measure, measured
from retention.mechanisms.periods import When, local_date, zone_of
from retention.testing.laws.agreement import agree
from retention.testing.laws.answers import logs_of


def ties_share_a_grade(axis: Classification[Any], amounts: Sequence[int], *, as_of: When) -> None:
    """Customers who spent the same amount have the same grade (RC-09, C-09).

    Each amount is one customer with one purchase on the day of the question.

    >>> from retention.presets import user_retention
    >>> grades = user_retention.segmentation.classification("spend_grade")
    >>> ties_share_a_grade(grades, [500, 100, 100, 0], as_of=date(2024, 12, 31))
    """
    found = _grades(axis, _buyers(amounts, axis, as_of), as_of)
    first: dict[int, int] = {}
    for number, amount in enumerate(amounts):
        twin = first.setdefault(amount, number)
        case = f"the amount {amount} of customers {twin} and {number} among {len(amounts)}"
        agree("ties_share_a_grade", case, one=found[twin], other=found[number])


def a_non_buyer_is_never_above_the_lowest(
    axis: Classification[Any], amounts: Sequence[int], *, as_of: When, others: int = 1
) -> None:
    """Who spent nothing has the grade of the last rank, however many there are of them (RC-09).

    Customers whose orders were free are asked, and ``others`` who never ordered.

    >>> from retention.presets import user_retention
    >>> grades = user_retention.segmentation.classification("spend_grade")
    >>> a_non_buyer_is_never_above_the_lowest(grades, [500, 0, 0, 0], as_of=date(2024, 12, 31))
    """
    idle = [History(len(amounts) + number) for number in range(others)]
    people = [*_buyers(amounts, axis, as_of), *idle]
    found = _grades(axis, people, as_of)
    for history in people[len(amounts) :] + [x for x in people if _free(x)]:
        grade = found[int(history.customer)]
        if grade is not None:  # outside the population there is none
            agree(
                "a_non_buyer_is_never_above_the_lowest",
                f"customer {history.customer} without spend among {len(people)}",
                grade=grade,
                grade_of_the_last_rank=_of_the_last(axis, history, as_of),
            )


def grades_rise_with_spend(
    axis: Classification[Any], amounts: Sequence[int], *, as_of: When
) -> None:
    """Whoever spent more never has a lower grade; cases stand from the highest grade down.

    >>> from retention.presets import user_retention
    >>> grades = user_retention.segmentation.classification("spend_grade")
    >>> grades_rise_with_spend(grades, [500, 100, 90, 0], as_of=date(2024, 12, 31))
    """
    found = _grades(axis, _buyers(amounts, axis, as_of), as_of)
    places = {str(grade): place for place, grade in enumerate(axis.table.outcomes)}
    falling = sorted(range(len(amounts)), key=lambda number: -amounts[number])
    inside = [number for number in falling if found[number] is not None]
    for more, less in pairwise(inside):
        if places[found[more] or ""] > places[found[less] or ""]:
            raise AssertionError(
                f"law grades_rise_with_spend is broken for the amounts {amounts[more]} and "
                f"{amounts[less]} among {len(amounts)}: the larger is {found[more]}, the smaller "
                f"{found[less]}"
            )


def _buyers(amounts: Sequence[int], axis: Classification[Any], as_of: When) -> list[History]:
    """One customer for each amount, alike but for it; profit goes with spend."""
    day: date = local_date(as_of, zone_of(axis.zone))
    at = as_of if day != as_of else day
    return [
        History(number, [Purchase(number, at, amount, core=True, profit_minor=amount)])
        for number, amount in enumerate(amounts)
    ]


def _free(history: History) -> bool:
    return bool(history.purchases) and not any(x.amount_minor for x in history.purchases)


def _grades(axis: Classification[Any], people: Sequence[History], as_of: When) -> list[str | None]:
    """Grades by the numbers of the customers, None outside the population."""
    everyone = [history.customer for history in people] or None
    outcomes = axis.outcomes(*logs_of(people), as_of=as_of, customers=everyone)
    names = [str(grade) for grade in outcomes.table.outcomes]
    codes = zip(outcomes.customers.tolist(), outcomes.codes.tolist(), strict=True)
    found = {customer: names[code] for customer, code in codes}
    return [found.get(history.customer) for history in people]


def _of_the_last(axis: Classification[Any], history: History, as_of: When) -> str:
    """What the table as it is written gives to rank N of N."""
    shares = [x for x in axis.table.measures if is_measure(x) and figure(x).share_of]
    others = [name for name in axis.table.measures if name not in shares]
    row = measured(history, others, axis.at(as_of)) | dict.fromkeys(shares, 1)
    return str(axis.table.decide(row).outcome)
