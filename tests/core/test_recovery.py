"""What is there after a stop of any kind, and what is refused."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from stepwell import _core
from stepwell.errors import CorruptionError, FencedError, LockedError, StorageError

from .support import decode, encode, execution, execution_id, put, turn

Open = Callable[..., _core.Store]

WRITER = """
import sys
import msgspec
from stepwell import _core
store = _core.Store.open(sys.argv[1], segment_bytes=50_000, flush_bytes=int(sys.argv[2]))
number = 0
while True:
    number += 1
    scope = f"/t/n/e0000001/{number:016x}"
    turn = msgspec.msgpack.encode([scope])
    position = store.commit([(scope, 1, 1, turn)], msgspec.msgpack.encode([[1, scope]]), number)
    if number % 3 == 0:
        store.wait_applied(position)
        print(position, flush=True)
"""


def replay(store: _core.Store) -> int:
    """Applies what the log holds beyond storage, as the engine does; how many batches that were."""
    batches = store.read_log(store.applied() + 1, 1 << 30)
    for first, _, count, payload in batches:
        assert first == store.applied() + 1
        turns = [(decode(blob)[0], 1, 1, blob) for blob in _core.split_turns(payload)]
        changes = encode([[1, scope] for scope, *_ in turns])
        store.apply(turns, changes, first + count - 1, first)
    return len(batches)


@pytest.mark.parametrize("flush_bytes", [10_000, 1 << 30])
def test_what_was_confirmed_survives_a_kill(tmp_path: Path, open_store: Open, flush_bytes: int) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "store"), str(flush_bytes)]
    confirmed = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            confirmed = int(line)
            if confirmed >= 600:
                break
        writer.send_signal(signal.SIGKILL)
    store = open_store()
    assert store.tail() >= confirmed
    assert (store.applied() == 0) == (flush_bytes > 10_000)
    if store.applied() < store.tail():
        with pytest.raises(StorageError, match="apply what the log holds first"):
            store.commit([turn(1)], b"\x90", 1)
    replay(store)
    assert store.applied() == store.tail()
    for number in range(1, store.tail() + 1):
        assert decode(store.get(1, execution_id(number)) or b"") == [1, execution_id(number)]
        assert len(store.history(execution_id(number))) == 1
    assert store.clock_high_water() >= confirmed
    assert put(store, execution(1)) == store.tail()


def test_a_close_leaves_nothing_to_replay(open_store: Open) -> None:
    store = open_store()
    position = put(store, execution(1), hlc=77)
    store.close()
    store = open_store()
    assert (store.applied(), store.tail(), store.clock_high_water()) == (position, position, 77)
    assert store.get(1, execution_id(1)) == encode(execution(1))
    assert store.recovered is None


def test_a_close_writes_what_is_queued(open_store: Open) -> None:
    store = open_store()
    for number in range(1, 101):
        store.commit([turn(number)], encode([execution(number)]), number)
    store.close()
    assert open_store().applied() == 100


def test_rows_alone_survive_a_kill(tmp_path: Path, open_store: Open) -> None:
    script = (
        "import os, signal, sys; from stepwell import _core; store = _core.Store.open(sys.argv[1]);"
        f"store.commit([], {encode([[7, 'w', 1]])!r}, 1); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "store")], check=False)
    store = open_store()
    assert store.get(7, "w", 1) == encode([7, "w", 1])
    assert store.applied() == 0


def test_a_torn_tail_is_cut_and_said_so(tmp_path: Path, open_store: Open) -> None:
    store = open_store()
    put(store, execution(1))
    store.close()
    segment = next((tmp_path / "store" / "log").glob("*.log"))
    whole = segment.read_bytes()
    segment.write_bytes(whole + whole[:17])
    store = open_store()
    assert store.recovered is not None
    assert "cut 17 bytes" in store.recovered
    assert store.get(1, execution_id(1)) is not None
    assert put(store, execution(2)) == 2


def test_a_flipped_bit_in_the_log_is_refused(tmp_path: Path, open_store: Open) -> None:
    store = open_store()
    for number in range(1, 6):
        put(store, execution(number))
    store.close()
    segment = next((tmp_path / "store" / "log").glob("*.log"))
    damaged = bytearray(segment.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    segment.write_bytes(damaged)
    with pytest.raises(CorruptionError, match=r"position \d"):
        open_store()


def test_a_flipped_bit_in_storage_is_never_served(tmp_path: Path, open_store: Open) -> None:
    """In every file of the storage: either it is refused, or what is read is what was written."""

    def contents(path: Path) -> object:
        with open_store(path) as store:
            store.verify()
            histories = [store.history(execution_id(number)) for number in range(100)]
            return store.applied(), store.scan(1), histories

    with open_store() as store:
        for _ in range(2):
            for number in range(100):
                store.commit([turn(number)], encode([execution(number)]), number)
            store.wait_applied(store.tail(), 10)
            store.flush()
    written = contents(shutil.copytree(tmp_path / "store", tmp_path / "whole"))
    random = Random(7)
    refused = 0
    for file in sorted((tmp_path / "store" / "storage").iterdir()):
        for number in range(4 if file.stat().st_size else 0):
            copy = shutil.copytree(tmp_path / "store", tmp_path / f"{file.name}-{number}")
            damaged = bytearray(file.read_bytes())
            damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
            (copy / "storage" / file.name).write_bytes(damaged)
            try:
                assert contents(copy) == written
            except CorruptionError:
                refused += 1
    assert refused > 20


def test_a_list_of_files_with_a_record_of_another_kind_is_refused(tmp_path: Path, open_store: Open) -> None:
    """RocksDB itself would read it for ever."""
    open_store().close()
    manifest = next((tmp_path / "store" / "storage").glob("MANIFEST-*"))
    damaged = bytearray(manifest.read_bytes())
    damaged[6] = 5
    manifest.write_bytes(damaged)
    with pytest.raises(CorruptionError, match="list of files"):
        open_store()


def test_a_store_without_its_log_is_refused(tmp_path: Path, open_store: Open) -> None:
    store = open_store()
    put(store, execution(1))
    store.close()
    for file in (tmp_path / "store" / "log").iterdir():
        file.unlink()
    with pytest.raises(CorruptionError, match="not within the log"):
        open_store()


def test_a_second_process_is_refused(tmp_path: Path, open_store: Open) -> None:
    open_store()
    script = "import sys; from stepwell import _core; _core.Store.open(sys.argv[1])"
    command = [sys.executable, "-c", script, str(tmp_path / "store")]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "stepwell.errors.LockedError" in refused.stderr
    with pytest.raises(LockedError):
        open_store()


def test_the_leader_of_an_earlier_epoch_is_refused(open_store: Open) -> None:
    store = open_store(epoch=5)
    put(store, execution(1))
    store.close()
    with pytest.raises(FencedError):
        open_store(epoch=4)
    store = open_store()
    put(store, execution(2))
    assert store.read_log(2)[0][1] == 5


def test_a_checkpoint_is_a_store_of_its_own(tmp_path: Path, open_store: Open) -> None:
    store = open_store()
    put(store, execution(1))
    put(store, execution(2))
    assert store.checkpoint(tmp_path / "copy") == 2
    put(store, execution(3))
    copy = open_store(tmp_path / "copy")
    assert copy.applied() == copy.tail() == 2
    assert copy.get(1, execution_id(2)) is not None
    assert copy.get(1, execution_id(3)) is None
    assert put(copy, execution(4)) == 3
    copy.close()
    assert open_store(tmp_path / "copy").applied() == 3


def test_a_store_in_memory_makes_no_checkpoint(tmp_path: Path, open_store: Open) -> None:
    with pytest.raises(StorageError, match="in memory"):
        open_store(memory=True).checkpoint(tmp_path / "copy")


def test_replay_into_an_empty_store_gives_the_same_rows(tmp_path: Path, open_store: Open) -> None:
    store = open_store()
    for number in range(1, 51):
        position = store.commit([turn(number)], encode([[1, execution_id(number)]]), number)
    store.wait_applied(position, 10)
    follower = open_store(tmp_path / "follower", memory=True)
    for first, _, count, payload in store.read_log(1):
        turns = [(decode(blob)[0], 1, 1, blob) for blob in _core.split_turns(payload)]
        follower.apply(turns, encode([[1, scope] for scope, *_ in turns]), first + count - 1, first)
    assert follower.applied() == store.applied()
    assert follower.scan(1) == store.scan(1)
    with pytest.raises(StorageError, match="does not follow"):
        follower.apply([turn(1)], b"\x90", 50, 1)


def test_readers_and_a_writer_work_at_once(open_store: Open) -> None:
    store = open_store()
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while store.applied() < 300:
                position = store.applied()
                if position:
                    assert store.get(1, execution_id(position)) is not None
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 301):
        store.commit([turn(number)], encode([execution(number)]), number)
    for reader in readers:
        reader.join()
    assert not failures
