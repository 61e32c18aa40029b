"""The start of a partition's process, and its socket."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys


def spawn() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A new process, and this end of the socket that it serves."""
    ours, theirs = socket.socketpair()
    with theirs:
        descriptor = theirs.fileno()
        # The program's own path, so that it finds there what the program has found here, and nothing else.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
        command = [sys.executable, "-P", "-m", "stepwell.engine.host.processes.process", str(descriptor)]
        process = subprocess.Popen(
            command, pass_fds=[descriptor], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
    return process, ours


def is_readable(end: socket.socket, seconds: float) -> bool:
    """Whether something can be read from a socket, waiting for it so long."""
    poll = select.poll()
    poll.register(end, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
