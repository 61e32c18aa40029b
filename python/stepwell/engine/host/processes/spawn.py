"""Starts a partition's process, with a socket."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys


def spawn() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A new process, and this end of its socket."""
    ours, theirs = socket.socketpair()
    with theirs:
        descriptor = theirs.fileno()
        # The program's own path: the process must find the same modules.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
        command = [sys.executable, "-P", "-m", "stepwell.engine.host.processes.process", str(descriptor)]
        process = subprocess.Popen(
            command, pass_fds=[descriptor], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
    return process, ours


def is_readable(end: socket.socket, seconds: float) -> bool:
    """Whether something can be read from a socket within ``seconds``."""
    poll = select.poll()
    poll.register(end, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
