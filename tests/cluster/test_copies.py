"""A copy proves its rows by the events; servers that do not sync what they acknowledge are refused."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from stepwell import Cluster, CorruptionError, Executor, FencedError, InvalidInput, StorageError, _core
from stepwell.engine.cluster.copies import open_copy, prove
from stepwell.engine.cluster.sync_check import check_sync
from stepwell.engine.host.host import Options
from stepwell.engine.host.local import LocalHost
from stepwell.engine.log import records as r
from stepwell.engine.storage import contexts as c
from stepwell.tasks.handlers import Handlers

INSTALL = Path(__file__).parents[2] / "scripts" / "install-nats-server"
ONE_STEP = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "one", "End": True}}}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_core.Nats]:
    """One server, which is enough for what is tested here."""
    found = subprocess.run([INSTALL], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"no nats-server: {found.stderr.strip()}")
    place, port = tmp_path_factory.mktemp("nats"), free_port()
    arguments = [found.stdout.strip(), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(place)]
    server = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
    try:
        connection = _core.Nats.connect(f"nats://127.0.0.1:{port}", name="test", timeout=30.0)
        yield connection
        connection.close()
    finally:
        server.kill()
        server.wait()


class LedHost(LocalHost):
    """A partition over the store of a copy that leads."""

    def __init__(self, store: _core.Store, handlers: Handlers, options: Options) -> None:
        self._led = store
        super().__init__(None, handlers, options)

    def _open_store(self, folder: _core.Folder | None) -> _core.Store:
        return self._led


def one(given: str) -> str:
    return given


class LedExecutor(Executor):
    """An executor over such a partition."""

    def __init__(self, store: _core.Store) -> None:
        self._led = store
        super().__init__(handlers={"one": one})

    def _open_host(self, options: Options) -> LedHost:
        return LedHost(self._led, self._handlers, options)


def wait_for(copy: _core.PartitionCopy, position: int) -> None:
    deadline = time.monotonic() + 60
    while copy.store.applied() < position:
        assert time.monotonic() < deadline, copy.status()
        time.sleep(0.005)


def test_copies_run_an_execution_in_turn_and_prove_it_until_a_row_is_wrong(nats: _core.Nats, tmp_path: Path) -> None:
    nats.create_stream("p0", "stepwell.p0", replicas=1, unsafe_sync=True)
    copies = [open_copy(tmp_path / node, nats, "p0", node) for node in ("n1", "n2")]
    for copy in copies:
        with LedExecutor(copy.lead(30.0)) as executor:
            assert executor.run(ONE_STEP, "given").output == b'"given"'
        copy.follow()
    position = copies[1].status()["position"]
    wait_for(copies[0], position)
    assert copies[0].store.digest() == copies[1].store.digest()
    assert prove(copies[0]) == copies[0].store.digest()[0] > 5

    store = copies[0].lead(30.0)
    with pytest.raises(FencedError):
        copies[1].store.commit([], b"\x90", 0)
    turn = msgspec.msgpack.encode(["", 7, 7, [r.CommandRejectedEvent(0, "nothing changes")]])
    wrong = msgspec.msgpack.encode([c.SequenceContext("wrong", 7)])
    store.wait_applied(store.commit([("", 0, 1, turn)], wrong, 0))
    copies[0].follow()
    with pytest.raises(CorruptionError, match=r"a Sequence.* should be None, and is .*wrong"):
        prove(copies[0])
    for copy in copies:
        copy.close()


def test_a_folder_of_a_cluster_is_opened_by_its_node_alone(nats: _core.Nats, tmp_path: Path) -> None:
    for stream in ("p1", "p2"):
        nats.create_stream(stream, f"stepwell.{stream}", replicas=1, unsafe_sync=True)
    open_copy(tmp_path / "copy", nats, "p1", "n1").close()
    with pytest.raises(StorageError, match="a node's copy of the stream p1"):
        Executor(tmp_path / "copy")
    with pytest.raises(StorageError, match="a node's copy of the stream p1"):
        open_copy(tmp_path / "copy", nats, "p2", "n1")
    Executor(tmp_path / "own").close()
    with pytest.raises(StorageError, match="another executor's folder"):
        open_copy(tmp_path / "own", nats, "p1", "n1")


class Monitor(http.server.BaseHTTPRequestHandler):
    """A server's monitoring port."""

    always = True
    others: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        meta = {"replicas": [{"name": name} for name in self.others]}
        jetstream = {"config": {"sync_always": self.always}, "meta": meta}
        body = json.dumps({"server_name": "s1", "jetstream": jetstream}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_servers_that_do_not_sync_or_do_not_say_so_are_refused(tmp_path: Path) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Monitor) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url, nobody = f"http://127.0.0.1:{server.server_port}", f"http://127.0.0.1:{free_port()}"
        assert check_sync([url]) == []
        (warning,) = check_sync([url, nobody])  # one of three servers may be missing
        assert "does not say whether" in warning
        Monitor.others = ["s2", "s3"]
        assert "no monitoring port is named of the servers s2, s3" in check_sync([url])[0]
        Monitor.others = ["s2"]
        assert len(check_sync([url, nobody])) == 1
        Monitor.always = False
        with pytest.raises(StorageError, match=r"s1 .* does not sync each write"):
            check_sync([url, nobody])
        assert len(check_sync([url, nobody], unsafe_sync=True)) == 2
        server.shutdown()
    with pytest.raises(StorageError, match="does not say whether"):
        check_sync([url, nobody])
    assert "nobody has checked" in check_sync([])[0]
    for wrong in ("http://a:8222", ["a:8222"], [8222], ["http://a:x"]):
        with pytest.raises(InvalidInput, match="monitor"):
            Cluster("nats://a:4222", monitors=wrong)
