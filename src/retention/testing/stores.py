"""A store of facts as a protocol, and one in memory to test with (X-06).

The host keeps the facts; the ledger only says which. A store needs two guarantees, and both
are unique keys of a table: facts are appended after the sequence that was read, or not at all
(:class:`Conflict`), and a command's key is used once, part by part (:class:`KeyReused`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from attrs import define, field

from retention.mechanisms.errors import RetentionError
from retention.points import PointsFact


class ConflictError(RetentionError):
    """Somebody else has appended in the meantime: read again, decide again."""

    code = "conflict"
    en = "{where}: {given} is not the sequence of the log any more; it is {allowed}: decide again"
    zh = "{where}：{given} 已不是最新序号；现为 {allowed}：请重新判断"


class KeyReusedError(RetentionError):
    """The key of this command is in the log already; its facts are those of the first time."""

    code = "key_reused"
    en = "{where}: the key {given} is used already; read its facts and give {allowed}"
    zh = "{where}：编号 {given} 已使用；请读取其记录并提供 {allowed}"


class LedgerStore(Protocol):
    """What a host's store must do, one log of facts for each account."""

    def facts(self, stream: str) -> Sequence[PointsFact]:
        """Return all facts of an account, in the order in which they were appended."""
        ...

    def earlier(self, stream: str, key: str) -> Sequence[PointsFact]:
        """Return the facts of an account under one key; none for a key never used."""
        ...

    def append(self, stream: str, facts: Sequence[PointsFact], *, expected: int) -> None:
        """Append all of these facts or none, if the log has just ``expected`` facts.

        Raises :class:`KeyReusedError` when their key stands in the log, which is looked at
        first, and :class:`ConflictError` when it has another number of facts.
        """
        ...


@define
class MemoryLedgerStore:
    """A store that forgets everything with the process.

    >>> store = MemoryLedgerStore()
    >>> store.facts("M-1"), store.earlier("M-1", "O-1")
    ((), ())
    """

    logs: dict[str, list[PointsFact]] = field(factory=dict)

    def facts(self, stream: str) -> Sequence[PointsFact]:
        """Return all facts of an account, in the order in which they were appended."""
        return tuple(self.logs.get(stream, ()))

    def earlier(self, stream: str, key: str) -> Sequence[PointsFact]:
        """Return the facts of an account under one key; none for a key never used."""
        return tuple(fact for fact in self.logs.get(stream, ()) if key and fact.key == key)

    def append(self, stream: str, facts: Sequence[PointsFact], *, expected: int) -> None:
        """Append all of these facts or none, if the log has just ``expected`` facts."""
        log = self.logs.setdefault(stream, [])
        for key in dict.fromkeys(fact.key for fact in facts if fact.key):
            if any(kept.key == key for kept in log):
                raise KeyReusedError(stream, key, "earlier=...")
        if len(log) != expected:
            raise ConflictError(stream, expected, str(len(log)))
        log.extend(facts)
