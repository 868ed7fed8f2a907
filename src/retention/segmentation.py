"""Segmentation: RFM bands and maintenance layers, for one customer and for millions.

A segmentation is data: tables of cases over measures (C-20 to C-23). Rank shares are pinned
to amounts first, so the question for one customer needs no population. Lifecycle stages are
another axis and stay with ``lifecycle`` (D-05).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
from attrs import field, frozen

from retention import ageing, measures
from retention.activity import History, Interaction, Purchase, Return
from retention.classifications import Classification, OutcomeChanged
from retention.grading import GradingProcess
from retention.mechanisms.decisions import Bands, Case, Decision, FirstMatch
from retention.mechanisms.errors import InvalidValueError, UnknownNameError
from retention.mechanisms.periods import AsOf, When, zone_of
from retention.mechanisms.policies import Policy, blank, is_blank, policy
from retention.mechanisms.ranks import Pin, Ranking
from retention.mechanisms.rules import Rule, as_rule
from retention.mechanisms.tables import Column, Head, Shown, Table, count_text, figures, headline
from retention.mechanisms.words import Language, Word
from retention.tags import TagLibrary

if TYPE_CHECKING:
    from retention.dues import Dues
    from retention.logs import InteractionLog, PurchaseLog
    from retention.mechanisms.outcomes import Outcomes
    from retention.summaries import Attributes, Summary

Outcome = TypeVar("Outcome")


class Layer(Word, zh="客户层级"):
    """Maintenance layers of 002 (C-21, C-22)."""

    NEW = "new", "新客户"
    HIGH_ACTIVE = "high_active", "高价值活跃客户"
    MEDIUM_ACTIVE = "medium_active", "中价值活跃客户"
    SLEEPING = "sleeping", "沉睡客户"
    LOST = "lost", "流失客户"
    GENERAL_ACTIVE = "general_active", "一般活跃客户"


class Goal(Word):
    """What a layer is kept for (C-21)."""

    LOYALTY_AND_WALLET_SHARE = "loyalty_and_wallet_share", "提升忠诚度，扩大钱包份额"
    REPURCHASE_AND_UPGRADE = "repurchase_and_upgrade", "提升复购频率，升级为高价值客户"
    SECOND_PURCHASE = "second_purchase", "降低流失率，促进二次购买"
    WAKE_UP = "wake_up", "唤醒需求，恢复购买行为"
    WIN_BACK_OR_RELEASE = "win_back_or_release", "挽回或资源释放"


class Action(Word):
    """Key actions for a layer (C-21)."""

    DEDICATED_MANAGER_24H = "dedicated_manager_24h", "专属客服经理（24小时响应）"
    TAILORED_BENEFITS = "tailored_benefits", "定制化权益"
    DEEP_INTERVIEW = "deep_interview", "定期深度访谈"
    PERSONAL_RECOMMENDATION = "personal_recommendation", "个性化推荐"
    TIER_GUIDANCE = "tier_guidance", "会员等级升级引导"
    HOLIDAY_CARE = "holiday_care", "节日关怀"
    THANKS_24H_COUPON = "thanks_24h_coupon", "首单感谢（24小时内，附二次购买优惠券）"
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
class RfmCells(Shown):
    """The RFM cells of many customers."""

    recency: Outcomes[int]
    frequency: Outcomes[int]
    monetary: Outcomes[int]

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.recency)

    def __repr__(self) -> str:
        """Return sizes alone."""
        unit = f"customers in {len(self.counts()):,} cells as of {self.recency.as_of.day}"
        return headline("RfmCells", len(self), unit, {})

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

    def axes(self) -> tuple[list[tuple[int, int]], tuple[int, ...]]:
        """Pairs of recency and frequency that occur, and all bands of monetary value."""
        return sorted({(r, f) for r, f, _ in self.counts()}), self.monetary.table.outcomes

    def to_table(self, language: Language = "en") -> Table:
        """Return customers: lines are recency and frequency, columns are monetary value."""
        counts, (lines, bands) = self.counts(), self.axes()
        rows = (
            (f"R{r} F{f}", *(count_text(counts.get((r, f, m), 0)) for m in bands)) for r, f in lines
        )
        corner = f"{Head.RECENCY.label(language)} / {Head.FREQUENCY.label(language)}"
        return Table((Column(corner), *figures(f"M{m}" for m in bands)), rows)


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

    layer_table: FirstMatch[Layer] = field(
        default=blank("no maintenance layers"), alias="layers", kw_only=True
    )
    rfm: Rfm = field(default=blank("no RFM bands"), kw_only=True)
    classifications: tuple[Classification[Any], ...] = field(
        default=(), converter=tuple, kw_only=True
    )
    process: GradingProcess = field(default=blank("no grading process"), kw_only=True)
    tags: TagLibrary = field(default=blank("no tag library"), kw_only=True)
    population: Rule | None = field(default=None, converter=attrs.converters.optional(as_rule))
    ranking: Ranking = field(factory=Ranking)
    zone: str = "Asia/Shanghai"

    @property
    def pinned(self) -> Pin | None:
        """When the shares of this policy became amounts; None if they have not."""
        tables = [axis.table for axis in self.classifications]
        if not is_blank(self.layer_table):
            tables.append(self.layer_table)
        return next((table.pinned for table in tables if table.pinned), None)

    # --- pinning --------------------------------------------------------------------------------

    def pin(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
        attributes: Attributes | None = None,
    ) -> Segmentation:
        """Turn every limit on a share of this population into a limit on an amount.

        The result answers for one customer or a million without the population.
        What it answers in real time (C-25) is measured against this pin.
        """
        if self.pinned is not None:
            raise InvalidValueError("pin", self.pinned, "a policy that still limits shares")
        pinned: dict[str, Any] = {}
        if not is_blank(self.layer_table):
            summary = self._summary((self._layers,), purchases, interactions, as_of)
            pinned["layers"] = self._layers.pinned_to(summary).table
        if not is_blank(self.rfm):
            summary = self._summary(self._bands, purchases, interactions, as_of)
            pinned["rfm"] = Rfm(*(axis.pinned_to(summary).table for axis in self._bands))
        others = (
            axis.pin(purchases, interactions, as_of=as_of, attributes=attributes)
            for axis in self.classifications
        )
        return attrs.evolve(self, **pinned, classifications=tuple(others))

    # --- one customer ---------------------------------------------------------------------------

    def layer(self, history: History, *, as_of: When) -> Decision[Layer | None]:
        """Return the maintenance layer of one customer with its reasons (C-21 to C-23, C-40).

        The outcome is None for somebody outside the population, who never bought.
        """
        return self._layers.outcome(history, as_of=as_of)

    def rfm_cell(self, history: History, *, as_of: When) -> RfmCell:
        """Return the RFM cell of one customer of the population (C-20)."""
        names = dict.fromkeys(name for axis in self._bands for name in axis.table.measures)
        row = measures.measured(history, names, self.at(as_of))
        return RfmCell(*(axis.table.decide(row) for axis in self._bands))

    def due(self, history: History, *, as_of: When) -> ageing.Transition[Layer | None] | None:
        """Return when the layer changes if nothing happens."""
        return self._layers.due(history, as_of=as_of)

    def after(
        self, history: History, fact: Purchase | Interaction | Return
    ) -> tuple[Decision[Layer | None], OutcomeChanged | None]:
        """Return the layer when a fact has come in, and the change if there is one (C-25)."""
        return self._layers.after(history, fact)

    # --- many customers -------------------------------------------------------------------------

    def layers(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
    ) -> Outcomes[Layer]:
        """Return the layer of every customer of the population."""
        return self._layers.outcomes(purchases, interactions, as_of=as_of)

    def rfm_cells(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
    ) -> RfmCells:
        """Return the RFM cell of every customer of the population."""
        summary = self._summary(self._bands, purchases, interactions, as_of)
        return RfmCells(*(axis.among(summary) for axis in self._bands))

    def dues(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
    ) -> Dues[Layer | None]:
        """Return the next change of layer of every customer if nothing happens."""
        return self._layers.dues(purchases, interactions, as_of=as_of)

    # --- the axes -------------------------------------------------------------------------------

    def classification(self, name: str) -> Classification[Any]:
        """Return one axis by name: ``layers`` or one of the classifications."""
        found = {axis.name: axis for axis in self.classifications}
        if not is_blank(self.layer_table):
            found["layers"] = self._layers
        if name not in found:
            raise UnknownNameError("segmentation", name, tuple(found))
        return found[name]

    def at(self, as_of: When) -> AsOf:
        """Read a point of view in the zone of this policy."""
        return AsOf.at(as_of, zone_of(self.zone))

    @cached_property
    def _layers(self) -> Classification[Layer]:
        return self._axis("layers", self.layer_table)

    @cached_property
    def _bands(self) -> tuple[Classification[int], ...]:
        letters = ("recency", "frequency", "monetary")
        return tuple(self._axis(x, y) for x, y in zip(letters, self.rfm.tables, strict=True))

    def _axis(self, name: str, table: FirstMatch[Outcome]) -> Classification[Outcome]:
        return Classification(name, table, self.population, self.ranking, self.zone)

    def _summary(
        self,
        axes: Sequence[Classification[Any]],
        purchases: PurchaseLog,
        interactions: InteractionLog | None,
        as_of: When,
    ) -> Summary:
        from retention.summaries import Summary

        names = [name for axis in axes for name in axis.needs]
        return Summary.of(names, purchases, interactions, as_of=self.at(as_of))
