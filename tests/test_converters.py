"""Values as plain data and back, what is stored today, and what cannot be read."""

from __future__ import annotations

import copy
import json
import math
import pkgutil
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from enum import EnumMeta
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest
from cattrs import Converter
from cattrs.errors import ClassValidationError
from hypothesis import given
from hypothesis import strategies as st

import retention
from retention import (
    History,
    Interaction,
    InteractionKind,
    InteractionLog,
    Purchase,
    PurchaseLog,
    Return,
    assess,
    grading,
    lifecycle,
    presets,
    publications,
    tag_sheets,
)
from retention.accounts import Account
from retention.ageing import Transition
from retention.clv import clv_summary
from retention.converters import (
    KINDS,
    WORDS,
    configure_converter,
    from_plain,
    make_converter,
    to_plain,
)
from retention.converters._kinds import home_of
from retention.converters._leaves import column_of, column_plain
from retention.grades import Check, Criterion, Graded, SpendGrade, Standing, Strictness, standings
from retention.grading import Analyse, Approve, Batch, BatchState, Grading, GradingOrder, Submit
from retention.grading_inputs import Coverage, Covered, Delivery, GradingInput, GradingSource
from retention.households import Household
from retention.ledger import PointsPolicy
from retention.lifecycle import LIFECYCLE, Handled, HandlingEvent, LifecycleEvent, Stage
from retention.logs import KINDS as INTERACTION_KINDS
from retention.lots import CHUNK
from retention.loyalty import Member, Programme
from retention.mechanisms.answers import Accepted, Code, Problem, Reason, Refused
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.errors import (
    DuplicateError,
    GapError,
    InvalidValueError,
    MissingExtraError,
    MixedCurrenciesError,
    NaiveInstantError,
    NotRisingError,
    RetentionError,
    UnequalColumnsError,
    UnknownNameError,
    UnreadableTextError,
    WrongTypeError,
)
from retention.mechanisms.estimates import Estimate
from retention.mechanisms.machines import Machine
from retention.mechanisms.obligations import After, Every
from retention.mechanisms.outcomes import cross
from retention.mechanisms.periods import AsOf, Trailing, Unit, When
from retention.mechanisms.policies import Blank, Origin, Policy, assumed, blank, policy, stated
from retention.mechanisms.ranks import Population, Ranking, Rounding, Ties
from retention.mechanisms.rules import All, AnyOf, Limit, Measure, Rule, parse
from retention.mechanisms.timelines import Timeline
from retention.mechanisms.words import Word
from retention.points import Earn as PointsEarn
from retention.presets import ecommerce, user_retention
from retention.proposals import propose
from retention.publications import GradePublication, PublicationState, PublicationTerms
from retention.reasons import Adjustment, NonPurchaseReason, ReasonLearnt, ReasonReport, report
from retention.regrading import (
    Direction,
    GradeAssessment,
    GradeChange,
    RecordedGrades,
    Regrading,
)
from retention.scores import Contribution, Factor, Score, Scoring
from retention.segmentation import Layer
from retention.summaries import Attributes, Summary
from retention.tags import Evaluate, TagLibrary, TagRule
from retention.testing import loyalty_orders, points_commands, points_policies, programmes
from tests.refusals import check, refused

STORED = Path(__file__).parent / "data" / "facts-v1.json"
SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")

Anything = Any  # a value of whatever class, or what JSON may hold


def again(value: Anything, **options: Anything) -> Anything:
    """The value after a journey through a JSON text."""
    text = json.dumps(to_plain(value, **options), allow_nan=False)
    back = from_plain(json.loads(text), **options)
    assert type(back) is type(value)
    assert json.dumps(to_plain(back, **options)) == text
    return back


# --- strategies -----------------------------------------------------------------------------------

zones = st.sampled_from(
    [UTC, SHANGHAI, BERLIN, ZoneInfo("America/Sao_Paulo"), timezone(timedelta(hours=5, minutes=45))]
)
instants = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=zones)
times = st.dates() | instants
texts = st.text(st.characters(codec="utf-8"), max_size=8)
customers = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8) | st.integers()
amounts = st.integers(0, 2**70)
numbers = st.integers() | st.floats(allow_nan=False)
scalars = st.none() | st.booleans() | numbers | texts
purchases = st.builds(
    Purchase, customers, times, amounts, texts, texts, st.booleans(), st.none() | st.integers()
)
returns = st.builds(Return, customers, times, amounts.map(lambda n: n + 1), texts, texts)
interactions = st.builds(Interaction, customers, times, st.sampled_from(InteractionKind), texts)
names = st.sampled_from(["days", "orders", "spend_minor", "grade"])
words = st.text(st.sampled_from("ab'\"\\ \t\n#金"), min_size=1, max_size=6)
limits = (
    st.builds(Limit, names, st.sampled_from(["<=", "<", ">=", ">"]), numbers)
    | st.builds(Limit, names, st.sampled_from(["==", "!="]), numbers | st.booleans() | words)
    | st.builds(
        lambda name, how, pair: Limit(name, how, tuple(sorted(pair))),
        names,
        st.sampled_from(["between", "outside"]),
        st.tuples(numbers, numbers),
    )
    | st.builds(
        Limit,
        names,
        st.sampled_from(["in", "not in"]),
        (st.lists(numbers, min_size=1) | st.lists(words, min_size=1)).map(tuple),
    )
    | st.builds(Limit, names, st.sampled_from(["missing", "known"]))
)
rules: st.SearchStrategy[Rule] = st.recursive(
    limits,
    lambda inner: st.builds(
        lambda kind, parts: kind(tuple(parts)),
        st.sampled_from([All, AnyOf]),
        st.lists(inner, min_size=2, max_size=3),
    ),
    max_leaves=8,
)
outcomes = st.sampled_from([*Layer, *Stage, "small", 3, -1])


@st.composite
def histories(draw: st.DrawFn) -> History:
    customer, currency = draw(customers), draw(texts)

    def mine(facts: st.SearchStrategy[Any]) -> list[Any]:
        return [attrs.evolve(fact, customer=customer) for fact in draw(st.lists(facts, max_size=3))]

    def money(facts: st.SearchStrategy[Any]) -> list[Any]:
        return [
            attrs.evolve(fact, currency=currency, order=str(n))
            for n, fact in enumerate(mine(facts))
        ]

    known = draw(st.dictionaries(texts, scalars, max_size=3))
    return History(customer, money(purchases), mine(interactions), money(returns), known)


@st.composite
def tables(draw: st.DrawFn) -> FirstMatch[Any]:
    chosen = draw(st.lists(outcomes, min_size=2, max_size=5, unique_by=str))
    clauses = st.none() | st.builds(stated, st.just(0), texts)
    rows = []
    for outcome in chosen[1:]:
        when, clause = draw(rules), draw(clauses)
        rows.append(Case(outcome, when if clause is None else assumed(when, "so it is")))
    return FirstMatch(tuple(rows), otherwise=stated(chosen[0], draw(texts)))


# --- round trips ----------------------------------------------------------------------------------


@pytest.mark.rule("X-07")
@given(purchases | returns | interactions | histories())
def test_facts_come_back_as_they_were(fact: object) -> None:
    assert again(fact) == fact


