"""The service desk: one order of the queue, no history lost, and many as one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import cast

from retention.handovers import Contact, handover_brief
from retention.mechanisms.answers import Accepted, Refused
from retention.mechanisms.estimates import Verdict
from retention.mechanisms.periods import AsOf, When, in_utc, zone_of
from retention.mechanisms.workflows import Act
from retention.session_rates import (
    bot_solved_rate,
    bot_solved_rate_of,
    response_rate,
    response_rate_of,
    responses,
)
from retention.sessions import ServiceDesk, ServiceSession, SessionState
from retention.testing.laws.agreement import agree, agree_by_customer
from retention.triage import QueueOrder, Waiting


def the_queue_is_one_order(order: QueueOrder, waiting: Sequence[Waiting]) -> None:
    """The queue does not depend on the order in which people are given, and columns agree.

    Nobody is lost or doubled; who is named earlier in the tables, or has waited longer in the
    same place, is never behind; taking somebody out moves nobody else.

    >>> from datetime import UTC
    >>> at = datetime(2024, 6, 10, 10, tzinfo=UTC)
    >>> the_queue_is_one_order(QueueOrder(), [Waiting("b", at), Waiting("a", at)])
    """
    import numpy as np

    law, case = "the_queue_is_one_order", f"{len(waiting)} who wait"
    queue = [each.id for each in order.sort(waiting)]
    agree(law, case, everybody=sorted(queue), wanted=sorted(each.id for each in waiting))
    agree(law, case, queue=queue, reversed=[x.id for x in order.sort(list(waiting)[::-1])])
    for gone in waiting:
        rest = [x.id for x in order.sort([x for x in waiting if x.id != gone.id])]
        agree(law, f"without {gone.id}", queue=[x for x in queue if x != gone.id], rest=rest)
    for one in waiting:
        for other in waiting:
            if _is_first(order, one, other):
                first = queue.index(one.id) < queue.index(other.id)
                agree(law, f"{one.id} and {other.id}", first=first, wanted=True)
    for rows in (list(waiting), list(waiting)[::-1]):
        since = np.array([_plain(x) for x in rows], "datetime64[us]")
        names, urgencies = [x.id for x in rows], [x.urgency for x in rows]
        found = order.sort_columns(since, urgencies, [x.tier for x in rows], names)
        agree(law, case, queue=queue, columns=[names[row] for row in found])


def _plain(each: Waiting) -> datetime:
    return _utc(each.since).replace(tzinfo=None)


def _is_first(order: QueueOrder, one: Waiting, other: Waiting) -> bool:
    """Whether one is surely before the other: better in urgency, else in tier, else in time."""
    urgencies = _places(order.urgencies, one.urgency, other.urgency)
    tiers = _places(order.tiers, one.tier, other.tier)
    times = _plain(one), _plain(other)
    for mine, yours in (urgencies, tiers, times):
        if mine != yours:
            return mine < yours  # type: ignore[operator]
    return False


def _places(names: Sequence[str], *given: str) -> tuple[int, ...]:
    return tuple(names.index(x) if x in names else len(names) for x in given)


def a_hand_over_loses_no_history(
    desk: ServiceDesk, session: ServiceSession, contacts: Iterable[Contact], *, at: datetime
) -> None:
    """Whatever was known of the customer at the hand-over is in the step, and nobody else's.

    Neither the order of the contacts nor the channel of the session changes the brief; without
    one, or with that of another customer, nothing is handed over.

    >>> from retention.presets import ecommerce
    >>> from retention.sessions import Open
    >>> from datetime import UTC
    >>> at = datetime(2024, 6, 10, 10, tzinfo=UTC)
    >>> command = Open(session="S-1", customer="C-1", channel="app", at=at)
    >>> desk = ecommerce.service.desk
    >>> opened = desk.decide(None, command).or_raise().state
    >>> act = Act("recognise", at=at, by="bot", brings={"intent": "logistics"})
    >>> asked = desk.decide(opened, act).or_raise().state
    >>> a_hand_over_loses_no_history(desk, asked, [Contact("a", "C-1", at)], at=at)
    """
    law, found = "a_hand_over_loses_no_history", list(contacts)
    view = AsOf.at(at, zone_of(desk.zone))
    mine = [x for x in found if x.customer == session.customer and view.knows(x.at)]
    brief = handover_brief(session.customer, found, at=at, zone=desk.zone)
    again = handover_brief(session.customer, found[::-1], at=at, zone=desk.zone)
    agree(law, session.id, brief=brief, in_another_order=again)
    agree(law, session.id, references=sorted(brief.references), known=sorted(x.id for x in mine))
    act = Act("hand_over", at=at, by="bot")
    stranger = handover_brief("somebody else", found, at=at, zone=desk.zone)
    for wrong in (None, stranger):
        answer = desk.decide(session, act, brief=wrong)
        agree(law, session.id, refused=isinstance(answer, Refused), wanted=True)
    answer = desk.decide(session, act, brief=brief)
    possible = session.state is SessionState.BOT and in_utc(at) >= _last(session)
    agree(law, session.id, accepted=isinstance(answer, Accepted), possible=possible)
    if isinstance(answer, Accepted):
        agree(law, session.id, went_along=answer.state.history(), known=brief.references)
        replayed = desk.replay(answer.state.log)
        agree(law, session.id, went_along=replayed.history(), known=brief.references)


def _last(session: ServiceSession) -> datetime:
    return _utc(session.log[-1].at)


def _utc(when: When) -> datetime:
    """The instant itself: a desk takes no dates."""
    return in_utc(cast("datetime", when))


def sessions_one_equals_columns(
    desk: ServiceDesk, sessions: Sequence[ServiceSession], *, as_of: datetime
) -> None:
    """States, answers in time and rates of many sessions are those of each one (H-32, H-34).

    >>> from retention.presets import ecommerce
    >>> from datetime import UTC
    >>> at = datetime(2024, 6, 10, 10, tzinfo=UTC)
    >>> sessions_one_equals_columns(ecommerce.service.desk, [], as_of=at)
    """
    import numpy as np

    law, case = "sessions_one_equals_columns", f"as of {as_of}"
    steps = [(x.id, y.name) for x in sessions for y in x.progress.steps]
    states = desk.workflow.states([x for x, _ in steps], [y for _, y in steps])
    moved = {x.id: x.state for x in sessions if x.progress.steps}
    agree_by_customer(law, case, one=moved, columns={x: states.of(x) for x in moved})
    day = min((date(2024, 1, 1), *(x.opened.on for x in sessions)))
    last = max((date(2024, 1, 1), *(x.opened.on for x in sessions))) + timedelta(days=2)
    for row in desk.clocks_table:
        asked, answered, left = (
            np.array([_first(x, names) for x in sessions], "datetime64[us]")
            for names in (row.starts, row.stops, row.ends)
        )
        one = {x.id: desk.response(x, row.name, as_of=as_of) for x in sessions}
        found = responses(desk, row.name, asked, answered, left, as_of=as_of)
        many = dict(zip((x.id for x in sessions), found.verdicts(), strict=True))
        agree_by_customer(law, f"{row.name} {case}", one=one, columns=many)
        period = {"since": day, "until": last, "as_of": as_of}
        rate = response_rate(desk, row.name, sessions, **period)  # type: ignore[arg-type]
        agree(law, f"{row.name} {case}", one=rate,
              columns=response_rate_of(desk, row.name, asked, answered, left, **period))  # type: ignore[arg-type]  # fmt: skip
        counts = [found.counts()[x] for x in (Verdict.MET, Verdict.MISSED)]
        agree(law, f"{row.name} {case}", counts=sum(counts), rate=rate.estimate.denominator)
    _check_solved(law, desk, [_seen(desk, x, as_of) for x in sessions], day, last, as_of)


def _check_solved(
    law: str,
    desk: ServiceDesk,
    known: Sequence[ServiceSession | None],
    since: date,
    until: date,
    as_of: datetime,
) -> None:
    import numpy as np

    sessions = [x for x in known if x is not None]
    opened = np.array([_first(x, ("received",)) for x in sessions], "datetime64[us]")
    by_bot = [
        bool(x.progress.steps) and x.progress.steps[-1].source is SessionState.BOT for x in sessions
    ]
    columns = bot_solved_rate_of(
        desk, opened, [x.intent for x in sessions], [str(x.state) for x in sessions], by_bot,
        since=since, until=until, as_of=as_of,
    )  # fmt: skip
    one = bot_solved_rate(desk, sessions, since=since, until=until, as_of=as_of)
    agree(law, f"solved by the bot as of {as_of}", one=one, columns=columns)


def _seen(desk: ServiceDesk, session: ServiceSession, as_of: datetime) -> ServiceSession | None:
    """The session as it was known at an instant."""
    known = [x for x in session.log if isinstance(x.at, datetime) and in_utc(x.at) <= in_utc(as_of)]
    return desk.replay(known) if known else None


def _first(session: ServiceSession, names: Sequence[str]) -> datetime | None:
    found = (x.at for x in session.events if x.name in names)
    when = next(found, None)
    return in_utc(when).replace(tzinfo=None) if isinstance(when, datetime) else None
