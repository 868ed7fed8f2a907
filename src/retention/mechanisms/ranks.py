"""Rank shares, and how a limit on a share becomes a limit on an amount.

Position p = rank / N, rank 1 the largest (RC-09). Equal amounts share the best rank, so the
question "is this one within the first x %?" depends on the amount alone: it is whether the
amount reaches the k-th largest, with k the largest rank allowed. That amount is the *pin*;
a pinned rule is local to one row and needs neither the population nor N. Shares are compared
as integers, never as floats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from retention.mechanisms.choices import member
from retention.mechanisms.errors import InvalidValueError, WrongTypeError
from retention.mechanisms.periods import When
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.rules import Limit, Rule
from retention.mechanisms.words import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Rounding(Word):
    """How a share of a small population becomes a number of ranks (AMB-01)."""

    EXACT = "exact", "精确"
    CEIL = "ceil", "向上取整"


class Ties(Word):
    """What happens to customers with the same amount (RC-09)."""

    SHARE_BEST = "share_best", "并列取最佳名次"
    BY_FREQUENCY = "by_frequency", "按购买次数区分"


def _rounding(given: object) -> Rounding:
    return member(Rounding, given, "rounding")


@policy
class Ranking(Policy):
    """How shares of a population are read: ties and rounding."""

    ties: Ties = field(
        default=Ties.SHARE_BEST, converter=lambda given: member(Ties, given, "Ranking.ties")
    )
    rounding: Rounding = field(default=Rounding.EXACT, converter=_rounding)


@frozen
class Pin:
    """When the shares of a population were last turned into amounts, and how large it was."""

    as_of: When
    population: int

    def __str__(self) -> str:
        """Return day and size as one text."""
        return f"{self.as_of}, {self.population} customers"


def exact(share: float | Fraction) -> Fraction:
    """Return a share as it was written: 0.35 is 35/100, not the nearest binary number.

    >>> exact(0.35) * 180
    Fraction(63, 1)
    """
    if isinstance(share, bool) or not isinstance(share, int | float | Fraction):
        raise WrongTypeError("share", share, "a number such as 0.2")
    if not math.isfinite(share):
        raise InvalidValueError("share", share, "a finite number such as 0.2")
    return Fraction(str(share))


@frozen(eq=False)
class Population:
    """The amounts that a share ranks, and what breaks ties between equal ones.

    >>> import numpy as np
    >>> ten = Population("spend_minor", np.array([12, 10, 8, 6, 5, 4, 3, 2, 1, 0]))
    >>> str(ten.at_most(0.2)), str(ten.at_most(0.05))
    ('spend_minor >= 10', 'spend_minor >= inf')
    """

    measure: str
    amounts: NDArray[Any]
    tie_measure: str = ""
    tie_values: NDArray[Any] | None = None
    rounding: Rounding = field(default=Rounding.EXACT, converter=_rounding)

    def at_most(self, share: float) -> Rule:
        """Return the rule on the amount that says "rank share at most this"."""
        number = len(self.amounts) * exact(share)
        upwards = self.rounding is Rounding.CEIL
        return self._within(math.ceil(number) if upwards else math.floor(number), all=share >= 1)

    def below(self, share: float) -> Rule:
        """Return the rule on the amount that says "rank share below this"."""
        return self._within(math.ceil(len(self.amounts) * exact(share)) - 1, all=share > 1)

    def _within(self, rank: int, *, all: bool) -> Rule:  # noqa: A002  it says what it means
        """Hold for the amounts whose best rank is within ``rank``; the whole holds everybody."""
        if all:
            return Limit(self.measure, ">=", -math.inf)
        if rank <= 0 or not len(self.amounts):
            return Limit(self.measure, ">=", math.inf)  # the share is too small for anybody
        rank = min(rank, len(self.amounts))
        amount, tie = self._at(rank)
        if amount <= 0:
            return Limit(self.measure, ">", 0)  # zero never ranks above the lowest band
        if tie is None:
            return Limit(self.measure, ">=", amount)
        equal = Limit(self.measure, "==", amount) & Limit(self.tie_measure, ">=", tie)
        return Limit(self.measure, ">", amount) | equal

    def _at(self, rank: int) -> tuple[Any, Any]:
        """Return amount and tie breaker of the customer with this rank."""
        import numpy as np

        if self.tie_values is None:
            at = len(self.amounts) - rank
            return np.partition(self.amounts, at)[at].item(), None
        order = np.lexsort((self.tie_values, self.amounts))
        row = order[len(order) - rank]
        return self.amounts[row].item(), self.tie_values[row].item()


def best_ranks(amounts: NDArray[Any]) -> NDArray[np.int64]:
    """Rank of every amount, 1 the largest, equal amounts share the best.

    >>> import numpy as np
    >>> best_ranks(np.array([10, 30, 10, 20])).tolist()
    [3, 1, 3, 2]
    """
    import numpy as np

    order, rising = _sorted(amounts)
    new = rising[1:] != rising[:-1]
    if rising.dtype.kind == "f":
        new &= rising[:-1] == rising[:-1]  # NaN counts as the largest amount, and as equal
    ends = np.append(np.flatnonzero(new) + 1, len(amounts))
    ranks = np.empty(len(amounts), np.int64)
    ranks[order] = np.repeat(len(amounts) + 1 - ends, np.diff(ends, prepend=0))
    return ranks


def _sorted(amounts: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Rows in the order of rising amounts, and the amounts in it, up to a constant.

    Amount and row in one word sort several times as fast as rows by their amounts.
    """
    import numpy as np

    bits = len(amounts).bit_length()
    low, high = (
        int(f(initial=0)) if amounts.dtype.kind in "iu" else 0 for f in (amounts.min, amounts.max)
    )
    if amounts.dtype.kind not in "iu" or (high - low).bit_length() + bits > 63:  # noqa: PLR2004
        order = np.argsort(amounts)
        return order, amounts[order]
    # Differences are right modulo 2**64, whatever the type of the amounts.
    words = (amounts.astype(np.uint64) - np.uint64(low % 2**64)).astype(np.int64)
    words <<= bits
    words |= np.arange(len(amounts))
    words.sort()
    return words & (2**bits - 1), words >> bits


