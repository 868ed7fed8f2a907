"""Frequent questions, the message board, watched channels, and visits at outlets."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from retention.faq import BoardItem, Faq, FaqEntry, FaqView, MessageBoard
from retention.intake import Entry, FeedbackItem, FeedbackKind
from retention.mechanisms.answers import Refused
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    NaiveInstantError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.obligations import After, Outcome, Within
from retention.outlets import OutletService, OutletServices, OutletVisit, ServiceRecord
from retention.presets import ecommerce, membership, user_retention
from retention.watches import ChannelCheck, ChannelWatch, ChannelWatches, InboxMessage
from tests.refusals import refused

SHANGHAI = ZoneInfo("Asia/Shanghai")
NINE = datetime(2024, 6, 10, 9, tzinfo=SHANGHAI)
DAY = date(2024, 6, 10)
HOUR = timedelta(hours=1)

# --- H-49: frequent questions ---------------------------------------------------------------------

FAQ = Faq(
    [
        FaqEntry(
            "ship", "我的快递到哪了？", "看物流", "logistics_query", ["快递", "物流", "parcel"]
        ),
        FaqEntry("slow", "为什么物流慢？", "旺季", "logistics_query", ["物流"]),
        FaqEntry("back", "如何退货？", "七天内", "return_process", ["退货", "换货", "return"]),
    ]
)


def found(text: str, **more: object) -> list[str]:
    return [x.entry.id for x in FAQ.lookup(text, **more)]  # type: ignore[arg-type]


@pytest.mark.rule("H-49")
def test_the_same_lookup_for_bot_website_and_agents() -> None:
    assert found("快递的物流") == ["ship", "slow"]
    assert found("为什么物流慢？") == ["slow", "ship"]  # the question itself comes first
    assert found("　ＰＡＲＣＥＬ please") == ["ship"]
    assert found("发票") == found("") == []
    assert found("退货 物流", topic="return_process") == ["back"]
    flow = ecommerce.service.intents.recognise("我的快递没到").flow
    assert [x.id for x in FAQ.about(flow)] == ["ship", "slow"]
    assert FAQ.entry("back").answer == "七天内"
    assert "七天内" not in repr(FAQ)


@pytest.mark.rule("H-49")
def test_ties_go_by_views_then_by_reference() -> None:
    assert found("物流") == ["ship", "slow"]
    seen = [FaqView("slow", DAY, "bot"), FaqView("slow", DAY, "website"), FaqView("ship", DAY)]
    assert found("物流", views=seen) == ["slow", "ship"]
    for entries in itertools.permutations(FAQ.entries):
        assert [x.entry.id for x in Faq(entries).lookup("物流", views=seen)] == ["slow", "ship"]


@pytest.mark.rule("H-49")
def test_views_are_counted_from_facts() -> None:
    seen = [
        FaqView("ship", datetime(2024, 6, 9, 16, tzinfo=UTC)),  # the tenth in Shanghai
        FaqView("ship", datetime(2024, 6, 10, 15, 59, tzinfo=UTC)),
        FaqView("ship", datetime(2024, 6, 10, 16, tzinfo=UTC)),
        FaqView("gone", DAY),
        FaqView("back", DAY),
    ]
    counts, (problem,) = FAQ.views(seen, since=DAY, until=DAY)
    assert counts == {"ship": 2, "slow": 0, "back": 1}
    assert (problem.rows, problem.given) == ((3,), "gone")


@pytest.mark.rule("H-49")
def test_what_the_board_still_waits_for() -> None:
    board = user_retention.service.board
    items = [
        BoardItem("b1", NINE, "?", topic="price"),
        BoardItem("b2", NINE - 25 * HOUR, "?"),
        BoardItem("b3", NINE - HOUR, "?", answered=NINE),
        BoardItem("b4", NINE - HOUR, "?", answered=NINE + HOUR),
        BoardItem("b5", NINE + HOUR, "?"),
    ]
    for given in itertools.permutations(items):
        still = board.still_open(given, as_of=NINE)
        assert [x.item.id for x in still] == ["b2", "b4", "b1"]
        assert [x.judgement.outcome for x in still] == [Outcome.MISSED, Outcome.DUE, Outcome.DUE]
    (priced,) = board.still_open(items, as_of=NINE, topics={"price"})
    assert priced.judgement.window.closes == (NINE + 24 * HOUR).astimezone(UTC)
    (_, last) = board.still_open([items[0], items[1]], as_of=NINE + 24 * HOUR)
    assert last.judgement.outcome is Outcome.DUE
    quick = MessageBoard(Within(hours=1))
    assert len(quick.still_open(items, as_of=NINE)) == 3


def test_questions_refuse_what_they_cannot_read() -> None:
    with refused(DuplicateError, "Faq.entries"):
        Faq([*FAQ.entries, FAQ.entries[0]])
    with refused(UnknownNameError, "Faq"):
        FAQ.entry("nothing")
    with refused(WrongTypeError, "text"):
        FAQ.lookup(None)  # type: ignore[arg-type]
    with refused(WrongTypeError, "keywords"):
        FaqEntry("a", "b", "c", keywords="word")
    with refused(InvalidValueError, "question"):
        FaqEntry("a", "", "c")
    with refused(InvalidValueError, "until"):
        FAQ.views([], since=DAY, until=date(2024, 1, 1))
    with refused(InvalidValueError, "BoardItem.answered"):
        BoardItem("b", NINE, "?", answered=NINE - HOUR)


# --- H-30: mailboxes and social channels ----------------------------------------------------------

WATCHES = membership.service.watches


@pytest.mark.rule("H-30")
def test_mailbox_and_social_channels_are_checked_daily() -> None:
    done = [
        ChannelCheck("email", NINE - timedelta(days=2), "li"),
        ChannelCheck("email", NINE - timedelta(days=1), "li"),
        ChannelCheck("email", NINE + timedelta(days=1), "li"),
    ]
    since = date(2024, 6, 1)
    for given in itertools.permutations(done):
        social, mail = WATCHES.checks(given, since=since, as_of=NINE)
        assert (mail.channel, mail.last, mail.overdue) == ("email", done[1].at, False)
        assert mail.judgement.window.last_day == DAY
        assert (social.channel, social.last, social.overdue) == (
            "social_private_message", None, True,
        )  # fmt: skip
        assert social.judgement.window.last_day == date(2024, 6, 2)
    for as_of, overdue in ((date(2024, 6, 10), False), (NINE + 15 * HOUR, True)):
        mail = WATCHES.checks(done[:2], since=since, as_of=as_of)[-1]
        assert (mail.channel, mail.overdue) == ("email", overdue)
    fresh = WATCHES.checks([], since=DAY, as_of=NINE)
    assert {str(x.judgement.outcome) for x in fresh} == {"pending"}
    weekly = WATCHES.with_("watches.email.every", After(days=7))
    assert not weekly.checks(done[:2], since=since, as_of=DAY + timedelta(days=6))[-1].overdue


@pytest.mark.rule("H-30")
def test_unread_and_unanswered_messages() -> None:
    watches = WATCHES.with_("watches.email.answer", Within(hours=24))
    messages = [
        InboxMessage("m1", "email", NINE),
        InboxMessage("m2", "email", NINE - 25 * HOUR, read=NINE - HOUR),
        InboxMessage("m3", "email", NINE - HOUR, read=NINE - HOUR, answered=NINE),
        InboxMessage("m4", "social_private_message", NINE - 50 * HOUR, read=NINE + HOUR),
        InboxMessage("m5", "carrier_pigeon", NINE),
        InboxMessage("m6", "email", NINE + HOUR),
        InboxMessage("m7", "email", NINE - HOUR, answered=NINE + HOUR, read=NINE - HOUR),
    ]
    still, (problem,) = watches.still_open(messages, as_of=NINE)
    assert [(x.message.id, x.unread, x.late) for x in still] == [
        ("m4", True, False),
        ("m2", False, True),
        ("m7", False, False),
        ("m1", True, False),
    ]
    assert (problem.rows, problem.given) == ((4,), "carrier_pigeon")


def test_watches_refuse_what_they_cannot_read() -> None:
    row = ChannelWatch("email", After(days=1))
    with refused(DuplicateError, "ChannelWatches.watches"):
        ChannelWatches((row, row))
    with refused(UnknownNameError, "channel"):
        WATCHES.checks([ChannelCheck("fax", NINE, "li")], since=DAY, as_of=NINE)
    with refused(InvalidValueError, "by"):
        ChannelCheck("email", NINE, "")
    with refused(InvalidValueError, "InboxMessage.read"):
        InboxMessage("m", "email", NINE, read=NINE - HOUR)
    with refused(NaiveInstantError, "at"):
        InboxMessage("m", "email", datetime(2024, 6, 1))


# --- H-43: outlets --------------------------------------------------------------------------------


def visit(service: str = "repair", said: str = "", **more: str) -> OutletVisit:
    given: dict[str, str] = {"id": "V-1", "customer": "C-1", "outlet": "south"} | more
    return OutletVisit(
        given["id"], given["customer"], NINE, given["outlet"], service, "li",
        product="phone", result="new screen", said=said, kind="complaint",
    )  # fmt: skip


@pytest.mark.rule("H-43")
def test_a_visit_is_a_record_and_what_was_said_is_feedback() -> None:
    offered = user_retention.service.outlets
    for service in OutletService:
        (record,) = offered.record(visit(service)).or_raise().facts
        assert isinstance(record, ServiceRecord)
        assert (record.service, record.result, record.by) == (service, "new screen", "li")
    record, item = offered.record(visit("maintenance", "too slow")).or_raise().facts
    assert isinstance(item, FeedbackItem)
    assert (item.kind, item.channel, item.matter) == (
        FeedbackKind.COMPLAINT, Entry.OUTLET, "too slow",
    )  # fmt: skip
    assert (item.topic, item.product, item.at, item.customer) == (
        "maintenance",
        "phone",
        NINE,
        "C-1",
    )
    assert isinstance(record, ServiceRecord)
    assert "too slow" not in repr(visit(said="too slow"))


@pytest.mark.rule("H-43")
def test_a_visit_needs_its_names() -> None:
    offered = user_retention.service.outlets
    answer = offered.record(visit(id="", outlet=""))
    assert isinstance(answer, Refused)
    assert answer.missing == ("id", "outlet")
    with refused(UnknownNameError, "service"):
        OutletServices((OutletService.REPAIR,)).record(visit("maintenance"))
    with refused(UnknownNameError, "service"):
        visit("haircut")
    with refused(WrongTypeError, "services"):
        OutletServices("repair")  # type: ignore[arg-type]
