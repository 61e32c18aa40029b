"""The cluster's bucket in NATS: its number of partitions, its nodes, and who leads what.

A bucket is a stream with the last message of each key. All keys are read at once, and a key is changed by
compare-and-swap. What is read may be a little old, because any replica answers; revisions only rise here, and a
change that was made on an old revision is refused. No server's clock is trusted: a record is as old as this process has
not seen it change.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from stepwell.errors import StorageError
from stepwell.logs import logger

from .link import ASK_SECONDS, Link, NotReached
from .options import PARTITIONS
from .records import CLUSTER, FORMAT, ClusterRecord, SlotRecord, slot_key

if TYPE_CHECKING:
    from nats.aio.msg import Msg

log = logger("stepwell.cluster")

Record = TypeVar("Record", bound=msgspec.Struct)
Found = TypeVar("Found")

log = logger("stepwell.cluster")

SLOTS = 256
"""How many nodes a cluster may ever have had."""
REPLICAS = 3
PATIENCE_SECONDS = 30.0
"""How long servers may take to elect leaders anew, for whoever does not ask again by itself."""
_WRONG_LAST_SEQUENCE = (10071, 10164)
_IN_USE = 10058
_NO_MORE = ("204", "404")
_notices = msgspec.msgpack.Encoder()
_notice = msgspec.msgpack.Decoder(tuple[str, int, bytes])


class Entry(NamedTuple):
    """A key's value, as it was last seen."""

    revision: int
    value: bytes
    changed: float
    """When this process first saw this revision (``time.monotonic``)."""


