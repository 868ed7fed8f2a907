"""Returns, exchanges and compensation: who is entitled, and the fast channel (SM-28).

Entitlement is a table of cases over what is known of a request (H-39), with its reasons; the
days of a return count from the day after receipt, or from the order (AMB-11). The follow-up
after handling is a clock (H-40). Money is paid back elsewhere; which goods cannot be returned
is a table of the company.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import attrs
from attrs import field, frozen

from retention.case_clocks import ClockReading, ClockRule, Event
from retention.cases import CaseRequest
from retention.mechanisms.acts import Command, Fact, repeated, timed, who
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.choices import member
from retention.mechanisms.decisions import Decision, FirstMatch
from retention.mechanisms.errors import (
    DuplicateError,
    UnequalColumnsError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.machines import Machine
from retention.mechanisms.periods import When, checked, in_utc, local_date, zone_of
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.words import Word
from retention.mechanisms.workflows import Act, Progress, Taken, Workflow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class AfterSalesState(Word):
    """States of an after-sales case (SM-28, 002; H-41)."""

    REQUESTED = "requested", "已申请"
    ACCEPTED = "accepted", "已受理"
    REFUSED = "refused", "不予受理"
    IN_PROCESS = "in_process", "处理中"
    DONE = "done", "处理完成"
    FOLLOWED_UP = "followed_up", "已跟进满意度"


class AfterSalesCommand(Word):
    """Commands of an after-sales case (SM-28, 002)."""

    ACCEPT = "accept", "受理"
    REFUSE = "refuse", "不予受理"
    PROCESS = "process", "处理"
    FINISH = "finish", "处理完成"
    FOLLOW_UP = "follow_up", "跟进满意度"
    DISSATISFIED = "dissatisfied", "客户不满意"


class AfterSalesIntake(Word):
    """The command with which an after-sales case begins."""

    REQUEST = "request", "申请售后"


class AfterSalesKind(Word):
    """What a customer asks for."""

    RETURN = "return", "退货"
    EXCHANGE = "exchange", "换货"
    COMPENSATION = "compensation", "破损赔偿"


class Entitlement(Word):
    """Under which promise a request stands (H-39)."""

    RETURN_WITHOUT_REASON = "return_without_reason", "7天无理由退换货"
    DAMAGE_COMPENSATION = "damage_compensation", "破损包赔"
    NOT_ENTITLED = "not_entitled", "不符合条件"


class CountedFrom(Word):
    """The day from which the days of a return count (AMB-11)."""

    RECEIPT = "receipt", "签收日"
    ORDER = "order", "下单日"


# A follow-up after the limit is late, not impossible: the clock says so (H-40, RC-12).
AFTER_SALES = Machine(
    "SM-28",
    AfterSalesState,
    AfterSalesCommand,
    """
    requested -accept-> accepted [is_entitled]
    requested -refuse-> refused [is_not_entitled, reason]
    accepted -process-> in_process [person]
    in_process -finish-> done [result]
    done -follow_up-> followed_up
    followed_up -dissatisfied-> in_process [reason]
    """,
)
JUDGED = ("is_entitled", "is_not_entitled")
ORDINARY = "ordinary"  # goods that no row excludes

AfterSalesStep: TypeAlias = Taken[AfterSalesState, AfterSalesCommand]


def _kind(given: AfterSalesKind | str) -> AfterSalesKind:
    return member(AfterSalesKind, given, "kind")


def _counted(given: CountedFrom | str) -> CountedFrom:
    return member(CountedFrom, given, "counted_from")


def _time(_: object, attribute: Any, value: When | None) -> None:  # noqa: ANN401
    if value is not None:
        checked(value, attribute.name)


def _texts(given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise WrongTypeError("evidence", given, "several texts in a list")
    return tuple(given)


@frozen
class AfterSalesRequest:
    """What a customer asks for after a purchase; evidence stays out of ``repr``."""

    customer: str | int
    at: When = field(validator=timed)
    kind: AfterSalesKind = field(converter=_kind)
    order: str = field(default="", kw_only=True)
    goods: str = field(default=ORDINARY, kw_only=True)  # the group that exclusions go by
    ordered: When | None = field(default=None, validator=_time, kw_only=True)
    received: When | None = field(default=None, validator=_time, kw_only=True)
    damaged: bool = field(default=False, kw_only=True)
    evidence: tuple[str, ...] = field(default=(), converter=_texts, repr=False, kw_only=True)


@frozen(kw_only=True)
class Request(Command):
    """Open an after-sales case for a request."""

    name: ClassVar[AfterSalesIntake] = AfterSalesIntake.REQUEST

    case: str
    request: AfterSalesRequest
    by: str = field(default="customer", validator=who)


@frozen(kw_only=True)
class Requested(Fact):
    """An after-sales case was opened."""

    name: ClassVar[AfterSalesIntake] = AfterSalesIntake.REQUEST

    case: str
    request: AfterSalesRequest
    policy: str = ""  # fingerprint of the rules under which it was opened


AfterSalesFact: TypeAlias = Requested | AfterSalesStep


@frozen
class AfterSalesCase:
    """One case of the fast channel: the request and every step since."""

    opened: Requested
    progress: Progress[AfterSalesState, AfterSalesCommand]

    @property
    def id(self) -> str:
        """The reference of the case."""
        return self.opened.case

    @property
    def state(self) -> AfterSalesState:
        """Where it stands."""
        return self.progress.state

    @property
    def log(self) -> tuple[AfterSalesFact, ...]:
        """Every fact, oldest first; a store keeps these."""
        return (self.opened, *self.progress.steps)

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened, as clocks read it."""
        return tuple(Event(str(x.name), x.at, dict(x.brings)) for x in self.progress.steps)


