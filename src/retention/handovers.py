"""Hand-over: what the next person must know of a customer, the same for every channel (H-33).

A brief holds every contact of one customer up to an instant, whatever channel it came through
and in whatever order the store gives it. Which session it is attached to is ``sessions``; who
may see it, and how long it is kept, is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from attrs import field, frozen

from retention.mechanisms.acts import timed
from retention.mechanisms.errors import DuplicateError, InvalidValueError, WrongTypeError
from retention.mechanisms.periods import AsOf, When, checked, day_edge, in_utc, zone_of


def _named(_: object, attribute: Any, value: str) -> None:  # noqa: ANN401
    if not value:
        raise InvalidValueError(f"Contact.{attribute.name}", "''", "the reference in the store")


def _basics(given: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    pairs = cast("Mapping[str, str]", given).items() if isinstance(given, Mapping) else given
    found = tuple(sorted((name, value) for name, value in pairs))
    names = [name for name, _ in found]
    if len(set(names)) < len(names):
        raise DuplicateError("basics", max(names, key=names.count))
    return found


@frozen
class Contact:
    """One contact with a customer, or one fact about them, as an agent reads it.

    What people said stays out of ``repr``.
    """

    id: str = field(validator=_named)
    customer: str | int
    at: When = field(validator=timed)
    channel: str = ""
    kind: str = field(default="", kw_only=True)  # session, case, visit, purchase
    topic: str = field(default="", kw_only=True)
    text: str = field(default="", repr=False, kw_only=True)


@frozen
class HandoverBrief:
    """What is handed over: basic information and the whole history, oldest first."""

    customer: str | int
    at: datetime
    history: tuple[Contact, ...] = field(repr=False)
    basics: tuple[tuple[str, str], ...] = field(default=(), repr=False, converter=_basics)

    def __attrs_post_init__(self) -> None:
        if not isinstance(checked(self.at, "HandoverBrief.at"), datetime):
            raise WrongTypeError("HandoverBrief.at", self.at, "an aware instant")
        strange = next((x for x in self.history if x.customer != self.customer), None)
        if strange is not None:
            raise InvalidValueError("HandoverBrief.history", strange.id, "one customer alone")

    @property
    def references(self) -> tuple[str, ...]:
        """References of everything that was handed over, as the step keeps them."""
        return tuple(each.id for each in self.history)

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels that the customer has used, each once, in the order of their first use."""
        return tuple(dict.fromkeys(each.channel for each in self.history if each.channel))


def handover_brief(
    customer: str | int,
    contacts: Iterable[Contact],
    *,
    at: datetime,
    zone: str = "Asia/Shanghai",
    basics: Mapping[str, str] | Iterable[tuple[str, str]] = (),
) -> HandoverBrief:
    """Return the brief of a customer at an instant (H-33).

    The channel on which it is asked for is no argument, so every channel gets the same.
    Contacts of others and what came later are left out; a contact that is given twice counts
    once, and two with one reference are an error.

    >>> from datetime import UTC
    >>> nine = datetime(2024, 6, 1, 9, tzinfo=UTC)
    >>> found = [
    ...     Contact("b", "C-1", nine, "app"),
    ...     Contact("a", "C-1", nine.replace(hour=8), "phone"),
    ... ]
    >>> handover_brief("C-1", found, at=nine).references
    ('a', 'b')
    """
    local = zone_of(zone)
    if not isinstance(checked(at, "at"), datetime):
        raise WrongTypeError("at", at, "an aware instant: a session is handed over at once")
    view = AsOf.at(at, local)
    mine: dict[str, Contact] = {}
    for each in contacts:
        if each.customer == customer and mine.setdefault(each.id, each) != each:
            raise DuplicateError("contacts", each.id)

    def place(each: Contact) -> tuple[datetime, str]:
        when = each.at
        begin = in_utc(when) if isinstance(when, datetime) else day_edge(when, local)
        return begin, each.id

    known = sorted((each for each in mine.values() if view.knows(each.at)), key=place)
    return HandoverBrief(customer, at, tuple(known), basics)
