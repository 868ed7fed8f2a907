"""Facts of several frames in one: what is known, who did it, and what it weighs.

Nothing is aggregated here, and no row is made up: what has no customer, time or amount is left
out. Names of columns that begin with an underscore are of this room.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
from attrs import field, frozen

from retention.aggregates import Aggregate
from retention.frames._native import (
    WHOLE,
    Frame,
    are_days,
    is_lazy,
    is_text,
    moment,
    stacked,
    times_of,
    type_of,
)
from retention.logs import KINDS
from retention.mechanisms.errors import InvalidValueError, UnknownNameError, WrongTypeError
from retention.mechanisms.periods import (
    AsOf,
    day_end,
    day_number,
    day_of,
    local_date,
    plus_days,
)

AT, WHAT, AMOUNT, KIND, TOPIC, CORE, PROFIT = (
    "_at", "_what", "_amount", "_kind", "_topic", "_core", "_profit",
)  # fmt: skip
PURCHASE, RETURN, INTERACTION, LISTED = range(4)
_TICK = timedelta(microseconds=1)
_IDS = "text or whole numbers"


@frozen
class ColumnNames:
    """Names of the caller's columns."""

    customer: str
    at: str
    amount_minor: str
    core: str | None
    profit_minor: str | None
    kind: str
    topic: str | None
    utc: bool
    days: bool


@frozen
class Facts:
    """Which columns the facts need, and what of them is known."""

    columns: ColumnNames
    aggregates: dict[str, Aggregate]
    point: AsOf
    net: bool = field(kw_only=True)

    def of(self, bought: Frame, others: Frame | None, listed: Frame | None) -> Frame:
        """Return the known facts of all frames in one, under the names of this room."""
        found = [self._purchases(bought)]
        if others is not None:
            found.append(self._interactions(others, found[0]))
        if listed is not None:
            found.append(self._listed(listed, found[0]))
        return stacked(found)

    def uses(self, *kinds: str) -> bool:
        """Whether an aggregate is taken of one of these sorts of facts."""
        return any(each.of in kinds for each in self.aggregates.values())

    @property
    def _by_kind(self) -> bool:
        return any(each.of in set(KINDS) for each in self.aggregates.values())

    @property
    def _by_topic(self) -> bool:
        return any(each.of.startswith("on:") for each in self.aggregates.values())

    def _purchases(self, frame: Frame) -> Frame:
        names = self.columns
        money, negative = names.amount_minor, nw.col(names.amount_minor) < 0
        frame = self._known(frame).filter(is_valued(frame, money))
        if not self.net:
            frame = frame.filter(~negative)
        what = nw.when(negative).then(nw.lit(RETURN)).otherwise(nw.lit(PURCHASE))
        one = nw.lit(PURCHASE) if not self.net else what
        core, profit = nw.lit(0), nw.lit(0)
        if names.core is not None:
            core = nw.when(nw.col(names.core)).then(nw.lit(1)).otherwise(nw.lit(0))
        if names.profit_minor is not None:
            profit = _whole(frame, names.profit_minor)
        return self._select(frame, one, _whole(frame, money), core=core, profit=profit)

    def _interactions(self, frame: Frame, like: Frame) -> Frame:
        names = self.columns
        if not is_text(type_of(frame, names.kind)):
            raise WrongTypeError(names.kind, str(type_of(frame, names.kind)), "text")
        kinds = nw.col(names.kind).cast(nw.String)
        _check_kinds(frame, names.kind)
        frame = self._known(frame).filter(kinds.is_in([word.value for word in KINDS]))
        topic = nw.lit("") if names.topic is None else nw.col(names.topic).cast(nw.String)
        found = self._select(frame, nw.lit(INTERACTION), nw.lit(0), kind=kinds, topic=topic)
        return self._like(found, like)

    def _listed(self, frame: Frame, like: Frame) -> Frame:
        name = self.columns.customer
        frame = frame.filter(is_named(frame, name)).select(name).unique()
        frame = frame.with_columns(moment(like, AT, _EARLY, _EARLY.date()).alias(AT))
        found = self._select(frame, nw.lit(LISTED), nw.lit(0))
        return self._like(found, like)

    def _known(self, frame: Frame) -> Frame:
        """Rows with customer and time that are known at the point of view."""
        names, point = self.columns, self.point
        at = times_of(frame, names.at, utc=names.utc, days=names.days)
        frame = frame.filter(is_named(frame, names.customer) & ~nw.col(names.at).is_null())
        frame = frame.with_columns(at.alias(AT))
        end = day_end(point.day, point.zone)
        if point.instant is not None and not are_days(frame, AT):
            end = point.instant + _TICK
        frame = frame.filter(nw.col(AT) < moment(frame, AT, end, plus_days(point.day, 1)))
        return frame.with_columns(_monotone(frame, point).alias(AT))

    def _select(
        self, frame: Frame, what: Any, amount: Any, *, core: Any = None, profit: Any = None,  # noqa: ANN401
        kind: Any = None, topic: Any = None,  # noqa: ANN401
    ) -> Frame:  # fmt: skip
        """Bring the facts of one frame into the form that they share."""
        customer = self.columns.customer
        text = is_text(type_of(frame, customer))
        more = {}
        if self.uses("spend_minor"):
            more[AMOUNT] = amount.cast(nw.Int64)
        if self.uses("core_purchases"):
            more[CORE] = nw.lit(0) if core is None else core
        if self.uses("profit_minor"):
            more[PROFIT] = (nw.lit(0) if profit is None else profit).cast(nw.Int64)
        if self._by_kind:
            more[KIND] = nw.lit("") if kind is None else kind
        if self._by_topic:
            more[TOPIC] = nw.lit("") if topic is None else topic
        who = nw.col(customer).cast(nw.String if text else nw.Int64)
        columns = {customer: who, AT: nw.col(AT), WHAT: what.cast(nw.Int64), **more}
        return frame.select(*(column.alias(name) for name, column in columns.items()))

    def _like(self, found: Frame, like: Frame) -> Frame:
        """Give times and ids of other frames the type of the first one."""
        customer, dtype = self.columns.customer, type_of(like, AT)
        if is_text(type_of(found, customer)) != is_text(type_of(like, customer)):
            raise InvalidValueError(
                "customers", "numbers in one frame, text in another", "one kind"
            )
        if are_days(found, AT) != are_days(like, AT):
            raise InvalidValueError("at", "days in one frame, instants in another", "one kind")
        return found.with_columns(nw.col(AT).cast(dtype))


