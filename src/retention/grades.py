"""Grades: the words of the handbooks for classes and grades, and what stands beside a rank.

Every class and grade is a classification, so it is data. Here are its words (C-01 to C-13,
C-27), the further wording of a grade with its two modes (C-08, AMB-27), the standing of every
customer in a ranking (C-07), and the services that a layer brings (C-28). Scores from
weighted factors are in ``scores``.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property, reduce
from operator import and_
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs
from attrs import field, frozen

from retention import ageing, measures
from retention.activity import History
from retention.classifications import Classification
from retention.mechanisms.answers import Reason
from retention.mechanisms.decisions import Case, Decision, FirstMatch, said
from retention.mechanisms.errors import InvalidValueError, UnknownNameError
from retention.mechanisms.periods import When
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.ranks import Ties, best_ranks
from retention.mechanisms.rules import Rule
from retention.mechanisms.tables import (
    Column,
    Head,
    Shown,
    Table,
    count_text,
    figures,
    headline,
    share_text,
)
from retention.mechanisms.words import Language, Word

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from retention.dues import Dues
    from retention.logs import InteractionLog, PurchaseLog
    from retention.mechanisms.outcomes import Outcomes
    from retention.summaries import Attributes, Summary

Outcome = TypeVar("Outcome")


class PurchaseClass(Word, zh="购买类别"):
    """Classes by purchase behaviour (C-01, C-02, VAR-03)."""

    NONE = "none", "未购买"
    POTENTIAL = "potential", "潜在客户"
    NEW = "new", "新客户"
    OLD = "old", "老客户"
    LOST = "lost", "流失客户"
    DORMANT = "dormant", "休眠客户"  # AMB-06, when a handbook wants it


class Overdue(Word, zh="逾期标记"):
    """Flag beside the purchase class: the window is over, the contact is not (AMB-06)."""

    OVERDUE = "overdue", "逾期未复购"
    IN_TIME = "in_time", "未逾期"


class PartyType(Word, zh="客户类型"):
    """Who the customer is (C-03)."""

    INDIVIDUAL = "individual", "个人客户"
    ENTERPRISE = "enterprise", "企业客户"
    UNKNOWN = "unknown", "类型未登记"


class IndustryClass(Word, zh="行业类别"):
    """Classes by industry; which industries they are is policy data (C-04)."""

    INDUSTRY_A = "industry_a", "行业A用户"
    INDUSTRY_B = "industry_b", "行业B用户"
    OTHER = "other", "其他行业用户"


class ValueClass(Word, zh="价值类别"):
    """Classes by value contribution, and levels of one measure (C-05, C-06)."""

    HIGH = "high", "高价值"
    MEDIUM = "medium", "中等价值"
    LOW = "low", "低价值"


class SpendGrade(Word, zh="消费等级"):
    """Grades by the rank of spend in the past year (C-07)."""

    DIAMOND = "diamond", "钻石级"
    PLATINUM = "platinum", "白金级"
    GOLD = "gold", "黄金级"
    SILVER = "silver", "白银级"
    ORDINARY = "ordinary", "普通级"


class VipTier(Word, zh="VIP等级"):
    """Tiers of the shop's VIP programme; customers may have none (VAR-01, 002)."""

    DIAMOND_CARD = "diamond_card", "钻石卡"
    GOLD_CARD = "gold_card", "金卡"
    SILVER_CARD = "silver_card", "银卡"
    NONE = "none", "非VIP客户"


class MemberTier(Word, zh="会员等级"):
    """Tiers of members; ordinary is where everybody enters (VAR-01, 003)."""

    DIAMOND = "diamond", "钻石会员"
    GOLD_CARD = "gold_card", "金卡会员"
    SILVER_CARD = "silver_card", "银卡会员"
    ORDINARY = "ordinary", "普通会员"


class LoyaltyGrade(Word, zh="忠诚度等级"):
    """Grades by loyalty (C-10)."""

    LOYAL = "loyal", "忠诚用户"
    FAIRLY_LOYAL = "fairly_loyal", "较忠诚用户"
    GENERALLY_LOYAL = "generally_loyal", "一般忠诚用户"
    LOW = "low", "低忠诚用户"


class Stability(Word, zh="购买稳定性"):
    """How steady the purchase frequency is (C-12)."""

    STABLE = "stable", "稳定"
    FAIRLY_STABLE = "fairly_stable", "较稳定"
    FLUCTUATING = "fluctuating", "波动较大"
    UNSTABLE = "unstable", "不稳定"


