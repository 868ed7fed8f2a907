"""Deadlines as windows, their outcomes, and one due list."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from retention.mechanisms.errors import InvalidValueError, NaiveInstantError, WrongTypeError
from retention.mechanisms.obligations import (
    After,
    Days,
    Done,
    Every,
    Limit,
    Obligation,
    Outcome,
    Window,
    Within,
    agenda,
    judge,
    owed,
)
from retention.mechanisms.periods import When, day_edge, local_date, plus_months

SHANGHAI = ZoneInfo("Asia/Shanghai")
# Berlin and New York change their clocks at night, Sao Paulo and Havana did so at midnight,
# Lord Howe by half an hour; Apia left a whole day out.
ZONES = [
    ZoneInfo(name)
    for name in (
        "Asia/Shanghai",
        "Europe/Berlin",
        "America/New_York",
        "America/Sao_Paulo",
        "America/Havana",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "UTC",
    )
]
MAY_BECOME = {
    Outcome.PENDING: {Outcome.DUE, Outcome.ON_TIME, Outcome.MISSED, Outcome.LATE},
    Outcome.DUE: {Outcome.ON_TIME, Outcome.MISSED, Outcome.LATE},
    Outcome.MISSED: {Outcome.LATE},
    Outcome.ON_TIME: set(),
    Outcome.LATE: set(),
}


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def only(limit: Within | Days, since: When, zone: ZoneInfo = SHANGHAI) -> Window:
    (window,) = limit.windows(since, zone=zone)
    return window


def outcome(window: Window, done: list[When], as_of: When) -> str:
    return judge(window, done, as_of=as_of).outcome.value


# --- the numbers of the scenarios -----------------------------------------------------------------


@pytest.mark.rule("RC-02")
@pytest.mark.parametrize(  # S-01: welcome within 24 hours of 2024-03-01 10:00
    ("done", "as_of", "expected"),
    [
        (["2024-03-02 10:00:00"], "2024-03-05", "on_time"),
        (["2024-03-02 10:00:01"], "2024-03-05", "late"),
        (["2024-03-02 10:00:00.000001"], "2024-03-05", "late"),
        ([], "2024-03-02 10:00:00", "due"),
        ([], "2024-03-02 10:00:00.000001", "missed"),
        (["2024-03-01 09:59:59"], "2024-03-02 09:00", "due"),
        (["2024-03-02 09:00"], "2024-03-02 08:00", "due"),  # not known yet
        ([], "2024-03-01 09:59", "pending"),
    ],
)
def test_hours_end_with_their_instant(done: list[str], as_of: str, expected: str) -> None:
    window = only(Within(hours=24), at("2024-03-01 10:00"))
    assert window.closes == at("2024-03-02 10:00")
    assert outcome(window, [at(text) for text in done], at(as_of)) == expected


@pytest.mark.rule("RC-04")
@pytest.mark.parametrize(  # S-01: first follow-up one to three days after 2024-03-03 20:00
    ("done", "as_of", "expected"),
    [
        (["2024-03-03 21:00"], "2024-03-03 22:00", "pending"),
        (["2024-03-03 21:00"], "2024-03-04 00:00", "due"),  # too early does not fulfil it
        (["2024-03-03 21:00", "2024-03-06 18:00"], "2024-03-08", "on_time"),
        (["2024-03-04 00:00"], "2024-03-08", "on_time"),
        (["2024-03-06 23:59:59"], "2024-03-08", "on_time"),
        (["2024-03-07 00:00"], "2024-03-08", "late"),
        (["2024-03-03 21:00"], "2024-03-06 23:59", "due"),
        (["2024-03-03 21:00"], "2024-03-07 00:00", "missed"),
    ],
)
def test_a_window_of_days_opens_and_closes(done: list[str], as_of: str, expected: str) -> None:
    window = only(Days(1, 3), at("2024-03-03 20:00"))
    assert (window.opens, window.last_day) == (at("2024-03-04"), date(2024, 3, 6))
    assert outcome(window, [at(text) for text in done], at(as_of)) == expected


@pytest.mark.rule("RC-03")
@pytest.mark.parametrize(  # S-01: questionnaire within a week of 2024-03-02 15:30
    ("as_of", "expected"),
    [
        (at("2024-03-09 23:59:59"), "due"),
        (date(2024, 3, 9), "due"),
        (at("2024-03-10 00:00"), "missed"),
        (date(2024, 3, 10), "missed"),
    ],
)
def test_the_whole_of_the_last_date_counts(as_of: When, expected: str) -> None:
    window = only(Days(0, 7), at("2024-03-02 15:30"))
    assert window.last_day == date(2024, 3, 9)
    assert outcome(window, [], as_of) == expected


@pytest.mark.rule("RC-03")
@pytest.mark.parametrize(
    ("limit", "since", "last_day"),
    [
        (Days(0, 7), date(2024, 5, 31), date(2024, 6, 7)),  # S-05: notice
        (Days(0, 0, months=1), date(2024, 5, 31), date(2024, 6, 30)),  # S-05: telephone
        (Days(0, 0, months=1), date(2024, 1, 31), date(2024, 2, 29)),
        (Days(0, 0, months=1), date(2023, 1, 31), date(2023, 2, 28)),
        (Days(0, 0, months=12), date(2024, 2, 29), date(2025, 2, 28)),
        (Days(0, 0, months=12), date(2023, 2, 28), date(2024, 2, 28)),
        (Days(0, 1), date(2024, 2, 28), date(2024, 2, 29)),
        (Days(0, 1), date(2023, 2, 28), date(2023, 3, 1)),
        (Days(0, 3, months=1), date(2024, 1, 30), date(2024, 3, 3)),
        (Days(0, 0), date(2024, 12, 31), date(2024, 12, 31)),
    ],
)
def test_months_are_clamped_to_their_end(limit: Days, since: date, last_day: date) -> None:
    window = only(limit, since)
    assert window.last_day == last_day
    assert outcome(window, [last_day], last_day) == "on_time"
    assert outcome(window, [], last_day) == "due"
    assert outcome(window, [], last_day + timedelta(days=1)) == "missed"


@pytest.mark.rule("RC-07")
@pytest.mark.parametrize(
    ("months", "visits", "expected"),
    [
        # S-11, 2024: a high grade is telephoned and visited each quarter ...
        (3, ["01-15", "04-02", "07-30", "11-11"], ["on_time"] * 4),
        (3, ["03-31", "05-20", "12-01"], ["on_time", "on_time", "missed", "on_time"]),
        # ... a medium one telephoned each half year, a low one written to each year
        (6, ["06-30", "07-01"], ["on_time", "on_time"]),
        (12, ["12-31"], ["on_time"]),
        (1, ["01-01", "01-31", "03-01"], ["on_time", "missed", "on_time", *["missed"] * 9]),
        (3, [], ["missed"] * 4),
    ],
)
def test_once_in_each_calendar_period(months: int, visits: list[str], expected: list[str]) -> None:
    done: list[When] = [date.fromisoformat(f"2024-{day}") for day in visits]
    end = date(2024, 12, 31)
    windows = Every(months=months).windows(date(2024, 1, 1), zone=SHANGHAI, until=end)
    assert [outcome(x, done, date(2025, 1, 1)) for x in windows] == expected


@pytest.mark.rule("RC-07")
def test_a_change_of_grade_counts_what_its_period_already_holds() -> None:  # S-11, 2024-08-15
    telephone = Every(months=3).windows(date(2024, 8, 15), zone=SHANGHAI, until=date(2024, 12, 31))
    found = [outcome(x, [date(2024, 7, 1)], date(2024, 8, 15)) for x in telephone]
    assert found == ["on_time", "pending"]
    on_site = Every(months=3).windows(date(2024, 8, 15), zone=SHANGHAI, until=date(2024, 12, 31))
    assert [outcome(x, [], date(2024, 8, 15)) for x in on_site] == ["due", "pending"]


@pytest.mark.rule("RC-07")
def test_news_on_the_first_days_of_each_month() -> None:  # S-26
    news = Every(months=1, last_day=5)
    windows = list(news.windows(date(2024, 1, 1), zone=SHANGHAI, until=date(2024, 12, 31)))
    assert len(windows) == 12
    assert {(local_date(x.opens, SHANGHAI).day, x.last_day.day) for x in windows} == {(1, 5)}
    done: list[When] = [at("2024-03-05 23:59"), date(2024, 4, 6)]
    found = [outcome(x, done, date(2024, 5, 5)) for x in windows[1:6]]
    assert found == ["missed", "on_time", "late", "due", "pending"]


@pytest.mark.rule("RC-07")
@pytest.mark.parametrize(
    ("cadence", "expected"),
    [
        # S-26: the annual report from 15 to 31 December
        (Every(months=12, first_day=-17), [("2024-12-15", "2024-12-31")]),
        (
            Every(months=6, first_day=1, last_day=10),
            [("2024-01-01", "2024-01-10"), ("2024-07-01", "2024-07-10")],
        ),
        (
            Every(months=6, first_day=-1),
            [("2024-06-30", "2024-06-30"), ("2024-12-31", "2024-12-31")],
        ),
        (Every(months=12, first_day=28, last_day=28), [("2024-01-28", "2024-01-28")]),
    ],
)  # fmt: skip
def test_days_inside_a_period(cadence: Every, expected: list[tuple[str, str]]) -> None:
    windows = cadence.windows(date(2024, 1, 1), zone=SHANGHAI, until=at("2024-12-31 12:00"))
    found = [(str(local_date(x.opens, SHANGHAI)), str(x.last_day)) for x in windows]
    assert found == expected


@pytest.mark.rule("RC-07")
def test_the_rolling_alternative_counts_from_the_last_one() -> None:
    visits: list[When] = [date(2024, 1, 15), date(2024, 6, 1), date(2024, 6, 1), date(2024, 8, 31)]
    windows = list(After(months=3).windows(date(2024, 1, 1), zone=SHANGHAI, done=visits))
    assert [str(x.last_day) for x in windows] == [
        "2024-04-01",
        "2024-04-15",
        "2024-09-01",
        "2024-11-30",
    ]
    found = [outcome(x, visits, date(2024, 12, 1)) for x in windows]
    assert found == ["on_time", "late", "on_time", "missed"]
    calendar = Every(months=3).windows(date(2024, 1, 1), zone=SHANGHAI, until=date(2024, 9, 30))
    assert [outcome(x, visits, date(2024, 12, 1)) for x in calendar] == ["on_time"] * 3


def test_an_interval_of_days() -> None:
    (first,) = After(days=30).windows(at("2024-01-31 23:00"), zone=SHANGHAI)
    assert (first.opens, first.last_day) == (at("2024-02-01"), date(2024, 3, 1))


# --- RC-12 ----------------------------------------------------------------------------------------


@pytest.mark.rule("RC-12")
def test_each_of_the_five_outcomes() -> None:
    window = only(Days(1, 3), date(2024, 3, 3))
    inside, after = date(2024, 3, 5), date(2024, 3, 9)
    asked: list[tuple[list[When], date]] = [
        ([], date(2024, 3, 3)),
        ([], inside),
        ([inside], after),
        ([after], after),
        ([], after),
    ]
    found = [judge(window, done, as_of=as_of).outcome for done, as_of in asked]
    assert found == list(Outcome)
    assert [x.label("zh") for x in Outcome] == [
        "未开始",
        "待办",
        "按时完成",
        "逾期完成",
        "逾期未办",
    ]


@pytest.mark.rule("RC-12")
def test_the_first_that_fits_decides() -> None:
    window = only(Days(1, 3), date(2024, 3, 3))
    found = judge(
        window, [date(2024, 3, 9), date(2024, 3, 5), date(2024, 3, 2)], as_of=date(2024, 4, 1)
    )
    assert (found.outcome, found.done) == (Outcome.ON_TIME, at("2024-03-05"))


instants = st.datetimes(datetime(2010, 1, 1), datetime(2026, 1, 1)).map(
    lambda x: x.replace(tzinfo=UTC)
)
days = st.dates(date(2010, 1, 1), date(2026, 1, 1))
zones = st.sampled_from(ZONES)
cadences = st.sampled_from((1, 2, 3, 4, 6, 12)).map(lambda months: Every(months=months))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Windows of every limit, also narrow ones and those with an end for what is late."""
    zone = draw(zones)
    kind = draw(st.integers(0, 3))
    if kind == 0:
        hours = draw(st.integers(0, 200))
        return only(Within(hours=hours, minutes=draw(st.integers(1, 59))), draw(instants), zone)
    if kind == 1:
        first = draw(st.integers(0, 40))
        return only(Days(first, first + draw(st.integers(0, 40))), draw(days | instants), zone)
    if kind == 2:
        last, months = draw(st.integers(0, 5)), draw(st.integers(1, 30))
        return only(Days(0, last, months=months), draw(days | instants), zone)
    since = draw(days)
    limit = Every(
        months=draw(st.sampled_from((1, 3, 12))), last_day=draw(st.sampled_from((5, 28, -1, -3)))
    )
    return next(limit.windows(since, zone=zone, until=since))


