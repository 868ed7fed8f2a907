"""Aggregates: the few figures that measures are made of, and how one customer's are taken.

Extremes and tallies merge, so the summary of a union is the merge of the summaries; a run of
purchases needs all facts at once and does not. The columns of many customers are aggregated
in ``summaries``, with equal values.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import frozen

from retention.activity import History, Interaction, Purchase, Return
from retention.mechanisms.answers import Scalar
from retention.mechanisms.periods import AsOf, day_number, day_of, local_date
from retention.runs import RunOf, run
from retention.windows import Span

# What is aggregated: "purchases", "core_purchases", "spend_minor", "profit_minor",
# "interactions", a kind of interaction such as "login", or "on:" and a topic.
Of = str
MONEY = frozenset({"spend_minor", "profit_minor"})
OF_PURCHASES = frozenset({"purchases", "core_purchases", *MONEY})


@frozen
class Extreme:
    """First or last day on which something happened."""

    of: Of
    last: bool


@frozen
class Tally:
    """Number of facts, or sum of money, inside a window."""

    of: Of
    span: Span


@frozen
class Run:
    """Start of the unbroken run of purchases that still lasts (C-11).

    By ``GAPS`` no two purchases, nor the last one and the day of the question, lie more than
    12 months apart, and the start is a date. By ``YEARS`` every calendar year holds a purchase,
    by ``BLOCKS`` every 12 months back from the question; the value is their number.
    """

    of: Of
    by: RunOf = RunOf.GAPS


Aggregate = Extreme | Tally | Run


@frozen
class Seen:
    """What is known of one customer at a point of view, with day numbers."""

    as_of: AsOf
    bought: tuple[tuple[int, Purchase], ...]
    returned: tuple[tuple[int, Return], ...]
    others: tuple[tuple[int, Interaction], ...]
    attributes: tuple[tuple[str, Scalar], ...] = ()

    @classmethod
    def of(cls, history: History, as_of: AsOf) -> Seen:
        """Leave out what is not known yet, and count days in the zone."""

        def known(facts: Iterable[Any]) -> tuple[tuple[int, Any], ...]:
            return tuple(
                (day_number(local_date(fact.at, as_of.zone)), fact)
                for fact in facts
                if as_of.knows(fact.at)
            )

        return cls(
            as_of,
            known(history.purchases),
            known(history.returns),
            known(history.interactions),
            history.attributes,
        )

    def moved(self, as_of: AsOf) -> Seen:
        """Return the same facts seen from another day: nothing has happened since."""
        return Seen(as_of, self.bought, self.returned, self.others, self.attributes)

    def rows(self, of: Of) -> tuple[tuple[int, int], ...]:
        """Return day and weight of every fact of one sort: money, or one each."""
        match of:
            case "purchases":
                return tuple((day, 1) for day, _ in self.bought)
            case "core_purchases":
                return tuple((day, 1) for day, fact in self.bought if fact.core)
            case "spend_minor":
                back = tuple((day, -fact.amount_minor) for day, fact in self.returned)
                return tuple((day, fact.amount_minor) for day, fact in self.bought) + back
            case "profit_minor":
                return tuple((day, fact.profit_minor or 0) for day, fact in self.bought)
            case "interactions":
                return tuple((day, 1) for day, _ in self.others)
        kind, _, topic = of.partition(":")
        if topic:
            return tuple((day, 1) for day, x in self.others if x.topic == topic)
        return tuple((day, 1) for day, x in self.others if x.kind.value == kind)

    def days(self, of: Of) -> tuple[int, ...]:
        """Return the day numbers of one sort of facts."""
        return tuple(day for day, _ in self.rows(of))

    def aggregate(self, wanted: Aggregate) -> int | None:
        """Return one aggregate; an extreme of nothing is missing."""
        if isinstance(wanted, Tally):
            low, high = wanted.span.bounds(self.as_of)
            return sum(weight for day, weight in self.rows(wanted.of) if low <= day <= high)
        days = self.days(wanted.of)
        if isinstance(wanted, Run):
            return run(sorted({day_of(day) for day in days}), self.as_of.day, wanted.by)
        return (max(days) if wanted.last else min(days)) if days else None