@pytest.mark.rule("X-07")
@given(instants)
def test_an_instant_comes_back_with_its_clock_and_zone(when: datetime) -> None:
    back = again(Purchase(1, when, 0)).at
    assert back.astimezone(UTC) == when.astimezone(UTC)
    assert back.isoformat() == when.isoformat()
    assert getattr(back.tzinfo, "key", None) == getattr(when.tzinfo, "key", None)


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 6, 30, 18, tzinfo=UTC), "2024-06-30T18:00:00+00:00"),
        (datetime(2024, 6, 30, 18, tzinfo=SHANGHAI), "2024-06-30T18:00:00+08:00[Asia/Shanghai]"),
        # the hour that comes twice, and the hour that does not come
        (datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN), "2024-10-27T02:30:00+02:00[Europe/Berlin]"),
        (
            datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=1),
            "2024-10-27T02:30:00+01:00[Europe/Berlin]",
        ),
        (datetime(2024, 3, 31, 2, 30, tzinfo=BERLIN), "2024-03-31T02:30:00+01:00[Europe/Berlin]"),
        # summer time in China, and the mean time of Shanghai
        (datetime(1988, 7, 1, tzinfo=SHANGHAI), "1988-07-01T00:00:00+09:00[Asia/Shanghai]"),
        (datetime(1890, 1, 1, tzinfo=SHANGHAI), "1890-01-01T00:00:00+08:05:43[Asia/Shanghai]"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_times_as_text(when: When, text: str) -> None:
    purchase = Purchase(1, when, 0)
    assert to_plain(purchase)["at"] == text
    back = again(purchase).at
    assert back == when
    if isinstance(when, datetime):
        assert (back.fold, back.utcoffset()) == (when.fold, when.utcoffset())


def test_when_zone_and_offset_disagree_the_offset_decides() -> None:
    stored = to_plain(Purchase(1, date(2024, 1, 1), 0)) | {
        "at": "2024-01-01T12:00:00+09:00[Asia/Shanghai]"
    }
    at = from_plain(stored).at
    assert at == datetime(2024, 1, 1, 3, tzinfo=UTC)
    assert (at.hour, at.tzinfo) == (11, SHANGHAI)


@pytest.mark.rule("X-07")
@given(rules)
def test_a_rule_is_its_text(rule: Rule) -> None:
    assert again(rule) == rule
    assert to_plain(rule) == {"kind": "rule", "version": 1, "text": str(rule)}


@given(tables())
def test_tables_and_their_sources_come_back(table: FirstMatch[Any]) -> None:
    back = again(table)
    assert back == table
    assert [str(each) for each in back.values()] == [str(each) for each in table.values()]
    assert list(map(type, back.outcomes)) == list(map(type, table.outcomes))
    assert back.fingerprint() == table.fingerprint()


@given(
    st.builds(Reason, texts, scalars, texts, held=st.booleans(), note=texts)
    | st.builds(Problem, st.sampled_from(Code), st.lists(st.integers(0)).map(tuple), texts, texts)
    | st.builds(Refused, st.sampled_from(Code), st.tuples(texts, texts), st.tuples(texts))
    | st.builds(Accepted, outcomes, st.lists(purchases, max_size=2).map(tuple), st.tuples(texts))
    | st.builds(Trailing, st.integers(1, 9999), st.sampled_from(Unit))
    | st.builds(Ranking, st.sampled_from(Ties), st.sampled_from(Rounding))
    | st.builds(AsOf.at, times, st.sampled_from([SHANGHAI, BERLIN]))
)
def test_answers_and_small_values_come_back(value: object) -> None:
    assert again(value) == value


@pytest.mark.rule("X-07")
@pytest.mark.parametrize("name", presets.__all__)
def test_every_handbook_comes_back(name: str) -> None:
    handbook = getattr(presets, name)
    back = again(handbook)
    assert back == handbook
    assert back.fingerprint() == handbook.fingerprint()
    assert [str(entry) for entry in back.values()] == [str(entry) for entry in handbook.values()]


@pytest.mark.rule("X-07")
def test_the_handbook_comes_back_with_every_source() -> None:
    back = again(ecommerce)
    assert back == ecommerce
    assert back.fingerprint() == ecommerce.fingerprint()
    assert list(back.values()) == list(ecommerce.values())
    assert [str(entry) for entry in back.values()] == [str(entry) for entry in ecommerce.values()]
    assert {entry.source.origin for entry in back.values()} >= {Origin.STATED, Origin.READ}
    assert again(ecommerce.with_("lifecycle.stages.new.when.days_since_first_purchase", 45)) != back


def test_a_changed_value_has_lost_its_citation_and_finds_it_again() -> None:
    row = ecommerce.lifecycle.reduced.with_("window_days", 30)
    back = again(row)
    assert back.source("window_days").origin is Origin.GIVEN
    assert back.with_("window_days", 90).source("window_days") == (
        ecommerce.lifecycle.reduced.source("window_days")
    )


def test_what_is_open_stays_open() -> None:
    open_end = Ranking(ties=blank("002: equal amounts"))
    back = again(open_end)
    assert isinstance(back.ties, Blank)
    assert back.ties.path == open_end.ties.path == "Ranking.ties"  # type: ignore[attr-defined]
    assert back.source("ties") == open_end.source("ties")
    assert [entry.path for entry in back.blanks()] == ["ties"]
    assert again(open_end.blanks()[0]) == open_end.blanks()[0]


LOG = PurchaseLog.from_columns(
    customer=["a", "b", "c", "a"],
    at=[date(2024, 6, 1), date(2024, 1, 2), date(2024, 5, 1), date(2024, 7, 9)],
    amount=[12.5, 99.0, 50.0, 1.0],
)
HISTORY = LOG.history("b")


@pytest.mark.parametrize("as_of", [date(2024, 6, 30), datetime(2024, 6, 30, 9, tzinfo=BERLIN)])
def test_a_pinned_policy_keeps_its_amounts_its_notes_and_its_pin(as_of: When) -> None:
    pinned = ecommerce.segmentation.pin(LOG, as_of=as_of)
    back = again(pinned)
    assert back == pinned
    assert (back.pinned, back.pinned.as_of) == (pinned.pinned, as_of)
    ask = {"as_of": date(2024, 6, 30)}
    assert back.layer(HISTORY, **ask).explain() == pinned.layer(HISTORY, **ask).explain()
    assert "spend_share" in back.layer(HISTORY, **ask).explain()


def test_decisions_come_back_with_row_code_and_table() -> None:
    pinned = ecommerce.segmentation.pin(LOG, as_of=date(2024, 6, 30))
    decision = pinned.layer(HISTORY, as_of=date(2024, 6, 30))
    back = again(decision)
    assert (back, back.reasons, back.explain("zh")) == (
        decision,
        decision.reasons,
        decision.explain("zh"),
    )
    assert back.outcome is Layer.SLEEPING
    cell = pinned.rfm_cell(HISTORY, as_of=date(2024, 6, 30))
    assert again(cell) == cell
    nobody = pinned.layer(History("z"), as_of=date(2024, 6, 30))
    assert again(nobody).outcome is None


def test_what_the_lifecycle_answers_comes_back() -> None:
    policy, day = ecommerce.lifecycle, date(2024, 6, 29)
    for value in (*policy.timeline(HISTORY, until=day), policy.due(HISTORY, as_of=day)):
        assert value is not None
        back = again(value)
        assert isinstance(back, Transition)
        assert back == value
        assert back.decision == value.decision
    interacting = policy.interacting(HISTORY, as_of=day)
    assert again(interacting) == interacting
    twice = History("b", [*HISTORY.purchases, Purchase("b", date(2024, 6, 1), 1)])
    (woken,) = policy.reactivations(twice, until=day)
    assert again(woken) == woken


def test_a_machine_is_its_table() -> None:
    back = again(LIFECYCLE)
    assert (back, back.steps) == (LIFECYCLE, LIFECYCLE.steps)
    assert back.states is Stage
    for step in LIFECYCLE.steps:
        assert again(step) == step
    no = LIFECYCLE.step(Stage.NEW, LifecycleEvent.PURCHASE)
    assert isinstance(no, Refused)
    assert again(no) == no
    assert again(no).given[0] is Stage.NEW
    assert [to_plain(no)["given"], to_plain(no)["allowed"]] == [
        [{"stage": "new"}, {"lifecycle_event": "purchase"}], [],
    ]  # fmt: skip


def test_measures_come_back_whole() -> None:
    measure = Measure[int]("days", unit="days", zh="天数")
    back = again(measure)
    assert (back.name, back.unit, back.zh) == ("days", "days", "天数")


def columns_of(value: Anything) -> Anything:
    """The same for columns: numpy arrays have no truth when compared."""
    if isinstance(value, np.ndarray):
        return (value.dtype.kind, repr(value.tolist()))
    if attrs.has(type(value)) and "__eq__" not in vars(type(value)):
        return {x.name: columns_of(getattr(value, x.name)) for x in attrs.fields(type(value))}
    if isinstance(value, dict):
        return {key: columns_of(each) for key, each in value.items()}
    return value


def test_columns_come_back() -> None:
    report = assess(ecommerce, LOG, as_of=date(2024, 6, 30), since=date(2024, 5, 31))
    as_of = AsOf.at(date(2024, 6, 30), SHANGHAI)
    population = Population("spend_minor", np.array([3, 1]), "purchases", np.array([1.5, math.inf]))
    found = [
        *(report.layers, report.stages, report.rfm, report.due, report.layers_moved, population),
        Summary.of(["days_since_purchase", "spend_minor_30d"], LOG, as_of=as_of),
        clv_summary(LOG, as_of=as_of),
    ]
    for value in found:
        assert columns_of(again(value)) == columns_of(value)
    assert again(report.layers).explain("b") == report.layers.explain("b")
    assert again(report.due).within(90, as_of) == report.due.within(90, as_of)


def test_a_summary_that_was_stored_still_merges() -> None:
    as_of = AsOf.at(date(2024, 6, 30), SHANGHAI)
    summary = Summary.of(["spend_minor"], LOG, as_of=as_of)
    assert again(summary).merge(summary).column("spend_minor").tolist() == [2500, 19800, 10000]


# --- grades, publications, tags: commands, facts and states ---------------------------------------

names_of_people = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
act = {"at": times, "by": names_of_people, "key": texts}
past = act | {"on": st.dates()}
grade_names = texts | st.sampled_from([*Layer])
grade_pairs = st.dictionaries(customers, grade_names, max_size=3)
deliveries = st.builds(
    Delivery, st.sampled_from(GradingSource), names_of_people, times, st.integers(0)
)
inputs = st.builds(GradingInput, st.lists(deliveries, max_size=2))
days = st.dates(date(1990, 1, 1), date(2100, 1, 1))


def few(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, max_size=2).map(tuple)


def one_of_each(module: Anything, names: str, **fields: Anything) -> st.SearchStrategy[Any]:
    return st.one_of(*(st.builds(getattr(module, name), **fields) for name in names.split()))


handed_in = {"batch": texts, "grades": grade_pairs, "given": inputs}
submitted = st.builds(grading.Submitted, batch=texts, **past)
verdicts = st.builds(grading.Approved, batch=texts, **past) | st.builds(
    grading.Rejected, batch=texts, reason=texts, **past
)
rounds = st.builds(
    grading.ReviewRound,
    submitted,
    grade_pairs.map(lambda pairs: tuple(pairs.items())),
    st.none() | verdicts,
)
batches = st.builds(
    Batch,
    texts,
    st.sampled_from(BatchState),
    grade_pairs,
    inputs,
    few(rounds),
    st.none() | days,
)
recorded_grades = st.lists(days, unique=True, max_size=2).flatmap(
    lambda found: st.tuples(
        *(st.builds(GradeAssessment, st.just(day), grade_pairs, texts) for day in sorted(found))
    ).map(RecordedGrades)
)
estimates = st.tuples(st.integers(0, 99), st.integers(0, 99)).map(
    lambda pair: Estimate(min(pair), max(pair))
)
covered = st.builds(Covered, st.sampled_from(GradingSource), few(texts), estimates)
gradings = (
    one_of_each(grading, "Analyse Reanalyse", **handed_in, **act)
    | one_of_each(grading, "Submit Approve Activate", batch=texts, **act)
    | st.builds(grading.Reject, batch=texts, reason=texts, **act)
    | one_of_each(grading, "Analysed Reanalysed", **handed_in, **past)
    | st.builds(grading.Activated, batch=texts, **past)
    | st.one_of(submitted, verdicts, rounds, batches, recorded_grades, inputs, covered)
    | st.builds(Grading, few(batches), recorded_grades)
    | st.builds(Coverage, few(covered))
    | st.builds(
        GradeChange,
        customers,
        st.none() | grade_names,
        st.none() | grade_names,
        st.sampled_from(Direction),
        texts,
    )
)
acknowledged = st.builds(publications.Acknowledged, reader=texts, **past)
readers = few(texts)
publishings = (
    st.builds(publications.Publish, **act)
    | st.builds(publications.Acknowledge, reader=texts, **act)
    | st.builds(publications.Supersede, successor=texts, **act)
    | st.builds(publications.Published, audience=readers, **past)
    | st.builds(publications.Superseded, successor=texts, **past)
    | acknowledged
    | st.builds(
        GradePublication,
        texts,
        grade_pairs,
        st.sampled_from(PublicationState),
        readers,
        few(acknowledged),
        st.none() | days,
        st.none() | days,
    )
)
findings = st.builds(tag_sheets.Finding, texts, st.booleans(), texts, days, days)
timelines: st.SearchStrategy[Timeline[str]] = st.lists(days, unique=True, max_size=2).map(
    lambda found: Timeline[str]().then("active", min(found)) if found else Timeline[str]()
)
assignments = st.builds(tag_sheets.Assignment, findings, days, st.none() | days, timelines)
tagging = (
    st.builds(Evaluate, history=histories(), **act)
    | st.builds(tag_sheets.Evaluated, customer=customers, findings=few(findings), **past)
    | findings
    | assignments
    | st.builds(tag_sheets.TagSheet, customers, few(assignments), st.none() | days)
    | st.builds(tag_sheets.TagDiff, readers, readers, readers)
    | st.builds(
        tag_sheets.Overdue, customers, texts, st.sampled_from(tag_sheets.TagState), days, days
    )
)
fractions = st.fractions(0, 1)
contributions = st.builds(Contribution, texts, fractions, st.none() | fractions)
why = st.sampled_from(NonPurchaseReason)
adjustments = st.builds(Adjustment, why, texts)
results = (
    contributions
    | st.builds(Score, few(contributions))
    | st.builds(
        Check,
        texts,
        st.booleans(),
        few(st.builds(Reason, texts, scalars, texts, held=st.booleans())),
    )
    | st.builds(Standing, outcomes, st.integers(1), st.integers(1), st.integers())
    | st.builds(ReasonLearnt, customers, why, days, texts)
    | adjustments
    | st.builds(
        ReasonReport,
        st.dictionaries(why, estimates, max_size=2),
        st.dictionaries(texts, st.integers(1), max_size=2),
        few(adjustments),
    )
    | st.builds(Handled, st.sampled_from(["coupon_sent", "no_reaction"]).map(HandlingEvent), times)
)


@pytest.mark.rule("X-07")
@pytest.mark.parametrize(
    "values",
    [gradings, publishings, tagging, results],
    ids=["gradings", "publishings", "tagging", "results"],
)
@given(data=st.data())
def test_commands_facts_and_states_come_back(
    data: st.DataObject, values: st.SearchStrategy[Any]
) -> None:
    value = data.draw(values)
    assert again(value) == value


DAY = date(2024, 7, 2)
QUARTERLY = Regrading(("low", "high"), Every(months=3))


def test_facts_that_were_stored_replay_to_the_state_and_the_same_answers() -> None:
    head = grading.Head("marketing", "chen")
    process = grading.GradingProcess(
        grading.Process.REVIEWED, QUARTERLY, group=grading.WorkingGroup("group", (head,))
    )
    state, facts = Grading(), list[Any]()
    grades: list[tuple[str | int, str]] = [("u1", "high"), (7, "low")]
    commands: list[GradingOrder] = [
        Analyse("H2", grades, GradingInput(), at=DAY, by="li", key="1"),
        Submit("H2", at=DAY, by="li", key="2"),
        Approve("H2", at=DAY, by="chen", key="3"),
        grading.Activate("H2", at=DAY, by="li", key="4"),
    ]
    for command in commands:
        answer = again(process).decide(again(state), again(command)).or_raise()
        assert again(answer) == answer
        state, facts = answer.state, [*facts, *answer.facts]
    assert grading.replay(again(fact) for fact in facts) == state
    assert again(state).grade(7, on=DAY) == "low"
    repeated = process.decide(state, again(commands[0]), earlier=[again(fact) for fact in facts])
    assert repeated.or_raise().facts == (facts[0],)
    refused_now = process.decide(state, commands[1])
    assert isinstance(refused_now, Refused)
    assert again(refused_now) == refused_now
    assert again(refused_now).given[0] is BatchState.EFFECTIVE


def test_a_publication_that_was_stored_goes_on() -> None:
    terms = PublicationTerms(departments=("sales",), persons=("wang",))
    shown = terms.decide(
        GradePublication("Q3", {"K-7": "low"}), publications.Publish(at=DAY, by="li")
    ).or_raise()
    read = publications.Acknowledge("sales", at=DAY, by="wu")
    done = terms.decide(again(shown.state), again(read)).or_raise()
    assert again(done.state).unread == ("wang",)
    assert again(publications.recorded([done.state])).grade("K-7", on=DAY) == "low"


LIBRARY = TagLibrary(
    (
        TagRule("active", parse("days_since_interaction <= 30")),
        TagRule("new", parse("purchases == 1")),
    ),
    every=After(months=1),
)
VISITS = InteractionLog.of(
    [Interaction("a", date(2024, 6, 3), kind, "fair") for kind in InteractionKind]
)


def test_a_sheet_of_tags_that_was_stored_goes_on() -> None:
    sheet = tag_sheets.TagSheet("b")
    for day in (date(2024, 1, 31), date(2024, 6, 30)):
        command = Evaluate(history=LOG.history("b"), at=day, by="monthly job")
        answer = LIBRARY.decide(again(sheet), again(command)).or_raise()
        assert again(answer) == answer
        sheet = answer.state
    assert again(sheet).history("new") == sheet.history("new")
    late = tag_sheets.overdue([again(sheet)], as_of=date(2025, 1, 1))
    assert late == tuple(map(again, late)) == tag_sheets.overdue([sheet], as_of=date(2025, 1, 1))
    tagged = LIBRARY.tags(LOG.history("b"), as_of=date(2024, 1, 31))
    assert again(tagged) == tagged
    assert (again(tagged).held, again(tagged).explain("new")) == (("new",), tagged.explain("new"))


def test_scores_and_checklists_come_back() -> None:
    third = Fraction(1, 3)
    model = Scoring("value_score", tuple(Factor(x, third, x) for x in ("a", "b", "c")))
    for row in ({"a": 1, "b": 0.5, "c": 0}, {"a": 1, "b": None, "c": 0}):
        score = model.of(row)
        assert again(score) == score
        assert (again(score).value, str(again(score))) == (score.value, str(score))
    graded = Graded(
        "stars",
        FirstMatch((Case("gold", parse("purchases >= 1")),), otherwise="none"),
        criteria=(Criterion("gold", "twice", parse("purchases >= 2")),),
        mode=Strictness.RANK_ONLY,
    )
    (found,) = graded.checklist(HISTORY, as_of=DAY)
    assert again(found) == found
    assert not again(found).met


def test_what_was_done_about_sleep_comes_back() -> None:
    life = ecommerce.lifecycle
    sent = again(Handled(HandlingEvent.COUPON_SENT, date(2024, 7, 1)))
    steps = life.handlings(HISTORY, [sent], until=date(2024, 7, 31))
    assert {step.step.target for step in steps} >= {lifecycle.Handling.WIN_BACK_TRIED}
    assert tuple(map(again, steps)) == steps
    assert again(steps[0]).step.source is lifecycle.Handling.AWAKE
    reached = lifecycle.Lifecycle(contact=parse("days_since_call <= 180"))
    for history in (HISTORY, VISITS_OF_A):
        contact = reached.in_contact(history, as_of=DAY)
        assert again(contact) == contact
        assert again(contact).in_contact is contact.in_contact


VISITS_OF_A = LOG.history("a", VISITS)


def test_the_matrix_of_a_machine_comes_back() -> None:
    for machine in (
        LIFECYCLE,
        lifecycle.HANDLING,
        lifecycle.PURCHASE_CLASS,
        grading.GRADING,
        publications.PUBLICATION,
        tag_sheets.TAGGING,
    ):
        assert again(machine) == machine
        for trial in machine.matrix():
            assert again(trial) == trial


def test_reasons_and_proposals_come_back() -> None:
    learnt = [ReasonLearnt("a", "price", DAY), ReasonLearnt("b", "unaware", DAY, need="chairs")]
    found = report(learnt, [Adjustment(stated(NonPurchaseReason.PRICE, "004"), "prices")])
    back = again(found)
    assert back == found
    assert list(back.shares) == list(found.shares)
    assert back.adjustments[0].source("reason") == found.adjustments[0].source("reason")
    proposal = propose(ecommerce.segmentation, LOG, as_of=date(2024, 7, 9))
    assert again(proposal) == proposal
    assert again(proposal).policy.fingerprint() == proposal.policy.fingerprint()


# --- logs and columns -----------------------------------------------------------------------------


def test_logs_come_back() -> None:
    bought = PurchaseLog.of(
        [
            Purchase("b", datetime(2024, 6, 3, 9, 30, 0, 1, tzinfo=SHANGHAI), 2**60, core=True),
            Return("a", datetime(2024, 6, 4, tzinfo=UTC), 5),
            Purchase("a", datetime(1969, 6, 3, tzinfo=UTC), 9, profit_minor=-3),
        ]
    )
    bad = PurchaseLog.from_columns(
        customer=np.array([7, 300], np.int16), at=[DAY, None], amount_minor=[1, 2], currency="CNY"
    )
    nobody = PurchaseLog.of([])
    for log in (LOG, bought, bad, nobody):
        back = again(log)
        assert columns_of(back) == columns_of(log)
        assert list(back.histories()) == list(log.histories())
    assert (again(bad).problems, again(bad).currency) == (bad.problems, "CNY")
    assert again(bought).has_returns
    for visits in (VISITS, InteractionLog.of([])):
        assert columns_of(again(visits)) == columns_of(visits)
        assert again(visits).kinds.dtype == np.uint8
    assert again(LOG).history("a", again(VISITS)) == VISITS_OF_A
    answers = [
        ecommerce.segmentation.layers(each, visits, as_of=DAY).counts()
        for each, visits in ((LOG, VISITS), (again(LOG), again(VISITS)))
    ]
    assert answers[0] == answers[1]


ids_of_text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
amounts_of_logs = st.integers(0, 2**50)


@given(
    st.lists(st.tuples(ids_of_text, instants, amounts_of_logs))
    | st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), instants, amounts_of_logs)),
    st.booleans(),
)
def test_every_log_comes_back(rows: list[tuple[str | int, datetime, int]], by_day: bool) -> None:
    facts = [Purchase(who, at.date() if by_day else at, money) for who, at, money in rows]
    log = PurchaseLog.of(facts)
    assert columns_of(again(log)) == columns_of(log)
    assert list(again(log).histories()) == list(log.histories())


