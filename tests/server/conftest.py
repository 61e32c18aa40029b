"""One server for all tests of this folder that need none of their own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from .support import Served, serving


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving("--data", str(tmp_path_factory.mktemp("server") / "data")) as server:
        yield server


@pytest.fixture(scope="session")
def sfn(served: Served) -> Any:
    """A client of boto3."""
    return served.client


_numbers = count(1)


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"test-{next(_numbers)}"
