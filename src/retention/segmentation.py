"""Segmentation: RFM bands and maintenance layers, for one customer and for millions.

A segmentation is data: tables of cases over measures (C-20 to C-23). Rank shares are pinned
to amounts first, so the question for one customer needs no population. Lifecycle stages are
another axis and stay with ``lifecycle`` (D-05).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs
from attrs import field, frozen

from retention import ageing, measures
from retention.activity import History
from retention.mechanisms.decisions import Bands, Case, Decision, FirstMatch
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.periods import AsOf, When, zone_of
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.ranks import Pin, Population, Ranking, Ties
from retention.mechanisms.rules import Rule
from retention.mechanisms.words import Word

if TYPE_CHECKING:
    from retention.dues import Dues
    from retention.logs import PurchaseLog
    from retention.mechanisms.outcomes import Outcomes
    from retention.summaries import Summary

Outcome = TypeVar("Outcome")


class Layer(Word):
    """Maintenance layers of 002 (C-21, C-22)."""

    NEW = "new", "新客户"
    HIGH_ACTIVE = "high_active", "高价值活跃客户"
    MEDIUM_ACTIVE = "medium_active", "中价值活跃客户"
    SLEEPING = "sleeping", "沉睡客户"
    LOST = "lost", "流失客户"
    GENERAL_ACTIVE = "general_active", "一般活跃客户"


class Goal(Word):
    """What a layer is kept for (C-21)."""

    LOYALTY_AND_WALLET_SHARE = "loyalty_and_wallet_share", "提升忠诚度,扩大钱包份额"
    REPURCHASE_AND_UPGRADE = "repurchase_and_upgrade", "提升复购频率,升级为高价值客户"
    SECOND_PURCHASE = "second_purchase", "降低流失率,促进二次购买"
    WAKE_UP = "wake_up", "唤醒需求,恢复购买行为"
    WIN_BACK_OR_RELEASE = "win_back_or_release", "挽回或资源释放"


class Action(Word):
    """Key actions for a layer (C-21)."""

    DEDICATED_MANAGER_24H = "dedicated_manager_24h", "专属客服经理(24小时响应)"
    TAILORED_BENEFITS = "tailored_benefits", "定制化权益"
    DEEP_INTERVIEW = "deep_interview", "定期深度访谈"
    PERSONAL_RECOMMENDATION = "personal_recommendation", "个性化推荐"
    TIER_GUIDANCE = "tier_guidance", "会员等级升级引导"
    HOLIDAY_CARE = "holiday_care", "节日关怀"
    THANKS_24H_COUPON = "thanks_24h_coupon", "首单感谢(24小时内,附二次购买优惠券)"
    NEWCOMER_GUIDE = "newcomer_guide", "新手引导"
    FEEDBACK_QUESTION = "feedback_question", "反馈回访"
    WAKE_TOUCH = "wake_touch", "唤醒触达"
    RETURN_DISCOUNT_80 = "return_discount_0.8", "回归首单享8折"
    REASON_SURVEY = "reason_survey", "沉睡原因调研"
    NO_THRESHOLD_COUPON = "no_threshold_coupon", "无门槛优惠券"
    ARCHIVE = "archive", "数据归档"


@policy
class LayerCase(Case[Layer]):
    """One row of the layer table: the rule, what the layer is kept for, and how."""

    goal: Goal
    actions: tuple[Action, ...] = field(converter=tuple)


@policy
class Rfm(Policy):
    """Bands of recency, frequency and monetary value; 1 is the best (C-20, VAR-11)."""

    recency: Bands | FirstMatch[int]
    frequency: Bands | FirstMatch[int]
    monetary: Bands | FirstMatch[int]

    @property
    def tables(self) -> tuple[FirstMatch[int], FirstMatch[int], FirstMatch[int]]:
        """The three tables, in the order of the letters."""
        return _table(self.recency), _table(self.frequency), _table(self.monetary)

    def pin(self, populations: Mapping[str, Population], as_of: When) -> Rfm:
        """Return the bands with shares turned into amounts."""
        return Rfm(*(table.pin(populations, as_of) for table in self.tables))


def _table(bands: Bands | FirstMatch[int]) -> FirstMatch[int]:
    return bands.table if isinstance(bands, Bands) else bands


@frozen
class RfmCell:
    """The RFM cell of one customer: three decisions."""

    recency: Decision[int]
    frequency: Decision[int]
    monetary: Decision[int]

    @property
    def bands(self) -> tuple[int, int, int]:
        """The three band numbers, 1 the best."""
        return self.recency.outcome, self.frequency.outcome, self.monetary.outcome


@frozen(eq=False)
class RfmCells:
    """The RFM cells of many customers."""

    recency: Outcomes[int]
    frequency: Outcomes[int]
    monetary: Outcomes[int]

    def counts(self) -> dict[tuple[int, int, int], int]:
        """Customers per cell that occurs."""
        import numpy as np

        axes = (self.recency, self.frequency, self.monetary)
        bands = np.stack([np.array(axis.table.outcomes)[axis.codes] for axis in axes], axis=1)
        cells, number = np.unique(bands, axis=0, return_counts=True)
        return {(r, f, m): n for (r, f, m), n in zip(cells.tolist(), number.tolist(), strict=True)}

    def to_columns(self) -> dict[str, Any]:
        """Return plain columns: customer and the three bands."""
        import numpy as np

        axes = {"recency": self.recency, "frequency": self.frequency, "monetary": self.monetary}
        bands = {name: np.array(axis.table.outcomes)[axis.codes] for name, axis in axes.items()}
        return {"customer": self.recency.customers, **bands}


@policy
class Segmentation(Policy):
    """Who belongs to which layer and RFM cell, as data.

    ``population`` says who is ranked and has a layer at all (C-09, C-20). Open cases follow
    a change of this policy at once: a layer is always a function of the policy in force.

    >>> from datetime import date
    >>> from retention import Purchase
    >>> from retention.presets import ecommerce
    >>> history = History("C-17", [Purchase("C-17", date(2024, 1, 1), 12_50)])
    >>> ecommerce.segmentation.layer(history, as_of=date(2024, 6, 30))
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.UnpinnedPolicyError: measure: spend_share is a share of a \
population, which one customer does not show; call pin(purchases, as_of=...) first and ask the \
policy that it returns
    """

    layer_table: FirstMatch[Layer] = field(alias="layers")
    rfm: Rfm
    population: Rule
    ranking: Ranking = field(factory=Ranking)
    zone: str = "Asia/Shanghai"

    @property
    def pinned(self) -> Pin | None:
        """When the shares of this policy became amounts; None if they have not."""
        return self.layer_table.pinned

    # --- pinning --------------------------------------------------------------------------------

    def pin(self, purchases: PurchaseLog, *, as_of: When) -> Segmentation:
        """Turn every limit on a share of this population into a limit on an amount.

        The result answers for one customer, a million or a cluster without the population.
        What it answers in real time (C-25) is measured against this pin.
        """
        if self.pinned is not None:
            raise InvalidValueError("pin", self.pinned, "a policy that still limits shares")
        summary = self._summary((self.layer_table, *self.rfm.tables), purchases, as_of)
        return self._pin(summary, as_of)

    def _pin(self, summary: Summary, as_of: When) -> Segmentation:
        if self.pinned is not None:
            return self
        inside = self.population.mask(summary.columns(self.population.measures()))
        shares = (name for name in _measures(self._tables) if measures.figure(name).share_of)
        held = set(summary.names)
        populations = {
            name: self._population(name, summary, inside)
            for name in shares
            if measures.figure(name).share_of in held
        }
        return attrs.evolve(
            self,
            layers=self.layer_table.pin(populations, as_of),
            rfm=self.rfm.pin(populations, as_of),
        )

    def _population(self, name: str, summary: Summary, inside: Any) -> Population:  # noqa: ANN401
        amount, rounding = measures.figure(name).share_of, self.ranking.rounding
        amounts = summary.column(amount)[inside]
        if self.ranking.ties is Ties.SHARE_BEST:
            return Population(amount, amounts, rounding=rounding)
        orders = _orders_of(name)
        return Population(amount, amounts, orders, summary.column(orders)[inside], rounding)

    # --- one customer ---------------------------------------------------------------------------

    def layer(self, history: History, *, as_of: When) -> Decision[Layer | None]:
        """Return the maintenance layer of one customer with its reasons (C-21 to C-23, C-40).

        The outcome is None for somebody outside the population, who never bought.
        """
        table = self._everybody
        return table.decide(measures.measured(history, table.measures, self._as_of(as_of)))

    def rfm_cell(self, history: History, *, as_of: When) -> RfmCell:
        """Return the RFM cell of one customer (C-20)."""
        row = measures.measured(history, _measures(self.rfm.tables), self._as_of(as_of))
        return RfmCell(*(table.decide(row) for table in self.rfm.tables))

    def due(self, history: History, *, as_of: When) -> ageing.Transition[Layer | None] | None:
        """Return when the layer changes if nothing happens."""
        return ageing.next_change(self._everybody, history, self._as_of(as_of))

    @cached_property
    def _everybody(self) -> FirstMatch[Layer | None]:
        """The layer table behind one more case: whoever is outside the population has none."""
        outside: Case[Layer | None] = Case(None, ~self.population)
        cases = cast("tuple[Case[Layer | None], ...]", self.layer_table.cases)
        table = self.layer_table
        return FirstMatch((outside, *cases), otherwise=table.otherwise, pinned=table.pinned)

    # --- many customers -------------------------------------------------------------------------

    def layers(self, purchases: PurchaseLog, *, as_of: When) -> Outcomes[Layer]:
        """Return the layer of every customer of the population."""
        summary = self._summary((self.layer_table,), purchases, as_of)
        pinned = self._pin(summary, as_of)
        return pinned._outcomes(pinned.layer_table, summary)  # noqa: SLF001  its own class

    def rfm_cells(self, purchases: PurchaseLog, *, as_of: When) -> RfmCells:
        """Return the RFM cell of every customer of the population."""
        summary = self._summary(self.rfm.tables, purchases, as_of)
        pinned = self._pin(summary, as_of)
        return RfmCells(*(pinned._outcomes(table, summary) for table in pinned.rfm.tables))  # noqa: SLF001

    def dues(self, purchases: PurchaseLog, *, as_of: When) -> Dues[Layer | None]:
        """Return the next change of layer of every customer if nothing happens."""
        from retention.dues import next_changes

        pinned = self if self.pinned else self.pin(purchases, as_of=as_of)
        return next_changes(pinned._everybody, purchases, as_of=self._as_of(as_of))  # noqa: SLF001

    def _outcomes(self, table: FirstMatch[Outcome], summary: Summary) -> Outcomes[Outcome]:
        """Decide for the customers of the population."""
        from retention.mechanisms.outcomes import Outcomes

        columns, customers = summary.columns(), summary.customers
        inside = self.population.mask(columns)
        if not inside.all():
            columns = {name: column[inside] for name, column in columns.items()}
            customers = customers[inside]
        return Outcomes.of(
            table,
            customers,
            columns,
            summary.as_of,
            left_out=summary.left_out,
            problems=summary.problems,
        )

    def _summary(
        self, tables: Sequence[FirstMatch[Any]], purchases: PurchaseLog, as_of: When
    ) -> Summary:
        """Measure what the tables ask for; amounts in place of their shares."""
        from retention.summaries import Summary

        names = dict.fromkeys((*self.population.measures(), "spend_minor"))
        for name in _measures(tables):
            amount = measures.figure(name).share_of
            names[amount or name] = None
            if amount and self.ranking.ties is Ties.BY_FREQUENCY:
                names[_orders_of(name)] = None
        return Summary.of(names, purchases, as_of=self._as_of(as_of))

    @property
    def _tables(self) -> tuple[FirstMatch[Any], ...]:
        return (self.layer_table, *self.rfm.tables)

    def _as_of(self, as_of: When) -> AsOf:
        return AsOf.at(as_of, zone_of(self.zone))


def _measures(tables: Sequence[FirstMatch[Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for table in tables for name in table.measures))


def _orders_of(share: str) -> str:
    """Measure that breaks ties of a share: orders in the same window."""
    return share.replace("spend_share", "purchases")
