"""What a power cut may leave of a folder: records a process's calls, and draws possible states of the disk.

``record`` runs a program with ``lossy_disk.c`` preloaded. ``Disk`` reads the trace and knows at every moment what is
durable: data that existed when a sync of its file began, names that existed when a sync of their folder began. The rest
may be on the disk or not: of overwritten pages any version; of an extended file's data and length a prefix; of created,
moved and removed names any subset. A rename within a folder is atomic; across folders each folder's half becomes
durable with that folder's sync.

The model assumes two properties of the file system, because RocksDB needs them, and ext4 with ``data=ordered``, XFS,
btrfs, ZFS and APFS have them: a file's length covers no data that was not written; and in a folder of RocksDB names
change in order (it creates MANIFEST and then renames CURRENT, with one sync after both).
"""

from __future__ import annotations

import mmap
import os
import random
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

_HEAD = struct.Struct("<4I5Q")
PAGE = 4096
KEEPING = ("nothing", "everything", "what came first", "some", "some", "some")
"""The share of unsynced changes that survives a cut; drawn for data and for names."""


class Kind(IntEnum):
    """The kinds of records, as in ``lossy_disk.c``."""

    CREATE = 1
    WRITE = 2
    ZEROS = 3
    CUT = 4
    SYNCING = 5
    SYNCED = 6
    MOVE = 7
    LINK = 8
    REMOVE = 9
    MAKE_FOLDER = 10
    NOTE = 11


NAMING = frozenset({Kind.CREATE, Kind.CUT, Kind.MOVE, Kind.LINK, Kind.REMOVE, Kind.MAKE_FOLDER, Kind.SYNCED})


