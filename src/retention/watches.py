"""Mailboxes and social channels that somebody must look into: checks due, messages open (H-30).

How often is a row of the handbook, blank in all five and assumed daily. The next check is due
one interval after the last one (AMB-31). Reading a mailbox is the host's work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from attrs import field, frozen

from retention.mechanisms.acts import timed, who
from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.errors import DuplicateError, InvalidValueError, UnknownNameError
from retention.mechanisms.obligations import After, Judgement, Outcome, Within, judge
from retention.mechanisms.open_time import micros
from retention.mechanisms.periods import AsOf, When, in_utc, local_date, zone_of
from retention.mechanisms.policies import Policy, policy


def _instant(_: object, attribute: Any, value: Any) -> None:  # noqa: ANN401
    if value is not None:
        micros(value, attribute.name)


@frozen
class ChannelCheck:
    """Somebody looked into a channel."""

    channel: str
    at: When = field(validator=timed)
    by: str = field(validator=who)


@frozen
class InboxMessage:
    """A message that came in: when it was read, and when it was answered; never its text."""

    id: str
    channel: str
    at: datetime = field(validator=_instant)
    read: datetime | None = field(default=None, validator=_instant)
    answered: datetime | None = field(default=None, validator=_instant)

    def __attrs_post_init__(self) -> None:
        for name in ("read", "answered"):
            value = getattr(self, name)
            if value is not None and in_utc(value) < in_utc(self.at):
                raise InvalidValueError(f"InboxMessage.{name}", value, f"{self.at} or later")


@policy
class ChannelWatch(Policy):
    """One channel to look into: how often, and how soon its messages are answered."""

    channel: str
    every: After
    answer: Within | None = None

    @property
    def key(self) -> str:
        """Name as a row of a table."""
        return self.channel


@frozen
class CheckDue:
    """The check of a channel that is open now."""

    channel: str
    last: When | None  # the last check; None: nobody has looked yet
    judgement: Judgement

    @property
    def overdue(self) -> bool:
        """Whether the last day for it has passed."""
        return self.judgement.outcome is Outcome.MISSED


@frozen
class OpenMessage:
    """A message that was not read, or read and not answered, and whether its limit has passed."""

    message: InboxMessage
    unread: bool
    late: bool


@policy
class ChannelWatches(Policy):
    """The channels of one handbook that are watched.

    >>> from datetime import date
    >>> watches = ChannelWatches((ChannelWatch("mailbox", After(days=1)),))
    >>> done = [ChannelCheck("mailbox", date(2024, 6, 3), "li")]
    >>> (check,) = watches.checks(done, since=date(2024, 6, 1), as_of=date(2024, 6, 5))
    >>> check.overdue, str(check.judgement.window.last_day)
    (True, '2024-06-04')
    """

    watches: tuple[ChannelWatch, ...] = field(converter=tuple)
    rule: str = "H-30"
    zone: str = "Asia/Shanghai"

    def __attrs_post_init__(self) -> None:
        names = [row.channel for row in self.watches]
        if len(set(names)) < len(names):
            raise DuplicateError("ChannelWatches.watches", max(names, key=names.count))

    def checks(
        self, done: Iterable[ChannelCheck], *, since: When, as_of: When
    ) -> tuple[CheckDue, ...]:
        """Return the check of every channel that is open now, the earliest deadline first.

        ``since`` is when watching began: the first check counts from it.
        """
        zone = zone_of(self.zone)
        view = AsOf.at(as_of, zone)
        times: dict[str, list[When]] = {row.channel: [] for row in self.watches}
        for check in done:
            if check.channel not in times:
                raise UnknownNameError("channel", check.channel, list(times))
            if view.knows(check.at):
                times[check.channel].append(check.at)
        found = [self._check(row, times[row.channel], since, as_of) for row in self.watches]
        return tuple(sorted(found, key=lambda x: (x.judgement.window.closes, x.channel)))

    def _check(self, row: ChannelWatch, times: list[When], since: When, as_of: When) -> CheckDue:
        zone = zone_of(self.zone)
        *_, window = row.every.windows(since, zone=zone, done=times)
        last = max(times, key=lambda x: local_date(x, zone)) if times else None
        return CheckDue(row.channel, last, judge(window, times, as_of=as_of))

    def still_open(
        self, messages: Iterable[InboxMessage], *, as_of: datetime
    ) -> tuple[tuple[OpenMessage, ...], tuple[Problem, ...]]:
        """Return what was not read or not answered, the oldest first.

        Messages of channels that nobody watches are set aside with their rows.
        """
        now = AsOf.at(as_of, zone_of(self.zone))
        rows = {row.channel: row for row in self.watches}
        found, strange = list[OpenMessage](), list[tuple[int, str]]()
        for number, message in enumerate(messages):
            if message.channel not in rows:
                strange.append((number, message.channel))
            elif now.knows(message.at):
                found += self._open(rows[message.channel], message, as_of)
        ordered = sorted(found, key=lambda x: (in_utc(x.message.at), x.message.id))
        if not strange:
            return tuple(ordered), ()
        numbers = tuple(number for number, _ in strange)
        problem = Problem(Code.UNKNOWN_REFERENCE, numbers, strange[0][1], ", ".join(rows))
        return tuple(ordered), (problem,)

    def _open(
        self, row: ChannelWatch, message: InboxMessage, as_of: datetime
    ) -> Iterator[OpenMessage]:
        zone = zone_of(self.zone)
        now = AsOf.at(as_of, zone)
        if message.answered is not None and now.knows(message.answered):
            return
        unread = message.read is None or not now.knows(message.read)
        late = False
        if row.answer is not None:
            (window,) = row.answer.windows(message.at, zone=zone)
            late = judge(window, (), as_of=as_of).outcome is Outcome.MISSED
        yield OpenMessage(message, unread, late)
