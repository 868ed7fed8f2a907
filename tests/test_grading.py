"""Grading: review, publication, sources, regrading, and the history of grades."""

from __future__ import annotations

import copy
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol, TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.grading import (
    GRADING,
    Activate,
    Analyse,
    Approve,
    Approved,
    Batch,
    BatchState,
    Grading,
    GradingCommand,
    GradingOrder,
    GradingProcess,
    Head,
    Process,
    Reanalyse,
    Reject,
    Submit,
    WorkingGroup,
)
from retention.grading_inputs import (
    CUSTOMER_SOURCES,
    USER_SOURCES,
    Delivery,
    GradingInput,
    GradingSource,
)
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.decisions import Case, FirstMatch
from retention.mechanisms.errors import (
    BlankValueError,
    DuplicateError,
    InvalidValueError,
    NaiveInstantError,
    NotRisingError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.machines import Machine
from retention.mechanisms.obligations import After, Every
from retention.mechanisms.outcomes import Outcomes
from retention.mechanisms.periods import AsOf, zone_of
from retention.mechanisms.rules import parse
from retention.presets import customer_operations, ecommerce, user_retention
from retention.publications import (
    PUBLICATION,
    Acknowledge,
    GradePublication,
    PublicationFact,
    PublicationOrder,
    PublicationState,
    PublicationTerms,
    Publish,
    Supersede,
    recorded,
)
from retention.publications import replay as republished
from retention.regrading import Direction, GradeAssessment, GradeChange, RecordedGrades, Regrading
from tests import catalogue

LADDER = ("ordinary", "silver", "gold", "platinum", "diamond")
GROUP = WorkingGroup(
    "retention_working_group",
    (Head("marketing", "chen"), Head("customer_service", "wang"), Head("technology", "li")),
)
QUARTERLY = Regrading(LADDER, Every(months=3))
PROCESS = GradingProcess(
    Process.REVIEWED, QUARTERLY, group=GROUP, sources_wanted=tuple(USER_SOURCES)
)
SINCE_JANUARY = Grading(
    recorded=RecordedGrades((GradeAssessment(date(2024, 1, 1), {"u": "gold"}),))
)


def july(day: int) -> date:
    return date(2024, 7, day)


def accepted(state: Grading, *commands: GradingOrder) -> Grading:
    for command in commands:
        state = PROCESS.decide(state, command).or_raise().state
    return state


State_contra = TypeVar("State_contra", contravariant=True)
Command_contra = TypeVar("Command_contra", contravariant=True)


class Judge(Protocol[State_contra, Command_contra]):
    def decide(self, state: State_contra, command: Command_contra, /) -> object: ...


def refusal(
    state: State_contra, command: Command_contra, *, by: Judge[State_contra, Command_contra]
) -> Refused:
    """The refusal of a command, which leaves the state as it was."""
    before = copy.deepcopy(state)
    answer = by.decide(state, command)
    assert isinstance(answer, Refused)
    assert state == before
    return answer


SUBMITTED = accepted(
    SINCE_JANUARY,
    Analyse("H2", {"u": "diamond"}, at=july(1), by="zhao"),
    Submit("H2", at=july(2), by="zhao"),
)


# --- review: S-04, C-14, K-02, K-13, C-41 ---------------------------------------------------------


@pytest.mark.rule("S-04", "C-14", "K-02", "K-13", "C-41")
def test_a_batch_is_reviewed_twice_and_the_rejected_grade_never_holds() -> None:
    own = refusal(SUBMITTED, Approve("H2", at=july(2), by="zhao"), by=PROCESS)
    assert own.missing == ("not_submitter", "working_group")
    state = accepted(
        SUBMITTED,
        Reject("H2", "refund omitted", at=july(3), by="wang"),
        Reanalyse("H2", {"u": "platinum"}, at=july(4), by="zhao"),
        Submit("H2", at=july(4), by="zhao"),
        Approve("H2", at=july(5), by="wang"),
        Activate("H2", at=july(5), by="zhao"),
    )
    assert [state.grade("u", on=july(n)) for n in (2, 3, 4)] == ["gold"] * 3
    assert state.grade("u", on=july(5)) == "platinum"
    assert state.grade("u", on=date(2025, 7, 5)) == "platinum"
    first, second = state.batch("H2").rounds
    assert dict(first.grades) == {"u": "diamond"}
    assert first.verdict is not None
    assert (first.verdict.by, first.verdict.on) == ("wang", july(3))
    assert getattr(first.verdict, "reason", "") == "refund omitted"
    assert dict(second.grades) == {"u": "platinum"}
    assert isinstance(second.verdict, Approved)
    spans = list(state.recorded.history("u").spans())
    assert spans == [("gold", date(2024, 1, 1), july(4)), ("platinum", july(5), None)]


@pytest.mark.rule("K-13", "C-14")
def test_a_member_of_the_group_who_submits_may_not_approve() -> None:
    state = accepted(
        Grading(),
        Analyse("H2", {"u": "gold"}, at=july(1), by="zhao"),
        Submit("H2", at=july(2), by="chen"),
    )
    answer = refusal(state, Approve("H2", at=july(3), by="chen"), by=PROCESS)
    assert (answer.code, answer.missing) == (Code.NAMES_MISSING, ("not_submitter",))
    assert answer.given == (BatchState.SUBMITTED, GradingCommand.APPROVE)
    assert answer.allowed == (GradingCommand.APPROVE, GradingCommand.REJECT)
    approved = accepted(state, Approve("H2", at=july(3), by="wang"))
    assert approved.batch("H2").state is BatchState.APPROVED


@pytest.mark.rule("K-02", "C-14")
def test_only_heads_of_departments_review() -> None:
    assert [GROUP.has(who) for who in ("chen", "wang", "li", "zhao")] == [True, True, True, False]
    for command in (Approve("H2", at=july(3), by="sun"), Reject("H2", "no", at=july(3), by="sun")):
        assert refusal(SUBMITTED, command, by=PROCESS).missing == ("working_group",)


@pytest.mark.rule("K-02")
def test_a_head_who_is_not_named_yet_is_no_silent_refusal() -> None:
    process = GradingProcess(
        Process.REVIEWED, QUARTERLY, group=WorkingGroup("group", (Head("marketing"),))
    )
    with pytest.raises(BlankValueError, match=r"Head\.person"):
        process.decide(SUBMITTED, Approve("H2", at=july(3), by="chen"))
    named = process.with_("group.marketing.person", "chen")
    answer = named.decide(SUBMITTED, Approve("H2", at=july(3), by="chen"))
    assert isinstance(answer, Accepted)


@pytest.mark.rule("C-14", "C-41")
def test_grades_hold_from_activation_only() -> None:
    waiting = accepted(SUBMITTED, Approve("H2", at=july(3), by="wang"))
    assert waiting.grade("u", on=july(30)) == "gold"
    active = accepted(waiting, Activate("H2", at=july(8), by="zhao"))
    assert [active.grade("u", on=july(n)) for n in (7, 8)] == ["gold", "diamond"]


@pytest.mark.rule("C-14", "SM-08")
def test_the_next_batch_supersedes() -> None:
    state = accepted(
        SUBMITTED,
        Approve("H2", at=july(3), by="wang"),
        Activate("H2", at=july(5), by="zhao"),
        Analyse("H3", {"u": "silver", "v": "gold"}, at=july(6), by="zhao"),
        Submit("H3", at=july(7), by="zhao"),
        Approve("H3", at=july(8), by="chen"),
    )
    assert state.batch("H2").state is BatchState.EFFECTIVE
    assert refusal(state, Activate("H3", at=july(5), by="zhao"), by=PROCESS).missing == (
        "later_time",
        "later_day",
    )
    state = accepted(state, Activate("H3", at=july(9), by="zhao"))
    assert [each.state for each in state.batches] == [BatchState.SUPERSEDED, BatchState.EFFECTIVE]
    assert state.recorded.grades(on=july(8)) == {"u": "diamond"}
    assert state.recorded.grades(on=july(9)) == {"u": "silver", "v": "gold"}
    assert state.recorded.history("u").held(july(9)).reason == "batch H3"  # type: ignore[union-attr]
    window = PROCESS.due(state)
    assert window is not None
    assert window.last_day == date(2024, 12, 31)


def test_two_batches_do_not_take_effect_on_one_day() -> None:
    state = Grading()
    for name in ("a", "b"):
        state = accepted(
            state,
            Analyse(name, {"u": "gold"}, at=july(1), by="zhao"),
            Submit(name, at=july(1), by="zhao"),
            Approve(name, at=july(1), by="wang"),
        )
    state = accepted(state, Activate("a", at=july(2), by="zhao"))
    assert refusal(state, Activate("b", at=july(2), by="zhao"), by=PROCESS).missing == (
        "later_day",
    )


def test_the_day_is_the_local_one() -> None:
    late = datetime(2024, 7, 4, 17, tzinfo=UTC)  # 07-05 in Shanghai
    state = accepted(
        SUBMITTED,
        Approve("H2", at=late, by="wang"),
        Activate("H2", at=late, by="zhao"),
    )
    assert [state.grade("u", on=july(n)) for n in (4, 5)] == ["gold", "diamond"]


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.rule("SM-08", "X-05")
def test_what_has_no_row_is_refused_with_what_is_allowed() -> None:
    early = refusal(SUBMITTED, Activate("H2", at=july(3), by="wang"), by=PROCESS)
    assert early.code is Code.NOT_POSSIBLE
    assert early.given == (BatchState.SUBMITTED, GradingCommand.ACTIVATE)
    assert early.allowed == (GradingCommand.APPROVE, GradingCommand.REJECT)
    unknown = refusal(SUBMITTED, Submit("H9", at=july(3), by="zhao"), by=PROCESS)
    assert unknown.given == (BatchState.COLLECTING, GradingCommand.SUBMIT)
    assert unknown.allowed == (GradingCommand.ANALYSE,)


@pytest.mark.parametrize("reason", ["", "  "])
@pytest.mark.rule("SM-08")
def test_a_rejection_without_a_reason_is_refused(reason: str) -> None:
    answer = refusal(SUBMITTED, Reject("H2", reason, at=july(3), by="wang"), by=PROCESS)
    assert (answer.code, answer.missing) == (Code.NAMES_MISSING, ("reason",))


@pytest.mark.rule("C-14")
def test_an_empty_batch_is_refused() -> None:
    answer = refusal(Grading(), Analyse("H2", {}, at=july(1), by="zhao"), by=PROCESS)
    assert (answer.code, answer.missing) == (Code.NAMES_MISSING, ("grades",))
    assert answer.allowed == (GradingCommand.ANALYSE,)


def test_nothing_happens_before_what_it_follows() -> None:
    answer = refusal(SUBMITTED, Approve("H2", at=july(1), by="wang"), by=PROCESS)
    assert answer.missing == ("later_time",)


@pytest.mark.rule("C-41")
def test_a_grade_before_the_first_evaluation_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="no evaluation by 2023-12-31; known: 2024-01-01"):
        SINCE_JANUARY.grade("u", on=date(2023, 12, 31))
    with pytest.raises(UnknownNameError, match="no evaluation by 2024-01-01; known: nothing"):
        SINCE_JANUARY.grade("stranger", on=date(2024, 1, 1))
    assert SINCE_JANUARY.recorded.grades(on=date(2023, 12, 31)) == {}