@policy
class ExcludedGoods(Policy):
    """Goods that are not taken back without a reason, and why."""

    goods: str
    why: str = ""

    @property
    def key(self) -> str:
        """Name as a row of a table."""
        return self.goods


@policy
class AfterSales(Policy):
    """The promises of one handbook after a sale, and its clocks.

    The table reads ``kind``, ``days_counted``, ``excluded``, ``damaged``, ``pieces_of_evidence``.
    An open case is judged by the rules in force when it is decided; steps that were taken stay.

    >>> from datetime import date
    >>> from retention.presets import ecommerce
    >>> rules = ecommerce.service.after_sales
    >>> asks = AfterSalesRequest("C-1", date(2024, 6, 8), "return", received=date(2024, 6, 1))
    >>> print(rules.entitlement(asks))
    return_without_reason: kind return is in ('return', 'exchange'), days_counted 7 is \
between 0 and 7, excluded False is == False
    """

    table: FirstMatch[Entitlement]
    clocks_table: tuple[ClockRule, ...] = field(converter=tuple, alias="clocks")
    counted_from: CountedFrom = field(default=CountedFrom.RECEIPT, converter=_counted)
    excluded: tuple[ExcludedGoods, ...] = field(default=(), converter=tuple)
    workflow: Workflow[AfterSalesState, AfterSalesCommand] = field(
        default=Workflow(AFTER_SALES, AfterSalesState.REQUESTED, judged=JUDGED)
    )
    rule: str = "H-41"
    zone: str = "Asia/Shanghai"

    def __attrs_post_init__(self) -> None:
        commands = [str(x) for x in AfterSalesCommand]
        rows = () if is_blank(self.clocks_table) else self.clocks_table
        events = (x for row in rows for x in (*row.starts, *row.stops, *row.ends))
        strange = next((x for x in events if x not in commands), None)
        if strange is not None:
            raise UnknownNameError("AfterSales.clocks", strange, commands)
        goods = [] if is_blank(self.excluded) else [row.goods for row in self.excluded]
        if len(set(goods)) < len(goods):
            raise DuplicateError("AfterSales.excluded", max(goods, key=goods.count))

    # --- who is entitled ------------------------------------------------------------------------

    def entitlement(self, request: AfterSalesRequest) -> Decision[Entitlement]:
        """Return under which promise a request stands, with its reasons (H-39).

        Day 0 is the day of receipt, so the seven days are those after it (AMB-11). What is
        not known, such as a receipt that has not come, entitles to nothing.
        """
        begin = request.received if self.counted_from is CountedFrom.RECEIPT else request.ordered
        zone = zone_of(self.zone)
        days = None
        if begin is not None:
            days = (local_date(request.at, zone) - local_date(begin, zone)).days
        row = {
            "kind": str(request.kind),
            "days_counted": days,
            "excluded": any(row.goods == request.goods for row in self.excluded),
            "damaged": request.damaged,
            "pieces_of_evidence": len(request.evidence),
        }
        return self.table.decide(row)

    def entitlements(
        self,
        *,
        kind: ArrayLike,
        requested: ArrayLike,
        begun: ArrayLike,
        goods: ArrayLike,
        damaged: ArrayLike,
        evidence: ArrayLike,
    ) -> NDArray[np.str_]:
        """Return the entitlement of every row of columns; equal to one by one.

        ``requested`` and ``begun`` are local dates (datetime64[D]); ``begun`` is the receipt
        or the order, as ``counted_from`` says, and NaT where it is not known.
        """
        import numpy as np

        since, until = np.asarray(begun), np.asarray(requested)
        for name, column in (("requested", until), ("begun", since)):
            if column.dtype != "datetime64[D]":
                raise WrongTypeError(name, str(column.dtype), "local dates as datetime64[D]")
        columns = {"kind": np.asarray(kind).astype(str), "damaged": np.asarray(damaged, bool)}
        group, pieces = np.asarray(goods).astype(str), np.asarray(evidence, np.int64)
        sizes = {name: len(x) for name, x in columns.items()}
        sizes |= {"requested": len(until), "begun": len(since), "goods": len(group)}
        sizes |= {"evidence": len(pieces)}
        if len(set(sizes.values())) > 1:
            raise UnequalColumnsError("requests", sizes)
        kinds = [str(x) for x in AfterSalesKind]
        if (strange := ~np.isin(columns["kind"], kinds)).any():
            raise UnknownNameError("kind", str(columns["kind"][strange][0]), kinds)
        days = (until - since).astype(np.float64)
        days[np.isnat(since) | np.isnat(until)] = np.nan
        columns |= {"days_counted": days, "pieces_of_evidence": pieces}
        columns["excluded"] = np.isin(group, [row.goods for row in self.excluded])
        names = np.array([str(x) for x in self.table.outcomes])
        return names[self.table.codes(columns)]

    # --- one command ----------------------------------------------------------------------------

    def decide(
        self,
        case: AfterSalesCase | None,
        command: Request | Act[Any],
        *,
        earlier: Iterable[AfterSalesFact] = (),
    ) -> Accepted[AfterSalesCase, AfterSalesFact] | Refused:
        """Judge a command; ``earlier`` are the facts that the store holds under its key."""
        if isinstance(command, Request):
            return self._request(case, command, tuple(earlier))
        if case is None:
            return Refused(Code.NOT_POSSIBLE, ("nothing", str(command.name)), (), ("request",))
        _instant(command.at, "at")
        entitled = self.entitlement(case.opened.request).outcome is not Entitlement.NOT_ENTITLED
        found = tuple(x for x in earlier if isinstance(x, Taken))
        late = [] if self._in_order(case, command) else ["later_time"]
        holds = {"is_entitled" if entitled else "is_not_entitled"}
        answer = self.workflow.decide(
            case.progress, command, earlier=found, holds=holds, missing=late
        )
        if isinstance(answer, Refused):
            return answer
        if found:  # the key was used before: the answer is repeated, nothing happens again
            return Accepted(case, answer.facts)
        after = attrs.evolve(case, progress=answer.state)
        return Accepted(after, answer.facts, tuple(self._requests(after)))

    def replay(self, facts: Iterable[AfterSalesFact]) -> AfterSalesCase:
        """Fold all facts of a case, oldest first; the first is the request."""
        first, *rest = facts
        if not isinstance(first, Requested):
            raise WrongTypeError("replay", type(first).__name__, "facts that begin with a request")
        steps = [x for x in rest if isinstance(x, Taken)]
        return AfterSalesCase(first, self.workflow.replay(first.case, steps))

    def allowed(self, case: AfterSalesCase) -> tuple[AfterSalesCommand, ...]:
        """Return the commands that have a row now."""
        return self.workflow.allowed(case.progress)

    def _request(
        self, case: AfterSalesCase | None, command: Request, earlier: tuple[AfterSalesFact, ...]
    ) -> Accepted[AfterSalesCase, AfterSalesFact] | Refused:
        known = [x for x in earlier if isinstance(x, Requested)]
        state = self.replay(known[:1]) if known else None
        again = repeated(state, command, known, given="nothing", allowed=("request",))
        if isinstance(again, Refused):
            return again
        if again is not None and state is not None:
            return Accepted(state, tuple(known))
        if case is not None:
            allowed = tuple(str(x) for x in self.allowed(case))
            return Refused(Code.NOT_POSSIBLE, (str(case.state), "request"), (), allowed)
        if missing := tuple(self._unfit(command)):
            return Refused(Code.NAMES_MISSING, ("nothing", "request"), missing, ("request",))
        fact = Requested(
            case=command.case,
            request=command.request,
            at=command.at,
            by=command.by,
            on=local_date(command.at, zone_of(self.zone)),
            key=command.key,
            policy=self.fingerprint(),
        )
        return Accepted(self.replay([fact]), (fact,))

    def _unfit(self, command: Request) -> Iterator[str]:
        if not command.case:
            yield "case"
        zone = zone_of(self.zone)
        if local_date(command.at, zone) < local_date(command.request.at, zone):
            yield "later_time"

    def _in_order(self, case: AfterSalesCase, act: Act[Any]) -> bool:
        """Whether a step is not dated before the request."""
        opened = case.opened
        if isinstance(opened.at, datetime) and isinstance(act.at, datetime):
            return in_utc(act.at) >= in_utc(opened.at)
        return local_date(act.at, zone_of(self.zone)) >= opened.on

    def _requests(self, case: AfterSalesCase) -> Iterator[CaseRequest]:
        last = case.progress.last
        names = {AfterSalesCommand.ACCEPT: "process", AfterSalesCommand.FINISH: "follow_up"}
        if last is not None and last.name in names:
            yield CaseRequest(names[last.name], case.id, (), self.rule)

    # --- clocks ---------------------------------------------------------------------------------

    def clocks(self, case: AfterSalesCase, *, as_of: datetime) -> tuple[ClockReading, ...]:
        """Return the latest run of every clock that has started (H-40)."""
        now = _instant(as_of, "as_of")
        found = (
            tuple(row.readings(case.events, as_of=now, zone=self.zone)) for row in self.clocks_table
        )
        return tuple(each[-1] for each in found if each)

    def due(self, case: AfterSalesCase, *, as_of: datetime) -> tuple[ClockReading, ...]:
        """Return what is still to be done, earliest deadline first."""
        still = (x for x in self.clocks(case, as_of=as_of) if x.is_open)
        return tuple(sorted(still, key=lambda x: (x.due or as_of, x.name)))


def _instant(when: When, where: str) -> datetime:
    if not isinstance(checked(when, where), datetime):
        raise WrongTypeError(where, when, "an aware instant, since the follow-up counts hours")
    return when  # type: ignore[return-value]