@st.composite
def moments(draw: st.DrawFn, window: Window) -> When:
    """Instants around the edges of a window, or dates where dates are enough."""
    edge = draw(st.sampled_from([window.opens, window.closes, window.late_until or window.closes]))
    steps = st.sampled_from(
        [
            timedelta(0),
            timedelta(microseconds=1),
            timedelta(hours=5),
            timedelta(days=1),
            timedelta(days=9),
        ]
    )
    moment = edge + draw(steps) * draw(st.sampled_from([1, -1]))
    return local_date(moment, window.zone) if draw(st.booleans()) and not window.hours else moment


def ends(when: When, zone: ZoneInfo) -> datetime:
    """The instant up to which a point of view knows what happened."""
    if isinstance(when, datetime):
        return when.astimezone(UTC)
    return day_edge(when + timedelta(days=1), zone) - timedelta(microseconds=1)


@pytest.mark.rule("RC-12")
@given(st.data())
def test_an_outcome_is_never_taken_back(data: st.DataObject) -> None:
    window = data.draw(windows())
    around = moments(window)
    done = data.draw(st.lists(around, max_size=4))
    asked = data.draw(st.lists(around, min_size=2, max_size=6))
    asked.sort(key=lambda when: ends(when, window.zone))
    found = [judge(window, done, as_of=when) for when in asked]
    for one, after in pairwise(found):
        assert after.outcome is one.outcome or after.outcome in MAY_BECOME[one.outcome]
        assert one.done is None or after.done == one.done
    for each in found:
        assert (each.done is not None) == (each.outcome in {Outcome.ON_TIME, Outcome.LATE})


