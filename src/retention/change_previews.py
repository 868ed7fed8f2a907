"""Who is worse off after a change of the programme, and what he is given for it (E-34).

A preview compares what every member has under the old and the new programme: benefits, and
tier and earning when both are given. Compensation is owed to those alone who lose something,
and it is due before the change takes effect. The change itself is decided in
``programme_changes``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from retention.benefits import AcquiredRight, Aspect, BenefitCatalogue, Shortfall, shortfalls
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    UnknownNameError,
)
from retention.mechanisms.periods import plus_days, plus_months
from retention.mechanisms.policies import Policy, is_blank, policy, read
from retention.mechanisms.tables import Column, Head, Shown, Table, count_text, figures, headline
from retention.mechanisms.words import Language, Word
from retention.rewards import Reward, RewardKind

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class CompensationForm(Word, zh="补偿方式"):
    """What a member who is worse off is given (E-34)."""

    EXTENSION = "extend_before_effective", "生效前延长现有权益"
    POINTS = "one_time_points", "一次性积分"


def loss(
    old: BenefitCatalogue,
    new: BenefitCatalogue,
    tier: str | None,
    *,
    new_tier: str | None = None,
    points: int = 0,
    new_points: int = 0,
) -> tuple[Shortfall, ...]:
    """Return everything in which one member is worse off; nothing when he is not.

    Without ``new_tier`` he keeps his tier. ``points`` are what the same purchases earn under
    the old and the new programme.

    >>> from retention.benefits import Benefit
    >>> old = BenefitCatalogue((Benefit("free_shipping"),), ladder=["silver", "gold"])
    >>> new = BenefitCatalogue((Benefit("free_shipping", ["gold"]),), ladder=["silver", "gold"])
    >>> [str(each) for each in loss(old, new, "silver", points=100, new_points=80)]
    ['free_shipping: missing (free_shipping before, nothing after)', \
'earning: earning (100 before, 80 after)']
    >>> loss(old, new, "gold")
    ()
    """
    after = tier if new_tier is None else new_tier
    found = list(shortfalls(old.plain(tier or None), new.plain(after or None)))
    if _rank(old, after) < _rank(old, tier):
        found.append(Shortfall("tier", Aspect.TIER, str(tier), str(after)))
    return (*found, *_earning(points, new_points))


def _earning(had: int, has: int) -> tuple[Shortfall, ...]:
    return (Shortfall("earning", Aspect.EARNING, str(had), str(has)),) if has < had else ()


def _rank(catalogue: BenefitCatalogue, tier: str | None) -> int:
    """Height of a tier on the old ladder; a tier that it does not know is not lower."""
    if not tier:
        return 0
    return catalogue.ladder.index(tier) + 1 if tier in catalogue.ladder else len(catalogue.ladder)


@frozen(eq=False)
class Losses(Shown):
    """Everybody of a preview, and in what each is worse off."""

    members: NDArray[Any] = field(repr=False)
    codes: NDArray[Any] = field(repr=False)  # places among the pairs of tiers
    tiers: tuple[tuple[str, str], ...]  # each pair of old and new tier once
    points: NDArray[Any] = field(repr=False)
    new_points: NDArray[Any] = field(repr=False)
    old: BenefitCatalogue = field(repr=False)
    new: BenefitCatalogue = field(repr=False)

    @cached_property
    def _patterns(self) -> tuple[tuple[Shortfall, ...], ...]:
        """What each pair of tiers loses: few of them, however many members."""
        return tuple(loss(self.old, self.new, one, new_tier=other) for one, other in self.tiers)

    @property
    def _is_worse(self) -> NDArray[Any]:
        import numpy as np

        loses = np.array([bool(each) for each in self._patterns], bool)
        worse: NDArray[Any] = loses[self.codes] | (self.new_points < self.points)
        return worse

    @property
    def worse(self) -> NDArray[Any]:
        """The members who lose something, in the order in which they were given."""
        found: NDArray[Any] = self.members[self._is_worse]
        return found

    def row_of(self, member: object) -> int:
        """Return the row of a member; raise when he is not in the preview."""
        import numpy as np

        found = np.flatnonzero(self.members == member)
        if not len(found):
            raise UnknownNameError("member", member, f"{len(self.members)} members")
        return int(found[0])

    def of(self, member: object) -> tuple[Shortfall, ...]:
        """Return what one member loses."""
        return self.at(self.row_of(member))

    def at(self, row: int) -> tuple[Shortfall, ...]:
        """Return what the member of a row loses."""
        had, has = int(self.points[row]), int(self.new_points[row])
        return (*self._patterns[int(self.codes[row])], *_earning(had, has))

    def counts(self) -> dict[tuple[str, Aspect], int]:
        """Return how many members lose what, in which respect."""
        import numpy as np

        sizes = np.bincount(self.codes, minlength=len(self.tiers)).tolist()
        found = dict[tuple[str, Aspect], int]()
        for pattern, size in zip(self._patterns, sizes, strict=True):
            for what in dict.fromkeys((str(each.kind), each.aspect) for each in pattern):
                found[what] = found.get(what, 0) + size
        found["earning", Aspect.EARNING] = int((self.new_points < self.points).sum())
        return {what: size for what, size in found.items() if size}

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: member, whether he is worse off, and in what but earning."""
        import numpy as np

        said = np.array(["; ".join(map(str, each)) for each in self._patterns], str)
        return {
            "member": self.members,
            "worse": self._is_worse,
            "losses": said[self.codes],
            "points": self.points,
            "new_points": self.new_points,
        }

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.members)

    def __repr__(self) -> str:
        """Return sizes alone."""
        return headline("Losses", len(self), "members", {"worse off": int(self._is_worse.sum())})

    def to_table(self, language: Language = "en") -> Table:
        """Return how many members lose what, in which respect."""
        rows = (
            (kind, aspect.label(language), count_text(number))
            for (kind, aspect), number in self.counts().items()
        )
        names = (Column(head.label(language)) for head in (Head.BENEFIT, Head.RESPECT))
        return Table((*names, *figures([Head.CUSTOMERS.label(language)])), rows)


