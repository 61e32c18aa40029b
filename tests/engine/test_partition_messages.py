"""Messages between the processes of an executor: one that cannot be sent or read is nobody else's trouble."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.support import machine, passing, task
from stepwell import Busy, Executor, InvalidInput, Limits, StepwellError, StorageError, TooLargeError, _core
from stepwell.engine.host.processes import messages as m
from stepwell.engine.host.processes import wire as wires
from stepwell.engine.host.processes.host import MultiProcessHost
from stepwell.engine.host.processes.wire import Malformed, Wire
from stepwell.engine.log import records as r
from stepwell.engine.log.document import Document
from stepwell.engine.storage.contexts import WorkflowContext

WAIT_SECONDS = 60.0
PASS = machine({"A": passing()})
WORK = machine({"T": task(resource="work")})
SURROGATE = "\ud800"


def deep(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


def repr_of(value: Any) -> str:
    return "nested" if isinstance(value, list) else ascii(value)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    folder = tmp_path_factory.mktemp("messages") / "data"
    with Executor(folder, handlers={"work": lambda value: value}, partitions=2) as executor:
        executor.deploy("pass", PASS)
        executor.deploy("work", WORK)
        yield executor


@pytest.fixture
def ex(shared: Executor) -> Iterator[Executor]:
    """Whatever a test does, the executor's partitions go on, each of them."""
    before = pids(shared)
    yield shared
    executions = [shared.start("work", number) for number in range(8)]
    assert [each.wait(WAIT_SECONDS).output for each in executions] == list(range(8))
    assert pids(shared) == before, "no process had to be started again"


def pids(ex: Executor) -> list[int]:
    host = ex.client.host
    assert isinstance(host, MultiProcessHost)
    return [partition.pid for partition in host.partitions]


ASKS: dict[str, Callable[[Executor, Any], object]] = {
    "the name of a start": lambda ex, odd: ex.start("pass", 1, odd),
    "an input": lambda ex, odd: ex.start("pass", {"a": odd}),
    "the name of a workflow": lambda ex, odd: ex.start(odd, 1),
    "the name of a deployment": lambda ex, odd: ex.deploy(odd, PASS),
    "a definition": lambda ex, odd: ex.deploy("odd", {**PASS, "Comment": odd}),
    "an id": lambda ex, odd: ex.get(odd),
    "an id of a history": lambda ex, odd: ex.history(odd),
    "an id with a good beginning": lambda ex, odd: ex.get(
        f"/default/default/e0000000/{odd if isinstance(odd, str) else type(odd)}"
    ),
    "a list's workflow": lambda ex, odd: ex.list(odd),
    "a list's status": lambda ex, odd: ex.list("pass", odd),
    "a stop's error": lambda ex, odd: ex.stop(ex.start("pass").id, odd, None),
    "a stop's cause": lambda ex, odd: ex.stop(ex.start("pass").id, None, odd),
    "a token": lambda ex, odd: ex.send_task_success(odd, 1),
    "a token's failure": lambda ex, odd: ex.send_task_failure(odd, "E", "c"),
    "an activity": lambda ex, odd: ex.get_activity_task(odd, timeout=0.01),
    "a worker": lambda ex, odd: ex.get_activity_task("arn:aws:states:us-east-1:0:activity:a", odd, timeout=0.01),
    "a map run": lambda ex, odd: ex.describe_map_run(odd),
}


@pytest.mark.parametrize("odd", [SURROGATE, f"a{SURROGATE}b", b"bytes", float("nan"), 1 << 70, deep(5000)], ids=repr_of)
@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_what_cannot_be_sent_is_refused_and_the_others_go_on(
    ex: Executor, ask: Callable[[Executor, Any], object], odd: Any
) -> None:
    beside: list[BaseException | None] = []

    def work() -> None:
        try:
            beside.append(None if ex.start("work", 1).wait(WAIT_SECONDS).output == 1 else AssertionError("wrong"))
        except BaseException as error:
            beside.append(error)

    others = [threading.Thread(target=work) for _ in range(3)]
    for other in others:
        other.start()
    with contextlib.suppress(StepwellError, TypeError, AttributeError):
        ask(ex, odd)
    for other in others:
        other.join(WAIT_SECONDS)
    assert beside == [None] * 3


