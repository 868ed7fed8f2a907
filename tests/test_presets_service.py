"""The service part of the five handbooks equals the catalogue's blocks, value by value."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from retention.mechanisms.errors import BlankValueError
from retention.mechanisms.obligations import After, Within
from retention.mechanisms.policies import Origin, is_blank
from retention.presets import (
    customer_operations,
    ecommerce,
    membership,
    new_measures,
    user_retention,
)
from retention.service import Service
from tests import catalogue

BOOKS = {
    book.name: (book, number)
    for number, book in enumerate(
        (user_retention, customer_operations, ecommerce, membership, new_measures)
    )
}
PARTS = {
    "user_retention": {"hotline", "board", "outlets", "trainings"},
    "customer_operations": {"queue", "trainings"},
    "ecommerce": {"desk", "queue", "intents", "after_sales"},
    "membership": {"queue", "hotline", "watches"},
    "new_measures": {"queue", "trainings", "tools"},
}
ALL = ("desk", "queue", "intents", "after_sales", "hotline", "watches", "board", "outlets",
       "trainings", "tools")  # fmt: skip


def minutes(given: str) -> int:
    number, unit = int(given.rstrip("minhd")), given.lstrip("0123456789")
    return number * {"min": 1, "h": 60, "d": 24 * 60}[unit]


def limit(service: Service, clock: str) -> int:
    found = service.desk.clock(clock).limit
    assert isinstance(found, Within)
    return found.hours * 60 + found.minutes


@pytest.mark.rule("X-02")
@pytest.mark.parametrize("name", BOOKS)
def test_every_value_of_the_service_names_its_source(name: str) -> None:
    book, number = BOOKS[name]
    own = (f"00{number}", "no ", "RC-", "AMB-", "SM-", "H-", "000:", "001", "002", "003", "004")
    for entry in book.service.values():
        assert entry.source.origin is not Origin.GIVEN, entry.path
        assert entry.source.clause.startswith(own), entry.path
        foreign = {f"00{n}" for n in range(5) if n != number}
        assert entry.source.clause[:3] not in foreign, entry.path


@pytest.mark.parametrize("name", BOOKS)
def test_each_handbook_has_its_parts_and_the_others_are_blank(name: str) -> None:
    service = BOOKS[name][0].service
    assert {part for part in ALL if not is_blank(getattr(service, part))} == PARTS[name]
    for part in set(ALL) - PARTS[name]:
        with pytest.raises(BlankValueError):
            _ = getattr(service, part).rule


@pytest.mark.rule("H-42", "H-43", "H-49")
def test_000_equals_the_catalogue() -> None:
    channels = catalogue.preset("user_retention")["channels"]
    service = user_retention.service
    assert {"message_board", "faq"} <= set(channels["online"])
    assert not is_blank(service.board)
    assert {"hotline_24h", "service_outlet"} <= set(channels["offline"])
    day = date(2024, 2, 29)
    found = service.hotline.coverage([], since=day, until=day)
    assert found.required == timedelta(hours=24)
    assert [str(x) for x in service.outlets.services] == [
        "repair", "maintenance", "technical_support",
    ]  # fmt: skip


@pytest.mark.rule("H-36", "H-47")
def test_001_equals_the_catalogue() -> None:
    block = catalogue.preset("customer_operations")
    assert "priority_response" in block["strategies"]["high"]
    assert list(customer_operations.service.queue.tiers) == ["high"]
    assert "dedicated_service_team" in block["posts"]
    # H-47: 「公司产品知识、服务流程、沟通技巧、问题解决方法」
    assert customer_operations.service.trainings.topics == (
        "product_knowledge", "service_process", "communication_skill", "problem_solving",
    )  # fmt: skip


@pytest.mark.rule("H-32", "H-34", "H-36", "H-39", "H-40", "VAR-09")
def test_002_equals_the_catalogue() -> None:
    whole = catalogue.preset("ecommerce")
    block: dict[str, Any] = whole["service"]
    service = ecommerce.service
    assert limit(service, "bot_response") == minutes(block["bot_response"])
    assert limit(service, "human_response") == minutes(block["human_response"])
    assert service.desk.bot_solved is not None
    assert float(service.desk.bot_solved.at_least or 0) == block["bot_solved"]
    (promise, damage) = service.after_sales.table.cases
    (days,) = (x.limit for x in promise.when.limits() if x.measure == "days_counted")
    assert days == (0, block["return_days"])
    assert block["damage_compensation"] is True
    assert str(damage.outcome) == "damage_compensation"
    (follow_up,) = service.after_sales.clocks_table
    assert isinstance(follow_up.limit, Within)
    assert follow_up.limit.hours * 60 == minutes(block["after_sales_followup"])
    assert list(service.queue.tiers) == whole["vip"]["tiers"][::-1]
    assert "priority_service" in whole["vip"]["benefits"]["all"]
    assert "bot" in whole["channels"]


@pytest.mark.rule("H-30", "H-42", "H-36")
def test_003_equals_the_catalogue() -> None:
    block = catalogue.preset("membership")["complaints"]
    service = membership.service
    watched = [row.channel for row in service.watches.watches]
    assert set(watched) <= set(block["entries"])
    assert watched == ["email", "social_private_message"]
    for row in service.watches.watches:
        assert row.every == After(days=1)
        assert row.source("every").origin is Origin.ASSUMED
    assert "hotline" in block["entries"]
    assert not is_blank(service.hotline)
    assert service.queue.urgencies == ("urgent",)
    assert "urgent_if" in block


@pytest.mark.rule("H-36", "H-48")
def test_004_equals_the_catalogue() -> None:
    block = catalogue.preset("new_measures")
    service = new_measures.service
    (own,) = service.queue.channels
    assert own == ("diamond", *block["layers"]["diamond"])
    assert service.queue.channel("diamond") == "priority_service_channel"
    assert service.queue.channel("gold") == ""
    assert set(service.queue.tiers) <= set(block["layers"]["ladder"])
    assert [str(x) for x in service.tools.kinds] == ["ai_service", "crm", "automation"]


@pytest.mark.parametrize("name", BOOKS)
def test_a_part_can_be_changed_by_its_path(name: str) -> None:
    book = BOOKS[name][0]
    before = book.fingerprint()
    part = next(part for part in ALL if part in PARTS[name])
    path = {"desk": "desk.clocks.bot_response.limit", "queue": "queue.urgencies"}.get(
        part, "hotline.people"
    )
    value: Any = {"desk": Within(minutes=2), "queue": ("urgent", "vip")}.get(part, 2)
    changed = book.with_(f"service.{path}", value)
    assert changed.fingerprint() != before
    (difference,) = book.compare(changed)
    assert difference.path == f"service.{path}"
