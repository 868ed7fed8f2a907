"""Tiers of many members, a round at a time: the same terms as for one.

Every member goes from one change to the next: to the first day on which more is met than the
tier held, or to the end of its validity. A round does this for all members at once, so there
are as many rounds as changes of the busiest member, and no object per member.

Ladders over spend, purchases, points and attributes are answered here; a ladder over other
measures (years of loyalty, interactions) is asked one member at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retention.aggregates import Tally
from retention.measures import figure, is_measure
from retention.mechanisms.errors import InvalidValueError, UnknownNameError
from retention.mechanisms.periods import (
    FIRST_DAY,
    AsOf,
    Trailing,
    Unit,
    When,
    day_number,
    day_of,
    zone_of,
)
from retention.tier_columns import NO_END, Days, MemberTiers, TierColumns, day_numbers
from retention.tier_terms import QUALIFYING, TierTerms
from retention.windows import Ever, Last

_OF = ("spend_minor", "purchases", "qualifying_points")


def tiers_of(tiers: TierTerms, columns: TierColumns, *, as_of: When) -> MemberTiers:
    """Return the tiers of many members; equal to ``Tiers.tier`` for each of them."""
    point = AsOf.at(as_of, zone_of(tiers.zone))
    rounds = _Rounds(tiers, columns, point)
    rounds.run()
    return MemberTiers(
        tiers,
        point,
        columns.members,
        rounds.rank,
        rounds.start,
        rounds.through,
        rounds.grace,
        columns.purchases.problems,
    )


def plus_months(days: Days, months: int | NDArray[np.int64]) -> Days:
    """Return days some months later, clamped to the end of the month.

    >>> plus_months(np.array([day_number(day_of(19782))]), 1).astype("M8[D]")
    array(['2024-03-29'], dtype='datetime64[D]')
    """
    dates = days.astype("M8[D]")
    month = dates.astype("M8[M]")
    inside = (dates - month.astype("M8[D]")).astype(np.int64)
    later = month + months
    length = ((later + 1).astype("M8[D]") - later.astype("M8[D]")).astype(np.int64)
    begin = later.astype("M8[D]").astype(np.int64)
    found: Days = begin + np.minimum(inside, length - 1)
    return found


def _ends(given: NDArray[Any], none: int) -> Days:
    """Return last days; a date that is missing becomes ``none``."""
    if given.dtype.kind != "M":
        return np.asarray(given, np.int64)
    return np.where(np.isnat(given), none, given.astype("M8[D]").astype(np.int64))


class _Grid:
    """One number for each pair of member and day, so that pairs can be sorted and searched."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.span = low - 1, high - low + 3

    def keys(self, member: NDArray[np.intp], day: Days) -> NDArray[np.int64]:
        """Return the numbers; a day outside the grid becomes its first or last one."""
        inside = np.clip(day - self.low, 0, self.span - 1)
        found: NDArray[np.int64] = member * self.span + inside
        return found


class _Log:
    """Amounts of all members in the order of member and day, as running sums."""

    def __init__(self, grid: _Grid, key: NDArray[np.int64], *amounts: NDArray[np.int64]) -> None:
        self.grid = grid
        order = _order(key)
        self.key = key if order is None else key[order]
        self.totals = [
            np.concatenate([[0], np.cumsum(x if order is None else x[order], dtype=np.int64)])
            for x in amounts
        ]

    def between(
        self, member: NDArray[np.intp], first: Days, last: Days, which: int
    ) -> NDArray[np.int64]:
        """Sum what each member did from one day through another."""
        low = np.searchsorted(self.key, self.grid.keys(member, first))
        high = np.searchsorted(self.key, self.grid.keys(member, last), side="right")
        total = self.totals[which]
        found: NDArray[np.int64] = total[high] - total[low]
        return found


