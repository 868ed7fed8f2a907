"""Triage: how bad, how wide, how urgent, and what follows from it.

Each handbook has its own levels (VAR-08): general and major from three dimensions (000), four
degrees of severity (002), urgent and normal (003). Levels are tables of cases over what is
known of the item; the first case that holds decides and says why. The order of the queue is
here too, since it goes by the same levels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from retention.mechanisms.acts import timed
from retention.mechanisms.decisions import Case, Decision, FirstMatch
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    WrongTypeError,
)
from retention.mechanisms.periods import When, in_utc
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.words import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class Severity(Word):
    """How bad it is, least first (H-03, H-15)."""

    MINOR = "minor", "轻微"
    MODERATE = "moderate", "一般"
    SERIOUS = "serious", "严重"
    MAJOR = "major", "重大"


class Scope(Word):
    """How many it touches, least first (H-03)."""

    SINGLE = "single", "个别"
    SEVERAL = "several", "多人"
    GROUP = "group", "群体"


class Urgency(Word):
    """How soon it must be dealt with, least first (H-03)."""

    LOW = "low", "不急"
    MEDIUM = "medium", "较急"
    HIGH = "high", "紧急"


class CaseLevel(Word):
    """What triage says (VAR-08): two words of 000, four of 002, two of 003."""

    GENERAL = "general", "一般"
    MINOR = "minor", "轻微"
    MODERATE = "moderate", "中等"
    SERIOUS = "serious", "严重"
    MAJOR = "major", "重大"
    NORMAL = "normal", "普通"
    URGENT = "urgent", "紧急"


class Consequence(Word):
    """What a level sets off at once (H-04, H-14, H-15)."""

    HANDLING_STAFF = "handling_staff", "安排相关人员处理"
    EMERGENCY_MECHANISM = "emergency_mechanism", "启动应急处理机制"
    JOINT_TEAM = "joint_team", "多部门联合处理"
    MANAGEMENT = "management", "升级至管理层"
    URGENT_PROCESS = "urgent_process", "启动紧急处理流程"
    FIRST_IN_LINE = "first_in_line", "优先解决"


@policy
class LevelCase(Case[CaseLevel]):
    """One row of the triage table: when the level holds, and what it sets off."""

    consequences: tuple[Consequence, ...] = field(default=(), converter=tuple)


@policy
class Triage(Policy):
    """The table of levels, and the rank of each in the queue.

    >>> from retention.mechanisms.rules import Measure
    >>> table = FirstMatch(
    ...     (LevelCase(CaseLevel.MAJOR, Measure[str]("scope").is_("group")),),
    ...     otherwise=CaseLevel.GENERAL,
    ... )
    >>> triage = Triage(table, facts=("scope",))
    >>> str(triage.level({"scope": "group"}).outcome), triage.consequences(CaseLevel.MAJOR)
    ('major', ())
    """

    table: FirstMatch[CaseLevel]
    facts: tuple[str, ...] = field(converter=tuple)  # names that an assessment must bring
    otherwise: tuple[Consequence, ...] = field(default=(), converter=tuple)
    typical: tuple[tuple[str, str], ...] = field(default=(), converter=tuple)  # topic, severity
    joint_team: int | None = None  # departments in the team for a level that sets off a joint team
    rule: str = "H-03"

    def level(self, known: Mapping[str, Any]) -> Decision[CaseLevel]:
        """Return the level of what is known of an item, with its reasons (H-03, H-14, H-15)."""
        row = {name: known.get(name) for name in self.table.measures}
        return self.table.decide({name: _plain(value) for name, value in row.items()})

    def suggested(self, topic: str) -> str:
        """Return the severity that the handbook gives a topic as an example; empty if none."""
        return dict(self.typical).get(topic, "")

    def consequences(self, level: CaseLevel) -> tuple[Consequence, ...]:
        """Return what a level sets off."""
        for case in self.table.cases:
            if case.outcome is level and isinstance(case, LevelCase):
                return case.consequences
        return self.otherwise


def _plain(value: Any) -> Any:  # noqa: ANN401
    return str(value) if isinstance(value, Word) else value


@frozen
class Waiting:
    """Somebody waits for an answer: since when, how urgent, of which tier."""

    id: str
    since: When = field(validator=timed)
    urgency: str = ""
    tier: str = ""


@policy
class QueueOrder(Policy):
    """Who is served first (H-36): urgent ones, then by tier, then who has waited longest.

    ``urgencies`` and ``tiers`` are ordered, first served first; what they do not name comes
    after them. ``channels`` gives tiers a line of their own.

    >>> from datetime import UTC
    >>> order = QueueOrder(urgencies=("urgent",), tiers=("diamond", "gold"))
    >>> at = [datetime(2024, 6, 1, 9, minute, tzinfo=UTC) for minute in range(3)]
    >>> waiting = [
    ...     Waiting("a", at[0]),
    ...     Waiting("b", at[1], tier="gold"),
    ...     Waiting("c", at[2], "urgent"),
    ... ]
    >>> [each.id for each in order.sort(waiting)]
    ['c', 'b', 'a']
    """

    urgencies: tuple[str, ...] = field(default=(), converter=tuple)
    tiers: tuple[str, ...] = field(default=(), converter=tuple)
    channels: tuple[tuple[str, str], ...] = field(default=(), converter=tuple)  # tier, channel

    def __attrs_post_init__(self) -> None:
        for name in ("urgencies", "tiers"):
            words = getattr(self, name)
            if not is_blank(words) and len(set(words)) < len(words):
                raise DuplicateError(f"QueueOrder.{name}", max(words, key=words.count))

    def sort(self, waiting: Iterable[Waiting]) -> tuple[Waiting, ...]:
        """Return those who wait in the order in which they are served; ties by id."""
        found = tuple(waiting)
        ids = [each.id for each in found]
        if len(set(ids)) < len(ids):
            raise InvalidValueError("waiting", max(ids, key=ids.count), "each of them once")
        return tuple(sorted(found, key=self._place))

    def channel(self, tier: str) -> str:
        """Return the channel that a tier has for itself; empty if it has none."""
        return dict(self.channels).get(tier, "")

    def lines(self, waiting: Iterable[Waiting]) -> dict[str, tuple[Waiting, ...]]:
        """Return the order in each channel of its own; the common line has an empty name."""
        found: dict[str, list[Waiting]] = {}
        for each in self.sort(waiting):
            found.setdefault(self.channel(each.tier), []).append(each)
        return {channel: tuple(line) for channel, line in sorted(found.items())}

    def sort_columns(
        self, since: ArrayLike, urgency: ArrayLike, tier: ArrayLike, ids: ArrayLike | None = None
    ) -> NDArray[np.intp]:
        """Return the row numbers of columns in the order of service, ties by id.

        ``since`` are UTC instants. Without ``ids`` equal rows keep their places, so the order
        then depends on that of the rows.

        >>> import numpy as np
        >>> order = QueueOrder(tiers=("gold",))
        >>> since = np.array(["2024-06-01T09:01", "2024-06-01T09:00"] * 2, "datetime64[m]")
        >>> order.sort_columns(since, [""] * 4, ["", "", "gold", ""], ["d", "c", "b", "a"]).tolist()
        [2, 3, 1, 0]
        """
        import numpy as np

        when = np.asarray(since)
        columns = {"since": when, "urgency": np.asarray(urgency), "tier": np.asarray(tier)}
        columns |= {} if ids is None else {"ids": np.asarray(ids)}
        if len({len(column) for column in columns.values()}) > 1:
            sizes = {name: len(column) for name, column in columns.items()}
            raise UnequalColumnsError("waiting", sizes)
        if not len(when):
            return np.zeros(0, np.intp)
        if when.dtype.kind != "M" or np.isnat(when).any():
            raise WrongTypeError("since", str(when.dtype), "datetime64 instants in UTC, none NaT")
        ranks = [self._ranks(columns["tier"], self.tiers, np)]
        ranks.append(self._ranks(columns["urgency"], self.urgencies, np))
        if ids is None:
            return np.lexsort((when, *ranks))
        names, counts = np.unique(columns["ids"], return_counts=True)
        if len(names) < len(when):
            raise InvalidValueError("waiting", str(names[counts.argmax()]), "each of them once")
        return np.lexsort((columns["ids"], when, *ranks))

    def _ranks(self, column: Any, order: tuple[str, ...], np: Any) -> Any:  # noqa: ANN401
        ranks = np.full(len(column), len(order))
        for place, name in enumerate(order):
            ranks[column == name] = place
        return ranks

    def _place(self, each: Waiting) -> tuple[int, int, datetime, str]:
        if not isinstance(each.since, datetime):
            raise WrongTypeError("Waiting.since", each.since, "an aware instant")
        since = in_utc(each.since)
        return _rank(each.urgency, self.urgencies), _rank(each.tier, self.tiers), since, each.id


def _rank(name: str, order: tuple[str, ...]) -> int:
    return order.index(name) if name in order else len(order)