def test_bad_values_are_errors() -> None:
    with pytest.raises(UnknownNameError, match="no diamont; known: ordinary"):
        PROCESS.decide(Grading(), Analyse("H2", {"u": "diamont"}, at=july(1), by="zhao"))
    with pytest.raises(DuplicateError):
        Analyse("H2", [("u", "gold"), ("u", "silver")], at=july(1), by="zhao")
    with pytest.raises(NaiveInstantError):
        Submit("H2", at=datetime(2024, 7, 1, 10), by="zhao")
    with pytest.raises(WrongTypeError):
        Submit("H2", at="2024-07-01", by="zhao")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="by"):
        Submit("H2", at=july(1), by="")
    with pytest.raises(NotRisingError):
        RecordedGrades((GradeAssessment(july(2), {}), GradeAssessment(july(2), {})))
    with pytest.raises(InvalidValueError, match="two grades or more"):
        Regrading(("gold",), None)
    with pytest.raises(InvalidValueError, match="two grades or more"):
        Regrading(("gold", "gold", "silver"), None)


def test_a_key_that_comes_again() -> None:
    command = Submit("H2", at=july(2), by="zhao", key="k-1")
    state = accepted(Grading(), Analyse("H2", {"u": "gold"}, at=july(1), by="zhao"))
    first = PROCESS.decide(state, command).or_raise()
    later = Submit("H2", at=july(3), by="zhao", key="k-1")
    again = PROCESS.decide(first.state, later, earlier=first.facts).or_raise()
    assert (again.state, again.facts) == (first.state, first.facts)
    for other in (
        Submit("H2", at=july(2), by="sun", key="k-1"),
        Approve("H2", at=july(2), by="wang", key="k-1"),
    ):
        answer = PROCESS.decide(first.state, other, earlier=first.facts)
        assert isinstance(answer, Refused)
        assert answer.missing == ("unused_key",)
        assert answer.allowed == (GradingCommand.APPROVE, GradingCommand.REJECT)
    stranger = PROCESS.decide(first.state, Submit("H2", at=july(3), by="zhao"), earlier=first.facts)
    assert isinstance(stranger, Refused)  # without a key nothing is repeated
    assert stranger.code is Code.NOT_POSSIBLE


