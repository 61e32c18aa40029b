"""What a cluster's storage cannot do, which that of one machine can."""

from __future__ import annotations

from typing import Any, NoReturn

from stepwell.engine.host.processes.stores import Stores
from stepwell.errors import StorageError


class ClusterStores(Stores):
    """The rows of all partitions, read at their leaders."""

    def checkpoint(self, path: str) -> NoReturn:
        """Refused: the leaders would write to the disks of other machines."""
        raise StorageError(
            f"no backup is made at {path}: a cluster has none yet; it is in three servers and in each node"
        )

    def commit(self, turns: list[Any], changes: bytes, hlc: int) -> NoReturn:
        """Refused: rows of a program's own are on no log, so the copies would differ."""
        raise StorageError(
            "a cluster keeps no rows of a program's own: they are on no log, and no other node would get them"
        )
