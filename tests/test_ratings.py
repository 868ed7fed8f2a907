"""Figures from ratings, their intervals, and the two complaint rates."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.complaint_rates import ComplaintRates, HandledCase
from retention.mechanisms.errors import (
    InvalidValueError,
    MissingExtraError,
    NaiveInstantError,
    UnequalColumnsError,
    WrongTypeError,
)
from retention.mechanisms.estimates import Change, Estimate, Verdict
from retention.mechanisms.intervals import adjusted_wald, student, wilson
from retention.mechanisms.kpis import KpiValue, Target
from retention.presets import ecommerce
from retention.presets._surveys import CSAT, NPS
from retention.ratings import Better, Figure, RatingMetric, Scale
from tests import catalogue
from tests.refusals import refused

SHANGHAI = ZoneInfo("Asia/Shanghai")
RATES = ecommerce.complaint_rates
EASY = RatingMetric("ces", Scale(1, 5, Better.LOWER), Figure.MEAN)


# --- satisfaction and recommendation ------------------------------------------------------------


@pytest.mark.rule("S-21a", "I-01")
def test_csat_as_written() -> None:
    figure = CSAT.of([5] * 30 + [4] * 15 + [3] * 5)
    assert (figure.value, figure.status) == (Fraction("4.5"), Verdict.MET)
    assert (figure.estimate.numerator, figure.estimate.denominator) == (225, 50)


@pytest.mark.rule("S-21a", "I-02")
def test_nps_as_written() -> None:
    figure = NPS.of([10] * 62 + [7] * 26 + [6] * 12)
    assert (figure.value, figure.status) == (Fraction(50), Verdict.MET)


@pytest.mark.rule("S-21a", "I-01", "I-02")
def test_a_rating_outside_the_scale_is_refused_and_no_rating_has_no_value() -> None:
    with refused(InvalidValueError, "rating", given=6):
        CSAT.of([5, 6])
    with refused(InvalidValueError, "rating", given=-1):
        NPS.of([-1])
    for wrong in (4.5, True, "5", None):
        with refused(WrongTypeError, "rating", given=wrong):
            CSAT.of([wrong])  # type: ignore[list-item]
    for metric in (CSAT, NPS):
        empty = metric.of([])
        assert (empty.value, empty.interval, empty.status) == (None, None, Verdict.UNDECIDED)


@pytest.mark.rule("S-21a", "I-01", "I-02")
@pytest.mark.parametrize(
    ("metric", "ratings", "value", "status"),
    [
        (CSAT, [4] * 9 + [5] * 9, Fraction(9, 2), Verdict.MET),
        (CSAT, [4] * 10 + [5] * 9, Fraction(85, 19), Verdict.MISSED),
        (NPS, [9, 9, 9, 0], 50, Verdict.MET),
        (NPS, [8, 8, 7], 0, Verdict.MISSED),
        (NPS, [0, 6], -100, Verdict.MISSED),
    ],
)
def test_other_numbers(
    metric: RatingMetric, ratings: list[int], value: Fraction, status: Verdict
) -> None:
    figure = metric.of(ratings)
    assert (figure.value, figure.status) == (value, status)


@pytest.mark.rule("AMB-16")
@pytest.mark.parametrize(("rating", "weight"), [(0, -1), (6, -1), (7, 0), (8, 0), (9, 1), (10, 1)])
def test_who_is_promoter_passive_or_detractor(rating: int, weight: int) -> None:
    assert NPS.of([rating]).value == 100 * weight


@pytest.mark.rule("I-01", "I-02")
def test_the_preset_is_the_block_of_002() -> None:
    block = catalogue.preset("ecommerce")["kpi"]
    for metric in (CSAT, NPS):
        wanted = block[metric.name]
        assert [metric.scale.lowest, metric.scale.highest] == wanted["scale"]
        assert metric.target is not None
        assert metric.target.low == Fraction(str(wanted["target"]))
    assert ecommerce.surveys.metrics == (CSAT, NPS)


def test_the_mean_and_the_share_are_two_metrics() -> None:
    share = RatingMetric("csat_share", Scale(1, 5), Figure.SHARE, good_from=4)
    assert share.of([5, 4, 3, 3]).value == Fraction(1, 2)
    with refused(InvalidValueError, "change_from"):
        share.of([5]).change_from(CSAT.of([5]), Change.POINTS)


def test_the_direction_of_a_scale_is_stored_and_followed() -> None:
    """The first effort score ran from 1, easy, to 5, hard; the second the other way."""
    old = RatingMetric("easy", Scale(1, 5, Better.LOWER), Figure.SHARE, good_from=2)
    new = RatingMetric("easy", Scale(1, 7), Figure.SHARE, good_from=5)
    assert old.of([1, 2, 3, 5]).value == new.of([7, 6, 4, 1]).value == Fraction(1, 2)
    assert old.definition != new.definition


def test_a_metric_says_which_bands_it_needs() -> None:
    with refused(InvalidValueError, "x.good_from"):
        RatingMetric("x", Scale(1, 5), Figure.SHARE)
    with refused(InvalidValueError, "x.bad_to"):
        RatingMetric("x", Scale(0, 10), Figure.NET, good_from=9)
    with refused(InvalidValueError, "x.bad_to", allowed="bands that do not overlap"):
        RatingMetric("x", Scale(0, 10), Figure.NET, good_from=6, bad_to=6)
    with refused(InvalidValueError, "Scale"):
        Scale(5, 1)
    with refused(InvalidValueError, "Target"):
        Target()
    with refused(InvalidValueError, "Target"):
        Target(at_least=2, at_most=1)


METRICS = (CSAT, NPS, EASY, RatingMetric("s", Scale(1, 5), Figure.SHARE, good_from=4))


@pytest.mark.rule("I-01", "I-02")
@given(st.data(), st.sampled_from(METRICS))
def test_one_group_is_the_row_of_many(data: st.DataObject, metric: RatingMetric) -> None:
    scale = metric.scale
    rows = data.draw(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.integers(scale.lowest - 1, scale.highest + 1)),
            max_size=30,
        )
    )
    found = metric.by([group for group, _ in rows], [rating for _, rating in rows])
    good = [(g, r) for g, r in rows if scale.lowest <= r <= scale.highest]
    assert sum(len(problem.rows) for problem in found.problems) == len(rows) - len(good)
    for name in "abc":
        one = metric.of(rating for group, rating in good if group == name)
        assert found.value(name) == one
    columns = found.to_columns()
    for row, name in enumerate(columns["group"].tolist()):
        assert columns["value"][row] == pytest.approx(float(found.value(name).value or 0))


def test_columns_take_nan_as_a_problem_and_refuse_texts() -> None:
    found = CSAT.by(["a", "a", "a"], np.array([5.0, np.nan, 4.5]))
    assert found.problems[0].rows == (1, 2)
    assert len(found) == 1
    assert len(CSAT.by([], [])) == 0
    with refused(WrongTypeError, "ratings"):
        CSAT.by(["a"], ["5"])
    with refused(UnequalColumnsError, "ratings"):
        CSAT.by(["a", "b"], [5])
    with refused(InvalidValueError, "counts"):
        CSAT.of_counts([1, 2])


@pytest.mark.rule("I-27", "AMB-10")
def test_the_gain_after_an_optimisation() -> None:
    before, after = CSAT.of([4] * 8 + [3] * 2), CSAT.of([4, 5] * 5)
    gain = CSAT.gain(before, after)
    assert gain.change == Fraction("4.5") - Fraction("3.8")
    assert (gain.before.estimate.denominator, gain.after.estimate.denominator) == (10, 10)
    assert CSAT.gain(before, after, Change.RELATIVE).change == Fraction(7, 38)
    assert CSAT.gain(CSAT.of([]), after).change is None
    assert NPS.gain(NPS.of([9, 0]), NPS.of([9, 9, 0, 8])).change == 25
    assert EASY.gain(EASY.of([4]), EASY.of([1])).change == 3  # less effort is a gain


# --- intervals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(hits: int, count: int, low: float, high: float) -> None:
    found = wilson(Estimate(hits, count))
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.degenerate is (hits == 0)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_the_interval_of_a_net_score_by_its_formula(up: int, level: int, down: int) -> None:
    found = adjusted_wald(up, level, down)
    count = up + level + down
    if not count:
        assert found is None
        return
    scores = [(1, up + 0.75), (0, level + 1.5), (-1, down + 0.75)]
    mean = sum(s * w for s, w in scores) / (count + 3)
    spread = sum(w * (s - mean) ** 2 for s, w in scores) / (count + 3)
    half = 1.959963984540054 * (spread / (count + 3)) ** 0.5
    assert found is not None
    assert found.low == pytest.approx(100 * max(mean - half, -1))
    assert found.high == pytest.approx(100 * min(mean + half, 1))
    assert found.degenerate is (count in {up, level, down})


def test_plain_agreement_does_not_collapse_the_interval() -> None:
    found = adjusted_wald(8, 0, 0)
    assert found is not None
    assert found.low < 60
    assert found.high == 100
    assert found.verdict(at_least=50) is Verdict.UNDECIDED


def test_the_t_interval_as_published() -> None:
    """Darwin's fifteen pairs of maize (Fisher, Design of Experiments, 1935): 0.0 to 41.8."""
    pairs = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    found = student(sum(pairs), sum(x * x for x in pairs), len(pairs))
    assert found is not None
    assert (round(found.low, 2), round(found.high, 1)) == (0.03, 41.8)
    assert student(5, 25, 1) is None
    alike = student(10, 50, 2)
    assert alike is not None
    assert alike.degenerate


