"""Group complaints, merging, splitting and escalation (H-16, H-29, H-44, S-20)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from retention.case_clocks import RECEIVED, ClockRule
from retention.case_flows import Note, NoteState
from retention.case_groups import CaseGroup, GroupCandidate, GroupRule
from retention.case_merges import CasePair, is_replied, merge, split
from retention.cases import FeedbackCase
from retention.escalations import EscalationCause, escalation_agenda, escalations
from retention.feedback import Feedback
from retention.intake import FeedbackItem
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.clocks import EscalationLevel
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    WrongTypeError,
)
from retention.mechanisms.obligations import Outcome, Within
from retention.presets import ecommerce, user_retention
from retention.triage import CaseLevel
from tests.complaints import PLAN, act, at, do, received, reported
from tests.refusals import refused

RULES = ecommerce.feedback
GROUPS = ecommerce.group_rule
DAY = "2024-06-10"


def candidates(
    hours: str, customers: str = "abcdefgh", cause: str = "late"
) -> list[GroupCandidate]:
    start = at(f"{DAY}T09:00")
    return [
        GroupCandidate(f"K-{n}", who, start + timedelta(hours=float(hour)), cause)
        for n, (hour, who) in enumerate(zip(hours.split(), customers, strict=False))
    ]


# --- what makes a group ---------------------------------------------------------------------------


@pytest.mark.rule("H-16", "S-20")
def test_five_customers_with_one_cause_within_24_hours_are_a_group() -> None:
    (group,) = GROUPS.groups(candidates("0 1 2 3 24"))
    assert group.cases == ("K-0", "K-1", "K-2", "K-3", "K-4")
    assert group.customers == ("a", "b", "c", "d", "e")
    assert group.recognised == at("2024-06-11T09:00").astimezone(UTC)
    assert GROUPS.groups(candidates("0 1 2 3")) == ()
    late = candidates("0 1 2 3")
    late.append(attrs.evolve(late[0], case="K-9", customer="z", at=at("2024-06-11T09:00:01")))
    assert GROUPS.groups(late) == ()


@pytest.mark.rule("H-16")
def test_customers_are_counted_and_not_complaints() -> None:
    assert GROUPS.groups(candidates("0 1 2 3 4", "abcda")) == ()
    (group,) = GROUPS.groups(candidates("0 1 2 3 4 5", "abcdae"))
    assert len(group.cases) == 6
    assert GROUPS.groups(candidates("0 1 2 3 4", cause="")) == ()
    mixed = candidates("0 1 2 3 4")
    mixed[2] = attrs.evolve(mixed[2], cause="rude")
    answer = GROUPS.group("K-0", mixed)
    assert answer.group is None
    assert str(answer.reason) == "customers 4 is not >= 5"
    assert GROUPS.group("K-2", mixed).reason.given == 1


@pytest.mark.rule("H-16")
def test_the_window_slides_and_windows_that_meet_are_one_group() -> None:
    rule = GroupRule(customers=2, hours=24)
    assert [x.cases for x in rule.groups(candidates("0 20 40 60"))] == [
        ("K-0", "K-1", "K-2", "K-3")
    ]
    apart = rule.groups(candidates("0 20 100 110"))
    assert [x.cases for x in apart] == [("K-0", "K-1"), ("K-2", "K-3")]
    assert [x.cases for x in rule.groups(candidates("0 0"))] == [("K-0", "K-1")]


@pytest.mark.rule("H-16")
def test_groups_in_columns_set_bad_rows_aside() -> None:
    found = GROUPS.group_columns(
        ["a", "b", "c", "d", "e", "f"],
        np_times("00 01 02 03 04 NaT"),
        ["late"] * 6,
    )
    assert found.number.tolist() == [0, 0, 0, 0, 0, -1]
    assert (found.problems[0].code, found.problems[0].rows) == (Code.NO_TIME, (5,))
    empty = GROUPS.group_columns([], [], [])
    assert (len(empty), empty.problems) == (0, ())
    with refused(UnequalColumnsError, "cases"):
        GROUPS.group_columns(["a"], np_times("00 01"), ["late"])


def np_times(hours: str) -> Any:  # noqa: ANN401
    import numpy as np

    texts = [x if x == "NaT" else f"{DAY}T{x}:00" for x in hours.split()]
    return np.array(texts, "datetime64[us]")


def test_a_group_rule_says_what_it_needs() -> None:
    with refused(InvalidValueError, "GroupRule.customers"):
        GroupRule(customers=1)
    with refused(InvalidValueError, "GroupRule.hours"):
        GroupRule(hours=0)
    with refused(DuplicateError, "candidates"):
        GROUPS.groups([candidates("0")[0]] * 2)
    with refused(InvalidValueError, "case"):
        GROUPS.group("K-77", candidates("0 1"))
    with refused(WrongTypeError, "received"):
        GroupCandidate("K", "C", at(DAY + "T00:00").date(), "late")  # type: ignore[arg-type]


# --- parent and children --------------------------------------------------------------------------


def complained() -> list[FeedbackCase]:
    return [
        received(RULES, f"K-{n}", f"{DAY}T{9 + n:02d}:00", cause="late", customer=who)
        for n, who in enumerate("abcde")
    ]


def opened() -> Accepted[CaseGroup, Any]:
    cases = complained()
    (group,) = GROUPS.groups([GroupCandidate.of(x) for x in cases])
    answer = GROUPS.open(
        RULES, group, cases, case="G-1", at=at(f"{DAY}T13:30"), by="li", holds=("in_crm",)
    )
    return answer.or_raise()


@pytest.mark.rule("H-16", "H-15", "S-20")
def test_the_parent_is_major_and_goes_to_management() -> None:
    answer = opened()
    group = answer.state
    level = RULES.level(group.parent)
    assert level is not None
    assert level.outcome is CaseLevel.MAJOR
    assert [(x.what, x.to) for x in answer.requests] == [("management", ("management",))]  # type: ignore[attr-defined]
    assert [x["case"] for x in group.parent.noted(Note.GATHER)] == [f"K-{n}" for n in range(5)]
    assert [x.noted(Note.BELONG)[0]["case"] for x in group.children] == ["G-1"] * 5
    assert [(x.case, x.expected, len(x.facts)) for x in answer.facts] == [
        ("G-1", 0, 7),
        *((f"K-{n}", 1, 1) for n in range(5)),
    ]
    for before, stored, after in zip(complained(), answer.facts[1:], group.children, strict=True):
        assert RULES.replay((*before.log, *stored.facts)) == after
    assert RULES.replay(answer.facts[0].facts) == group.parent


@pytest.mark.rule("H-16")
def test_parent_and_children_have_clocks_of_their_own() -> None:
    group = opened().state
    due = {
        case.id: RULES.due(case, as_of=at(f"{DAY}T14:00"))[0].due
        for case in (group.parent, group.children[0], group.children[4])
    }
    assert due == {
        "G-1": at("2024-06-11T13:00").astimezone(UTC),  # from the fifth customer on
        "K-0": at("2024-06-11T09:00").astimezone(UTC),
        "K-4": at("2024-06-11T13:00").astimezone(UTC),
    }
    assert RULES.level(group.children[0]) is None


def handled(group: CaseGroup) -> CaseGroup:
    parent = do(RULES, group.parent, "2024-06-11T09:00", "escalate", management="coo")
    parent = do(RULES, parent, "2024-06-11T10:00", "handle", **PLAN)
    parent = do(RULES, parent, "2024-06-11T11:00", "complete", result="all refunded")
    parent = do(RULES, parent, "2024-06-11T12:00", "report", channel="app")
    return attrs.evolve(group, parent=do(RULES, parent, "2024-06-12T09:00", "visit"))


@pytest.mark.rule("H-16")
def test_a_parent_does_not_end_while_a_child_waits_for_its_reply() -> None:
    group = handled(opened().state)
    end = act("2024-06-13T09:00", "satisfied")
    replied = [reported(RULES, x, "2024-06-11") for x in group.children[:3]]
    part = attrs.evolve(group, children=(*replied, *group.children[3:]))
    answer = GROUPS.decide(RULES, part, end)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.missing) == (Code.CHILDREN_OPEN, ("K-3", "K-4"))
    assert answer.given == ("visited", "satisfied")
    assert answer.allowed == RULES.flow.workflow.allowed(part.parent.progress)
    bare = RULES.decide(part.parent, end)
    assert isinstance(bare, Refused)
    assert bare.missing == ("children_replied",)
    smuggled = GROUPS.decide(RULES, part, end, holds=("children_replied",))
    assert isinstance(smuggled, Refused)
    every = tuple(reported(RULES, x, "2024-06-11") for x in group.children)
    whole = attrs.evolve(group, children=every)
    done = GROUPS.decide(RULES, whole, end).or_raise()
    assert RULES.is_over(done.state.parent)
    assert [(x.case, x.expected) for x in done.facts] == [("G-1", group.parent.sequence)]
    other = GROUPS.decide(RULES, part, act("2024-06-13T09:00", "not_satisfied", reason="slow"))
    assert isinstance(other, Accepted)


@pytest.mark.rule("H-16", "H-23")
def test_a_customer_who_was_not_satisfied_waits_again() -> None:
    case = reported(RULES, complained()[0], "2024-06-11")
    assert is_replied(RULES, case)
    case = do(RULES, case, "2024-06-12T09:00", "visit")
    assert is_replied(RULES, case)
    case = do(RULES, case, "2024-06-12T10:00", "not_satisfied", reason="broken")
    assert not is_replied(RULES, case)
    old = user_retention.feedback
    ended = received(old, "K", f"{DAY}T09:00")
    assert not is_replied(old, ended)


@pytest.mark.rule("H-16")
def test_a_child_that_was_merged_waits_in_the_other_case() -> None:
    group = handled(opened().state)
    replied = tuple(reported(RULES, x, "2024-06-11") for x in group.children[:4])
    target = received(RULES, "K-9", f"{DAY}T15:00", customer="e")
    pair = merge(RULES, group.children[4], target, at=at(f"{DAY}T16:00"), by="li").or_raise().state
    end = act("2024-06-13T09:00", "satisfied")
    waits = attrs.evolve(group, children=(*replied, pair.one))
    answer = GROUPS.decide(RULES, waits, end)
    assert isinstance(answer, Refused)
    assert answer.missing == ("K-4",)
    told = reported(RULES, pair.other, "2024-06-11")
    whole = attrs.evolve(group, children=(*replied, pair.one, told))
    assert isinstance(GROUPS.decide(RULES, whole, end), Accepted)


@pytest.mark.rule("H-16")
def test_one_more_customer_joins_the_group() -> None:
    group = opened().state
    sixth = received(RULES, "K-5", f"{DAY}T18:00", cause="late", customer="f")
    joined = GROUPS.join(RULES, group, sixth, at=at(f"{DAY}T18:05"), by="li").or_raise()
    assert [x.case for x in joined.facts] == ["G-1", "K-5"]
    assert len(joined.state.children) == 6
    early = GROUPS.join(RULES, group, sixth, at=at(f"{DAY}T13:00"), by="li")
    assert isinstance(early, Refused)
    assert early.missing == ("later_time",)


def test_a_group_is_opened_as_a_whole_or_not_at_all() -> None:
    cases = complained()
    (group,) = GROUPS.groups([GroupCandidate.of(x) for x in cases])
    said: dict[str, Any] = {"case": "G-1", "by": "li", "holds": ("in_crm",)}
    with refused(InvalidValueError, "children"):
        GROUPS.open(RULES, group, cases[:4], at=at(f"{DAY}T13:30"), **said)
    busy = do(RULES, cases[4], f"{DAY}T20:00", "remark", content="x")
    answer = GROUPS.open(RULES, group, [*cases[:4], busy], at=at(f"{DAY}T13:30"), **said)
    assert isinstance(answer, Refused)
    assert (answer.given, answer.missing) == (("K-4 open", "belong"), ("later_time",))
    late = GROUPS.open(RULES, group, cases, at=at(f"{DAY}T12:00"), **said)
    assert isinstance(late, Refused)
    nowhere = GROUPS.open(RULES, group, cases, at=at(f"{DAY}T13:30"), case="G-1", by="li")
    assert isinstance(nowhere, Refused)
    assert nowhere.missing == ("in_crm",)


# --- merging and splitting ------------------------------------------------------------------------


def merged(when: str = f"{DAY}T16:00") -> CasePair:
    one, other, *_ = complained()
    return merge(RULES, one, other, at=at(when), by="li", why="same parcel").or_raise().state


@pytest.mark.rule("H-44")
def test_merging_keeps_the_earliest_receipt_and_every_customer() -> None:
    pair = merged()
    assert pair.one.notes.state is NoteState.MERGED
    assert pair.other.customers == ("b", "a")
    assert pair.other.received == at(f"{DAY}T09:00")
    (completion, *_) = RULES.due(pair.other, as_of=at(f"{DAY}T17:00"))
    assert completion.due == at("2024-06-11T09:00").astimezone(UTC)
    (before, *_) = RULES.due(pair.other, as_of=at(f"{DAY}T15:00"))
    assert before.due == at("2024-06-11T10:00").astimezone(UTC)  # as it was known then
    assert RULES.handled(pair.other).received == at(f"{DAY}T09:00")


@pytest.mark.rule("H-44")
def test_no_circles_and_nothing_into_itself_or_into_what_is_gone() -> None:
    pair, when = merged(), at(f"{DAY}T17:00")
    third = received(RULES, "K-9", f"{DAY}T12:00")
    over = received(RULES, "K-8", f"{DAY}T12:00")
    over = do(RULES, reported(RULES, over, "2024-06-11"), "2024-06-11T14:00", "visit")
    over = do(RULES, over, "2024-06-11T15:00", "satisfied")
    late = at("2024-06-12T00:00")
    for case, into, state in (
        (pair.other, pair.other, "received"),  # into itself
        (pair.other, pair.one, "K-0 merged"),  # a circle
        (third, pair.one, "K-0 merged"),  # into a merged one
        (pair.one, third, "K-0 merged"),  # a merged one again
        (third, over, "K-8 over"),  # into one that is over
        (over, third, "K-8 over"),  # one that is over
    ):
        answer = merge(RULES, case, into, at=late, by="li")
        assert isinstance(answer, Refused)
        assert (answer.code, answer.given[0]) == (Code.NOT_POSSIBLE, state)
    by_hand = RULES.decide(third, by_hand_merge(when))
    assert isinstance(by_hand, Refused)
    assert by_hand.missing == ("both_cases",)
    smuggled = RULES.decide(third, by_hand_merge(when, both_cases=True))
    assert isinstance(smuggled, Refused)


def by_hand_merge(when: datetime, **more: Any) -> Any:  # noqa: ANN401
    return act(when.replace(tzinfo=None).isoformat(), "merge_into", case="K-0", **more)


@pytest.mark.rule("H-44")
def test_splitting_keeps_the_receipt_and_who_is_owed_a_reply() -> None:
    case = merged().other
    item = FeedbackItem("a", at(f"{DAY}T18:00"), "complaint", "app", matter="rude courier")
    answer = split(RULES, case, item, new="K-12", at=at(f"{DAY}T18:00"), by="li", customers=["a"])
    pair = answer.or_raise().state
    assert (pair.one.customers, pair.other.customers) == (("b",), ("a",))
    assert pair.other.received == at(f"{DAY}T09:00")
    assert [(x.case, x.expected, len(x.facts)) for x in answer.or_raise().facts] == [
        ("K-1", 2, 1),
        ("K-12", 0, 2),
    ]
    both = split(RULES, case, item, new="K-12", at=at(f"{DAY}T18:00"), by="li").or_raise().state
    assert both.one.customers == ("b", "a")
    stranger = attrs.evolve(item, customer="z")
    for wrong, new in ((stranger, "K-12"), (item, "K-1")):
        no = split(RULES, case, wrong, new=new, at=at(f"{DAY}T18:00"), by="li")
        assert isinstance(no, Refused)
        assert no.code is Code.NOT_POSSIBLE
    bare = split(RULES, case, attrs.evolve(item, matter=""), new="K-12", at=at(f"{DAY}T18:00"),
                 by="li")  # fmt: skip
    assert isinstance(bare, Refused)
    assert bare.missing == ("matter",)
    early = split(RULES, case, item, new="K-12", at=at(f"{DAY}T15:00"), by="li")
    assert isinstance(early, Refused)
    assert early.missing == ("later_time",)


def test_a_step_of_the_way_ends_a_pause_and_takes_up_what_was_over() -> None:
    case = do(RULES, complained()[0], f"{DAY}T10:00", "pause", reason="customer")
    case = do(RULES, case, f"{DAY}T12:00", "grade", severity="minor")
    assert RULES.standing(case) is NoteState.OPEN
    (pause,) = RULES.pauses(case)
    assert pause.until == at(f"{DAY}T12:00")
    old = user_retention.feedback
    item = received(old, "K", f"{DAY}T08:00")
    levels = {"severity": "minor", "scope": "single", "urgency": "low"}
    item = do(old, item, f"{DAY}T09:00", "assess", **levels)
    item = do(old, item, f"{DAY}T09:00", "general")
    plan = {"department": "a", "person": "b", "measure": "c", "time_node": at(f"{DAY}T20:00")}
    for name, brings in (("start", plan), ("reply", {"channel": "sms"}), ("survey", {}),
                         ("track", {}), ("confirm_solved", {}), ("remark", {"content": "x"}),
                         ("recur", {})):  # fmt: skip
        item = do(old, item, f"{DAY}T10:00", name, **brings)
    assert old.standing(item) is NoteState.OPEN
    assert "notify" in old.allowed(item)


# --- escalation -----------------------------------------------------------------------------------

LADDER = ClockRule(
    "completion", (RECEIVED,), ("complete",), Within(hours=24), rule="H-26",
    warnings=(timedelta(hours=2),), who="agent",
    levels=(EscalationLevel(timedelta(0), "team_lead"),
            EscalationLevel(timedelta(hours=4), "management")),
)  # fmt: skip
STRICT: Feedback = attrs.evolve(RULES, clocks=(LADDER,))


@pytest.mark.rule("H-15", "S-20")
def test_who_is_told_when_by_the_ladder_of_a_clock() -> None:
    case = received(STRICT, "K-1", f"{DAY}T09:00")
    ahead = escalations(STRICT, case, as_of=at(f"{DAY}T09:00"), ahead=True)
    assert [(x.at, x.cause, x.to) for x in ahead] == [
        (at("2024-06-11T07:00"), EscalationCause.WARNING, "agent"),
        (at("2024-06-11T09:00"), EscalationCause.CLOCK, "team_lead"),
        (at("2024-06-11T13:00"), EscalationCause.CLOCK, "management"),
    ]
    assert escalations(STRICT, case, as_of=at("2024-06-11T06:59")) == ()
    told = do(STRICT, case, "2024-06-11T09:10", "alert", level="team_lead")
    found = escalations(STRICT, told, as_of=at("2024-06-11T13:00"))
    assert [(x.to, x.is_open) for x in found] == [
        ("agent", True), ("team_lead", False), ("management", True)
    ]  # fmt: skip
    assert found[1].told == at("2024-06-11T09:10")
    early = do(STRICT, case, f"{DAY}T10:00", "alert", level="management")
    assert escalations(STRICT, early, as_of=at("2024-06-11T13:00"))[2].is_open


@pytest.mark.rule("H-15")
def test_who_takes_over_is_on_record_and_nobody_else_is_told() -> None:
    case = received(STRICT, "K-1", f"{DAY}T09:00")
    boss = {"role": "management", "person": "wu"}
    case = do(STRICT, case, "2024-06-11T14:00", "take_over", **boss)
    found = escalations(STRICT, case, as_of=at("2024-06-11T15:00"))
    assert [x.taken_over for x in found] == ["wu", "wu", "wu"]
    waiting = received(STRICT, "K-2", f"{DAY}T08:00")
    agenda = escalation_agenda(STRICT, [case, waiting], as_of=at("2024-06-11T08:30"))
    assert [(x.case, x.to) for x in agenda] == [
        ("K-2", "agent"), ("K-1", "agent"), ("K-2", "team_lead")
    ]  # fmt: skip


@pytest.mark.rule("H-15", "S-20")
def test_a_major_case_goes_to_management_at_once() -> None:
    case = received(RULES, "K-1", f"{DAY}T09:00")
    minor = do(RULES, case, f"{DAY}T09:30", "grade", severity="serious")
    assert escalations(RULES, minor, as_of=at(f"{DAY}T10:00")) == ()
    case = do(RULES, case, f"{DAY}T09:30", "grade", severity="major")
    (one,) = escalations(RULES, case, as_of=at(f"{DAY}T10:00"))
    assert (one.at, one.cause, one.to, one.what, one.rule) == (
        at(f"{DAY}T09:30"), EscalationCause.LEVEL, "management", "major", "H-15"
    )  # fmt: skip
    assert str(one).endswith("to be told")
    assert escalations(RULES, case, as_of=at(f"{DAY}T09:29")) == ()
    case = do(RULES, case, f"{DAY}T09:40", "alert", level="management")
    case = do(RULES, case, f"{DAY}T09:50", "take_over", role="management", person="coo")
    (one,) = escalations(RULES, case, as_of=at(f"{DAY}T10:00"))
    assert (one.told, one.taken_over, one.is_open) == (at(f"{DAY}T09:40"), "coo", False)


@pytest.mark.rule("H-29")
def test_a_shared_case_has_its_departments_one_lead_and_common_notes() -> None:
    case = received(RULES, "K-1", f"{DAY}T09:00")
    case = do(
        RULES, case, f"{DAY}T10:00", "join", departments=["logistics", "product"], lead="logistics"
    )
    case = do(RULES, case, f"{DAY}T11:00", "remark", content="parts are missing")
    assert (case.known()["departments"], case.known()["lead"]) == (
        ("logistics", "product"), "logistics"
    )  # fmt: skip
    without = RULES.decide(case, act(f"{DAY}T12:00", "join", departments=["a", "b"]))
    assert isinstance(without, Refused)
    assert without.missing == ("lead",)
    assert [x["content"] for x in case.noted(Note.REMARK)] == ["parts are missing"]
    assert RULES.clocks(case, as_of=at("2024-06-20T00:00"))[0].outcome is Outcome.MISSED
