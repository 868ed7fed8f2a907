"""Policies as values: citations, paths, blanks, comparison, fingerprints."""

from __future__ import annotations

import operator
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from attrs import field
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from retention.mechanisms.decisions import Bands, Case, FirstMatch
from retention.mechanisms.errors import (
    BlankValueError,
    InvalidValueError,
    UnknownNameError,
    WrongTypeError,
)
from retention.mechanisms.policies import (
    Blank,
    Difference,
    Origin,
    Policy,
    Source,
    assumed,
    blank,
    plain,
    policy,
    read,
    stated,
)
from retention.mechanisms.ranks import Ranking, Rounding, Ties
from retention.mechanisms.rules import parse
from retention.presets import ecommerce
from tests.refusals import check, refused


@policy
class Tier(Policy):
    name: str
    at_least: int
    colours: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.name


@policy
class Club(Policy):
    tiers: tuple[Tier, ...] = field(converter=tuple)
    ranking: Ranking = field(factory=Ranking)
    days: int = 30
    note: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.days < 0:
            raise InvalidValueError("Club.days", self.days, "0 or more")


GOLD = Tier("gold", stated(100, "1.2"), read(("red", "blue"), "1.3"))
SILVER = Tier("silver", assumed(50, "nobody says"))
CLUB = Club((GOLD, SILVER), days=stated(30, "2.1"))


# --- citations ------------------------------------------------------------------------------------


@pytest.mark.rule("RC-11", "X-02")
def test_each_number_knows_where_it_came_from() -> None:
    assert GOLD.source("at_least") == Source(Origin.STATED, "1.2")
    assert GOLD.source("colours") == Source(Origin.READ, "1.3")
    assert SILVER.source("at_least") == Source(Origin.ASSUMED, "nobody says")
    assert SILVER.source("name") == Source(Origin.GIVEN)
    assert str(GOLD.source("at_least")) == "stated 1.2"
    assert str(SILVER.source("name")) == "given"


def test_a_citation_is_no_part_of_the_value() -> None:
    bare = Club((Tier("gold", 100, ("red", "blue")), Tier("silver", 50)))
    assert bare == CLUB
    assert bare.fingerprint() == CLUB.fingerprint()
    assert type(GOLD.at_least) is int
    assert "1.2" not in repr(CLUB)


@pytest.mark.rule("X-02")
def test_a_changed_value_loses_its_citation_and_the_others_keep_theirs() -> None:
    changed = CLUB.with_("tiers.gold.at_least", 120)
    assert changed.tiers[0].source("at_least") == Source(Origin.GIVEN)
    assert changed.tiers[0].source("colours") == GOLD.source("colours")
    assert changed.source("days") == CLUB.source("days")
    back = changed.with_("tiers.gold.at_least", 100)
    assert back.tiers[0].source("at_least") == GOLD.source("at_least")
    assert CLUB.tiers[0].at_least == 100  # the original has not moved


def test_a_policy_is_frozen_and_pickles() -> None:
    with pytest.raises(FrozenInstanceError):
        CLUB.days = 5  # type: ignore[misc]
    again = pickle.loads(pickle.dumps(CLUB))  # noqa: S301  our own
    assert again == CLUB
    assert again.tiers[0].source("at_least") == GOLD.source("at_least")


def test_all_values_with_path_and_source() -> None:
    assert [str(entry) for entry in CLUB.values()] == [
        "tiers.gold.name = gold  [given]",
        "tiers.gold.at_least = 100  [stated 1.2]",
        "tiers.gold.colours = ['red', 'blue']  [read 1.3]",
        "tiers.silver.name = silver  [given]",
        "tiers.silver.at_least = 50  [assumed nobody says]",
        "tiers.silver.colours = []  [given]",
        "ranking.ties = share_best  [given]",
        "ranking.rounding = exact  [given]",
        "days = 30  [stated 2.1]",
        "note = None  [given]",
    ]
    assert [entry.path for entry in CLUB.assumed()] == ["tiers.silver.at_least"]


