"""Facts of many cases as columns: read once, checked, and in the order of cases and time.

A fact of no case, without a time, or dated before the one before it is set aside with its
number; nothing is guessed. What the columns say is computed in ``case_columns``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, cast

import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike, NDArray

from retention.case_flows import Note
from retention.cases import FeedbackCase
from retention.feedback import Feedback
from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.errors import (
    DuplicateError,
    InvalidValueError,
    UnequalColumnsError,
    UnknownNameError,
)
from retention.mechanisms.open_columns import NONE, Aside, Mask, Numbers, as_instants, instants
from retention.mechanisms.workflows import Taken

_IN_ORDER = "an instant not before the fact before it, nor before the customer spoke"


def commands_of(rules: Feedback) -> tuple[str, ...]:
    """Return the commands whose places a column may hold: those of the way, then the notes."""
    own: Any = rules.flow.workflow.machine.commands
    return (*(str(x) for x in own), *(str(x) for x in Note))


@frozen(eq=False)
class CaseLog:
    """Facts of many cases in columns, in the order of cases and of each log.

    ``promised`` holds what a fact brought as the promised time, NaT for nothing.
    """

    cases: NDArray[Any]  # each once
    received: Numbers = field(repr=False)  # when the customer spoke
    attributes: Mapping[str, NDArray[Any]] = field(repr=False)  # what clocks ask of a case
    case: NDArray[np.intp] = field(repr=False)  # of each fact, a place in ``cases``
    command: NDArray[Any] = field(repr=False)  # of each fact, a place in ``commands_of``
    at: Numbers = field(repr=False)
    promised: Numbers | None = field(default=None, repr=False)  # instants, or local days
    promised_days: bool = False
    rows: NDArray[np.intp] | None = field(default=None, repr=False)  # as handed over; None: all
    problems: tuple[Problem, ...] = ()

    @classmethod
    def from_columns(
        cls,
        rules: Feedback,
        *,
        cases: ArrayLike,
        received: ArrayLike,
        case: ArrayLike,
        command: ArrayLike,
        at: ArrayLike,
        promised: ArrayLike | None = None,
        attributes: Mapping[str, ArrayLike] | None = None,
    ) -> CaseLog:
        """Return a log of columns: one row a case, and one row a fact, oldest first in a case.

        Instants are ``datetime64`` in UTC or aware datetimes, commands words or their places in
        :func:`commands_of`. ``attributes`` are what the clocks of the handbook ask of a case.

        >>> from retention.presets import ecommerce
        >>> log = CaseLog.from_columns(
        ...     ecommerce.feedback,
        ...     cases=["K-1"],
        ...     received=np.array(["2024-06-10T01:00"], "datetime64[us]"),
        ...     case=["K-1", "K-9"],
        ...     command=["grade", "grade"],
        ...     at=np.array(["2024-06-10T02:00"] * 2, "datetime64[us]"),
        ... )
        >>> len(log), str(log.problems[0])
        (1, 'unknown reference: 1 row (1), first K-9; allowed: one of the cases')
        """
        names, whose = np.asarray(cases), np.asarray(case)
        since, when = instants(received, "received"), instants(at, "at")
        what = _commands(rules, command)
        sizes = {"case": len(whose), "command": len(what), "at": len(when)}
        if len(set(sizes.values())) > 1 or len(names) != len(since):
            raise UnequalColumnsError("cases", sizes | {"cases": len(names)})
        until, are_days = _promises(promised, len(when))
        aside = Aside(len(when))
        place = _looked_up(names, whose, aside)
        aside.put(Code.NO_TIME, when == NONE, whose, "an instant")
        if (since == NONE).any():
            timeless = since[place] == NONE
            aside.put(Code.NO_TIME, timeless, whose, "a case with the time when it came in")
        order = _sorted_by(place, aside.good)
        _set_aside_disorder(place, when, since, order, aside)
        order = order[aside.good[order]] if aside.problems else order
        kept = slice(None) if len(order) == len(when) and _rises(order) else order
        held = {name: np.asarray(x) for name, x in (attributes or {}).items()}
        return cls(
            names, since, held, place[kept], what[kept], when[kept],
            None if until is None else until[kept], are_days,
            None if isinstance(kept, slice) else order, aside.problems,
        )  # fmt: skip

    @classmethod
    def of(cls, rules: Feedback, cases: Iterable[FeedbackCase], *, as_of: datetime) -> CaseLog:
        """Return some cases as columns, with what their clocks ask of them at an instant."""
        found = [rules.seen(case, as_of) for case in cases]
        asked = [row.when for row in rules.clocks_table if row.when is not None]
        names = {name for rule in asked for name in rule.measures()}
        known = [case.known({"level": _level(rules, case)}) for case in found]
        steps = [(n, x) for n, case in enumerate(found) for x in case.log if isinstance(x, Taken)]
        brought = {row.promised for row in rules.clocks_table if row.promised}
        until = [next((x.get(n) for n in brought if x.get(n)), None) for _, x in steps]
        dates = [type(x) is date for x in until if x is not None]
        if any(dates) and not all(dates):
            raise InvalidValueError("promised", "dates and instants", "one of the two")
        promised: Any = np.array(until, "datetime64[D]") if any(dates) else until
        return cls.from_columns(
            rules,
            cases=np.arange(len(found)),
            received=cast("ArrayLike", [case.received for case in found]),
            case=np.array([n for n, _ in steps], np.intp),
            command=np.array([str(x.name) for _, x in steps], str),
            at=cast("ArrayLike", [x.at for _, x in steps]),
            promised=promised if any(x is not None for x in until) else None,
            attributes={n: np.array([str(x.get(n) or "") for x in known], str) for n in names},
        )

    def __len__(self) -> int:
        """Return the number of cases."""
        return len(self.cases)


def _level(rules: Feedback, case: FeedbackCase) -> str:
    level = rules.level(case)
    return "" if level is None else str(level.outcome)


# --- columns as they come in ----------------------------------------------------------------------


def _commands(rules: Feedback, given: ArrayLike) -> NDArray[Any]:
    names, found = commands_of(rules), np.asarray(given)
    if found.dtype.kind in "iu":
        if found.size and not 0 <= found.min() <= found.max() < len(names):
            raise InvalidValueError("command", int(found.max()), f"0 to {len(names) - 1}")
        return found.astype(np.uint8, copy=False)
    words, place = np.unique(found.astype(str), return_inverse=True)
    strange = [x for x in words.tolist() if x not in names]
    if strange:
        raise UnknownNameError("command", strange[0], names)
    return np.array([names.index(x) for x in words.tolist()], np.uint8)[place]


def _promises(given: ArrayLike | None, rows: int) -> tuple[Numbers | None, bool]:
    if given is None:
        return None, False
    column = np.asarray(given)
    if len(column) != rows:
        raise UnequalColumnsError("promised", {"promised": len(column), "at": rows})
    if column.dtype == "datetime64[D]":
        return column.astype(np.int64), True
    return instants(column, "promised"), False


def _looked_up(names: NDArray[Any], whose: NDArray[Any], aside: Aside) -> NDArray[np.intp]:
    """Return the place of the case of each fact."""
    if names.dtype.kind in "iu" and np.array_equal(names, np.arange(len(names))):
        place = whose.astype(np.intp, copy=False)
        strange = (place < 0) | (place >= len(names))
    else:
        order = np.argsort(names, kind="stable")
        known = names[order]
        if (known[1:] == known[:-1]).any():
            raise DuplicateError("cases", str(known[1:][known[1:] == known[:-1]][0]))
        at = np.minimum(np.searchsorted(known, whose), max(len(known) - 1, 0))
        strange = np.ones(len(whose), bool) if not len(known) else known[at] != whose
        place = order[at] if len(known) else at
    aside.put(Code.UNKNOWN_REFERENCE, strange, whose, "one of the cases")
    return np.where(strange, 0, place) if strange.any() else place


def _sorted_by(place: NDArray[np.intp], good: Mask) -> NDArray[np.intp]:
    rows = np.arange(len(place)) if good.all() else np.flatnonzero(good)
    mine = place[rows]
    if len(mine) < 2 or (mine[1:] >= mine[:-1]).all():  # noqa: PLR2004
        return rows
    return rows[np.argsort(mine, kind="stable")]


def _rises(order: NDArray[np.intp]) -> bool:
    return not len(order) or bool(order[0] == 0 and (np.diff(order) == 1).all())


def _set_aside_disorder(
    place: NDArray[np.intp], at: Numbers, since: Numbers, order: NDArray[np.intp], aside: Aside
) -> None:
    """Set aside facts that are dated before the one before them, or before their case."""
    whose, when = place[order], at[order]
    early = when < since[whose]
    back = np.append(False, (whose[1:] == whose[:-1]) & (when[1:] < when[:-1]))
    bad = np.zeros(len(at), bool)
    bad[order[early]] = True
    for case in np.unique(whose[back | early]).tolist():
        latest = int(since[case])
        for row in order[slice(*np.searchsorted(whose, [case, case + 1]))].tolist():
            bad[row] |= bool(at[row] < latest)
            latest = max(latest, int(at[row]))
    aside.put(Code.BREAKS_HISTORY, bad, as_instants(at), _IN_ORDER)
