"""The store in memory keeps what a host's store must keep, and a careless one is found out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis.stateful import run_state_machine_as_test

from retention.ledger import PointsPolicy
from retention.points import Earn, PointsFact
from retention.testing import laws
from retention.testing.stores import ConflictError, KeyReusedError, MemoryLedgerStore
from tests.refusals import refused

DAY = date(2024, 1, 1)

TestMemoryLedgerStore = pytest.mark.rule("X-06")(
    laws.ledger_store_machine(make_store=MemoryLedgerStore).TestCase
)


class Careless(MemoryLedgerStore):
    """A store that appends wherever the log has got to."""

    def append(self, stream: str, facts: Sequence[PointsFact], *, expected: int) -> None:
        super().append(stream, facts, expected=len(self.facts(stream)))


class Torn(MemoryLedgerStore):
    """A store that keeps the first of two facts and loses the other."""

    def append(self, stream: str, facts: Sequence[PointsFact], *, expected: int) -> None:
        super().append(stream, facts[:1], expected=expected)


class Keyless(MemoryLedgerStore):
    """A store that takes a key twice."""

    def append(self, stream: str, facts: Sequence[PointsFact], *, expected: int) -> None:
        if len(self.facts(stream)) != expected:
            raise ConflictError(stream, expected, "another")
        self.logs.setdefault(stream, []).extend(facts)


@pytest.mark.parametrize("store", [Careless, Torn, Keyless])
def test_a_careless_store_is_found_out(store: type[MemoryLedgerStore]) -> None:
    machine = laws.ledger_store_machine(make_store=store)
    with pytest.raises(Exception, match=r"ledger_store_machine|sequence"):
        run_state_machine_as_test(machine)


def test_a_store_refuses_a_late_append_and_a_used_key() -> None:
    store, policy = MemoryLedgerStore(), PointsPolicy()
    facts = (
        policy.decide(policy.start("M-1"), Earn(5, "O-1", at=DAY, by="shop", key="O-1"))
        .or_raise()
        .facts
    )
    store.append("M-1", facts, expected=0)
    with refused(KeyReusedError, "M-1", given="O-1"):
        store.append("M-1", facts, expected=1)
    other = policy.decide(policy.start("M-1"), Earn(5, "O-2", at=DAY, by="shop")).or_raise().facts
    with refused(ConflictError, "M-1", given=0, allowed="1"):
        store.append("M-1", other, expected=0)
    assert store.facts("M-1") == facts
    assert store.facts("M-2") == ()