# --- VAR-13 ---------------------------------------------------------------------------------------


@pytest.mark.rule("VAR-13")
def test_the_processes_of_the_handbooks_are_data() -> None:
    blocks = {name: catalogue.preset(name) for name in ("user_retention", "customer_operations")}
    assert blocks["user_retention"]["review"]["required"] is True
    assert blocks["customer_operations"]["review"]["required"] is False
    assert blocks["customer_operations"]["review"]["publish_internally"] is True
    assert catalogue.preset("ecommerce")["rhythm"]["layer_update"] == "on_event"
    audience = tuple(blocks["customer_operations"]["review"]["audience"])
    processes = {
        "000": PROCESS,
        "001": GradingProcess(
            Process.PUBLISHED,
            Regrading(("low", "medium", "high"), After(months=3)),
            publication=PublicationTerms(audience),
        ),
        "002": GradingProcess(Process.AUTOMATIC, Regrading(("low", "high"), None)),
    }
    start = Analyse("H2", {"u": "gold"}, at=july(1), by="zhao")
    for name, handbook in (("000", user_retention), ("001", customer_operations)):
        preset = handbook.segmentation.process
        assert preset.process is processes[name].process
        assert preset.regrading.every == After(months=3)  # AMB-31: from the last time on
    assert customer_operations.segmentation.process.publication.audience == audience
    assert ecommerce.segmentation.process.process is Process.AUTOMATIC
    assert ecommerce.segmentation.process.regrading.every is None
    heads = user_retention.segmentation.process.group.heads
    assert [head.department for head in heads] == catalogue.preset("user_retention")["departments"]
    assert isinstance(processes["000"].decide(Grading(), start), Accepted)
    for name in ("001", "002"):  # no review: nothing to submit, nobody to approve
        with pytest.raises(InvalidValueError, match="a process that is reviewed"):
            processes[name].decide(Grading(), start)
    assert processes["001"].publication.audience == ("marketing", "customer_service", "sales")
    assert processes["002"].regrading.next_window(july(1)) is None
    assert processes["000"].compare(processes["002"])
    switched = PROCESS.with_("process", "published")
    assert switched.process is Process.PUBLISHED
    with pytest.raises(BlankValueError):
        bool(switched.publication.audience)


