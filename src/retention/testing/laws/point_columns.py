"""Points as columns: many accounts at once are what each of them is alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from retention.accounts import Account, make_account
from retention.ledger import PointsPolicy
from retention.mechanisms.answers import Refused
from retention.mechanisms.periods import AsOf, When, zone_of
from retention.point_columns import Balances
from retention.point_logs import PointsLog
from retention.points import Captured, Redeemed, RedemptionReversed
from retention.testing.laws.agreement import agree

_SPAN = (date(2024, 1, 1), date(2024, 6, 30))  # days of which the earned points are compared


def balance_equals_balances(policy: PointsPolicy, log: PointsLog, *, as_of: When) -> None:
    """Balances, lots, forecast and refused rows of columns are those of one account each (E-14).

    >>> from retention.point_logs import PointsLog
    >>> day = date(2024, 6, 1)
    >>> log = PointsLog.from_columns(account=["a"], kind=["earn"], at=[day], points=[50])
    >>> balance_equals_balances(PointsPolicy(), log, as_of=day)
    """
    view = AsOf.at(as_of, zone_of(policy.zone))
    singles = dict(_singles(policy, log, view))
    known = {row.code for row in policy.currencies}
    for currency in sorted(known & set(log.currency_names)):
        many = policy.balances(log, as_of=as_of, currency=currency)
        _compare(many, singles, view, as_of)
        if log.facts is None:
            found = {row for problem in many.problems for row in problem.rows}
            refused = {
                row
                for _, _, rows in singles.values()
                for row, coin in rows
                if coin in {currency, ""} or coin not in known
            }
            aside = {row for problem in log.problems for row in problem.rows}
            said = sorted(found), sorted(refused | aside)
            agree("balance_equals_balances", f"{currency}", columns=said[0], one_by_one=said[1])


_Single = tuple[Account, dict[int, int], list[tuple[int, str]]]


def _singles(policy: PointsPolicy, log: PointsLog, view: AsOf) -> Iterator[tuple[str, _Single]]:
    """Make each account by itself: its facts replayed, or its entries judged one by one."""
    ends = log.codes.searchsorted(range(len(log.accounts)), side="right").tolist()
    for code, name in enumerate(log.accounts.tolist()):
        if log.facts is not None:
            yield str(name), (policy.replay(str(name), log.facts[code]), {}, [])
            continue
        account, rows, refused = policy.start(str(name)), dict[int, int](), list[tuple[int, str]]()
        for row, command in log.commands(range(ends[code - 1] if code else 0, ends[code])):
            if not view.knows(command.at):
                continue
            answer = policy.decide(account, command)
            if isinstance(answer, Refused):
                refused.append((row, getattr(command, "currency", "")))
                continue
            rows |= {fact.sequence: row for fact in answer.facts}
            account = answer.state
        yield str(name), (account, rows, refused)


def _compare(many: Balances, singles: dict[str, _Single], view: AsOf, as_of: When) -> None:
    law, coin = "balance_equals_balances", many.currency
    earned = many.earned(*_SPAN).tolist()
    lots, forecast = _by_account(many.lots()), _by_account(many.forecast())
    for place, row in enumerate(many.to_rows()):
        name = str(row.pop("account"))
        account, numbers, _ = singles[name]
        one, told = account.balance(as_of, coin), f"{name}, {coin} as of {as_of}"
        wanted = (
            *(one.available, one.pending, one.held, one.debt, one.expired),
            *(_redeemed(account, view, coin), one.next_expires_on, one.next_expiring),
        )
        agree(law, told, columns=tuple(row.values()), one_by_one=wanted)
        mine = [
            (numbers.get(x.number, x.number), x.remaining, x.usable_on, x.expires_on)
            for x in account.lots(as_of, coin)
        ]
        agree(law, told, lots=sorted(lots.get(name, []), key=str), alone=sorted(mine, key=str))
        coming = [(x.expires_on, x.points) for x in account.forecast(as_of, coin)]
        agree(law, told, forecast=forecast.get(name, []), alone=coming)
        known = tuple(fact for fact in account.facts if view.knows(fact.at))
        bare = make_account(account.terms, (), known, (), (), None)
        agree(law, told, earned=earned[place], alone=bare.earned(coin, *_SPAN))


def _redeemed(account: Account, view: AsOf, currency: str) -> int:
    total = 0
    for fact in account.facts:
        if view.knows(fact.at) and getattr(fact, "currency", "") == currency:
            if isinstance(fact, Redeemed | Captured):
                total += fact.points
            elif isinstance(fact, RedemptionReversed):
                total -= fact.points
    return total


def _by_account(columns: Mapping[str, Any]) -> dict[str, list[tuple[object, ...]]]:
    """Return rows of columns by their account, without it."""
    found: dict[str, list[tuple[object, ...]]] = {}
    plain = [column.tolist() for column in columns.values()]
    for name, *rest in zip(*plain, strict=True):
        found.setdefault(str(name), []).append(tuple(rest))
    return found
