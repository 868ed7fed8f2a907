"""The points ledger, one account at a time: what may happen, and what then is (E-14 to E-17).

The log of an account is the only truth. :meth:`PointsPolicy.decide` judges a command and
returns the facts to store and the account after them, or a refusal that leaves no trace: its
key is not used up, and the same command may be accepted later. :meth:`PointsPolicy.replay`
makes the account from its facts. Every question takes ``as_of`` and is exact when it is read:
expiry, pending points and deadlines of holds need no job.

Commands and facts are in ``points``, lots and validity in ``lots``. How many points a purchase
earns is decided by the programme, not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from retention.accounts import (
    Account,
    Book,
    Terms,
    comes_before,
    in_order,
    make_account,
    make_terms,
    plain_sum,
)
from retention.booking_rules import RULES, Booking
from retention.late_facts import decided_late
from retention.lots import CHUNK, NEVER
from retention.mechanisms.acts import repeated
from retention.mechanisms.answers import Accepted, Refused
from retention.mechanisms.errors import InvalidValueError, WrongTypeError
from retention.mechanisms.makers import maker
from retention.mechanisms.periods import AsOf, When, local_date, zone_of
from retention.mechanisms.policies import policy
from retention.point_policies import LateRule, PointCurrency, PointsRules, Shortfall
from retention.points import (
    POINTS,
    Earn,
    Earned,
    PointsFact,
    PointsOrder,
    Rebooked,
    Receive,
    Redeem,
    Redeemed,
    Transferred,
)
from retention.statements import Balance

if TYPE_CHECKING:
    from retention.point_columns import Balances
    from retention.point_logs import PointsLog

__all__ = [
    "Account",
    "LateRule",
    "PointCurrency",
    "PointsPolicy",
    "Shortfall",
]

_earned, _redeemed, _answer = maker(Earned), maker(Redeemed), maker(Accepted)


@policy
class PointsPolicy(PointsRules):
    """The rules of points, and the judge of what is done with them.

    >>> from retention.lots import Validity
    >>> policy = PointsPolicy(validity=Validity(months=12, until_end_of="month"))
    >>> account = policy.start("M-1")
    >>> earn = Earn(50, "O-1", at=date(2023, 5, 3), by="checkout", key="O-1")
    >>> account = policy.decide(account, earn).or_raise().state
    >>> print(account.balance(date(2024, 5, 31)))
    available 50, pending 0, held 0; 50 usable through 2024-05-31
    >>> gift = Redeem(70, "gift", at=date(2024, 5, 31), by="shop")
    >>> print(policy.decide(account, gift))
    redeem while M-1 with 50 points available: too few points (points); allowed now: \
