"""RC-09 and AMB-01: rank shares, by sorting and with fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def ranks(amounts: Sequence[int], orders: Sequence[int] | None = None) -> list[int]:
    """Rank 1 is the largest; equal ones share the best rank."""
    keys = list(zip(amounts, orders if orders is not None else [0] * len(amounts), strict=True))
    descending = sorted(keys, reverse=True)
    return [descending.index(key) + 1 for key in keys]


def bands(
    amounts: Sequence[int],
    shares: Sequence[str],
    *,
    orders: Sequence[int] | None = None,
    ceil: bool = False,
) -> list[int]:
    """Number of the first band whose bound holds; zero is never above the lowest band."""
    found = []
    for amount, rank in zip(amounts, ranks(amounts, orders), strict=True):
        fits = [rank <= allowed(len(amounts), share, ceil=ceil) for share in shares]
        lowest = len(shares)
        found.append(fits.index(True) + 1 if amount > 0 and True in fits else lowest)
    return found


def allowed(number: int, share: str, *, ceil: bool) -> Fraction | int:
    """Largest rank within a share: p = rank / N <= x, or rank <= ceil(N x)."""
    bound = number * Fraction(share)
    return -(-bound.numerator // bound.denominator) if ceil else bound
