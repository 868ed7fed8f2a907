"""Services at an outlet: repair, maintenance, technical support, and what was said there (H-43).

A visit becomes a record of the service, and an item of feedback where the customer said
something; the item goes the way of all feedback, through ``feedback``.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen

from retention.intake import Entry, FeedbackItem, FeedbackKind
from retention.mechanisms.acts import timed, who
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.choices import member
from retention.mechanisms.errors import UnknownNameError, WrongTypeError
from retention.mechanisms.periods import When
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.words import Word


class OutletService(Word):
    """What is done face to face (000)."""

    REPAIR = "repair", "维修"
    MAINTENANCE = "maintenance", "保养"
    TECHNICAL_SUPPORT = "technical_support", "技术支持"


def _service(given: OutletService | str) -> OutletService:
    return member(OutletService, given, "service")


def _services(given: Iterable[OutletService | str]) -> tuple[OutletService, ...]:
    if isinstance(given, str):
        raise WrongTypeError("services", given, "several services in a tuple")
    return tuple(_service(each) for each in given)


def _feedback(given: FeedbackKind | str) -> FeedbackKind:
    return member(FeedbackKind, given, "kind")


@frozen
class OutletVisit:
    """A customer came to an outlet; what they said stays out of ``repr``."""

    id: str
    customer: str | int
    at: When = field(validator=timed)
    outlet: str
    service: OutletService = field(converter=_service)
    by: str = field(validator=who)
    product: str = field(default="", kw_only=True)
    result: str = field(default="", kw_only=True)
    said: str = field(default="", repr=False, kw_only=True)
    kind: FeedbackKind = field(default=FeedbackKind.SUGGESTION, converter=_feedback, kw_only=True)


@frozen
class ServiceRecord:
    """A service was given at an outlet."""

    id: str
    customer: str | int
    at: When = field(validator=timed)
    outlet: str
    service: OutletService = field(converter=_service)
    by: str = field(validator=who)
    product: str = field(default="", kw_only=True)
    result: str = field(default="", kw_only=True)


@policy
class OutletServices(Policy):
    """Which services the outlets of a company offer.

    >>> from datetime import date
    >>> offered = OutletServices(("repair",))
    >>> visit = OutletVisit("V-1", "C-1", date(2024, 6, 1), "south", "repair", "li", said="slow")
    >>> [type(fact).__name__ for fact in offered.record(visit).or_raise().facts]
    ['ServiceRecord', 'FeedbackItem']
    """

    services: tuple[OutletService, ...] = field(converter=_services)
    rule: str = "H-43"

    def record(
        self, visit: OutletVisit
    ) -> Accepted[ServiceRecord, ServiceRecord | FeedbackItem] | Refused:
        """Return the record of a visit, and the feedback where there was any."""
        if visit.service not in self.services:
            raise UnknownNameError("service", visit.service, [str(x) for x in self.services])
        missing = tuple(x for x in ("id", "customer", "outlet") if getattr(visit, x) in ("", None))
        if missing:
            return Refused(Code.NAMES_MISSING, ("nothing", "record"), missing, ("record",))
        record = ServiceRecord(
            visit.id, visit.customer, visit.at, visit.outlet, visit.service, visit.by,
            product=visit.product, result=visit.result,
        )  # fmt: skip
        if not visit.said:
            return Accepted(record, (record,))
        item = FeedbackItem(
            visit.customer, visit.at, visit.kind, Entry.OUTLET,
            matter=visit.said, topic=str(visit.service), product=visit.product,
        )  # fmt: skip
        return Accepted(record, (record, item))
