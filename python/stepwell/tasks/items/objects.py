"""Objects in buckets: the interface of folders and S3 for readers and writers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, Protocol


class ObjectInfo(NamedTuple):
    """An object in a list; ``modified`` is in seconds since the Unix epoch."""

    key: str
    size: int
    modified: int
    etag: str


class Objects(Protocol):
    """Buckets of objects. Failures are ``OSError``."""

    def open(self, bucket: str, key: str) -> BinaryIO:
        """An object's bytes, from the start."""
        ...

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """The objects whose keys begin with ``prefix``, in the order of their keys."""
        ...

    def write(self, bucket: str, key: str, data: bytes) -> None:
        """Put an object atomically."""
        ...
