"""What a cluster's storage cannot do, which that of one machine can; and which of its reads copies answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from stepwell.engine.host.processes.partition_client import PartitionClient
from stepwell.engine.host.processes.stores import Places, Stores
from stepwell.engine.host.promises import PendingPromises
from stepwell.engine.host.reading import current
from stepwell.errors import StorageError

from .copy_reads import CopyReads


class ClusterStores(Stores):
    """The rows of all partitions, read at their leaders; from copies of this node, where a block says so."""

    def __init__(
        self, partitions: Sequence[PartitionClient], places: Places, promises: PendingPromises, copies: CopyReads
    ) -> None:
        super().__init__(partitions, places, promises)
        self._copies = copies

    def _ask(self, place: int, operation: str, *arguments: Any, **options: Any) -> Any:
        reading = current()
        if reading is None or reading.consistency == "leader":
            return super()._ask(place, operation, *arguments, **options)
        return self._copies.read(place, operation, arguments, options, reading)

    def _ask_all(self, operation: str, *arguments: Any, **options: Any) -> list[Any]:
        reading = current()
        if reading is None or reading.consistency == "leader":
            return super()._ask_all(operation, *arguments, **options)
        return self._copies.read_all(operation, arguments, options, reading)

    def checkpoint(self, path: str) -> NoReturn:
        """Refused: the leaders would write to the disks of other machines."""
        raise StorageError(
            f"no backup is made at {path}: the snapshots of a cluster are its backup (`stepwell cluster snapshot`, and "
            "`stepwell cluster restore --from`)"
        )

    def commit(self, turns: list[Any], changes: bytes, hlc: int) -> NoReturn:
        """Refused: rows of a program's own are on no log, so the copies would differ."""
        raise StorageError(
            "a cluster keeps no rows of a program's own: they are on no log, and no other node would get them"
        )
