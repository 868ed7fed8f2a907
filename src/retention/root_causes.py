"""Root causes: what a period's cases were about, which few matter, and what comes back.

The monthly summary, the regular analysis and the archive are made from one record a case
(H-09, H-24, H-27, H-28). Shares are exact and the 80 % are compared in whole numbers. What is
done about a finding is decided in ``improvements``; texts of people are not looked at here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from retention.cases import FeedbackCase
from retention.feedback import Feedback, Route
from retention.intake import FeedbackKind
from retention.mechanisms.acts import timed
from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.choices import member
from retention.mechanisms.errors import InvalidValueError, UnequalColumnsError
from retention.mechanisms.estimates import Change, Estimate
from retention.mechanisms.periods import When, local_date, plus_months, zone_of
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.tables import (
    Column,
    Head,
    Shown,
    Table,
    count_text,
    figures,
    share_text,
)
from retention.mechanisms.words import Language, Word

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_DAY = timedelta(days=1)


class RankedBy(Word, zh="分析维度"):
    """By what the cases of a period are ranked (H-24, H-27, H-28)."""

    CAUSE = "cause", "原因"
    TOPIC = "topic", "主题"
    KIND = "kind", "类型"
    PRODUCT = "product", "产品"
    CHANNEL = "channel", "渠道"


class RecursFor(Word, zh="复发对象"):
    """For whom or what the same cause comes back."""

    CUSTOMER = "customer", "客户"
    PRODUCT = "product", "产品"


# --- the record of a case -------------------------------------------------------------------------


@frozen
class CaseRecord:
    """What stays of a case for analysis and archive: codes, times and the result (H-24)."""

    case: str
    customer: str | int
    received: When = field(validator=timed)
    kind: str = field(default="", kw_only=True)
    channel: str = field(default="", kw_only=True)
    topic: str = field(default="", kw_only=True)
    cause: str = field(default="", kw_only=True)
    product: str = field(default="", kw_only=True)
    level: str = field(default="", kw_only=True)
    department: str = field(default="", kw_only=True)
    state: str = field(default="", kw_only=True)
    completed: When | None = field(default=None, kw_only=True)
    solved: bool | None = field(default=None, kw_only=True)
    rating: int | None = field(default=None, kw_only=True)
    result: str = field(default="", repr=False, kw_only=True)


def record(rules: Feedback, case: FeedbackCase) -> CaseRecord:
    """Return the record of a case; a cause that was found out counts before the first guess."""
    known = case.known()
    level = rules.level(case)
    return CaseRecord(
        case.id,
        case.item.customer,
        case.received,
        kind=str(case.item.kind),
        channel=str(case.item.channel),
        topic=case.item.topic,
        cause=str(known.get("cause", "")),
        product=case.item.product,
        level="" if level is None else str(level.outcome),
        department=str(known.get("department", "") or rules.department(case)),
        state=str(case.state),
        completed=rules.completed(case),
        solved=rules.is_solved(case),
        rating=known.get("rating"),
        result=str(known.get("result", "") or known.get("finding", "")),
    )


def archive(
    rules: Feedback, cases: Iterable[FeedbackCase]
) -> tuple[tuple[CaseRecord, ...], tuple[Problem, ...]]:
    """Return the records of the cases that are over (H-24), and what cannot be archived yet.

    A case that is open, or over without result or cause, is a problem with its number.
    """
    kept: list[CaseRecord] = []
    lacking: dict[str, list[int]] = {}
    for row, case in enumerate(cases):
        found = record(rules, case)
        missing = [] if rules.is_over(case) else ["end"]
        missing += [name for name in ("result", "cause") if not getattr(found, name)]
        if missing:
            lacking.setdefault(", ".join(missing), []).append(row)
        else:
            kept.append(found)
    allowed = "a case that is over, with result and cause"
    problems = (
        Problem(Code.BAD_FORM, tuple(rows), f"without {what}", allowed)
        for what, rows in lacking.items()
    )
    return tuple(kept), tuple(problems)


# --- the ranking of a period ----------------------------------------------------------------------


@frozen
class CauseRank:
    """One line of the ranking; ``vital`` are the few that make up most of the cases."""

    name: str
    number: int
    total: int
    cumulative: int  # cases of this line and of all above it
    before: int  # cases of the period before
    total_before: int
    vital: bool
    department: str = ""

    @property
    def share(self) -> Estimate:
        """Part of all cases of the period."""
        return Estimate(self.number, self.total)

    @property
    def trend(self) -> Fraction | None:
        """Change of the share since the period before, in points; None if there was no case."""
        before = Estimate(self.before, self.total_before)
        return self.share.change_from(before, Change.POINTS)

    def __str__(self) -> str:
        return f"{self.name} {self.number} ({share_text(self.number, self.total)})"


@frozen
class Finding:
    """A frequent problem of a period, addressed to the department concerned (H-27, H-46)."""

    name: str
    by: RankedBy
    number: int
    total: int
    since: date
    until: date
    department: str
    rule: str


@frozen
class CauseReport(Shown):
    """The causes of a period, ranked, beside the period before; it shows itself as a table."""

    by: RankedBy
    since: date
    until: date
    before: tuple[date, date]
    ranks: tuple[CauseRank, ...]
    rule: str
    problems: tuple[Problem, ...] = ()

    @property
    def total(self) -> int:
        """Number of cases in the period."""
        return sum(each.number for each in self.ranks)

    @property
    def vital(self) -> tuple[CauseRank, ...]:
        """The vital few."""
        return tuple(each for each in self.ranks if each.vital)

    def findings(self) -> tuple[Finding, ...]:
        """Return the vital few as findings, each for its department (H-27, H-46)."""
        return tuple(
            Finding(x.name, self.by, x.number, x.total, self.since, self.until, x.department,
                    self.rule)
            for x in self.vital
        )  # fmt: skip

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: name, number, cumulative, before, vital, department."""
        import numpy as np

        names = ("name", "number", "cumulative", "before", "vital", "department")
        return {name: np.array([getattr(x, name) for x in self.ranks]) for name in names}

    def to_table(self, language: Language = "en") -> Table:
        """Return the ranking: number, share, cumulative share, and the period before."""
        heads = (Head.NUMBER, Head.SHARE, Head.CUMULATIVE_SHARE, Head.PERIOD_BEFORE)
        columns = (
            Column(self.by.label(language)),
            *figures([head.label(language) for head in heads]),
        )
        rows = (
            (x.name or "–", count_text(x.number), share_text(x.number, x.total),
             share_text(x.cumulative, x.total), count_text(x.before))
            for x in self.ranks
        )  # fmt: skip
        return Table(columns, rows)


