"""Summaries inside the engine: one row a customer, made of plain sums and extremes.

Conditions become columns first and are aggregated afterwards: an expression inside an
aggregation is silently wrong on some engines. What is counted in days is kept as the first or
last instant, to be compared with the edge of a day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import reduce
from operator import and_
from typing import Any, TypeVar

import narwhals.stable.v2 as nw

from retention.aggregates import Aggregate, Extreme, Tally
from retention.frames._facts import (
    AMOUNT,
    AT,
    CORE,
    INTERACTION,
    KIND,
    PROFIT,
    PURCHASE,
    RETURN,
    TOPIC,
    WHAT,
    ColumnNames,
    Facts,
    is_named,
    is_negative,
    is_valued,
)
from retention.frames._native import Frame, collected, moment, opened
from retention.frames._needs import AS_OF, Measured, aggregates_of, as_of_text, wanted, zone_name
from retention.logs import Returns
from retention.mechanisms.answers import Code
from retention.mechanisms.choices import member
from retention.mechanisms.periods import AsOf, When, day_edge, day_number, day_of, zone_of
from retention.windows import Ever

Native = TypeVar("Native")


def summary(  # noqa: PLR0913  one keyword a column
    frame: Native,
    policy: Measured,
    *,
    as_of: When,
    customer: str = "customer",
    at: str = "at",
    amount_minor: str = "amount_minor",
    core: str | None = None,
    profit_minor: str | None = None,
    returns: Returns | str = Returns.REFUSE,
    interactions: Native | None = None,
    kind: str = "kind",
    topic: str | None = None,
    customers: Native | None = None,
    utc: bool = False,
    days: bool = False,
    zone: str | None = None,
) -> Native:
    """Return the measures that a policy needs, one row a customer, computed by the engine.

    ``policy`` is a handbook, a policy, a rule or names of measures; the latter two need a
    ``zone``. Sums and counts are whole numbers under the names of the measures;
    ``days_since_purchase`` is kept as ``last_purchase``, an average as its parts. Rows without
    customer, time or amount are left out, as are negative amounts unless ``returns="net"``:
    :func:`set_aside` counts them. An order that comes twice counts twice: make such rows distinct
    before. ``interactions`` and ``customers`` (who registered and did nothing yet) are frames of
    the same kind with the same names of columns; interactions of an unknown kind are left out of
    a lazy frame and refused in another one.

    >>> import polars as pl
    >>> from datetime import date
    >>> from retention.presets import ecommerce
    >>> bought = pl.LazyFrame(
    ...     {
    ...         "customer": ["a", "a"],
    ...         "amount_minor": [12_50, 8_00],
    ...         "at": [date(2024, 6, 1), date(2024, 1, 2)],
    ...     }
    ... )
    >>> found = summary(bought, ecommerce.segmentation, as_of=date(2024, 6, 30))
    >>> found.select("customer", "last_purchase", "purchases_30d", "spend_minor").collect().rows()
    [('a', datetime.date(2024, 6, 1), 1, 2050)]
    """
    names, own = wanted(policy)
    point = AsOf.at(as_of, zone_of(zone_name(own, zone)))
    net = member(Returns, returns, "returns") is Returns.NET
    columns = ColumnNames(customer, at, amount_minor, core, profit_minor, kind, topic, utc, days)
    needed = aggregates_of(names)
    facts = Facts(columns, needed, point, net=net)
    found = facts.of(opened(frame), None if interactions is None else opened(interactions),
                     None if customers is None else opened(customers))  # fmt: skip
    result: Native = _aggregated(found, facts).to_native()
    return result


def set_aside(
    frame: Any,  # noqa: ANN401  any frame that narwhals knows
    *,
    customer: str = "customer",
    at: str = "at",
    amount_minor: str = "amount_minor",
    returns: Returns | str = Returns.REFUSE,
) -> dict[str, int]:
    """Return how many rows :func:`summary` leaves out for each cause; one row may have two.

    >>> import polars as pl
    >>> from datetime import date
    >>> frame = pl.DataFrame(
    ...     {"customer": ["a", None], "at": [date(2024, 6, 1)] * 2, "amount_minor": [5, -5]}
    ... )
    >>> set_aside(frame)
    {'no_customer': 1, 'no_time': 0, 'no_amount': 0, 'negative_amount': 1}
    """
    known = opened(frame)
    net = member(Returns, returns, "returns") is Returns.NET
    bad = {
        Code.NO_CUSTOMER: ~is_named(known, customer),
        Code.NO_TIME: nw.col(at).is_null(),
        Code.NO_AMOUNT: ~is_valued(known, amount_minor),
        Code.NEGATIVE_AMOUNT: is_negative(known, amount_minor, net=net),
    }
    flags = {
        str(code): nw.when(rows).then(nw.lit(1)).otherwise(nw.lit(0)) for code, rows in bad.items()
    }
    counts = known.select(*(rows.alias(name) for name, rows in flags.items()))
    totals = collected(counts.select(*(nw.col(name).sum() for name in flags)))
    return {name: int(totals[name][0] or 0) for name in flags}


def _aggregated(facts: Frame, how: Facts) -> Frame:
    customer = how.columns.customer
    flags = {name: _flag(each, facts, how.point) for name, each in how.aggregates.items()}
    rows = facts.with_columns(*(flag.alias(name) for name, flag in flags.items()))
    plain = {name: _plain(name, each) for name, each in how.aggregates.items()}
    grouped = rows.group_by(customer).agg(*plain.values(), nw.len().alias(WHAT))
    whole = [name for name, each in how.aggregates.items() if isinstance(each, Tally)]
    point = nw.lit(as_of_text(how.point)).alias(AS_OF)
    counted = grouped.with_columns(*(nw.col(name).cast(nw.Int64) for name in whole), point)
    return counted.select(customer, *how.aggregates, AS_OF)


def _plain(name: str, each: Aggregate) -> Any:  # noqa: ANN401
    if isinstance(each, Tally):
        return nw.col(name).sum()
    return nw.col(name).max() if isinstance(each, Extreme) and each.last else nw.col(name).min()


def _flag(each: Aggregate, facts: Frame, point: AsOf) -> Any:  # noqa: ANN401
    """One fact's part in an aggregate: its weight or one, its time, or nothing."""
    fit = _fits(each.of)
    if isinstance(each, Extreme):
        return nw.when(fit).then(nw.col(AT))
    assert isinstance(each, Tally)  # noqa: S101  runs were refused
    inside = [fit, *_within(each, facts, point)]
    return nw.when(reduce(and_, inside)).then(_weight(each.of)).otherwise(nw.lit(0))


