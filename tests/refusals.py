"""What every error of the library must offer, asked of each of them in the same way."""

from __future__ import annotations

import pickle
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest.mock import ANY

import pytest

from retention.mechanisms.errors import RetentionError

if TYPE_CHECKING:
    from collections.abc import Iterator


def check(error: RetentionError) -> None:
    """An error speaks two languages, has a code, and survives pickling."""
    assert error.code
    assert error.code == type(error).code
    assert error.text("en") == str(error)
    assert error.text("en") != error.text("zh")
    assert any("\u4e00" <= letter <= "\u9fff" for letter in error.text("zh"))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  our own
    assert type(again) is type(error)
    assert repr((again.where, again.given, again.allowed)) == repr(
        (error.where, error.given, error.allowed)
    )
    assert again.text("zh") == error.text("zh")


@contextmanager
def refused(
    kind: type[RetentionError], where: object = ANY, *, given: object = ANY, allowed: object = ANY
) -> Iterator[pytest.ExceptionInfo[RetentionError]]:
    """The block raises exactly this error, with these facts."""
    with pytest.raises(RetentionError) as caught:
        yield caught
    error = caught.value
    assert type(error) is kind
    assert error.where == where
    assert error.given == given
    assert error.allowed == allowed
    assert error.allowed or "{allowed}" not in kind.en  # the sentence itself says what to do
    check(error)
