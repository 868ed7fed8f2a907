"""Rules over the library's measures or over names of your own, and rows to try them on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from retention.mechanisms.answers import Scalar
from retention.mechanisms.rules import All, AnyOf, Limit, Relation, Rule

MEASURES = (
    "days_since_purchase", "days_since_first_purchase", "days_since_interaction",
    "days_since_login", "purchases", "purchases_30d", "purchases_3mo", "purchases_1y",
    "core_purchases", "core_purchases_90d", "purchases_per_month_3mo", "purchase_variation_4q",
    "spend_minor", "spend_minor_1y", "profit_minor", "profit_minor_6mo",
    "mean_order_minor", "mean_order_minor_90d", "tenure_years", "run_years", "core_run_years",
    "run_calendar_years", "core_run_calendar_years", "run_12mo_blocks", "core_run_12mo_blocks",
    "interactions", "interactions_90d", "interactions_on_promotion_30d", "login_count_30d",
    "interactions_latest_90d", "interactions_preceding_90d",
    "logins_each_week_2w", "logins_each_week_4w", "logins_each_7d_3w",
)  # fmt: skip
"""One or two names of every form that one customer can be asked about; shares need a pin."""

_ORDERED: tuple[Relation, ...] = ("<=", "<", ">=", ">")
_EQUAL: tuple[Relation, ...] = ("==", "!=")
_LISTED: tuple[Relation, ...] = ("in", "not in")
_RANGE: tuple[Relation, ...] = ("between", "outside")
_ABSENT: tuple[Relation, ...] = ("missing", "known")
_TELLING = (0, 1, 2, 7, 30, 31, 90, 91, 180, 181, 365, 100, 100_00, -1, 0.5, 30.5, math.inf)
_LETTERS = st.characters(categories=("Ll", "Lu", "Lo", "Nd", "Pd", "Po", "Zs"))


def limits(
    *, measures: Iterable[str] = MEASURES, texts: Iterable[str] = ()
) -> SearchStrategy[Limit]:
    """Single limits of every relation; ``texts`` names measures whose values are words.

    >>> from hypothesis import find
    >>> str(find(limits(measures=["days"]), lambda limit: limit.relation == "between"))
    '0 <= days <= 0'
    """
    number = st.one_of(
        st.sampled_from(_TELLING),
        st.integers(-5, 400),
        st.floats(-400, 400, allow_nan=False).map(lambda value: round(value, 3)),
    )
    word = st.text(_LETTERS, min_size=1, max_size=6)
    kinds = [_numeric(st.sampled_from(list(measures)), number)] if list(measures) else []
    kinds += [_textual(st.sampled_from(list(texts)), word)] if list(texts) else []
    return st.one_of(kinds)


def rules(
    *, measures: Iterable[str] = MEASURES, texts: Iterable[str] = (), max_limits: int = 5
) -> SearchStrategy[Rule]:
    """Rules of at most ``max_limits`` limits, joined and nested.

    >>> from hypothesis import find
    >>> str(find(rules(measures=["days"]), lambda rule: len(list(rule.limits())) == 2))
    'days <= 0 and days <= 0'
    """
    single: SearchStrategy[Rule] = limits(measures=list(measures), texts=list(texts)).map(_rule)

    def joined(inner: SearchStrategy[Rule]) -> SearchStrategy[Rule]:
        parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(parts.map(All), parts.map(AnyOf))

    nested = st.recursive(single, joined, max_leaves=max_limits)
    return nested.filter(lambda rule: sum(1 for _ in rule.limits()) <= max_limits)


def rows(rule: Rule) -> SearchStrategy[dict[str, Scalar]]:
    """Rows that a rule can be asked about: at its limits, beside them, and with values missing.

    >>> from hypothesis import find
    >>> from retention import parse
    >>> find(rows(parse("days <= 30")), lambda row: row["days"] == 31)
    {'days': 31}
    """
    points: dict[str, list[Any]] = {name: [] for name in rule.measures()}
    for limit in rule.limits():
        given = limit.limit if isinstance(limit.limit, tuple) else (limit.limit,)
        points[limit.measure] += [value for value in given if value is not None]
    return st.fixed_dictionaries({name: values(found) for name, found in points.items()})


def values(points: Sequence[Any]) -> SearchStrategy[Scalar]:
    """Values at some points and beside them, or missing; words where the points are words."""
    if any(isinstance(point, str) for point in points):
        words = [point for point in points if isinstance(point, str)]
        return st.sampled_from([*words, f"{words[0]}_", "", None])
    near = [p + step for p in points for step in (0, 1, -1) if math.isfinite(p)] or [0]
    return st.sampled_from([*near, *(p + 0.25 for p in near), None, math.nan])


def _numeric(
    names: SearchStrategy[str], number: SearchStrategy[int | float]
) -> SearchStrategy[Limit]:
    ranges = st.tuples(number, number).map(lambda two: (min(two), max(two)))
    several = st.lists(number, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Limit, names, st.sampled_from(_ORDERED + _EQUAL), number),
        st.builds(Limit, names, st.sampled_from(_RANGE), ranges),
        st.builds(Limit, names, st.sampled_from(_LISTED), several),
        st.builds(Limit, names, st.sampled_from(_ABSENT)),
    )


def _textual(names: SearchStrategy[str], word: SearchStrategy[str]) -> SearchStrategy[Limit]:
    several = st.lists(word, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Limit, names, st.sampled_from(_EQUAL), word),
        st.builds(Limit, names, st.sampled_from(_LISTED), several),
        st.builds(Limit, names, st.sampled_from(_ABSENT)),
    )


def _rule(limit: Limit) -> Rule:
    return limit
