"""Intake: what came in, from whom, through which entry, and what a form must hold.

Feedback of every kind is one item (H-01); a handbook says which entries it opens and which
fields its form needs (H-02, H-12, H-13). What happens to the item then is ``feedback``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import attrs
from attrs import field, frozen

from retention.mechanisms.acts import Command, Fact, timed, who
from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.choices import member
from retention.mechanisms.errors import InvalidValueError, UnknownNameError, WrongTypeError
from retention.mechanisms.obligations import Judgement, Limit, judge
from retention.mechanisms.periods import When, zone_of
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.words import Word


class FeedbackKind(Word):
    """Kinds of feedback (H-01); the last four are extensions."""

    INQUIRY = "inquiry", "咨询"
    COMPLAINT = "complaint", "投诉"
    SUGGESTION = "suggestion", "建议"
    FAULT = "fault", "故障报修"
    PRAISE = "praise", "表扬评价"
    AFTER_SALES = "after_sales", "售后申请"
    BENEFIT = "benefit", "会员权益投诉"


class Entry(Word):
    """Where feedback comes in (H-12)."""

    MAILBOX = "mailbox", "意见邮箱"
    ONLINE_CHAT = "online_chat", "在线客服"
    HOTLINE = "hotline", "客服热线"
    APP = "app", "APP投诉建议"
    COMPLAINT_DESK = "complaint_desk", "专门投诉渠道"
    PHONE = "phone", "客服电话"
    THIRD_PARTY = "third_party", "第三方平台"
    EMAIL = "email", "电子邮件"
    SOCIAL_PRIVATE_MESSAGE = "social_private_message", "社交媒体私信"
    OUTLET = "outlet", "服务网点"


class Intake(Word):
    """The command with which a case begins."""

    RECEIVE = "receive", "受理"


def _kind(given: FeedbackKind | str) -> FeedbackKind:
    return member(FeedbackKind, given, "kind")


def _entry(given: Entry | str) -> Entry:
    return member(Entry, given, "channel")


def _texts(given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise WrongTypeError("evidence", given, "several texts in a list")
    return tuple(given)


@frozen
class FeedbackItem:
    """One piece of feedback as it came in; what people wrote stays out of ``repr``.

    ``topic`` says what it is about and ``cause`` what was behind it, each in a word of the
    handbook; recurrence, groups and rankings go by them.
    """

    customer: str | int
    at: When = field(validator=timed)  # when the customer said it
    kind: FeedbackKind = field(converter=_kind)
    channel: Entry = field(converter=_entry)
    matter: str = field(default="", repr=False, kw_only=True)
    demand: str = field(default="", repr=False, kw_only=True)
    contact: str = field(default="", repr=False, kw_only=True)  # basic information of the person
    evidence: tuple[str, ...] = field(default=(), converter=_texts, repr=False, kw_only=True)
    topic: str = field(default="", kw_only=True)
    cause: str = field(default="", kw_only=True)
    order: str = field(default="", kw_only=True)
    product: str = field(default="", kw_only=True)


@frozen(kw_only=True)
class Receive(Command):
    """Open a case for an item; ``at`` is when it reached the central record."""

    name: ClassVar[Intake] = Intake.RECEIVE

    case: str
    item: FeedbackItem
    by: str = field(default="customer", validator=who)


@frozen(kw_only=True)
class Received(Fact):
    """A case was opened for an item."""

    name: ClassVar[Intake] = Intake.RECEIVE

    case: str
    item: FeedbackItem
    policy: str = ""  # fingerprint of the handbook under which it was opened


@policy
class IntakeForm(Policy):
    """Which kinds and entries are open, what must be given, and how soon it must be recorded.

    >>> from datetime import date
    >>> form = IntakeForm(required=("matter", "demand"))
    >>> item = FeedbackItem("C-1", date(2024, 6, 1), "complaint", "app", matter="parcel damaged")
    >>> form.missing(item)
    ('demand',)
    """

    kinds: tuple[FeedbackKind, ...] = field(default=(), converter=tuple)  # empty: every kind
    entries: tuple[Entry, ...] = field(default=(), converter=tuple)  # empty: every entry
    required: tuple[str, ...] = field(default=(), converter=tuple)
    record: Limit | None = None  # from what the customer said to the central record
    zone: str = "Asia/Shanghai"

    def __attrs_post_init__(self) -> None:
        known = [each.name for each in attrs.fields(FeedbackItem)]
        for name in self.required:
            if name not in known:
                raise UnknownNameError("IntakeForm.required", name, known)

    def missing(self, item: FeedbackItem) -> tuple[str, ...]:
        """Return the required fields that an item does not fill (H-02, H-13)."""
        return tuple(name for name in self.required if not getattr(item, name))

    def check(self, item: FeedbackItem) -> FeedbackItem:
        """Return an item that this handbook takes; refuse everything else."""
        if self.kinds and item.kind not in self.kinds:
            raise UnknownNameError("kind", item.kind, [str(x) for x in self.kinds])
        if self.entries and item.channel not in self.entries:
            raise UnknownNameError("channel", item.channel, [str(x) for x in self.entries])
        if missing := self.missing(item):
            raise InvalidValueError("item", f"without {', '.join(missing)}", "a complete form")
        return item

    def checked(
        self, items: Iterable[FeedbackItem]
    ) -> tuple[tuple[FeedbackItem, ...], tuple[Problem, ...]]:
        """Return the items that can be taken, and the others as problems with their numbers."""
        good: list[FeedbackItem] = []
        problems: list[Problem] = []
        for row, item in enumerate(items):
            try:
                good.append(self.check(item))
            except (InvalidValueError, UnknownNameError) as no:
                allowed = no.allowed if isinstance(no.allowed, str) else ", ".join(no.allowed)
                problems.append(Problem(Code.BAD_FORM, (row,), str(no.given), allowed))
        return tuple(good), tuple(problems)

    def recorded(self, item: FeedbackItem, at: When, *, as_of: When) -> Judgement | None:
        """Say whether an item reached the central record in time (H-12); None without a limit."""
        if self.record is None:
            return None
        limit: Any = self.record
        (window,) = limit.windows(item.at, zone=zone_of(self.zone))
        return judge(window, [at], as_of=as_of)