class Participation(Word, zh="活动参与度"):
    """How often a customer takes part in activities (C-13)."""

    ACTIVE = "active", "积极参与"
    OCCASIONAL = "occasional", "偶尔参与"
    FEW = "few", "较少参与"
    ALMOST_NONE = "almost_none", "几乎不参与"


class Brand(Word, zh="品牌关系"):
    """What a customer holds of the brand, from a survey (C-10)."""

    IDENTIFIES = "identifies", "高度认同"
    GOODWILL = "goodwill", "有一定好感"
    FAINT = "faint", "印象一般"
    LITTLE_KNOWN = "little_known", "了解较少"


class ValueLayer(Word, zh="价值层级"):
    """Layers of 004; below silver there is none (C-27)."""

    DIAMOND = "diamond", "钻石客户"
    GOLD = "gold", "黄金客户"
    SILVER = "silver", "白银客户"
    NONE = "none", "未分层"


class Service(Word):
    """Services that a layer brings (C-28)."""

    PRIORITY_SERVICE_CHANNEL = "priority_service_channel", "优先客服通道"


class Strictness(Word):
    """What the further wording of a grade does (AMB-27)."""

    RANK_ONLY = "rank_only", "仅按排名"
    STRICT = "strict", "严格"


@policy
class Criterion(Policy, Generic[Outcome]):
    """One further wording of a grade, as a rule over measures and attributes."""

    grade: Outcome
    name: str
    when: Rule

    @property
    def key(self) -> str:
        """Name of the row: grade and criterion."""
        return f"{self.grade}_{self.name}"


@frozen
class Check:
    """Whether one customer meets one criterion of the grade, and why."""

    criterion: str
    met: bool
    reasons: tuple[Reason, ...]


@policy
class Graded(Classification[Outcome]):
    """A classification by rank or years, with the further wording of each grade (C-08, C-10).

    ``rank_only``: the table alone decides, the wording is only reported. ``strict``: whoever
    fails a criterion of the grade is one grade lower, never below the lowest (AMB-27); what is
    not known is not met. Either way the grade is a function of the policy in force.

    >>> from datetime import date
    >>> from retention import Purchase, PurchaseLog
    >>> from retention.presets import user_retention
    >>> log = PurchaseLog.of(Purchase(n, date(2024, 6, 1), 100 - n) for n in range(40))
    >>> grades = user_retention.segmentation.classification("spend_grade")
    >>> pinned = grades.pin(log, as_of=date(2024, 12, 31))
    >>> history = log.history(2)
    >>> pinned.outcome(history, as_of=date(2024, 12, 31)).outcome.label("zh")
    '白金级'
    """

    criteria: tuple[Criterion[Outcome], ...] = field(default=(), converter=tuple)
    mode: Strictness = Strictness.RANK_ONLY

    def __attrs_post_init__(self) -> None:
        known = {str(grade) for grade in self.table.outcomes}
        strange = next((x for x in self.criteria if str(x.grade) not in known), None)
        if strange is not None:
            raise UnknownNameError(f"{self.name}.criteria", strange.grade, tuple(known))

    @cached_property
    def judged(self) -> Classification[Outcome]:
        """The plain classification that decides in this mode."""
        return self.ranked if self.mode is Strictness.RANK_ONLY else self._strict

    @cached_property
    def ranked(self) -> Classification[Outcome]:
        """The plain classification of the table alone."""
        return self._plain(self.table)

    @cached_property
    def _strict(self) -> Classification[Outcome]:
        return self._plain(_strict(self.table, self.criteria))

    @cached_property
    def _everything(self) -> Classification[str]:
        """All rules of table and criteria in one case, to measure and pin them together."""
        rules = [*(x.when for x in self.table.cases), *(x.when for x in self.criteria)]
        return self._asking(reduce(and_, rules))

    def _asking(self, rule: Rule) -> Classification[str]:
        table = FirstMatch((Case("met", rule),), otherwise="not met")
        return Classification(self.name, table, self.population, self.ranking, self.zone)

    def _plain(self, table: FirstMatch[Outcome]) -> Classification[Outcome]:
        return Classification(self.name, table, self.population, self.ranking, self.zone)

    # --- the further wording --------------------------------------------------------------------

    def checklist(self, history: History, *, as_of: When) -> tuple[Check, ...]:
        """Return the criteria of the grade that the table alone gives, each met or not (C-08)."""
        grade = self.ranked.outcome(history, as_of=as_of).outcome
        asked = [each for each in self.criteria if each.grade == grade]
        names = dict.fromkeys(name for each in asked for name in each.when.measures())
        row = measures.measured(history, names, self.at(as_of))
        return tuple(Check(x.name, x.when.holds(row), x.when.reasons(row)) for x in asked)

    def checklists(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
        customers: ArrayLike | None = None,
        attributes: Attributes | None = None,
    ) -> dict[str, NDArray[Any]]:
        """Return the same for many: 1 met, 0 not met, NaN where the grade does not ask."""
        import numpy as np

        summary = self._everything.summary(purchases, interactions, as_of, customers, attributes)
        here = self.pinned_to(summary)
        ranked = here.ranked.among(summary)
        found = {x.name: np.full(len(ranked), np.nan) for x in here.criteria}
        for each in here.criteria:
            mine = ranked.codes == ranked.table.outcomes.index(each.grade)
            found[each.name][mine] = each.when.mask(ranked.columns)[mine]
        names = np.array([str(grade) for grade in ranked.table.outcomes])
        return {"customer": ranked.customers, "grade": names[ranked.codes], **found}

    # --- what a classification answers, in the mode ---------------------------------------------

    def outcome(self, history: History, *, as_of: When) -> Decision[Outcome | None]:
        """Decide about one customer in this mode."""
        return self.judged.outcome(history, as_of=as_of)

    def due(self, history: History, *, as_of: When) -> ageing.Transition[Outcome | None] | None:
        """Return the next change of grade if nothing happens."""
        return self.judged.due(history, as_of=as_of)

    def timeline(
        self, history: History, *, until: When
    ) -> tuple[ageing.Transition[Outcome | None], ...]:
        """Return every change of grade, oldest first."""
        return self.judged.timeline(history, until=until)

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
        return self.judged.dues(
            purchases, interactions, as_of=as_of, customers=customers, attributes=attributes
        )

    @property
    def shares(self) -> tuple[str, ...]:
        """Rank shares of the grades and of their criteria."""
        return tuple(dict.fromkeys((*self.judged.shares, *self._everything.shares)))

    @property
    def needs(self) -> tuple[str, ...]:
        """Measures that a summary must hold; for the criteria the amounts behind shares."""
        return tuple(dict.fromkeys((*self.judged.needs, *self._amounts)))

    def among(self, summary: Summary) -> Outcomes[Outcome]:
        """Decide about the customers of a summary in this mode."""
        return self.judged.among(summary)

    def pinned_to(self, summary: Summary) -> Graded[Outcome]:
        """Return the grades with the shares of table and criteria pinned to amounts."""
        if self.pinned is not None:
            return self
        criteria = tuple(
            attrs.evolve(x, when=self._asking(x.when).pinned_to(summary).table.cases[0].when)
            for x in self.criteria
        )
        table = self.ranked.pinned_to(summary).table
        return attrs.evolve(self, table=table, criteria=criteria)


