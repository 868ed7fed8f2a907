"""Summaries, decisions and pins inside the engine answer as the numpy functions do."""

# ruff: noqa: ANN401  frames of any kind go in and out

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention import InteractionLog, PurchaseLog, frames, measures
from retention.activity import History, Interaction, Purchase, Return
from retention.classifications import Classification
from retention.frames._native import opened
from retention.frames._quantities import column_of
from retention.frames._rules import expression
from retention.grades import Graded
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.errors import (
    GapError,
    InvalidValueError,
    NaiveInstantError,
    UnknownNameError,
    UnpinnedPolicyError,
    WrongTypeError,
)
from retention.mechanisms.obligations import After
from retention.mechanisms.periods import AsOf, zone_of
from retention.mechanisms.ranks import Ranking, Rounding, Ties
from retention.mechanisms.rules import Limit, Rule, parse
from retention.presets import ecommerce, membership, user_retention
from retention.segmentation import Segmentation
from retention.summaries import Attributes, Summary
from retention.tags import TagLibrary, TagRule, tagged
from retention.testing import strategies
from retention.testing.strategies.rules import MEASURES
from tests.engines import ENGINES, LAZY, Engine, column, each, kind, rows
from tests.oracles import windows
from tests.refusals import refused

ZONE = "Asia/Shanghai"
DAY = date(2024, 6, 30)
MERGED = tuple(x for x in MEASURES if "run_" not in x)
MONEY: dict[str, Any] = {"core": "core", "profit_minor": "profit", "returns": "net"}
PEOPLE = ("polars", "pyarrow", "duckdb")


# --- the same facts as logs and as tables --------------------------------------------------------


def bought(base: Any) -> pa.Table:
    facts: list[Any] = [x for h in base for x in (*h.purchases, *h.returns)]
    return pa.table(
        {
            "customer": ids(base, facts),
            "at": times([x.at for x in facts]),
            "amount_minor": pa.array(
                [-x.amount_minor if isinstance(x, Return) else x.amount_minor for x in facts],
                pa.int64(),
            ),
            "core": pa.array([getattr(x, "core", False) for x in facts], pa.bool_()),
            "profit": pa.array([getattr(x, "profit_minor", None) for x in facts], pa.int64()),
        }
    )


def done(base: Any) -> pa.Table:
    facts = [x for h in base for x in h.interactions]
    return pa.table(
        {
            "customer": ids(base, facts),
            "at": times([x.at for x in facts]),
            "kind": pa.array([x.kind.value for x in facts], pa.string()),
            "topic": pa.array([x.topic for x in facts], pa.string()),
        }
    )


def listed(base: Any) -> pa.Table:
    return pa.table({"customer": ids(base, base)})


def ids(base: Any, facts: Any) -> pa.Array:
    text = any(isinstance(h.customer, str) for h in base)
    return pa.array([x.customer for x in facts], pa.string() if text else pa.int64())


def times(found: list[Any]) -> pa.Array:
    if ALL_DAYS[0]:
        return pa.array(found, pa.date32())
    return pa.array(found, pa.timestamp("us", "UTC"))


ALL_DAYS = [False]  # of the example that is being looked at


def logs(base: Any) -> tuple[PurchaseLog, InteractionLog]:
    facts: list[Any] = [x for h in base for x in (*h.purchases, *h.returns)]
    return PurchaseLog.of(facts), InteractionLog.of([x for h in base for x in h.interactions])


def measured(engine: Engine, base: Any, names: Any, as_of: Any, zone: str = ZONE) -> Any:
    return frames.summary(
        engine(bought(base)), names, as_of=as_of, interactions=engine(done(base)), topic="topic",
        customers=engine(listed(base)), zone=zone, **MONEY,
    )  # fmt: skip


@st.composite
def situations(draw: st.DrawFn, zone: str = ZONE) -> Any:
    grain: Any = draw(st.sampled_from(["days", "instants"]))
    base, as_of = draw(strategies.situations(min_customers=1, grain=grain, zone=zone))
    return grain == "days", base, as_of


