"""One local session of Spark for all tests of this folder."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    from examples.spark_layers import session

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Spark warns of the newest pandas
        found = session()
        found.sparkContext.setLogLevel("ERROR")
    yield found
    found.stop()
