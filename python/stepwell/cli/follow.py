"""``stepwell follow``: keeps a copy of another folder level with it, and takes over when its executor is dead."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any

from stepwell import AlreadyPromoted, Executor, Follower, _core
from stepwell.errors import LockedError

from .console import Console
from .exits import OK, UsageError
from .item_files import add_item_files, item_files_of
from .options import Commands, Handlers, add_command, add_handlers, load_handlers

LOOK_SECONDS = 0.25
GRACE_SECONDS = 5.0
LEVEL_SECONDS = 1.0


def add_commands(commands: Commands) -> None:
    """Add ``follow``."""
    parser = add_command(commands, "follow", follow, "keep a copy of another data folder, until SIGTERM")
    parser.add_argument("source", metavar="SOURCE", help="the data folder of the executor that leads")
    parser.add_argument("data", metavar="DATA", help="the copy: a new folder, or one that followed SOURCE before")
    parser.add_argument(
        "--promote-when-dead",
        action="store_true",
        help="go on as an executor over DATA once no process has SOURCE open any more",
    )
    parser.add_argument(
        "--grace",
        type=float,
        metavar="SECONDS",
        default=GRACE_SECONDS,
        help=f"how long SOURCE must have been free before that (default: {GRACE_SECONDS:g})",
    )
    add_handlers(parser)
    add_item_files(parser)


def follow(options: argparse.Namespace, console: Console) -> int:
    """Follow until SIGTERM or SIGINT, or until the leader is dead; then lead, until one of these signals."""
    if options.grace < 0:
        raise UsageError("--grace is a number of seconds, 0 or more.")
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    _Following(options, console, stopping).run()
    return OK


class _Following:
    def __init__(self, options: argparse.Namespace, console: Console, stopping: threading.Event) -> None:
        self._console, self._stopping = console, stopping
        self._promotes, self._grace = options.promote_when_dead, options.grace
        self._handlers: Handlers = load_handlers(options.handlers)
        self._item_files = item_files_of(options)
        self._source, self._data = options.source, options.data
        self._free_since: float | None = None

    def run(self) -> None:
        executor = self._executor()
        if executor is not None:
            with executor:
                self._say("leading", f"{self._data} leads")
                self._stopping.wait()
        self._say("ended", f"{self._data} is closed")

    def _executor(self) -> Executor | None:
        """The executor over DATA, once it leads; None if it is to end before that.

        It leads at once if it took over before: what supervises this command starts it again with the same arguments.
        """
        try:
            follower = Follower(self._source, self._data)
        except AlreadyPromoted:
            if not self._promotes:
                raise
            return Executor(self._data, handlers=self._handlers, item_files=self._item_files)
        self._say("following", f"{self._data} follows {self._source}", position=follower.position)
        executor = self._until_dead(follower)
        if executor is None:
            follower.close()
        return executor

    def _until_dead(self, follower: Follower) -> Executor | None:
        while not self._stopping.wait(LOOK_SECONDS):
            follower.check()
            if self._is_free(follower) and self._promotes and follower.wait_level(LEVEL_SECONDS):
                executor = self._promote(follower)
                if executor is not None:
                    return executor
        return None

    def _is_free(self, follower: Follower) -> bool:
        """Whether the leader's folder has been free for the grace time."""
        now = time.monotonic()
        if follower.leader_alive:
            if self._free_since is not None:
                self._say("leader_alive", f"a process has {self._source} open again")
            self._free_since = None
            return False
        if self._free_since is None:
            self._free_since = now
            then = f"; unless one opens it within {self._grace:g} s, {self._data} leads" if self._promotes else ""
            self._say("leader_dead", f"no process has {self._source} open{then}", position=follower.position)
        return now - self._free_since >= self._grace

    def _promote(self, follower: Follower) -> Executor | None:
        """Take over while the leader's folder is locked, so that no executor opens it meanwhile."""
        leader = _core.Folder.open(self._source)
        try:
            leader.lock()
        except LockedError:
            self._free_since = None
            return None
        try:
            self._say("promoting", f"{self._data} takes over from {self._source}", position=follower.position)
            return follower.promote(handlers=self._handlers)
        finally:
            leader.unlock()

    def _say(self, event: str, text: str, **facts: Any) -> None:
        self._console.record({"event": event, "source": self._source, "data": self._data, **facts}, text)
        sys.stdout.flush()
