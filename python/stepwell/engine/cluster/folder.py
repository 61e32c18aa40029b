"""The data folder of a node: which cluster and node it belongs to, and a folder for each copy."""

from __future__ import annotations

import msgspec

from stepwell import _core
from stepwell.engine.folders.follows import NODE
from stepwell.errors import StorageError

from .options import Cluster
from .records import ClusterRecord


class FolderRecord(msgspec.Struct):
    """Whose folder it is."""

    id: str
    cluster: str
    node: str
    partitions: int


def folder_record(folder: _core.Folder) -> FolderRecord | None:
    """Whose folder it is; None if no node has used it."""
    text = folder.read(NODE)
    return None if text is None else _read(folder.path, text)


def check_names(folder: _core.Folder, cluster: Cluster) -> FolderRecord | None:
    """Whose folder it is. Raises ``StorageError`` if a node of another name, or of another cluster, has used it."""
    found = folder_record(folder)
    if found is not None and (found.cluster, found.node) != (cluster.name, cluster.node):
        raise _not_ours(folder, found, f"node {cluster.node} of cluster {cluster.name}")
    return found


def _not_ours(folder: _core.Folder, found: FolderRecord, ours: str) -> StorageError:
    return StorageError(
        f"{folder.path} belongs to node {found.node} of cluster {found.cluster} ({found.id}), not to {ours}: give each "
        "node a folder of its own"
    )


class ClusterFolder:
    """A folder that is open and locked. Raises ``StorageError`` if it belongs to another cluster or node."""

    def __init__(self, folder: _core.Folder, record: ClusterRecord, cluster: Cluster) -> None:
        self.folder, self.record = folder, record
        ours = FolderRecord(record.id, cluster.name, cluster.node, record.partitions)
        folder.lock()
        try:
            found = folder_record(folder)
            if found is None:
                self._check_is_empty()
                folder.write(NODE, msgspec.json.encode(ours))
            elif found != ours:
                raise _not_ours(folder, found, f"node {ours.node} of cluster {ours.cluster} ({ours.id})")
        except BaseException:
            folder.unlock()
            raise

    def _check_is_empty(self) -> None:
        for name in ("log", "storage", "partitions", "FOLLOWS"):
            if self.folder.has(name):
                raise StorageError(
                    f"{self.folder.path} is an executor's folder already: give a node a folder of its own"
                )

    def partition(self, index: int) -> _core.Folder:
        """The folder of a partition's copy."""
        return self.folder.within(f"p{index}", create=True)

    def close(self) -> None:
        """Unlock it."""
        self.folder.unlock()


def _read(path: str, text: bytes) -> FolderRecord:
    try:
        return msgspec.json.decode(text, type=FolderRecord)
    except msgspec.MsgspecError as error:
        raise StorageError(f"{path}/{NODE} does not say which node's folder this is: {error}") from error