def test_kinds_of_interactions_are_stored_by_name() -> None:
    kinds = to_plain(VISITS)["kinds"]
    assert kinds == {"dtype": "text", "values": [word.value for word in INTERACTION_KINDS]}
    assert (
        from_plain(
            to_plain(VISITS) | {"kinds": {"dtype": "text", "values": ["call"] * 10}}
        ).kinds.tolist()
        == [INTERACTION_KINDS.index(InteractionKind.CALL)] * 10
    )


def test_columns_of_grades_scores_and_tags_come_back() -> None:
    many = PurchaseLog.of(Purchase(n, date(2024, 6, 1), 100 - n) for n in range(40))
    spend = user_retention.segmentation.classification("spend_grade")
    ranking = standings(spend, many, as_of=DAY)
    names = [str(grade) for grade in spend.table.outcomes if grade is not None]
    ladder = Regrading(tuple(reversed(names)), None)
    changes = ladder.changes({0: "gold", 99: "silver"}, spend.outcomes(many, as_of=DAY))
    model = Scoring("value_score", (Factor("n", 1, "purchases", cap=2),))
    tags = LIBRARY.tags_of_all(LOG, VISITS, as_of=DAY)
    moves = tags.compare(LIBRARY.tags_of_all(LOG, VISITS, as_of=date(2024, 6, 3)))
    cells = cross(
        layer=ecommerce.segmentation.layers(LOG, as_of=DAY),
        stage=ecommerce.lifecycle.stages(LOG, as_of=DAY),
    )
    for value in (ranking, changes, model.scores(LOG, as_of=DAY), tags, cells, *moves.values()):
        assert columns_of(again(value)) == columns_of(value)
    assert again(ranking).of(3) == ranking.of(3)
    assert list(again(changes)) == list(changes)
    assert again(changes).counts() == changes.counts()
    assert again(tags).members("active").tolist() == tags.members("active").tolist()
    assert again(cells).counts() == cells.counts()


