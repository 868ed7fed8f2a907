"""The handbooks 000, 001, 003 and 004 equal the catalogue's blocks, as far as they exist."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from retention import BlankValueError, History, NotRisingError, Purchase, PurchaseLog, parse
from retention.classifications import Classification
from retention.grades import Graded, Service, ServiceCase, Strictness, ValueLayer
from retention.handbook import Handbook
from retention.mechanisms.decisions import Bands
from retention.mechanisms.policies import Origin, is_blank
from retention.presets import customer_operations, membership, new_measures, user_retention
from retention.scores import Scored
from tests import catalogue

AS_OF = date(2024, 12, 31)
HANDBOOKS = {
    "user_retention": (user_retention, "000", "用户维系管理办法"),
    "customer_operations": (customer_operations, "001", "客户运营管理制度"),
    "membership": (membership, "003", "会员关系维护管理制度"),
    "new_measures": (new_measures, "004", "客户维系新措施"),
}
every_handbook = pytest.mark.parametrize(
    ("handbook", "number", "title"), HANDBOOKS.values(), ids=HANDBOOKS
)


def axis(handbook: Handbook, name: str) -> Classification[Any]:
    return handbook.segmentation.classification(name)


def rules(wanted: Classification[Any]) -> dict[str, str]:
    return {case.key: str(case.when) for case in wanted.table.cases}


def days(text: str) -> int:
    assert text.endswith("d")
    return int(text.removesuffix("d"))


# --- 000 ------------------------------------------------------------------------------------------

BLOCK_000 = catalogue.preset("user_retention")


@pytest.mark.rule("C-01", "C-04", "VAR-03")
def test_classes_of_000_equal_the_catalogue() -> None:
    stated = BLOCK_000["purchase_classes"]
    wanted = axis(user_retention, "purchase_classes")
    assert set(wanted.table.outcomes) - {"none"} == set(stated)
    assert stated["new"] == "first_purchase"
    lost = stated["lost"]
    apart, silent = days(lost["no_repurchase_for"]), days(lost["no_effective_contact_for"])
    kinds = [
        f"{kind}_count_{silent}d" for kind in ("message", "call", "opened", "answered")
    ]  # D-31
    assert rules(wanted) == {
        "none": "purchases < 1",
        "lost": " and ".join([f"days_since_purchase > {apart}", *(f"{x} < 1" for x in kinds)]),
        "new": "purchases == 1",
    }
    within = days(stated["old"]["repurchase_within"])
    assert rules(axis(user_retention, "overdue")) == {
        "overdue": f"days_since_purchase > {within} and ({' or '.join(f'{x} >= 1' for x in kinds)})"
    }
    assert (
        list(axis(user_retention, "industry_classes").table.outcomes)
        == BLOCK_000["industry_classes"]
    )


@pytest.mark.rule("C-05", "VAR-02")
def test_value_classes_of_000_equal_the_catalogue() -> None:
    stated = BLOCK_000["value_classes"]
    measures = {
        "frequency": "purchases_share_1y", "amount": "spend_share_1y", "profit": "profit_share_1y",
    }  # fmt: skip
    assert stated["measures"] == list(measures)
    wanted = axis(user_retention, "value_classes")
    assert list(wanted.table.outcomes) == stated["levels"]
    for level, cut in zip(stated["levels"], stated["cut"], strict=False):
        expected = " and ".join(f"{name} <= {cut}" for name in measures.values())
        assert rules(wanted)[level] == expected
        for name, measure in measures.items():
            assert rules(axis(user_retention, f"{name}_level"))[level] == f"{measure} <= {cut}"
    for name in measures:
        assert list(axis(user_retention, f"{name}_level").table.outcomes) == stated["levels"]


@pytest.mark.rule("C-07", "C-09", "VAR-01")
def test_the_spend_grade_of_000_equals_the_catalogue() -> None:
    stated = BLOCK_000["spend_grade"]
    wanted = axis(user_retention, "spend_grade")
    assert isinstance(wanted, Graded)
    assert list(wanted.table.outcomes) == list(stated["bands"])
    shares = {name: share for name, share in stated["bands"].items() if share < 1}
    measure = f"spend_share_{stated['window']}"
    assert rules(wanted) == {name: f"{measure} <= {share}" for name, share in shares.items()}
    assert (wanted.ranking.ties, wanted.ranking.rounding) == (stated["ties"], stated["rounding"])
    assert wanted.table.otherwise == stated["zero_spend"]
    assert wanted.mode == stated["mode"] == Strictness.RANK_ONLY
    assert str(wanted.population) == "purchases >= 1"  # AMB-26


@pytest.mark.rule("C-10", "C-11", "C-12", "C-13", "VAR-01")
def test_the_loyalty_grade_of_000_equals_the_catalogue() -> None:
    stated = dict(BLOCK_000["loyalty_grade"])
    assert stated.pop("gap_limit") == "12mo"  # what run_years means
    names = {
        "run_core_years": "core_run_years",
        "run_years": "run_years",
        "tenure_years": "tenure_years",
    }
    wanted = axis(user_retention, "loyalty_grade")
    assert list(wanted.table.outcomes) == list(stated)
    assert rules(wanted) == {
        grade: f"{names[name]} >= {years}"
        for grade, row in stated.items()
        for name, years in row.items()
    }
    cuts = BLOCK_000["stability"]["cut"]
    assert BLOCK_000["stability"]["measure"] == "cv_quarterly"
    steady = rules(axis(user_retention, "stability"))
    assert list(steady.values()) == [f"purchase_variation_4q <= {cut:g}" for cut in cuts]
    assert list(steady) == ["stable", "fairly_stable", "fluctuating"]
    active = dict(BLOCK_000["participation"])
    assert active.pop(str(axis(user_retention, "participation").table.otherwise)) == 0
    assert rules(axis(user_retention, "participation")) == {
        level: f"participation_count_1y >= {number}" for level, number in active.items()
    }
    graded = axis(user_retention, "loyalty_grade")
    assert isinstance(graded, Graded)
    met = {x.key: str(x.when) for x in graded.criteria}
    for grade, level, part in (
        ("loyal", "stable", "active"),
        ("fairly_loyal", "fairly_stable", "occasional"),
        ("generally_loyal", "fluctuating", "few"),
    ):
        assert met[f"{grade}_stability"] == steady[level]
        assert met[f"{grade}_participation"] == f"participation_count_1y >= {active[part]}"


# --- 001, 003 -------------------------------------------------------------------------------------

BLOCK_001 = catalogue.preset("customer_operations")


@pytest.mark.rule("C-02", "C-03", "VAR-03")
def test_classes_of_001_equal_the_catalogue() -> None:
    wanted = axis(customer_operations, "purchase_classes")
    assert list(wanted.table.outcomes) == BLOCK_001["purchase_classes"]
    parties = axis(customer_operations, "party_types")
    assert [case.key for case in parties.table.cases] == BLOCK_001["party_types"]


@pytest.mark.rule("C-06", "C-18", "VAR-01", "VAR-02")
def test_the_value_model_of_001_equals_the_catalogue() -> None:
    stated = BLOCK_001["value_model"]
    wanted = axis(customer_operations, "value_model")
    assert isinstance(wanted, Scored)
    assert [x.name for x in wanted.scoring.factors] == stated["factors"]
    assert stated["weights"] == "equal"
    assert [x.weight for x in wanted.scoring.factors] == [0.25] * 4
    assert list(wanted.table.outcomes) == list(stated["cut"])
    assert rules(wanted) == {
        name: f"value_score_share <= {share}" for name, share in stated["cut"].items() if share < 1
    }


@pytest.mark.rule("C-19")
def test_the_value_score_of_003_equals_the_catalogue() -> None:
    wanted = axis(membership, "value_score")
    assert isinstance(wanted, Scored)
    assert [x.name for x in wanted.scoring.factors] == catalogue.preset("membership")["metrics"][
        "value"
    ]
    assert [x.share * 3 for x in wanted.scoring.factors] == [1] * 3
    assert all(is_blank(case.when) for case in wanted.table.cases)


# --- 004 ------------------------------------------------------------------------------------------

BLOCK_004 = catalogue.preset("new_measures")


@pytest.mark.rule("C-31", "VAR-11")
def test_recency_of_004_equals_the_catalogue() -> None:
    recency = new_measures.segmentation.rfm.recency
    assert isinstance(recency, Bands)
    assert recency.measure == f"days_since_{BLOCK_004['rfm']['recency_basis']}"


@pytest.mark.rule("C-27", "C-28", "VAR-01")
def test_layers_of_004_equal_the_catalogue() -> None:
    stated = BLOCK_004["layers"]
    wanted = axis(new_measures, "layers")
    ladder = [case.outcome for case in reversed(wanted.table.cases)]
    assert ladder == stated["ladder"]
    assert stated["thresholds"] is None
    assert all(is_blank(case.when) for case in wanted.table.cases)
    assert wanted.table.otherwise is ValueLayer.NONE
    given = {x.key: x.services for x in wanted.table.cases if isinstance(x, ServiceCase)}
    assert given == {"diamond": tuple(stated["diamond"]), "gold": (), "silver": ()}
    assert given["diamond"] == (Service.PRIORITY_SERVICE_CHANNEL,)
    assert stated["by"] == ["value", "activity"]
    for case in wanted.table.cases:
        assert "value_score and activity_score" in case.source("when").clause


# --- all ------------------------------------------------------------------------------------------

# What names a row or a table, or says how a table is checked, is not a value of the handbook.
STRUCTURE = (
    ".survey",
    ".promised",
    ".command",
    ".about",
    ".rule",
    *(".outcome", ".exclusive", ".rising", ".pinned", ".name", ".grade", ".tag"),
    *(".cap", ".rank_steps", ".reached"),  # only when a factor is measured
)


@pytest.mark.rule("X-02")
@every_handbook
def test_every_value_names_origin_and_clause(handbook: Handbook, number: str, title: str) -> None:
    assert handbook.title_zh == title
    for entry in handbook.values():
        if entry.path in {"name", "title", "title_zh"} or entry.path.endswith(STRUCTURE):
            continue
        if entry.path.startswith("lifecycle."):
            continue  # no stages in these handbooks
        if entry.source.origin is Origin.GIVEN and (
            entry.value in (None, (), "") or entry.value is False
        ):
            continue  # it says nothing
        assert entry.source.origin is not Origin.GIVEN, entry.path
        clause = entry.source.clause
        # "no tag library": the handbook has none; a rule of the catalogue it may not speak of
        outside = ("RC-", "AMB-", "C-20", "H-", "no ")
        assert clause.startswith((number, *outside)), entry.path


ASSUMED = {
    "user_retention": {
        "purchase_classes.lost.when", "overdue.overdue.when", "overdue.population",
        "lifecycle.contact",
        "value_classes.high.when", "value_classes.medium.when",
        *(f"{x}_level.high.when" for x in ("frequency", "amount", "profit")),
        *(f"{x}_level.medium.when" for x in ("frequency", "amount", "profit")),
        "spend_grade.mode", "loyalty_grade.mode", "process.regrading.every",
        *(f"stability.{x}.when" for x in ("stable", "fairly_stable", "fluctuating")),
        *(f"participation.{x}.when" for x in ("active", "occasional", "few")),
    },
    "customer_operations": {
        "process.regrading.every",
        *(f"value_model.scoring.{x}.weight" for x in ("amount", "frequency")),
        *(f"value_model.scoring.{x}.weight" for x in ("potential", "loyalty")),
        "value_model.high.when", "value_model.medium.when",
    },
    "membership": {f"value_score.scoring.{x}.weight" for x in ("spend", "profit", "potential")},
    "new_measures": set(),
}  # fmt: skip


@pytest.mark.rule("X-02")
@every_handbook
def test_what_is_assumed_is_listed(handbook: Handbook, number: str, title: str) -> None:
    areas = ("segmentation.", "lifecycle.")  # other areas list theirs beside their own tests
    entries = [entry.path for entry in handbook.assumed() if entry.path.startswith(areas)]
    found = {path.removeprefix("segmentation.") for path in entries}
    everywhere = (".zone", ".ties", ".rounding", "zone")
    rest = {x for x in found if not x.endswith(everywhere) and not x.startswith("rfm.")}
    rest = {x.removeprefix("classifications.") for x in rest}
    assert {x for x in rest if ".criteria." not in x} == ASSUMED[handbook.name]
    wording = Counter(x.partition(".")[0] for x in rest if ".criteria." in x)
    expected = {"spend_grade": 13, "loyalty_grade": 6} if number == "000" else {}
    assert wording == expected
    assert ("rfm.recency.at_most" in found) == (number == "004")


BLANKS = {
    "user_retention": set(),
    "customer_operations": set(),
    "membership": {
        *(f"value_score.{x}.when" for x in ("high", "medium")),
    },
    "new_measures": {f"layers.{x}.when" for x in ("diamond", "gold", "silver")},
}


@pytest.mark.rule("X-02")
@every_handbook
def test_blanks_are_listed_and_raise(handbook: Handbook, number: str, title: str) -> None:
    blanks = {entry.path for entry in handbook.blanks()}
    prefix = "segmentation.classifications."
    assert {x.removeprefix(prefix) for x in blanks if x.startswith(prefix)} == BLANKS[handbook.name]
    history = History("c", [Purchase("c", AS_OF, 100)])
    with pytest.raises(BlankValueError, match=r"Segmentation\.layers"):
        handbook.segmentation.layer(history, as_of=AS_OF)
    with pytest.raises(BlankValueError, match=r"Lifecycle\.stages"):
        handbook.lifecycle.stage(history, as_of=AS_OF)
    for path in BLANKS[handbook.name]:
        name = path.partition(".")[0]
        with pytest.raises(BlankValueError, match=r"Case\.when") as raised:
            axis(handbook, name).outcome(history, as_of=AS_OF)
        assert number in str(raised.value)
        with pytest.raises(BlankValueError):
            axis(handbook, name).outcomes(PurchaseLog.of(history.purchases), as_of=AS_OF)


@pytest.mark.rule("X-01")
def test_handbooks_are_changed_by_path() -> None:
    path = "segmentation.classifications.spend_grade.diamond.when.spend_share_1y"
    ours = user_retention.with_(path, 0.01)
    assert [(x.path, str(x.after)) for x in user_retention.compare(ours)] == [
        ("segmentation.classifications.spend_grade.diamond.when", "spend_share_1y <= 0.01")
    ]
    assert ours.with_(path, 0.05) == user_retention
    assert ours.fingerprint() != user_retention.fingerprint()
    with pytest.raises(NotRisingError):
        user_retention.with_(path, 0.2)
    found = axis(ours, "spend_grade").outcomes(
        PurchaseLog.of(Purchase(n, AS_OF, 1 + n) for n in range(100)), as_of=AS_OF
    )
    assert list(found.counts().values()) == [1, 9, 10, 30, 50]
    layers = {
        f"segmentation.classifications.layers.{x}.when": parse(f"value_score >= {y}")
        for x, y in (("diamond", 90), ("gold", 70), ("silver", 50))
    }
    filled = new_measures.with_all(layers)
    asked = History("c", attributes={"value_score": 70})
    assert axis(filled, "layers").outcome(asked, as_of=AS_OF).outcome is ValueLayer.GOLD
    strict = user_retention.with_("segmentation.classifications.spend_grade.mode", "strict")
    wanted = axis(strict, "spend_grade")
    assert isinstance(wanted, Graded)
    assert wanted.mode is Strictness.STRICT


@pytest.mark.rule("C-31", "VAR-11")
def test_rfm_of_004_asks_for_the_last_interaction() -> None:
    ours = new_measures.with_("segmentation.classifications", ()).segmentation
    log = PurchaseLog.of([Purchase("c", AS_OF, 100)])
    cell = ours.pin(log, as_of=AS_OF).rfm_cell(log.history("c"), as_of=AS_OF)
    assert cell.bands == (4, 2, 4)  # bought today, and no interaction is known
