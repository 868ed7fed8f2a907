"""The rank of every amount: 1 the largest, equal amounts share the best (RC-09)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.mechanisms.ranks import best_ranks


def counted(amounts: list[Any]) -> list[int]:
    """One more than there are larger amounts."""
    return [1 + sum(other > each for other in amounts) for each in amounts]


@pytest.mark.rule("RC-09")
@given(st.lists(st.integers(-5, 5) | st.integers(-(2**63), 2**63 - 1), max_size=40))
def test_ranks_of_whole_numbers(amounts: list[int]) -> None:
    assert best_ranks(np.array(amounts, np.int64)).tolist() == counted(amounts)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint64, np.float32])
@given(data=st.data())
def test_ranks_in_every_type(kind: type[np.generic], data: st.DataObject) -> None:
    low = 0 if np.dtype(kind).kind == "u" else -100
    amounts = data.draw(st.lists(st.integers(low, 100), max_size=40))
    assert best_ranks(np.array(amounts, kind)).tolist() == counted(amounts)


@given(st.lists(st.floats(allow_nan=False), max_size=40))
def test_ranks_of_floats(amounts: list[float]) -> None:
    assert best_ranks(np.array(amounts, float)).tolist() == counted(amounts)


def test_a_missing_amount_stands_above_all() -> None:
    assert best_ranks(np.array([1.0, np.nan, 2.0, np.nan, 2.0])).tolist() == [5, 1, 3, 1, 3]
    assert best_ranks(np.array([2**64 - 1, 0, 2**63], np.uint64)).tolist() == [1, 3, 2]


def test_numbers_far_apart() -> None:
    ends = np.array([2**63 - 1, -(2**63), 0, 0, -(2**63)])
    assert best_ranks(ends).tolist() == [1, 4, 2, 2, 4]
