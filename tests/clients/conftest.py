"""A server for the clients of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.support import Served, serving


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving("--data", str(tmp_path_factory.mktemp("clients") / "data")) as server:
        yield server
