"""Many cases from columns, backlog and compliance at a past instant, redaction and export."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.case_clocks import RECEIVED, ClockRule
from retention.case_columns import Backlog, CaseColumns, PercentileMethod, read
from retention.case_logs import CaseLog, commands_of
from retention.cases import FeedbackCase
from retention.mechanisms.answers import Code, Refused
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.obligations import Outcome, Within
from retention.presets import ecommerce, membership
from retention.redaction import Redaction, export, pseudonym
from retention.root_causes import record
from tests.complaints import PLAN, act, at, do, received, reported
from tests.refusals import refused

RULES = attrs.evolve(
    ecommerce.feedback,
    clocks=tuple(x for x in ecommerce.feedback.clocks_table if x.name != "manager_response"),
)
SALT = b"sixteen bytes ok"


def utc(*texts: str) -> Any:  # noqa: ANN401
    return np.array(texts, "datetime64[us]")


def logged(**columns: Any) -> CaseLog:  # noqa: ANN401
    given = {
        "cases": ["K-1", "K-2"],
        "received": utc("2024-06-10T01:00", "2024-06-11T01:00"),
        "case": ["K-2", "K-1", "K-1", "K-1"],
        "command": ["grade", "grade", "handle", "complete"],
        "at": utc("2024-06-11T02:00", "2024-06-10T02:00", "2024-06-10T02:00", "2024-06-11T00:30"),
    }
    return CaseLog.from_columns(RULES, **(given | columns))


def asked(when: str, log: CaseLog | None = None) -> CaseColumns:
    return read(RULES, logged() if log is None else log, as_of=at(when).astimezone(UTC))


# --- at any past instant --------------------------------------------------------------------------


@pytest.mark.rule("I-06", "S-20")
def test_states_and_clocks_as_they_were_known() -> None:
    columns = asked("2024-06-11T12:00").to_columns()
    assert columns["state"].tolist() == ["completed", "graded"]
    assert columns["completion"].tolist() == ["on_time", "due"]
    assert columns["satisfaction_visit"].tolist() == ["due", ""]
    early = asked("2024-06-10T09:30").to_columns()
    assert early["state"].tolist() == ["received", "received"]
    assert early["completion"].tolist() == ["due", ""]  # the second has not come in
    late = asked("2024-06-12T09:00:01").to_columns()
    assert late["completion"].tolist() == ["on_time", "missed"]


@pytest.mark.rule("I-06", "AMB-24")
def test_compliance_has_three_groups() -> None:
    clock = asked("2024-06-11T12:00").clocks["completion"]
    figure = clock.compliance(as_of=at("2024-06-11T12:00"))
    assert (figure.estimate.numerator, figure.estimate.denominator, figure.undecided) == (1, 1, 1)
    assert not clock.breached.any()
    later = asked("2024-06-20T12:00").clocks["completion"]
    figure = later.compliance(as_of=at("2024-06-20T12:00"))
    assert (figure.estimate.numerator, figure.estimate.denominator, figure.undecided) == (1, 2, 0)
    assert later.breached.tolist() == [False, True]
    assert later.counts()[Outcome.MISSED] == 1
    nobody = asked("2024-01-01T00:00").clocks["completion"].compliance(as_of=at("2024-01-01T00:00"))
    assert nobody.value is None


def test_the_backlog_of_any_past_instant() -> None:
    found = asked("2024-06-11T12:00").backlog()
    assert found.percentile(100) == timedelta(hours=27)
    assert found.percentile(50) == timedelta(hours=3)
    assert (len(found), found.method) == (2, PercentileMethod.NEAREST_RANK)
    assert len(asked("2024-06-10T09:00").backlog()) == 1
    assert asked("2024-06-10T08:59").backlog().percentile(50) is None
    with refused(InvalidValueError, "percent"):
        found.percentile(0)


@given(ages=st.lists(st.integers(0, 9), min_size=1), percent=st.integers(1, 100))
def test_a_percentile_is_the_least_age_that_enough_do_not_exceed(
    ages: list[int], percent: int
) -> None:
    column = np.sort(np.array(ages, "timedelta64[h]")).astype("timedelta64[us]")
    found = Backlog(datetime(2024, 7, 1, tzinfo=UTC), column).percentile(percent)
    enough = [x for x in ages if sum(y <= x for y in ages) * 100 >= percent * len(ages)]
    assert found == timedelta(hours=min(enough))


def test_a_merged_case_is_in_no_backlog_and_a_closed_one_neither() -> None:
    log = logged(
        case=["K-1", "K-2"], command=["merge_into", "pause"],
        at=utc("2024-06-10T02:00", "2024-06-11T02:00"),
    )  # fmt: skip
    found = asked("2024-06-12T12:00", log)
    assert found.to_columns()["standing"].tolist() == ["merged", "paused"]
    assert found.open.tolist() == [False, True]


# --- rows that do not fit -------------------------------------------------------------------------


def test_facts_that_do_not_fit_are_set_aside_with_their_numbers() -> None:
    log = logged(
        case=["K-1", "K-9", "K-1", "K-1", "K-2", "K-1"],
        command=["grade"] * 6,
        at=utc("2024-06-10T05:00", "2024-06-10T05:00", "NaT", "2024-06-10T04:00",
               "2024-06-10T05:00", "2024-06-10T05:00"),
    )  # fmt: skip
    assert {x.code: x.rows for x in log.problems} == {
        Code.UNKNOWN_REFERENCE: (1,),
        Code.NO_TIME: (2,),
        Code.BREAKS_HISTORY: (3, 4),  # before the fact before it; before its own intake
    }
    found = asked("2024-06-20T12:00", log)
    assert {x.code: x.rows for x in found.problems}[Code.NOT_POSSIBLE] == (5,)
    assert found.to_columns()["state"].tolist() == ["graded", "received"]
    timeless = logged(received=utc("NaT", "2024-06-11T01:00"))
    assert timeless.problems[0].rows == (1, 2, 3)
    assert len(asked("2024-06-20T12:00", timeless).backlog()) == 1


def test_two_facts_at_one_instant_keep_their_order() -> None:
    together = utc(*["2024-06-10T02:00"] * 3)
    log = logged(case=["K-1"] * 3, command=["grade", "handle", "complete"], at=together)
    assert asked("2024-06-20T12:00", log).problems == ()
    turned = logged(case=["K-1"] * 3, command=["grade", "complete", "handle"], at=together)
    assert asked("2024-06-20T12:00", turned).problems[0].rows == (1,)


def test_places_words_and_empty_columns() -> None:
    names = commands_of(RULES)
    places = np.array([names.index(x) for x in ("grade", "grade", "handle", "complete")])
    one, other = (asked("2024-06-20T12:00", logged(command=x)).to_columns()
                  for x in (places, ["grade", "grade", "handle", "complete"]))  # fmt: skip
    assert {k: v.tolist() for k, v in one.items()} == {k: v.tolist() for k, v in other.items()}
    nothing: dict[str, Any] = {
        "cases": [],
        "received": utc(),
        "case": [],
        "command": [],
        "at": utc(),
    }
    empty = asked("2024-06-20T12:00", logged(**nothing))
    assert (len(empty.cases), len(empty.backlog())) == (0, 0)
    no_facts = logged(case=np.array([], str), command=[], at=utc())
    assert asked("2024-06-20T12:00", no_facts).to_columns()["state"].tolist() == ["received"] * 2
    with refused(UnknownNameError, "command"):
        logged(command=["grade", "dance", "handle", "complete"])
    with refused(InvalidValueError, "command"):
        logged(command=np.array([0, 1, 2, 200]))
    with refused(UnequalColumnsError, "cases"):
        logged(command=["grade"])
    with refused(DuplicateError, "cases"):
        logged(cases=["K-1", "K-1"])
    with refused(UnequalColumnsError, "promised"):
        logged(promised=utc("2024-06-10T02:00"))


@pytest.mark.rule("H-20")
@pytest.mark.parametrize(
    ("promised", "when", "said"),
    [
        ("2024-06-12T04:00", "2024-06-12T12:00:00", "due"),
        ("2024-06-12T04:00", "2024-06-12T12:00:01", "missed"),
        ("2024-06-12", "2024-06-12T23:59:59", "due"),
        ("2024-06-12", "2024-06-13T00:00:00", "missed"),
    ],
)
def test_promises_are_instants_or_local_days(promised: str, when: str, said: str) -> None:
    rules = membership.feedback
    kind = "D" if len(promised) == 10 else "us"
    log = CaseLog.from_columns(
        rules, cases=["K"], received=utc("2024-06-10T01:00"), case=["K", "K"],
        command=["judge_normal", "promise"], at=utc("2024-06-10T01:10", "2024-06-10T01:20"),
        promised=np.array(["NaT", promised], f"datetime64[{kind}]"),
    )  # fmt: skip
    found = read(rules, log, as_of=at(when))
    assert found.to_columns()["promise"].tolist() == [said]
    bare = attrs.evolve(log, promised=None)
    with refused(InvalidValueError, "clock promise"):
        read(rules, bare, as_of=at(when))


# --- redaction ------------------------------------------------------------------------------------


def told() -> FeedbackCase:
    rules = ecommerce.feedback
    case = received(
        rules, "K-1", "2024-06-10T09:00", matter="my heart", contact="139 0000",
        evidence=["a photo of me", ""], customer="Wang Wei", topic="logistics_delay",
    )  # fmt: skip
    case = do(rules, case, "2024-06-10T09:30", "remark", content="she cried", layer="high_active")
    return reported(rules, case, "2024-06-10")


def redacted(case: FeedbackCase, *fields: str, policy: Redaction | None = None) -> FeedbackCase:
    rules = Redaction() if policy is None else policy
    asks = act("2024-06-20T09:00", "redact", reason="asked", fields=list(fields))
    return rules.redact(ecommerce.feedback, case, asks, salt=SALT).or_raise().state


def test_a_text_is_replaced_and_everything_that_counts_stays() -> None:
    case = told()
    gone = redacted(case, "matter", "evidence", "content")
    text = f"{gone.item!r} {gone.item.matter} {gone.item.evidence} {gone.log}"
    for secret in ("my heart", "photo", "she cried"):
        assert secret not in text
    assert gone.item.contact == "139 0000"  # not asked for
    assert gone.item.evidence[1] == ""
    assert gone.sequence == case.sequence + 1
    day = at("2024-07-01T00:00")
    before, after = (ecommerce.feedback.clocks(x, as_of=day) for x in (case, gone))
    assert before == after
    assert [x.at for x in gone.log[:-1]] == [x.at for x in case.log]
    assert record(ecommerce.feedback, case) == record(ecommerce.feedback, gone)
    twice = redacted(gone, "matter")
    assert twice.item.matter == gone.item.matter


def test_a_text_that_looks_redacted_is_redacted() -> None:
    case = received(ecommerce.feedback, "K", "2024-06-10T09:00", matter="redacted: call 139")
    assert "139" not in redacted(case, "matter").item.matter


def test_what_cannot_be_redacted_is_refused() -> None:
    case, rules = told(), ecommerce.feedback
    with refused(UnknownNameError, "fields"):
        redacted(case, "topic")
    with refused(UnknownNameError, "act"):
        Redaction().redact(rules, case, act("2024-06-20T09:00", "remark"), salt=SALT)
    with refused(InvalidValueError, "salt"):
        pseudonym("C-1", salt=b"short")
    with refused(WrongTypeError, "salt"):
        pseudonym("C-1", salt="sixteen letters ok")  # type: ignore[arg-type]
    answer = Redaction().redact(rules, case, act("2024-06-20T09:00", "redact"), salt=SALT)
    assert isinstance(answer, Refused)
    assert answer.missing == ("fields", "reason")
    asks = act("2024-06-20T09:00", "redact", reason="asked", fields=["matter"])
    done = Redaction().redact(rules, case, asks, salt=SALT).or_raise()
    (log,) = done.facts
    assert (log.case, log.replaces, len(log.facts)) == ("K-1", case.sequence, case.sequence + 1)
    assert "heart" not in repr(log)


def test_an_export_names_nobody_and_keeps_who_is_who() -> None:
    rules, day = ecommerce.feedback, at("2024-07-01T00:00")
    one = told()
    other = received(rules, "K-2", "2024-06-12T09:00", customer="Wang Wei", cause="courier")
    third = received(rules, "K-3", "2024-06-12T09:00", customer="Li Na")
    found = export(rules, [one, other, third], salt=SALT, as_of=day)
    text = " ".join(str(x) for column in found.values() for x in column.tolist())
    for secret in ("Wang", "Li Na", "heart", "139", "cried", "K-1"):
        assert secret not in text
    who = found["customer"].tolist()
    assert who[0] == who[1] != who[2]
    assert found["state"].tolist() == ["result_reported", "received", "received"]
    assert found["completion"].tolist() == ["on_time", "missed", "missed"]
    assert found["cause"].tolist() == ["", "courier", ""]
    again = export(rules, [one, other, third], salt=SALT, as_of=day)
    assert {k: v.tolist() for k, v in again.items()} == {k: v.tolist() for k, v in found.items()}
    salted = export(rules, [one], salt=b"another sixteen b", as_of=day)
    assert salted["customer"][0] != who[0]
    early = export(rules, [one], salt=SALT, as_of=at("2024-06-10T09:00"))
    assert early["state"].tolist() == ["received"]
    assert pseudonym(17, salt=SALT) != pseudonym("17", salt=SALT)
    assert pseudonym("a", salt=SALT, what="case") != pseudonym("a", salt=SALT)


def test_a_case_of_dates_alone_cannot_be_read_by_clocks_of_hours() -> None:
    rules = attrs.evolve(RULES, clocks=(ClockRule("x", (RECEIVED,), ("visit",), Within(hours=1),
                                                  rule="own"),))  # fmt: skip
    case = received(rules, "K-1", "2024-06-10T09:00")
    item = attrs.evolve(case.opened.item, at=date(2024, 6, 10))
    dated = rules.replay([attrs.evolve(case.opened, item=item)])
    with refused(WrongTypeError):
        CaseLog.of(rules, [dated], as_of=at("2024-06-11T00:00"))
    assert PLAN


@pytest.mark.rule("H-20")
@pytest.mark.parametrize(("when", "said"), [("04:00:00", "on_time"), ("04:00:01", "late")])
def test_a_promised_instant_is_kept_to_the_second(when: str, said: str) -> None:
    steps = ["judge_normal", "promise", "investigate", "propose", "agree", "report"]
    times = [*(f"2024-06-10T01:{n}" for n in range(10, 15)), f"2024-06-12T{when}"]
    log = CaseLog.from_columns(
        membership.feedback, cases=["K"], received=utc("2024-06-10T01:00"), case=["K"] * 6,
        command=steps, at=utc(*times), promised=utc("NaT", "2024-06-12T04:00", *["NaT"] * 4),
    )  # fmt: skip
    found = read(membership.feedback, log, as_of=at("2024-07-01T00:00"))
    assert found.problems == ()
    assert found.to_columns()["promise"].tolist() == [said]