@frozen
class Recurrence:
    """The same cause came back for the same customer or product, each time within the days."""

    who: str | int
    cause: str
    cases: tuple[str, ...]
    on: tuple[date, ...]


def _by(given: RankedBy | str) -> RankedBy:
    return member(RankedBy, given, "by")


@policy
class CauseAnalysis(Policy):
    """How cases are analysed: period, vital few, recurrence, and who answers for a cause.

    The vital few are the longest head of the ranking that makes up no more than
    ``vital_percent`` of all cases, and always the first. What stands in ``leftovers``, and
    what has no name, is ranked last and is never one of them.

    >>> analysis = CauseAnalysis(routes=[Route("late", "logistics")])
    >>> cases = [CaseRecord(f"K-{n}", n, date(2024, 6, 3), cause="late") for n in range(7)]
    >>> cases += [CaseRecord("K-8", 8, date(2024, 6, 4), cause="rude")] * 3
    >>> june = analysis.summary(cases, month=date(2024, 6, 1))
    >>> [str(rank) for rank in june.ranks], [each.department for each in june.findings()]
    (['late 7 (70.0%)', 'rude 3 (30.0%)'], ['logistics'])
    """

    months: int = 1
    vital_percent: int = 80
    recurrence_days: int = 30
    kinds: tuple[FeedbackKind, ...] = field(default=(), converter=tuple)  # empty: every kind
    leftovers: tuple[str, ...] = field(default=("other",), converter=tuple)
    routes: tuple[Route, ...] = field(default=(), converter=tuple)
    rule: str = "H-27"
    zone: str = "Asia/Shanghai"

    def __attrs_post_init__(self) -> None:
        limits = (("months", 1, 120), ("vital_percent", 1, 100), ("recurrence_days", 0, 36_500))
        for name, low, high in limits:
            value = getattr(self, name)
            if not is_blank(value) and not low <= value <= high:
                raise InvalidValueError(f"CauseAnalysis.{name}", value, f"{low} to {high}")

    def summary(
        self,
        records: Iterable[CaseRecord],
        *,
        month: date,
        by: RankedBy | str = RankedBy.CAUSE,
    ) -> CauseReport:
        """Return the report of the period of ``months`` months that begins with a month."""
        since = month.replace(day=1)
        return self.report(
            records, since=since, until=plus_months(since, self.months) - _DAY, by=by
        )

    def report(
        self,
        records: Iterable[CaseRecord],
        *,
        since: date,
        until: date,
        by: RankedBy | str = RankedBy.CAUSE,
    ) -> CauseReport:
        """Rank the cases received on the dates ``since`` to ``until``, and compare with before.

        Whole months are compared with as many months, other periods with as many days.
        """
        ranked_by, zone = _by(by), zone_of(self.zone)
        before = self._before(since, until)
        counts: tuple[Counter[str], Counter[str]] = Counter(), Counter()
        for each in records:
            if self.kinds and each.kind not in self.kinds:
                continue
            day = local_date(each.received, zone)
            for number, (first, last) in enumerate(((since, until), before)):
                if first <= day <= last:
                    counts[number][str(getattr(each, ranked_by))] += 1
        ranks = tuple(self._ranks(*counts))
        return CauseReport(ranked_by, since, until, before, ranks, self.rule)

    def report_columns(
        self,
        names: ArrayLike,
        received: ArrayLike,
        *,
        since: date,
        until: date,
        by: RankedBy | str = RankedBy.CAUSE,
    ) -> CauseReport:
        """Return the same report from columns of names and local days or UTC instants.

        Rows without a time are set aside as problems. Take the wanted kinds before.

        >>> CauseAnalysis().report_columns(
        ...     ["late", "rude", "late"],
        ...     [date(2024, 6, 1), date(2024, 6, 2), date(2024, 5, 3)],
        ...     since=date(2024, 6, 1),
        ...     until=date(2024, 6, 30),
        ... ).to_columns()["before"].tolist()
        [1, 0]
        """
        import numpy as np

        ranked_by, before = _by(by), self._before(since, until)
        text = np.asarray(names).astype(str)
        days, missing = _days(received, self.zone, len(text))
        counts = (_counted(text, days, missing, span) for span in ((since, until), before))
        ranks = tuple(self._ranks(*counts))
        rows = tuple(np.flatnonzero(missing).tolist())
        problems = (Problem(Code.NO_TIME, rows, "NaT", "a day or an instant"),) if rows else ()
        return CauseReport(ranked_by, since, until, before, ranks, self.rule, problems)

    def _before(self, since: date, until: date) -> tuple[date, date]:
        """Return the period before: as many months if they are whole, else as many days."""
        if until < since:
            raise InvalidValueError("until", until, f"{since} or later")
        end = until + _DAY
        if since.day == end.day == 1:
            months = (end.year - since.year) * 12 + end.month - since.month
            return plus_months(since, -months), since - _DAY
        return since - (end - since), since - _DAY

    def _ranks(self, now: Mapping[str, int], then: Mapping[str, int]) -> Iterator[CauseRank]:
        """Rank by number, ties by name; what is left over comes last."""
        left = {"", *self.leftovers}
        names = sorted({*now, *then}, key=lambda x: (x in left, -now.get(x, 0), x))
        total, total_before, cumulative = sum(now.values()), sum(then.values()), 0
        departments = {row.about: row.department for row in self.routes}
        for place, name in enumerate(names):
            number = now.get(name, 0)
            cumulative += number
            few = place == 0 or cumulative * 100 <= self.vital_percent * total
            vital = few and number > 0 and name not in left
            department = departments.get(name, "")
            yield CauseRank(
                name, number, total, cumulative, then.get(name, 0), total_before, vital, department
            )

    # --- what comes back ----------------------------------------------------------------------

    def recurrences(
        self, records: Iterable[CaseRecord], *, of: RecursFor | str = RecursFor.CUSTOMER
    ) -> tuple[Recurrence, ...]:
        """Return what came back within ``recurrence_days`` days of the time before (H-08).

        The last day counts (RC-06); a cause or a product without a name never comes back.

        >>> twice = [CaseRecord(f"K-{n}", "C-1", date(2024, 6, n), cause="late") for n in (1, 30)]
        >>> [each.cases for each in CauseAnalysis().recurrences(twice)]
        [('K-1', 'K-30')]
        """
        chains: list[Recurrence] = []
        for (who, cause), mine in self._grouped(records, member(RecursFor, of, "of")).items():
            for run in self._runs(mine):
                on = tuple(day for day, _ in run)
                chains.append(Recurrence(who, cause, tuple(case for _, case in run), on))
        return tuple(sorted(chains, key=lambda x: (x.on[0], str(x.who), x.cause)))

    def recurrence_rate(
        self,
        records: Iterable[CaseRecord],
        *,
        since: date,
        until: date,
        of: RecursFor | str = RecursFor.CUSTOMER,
    ) -> Estimate:
        """Return which part of the cases of a period had come before; the same for a finding."""
        found, zone = list(records), zone_of(self.zone)
        again = {case for chain in self.recurrences(found, of=of) for case in chain.cases[1:]}
        mine = [x for x in found if since <= local_date(x.received, zone) <= until]
        return Estimate(sum(each.case in again for each in mine), len(mine))

    def recurring_columns(
        self, who: ArrayLike, cause: ArrayLike, received: ArrayLike
    ) -> NDArray[Any]:
        """Return for each row of three columns whether it came back, as ``recurrences`` says.

        Rows of one day keep their order; a row without a time or a name does not come back.

        >>> days = [date(2024, 6, 1), date(2024, 7, 1), date(2024, 8, 1)]
        >>> CauseAnalysis().recurring_columns(["a"] * 3, ["late"] * 3, days).tolist()
        [False, True, False]
        """
        import numpy as np

        names, causes = np.asarray(who).astype(str), np.asarray(cause).astype(str)
        if len(names) != len(causes):
            raise UnequalColumnsError("recurring", {"who": len(names), "cause": len(causes)})
        days, missing = _days(received, self.zone, len(names))
        keep = np.flatnonzero(~missing & (names != "") & (causes != ""))
        whose = np.unique(names[keep], return_inverse=True)[1]
        what = np.unique(causes[keep], return_inverse=True)[1]
        order = np.lexsort((days[keep], what, whose))
        rows, whose, what = keep[order], whose[order], what[order]
        same = (whose[1:] == whose[:-1]) & (what[1:] == what[:-1])
        again = np.zeros(len(names), bool)
        again[rows[1:]] = same & (np.diff(days[rows]) <= self.recurrence_days)
        return again

    def _grouped(
        self, records: Iterable[CaseRecord], of: RecursFor
    ) -> dict[tuple[str | int, str], list[tuple[date, str]]]:
        found: dict[tuple[str | int, str], list[tuple[date, str]]] = {}
        zone = zone_of(self.zone)
        for each in records:
            who = getattr(each, of)
            if each.cause and who != "":
                day = local_date(each.received, zone)
                found.setdefault((who, each.cause), []).append((day, each.case))
        return found

    def _runs(self, mine: Sequence[tuple[date, str]]) -> Iterator[list[tuple[date, str]]]:
        """Cut the cases of one customer and cause where too many days lie between."""
        run: list[tuple[date, str]] = []
        for day, case in sorted(mine, key=lambda pair: pair[0]):
            if run and (day - run[-1][0]).days > self.recurrence_days:
                if len(run) > 1:
                    yield run
                run = []
            run.append((day, case))
        if len(run) > 1:
            yield run


