"""Value scores: weighted factors that add up to 0 to 100, and the classes cut from them.

A factor is a figure between 0 and 1: given so by the host, or a measure divided by a stated
cap, or the rank share of a measure (C-18, C-19). Factors are rounded to millionths, all else
is exact, so a score of 70 is 70 for one customer and in columns. Classes by limits on the
score or on its rank share (C-06) are an ordinary table of cases.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import attrs
from attrs import field, frozen

from retention import measures
from retention.activity import History
from retention.classifications import Classification
from retention.mechanisms.answers import Scalar
from retention.mechanisms.decisions import Decision
from retention.mechanisms.errors import DuplicateError, InvalidValueError, UnpinnedPolicyError
from retention.mechanisms.periods import AsOf, When, zone_of
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.ranks import Population
from retention.mechanisms.tables import Head, Shown, Table, headline, spread
from retention.mechanisms.words import Language

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from retention.logs import InteractionLog, PurchaseLog
    from retention.mechanisms.outcomes import Outcomes
    from retention.summaries import Attributes, Summary

Outcome = TypeVar("Outcome")

FULL = 100  # the score of a customer whose factors are all 1
_PARTS = 10**6  # a factor is counted in millionths
_PIN = "call pin(purchases, as_of=...) first and ask the policy that it returns"
_FINEST = 10**6  # common denominator of the weights: finer ones would not stay exact in columns


def _weight(given: float | str | Fraction) -> float | str | Fraction:
    """A fraction becomes its text, so that the policy is plain data."""
    return str(given) if isinstance(given, Fraction) else given


@policy
class Factor(Policy):
    """One factor of a score: its weight, and how a measure or attribute becomes 0 to 1.

    Without ``cap`` and ``rank_steps`` the value is 0 to 1 already. ``cap`` is the amount that
    counts as 1. ``rank_steps`` ranks the population: 100 tells whole percents apart; zero
    counts as 0, and pinning writes the amounts of the steps to ``reached``.
    """

    name: str
    weight: float | str | Fraction = field(converter=_weight)  # "1/3" is exact
    measure: str
    cap: float | None = None
    rank_steps: int | None = None
    reached: tuple[float, ...] = field(default=(), converter=tuple)

    @property
    def key(self) -> str:
        """Name of the factor."""
        return self.name

    def __attrs_post_init__(self) -> None:
        if self.cap is not None and self.rank_steps is not None:
            raise InvalidValueError(f"Factor {self.name}", "cap and rank_steps", "one of the two")
        if self.cap is not None and not self.cap > 0:
            raise InvalidValueError(f"Factor {self.name}.cap", self.cap, "more than 0")
        if self.rank_steps is not None and not 1 <= self.rank_steps <= _FINEST:
            raise InvalidValueError(f"Factor {self.name}.rank_steps", self.rank_steps, "1 or more")
        if not is_blank(self.weight) and self.share < 0:
            raise InvalidValueError(f"Factor {self.name}.weight", self.weight, "0 or more")

    @property
    def share(self) -> Fraction:
        """The weight as it was written, exactly."""
        given = self.weight
        try:
            # A blank weight cannot be added to: it raises, and says which one it is.
            return Fraction(given if isinstance(given, str) else str(given + 0))
        except ValueError:
            allowed = 'a number such as 0.25, or "1/3"'
            raise InvalidValueError(f"Factor {self.name}.weight", given, allowed) from None

    def parts(self, value: Scalar) -> int | None:
        """Return the factor in millionths; None when the value is missing.

        >>> Factor("amount", 1, "spend_minor", cap=1_000_00).parts(250_00)
        250000
        """
        if value is None or value != value:  # noqa: PLR0124  NaN does not equal itself
            return None
        if isinstance(value, str):
            self._refuse(value)
        if self.rank_steps is not None:
            return round(self._step(value) / self.rank_steps * _PARTS)
        if self.cap is not None:
            return round(min(max(value / self.cap, 0.0), 1.0) * _PARTS)
        if not 0 <= value <= 1:
            self._refuse(value)
        return round(value * _PARTS)

    def _step(self, value: float) -> int:
        self._check_pinned()
        return bisect_right(self.reached, value) if value > 0 else 0

    def column(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return :meth:`parts` of a whole column as float64, NaN where a value is missing."""
        import numpy as np

        if values.dtype.kind not in "biuf":
            self._refuse(str(values[0]) if len(values) else values.dtype)
        if self.rank_steps is not None:
            self._check_pinned()
            steps = np.searchsorted(np.array(self.reached), values, side="right")
            shares = np.where(values > 0, steps, 0) / self.rank_steps
            return np.where(np.isnan(values), np.nan, np.rint(shares * _PARTS))
        if self.cap is not None:
            return np.rint(np.clip(values / self.cap, 0.0, 1.0) * _PARTS)
        strange = (values < 0) | (values > 1)
        if strange.any():
            self._refuse(values[strange][0].item())
        return np.rint(values * float(_PARTS))

    def pinned_to(self, values: NDArray[Any]) -> Factor:
        """Return the factor with the steps of its rank share as amounts of these customers.

        Step k of n holds whoever has at most the share 1 - k/n of the customers above.
        """
        import numpy as np

        known = np.sort(values[~np.isnan(values)])
        if self.rank_steps is None:
            return self
        if not len(known):
            raise InvalidValueError(f"Factor {self.name}", "nobody", "customers to rank")
        steps = range(1, self.rank_steps + 1)
        above = [len(known) * (self.rank_steps - k) // self.rank_steps for k in steps]
        places = [max(len(known) - 1 - number, 0) for number in above]
        return attrs.evolve(self, reached=tuple(known[places].tolist()))

    def _check_pinned(self) -> None:
        if not self.reached:
            raise UnpinnedPolicyError(f"Factor {self.name}", self.measure, _PIN)

    def _refuse(self, value: object) -> NoReturn:
        allowed = "0 to 1; give a cap or rank_steps for other figures"
        raise InvalidValueError(f"Factor {self.name}, {self.measure}", value, allowed)


@frozen
class Contribution:
    """What one factor adds to a score; None when its value is missing."""

    factor: str
    weight: Fraction
    value: Fraction | None  # 0 to 1

    @property
    def points(self) -> Fraction | None:
        """Its share of the score."""
        return None if self.value is None else FULL * self.weight * self.value


@frozen
class Score:
    """A score of 0 to 100 and what it is made of; without all factors there is none."""

    contributions: tuple[Contribution, ...]

    @property
    def value(self) -> Fraction | None:
        """The exact score: the sum of the contributions."""
        points = [each.points for each in self.contributions]
        known = [each for each in points if each is not None]
        return sum(known, Fraction(0)) if len(known) == len(points) else None

    @property
    def missing(self) -> tuple[str, ...]:
        """Factors whose value is not known."""
        return tuple(each.factor for each in self.contributions if each.value is None)

    def __str__(self) -> str:
        """Return one readable line."""
        if self.value is None:
            return f"no score: {', '.join(self.missing)} missing"
        parts = ", ".join(f"{x.factor} {float(x.points or 0):g}" for x in self.contributions)
        return f"{float(self.value):g} ({parts})"


@frozen(eq=False)
class Scores(Shown):
    """The scores of many customers: NaN where a factor is missing."""

    customers: NDArray[Any] = field(repr=False)
    values: NDArray[Any] = field(repr=False)
    contributions: Mapping[str, NDArray[Any]] = field(repr=False)
    as_of: AsOf
    left_out: int = 0

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: customer, score, and what each factor adds."""
        return {"customer": self.customers, "score": self.values, **self.contributions}

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.customers)

    def __repr__(self) -> str:
        """Return sizes alone."""
        missing = int((self.values != self.values).sum())
        counts = {"with a score": len(self) - missing, "without": missing}
        return headline("Scores", len(self), f"customers as of {self.as_of.day}", counts)

    def to_table(self, language: Language = "en") -> Table:
        """Return how many have a score, and the middle of it and of what each factor adds."""
        columns = {Head.SCORE.label(language): self.values, **self.contributions}
        return spread(columns, Head.FACTOR, language)


@policy
class Scoring(Policy):
    """Factors with weights that sum to 1; the name is the one under which rules ask (C-18).

    >>> from datetime import date
    >>> third = Fraction(1, 3)
    >>> model = Scoring("value_score", tuple(Factor(x, third, x) for x in ("a", "b", "c")))
    >>> known = History("C-17", attributes={"a": 1, "b": 0.5, "c": 0})
    >>> str(model.score(known, as_of=date(2024, 6, 30)))
    '50 (a 33.3333, b 16.6667, c 0)'
    >>> Scoring("value_score", (Factor("a", 0.5, "a"), Factor("b", 0.4, "b")))
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.InvalidValueError: value_score: weights that sum to 0.9 is not \
allowed; allowed: weights that sum to 1
    """

    rows_in = "factors"

    name: str
    factors: tuple[Factor, ...] = field(converter=tuple)
    zone: str = "Asia/Shanghai"

    @property
    def key(self) -> str:
        """Name of the score."""
        return self.name

    def __attrs_post_init__(self) -> None:
        names = [each.name for each in self.factors]
        if len(set(names)) < len(names):
            raise DuplicateError(f"{self.name}.factors", names)
        if any(is_blank(each.weight) for each in self.factors):
            return
        total = sum((each.share for each in self.factors), Fraction(0))
        if total != 1:
            given = f"weights that sum to {float(total):g}"
            raise InvalidValueError(self.name, given, "weights that sum to 1")
        if self._whole > _FINEST:
            raise InvalidValueError(self.name, "weights", "at most 6 decimals, or simple fractions")

    @cached_property
    def _whole(self) -> int:
        """Common denominator of the weights."""
        return lcm(*(each.share.denominator for each in self.factors))

    @property
    def needs(self) -> tuple[str, ...]:
        """Measures and attributes that the factors ask for."""
        return tuple(dict.fromkeys(each.measure for each in self.factors))

    def score(self, history: History, *, as_of: When) -> Score:
        """Return the score of one customer with what every factor adds."""
        row = measures.measured(history, self.needs, AsOf.at(as_of, zone_of(self.zone)))
        return self.of(row)

    def of(self, row: Mapping[str, Scalar]) -> Score:
        """Return the score of one row of measures and attributes.

        >>> model = Scoring("value_score", (Factor("a", 0.4, "a"), Factor("b", 0.6, "b")))
        >>> model.of({"a": 0.5, "b": 0.75}).value
        Fraction(65, 1)
        """
        found = ((each, each.parts(row[each.measure])) for each in self.factors)
        return Score(
            tuple(
                Contribution(
                    each.name,
                    each.share,
                    None if parts is None else Fraction(parts, _PARTS),
                )
                for each, parts in found
            )
        )

    def scores(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
        customers: ArrayLike | None = None,
        attributes: Attributes | None = None,
    ) -> Scores:
        """Return the scores of many; shares are ranked among these customers unless pinned."""
        summary = self._summary(purchases, interactions, as_of, customers, attributes)
        columns = summary.columns()
        points = self.pinned_to(columns).points(columns)
        values = points.pop(self.name)
        return Scores(summary.customers, values, points, summary.as_of, summary.left_out)

    def points(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return what every factor adds, and under the score's own name their sum."""
        whole = float(self._whole * _PARTS)
        found: dict[str, NDArray[Any]] = {}
        total: Any = 0.0
        for each in self.factors:
            share = int(each.share * self._whole)
            # Whole numbers below 2**53: sums are exact, and one division rounds once.
            added = FULL * share * each.column(columns[each.measure])
            found[each.name] = added / whole
            total = total + added
        return {**found, self.name: total / whole}

    def pin(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
        customers: ArrayLike | None = None,
        attributes: Attributes | None = None,
    ) -> Scoring:
        """Turn the steps of rank shares into amounts, so that one customer can be scored."""
        return self.pinned_to(
            self._summary(purchases, interactions, as_of, customers, attributes).columns()
        )

    def pinned_to(self, columns: Mapping[str, NDArray[Any]]) -> Scoring:
        """Return the scoring with the rank shares of these customers pinned to amounts."""
        if all(x.rank_steps is None or x.reached for x in self.factors):
            return self
        pinned = (x if x.reached else x.pinned_to(columns[x.measure]) for x in self.factors)
        return attrs.evolve(self, factors=tuple(pinned))

    def _summary(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None,
        as_of: When,
        customers: ArrayLike | None,
        attributes: Attributes | None,
    ) -> Summary:
        from retention.summaries import Summary

        at = AsOf.at(as_of, zone_of(self.zone))
        return Summary.of(
            self.needs,
            purchases,
            interactions,
            as_of=at,
            customers=customers,
            attributes=attributes,
        )


@policy
class Scored(Classification[Outcome]):
    """A classification whose table limits a score, or the rank share of it (C-06).

    The table asks for the score by the name of the scoring, and for its rank share by that
    name with ``_share`` behind it; whoever has no score is not ranked and meets no limit.
    When a score changes next is not foretold: ask again on the day.

    >>> from datetime import date
    >>> from retention.presets import customer_operations
    >>> axis = customer_operations.segmentation.classification("value_model")
    >>> ours = axis.with_all({"high.when": "value_score >= 70", "medium.when": "value_score >= 40"})
    >>> factors = {"amount": 0.8, "frequency": 0.6, "potential": 0.5, "loyalty": 0.9}
    >>> print(ours.outcome(History("C-17", attributes=factors), as_of=date(2024, 6, 30)))
    high: value_score 70 is >= 70
    """

    scoring: Scoring = field(kw_only=True)

    def outcome(self, history: History, *, as_of: When) -> Decision[Outcome | None]:
        """Decide about one customer by the score."""
        asked = self._everybody.measures
        if self._share in asked:
            raise UnpinnedPolicyError("measure", self._share, _PIN)
        names = dict.fromkeys((*asked, *self.scoring.needs))
        names.pop(self.scoring.name, None)
        row = measures.measured(history, names, self.at(as_of))
        return self._everybody.decide({**row, self.scoring.name: _scalar(self.scoring.of(row))})

    @property
    def needs(self) -> tuple[str, ...]:
        """Measures that a summary must hold: those of the factors in place of the score."""
        mine = {self.scoring.name, self._share}
        asked = [name for name in super().needs if name not in mine]
        return tuple(dict.fromkeys((*asked, *self.scoring.needs)))

    @property
    def _limits_its_share(self) -> bool:
        """Whether a rule that is filled limits the rank share of the score."""
        rules = (case.when for case in self.table.cases if not is_blank(case.when))
        return any(self._share in rule.measures() for rule in rules)

    def due(self, history: History, *, as_of: When) -> NoReturn:  # noqa: ARG002
        """Refuse: when a score changes next is not foretold."""
        raise InvalidValueError("due", self.name, "a table of measures; ask a score on the day")

    def timeline(self, history: History, *, until: When) -> NoReturn:  # noqa: ARG002
        """Refuse: when a score changed is not told."""
        raise InvalidValueError("timeline", self.name, "a table of measures; ask a score on a day")

    def pin(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
        customers: ArrayLike | None = None,
        attributes: Attributes | None = None,
    ) -> Scored[Outcome]:
        """Turn shares of factors and of the score into limits on amounts and on the score."""
        if self.pinned is not None:
            raise InvalidValueError("pin", self.pinned, "a policy that still limits shares")
        ranked = any(x.rank_steps and not x.reached for x in self.scoring.factors)
        if not ranked and not self._limits_its_share:
            return self
        return self.pinned_to(self.summary(purchases, interactions, as_of, customers, attributes))

    def among(self, summary: Summary) -> Outcomes[Outcome]:
        """Decide about the customers of a summary by their scores."""
        from retention.mechanisms.outcomes import Outcomes

        here = self.pinned_to(summary)
        columns, customers = self._inside_columns(summary)
        return Outcomes.of(
            here.table,
            customers,
            {**columns, self.scoring.name: here.scoring.points(columns)[self.scoring.name]},
            summary.as_of,
            left_out=summary.left_out,
            problems=summary.problems,
        )

    def pinned_to(self, summary: Summary) -> Scored[Outcome]:
        """Return the classification with the shares of factors and score pinned to amounts."""
        import numpy as np

        columns, _ = self._inside_columns(summary)
        scoring = self.scoring.pinned_to(columns)
        if self.pinned is not None or not self._limits_its_share:
            return attrs.evolve(self, scoring=scoring)
        scores = scoring.points(columns)[scoring.name]
        known = scores[~np.isnan(scores)]
        ranked = Population(scoring.name, known, rounding=self.ranking.rounding)
        when = summary.as_of.instant or summary.as_of.day
        table = self.table.pin({self._share: ranked}, when)
        return attrs.evolve(self, table=table, scoring=scoring)

    @property
    def _share(self) -> str:
        return f"{self.scoring.name}_share"

    def _inside_columns(self, summary: Summary) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
        columns, customers = summary.columns(), summary.customers
        inside = self._inside(columns)
        if inside is None:
            return columns, customers
        return {name: column[inside] for name, column in columns.items()}, customers[inside]


def _scalar(score: Score) -> int | float | None:
    """The score as a row says it: whole when it is whole."""
    found = score.value
    if found is None:
        return None
    return int(found) if found.denominator == 1 else float(found)
