"""What the oracles know of a customer: days, amounts and kinds, as simple as can be."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass
class Shopper:
    purchases: list[tuple[date, int]] = field(default_factory=list)
    returns: list[tuple[date, int]] = field(default_factory=list)
    contacts: list[tuple[date, str]] = field(default_factory=list)

    def until(self, as_of: date) -> Shopper:
        return Shopper(
            [fact for fact in self.purchases if fact[0] <= as_of],
            [fact for fact in self.returns if fact[0] <= as_of],
            [fact for fact in self.contacts if fact[0] <= as_of],
        )

    @property
    def days(self) -> list[date]:
        return [day for day, _ in self.purchases]

    @property
    def spend(self) -> int:
        return sum(amount for _, amount in self.purchases) - sum(x for _, x in self.returns)
