"""A classification is one axis along which customers differ: a table, and whom it is about.

Layers, stages, grades, classes and tags are classifications with other data. One customer
and columns of many get the same answers; limits on a share of the population are pinned to
amounts first.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import attrs
from attrs import field, frozen

from retention import ageing, measures
from retention.activity import History, Interaction, Purchase, Return
from retention.mechanisms.decisions import Case, Decision, FirstMatch
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.periods import AsOf, When, zone_of
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.ranks import Pin, Population, Ranking, Ties
from retention.mechanisms.rules import Rule, as_rule

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from retention.dues import Dues
    from retention.logs import InteractionLog, PurchaseLog
    from retention.mechanisms.outcomes import Outcomes
    from retention.summaries import Attributes, Summary

Outcome = TypeVar("Outcome")


@frozen
class OutcomeChanged:
    """A fact moved a customer from one outcome of a classification to another."""

    customer: str | int
    classification: str
    at: When
    left: str
    entered: str


@policy
class Classification(Policy, Generic[Outcome]):
    """One table of cases, the population that it ranks, and the zone that its days are in.

    ``population`` says who is classified at all and ranked (C-09); None means everybody. A
    classification is a function of the policy in force: it follows a change at once.

    >>> from datetime import date
    >>> from retention import Purchase
    >>> from retention.measures import purchases
    >>> buyers = Classification(
    ...     "purchase_class",
    ...     FirstMatch((Case("new", purchases.is_(1)),), otherwise="old"),
    ...     population=purchases >= 1,
    ... )
    >>> history = History("C-17", [Purchase("C-17", date(2024, 1, 1), 12_50)])
    >>> buyers.outcome(history, as_of=date(2024, 6, 30)).outcome
    'new'
    >>> print(buyers.outcome(History("C-18"), as_of=date(2024, 6, 30)))
    outside: purchases 0 is < 1
    """

    rows_in = "table"

    name: str
    table: FirstMatch[Outcome]
    population: Rule | None = field(default=None, converter=attrs.converters.optional(as_rule))
    ranking: Ranking = field(factory=Ranking)
    zone: str = "Asia/Shanghai"

    @property
    def key(self) -> str:
        """Name of the classification, as a path says it."""
        return self.name

    @property
    def pinned(self) -> Pin | None:
        """When the shares of this table became amounts; None if they have not."""
        return self.table.pinned

    # --- one customer ---------------------------------------------------------------------------

    def outcome(self, history: History, *, as_of: When) -> Decision[Outcome | None]:
        """Decide about one customer; the outcome is None outside the population."""
        table = self._everybody
        return table.decide(measures.measured(history, table.measures, self.at(as_of)))

    def due(self, history: History, *, as_of: When) -> ageing.Transition[Outcome | None] | None:
        """Return the next change of outcome if nothing happens; None if there is none."""
        return ageing.next_change(self._everybody, history, self.at(as_of))

    def timeline(
        self, history: History, *, until: When
    ) -> tuple[ageing.Transition[Outcome | None], ...]:
        """Return every change of outcome with date and trigger, oldest first (D-06)."""
        return ageing.timeline(self._everybody, history, self.at(until))

    def after(
        self, history: History, fact: Purchase | Interaction | Return
    ) -> tuple[Decision[Outcome | None], OutcomeChanged | None]:
        """Decide again when a fact has come in, and say what it changed (C-25).

        The change is None when the outcome is the same. What time alone changed before the
        fact is no part of it.
        """
        before = self.outcome(history, as_of=fact.at)
        decision = self.outcome(history.with_fact(fact), as_of=fact.at)
        if decision.outcome == before.outcome:
            return decision, None
        change = OutcomeChanged(
            history.customer, self.name, fact.at, str(before.outcome), str(decision.outcome)
        )
        return decision, change

    @cached_property
    def _everybody(self) -> FirstMatch[Outcome | None]:
        """The table behind one more case: whoever is outside the population has no outcome."""
        table = cast("FirstMatch[Outcome | None]", self.table)
        if self.population is None:
            return table
        outside: Case[Outcome | None] = Case(None, ~self.population)
        cases = (outside, *table.cases)
        return FirstMatch(cases, otherwise=table.otherwise, pinned=table.pinned)

    # --- many customers -------------------------------------------------------------------------

    def outcomes(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
        customers: ArrayLike | None = None,
        attributes: Attributes | None = None,
    ) -> Outcomes[Outcome]:
        """Decide about every customer of the population."""
        return self.among(self.summary(purchases, interactions, as_of, customers, attributes))

    def dues(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
        customers: ArrayLike | None = None,
        attributes: Attributes | None = None,
    ) -> Dues[Outcome | None]:
        """Return the next change of every customer if nothing happens."""
        from retention.dues import next_changes

        here = self.pinned_to(self.summary(purchases, interactions, as_of, customers, attributes))
        return next_changes(
            here._everybody,  # noqa: SLF001  its own class
            purchases,
            interactions,
            as_of=self.at(as_of),
            customers=customers,
            attributes=attributes,
        )

    def pin(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
        customers: ArrayLike | None = None,
        attributes: Attributes | None = None,
    ) -> Classification[Outcome]:
        """Turn every limit on a share of this population into a limit on an amount.

        The result answers for one customer or a million without the population.
        """
        if self.pinned is not None:
            raise InvalidValueError("pin", self.pinned, "a policy that still limits shares")
        if not self.shares:
            return self
        from retention.summaries import Summary

        return self.pinned_to(
            Summary.of(
                self._amounts,
                purchases,
                interactions,
                as_of=self.at(as_of),
                customers=customers,
                attributes=attributes,
            )
        )

    # --- from a summary -------------------------------------------------------------------------

    @property
    def shares(self) -> tuple[str, ...]:
        """Rank shares that the table limits; a rule that is still blank limits none."""
        rules = (case.when for case in self.table.cases if not is_blank(case.when))
        names = dict.fromkeys(name for rule in rules for name in rule.measures())
        return tuple(name for name in names if measures.share_of(name))

    @property
    def needs(self) -> tuple[str, ...]:
        """Measures that a summary must hold: amounts in place of their shares."""
        others = (name for name in self.table.measures if not measures.share_of(name))
        return tuple(dict.fromkeys((*self._amounts, *others)))

    @property
    def _amounts(self) -> tuple[str, ...]:
        """Measures that pinning needs: who is ranked, by what, and what breaks ties."""
        names = [*self._population_measures(), "spend_minor"]
        for name in self.shares:
            names.append(measures.share_of(name))
            if self.ranking.ties is Ties.BY_FREQUENCY:
                names.append(_orders_of(name))
        return tuple(dict.fromkeys(names))

    def summary(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None,
        as_of: When,
        customers: ArrayLike | None = None,
        attributes: Attributes | None = None,
    ) -> Summary:
        """Measure what this classification asks for."""
        from retention.summaries import Summary

        return Summary.of(
            self.needs,
            purchases,
            interactions,
            as_of=self.at(as_of),
            customers=customers,
            attributes=attributes,
        )

    def among(self, summary: Summary) -> Outcomes[Outcome]:
        """Decide about the customers of a summary who belong to the population."""
        from retention.mechanisms.outcomes import Outcomes

        here = self.pinned_to(summary)
        columns, customers = summary.columns(), summary.customers
        inside = self._inside(columns)
        if inside is not None and not inside.all():
            columns = {name: column[inside] for name, column in columns.items()}
            customers = customers[inside]
        return Outcomes.of(
            here.table,
            customers,
            columns,
            summary.as_of,
            left_out=summary.left_out,
            problems=summary.problems,
        )

    def pinned_to(self, summary: Summary) -> Classification[Outcome]:
        """Return the classification with shares pinned to the amounts of a summary."""
        shares = self.shares
        if self.pinned is not None or not shares:
            return self
        inside = self._inside(summary.columns(self._population_measures()))
        populations = {name: self._ranked(name, summary, inside) for name in shares}
        when = summary.as_of.instant or summary.as_of.day
        return attrs.evolve(self, table=self.table.pin(populations, when))

    def _ranked(self, share: str, summary: Summary, inside: Any) -> Population:  # noqa: ANN401
        amount, rounding = measures.share_of(share), self.ranking.rounding
        kept = slice(None) if inside is None else inside
        amounts = summary.column(amount)[kept]
        if self.ranking.ties is Ties.SHARE_BEST:
            return Population(amount, amounts, rounding=rounding)
        orders = _orders_of(share)
        return Population(amount, amounts, orders, summary.column(orders)[kept], rounding)

    def _inside(self, columns: Mapping[str, Any]) -> Any:  # noqa: ANN401  a mask, None: all
        return None if self.population is None else self.population.mask(columns)

    def _population_measures(self) -> tuple[str, ...]:
        return () if self.population is None else self.population.measures()

    def at(self, as_of: When) -> AsOf:
        """Read a point of view in the zone of this classification."""
        return AsOf.at(as_of, zone_of(self.zone))


def _orders_of(share: str) -> str:
    """Measure that breaks ties of a share: orders in the same window."""
    return "purchases" + share.partition("_share")[2]
