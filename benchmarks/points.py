"""Points: one command after the other, replay, and a deep account beside a shallow one.

The members earn with an expiry after a year, and redeem, ten times in two years. All sides
agree on what is open, expired and redeemed at the end. The peer is a library of event-sourced
aggregates, in memory; what it runs at every event is the same rule written in few lines.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from heapq import heappop, heappush
from itertools import groupby
from operator import attrgetter
from typing import Any

import numpy as np
from attrs import frozen

from benchmarks.works import OURS, Side, Sums, Work
from retention.ledger import Account, PointsPolicy
from retention.mechanisms.answers import Accepted
from retention.points import Earn, PointsFact, PointsOrder, Redeem

SPAN, VALID, HORIZON = 730, 365, 760
START = date(2024, 1, 1)
DAYS = [START + timedelta(days=n) for n in range(HORIZON + VALID + 1)]
POLICY = PointsPolicy()


@frozen
class Event:
    """An accepted event of the log, as numbers: 35 of 100 redeem, if there is something."""

    account: int
    day: int
    redeems: bool
    points: int
    valid: int = VALID  # days


def log(rows: int, each: int, most: int = 10**9) -> list[Event]:
    """Make events in the order of accounts, ``each`` of them in one."""
    chance, found = np.random.default_rng(7), list[Event]()
    for account in range(rows // each):
        lots, total = list[tuple[int, int]](), 0
        for day in np.sort(chance.integers(0, SPAN, each)).tolist():
            while lots and lots[0][0] <= day:
                total -= heappop(lots)[1]
            points = int(chance.integers(1, 500))
            redeems = bool(total and chance.random() < 0.35)
            if redeems:
                points = need = min(most, total, max(1, int(chance.random() * min(most, total))))
                total -= points
                while need:
                    expiry, left = heappop(lots)
                    if left > need:
                        heappush(lots, (expiry, left - need))
                    need -= min(left, need)
            else:
                heappush(lots, (day + VALID, points))
                total += points
            found.append(Event(account, day, redeems, points))
    return found


# --- ours ---------------------------------------------------------------------------------------


def commands(events: list[Event]) -> list[tuple[int, PointsOrder]]:
    """Return the commands as a service gets them."""
    return [(x.account, _command(x)) for x in events]


def _command(event: Event) -> PointsOrder:
    at = DAYS[event.day]
    if event.redeems:
        return Redeem(event.points, at=at, by="shop")
    return Earn(event.points, "order", expires_on=DAYS[event.day + event.valid], at=at, by="shop")


def decided(given: list[tuple[int, PointsOrder]]) -> dict[int, Account]:
    """Judge one command after the other; each answer has the fact and the new account."""
    accounts, decide = dict[int, Account](), POLICY.decide
    for number, command in given:
        account = accounts.get(number)
        if account is None:
            account = POLICY.start(str(number))
        answer = decide(account, command)
        assert isinstance(answer, Accepted)
        accounts[number] = answer.state
    return accounts


def stored(events: list[Event]) -> list[tuple[str, tuple[PointsFact, ...]]]:
    """Return the facts of each account, as a store keeps them."""
    return [(account.id, account.facts) for account in decided(commands(events)).values()]


def replayed(logs: list[tuple[str, tuple[PointsFact, ...]]]) -> dict[int, Account]:
    """Make every account from its facts."""
    return {int(name): POLICY.replay(name, facts) for name, facts in logs}


def sums(accounts: dict[int, Account]) -> Sums:
    """Open, expired and redeemed points at the horizon."""
    ends = [account.balance(DAYS[HORIZON]) for account in accounts.values()]
    spent = -sum(x.signed for a in accounts.values() for x in a.facts if x.signed < 0)
    return (
        float(sum(x.available for x in ends)),
        float(sum(x.expired for x in ends)),
        float(spent),
    )


def _events(accounts: dict[int, Account]) -> Sums:
    """How many commands were accepted: a deep account and many shallow ones have no more alike."""
    return (float(sum(account.sequence for account in accounts.values())),)


# --- eventsourcing ------------------------------------------------------------------------------


@cache
def _peer() -> Any:
    from eventsourcing.domain import Aggregate, event

    base: Any = Aggregate
    does: Any = event

    class Member(base):  # type: ignore[misc]
        @does("Opened")  # type: ignore[untyped-decorator]
        def __init__(self) -> None:
            self.lots: list[list[int]] = []
            self.expired = 0
            self.redeemed = 0

        @does("Earned")  # type: ignore[untyped-decorator]
        def earn(self, day: int, points: int, expiry: int) -> None:
            self.expire(day)
            self.lots.append([expiry, self.version, points])
            self.lots.sort()

        @does("Redeemed")  # type: ignore[untyped-decorator]
        def redeem(self, day: int, points: int) -> None:
            self.expire(day)
            if points > sum(lot[2] for lot in self.lots):
                raise ValueError("too few points")
            self.redeemed += points
            while points:
                head = self.lots[0]
                if head[2] <= points:
                    points -= head[2]
                    self.lots.pop(0)
                else:
                    head[2] -= points
                    points = 0

        def expire(self, day: int) -> None:
            while self.lots and self.lots[0][0] <= day:
                self.expired += self.lots.pop(0)[2]

    return Member


def _peer_saved(events: list[Event]) -> tuple[Any, dict[int, Any]]:
    from eventsourcing.application import Application

    app: Any = Application()
    member, members = _peer(), dict[int, Any]()
    for event in events:
        one = members.get(event.account)
        if one is None:
            one = members[event.account] = member()
        if event.redeems:
            one.redeem(day=event.day, points=event.points)
        else:
            one.earn(day=event.day, points=event.points, expiry=event.day + event.valid)
        app.save(one)
    return app, members


def peer_stored(events: list[Event]) -> tuple[Any, list[Any]]:
    app, members = _peer_saved(events)
    return app, [one.id for one in members.values()]


def peer_replayed(given: tuple[Any, list[Any]]) -> list[Any]:
    app, ids = given
    return [app.repository.get(each) for each in ids]


def peer_sums(members: Any) -> Sums:
    left = [lot for one in members for lot in one.lots]
    open_ = sum(points for expiry, _, points in left if expiry > HORIZON)
    gone = sum(points for expiry, _, points in left if expiry <= HORIZON)
    expired = gone + sum(one.expired for one in members)
    return (float(open_), float(expired), float(sum(one.redeemed for one in members)))


# --- rows of the table --------------------------------------------------------------------------

DEEP, SHALLOW = 10_000, 10


def _eventsourcing(
    prepare: Callable[[int], Any],
    run: Callable[[Any], Any],
    told: Callable[[Any], Sums],
    at_least: float,
) -> Side:
    return Side("eventsourcing", prepare, run, told, at_least=at_least, rows=10_000, runs=3)


def _by_account(events: list[Event]) -> list[list[Event]]:
    return [list(each) for _, each in groupby(events, attrgetter("account"))]


WORKS = (
    Work(
        "points-one",
        "one command after the other, ten in an account: judged, its fact, the new account",
        10_000,
        Side(OURS, lambda rows: commands(log(rows, SHALLOW)), decided, sums),
        (
            _eventsourcing(
                lambda rows: log(rows, SHALLOW),
                _peer_saved,
                lambda found: peer_sums(found[1].values()),
                25,
            ),
        ),
    ),
    Work(
        "points-replay",
        "every account from its facts, ten in an account",
        10_000,
        Side(OURS, lambda rows: stored(log(rows, SHALLOW)), replayed, sums),
        (
            _eventsourcing(
                lambda rows: peer_stored(log(rows, SHALLOW)), peer_replayed, peer_sums, 30
            ),
        ),
    ),
    Work(
        "points-deep",
        "one command after the other in accounts of 10,000, beside accounts of ten (0.5: twice)",
        100_000,
        Side(OURS, lambda rows: commands(log(rows, min(rows, DEEP), 40)), decided, _events),
        (
            Side(
                "retention, ten in an account",
                lambda rows: commands(log(rows, SHALLOW, 40)),
                decided,
                _events,
                at_least=0.5,
            ),
        ),
    ),
)
