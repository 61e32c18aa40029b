"""S3, and services with its protocol, through ``obstore`` (the extra ``s3``)."""

from __future__ import annotations

import io
import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

from .objects import ObjectInfo

_ENDPOINTS = {"endpoint", "endpoint_url", "endpoint_url_s3"}
"""The names of the service's address, as an option or with ``AWS_`` before it."""


class S3Objects:
    """The buckets of an S3 service.

    ``options`` are those of obstore's ``S3Store``: ``endpoint``, ``region``, ``access_key_id``,
    ``secret_access_key``, …; missing ones are taken from the environment, as AWS's clients do. An endpoint that is an
    ``http://`` URL is spoken to without TLS.

    >>> from stepwell import Executor, ItemFiles
    >>> ex = Executor("data", item_files=ItemFiles(s3=S3Objects(region="eu-west-1")))
    >>> ex.close()
    """

    def __init__(self, **options: Any) -> None:
        try:
            import obstore
        except ImportError as error:
            raise ImportError("S3 needs obstore: pip install 'stepwell[s3]'") from error
        self._obstore: Any = obstore
        self.options = with_plain_endpoint(options)
        self._stores: dict[str, Any] = {}

    def open(self, bucket: str, key: str) -> BinaryIO:
        """An object's bytes."""
        with self._failures():
            answer = self._obstore.get(self._store(bucket), key)
            return io.BytesIO(bytes(answer.bytes()))

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """The objects whose keys begin with ``prefix``."""
        # obstore lists by whole path components; the rest of the prefix is compared here.
        folder = prefix.rpartition("/")[0]
        with self._failures():
            for page in self._obstore.list(self._store(bucket), prefix=folder or None):
                for entry in page:
                    if entry["path"].startswith(prefix):
                        modified = int(entry["last_modified"].timestamp())
                        yield ObjectInfo(entry["path"], entry["size"], modified, (entry["e_tag"] or "").strip('"'))

    def write(self, bucket: str, key: str, data: bytes) -> None:
        """Put an object."""
        with self._failures():
            self._obstore.put(self._store(bucket), key, data)

    @contextmanager
    def _failures(self) -> Generator[None, None, None]:
        """Raise ``OSError`` for obstore's errors, without the dump of their insides."""
        try:
            yield
        except self._obstore.exceptions.BaseError as error:
            raise OSError(reason(error)) from error

    def _store(self, bucket: str) -> Any:
        store = self._stores.get(bucket)
        if store is None:
            from obstore.store import S3Store

            store = self._stores[bucket] = S3Store(bucket, **self.options)
        return store


def reason(error: BaseException) -> str:
    """The text of an error of obstore, without the dump of its insides."""
    return str(error).partition("\n\nDebug source")[0]


def with_plain_endpoint(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a store, which speaks without TLS where its endpoint is an ``http://`` URL.

    Whoever gives such an address wants it: the client refuses it otherwise, with "builder error" alone.
    """
    if not _has_plain_endpoint(options):
        return dict(options)
    return {**options, "client_options": {"allow_http": True, **(options.get("client_options") or {})}}


def _has_plain_endpoint(options: Mapping[str, Any]) -> bool:
    """Whether the service's address, an option or one of the environment, is an ``http://`` URL."""
    sources: list[Mapping[str, Any]] = [options, options.get("config") or {}, os.environ]
    for given in sources:
        for name, value in given.items():
            if name.lower().removeprefix("aws_") in _ENDPOINTS and value:
                return str(value).lower().startswith("http://")
    return False
