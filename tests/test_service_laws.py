"""The laws of the service desk, for our handbooks and for drawn sessions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.handovers import Contact
from retention.mechanisms.estimates import Verdict
from retention.mechanisms.workflows import Act
from retention.presets import customer_operations, ecommerce, new_measures
from retention.sessions import Open, ServiceDesk, ServiceSession
from retention.testing import contacts, laws, service_sessions, waiting_lines
from retention.triage import QueueOrder, Waiting

DESK = ecommerce.service.desk
START = datetime(2024, 6, 10, 1, tzinfo=UTC)
ORDERS = [x.service.queue for x in (customer_operations, ecommerce, new_measures)]


@pytest.mark.rule("H-36")
@given(st.sampled_from(ORDERS).flatmap(lambda x: st.tuples(st.just(x), waiting_lines(x))))
def test_the_queue_is_one_order(drawn: tuple[QueueOrder, list[Waiting]]) -> None:
    laws.the_queue_is_one_order(*drawn)


@pytest.mark.rule("H-33")
@given(service_sessions(DESK), contacts(), st.integers(-60, 4000))
def test_a_hand_over_loses_no_history(
    session: ServiceSession, known: list[Contact], minutes: int
) -> None:
    at = START + timedelta(minutes=minutes)
    laws.a_hand_over_loses_no_history(DESK, session, known, at=at)


@given(
    st.integers(0, 5).flatmap(
        lambda n: st.tuples(*(service_sessions(DESK, name=f"S-{k}") for k in range(n)))
    ),
    st.integers(-60, 3600 * 60),
)
def test_one_session_equals_many(sessions: tuple[ServiceSession, ...], seconds: int) -> None:
    laws.sessions_one_equals_columns(DESK, sessions, as_of=START + timedelta(seconds=seconds))


# --- a law that nothing breaks says nothing -------------------------------------------------------


class ByReference(QueueOrder):
    """A queue that forgets who has waited longer."""

    def sort(self, waiting: Iterable[Waiting]) -> tuple[Waiting, ...]:
        return tuple(sorted(waiting, key=lambda each: each.id))


def test_a_queue_that_forgets_the_time_breaks_the_law() -> None:
    people = [Waiting("a", START + timedelta(minutes=1)), Waiting("b", START)]
    with pytest.raises(AssertionError, match="the_queue_is_one_order"):
        laws.the_queue_is_one_order(ByReference(), people)


def fields_of(desk: ServiceDesk) -> dict[str, Any]:
    found = {x.alias or x.name: getattr(desk, x.name) for x in attrs.fields(ServiceDesk)}
    return {name: value for name, value in found.items() if name != "sources"}


class Forgetful(ServiceDesk):
    """A desk that hands over with the newest contact alone."""

    def decide(self, session: Any, command: Any, **more: Any) -> Any:  # noqa: ANN401
        brief = more.get("brief")
        if brief is not None:
            more["brief"] = attrs.evolve(brief, history=brief.history[-1:])
        return super().decide(session, command, **more)


def test_a_desk_that_loses_history_breaks_the_law() -> None:
    desk = Forgetful(**fields_of(DESK))
    command = Open(session="S-1", customer="C-1", channel="app", at=START)
    opened = desk.decide(None, command).or_raise().state
    act = Act("recognise", at=START, by="bot", brings={"intent": "logistics"})
    with_bot = desk.decide(opened, act).or_raise().state
    known = [Contact("a", "C-1", START), Contact("b", "C-1", START)]
    laws.a_hand_over_loses_no_history(DESK, with_bot, known, at=START)
    with pytest.raises(AssertionError, match="a_hand_over_loses_no_history"):
        laws.a_hand_over_loses_no_history(desk, with_bot, known, at=START)


class Lenient(ServiceDesk):
    """A desk whose singular answer knows no limit."""

    def response(self, session: ServiceSession, clock: str, *, as_of: datetime) -> Verdict | None:
        found = super().response(session, clock, as_of=as_of)
        return Verdict.MET if found is Verdict.MISSED else found


def test_a_desk_whose_columns_differ_breaks_the_law() -> None:
    desk = Lenient(**fields_of(DESK))
    command = Open(session="S-1", customer="C-1", channel="app", at=START)
    opened = desk.decide(None, command).or_raise().state
    with pytest.raises(AssertionError, match="sessions_one_equals_columns"):
        laws.sessions_one_equals_columns(desk, [opened], as_of=START + timedelta(hours=1))
