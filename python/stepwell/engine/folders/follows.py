"""The file ``FOLLOWS`` in a follower's folder. No executor can open such a folder before its promotion.

It has four lines: ``follower`` and the follower's id, ``source`` and the id of the store that it follows, ``place``
and the folder that it was written in (device, inode), ``path`` and the source's path. The path is all bytes up to
the line feed that ends the file, because a path may contain any bytes.
"""

from __future__ import annotations

import os
from itertools import takewhile
from typing import NamedTuple

from stepwell import _core
from stepwell.errors import AlreadyPromoted, CorruptionError, StorageError

FOLLOWS = "FOLLOWS"
"""The name of the file."""
ORIGIN = "ORIGIN"
"""The name of the file that says which stores a store came from: see ``_core.Folder.origins``."""
COPIED, FOLLOWED = "copied", "followed"
"""How a store came from another one: as a backup of it, or as a follower that took over from it."""


class Following(NamedTuple):
    """The content of ``FOLLOWS``."""

    follower: str
    """The follower's own id."""
    source: str
    """The id of the store that it follows."""
    path: str
    """The source's path when the file was written."""


NODE = "cluster"
"""The file that says whose folder a cluster node's folder is."""


def check_leads(folder: _core.Folder | None) -> None:
    """Refuse a follower's folder, and a cluster node's: nobody else would know what an executor does there."""
    if folder is not None and folder.has(NODE):
        raise StorageError(
            f"{folder.path} holds the copies of a cluster's node: open it with the cluster, which may have gone on"
        )
    found = None if folder is None else following(folder)
    if folder is not None and found is not None:
        raise StorageError(
            f"{folder.path} follows {found.path}: open it with Follower, and promote it to make it a leader's"
        )


def check_all_lead(folder: _core.Folder | None, partitions: int) -> None:
    """Refuse a follower's folder, and one that contains a follower's partition."""
    check_leads(folder)
    names = [] if folder is None else [f"p{index}" for index in range(partitions)]
    for name in names:
        if folder is not None and folder.has(name):
            check_leads(folder.within(name))


def following(folder: _core.Folder) -> Following | None:
    """The content of a folder's ``FOLLOWS``; None without the file.

    A folder that was copied to another place, with its file, is another follower: it gets a new id.
    """
    text = folder.read(FOLLOWS)
    if text is None:
        return None
    lines = text.split(b"\n", 3)
    names = (b"follower ", b"source ", b"place ", b"path ")
    if len(lines) != 4 or not all(map(bytes.startswith, lines, names)) or not lines[3].endswith(b"\n"):
        raise CorruptionError(f"{os.path.join(folder.path, FOLLOWS)} does not say whom the folder follows")
    follower, source, place, path = (line[len(name) :] for line, name in zip(lines, names, strict=True))
    is_here = place == _place(folder)
    return Following(
        follower.decode() if is_here else _core.new_store_id(), source.decode(), os.fsdecode(path.removesuffix(b"\n"))
    )


def begin_following(folder: _core.Folder, following: Following, source: _core.Folder) -> None:
    """Write ``FOLLOWS``, durably, and add the stores that the source followed to ``ORIGIN``: their records come too."""
    known = folder.origins()
    for how, of, position in reversed(_followed(source)):
        if (how, of, position) not in known:
            folder.add_origin(how, of, position)
    write_follows(folder, following)


def write_follows(folder: _core.Folder, following: Following) -> None:
    """Say whom a folder follows, durably."""
    lines = (
        b"follower " + following.follower.encode(),
        b"source " + following.source.encode(),
        b"place " + _place(folder),
        b"path " + os.fsencode(following.path),
    )
    folder.write(FOLLOWS, b"\n".join(lines) + b"\n")


def end_following(folder: _core.Folder, position: int) -> None:
    """Write to ``ORIGIN`` which store the folder followed up to ``position``, durably, and remove ``FOLLOWS``."""
    found = following(folder)
    if found is not None:
        folder.add_origin(FOLLOWED, found.source, position)
    folder.remove(FOLLOWS)


def check_has_not_taken_over(folder: _core.Folder, source: _core.Folder, of: str, by: str | None) -> None:
    """Raise ``AlreadyPromoted`` for a folder that took over from the store ``of`` in ``source``, and can be opened.

    Its origin says so. If it lost its origin, ``by`` says it: the path of the successor in that store's fence.
    """
    came_from = [origin[:2] for origin in folder.origins()[:1]]
    if following(folder) is None and (came_from == [(FOLLOWED, of)] or by == folder.path):
        raise AlreadyPromoted(f"{folder.path} took over from {source.path} before: open it with Executor")


def check_continues(folder: _core.Folder, ids: list[str], last: int, source: _core.Folder, of: str) -> None:
    """Raise ``StorageError`` unless everything in a folder is of the store ``of`` in ``source``, as far as ids tell.

    The folder's log is of the store ``ids[0]`` and ends at ``last``. The condition holds if the folder is new, if it
    followed that store before, if it is an unchanged backup of it, and if it has no more of another store than the
    source had when it took over from that one.
    """
    if of in ids:
        raise StorageError(
            f"{folder.path} is the store in {source.path} itself, or a copy of its files: begin with a new folder, "
            "or with a backup"
        )
    if last == 0:
        return
    origins, found = folder.origins(), following(folder)
    ours = {id for _, id, position in origins if last <= position}
    if found is not None:
        ours.add(found.source)
    theirs = {of} | {id for _, id, position in _followed(source) if last <= position}
    if not ours & theirs:
        raise StorageError(
            f"{folder.path} is no copy of {source.path}: it is of another store ({_named(found, origins, ids)}, "
            f"not {of}); begin with a new folder, or with a backup"
        )


def _followed(folder: _core.Folder) -> list[tuple[str, str, int]]:
    """The earlier leaders of a promoted store, the latest first; not the stores that it was copied from.

    A restored backup does not count: it lacks what was confirmed after the backup, and a follower may have that.
    """
    return list(takewhile(lambda origin: origin[0] == FOLLOWED, folder.origins()))


def _named(found: Following | None, origins: list[tuple[str, str, int]], ids: list[str]) -> str:
    if found is not None:
        return found.source
    return origins[0][1] if origins else next(iter(ids), "none")


def _place(folder: _core.Folder) -> bytes:
    return " ".join(map(str, folder.which)).encode()