@each({name: ENGINES[name] for name in PEOPLE}, deep="duckdb")
@given(data=st.data())
def test_any_rule_over_any_measure_answers_as_in_numpy(engine: Engine, data: Any) -> None:
    zone = data.draw(strategies.zones())
    ALL_DAYS[0], base, as_of = data.draw(situations(zone))
    rules = data.draw(st.lists(strategies.rules(measures=MERGED), min_size=1, max_size=4))
    names = tuple(dict.fromkeys(name for rule in rules for name in rule.measures()))
    found = measured(engine, base, names, as_of, zone)
    purchases, interactions = logs(base)
    point = AsOf.at(as_of, zone_of(zone))
    oracle = Summary.of(
        names, purchases, interactions, as_of=point, customers=[h.customer for h in base]
    )
    for rule in rules:
        for asked in (rule, ~rule):
            held = column(frames.mask(asked, found, as_of=as_of, zone=zone), "holds")
            mask = asked.mask(oracle.columns()).tolist()
            assert held == dict(zip(oracle.customers.tolist(), mask, strict=True)), str(asked)
    for history in base:
        row = measures.measured(history, names, point)
        held = column(frames.mask(rules[0], found, as_of=as_of, zone=zone), "holds")
        assert held[history.customer] == rules[0].holds(row)


@pytest.mark.rule("RC-09", "C-21", "C-20", "D-01", "D-02")
@each({name: ENGINES[name] for name in PEOPLE}, deep="duckdb")
@given(situation=situations())
def test_the_shop_answers_as_in_numpy(engine: Engine, situation: Any) -> None:
    ALL_DAYS[0], base, as_of = situation
    purchases, interactions = logs(base)
    shop, frame = ecommerce.segmentation, engine(bought(base))
    published = frames.pin(frame, shop, as_of=as_of, **MONEY)
    assert published == shop.pin(purchases, as_of=as_of)
    summary = frames.summary(frame, published, as_of=as_of, **MONEY)
    wanted = shop.layers(purchases, as_of=as_of)
    assert column(frames.layers(published, summary, as_of=as_of), "layer") == named(wanted)
    cells = shop.rfm_cells(purchases, as_of=as_of).to_columns()
    found = rows(frames.rfm_cells(published, summary, as_of=as_of), *cells)
    assert found == sorted(zip(*(x.tolist() for x in cells.values()), strict=True), key=repr)
    people = [h.customer for h in base]
    stages = ecommerce.lifecycle.stages(purchases, interactions, as_of=as_of, customers=people)
    life = measured(engine, base, ecommerce.lifecycle.stage_table.measures, as_of)
    assert column(frames.stages(ecommerce.lifecycle, life, as_of=as_of), "stage") == named(stages)


def named(outcomes: Any) -> dict[Any, str]:
    texts = [str(outcomes.table.outcomes[code]) for code in outcomes.codes]
    return dict(zip(outcomes.customers.tolist(), texts, strict=True))


def crowd() -> list[History]:
    """Forty customers with purchases, returns and interactions at all hours of two years."""
    chance = np.random.default_rng(11)
    begin = datetime(2022, 8, 1, tzinfo=UTC)

    def when() -> datetime:
        recent = 400 if chance.random() < 0.4 else 0
        day, minute = chance.integers(recent, 710), chance.integers(0, 1440)
        return begin + timedelta(days=int(day), minutes=int(minute))

    found = []
    for n in range(40):
        buys = [
            Purchase(n, when(), int(chance.integers(0, 9)) * 100, core=bool(chance.random() < 0.5),
                     profit_minor=int(chance.integers(-50, 90)))
            for _ in range(int(chance.integers(0, 9)))
        ]  # fmt: skip
        kinds = ("login", "login", "call", "browse")
        topics = ("", "promotion")
        others = [
            Interaction(n, when(), kinds[chance.integers(0, 4)], topics[chance.integers(0, 2)])
            for _ in range(int(chance.integers(0, 12)))
        ]
        weeks = (begin + timedelta(days=690 - 7 * k) for k in range(n % 6))
        others += [Interaction(n, at, "login") for at in weeks]
        back = [Return(n, when(), 150)] if n % 4 == 0 else []
        found.append(History(n, buys, others, back))
    return found