@pytest.mark.rule("RC-12")
@given(st.data())
def test_an_outcome_does_not_depend_on_the_order_of_the_facts(data: st.DataObject) -> None:
    window = data.draw(windows())
    done = data.draw(st.lists(moments(window), max_size=3))
    as_of = data.draw(moments(window))
    found = {judge(window, order, as_of=as_of).outcome for order in permutations(done)}
    assert len(found) == 1


@pytest.mark.rule("RC-12", "RC-02", "RC-03", "RC-04")
@given(st.data())
def test_outcomes_of_instants_by_their_words(data: st.DataObject) -> None:
    """Judged once more, by the sentence of RC-12 and nothing else."""
    window = data.draw(windows())
    moment = moments(window).map(lambda x: ends(x, window.zone))
    done, now = data.draw(st.lists(moment, max_size=3)), data.draw(moment)
    over = window.closes < now if window.hours else window.closes <= now
    fits = [x for x in done if window.opens <= x <= now]
    fits = [x for x in fits if window.late_until is None or x < window.late_until]
    soon = [x for x in fits if (x <= window.closes if window.hours else x < window.closes)]
    expected = (
        "on_time" if soon
        else "late" if fits
        else "pending" if now < window.opens
        else "missed" if over
        else "due"
    )  # fmt: skip
    assert outcome(window, list(done), now) == expected


