"""Tables of cases as expressions: which outcome every row of a summary has.

The engine sees the number of a case; its name stands beside it. Shares of the population must
be pinned to amounts first, so every row is decided by itself.
"""

from __future__ import annotations

from typing import Any, TypeVar

import narwhals.stable.v2 as nw

from retention.classifications import Classification
from retention.frames._native import Frame, is_lazy, opened
from retention.frames._needs import AS_OF, LETTERS, as_of_text, axes_of
from retention.frames._rules import expression
from retention.grades import Graded
from retention.lifecycle import Lifecycle
from retention.mechanisms.decisions import FirstMatch
from retention.mechanisms.errors import GapError, InvalidValueError
from retention.mechanisms.periods import AsOf, When, zone_of
from retention.scores import Scored
from retention.segmentation import Segmentation
from retention.tags import TagLibrary

Native = TypeVar("Native")

_SCORES = "tables of measures; ask a score with frames.by_customer(frame, ...)"


def layers(policy: Segmentation, summary: Native, *, as_of: When) -> Native:
    """Return the customers of the population with their ``layer`` and its ``layer_code`` (C-21).

    >>> import polars as pl
    >>> from datetime import date
    >>> from retention import frames
    >>> from retention.presets import ecommerce
    >>> bought = pl.DataFrame(
    ...     {
    ...         "customer": ["a", "b"],
    ...         "amount_minor": [12_50, 8_00],
    ...         "at": [date(2024, 6, 1), date(2023, 1, 2)],
    ...     }
    ... )
    >>> day = date(2024, 6, 30)
    >>> published = frames.pin(bought, ecommerce.segmentation, as_of=day)
    >>> found = layers(published, frames.summary(bought, published, as_of=day), as_of=day)
    >>> sorted(found.select("customer", "layer").rows())
    [('a', 'new'), ('b', 'lost')]
    """
    return classification(policy.classification("layers"), summary, as_of=as_of, into="layer")


def stages(policy: Lifecycle, summary: Native, *, as_of: When) -> Native:
    """Return every customer with the lifecycle ``stage`` and its ``stage_code`` (D-01, D-02).

    Who registered and did nothing yet is known only from ``customers`` of the summary.
    """
    axis = Classification("stages", policy.stage_table, zone=policy.zone)
    return classification(axis, summary, as_of=as_of, into="stage")


def tiers(policy: Segmentation, name: str, summary: Native, *, as_of: When) -> Native:
    """Return one ladder of a segmentation as ``tier`` and ``tier_code`` (VAR-01)."""
    return classification(policy.classification(name), summary, as_of=as_of, into="tier")


def classification(
    axis: Classification[Any], summary: Native, *, as_of: When, into: str = ""
) -> Native:
    """Return the customers of the population with the outcome along one axis, and its code.

    Outcomes are named as ``str`` writes them; codes count as in ``table.outcomes``. The column
    is called as the axis unless ``into`` says otherwise. A lazy row that belongs to another
    ``as_of`` gets null; a frame that is at hand is refused then.
    """
    if isinstance(axis, Scored):
        raise InvalidValueError("classification in a frame", axis.name, _SCORES)
    judged = axis.judged if isinstance(axis, Graded) else axis
    point = AsOf.at(as_of, zone_of(axis.zone))
    frame, right = _of_that_day(opened(summary), point)
    if judged.population is not None:
        frame = frame.filter(expression(judged.population, frame, point))
    name = into or axis.name
    found: Native = _decided(frame, judged.table, point, name, right).to_native()
    return found


def rfm_cells(policy: Segmentation, summary: Native, *, as_of: When) -> Native:
    """Return the customers of the population with three bands, 1 the best (C-20)."""
    point = AsOf.at(as_of, zone_of(policy.zone))
    frame, right = _of_that_day(opened(summary), point)
    if policy.population is not None:
        frame = frame.filter(expression(policy.population, frame, point))
    for axis in (each for each in axes_of(policy) if each.name in LETTERS):
        code = _code(frame, axis.table, point)
        numbers = dict(enumerate(axis.table.outcomes))
        band = _guarded(_named(code, numbers), right).cast(nw.Int64)
        frame = frame.with_columns(band.alias(axis.name))
    found: Native = frame.to_native()
    return found


def tags(library: TagLibrary, summary: Native, *, as_of: When) -> Native:
    """Return every customer with one column of truths for each tag (C-30)."""
    point = AsOf.at(as_of, zone_of(library.zone))
    frame, right = _of_that_day(opened(summary), point)
    waiting = {rule.key: rule for rule in library.rules}
    while waiting:
        for tag, rule in list(waiting.items()):
            if not set(rule.asks) & waiting.keys():
                held = expression(rule.when, frame, point)
                frame = frame.with_columns(held.alias(f"has_{tag}"))
                del waiting[tag]
    if right is not None:
        asked = [f"has_{rule.key}" for rule in library.rules]
        frame = frame.with_columns(*(_guarded(nw.col(x), right).alias(x) for x in asked))
    found: Native = frame.to_native()
    return found


def _of_that_day(frame: Frame, point: AsOf) -> tuple[Frame, Any]:
    """Check that a summary was made for a point of view; lazily, by an expression."""
    if AS_OF not in frame.collect_schema():
        return frame, None
    text = as_of_text(point)
    if is_lazy(frame):
        return frame, nw.col(AS_OF) == text
    strange = [x for x in frame[AS_OF].unique().to_list() if x != text]  # type: ignore[index,unused-ignore]
    if strange:
        raise InvalidValueError("as_of", text, f"that of the summary, {strange[0]}")
    return frame, None


def _decided(
    frame: Frame,
    table: FirstMatch[Any],
    point: AsOf,
    name: str,
    right: Any,  # noqa: ANN401
) -> Frame:
    code = f"{name}_code"
    frame = frame.with_columns(_guarded(_code(frame, table, point), right).alias(code))
    if table.otherwise is None and not is_lazy(frame):
        gaps = frame.filter(nw.col(code) == len(table.cases))
        if len(gaps):  # type: ignore[arg-type,unused-ignore]
            raise GapError(name, {x: gaps[x][0] for x in table.measures if x in gaps.columns})  # type: ignore[index,unused-ignore]
    names = {number: str(outcome) for number, outcome in enumerate(table.outcomes)}
    return frame.with_columns(_named(nw.col(code), names).alias(name))


def _code(frame: Frame, table: FirstMatch[Any], point: AsOf) -> Any:  # noqa: ANN401
    """Number of the first case that holds, folded from the last."""
    found = nw.lit(len(table.cases))
    for number, case in reversed(list(enumerate(table.cases))):
        held = expression(case.when, frame, point)
        found = nw.when(held).then(nw.lit(number)).otherwise(found)
    return found.cast(nw.Int64)


def _named(code: Any, names: dict[int, Any]) -> Any:  # noqa: ANN401
    """Null where there is no such code: a gap, or a row of another day."""
    found = None
    for number, name in reversed(names.items()):
        here = nw.when(code == number).then(nw.lit(name))
        found = here if found is None else here.otherwise(found)
    return found


def _guarded(found: Any, right: Any) -> Any:  # noqa: ANN401
    return found if right is None else nw.when(right).then(found)
