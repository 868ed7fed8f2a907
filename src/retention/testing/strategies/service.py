"""Service desks in use: who waits, what is known of a customer, and sessions step by step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from retention.handovers import Contact, handover_brief
from retention.intake import Entry
from retention.mechanisms.answers import Accepted
from retention.mechanisms.workflows import Act
from retention.sessions import Open, ServiceDesk, ServiceSession
from retention.triage import QueueOrder, Waiting

_START = datetime(2024, 6, 10, 1, tzinfo=UTC)
_WAITS = (0, 1, 45, 59, 60, 61, 299, 300, 301)  # seconds around the usual limits


@st.composite
def waiting_lines(
    draw: DrawFn, order: QueueOrder, *, max_size: int = 12, start: datetime = _START
) -> list[Waiting]:
    """People who wait, each once; several of one tier, urgency and minute.

    >>> from hypothesis import find
    >>> len(find(waiting_lines(QueueOrder(tiers=("gold",))), lambda drawn: len(drawn) == 2))
    2
    """
    urgencies, tiers = (*order.urgencies, "", "unheard_of"), (*order.tiers, "", "unheard_of")
    row = st.tuples(st.integers(0, 3), st.sampled_from(urgencies), st.sampled_from(tiers))
    ids = draw(st.lists(st.text("ab钻12", min_size=1, max_size=3), unique=True, max_size=max_size))
    found = []
    for each in ids:
        minutes, urgency, tier = draw(row)
        found.append(Waiting(each, start + timedelta(minutes=minutes), urgency, tier))
    return found


def contacts(
    customers: SearchStrategy[str | int] | None = None,
    *,
    max_size: int = 8,
    start: datetime = _START,
) -> SearchStrategy[list[Contact]]:
    """Contacts of some customers around an instant, in any order, on any channel.

    >>> from hypothesis import find
    >>> found = find(contacts(), lambda drawn: len(drawn) == 1)
    >>> found[0].customer
    'C-1'
    """
    row = st.builds(
        Contact,
        st.text("abc", min_size=1, max_size=3),
        st.sampled_from(("C-1", "C-2")) if customers is None else customers,
        st.sampled_from(range(-3, 3)).map(lambda n: start + timedelta(minutes=n)),
        st.sampled_from(("app", "phone", "email")),
        text=st.text(max_size=3),
    )
    return st.lists(row, max_size=max_size, unique_by=lambda x: x.id)


@st.composite
def service_sessions(
    draw: DrawFn, desk: ServiceDesk, *, name: str = "S-1", max_steps: int = 6
) -> ServiceSession:
    """A session of a desk: some of its possible steps, seconds apart, around the limits.

    >>> from hypothesis import find
    >>> from retention.presets import ecommerce
    >>> desk = ecommerce.service.desk
    >>> find(service_sessions(desk), lambda drawn: str(drawn.state) == "human").id
    'S-1'
    """
    at = _START + timedelta(minutes=draw(st.integers(0, 3000)))
    channel = draw(st.sampled_from(Entry))
    command = Open(session=name, customer="C-1", channel=channel, at=at)
    session = desk.decide(None, command).or_raise().state
    known = draw(contacts())
    for _ in range(draw(st.integers(0, max_steps))):
        allowed = desk.allowed(session)
        if not allowed:
            break
        at += timedelta(seconds=draw(st.sampled_from(_WAITS)))
        brings = {
            "intent": draw(st.sampled_from((*desk.common, "something_else"))),
            "case": "K-1",
            "case_kind": draw(st.sampled_from(desk.case_kinds)),
        }
        act = Act(draw(st.sampled_from(allowed)), at=at, by="li", brings=brings)
        brief = handover_brief("C-1", known, at=at, zone=desk.zone)
        answer = desk.decide(session, act, brief=brief)
        session = answer.state if isinstance(answer, Accepted) else session
    return session
