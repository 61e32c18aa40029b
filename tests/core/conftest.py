from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stepwell import _core


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Callable[..., _core.Store]]:
    """Opens the store of this test's folder, or with ``memory=True`` one in memory; all are closed at the end."""
    stores: list[_core.Store] = []

    def open_store(path: Path = tmp_path / "store", *, memory: bool = False, **options: int) -> _core.Store:
        stores.append(_core.Store.open(None if memory else path, **options))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture(params=["memory", "files"])
def store(request: pytest.FixtureRequest, open_store: Callable[..., _core.Store]) -> _core.Store:
    return open_store(memory=request.param == "memory")