@pytest.mark.rule("RC-06", "RC-08", "D-03")
@each()
@pytest.mark.parametrize(
    "as_of", [DAY, datetime(2024, 6, 30, 3, 30, tzinfo=UTC)], ids=["day", "instant"]
)
def test_every_measure_on_every_engine(engine: Engine, as_of: Any) -> None:
    ALL_DAYS[0] = False
    base = crowd()
    purchases, interactions = logs(base)
    point = AsOf.at(as_of, zone_of(ZONE))
    oracle = Summary.of(MERGED, purchases, interactions, as_of=point, customers=list(range(40)))
    frame = opened(measured(engine, base, MERGED, as_of))
    wanted: dict[str, list[bool]] = {}
    asked: dict[str, Any] = {}
    for name in MERGED:
        middle = round(float(np.nanmedian(oracle.column(name))), 2)
        for sign in ("<=", "==", ">"):
            rule, into = parse(f"{name} {sign} {middle!r}"), f"m{len(wanted)}"
            wanted[into] = rule.mask(oracle.columns()).tolist()
            asked[into] = expression(rule, frame, point).alias(into)
    answers = rows(frame.with_columns(*asked.values()).to_native(), "customer", *wanted)
    held = {into: [bool(row[n]) for row in sorted(answers)] for n, into in enumerate(wanted, 1)}
    assert held == wanted
    assert sum(any(mask) and not all(mask) for mask in wanted.values()) > 60


@pytest.mark.rule("RC-06", "RC-08", "D-03")
@each()
def test_the_ends_of_windows(engine: Engine) -> None:
    """One login a day, each of somebody else: who counts is the days that a window holds."""
    ALL_DAYS[0] = False
    days = {n: DAY - timedelta(days=n) for n in range(200)}
    at = {n: datetime(day.year, day.month, day.day, 4, tzinfo=UTC) for n, day in days.items()}
    base = [History(n, interactions=[Interaction(n, when, "login")]) for n, when in at.items()]
    names = ["interactions_30d", "interactions_latest_90d", "interactions_preceding_90d",
             "interactions_1y", "login_count", "logins_each_week_1w"]  # fmt: skip
    found = measured(engine, base, names, DAY)
    (monday, sunday), *_ = windows.full_weeks(1, DAY)
    expected = {
        "interactions_30d": [n for n in days if windows.within_last(days[n], 30, DAY)],
        "interactions_latest_90d": [n for n in days if windows.latest(days[n], 90, DAY)],
        "interactions_preceding_90d": [n for n in days if windows.preceding(days[n], 90, DAY)],
        "interactions_1y": [n for n in days if windows.within_past_year(days[n], DAY)],
        "login_count": list(days),
        "login_count_week_0": [n for n in days if monday <= days[n] <= sunday],
    }
    for name, who in expected.items():
        assert [n for n, count in sorted(column(found, name).items()) if count] == who, name


# --- pins ----------------------------------------------------------------------------------------

ASKED = Classification(
    "value",
    FirstMatch(
        (
            Case("top", parse("spend_share_1y <= 0.2 and purchases_share >= 0.1")),
            Case("next", parse("0.2 <= spend_share <= 0.5 or not profit_share_6mo < 0.3")),
        ),
        otherwise="rest",
    ),
)


@pytest.mark.rule("RC-09", "C-09", "AMB-01")
@given(
    situation=situations(),
    ties=st.sampled_from(Ties),
    rounding=st.sampled_from(Rounding),
    population=st.sampled_from([None, "purchases >= 1", "days_since_purchase <= 90"]),
)
def test_a_pin_in_the_engine_is_the_pin_of_the_log(
    situation: Any, ties: Ties, rounding: Rounding, population: str | None
) -> None:
    ALL_DAYS[0], base, as_of = situation
    people = None if population is None else parse(population)
    axis = attrs.evolve(ASKED, ranking=Ranking(ties, rounding), population=people)
    purchases, interactions = logs(base)
    frame, others = pl.from_arrow(bought(base)), pl.from_arrow(done(base))
    found = frames.pin(frame, axis, as_of=as_of, interactions=others, **MONEY)
    assert found == axis.pin(purchases, interactions, as_of=as_of)
    notes = [x.note for case in found.table.cases for x in case.when.limits()]
    direct = axis.pin(purchases, interactions, as_of=as_of)
    assert notes == [x.note for case in direct.table.cases for x in case.when.limits()]


