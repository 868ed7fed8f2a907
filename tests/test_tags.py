"""Tags: rules, evidence, one and many, re-evaluation, and what is overdue."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention import History, Interaction, Purchase, PurchaseLog
from retention.logs import InteractionLog
from retention.measures import days_since_interaction, measure, purchases, spend_minor, spend_share
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.errors import (
    BlankValueError,
    DuplicateError,
    InvalidValueError,
    UnknownMeasureError,
    UnknownNameError,
    UnpinnedPolicyError,
)
from retention.mechanisms.obligations import After, Every
from retention.mechanisms.rules import Measure, parse
from retention.presets import new_measures
from retention.summaries import Attributes
from retention.tag_sheets import (
    TAGGING,
    Evaluated,
    Overdue,
    TagEvent,
    TagSheet,
    TagState,
    overdue,
    replay,
)
from retention.tags import Evaluate, RecencyBasis, Tag, TagLibrary, TagRule, tagged
from tests import catalogue

# The library of 004: the tags are stated, the thresholds are not.
OPEN = new_measures.segmentation.tags
LIBRARY = OPEN.with_all(
    {"high_value.when": "spend_minor >= 1000000", "active.when": "days_since_interaction <= 30"}
)
CUSTOMER = History(
    "c",
    [Purchase("c", date(2023, 11, 5), 12_000_00)],
    [Interaction("c", date(2024, 2, 25), "browse")],
)


def evaluated(sheet: TagSheet, day: date, history: History = CUSTOMER) -> TagSheet:
    return LIBRARY.decide(sheet, Evaluate(history=history, at=day, by="job")).or_raise().state


# --- S-30a ----------------------------------------------------------------------------------------


@pytest.mark.rule("S-30a", "C-30", "C-33", "SM-32")
def test_tags_of_a_customer_who_goes_quiet() -> None:
    march = evaluated(TagSheet("c"), date(2024, 3, 1))
    assert march.tags(on=date(2024, 3, 1)) == ("high_value", "active")
    april = evaluated(march, date(2024, 4, 1))
    assert april.tags(on=date(2024, 4, 1)) == ("high_value", "potential_churn")
    diff = april.compare(march)
    assert (diff.added, diff.removed, diff.kept) == (
        ("potential_churn",),
        ("active",),
        ("high_value",),
    )
    assert overdue([april], as_of=date(2024, 5, 1)) == ()
    late = overdue([april], as_of=date(2024, 5, 2))
    assert {each.tag for each in late} == {"high_value", "active", "potential_churn"}
    assert [str(april.state(tag, on=date(2024, 5, 2))) for tag in Tag] == [
        "expired",
        "absent",
        "expired",
    ]
    assert late[0] == Overdue("c", "active", TagState.ABSENT, date(2024, 4, 1), date(2024, 5, 1))
    assert april.tags(on=date(2024, 5, 2)) == ()
    high = april.assignment("high_value")
    assert (high.valid_from, high.evaluated_on) == (date(2024, 3, 1), date(2024, 4, 1))
    assert high.finding.next_evaluation == date(2024, 5, 1)
    churn = april.assignment("potential_churn")
    assert (churn.valid_from, churn.finding.evidence) == (
        date(2024, 4, 1),
        "potential_churn: has_active False is == False",
    )
    assert list(april.history("active").spans()) == [
        ("active", date(2024, 3, 1), date(2024, 3, 31))
    ]


@pytest.mark.rule("C-30", "C-31")
@pytest.mark.parametrize(("days", "tag"), [(30, "active"), (31, "potential_churn")])
def test_the_limits_are_the_scenarios_own(days: int, tag: str) -> None:
    found = LIBRARY.tags(CUSTOMER, as_of=date(2024, 2, 25) + timedelta(days=days))
    assert found.held == ("high_value", tag)
    for spend, held in ((10_000_00, True), (9_999_99, False)):
        history = History("c", [Purchase("c", date(2024, 1, 1), spend)])
        assert ("high_value" in LIBRARY.tags(history, as_of=date(2024, 3, 1)).held) is held


@pytest.mark.rule("C-30")
def test_evidence_is_the_reasons() -> None:
    found = LIBRARY.tags(CUSTOMER, as_of=date(2024, 4, 1))
    assert str(found.decisions["high_value"].reasons[0]) == ("spend_minor 1200000 is >= 1000000")
    assert found.explain("active") == (
        "no_active: no other case holds; not active: days_since_interaction 36 is not <= 30"
    )
    assert found.explain("potential_churn") == "potential_churn: has_active False is == False"
    with pytest.raises(UnknownNameError, match="no vip; known: high_value"):
        found.explain("vip")


@pytest.mark.rule("C-30")
def test_a_customer_who_never_did_anything_is_not_active() -> None:
    assert LIBRARY.tags(History("x"), as_of=date(2024, 4, 1)).held == ("potential_churn",)


# --- rules ----------------------------------------------------------------------------------------


@pytest.mark.rule("C-30")
def test_the_library_of_004_leaves_its_thresholds_open() -> None:
    stated = catalogue.preset("new_measures")["tags"]
    assert [rule.key for rule in OPEN.rules] == stated["library"]
    assert stated["reevaluate"] == "month"
    assert OPEN.every == After(months=1)
    assert [entry.path for entry in OPEN.blanks()] == ["high_value.when", "active.when"]
    with pytest.raises(BlankValueError, match="a limit on spend"):
        OPEN.tags(CUSTOMER, as_of=date(2024, 4, 1))
    assert [tag.label("zh") for tag in Tag] == ["高价值客户", "活跃客户", "潜在流失客户"]


@pytest.mark.parametrize(
    ("rules", "circle"),
    [
        ({"a": "has_a == True"}, "a -> a"),
        ({"a": "has_b == True", "b": "has_c == True", "c": "has_b == False"}, "b -> c -> b"),
    ],
)
def test_a_rule_that_asks_for_itself_is_refused(rules: dict[str, str], circle: str) -> None:
    with pytest.raises(InvalidValueError, match="do not ask for themselves") as caught:
        TagLibrary(
            tuple(TagRule(tag, parse(rule)) for tag, rule in rules.items()), every=After(months=1)
        )
    assert caught.value.given == circle


def test_other_bad_libraries() -> None:
    with pytest.raises(UnknownNameError, match="no has_actve; known: has_vip"):
        TagLibrary((TagRule("vip", parse("has_actve == True")),), every=After(months=1))
    with pytest.raises(DuplicateError):
        TagLibrary(
            (TagRule("a", parse("x > 1")), TagRule("a", parse("x > 2"))), every=After(months=1)
        )
    with pytest.raises(InvalidValueError, match="one rule or more"):
        TagLibrary((), every=After(months=1))
    with pytest.raises(InvalidValueError, match="a name such as"):
        TagRule("high value", parse("x > 1"))
    with pytest.raises(UnknownNameError, match="perhaps 'active'"):
        LIBRARY.rule("actve")


def test_rules_may_stand_in_any_order() -> None:
    turned = TagLibrary(tuple(reversed(LIBRARY.rules)), every=After(months=1))
    for day in (date(2024, 3, 1), date(2024, 4, 1)):
        found = turned.tags(CUSTOMER, as_of=day).held
        assert set(found) == set(LIBRARY.tags(CUSTOMER, as_of=day).held)


@pytest.mark.rule("C-31")
def test_recency_counts_from_either_basis() -> None:
    history = History(
        "c",
        [Purchase("c", date(2024, 1, 1), 500_00)],
        [Interaction("c", date(2024, 2, 25), "browse")],
    )
    held = {}
    for basis in RecencyBasis:
        rule = (basis.measure <= 30) & (purchases >= 1) & (spend_minor >= 500_00)
        library = TagLibrary((TagRule("core", rule),), every=After(months=1))
        held[basis] = library.tags(history, as_of=date(2024, 3, 1)).held
        layers = FirstMatch((Case("high", rule),), otherwise="low")  # a value layer of 004
        values = {basis.measure.name: 5, "purchases": 1, "spend_minor": 500_00}
        assert layers.decide(values).outcome == "high"
    assert held == {RecencyBasis.PURCHASE: (), RecencyBasis.INTERACTION: ("core",)}
    basis = catalogue.preset("new_measures")["rfm"]["recency_basis"]
    assert RecencyBasis(basis).measure.name == "days_since_interaction"
    basis = catalogue.preset("ecommerce")["rfm"]["recency_basis"]
    assert RecencyBasis(basis).measure.name == "days_since_purchase"


BEHAVIOUR = TagLibrary(
    (
        TagRule("sale_hunter", measure("interactions_on_sale_30d") >= 3),
        TagRule("joins_in", measure("participation_count_1y") >= 2),
        TagRule("young_south", parse("age_band in ('18-25', '26-35') and region == 'south'")),
    ),
    every=Every(months=1),
)


@pytest.mark.rule("C-32")
def test_behaviour_and_attributes() -> None:
    as_of = date(2024, 6, 30)
    visits = [Interaction("a", date(2024, 6, n), "browse", topic="sale") for n in (1, 10, 20)]
    visits += [Interaction("b", date(2024, 6, n), "browse", topic="news") for n in (1, 10, 20)]
    visits += [Interaction("b", date(2024, n, 1), "participation", topic="yoga") for n in (2, 3)]
    ages, regions = {"a": "36-45", "b": "18-25"}, {"a": "south", "b": "south"}
    log = InteractionLog.of(visits)
    who = Attributes.from_columns(
        customer=list(ages), age_band=list(ages.values()), region=list(regions.values())
    )
    empty = PurchaseLog.of([])
    many = BEHAVIOUR.tags_of_all(empty, log, as_of=as_of, attributes=who)
    assert {name: many.members(name).tolist() for name in many.counts()} == {
        "sale_hunter": ["a"],
        "joins_in": ["b"],
        "young_south": ["b"],
    }
    for name, age in ages.items():
        own = [visit for visit in visits if visit.customer == name]
        attributes = {"age_band": age, "region": regions[name]}
        history = History(name, interactions=own, attributes=attributes)
        expected = [tag for tag in many.counts() if name in many.members(tag)]
        assert list(BEHAVIOUR.tags(history, as_of=as_of).held) == expected
    with pytest.raises(UnknownMeasureError, match="age_band"):
        BEHAVIOUR.tags(History("a"), as_of=as_of)


# --- many -----------------------------------------------------------------------------------------


@pytest.mark.rule("C-33")
def test_many_say_who_moved() -> None:
    bought = PurchaseLog.of([Purchase("c", date(2023, 11, 5), 12_000_00)])
    seen = InteractionLog.of(
        [
            Interaction("c", date(2024, 2, 25), "browse"),
            Interaction("d", date(2024, 3, 20), "login"),
        ]
    )
    march, april = (
        LIBRARY.tags_of_all(bought, seen, as_of=day) for day in (date(2024, 3, 1), date(2024, 4, 1))
    )
    moves = april.compare(march)
    assert {
        tag: (each.added.tolist(), each.removed.tolist(), each.kept.tolist())
        for tag, each in moves.items()
    } == {
        "high_value": ([], [], ["c"]),
        "active": (["d"], ["c"], []),
        "potential_churn": (["c"], [], []),
    }
    assert (len(april), april.counts()) == (
        2,
        {"high_value": 1, "active": 1, "potential_churn": 1},
    )
    assert march.left_out == 1
    with pytest.raises(UnknownNameError, match="no vip"):
        april.members("vip")


def test_a_share_is_pinned_first() -> None:
    library = TagLibrary(
        (
            TagRule("top", spend_share <= 0.25),
            TagRule("top_active", (days_since_interaction <= 30) & tagged("top").is_(True)),
        ),
        every=After(months=1),
        population=purchases >= 1,
    )
    as_of = date(2024, 6, 30)
    log = PurchaseLog.of([Purchase(c, as_of, n * 100) for n, c in enumerate("abcd", 1)])
    with pytest.raises(UnpinnedPolicyError):
        library.tags(History("d"), as_of=as_of)
    pinned = library.pin(log, as_of=as_of)
    assert pinned.tags_of_all(log, as_of=as_of).members("top").tolist() == ["d"]
    assert pinned.tags(log.history("d"), as_of=as_of).held == ("top",)
    assert pinned.tags(log.history("c"), as_of=as_of).held == ()
    assert pinned.rules[1] == library.rules[1]


# --- re-evaluation --------------------------------------------------------------------------------


@pytest.mark.rule("SM-32", "C-33")
def test_the_state_is_a_function_of_the_day() -> None:
    sheet = evaluated(TagSheet("c"), date(2024, 3, 1))
    days = (date(2024, 3, 1), date(2024, 3, 31), date(2024, 4, 1), date(2024, 4, 2))
    assert [str(sheet.state("active", on=day)) for day in days] == [
        "assigned",
        "assigned",
        "due",
        "expired",
    ]
    with pytest.raises(InvalidValueError, match="the history knows earlier days"):
        sheet.state("active", on=date(2024, 2, 29))
    with pytest.raises(UnknownNameError, match="no vip; known: high_value"):
        sheet.history("vip")


@pytest.mark.rule("SM-32", "C-33")
def test_a_calendar_period_is_due_as_soon_as_it_begins() -> None:
    library = TagLibrary((TagRule("x", Measure[bool]("x").is_(True)),), every=Every(months=1))
    history = History("c", attributes={"x": True})
    sheet = (
        library.decide(TagSheet("c"), Evaluate(history=history, at=date(2024, 3, 15), by="job"))
        .or_raise()
        .state
    )
    days = (date(2024, 3, 31), date(2024, 4, 1), date(2024, 4, 30), date(2024, 5, 1))
    assert [str(sheet.state("x", on=day)) for day in days] == ["assigned", "due", "due", "expired"]


@pytest.mark.rule("SM-32")
def test_an_expired_tag_begins_anew() -> None:
    march = evaluated(TagSheet("c"), date(2024, 3, 1))
    late = evaluated(march, date(2024, 5, 10))
    high = late.assignment("high_value")
    assert (high.state(date(2024, 5, 10)), high.valid_from) == (
        TagState.ASSIGNED,
        date(2024, 5, 10),
    )
    assert list(high.history.spans()) == [
        ("high_value", date(2024, 3, 1), date(2024, 4, 1)),
        ("high_value", date(2024, 5, 10), None),
    ]
    assert late.state("active", on=date(2024, 5, 10)) is TagState.ABSENT
    assert list(late.history("active").spans()) == [("active", date(2024, 3, 1), date(2024, 4, 1))]


@pytest.mark.rule("SM-32")
def test_a_tag_that_is_not_due_is_not_asked_again() -> None:
    march = evaluated(TagSheet("c"), date(2024, 3, 1))
    early = evaluated(march, date(2024, 3, 28))  # 32 days after the last interaction
    assert early.assignment("active") == march.assignment("active")
    assert early.tags(on=date(2024, 3, 28)) == ("high_value", "active")
    assert early.assignment("potential_churn").evaluated_on == date(2024, 3, 28)


def test_nothing_to_ask_leaves_no_fact() -> None:
    library = TagLibrary((TagRule("quiet", parse("purchases == 0")),), every=After(months=1))
    command = Evaluate(history=History("c"), at=date(2024, 3, 1), by="job")
    sheet = library.decide(TagSheet("c"), command).or_raise().state
    answer = library.decide(sheet, command)
    assert answer == Accepted(sheet)


def test_an_evaluation_follows_the_one_before() -> None:
    sheet = evaluated(TagSheet("c"), date(2024, 3, 1))
    answer = LIBRARY.decide(sheet, Evaluate(history=CUSTOMER, at=date(2024, 2, 29), by="job"))
    assert isinstance(answer, Refused)
    assert (answer.code, answer.missing, answer.allowed) == (
        Code.NAMES_MISSING,
        ("later_time",),
        ("evaluate",),
    )
    with pytest.raises(InvalidValueError, match="the sheet's customer"):
        evaluated(TagSheet("other"), date(2024, 3, 1))


def test_a_key_that_comes_again() -> None:
    day = date(2024, 3, 1)
    command = Evaluate(history=CUSTOMER, at=day, by="job", key="march")
    first = LIBRARY.decide(TagSheet("c"), command).or_raise()
    again = Evaluate(history=CUSTOMER, at=day + timedelta(days=1), by="job", key="march")
    assert LIBRARY.decide(first.state, again, earlier=first.facts) == first
    other = Evaluate(history=CUSTOMER, at=day, by="somebody", key="march")
    answer = LIBRARY.decide(first.state, other, earlier=first.facts)
    assert isinstance(answer, Refused)
    assert answer.missing == ("unused_key",)


FLAG = TagLibrary((TagRule("x", Measure[bool]("x").is_(True)),), every=After(months=1))
ROUNDS = st.lists(st.tuples(st.integers(1, 70), st.booleans()), max_size=12)


@pytest.mark.rule("SM-32", "C-33", "C-41")
@given(ROUNDS, st.sampled_from([After(months=1), After(days=10), Every(months=1)]))
def test_a_tag_follows_its_machine_day_by_day(
    rounds: list[tuple[int, bool]], every: After | Every
) -> None:
    library = FLAG.with_("every", every)
    sheet, facts, today = TagSheet("c"), list[Evaluated](), date(2024, 1, 1)
    state, held = TagState.ABSENT, set[date]()
    for later, flag in rounds:
        for _ in range(later):  # the machine by hand, one day after the other
            held |= {today} if state in {TagState.ASSIGNED, TagState.DUE} else set()
            today += timedelta(days=1)
            if sheet.assignments and state is not TagState.ABSENT:
                finding = sheet.assignments[0].finding
                if today > finding.next_evaluation:
                    state = TagState.EXPIRED
                elif today >= finding.due_from:
                    state = TagState.DUE
            assert sheet.state("x", on=today) is state
        step = TAGGING.step(state, TagEvent.RULE_TRUE if flag else TagEvent.RULE_FALSE)
        state = state if isinstance(step, Refused) else step.target
        history = History("c", attributes={"x": flag})
        answer = library.decide(sheet, Evaluate(history=history, at=today, by="job")).or_raise()
        sheet, facts = answer.state, [*facts, *answer.facts]
        assert replay("c", facts) == sheet
        assert sheet.state("x", on=today) is state
    if sheet.assignments:
        first = date(2024, 1, 1)
        days = [first + timedelta(days=n) for n in range((today - first).days)]
        assert {day for day in days if sheet.history("x").held(day)} == held


# --- the machine equals the catalogue -------------------------------------------------------------

# How the catalogue's words read as events; None is made by time alone.
READS = {
    "rule true": TagEvent.RULE_TRUE,
    "rule false": TagEvent.RULE_FALSE,
    "month passes": None,
    "not evaluated": None,
}


@pytest.mark.rule("SM-32", "X-05")
def test_the_machine_equals_the_catalogue() -> None:
    states, transitions = catalogue.machine("SM-32")
    assert [state.value for state in TagState] == states
    expected = {(a, READS[what], b) for a, what, b in catalogue.edges(transitions)}
    assert {(x.source, x.command, x.target) for x in TAGGING.steps} == expected
    assert not any(x.needs for x in TAGGING.steps)
    assert not TAGGING.unreachable(TagState.ABSENT)
    answer = TAGGING.step(TagState.ASSIGNED, TagEvent.RULE_FALSE)
    assert isinstance(answer, Refused)
    assert answer.allowed == ()


def test_texts_are_rules_too() -> None:
    assert TagRule("x", parse("days_since_interaction <= 30")).when == parse(
        "days_since_interaction <= 30"
    )
    assert np.array_equal(
        tagged("x").is_(False).mask({"has_x": np.array([True, False])}), [False, True]
    )
