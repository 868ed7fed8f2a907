"""Facts, histories of one customer, and populations in which many are alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from retention.activity import History, Interaction, InteractionKind, Purchase, Return
from retention.mechanisms.answers import Scalar
from retention.mechanisms.periods import When, day_edge, zone_of
from retention.testing.strategies.times import MAX_DAY, MIN_DAY, ZONE, Grain, as_ofs, rhythm, times

T = TypeVar("T")
Fact = TypeVar("Fact", Purchase, Interaction)

_AMOUNTS = (100, 0, 1, 99, 101, 50_00, 100_00)  # few, so that many customers tie
_WEEKS = 9
TOPICS = ("promotion", "survey")
"""Topics of drawn interactions; measures such as ``interactions_on_promotion`` count them."""
_LAST = (
    date(2024, 6, 30),  # a Sunday: as a whole day its week has ended
    date(2024, 2, 29),
    date(2024, 7, 1),  # a Monday
    date(2024, 3, 31),  # clocks change in Europe; a month back is 29 February
    date(2023, 3, 29),
    date(2024, 11, 3),  # clocks change in America
    date(2024, 5, 15),
)


def purchases(
    *,
    customer: str | int = "C-1",
    min_day: date = MIN_DAY,
    max_day: date = MAX_DAY,
    min_amount_minor: int = 0,
    max_amount_minor: int = 1_000_00,
    grain: Grain = "any",
    zone: str = ZONE,
    currency: str = "",
) -> SearchStrategy[Purchase]:
    """Purchases of one customer, free orders too.

    >>> from hypothesis import find
    >>> find(purchases(grain="days"), lambda fact: fact.amount_minor == 0).at
    datetime.date(2024, 6, 30)
    """
    return st.builds(
        Purchase,
        customer=st.just(customer),
        at=times(min_day=min_day, max_day=max_day, zone=zone, grain=grain),
        amount_minor=_amounts(min_amount_minor, max_amount_minor),
        currency=st.just(currency),
        core=st.booleans(),
        profit_minor=st.sampled_from((None, 0, 10, 30_00)),
    )


def returns(
    *,
    customer: str | int = "C-1",
    min_day: date = MIN_DAY,
    max_day: date = MAX_DAY,
    min_amount_minor: int = 1,
    max_amount_minor: int = 1_000_00,
    grain: Grain = "any",
    zone: str = ZONE,
    currency: str = "",
) -> SearchStrategy[Return]:
    """Money given back to one customer, sometimes more than was spent.

    >>> from hypothesis import find
    >>> find(returns(grain="days"), lambda fact: fact.amount_minor > 100).amount_minor
    101
    """
    return st.builds(
        Return,
        customer=st.just(customer),
        at=times(min_day=min_day, max_day=max_day, zone=zone, grain=grain),
        amount_minor=_amounts(min_amount_minor, max_amount_minor),
        currency=st.just(currency),
    )


def interactions(
    *,
    customer: str | int = "C-1",
    min_day: date = MIN_DAY,
    max_day: date = MAX_DAY,
    grain: Grain = "any",
    zone: str = ZONE,
) -> SearchStrategy[Interaction]:
    """Interactions of one customer; every second one is a login.

    >>> from hypothesis import find
    >>> find(interactions(grain="days"), lambda fact: True).kind.value
    'login'
    """
    kinds = st.one_of(st.just(InteractionKind.LOGIN), st.sampled_from(InteractionKind))
    at = times(min_day=min_day, max_day=max_day, zone=zone, grain=grain)
    topics = st.sampled_from(("", *TOPICS))
    return st.builds(Interaction, customer=st.just(customer), at=at, kind=kinds, topic=topics)


def histories(  # noqa: PLR0913  one keyword a bound
    *,
    customer: str | int = "C-1",
    min_purchases: int = 0,
    max_purchases: int = 6,
    max_interactions: int = 6,
    max_returns: int = 2,
    min_day: date = MIN_DAY,
    max_day: date = MAX_DAY,
    grain: Grain = "any",
    zone: str = ZONE,
    currency: str = "",
) -> SearchStrategy[History]:
    """Whole histories: empty ones, several orders of one day, weeks of logins, returns.

    >>> from hypothesis import given, settings
    >>> @settings(max_examples=3, database=None)
    ... @given(histories())
    ... def test(history):
    ...     assert history.customer == "C-1"
    >>> test()
    """
    bounds: dict[str, date] = {"min_day": min_day, "max_day": max_day}
    money = {"customer": customer, "grain": grain, "zone": zone, "currency": currency}
    contact = {"customer": customer, "grain": grain, "zone": zone}
    bought = _some(purchases(**bounds, **money), max_purchases, at_least=min_purchases)  # type: ignore[arg-type]
    others = _some(interactions(**bounds, **contact), max_interactions)  # type: ignore[arg-type]
    back = returns(**bounds, **money)  # type: ignore[arg-type]
    if 2 <= max_purchases >= min_purchases:  # noqa: PLR2004  one purchase has no rhythm
        often = rhythm(max(min_purchases, 2), max_purchases, (3, 40), 0, min_day, max_day)
        buys = often.map(
            lambda days: [Purchase(customer, day, 100_00, currency=currency) for day in days]
        )
        bought = st.one_of(bought, _placed(buys, grain, zone))
    logins: SearchStrategy[list[Interaction]] = st.just([])
    if max_interactions:
        weekly = rhythm(1, _WEEKS, (7, 7), 3, min_day, max_day)
        login = InteractionKind.LOGIN
        run = weekly.map(lambda days: [Interaction(customer, day, login) for day in days])
        logins = st.one_of(logins, _placed(run, grain, zone))
    return st.builds(
        _history, st.just(customer), bought, others, _some(back, max_returns), logins,
        st.booleans(),
    )  # fmt: skip


def populations(  # noqa: PLR0913  one keyword a bound
    *,
    min_customers: int = 0,
    max_customers: int = 6,
    max_purchases: int = 4,
    max_interactions: int = 4,
    max_returns: int = 2,
    min_day: date = MIN_DAY,
    max_day: date = MAX_DAY,
    grain: Grain = "any",
    zone: str = ZONE,
    currency: str = "",
    attributes: SearchStrategy[dict[str, Scalar]] | None = None,
) -> SearchStrategy[tuple[History, ...]]:
    """Customers of one base, as logs can hold them: many ties, some twins, one kind of time.

    ``attributes`` draws for each of them what the host knows besides.

    >>> from hypothesis import given, settings
    >>> @settings(max_examples=3, database=None)
    ... @given(populations())
    ... def test(base):
    ...     assert len({history.customer for history in base}) == len(base)
    >>> test()
    """
    grains: tuple[Grain, ...] = ("days", "instants") if grain == "any" else (grain,)
    money = [
        histories(
            max_purchases=max_purchases, max_interactions=0, max_returns=max_returns,
            min_day=min_day, max_day=max_day, grain=each, zone=zone, currency=currency,
        )
        for each in grains
    ]  # fmt: skip
    contact = [
        histories(
            max_purchases=0, max_interactions=max_interactions, max_returns=0,
            min_day=min_day, max_day=max_day, grain=each, zone=zone,
        )
        for each in grains
    ]  # fmt: skip
    pairs = [st.builds(_joined, bought, others) for bought in money for others in contact]
    known = st.just(dict[str, Scalar]()) if attributes is None else attributes
    return st.one_of([_base(one, min_customers, max_customers, known) for one in pairs])


def situations(
    *,
    min_customers: int = 0,
    max_customers: int = 6,
    grain: Grain = "any",
    zone: str = ZONE,
    max_returns: int = 2,
    attributes: SearchStrategy[dict[str, Scalar]] | None = None,
) -> SearchStrategy[tuple[tuple[History, ...], When]]:
    """A population and the day or instant on which it is asked about; some facts lie after it.

    >>> from hypothesis import given, settings
    >>> from retention.presets import ecommerce
    >>> from retention.testing import laws
    >>> @settings(max_examples=3, database=None)
    ... @given(situations())
    ... def test(situation):
    ...     base, as_of = situation
    ...     laws.one_equals_columns(ecommerce, base, as_of=as_of)
    >>> test()
    """

    def ending(last: date) -> SearchStrategy[tuple[tuple[History, ...], When]]:
        first = last - timedelta(days=420)
        base = populations(
            min_customers=min_customers, max_customers=max_customers, max_returns=max_returns,
            min_day=first, max_day=last, grain=grain, zone=zone, attributes=attributes,
        )  # fmt: skip
        return st.tuples(base, as_ofs(min_day=first, max_day=last, zone=zone, grain=grain))

    return st.one_of([ending(last) for last in _LAST])


def _amounts(least: int, most: int) -> SearchStrategy[int]:
    usual = [amount for amount in _AMOUNTS if least <= amount <= most]
    anything = st.integers(least, most)
    return st.one_of(st.sampled_from(usual), anything) if usual else anything


def _some(facts: SearchStrategy[T], most: int, *, at_least: int = 0) -> SearchStrategy[list[T]]:
    return st.lists(facts, min_size=at_least, max_size=most)


@st.composite
def _placed(draw: DrawFn, facts: SearchStrategy[list[Fact]], grain: Grain, zone: str) -> list[Fact]:
    """The same facts on the same days, with a time of day where instants are asked for."""
    found = draw(facts)
    if grain == "days" or (grain == "any" and draw(st.booleans())):
        return found
    clock = draw(st.integers(0, 82_799))  # the shortest day has 23 hours
    home = zone_of(zone)
    return [attrs.evolve(x, at=day_edge(x.at, home) + timedelta(seconds=clock)) for x in found]


def _history(
    customer: str | int,
    bought: Sequence[Purchase],
    others: Sequence[Interaction],
    back: Sequence[Return],
    logins: Sequence[Interaction],
    numbered: bool,  # noqa: FBT001  drawn, not written by anybody
) -> History:
    if numbered:
        bought = [attrs.evolve(x, order=f"{customer}/{n}") for n, x in enumerate(bought)]
    return History(customer, bought, (*others, *logins), back)


def _joined(bought: History, others: History) -> History:
    return attrs.evolve(bought, interactions=others.interactions)


@st.composite
def _base(
    draw: DrawFn,
    one: SearchStrategy[History],
    least: int,
    most: int,
    attributes: SearchStrategy[dict[str, Scalar]],
) -> tuple[History, ...]:
    drawn = draw(st.lists(one, min_size=least, max_size=most))
    twins = draw(st.integers(0, 2)) if drawn and len(drawn) + 2 <= most else 0
    numbers = draw(st.booleans())
    everyone = [*drawn, *drawn[:1] * twins]
    names: list[str | int] = [n if numbers else f"C-{n}" for n in range(1, len(everyone) + 1)]
    known = [attrs.evolve(history, attributes=draw(attributes)) for history in everyone]
    return tuple(_named(history, name) for history, name in zip(known, names, strict=True))


def _named(history: History, name: str | int) -> History:
    """The same history of somebody else; orders keep their own numbers."""
    bought = [
        attrs.evolve(fact, customer=name, order=fact.order and f"{name}/{number}")
        for number, fact in enumerate(history.purchases)
    ]
    return attrs.evolve(
        history,
        customer=name,
        purchases=bought,
        interactions=[attrs.evolve(fact, customer=name) for fact in history.interactions],
        returns=[attrs.evolve(fact, customer=name) for fact in history.returns],
    )
