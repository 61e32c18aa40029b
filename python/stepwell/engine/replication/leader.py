"""Whether the leader of a follower lives: found out without touching its lock, or anything else of it.

Trying the lock would make an executor that is opened at this moment fail. ``/proc/locks`` says who has it, except to
processes in another PID namespace; those are told by the leader's socket (``stepwell.engine.control.probe``).
"""

from __future__ import annotations

import os

from stepwell import _core

LOCKS = "/proc/locks"


def is_locked(folder: _core.Folder) -> bool:
    """Whether a process that can be seen from here has a folder locked."""
    device, inode = folder.which
    wanted = f"{os.major(device):02x}:{os.minor(device):02x}:{inode}".encode()
    try:
        with open(LOCKS, "rb") as file:
            lines = file.readlines()
    except OSError:
        return False
    return any(fields[1:2] == [b"FLOCK"] and wanted in fields for fields in map(bytes.split, lines))
