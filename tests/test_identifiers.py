"""Ids of customers as codes: exact whatever the hash does, in order, whatever they come as."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from retention import identifiers
from retention.identifiers import Identifiers, encode, united
from retention.logs import InteractionLog, PurchaseLog
from retention.mechanisms.answers import Code
from retention.mechanisms.errors import (
    InvalidValueError,
    RetentionError,
    UnequalColumnsError,
    WrongTypeError,
)
from tests.refusals import refused

TEXT = st.text("ab9Ā金😀", min_size=1, max_size=20)
IDS = st.one_of(
    st.lists(st.integers(-3, 3) | st.integers(0, 5000), min_size=1, max_size=30),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30),
    st.lists(TEXT, min_size=1, max_size=30),
    st.lists(st.integers(0, 99_999).map("C{:05d}".format), min_size=1, max_size=30),
)


def column(ids: list[Any]) -> NDArray[Any]:
    return np.array(ids) if isinstance(ids[0], str) else np.array(ids, np.int64)


def agrees(ids: list[Any], customers: NDArray[Any], codes: NDArray[np.intp]) -> None:
    """The sorted set, and each row finds its own: what plain Python says."""
    assert customers.tolist() == sorted(set(ids))
    assert [customers[code] for code in codes.tolist()] == ids
    assert codes.dtype == np.intp


def weak(bits: int) -> Callable[[list[NDArray[np.uint64]], int], NDArray[np.uint64]]:
    """A hash that knows only so many places."""

    def mixed(words: list[NDArray[np.uint64]], salt: int) -> NDArray[np.uint64]:
        if not bits:
            return np.zeros(len(words[0]), np.uint64)
        return (words[-1] + np.uint64(salt)) << np.uint64(64 - bits)

    return mixed


# --- exact ----------------------------------------------------------------------------------------


@given(IDS)
def test_ids_become_codes(ids: list[Any]) -> None:
    agrees(ids, *encode(column(ids)))


@pytest.mark.parametrize("bits", [0, 1, 3])
@given(ids=IDS)
def test_a_hash_that_clashes_changes_nothing(bits: int, ids: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identifiers, "_hash", weak(bits))
        agrees(ids, *encode(column(ids)))


@pytest.mark.parametrize("bits", [0, 2, 64])
def test_many_ids_that_clash(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(3)
    known = chance.integers(-(2**62), 2**62, 700)
    ids = known[chance.integers(0, 700, 20_000)]
    if bits < 64:
        monkeypatch.setattr(identifiers, "_hash", weak(bits))
    agrees(ids.tolist(), *encode(ids))
    text = np.array([f"{number:020x}/{number % 7}" for number in known.tolist()])
    mixed = text[chance.integers(0, 700, 20_000)]
    agrees(mixed.tolist(), *encode(mixed))


@pytest.mark.parametrize(
    "pattern",
    [
        "C{:05d}",
        "{:d}",
        "customer-{:08x}-{:d}",
        "客户{:07d}",
        "😀{:d}",
        "{:033d}",
        "x" * 70 + "{:d}",
    ],
)
def test_text_of_every_width(pattern: str) -> None:
    chance = np.random.default_rng(5)
    ids = [pattern.format(n, n % 3) for n in chance.integers(0, 4000, 9_000).tolist()]
    agrees(ids, *encode(np.array(ids)))


def test_words_that_differ_in_one_bit_stay_apart() -> None:
    ids = np.array([1 << bit for bit in range(62)] * 40, np.int64)
    agrees(ids.tolist(), *encode(ids))


def test_the_other_byte_order_and_a_view_are_read_as_they_are_meant() -> None:
    ids = ["b", "ab", "a", "b"]
    agrees(ids, *encode(np.array(ids).astype(">U2")))
    agrees(ids[::2], *encode(np.array(ids)[::2]))
    numbers = [2**40, -1, 2**40]
    agrees(numbers, *encode(np.array(numbers, ">i8")))
    agrees(numbers, *encode(np.repeat(np.array(numbers), 2)[::2]))


@given(IDS, st.data())
def test_the_order_of_rows_does_not_matter(ids: list[Any], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(ids))))
    customers, codes = encode(column(ids))
    again, turned = encode(column(ids)[order])
    assert again.tolist() == customers.tolist()
    assert turned.tolist() == codes[order].tolist()


@pytest.mark.rule("X-03")
def test_the_seed_of_the_process_does_not_matter() -> None:
    program = (
        "import numpy as np; from retention.identifiers import Identifiers;"
        "x = Identifiers.of(np.array(['z' * 70, 'q', 'aa', 'q'], object));"
        "print(x.customers.tolist(), x.codes.tolist())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


# --- whatever they come as ------------------------------------------------------------------------

FLEXIBLE = np.dtypes.StringDType()
LONG = "y" * 5000


@pytest.mark.parametrize(
    "ids",
    [
        np.array(["b", "金", "a", "b"], object),
        np.array(["b", "金", "a", "b"], FLEXIBLE),
        np.array(["b", "金", "a", "b"], np.dtypes.StringDType(na_object=None)),
        np.char.encode(np.array(["b", "金", "a", "b"]), "utf-8"),
        ["b", "金", "a", "b"],
        ("b", "金", "a", "b"),
        Identifiers.of(["b", "金", "a", "b"]),
    ],
    ids=["object", "flexible", "flexible_or_none", "bytes", "list", "tuple", "encoded"],
)
def test_text_may_come_as(ids: ArrayLike | Identifiers) -> None:
    found = Identifiers.of(ids)
    agrees(["b", "金", "a", "b"], found.customers, found.codes)
    assert found.customers.dtype.kind == "U"


@pytest.mark.parametrize("dtype", [np.dtype(object), FLEXIBLE])
def test_one_long_id_does_not_widen_every_row(dtype: np.dtype[Any]) -> None:
    ids = [*(f"C{n}" for n in range(3000)), LONG, "C7"]
    found = Identifiers.of(np.array(ids, dtype))
    agrees(ids, found.customers, found.codes)


def test_bytes_of_ascii_and_numbers_as_objects() -> None:
    assert Identifiers.of(np.array([b"b", b"a"])).customers.tolist() == ["a", "b"]
    found = Identifiers.of(np.array([2**62, -7, 2**62], object))
    agrees([2**62, -7, 2**62], found.customers, found.codes)
    assert found.customers.dtype == np.int64


@pytest.mark.parametrize(
    ("ids", "error"),
    [
        (np.array([None, "a"], object), WrongTypeError),
        (np.array(["a", 7], object), WrongTypeError),
        (np.array([7, True], object), WrongTypeError),
        (np.array([2**63, 7], object), InvalidValueError),
        (np.array(["a", None], np.dtypes.StringDType(na_object=None)), WrongTypeError),
        (["a", 7], WrongTypeError),
        ([1.5], WrongTypeError),
        (np.array([b"\xff\xfe"]), WrongTypeError),
        (np.array([2**63], "u8"), InvalidValueError),
        ([["a"], ["b"]], UnequalColumnsError),
    ],
    ids=range(10),
)
def test_what_is_no_column_of_ids_is_refused(ids: ArrayLike, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        Identifiers.of(ids)
    assert "customer" in str(caught.value)


def test_nobody() -> None:
    columns: list[ArrayLike] = [[], np.array([], object), np.array([], "U5"), np.zeros(0, int)]
    for nobody in columns:
        found = Identifiers.of(nobody)
        assert (len(found), found.customers.tolist(), found.nameless) == (0, [], None)


# --- encoded by somebody else ---------------------------------------------------------------------


@given(st.lists(TEXT, min_size=1, max_size=9), st.data())
def test_a_dictionary_may_be_in_any_order(names: list[str], data: st.DataObject) -> None:
    codes = data.draw(st.lists(st.integers(0, len(names) - 1), max_size=12))
    found = Identifiers.coded(customers=names, codes=np.array(codes, np.int32))
    agrees([names[code] for code in codes], found.customers, found.codes)


def test_a_log_takes_what_is_encoded_and_sets_aside_who_has_no_id() -> None:
    ids = Identifiers.coded(customers=["b", "a", "unused"], codes=[1, -1, 0, 1])
    log = PurchaseLog.from_columns(
        customer=ids, at=[date(2024, 6, 1)] * 4, amount_minor=[1, 2, 3, 4]
    )
    assert [(x.code, x.rows, x.given) for x in log.problems] == [(Code.NO_CUSTOMER, (1,), "")]
    assert (log.customers.tolist(), log.codes.tolist()) == (["a", "b"], [0, 1, 0])
    others = InteractionLog.from_columns(
        customer=Identifiers.coded(customers=np.array(["x"], FLEXIBLE), codes=[0, -1]),
        at=[date(2024, 6, 1)] * 2,
        kind=["call", "call"],
    )
    assert (others.customers.tolist(), [x.rows for x in others.problems]) == (["x"], [(1,)])


def test_only_the_customers_of_kept_rows_remain() -> None:
    log = PurchaseLog.from_columns(
        customer=["b", "a", "c"], at=[date(2024, 6, 1), None, date(2024, 6, 1)], amount=[1, 2, 3]
    )
    assert (log.customers.tolist(), log.codes.tolist()) == (["b", "c"], [0, 1])


@pytest.mark.parametrize(
    ("customers", "codes", "error"),
    [
        (["a"], [1], InvalidValueError),
        (["a"], [-2], InvalidValueError),
        ([], [0], InvalidValueError),
        ([7], [-1], InvalidValueError),
        (["a"], [0.0], WrongTypeError),
        (["a"], [[0]], WrongTypeError),
    ],
    ids=range(6),
)
def test_codes_that_cannot_be(
    customers: ArrayLike, codes: ArrayLike, error: type[RetentionError]
) -> None:
    with refused(error, "codes"):
        Identifiers.coded(customers=customers, codes=codes)


def test_a_dictionary_of_text_and_numbers_is_refused() -> None:
    with refused(WrongTypeError, "customer"):
        Identifiers.coded(customers=("a", 7), codes=[0, 1])


def test_nobody_at_all_has_an_id() -> None:
    found = Identifiers.coded(customers=[], codes=[-1, -1])
    assert (found.customers.tolist(), found.codes.tolist()) == ([""], [0, 0])


def test_ids_do_not_belong_into_messages() -> None:
    assert repr(Identifiers.of(["secret"])) == "Identifiers(1 rows, 1 customers)"


# --- together -------------------------------------------------------------------------------------


@given(st.lists(st.lists(TEXT, min_size=1, max_size=5), min_size=1, max_size=3))
def test_groups_together(groups: list[list[str]]) -> None:
    everyone, places = united([np.array(group) for group in groups])
    assert everyone.tolist() == sorted({name for group in groups for name in group})
    assert [everyone[place].tolist() for place in places] == groups


def test_numbers_and_text_do_not_go_together() -> None:
    with refused(InvalidValueError, "customers"):
        united([np.array([7]), np.array(["7"])])
