"""Rules of points, and commands to one account: drawn to where ledgers break.

Days fall on expiries and beside them, ids repeat, amounts are just enough and one too many,
some commands come late, most sequences contain refunds of what was spent already.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from attrs import frozen
from hypothesis import strategies as st

from retention.ledger import LateRule, PointCurrency, PointsPolicy, Shortfall
from retention.lots import PeriodEnd, Validity
from retention.points import (
    Adjust,
    Capture,
    Earn,
    Hold,
    OpenBalance,
    PointsOrder,
    Redeem,
    Reinstate,
    Release,
    ReverseEarning,
    ReverseRedemption,
    Transfer,
)

Chooser = Callable[[int, int], int]  # a whole number between two, both inside

_BEGIN = date(2023, 12, 29)
_STEPS = (0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 7, 29, 30, 31, 59, 60, 366)
_MOST = 60  # points of one command
_LATE = 12  # one command in so many comes late

validities = st.one_of(
    st.just(Validity()),
    st.builds(Validity, days=st.sampled_from([1, 7, 30, 60])),
    st.builds(
        Validity, months=st.sampled_from([1, 2, 12]), until_end_of=st.sampled_from(PeriodEnd)
    ),
    st.builds(Validity, through=st.sampled_from([date(2024, 2, 29), date(2024, 12, 31)])),
    st.builds(Validity, days=st.sampled_from([7, 30]), inactivity=st.just(True)),
)


@st.composite
def points_policies(
    draw: st.DrawFn, *, late: LateRule | None = None, inactivity: bool = True
) -> PointsPolicy:
    """Rules of points, with one currency or several.

    >>> from hypothesis import find
    >>> find(points_policies(), lambda policy: policy.shortfall is Shortfall.CLAMP).pending_days
    0
    """
    validity = draw(validities.filter(lambda x: inactivity or not x.inactivity))
    status = PointCurrency("status", redeemable=False, validity=Validity())
    return PointsPolicy(
        currencies=draw(st.sampled_from([("points",), ("points",), ("points", status)])),
        validity=validity,
        pending_days=draw(st.sampled_from([0, 0, 1, 8])),
        shortfall=draw(st.sampled_from(Shortfall)),
        expired_counts_as_returned=draw(st.booleans()),
        reinstatement_days=draw(st.sampled_from([0, 0, 5, 40])),
        approval_limit=draw(st.sampled_from([None, 20])),
        late=late or draw(st.sampled_from(LateRule)),
        reminder_days=draw(st.sampled_from([0, 30])),
        zone=draw(st.sampled_from(["Asia/Shanghai", "America/New_York"])),
    )


def made_commands(policy: PointsPolicy, choose: Chooser, number: int) -> list[PointsOrder]:
    """Make commands to one account by choosing whole numbers; many will be refused."""
    day, found = _BEGIN, list[PointsOrder]()
    hours = choose(0, 4) == 0  # all of the sequence at instants, or on dates
    for at in range(number):
        day += timedelta(days=_STEPS[choose(0, len(_STEPS) - 1)])
        back = max(choose(-40 * _LATE, 40), 0)  # as a rule not late
        when = day - timedelta(days=back)
        instant = datetime.combine(when, time(choose(0, 23), 30), UTC) if hours else when
        found.append(_command(policy, choose, instant, f"k-{at}"))
    return found


def _command(policy: PointsPolicy, choose: Chooser, at: date | datetime, key: str) -> PointsOrder:
    kinds, said = _KINDS, _Said(policy, choose, at, key)
    return kinds[choose(0, len(kinds) - 1)](said)


@frozen
class _Said:
    """What a command may say; only what it does say is chosen."""

    policy: PointsPolicy
    choose: Chooser
    at: date | datetime
    key: str

    @property
    def who(self) -> dict[str, Any]:
        return {"at": self.at, "by": "ann", "key": self.key}

    @property
    def points(self) -> int:
        return self.choose(1, _MOST)

    @property
    def part(self) -> int | None:
        points = self.choose(-_MOST, _MOST)
        return points if points > 0 else None

    @property
    def code(self) -> str:
        rows = self.policy.currencies
        return rows[self.choose(0, len(rows) - 1) if len(rows) > 1 else 0].code

    @property
    def day(self) -> date | None:
        """No day, as a rule; else that of the command or later."""
        later = self.choose(-60, 40)
        begin = self.at.date() if isinstance(self.at, datetime) else self.at
        return begin + timedelta(days=later) if later >= 0 else None

    def name(self, kind: str) -> str:
        return f"{kind}-{self.choose(1, 2)}"


_Kind = Callable[[_Said], PointsOrder]
_earn: _Kind = lambda x: Earn(  # noqa: E731
    3 * x.points, x.name("o"), currency=x.code, expires_on=x.day, **x.who
)
_redeem: _Kind = lambda x: Redeem(  # noqa: E731
    x.points, "gift", x.code, x.name("r") if x.choose(0, 1) else "", **x.who
)
_hold: _Kind = lambda x: Hold(x.points, x.name("h"), x.day, x.code, **x.who)  # noqa: E731
_capture: _Kind = lambda x: Capture(x.name("h"), x.part, **x.who)  # noqa: E731
_return: _Kind = lambda x: ReverseRedemption(x.name("r"), x.part, **x.who)  # noqa: E731
_reverse: _Kind = lambda x: ReverseEarning(x.name("o"), x.part, **x.who)  # noqa: E731

_KINDS: tuple[_Kind, ...] = (
    *(_earn, _earn, _earn, _earn, _earn, _earn, _earn),
    *(_redeem, _redeem, _redeem, _redeem),
    *(_hold, _hold, _hold, _capture, _capture, _capture, _capture, _return, _return, _return),
    *(_reverse, _reverse),
    lambda x: ReverseRedemption(x.name("h"), x.part, **x.who),
    lambda x: Release(x.name("h"), **x.who),
    lambda x: Adjust(x.choose(-_MOST, -1), "goodwill", "bob", x.code, **x.who),
    lambda x: Adjust(x.points, "goodwill", "bob", x.code, **x.who),
    lambda x: Transfer("M-2", x.points, x.code, **x.who),
    lambda x: OpenBalance(x.points, currency=x.code, expires_on=x.day, **x.who),
    lambda x: Reinstate(x.choose(1, 5), "goodwill", x.part, "bob", x.day, **x.who),
)


@st.composite
def points_commands(draw: st.DrawFn, policy: PointsPolicy, *, most: int = 12) -> list[PointsOrder]:
    """Commands to one account, nearly in order, as a service might send them.

    >>> from hypothesis import find
    >>> len(find(points_commands(PointsPolicy()), lambda commands: len(commands) == 3))
    3
    """
    number = draw(st.integers(0, most))
    return made_commands(policy, lambda low, high: draw(st.integers(low, high)), number)