@pytest.mark.parametrize(
    "dtype",
    [
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float32", "float64", "U3"),
    ],
)
def test_columns_keep_their_type(dtype: str) -> None:
    who = Attributes.from_columns(customer=["a", "b"], x=np.array([0, 1], dtype))
    back = again(who)
    assert back.columns["x"].dtype.kind == who.columns["x"].dtype.kind
    assert columns_of(back) == columns_of(who)
    if dtype != "U3":
        assert back.columns["x"].dtype == dtype


def test_what_is_not_whole_is_not_cut_off() -> None:
    standing: Standing[str] = Standing("gold", 1, 2, 12.5)  # type: ignore[arg-type]
    with refused(WrongTypeError, "to_plain", given=12.5):
        to_plain(standing)
    whole: Standing[str] = Standing("gold", 1, 2, np.int64(12))  # type: ignore[arg-type]
    assert again(whole).amount == 12


# --- what is stored -------------------------------------------------------------------------------

WITHOUT_KIND = {
    # parents: what is derived from them is stored
    "mechanisms.acts.Command",
    "mechanisms.acts.Fact",
    "mechanisms.policies.Policy",
    "programmes.ProgrammeTerms",
    "tier_terms.TierTerms",
    "point_orders.PointsOrder",
    "point_policies.PointsRules",
    "points.Opening",
    "points.PointsFact",
    # a rule is stored whole, as its text; a blank is {"blank": clause}
    "mechanisms.rules.Limit",
    "mechanisms.rules.All",
    "mechanisms.rules.AnyOf",
    "mechanisms.policies.Blank",
    # facts and commands prepared for a calculation: made again from what is stored
    "account_books.Book",
    "account_books.Chunk",
    "account_books.Terms",
    "accounts.Draft",
    "booking_rules.Booking",
    "bookings.Back",
    "lots.Lots",
    "statements.Walk",
    "aggregates.Seen",
    "identifiers.Identifiers",
    "summaries.View",
    "tier_columns.TierColumns",
    "mechanisms.machines.Codes",
    "mechanisms.machines.Refusals",
    "mechanisms.machines.Taken",
    # open time worked out, and columns of instants: asked for again from the stored calendar
    "mechanisms.clock_columns.ClockColumns",
    "mechanisms.clock_columns.ClockRows",
    "mechanisms.clock_columns.PauseColumns",
    "mechanisms.open_columns.Arrays",
    "mechanisms.open_columns.TimeColumn",
    "mechanisms.open_time.OpenTime",
    "mechanisms.open_time.Table",
    # facts in columns, where a command is a place in the table of one handbook: the cases and
    # the facts of accounts are stored, and so is what the columns are made of
    "case_logs.CaseLog",
    "point_logs.PointsLog",
    # what columns of cases and of points answer: asked for again
    "case_columns.Backlog",
    "case_columns.CaseColumns",
    "case_columns.ClockOutcomes",
    "point_columns.Balances",
    "point_columns.Book",
    "point_scans.Lots",
    "point_scans.Rows",
    "point_scans.Scan",
    "point_scans.Sums",
    "point_shapes.Question",
    # forms of measures hold functions; the name of the measure stands for them
    "measures.Family",
    "measures.Figure",
    # the result for reports: its parts are stored one by one
    "handbook.Assessment",
    # what a result shows: made again from the result
    "mechanisms.tables.Column",
    "mechanisms.tables.Line",
    "mechanisms.tables.Table",
}
EDGES = {"charts", "converters", "frames", "plots", "reports", "testing"}


