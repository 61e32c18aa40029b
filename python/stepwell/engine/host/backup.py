"""Backups: a folder that can be opened, with everything that was confirmed when it was made.

A backup is made in a new folder beside its target (``….partial-`` and an id), and renamed to the target when it is
complete and on disk. So a folder at the target is always a complete backup. The process that makes it locks the new
folder meanwhile. By that lock an interrupted attempt is distinguished from one that is still running, and from other
folders.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from stepwell import _core
from stepwell.engine.folders.durable import sync
from stepwell.engine.folders.follows import NODE
from stepwell.engine.folders.partitions import mark_partitions, partitions_of
from stepwell.engine.folders.paths import Folder, check_apart, check_outside_stores, folder_of, names_in, resolved
from stepwell.engine.storage.storage import Storage
from stepwell.errors import CorruptionError, StorageError

from .forks import only_process

ATTEMPTS = 10
"""After how many failed copies of an unchanged folder it is reported as damaged."""
MAX_ATTEMPTS = 50
"""After how many copies it gives up: the folder's executor may change its files each time."""
_PARTIAL = ".partial-"
_COPY = "copy"
"""The only name in a folder ``….partial-…``."""


def back_up(storage: Storage, to: Folder) -> list[int]:
    """Copy the storage of a running executor. Returns the log positions of the copy, by partition."""
    with_positions: list[int] = []
    _make(_target(to), lambda partial: with_positions.extend(storage.checkpoint(str(partial))))
    return with_positions


class Copied(NamedTuple):
    """A copy of a store. It is a store of its own, and says which store it was copied from."""

    store: str
    of: str
    position: int


def copy(data: Folder, to: Folder) -> list[Copied]:
    """Copy a folder, open or not. The copy has everything that was confirmed before the call."""
    only_process()  # the copy is opened to check it, and storage's threads do not exist in a forked process
    here, target = folder_of("data", data).absolute(), _target(to)
    source = _existing(here)
    _check_free(target)
    check_apart(resolved(here), target)
    copied: list[Copied] = []
    _make(target, lambda partial: copied.extend(_copy_partitions(source, partial)))
    return copied


def restore(backup: Folder, data: Folder) -> list[Copied]:
    """Create a data folder, which must be new or empty, from a backup."""
    return copy(backup, data)


def _target(to: Folder) -> Path:
    """The path of the copy, resolved so that it ends in the folder's name."""
    target = resolved(folder_of("the place of a copy", to).absolute())
    if not target.name:
        raise StorageError(f"{target} is no place for a copy: give a new folder")
    check_outside_stores(target)
    return target


def _check_free(to: Path) -> None:
    try:
        is_free = not to.exists() or (to.is_dir() and not any(to.iterdir()))
    except OSError as error:
        raise StorageError(f"{to} cannot be made: {error}") from error
    if not is_free:
        raise StorageError(f"{to} is there already, and not empty: give a new folder")


def _make(to: Path, fill: Callable[[Path], None]) -> None:
    """Let ``fill`` write a new folder, and rename it to its place. Nothing else there is changed."""
    _check_free(to)
    missing = [place for place in to.parents if not os.path.lexists(place)]
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        _remove_cut_short(to)
        with _making(to) as copy:
            fill(copy)
            _sync(copy)
            copy.replace(to)
        _sync(to.parent, deep=False)
    except BaseException as error:
        for place in missing:
            with suppress(OSError):  # it was not created, or is used by another program by now
                place.rmdir()
        if isinstance(error, OSError):
            raise StorageError(f"{to} cannot be made: {error}") from error
        raise


@contextmanager
def _making(to: Path) -> Generator[Path]:
    """A new, locked folder in which the copy for ``to`` is made."""
    partial = to.with_name(f"{to.name}{_PARTIAL}{_core.new_store_id()}")
    partial.mkdir()
    held = _core.Folder.open(partial)
    try:
        held.lock()
        yield partial / _COPY
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        held.unlock()


