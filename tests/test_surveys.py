"""Surveys: what is asked, by when, how often, and what the answers say (I-13 to I-19, SM-30)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.obligations import Done, Outcome, agenda
from retention.mechanisms.workflows import Act
from retention.presets import customer_operations, ecommerce, membership, user_retention
from retention.ratings import Scale
from retention.surveys import (
    SURVEYING,
    Invitation,
    InvitationLimit,
    Question,
    QuestionKind,
    Response,
    Survey,
    SurveyCommand,
    SurveyMethod,
    SurveyPlan,
    Surveys,
    SurveyState,
    SurveyTrigger,
    focus,
    response_rate,
)
from tests import catalogue
from tests.refusals import refused

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2024, 6, 1)


def answered(customer: str, about: str = "", **answers: object) -> Response:
    return Response(customer, DAY, "customer_satisfaction", answers, about=about)


FOUR = customer_operations.surveys.survey("customer_satisfaction")


# --- what is asked ------------------------------------------------------------------------------


@pytest.mark.rule("I-13")
def test_the_survey_of_001_has_the_four_dimensions_of_its_block() -> None:
    block = catalogue.preset("customer_operations")["survey"]
    assert list(FOUR.dimensions) == block["dimensions"]


@pytest.mark.rule("I-13")
def test_dimensions_come_with_their_means_and_the_least_satisfying_first() -> None:
    responses = [
        answered("a", product_quality=5, service_level=2, communication=4),
        answered("b", product_quality=4, service_level=3),
    ]
    found = [(name, figure.value) for name, figure in FOUR.by_dimension(responses)]
    assert found == [
        ("service_level", Fraction(5, 2)),
        ("communication", 4),
        ("product_quality", Fraction(9, 2)),
        ("delivery_timeliness", None),
    ]


@pytest.mark.rule("I-14")
def test_the_methods_are_those_of_the_handbooks() -> None:
    block = catalogue.preset("customer_operations")["survey"]
    assert [str(method) for method in FOUR.methods] == block["methods"]
    assert SurveyMethod.PHONE_INTERVIEW.label("zh") == "电话访谈"
    with refused(UnknownNameError, "method", given=SurveyMethod.QUESTIONNAIRE):
        Survey("s", FOUR.questions, (SurveyMethod.ONLINE_RATING,)).check(
            Response("a", DAY, "s", {"product_quality": 5})
        )


MIXED = Survey(
    "mixed",
    (
        Question("score", QuestionKind.SCALE, scale=Scale(1, 5), required=True),
        Question("why", QuestionKind.CHOICE, choices=("late", "broken"), many=True),
        Question("one", QuestionKind.CHOICE, choices=("yes", "no")),
        Question("words", QuestionKind.TEXT),
    ),
)


@pytest.mark.rule("I-14")
def test_answers_of_every_type_are_checked_against_their_question() -> None:
    good = Response(
        "a", DAY, "mixed", {"score": 4, "why": ["late", "broken"], "one": "yes", "words": "ok"}
    )
    assert MIXED.check(good) is good
    bad = {
        "score": (9, InvalidValueError),
        "why": (["late", "lost"], UnknownNameError),
        "one": ("maybe", UnknownNameError),
        "words": (3, WrongTypeError),
        "other": (1, UnknownNameError),
    }
    for name, (answer, error) in bad.items():
        with refused(error):
            MIXED.check(Response("a", DAY, "mixed", {"score": 4, name: answer}))


@pytest.mark.rule("I-14")
def test_an_empty_survey_and_an_empty_answer_are_refused() -> None:
    with refused(InvalidValueError, "s.questions"):
        Survey("s", ())
    with refused(InvalidValueError, "answers", given="none"):
        MIXED.check(Response("a", DAY, "mixed", {}))
    with refused(InvalidValueError, "answers", given=["score"]):
        MIXED.check(Response("a", DAY, "mixed", {"words": "fine"}))
    with refused(UnknownNameError, "survey"):
        MIXED.check(Response("a", DAY, "other", {"score": 1}))
    with refused(DuplicateError):
        Survey("s", (MIXED.questions[0], MIXED.questions[0]))


def test_a_question_has_a_scale_or_choices_but_never_the_wrong_one() -> None:
    with refused(InvalidValueError, "q.scale"):
        Question("q", QuestionKind.SCALE)
    with refused(InvalidValueError, "q.choices"):
        Question("q", QuestionKind.TEXT, choices=("a",))
    with refused(UnknownNameError, "Question.kind"):
        Question("q", "slider")  # type: ignore[arg-type]


@pytest.mark.rule("I-14")
def test_many_responses_are_validated_and_nothing_is_lost() -> None:
    responses = [
        answered("a", "reply-1", product_quality=5),
        answered("a", "reply-1", product_quality=1),  # a second answer about one reply
        answered("a", "reply-2", product_quality=4),  # the case was reopened and answered again
        answered("b", product_quality=7),
        answered("b", product_quality=3),
        answered("b", product_quality=3),  # about nothing in particular: may be given again
    ]
    good, problems = FOUR.checked(responses)
    assert [response.answer("product_quality") for response in good] == [5, 4, 3, 3]
    assert [(p.code, p.rows) for p in problems] == [
        (Code.ANSWERED_TWICE, (1,)),
        (Code.BAD_ANSWER, (3,)),
    ]


@pytest.mark.rule("I-14")
def test_the_response_rate_counts_invitations_that_were_answered() -> None:
    asked = [Invitation(x, DAY, "customer_satisfaction") for x in "abcd"]
    got = [answered("a", product_quality=5), answered("z", product_quality=1)]
    assert response_rate(asked, got).value == Fraction(1, 4)
    assert response_rate([], got).value is None


def test_answers_of_people_do_not_stand_in_repr() -> None:
    said = answered("a", opinions="my name is Wang")
    assert "Wang" not in repr(said)


# --- when it is asked ---------------------------------------------------------------------------


@pytest.mark.rule("I-15")
def test_002_asks_once_in_each_quarter() -> None:
    tasks = ecommerce.surveys.owed(
        "regular", date(2024, 1, 1), subject="all", until=date(2024, 12, 31)
    )
    assert len(tasks) == 4
    done = [Done("all", "survey quarterly_research", day) for day in (date(2024, 3, 31),)]
    states = agenda(tasks, done, as_of=date(2024, 7, 1), outcomes=frozenset(Outcome))
    assert [(str(x.obligation.window.last_day), x.outcome) for x in states] == [
        ("2024-03-31", Outcome.ON_TIME),
        ("2024-06-30", Outcome.MISSED),
        ("2024-09-30", Outcome.DUE),
        ("2024-12-31", Outcome.PENDING),
    ]


@pytest.mark.rule("I-16", "I-17")
@pytest.mark.parametrize("handbook", [membership, customer_operations], ids=lambda x: x.name)
def test_001_and_003_ask_again_half_a_year_after_the_last_time(handbook: object) -> None:
    (plan,) = handbook.surveys.plans  # type: ignore[attr-defined]
    done = [Done("all", f"survey {plan.survey}", date(2024, 8, 31))]
    *_, last = handbook.surveys.owed("regular", DAY, subject="all", done=done)  # type: ignore[attr-defined]
    assert last.window.last_day == date(2025, 2, 28)
    assert last.rule == plan.rule
    assert plan.rule in {"I-16", "I-17"}


@pytest.mark.rule("I-16")
def test_003_asks_about_satisfaction_needs_and_suggestions() -> None:
    survey = membership.surveys.survey("member_research")
    assert [x.name for x in survey.questions] == ["satisfaction", "needs", "suggestions"]
    assert survey.subjects == ("products", "service", "activities")


@pytest.mark.rule("I-31", "VAR-14")
def test_new_users_are_asked_within_a_week_after_their_purchase() -> None:
    bought = datetime(2024, 2, 26, 23, 30, tzinfo=SHANGHAI)
    (task,) = user_retention.surveys.owed("first_purchase", bought, subject="order-1")
    assert (task.window.last_day, task.rule) == (date(2024, 3, 4), "I-31")


@pytest.mark.rule("I-31")
def test_new_users_are_analysed_apart() -> None:
    metric = ecommerce.surveys.metric("csat")
    triggers = ["first_purchase", "regular", "first_purchase"]
    found = metric.by(triggers, [2, 5, 3]).values()
    assert {name: figure.value for name, figure in found.items()} == {
        "first_purchase": Fraction(5, 2),
        "regular": 5,
    }


@pytest.mark.rule("VAR-14")
def test_after_sales_and_complaints_are_asked_about_in_24_hours_and_3_days() -> None:
    done = datetime(2024, 6, 11, 8, 30, tzinfo=SHANGHAI)
    (sales,) = ecommerce.surveys.owed("after_sales_handled", done, subject="reply-1")
    (visit,) = ecommerce.surveys.owed("complaint_completed", done, subject="reply-2")
    assert sales.window.closes == done + timedelta(hours=24)
    assert visit.window.last_day == date(2024, 6, 14)
    assert (sales.rule, visit.rule) == ("H-40", "H-25")


def test_a_plan_names_a_survey_that_exists() -> None:
    plan = SurveyPlan("other", SurveyTrigger.REGULAR, ecommerce.surveys.plans[0].limit, "I-15")
    with refused(UnknownNameError, "Surveys.plans", given="other"):
        Surveys(plans=(plan,))
    with refused(UnknownNameError, "survey"):
        ecommerce.surveys.survey("nothing")
    with refused(UnknownNameError, "metric"):
        ecommerce.surveys.metric("ces")


# --- how often ----------------------------------------------------------------------------------


@pytest.mark.rule("I-19")
@pytest.mark.parametrize(
    ("days_later", "granted"), [(0, False), (29, False), (30, True), (31, True)]
)
def test_a_member_is_asked_once_in_30_days(days_later: int, granted: bool) -> None:
    asked = [Invitation("C-1", DAY, "member_research")]
    at = DAY + timedelta(days_later)
    answer = membership.surveys.may_ask("C-1", asked, "regular", at=at)
    assert answer.granted is granted
    assert answer.again_on == (None if granted else date(2024, 7, 1))
    assert membership.surveys.may_ask("C-2", asked, "regular", at=at).granted


@pytest.mark.rule("I-19")
def test_after_a_case_was_handled_a_member_is_asked_in_any_case() -> None:
    asked = [Invitation("C-1", DAY, "member_research")]
    ask = membership.surveys.may_ask
    assert ask("C-1", asked, "complaint_completed", at=DAY).granted
    about_a_case = [Invitation("C-1", DAY, "s", trigger="complaint_completed")]
    assert ask("C-1", about_a_case, "regular", at=DAY).granted  # nor does it use the limit
    assert ecommerce.surveys.may_ask("C-1", asked, "regular", at=DAY).granted  # no limit there


@pytest.mark.rule("I-19")
@given(
    days=st.lists(st.integers(0, 120), max_size=8),
    most=st.integers(1, 3),
    window=st.integers(1, 40),
    today=st.integers(0, 130),
)
def test_no_window_of_days_ever_holds_more_than_the_limit(
    days: list[int], most: int, window: int, today: int
) -> None:
    surveys = Surveys(limit=InvitationLimit(most, window))
    asked: list[Invitation] = []
    for day in sorted(days):
        at = DAY + timedelta(day)
        if surveys.may_ask("a", asked, "regular", at=at).granted:
            asked.append(Invitation("a", at, "s"))
    sent = [(x.at - DAY).days for x in asked]
    assert all(sum(first <= x < first + window for x in sent) <= most for first in range(140))
    asked = [x for x in asked if x.at <= DAY + timedelta(today)]
    later = surveys.may_ask("a", asked, "regular", at=DAY + timedelta(today))
    if later.again_on is not None:  # the day it names is the first on which it is granted
        assert surveys.may_ask("a", asked, "regular", at=later.again_on).granted
        before = later.again_on - timedelta(1)
        assert (
            before < DAY + timedelta(today)
            or not surveys.may_ask("a", asked, "regular", at=before).granted
        )


# --- what the answers say -----------------------------------------------------------------------


@pytest.mark.rule("I-18")
def test_focus_ranks_what_is_mentioned_most_and_satisfies_least() -> None:
    responses = [
        Response("a", DAY, "mixed", {"score": 4, "why": ["late", "broken"]}),
        Response("b", DAY, "mixed", {"score": 2, "why": ["late"]}),
        Response("c", DAY, "mixed", {"score": 2}),
    ]
    found = focus(MIXED, responses, ["price", "late"])
    assert [(x.name, x.mentions) for x in found] == [("late", 3), ("broken", 1), ("price", 1)]
    four = [answered("a", product_quality=5, service_level=2), answered("b", communication=3)]
    ranked = focus(FOUR, four, ["communication", "communication", "product_quality"])
    assert [x.name for x in ranked] == [
        "communication",
        "product_quality",
        "service_level",
        "delivery_timeliness",
    ]


# --- the way of a survey ------------------------------------------------------------------------


@pytest.mark.rule("SM-30")
def test_the_machine_is_the_catalogue_s() -> None:
    states, transitions = catalogue.machine("SM-30")
    assert [str(state) for state in SurveyState] == states
    written = {
        (str(x.source), str(x.command).replace("create_items", "items created"), str(x.target))
        for x in SURVEYING.steps
    }
    assert written == catalogue.edges(transitions)
    assert SURVEYING.unreachable(SurveyState.DRAFTED) == frozenset()
    assert SURVEYING.dead_ends() == {SurveyState.ACTED_ON}
    assert SURVEYING.unused() == ()


@pytest.mark.rule("SM-30")
def test_every_other_step_is_refused_with_what_is_allowed() -> None:
    for trial in SURVEYING.matrix():
        if isinstance(trial.answer, Refused):
            assert trial.answer.allowed == SURVEYING.allowed(trial.state)


@pytest.mark.rule("SM-30")
def test_a_survey_is_opened_closed_analysed_and_acted_on() -> None:
    flow = ecommerce.surveys.workflow
    here = flow.start("2024-Q2")
    at = datetime(2024, 6, 1, tzinfo=UTC)
    for command in (SurveyCommand.OPEN, SurveyCommand.CLOSE, SurveyCommand.ANALYSE):
        here = flow.decide(here, Act(command, at=at, by="li")).or_raise().state
        at += timedelta(days=1)
    no = flow.decide(here, Act(SurveyCommand.CREATE_ITEMS, at=at, by="li"))
    assert isinstance(no, Refused)
    assert no.missing == ("items",)
    yes = flow.decide(
        here, Act(SurveyCommand.CREATE_ITEMS, at=at, by="li", brings={"items": ["I-1"]})
    )
    assert isinstance(yes, Accepted)
    assert yes.state.state is SurveyState.ACTED_ON


@pytest.mark.rule("VAR-14")
def test_triggers_of_the_handbooks_differ() -> None:
    triggers = {
        handbook.name: {str(plan.trigger) for plan in handbook.surveys.plans}
        for handbook in (user_retention, customer_operations, ecommerce, membership)
    }
    assert triggers == {
        "user_retention": {"first_purchase", "feedback_handled"},
        "customer_operations": {"regular"},
        "ecommerce": {"regular", "after_sales_handled", "complaint_completed"},
        "membership": {"regular"},
    }
    assert SurveyTrigger("regular").label("zh") == "定期"


@pytest.mark.rule("X-02")
def test_what_is_assumed_is_listed() -> None:
    scale = [f"scale.{part}" for part in ("lowest", "highest", "better")]
    overall = [f"{x}_satisfaction.questions.overall" for x in ("new_user", "handling")]
    rated = [f"customer_satisfaction.questions.{x}" for x in FOUR.dimensions]
    asked = ["member_research.questions.satisfaction"]

    def scales(questions: list[str]) -> set[str]:
        return {f"surveys.{question}.{part}" for question in questions for part in scale}

    wanted = {
        "user_retention": scales(overall) | {"plans.handling_satisfaction.limit"},
        "customer_operations": scales(rated) | {"plans.customer_satisfaction.limit"},
        "ecommerce": set(),
        "membership": scales(asked)
        | {"plans.member_research.limit", "limit.most", "limit.days", "limit.exempt"},
    }
    for handbook in (user_retention, customer_operations, ecommerce, membership):
        found = {entry.path for entry in handbook.surveys.assumed()}
        assert found == wanted[handbook.name] | {"zone"}
