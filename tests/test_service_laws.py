"""The laws of the service desk, for our handbooks and for drawn sessions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.handovers import Contact
from retention.presets import customer_operations, ecommerce, new_measures
from retention.sessions import ServiceSession
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
