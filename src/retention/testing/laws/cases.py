"""Cases: refusals change nothing, used time stays used, merging loses nobody, one is many."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from retention.case_columns import read
from retention.case_flows import NoteState
from retention.case_groups import GroupCandidate, GroupRule
from retention.case_logs import CaseLog
from retention.case_merges import merge
from retention.cases import FeedbackCase
from retention.feedback import Feedback
from retention.intake import Receive
from retention.mechanisms.answers import Refused
from retention.mechanisms.clock_columns import NO_OUTCOME, OUTCOMES
from retention.mechanisms.open_columns import NONE
from retention.mechanisms.open_time import micros
from retention.mechanisms.workflows import Act
from retention.redaction import Redaction
from retention.root_causes import CaseRecord, CauseAnalysis, record
from retention.testing.laws.agreement import agree, agree_by_customer

_SALT = b"a salt of the law"


def a_case_keeps_its_rules(
    rules: Feedback, commands: Iterable[Receive | Act[Any]], *, holds: Collection[str] = ()
) -> FeedbackCase:
    """A refusal names what is allowed and changes nothing; the log replayed gives the case.

    Also: as of each fact the case is what it was then, and facts never go back in time.
    Returns the case.
    """
    law, found = "a_case_keeps_its_rules", list(commands)
    first, *rest = found
    case = rules.decide(None, first).or_raise().state
    kept = [case]
    for number, command in enumerate(rest):
        name = f"command {number}, {command.name} while {case.state}"
        before, allowed = case, rules.allowed(case)
        answer = rules.decide(case, command, holds=holds)
        if isinstance(answer, Refused):
            agree(law, name, named=set(map(str, answer.allowed)) <= set(allowed), wanted=True)
            agree(law, name, after=case, before=before)
            continue
        case = answer.state
        kept.append(case)
        agree(law, name, incremental=case, replayed=rules.replay(case.log))
        agree(law, name, log=case.log[:-1], before=before.log)
    times = [fact.at for fact in case.log]
    agree(law, "the log", times=times, in_order=sorted(times, key=lambda x: micros(x, "at")))  # type: ignore[arg-type]
    last = {fact.at: each for each, fact in zip(kept, case.log, strict=True)}
    for at, then in last.items():
        agree(law, f"as of {at}", then=rules.seen(case, at), kept=then)
    return case


def a_pause_never_shortens_used_time(
    rules: Feedback, case: FeedbackCase, *, steps: Sequence[timedelta]
) -> None:
    """Time that a clock has used stays used, whatever pauses come and end."""
    law, used = "a_pause_never_shortens_used_time", dict[tuple[str, Any], timedelta]()
    instants = {fact.at + step for fact in case.log for step in (timedelta(0), *steps)}
    for as_of in sorted(instants, key=lambda at: micros(at, "at")):  # type: ignore[arg-type]
        for reading in rules.clocks(case, as_of=as_of):  # type: ignore[arg-type]
            run, now = (reading.name, reading.run.started), reading.used
            if now is not None:
                before = used.get(run, timedelta(0))
                agree(law, f"{run} as of {as_of}", falls=now < before, wanted=False)
                used[run] = now


def merging_loses_nobody(
    rules: Feedback, case: FeedbackCase, into: FeedbackCase, *, at: datetime
) -> None:
    """Both receipts and every customer live on, and a merged case takes nobody in.

    What is refused changes neither case.
    """
    law, names = "merging_loses_nobody", f"{case.id} into {into.id}"
    answer = merge(rules, case, into, at=at, by="law")
    if isinstance(answer, Refused):
        agree(law, names, allowed=bool(answer.given[0]), wanted=True)
        return
    pair = answer.state
    wanted = {*case.customers, *into.customers}
    agree(law, names, customers=set(pair.other.customers), wanted=wanted)
    earliest = min(micros(x.received, "at") for x in (case, into))  # type: ignore[arg-type]
    agree(law, names, received=micros(pair.other.received, "at"), earliest=earliest)  # type: ignore[arg-type]
    agree(law, names, standing=rules.standing(pair.one), wanted=NoteState.MERGED)
    back = merge(rules, pair.other, pair.one, at=at, by="law")
    agree(law, f"{names} and back", refused=isinstance(back, Refused), wanted=True)
    stored = {x.case: (x.expected, x.facts) for x in answer.facts}
    for before, after in ((case, pair.one), (into, pair.other)):
        expected, facts = stored[before.id]
        agree(law, names, log=rules.replay((*before.log[:expected], *facts)), after=after)


def redaction_keeps_figures(
    rules: Feedback, case: FeedbackCase, *, as_of: datetime, redaction: Redaction | None = None
) -> None:
    """A redaction takes the texts away and leaves every state, time, clock and record."""
    law, policy = "redaction_keeps_figures", Redaction() if redaction is None else redaction
    brings = {"reason": "law", "fields": policy.names}
    act = Act("redact", at=max(case.log[-1].at, as_of), by="law", brings=brings)
    answer = policy.redact(rules, case, act, salt=_SALT)
    if isinstance(answer, Refused):
        agree(law, case.id, allowed="redact" in answer.allowed, wanted=False)
        return
    after = answer.state
    for name in policy.of_item:
        text = getattr(after.item, name)
        held = all(
            x.startswith("redacted:") for x in (text if isinstance(text, tuple) else [text]) if x
        )
        agree(law, f"{case.id}, {name}", gone=held, wanted=True)
    one, other = (
        (x.state, rules.level(x), rules.is_solved(x), rules.completed(x), rules.pauses(x),
         rules.clock_history(x, as_of=as_of), x.customers, x.received)
        for x in (case, after)
    )  # fmt: skip
    agree(law, case.id, before=one, after=other)
    records = [record(rules, x) for x in (case, after)]
    counted = [(x.cause, x.topic, x.department, x.rating, bool(x.result)) for x in records]
    agree(law, case.id, before=counted[0], after=counted[1])
    times = [[fact.at for fact in x.log] for x in (case, after)]
    agree(law, case.id, before=[*times[0], act.at], after=times[1])


def cases_one_equals_columns(
    rules: Feedback, cases: Sequence[FeedbackCase], *, as_of: datetime
) -> None:
    """States, standings and clocks of cases in columns are those of each case as it was known."""
    law = "cases_one_equals_columns"
    log = CaseLog.of(rules, cases, as_of=as_of)
    found = read(rules, log, as_of=as_of)
    columns = found.to_columns()
    agree(law, "all cases", problems=found.problems, wanted=())
    seen = [rules.seen(case, as_of) for case in cases]
    one = {n: (str(x.state), str(rules.standing(x))) for n, x in enumerate(seen)}
    many = zip(columns["state"].tolist(), columns["standing"].tolist(), strict=True)
    agree_by_customer(law, "states", one=one, columns=dict(enumerate(many)))
    for name, clock in found.clocks.items():
        readings = [
            next((x for x in rules.clocks(case, as_of=as_of) if x.name == name), None)
            for case in cases
        ]
        wanted = {
            n: None if x is None else (x.outcome, _number(x.due), x.used, _number(x.run.stopped))
            for n, x in enumerate(readings)
        }
        told = {n: _told(clock, n) for n in range(len(cases))}
        agree_by_customer(law, name, one=wanted, columns=told)


def _number(when: Any) -> int | None:  # noqa: ANN401
    return None if when is None else micros(when, "at")


def _told(clock: Any, place: int) -> Any:  # noqa: ANN401
    if clock.outcomes[place] == NO_OUTCOME:
        return None
    due, used, stopped = (
        int(x[place].astype(np.int64)) for x in (clock.due, clock.used, clock.stopped)
    )
    amount = None if used == NONE else timedelta(microseconds=used)
    times = (None if x == NONE else x for x in (due, stopped))
    first, last = times
    return OUTCOMES[clock.outcomes[place]], first, amount, last


def groups_one_equals_columns(rule: GroupRule, candidates: Sequence[GroupCandidate]) -> None:
    """Groups found one by one are those of columns, and every member is asked the same."""
    law = "groups_one_equals_columns"
    one = {frozenset(group.cases) for group in rule.groups(candidates)}
    found = rule.group_columns(
        [x.customer for x in candidates],
        [x.at for x in candidates],  # type: ignore[arg-type]
        [x.cause for x in candidates],
    )
    many: dict[int, set[str]] = {}
    for each, number in zip(candidates, found.number.tolist(), strict=True):
        if number >= 0:
            many.setdefault(number, set()).add(each.case)
    agree(law, "all cases", one=one, columns={frozenset(x) for x in many.values()})
    agree(law, "all cases", one=len(one), columns=len(found))
    for each in candidates:
        answer = rule.group(each.case, candidates)
        mine = next((x for x in one if each.case in x), None)
        group = None if answer.group is None else frozenset(answer.group.cases)
        agree(law, each.case, asked=group, found=mine)


def causes_one_equals_columns(
    analysis: CauseAnalysis, records: Sequence[CaseRecord], *, since: date, until: date
) -> None:
    """The ranking of a period and what came back are the same from records and from columns."""
    law = "causes_one_equals_columns"
    causes = [x.cause for x in records]
    received: Any = [x.received for x in records]
    one = analysis.report(records, since=since, until=until)
    many = analysis.report_columns(causes, received, since=since, until=until)
    agree(law, "the ranking", one=one.ranks, columns=many.ranks)
    agree(law, "the ranking", whole=sum(x.number for x in one.ranks), total=one.total)
    again = {case for chain in analysis.recurrences(records) for case in chain.cases[1:]}
    found = analysis.recurring_columns([str(x.customer) for x in records], causes, received)
    rows = {x.case for x, comes in zip(records, found.tolist(), strict=True) if comes}
    agree(law, "what came back", one=again, columns=rows)
