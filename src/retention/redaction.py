"""Redaction and anonymised export: people disappear, figures stay.

A redacted text becomes a digest. Times, codes, clocks and the order of the log are untouched,
so every figure is the same before and after.
The salt is an argument and a secret of the host: without it a short text could be guessed.
Whether somebody has a right to be forgotten is not decided here.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
from attrs import field, frozen

from retention.case_flows import Note
from retention.cases import CaseFact, FeedbackCase
from retention.feedback import Feedback
from retention.intake import Received
from retention.mechanisms.answers import Accepted, Refused
from retention.mechanisms.errors import InvalidValueError, UnknownNameError, WrongTypeError
from retention.mechanisms.policies import Policy, policy
from retention.mechanisms.workflows import Act

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

_LEAST_SALT = 16  # bytes
_LETTERS = 16  # of a pseudonym: 64 bits
_MARK = "redacted:"
_GONE = re.compile(rf"{_MARK}[0-9a-f]{{{_LETTERS}}}")


def pseudonym(name: str | int, *, salt: bytes, what: str = "customer") -> str:
    """Return a name that stands for another one: the same under the same salt, else unlike.

    ``what`` keeps apart things of one name: customer 17 and order 17 have different ones.

    >>> one = pseudonym("C-17", salt=b"sixteen bytes ok")
    >>> one == pseudonym("C-17", salt=b"sixteen bytes ok"), len(one)
    (True, 16)
    >>> one == pseudonym("C-17", salt=b"sixteen bytes no")
    False
    """
    kind = "number" if isinstance(name, int) else "text"
    text = f"{what}\0{kind}\0{name}".encode()
    return hmac.new(_salted(salt), text, hashlib.sha256).hexdigest()[:_LETTERS]


def _salted(salt: bytes) -> bytes:
    if not isinstance(salt, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise WrongTypeError("salt", type(salt).__name__, f"{_LEAST_SALT} bytes or more")
    if len(salt) < _LEAST_SALT:
        raise InvalidValueError("salt", f"{len(salt)} bytes", f"{_LEAST_SALT} bytes or more")
    return salt


@frozen
class Rewritten:
    """The log of a case after a redaction; it takes the place of the ``replaces`` facts."""

    case: str
    replaces: int
    facts: tuple[CaseFact, ...] = field(repr=False)


@policy
class Redaction(Policy):
    """Which texts can be redacted; everything else is a code, a time or an amount, and stays.

    >>> from datetime import date
    >>> from retention.intake import FeedbackItem, Receive
    >>> from retention.presets import ecommerce
    >>> rules, day, salt = ecommerce.feedback, date(2024, 6, 10), b"sixteen bytes ok"
    >>> item = FeedbackItem("C-1", day, "complaint", "app", matter="my heart")
    >>> case = rules.decide(None, Receive(case="K-1", item=item, at=day)).or_raise().state
    >>> act = Act("redact", at=day, by="li", brings={"reason": "asked", "fields": ["matter"]})
    >>> gone = Redaction().redact(rules, case, act, salt=salt).or_raise().state
    >>> gone.item.matter.partition(":")[0], gone.item.topic == case.item.topic, gone.sequence
    ('redacted', True, 2)
    """

    of_item: tuple[str, ...] = field(
        default=("matter", "demand", "contact", "evidence"), converter=tuple
    )
    of_steps: tuple[str, ...] = field(
        default=(
            "content", "finding", "solution", "result", "measure", "evidence", "history", "person",
        ),
        converter=tuple,
    )  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        """Every name of a text."""
        return tuple(dict.fromkeys((*self.of_item, *self.of_steps)))

    def redact(
        self, rules: Feedback, case: FeedbackCase, act: Act[Any], *, salt: bytes
    ) -> Accepted[FeedbackCase, Rewritten] | Refused:
        """Redact texts of a case and note it: the answer holds the whole log, rewritten.

        The act brings the names of the texts under ``fields``. A name that is no text is
        refused; what is redacted already stays as it is.
        """
        if act.name != Note.REDACT:
            raise UnknownNameError("act", act.name, [str(Note.REDACT)])
        fields = act.get("fields") or ()
        for name in fields:
            if name not in self.names:
                raise UnknownNameError("fields", name, self.names)
        answer = rules.decide(case, act)
        if isinstance(answer, Refused):
            return answer
        log = [self._without(fact, fields, _salted(salt)) for fact in answer.state.log]
        after = rules.replay(log)
        return Accepted(after, (Rewritten(case.id, case.sequence, after.log),), answer.requests)

    def _without(self, fact: CaseFact, fields: Sequence[str], salt: bytes) -> CaseFact:
        """Return a fact without some texts."""
        if isinstance(fact, Received):
            names = [name for name in fields if name in self.of_item]
            texts = {name: _digest(getattr(fact.item, name), salt) for name in names}
            return attrs.evolve(fact, item=attrs.evolve(fact.item, **texts))
        mine = {name for name in fields if name in self.of_steps}
        brings = {name: _digest(x, salt) if name in mine else x for name, x in fact.brings}
        return attrs.evolve(fact, brings=brings)


def _digest(value: Any, salt: bytes) -> Any:  # noqa: ANN401  whatever a form holds
    """Return a digest for a text, and one for each of several; what is empty stays empty."""
    if isinstance(value, tuple):
        return tuple(_digest(each, salt) for each in value)
    if not isinstance(value, str) or not value or _GONE.fullmatch(value):
        return value
    return _MARK + pseudonym(value, salt=salt, what="text")


# --- export ---------------------------------------------------------------------------------------


def export(
    rules: Feedback, cases: Iterable[FeedbackCase], *, salt: bytes, as_of: datetime
) -> Mapping[str, NDArray[Any]]:
    """Return cases as columns without persons or texts: pseudonyms, codes, times, outcomes.

    A customer has the same pseudonym in every export under one salt. Each clock of the
    handbook has a column with its outcome; empty where it never started.

    >>> from retention.presets import ecommerce
    >>> from datetime import UTC, datetime
    >>> list(
    ...     export(
    ...         ecommerce.feedback,
    ...         [],
    ...         salt=b"sixteen bytes ok",
    ...         as_of=datetime(2024, 7, 1, tzinfo=UTC),
    ...     )
    ... )[:4]
    ['case', 'customer', 'received', 'kind']
    """
    import numpy as np

    clocks = tuple(dict.fromkeys(row.name for row in rules.clocks_table))
    codes = ("kind", "channel", "topic", "cause", "product")
    names = ("case", "customer", "received", *codes, "level", "state", "department", *clocks)
    columns: dict[str, list[str]] = {name: [] for name in names}
    for each in cases:
        case = rules.seen(each, as_of)
        level, known = rules.level(case), case.known()
        outcomes = {x.name: str(x.outcome) for x in rules.clocks(case, as_of=as_of)}
        row = {
            "case": pseudonym(case.id, salt=salt, what="case"),
            "customer": pseudonym(case.item.customer, salt=salt),
            "received": case.received.isoformat(),
            **{name: str(known.get(name, "")) for name in codes},
            "level": "" if level is None else str(level.outcome),
            "state": str(case.state),
            "department": rules.department(case),
            **{name: outcomes.get(name, "") for name in clocks},
        }
        for name, value in row.items():
            columns[name].append(value)
    return {name: np.array(column, str) for name, column in columns.items()}
