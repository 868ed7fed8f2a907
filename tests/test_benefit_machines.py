"""The machines of benefits, coupons, referrals and changes equal the catalogue (SM-14 to SM-17)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.coupons import COUPON, CouponState
from retention.mechanisms.answers import Code, Refused
from retention.mechanisms.machines import Machine
from retention.mechanisms.workflows import Workflow
from retention.programme_changes import CHANGE, ChangeState
from retention.redemptions import REDEMPTION, RedemptionState
from retention.referrals import REFERRAL, ReferralState
from retention.testing import acts, laws
from tests import catalogue

# How the words of the catalogue read as commands; None is time.
READS: dict[str, dict[str, str | None]] = {
    "SM-14": {"verify fails": "refuse", "problem": "fail"},
    "SM-15": {"date": None},
    "SM-16": {"invalid": "refuse", "first purchase": "purchase", "grant both": "reward",
              "return": "cancel"},
    "SM-17": {},
}  # fmt: skip
# Names that a bracket of the catalogue writes in other words.
NEEDS = {
    "reason, content, effective time; ≥ 2 channels": {
        "reason", "content", "effective_time", "enough_channels",
    },
    "lead kept, affected members compensated": {"lead_kept", "compensated"},
    "valid code": {"valid_code"},
}  # fmt: skip
MACHINES: dict[str, tuple[Machine[Any, Any], Any]] = {
    "SM-14": (REDEMPTION, RedemptionState.REQUESTED),
    "SM-15": (COUPON, CouponState.GRANTED),
    "SM-16": (REFERRAL, ReferralState.INVITED),
    "SM-17": (CHANGE, ChangeState.DRAFTED),
}


def table_of(number: str) -> tuple[list[str], dict[tuple[str, str | None, str], set[str]]]:
    """States, and the needs of each transition, as the row of the catalogue has them."""
    states, transitions = catalogue.machine(number)
    expected: dict[tuple[str, str | None, str], set[str]] = {}
    for line in transitions:
        if "points returned" in line:  # what a state asks of the ledger is no transition
            continue
        bracket = re.search(r"\[(.*)\]", line)
        text = bracket[1] if bracket else ""
        needs = NEEDS.get(text, set(filter(None, text.split(", "))))
        for source, what, target in catalogue.edges([line.partition(" [")[0]]):
            own = needs
            if number == "SM-17" and what == "withdraw":  # [announced: notice]
                own = {"notice"} if source == "announced" else set()
            expected[source, READS[number].get(what, what), target] = own
    return states, expected


@pytest.mark.rule("SM-14", "SM-15", "SM-16", "SM-17", "X-05")
@pytest.mark.parametrize("number", MACHINES)
def test_a_machine_equals_the_catalogue(number: str) -> None:
    machine, first = MACHINES[number]
    states, expected = table_of(number)
    assert [state.value for state in machine.states] == states
    assert {(x.source, x.command, x.target): set(x.needs) for x in machine.steps} == expected
    commanded = {str(x.command) for x in machine.steps if x.command is not None}
    assert commanded == {str(each) for each in machine.commands}
    assert not machine.unreachable(first)
    assert machine.id == number
    laws.machine_keeps_its_table(machine)


@pytest.mark.rule("SM-14", "SM-15", "SM-16", "SM-17", "X-05")
@pytest.mark.parametrize("number", MACHINES)
def test_every_transition_and_every_refusal(number: str) -> None:
    machine, _ = MACHINES[number]
    _, expected = table_of(number)
    rows = {(source, what): (target, needs) for (source, what, target), needs in expected.items()}
    for trial in machine.matrix():
        row = rows.get((trial.state, trial.command))
        if row is None:
            assert isinstance(trial.answer, Refused)
            assert trial.answer.code is Code.NOT_POSSIBLE
            allowed = {what for source, what in rows if source == trial.state and what}
            assert set(trial.answer.allowed) == allowed
        elif row[1] <= trial.given:
            assert not isinstance(trial.answer, Refused)
            assert trial.answer.target == row[0]
        else:
            assert isinstance(trial.answer, Refused)
            assert set(trial.answer.missing) == row[1]


@given(st.data())
@pytest.mark.parametrize("number", MACHINES)
def test_they_are_kept_in_use_and_in_columns(number: str, data: st.DataObject) -> None:
    machine, first = MACHINES[number]
    flow: Workflow[Any, Any] = Workflow(machine, first)
    done = laws.a_workflow_keeps_its_machine(flow, data.draw(acts(flow)))
    laws.workflow_one_equals_columns(flow, {"a": done.steps})
