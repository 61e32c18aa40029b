"""``stepwell console``: the console over a data folder, in the browser."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from stepwell import AsyncExecutor
from stepwell.engine.api.idle_executor import IdleExecutor
from stepwell.engine.control.connection import NotServed

from .console import Console
from .exits import OK, UsageError
from .options import Commands, add_command, add_data, port_number

PORT = 8084


def add_commands(commands: Commands) -> None:
    """Add ``console``."""
    parser = add_command(commands, "console", browse, "show a data folder in the browser, until SIGTERM")
    add_data(parser)
    parser.add_argument("--port", type=port_number, default=PORT, help=f"the port (default: {PORT}; 0: a free one)")


def browse(options: argparse.Namespace, console: Console) -> int:
    """Serve the console for this machine: through the process that has the folder open, else only to read."""
    try:
        from stepwell.server import serving
        from stepwell.server.log_lines import log_in_lines
        from stepwell.server.settings import Settings
    except ImportError as error:
        raise UsageError(f"the console needs what `pip install stepwell[server]` installs: {error}.") from error
    if not options.data or not Path(options.data).is_dir():
        raise UsageError(f"there is no data folder {options.data or ''}".rstrip() + ".")
    log_in_lines("text")
    settings = Settings("127.0.0.1", options.port)
    ready = partial(_ready, console)
    try:
        serving.run(serving.serve(AsyncExecutor(options.data, connect=True), settings, ready))
    except NotServed:
        serving.run(serving.serve(IdleExecutor(options.data), settings._replace(read_only=True), ready))
    return OK


def _ready(console: Console, url: str) -> None:
    console.record({"ready": f"{url}/console/"}, f"stepwell: ready on {url}/console/")
    sys.stdout.flush()  # who started it waits for this line
