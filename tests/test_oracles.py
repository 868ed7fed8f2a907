"""The library agrees with slow oracles on thousands of small random populations."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest

from retention import History, Interaction, InteractionLog, Purchase, PurchaseLog, Return, parse
from retention.clv import clv_summary
from retention.handbook import Handbook
from retention.measures import measured
from retention.mechanisms.periods import AsOf, zone_of
from retention.mechanisms.ranks import Population, Rounding, best_ranks, pin
from retention.presets import ecommerce
from retention.summaries import Summary
from tests.oracles import clv, layers, ranks, stages, windows
from tests.oracles.shoppers import Shopper

ZONE = zone_of("Asia/Shanghai")
# Days back from as_of at which some limit or window ends; -1 is not known yet.
BACK = (
    *(-1, 0, 1, 6, 7, 13, 14, 20, 21, 27, 28, 29, 30, 31, 32, 60, 89, 90, 91, 92),
    *(120, 178, 179, 180, 181, 182, 183, 300, 364, 365, 366, 367, 400),
)
DAYS = [date(2024, 6, 24) + timedelta(days=n) for n in range(8)]  # every day of the week
DAYS += [date(2024, 2, 29), date(2024, 3, 1), date(2025, 2, 28), date(2023, 12, 31)]


def drawn(chance: np.random.Generator, as_of: date) -> Shopper:
    """A customer whose days lie where limits are, and whose amounts are few."""

    def days(most: int) -> list[date]:
        return [
            as_of - timedelta(days=int(chance.choice(BACK))) for _ in range(chance.integers(most))
        ]

    def amount() -> int:
        return int(chance.choice([0, 1, 100, 100, 250, 250, 999]))

    weeks = [
        as_of - timedelta(days=7 * n + int(chance.integers(3))) for n in range(chance.integers(7))
    ]
    contacts = [(day, str(chance.choice(["login", "browse", "call"]))) for day in days(4)]
    contacts += [(day, "login") for day in weeks if chance.random() < 0.9]
    return Shopper(
        [(day, amount()) for day in days(5)],
        [(day, amount() + 1) for day in days(2)],
        contacts if chance.random() < 0.7 else [],
    )


def histories(shoppers: dict[str, Shopper]) -> list[History]:
    return [
        History(
            name,
            [Purchase(name, day, amount) for day, amount in shopper.purchases],
            [Interaction(name, day, kind) for day, kind in shopper.contacts],
            [Return(name, day, amount) for day, amount in shopper.returns],
        )
        for name, shopper in shoppers.items()
    ]


def logs(shoppers: dict[str, Shopper]) -> tuple[PurchaseLog, InteractionLog]:
    everyone = histories(shoppers)
    money: list[Purchase | Return] = []
    for history in everyone:
        money += [*history.purchases, *history.returns]
    return PurchaseLog.of(money), InteractionLog.of(y for x in everyone for y in x.interactions)


def bases(seed: int, number: int, most: int = 9) -> list[tuple[dict[str, Shopper], date]]:
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        as_of = DAYS[int(chance.integers(len(DAYS)))]
        size = int(chance.integers(most))
        found.append(({f"c{n}": drawn(chance, as_of) for n in range(size)}, as_of))
    return found


TIES = ecommerce.with_("segmentation.ranking.ties", "by_frequency")
CEIL = ecommerce.with_("segmentation.ranking.rounding", "ceil")
READINGS = [(ecommerce, {}), (TIES, {"by_frequency": True}), (CEIL, {"ceil": True})]
readings = pytest.mark.parametrize(
    ("handbook", "reading"), READINGS, ids=["as_written", "by_frequency", "ceil"]
)


@pytest.mark.rule("C-20", "C-21", "C-22", "C-23", "RC-06", "RC-09")
@readings
def test_layers_and_cells(handbook: Handbook, reading: dict[str, bool]) -> None:
    for shoppers, as_of in bases(20, 700):
        purchases, _ = logs(shoppers)
        policy = handbook.segmentation
        found = policy.layers(purchases, as_of=as_of).decisions()
        asked = {name: decision.outcome.value for name, decision in found}
        assert asked == layers.layers(shoppers, as_of, **reading), as_of
        columns = policy.rfm_cells(purchases, as_of=as_of).to_columns()
        bands = zip(
            *(columns[x].tolist() for x in ("recency", "frequency", "monetary")), strict=True
        )
        cells = dict(zip(columns["customer"].tolist(), bands, strict=True))
        assert cells == layers.cells(shoppers, as_of, **reading), as_of


@pytest.mark.rule("C-21", "C-22", "C-25")
def test_one_layer_after_pinning() -> None:
    for shoppers, as_of in bases(21, 300):
        pinned = ecommerce.segmentation.pin(logs(shoppers)[0], as_of=as_of)
        expected = layers.layers(shoppers, as_of)
        for history in histories(shoppers):
            outcome = pinned.layer(history, as_of=as_of).outcome
            assert (outcome and outcome.value) == expected.get(str(history.customer)), as_of


@pytest.mark.rule("D-01", "D-02", "D-03")
def test_stages() -> None:
    for shoppers, as_of in bases(22, 1_500, most=6):
        expected = {name: stages.stage(shopper, as_of) for name, shopper in shoppers.items()}
        for history in histories(shoppers):
            one = ecommerce.lifecycle.stage(history, as_of=as_of).outcome.value
            assert one == expected[str(history.customer)], (history, as_of)
        many = ecommerce.lifecycle.stages(
            *logs(shoppers), as_of=as_of, customers=list(shoppers) or None
        )
        assert {name: x.outcome.value for name, x in many.decisions()} == expected, as_of


@pytest.mark.rule("D-04", "RC-06")
def test_reduced_interaction() -> None:
    for shoppers, as_of in bases(23, 700, most=6):
        for history in histories(shoppers):
            found = ecommerce.lifecycle.interacting(history, as_of=as_of)
            shopper = shoppers[str(history.customer)]
            expected = stages.reduced(shopper, as_of)
            assert (found.latest, found.preceding, found.reduced) == expected, (history, as_of)


WINDOWS: dict[str, Callable[[date, date], bool]] = {
    "purchases_30d": lambda day, as_of: windows.within_last(day, 30, as_of),
    "purchases_1y": windows.within_past_year,
    "purchases_2y": lambda day, as_of: windows.years_before(as_of, 2) < day <= as_of,
    "purchases_1mo": lambda day, as_of: windows.months_before(as_of, 1) < day <= as_of,
    "purchases_6mo": lambda day, as_of: windows.months_before(as_of, 6) < day <= as_of,
}


@pytest.mark.rule("RC-06", "RC-08")
def test_windows_hold_the_days_they_say() -> None:
    ends = [date(2024, 2, 28) + timedelta(days=n) for n in range(3)]
    ends += [date(2024, 3, 31), date(2024, 12, 31), date(2025, 2, 28), date(2025, 3, 1)]
    for as_of in ends:
        days = [as_of - timedelta(days=back) for back in range(-1, 740)]
        point = AsOf.at(as_of, ZONE)
        everybody = PurchaseLog.of(Purchase(n, day, 1) for n, day in enumerate(days))
        summary = Summary.of(WINDOWS, everybody, as_of=point)
        for name, holds in WINDOWS.items():
            expected = [int(holds(day, as_of)) for day in days if day <= as_of]
            assert summary.column(name).tolist() == expected, (name, as_of)
            ones = [
                measured(History(0, [Purchase(0, day, 1)]), [name], point)[name]
                for day in days
                if day <= as_of
            ]
            assert ones == expected, (name, as_of)


@pytest.mark.rule("RC-09")
def test_best_ranks() -> None:
    chance = np.random.default_rng(9)
    for size in range(400):
        amounts = chance.integers(-2, 6 + size // 10, size % 40)
        assert best_ranks(amounts).tolist() == ranks.ranks(amounts.tolist())


SHARES = ("0.05", "0.1", "0.2", "0.35", "0.5", "0.8", "1")


def members(amounts: list[int], share: str, rounding: Rounding = Rounding.EXACT) -> int:
    """How many are within a share after pinning."""
    base = Population("spend_minor", np.array(amounts), rounding=rounding)
    rule = pin(parse(f"spend_share <= {share}"), {"spend_share": base})
    return int(rule.mask({"spend_minor": np.array(amounts)}).sum())


@pytest.mark.rule("RC-09", "C-09")
@pytest.mark.parametrize("ceil", [False, True])
def test_shares_of_random_amounts(ceil: bool) -> None:
    chance = np.random.default_rng(10)
    rounding = Rounding.CEIL if ceil else Rounding.EXACT
    for round_ in range(1_000):
        size = int(chance.integers(1, 45))
        amounts = chance.integers(-1, 3 + round_ % 60, size).tolist()
        base = Population("spend_minor", np.array(amounts), rounding=rounding)
        for share in SHARES:
            rule = pin(parse(f"spend_share <= {share}"), {"spend_share": base})
            found = rule.mask({"spend_minor": np.array(amounts)}).tolist()
            expected = [band == 1 for band in ranks.bands(amounts, (share, "1"), ceil=ceil)]
            # Whoever is in the lowest band is within 100 %, and within no other share.
            assert found == ([True] * size if share == "1" else expected), (amounts, share)


@pytest.mark.rule("RC-09")
def test_a_share_is_the_number_as_it_is_written() -> None:
    assert 0.35 * 180 != 63  # 62.99999999999999
    assert members(list(range(1, 181)), "0.35") == 63
    for number in range(1, 400):
        for percent in (5, 7, 10, 20, 29, 35, 55, 57, 58):
            expected = math.floor(Fraction(percent, 100) * number)
            assert members(list(range(1, number + 1)), f"{percent / 100}") == expected


@pytest.mark.rule("RC-09", "C-09")
def test_ten_users_have_no_diamond_unless_rounded_up() -> None:  # AMB-01
    ten = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert members(ten, "0.05") == 0
    within = [members(ten, share, Rounding.CEIL) for share in ("0.05", "0.1", "0.2", "0.5", "1.0")]
    assert np.diff(within, prepend=0).tolist() == [1, 0, 1, 3, 5]
    bands = ranks.bands(ten, ("0.05", "0.1", "0.2", "0.5", "1"), ceil=True)
    assert [bands.count(number) for number in range(1, 6)] == [1, 0, 1, 3, 5]


def test_clv_summary() -> None:
    for shoppers, as_of in bases(24, 1_500):
        found = clv_summary(logs(shoppers)[0], as_of=AsOf.at(as_of, ZONE))
        rows = zip(
            found.customers.tolist(),
            found.repeat_purchases.tolist(),
            found.age_at_last_purchase_days.tolist(),
            found.age_days.tolist(),
            found.mean_repeat_spend_minor.tolist(),
            strict=True,
        )
        expected = clv.clv(shoppers, as_of)
        got = {name: (x, t_x, t, round(mean, 9)) for name, x, t_x, t, mean in rows}
        assert got == {
            name: (x, t_x, t, round(float(mean), 9)) for name, (x, t_x, t, mean) in expected.items()
        }, as_of