_EARLY = datetime(1970, 1, 1, tzinfo=UTC)


def is_named(frame: Frame, name: str) -> Any:  # noqa: ANN401
    """Whether a row names its customer."""
    dtype = type_of(frame, name)
    column = nw.col(name)
    if is_text(dtype):
        there = nw.when(column.is_null()).then(nw.lit(value=False))
        return there.otherwise(column.cast(nw.String) != "")
    if not dtype.is_integer():
        raise WrongTypeError(name, str(dtype), _IDS)
    return ~column.is_null()


def is_valued(frame: Frame, name: str) -> Any:  # noqa: ANN401
    """Whether a row has an amount."""
    dtype = type_of(frame, name)
    column = nw.col(name)
    if dtype.is_integer():
        return ~column.is_null()
    if not dtype.is_float() or is_lazy(frame):
        raise WrongTypeError(name, str(dtype), WHOLE)
    there = nw.when(column.is_null()).then(nw.lit(value=False)).otherwise(~column.is_nan())
    series = frame.filter(there)[name]  # type: ignore[index,unused-ignore]
    if len(series) and not bool(((series.round(0) == series) & (series.abs() < 2**53)).all()):
        raise InvalidValueError(name, "a number that is not whole", WHOLE)
    return there


def is_negative(frame: Frame, name: str, *, net: bool) -> Any:  # noqa: ANN401
    """Whether an amount is below 0 where that is not a return."""
    below = nw.when(is_valued(frame, name)).then(nw.col(name) < 0).otherwise(nw.lit(value=False))
    return below & nw.lit(value=not net)


def _whole(frame: Frame, name: str) -> Any:  # noqa: ANN401
    valued = is_valued(frame, name)  # which refuses what is no whole number
    if type_of(frame, name).is_integer():
        return nw.col(name).fill_null(0).cast(nw.Int64)
    return nw.when(valued).then(nw.col(name)).otherwise(nw.lit(0.0)).cast(nw.Int64)


def _check_kinds(frame: Frame, name: str) -> None:
    if is_lazy(frame):
        return
    known = [word.value for word in KINDS]
    for given in frame[name].unique().to_list():  # type: ignore[index,unused-ignore]
        if given not in known:
            raise UnknownNameError("kind", given, known)


# --- days that are longer than they look ---------------------------------------------------------


def _monotone(frame: Frame, point: AsOf) -> Any:  # noqa: ANN401
    """Move what happened after a midnight, when clocks went back over it, before that midnight.

    There the local date fell back to the day before; with instants moved, later instants never
    have earlier dates, so the last instant has the last date.
    """
    at = column = nw.col(AT)
    if are_days(frame, AT):
        return column

    def instant(when: datetime) -> Any:  # noqa: ANN401
        return moment(frame, AT, when, when.date())

    for begin, back, end in _second_evenings(point.zone):
        if local_date(end, point.zone) <= plus_days(point.day, 1):
            again = (column >= instant(back)) & (column < instant(end))
            at = nw.when(again).then(instant(begin - _TICK)).otherwise(at)
    return at


@lru_cache(maxsize=64)
def _second_evenings(zone: ZoneInfo) -> tuple[tuple[datetime, datetime, datetime], ...]:
    """Every midnight that came twice: the first, when clocks went back, and the second."""
    return tuple(_found_evenings(zone))


def _found_evenings(zone: ZoneInfo) -> Iterator[tuple[datetime, datetime, datetime]]:
    for number in range(day_number(date(1970, 1, 2)), day_number(date(2100, 1, 1))):
        midnight = datetime.combine(day_of(number), datetime.min.time(), zone)
        again = midnight.replace(fold=1)
        if midnight.utcoffset() != again.utcoffset():
            begin, end = midnight.astimezone(UTC), again.astimezone(UTC)
            back = begin
            while local_date(back, zone) == midnight.date():
                back += timedelta(minutes=1)
            yield begin, back, end
