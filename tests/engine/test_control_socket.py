"""The control socket: what a client may send, and what becomes of the engine and of other clients meanwhile."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stepwell import AsyncExecutor, Executor, Follower
from stepwell.engine.control import messages as m
from stepwell.engine.control import server, session
from stepwell.engine.control.address import address_of, announce, draw_name, find, open_directory
from stepwell.engine.control.serving import target_of
from stepwell.engine.host.local import LocalHost
from stepwell.engine.log import records as r
from stepwell.errors import (
    ApiError,
    Busy,
    Closed,
    ExecutionAlreadyExists,
    ExecutionFailed,
    InvalidDefinition,
    InvalidInput,
    PoisonedError,
    StepwellError,
    StorageError,
    TaskDoesNotExist,
    TaskError,
    TaskTimedOut,
    WorkflowNotFound,
)

LONG = 60
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
ACTIVITY = "arn:aws:states:us-east-1:000000000000:activity:polled"
POLLED = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": ACTIVITY, "End": True}}}
HELLO = m.frame_of(m.Hello(m.MAGIC, m.PROTOCOL, "test"))


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Executor]:
    with Executor(tmp_path / "data", handlers={"echo": lambda value: value}) as executor:
        executor.deploy("w", PASS)
        yield executor


def raw(data: Path) -> socket.socket:
    end = socket.socket(socket.AF_UNIX)
    end.settimeout(LONG)
    directory = open_directory(str(data))
    served = find(directory)
    os.close(directory)
    assert served is not None
    end.connect(served.address)
    return end


def everything(end: socket.socket) -> bytes:
    """What is received until the other end closes."""
    received = b""
    try:
        while piece := end.recv(1 << 16):
            received += piece
    except ConnectionResetError:  # it has closed what it had not read
        pass
    return received


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "little") + body


GARBAGE = {
    "no frame": b"GET / HTTP/1.1\r\n\r\n",
    "a frame of four gigabytes": b"\xff\xff\xff\xff",
    "no message": frame(b"\xc1" * 9),
    "another greeting": frame(msgspec.msgpack.encode([0, "else", 1, "1"])),
    "a request before the greeting": m.frame_of(m.Tick(1)),
    "a large greeting": (m.MAX_HELLO + 1).to_bytes(4, "little"),
    "an unknown request": HELLO + frame(msgspec.msgpack.encode([99, 1])),
    "a request of wrong types": HELLO + frame(msgspec.msgpack.encode([1, "x", "y", 7])),
    "nesting": HELLO + frame(b"\x91" * 100_000),
    "a large request": HELLO + (m.MAX_REQUEST + 1).to_bytes(4, "little"),
    "the engine's own command": HELLO
    + frame(msgspec.msgpack.encode([5, 1, ["PutWorkflowCommand", "w", 7, b"{}", "STANDARD", None], b""])),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_whatever_is_no_message_ends_its_client_alone(owner: Executor, tmp_path: Path, name: str) -> None:
    with Executor(tmp_path / "data", connect=True) as other:
        with raw(tmp_path / "data") as end:
            end.sendall(GARBAGE[name])
            everything(end)  # and the end: else this hangs
        assert other.start("w", 1).wait(LONG).output == 1
    assert owner.start("w", 2).wait(LONG).output == 2


@pytest.mark.parametrize("seed", range(5))
def test_random_bytes_end_their_client_alone(owner: Executor, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(20):
        with raw(tmp_path / "data") as end:
            body = HELLO[: chance.randrange(len(HELLO) + 1)] + chance.randbytes(chance.randrange(1, 200))
            end.sendall(body)
            end.shutdown(socket.SHUT_WR)
            everything(end)
    with Executor(tmp_path / "data", connect=True) as other:
        assert other.start("w", 1).wait(LONG).output == 1


def test_a_client_of_another_version_is_let_go_after_the_greeting(owner: Executor, tmp_path: Path) -> None:
    with raw(tmp_path / "data") as end:
        end.sendall(m.frame_of(m.Hello(m.MAGIC, m.PROTOCOL + 1, "9.9")))
        received = everything(end)
    welcome = m.decode_response.decode(received[4:][: int.from_bytes(received[:4], "little")])
    assert isinstance(welcome, m.Welcome)
    assert (welcome.protocol, welcome.pid) == (m.PROTOCOL, os.getpid())


def test_a_client_that_stays_silent_or_half_way_is_let_go(
    owner: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "HELLO_SECONDS", 0.1)
    monkeypatch.setattr(session, "FRAME_SECONDS", 0.1)
    for begun in (b"", HELLO[:5], HELLO + HELLO[:5]):
        with raw(tmp_path / "data") as end:
            end.sendall(begun)
            everything(end)


def ask_without_reading(end: socket.socket, id: str) -> None:
    for number in range(1, 100_000):
        end.sendall(m.frame_of(m.Load(number, id)))


def test_a_client_that_does_not_read_is_let_go_and_costs_no_more_than_its_bound(
    owner: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SEND_SECONDS", 0.2)
    monkeypatch.setattr(session, "MAX_OUTGOING", 1 << 20)
    owner.start("w", "x" * 100_000).wait(LONG)
    id = owner.list()[0].id
    with raw(tmp_path / "data") as end:
        end.sendall(HELLO)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            ask_without_reading(end, id)
    assert owner.start("w", 1).wait(LONG).output == 1


class SmallPieces(socket.socket):
    """A socket that takes little at a time, and keeps what it was given."""

    given: list[Any]

    def send(self, data: Any, flags: int = 0) -> int:
        self.given.append(data)
        return super().send(data[:1000], flags)


def test_a_large_reply_is_not_copied_for_each_piece_that_the_client_takes() -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(LONG)
    text = "x" * 100_000
    with Executor() as executor, ours, SmallPieces(fileno=theirs.detach()) as end:
        end.given = []
        serving = session.Session(end, target_of(executor.client))
        thread = threading.Thread(target=serving.run)
        thread.start()
        reply = m.frame_of(m.Reply(1, text))
        serving.reply(1, text)
        received = b""
        while not received.endswith(reply):
            received += ours.recv(1 << 16)
        serving.finish()
        thread.join()
        serving.close()
    pieces = [piece for piece in end.given if memoryview(piece).nbytes > 1000]
    assert len(pieces) > 50
    assert len({id(memoryview(piece).obj) for piece in pieces}) == 1


def test_a_failed_engine_with_too_many_clients_says_that_it_has_failed(
    owner: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_CLIENTS", 0)

    def check(host: object) -> None:
        raise PoisonedError("the disk is full")

    monkeypatch.setattr(LocalHost, "check", check)
    with pytest.raises(Busy):
        Executor(tmp_path / "data", connect=True)  # the check that the owner serves with was taken before
    with Executor(tmp_path / "other"), pytest.raises(PoisonedError, match="the disk is full"):
        Executor(tmp_path / "other", connect=True)


def test_more_clients_than_there_may_be_are_refused_and_later_ones_served(
    owner: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_CLIENTS", 3)
    clients = [Executor(tmp_path / "data", connect=True) for _ in range(3)]
    with pytest.raises(Busy, match="has 3 clients already"):
        Executor(tmp_path / "data", connect=True)
    for client in clients:
        client.close()
    while True:
        try:
            with Executor(tmp_path / "data", connect=True) as again:
                assert again.start("w", 1).wait(LONG).output == 1
            return
        except Busy:
            continue


def test_everything_a_program_may_ask_works_through_the_socket(owner: Executor, tmp_path: Path) -> None:
    owner.deploy("polled", POLLED)
    with Executor(tmp_path / "data", connect=True) as client:
        assert client.deploy("v", PASS).id == "v:1"
        owner.deploy("v", POLLED)
        assert client.workflow("v").id == "v:2"
        assert client.deploy("v", PASS).id == "v:3"
        execution = client.start("polled", {"n": 1}, "a")
        task = client.get_activity_task(ACTIVITY, "worker", timeout=LONG)
        assert task is not None
        assert task.token is not None
        client.send_task_heartbeat(task.token)
        client.send_task_success(task.token, {"m": 2})
        assert execution.wait(LONG).output == {"m": 2}
        with pytest.raises(TaskTimedOut):
            client.send_task_failure(task.token, "E")
        assert client.run(PASS, 7).output == b"7"
        client.deploy("x", PASS, type="EXPRESS")
        assert client.start_sync("x", 1)["status"] == "SUCCEEDED"
        assert len(client.history(execution.id)) == 7
        assert client.list_map_runs(execution.id) == []
        with pytest.raises(WorkflowNotFound):
            client.start("nothing")
        with pytest.raises(ExecutionAlreadyExists) as taken:
            client.start("polled", {"n": 2}, "a")
        assert taken.value.execution_id == execution.id
        with pytest.raises(InvalidDefinition) as invalid:
            client.deploy("bad", {"StartAt": "A", "States": {}})
        assert invalid.value.diagnostics
        assert client.stats().batches > 0
        for call in (
            lambda: client.register("a", print),
            lambda: client.backup(tmp_path / "b"),
            lambda: client.on("execution_ended", print),
        ):
            with pytest.raises(InvalidInput):
                call()
    with pytest.raises(Closed):
        client.list()


def test_an_event_loop_connects_too(owner: Executor, tmp_path: Path) -> None:
    async def use() -> Any:
        async with AsyncExecutor(tmp_path / "data", connect=True) as client:
            executions = await asyncio.gather(*[client.start("w", number) for number in range(20)])
            return [(await execution.wait(LONG)).output for execution in executions]

    assert asyncio.run(use()) == list(range(20))


def test_ids_of_many_clients_are_unique(owner: Executor, tmp_path: Path) -> None:
    ids: list[str] = []

    def start() -> None:
        with Executor(tmp_path / "data", connect=True) as client:
            ids.extend([client.start("w", number).id for number in range(20)])

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 160


def test_whoever_waits_is_told_of_the_closing(tmp_path: Path) -> None:
    owner = Executor(tmp_path / "data")
    owner.deploy("polled", POLLED)
    client = Executor(tmp_path / "data", connect=True)
    execution = client.start("polled")
    errors: list[StepwellError] = []

    def wait() -> None:
        try:
            execution.wait(LONG)
        except StepwellError as error:
            errors.append(error)

    threads = [threading.Thread(target=wait) for _ in range(5)]
    for thread in threads:
        thread.start()
    owner.close()
    for thread in threads:
        thread.join()
    assert len(errors) == 5
    assert all(isinstance(error, (Closed, StorageError)) for error in errors)
    with pytest.raises(StorageError, match=f"process {os.getpid()}, which had .* open"):
        client.list()
    client.close()


def test_a_follower_hands_its_socket_on_when_it_is_promoted(owner: Executor, tmp_path: Path) -> None:
    follower = Follower(tmp_path / "data", tmp_path / "copy")
    assert follower.leader_alive
    with Executor(tmp_path / "copy", connect=True) as client:
        assert client.list() == []
        with pytest.raises(StorageError, match=r"follows .*data: it takes no commands until it is promoted"):
            client.start("w")
    with follower.promote() as promoted:
        promoted.start("w", 1)
        with Executor(tmp_path / "copy", connect=True) as client:
            assert client.start("w", 2).wait(LONG).output == 2


@pytest.mark.parametrize(
    "error",
    [
        Busy("b"),
        ExecutionAlreadyExists("taken", "/default/default/e1234567/0123456789abcdef"),
        ExecutionFailed("Failed", "E", None),
        TaskError("E", "C"),
        ApiError("Code", "text"),
        TaskDoesNotExist("t"),
        ValueError("v"),
    ],
)
def test_errors_cross_as_what_they_are(error: Exception) -> None:
    sent = m.frame_of(m.Reply(1, None, m.failure_of(error)))
    reply = m.decode_response.decode(sent[4:])
    assert isinstance(reply, m.Reply)
    assert reply.failure is not None
    received = m.error_of(reply.failure)
    assert (type(received), str(received), vars(received)) == (type(error), str(error), vars(error))


def test_a_start_of_another_tenant_is_refused(owner: Executor, tmp_path: Path) -> None:
    command = r.StartExecutionCommand(
        "/other/default/e1234567/0123456789abcdef",
        workflow_id="w:1",
        input=None,
        name="n",
        type="STANDARD",
        start_at=0,
        parent_iteration_id=None,
        idempotent=False,
        synchronous=False,
    )
    with Executor(tmp_path / "data", connect=True) as client:
        connection = client.client.host.connection  # type: ignore[attr-defined]  # pyright: ignore
        with pytest.raises(StepwellError, match="is no execution of /default/default"):
            connection.ask(lambda number: m.Submit(number, command, b"{}"))


def test_a_server_of_another_version_is_named(owner: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(m, "PROTOCOL", m.PROTOCOL + 1)
    welcome = m.Welcome(1, "0.0.9", 7, 0.0, "t", "n", owner.client.limits, False, None)
    (tmp_path / "other").mkdir()
    directory, name = open_directory(str(tmp_path / "other")), draw_name()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address_of(directory, name))
        listening.listen()
        file = announce(directory, str(tmp_path / "other"), name)

        def greet() -> None:
            with listening.accept()[0] as end:
                end.sendall(m.frame_of(welcome))

        greeter = threading.Thread(target=greet)
        greeter.start()
        with pytest.raises(StorageError, match=r"process 7 has Stepwell 0.0.9 \(protocol 1\).*use the same version"):
            Executor(tmp_path / "other", connect=True)
        greeter.join()
    os.close(file)
    os.close(directory)