def test_the_interval_of_a_mean_needs_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CSAT.of([4, 5]).interval is None
    assert CSAT.of([4, 5], interval=True).interval is not None
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with refused(MissingExtraError, given="scipy", allowed="stats"):
        CSAT.of([4, 5], interval=True)


def test_intervals_refuse_what_is_no_share() -> None:
    with refused(InvalidValueError, "wilson"):
        wilson(Estimate(5, 4))
    with refused(InvalidValueError, "adjusted_wald"):
        adjusted_wald(-1, 2, 0)
    with refused(InvalidValueError, "level"):
        wilson(Estimate(1, 4), level=Fraction(2))
    with refused(InvalidValueError, "student"):
        student(10, 1, 4)
    found = wilson(Estimate(1, 4))
    assert found is not None
    with refused(InvalidValueError, "verdict"):
        found.verdict()


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (Target(at_least=0.2), Verdict.MET),
        (Target(at_least=0.3), Verdict.UNDECIDED),
        (Target(at_least=0.4), Verdict.MISSED),
        (Target(at_most=0.2), Verdict.MISSED),
        (Target(at_most=0.4), Verdict.MET),
    ],
)
def test_whether_a_target_is_reached_for_sure(target: Target, said: Verdict) -> None:
    share = Estimate(60, 200)  # 30 %, from 24 to 37 %
    figure = KpiValue("x", "x", share, interval=wilson(share), target=target)
    assert figure.sure is said
    assert KpiValue("x", "x", share, target=target).sure is Verdict.UNDECIDED
    assert KpiValue("x", "x", share).sure is KpiValue("x", "x", share).status is None


