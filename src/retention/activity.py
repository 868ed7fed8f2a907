"""What customers did, as facts: purchases, returns, interactions, and the history of one.

Facts are past tense and frozen; nothing is decided here. Columns of many customers are in
``logs``, the figures taken from either in ``measures``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from attrs import evolve, field, frozen

from retention.mechanisms.answers import Scalar
from retention.mechanisms.choices import member
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    MixedCurrenciesError,
    WrongTypeError,
)
from retention.mechanisms.periods import When, checked
from retention.mechanisms.words import Word


class InteractionKind(Word):
    """Kinds of contact that are no purchase (D-01, C-32)."""

    BROWSE = "browse", "浏览"
    FAVOURITE = "favourite", "收藏"
    CART = "cart", "加购"
    LOGIN = "login", "登录"
    MESSAGE = "message", "咨询留言"
    CALL = "call", "通话"
    OPENED = "opened", "打开消息"
    ANSWERED = "answered", "回复消息"
    PARTICIPATION = "participation", "参与活动"
    OTHER = "other", "其他互动"


def _time(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    checked(value, attribute.name)


def _amount(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongTypeError(attribute.name, value, "whole minor units, e.g. 1250 for 12.50")
    if value < 0:
        raise InvalidValueError(
            attribute.name, value, "0 or more; write money given back as Return"
        )


def _something(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    if not value:
        raise InvalidValueError(attribute.name, value, "more than 0: nothing given back is no fact")


def _kind(given: InteractionKind | str) -> InteractionKind:
    return member(InteractionKind, given, "kind")


def _customer(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise WrongTypeError(attribute.name, value, "an identifier: text or a whole number")
    if value == "":
        raise InvalidValueError(attribute.name, value, "an identifier that is not empty")


@frozen
class Purchase:
    """A customer bought.

    ``at`` is an aware instant, or a date when only the local day is known. An order that
    cost nothing counts as a purchase.
    """

    customer: str | int = field(validator=_customer)
    at: When = field(validator=_time)
    amount_minor: int = field(validator=_amount)
    order: str = ""
    currency: str = ""
    core: bool = False  # a core product or service
    profit_minor: int | None = None  # what it contributed, if known


@frozen
class Return:
    """Money was given back: it lessens spend on its own day; the purchase stays a purchase."""

    customer: str | int = field(validator=_customer)
    at: When = field(validator=_time)
    amount_minor: int = field(validator=[_amount, _something])  # what was given back
    order: str = ""
    currency: str = ""


@frozen
class Interaction:
    """A customer did something else than buy."""

    customer: str | int = field(validator=_customer)
    at: When = field(validator=_time)
    kind: InteractionKind = field(converter=_kind)
    topic: str = ""  # page, activity or matter, one lower-case word, to be counted by (C-32)


def _purchases(facts: Iterable[Purchase]) -> tuple[Purchase, ...]:
    return tuple(facts)


def _interactions(facts: Iterable[Interaction]) -> tuple[Interaction, ...]:
    return tuple(facts)


def _returns(facts: Iterable[Return]) -> tuple[Return, ...]:
    return tuple(facts)


def _attributes(
    given: Mapping[str, Scalar] | Iterable[tuple[str, Scalar]],
) -> tuple[tuple[str, Scalar], ...]:
    pairs = cast("Mapping[str, Scalar]", given).items() if isinstance(given, Mapping) else given
    return tuple(sorted((name, value) for name, value in pairs))


@frozen
class History:
    """Everything that is known of one customer; the order of the facts does not matter.

    >>> from datetime import date
    >>> History("C-17", purchases=[Purchase("C-17", date(2024, 1, 1), 12_50)]).purchases[0].at
    datetime.date(2024, 1, 1)
    """

    customer: str | int = field(validator=_customer)
    purchases: tuple[Purchase, ...] = field(default=(), converter=_purchases)
    interactions: tuple[Interaction, ...] = field(default=(), converter=_interactions)
    returns: tuple[Return, ...] = field(default=(), converter=_returns)
    # What the host knows besides: industry, region, survey results; rules may ask for them.
    attributes: tuple[tuple[str, Scalar], ...] = field(default=(), converter=_attributes)

    def with_fact(self, fact: Purchase | Interaction | Return) -> History:
        """Return the history with one more fact."""
        if isinstance(fact, Purchase):
            return evolve(self, purchases=(*self.purchases, fact))
        if isinstance(fact, Return):
            return evolve(self, returns=(*self.returns, fact))
        return evolve(self, interactions=(*self.interactions, fact))

    def __attrs_post_init__(self) -> None:
        money: tuple[Purchase | Return, ...] = (*self.purchases, *self.returns)
        facts: tuple[Purchase | Return | Interaction, ...] = (*money, *self.interactions)
        strangers = [fact.customer for fact in facts if fact.customer != self.customer]
        if strangers:
            raise InvalidValueError("History", strangers[0], f"facts of {self.customer!r} alone")
        currencies = {fact.currency for fact in money}
        if len(currencies) > 1:
            raise MixedCurrenciesError("History", sorted(currencies))
        orders = [fact.order for fact in self.purchases if fact.order]
        if len(set(orders)) < len(orders):
            twice = next(order for order in orders if orders.count(order) > 1)
            raise DuplicateError("History.purchases, order", twice)
