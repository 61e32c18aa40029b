"""What a follower refuses, it leaves as it was: both folders, byte for byte, and both open afterwards."""

from __future__ import annotations

import asyncio
import inspect
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stepwell import AsyncExecutor, Executor, Follower, Limits
from stepwell.errors import FencedError, InvalidInput, StepwellError, StorageError

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


def contents(folder: Path) -> dict[str, bytes | str]:
    """Everything below a folder: what files hold, where links lead."""
    found: dict[str, bytes | str] = {}
    for place in sorted(folder.rglob("*")):
        name = str(place.relative_to(folder))
        if place.is_symlink():
            found[name] = os.readlink(place)
        elif place.is_dir():
            found[name] = "a folder"
        elif place.is_socket():
            found[name] = "a socket"
        else:
            found[name] = place.read_bytes()
    return found


def fill(folder: Path, count: int = 3, **options: Any) -> list[str]:
    """Run executions in a folder of their own; their ids."""
    with Executor(folder, **options) as executor:
        executor.deploy("w", PASS)
        executions = [executor.start("w", number) for number in range(count)]
        return [execution.wait(60).id for execution in executions]


def opens(folder: Path, ids: list[str], **options: Any) -> None:
    with Executor(folder, **options) as executor:
        assert {execution.id for execution in executor.list()} >= set(ids)
        assert executor.start("w", "more").wait(60).status == "Succeeded"


def same(tmp: Path) -> tuple[Any, Any]:
    return tmp / "a", tmp / "a"


def same_by_link(tmp: Path) -> tuple[Any, Any]:
    (tmp / "link").symlink_to(tmp / "a")
    return tmp / "a", tmp / "link"


def same_by_dots(tmp: Path) -> tuple[Any, Any]:
    return str(tmp / "a"), f"{tmp}/a/../a/."


def same_as_bytes(tmp: Path) -> tuple[Any, Any]:
    return tmp / "a", os.fsencode(tmp / "a")


def within(tmp: Path) -> tuple[Any, Any]:
    return tmp / "a", tmp / "a" / "copy"


def deep_within(tmp: Path) -> tuple[Any, Any]:
    (tmp / "link").symlink_to(tmp / "a" / "log")
    return tmp / "a", tmp / "link" / "x" / "y"


def around(tmp: Path) -> tuple[Any, Any]:
    return tmp / "a", tmp


def stranger(tmp: Path) -> tuple[Any, Any]:
    return tmp / "a", tmp / "c"


def longer_stranger(tmp: Path) -> tuple[Any, Any]:
    return tmp / "c", tmp / "a"


def a_file(tmp: Path) -> tuple[Any, Any]:
    (tmp / "file").write_text("mine")
    return tmp / "a", tmp / "file"


def under_a_file(tmp: Path) -> tuple[Any, Any]:
    (tmp / "file").write_text("mine")
    return tmp / "a", tmp / "file" / "data"


def other_things(tmp: Path) -> tuple[Any, Any]:
    (tmp / "home").mkdir()
    (tmp / "home" / "letter").write_text("mine")
    return tmp / "a", tmp / "home"


def empty(tmp: Path) -> tuple[Any, Any]:
    return tmp / "a", ""


def with_a_nul(tmp: Path) -> tuple[Any, Any]:
    return tmp / "a", f"{tmp}/b\0c"


def a_number(tmp: Path) -> tuple[Any, Any]:
    return tmp / "a", 7


def too_long(tmp: Path) -> tuple[Any, Any]:
    return tmp / "a", tmp / ("x" * 300)


def no_source(tmp: Path) -> tuple[Any, Any]:
    return tmp / "nowhere", tmp / "b"


def empty_source(tmp: Path) -> tuple[Any, Any]:
    return "", tmp / "b"


def source_is_a_file(tmp: Path) -> tuple[Any, Any]:
    (tmp / "file").write_text("mine")
    return tmp / "file", tmp / "b"


def source_without_a_log(tmp: Path) -> tuple[Any, Any]:
    (tmp / "d" / "log").mkdir(parents=True)
    return tmp / "d", tmp / "b"


def source_whose_log_was_cut(tmp: Path) -> tuple[Any, Any]:
    with Executor(tmp / "c") as executor:
        executor.backup(tmp / "d")  # its log begins where it was made
    return tmp / "d", tmp / "b"


