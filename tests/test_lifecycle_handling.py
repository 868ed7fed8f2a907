"""What sleep and loss bring: the wake-up e-mail, effective contact, and the machines of both."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention import (
    BlankValueError,
    History,
    Interaction,
    InvalidValueError,
    NaiveInstantError,
    Purchase,
    PurchaseLog,
    parse,
)
from retention.classifications import Classification
from retention.grades import PurchaseClass
from retention.lifecycle import (
    HANDLING,
    LIFECYCLE,
    PURCHASE_CLASS,
    Automation,
    ClassEvent,
    Handled,
    Handling,
    HandlingEvent,
    Lifecycle,
    Reach,
    Stage,
)
from retention.logs import InteractionLog
from retention.measures import measure, purchases
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.obligations import Done, Outcome, agenda
from retention.mechanisms.policies import Origin, assumed
from retention.presets import ecommerce
from tests import catalogue

LIFE = ecommerce.lifecycle
SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST = date(2024, 1, 1)
LATER = date(2025, 12, 31)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def bought(*days: int) -> tuple[Purchase, ...]:
    return tuple(Purchase("c", day(n), 100) for n in days)


def met(*days: int, kind: str = "login") -> tuple[Interaction, ...]:
    return tuple(Interaction("c", day(n), kind) for n in days)


def woken(history: History, until: date | datetime = LATER) -> list[int]:
    """Days, from the first of 2024, on which a wake-up e-mail came due."""
    return [(x.window.last_day - FIRST).days for x in LIFE.wake_ups(history, until=until)]


# --- the whole scenario ---------------------------------------------------------------------------


@pytest.mark.rule("S-16", "D-01", "D-02", "D-24", "SM-11")
def test_an_only_order_brings_one_wake_up_e_mail() -> None:
    history = History("c", bought(0))
    stages = {
        date(2024, 1, 31): Stage.NEW,
        date(2024, 2, 1): Stage.ACTIVE,
        date(2024, 3, 31): Stage.ACTIVE,
        date(2024, 4, 1): Stage.SLEEPING,
        date(2024, 4, 30): Stage.SLEEPING,
        date(2024, 6, 29): Stage.SLEEPING,
        date(2024, 6, 30): Stage.LOST,
    }
    assert {on: LIFE.stage(history, as_of=on).outcome for on in stages} == stages
    assert LIFE.wake_ups(history, until=date(2024, 4, 29)) == ()
    (task,) = LIFE.wake_ups(history, until=LATER)
    assert (task.subject, task.what, task.channels) == ("c", "wake_up", ("email",))
    assert task.window.opens == datetime(2024, 4, 30, tzinfo=SHANGHAI)
    assert task.window.closes == datetime(2024, 5, 1, tzinfo=SHANGHAI)
    assert LIFE.wake_ups(history, until=date(2024, 4, 30))[0].window.opens == task.window.opens
    handlings = [(str(x.on), x.step.target) for x in LIFE.handlings(history, until=LATER)]
    assert handlings == [
        ("2024-04-01", Handling.SLEEPING),
        ("2024-04-30", Handling.WOKEN_120),
        ("2024-06-30", Handling.LOST),
    ]


@pytest.mark.rule("S-16", "D-05", "D-24", "SM-11")
def test_a_login_every_week_brings_no_wake_up() -> None:
    history = History("c", bought(0), met(*range(0, 364, 7)))
    assert LIFE.wake_ups(history, until=date(2024, 12, 30)) == ()
    assert LIFE.handling(history, as_of=date(2024, 12, 30)) is Handling.AWAKE
    others = [Purchase(f"y{n}", date(2024, 5, 1), n + 1) for n in range(3)]
    log = PurchaseLog.of([*history.purchases, *others])
    layers = ecommerce.segmentation.layers(log, as_of=date(2024, 6, 30))
    assert layers.decision("c").outcome == "lost"


@pytest.mark.rule("S-16", "D-24", "SM-11")
def test_a_single_login_neither_stops_nor_repeats_the_wake_up() -> None:
    history = History("c", bought(0), [Interaction("c", date(2024, 5, 15), "login")])
    assert LIFE.stage(history, as_of=date(2024, 11, 11)).outcome is Stage.SLEEPING
    assert LIFE.stage(history, as_of=date(2024, 11, 12)).outcome is Stage.LOST
    assert woken(history) == [120]
    assert LIFE.handling(history, as_of=date(2024, 11, 11)) is Handling.WOKEN_120
    assert LIFE.handling(history, as_of=date(2024, 11, 12)) is Handling.LOST


@pytest.mark.rule("S-16", "SM-11")
def test_nothing_is_handled_before_any_order() -> None:
    browsing = History("c", (), [Interaction("c", date(2023, 12, 20), "browse")])
    assert LIFE.stage(browsing, as_of=date(2023, 12, 31)).outcome is Stage.POTENTIAL
    assert LIFE.stage(History("c"), as_of=date(2023, 12, 31)).outcome is Stage.REGISTERED
    for history in (browsing, History("c")):
        assert LIFE.handlings(history, until=LATER) == ()
        assert LIFE.wake_ups(history, until=LATER) == ()


# --- D-24 -----------------------------------------------------------------------------------------


@pytest.mark.rule("D-24")
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (((0,), ()), [120]),
        (((0, 50), ()), [170]),  # counted from the last purchase
        (((0, 119), ()), [239]),
        (((0, 120), ()), [240]),  # a purchase on the day itself: awake from its beginning
        (((0, 121), ()), [120, 241]),  # a new episode
        (((0, 400), ()), [120, 520]),
        # 2024-01-01 is a Monday: logins in every week up to the one that begins on day 196;
        # the week from day 203 has none, so sleep begins when it is over, on day 210.
        (((0,), tuple(range(0, 203, 7))), [210]),
        # Lost from day 181, sleeping again by a login: the same episode, no second e-mail.
        (((0,), (200,)), [120]),
        # Awake by four weeks of logins from day 203 on, asleep again after a week without.
        (((0,), (203, 210, 217, 224)), [120, 238]),
    ],
)
def test_once_in_each_episode_of_sleep(
    facts: tuple[tuple[int, ...], tuple[int, ...]], expected: list[int]
) -> None:
    assert woken(History("c", bought(*facts[0]), met(*facts[1]))) == expected


@pytest.mark.rule("D-24")
def test_a_wake_up_is_due_on_its_day_by_e_mail_alone() -> None:
    tasks = LIFE.wake_ups(History("c", bought(0)), until=LATER)

    def outcome(*done: Done, as_of: date | datetime) -> Outcome:
        (item,) = agenda(tasks, done, as_of=as_of, outcomes=tuple(Outcome))
        return item.outcome

    sent = Done("c", "wake_up", datetime(2024, 4, 30, 9, tzinfo=SHANGHAI), "email")
    sms = Done("c", "wake_up", datetime(2024, 4, 30, 9, tzinfo=SHANGHAI), "sms")
    early = Done("c", "wake_up", datetime(2024, 4, 29, 9, tzinfo=SHANGHAI), "email")
    late = Done("c", "wake_up", datetime(2024, 5, 2, 9, tzinfo=SHANGHAI), "email")
    assert outcome(as_of=date(2024, 4, 29)) is Outcome.PENDING
    assert outcome(early, sms, as_of=date(2024, 4, 30)) is Outcome.DUE
    assert outcome(sent, as_of=date(2024, 4, 30)) is Outcome.ON_TIME
    assert outcome(as_of=date(2024, 5, 1)) is Outcome.MISSED
    assert outcome(late, as_of=date(2024, 5, 3)) is Outcome.LATE


@pytest.mark.rule("D-24")
def test_who_comes_back_by_himself_needs_no_wake_up_any_more() -> None:
    noon = datetime(2024, 4, 30, 12, tzinfo=SHANGHAI)
    history = History("c", [*bought(0), Purchase("c", noon, 100)])
    (task,) = LIFE.wake_ups(history, until=date(2024, 5, 31))
    assert task.window.closes == noon == task.window.late_until
    late = Done("c", "wake_up", datetime(2024, 4, 30, 13, tzinfo=SHANGHAI), "email")
    (item,) = agenda([task], [late], as_of=date(2024, 5, 2))
    assert item.outcome is Outcome.MISSED  # an e-mail after the purchase wakes nobody


@pytest.mark.rule("D-24")
@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=6),
    st.lists(st.integers(0, 700), max_size=30),
    st.integers(0, 900),
)
def test_a_wake_up_finds_a_sleeper(bought_on: list[int], met_on: list[int], until: int) -> None:
    history = History("c", bought(*bought_on), met(*met_on))
    days = woken(history, day(until))
    assert days == [n for n in woken(history, day(until + 100)) if n <= until]  # no surprise later
    stages = LIFE.timeline(history, until=day(until))
    for number in days:
        opens = datetime.combine(day(number), datetime.min.time(), SHANGHAI)
        assert LIFE.stage(history, as_of=opens).outcome is Stage.SLEEPING
        assert number - max(n for n in bought_on if n <= number) >= 120
    for one, after in pairwise(days):  # awake in between
        assert any(day(one) < x.on <= day(after) and x.left in LIFE.returning for x in stages)


@pytest.mark.rule("D-24")
def test_the_wake_up_equals_the_catalogue() -> None:
    (stated,) = [x for x in catalogue.preset("ecommerce")["automations"] if "when" in x]
    wake_up = LIFE.wake_up
    assert stated == {
        "when": wake_up.when,
        "at_day": wake_up.at_day,
        "do": wake_up.do,
        "via": list(wake_up.via),
    }
    assert wake_up.do is Automation.WAKE_UP
    assert wake_up.source("at_day").origin is Origin.STATED
    assert "120天" in wake_up.source("at_day").clause


@pytest.mark.rule("D-24")
def test_another_day_is_data() -> None:
    sooner = LIFE.with_("wake_up.at_day", 100)
    assert [x.window.last_day for x in sooner.wake_ups(History("c", bought(0)), until=LATER)] == [
        day(100)
    ]
    at_once = LIFE.with_("wake_up.at_day", 30)  # on falling asleep, since that is later
    assert [x.window.last_day for x in at_once.wake_ups(History("c", bought(0)), until=LATER)] == [
        day(91)
    ]
    with pytest.raises(InvalidValueError):
        LIFE.with_("wake_up.at_day", 0)
    with pytest.raises(BlankValueError, match="wake_up"):
        Lifecycle(stages=LIFE.stage_table).wake_ups(History("c", bought(0)), until=LATER)


# --- SM-11 ----------------------------------------------------------------------------------------

COUPON, SILENCE = HandlingEvent.COUPON_SENT, HandlingEvent.NO_REACTION


@pytest.mark.rule("SM-11")
def test_win_back_archive_and_return() -> None:
    history = History("c", bought(0, 400))
    handled = [
        Handled(COUPON, day(150)),  # still sleeping: no row for it
        Handled(COUPON, day(185)),
        Handled(SILENCE, day(200)),
    ]
    found = [
        ((x.on - FIRST).days, x.step.source, x.step.target)
        for x in LIFE.handlings(history, handled, until=day(420))
    ]
    assert found == [
        (91, Handling.AWAKE, Handling.SLEEPING),
        (120, Handling.SLEEPING, Handling.WOKEN_120),
        (181, Handling.WOKEN_120, Handling.LOST),
        (185, Handling.LOST, Handling.WIN_BACK_TRIED),
        (200, Handling.WIN_BACK_TRIED, Handling.ARCHIVED),
        (400, Handling.ARCHIVED, Handling.AWAKE),
    ]
    assert LIFE.handling(history, handled, as_of=day(184)) is Handling.LOST
    assert LIFE.handling(history, handled, as_of=day(399)) is Handling.ARCHIVED


@pytest.mark.rule("SM-11")
def test_some_interaction_of_a_lost_customer_leads_back_without_a_second_wake_up() -> None:
    lost = History("c", bought(0), met(190, kind="call"))
    assert LIFE.handling(lost, as_of=day(189)) is Handling.LOST
    assert LIFE.handling(lost, as_of=day(190)) is Handling.WOKEN_120
    tried = [Handled(COUPON, day(185))]
    assert LIFE.handling(lost, tried, as_of=day(190)) is Handling.WOKEN_120
    assert woken(lost) == [120]
    archived = [*tried, Handled(SILENCE, day(188))]
    assert LIFE.handling(lost, archived, as_of=day(190)) is Handling.ARCHIVED  # no row leads out
    often = History("c", bought(0), met(203, 210, 217, 224))
    assert LIFE.handling(often, archived, as_of=day(230)) is Handling.AWAKE
    assert LIFE.handling(often, archived, as_of=day(236)) is Handling.AWAKE
    sunday = day(237)  # the whole of it has seen the week end without a login
    assert LIFE.handling(often, archived, as_of=sunday) is Handling.SLEEPING
    assert LIFE.handling(often, archived, as_of=day(238)) is Handling.WOKEN_120


@pytest.mark.rule("SM-11")
@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=4),
    st.lists(st.integers(0, 700), max_size=20),
    st.lists(st.tuples(st.sampled_from([COUPON, SILENCE]), st.integers(0, 900)), max_size=4),
    st.integers(0, 900),
)
def test_handling_walks_along_the_rows(
    bought_on: list[int], met_on: list[int], done: list[tuple[HandlingEvent, int]], until: int
) -> None:
    history = History("c", bought(*bought_on), met(*met_on))
    handled = [Handled(what, day(n)) for what, n in done]
    here = Handling.AWAKE
    for change in LIFE.handlings(history, handled, until=day(until)):
        assert change.step.source is here
        assert change.step in HANDLING.steps
        here = change.step.target
    assert here is LIFE.handling(history, handled, as_of=day(until))
    stage = LIFE.stage(history, as_of=day(until)).outcome
    assert (here is Handling.AWAKE) == (stage not in LIFE.returning)


@pytest.mark.rule("SM-11", "X-05")
def test_handled_facts_are_those_of_the_host() -> None:
    with pytest.raises(InvalidValueError):
        Handled(HandlingEvent.PURCHASE, day(1))
    with pytest.raises(NaiveInstantError):
        Handled(COUPON, datetime(2024, 1, 1, 12))


# How the catalogue's words for the machines read; None is made by time alone.
ANY = tuple(Handling)
SM_11: dict[tuple[str, str, str], list[Any]] = {
    ("awake", "stage sleeping", "sleeping"): [(Handling.AWAKE, None, Handling.SLEEPING)],
    ("sleeping", "day ≥ 120", "woken_120"): [(Handling.SLEEPING, None, Handling.WOKEN_120)],
    ("sleeping", "stage lost", "lost"): [(Handling.SLEEPING, None, Handling.LOST)],
    ("woken_120", "stage lost", "lost"): [(Handling.WOKEN_120, None, Handling.LOST)],
    ("lost", "coupon sent", "win_back_tried"): [(Handling.LOST, COUPON, Handling.WIN_BACK_TRIED)],
    ("win_back_tried", "no reaction", "archived"): [
        (Handling.WIN_BACK_TRIED, SILENCE, Handling.ARCHIVED)
    ],
    ("lost", "some interaction", "woken_120"): [
        (Handling.LOST, HandlingEvent.INTERACT, Handling.WOKEN_120)
    ],
    ("win_back_tried", "some interaction", "woken_120"): [
        (Handling.WIN_BACK_TRIED, HandlingEvent.INTERACT, Handling.WOKEN_120)
    ],
    ("any", "purchase or frequent interaction", "awake"): [
        (source, event, Handling.AWAKE)
        for source in ANY
        for event in (HandlingEvent.PURCHASE, HandlingEvent.INTERACT_OFTEN)
    ],
}


@pytest.mark.rule("SM-11", "X-05")
def test_the_handling_equals_the_catalogue() -> None:
    states, transitions = catalogue.machine("SM-11")
    assert [state.value for state in Handling] == states
    whole = re.split(r"; (?![^(]*\))", "; ".join(transitions))  # a remark may hold a semicolon
    read = catalogue.edges(whole)
    assert set(SM_11) == read
    expected = {row for edge in read for row in SM_11[edge]}
    assert {(x.source, x.command, x.target) for x in HANDLING.steps} == expected
    assert not HANDLING.unreachable(Handling.AWAKE)
    assert not HANDLING.dead_ends()


# --- SM-05 ----------------------------------------------------------------------------------------

BUY = ClassEvent.PURCHASE
NONE, NEW, OLD, LOST = (PurchaseClass(x) for x in ("none", "new", "old", "lost"))
SM_05: dict[tuple[str, str, str], list[Any]] = {
    ("none", "first purchase", "new"): [(NONE, BUY, NEW)],
    ("new", "repurchase", "old"): [(NEW, BUY, OLD)],
    ("new", "window passed and no contact", "lost"): [(NEW, None, LOST)],
    ("old", "window passed and no contact", "lost"): [(OLD, None, LOST)],
    ("lost", "purchase", "old"): [(LOST, BUY, OLD)],
    # "the class before" is new after one purchase and old after more
    ("lost", "effective contact", "the"): [
        (LOST, ClassEvent.RECONTACT_NEW, NEW),
        (LOST, ClassEvent.RECONTACT_OLD, OLD),
    ],
    ("new", "window passed but in contact", "same"): [(NEW, None, NEW)],
    ("old", "window passed but in contact", "same"): [(OLD, None, OLD)],
}


@pytest.mark.rule("SM-05", "X-05")
def test_the_purchase_class_equals_the_catalogue() -> None:
    states, transitions = catalogue.machine("SM-05")
    rows = {(x.source, x.command, x.target) for x in PURCHASE_CLASS.steps}
    assert list(dict.fromkeys(str(x.source) for x in PURCHASE_CLASS.steps)) == states
    read = catalogue.edges(transitions)
    assert set(SM_05) == read
    assert rows == {row for edge in read for row in SM_05[edge]}
    reached = PURCHASE_CLASS.reachable(PurchaseClass.NONE)
    assert sorted(reached) == sorted(states)


# D-31: inbound communication, answered call, opened or answered message, within 180 days.
CONTACT = parse(
    "days_since_message <= 180 or days_since_call <= 180 "
    "or days_since_opened <= 180 or days_since_answered <= 180"
)
REACHED = Lifecycle(contact=assumed(CONTACT, "000 「与公司失去有效联系」; 180 days, D-31"))
CLASSES = Classification(
    "purchase_class",
    FirstMatch(
        (
            Case(PurchaseClass.NONE, purchases < 1),
            Case(
                PurchaseClass.NEW,
                purchases.is_(1) & ((measure("days_since_purchase") <= 180) | CONTACT),
            ),
            Case(PurchaseClass.OLD, (measure("days_since_purchase") <= 180) | CONTACT),
        ),
        otherwise=PurchaseClass.LOST,
    ),
)


@pytest.mark.rule("SM-05")
@given(
    st.lists(st.integers(0, 900), max_size=5),
    st.lists(
        st.tuples(st.integers(0, 900), st.sampled_from(["call", "opened", "login"])), max_size=6
    ),
)
def test_the_purchase_class_walks_along_the_rows(
    bought_on: list[int], met_on: list[tuple[int, str]]
) -> None:
    interactions = [Interaction("c", day(n), kind) for n, kind in met_on]
    history = History("c", bought(*bought_on), interactions)
    for change in CLASSES.timeline(history, until=day(1500)):
        left, entered = PurchaseClass(str(change.left)), PurchaseClass(str(change.entered))
        rows = PURCHASE_CLASS.between(left, entered)
        # Several purchases of one day, known by their date alone, are one change.
        twice = len([n for n in bought_on if day(n) == change.on]) > 1
        assert rows or (twice and (left, entered) == (NONE, OLD))


@pytest.mark.rule("SM-05")
def test_a_lost_customer_in_contact_again_gets_the_class_before() -> None:
    once = History("c", bought(0), met(200, kind="call"))
    often = History("c", bought(0, 9), met(200, kind="call"))
    for history, before in ((once, PurchaseClass.NEW), (often, PurchaseClass.OLD)):
        assert CLASSES.outcome(history, as_of=day(180)).outcome is before
        assert CLASSES.outcome(history, as_of=day(195)).outcome is PurchaseClass.LOST
        assert CLASSES.outcome(history, as_of=day(200)).outcome is before


# --- D-31 -----------------------------------------------------------------------------------------


@pytest.mark.rule("D-31")
@pytest.mark.parametrize("kind", ["message", "call", "opened", "answered"])
@pytest.mark.parametrize(("age", "kept"), [(0, True), (180, True), (181, False)])
def test_effective_contact_is_decidable(kind: str, age: int, kept: bool) -> None:
    history = History("c", (), met(0, kind=kind))
    found = REACHED.in_contact(history, as_of=day(age))
    assert (found.in_contact, found.last) == (kept, FIRST)
    assert found.decision.outcome is (Reach.IN_CONTACT if kept else Reach.OUT_OF_CONTACT)
    assert found.decision.explain()


@pytest.mark.rule("D-31")
@pytest.mark.parametrize("kind", ["browse", "favourite", "cart", "login", "participation", "other"])
def test_what_is_no_effective_contact(kind: str) -> None:
    found = REACHED.in_contact(History("c", bought(0), met(0, kind=kind)), as_of=FIRST)
    assert (found.in_contact, found.last) == (False, None)


@pytest.mark.rule("D-31")
def test_the_last_contact_of_several_kinds() -> None:
    history = History("c", (), [*met(5, 9, kind="call"), *met(7, kind="opened"), *met(20)])
    assert REACHED.in_contact(history, as_of=day(30)).last == day(9)
    assert REACHED.in_contact(history, as_of=day(8)).last == day(7)
    counted = Lifecycle(contact=parse("call_count_30d >= 1"))  # the rule may count as well
    assert counted.in_contact(history, as_of=day(39)).in_contact
    assert not counted.in_contact(history, as_of=day(40)).in_contact
    assert counted.in_contact(history, as_of=day(40)).last == day(9)


@pytest.mark.rule("D-31")
@given(
    st.lists(
        st.tuples(
            st.integers(0, 4), st.integers(0, 400), st.sampled_from(["call", "opened", "cart"])
        ),
        max_size=20,
    ),
    st.integers(0, 600),
)
def test_contact_in_columns_is_contact_of_one(
    facts: list[tuple[int, int, str]], until: int
) -> None:
    log = InteractionLog.of([Interaction(who, day(n), kind) for who, n, kind in facts])
    columns = REACHED.contacts(log, as_of=day(until), customers=np.arange(6))
    assert columns["customer"].tolist() == list(range(6))
    for who in range(6):
        mine = [Interaction(who, day(n), kind) for whose, n, kind in facts if whose == who]
        one = REACHED.in_contact(History(who, (), mine), as_of=day(until))
        assert one.in_contact == columns["in_contact"][who]
        assert one.last == columns["last_contact"][who].item()


@pytest.mark.rule("D-31")
def test_a_handbook_that_does_not_speak_of_contact_says_so() -> None:
    with pytest.raises(BlankValueError, match="effective contact"):
        LIFE.in_contact(History("c"), as_of=FIRST)
    assert set(LIFECYCLE.states) == set(Stage)
