"""The two complaint rates: handled in time, and solved for good (I-06, I-07).

Every case falls in one of three groups: met, missed, or still open and not due. The last
decides nothing yet and is counted apart, so a rate never gets better by leaving cases open.
A verdict on one case and the rates of a million use the same policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from retention.mechanisms.choices import member
from retention.mechanisms.errors import InvalidValueError, NaiveInstantError, UnequalColumnsError
from retention.mechanisms.estimates import Estimate, Verdict
from retention.mechanisms.intervals import wilson
from retention.mechanisms.kpis import KpiValue, Target
from retention.mechanisms.periods import checked, day_edge, day_end, in_utc, zone_of
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.words import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


class RateBase(Word):
    """Which cases of a period a rate of timely handling looks at (AMB-24)."""

    RECEIVED = "received", "当期受理"
    COMPLETED = "completed", "当期办结"


def _base(given: RateBase | str) -> RateBase:
    return member(RateBase, given, "base")


def _instant(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    if value is not None and not isinstance(checked(value, attribute.name), datetime):
        raise NaiveInstantError(attribute.name, value, "an aware instant: the limit counts hours")


@frozen
class HandledCase:
    """What the rates need of a case: when it came, when it was completed, whether it was solved.

    ``solved`` is None until somebody confirmed it; a recurrence makes it False.
    """

    received: datetime = field(validator=_instant)
    completed: datetime | None = field(default=None, validator=_instant)
    solved: bool | None = None

    def __attrs_post_init__(self) -> None:
        if self.completed is not None and in_utc(self.completed) < in_utc(self.received):
            raise InvalidValueError("completed", self.completed, f"{self.received} or later")


@policy
class ComplaintRates(Policy):
    """Limits, bases and targets of the two rates.

    >>> from zoneinfo import ZoneInfo
    >>> rates = ComplaintRates(timely=Target(at_least=0.95))
    >>> at = datetime(2024, 6, 10, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
    >>> case = HandledCase(at, at + timedelta(hours=24))
    >>> rates.timely_verdict(case, as_of=at + timedelta(days=2))
    <Verdict.MET: 'met'>
    >>> str(
    ...     rates.timely_rate(
    ...         [case], since=at.date(), until=at.date(), as_of=at + timedelta(days=2)
    ...     )
    ... )
    'complaint_timely 1 (1 of 1), target >= 0.95: met'
    """

    limit_hours: int = 24
    base: RateBase = field(default=RateBase.RECEIVED, converter=_base)
    timely: Target | None = None
    resolved: Target | None = None
    zone: str = "Asia/Shanghai"

    def __attrs_post_init__(self) -> None:
        hours: Any = self.limit_hours
        if isinstance(hours, bool) or not isinstance(hours, int) or hours < 1:
            raise InvalidValueError("ComplaintRates.limit_hours", hours, "whole hours, 1 or more")

    def timely_verdict(self, case: HandledCase, *, as_of: datetime) -> Verdict:
        """Say whether a case was completed in time; open and not yet due is undecided (RC-02)."""
        _instant(None, _AS_OF, as_of)
        limit = in_utc(case.received) + timedelta(hours=self.limit_hours)
        done = case.completed
        if done is not None and in_utc(done) <= in_utc(as_of):
            return Verdict.MET if in_utc(done) <= limit else Verdict.MISSED
        return Verdict.MISSED if in_utc(as_of) > limit else Verdict.UNDECIDED

    def timely_rate(
        self, cases: Iterable[HandledCase], *, since: date, until: date, as_of: datetime
    ) -> KpiValue:
        """Return the share of cases of the dates ``since`` to ``until`` handled in time (I-06).

        Cases that are open and younger than the limit are left out and counted as undecided.
        """
        days = self._bounds(since, until)
        found = [
            self.timely_verdict(case, as_of=as_of)
            for case in cases
            if self._counts(case, days, as_of)
        ]
        groups = (Verdict.MET, Verdict.MISSED, Verdict.UNDECIDED)
        counts = tuple(found.count(group) for group in groups)
        return self._timely(counts, since, until, as_of)

    def timely_rate_of(
        self,
        received: ArrayLike,
        completed: ArrayLike,
        *,
        since: date,
        until: date,
        as_of: datetime,
    ) -> KpiValue:
        """Return the same rate from columns of UTC instants; NaT where a case is open."""
        met, missed, undecided = self.timely_verdicts(received, completed, as_of=as_of)
        start, end = self._bounds(since, until)
        came, done = _micros(received), _micros(completed)
        looked = came if self.base is RateBase.RECEIVED else done
        mine = (looked >= start) & (looked < end) & (came <= _number(as_of))
        if self.base is RateBase.COMPLETED:
            mine &= (done <= _number(as_of)) & (done != _NEVER)
        counts = tuple(int((x & mine).sum()) for x in (met, missed, undecided))
        return self._timely(counts, since, until, as_of)

    def timely_verdicts(
        self, received: ArrayLike, completed: ArrayLike, *, as_of: datetime
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """Say for columns of cases which met the limit, missed it, or are not decided."""
        came, done = _micros(received), _micros(completed)
        if len(came) != len(done):
            raise UnequalColumnsError("cases", {"received": len(came), "completed": len(done)})
        now, limit = _number(as_of), came + self.limit_hours * 3_600_000_000
        completed_by_now = (done != _NEVER) & (done <= now)
        met = completed_by_now & (done <= limit)
        missed = (completed_by_now & (done > limit)) | (~completed_by_now & (now > limit))
        return met, missed, ~(met | missed)

    def resolved_rate(
        self, cases: Iterable[HandledCase], *, since: date, until: date, as_of: datetime
    ) -> KpiValue:
        """Return the share of cases received in a period that were solved for good (I-07).

        A completed case that nobody confirmed is not solved; an open one is undecided while it
        is younger than the limit.
        """
        start, end = self._bounds(since, until)
        mine = [
            x
            for x in cases
            if start <= _number(x.received) < end and in_utc(x.received) <= in_utc(as_of)
        ]
        decided = [x for x in mine if self.timely_verdict(x, as_of=as_of) is not Verdict.UNDECIDED]
        share = Estimate(sum(x.solved is True for x in decided), len(decided))
        definition = "complaints received in the period that were thoroughly solved"
        return KpiValue(
            "complaint_resolved",
            definition,
            share,
            interval=wilson(share),
            since=since,
            until=until,
            as_of=as_of,
            undecided=len(mine) - len(decided),
            target=self.resolved,
        )

    def _timely(
        self, counts: tuple[int, ...], since: date, until: date, as_of: datetime
    ) -> KpiValue:
        met, missed, undecided = counts
        share = Estimate(met, met + missed)
        definition = f"complaints {self.base} in the period and completed <= {self.limit_hours} h"
        return KpiValue(
            "complaint_timely",
            definition,
            share,
            interval=wilson(share),
            since=since,
            until=until,
            as_of=as_of,
            undecided=undecided,
            target=self.timely,
        )

    def _counts(self, case: HandledCase, days: tuple[int, int], as_of: datetime) -> bool:
        if in_utc(case.received) > in_utc(as_of):
            return False
        when = case.received if self.base is RateBase.RECEIVED else case.completed
        if when is None or in_utc(when) > in_utc(as_of):
            return False
        return days[0] <= _number(when) < days[1]

    def _bounds(self, since: date, until: date) -> tuple[int, int]:
        if until < since:
            raise InvalidValueError("until", until, f"{since} or later")
        zone = zone_of(self.zone)
        return _number(day_edge(since, zone)), _number(day_end(until, zone))


@frozen
class _Named:
    name: str


_AS_OF = _Named("as_of")
_NEVER = -(2**63)  # how numpy writes NaT


def _number(when: datetime) -> int:
    return (in_utc(when) - _EPOCH) // _MICRO


def _micros(column: ArrayLike) -> NDArray[np.int64]:
    import numpy as np

    return np.asarray(column, "datetime64[us]").astype(np.int64)
