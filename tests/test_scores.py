"""Value scores and the classes cut from them (C-06, C-18, C-19, S-14a)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention import (
    BlankValueError,
    DuplicateError,
    History,
    InvalidValueError,
    Purchase,
    PurchaseLog,
    UnknownMeasureError,
    UnpinnedPolicyError,
)
from retention.grades import ValueClass
from retention.mechanisms.policies import blank
from retention.mechanisms.rules import parse
from retention.presets import customer_operations, membership
from retention.scores import Factor, Score, Scored, Scoring
from retention.summaries import Attributes

AS_OF = date(2024, 12, 31)
FACTORS = ("amount", "frequency", "potential", "loyalty")
NOBODY = PurchaseLog.of([])


def scored(handbook: Any, name: str) -> Scored[Any]:  # noqa: ANN401
    found = handbook.segmentation.classification(name)
    assert isinstance(found, Scored)
    return found


MODEL = scored(customer_operations, "value_model")
BY_LIMITS = MODEL.with_all({"high.when": "value_score >= 70", "medium.when": "value_score >= 40"})


def person(name: str, values: Sequence[float | None]) -> History:
    return History(name, attributes=dict(zip(FACTORS, values, strict=True)))


def known(people: Sequence[History]) -> dict[str, Any]:
    columns: dict[str, Any] = {
        name: [
            np.nan if dict(x.attributes)[name] is None else dict(x.attributes)[name] for x in people
        ]
        for name in FACTORS
    }
    ids = [x.customer for x in people]
    return {
        "as_of": AS_OF,
        "customers": ids,
        "attributes": Attributes.from_columns(customer=ids, **columns),
    }


def weighted(*weights: float | str | Fraction) -> Scored[Any]:
    changes = {f"scoring.{name}.weight": x for name, x in zip(FACTORS, weights, strict=True)}
    return BY_LIMITS.with_all(changes)


# --- C-18: S-14a ----------------------------------------------------------------------------------

THEN, LATER = (0.8, 0.6, 0.5, 0.9), (0.5, 0.4, 0.5, 0.8)


@pytest.mark.rule("S-14a", "C-18")
@pytest.mark.parametrize(
    ("values", "weights", "score", "grade"),
    [
        (THEN, (0.25, 0.25, 0.25, 0.25), 70, ValueClass.HIGH),
        (THEN, (0.4, 0.3, 0.2, 0.1), 69, ValueClass.MEDIUM),
        (LATER, (0.25, 0.25, 0.25, 0.25), 55, ValueClass.MEDIUM),
        # other numbers, each beside a bound
        ((0.7, 0.7, 0.7, 0.7), (0.1, 0.2, 0.3, 0.4), 70, ValueClass.HIGH),
        ((0.1, 0.7, 0.3, 0.5), ("1/3", "1/6", "1/6", "1/3"), Fraction(110, 3), ValueClass.LOW),
        ((0.4, 0.4, 0.4, 0.4), ("1/3", "1/6", "1/6", "1/3"), 40, ValueClass.MEDIUM),
        (
            (0.399999, 0.4, 0.4, 0.4),
            (0.1, 0.2, 0.3, 0.4),
            Fraction(3999999, 100000),
            ValueClass.LOW,
        ),
        ((0, 0, 0, 0), (0.4, 0.3, 0.2, 0.1), 0, ValueClass.LOW),
        ((1, 1, 1, 1), (0.4, 0.3, 0.2, 0.1), 100, ValueClass.HIGH),
    ],
)
def test_scores_and_grades(
    values: Sequence[float],
    weights: Sequence[float | str],
    score: Fraction | int,
    grade: ValueClass,
) -> None:
    model, history = weighted(*weights), person("a", values)
    found = model.scoring.score(history, as_of=AS_OF)
    assert found.value == score
    exactly = [
        100 * Fraction(str(w)) * Fraction(str(v)) for w, v in zip(weights, values, strict=True)
    ]
    assert [x.points for x in found.contributions] == exactly
    assert sum(exactly) == score
    assert model.outcome(history, as_of=AS_OF).outcome is grade
    columns = model.scoring.scores(NOBODY, **known([history])).to_columns()
    assert columns["score"].tolist() == [float(score)]
    assert [columns[name][0] for name in FACTORS] == [float(x) for x in exactly]
    assert model.outcomes(NOBODY, **known([history])).decision("a").outcome is grade


@pytest.mark.rule("S-14a", "C-18", "C-06")
def test_a_grade_changes_with_the_next_quarter() -> None:
    before = BY_LIMITS.outcomes(NOBODY, **known([person("a", THEN)]))
    after = BY_LIMITS.outcomes(NOBODY, **known([person("a", LATER)]))
    assert after.compare(before).counts() == {("high", "medium"): 1}
    assert (
        after.explain("a")
        == "medium: value_score 55 is >= 40; not high: value_score 55 is not >= 70"
    )
    score = BY_LIMITS.scoring.score(person("a", LATER), as_of=AS_OF)
    assert str(score) == "55 (amount 12.5, frequency 10, potential 12.5, loyalty 20)"


@pytest.mark.rule("C-18")
def test_weights_must_sum_to_one() -> None:
    with pytest.raises(InvalidValueError, match="sum to 1"):
        MODEL.with_("scoring.amount.weight", 0.26)
    with pytest.raises(InvalidValueError, match="0 or more"):
        MODEL.with_all({"scoring.amount.weight": -0.25, "scoring.loyalty.weight": 0.75})
    with pytest.raises(InvalidValueError, match="1/3"):
        MODEL.with_("scoring.amount.weight", "a quarter")
    with pytest.raises(InvalidValueError, match="6 decimals"):
        Scoring("s", (Factor("a", 0.12345678, "a"), Factor("b", 0.87654322, "b")))
    with pytest.raises(DuplicateError):
        Scoring("s", (Factor("a", 0.5, "a"), Factor("a", 0.5, "b")))
    tenths = Scoring("s", tuple(Factor(f"f{n}", 0.1, f"f{n}") for n in range(10)))
    assert sum(x.share for x in tenths.factors) == 1  # as floats they sum to 0.9999999999999999
    assert Factor("a", Fraction(1, 3), "a").weight == "1/3"


@pytest.mark.rule("C-18")
def test_a_blank_weight_raises_when_it_is_used() -> None:
    halves = (Factor("a", blank("001: weights"), "a"), Factor("b", blank("001: weights"), "b"))
    scoring = Scoring("s", halves)
    with pytest.raises(BlankValueError, match=r"Factor\.weight"):
        scoring.of({"a": 1, "b": 1})
    filled = scoring.with_all({"a.weight": 0.5, "b.weight": 0.5})
    assert filled.of({"a": 1, "b": 0}).value == 50


@pytest.mark.rule("C-18")
def test_a_missing_factor_gives_no_score() -> None:
    people = [person("a", (0.8, None, 0.5, 0.9)), person("b", THEN)]
    score = MODEL.scoring.score(people[0], as_of=AS_OF)
    assert (score.value, score.missing, str(score)) == (
        None,
        ("frequency",),
        "no score: frequency missing",
    )
    assert [x.points for x in score.contributions][:2] == [20, None]
    columns = MODEL.scoring.scores(NOBODY, **known(people))
    assert np.isnan(columns.values[0])
    assert columns.values[1] == 70
    assert BY_LIMITS.outcome(people[0], as_of=AS_OF).outcome is ValueClass.LOW
    assert BY_LIMITS.outcomes(NOBODY, **known(people)).decision("a").outcome is ValueClass.LOW
    with pytest.raises(UnknownMeasureError):
        MODEL.scoring.score(History("a"), as_of=AS_OF)


@pytest.mark.rule("C-18")
@pytest.mark.parametrize("value", [1.01, -0.01, 80])
def test_a_factor_outside_its_range_is_refused(value: float) -> None:
    with pytest.raises(InvalidValueError, match="cap or rank_steps"):
        MODEL.scoring.score(person("a", (value, 0, 0, 0)), as_of=AS_OF)
    with pytest.raises(InvalidValueError, match="cap or rank_steps"):
        MODEL.scoring.scores(NOBODY, **known([person("a", (value, 0, 0, 0))]))


def test_text_is_no_factor() -> None:
    factor = Factor("a", 1, "a")
    with pytest.raises(InvalidValueError):
        factor.parts("much")
    with pytest.raises(InvalidValueError):
        factor.column(np.array(["much"]))


# --- how measures become factors ------------------------------------------------------------------

BY_CAP = (
    Factor("amount", 0.5, "spend_minor_1y", cap=1_000_00),
    Factor("frequency", 0.5, "purchases_1y", cap=4),
)


@pytest.mark.rule("C-18")
@pytest.mark.parametrize(
    ("amounts", "score"),
    [((), 0), ((250_00,), 25), ((250_00, 250_00), 50), ((2_000_00,), 62.5), ((1,) * 9, 50.0045)],
)
def test_measures_with_a_stated_cap(amounts: tuple[int, ...], score: float) -> None:
    scoring = Scoring("value_score", BY_CAP)
    facts = [Purchase("a", date(2024, 3, n + 1), x) for n, x in enumerate(amounts)]
    facts.append(Purchase("a", date(2023, 12, 31), 10**9))
    assert scoring.score(History("a", facts), as_of=AS_OF).value == Fraction(str(score))
    assert scoring.scores(PurchaseLog.of(facts), as_of=AS_OF).values.tolist() == [score]


RANKED = Scoring("value_score", (Factor("amount", 1, "spend_minor", rank_steps=100),))


@pytest.mark.rule("C-18", "C-06")
@pytest.mark.parametrize(
    ("amounts", "scores"),
    [
        ([40, 30, 20, 10], [100, 75, 50, 25]),
        ([40, 40, 20, 10], [100, 100, 50, 25]),  # ties share the best
        ([40, 30, 0, 0], [100, 75, 0, 0]),  # zero counts as zero
        ([5], [100]),
        ([9, 8, 7], [100, 66, 33]),  # whole percents, rounded down
    ],
)
def test_rank_shares_as_a_scale(amounts: list[int], scores: list[int]) -> None:
    facts = [Purchase(n, AS_OF, amount) for n, amount in enumerate(amounts)]
    log = PurchaseLog.of(facts)
    assert RANKED.scores(log, as_of=AS_OF).values.tolist() == scores
    pinned = RANKED.pin(log, as_of=AS_OF)
    assert pinned.pin(log, as_of=AS_OF) == pinned
    one_by_one = [pinned.score(History(x.customer, [x]), as_of=AS_OF).value for x in facts]
    assert one_by_one == scores
    with pytest.raises(UnpinnedPolicyError, match="pin"):
        RANKED.score(History(0, facts[:1]), as_of=AS_OF)


def test_a_scale_is_checked() -> None:
    with pytest.raises(InvalidValueError, match="one of the two"):
        Factor("a", 1, "a", cap=1, rank_steps=10)
    with pytest.raises(InvalidValueError, match="more than 0"):
        Factor("a", 1, "a", cap=0)
    with pytest.raises(InvalidValueError, match="1 or more"):
        Factor("a", 1, "a", rank_steps=0)
    with pytest.raises(InvalidValueError, match="customers to rank"):
        RANKED.pin(NOBODY, as_of=AS_OF)
    with pytest.raises(UnpinnedPolicyError, match="pin"):
        RANKED.factors[0].column(np.array([1.0]))


shares = st.one_of(st.none(), st.integers(0, 1), st.floats(0, 1), st.sampled_from([0.1, 0.7, 0.35]))


@pytest.mark.rule("C-18")
@given(st.lists(st.tuples(shares, shares, shares, shares), min_size=1, max_size=20))
def test_one_and_columns_are_equal(rows: list[tuple[float | None, ...]]) -> None:
    people = [person(f"c{n:02}", row) for n, row in enumerate(rows)]
    model = weighted(0.4, 0.3, "1/6", Fraction(2, 15))
    columns = model.scoring.scores(NOBODY, **known(people))
    grades = model.outcomes(NOBODY, **known(people))
    for row, history in enumerate(people):
        score = model.scoring.score(history, as_of=AS_OF)
        exactly = score.value
        assert np.array_equal(
            columns.values[row], np.nan if exactly is None else float(exactly), equal_nan=True
        )
        for each in score.contributions:
            found = columns.contributions[each.factor][row]
            assert np.array_equal(
                found, np.nan if each.points is None else float(each.points), equal_nan=True
            )
        assert exactly is None or 0 <= exactly <= 100
        one = model.outcome(history, as_of=AS_OF)
        assert one.outcome == grades.decision(history.customer).outcome
        if exactly is not None:  # the cut is exact: no float decides at the bound
            assert (one.outcome == "high") == (exactly >= 70)


@pytest.mark.rule("C-18")
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30), st.integers(1, 200))
def test_rank_shares_rise_with_the_amount(amounts: list[int], steps: int) -> None:
    scoring = Scoring("s", (Factor("amount", 1, "spend_minor", rank_steps=steps),))
    facts = [Purchase(n, AS_OF, amount) for n, amount in enumerate(amounts)]
    found = scoring.scores(PurchaseLog.of(facts), as_of=AS_OF).values.tolist()
    for amount, score in zip(amounts, found, strict=True):
        above = sum(other > amount for other in amounts)
        part = Fraction(len(amounts) - above, len(amounts)) * steps // 1 if amount else 0
        assert score == pytest.approx(100 * part / steps, abs=1e-4)


# --- C-06: classes by rank share of the score, or by limits ---------------------------------------


def ten() -> list[History]:
    return [person(f"c{n}", (1 - n / 10,) * 4) for n in range(10)]


@pytest.mark.rule("C-06", "VAR-02")
def test_value_grades_by_the_rank_of_the_score() -> None:
    people = ten()
    expected = ["high"] * 2 + ["medium"] * 3 + ["low"] * 5
    found = MODEL.outcomes(NOBODY, **known(people))
    assert [found.decision(x.customer).outcome for x in people] == expected
    pinned = MODEL.pin(NOBODY, **known(people))
    assert [pinned.outcome(x, as_of=AS_OF).outcome for x in people] == expected
    assert pinned.outcome(people[0], as_of=AS_OF).explain() == (
        "high: value_score 100 is >= 90 (value_score_share <= 0.2)"
    )
    with pytest.raises(UnpinnedPolicyError, match="value_score_share"):
        MODEL.outcome(people[0], as_of=AS_OF)
    again = pinned.outcomes(NOBODY, **known(people[5:]))  # against the pin, not among themselves
    assert again.counts() == {"high": 0, "medium": 0, "low": 5}


@pytest.mark.rule("C-06")
def test_cut_points_are_data() -> None:
    people = ten()
    ours = MODEL.with_all(
        {"high.when": "value_score_share <= 0.1", "medium.when": "value_score_share <= 0.9"}
    )
    assert ours.outcomes(NOBODY, **known(people)).counts() == {"high": 1, "medium": 8, "low": 1}
    assert BY_LIMITS.outcomes(NOBODY, **known(people)).counts() == {
        "high": 4, "medium": 3, "low": 3,
    }  # fmt: skip
    small = [person(f"c{n}", (0.5,) * 4) for n in range(3)]
    ceil = MODEL.with_("ranking.rounding", "ceil")
    assert MODEL.outcomes(NOBODY, **known(small)).counts()["low"] == 0  # all share rank 1
    assert ceil.outcomes(NOBODY, **known(ten()[:3])).counts() == {"high": 1, "medium": 1, "low": 1}
    assert MODEL.outcomes(NOBODY, **known(ten()[:3])).counts() == {"high": 0, "medium": 1, "low": 2}


@pytest.mark.rule("C-06")
def test_who_has_no_score_is_not_ranked() -> None:
    people = [*ten(), *(person(f"d{n}", (None, 1, 1, 1)) for n in range(90))]
    found = MODEL.outcomes(NOBODY, **known(people)).counts()
    assert found == {"high": 2, "medium": 3, "low": 95}
    nothing = [person(f"e{n}", (0, 0, 0, 0)) for n in range(4)]
    assert MODEL.outcomes(NOBODY, **known(nothing)).counts() == {"high": 0, "medium": 0, "low": 4}


@pytest.mark.rule("C-06", "C-18")
def test_a_value_model_from_purchases() -> None:
    ours = MODEL.with_all(
        {
            "population": parse("purchases >= 1"),
            "scoring.amount.measure": "spend_minor_1y",
            "scoring.amount.rank_steps": 100,
            "scoring.frequency.measure": "purchases_1y",
            "scoring.frequency.cap": 10,
        }
    )
    assert isinstance(ours, Scored)
    people = [
        History(
            f"c{n}",
            [Purchase(f"c{n}", AS_OF, 1000 * (10 - n)) for _ in range(10 - n)],
            attributes={"potential": 0.5, "loyalty": 0.5},
        )
        for n in range(11)
    ]
    log = PurchaseLog.of(fact for x in people for fact in x.purchases)
    ids = [x.customer for x in people]
    half = Attributes.from_columns(customer=ids, potential=[0.5] * 11, loyalty=[0.5] * 11)
    found = ours.outcomes(log, as_of=AS_OF, customers=ids, attributes=half)
    assert found.counts() == {"high": 2, "medium": 3, "low": 5}  # c10 bought nothing
    assert found.column("value_score").tolist() == [75 - 5 * n for n in range(10)]
    pinned = ours.pin(log, as_of=AS_OF, customers=ids, attributes=half)
    for history in people[:10]:
        assert (
            pinned.outcome(history, as_of=AS_OF).outcome == found.decision(history.customer).outcome
        )
    assert pinned.outcome(people[10], as_of=AS_OF).outcome is None


# --- C-19 -----------------------------------------------------------------------------------------


@pytest.mark.rule("C-19")
@pytest.mark.parametrize(
    ("values", "score"),
    [((0.9, 0.6, 0.3), 60), ((1, 1, 0), Fraction(200, 3)), ((0.1, 0.1, 0.1), 10)],
)
def test_the_value_score_of_a_member(values: tuple[float, ...], score: Fraction | int) -> None:
    model = scored(membership, "value_score")
    row = dict(zip(("spend", "profit", "potential"), values, strict=True))
    found = model.scoring.score(History("m", attributes=row), as_of=AS_OF)
    assert isinstance(found, Score)
    assert found.value == score
    assert [x.weight for x in found.contributions] == [Fraction(1, 3)] * 3
    assert sum(x.points or 0 for x in found.contributions) == score
    ours = model.with_all(
        {
            "scoring.spend.weight": 0.5,
            "scoring.profit.weight": 0.25,
            "scoring.potential.weight": 0.25,
            "high.when": parse("value_score >= 50"),
            "medium.when": parse("value_score >= 20"),
        }
    )
    other = 100 * sum(
        Fraction(str(x)) * Fraction(w, 4) for x, w in zip(values, (2, 1, 1), strict=True)
    )
    assert ours.scoring.score(History("m", attributes=row), as_of=AS_OF).value == other
    expected = "high" if other >= 50 else "medium" if other >= 20 else "low"
    assert ours.outcome(History("m", attributes=row), as_of=AS_OF).outcome == expected
    with pytest.raises(BlankValueError, match="value score"):
        model.outcome(History("m", attributes=row), as_of=AS_OF)


def test_what_is_not_foretold_says_so_and_blanks_do_not_stop_pinning() -> None:
    log = PurchaseLog.of([Purchase("c", date(2024, 1, 1), 100)])
    model = membership.segmentation
    assert model.pin(log, as_of=date(2024, 6, 30)) == model
    axis = customer_operations.segmentation.classification("value_model")
    for ask in (axis.due, axis.timeline):
        with pytest.raises(InvalidValueError, match="ask a score on"):
            ask(History("c"), **{"as_of" if ask == axis.due else "until": date(2024, 6, 30)})