def _strict(
    table: FirstMatch[Outcome], criteria: Iterable[Criterion[Outcome]]
) -> FirstMatch[Outcome]:
    """Each grade takes its own who meet the criteria, and those who failed in the one above."""
    cases, above = list[Case[Outcome]](), list[Rule]()
    lowest = table.outcomes[-1]
    for case in table.cases:
        asked = [x.when for x in criteria if x.grade == case.outcome != lowest]
        own = reduce(and_, asked, case.when)
        cases.append(attrs.evolve(case, when=above[-1] | own if above else own))
        above.append(case.when)
    return attrs.evolve(table, cases=tuple(cases), exclusive=False)


# --- standing in a ranking -----------------------------------------------------------------------


@frozen
class Standing(Generic[Outcome]):
    """Grade, rank and amount of one customer among those who are ranked (C-07)."""

    grade: Outcome
    rank: int  # 1 the largest; equal ones share the best
    among: int
    amount: int

    @property
    def share(self) -> Fraction:
        """Position p = rank / N (RC-09)."""
        return Fraction(self.rank, self.among)


@frozen(eq=False)
class Standings(Shown, Generic[Outcome]):
    """Grade, rank and amount of every customer of the population."""

    grades: Outcomes[Outcome]
    ranks: NDArray[Any] = field(repr=False)
    amounts: NDArray[Any] = field(repr=False)

    def __len__(self) -> int:
        """Return the number of customers who are ranked."""
        return len(self.ranks)

    def __repr__(self) -> str:
        """Return sizes alone."""
        counts = {str(grade): number for grade, number in self.grades.counts().items()}
        return headline("Standings", len(self), "customers", counts)

    def to_table(self, language: Language = "en") -> Table:
        """Return customers per grade, and from which rank to which they stand."""
        rows = []
        for code, (grade, number) in enumerate(self.grades.counts().items()):
            ranks = self.ranks[self.grades.codes == code]
            ends = (count_text(int(each)) for each in (ranks.min(), ranks.max()) if number)
            name = said(grade, language)
            share = share_text(number, len(self))
            rows.append((name, count_text(number), share, *(tuple(ends) or ("", ""))))
        heads = (Head.CUSTOMERS, Head.SHARE_OF_CUSTOMERS, Head.BEST_RANK, Head.LAST_RANK)
        first = Column(Head.GRADE.label(language))
        return Table((first, *figures(head.label(language) for head in heads)), rows)

    def of(self, customer: object) -> Standing[Outcome]:
        """Return the standing of one customer."""
        row = self.grades.row_of(customer)
        grade = self.grades.table.outcomes[self.grades.codes[row]]
        return Standing(grade, int(self.ranks[row]), len(self.ranks), self.amounts[row].item())

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: customer, grade, rank, share, amount."""
        grades = self.grades.to_columns()
        return {
            "customer": grades["customer"],
            "grade": grades["outcome"],
            "rank": self.ranks,
            "share": self.ranks / max(len(self.ranks), 1),
            "amount": self.amounts,
        }


def standings(
    axis: Classification[Outcome], purchases: PurchaseLog, *, as_of: When
) -> Standings[Outcome]:
    """Return grade, rank, share and amount of everybody who is ranked (C-07, C-09).

    >>> from datetime import date
    >>> from retention import Purchase, PurchaseLog
    >>> from retention.presets import user_retention
    >>> log = PurchaseLog.of(Purchase(n, date(2024, 6, 1), 100 - n) for n in range(40))
    >>> grades = user_retention.segmentation.classification("spend_grade")
    >>> found = standings(grades, log, as_of=date(2024, 12, 31)).of(3)
    >>> str(found.grade), found.rank, found.share, found.amount
    ('platinum', 4, Fraction(1, 10), 97)
    """
    share = next((name for name in axis.table.measures if measures.share_of(name)), None)
    if share is None:
        raise InvalidValueError("standings", axis.name, "a table that limits a rank share")
    grades = axis.outcomes(purchases, as_of=as_of)
    amounts = grades.column(measures.share_of(share))
    keys = amounts
    if axis.ranking.ties is Ties.BY_FREQUENCY:
        keys = _placed(amounts, grades.column("purchases" + share.partition("_share")[2]))
    return Standings(grades, best_ranks(keys), amounts)


def _placed(amounts: NDArray[Any], orders: NDArray[Any]) -> NDArray[Any]:
    """Numbers in the order of amount and then of orders; equal pairs have equal numbers."""
    import numpy as np

    pairs = np.stack([amounts, orders], axis=1)
    return np.unique(pairs, axis=0, return_inverse=True)[1].ravel()


# --- services ------------------------------------------------------------------------------------


@policy
class ServiceCase(Case[Outcome]):
    """One row of a layer table with the services that the layer brings (C-28)."""

    services: tuple[Service, ...] = field(default=(), converter=tuple)


def services(decision: Decision[Any]) -> tuple[Service, ...]:
    """Return the services of the layer that a decision gave; none for the catch-all.

    >>> from retention.mechanisms.rules import parse
    >>> channel = ServiceCase("top", parse("score >= 80"), (Service.PRIORITY_SERVICE_CHANNEL,))
    >>> layers = FirstMatch((channel,), otherwise="rest")
    >>> (
    ...     [x.label() for x in services(layers.decide({"score": 80}))],
    ...     services(layers.decide({"score": 79})),
    ... )
    (['priority service channel'], ())
    """
    rows = [case for case in decision.table.cases if case.outcome == decision.outcome]
    return tuple(x for row in rows if isinstance(row, ServiceCase) for x in row.services)


def entitled(layers: Outcomes[Any], service: Service) -> NDArray[Any]:
    """Return the customers whose layer brings a service.

    >>> import numpy as np
    >>> from datetime import date
    >>> from retention.mechanisms.outcomes import Outcomes
    >>> from retention.mechanisms.periods import AsOf, zone_of
    >>> from retention.mechanisms.rules import parse
    >>> channel = ServiceCase("top", parse("score >= 80"), (Service.PRIORITY_SERVICE_CHANNEL,))
    >>> found = Outcomes.of(
    ...     FirstMatch((channel,), otherwise="rest"),
    ...     np.array(["a", "b"]),
    ...     {"score": np.array([79, 80])},
    ...     AsOf.at(date(2024, 6, 30), zone_of("Asia/Shanghai")),
    ... )
    >>> entitled(found, Service.PRIORITY_SERVICE_CHANNEL).tolist()
    ['b']
    """
    import numpy as np

    brings = [
        isinstance(case, ServiceCase) and service in case.services for case in layers.table.cases
    ]
    found: NDArray[Any] = layers.customers[np.array([*brings, False])[layers.codes]]
    return found
