"""Points: what is done with them and what was done, as plain frozen values.

Commands are imperative, facts past tense. A fact says in full what it did: which lots it took
points from (``taken``), to which it gave points back (``given``), what debt it made or repaid.
So a later change of policy never changes the past, and an auditor need not replay.

The columns of a fact mean the same everywhere: ``at`` is the effective time and ``on`` its
local day, ``recorded_at`` when it became known, ``sequence`` its place in the log of the
account, from 1 without gaps; ``points`` is what people read. A fact that brings points opens
the lot with its own ``sequence`` as number, of ``opened`` points: what it brought less
``repaid``. ``expires_on`` is the first unusable day. Deadlines and expiry are functions of
time; no fact says that a lot expired.

Nothing is decided here: that is ``ledger``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from attrs import field, frozen

from retention.lots import Parts
from retention.mechanisms.acts import Command, Fact
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.periods import (
    AsOf,
    When,
    day_edge,
    in_utc,
    local_date,
    plus_days,
)
from retention.point_orders import (
    POINTS,
    Adjust,
    Capture,
    Earn,
    Hold,
    OpenBalance,
    Parcel,
    PointsCommand,
    PointsOrder,
    Receive,
    Redeem,
    Reinstate,
    Release,
    ReverseEarning,
    ReverseRedemption,
    Transfer,
)

__all__ = [
    "POINTS",
    "Adjust",
    "Adjusted",
    "Capture",
    "Captured",
    "Earn",
    "Earned",
    "EarningReversed",
    "Held",
    "Hold",
    "OpenBalance",
    "Opened",
    "Opening",
    "Parcel",
    "Parts",
    "PointsCommand",
    "PointsFact",
    "PointsOrder",
    "Rebooked",
    "Receive",
    "Received",
    "Redeem",
    "Redeemed",
    "RedemptionReversed",
    "Reinstate",
    "Reinstated",
    "Release",
    "Released",
    "ReverseEarning",
    "ReverseRedemption",
    "Transfer",
    "Transferred",
    "points_to_reverse",
]


def _parts(given: Any) -> Parts:  # noqa: ANN401  lists as they come from a file
    return tuple((lot, points) for lot, points in given)


def _parcels(given: Any) -> tuple[Parcel, ...]:  # noqa: ANN401
    return tuple(given)


@frozen(kw_only=True)
class PointsFact(Fact):
    """Something that happened to an account of points."""

    name: ClassVar[PointsCommand]
    sequence: int  # place in the log of the account, from 1
    recorded_at: When | None = None  # None: known when it took effect

    @property
    def opened(self) -> int:
        """Points of the lot that this fact opened; 0 when it opened none."""
        return 0

    @property
    def moves(self) -> tuple[Parts, Parts]:
        """Points taken out of lots, and points given back to them."""
        return (), ()

    @property
    def owed(self) -> int:
        """Debt that this fact made, less what it repaid."""
        return 0

    @property
    def signed(self) -> int:
        """What this fact adds to the balance of entries (E-14); 0 for mere reservations."""
        return 0

    @property
    def names(self) -> tuple[str, ...]:
        """Ids under which this fact is looked up: source, hold, redemption."""
        return ()

    def answers(self, command: Command) -> bool:
        """Whether this fact came from such a command; what that left open is not compared."""
        return self.name is command.name and all(
            value is None or value == "" or getattr(self, name, value) == value
            for name, value in command.body().items()
        )


@frozen
class Opening(PointsFact):
    """A fact that opened a lot: what all of these say."""

    points: int
    source: str
    currency: str
    usable_on: date
    expires_on: date | None = None  # None: never, or with inactivity
    sliding: bool = False  # expires with inactivity
    renews: date | None = None  # what slides stays usable before this day, thanks to this fact
    repaid: int = 0  # went into a debt instead of the lot

    @property
    def opened(self) -> int:
        """Points of the lot: all but what repaid a debt."""
        return self.points - self.repaid

    @property
    def owed(self) -> int:
        """Debt that was repaid, as a negative number."""
        return -self.repaid

    @property
    def signed(self) -> int:
        """All the points, since a repaid debt counts as well."""
        return self.points

    @property
    def names(self) -> tuple[str, ...]:
        """The source."""
        return (self.source,)


@frozen
class Earned(Opening):
    """Points were earned."""

    name: ClassVar[PointsCommand] = PointsCommand.EARN
    reason: str = ""


@frozen
class Opened(Opening):
    """Points were taken over from an older system."""

    name: ClassVar[PointsCommand] = PointsCommand.OPEN_BALANCE


@frozen
class Received(Opening):
    """Points came from another account; ``source`` says from which."""

    name: ClassVar[PointsCommand] = PointsCommand.RECEIVE
    part: int = 1  # which parcel of the transfer it was ...
    parts: int = 1  # ... of how many

    def answers(self, command: Command) -> bool:
        """Whether this parcel is one of the command's."""
        if not isinstance(command, Receive) or self.parts != len(command.parcels):
            return False
        mine = Parcel(self.points, self.expires_on, self.sliding)
        said = (command.sender, command.currency, command.by)
        return (self.source, self.currency, self.by) == said and (
            mine == command.parcels[self.part - 1]
        )


