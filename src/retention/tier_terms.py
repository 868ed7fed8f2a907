"""The terms of a ladder: how tiers are reached and kept, over which days, and how long they hold.

Data and the questions that data alone answers. What becomes of a member is decided in
``tiers``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar

import attrs
from attrs import field

from retention.classifications import Classification
from retention.earning import whole
from retention.mechanisms.answers import Scalar
from retention.mechanisms.choices import member
from retention.mechanisms.decisions import Case, Decision
from retention.mechanisms.errors import InvalidValueError, NotRisingError, UnknownNameError
from retention.mechanisms.obligations import Every
from retention.mechanisms.periods import plus_days, plus_months
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.rules import Limit, Rule, as_rule
from retention.mechanisms.words import Word

QUALIFYING = ("qualifying_spend_minor", "qualifying_purchases", "qualifying_points")
"""Measures that are counted inside the qualification window of the ladder."""


class TierCriterion(Word):
    """What tiers are given by; each is one or more measures in the rules of a ladder (E-02)."""

    SPEND = "spend", "消费金额"
    FREQUENCY = "frequency", "消费频次"
    LOYALTY = "loyalty", "忠诚度"
    CUMULATIVE_SPEND = "cumulative_spend", "累计消费金额"
    POINTS = "points", "积分"
    SPEND_RANK = "spend_rank", "消费排名"
    VALUE = "value", "客户价值"
    ACTIVITY = "activity", "活跃度"


class QualificationWindow(Word):
    """Over which days the qualifying measures are counted."""

    ROLLING = "rolling", "滚动周期"  # the months that end with the day of the question
    CALENDAR = "calendar", "自然周期"  # from the first day of the calendar period
    ANNIVERSARY = "anniversary", "会员周年"  # from the last anniversary of joining
    LIFETIME = "lifetime", "累计"


class UpgradeTime(Word):
    """When a rise takes effect (E-04)."""

    AT_ONCE = "at_once", "即时升级"
    ON_DATES = "on_dates", "评定日升级"


class ValidityEnd(Word):
    """On which day the validity of a tier ends, once its months are over."""

    TO_THE_DAY = "to_the_day", "按日"
    MONTH_END = "month_end", "月末"
    YEAR_END = "year_end", "年末"


@policy
class TierCase(Case[Any]):
    """One tier: the rule to reach it, and the rule to keep it; None keeps by the same rule."""

    keep: Rule | None = field(default=None, converter=attrs.converters.optional(as_rule))


@policy
class TierTerms(Policy):
    """A ladder with its qualification window, validity, and ways up and down, as data.

    The ladder's table lists the tiers from the highest down; ``otherwise`` is the lowest, which
    needs no validity.
    """

    rows_in: ClassVar[str] = "ladder"

    ladder: Classification[Any]
    by: tuple[TierCriterion, ...] = field(default=(), converter=tuple)
    window: QualificationWindow = field(
        default=QualificationWindow.ROLLING,
        converter=lambda x: member(QualificationWindow, x, "window"),
    )
    window_months: int = 12
    upgrade: UpgradeTime = field(
        default=UpgradeTime.AT_ONCE, converter=lambda x: member(UpgradeTime, x, "upgrade")
    )
    evaluated: Every | None = None  # the last day of each window is an evaluation date
    validity_months: int | None = 12  # None: a tier once reached is never lost
    validity_end: ValidityEnd = field(
        default=ValidityEnd.TO_THE_DAY, converter=lambda x: member(ValidityEnd, x, "validity_end")
    )
    grace_days: int = 0
    one_step_down: bool = False

    def __attrs_post_init__(self) -> None:
        for name, least in (("window_months", 1), ("validity_months", 1), ("grace_days", 0)):
            value = getattr(self, name)
            if value is not None and not is_blank(value):
                whole(value, f"Tiers.{name}", least=least)
        calendar = self.window is QualificationWindow.CALENDAR
        if calendar and self.window_months not in {1, 2, 3, 4, 6, 12}:
            raise InvalidValueError("Tiers.window_months", self.window_months, "a part of a year")
        if self.rises_on_dates and self.evaluated is None:
            raise InvalidValueError("Tiers.evaluated", None, "Every(...), since it rises on dates")
        if self.ladder.table.otherwise is None:
            raise InvalidValueError("Tiers.ladder", None, "a lowest tier, as otherwise=...")
        self._check_rising()

    def _check_rising(self) -> None:
        """Refuse a limit that is easier in a higher tier than in the one below."""
        cases = [x for x in self.ladder.table.cases if not is_blank(x.when)]
        for higher, lower in pairwise(cases):
            ours, theirs = _limits(higher.when), _limits(lower.when)
            for name in ours.keys() & theirs.keys():
                high, low = ours[name], theirs[name]
                if high.relation != low.relation or high.relation not in _HARDER:
                    continue
                if _HARDER[high.relation] * (high.limit - low.limit) < 0:
                    where = f"{self.ladder.name}.{name}: {lower.key}, {higher.key}"
                    raise NotRisingError(where, (low.limit, high.limit), "limits that rise by tier")

    # --- the ladder -----------------------------------------------------------------------------

    @cached_property
    def names(self) -> tuple[Any, ...]:
        """Tiers from the lowest to the highest."""
        return tuple(reversed(self.ladder.table.outcomes))

    def rank(self, tier: str) -> int:
        """Place of a tier on the ladder; 0 is the lowest."""
        if tier not in self.names:
            raise UnknownNameError("tier", tier, [str(name) for name in self.names])
        return self.names.index(tier)

    @cached_property
    def ready(self) -> bool:
        """Whether no blank stands in the way of an evaluation."""
        return not self.blanks()

    def meets(self, values: Mapping[str, Scalar]) -> Decision[Any]:
        """Return the tier that criteria values reach, and the criteria met (E-02).

        >>> from retention.mechanisms.decisions import FirstMatch
        >>> TierTerms(
        ...     Classification(
        ...         "t", FirstMatch((TierCase("gold", "points >= 9"),), otherwise="none")
        ...     )
        ... ).meets({"points": 9}).explain()
        'gold: points 9 is >= 9'
        """
        return self.ladder.table.decide(values)

    @property
    def rises_on_dates(self) -> bool:
        """Whether rises wait for an evaluation date (E-04)."""
        return self.upgrade is UpgradeTime.ON_DATES

    @property
    def zone(self) -> str:
        """Zone in which the days of the ladder lie."""
        return self.ladder.zone

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """Measures that the rules to reach and to keep a tier ask for."""
        keeps = (x.keep for x in self.ladder.table.cases if isinstance(x, TierCase))
        rules = [x for x in keeps if x is not None and not is_blank(x)]
        more = (name for rule in rules for name in rule.measures())
        return tuple(dict.fromkeys((*self.ladder.table.measures, *more)))

    def keeps(self, tier: str, row: Mapping[str, Scalar]) -> bool:
        """Whether a row of values keeps a tier: by its own rule, or by reaching it anew."""
        rule = self.keep_rule(tier)
        if rule is not None and rule.holds(row):
            return True
        return self.rank(self.meets(row).outcome) >= self.rank(tier)

    def _case(self, tier: str) -> Case[Any] | None:
        return next((x for x in self.ladder.table.cases if x.outcome == tier), None)

    def keep_rule(self, tier: str) -> Rule | None:
        """Return the rule by which a tier is kept; None for the lowest, which is never lost."""
        case = self._case(tier)
        if isinstance(case, TierCase) and case.keep is not None:
            return case.keep
        return None if case is None else case.when

    # --- days -----------------------------------------------------------------------------------

    def first_day(self, day: date, since: date) -> date:
        """Return the first day of the qualification window that holds a day."""
        if self.window is QualificationWindow.LIFETIME:
            return date.min
        months = self.window_months
        if self.window is QualificationWindow.ROLLING:
            return plus_days(plus_months(day, -months), 1)
        if self.window is QualificationWindow.CALENDAR:
            return date(day.year, (day.month - 1) // months * months + 1, 1)
        passed = max((day.year - since.year) * 12 + day.month - since.month, 0) // months
        begin = plus_months(since, passed * months)
        return begin if begin <= day else plus_months(since, max(passed - 1, 0) * months)

    def last_day(self, first: date, tier: str) -> date | None:
        """Return the last day of a tier that holds from a day on; None if it has no end.

        Twelve months from 10 February end on 9 February: the first day is one of them.
        """
        if self.rank(tier) == 0 or self.validity_months is None:
            return None
        last = plus_days(plus_months(first, self.validity_months), -1)
        if self.validity_end is ValidityEnd.TO_THE_DAY:
            return last
        months = 1 if self.validity_end is ValidityEnd.MONTH_END else 13 - last.month
        return plus_days(plus_months(last.replace(day=1), months), -1)

    def landing(self, place: int, met: int) -> int:
        """Return the place on the ladder that a tier falls to when it is not kept."""
        below = place - 1 if self.one_step_down else met
        return max(min(below, place - 1), met, 0)


_HARDER = {">=": 1, ">": 1, "<=": -1, "<": -1}


def _limits(rule: Rule) -> dict[str, Limit]:
    """Limits by measure, where a rule has exactly one on it."""
    found: dict[str, Limit] = {}
    names = [each.measure for each in rule.limits()]
    for each in rule.limits():
        if names.count(each.measure) == 1:
            found[each.measure] = each
    return found
