"""Answers, reasons and problems."""

from __future__ import annotations

import pickle

import pytest
from attrs.exceptions import FrozenInstanceError

from retention.mechanisms.answers import Accepted, Code, Problem, Reason, Refused
from retention.mechanisms.errors import RefusedError, RuleTruthError
from tests.refusals import refused

NO = Refused(Code.NAMES_MISSING, ("verified", "assign"), ("person", "place"), ("assign", "drop"))
YES: Accepted[str, str] = Accepted("assigned", ("Assigned",), ("notify",))


@pytest.mark.parametrize(
    ("reason", "en", "zh"),
    [
        (Reason("days", 30, "<= 30", held=True), "days 30 is <= 30", "days 30 满足 <= 30"),
        (Reason("days", 31, "<= 30", held=False), "days 31 is not <= 30", "days 31 不满足 <= 30"),
        (
            Reason("days", None, "<= 30", held=False),
            "days is missing (wanted <= 30)",
            "days 缺失（需要 <= 30）",
        ),
        (
            Reason("spend", 9, ">= 10", held=False, note="share <= 0.2"),
            "spend 9 is not >= 10 (share <= 0.2)",
            "spend 9 不满足 >= 10 (share <= 0.2)",
        ),
        (
            Reason("spend", None, ">= 10", held=False, note="share <= 0.2"),
            "spend is missing (wanted >= 10) (share <= 0.2)",
            "spend 缺失（需要 >= 10） (share <= 0.2)",
        ),
        (Reason("days", 0, "<= 30", held=True), "days 0 is <= 30", "days 0 满足 <= 30"),
        (
            Reason("vip", False, "== True", held=False),
            "vip False is not == True",
            "vip False 不满足 == True",
        ),
    ],
    ids=range(7),
)
def test_a_reason_in_two_languages(reason: Reason, en: str, zh: str) -> None:
    assert str(reason) == reason.text() == reason.text("en") == en
    assert reason.text("zh") == zh


def test_a_reason_takes_a_name_for_people() -> None:
    reason = Reason("days", 30, "<= 30", held=True)
    assert reason.text(name={"days": "days since purchase"}.__getitem__) == (
        "days since purchase 30 is <= 30"
    )


def test_a_problem_shows_at_most_five_rows() -> None:
    one = Problem(Code.NO_TIME, (2,), "NaT", "a time")
    assert str(one) == "no time: 1 row (2), first NaT; allowed: a time"
    assert one.text("zh") == "缺少时间：1 行（2），首个 NaT；允许：a time"
    five = Problem(Code.NO_TIME, (1, 2, 3, 4, 5), "NaT", "a time")
    assert "5 rows (1, 2, 3, 4, 5), first" in str(five)
    many = Problem(Code.NO_TIME, tuple(range(2000)), "NaT", "a time")
    assert "2000 rows (0, 1, 2, 3, 4, ...), first" in str(many)


def test_a_refusal_says_state_command_missing_and_allowed() -> None:
    assert str(NO) == (
        "assign while verified: names missing (person, place); allowed now: assign, drop"
    )
    assert NO.text("zh") == (
        "verified 状态下 assign：缺少必填项 (person, place)；当前允许：assign, drop"
    )
    nothing = Refused(Code.NOT_POSSIBLE, ("closed", "open"))
    assert str(nothing) == "open while closed: not possible; allowed now: nothing"
    assert nothing.text("zh") == "closed 状态下 open：当前状态不允许；当前允许：无"


@pytest.mark.rule("X-05")
def test_a_refusal_raises_for_those_who_prefer_exceptions() -> None:
    assert YES.or_raise() is YES
    with refused(
        RefusedError,
        "assign while verified",
        given="names missing (person, place)",
        allowed=("assign", "drop"),
    ):
        NO.or_raise()


@pytest.mark.parametrize("answer", [NO, YES], ids=["refused", "accepted"])
def test_an_answer_is_no_condition(answer: Refused | Accepted[str, str]) -> None:
    with refused(
        RuleTruthError,
        type(answer).__name__,
        allowed=f"use match, or isinstance(answer, {type(answer).__name__})",
    ):
        bool(answer)


def test_answers_are_values() -> None:
    assert Refused(NO.code, NO.given, NO.missing, NO.allowed) == NO
    assert hash(NO) == hash(Refused(NO.code, NO.given, NO.missing, NO.allowed))
    assert pickle.loads(pickle.dumps(YES)) == YES  # noqa: S301  our own
    assert (Accepted("a").facts, Accepted("a").requests) == ((), ())
    with pytest.raises(FrozenInstanceError):
        NO.code = Code.NO_TIME  # type: ignore[misc]
    match YES:
        case Accepted(state, (fact,), (request,)):
            assert (state, fact, request) == ("assigned", "Assigned", "notify")