FORTY = [History(n, [Purchase(n, date(2024, 6, 1), 100 * (40 - n // 3))]) for n in range(40)]
DIFFERENT = [History(n, [Purchase(n, date(2024, 6, 1), 100 - n)]) for n in range(40)]


@pytest.mark.rule("RC-09", "C-07")
@each()
def test_every_policy_is_pinned_as_its_own_pin_does(engine: Engine) -> None:
    ALL_DAYS[0] = False
    users = user_retention.segmentation
    policies: tuple[Any, ...] = (
        ecommerce.segmentation,
        users,
        users.classification("spend_grade"),
        users.classification("industry_classes"),
        SHARES,
    )
    for base in (FORTY, DIFFERENT):
        frame, log = engine(instants(base)), PurchaseLog.of(x for h in base for x in h.purchases)
        for policy in policies:
            assert frames.pin(frame, policy, as_of=DAY) == policy.pin(log, as_of=DAY)


SHARES = TagLibrary(
    (
        TagRule("big", parse("spend_share <= 0.1 and purchases >= 1")),
        TagRule("lost", parse("days_since_purchase > 180")),
        TagRule("small", tagged("big").is_(value=False) & parse("spend_share > 0.5")),
    ),
    every=After(months=1),
    population=parse("purchases >= 1"),
)


def instants(base: Any) -> pa.Table:
    """Days as instants at noon, which every engine has a type for."""
    facts = [(x.customer, x.at, x.amount_minor) for h in base for x in h.purchases]
    who, days, amounts = zip(*facts, strict=True)
    noon = [datetime(x.year, x.month, x.day, 4, tzinfo=UTC) for x in days]
    at = pa.array(noon, pa.timestamp("us", "UTC"))
    return pa.table({"customer": who, "at": at, "amount_minor": amounts})


@each()
def test_tags_answer_as_in_numpy(engine: Engine) -> None:
    frame = engine(instants(FORTY))
    log = PurchaseLog.of(x for h in FORTY for x in h.purchases)
    library = frames.pin(frame, SHARES, as_of=DAY)
    summary = frames.summary(frame, library, as_of=DAY)
    found = frames.tags(library, summary, as_of=DAY)
    assert kind(found) is kind(frame)
    wanted = library.tags_of_all(log, as_of=DAY)
    for rule in library.rules:
        held = dict(zip(wanted.customers.tolist(), wanted.has(rule.key).tolist(), strict=True))
        assert column(found, f"has_{rule.key}") == held


@pytest.mark.rule("C-21", "C-07", "VAR-01")
@each()
def test_every_engine_gives_layers_grades_and_tiers(engine: Engine) -> None:
    frame = engine(instants(FORTY))
    log = PurchaseLog.of(x for h in FORTY for x in h.purchases)
    published = frames.pin(frame, ecommerce.segmentation, as_of=DAY)
    summary = frames.summary(frame, published, as_of=DAY)
    assert kind(summary) is kind(frame)
    layers = frames.layers(published, summary, as_of=DAY)
    assert kind(layers) is kind(frame)
    oracle = published.layers(log, as_of=DAY)
    assert column(layers, "layer") == named(oracle)
    assert column(layers, "layer_code") == dict(
        zip(oracle.customers.tolist(), oracle.codes.tolist(), strict=True)
    )
    grades = user_retention.segmentation.classification("spend_grade")
    pinned = frames.pin(frame, grades, as_of=DAY)
    assert isinstance(pinned, Graded)
    spend = frames.summary(frame, pinned.ranked, as_of=DAY)
    found = frames.classification(pinned, spend, as_of=DAY)
    assert column(found, "spend_grade") == named(grades.outcomes(log, as_of=DAY))
    tiers = Segmentation(classifications=(attrs.evolve(LADDER, name="vip_tiers"),))
    spend = frames.summary(frame, LADDER, as_of=DAY)
    assert column(frames.tiers(tiers, "vip_tiers", spend, as_of=DAY), "tier") == {
        n: "gold" if 100 * (40 - n // 3) >= 3_000 else "none" for n in range(40)
    }


LADDER = Classification(
    "ladder", FirstMatch((Case("gold", parse("spend_minor >= 3000")),), otherwise="none")
)


# --- columns -------------------------------------------------------------------------------------


def test_plain_measures_are_columns_of_their_own_name() -> None:
    for name in (*MERGED, "purchases", "spend_minor_30d", "login_count", "interactions_on_x_6mo"):
        wanted = measures.figure(name)
        columns = [column_of(each) for each in wanted.aggregates]
        if wanted.family.combine is measures._plain:
            assert columns == [name]
        else:
            assert name not in columns


def test_every_family_is_compared_or_refused_by_name() -> None:
    frame = pl.from_arrow(instants(FORTY))
    refusals = {"run_years", "core_run_years", "run_calendar_years", "core_run_calendar_years",
                "run_12mo_blocks", "core_run_12mo_blocks"}  # fmt: skip
    for name in MEASURES:
        if name in refusals:
            with refused(InvalidValueError, "measure in a frame", given=name):
                frames.summary(frame, [name], as_of=DAY, zone=ZONE)
        else:
            found = frames.summary(frame, [name], as_of=DAY, zone=ZONE)
            held = frames.mask(Limit(name, ">=", 0), found, as_of=DAY, zone=ZONE)["holds"]
            absent = "interaction" in name or "login" in name
            assert held.all() or (absent and "days_since" in name), name


@each()
def test_a_summary_by_hand(engine: Engine) -> None:
    table = pa.table(
        {
            "who": ["a", "a", "b", None, "", "b", "c", "d"],
            "when": pa.array(
                [
                    datetime(2024, 6, 30, 15, 59, 59, tzinfo=UTC),  # the last second of the day
                    datetime(2024, 5, 30, 16, 0, tzinfo=UTC),  # the 30th day begins
                    datetime(2024, 5, 30, 15, 59, tzinfo=UTC),  # still the 31st day
                    datetime(2024, 6, 1, tzinfo=UTC),
                    datetime(2024, 6, 1, tzinfo=UTC),
                    None,
                    datetime(2024, 6, 30, 16, 0, tzinfo=UTC),  # tomorrow
                    datetime(2024, 6, 1, tzinfo=UTC),
                ],
                pa.timestamp("us", "UTC"),
            ),
            "cents": pa.array([100, 50, 7, 1, 1, 1, 1, -5], pa.int32()),
        }
    )
    names = ["days_since_purchase", "purchases_30d", "spend_minor"]
    how: Any = {"customer": "who", "at": "when", "amount_minor": "cents"}
    found = frames.summary(engine(table), names, as_of=DAY, zone=ZONE, **how)
    assert rows(found, "who", "purchases_30d", "spend_minor") == [("a", 2, 150), ("b", 0, 7)]
    held = frames.mask("days_since_purchase >= 31", found, as_of=DAY, zone=ZONE)
    assert column(held, "holds", "who") == {"a": False, "b": True}
    net = frames.summary(engine(table), names, as_of=DAY, zone=ZONE, returns="net", **how)
    assert ("d", 0, -5) in rows(net, "who", "purchases_30d", "spend_minor")
    aside = frames.set_aside(engine(table), **how)
    assert aside == {"no_customer": 2, "no_time": 1, "no_amount": 0, "negative_amount": 1}


@each()
def test_nobody_bought(engine: Engine) -> None:
    nothing = engine(instants(FORTY).slice(0, 0))
    summary = frames.summary(nothing, ecommerce.segmentation, as_of=DAY)
    published = frames.pin(nothing, ecommerce.segmentation, as_of=DAY)
    assert published == ecommerce.segmentation.pin(PurchaseLog.of([]), as_of=DAY)
    assert rows(frames.layers(published, summary, as_of=DAY)) == []
    assert frames.set_aside(nothing)["no_time"] == 0


# --- zones ---------------------------------------------------------------------------------------

ODD = {
    "America/St_Johns": date(2010, 11, 7),  # back at one minute past midnight
    "America/Santiago": date(2023, 9, 3),  # no midnight
    "Europe/Berlin": date(2024, 10, 27),
    "Pacific/Apia": date(2011, 12, 31),  # the day before was left out
    "Australia/Lord_Howe": date(2024, 4, 7),
}


@pytest.mark.rule("RC-01", "RC-06")
@pytest.mark.parametrize("zone", ODD)
def test_days_are_local_days_where_clocks_change(zone: str) -> None:
    start = datetime.combine(ODD[zone] - timedelta(days=3), datetime.min.time(), UTC)
    at = [start + timedelta(minutes=10 * n, seconds=30) for n in range(144 * 6)]
    at += [datetime(2010, 11, 7, 2, minute, 30, tzinfo=UTC) for minute in range(60)]
    base = [History(n, [Purchase(n, when, 1)]) for n, when in enumerate(at)]
    base += [
        History(10_000 + n, [Purchase(10_000 + n, a, 1), Purchase(10_000 + n, b, 1)])
        for n, (a, b) in enumerate(zip(at[::3], at[1::3], strict=False))
    ]
    ALL_DAYS[0] = False
    names = ("days_since_purchase", "days_since_first_purchase", "purchases_2d")
    for as_of in (ODD[zone], ODD[zone] + timedelta(days=2), at[500]):
        found = frames.summary(pl.from_arrow(bought(base)), names, as_of=as_of, zone=zone)
        point = AsOf.at(as_of, zone_of(zone))
        oracle = Summary.of(names, logs(base)[0], as_of=point)
        for text in (f"{name} {sign} {n}" for name in names[:2] for sign in ("<=", ">=", "==")
                     for n in range(4)):  # fmt: skip
            held = column(frames.mask(text, found, as_of=as_of, zone=zone), "holds")
            mask = parse(text).mask(oracle.columns()).tolist()
            assert held == dict(zip(oracle.customers.tolist(), mask, strict=True)), text
        counts = dict(zip(oracle.customers.tolist(), oracle.column("purchases_2d"), strict=True))
        assert column(found, "purchases_2d") == counts


def test_instants_in_another_zone_are_the_same_instants() -> None:
    frame = pl.from_arrow(instants(FORTY))
    there = frame.with_columns(pl.col("at").dt.convert_time_zone("America/New_York"))
    a, b = (
        frames.summary(x, ["days_since_purchase"], as_of=DAY, zone=ZONE) for x in (frame, there)
    )
    assert rows(a) == rows(b)


@each()
def test_instants_without_a_zone_are_utc_only_when_it_is_said(engine: Engine) -> None:
    table = instants(FORTY)
    naive = table.set_column(1, "at", table["at"].cast(pa.timestamp("us")))
    with refused(NaiveInstantError, "at"):
        frames.summary(engine(naive), ["purchases"], as_of=DAY, zone=ZONE)
    names = ["days_since_purchase", "purchases_29d"]
    found = frames.summary(engine(naive), names, as_of=DAY, zone=ZONE, utc=True)
    held = frames.mask("days_since_purchase == 29", found, as_of=DAY, zone=ZONE)
    assert set(column(held, "holds").values()) == {True}
    days = frames.summary(engine(naive), names, as_of=DAY, zone=ZONE, days=True)
    held = frames.mask("days_since_purchase == 29", days, as_of=DAY, zone=ZONE)
    assert set(column(held, "holds").values()) == {True}
    assert set(column(days, "purchases_29d").values()) == {1}


# --- refusals ------------------------------------------------------------------------------------


def test_an_unpinned_policy_is_refused_with_the_word_pin() -> None:
    frame = pl.from_arrow(instants(FORTY))
    summary = frames.summary(frame, ecommerce.segmentation, as_of=DAY)
    with refused(UnpinnedPolicyError, "measure", given="spend_share") as caught:
        frames.layers(ecommerce.segmentation, summary, as_of=DAY)
    assert "pin(frame, policy" in str(caught.value)
    published = frames.pin(frame, ecommerce.segmentation, as_of=DAY)
    with refused(InvalidValueError, "pin"):
        frames.pin(frame, published, as_of=DAY)


@each()
def test_a_summary_of_another_day_never_decides(engine: Engine) -> None:
    frame = engine(instants(FORTY))
    published = frames.pin(frame, ecommerce.segmentation, as_of=DAY)
    summary = frames.summary(frame, published, as_of=DAY)
    other = DAY + timedelta(days=1)
    if engine in LAZY.values():
        found = frames.layers(published, summary, as_of=other)
        assert set(column(found, "layer").values()) == {None}
        assert set(column(found, "layer_code").values()) == {None}
    else:
        with refused(InvalidValueError, "as_of", allowed="that of the summary, 2024-06-30 " + ZONE):
            frames.layers(published, summary, as_of=other)


def test_runs_and_scores_are_refused_by_name() -> None:
    frame = pl.from_arrow(instants(FORTY))
    loyalty = user_retention.segmentation.classification("loyalty_grade")
    with refused(InvalidValueError, "measure in a frame") as caught:
        frames.summary(frame, loyalty, as_of=DAY)
    assert "by_customer" in str(caught.value)
    score = membership.segmentation.classification("value_score")
    with refused(InvalidValueError, "classification in a frame", given="value_score"):
        frames.classification(score, frame, as_of=DAY)


def test_a_gap_is_refused_where_it_can_be_seen() -> None:
    table = FirstMatch((Case("a", parse("days <= 30")), Case("b", parse("days > 30"))))
    axis = Classification("axis", table)
    frame = pl.DataFrame({"customer": [1, 2], "days": [10, None]})
    with refused(GapError, "axis"):
        frames.classification(axis, frame, as_of=DAY)
    found = frames.classification(axis, frame.lazy(), as_of=DAY).collect()
    assert found["axis"].to_list() == ["a", None]


def test_columns_of_the_wrong_type_are_refused() -> None:
    table = instants(FORTY)
    frame = pl.from_arrow(table)

    def ask(changed: Any) -> Any:
        return frames.summary(changed, ["spend_minor"], as_of=DAY, zone=ZONE)

    with refused(WrongTypeError, "customer"):
        ask(frame.with_columns(pl.col("customer").cast(pl.Float64)))
    with refused(WrongTypeError, "at"):
        ask(frame.with_columns(pl.col("at").cast(pl.String)))
    with refused(WrongTypeError, "amount_minor"):
        ask(frame.lazy().with_columns(pl.col("amount_minor").cast(pl.Float64)))
    with refused(InvalidValueError, "amount_minor"):
        ask(frame.with_columns(pl.col("amount_minor") / 3))
    with refused(WrongTypeError, "amount_minor"):
        ask(frame.with_columns(pl.col("amount_minor").cast(pl.Decimal(10, 2))))
    with refused(UnknownNameError, "column", given="amount_minor"):
        ask(frame.drop("amount_minor"))
    objects = table.to_pandas()
    objects["at"] = [date(2024, 6, 1)] * len(objects)
    with refused(WrongTypeError, "at"):
        ask(objects)
    with refused(InvalidValueError, "zone"):
        frames.summary(frame, ["spend_minor"], as_of=DAY)
    with refused(InvalidValueError, "zone", given="UTC"):
        frames.summary(frame, ecommerce.segmentation, as_of=DAY, zone="UTC")


def test_whole_numbers_with_holes_are_read_back() -> None:
    """In pandas a hole makes floats of a whole column."""
    frame = pd.DataFrame(
        {
            "customer": ["a", "a", "b"],
            "at": pd.to_datetime(["2024-06-01", "2024-06-02", "2024-06-03"], utc=True),
            "amount_minor": [100, None, 7],
        }
    )
    found = frames.summary(frame, ["spend_minor", "purchases"], as_of=DAY, zone=ZONE)
    assert rows(found, "customer", "spend_minor", "purchases") == [("a", 100, 1), ("b", 7, 1)]
    assert frames.set_aside(frame)["no_amount"] == 1


@each()
def test_interactions_of_no_known_kind(engine: Engine) -> None:
    at = pa.array([datetime(2024, 6, 1, tzinfo=UTC)] * 2, pa.timestamp("us", "UTC"))
    others = pa.table({"customer": [0, 1], "at": at, "kind": ["login", "telepathy"]})
    how: Any = {"as_of": DAY, "zone": ZONE}
    frame, odd = engine(instants(FORTY)), engine(others)
    if engine in LAZY.values():
        found = frames.summary(frame, ["interactions"], interactions=odd, **how)
        assert {n: x for n, x in column(found, "interactions").items() if x} == {0: 1}
    else:
        with refused(UnknownNameError, "kind", given="telepathy"):
            frames.summary(frame, ["interactions"], interactions=odd, **how)


def test_frames_that_do_not_go_together() -> None:
    frame = pl.from_arrow(instants(FORTY))
    at = pl.Series("at", [date(2024, 6, 1)])
    with refused(InvalidValueError, "at"):
        others = pl.DataFrame({"customer": [1], "at": at, "kind": ["login"]})
        frames.summary(frame, ["interactions"], interactions=others, as_of=DAY, zone=ZONE)
    with refused(InvalidValueError, "customers"):
        people = pl.DataFrame({"customer": ["x"]})
        frames.summary(frame, ["interactions"], customers=people, as_of=DAY, zone=ZONE)


def test_attributes_are_columns_of_the_caller() -> None:
    frame = pl.from_arrow(instants(FORTY))
    rule: Rule = parse("industry == 'retail' and purchases >= 1")
    summary = frames.summary(frame, rule, as_of=DAY, zone=ZONE)
    known = pl.DataFrame({"customer": [1, 2], "industry": ["retail", "banking"]})
    found = frames.mask(rule, summary.join(known, on="customer", how="left"), as_of=DAY)
    assert [n for n, held in column(found, "holds").items() if held] == [1]
    who = Attributes.from_columns(customer=[1, 2], industry=["retail", "banking"])
    log = PurchaseLog.of(x for h in FORTY for x in h.purchases)
    oracle = Summary.of(rule.measures(), log, as_of=AsOf.at(DAY, zone_of(ZONE)), attributes=who)
    assert oracle.customers[rule.mask(oracle.columns())].tolist() == [1]


def test_the_order_of_rows_does_not_matter() -> None:
    frame = pl.from_arrow(instants(FORTY))
    mixed = frame.sample(fraction=1.0, shuffle=True, seed=3)
    asked = ecommerce.segmentation
    a, b = (frames.summary(x, asked, as_of=DAY) for x in (frame, mixed))
    assert rows(a) == rows(b)
    assert frames.pin(frame, asked, as_of=DAY) == frames.pin(mixed, asked, as_of=DAY)
    assert set(column(a, "as_of").values()) == {"2024-06-30 " + ZONE}


def test_a_handbook_is_measured_at_once() -> None:
    frame = pl.from_arrow(instants(FORTY))
    found = frames.summary(frame, ecommerce, as_of=DAY)
    assert {"last_purchase", "purchases_30d", "last_interaction", "login_count_week_0"} <= set(
        found.columns
    )
    stages = frames.stages(ecommerce.lifecycle, found, as_of=DAY)
    assert set(stages["stage"]) == {"new"}


def test_an_interaction_alone_makes_a_potential_customer() -> None:
    others = [Interaction("p", datetime(2024, 6, 1, tzinfo=UTC), "browse")]
    purchase = Purchase("b", datetime(2024, 6, 2, tzinfo=UTC), 5)
    base = [History("p", interactions=others), History("r"), History("b", [purchase])]
    ALL_DAYS[0] = False
    found = measured(pl.from_arrow, base, ecommerce.lifecycle.stage_table.measures, DAY)
    stages = column(frames.stages(ecommerce.lifecycle, found, as_of=DAY), "stage")
    assert stages == {"p": "potential", "r": "registered", "b": "new"}
