"""``stepwell cluster snapshot``, ``copies`` and ``restore``, and what ``status`` and ``check`` say of snapshots."""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from stepwell.errors import StepwellError, StorageError

from .cluster_options import add_cluster, cluster_of
from .console import Console
from .exits import FAILED, OK, UsageError
from .options import Commands, add_command, add_data, data_folder

if TYPE_CHECKING:
    from stepwell import _core
    from stepwell.engine.cluster.options import Cluster
    from stepwell.engine.cluster.overview import Overview
    from stepwell.engine.cluster.snapshots.restoring import FolderSource, Source


def add_check_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``check`` that take longer."""
    parser.add_argument(
        "--replay",
        action="store_true",
        help="also apply all events anew behind the oldest snapshot, and compare every row; reads everything",
    )


def add_restore(actions: Commands) -> None:
    """``copies`` and ``restore``."""
    copies = add_command(
        actions, "copies", _copies, "say how far the copies are in the folder of a node that has ended"
    )
    add_data(copies)
    text = "make lost streams again, of the copies of a node that has ended, or of snapshots"
    restore = add_command(actions, "restore", _restore, text)
    add_cluster(restore, required=True)
    restore.add_argument(
        "partition",
        type=int,
        metavar="PARTITION",
        nargs="*",
        help="also where the stream is there, and holds less than the copy (default: the partitions without a stream)",
    )
    restore.add_argument("--data", metavar="DIR", help="the folder of the node that has the longest copies")
    restore.add_argument(
        "--from", dest="source", metavar="URL", help="snapshots: s3://bucket/prefix, or a folder; instead of --data"
    )
    restore.add_argument("--from-name", metavar="NAME", help="the cluster that they are of (default: --cluster-name)")
    restore.add_argument("--snapshots", metavar="URL", help="where the cluster keeps snapshots from now on")


# what status and check say


def held(overview: Overview, stream: dict[str, Any]) -> dict[str, Any]:
    """What a stream holds, and the snapshots before it."""
    if "problem" in stream:
        return {"stream": None, "snapshots": []}
    names = ("store", "first_sequence", "last_sequence", "messages", "bytes")
    try:
        snapshots = [
            {
                "position": each.position,
                "sequence": each.sequence,
                "bytes": each.bytes,
                "node": each.node,
                "made": each.made,
            }
            for each in overview.snapshots(stream)
        ]
    except StepwellError as error:
        snapshots = [{"problem": str(error)}]
    return {"stream": {name: stream[name] for name in names}, "snapshots": snapshots}


def shown_held(partition: dict[str, Any]) -> dict[str, str]:
    """The same as text."""
    stream, snapshots = partition["stream"], partition["snapshots"]
    text = "lost" if stream is None else f"{stream['messages']} messages, {stream['bytes'] / 2**20:.1f} MiB"
    return {"stream": text, "snapshots": " ".join(str(each.get("position", "damaged")) for each in snapshots)}


def snapshot_problems(overview: Overview, stream: dict[str, Any], *, replay: bool) -> list[str]:
    """What is wrong with a partition's snapshots, and with ``replay``, with its rows."""
    if "problem" in stream:
        return []
    index, first = stream["partition"], stream["first_sequence"]
    try:
        newest = overview.snapshots(stream)
        if first > max((each.sequence for each in newest), default=0) + 1:
            return [f"partition {index}: its stream begins at sequence {first}, and no snapshot holds what was before"]
        if replay:
            overview.prove(stream)
    except StepwellError as error:
        return [f"partition {index}: {error}"]
    return []


# commands


def take_snapshots(options: argparse.Namespace, console: Console, overview: Overview) -> int:
    """``stepwell cluster snapshot``."""
    given: int | None = options.partition
    for index in range(overview.record.partitions) if given is None else [given]:
        found = overview.snapshot(index)
        console.record(
            {
                "partition": index,
                "position": found.position,
                "bytes": found.bytes,
                "place": overview.catalog.place.where,
            },
            f"partition {index}: position {found.position}, {found.bytes} bytes, in {overview.catalog.place.where}",
        )
    return OK


def _folder_source(data: Path) -> tuple[FolderSource, _core.Folder]:
    from stepwell import _core
    from stepwell.engine.cluster.snapshots.restoring import FolderSource

    folder = _core.Folder.open(data)
    folder.lock()
    try:
        return FolderSource(folder), folder
    except BaseException:
        folder.unlock()
        raise


def _copies(options: argparse.Namespace, console: Console) -> int:
    source, folder = _folder_source(data_folder(options))
    try:
        found = [{"node": source.record.node, **each} for each in source.copies()]
    finally:
        folder.unlock()
    console.table(found, ("node", "partition", "position", "epoch", "store", "hash", "problem"))
    return FAILED if any("problem" in each for each in found) else OK


def _restore(options: argparse.Namespace, console: Console) -> int:
    if (options.data is None) == (options.source is None):
        raise UsageError("give either --data DIR, the folder of a node, or --from URL, the place of snapshots.")
    cluster = cluster_of(options, snapshots=options.snapshots)
    if options.data is not None:
        source, folder = _folder_source(Path(options.data))
        try:
            return _restored(options, console, cluster, source, Path(folder.path))
        finally:
            folder.unlock()
    from stepwell.engine.cluster.snapshots.places import place_at
    from stepwell.engine.cluster.snapshots.restoring import SnapshotSource

    source = SnapshotSource(place_at(options.source), options.from_name or cluster.name)
    with TemporaryDirectory(prefix="stepwell-restore-") as work:
        return _restored(options, console, cluster, source, Path(work))


def _restored(options: argparse.Namespace, console: Console, cluster: Cluster, source: Source, work: Path) -> int:
    from stepwell.engine.cluster.snapshots.restoring import Restore

    restore = Restore(cluster, source)
    try:
        partitions: list[int] = options.partition or restore.lost()
        if not partitions:
            raise StorageError(
                "each partition has its stream. Name those whose stream holds less than this copy: "
                "`stepwell cluster restore … PARTITION`"
            )
        for each in restore.restore(partitions, work):
            text = f"partition {each.partition}: position {each.position}, as the store {each.store}, of {each.of}"
            console.record(each._asdict(), text)
    finally:
        restore.close()
    return OK
