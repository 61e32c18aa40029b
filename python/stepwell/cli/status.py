"""``stepwell status``: what has a data folder open, how it is, and what the folder holds."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from stepwell import Executor, _core
from stepwell.engine.control.connection import NotServed
from stepwell.engine.control.host import ConnectedHost
from stepwell.engine.control.status import Live
from stepwell.engine.folders.files import files_of
from stepwell.engine.folders.follows import following
from stepwell.engine.ids import CHILD_LISTS
from stepwell.engine.replication.leader import is_locked
from stepwell.engine.status import STATUSES
from stepwell.engine.storage.contexts import VisibilityContext
from stepwell.engine.storage.storage import Storage
from stepwell.errors import Busy
from stepwell.version import VERSION

from .console import Console
from .describe import time_text
from .exits import FAILED, OK, UsageError
from .options import Commands, add_command

COUNTED = 10_000
"""So many executions are counted; of more, the count says that there are more."""
_PAGE = 1000


def add_commands(commands: Commands) -> None:
    """Add ``status``."""
    parser = add_command(commands, "status", status, "say who has a data folder open, and how it is")
    parser.add_argument("data", metavar="DATA", nargs="?", default=os.environ.get("STEPWELL_DATA"))
    parser.add_argument("--ready", action="store_true", help="exit with 1 unless a process works on the folder")


def status(options: argparse.Namespace, console: Console) -> int:
    """Print what can be said without opening the folder for writing; nothing that works there is disturbed."""
    if not options.data or not Path(options.data).is_dir():
        raise UsageError(f"there is no data folder {options.data or ''}".rstrip() + ".")
    record = _of(options.data)
    console.record(record, "\n".join(_lines(record)))
    is_ready = record["health"] == "ok" and record["role"] != "free"
    return FAILED if options.ready and not is_ready else OK


def _of(data: str) -> dict[str, Any]:
    facts = _of_files(data)
    try:
        executor = Executor(data, connect=True)
    except NotServed:
        is_free = not is_locked(_core.Folder.open(data))
        health = _health_of_files(data) if is_free else "a process has it open, and does not serve it"
        return {"data": data, "role": "free" if is_free else "unknown", "health": health, "version": VERSION, **facts}
    except Busy as error:  # it works, else it had said why not
        return {"data": data, "role": "busy", "health": "ok", "version": VERSION, "reason": str(error), **facts}
    with executor:
        host = executor.client.host
        assert isinstance(host, ConnectedHost)
        live = host.describe()
        record = {"data": data, **_of_process(live), **facts}
        return record | {"executions": _counts(host.storage)} if live.health == "ok" else record


def _of_process(live: Live) -> dict[str, Any]:
    """What the process says, times as text."""
    found: dict[str, Any] = msgspec.to_builtins(live)
    follows = found.pop("follows")
    found["since"] = _time(live.since)
    if follows is not None:
        heard = follows["last_heard"]
        return found | {"follows": follows | {"last_heard": None if heard is None else _time(heard)}}
    return found


def _of_files(data: str) -> dict[str, Any]:
    """What the files of a folder say: how large they are, who follows it, and whom it follows."""
    files = files_of(data)
    source = following(_core.Folder.open(data))
    return {
        "partition_count": len(files),
        "log_bytes": sum(each.log_bytes for each in files),
        "storage_bytes": sum(each.storage_bytes for each in files),
        "followers": [
            {"follower": mark.follower, "partition": os.path.basename(each.folder), "position": mark.position}
            for each in files
            for mark in each.marks
        ],
        "follower_of": None if source is None else source.path,
    }


def _health_of_files(data: str) -> str:
    """``ok``, or who took over from the engine that a free folder belonged to."""
    for each in files_of(data):
        has_log = os.path.isdir(os.path.join(each.folder, "log"))
        fence = _core.FollowedLog.fence_of(each.folder) if has_log else None
        if fence is not None:
            return f"its log is over: {fence[2]} took over at epoch {fence[0]}; continue there"
    return "ok"


def _counts(storage: Storage) -> dict[str, Any]:
    """How many executions there are in each status, without children of map runs; ``complete``: all are counted."""
    counted: Counter[str] = Counter()
    after: tuple[Any, ...] | None = None
    while sum(counted.values()) < COUNTED and (page := storage.scan(VisibilityContext, after=after, limit=_PAGE)):
        counted.update(row.status for row in page if not row.workflow.startswith(CHILD_LISTS))
        last = page[-1]
        after = (last.workflow, last.status, last.started_at, last.execution_id)
        if last.workflow.startswith(CHILD_LISTS):
            break
    by_status = {status: counted[status] for status in STATUSES if counted[status]}
    return {"by_status": by_status, "complete": sum(counted.values()) < COUNTED}


def _time(seconds: float) -> str:
    return time_text(datetime.fromtimestamp(seconds, UTC))


def _lines(record: dict[str, Any]) -> Iterator[str]:
    yield f"data:        {record['data']}"
    yield f"health:      {record['health']}"
    yield f"version:     {record['version']}"
    if record["role"] in ("executor", "follower"):
        yield f"owner:       {record['role']}, process {record['pid']}, since {record['since']}"
    else:
        yield f"owner:       {'none' if record['role'] == 'free' else record.get('reason', 'unknown')}"
    yield from _lines_of_process(record)
    yield f"log:         {record['log_bytes']} bytes"
    yield f"storage:     {record['storage_bytes']} bytes"
    for mark in record["followers"]:
        yield f"follower:    {mark['follower']}, which reported position {mark['position']} last"
    if "executions" not in record:
        reason = "no process works on the folder" if record["role"] == "free" else "its process is not asked"
        yield f"executions:  not counted: {reason}"
        return
    found = record["executions"]
    text = ", ".join(f"{status} {count}" for status, count in found["by_status"].items()) or "none"
    yield f"executions:  {text}{'' if found['complete'] else f' (of the first {COUNTED}; there are more)'}"


def _lines_of_process(record: dict[str, Any]) -> Iterator[str]:
    follows = record.get("follows")
    if follows is not None:
        alive = "alive" if follows["leader_alive"] else f"dead, last heard {follows['last_heard'] or 'never'}"
        yield f"follows:     {follows['source']} ({alive}), {follows['records']} records behind"
    elif record["follower_of"] is not None:
        yield f"follows:     {record['follower_of']}"
    if record["role"] == "executor":
        yield f"profile:     {record['profile']}, tenant {record['tenant']}, namespace {record['namespace']}"
        handlers = f"{record['handlers']} running, {record['overdue']} overdue, {record['unhandled']} waiting for one"
        yield f"queues:      {record['requests']} requests, {record['tasks']} tasks handed out; handlers: {handlers}"
    for each in record.get("partitions", ()):
        positions = f"log {each['first']} to {each['last']}, applied {each['applied']}, flushed {each['flushed']}"
        process = f"process {each['pid']}, " if each["pid"] else ""  # that of a cluster's partition may be anywhere
        yield f"partition {each['index']}: {process}{each['problem'] or positions}"