# --- changes by path ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("days", 45, 45),
        ("note", "x", "x"),
        ("tiers.silver.at_least", 60, 60),
        ("ranking.ties", "by_frequency", Ties.BY_FREQUENCY),
        ("ranking.rounding", Rounding.CEIL, Rounding.CEIL),
        ("tiers.gold.colours", ["green"], ("green",)),  # a list, as a form or a file has it
    ],
)
def test_a_change_by_path(path: str, value: object, found: object) -> None:
    changed = CLUB.with_(path, value)
    entry = next(entry for entry in changed.values() if entry.path == path)
    assert entry.value == found
    assert type(entry.value) is type(found)
    assert changed != CLUB
    assert changed.fingerprint() != CLUB.fingerprint()
    assert [difference.path for difference in CLUB.compare(changed)] == [path]


def test_a_whole_policy_can_be_replaced() -> None:
    ranking = Ranking(ties=Ties.BY_FREQUENCY)
    assert CLUB.with_("ranking", ranking).ranking is ranking
    with refused(WrongTypeError, "Ranking", given="by_frequency"):
        CLUB.with_("ranking", "by_frequency")


@pytest.mark.parametrize(
    ("path", "given", "nearest"),
    [
        ("dayz", "dayz", "days"),
        ("tiers.golden.at_least", "golden", "gold"),
        ("tiers.gold.at_lest", "at_lest", "at_least"),
        ("ranking.tie", "tie", "ties"),
        ("days.hours", "hours", None),
        ("", "", None),
    ],
)
def test_an_unknown_path_names_what_there_is(path: str, given: str, nearest: str | None) -> None:
    with pytest.raises(UnknownNameError) as caught:
        CLUB.with_(path, 1)
    assert (caught.value.given, caught.value.nearest) == (given, nearest)
    check(caught.value)


def test_several_values_change_at_once_and_only_the_result_is_validated() -> None:
    bands = Bands("days", at_most=(30, 90), open_end=True)
    assert bands.with_all({"measure": "orders", "at_most": [1, 2]}) == Bands(
        "orders", at_most=(1, 2), open_end=True
    )
    changed = CLUB.with_all(
        {"tiers.gold.at_least": 2, "tiers.gold.name": "best", "tiers.silver.at_least": 1, "days": 3}
    )
    assert [(tier.name, tier.at_least) for tier in changed.tiers] == [("best", 2), ("silver", 1)]
    assert changed.days == 3
    assert CLUB.with_all({}) == CLUB
    with refused(InvalidValueError):
        CLUB.with_all({"ranking": Ranking(), "ranking.ties": "by_frequency"})


def test_a_change_is_validated() -> None:
    with refused(InvalidValueError, "Club.days", given=-1):
        CLUB.with_("days", -1)


# --- leaves that are rules ------------------------------------------------------------------------

TABLE = FirstMatch(
    (
        Case("new", stated(parse("days <= 30"), "1")),
        Case("old", stated(parse("days > 30 and orders >= 2 and grade in ('a', 'b')"), "2")),
    ),
    otherwise="rest",
)


def test_a_rule_is_replaced_by_its_text() -> None:
    changed = TABLE.with_("new.when", "days <= 45")
    assert str(changed.cases[0].when) == "days <= 45"
    assert changed.cases[0].source("when").origin is Origin.GIVEN
    assert changed.cases[1].source("when").origin is Origin.STATED
    assert TABLE.with_("new.when", parse("days <= 45")) == changed
    assert TABLE.with_("cases.new.when", "days <= 45") == changed


def test_a_rule_is_changed_by_its_measure() -> None:
    changed = TABLE.with_("old.when.orders", 3)
    assert str(changed.cases[1].when) == "days > 30 and orders >= 3 and grade in ('a', 'b')"
    changed = TABLE.with_("old.when.grade", ["c"])
    assert str(changed.cases[1].when) == "days > 30 and orders >= 2 and grade in ('c',)"
    with refused(UnknownNameError, given="order", allowed=("days", "orders", "grade")):
        TABLE.with_("old.when.order", 3)


def test_a_measure_that_a_rule_asks_twice_needs_the_whole_text() -> None:
    table = TABLE.with_("new.when", "days <= 3 or days >= 300")
    with refused(InvalidValueError, given="days"):
        table.with_("new.when.days", 5)


# --- blanks ---------------------------------------------------------------------------------------


@policy
class Vip(Policy):
    gold_minor: int
    share: float = blank("002: the share")


