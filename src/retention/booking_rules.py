"""What each command does to an account of points, or why it does nothing.

One function for each command: it gets the rules, the account on that day and the command, and
returns the facts, or the refusal. The order of commands, keys and late ones are decided in
``ledger``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from attrs import frozen

from retention.accounts import Account, comes_before
from retention.bookings import (
    Back,
    available,
    back,
    clawed_back,
    earnings_of,
    first_of,
    last_taken,
    redemption_of,
    returned,
    reversible,
    taken,
    without,
)
from retention.mechanisms.answers import Code, Refused
from retention.point_policies import LateRule, PointCurrency, PointsRules, Shortfall
from retention.points import (
    Adjust,
    Adjusted,
    Capture,
    Captured,
    Earn,
    Earned,
    EarningReversed,
    Held,
    Hold,
    OpenBalance,
    Opened,
    Parcel,
    Parts,
    PointsFact,
    PointsOrder,
    Receive,
    Received,
    Redeem,
    Redeemed,
    RedemptionReversed,
    Reinstate,
    Reinstated,
    Release,
    Released,
    ReverseEarning,
    ReverseRedemption,
    Transfer,
    Transferred,
)

Facts = Sequence[PointsFact] | Refused


@frozen
class Booking:
    """One command on its way: the rules, the account on that day, the command, the day."""

    rules: PointsRules
    account: Account
    on: date

    def counts(self, command: PointsOrder, fact: PointsFact) -> bool:
        """Whether a reversal comes before this one: all that are pinned, else the earlier."""
        return self.rules.late is LateRule.PIN or self.knows(command, fact)

    def act(self, command: PointsOrder, after: int = 0) -> dict[str, Any]:
        """Return the part that every fact of a command has."""
        return {
            "at": command.at,
            "by": command.by,
            "on": self.on,
            "key": command.key,
            "recorded_at": command.recorded_at,
            "sequence": self.account.sequence + 1 + after,
        }

    def no(
        self,
        command: PointsOrder,
        code: Code,
        missing: str = "",
        allowed: Iterable[str] = (),
        *,
        currency: str = "",
    ) -> Refused:
        """Return a refusal; it says what the account has, and what would be accepted."""
        row = currency or getattr(command, "currency", "") or self.rules.currencies[0].code
        have = available(self.account.book(row), self.on.toordinal())
        state = f"{self.account.id} with {have} {row} available"
        return Refused(code, (state, command.name), (missing,) if missing else (), tuple(allowed))

    def currency(self, command: Any) -> PointCurrency | Refused:  # noqa: ANN401
        """Return the row of the command's currency."""
        row = self.rules.currency(command.currency)
        if row is not None:
            return row
        codes = [each.code for each in self.rules.currencies]
        return self.no(command, Code.UNKNOWN_CURRENCY, command.currency, codes)

    def spends(self, command: Any) -> PointCurrency | Refused:  # noqa: ANN401
        """Return the row of the command's currency, if its points can be redeemed."""
        row = self.currency(command)
        if isinstance(row, Refused) or row.redeemable:
            return row
        codes = [each.code for each in self.rules.currencies if each.redeemable]
        return self.no(command, Code.NOT_POSSIBLE, "redeemable_currency", codes)

    def take(self, command: Any, points: int, renews: date | None = None) -> Parts | Refused:  # noqa: ANN401
        """Return the lots that pay, soonest to expire first."""
        book, day = self.account.book(command.currency), self.on.toordinal()
        found = taken(book, day, points, renews.toordinal() if renews else 0)
        if found is None:
            most = available(book, day)
            allowed = (f"{command.name} at most {most}",) if most else ()
            return self.no(command, Code.TOO_FEW_POINTS, "points", allowed)
        return found

    def renews(self, row: PointCurrency) -> date | None:
        """Return until when this activity keeps what expires with inactivity."""
        validity = self.rules.validity_of(row)
        return validity.expires_on(self.on) if validity.inactivity else None

    def knows(self, command: PointsOrder, fact: PointsFact) -> bool:
        """Whether a fact lies before a command, which may be late."""
        return not comes_before(command.at, self.on, fact)

    def repaid(self, currency: str, points: int) -> int:
        """Return how many of some new points go into a debt."""
        return min(self.account.book(currency).debt, points)


# --- points come --------------------------------------------------------------------------------


