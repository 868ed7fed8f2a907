"""Surveys: what is asked, whom, after what, by when; and what the answers say.

A survey is data: questions with their scales and dimensions, methods, and the plans that say
after what it is sent (VAR-14). An answer hangs on what it is about, a reply or a purchase,
never on a case: a case that is reopened and answered again can be asked about again. Figures
from ratings are made in ``ratings``; nothing is sent here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, cast

from attrs import field, frozen

from retention.mechanisms.acts import timed
from retention.mechanisms.answers import Code, Problem, Reason
from retention.mechanisms.choices import member
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.estimates import Estimate
from retention.mechanisms.kpis import KpiValue
from retention.mechanisms.machines import Machine
from retention.mechanisms.obligations import Done, Limit, Obligation, owed
from retention.mechanisms.periods import When, local_date, zone_of
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.words import Word
from retention.mechanisms.workflows import Workflow
from retention.ratings import Figure, RatingMetric, Scale


class SurveyMethod(Word):
    """How people are asked (I-14)."""

    QUESTIONNAIRE = "questionnaire", "问卷调查"
    PHONE_INTERVIEW = "phone_interview", "电话访谈"
    ONLINE_RATING = "online_rating", "在线测评"


class QuestionKind(Word):
    """What an answer is (I-14)."""

    SCALE = "scale", "量表题"
    CHOICE = "choice", "选择题"
    TEXT = "text", "问答题"


class SurveyTrigger(Word):
    """After what a survey is sent, or when (VAR-14)."""

    FIRST_PURCHASE = "first_purchase", "新用户购买后"
    FEEDBACK_HANDLED = "feedback_handled", "反馈处理后"
    AFTER_SALES_HANDLED = "after_sales_handled", "售后处理后"
    COMPLAINT_COMPLETED = "complaint_completed", "投诉处理完成后"
    REGULAR = "regular", "定期"


class SurveyState(Word):
    """States of a survey (SM-30)."""

    DRAFTED = "drafted", "草拟"
    OPEN = "open", "进行中"
    CLOSED = "closed", "已结束"
    ANALYSED = "analysed", "已分析"
    ACTED_ON = "acted_on", "已改进"


class SurveyCommand(Word):
    """Commands of a survey (SM-30)."""

    OPEN = "open", "开始"
    CLOSE = "close", "结束"
    ANALYSE = "analyse", "分析"
    CREATE_ITEMS = "create_items", "生成改进项"


# SM-30
SURVEYING = Machine(
    "SM-30",
    SurveyState,
    SurveyCommand,
    """
    drafted -open-> open
    open -close-> closed
    closed -analyse-> analysed
    analysed -create_items-> acted_on [items]
    """,
)


_NONE = "none yet; add it to the policy first"


def _kind(given: QuestionKind | str) -> QuestionKind:
    return member(QuestionKind, given, "Question.kind")


@policy
class Question(Policy):
    """One question: a scale, a choice or a text, and the dimension that it measures (I-13)."""

    name: str
    kind: QuestionKind = field(converter=_kind)
    scale: Scale | None = field(default=None, kw_only=True)
    choices: tuple[str, ...] = field(default=(), converter=tuple, kw_only=True)
    many: bool = field(default=False, kw_only=True)  # several choices at once
    dimension: str = field(default="", kw_only=True)
    required: bool = field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if (self.kind is QuestionKind.SCALE) != (self.scale is not None):
            raise InvalidValueError(f"{self.name}.scale", self.scale, "a scale for scales alone")
        if (self.kind is QuestionKind.CHOICE) != bool(self.choices):
            allowed = "choices for choice questions alone"
            raise InvalidValueError(f"{self.name}.choices", self.choices, allowed)

    @property
    def key(self) -> str:
        """Name as a row of a table."""
        return self.name

    def check(self, answer: Any) -> Any:  # noqa: ANN401  what a form holds
        """Return an answer that fits this question; refuse everything else."""
        if self.scale is not None:
            return self.scale.check(answer)
        if self.kind is QuestionKind.TEXT:
            if not isinstance(answer, str):
                raise WrongTypeError(self.name, answer, "a text")
            return answer
        given = tuple(answer) if self.many and isinstance(answer, list | tuple) else (answer,)
        for each in given:
            if each not in self.choices:
                raise UnknownNameError(self.name, each, self.choices)
        return given if self.many else answer


def _answers(given: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    pairs = cast("Mapping[str, Any]", given).items() if isinstance(given, Mapping) else given
    return tuple((name, tuple(x) if isinstance(x, list) else x) for name, x in pairs)


def _method(given: SurveyMethod | str) -> SurveyMethod:
    return member(SurveyMethod, given, "method")


def _trigger(given: SurveyTrigger | str) -> SurveyTrigger:
    return member(SurveyTrigger, given, "trigger")


@frozen
class Response:
    """A customer answered a survey; answers are text of people and stay out of ``repr``."""

    customer: str | int
    at: When = field(validator=timed)
    survey: str
    answers: tuple[tuple[str, Any], ...] = field(converter=_answers, repr=False)
    about: str = field(default="", kw_only=True)  # the reply, visit or purchase that it is about
    method: SurveyMethod = field(
        default=SurveyMethod.QUESTIONNAIRE, converter=_method, kw_only=True
    )
    trigger: SurveyTrigger = field(default=SurveyTrigger.REGULAR, converter=_trigger, kw_only=True)

    def answer(self, question: str) -> Any:  # noqa: ANN401
        """Return the answer to a question; None if it was left open."""
        return dict(self.answers).get(question)


@frozen
class Invitation:
    """A customer was asked to answer a survey."""

    customer: str | int
    at: When = field(validator=timed)
    survey: str
    about: str = field(default="", kw_only=True)
    trigger: SurveyTrigger = field(default=SurveyTrigger.REGULAR, converter=_trigger, kw_only=True)


@policy
class Survey(Policy):
    """Questions, how they are put, and what they are about (I-13, I-14).

    >>> survey = Survey("s", (Question("overall", "scale", scale=Scale(1, 5)),))
    >>> survey.check(Response("C-1", date(2024, 6, 1), "s", {"overall": 5})).answer("overall")
    5
    """

    name: str
    questions: tuple[Question, ...] = field(converter=tuple)
    methods: tuple[SurveyMethod, ...] = field(default=(), converter=tuple)  # empty: any
    subjects: tuple[str, ...] = field(default=(), converter=tuple)

    def __attrs_post_init__(self) -> None:
        if not self.questions:
            raise InvalidValueError(f"{self.name}.questions", (), "at least one question")
        names = [question.name for question in self.questions]
        if len(set(names)) < len(names):
            raise DuplicateError(f"{self.name}.questions", max(names, key=names.count))

    @property
    def key(self) -> str:
        """Name as a row of a table."""
        return self.name

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Dimensions that its questions measure, in their order."""
        return tuple(dict.fromkeys(x.dimension for x in self.questions if x.dimension))

    def check(self, response: Response) -> Response:
        """Return a response that answers this survey; refuse everything else."""
        if response.survey != self.name:
            raise UnknownNameError("survey", response.survey, (self.name,))
        if self.methods and response.method not in self.methods:
            raise UnknownNameError("method", response.method, tuple(map(str, self.methods)))
        known = {question.name: question for question in self.questions}
        given = dict(response.answers)
        for name, answer in given.items():
            if name not in known:
                raise UnknownNameError(f"{self.name}.questions", name, tuple(known))
            known[name].check(answer)
        if not given:
            raise InvalidValueError("answers", "none", "an answer to at least one question")
        lacking = [x.name for x in self.questions if x.required and given.get(x.name) is None]
        if lacking:
            raise InvalidValueError("answers", lacking, "an answer to every required question")
        return response

    def checked(
        self, responses: Iterable[Response]
    ) -> tuple[tuple[Response, ...], tuple[Problem, ...]]:
        """Return the responses that fit, and the others as problems with their numbers.

        A second answer of one customer about the same thing is set aside (I-14).
        """
        good: list[Response] = []
        problems: list[Problem] = []
        seen: set[tuple[Any, ...]] = set()
        for row, response in enumerate(responses):
            try:
                self.check(response)
            except (InvalidValueError, UnknownNameError, WrongTypeError) as no:
                problems.append(Problem(Code.BAD_ANSWER, (row,), str(no.given), _said(no.allowed)))
                continue
            about = (response.customer, response.about)
            if response.about and about in seen:
                allowed = "one answer about each reply"
                problems.append(Problem(Code.ANSWERED_TWICE, (row,), response.about, allowed))
                continue
            seen.add(about)
            good.append(response)
        return tuple(good), tuple(problems)

    def ratings(self, responses: Iterable[Response], question: str) -> list[int]:
        """Return the answers to one scale question; those who left it open are left out."""
        found = (response.answer(question) for response in responses)
        return [answer for answer in found if answer is not None]

    def by_dimension(self, responses: Iterable[Response]) -> tuple[tuple[str, KpiValue], ...]:
        """Return the mean of each dimension, the least satisfying first (I-13).

        A dimension that nobody answered stands at the end, without a value.
        """
        answered = tuple(responses)
        found = [(x, self._dimension(x, answered)) for x in self.dimensions]
        return tuple(sorted(found, key=lambda pair: (*_rank(pair[1].value), pair[0])))

    def _dimension(self, dimension: str, responses: Sequence[Response]) -> KpiValue:
        mine = [x for x in self.questions if x.dimension == dimension and x.scale]
        scales = {x.scale for x in mine}
        if len(scales) != 1:
            raise InvalidValueError(f"dimension {dimension}", len(scales), "one scale for all")
        metric = RatingMetric(dimension, cast("Scale", mine[0].scale), Figure.MEAN)
        return metric.of(rating for x in mine for rating in self.ratings(responses, x.name))


