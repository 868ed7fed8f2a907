"""A handbook is one value that bundles every policy, and :func:`assess` is the main job.

It can be read, changed by path, compared and fingerprinted like any policy. What a page or a
picture looks like is not decided here: that is ``reports``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from retention.benefits import BenefitCatalogue
from retention.case_groups import GroupRule
from retention.complaint_rates import ComplaintRates
from retention.feedback import Feedback
from retention.improvements import Improvements
from retention.lifecycle import Lifecycle, Stage
from retention.loyalty import Programme
from retention.mechanisms.decisions import Decision
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.periods import When, local_date, zone_of
from retention.mechanisms.policies import Policy, blank, policy
from retention.mechanisms.tables import Shown, Table, headline
from retention.root_causes import CauseAnalysis
from retention.segmentation import Layer, RfmCells, Segmentation
from retention.service import Service
from retention.surveys import Surveys

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from retention.dues import Dues
    from retention.logs import InteractionLog, PurchaseLog
    from retention.mechanisms.answers import Problem
    from retention.mechanisms.outcomes import Movement, Outcomes
    from retention.mechanisms.words import Language


@policy
class Handbook(Policy):
    """Every rule by which one company keeps its customers.

    >>> from retention.presets import ecommerce
    >>> ours = ecommerce.with_("lifecycle.stages.new.when.days_since_first_purchase", 45)
    >>> ours.fingerprint() == ecommerce.fingerprint()
    False
    >>> [(each.path, str(each.before), str(each.after)) for each in ecommerce.compare(ours)]
    [('lifecycle.stages.new.when', 'days_since_first_purchase <= 30', \
'days_since_first_purchase <= 45')]
    """

    name: str
    title: str
    title_zh: str
    segmentation: Segmentation = field(factory=Segmentation)
    lifecycle: Lifecycle = field(factory=Lifecycle)
    feedback: Feedback = field(default=blank("no feedback cases"))
    group_rule: GroupRule = field(default=blank("no group complaints"))
    cause_analysis: CauseAnalysis = field(default=blank("no analysis of causes"))
    improvements: Improvements = field(default=blank("no improvement items"))
    surveys: Surveys = field(default=blank("no surveys"))
    complaint_rates: ComplaintRates = field(default=blank("no complaint rates"))
    programme: Programme = field(default=blank("no loyalty programme"))
    # Services that follow a grade by value, and no tier of the programme (E-19).
    value_benefits: BenefitCatalogue = field(default=blank("no services by value grade"))
    service: Service = field(default=blank("no customer service"))

    def __repr__(self) -> str:
        """Return the name and the fingerprint: a handbook has hundreds of values."""
        return f"Handbook({self.name!r}, fingerprint {self.fingerprint()})"


@frozen(eq=False)
class Assessment(Shown):
    """Every customer of a log under one handbook, with reasons and what is due next.

    In a notebook it shows customers and spend per layer and per stage.
    """

    handbook: Handbook
    as_of: When
    since: When | None  # the earlier day that movement is counted from
    purchases: int  # rows known at as_of
    currency: str  # of the log; empty if it does not say
    layers: Outcomes[Layer] = field(repr=False)
    stages: Outcomes[Stage] = field(repr=False)
    rfm: RfmCells = field(repr=False)
    due: Dues[Stage] = field(repr=False)
    layers_moved: Movement[Layer] | None = field(repr=False)
    stages_moved: Movement[Stage] | None = field(repr=False)

    @property
    def left_out(self) -> int:
        """Facts after ``as_of``: known to the log, not to this assessment."""
        return self.stages.left_out

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Rows of the logs that were set aside."""
        return self.stages.problems

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.stages)

    def __repr__(self) -> str:
        """Return sizes alone: ids and amounts of customers do not belong into messages."""
        unit = f"customers under {self.handbook.name} as of {self.as_of}"
        counts = {"purchases": self.purchases, "facts later": self.left_out}
        return headline("Assessment", len(self), unit, counts | {"problems": len(self.problems)})

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return one row a customer: layer, stage, RFM bands, and the next change of stage.

        Text is empty and a band is 0 for whoever is outside the population of that axis;
        ``due_on`` is NaT where time alone changes nothing.
        """
        import numpy as np

        from retention.mechanisms.outcomes import cross

        found = cross(
            layer=self.layers,
            stage=self.stages,
            recency=self.rfm.recency,
            frequency=self.rfm.frequency,
            monetary=self.rfm.monetary,
        ).to_columns()
        for name in ("recency", "frequency", "monetary"):
            found[name] = np.where(found[name] == "", "0", found[name]).astype(np.int64)
        due = self.due.to_columns()
        place = np.searchsorted(found["customer"], due["customer"])
        on = np.full(len(found["customer"]), "NaT", "datetime64[D]")
        becomes = np.full(len(on), "", due["becomes"].dtype)
        on[place], becomes[place] = due["on"], due["becomes"]
        return {**found, "due_on": on, "due_stage": np.where(np.isnat(on), "", becomes)}

    def to_table(self, language: Language = "en") -> Table:
        """Return customers and spend per layer."""
        return self.layers.to_table(language, currency=self.currency)

    def to_tables(self, language: Language = "en") -> tuple[Table, ...]:
        """Return customers and spend per layer, and per stage."""
        return (
            self.to_table(language),
            self.stages.to_table(language, currency=self.currency),
        )

    def examples(self, number: int = 10) -> Iterator[tuple[Any, Decision[Layer], Decision[Stage]]]:
        """Customers to look at: the largest spenders of every layer in turn, with both decisions.

        >>> from datetime import date
        >>> from retention import PurchaseLog
        >>> from retention.presets import ecommerce
        >>> log = PurchaseLog.from_columns(customer=["a"], at=[date(2024, 6, 1)], amount=[12.5])
        >>> for customer, layer, stage in assess(
        ...     ecommerce, log, as_of=date(2024, 6, 30)
        ... ).examples():
        ...     print(customer, layer.outcome, stage.outcome)
        a new new
        """
        spend = self.layers.column("spend_minor")
        ranked = []
        for code in range(len(self.layers.table.outcomes)):
            rows = (self.layers.codes == code).nonzero()[0]
            best = rows[(-spend[rows]).argsort(kind="stable")][:number]
            ranked += [(place, code, row) for place, row in enumerate(best.tolist())]
        for _, _, row in sorted(ranked)[:number]:
            customer = self.layers.customers[row]
            yield customer.item(), self.layers.decision(customer), self.stages.decision(customer)


def assess(
    handbook: Handbook,
    purchases: PurchaseLog,
    interactions: InteractionLog | None = None,
    *,
    as_of: When,
    since: When | None = None,
    customers: ArrayLike | None = None,
) -> Assessment:
    """Say for every customer of the logs which layer and stage they are in, why, and what is next.

    ``since`` asks the same logs about an earlier day too, to see who moved. Purchases after
    ``as_of`` are left out and counted.

    >>> from datetime import date
    >>> from retention import PurchaseLog
    >>> from retention.presets import ecommerce
    >>> log = PurchaseLog.from_columns(
    ...     customer=["a", "b"], at=[date(2024, 6, 1), date(2024, 1, 2)], amount=[12.5, 99.0])
    >>> report = assess(ecommerce, log, as_of=date(2024, 6, 30))
    >>> report.layers.explain("b")
    'sleeping: days_since_purchase 180 is between 91 and 180; not new: days_since_first_purchase \
180 is not <= 30; not high_active: days_since_purchase 180 is not <= 30, purchases_30d 0 is not \
>= 2, spend_minor 9900 is not >= inf (spend_share <= 0.2); not medium_active: \
days_since_purchase 180 is not <= 90, purchases_90d 0 is not >= 1'
    """
    zone = zone_of(handbook.lifecycle.zone)
    if since is not None and local_date(since, zone) >= local_date(as_of, zone):
        raise InvalidValueError("since", since, f"a day before as_of, {as_of}")
    segmentation, lifecycle = handbook.segmentation, handbook.lifecycle
    layers = segmentation.layers(purchases, interactions, as_of=as_of)
    stages = lifecycle.stages(purchases, interactions, as_of=as_of, customers=customers)
    layers_moved = stages_moved = None
    if since is not None:
        layers_moved = layers.compare(segmentation.layers(purchases, interactions, as_of=since))
        before = lifecycle.stages(purchases, interactions, as_of=since, customers=customers)
        stages_moved = stages.compare(before)
    return Assessment(
        handbook,
        as_of,
        since,
        len(purchases.times.numbers[purchases.times.known(layers.as_of)]),
        purchases.currency,
        layers,
        stages,
        segmentation.rfm_cells(purchases, interactions, as_of=as_of),
        lifecycle.dues(purchases, interactions, as_of=as_of, customers=customers),
        layers_moved,
        stages_moved,
    )


def stage_counts(
    handbook: Handbook,
    purchases: PurchaseLog,
    interactions: InteractionLog | None = None,
    *,
    days: Iterable[When],
    customers: ArrayLike | None = None,
) -> dict[When, dict[Stage, int]]:
    """Return customers per stage on each of some days, such as month ends; zeros included.

    >>> from datetime import date
    >>> from retention import PurchaseLog
    >>> from retention.presets import ecommerce
    >>> log = PurchaseLog.from_columns(customer=["a"], at=[date(2024, 6, 1)], amount=[12.5])
    >>> days = [date(2024, 6, 30), date(2024, 7, 31)]
    >>> for day, counts in stage_counts(ecommerce, log, days=days).items():
    ...     print(day, [str(stage) for stage, number in counts.items() if number])
    2024-06-30 ['new']
    2024-07-31 ['active']
    """
    ask = handbook.lifecycle.stages
    return {
        day: ask(purchases, interactions, as_of=day, customers=customers).counts() for day in days
    }