# --- C-15 -----------------------------------------------------------------------------------------


@pytest.mark.rule("C-15")
def test_missing_sources_are_reported_with_who_delivered_the_others() -> None:
    stated = ("购买行为", "消费金额", "购买频次", "满意度调查结果", "反馈与建议")
    assert tuple(source.label("zh") for source in USER_SOURCES) == stated
    delivered = GradingInput(
        (
            Delivery("purchase_behaviour", "marketing", july(1), 40),
            Delivery("spend", "marketing", july(1), 40),
            Delivery("survey", "customer_service", july(1), 12),
            Delivery("survey", "technical_support", july(1), 10),
        )
    )
    report = delivered.coverage(USER_SOURCES, population=40)
    assert report.missing == (GradingSource.FREQUENCY, GradingSource.FEEDBACK)
    assert not report.complete
    survey = next(row for row in report.rows if row.source is GradingSource.SURVEY)
    assert survey.departments == ("customer_service", "technical_support")
    assert (survey.share.numerator, survey.share.denominator) == (12, 40)
    assert "feedback: missing" in str(report)
    more = (Delivery("frequency", "marketing", july(1), 1), Delivery("feedback", "x", july(1), 0))
    assert (
        GradingInput((*delivered.deliveries, *more)).coverage(USER_SOURCES, population=40).complete
    )


