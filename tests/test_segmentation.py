"""Layers and RFM cells: pinning, one and many, and what cannot be asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention import History, Purchase, PurchaseLog
from retention.mechanisms.decisions import Bands, Case, FirstMatch
from retention.mechanisms.errors import (
    BlankValueError,
    InvalidValueError,
    NaiveInstantError,
    NotRisingError,
    UnknownMeasureError,
    UnknownNameError,
    UnpinnedPolicyError,
)
from retention.mechanisms.periods import When
from retention.mechanisms.policies import Origin
from retention.mechanisms.ranks import Ranking, Ties
from retention.mechanisms.rules import parse
from retention.presets import ecommerce
from retention.segmentation import Layer, Rfm, RfmCell, Segmentation
from tests.refusals import refused

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2024, 6, 30)
OURS = ecommerce.segmentation
NOBODY = PurchaseLog.of([])


def log(*rows: tuple[str, date, int]) -> PurchaseLog:
    return PurchaseLog.of([Purchase(*row) for row in rows])


FIVE = log(*((name, DAY - timedelta(days=40), 100) for name in "abcde"))
history_rows = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.dates(date(2023, 10, 1), date(2024, 7, 10)),
        st.sampled_from([0, 1, 5, 2**55]),
    ),
    max_size=10,
)


@pytest.mark.rule("C-09", "C-21")
@given(history_rows)
def test_one_customer_and_many_get_the_same_layer(rows: list[tuple[str, date, int]]) -> None:
    found = log(*rows)
    layers, cells = OURS.layers(found, as_of=DAY), OURS.rfm_cells(found, as_of=DAY)
    pinned = OURS.pin(found, as_of=DAY)
    for name, history in found.histories() if rows else ():
        decision = pinned.layer(history, as_of=DAY)
        if decision.outcome is None:
            assert name not in layers.customers
            continue
        assert decision.outcome is layers.decision(name).outcome
        assert decision.explain() == layers.explain(name)
        row = cells.recency.row_of(name)
        columns = cells.to_columns()
        many = tuple(int(columns[each][row]) for each in ("recency", "frequency", "monetary"))
        assert pinned.rfm_cell(history, as_of=DAY).bands == many
    assert pinned.layers(found, as_of=DAY).counts() == layers.counts()
    assert sum(cells.counts().values()) == len(layers)


@given(history_rows.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_order_of_the_rows_does_not_matter(
    orders: tuple[list[tuple[str, date, int]], list[tuple[str, date, int]]],
) -> None:
    one, other = (OURS.pin(log(*rows), as_of=DAY) for rows in orders)
    assert one == other
    assert one.fingerprint() == other.fingerprint()


# --- pins -----------------------------------------------------------------------------------------


@pytest.mark.rule("C-09")
def test_an_unpinned_policy_does_not_answer_for_one() -> None:
    buyer = History("a", [Purchase("a", DAY - timedelta(days=40), 1)])
    for ask in (OURS.layer, OURS.rfm_cell, OURS.due):
        with refused(UnpinnedPolicyError, given="spend_share") as caught:
            ask(buyer, as_of=DAY)
        assert "pin(" in str(caught.value)
    assert OURS.pinned is None


@pytest.mark.rule("C-25")
@pytest.mark.parametrize("as_of", [DAY, datetime(2024, 6, 30, 12, tzinfo=UTC)])
def test_a_decision_says_since_when_the_policy_is_pinned(as_of: When) -> None:
    pinned = OURS.pin(FIVE, as_of=as_of)
    decision = pinned.layer(FIVE.history("a"), as_of=date(2024, 7, 30))
    assert pinned.pinned is not None
    assert decision.pinned == pinned.pinned
    assert (pinned.pinned.as_of, pinned.pinned.population) == (as_of, 5)
    assert OURS.layers(FIVE, as_of=as_of).decision("a").pinned == pinned.pinned


def test_a_policy_is_pinned_once() -> None:
    pinned = OURS.pin(FIVE, as_of=DAY)
    with refused(InvalidValueError, "pin", given=pinned.pinned):
        pinned.pin(FIVE, as_of=DAY)


def test_pinning_keeps_other_citations() -> None:
    pinned = OURS.pin(FIVE, as_of=DAY)
    case, before = pinned.layer_table.cases[1], OURS.layer_table.cases[1]
    assert case.source("when").origin is Origin.GIVEN
    assert pinned.layer_table.cases[0].source("when").origin is Origin.STATED
    assert case.source("goal") == before.source("goal")
    assert "spend_share" in str(before.when)
    assert "spend_share" not in str(case.when)


# --- populations ----------------------------------------------------------------------------------


def test_nobody_has_no_layer() -> None:
    assert set(OURS.layers(NOBODY, as_of=DAY).counts().values()) == {0}
    assert OURS.rfm_cells(NOBODY, as_of=DAY).counts() == {}
    assert OURS.dues(NOBODY, as_of=DAY).on.tolist() == []
    pinned = OURS.pin(NOBODY, as_of=DAY)
    assert pinned.pinned is not None
    assert pinned.pinned.population == 0
    assert pinned.layer(History("a"), as_of=DAY).outcome is None
    assert pinned.layer(History("a"), as_of=DAY).explain().startswith("outside")


@pytest.mark.rule("RC-09")
def test_one_customer_is_in_no_small_share() -> None:
    alone = log(("a", DAY - timedelta(days=40), 10**9))
    assert OURS.layers(alone, as_of=DAY).decision("a").outcome is Layer.GENERAL_ACTIVE
    assert OURS.rfm_cells(alone, as_of=DAY).counts() == {(2, 2, 4): 1}


@pytest.mark.rule("RC-09")
def test_all_equal_amounts_share_the_best_rank() -> None:
    assert OURS.rfm_cells(FIVE, as_of=DAY).counts() == {(2, 2, 1): 5}
    assert OURS.layers(FIVE, as_of=DAY).counts()[Layer.MEDIUM_ACTIVE] == 5


def test_purchases_after_the_day_are_left_out_and_counted() -> None:
    found = log(("a", DAY, 100), ("a", DAY + timedelta(days=1), 10**9), ("b", date(2025, 1, 1), 1))
    layers = OURS.layers(found, as_of=DAY)
    assert layers.customers.tolist() == ["a"]
    assert layers.left_out == 2
    assert layers.totals("spend_minor")[Layer.NEW] == 100


def test_free_orders_are_purchases_without_rank() -> None:
    found = log(*((name, DAY - timedelta(days=40), 0) for name in "abcde"))
    assert OURS.rfm_cells(found, as_of=DAY).counts() == {(2, 2, 4): 5}


def test_ties_can_be_broken_by_frequency() -> None:
    rows = [(name, DAY - timedelta(days=40), 100) for name in "abcde"]
    rows += [("e", DAY - timedelta(days=50), 0)]
    ours = OURS.with_("ranking.ties", "by_frequency")
    assert ours.ranking == Ranking(Ties.BY_FREQUENCY)
    assert ours.rfm_cells(log(*rows), as_of=DAY).monetary.decision("e").outcome == 1
    pinned = ours.pin(log(*rows), as_of=DAY)
    cell = pinned.rfm_cell(log(*rows).history("e"), as_of=DAY)
    assert isinstance(cell, RfmCell)
    assert cell.monetary.outcome == 1


# --- days and zones -------------------------------------------------------------------------------


@pytest.mark.rule("RC-01")
def test_a_layer_changes_at_local_midnight() -> None:
    at = datetime(2024, 5, 30, 23, 30, tzinfo=SHANGHAI)
    found = PurchaseLog.of([Purchase("a", at, 100)])
    assert OURS.layers(found, as_of=date(2024, 6, 29)).decision("a").outcome is Layer.NEW
    assert OURS.layers(found, as_of=DAY).decision("a").outcome is Layer.GENERAL_ACTIVE
    utc = OURS.with_("zone", "America/New_York")
    assert utc.layers(found, as_of=date(2024, 6, 29)).decision("a").outcome is Layer.NEW


@pytest.mark.parametrize("last", [date(2023, 12, 31), date(2024, 2, 28), date(2024, 2, 29)])
def test_dues_name_the_day_before_which_nothing_changes(last: date) -> None:
    found = log(("a", date(2023, 1, 1), 5), ("a", last, 5), ("b", date(2024, 1, 1), 7))
    pinned = OURS.pin(found, as_of=last)
    due = pinned.due(found.history("a"), as_of=last)
    dues = pinned.dues(found, as_of=last)
    assert due is not None
    assert dues.on[0] == np.datetime64(due.on)
    assert dues.table.outcomes[dues.becomes[0]] is due.entered
    before = pinned.layer(found.history("a"), as_of=due.on - timedelta(days=1)).outcome
    after = pinned.layer(found.history("a"), as_of=due.on).outcome
    assert (before, after) == (due.left, due.entered)
    assert sum(dues.within(400, pinned.at(last)).values()) == (~np.isnat(dues.on)).sum()


def test_a_fact_that_comes_in_says_what_it_changed() -> None:
    pinned = OURS.pin(FIVE, as_of=DAY)
    sleeping = History("z", [Purchase("z", date(2024, 1, 2), 5)])
    decision, change = pinned.after(sleeping, Purchase("z", DAY, 100))
    assert change is not None
    assert (change.left, change.entered) == ("sleeping", str(decision.outcome))
    _, nothing = pinned.after(FIVE.history("a"), Purchase("a", DAY, 1))
    assert nothing is None


# --- bad input ------------------------------------------------------------------------------------


def test_a_naive_point_of_view() -> None:
    naive = datetime(2024, 6, 30, 18)
    with refused(NaiveInstantError, "as_of", given=naive):
        OURS.layers(FIVE, as_of=naive)
    with refused(NaiveInstantError, "as_of", given=naive):
        OURS.pin(FIVE, as_of=naive)


def test_an_unknown_zone() -> None:
    with refused(UnknownNameError, "zone", given="Asia/Peking"):
        OURS.with_("zone", "Asia/Peking").layers(FIVE, as_of=DAY)


def test_a_policy_that_is_not_filled() -> None:
    empty = Segmentation()
    for ask in (empty.layers, empty.rfm_cells, empty.dues):
        with pytest.raises(BlankValueError) as caught:
            ask(FIVE, as_of=DAY)
        assert caught.value.where.startswith("Segmentation.")
    assert {"layers", "rfm"} <= {entry.path for entry in empty.blanks()}
    assert empty.pin(FIVE, as_of=DAY) == empty


def test_an_unknown_measure_in_a_rule() -> None:
    ours = OURS.with_("layers.new.when", "days_since_frist_purchase <= 30")
    with pytest.raises(UnknownMeasureError) as caught:
        ours.layers(FIVE, as_of=DAY)
    assert caught.value.given == "days_since_frist_purchase"


def test_thresholds_that_do_not_rise() -> None:
    with refused(NotRisingError, "days_since_purchase"):
        OURS.with_("layers.sleeping.when", "91 <= days_since_purchase <= 10000").with_(
            "layers.lost.when", "days_since_purchase <= 180"
        )
    with refused(NotRisingError, "days_since_purchase", given=(90, 30)):
        OURS.with_("rfm.recency.at_most", [90, 30])


def test_an_axis_by_name() -> None:
    assert OURS.classification("layers").table == OURS.layer_table
    with refused(UnknownNameError, "segmentation", given="layer", allowed=("layers",)):
        OURS.classification("layer")


def test_bands_may_be_tables() -> None:
    table = FirstMatch((Case(1, parse("purchases >= 2")),), otherwise=2)
    bands = Bands("purchases", at_most=(1,), open_end=True)
    rfm = Rfm(bands, table, table)
    assert rfm.tables == (bands.table, table, table)