redeem at most 50
    """

    def start(self, account_id: str) -> Account:
        """Return an account without facts; it remembers the policy under which it was opened."""
        return make_account(self._terms(account_id), (), (), (), (), None)

    def _terms(self, account_id: str) -> Terms:
        if not isinstance(account_id, str):
            raise WrongTypeError("account_id", account_id, "a text")
        if not account_id:
            raise InvalidValueError("account_id", "''", "a text that is not empty")
        return make_terms(account_id, self.zone, self.reminder_days, self.opened_under)

    def decide(
        self, account: Account, command: PointsOrder, *, earlier: Iterable[PointsFact] = ()
    ) -> Accepted[Account, PointsFact] | Refused:
        """Judge a command; ``earlier`` are facts that the store holds under its key.

        An open hold stays pinned to the deadline it was made with, and a lot to its days; all
        else follows the policy that decides.
        """
        stored = tuple(earlier) if command.key else ()
        if stored:
            again = repeated(account, command, stored, given=account.id, allowed=())
            if again is not None:
                return again
        at = command.at
        on = local_date(at, zone_of(self.zone)) if isinstance(at, datetime) else at
        last = account.last
        if last is not None and on <= last.on and comes_before(at, on, last):
            late = decided_late(self, account, command, on)
            return late if isinstance(late, Refused) else _accepted(*late)
        if account.holds:
            account = account.settled_before(at, on)
        if isinstance(command, Earn):
            plain = self._earn(account, command, on)
        else:
            plain = self._redeem(account, command, on) if isinstance(command, Redeem) else None
        if plain is not None:
            return plain
        facts = RULES[type(command)](Booking(self, account, on), command)
        if isinstance(facts, Refused):
            return facts
        return _accepted(account.after(facts), tuple(facts))

    # The two commands that are nearly all, without what is special; None where something is.

    def _earn(
        self, account: Account, command: Earn, on: date
    ) -> Accepted[Account, PointsFact] | None:
        code, points, books = command.currency, command.points, account.books
        row, book = self.currencies[0], books[0] if books else Book(code)
        if row.code != code or book.currency != code or book.debt or len(books) > 1:
            return None
        validity = self.validity if row.validity is None else row.validity
        if validity.inactivity:
            return None
        usable = command.usable_on or self.pending_until(row, on)
        expires = command.expires_on
        if expires is None:
            expires = (command.validity or validity).expires_on(on)
        if expires is not None and (expires <= usable or expires <= on):
            return None
        number = len(account.chunks) * CHUNK + len(account.tail) + 1
        start = on.toordinal()
        fact = _earned(
            command.at, command.by, on, command.key, number, command.recorded_at, points,
            command.source, code, usable, expires, False, None, 0, command.reason,
        )  # fmt: skip
        end = NEVER if expires is None else expires.toordinal()
        opens = start if usable is on else usable.toordinal()
        lots = book.lots.added((end, start, number, points, opens))
        return _answer(account.moved(book, lots, fact), (fact,), ())

    def _redeem(
        self, account: Account, command: Redeem, on: date
    ) -> Accepted[Account, PointsFact] | None:
        code, books, points = command.currency, account.books, command.points
        row = self.currencies[0]
        if len(books) != 1 or command.redemption or row.code != code or not row.redeemable:
            return None
        book = books[0]
        validity = self.validity if row.validity is None else row.validity
        if book.currency != code or book.slides or validity.inactivity:
            return None
        spent = book.lots.spent(on.toordinal(), points)
        if spent is None:
            return None
        lots, parts = spent
        number = len(account.chunks) * CHUNK + len(account.tail) + 1
        fact = _redeemed(
            command.at, command.by, on, command.key, number, command.recorded_at, points,
            command.purpose, code, command.key or str(number), parts, None,
        )  # fmt: skip
        return _answer(account.moved(book, lots, fact), (fact,), ())

    def replay(self, account_id: str, facts: Iterable[PointsFact]) -> Account:
        """Make an account from its facts, in the order of their sequence (E-14).

        It needs nothing else of the policy than zone and reminder days: a fact says itself what
        it did. Facts out of sequence, or that take what is not there, are an error.
        """
        log = facts if isinstance(facts, tuple) else tuple(facts)
        plain = plain_sum(self._terms(account_id), log)
        if plain is not None:
            return plain
        for at, fact in enumerate(log, 1):
            if fact.sequence != at:
                raise InvalidValueError("sequence", fact.sequence, f"{at}, the next in the log")
        current = _as_they_count(log)
        return self.start(account_id).journalled(current).summed(in_order(current))

    def balance(
        self,
        facts: Iterable[PointsFact],
        *,
        as_of: When,
        known_at: When | None = None,
        currency: str = POINTS,
    ) -> Balance:
        """Return a balance of some date as it is known now, or as it was known at another.

        A fact is known from when it was recorded, and never before those that stand earlier in
        the log.

        >>> policy, day = PointsPolicy(), date(2024, 3, 1)
        >>> late = Earn(20, "O-0", at=day, by="shop", recorded_at=date(2024, 3, 9))
        >>> facts = policy.decide(policy.start("M-1"), late).or_raise().facts
        >>> [policy.balance(facts, as_of=day, known_at=date(2024, 3, x)).available for x in (8, 9)]
        [0, 20]
        """
        log = list(facts)
        if known_at is not None:
            view = AsOf.at(known_at, zone_of(self.zone))
            known = (view.knows(x.at if x.recorded_at is None else x.recorded_at) for x in log)
            log = log[: next((at for at, yes in enumerate(known) if not yes), len(log))]
        return self.replay("known", log).balance(as_of, currency)

    def balances(self, log: PointsLog, *, as_of: When, currency: str = POINTS) -> Balances:
        """Return what stands in every account of a log of entries, as columns (E-14).

        Each is what :meth:`decide` would leave, entry by entry; see ``point_columns``.
        """
        from retention.point_columns import balances  # here alone, since it loads numpy

        rules: Any = self  # a converter hides the type of `currencies`
        return balances(rules, log, as_of=as_of, currency=currency)


def _accepted(account: Account, facts: tuple[PointsFact, ...]) -> Accepted[Account, PointsFact]:
    """Return the answer; what was sent asks the other account to receive it."""
    sent = (fact for fact in facts if isinstance(fact, Transferred))
    return Accepted(account, facts, tuple(_receive(account.id, fact) for fact in sent))


def _receive(sender: str, fact: Transferred) -> Receive:
    return Receive(
        *(sender, fact.parcels, fact.currency),
        at=fact.at,
        by=fact.by,
        recorded_at=fact.recorded_at,
        # One transfer of one account is received once.
        key=f"{sender}/{fact.sequence}",
    )


def _as_they_count(log: Sequence[PointsFact]) -> Sequence[PointsFact]:
    """Return the facts with those replaced that a later rebooking has changed."""
    replaced: Mapping[int, PointsFact] = {
        fact.sequence: fact for note in log if isinstance(note, Rebooked) for fact in note.replaced
    }
    return [replaced.get(fact.sequence, fact) for fact in log] if replaced else log
