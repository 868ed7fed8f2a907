"""Workflows: refusals, repeated keys, the order of time, replay, and many in columns."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.mechanisms.answers import Accepted, Code, Problem, Refused
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    NaiveInstantError,
    UnequalColumnsError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.machines import Machine
from retention.mechanisms.periods import When
from retention.mechanisms.words import Word
from retention.mechanisms.workflows import Act, Progress, Taken, Workflow
from retention.testing import acts, laws, machines
from tests.refusals import refused

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Parcel(Word):
    PACKED = "packed", "已打包"
    SENT = "sent", "已寄出"
    OPENED = "opened", "已打开"
    LOST = "lost", "丢失"


class Do(Word):
    SEND = "send", "寄出"
    OPEN = "open", "打开"
    RESEND = "resend", "重寄"


TABLE = """
    packed -send-> sent [address, weighed]
    sent   -open-> opened
    sent   ->      lost (after a month)
    opened -resend-> packed [clerk]
"""
MACHINE = Machine("parcel", Parcel, Do, TABLE)
POST = Workflow(MACHINE, Parcel.PACKED, judged=("weighed",))
DAY = date(2024, 5, 6)
START = POST.start("p-1")


def send(**more: Any) -> Act[Do]:  # noqa: ANN401  fields of an act
    given: dict[str, Any] = {"at": DAY, "by": "li", "brings": {"address": "Road 5"}}
    return Act(Do.SEND, **(given | more))


SENT = POST.decide(START, send(key="k-1"), holds=["weighed"]).or_raise()


@pytest.mark.rule("X-05")
def test_an_act_is_taken_when_the_table_has_a_row_and_its_names_are_there() -> None:
    (step,) = SENT.facts
    assert step == Taken(
        Do.SEND, Parcel.PACKED, Parcel.SENT, at=DAY, by="li", on=DAY, key="k-1",
        brings={"address": "Road 5"},
    )  # fmt: skip
    assert (SENT.state.state, SENT.state.steps, SENT.state.sequence) == (Parcel.SENT, (step,), 1)
    assert START.state is Parcel.PACKED  # the old value stays
    assert (START.last, SENT.state.last, SENT.state.when(Parcel.SENT)) == (None, step, step)
    assert SENT.state.when(Parcel.LOST) is None
    assert (SENT.state.get("address"), SENT.state.get("colour", "none")) == ("Road 5", "none")


@pytest.mark.rule("X-05")
@pytest.mark.parametrize(
    ("state", "act", "holds", "text"),
    [
        (START, Act(Do.OPEN, at=DAY, by="li"), (),
         "open while packed: not possible; allowed now: send"),
        (START, send(brings={}), ("weighed",),
         "send while packed: names missing (address); allowed now: send"),
        (START, send(brings={}), (),
         "send while packed: names missing (address, weighed); allowed now: send"),
        # a condition that only the area finds true is not brought by saying so
        (START, send(brings={"address": "Road 5", "weighed": True}), (),
         "send while packed: names missing (weighed); allowed now: send"),
        (START, send(role="weighed"), (),
         "send while packed: names missing (weighed); allowed now: send"),
        (SENT.state, Act(Do.OPEN, at=date(2024, 5, 5), by="li"), (),
         "open while sent: names missing (later_time); allowed now: open"),
    ],
    ids=["no row", "no name", "two names", "a condition claimed", "a role claimed", "earlier"],
)  # fmt: skip
def test_a_refusal_names_everything_and_changes_nothing(
    state: Progress[Parcel, Do], act: Act[Do], holds: tuple[str, ...], text: str
) -> None:
    before = attrs.evolve(state)
    answer = POST.decide(state, act, holds=holds)
    assert isinstance(answer, Refused)
    assert str(answer) == text
    assert state == before
    assert answer.allowed == POST.allowed(state)


def test_all_that_is_missing_is_said_at_once() -> None:
    late = POST.decide(SENT.state, Act(Do.OPEN, at=DAY, by="li")).or_raise().state
    answer = POST.decide(
        late, Act(Do.RESEND, at=date(2024, 1, 1), by="li"), missing=["signature", "clerk"]
    )
    assert isinstance(answer, Refused)
    assert (answer.code, answer.missing) == (
        Code.NAMES_MISSING, ("clerk", "signature", "later_time"),
    )  # fmt: skip
    role = Act(Do.RESEND, at=DAY, by="li", role="clerk")
    assert POST.decide(late, role).or_raise().facts[0].role == "clerk"
    assert str(POST.decide(late, role, missing=["signature"])) == (
        "resend while opened: names missing (signature); allowed now: resend"
    )


@pytest.mark.parametrize(
    ("value", "there"),
    [(0, True), (False, False), (None, False), ("", False), ((), False), ([], False),
     ("x", True), (True, True), ([0], True), (0.0, True)],
    ids=repr,
)  # fmt: skip
def test_nothing_under_a_name_is_not_brought_but_a_zero_is(value: object, there: bool) -> None:
    act = send(brings={"address": value})
    assert ("address" in act.names) is there
    assert isinstance(POST.decide(START, act, holds=["weighed"]), Accepted) is there


def test_what_is_brought_stays_as_it_was() -> None:
    rows = [["a", 1], ["b", 2]]
    act = send(brings={"rows": rows, "address": "x"})
    rows[0].append("later")
    assert act["rows"] == (("a", 1), ("b", 2))
    assert act == send(brings=[("address", "x"), ("rows", (("a", 1), ("b", 2)))])
    assert hash(act) == hash(send(brings=act.brings))
    assert act.get("nothing") is None
    with refused(UnknownNameError, "brings", given="nothing", allowed=["address", "rows"]):
        act["nothing"]
    with refused(DuplicateError, "brings", given="address"):
        send(brings=[("address", 1), ("address", 2)])
    for value in ({"street": "Road"}, {1, 2}):
        with refused(WrongTypeError, "brings.address", given=value):
            send(brings={"address": value})


@pytest.mark.rule("K-14")
def test_an_act_says_who_and_when() -> None:
    with refused(InvalidValueError, "by"):
        send(by="")
    with refused(NaiveInstantError, "at"):
        send(at=datetime(2024, 5, 6))
    with refused(InvalidValueError, "id"):
        POST.start("")


def test_an_unknown_command_is_an_error() -> None:
    strange: Any = "burn"
    with refused(UnknownNameError, "act", given="burn", allowed=["send", "open", "resend"]):
        POST.decide(START, Act(strange, at=DAY, by="li"))
    by_code: Any = Act("send", at=DAY, by="li", brings={"address": "x"})
    assert POST.decide(START, by_code, holds=["weighed"]).or_raise().facts[0].name is Do.SEND
    with refused(
        UnknownNameError, "Workflow.judged, machine parcel", given="signature",
        allowed=["address", "clerk", "weighed"],
    ):  # fmt: skip
        POST.with_("judged", ("signature",))


def test_a_key_that_comes_again_repeats_the_answer() -> None:
    later = send(key="k-1", at=date(2024, 5, 9))
    again = POST.decide(SENT.state, later, earlier=SENT.facts)
    assert isinstance(again, Accepted)
    assert (again.state, again.facts) == (SENT.state, SENT.facts)
    for other in (
        send(key="k-1", by="wu"),
        send(key="k-1", role="clerk"),
        send(key="k-1", brings={"address": "Road 6"}),
        Act(Do.OPEN, at=DAY, by="li", key="k-1"),
    ):
        no = POST.decide(SENT.state, other, earlier=SENT.facts)
        assert isinstance(no, Refused)
        assert (no.code, no.given[0]) == (Code.KEY_REUSED, Parcel.SENT)
    # without a key, and with an unused one, it is judged again
    for key in ("", "k-2"):
        assert isinstance(POST.decide(SENT.state, send(key=key), earlier=SENT.facts), Refused)


@pytest.mark.parametrize(
    ("first", "then", "taken"),
    [
        (date(2024, 5, 6), date(2024, 5, 6), True),
        (date(2024, 5, 6), date(2024, 5, 5), False),
        (datetime(2024, 5, 6, 9, tzinfo=SHANGHAI), datetime(2024, 5, 6, 9, tzinfo=SHANGHAI), True),
        (datetime(2024, 5, 6, 9, tzinfo=SHANGHAI), datetime(2024, 5, 6, 8, 59, tzinfo=SHANGHAI),
         False),
        # 17:00 in London is the next day in Shanghai
        (datetime(2024, 5, 6, 17, tzinfo=UTC), date(2024, 5, 7), True),
        (datetime(2024, 5, 6, 17, tzinfo=UTC), date(2024, 5, 6), False),
        (date(2024, 5, 7), datetime(2024, 5, 6, 17, tzinfo=UTC), True),
        (date(2024, 5, 7), datetime(2024, 5, 6, 15, 59, tzinfo=UTC), False),
    ],
    ids=str,
)  # fmt: skip
def test_no_step_is_dated_before_the_one_that_it_follows(
    first: When, then: When, taken: bool
) -> None:
    sent = POST.decide(START, send(at=first), holds=["weighed"]).or_raise().state
    answer = POST.decide(sent, Act(Do.OPEN, at=then, by="li"))
    assert isinstance(answer, Accepted) is taken


def test_an_hour_that_comes_twice_is_ordered_by_utc() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    post = attrs.evolve(POST, zone="Europe/Berlin")
    early = datetime(2024, 10, 27, 2, 50, tzinfo=berlin)
    late = datetime(2024, 10, 27, 2, 10, fold=1, tzinfo=berlin)
    sent = post.decide(START, send(at=early), holds=["weighed"]).or_raise().state
    assert isinstance(post.decide(sent, Act(Do.OPEN, at=late, by="li")), Accepted)
    sent = post.decide(START, send(at=late), holds=["weighed"]).or_raise().state
    assert isinstance(post.decide(sent, Act(Do.OPEN, at=early, by="li")), Refused)


def test_replay_needs_nothing_but_the_steps() -> None:
    assert POST.replay("p-1", []) == START
    assert POST.replay("p-1", iter(SENT.facts)) == SENT.state


def test_a_workflow_is_a_value_with_the_rows_of_its_machine() -> None:
    other = Workflow(Machine("parcel", Parcel, Do, TABLE.replace("[clerk]", "")), Parcel.PACKED)
    same = Workflow(Machine("parcel", Parcel, Do, TABLE), Parcel.PACKED)
    assert other.fingerprint() != same.fingerprint()
    assert same.fingerprint() == Workflow(MACHINE, Parcel.PACKED).fingerprint()


# --- many in columns ------------------------------------------------------------------------------


def test_the_states_of_many_come_from_columns() -> None:
    found = POST.states(
        ["c", "a", "c", "b", "c", "a"], ["send", "send", "open", "open", "open", "open"]
    )
    assert found.entities.tolist() == ["a", "b", "c"]
    assert [found.of(x) for x in "abc"] == [Parcel.OPENED, Parcel.PACKED, Parcel.OPENED]
    assert found.counts() == {"packed": 1, "sent": 0, "opened": 2, "lost": 0}
    assert found.to_columns()["state"].tolist() == ["opened", "packed", "opened"]
    assert found.problems == (
        Problem(Code.NOT_POSSIBLE, (3,), "open while packed", "send"),
        Problem(Code.NOT_POSSIBLE, (4,), "open while opened", "resend"),
    )
    with refused(UnknownNameError, "entity", given="z"):
        found.of("z")


def test_commands_in_columns_are_judged_by_what_they_bring() -> None:
    given: dict[str, Any] = {"address": [True, True, False], "weighed": True}
    found = POST.states(np.array([7, 5, 6]), [Do.SEND] * 3, given)
    assert found.to_columns()["state"].tolist() == ["sent", "packed", "sent"]
    assert found.problems == (
        Problem(Code.NAMES_MISSING, (2,), "send while packed, which needs address", "send"),
    )


def test_no_steps_and_unequal_columns() -> None:
    nothing = POST.states([], [])
    assert (len(nothing.entities), nothing.problems) == (0, ())
    assert set(nothing.counts().values()) == {0}
    with refused(UnequalColumnsError, "states", given={"entities": 2, "commands": 1}):
        POST.states(["a", "b"], ["send"])
    with refused(UnknownNameError, "commands", given="burn"):
        POST.states(["a"], ["burn"])


@given(acts(POST), st.sampled_from([(), ("weighed",)]))
def test_the_post_keeps_its_machine(found: list[Act[Do]], holds: tuple[str, ...]) -> None:
    laws.a_workflow_keeps_its_machine(POST, found, holds=holds)


@given(st.data())
def test_every_workflow_keeps_its_machine_one_and_many(data: st.DataObject) -> None:
    machine = data.draw(machines())
    flow = Workflow(machine, next(iter(machine.states)))
    steps = {}
    for who in data.draw(st.sets(st.sampled_from("abc"))):
        done = laws.a_workflow_keeps_its_machine(flow, data.draw(acts(flow)))
        steps[who] = done.steps
    laws.workflow_one_equals_columns(flow, steps)


class Lax(Workflow[Any, Any]):
    """One that forgets what it needs."""

    def decide(self, progress: Any, act: Any, **more: Any) -> Any:  # noqa: ANN401
        return super().decide(progress, act, **(more | {"holds": {"address", "weighed", "clerk"}}))


class Rewriting(Workflow[Any, Any]):
    """One that makes the facts again when a key comes twice."""

    def decide(self, progress: Any, act: Any, **more: Any) -> Any:  # noqa: ANN401
        return super().decide(progress, act, **(more | {"earlier": ()}))


@pytest.mark.parametrize(
    ("flow", "text"),
    [(Lax, "has what it needs says False, wanted says True"), (Rewriting, "again says False")],
)
def test_a_broken_workflow_breaks_the_law(flow: Any, text: str) -> None:  # noqa: ANN401
    with pytest.raises(AssertionError, match=text):
        laws.a_workflow_keeps_its_machine(
            flow(MACHINE, Parcel.PACKED), [send(brings={"address": "x", "weighed": "y"}),
                                           Act(Do.OPEN, at=DAY, by="li"),
                                           Act(Do.RESEND, at=DAY, by="li")],
        )  # fmt: skip
