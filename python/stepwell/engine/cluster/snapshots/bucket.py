"""The cluster's own bucket for snapshots: an object store of JetStream, in the form that NATS's tools read.

A file is a meta message, and before it chunks under a subject of their own. The meta message is published last, so a
file is there whole or not at all.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeVar

import msgspec

from stepwell.engine.cluster.link import ASK_SECONDS, Link, NotReached
from stepwell.errors import StorageError

from .places import Forgotten, Missing

if TYPE_CHECKING:
    from nats.aio.msg import Msg

Found = TypeVar("Found")

REPLICAS = 3
_CHUNK = 256 << 10
_BATCH = 256
_BATCH_BYTES = 8 << 20
_PATIENCE_SECONDS = 10.0
"""How long a replica may lack what another one has acknowledged."""


class _Meta(msgspec.Struct):
    """What NATS's object stores say of an object."""

    name: str
    bucket: str
    nuid: str
    size: int
    chunks: int
    digest: str
    mtime: str = "0001-01-01T00:00:00Z"
    deleted: bool = False


class _Read(NamedTuple):
    sequence: int
    data: bytes


class BucketPlace:
    """Any thread may use it."""

    def __init__(self, link: Link, cluster: str, *, unsafe_sync: bool = False) -> None:
        self._link, self._replicas = link, 1 if unsafe_sync else REPLICAS
        self._bucket = f"stepwell_{cluster}_snapshots"
        self._stream = f"OBJ_{self._bucket}"
        self._is_made = False
        self._forgotten = Forgotten()

    @property
    def where(self) -> str:
        return f"the bucket {self._bucket}"

    def names(self, prefix: str) -> list[str]:
        return sorted(meta.name for meta in self._metas() if meta.name.startswith(prefix))

    def put(self, name: str, file: BinaryIO) -> None:
        self._make()
        nuid, digest, size, chunks = secrets.token_hex(11), hashlib.sha256(), 0, 0
        try:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size, chunks = size + len(chunk), chunks + 1
                self._publish(self._chunks(nuid), chunk)
            text = "SHA-256=" + base64.urlsafe_b64encode(digest.digest()).decode()
            meta = _Meta(name, self._bucket, nuid, size, chunks, text)
            self._publish(self._meta(name), msgspec.json.encode(meta), {"Nats-Rollup": "sub"})
        except StorageError:
            self._purge(self._chunks(nuid), quietly=True)
            raise

    def get(self, name: str, file: BinaryIO) -> None:
        meta = self._find(name)
        if meta is None:
            raise Missing(f"{self.where} has no {name}")
        after, left = 0, meta.chunks
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while left:
            query = {"seq": after + 1, "next_by_subj": self._chunks(meta.nuid)}
            chunks = self._direct({**query, "batch": _BATCH, "max_bytes": _BATCH_BYTES})
            if not chunks and time.monotonic() > deadline:
                raise StorageError(f"{self.where} lacks {left} of {meta.chunks} chunks of {name}")
            for chunk in chunks:
                file.write(chunk.data)
                after, left = chunk.sequence, left - 1
                deadline = time.monotonic() + _PATIENCE_SECONDS

    def delete(self, name: str) -> None:
        meta = self._find(name)
        if meta is not None:
            self._purge(self._meta(name))
            self._purge(self._chunks(meta.nuid))

    def sweep(self) -> None:
        if not self._exists():
            return
        known = {self._chunks(meta.nuid) for meta in self._metas()}
        info = self._ask(
            self._link.jetstream.stream_info(self._stream, subjects_filter=f"$O.{self._bucket}.C.>"), "look at"
        )
        found: dict[str, object] = {
            subject: count for subject, count in (info.state.subjects or {}).items() if subject not in known
        }
        for subject in self._forgotten.among(found):
            self._purge(subject)

    def _find(self, name: str) -> _Meta | None:
        """What the server that leads the bucket knows of a file."""
        from nats.js.errors import NotFoundError

        async def look() -> bytes | None:
            try:
                found = await self._link.jetstream.get_msg(self._stream, subject=self._meta(name))
            except NotFoundError:
                return None
            return found.data

        data = self._ask(look(), "read")
        return None if data is None else msgspec.json.decode(data, type=_Meta)

    def _metas(self) -> list[_Meta]:
        metas: list[_Meta] = []
        after = 0
        while found := self._direct({"seq": after + 1, "batch": _BATCH, "next_by_subj": f"$O.{self._bucket}.M.>"}):
            metas += [msgspec.json.decode(each.data, type=_Meta) for each in found]
            after = found[-1].sequence
        return [meta for meta in metas if not meta.deleted]

    def _meta(self, name: str) -> str:
        return f"$O.{self._bucket}.M.{base64.urlsafe_b64encode(name.encode()).decode()}"

    def _chunks(self, nuid: str) -> str:
        return f"$O.{self._bucket}.C.{nuid}"

    # the stream

    def _exists(self) -> bool:
        from nats.js.errors import NotFoundError

        async def look() -> bool:
            try:
                await self._link.jetstream.stream_info(self._stream)
            except NotFoundError:
                return False
            return True

        return self._ask(look(), "look for")

    def _make(self) -> None:
        if self._is_made or self._exists():
            self._is_made = True
            return
        from nats.js.api import DiscardPolicy, StorageType, StreamConfig

        config = StreamConfig(
            name=self._stream,
            description="Snapshots of a Stepwell cluster",
            subjects=[f"$O.{self._bucket}.C.>", f"$O.{self._bucket}.M.>"],
            discard=DiscardPolicy.NEW,
            storage=StorageType.FILE,
            num_replicas=self._replicas,
            allow_rollup_hdrs=True,
            allow_direct=True,
        )
        self._ask(self._link.jetstream.add_stream(config), "make")  # pyright: ignore[reportUnknownMemberType]
        self._is_made = True

    def _publish(self, subject: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        self._ask(self._link.jetstream.publish(subject, data, headers=headers), "write to")

    def _purge(self, subject: str, *, quietly: bool = False) -> None:
        try:
            self._ask(self._link.jetstream.purge_stream(self._stream, subject=subject), "remove from")
        except StorageError:
            if not quietly:  # what is left is swept later
                raise

    def _direct(self, query: dict[str, Any]) -> list[_Read]:
        return self._ask(self._get(query), "read")

    async def _get(self, query: dict[str, Any]) -> list[_Read]:
        """Direct gets: any replica answers. Nothing, if there is none or no bucket."""
        client = self._link.client
        inbox = client.new_inbox()
        messages = await client.subscribe(inbox)  # pyright: ignore[reportUnknownMemberType]
        found: list[_Read] = []
        try:
            await client.publish(f"$JS.API.DIRECT.GET.{self._stream}", msgspec.json.encode(query), inbox)
            async with asyncio.timeout(ASK_SECONDS):
                while (read := _read(await messages.next_msg(ASK_SECONDS))) is not None:
                    found.append(read)
        finally:
            await messages.unsubscribe()
        return found

    def _ask(self, question: Coroutine[Any, Any, Found], action: str) -> Found:
        try:
            return self._link.ask(question, 2 * ASK_SECONDS)
        except StorageError:
            raise
        except Exception as error:  # whatever the client raises, it was not done
            raise NotReached(f"cannot {action} {self.where}: {error or type(error).__name__}") from error


def _read(message: Msg) -> _Read | None:
    headers = message.headers or {}
    status = headers.get("Status")
    if status in ("204", "404", "503"):  # the end, nothing there, no such stream
        return None
    if status is not None:
        raise NotReached(f"NATS answers {status} {headers.get('Description', '')}")
    return _Read(int(headers["Nats-Sequence"]), message.data)
