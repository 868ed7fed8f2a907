"""Ratings: satisfaction, recommendation and effort figures from answers on a scale.

The mean of ratings and the share of good ratings are two metrics, never compared with each
other (I-01). A metric is data: a scale with its direction, what a rating weighs, a target. It
answers for one group of ratings and, in numpy, for many groups at once. Who is asked what and
when stands in ``surveys``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.choices import member
from retention.mechanisms.errors import InvalidValueError, UnequalColumnsError, WrongTypeError
from retention.mechanisms.estimates import Change, Estimate
from retention.mechanisms.intervals import LEVEL, Interval, adjusted_wald, student, wilson
from retention.mechanisms.kpis import KpiValue, Target
from retention.mechanisms.periods import When
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.words import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class Better(Word):
    """Which end of a scale is the good one; surveys of effort have been sold both ways round."""

    HIGHER = "higher", "越高越好"
    LOWER = "lower", "越低越好"


def _better(given: Better | str) -> Better:
    return member(Better, given, "better")


@policy
class Scale(Policy):
    """Whole numbers from lowest to highest, and which end is good.

    >>> Scale(1, 5).check(5)
    5
    >>> Scale(1, 5).check(6)
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.InvalidValueError: rating: 6 is not allowed; allowed: a whole \
number from 1 to 5
    """

    lowest: int
    highest: int
    better: Better = field(default=Better.HIGHER, converter=_better)

    def __attrs_post_init__(self) -> None:
        if self.highest <= self.lowest:
            ends = (self.lowest, self.highest)
            raise InvalidValueError("Scale", ends, "a highest rating above the lowest")

    @property
    def allowed(self) -> str:
        """What a rating may be."""
        return f"a whole number from {self.lowest} to {self.highest}"

    @property
    def size(self) -> int:
        """Number of ratings."""
        return self.highest - self.lowest + 1

    def check(self, rating: object) -> int:
        """Return a rating of this scale; refuse everything else (I-01)."""
        if isinstance(rating, bool) or not isinstance(rating, int):
            raise WrongTypeError("rating", rating, self.allowed)
        if not self.lowest <= rating <= self.highest:
            raise InvalidValueError("rating", rating, self.allowed)
        return rating


class Figure(Word):
    """What is made of the ratings."""

    MEAN = "mean", "平均分"
    SHARE = "share", "好评占比"
    NET = "net", "净推荐值"


def _figure(given: Figure | str) -> Figure:
    return member(Figure, given, "figure")


@policy
class RatingMetric(Policy):
    """A metric over ratings (VAR-14): the scale, the figure, its bands and the target.

    ``good_from`` is the first rating that counts as good, seen from the bad end; for a net
    figure ``bad_to`` is the last that counts as bad (AMB-16). Both follow the direction of
    the scale.

    >>> csat = RatingMetric("csat", Scale(1, 5), Figure.MEAN, target=Target(at_least=4.5))
    >>> str(csat.of([5] * 30 + [4] * 15 + [3] * 5))
    'csat 4.5 (225 over 50), target >= 4.5: met'
    >>> nps = RatingMetric("nps", Scale(0, 10), "net", good_from=9, bad_to=6)
    >>> str(nps.of([10] * 62 + [8] * 26 + [3] * 12))
    'nps 50 (50 of 100)'
    """

    name: str
    scale: Scale
    figure: Figure = field(converter=_figure)
    good_from: int | None = field(default=None, kw_only=True)
    bad_to: int | None = field(default=None, kw_only=True)
    target: Target | None = field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        wanted = {
            Figure.MEAN: (),
            Figure.SHARE: ("good_from",),
            Figure.NET: ("good_from", "bad_to"),
        }
        for name in ("good_from", "bad_to"):
            given = getattr(self, name)
            if (given is None) == (name in wanted[self.figure]):
                needs = " and ".join(wanted[self.figure]) or "no band"
                raise InvalidValueError(f"{self.name}.{name}", given, f"{needs} for {self.figure}")
            if given is not None:
                self.scale.check(given)
        if self.figure is Figure.NET and self._good(self.bad_to):
            raise InvalidValueError(f"{self.name}.bad_to", self.bad_to, "bands that do not overlap")

    @property
    def key(self) -> str:
        """Name as a row of a table."""
        return self.name

    @property
    def definition(self) -> str:
        """What is computed, in one line.

        >>> RatingMetric("easy", Scale(1, 5, "lower"), "share", good_from=2).definition
        'share of ratings 1 to 2, lower is better, on 1 to 5'
        """
        low, high = self.scale.lowest, self.scale.highest
        on = f", {self.scale.better} is better, on {low} to {high}"
        upward = self.scale.better is Better.HIGHER
        good = f"{self.good_from} to {high}" if upward else f"{low} to {self.good_from}"
        bad = f"{low} to {self.bad_to}" if upward else f"{self.bad_to} to {high}"
        return {
            Figure.MEAN: "mean of ratings",
            Figure.SHARE: f"share of ratings {good}",
            Figure.NET: f"share of {good} minus share of {bad}",
        }[self.figure] + on

    def of(
        self,
        ratings: Iterable[int],
        *,
        since: When | None = None,
        until: When | None = None,
        as_of: When | None = None,
        interval: bool | None = None,
    ) -> KpiValue:
        """Return the figure of one group of ratings; a rating outside the scale is refused.

        No ratings give no value (I-01). Shares and net figures come with their interval; that
        of a mean needs the extra ``stats`` and is made with ``interval=True``.
        """
        counts = [0] * self.scale.size
        for rating in ratings:
            counts[self.scale.check(rating) - self.scale.lowest] += 1
        return self.of_counts(counts, since=since, until=until, as_of=as_of, interval=interval)

    def by(self, groups: ArrayLike, ratings: ArrayLike) -> RatingGroups:
        """Return the figure of every group, in columns; bad ratings become problems.

        >>> csat = RatingMetric("csat", Scale(1, 5), "mean")
        >>> found = csat.by(["app", "phone", "app"], [5, 3, 6])
        >>> found.to_columns()["value"].tolist(), str(found.problems[0])
        ([5.0, 3.0], 'out of scale: 1 row (2), first 6; allowed: a whole number from 1 to 5')
        """
        import numpy as np

        names, rated = np.asarray(groups), np.asarray(ratings)
        if len(names) != len(rated):
            raise UnequalColumnsError("ratings", {"groups": len(names), "ratings": len(rated)})
        if rated.size and rated.dtype.kind not in "iuf":
            raise WrongTypeError("ratings", str(rated.dtype), f"numbers: {self.scale.allowed}")
        fits = (rated >= self.scale.lowest) & (rated <= self.scale.highest)
        if rated.dtype.kind == "f":
            fits &= rated == np.floor(rated)
        keys, codes = np.unique(names[fits], return_inverse=True)
        places = rated[fits].astype(np.intp) - self.scale.lowest
        counts = np.bincount(
            codes * self.scale.size + places, minlength=len(keys) * self.scale.size
        )
        return RatingGroups(
            self, keys, counts.reshape(len(keys), self.scale.size), self._problems(rated, fits)
        )

    def gain(self, before: KpiValue, after: KpiValue, mode: Change = Change.POINTS) -> Gain:
        """Return how much better it got, with both numbers of answers (I-27, AMB-10)."""
        change = after.change_from(before, mode)
        if change is not None and self.scale.better is Better.LOWER and self.figure is Figure.MEAN:
            change = -change
        return Gain(before, after, mode, change)

    @cached_property
    def weights(self) -> tuple[int, ...]:
        """What each rating of the scale adds to the numerator, lowest rating first."""
        every = range(self.scale.lowest, self.scale.highest + 1)
        if self.figure is Figure.MEAN:
            return tuple(every)
        return tuple(self._good(x) - self._bad(x) for x in every)

    def _good(self, rating: int | None) -> bool:
        if rating is None or self.good_from is None:
            return False
        upward = self.scale.better is Better.HIGHER
        return rating >= self.good_from if upward else rating <= self.good_from

    def _bad(self, rating: int) -> bool:
        if self.bad_to is None:
            return False
        upward = self.scale.better is Better.HIGHER
        return rating <= self.bad_to if upward else rating >= self.bad_to

    def of_counts(
        self,
        counts: Sequence[int],
        *,
        since: When | None = None,
        until: When | None = None,
        as_of: When | None = None,
        interval: bool | None = None,
    ) -> KpiValue:
        """Return the figure from the number of answers per rating, lowest rating first.

        Counts of several groups add up to those of all of them.
        """
        if len(counts) != self.scale.size:
            raise InvalidValueError("counts", len(counts), f"{self.scale.size} numbers")
        total = sum(weight * count for weight, count in zip(self.weights, counts, strict=True))
        share = self.figure is not Figure.MEAN
        wanted = share if interval is None else interval
        return KpiValue(
            self.name,
            self.definition,
            Estimate(total, sum(counts), share=share),
            per=100 if self.figure is Figure.NET else 1,
            interval=self._interval(counts, total) if wanted else None,
            since=since,
            until=until,
            as_of=as_of,
            target=self.target,
        )

    def _interval(self, counts: Sequence[int], total: int) -> Interval | None:
        pairs = list(zip(self.weights, counts, strict=True))
        if self.figure is Figure.SHARE:
            return wilson(Estimate(total, sum(counts)))
        if self.figure is Figure.NET:
            up, level, down = (sum(n for w, n in pairs if w == x) for x in (1, 0, -1))
            return adjusted_wald(up, level, down)
        return student(total, sum(w * w * n for w, n in pairs), sum(counts), level=LEVEL)

    def _problems(self, rated: NDArray[Any], fits: NDArray[np.bool_]) -> tuple[Problem, ...]:
        rows = (~fits).nonzero()[0].tolist()
        if not rows:
            return ()
        given = str(rated[rows[0]])
        return (Problem(Code.OUT_OF_SCALE, tuple(rows), given, self.scale.allowed),)


@frozen
class Gain:
    """A figure before and after a change was made; positive is better (I-27)."""

    before: KpiValue
    after: KpiValue
    mode: Change
    change: Fraction | None  # None: one of the two has no value


@frozen(eq=False)
class RatingGroups:
    """The figure of many groups of ratings."""

    metric: RatingMetric
    groups: NDArray[Any] = field(repr=False)
    counts: NDArray[np.int64] = field(repr=False)  # a row a group, a column a rating
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.groups)

    def value(self, group: object) -> KpiValue:
        """Return the figure of one group with everything it stands on."""
        found = (self.groups == group).nonzero()[0]
        counts = self.counts[found[0]].tolist() if len(found) else [0] * self.metric.scale.size
        return self.metric.of_counts(counts)

    def values(self) -> Mapping[Any, KpiValue]:
        """Return the figure of every group, by group."""
        return {group.item(): self.value(group) for group in self.groups}

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: group, numerator, denominator, value."""
        import numpy as np

        total = self.counts @ np.array(self.metric.weights, np.int64)
        number = self.counts.sum(axis=1)
        per = 100 if self.metric.figure is Figure.NET else 1
        value = per * total / number
        return {"group": self.groups, "numerator": total, "denominator": number, "value": value}
