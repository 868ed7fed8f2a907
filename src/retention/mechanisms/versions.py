"""Which value is in force at an instant: versions of a policy or a calendar.

A version holds from its instant up to, not with, that of the next. Give the instant of the
change itself: a version that is dated back says that it was in force then. Values that hold
from a date on, with an end of their own, are ``timelines``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Generic, TypeVar

from attrs import field, frozen

from retention.mechanisms.errors import NotRisingError, UnknownNameError, WrongTypeError
from retention.mechanisms.periods import checked, in_utc

T = TypeVar("T")
U = TypeVar("U")


@frozen
class Version(Generic[T]):
    """A value and the instant from which it is in force; None: it always was."""

    value: T
    since: datetime | None = None

    def __attrs_post_init__(self) -> None:
        if self.since is not None and not isinstance(
            checked(self.since, "Version.since"), datetime
        ):
            raise WrongTypeError("Version.since", self.since, "an aware instant")


@frozen
class Versions(Generic[T]):
    """Values in the order in which they came into force; only the first may have no instant.

    >>> from datetime import UTC
    >>> at = datetime(2024, 7, 1, tzinfo=UTC)
    >>> hours = Versions.always(8).then(4, at)
    >>> hours.at(datetime(2024, 6, 30, 23, 59, tzinfo=UTC)), hours.at(at)
    (8, 4)
    """

    entries: tuple[Version[T], ...] = field(converter=tuple[Version[T], ...])

    def __attrs_post_init__(self) -> None:
        if not self.entries:
            raise UnknownNameError("versions", "value without an entry", "at least one version")
        for one, after in pairwise(self.entries):
            since, later = _utc(one.since), _utc(after.since)
            if later is None or (since is not None and later <= since):
                times = (str(one.since), str(after.since))
                raise NotRisingError("versions", times, "versions that follow each other")

    @classmethod
    def always(cls, value: U) -> Versions[U]:
        """Return the history of a value that has not changed yet."""
        return Versions((Version(value),))

    @classmethod
    def of(cls, value: U | Versions[U]) -> Versions[U]:
        """Return versions as they are, and a single value as one that always held.

        >>> Versions.of(8) == Versions.of(Versions.always(8))
        True
        """
        return value if isinstance(value, Versions) else Versions.always(value)

    def then(self, value: T, since: datetime) -> Versions[T]:
        """Return the versions with a value in force from an instant on."""
        return Versions((*self.entries, Version(value, since)))

    def at(self, when: datetime) -> T:
        """Return the value in force at an instant; raise if there was none yet."""
        checked(when, "when")
        now = in_utc(when)
        since = ((each, _utc(each.since)) for each in self.entries)
        found = [each for each, begins in since if begins is None or begins <= now]
        if not found:
            raise UnknownNameError("versions", f"value at {when}", f"{self.entries[0].since} on")
        return found[-1].value

    def spans(self) -> Iterator[tuple[T, datetime | None, datetime | None]]:
        """Every value with the instants from which and up to which it is in force."""
        ends = (*(each.since for each in self.entries[1:]), None)
        for each, end in zip(self.entries, ends, strict=True):
            yield each.value, _utc(each.since), _utc(end)


def _utc(when: datetime | None) -> datetime | None:
    # Of two times of one zone Python compares the clocks on the wall, so in UTC.
    return None if when is None else in_utc(when)