@given(days, st.integers(0, 40), st.integers(0, 40), zones, st.integers(-3, 90))
@pytest.mark.rule("RC-03", "RC-04")
def test_days_are_local_dates_whatever_the_clocks_do(
    since: date, first: int, more: int, zone: ZoneInfo, on: int
) -> None:
    window = only(Days(first, first + more), since, zone)
    when = since + timedelta(days=on)
    assume(zone.key != "Pacific/Apia" or abs(when - date(2011, 12, 30)) > timedelta(days=1))
    expected = "pending" if on < first else "on_time" if on <= first + more else "late"
    assert outcome(window, [when], when) == expected
    noon = datetime(when.year, when.month, when.day, 12, tzinfo=zone)
    assert outcome(window, [noon], noon) == expected
    assume(zone.key != "Pacific/Apia")
    assert window.last_day == since + timedelta(days=first + more)


@given(instants, st.integers(1, 200), zones)
@pytest.mark.rule("RC-02")
def test_hours_are_elapsed_whatever_the_clocks_do(
    since: datetime, hours: int, zone: ZoneInfo
) -> None:
    window = only(Within(hours=hours), since.astimezone(zone), zone)
    assert window.closes.astimezone(UTC) - since == timedelta(hours=hours)


@pytest.mark.rule("RC-02")
def test_a_day_of_23_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    window = only(Within(hours=24), at("2024-03-30 12:00", berlin), berlin)
    assert window.closes == at("2024-03-31 13:00", berlin)
    days_window = only(Days(0, 1), at("2024-03-30 12:00", berlin), berlin)
    assert days_window.closes == at("2024-04-01 00:00", berlin)


