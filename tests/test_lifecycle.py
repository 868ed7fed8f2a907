"""Stages, what is due, what was: one customer and many."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention import History, Interaction, InteractionKind, Purchase, PurchaseLog, Return
from retention.ageing import Trigger
from retention.lifecycle import Interacting, Lifecycle, Reduction, Stage
from retention.logs import InteractionLog
from retention.mechanisms.errors import (
    BlankValueError,
    InvalidValueError,
    NaiveInstantError,
    UnknownNameError,
)
from retention.mechanisms.periods import When
from retention.mechanisms.policies import blank
from retention.presets import ecommerce
from tests.refusals import refused

LIFE = ecommerce.lifecycle
SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2024, 6, 30)
FIRST = date(2024, 1, 1)

near = st.dates(date(2023, 6, 1), date(2024, 7, 15))
facts = st.tuples(
    st.lists(st.builds(Purchase, st.just("c"), near, st.just(100)), max_size=4),
    st.lists(
        st.builds(Interaction, st.just("c"), near, st.sampled_from(InteractionKind)), max_size=4
    ),
    st.lists(st.builds(Return, st.just("c"), near, st.just(50)), max_size=2),
)


def history(found: tuple[list[Any], list[Any], list[Any]]) -> History:
    return History("c", *found)


def logs(one: History) -> tuple[PurchaseLog, InteractionLog]:
    return PurchaseLog.of([*one.purchases, *one.returns]), InteractionLog.of(one.interactions)


# --- one and many ---------------------------------------------------------------------------------


@given(facts, near)
def test_one_customer_and_many_get_the_same_stage(
    found: tuple[list[Any], list[Any], list[Any]], day: date
) -> None:
    one = history(found)
    decision = LIFE.stage(one, as_of=day)
    stages = LIFE.stages(*logs(one), as_of=day, customers=["c"])
    assert stages.decision("c").outcome is decision.outcome
    assert stages.explain("c") == decision.explain()
    assert stages.left_out == sum(x.at > day for group in found for x in group)


@given(facts, near)
def test_one_customer_and_many_get_the_same_due_date(
    found: tuple[list[Any], list[Any], list[Any]], day: date
) -> None:
    one = history(found)
    due = LIFE.due(one, as_of=day)
    dues = LIFE.dues(*logs(one), as_of=day, customers=["c"])
    assert dues.on[0] == (np.datetime64("NaT") if due is None else np.datetime64(due.on)) or (
        due is None and np.isnat(dues.on[0])
    )
    if due is not None:
        assert dues.to_columns()["becomes"].tolist() == [str(due.entered)]
        assert due.on > day


@pytest.mark.rule("D-06")
@given(facts, near)
def test_the_timeline_is_the_stage_day_by_day(
    found: tuple[list[Any], list[Any], list[Any]], until: date
) -> None:
    one = history(found)
    days = [date(2023, 5, 31) + timedelta(days=n) for n in range((until - date(2023, 5, 30)).days)]
    seen = [LIFE.stage(one, as_of=day).outcome for day in days]
    timeline = LIFE.timeline(one, until=until)
    for (day, was), now in zip(zip(days, seen, strict=True), seen[1:], strict=False):
        after = day + timedelta(days=1)
        today = [change for change in timeline if change.on == after]
        if was is now:
            assert not today or today[-1].entered is now
        else:
            assert today[-1].entered is now
            assert today[0].left is was
    assert all(a.entered is b.left and a.at <= b.at for a, b in pairwise(timeline))


@given(facts, near)
def test_nothing_changes_before_it_is_due(
    found: tuple[list[Any], list[Any], list[Any]], day: date
) -> None:
    one = History("c", *([x for x in group if x.at <= day] for group in found))
    due, now = LIFE.due(one, as_of=day), LIFE.stage(one, as_of=day).outcome
    for n in range(1, 200):
        later = day + timedelta(days=n)
        if due is not None and later >= due.on:
            assert later == due.on
            assert LIFE.stage(one, as_of=later).outcome is due.entered
            break
        assert LIFE.stage(one, as_of=later).outcome is now


# --- times ----------------------------------------------------------------------------------------


@pytest.mark.rule("D-02", "RC-01")
@pytest.mark.parametrize(
    ("at", "as_of", "stage"),
    [
        # day 30 and day 31 in Shanghai, for an order just before and just after midnight
        (datetime(2024, 1, 1, 23, 59, tzinfo=SHANGHAI), date(2024, 1, 31), Stage.NEW),
        (datetime(2024, 1, 1, 23, 59, tzinfo=SHANGHAI), date(2024, 2, 1), Stage.ACTIVE),
        (datetime(2024, 1, 2, 0, 0, tzinfo=SHANGHAI), date(2024, 2, 1), Stage.NEW),
        (datetime(2024, 1, 1, 16, 0, tzinfo=UTC), date(2024, 2, 1), Stage.NEW),
        # over a leap day
        (date(2024, 1, 31), date(2024, 3, 1), Stage.NEW),
        (date(2023, 1, 30), date(2023, 3, 1), Stage.NEW),
        (date(2023, 1, 29), date(2023, 3, 1), Stage.ACTIVE),
        # as an instant, the order itself is known from its moment on
        (datetime(2024, 1, 1, 12, tzinfo=UTC), datetime(2024, 1, 1, 12, tzinfo=UTC), Stage.NEW),
        (
            datetime(2024, 1, 1, 12, tzinfo=UTC),
            datetime(2024, 1, 1, 11, tzinfo=UTC),
            Stage.REGISTERED,
        ),
    ],
    ids=range(9),
)
def test_stages_count_local_days(at: When, as_of: When, stage: Stage) -> None:
    one = History("c", [Purchase("c", at, 1)])
    assert LIFE.stage(one, as_of=as_of).outcome is stage
    assert LIFE.stages(*logs(one), as_of=as_of, customers=["c"]).decision("c").outcome is stage


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Europe/Berlin", "Asia/Shanghai"])
@pytest.mark.parametrize("day", [date(2018, 11, 4), date(2018, 2, 17), date(1988, 4, 17)])
def test_a_day_without_midnight_is_a_day(zone: str, day: date) -> None:
    life = LIFE.with_("zone", zone)
    one = History("c", [Purchase("c", day, 1)])
    for n, stage in ((30, Stage.NEW), (31, Stage.ACTIVE), (90, Stage.ACTIVE), (91, Stage.SLEEPING)):
        as_of = day + timedelta(days=n)
        assert life.stage(one, as_of=as_of).outcome is stage
        noon = datetime(as_of.year, as_of.month, as_of.day, 12, tzinfo=ZoneInfo(zone))
        assert life.stage(one, as_of=noon).outcome is stage


def test_a_century_is_counted_too() -> None:
    one = History("c", [Purchase("c", date(1900, 1, 1), 1)])
    assert LIFE.stage(one, as_of=date(2199, 12, 31)).outcome is Stage.LOST
    assert LIFE.due(one, as_of=date(2199, 12, 31)) is None
    assert [str(x.on) for x in LIFE.timeline(one, until=date(2100, 1, 1))] == [
        "1900-01-01", "1900-02-01", "1900-04-02", "1900-07-01",
    ]  # fmt: skip


# --- timelines ------------------------------------------------------------------------------------


@pytest.mark.rule("D-06", "D-09")
def test_a_timeline_says_what_made_each_change() -> None:
    call = Interaction("c", date(2024, 9, 1), InteractionKind.CALL)
    one = History("c", [Purchase("c", FIRST, 5), Purchase("c", date(2024, 8, 1), 5)], [call])
    found = [
        (str(x.on), str(x.entered), x.trigger) for x in LIFE.timeline(one, until=date(2025, 6, 1))
    ]
    assert found == [
        ("2024-01-01", "new", Trigger.PURCHASE),
        ("2024-02-01", "active", Trigger.TIME),
        ("2024-04-01", "sleeping", Trigger.TIME),
        ("2024-06-30", "lost", Trigger.TIME),
        ("2024-08-01", "active", Trigger.PURCHASE),
        ("2024-10-31", "sleeping", Trigger.TIME),
        ("2025-03-01", "lost", Trigger.TIME),
    ]
    (woken,) = LIFE.reactivations(one, until=date(2025, 6, 1))
    assert (woken.on, woken.left, woken.days_away) == (date(2024, 8, 1), Stage.LOST, 213)
    assert LIFE.reactivations(one, until=date(2024, 7, 31)) == ()


def test_an_interaction_wakes_too() -> None:
    one = History(
        "c", [Purchase("c", FIRST, 5)], [Interaction("c", date(2024, 8, 1), InteractionKind.CALL)]
    )
    changes = LIFE.timeline(one, until=date(2024, 8, 1))
    assert (changes[-1].left, changes[-1].entered, changes[-1].trigger) == (
        Stage.LOST, Stage.SLEEPING, Trigger.INTERACTION,
    )  # fmt: skip
    assert str(changes[-1]) == "2024-08-01 lost -> sleeping (interaction)"
    assert changes[-1].days_away is None


def test_somebody_who_only_registered() -> None:
    assert LIFE.stage(History("c"), as_of=DAY).outcome is Stage.REGISTERED
    assert LIFE.due(History("c"), as_of=DAY) is None
    assert LIFE.timeline(History("c"), until=DAY) == ()
    assert LIFE.reactivations(History("c"), until=DAY) == ()


def test_nobody() -> None:
    nobody = PurchaseLog.of([])
    assert set(LIFE.stages(nobody, as_of=DAY).counts().values()) == {0}
    assert LIFE.dues(nobody, as_of=DAY).on.tolist() == []
    assert [len(x) for x in LIFE.interactings(nobody, as_of=DAY).values()] == [0] * 4
    listed = LIFE.stages(nobody, as_of=DAY, customers=["b", "a"])
    assert listed.members(Stage.REGISTERED).tolist() == ["a", "b"]


# --- interaction ----------------------------------------------------------------------------------


@pytest.mark.rule("D-04")
@pytest.mark.parametrize(
    ("latest", "preceding", "reduced", "ratio"),
    [
        (0, 0, True, None),
        (1, 0, False, None),
        (0, 2, True, 0.0),
        (1, 2, True, 0.5),
        (2, 2, False, 1.0),
        (3, 2, False, 1.5),
    ],
)
def test_interaction_is_compared_with_the_window_before(
    latest: int, preceding: int, reduced: bool, ratio: float | None
) -> None:
    call = InteractionKind.CALL
    one = History(
        "c",
        (),
        [Interaction("c", DAY, call)] * latest
        + [Interaction("c", DAY - timedelta(days=90), call)] * preceding,
    )
    found = LIFE.interacting(one, as_of=DAY)
    assert found == Interacting(reduced, latest, preceding)
    assert found.ratio == ratio
    columns = LIFE.interactings(*logs(one), as_of=DAY, customers=["c"])
    assert [columns[x].tolist() for x in ("latest", "preceding", "reduced")] == [
        [latest], [preceding], [reduced],
    ]  # fmt: skip


@pytest.mark.parametrize("days", [0, -3])
def test_a_window_has_a_day(days: int) -> None:
    with refused(InvalidValueError, "Reduction.window_days", given=days):
        Reduction(days, 1.0)
    with refused(InvalidValueError, "Reduction.window_days", given=days):
        LIFE.with_("reduced.window_days", days)


# --- bad input ------------------------------------------------------------------------------------


def test_a_naive_point_of_view() -> None:
    naive = datetime(2024, 6, 30, 18)
    one = History("c")
    for ask in (LIFE.stage, LIFE.due, LIFE.interacting):
        with refused(NaiveInstantError, "as_of", given=naive):
            ask(one, as_of=naive)
    for see in (LIFE.timeline, LIFE.reactivations):
        with refused(NaiveInstantError, given=naive):
            see(one, until=naive)
    with refused(NaiveInstantError, "as_of", given=naive):
        LIFE.stages(PurchaseLog.of([]), as_of=naive)


def test_a_blank_is_named_when_it_is_used() -> None:
    open_life = LIFE.with_("reduced.ratio_below", blank("002: the ratio"))
    assert open_life.stage(History("c"), as_of=DAY).outcome is Stage.REGISTERED
    with refused(BlankValueError, "Reduction.ratio_below", given="002: the ratio"):
        open_life.interacting(History("c"), as_of=DAY)
    with pytest.raises(BlankValueError) as caught:
        Lifecycle().stage(History("c"), as_of=DAY)
    assert caught.value.where == "Lifecycle.stages"


def test_an_unknown_zone() -> None:
    with refused(UnknownNameError, "zone", given="Mars"):
        LIFE.with_("zone", "Mars").stage(History("c"), as_of=DAY)