def opened(booking: Booking, command: Earn | OpenBalance) -> Facts:
    """Open a lot, usable when the policy says so, with the expiry of the policy."""
    row = booking.currency(command)
    if isinstance(row, Refused):
        return row
    rules, on = booking.rules, booking.on
    if isinstance(command, OpenBalance) and not all(
        isinstance(fact, Opened) for fact in booking.account.facts
    ):
        return booking.no(command, Code.NOT_POSSIBLE, "empty_account")
    validity, renews = rules.validity_of(row, command.validity), booking.renews(row)
    usable = command.usable_on or rules.pending_until(row, on)
    slides = command.expires_on is None and validity.inactivity and renews is not None
    expires = command.expires_on or (None if slides else validity.expires_on(on))
    if expires is not None and expires <= max(usable, on):
        return booking.no(command, Code.EXPIRES_TOO_SOON, "expires_on", (f"after {usable}",))
    what: dict[str, Any] = {
        "points": command.points,
        "source": command.source,
        "currency": row.code,
        "usable_on": usable,
        "expires_on": expires,
        "sliding": slides,
        "renews": renews,
        "repaid": booking.repaid(row.code, command.points),
    }
    if isinstance(command, Earn):
        return (Earned(reason=command.reason, **what, **booking.act(command)),)
    return (Opened(**what, **booking.act(command)),)


def received(booking: Booking, command: Receive) -> Facts:
    """Open a lot for each parcel; a parcel that has expired on the way is refused."""
    row = booking.currency(command)
    if isinstance(row, Refused):
        return row
    late = [x for x in command.parcels if x.expires_on is not None and x.expires_on <= booking.on]
    if late:
        day = f"before {late[0].expires_on}"
        return booking.no(command, Code.EXPIRES_TOO_SOON, "expires_on", (day,))
    debt, facts = booking.account.book(row.code).debt, list[PointsFact]()
    for at, parcel in enumerate(command.parcels):
        repaid = min(debt, parcel.points)
        debt -= repaid
        renews = booking.renews(row) if parcel.sliding else None
        facts.append(
            Received(
                points=parcel.points,
                source=command.sender,
                currency=row.code,
                usable_on=booking.on,
                expires_on=parcel.expires_on,
                sliding=renews is not None,
                renews=renews,
                repaid=repaid,
                part=at + 1,
                parts=len(command.parcels),
                **booking.act(command, at),
            )
        )
    return facts


# --- points go ----------------------------------------------------------------------------------


def redeemed(booking: Booking, command: Redeem) -> Facts:
    """Take points, soonest to expire first; the allocation is part of the fact."""
    row = booking.spends(command)
    if isinstance(row, Refused):
        return row
    name = command.redemption
    if name and _is_taken(booking.account, name):
        return booking.no(command, Code.KEY_REUSED, "unused_redemption")
    renews = booking.renews(row)
    parts = booking.take(command, command.points, renews)
    if isinstance(parts, Refused):
        return parts
    name = name or command.key or str(booking.account.sequence + 1)
    return (
        Redeemed(
            *(command.points, command.purpose, row.code, name, parts, renews),
            **booking.act(command),
        ),
    )


def _is_taken(account: Account, name: str) -> bool:
    return any(isinstance(x, Held | Redeemed | Captured) for x in account.named(name))


def held(booking: Booking, command: Hold) -> Facts:
    """Reserve points; the deadline must lie ahead."""
    row = booking.spends(command)
    if isinstance(row, Refused):
        return row
    if _is_taken(booking.account, command.hold):
        return booking.no(command, Code.KEY_REUSED, "unused_hold")
    parts = booking.take(command, command.points)
    if isinstance(parts, Refused):
        return parts
    fact = Held(
        *(command.points, command.hold, command.until, row.code, parts), **booking.act(command)
    )
    if fact.over_before(command.at, booking.on, booking.account.zone):
        return booking.no(command, Code.TOO_LATE, "until", (f"until {booking.on} or later",))
    return (fact,)


def _open_hold(booking: Booking, command: Capture | Release) -> Held | Refused:
    found = booking.account.hold(command.hold)
    if found is not None:
        return found
    known = [x for x in booking.account.named(command.hold) if isinstance(x, Held)]
    if not known:
        holds = (each.hold for each in booking.account.holds)
        return booking.no(command, Code.UNKNOWN_REFERENCE, "hold", holds)
    named = booking.account.named(command.hold)
    resolved = any(isinstance(x, Captured | Released) for x in named)
    code = Code.ALREADY_RESOLVED if resolved else Code.TOO_LATE
    return booking.no(command, code, "open_hold", currency=known[0].currency)


def captured(booking: Booking, command: Capture) -> Facts:
    """Redeem what is held or less; the rest goes back to its lots."""
    found = _open_hold(booking, command)
    if isinstance(found, Refused):
        return found
    points = command.points or found.points
    if points > found.points:
        most = (f"capture at most {found.points}",)
        return booking.no(command, Code.ABOVE_LIMIT, "points", most, currency=found.currency)
    return (capture_of(booking, command, found, points),)