def _within(each: Tally, facts: Frame, point: AsOf) -> Iterator[Any]:
    """Limits on the time of a fact; the end of what is known is a limit already."""
    if isinstance(each.span, Ever):
        return
    low, high = (day_of(max(n, _FIRST)) for n in each.span.bounds(point))
    if day_number(low) > _FIRST:
        yield nw.col(AT) >= moment(facts, AT, day_edge(low, point.zone), low)
    if high < point.day:
        after = high + timedelta(days=1)
        yield nw.col(AT) < moment(facts, AT, day_edge(after, point.zone), after)


_FIRST = day_number(date.min)


def _fits(of: str) -> Any:  # noqa: ANN401
    what = nw.col(WHAT)
    match of:
        case "purchases":
            return what == PURCHASE
        case "core_purchases":
            return (what == PURCHASE) & (nw.col(CORE) == 1)
        case "spend_minor" | "profit_minor":
            return what <= RETURN
        case "interactions":
            return what == INTERACTION
    kind, _, topic = of.partition(":")
    if topic:
        return (what == INTERACTION) & (nw.col(TOPIC) == topic)
    return (what == INTERACTION) & (nw.col(KIND) == kind)


def _weight(of: str) -> Any:  # noqa: ANN401
    match of:
        case "spend_minor":
            return nw.col(AMOUNT)
        case "profit_minor":
            return nw.col(PROFIT)
        case _:
            return nw.lit(1)
