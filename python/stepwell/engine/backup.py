"""Backups: a folder that can be opened, with everything that was confirmed when it was made.

A backup is made beside its place, under the name ``….partial``, and renamed when it is whole and on disk:
what stands at its place is a backup that opens.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from stepwell import _core
from stepwell.errors import CorruptionError, StorageError

from .partitions.folder import mark_partitions, partitions_of
from .storage import Storage

ATTEMPTS = 10
"""How often a folder is copied anew, because its executor changed its files meanwhile."""
Folder = str | os.PathLike[str]


def back_up(storage: Storage, to: Folder) -> list[int]:
    """Copy the storage of an executor that works; the log positions, by partition, that the copy is at."""
    with_positions: list[int] = []
    _make(Path(to), lambda partial: with_positions.extend(storage.checkpoint(str(partial))))
    return with_positions


def copy(data: Folder, to: Folder) -> None:
    """Copy a folder, whether a process has it open or not. Everything is there that was confirmed before the call."""
    source = _existing(Path(data))
    _make(Path(to), lambda partial: _copy_partitions(source, partial))


def restore(backup: Folder, data: Folder) -> None:
    """Make a data folder, which must be new or empty, of a backup."""
    copy(backup, data)


def _make(to: Path, fill: Callable[[Path], None]) -> None:
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise StorageError(f"{to} is there already, and not empty: give a new folder")
    partial = to.with_name(f"{to.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)  # of an earlier attempt that was cut short
        partial.parent.mkdir(parents=True, exist_ok=True)
        fill(partial)
        _sync(partial)
        partial.replace(to)
        _sync(to.parent, deep=False)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, OSError):
            raise StorageError(f"{to} cannot be made: {error}") from error
        raise


def _existing(folder: Path) -> Path:
    if partitions_of(folder) is None:
        raise StorageError(f"{folder} holds no executor's data")
    return folder


def _copy_partitions(source: Path, target: Path) -> None:
    count = partitions_of(source) or 1
    target.mkdir()
    if count == 1:
        _copy_store(source, target)
        return
    for index in range(count):
        (target / f"p{index}").mkdir()
        _copy_store(source / f"p{index}", target / f"p{index}")
    mark_partitions(target, count)


def _copy_store(source: Path, target: Path) -> None:
    """Copy one store, and see that the copy is whole.

    Its log says all that its storage does not have on disk yet. So storage is copied first, as the list of
    its files had it at some moment, and the log after it. If storage was flushed meanwhile and the log cut,
    or a file of the list was replaced, it is done once more.
    """
    for attempt in range(ATTEMPTS):
        try:
            _copy_storage(source / "storage", target / "storage")
            _copy_log(source / "log", target / "log")
            with _core.Store.open(target) as store:
                store.verify()
            return
        except (CorruptionError, FileNotFoundError) as error:
            if attempt == ATTEMPTS - 1:
                raise CorruptionError(f"{source} cannot be copied: {error}") from error
            for part in ("storage", "log"):
                shutil.rmtree(target / part, ignore_errors=True)


def _copy_storage(source: Path, target: Path) -> None:
    target.mkdir()
    _copy_tables(source, target)
    current = (source / "CURRENT").read_text()
    shutil.copyfile(source / current.strip(), target / current.strip())
    (target / "CURRENT").write_text(current)
    _copy_tables(source, target)  # those that the list has and that came meanwhile


def _copy_tables(source: Path, target: Path) -> None:
    """Copy what never changes once it is whole. A table that vanishes is not on the list, or the opening misses it."""
    for table in source.glob("*.sst"):
        copied = target / table.name
        if copied.exists() and copied.stat().st_size == table.stat().st_size:
            continue
        copied.unlink(missing_ok=True)
        try:
            shutil.copyfile(table, copied)
        except FileNotFoundError:
            copied.unlink(missing_ok=True)


def _copy_log(source: Path, target: Path) -> None:
    """Copy the segments in their order: only the last one may still grow, and its torn end is cut at the opening."""
    target.mkdir()
    for segment in sorted(source.glob("*.log")):
        shutil.copyfile(segment, target / segment.name)


def _sync(folder: Path, *, deep: bool = True) -> None:
    """Put a folder on disk; ``deep``: and all that is in it."""
    for path in [*folder.rglob("*"), folder] if deep else [folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