def public_classes() -> dict[str, type]:
    """Every public class of attrs and every enumeration of the rooms, by address."""
    found = {}
    for module in pkgutil.walk_packages(retention.__path__, "retention."):
        if module.name.split(".")[1] in EDGES:
            continue
        for name, each in vars(import_module(module.name)).items():
            ours = isinstance(each, type) and each.__module__ == module.name
            if ours and not name.startswith("_") and (attrs.has(each) or type(each) is EnumMeta):
                found[f"{module.name.removeprefix('retention.')}.{name}"] = each
    return found


@pytest.mark.rule("X-07")
def test_every_public_value_has_a_kind() -> None:
    found = public_classes()
    values = {home for home, each in found.items() if attrs.has(each)}
    assert len(values) > 100
    assert values - set(KINDS.values()) == WITHOUT_KIND
    words = set(found) - values
    assert words - set(WORDS.values()) == {"mechanisms.words.Word"}


@pytest.mark.rule("X-07")
def test_no_address_is_stored_under_two_names() -> None:
    for names in (KINDS, WORDS):
        assert len(set(names.values())) == len(names)


def stored() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(STORED.read_text(encoding="utf-8"))
    return found


def contained(old: Anything, new: Anything) -> bool:
    """Whether everything that was written is still written; later releases may write more."""
    if isinstance(old, dict):
        return all(key in new and contained(each, new[key]) for key, each in old.items())
    if isinstance(old, list):
        return len(old) == len(new) and all(map(contained, old, new))
    return bool(old == new) and type(old) is type(new)


@pytest.mark.rule("X-07")
@pytest.mark.parametrize("data", stored(), ids=lambda data: data["kind"])
def test_old_facts_still_load(data: dict[str, Any]) -> None:
    before = copy.deepcopy(data)
    value = from_plain(data)
    assert data == before
    assert contained(data, to_plain(value))
    assert isinstance(value, home_of(KINDS[data["kind"]]))


@pytest.mark.rule("X-07")
@pytest.mark.parametrize("data", stored(), ids=lambda data: data["kind"])
def test_every_kind_comes_back(data: dict[str, Any]) -> None:
    value = from_plain(data)
    assert columns_of(again(value)) == columns_of(value)


def test_the_kept_file_has_one_of_each_kind() -> None:
    assert sorted(data["kind"] for data in stored()) == sorted(KINDS)


def test_old_facts_mean_what_they_meant() -> None:
    found = {data["kind"]: from_plain(data) for data in stored()}
    at = datetime(2024, 6, 30, 10, tzinfo=UTC)
    assert found["purchase"] == Purchase("C-17", at, 1250, "O-1", "CNY")
    assert found["return"] == Return(17, date(2024, 7, 1), 300, "O-1", "CNY")
    assert found["interaction"].kind is InteractionKind.LOGIN
    assert found["history"].returns[0].amount_minor == 2**53 + 1
    assert found["accepted"].state is Stage.ACTIVE
    assert [limit.note for limit in found["rule"].limits()] == ["", "spend_share <= 0.2", ""]
    assert found["bands"].at_most == (30, 90.5, math.inf)
    assert found["layer_case"].source("goal").origin is Origin.GIVEN
    assert found["decision"].outcome == "large"
    assert str(found["dues"].on) == "['2024-02-01'        'NaT']"
    assert found["grading_analysed"].grades[0][1] is SpendGrade.GOLD
    assert found["grading_batch"].rounds[0].verdict == found["grading_rejected"]
    assert found["publication_published"].audience == ("sales", "wang")
    assert found["tag_sheet"].tags(on=date(2024, 8, 1)) == ("active",)
    assert found["score"].value == Fraction(75)
    assert found["handling_step"].step.target is lifecycle.Handling.LOST
    purchase_log = found["purchase_log"].history("b")
    assert [fact.amount_minor for fact in purchase_log.purchases] == [1250]
    assert [fact.amount_minor for fact in purchase_log.returns] == [300]
    visits = found["interaction_log"]
    assert [INTERACTION_KINDS[kind].value for kind in visits.kinds] == ["login", "other"]
    assert str(found["machine"].steps[0]) == (
        "registered -interact-> potential [channel, person] (browse)"
    )


def test_every_name_has_a_home() -> None:
    for home in (*KINDS.values(), *WORDS.values()):
        found = home_of(home)
        assert f"{found.__module__}.{found.__qualname__}" == f"retention.{home}"
    assert all(issubclass(home_of(home), Word) for home in WORDS.values())


