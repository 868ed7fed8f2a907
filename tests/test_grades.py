"""Classes and grades of the handbooks: 000, 001 and 004 (C-01 to C-13, C-27, C-28)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention import (
    History,
    Interaction,
    InteractionLog,
    InvalidValueError,
    Purchase,
    PurchaseLog,
    UnknownMeasureError,
    UnknownNameError,
    UnpinnedPolicyError,
)
from retention.classifications import Classification
from retention.grades import (
    Criterion,
    Graded,
    LoyaltyGrade,
    Overdue,
    Participation,
    PartyType,
    PurchaseClass,
    Service,
    SpendGrade,
    Stability,
    Strictness,
    ValueClass,
    ValueLayer,
    entitled,
    services,
    standings,
)
from retention.measures import is_measure, measured
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.rules import parse
from retention.presets import customer_operations, ecommerce, new_measures, user_retention
from retention.summaries import Attributes
from tests.oracles import grades as oracle

AS_OF = date(2024, 12, 31)
USERS = user_retention.segmentation
CUSTOMERS = customer_operations.segmentation


def axis(name: str) -> Classification[Any]:
    return USERS.classification(name)


def graded(name: str) -> Graded[Any]:
    found = USERS.classification(name)
    assert isinstance(found, Graded)
    return found


def ago(days: int, as_of: date = AS_OF) -> date:
    return as_of - timedelta(days=days)


def bought(name: str, *days: date, amount: int = 100, core: bool = False) -> list[Purchase]:
    return [Purchase(name, day, amount, core=core) for day in days]


def logs(histories: Iterable[History]) -> tuple[PurchaseLog, InteractionLog]:
    everyone = list(histories)
    return (
        PurchaseLog.of(fact for x in everyone for fact in x.purchases),
        InteractionLog.of(fact for x in everyone for fact in x.interactions),
    )


def attributes(histories: Sequence[History]) -> Attributes | None:
    rows = [dict(history.attributes) for history in histories]
    columns: dict[str, Any] = {}
    for name in sorted({name for row in rows for name in row}):
        values = [row.get(name) for row in rows]
        nothing: Any = "" if any(isinstance(value, str) for value in values) else np.nan
        columns[name] = [nothing if value is None else value for value in values]
    if not columns:
        return None
    return Attributes.from_columns(customer=[x.customer for x in histories], **columns)


def both(
    wanted: Classification[Any], histories: Sequence[History], as_of: date = AS_OF
) -> dict[Any, Any]:
    """Outcomes by columns, after one by one has given the same; None outside the population."""
    purchases, interactions = logs(histories)
    given: dict[str, Any] = {
        "as_of": as_of,
        "customers": [x.customer for x in histories],
        "attributes": attributes(histories),
    }
    columns = wanted.outcomes(purchases, interactions, **given)
    pinned = wanted.pin(purchases, interactions, **given)
    again = pinned.outcomes(purchases, interactions, **given)
    assert columns.customers.tolist() == again.customers.tolist()
    assert columns.codes.tolist() == again.codes.tolist()
    inside = set(columns.customers.tolist())
    found = {
        x.customer: columns.decision(x.customer).outcome if x.customer in inside else None
        for x in histories
    }
    for history in histories:
        assert pinned.outcome(history, as_of=as_of).outcome == found[history.customer], history
    return found


def one(wanted: Classification[Any], history: History, as_of: date = AS_OF) -> Any:  # noqa: ANN401
    return both(wanted, [history], as_of)[history.customer]


# --- C-01 to C-04: classes ------------------------------------------------------------------------


@pytest.mark.rule("C-01", "VAR-03")
@pytest.mark.parametrize(
    ("purchases", "contact", "expected", "flag"),
    [
        ((), 3, PurchaseClass.NONE, None),
        ((0,), None, PurchaseClass.NEW, Overdue.IN_TIME),
        ((180,), None, PurchaseClass.NEW, Overdue.IN_TIME),
        ((181,), None, PurchaseClass.LOST, None),
        ((181,), 181, PurchaseClass.LOST, None),
        ((181,), 180, PurchaseClass.NEW, Overdue.OVERDUE),  # AMB-06: only one, long ago
        ((10, 20), None, PurchaseClass.OLD, Overdue.IN_TIME),
        ((180, 181), None, PurchaseClass.OLD, Overdue.IN_TIME),
        ((5, 900), None, PurchaseClass.OLD, Overdue.IN_TIME),  # AMB-06: after a longer gap
        ((181, 200), 0, PurchaseClass.OLD, Overdue.OVERDUE),
        ((181, 200), 181, PurchaseClass.LOST, None),
        ((10, 10), None, PurchaseClass.OLD, Overdue.IN_TIME),  # twice on one day
    ],
)
def test_purchase_classes_of_000(
    purchases: tuple[int, ...], contact: int | None, expected: str, flag: str | None
) -> None:
    for kind in ("call", "message", "opened", "answered"):  # D-31
        calls = [] if contact is None else [Interaction("u", ago(contact), kind)]
        # Browsing is no effective contact.
        calls.append(Interaction("u", ago(1), "browse"))
        history = History("u", bought("u", *map(ago, purchases)), calls)
        assert one(axis("purchase_classes"), history) is expected
        assert one(axis("overdue"), history) is flag


@pytest.mark.rule("C-01")
def test_windows_of_the_purchase_classes_are_data() -> None:
    wanted = {
        "purchase_classes.lost.when": "days_since_purchase > 90 and interactions_60d < 1",
        "overdue.overdue.when": "days_since_purchase > 90 and interactions_60d >= 1",
        "overdue.population": "days_since_purchase <= 90 or interactions_60d >= 1",
    }
    ours = USERS.with_all({f"classifications.{path}": rule for path, rule in wanted.items()})
    history = History("u", bought("u", ago(91)), [Interaction("u", ago(61), "call")])
    assert one(ours.classification("purchase_classes"), history) is PurchaseClass.LOST
    called = History("u", bought("u", ago(91)), [Interaction("u", ago(60), "call")])
    assert one(ours.classification("purchase_classes"), called) is PurchaseClass.NEW
    assert one(ours.classification("overdue"), called) is Overdue.OVERDUE
    reasons = axis("purchase_classes").outcome(history, as_of=AS_OF).explain()
    assert reasons.startswith("new: purchases 1 is == 1; not none: ")


@pytest.mark.rule("C-01")
def test_dormant_as_an_extra_class() -> None:  # AMB-06
    table = axis("purchase_classes").table
    dormant = Case(PurchaseClass.DORMANT, parse("days_since_purchase > 180"))
    cases = (*table.cases[:2], dormant, table.cases[2])
    ours = axis("purchase_classes").with_("cases", cases)
    history = History("u", bought("u", ago(181)), [Interaction("u", ago(1), "call")])
    assert one(ours, history) is PurchaseClass.DORMANT
    assert one(axis("purchase_classes"), history) is PurchaseClass.NEW


@pytest.mark.rule("C-02", "VAR-03")
@pytest.mark.parametrize(
    ("purchases", "expected"),
    [
        ((), PurchaseClass.POTENTIAL),
        ((3,), PurchaseClass.NEW),
        ((2000,), PurchaseClass.NEW),  # 001 has no lost
        ((3, 2000), PurchaseClass.OLD),
        ((1000, 2000), PurchaseClass.OLD),
    ],
)
def test_purchase_classes_of_001(purchases: tuple[int, ...], expected: str) -> None:
    history = History("u", bought("u", *map(ago, purchases)))
    assert one(CUSTOMERS.classification("purchase_classes"), history) is expected


@pytest.mark.rule("C-02")
def test_a_window_for_new_customers_is_data() -> None:
    path = "classifications.purchase_classes.new.when"
    ours = CUSTOMERS.with_(path, "days_since_first_purchase <= 90").classification(
        "purchase_classes"
    )
    assert one(ours, History("u", bought("u", ago(90), ago(3)))) is PurchaseClass.NEW
    assert one(ours, History("u", bought("u", ago(91)))) is PurchaseClass.OLD


@pytest.mark.rule("C-03")
def test_party_types() -> None:
    wanted = CUSTOMERS.classification("party_types")
    given = {"a": "individual", "b": "enterprise", "c": "club", "d": None}
    found = both(wanted, [History(x, attributes={"party_type": y}) for x, y in given.items()])
    unknown = PartyType.UNKNOWN
    assert found == {
        "a": PartyType.INDIVIDUAL,
        "b": PartyType.ENTERPRISE,
        "c": unknown,
        "d": unknown,
    }
    assert PartyType.INDIVIDUAL.label("zh") == "个人客户"
    with pytest.raises(UnknownMeasureError):  # absent is a mistake, missing is not
        wanted.outcome(History("a"), as_of=AS_OF)


@pytest.mark.rule("C-04")
def test_industries_are_policy_data() -> None:
    ours = axis("industry_classes").with_all(
        {
            "industry_a.when": "industry in ('banking', 'insurance')",
            "industry_b.when": "industry == 'retail'",
        }
    )
    given = {
        "a": "banking",
        "b": "retail",
        "c": "mining",
        "d": None,
        "e": "insurance",
        "f": "industry_a",
    }
    people = [History(x, attributes={"industry": y}) for x, y in given.items()]
    found = both(ours, people)
    assert [found[x] for x in "abcdef"] == [
        "industry_a", "industry_b", "other", "other", "industry_a", "other",
    ]  # fmt: skip
    people.append(History("g", attributes={"industry": "industry_b"}))
    default = both(axis("industry_classes"), people)
    assert [default[x] for x in "afg"] == ["other", "industry_a", "industry_b"]


# --- C-05: value classes --------------------------------------------------------------------------


def worth(name: str, orders: int, amount: int, profit: int) -> History:
    facts = [Purchase(name, AS_OF, 0, profit_minor=0) for _ in range(orders - 1)]
    return History(name, [*facts, Purchase(name, AS_OF, amount, profit_minor=profit)])


LEVELS = ("frequency_level", "amount_level", "profit_level")


@pytest.mark.rule("C-05", "VAR-02")
@pytest.mark.parametrize("seed", range(8))
def test_value_classes_and_the_level_of_each_measure(seed: int) -> None:
    chance = np.random.default_rng(seed)
    order = [list(range(1, 11)), *([int(x) + 1 for x in chance.permutation(10)] for _ in "ab")]
    people = [
        worth(f"u{n}", 11 - order[0][n], 1000 * (11 - order[1][n]), 10 * (11 - order[2][n]))
        for n in range(10)
    ]
    # Of ten users ranks 1 and 2 are within 20 %, 3 to 5 within 50 %.
    rank_level = [ValueClass.HIGH] * 2 + [ValueClass.MEDIUM] * 3 + [ValueClass.LOW] * 5
    expected = [[rank_level[rank - 1] for rank in ranks] for ranks in order]
    found = {name: both(axis(name), people) for name in LEVELS}
    for name, levels in zip(LEVELS, expected, strict=True):
        assert list(found[name].values()) == levels
    ladder = list(ValueClass)
    worst = [max(three, key=ladder.index) for three in zip(*expected, strict=True)]
    assert list(both(axis("value_classes"), people).values()) == worst  # all three must reach it


@pytest.mark.rule("C-05")
@pytest.mark.parametrize("spoiled", [0, 1, 2])
def test_one_measure_alone_keeps_from_a_higher_class(spoiled: int) -> None:
    rank_of = {"high": 1, "medium": 3, "low": 6}  # of ten
    for best, other in (("high", "medium"), ("medium", "low")):
        ranks = [rank_of[best]] * 3
        ranks[spoiled] = rank_of[other]
        people = [worth(f"v{n}", n, n * 1000, n * 10) for n in range(1, 11)]
        figures = [11 - rank for rank in ranks]
        people[0] = worth("v1", figures[0], figures[1] * 1000, figures[2] * 10)
        assert both(axis("value_classes"), people)["v1"] == other


@pytest.mark.rule("C-05")
def test_nothing_in_the_past_year_is_low_value() -> None:
    people = [worth(f"u{n}", n, 100 * n, n) for n in range(1, 4)]
    people.append(History("old", [Purchase("old", date(2023, 12, 31), 10**9, profit_minor=10**9)]))
    for name in ("value_classes", *LEVELS):
        assert both(axis(name), people)["old"] is ValueClass.LOW


@pytest.mark.rule("C-05")
def test_cut_points_of_the_value_classes_are_data() -> None:
    people = [worth(f"u{n}", 20 - n, 100 * (20 - n), 10 * (20 - n)) for n in range(10)]
    rule = "purchases_share_1y <= {0} and spend_share_1y <= {0} and profit_share_1y <= {0}"
    ours = axis("value_classes").with_all(
        {"high.when": rule.format(0.3), "medium.when": rule.format(0.4)}
    )
    assert Counter(both(ours, people).values()) == {"high": 3, "medium": 1, "low": 6}
    assert Counter(both(axis("value_classes"), people).values()) == {
        "high": 2,
        "medium": 3,
        "low": 5,
    }


# --- C-07, C-09: S-02 -----------------------------------------------------------------------------


def forty(times: int = 1, shift: int = 0) -> list[History]:
    found = []
    for k in range(1, 41):
        name = f"u{k:02}"
        amount = 39_000 if k == 3 else (41 - k) * 1000
        day = date(2024 + shift, 5, 17) if k <= 30 else date(2023 + shift, 5, 17)
        found.append(History(name, [Purchase(name, day, amount * 100 * times)]))
    return found


EXPECTED = ["diamond"] * 3 + ["platinum"] + ["gold"] * 4 + ["silver"] * 12 + ["ordinary"] * 20


@pytest.mark.rule("S-02", "C-07", "C-09", "VAR-01")
@pytest.mark.parametrize(("times", "shift"), [(1, 0), (7, 0), (1, -3), (3, 11)])
def test_grades_of_forty_users(times: int, shift: int) -> None:
    as_of = date(2024 + shift, 12, 31)
    people = forty(times, shift)
    found = both(axis("spend_grade"), people, as_of)
    assert [found[x.customer] for x in people] == EXPECTED
    assert list(Counter(found.values()).values()) == [3, 1, 4, 12, 20]
    places = standings(axis("spend_grade"), logs(people)[0], as_of=as_of)
    ranks = (
        {f"u{k:02}": k for k in range(1, 31)} | {"u03": 2} | {f"u{k}": 31 for k in range(31, 41)}
    )
    for name, rank in ranks.items():
        place = places.of(name)
        assert (place.rank, place.among, place.grade) == (rank, 40, found[name])
        assert place.share == Fraction(rank, 40)
        assert place.amount == next(
            sum(y.amount_minor for y in x.purchases if y.at.year == as_of.year)
            for x in people
            if x.customer == name
        )
    columns = places.to_columns()
    assert columns["share"].tolist() == [ranks[x] / 40 for x in columns["customer"].tolist()]
    assert columns["grade"].tolist() == EXPECTED


@pytest.mark.rule("S-02", "C-09")
def test_orders_break_ties_when_the_policy_says_so() -> None:
    people = forty()
    people[1] = History("u02", bought("u02", *[date(2024, 5, 17)] * 2, amount=1_950_000))
    people[2] = History("u03", bought("u03", *[date(2024, 5, 17)] * 6, amount=650_000))
    assert both(axis("spend_grade"), people)["u02"] is SpendGrade.DIAMOND
    ours = axis("spend_grade").with_("ranking.ties", "by_frequency")
    found = both(ours, people)
    assert (found["u03"], found["u02"]) == ("diamond", "platinum")
    places = standings(ours, logs(people)[0], as_of=AS_OF)
    assert [places.of(x).rank for x in ("u01", "u03", "u02", "u04")] == [1, 2, 3, 4]
    assert places.of("u02").share == Fraction(75, 1000)


@pytest.mark.rule("S-02", "C-07")
def test_the_past_year_begins_after_the_same_day_of_the_year_before() -> None:
    people = forty()
    people[0] = History("u01", bought("u01", date(2023, 12, 31), amount=10**9))
    assert both(axis("spend_grade"), people)["u01"] is SpendGrade.ORDINARY
    people[0] = History("u01", bought("u01", date(2024, 1, 1), amount=10**9))
    assert both(axis("spend_grade"), people)["u01"] is SpendGrade.DIAMOND


@pytest.mark.rule("S-02", "C-09")
def test_zero_spend_shares_a_good_rank_and_stays_ordinary() -> None:
    people = [
        x if n < 15 else History(x.customer, bought(str(x.customer), date(2023, 5, 17)))
        for n, x in enumerate(forty())
    ]
    found = both(axis("spend_grade"), people)
    places = standings(axis("spend_grade"), logs(people)[0], as_of=AS_OF)
    for k in range(16, 41):
        place = places.of(f"u{k}")
        assert (place.rank, place.share, place.grade) == (16, Fraction(2, 5), "ordinary")
    assert Counter(found.values()) == {
        "diamond": 3, "platinum": 1, "gold": 4, "silver": 7, "ordinary": 25,
    }  # fmt: skip


@pytest.mark.rule("S-02", "C-09")
@pytest.mark.parametrize(
    ("number", "rounding", "counts"),
    [
        (10, "ceil", (1, 0, 1, 3, 5)),  # AMB-01
        (10, "exact", (0, 1, 1, 3, 5)),
        (1, "exact", (0, 0, 0, 0, 1)),
        (1, "ceil", (1, 0, 0, 0, 0)),
        (19, "exact", (0, 1, 2, 6, 10)),
        (20, "exact", (1, 1, 2, 6, 10)),
        (100, "exact", (5, 5, 10, 30, 50)),
        (101, "ceil", (6, 5, 10, 30, 50)),
    ],
)
def test_small_populations(number: int, rounding: str, counts: tuple[int, ...]) -> None:
    people = [History(n, [Purchase(n, AS_OF, n + 1)]) for n in range(number)]
    found = Counter(both(axis("spend_grade").with_("ranking.rounding", rounding), people).values())
    assert tuple(found[grade] for grade in SpendGrade) == counts


@pytest.mark.rule("C-09")
def test_who_is_ranked_is_data() -> None:  # AMB-26
    people = [History(f"u{n:02}", [Purchase(f"u{n:02}", AS_OF, 50 - n)]) for n in range(10)]
    idle = [History(f"v{n:02}") for n in range(10)]
    found = both(axis("spend_grade"), [*people, *idle])
    assert found["v00"] is None
    assert found["u00"] is SpendGrade.PLATINUM  # 1 of 10
    ours = axis("spend_grade").with_("population", None)
    everybody = both(ours, [*people, *idle])
    assert everybody["v00"] is SpendGrade.ORDINARY
    assert everybody["u00"] is SpendGrade.DIAMOND  # 1 of 20
    assert [everybody[f"u{n:02}"] for n in (3, 4, 9)] == ["gold", "silver", "silver"]


@pytest.mark.rule("C-07")
def test_one_user_alone_has_no_rank() -> None:
    with pytest.raises(UnpinnedPolicyError, match="pin"):
        axis("spend_grade").outcome(History("u"), as_of=AS_OF)
    with pytest.raises(InvalidValueError, match="limits a rank share"):
        standings(axis("stability"), PurchaseLog.of([]), as_of=AS_OF)


spends = st.lists(st.integers(0, 6) | st.integers(0, 10**6), min_size=1, max_size=60)


def population(amounts: Iterable[int]) -> list[History]:
    return [History(n, [Purchase(n, AS_OF, amount)]) for n, amount in enumerate(amounts)]


@pytest.mark.rule("C-07", "C-09")
@given(spends, st.sampled_from(["exact", "ceil"]), st.randoms(use_true_random=False))
def test_spend_grades_in_any_order(amounts: list[int], rounding: str, chance: Any) -> None:  # noqa: ANN401
    wanted = axis("spend_grade").with_("ranking.rounding", rounding)
    people = population(amounts)
    found = both(wanted, people)
    shuffled = list(people)
    chance.shuffle(shuffled)
    assert both(wanted, shuffled) == found


@pytest.mark.rule("C-07", "C-09")
def test_spend_grades_agree_with_the_oracle() -> None:
    chance = np.random.default_rng(7)
    back = [-1, 0, 1, 100, 364, 365, 366, 367, 400]
    days = [date(2024, 2, 29), date(2025, 2, 28), date(2024, 12, 31), date(2023, 3, 1)]
    for number in range(1500):
        as_of = days[number % len(days)]
        users: list[list[oracle.Bought]] = [
            [
                (ago(int(chance.choice(back)), as_of), int(chance.choice([0, 1, 5, 5, 90])), True)
                for _ in range(chance.integers(4))
            ]
            for _ in range(chance.integers(1, 45))
        ]
        ceil, ties = bool(number % 2), bool(number % 3 == 0)
        log = PurchaseLog.of(
            Purchase(n, day, amount) for n, user in enumerate(users) for day, amount, _ in user
        )
        wanted = axis("spend_grade").with_all(
            {
                "ranking.rounding": "ceil" if ceil else "exact",
                "ranking.ties": "by_frequency" if ties else "share_best",
            }
        )
        found = wanted.outcomes(log, as_of=as_of)
        expected = oracle.spend_grades(users, as_of, ceil=ceil, by_frequency=ties)
        assert dict(
            zip(found.customers.tolist(), found.to_columns()["outcome"].tolist(), strict=True)
        ) == {n: grade for n, grade in enumerate(expected) if grade is not None}


# --- C-08: the further wording --------------------------------------------------------------------

ALL_MET = {"feedback_count": 1, "satisfaction": 5.0, "referral_purchases": 1, "potential": 0.5}
CORE = [date(2024 - n, 12, 1) for n in range(5)]


def ranked(number: int, changes: Mapping[int, Mapping[str, Any]] | None = None) -> list[History]:
    """Ranks 1 to N by spend and by orders; all criteria met but for the changes."""
    found = []
    for rank in range(1, number + 1):
        change = dict((changes or {}).get(rank, {}))
        orders = change.pop("orders", number + 1 - rank)
        core = change.pop("core", True)
        this_year = [Purchase(rank, AS_OF, 0, core=core) for _ in range(orders - 1)]
        spent = [Purchase(rank, CORE[0], 1000 - rank, core=core)]
        before = [Purchase(rank, day, 1, core=core) for day in CORE[1:]]
        found.append(History(rank, [*this_year, *spent, *before], attributes={**ALL_MET, **change}))
    return found


@pytest.mark.rule("C-08")
def test_the_checklist_of_every_grade() -> None:
    people = ranked(100, {2: {"core": False, "feedback_count": 0}, 60: {"satisfaction": None}})
    purchases, interactions = logs(people)
    ours = graded("spend_grade").pin(purchases, as_of=AS_OF)
    assert isinstance(ours, Graded)
    asked = {
        rank: {x.criterion: x.met for x in ours.checklist(people[rank - 1], as_of=AS_OF)}
        for rank in (1, 2, 6, 11, 21, 60)
    }
    assert asked == {
        1: {"frequency": True, "loyalty": True, "feedback": True},
        2: {"frequency": True, "loyalty": False, "feedback": False},
        6: {"frequency": True, "satisfaction": True, "referrals": True},
        11: {"frequency": True, "satisfaction": True, "potential": True},
        21: {"frequency": True, "satisfaction": True},
        60: {"frequency": True, "attention": True},
    }
    missed = [x for x in ours.checklist(people[1], as_of=AS_OF) if not x.met]
    assert [str(reason) for x in missed for reason in x.reasons] == [
        "core_run_years 0 is not >= 3",
        "feedback_count 0 is not >= 1",
    ]
    columns = ours.checklists(purchases, interactions, as_of=AS_OF, attributes=attributes(people))
    direct = graded("spend_grade").checklists(
        purchases, interactions, as_of=AS_OF, attributes=attributes(people)
    )
    for row, history in enumerate(people):
        checks = {x.criterion: float(x.met) for x in ours.checklist(history, as_of=AS_OF)}
        for name in (
            "frequency",
            "loyalty",
            "feedback",
            "satisfaction",
            "referrals",
            "potential",
            "attention",
        ):
            expected = checks.get(name, np.nan)
            assert np.array_equal(columns[name][row], expected, equal_nan=True)
            assert np.array_equal(direct[name][row], expected, equal_nan=True)


@pytest.mark.rule("C-08")
@pytest.mark.parametrize(
    ("rank", "change", "expected"),
    [
        (1, {}, "diamond"),
        (1, {"feedback_count": 0}, "platinum"),
        (1, {"core": False}, "platinum"),
        (1, {"orders": 5}, "platinum"),
        (1, {"feedback_count": 0, "core": False, "orders": 5}, "platinum"),  # once, not thrice
        # ... and the wording of the grade below does not lower any further
        (1, {"feedback_count": 0, "satisfaction": 1.0, "potential": 0.0}, "platinum"),
        (1, {"feedback_count": None}, "platinum"),  # not known is not met
        (6, {}, "platinum"),
        (6, {"satisfaction": 3.9}, "gold"),
        (6, {"referral_purchases": 0}, "gold"),
        (6, {"feedback_count": 0}, "platinum"),  # a criterion of another grade
        (11, {"potential": 0.4}, "silver"),
        (11, {"satisfaction": 3.4}, "silver"),
        (21, {"satisfaction": 2.9}, "ordinary"),
        (60, {}, "ordinary"),
        (60, {"satisfaction": 0.0, "orders": 250}, "ordinary"),  # never below the lowest
    ],
)
def test_strict_lowers_by_exactly_one(rank: int, change: dict[str, Any], expected: str) -> None:
    people = ranked(100, {rank: change})
    by_rank = both(graded("spend_grade"), people)
    strict = both(graded("spend_grade").with_("mode", "strict"), people)
    assert strict[rank] == expected
    plain = [
        *["diamond"] * 5,
        *["platinum"] * 5,
        *["gold"] * 10,
        *["silver"] * 30,
        *["ordinary"] * 50,
    ]
    assert [by_rank[n] for n in range(1, 101)] == plain
    others = [n for n in range(1, 101) if n != rank]
    assert [strict[n] for n in others] == [plain[n - 1] for n in others]


@pytest.mark.rule("C-08")
@given(st.integers(0, 2**80 - 1))
def test_strict_is_never_more_than_one_grade_away(bits: int) -> None:
    changes = {
        n: {
            name: value if bits >> (4 * n - 4 + place) & 1 else 0
            for place, (name, value) in enumerate(ALL_MET.items())
        }
        for n in range(1, 21)
    }
    people = ranked(20, changes)
    purchases, _ = logs(people)
    strict = graded("spend_grade").with_("mode", Strictness.STRICT)
    known = attributes(people)
    found = strict.outcomes(purchases, as_of=AS_OF, attributes=known)
    by_rank = graded("spend_grade").outcomes(purchases, as_of=AS_OF)
    columns = graded("spend_grade").checklists(purchases, as_of=AS_OF, attributes=known)
    criteria = {each.name for each in strict.criteria}
    failed = np.zeros(len(by_rank), bool)
    for name in criteria:
        failed |= columns[name] == 0
    lowest = len(SpendGrade) - 1
    assert found.codes.tolist() == np.minimum(by_rank.codes + failed, lowest).tolist()


@pytest.mark.rule("C-08")
def test_the_lowest_grade_keeps_its_own_without_a_catch_all() -> None:
    table = FirstMatch((Case("high", parse("a >= 1")), Case("low", parse("a < 1"))))
    criteria = (Criterion("high", "b", parse("b >= 1")), Criterion("low", "b", parse("b >= 1")))
    strict = Graded("g", table, criteria=criteria, mode=Strictness.STRICT)
    rows = [(1, 1, "high"), (1, 0, "low"), (0, 1, "low"), (0, 0, "low")]
    for a, b, expected in rows:
        history = History("u", attributes={"a": a, "b": b})
        assert strict.outcome(history, as_of=AS_OF).outcome == expected


@pytest.mark.rule("C-08")
def test_a_criterion_of_no_grade_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="bronze"):
        graded("spend_grade").with_(
            "criteria", (Criterion("bronze", "frequency", parse("purchases >= 1")),)
        )


def test_a_graded_axis_answers_like_any_other() -> None:
    loyal = graded("loyalty_grade")
    history = History("u", bought("u", date(2024, 3, 1)), attributes={"brand": "faint"})
    due = loyal.due(history, as_of=AS_OF)
    assert due is not None
    assert (due.on, due.entered) == (date(2025, 3, 1), LoyaltyGrade.GENERALLY_LOYAL)
    dues = loyal.dues(PurchaseLog.of(history.purchases), as_of=AS_OF).to_columns()
    assert dues["on"].tolist() == [date(2025, 3, 1)]
    changes = loyal.timeline(history, until=date(2025, 12, 31))
    assert [(x.on, x.entered) for x in changes][-1] == (date(2025, 3, 1), "generally_loyal")


# --- C-10 to C-13: loyalty ------------------------------------------------------------------------


def every(months: int, start: date, until: date = AS_OF) -> list[date]:
    count = (until.year - start.year) * 12 + until.month - start.month
    steps = range(0, count + 1, months)
    days = [
        date(start.year + (start.month - 1 + n) // 12, (start.month - 1 + n) % 12 + 1, start.day)
        for n in steps
    ]
    return [day for day in days if day <= until]


@pytest.mark.rule("C-10", "C-11", "VAR-01")
@pytest.mark.parametrize(
    ("start", "months", "core", "expected"),
    [
        (date(2021, 12, 31), 6, True, "loyal"),  # three full years to the day
        (date(2022, 1, 1), 6, True, "fairly_loyal"),
        (date(2021, 12, 31), 6, False, "fairly_loyal"),  # loyal asks for core products
        (date(2021, 12, 1), 12, True, "loyal"),  # no gap over 12 months
        (date(2022, 12, 31), 6, True, "fairly_loyal"),
        (date(2023, 1, 1), 6, True, "generally_loyal"),
        (date(2023, 12, 31), 6, True, "generally_loyal"),
        (date(2024, 1, 1), 6, True, "low"),
    ],
)
def test_loyalty_grades(start: date, months: int, core: bool, expected: str) -> None:
    days = every(months, date(start.year, start.month, min(start.day, 28)))
    history = History("u", bought("u", start, *[x for x in days if x > start], core=core))
    assert one(axis("loyalty_grade"), history) == expected


@pytest.mark.rule("C-10", "C-11")
def test_a_gap_of_more_than_a_year_breaks_the_run() -> None:
    days = [
        date(2020, 3, 1),
        date(2021, 3, 1),
        date(2022, 3, 1),
        date(2023, 3, 1),
        date(2024, 3, 1),
    ]
    assert one(axis("loyalty_grade"), History("u", bought("u", *days, core=True))) == "loyal"
    later = [*days[:2], date(2022, 3, 2), *days[3:]]
    found = History("u", bought("u", *later, core=True))
    assert one(axis("loyalty_grade"), found) == "fairly_loyal"
    ended = History("u", bought("u", date(2015, 1, 1)))  # once, years ago (AMB-19)
    assert one(axis("loyalty_grade"), ended) == "generally_loyal"
    assert one(axis("loyalty_grade"), History("u")) is None
    row = measured(
        found, ["core_run_years", "run_years", "tenure_years"], axis("stability").at(AS_OF)
    )
    assert row == {"core_run_years": 2, "run_years": 2, "tenure_years": 4}


READINGS: list[tuple[str, bool, dict[str, str]]] = [
    ("gaps", False, {}),
    ("gaps", True, {"generally_loyal.when": "run_years >= 1"}),
    (
        "calendar",
        False,
        {
            "loyal.when": "core_run_calendar_years >= 3",
            "fairly_loyal.when": "run_calendar_years >= 2",
        },
    ),
    (
        "blocks",
        True,
        {
            "loyal.when": "core_run_12mo_blocks >= 3",
            "fairly_loyal.when": "run_12mo_blocks >= 2",
            "generally_loyal.when": "run_12mo_blocks >= 1",
        },
    ),
]


@pytest.mark.rule("C-11")
def test_other_readings_of_consecutive_years_are_data() -> None:  # AMB-19
    thirteen_months = History("u", bought("u", date(2023, 12, 15), date(2024, 12, 15), core=True))
    once = History("u", bought("u", date(2015, 1, 1)))
    found = [
        (
            one(axis("loyalty_grade").with_all(x), thirteen_months),
            one(axis("loyalty_grade").with_all(x), once),
        )
        for _, _, x in READINGS
    ]
    assert found == [
        ("generally_loyal", "generally_loyal"),
        ("generally_loyal", "low"),
        ("fairly_loyal", "generally_loyal"),
        ("fairly_loyal", "low"),
    ]


@pytest.mark.rule("C-10", "C-11")
@pytest.mark.parametrize(
    ("mode", "needs_run", "changes"), READINGS, ids=["gaps", "run", "calendar", "blocks"]
)
def test_loyalty_grades_agree_with_the_oracle(
    mode: str, needs_run: bool, changes: dict[str, str]
) -> None:
    wanted = axis("loyalty_grade").with_all(changes)
    chance = np.random.default_rng(11)
    steps = [1, 200, 364, 365, 366, 367, 730]
    for number in range(300):
        as_of = [AS_OF, date(2024, 2, 29), date(2025, 2, 28), date(2023, 1, 1)][number % 4]
        users: list[list[oracle.Bought]] = []
        for _ in range(20):
            day, user = as_of + timedelta(days=1), list[oracle.Bought]()
            for _ in range(chance.integers(6)):
                day -= timedelta(days=int(chance.choice(steps)))
                user.append((day, 1, bool(chance.random() < 0.8)))
            users.append(user)
        log = PurchaseLog.of(
            Purchase(n, day, amount, core=core)
            for n, user in enumerate(users)
            for day, amount, core in user
        )
        found = wanted.outcomes(log, as_of=as_of)
        names = found.to_columns()["outcome"].tolist()
        expected = [
            oracle.loyalty_grade(user, as_of, mode=mode, general_needs_run=needs_run)
            for user in users
        ]
        assert dict(zip(found.customers.tolist(), names, strict=True)) == {
            n: grade for n, grade in enumerate(expected) if grade is not None
        }
        if number < 40 and len(log):
            for n, grade in enumerate(expected):
                facts = [Purchase(n, day, x, core=core) for day, x, core in users[n]]
                assert wanted.outcome(History(n, facts), as_of=as_of).outcome == grade


QUARTERS = (date(2024, 12, 31), date(2024, 9, 30), date(2024, 6, 30), date(2024, 1, 1))


@pytest.mark.rule("C-12")
@pytest.mark.parametrize(
    ("counts", "level"),
    [
        ((1, 1, 1, 1), Stability.STABLE),
        ((5, 5, 3, 3), Stability.STABLE),  # 0.25
        ((2, 1, 1, 1), Stability.FAIRLY_STABLE),
        ((3, 3, 1, 1), Stability.FAIRLY_STABLE),  # 0.5
        ((2, 1, 1, 0), Stability.FLUCTUATING),
        ((2, 2, 0, 0), Stability.FLUCTUATING),  # 1.0
        ((3, 1, 0, 0), Stability.UNSTABLE),
        ((0, 0, 0, 4), Stability.UNSTABLE),
        ((0, 0, 0, 0), Stability.UNSTABLE),  # nothing to vary
    ],
)
def test_stability(counts: tuple[int, ...], level: Stability) -> None:
    days = [day for day, count in zip(QUARTERS, counts, strict=True) for _ in range(count)]
    history = History("u", bought("u", *days, date(2020, 1, 1)))
    assert one(axis("stability"), history) is level
    value = measured(history, ["purchase_variation_4q"], axis("stability").at(AS_OF))
    mean = Fraction(sum(counts), 4)
    if mean:
        variance = sum((count - mean) ** 2 for count in counts) / 4
        assert value["purchase_variation_4q"] == pytest.approx(float(variance) ** 0.5 / float(mean))
    assert one(axis("stability"), History("u")) is None


@pytest.mark.rule("C-13")
@pytest.mark.parametrize(
    ("number", "level"),
    [
        (0, Participation.ALMOST_NONE),
        (1, Participation.FEW),
        (2, Participation.OCCASIONAL),
        (3, Participation.OCCASIONAL),
        (4, Participation.ACTIVE),
        (9, Participation.ACTIVE),
    ],
)
def test_participation(number: int, level: Participation) -> None:
    taking_part = [Interaction("u", date(2024, 1, 1), "participation") for _ in range(number)]
    outside = [
        Interaction("u", date(2023, 12, 31), "participation"),
        Interaction("u", AS_OF, "login"),
    ]
    history = History("u", (), [*taking_part, *outside])
    assert one(axis("participation"), history) is level


@pytest.mark.rule("C-10", "C-12", "C-13")
def test_the_levels_beside_the_loyalty_grade() -> None:
    parts = [Interaction("u", date(2024, 5, 1), "participation")] * 2
    days = [date(2024, 12, 1), date(2024, 9, 1), date(2024, 6, 1), date(2024, 3, 1)]
    earlier = [date(2023, 6, 1), date(2022, 8, 1), date(2021, 9, 1)]
    history = History(
        "u", bought("u", *days, *earlier, core=True), parts, attributes={"brand": "goodwill"}
    )
    found = {
        name: one(axis(name), history)
        for name in ("loyalty_grade", "stability", "brand", "participation")
    }
    assert found == {
        "loyalty_grade": "loyal",
        "stability": "stable",
        "brand": "goodwill",
        "participation": "occasional",
    }
    checks = graded("loyalty_grade").checklist(history, as_of=AS_OF)
    assert {x.criterion: x.met for x in checks} == {
        "stability": True, "brand": False, "participation": False,
    }  # fmt: skip
    strict = graded("loyalty_grade").with_("mode", "strict")
    assert one(strict, history) is LoyaltyGrade.FAIRLY_LOYAL  # AMB-27
    devoted = History("u", history.purchases, [*parts, *parts], attributes={"brand": "identifies"})
    assert one(strict, devoted) is LoyaltyGrade.LOYAL
    unasked = History("u", history.purchases, parts, attributes={"brand": None})
    assert one(axis("brand"), unasked) == "little_known"


SINCE = {"loyal": (2021, True), "fairly_loyal": (2021, False), "generally_loyal": (2023, True)}


@pytest.mark.rule("C-10", "C-12", "C-13")
@pytest.mark.parametrize(
    ("grade", "extra", "brand", "parts", "expected"),
    [
        ("loyal", 0, "identifies", 4, "loyal"),
        ("loyal", 1, "identifies", 4, "fairly_loyal"),  # variation 0.35
        ("loyal", 0, "goodwill", 4, "fairly_loyal"),
        ("loyal", 0, "identifies", 3, "fairly_loyal"),
        ("loyal", 20, "little_known", 0, "fairly_loyal"),  # by exactly one
        ("fairly_loyal", 1, "goodwill", 2, "fairly_loyal"),
        ("fairly_loyal", 0, "identifies", 9, "fairly_loyal"),
        ("fairly_loyal", 4, "goodwill", 2, "generally_loyal"),  # variation 0.87
        ("fairly_loyal", 1, "faint", 2, "generally_loyal"),
        ("fairly_loyal", 1, "goodwill", 1, "generally_loyal"),
        ("generally_loyal", 4, "faint", 1, "generally_loyal"),
        ("generally_loyal", 0, "goodwill", 1, "generally_loyal"),
        ("generally_loyal", 0, "identifies", 1, "generally_loyal"),
        ("generally_loyal", 20, "faint", 1, "low"),  # variation 1.44
        ("generally_loyal", 4, "little_known", 1, "low"),
        ("generally_loyal", 4, "faint", 0, "low"),
    ],
)
def test_the_further_wording_of_loyalty(
    grade: str, extra: int, brand: str, parts: int, expected: str
) -> None:  # AMB-27
    year, core = SINCE[grade]
    days = [*every(3, date(year, 8, 1)), *[date(2024, 11, 1)] * extra]
    history = History(
        "u",
        bought("u", *days, core=core),
        [Interaction("u", date(2024, 5, 1), "participation")] * parts,
        attributes={"brand": brand},
    )
    assert one(axis("loyalty_grade"), history) == grade
    assert one(graded("loyalty_grade").with_("mode", "strict"), history) == expected
    checks = graded("loyalty_grade").checklist(history, as_of=AS_OF)
    assert all(x.met for x in checks) == (grade == expected)


# --- C-27, C-28: layers of 004 --------------------------------------------------------------------

LAYERS = new_measures.segmentation.with_all(
    {
        "classifications.layers.diamond.when": parse("value_score >= 80 and activity_score >= 60"),
        "classifications.layers.gold.when": parse("value_score >= 60 and activity_score >= 40"),
        "classifications.layers.silver.when": parse("value_score >= 40 and activity_score >= 20"),
    }
).classification("layers")


@pytest.mark.rule("C-27", "C-28", "VAR-01")
def test_layers_of_004_and_their_services() -> None:
    scores = {
        "a": (80, 60), "b": (80, 59), "c": (100, 39), "d": (59, 100), "e": (40, 20),
        "f": (39, 100), "g": (100, 19), "h": (None, 100),
    }  # fmt: skip
    people = [
        History(x, attributes={"value_score": v, "activity_score": a})
        for x, (v, a) in scores.items()
    ]
    found = both(LAYERS, people)
    assert list(found.values()) == [
        "diamond", "gold", "silver", "silver", "silver", "none", "none", "none",
    ]  # fmt: skip
    outcomes = LAYERS.outcomes(
        PurchaseLog.of([]), as_of=AS_OF, customers=list(scores), attributes=attributes(people)
    )
    channel = Service.PRIORITY_SERVICE_CHANNEL
    assert entitled(outcomes, channel).tolist() == ["a"]
    given = {x.customer: services(LAYERS.outcome(x, as_of=AS_OF)) for x in people}
    assert given == {name: (channel,) if name == "a" else () for name in scores}
    assert (channel.label("zh"), ValueLayer.DIAMOND.label("zh")) == ("优先客服通道", "钻石客户")


@pytest.mark.rule("C-28")
def test_another_service_for_another_layer_is_data() -> None:
    channel = Service.PRIORITY_SERVICE_CHANNEL
    ours = LAYERS.with_all({"gold.services": [channel], "diamond.services": ()})
    one_of = {"value_score": 70, "activity_score": 70}
    assert services(ours.outcome(History("a", attributes=one_of), as_of=AS_OF)) == (channel,)
    best = {"value_score": 90, "activity_score": 70}
    assert services(ours.outcome(History("a", attributes=best), as_of=AS_OF)) == ()
    assert services(LAYERS.outcome(History("a", attributes=one_of), as_of=AS_OF)) == ()


# --- variants -------------------------------------------------------------------------------------


@pytest.mark.rule("VAR-01", "VAR-02", "VAR-03")
def test_ladders_and_classes_differ_between_handbooks() -> None:
    def ladder(wanted: Classification[Any]) -> list[str]:
        return [outcome.zh for outcome in reversed(wanted.table.outcomes)]

    assert ladder(axis("spend_grade")) == ["普通级", "白银级", "黄金级", "白金级", "钻石级"]
    assert ladder(axis("loyalty_grade")) == ["低忠诚用户", "一般忠诚用户", "较忠诚用户", "忠诚用户"]
    assert ladder(CUSTOMERS.classification("value_model")) == ["低价值", "中等价值", "高价值"]
    assert ladder(LAYERS) == ["未分层", "白银客户", "黄金客户", "钻石客户"]
    classes = {"none", "new", "old", "lost"}
    assert set(axis("purchase_classes").table.outcomes) == classes
    assert set(CUSTOMERS.classification("purchase_classes").table.outcomes) == {
        "potential",
        "new",
        "old",
    }
    stages = ecommerce.lifecycle.stage_table.outcomes
    assert {"potential", "new", "active", "sleeping", "lost"} <= set(stages)
    asked = {x for x in axis("value_classes").table.measures if is_measure(x)}
    assert asked == {"purchases_share_1y", "spend_share_1y", "profit_share_1y"}
