"""Facts of one customer: what they hold, and what they refuse."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError

from retention.activity import History, Interaction, InteractionKind, Purchase, Return
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    MixedCurrenciesError,
    NaiveInstantError,
    RetentionError,
    UnknownNameError,
    WrongTypeError,
)
from tests.refusals import refused

DAY = date(2024, 6, 30)
NAIVE = datetime(2024, 6, 30, 18)


@pytest.mark.parametrize("kind", [Purchase, Return])
@pytest.mark.parametrize(
    ("facts", "error", "where", "given"),
    [
        (("", DAY, 1), InvalidValueError, "customer", ""),
        ((1.5, DAY, 1), WrongTypeError, "customer", 1.5),
        ((None, DAY, 1), WrongTypeError, "customer", None),
        ((True, DAY, 1), WrongTypeError, "customer", True),
        (("a", NAIVE, 1), NaiveInstantError, "at", NAIVE),
        (("a", "2024-06-30", 1), WrongTypeError, "at", "2024-06-30"),
        (("a", None, 1), WrongTypeError, "at", None),
        (("a", DAY, 12.5), WrongTypeError, "amount_minor", 12.5),
        (("a", DAY, float("inf")), WrongTypeError, "amount_minor", float("inf")),
        (("a", DAY, "1250"), WrongTypeError, "amount_minor", "1250"),
        (("a", DAY, True), WrongTypeError, "amount_minor", True),
        (("a", DAY, None), WrongTypeError, "amount_minor", None),
        (("a", DAY, -1), InvalidValueError, "amount_minor", -1),
    ],
    ids=range(13),
)
def test_money_that_cannot_be(
    kind: Any,  # noqa: ANN401
    facts: tuple[Any, ...],
    error: type[RetentionError],
    where: str,
    given: object,
) -> None:
    with refused(error, where, given=given):
        kind(*facts)


def test_an_amount_that_is_no_number_is_refused() -> None:
    nan: Any = float("nan")
    with refused(WrongTypeError, "amount_minor", allowed="whole minor units, e.g. 1250 for 12.50"):
        Purchase("a", DAY, nan)


def test_nothing_given_back_is_no_return() -> None:
    with refused(InvalidValueError, "amount_minor", given=0):
        Return("a", DAY, 0)


def test_a_negative_amount_points_to_returns() -> None:
    with refused(InvalidValueError, "amount_minor") as caught:
        Purchase("a", DAY, -5)
    assert "Return" in str(caught.value.allowed)


def test_what_facts_may_be() -> None:
    assert Purchase(7, DAY, 0).amount_minor == 0  # an order that cost nothing is a purchase
    assert Purchase("a", DAY, 10**30).amount_minor == 10**30
    assert Purchase("a", datetime(2024, 6, 30, tzinfo=UTC), 1).order == ""
    assert hash(Purchase("a", DAY, 1)) == hash(Purchase("a", DAY, 1))
    with pytest.raises(FrozenInstanceError):
        Purchase("a", DAY, 1).amount_minor = 2  # type: ignore[misc]


@pytest.mark.parametrize("kind", list(InteractionKind))
def test_an_interaction_takes_its_kind_as_text(kind: InteractionKind) -> None:
    text: Any = kind.value
    assert Interaction("a", DAY, text).kind is kind
    assert Interaction("a", DAY, kind) == Interaction("a", DAY, text)


@pytest.mark.parametrize(
    ("facts", "error", "where", "given"),
    [
        (("a", DAY, "lgin"), UnknownNameError, "kind", "lgin"),
        (("a", DAY, None), UnknownNameError, "kind", None),
        (("a", NAIVE, "login"), NaiveInstantError, "at", NAIVE),
        (("", DAY, "login"), InvalidValueError, "customer", ""),
    ],
    ids=range(4),
)
def test_an_interaction_that_cannot_be(
    facts: tuple[Any, ...], error: type[RetentionError], where: str, given: object
) -> None:
    with refused(error, where, given=given) as caught:
        Interaction(*facts)
    if given == "lgin":
        assert "perhaps 'login'" in str(caught.value)


# --- histories ------------------------------------------------------------------------------------


def test_a_history_takes_anything_that_can_be_walked() -> None:
    facts = [Purchase("a", DAY, 1), Purchase("a", DAY, 2)]
    history = History("a", (fact for fact in facts))
    assert history.purchases == tuple(facts)
    assert history == History("a", tuple(facts))
    assert (History("a").purchases, History("a").interactions, History("a").returns) == ((),) * 3


def test_a_history_is_of_one_customer() -> None:
    with refused(InvalidValueError, "History", given="b"):
        History("a", [Purchase("a", DAY, 1), Purchase("b", DAY, 1)])
    with refused(InvalidValueError, "History", given=1):
        History("1", returns=[Return(1, DAY, 1)])
    with refused(InvalidValueError, "History", given="b"):
        History("a", interactions=[Interaction("b", DAY, InteractionKind.LOGIN)])
    with refused(InvalidValueError, "customer", given=""):
        History("")


def test_a_history_has_one_currency() -> None:
    with refused(MixedCurrenciesError, "History", given=["CNY", "EUR"]):
        History(
            "a",
            [Purchase("a", DAY, 1, currency="EUR")],
            returns=[Return("a", DAY, 1, currency="CNY")],
        )


def test_an_order_is_in_a_history_once() -> None:
    with refused(DuplicateError, given="O-1"):
        History("a", [Purchase("a", DAY, 1, "O-1"), Purchase("a", DAY, 2, "O-1")])
    returned = History("a", [Purchase("a", DAY, 2, "O-1")], returns=[Return("a", DAY, 2, "O-1")])
    assert len(returned.returns) == 1
    assert len(History("a", [Purchase("a", DAY, 1), Purchase("a", DAY, 1)]).purchases) == 2


def test_attributes_are_sorted_so_that_their_order_does_not_matter() -> None:
    one = History("a", attributes={"region": "north", "industry": "retail"})
    other = History("a", attributes=[("industry", "retail"), ("region", "north")])
    assert one == other
    assert hash(one) == hash(other)


def test_a_history_grows_by_facts() -> None:
    call = Interaction("a", DAY, InteractionKind.CALL)
    grown = History("a", attributes={"region": "north"})
    for fact in (Purchase("a", DAY, 5), Return("a", DAY, 2), call):
        grown = grown.with_fact(fact)
    assert grown == History(
        "a", [Purchase("a", DAY, 5)], [call], [Return("a", DAY, 2)], {"region": "north"}
    )
    with refused(InvalidValueError, "History", given="b"):
        grown.with_fact(Purchase("b", DAY, 5))
