"""An account of points as plain data: its terms and its facts; the sums are made again.

Lots, books and holds follow from the facts, so they are not stored: a later release may sum
them in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from retention.accounts import Account
from retention.converters._kinds import VERSION
from retention.converters._leaves import zone_at
from retention.converters._reading import join, opened, placed, typed
from retention.ledger import PointsPolicy
from retention.points import PointsFact

ACCOUNT = "points_account"
_KEYS = ("id", "zone", "reminder_days", "fingerprint", "facts")


def account_plain(account: Account, write: Callable[[Any], Any]) -> dict[str, Any]:
    """Return an account as a record; ``write`` writes a fact.

    >>> account_plain(PointsPolicy().start("M-1"), str)["facts"]
    []
    """
    terms = account.terms
    return {
        "kind": ACCOUNT,
        "version": VERSION,
        "id": terms.id,
        "zone": terms.zone,
        "reminder_days": terms.reminder_days,
        "fingerprint": terms.fingerprint,
        "facts": [write(fact) for fact in account.facts],
    }


def account_of(
    data: Mapping[str, Any], path: str, read: Callable[[Any, str, tuple[type, ...]], Any]
) -> Account:
    """Read an account; facts that do not follow one another are refused as in ``ledger``."""
    given = opened(data, path, _KEYS, _KEYS)
    texts = {
        key: typed(given[key], join(path, key), str, "a text") for key in ("id", "fingerprint")
    }
    zone = zone_at(given["zone"], join(path, "zone"))
    days = typed(given["reminder_days"], join(path, "reminder_days"), int, "a number of days")
    at = join(path, "facts")
    items = typed(given["facts"], at, list, "a list of facts")
    facts = tuple(read(each, join(at, n), (PointsFact,)) for n, each in enumerate(items))
    with placed(path, _KEYS):
        account = PointsPolicy(zone=zone.key, reminder_days=days).replay(texts["id"], facts)
    terms = attrs.evolve(account.terms, fingerprint=texts["fingerprint"])
    return attrs.evolve(account, terms=terms)
