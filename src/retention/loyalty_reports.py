"""Reports about a programme: how far it is taken part in, and the year of one member.

Shares carry numerator and denominator; an empty one has no value (E-39). What a report looks
like is not decided here: that is ``reports``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from attrs import field, frozen

from retention.activity import Purchase, Return
from retention.earning import whole
from retention.loyalty_orders import Member
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.estimates import Estimate
from retention.mechanisms.periods import AsOf, When, local_date, zone_of
from retention.points import (
    POINTS,
    Captured,
    Earned,
    PointsFact,
    Redeemed,
    RedemptionReversed,
)
from retention.programmes import ProgrammeTerms
from retention.tier_changes import TierMove

_SPENT = (Redeemed, Captured)


@frozen
class ProgrammeReport:
    """Participation in a programme over local dates, both inside (E-39).

    ``enrolled``: members of all customers; ``active``: members who bought, earned or redeemed;
    ``redemption``: points redeemed of those earned; ``benefit_use``: members who used a benefit.
    """

    since: date
    until: date
    enrolled: Estimate
    active: Estimate
    redemption: Estimate
    benefit_use: Estimate


@frozen
class AnnualMemberReport:
    """The year of one member, for the annual report (E-44)."""

    member: str | int
    year: int
    orders: int
    spend_minor: int  # purchases less returns of the year
    points_earned: int  # less what was taken back of them
    points_redeemed: int  # less what came back
    points_at_year_end: int
    tier_at_year_end: str  # empty while the ladder is not filled
    promotions: tuple[tuple[date, str, str], ...] = field(default=())  # day, left, entered


def participation(
    members: Iterable[Member],
    *,
    customers: int,
    since: date,
    until: date,
    benefit_users: Iterable[str | int] = (),
    zone: str = "Asia/Shanghai",
) -> ProgrammeReport:
    """Measure how far a programme is taken part in and accepted (E-39).

    ``customers`` are all customers of the company, ``benefit_users`` those who used a benefit
    in the period. Whoever was approved after ``until`` is no member yet.

    >>> report = participation([], customers=0, since=date(2024, 1, 1), until=date(2024, 12, 31))
    >>> str(report.enrolled)
    'no value (0 of 0)'
    """
    whole(customers, "customers")
    if until < since:
        raise InvalidValueError("until", until, f"{since} or later")
    point = AsOf.at(until, zone_of(zone))
    inside = [each for each in members if each.approved(point)]
    if len(inside) > customers:
        raise InvalidValueError("customers", customers, f"at least the {len(inside)} members")
    span = since, until
    users = {each.id for each in inside} & set(benefit_users)
    active = sum(_active(each, span, point) for each in inside)
    moves = [_points(each, span, point) for each in inside]
    return ProgrammeReport(
        since,
        until,
        Estimate(len(inside), customers),
        Estimate(active, len(inside)),
        Estimate(sum(redeemed for _, redeemed in moves), sum(earned for earned, _ in moves)),
        Estimate(len(users), len(inside)),
    )


def annual(programme: ProgrammeTerms, member: Member, year: int) -> AnnualMemberReport:
    """Return consumption, points and promotions of a member in a calendar year (E-44).

    >>> from retention.loyalty import Programme
    >>> member = Member("M-1", Programme().points.start("M-1"), date(2024, 1, 1))
    >>> annual(Programme(), member, 2024).points_earned
    0
    """
    last = date(year, 12, 31)
    span, point = (date(year, 1, 1), last), programme.point(last)
    bought = [x for x in member.known.purchases if _in(x.at, span, point)]
    back = [x for x in member.known.returns if _in(x.at, span, point)]
    earned, redeemed = _points(member, span, point)
    return AnnualMemberReport(
        member.id,
        year,
        len(bought),
        _sum(bought) - _sum(back),
        earned,
        redeemed,
        member.account.balance(last).available,
        programme.tier_name(member, last) if member.approved(point) else "",
        tuple(_promotions(programme, member, span, point)),
    )


def _promotions(
    programme: ProgrammeTerms, member: Member, span: tuple[date, date], point: AsOf
) -> Iterable[tuple[date, str, str]]:
    """Rises of the year: those on record, and those that the rules make and nobody recorded."""
    changes = list(member.changes)
    ladder = programme.ready_tiers
    if ladder is not None and member.approved(point):
        changes += ladder.changes(programme.tier_facts(member, point), as_of=point.day)
    for change in changes:
        up = change.move in {TierMove.UP, TierMove.BUY}
        if ladder is not None and change.move is TierMove.SET:
            up = ladder.rank(change.entered) > ladder.rank(change.left)
        if up and span[0] <= change.on <= span[1]:
            yield change.on, change.left, change.entered


def _points(member: Member, span: tuple[date, date], point: AsOf) -> tuple[int, int]:
    """Return points earned and redeemed on some dates, less what was taken or came back."""
    earned = member.account.earned(POINTS, *span)
    redeemed = 0
    for fact in member.account.facts:
        if not _in(fact.at, span, point):
            continue
        if isinstance(fact, _SPENT) and fact.currency == POINTS:
            redeemed += fact.points
        elif isinstance(fact, RedemptionReversed) and fact.currency == POINTS:
            redeemed -= fact.points
    return earned, redeemed


def _active(member: Member, span: tuple[date, date], point: AsOf) -> bool:
    """Whether a member bought, earned or redeemed on some dates."""
    moved: tuple[type[PointsFact], ...] = (Earned, *_SPENT)
    booked = any(isinstance(x, moved) and _in(x.at, span, point) for x in member.account.facts)
    return booked or any(_in(x.at, span, point) for x in member.known.purchases)


def _in(at: When, span: tuple[date, date], point: AsOf) -> bool:
    return span[0] <= local_date(at, point.zone) <= span[1]


def _sum(facts: Iterable[Purchase | Return]) -> int:
    return sum(fact.amount_minor for fact in facts)