def test_the_text_is_the_same_in_every_process() -> None:
    program = (
        "import json; from retention.converters import to_plain; "
        "from retention.presets import ecommerce; print(json.dumps(to_plain(ecommerce)))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(found) == 1
    assert from_plain(json.loads(found.pop())) == ecommerce


def test_keys_have_a_fixed_order() -> None:
    assert list(to_plain(Purchase(1, date(2024, 1, 1), 0)))[:7] == [
        *("kind", "version", "customer", "at", "amount_minor", "order", "currency")
    ]
    rule = parse("days <= 3")
    one = Case(outcome=stated(1, "a"), when=stated(rule, "b"))
    turned = to_plain(one) | {"sources": dict(reversed(to_plain(one)["sources"].items()))}
    assert json.dumps(to_plain(from_plain(turned))) == json.dumps(to_plain(one))


# --- what cannot be read --------------------------------------------------------------------------

PURCHASE = {
    "kind": "purchase",
    "version": 1,
    "customer": "C-17",
    "at": "2024-06-30",
    "amount_minor": 1250,
}
HISTORY_OF_ONE = {"kind": "history", "version": 1, "customer": "C-17", "purchases": [PURCHASE]}
TABLE = {
    "kind": "first_match",
    "version": 1,
    "cases": [{"kind": "case", "version": 1, "outcome": "a", "when": "days <= 30"}],
    "otherwise": "b",
}
COLUMNS = next(data for data in stored() if data["kind"] == "outcomes")
REDUCTION = {"kind": "reduction", "version": 1, "window_days": 90, "ratio_below": 1.0}
BOUGHT = next(data for data in stored() if data["kind"] == "purchase_log")
VISITED = next(data for data in stored() if data["kind"] == "interaction_log")
SUMMARY = next(data for data in stored() if data["kind"] == "summary")


def changed(data: dict[str, Any], path: str, value: Anything) -> dict[str, Any]:
    """A copy with something else at a path; ``...`` takes the key away."""
    found = copy.deepcopy(data)
    inside: Any = found
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in way:
        inside = inside[step]
    if value is ...:
        del inside[last]
    else:
        inside[last] = value
    return found


# --- accounts and members: stored as their facts --------------------------------------------------


def carried_out(data: st.DataObject) -> tuple[PointsPolicy, Account]:
    """An account of points as commands of all kinds left it."""
    rules = data.draw(points_policies())
    account = rules.start("M-1")
    for command in data.draw(points_commands(rules)):
        answer = rules.decide(account, command)
        account = answer.state if isinstance(answer, Accepted) else account
    return rules, account


@pytest.mark.rule("X-07", "E-14")
@given(st.data())
def test_an_account_comes_back_from_its_facts(data: st.DataObject) -> None:
    rules, account = carried_out(data)
    back = again(account)
    assert back == account
    assert back.terms.fingerprint == rules.fingerprint()
    day = data.draw(st.dates(date(2023, 12, 1), date(2025, 12, 31)))
    assert back.balance(day) == account.balance(day)
    more = data.draw(points_commands(rules, most=2))
    for command in more:
        assert rules.decide(back, command) == rules.decide(account, command)
    assert again(Household([account])) == Household([account])


@pytest.mark.rule("X-07", "E-01")
@given(programmes(), loyalty_orders())
def test_a_member_comes_back_and_goes_on(ours: Programme, orders: list[Any]) -> None:
    who = Member("M-1", ours.points.start("M-1"), date(2020, 1, 1), birthday=date(1992, 2, 29))
    for order in orders:
        assert again(who) == who
        assert again(order) == order
        answer = ours.decide(again(who), order)
        assert answer == ours.decide(who, order)
        who = answer.state if isinstance(answer, Accepted) else who
    assert again(who) == who


def test_a_long_account_comes_back_whole() -> None:
    rules = PointsPolicy()
    account = rules.start("M-1")
    for number in range(2 * CHUNK + 3):
        earn = PointsEarn(1, f"O-{number}", at=DAY, by="checkout")
        account = rules.decide(account, earn).or_raise().state
    assert again(account) == account
    assert len(to_plain(account)["facts"]) == 2 * CHUNK + 3


ACCOUNT = next(data for data in stored() if data["kind"] == "points_account")


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("facts.0.sequence", 7, "points_account (sequence)"),
        ("facts.0", PURCHASE, "points_account.facts.0.kind"),
        ("facts", {}, "points_account.facts"),
        ("zone", "Asia/Nowhere", "points_account.zone (zone)"),
        ("reminder_days", "30", "points_account.reminder_days"),
        ("id", 7, "points_account.id"),
        ("fingerprint", ..., "points_account.fingerprint"),
    ],
)
def test_an_account_that_does_not_add_up_is_refused(path: str, value: object, where: str) -> None:
    with pytest.raises(RetentionError) as raised:
        from_plain(changed(ACCOUNT, path, value))
    assert raised.value.where == where


@given(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["int64", "float64", "U2"]))
def test_tables_of_numbers_keep_their_shape(rows: int, columns: int, dtype: str) -> None:
    table = np.arange(rows * columns).reshape(rows, columns).astype(dtype)
    plain = column_plain(table)
    assert plain["shape"] == [rows, columns]
    back = column_of(json.loads(json.dumps(plain)), "counts")
    assert (back.shape, back.tolist()) == (table.shape, table.tolist())
    for wrong in ([rows, columns + 1], [rows * columns], [-1, -rows * columns], "2", [1, "2"]):
        if wrong != [rows, columns + 1] or rows:
            with pytest.raises(RetentionError):
                column_of(plain | {"shape": wrong}, "counts")