# --- the two complaint rates --------------------------------------------------------------------

RECEIVED = datetime(2024, 6, 10, 9, tzinfo=SHANGHAI)
JUNE = {"since": date(2024, 6, 1), "until": date(2024, 6, 30)}
AFTER = datetime(2024, 7, 10, tzinfo=SHANGHAI)


@pytest.mark.rule("I-06")
@pytest.mark.parametrize(
    ("done", "said"),
    [
        (datetime(2024, 6, 11, 8, 30, tzinfo=SHANGHAI), Verdict.MET),
        (datetime(2024, 6, 11, 9, 0, 0, tzinfo=SHANGHAI), Verdict.MET),
        (datetime(2024, 6, 11, 9, 0, 1, tzinfo=SHANGHAI), Verdict.MISSED),
        (None, Verdict.MISSED),
    ],
)
def test_completed_in_24_hours_is_in_time(done: datetime | None, said: Verdict) -> None:
    assert RATES.timely_verdict(HandledCase(RECEIVED, done), as_of=AFTER) is said


@pytest.mark.rule("I-06", "I-07")
def test_june_of_002() -> None:
    quick, slow = timedelta(hours=20), timedelta(hours=30)
    cases = [
        HandledCase(RECEIVED, RECEIVED + (quick if n < 38 else slow), solved=n < 35)
        for n in range(40)
    ]
    timely = RATES.timely_rate(cases, **JUNE, as_of=AFTER)
    assert (timely.value, timely.status) == (Fraction(95, 100), Verdict.MET)
    resolved = RATES.resolved_rate(cases, **JUNE, as_of=AFTER)
    assert (resolved.value, resolved.status) == (Fraction(875, 1000), Verdict.MISSED)


