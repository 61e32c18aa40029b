"""The keys of a cluster without servers, for tests of what decides by them."""

from __future__ import annotations

import threading
import time

import msgspec

from stepwell.engine.cluster.link import NotReached
from stepwell.engine.cluster.records import LeaseRecord, lease_key
from stepwell.engine.cluster.registry import Entry, Record, Registry


class Bucket(Registry):
    """The keys of a cluster, without servers: what was read may be behind, and servers may be away."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[int, bytes]] = {}
        self.seen: dict[str, tuple[int, bytes]] = {}
        self.is_away = False
        self.told: list[str] = []
        self.notices = "notices"
        self.read_at = -1000.0
        """When everything was read that nobody has changed since."""
        self.asked = threading.Event()
        """Whether the bucket's leader was asked."""

    def get(self, key: str, kind: type[Record]) -> Record | None:
        found = self.seen.get(key)
        return None if found is None else msgspec.json.decode(found[1], type=kind)

    def read(self) -> None:
        if self.is_away:
            raise NotReached("they are away")
        self.seen = dict(self.kept)

    def write(self, key: str, record: msgspec.Struct) -> bool:
        if self.is_away:
            raise NotReached("they are away")
        (revision, _), (seen, _) = self.kept.get(key, (0, b"")), self.seen.get(key, (0, b""))
        if revision != seen:
            return False
        self.put(key, record)
        self.seen[key] = self.kept[key]
        return True

    def put(self, key: str, record: msgspec.Struct) -> None:
        """Write it, unseen by this node."""
        self.kept[key] = self.kept.get(key, (0, b""))[0] + 1, msgspec.json.encode(record)

    def notify(self, key: str) -> None:
        self.told.append(key)

    def keys(self, prefix: str) -> list[str]:
        return [key for key in self.seen if key.startswith(prefix)]

    def entry(self, key: str) -> Entry | None:
        found = self.seen.get(key)
        return None if found is None else Entry(*found, self.read_at)

    def tell(self, key: str, record: msgspec.Struct) -> None:
        self.put(key, record)

    def read_last(self, key: str) -> None:
        if self.kept[key] != self.seen[key]:
            self.seen[key], self.read_at = self.kept[key], time.monotonic()
        self.asked.set()

    def lease(self) -> LeaseRecord:
        return msgspec.json.decode(self.kept[lease_key(3)][1], type=LeaseRecord)
