"""The folder of an executor with several partitions: their number, and its lock."""

from __future__ import annotations

import os

from stepwell import _core
from stepwell.errors import StorageError

_COUNT = "partitions"
MAX_PARTITIONS = 256


def partitions_of(data: str | os.PathLike[str] | _core.Folder | None) -> int | None:
    """How many partitions a folder has; None if it is empty."""
    if data is None or (not isinstance(data, _core.Folder) and not os.path.isdir(data)):
        return None
    folder = data if isinstance(data, _core.Folder) else _core.Folder.open(data)
    text = folder.read(_COUNT)
    if text is None:
        return 1 if folder.has("log") or folder.has("storage") else None
    if not text.strip().isdigit() or not 2 <= int(text) <= MAX_PARTITIONS:
        place = os.path.join(folder.path, _COUNT)
        raise StorageError(f"{place} should say how many partitions there are, not {text[:20]!r}")
    return int(text)


def check_partitions(folder: _core.Folder | None, partitions: int) -> None:
    """Raise ``StorageError`` unless a folder has this number of partitions, or none yet."""
    found = partitions_of(folder)
    if folder is not None and found is not None and found != partitions:
        raise StorageError(
            f"{folder.path} has {found} partition{'s' * (found > 1)}, not {partitions}: open it with "
            f"partitions={found} (which one an execution is in depends on their number, so it stays as it was made)"
        )


def is_partition(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder is one of several partitions of an executor's folder."""
    parent, name = os.path.split(folder)
    return name[:1] == "p" and name[1:].isdecimal() and (partitions_of(parent) or 1) > 1


def mark_partitions(folder: _core.Folder, partitions: int) -> None:
    """Write down, durably, how many partitions a folder has."""
    folder.write(_COUNT, f"{partitions}\n".encode())


class PartitionedFolder:
    """A folder that is open and locked."""

    def __init__(self, folder: _core.Folder, partitions: int) -> None:
        self._folder = folder
        folder.lock()
        try:
            check_partitions(folder, partitions)
            if not folder.has(_COUNT):
                mark_partitions(folder, partitions)
        except BaseException:
            self.close()
            raise

    def partition(self, index: int) -> _core.Folder:
        """The folder of a partition."""
        return self._folder.within(f"p{index}", create=True)

    def close(self) -> None:
        """Unlock it."""
        self._folder.unlock()