def damaged_data(tmp: Path) -> tuple[Any, Any]:
    shutil.copytree(tmp / "a", tmp / "b")
    (segment,) = (tmp / "b" / "log").glob("*.log")
    bytes = bytearray(segment.read_bytes())
    bytes[len(bytes) // 2] ^= 1
    segment.write_bytes(bytes)
    return tmp / "a", tmp / "b"


REFUSED = [
    *(same, same_by_link, same_by_dots, same_as_bytes, within, deep_within, around, stranger, longer_stranger),
    *(a_file, under_a_file, other_things, empty, with_a_nul, a_number, too_long),
    *(no_source, empty_source, source_is_a_file, source_without_a_log, source_whose_log_was_cut, damaged_data),
]


@pytest.mark.parametrize("arguments", REFUSED, ids=lambda case: case.__name__)
def test_a_call_that_is_refused_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: Callable[[Path], tuple[Any, Any]]
) -> None:
    ours, theirs = fill(tmp_path / "a"), fill(tmp_path / "c", 5)
    source, data = arguments(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(StorageError):
        Follower(source, data)
    assert contents(tmp_path) == before
    opens(tmp_path / "a", ours)
    opens(tmp_path / "c", theirs)


@pytest.mark.parametrize("partitions", [(0, "p1"), (0, "p2"), (1, "p0"), (1, "q")])
def test_a_partition_is_followed_in_a_folder_of_its_name_outside(tmp_path: Path, partitions: tuple[int, str]) -> None:
    ids = fill(tmp_path / "a", partitions=2)
    index, name = partitions
    for data in (tmp_path / "a" / name, tmp_path / "b" / name):
        before = contents(tmp_path)
        with pytest.raises(StorageError):
            Follower(tmp_path / "a" / f"p{index}", data)
        assert contents(tmp_path) == before
    opens(tmp_path / "a", ids, partitions=2)


def test_a_partition_is_not_promoted_alone(tmp_path: Path) -> None:
    ids = fill(tmp_path / "a", partitions=2)
    with Follower(tmp_path / "a" / "p0", tmp_path / "b" / "p0") as follower:
        with pytest.raises(InvalidInput, match="take_over each"):
            follower.promote()
        assert follower.wait_level(60)
    opens(tmp_path / "a", ids, partitions=2)


def test_a_follower_s_folder_is_opened_with_no_number_of_partitions(tmp_path: Path) -> None:
    ids = fill(tmp_path / "a")
    with Follower(tmp_path / "a", tmp_path / "b") as follower:
        assert follower.wait_level(60)
    before = contents(tmp_path)
    for partitions in (1, 2, 5):
        with pytest.raises(StorageError, match=r"b follows .*a: open it with Follower"):
            Executor(tmp_path / "b", partitions=partitions)
        with pytest.raises(StorageError, match=r"b follows .*a: open it with Follower"):
            asyncio.run(opened(tmp_path / "b", partitions=partitions))
    assert contents(tmp_path) == before
    with Follower(tmp_path / "a", tmp_path / "b").promote() as executor:
        assert {execution.id for execution in executor.list()} == set(ids)


def test_followers_of_partitions_are_opened_once_all_have_taken_over(tmp_path: Path) -> None:
    ids = fill(tmp_path / "a", partitions=2)
    followers = [Follower(tmp_path / "a" / name, tmp_path / "b" / name) for name in ("p0", "p1")]
    followers[0].take_over()
    assert followers[1].wait_level(60)
    before = contents(tmp_path)
    for folder, partitions in (("b", 2), ("b", 3), ("b/p1", 1), ("b/p1", 2)):
        with pytest.raises(StorageError, match=r"p1 follows .*a/p1: open it with Follower"):
            Executor(tmp_path / folder, partitions=partitions)
        assert contents(tmp_path) == before
    followers[1].take_over()
    opens(tmp_path / "b", ids, partitions=2)


def test_a_folder_with_partitions_is_not_data(tmp_path: Path) -> None:
    fill(tmp_path / "a")
    ids = fill(tmp_path / "c", partitions=2)
    before = contents(tmp_path)
    with pytest.raises(StorageError, match="several partitions"):
        Follower(tmp_path / "a", tmp_path / "c")
    assert contents(tmp_path) == before
    opens(tmp_path / "c", ids, partitions=2)


def test_a_follower_is_not_followed(tmp_path: Path) -> None:
    ids = fill(tmp_path / "a")
    with Follower(tmp_path / "a", tmp_path / "b") as follower:
        assert follower.wait_level(60)
    before = contents(tmp_path)
    with pytest.raises(StorageError, match=r"is a follower's itself, of .*a: follow that one"):
        Follower(tmp_path / "b", tmp_path / "c")
    with pytest.raises(StorageError):
        Follower(tmp_path / "b", tmp_path / "a")
    assert contents(tmp_path) == before
    opens(tmp_path / "a", ids)


def test_what_a_follower_holds_open_is_not_followed_in_twice(tmp_path: Path) -> None:
    ids = fill(tmp_path / "a")
    with Executor(tmp_path / "c") as running, Follower(tmp_path / "a", tmp_path / "b") as follower:
        running.deploy("w", PASS)
        mine = running.start("w", 1).wait(60).id
        for data in ("b", "c"):
            with pytest.raises(StorageError):
                Follower(tmp_path / "a", tmp_path / data)
        assert follower.wait_level(60)
        assert running.start("w", 2).wait(60).status == "Succeeded"
    opens(tmp_path / "c", [mine])
    opens(tmp_path / "a", ids)


def test_an_ended_log_is_taken_over_from_once(tmp_path: Path) -> None:
    fill(tmp_path / "a")
    with Follower(tmp_path / "a", tmp_path / "b").promote() as leader:
        later = leader.start("w", "later").wait(60).id
    before = contents(tmp_path)
    with pytest.raises(FencedError, match=r"b took over from .*a at epoch 1: follow that one"):
        Follower(tmp_path / "a", tmp_path / "c")
    with pytest.raises(StorageError, match="open it with Executor"):
        Follower(tmp_path / "a", tmp_path / "b")
    with pytest.raises(FencedError, match="was a leader's"):
        Follower(tmp_path / "b", tmp_path / "a")
    assert contents(tmp_path) == before
    shutil.move(tmp_path / "b", tmp_path / "moved")
    with pytest.raises(FencedError, match="took over"):
        Follower(tmp_path / "a", tmp_path / "b")
    assert not (tmp_path / "b").exists()
    opens(tmp_path / "moved", [later])


WRONG: dict[str, list[Any]] = {
    "handlers": [7, "echo", ["echo"], {"echo": 7}, {7: print}],
    "tenant": ["a b", "", 7, None, b"a"],
    "namespace": ["a b", "", 7, None, b"a"],
    "max_workers": [0, -1, "x", 1.5, True, None, 1 << 64],
    "limits": [7, {}, Limits(log_bytes=-1), Limits(log_bytes=1 << 64), Limits(tasks="x")],  # type: ignore[arg-type]
    "profile": ["nobody's", 7, None],
    "item_files": [3, "folder", {}],
    "strict_handlers": [1, "yes", None],
    "partitions": [0, 2, "x", 1.0, True, None],
    "connect": [0, 1, "x", None],
    "cluster": [7, "nats://127.0.0.1:1", {}],
    "nonsense": [1],
    "data": ["elsewhere"],
}
"""What no executor takes, by option. The last two are none."""


def test_each_option_has_wrong_values_here() -> None:
    options = set(inspect.signature(Executor).parameters) - {"data"}
    assert options == set(WRONG) - {"nonsense", "data"}
    assert options == set(inspect.signature(AsyncExecutor).parameters) - {"data"}


def test_options_that_no_executor_takes_leave_the_leader_and_the_follower_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ids = fill(tmp_path / "a")
    with Executor(tmp_path / "a") as leader, Follower(tmp_path / "a", tmp_path / "b") as follower:
        for option, values in WRONG.items():
            for value in values:
                with pytest.raises((StepwellError, TypeError), match=option.rstrip("s")):
                    follower.promote(**{option: value})
                assert not (tmp_path / "a" / "log" / "FENCE").exists()
        ids.append(leader.start("w", 1).wait(60).id)
        assert follower.wait_level(60)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
        follower.promote().close()
    with Executor(tmp_path / "b") as promoted:
        assert {execution.id for execution in promoted.list()} == set(ids)


@pytest.mark.parametrize("option", [option for option in WRONG if option not in ("data", "nonsense")])
def test_options_that_no_executor_takes_make_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for value in WRONG[option]:
        if (option, value) == ("partitions", 2):
            continue
        with pytest.raises((StepwellError, TypeError), match=option.rstrip("s")):
            Executor("new", **{option: value})
        with pytest.raises((StepwellError, TypeError), match=option.rstrip("s")):
            asyncio.run(opened("new", **{option: value}))
    assert list(tmp_path.iterdir()) == []


async def opened(data: Any, **options: Any) -> None:
    async with AsyncExecutor(data, **options):
        raise AssertionError("it was opened")


@pytest.mark.parametrize("path", [7, 0, False, "", b"", "a\0b", ["a"], 1.5, object()])
def test_what_is_no_path_is_refused_by_its_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "a")
    before = contents(tmp_path)
    for named, call in {
        "data is a folder's path": lambda: Executor(path),
        "data is a folder's path, not": lambda: Executor(path, partitions=2),
        "data is a": lambda: asyncio.run(opened(path)),
        "source is a folder's path": lambda: Follower(path, tmp_path / "b"),
        "^data is a folder's path": lambda: Follower(tmp_path / "a", path),
    }.items():
        with pytest.raises(StorageError, match=named):
            call()
    with pytest.raises(StorageError, match="source"):
        Follower(None, tmp_path / "b")  # type: ignore[arg-type]
    with pytest.raises(StorageError, match="data"):
        Follower(tmp_path / "a", None)  # type: ignore[arg-type]
    assert contents(tmp_path) == before


def test_without_a_path_there_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Executor(None) as executor:
        assert executor.list() == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_bytes_is_opened(tmp_path: Path) -> None:
    ids = fill(tmp_path / "a")
    opens(os.fsencode(tmp_path / "a"), ids)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["b", "with a blank", "ends in a blank ", "Ünïcöde", "-x", "p0"])
def test_any_name_will_do_for_a_copy(tmp_path: Path, name: str) -> None:
    ids = fill(tmp_path / "a")
    with Follower(os.fsencode(tmp_path / "a"), os.fsencode(tmp_path / name)).promote() as executor:
        assert {execution.id for execution in executor.list()} == set(ids)
