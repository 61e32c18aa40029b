"""One file of a folder, and a folder of that file again."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from stepwell.engine.folders.durable import sync
from stepwell.errors import CorruptionError

from .places import CHUNK


class Digest:
    """A file to write to, of which only SHA-256 is kept; or with ``into``, that too."""

    def __init__(self, into: BinaryIO | None = None) -> None:
        self._hash, self._into = hashlib.sha256(), into
        self.bytes = 0

    def write(self, data: bytes) -> int:
        """Take what is written."""
        self._hash.update(data)
        self.bytes += len(data)
        if self._into is not None:
            self._into.write(data)
        return len(data)

    @property
    def sha256(self) -> str:
        """Of everything that was written."""
        return self._hash.hexdigest()


def digest_of(file: BinaryIO) -> Digest:
    """SHA-256 and length of what a file holds from here on."""
    digest = Digest()
    shutil.copyfileobj(file, digest, CHUNK)
    return digest


def pack(folder: Path, file: BinaryIO) -> None:
    """Write the files of a folder to one file."""
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(folder.rglob("*")):
            archive.add(path, path.relative_to(folder).as_posix(), recursive=False)


def unpack(file: BinaryIO, folder: Path) -> None:
    """Write the files of an archive to a new folder, durably. Raises ``CorruptionError`` if it holds anything else."""
    folder.mkdir()
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                if name.is_absolute() or ".." in name.parts or not (member.isfile() or member.isdir()):
                    raise CorruptionError(f"it holds {member.name!r}, which belongs to no copy")
                target = folder / name
                source = archive.extractfile(member)
                if source is None:
                    target.mkdir(parents=True, exist_ok=True)
                else:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    _write(source, target)
    except (tarfile.TarError, EOFError) as error:
        raise CorruptionError(f"it is no archive: {error}") from error
    for place in (folder, *folder.rglob("*")):
        if place.is_dir():
            sync(place)


def _write(source: object, target: Path) -> None:
    with target.open("wb") as out:
        shutil.copyfileobj(source, out, CHUNK)  # pyright: ignore[reportArgumentType] - a file of an archive
        out.flush()
        os.fsync(out.fileno())
