"""Own thresholds, change on an event, crossing, conversion, gaps and reasons for not buying."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest

from retention import (
    History,
    InvalidValueError,
    Purchase,
    PurchaseLog,
    UnequalColumnsError,
    UnknownNameError,
)
from retention.lifecycle import Stage
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.gaps import gaps, orders_to_go
from retention.mechanisms.outcomes import Cells, cross
from retention.mechanisms.rules import parse
from retention.presets import ecommerce
from retention.proposals import propose
from retention.reasons import Adjustment, NonPurchaseReason, ReasonLearnt, report
from retention.segmentation import Layer

AS_OF = date(2024, 6, 30)
SEGMENTS = ecommerce.segmentation


def every(days: int, times: int, customer: str = "a", amount: int = 1000) -> list[Purchase]:
    first = AS_OF - timedelta(days=days * times)
    return [Purchase(customer, first + timedelta(days=days * n), amount) for n in range(times + 1)]


@pytest.mark.rule("C-24")
def test_thresholds_follow_the_repurchase_cycle() -> None:
    # 10 intervals: eight of 10 days, one of 40, one of 100
    facts = every(10, 8)
    facts += [Purchase("b", date(2024, 1, 1) + timedelta(days=n), 5000) for n in (0, 40, 140)]
    found = propose(SEGMENTS, PurchaseLog.of(facts), as_of=AS_OF, quantiles=(0.5, 0.9, 1.0))
    assert found.intervals == 10
    assert found.recency_days == (10, 40, 100)
    assert found.orders == 12
    assert found.order_minor == (1000, 5000, 5000)
    table = {case.key: str(case.when) for case in found.policy.layer_table.cases}
    assert table["high_active"].startswith("days_since_purchase <= 10 and")
    assert table["medium_active"].startswith("days_since_purchase <= 40 and")
    assert table["sleeping"] == "41 <= days_since_purchase <= 100"
    assert table["lost"] == "days_since_purchase > 100"
    assert found.policy.rfm.recency.at_most == (10, 40, 100)  # type: ignore[union-attr]
    layers = found.policy.layers(PurchaseLog.of(facts), as_of=AS_OF)
    assert sum(layers.counts().values()) == 2  # every customer has exactly one layer


@pytest.mark.rule("C-24")
def test_coinciding_thresholds_are_moved_apart_and_same_day_orders_are_no_cycle() -> None:
    twice = [*every(7, 5), *every(7, 5)]
    found = propose(SEGMENTS, PurchaseLog.of(twice), as_of=AS_OF)
    assert found.recency_days == (7, 8, 9)
    with pytest.raises(InvalidValueError, match="no customer bought twice"):
        propose(SEGMENTS, PurchaseLog.of([Purchase("a", AS_OF, 1)]), as_of=AS_OF)
    with pytest.raises(InvalidValueError, match="quantiles"):
        propose(SEGMENTS, PurchaseLog.of(twice), as_of=AS_OF, quantiles=(0.5, 0.5, 0.9))


@pytest.mark.rule("C-24")
def test_every_layer_threshold_can_be_replaced() -> None:
    for entry in SEGMENTS.layer_table.values():
        if entry.path.endswith(".when"):
            for limit in entry.value.limits():
                low_high = isinstance(limit.limit, tuple)
                value = (92, 179) if low_high else limit.limit * 0.5
                path = f"layers.{entry.path}.{limit.measure}"
                ours = SEGMENTS.with_(path, value)
                assert ours != SEGMENTS
                assert ours.with_(path, limit.limit) == SEGMENTS


@pytest.mark.rule("C-25")
def test_an_event_changes_the_layer_at_once() -> None:
    base = [Purchase(f"y{n}", date(2024, 6, 1), 10 * n) for n in range(1, 10)]
    history = History("c", [Purchase("c", date(2024, 1, 1), 100)])
    pinned = SEGMENTS.pin(PurchaseLog.of([*base, *history.purchases]), as_of=AS_OF)
    again = Purchase("c", AS_OF, 100)
    decision, change = pinned.after(history, again)
    assert decision.outcome is Layer.MEDIUM_ACTIVE
    assert change is not None
    assert (change.left, change.entered, change.at) == ("lost", "medium_active", AS_OF)
    third, no_change = pinned.after(history.with_fact(again), Purchase("c", AS_OF, 0))
    assert third.outcome is Layer.HIGH_ACTIVE
    assert no_change is not None
    _, same = pinned.after(history.with_fact(again).with_fact(again), Purchase("c", AS_OF, 5))
    assert same is None


@pytest.mark.rule("C-26")
def test_crossing_value_and_behaviour() -> None:
    log = PurchaseLog.of([*every(10, 3, "a"), *every(120, 2, "b"), *every(200, 1, "c")])
    layers = SEGMENTS.layers(log, as_of=AS_OF)
    stages = ecommerce.lifecycle.stages(log, as_of=AS_OF, customers=["z"])
    cells = cross(layer=layers, stage=stages)
    brute: dict[tuple[str, str], int] = {}
    for customer in ("a", "b", "c", "z"):
        layer = str(layers.decision(customer).outcome) if customer != "z" else ""
        key = (layer, str(stages.decision(customer).outcome))
        brute[key] = brute.get(key, 0) + 1
    assert cells.counts() == brute
    assert cells.members(stage=Stage.REGISTERED).tolist() == ["z"]
    by_industry = Cells.of(cells.customers, industry=["x", "y", "x", "y"], **cells.dimensions)
    assert by_industry.members(industry="y", stage="registered").tolist() == ["z"]
    with pytest.raises(UnknownNameError):
        cells.members(tag="high_value")
    with pytest.raises(UnequalColumnsError):
        Cells.of(cells.customers, industry=["x"])


@pytest.mark.rule("C-37")
def test_conversion_between_layers() -> None:
    facts = [*every(10, 3, "a"), *every(10, 3, "b")]
    facts += [Purchase(name, date(2024, 1, 20), 5) for name in ("d", "e", "f")]
    facts += [Purchase("d", date(2024, 6, 29), 10**6)]
    log = PurchaseLog.of(facts)
    before = SEGMENTS.layers(log, as_of=date(2024, 5, 29))
    after = SEGMENTS.layers(log, as_of=AS_OF)
    moved = after.compare(before)
    back = moved.conversion(Layer.SLEEPING, after.decision("d").outcome)
    assert (back.numerator, back.denominator, back.value) == (1, 3, Fraction(1, 3))
    assert moved.movers(Layer.SLEEPING, after.decision("d").outcome).tolist() == ["d"]
    assert moved.counts()[None, after.decision("a").outcome] == 2  # not known a month before
    assert moved.conversion(Layer.HIGH_ACTIVE, Layer.LOST).value is None  # nobody was there


@pytest.mark.rule("C-38")
def test_reasons_for_not_buying_are_counted_once_a_customer() -> None:
    learnt = [
        ReasonLearnt("a", "price", date(2024, 1, 1)),
        ReasonLearnt("a", "unaware", date(2024, 2, 1), need="home office"),
        ReasonLearnt("b", NonPurchaseReason.PRICE, date(2024, 2, 1)),
        ReasonLearnt("c", "price", date(2024, 2, 2), need="home office"),
    ]
    rows = [
        Adjustment(NonPurchaseReason.PRICE, "trial price"),
        Adjustment(NonPurchaseReason.SERVICE, "x"),
    ]
    found = report(reversed(learnt), rows)
    assert {reason.value: share.value for reason, share in found.shares.items()} == {
        "price": Fraction(2, 3),
        "unaware": Fraction(1, 3),
    }
    assert next(iter(found.shares)) is NonPurchaseReason.PRICE
    assert found.needs == {"home office": 2}
    assert [row.adjust for row in found.adjustments] == ["trial price"]
    assert report([]).shares == {}
    with pytest.raises(UnknownNameError, match="perhaps 'price'"):
        ReasonLearnt("a", "prize", date(2024, 1, 1))


TIERS = FirstMatch(
    (
        Case("gold", parse("spend_minor >= 100000 and purchases >= 5")),
        Case("silver", parse("spend_minor >= 20000 or purchases >= 3")),
    ),
    otherwise="none",
)


@pytest.mark.rule("C-39")
def test_gap_to_the_next_tier() -> None:
    here = TIERS.decide({"spend_minor": 78_500, "purchases": 4})
    assert [(gap.measure, gap.missing) for gap in gaps(here, "gold")] == [
        ("spend_minor", 21_500),
        ("purchases", 1),
    ]
    assert gaps(here, "silver") == ()
    low = TIERS.decide({"spend_minor": 100, "purchases": 2})
    assert len(gaps(low, "silver")) == 1  # one of the two ways is enough
    assert orders_to_go(21_500, 12_000) == 2  # AMB-09
    assert orders_to_go(24_000, 12_000) == 2
    assert orders_to_go(24_001, 12_000) == 3
    assert orders_to_go(0, 12_000) == 0
    assert orders_to_go(1, None) is None
    with pytest.raises(UnknownNameError):
        gaps(here, "platinum")


@pytest.mark.rule("C-39")
def test_gap_to_a_layer_names_orders_days_and_amount() -> None:
    others = [Purchase(f"y{n}", date(2024, 1, 1), 10_000 * n) for n in range(1, 10)]
    history = History(
        "c", [Purchase("c", date(2024, 5, 1), 30_000), Purchase("c", date(2023, 1, 1), 1)]
    )
    pinned = SEGMENTS.pin(PurchaseLog.of([*others, *history.purchases]), as_of=AS_OF)
    decision = pinned.layer(history, as_of=AS_OF)
    found = {gap.measure: gap.missing for gap in gaps(decision, Layer.HIGH_ACTIVE)}
    assert found == {"days_since_purchase": 30, "purchases_30d": 2, "spend_minor": 49_999}


def test_gaps_of_missing_values_and_texts_have_no_number() -> None:
    table = FirstMatch(
        (Case("x", parse("days < 5 and grade == 'a' and 3 <= n <= 4 and m > 2 and k in (1, 2)")),),
        otherwise="y",
    )
    row = {"days": None, "grade": "b", "n": 6, "m": 2, "k": 9}
    found = [gap.missing for gap in gaps(table.decide(row), "x")]
    assert found == [None, None, 2, 1, None]
    assert str(gaps(table.decide(row), "x")[0]) == "days None, wanted < 5: no value"
    assert np.isfinite([x for x in found if x is not None]).all()
