"""``stepwell worker``: runs handlers for the engine of a server."""

from __future__ import annotations

import argparse
import logging
import math
import os
import signal
import sys
import threading
from types import FrameType

from .console import Console
from .exits import OK, UsageError
from .options import Commands, add_command, add_handlers, load_handlers

CONCURRENCY = 16
GRACE_SECONDS = 10.0


def add_commands(commands: Commands) -> None:
    """Add ``worker``."""
    parser = add_command(commands, "worker", worker, "do the tasks of a server's executions, until SIGTERM")
    parser.add_argument(
        "--server",
        metavar="URL",
        default=os.environ.get("STEPWELL_SERVER"),
        help="the URL of `stepwell serve`; several, with commas, are nodes of a cluster (default: $STEPWELL_SERVER)",
    )
    add_handlers(parser)
    parser.add_argument(
        "--concurrency", type=int, default=CONCURRENCY, metavar="N", help=f"calls at a time (default: {CONCURRENCY})"
    )
    parser.add_argument("--name", help="a name for logs and histories (default: the machine's)")
    parser.add_argument("--ca-file", metavar="FILE", help="certificates, PEM, that the server's is checked with")
    parser.add_argument(
        "--grace",
        type=float,
        metavar="SECONDS",
        default=GRACE_SECONDS,
        help=f"how long handlers may take to end after SIGTERM (default: {GRACE_SECONDS:g})",
    )
    parser.epilog = (
        "It signs in with what the environment has: STEPWELL_TOKEN, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    )


def worker(options: argparse.Namespace, console: Console) -> int:
    """Work until SIGTERM or SIGINT."""
    from stepwell.remote.connection import HttpConnection
    from stepwell.remote.signing import sign_in
    from stepwell.remote.worker import Worker

    if not options.server:
        raise UsageError("no server: give --server URL, or set STEPWELL_SERVER.")
    if options.concurrency < 1 or not options.grace >= 0:
        raise UsageError("--concurrency is a whole number from 1, --grace a number of seconds, 0 or more.")
    handlers = load_handlers(options.handlers)
    if not handlers:
        raise UsageError("no handlers: give --handlers MODULE, a module that has functions.")
    logging.getLogger().setLevel(logging.INFO)
    connection = HttpConnection(options.server, sign_in(None, None, None, None), math.inf, options.ca_file)
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    work = Worker(connection, handlers, options.concurrency, options.name)
    console.record(
        {"worker": work.name, "handlers": sorted(handlers)}, f"stepwell: worker {work.name} works for {options.server}"
    )
    sys.stdout.flush()  # who started it waits for this line
    work.run(stopping, options.grace)
    return OK
