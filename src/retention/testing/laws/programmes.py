"""Programmes: tiers of one and of many, what is missing and what is not, points for orders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import attrs
import numpy as np

from retention.activity import History, Purchase, Return
from retention.earning import CapPeriod, EarningOrder, EarningRules
from retention.logs import PurchaseLog
from retention.loyalty import LoyaltyFact, LoyaltyOrder, Member, Programme
from retention.mechanisms.answers import Accepted, Refused
from retention.mechanisms.periods import When, plus_days
from retention.testing.laws.agreement import agree
from retention.tier_changes import TierFacts, TierMove
from retention.tier_columns import TierColumns
from retention.tiers import Tiers, UpgradeTime


def tier_columns_of(members: Iterable[TierFacts]) -> TierColumns:
    """Return what some members did as columns; their changes on record are left out.

    >>> from retention.activity import History
    >>> tier_columns_of([TierFacts("M-1", date(2024, 1, 1), History("M-1"))])
    TierColumns(1 members, 0 purchases, 0 points)
    """
    everyone = list(members)
    money: list[Purchase | Return] = []
    for each in everyone:
        money += [*each.history.purchases, *each.history.returns]
    rows = [(each.member, day, points) for each in everyone for day, points in each.points]
    return TierColumns.of(
        [each.member for each in everyone],
        since=np.array([each.since for each in everyone], "M8[D]"),
        purchases=PurchaseLog.of(money),
        point_member=np.array([row[0] for row in rows]),
        point_day=np.array([row[1] for row in rows], "M8[D]"),
        points=[row[2] for row in rows],
    )


def tier_equals_tiers(tiers: Tiers, members: Sequence[TierFacts], *, as_of: When) -> None:
    """``tier`` says of each member what ``tiers`` says of all: tier, state, first and last day.

    >>> from retention.testing.strategies import ladders
    >>> from retention.activity import History
    >>> from hypothesis import find
    >>> tier_equals_tiers(
    ...     find(ladders(), lambda _: True),
    ...     [TierFacts("M-1", date(2024, 1, 1), History("M-1"))],
    ...     as_of=date(2024, 6, 30),
    ... )
    """
    many = tiers.tiers(tier_columns_of(members), as_of=as_of)
    for each in members:
        one = tiers.tier(each, as_of=as_of)
        agree(
            "tier_equals_tiers", f"member {each.member!r} as of {as_of}",
            tier=(one.tier, one.state, one.since, one.valid_through),
            tiers=many.of(each.member),
        )  # fmt: skip


def recording_changes_nothing(tiers: Tiers, facts: TierFacts, *, first: date, then: date) -> None:
    """Changes put on record on one day lead to the same tier on a later one as none on record.

    >>> from retention.testing.strategies import ladders
    >>> from retention.activity import History
    >>> from hypothesis import find
    >>> recording_changes_nothing(
    ...     find(ladders(), lambda _: True),
    ...     TierFacts("M-1", date(2024, 1, 1), History("M-1")),
    ...     first=date(2024, 2, 1),
    ...     then=date(2024, 6, 30),
    ... )
    """
    kept = attrs.evolve(facts, changes=tiers.changes(facts, as_of=first))
    answers = [tiers.tier(each, as_of=then) for each in (facts, kept)]
    said = [(x.tier, x.state, x.since, x.valid_through) for x in answers]
    agree(
        "recording_changes_nothing", f"member {facts.member!r}, {first} and {then}",
        without_a_record=said[0], with_one=said[1],
    )  # fmt: skip


def more_never_lowers_the_tier(
    tiers: Tiers, facts: TierFacts, *, as_of: date, spent_minor: int
) -> None:
    """One more purchase today never gives a lower tier today; nor does a fact of tomorrow.

    >>> from retention.testing.strategies import ladders
    >>> from retention.activity import History
    >>> from hypothesis import find
    >>> more_never_lowers_the_tier(
    ...     find(ladders(), lambda _: True),
    ...     TierFacts("M-1", date(2024, 1, 1), History("M-1")),
    ...     as_of=date(2024, 6, 30),
    ...     spent_minor=100_00,
    ... )
    """
    law, here = "more_never_lowers_the_tier", tiers.tier(facts, as_of=as_of)
    case = f"member {facts.member!r} as of {as_of}"
    richer = _with(facts, Purchase(facts.member, as_of, spent_minor, currency=_currency(facts)))
    more = tiers.tier(richer, as_of=as_of)
    agree(law, case, is_it_lower=tiers.rank(more.tier) < tiers.rank(here.tier), allowed=False)
    later = Purchase(facts.member, plus_days(as_of, 1), spent_minor, currency=_currency(facts))
    unknown = tiers.tier(_with(facts, later), as_of=as_of)
    agree(law, case, tier=here.tier, with_a_purchase_of_tomorrow=unknown.tier)


def closing_the_gaps_raises_the_tier(tiers: Tiers, facts: TierFacts, *, as_of: date) -> None:
    """What is said to be missing, once added today, makes the tier rise.

    Said of ladders that rise at once; for members from the day of their approval on.

    >>> from retention.testing.strategies import ladders
    >>> from retention.activity import History
    >>> from hypothesis import find
    >>> closing_the_gaps_raises_the_tier(
    ...     find(ladders(), lambda _: True),
    ...     TierFacts("M-1", date(2024, 1, 1), History("M-1")),
    ...     as_of=date(2024, 6, 30),
    ... )
    """
    if tiers.upgrade is not UpgradeTime.AT_ONCE or as_of < facts.since:
        return
    here = tiers.tier(facts, as_of=as_of)
    for gaps in here.to_rise:
        if any(gap.missing is None for gap in gaps):
            continue
        spend = max([gap.missing or 0 for gap in gaps if "spend" in gap.measure], default=0)
        orders = max([gap.missing or 0 for gap in gaps if "purchases" in gap.measure], default=0)
        points = max([gap.missing or 0 for gap in gaps if "points" in gap.measure], default=0)
        more = [Purchase(facts.member, as_of, spend, currency=_currency(facts))] if spend else []
        missing = max(orders - len(more), 0)
        more += [Purchase(facts.member, as_of, 0, currency=_currency(facts))] * missing
        richer = attrs.evolve(
            _with(facts, *more), points=(*facts.points, *([(as_of, points)] if points else []))
        )
        risen = tiers.tier(richer, as_of=as_of)
        agree(
            "closing_the_gaps_raises_the_tier", f"member {facts.member!r} as of {as_of}, {gaps}",
            rises=tiers.rank(risen.tier) > tiers.rank(here.tier), promised=True,
        )  # fmt: skip


def a_tier_holds_until_its_last_day(tiers: Tiers, facts: TierFacts, *, as_of: date) -> None:
    """Changes follow each other; a tier is never lost before its last day is over.

    >>> from retention.testing.strategies import ladders
    >>> from retention.activity import History
    >>> from hypothesis import find
    >>> a_tier_holds_until_its_last_day(
    ...     find(ladders(), lambda _: True),
    ...     TierFacts("M-1", date(2024, 1, 1), History("M-1")),
    ...     as_of=date(2024, 6, 30),
    ... )
    """
    law, case = "a_tier_holds_until_its_last_day", f"member {facts.member!r} as of {as_of}"
    through: date | None = None
    for change in tiers.changes(facts, as_of=as_of):
        places = tiers.rank(change.left), tiers.rank(change.entered)
        risen = change.move is TierMove.UP
        agree(law, case, change=risen, rises=places[1] > places[0])
        if change.move in {TierMove.DOWN, TierMove.GRACE}:
            ends = None if through is None else through + timedelta(days=1)
            agree(law, case, lost_on=change.on, day_after_the_last=ends)
        if change.move is TierMove.DOWN and tiers.one_step_down:
            agree(law, case, steps=places[0] - places[1], allowed=1)
        through = change.valid_through


def more_spend_never_earns_less(
    rules: EarningRules, order: EarningOrder, *, more_minor: int, birthday: date | None = None
) -> None:
    """An order that costs more never earns fewer points, whatever bonuses and caps apply.

    >>> from retention.mechanisms.money import Money
    >>> order = EarningOrder(Purchase("M-1", date(2024, 6, 15), 259_00))
    >>> more_spend_never_earns_less(EarningRules(step=Money.of(10, "CNY")), order, more_minor=1)
    """
    bought = attrs.evolve(order.purchase, amount_minor=order.purchase.amount_minor + more_minor)
    lines = [attrs.evolve(x) for x in order.lines]
    if lines:
        lines[0] = attrs.evolve(lines[0], amount_minor=lines[0].amount_minor + more_minor)
    dearer = attrs.evolve(order, purchase=bought, lines=lines)
    said = [rules.quote(each, birthday=birthday).points for each in (order, dearer)]
    agree(
        "more_spend_never_earns_less", f"{order.purchase.amount_minor} and {more_minor} more",
        is_it_less=said[1] < said[0], allowed=False,
    )  # fmt: skip


def refunds_telescope(rules: EarningRules, order: EarningOrder, parts_minor: Sequence[int]) -> None:
    """Refunds in parts leave the points that one refund of their sum leaves.

    >>> from retention.mechanisms.money import Money
    >>> order = EarningOrder(Purchase("M-1", date(2024, 6, 15), 259_00))
    >>> refunds_telescope(EarningRules(step=Money.of(10, "CNY")), order, [33, 100_00])
    """
    held = rules.quote(order).points
    whole = rules.kept_points(attrs.evolve(order, refunded_minor=sum(parts_minor)), held)
    given_back = 0
    for part in parts_minor:
        given_back += part
        held = rules.kept_points(attrs.evolve(order, refunded_minor=given_back), held)
    agree("refunds_telescope", f"refunds of {list(parts_minor)}", in_parts=held, at_once=whole)


def caps_are_never_exceeded(
    rules: EarningRules, orders: Sequence[EarningOrder], *, birthday: date | None = None
) -> None:
    """Orders one after the other never earn more in an order, day, month or year than a cap.

    >>> from retention.mechanisms.money import Money
    >>> order = EarningOrder(Purchase("M-1", date(2024, 6, 15), 259_00))
    >>> caps_are_never_exceeded(EarningRules(step=Money.of(10, "CNY")), [order, order])
    """
    earned: list[tuple[date, int]] = []

    def so_far(since: date, until: date) -> int:
        return sum(points for day, points in earned if since <= day <= until)

    for order in orders:
        day = rules.day_of(order.purchase.at)
        points = rules.quote(order, birthday=birthday, earned=so_far).points
        earned.append((day, points))
        for cap in rules.caps:
            total = points if cap.per is CapPeriod.ORDER else so_far(*cap.span(day))
            agree(
                "caps_are_never_exceeded", f"{cap.per} on {day}",
                exceeded=total > cap.points, allowed=False,
            )  # fmt: skip


def a_programme_replays(programme: Programme, orders: Sequence[LoyaltyOrder]) -> None:
    """What was decided about a member comes back from the facts; the same again changes nothing.

    >>> a_programme_replays(Programme(), [])
    """
    law, began = "a_programme_replays", date(2000, 1, 1)
    start = Member("M-1", programme.points.start("M-1"), began, history=History("M-1"))
    member, facts = start, list[LoyaltyFact]()
    for order in orders:
        answer = programme.decide(member, order)
        if isinstance(answer, Refused):
            continue
        member = answer.state
        facts += answer.facts
        again = programme.decide(member, order, earlier=answer.facts)
        same = isinstance(again, Accepted) and again.state == member
        agree(law, f"{order.name} on {order.at}", the_same_again=same, changes_nothing=True)
    told = programme.replay(start, facts)
    agree(law, f"{len(facts)} facts", account=member.account, replayed=told.account)
    agree(law, f"{len(facts)} facts", changes=member.changes, replayed=told.changes)
    agree(law, f"{len(facts)} facts", overrides=member.overrides, replayed=told.overrides)


def _with(facts: TierFacts, *more: Purchase) -> TierFacts:
    history = attrs.evolve(facts.history, purchases=(*facts.history.purchases, *more))
    return attrs.evolve(facts, history=history)


def _currency(facts: TierFacts) -> str:
    found = [x.currency for x in facts.history.purchases]
    found += [x.currency for x in facts.history.returns]
    return found[0] if found else ""
