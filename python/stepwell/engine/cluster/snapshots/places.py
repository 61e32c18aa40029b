"""Where snapshots are kept: a folder, an object store such as S3, or the cluster's own bucket (``bucket``).

A file is there whole or not at all, under a name with slashes.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from stepwell.engine.folders.durable import sync
from stepwell.errors import InvalidInput, StorageError
from stepwell.tasks.items.s3 import reason, with_plain_endpoint

CHUNK = 1 << 20
FORGOTTEN_SECONDS = 600.0
"""What is not finished, and has not changed for so long, was left by a process that ended."""
_PARTIAL = ".partial-"


class Missing(StorageError):
    """No file of this name is kept: it may have been removed since it was listed."""


class Place(Protocol):
    """Keeps files. Raises ``StorageError``."""

    @property
    def where(self) -> str:
        """Where that is, as a message may name it."""
        ...

    def names(self, prefix: str) -> list[str]:
        """The names that begin with ``prefix``, which ends with a slash."""
        ...

    def put(self, name: str, file: BinaryIO) -> None:
        """Keep what the file holds."""
        ...

    def get(self, name: str, file: BinaryIO) -> None:
        """Write what is kept under a name to a file. Raises ``Missing``."""
        ...

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""
        ...

    def sweep(self) -> None:
        """Remove what was begun, and was left by a process that ended."""
        ...


class Forgotten:
    """Finds what was left: it is as old as this process has not seen it change. No clock of another machine counts."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[object, float]] = {}

    def among(self, found: dict[str, object]) -> list[str]:
        """Those that have had the same state for long. To be asked now and then."""
        now = time.monotonic()
        known = self._seen
        self._seen = {
            name: known[name] if name in known and known[name][0] == state else (state, now)
            for name, state in found.items()
        }
        return [name for name, (_, since) in self._seen.items() if now - since >= FORGOTTEN_SECONDS]


class FolderPlace:
    """A folder that all nodes reach, such as one of a network file system."""

    def __init__(self, path: str) -> None:
        self._path = Path(path).absolute()
        self._forgotten = Forgotten()

    @property
    def where(self) -> str:
        return str(self._path)

    def names(self, prefix: str) -> list[str]:
        with _named(self.where, "list"):
            found = (self._path / prefix).glob("**/*")
            files = (each for each in found if each.is_file() and not each.name.startswith(_PARTIAL))
            return sorted(each.relative_to(self._path).as_posix() for each in files)

    def put(self, name: str, file: BinaryIO) -> None:
        target = self._path / name
        partial = target.with_name(f"{_PARTIAL}{secrets.token_hex(8)}")
        with _named(str(target), "write"):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with partial.open("wb") as out:
                    shutil.copyfileobj(file, out, CHUNK)
                    out.flush()
                    os.fsync(out.fileno())
                partial.replace(target)
            finally:
                partial.unlink(missing_ok=True)
            sync(target.parent)

    def get(self, name: str, file: BinaryIO) -> None:
        with _named(str(self._path / name), "read"), (self._path / name).open("rb") as found:
            shutil.copyfileobj(found, file, CHUNK)

    def delete(self, name: str) -> None:
        with _named(str(self._path / name), "remove"):
            (self._path / name).unlink(missing_ok=True)

    def sweep(self) -> None:
        with _named(self.where, "clear"):
            partial = {str(each): each.stat().st_size for each in self._path.glob(f"**/{_PARTIAL}*")}
            for name in self._forgotten.among(dict(partial)):
                Path(name).unlink(missing_ok=True)


class ObjectPlace:
    """A prefix of a bucket of S3, or of another service that ``obstore`` knows by its URL."""

    def __init__(self, url: str) -> None:
        try:
            import obstore
            from obstore.store import from_url
        except ImportError as error:
            raise StorageError(f"snapshots at {url} need what `pip install stepwell[s3]` installs") from error
        self.where, self._obstore = url, obstore
        options: dict[str, Any] = with_plain_endpoint({}) if url.startswith("s3://") else {}
        with self._named("open", ""):
            self._store: Any = from_url(url, **options)

    def names(self, prefix: str) -> list[str]:
        with self._named("list", prefix):
            pages: Any = self._obstore.list(self._store, prefix=prefix.rstrip("/"))
            return sorted(entry["path"] for page in pages for entry in page)

    def put(self, name: str, file: BinaryIO) -> None:
        with self._named("write", name):
            self._obstore.put(self._store, name, file)

    def get(self, name: str, file: BinaryIO) -> None:
        with self._named("read", name):
            for chunk in self._obstore.get(self._store, name).stream(min_chunk_size=CHUNK):
                file.write(chunk)

    def delete(self, name: str) -> None:
        with self._named("remove", name):
            self._obstore.delete(self._store, name)

    def sweep(self) -> None:
        """The service removes uploads that were not finished, where a rule of the bucket says so."""

    @contextmanager
    def _named(self, action: str, name: str) -> Generator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except FileNotFoundError as error:
            raise Missing(f"{self.where}/{name} is not there: {reason(error)}") from error
        except (OSError, BaseError, ValueError) as error:
            raise StorageError(f"cannot {action} {self.where}/{name}: {reason(error)}") from error


def place_at(url: str) -> Place:
    """The folder or object store at a path or URL. Raises ``InvalidInput`` for one that nobody could use."""
    if "://" not in url:
        if not url:
            raise InvalidInput("snapshots are kept at a URL such as s3://bucket/prefix, or in a folder, not at ''")
        return FolderPlace(url)
    return ObjectPlace(url)


@contextmanager
def _named(what: str, action: str) -> Generator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise Missing(f"cannot {action} {what}: {error}") from error
    except OSError as error:
        raise StorageError(f"cannot {action} {what}: {error}") from error
