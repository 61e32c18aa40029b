"""The files that an executor's item readers and result writers may use."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from stepwell.errors import InvalidInput

from .objects import Objects


class ItemFiles:
    """The files that item readers and result writers may use: none, unless they are given here.

    ``file_roots`` are folders; a bucket ``file:///folder`` within one of them is a folder of objects. ``s3`` holds all
    other buckets: a folder with a subfolder for each, or any ``Objects``.
    """

    def __init__(
        self,
        file_roots: Iterable[str | os.PathLike[str]] = (),
        s3: str | os.PathLike[str] | Objects | None = None,
    ) -> None:
        if isinstance(file_roots, str | bytes | os.PathLike):  # else each letter would be a folder
            raise InvalidInput(f"file_roots are folders, in a list, not {file_roots!r}")
        self._roots = tuple(os.path.realpath(root) for root in file_roots)
        self._s3: Objects | None = _buckets_in(s3) if isinstance(s3, str | os.PathLike) else s3
        if s3 is not None and not all(callable(getattr(self._s3, name, None)) for name in ("open", "list", "write")):
            raise InvalidInput(f"s3 is a folder, or Objects that can be opened, listed and written, not {s3!r}")

    def of(self, bucket: Any) -> Objects:
        """The object store of ``bucket``. Raises ``PermissionError`` if it may not be used."""
        if not isinstance(bucket, str) or not bucket:
            raise PermissionError(f"a Bucket is needed, not {bucket!r}")
        if bucket.startswith("file:"):
            from .disk import folder_at

            return folder_at(bucket, self._roots)
        if self._s3 is None:
            raise PermissionError(
                f"the bucket {bucket!r} cannot be reached: this executor was given no item_files=ItemFiles(s3=…) "
                "(for commands: --buckets, --s3)"
            )
        return self._s3


def _buckets_in(folder: str | os.PathLike[str]) -> Objects:
    from .disk import DiskBuckets  # imported only by programs that use files

    return DiskBuckets(folder)
