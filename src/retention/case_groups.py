"""Group complaints: several customers with the same cause within a period (H-16).

A group has a parent case for management beside the cases of the customers, each with clocks
of its own. The parent does not end while one of the customers waits for a reply. How two cases
are noted at once, and what merging does, is decided in ``case_merges``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from retention.case_flows import Note, NoteState
from retention.case_merges import CaseFacts, Said, added, is_replied, note_both
from retention.cases import FeedbackCase
from retention.feedback import Feedback
from retention.intake import FeedbackItem, FeedbackKind, Receive
from retention.mechanisms.answers import Accepted, Code, Problem, Reason, Refused
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    WrongTypeError,
)
from retention.mechanisms.periods import When, in_utc
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.workflows import Act

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_LEAST = 2  # one customer is no group
_CHILDREN = "children_replied"  # what the way of a parent needs to end; only a group knows


def _moment(_: object, __: object, value: Any) -> None:  # noqa: ANN401
    _instant(value)


# --- what makes a group ---------------------------------------------------------------------------


@frozen
class GroupCandidate:
    """What a group is recognised by: a case, its customer, when it came, and the cause."""

    case: str
    customer: str | int
    at: datetime = field(validator=_moment)
    cause: str

    @classmethod
    def of(cls, case: FeedbackCase) -> GroupCandidate:
        """Return what a group sees of a case: the cause that was found out, else the topic."""
        cause = str(case.known().get("cause", "") or case.item.topic)
        return cls(case.id, case.item.customer, _instant(case.received), cause)


@frozen
class GroupComplaint:
    """Cases of several customers with one cause (H-16), and when there were enough of them."""

    cause: str
    cases: tuple[str, ...]
    customers: tuple[str | int, ...]
    since: datetime
    recognised: datetime


@frozen
class GroupAnswer:
    """Whether a case belongs to a group, and the number of customers that decided it."""

    group: GroupComplaint | None
    reason: Reason


@frozen
class CaseGroup:
    """A parent case and the cases of the customers."""

    parent: FeedbackCase
    children: tuple[FeedbackCase, ...]


@policy
class GroupRule(Policy):
    """How many customers with one cause in how many hours make a group, and how it is handled.

    The last instant counts (RC-02). Windows of one cause that share a case are one group, and
    a customer who complains twice counts once. ``assess`` names the command that settles the
    level of the parent, ``brings`` what it brings.

    >>> from datetime import UTC
    >>> noon, rule = datetime(2024, 6, 10, 12, tzinfo=UTC), GroupRule(customers=2, hours=24)
    >>> one = GroupCandidate("K-1", "C-1", noon, "late")
    >>> other = GroupCandidate("K-2", "C-2", noon + timedelta(hours=24), "late")
    >>> [group.cases for group in rule.groups([one, other])]
    [('K-1', 'K-2')]
    >>> str(rule.group("K-1", [one, evolve(other, cause="rude")]).reason)
    'customers 1 is not >= 2'
    """

    customers: int = 5
    hours: int = 24
    assess: str = ""
    brings: tuple[tuple[str, str], ...] = field(default=(), converter=tuple)
    rule: str = "H-16"

    def __attrs_post_init__(self) -> None:
        for name, least in (("customers", _LEAST), ("hours", 1)):
            value = getattr(self, name)
            if not is_blank(value) and value < least:
                raise InvalidValueError(f"GroupRule.{name}", value, f"{least} or more")

    def groups(self, candidates: Iterable[GroupCandidate]) -> tuple[GroupComplaint, ...]:
        """Return every group among some cases, the earliest first."""
        found = _unique(candidates)
        causes = sorted({each.cause for each in found if each.cause})
        made = [g for cause in causes for g in self._of_cause(cause, found)]
        return tuple(sorted(made, key=lambda x: (x.recognised, x.cause)))

    def group(self, case: str, candidates: Iterable[GroupCandidate]) -> GroupAnswer:
        """Say whether a case belongs to a group, and how many customers its best window has."""
        found = _unique(candidates)
        mine = next((x for x in found if x.case == case), None)
        if mine is None:
            raise InvalidValueError("case", case, "one of the candidates")
        group = next((x for x in self.groups(found) if case in x.cases), None)
        same = [x for x in found if x.cause == mine.cause and mine.cause]
        ends = [x.at for x in same if self._inside(mine, x.at)]
        most = max((len(self._window(end, same)) for end in ends), default=1)
        reason = Reason("customers", most, f">= {self.customers}", held=group is not None)
        return GroupAnswer(group, reason)

    def group_columns(self, customer: ArrayLike, at: ArrayLike, cause: ArrayLike) -> GroupColumns:
        """Find the groups among columns of cases; ``groups`` of the same rows.

        >>> noon = datetime.fromisoformat("2024-06-10T12:00+00:00")
        >>> GroupRule(customers=2).group_columns(
        ...     ["a", "b", "a"], [noon, noon, noon], ["late", "late", "rude"]
        ... ).number.tolist()
        [0, 0, -1]
        """
        import numpy as np

        from retention.mechanisms.open_columns import NONE, instants

        who, when, why = np.asarray(customer), instants(at, "at"), np.asarray(cause).astype(str)
        sizes = {"customer": len(who), "at": len(when), "cause": len(why)}
        if len(set(sizes.values())) > 1:
            raise UnequalColumnsError("cases", sizes)
        missing = np.flatnonzero(when == NONE)
        keep = np.flatnonzero((when != NONE) & (why != ""))
        number = np.full(len(who), -1)
        order = keep[np.lexsort((when[keep], why[keep]))]
        codes = np.unique(why[order], return_inverse=True)[1]
        number[order] = _numbered(
            np.unique(who[order], return_inverse=True)[1], when[order], codes,
            (self.customers, self.hours * 3_600_000_000),
        )  # fmt: skip
        rows = tuple(missing.tolist())
        problems = (Problem(Code.NO_TIME, rows, "NaT", "an instant"),) if rows else ()
        return GroupColumns(number, int(number.max(initial=-1)) + 1, problems)

    def _of_cause(self, cause: str, found: Sequence[GroupCandidate]) -> list[GroupComplaint]:
        """Return the groups of one cause: windows with enough customers, joined where they meet."""
        mine = sorted((x for x in found if x.cause == cause), key=lambda x: in_utc(x.at))
        joined: list[list[GroupCandidate]] = []
        ends: list[datetime] = []
        for last in mine:
            if len(self._window(last.at, mine)) < self.customers:
                continue
            window = [x for x in mine if self._inside(x, last.at)]
            if joined and window[0] in joined[-1]:
                joined[-1] += [x for x in window if x not in joined[-1]]
            else:
                joined.append(window)
                ends.append(in_utc(last.at))
        return [_group(cause, cases, end) for cases, end in zip(joined, ends, strict=True)]

    def _window(self, end: datetime, mine: Iterable[GroupCandidate]) -> set[str | int]:
        """Return the customers of the window that ends at an instant."""
        return {x.customer for x in mine if self._inside(x, end)}

    def _inside(self, each: GroupCandidate, end: datetime) -> bool:
        age = in_utc(end) - in_utc(each.at)
        return timedelta(0) <= age <= timedelta(hours=self.hours)

    # --- parent and children --------------------------------------------------------------------

    def open(
        self,
        rules: Feedback,
        group: GroupComplaint,
        children: Iterable[FeedbackCase],
        *,
        case: str,
        at: datetime,
        by: str,
        holds: Collection[str] = (),
    ) -> Accepted[CaseGroup, CaseFacts] | Refused:
        """Open the parent case of a group and link it with its children (H-16).

        The parent begins when there were enough customers, is assessed at once, and so goes
        to whom its level sends it; the children keep their clocks. Refused as a whole if one
        of the cases does not take its part.
        """
        mine = {x.id: x for x in children}
        if lacking := [x for x in group.cases if x not in mine]:
            raise InvalidValueError("children", ", ".join(mine), f"with {', '.join(lacking)}")
        first = mine[group.cases[0]].item
        item = FeedbackItem(
            case, group.recognised, FeedbackKind.COMPLAINT, first.channel,
            matter=group.cause, contact=by, topic=first.topic, cause=group.cause,
        )  # fmt: skip
        answer = rules.decide(None, Receive(case=case, item=item, at=at))
        if isinstance(answer, Refused):
            return answer
        parent = answer.state
        requests: tuple[object, ...] = ()
        if self.assess:
            graded = rules.decide(
                parent, Act(self.assess, at=at, by=by, brings=dict(self.brings)), holds=holds
            )
            if isinstance(graded, Refused):
                return graded
            parent, requests = graded.state, graded.requests
        linked = self._linked(rules, parent, [mine[x] for x in group.cases], at, by)
        if isinstance(linked, Refused):
            return linked
        facts = (
            CaseFacts(case, 0, linked.parent.log),
            *(added(mine[x.id], x) for x in linked.children),
        )
        return Accepted(linked, facts, requests)

    def join(
        self, rules: Feedback, group: CaseGroup, child: FeedbackCase, *, at: datetime, by: str
    ) -> Accepted[CaseGroup, CaseFacts] | Refused:
        """Link one more case with the parent of a group."""
        linked = self._linked(rules, group.parent, [child], at, by)
        if isinstance(linked, Refused):
            return linked
        after = CaseGroup(linked.parent, (*group.children, *linked.children))
        facts = (added(group.parent, after.parent), added(child, after.children[-1]))
        return Accepted(after, facts)

    def _linked(
        self, rules: Feedback, parent: FeedbackCase, children: Sequence[FeedbackCase],
        at: datetime, by: str,
    ) -> CaseGroup | Refused:  # fmt: skip
        after: list[FeedbackCase] = []
        for child in children:
            notes: tuple[Said, Said] = ((Note.GATHER, {}), (Note.BELONG, {}))
            pair = note_both(rules, (parent, child), notes, at=at, by=by)
            if isinstance(pair, Refused):
                return pair
            parent, linked = pair.one, pair.other
            after.append(linked)
        return CaseGroup(parent, tuple(after))

    def decide(
        self,
        rules: Feedback,
        group: CaseGroup,
        act: Act[Any],
        *,
        holds: Collection[str] = (),
    ) -> Accepted[CaseGroup, CaseFacts] | Refused:
        """Judge a step of the parent; it does not end while a child has had no reply.

        ``group.children`` hold the linked cases, and those into which one of them was merged.
        """
        parent, known = group.parent, {x.id: x for x in group.children}
        linked = (str(step["case"]) for step in parent.noted(Note.GATHER))
        waiting = tuple(x for x in linked if not _answered(rules, known, x))
        more = set() if waiting else {_CHILDREN}
        answer = rules.decide(parent, act, holds={*holds} - {_CHILDREN} | more)
        if isinstance(answer, Refused):
            if _CHILDREN not in answer.missing:
                return answer
            others = tuple(x for x in answer.missing if x != _CHILDREN)
            return Refused(Code.CHILDREN_OPEN, answer.given, (*others, *waiting), answer.allowed)
        facts = (CaseFacts(parent.id, parent.sequence, answer.facts),)
        return Accepted(evolve(group, parent=answer.state), facts, answer.requests)


# --- parts ----------------------------------------------------------------------------------------


@frozen(eq=False)
class GroupColumns:
    """The number of the group of each row, -1 for none; and how many groups there are."""

    number: NDArray[Any]
    groups: int
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        """Return the number of groups."""
        return self.groups


def _numbered(
    who: NDArray[Any], when: NDArray[Any], codes: NDArray[Any], limits: tuple[int, int]
) -> NDArray[Any]:
    """Number the groups of rows in the order of cause and time; -1 where there is none.

    A customer counts in the windows that end from one of his rows to the next one, as long as
    that row is still inside: sums of such stretches are the numbers of different customers.
    """
    import numpy as np

    least, length = limits
    rows = np.arange(len(when))
    times, rank = np.unique(when, return_inverse=True)
    place = codes * (len(times) + 1) + rank  # rising: by cause, and by time within it
    reach = codes * (len(times) + 1) + np.searchsorted(times, when - length)
    low, latest = np.searchsorted(place, reach), np.searchsorted(place, place, side="right") - 1
    order = np.lexsort((rows, who, codes))
    follows = np.full(len(rows), len(rows))
    same = (who[order][1:] == who[order][:-1]) & (codes[order][1:] == codes[order][:-1])
    follows[order[:-1][same]] = order[1:][same]
    leaves = np.minimum(follows, np.searchsorted(low, rows, side="right"))
    change = np.zeros(len(rows) + 1, np.int64)
    np.add.at(change, rows, 1)
    np.add.at(change, leaves, -1)
    enough = np.flatnonzero(np.cumsum(change)[:-1][latest] >= least) if len(rows) else rows
    return _spread(low[enough], latest[enough], len(rows))


def _spread(low: NDArray[Any], high: NDArray[Any], rows: int) -> NDArray[Any]:
    """Give each row the number of the joined windows that it lies in."""
    import numpy as np

    number = np.full(rows, -1)
    if not len(low):
        return number
    begins = np.append(True, low[1:] > high[:-1])
    starts, ends = low[begins], high[np.append(np.flatnonzero(begins)[1:] - 1, len(low) - 1)]
    place = np.searchsorted(starts, np.arange(rows), side="right") - 1
    inside = (place >= 0) & (np.arange(rows) <= ends[np.maximum(place, 0)])
    number[inside] = place[inside]
    return number


def _answered(rules: Feedback, known: Mapping[str, FeedbackCase], case: str) -> bool:
    """Whether a case, or the one that it was merged into, has had its reply."""
    while case in known and rules.standing(known[case]) is NoteState.MERGED:
        case = str(known[case].noted(Note.MERGE_INTO)[-1]["case"])
    return case in known and is_replied(rules, known[case])


def _group(cause: str, cases: Sequence[GroupCandidate], end: datetime) -> GroupComplaint:
    customers = tuple(dict.fromkeys(x.customer for x in cases))
    return GroupComplaint(cause, tuple(x.case for x in cases), customers, in_utc(cases[0].at), end)


def _unique(candidates: Iterable[GroupCandidate]) -> list[GroupCandidate]:
    found = list(candidates)
    twice = [case for case, number in Counter(x.case for x in found).items() if number > 1]
    if twice:
        raise DuplicateError("candidates", twice[0])
    return found


def _instant(when: When) -> datetime:
    if not isinstance(when, datetime):
        raise WrongTypeError("received", when, "an aware instant: a group counts hours")
    return when
