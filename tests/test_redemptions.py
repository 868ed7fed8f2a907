"""Using a benefit: verification, failures, cases, the report (E-18, E-36, E-37, SM-14)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from retention.benefits import AcquiredRight, Benefit, BenefitCatalogue, BenefitKind
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.estimates import Estimate
from retention.mechanisms.obligations import After, Days, Within
from retention.mechanisms.workflows import Act
from retention.redemptions import (
    BenefitCase,
    Department,
    MemberStatus,
    PointsAction,
    PointsRequest,
    Redemption,
    RedemptionCommand,
    RedemptionRequest,
    RedemptionState,
    RedemptionTerms,
    RefusalReason,
    SlotRequest,
    replay,
)
from tests.refusals import refused

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2024, 6, 1)
SLOT = datetime(2024, 6, 5, 14, tzinfo=SHANGHAI)
K, C, S = BenefitKind, RedemptionCommand, RedemptionState
SHOP = BenefitCatalogue(
    (
        Benefit(K.POINTS_REDEMPTION),
        Benefit(K.INDIVIDUAL_SERVICE, ("gold",), quota=1, per_months=1),
        Benefit(K.FREE_SHIPPING, valid_through=date(2024, 5, 31)),
    ),
    ladder=("silver", "gold"),
)
TERMS = RedemptionTerms(
    "customer_service",
    (Department(K.FREE_SHIPPING, "logistics"),),
    within=Days(0, 3),
    inspected=After(months=1),
)
GOOD = MemberStatus("M", identified=True, membership="active", tier="gold", points=100)


def asked(kind: BenefitKind = K.POINTS_REDEMPTION, **more: Any) -> Redemption:  # noqa: ANN401
    return Redemption.of(RedemptionRequest("r-1", "M", kind, **({"at": DAY} | more)))


def act(name: RedemptionCommand, day: Any = DAY, **more: Any) -> Act[RedemptionCommand]:  # noqa: ANN401
    return Act(name, **({"at": day, "by": "clerk"} | more))


def verified(redemption: Redemption, status: MemberStatus = GOOD, **more: Any) -> Any:  # noqa: ANN401
    return TERMS.verify(redemption, act(C.VERIFY), status, SHOP, **more).or_raise()


@pytest.mark.rule("E-18", "SM-14")
@pytest.mark.parametrize(
    ("kind", "status", "more", "reasons"),
    [
        (K.POINTS_REDEMPTION, {}, {}, []),
        (K.POINTS_REDEMPTION, {"identified": False}, {}, ["not_identified"]),
        (K.POINTS_REDEMPTION, {"member": "N"}, {}, ["not_identified"]),
        (K.POINTS_REDEMPTION, {"membership": None}, {}, ["not_member"]),
        (K.POINTS_REDEMPTION, {"membership": "suspended"}, {}, ["not_active"]),
        (K.POINTS_REDEMPTION, {"membership": "pending"}, {}, ["not_active"]),
        (K.POINTS_REDEMPTION, {}, {"points": 100}, []),
        (K.POINTS_REDEMPTION, {}, {"points": 101}, ["too_few_points"]),
        (K.INDIVIDUAL_SERVICE, {"tier": "silver"}, {}, ["not_entitled"]),
        (K.INDIVIDUAL_SERVICE, {"tier": None}, {}, ["not_entitled"]),
        (K.INDIVIDUAL_SERVICE, {"uses": (date(2024, 6, 1),)}, {}, ["used_up"]),
        (K.INDIVIDUAL_SERVICE, {"uses": (date(2024, 5, 31),)}, {}, []),
        (K.INDIVIDUAL_SERVICE, {}, {"slot": SLOT}, []),
        (K.INDIVIDUAL_SERVICE, {}, {"slot": SLOT + timedelta(hours=1)}, ["no_slot"]),
        (K.FREE_SHIPPING, {}, {}, ["expired"]),
        (K.CUSTOM_PACKAGING, {}, {}, ["not_entitled"]),
        (K.FREE_SHIPPING, {"identified": False, "membership": None}, {"points": 101},
         ["not_identified", "not_member", "expired", "too_few_points"]),
    ],
)  # fmt: skip
def test_identity_and_status_come_first(
    kind: BenefitKind, status: dict[str, Any], more: dict[str, Any], reasons: list[str]
) -> None:
    known: dict[str, Any] = {"member": "M", "identified": True, "membership": "active"}
    known |= {"tier": "gold", "points": 100}
    answer = verified(asked(kind, **more), MemberStatus(**(known | status)), free_slots=[SLOT])
    assert [each.value for each in answer.state.reasons] == reasons
    assert answer.state.state is (S.REFUSED if reasons else S.VERIFIED)
    assert bool(answer.requests) is (not reasons and bool(more))


@pytest.mark.rule("E-18", "E-35")
def test_an_old_right_that_holds_is_enough() -> None:
    old = Benefit(K.FREE_SHIPPING)
    for through, state in ((DAY, S.VERIFIED), (DAY - timedelta(days=1), S.REFUSED)):
        right = AcquiredRight("M", old, "0", since=date(2024, 1, 1), through=through)
        status = MemberStatus("M", identified=True, membership="active", rights=(right,))
        found = verified(asked(K.FREE_SHIPPING), status).state
        assert found.state is state
        assert found.reasons == (() if state is S.VERIFIED else (RefusalReason.EXPIRED,))


@pytest.mark.rule("SM-14", "E-18")
def test_nobody_can_claim_that_he_was_verified() -> None:
    claim = act(C.VERIFY, brings={"identity": True, "status": True})
    no = TERMS.decide(asked(), claim)
    assert isinstance(no, Refused)
    assert no.missing == ("identity", "status")
    assert str(no).endswith("allowed now: verify, refuse, cancel")


@pytest.mark.rule("E-18", "SM-14")
def test_points_and_slots_are_taken_and_given_back() -> None:
    request = asked(K.INDIVIDUAL_SERVICE, points=30, slot=SLOT)
    first = verified(request, free_slots=[SLOT])
    take = PointsRequest("M", PointsAction.TAKE, 30, "r-1", "r-1:take")
    back = PointsRequest("M", PointsAction.RETURN, 30, "r-1", "r-1:return")
    assert first.requests == (take, SlotRequest("M", SLOT, True, "r-1"))
    free = SlotRequest("M", SLOT, False, "r-1")
    assert TERMS.decide(first.state, act(C.CANCEL)).or_raise().requests == (back, free)
    # before verification nothing was taken
    assert TERMS.decide(request, act(C.CANCEL)).or_raise().requests == ()
    begun = TERMS.decide(first.state, act(C.PROCESS)).or_raise().state
    failed = TERMS.decide(begun, act(C.FAIL, brings={"problem": "nobody came"})).or_raise()
    case = BenefitCase("M", K.INDIVIDUAL_SERVICE, "nobody came", "customer_service", DAY, "r-1")
    assert failed.requests == (back, free, case)
    fulfilled = TERMS.decide(begun, act(C.FULFIL)).or_raise()
    assert (fulfilled.state.state, fulfilled.requests) == (S.FULFILLED, ())


@pytest.mark.rule("E-37")
def test_a_failure_or_complaint_opens_a_case_with_the_department_in_charge() -> None:
    assert TERMS.case("M", "free_shipping", "charged", at=DAY).department == "logistics"
    case = TERMS.case("M", K.MEMBER_NEWS, "none came", at=DAY, source="call 7")
    assert (case.kind, case.department, case.source) == ("benefit", "customer_service", "call 7")
    begun = TERMS.decide(verified(asked()).state, act(C.PROCESS)).or_raise().state
    no = TERMS.decide(begun, act(C.FAIL))
    assert isinstance(no, Refused)
    assert no.missing == ("problem",)


def test_a_key_that_comes_again_takes_nothing_twice() -> None:
    request = asked(points=30)
    look = act(C.VERIFY, key="k")
    first = TERMS.verify(request, look, GOOD, SHOP).or_raise()
    poor = MemberStatus("M", identified=True, membership="active", tier="gold", points=0)
    again = TERMS.verify(first.state, look, poor, SHOP, earlier=first.facts)
    assert isinstance(again, Accepted)
    assert (again.facts, again.requests) == (first.facts, ())
    other = TERMS.verify(
        first.state, act(C.VERIFY, key="k", by="x"), GOOD, SHOP, earlier=first.facts
    )
    assert isinstance(other, Refused)
    assert other.code is Code.KEY_REUSED
    no = TERMS.verify(request, look, poor, SHOP).or_raise()
    same = TERMS.verify(no.state, look, GOOD, SHOP, earlier=no.facts).or_raise()
    assert same.state.reasons == (RefusalReason.TOO_FEW_POINTS,)
    stop = act(C.CANCEL, key="s")
    gone = TERMS.decide(first.state, stop).or_raise()
    assert len(gone.requests) == 1
    assert TERMS.decide(gone.state, stop, earlier=gone.facts).or_raise().requests == ()
    assert replay(request.request, gone.state.progress.steps) == gone.state


def test_what_a_request_does_not_take() -> None:
    with refused(InvalidValueError, "RedemptionRequest.points"):
        asked(points=-1)
    with refused(InvalidValueError, "RedemptionRequest.id"):
        RedemptionRequest("", "M", K.COUPON, at=DAY)


# --- E-36 -----------------------------------------------------------------------------------------


def flow(number: int, day: date, *steps: tuple[RedemptionCommand, int]) -> Redemption:
    """One request and its steps, each so many days later."""
    here = Redemption.of(RedemptionRequest(f"r-{number}", "M", K.POINTS_REDEMPTION, at=day))
    for name, after in steps:
        at = day + timedelta(days=after)
        if name is C.VERIFY:
            here = TERMS.verify(here, act(name, at), GOOD, SHOP).or_raise().state
        else:
            brings = {"problem": "broken"} if name is C.FAIL else {"reason": ("used_up",)}
            here = TERMS.decide(here, act(name, at, brings=brings)).or_raise().state
    return here


WAY = ((C.VERIFY, 0), (C.PROCESS, 0))
ALL = [
    flow(1, date(2024, 6, 3), *WAY, (C.FULFIL, 3)),  # on its last day
    flow(2, date(2024, 6, 3), *WAY, (C.FULFIL, 4)),  # a day late
    flow(3, date(2024, 6, 3), *WAY),  # waits, too long
    flow(4, date(2024, 6, 29), *WAY),  # waits, in time
    flow(5, date(2024, 6, 3), (C.REFUSE, 0)),
    flow(6, date(2024, 6, 3), (C.CANCEL, 9)),
    flow(7, date(2024, 6, 3), *WAY, (C.FAIL, 9)),
    flow(8, date(2024, 5, 31), *WAY, (C.FULFIL, 0)),  # of the month before
    flow(9, date(2024, 6, 30), *WAY, (C.FULFIL, 2)),  # fulfilled after the day of the question
    flow(10, date(2024, 7, 1), *WAY),
]


@pytest.mark.rule("E-36")
def test_how_benefits_were_fulfilled() -> None:
    report = TERMS.report(ALL, since=date(2024, 6, 1), as_of=date(2024, 6, 30))
    assert report.requests == 8
    counts = {state.value: report.count(state) for state in S if report.count(state)}
    assert counts == {"processing": 3, "fulfilled": 2, "refused": 1, "cancelled": 1, "failed": 1}
    assert report.late == ("r-2", "r-3")
    assert report.problems == (("r-7", "broken"),)
    assert report.waiting == ("r-3", "r-4", "r-9")
    assert report.fulfilled == Estimate(2, 6)
    nothing = TERMS.report([], since=DAY, as_of=DAY)
    assert (nothing.requests, nothing.fulfilled.value, nothing.late) == (0, None, ())
    unlimited = TERMS.with_("within", None).report(ALL, since=DAY, as_of=date(2024, 6, 30))
    assert unlimited.late is None


@pytest.mark.rule("E-36", "AMB-31")
@pytest.mark.parametrize(
    ("done", "due"),
    [
        ([], "2024-07-01"),
        ([date(2024, 6, 20)], "2024-07-20"),
        ([date(2024, 6, 30), date(2024, 6, 20)], "2024-07-30"),
        ([date(2024, 7, 5)], "2024-07-01"),  # not known on the day of the question
    ],
)
def test_the_next_inspection_is_counted_from_the_last(done: list[date], due: str) -> None:
    ask: dict[str, Any] = {"since": DAY, "as_of": date(2024, 6, 30), "inspections": done}
    assert str(TERMS.report([], **ask).next_inspection) == due
    assert TERMS.with_("inspected", None).report([], **ask).next_inspection is None


def test_what_is_due_next() -> None:
    (task,) = TERMS.due(flow(1, DAY, *WAY))
    assert (task.subject, task.what, str(task.window.last_day)) == (
        "r-1", "fulfil points_redemption", "2024-06-04",
    )  # fmt: skip
    assert TERMS.due(ALL[0]) == ()
    assert TERMS.with_("within", None).due(flow(1, DAY, *WAY)) == ()
    hours = TERMS.with_("within", Within(hours=1))
    at = datetime(2024, 6, 1, 9, tzinfo=SHANGHAI)
    (task,) = hours.due(asked(at=at))
    assert task.window.closes == at + timedelta(hours=1)
