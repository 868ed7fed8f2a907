"""The store in memory keeps what a host's store must keep, and a careless one is found out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import Phase, settings
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
        # It is enough to find one: nobody reads the shortest.
        run_state_machine_as_test(machine, settings=settings(phases=[Phase.generate]))


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


def test_somebody_behind_has_read_whole_appends() -> None:
    """A late redemption appends two facts: itself, and what it changes of the one after it."""
    machine: Any = laws.ledger_store_machine(make_store=MemoryLedgerStore)()
    machine.redeem(stream="M-1", points=10)  # refused, for nothing is there
    machine.earn(stream="M-1", points=12, source="o-1", days=0)
    machine.earn(stream="M-1", points=12, source="o-2", days=1)
    machine.redeem(stream="M-1", points=12)
    machine.repeat(data=SimpleNamespace(draw=lambda _: machine.sent[0]))
    names = [type(fact).__name__ for fact in machine.store.facts("M-1")]
    assert names == ["Earned", "Earned", "Redeemed", "Redeemed", "Rebooked"]
    machine.conflict(stream="M-1", points=1, behind=1)
    machine.the_store_holds_what_was_accepted()
    assert len(machine.store.facts("M-1")) == 6
