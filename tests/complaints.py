"""Cases for tests: received, and taken on step by step."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from retention.cases import FeedbackCase
from retention.feedback import Feedback
from retention.intake import Entry, FeedbackItem, Receive
from retention.mechanisms.workflows import Act

SHANGHAI = ZoneInfo("Asia/Shanghai")
PLAN = {"department": "service", "person": "li"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def received(rules: Feedback, case: str, when: str, /, **item: Any) -> FeedbackCase:  # noqa: ANN401
    first = rules.form.entries[0] if rules.form.entries else Entry.APP
    filled = {"matter": "m", "contact": "c", "demand": "d", "kind": "complaint", "channel": first}
    one = FeedbackItem(item.pop("customer", f"C of {case}"), at(when), **(filled | item))
    return rules.decide(None, Receive(case=case, item=one, at=at(when))).or_raise().state


def act(when: str, name: str, /, **brings: Any) -> Act[str]:  # noqa: ANN401
    return Act(name, at=at(when), by="li", brings=brings, role=brings.pop("role", ""))


def do(rules: Feedback, case: FeedbackCase, when: str, name: str, /, **brings: Any) -> FeedbackCase:  # noqa: ANN401
    holds = brings.pop("holds", ("in_crm",))
    return rules.decide(case, act(when, name, **brings), holds=holds).or_raise().state


def reported(rules: Feedback, case: FeedbackCase, day: str) -> FeedbackCase:
    """A case of 002 that was handled within a day, with a reply."""
    if str(case.state) == "received":
        case = do(rules, case, f"{day}T10:00", "grade", severity="moderate", scope="single")
    case = do(rules, case, f"{day}T11:00", "handle", **PLAN)
    case = do(rules, case, f"{day}T12:00", "complete", result="refund")
    return do(rules, case, f"{day}T13:00", "report", channel="app")
