"""Privileges of tiers that somebody must carry out: dispatch, dedicated staff, admission.

A VIP order leaves within its hours (E-22); members of high tiers have one person of their own,
as far as the roster's capacity goes (E-42); launches, limited editions and events open earlier
for some tiers or keep places for them (E-43). Discounts are priced in ``discounts``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from attrs import field, frozen

from retention.mechanisms.answers import Reason
from retention.mechanisms.errors import DuplicateError, InvalidValueError, WrongTypeError
from retention.mechanisms.obligations import Judgement, Obligation, Within, judge
from retention.mechanisms.periods import When, checked, zone_of
from retention.mechanisms.policies import Policy, policy, read

# --- dispatch -------------------------------------------------------------------------------------


@policy
class PriorityDispatch(Policy):
    """Orders of some tiers must leave within so many hours after they were placed (E-22).

    >>> from zoneinfo import ZoneInfo
    >>> vip = PriorityDispatch(("gold_card", "diamond_card"), hours=24)
    >>> placed = datetime(2024, 6, 1, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
    >>> (order,) = vip.obligations("o-1", "gold_card", placed)
    >>> vip.judged(order, placed + timedelta(hours=24), as_of=placed + timedelta(days=3)).outcome
    <Outcome.ON_TIME: 'on_time'>
    >>> vip.obligations("o-2", "none", placed)
    ()
    """

    tiers: tuple[str, ...] = field(converter=tuple)
    hours: int
    zone: str = read("Asia/Shanghai", "no zone is named")

    def obligations(self, order: str, tier: str | None, placed: datetime) -> tuple[Obligation, ...]:
        """Return the obligation to send an order of this tier; none for other tiers."""
        if tier not in self.tiers:
            return ()
        (window,) = Within(hours=self.hours).windows(placed, zone=zone_of(self.zone))
        return (Obligation(order, "dispatch", window, "E-22", trigger=placed),)

    def judged(
        self, obligation: Obligation, sent: datetime | None = None, *, as_of: When
    ) -> Judgement:
        """Say whether the order left in time, late, not yet, or was missed."""
        return judge(obligation.window, () if sent is None else (sent,), as_of=as_of)


# --- a person of one's own ------------------------------------------------------------------------


@frozen
class Advisor:
    """A person or team of the roster, and how many members each can have."""

    name: str
    capacity: int

    def __attrs_post_init__(self) -> None:
        if self.capacity < 0:
            raise InvalidValueError("Advisor.capacity", self.capacity, "0 or more")


@frozen
class Assignments:
    """Who serves whom, and who is entitled but has nobody."""

    of: tuple[tuple[str | int, str], ...]  # member and person
    without: tuple[str | int, ...]
    ended: tuple[str | int, ...]  # had a person and has none any more, or another one

    def person(self, member: str | int) -> str | None:
        """Return the person of a member."""
        return dict(self.of).get(member)


@policy
class DedicatedService(Policy):
    """Members of these tiers, the highest last, have one person each (E-42).

    Who has a person keeps him while tier and capacity allow it; then the highest tier comes
    first, equal ones in the order in which they are given, each to whoever has most room.

    >>> team = DedicatedService(("gold", "diamond"))
    >>> found = team.assign([("a", "gold"), ("b", "diamond"), ("c", "silver")], [Advisor("wu", 1)])
    >>> found.of, found.without
    ((('b', 'wu'),), ('a',))
    """

    tiers: tuple[str, ...] = field(converter=tuple)

    def assign(
        self,
        members: Iterable[tuple[str | int, str]],
        roster: Sequence[Advisor],
        *,
        before: Mapping[str | int, str] | None = None,
    ) -> Assignments:
        """Assign a person to every member of these tiers, as far as there is room."""
        names = [each.name for each in roster]
        if len(set(names)) < len(names):
            raise DuplicateError("roster", names)
        kept, room = dict(before or {}), {each.name: each.capacity for each in roster}
        entitled = [(who, tier) for who, tier in members if tier in self.tiers]
        entitled.sort(key=lambda pair: -self.tiers.index(pair[1]))  # stable: equal ones as given
        found = dict[str | int, str]()
        for who, _ in entitled:
            person = kept.get(who)
            if person is not None and room.get(person, 0) > 0:
                found[who] = person
                room[person] -= 1
        for who, _ in entitled:
            free = max(room, key=lambda name: (room[name], -names.index(name)), default=None)
            if who not in found and free is not None and room[free] > 0:
                found[who] = free
                room[free] -= 1
        without = tuple(who for who, _ in entitled if who not in found)
        ended = tuple(who for who, person in kept.items() if found.get(who) != person)
        return Assignments(tuple(found.items()), without, ended)


# --- launches, limited editions, events -----------------------------------------------------------


@policy
class EarlierWindow(Policy):
    """Some tiers are let in so many hours before everybody."""

    tiers: tuple[str, ...] = field(converter=tuple)
    hours: int

    @property
    def key(self) -> str:
        """Name of the row."""
        return "_".join(self.tiers)


@policy
class ReservedPlaces(Policy):
    """Some places are kept for some tiers until so many hours before the close."""

    tiers: tuple[str, ...] = field(converter=tuple)
    places: int
    until_hours_before_close: int = read(0, "no release of kept places is named")


@frozen
class Event:
    """A launch, sale or event: when it opens for everybody, when it closes, its places."""

    id: str
    opens: datetime
    closes: datetime
    places: int | None = None

    def __attrs_post_init__(self) -> None:
        for name in ("opens", "closes"):
            if not isinstance(checked(getattr(self, name), name), datetime):
                raise WrongTypeError(f"Event.{name}", getattr(self, name), "an aware instant")
        if self.closes < self.opens:
            raise InvalidValueError("Event.closes", self.closes, f"{self.opens} or later")


@frozen
class Admission:
    """Whether a member is let in at an instant, why, and from when on he may come."""

    admitted: bool
    opens: datetime
    reasons: tuple[Reason, ...]


@policy
class EventPriority(Policy):
    """Earlier windows and kept places by tier (E-43).

    >>> from zoneinfo import ZoneInfo
    >>> zone = ZoneInfo("Asia/Shanghai")
    >>> sale = Event(
    ...     "sale",
    ...     datetime(2024, 6, 18, 10, tzinfo=zone),
    ...     datetime(2024, 6, 18, 22, tzinfo=zone),
    ...     places=2,
    ... )
    >>> first = EventPriority((EarlierWindow(("diamond",), hours=2),))
    >>> early = datetime(2024, 6, 18, 8, tzinfo=zone)
    >>> [first.admission(sale, tier, at=early).admitted for tier in ("diamond", "gold")]
    [True, False]
    """

    rows_in: ClassVar[str] = "windows"

    windows: tuple[EarlierWindow, ...] = field(converter=tuple)
    reserved: ReservedPlaces | None = read(None, "no places are kept")

    def opens(self, event: Event, tier: str | None) -> datetime:
        """Return the instant from which on a tier is let in."""
        hours = max((row.hours for row in self.windows if tier in row.tiers), default=0)
        return event.opens - timedelta(hours=hours)

    def admission(
        self,
        event: Event,
        tier: str | None,
        *,
        at: datetime,
        taken: Mapping[str, int] | None = None,
    ) -> Admission:
        """Decide at an instant; ``taken`` counts the places taken so far by tier."""
        opens = self.opens(event, tier)
        reasons = [
            Reason("at", at.isoformat(), f">= {opens.isoformat()}", held=at >= opens),
            Reason("at", at.isoformat(), f"<= {event.closes.isoformat()}", held=at <= event.closes),
        ]
        if event.places is not None:
            free = event.places - sum((taken or {}).values()) - self._kept(event, tier, at, taken)
            reasons.append(Reason("free_places", max(free, 0), ">= 1", held=free >= 1))
        return Admission(all(each.held for each in reasons), opens, tuple(reasons))

    def _kept(
        self, event: Event, tier: str | None, at: datetime, taken: Mapping[str, int] | None
    ) -> int:
        """Places that are still kept for others than this tier."""
        row = self.reserved
        if row is None or tier in row.tiers:
            return 0
        if at >= event.closes - timedelta(hours=row.until_hours_before_close):
            return 0
        used = sum(count for name, count in (taken or {}).items() if name in row.tiers)
        return max(row.places - used, 0)
