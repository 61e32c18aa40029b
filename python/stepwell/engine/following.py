"""A folder that follows another one says so, in a file: it is no executor's until it is promoted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from stepwell.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

_FILE = "FOLLOWS"


def check_leads(data: str | os.PathLike[str] | None) -> None:
    """Refuse a folder that is a follower's: what an executor did there, its leader would not know."""
    if data is None:
        return
    try:
        with open(os.path.join(data, _FILE), encoding="utf-8", errors="surrogateescape") as file:
            source = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise StorageError(f"{os.fspath(data)} cannot be read: {error.strerror}") from error
    raise StorageError(
        f"{os.fspath(data)} follows {source}: open it with Follower, and promote it to make it a leader's"
    )


def begin_following(data: Path, source: Path) -> None:
    """Say that ``data`` follows ``source``, durably."""
    new = data / f"{_FILE}.new"
    with new.open("w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(str(source))
        file.flush()
        os.fsync(file.fileno())
    new.replace(data / _FILE)
    _sync(data)


def end_following(data: Path) -> None:
    """Say that ``data`` follows nobody, durably."""
    (data / _FILE).unlink(missing_ok=True)
    _sync(data)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