@frozen
class Redeemed(PointsFact):
    """Points were spent; ``taken`` are the lots that they came from."""

    name: ClassVar[PointsCommand] = PointsCommand.REDEEM
    points: int
    purpose: str
    currency: str
    redemption: str
    taken: Parts = field(converter=_parts)
    renews: date | None = None

    @property
    def moves(self) -> tuple[Parts, Parts]:
        """What was taken."""
        return self.taken, ()

    @property
    def signed(self) -> int:
        """The points, as a negative number."""
        return -self.points

    @property
    def names(self) -> tuple[str, ...]:
        """The redemption."""
        return (self.redemption,)


@frozen
class Held(PointsFact):
    """Points were reserved; ``taken`` are the lots that they came from."""

    name: ClassVar[PointsCommand] = PointsCommand.HOLD
    points: int
    hold: str
    until: When | None
    currency: str
    taken: Parts = field(converter=_parts)

    @property
    def moves(self) -> tuple[Parts, Parts]:
        """What was reserved."""
        return self.taken, ()

    def over(self, view: AsOf) -> bool:
        """Whether the deadline has passed: the whole of a date counts, and an instant itself."""
        until = self.until
        if until is None:
            return False
        if isinstance(until, datetime) and view.instant is not None:
            return in_utc(until) < view.instant
        day = local_date(until, view.zone)
        # Of a date all is known: an instant of it has passed, the date itself is not over.
        whole = isinstance(until, datetime) and view.instant is None
        return day <= view.day if whole else day < view.day

    def over_before(self, at: When, on: date, zone: ZoneInfo) -> bool:
        """Whether the deadline has passed when a fact takes effect."""
        if not isinstance(self.until, datetime):
            return self.until is not None and self.until < on
        begins = in_utc(at) if isinstance(at, datetime) else day_edge(on, zone)
        return in_utc(self.until) < begins

    def lapse_day(self, zone: ZoneInfo) -> date:
        """Return the local day on which it gives its points back by itself, if nobody does."""
        if isinstance(self.until, datetime):
            return local_date(self.until, zone)
        return date.max if self.until is None else plus_days(self.until, 1)

    @property
    def names(self) -> tuple[str, ...]:
        """The hold."""
        return (self.hold,)


@frozen
class Captured(PointsFact):
    """Held points were spent: ``captured`` of the hold's lots; the rest was ``given`` back."""

    name: ClassVar[PointsCommand] = PointsCommand.CAPTURE
    hold: str
    points: int
    purpose: str
    currency: str
    captured: Parts = field(converter=_parts)
    given: Parts = field(default=(), converter=_parts)
    repaid: int = 0
    renews: date | None = None

    @property
    def taken(self) -> Parts:
        """What the redemption consists of."""
        return self.captured

    @property
    def redemption(self) -> str:
        """The redemption has the id of the hold."""
        return self.hold

    @property
    def moves(self) -> tuple[Parts, Parts]:
        """What went back; the rest had left the lots with the hold."""
        return (), self.given

    @property
    def owed(self) -> int:
        """Debt that was repaid, as a negative number."""
        return -self.repaid

    @property
    def signed(self) -> int:
        """The points, as a negative number."""
        return -self.points

    @property
    def names(self) -> tuple[str, ...]:
        """The hold, which is the redemption too."""
        return (self.hold,)


@frozen
class Released(PointsFact):
    """Held points went back to their lots; some may have repaid a debt."""

    name: ClassVar[PointsCommand] = PointsCommand.RELEASE
    hold: str
    points: int
    currency: str
    given: Parts = field(default=(), converter=_parts)
    repaid: int = 0

    @property
    def moves(self) -> tuple[Parts, Parts]:
        """What went back."""
        return (), self.given

    @property
    def owed(self) -> int:
        """Debt that was repaid, as a negative number."""
        return -self.repaid

    @property
    def names(self) -> tuple[str, ...]:
        """The hold."""
        return (self.hold,)


@frozen
class EarningReversed(PointsFact):
    """An earning was taken back, one fact for each lot that it had opened.

    ``points`` = what was ``taken`` out of lots + ``debt`` + ``forgiven``.
    """

    name: ClassVar[PointsCommand] = PointsCommand.REVERSE_EARNING
    source: str
    points: int
    currency: str
    lot: int  # whose earning was reversed; what was taken may come from others
    asked: int | None = None  # points of the command, which may concern several lots
    asked_currency: str = ""
    taken: Parts = field(default=(), converter=_parts)
    debt: int = 0
    forgiven: int = 0

    @property
    def moves(self) -> tuple[Parts, Parts]:
        """What was taken."""
        return self.taken, ()

    @property
    def owed(self) -> int:
        """Debt that was made."""
        return self.debt

    @property
    def signed(self) -> int:
        """The points as a negative number, without what was forgiven."""
        return self.forgiven - self.points

    @property
    def names(self) -> tuple[str, ...]:
        """The source."""
        return (self.source,)

    def answers(self, command: Command) -> bool:
        """Whether it came from such a command; the points of one lot need not be all."""
        said = (self.source, self.by, self.asked, self.asked_currency)
        return isinstance(command, ReverseEarning) and said == (
            *(command.source, command.by),
            *(command.points, command.currency),
        )


