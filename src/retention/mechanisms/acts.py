"""Who did what and when: the common part of commands and facts, and what a repeated key means.

A store keeps the key of a command beside its facts. When the key comes again, the answer is
repeated; when it comes with another content, it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar, Protocol, TypeVar

import attrs
from attrs import field, frozen

from retention.mechanisms.answers import Accepted, Code, Refused
from retention.mechanisms.errors import InvalidValueError
from retention.mechanisms.periods import When, checked
from retention.mechanisms.words import Word

State = TypeVar("State")


class Asked(Protocol):
    """What a command shows to find out whether it came before."""

    @property
    def name(self) -> str:
        """The term of the command."""
        ...

    @property
    def key(self) -> str:
        """The key under which it may come twice."""
        ...


class Kept(Protocol):
    """What a stored fact shows: the key of its command, and whether it came from this one."""

    @property
    def key(self) -> str:
        """The key of its command."""
        ...

    def answers(self, command: Any, /) -> bool:  # noqa: ANN401
        """Whether this fact came from such a command, the time aside."""
        ...


Stored = TypeVar("Stored", bound=Kept)


def timed(_: object, attribute: Any, value: When) -> None:  # noqa: ANN401
    """Validate a time: a date, or an instant with its zone."""
    checked(value, attribute.name)


def who(_: object, attribute: Any, value: str) -> None:  # noqa: ANN401
    """Validate an actor: somebody must be named."""
    if not value:
        raise InvalidValueError(attribute.name, "''", "the person or system that does it")


@frozen(kw_only=True)
class Command:
    """What every command says: when, by whom, and a key if it may come twice."""

    name: ClassVar[Word]

    at: When = field(validator=timed)
    by: str = field(validator=who)
    key: str = ""

    def body(self) -> dict[str, Any]:
        """Return what makes two commands the same; who asks again may do so later."""
        names = (each.name for each in attrs.fields(type(self)))
        return {name: getattr(self, name) for name in names if name not in {"at", "key"}}


@frozen(kw_only=True)
class Fact:
    """What every fact says: when, by whom, on which local day, and the key of its command."""

    name: ClassVar[Word]

    at: When = field(validator=timed)
    by: str = field(validator=who)
    on: date
    key: str = ""

    def answers(self, command: Command) -> bool:
        """Whether this fact came from such a command, the time aside."""
        same = ((name, value) for name, value in command.body().items())
        return self.name is command.name and all(
            getattr(self, name, None) == value for name, value in same
        )


def repeated(
    state: State,
    command: Asked | Command,
    earlier: Iterable[Stored],
    *,
    given: str,
    allowed: tuple[str, ...],
) -> Accepted[State, Stored] | Refused | None:
    """Repeat the answer to a key that was used before; None when the command is new.

    >>> class Do(Word):
    ...     SHUT = "shut", "关"
    >>> Shut, HasShut = (
    ...     type("Shut", (Command,), {"name": Do.SHUT}),
    ...     type("Y", (Fact,), {"name": Do.SHUT}),
    ... )
    >>> day = date(2024, 7, 1)
    >>> fact = HasShut(at=day, on=day, by="li", key="k-1")
    >>> again = repeated("shut", Shut(at=day, by="li", key="k-1"), [fact], given="shut", allowed=())
    >>> again.facts == (fact,)
    True
    >>> str(repeated("shut", Shut(at=day, by="wu", key="k-1"), [fact], given="shut", allowed=()))
    'shut while shut: key reused (unused_key); allowed now: nothing'
    """
    found = tuple(fact for fact in earlier if command.key and fact.key == command.key)
    if not found:
        return None
    if all(fact.answers(command) for fact in found):
        return Accepted(state, found)
    return Refused(Code.KEY_REUSED, (given, command.name), ("unused_key",), allowed)
