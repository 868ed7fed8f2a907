"""Chains of invitations: who came through whom, how deep, how many, and how well (E-29).

Columns in, columns out: a fission campaign has many rows. What a referral must bring and who
is rewarded is decided in ``referrals``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from attrs import field, frozen

from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    UnknownNameError,
)
from retention.mechanisms.estimates import Estimate
from retention.mechanisms.tables import Head, Shown, Table, counted, headline
from retention.mechanisms.words import Language
from retention.referrals import Referral, ReferralState

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@frozen
class ReferrerCount:
    """What became of the invitations of one referrer."""

    referrer: str | int
    invited: int
    registered: int
    purchased: int
    rewarded: int

    @property
    def conversion(self) -> Estimate:
        """Share of the invitations that led to a first purchase."""
        return Estimate(self.purchased, self.invited)


def counts(referrals: Iterable[Referral]) -> tuple[ReferrerCount, ...]:
    """Return the invitations of every referrer and how far they came, most purchases first.

    >>> counts([])
    ()
    """
    known = tuple(referrals)
    steps = (ReferralState.INVITED, ReferralState.REGISTERED, ReferralState.PURCHASED,
             ReferralState.REWARDED)  # fmt: skip
    found = {
        step: Counter(x.invitation.referrer for x in known if x.reached(step)) for step in steps
    }
    rows = [ReferrerCount(who, *(found[step][who] for step in steps)) for who in found[steps[0]]]
    return tuple(sorted(rows, key=lambda row: (-row.purchased, -row.invited, str(row.referrer))))


@frozen(eq=False)
class Chains(Shown):
    """Everybody of a campaign: his depth, who began his chain, and how many came through him."""

    customers: NDArray[Any] = field(repr=False)  # rising, each once
    depth: NDArray[Any] = field(repr=False)  # 0: nobody invited him
    root: NDArray[Any] = field(repr=False)  # the customer with whom the chain began
    invited: NDArray[Any] = field(repr=False)  # directly
    brought: NDArray[Any] = field(repr=False)  # directly and through others

    def of(self, customer: object) -> dict[str, Any]:
        """Return depth, root and counts of one customer."""
        import numpy as np

        found = np.flatnonzero(self.customers == customer)
        if not len(found):
            raise UnknownNameError("customer", customer, f"{len(self.customers)} in the chains")
        row = int(found[0])
        columns = self.to_columns()
        return {name: column[row].item() for name, column in columns.items() if name != "customer"}

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns."""
        return {
            "customer": self.customers,
            "depth": self.depth,
            "root": self.root,
            "invited": self.invited,
            "brought": self.brought,
        }

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.customers)

    def __repr__(self) -> str:
        """Return sizes alone."""
        return headline("Chains", len(self), "customers", {"invited": int((self.depth > 0).sum())})

    def to_table(self, language: Language = "en") -> Table:
        """Return how many customers stand how deep; nobody invited those at depth 0."""
        import numpy as np

        depths, number = np.unique(self.depth, return_counts=True)
        counts = dict(zip(map(str, depths.tolist()), number.tolist(), strict=True))
        return counted(counts, Head.DEPTH, language)


def chains(referrers: ArrayLike, referees: ArrayLike) -> Chains:
    """Return the chains of invitations: one row for each referred customer and who invited him.

    Nobody is referred twice and no chain leads back to itself; both are refused with an error.

    >>> found = chains(["a", "b", "b"], ["b", "c", "d"])
    >>> found.of("d")
    {'depth': 2, 'root': 'a', 'invited': 0, 'brought': 0}
    >>> found.of("a")
    {'depth': 0, 'root': 'a', 'invited': 1, 'brought': 3}
    """
    import numpy as np

    above, below = np.asarray(referrers), np.asarray(referees)
    if len(above) != len(below):
        raise UnequalColumnsError("chains", {"referrers": len(above), "referees": len(below)})
    customers, places = np.unique(np.concatenate([above, below]), return_inverse=True)
    parents, children = places[: len(above)], places[len(above) :]
    if len(np.unique(children)) < len(children):
        twice = customers[np.flatnonzero(np.bincount(children) > 1)[0]]
        raise DuplicateError("referees", str(twice))
    if (parents == children).any():
        _refuse(customers[parents[parents == children][0]])
    size = len(customers)
    parent = np.arange(size)
    parent[children] = parents
    depth, root = _climbed(parent, customers)
    brought = np.zeros(size, np.int64)
    for level in range(int(depth.max(initial=0)), 0, -1):  # the deepest first
        here = np.flatnonzero(depth == level)
        np.add.at(brought, parent[here], brought[here] + 1)
    return Chains(customers, depth, customers[root], np.bincount(parents, minlength=size), brought)


def _climbed(parent: NDArray[Any], customers: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return depth and root of everybody: each turn climbs twice as far as the one before."""
    import numpy as np

    depth, root = (parent != np.arange(len(parent))).astype(np.int64), parent
    for _ in range(len(parent).bit_length() + 1):
        further = root[root]
        if np.array_equal(further, root):
            break
        depth, root = depth + depth[root], further
    top = parent[root] == root
    if not top.all():
        _refuse(customers[np.flatnonzero(~top)[0]])
    return depth, root


def _refuse(customer: Any) -> NoReturn:  # noqa: ANN401  of a column
    allowed = "invitations that do not lead back to themselves"
    raise InvalidValueError("chains", customer.item(), allowed)
