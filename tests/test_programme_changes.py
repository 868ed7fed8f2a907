"""Changing benefits: reviews, notices, lead, compensation (E-31 to E-35, SM-17, AMB-21)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.benefits import Aspect, Benefit, BenefitCatalogue, BenefitKind
from retention.change_previews import (
    CompensationForm,
    CompensationPlan,
    Extension,
    Losses,
    Remedy,
    loss,
    losses,
)
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.errors import (
    BlankValueError,
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    UnknownNameError,
)
from retention.mechanisms.obligations import After, agenda
from retention.mechanisms.workflows import Act
from retention.presets._benefits_membership import CHANGES, REVIEWS
from retention.programme_changes import (
    BenefitReview,
    ChangeCommand,
    ChangeProposed,
    ChangeState,
    ChangeTerms,
    ProgrammeChange,
    ReviewOutcome,
    Told,
)
from retention.rewards import Reward, RewardKind
from retention.testing import benefit_catalogues, laws
from tests.refusals import refused

K, C, S = BenefitKind, ChangeCommand, ChangeState
LADDER = ("ordinary", "silver", "gold")
OLD = BenefitCatalogue(
    (
        Benefit(K.FREE_DELIVERY, ("silver", "gold")),
        Benefit(K.EXCLUSIVE_DISCOUNT, ("silver",), pays=Fraction(9, 10)),
        Benefit(K.EXCLUSIVE_DISCOUNT, ("gold",), pays=Fraction(8, 10)),
        Benefit(K.MEMBER_NEWS),
    ),
    ladder=LADDER,
    version="2024-1",
)
NEW = BenefitCatalogue(
    (
        Benefit(K.FREE_DELIVERY, ("gold",)),
        Benefit(K.EXCLUSIVE_DISCOUNT, ("silver", "gold"), pays=Fraction(9, 10)),
        Benefit(K.MEMBER_NEWS),
    ),
    ladder=LADDER,
    version="2024-2",
)
# The blanks of 003 filled by a host.
TERMS = CHANGES.with_all(
    {"remedies.any.months": 3, "remedies.tier.points": 500, "remedies.earning.points": 200}
)
MEMBERS = ["o", "s", "g", "x"]
TIERS = ["ordinary", "silver", "gold", ""]
FOUND = losses(OLD, NEW, MEMBERS, TIERS)
REVIEWED, ANNOUNCED, EFFECTIVE = date(2024, 5, 1), date(2024, 6, 1), date(2024, 7, 1)
CONTENT = {
    "reason": "costs of delivery",
    "content": "free delivery for gold alone; 10 % off for all cards",
    "effective_time": EFFECTIVE,
    "channels": ("email", "sms"),
}
INPUTS = {"feedback": "few use it", "market": "usual", "business": "costly"}


def act(name: ChangeCommand, at: date, **brings: Any) -> Act[ChangeCommand]:  # noqa: ANN401
    return Act(name, at=at, by="li", brings=brings)


def draft() -> ProgrammeChange:
    return ProgrammeChange("c-1", OLD, NEW, "wu")


def announced() -> ProgrammeChange:
    here = TERMS.decide(draft(), act(C.REVIEW, REVIEWED, **INPUTS)).or_raise().state
    return TERMS.decide(here, act(C.ANNOUNCE, ANNOUNCED, **CONTENT)).or_raise().state


def told(days: Sequence[date], *, reachable: int = 4) -> Told:
    channels = ["email", "sms", "letter", "social"]
    rows = [(who, channels[n], day) for who in MEMBERS for n, day in enumerate(days)]
    columns = tuple(list(each) for each in zip(*rows, strict=True)) if rows else ([], [], [])
    return TERMS.told(
        MEMBERS, [reachable] * 4, notices=(columns[0], columns[1], columns[2]),
        effective_on=EFFECTIVE,
    )  # fmt: skip


IN_TIME = told([ANNOUNCED, ANNOUNCED])
PLAN = TERMS.plan(announced(), FOUND, on=ANNOUNCED)
PAID = {each.key: date(2024, 6, 20) for each in PLAN.requests()}


def activate(change: ProgrammeChange, on: date = EFFECTIVE, **more: Any) -> Any:  # noqa: ANN401
    given_: dict[str, Any] = {"told": IN_TIME, "plan": PLAN, "done": PAID} | more
    return TERMS.decide(change, act(C.ACTIVATE, on), **given_)


# --- SM-17, E-32 ----------------------------------------------------------------------------------


@pytest.mark.rule("E-32", "SM-17", "E-34")
def test_a_change_takes_effect_when_lead_and_compensation_were_kept() -> None:
    change = announced()
    assert change.effective_on == EFFECTIVE
    done = activate(change).or_raise().state
    assert done.state is S.EFFECTIVE
    assert done.catalogue(date(2024, 6, 30)) == OLD
    assert done.catalogue(EFFECTIVE) == NEW
    assert change.catalogue(EFFECTIVE) == OLD  # announced is not in force
    assert all(each.held for each in TERMS.blocked(
        change, on=EFFECTIVE, told=IN_TIME, plan=PLAN, done=PAID))  # fmt: skip


@pytest.mark.rule("E-32", "E-34", "AMB-21")
@pytest.mark.parametrize(
    ("more", "missing", "reason"),
    [
        ({"told": None}, ("lead_kept",), "untold_members is missing (wanted == 0)"),
        ({"told": told([ANNOUNCED])}, ("lead_kept",), "untold_members 4 is not == 0"),
        ({"told": told([ANNOUNCED, date(2024, 6, 2)])}, ("lead_kept",),
         "untold_members 4 is not == 0"),
        ({"told": told([])}, ("lead_kept",), "untold_members 4 is not == 0"),
        ({"plan": None}, ("compensated",), "uncompensated_losses is missing (wanted == 0)"),
        ({"done": {}}, ("compensated",), "uncompensated_losses 2 is not == 0"),
        # given on the day of the change is not before it
        ({"done": dict.fromkeys(PAID, EFFECTIVE)}, ("compensated",),
         "uncompensated_losses 2 is not == 0"),
        ({"done": dict.fromkeys(list(PAID)[1:], ANNOUNCED)}, ("compensated",),
         "uncompensated_losses 1 is not == 0"),
        ({"told": None, "plan": None}, ("compensated", "lead_kept"), ""),
        ({"on": date(2024, 6, 30)}, ("effective_time_reached",),
         "effective_time 2024-06-30 is not >= 2024-07-01"),
    ],
)  # fmt: skip
def test_what_blocks_a_change(more: dict[str, Any], missing: tuple[str, ...], reason: str) -> None:
    answer = activate(announced(), **more)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.missing) == (Code.NAMES_MISSING, missing)
    given_: dict[str, Any] = {"on": EFFECTIVE, "told": IN_TIME, "plan": PLAN, "done": PAID} | more
    failed = [str(x) for x in TERMS.blocked(announced(), **given_) if not x.held]
    assert reason in [*failed, ""]
    assert len(failed) == len(missing)


def test_nobody_can_claim_that_members_were_compensated() -> None:
    claim = act(C.ACTIVATE, EFFECTIVE, lead_kept=True, compensated=True)
    answer = TERMS.decide(announced(), claim)
    assert isinstance(answer, Refused)
    assert answer.missing == ("compensated", "lead_kept")


@pytest.mark.rule("E-32")
@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"effective_time": date(2024, 6, 30)}, "lead too short (effective_time >= 2024-07-01)"),
        ({"effective_time": None}, "names missing (effective_time)"),
        ({"reason": ""}, "names missing (reason)"),
        ({"content": ""}, "names missing (content)"),
        ({"channels": ("email",)}, "names missing (enough_channels)"),
        ({"channels": ("email", "email")}, "names missing (enough_channels)"),
        ({"channels": ("email", "pigeon")}, "names missing (enough_channels)"),
        ({"channels": ()}, "names missing (enough_channels)"),
        ({"effective_time": date(2024, 7, 1)}, ""),
    ],
)
def test_an_announcement_says_everything_in_time(change: dict[str, Any], answer: str) -> None:
    here = TERMS.decide(draft(), act(C.REVIEW, REVIEWED, **INPUTS)).or_raise().state
    found = TERMS.decide(here, act(C.ANNOUNCE, ANNOUNCED, **(CONTENT | change)))
    assert isinstance(found, Accepted) is not bool(answer)
    if isinstance(found, Refused):
        assert answer in str(found)


@pytest.mark.rule("E-31", "SM-17", "K-13")
def test_a_change_is_reviewed_from_three_sides_by_somebody_else() -> None:
    for name in INPUTS:
        no = TERMS.decide(draft(), act(C.REVIEW, REVIEWED, **(INPUTS | {name: ""})))
        assert isinstance(no, Refused)
        assert no.missing == (name,)
    own = Act(C.REVIEW, at=REVIEWED, by="wu", brings=INPUTS)
    no = TERMS.decide(draft(), own)
    assert isinstance(no, Refused)
    assert no.missing == ("not_drafter",)


@pytest.mark.rule("SM-17")
def test_what_was_announced_is_withdrawn_with_a_notice() -> None:
    no = TERMS.decide(announced(), act(C.WITHDRAW, EFFECTIVE))
    assert isinstance(no, Refused)
    assert no.missing == ("notice",)
    gone = TERMS.decide(announced(), act(C.WITHDRAW, EFFECTIVE, notice="n-7")).or_raise().state
    assert gone.state is S.WITHDRAWN
    assert TERMS.decide(draft(), act(C.WITHDRAW, EFFECTIVE)).or_raise().state.state is S.WITHDRAWN


def test_the_same_key_announces_once_even_when_it_comes_late() -> None:
    here = TERMS.decide(draft(), act(C.REVIEW, REVIEWED, **INPUTS)).or_raise().state
    say = Act(C.ANNOUNCE, at=ANNOUNCED, by="li", key="k", brings=CONTENT)
    first = TERMS.decide(here, say).or_raise()
    late = Act(C.ANNOUNCE, at=date(2024, 6, 29), by="li", key="k", brings=CONTENT)
    again = TERMS.decide(first.state, late, earlier=first.facts).or_raise()
    assert (again.state, again.facts) == (first.state, first.facts)


# --- E-33, AMB-21: notices ------------------------------------------------------------------------


@pytest.mark.rule("E-33")
def test_notices_go_to_each_channel_that_reaches_the_member() -> None:
    reach = {"a": {"email", "sms", "phone"}, "b": {"letter"}, "c": {"sms"}}
    change = announced()
    found = list(TERMS.notices(change, reach))
    assert [(each.member, each.channel) for each in found] == [
        ("a", "email"), ("a", "sms"), ("c", "sms"),
    ]  # fmt: skip
    assert {each.send_by for each in found} == {date(2024, 6, 1)}
    assert (found[0].reason, found[0].effective_on) == ("costs of delivery", EFFECTIVE)
    assert list(TERMS.notices(draft(), reach)) == []
    wide = {"channels": ("email", "sms", "letter", "social")}
    here = TERMS.decide(draft(), act(C.REVIEW, REVIEWED, **INPUTS)).or_raise().state
    here = TERMS.decide(here, act(C.ANNOUNCE, ANNOUNCED, **(CONTENT | wide))).or_raise().state
    assert [each.channel for each in TERMS.notices(here, {"b": {"letter", "social"}})] == [
        "letter", "social",
    ]  # fmt: skip


@pytest.mark.rule("AMB-21", "E-32")
@pytest.mark.parametrize(
    ("reachable", "sent", "untold"),
    [
        (4, ["email", "sms"], 0),
        (4, ["email"], 1),
        (4, ["email", "email"], 1),  # twice by one channel is one channel
        (4, ["email", "phone"], 1),  # which is none of the handbook's
        (1, ["email"], 0),  # only one reaches
        (1, [], 1),
        (0, [], 0),  # nobody can reach him: reported, not held against the change
    ],
)
def test_two_channels_or_the_only_one(reachable: int, sent: list[str], untold: int) -> None:
    columns = (["m"] * len(sent), sent, [ANNOUNCED] * len(sent))
    found = TERMS.told(["m"], [reachable], notices=columns, effective_on=EFFECTIVE)
    assert len(found.untold) == untold
    assert found.unreachable.tolist() == ([] if reachable else ["m"])


@given(
    st.lists(st.tuples(
        st.sampled_from("abcz"), st.sampled_from(["email", "sms", "letter", "phone"]),
        st.integers(-2, 2)), max_size=12),
    st.lists(st.integers(0, 4), min_size=3, max_size=3),
)  # fmt: skip
def test_one_member_and_many_were_told_the_same(
    rows: list[tuple[str, str, int]], reachable: list[int]
) -> None:
    days = [ANNOUNCED + timedelta(days=after) for _, _, after in rows]
    columns = ([x for x, _, _ in rows], [x for _, x, _ in rows], days)
    many = TERMS.told(list("abc"), reachable, notices=columns, effective_on=EFFECTIVE)
    for who, reach, heard in zip("abc", reachable, many.told.tolist(), strict=True):
        sent = [(row[1], day) for row, day in zip(rows, days, strict=True) if row[0] == who]
        assert TERMS.is_told(sent, reachable=reach, effective_on=EFFECTIVE) is heard
    with refused(UnequalColumnsError, "told"):
        TERMS.told(["a"], [1, 2], notices=columns, effective_on=EFFECTIVE)


# --- E-34: who is worse off -----------------------------------------------------------------------


@pytest.mark.rule("E-34")
def test_who_is_worse_off_and_in_what() -> None:
    assert FOUND.worse.tolist() == ["s", "g"]
    assert [(each.kind, each.aspect) for each in FOUND.of("s")] == [
        (K.FREE_DELIVERY, Aspect.MISSING)
    ]
    assert [str(each) for each in FOUND.of("g")] == [
        "exclusive_discount: rate (pays 4/5 before, pays 9/10 after)"
    ]
    assert FOUND.of("o") == FOUND.of("x") == ()
    assert FOUND.counts() == {
        ("exclusive_discount", Aspect.RATE): 1, ("free_delivery", Aspect.MISSING): 1,
    }  # fmt: skip
    assert FOUND.to_columns()["worse"].tolist() == [False, True, True, False]
    with refused(UnknownNameError, "member", given="q"):
        FOUND.of("q")


@pytest.mark.rule("E-34")
@pytest.mark.parametrize(
    ("tier", "new_tier", "points", "new_points", "aspects"),
    [
        ("gold", "gold", 10, 10, []),
        ("gold", "silver", 10, 10, [Aspect.TIER]),
        ("silver", "gold", 10, 10, []),
        ("silver", "", 10, 10, [Aspect.TIER]),
        ("", "ordinary", 10, 10, []),
        ("gold", "gold", 10, 9, [Aspect.EARNING]),
        ("gold", "gold", 9, 10, []),
        ("gold", "ordinary", 10, 9, [Aspect.TIER, Aspect.EARNING]),
    ],
)
def test_tiers_and_earning_are_compared_as_well(
    tier: str, new_tier: str, points: int, new_points: int, aspects: list[Aspect]
) -> None:
    shop = BenefitCatalogue((Benefit(K.COUPON, everybody=True),), ladder=LADDER)
    one = loss(shop, shop, tier, new_tier=new_tier, points=points, new_points=new_points)
    assert [each.aspect for each in one] == aspects
    many = losses(
        shop, shop, ["m"], [tier], new_tiers=[new_tier], points=[points], new_points=[new_points]
    )
    assert many.of("m") == one
    assert many.worse.tolist() == (["m"] if aspects else [])


@given(
    benefit_catalogues(),
    benefit_catalogues(),
    st.lists(
        st.tuples(
            st.sampled_from(["silver", "gold", "diamond", ""]),
            st.sampled_from(["silver", "gold", "diamond", ""]),
            st.integers(0, 3),
            st.integers(0, 3),
        ),
        max_size=8,
    ),
)
def test_the_preview_of_one_is_that_of_many(
    old: BenefitCatalogue, new: BenefitCatalogue, rows: list[tuple[str, str, int, int]]
) -> None:
    laws.losses_one_equals_columns(old, new, rows)
    found = losses(
        old, new, list(range(len(rows))), [row[0] for row in rows],
        new_tiers=[row[1] for row in rows], points=[row[2] for row in rows],
        new_points=[row[3] for row in rows],
    )  # fmt: skip
    remedies = (Remedy(months=1), Remedy("tier", CompensationForm.POINTS, points=5),
                Remedy("earning", CompensationForm.POINTS, points=9))  # fmt: skip
    plan = CompensationPlan("c-1", found, remedies, ANNOUNCED, EFFECTIVE)
    laws.compensation_is_for_those_who_lose(plan)
    for row in range(len(rows)):
        mine = [x.amount for x in plan.of(row) if isinstance(x, Reward)]
        lost = {each.aspect for each in found.of(row)}
        wanted = [9] if Aspect.EARNING in lost else [5] if Aspect.TIER in lost else []
        assert mine == wanted  # points once, the most that a row gives


def test_what_a_preview_does_not_take() -> None:
    with refused(DuplicateError, "members"):
        losses(OLD, NEW, ["a", "a"], ["gold", "gold"])
    with refused(UnequalColumnsError, "losses"):
        losses(OLD, NEW, ["a"], ["gold", "gold"])
    with refused(InvalidValueError, "points"):
        losses(OLD, NEW, ["a"], ["gold"], points=[1])
    assert losses(OLD, NEW, [], []).worse.tolist() == []


def test_a_million_members_are_previewed_by_their_few_tiers() -> None:
    size = 200_000
    tiers = np.array(LADDER)[np.arange(size) % 3]
    found = losses(OLD, NEW, np.arange(size), tiers)
    assert len(found.tiers) == 3
    assert len(found.worse) == sum(n % 3 > 0 for n in range(size))


# --- E-34, E-35: compensation ---------------------------------------------------------------------


@pytest.mark.rule("E-34", "E-35")
def test_those_who_lose_a_benefit_keep_it_for_a_while() -> None:
    assert PLAN.due_by == date(2024, 6, 30)
    requests = list(PLAN.requests())
    assert {each.member for each in requests} == {"s", "g"}
    (silver,) = PLAN.of("s")
    (gold,) = PLAN.of("g")
    assert isinstance(silver, Extension)
    assert isinstance(gold, Extension)
    assert gold.right.benefit.pays == Fraction(8, 10)  # the row that gold had
    assert (silver.right.version, silver.right.through) == ("2024-1", date(2024, 9, 30))
    for day, held in ((date(2024, 9, 30), True), (date(2024, 10, 1), False)):
        found = NEW.entitlement("free_delivery", "silver", on=day, rights=[silver.right])
        assert found.held is held
    paid = NEW.entitlement("exclusive_discount", "gold", on=EFFECTIVE, rights=[gold.right])
    assert paid.benefit is not None
    assert paid.benefit.pays == Fraction(8, 10)


@pytest.mark.rule("E-34", "E-09")
def test_one_time_points_are_given_once() -> None:
    remedies = (Remedy("", CompensationForm.POINTS, points=300),)
    plan = ChangeTerms(("email",), 1, 30, remedies).plan(draft(), FOUND, on=ANNOUNCED)
    assert plan.effective_on == date(2024, 7, 1)  # not announced: the first day that is possible
    (reward,) = plan.of("g")
    assert reward == Reward("g", RewardKind.POINTS, 300, reason="compensation", source="c-1",
                            key="c-1:g:points")  # fmt: skip
    assert plan.points() == 600
    assert plan.of("o") == ()


def test_what_003_leaves_open_must_be_filled() -> None:
    plan = CHANGES.plan(announced(), FOUND, on=ANNOUNCED)
    with pytest.raises(BlankValueError, match=r"Remedy\.months"):
        plan.of("s")
    no_rows = CompensationPlan("c-1", FOUND, (Remedy("tier", CompensationForm.POINTS, points=1),),
                               ANNOUNCED, EFFECTIVE)  # fmt: skip
    with refused(UnknownNameError, "remedy", given="free_delivery"):
        no_rows.of("s")
    bad: dict[str, Any]
    for bad in ({"months": 0}, {"form": CompensationForm.POINTS}, {"kind": "tier", "months": 1}):
        with pytest.raises(InvalidValueError):
            Remedy(**bad)


def test_one_who_loses_his_tier_is_not_given_an_extension_of_it() -> None:
    shop = BenefitCatalogue((Benefit(K.COUPON),), ladder=LADDER)
    found: Losses = losses(shop, shop, ["m"], ["gold"], new_tiers=["silver"])
    only = CompensationPlan("c-1", found, (Remedy(months=3),), ANNOUNCED, EFFECTIVE)
    with refused(UnknownNameError, "remedy", given="tier"):
        only.of("m")


# --- E-31: reviews of benefits --------------------------------------------------------------------


def review(outcome: str = "keep", at: date = REVIEWED, **more: Any) -> BenefitReview:  # noqa: ANN401
    given_: dict[str, Any] = INPUTS | {"by": "li", "at": at, "uses": 12} | more
    return BenefitReview(K.FREE_DELIVERY, ReviewOutcome(outcome), **given_)


@pytest.mark.rule("E-31")
@pytest.mark.parametrize("name", ["feedback", "market", "business"])
def test_a_review_has_three_inputs(name: str) -> None:
    empty: dict[str, Any] = {name: ""}
    no = REVIEWS.record((), review(**empty))
    assert isinstance(no, Refused)
    assert no.missing == (name,)


@pytest.mark.rule("E-31")
@pytest.mark.parametrize("outcome", ["keep", "adjust", "drop"])
def test_a_review_ends_with_an_outcome(outcome: str) -> None:
    before = (review(),)
    answer = REVIEWS.record(before, review(outcome)).or_raise()
    assert answer.state == (*before, review(outcome))
    asked = ChangeProposed(K.FREE_DELIVERY, ReviewOutcome(outcome), "li")
    assert answer.requests == (() if outcome == "keep" else (asked,))


@pytest.mark.rule("E-31", "AMB-31")
def test_the_next_review_is_due_half_a_year_after_the_last() -> None:
    kinds = [K.FREE_DELIVERY, K.COUPON]
    done = [review(at=date(2024, 3, 10)), review(at=date(2024, 8, 31))]
    tasks = REVIEWS.due(kinds, done, since=date(2024, 1, 31))
    days = {task.subject: str(task.window.last_day) for task in tasks}
    assert days == {"free_delivery": "2025-02-28", "coupon": "2024-07-31"}
    (late,) = [x for x in agenda(tasks, as_of=date(2024, 8, 1)) if x.outcome.value == "missed"]
    assert late.obligation.subject == "coupon"
    assert REVIEWS.every == After(months=6)
