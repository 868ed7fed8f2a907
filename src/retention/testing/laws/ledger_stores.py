"""A host's store of facts under a state machine of Hypothesis (X-06).

What services do to a store: read, decide, append; too late; twice; without hearing the answer.
A plain dictionary beside it says what must be in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from retention.ledger import PointsPolicy
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.points import Earn, PointsFact, PointsOrder, Redeem, ReverseEarning
from retention.testing.laws.agreement import agree
from retention.testing.stores import ConflictError, KeyReusedError, LedgerStore

_POLICY = PointsPolicy()
_STREAMS = st.sampled_from(["M-1", "M-2"])
_POINTS = st.integers(1, 30)
_DAYS = st.integers(0, 3)


def ledger_store_machine(*, make_store: Callable[[], LedgerStore]) -> type[RuleBasedStateMachine]:
    """Return a state machine for a store; ``.TestCase`` of it is a test to collect.

    ``make_store`` returns a store without facts.

    >>> from retention.testing.stores import MemoryLedgerStore
    >>> ledger_store_machine(make_store=MemoryLedgerStore).__name__
    'LedgerStoreMachine'
    """

    class LedgerStoreMachine(_Machine):
        """The machine over this store."""

        def new_store(self) -> LedgerStore:
            return make_store()

    return LedgerStoreMachine


class _Machine(RuleBasedStateMachine):
    """Commands, late and repeated ones, and what the store must hold after each."""

    def __init__(self) -> None:
        super().__init__()
        self.store = self.new_store()
        self.wanted: dict[str, list[PointsFact]] = {"M-1": [], "M-2": []}
        self.sent: list[tuple[str, PointsOrder]] = []
        self.day = date(2024, 1, 1)
        self.number = 0

    def new_store(self) -> LedgerStore:
        raise NotImplementedError

    # --- what a service does ---

    def _service(self, stream: str, command: PointsOrder) -> Sequence[PointsFact]:
        """Read, decide, append; return what was appended."""
        account = _POLICY.replay(stream, self.store.facts(stream))
        earlier = self.store.earlier(stream, command.key)
        answer = _POLICY.decide(account, command, earlier=earlier)
        if isinstance(answer, Refused) or earlier:
            return ()
        self.store.append(stream, answer.facts, expected=account.sequence)
        self.wanted[stream] += answer.facts
        return answer.facts

    def _new(self, stream: str, command: PointsOrder) -> None:
        self.sent.append((stream, command))
        self._service(stream, command)

    def _said(self) -> dict[str, object]:
        self.number += 1
        return {"at": self.day, "by": "ann", "key": f"k-{self.number}"}

    # --- rules ---

    @rule(stream=_STREAMS, points=_POINTS, source=st.sampled_from(["o-1", "o-2"]), days=_DAYS)
    def earn(self, stream: str, points: int, source: str, days: int) -> None:
        """Points are earned, on this day or a later one."""
        self.day += timedelta(days=days)
        self._new(stream, Earn(points, source, **self._said()))  # type: ignore[arg-type]

    @rule(stream=_STREAMS, points=_POINTS)
    def redeem(self, stream: str, points: int) -> None:
        """Points are spent, if there are enough; a refusal appends nothing."""
        self._new(stream, Redeem(points, **self._said()))  # type: ignore[arg-type]

    @rule(stream=_STREAMS, source=st.sampled_from(["o-1", "o-2"]))
    def reverse(self, stream: str, source: str) -> None:
        """A source is reversed: a command of several facts, all or none of which are kept."""
        self._new(stream, ReverseEarning(source, **self._said()))  # type: ignore[arg-type]

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """A command comes again, for nobody heard the answer: what is kept does not change."""
        stream, command = data.draw(st.sampled_from(self.sent))
        kept = tuple(x for x in self.wanted[stream] if x.key == command.key)
        if not kept:
            self._service(stream, command)  # it was refused: it may be accepted now
            return
        account = _POLICY.replay(stream, self.store.facts(stream))
        answer = _POLICY.decide(account, command, earlier=self.store.earlier(stream, command.key))
        facts = answer.facts if isinstance(answer, Accepted) else answer
        agree("ledger_store_machine", f"{command} again", again=facts, kept=kept)

    @precondition(lambda self: any(self.wanted.values()))
    @rule(data=st.data(), more=st.integers(1, 3))
    def reuse(self, data: st.DataObject, more: int) -> None:
        """The key of a command comes with another body, past a service that did not look."""
        stream = data.draw(st.sampled_from([x for x, log in self.wanted.items() if log]))
        key = data.draw(st.sampled_from([x.key for x in self.wanted[stream]]))
        other = Earn(more, "another", at=self.day, by="eve", key=key)
        account = _POLICY.replay(stream, self.wanted[stream])
        kept = self.store.earlier(stream, key)
        refused = _POLICY.decide(account, other, earlier=kept)
        code = refused.code if isinstance(refused, Refused) else None
        agree("ledger_store_machine", f"key {key} again", code=code, wanted=Code.KEY_REUSED)
        facts = _POLICY.decide(account, other).or_raise().facts
        self._raises(KeyReusedError, stream, facts, account.sequence)

    @rule(stream=_STREAMS, points=_POINTS, behind=st.integers(1, 3))
    def conflict(self, stream: str, points: int, behind: int) -> None:
        """Somebody decided on an account as it was: the store takes nothing, the retry holds."""
        log = self.wanted[stream]
        keys = list(dict.fromkeys(fact.key for fact in log))
        if len(keys) < behind:
            return
        command = Earn(points, "o-3", **self._said())  # type: ignore[arg-type]
        # Without whole appends: a log that ends inside one was never there to be read.
        newer = keys[-behind:]
        old = _POLICY.replay(stream, [fact for fact in log if fact.key not in newer])
        facts = _POLICY.decide(old, command).or_raise().facts
        self._raises(ConflictError, stream, facts, old.sequence)
        self._new(stream, command)

    def _raises(
        self, kind: type[Exception], stream: str, facts: Sequence[PointsFact], expected: int
    ) -> None:
        try:
            self.store.append(stream, facts, expected=expected)
        except kind:
            return
        raise AssertionError(
            f"law ledger_store_machine is broken for {stream}: no {kind.__name__} for {facts}"
        )

    @invariant()
    def the_store_holds_what_was_accepted(self) -> None:
        """Every account has just the facts that were accepted, in their order."""
        for stream, log in self.wanted.items():
            kept = list(self.store.facts(stream))
            agree("ledger_store_machine", f"the log of {stream}", kept=kept, accepted=log)
            for key in {fact.key for fact in log}:
                mine = [fact for fact in log if fact.key == key]
                told = list(self.store.earlier(stream, key))
                agree("ledger_store_machine", f"key {key}", earlier=told, kept=mine)