def _said(allowed: object) -> str:
    return allowed if isinstance(allowed, str) else ", ".join(map(str, cast("Any", allowed)))


def _rank(value: Fraction | None) -> tuple[bool, Fraction]:
    return value is None, value or Fraction(0)


@policy
class SurveyPlan(Policy):
    """After what, by when and how a survey is sent (VAR-14)."""

    survey: str
    trigger: SurveyTrigger = field(converter=_trigger)
    limit: Limit
    rule: str  # id of the rule that asks for it
    channels: tuple[str, ...] = field(default=(), converter=tuple)

    @property
    def key(self) -> str:
        """Name as a row of a table."""
        return self.survey


@policy
class InvitationLimit(Policy):
    """How often one customer is asked in how many days; some triggers are free of it (I-19)."""

    most: int = 1
    days: int = 30
    exempt: tuple[SurveyTrigger, ...] = field(default=(), converter=tuple)

    def __attrs_post_init__(self) -> None:
        if min(self.most, self.days) < 1:
            raise InvalidValueError("InvitationLimit", (self.most, self.days), "1 or more")


@frozen
class Permission:
    """Whether a customer may be asked now, why, and if not, from which day on."""

    granted: bool
    reason: Reason
    again_on: date | None = None


@policy
class Surveys(Policy):
    """The surveys of a handbook: what is asked, when, how often, and the metrics.

    A response that came in stays as it was given; plans and limits in force on the day of a
    question decide it.

    >>> limit = Surveys(limit=InvitationLimit(1, 30))
    >>> asked = [Invitation("C-1", date(2024, 6, 1), "s")]
    >>> no = limit.may_ask("C-1", asked, SurveyTrigger.REGULAR, at=date(2024, 6, 30))
    >>> no.granted, str(no.reason), str(no.again_on)
    (False, 'invitations_in_30_days 1 is not < 1', '2024-07-01')
    """

    surveys: tuple[Survey, ...] = field(default=(), converter=tuple)
    plans: tuple[SurveyPlan, ...] = field(default=(), converter=tuple)
    metrics: tuple[RatingMetric, ...] = field(default=(), converter=tuple)
    limit: InvitationLimit | None = None
    zone: str = "Asia/Shanghai"

    def __attrs_post_init__(self) -> None:
        known = [survey.name for survey in self.surveys]
        for plan in self.plans:
            if plan.survey not in known:
                raise UnknownNameError("Surveys.plans", plan.survey, known or _NONE)

    def survey(self, name: str) -> Survey:
        """Return a survey by name."""
        found: Survey = _named(self.surveys, name, "survey")
        return found

    def metric(self, name: str) -> RatingMetric:
        """Return a metric by name."""
        found: RatingMetric = _named(self.metrics, name, "metric")
        return found

    @property
    def workflow(self) -> Workflow[SurveyState, SurveyCommand]:
        """The way of one survey from draft to improvement (SM-30)."""
        return Workflow(SURVEYING, SurveyState.DRAFTED, self.zone)

    def owed(
        self,
        trigger: SurveyTrigger | str,
        at: When,
        *,
        subject: str | int,
        until: When | None = None,
        done: Iterable[Done] = (),
    ) -> tuple[Obligation, ...]:
        """Return what has to be sent after something happened, or in each period (I-15 to I-17).

        ``subject`` is what is asked about, such as the reply; regular surveys need ``until``.
        """
        wanted, facts = _trigger(trigger), tuple(done)
        return tuple(
            task
            for plan in self.plans
            if plan.trigger is wanted
            for task in owed(
                plan.limit,
                at,
                subject=subject,
                what=f"survey {plan.survey}",
                rule=plan.rule,
                zone=zone_of(self.zone),
                until=until,
                done=facts,
                channels=plan.channels,
            )
        )

    def may_ask(
        self,
        customer: str | int,
        invitations: Iterable[Invitation],
        trigger: SurveyTrigger | str,
        *,
        at: When,
    ) -> Permission:
        """Say whether a customer may be asked on a day (I-19).

        A cap of ``most`` in ``days`` days holds exactly so many dates, that day among them
        (RC-06). Invitations after a trigger that is free of the limit neither need nor use it.
        """
        wanted, limit = _trigger(trigger), self.limit
        if limit is None or wanted in limit.exempt:
            return Permission(True, Reason("trigger", str(wanted), "free of the limit", held=True))
        zone = zone_of(self.zone)
        today = local_date(at, zone)
        days = sorted(
            day
            for x in invitations
            if x.customer == customer
            and x.trigger not in limit.exempt
            and today - timedelta(limit.days) < (day := local_date(x.at, zone)) <= today
        )
        subject = f"invitations_in_{limit.days}_days"
        free = len(days) < limit.most
        reason = Reason(subject, len(days), f"< {limit.most}", held=free)
        again = None if free else days[-limit.most] + timedelta(limit.days)
        return Permission(free, reason, again)