@pytest.mark.rule("C-15", "C-14")
def test_a_batch_carries_what_it_stands_on() -> None:
    delivered = GradingInput((Delivery("spend", "marketing", july(1), 1),))
    command = Analyse("H2", {"u": "gold"}, delivered, at=july(1), by="zhao")
    batch = accepted(Grading(), command).batch("H2")
    assert batch.given == delivered
    assert GradingSource.SURVEY in PROCESS.coverage(batch).missing
    assert GradingSource.SPEND not in PROCESS.coverage(batch).missing


def test_deliveries_are_validated() -> None:
    with pytest.raises(UnknownNameError, match="perhaps 'survey'"):
        Delivery("survei", "marketing", july(1), 1)
    with pytest.raises(InvalidValueError, match="department"):
        Delivery("survey", "", july(1), 1)
    with pytest.raises(InvalidValueError, match="0 or more"):
        Delivery("survey", "marketing", july(1), -1)
    with pytest.raises(InvalidValueError, match="at most 3"):
        GradingInput((Delivery("survey", "x", july(1), 4),)).coverage(USER_SOURCES, population=3)


# --- publication: C-16, SM-09, S-14a --------------------------------------------------------------

TERMS = PublicationTerms(("customer_service", "sales"))
DRAFT = GradePublication("2024-Q3", {"K-7": "medium"})


def read(state: GradePublication, *commands: PublicationOrder) -> GradePublication:
    for command in commands:
        state = TERMS.decide(state, command).or_raise().state
    return state


SHOWN = read(DRAFT, Publish(at=july(1), by="manager"))


@pytest.mark.rule("S-14a", "C-16", "C-17", "SM-09")
def test_a_publication_read_by_one_department_only() -> None:
    regrading = Regrading(("low", "medium", "high"), Every(months=3))
    change = regrading.change("K-7", "high", "medium", reason="score 55 is below 70")
    assert change == GradeChange("K-7", "high", "medium", Direction.DOWN, "score 55 is below 70")
    by_sales = read(SHOWN, Acknowledge("sales", at=july(2), by="wu"))
    assert not by_sales.fully_acknowledged
    assert by_sales.unread == ("customer_service",)
    assert by_sales.state is PublicationState.PUBLISHED
    by_all = read(by_sales, Acknowledge("customer_service", at=july(3), by="sun"))
    assert by_all.fully_acknowledged
    assert by_all.state is PublicationState.ACKNOWLEDGED
    assert [(fact.reader, fact.by) for fact in by_all.acknowledged] == [
        ("sales", "wu"),
        ("customer_service", "sun"),
    ]


@pytest.mark.rule("C-16")
def test_persons_are_readers_too_and_the_sources_are_those_of_001() -> None:
    terms = PublicationTerms(("sales",), ("director zhou",))
    shown = terms.decide(DRAFT, Publish(at=july(1), by="manager")).or_raise().state
    assert shown.unread == ("sales", "director zhou")
    assert [x.label("zh") for x in CUSTOMER_SOURCES] == ["购买数据", "交易记录", "客户评价"]


@pytest.mark.rule("C-16", "C-41")
def test_published_grades_hold_from_the_day_of_publication() -> None:
    second = read(
        GradePublication("2024-Q4", {"K-7": "high"}), Publish(at=date(2024, 10, 8), by="m")
    )
    held = recorded([second, SHOWN, DRAFT])
    assert held.grade("K-7", on=date(2024, 10, 7)) == "medium"
    assert held.grade("K-7", on=date(2024, 10, 8)) == "high"
    with pytest.raises(UnknownNameError):
        held.grade("K-7", on=date(2024, 6, 30))


