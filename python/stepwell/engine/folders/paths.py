"""Checks the folders that a call gets: invalid paths, equal folders, folders within one another.

Two paths may lead to one folder, over symbolic links and bind mounts. Device and inode show that, paths do not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from stepwell import _core
from stepwell.errors import LockedError, StorageError

if TYPE_CHECKING:
    from pathlib import Path

Folder: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]
"""A folder's path: any bytes that the file system takes."""

_SEGMENT = re.compile("[0-9a-f]{16}[.]log")
_OF_NOBODY = frozenset({"LOCK", "FOLLOWS.new", "socket", "socket.new", "lost+found"})
"""What an empty folder may contain: lock files, unfinished files, an address, and what a new file system has."""


def path_of(what: str, path: Folder) -> str:
    """The path of a folder, which need not exist yet. Raises ``StorageError`` for a value that is not a path."""
    try:
        text = os.fsdecode(path)
    except TypeError as error:
        raise StorageError(f"{what} is a folder's path, not {path!r}") from error
    if not text or "\0" in text:
        raise StorageError(f"{what} is a folder's path, not {text!r}")
    return text


def folder_of(what: str, path: Folder) -> Path:
    """The folder at a path, which need not exist yet. Raises ``StorageError`` for a value that is not a path."""
    from pathlib import Path  # an executor that is only opened does not need it

    return Path(path_of(what, path))


def resolved(folder: Path) -> Path:
    """The folder's path without symbolic links."""
    try:
        return type(folder)(os.path.realpath(folder))
    except OSError as error:
        raise StorageError(f"{folder} is no path of a folder: {error.strerror}") from error


def check_apart(one: Path, other: Path) -> None:
    """Raise ``StorageError`` for two folders that are the same, or of which one is within the other."""
    here, there = _identity(one), _identity(other)
    if one == other or (here is not None and here == there):
        raise StorageError(f"{one} and {other} are the same folder: give two")
    for inner, outer, place in ((one, other, there), (other, one, here)):
        if outer in inner.parents or (place is not None and place in map(_identity, inner.parents)):
            raise StorageError(f"{inner} lies within {outer}: give two folders of which none holds the other")


def _identity(folder: Path) -> tuple[int, int] | None:
    """Device and inode of a folder; None if it does not exist."""
    try:
        found = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StorageError(f"{folder} cannot be looked at: {error.strerror}") from error
    return found.st_dev, found.st_ino


def check_outside_stores(folder: Path) -> None:
    """Raise ``StorageError`` for a folder that is within an executor's or a follower's folder."""
    store = next((place for place in folder.parents if _is_store(place)), None)
    if store is not None:
        raise StorageError(f"{folder} lies within {store}, which holds an executor's data: give a folder outside")


def _is_store(folder: Path) -> bool:
    """Whether a folder is a store's. A ``log`` in it does not suffice: ``/var`` has one too."""
    if any(os.path.exists(folder / name) for name in ("FOLLOWS", "storage/CURRENT", "p0/storage/CURRENT")):
        return True
    try:
        return any(map(_SEGMENT.fullmatch, os.listdir(folder / "log")))
    except OSError:
        return False


def names_in(folder: Path) -> list[str]:
    """The names in a folder, without those that an empty folder may contain. Raises ``StorageError``."""
    try:
        return sorted(set(os.listdir(folder)) - _OF_NOBODY)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"{folder} cannot be used: {error.strerror}") from error


def check_writable(folder: Path) -> None:
    """Raise ``StorageError`` for a folder that cannot be written or created."""
    place = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    if not place.is_dir():
        raise StorageError(f"{place} is no folder")
    if not os.access(place, os.W_OK | os.X_OK):
        raise StorageError(f"{place} cannot be written: permission denied")


@contextmanager
def as_it_was(folder: Path) -> Generator[None]:
    """If the body fails, remove what it created in a folder that was empty or did not exist."""
    is_new = not names_in(folder)
    missing = [place for place in (folder, *folder.parents) if not os.path.lexists(place)]
    before = set(os.listdir(folder)) if not missing else set[str]()
    try:
        yield
    except LockedError:  # another process created it meanwhile
        raise
    except BaseException:
        if is_new:
            _unmake(folder, before, missing)
        raise


def _unmake(folder: Path, before: set[str], missing: list[Path]) -> None:
    import shutil  # only needed after a failure

    if missing and folder in missing:
        shutil.rmtree(folder, ignore_errors=True)
        for place in missing[1:]:
            try:
                place.rmdir()
            except OSError:  # it was not created, or has other content by now
                return
        return
    for name in set(os.listdir(folder)) - before:
        place = folder / name
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)


def folder_path(data: Folder | None) -> str | None:
    """The path of a data folder. Raises ``StorageError`` for a value that is not a path."""
    return None if data is None else path_of("data", data)


def open_folder(data: str | os.PathLike[str] | None) -> _core.Folder | None:
    """A data folder, created if need be. It is held open: its path is not resolved again."""
    path = folder_path(data)
    if path is not None and os.path.exists(path) and not os.path.isdir(path):
        raise StorageError(f"{os.fsdecode(path)} is a file: the data of an executor is a folder")
    return None if path is None else _core.Folder.open(path, create=True)
