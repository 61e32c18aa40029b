"""A node whose disk is recorded (``crash.lossy_disk``): it runs executions, and is opened several times.

``power_node.py FOLDER SERVERS``
"""

from __future__ import annotations

import sys
from pathlib import Path

from stepwell import Cluster, Executor, Limits

NAME, NODE = "power", "a"
PARTITIONS = 2
LIMITS = Limits(log_bytes=20_000)
"""So that storage is flushed, and the log truncated, many times."""
TASK = {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": "double", "End": True}}}


def cluster(servers: str, node: str) -> Cluster:
    """The cluster of one server, as a node joins it."""
    return Cluster(servers, name=NAME, node=node, partitions=PARTITIONS, lease=60.0, unsafe_sync=True)


def opened(folder: Path, servers: str, node: str) -> Executor:
    """The executor of a node."""
    handlers = {"double": lambda given: {"n": 2 * given["n"]}}
    return Executor(folder / node, cluster=cluster(servers, node), handlers=handlers, limits=LIMITS)


def main() -> None:
    folder, servers = Path(sys.argv[1]), sys.argv[2]
    for life in range(2):
        with opened(folder, servers, NODE) as executor:
            executor.deploy("double", TASK)
            running = [executor.start("double", {"n": n, "more": "x" * 500}, f"{life}-{n}") for n in range(60)]
            for execution in running:
                execution.wait(60)


if __name__ == "__main__":
    main()
