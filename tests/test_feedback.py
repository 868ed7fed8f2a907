"""Cases from intake to their end: the scenarios of the handbooks, their machines and clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest

from retention.case_clocks import ALWAYS, RECEIVED, ClockRule, Event, read_versions
from retention.case_flows import (
    FEEDBACK,
    GRADED_COMPLAINT,
    NOTES,
    PROMISED_COMPLAINT,
    VERIFIED_COMPLAINT,
    Note,
    NoteState,
)
from retention.cases import FeedbackCase
from retention.feedback import ArrivalKind, Feedback
from retention.intake import Entry, FeedbackItem, FeedbackKind, IntakeForm, Receive
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.calendars import Calendar, WeekHours
from retention.mechanisms.errors import (
    InvalidValueError,
    NaiveInstantError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.hours import Hours, weekdays
from retention.mechanisms.machines import Machine
from retention.mechanisms.obligations import Days, Outcome, Within
from retention.mechanisms.rules import Measure
from retention.mechanisms.versions import Versions
from retention.mechanisms.workflows import Act
from retention.presets import (
    customer_operations,
    ecommerce,
    membership,
    new_measures,
    user_retention,
)
from retention.triage import CaseLevel
from tests import catalogue
from tests.refusals import refused

SHANGHAI = ZoneInfo("Asia/Shanghai")
HANDBOOKS = (user_retention, customer_operations, ecommerce, membership, new_measures)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def received(
    rules: Feedback,
    when: str | datetime,
    /,
    **item: Any,  # noqa: ANN401
) -> FeedbackCase:
    moment = at(when) if isinstance(when, str) else when
    first = rules.form.entries[0] if rules.form.entries else Entry.APP
    filled = {"matter": "m", "contact": "c", "demand": "d", "kind": "complaint", "channel": first}
    customer = item.pop("customer", "C-1")
    one = FeedbackItem(customer, moment, **(filled | item))
    case = item.get("topic", "K") + f"-{moment:%m%d%H%M}"
    return rules.decide(None, Receive(case=case, item=one, at=moment)).or_raise().state


def do(
    rules: Feedback,
    case: FeedbackCase,
    when: str,
    name: str,
    /,
    **brings: Any,  # noqa: ANN401
) -> FeedbackCase:
    holds = brings.pop("holds", ())
    act = Act(name, at=at(when), by="li", brings=brings, role=brings.pop("role", ""))
    return rules.decide(case, act, holds=holds).or_raise().state


def no(
    rules: Feedback,
    case: FeedbackCase,
    when: str,
    name: str,
    /,
    **brings: Any,  # noqa: ANN401
) -> Refused:
    before = case
    answer = rules.decide(case, Act(name, at=at(when), by="li", brings=brings))
    assert isinstance(answer, Refused)
    assert case == before
    return answer


def outcome(rules: Feedback, case: FeedbackCase, clock: str, when: str) -> Outcome:
    found = {reading.name: reading for reading in rules.clocks(case, as_of=at(when))}
    return found[clock].outcome


# --- the machines are those of the catalogue ----------------------------------------------------

WORDS = {
    "SM-23": {"confirmed solved": "confirm_solved", "recurs": "recur"},
    "SM-24": {
        "verify true": "verify_true",
        "verify false": "verify_false",
        "done, report": "report",
        "no recurrence": "close",
        "recurs": "recur",
    },
    "SM-25": {
        "judge urgent": "judge_urgent",
        "judge normal": "judge_normal",
        "resolve on spot": "resolve_on_spot",
    },
    "SM-26": {"major": "escalate", "visit ≤ 3 days": "visit", "not satisfied": "not_satisfied"},
}
MACHINES = [FEEDBACK, VERIFIED_COMPLAINT, PROMISED_COMPLAINT, GRADED_COMPLAINT]


def compared(machine: Machine[Any, Any]) -> None:
    states, transitions = catalogue.machine(machine.id)
    assert [str(state) for state in machine.states] == states
    words = WORDS[machine.id]
    wanted = {
        (source, words.get(what, what.replace(" ", "_")), target)
        for source, what, target in catalogue.edges(transitions)
    }
    assert {(str(x.source), str(x.command), str(x.target)) for x in machine.steps} == wanted


@pytest.mark.rule("SM-23")
def test_the_way_of_000_is_the_catalogue_s() -> None:
    compared(FEEDBACK)


@pytest.mark.rule("SM-24")
def test_the_way_of_001_is_the_catalogue_s() -> None:
    compared(VERIFIED_COMPLAINT)


@pytest.mark.rule("SM-25")
def test_the_way_of_003_is_the_catalogue_s() -> None:
    compared(PROMISED_COMPLAINT)


@pytest.mark.rule("SM-26")
def test_the_way_of_002_is_the_catalogue_s() -> None:
    compared(GRADED_COMPLAINT)


@pytest.mark.rule("SM-23", "SM-24", "SM-25", "SM-26")
@pytest.mark.parametrize("machine", [*MACHINES, NOTES], ids=lambda x: x.id)
def test_no_state_is_lost_and_no_command_unused(machine: Machine[Any, Any]) -> None:
    states: Any = machine.states
    first = next(iter(states))
    assert machine.unreachable(first) == frozenset()
    assert machine.unused() == ()
    ends = {
        "SM-23": set(),
        "SM-24": {"unfounded"},
        "SM-25": {"archived"},
        "SM-26": {"solved"},
        "notes": {"merged"},
    }
    assert {str(x) for x in machine.dead_ends()} == ends[machine.id]
    for trial in machine.matrix():
        if isinstance(trial.answer, Refused):
            assert trial.answer.allowed == machine.allowed(trial.state)


# --- S-09 ---------------------------------------------------------------------------------------

PLAN = {"department": "service", "person": "wang", "measure": "fix", "time_node": date(2024, 5, 8)}


def collected(topic: str = "login", **item: Any) -> FeedbackCase:  # noqa: ANN401
    return received(user_retention.feedback, "2024-05-06T09:00", topic=topic, **item)


@pytest.mark.rule("S-09", "H-03", "H-04", "VAR-08")
def test_an_inquiry_is_general_and_goes_to_staff() -> None:
    rules = user_retention.feedback
    levels = {"severity": "minor", "scope": "single", "urgency": "low"}
    act = Act("assess", at=at("2024-05-06T10:00"), by="li", brings=levels)
    answer = rules.decide(collected(kind="inquiry"), act).or_raise()
    level = rules.level(answer.state)
    assert level is not None
    assert level.outcome is CaseLevel.GENERAL
    assert [x.what for x in answer.requests] == ["handling_staff"]  # type: ignore[attr-defined]
    assert no(rules, answer.state, "2024-05-06T10:01", "major", departments=["a", "b"]).missing == (
        "is_major",
    )
    do(rules, answer.state, "2024-05-06T10:01", "general")


def emergency() -> FeedbackCase:
    rules = user_retention.feedback
    levels = {"severity": "moderate", "scope": "group", "urgency": "medium"}
    act = Act("assess", at=at("2024-05-06T10:00"), by="li", brings=levels)
    answer = rules.decide(collected(), act).or_raise()
    assert [x.what for x in answer.requests] == ["emergency_mechanism", "joint_team"]  # type: ignore[attr-defined]
    team = ["marketing", "technical_support"]
    return do(rules, answer.state, "2024-05-06T10:05", "major", departments=team)


@pytest.mark.rule("S-09", "H-03", "H-04")
@pytest.mark.parametrize(
    ("severity", "scope", "urgency", "level"),
    [
        ("serious", "several", "medium", "general"),
        ("major", "single", "low", "major"),
        ("minor", "group", "low", "major"),
        ("minor", "single", "high", "major"),
    ],
)
def test_the_highest_of_any_dimension_makes_it_major(
    severity: str, scope: str, urgency: str, level: str
) -> None:
    rules = user_retention.feedback
    levels = {"severity": severity, "scope": scope, "urgency": urgency}
    case = do(rules, collected(), "2024-05-06T10:00", "assess", **levels)
    found = rules.level(case)
    assert found is not None
    assert str(found.outcome) == level


@pytest.mark.rule("S-09", "H-04")
def test_a_joint_team_has_two_departments() -> None:
    rules = user_retention.feedback
    levels = {"severity": "major", "scope": "single", "urgency": "low"}
    case = do(rules, collected(), "2024-05-06T10:00", "assess", **levels)
    for team in ((), ("marketing",), ("marketing", "marketing")):
        refusal = no(rules, case, "2024-05-06T10:05", "major", departments=team)
        assert refusal.missing == ("joint_team",)


@pytest.mark.rule("S-09", "H-05")
@pytest.mark.parametrize("name", list(PLAN))
def test_handling_does_not_start_without_its_plan(name: str) -> None:
    rest = {key: value for key, value in PLAN.items() if key != name}
    refusal = no(user_retention.feedback, emergency(), "2024-05-06T11:00", "start", **rest)
    assert (refusal.code, refusal.missing) == (Code.NAMES_MISSING, (name,))


def closed() -> FeedbackCase:
    rules = user_retention.feedback
    case = do(rules, emergency(), "2024-05-06T11:00", "start", **PLAN)
    case = do(rules, case, "2024-05-07T11:00", "reply", channel="phone")
    case = do(rules, case, "2024-05-07T12:00", "survey")
    case = do(rules, case, "2024-05-08T12:00", "track")
    return do(rules, case, "2024-05-10T12:00", "confirm_solved")


@pytest.mark.rule("S-09", "H-07")
def test_no_end_without_reply_and_survey() -> None:
    rules = user_retention.feedback
    case = do(rules, emergency(), "2024-05-06T11:00", "start", **PLAN)
    refusal = no(rules, case, "2024-05-07T11:00", "confirm_solved")
    assert (refusal.code, refusal.allowed) == (Code.NOT_POSSIBLE, ("reply",))
    assert no(rules, case, "2024-05-07T11:00", "reply", channel="letter").missing == (
        "reply_channel",
    )
    for channel in ("phone", "email", "sms"):
        replied = do(rules, case, "2024-05-07T11:00", "reply", channel=channel)
        assert no(rules, replied, "2024-05-07T12:00", "track").allowed == ("survey",)
    assert str(closed().state) == "closed"


@pytest.mark.rule("S-09", "H-08")
@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2024-05-30T09:00", ArrivalKind.REOPENED),  # 20 days
        ("2024-06-09T23:59", ArrivalKind.REOPENED),  # day 30 is in
        ("2024-06-10T00:00", ArrivalKind.NEW),  # 31 days
    ],
)
def test_the_same_problem_within_30_days_reopens(day: str, kind: ArrivalKind) -> None:
    rules, case = user_retention.feedback, closed()
    again = FeedbackItem("C-1", at(day), "complaint", "app", topic="login")
    arrival = rules.arrival(again, [case])
    assert arrival.kind is kind
    assert arrival.case == (case.id if kind is ArrivalKind.REOPENED else "")
    if kind is ArrivalKind.REOPENED:
        reopened = do(rules, case, day, "recur")
        assert str(reopened.state) == "reopened"
        assert rules.is_solved(reopened) is False
    other = FeedbackItem("C-1", at(day), "complaint", "app", topic="price")
    assert rules.arrival(other, [case]).kind is ArrivalKind.NEW
    stranger = FeedbackItem("C-2", at(day), "complaint", "app", topic="login")
    assert rules.arrival(stranger, [case]).kind is ArrivalKind.NEW


@pytest.mark.rule("H-44")
def test_a_second_contact_on_another_channel_joins_the_open_case() -> None:
    rules, case = user_retention.feedback, emergency()
    again = FeedbackItem("C-1", at("2024-05-06T12:00"), "complaint", "hotline", topic="login")
    arrival = rules.arrival(again, [case])
    assert (arrival.kind, arrival.case) == (ArrivalKind.ATTACHED, case.id)
    joined = do(rules, case, "2024-05-06T12:00", "attach", channel="hotline", content="again")
    assert joined.state is case.state
    assert joined.notes.last is not None
    untold = FeedbackItem("C-1", at("2024-05-06T12:00"), "complaint", "hotline")
    assert rules.arrival(untold, [case]).kind is ArrivalKind.NEW


# --- S-12 ---------------------------------------------------------------------------------------


def assigned() -> FeedbackCase:
    rules = customer_operations.feedback
    case = received(rules, "2024-05-06T09:00", topic="delay")
    case = do(rules, case, "2024-05-06T10:00", "verify_true")
    return do(rules, case, "2024-05-06T10:30", "assign", department="logistics", person="Wang")


def tracked() -> FeedbackCase:
    rules, case = customer_operations.feedback, assigned()
    case = do(rules, case, "2024-05-06T11:00", "propose", solution="coupon")
    case = do(rules, case, "2024-05-06T12:00", "refuse", reason="too little")
    case = do(rules, case, "2024-05-06T13:00", "propose", solution="refund")
    case = do(rules, case, "2024-05-06T14:00", "agree")
    case = do(rules, case, "2024-05-06T15:00", "execute")
    case = do(rules, case, "2024-05-07T08:30", "report", result="refunded")
    case = do(rules, case, "2024-05-07T18:00", "visit")
    return do(rules, case, "2024-05-07T18:10", "satisfied")


@pytest.mark.rule("S-12", "H-17")
def test_steps_of_001_cannot_be_skipped() -> None:
    rules = customer_operations.feedback
    case = do(rules, assigned(), "2024-05-06T11:00", "propose", solution="coupon")
    refusal = no(rules, case, "2024-05-06T12:00", "execute")
    assert refusal.code is Code.NOT_POSSIBLE
    assert refusal.allowed == ("refuse", "agree")
    assert str(refusal).startswith("execute while solution_proposed: not possible")


@pytest.mark.rule("S-12", "H-18")
def test_a_refused_solution_goes_back_to_design_and_rounds_are_kept() -> None:
    rules = customer_operations.feedback
    rounds = rules.rounds(tracked())
    assert [(str(x.name), x.get("solution") or x.get("reason")) for x in rounds] == [
        ("propose", "coupon"),
        ("refuse", "too little"),
        ("propose", "refund"),
    ]
    case = do(rules, assigned(), "2024-05-06T11:00", "propose", solution="coupon")
    back = do(rules, case, "2024-05-06T12:00", "refuse", reason="no")
    assert str(back.state) == "assigned"


@pytest.mark.rule("S-12", "H-17")
def test_the_result_came_after_23_and_a_half_hours() -> None:
    handled = customer_operations.feedback.handled(tracked())
    assert handled.completed is not None
    assert handled.completed - handled.received == timedelta(hours=23, minutes=30)


@pytest.mark.rule("S-12", "H-17", "H-08")
def test_the_same_cause_after_23_days_is_a_recurrence() -> None:
    rules, case = customer_operations.feedback, tracked()
    again = FeedbackItem("C-1", at("2024-05-30T09:00"), "complaint", "phone", topic="delay")
    arrival = rules.arrival(again, [case])
    assert (arrival.kind, arrival.reason.given) == (ArrivalKind.REOPENED, 23)
    assert no(rules, case, "2024-05-30T09:00", "close").missing == ("no_recurrence",)
    reopened = do(rules, case, "2024-05-30T09:00", "recur")
    assert rules.is_solved(reopened) is False
    assert rules.handled(reopened).solved is False
    quiet = do(rules, case, "2024-06-07T00:00", "close")
    assert rules.is_solved(quiet) is True
    assert no(rules, case, "2024-06-06T23:59", "close").missing == ("no_recurrence",)


@pytest.mark.rule("S-12", "H-19")
def test_an_untrue_complaint_ends_with_a_reply() -> None:
    rules = customer_operations.feedback
    case = received(rules, "2024-05-06T09:00")
    assert no(rules, case, "2024-05-06T10:00", "verify_false").missing == ("finding",)
    told = do(rules, case, "2024-05-06T10:00", "verify_false", finding="no such order")
    assert str(told.state) == "unfounded"
    assert told.progress.get("finding") == "no such order"
    assert rules.is_over(told)
    assert str(told.state) in rules.flow.unfounded
    assert rules.is_solved(told) is None


# --- S-20 ---------------------------------------------------------------------------------------


def graded(severity: str = "moderate", scope: str = "single") -> FeedbackCase:
    rules = ecommerce.feedback
    case = received(
        rules, "2024-06-10T09:00", channel="third_party", topic="goods_damaged", kind="complaint"
    )
    brings = {"severity": severity, "scope": scope}
    return do(rules, case, "2024-06-10T09:30", "grade", **brings, holds=("in_crm",))


def completed(when: str = "2024-06-11T08:30") -> FeedbackCase:
    rules = ecommerce.feedback
    case = do(rules, graded(), "2024-06-10T10:00", "handle", department="service", person="li")
    return do(rules, case, when, "complete", result="refund")


@pytest.mark.rule("S-20", "H-15")
def test_a_group_complaint_goes_to_management() -> None:
    rules, case = ecommerce.feedback, graded(scope="group")
    level = rules.level(case)
    assert level is not None
    assert level.outcome is CaseLevel.MAJOR
    plan = {"department": "service", "person": "li"}
    assert no(rules, case, "2024-06-10T10:00", "handle", **plan).missing == ("is_not_major",)
    up = do(rules, case, "2024-06-10T10:00", "escalate", management="coo")
    assert str(up.state) == "escalated"
    act = Act("grade", at=at("2024-06-10T09:30"), by="li", brings={"severity": "major"})
    fresh = received(rules, "2024-06-10T09:00")
    found = rules.decide(fresh, act, holds=("in_crm",)).or_raise()
    assert [(x.what, x.to) for x in found.requests] == [("management", ("management",))]  # type: ignore[attr-defined]


@pytest.mark.rule("H-15", "VAR-08")
@pytest.mark.parametrize("severity", ["minor", "moderate", "serious", "major"])
def test_002_has_four_levels(severity: str) -> None:
    level = ecommerce.feedback.level(graded(severity))
    assert level is not None
    assert str(level.outcome) == severity
    if severity != "major":
        refusal = no(
            ecommerce.feedback, graded(severity), "2024-06-10T10:00", "escalate", management="x"
        )
        assert refusal.missing == ("is_major",)


@pytest.mark.rule("H-15")
def test_the_examples_of_002_have_a_severity() -> None:
    triage = ecommerce.feedback.triage
    assert triage is not None
    found = [triage.suggested(x) for x in ("goods_damaged", "bad_attitude", "fraud", "other")]
    assert found == ["moderate", "moderate", "serious", ""]


@pytest.mark.rule("S-20", "H-26")
@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("2024-06-11T08:30:00", Outcome.ON_TIME),
        ("2024-06-11T09:00:00", Outcome.ON_TIME),
        ("2024-06-11T09:00:01", Outcome.LATE),
    ],
)
def test_completed_in_24_hours(when: str, said: Outcome) -> None:
    assert outcome(ecommerce.feedback, completed(when), "completion", "2024-07-01T00:00") is said


@pytest.mark.rule("S-20", "H-25")
@pytest.mark.parametrize(
    ("when", "said"),
    [("2024-06-14T23:59:59", Outcome.ON_TIME), ("2024-06-15T00:00:00", Outcome.LATE)],
)
def test_the_satisfaction_visit_within_three_days(when: str, said: Outcome) -> None:
    rules, case = ecommerce.feedback, completed()
    found = {x.name: x for x in rules.due(case, as_of=at("2024-06-12T00:00"))}
    assert found["satisfaction_visit"].last_day == date(2024, 6, 14)
    case = do(rules, case, "2024-06-11T09:30", "report", channel="app")
    case = do(rules, case, when, "visit")
    assert outcome(rules, case, "satisfaction_visit", "2024-07-01T00:00") is said
    back = do(rules, case, "2024-06-16T00:00", "not_satisfied", reason="still broken")
    assert str(back.state) == "reopened"


@pytest.mark.rule("H-23")
def test_after_dissatisfaction_the_visit_is_due_again() -> None:
    rules = ecommerce.feedback
    case = do(rules, completed(), "2024-06-11T09:30", "report", channel="app")
    case = do(rules, case, "2024-06-12T09:30", "visit")
    case = do(rules, case, "2024-06-12T10:00", "not_satisfied", reason="still broken")
    case = do(rules, case, "2024-06-12T11:00", "handle", department="service", person="li")
    case = do(rules, case, "2024-06-13T11:00", "complete", result="new parcel")
    runs = [
        x for x in rules.clock_history(case, as_of=at("2024-06-20T00:00"))
        if x.name == "satisfaction_visit"
    ]  # fmt: skip
    assert [(x.outcome, x.last_day) for x in runs] == [
        (Outcome.ON_TIME, date(2024, 6, 14)),
        (Outcome.MISSED, date(2024, 6, 16)),
    ]


@pytest.mark.rule("H-38", "AMB-12", "S-19")
def test_the_manager_of_a_high_value_customer_answers_within_24_hours() -> None:
    rules = ecommerce.feedback
    case = received(rules, "2024-06-01T18:00")
    assert "manager_response" not in {
        x.name for x in rules.clocks(case, as_of=at("2024-06-01T18:00"))
    }
    case = do(rules, case, "2024-06-01T18:00", "remark", content="vip", layer="high_active")
    (first, *_) = rules.due(case, as_of=at("2024-06-01T19:00"))
    assert (first.name, first.due, first.who) == (
        "manager_response",
        at("2024-06-02T18:00").astimezone(UTC),
        "dedicated_manager",
    )


# --- 003 ----------------------------------------------------------------------------------------


def promised(when: date | datetime = date(2024, 6, 12)) -> FeedbackCase:
    rules = membership.feedback
    case = received(rules, "2024-06-10T09:00")
    case = do(rules, case, "2024-06-10T09:10", "judge_normal", nature="late_delivery")
    return do(rules, case, "2024-06-10T09:20", "promise", time_node=when)


def reported(case: FeedbackCase, when: str) -> FeedbackCase:
    rules = membership.feedback
    case = do(rules, case, "2024-06-11T09:00", "investigate", evidence=["photo"], cause="courier")
    case = do(rules, case, "2024-06-11T10:00", "propose", solution="refund")
    case = do(rules, case, "2024-06-11T11:00", "agree")
    return do(rules, case, when, "report", result="refunded")


@pytest.mark.rule("H-13")
@pytest.mark.parametrize("name", ["matter", "contact", "demand"])
def test_003_takes_no_complaint_without_its_fields(name: str) -> None:
    form = {"matter": "m", "contact": "c", "demand": "d"} | {name: ""}
    item = FeedbackItem("C-1", at("2024-06-10T09:00"), "complaint", "hotline", **form)
    command = Receive(case="K", item=item, at=at("2024-06-10T09:00"))
    answer = membership.feedback.decide(None, command)
    assert isinstance(answer, Refused)
    assert (answer.missing, answer.given) == ((name,), ("nothing", "receive"))


@pytest.mark.rule("H-14", "VAR-08")
@pytest.mark.parametrize(
    ("nature", "urgent"),
    [("product_quality_safety", True), ("major_service_failure", True), ("late_delivery", False)],
)
def test_safety_and_major_failures_are_urgent(nature: str, urgent: bool) -> None:
    rules = membership.feedback
    case = received(rules, "2024-06-10T09:00")
    right, wrong = ("judge_urgent", "judge_normal") if urgent else ("judge_normal", "judge_urgent")
    refusal = no(rules, case, "2024-06-10T09:10", wrong, nature=nature)
    assert refusal.missing == ("is_normal" if urgent else "is_urgent",)
    act = Act(right, at=at("2024-06-10T09:10"), by="li", brings={"nature": nature})
    answer = rules.decide(case, act).or_raise()
    wanted = ["urgent_process", "first_in_line"] if urgent else ["handling_staff"]
    assert [x.what for x in answer.requests] == wanted  # type: ignore[attr-defined]


@pytest.mark.rule("H-20")
@pytest.mark.parametrize(
    ("when", "said"),
    [("2024-06-12T23:59:59", Outcome.ON_TIME), ("2024-06-13T00:00:00", Outcome.LATE)],
)
def test_a_promise_is_kept_or_broken(when: str, said: Outcome) -> None:
    case = reported(promised(), when)
    assert outcome(membership.feedback, case, "promise", "2024-07-01T00:00") is said


@pytest.mark.rule("H-20")
def test_a_promised_instant_holds_to_the_second() -> None:
    node = at("2024-06-12T12:00")
    kept = reported(promised(node), "2024-06-12T12:00:00")
    broken = reported(promised(node), "2024-06-12T12:00:01")
    rules = membership.feedback
    assert outcome(rules, kept, "promise", "2024-07-01T00:00") is Outcome.ON_TIME
    assert outcome(rules, broken, "promise", "2024-07-01T00:00") is Outcome.LATE


@pytest.mark.rule("H-20")
@pytest.mark.parametrize(
    ("agreed_on", "said"),
    [("2024-06-12T20:00", Outcome.ON_TIME), ("2024-06-13T08:00", Outcome.LATE)],
)
def test_a_new_time_counts_when_agreed_before_the_old_one_passed(
    agreed_on: str, said: Outcome
) -> None:
    rules, case = membership.feedback, promised()
    case = do(
        rules, case, agreed_on, "renegotiate",
        time_node=date(2024, 6, 20), reason="parts", agreed=True,
    )  # fmt: skip
    later = {"evidence": ["photo"], "cause": "courier"}
    case = do(rules, case, "2024-06-13T09:00", "investigate", **later)
    case = do(rules, case, "2024-06-13T10:00", "propose", solution="refund")
    case = do(rules, case, "2024-06-13T11:00", "agree")
    case = do(rules, case, "2024-06-14T11:00", "report", result="refunded")
    assert outcome(rules, case, "promise", "2024-07-01T00:00") is said
    assert no(rules, promised(), agreed_on, "renegotiate", time_node=date(2024, 7, 1)).missing == (
        "agreed",
        "reason",
    )


@pytest.mark.rule("H-06", "H-20")
def test_progress_is_told_every_24_hours() -> None:
    rules, case = membership.feedback, promised()
    assert outcome(rules, case, "progress", "2024-06-11T09:20:00") is Outcome.DUE
    assert outcome(rules, case, "progress", "2024-06-11T09:20:01") is Outcome.MISSED
    told = do(rules, case, "2024-06-11T09:00", "notify", channel="sms")
    assert outcome(rules, told, "progress", "2024-06-12T09:00:00") is Outcome.DUE
    assert outcome(rules, told, "progress", "2024-06-12T09:00:01") is Outcome.MISSED
    over = reported(case, "2024-06-11T12:00")
    assert not [x for x in rules.due(over, as_of=at("2024-06-30T00:00")) if x.name == "progress"]


@pytest.mark.rule("H-21")
def test_on_the_spot_no_promise_is_needed() -> None:
    rules = membership.feedback
    case = received(rules, "2024-06-10T09:00")
    case = do(rules, case, "2024-06-10T09:10", "judge_normal", nature="x")
    assert no(rules, case, "2024-06-10T09:15", "resolve_on_spot").missing == ("result",)
    case = do(rules, case, "2024-06-10T09:15", "resolve_on_spot", result="explained")
    assert str(case.state) == "result_reported"
    assert rules.completed(case) == at("2024-06-10T09:15")
    assert "promise" not in {x.name for x in rules.clocks(case, as_of=at("2024-06-11T00:00"))}


@pytest.mark.rule("H-22")
def test_no_solution_without_evidence_and_cause() -> None:
    rules = membership.feedback
    assert no(rules, promised(), "2024-06-11T09:00", "propose", solution="x").allowed == (
        "investigate",
    )
    refusal = no(rules, promised(), "2024-06-11T09:00", "investigate", evidence=["photo"])
    assert refusal.missing == ("cause",)


@pytest.mark.rule("H-23", "H-24")
@pytest.mark.parametrize(("rating", "content"), [(5, True), (4, True), (3, False), (1, False)])
def test_archived_only_when_satisfied_with_result_and_cause(rating: int, content: bool) -> None:
    rules = membership.feedback
    case = do(rules, reported(promised(), "2024-06-12T10:00"), "2024-06-12T11:00", "ask")
    act = {"rating": rating, "result": "refunded", "cause": "courier"}
    if content:
        done = do(rules, case, "2024-06-12T12:00", "archive", **act)
        assert str(done.state) == "archived"
        assert (done.progress.get("result"), done.progress.get("cause")) == ("refunded", "courier")
    else:
        assert no(rules, case, "2024-06-12T12:00", "archive", **act).missing == ("satisfied",)
        back = do(rules, case, "2024-06-12T12:00", "dissatisfied", reason="slow", rating=rating)
        assert str(back.state) == "investigating"
    assert no(rules, case, "2024-06-12T12:00", "archive", rating=5).missing == ("cause", "result")


def test_a_rating_outside_its_scale_is_refused() -> None:
    rules = membership.feedback
    case = do(rules, reported(promised(), "2024-06-12T10:00"), "2024-06-12T11:00", "ask")
    for rating in (0, 6, 4.5, True):
        act = Act("archive", at=at("2024-06-12T12:00"), by="li", brings={"rating": rating or 0})
        with refused(InvalidValueError, "rating"):
            rules.decide(case, act)


# --- S-30b --------------------------------------------------------------------------------------


@pytest.mark.rule("S-30b", "H-11")
@pytest.mark.parametrize(
    ("when", "said"),
    [("2024-04-04T22:00:00", Outcome.ON_TIME), ("2024-04-04T22:00:01", Outcome.LATE)],
)
def test_004_answers_within_24_hours(when: str, said: Outcome) -> None:
    rules = new_measures.feedback
    case = received(rules, "2024-04-03T22:00")
    told = do(rules, case, when, "respond", channel="app")
    assert outcome(rules, told, "first_response", "2024-05-01T00:00") is said
    assert rules.completed(told) is None  # an answer is no resolution


@pytest.mark.rule("H-11")
def test_an_automatic_receipt_is_no_response() -> None:
    rules = new_measures.feedback
    case = received(rules, "2024-04-03T22:00")
    told = do(rules, case, "2024-04-03T22:01", "acknowledge", channel="app")
    assert outcome(rules, told, "first_response", "2024-04-05T22:00") is Outcome.MISSED


# --- intake -------------------------------------------------------------------------------------


@pytest.mark.rule("H-01")
def test_kinds_of_feedback() -> None:
    form = user_retention.feedback.form
    assert [str(x) for x in form.kinds] == catalogue.preset("user_retention")["feedback"]["kinds"]
    assert FeedbackKind.FAULT in FeedbackKind
    item = FeedbackItem("C-1", date(2024, 6, 1), "praise", "app", matter="m", contact="c")
    with refused(UnknownNameError, "kind"):
        form.check(item)
    with refused(UnknownNameError, "kind"):
        FeedbackItem("C-1", date(2024, 6, 1), "gossip", "app")


@pytest.mark.rule("H-02")
def test_content_person_and_time_are_required() -> None:
    form = user_retention.feedback.form
    bare = FeedbackItem("C-1", date(2024, 6, 1), "inquiry", "app")
    assert form.missing(bare) == ("matter", "contact")
    good, problems = form.checked([bare, FeedbackItem("C", date(2024, 6, 1), "inquiry", "app",
                                                      matter="m", contact="c")])  # fmt: skip
    assert (len(good), problems[0].code, problems[0].rows) == (1, Code.BAD_FORM, (0,))
    with refused(NaiveInstantError):
        FeedbackItem("C-1", datetime(2024, 6, 1), "inquiry", "app")
    with refused(UnknownNameError, "IntakeForm.required"):
        IntakeForm(required=("shoe_size",))


@pytest.mark.rule("H-12")
@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("user_retention", {"mailbox", "online_chat", "hotline", "app"}),
        ("ecommerce", {"app", "phone", "third_party"}),
        ("membership", {"hotline", "online_chat", "email", "social_private_message"}),
    ],
)
def test_the_entries_of_each_handbook(name: str, entries: set[str]) -> None:
    book = next(x for x in HANDBOOKS if x.name == name)
    assert {str(x) for x in book.feedback.form.entries} == entries
    if name != "user_retention":
        assert entries == set(catalogue.preset(name)["complaints"]["entries"])


@pytest.mark.rule("H-12")
def test_the_way_to_the_central_record_is_measured() -> None:
    form = IntakeForm(record=Within(hours=2))
    item = FeedbackItem("C-1", at("2024-06-10T09:00"), "complaint", "third_party")
    late = form.recorded(item, at("2024-06-10T11:00:01"), as_of=at("2024-06-11T00:00"))
    kept = form.recorded(item, at("2024-06-10T11:00:00"), as_of=at("2024-06-11T00:00"))
    assert late is not None
    assert kept is not None
    assert (late.outcome, kept.outcome) == (Outcome.LATE, Outcome.ON_TIME)
    assert ecommerce.feedback.form.recorded(item, item.at, as_of=item.at) is None


def test_what_people_wrote_stays_out_of_repr() -> None:
    item = FeedbackItem("C-1", date(2024, 6, 1), "inquiry", "app", matter="my heart", contact="139")
    assert "heart" not in repr(item)
    assert "139" not in repr(item)


@pytest.mark.rule("H-10", "H-37")
def test_topics_go_to_their_department() -> None:
    rules = ecommerce.feedback
    found = [rules.department(received(rules, "2024-06-10T09:00", topic=x))
             for x in ("logistics_delay", "not_as_described", "other")]  # fmt: skip
    assert found == ["logistics", "product", ""]
    benefit = received(membership.feedback, "2024-06-10T09:00", kind="benefit")
    assert membership.feedback.department(benefit) == "customer_service"
    case = received(rules, "2024-06-10T09:00")
    case = do(rules, case, "2024-06-10T10:00", "forward", department="logistics")
    case = do(rules, case, "2024-06-10T11:00", "confirm_receipt", department="logistics")
    assert [str(x.name) for x in case.notes.steps] == ["forward", "confirm_receipt"]


@pytest.mark.rule("H-29")
def test_a_joint_case_has_participants_a_lead_and_common_notes() -> None:
    rules = customer_operations.feedback
    assert no(rules, assigned(), "2024-05-06T11:00", "join", departments=["a", "b"]).missing == (
        "lead",
    )
    case = do(rules, assigned(), "2024-05-06T11:00", "join", departments=["a", "b"], lead="a")
    case = do(rules, case, "2024-05-06T11:30", "remark", content="parts are missing")
    assert case.known()["departments"] == ("a", "b")
    assert case.known()["lead"] == "a"


# --- what every case keeps ----------------------------------------------------------------------


def test_bad_commands_are_refused_and_change_nothing() -> None:
    rules, case = ecommerce.feedback, graded()
    early = no(rules, case, "2024-06-10T09:29", "handle", department="a", person="b")
    assert early.missing == ("later_time",)
    unborn = rules.decide(None, Act("grade", at=at("2024-06-10T09:00"), by="li"))
    assert isinstance(unborn, Refused)
    assert unborn.allowed == ("receive",)
    twice = rules.decide(case, Receive(case="x", item=case.item, at=at("2024-06-10T12:00")))
    assert isinstance(twice, Refused)
    assert twice.code is Code.NOT_POSSIBLE
    with refused(UnknownNameError, "act"):
        rules.decide(case, Act("dance", at=at("2024-06-10T12:00"), by="li"))
    with refused(UnknownNameError, "severity"):
        fresh = received(rules, "2024-06-10T09:00")
        rules.decide(fresh, Act("grade", at=at("2024-06-10T12:00"), by="li",
                                brings={"severity": "horrible"}), holds=("in_crm",))  # fmt: skip
    with refused(WrongTypeError, "as_of"):
        rules.clocks(case, as_of=date(2024, 6, 10))  # type: ignore[arg-type]
    with refused(WrongTypeError, "replay"):
        rules.replay(case.log[1:])


def test_intake_before_the_customer_spoke_is_refused() -> None:
    item = FeedbackItem("C-1", at("2024-06-10T09:00"), "complaint", "app", matter="m")
    answer = ecommerce.feedback.decide(
        None, Receive(case="K", item=item, at=at("2024-06-10T08:59"))
    )
    assert isinstance(answer, Refused)
    assert answer.missing == ("later_time",)
    nameless = ecommerce.feedback.decide(None, Receive(case="", item=item, at=item.at))
    assert isinstance(nameless, Refused)
    assert nameless.missing == ("case",)


def test_a_command_by_a_role_without_the_right() -> None:
    rules, case = ecommerce.feedback, graded(scope="group")
    act = Act("take_over", at=at("2024-06-10T10:00"), by="li", role="agent", brings={"person": "x"})
    refusal = rules.decide(case, act)
    assert isinstance(refusal, Refused)
    assert (refusal.code, refusal.missing) == (Code.NO_RIGHT, ("role management",))
    assert "take_over" not in refusal.allowed
    assert "take_over" not in rules.allowed(case, role="agent")
    assert "take_over" in rules.allowed(case, role="management")
    boss = Act("take_over", at=at("2024-06-10T10:00"), by="wu", role="management",
               brings={"person": "wu"})  # fmt: skip
    taken = rules.decide(case, boss).or_raise().state
    assert taken.notes.last is not None
    assert taken.notes.last["person"] == "wu"


@pytest.mark.parametrize(
    "case",
    [closed(), tracked(), completed(), reported(promised(), "2024-06-12T10:00")],
    ids=["000", "001", "002", "003"],
)
def test_replay_gives_the_same_case(case: FeedbackCase) -> None:
    rules = next(
        book.feedback for book in HANDBOOKS
        if book.feedback.flow.workflow.machine.states is type(case.state)
    )  # fmt: skip
    assert rules.replay(case.log) == case
    assert case.sequence == len(case.log)
    assert case.opened.policy == rules.fingerprint()


def test_a_key_that_comes_again_repeats_the_answer() -> None:
    rules, case = ecommerce.feedback, graded()
    act = Act("handle", at=at("2024-06-10T10:00"), by="li", key="k-1",
              brings={"department": "a", "person": "b"})  # fmt: skip
    first = rules.decide(case, act).or_raise()
    again = rules.decide(first.state, act, earlier=first.facts)
    assert isinstance(again, Accepted)
    assert (again.state, again.facts) == (first.state, first.facts)
    other = Act("handle", at=at("2024-06-10T10:00"), by="wu", key="k-1")
    clash = rules.decide(first.state, other, earlier=first.facts)
    assert isinstance(clash, Refused)
    assert clash.code is Code.KEY_REUSED
    command = Receive(case="K", item=case.item, at=case.item.at, key="r-1")
    opened = rules.decide(None, command).or_raise()
    same = rules.decide(opened.state, command, earlier=opened.facts)
    assert isinstance(same, Accepted)
    assert same.facts == opened.facts


# --- pauses, hours and versions -----------------------------------------------------------------

OFFICE = Calendar(
    "office", "Asia/Shanghai", (WeekHours(weekdays("mon-fri"), Hours.of("09:00-18:00")),)
)


def working(hours: int = 8, *, pauses: bool = True) -> Feedback:
    row = ClockRule("completion", (RECEIVED,), ("complete",), Within(hours=hours),
                    rule="own", hours=OFFICE, pauses=pauses)  # fmt: skip
    return attrs.evolve(ecommerce.feedback, clocks=(row,))


def test_a_clock_of_open_time_stands_still_while_a_case_waits() -> None:
    rules = working()
    case = received(rules, "2024-06-07T16:00")  # a Friday
    case = do(rules, case, "2024-06-07T17:00", "pause", reason="customer")
    (reading,) = rules.due(case, as_of=at("2024-06-10T10:00"))
    assert (reading.due, reading.paused, reading.used) == (None, True, timedelta(hours=1))
    case = do(rules, case, "2024-06-10T10:00", "resume")
    (reading,) = rules.due(case, as_of=at("2024-06-10T12:00"))
    assert reading.due == at("2024-06-10T17:00").astimezone(UTC)
    assert reading.used == timedelta(hours=3)
    (pause,) = rules.pauses(case)
    assert (pause.since, pause.until, pause.why) == (
        at("2024-06-07T17:00"),
        at("2024-06-10T10:00"),
        "customer",
    )
    steady = working(pauses=False)
    (reading,) = steady.due(case, as_of=at("2024-06-10T12:00"))
    assert reading.due == at("2024-06-10T15:00").astimezone(UTC)


def test_used_time_never_moves_and_no_breach_is_dated_before_the_change() -> None:
    (long,) = working(8).clocks_table
    short = long.with_("limit", Within(hours=2))
    change = at("2024-06-10T14:00")
    versions = Versions.always(long).then(short, change)
    (run,) = long.runs([Event(RECEIVED, at("2024-06-10T09:00"))])
    before = read_versions(versions, run, as_of=at("2024-06-10T13:00"))
    after = read_versions(versions, run, as_of=at("2024-06-10T15:00"))
    assert (before.outcome, before.used) == (Outcome.DUE, timedelta(hours=4))
    assert (after.outcome, after.used) == (Outcome.MISSED, timedelta(hours=6))
    assert after.due == change.astimezone(UTC)
    hours = Versions.always(long).then(long.with_("hours", ALWAYS), change)
    night = read_versions(hours, run, as_of=at("2024-06-10T23:00"))
    assert night.used == timedelta(hours=14)


def test_a_clock_says_what_it_needs() -> None:
    with refused(InvalidValueError, "clock x"):
        ClockRule("x", (), ("a",), Within(hours=1), rule="r")
    with refused(InvalidValueError, "clock x.limit"):
        ClockRule("x", ("a",), ("b",), None, rule="r")
    with refused(InvalidValueError, "clock x.limit"):
        ClockRule("x", ("a",), ("b",), Days(0, 1), rule="r", pauses=True)
    with refused(UnknownNameError, "Feedback"):
        ecommerce.feedback.with_("clocks.completion.stops", ("vanish",))


@pytest.mark.parametrize("name", ["recurrence_days", "satisfied_from"])
@pytest.mark.parametrize("value", ["soon", 4.5, True])
def test_a_number_of_the_rules_is_a_whole_number(name: str, value: object) -> None:
    with refused(WrongTypeError, f"Feedback.{name}", given=value):
        ecommerce.feedback.with_(name, value)


def test_what_happened_later_is_not_known() -> None:
    rules = ecommerce.feedback
    case = completed("2024-06-11T08:30")
    assert outcome(rules, case, "completion", "2024-06-11T08:29") is Outcome.DUE
    (reading,) = (x for x in rules.due(case, as_of=at("2024-06-11T08:00")))
    assert reading.name == "completion"


# --- presets ------------------------------------------------------------------------------------


def test_merged_cases_hear_nothing_but_a_redaction() -> None:
    rules = ecommerce.feedback
    case = do(rules, graded(), "2024-06-10T10:00", "merge_into", case="K-2", holds=("both_cases",))
    assert case.notes.state is NoteState.MERGED
    refusal = no(rules, case, "2024-06-10T11:00", "handle", department="a", person="b")
    assert refusal.code is Code.NOT_POSSIBLE
    assert rules.allowed(case) == ("redact",)


def test_when_a_way_has_ended_only_remarks_are_heard() -> None:
    rules, case = user_retention.feedback, closed()
    assert rules.allowed(case) == ("recur", "remark", "redact")
    assert no(rules, case, "2024-05-11T00:00", "notify", channel="sms").code is Code.NOT_POSSIBLE


@pytest.mark.rule("VAR-09")
def test_the_limits_of_service_are_those_of_the_handbooks() -> None:
    found = {
        (book.name, row.name): row.limit for book in HANDBOOKS for row in book.feedback.clocks_table
    }
    assert found["ecommerce", "completion"] == Within(hours=24)
    assert found["ecommerce", "manager_response"] == Within(hours=24)
    assert found["ecommerce", "satisfaction_visit"] == Days(0, 3)
    assert found["new_measures", "first_response"] == Within(hours=24)
    assert found["membership", "promise"] is None
    assert found["user_retention", "promise"] is None


@pytest.mark.rule("H-45")
def test_each_kind_of_case_has_its_own_limits() -> None:
    row = ClockRule("first_response", (RECEIVED,), ("respond",), Within(hours=1), rule="own")
    kind = Measure[str]("kind")
    rows = (row.with_("when", kind.is_("complaint")),
            attrs.evolve(row, name="inquiry_response", limit=Within(hours=8),
                         when=kind.is_("inquiry")))  # fmt: skip
    rules = attrs.evolve(new_measures.feedback, clocks=rows)
    for given, name, hours in (
        ("complaint", "first_response", 1),
        ("inquiry", "inquiry_response", 8),
    ):
        case = received(rules, "2024-06-10T09:00", kind=given)
        (reading,) = rules.due(case, as_of=at("2024-06-10T09:00"))
        assert reading.name == name
        assert reading.due == (at("2024-06-10T09:00") + timedelta(hours=hours)).astimezone(UTC)


def test_every_note_is_a_word_in_two_languages() -> None:
    assert all(x.zh and x.label("zh") == x.zh for x in Note)
