"""What is left of an engine when its process dies: what it had on the disk, or, in memory, in its log."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stepwell import _core
from stepwell.testing.replay import rebuilt

if TYPE_CHECKING:
    from .driven import DrivenHost


class Remains:
    """What the next engine is opened with: a store in memory, or nothing but its folder."""

    def __init__(self, *stores: _core.Store) -> None:
        self._stores = list(stores)

    def take_store(self) -> _core.Store | None:
        """The store in memory of the next partition; None: it has none."""
        return self._stores.pop(0) if self._stores else None


@contextmanager
def remains_of(host: DrivenHost) -> Generator[Remains]:
    """What is left of an engine that is abandoned within.

    A store in memory is made of its log again. A folder gets back what was in it before the engine closed it.
    """
    folder = host.folder
    if folder is None:
        yield Remains(*map(rebuilt, host.stores))
        return
    data = Path(folder.path)
    with tempfile.TemporaryDirectory(dir=data.parent, prefix=f".{data.name}-") as beside:
        copy = Path(beside) / "crashed"
        shutil.copytree(data, copy)
        yield Remains()
        for entry in data.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        shutil.copytree(copy, data, dirs_exist_ok=True)