def _days(received: ArrayLike, zone: str, rows: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return local day numbers of a column of days or UTC instants, and which are missing."""
    import numpy as np

    from retention.logs import Times
    from retention.mechanisms.open_columns import NONE, instants
    from retention.mechanisms.periods import day_number

    column = np.asarray(received)
    if len(column) != rows:
        raise UnequalColumnsError("cases", {"names": rows, "received": len(column)})
    if column.dtype.kind == "O" and all(type(each) is date for each in column.tolist()):
        column = np.array(column.tolist(), "datetime64[D]")
    if column.dtype == "datetime64[D]":
        days = column.astype(np.int64)
        return days, np.isnat(column)
    numbers = instants(column, "received")
    missing = numbers == NONE
    days = np.full(rows, day_number(date.min))
    days[~missing] = Times(numbers[~missing], are_days=False).days(zone_of(zone))
    return days, missing


def _counted(
    names: NDArray[Any], days: NDArray[Any], missing: NDArray[Any], span: tuple[date, date]
) -> Counter[str]:
    import numpy as np

    from retention.mechanisms.periods import day_number

    inside = ~missing & (days >= day_number(span[0])) & (days <= day_number(span[1]))
    found, number = np.unique(names[inside], return_counts=True)
    return Counter(dict(zip(found.tolist(), number.tolist(), strict=True)))
