"""The files of a data folder, from outside: how large they are, and the marks of its followers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from .follows import NODE
from .partitions import partitions_of

_MARK = re.compile(r"([0-9a-f]{16})\.([0-9a-f]{32})\.([0-9a-f]{32})\.follower")


class Mark(NamedTuple):
    """A follower that the log is kept for, and the position that it has reported last, at work."""

    follower: str
    position: int


class PartitionFiles(NamedTuple):
    """What the files of one partition say. Sizes are what they take of the disk."""

    folder: str
    log_bytes: int
    storage_bytes: int
    marks: list[Mark]


def files_of(data: str) -> list[PartitionFiles]:
    """What the files of a data folder say, of each partition; of a cluster's node, of each copy."""
    count = partitions_of(data) or 1
    if os.path.isfile(os.path.join(data, NODE)):
        folders = sorted(os.path.join(data, name) for name in _names(data) if re.fullmatch(r"p\d+", name))
    else:
        folders = [data] if count == 1 else [os.path.join(data, f"p{index}") for index in range(count)]
    return [
        PartitionFiles(each, _size(os.path.join(each, "log")), _size(os.path.join(each, "storage")), list(_marks(each)))
        for each in folders
    ]


def _size(folder: str) -> int:
    """How many bytes the files of a folder have on disk; one that is removed meanwhile has none."""
    total = 0
    for name in _names(folder):
        try:
            total += os.stat(os.path.join(folder, name)).st_blocks * 512
        except FileNotFoundError:
            continue
    return total


def _marks(folder: str) -> Iterator[Mark]:
    for name in _names(os.path.join(folder, "log")):
        mark = _MARK.fullmatch(name)
        if mark is not None:
            yield Mark(mark[2], int(mark[1], 16))


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