def capture_of(booking: Booking, command: Capture, found: Held, points: int) -> Captured:
    """Return the fact that so many points of a hold were redeemed."""
    used = first_of(found.taken, points)
    rest = back(booking.account, found.currency, without(found.taken, used), booking.on)
    row = booking.rules.currency(found.currency)
    return Captured(
        hold=found.hold,
        points=points,
        purpose=command.purpose,
        currency=found.currency,
        captured=used,
        given=rest.given,
        repaid=rest.repaid,
        renews=None if row is None else booking.renews(row),
        **booking.act(command),
    )


def released(booking: Booking, command: Release) -> Facts:
    """Give held points back to their lots, whose expiry is what it was."""
    found = _open_hold(booking, command)
    if isinstance(found, Refused):
        return found
    rest = back(booking.account, found.currency, found.taken, booking.on)
    what = (found.hold, found.points, found.currency, rest.given, rest.repaid)
    return (Released(*what, **booking.act(command)),)


# --- points come back ---------------------------------------------------------------------------


def earning_reversed(booking: Booking, command: ReverseEarning) -> Facts:
    """Take back the points of a source, bonus too: one fact for each lot that it opened."""
    account = booking.account
    found = [
        earning
        for earning in earnings_of(account, command.source, command.currency)
        if booking.knows(command, earning)
    ]
    if not found:
        return booking.no(command, Code.UNKNOWN_REFERENCE, "source")
    left = {earning.sequence: reversible(account, earning) for earning in found}
    total = sum(left.values())
    points = total if command.points is None else command.points
    if not total or points > total:
        most = (f"reverse_earning at most {total}",) if total else ()
        code = Code.ABOVE_LIMIT if total else Code.ALREADY_RESOLVED
        return booking.no(command, code, "points", most, currency=found[0].currency)
    facts = list[PointsFact]()
    for earning in found:
        part = min(left[earning.sequence], points)
        if not part:
            continue
        points -= part
        fact = reversal_of(booking, command, earning, part)
        if isinstance(fact, Refused):
            return fact
        facts.append(fact)
        # The next lot of the same source finds what this one has left.
        account = account.journalled([fact]).summed([fact])
        booking = Booking(booking.rules, account, booking.on)
    return facts


def reversal_of(
    booking: Booking, command: ReverseEarning, earning: Earned | Opened, points: int
) -> EarningReversed | Refused:
    """Return the fact that so many points of one earning were taken back."""
    parts, short = claw_back(booking, earning, points)
    if short and booking.rules.shortfall is Shortfall.REFUSE:
        most = (f"reverse_earning at most {points - short}",)
        row = earning.currency
        return booking.no(command, Code.TOO_FEW_POINTS, "points", most, currency=row)
    debt = short if booking.rules.shortfall is Shortfall.DEBT else 0
    return EarningReversed(
        source=earning.source,
        points=points,
        currency=earning.currency,
        lot=earning.sequence,
        asked=command.points,
        asked_currency=command.currency,
        taken=parts,
        debt=debt,
        forgiven=short - debt,
        **booking.act(command),
    )


def claw_back(booking: Booking, earning: Earned | Opened, points: int) -> tuple[Parts, int]:
    """Return from which lots points of an earning are taken back, and how many are missing."""
    counts = booking.rules.expired_counts_as_returned
    return clawed_back(booking.account, earning, points, booking.on, expired_counts=counts)


def redemption_reversed(booking: Booking, command: ReverseRedemption) -> Facts:
    """Give points of a redemption back to their lots, all that is left or a part."""
    found = redemption_of(booking.account, command.redemption)
    if found is None or not booking.knows(command, found):
        return booking.no(command, Code.UNKNOWN_REFERENCE, "redemption")
    left = found.points - returned(booking.account, found)
    points = left if command.points is None else command.points
    if not left or points > left:
        most = (f"reverse_redemption at most {left}",) if left else ()
        code = Code.ABOVE_LIMIT if left else Code.ALREADY_RESOLVED
        return booking.no(command, code, "points", most, currency=found.currency)
    skip = sum(
        fact.points
        for fact in booking.account.named(command.redemption)
        if isinstance(fact, RedemptionReversed) and booking.counts(command, fact)
    )
    rest = come_back(booking, found, points, skip)
    again = rest.reinstated > 0
    return (
        RedemptionReversed(
            redemption=command.redemption,
            points=points,
            currency=found.currency,
            given=rest.given,
            repaid=rest.repaid,
            reinstated=rest.reinstated,
            source=command.redemption,
            usable_on=booking.on if again else None,
            expires_on=booking.rules.reinstated_until(booking.on) if again else None,
            **booking.act(command),
        ),
    )