def test_a_command_that_cannot_be_encoded_is_refused_where_it_is_asked(ex: Executor) -> None:
    """Below the checks of the public methods."""
    host = ex.client.host
    id = ex.start("pass", 1).wait(WAIT_SECONDS).id
    odd: Any
    for odd in (SURROGATE, 1 << 70, object(), deep(5000)):
        with pytest.raises(InvalidInput, match="cannot be sent to a partition"):
            host.ask(r.CancelExecutionCommand(id, odd, None))
    with pytest.raises(InvalidInput, match="a partition cannot read this"):
        host.ask(r.CancelExecutionCommand(id, 7, None))  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="cannot be sent to a partition"):
        host.storage.get(WorkflowContext, SURROGATE, 1)


def test_a_handlers_results_that_cannot_be_sent_fail_their_tasks(ex: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepwell.engine.host.processes.remote.MAX_BYTES", 20_000)
    ex.register("large", lambda size: "x" * size)
    ex.deploy("large", machine({"T": task(resource="large")}))
    executions = [ex.start("large", size).wait(WAIT_SECONDS) for size in (100, 15_000)]
    assert [each.status for each in executions] == ["Succeeded", "Failed"]
    assert executions[1].error == "States.DataLimitExceeded"


def test_a_partition_with_as_much_before_it_as_it_may_have_is_busy() -> None:
    with Executor(partitions=2, limits=Limits(inbox_bytes=100_000)) as ex:
        ex.deploy("pass", PASS)
        host = ex.client.host
        assert isinstance(host, MultiProcessHost)
        partition = host.partitions[0]
        with partition._lock:
            wire, partition._wire = partition._wire, None  # as while its process is started again
        command = r.CancelExecutionCommand("/default/default/e0000000/0000000000000000", None, None)
        partition.submit(command, Document(b"x" * 90_000), host.promises.owe(lambda *_: None))
        with pytest.raises(Busy, match="bytes wait in partition 0"):
            partition.submit(command, Document(b"x" * 90_000), host.promises.owe(lambda *_: None))
        assert partition.unanswered == 1
        with partition._lock:
            partition._wire = wire


# the wire itself

Pair = tuple[Wire[Any], Wire[Any], socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    clock = _core.Clock(0, 0xFFFF_FFFF)
    yield Wire(ours, m.from_partition, lambda: clock), Wire(theirs, m.to_partition, lambda: None), ours
    ours.close()
    theirs.close()


def all_of(wire: Wire[Any], count: int) -> list[Any]:
    received: list[Any] = []
    while len(received) < count:
        more = wire.receive()
        assert more is not None
        received += more
    return received


@pytest.mark.parametrize(
    "odd", [SURROGATE, 1 << 70, object(), deep(5000)], ids=["surrogate", "2**70", "object", "nested"]
)
def test_what_cannot_be_encoded_leaves_what_was_posted(pair: Pair, odd: Any) -> None:
    ours, theirs, _ = pair
    ours.post(m.Heartbeat("before"))
    for put in (ours.post, ours.send, ours.post_first):
        with pytest.raises(InvalidInput, match="cannot be sent"):
            put(m.Heartbeat(odd))
    ours.send(m.Heartbeat("after"))
    assert [message.task_id for message in all_of(theirs, 2)] == ["before", "after"]


def test_a_message_over_the_limit_is_refused_where_it_is_posted(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "MAX_BYTES", 1000)
    ours, theirs, _ = pair
    with pytest.raises(TooLargeError, match="1000 is the most"):
        ours.send(m.Heartbeat("x" * 1000))
    ours.send(m.Heartbeat("small"))
    assert all_of(theirs, 1)[0].task_id == "small"


def test_a_frame_over_the_limit_is_refused_where_it_arrives(pair: Pair) -> None:
    _, theirs, end = pair
    end.sendall((0xFFFF_FFFF).to_bytes(4, "little") + b"x")
    with pytest.raises(StorageError, match="4294967295 bytes"):
        theirs.receive()


@pytest.mark.parametrize("garbage", [b"", b"\xc1", b"\x90", b"\x92\x00\x91", b"\x91" * 5000, b"\x92\xa1a\x90"])
def test_a_frame_that_is_none_is_refused(pair: Pair, garbage: bytes) -> None:
    _, theirs, end = pair
    end.sendall(len(garbage).to_bytes(4, "little") + garbage)
    with pytest.raises(StorageError, match="no frame of messages"):
        theirs.receive()


def test_a_message_that_cannot_be_read_leaves_the_others_of_its_frame(pair: Pair) -> None:
    _, theirs, end = pair
    good = [4, "one"], [4, "two"]
    odd: list[Any] = [[4, 5], [99, "x"], [2, 7, "no command", b""], {"a": 1}, 3]
    frame = msgspec.msgpack.encode((0, [good[0], *odd, good[1]]))
    end.sendall(len(frame).to_bytes(4, "little") + frame)
    received = all_of(theirs, 7)
    assert [received[0].task_id, received[-1].task_id] == ["one", "two"]
    assert [type(message) for message in received[1:-1]] == [Malformed] * 5
    assert received[3].number == 7


def test_much_that_waits_makes_those_who_send_wait(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "WAITING_BYTES", 100_000)
    ours, theirs, _ = pair
    message = m.Heartbeat("x" * 50_000)

    def send() -> None:
        for _ in range(50):
            ours.send(message)

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    received, most = 0, 0
    while received < 200:
        received += len(theirs.receive() or ())
        most = max(most, ours.unsent_bytes)
    for sender in senders:
        sender.join(WAIT_SECONDS)
    assert most <= 100_000 + 4 * 51_000


# threads that end


def test_a_partitions_thread_that_ends_takes_its_executor_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ex = Executor(partitions=2)
    ex.deploy("sleep", machine({"W": {"Type": "Wait", "Seconds": 1000, "End": True}}))
    execution = ex.start("sleep")
    host = ex.client.host
    assert isinstance(host, MultiProcessHost)
    failed: list[BaseException] = []

    def wait() -> None:
        try:
            execution.wait(WAIT_SECONDS)
        except BaseException as error:
            failed.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("a bug")

    for partition in host.partitions:
        monkeypatch.setattr(partition, "_receive", broken)
    for number in range(8):  # an answer comes, and with it the bug
        try:
            ex.start("sleep", number)
        except StepwellError:
            break
    waiting.join(WAIT_SECONDS)
    assert [type(error) for error in failed] == [StorageError]
    assert "a bug" in str(failed[0])
    with pytest.raises(StorageError, match="a bug"):
        ex.start("sleep")
    ex.close()


def test_what_is_no_frame_ends_the_process_which_is_started_again(tmp_path: Path) -> None:
    with Executor(tmp_path, partitions=2, handlers={"work": lambda value: value}) as ex:
        ex.deploy("work", WORK)
        host = ex.client.host
        assert isinstance(host, MultiProcessHost)
        for partition in host.partitions:
            wire = partition._wire
            assert wire is not None
            wire._end.sendall(b"\xff\xff\xff\xff garbage")
        executions = [ex.start("work", number, timeout=WAIT_SECONDS) for number in range(8)]
        assert [each.wait(WAIT_SECONDS).output for each in executions] == list(range(8))


def test_a_path_that_is_no_text_is_a_folder_like_any_other(tmp_path: Path) -> None:
    folder = tmp_path / "\udcff"
    for _ in range(2):
        with Executor(folder, partitions=2) as ex:
            ex.deploy("pass", PASS)
            assert ex.start("pass", 1).wait(WAIT_SECONDS).output == 1
