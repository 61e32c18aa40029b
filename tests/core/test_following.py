"""What a follower's folder says, and a fence: paths that are any bytes, copies that are other followers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from core.support import execution, put
from stepwell import _core
from stepwell.engine.folders.follows import Following, begin_following, check_leads, end_following, following
from stepwell.errors import CorruptionError, StorageError

NAMES = [b"plain", b"ends in a line feed\n", b"\nfollower 00\n", b"no \xff\xfe text", "größe".encode(), b" "]


@pytest.fixture
def source(tmp_path: Path) -> _core.Folder:
    return _core.Folder.open(tmp_path / "source", create=True)


def new_following(path: str) -> Following:
    return Following(_core.new_store_id(), _core.new_store_id(), path)


@pytest.mark.parametrize("name", NAMES)
def test_a_path_of_any_bytes_comes_back(tmp_path: Path, source: _core.Folder, name: bytes) -> None:
    folder = _core.Folder.open(tmp_path / os.fsdecode(name), create=True)
    wanted = new_following(os.fsdecode(b"/" + name))
    begin_following(folder, wanted, source)
    assert following(folder) == wanted
    with pytest.raises(StorageError, match="open it with Follower"):
        check_leads(folder)
    end_following(folder, 7)
    assert following(folder) is None
    check_leads(folder)
    assert folder.origins() == [("followed", wanted.source, 7)]


@pytest.mark.parametrize("name", NAMES)
def test_a_fence_names_the_follower_by_its_id_and_a_path_of_any_bytes(tmp_path: Path, name: bytes) -> None:
    leader, follower, path = tmp_path / os.fsdecode(name), _core.new_store_id(), os.fsdecode(b"/" + name)
    with _core.Store.open(leader) as store:
        put(store, execution(1))
    followed = _core.FollowedLog.open(leader, follower, path, 1)
    assert followed.store == store.id
    assert followed.fence(3) == (3, follower, path)
    other = _core.FollowedLog.open(leader, _core.new_store_id(), path, 1)
    assert other.fence(4) == other.fenced() == (3, follower, path)


def test_a_folder_that_was_copied_is_another_follower(tmp_path: Path, source: _core.Folder) -> None:
    folder = _core.Folder.open(tmp_path / "follower", create=True)
    wanted = new_following("/leader")
    begin_following(folder, wanted, source)
    shutil.copytree(tmp_path / "follower", tmp_path / "copy")
    copied = following(_core.Folder.open(tmp_path / "copy"))
    assert copied is not None
    assert copied[1:] == wanted[1:]
    assert copied.follower != wanted.follower
    (tmp_path / "follower").rename(tmp_path / "moved")
    assert following(_core.Folder.open(tmp_path / "moved")) == wanted


@pytest.mark.parametrize("text", [b"", b"/leader", b"follower x\nsource y\nplace z\npath /without an end"])
def test_a_file_that_says_nothing_is_damage(tmp_path: Path, text: bytes) -> None:
    folder = _core.Folder.open(tmp_path)
    folder.write("FOLLOWS", text)
    with pytest.raises(CorruptionError, match="FOLLOWS does not say"):
        check_leads(folder)


def test_a_folder_is_known_by_what_it_is(tmp_path: Path) -> None:
    folder = _core.Folder.open(tmp_path / "a", create=True)
    folder.write("file", b"mine")
    assert (folder.read("file"), folder.read("none"), folder.has("file")) == (b"mine", None, True)
    (tmp_path / "a").rename(tmp_path / "b")
    with pytest.raises(StorageError, match="is not what was opened there"):
        folder.check()
    folder.write("file", b"moved")
    assert (tmp_path / "b" / "file").read_bytes() == b"moved"
    other = _core.Folder.open(tmp_path / "a", create=True)
    with pytest.raises(StorageError, match="something else is there now"):
        _core.Folder.open(tmp_path / "a", which=folder.which)
    assert _core.Folder.open(tmp_path / "a", which=other.which).path == str(tmp_path / "a")
    with pytest.raises(StorageError, match="cannot open"):
        _core.Folder.open(tmp_path / "nowhere")
