"""The member day: on which dates it falls, and when members are told (E-24)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from attrs import field

from retention.earning import whole
from retention.mechanisms.errors import WrongTypeError
from retention.mechanisms.obligations import Every
from retention.mechanisms.periods import plus_days, zone_of
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.touch_requests import TouchKind, TouchRequest


def _days(_: object, __: object, value: Any) -> None:  # noqa: ANN401
    if not is_blank(value):
        whole(value, "MemberDay.notice_days")


def _rule(_: object, __: object, value: Any) -> None:  # noqa: ANN401
    if not is_blank(value) and not isinstance(value, Every):
        raise WrongTypeError("MemberDay.on", value, "Every(months=1, first_day=18, last_day=18)")


@policy
class MemberDay(Policy):
    """The day or days of each period that belong to the members, and the lead of the notice.

    >>> eighteenth = MemberDay(Every(months=1, first_day=18, last_day=18), notice_days=3)
    >>> [str(day) for day in eighteenth.dates(date(2024, 1, 19), date(2024, 3, 31))]
    ['2024-02-18', '2024-03-18']
    """

    on: Every = field(validator=_rule)
    notice_days: int = field(default=0, validator=_days)
    zone: str = "Asia/Shanghai"

    def dates(self, since: date, until: date) -> tuple[date, ...]:
        """Return the first date of each member day between two dates, both inside."""
        windows = self.on.windows(since, zone=zone_of(self.zone), until=until)
        found = (window.opens.astimezone(zone_of(self.zone)).date() for window in windows)
        return tuple(day for day in found if since <= day <= until)

    def notices(
        self, members: Iterable[str | int], since: date, until: date
    ) -> tuple[TouchRequest, ...]:
        """Return a request for each member and member day; the notice comes before the day.

        >>> day = MemberDay(Every(months=1, first_day=-1), notice_days=1)
        >>> day.notices(["M-1"], date(2024, 2, 1), date(2024, 2, 29))[0].on
        datetime.date(2024, 2, 28)
        """
        days, everybody = self.dates(since, until), tuple(members)
        return tuple(
            TouchRequest(
                each,
                TouchKind.MEMBER_DAY,
                plus_days(day, -self.notice_days),
                {"member_day": str(day)},
                rule="E-24",
            )
            for day in days
            for each in everybody
        )
