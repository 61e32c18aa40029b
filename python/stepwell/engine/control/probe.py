"""Whether a process serves a folder, found out without asking it: it may be stopped, or in another container."""

from __future__ import annotations

import os

from .address import find, open_directory


def is_served(data: str) -> bool:
    """Whether a process serves the folder. The kernel answers: that process need not do anything."""
    try:
        directory = open_directory(data)
    except OSError:
        return False
    try:
        return find(directory) is not None
    except OSError:
        return False
    finally:
        os.close(directory)