def response_rate(invitations: Iterable[Invitation], responses: Iterable[Response]) -> Estimate:
    """Return the share of invitations that were answered (I-14).

    An invitation is answered by its customer, to its survey, about the same thing; answers of
    people who were not asked do not raise the rate.

    >>> asked = [Invitation(x, date(2024, 6, 1), "s") for x in ("a", "b", "c", "d")]
    >>> got = [Response("a", date(2024, 6, 2), "s", {"overall": 5})]
    >>> str(response_rate(asked, got))
    '25 % (1 of 4)'
    """
    answered = Counter((x.customer, x.survey, x.about) for x in responses)
    asked = Counter((x.customer, x.survey, x.about) for x in invitations)
    return Estimate(sum(min(n, answered[key]) for key, n in asked.items()), sum(asked.values()))


@frozen
class Focus:
    """A dimension or topic that customers care about or are not satisfied with (I-18)."""

    name: str
    mentions: int
    value: Fraction | None = None  # mean of its ratings, if it was rated


def focus(
    survey: Survey, responses: Iterable[Response], topics: Iterable[str] = ()
) -> tuple[Focus, ...]:
    """Rank dimensions and topics: what is mentioned most first, then what satisfies least (I-18).

    ``topics`` are those of the feedback of the period, one each time; a choice that people
    ticked counts as a mention of it. The improvement items that follow are made in ``feedback``.

    >>> survey = Survey("s", (Question("late", "scale", scale=Scale(1, 5), dimension="delivery"),))
    >>> answers = [Response("a", date(2024, 6, 1), "s", {"late": 2})]
    >>> [(x.name, x.mentions, x.value) for x in focus(survey, answers, ["delivery", "price"])]
    [('delivery', 1, Fraction(2, 1)), ('price', 1, None)]
    """
    answered = tuple(responses)
    mentions = Counter(topics)
    for question in survey.questions:
        if question.kind is QuestionKind.CHOICE:
            for response in answered:
                given = response.answer(question.name)
                chosen = given if isinstance(given, tuple) else (given,)
                mentions.update(x for x in chosen if x is not None)
    means = {name: figure.value for name, figure in survey.by_dimension(answered)}
    found = [Focus(x, mentions[x], means.get(x)) for x in {*mentions, *means}]
    return tuple(sorted(found, key=lambda x: (-x.mentions, *_rank(x.value), x.name)))


def _named(found: Iterable[Any], name: str, where: str) -> Any:  # noqa: ANN401
    by_name = {each.name: each for each in found}
    if name not in by_name:
        raise UnknownNameError(where, name, tuple(by_name) or _NONE)
    return by_name[name]
