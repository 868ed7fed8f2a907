"""Returns, exchanges, compensation: who is entitled, the fast channel, the follow-up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.after_sales import (
    AFTER_SALES,
    AfterSales,
    AfterSalesCase,
    AfterSalesKind,
    AfterSalesRequest,
    Entitlement,
    ExcludedGoods,
    Request,
)
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.errors import (
    DuplicateError,
    UnequalColumnsError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.obligations import Outcome, Within
from retention.mechanisms.workflows import Act, Workflow
from retention.presets import ecommerce
from retention.testing import acts, laws
from tests import catalogue
from tests.refusals import refused

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = ecommerce.service.after_sales
RECEIVED = date(2024, 2, 25)
NINE = datetime(2024, 3, 1, 9, tzinfo=SHANGHAI)


def asks(day: date | datetime, kind: str = "return", **more: Any) -> AfterSalesRequest:  # noqa: ANN401
    given: dict[str, Any] = {"received": RECEIVED, "ordered": date(2024, 2, 20)} | more
    return AfterSalesRequest("C-1", day, kind, **given)


def outcome(request: AfterSalesRequest, rules: AfterSales = RULES) -> str:
    return str(rules.entitlement(request).outcome)


# --- H-39: who is entitled ------------------------------------------------------------------------


@pytest.mark.rule("H-39", "AMB-11")
@pytest.mark.parametrize(
    ("day", "wanted"),
    [
        (date(2024, 2, 25), "return_without_reason"),  # the day of receipt itself
        (date(2024, 2, 26), "return_without_reason"),  # day 1 of seven
        (date(2024, 3, 3), "return_without_reason"),  # day 7, over a leap day
        (datetime(2024, 3, 3, 23, 59, 59, tzinfo=SHANGHAI), "return_without_reason"),
        (datetime(2024, 3, 3, 15, 59, 59, tzinfo=UTC), "return_without_reason"),
        (datetime(2024, 3, 3, 16, 0, tzinfo=UTC), "not_entitled"),  # midnight in Shanghai
        (date(2024, 3, 4), "not_entitled"),  # day 8
        (date(2024, 2, 24), "not_entitled"),  # before it came
    ],
)
def test_seven_days_count_from_the_day_after_receipt(day: date, wanted: str) -> None:
    for kind in ("return", "exchange"):
        assert outcome(asks(day, kind)) == wanted


@pytest.mark.rule("H-39", "AMB-11")
@pytest.mark.parametrize(
    ("day", "wanted"),
    [(date(2024, 2, 27), "return_without_reason"), (date(2024, 2, 28), "not_entitled")],
)
def test_another_handbook_counts_from_the_order(day: date, wanted: str) -> None:
    rules = RULES.with_("counted_from", "order")
    assert outcome(asks(day), rules) == wanted
    assert outcome(asks(day, received=None), rules) == wanted
    assert outcome(asks(day)) == "return_without_reason"


@pytest.mark.rule("H-39")
def test_excluded_goods_are_not_taken_back() -> None:
    rules = attrs.evolve(RULES, excluded=(ExcludedGoods("fresh_food", "perishable"),))
    assert outcome(asks(RECEIVED, goods="fresh_food"), rules) == "not_entitled"
    assert outcome(asks(RECEIVED, goods="shoes"), rules) == "return_without_reason"
    damaged = asks(RECEIVED, "compensation", goods="fresh_food", damaged=True, evidence=["p.jpg"])
    assert outcome(damaged, rules) == "damage_compensation"


@pytest.mark.rule("H-39")
@pytest.mark.parametrize(
    ("damaged", "evidence", "wanted"),
    [
        (True, ["photo"], "damage_compensation"),
        (True, [], "not_entitled"),
        (False, ["photo"], "not_entitled"),
    ],
)
def test_damage_is_paid_for_with_evidence(
    damaged: bool,
    evidence: list[str],
    wanted: str,
) -> None:
    request = asks(date(2024, 6, 1), "compensation", damaged=damaged, evidence=evidence)
    assert outcome(request) == wanted


@pytest.mark.rule("H-39")
def test_an_entitlement_has_reasons() -> None:
    late = RULES.entitlement(asks(date(2024, 3, 4)))
    (days,) = (x for x in late.passed_over[Entitlement.RETURN_WITHOUT_REASON] if not x.held)
    assert (days.subject, days.given) == ("days_counted", 8)
    unknown = RULES.entitlement(asks(RECEIVED, received=None))
    assert unknown.outcome is Entitlement.NOT_ENTITLED
    assert "days_counted is missing" in unknown.explain()
    assert "photo" not in repr(asks(RECEIVED, evidence=["photo"]))


@pytest.mark.rule("H-39")
@given(
    st.lists(
        st.tuples(
            st.sampled_from(AfterSalesKind),
            st.integers(-3, 12),
            st.booleans(),
            st.booleans(),
            st.integers(0, 2),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_one_entitlement_equals_many(rows: list[tuple[Any, ...]]) -> None:
    rules = attrs.evolve(RULES, excluded=(ExcludedGoods("fresh_food"),))
    requests = [
        asks(
            RECEIVED + timedelta(days=days), kind, received=RECEIVED if came else None,
            goods="fresh_food" if fresh else "shoes", damaged=damaged, evidence=["e"] * pieces,
        )
        for kind, days, came, fresh, pieces, damaged in rows
    ]  # fmt: skip
    found = rules.entitlements(
        kind=[str(x.kind) for x in requests],
        requested=np.array([x.at for x in requests], "datetime64[D]"),
        begun=np.array([x.received for x in requests], "datetime64[D]"),
        goods=[x.goods for x in requests],
        damaged=[x.damaged for x in requests],
        evidence=[len(x.evidence) for x in requests],
    )
    assert found.tolist() == [outcome(x, rules) for x in requests]


def test_columns_of_requests_refuse_what_they_cannot_read() -> None:
    day = np.array(["2024-06-01"], "datetime64[D]")
    given = {"kind": ["return"], "requested": day, "begun": day, "goods": ["a"],
             "damaged": [False], "evidence": [0]}  # fmt: skip
    with refused(UnequalColumnsError, "requests"):
        RULES.entitlements(**given | {"goods": []})  # type: ignore[arg-type]
    with refused(WrongTypeError, "begun"):
        RULES.entitlements(**given | {"begun": day.astype("datetime64[s]")})  # type: ignore[arg-type]
    with refused(UnknownNameError, "kind"):
        RULES.entitlements(**given | {"kind": ["swap"]})  # type: ignore[arg-type]


# --- SM-28 and H-41: the fast channel -------------------------------------------------------------

WORDS = {"eligible": "accept", "not eligible": "refuse", "follow up ≤ 24 h": "follow_up"}


@pytest.mark.rule("SM-28", "H-41")
def test_the_fast_channel_is_the_catalogue_s() -> None:
    states, transitions = catalogue.machine("SM-28")
    assert [str(state) for state in AFTER_SALES.states] == states
    wanted = {(a, WORDS.get(what, what), b) for a, what, b in catalogue.edges(transitions)}
    assert {(str(x.source), str(x.command), str(x.target)) for x in AFTER_SALES.steps} == wanted


@pytest.mark.rule("SM-28")
def test_no_state_is_lost_and_no_command_unused() -> None:
    assert AFTER_SALES.unreachable(next(iter(AFTER_SALES.states))) == frozenset()
    assert AFTER_SALES.unused() == ()
    assert {str(x) for x in AFTER_SALES.dead_ends()} == {"refused"}
    assert all(x.zh for x in (*AFTER_SALES.states, *AFTER_SALES.commands))
    for trial in AFTER_SALES.matrix():
        if isinstance(trial.answer, Refused):
            assert trial.answer.allowed == AFTER_SALES.allowed(trial.state)


def opened(request: AfterSalesRequest | None = None) -> AfterSalesCase:
    command = Request(case="A-1", request=request or asks(NINE), at=NINE)
    return RULES.decide(None, command).or_raise().state


def do(case: AfterSalesCase, name: str, hours: float = 0, **brings: Any) -> AfterSalesCase:  # noqa: ANN401
    act = Act(name, at=NINE + timedelta(hours=hours), by="li", brings=brings)
    return RULES.decide(case, act).or_raise().state


def no(case: AfterSalesCase, name: str, hours: float = 0, **brings: Any) -> Refused:  # noqa: ANN401
    act = Act(name, at=NINE + timedelta(hours=hours), by="li", brings=brings)
    answer = RULES.decide(case, act)
    assert isinstance(answer, Refused)
    return answer


def done(hours: float = 2) -> AfterSalesCase:
    case = do(opened(), "accept")
    case = do(case, "process", 1, person="li")
    return do(case, "finish", hours, result="refunded")


@pytest.mark.rule("H-41")
def test_a_request_goes_through_its_states() -> None:
    case = opened()
    states = [str(case.state)]
    for name, brings in (
        ("accept", {}), ("process", {"person": "li"}), ("finish", {"result": "refunded"}),
        ("follow_up", {}), ("dissatisfied", {"reason": "slow"}),
    ):  # fmt: skip
        case = do(case, name, len(states), **brings)
        states.append(str(case.state))
    assert states == ["requested", "accepted", "in_process", "done", "followed_up", "in_process"]
    assert RULES.replay(case.log) == case
    assert no(opened(), "process", person="li").allowed == ("accept", "refuse")
    assert no(do(opened(), "accept"), "process").missing == ("person",)
    act = Act("accept", at=NINE, by="li")
    assert [x.what for x in RULES.decide(opened(), act).or_raise().requests] == ["process"]  # type: ignore[attr-defined]


@pytest.mark.rule("H-39", "H-41")
def test_only_who_is_entitled_is_accepted_and_nobody_else_refused() -> None:
    late = opened(asks(NINE, received=date(2024, 2, 1)))
    assert no(late, "accept", is_entitled=True).missing == ("is_entitled",)
    assert no(late, "refuse").missing == ("reason",)
    assert str(do(late, "refuse", reason="day 8").state) == "refused"
    assert no(opened(), "refuse", reason="no").missing == ("is_not_entitled",)
    goodwill = RULES.with_("table.return_without_reason.when.days_counted", (0, 60))
    act = Act("accept", at=NINE, by="li")
    assert isinstance(goodwill.decide(late, act), Accepted)


# --- H-40: the follow-up --------------------------------------------------------------------------


@pytest.mark.rule("H-40", "VAR-09")
@pytest.mark.parametrize(
    ("hours", "wanted"), [(0, "on_time"), (24, "on_time"), (24 + 1 / 3600, "late"), (48, "late")]
)
def test_satisfaction_is_asked_for_within_24_hours(hours: float, wanted: str) -> None:
    case = do(done(2), "follow_up", 2 + hours)
    (reading,) = RULES.clocks(case, as_of=NINE + timedelta(days=9))
    assert (str(reading.outcome), reading.rule) == (wanted, "H-40")
    assert reading.due == (NINE + timedelta(hours=26)).astimezone(UTC)


@pytest.mark.rule("H-40")
def test_the_follow_up_is_due_from_the_end_of_handling_on() -> None:
    assert RULES.due(do(opened(), "accept"), as_of=NINE + timedelta(days=9)) == ()
    case = done(2)
    (reading,) = RULES.due(case, as_of=NINE + timedelta(hours=26))
    assert reading.outcome is Outcome.DUE
    (reading,) = RULES.due(case, as_of=NINE + timedelta(hours=26, seconds=1))
    assert reading.outcome is Outcome.MISSED
    answer = RULES.decide(
        do(do(opened(), "accept"), "process", person="li"),
        Act("finish", at=NINE, by="li", brings={"result": "r"}),
    ).or_raise()
    assert [x.what for x in answer.requests] == ["follow_up"]  # type: ignore[attr-defined]
    again = do(do(case, "follow_up", 3), "dissatisfied", 4, reason="slow")
    assert RULES.due(again, as_of=NINE + timedelta(hours=5)) == ()
    second = do(again, "finish", 10, result="paid")
    (reading,) = RULES.due(second, as_of=NINE + timedelta(hours=11))
    assert reading.due == (NINE + timedelta(hours=34)).astimezone(UTC)
    shorter = RULES.with_("clocks.follow_up.limit", Within(hours=1))
    (reading,) = shorter.due(case, as_of=NINE + timedelta(hours=4))
    assert reading.outcome is Outcome.MISSED


# --- what does not fit ----------------------------------------------------------------------------


def test_commands_that_do_not_fit() -> None:
    case = opened()
    twice = RULES.decide(case, Request(case="A-1", request=asks(NINE), at=NINE))
    assert isinstance(twice, Refused)
    assert twice.code is Code.NOT_POSSIBLE
    unborn = RULES.decide(None, Act("accept", at=NINE, by="li"))
    assert isinstance(unborn, Refused)
    assert unborn.allowed == ("request",)
    early = Request(case="", request=asks(NINE), at=NINE - timedelta(days=1))
    nameless = RULES.decide(None, early)
    assert isinstance(nameless, Refused)
    assert nameless.missing == ("case", "later_time")
    assert no(case, "accept", -1).missing == ("later_time",)
    with refused(WrongTypeError, "at"):
        RULES.decide(case, Act("accept", at=RECEIVED, by="li"))
    with refused(WrongTypeError, "as_of"):
        RULES.clocks(case, as_of=RECEIVED)  # type: ignore[arg-type]
    with refused(WrongTypeError, "replay"):
        RULES.replay(done().log[1:])
    with refused(UnknownNameError, "kind"):
        asks(NINE, "swap")
    with refused(WrongTypeError, "evidence"):
        asks(NINE, evidence="photo")
    with refused(UnknownNameError, "AfterSales.clocks"):
        RULES.with_("clocks.follow_up.stops", ("vanish",))
    with refused(DuplicateError, "AfterSales.excluded"):
        attrs.evolve(RULES, excluded=(ExcludedGoods("a"), ExcludedGoods("a")))


def test_a_key_repeats_its_answer() -> None:
    command = Request(case="A-1", request=asks(NINE), at=NINE, key="r-1")
    first = RULES.decide(None, command).or_raise()
    again = RULES.decide(None, command, earlier=first.facts)
    assert isinstance(again, Accepted)
    assert (again.state, again.facts) == (first.state, first.facts)
    clash = RULES.decide(None, attrs.evolve(command, case="A-2"), earlier=first.facts)
    assert isinstance(clash, Refused)
    assert clash.code is Code.KEY_REUSED
    act = Act("accept", at=NINE, by="li", key="a-1")
    step = RULES.decide(first.state, act).or_raise()
    same = RULES.decide(step.state, act, earlier=step.facts)
    assert isinstance(same, Accepted)
    assert (same.state, same.facts, same.requests) == (step.state, step.facts, ())


@given(acts(Workflow(AFTER_SALES, next(iter(AFTER_SALES.states)))))
def test_the_fast_channel_keeps_its_table(given_acts: list[Act[Any]]) -> None:
    laws.a_workflow_keeps_its_machine(RULES.workflow, given_acts, holds=("is_entitled",))
