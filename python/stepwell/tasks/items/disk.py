"""Folders as buckets. Every path is resolved before it is used, so that it cannot lead out of its folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from .objects import ObjectInfo

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


class DiskBuckets:
    """A folder whose subfolders are the buckets."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = Path(root).resolve()

    def open(self, bucket: str, key: str) -> BinaryIO:
        """An object's bytes."""
        return open_file(self._folder(bucket), key)

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """The objects whose keys begin with ``prefix``."""
        return list_files(self._folder(bucket), prefix)

    def write(self, bucket: str, key: str, data: bytes) -> None:
        """Put an object."""
        folder = self._folder(bucket)
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no bucket {bucket!r}")
        write_file(folder, key, data)

    def _folder(self, bucket: str) -> Path:
        if not _BUCKET.fullmatch(bucket):
            raise PermissionError(f"{bucket!r} is no name of a bucket")
        return within(self._root, bucket)


class Folder:
    """One folder, inside one of ``roots``."""

    def __init__(self, folder: str, roots: Sequence[str]) -> None:
        if "\0" in folder:
            raise PermissionError("a path cannot hold NUL")
        self._folder = Path(folder).resolve()
        if not any(self._folder.is_relative_to(root) for root in roots):
            raise PermissionError(f"{folder!r} is in none of the executor's file_roots")

    def open(self, bucket: str, key: str) -> BinaryIO:
        """A file's bytes."""
        return open_file(self._folder, key)

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """The files whose paths begin with ``prefix``."""
        return list_files(self._folder, prefix)

    def write(self, bucket: str, key: str, data: bytes) -> None:
        """Put a file."""
        write_file(self._folder, key, data)


def folder_at(url: str, roots: Sequence[str]) -> Folder:
    """The folder that ``file:///folder`` names, within one of ``roots``. Raises ``PermissionError`` for any other."""
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or parts.query or parts.fragment:
        raise PermissionError(f"{url!r} is no folder of this machine: write file:///folder")
    return Folder(unquote(parts.path), roots)


def within(folder: Path, key: str) -> Path:
    """The path of ``key`` in ``folder``, with links resolved. Raises ``PermissionError`` if it leads out of it."""
    if not key or "\0" in key or key.startswith("/"):
        raise PermissionError(f"{key!r} is no key")
    path = (folder / key).resolve()
    if not path.is_relative_to(folder) or path == folder:
        raise PermissionError(f"{key!r} leads out of its bucket")
    return path


def open_file(folder: Path, key: str) -> BinaryIO:
    """The bytes of a regular file."""
    path = within(folder, key)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {str(folder)!r}, which would be the bucket")
    if not path.is_file():  # a pipe or a device would block the reader
        raise FileNotFoundError(f"there is no object {key!r} in {folder.name!r}")
    return path.open("rb")


def list_files(folder: Path, prefix: str) -> Iterator[ObjectInfo]:
    """The files below ``folder`` whose paths in it begin with ``prefix``, in order; links are not followed."""
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder.name!r}")
    found: list[tuple[str, os.stat_result]] = []
    for place, folders, files in os.walk(folder):
        base = Path(place).relative_to(folder)
        folders[:] = [name for name in folders if _may_begin(f"{(base / name).as_posix()}/", prefix)]
        for name in files:
            key = (base / name).as_posix()
            path = folder / key
            if key.startswith(prefix) and not path.is_symlink() and path.is_file():
                found.append((key, path.stat()))
    for key, status in sorted(found, key=lambda each: each[0]):
        etag = f"{status.st_mtime_ns:x}-{status.st_size:x}"
        yield ObjectInfo(key, status.st_size, int(status.st_mtime), etag)


def write_file(folder: Path, key: str, data: bytes) -> None:
    """Write a temporary file in the same folder, then rename it."""
    path = within(folder, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    import tempfile

    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".stepwell-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _may_begin(folder: str, prefix: str) -> bool:
    return folder.startswith(prefix) or prefix.startswith(folder)
