"""Each law notices when it is broken, and its sentence says where and what."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import attrs
import pytest

from retention import (
    History,
    Interaction,
    InteractionLog,
    Purchase,
    PurchaseLog,
    parse,
)
from retention.ageing import Transition
from retention.classifications import Classification
from retention.grades import ValueClass
from retention.grading import (
    GRADING,
    Activate,
    Analyse,
    Approve,
    Batch,
    BatchState,
    Grading,
    GradingCommand,
    GradingFact,
    GradingOrder,
    GradingProcess,
    Head,
    Submit,
    WorkingGroup,
)
from retention.handbook import Handbook
from retention.lifecycle import LIFECYCLE, Interacting, Lifecycle, LifecycleEvent, Stage
from retention.mechanisms.answers import Accepted, Refused
from retention.mechanisms.decisions import Case, Decision, FirstMatch
from retention.mechanisms.machines import Machine
from retention.mechanisms.obligations import After, Days, Done, Every, Obligation, Window
from retention.mechanisms.outcomes import Outcomes
from retention.mechanisms.periods import When, zone_of
from retention.mechanisms.policies import Policy
from retention.mechanisms.ranks import Population
from retention.mechanisms.rules import Limit
from retention.mechanisms.timelines import Timeline
from retention.presets import ecommerce, user_retention
from retention.regrading import GradeAssessment, RecordedGrades
from retention.segmentation import Layer, RfmCells, Segmentation
from retention.summaries import Attributes, Summary
from retention.tag_sheets import Assignment, TagState
from retention.tags import TagLibrary, TagRule
from retention.testing import laws
from retention.testing.laws import deadlines

DAY = date(2024, 6, 30)
OLD = History("C-1", [Purchase("C-1", DAY - timedelta(days=90), 5)])  # its last day as active
OTHERS = [History(f"C-{n}", [Purchase(f"C-{n}", DAY, 1)]) for n in (2, 3, 4)]
BASE = [OLD, *OTHERS]  # in which the old one spends most
CALLER = History("C-1", interactions=[Interaction("C-1", DAY, "call")])


class StrictColumns(Segmentation):
    """Whose columns take ``<`` where the table says ``<=``."""

    def layers(
        self, purchases: PurchaseLog, interactions: InteractionLog | None = None, *, as_of: When
    ) -> Outcomes[Layer]:
        path = "layers.medium_active.when"
        text = str(next(each.value for each in self.values() if each.path == path))
        stricter = self.with_(path, text.replace("<= 90", "< 90"))
        return Segmentation.layers(stricter, purchases, interactions, as_of=as_of)

    def rfm_cells(
        self, purchases: PurchaseLog, interactions: InteractionLog | None = None, *, as_of: When
    ) -> RfmCells:
        path = "rfm.recency.2.when" if self.pinned else "rfm.recency.at_most"
        value = "days_since_purchase < 90" if self.pinned else (30, 89, 180)
        return Segmentation.rfm_cells(self.with_(path, value), purchases, interactions, as_of=as_of)


class CarelessPin(Segmentation):
    """Whose pin measures another base."""

    def pin(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
        attributes: Attributes | None = None,
    ) -> Segmentation:
        return super().pin(PurchaseLog.of([Purchase("x", DAY, 10**6)]), as_of=as_of)


class StrictOne(Lifecycle):
    """Whose question for one customer takes ``<`` where the table says ``<=``."""

    def stage(self, history: History, *, as_of: When) -> Decision[Stage]:
        stricter = self.with_("stages.active.when", "days_since_purchase < 90")
        return Lifecycle.stage(stricter, history, as_of=as_of)

    def interacting(self, history: History, *, as_of: When) -> Interacting:
        return attrs.evolve(super().interacting(history, as_of=as_of), latest=0)


class LateDue(Lifecycle):
    """Which sets its timers a day too late."""

    def due(self, history: History, *, as_of: When) -> Transition[Stage] | None:
        found = super().due(history, as_of=as_of)
        return found and attrs.evolve(found, on=found.on + timedelta(days=1))


class NeverDue(Lifecycle):
    """Which sets no timers."""

    def due(self, history: History, *, as_of: When) -> Transition[Stage] | None:
        return None


class LastIsNewest(Lifecycle):
    """Which trusts the order of the facts."""

    def stage(self, history: History, *, as_of: When) -> Decision[Stage]:
        last = attrs.evolve(history, purchases=history.purchases[-1:])
        return super().stage(last, as_of=as_of)


class SideEffect(Handbook):
    """In which one change makes another."""

    def with_(self, path: str, value: object) -> SideEffect:
        return Handbook.with_(attrs.evolve(self, title="changed"), path, value)


P = TypeVar("P", bound=Policy)


def as_kind(kind: type[P], policy: Policy) -> P:
    """The same values as a policy of another class."""
    fields = [each for each in attrs.fields(type(policy)) if each.init]
    return kind(**{each.alias or each.name: getattr(policy, each.name) for each in fields})


def broken(law: str, called: Callable[[], None], *said: str) -> None:
    with pytest.raises(AssertionError) as caught:
        called()
    sentence = str(caught.value)
    assert sentence.startswith(f"law {law} is broken for "), sentence
    assert [word for word in said if word not in sentence] == [], sentence


def test_one_equals_columns_notices_a_stricter_table() -> None:
    strict = as_kind(StrictColumns, ecommerce.segmentation)
    broken(
        "layer_equals_layers",
        lambda: laws.layer_equals_layers(strict, BASE, as_of=DAY),
        "customer 'C-1', as of 2024-06-30: layer says", "medium_active", "layers says",
    )  # fmt: skip
    broken(
        "rfm_cell_equals_rfm_cells",
        lambda: laws.rfm_cell_equals_rfm_cells(strict, BASE, as_of=DAY),
        "rfm cell says (2, 2, 2), rfm cells says (3, 2, 2)",
    )
    handbook = attrs.evolve(ecommerce, segmentation=strict)
    broken("layer_equals_layers", lambda: laws.one_equals_columns(handbook, BASE, as_of=DAY))


def test_stages_that_differ_from_the_columns_are_noticed() -> None:
    strict = as_kind(StrictOne, ecommerce.lifecycle)
    broken(
        "stage_equals_stages",
        lambda: laws.stage_equals_stages(strict, [OLD], as_of=DAY),
        "stage says", "sleeping", "stages says", "active",
    )  # fmt: skip
    broken(
        "interacting_equals_interactings",
        lambda: laws.interacting_equals_interactings(strict, [CALLER], as_of=DAY),
        "interacting says (0, 0, False), interactings says (1, 0, False)",
    )
    handbook = attrs.evolve(ecommerce, lifecycle=strict)
    broken("stage_equals_stages", lambda: laws.one_equals_columns(handbook, [OLD], as_of=DAY))


@pytest.mark.parametrize("kind", [LateDue, NeverDue])
def test_timers_that_are_wrong_are_noticed(kind: type[Lifecycle]) -> None:
    policy = as_kind(kind, ecommerce.lifecycle)
    broken("due_equals_dues", lambda: laws.due_equals_dues(policy, [OLD], as_of=DAY), "2024, 7, 1")
    broken(
        "nothing_changes_before_due",
        lambda: laws.nothing_changes_before_due(policy, OLD, as_of=DAY),
        "customer 'C-1' as of 2024-06-30 on 2024-07-01: now says", "later says",
    )  # fmt: skip
    at_noon = datetime(2024, 6, 30, 12, tzinfo=UTC)
    broken(
        "nothing_changes_before_due",
        lambda: laws.nothing_changes_before_due(policy, OLD, as_of=at_noon),
    )


def test_a_pin_that_is_wrong_is_noticed() -> None:
    careless = as_kind(CarelessPin, ecommerce.segmentation)
    broken(
        "pinned_equals_unpinned",
        lambda: laws.pinned_equals_unpinned(careless, BASE, as_of=DAY),
        "pinned layer says", "general_active", "layers says", "medium_active",
    )  # fmt: skip


def test_an_order_that_matters_is_noticed() -> None:
    careless = as_kind(LastIsNewest, ecommerce.lifecycle)
    facts = [Purchase("C-1", DAY - timedelta(days=back), 5) for back in (200, 100, 1)]
    broken(
        "order_does_not_matter",
        lambda: laws.order_does_not_matter(
            attrs.evolve(ecommerce, lifecycle=careless), [History("C-1", facts)], as_of=DAY
        ),
        "customer 'C-1', as of 2024-06-30, facts backwards: as given says", "turned says",
    )  # fmt: skip


def test_a_merge_that_forgets_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Summary, "merge", lambda self, _: self)
    base = [attrs.evolve(OLD, purchases=OLD.purchases * 5)]
    broken(
        "union_is_merge",
        lambda: laws.union_is_merge(ecommerce, base, as_of=DAY),
        "customer 'C-1'", "spend_minor as of 2024-06-30: union says 25, merge says",
    )  # fmt: skip


def test_an_update_that_forgets_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    base = [attrs.evolve(OLD, purchases=OLD.purchases * 5)]
    once = Summary.updated

    def stuck(self: Summary, *logs: Any, as_of: When | None = None) -> Summary:  # noqa: ANN401
        return once(self, *logs)

    with monkeypatch.context() as patch:
        patch.setattr(Summary, "updated", lambda self, *_, **__: self)
        broken(
            "update_is_whole",
            lambda: laws.update_is_whole(ecommerce, base, as_of=DAY),
            "customer 'C-1'", "spend_minor as of 2024-06-30: whole says 25, updated says",
        )  # fmt: skip
        broken(
            "update_is_whole",
            lambda: laws.update_is_whole(ecommerce, BASE, as_of=DAY),
            "the customers as of 2024-06-30: whole says ['C-1', 'C-2', 'C-3', 'C-4'], updated says",
        )
    monkeypatch.setattr(Summary, "updated", stuck)
    tomorrow = DAY + timedelta(days=1)
    broken(
        "update_is_whole",
        lambda: laws.update_is_whole(ecommerce, base, as_of=DAY, later=tomorrow),
        "days_since_first_purchase as of 2024-06-30, then 2024-07-01: whole says 91, "
        "updated says 90",
    )


def test_a_machine_without_the_row_is_noticed() -> None:
    table = "\n".join(x for x in LIFECYCLE.table.splitlines() if "(day 31)" not in x)
    short = Machine("short", Stage, LifecycleEvent, table)
    broken(
        "stage_function_is_stage_machine",
        lambda: laws.stage_function_is_stage_machine(
            ecommerce.lifecycle, OLD, until=DAY, machine=short
        ),
        "2024-05-02 new -> active", "made by time; machine short has []",
    )  # fmt: skip
    broken(
        "stage_function_is_stage_machine",
        lambda: laws.stage_table_agrees_with_stage_function(
            ecommerce.lifecycle, OLD, machine=short
        ),
    )
    broken("every_state_is_reachable", lambda: laws.every_state_is_reachable(short, Stage.NEW),
           "machine short: not reached says", "'potential'")  # fmt: skip


def test_a_trigger_of_the_wrong_kind_is_noticed() -> None:
    table = LIFECYCLE.table.replace("->                 active     (day 31)", "-interact-> active")
    asks = Machine("asks", Stage, LifecycleEvent, table)
    broken(
        "stage_function_is_stage_machine",
        lambda: laws.stage_function_is_stage_machine(
            ecommerce.lifecycle, OLD, until=DAY, machine=asks
        ),
        "machine asks has ['new -interact-> active']",
    )


def test_a_timeline_that_leaves_days_out_is_noticed() -> None:
    strict = as_kind(StrictOne, ecommerce.lifecycle)
    broken(
        "stage_function_is_stage_machine",
        lambda: laws.stage_function_is_stage_machine(strict, OLD, until=DAY + timedelta(days=9)),
        "customer 'C-1' on 2024-06-30: timeline says", "active", "stage says", "sleeping",
    )  # fmt: skip


def test_a_rule_that_reads_back_otherwise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Limit, "__str__", lambda self: "days <= 31")
    broken("text_round_trip", lambda: laws.text_round_trip(Limit("days", "<=", 30)), "parsed says")


@pytest.mark.parametrize(
    ("opposite", "said"),
    [
        (lambda self: Limit(self.measure, ">=", self.limit), "twice negated says"),
        (lambda self: self, "both hold"),
        (lambda self: Limit(self.measure, "<" if self.relation == ">" else ">", 30), "neither"),
    ],
)
def test_a_wrong_opposite_is_noticed(
    monkeypatch: pytest.MonkeyPatch, opposite: Callable[[Limit], Limit], said: str
) -> None:
    rule = Limit("days", "<", 30)
    monkeypatch.setattr(Limit, "__invert__", opposite)
    asked = [{"days": 29}, {"days": 30}]
    broken("double_negation", lambda: laws.double_negation(rule, asked), said)


def test_a_wrong_mask_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Limit, "mask", lambda self, columns: columns[self.measure] < self.limit)
    broken(
        "rule_one_equals_columns",
        lambda: laws.rule_one_equals_columns(Limit("days", "<=", 30), [{"days": 29}, {"days": 30}]),
        "the row {'days': 30}: holds says True, mask says False",
    )


def test_a_wrong_rank_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    once = Population.at_most
    monkeypatch.setattr(Population, "at_most", lambda self, share: once(self, share + 0.1))
    broken(
        "pinned_rule_is_rank",
        lambda: laws.pinned_rule_is_rank(parse("spend_share <= 0.2"), list(range(10, 0, -1))),
        "the amount 8 of rank 3 among 10: pinned says True, rank says False",
    )


def test_a_change_with_a_side_effect_is_noticed() -> None:
    handbook = as_kind(SideEffect, ecommerce)
    broken(
        "change_can_be_taken_back",
        lambda: laws.change_can_be_taken_back(handbook, "lifecycle.reduced.window_days", 60),
        "changed says ['title', 'lifecycle.reduced.window_days']",
    )


def test_a_fingerprint_that_stays_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Policy, "fingerprint", lambda self: "0" * 12)
    other = ecommerce.with_("lifecycle.reduced.window_days", 60)
    broken(
        "fingerprint_follows_values",
        lambda: laws.fingerprint_follows_values(ecommerce, other),
        "['lifecycle.reduced.window_days']: equality says False",
    )


def test_a_machine_that_forgets_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Machine, "allowed", lambda self, state: ())
    broken("machine_keeps_its_table", lambda: laws.machine_keeps_its_table(LIFECYCLE),
           "registered -interact->: table says True, allowed says False")  # fmt: skip


# --- grades, tags, deadlines ---------------------------------------------------------------------

GRADES = user_retention.segmentation.classification("amount_level")


class ByName(Classification[ValueClass]):
    """Which breaks ties by the numbers of the customers."""

    def outcomes(self, *args: Any, **given: Any) -> Outcomes[ValueClass]:  # noqa: ANN401
        found = super().outcomes(*args, **given)
        codes = found.codes.copy()
        codes[:1] = 0
        return attrs.evolve(found, codes=codes)


def test_ties_that_are_broken_are_noticed() -> None:
    broken(
        "ties_share_a_grade",
        lambda: laws.ties_share_a_grade(as_kind(ByName, GRADES), [5] * 4, as_of=DAY),
        "the amount 5 of customers 0 and 1 among 4: one says 'high', other says 'medium'",
    )


def test_a_grade_without_spend_is_noticed() -> None:
    broken(
        "a_non_buyer_is_never_above_the_lowest",
        lambda: laws.a_non_buyer_is_never_above_the_lowest(
            as_kind(ByName, GRADES), [0, 5, 4, 3], as_of=DAY
        ),
        "customer 0 without spend", "grade says 'high', grade of the last rank says 'low'",
    )  # fmt: skip


def test_a_grade_that_falls_with_spend_is_noticed() -> None:
    turned = Classification(
        "turned", FirstMatch((Case("high", parse("spend_minor <= 100")),), otherwise="low")
    )
    broken(
        "grades_rise_with_spend",
        lambda: laws.grades_rise_with_spend(turned, [5, 500], as_of=DAY),
        "the amounts 500 and 5 among 2: the larger is low, the smaller high",
    )


GROUP = WorkingGroup("group", (Head("marketing", "chen"), Head("customer_service", "wang")))
PROCESS = user_retention.segmentation.process.with_("group", GROUP)
BATCH = [
    Analyse("H2", {"u": "gold"}, at=DAY, by="li"),
    Submit("H2", at=DAY, by="chen"),
    Approve("H2", at=DAY, by="chen"),
    Activate("H2", at=DAY, by="li"),
]


class Trusting(GradingProcess):
    """In which whoever submits may approve."""

    def _brings(self, batch: Batch, command: GradingOrder) -> Iterator[str]:
        yield from ("working_group", "not_submitter", "reason")


class Forgetful(GradingProcess):
    """Which repeats no answer."""

    def decide(
        self, state: Grading, command: GradingOrder, *, earlier: Iterable[GradingFact] = ()
    ) -> Accepted[Grading, GradingFact] | Refused:
        return super().decide(state, command)


class Hasty(GradingProcess):
    """Which lets grades hold at once."""

    def decide(
        self, state: Grading, command: GradingOrder, *, earlier: Iterable[GradingFact] = ()
    ) -> Accepted[Grading, GradingFact] | Refused:
        answer = super().decide(state, command, earlier=earlier)
        if isinstance(answer, Refused):
            return answer
        held = RecordedGrades((GradeAssessment(DAY, {"u": "gold"}),))
        return attrs.evolve(answer, state=attrs.evolve(answer.state, recorded=held))


def test_a_batch_that_its_submitter_approved_is_noticed() -> None:
    law = "a_batch_takes_effect_only_after_another_person_approved_it"
    broken(
        law,
        lambda: getattr(laws, law)(as_kind(Trusting, PROCESS), BATCH),
        "command 3, activate of batch H2 by li: chen submitted it and chen approved it",
    )
    broken(law, lambda: getattr(laws, law)(as_kind(Forgetful, PROCESS), BATCH), "again says False")


def test_a_state_without_its_facts_is_noticed() -> None:
    law = "a_batch_takes_effect_only_after_another_person_approved_it"
    broken(law, lambda: getattr(laws, law)(as_kind(Hasty, PROCESS), BATCH), "replay says Grading(")


def test_a_timeline_that_overlaps_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Timeline[str]().then("a", DAY).then("b", DAY + timedelta(days=9))
    law, law_of = "history_has_no_overlap", laws.history_has_no_overlap
    with monkeypatch.context() as patch:
        patch.setattr(Timeline, "at", lambda self, on: "a")
        broken(law, lambda: law_of(held), "on 2024-06-29: entries says [], at says ['a']")
    monkeypatch.setattr(
        Timeline, "spans", lambda self: ((x.value, x.since, None) for x in self.entries)
    )
    broken(law, lambda: law_of(held), "2024-07-09: entries says ['b'], spans says ['a', 'b']")


CALL = Obligation("C-1", "call", next(Days(1, 3).windows(DAY, zone=zone_of("UTC"))), "F-13")
DONE = [Done("C-1", "call", DAY + timedelta(days=9))]


def test_an_obligation_with_other_outcomes_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    days = [DAY + timedelta(days=back) for back in range(12)]
    law, law_of = "an_obligation_has_one_outcome", laws.an_obligation_has_one_outcome
    law_of(CALL, DONE, as_ofs=days)
    with monkeypatch.context() as patch:
        patch.setattr(Window, "takes", lambda self, when: False)
        broken(
            law,
            lambda: law_of(CALL, DONE, as_ofs=days),
            "agenda says 'missed', by the words says 'late'",
        )
    with monkeypatch.context() as patch:
        patch.setattr(Window, "in_time", lambda self, when: True)
        said = "day says 'missed', last instant of it says 'due'"
        broken(law, lambda: law_of(CALL, DONE, as_ofs=days), said)
    with monkeypatch.context() as patch:
        patch.setattr(deadlines, "agenda", lambda *args, **given: ())
        broken(law, lambda: law_of(CALL, DONE, as_ofs=days), "outcomes says 0, wanted says 1")
    with monkeypatch.context() as patch:
        patch.setattr(deadlines, "_check", lambda *_: None)
        patch.setattr(Window, "in_time", lambda self, when: when.day % 2 == 0)
        noons = [datetime(2024, 7, day, 12, tzinfo=UTC) for day in range(1, 5)]
        broken(law, lambda: law_of(CALL, [], as_ofs=noons), "missed became due")


def test_windows_that_leave_days_out_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    law, law_of = (
        "windows_of_a_cadence_tile_the_calendar", laws.windows_of_a_cadence_tile_the_calendar
    )  # fmt: skip
    year: dict[str, Any] = {"zone": zone_of("UTC"), "until": date(2025, 1, 1)}
    once, then = Every.windows, After.windows
    with monkeypatch.context() as patch:
        patch.setattr(Every, "windows", lambda *x, **given: list(once(*x, **given))[1:])
        broken(law, lambda: law_of(Every(months=3), DAY, **year), "windows says 3, periods says 4")
    with monkeypatch.context() as patch:
        patch.setattr(
            Every, "windows", lambda self, *x, **given: once(Every(months=3), *x, **given)
        )
        broken(law, lambda: law_of(Every(months=3, last_day=5), DAY, **year), "dates says")
    monkeypatch.setattr(After, "windows", lambda self, since, **given: then(self, DAY, **given))
    broken(law, lambda: law_of(After(months=1), date(2024, 5, 1), **year), "occurrences says")


NEW = TagLibrary((TagRule("new", parse("days_since_purchase <= 90")),), every=After(months=1))


def test_tags_that_do_not_follow_their_rule_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    days = [DAY, DAY + timedelta(days=40)]
    laws.a_tag_follows_its_rule(NEW, OLD, days)
    with monkeypatch.context() as patch:
        patch.setattr(Limit, "mask", lambda self, columns: columns[self.measure] < self.limit)
        broken(
            "tags_one_equals_columns",
            lambda: laws.tags_one_equals_columns(NEW, BASE, as_of=DAY),
            "customer 'C-1', tag new as of 2024-06-30: tags says (True", "says (False",
        )  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(Assignment, "state", lambda self, on: TagState.ASSIGNED)
        broken(
            "a_tag_follows_its_rule",
            lambda: laws.a_tag_follows_its_rule(NEW, OLD, days),
            "tag new on 2024-07-30: sheet says", "assigned", "by hand says", "due",
        )  # fmt: skip
    monkeypatch.setattr(Timeline, "held", lambda self, on: None)
    broken("a_tag_follows_its_rule", lambda: laws.a_tag_follows_its_rule(NEW, OLD, days),
           "the days of tag new until 2024-08-09: history says []")  # fmt: skip


def test_columns_of_commands_that_differ_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    states, commands = [BatchState.SUBMITTED] * 2, [GradingCommand.REJECT] * 2
    given = {"working_group": [True, False], "reason": [True, True]}
    law = "machine_bulk_equals_steps"
    once, replayed = Machine.run, Machine.replay
    with monkeypatch.context() as patch:
        patch.setattr(Machine, "run", lambda self, codes: 0 * once(self, codes))
        broken(law, lambda: laws.machine_bulk_equals_steps(GRADING, states, commands, given=given),
               "steps says ['rejected', 'submitted'], columns says ['collecting'")  # fmt: skip
    monkeypatch.setattr(Machine, "replay", lambda self, starts, *rest: replayed(self, 0, *rest))
    broken(law, lambda: laws.machine_bulk_equals_steps(GRADING, states, commands, given=given),
           "entities of machine SM-08")  # fmt: skip


def test_without_hypothesis_one_sentence_says_what_to_install() -> None:
    program = "import sys; sys.modules['hypothesis'] = None; import retention.testing"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "MissingExtraError: retention.testing needs hypothesis" in ran.stderr
    assert "pip install 'retention[testing]'" in ran.stderr
