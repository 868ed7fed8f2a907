"""Catalogues of benefits, coupon terms, and what happens to referrals."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from retention.benefits import Benefit, BenefitCatalogue, BenefitKind
from retention.coupons import CouponKind, CouponTerms
from retention.mechanisms.money import RoundingRule
from retention.mechanisms.workflows import Act
from retention.referrals import Invitation, ReferralCommand

LADDER = ("silver", "gold", "diamond")
_KINDS = (BenefitKind.FREE_SHIPPING, BenefitKind.EXCLUSIVE_DISCOUNT, BenefitKind.CUSTOM_PACKAGING)
_SHARES = tuple(Fraction(n, 10) for n in (0, 5, 8, 9, 10))
_DAY = date(2024, 8, 1)

Move = Invitation | tuple[str, Act[ReferralCommand]]


def benefit_catalogues(*, max_kinds: int = len(_KINDS)) -> SearchStrategy[BenefitCatalogue]:
    """Catalogues over three tiers: quotas, rates and scopes that may rise or fall.

    >>> from hypothesis import find
    >>> found = find(benefit_catalogues(), lambda each: len(each.violations()) > 0)
    >>> found.ladder
    ('silver', 'gold', 'diamond')
    """
    return _catalogues(max_kinds)


def coupon_terms() -> SearchStrategy[CouponTerms]:
    """Terms of coupons: an amount or a share off, with and without a threshold.

    >>> from hypothesis import find
    >>> find(coupon_terms(), lambda each: each.pays is None).discount.value
    'amount'
    """
    common = {
        "kind": st.sampled_from(CouponKind),
        "threshold_minor": st.sampled_from((0, 1, 100, 20_000)),
        "valid_days": st.sampled_from((None, 0, 1, 30)),
        "rounding": st.sampled_from(RoundingRule),
    }
    amounts = st.integers(1, 50_000)
    shares = st.fractions(0, 1, max_denominator=20).filter(lambda share: share < 1)
    return st.one_of(
        st.builds(CouponTerms, off_minor=amounts, **common),
        st.builds(CouponTerms, pays=shares, **common),
    )


def referral_moves(*, max_moves: int = 25) -> SearchStrategy[list[Move]]:
    """Invitations and acts on them, day by day: joining, buying, rewarding, returning, twice.

    >>> from hypothesis import find
    >>> found = find(referral_moves(), lambda drawn: len(drawn) == 1)
    >>> isinstance(found[0], Invitation)
    True
    """
    return _moves(max_moves)


@st.composite
def _catalogues(draw: DrawFn, most: int) -> BenefitCatalogue:
    rows = []
    for kind in draw(st.lists(st.sampled_from(_KINDS), max_size=most, unique=True)):
        for tiers in draw(st.sampled_from(_SPLITS)):
            found: dict[str, Any] = {
                "quota": draw(st.sampled_from((None, 1, 2, 12))),
                "per_months": draw(st.sampled_from((1, 12, None))),
                "pays": draw(st.sampled_from(_SHARES)),
                "scope": draw(st.sampled_from(((), ("books",), ("books", "toys")))),
            }
            rows.append(Benefit(kind, tiers, **found))
    return BenefitCatalogue(tuple(rows), ladder=LADDER)


_SPLITS = (
    ((),),
    (("diamond",),),
    (("gold",),),
    (("silver",), ("gold", "diamond")),
    (("silver",), ("gold",), ("diamond",)),
)


@st.composite
def _moves(draw: DrawFn, most: int) -> list[Move]:
    people, day, found = ("A", "B", "C", "D"), _DAY, list[Move]()
    turns = st.tuples(
        st.sampled_from((None, *ReferralCommand)),
        st.sampled_from(("r-1", "r-2", "r-3")),
        st.sampled_from(people),
        st.sampled_from((0, 0, 1, 5)),
    )
    begun = set[str]()
    for command, referral, person, days in draw(st.lists(turns, max_size=most)):
        day += timedelta(days=days)
        if command is None or referral not in begun:
            begun.add(referral)
            found.append(Invitation(referral, person, f"code of {referral}", at=day, by=person))
            continue
        choices: dict[ReferralCommand, dict[str, Any]] = {
            ReferralCommand.REGISTER: {"referee": person, "code": f"code of {referral}"},
            ReferralCommand.REFUSE: {"reason": ("wrong_code",)},
            ReferralCommand.PURCHASE: {"order": f"order of {referral}"},
            ReferralCommand.CANCEL: {"order": f"order of {referral}"},
        }
        brings = choices.get(command, {})
        found.append((referral, Act(command, at=day, by="shop", brings=brings)))
    return found
