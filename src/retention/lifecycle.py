"""Lifecycle: the stage of a customer as a pure function of history, and what changes it next.

Stages are a table of cases over measures (D-01, D-02), so one customer and millions get the
same answers. The machine SM-06 says which changes of stage there are; a law ties the two
together. What sleep and loss bring, the one wake-up touch and the handling afterwards, are
functions of the same history (D-24, SM-11). Maintenance layers are another axis and stay with
``segmentation`` (D-05), classes by purchase behaviour with ``grades``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from attrs import field, frozen

from retention import ageing, measures
from retention.activity import History
from retention.classifications import Classification
from retention.grades import PurchaseClass
from retention.mechanisms.decisions import Case, Decision, FirstMatch
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.machines import Machine, Step
from retention.mechanisms.obligations import Obligation, Window
from retention.mechanisms.periods import (
    AsOf,
    When,
    checked,
    day_edge,
    day_number,
    local_date,
    zone_of,
)
from retention.mechanisms.policies import Policy, blank, policy
from retention.mechanisms.rules import Rule
from retention.mechanisms.words import Word

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from retention.dues import Dues
    from retention.logs import InteractionLog, PurchaseLog
    from retention.mechanisms.outcomes import Outcomes


class Stage(Word, zh="生命周期阶段"):
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


class ClassEvent(Word):
    """What changes the class by purchase behaviour (SM-05)."""

    PURCHASE = "purchase", "购买"
    RECONTACT_NEW = "recontact_new", "单次购买客户恢复有效联系"
    RECONTACT_OLD = "recontact_old", "老客户恢复有效联系"


PURCHASE_CLASS = Machine(
    "SM-05",
    PurchaseClass,
    ClassEvent,
    """
    none     -purchase->       new   (first purchase)
    new      -purchase->       old   (repurchase, also after the window)
    new/old  ->                lost  (window passed and no contact)
    lost     -purchase->       old   (won back)
    lost     -recontact_new->  new   (the class before, overdue)
    lost     -recontact_old->  old   (the class before, overdue)
    new      ->                new   (window passed but in contact: overdue)
    old      ->                old   (window passed but in contact: overdue)
    """,
)
"""Classes by purchase behaviour of 000 as a machine (C-01, AMB-06)."""


class Handling(Word):
    """How sleep and loss of one customer are handled (SM-11)."""

    AWAKE = "awake", "未沉睡"
    SLEEPING = "sleeping", "沉睡"
    WOKEN_120 = "woken_120", "满120天已唤醒"
    LOST = "lost", "流失"
    WIN_BACK_TRIED = "win_back_tried", "已尝试挽回"
    ARCHIVED = "archived", "已归档"


class HandlingEvent(Word):
    """What changes the handling of sleep and loss (SM-11)."""

    PURCHASE = "purchase", "购买"
    INTERACT_OFTEN = "interact_often", "高频互动"
    INTERACT = "interact", "互动"
    COUPON_SENT = "coupon_sent", "已发无门槛券"
    NO_REACTION = "no_reaction", "客户未回应"


HANDLING = Machine(
    "SM-11",
    Handling,
    HandlingEvent,
    """
    awake                ->                 sleeping        (stage sleeping)
    sleeping             ->                 woken_120       (day 120 or later, once per episode)
    sleeping/woken_120   ->                 lost            (stage lost)
    lost                 -coupon_sent->     win_back_tried
    win_back_tried       -no_reaction->     archived
    lost/win_back_tried  -interact->        woken_120       (no second wake-up before awake)
    awake/sleeping/woken_120/lost/win_back_tried/archived  -purchase->        awake
    awake/sleeping/woken_120/lost/win_back_tried/archived  -interact_often->  awake
    """,
)
"""What follows from sleep and loss in 002 as a machine; sent coupons are facts of the host."""


class Automation(Word):
    """Touches that the lifecycle itself asks for (D-24)."""

    WAKE_UP = "wake_up", "发送唤醒邮件"


class Reach(Word):
    """Whether there still is effective contact (D-31)."""

    IN_CONTACT = "in_contact", "保持有效联系"
    OUT_OF_CONTACT = "out_of_contact", "失去有效联系"


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
class WakeUp(Policy):
    """The touch for who sleeps: once an episode, on a day without purchase (D-24)."""

    when: Stage
    at_day: int  # days since the last purchase
    do: Automation
    via: tuple[str, ...] = field(converter=tuple)  # kinds of channel

    def __attrs_post_init__(self) -> None:
        if self.at_day < 1:
            raise InvalidValueError("WakeUp.at_day", self.at_day, "at least 1")


@frozen
class Contact:
    """Whether a customer can be reached, the last effective contact, and why (D-31)."""

    decision: Decision[Reach]
    last: date | None

    @property
    def in_contact(self) -> bool:
        """Whether the last effective contact still counts."""
        return self.decision.outcome is Reach.IN_CONTACT


@frozen
class Handled:
    """What the host did for a lost customer: the coupon was sent, or nothing came back."""

    what: HandlingEvent
    at: When

    def __attrs_post_init__(self) -> None:
        if self.what not in _BY_HOST:
            raise InvalidValueError("Handled.what", self.what, " or ".join(_BY_HOST))
        checked(self.at, "Handled.at")


_BY_HOST = (HandlingEvent.COUPON_SENT, HandlingEvent.NO_REACTION)


@frozen
class HandlingStep:
    """One change of the handling: the row of SM-11, its local date, and its instant."""

    on: date
    at: datetime
    step: Step[Handling, HandlingEvent]


@policy
class Lifecycle(Policy):
    """The stages of 002 as data (D-01 to D-06, D-09), contact and wake-up (D-31, D-24).

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
    contact: Rule = blank("no definition of effective contact")
    wake_up: WakeUp = blank("no wake-up touch")
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

    def in_contact(self, history: History, *, as_of: When) -> Contact:
        """Say whether effective contact is kept, and when it last was (D-31).

        >>> from retention import Interaction, parse
        >>> life = Lifecycle(contact=parse("days_since_call <= 180 or days_since_opened <= 180"))
        >>> history = History("C-17", (), [Interaction("C-17", date(2024, 1, 1), "opened")])
        >>> found = life.in_contact(history, as_of=date(2024, 6, 30))
        >>> found.in_contact, str(found.last)
        (False, '2024-01-01')
        """
        found = self._reach.outcome(history, as_of=as_of)
        at = self._reach.at(as_of)
        ages = measures.measured(history, self._contact_ages, at).values()
        days = min((int(age) for age in ages if age is not None), default=None)
        last = None if days is None else at.day - timedelta(days=days)
        return Contact(cast("Decision[Reach]", found), last)

    def wake_ups(self, history: History, *, until: When) -> tuple[Obligation, ...]:
        """Return the wake-up touches that came due, one for each episode of sleep (D-24).

        On the day of the policy without purchase, or on falling asleep if that is later.

        >>> from retention import Purchase
        >>> from retention.presets import ecommerce
        >>> history = History("C-17", [Purchase("C-17", date(2024, 1, 1), 12_50)])
        >>> due = ecommerce.lifecycle.wake_ups(history, until=date(2024, 12, 31))
        >>> [(str(each.what), each.channels, str(each.window.last_day)) for each in due]
        [('wake_up', ('email',), '2024-04-30')]
        """
        found, woken = [], False
        changes = self.timeline(history, until=until)
        for change, end in zip(changes, (*(x.at for x in changes[1:]), None), strict=False):
            woken = woken and change.entered in self.returning
            if change.entered is self.wake_up.when and not woken:
                window = self._wake_window(history, change.at, end)
                if window is not None and self._stages.at(until).knows(window.opens):
                    found.append(self._wake(history.customer, window))
                    woken = True
        return tuple(found)

    def handlings(
        self, history: History, handled: Iterable[Handled] = (), *, until: When
    ) -> tuple[HandlingStep, ...]:
        """Return how sleep and loss were handled, oldest first: rows of SM-11.

        What the host did counts only where the machine has a row for it.

        >>> from retention import Purchase
        >>> from retention.presets import ecommerce
        >>> history = History("C-17", [Purchase("C-17", date(2024, 1, 1), 12_50)])
        >>> sent = Handled(HandlingEvent.COUPON_SENT, date(2024, 7, 1))
        >>> for each in ecommerce.lifecycle.handlings(history, [sent], until=date(2024, 7, 31)):
        ...     print(each.on, each.step.source, "->", each.step.target)
        2024-04-01 awake -> sleeping
        2024-04-30 sleeping -> woken_120
        2024-06-30 woken_120 -> lost
        2024-07-01 lost -> win_back_tried
        """
        found: list[HandlingStep] = []
        here = Handling.AWAKE
        events = self._handling_events(history, handled, until)
        for at, on, what in sorted(events, key=lambda event: event[0]):
            step = _taken(here, what)
            if step is not None and step.target is not here:
                found.append(HandlingStep(on, at, step))
                here = step.target
        return tuple(found)

    def handling(
        self, history: History, handled: Iterable[Handled] = (), *, as_of: When
    ) -> Handling:
        """Return where the handling of sleep and loss stands (SM-11)."""
        found = self.handlings(history, handled, until=as_of)
        return found[-1].step.target if found else Handling.AWAKE

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

    def contacts(
        self,
        interactions: InteractionLog,
        purchases: PurchaseLog | None = None,
        *,
        as_of: When,
        customers: ArrayLike | None = None,
    ) -> dict[str, Any]:
        """Return who is in effective contact, and the last one, as columns (D-31).

        ``customers`` and ``purchases`` add those without any interaction; who never was in
        contact has no last date (``NaT``).
        """
        import numpy as np

        from retention.logs import PurchaseLog
        from retention.summaries import Summary

        at = self._reach.at(as_of)
        names = tuple(dict.fromkeys((*self.contact.measures(), *self._contact_ages)))
        bought = PurchaseLog.of([]) if purchases is None else purchases
        summary = Summary.of(names, bought, interactions, as_of=at, customers=customers)
        ages = np.fmin.reduce([summary.column(x).astype(float) for x in self._contact_ages])
        never = np.isnan(ages)
        last = (day_number(at.day) - np.where(never, 0, ages)).astype("datetime64[D]")
        return {
            "customer": summary.customers,
            "in_contact": self.contact.mask(summary.columns()),
            "last_contact": np.where(never, np.datetime64("NaT"), last),
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

    # --- contact, wake-up and handling ----------------------------------------------------------

    @cached_property
    def _reach(self) -> Classification[Reach]:
        table = FirstMatch((Case(Reach.IN_CONTACT, self.contact),), otherwise=Reach.OUT_OF_CONTACT)
        return Classification("contact", table, zone=self.zone)

    @property
    def _contact_ages(self) -> tuple[str, ...]:
        """Measures of the days since each kind of contact that the rule looks at."""
        kinds = (x.of for name in self.contact.measures() for x in measures.figure(name).aggregates)
        names = {"interactions": "interaction", "purchases": "purchase"}
        return tuple(dict.fromkeys(f"days_since_{names.get(kind, kind)}" for kind in kinds))

    def _wake_window(
        self, history: History, slept: datetime, end: datetime | None
    ) -> Window | None:
        """Day of the wake-up in one sleep that began and ended; None if it never came to it."""
        zone = zone_of(self.zone)
        days = (local_date(each.at, zone) for each in history.purchases)
        last = max((day for day in days if day <= local_date(slept, zone)), default=None)
        if last is None:
            return None
        opens = max(slept, day_edge(last + timedelta(days=self.wake_up.at_day), zone))
        if end is not None and opens >= end:
            return None
        closes = day_edge(local_date(opens, zone) + timedelta(days=1), zone)
        return Window(opens, min(closes, end or closes), zone, late_until=end)

    def _wake(self, customer: str | int, window: Window) -> Obligation:
        return Obligation(customer, self.wake_up.do, window, "D-24", channels=self.wake_up.via)

    def _handling_events(
        self, history: History, handled: Iterable[Handled], until: When
    ) -> Iterator[tuple[datetime, date, Handling | HandlingEvent]]:
        """What the machine is told, and when; of one instant stages come before the rest."""
        point = self._stages.at(until)
        for change in self.timeline(history, until=until):
            yield change.at, change.on, self._handling_event(change)
        for task in self.wake_ups(history, until=until):
            opens = task.window.opens
            yield opens, local_date(opens, point.zone), Handling.WOKEN_120
        for fact in handled:
            if point.knows(fact.at):
                on = local_date(fact.at, point.zone)
                yield _instant(fact.at, point), on, fact.what

    def _handling_event(self, change: ageing.Transition[Stage]) -> Handling | HandlingEvent:
        """Read a change of stage: a state that time leads to, or what the customer did."""
        if change.entered not in self.returning:
            bought = change.trigger is ageing.Trigger.PURCHASE
            return HandlingEvent.PURCHASE if bought else HandlingEvent.INTERACT_OFTEN
        if change.entered is Stage.LOST:
            return Handling.LOST
        return HandlingEvent.INTERACT if change.left is Stage.LOST else Handling.SLEEPING


def _taken(here: Handling, what: Handling | HandlingEvent) -> Step[Handling, HandlingEvent] | None:
    """Return the row of SM-11 that is taken; None where there is none."""
    if isinstance(what, Handling):
        return next((row for row in HANDLING.by_time(here) if row.target is what), None)
    answer = HANDLING.step(here, what)
    return answer if isinstance(answer, Step) else None


def _instant(when: When, point: AsOf) -> datetime:
    return when.astimezone(UTC) if isinstance(when, datetime) else day_edge(when, point.zone)
