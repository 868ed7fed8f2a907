"""Accounts that are spent together: a household, a family card, a company.

Everybody keeps an account, so every point has one history. A household sees the sum, and
spends what expires first, whoever earned it; each part is a command to one account.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen

from retention.accounts import Account
from retention.mechanisms.errors import DuplicateError
from retention.mechanisms.periods import When
from retention.points import POINTS
from retention.statements import Balance


def _accounts(given: Iterable[Account]) -> tuple[Account, ...]:
    return tuple(given)


@frozen
class Household:
    """Some accounts together.

    >>> from datetime import date
    >>> from retention.ledger import PointsPolicy
    >>> from retention.points import Earn
    >>> policy, day, found = PointsPolicy(), date(2024, 1, 1), []
    >>> for name, points, last in (("ann", 50, 6), ("bob", 30, 3)):
    ...     earn = Earn(points, "O", expires_on=date(2024, last, 1), at=day, by="shop")
    ...     found.append(policy.decide(policy.start(name), earn).or_raise().state)
    >>> home = Household(found)
    >>> home.balance(day).available, home.shares(60, day)
    (80, (('bob', 30), ('ann', 30)))
    """

    accounts: tuple[Account, ...] = field(converter=_accounts)

    def __attrs_post_init__(self) -> None:
        ids = [account.id for account in self.accounts]
        twice = next((name for name in ids if ids.count(name) > 1), None)
        if twice is not None:
            raise DuplicateError("Household.accounts", twice)

    def balance(self, as_of: When, currency: str = POINTS) -> Balance:
        """Return the sum of the balances; what expires next is the soonest of all."""
        each = [account.balance(as_of, currency) for account in self.accounts]
        days = [x.next_expires_on for x in each if x.next_expires_on is not None]
        soonest = min(days, default=None)
        return Balance(
            available=sum(x.available for x in each),
            pending=sum(x.pending for x in each),
            held=sum(x.held for x in each),
            debt=sum(x.debt for x in each),
            expired=sum(x.expired for x in each),
            next_expires_on=soonest,
            next_expiring=sum(x.next_expiring for x in each if x.next_expires_on == soonest)
            if soonest
            else 0,
        )

    def shares(
        self, points: int, as_of: When, currency: str = POINTS
    ) -> tuple[tuple[str, int], ...] | None:
        """Return how much each account pays, soonest to expire first; None if it is not enough.

        Redeem each share from its account, or transfer it to the one that pays.
        """
        found, need = dict[str, int](), points
        lots = [
            (lot.expires_on is None, lot.expires_on or lot.earned_on, lot.earned_on, name, lot)
            for name, account in ((x.id, x) for x in self.accounts)
            for lot in account.lots(as_of, currency)
            if lot.state(account.seen(as_of)[1].day).value == "available"
        ]
        for _, _, _, name, lot in sorted(lots, key=lambda x: (*x[:4], x[4].number)):
            part = min(lot.remaining, need)
            need -= part
            if part:
                found[name] = found.get(name, 0) + part
        return None if need else tuple(found.items())
