"""How a law says that it is broken: one sentence with the law, the case and both values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retention.mechanisms.decisions import Decision


def agree(law: str, case: object, **said: object) -> None:
    """Raise unless everybody says the same; underscores in a name are blanks.

    >>> agree("one_equals_columns", "customer 'C-1'", stage="new", stages="lost")
    Traceback (most recent call last):
    ...
    AssertionError: law one_equals_columns is broken for customer 'C-1': stage says 'new', \
stages says 'lost'
    """
    values = list(said.values())
    if any(value != values[0] for value in values[1:]):
        told = ", ".join(f"{name.replace('_', ' ')} says {_shown(x)}" for name, x in said.items())
        raise AssertionError(f"law {law} is broken for {case}: {told}")


def agree_by_customer(law: str, case: object, /, **said: Mapping[Any, object]) -> None:
    """Raise unless everybody says the same of every customer; a stranger has None."""
    customers = dict.fromkeys(name for found in said.values() for name in found)
    for name in customers:
        values = {who: found.get(name) for who, found in said.items()}
        agree(law, f"customer {name!r}, {case}", **values)


def _shown(value: object) -> str:
    return str(value) if isinstance(value, Decision) else repr(value)
