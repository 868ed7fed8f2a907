"""A host's store of cases under a state machine of Hypothesis (X-06).

Services receive, note and merge; some decided on a log as it was. A plain dictionary beside
the store says what must be in it: a merge is in both logs or in none.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from retention.case_merges import CaseFacts, merge
from retention.cases import CaseFact, FeedbackCase
from retention.feedback import Feedback
from retention.intake import FeedbackItem, Receive
from retention.mechanisms.answers import Refused
from retention.mechanisms.workflows import Act
from retention.testing.case_stores import CaseStore
from retention.testing.laws.agreement import agree
from retention.testing.stores import ConflictError

_CASES = st.sampled_from(["K-1", "K-2", "K-3"])


def case_store_machine(
    rules: Feedback, *, make_store: Callable[[], CaseStore]
) -> type[RuleBasedStateMachine]:
    """Return a state machine for a store; ``.TestCase`` of it is a test to collect.

    ``make_store`` returns a store without facts, ``rules`` take complaints from the app.

    >>> from retention.presets import ecommerce
    >>> from retention.testing.case_stores import MemoryCaseStore
    >>> case_store_machine(ecommerce.feedback, make_store=MemoryCaseStore).__name__
    'CaseStoreMachine'
    """

    class CaseStoreMachine(_Machine):
        """The machine over this store."""

        def __init__(self) -> None:
            super().__init__(rules, make_store())

    return CaseStoreMachine


class _Machine(RuleBasedStateMachine):
    """What services do, and what the store must hold after each."""

    def __init__(self, rules: Feedback, store: CaseStore) -> None:
        super().__init__()
        self.handbook, self.store = rules, store
        self.wanted: dict[str, list[CaseFact]] = {}
        self.now = datetime(2024, 6, 3, tzinfo=UTC)

    def _at(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def _case(self, name: str) -> FeedbackCase | None:
        log = self.store.facts(name)
        return self.handbook.replay(log) if log else None

    def _kept(self, *parts: CaseFacts) -> None:
        self.store.append(*parts)
        for part in parts:
            self.wanted.setdefault(part.case, []).extend(part.facts)

    @rule(name=_CASES)
    def receive(self, name: str) -> None:
        """A customer complains; a case that is known is not opened again."""
        at = self._at()
        item = FeedbackItem(f"C of {name}", at, "complaint", "app", matter="m", contact="c",
                            demand="d")  # fmt: skip
        answer = self.handbook.decide(self._case(name), Receive(case=name, item=item, at=at))
        if not isinstance(answer, Refused):
            self._kept(CaseFacts(name, 0, answer.facts))

    @rule(name=_CASES)
    def remark(self, name: str) -> None:
        """Something is noted."""
        case = self._case(name)
        if case is not None:
            act = Act("remark", at=self._at(), by="li", brings={"content": "x"})
            answer = self.handbook.decide(case, act)
            if not isinstance(answer, Refused):
                self._kept(CaseFacts(name, case.sequence, answer.facts))

    @rule(name=_CASES, into=_CASES, behind=st.integers(0, 1))
    def merge(self, name: str, into: str, behind: int) -> None:
        """Two cases are merged, by a service that may have read too early: both or none."""
        case, other = self._case(name), self._case(into)
        if case is None or other is None:
            return
        answer = merge(self.handbook, case, other, at=self._at(), by="li")
        if isinstance(answer, Refused):
            return
        one, two = answer.facts
        if not behind:
            self._kept(one, two)
            return
        late = CaseFacts(two.case, two.expected - 1, two.facts)
        try:
            self.store.append(one, late)
        except ConflictError:
            return
        raise AssertionError(f"law case_store_machine is broken for {name}: no ConflictError")

    @invariant()
    def the_store_holds_what_was_accepted(self) -> None:
        """Every case has just the facts that were accepted, in their order."""
        for name in ("K-1", "K-2", "K-3"):
            kept, wanted = list(self.store.facts(name)), self.wanted.get(name, [])
            agree("case_store_machine", f"the log of {name}", kept=kept, accepted=wanted)