def _remove_cut_short(to: Path) -> None:
    """Remove what interrupted attempts left: folders that are not locked and contain only a copy."""
    name = re.compile(re.escape(to.name + _PARTIAL) + "[0-9a-f]{32}")
    for place in [place for place in to.parent.iterdir() if name.fullmatch(place.name)]:
        try:
            if not any(place.iterdir()):  # another process has just created it and will lock it
                continue
            held = _core.Folder.open(place)
            held.lock()
        except (OSError, StorageError):  # it is in use, complete by now, or not a folder
            continue
        try:
            if not set(names_in(place)) - {_COPY}:
                shutil.rmtree(place, ignore_errors=True)
        finally:
            held.unlock()


def _existing(folder: Path) -> _core.Folder:
    count = partitions_of(folder)
    found = _core.Folder.open(folder) if os.path.isdir(folder) else None  # it is none either if its path is too long
    if found is not None and found.has(NODE):
        raise StorageError(
            f"{folder} is the folder of a cluster's node, with copies of the cluster's streams: snapshots "
            "are the cluster's backup (`stepwell cluster snapshot`)"
        )
    if found is None or count is None:
        raise StorageError(f"{folder} holds no executor's data")
    return found


def _copy_partitions(source: _core.Folder, target: Path) -> list[Copied]:
    count = partitions_of(source) or 1
    target.mkdir()
    if count == 1:
        return [_copy_store(source, target)]
    copied: list[Copied] = []
    for index in range(count):
        (target / f"p{index}").mkdir()
        copied.append(_copy_store(source.within(f"p{index}"), target / f"p{index}"))
    mark_partitions(_core.Folder.open(target), count)
    return copied


def _copy_store(source: _core.Folder, target: Path) -> Copied:
    """Copy one store, and check that the copy is complete.

    Its log has everything that its storage does not have on disk yet. So storage is copied first, as its manifest
    was at some moment, and the log after it. If storage was flushed and the log truncated meanwhile, or a file of
    the manifest was replaced, the copy looks damaged although the folder is not. Then it is made again.
    """
    unchanged = 0
    for attempt in range(MAX_ATTEMPTS):
        before = _files(source)
        try:
            _copy_storage(Path(source.path) / "storage", target / "storage")
            copied = Copied(*_core.adopt_copy(source, _core.Folder.open(target)))
            source.check()
            with _core.Store.open(target) as store:
                store.verify()
            return copied
        except (StorageError, FileNotFoundError) as error:
            unchanged += before == _files(source)
            if unchanged == ATTEMPTS:
                raise CorruptionError(f"{source.path} cannot be copied: {error}") from error
            if attempt == MAX_ATTEMPTS - 1:
                raise StorageError(
                    f"{source.path} cannot be copied: its executor changed its files each time. Let it make the "
                    f"backup itself (Executor.backup). The last attempt said: {error}"
                ) from error
            for part in target.iterdir():
                if part.is_dir():
                    shutil.rmtree(part, ignore_errors=True)
                else:
                    part.unlink(missing_ok=True)
    raise AssertionError("the last attempt returns or raises")


def _files(source: _core.Folder) -> set[str]:
    """The files that a copy consists of. Each flush of storage and each truncation of the log changes this set."""
    names = [*names_in(Path(source.path) / "storage"), *names_in(Path(source.path) / "log")]
    return {name for name in names if name.startswith("MANIFEST") or name.endswith((".sst", ".log"))}


def _copy_storage(source: Path, target: Path) -> None:
    target.mkdir()
    _copy_tables(source, target)
    current = (source / "CURRENT").read_text()
    shutil.copyfile(source / current.strip(), target / current.strip())
    (target / "CURRENT").write_text(current)
    _copy_tables(source, target)  # those of the manifest that were written meanwhile


def _copy_tables(source: Path, target: Path) -> None:
    """Copy the tables, which never change. If one disappears, the manifest does not need it, or the opening fails."""
    for table in source.glob("*.sst"):
        copied = target / table.name
        if copied.exists() and copied.stat().st_size == table.stat().st_size:
            continue
        copied.unlink(missing_ok=True)
        try:
            shutil.copyfile(table, copied)
        except FileNotFoundError:
            copied.unlink(missing_ok=True)


def _sync(folder: Path, *, deep: bool = True) -> None:
    """Sync a folder to disk, with ``deep`` everything in it too."""
    for path in [*folder.rglob("*"), folder] if deep else [folder]:
        sync(path)