VIP = Vip(blank("002: thresholds"))
USES: list[Callable[[Any], object]] = [
    lambda x: x < 1, lambda x: x <= 1, lambda x: x > 1, lambda x: x >= 1, lambda x: x > 1,
    lambda x: x + 1, lambda x: 1 + x, lambda x: x - 1, lambda x: 1 - x, lambda x: x * 2,
    lambda x: 2 * x, lambda x: x / 2, lambda x: 2 / x, lambda x: x // 2, lambda x: 2 // x,
    lambda x: x % 2, lambda x: 2 % x, operator.neg, bool, int, float, len, list, sum,
    lambda x: range(3)[x], lambda x: 1 in x,
]  # fmt: skip


@pytest.mark.rule("RC-11")
@pytest.mark.parametrize("use", USES, ids=range(len(USES)))
def test_a_blank_that_is_used_names_its_path(use: Callable[[Any], object]) -> None:
    with refused(BlankValueError, "Vip.gold_minor", given="002: thresholds") as caught:
        use(VIP.gold_minor)
    assert "gold_minor" in str(caught.value.allowed)


def test_a_blank_can_be_carried_compared_and_listed() -> None:
    assert [entry.path for entry in VIP.blanks()] == ["gold_minor", "share"]
    assert VIP.source("gold_minor") == Source(Origin.BLANK, "002: thresholds")
    assert Vip(blank("002: thresholds")) == VIP
    assert Vip(blank("another")) != VIP
    assert pickle.loads(pickle.dumps(VIP)) == VIP  # noqa: S301  our own
    assert isinstance(VIP.share, Blank)
    assert VIP.fingerprint() == Vip(blank("002: thresholds")).fingerprint()
    assert hash(Blank("a", path="b")) == hash(Blank("a", path="c"))


def test_a_filled_blank_is_none() -> None:
    filled = VIP.with_("gold_minor", 500).with_("share", 0.2)
    assert filled.blanks() == ()
    assert filled.gold_minor + 1 == 501
    assert filled.source("gold_minor").origin is Origin.GIVEN


# --- comparison -----------------------------------------------------------------------------------


def test_two_handbooks_are_compared_path_by_path() -> None:
    other = Club((GOLD.with_("at_least", 120),), days=31)
    assert CLUB.compare(other) == (
        Difference("tiers.gold.at_least", 100, 120),
        Difference("tiers.silver.name", "silver", None),
        Difference("tiers.silver.at_least", 50, None),
        Difference("tiers.silver.colours", (), None),
        Difference("days", 30, 31),
    )
    assert [x.path for x in other.compare(CLUB)][-3:] == [
        f"tiers.silver.{name}" for name in ("name", "at_least", "colours")
    ]
    assert CLUB.compare(CLUB) == ()


@given(st.lists(st.tuples(st.sampled_from(["days", "tiers.gold.at_least"]), st.integers(0, 99))))
def test_differences_are_what_turns_one_into_the_other(changes: list[tuple[str, int]]) -> None:
    other = CLUB
    for path, value in changes:
        other = other.with_(path, value)
    again = CLUB
    for difference in CLUB.compare(other):
        again = again.with_(difference.path, difference.after)
    assert again == other
    assert (again.fingerprint() == CLUB.fingerprint()) == (again == CLUB)


# --- fingerprints and plain leaves ----------------------------------------------------------------


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    program = "from retention.presets import ecommerce; print(ecommerce.fingerprint())"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1", "4242")
    }
    assert found == {ecommerce.fingerprint()}
    assert len(ecommerce.fingerprint()) == 12


def test_fingerprints_that_were_written_down_stay() -> None:
    # If this fails, every stored fingerprint has lost its policy: think twice.
    assert Ranking().fingerprint() == "4c1fe8e160f6"
    assert CLUB.fingerprint() == "90312280a91a"
    assert Bands("days", at_most=(30, 90.5), open_end=True).fingerprint() == "38642b905eee"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, None),
        (True, True),
        (2**70, 2**70),
        (0.1, 0.1),
        ("a", "a"),
        (Ties.SHARE_BEST, "share_best"),
        ((1, ("a", Ties.SHARE_BEST)), [1, ["a", "share_best"]]),
        (parse("days <= 3"), "days <= 3"),
    ],
)
def test_plain_leaves(value: object, found: object) -> None:
    assert plain(value) == found
    assert type(plain(value)) is type(found)
