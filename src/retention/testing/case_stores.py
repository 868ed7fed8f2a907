"""A store of cases as a protocol, and one in memory to test with (X-06).

What concerns two cases is appended together or not at all, so that no merge is done by halves:
a store needs one transaction over several logs, each with the number of facts that was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from attrs import define, field

from retention.case_merges import CaseFacts
from retention.cases import CaseFact
from retention.testing.stores import ConflictError, KeyReusedError


class CaseStore(Protocol):
    """What a host's store must do, one log of facts for each case."""

    def facts(self, case: str) -> Sequence[CaseFact]:
        """Return all facts of a case, in the order in which they were appended."""
        ...

    def append(self, *parts: CaseFacts) -> None:
        """Append all of these facts or none, if every log has just its ``expected`` facts.

        Raises :class:`~retention.testing.stores.KeyReusedError` when a key stands in the log of
        its case, which is looked at first, and
        :class:`~retention.testing.stores.ConflictError` when a log has another number of facts.
        """


@define
class MemoryCaseStore:
    """A store that forgets everything with the process.

    >>> MemoryCaseStore().facts("K-1")
    ()
    """

    logs: dict[str, list[CaseFact]] = field(factory=dict)

    def facts(self, case: str) -> Sequence[CaseFact]:
        """Return all facts of a case, in the order in which they were appended."""
        return tuple(self.logs.get(case, ()))

    def append(self, *parts: CaseFacts) -> None:
        """Append all of these facts or none, if every log has just its ``expected`` facts."""
        for part in parts:
            kept = self.logs.get(part.case, [])
            for key in dict.fromkeys(fact.key for fact in part.facts if fact.key):
                if any(fact.key == key for fact in kept):
                    raise KeyReusedError(part.case, key, "earlier=...")
        for part in parts:
            found = len(self.logs.get(part.case, []))
            if found != part.expected:
                raise ConflictError(part.case, part.expected, str(found))
        for part in parts:
            self.logs.setdefault(part.case, []).extend(part.facts)
