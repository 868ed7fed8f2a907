"""Requests to touch a customer: who, about what, when, and what the message must say.

A room that decides asks for a touch; whether it may be sent, when and by which channel is
decided by ``engagement``, and the host delivers it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import cast

from attrs import field, frozen

from retention.mechanisms.answers import Scalar
from retention.mechanisms.words import Word


class TouchKind(Word):
    """What a touch is about."""

    TIER_CHANGE = "tier_change", "等级变更"
    MEMBER_DAY = "member_day", "会员日"


def _said(
    given: Mapping[str, Scalar] | Iterable[tuple[str, Scalar]],
) -> tuple[tuple[str, Scalar], ...]:
    pairs = cast("Mapping[str, Scalar]", given).items() if isinstance(given, Mapping) else given
    return tuple(sorted((name, value) for name, value in pairs))


@frozen
class TouchRequest:
    """A request: tell this customer about that, on a day, by this rule.

    >>> asked = TouchRequest("M-1", TouchKind.TIER_CHANGE, date(2024, 2, 10), {"entered": "gold"})
    >>> asked.says
    (('entered', 'gold'),)
    """

    customer: str | int
    kind: TouchKind
    on: date
    says: tuple[tuple[str, Scalar], ...] = field(default=(), converter=_said)
    rule: str = field(default="", kw_only=True)