def build(folder: Path) -> Path:
    """The recording library, compiled into ``folder``."""
    library = folder / "lossy_disk.so"
    source = Path(__file__).with_name("lossy_disk.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True, capture_output=True)
    return library


def record(library: Path, folder: Path, command: list[str], timeout: float = 120.0) -> Disk:
    """Run a program that works in ``folder`` and ends by itself; returns the disk after its calls."""
    trace = folder.with_name(f"{folder.name}.trace")
    trace.unlink(missing_ok=True)
    before = _Tree.of(folder)
    environment = dict(os.environ, LD_PRELOAD=str(library), LOSSY_TRACE=str(trace), LOSSY_FOLDER=str(folder.resolve()))
    environment["PYTHONPATH"] = str(Path(__file__).parent.parent)
    subprocess.run(command, check=True, env=environment, timeout=timeout)
    return Disk(before, trace)


class Record(NamedTuple):
    """A call; its kind decides which fields are used."""

    number: int
    kind: int
    file: int
    folder: int
    to_folder: int
    at: int
    size: int
    name: bytes
    to_name: bytes
    data: memoryview


@dataclass(eq=False)
class _File:
    """A file or a folder: its durable content, and the changes since then."""

    inode: int = 0
    is_folder: bool = False
    content: bytearray = field(default_factory=bytearray)
    names: dict[bytes, _File] = field(default_factory=dict)
    pending: list[Record] = field(default_factory=list)

    def harden(self, before: int) -> None:
        """Make durable what was done before a sync began."""
        for change in self.pending:
            if change.number < before:
                _apply(self.content, change)
        self.pending = [change for change in self.pending if change.number >= before]


class _NameChange(NamedTuple):
    """Names that change atomically: (folder, name, its new file)."""

    number: int
    parts: tuple[tuple[_File, bytes, _File | None], ...]


@dataclass
class _Tree:
    """A folder's files by inode, all of them durable."""

    files: dict[int, _File]
    root: _File

    @classmethod
    def of(cls, folder: Path) -> _Tree:
        files: dict[int, _File] = {}

        def load(path: str) -> _File:
            found = os.lstat(path)
            file = files.get(found.st_ino)
            if file is None:
                file = files[found.st_ino] = _File(found.st_ino, os.path.isdir(path))
                if file.is_folder:
                    file.names = {os.fsencode(entry.name): load(entry.path) for entry in os.scandir(path)}
                else:
                    file.content = bytearray(Path(path).read_bytes())
            return file

        return cls(files, load(str(folder)))


class Cut(NamedTuple):
    """A moment at which the power fails."""

    disk: Disk
    number: int
    notes: list[bytes]
    """What the program had confirmed by then."""
    seed: str

    def write(self, folder: Path) -> str:
        """Write the disk's content into ``folder``, and nothing else; returns how it was drawn.

        Use the folder in which the program worked, because files may hold their paths."""
        return self.disk.write(folder, random.Random(self.seed))


class Disk:
    """A disk that is advanced through a trace."""

    def __init__(self, before: _Tree, trace: Path) -> None:
        self.lies_about: str | None = None
        """"files" or "folders": their syncs do nothing."""
        self._files, self._root = before.files, before.root
        self._folders = [file for file in before.files.values() if file.is_folder]
        self._names: list[_NameChange] = []
        self._ordered = {folder for folder in self._folders if b"CURRENT" in folder.names}
        self._syncing: dict[int, int] = {}
        self.notes: list[bytes] = []
        self._records = list(_read(trace))

    def __len__(self) -> int:
        return len(self._records)

    def cuts(self, chance: random.Random, count: int) -> Iterator[Cut]:
        """Moments in order. Half of them are next to a name change or a sync, or directly after a note."""
        edges = [record.number for record in self._records if record.kind in NAMING]
        noted = [record.number + 1 for record in self._records if record.kind == Kind.NOTE]
        moments = sorted(
            chance.choice(chance.choice([[chance.randrange(len(self) + 1)], edges, noted]) or [len(self)])
            + chance.randrange(2)
            for _ in range(count)
        )
        position = 0
        for number in moments:
            for record in self._records[position:number]:
                self._take(record)
            position = max(position, number)
            yield Cut(self, number, list(self.notes), f"{chance.random()}")

    # changes

    def _take(self, record: Record) -> None:
        kind = record.kind
        if kind in (Kind.WRITE, Kind.ZEROS, Kind.CUT):
            self._file(record.file).pending.append(record)
        elif kind == Kind.SYNCING:
            self._syncing[record.at] = record.number
        elif kind == Kind.SYNCED:
            self._synced(self._file(record.file), self._syncing.pop(record.at))
        elif kind == Kind.NOTE:
            self.notes.append(bytes(record.data))
        else:
            self._rename(record)

    def _file(self, inode: int) -> _File:
        # It was created before the recording, or outside the folder and moved in.
        return self._files.setdefault(inode, _File(inode))

    def _rename(self, record: Record) -> None:
        folder, to_folder = self._files.get(record.folder), self._files.get(record.to_folder)
        match record.kind:
            case Kind.CREATE | Kind.MAKE_FOLDER:
                file = self._files[record.file] = _File(record.file, record.kind == Kind.MAKE_FOLDER)
                if file.is_folder:
                    self._folders.append(file)
                changes = [(folder, record.name, file)]
            case Kind.LINK:
                changes = [(folder, record.name, self._file(record.file))]
            case Kind.REMOVE:
                changes = [(folder, record.name, None)]
            case _:
                changes = [(folder, record.name, None), (to_folder, record.to_name, self._file(record.file))]
        parts = tuple((where, name, file) for where, name, file in changes if where is not None)
        self._ordered |= {where for where, name, _ in parts if name.startswith(b"MANIFEST-")}
        self._names.append(_NameChange(record.number, parts))

    def _synced(self, file: _File, before: int) -> None:
        if self.lies_about == ("folders" if file.is_folder else "files"):
            return
        if not file.is_folder:
            file.harden(before)
            return
        left: list[_NameChange] = []
        for change in self._names:
            own = tuple(part for part in change.parts if part[0] is file)
            if change.number >= before or not own:
                left.append(change)
                continue
            _rename_in({file: file.names}, own)
            others = tuple(part for part in change.parts if part[0] is not file)
            if others:
                left.append(_NameChange(change.number, others))
        self._names = left

    # after a cut

    def write(self, folder: Path, chance: random.Random) -> str:
        """Draw a possible state of the disk, and write it to ``folder``."""
        of_data, of_names = chance.choice(KEEPING), chance.choice(KEEPING)
        last = self._records[-1].number if self._records else 0
        until, share = chance.randrange(last + 1), chance.choice((0.1, 0.5, 0.9))
        names = {file: dict(file.names) for file in self._folders}
        over: set[_File] = set()
        """Folders of RocksDB in which a change is lost; so all later ones are lost too."""
        for change in self._names:
            where = {folder for folder, _, _ in change.parts} & self._ordered
            if not (where & over) and _is_kept(of_names, chance, share, change.number, until):
                _rename_in(names, change.parts)
            else:
                over |= where
        written: dict[_File, Path] = {}

        kept = _emptied(folder)

        def make(file: _File, path: Path) -> None:
            if file.is_folder:
                if file.inode in kept:
                    kept[file.inode].rename(path)
                else:
                    path.mkdir(exist_ok=True)
                for name, child in names[file].items():
                    make(child, path / os.fsdecode(name))
            elif file in written:
                os.link(written[file], path)
            else:
                path.write_bytes(_left_of(file, of_data, chance, until))
                written[file] = path

        make(self._root, folder)
        return f"of the data {of_data}, of the names {of_names}"


def _emptied(folder: Path) -> dict[int, Path]:
    """Remove all files of a folder, and set its subfolders aside by inode: a power cut does not change inodes."""
    aside = folder.with_name(f"{folder.name}.folders")
    aside.mkdir(exist_ok=True)
    for path, folders, files in os.walk(folder, topdown=False):
        for name in files:
            os.unlink(os.path.join(path, name))
        for name in folders:
            inner = Path(path, name)
            inner.rename(aside / str(inner.stat().st_ino))
    return {int(kept.name): kept for kept in aside.iterdir()}


def _is_kept(how: str, chance: random.Random, share: float, number: int, until: int) -> bool:
    """Whether an unsynced name is on the disk."""
    return {"nothing": False, "everything": True, "what came first": number < until}.get(how, chance.random() < share)


def _rename_in(names: dict[_File, dict[bytes, _File]], parts: tuple[tuple[_File, bytes, _File | None], ...]) -> None:
    for folder, name, file in parts:
        if file is None:
            names[folder].pop(name, None)
        else:
            names[folder][name] = file


def _left_of(file: _File, how: str, chance: random.Random, until: int) -> bytes:
    """What the disk has of a file: of the length and data beyond the durable end a prefix; before it, for each page one
    of its versions."""
    changes = file.pending
    count = {
        "nothing": 0,
        "everything": len(changes),
        "what came first": sum(change.number < until for change in changes),
        "some": chance.randrange(len(changes) + 1),
    }[how]
    content = bytearray(file.content)
    for change in changes[:count]:
        _apply(content, change)
    if how == "some" and count < len(changes) and changes[count].kind != Kind.CUT:
        torn = changes[count]  # the next change, up to some page
        _apply(content, _clipped(torn, 0, torn.at + chance.randrange(torn.size) // PAGE * PAGE))
    if how == "some":
        durable = min(len(file.content), len(content))
        touched = {page for change in changes for page in _pages(change, durable)}
        for page in sorted(touched):
            _set_page(content, file, page, changes[: chance.randrange(len(changes) + 1)], durable)
    return bytes(content)


def _pages(change: Record, end: int) -> range:
    """The pages before ``end`` that a write touches."""
    return range(change.at // PAGE, -(-min(change.at + change.size, end) // PAGE) if change.kind != Kind.CUT else 0)


def _set_page(content: bytearray, file: _File, page: int, changes: list[Record], durable: int) -> None:
    at, end = page * PAGE, min((page + 1) * PAGE, durable)
    version = bytearray(end)
    version[at:end] = file.content[at:end]
    for change in changes:
        if change.kind != Kind.CUT:
            _apply(version, _clipped(change, at, end))
    content[at:end] = version[at:end]


def _clipped(change: Record, start: int, end: int) -> Record:
    """The part of a write between two places."""
    at, until = max(change.at, start), min(change.at + change.size, end)
    if at >= until:
        return change._replace(size=0, data=change.data[:0])
    data = change.data[at - change.at : until - change.at] if change.kind == Kind.WRITE else change.data
    return change._replace(at=at, size=until - at, data=data)


def _apply(content: bytearray, change: Record) -> None:
    if change.kind != Kind.CUT and not change.size:
        return
    if change.kind == Kind.CUT:
        del content[change.size :]
        content.extend(bytes(change.size - len(content)))
        return
    end = change.at + change.size
    if end > len(content):
        content.extend(bytes(end - len(content)))
    content[change.at : end] = change.data if change.kind == Kind.WRITE else bytes(change.size)


def _read(trace: Path) -> Iterator[Record]:
    if not trace.exists() or not trace.stat().st_size:
        return
    with trace.open("rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    at = number = 0
    while at < len(view):
        kind, name, to_name, data, *numbers = _HEAD.unpack_from(view, at)
        at += _HEAD.size
        names = bytes(view[at : at + name]), bytes(view[at + name : at + name + to_name])
        at += name + to_name
        yield Record(number, kind, *numbers, *names, view[at : at + data])
        at += data
        number += 1
