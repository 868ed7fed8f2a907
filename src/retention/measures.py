"""Measures: figures about customers, taken from one history or from columns, with equal values.

The name of a measure says what it is and over which window, so a rule can ask for any of
them: ``purchases_30d``, ``spend_minor_1y``, ``days_since_interaction``,
``logins_each_week_4w``. :data:`FAMILIES` lists the forms. A measure is made of a few
*aggregates* that merge, so the summary of a union is the merge of the summaries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Literal, cast

from attrs import field, frozen

from retention.activity import History, InteractionKind
from retention.mechanisms.answers import Scalar
from retention.mechanisms.errors import UnknownMeasureError, UnpinnedPolicyError
from retention.mechanisms.periods import AsOf, Trailing, Unit, day_number, local_date, monday
from retention.mechanisms.rules import Measure
from retention.mechanisms.words import Language

Of = Literal["purchases", "interactions", "logins", "spend_minor"]
Bounds = tuple[int, int]  # day numbers, both inside
_EVER = (-(10**6), 10**6)


# --- windows: which local dates a measure looks at -------------------------------------------


@frozen
class Ever:
    """All dates."""

    def bounds(self, as_of: AsOf) -> Bounds:
        """Every date; facts after ``as_of`` are not known anyway."""
        return _EVER[0], day_number(as_of.day)

    def leaves_on(self, _: date, __: AsOf) -> tuple[date, ...]:
        """Never."""
        return ()


@frozen
class Last:
    """A trailing window (RC-06, RC-08)."""

    trailing: Trailing

    def bounds(self, as_of: AsOf) -> Bounds:
        """From the first day of the window to the day of the question."""
        return day_number(self.trailing.first_day(as_of.day)), day_number(as_of.day)

    def leaves_on(self, day: date, _: AsOf) -> tuple[date, ...]:
        """Dates on which the window may first leave a day behind."""
        return self.trailing.leaves_on(day)


@frozen
class Compared:
    """Exactly ``days`` dates, ``back`` whole windows before the latest one (RC-06)."""

    days: int
    back: int

    def bounds(self, as_of: AsOf) -> Bounds:
        """(as_of - N, as_of], or N dates before for each window back."""
        last = day_number(as_of.day) - self.back * self.days
        return last - self.days + 1, last

    def leaves_on(self, day: date, _: AsOf) -> tuple[date, ...]:
        """Dates on which a day enters or leaves this window."""
        return tuple(day + timedelta(days=self.days * n) for n in (self.back, self.back + 1))


@frozen
class Week:
    """The full week, Monday to Sunday, that ended ``back`` weeks before the last one (D-03)."""

    back: int

    def bounds(self, as_of: AsOf) -> Bounds:
        """Monday to Sunday; ``back`` of -1 is the week that is still running."""
        start = day_number(monday(as_of.ended_before)) - 7 * (self.back + 1)
        return start, start + 6

    def leaves_on(self, _: date, as_of: AsOf) -> tuple[date, ...]:
        """Sundays to come: a date knows its whole day, so its week ends with it."""
        sunday = monday(as_of.day) + timedelta(days=6)
        return tuple(sunday + timedelta(days=7 * n) for n in range(self.back + 3))


@frozen
class Block:
    """Seven days that end ``back`` blocks before the day of the question (D-03, alternative)."""

    back: int

    def bounds(self, as_of: AsOf) -> Bounds:
        """Seven dates, the last of the latest block is the day itself."""
        last = day_number(as_of.day) - 7 * self.back
        return last - 6, last

    def leaves_on(self, day: date, _: AsOf) -> tuple[date, ...]:
        """Dates on which a day moves into an older block."""
        return tuple(day + timedelta(days=7 * n) for n in range(1, self.back + 2))


Span = Ever | Last | Compared | Week | Block


# --- aggregates: what merges ------------------------------------------------------------------


@frozen
class Extreme:
    """First or last day on which something happened."""

    of: Of
    last: bool

    def merged(self) -> str:
        """Name of the numpy function that merges two partial values."""
        return "maximum" if self.last else "minimum"


@frozen
class Tally:
    """Number of facts, or sum of money, inside a window."""

    of: Of
    span: Span

    def merged(self) -> str:
        """Name of the numpy function that merges two partial values."""
        return "add"


Aggregate = Extreme | Tally


@frozen
class Figure:
    """A measure taken apart: its aggregates, and how they become the value."""

    name: str
    family: Family = field(repr=False)
    aggregates: tuple[Aggregate, ...]
    divisor: int = 1  # months of a monthly average
    share_of: str = ""  # the amount that a share ranks


# --- the one-customer path: plain Python, numpy is not loaded ----------------------------------


@frozen
class Seen:
    """What is known of one customer at a point of view, as day numbers."""

    as_of: AsOf
    purchases: tuple[int, ...]
    spend: tuple[tuple[int, int], ...]  # day, minor units; returns are negative
    interactions: tuple[int, ...]
    logins: tuple[int, ...]

    @classmethod
    def of(cls, history: History, as_of: AsOf) -> Seen:
        """Leave out what is not known yet, and count days in the zone."""
        zone = as_of.zone

        def days(facts: Iterable[Any]) -> list[tuple[int, Any]]:
            known = (fact for fact in facts if as_of.knows(fact.at))
            return [(day_number(local_date(fact.at, zone)), fact) for fact in known]

        bought, back = days(history.purchases), days(history.returns)
        others = days(history.interactions)
        return cls(
            as_of,
            tuple(day for day, _ in bought),
            tuple((d, fact.amount_minor) for d, fact in bought)
            + tuple((d, -fact.amount_minor) for d, fact in back),
            tuple(day for day, _ in others),
            tuple(day for day, fact in others if fact.kind is InteractionKind.LOGIN),
        )

    def moved(self, as_of: AsOf) -> Seen:
        """Return the same facts seen from another day: nothing has happened since."""
        return Seen(as_of, self.purchases, self.spend, self.interactions, self.logins)

    def days(self, of: Of) -> tuple[int, ...]:
        """Day numbers of one kind of fact."""
        return tuple(d for d, _ in self.spend) if of == "spend_minor" else getattr(self, of)

    def aggregate(self, wanted: Aggregate) -> int | None:
        """Return one aggregate; an extreme of nothing is missing."""
        if isinstance(wanted, Extreme):
            days = self.days(wanted.of)
            return (max(days) if wanted.last else min(days)) if days else None
        low, high = wanted.span.bounds(self.as_of)
        if wanted.of == "spend_minor":
            return sum(amount for day, amount in self.spend if low <= day <= high)
        return sum(low <= day <= high for day in self.days(wanted.of))


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
    """Measure what is known of one customer."""
    return {name: _value(figure(name), seen) for name in names}


def _value(wanted: Figure, seen: Seen) -> Scalar:
    if wanted.share_of:
        advice = "call pin(purchases, as_of=...) first and ask the policy that it returns"
        raise UnpinnedPolicyError("measure", wanted.name, advice)
    found = [seen.aggregate(each) for each in wanted.aggregates]
    if any(value is None for value in found):
        return None
    return cast("Scalar", wanted.family.combine(found, day_number(seen.as_of.day), wanted.divisor))


# --- families: the names that there are ---------------------------------------------------------


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


@frozen
class Family:
    """Measures of one form: a pattern of names, what they mean, and how they are taken."""

    pattern: str
    unit: str
    en: str
    zh: str
    make: Callable[[re.Match[str]], tuple[Aggregate, ...]] = field(repr=False)
    combine: Callable[[Sequence[Any], Any, int], Any] = field(repr=False, default=_plain)
    share_of: str = ""


def _span(found: re.Match[str]) -> Span:
    number = found["n"]
    return Ever() if number is None else Last(Trailing(int(number), Unit(found["unit"])))


def _tallies(found: re.Match[str], span: Callable[[int], Span]) -> tuple[Tally, ...]:
    return tuple(Tally("logins", span(back)) for back in range(int(found["n"])))


_WINDOW = r"(?:_(?P<n>[1-9]\d{0,3})(?P<unit>d|mo|y))?"
_WEEKS = r"_(?P<n>[1-9]\d?)w"

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
        r"purchases" + _WINDOW, "purchases", "purchases{window}", "{window}购买次数",
        lambda found: (Tally("purchases", _span(found)),),
    ),
    Family(
        r"purchases_per_month_(?P<n>[1-9]\d?)(?P<unit>mo)", "purchases per month",
        "monthly average of purchases{window}", "{window}月均购买次数",
        lambda found: (Tally("purchases", _span(found)),), _per_month,
    ),
    Family(
        r"spend_minor" + _WINDOW, "minor units", "spend{window}", "{window}累计消费",
        lambda found: (Tally("spend_minor", _span(found)),),
    ),
    Family(
        r"spend_share" + _WINDOW, "share of the population", "rank share of spend{window}",
        "{window}消费排名占比", lambda found: (Tally("spend_minor", _span(found)),),
        share_of="spend_minor",
    ),
    Family(
        r"interactions" + _WINDOW, "interactions", "interactions{window}", "{window}互动次数",
        lambda found: (Tally("interactions", _span(found)),),
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
        "近{n}个整周每周登录次数(最少)",
        lambda found: _tallies(found, Week), _least,
    ),
    Family(
        r"logins_each_7d" + _WEEKS, "logins", "fewest logins in one of the last {n} 7-day blocks",
        "近{n}个七天每段登录次数(最少)",
        lambda found: _tallies(found, Block), _least,
    ),
)  # fmt: skip
"""Every form of measure; a new one is a row here and nothing else."""


@lru_cache(maxsize=512)
def figure(name: str) -> Figure:
    """Take the name of a measure apart.

    >>> figure("purchases_30d").aggregates[0].of
    'purchases'
    >>> figure("purchase_30d")
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.UnknownMeasureError: measure: there is no purchase_30d; known: \
days_since_purchase, days_since_first_purchase, days_since_interaction, purchases, \
purchases_per_month, spend_minor, spend_share, interactions, interactions_latest, \
interactions_preceding, logins_each_week, logins_each_7d (windows _30d, _6mo, _1y, _4w); \
perhaps 'purchases'
    """
    for family in FAMILIES:
        found = re.fullmatch(family.pattern, name)
        if found is None:
            continue
        groups = found.groupdict()
        months = int(groups["n"]) if family.combine is _per_month else 1
        share_of = name.replace("spend_share", family.share_of) if family.share_of else ""
        return Figure(name, family, family.make(found), months, share_of)
    stems = [re.split(r"_?\(", family.pattern)[0] for family in FAMILIES]
    known = [stem.removesuffix("_") for stem in stems]
    known[-1] += " (windows _30d, _6mo, _1y, _4w)"
    raise UnknownMeasureError("measure", name, known)


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
    try:
        family = figure(name).family
    except UnknownMeasureError:
        return name
    groups = cast("re.Match[str]", re.fullmatch(family.pattern, name)).groupdict()
    number, unit = groups.get("n"), _UNITS.get(groups.get("unit") or "")
    window = ""
    if number and unit:
        window = (
            f"近{number}{unit['zh']}" if language == "zh" else f" in the last {number} {unit['en']}"
        )
    template = family.zh if language == "zh" else family.en
    return template.format(window=window, n=number)


# Measures that the handbooks' rules use most.
days_since_purchase = measure("days_since_purchase")
days_since_first_purchase = measure("days_since_first_purchase")
days_since_interaction = measure("days_since_interaction")
purchases = measure("purchases")
interactions = measure("interactions")
spend_minor = measure("spend_minor")
spend_share = measure("spend_share")