def come_back(booking: Booking, found: Redeemed | Captured, points: int, skip: int) -> Back:
    """Return what becomes of points of a redemption of which some came back before."""
    parts = last_taken(found.taken, skip, points)
    return back(booking.account, found.currency, parts, booking.on, booking.rules.reinstates)


# --- by hand, and to others ----------------------------------------------------------------------


def _unapproved(booking: Booking, command: Adjust | Reinstate, points: int) -> Refused | None:
    """Return the refusal of a correction by hand that needs another person (E-38)."""
    if command.approver == command.by:
        return booking.no(command, Code.NOT_APPROVED, "other_approver")
    if booking.rules.needs_approval(points) and not command.approver:
        limit = f"{command.name} at most {booking.rules.approval_limit} alone"
        return booking.no(command, Code.NOT_APPROVED, "approver", (limit,))
    return None


def adjusted(booking: Booking, command: Adjust) -> Facts:
    """Add a lot, or take points that are there: a correction never makes a debt."""
    row = booking.currency(command)
    if isinstance(row, Refused):
        return row
    no = _unapproved(booking, command, command.points)
    if no is not None:
        return no
    what = (command.points, command.reason, command.approver, row.code)
    if command.points < 0:
        parts = booking.take(command, -command.points)
        if isinstance(parts, Refused):
            return parts
        return (Adjusted(*what, taken=parts, **booking.act(command)),)
    validity = booking.rules.validity_of(row)
    # Inactivity runs from an activity; a correction is none, so its points slide with the rest.
    alive = booking.account.book(row.code).slides > booking.on.toordinal()
    slides = command.expires_on is None and alive
    expires = command.expires_on or (None if slides else validity.expires_on(booking.on))
    if expires is not None and expires <= booking.on:
        return booking.no(command, Code.EXPIRES_TOO_SOON, "expires_on", (f"after {booking.on}",))
    repaid = booking.repaid(row.code, command.points)
    act = booking.act(command)
    return (Adjusted(*what, booking.on, expires, slides, repaid, **act),)


def transferred(booking: Booking, command: Transfer) -> Facts:
    """Take points for another account; each parcel keeps its expiry."""
    row = booking.spends(command)
    if isinstance(row, Refused):
        return row
    if command.to == booking.account.id:
        return booking.no(command, Code.NOT_POSSIBLE, "other_account")
    parts = booking.take(command, command.points)
    if isinstance(parts, Refused):
        return parts
    parcels = tuple(_parcel(booking.account, lot, points) for lot, points in parts)
    what = (command.to, command.points, row.code, parts, parcels)
    return (Transferred(*what, **booking.act(command)),)


def _parcel(account: Account, lot: int, points: int) -> Parcel:
    fact: Any = account.fact(lot)
    return Parcel(points, fact.expires_on, fact.sliding)


def reinstated(booking: Booking, command: Reinstate) -> Facts:
    """Bring back points of an expired lot, within the days that the policy gives."""
    account, rules, on = booking.account, booking.rules, booking.on
    opening: Any = account.fact(command.lot) if command.lot <= account.sequence else None
    if opening is None or not opening.opened or not booking.knows(command, opening):
        return booking.no(command, Code.UNKNOWN_REFERENCE, "lot")
    book = account.book(opening.currency)
    rest = next((row[3] for row in book.lots if row[2] == command.lot), 0)
    expiry = account.expiry(command.lot)
    if not rest or expiry > on.toordinal():
        return booking.no(command, Code.NOT_POSSIBLE, "expired_points", currency=book.currency)
    if not rules.reinstates(expiry, on.toordinal()):
        return booking.no(command, Code.TOO_LATE, "expiry_within_days", currency=book.currency)
    points = rest if command.points is None else command.points
    if points > rest:
        most = (f"reinstate at most {rest}",)
        return booking.no(command, Code.ABOVE_LIMIT, "points", most, currency=book.currency)
    no = _unapproved(booking, command, points)
    if no is not None:
        return no
    expires = command.expires_on or rules.reinstated_until(on)
    if expires <= on:
        return booking.no(command, Code.EXPIRES_TOO_SOON, "expires_on", (f"after {on}",))
    what = (command.lot, points, command.reason, command.approver, book.currency)
    return (Reinstated(*what, opening.source, on, expires, **booking.act(command)),)


Rule = Callable[[Booking, Any], Facts]

RULES: Mapping[type[PointsOrder], Rule] = {
    Earn: opened,
    OpenBalance: opened,
    Receive: received,
    Redeem: redeemed,
    Hold: held,
    Capture: captured,
    Release: released,
    ReverseEarning: earning_reversed,
    ReverseRedemption: redemption_reversed,
    Adjust: adjusted,
    Transfer: transferred,
    Reinstate: reinstated,
}
"""The rule of each command."""
