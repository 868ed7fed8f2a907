"""Tools that support the service, and what they changed (H-48).

A record for the handbook's advice: which tools are in use, and a figure before and after.
Whether a tool caused the change is not said here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction

from attrs import field, frozen

from retention.mechanisms.choices import member
from retention.mechanisms.errors import DuplicateError, InvalidValueError
from retention.mechanisms.estimates import Change
from retention.mechanisms.kpis import KpiValue
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.words import Word


class ToolKind(Word):
    """Kinds of tools (004)."""

    AI_SERVICE = "ai_service", "AI客服"
    CRM = "crm", "客户关系管理系统"
    AUTOMATION = "automation", "自动化工具"


def _kind(given: ToolKind | str) -> ToolKind:
    return member(ToolKind, given, "kind")


@frozen
class ToolEffect:
    """One figure before a tool came and after; both of one definition."""

    before: KpiValue
    after: KpiValue

    def __attrs_post_init__(self) -> None:
        self.change(Change.POINTS)

    def change(self, mode: Change = Change.POINTS) -> Fraction | None:
        """Return how much the figure changed; None if one of the two has no value."""
        return self.after.change_from(self.before, mode)


@frozen
class SupportTool:
    """A tool, since when it is in use, up to which date, and its figures."""

    name: str
    kind: ToolKind = field(converter=_kind)
    since: date
    until: date | None = None  # the last date of its use
    effects: tuple[ToolEffect, ...] = field(default=(), converter=tuple[ToolEffect, ...])

    def __attrs_post_init__(self) -> None:
        if self.until is not None and self.until < self.since:
            raise InvalidValueError("SupportTool.until", self.until, f"{self.since} or later")

    def in_use(self, on: date) -> bool:
        """Whether it is in use on a date."""
        return self.since <= on and (self.until is None or on <= self.until)


@policy
class ToolPlan(Policy):
    """Which kinds of tools a handbook asks for.

    >>> plan = ToolPlan(("ai_service", "crm"))
    >>> bot = SupportTool("bot", "ai_service", date(2024, 1, 1))
    >>> [str(kind) for kind in plan.lacking([bot], on=date(2024, 6, 1))]
    ['crm']
    """

    kinds: tuple[ToolKind, ...] = field(converter=lambda given: tuple(_kind(x) for x in given))
    rule: str = "H-48"

    def in_use(self, tools: Iterable[SupportTool], *, on: date) -> tuple[SupportTool, ...]:
        """Return the tools in use on a date, by name."""
        found = tuple(tools)
        names = [each.name for each in found]
        if len(set(names)) < len(names):
            raise DuplicateError("tools", max(names, key=names.count))
        return tuple(sorted((x for x in found if x.in_use(on)), key=lambda x: x.name))

    def lacking(self, tools: Iterable[SupportTool], *, on: date) -> tuple[ToolKind, ...]:
        """Return the kinds that the handbook asks for and nobody uses on a date."""
        used = {each.kind for each in self.in_use(tools, on=on)}
        return tuple(kind for kind in self.kinds if kind not in used)
