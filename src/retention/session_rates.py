"""Rates of the service desk: answered in time, and solved by the bot (H-32, H-34).

A session is met, missed, or not decided: whoever still waits inside the limit, or left in
time, decides nothing and is counted apart. One session and a million from columns use the
same rows of the desk. States of many sessions are ``ServiceDesk.workflow.states``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from attrs import field, frozen

from retention.mechanisms.answers import Problem
from retention.mechanisms.clocks import ClockTerms
from retention.mechanisms.errors import (
    InvalidValueError,
    UnequalColumnsError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.estimates import Estimate, Verdict
from retention.mechanisms.intervals import wilson
from retention.mechanisms.kpis import KpiValue, Target
from retention.mechanisms.obligations import Within
from retention.mechanisms.periods import checked, day_edge, day_end, in_utc, zone_of
from retention.sessions import ServiceDesk, ServiceSession, SessionCommand, SessionState

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Times = NDArray[np.datetime64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_UTC = "datetime64[us] instants in UTC"
_GROUPS = (Verdict.MET, Verdict.MISSED, Verdict.UNDECIDED)


@frozen(eq=False)
class ResponseColumns:
    """What many sessions say of one clock, a row each; False in all where it never started."""

    met: NDArray[np.bool_] = field(repr=False)
    missed: NDArray[np.bool_] = field(repr=False)
    undecided: NDArray[np.bool_] = field(repr=False)
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        """Return the number of sessions."""
        return len(self.met)

    def verdicts(self) -> list[Verdict | None]:
        """Return one verdict a row, None where the clock never started."""
        rows = zip(self.met.tolist(), self.missed.tolist(), self.undecided.tolist(), strict=True)
        return [next((g for g, x in zip(_GROUPS, row, strict=True) if x), None) for row in rows]

    def counts(self) -> dict[Verdict, int]:
        """Return how many sessions met the limit, missed it, or are not decided."""
        masks = (self.met, self.missed, self.undecided)
        return {each: int(mask.sum()) for each, mask in zip(_GROUPS, masks, strict=True)}


def responses(
    desk: ServiceDesk,
    clock: str,
    asked: ArrayLike,
    answered: ArrayLike,
    left: ArrayLike,
    *,
    as_of: datetime,
) -> ResponseColumns:
    """Say for columns of sessions who was answered in time (H-32).

    Columns are UTC instants, NaT where nothing happened: when the clock started (the opening
    for the bot, the hand-over for a person), the answer, and when the customer left.

    >>> import numpy as np
    >>> from retention.presets import ecommerce
    >>> asked = np.array(["2024-06-10T10:00:00"] * 2, "datetime64[s]")
    >>> never = np.full(2, "NaT", "datetime64[s]")
    >>> done = np.array(["2024-06-10T10:05:00", "2024-06-10T10:05:01"], "datetime64[s]")
    >>> now = datetime(2024, 6, 11, tzinfo=UTC)
    >>> desk = ecommerce.service.desk
    >>> found = responses(desk, "human_response", asked, done, never, as_of=now)
    >>> [str(x) for x in found.verdicts()]
    ['met', 'missed']
    """
    import numpy as np

    from retention.mechanisms.clock_columns import OUTCOMES, ClockRows
    from retention.mechanisms.obligations import Outcome

    start, done, gone = _columns(asked, answered, left)
    now = np.datetime64(_number(as_of), "us")
    known = ~np.isnat(start) & (start <= now)
    done, gone = (np.where(x <= now, x, np.datetime64("NaT")) for x in (done, gone))
    replied = ~np.isnat(done) & (np.isnat(gone) | (done <= gone))
    rows = ClockRows(start[known], np.where(replied, done, gone)[known])
    found = terms_of(desk, clock).reads(rows, as_of=as_of)
    codes = np.full(len(start), len(OUTCOMES), np.intp)
    codes[known] = np.minimum(found.outcomes, len(OUTCOMES))
    in_time = codes == OUTCOMES.index(Outcome.ON_TIME)
    late = (codes == OUTCOMES.index(Outcome.LATE)) | (codes == OUTCOMES.index(Outcome.MISSED))
    waits = codes == OUTCOMES.index(Outcome.DUE)
    places = np.flatnonzero(known)
    problems = tuple(
        Problem(x.code, tuple(int(places[row]) for row in x.rows), x.given, x.allowed)
        for x in found.problems
    )
    return ResponseColumns(in_time & replied, late, waits | (in_time & ~replied), problems)


def terms_of(desk: ServiceDesk, clock: str) -> ClockTerms:
    """Return the budget and hours of a clock of the desk."""
    row = desk.clock(clock)
    if not isinstance(row.limit, Within):
        raise WrongTypeError(f"clock {clock}.limit", row.limit, "hours or minutes")
    return row.terms


def response_rate(
    desk: ServiceDesk,
    clock: str,
    sessions: Iterable[ServiceSession],
    *,
    since: date,
    until: date,
    as_of: datetime,
    target: Target | None = None,
) -> KpiValue:
    """Return the share of sessions of some dates that were answered in time (H-32).

    A session belongs to the local date on which its clock started.
    """
    begin, end = _bounds(desk, since, until)
    row = desk.clock(clock)
    found: list[Verdict | None] = []
    for session in sessions:
        runs = row.runs(session.events)
        started = runs[-1].started if runs else None
        if isinstance(started, datetime) and begin <= _number(started) < end:
            found.append(desk.response(session, clock, as_of=as_of))
    counts = {each: found.count(each) for each in _GROUPS}
    return _rate(clock, desk, counts, (since, until, as_of), target)


def response_rate_of(  # noqa: PLR0913  a figure has so many sides
    desk: ServiceDesk,
    clock: str,
    asked: ArrayLike,
    answered: ArrayLike,
    left: ArrayLike,
    *,
    since: date,
    until: date,
    as_of: datetime,
    target: Target | None = None,
) -> KpiValue:
    """Return the same rate from columns; rows with a problem are left out."""
    begin, end = _bounds(desk, since, until)
    start, done, gone = _columns(asked, answered, left)
    numbers = start.astype("int64")
    mine = (numbers >= begin) & (numbers < end)
    found = responses(desk, clock, start[mine], done[mine], gone[mine], as_of=as_of)
    return _rate(clock, desk, found.counts(), (since, until, as_of), target)


def bot_solved(desk: ServiceDesk, session: ServiceSession, *, as_of: datetime) -> Verdict | None:
    """Say whether the bot solved a common question (H-34); None if it was not one.

    Handed over, or left while the bot had it: not solved. Still with the bot: not decided.
    """
    steps = [x for x in session.progress.steps if in_utc(_aware(x.at)) <= in_utc(as_of)]
    intents = [x["intent"] for x in steps if x.name is SessionCommand.RECOGNISE]
    if not intents or intents[-1] not in desk.common:
        return None
    after = next((x for x in steps if x.source is SessionState.BOT), None)
    if after is None:
        return Verdict.UNDECIDED
    return Verdict.MET if after.target is SessionState.RESOLVED else Verdict.MISSED


def bot_solved_rate(
    desk: ServiceDesk,
    sessions: Iterable[ServiceSession],
    *,
    since: date,
    until: date,
    as_of: datetime,
) -> KpiValue:
    """Return the share of common questions that the bot solved, of sessions of some dates (H-34).

    >>> from retention.presets import ecommerce
    >>> day = date(2024, 6, 10)
    >>> now = datetime(2024, 6, 11, tzinfo=UTC)
    >>> str(bot_solved_rate(ecommerce.service.desk, [], since=day, until=day, as_of=now))
    'bot_solved no value (0 of 0), target >= 0.8: undecided'
    """
    begin, end = _bounds(desk, since, until)
    mine = [x for x in sessions if begin <= _number(_aware(x.opened.at)) < end]
    found = [bot_solved(desk, session, as_of=as_of) for session in mine]
    met, missed, undecided = (found.count(each) for each in _GROUPS)
    return _solved(desk, (met, missed, undecided), (since, until, as_of))


def bot_solved_rate_of(
    desk: ServiceDesk,
    opened: ArrayLike,
    intent: ArrayLike,
    state: ArrayLike,
    by_bot: ArrayLike,
    *,
    since: date,
    until: date,
    as_of: datetime,
) -> KpiValue:
    """Return the same rate from columns of what is known at ``as_of``.

    ``intent`` is empty where none was recognised, ``state`` a state of the table, ``by_bot``
    says that the bot had the session last.
    """
    import numpy as np

    begin, end = _bounds(desk, since, until)
    start, topic = _times(opened, "opened"), np.asarray(intent).astype(str)
    at, bot = np.asarray(state).astype(str), np.asarray(by_bot, bool)
    sizes = {"opened": len(start), "intent": len(topic), "state": len(at), "by_bot": len(bot)}
    if len(set(sizes.values())) > 1:
        raise UnequalColumnsError("sessions", sizes)
    names = [str(x) for x in SessionState]
    if (strange := ~np.isin(at, names)).any():
        raise UnknownNameError("state", str(at[strange][0]), names)
    numbers = start.astype("int64")
    mine = (numbers >= begin) & (numbers < end) & (numbers <= _number(as_of))
    mine &= np.isin(topic, list(desk.common)) & (at != SessionState.OPENED)
    met = mine & bot & (at == SessionState.RESOLVED)
    undecided = mine & (at == SessionState.BOT)
    missed = mine & ~met & ~undecided
    counts = (int(met.sum()), int(missed.sum()), int(undecided.sum()))
    return _solved(desk, counts, (since, until, as_of))


# --- what both have in common -------------------------------------------------------------------


def _rate(
    clock: str,
    desk: ServiceDesk,
    counts: dict[Verdict, int],
    times: tuple[date, date, datetime],
    target: Target | None,
) -> KpiValue:
    share = Estimate(counts[Verdict.MET], counts[Verdict.MET] + counts[Verdict.MISSED])
    definition = f"sessions answered within {desk.clock(clock).target.budget} (h:mm:ss)"
    return _kpi(clock, definition, share, counts[Verdict.UNDECIDED], times, target)


def _solved(
    desk: ServiceDesk, counts: tuple[int, int, int], times: tuple[date, date, datetime]
) -> KpiValue:
    met, missed, undecided = counts
    definition = "common questions of the period that the bot solved"
    share = Estimate(met, met + missed)
    return _kpi("bot_solved", definition, share, undecided, times, desk.bot_solved)


def _kpi(
    name: str,
    definition: str,
    share: Estimate,
    undecided: int,
    times: tuple[date, date, datetime],
    target: Target | None,
) -> KpiValue:
    since, until, as_of = times
    return KpiValue(
        name,
        definition,
        share,
        interval=wilson(share),
        since=since,
        until=until,
        as_of=as_of,
        undecided=undecided,
        target=target,
    )


def _bounds(desk: ServiceDesk, since: date, until: date) -> tuple[int, int]:
    if until < since:
        raise InvalidValueError("until", until, f"{since} or later")
    zone = zone_of(desk.zone)
    return _number(day_edge(since, zone)), _number(day_end(until, zone))


def _aware(when: object) -> datetime:
    if not isinstance(when, datetime):
        raise WrongTypeError("at", when, "an aware instant, since sessions count seconds")
    return when


def _number(when: datetime) -> int:
    return (in_utc(_aware(checked(when, "as_of"))) - _EPOCH) // _MICRO


def _columns(asked: ArrayLike, answered: ArrayLike, left: ArrayLike) -> tuple[Times, Times, Times]:
    start, done, gone = _times(asked, "asked"), _times(answered, "answered"), _times(left, "left")
    if len({len(start), len(done), len(gone)}) > 1:
        sizes = {"asked": len(start), "answered": len(done), "left": len(gone)}
        raise UnequalColumnsError("sessions", sizes)
    return start, done, gone


def _times(column: ArrayLike, where: str) -> Times:
    import numpy as np

    found = np.asarray(column)
    if found.dtype.kind != "M" and len(found):
        raise WrongTypeError(where, str(found.dtype), _UTC)
    return found.astype("datetime64[us]")
