"""The handbook as one value, and the assessment of a whole log."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from retention import Handbook, Interaction, InteractionKind, Purchase, PurchaseLog, Return, assess
from retention.handbook import stage_counts
from retention.lifecycle import Stage
from retention.logs import InteractionLog
from retention.mechanisms.errors import (
    BlankValueError,
    InvalidValueError,
    NaiveInstantError,
    NotRisingError,
    RetentionError,
    UnknownNameError,
    UnreadableTextError,
    WrongTypeError,
)
from retention.mechanisms.policies import Origin
from retention.presets import ecommerce
from retention.segmentation import Layer
from tests.refusals import check

DAY, BEFORE = date(2024, 6, 30), date(2024, 5, 31)
LOG = PurchaseLog.of(
    [
        Purchase("a", date(2024, 6, 1), 500, currency="CNY"),
        Purchase("b", date(2024, 3, 31), 900, currency="CNY"),
        Purchase("b", date(2023, 1, 1), 100, currency="CNY"),
        Return("b", date(2024, 4, 2), 300, currency="CNY"),
        Purchase("c", date(2024, 7, 1), 10**6, currency="CNY"),
    ]
)
CALLS = InteractionLog.of([Interaction("z", date(2024, 6, 20), InteractionKind.CALL)])
REPORT = assess(ecommerce, LOG, CALLS, as_of=DAY, since=BEFORE, customers=["q"])


# --- assessments ----------------------------------------------------------------------------------


def test_an_assessment_knows_everybody() -> None:
    assert REPORT.stages.members(Stage.REGISTERED).tolist() == ["q"]
    assert REPORT.stages.members(Stage.POTENTIAL).tolist() == ["z"]
    assert REPORT.layers.customers.tolist() == ["a", "b"]
    assert REPORT.layers.totals("spend_minor")[Layer.NEW] == 500
    assert REPORT.rfm.recency.customers.tolist() == ["a", "b"]
    assert REPORT.currency == "CNY"


def test_what_comes_after_the_day_is_left_out_and_counted() -> None:
    assert REPORT.left_out == 1
    assert REPORT.purchases == 4
    assert "c" not in REPORT.stages.customers


def test_movement_needs_an_earlier_day() -> None:
    assert REPORT.stages_moved is not None
    assert REPORT.layers_moved is not None
    assert REPORT.stages_moved.movers(None, Stage.NEW).tolist() == ["a"]
    assert REPORT.layers_moved.movers(None, Layer.NEW).tolist() == ["a"]
    alone = assess(ecommerce, LOG, as_of=DAY)
    assert (alone.stages_moved, alone.layers_moved, alone.since) == (None, None, None)


def test_examples_are_the_largest_spenders_of_each_layer_in_turn() -> None:
    found = list(REPORT.examples())
    assert [(name, layer.outcome, stage.outcome) for name, layer, stage in found] == [
        ("a", Layer.NEW, Stage.NEW), ("b", Layer.SLEEPING, Stage.SLEEPING),
    ]  # fmt: skip
    assert len(list(REPORT.examples(1))) == 1
    many = PurchaseLog.of([Purchase(f"n{n:02}", DAY, n) for n in range(50)])
    best = [name for name, _, _ in assess(ecommerce, many, as_of=DAY).examples(3)]
    assert best == ["n49", "n48", "n47"]


def test_problems_of_the_logs_are_told() -> None:
    bad = PurchaseLog.from_columns(customer=["a", ""], at=[DAY, DAY], amount=[1.0, 2.0])
    assert [x.code for x in assess(ecommerce, bad, as_of=DAY).problems] == ["no_customer"]
    assert REPORT.problems == ()


def test_nobody() -> None:
    nobody = assess(ecommerce, PurchaseLog.of([]), as_of=DAY, since=BEFORE)
    assert (nobody.purchases, nobody.left_out, list(nobody.examples())) == (0, 0, [])
    assert nobody.stages_moved is not None
    assert nobody.stages_moved.counts() == {}


@pytest.mark.parametrize(
    ("options", "error", "where"),
    [
        ({"as_of": DAY, "since": DAY}, InvalidValueError, "since"),
        ({"as_of": DAY, "since": date(2025, 1, 1)}, InvalidValueError, "since"),
        ({"as_of": datetime(2024, 6, 30, 18)}, NaiveInstantError, None),
        ({"as_of": DAY, "since": datetime(2024, 5, 31)}, NaiveInstantError, None),
        ({"as_of": "2024-06-30"}, WrongTypeError, None),
        ({"as_of": DAY, "customers": [1, 2]}, InvalidValueError, "customers"),
    ],
    ids=range(6),
)
def test_an_assessment_that_cannot_be(
    options: dict[str, Any], error: type[RetentionError], where: str | None
) -> None:
    with pytest.raises(RetentionError) as caught:
        assess(ecommerce, LOG, **options)
    assert type(caught.value) is error
    assert where in {None, caught.value.where}
    check(caught.value)


def test_since_is_an_earlier_local_day() -> None:
    noon = datetime(2024, 6, 30, 4, tzinfo=UTC)  # noon in Shanghai
    assert assess(ecommerce, LOG, as_of=noon, since=date(2024, 6, 29)).since == date(2024, 6, 29)
    with pytest.raises(InvalidValueError):
        assess(ecommerce, LOG, as_of=noon, since=DAY)


def test_stages_day_by_day() -> None:
    days = [BEFORE, DAY, DAY + timedelta(days=365)]
    found = stage_counts(ecommerce, LOG, CALLS, days=days, customers=["q"])
    assert list(found) == days
    assert found[DAY] == REPORT.stages.counts()
    assert found[BEFORE][Stage.NEW] == 0
    assert stage_counts(ecommerce, LOG, days=[]) == {}


# --- the handbook as a value ----------------------------------------------------------------------


@pytest.mark.rule("RC-11", "X-02")
def test_every_value_knows_where_it_came_from() -> None:
    for entry in ecommerce.values():
        if entry.source.origin in {Origin.STATED, Origin.READ, Origin.ASSUMED}:
            assert entry.source.clause
    assert all(entry.source.origin is Origin.ASSUMED for entry in ecommerce.assumed())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("lifecycle.stages.new.when.days_since_first_purchase", 45),
        ("lifecycle.stages.new.when", "days_since_first_purchase <= 45"),
        ("segmentation.layers.high_active.when.purchases_30d", 3),
        ("segmentation.rfm.recency.at_most", [20, 60, 120]),
        ("segmentation.ranking.rounding", "ceil"),
        ("segmentation.layers.sleeping.actions", []),
        ("lifecycle.reduced.window_days", 60),
        ("name", "ours"),
    ],
)
def test_a_handbook_is_changed_by_path(path: str, value: object) -> None:
    ours = ecommerce.with_(path, value)
    assert ours != ecommerce
    assert ours.fingerprint() != ecommerce.fingerprint()
    (difference,) = ecommerce.compare(ours)
    assert path.startswith(difference.path)
    assert ours.with_(difference.path, difference.before) == ecommerce
    assert ours.with_(difference.path, difference.before).fingerprint() == ecommerce.fingerprint()


@pytest.mark.parametrize(
    ("path", "value", "error", "given"),
    [
        ("lifecycel.zone", "UTC", UnknownNameError, "lifecycel"),
        ("lifecycle.zon", "UTC", UnknownNameError, "zon"),
        ("lifecycle.stages.news.when", "purchases < 1", UnknownNameError, "news"),
        (
            "lifecycle.stages.new.when.days_since_purchase",
            4,
            UnknownNameError,
            "days_since_purchase",
        ),
        ("lifecycle.stages.new.when", "days <=", UnreadableTextError, "days <="),
        ("segmentation.rfm.recency.at_most", [90, 30], NotRisingError, (90, 30)),
        ("segmentation", "all", WrongTypeError, "all"),
    ],
    ids=range(7),
)
def test_a_change_that_cannot_be(
    path: str, value: object, error: type[RetentionError], given: object
) -> None:
    with pytest.raises(error) as caught:
        ecommerce.with_(path, value)
    assert caught.value.given == given
    check(caught.value)


def test_a_handbook_that_is_not_filled_says_so_when_it_is_used() -> None:
    empty = Handbook("ours", "Ours", "我们的制度")
    with pytest.raises(BlankValueError):
        assess(empty, LOG, as_of=DAY)
