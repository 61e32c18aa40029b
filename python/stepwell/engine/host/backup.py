"""Backups: a folder that can be opened, with everything that was confirmed when it was made.

A backup is made in a folder beside its place, under a name that nothing has yet (``….partial-`` and an id), and moved
there when it is whole and on disk: what stands at its place is a backup that opens. Who makes it holds that folder
until then. So what an attempt that was cut short left is told from one that is under way, and from folders of others.
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
from stepwell.engine.folders.partitions import mark_partitions, partitions_of
from stepwell.engine.folders.paths import Folder, check_apart, check_outside_stores, folder_of, names_in, resolved
from stepwell.engine.storage.storage import Storage
from stepwell.errors import CorruptionError, StorageError

from .forks import only_process

ATTEMPTS = 10
"""How often a folder that nobody changed meanwhile is copied before it is taken for damaged."""
MAX_ATTEMPTS = 50
"""How often a folder is copied in all: its executor may change its files each time."""
_PARTIAL = ".partial-"
_COPY = "copy"
"""What a folder ``….partial-…`` holds, and nothing else."""


def back_up(storage: Storage, to: Folder) -> list[int]:
    """Copy the storage of an executor that works; the log positions, by partition, that the copy is at."""
    with_positions: list[int] = []
    _make(_target(to), lambda partial: with_positions.extend(storage.checkpoint(str(partial))))
    return with_positions


class Copied(NamedTuple):
    """A copy of a store: a store of its own, which says whose copy it is."""

    store: str
    of: str
    position: int


def copy(data: Folder, to: Folder) -> list[Copied]:
    """Copy a folder, whether a process has it open or not. Everything is there that was confirmed before the call."""
    only_process()  # a copy's storage is opened, whose threads a forked process does not have
    here, target = folder_of("data", data).absolute(), _target(to)
    source = _existing(here)
    _check_free(target)
    check_apart(resolved(here), target)
    copied: list[Copied] = []
    _make(target, lambda partial: copied.extend(_copy_partitions(source, partial)))
    return copied


def restore(backup: Folder, data: Folder) -> list[Copied]:
    """Make a data folder, which must be new or empty, of a backup."""
    return copy(backup, data)


def _target(to: Folder) -> Path:
    """The folder that a copy is to become, by a path that ends in its name."""
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
    """Make what ``fill`` puts into a new folder, and move it to its place. Nothing else there is touched."""
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
            with suppress(OSError):  # it was not made, or somebody else uses it by now
                place.rmdir()
        if isinstance(error, OSError):
            raise StorageError(f"{to} cannot be made: {error}") from error
        raise


@contextmanager
def _making(to: Path) -> Generator[Path]:
    """Where to make a copy that goes to ``to``: in a new folder, which this process holds."""
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
    """Remove what attempts left that were cut short: nobody holds it, and it has nothing but a copy."""
    name = re.compile(re.escape(to.name + _PARTIAL) + "[0-9a-f]{32}")
    for place in [place for place in to.parent.iterdir() if name.fullmatch(place.name)]:
        try:
            if not any(place.iterdir()):  # who has just made it is about to take it
                continue
            held = _core.Folder.open(place)
            held.lock()
        except (OSError, StorageError):  # it is under way, or done by now, or no folder
            continue
        try:
            if not set(names_in(place)) - {_COPY}:
                shutil.rmtree(place, ignore_errors=True)
        finally:
            held.unlock()


def _existing(folder: Path) -> _core.Folder:
    if partitions_of(folder) is None:
        raise StorageError(f"{folder} holds no executor's data")
    return _core.Folder.open(folder)


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
    """Copy one store, and see that the copy is whole.

    Its log says all that its storage does not have on disk yet. So storage is copied first, as the list of
    its files had it at some moment, and the log after it. If storage was flushed meanwhile and the log cut,
    or a file of the list was replaced, it is done once more: such a copy looks damaged, and the folder is not.
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
    """The files that a copy is made of. Each flush of storage, and each cut of the log, changes which they are."""
    names = [*names_in(Path(source.path) / "storage"), *names_in(Path(source.path) / "log")]
    return {name for name in names if name.startswith("MANIFEST") or name.endswith((".sst", ".log"))}


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


def _sync(folder: Path, *, deep: bool = True) -> None:
    """Put a folder on disk; ``deep``: and all that is in it."""
    for path in [*folder.rglob("*"), folder] if deep else [folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
