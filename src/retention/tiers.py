"""Tiers: a ladder, over which window it counts, how long a tier holds, and how it is lost.

The ladder is a classification like any other, so every ladder of the handbooks is data
(E-02, VAR-01). Here is what a ladder alone does not say: rises at once or on evaluation dates
(E-04), the end of a tier's validity with retention, grace and single steps down (E-05), and
what is missing to keep the tier and to rise. A member's tier is a function of the changes on
record, the facts since then and the day of the question; nothing has to run at midnight.

Columns of many members are in ``tier_rounds``. What a tier brings is decided by ``benefits``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from retention.mechanisms.answers import Scalar
from retention.mechanisms.obligations import Obligation, Window
from retention.mechanisms.periods import AsOf, When, day_edge, plus_days, zone_of
from retention.mechanisms.policies import policy
from retention.tier_changes import Standing, TierChange, TierFacts
from retention.tier_gaps import Gap, gaps_of
from retention.tier_terms import (
    QualificationWindow,
    TierCase,
    TierCriterion,
    TierTerms,
    UpgradeTime,
    ValidityEnd,
)
from retention.tier_walks import Walk

if TYPE_CHECKING:
    from retention.logs import PurchaseLog
    from retention.tier_columns import MemberTiers, TierColumns

__all__ = [
    "QualificationWindow",
    "TierCase",
    "TierCriterion",
    "Tiers",
    "UpgradeTime",
    "ValidityEnd",
]


@policy
class Tiers(TierTerms):
    """A ladder with its qualification window, validity, and ways up and down.

    The ladder's table lists the tiers from the highest down; ``otherwise`` is the lowest, which
    needs no validity. A member follows a change of these terms with the next change of tier.

    >>> from datetime import date
    >>> from retention.activity import History, Purchase
    >>> from retention.classifications import Classification
    >>> from retention.mechanisms.decisions import FirstMatch
    >>> ladder = Tiers(Classification("tiers", FirstMatch((
    ...     TierCase("gold", "qualifying_spend_minor >= 500000"),
    ...     TierCase("silver", "qualifying_spend_minor >= 100000")), otherwise="ordinary")))
    >>> bought = [Purchase("M-1", date(2024, n, 10), 1_000_00, currency="CNY") for n in (2, 3)]
    >>> facts = TierFacts("M-1", date(2024, 1, 1), History("M-1", bought))
    >>> print(ladder.tier(facts, as_of=date(2024, 3, 10)))
    silver until 2025-02-09; to keep silver: nothing is missing; to rise to gold: 3000.00 CNY \
(3 orders)
    """

    # --- one member -----------------------------------------------------------------------------

    def changes(self, facts: TierFacts, *, as_of: When) -> tuple[TierChange, ...]:
        """Return the changes that the rules make up to a day and that are not on record (E-04).

        The end of a tier is judged when its last day is over (E-05).
        """
        return Walk(self, facts, AsOf.at(as_of, zone_of(self.zone))).changes()

    def tier(self, facts: TierFacts, *, as_of: When) -> Standing:
        """Return tier, validity, reasons, and what is missing to keep it and to rise."""
        point = AsOf.at(as_of, zone_of(self.zone))
        walk = Walk(self, facts, point)
        new = walk.changes()
        row = walk.row(point.day)
        here = attrs.evolve(
            walk.standing, decision=self.meets(row), new_changes=new, currency=walk.currency
        )
        return self._looking_ahead(here, walk, row)

    def due(self, facts: TierFacts, *, as_of: When) -> tuple[Obligation, ...]:
        """Return when the tier ends if it is not kept, as an obligation to judge it (E-05)."""
        here = self.tier(facts, as_of=as_of)
        if here.valid_through is None:
            return ()
        zone = zone_of(self.zone)
        opens = day_edge(here.valid_through, zone)
        window = Window(opens, day_edge(plus_days(here.valid_through, 1), zone), zone)
        return (Obligation(facts.member, f"tier {here.tier} ends", window, "E-05"),)

    def _looking_ahead(self, here: Standing, walk: Walk, row: Mapping[str, Scalar]) -> Standing:
        order, place = walk.mean_order, self.rank(here.tier)
        to_keep: tuple[tuple[Gap, ...], ...] = ()
        falls_to = ""
        if here.valid_through is not None:
            later = walk.row(here.valid_through)
            rule = self.keep_rule(here.tier)
            to_keep = ((),) if self.keeps(here.tier, later) else gaps_of(rule, later, order)
            falls_to = self.names[self.landing(place, self.rank(self.meets(later).outcome))]
        if place + 1 == len(self.names):
            return attrs.evolve(here, to_keep=to_keep, falls_to=str(falls_to))
        above = self.names[place + 1]
        case = self._case(above)
        to_rise = gaps_of(None if case is None else case.when, row, order)
        return attrs.evolve(
            here, to_keep=to_keep, falls_to=str(falls_to), next_tier=str(above), to_rise=to_rise
        )

    def pin(self, purchases: PurchaseLog, *, as_of: When) -> Tiers:
        """Turn limits on a share of the population into limits on an amount, as the ladder does.

        >>> from datetime import date
        >>> from retention import Purchase, PurchaseLog
        >>> from retention.classifications import Classification
        >>> from retention.mechanisms.decisions import FirstMatch
        >>> from retention.mechanisms.rules import parse
        >>> top = FirstMatch((TierCase("top", parse("spend_share <= 0.5")),), otherwise="rest")
        >>> log = PurchaseLog.of(Purchase(n, date(2024, 6, 1), 100 * n) for n in (1, 2))
        >>> ranked = Tiers(Classification("tiers", top)).pin(log, as_of=date(2024, 6, 30))
        >>> str(ranked.ladder.table.cases[0].when)
        'spend_minor >= 200'
        """
        return attrs.evolve(self, ladder=self.ladder.pin(purchases, as_of=as_of))

    # --- many members ---------------------------------------------------------------------------

    def tiers(self, facts: TierColumns, *, as_of: When) -> MemberTiers:
        """Return the tiers of many members from columns; equal to ``tier`` for each of them."""
        from retention.tier_rounds import tiers_of

        return tiers_of(self, facts, as_of=as_of)