def pin(rule: Rule, populations: Mapping[str, Population]) -> Rule:
    """Return the rule with every limit on a rank share turned into one on the amount.

    ``populations`` says for the name of each share measure whom it ranks. The limit as it was
    written stays as a note, so that reasons can name it.

    >>> import numpy as np
    >>> from retention.mechanisms.rules import parse
    >>> top = Population("spend_minor", np.arange(1, 101))
    >>> str(pin(parse("spend_share <= 0.2 and orders >= 2"), {"spend_share": top}))
    'spend_minor >= 81 and orders >= 2'
    """

    def change(limit: Limit) -> Rule:
        population = populations.get(limit.measure)
        if population is None:
            return limit
        note = str(limit)
        return _on_amount(limit, population).replaced(
            lambda new: Limit(new.measure, new.relation, new.limit, note=note)
        )

    return rule.replaced(change)


def _on_amount(limit: Limit, population: Population) -> Rule:
    match limit.relation:
        case "<=":
            return population.at_most(limit.limit)
        case "<":
            return population.below(limit.limit)
        case ">":
            return ~population.at_most(limit.limit)
        case ">=":
            return ~population.below(limit.limit)
        case "between":
            return ~population.below(limit.limit[0]) & population.at_most(limit.limit[1])
        case "outside":
            return population.below(limit.limit[0]) | ~population.at_most(limit.limit[1])
        case "missing" | "known":
            return Limit(population.measure, limit.relation)
        case _:
            allowed = "<=, <, >=, >, or a range of shares"
            raise InvalidValueError(str(limit), limit.relation, allowed)