def _order(key: NDArray[np.int64]) -> NDArray[np.intp] | None:
    """Return the order of keys, equal ones as they stand; None when they are in order."""
    if not key.size or (key[1:] >= key[:-1]).all():
        return None
    size = len(key)
    if int(key.max()) < 2**62 // size:  # sorting numbers is several times faster than places
        packed = np.sort(key * size + np.arange(size))
        order: NDArray[np.intp] = packed % size
        return order
    return np.argsort(key, kind="stable")


def _by_day(change: Callable[[Days], Days], days: Days) -> Days:
    """Change days by a function of the day alone: once for each day where that is less work."""
    if not days.size:
        return days
    low, high = int(days.min()), int(days.max())
    if high - low >= days.size:
        return change(days)
    return change(np.arange(low, high + 1))[days - low]


class _Rounds:
    """All members on their way through their changes."""

    def __init__(self, tiers: TierTerms, columns: TierColumns, point: AsOf) -> None:
        self.tiers, self.columns, self.point = tiers, columns, point
        size = len(columns.members)
        self.today, self.ended = day_number(point.day), day_number(point.ended_before)
        self.rank = np.zeros(size, np.int64)
        self.start, self.through = columns.since.copy(), np.full(size, NO_END, np.int64)
        self.grace = np.zeros(size, bool)
        self.locked = np.full(size, FIRST_DAY - 1, np.int64)
        self._put_on_record(columns.on_record or {})
        self._check_measures()
        self.logs, self.moment_member, self.moment_day = self._read()
        self.begins = np.searchsorted(self.moment_member, np.arange(size + 1))
        self.met = self._met(self.moment_member, self.moment_day)
        self.reaching = [np.flatnonzero(self.met >= n) for n in range(len(tiers.names))]

    # --- reading --------------------------------------------------------------------------------

    def _put_on_record(self, given: Mapping[str, NDArray[Any]]) -> None:
        """Begin where the host's records stand; a record of a later day is not known yet."""
        if not given:
            return
        missing = {"tier", "since", "valid_through"} - set(given)
        if missing:
            raise UnknownNameError("TierColumns.on_record", min(missing), sorted(given))
        since = day_numbers(given["since"])
        seen = since <= self.today
        for place, name in enumerate(self.tiers.names):
            self.rank[seen & (given["tier"] == str(name))] = place
        strange = ~np.isin(given["tier"], [str(name) for name in self.tiers.names])
        if strange.any():
            known = [str(name) for name in self.tiers.names]
            raise UnknownNameError("TierColumns.on_record.tier", given["tier"][strange][0], known)
        self.start[seen] = since[seen]
        self.through[seen] = _ends(given["valid_through"], NO_END)[seen]
        if "in_grace" in given:
            self.grace[seen] = np.asarray(given["in_grace"], bool)[seen]
        if "locked_through" in given:
            self.locked[seen] = _ends(given["locked_through"], FIRST_DAY - 1)[seen]

    def _check_measures(self) -> None:
        known = self.columns.attributes
        for name in self.tiers.asked:
            if name in QUALIFYING or (known is not None and name in known.columns):
                continue
            wanted = figure(name) if is_measure(name) else None
            parts = () if wanted is None or wanted.share_of else wanted.aggregates
            fits = len(parts) == 1 and all(isinstance(x, Tally) and _fits(x) for x in parts)
            if not fits:
                allowed = "spend, purchases, points and attributes; ask others one by one"
                raise InvalidValueError("tiers", name, allowed)

    def _read(self) -> tuple[dict[str, tuple[_Log, int]], NDArray[np.intp], Days]:
        """Return the sums of what is known, and the days on which a tier can rise."""
        log, here = self.columns.purchases, self.columns
        rows = log.times.known(self.point)
        days = log.times.days(self.point.zone)[rows]
        who = _everyone(here.members, log.customers)[log.codes[rows]]
        amounts = log.amounts_minor[rows]
        mine = who >= 0
        if not mine.all():
            who, days, amounts = who[mine], days[mine], amounts[mine]
        seen = here.point_days <= self.today
        points = here.point_members[seen], here.point_days[seen], here.points[seen]
        grid = _Grid(*self._ends(days, points[1]))
        bought = _Log(grid, grid.keys(who, days), amounts, (amounts >= 0).astype(np.int64))
        given = _Log(grid, grid.keys(*points[:2]), points[2])
        logs = {"spend_minor": (bought, 0), "purchases": (bought, 1)}
        logs["qualifying_points"] = (given, 0)
        return logs, *self._moments(grid, [bought.key, given.key])

    def _ends(self, *days: Days) -> tuple[int, int]:
        """Return the first and the last day of everything, today among them."""
        every = [*days, self.start, self.columns.since]
        lows = [int(x.min()) for x in every if x.size]
        highs = [int(x.max()) for x in every if x.size]
        return min([self.today, *lows]), max([self.today, *highs])

    def _moments(self, grid: _Grid, keys: list[NDArray[np.int64]]) -> tuple[NDArray[np.intp], Days]:
        """Return member and day of every day on which a tier can rise."""
        everybody = np.arange(len(self.start))
        if self.tiers.rises_on_dates:
            dates = np.array(list(self._evaluation_days()), np.int64)
            repeated = np.repeat(everybody, len(dates))
            found = grid.keys(repeated, np.tile(dates, len(everybody)))
        else:
            found = np.sort(np.concatenate([*keys, grid.keys(everybody, self.start)]))
            found = found[np.append(True, found[1:] != found[:-1])[: len(found)]]
        member, day = found // grid.span, found % grid.span + grid.low
        inside = (day >= self.start[member]) & (day <= self.today)
        return member[inside], day[inside]

    def _evaluation_days(self) -> Iterator[int]:
        every, first = self.tiers.evaluated, int(self.start.min(initial=self.today))
        if every is None:
            return
        for window in every.windows(day_of(first), zone=self.point.zone, until=self.point.day):
            if day_number(window.last_day) < self.ended:
                yield day_number(window.last_day)

    # --- measuring ------------------------------------------------------------------------------

    def _row(
        self, member: NDArray[np.intp], day: Days, anchor: Days | None = None
    ) -> Mapping[str, NDArray[Any]]:
        """Measure some members, each on a day; ``anchor`` holds a window open in grace."""
        known = np.minimum(day, self.today)
        found: dict[str, NDArray[Any]] = {}
        for name in self.tiers.asked:
            if name in QUALIFYING:
                begin = self._first_day(member, day if anchor is None else anchor)
                log, which = self.logs[
                    name if name in self.logs else name.removeprefix("qualifying_")
                ]
                found[name] = log.between(member, begin, known, which)
            elif is_measure(name):
                tally = figure(name).aggregates[0]
                begin = _begin(tally.span, day) if isinstance(tally, Tally) else day
                log, which = self.logs[tally.of]
                found[name] = log.between(member, begin, known, which)
            elif self.columns.attributes is not None:
                found[name] = self.columns.attributes.column(name, self.columns.members[member])
        return found

    def _first_day(self, member: NDArray[np.intp], day: Days) -> Days:
        """Return the first day of the qualification window, as ``TierTerms.first_day`` does."""
        kind, months = self.tiers.window.value, self.tiers.window_months
        if kind == "lifetime":
            return np.full(len(day), FIRST_DAY, np.int64)
        if kind == "rolling":
            return _by_day(lambda days: plus_months(days, -months) + 1, day)
        month = day.astype("M8[D]").astype("M8[M]").astype(np.int64)
        if kind == "calendar":
            # Months are counted from January 1970, which begins a period of any length.
            first = (month // months * months).astype("M8[M]")
            begins: Days = first.astype("M8[D]").astype(np.int64)
            return begins
        since = self.columns.since[member]
        joined = since.astype("M8[D]").astype("M8[M]").astype(np.int64)
        passed = np.maximum(month - joined, 0) // months
        begin = plus_months(since, passed * months)
        earlier = plus_months(since, np.maximum(passed - 1, 0) * months)
        return np.where(begin <= day, begin, earlier)

    def _met(self, member: NDArray[np.intp], day: Days, anchor: Days | None = None) -> Any:  # noqa: ANN401
        """Return the place on the ladder that is met on a day."""
        table = self.tiers.ladder.table
        if not len(member):
            return np.zeros(0, np.int64)
        codes = table.codes(self._row(member, day, anchor)).astype(np.int64)
        return len(table.outcomes) - 1 - codes

    def _kept(self, member: NDArray[np.intp], day: Days, anchor: Days | None = None) -> Any:  # noqa: ANN401
        """Return which members keep the tier they have, judged on a day."""
        row = self._row(member, day, anchor)
        kept = self._met(member, day, anchor) >= self.rank[member]
        for place, name in enumerate(self.tiers.names):
            rule = self.tiers.keep_rule(name)
            if rule is not None:
                kept |= (self.rank[member] == place) & rule.mask(row)
        return kept

    def _last_day(self, first: Days, rank: NDArray[np.int64]) -> Days:
        """Return the last day of a tier that holds from a day on, as for one member."""
        months = self.tiers.validity_months
        if months is None:
            return np.full(len(first), NO_END, np.int64)
        unit = {"month_end": "M8[M]", "year_end": "M8[Y]"}.get(self.tiers.validity_end.value)

        def last_of(days: Days) -> Days:
            last = plus_months(days, months) - 1
            if unit is None:
                return last
            ends: Days = (last.astype("M8[D]").astype(unit) + 1).astype("M8[D]").astype(np.int64)
            return ends - 1

        return np.where(rank == 0, NO_END, _by_day(last_of, first))

    # --- rounds ---------------------------------------------------------------------------------

    def run(self) -> None:
        """Take members from change to change until nobody has one left."""
        place = self.begins[:-1].copy()
        active = np.arange(len(self.start))
        while active.size:
            waiting = self.grace[active]
            held = self._round(active[~waiting], place)
            graced = self._grace_round(active[waiting], place)
            active = np.concatenate([held, graced])

    def _round(self, who: NDArray[np.intp], place: NDArray[np.intp]) -> NDArray[np.intp]:
        """Make the next change of members with a valid tier; return those who had one."""
        rise = self._next_rise(who, place)
        day = self._day_of(rise)
        ends = self.through[who]
        ending = (ends < self.today) & (ends < day)
        rising = ~ending & (day <= self.today)
        self._rise(who[rising], rise[rising], place)
        self._end(who[ending], place)
        return who[ending | rising]

    def _next_rise(self, who: NDArray[np.intp], place: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the next moment on which more is met than is held; -1 where there is none."""
        found = np.full(len(who), -1, np.intp)
        for level in range(len(self.tiers.names) - 1):
            mine = np.flatnonzero(self.rank[who] == level)
            reaching = self.reaching[level + 1]
            if not mine.size or not reaching.size:
                continue
            at = np.searchsorted(reaching, place[who[mine]])
            moment = reaching[np.minimum(at, len(reaching) - 1)]
            inside = (at < len(reaching)) & (moment < self.begins[who[mine] + 1])
            found[mine] = np.where(inside, moment, -1)
        return found

    def _day_of(self, moment: NDArray[np.intp]) -> Days:
        if not len(self.moment_day):
            return np.full(len(moment), NO_END, np.int64)
        return np.where(moment >= 0, self.moment_day[moment], NO_END)

    def _rise(
        self, who: NDArray[np.intp], moment: NDArray[np.intp], place: NDArray[np.intp]
    ) -> None:
        self._enter(who, self.met[moment], self.moment_day[moment])
        place[who] = moment + 1

    def _enter(self, who: NDArray[np.intp], rank: NDArray[np.int64], first: Days) -> None:
        self.rank[who], self.start[who] = rank, first
        self.through[who] = self._last_day(first, rank)
        self.grace[who] = False

    def _end(self, who: NDArray[np.intp], place: NDArray[np.intp]) -> None:
        """Judge ends of validity: keep, begin the grace period, or fall."""
        if not who.size:
            return
        last = self.through[who]
        anchor = np.where(self.grace[who], self.start[who] - 1, last)
        kept = self._kept(who, last, anchor)
        self._enter(who[kept], self.rank[who[kept]], last[kept] + 1)
        locked = ~kept & (self.locked[who] > last)
        self._enter(who[locked], self.rank[who[locked]], last[locked] + 1)
        self.through[who[locked]] = self.locked[who[locked]]
        waits = ~kept & ~locked & ~self.grace[who] & (self.tiers.grace_days > 0)
        self.start[who[waits]] = last[waits] + 1
        self.through[who[waits]] = last[waits] + self.tiers.grace_days
        falls = ~kept & ~locked & ~waits
        met = self._met(who[falls], last[falls], anchor[falls])
        lower = self._landing(self.rank[who[falls]], met)
        self._enter(who[falls], lower, last[falls] + 1)
        self.grace[who[waits]] = True
        self._skip(who, last + 1, place)

    def _landing(self, rank: NDArray[np.int64], met: NDArray[np.int64]) -> NDArray[np.int64]:
        below = rank - 1 if self.tiers.one_step_down else met
        return np.maximum(np.maximum(np.minimum(below, rank - 1), met), 0)

    def _skip(self, who: NDArray[np.intp], day: Days, place: NDArray[np.intp]) -> None:
        """Go on with the first moment that is not before a day."""
        for _ in range(len(self.moment_day)):
            at = np.minimum(place[who], max(len(self.moment_day) - 1, 0))
            before = (place[who] < self.begins[who + 1]) & (self.moment_day[at] < day)
            if not before.any():
                return
            place[who[before]] += 1

    def _grace_round(self, who: NDArray[np.intp], place: NDArray[np.intp]) -> NDArray[np.intp]:
        """Judge the next moment in the grace period, or its end."""
        if not who.size:
            return who
        at = np.minimum(place[who], max(len(self.moment_day) - 1, 0))
        more = place[who] < self.begins[who + 1]
        day = np.where(more, self._day_of(at), NO_END)
        inside = day <= np.minimum(self.through[who], self.today)
        self._judge_in_grace(who[inside], day[inside], place)
        over = ~inside & (self.through[who] < self.today)
        self._end(who[over], place)
        return who[inside | over]

    def _judge_in_grace(self, who: NDArray[np.intp], day: Days, place: NDArray[np.intp]) -> None:
        if not who.size:
            return
        anchor = self.start[who] - 1
        met = self._met(who, day, anchor)
        rises = met > self.rank[who]
        keeps = ~rises & self._kept(who, day, anchor)
        place[who] += 1
        self._enter(who[rises], met[rises], day[rises])
        self._enter(who[keeps], self.rank[who[keeps]], day[keeps])


def _fits(tally: Tally) -> bool:
    return tally.of in _OF and isinstance(tally.span, Ever | Last)


def _begin(span: object, day: Days) -> Days:
    """Return the first day of a window of a measure that ends on each day."""
    trailing = span.trailing if isinstance(span, Last) else None
    if not isinstance(trailing, Trailing):
        return np.full(len(day), FIRST_DAY, np.int64)
    if trailing.unit is Unit.DAY:
        return day - trailing.count
    months = trailing.count * (12 if trailing.unit is Unit.YEAR else 1)
    return _by_day(lambda days: plus_months(days, -months) + 1, day)


def _everyone(members: NDArray[Any], customers: NDArray[Any]) -> NDArray[np.intp]:
    """Return the row of each customer among the members; -1 for somebody who is none."""
    if not len(customers) or not len(members):
        return np.full(len(customers), -1, np.intp)
    found = np.minimum(np.searchsorted(members, customers), len(members) - 1)
    return np.where(members[found] == customers, found, -1)