BAD: list[tuple[Any, type[RetentionError], str, object]] = [
    # what is no record at all
    (object(), WrongTypeError, "data", "object"),
    ({}, InvalidValueError, "kind", "nothing"),
    (changed(PURCHASE, "kind", "purchas"), UnknownNameError, "kind", "purchas"),
    (changed(PURCHASE, "kind", ["purchase"]), UnknownNameError, "kind", "a list"),
    (changed(PURCHASE, "version", ...), InvalidValueError, "purchase.version", "nothing"),
    (changed(PURCHASE, "version", 2), InvalidValueError, "purchase.version", 2),
    (changed(PURCHASE, "version", True), InvalidValueError, "purchase.version", True),
    (changed(PURCHASE, "version", "1"), InvalidValueError, "purchase.version", "1"),
    # keys
    (changed(PURCHASE, "amuont_minor", 1), UnknownNameError, "purchase", "amuont_minor"),
    (changed(PURCHASE, "sources", {}), UnknownNameError, "purchase", "sources"),
    (changed(PURCHASE, "at", ...), InvalidValueError, "purchase.at", "nothing"),
    # values of the wrong type, and values that the class refuses
    (changed(PURCHASE, "amount_minor", "12"), WrongTypeError, "purchase.amount_minor", "12"),
    (changed(PURCHASE, "amount_minor", 12.5), WrongTypeError, "purchase.amount_minor", 12.5),
    (changed(PURCHASE, "amount_minor", True), WrongTypeError, "purchase.amount_minor", True),
    (changed(PURCHASE, "amount_minor", -1), InvalidValueError, "purchase.amount_minor", -1),
    (changed(PURCHASE, "customer", 1.5), WrongTypeError, "purchase.customer", 1.5),
    (changed(PURCHASE, "customer", ""), InvalidValueError, "purchase.customer", ""),
    (changed(PURCHASE, "order", 7), WrongTypeError, "purchase.order", 7),
    (changed(PURCHASE, "order", {"number": "inf"}), WrongTypeError, "purchase.order", math.inf),
    # times
    (changed(PURCHASE, "at", 20240630), WrongTypeError, "purchase.at", 20240630),
    (changed(PURCHASE, "at", "June"), UnreadableTextError, "purchase.at", "June"),
    (changed(PURCHASE, "at", "2023-02-29"), UnreadableTextError, "purchase.at", "2023-02-29"),
    (
        changed(PURCHASE, "at", "2024-06-30T18:00:00"),
        NaiveInstantError,
        "purchase.at",
        datetime(2024, 6, 30, 18),
    ),
    (
        changed(PURCHASE, "at", "2024-06-30T18:00:00[Asia/Shanghai]"),
        NaiveInstantError,
        "purchase.at",
        datetime(2024, 6, 30, 18),
    ),
    (
        changed(PURCHASE, "at", "2024-06-30[Asia/Shanghai]"),
        UnreadableTextError,
        "purchase.at",
        "2024-06-30[Asia/Shanghai]",
    ),
    (
        changed(PURCHASE, "at", "2024-06-30T18:00:00+08:00[Asia/Nowhere]"),
        UnknownNameError,
        "purchase.at (zone)",
        "Asia/Nowhere",
    ),
    # inside of other records
    (changed(HISTORY_OF_ONE, "purchases", {}), WrongTypeError, "history.purchases", "an object"),
    (
        changed(HISTORY_OF_ONE, "purchases.0.at", "x"),
        UnreadableTextError,
        "history.purchases.0.at",
        "x",
    ),
    (
        changed(HISTORY_OF_ONE, "purchases.0.kind", "return"),
        WrongTypeError,
        "history.purchases.0.kind",
        "return",
    ),
    (
        changed(HISTORY_OF_ONE, "purchases.0", "C-17"),
        WrongTypeError,
        "history.purchases.0",
        "C-17",
    ),
    (
        changed(HISTORY_OF_ONE, "purchases.0.customer", "C-18"),
        InvalidValueError,
        "history (History)",
        "C-18",
    ),
    (
        HISTORY_OF_ONE | {"purchases": [PURCHASE, PURCHASE | {"currency": "EUR"}]},
        MixedCurrenciesError,
        "history (History)",
        ["", "EUR"],
    ),
    (
        HISTORY_OF_ONE | {"purchases": [PURCHASE | {"order": "1"}] * 2},
        DuplicateError,
        "history (History.purchases, order)",
        "1",
    ),
    (
        HISTORY_OF_ONE | {"attributes": [["region", "north", "far"]]},
        InvalidValueError,
        "history.attributes.0",
        "a list of 3",
    ),
    # rules and tables
    (
        changed(TABLE, "cases.0.when", "days <="),
        UnreadableTextError,
        "first_match.cases.0.when (rule)",
        "days <=",
    ),
    (changed(TABLE, "cases.0.when", 30), WrongTypeError, "first_match.cases.0.when", 30),
    (
        changed(TABLE, "cases.0.when", PURCHASE),
        WrongTypeError,
        "first_match.cases.0.when.kind",
        "purchase",
    ),
    (
        changed(TABLE, "cases.0.when", {"kind": "rule", "version": 1}),
        InvalidValueError,
        "first_match.cases.0.when.text",
        "nothing",
    ),
    (
        {"kind": "rule", "version": 1, "text": "days <= 3", "notes": ["", ""]},
        InvalidValueError,
        "rule.notes",
        "a list of 2",
    ),
    (
        {"kind": "rule", "version": 1, "text": "days <= 3", "notes": [7]},
        WrongTypeError,
        "rule.notes.0",
        7,
    ),
    (changed(TABLE, "otherwise", ...), GapError, "first_match (FirstMatch)", {"days": 31}),
    (changed(TABLE, "otherwise", "a"), DuplicateError, "first_match (FirstMatch.cases)", ["a"]),
    (changed(TABLE, "cases", []), InvalidValueError, "first_match (FirstMatch.cases)", ()),
    (
        changed(TABLE, "otherwise", {"layer": "newest"}),
        UnknownNameError,
        "first_match.otherwise",
        "newest",
    ),
    (
        changed(TABLE, "otherwise", {"leyer": "new"}),
        UnknownNameError,
        "first_match.otherwise",
        "leyer",
    ),
    (
        changed(TABLE, "otherwise", {"number": "huge"}),
        UnknownNameError,
        "first_match.otherwise",
        "huge",
    ),
    (
        {"kind": "bands", "version": 1, "measure": "days", "at_most": [30, 20], "open_end": True},
        NotRisingError,
        "bands (days)",
        (30, 20),
    ),
    (
        {"kind": "bands", "version": 1, "measure": "days", "at_most": ["30"], "open_end": True},
        WrongTypeError,
        "bands.at_most.0",
        "30",
    ),
    (
        {"kind": "bands", "version": 1, "measure": "days", "at_most": [30], "open_end": 1},
        WrongTypeError,
        "bands.open_end",
        1,
    ),
    # policies and their sources
    (
        changed(REDUCTION, "window_days", 0),
        InvalidValueError,
        "reduction (Reduction.window_days)",
        0,
    ),
    (
        changed(REDUCTION, "window_days", {"blank": 3}),
        WrongTypeError,
        "reduction.window_days",
        3,
    ),
    (changed(REDUCTION, "sources", []), WrongTypeError, "reduction.sources", "a list"),
    (
        changed(REDUCTION, "sources", {"window": {}}),
        UnknownNameError,
        "reduction.sources",
        "window",
    ),
    (
        changed(REDUCTION, "sources", {"window_days": {"origin": "stated"}}),
        InvalidValueError,
        "reduction.sources.window_days.clause",
        "nothing",
    ),
    (
        changed(REDUCTION, "sources", {"window_days": {"origin": "sure", "clause": ""}}),
        UnknownNameError,
        "reduction.sources.window_days.origin",
        "sure",
    ),
    # other shapes
    (
        {"kind": "estimate", "version": 1, "numerator": {"fraction": "1/0"}, "denominator": 1},
        UnreadableTextError,
        "estimate.numerator",
        "1/0",
    ),
    (
        {"kind": "estimate", "version": 1, "numerator": {"fraction": 3}, "denominator": 1},
        WrongTypeError,
        "estimate.numerator",
        3,
    ),
    (
        {"kind": "estimate", "version": 1, "numerator": 0.5, "denominator": 1},
        WrongTypeError,
        "estimate.numerator",
        0.5,
    ),
    (
        {"kind": "trailing", "version": 1, "count": 3, "unit": "w"},
        UnknownNameError,
        "trailing.unit",
        "w",
    ),
    (
        {"kind": "extreme", "version": 1, "of": 9, "last": True},
        WrongTypeError,
        "extreme.of",
        9,
    ),
    (
        {
            "kind": "machine",
            "version": 1,
            "id": "m",
            "states": "staje",
            "commands": "stage",
            "table": "",
        },
        UnknownNameError,
        "machine.states",
        "staje",
    ),
    (
        {"kind": "refused", "version": 1, "code": "no_time", "given": ["a"]},
        InvalidValueError,
        "refused.given",
        "a list of 1",
    ),
    (
        {
            "kind": "as_of",
            "version": 1,
            "day": "2024-06-30T00:00:00+00:00",
            "instant": None,
            "zone": "UTC",
        },
        WrongTypeError,
        "as_of.day",
        "2024-06-30T00:00:00+00:00",
    ),
    (
        {
            "kind": "as_of",
            "version": 1,
            "day": "2024-06-30",
            "instant": "2024-06-30",
            "zone": "UTC",
        },
        WrongTypeError,
        "as_of.instant",
        "2024-06-30",
    ),
    (
        {"kind": "as_of", "version": 1, "day": "2024-06-30", "instant": None, "zone": "Mars"},
        UnknownNameError,
        "as_of.zone (zone)",
        "Mars",
    ),
    # columns
    (changed(COLUMNS, "codes.dtype", "object"), UnknownNameError, "outcomes.codes.dtype", "object"),
    (
        changed(COLUMNS, "codes.values", [0, 300]),
        InvalidValueError,
        "outcomes.codes.values",
        "a number",
    ),
    (changed(COLUMNS, "codes.values.1", 0.5), WrongTypeError, "outcomes.codes.values.1", 0.5),
    (changed(COLUMNS, "codes.values", 3), WrongTypeError, "outcomes.codes.values", 3),
    (
        changed(COLUMNS, "codes.values", [0]),
        UnequalColumnsError,
        "outcomes",
        {"customers": 2, "codes": 1, "days": 2},
    ),
    # logs: codes are places among the customers, rows stand beside each other
    (changed(BOUGHT, "codes.values.0", 2), InvalidValueError, "purchase_log.codes", 2),
    (changed(BOUGHT, "codes.values.0", -1), InvalidValueError, "purchase_log.codes", -1),
    (changed(BOUGHT, "codes.dtype", "float64"), WrongTypeError, "purchase_log.codes", "float64"),
    (
        changed(BOUGHT, "times.numbers.values", [19905]),
        UnequalColumnsError,
        "purchase_log",
        {"codes": 3, "times": 1, "amounts_minor": 3, "core": 3, "profits_minor": 3},
    ),
    (
        changed(VISITED, "kinds.values.1", "fax"),
        UnknownNameError,
        "interaction_log.kinds.values.1",
        "fax",
    ),
    (
        changed(VISITED, "topics.values", []),
        UnequalColumnsError,
        "interaction_log",
        {"codes": 2, "times": 2, "kinds": 2, "topics": 0},
    ),
    (changed(COLUMNS, "columns", []), WrongTypeError, "outcomes.columns", "a list"),
    (changed(SUMMARY, "aggregates", {}), WrongTypeError, "summary.aggregates", "an object"),
    (
        changed(SUMMARY, "aggregates.0", [1]),
        InvalidValueError,
        "summary.aggregates.0",
        "a list of 1",
    ),
]


