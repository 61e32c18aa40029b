"""Checks whether a folder can follow another one, before anything is written to either."""

from __future__ import annotations

from pathlib import Path

from stepwell import _core
from stepwell.engine.folders.follows import check_continues, check_has_not_taken_over, end_following, following
from stepwell.engine.folders.partitions import is_partition, partitions_of
from stepwell.engine.folders.paths import Folder, check_apart, check_writable, folder_of, names_in, resolved
from stepwell.errors import FencedError, StorageError

_OF_A_STORE = frozenset({"log", "storage", "FOLLOWS"})


class Attaching:
    """The folders of a leader and its follower, after all checks.

    Raises ``StorageError`` if one cannot follow the other, ``AlreadyPromoted`` if ``data`` took over from the leader,
    ``FencedError`` if another follower did, ``CorruptionError`` if ``data`` is damaged.
    """

    def __init__(self, source: Folder, data: Folder) -> None:
        given, place = folder_of("source", source), folder_of("data", data)
        leads, follows = resolved(given), resolved(place)
        _check_source(leads)
        check_apart(_executor_of(leads), _executor_of(follows) if is_partition(leads) else follows)
        _check_data(leads, follows)
        # opened by the given paths: from now on it is checked that they still lead there
        self.leader = _core.Folder.open(given)
        self.place = place
        self.folder = _core.Folder.open(place) if follows.exists() else None
        """None if it does not exist yet."""
        self.source = Path(self.leader.path)
        self.data = follows if self.folder is None else Path(self.folder.path)
        self.of = _store_of(self.leader)
        """The id of the store that is followed."""
        before = None if self.folder is None else following(self.folder)
        self.id = _core.new_store_id() if before is None else before.follower
        """The follower's own id."""
        if self.folder is not None and self.folder.has("log"):
            self._check_copy(self.folder)
        else:
            _core.FollowedLog.open(self.leader, self.id, self.data, 1)  # the log must be complete from position 1
        self._check_fence()

    def _check_copy(self, folder: _core.Folder) -> None:
        """Refuse a log that is not a copy of the leader's, and one that ``data`` continued itself."""
        fence = _core.FollowedLog.fence_of(folder)
        if fence is not None:
            raise FencedError(
                f"{self.data} was a leader's, until {fence[2]} took over: give a new folder, or a copy of {self.source}"
            )
        last, epoch = _core.FollowedLog.end_of(folder)
        ended = _core.FollowedLog.fence_of(self.leader)
        if ended is not None and ended[1] == self.id and epoch >= ended[0]:
            folder.lock()
            try:
                end_following(folder, last)  # the promotion was interrupted before this
            finally:
                folder.unlock()
        check_has_not_taken_over(folder, self.leader, self.of, None if ended is None else ended[2])
        check_continues(folder, folder.stores(), last, self.leader, self.of)
        _core.FollowedLog.check_copy(self.leader, folder)

    def _check_fence(self) -> None:
        """Refuse a log that another follower took over: it continues elsewhere."""
        fence = _core.FollowedLog.fence_of(self.leader)
        if fence is not None and fence[1] != self.id:  # else a promotion was interrupted, and is completed now
            raise FencedError(f"{fence[2]} took over from {self.source} at epoch {fence[0]}: follow that one")


def _executor_of(folder: Path) -> Path:
    return folder.parent if is_partition(folder) else folder


def _store_of(leader: _core.Folder) -> str:
    if not leader.has("log"):
        raise StorageError(f"there is no log to follow in {leader.path}")
    stores = leader.stores()
    if stores:
        return stores[0]
    return _core.FollowedLog.open(leader, _core.new_store_id(), leader.path, 1).store  # which raises what is wrong


def _check_source(source: Path) -> None:
    partitions = partitions_of(source)
    if partitions is None:
        raise StorageError(f"there is no executor's folder to follow at {source}")
    if partitions > 1:
        raise StorageError(f"{source} has {partitions} partitions: give each, from {source / 'p0'} on, a follower")
    found = following(_core.Folder.open(source))
    if found is not None:
        raise StorageError(f"{source} is a follower's itself, of {found.path}: follow that one")


def _check_data(source: Path, data: Path) -> None:
    check_writable(data)
    if (partitions_of(data) or 1) > 1:
        raise StorageError(f"{data} has several partitions, and {source} is one: give a folder for that one alone")
    names = names_in(data)
    if names and not _OF_A_STORE.intersection(names):
        raise StorageError(
            f"{data} holds other things, {names[0]} among them: give a new folder, or a copy of {source}"
        )
    if is_partition(source) and data.name != source.name:
        raise StorageError(f"{data} follows a partition, {source}, so it is to be named {source.name} as well")
