"""What can be asked of an account of points: commands, imperative and frozen.

Each says when, by whom, and under which key it may come twice. The facts that follow from
them are in ``points``; whether they follow is decided in ``ledger``. A value that no account
could take, such as a fraction of a point, is refused when the command is made.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, ClassVar

from attrs import field, frozen

from retention.lots import Validity
from retention.mechanisms.acts import Command
from retention.mechanisms.errors import InvalidValueError, WrongTypeError
from retention.mechanisms.periods import When, checked
from retention.mechanisms.words import Word

POINTS = "points"  # the currency where nobody names one


class PointsCommand(Word):
    """What is done with points (E-09, E-11, E-14, E-17, E-38)."""

    OPEN_BALANCE = "open_balance", "期初建账"
    EARN = "earn", "获得"
    REDEEM = "redeem", "兑换"
    HOLD = "hold", "预占"
    CAPTURE = "capture", "预占核销"
    RELEASE = "release", "预占释放"
    REVERSE_EARNING = "reverse_earning", "冲销获得"
    REVERSE_REDEMPTION = "reverse_redemption", "撤销兑换"
    ADJUST = "adjust", "人工调整"
    TRANSFER = "transfer", "转出"
    RECEIVE = "receive", "转入"
    REINSTATE = "reinstate", "恢复过期积分"
    REBOOK = "rebook", "补记重算"


def _whole(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongTypeError(attribute.name, value, "whole points: no fraction, no truth value")


def _positive(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    _whole(_, attribute, value)
    if value < 1:
        raise InvalidValueError(attribute.name, value, "1 point or more")


def _some(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    _whole(_, attribute, value)
    if not value:
        raise InvalidValueError(attribute.name, value, "points to add, or less than 0 to take")


def _maybe(check: Callable[[object, Any, Any], None]) -> Callable[[object, Any, Any], None]:
    def checked_unless_none(it: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
        if value is not None:
            check(it, attribute, value)

    return checked_unless_none


def _named(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    if not isinstance(value, str):
        raise WrongTypeError(attribute.name, value, "a text")
    if not value:
        raise InvalidValueError(attribute.name, "''", "a text that is not empty")


def _time(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    checked(value, attribute.name)


# --- commands -----------------------------------------------------------------------------------


@frozen(kw_only=True)
class PointsOrder(Command):
    """A command to an account of points.

    ``at`` is when it takes effect, ``recorded_at`` when it became known; it may be left out
    where both are the same.
    """

    name: ClassVar[PointsCommand]
    recorded_at: When | None = field(default=None, validator=_maybe(_time))

    def body(self) -> dict[str, Any]:
        """Return what makes two commands the same; who asks again may do so later."""
        found = super().body()
        del found["recorded_at"]
        return found


@frozen
class Earn(PointsOrder):
    """Bring points for a source: a purchase, an activity, a referral (E-09).

    Bonus points of the same source come as an earning of their own, so that both are reversed
    with it. What is left open follows the policy.
    """

    name: ClassVar[PointsCommand] = PointsCommand.EARN
    points: int = field(validator=_positive)
    source: str = field(validator=_named)
    reason: str = ""
    currency: str = POINTS
    usable_on: date | None = None
    expires_on: date | None = None
    validity: Validity | None = None


@frozen
class OpenBalance(PointsOrder):
    """Take over points from an older system; before anything else."""

    name: ClassVar[PointsCommand] = PointsCommand.OPEN_BALANCE
    points: int = field(validator=_positive)
    source: str = field(default="opening_balance", validator=_named)
    currency: str = POINTS
    usable_on: date | None = None
    expires_on: date | None = None
    validity: Validity | None = None


@frozen
class Redeem(PointsOrder):
    """Spend points, the soonest to expire first (E-11, E-15).

    The redemption is known by ``redemption``, else by the key of the command, else by its
    number in the log.
    """

    name: ClassVar[PointsCommand] = PointsCommand.REDEEM
    points: int = field(validator=_positive)
    purpose: str = ""
    currency: str = POINTS
    redemption: str = ""


@frozen
class Hold(PointsOrder):
    """Reserve points for a checkout, through a date or up to and with an instant."""

    name: ClassVar[PointsCommand] = PointsCommand.HOLD
    points: int = field(validator=_positive)
    hold: str = field(validator=_named)
    until: When | None = field(default=None, validator=_maybe(_time))
    currency: str = POINTS


@frozen
class Capture(PointsOrder):
    """Redeem what is held, or a part; the rest goes back. The redemption has the hold's id."""

    name: ClassVar[PointsCommand] = PointsCommand.CAPTURE
    hold: str = field(validator=_named)
    points: int | None = field(default=None, validator=_maybe(_positive))
    purpose: str = ""


@frozen
class Release(PointsOrder):
    """Give held points back to their lots."""

    name: ClassVar[PointsCommand] = PointsCommand.RELEASE
    hold: str = field(validator=_named)


@frozen
class ReverseEarning(PointsOrder):
    """Take back points of a purchase that was returned, bonus points too (E-17).

    ``points`` of None is all that is left of that source in every currency.
    """

    name: ClassVar[PointsCommand] = PointsCommand.REVERSE_EARNING
    source: str = field(validator=_named)
    points: int | None = field(default=None, validator=_maybe(_positive))
    currency: str = ""  # empty: all of them


@frozen
class ReverseRedemption(PointsOrder):
    """Give redeemed points back to the lots that they came from, all or a part."""

    name: ClassVar[PointsCommand] = PointsCommand.REVERSE_REDEMPTION
    redemption: str = field(validator=_named)
    points: int | None = field(default=None, validator=_maybe(_positive))


@frozen
class Adjust(PointsOrder):
    """Correct a balance by hand, up or down: with a reason, above a limit with an approver."""

    name: ClassVar[PointsCommand] = PointsCommand.ADJUST
    points: int = field(validator=_some)
    reason: str = field(validator=_named)
    approver: str = ""
    currency: str = POINTS
    expires_on: date | None = None


@frozen
class Transfer(PointsOrder):
    """Hand points to another account; their expiry goes with them."""

    name: ClassVar[PointsCommand] = PointsCommand.TRANSFER
    to: str = field(validator=_named)
    points: int = field(validator=_positive)
    currency: str = POINTS


@frozen
class Parcel:
    """Points on their way to another account, with the expiry that they keep."""

    points: int = field(validator=_positive)
    expires_on: date | None = None
    sliding: bool = False


def _parcels(given: Any) -> tuple[Parcel, ...]:  # noqa: ANN401
    return tuple(given)


def _not_none(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    if not value:
        raise InvalidValueError(attribute.name, value, "one parcel or more")


@frozen
class Receive(PointsOrder):
    """Take in what another account has sent; its request, to be decided as it is."""

    name: ClassVar[PointsCommand] = PointsCommand.RECEIVE
    sender: str = field(validator=_named)
    parcels: tuple[Parcel, ...] = field(converter=_parcels, validator=_not_none)
    currency: str = POINTS


@frozen
class Reinstate(PointsOrder):
    """Bring back points of an expired lot: with a reason, above a limit with an approver."""

    name: ClassVar[PointsCommand] = PointsCommand.REINSTATE
    lot: int = field(validator=_positive)
    reason: str = field(validator=_named)
    points: int | None = field(default=None, validator=_maybe(_positive))
    approver: str = ""
    expires_on: date | None = None
