"""Measures: figures about customers, taken from one history or from columns, with equal values.

The name of a measure says what it is and over which window, so a rule can ask for any of
them: ``purchases_30d``, ``spend_minor_1y``, ``days_since_interaction``,
``logins_each_week_4w``. :data:`FAMILIES` lists the forms. A name that is no form is an
attribute that the host gives with the customer, such as ``industry`` (C-04).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from attrs import field, frozen

from retention.activity import History, InteractionKind
from retention.aggregates import Aggregate, Extreme, Run, Seen, Tally
from retention.mechanisms.answers import Scalar
from retention.mechanisms.errors import UnknownMeasureError, UnpinnedPolicyError
from retention.mechanisms.periods import AsOf, Trailing, Unit, day_number, day_of
from retention.mechanisms.rules import Measure
from retention.mechanisms.words import Language
from retention.runs import RunOf, full_years
from retention.windows import Block, Compared, Ever, Last, Span, Week


@frozen
class Figure:
    """A measure taken apart: its aggregates, and how they become the value."""

    name: str
    family: Family = field(repr=False)
    aggregates: tuple[Aggregate, ...]
    divisor: int = 1  # months of a monthly average
    share_of: str = ""  # the amount that a share ranks

    @property
    def in_years(self) -> bool:
        """Whether the value is a number of full years, which grows on anniversaries."""
        return self.family.combine is _full_years


def measured(history: History, names: Iterable[str], as_of: AsOf) -> dict[str, Scalar]:
    """Measure one customer.

    >>> from datetime import date
    >>> from retention.activity import Purchase
    >>> from retention.mechanisms.periods import zone_of
    >>> history = History("C-17", [Purchase("C-17", date(2024, 1, 1), 12_50)])
    >>> measured(
    ...     history,
    ...     ["days_since_purchase", "purchases_30d", "days_since_interaction"],
    ...     AsOf.at(date(2024, 1, 31), zone_of("Asia/Shanghai")),
    ... )
    {'days_since_purchase': 30, 'purchases_30d': 1, 'days_since_interaction': None}
    """
    return values(Seen.of(history, as_of), names)


def values(seen: Seen, names: Iterable[str]) -> dict[str, Scalar]:
    """Measure what is known of one customer; what is no measure is an attribute."""
    attributes = dict(seen.attributes)
    return {
        name: attributes[name] if name in attributes else _value(figure(name), seen)
        for name in names
    }


def _value(wanted: Figure, seen: Seen) -> Scalar:
    if wanted.share_of:
        advice = "call pin(purchases, as_of=...) first and ask the policy that it returns"
        raise UnpinnedPolicyError("measure", wanted.name, advice)
    found = [seen.aggregate(each) for each in wanted.aggregates]
    if any(value is None for value in found):
        return None
    value = wanted.family.combine(found, day_number(seen.as_of.day), wanted.divisor)
    # A whole number is written as one, however it was divided.
    whole = isinstance(value, float) and value.is_integer()
    return int(value) if whole else cast("Scalar", value)


# --- how aggregates become a value, for one customer and for columns -----------------------------


def _days_since(found: Sequence[Any], today: Any, _: int) -> Any:  # noqa: ANN401
    return today - found[0]


def _plain(found: Sequence[Any], _: Any, __: int) -> Any:  # noqa: ANN401
    return found[0]


def _per_month(found: Sequence[Any], _: Any, months: int) -> Any:  # noqa: ANN401
    return found[0] / months


def _least(found: Sequence[Any], _: Any, __: int) -> Any:  # noqa: ANN401
    if isinstance(found[0], int):
        return min(found)
    import numpy as np

    return np.minimum.reduce(found)


def _mean(found: Sequence[Any], _: Any, __: int) -> Any:  # noqa: ANN401
    """First over second; no value where the second is zero."""
    if isinstance(found[0], int):
        return found[0] / found[1] if found[1] else None
    import numpy as np

    empty = found[1] == 0
    return np.where(empty, np.nan, found[0] / np.where(empty, 1, found[1]))


def _variation(found: Sequence[Any], _: Any, __: int) -> Any:  # noqa: ANN401
    """Standard deviation over mean of equal periods; no value where nothing happened."""
    number = len(found)
    total = sum(found)
    spread = (number * sum(x * x for x in found) - total * total) ** 0.5
    return _mean_of(spread, total)


def _mean_of(spread: Any, total: Any) -> Any:  # noqa: ANN401
    if isinstance(total, int):
        return spread / total if total else None
    import numpy as np

    return np.where(total == 0, np.nan, spread / np.where(total == 0, 1, total))


def _full_years(found: Sequence[Any], today: Any, _: int) -> Any:  # noqa: ANN401
    """Full years from a first day; nothing that began lasts no year."""
    if isinstance(found[0], int):
        return _years_between(found[0], today)
    import numpy as np

    if not len(found[0]):
        return found[0]
    pairs = np.stack([found[0], np.broadcast_to(today, found[0].shape)], axis=1)
    different, place = np.unique(pairs, axis=0, return_inverse=True)
    years = [_years_between(*pair) for pair in different.tolist()]
    return np.array(years, np.int64)[place.ravel()]


def _years_between(start: int, today: int) -> int:
    return full_years(day_of(start), day_of(today)) if abs(start) < 10**6 else 0


# --- families: the names that there are ----------------------------------------------------------


@frozen
class Family:
    """Measures of one form: a pattern of names, what they mean, and how they are taken."""

    pattern: str
    unit: str
    en: str
    zh: str
    make: Callable[[re.Match[str]], tuple[Aggregate, ...]] = field(repr=False)
    combine: Callable[[Sequence[Any], Any, int], Any] = field(repr=False, default=_plain)
    share_of: str = ""  # the stem of the amount; the name's own stem is "<x>_share"


def _span(found: re.Match[str]) -> Span:
    number = found["n"]
    return Ever() if number is None else Last(Trailing(int(number), Unit(found["unit"])))


def _tallies(found: re.Match[str], span: Callable[[int], Span]) -> tuple[Tally, ...]:
    return tuple(Tally("login", span(back)) for back in range(int(found["n"])))


def _quarters(found: re.Match[str]) -> tuple[Tally, ...]:
    """Quarters of three months, the latest ends with the day of the question."""
    return tuple(Tally("purchases", Compared(3, n, Unit.MONTH)) for n in range(int(found["n"])))


_WINDOW = r"(?:_(?P<n>[1-9]\d{0,3})(?P<unit>d|mo|y))?"
_WEEKS = r"_(?P<n>[1-9]\d?)w"
_KIND = rf"(?P<kind>{'|'.join(InteractionKind)})"

FAMILIES: tuple[Family, ...] = (
    Family(
        r"days_since_purchase", "days", "days since the last purchase", "距上次购买天数",
        lambda _: (Extreme("purchases", last=True),), _days_since,
    ),
    Family(
        r"days_since_first_purchase", "days", "days since the first purchase", "距首次购买天数",
        lambda _: (Extreme("purchases", last=False),), _days_since,
    ),
    Family(
        r"days_since_interaction", "days", "days since the last interaction", "距上次互动天数",
        lambda _: (Extreme("interactions", last=True),), _days_since,
    ),
    Family(
        rf"days_since_{_KIND}", "days", "days since the last {kind}", "距上次{kind_zh}天数",
        lambda found: (Extreme(found["kind"], last=True),), _days_since,
    ),
    Family(
        r"purchases" + _WINDOW, "purchases", "purchases{window}", "{window}购买次数",
        lambda found: (Tally("purchases", _span(found)),),
    ),
    Family(
        r"core_purchases" + _WINDOW, "purchases", "purchases of core products{window}",
        "{window}核心产品购买次数", lambda found: (Tally("core_purchases", _span(found)),),
    ),
    Family(
        r"purchases_per_month_(?P<n>[1-9]\d?)(?P<unit>mo)", "purchases per month",
        "monthly average of purchases{window}", "{window}月均购买次数",
        lambda found: (Tally("purchases", _span(found)),), _per_month,
    ),
    Family(
        r"purchase_variation_(?P<n>[2-9]|1\d)q", "coefficient of variation",
        "variation of purchases over {n} quarters", "近{n}个季度购买频次变异系数", _quarters, _variation,
    ),
    Family(
        r"spend_minor" + _WINDOW, "minor units", "spend{window}", "{window}累计消费",
        lambda found: (Tally("spend_minor", _span(found)),),
    ),
    Family(
        r"profit_minor" + _WINDOW, "minor units", "profit contributed{window}", "{window}利润贡献",
        lambda found: (Tally("profit_minor", _span(found)),),
    ),
    Family(
        r"mean_order_minor" + _WINDOW, "minor units", "average order value{window}", "{window}客单价",
        lambda found: (Tally("spend_minor", _span(found)), Tally("purchases", _span(found))), _mean,
    ),
    Family(
        r"spend_share" + _WINDOW, "share of the population", "rank share of spend{window}",
        "{window}消费排名占比", lambda found: (Tally("spend_minor", _span(found)),), share_of="spend_minor",
    ),
    Family(
        r"profit_share" + _WINDOW, "share of the population", "rank share of profit{window}",
        "{window}利润排名占比", lambda found: (Tally("profit_minor", _span(found)),), share_of="profit_minor",
    ),
    Family(
        r"purchases_share" + _WINDOW, "share of the population", "rank share of purchases{window}",
        "{window}购买次数排名占比", lambda found: (Tally("purchases", _span(found)),), share_of="purchases",
    ),
    Family(
        r"tenure_years", "full years", "full years since the first purchase", "首次购买至今整年数",
        lambda _: (Extreme("purchases", last=False),), _full_years,
    ),
    Family(
        r"run_years", "full years", "full years of buying without a gap", "连续购买整年数",
        lambda _: (Run("purchases"),), _full_years,
    ),
    Family(
        r"core_run_years", "full years", "full years of buying core products without a gap",
        "连续购买核心产品整年数", lambda _: (Run("core_purchases"),), _full_years,
    ),
    Family(
        r"run_calendar_years", "years", "calendar years in a row with a purchase", "连续有购买的自然年数",
        lambda _: (Run("purchases", RunOf.YEARS),),
    ),
    Family(
        r"core_run_calendar_years", "years", "calendar years in a row with a core purchase",
        "连续购买核心产品的自然年数", lambda _: (Run("core_purchases", RunOf.YEARS),),
    ),
    Family(
        r"run_12mo_blocks", "blocks of 12 months", "12-month blocks in a row with a purchase",
        "连续有购买的12个月区间数", lambda _: (Run("purchases", RunOf.BLOCKS),),
    ),
    Family(
        r"core_run_12mo_blocks", "blocks of 12 months", "12-month blocks in a row with a core purchase",
        "连续购买核心产品的12个月区间数", lambda _: (Run("core_purchases", RunOf.BLOCKS),),
    ),
    Family(
        r"interactions" + _WINDOW, "interactions", "interactions{window}", "{window}互动次数",
        lambda found: (Tally("interactions", _span(found)),),
    ),
    Family(
        r"interactions_on_(?P<topic>[a-z][a-z0-9]*)" + _WINDOW, "interactions",
        "interactions on {topic}{window}", "{window}与{topic}相关的互动次数",
        lambda found: (Tally(f"on:{found['topic']}", _span(found)),),
    ),
    Family(
        rf"{_KIND}_count" + _WINDOW, "interactions", "{kind} count{window}", "{window}{kind_zh}次数",
        lambda found: (Tally(found["kind"], _span(found)),),
    ),
    Family(
        r"interactions_latest_(?P<n>[1-9]\d{0,3})(?P<unit>d)", "interactions",
        "interactions in the latest window{window}", "{window}互动次数(本期)",
        lambda found: (Tally("interactions", Compared(int(found["n"]), 0)),),
    ),
    Family(
        r"interactions_preceding_(?P<n>[1-9]\d{0,3})(?P<unit>d)", "interactions",
        "interactions in the window before{window}", "{window}互动次数(上期)",
        lambda found: (Tally("interactions", Compared(int(found["n"]), 1)),),
    ),
    Family(
        r"logins_each_week" + _WEEKS, "logins", "fewest logins in one of the last {n} full weeks",
        "近{n}个整周每周登录次数(最少)", lambda found: _tallies(found, Week), _least,
    ),
    Family(
        r"logins_each_7d" + _WEEKS, "logins", "fewest logins in one of the last {n} 7-day blocks",
        "近{n}个七天每段登录次数(最少)", lambda found: _tallies(found, Block), _least,
    ),
)  # fmt: skip
"""Every form of measure; a new one is a row here and nothing else."""


@lru_cache(maxsize=512)
def figure(name: str) -> Figure:
    """Take the name of a measure apart.

    >>> figure("purchases_30d").aggregates[0].of
    'purchases'
    >>> figure("days_since_purchas")
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.UnknownMeasureError: measure: there is no days_since_purchas; \
known: ...; perhaps 'days_since_purchase'
    """
    found = _found(name)
    if found is None:
        raise UnknownMeasureError("measure", name, _stems())
    family, match = found
    groups = match.groupdict()
    months = int(groups["n"]) if family.combine is _per_month else 1
    share_of = re.sub(r"^\w+?_share", family.share_of, name) if family.share_of else ""
    return Figure(name, family, family.make(match), months, share_of)


def is_measure(name: str) -> bool:
    """Whether a name is a measure of activity; if not it can only be an attribute.

    >>> is_measure("purchases_30d"), is_measure("industry")
    (True, False)
    """
    return _found(name) is not None


def share_of(name: str) -> str:
    """Return the amount that a rank share ranks; empty for any other measure or attribute.

    >>> share_of("spend_share_1y"), share_of("purchases"), share_of("industry")
    ('spend_minor_1y', '', '')
    """
    return figure(name).share_of if is_measure(name) else ""


@lru_cache(maxsize=512)
def _found(name: str) -> tuple[Family, re.Match[str]] | None:
    for family in FAMILIES:
        if match := re.fullmatch(family.pattern, name):
            return family, match
    return None


def _stems() -> list[str]:
    stems = [re.split(r"_?\(", family.pattern)[0].removesuffix("_") for family in FAMILIES]
    known = list(dict.fromkeys(filter(None, stems)))
    return [*known, "<kind>_count (windows _30d, _6mo, _1y, _4w)"]


def measure(name: str) -> Measure[float]:
    """Return a measure by name, to write rules with.

    >>> str(measure("purchases_30d") >= 2)
    'purchases_30d >= 2'
    """
    family = figure(name).family
    return Measure(name, unit=family.unit, zh=label(name, "zh"))


_UNITS: Mapping[str, Mapping[Language, str]] = {
    "d": {"en": "days", "zh": "天"},
    "mo": {"en": "months", "zh": "个月"},
    "y": {"en": "years", "zh": "年"},
}


def label(name: str, language: Language = "en") -> str:
    """Name of a measure for people; a name that is none is returned as it is.

    >>> label("purchases_30d"), label("purchases_30d", "zh"), label("grade")
    ('purchases in the last 30 days', '近30天购买次数', 'grade')
    """
    found = _found(name)
    if found is None:
        return name
    family, match = found
    groups = match.groupdict()
    number, unit = groups.get("n"), _UNITS.get(groups.get("unit") or "")
    window = ""
    if number and unit:
        span = f"{number}{unit['zh']}" if language == "zh" else f"{number} {unit['en']}"
        window = f"近{span}" if language == "zh" else f" in the last {span}"
    kind = InteractionKind(groups["kind"]).label(language) if groups.get("kind") else ""
    template = family.zh if language == "zh" else family.en
    return template.format(
        window=window, n=number, kind=kind, kind_zh=kind, topic=groups.get("topic", "")
    )


# Measures that the handbooks' rules use most.
days_since_purchase = measure("days_since_purchase")
days_since_first_purchase = measure("days_since_first_purchase")
days_since_interaction = measure("days_since_interaction")
purchases = measure("purchases")
interactions = measure("interactions")
spend_minor = measure("spend_minor")
spend_share = measure("spend_share")
