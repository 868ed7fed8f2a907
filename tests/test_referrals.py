"""Referrals and chains of invitations (E-28, E-29, E-30, SM-16, S-08)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.invitation_chains import chains, counts
from retention.lots import Validity
from retention.loyalty import CarryOut, Member
from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.errors import (
    BlankValueError,
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    UnknownNameError,
)
from retention.mechanisms.estimates import Estimate
from retention.mechanisms.workflows import Act
from retention.presets import user_retention
from retention.referrals import (
    Invalid,
    Invitation,
    ReferralBook,
    ReferralCommand,
    ReferralState,
    ReferralTerms,
    Side,
)
from retention.rewards import Reward, RewardKind, RewardReversal
from retention.testing import laws, referral_moves
from tests.refusals import refused

C, S = ReferralCommand, ReferralState
TERMS = ReferralTerms(Side(RewardKind.POINTS, 200), Side(RewardKind.POINTS, 100))
DAY = date(2024, 8, 1)
EMPTY = ReferralBook()


def invitation(id: str = "r-1", referrer: str = "A", at: date = DAY, **more: Any) -> Invitation:  # noqa: A002, ANN401
    return Invitation(id, referrer, f"link-{id}", at=at, by=referrer, **more)


def invited(book: ReferralBook = EMPTY, *, existing: Any = (), **more: Any) -> ReferralBook:  # noqa: ANN401
    return TERMS.invite(book, invitation(**more), existing=existing).or_raise().state


def act(
    name: ReferralCommand,
    at: date = DAY,
    key: str = "",
    **brings: Any,  # noqa: ANN401
) -> Act[ReferralCommand]:
    return Act(name, at=at, by="shop", key=key, brings=brings)


def joining(
    referee: str = "B",
    id: str = "r-1",  # noqa: A002
    at: date = DAY,
    **more: Any,  # noqa: ANN401
) -> Act[ReferralCommand]:
    return act(C.REGISTER, at, **({"referee": referee, "code": f"link-{id}"} | more))


class Shop:
    """A host: the programme, the book, the members, and what it was asked to do."""

    def __init__(self, terms: ReferralTerms = TERMS) -> None:
        self.programme = user_retention.programme.with_all(
            {"referral": terms, "points.validity": Validity(months=12)}
        )
        self.terms, self.book = self.programme.referral, EMPTY
        self.members: dict[Any, Member] = {}
        self.stored: dict[str, tuple[Any, ...]] = {}

    def invite(self, *, existing: Any = (), **more: Any) -> None:  # noqa: ANN401
        self.book = (
            self.terms.invite(self.book, invitation(**more), existing=existing).or_raise().state
        )

    def do(self, id: str, command: Act[ReferralCommand], **more: Any) -> Any:  # noqa: A002, ANN401
        earlier = self.stored.get(command.key, ())
        answer = self.terms.decide(self.book, id, command, earlier=earlier, **more)
        if isinstance(answer, Accepted):
            self.book = answer.state
            if command.key:
                self.stored[command.key] = answer.facts
            for request in answer.requests:
                self.carry_out(request, command.at)
        return answer

    def member(self, who: Any) -> Member:  # noqa: ANN401
        return self.members.get(who, Member(who, self.programme.points.start(who), DAY))

    def carry_out(self, request: Any, at: Any) -> None:  # noqa: ANN401
        order = CarryOut(request, at=at, by="shop")
        done = self.programme.decide(self.member(request.member), order).or_raise()
        again = self.programme.decide(done.state, order).or_raise()  # a request comes twice
        assert again.state == done.state
        self.members[request.member] = done.state

    def balances(self, on: date) -> tuple[int, int]:
        one, other = (self.member(who).account.balance(on).available for who in "AB")
        return one, other


@pytest.mark.rule("S-08", "E-01", "E-28", "E-30", "SM-16")
def test_the_scenario_of_two_rewards_and_a_return() -> None:
    shop = Shop()
    shop.invite()
    shop.do("r-1", joining(at=date(2024, 8, 1)), existing={"A", "C"})
    assert shop.balances(date(2024, 8, 1)) == (0, 0)
    first, day = act(C.PURCHASE, date(2024, 8, 10), "buy-1", order="o-1"), date(2024, 8, 10)
    shop.do("r-1", first)
    shop.do("r-1", act(C.REWARD, day, "give-1"))
    assert shop.balances(day) == (200, 100)
    # the second purchase brings nothing, the first one again changes nothing
    second = shop.do("r-1", act(C.PURCHASE, date(2024, 8, 12), "buy-2", order="o-2"))
    assert isinstance(second, Refused)
    assert second.code is Code.NOT_POSSIBLE
    before = shop.book
    again = shop.do("r-1", first)
    assert (again.requests, shop.book) == ((), before)
    assert shop.do("r-1", act(C.REWARD, date(2024, 8, 12), "give-1")).requests == ()
    assert shop.balances(date(2024, 8, 12)) == (200, 100)
    # himself, and somebody who is a customer already
    for number, invitee in ((2, "A"), (3, "C")):
        shop.invite(id=f"r-{number}", invitee=invitee, existing={"A", "C"})
    assert shop.book.referral("r-2").reasons == (Invalid.SELF_REFERRAL, Invalid.EXISTING_CUSTOMER)
    assert shop.book.referral("r-3").reasons == (Invalid.EXISTING_CUSTOMER,)
    # received on 11 August, returned on the 14th
    back = act(C.CANCEL, date(2024, 8, 14), "back", order="o-1", received_on=date(2024, 8, 11))
    assert [each.amount for each in shop.do("r-1", back).requests] == [200, 100]
    assert shop.balances(date(2024, 8, 14)) == (0, 0)
    assert shop.do("r-1", back).requests == ()
    assert shop.balances(date(2024, 8, 14)) == (0, 0)


@pytest.mark.rule("E-30", "AMB-11")
@pytest.mark.parametrize(
    ("received", "returned", "taken_back"),
    [
        ("2024-08-11", "2024-08-18", True),  # seven days after the day of receipt
        ("2024-08-11", "2024-08-19", False),
        (None, "2024-08-17", True),  # without receipt, from the purchase
        (None, "2024-08-18", False),
    ],
)
def test_a_return_counts_in_the_return_period(
    received: str | None, returned: str, taken_back: bool
) -> None:
    shop, day = Shop(), date(2024, 8, 10)
    shop.invite()
    shop.do("r-1", joining())
    got: dict[str, Any] = {} if received is None else {"received_on": date.fromisoformat(received)}
    shop.do("r-1", act(C.PURCHASE, day, order="o-1", **got))
    shop.do("r-1", act(C.REWARD, day))
    answer = shop.do("r-1", act(C.CANCEL, date.fromisoformat(returned), order="o-1"))
    assert isinstance(answer, Accepted) is taken_back
    assert shop.balances(date(2024, 8, 20)) == ((0, 0) if taken_back else (200, 100))
    if not taken_back:
        assert answer.missing == ("return_period",)


@pytest.mark.rule("E-30")
def test_only_the_return_of_the_qualifying_purchase_counts() -> None:
    shop = Shop()
    shop.invite()
    shop.do("r-1", joining())
    shop.do("r-1", act(C.PURCHASE, order="o-1"))
    no = shop.do("r-1", act(C.CANCEL, order="o-2"))
    assert no.missing == ("qualifying_order",)
    early = shop.do("r-1", act(C.CANCEL, order="o-1"))  # before anything was given
    assert (early.requests, shop.book.referral("r-1").state) == ((), S.CANCELLED)
    assert shop.do("r-1", act(C.PURCHASE, order="o-3")).code is Code.NOT_POSSIBLE


@pytest.mark.rule("E-30", "SM-16")
@pytest.mark.parametrize(
    ("joins", "reasons"),
    [
        ({"referee": "A"}, [Invalid.SELF_REFERRAL]),
        ({"contacts": ("tel-a",)}, [Invalid.SELF_REFERRAL]),  # the referrer's own telephone
        ({"referee": "C"}, [Invalid.EXISTING_CUSTOMER]),
        ({"contacts": ("tel-x", "tel-d")}, [Invalid.REPEATED_CONTACT]),
        ({"referee": "D"}, [Invalid.ALREADY_REFERRED]),
        ({"code": "link-x"}, [Invalid.WRONG_CODE]),
        ({"referee": "A", "code": ""}, [Invalid.SELF_REFERRAL, Invalid.WRONG_CODE]),
        ({"contacts": ("tel-x",)}, []),
    ],
)
def test_what_is_no_referral(joins: dict[str, Any], reasons: list[Invalid]) -> None:
    book = invited(id="r-0", referrer="Z")
    book = TERMS.decide(book, "r-0", joining("D", "r-0", contacts=("tel-d",))).or_raise().state
    book = invited(book, referrer_contacts=["tel-a"])
    answer = TERMS.decide(book, "r-1", joining(**joins), existing={"C"}).or_raise()
    found = answer.state.referral("r-1")
    assert [
        x for x in found.reasons if x is not Invalid.EXISTING_CUSTOMER or "C" in joins.values()
    ] == reasons
    assert found.state is (S.REFUSED if reasons else S.REGISTERED)
    assert answer.requests == ()
    assert "tel-" not in repr(found.invitation)


def test_a_refused_registration_repeats_its_answer() -> None:
    book = invited()
    join = act(C.REGISTER, key="k", referee="A", code="link-r-1")
    first = TERMS.decide(book, "r-1", join).or_raise()
    again = TERMS.decide(first.state, "r-1", join, earlier=first.facts)
    assert isinstance(again, Accepted)
    assert again.facts == first.facts
    other = TERMS.decide(
        first.state,
        "r-1",
        act(C.REGISTER, key="k", referee="B", code="link-r-1"),
        earlier=first.facts,
    )
    assert isinstance(other, Refused)


@pytest.mark.rule("SM-16")
def test_what_acts_must_bring() -> None:
    book = invited()
    for name, missing in ((C.REGISTER, ("referee",)), (C.REFUSE, ("reason",))):
        no = TERMS.decide(book, "r-1", act(name))
        assert isinstance(no, Refused)
        assert no.missing == missing
    joined = TERMS.decide(book, "r-1", joining()).or_raise().state
    no = TERMS.decide(joined, "r-1", act(C.PURCHASE))
    assert isinstance(no, Refused)
    assert no.missing == ("order",)
    # a later act does not change who was referred
    bought = TERMS.decide(joined, "r-1", act(C.PURCHASE, order="o", referee="Z")).or_raise().state
    assert bought.referral("r-1").referee == "B"
    with refused(UnknownNameError, "referral", given="r-9"):
        TERMS.decide(book, "r-9", act(C.REWARD))
    with refused(InvalidValueError, "code"):
        Invitation("r", "A", "", at=DAY, by="A")


def test_an_invitation_again_is_no_other() -> None:
    book = invited()
    assert TERMS.invite(book, invitation()).or_raise().state == book
    no = TERMS.invite(book, invitation(campaign="x"))
    assert isinstance(no, Refused)
    assert no.code is Code.KEY_REUSED


@pytest.mark.rule("E-28")
@pytest.mark.parametrize("kind", ["cash_back", "points", "gift"])
def test_kinds_of_rewards_are_data(kind: str) -> None:
    item = "cup" if kind == "gift" else ""
    terms = ReferralTerms(Side(RewardKind(kind), 3, item), Side(RewardKind.GIFT, 1, "pen"))
    shop = Shop(terms)
    shop.invite()
    shop.do("r-1", joining())
    shop.do("r-1", act(C.PURCHASE, order="o"))
    given_ = terms.decide(shop.book, "r-1", act(C.REWARD)).or_raise()
    one, other = given_.requests
    assert isinstance(one, Reward)
    assert isinstance(other, Reward)
    assert (one.kind.value, one.amount, one.article) == (kind, 3, item)
    assert (other.member, other.kind, other.article) == ("B", RewardKind.GIFT, "pen")
    # what was given then is taken back, whatever the terms say by now
    later = terms.with_("referrer.amount", 999)
    back = later.decide(given_.state, "r-1", act(C.CANCEL, order="o")).or_raise().requests
    assert [x.amount for x in back if isinstance(x, RewardReversal)] == [3, 1]
    with pytest.raises(BlankValueError, match=r"Side\.kind"):
        user_retention.programme.referral.decide(shop.book, "r-1", act(C.REWARD))


@pytest.mark.rule("E-29")
@pytest.mark.parametrize(
    ("cap", "cap_days", "days", "rewarded"),
    [
        (None, None, [0, 0, 0], [2, 2, 2]),
        (1, None, [0, 0, 400], [2, 1, 1]),
        (2, None, [0, 0, 0], [2, 2, 1]),
        (1, 30, [0, 29, 30], [2, 1, 2]),  # thirty dates, the last one included
        (1, 30, [0, 30, 30], [2, 2, 1]),
    ],
)
def test_a_referrer_is_rewarded_up_to_a_cap(
    cap: int | None, cap_days: int | None, days: list[int], rewarded: list[int]
) -> None:
    terms = TERMS.with_all({"cap": cap, "cap_days": cap_days})
    book, found = EMPTY, []
    for number, after in enumerate(days):
        id, at = f"r-{number}", DAY + timedelta(days=after)  # noqa: A001
        book = terms.invite(book, invitation(id, at=at)).or_raise().state
        for each in (joining(f"B{number}", id, at), act(C.PURCHASE, at, order=id)):
            book = terms.decide(book, id, each).or_raise().state
        answer = terms.decide(book, id, act(C.REWARD, at)).or_raise()
        book = answer.state
        found.append(len(answer.requests))
        assert answer.requests[-1].member == f"B{number}"  # type: ignore[attr-defined]
    assert found == rewarded


def test_what_was_taken_back_does_not_count_for_the_cap() -> None:
    shop = Shop(TERMS.with_("cap", 1))
    shop.invite()
    shop.do("r-1", joining())
    shop.do("r-1", act(C.PURCHASE, order="o"))
    shop.do("r-1", act(C.REWARD))
    assert shop.terms.capped(shop.book, "A", on=DAY)
    shop.do("r-1", act(C.CANCEL, order="o"))
    assert not shop.terms.capped(shop.book, "A", on=DAY)


def test_rewards_can_wait_for_the_return_period() -> None:
    shop = Shop(TERMS.with_("after_return_period", value=True))
    shop.invite()
    shop.do("r-1", joining())
    assert shop.terms.due(shop.book.referral("r-1")) is None
    shop.do("r-1", act(C.PURCHASE, order="o"))
    assert shop.terms.due(shop.book.referral("r-1")) == date(2024, 8, 9)
    assert TERMS.due(shop.book.referral("r-1")) == DAY
    no = shop.do("r-1", act(C.REWARD, date(2024, 8, 8)))
    assert no.missing == ("return_period_over",)
    assert len(shop.do("r-1", act(C.REWARD, date(2024, 8, 9))).requests) == 2


@given(referral_moves(), st.sampled_from([None, 1]), st.booleans())
def test_however_it_goes_nobody_is_rewarded_twice(found: Any, cap: int | None, waits: bool) -> None:  # noqa: ANN401
    terms = TERMS.with_all({"cap": cap, "after_return_period": waits})
    laws.a_referral_is_rewarded_once(terms, found)


# --- E-29: chains ---------------------------------------------------------------------------------


@pytest.mark.rule("E-29")
def test_counts_and_conversion_of_a_referrer() -> None:
    shop = Shop()
    for number, referrer in enumerate("AAAZ"):
        shop.invite(id=f"r-{number}", referrer=referrer)
    for number in (0, 1):
        shop.do(f"r-{number}", joining(f"B{number}", f"r-{number}"))
    shop.do("r-0", act(C.PURCHASE, order="o"))
    shop.do("r-0", act(C.REWARD))
    first, second = counts(shop.book.referrals)
    assert (first.referrer, first.invited, first.registered, first.purchased, first.rewarded) == (
        "A", 3, 2, 1, 1,
    )  # fmt: skip
    assert first.conversion == Estimate(1, 3)
    assert (second.referrer, second.conversion) == ("Z", Estimate(0, 1))


@pytest.mark.rule("E-29")
def test_chains_have_depth_root_and_size() -> None:
    # a invited b and c, b invited d, d invited e; x invited y
    found = chains(list("aabdx"), list("bcdey"))
    columns = {name: column.tolist() for name, column in found.to_columns().items()}
    assert columns == {
        "customer": ["a", "b", "c", "d", "e", "x", "y"],
        "depth": [0, 1, 1, 2, 3, 0, 1],
        "root": ["a", "a", "a", "a", "a", "x", "x"],
        "invited": [2, 1, 0, 1, 0, 1, 0],
        "brought": [4, 2, 0, 1, 0, 1, 0],
    }
    assert found.of("e") == {"depth": 3, "root": "a", "invited": 0, "brought": 0}
    assert len(chains([], []).customers) == 0
    with refused(UnknownNameError, "customer", given="q"):
        found.of("q")


@pytest.mark.parametrize(
    ("above", "below", "kind"),
    [
        (["a", "b"], ["b", "a"], InvalidValueError),
        (["a"], ["a"], InvalidValueError),
        (["a", "b", "c", "z"], ["b", "c", "a", "y"], InvalidValueError),
        (["a", "b"], ["c", "c"], DuplicateError),
        (["a"], ["b", "c"], UnequalColumnsError),
    ],
)
def test_a_chain_never_leads_back(
    above: list[str], below: list[str], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        chains(above, below)


@given(st.lists(st.integers(0, 30), max_size=30))
def test_chains_equal_a_walk(choices: list[int]) -> None:
    # customer n + 1 was invited by one of those before him, or by nobody
    pairs = {n + 1: choice % (n + 1) for n, choice in enumerate(choices) if choice % 7}
    found = chains(list(pairs.values()), list(pairs))
    for who in found.customers.tolist():
        way = [who]
        while way[-1] in pairs:
            way.append(pairs[way[-1]])
        below = [who]
        for each in sorted(pairs):
            if pairs[each] in below:
                below.append(each)
        assert found.of(who) == {
            "depth": len(way) - 1, "root": way[-1], "brought": len(below) - 1,
            "invited": list(pairs.values()).count(who),
        }  # fmt: skip


def test_a_long_chain_is_climbed() -> None:
    size = 5_000
    found = chains(np.arange(size), np.arange(1, size + 1))
    assert found.of(size) == {"depth": size, "root": 0, "invited": 0, "brought": 0}
    assert found.of(0)["brought"] == size


@pytest.mark.rule("E-30", "SM-16")
def test_who_registers_second_spoils_nothing() -> None:
    joined = TERMS.decide(invited(), "r-1", joining("B")).or_raise().state
    for other in ("A", "C"):  # the referrer himself, and a customer who is here already
        no = TERMS.decide(joined, "r-1", joining(other), existing={"C"})
        assert isinstance(no, Refused)
        assert no.code is Code.NOT_POSSIBLE
    assert joined.referral("r-1").state is S.REGISTERED
    assert joined.referral("r-1").referee == "B"
