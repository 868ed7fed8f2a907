"""Variants are data: what another handbook says differently is reached by changing a value."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import numpy as np
import pytest

from retention import History, Interaction, InvalidValueError, Purchase, PurchaseLog
from retention.activity import InteractionKind
from retention.logs import InteractionLog
from retention.mechanisms.policies import is_blank
from retention.presets import ecommerce, new_measures, user_retention
from retention.segmentation import Layer
from retention.summaries import Attributes

AS_OF = date(2024, 12, 31)
SEGMENTS = ecommerce.segmentation


def spenders(*amounts: int, at: date = date(2024, 6, 1)) -> list[Purchase]:
    return [Purchase(f"s{n}", at, amount) for n, amount in enumerate(amounts)]


@pytest.mark.rule("C-20", "VAR-11")
def test_recency_of_004_is_the_last_interaction() -> None:
    ours = SEGMENTS.with_("rfm.recency.measure", "days_since_interaction")
    pinned = ours.pin(PurchaseLog.of(spenders(1, 2, 3)), as_of=AS_OF)
    called = Interaction("c", AS_OF - timedelta(days=31), InteractionKind.CALL)
    history = History("c", [Purchase("c", date(2023, 1, 1), 5)], [called])
    assert pinned.rfm_cell(history, as_of=AS_OF).recency.outcome == 2
    theirs = SEGMENTS.pin(PurchaseLog.of(spenders(1, 2, 3)), as_of=AS_OF)
    assert theirs.rfm_cell(history, as_of=AS_OF).recency.outcome == 4


@pytest.mark.rule("C-20", "VAR-11")
def test_monetary_value_of_000_is_the_spend_of_the_past_year() -> None:
    ours = SEGMENTS.with_("rfm.monetary.measure", "spend_share_1y")
    old = Purchase("old", date(2023, 12, 31), 10**6)  # outside (RC-08)
    new = Purchase("new", date(2024, 1, 1), 10**4)  # inside
    log = PurchaseLog.of([old, new, *spenders(1, 2, 3)])
    bands = ours.rfm_cells(log, as_of=AS_OF).monetary
    assert bands.decision("new").outcome == 1  # rank 1 of 5
    assert bands.decision("old").outcome == 4  # no spend in the year
    assert SEGMENTS.rfm_cells(log, as_of=AS_OF).monetary.decision("old").outcome == 1


@pytest.mark.rule("C-23")
@pytest.mark.parametrize(("orders", "layer"), [(12, Layer.HIGH_ACTIVE), (11, Layer.MEDIUM_ACTIVE)])
def test_frequency_as_a_monthly_average(orders: int, layer: Layer) -> None:
    rule = "days_since_purchase <= 30 and purchases_per_month_6mo >= 2 and spend_share <= 0.2"
    ours = SEGMENTS.with_("layers.high_active.when", rule)
    days = [date(2024, 7, 1) + timedelta(days=15 * n) for n in range(orders - 1)]
    mine = [Purchase("c", day, 100) for day in (date(2024, 6, 30), *days, date(2024, 12, 31))]
    log = PurchaseLog.of([*mine, *spenders(1, 2, 3, 4, at=date(2023, 1, 1))])
    assert ours.layers(log, as_of=AS_OF).decision("c").outcome is layer
    assert ours.pin(log, as_of=AS_OF).layer(log.history("c"), as_of=AS_OF).outcome is layer


@pytest.mark.rule("C-22")
def test_precedence_is_the_order_of_the_rows() -> None:
    facts = [Purchase("c", AS_OF, 10**6), Purchase("c", AS_OF - timedelta(days=1), 1)]
    log = PurchaseLog.of([*facts, *spenders(1, 2, 3, 4)])
    found = SEGMENTS.layers(log, as_of=AS_OF).decision("c")
    assert found.outcome is Layer.NEW
    assert found.matches == (Layer.NEW, Layer.HIGH_ACTIVE, Layer.MEDIUM_ACTIVE)


@pytest.mark.rule("C-20", "C-22")
@pytest.mark.parametrize(("age", "layer"), [(179, Layer.SLEEPING), (180, Layer.LOST)])
def test_lost_from_day_180_is_data(age: int, layer: Layer) -> None:  # AMB-03
    ours = SEGMENTS.with_("layers.sleeping.when.days_since_purchase", [91, 179]).with_(
        "layers.lost.when.days_since_purchase", 179
    )
    log = PurchaseLog.of([Purchase("c", AS_OF - timedelta(days=age), 1)])
    assert ours.layers(log, as_of=AS_OF).decision("c").outcome is layer


PROGRAM = """
from datetime import date
from retention import Purchase, PurchaseLog, assess
from retention.presets import ecommerce
facts = [Purchase(f"c{n % 40}", date(2023, 1, 1 + n % 28), n * 7 % 300) for n in range(400)]
log = PurchaseLog.of(facts)
report = assess(ecommerce, log, as_of=date(2023, 3, 1), since=date(2023, 1, 15))
print(ecommerce.fingerprint(), report.layers.counts(), report.rfm.counts())
print(report.layers_moved.counts())
for customer, layer, stage in report.examples():
    print(customer, layer, stage)