@pytest.mark.rule("SM-09", "X-05", "C-16")
def test_what_a_publication_refuses() -> None:
    early = refusal(DRAFT, Acknowledge("sales", at=july(1), by="wu"), by=TERMS)
    assert (early.code, early.allowed) == (Code.NOT_POSSIBLE, ("publish",))
    nobody = refusal(DRAFT, Publish(at=july(1), by="m"), by=PublicationTerms())
    assert (nobody.code, nobody.missing) == (Code.NAMES_MISSING, ("audience",))
    empty = refusal(GradePublication("2024-Q3", {}), Publish(at=july(1), by="m"), by=TERMS)
    assert empty.missing == ("grades",)
    stranger = refusal(SHOWN, Acknowledge("marketing", at=july(2), by="wu"), by=TERMS)
    assert stranger.missing == ("reader_of_audience",)
    once = read(SHOWN, Acknowledge("sales", at=july(2), by="wu"))
    twice = refusal(once, Acknowledge("sales", at=july(3), by="wu"), by=TERMS)
    assert twice.missing == ("first_reading",)
    before = refusal(once, Acknowledge("customer_service", at=july(1), by="wu"), by=TERMS)
    assert before.missing == ("later_time",)
    over = read(SHOWN, Supersede("2024-Q4", at=july(9), by="m"))
    assert over.state is PublicationState.SUPERSEDED
    assert refusal(over, Acknowledge("sales", at=july(9), by="wu"), by=TERMS).allowed == ()


def test_a_publication_repeats_its_answer() -> None:
    first = TERMS.decide(DRAFT, Publish(at=july(1), by="m", key="k")).or_raise()
    again = TERMS.decide(first.state, Publish(at=july(2), by="m", key="k"), earlier=first.facts)
    assert again == first
    other = TERMS.decide(first.state, Publish(at=july(2), by="x", key="k"), earlier=first.facts)
    assert isinstance(other, Refused)
    assert other.missing == ("unused_key",)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["publish", "sales", "customer_service", "marketing", "supersede"]),
            st.integers(-1, 3),
        ),
        max_size=12,
    )
)
def test_replay_gives_the_same_publication(steps: list[tuple[str, int]]) -> None:
    state, facts, day = DRAFT, list[PublicationFact](), july(1)
    for what, days in steps:
        day += timedelta(days=days)
        orders: dict[str, PublicationOrder] = {
            "publish": Publish(at=day, by="m"),
            "supersede": Supersede("next", at=day, by="m"),
        }
        command = orders.get(what, Acknowledge(what, at=day, by="m"))
        answer = TERMS.decide(state, command)
        if isinstance(answer, Accepted):
            state, facts = answer.state, [*facts, *answer.facts]
        assert republished(DRAFT, facts) == state
    readers = {fact.reader for fact in state.acknowledged}
    if state.state is PublicationState.ACKNOWLEDGED:
        assert readers == {"sales", "customer_service"}
    if state.state is PublicationState.PUBLISHED:
        assert readers < {"sales", "customer_service"}


# --- C-17 -----------------------------------------------------------------------------------------


@pytest.mark.rule("C-17")
def test_dates_of_regrading() -> None:
    quarterly = [str(day) for day in QUARTERLY.dates(date(2024, 1, 1), until=date(2024, 12, 31))]
    assert quarterly == ["2024-03-31", "2024-06-30", "2024-09-30", "2024-12-31"]
    every_90 = Regrading(LADDER, After(days=90))
    assert [str(day) for day in every_90.dates(date(2024, 1, 1), until=date(2024, 7, 1))] == [
        "2024-03-31",
        "2024-06-29",
    ]
    assert Regrading(LADDER, None).dates(date(2024, 1, 1), until=date(2024, 12, 31)) == ()
    window = QUARTERLY.next_window(date(2024, 2, 29))
    assert window is not None
    assert window.last_day == date(2024, 6, 30)
    yearly = Regrading(LADDER, Every(months=12)).next_window(date(2024, 2, 29))
    assert yearly is not None
    assert yearly.last_day == date(2025, 12, 31)
    after = Regrading(LADDER, After(months=3)).next_window(date(2024, 11, 30))
    assert after is not None
    assert after.last_day == date(2025, 2, 28)


TABLE: FirstMatch[str] = FirstMatch(
    (
        Case("gold", parse("spend_minor >= 10000")),
        Case("silver", parse("spend_minor >= 1000")),
    ),
    otherwise="ordinary",
)
NOW = AsOf.at(july(5), zone_of("Asia/Shanghai"))


def computed(**spend: int) -> Outcomes[str]:
    columns = {"spend_minor": np.array(list(spend.values()), np.int64)}
    return Outcomes.of(TABLE, np.array(list(spend), "U9"), columns, NOW)


