"""Ladders of tiers, members who climb them, rules of earning, and orders."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from retention.activity import Purchase
from retention.classifications import Classification
from retention.earning import (
    BirthdayBonus,
    BirthdayWindow,
    CapPeriod,
    EarningCap,
    EarningOrder,
    EarningRules,
    LeapBirthday,
    OrderLine,
    Promotion,
    Stacking,
)
from retention.loyalty import (
    Earn,
    EvaluateTier,
    Grant,
    LoyaltyOrder,
    Offset,
    Programme,
    RedeemFor,
)
from retention.mechanisms.decisions import FirstMatch
from retention.mechanisms.money import Money
from retention.mechanisms.obligations import Every
from retention.mechanisms.rules import parse
from retention.redeeming import CashOffset, CatalogueItem, RedemptionPurpose, RedemptionRules
from retention.testing.strategies.facts import histories
from retention.testing.strategies.times import MAX_DAY, MIN_DAY, ZONE, days
from retention.tier_changes import TierFacts
from retention.tiers import QualificationWindow, TierCase, Tiers, UpgradeTime, ValidityEnd

_TIERS = ("silver", "gold", "platinum")
_MEASURES = (
    ("qualifying_spend_minor", (100, 100_00, 150_00)),
    ("qualifying_purchases", (1, 2, 3)),
    ("qualifying_points", (1, 10, 100)),
    ("spend_minor", (100, 100_00, 300_00)),
    ("spend_minor_1y", (100_00, 200_00, 300_00)),
    ("purchases_90d", (1, 2, 4)),
)


@st.composite
def ladders(draw: DrawFn) -> Tiers:
    """Terms of tiers: one criterion or two, every window, validity, grace and way down.

    >>> from hypothesis import find
    >>> find(ladders(), lambda tiers: tiers.grace_days > 0).names[0]
    'ordinary'
    """
    number = draw(st.integers(1, len(_TIERS)))
    parts = draw(st.lists(st.sampled_from(_MEASURES), min_size=1, max_size=2, unique=True))
    joint = draw(st.sampled_from((" and ", " or ")))
    keep = draw(st.sampled_from((None, "qualifying_purchases >= 1", "qualifying_points >= 5")))
    rules = [joint.join(f"{name} >= {limits[n]}" for name, limits in parts) for n in range(number)]
    kept = None if keep is None else parse(keep)
    cases = tuple(TierCase(_TIERS[n], parse(rules[n]), kept) for n in reversed(range(number)))
    table = FirstMatch(cases, otherwise="ordinary")
    return Tiers(
        Classification("tiers", table, zone=ZONE),
        window=draw(st.sampled_from(QualificationWindow)),
        window_months=draw(st.sampled_from((12, 6, 3))),
        upgrade=draw(st.sampled_from(UpgradeTime)),
        evaluated=Every(months=draw(st.sampled_from((1, 3, 12)))),
        validity_months=draw(st.sampled_from((12, 6, 1, None))),
        validity_end=draw(st.sampled_from(ValidityEnd)),
        grace_days=draw(st.sampled_from((0, 0, 1, 45))),
        one_step_down=draw(st.booleans()),
    )


@st.composite
def members_on_ladders(
    draw: DrawFn, *, member: str | int = "M-1", min_day: date = MIN_DAY, max_day: date = MAX_DAY
) -> TierFacts:
    """One member: since when, purchases and returns, points by the day.

    >>> from hypothesis import given, settings
    >>> @settings(max_examples=3, database=None)
    ... @given(members_on_ladders())
    ... def test(facts):
    ...     assert facts.member == "M-1"
    >>> test()
    """
    history = draw(
        histories(
            customer=member, max_interactions=0, min_day=min_day, max_day=max_day, grain="days"
        )
    )
    pairs = st.tuples(days(min_day=min_day, max_day=max_day), st.sampled_from((1, 5, 10, 100, -5)))
    points = draw(st.lists(pairs, max_size=4))
    since = draw(days(min_day=min_day, max_day=max_day))
    return TierFacts(member, since, history, tuple(points))


def bases_on_ladders(
    *, max_members: int = 4, min_day: date = MIN_DAY, max_day: date = MAX_DAY
) -> SearchStrategy[tuple[TierFacts, ...]]:
    """Several members with ids of their own.

    >>> from hypothesis import given, settings
    >>> @settings(max_examples=3, database=None)
    ... @given(bases_on_ladders())
    ... def test(base):
    ...     assert [facts.member for facts in base] == [f"M-{n}" for n in range(len(base))]
    >>> test()
    """
    each = [
        members_on_ladders(member=f"M-{n}", min_day=min_day, max_day=max_day)
        for n in range(max_members)
    ]
    return st.one_of([st.tuples(*each[:n]) for n in range(max_members + 1)])


@st.composite
def earning_rules(draw: DrawFn, *, currency: str = "CNY") -> EarningRules:
    """Rules of earning: by ratio or step, birthday, promotions, every stacking, caps.

    >>> from hypothesis import find
    >>> find(earning_rules(), lambda rules: rules.ratio is not None).step
    """
    by_step = draw(st.booleans())
    ratio = draw(st.sampled_from((Fraction(1, 10), Fraction(1, 3), Fraction(7, 2))))
    step = Money(draw(st.sampled_from((1, 7_00, 10_00))), currency)
    caps = draw(
        st.lists(st.sampled_from(CapPeriod), max_size=2, unique=True).map(
            lambda found: tuple(
                EarningCap(x, 40 * (1 + list(CapPeriod).index(x))) for x in sorted(found)
            )
        )
    )
    return EarningRules(
        ratio=None if by_step else ratio,
        step=step if by_step else None,
        points_per_step=draw(st.sampled_from((1, 3))),
        birthday=draw(st.none() | _birthdays()),
        promotions=tuple(draw(st.lists(_promotions(), max_size=2, unique_by=lambda x: x.name))),
        stacking=draw(st.sampled_from(Stacking)),
        caps=caps,
        excluded=draw(st.sampled_from(((), ("shipping",)))),
        on_points_part=draw(st.booleans()),
        zone=ZONE,
    )


def _birthdays() -> SearchStrategy[BirthdayBonus]:
    return st.builds(
        BirthdayBonus,
        st.sampled_from((Fraction(2), Fraction(3, 2))),
        st.sampled_from(BirthdayWindow),
        st.sampled_from(LeapBirthday),
    )


def _promotions() -> SearchStrategy[Promotion]:
    return st.builds(
        Promotion,
        st.sampled_from(("spring", "weekend")),
        factor=st.sampled_from((Fraction(1), Fraction(3, 2), Fraction(3))),
        points=st.sampled_from((0, 5)),
        least_minor=st.sampled_from((0, 50_00)),
    )


@st.composite
def earning_orders(draw: DrawFn, *, max_day: date = MAX_DAY, currency: str = "CNY") -> EarningOrder:
    """Orders: plain ones, such with shipping, such paid with points in part.

    >>> from hypothesis import find
    >>> find(earning_orders(), lambda order: order.points_part_minor > 0).purchase.currency
    'CNY'
    """
    goods = draw(st.integers(0, 300_00))
    shipping = draw(st.sampled_from((0, 10_00)))
    day = draw(days(min_day=max_day - timedelta(days=400), max_day=max_day))
    total = goods + shipping
    paid = draw(st.integers(0, min(total, 20_00)))
    lines = (OrderLine("goods", goods), OrderLine("shipping", shipping))
    bought = Purchase("M-1", day, total, order="O-1", currency=currency)
    return EarningOrder(bought, lines, points_part_minor=paid)


@st.composite
def programmes(draw: DrawFn) -> Programme:
    """Programmes: with a ladder or without one, any rules of earning, a few prices.

    >>> from hypothesis import find
    >>> find(programmes(), lambda programme: programme.tiers is not None).violations()
    ()
    """
    return Programme(
        tiers=draw(st.none() | ladders()),
        earning=draw(earning_rules()),
        redeeming=RedemptionRules(
            purposes=(RedemptionPurpose.GIFT, RedemptionPurpose.CASH_OFFSET),
            items=(CatalogueItem("umbrella", RedemptionPurpose.GIFT, 20),),
            offset=CashOffset(10, Money(1_00, "CNY"), least_points=draw(st.sampled_from((1, 20)))),
        ),
        zone=ZONE,
    )


def loyalty_orders() -> SearchStrategy[list[LoyaltyOrder]]:
    """What is done with the member M-1, day after day: purchases, refunds, gifts, offsets.

    >>> from hypothesis import find
    >>> len(find(loyalty_orders(), lambda orders: len(orders) > 1))
    2
    """
    when = st.lists(st.tuples(days(), st.integers(0, 4), st.integers(1, 300_00)), max_size=8)
    return when.map(lambda rows: [_order(n, *row) for n, row in enumerate(sorted(rows))])


def _order(number: int, day: date, what: int, minor: int) -> LoyaltyOrder:
    key = f"k-{number}"
    bought = Purchase("M-1", day, minor, order=f"O-{number}", currency="CNY")
    kinds: tuple[LoyaltyOrder, ...] = (
        Earn(bought, at=day, by="checkout", key=key),
        RedeemFor("umbrella", at=day, by="shop", key=key),
        Offset(1 + minor // 100, Money(minor, "CNY"), at=day, by="checkout", key=key),
        Grant(1 + minor // 100, "goodwill", "boss", at=day, by="li", key=key),
        EvaluateTier(at=day, by="nightly", key=key),
    )
    return kinds[what]
