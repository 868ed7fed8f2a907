"""The service desk: sessions, hand-over, answers in time, the queue, what a text is about."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest

from retention.case_clocks import ClockRule
from retention.handovers import Contact, HandoverBrief, handover_brief
from retention.intake import Entry
from retention.intents import (
    IntentKeywords,
    KeywordIntents,
    Recogniser,
    Recognition,
    normalised,
    occurrences,
)
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.errors import (
    BlankValueError,
    DuplicateError,
    InvalidValueError,
    NaiveInstantError,
    UnequalColumnsError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.estimates import Verdict
from retention.mechanisms.obligations import Days, Outcome, Within
from retention.mechanisms.workflows import Act
from retention.presets import ecommerce, membership, new_measures
from retention.session_rates import (
    bot_solved,
    bot_solved_rate,
    bot_solved_rate_of,
    response_rate,
    response_rate_of,
    responses,
)
from retention.sessions import SESSION, Open, ServiceDesk, ServiceSession
from retention.triage import QueueOrder, Waiting
from tests import catalogue
from tests.refusals import refused

SHANGHAI = ZoneInfo("Asia/Shanghai")
DESK = ecommerce.service.desk
INTENTS = ecommerce.service.intents
TEN = datetime(2024, 6, 10, 10, tzinfo=SHANGHAI)
DAY = date(2024, 6, 10)
LATER = TEN + timedelta(days=1)


def opened(at: datetime = TEN, *, name: str = "S-1", channel: str = "app") -> ServiceSession:
    command = Open(session=name, customer="C-1", channel=channel, at=at)
    return DESK.decide(None, command).or_raise().state


def do(
    session: ServiceSession,
    name: str,
    seconds: float,
    /,
    brief: HandoverBrief | None = None,
    **brings: Any,  # noqa: ANN401
) -> ServiceSession:
    at = TEN + timedelta(seconds=seconds)
    return (
        DESK.decide(session, Act(name, at=at, by="li", brings=brings), brief=brief).or_raise().state
    )


def no(
    session: ServiceSession,
    name: str,
    seconds: float = 600,
    /,
    brief: HandoverBrief | None = None,
    **brings: Any,  # noqa: ANN401
) -> Refused:
    at = TEN + timedelta(seconds=seconds)
    answer = DESK.decide(session, Act(name, at=at, by="li", brings=brings), brief=brief)
    assert isinstance(answer, Refused)
    return answer


def brief_at(seconds: float, *known: Contact, customer: str = "C-1") -> HandoverBrief:
    return handover_brief(customer, known, at=TEN + timedelta(seconds=seconds))


def with_bot(seconds: float = 30, intent: str = "logistics", name: str = "S-1") -> ServiceSession:
    return do(opened(name=name), "recognise", seconds, intent=intent)


def handed_over(seconds: float = 60) -> ServiceSession:
    return do(with_bot(), "hand_over", seconds, brief_at(seconds))


# --- the machine ----------------------------------------------------------------------------------

WORDS = {
    "intent": "recognise",
    "solved": "solve",
    "cannot": "hand_over",
    "answer": "answer",
    "open case": "open_case",
    "leave": "leave",
}
OPEN = ("opened", "bot", "handed_over", "human")


@pytest.mark.rule("SM-27")
def test_the_way_of_a_session_is_the_catalogue_s() -> None:
    states, transitions = catalogue.machine("SM-27")
    assert [str(state) for state in SESSION.states] == states
    *lines, last = transitions
    assert last == "any open -leave→ abandoned"
    wanted = {(a, WORDS[what], b) for a, what, b in catalogue.edges(lines)}
    wanted |= {(state, "leave", "abandoned") for state in OPEN}
    assert {(str(x.source), str(x.command), str(x.target)) for x in SESSION.steps} == wanted
    assert any("[history attached]" in line for line in lines)
    (hand_over,) = (x for x in SESSION.steps if str(x.command) == "hand_over")
    assert hand_over.needs == {"history_attached"}


@pytest.mark.rule("SM-27")
def test_no_state_of_a_session_is_lost_and_no_command_unused() -> None:
    first = next(iter(SESSION.states))
    assert SESSION.unreachable(first) == frozenset()
    assert SESSION.unused() == ()
    assert {str(x) for x in SESSION.dead_ends()} == {"resolved", "transferred", "abandoned"}
    assert all(x.zh for x in (*SESSION.states, *SESSION.commands))
    for trial in SESSION.matrix():
        if isinstance(trial.answer, Refused):
            assert trial.answer.allowed == SESSION.allowed(trial.state)


# --- H-31: the bot first --------------------------------------------------------------------------


@pytest.mark.rule("H-31")
def test_the_bot_comes_first_and_hands_over_what_it_cannot_solve() -> None:
    session = opened()
    for name in ("solve", "hand_over", "answer", "open_case"):
        refusal = no(session, name)
        assert (refusal.code, refusal.allowed) == (Code.NOT_POSSIBLE, ("recognise", "leave"))
    assert no(session, "recognise").missing == ("intent",)
    session = with_bot()
    assert str(session.state) == "bot"
    assert no(session, "answer").allowed == ("solve", "hand_over", "leave")
    assert str(do(session, "solve", 90).state) == "resolved"
    assert str(handed_over().state) == "handed_over"


@pytest.mark.rule("H-31")
@pytest.mark.parametrize(
    ("intent", "wanted"),
    [("logistics", []), ("return_exchange", []), ("invoice", ["hand_over"])],
)
def test_a_question_that_is_not_routine_is_to_be_handed_over_at_once(
    intent: str, wanted: list[str]
) -> None:
    act = Act("recognise", at=TEN, by="bot", brings={"intent": intent})
    answer = DESK.decide(opened(), act).or_raise()
    assert [x.what for x in answer.requests] == wanted  # type: ignore[attr-defined]
    assert answer.state.intent == intent


@pytest.mark.rule("H-31", "SM-27")
def test_a_person_solves_it_or_makes_it_a_case() -> None:
    human = do(handed_over(), "answer", 120)
    assert str(do(human, "solve", 300).state) == "resolved"
    for kind in ("complaint", "after_sales"):
        moved = do(human, "open_case", 300, case="K-1", case_kind=kind)
        assert str(moved.state) == "transferred"
    assert no(human, "open_case", 300, case="K-1", case_kind="party").missing == ("case_kind",)
    assert no(human, "open_case", 300, case_kind="complaint").missing == ("case",)
    for session in (opened(), with_bot(), handed_over(), human):
        assert str(do(session, "leave", 400).state) == "abandoned"
        assert no(do(session, "leave", 400), "answer").allowed == ()


# --- H-32: response times -------------------------------------------------------------------------


@pytest.mark.rule("S-19", "H-32", "AMB-20", "VAR-09")
@pytest.mark.parametrize(
    ("seconds", "verdict"), [(45, "met"), (60, "met"), (60.000001, "missed"), (61, "missed")]
)
def test_the_bot_answers_within_a_minute(seconds: float, verdict: str) -> None:
    assert DESK.response(with_bot(seconds), "bot_response", as_of=LATER) == verdict


@pytest.mark.rule("S-19", "H-32", "AMB-20", "VAR-09")
@pytest.mark.parametrize(
    ("clock", "verdict"), [("10:05:00", "met"), ("10:05:01", "missed"), ("10:04:59", "met")]
)
def test_a_person_answers_within_five_minutes_of_the_hand_over(clock: str, verdict: str) -> None:
    """The bot had it for a quarter of an hour before: only the hand-over counts."""
    session = opened(TEN - timedelta(minutes=15))
    at = TEN - timedelta(minutes=14, seconds=30)
    act = Act("recognise", at=at, by="bot", brings={"intent": "logistics"})
    session = DESK.decide(session, act).or_raise().state
    session = do(session, "hand_over", 0, brief_at(0))
    answered = datetime.fromisoformat(f"2024-06-10T{clock}").replace(tzinfo=SHANGHAI)
    session = do(session, "answer", (answered - TEN).total_seconds())
    assert DESK.response(session, "human_response", as_of=LATER) == verdict
    assert DESK.response(session, "bot_response", as_of=LATER) is Verdict.MET


@pytest.mark.rule("H-32")
def test_what_is_due_next_and_what_nobody_decides_yet() -> None:
    session = opened()
    (bot,) = DESK.due(session, as_of=TEN + timedelta(seconds=30))
    assert (bot.name, bot.due) == ("bot_response", (TEN + timedelta(minutes=1)).astimezone(UTC))
    assert DESK.response(session, "human_response", as_of=LATER) is None
    assert DESK.response(session, "bot_response", as_of=TEN - timedelta(seconds=1)) is None
    for seconds, verdict in ((60, Verdict.UNDECIDED), (61, Verdict.MISSED)):
        found = DESK.response(session, "bot_response", as_of=TEN + timedelta(seconds=seconds))
        assert found is verdict
    (human,) = DESK.due(handed_over(60), as_of=TEN + timedelta(seconds=60))
    assert human.due == (TEN + timedelta(minutes=6)).astimezone(UTC)
    assert DESK.due(do(handed_over(60), "answer", 70), as_of=LATER) == ()


@pytest.mark.rule("H-32")
@pytest.mark.parametrize(("seconds", "verdict"), [(360, "undecided"), (361, "missed")])
def test_who_leaves_in_time_decides_nothing(seconds: int, verdict: str) -> None:
    session = do(handed_over(60), "leave", seconds)
    assert DESK.response(session, "human_response", as_of=LATER) == verdict
    assert DESK.due(session, as_of=LATER) == ()


def mixed() -> list[ServiceSession]:
    """Ten that met, five that missed, two that left in time and one that waits."""
    met = [do(opened(name=f"a{n}"), "recognise", 60, intent="logistics") for n in range(10)]
    missed = [do(opened(name=f"b{n}"), "recognise", 61, intent="logistics") for n in range(5)]
    left = [do(opened(name=f"c{n}"), "leave", 59) for n in range(2)]
    return [*met, *missed, *left, opened(name="d", at=TEN + timedelta(minutes=5))]


@pytest.mark.rule("H-32")
def test_the_rate_says_what_it_leaves_out() -> None:
    now = TEN + timedelta(minutes=5, seconds=1)
    rate = response_rate(DESK, "bot_response", mixed(), since=DAY, until=DAY, as_of=now)
    assert (rate.estimate.numerator, rate.estimate.denominator, rate.undecided) == (10, 15, 3)
    assert rate.value == Fraction(2, 3)
    assert rate.interval is not None
    # Wilson by hand: n = 15, p = 2/3, z = 1.959964
    assert (round(rate.interval.low, 3), round(rate.interval.high, 3)) == (0.417, 0.848)
    asked = np.array(["2024-06-10T02:00"] * 17 + ["2024-06-10T02:05"], "datetime64[s]")
    answered = np.array(
        ["2024-06-10T02:01:00"] * 10 + ["2024-06-10T02:01:01"] * 5 + ["NaT"] * 3, "datetime64[s]"
    )
    left = np.array(["NaT"] * 15 + ["2024-06-10T02:00:59"] * 2 + ["NaT"], "datetime64[s]")
    columns = response_rate_of(
        DESK, "bot_response", asked, answered, left, since=DAY, until=DAY, as_of=now
    )
    assert columns == rate
    other = date(2024, 6, 9)
    nothing = response_rate(DESK, "bot_response", mixed(), since=other, until=other, as_of=now)
    assert nothing.value is None


def test_response_columns_refuse_what_they_cannot_read() -> None:
    one, two = np.zeros(1, "datetime64[s]"), np.zeros(2, "datetime64[s]")
    with refused(UnequalColumnsError, "sessions"):
        responses(DESK, "bot_response", one, two, one, as_of=LATER)
    with refused(WrongTypeError, "asked"):
        responses(DESK, "bot_response", [1.5], one, one, as_of=LATER)
    with refused(UnknownNameError, "clock"):
        responses(DESK, "cat_response", one, one, one, as_of=LATER)
    with refused(InvalidValueError, "until"):
        response_rate(DESK, "bot_response", [], since=DAY, until=date(2024, 6, 9), as_of=LATER)
    early = np.array(["2024-06-10T02:00", "2024-06-10T02:00"], "datetime64[s]")
    before = np.array(["2024-06-10T01:00", "2024-06-10T02:00"], "datetime64[s]")
    found = responses(DESK, "bot_response", early, before, np.full(2, "NaT", "M8[s]"), as_of=LATER)
    assert [x.rows for x in found.problems] == [(0,)]
    assert found.verdicts() == [None, Verdict.MET]
    empty = np.zeros(0, "datetime64[s]")
    assert len(responses(DESK, "bot_response", empty, empty, empty, as_of=LATER)) == 0


def test_a_desk_has_only_clocks_of_its_own_events() -> None:
    with refused(UnknownNameError, "ServiceDesk.clocks"):
        DESK.with_("clocks.bot_response.stops", ("vanish",))
    days = ClockRule("slow", ("received",), ("answer",), Days(0, 1), rule="own")
    with refused(WrongTypeError, "clock slow.limit"):
        slow = attrs.evolve(DESK, clocks=(days,))
        empty = np.zeros(0, "datetime64[s]")
        responses(slow, "slow", empty, empty, empty, as_of=LATER)


# --- H-33: the history goes along -----------------------------------------------------------------

KNOWN = (
    Contact("k2", "C-1", TEN - timedelta(days=1), "phone", kind="case", text="broken"),
    Contact("k1", "C-1", TEN - timedelta(days=30), "app", topic="logistics"),
    Contact("k3", "C-2", TEN - timedelta(days=1), "app"),
    Contact("k4", "C-1", TEN + timedelta(days=1), "email"),
    Contact("k5", "C-1", DAY, "store", kind="visit"),
)


@pytest.mark.rule("S-19", "H-33")
def test_nothing_is_handed_over_without_the_history() -> None:
    refusal = no(with_bot(), "hand_over", 60)
    assert (refusal.code, refusal.missing) == (Code.NAMES_MISSING, ("history_attached",))
    claimed = no(with_bot(), "hand_over", 60, history_attached=True, history=("k1",))
    assert claimed.missing == ("history_attached",)
    of_another = brief_at(60, *KNOWN, customer="C-2")
    assert no(with_bot(), "hand_over", 60, of_another).missing == ("history_attached",)
    stale = brief_at(59, *KNOWN)
    assert no(with_bot(), "hand_over", 60, stale).missing == ("history_attached",)
    session = do(with_bot(), "hand_over", 60, brief_at(60, *KNOWN))
    assert session.history() == ("k1", "k2", "k5")
    assert DESK.replay(session.log).history() == ("k1", "k2", "k5")
    assert do(session, "answer", 90).history() == ("k1", "k2", "k5")


@pytest.mark.rule("H-33")
def test_the_brief_is_the_same_for_every_channel() -> None:
    briefs = set()
    for channel in Entry:
        session = opened(channel=channel)
        basics = {"name": "n", "tier": "gold"}
        briefs.add(handover_brief(session.customer, KNOWN, at=TEN, basics=basics))
    (brief,) = briefs
    for known in itertools.permutations(KNOWN):
        assert handover_brief("C-1", known, at=TEN, basics={"tier": "gold", "name": "n"}) == brief
    assert brief.references == ("k1", "k2", "k5")
    assert brief.channels == ("app", "phone", "store")
    assert "broken" not in repr(brief)
    assert "'n'" not in repr(brief)
    twice = handover_brief("C-1", KNOWN + KNOWN, at=TEN, basics=brief.basics)
    assert twice == brief


def test_a_brief_refuses_what_it_cannot_tell_apart() -> None:
    other = Contact("k1", "C-1", TEN, "phone")
    with refused(DuplicateError, "contacts"):
        handover_brief("C-1", [*KNOWN, other], at=TEN)
    with refused(DuplicateError, "basics"):
        handover_brief("C-1", [], at=TEN, basics=[("a", "1"), ("a", "2")])
    with refused(WrongTypeError, "at"):
        handover_brief("C-1", [], at=DAY)  # type: ignore[arg-type]
    with refused(NaiveInstantError, "at"):
        handover_brief("C-1", [], at=datetime(2024, 6, 1))
    with refused(InvalidValueError, "HandoverBrief.history"):
        HandoverBrief("C-2", TEN, (KNOWN[0],))
    with refused(InvalidValueError, "Contact.id"):
        Contact("", "C-1", TEN)


# --- H-34: solved by the bot ----------------------------------------------------------------------


def questions(solved: int, others: int, intent: str = "logistics") -> list[ServiceSession]:
    first = with_bot(intent=intent)
    good, bad = do(first, "solve", 90), do(first, "hand_over", 90, brief_at(90))
    return [good] * solved + [bad] * others


@pytest.mark.rule("S-19", "H-34")
@pytest.mark.parametrize(
    ("solved", "status"), [(82, Verdict.MET), (80, Verdict.MET), (79, Verdict.MISSED)]
)
def test_the_bot_solves_eighty_percent(solved: int, status: Verdict) -> None:
    found = questions(solved, 100 - solved)
    rate = bot_solved_rate(DESK, found, since=DAY, until=DAY, as_of=LATER)
    assert (rate.value, rate.status) == (Fraction(solved, 100), status)


@pytest.mark.rule("H-34")
def test_only_common_questions_count_and_open_ones_decide_nothing() -> None:
    other = questions(5, 5, intent="invoice")
    left = do(with_bot(), "leave", 90)
    human = do(do(handed_over(), "answer", 100), "solve", 200)
    found = [*other, *questions(3, 1), left, human, with_bot(), opened()]
    rate = bot_solved_rate(DESK, found, since=DAY, until=DAY, as_of=LATER)
    assert (rate.estimate.numerator, rate.estimate.denominator) == (3, 6)
    assert rate.undecided == 1
    assert bot_solved(DESK, with_bot(), as_of=LATER) is Verdict.UNDECIDED
    early = TEN + timedelta(seconds=60)
    assert bot_solved(DESK, questions(1, 0)[0], as_of=early) is Verdict.UNDECIDED
    zeros = np.zeros(1, "datetime64[s]")
    with refused(UnknownNameError, "state"):
        bot_solved_rate_of(
            DESK, zeros, ["logistics"], ["asleep"], [True], since=DAY, until=DAY, as_of=LATER
        )
    with refused(UnequalColumnsError, "sessions"):
        bot_solved_rate_of(DESK, zeros, [], ["bot"], [True], since=DAY, until=DAY, as_of=LATER)


# --- H-35: what a text is about -------------------------------------------------------------------


@pytest.mark.rule("S-19", "H-35")
@pytest.mark.parametrize(
    ("text", "flow"),
    [
        ("我的快递没到", "logistics_query"),
        ("我想退货", "return_process"),
        ("怎么换货？", "return_process"),
        ("请问退换货流程", "return_process"),
        ("Ｗｈｅｒｅ　ｉｓ　ｍｙ　ＯＲＤＥＲ？", "logistics_query"),
        ("I want to RETURN this", "return_process"),
        ("Can I  exchange\nit?", "return_process"),
        ("my parcel has not arrived", "logistics_query"),
        ("I returned yesterday from Beijing", ""),
        ("你好", ""),
        ("", ""),
        ("   ", ""),
    ],
)
def test_texts_lead_to_processes(text: str, flow: str) -> None:
    found = INTENTS.recognise(text)
    assert (found.flow, found.to_human) == (flow, not flow)
    assert 0 <= found.confidence <= 1
    assert INTENTS.recognise(text) == found


def two(*one: str, other: tuple[str, ...] = ("退",), sure: str = "1/2") -> KeywordIntents:
    rows = (IntentKeywords("one", "flow_one", one), IntentKeywords("other", "flow_other", other))
    return KeywordIntents(rows, sure_from=sure)


@pytest.mark.rule("H-35")
def test_the_most_keywords_win_then_the_longest_and_ties_go_to_a_person() -> None:
    more = two("快递", "没到", other=("退换货流程",)).recognise("快递没到，退换货流程")
    assert (more.intent, more.confidence) == ("one", Fraction(4, 9))
    assert more.to_human  # 4 of 9 letters are less than a half
    longest = two("快递", other=("退换货",)).recognise("快递 退换货")
    assert (longest.intent, longest.confidence) == ("other", Fraction(3, 5))
    assert longest.flow == "flow_other"
    tie = two("快递", other=("退货",)).recognise("退货快递")
    assert (tie.intent, tie.tied, tie.to_human) == ("", ("one", "other"), True)
    assert tie.confidence == Fraction(1, 2)
    hidden = two("return policy", other=("return",)).recognise("the return policy")
    assert (hidden.intent, hidden.keywords) == ("one", ("return policy",))
    assert hidden.confidence == 1
    both = two("退货", other=("退货",)).recognise("退货")
    assert both.tied == ("one", "other")
    sure = two("快递", other=("退货",), sure="1").recognise("退货 退货 快递 没到")
    assert sure.to_human
    swapped = KeywordIntents(two("快递", other=("退货",)).intents[::-1])
    assert swapped.recognise("退货快递") == tie


def test_a_recogniser_of_the_host_is_as_good() -> None:
    class Always:
        def recognise(self, text: str) -> Recognition:
            return Recognition("logistics", Fraction(1), "logistics_query", (text,))

    for one in (Always(), INTENTS):
        recogniser: Recogniser = one
        assert recogniser.recognise("快递").flow == "logistics_query"


def test_intents_refuse_what_they_cannot_read() -> None:
    with refused(WrongTypeError, "text"):
        INTENTS.recognise(None)  # type: ignore[arg-type]
    with refused(DuplicateError, "KeywordIntents.intents"):
        KeywordIntents((*INTENTS.intents, INTENTS.intents[0]))
    with refused(InvalidValueError, "intent x.keywords"):
        IntentKeywords("x", "", ("　",))
    with refused(InvalidValueError, "sure_from"):
        KeywordIntents((), sure_from=2)
    with refused(InvalidValueError, "confidence"):
        Recognition("x", Fraction(3, 2))
    assert list(occurrences("aa", "aaa")) == []
    assert list(occurrences("快", "快快")) == [(0, 1), (1, 2)]
    assert normalised("Ⅷ ﬁne") == "viii fine"


# --- H-36: who is served next ---------------------------------------------------------------------


def line() -> list[Waiting]:
    def at(minute: int) -> datetime:
        return datetime(2024, 6, 10, 9, minute, tzinfo=SHANGHAI)

    return [
        Waiting("regular", at(50)),
        Waiting("gold", at(58), tier="gold_card"),
        Waiting("complaint", at(59), urgency="urgent"),
        Waiting("diamond", datetime(2024, 6, 10, 10, 0, tzinfo=SHANGHAI), tier="diamond_card"),
    ]


@pytest.mark.rule("S-19", "H-36")
def test_the_queue_of_the_scenario() -> None:
    wanted = ["complaint", "diamond", "gold", "regular"]
    for people in itertools.permutations(line()):
        assert [x.id for x in ecommerce.service.queue.sort(people)] == wanted
        since = [x.since.astimezone(UTC).replace(tzinfo=None) for x in people]  # type: ignore[attr-defined]
        rows = ecommerce.service.queue.sort_columns(
            np.array(since, "datetime64[s]"),
            [x.urgency for x in people],
            [x.tier for x in people],
            [x.id for x in people],
        )
        assert [people[row].id for row in rows] == wanted


@pytest.mark.rule("H-36")
def test_who_has_waited_longer_is_first_whatever_the_reference() -> None:
    order = ecommerce.service.queue
    people = [Waiting("a", TEN), Waiting("b", TEN - timedelta(seconds=1))]
    assert [x.id for x in order.sort(people)] == ["b", "a"]
    since = np.array(["2024-06-10T02:00:00", "2024-06-10T01:59:59"], "datetime64[s]")
    assert order.sort_columns(since, ["", ""], ["", ""], ["a", "b"]).tolist() == [1, 0]


@pytest.mark.rule("H-36", "VAR-08")
def test_each_handbook_has_its_queue() -> None:
    """002: every VIP before the others; 004: diamond in a channel of its own; 003: urgent."""
    ours = new_measures.service.queue
    people = [attrs.evolve(x, tier=x.tier.removesuffix("_card")) for x in line()]
    assert [x.id for x in ours.sort(people)] == ["complaint", "diamond", "regular", "gold"]
    lines = {name: [x.id for x in row] for name, row in ours.lines(people).items()}
    assert lines == {
        "": ["complaint", "regular", "gold"],
        "priority_service_channel": ["diamond"],
    }
    silver = Waiting("silver", TEN, tier="silver_card")
    assert [x.id for x in ecommerce.service.queue.sort([line()[0], silver])] == [
        "silver",
        "regular",
    ]
    with pytest.raises(BlankValueError):
        membership.service.queue.sort(line())
    filled = membership.service.queue.with_("tiers", ("gold_card",))
    assert [x.id for x in filled.sort(line())] == ["complaint", "gold", "regular", "diamond"]


@pytest.mark.rule("H-36")
def test_ties_go_by_the_reference_and_columns_agree() -> None:
    order = ecommerce.service.queue
    names = ["b", "a", "钻", "B", "10", "9"]
    people = [Waiting(x, TEN, tier="gold_card") for x in names]
    wanted = ["10", "9", "B", "a", "b", "钻"]
    assert [x.id for x in order.sort(people)] == wanted
    since = np.array(["2024-06-10T02:00"] * 6, "datetime64[s]")
    found = order.sort_columns(since, [""] * 6, ["gold_card"] * 6, names)
    assert [names[row] for row in found] == wanted
    assert order.sort_columns(since, [""] * 6, ["gold_card"] * 6).tolist() == [0, 1, 2, 3, 4, 5]


def test_a_queue_refuses_what_it_cannot_order() -> None:
    order, one = QueueOrder(), np.zeros(1, "datetime64[s]")
    with refused(DuplicateError, "QueueOrder.tiers"):
        QueueOrder(tiers=("gold", "gold"))
    with refused(InvalidValueError, "waiting"):
        order.sort([Waiting("a", TEN), Waiting("a", TEN)])
    with refused(InvalidValueError, "waiting"):
        order.sort_columns(np.zeros(2, "datetime64[s]"), ["", ""], ["", ""], ["a", "a"])
    with refused(WrongTypeError, "Waiting.since"):
        order.sort([Waiting("a", DAY)])
    with refused(UnequalColumnsError, "waiting"):
        order.sort_columns(one, ["", ""], [""])
    for bad in ([1.0], np.array(["NaT"], "datetime64[s]")):
        with refused(WrongTypeError, "since"):
            order.sort_columns(bad, [""], [""])
    assert order.sort_columns([], [], []).tolist() == []
    assert order.sort([]) == ()


# --- commands that do not fit ---------------------------------------------------------------------


def test_a_session_begins_once_and_with_a_name() -> None:
    session = opened()
    command = Open(session="S-1", customer="C-1", channel="app", at=TEN, key="o-1")
    again = DESK.decide(session, command)
    assert isinstance(again, Refused)
    assert (again.code, again.allowed) == (Code.NOT_POSSIBLE, ("recognise", "leave"))
    nameless = DESK.decide(None, attrs.evolve(command, session="", customer=""))
    assert isinstance(nameless, Refused)
    assert nameless.missing == ("session", "customer")
    unborn = DESK.decide(None, Act("answer", at=TEN, by="li"))
    assert isinstance(unborn, Refused)
    assert unborn.allowed == ("open",)
    assert no(session, "leave", -1).missing == ("later_time",)
    assert no(handed_over(60), "answer", 59).missing == ("later_time",)
    with refused(UnknownNameError, "channel"):
        attrs.evolve(command, channel="pigeon")
    with refused(WrongTypeError, "at"):
        DESK.decide(None, attrs.evolve(command, at=DAY))
    with refused(WrongTypeError, "as_of"):
        DESK.clocks(session, as_of=DAY)  # type: ignore[arg-type]
    with refused(UnknownNameError, "act"):
        DESK.decide(session, Act("dance", at=TEN, by="li"))
    with refused(WrongTypeError, "replay"):
        DESK.replay(handed_over().log[1:])


def test_a_key_of_a_session_repeats_its_answer() -> None:
    command = Open(session="S-1", customer="C-1", channel="app", at=TEN, key="o-1")
    first = DESK.decide(None, command).or_raise()
    again = DESK.decide(None, attrs.evolve(command, at=LATER), earlier=first.facts)
    assert isinstance(again, Accepted)
    assert (again.state, again.facts) == (first.state, first.facts)
    clash = DESK.decide(None, attrs.evolve(command, customer="C-2"), earlier=first.facts)
    assert isinstance(clash, Refused)
    assert clash.code is Code.KEY_REUSED
    act = Act("hand_over", at=TEN + timedelta(seconds=60), by="bot", key="h-1")
    brief = brief_at(60, *KNOWN)
    step = DESK.decide(with_bot(), act, brief=brief).or_raise()
    same = DESK.decide(step.state, act, brief=brief, earlier=step.facts)
    assert isinstance(same, Accepted)
    assert (same.state, same.facts, same.requests) == (step.state, step.facts, ())


def test_a_session_remembers_its_policy_and_replays() -> None:
    session = do(handed_over(), "answer", 100)
    assert DESK.replay(session.log) == session
    assert session.opened.policy == DESK.fingerprint()
    faster = DESK.with_("clocks.human_response.limit", Within(minutes=1))
    assert faster.replay(session.log) == session
    (reading,) = (x for x in faster.clocks(session, as_of=LATER) if x.name == "human_response")
    assert reading.outcome is Outcome.ON_TIME
    assert isinstance(faster, ServiceDesk)
