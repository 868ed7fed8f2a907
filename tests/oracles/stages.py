"""D-01 to D-04: lifecycle stages of 002, frequent and reduced interaction."""

from __future__ import annotations

from datetime import date

from tests.oracles.shoppers import Shopper
from tests.oracles.windows import full_weeks, latest, preceding

WEEKS = 4  # D-03: blank, assumed
WINDOW = 90  # D-04: blank, assumed


def stage(shopper: Shopper, as_of: date) -> str:
    known = shopper.until(as_of)
    if not known.purchases:
        return "potential" if known.contacts else "registered"  # AMB-34
    since = (as_of - max(known.days)).days
    if (as_of - min(known.days)).days <= 30:
        return "new"
    if since <= 90 or frequent(known, as_of):
        return "active"
    if since <= 180:
        return "sleeping"
    quiet = all((as_of - day).days > 180 for day, _ in known.contacts)
    return "lost" if quiet else "sleeping"  # AMB-04, AMB-28


def frequent(shopper: Shopper, as_of: date) -> bool:
    logins = [day for day, kind in shopper.contacts if kind == "login" and day <= as_of]
    return all(
        any(first <= day <= last for day in logins) for first, last in full_weeks(WEEKS, as_of)
    )


def reduced(shopper: Shopper, as_of: date) -> tuple[int, int, bool]:
    """D-04: interactions of both windows, and whether there are fewer; none at all is fewer."""
    now = sum(latest(day, WINDOW, as_of) for day, _ in shopper.contacts)
    before = sum(preceding(day, WINDOW, as_of) for day, _ in shopper.contacts)
    return now, before, now < before or now == before == 0
