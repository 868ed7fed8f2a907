"""Improvement items: a finding becomes a measure with a department and a day, and is checked.

An item is corrective or preventive; its way is SM-29. Whether a measure helped is not an
opinion: a metric before and after, with both counts, decides (H-46). What was found is said by
``root_causes``; which metric is worth looking at is the company's choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from fractions import Fraction
from typing import Any

from attrs import evolve, field, frozen

from retention.mechanisms.acts import timed, who
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.choices import member
from retention.mechanisms.errors import InvalidValueError, WrongTypeError
from retention.mechanisms.estimates import Change, Estimate, Verdict, exact, verdict
from retention.mechanisms.machines import Machine
from retention.mechanisms.obligations import (
    AgendaItem,
    Days,
    Obligation,
    Window,
    agenda,
    owed,
)
from retention.mechanisms.periods import When, checked, day_edge, day_end, local_date, zone_of
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.words import Word
from retention.mechanisms.workflows import Act, Progress, Taken, Workflow
from retention.ratings import Better, Figure, Gain, RatingMetric
from retention.root_causes import Finding


class ImprovementState(Word):
    """States of an improvement item (SM-29)."""

    PROPOSED = "proposed", "已提出"
    ASSIGNED = "assigned", "已分派"
    IN_PROGRESS = "in_progress", "执行中"
    IMPLEMENTED = "implemented", "已实施"
    EFFECT_CHECKED = "effect_checked", "已评估效果"
    CLOSED = "closed", "已关闭"
    DROPPED = "dropped", "已放弃"


class ImprovementCommand(Word):
    """Commands of an improvement item (SM-29)."""

    ASSIGN = "assign", "分派"
    START = "start", "开始执行"
    IMPLEMENT = "implement", "实施完成"
    MEASURE = "measure", "评估效果"
    EFFECTIVE = "effective", "有效"
    NOT_EFFECTIVE = "not_effective", "无效"
    DROP = "drop", "放弃"


class ImprovementKind(Word):
    """What an item is for: to undo a cause, or to keep it from arising (H-28)."""

    CORRECTIVE = "corrective", "纠正措施"
    PREVENTIVE = "preventive", "预防措施"


# SM-29; what an effect was measured with is brought, and its verdict is judged.
IMPROVING = Machine(
    "SM-29",
    ImprovementState,
    ImprovementCommand,
    """
    proposed -assign-> assigned [measure, department, due]
    assigned -start-> in_progress
    in_progress -implement-> implemented
    implemented -measure-> effect_checked [metric, before, after, both_counted]
    effect_checked -effective-> closed [is_effective]
    effect_checked -not_effective-> in_progress [is_not_effective]
    proposed/assigned/in_progress/implemented/effect_checked -drop-> dropped [reason]
    """,
)
_JUDGED = ("both_counted", "is_effective", "is_not_effective")
_BOTH = 2

ImprovementProgress = Progress[ImprovementState, ImprovementCommand]
ImprovementStep = Taken[ImprovementState, ImprovementCommand]
ImprovementAct = Act[ImprovementCommand] | Act[str]


@frozen
class Proposed:
    """A finding was made an item: the fact with which it begins."""

    item: str
    finding: Finding
    kind: ImprovementKind
    at: When = field(validator=timed)
    by: str = field(validator=who)
    on: date


ImprovementFact = Proposed | ImprovementStep


@frozen
class ImprovementItem:
    """One item: its finding, its kind, where it stands, and every step that led there."""

    proposed: Proposed
    progress: ImprovementProgress

    @property
    def id(self) -> str:
        """Identifier of the item."""
        return self.proposed.item

    @property
    def state(self) -> ImprovementState:
        """Where it stands."""
        return self.progress.state

    @property
    def department(self) -> str:
        """Department that is responsible: the assigned one, else that of the finding."""
        return str(self.progress.get("department", self.proposed.finding.department))

    @property
    def facts(self) -> tuple[ImprovementFact, ...]:
        """Everything that happened, oldest first."""
        return (self.proposed, *self.progress.steps)


@frozen
class Effect:
    """A metric before and after, with both counts, and whether it got better (H-46)."""

    metric: str
    before: Estimate
    after: Estimate
    better: Better = Better.LOWER

    @classmethod
    def of_gain(cls, metric: RatingMetric, gain: Gain) -> Effect:
        """Return the effect that a gain of a rating metric shows (I-27)."""
        down = metric.scale.better is Better.LOWER and metric.figure is Figure.MEAN
        better = Better.LOWER if down else Better.HIGHER
        return cls(metric.name, gain.before.estimate, gain.after.estimate, better)

    @property
    def change(self) -> Fraction | None:
        """Improvement in points, positive is better; None if one of the two has no value."""
        found = self.after.change_from(self.before, Change.POINTS)
        return -found if found is not None and self.better is Better.LOWER else found

    def verdict(self, at_least: Fraction | float | None = None) -> Verdict:
        """Say whether it got better, by so much at least; nobody can say without both counts.

        >>> effect = Effect("recurrence_rate", Estimate(9, 40), Estimate(3, 50))
        >>> effect.verdict().value, effect.verdict(0.2).value
        ('met', 'missed')
        """
        change = self.change
        if change is not None and not change > 0:
            return Verdict.MISSED
        return verdict(change, at_least=0 if at_least is None else at_least)

    def brings(self) -> dict[str, Any]:
        """Return what the act of measuring brings."""
        return {
            "metric": self.metric,
            "better": str(self.better),
            "mean": not self.before.share,
            "before": (self.before.numerator, self.before.denominator),
            "after": (self.after.numerator, self.after.denominator),
        }


@policy
class Improvements(Policy):
    """How items are handled: when the effect is measured, and how much better is enough.

    ``departments`` are those that may be responsible; none named: any. An open item follows a
    change of these rules at once.

    >>> rules, day = Improvements(departments=["logistics"]), date(2024, 7, 1)
    >>> late = Finding("late", "cause", 18, 40, day, day, "logistics", "H-27")
    >>> item = rules.propose(late, item="I-1", at=day, by="li").state
    >>> plan = {"measure": "second courier", "department": "logistics", "due": date(2024, 7, 20)}
    >>> item = rules.decide(item, Act("assign", at=day, by="li", brings=plan)).or_raise().state
    >>> item.state.value, str(rules.agenda([item], as_of=date(2024, 7, 21))[0])
    ('assigned', '2024-07-20 missed: implement for I-1 (H-46)')
    """

    check_after_days: int = 30  # from the implementation to the measurement of its effect
    least_change: Fraction | str = "0"  # improvement in points that counts as effective
    departments: tuple[str, ...] = field(default=(), converter=tuple)
    rule: str = "H-46"
    zone: str = "Asia/Shanghai"

    def __attrs_post_init__(self) -> None:
        if not is_blank(self.check_after_days) and self.check_after_days < 0:
            where = "Improvements.check_after_days"
            raise InvalidValueError(where, self.check_after_days, "0 or more")
        if not is_blank(self.least_change) and Fraction(self.least_change) < 0:
            raise InvalidValueError("Improvements.least_change", self.least_change, "0 or more")

    @property
    def workflow(self) -> Workflow[ImprovementState, ImprovementCommand]:
        """The way of an item (SM-29)."""
        return Workflow(IMPROVING, ImprovementState.PROPOSED, self.zone, _JUDGED)

    def propose(
        self,
        finding: Finding,
        *,
        item: str,
        at: When,
        by: str,
        kind: ImprovementKind | str = ImprovementKind.CORRECTIVE,
    ) -> Accepted[ImprovementItem, ImprovementFact]:
        """Turn a finding into an item (H-46)."""
        on = local_date(checked(at, "at"), zone_of(self.zone))
        which = member(ImprovementKind, kind, "kind")
        fact = Proposed(item, finding, which, at, by, on)
        return Accepted(ImprovementItem(fact, self.workflow.start(item)), (fact,))

    def decide(
        self,
        item: ImprovementItem,
        act: ImprovementAct,
        *,
        earlier: Iterable[ImprovementStep] = (),
    ) -> Accepted[ImprovementItem, ImprovementFact] | Refused:
        """Judge a step of an item; nobody calls a measure effective against its figures."""
        if (no := self._strange_department(item, act)) is not None:
            return no
        answer = self.workflow.decide(
            item.progress,
            act,
            earlier=earlier,
            holds=tuple(self._true(item, act)),
            missing=self._too_early(act),
        )
        if isinstance(answer, Refused):
            return answer
        return Accepted(evolve(item, progress=answer.state), answer.facts)

    def replay(self, facts: Iterable[ImprovementFact]) -> ImprovementItem:
        """Fold all facts of an item, oldest first; the first says what it is about."""
        first, *rest = facts
        if not isinstance(first, Proposed):
            raise WrongTypeError("replay", type(first).__name__, "facts that begin with Proposed")
        steps = [x for x in rest if isinstance(x, Taken)]
        return ImprovementItem(first, self.workflow.replay(first.item, steps))

    def effect(self, item: ImprovementItem) -> Effect | None:
        """Return what was measured last; None before."""
        step = item.progress.when(ImprovementState.EFFECT_CHECKED)
        return None if step is None else _effect(step)

    # --- what is due ----------------------------------------------------------------------------

    def agenda(self, items: Iterable[ImprovementItem], *, as_of: When) -> tuple[AgendaItem, ...]:
        """Return what the open items owe, earliest first: the measure, then its measurement."""
        return agenda((task for item in items for task in self.obligations(item)), as_of=as_of)

    def obligations(self, item: ImprovementItem) -> Iterator[Obligation]:
        """Return what an item owes in its state: nothing before its plan and after its end.

        A measure that did not help is in progress again, with its old day or a new ``due``.
        """
        zone, state = zone_of(self.zone), item.state
        if state in {ImprovementState.ASSIGNED, ImprovementState.IN_PROGRESS}:
            plan = item.progress.when(ImprovementState.ASSIGNED)
            assert plan is not None  # noqa: S101  the machine has no other way here
            closes = day_end(local_date(item.progress.get("due"), zone), zone)
            window = Window(min(day_edge(plan.on, zone), closes), closes, zone)
            yield Obligation(item.id, "implement", window, self.rule, who=item.department)
        if state is ImprovementState.IMPLEMENTED:
            step = item.progress.when(ImprovementState.IMPLEMENTED)
            assert step is not None  # noqa: S101  the same
            days = Days(self.check_after_days, self.check_after_days)
            yield from owed(
                days, step.at, subject=item.id, what="measure", rule=self.rule, zone=zone,
                who=item.department,
            )  # fmt: skip

    # --- parts of a decision --------------------------------------------------------------------

    def _true(self, item: ImprovementItem, act: ImprovementAct) -> Iterator[str]:
        if act.name == ImprovementCommand.MEASURE and {"before", "after"} <= act.names:
            effect = _effect(act)
            if effect.before.denominator and effect.after.denominator:
                yield "both_counted"
        found = self.effect(item)
        if found is not None:
            met = found.verdict(exact(Fraction(self.least_change), "least_change"))
            yield "is_effective" if met is Verdict.MET else "is_not_effective"

    def _too_early(self, act: ImprovementAct) -> tuple[str, ...]:
        """Whether a plan would be due before it is made."""
        due = act.get("due")
        if act.name != ImprovementCommand.ASSIGN or due is None:
            return ()
        zone = zone_of(self.zone)
        early = local_date(checked(due, "due"), zone) < local_date(act.at, zone)
        return ("due_not_before_the_plan",) if early else ()

    def _strange_department(self, item: ImprovementItem, act: ImprovementAct) -> Refused | None:
        department = act.get("department")
        if not self.departments or department is None or department in self.departments:
            return None
        given = (str(item.state), str(act.name))
        return Refused(Code.NO_RIGHT, given, (f"one of {', '.join(self.departments)}",),
                       self.workflow.allowed(item.progress))  # fmt: skip


def _effect(given: ImprovementAct | ImprovementStep) -> Effect:
    """Read an effect from what was brought."""
    better = member(Better, given.get("better", Better.LOWER), "better")
    share = not given.get("mean", False)
    before, after = (_counted(given[name], name, share=share) for name in ("before", "after"))
    return Effect(str(given.get("metric", "")), before, after, better)


def _counted(pair: Any, where: str, *, share: bool) -> Estimate:  # noqa: ANN401
    """Read one side of an effect: whatever a form holds."""
    if not isinstance(pair, tuple) or len(pair) != _BOTH:
        raise WrongTypeError(where, pair, "a numerator and a denominator")
    return Estimate(pair[0], pair[1], share=share)
