"""The folder of an executor with several partitions: how many they are, and who has it open."""

from __future__ import annotations

import fcntl
import os

from stepwell.errors import LockedError, StorageError

_COUNT = "partitions"
_LOCK = "LOCK"
MOST = 256


def partitions_of(data: str | os.PathLike[str] | None) -> int | None:
    """How many partitions a folder has; None if it holds nothing yet."""
    if data is None:
        return None
    place = os.path.join(data, _COUNT)
    try:
        with open(place) as file:
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return 1 if any(os.path.exists(os.path.join(data, part)) for part in ("log", "storage")) else None
    except OSError as error:
        raise StorageError(f"{place} cannot be read: {error}") from error
    if not text.strip().isdecimal() or not 2 <= int(text) <= MOST:
        raise StorageError(f"{place} should say how many partitions there are, not {text[:20]!r}")
    return int(text)


def check_partitions(data: str | os.PathLike[str] | None, partitions: int) -> None:
    """Raise ``StorageError`` unless a folder has so many partitions, or none yet."""
    found = partitions_of(data)
    if found is not None and found != partitions:
        raise StorageError(
            f"{os.fspath(data or '')} has {found} partition{'s' * (found > 1)}, not {partitions}: open it with "
            f"partitions={found} (which one an execution is in depends on their number, so it stays as it was made)"
        )


def mark_partitions(folder: str | os.PathLike[str], partitions: int) -> None:
    """Write down, durably, how many partitions a folder has."""
    place = os.path.join(folder, _COUNT)
    with open(f"{place}.new", "w") as file:
        file.write(f"{partitions}\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{place}.new", place)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class PartitionedFolder:
    """A folder that is open: nobody else has it meanwhile."""

    def __init__(self, data: str | os.PathLike[str], partitions: int) -> None:
        self.path = os.path.realpath(data)
        try:
            os.makedirs(self.path, exist_ok=True)
            self._lock = os.open(os.path.join(self.path, _LOCK), os.O_CREAT | os.O_RDWR, 0o644)
        except OSError as error:
            raise StorageError(f"{self.path} cannot be used: {error}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise LockedError(f"{self.path} is open already, here or in another process") from error
        try:
            check_partitions(self.path, partitions)
            if not os.path.exists(os.path.join(self.path, _COUNT)):
                self._record(partitions)
        except BaseException:
            self.close()
            raise

    def _record(self, partitions: int) -> None:
        try:
            mark_partitions(self.path, partitions)
        except OSError as error:
            raise StorageError(f"{self.path} cannot be written: {error}") from error

    def partition(self, index: int) -> str:
        """The folder of a partition."""
        return os.path.join(self.path, f"p{index}")

    def close(self) -> None:
        """Let others have it."""
        os.close(self._lock)