@pytest.mark.rule("I-06", "AMB-24")
def test_young_open_cases_are_left_out_and_old_ones_count_as_late() -> None:
    as_of = datetime(2024, 6, 20, 12, tzinfo=SHANGHAI)
    cases = [
        HandledCase(as_of - timedelta(hours=48), as_of - timedelta(hours=40)),
        HandledCase(as_of - timedelta(hours=25)),  # open and late
        HandledCase(as_of - timedelta(hours=24)),  # open, at its limit
        HandledCase(as_of + timedelta(hours=1)),  # nobody knows of it yet
        HandledCase(as_of - timedelta(hours=30), as_of + timedelta(hours=1)),  # still open then
    ]
    figure = RATES.timely_rate(cases, **JUNE, as_of=as_of)
    assert (figure.estimate, figure.undecided) == (Estimate(1, 3), 1)
    done = RATES.with_("base", "completed").timely_rate(cases, **JUNE, as_of=as_of)
    assert (done.estimate, done.undecided) == (Estimate(1, 1), 0)


@pytest.mark.rule("I-06", "I-07")
def test_the_targets_are_those_of_002() -> None:
    block = catalogue.preset("ecommerce")["kpi"]
    assert RATES.timely is not None
    assert RATES.resolved is not None
    assert float(RATES.timely.low or 0) == block["complaint_timely"]["target"]
    assert f"{RATES.limit_hours}h" == block["complaint_timely"]["limit"]
    assert float(RATES.resolved.low or 0) == block["complaint_resolved"]["target"]


@pytest.mark.rule("I-07")
def test_nothing_confirmed_is_nothing_solved() -> None:
    cases = [HandledCase(RECEIVED, RECEIVED), HandledCase(RECEIVED, RECEIVED, solved=True)]
    assert RATES.resolved_rate(cases, **JUNE, as_of=AFTER).estimate == Estimate(1, 2)
    assert RATES.resolved_rate([], **JUNE, as_of=AFTER).value is None
    young = HandledCase(RECEIVED)
    figure = RATES.resolved_rate([young], **JUNE, as_of=RECEIVED + timedelta(hours=1))
    assert (figure.value, figure.undecided) == (None, 1)


HOURS = st.one_of(st.none(), st.integers(0, 60))


@pytest.mark.rule("I-06")
@given(
    rows=st.lists(st.tuples(st.integers(-40, 900), HOURS), max_size=25),
    now=st.integers(-10, 900),
    base=st.sampled_from(["received", "completed"]),
)
def test_one_by_one_and_in_columns(rows: list[tuple[int, int | None]], now: int, base: str) -> None:
    start = datetime(2024, 6, 1, tzinfo=SHANGHAI)
    rates = RATES.with_("base", base)
    as_of = start + timedelta(hours=now)
    cases = [
        HandledCase(
            start + timedelta(hours=came),
            None if took is None else start + timedelta(hours=came + took),
        )
        for came, took in rows
    ]

    def column(times: list[datetime | None]) -> np.ndarray:
        naive = [
            None if x is None else x.astimezone(ZoneInfo("UTC")).replace(tzinfo=None) for x in times
        ]
        return np.array(naive, "datetime64[us]")

    received, completed = column([x.received for x in cases]), column([x.completed for x in cases])
    many = rates.timely_rate_of(received, completed, **JUNE, as_of=as_of)
    assert many == rates.timely_rate(cases, **JUNE, as_of=as_of)
    met, missed, undecided = rates.timely_verdicts(received, completed, as_of=as_of)
    said = [rates.timely_verdict(case, as_of=as_of) for case in cases]
    assert met.tolist() == [x is Verdict.MET for x in said]
    assert missed.tolist() == [x is Verdict.MISSED for x in said]
    assert undecided.tolist() == [x is Verdict.UNDECIDED for x in said]


def test_rates_refuse_bad_times() -> None:
    for hours in (0, -1, 1.5, True):
        with refused(InvalidValueError, "ComplaintRates.limit_hours", given=hours):
            ComplaintRates(limit_hours=hours)  # type: ignore[arg-type]
    with refused(InvalidValueError, "completed"):
        HandledCase(RECEIVED, RECEIVED - timedelta(seconds=1))
    with refused(NaiveInstantError, "received"):
        HandledCase(datetime(2024, 6, 10, 9))
    with refused(InvalidValueError, "until"):
        RATES.timely_rate([], since=date(2024, 6, 2), until=date(2024, 6, 1), as_of=AFTER)
    with refused(UnequalColumnsError, "cases"):
        ComplaintRates().timely_verdicts([], ["2024-06-01"], as_of=AFTER)
