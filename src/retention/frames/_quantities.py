"""Measures as a frame holds them: when one is known, at most and at least.

Every relation of a rule is made of these three. A measure stands in a frame under its own name,
or as the aggregates that it is made of (``last_purchase`` for ``days_since_purchase``). All
tests are comparisons of whole numbers, floats as they are, texts, and instants: no engine
divides, subtracts dates or converts a zone, because no two do it alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from functools import reduce
from operator import and_, or_
from typing import Any

import narwhals.stable.v2 as nw
from attrs import frozen

from retention import measures
from retention.aggregates import Aggregate, Extreme, Run, Tally
from retention.frames._native import Frame, in_utc, is_lazy, is_text, moment, type_of
from retention.measures import Figure
from retention.mechanisms.errors import (
    InvalidValueError,
    UnknownMeasureError,
    UnpinnedPolicyError,
    WrongTypeError,
)
from retention.mechanisms.periods import AsOf, Unit, day_edge, plus_days, plus_months
from retention.mechanisms.ranks import exact
from retention.runs import full_years
from retention.windows import Block, Compared, Ever, Last, Span, Week

Number = int | float
Test = Callable[[Any], Any]  # from a limit to an expression

_LEAST, _MOST = -(2**63), 2**63 - 1
_FINEST = 10**6  # a limit on an average is compared in millionths at the finest
_PLAIN = "whole numbers, floats, truths or text"
_KERNEL = (
    "sums and extremes; take this one from whole histories: "
    "frames.by_customer(frame, lambda purchases: axis.outcomes(purchases, as_of=as_of))"
)


@frozen(eq=False)
class Quantity:
    """One measure in one frame, as expressions; a test counts only where ``known`` holds."""

    known: Any
    at_most: Test
    at_least: Test
    is_text: bool = False


# --- where a measure stands ----------------------------------------------------------------------


def quantity(frame: Frame, name: str, at: AsOf | None) -> Quantity:
    """Return how a frame holds a measure; refuse by name what it does not or cannot hold."""
    columns = frame.collect_schema()
    if name in columns:
        return _stored(frame, name)
    if not measures.is_measure(name):
        raise UnknownMeasureError("rule", name, tuple(columns))
    wanted = measures.figure(name)
    if wanted.share_of:
        advice = "call frames.pin(frame, policy, as_of=...) first and ask the policy it returns"
        raise UnpinnedPolicyError("measure", name, advice)
    names = [column_of(each) for each in parts(wanted)]
    if any(each not in columns for each in names):
        raise UnknownMeasureError("rule", name, tuple(columns))
    return _FORMS[wanted.family.combine](frame, names, wanted, at)


def parts(wanted: Figure) -> tuple[Aggregate, ...]:
    """Return the aggregates of a measure; refuse one that no sum or extreme gives."""
    if any(isinstance(each, Run) for each in wanted.aggregates):
        raise InvalidValueError("measure in a frame", wanted.name, _KERNEL)
    return wanted.aggregates


def column_of(each: Aggregate) -> str:
    """Name of the column of an aggregate: the measure itself where it is one.

    >>> column_of(Tally("login", Week(0))), column_of(Extreme("purchases", last=True))
    ('login_count_week_0', 'last_purchase')
    """
    if isinstance(each, Extreme):
        return f"{'last' if each.last else 'first'}_{each.of.removesuffix('s')}"
    kind, _, topic = each.of.partition(":")
    counted = kind if kind in _STEMS else f"{kind}_count"
    stem = f"interactions_on_{topic}" if topic else counted
    return stem + (_suffix(each.span) if isinstance(each, Tally) else "_run")


_STEMS = ("purchases", "core_purchases", "spend_minor", "profit_minor", "interactions")


def _suffix(span: Span) -> str:
    match span:
        case Ever():
            return ""
        case Last(trailing):
            return f"_{trailing.count}{trailing.unit}"
        case Compared(length, back, Unit.DAY) if back < 2:  # noqa: PLR2004
            return f"_{('latest', 'preceding')[back]}_{length}d"
        case Compared(length, back, unit):
            return f"_{length}{unit}_back_{back}"
        case Week(back):
            return f"_week_{back}"
        case Block(back):
            return f"_block_{back}"


# --- columns of the caller -----------------------------------------------------------------------


def _stored(frame: Frame, name: str) -> Quantity:
    """Return a column that holds the measure itself."""
    dtype = type_of(frame, name)
    column = nw.col(name)
    if _is_empty(frame, name):
        return Quantity(~column.is_null(), lambda _: column.is_null(), lambda _: column.is_null())
    if is_text(dtype):
        return _words(column.cast(nw.String))
    if isinstance(dtype, nw.Boolean):
        truth = nw.when(column).then(nw.lit(1)).otherwise(nw.lit(0))
        return _integers(truth, ~column.is_null())
    if dtype.is_integer():
        return _integers(column.cast(nw.Int64), ~column.is_null())
    if dtype.is_float():
        return _floats(column.cast(nw.Float64))
    raise WrongTypeError(name, str(dtype), _PLAIN)


def _is_empty(frame: Frame, name: str) -> bool:
    """Whether a column that is at hand holds nothing: then its type says nothing either."""
    if is_lazy(frame):
        return False
    series = frame[name]  # type: ignore[index,unused-ignore]
    return bool(series.null_count() == len(series))


def _words(column: Any) -> Quantity:  # noqa: ANN401
    # A text is compared for equality alone, so the limit of both tests is the text.
    known = nw.when(column.is_null()).then(nw.lit(value=False)).otherwise(column != "")
    return Quantity(known, lambda word: column == word, lambda word: column == word, is_text=True)


def _integers(column: Any, known: Any) -> Quantity:  # noqa: ANN401
    def at_most(limit: Number) -> Any:  # noqa: ANN401
        top = limit if math.isinf(limit) else math.floor(limit)
        return known if top >= _MOST else ~known if top < _LEAST else column <= int(top)

    def at_least(limit: Number) -> Any:  # noqa: ANN401
        low = limit if math.isinf(limit) else math.ceil(limit)
        return known if low <= _LEAST else ~known if low > _MOST else column >= int(low)

    return Quantity(known, at_most, at_least)


def _floats(column: Any) -> Quantity:  # noqa: ANN401
    # NaN is a missing value in pandas and the largest number in Spark; here it is missing.
    known = nw.when(column.is_null()).then(nw.lit(value=False)).otherwise(~column.is_nan())
    return Quantity(
        known,
        lambda limit: column <= _nearest(limit, -math.inf),
        lambda limit: column >= _nearest(limit, math.inf),
    )


def _nearest(limit: Number, towards: float) -> float:
    """The float that tests the same, where a whole number has none of its own."""
    found = float(limit)
    if math.isinf(found) or found == limit:
        return found
    beyond = found > limit if towards < 0 else found < limit
    return math.nextafter(found, towards) if beyond else found


# --- columns of a summary ------------------------------------------------------------------------


def _tally(_: Frame, names: Sequence[str], __: Figure, ___: AsOf | None) -> Quantity:
    return _counted(names[0])


def _counted(name: str) -> Quantity:
    column = nw.col(name)
    return _integers(column, ~column.is_null())


def _monthly(_: Frame, names: Sequence[str], wanted: Figure, __: AsOf | None) -> Quantity:
    """A count over whole months: the limit is multiplied, not the count divided."""
    count, months = _counted(names[0]), wanted.divisor

    def at_most(limit: Number) -> Any:  # noqa: ANN401
        return count.at_most(_most(limit, months))

    def at_least(limit: Number) -> Any:  # noqa: ANN401
        # The first count that reaches the limit follows the last one that stays below it.
        return count.at_least(-_most(-limit, months))

    return Quantity(count.known, at_most, at_least)


def _most(limit: Number, months: int) -> Number:
    """The largest count whose quotient, as Python divides, is at most the limit."""
    if abs(limit) > _HUGE:
        return limit
    count = math.floor(Fraction(limit) * months)
    return count + 1 if (count + 1) / months <= limit else count


def _least(_: Frame, names: Sequence[str], __: Figure, ___: AsOf | None) -> Quantity:
    """The smallest of several counts."""
    counts = [_counted(name) for name in names]
    known = reduce(and_, (each.known for each in counts))
    return Quantity(
        known,
        lambda limit: reduce(or_, (each.at_most(limit) for each in counts)),
        lambda limit: reduce(and_, (each.at_least(limit) for each in counts)),
    )


def _mean(_: Frame, names: Sequence[str], wanted: Figure, __: AsOf | None) -> Quantity:
    """An average: total against limit times number, in whole numbers; none of nothing."""
    total, number = nw.col(names[0]), nw.col(names[1])
    known = nw.when(number.is_null()).then(nw.lit(value=False)).otherwise(number > 0)
    return _ratio(wanted, known, lambda n, d: (total * d, number * n))


def _variation(_: Frame, names: Sequence[str], wanted: Figure, __: AsOf | None) -> Quantity:
    """Standard deviation over mean: their squares, in whole numbers."""
    counts = [nw.col(name) for name in names]
    total = reduce(lambda a, b: a + b, counts)
    spread = reduce(lambda a, b: a + b, (len(counts) * each * each for each in counts))
    known = nw.when(total.is_null()).then(nw.lit(value=False)).otherwise(total > 0)
    squares = _ratio(
        wanted, known, lambda n, d: ((spread - total * total) * (d * d), total * total * (n * n))
    )

    def at_most(limit: Number) -> Any:  # noqa: ANN401
        return squares.at_most(limit) if limit >= 0 else ~known

    def at_least(limit: Number) -> Any:  # noqa: ANN401
        return squares.at_least(limit) if limit > 0 else known

    return Quantity(known, at_most, at_least)


def _ratio(wanted: Figure, known: Any, sides: Callable[[int, int], Any]) -> Quantity:  # noqa: ANN401
    def scaled(limit: Number) -> tuple[Any, Any]:
        share = exact(limit)
        if share.denominator > _FINEST:
            allowed = "a limit with six decimals or fewer"
            raise InvalidValueError(f"limit on {wanted.name}", limit, allowed)
        return sides(share.numerator, share.denominator)  # type: ignore[no-any-return,unused-ignore]

    def at_most(limit: Number) -> Any:  # noqa: ANN401
        if abs(limit) > _HUGE:
            return known if limit > 0 else ~known
        left, right = scaled(limit)
        return left <= right

    def at_least(limit: Number) -> Any:  # noqa: ANN401
        if abs(limit) > _HUGE:
            return known if limit < 0 else ~known
        left, right = scaled(limit)
        return left >= right

    return Quantity(known, at_most, at_least)


_HUGE = 10**13  # minor units: no average reaches it where sums fit into 64 bits


def _days_since(frame: Frame, names: Sequence[str], wanted: Figure, at: AsOf | None) -> Quantity:
    """Days since a day: the instant of it against the edge of a day."""
    at = _asked(at, wanted)
    column, since = _moments(frame, names[0], at)

    def at_most(limit: Number) -> Any:  # noqa: ANN401
        if limit < 0:
            return column.is_null()
        if math.isinf(limit) or limit >= at.day.toordinal():
            return ~column.is_null()
        return column >= since(plus_days(at.day, -math.floor(limit)))

    def at_least(limit: Number) -> Any:  # noqa: ANN401
        if limit <= 0:
            return ~column.is_null()
        if math.isinf(limit) or limit > at.day.toordinal():
            return column.is_null()
        return column < since(plus_days(at.day, 1 - math.ceil(limit)))

    return Quantity(~column.is_null(), at_most, at_least)


def _full_years(frame: Frame, names: Sequence[str], wanted: Figure, at: AsOf | None) -> Quantity:
    """Full years since a day: the day against the last one that is so many years ago."""
    at = _asked(at, wanted)
    column, since = _moments(frame, names[0], at)

    def at_least(limit: Number) -> Any:  # noqa: ANN401
        if limit <= 0:
            return ~column.is_null()
        if math.isinf(limit) or limit >= at.day.year:
            return column.is_null()
        return column < since(plus_days(_latest_start(at.day, math.ceil(limit)), 1))

    def at_most(limit: Number) -> Any:  # noqa: ANN401
        if limit < 0:
            return column.is_null()
        if math.isinf(limit):
            return ~column.is_null()
        return ~at_least(math.floor(limit) + 1)

    return Quantity(~column.is_null(), at_most, at_least)


def _latest_start(today: date, years: int) -> date:
    """Last day that is at least so many full years ago."""
    near = plus_months(today, -12 * years)
    days = (plus_days(near, extra) for extra in (2, 1, 0, -1, -2))
    return next(day for day in days if day <= today and full_years(day, today) >= years)


def _moments(frame: Frame, name: str, at: AsOf) -> tuple[Any, Callable[[date], Any]]:
    """A column of times, and the literal at which a local day begins."""
    dtype = type_of(frame, name)
    if not isinstance(dtype, nw.Date | nw.Datetime):
        raise WrongTypeError(name, str(dtype), "instants or days, as frames.summary gives them")
    return in_utc(frame, name), lambda day: moment(frame, name, day_edge(day, at.zone), day)


def _asked(at: AsOf | None, wanted: Figure) -> AsOf:
    if at is None:
        raise InvalidValueError("as_of", None, f"a day or instant: {wanted.name} depends on it")
    return at


_FORMS: dict[Any, Callable[[Frame, Sequence[str], Figure, AsOf | None], Quantity]] = {
    measures._days_since: _days_since,  # noqa: SLF001  how a family combines its aggregates ...
    measures._plain: _tally,  # noqa: SLF001
    measures._per_month: _monthly,  # noqa: SLF001
    measures._least: _least,  # noqa: SLF001
    measures._mean: _mean,  # noqa: SLF001
    measures._variation: _variation,  # noqa: SLF001
    measures._full_years: _full_years,  # noqa: SLF001  ... is how it is compared here
}
