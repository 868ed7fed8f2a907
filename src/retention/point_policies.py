"""Rules of points as data: currencies, validity, and what is done in the hard cases.

The handbooks name validity and reminder and leave the rest open (E-14 to E-17); each hard case
has a default here that can be read, and the alternatives as words.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Any

from attrs import field

from retention.lots import Validity
from retention.mechanisms.choices import member
from retention.mechanisms.errors import DuplicateError, InvalidValueError, WrongTypeError
from retention.mechanisms.periods import plus_days, zone_of
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.words import Word
from retention.points import POINTS


class Shortfall(Word):
    """What is done when an earning is reversed whose points were spent (E-17)."""

    DEBT = "debt", "记欠"  # later earnings repay it
    CLAMP = "clamp", "扣至零"  # what is not there is forgiven
    REFUSE = "refuse", "拒绝"


class LateRule(Word):
    """What is done with a fact that takes effect before others that are known."""

    REBOOK = "rebook", "重新入账"  # later facts take lots as if it had been there
    PIN = "pin", "保持原入账"  # later facts keep what they took


def _whole(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    where = f"PointsPolicy.{attribute.name}"
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongTypeError(where, value, "a whole number")
    if value < 0:
        raise InvalidValueError(where, value, "0 or more")


def _whole_or_none(it: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    if value is not None:
        _whole(it, attribute, value)


def _zone(_: object, __: object, value: str) -> None:
    zone_of(value)


@policy
class PointCurrency(Policy):
    """One kind of points; those that only count for a tier cannot be redeemed.

    What is None follows the policy.
    """

    code: str
    redeemable: bool = True
    validity: Validity | None = None
    pending_days: int | None = field(default=None, validator=_whole_or_none)

    def __attrs_post_init__(self) -> None:
        if not self.code:
            raise InvalidValueError("PointCurrency.code", "''", "a name such as points")

    @property
    def key(self) -> str:
        """Name of the row."""
        return self.code


def _currencies(given: Iterable[PointCurrency | str]) -> tuple[PointCurrency, ...]:
    return tuple(PointCurrency(each) if isinstance(each, str) else each for each in given)


def _shortfall(given: Shortfall | str) -> Shortfall:
    return member(Shortfall, given, "shortfall")


def _late(given: LateRule | str) -> LateRule:
    return member(LateRule, given, "late")


@policy
class PointsRules(Policy):
    """What a programme says about its points.

    ``pending_days``: points can be used so many days after the day of earning; a return window
    of 7 days (its 7th day counts, RC-03) is over after 8. ``reinstatement_days``: redeemed
    points that come back within so many days after their expiry can be used for as many days
    more, later ones are lost; 0: all are lost. ``approval_limit``: corrections by hand of
    more points need another person; None: none does. ``reminder_days`` are counted back from
    the last usable day (E-16).
    """

    currencies: tuple[PointCurrency, ...] = field(
        default=(PointCurrency(POINTS),), converter=_currencies
    )
    validity: Validity = Validity()
    pending_days: int = field(default=0, validator=_whole)
    shortfall: Shortfall = field(default=Shortfall.DEBT, converter=_shortfall)
    expired_counts_as_returned: bool = True  # when the earning of an expired lot is reversed
    reinstatement_days: int = field(default=0, validator=_whole)
    approval_limit: int | None = field(default=None, validator=_whole_or_none)
    late: LateRule = field(default=LateRule.REBOOK, converter=_late)
    reminder_days: int = field(default=30, validator=_whole)
    zone: str = field(default="Asia/Shanghai", validator=_zone)

    def __attrs_post_init__(self) -> None:
        codes = [row.code for row in self.currencies]
        twice = next((code for code in codes if codes.count(code) > 1), None)
        if twice is not None:
            raise DuplicateError("PointsPolicy.currencies", twice)
        if not codes:
            raise InvalidValueError("PointsPolicy.currencies", (), "one currency or more")

    @cached_property
    def opened_under(self) -> str:
        """The fingerprint that an account keeps."""
        return self.fingerprint()

    def currency(self, code: str) -> PointCurrency | None:
        """Return the row of a currency; None when there is none."""
        for row in self.currencies:
            if row.code == code:
                return row
        return None

    def validity_of(self, row: PointCurrency, own: Validity | None = None) -> Validity:
        """Return the validity that holds: the command's, the currency's or the policy's."""
        if own is not None:
            return own
        return self.validity if row.validity is None else row.validity

    def pending_until(self, row: PointCurrency, on: date) -> date:
        """Return the first usable day of points earned on a day."""
        days = self.pending_days if row.pending_days is None else row.pending_days
        return plus_days(on, days) if days else on

    def reinstates(self, expiry: int, day: int) -> bool:
        """Whether points come back to life on a day, given the first unusable day."""
        return day < expiry + self.reinstatement_days

    def reinstated_until(self, on: date) -> date:
        """Return the first unusable day of points that came back to life on a day."""
        return plus_days(on, self.reinstatement_days + 1)

    def needs_approval(self, points: int) -> bool:
        """Whether a correction by hand of so many points needs another person (E-38)."""
        return self.approval_limit is not None and abs(points) > self.approval_limit