@given(cadences, days, st.integers(0, 900), zones)
@pytest.mark.rule("RC-07")
def test_the_windows_of_a_cadence_tile_the_calendar(
    cadence: Every, since: date, length: int, zone: ZoneInfo
) -> None:
    until = since + timedelta(days=length)
    found = list(cadence.windows(since, zone=zone, until=until))
    for one, after in pairwise(found):
        assert one.closes == one.late_until == after.opens
    assert found[0].opens <= day_edge(since, zone)
    assert found[-1].opens <= day_edge(until, zone) < found[-1].closes
    assert len(found) == len({number(x, cadence.months) for x in every_day(since, until)})
    when = day_edge(since + timedelta(days=length // 2), zone)
    assert [x.takes(when) for x in found].count(True) == 1


def every_day(since: date, until: date) -> list[date]:
    return [since + timedelta(days=n) for n in range((until - since).days + 1)]


def number(day: date, months: int) -> int:
    return (day.year * 12 + day.month - 1) // months


@given(days, st.integers(1, 24), st.lists(st.integers(1, 900), max_size=6), zones)
@pytest.mark.rule("RC-07")
def test_an_interval_is_counted_from_the_occurrence_before(
    since: date, months: int, gaps: list[int], zone: ZoneInfo
) -> None:
    assume(zone.key != "Pacific/Apia")
    done = [since + timedelta(days=sum(gaps[: n + 1])) for n in range(len(gaps))]
    found = list(After(months=months).windows(since, zone=zone, done=done))
    starts = [since, *done]
    assert [x.last_day for x in found] == [plus_months(start, months) for start in starts]
    for start, window, next_one in zip(starts, found, [*done, None], strict=True):
        in_time = next_one is not None and next_one <= plus_months(start, months)
        expected = "missed" if next_one is None else "on_time" if in_time else "late"
        assert outcome(window, list(done), date(2080, 1, 1)) == expected


# --- instants and dates ---------------------------------------------------------------------------


@pytest.mark.rule("RC-02")
def test_a_rule_counted_in_hours_refuses_a_date() -> None:
    window = only(Within(hours=24), at("2024-03-01 10:00"))
    with pytest.raises(WrongTypeError, match="counts hours"):
        list(Within(hours=24).windows(date(2024, 3, 1), zone=SHANGHAI))
    with pytest.raises(WrongTypeError, match="counts hours"):
        judge(window, [], as_of=date(2024, 3, 2))
    with pytest.raises(WrongTypeError, match="counts hours"):
        judge(window, [date(2024, 3, 2)], as_of=at("2024-03-02"))


def test_something_done_on_a_date() -> None:
    window = only(Days(0, 3), at("2024-03-03 20:00"))
    assert (
        outcome(window, [date(2024, 3, 3)], date(2024, 3, 3)) == "on_time"
    )  # not before it opened
    assert judge(window, [date(2024, 3, 3)], as_of=date(2024, 3, 3)).done == at("2024-03-03 20:00")
    assert outcome(window, [date(2024, 3, 2)], date(2024, 3, 3)) == "due"
    assert outcome(window, [date(2024, 3, 6)], at("2024-03-06 00:00")) == "on_time"
    assert outcome(window, [date(2024, 3, 7)], date(2024, 3, 7)) == "late"
    narrow = only(Days(1, 1), date(2024, 3, 3))
    assert outcome(narrow, [date(2024, 3, 4)], date(2024, 3, 4)) == "on_time"


NAIVE: Any = datetime(2024, 3, 1, 10)


@pytest.mark.parametrize("wrong", [None, "2024-03-01", 20240301, NAIVE])
def test_what_is_no_moment_is_refused(wrong: Any) -> None:  # noqa: ANN401
    window = only(Days(0, 7), date(2024, 3, 1))
    limits: tuple[Limit, ...] = (Within(hours=1), Days(0, 7), Every(months=1), After(days=1))
    errors = (WrongTypeError, NaiveInstantError)
    for limit in limits:  # an obligation without a trigger has no window
        with pytest.raises(errors):
            owed(
                limit,
                wrong,
                subject="c",
                what="call",
                rule="F-13",
                zone=SHANGHAI,
                until=date(2024, 3, 1),
            )
    with pytest.raises(errors):
        judge(window, [], as_of=wrong)
    with pytest.raises(errors):
        judge(window, [wrong], as_of=date(2024, 3, 1))
    with pytest.raises(errors):
        list(Every(months=1).windows(date(2024, 3, 1), zone=SHANGHAI, until=wrong))
    with pytest.raises(errors):
        list(After(days=1).windows(date(2024, 3, 1), zone=SHANGHAI, done=[wrong]))
    with pytest.raises(errors):
        Done("c", "call", wrong)
    with pytest.raises(errors):
        Window(wrong, at("2024-03-01"), SHANGHAI)
    if wrong is not None:
        with pytest.raises(errors):
            Obligation("c", "call", window, "F-13", trigger=wrong)


# --- what is no limit -----------------------------------------------------------------------------


@pytest.mark.parametrize("months", [0, -1, 5, 7, 8, 9, 10, 11, 13, 24])
def test_a_period_divides_the_year(months: int) -> None:
    with pytest.raises(InvalidValueError, match="1, 2, 3, 4, 6 or 12"):
        Every(months=months)


@pytest.mark.parametrize(
    ("months", "first", "last"),
    [
        (12, 1, 29), (12, 29, -1), (1, 0, 5), (1, 1, -29),  # no month has such a day, or not each
        (1, 6, 5), (1, -1, -2), (3, -1, 5), (1, -5, 3), (1, 28, -2), (1, -3, 28),
    ],
)  # fmt: skip
def test_days_that_a_period_may_not_have_are_refused(months: int, first: int, last: int) -> None:
    with pytest.raises(InvalidValueError):
        Every(months=months, first_day=first, last_day=last)


@given(
    st.sampled_from((1, 2, 3, 4, 6, 12)),
    st.integers(-28, 28),
    st.integers(-28, 28),
    st.integers(0, 2_000),
)
def test_a_cadence_that_is_taken_never_closes_before_it_opens(
    months: int, first: int, last: int, until: int
) -> None:
    try:
        cadence = Every(months=months, first_day=first, last_day=last)
    except InvalidValueError:
        return
    start = date(2023, 1, 1)
    assert list(cadence.windows(start, zone=SHANGHAI, until=start + timedelta(days=until)))


@pytest.mark.parametrize("given_", [(-1, 3, 0), (3, 1, 0), (0, 1, -1), (1, 3, 1)])
def test_days_that_make_no_window_are_refused(given_: tuple[int, int, int]) -> None:
    first, last, months = given_
    with pytest.raises(InvalidValueError):
        Days(first, last, months=months)


def test_no_time_is_no_limit() -> None:
    for wrong in ({}, {"hours": -1}, {"hours": 2, "minutes": -1}, {"minutes": 0}):
        with pytest.raises(InvalidValueError):
            Within(**wrong)
    for wrong in ({}, {"months": -1}, {"months": 1, "days": -1}):
        with pytest.raises(InvalidValueError):
            After(**wrong)


def test_a_window_that_closes_before_it_opens_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"Window\.closes"):
        Window(at("2024-03-02"), at("2024-03-01"), SHANGHAI)
    with pytest.raises(InvalidValueError, match=r"Window\.late_until"):
        Window(at("2024-03-01"), at("2024-03-03"), SHANGHAI, late_until=at("2024-03-02"))
    dated: Any = date(2024, 3, 1)
    with pytest.raises(WrongTypeError):
        Window(dated, dated, SHANGHAI)


# --- X-04 -----------------------------------------------------------------------------------------


@pytest.mark.rule("X-04")
def test_an_obligation_says_all_of_it() -> None:
    (task,) = owed(
        Days(1, 3), at("2024-03-03 20:00"), subject="C-17", what="first_follow_up", rule="F-13",
        zone=SHANGHAI, channels=("phone", "visit"), who="C-17's manager",
    )  # fmt: skip
    assert task.trigger == at("2024-03-03 20:00")
    assert (task.window.opens, task.window.last_day) == (at("2024-03-04"), date(2024, 3, 6))
    assert (task.channels, task.rule, task.who) == (("phone", "visit"), "F-13", "C-17's manager")
    (item,) = agenda([task], as_of=date(2024, 3, 5))
    assert str(item) == "2024-03-06 due: first_follow_up via phone, visit for C-17 (F-13)"
    good: dict[str, Any] = {"what": "call", "rule": "F-13", "window": task.window}
    for name in ("what", "rule"):
        with pytest.raises(InvalidValueError, match=name):
            Obligation("c", **good | {name: ""})


@pytest.mark.rule("X-04")
def test_one_due_list_over_all_areas() -> None:
    def task(
        subject: str, what: str, limit: Limit, since: When, *channels: str
    ) -> tuple[Obligation, ...]:
        return owed(
            limit, since, subject=subject, what=what, rule="D-14", zone=SHANGHAI,
            until=date(2024, 6, 30), channels=channels,
        )  # fmt: skip

    tasks = [
        *task("b", "visit", Every(months=3), date(2024, 1, 1), "on_site"),
        *task("a", "notice", Days(0, 7), date(2024, 6, 1), "email", "sms"),
        *task("a", "call", Days(0, 0, months=1), date(2024, 5, 31)),
        *task("c", "notice", Days(0, 7), date(2024, 5, 1)),
    ]
    done = [
        Done("a", "notice", date(2024, 6, 3), "letter"),  # not by a channel that counts
        Done("a", "notice", date(2024, 6, 4), "sms"),
        Done("b", "visit", date(2024, 3, 31), "on_site"),
        Done("b", "call", date(2024, 6, 20)),
        Done("x", "visit", date(2024, 6, 20), "on_site"),
    ]
    found = agenda(tasks, done, as_of=date(2024, 6, 20))
    assert [str(item) for item in found] == [
        "2024-05-08 missed: notice for c (D-14)",
        "2024-06-30 due: call for a (D-14)",
        "2024-06-30 due: visit via on_site for b (D-14)",
    ]
    closed = agenda(tasks, done, as_of=date(2024, 6, 20), outcomes={Outcome.ON_TIME})
    assert [(x.obligation.subject, x.done) for x in closed] == [
        ("b", at("2024-03-31")),
        ("a", at("2024-06-04")),
    ]


@pytest.mark.rule("X-04")
def test_a_regular_period_counts_its_own_occurrences() -> None:
    done = [
        Done("c", "care", date(2024, 2, 1), "email"),
        Done("c", "care", date(2024, 2, 20), "poster"),
        Done("c", "call", date(2024, 3, 1), "email"),
        Done("d", "care", date(2024, 3, 1), "email"),
    ]
    tasks = owed(
        After(months=1), date(2024, 1, 1), subject="c", what="care", rule="F-50", zone=SHANGHAI,
        done=done, channels=("email",),
    )  # fmt: skip
    assert [str(x.window.last_day) for x in tasks] == ["2024-02-01", "2024-03-01"]
    with pytest.raises(WrongTypeError, match="until"):
        owed(
            Every(months=1), date(2024, 1, 1), subject="c", what="care", rule="F-50", zone=SHANGHAI
        )


@pytest.mark.rule("X-04")
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["call", "visit"]), windows()), max_size=8
    ),
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["call", "visit"]), instants), max_size=8
    ),
    instants,
)
def test_the_agenda_is_sorted_and_complete(
    tasks: list[tuple[int, str, Window]], facts: list[tuple[int, str, datetime]], as_of: datetime
) -> None:
    obligations = [Obligation(who, what, window, "X-04") for who, what, window in tasks]
    done = [Done(*fact) for fact in facts]
    items = agenda(obligations, done, as_of=as_of, outcomes=frozenset(Outcome))
    assert sorted(map(repr, (x.obligation for x in items))) == sorted(map(repr, obligations))
    assert [x.obligation.window.closes for x in items] == sorted(
        x.window.closes for x in obligations
    )
    for item in items:
        task = item.obligation
        mine = [x.at for x in done if (x.subject, x.what) == (task.subject, task.what)]
        assert item.outcome is judge(task.window, mine, as_of=as_of).outcome
    still = agenda(obligations, done, as_of=as_of)
    assert still == tuple(x for x in items if x.outcome not in {Outcome.ON_TIME, Outcome.LATE})
    again = agenda(obligations[::-1], done[::-1], as_of=as_of)
    assert {repr(x) for x in again} == {repr(x) for x in still}
