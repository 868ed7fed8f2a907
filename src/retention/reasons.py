"""Why customers do not buy: what was learnt, how often, and what marketing may change (C-38)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from attrs import field, frozen

from retention.mechanisms.choices import member
from retention.mechanisms.estimates import Estimate
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.words import Word


class NonPurchaseReason(Word):
    """Why a customer of low value has not bought (C-38)."""

    NO_NEED = "no_need", "暂无需求"
    PRICE = "price", "价格因素"
    PRODUCT = "product", "产品不符合需求"
    SERVICE = "service", "服务体验不佳"
    COMPETITOR = "competitor", "选择竞争对手"
    UNAWARE = "unaware", "不了解产品"
    OTHER = "other", "其他"


def _reason(given: NonPurchaseReason | str) -> NonPurchaseReason:
    return member(NonPurchaseReason, given, "reason")


@frozen
class ReasonLearnt:
    """A customer said, or an analysis showed, why nothing was bought; the latent need if known."""

    customer: str | int
    reason: NonPurchaseReason = field(converter=_reason)
    on: date
    need: str = ""


@policy
class Adjustment(Policy):
    """What marketing may change for one reason."""

    reason: NonPurchaseReason
    adjust: str

    @property
    def key(self) -> str:
        """Name of the row: the reason's code."""
        return self.reason


@frozen
class ReasonReport:
    """How often each reason was learnt, the needs behind it, and what may be adjusted."""

    shares: dict[NonPurchaseReason, Estimate]
    needs: dict[str, int]
    adjustments: tuple[Adjustment, ...]


def report(learnt: Iterable[ReasonLearnt], adjustments: Iterable[Adjustment] = ()) -> ReasonReport:
    """Count reasons, the latest of each customer, most frequent first.

    >>> found = report(
    ...     [
    ...         ReasonLearnt("a", "price", date(2024, 1, 5)),
    ...         ReasonLearnt("a", "unaware", date(2024, 2, 5), need="home office"),
    ...         ReasonLearnt("b", "unaware", date(2024, 2, 6)),
    ...     ]
    ... )
    >>> [(reason.value, str(share)) for reason, share in found.shares.items()]
    [('unaware', '100 % (2 of 2)')]
    """
    latest: dict[str | int, ReasonLearnt] = {}
    for fact in sorted(learnt, key=lambda x: x.on):
        latest[fact.customer] = fact
    counts = Counter(fact.reason for fact in latest.values())
    shares = {reason: Estimate(n, len(latest)) for reason, n in counts.most_common()}
    needs = Counter(fact.need for fact in latest.values() if fact.need)
    return ReasonReport(shares, dict(needs), tuple(x for x in adjustments if x.reason in counts))
