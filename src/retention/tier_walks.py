"""One member from day to day: on which days a tier can change, and what is judged on them.

A walk starts from the changes on record and goes over the days of the facts, the evaluation
dates and the ends of validity up to a point of view. The terms that judge are ``tiers``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import attrs

from retention import ageing
from retention.activity import History
from retention.aggregates import Tally
from retention.measures import figure, is_measure, measured
from retention.mechanisms.answers import Scalar
from retention.mechanisms.decisions import Decision
from retention.mechanisms.periods import AsOf, local_date, plus_days
from retention.tier_changes import Standing, TierChange, TierFacts, TierMove, TierState, after
from retention.tier_terms import QUALIFYING, TierTerms


class Walk:
    """One member from day to day: mutable inside, so that each day is judged once."""

    def __init__(self, tiers: TierTerms, facts: TierFacts, point: AsOf) -> None:
        self.tiers, self.facts, self.point = tiers, facts, point
        self.history = _known(facts.history, point)
        self.points = tuple((day, n) for day, n in facts.points if day <= point.day)
        self.found: list[TierChange] = []
        self.standing = self._start()

    def _start(self) -> Standing:
        lowest = self.tiers.names[0]
        nothing = self.tiers.ladder.table
        decision: Decision[Any] = Decision(lowest, nothing, len(nothing.cases), {})
        here = Standing(lowest, TierState.HELD, self.facts.since, None, None, decision)
        for change in self.facts.changes:
            if change.on <= self.point.day and self.point.knows(change.at):
                here = after(here, change)
        return here

    def changes(self) -> tuple[TierChange, ...]:
        """Walk over all days on which something can change."""
        for day in self._days():
            self._end_before(day)
            self._judge(day)
        self._end_before(self.point.day)  # what ends on a day takes effect on the next (RC-05)
        return tuple(self.found)

    # --- days -----------------------------------------------------------------------------------

    def _days(self) -> list[date]:
        """Days on which the tier can rise, from the last change on record on."""
        first = max(self.standing.since, self.facts.since)
        if self.tiers.rises_on_dates:
            days = set(self._evaluation_days(first))
        else:
            acts = {first, *self._fact_days()}
            days = acts | set(self._turns(sorted(x for x in acts if x <= self.point.day)))
        return sorted(day for day in days if first <= day <= self.point.day)

    def _fact_days(self) -> Iterator[date]:
        history = self.history
        times = [
            *(fact.at for fact in history.purchases),
            *(fact.at for fact in history.returns),
            *(fact.at for fact in history.interactions),
        ]
        for at in times:
            yield local_date(at, self.point.zone)
        for day, _ in self.points:
            yield day

    def _evaluation_days(self, first: date) -> Iterator[date]:
        every = self.tiers.evaluated
        if every is None:
            return
        last = self.point.ended_before  # a date of evaluation is judged when its day is over
        for window in every.windows(first, zone=self.point.zone, until=self.point.day):
            if window.last_day < last:
                yield window.last_day

    def _turns(self, days: list[date]) -> Iterator[date]:
        """Days on which time alone can raise a tier: full years of buying, for instance."""
        names = [x for x in self.tiers.ladder.table.measures if is_measure(x)]
        growing = [x for x in names if not all(isinstance(a, Tally) for a in figure(x).aggregates)]
        if not growing:
            return
        for day, following in zip(days, (*days[1:], self.point.day), strict=True):
            turn: date | None = day
            while turn is not None and turn <= following:
                yield turn
                turn = self._next_turn(turn)

    def _next_turn(self, day: date) -> date | None:
        known = {name: self.row(day)[name] for name in self.tiers.asked if name in QUALIFYING}
        attributes = {**dict(self.history.attributes), **known}
        history = attrs.evolve(self.history, attributes=attributes)
        seen = ageing.next_change(self.tiers.ladder.table, history, self._at(day))
        return None if seen is None or seen.on <= day else seen.on

    # --- judging --------------------------------------------------------------------------------

    def _judge(self, day: date) -> None:
        """Raise the tier if more is met; in the grace period keep it if it is earned again."""
        row = self.row(day)
        met = self.tiers.meets(row)
        if self.tiers.rank(met.outcome) > self.tiers.rank(self.standing.tier):
            self._add(TierMove.UP, met.outcome, day, self._through(day, met.outcome), str(met))
        elif self.standing.state is TierState.IN_GRACE and self._kept(day):
            self._keep(day, self._through(day, self.standing.tier))

    def _end_before(self, day: date) -> None:
        """Judge every end of validity that lies before a day."""
        while (last := self.standing.valid_through) is not None and last < day:
            after = plus_days(last, 1)
            locked = self.standing.locked_through
            if self._kept(last):
                self._keep(after, self._through(after, self.standing.tier))
            elif locked is not None and locked > last:
                self._add(TierMove.KEEP, self.standing.tier, after, locked, "locked")
            elif self.tiers.grace_days and self.standing.state is TierState.HELD:
                until = plus_days(last, self.tiers.grace_days)
                self._add(TierMove.GRACE, self.standing.tier, after, until, "grace period")
            else:
                self._fall(last, after)

    def _kept(self, day: date) -> bool:
        return self.tiers.keeps(self.standing.tier, self.row(day))

    def _keep(self, day: date, through: date | None) -> None:
        self._add(TierMove.KEEP, self.standing.tier, day, through, "retention condition met")

    def _fall(self, last: date, after: date) -> None:
        met = self.tiers.meets(self.row(last))
        places = self.tiers.rank(self.standing.tier), self.tiers.rank(met.outcome)
        lower = self.tiers.names[self.tiers.landing(*places)]
        self._add(TierMove.DOWN, lower, after, self._through(after, lower), str(met))

    def _through(self, first: date, tier: str) -> date | None:
        return self.tiers.last_day(first, tier)

    def _add(
        self, move: TierMove, entered: str, on: date, through: date | None, cause: str
    ) -> None:
        change = TierChange(
            self.facts.member,
            move,
            str(self.standing.tier),
            str(entered),
            through,
            self.standing.locked_through,
            cause,
            at=on,
            by="rule",
            on=on,
        )
        self.found.append(change)
        self.standing = after(self.standing, change)

    # --- measuring ------------------------------------------------------------------------------

    def row(self, day: date) -> dict[str, Scalar]:
        """Measure what the rules ask for, as of a day; later facts are not known."""
        mine = [name for name in self.tiers.asked if name not in QUALIFYING]
        found = measured(self.history, mine, self._at(day))
        return found | self._qualifying(day)

    def _qualifying(self, day: date) -> dict[str, Scalar]:
        if not set(self.tiers.asked) & set(QUALIFYING):
            return {}
        # In the grace period the window of the last valid day is held open, not begun anew.
        grace = self.standing.state is TierState.IN_GRACE
        begins = self._grace_anchor if grace else day
        span = self.tiers.first_day(begins, self.facts.since), day
        spent = list(self._in(span, self.history.purchases))
        back = sum(x.amount_minor for x in self._in(span, self.history.returns))
        points = sum(n for on, n in self.points if span[0] <= on <= span[1])
        return {
            "qualifying_spend_minor": sum(x.amount_minor for x in spent) - back,
            "qualifying_purchases": len(spent),
            "qualifying_points": points,
        }

    @property
    def _grace_anchor(self) -> date:
        return plus_days(self.standing.since, -1)

    def _in(self, span: tuple[date, date], given: Iterable[Any]) -> Iterator[Any]:
        for fact in given:
            day = local_date(fact.at, self.point.zone)
            if span[0] <= day <= span[1]:
                yield fact

    def _at(self, day: date) -> AsOf:
        return self.point if day == self.point.day else AsOf(day, None, self.point.zone)

    @property
    def currency(self) -> str:
        """Currency of the purchases; empty if they do not say."""
        return next((x.currency for x in self.history.purchases), "")

    @property
    def mean_order(self) -> tuple[int, int]:
        """Sum and number of the orders known, for the average order value (AMB-09)."""
        known = list(self._in((date.min, self.point.day), self.history.purchases))
        return sum(x.amount_minor for x in known), len(known)


def _known(history: History, point: AsOf) -> History:
    """Leave out what is not known at the point of view."""
    return attrs.evolve(
        history,
        purchases=[x for x in history.purchases if point.knows(x.at)],
        interactions=[x for x in history.interactions if point.knows(x.at)],
        returns=[x for x in history.returns if point.knows(x.at)],
    )
