"""How a checker sees the library: right use passes, wrong use is an error.

Nothing here runs; mypy reads it with ``warn_unused_ignores``, so that an ignored line that is
no error any more fails the check.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import assert_type

from retention import Accepted, History, Purchase, PurchaseLog, Refused, assess, parse
from retention.ageing import Transition
from retention.handbook import Assessment
from retention.lifecycle import LIFECYCLE, LifecycleEvent, Stage
from retention.mechanisms.decisions import Case, Decision, FirstMatch
from retention.mechanisms.machines import Step
from retention.mechanisms.outcomes import Outcomes
from retention.mechanisms.policies import stated
from retention.mechanisms.rules import All, Limit, Measure, Rule
from retention.presets import ecommerce
from retention.segmentation import Layer


def right(log: PurchaseLog, history: History, now: datetime) -> None:
    assert_type(ecommerce.segmentation.layers(log, as_of=date(2024, 6, 30)), Outcomes[Layer])
    assert_type(ecommerce.segmentation.layer(history, as_of=now), Decision[Layer | None])
    assert_type(ecommerce.lifecycle.stage(history, as_of=now).outcome, Stage)
    assert_type(ecommerce.lifecycle.due(history, as_of=now), Transition[Stage] | None)
    assert_type(assess(ecommerce, log, as_of=now), Assessment)
    assert_type(stated(30, "002"), int)
    assert_type(Measure[int]("days") <= 30, Limit)
    assert_type(parse("days <= 30") & parse("orders >= 2"), Rule)
    assert_type(~All((parse("a <= 1"), parse("b <= 1"))), object)  # type: ignore[assert-type]
    step = LIFECYCLE.step(Stage.LOST, LifecycleEvent.PURCHASE)
    assert_type(step, Step[Stage, LifecycleEvent] | Refused)
    assert_type(FirstMatch((Case("new", parse("a <= 1")),), otherwise="old"), FirstMatch[str])


def wrong(log: PurchaseLog, history: History, answer: Accepted[int, str] | Refused) -> None:
    ecommerce.segmentation.layers(log)  # type: ignore[call-arg] # the day is an argument
    ecommerce.lifecycle.stage(history, "2024-06-30")  # type: ignore[call-arg,arg-type]
    ecommerce.lifecycle.stages(history, as_of=date(2024, 6, 30))  # type: ignore[arg-type]
    ecommerce.name = "ours"  # type: ignore[misc] # policies are frozen
    Purchase("c", date(2024, 6, 30), "12.50")  # type: ignore[arg-type] # whole minor units
    answer.state  # type: ignore[union-attr] # an answer must be looked at first
    Measure[int]("days") <= "30"  # type: ignore[operator]
