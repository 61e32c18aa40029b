"""How the engine is: its partitions, its counters, what it takes of the disk, its limits."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from stepwell.engine.arns import PLACE
from stepwell.engine.control.host import ConnectedHost
from stepwell.engine.control.status import of_host
from stepwell.engine.folders.files import files_of
from stepwell.step_functions.service import Service
from stepwell.version import VERSION

from .query import Query

_BEGAN = time.time()


def system(service: Service, _: list[str], query: Query, *, is_read_only: bool) -> dict[str, Any]:
    """The state of the process that has the folder open, its counters, and the files of the folder."""
    host = service.client.host
    live = host.describe() if isinstance(host, ConnectedHost) else of_host(host, _BEGAN)
    answer: dict[str, Any] = {
        **msgspec.to_builtins(live),
        "version": VERSION,
        "region": PLACE.region,
        "account": PLACE.account,
        "now": time.time(),
        "limits": service.client.limits._asdict(),
        "stats": msgspec.to_builtins(host.stats()),
    }
    if host.folder is not None:
        path = host.folder.path
        answer["folder"] = path
        answer["files"] = [
            {
                "logBytes": each.log_bytes,
                "storageBytes": each.storage_bytes,
                "followers": [{"id": mark.follower, "position": mark.position} for mark in each.marks],
            }
            for each in files_of(path)
        ]
    return answer