@pytest.mark.parametrize(("data", "error", "where", "given"), BAD, ids=range(len(BAD)))
def test_what_cannot_be_read_says_where(
    data: Anything, error: type[RetentionError], where: str, given: object
) -> None:
    with pytest.raises(RetentionError) as caught:
        from_plain(data)
    found = caught.value
    assert type(found) is error
    assert found.where == where
    assert found.given == given
    assert type(given) is not bool or found.given is given
    check(found)


def test_values_that_do_not_fit_together_are_an_error_of_the_library() -> None:
    cases = [
        {"kind": "case", "version": 1, "outcome": 1, "when": f"days <= {10**400}"},
        {"kind": "case", "version": 1, "outcome": 2, "when": f"days > {10**400 + 2}"},
    ]
    data = {"kind": "first_match", "version": 1, "cases": cases}
    with pytest.raises(RetentionError) as caught:
        from_plain(data)
    assert caught.value.where.startswith("first_match")


def test_a_misspelt_key_is_pointed_out() -> None:
    with pytest.raises(UnknownNameError, match="perhaps 'amount_minor'"):
        from_plain(changed(PURCHASE, "amuont_minor", 1))
    with pytest.raises(UnknownNameError, match="perhaps 'purchase'"):
        from_plain(changed(PURCHASE, "kind", "purchas"))


def test_an_error_has_its_cause() -> None:
    with pytest.raises(UnreadableTextError) as caught:
        from_plain(changed(PURCHASE, "at", "June"))
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(InvalidValueError) as refused:
        from_plain(changed(PURCHASE, "amount_minor", -1))
    assert isinstance(refused.value.__cause__, InvalidValueError)
    assert refused.value.__cause__.where == "amount_minor"


@given(
    st.recursive(
        scalars | st.sampled_from([*KINDS, *WORDS]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["kind", "version", "blank", "layer", "text"]) | texts, inner
            )
        ),
        max_leaves=6,
    )
)
def test_whatever_comes_gives_a_value_or_an_error_of_the_library(data: Anything) -> None:
    with suppress(RetentionError):
        from_plain(data)


@given(st.data())
def test_a_spoilt_record_gives_a_value_or_an_error_of_the_library(data: st.DataObject) -> None:
    record = data.draw(st.sampled_from(stored()))
    paths = list(paths_of(record))
    path = data.draw(st.sampled_from(paths))
    value = data.draw(scalars | st.just(...) | st.lists(scalars, max_size=2))
    with suppress(RetentionError):
        from_plain(changed(record, path, value))


def paths_of(data: Anything, path: str = "") -> list[str]:
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    found = []
    for key, each in pairs:
        found.append(f"{path}{key}")
        if isinstance(each, dict | list):
            found += paths_of(each, f"{path}{key}.")
    return found


def test_what_is_not_stored_is_refused() -> None:
    @policy
    class Other(Policy):
        days: int

    for value in (object(), Other(3), {"a": 1}, {1, 2}, b"text"):
        with pytest.raises(WrongTypeError) as caught:
            to_plain(value)
        assert caught.value.given == type(value).__name__
    with pytest.raises(WrongTypeError):
        to_plain(Population("spend_minor", np.array([object()])))


def test_lists_and_single_values_too() -> None:
    facts = (Purchase(1, date(2024, 1, 1), 5), Return(1, date(2024, 1, 2), 5))
    assert from_plain(to_plain(list(facts))) == facts
    assert from_plain(HISTORY_OF_ONE | {"purchases": (PURCHASE,)}) == from_plain(HISTORY_OF_ONE)
    assert from_plain(to_plain(date(2024, 1, 1))) == date(2024, 1, 1)
    assert from_plain(to_plain(Layer.NEW)) is Layer.NEW
    assert to_plain(np.int64(3)) == to_plain(np.float64(3.0)) == 3
    assert type(to_plain(np.str_("a"))) is str
    assert math.isnan(from_plain(to_plain(math.nan)))
    assert from_plain(to_plain(Fraction(1, 3))) == Fraction(1, 3)
    with pytest.raises(WrongTypeError) as caught:
        from_plain([PURCHASE, {"time": 3}])
    assert caught.value.where == "1"


# --- enumerations of one's own --------------------------------------------------------------------


class DoorState(Word):
    OPEN = "open", "开"
    SHUT = "shut", "关"


class Act(Word):
    CLOSE = "close", "关门"


def test_enumerations_of_a_company_are_named() -> None:
    door = Machine("door", DoorState, Act, "open -close-> shut [hand]")
    assert again(door, words=(DoorState, Act)) == door
    assert to_plain(door, words=(DoorState, Act))["states"] == "door_state"
    no = Refused(Code.NOT_POSSIBLE, (DoorState.OPEN, Act.CLOSE))
    assert again(no, words=(DoorState, Act)).given[0] is DoorState.OPEN
    assert to_plain(no)["given"] == ["open", "close"]  # nobody says what they are: texts
    with pytest.raises(UnknownNameError) as caught:
        to_plain(door)
    assert (caught.value.where, caught.value.given) == ("words", "DoorState")
    with pytest.raises(UnknownNameError):
        from_plain(to_plain(DoorState.OPEN, words=[DoorState]))


def test_a_name_of_an_enumeration_is_taken_once() -> None:
    layer = type("Layer", (), {})
    with pytest.raises(DuplicateError, match="layer"):
        to_plain(1, words=[Layer])
    with pytest.raises(DuplicateError):
        to_plain(1, words=[DoorState, DoorState])
    with pytest.raises(WrongTypeError):
        to_plain(layer())


# --- converters of cattrs -------------------------------------------------------------------------


@attrs.frozen
class Stored:
    number: int
    facts: list[Purchase | Return]
    when: Rule
    at: When
    last: Purchase | None = None


def test_a_converter_of_ones_own_learns_the_library() -> None:
    converter = Converter()
    configure_converter(converter)
    value = Stored(
        1, [Purchase(1, date(2024, 1, 1), 5), Return(1, date(2024, 1, 2), 5)], parse("days <= 3"),
        datetime(2024, 1, 1, tzinfo=SHANGHAI),
    )  # fmt: skip
    plain = json.loads(json.dumps(converter.unstructure(value)))
    assert plain["when"] == "days <= 3"
    assert plain["at"] == "2024-01-01T00:00:00+08:00[Asia/Shanghai]"
    assert converter.structure(plain, Stored) == value
    assert converter.structure("12", int) == 12  # nothing else has changed
    with pytest.raises(ClassValidationError) as caught:
        converter.structure(plain | {"when": "days <="}, Stored)
    assert isinstance(caught.value.exceptions[0], UnreadableTextError)


def test_converters_are_separate() -> None:
    one, other = make_converter(words=[DoorState]), make_converter()
    assert one is not other
    fact: Accepted[DoorState, object] = Accepted(DoorState.OPEN)
    assert one.loads(one.dumps(fact), Accepted).state is DoorState.OPEN
    with pytest.raises(UnknownNameError):
        other.dumps(fact)
    with pytest.raises(WrongTypeError) as caught:
        other.loads(other.dumps(Return(1, date(2024, 1, 1), 5)), Purchase)
    assert caught.value.where == "return.kind"


def test_without_cattrs_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cattrs", None)
    monkeypatch.delitem(sys.modules, "retention.converters")
    with refused(
        MissingExtraError, "retention.converters", given="cattrs", allowed="converters"
    ) as caught:
        import_module("retention.converters")
    assert isinstance(caught.value.__cause__, ImportError)


def test_reading_facts_does_not_load_numpy() -> None:
    program = (
        "import sys; from retention.converters import from_plain; "
        "from_plain({'kind': 'purchase', 'version': 1, 'customer': 1, 'at': '2024-01-01', "
        "'amount_minor': 1}); print('numpy' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