print(report.due.to_columns()["on"].tolist())
"""


@pytest.mark.rule("X-03")
def test_results_do_not_depend_on_the_process() -> None:
    def printed(seed: str) -> str:
        environment = {"PYTHONHASHSEED": seed, "TZ": "UTC" if seed == "1" else "America/New_York"}
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        return ran.stdout

    assert printed("1") == printed("2")


@pytest.mark.rule("C-21", "C-25")
def test_a_layer_may_ask_for_interactions() -> None:
    rule = "days_since_purchase <= 30 and call_count_30d >= 1 and spend_share <= 0.5"
    ours = SEGMENTS.with_all(
        {"layers.high_active.when": rule, "rfm.recency.measure": "days_since_interaction"}
    )
    buys = [Purchase("c", AS_OF, 500), Purchase("c", date(2023, 1, 1), 1), *spenders(1, 2, 3)]
    calls = [Interaction("c", AS_OF - timedelta(days=29), InteractionKind.CALL)]
    log, others = PurchaseLog.of(buys), InteractionLog.of(calls)
    pinned = ours.pin(log, others, as_of=AS_OF)
    history = log.history("c", others)
    due = pinned.due(history, as_of=AS_OF)
    assert due is not None
    assert (due.on, due.left) == (date(2025, 1, 2), Layer.HIGH_ACTIVE)
    for policy in (ours, pinned):
        layers = policy.layers(log, others, as_of=AS_OF)
        assert layers.decision("c").outcome is Layer.HIGH_ACTIVE
        assert policy.rfm_cells(log, others, as_of=AS_OF).recency.decision("c").outcome == 1
        coming = policy.dues(log, others, as_of=AS_OF)
        assert coming.on[coming.customers.tolist().index("c")] == np.datetime64("2025-01-02")
    assert pinned.layer(history, as_of=AS_OF).outcome is Layer.HIGH_ACTIVE


def test_all_axes_of_a_handbook_are_pinned_at_once() -> None:
    log = PurchaseLog.of(spenders(*range(1, 41), at=date(2024, 6, 1)))
    theirs = user_retention.segmentation
    who = Attributes.from_columns(customer=["s1"], industry=["industry_a"])
    pinned = theirs.pin(log, as_of=AS_OF, attributes=who)
    assert pinned.pinned is not None
    assert pinned.pinned.population == 40
    grades = theirs.classification("spend_grade").outcomes(log, as_of=AS_OF)
    for customer in ("s39", "s37", "s35", "s31", "s0"):
        one = pinned.classification("spend_grade").outcome(log.history(customer), as_of=AS_OF)
        assert one.outcome is grades.decision(customer).outcome
    open_thresholds = new_measures.segmentation.pin(log, as_of=AS_OF)
    table = open_thresholds.classification("layers").table
    assert [is_blank(case.when) for case in table.cases] == [True, True, True]
    assert open_thresholds.rfm_cell(log.history("s39"), as_of=AS_OF).bands[2] == 1
    with pytest.raises(InvalidValueError, match="a policy that still limits shares"):
        pinned.pin(log, as_of=AS_OF)