class Registry:
    """The keys of one cluster. Any thread may call it."""

    def __init__(self, link: Link) -> None:
        self._link, self._options = link, link.options
        self._bucket = f"stepwell_{link.options.name}"
        self._subject = f"$KV.{self._bucket}."
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self.notices = f"stepwell.{link.options.name}.notices"
        """The subject on which nodes tell that a lease or a pin has changed."""

    # the cluster

    def exists(self) -> bool:
        """Whether the cluster was made."""
        return self._link.ask(self._exists(), ASK_SECONDS)

    def patiently(self, question: Callable[[], Found]) -> Found:
        """Ask until there is an answer: servers that were just started, or lost a leader, need time.

        Raises ``NotReached`` after ``PATIENCE_SECONDS``.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return question()
            except NotReached:
                if time.monotonic() > deadline:
                    raise
                self._change_server()
                time.sleep(0.2)

    def _change_server(self) -> None:
        try:
            self._link.change_server()
        except NotReached as error:
            log.debug("the server is kept: %s", error)

    def join(self, known: str | None = None) -> ClusterRecord:
        """The cluster's record; the first node makes it. Raises ``StorageError`` if it is another than expected.

        ``known`` is the id of the cluster that the node belongs to, if it has joined one: that one is not made again.
        """
        name, wanted = self._options.name, self._options.partitions
        record = ClusterRecord(FORMAT, secrets.token_hex(16), wanted or PARTITIONS)
        found = self._record(record, partial(self._check_is_new, known))
        if found.format != FORMAT:
            raise StorageError(f"cluster {name} has format {found.format}, and this version knows {FORMAT}: upgrade it")
        if wanted is not None and wanted != found.partitions:
            raise StorageError(f"cluster {name} was made with {found.partitions} partitions, not {wanted}")
        return found

    def make_again(self, id: str, partitions: int, known: str | None) -> str:
        """Make the bucket of a cluster whose servers have lost it; the id of the cluster, which may be there already.

        Raises ``StorageError`` if it is another one than ``known``, or has another number of partitions.
        """
        name = self._options.name
        found = self._record(ClusterRecord(FORMAT, id, partitions), lambda: None)
        if (known is not None and found.id != known) or found.partitions != partitions:
            raise StorageError(
                f"cluster {name} at {self._options.where} is {found.id} with {found.partitions} partitions, not "
                f"{known or id} with {partitions}"
            )
        return found.id

    def _record(self, record: ClusterRecord, before_making: Callable[[], None]) -> ClusterRecord:
        """The cluster's record, which becomes this one if there is none. ``before_making`` may refuse that."""
        if not self.exists():
            before_making()
            self._link.ask(self._make(), 2 * ASK_SECONDS)
        self.read()
        found = self.get(CLUSTER, ClusterRecord)
        if found is None:
            before_making()
            self.write(CLUSTER, record)
            self.read_until(CLUSTER)
            found = self.get(CLUSTER, ClusterRecord)
            assert found is not None
        return found

    def _check_is_new(self, known: str | None) -> None:
        """Refuse to make a cluster whose servers have lost their data. Raises ``NotReached``."""
        name = self._options.name
        if known is not None or self._link.ask(self._has_stream(self._options.stream(0)), ASK_SECONDS):
            if self.exists() and known is None:  # it is being made
                return
            raise NotReached(  # or by a server that has just been started, and does not know it yet
                f"cluster {name} was made before, and its bucket is gone or empty: the servers lost it. Start the "
                "servers that have it, or see `stepwell cluster restore`"
            )

    def slot(self, node: str) -> int:
        """The slot of a node, which it keeps."""
        while True:
            self.read()
            free: int | None = None
            for slot in range(SLOTS):
                taken = self.get(slot_key(slot), SlotRecord)
                if taken is not None and taken.node == node:
                    return slot
                if taken is None and free is None:
                    free = slot
            if free is None:
                raise StorageError(f"cluster {self._options.name} has had {SLOTS} nodes, which is the most")
            self.write(slot_key(free), SlotRecord(node))
            self.read_until(slot_key(free))

    async def _exists(self) -> bool:
        return await self._has_stream(f"KV_{self._bucket}")

    async def _has_stream(self, name: str) -> bool:
        from nats.js.errors import NotFoundError

        try:
            await self._link.jetstream.stream_info(name)
        except NotFoundError:
            return False
        except Exception as error:
            raise _missing(error, "JetStream does not say whether the cluster exists") from error
        return True

    async def _make(self) -> None:
        from nats.js.errors import APIError

        replicas = 1 if self._options.unsafe_sync else REPLICAS
        try:
            await self._link.jetstream.create_key_value(  # pyright: ignore[reportUnknownMemberType]
                bucket=self._bucket, description="A Stepwell cluster", history=1, replicas=replicas, direct=True
            )
        except APIError as error:
            if error.err_code != _IN_USE:
                raise StorageError(
                    f"the bucket of cluster {self._options.name} cannot be made with {replicas} replicas: "
                    f"{error.description}"
                ) from error

    # keys

    def get(self, key: str, kind: type[Record]) -> Record | None:
        """A record, as it was last read. Raises ``StorageError`` for one that this version does not know."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        try:
            return msgspec.json.decode(entry.value, type=kind)
        except msgspec.MsgspecError as error:
            raise StorageError(f"{key} of cluster {self._options.name} cannot be read: {error}") from error

    def entry(self, key: str) -> Entry | None:
        """A key's entry, as it was last read."""
        return self._entries.get(key)

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with a prefix."""
        return sorted(key for key in list(self._entries) if key.startswith(prefix))

    def read(self) -> None:
        """Read all keys. Raises ``NotReached`` if no server answers."""
        found = self._link.ask(self._read(), ASK_SECONDS)
        now = time.monotonic()
        for key, revision, value in found:
            self._take(key, revision, value, now)

    def read_last(self, key: str) -> None:
        """Read a key from the bucket's leader: a replica that was cut off may be behind. Raises ``NotReached``."""
        found = self._link.ask(self._read_last(key), ASK_SECONDS)
        if found is not None:
            self._take(key, *found, time.monotonic())

    def read_until(self, key: str) -> None:
        """Read until a key is there, which was just written: the replica that answers may not have it yet."""
        deadline = time.monotonic() + ASK_SECONDS
        self.read()
        while key not in self._entries:
            if time.monotonic() > deadline:
                raise StorageError(f"{key} was written to cluster {self._options.name}, and is not there")
            time.sleep(0.02)
            self.read()

    def write(self, key: str, record: msgspec.Struct) -> bool:
        """Write a key that is as it was last read; whether it was. Raises ``NotReached``: then it may be written."""
        entry = self._entries.get(key)
        value = msgspec.json.encode(record)
        revision = self._link.ask(self._write(key, value, 0 if entry is None else entry.revision), ASK_SECONDS)
        if revision is None:
            return False
        self._take(key, revision, value, time.monotonic())
        return True

    def tell(self, key: str, record: msgspec.Struct) -> None:
        """Write a key that nobody else writes."""
        value = msgspec.json.encode(record)
        revision = self._link.ask(self._write(key, value, None), ASK_SECONDS)
        if revision is not None:
            self._take(key, revision, value, time.monotonic())

    def notify(self, key: str) -> None:
        """Tell the nodes what a key says now. It may be lost: they read the keys now and then anyway."""
        entry = self._entries[key]
        self._link.post(self.notices, _notices.encode((key, entry.revision, entry.value)))

    def hear(self, notice: bytes) -> None:
        """Take what another node tells: a replica that is read next may not have it yet."""
        try:
            key, revision, value = _notice.decode(notice)
        except msgspec.MsgspecError as error:
            log.error("a notice cannot be read: %s", error)
            return
        self._take(key, revision, value, time.monotonic())

    def _take(self, key: str, revision: int, value: bytes, now: float) -> None:
        with self._lock:
            known = self._entries.get(key)
            if known is None or known.revision < revision:
                self._entries[key] = Entry(revision, value, now)

    async def _read(self) -> list[tuple[str, int, bytes]]:
        client = self._link.client
        inbox = client.new_inbox()
        messages = await client.subscribe(inbox)  # pyright: ignore[reportUnknownMemberType]
        try:
            body = msgspec.json.encode({"multi_last": [f"{self._subject}>"]})
            await client.publish(f"$JS.API.DIRECT.GET.KV_{self._bucket}", body, inbox)
            found: list[tuple[str, int, bytes]] = []
            async with asyncio.timeout(ASK_SECONDS):
                while (read := _read_key(await messages.next_msg(ASK_SECONDS))) is not None:
                    subject, revision, value = read
                    found.append((subject.removeprefix(self._subject), revision, value))
            return found
        except Exception as error:  # whatever the client raises, the answer is missing
            raise _missing(error, "the cluster's bucket cannot be read") from error
        finally:
            await messages.unsubscribe()

    async def _read_last(self, key: str) -> tuple[int, bytes] | None:
        from nats.js.errors import NotFoundError

        try:
            found = await self._link.jetstream.get_last_msg(f"KV_{self._bucket}", self._subject + key)
        except NotFoundError:
            return None
        except Exception as error:
            raise _missing(error, f"{key} of the cluster's bucket cannot be read") from error
        return found.seq or 0, found.data or b""

    async def _write(self, key: str, value: bytes, last: int | None) -> int | None:
        from nats.js.errors import APIError

        headers = {} if last is None else {"Nats-Expected-Last-Subject-Sequence": str(last)}
        try:
            found = await self._link.jetstream.publish(
                self._subject + key, value, timeout=ASK_SECONDS / 2, headers=headers
            )
        except APIError as error:
            if error.err_code in _WRONG_LAST_SEQUENCE:
                return None
            raise StorageError(f"{key} cannot be written to cluster {self._options.name}: {error}") from error
        except Exception as error:
            raise _missing(error, f"{key} cannot be written to cluster {self._options.name}") from error
        return found.seq


def _read_key(message: Msg) -> tuple[str, int, bytes] | None:
    """A key's subject, revision and value; None at the end, or where there is no key."""
    headers = message.headers or {}
    status = headers.get("Status")
    if status in _NO_MORE:
        return None
    if status is not None:
        raise NotReached(f"NATS answers {status} {headers.get('Description', '')}")
    return headers["Nats-Subject"], int(headers["Nats-Sequence"]), message.data


def _missing(error: Exception, what: str) -> StorageError:
    return error if isinstance(error, StorageError) else NotReached(f"{what}: {error or type(error).__name__}")