def losses(
    old: BenefitCatalogue,
    new: BenefitCatalogue,
    members: ArrayLike,
    tiers: ArrayLike,
    *,
    new_tiers: ArrayLike | None = None,
    points: ArrayLike | None = None,
    new_points: ArrayLike | None = None,
) -> Losses:
    """Return the same for many members in columns; an empty text is a customer without a tier.

    >>> from retention.benefits import Benefit
    >>> old = BenefitCatalogue((Benefit("free_shipping"),), ladder=["silver", "gold"])
    >>> new = BenefitCatalogue((Benefit("free_shipping", ["gold"]),), ladder=["silver", "gold"])
    >>> found = losses(old, new, ["a", "b", "c"], ["gold", "silver", ""])
    >>> found.worse.tolist(), found.counts()
    (['b'], {('free_shipping', <Aspect.MISSING: 'missing'>): 1})
    """
    import numpy as np

    if (points is None) is not (new_points is None):
        raise InvalidValueError("points", "one column", "points and new_points, or neither")
    who, before = np.asarray(members), np.asarray(tiers).astype(str)
    after = before if new_tiers is None else np.asarray(new_tiers).astype(str)
    nothing = np.zeros(len(who), np.int64)
    had = nothing if points is None else np.asarray(points)
    has = nothing if new_points is None else np.asarray(new_points)
    columns = {"members": who, "tiers": before, "new_tiers": after, "points": had,
               "new_points": has}  # fmt: skip
    sizes = {name: len(column) for name, column in columns.items()}
    if len(set(sizes.values())) > 1:
        raise UnequalColumnsError("losses", sizes)
    if len(np.unique(who)) < len(who):
        raise DuplicateError("members", "a member")
    names, places = np.unique(np.concatenate([before, after]), return_inverse=True)
    pairs, codes = np.unique(
        places[: len(who)] * len(names) + places[len(who) :], return_inverse=True
    )
    known = names.tolist()
    found = tuple((known[pair // len(known)], known[pair % len(known)]) for pair in pairs.tolist())
    return Losses(who, codes, found, had, has, old, new)


# --- compensation ---------------------------------------------------------------------------------


@policy
class Remedy(Policy):
    """One row: what is given for the loss of a benefit, of the tier, or of earning.

    An extension lets the old benefit hold for some months after the change; points are given
    once per member, whatever he loses.
    """

    kind: str = read("", "no benefit is named")  # a benefit, tier or earning; empty: any other
    form: CompensationForm = CompensationForm.EXTENSION
    months: int | None = read(None, "no extension is named")
    points: int | None = read(None, "no points are named")

    def __attrs_post_init__(self) -> None:
        extends = self.form is CompensationForm.EXTENSION
        amount = self.months if extends else self.points
        if not is_blank(amount) and (amount is None or amount < 1):
            allowed = "months of 1 or more" if extends else "points of 1 or more"
            raise InvalidValueError(f"remedy {self.key}", amount, allowed)
        if extends and self.kind in {"tier", "earning"}:
            raise InvalidValueError(f"remedy {self.key}", self.form, "one_time_points")

    @property
    def key(self) -> str:
        """Name of the row."""
        return self.kind or "any"


@frozen
class Extension:
    """A request: let a member keep a benefit as it was, past the change (E-34, E-35)."""

    member: str | int
    right: AcquiredRight
    source: str
    key: str


Compensation = Extension | Reward


@frozen(eq=False)
class CompensationPlan:
    """What everybody who is worse off is to be given, and by when."""

    change: str
    losses: Losses = field(repr=False)
    remedies: tuple[Remedy, ...]
    decided_on: date
    effective_on: date

    @property
    def due_by(self) -> date:
        """The last day on which compensation is in time: before the change takes effect."""
        return plus_days(self.effective_on, -1)

    def of(self, member: object) -> tuple[Compensation, ...]:
        """Return what one member is to be given; nothing when he loses nothing."""
        return tuple(self._given(self.losses.row_of(member)))

    def requests(self) -> Iterator[Compensation]:
        """Every compensation, member by member; nobody else is looked at."""
        import numpy as np

        worse = np.isin(self.losses.members, self.losses.worse)
        for row in np.flatnonzero(worse).tolist():
            yield from self._given(row)

    def open(self, done: Mapping[str, date], *, before: date) -> tuple[Compensation, ...]:
        """Return what was not given before a day; ``done`` has the day by key."""
        return tuple(x for x in self.requests() if done.get(x.key, date.max) >= before)

    def points(self) -> int:
        """Return the points that the plan costs."""
        return sum(x.amount for x in self.requests() if isinstance(x, Reward))

    def _given(self, row: int) -> Iterator[Compensation]:
        member, paid = self.losses.members[row].item(), 0
        for kind in dict.fromkeys(str(each.kind) for each in self.losses.at(row)):
            remedy = self._remedy(kind)
            if remedy.form is CompensationForm.EXTENSION:
                yield self._extension(row, kind, remedy)
            else:
                paid = max(paid, remedy.points or 0)
        if paid:
            yield Reward(
                member,
                RewardKind.POINTS,
                paid,
                reason="compensation",
                source=self.change,
                key=f"{self.change}:{member}:points",
            )

    def _extension(self, row: int, kind: str, remedy: Remedy) -> Extension:
        """The row of the old catalogue that the member had, past the change."""
        old, member = self.losses.old, self.losses.members[row].item()
        tier = self.losses.tiers[int(self.losses.codes[row])][0]
        benefit = next(x for x in old.plain(tier or None) if str(x.kind) == kind)
        through = plus_days(plus_months(self.effective_on, remedy.months or 0), -1)
        right = AcquiredRight(member, benefit, old.version, since=self.decided_on, through=through)
        return Extension(member, right, self.change, f"{self.change}:{member}:{kind}")

    def _remedy(self, kind: str) -> Remedy:
        fitting = [row for row in self.remedies if row.kind in {kind, ""}]
        named = [row for row in fitting if row.kind]
        if kind in {"tier", "earning"}:  # there is no benefit whose validity could go on
            fitting = [row for row in fitting if row.form is CompensationForm.POINTS]
            named = [row for row in fitting if row.kind]
        if not fitting:
            raise UnknownNameError("remedy", kind, [row.key for row in self.remedies])
        return (named or fitting)[0]
