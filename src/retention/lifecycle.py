"""Lifecycle: the stage of a customer as a pure function of history, and what changes it next.

Stages are a table of cases over measures (D-01, D-02), so one customer and millions get the
same answers. The machine SM-06 says which changes of stage there are; a law ties the two
together. Maintenance layers are another axis and stay with ``segmentation`` (D-05).
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from attrs import field, frozen

from retention import ageing, measures
from retention.activity import History
from retention.classifications import Classification
from retention.mechanisms.decisions import Decision, FirstMatch
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.machines import Machine
from retention.mechanisms.periods import When
from retention.mechanisms.policies import Policy, blank, policy
from retention.mechanisms.words import Word

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from retention.dues import Dues
    from retention.logs import InteractionLog, PurchaseLog
    from retention.mechanisms.outcomes import Outcomes


class Stage(Word):
    """Lifecycle stages of 002 (D-01, D-02)."""

    REGISTERED = "registered", "注册"
    POTENTIAL = "potential", "潜在客户"
    NEW = "new", "新客户"
    ACTIVE = "active", "活跃客户"
    SLEEPING = "sleeping", "沉睡客户"
    LOST = "lost", "流失客户"


class LifecycleEvent(Word):
    """What a customer does that can change the stage (SM-06)."""

    INTERACT = "interact", "互动"
    INTERACT_OFTEN = "interact_often", "高频互动"
    PURCHASE = "purchase", "购买"


LIFECYCLE = Machine(
    "SM-06",
    Stage,
    LifecycleEvent,
    """
    registered            -interact->        potential  (browse, favourite, cart or similar)
    registered/potential  -purchase->        new        (first order)
    new                   ->                 active     (day 31)
    active                ->                 sleeping   (day 91 or later and not frequent)
    sleeping              ->                 lost       (day 181 or later, no interaction for over 180 days)
    sleeping/lost         -purchase->        active     (reactivated)
    sleeping/lost         -interact_often->  active     (frequent interaction)
    lost                  -interact->        sleeping   (some interaction)
    """,  # noqa: E501  a row is a line
)
"""The lifecycle of 002 as a machine; edges without an event are made by time."""


@policy
class Reduction(Policy):
    """When interaction counts as reduced: the latest window against the one before (D-04)."""

    window_days: int
    ratio_below: float

    def __attrs_post_init__(self) -> None:
        if self.window_days < 1:
            raise InvalidValueError("Reduction.window_days", self.window_days, "at least 1")


@frozen
class Interacting:
    """Interaction of one customer in two windows of equal length, and whether it is reduced."""

    reduced: bool
    latest: int
    preceding: int

    @property
    def ratio(self) -> float | None:
        """Latest to preceding; no value when there was nothing before."""
        return self.latest / self.preceding if self.preceding else None


@frozen
class Reactivation:
    """A sleeping or lost customer bought again (D-09)."""

    on: date
    left: Stage
    days_away: int  # days since the purchase before


@policy
class Lifecycle(Policy):
    """The stages of 002 as data (D-01 to D-06, D-09).

    An open question follows a change of this policy at once: a stage is always a function
    of the policy in force and the facts, never a stored state.

    >>> from retention import Purchase
    >>> from retention.presets import ecommerce
    >>> history = History("C-17", [Purchase("C-17", date(2024, 1, 1), 12_50)])
    >>> decision = ecommerce.lifecycle.stage(history, as_of=date(2024, 4, 1))
    >>> decision.outcome.label("zh"), str(decision.reasons[0])
    ('沉睡客户', 'days_since_purchase 91 is <= 180')
    >>> str(ecommerce.lifecycle.due(history, as_of=date(2024, 4, 1)))
    '2024-06-30 sleeping -> lost, unless a purchase or an interaction comes first'
    """

    stage_table: FirstMatch[Stage] = field(default=blank("no lifecycle stages"), alias="stages")
    reduced: Reduction = blank("no comparison of interaction")
    returning: tuple[Stage, ...] = field(default=(Stage.SLEEPING, Stage.LOST), converter=tuple)
    zone: str = "Asia/Shanghai"

    # --- one customer ---------------------------------------------------------------------------

    def stage(self, history: History, *, as_of: When) -> Decision[Stage]:
        """Return the stage of one customer with its reasons (D-01, D-02)."""
        return cast("Decision[Stage]", self._stages.outcome(history, as_of=as_of))

    def interacting(self, history: History, *, as_of: When) -> Interacting:
        """Compare the interaction of one customer with the window before (D-04)."""
        found = measures.measured(history, self._windows, self._stages.at(as_of))
        latest, preceding = (int(found[name] or 0) for name in self._windows)
        return Interacting(self._is_reduced(latest, preceding), latest, preceding)

    def due(self, history: History, *, as_of: When) -> ageing.Transition[Stage] | None:
        """Return when the stage changes if nothing happens; None if it never will."""
        found = self._stages.due(history, as_of=as_of)
        return cast("ageing.Transition[Stage] | None", found)

    def timeline(self, history: History, *, until: When) -> tuple[ageing.Transition[Stage], ...]:
        """Return every change of stage with date and trigger, oldest first (D-06).

        >>> from retention import Purchase
        >>> from retention.presets import ecommerce
        >>> history = History("C-17", [Purchase("C-17", date(2024, 1, 1), 12_50)])
        >>> for change in ecommerce.lifecycle.timeline(history, until=date(2024, 6, 30)):
        ...     print(change.on, change.left, "->", change.entered, change.trigger)
        2024-01-01 registered -> new purchase
        2024-02-01 new -> active time
        2024-04-01 active -> sleeping time
        2024-06-30 sleeping -> lost time
        """
        found = self._stages.timeline(history, until=until)
        return cast("tuple[ageing.Transition[Stage], ...]", found)

    def reactivations(self, history: History, *, until: When) -> tuple[Reactivation, ...]:
        """Return every return after absence by a purchase (D-09)."""
        return tuple(
            Reactivation(change.on, change.left, change.days_away)
            for change in self.timeline(history, until=until)
            if change.trigger is ageing.Trigger.PURCHASE
            and change.left in self.returning
            and change.days_away is not None
        )

    # --- many customers -------------------------------------------------------------------------

    def stages(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
        customers: ArrayLike | None = None,
    ) -> Outcomes[Stage]:
        """Return the stage of every customer; ``customers`` adds those who only registered."""
        return self._stages.outcomes(purchases, interactions, as_of=as_of, customers=customers)

    def interactings(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
        customers: ArrayLike | None = None,
    ) -> dict[str, Any]:
        """Compare interaction with the window before, as columns (D-04)."""
        from retention.summaries import Summary

        at = self._stages.at(as_of)
        summary = Summary.of(self._windows, purchases, interactions, as_of=at, customers=customers)
        latest, preceding = (summary.column(name) for name in self._windows)
        reduced = self._is_reduced(latest, preceding)
        return {
            "customer": summary.customers,
            "latest": latest,
            "preceding": preceding,
            "reduced": reduced,
        }

    def dues(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
        customers: ArrayLike | None = None,
    ) -> Dues[Stage]:
        """Return the next change of stage of every customer if nothing happens."""
        found = self._stages.dues(purchases, interactions, as_of=as_of, customers=customers)
        return cast("Dues[Stage]", found)

    @cached_property
    def _stages(self) -> Classification[Stage]:
        return Classification("stages", self.stage_table, zone=self.zone)

    @property
    def _windows(self) -> tuple[str, str]:
        days = self.reduced.window_days
        return f"interactions_latest_{days}d", f"interactions_preceding_{days}d"

    def _is_reduced(self, latest: Any, preceding: Any) -> Any:  # noqa: ANN401  one or columns
        """Below the ratio; nothing in both windows counts as reduced."""
        return (latest < self.reduced.ratio_below * preceding) | (latest + preceding < 1)