@pytest.mark.rule("C-17")
def test_changes_say_who_where_and_why() -> None:
    found = QUARTERLY.changes(
        {"a": "gold", "b": "gold", "c": "silver", "gone": "silver"},
        computed(a=20_000, b=5_000, c=50_000, fresh=100),
    )
    rows = list(found)
    assert [(x.customer, x.before, x.after, x.direction.value) for x in rows] == [
        ("b", "gold", "silver", "down"),
        ("c", "silver", "gold", "up"),
        ("fresh", None, "ordinary", "entered"),
        ("gone", "silver", None, "left"),
    ]
    assert rows[1].reason == "gold: spend_minor 50000 is >= 10000"
    assert rows[0].reason == (
        "silver: spend_minor 5000 is >= 1000; not gold: spend_minor 5000 is not >= 10000"
    )
    assert found.counts() == {
        Direction.UP: 1,
        Direction.DOWN: 1,
        Direction.ENTERED: 1,
        Direction.LEFT: 1,
    }
    columns = {name: column.tolist() for name, column in found.to_columns().items()}
    assert columns == {
        "customer": ["b", "c", "fresh", "gone"],
        "before": ["gold", "silver", "", "silver"],
        "after": ["silver", "gold", "ordinary", ""],
        "direction": ["down", "up", "entered", "left"],
    }
    with pytest.raises(UnknownNameError, match="no wood"):
        QUARTERLY.changes({"a": "wood"}, computed(a=1))
    assert len(QUARTERLY.changes({}, computed())) == 0


GRADES = st.sampled_from(["ordinary", "silver", "gold"])


@given(
    st.dictionaries(st.integers(0, 9), GRADES),
    st.dictionaries(st.integers(0, 9), st.integers(0, 20_000)),
)
def test_columns_and_one_customer_agree(
    recorded_grades: dict[int, str], spend: dict[int, int]
) -> None:
    columns = {"spend_minor": np.array(list(spend.values()), np.int64)}
    outcomes = Outcomes.of(TABLE, np.array(list(spend), np.int64), columns, NOW)
    one_by_one = [
        QUARTERLY.change(
            who,
            recorded_grades.get(who),
            TABLE.decide({"spend_minor": spend[who]}) if who in spend else None,
        )
        for who in sorted({*recorded_grades, *spend})
    ]
    assert list(QUARTERLY.changes(recorded_grades, outcomes)) == [x for x in one_by_one if x]


# --- the machines equal the catalogue -------------------------------------------------------------

# How the catalogue's words read as commands; None is made by time or by another batch.
READS: dict[str, dict[str, str | None]] = {
    "SM-08": {"next batch effective": None},
    "SM-09": {"all read": "acknowledge", "new grade": "supersede"},
}
# C-14 asks for a reviewer of the working group, so who rejects is one too; that all have read
# is the condition of the last reader's command.
MORE_NEEDS = {("SM-08", "reject"): {"working_group"}, ("SM-09", "acknowledge"): {"all_read"}}


@pytest.mark.parametrize("machine", [GRADING, PUBLICATION], ids=lambda each: each.id)
@pytest.mark.rule("SM-08", "SM-09", "X-05")
def test_a_machine_equals_the_catalogue(machine: Machine[Any, Any]) -> None:
    states, transitions = catalogue.machine(machine.id)
    assert [state.value for state in machine.states] == states
    expected = {}
    for line in transitions:
        bracket = re.search(r"\[(.*)\]", line)
        needs = {x.replace(" ", "_") for x in bracket[1].split(", ")} if bracket else set()
        for source, what, target in catalogue.edges([line]):
            command = READS[machine.id].get(what, what)
            extra = MORE_NEEDS.get((machine.id, command or ""), set())
            expected[source, command, target] = needs | extra
    assert {(x.source, x.command, x.target): set(x.needs) for x in machine.steps} == expected
    commanded = {str(x.command) for x in machine.steps if x.command is not None}
    assert commanded == {str(each) for each in machine.commands}
    assert not machine.unreachable(machine.states(states[0]))


def test_a_batch_that_nobody_knows_is_collecting() -> None:
    assert Grading().batch("x") == Batch("x")
    assert Batch("x").submitter is None