@frozen
class RedemptionReversed(PointsFact):
    """Redeemed points came back: ``given`` to their lots, some repaid debt, some reinstated.

    What was given to a lot whose expiry has passed is expired again at once. Reinstated
    points are a lot of their own with the number of this fact.
    """

    name: ClassVar[PointsCommand] = PointsCommand.REVERSE_REDEMPTION
    redemption: str
    points: int
    currency: str
    given: Parts = field(default=(), converter=_parts)
    repaid: int = 0
    reinstated: int = 0
    source: str = ""
    usable_on: date | None = None
    expires_on: date | None = None
    sliding: ClassVar[bool] = False

    @property
    def opened(self) -> int:
        """Points that were reinstated."""
        return self.reinstated

    @property
    def moves(self) -> tuple[Parts, Parts]:
        """What went back."""
        return (), self.given

    @property
    def owed(self) -> int:
        """Debt that was repaid, as a negative number."""
        return -self.repaid

    @property
    def signed(self) -> int:
        """All the points: what is expired is counted as such."""
        return self.points

    @property
    def names(self) -> tuple[str, ...]:
        """The redemption."""
        return (self.redemption,)


@frozen
class Adjusted(PointsFact):
    """A balance was corrected by hand; what was added is a lot."""

    name: ClassVar[PointsCommand] = PointsCommand.ADJUST
    points: int  # less than 0: taken away
    reason: str
    approver: str
    currency: str
    usable_on: date | None = None
    expires_on: date | None = None
    sliding: bool = False
    repaid: int = 0
    taken: Parts = field(default=(), converter=_parts)

    @property
    def source(self) -> str:
        """The reason stands for a source."""
        return self.reason

    @property
    def opened(self) -> int:
        """Points of the lot, if any were added."""
        return max(self.points, 0) - self.repaid

    @property
    def moves(self) -> tuple[Parts, Parts]:
        """What was taken, if any was."""
        return self.taken, ()

    @property
    def owed(self) -> int:
        """Debt that was repaid, as a negative number."""
        return -self.repaid

    @property
    def signed(self) -> int:
        """The points as they are."""
        return self.points


@frozen
class Transferred(PointsFact):
    """Points went to another account; ``parcels`` keep their expiry."""

    name: ClassVar[PointsCommand] = PointsCommand.TRANSFER
    to: str
    points: int
    currency: str
    taken: Parts = field(converter=_parts)
    parcels: tuple[Parcel, ...] = field(converter=_parcels)

    @property
    def moves(self) -> tuple[Parts, Parts]:
        """What was taken."""
        return self.taken, ()

    @property
    def signed(self) -> int:
        """The points, as a negative number."""
        return -self.points


@frozen
class Reinstated(PointsFact):
    """Expired points of a lot came back as a lot of their own, with the number of this fact."""

    name: ClassVar[PointsCommand] = PointsCommand.REINSTATE
    lot: int
    points: int
    reason: str
    approver: str
    currency: str
    source: str
    usable_on: date
    expires_on: date | None
    sliding: ClassVar[bool] = False

    @property
    def opened(self) -> int:
        """Points of the new lot."""
        return self.points

    @property
    def moves(self) -> tuple[Parts, Parts]:
        """What left the expired lot."""
        return ((self.lot, self.points),), ()


def _facts(given: Iterable[PointsFact]) -> tuple[PointsFact, ...]:
    return tuple(given)


@frozen
class Rebooked(PointsFact):
    """A late fact changed which lots later facts took: these facts count as they are here now."""

    name: ClassVar[PointsCommand] = PointsCommand.REBOOK
    replaced: tuple[PointsFact, ...] = field(converter=_facts)

    def answers(self, command: Command) -> bool:  # noqa: ARG002
        """It accompanies the late fact of its command, which is the one to compare."""
        return True


def points_to_reverse(
    points: int, *, amount_minor: int, refunded_before_minor: int, refund_minor: int
) -> int:
    """Return how many points of a purchase one of its refunds takes back (E-17).

    What is kept is rounded down, so the parts sum to the whole however it is split.

    >>> [
    ...     points_to_reverse(25, amount_minor=259_00, refunded_before_minor=before, refund_minor=x)
    ...     for before, x in ((0, 100_00), (100_00, 100_00), (200_00, 59_00))
    ... ]
    [10, 10, 5]
    """
    after = refunded_before_minor + refund_minor
    if not 0 <= refunded_before_minor <= after <= amount_minor or not amount_minor:
        given = (refunded_before_minor, refund_minor)
        raise InvalidValueError("refund_minor", given, f"in all at most {amount_minor}")
    kept = (points * (amount_minor - x) // amount_minor for x in (refunded_before_minor, after))
    return next(kept) - next(kept)
