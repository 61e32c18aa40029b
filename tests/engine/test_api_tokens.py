"""Tasks that others answer: by token, or by polling for an activity's work."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.support import ACTIVITY, CALLBACK, machine, task
from stepwell import Executor, InvalidInput, TaskContext, TaskDoesNotExist

CALL = machine(
    {
        "Ask": task(
            resource=CALLBACK,
            Parameters={"QueueUrl": "https://sqs/q", "MessageBody": {"token.$": "$$.Task.Token", "order.$": "$.order"}},
        )
    }
)
POLLED = machine({"Work": task(resource=ACTIVITY)})


@pytest.fixture
def ex() -> Iterator[Executor]:
    with Executor() as executor:
        executor.deploy("polled", POLLED)
        yield executor


class Sent:
    """A handler that sends a message with the task's token, and what it sent."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self._sent = threading.Semaphore(0)

    def __call__(self, message: Any) -> dict[str, str]:
        self.messages.append(message["MessageBody"])
        self._sent.release()
        return {"MessageId": "m1"}

    def token(self) -> str:
        """The token of the last message, once there is a new one."""
        assert self._sent.acquire(timeout=10)
        return self.messages[-1]["token"]


@pytest.fixture
def sent(ex: Executor) -> Sent:
    handler = Sent()
    ex.register("arn:aws:states:::sqs:*", handler)
    ex.deploy("call", CALL)
    return handler


def types(execution: Any) -> list[str]:
    return [event["type"] for event in execution.history()]


# tokens


def test_a_token_completes_its_task(ex: Executor, sent: Sent) -> None:
    execution = ex.start("call", {"order": 7})
    token = sent.token()
    while "TaskSubmitted" not in types(
        execution
    ):  # else the answer may be recorded first, and the task never submitted
        time.sleep(0.005)
    ex.send_task_success(token, {"approved": True})
    assert execution.wait(60).output == {"approved": True}
    assert sent.messages[0]["order"] == 7
    assert types(execution)[2:-1] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
    ]


def test_a_token_fails_its_task(ex: Executor, sent: Sent) -> None:
    execution = ex.start("call", {"order": 7})
    ex.send_task_failure(sent.token(), "Refused", "by hand")
    assert execution.wait(60).status == "Failed"
    assert (execution.error, execution.cause) == ("Refused", "by hand")


def test_a_token_may_be_used_once(ex: Executor, sent: Sent) -> None:
    execution = ex.start("call", {"order": 7})
    token = sent.token()
    ex.send_task_success(token, 1)
    for call in (
        lambda: ex.send_task_success(token, 2),
        lambda: ex.send_task_failure(token, "Late"),
        lambda: ex.send_task_heartbeat(token),
    ):
        with pytest.raises(TaskDoesNotExist):
            call()
    assert execution.wait(60).output == 1


def test_of_many_who_answer_at_once_one_is_heard(ex: Executor, sent: Sent) -> None:
    execution = ex.start("call", {"order": 7})
    token, accepted = sent.token(), []

    def answer(number: int) -> None:
        try:
            ex.send_task_success(token, number)
            accepted.append(number)
        except TaskDoesNotExist:
            pass

    threads = [threading.Thread(target=answer, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert accepted == [execution.wait(60).output]


def test_the_token_of_a_stopped_execution_is_worth_nothing(ex: Executor, sent: Sent) -> None:
    execution = ex.start("call", {"order": 7})
    token = sent.token()
    execution.stop()
    with pytest.raises(TaskDoesNotExist):
        ex.send_task_success(token, 1)


def test_tokens_cannot_be_guessed(ex: Executor, sent: Sent) -> None:
    ex.start("call", {"order": 7})
    token = sent.token()
    raw = base64.urlsafe_b64decode(token)
    guesses = [
        "",
        "x",
        "ü",
        "\ud800",
        token[:-4],
        token + "AAAA",
        base64.urlsafe_b64encode(raw[:-24] + bytes(24)).decode(),
        base64.urlsafe_b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode(),
        base64.urlsafe_b64encode(raw[: raw.index(b"\n")]).decode(),
    ]
    for guess in guesses:
        with pytest.raises(TaskDoesNotExist, match="token"):
            ex.send_task_success(guess, 1)
    ex.send_task_success(token, 1)


def test_an_output_that_is_not_json_leaves_the_task_open(ex: Executor, sent: Sent) -> None:
    execution = ex.start("call", {"order": 7})
    token = sent.token()
    with pytest.raises(InvalidInput, match="output"):
        ex.send_task_success(token, object())
    ex.send_task_success(token, None)
    assert execution.wait(60).output is None


def test_a_token_outlives_a_restart(tmp_path: Path) -> None:
    sent = Sent()
    with Executor(tmp_path, handlers={"arn:aws:states:::sqs:*": sent}) as ex:
        ex.deploy("call", CALL)
        id = ex.start("call", {"order": 7}).id
        token = sent.token()
    with Executor(tmp_path) as ex:
        ex.send_task_success(token, "after")
        assert ex.get(id).wait(60).output == "after"


def test_heartbeats_keep_a_task_alive(ex: Executor, sent: Sent) -> None:
    states = {"Ask": {**CALL["States"]["Ask"], "HeartbeatSeconds": 1}}
    ex.deploy("beating", machine(states))
    execution = ex.start("beating", {"order": 7})
    token = sent.token()
    for _ in range(4):
        time.sleep(0.4)
        ex.send_task_heartbeat(token)
    ex.send_task_success(token, "alive")
    assert execution.wait(60).output == "alive"
    silent = ex.start("beating", {"order": 8})
    assert silent.wait(60).error == "States.Timeout"


# activities


def test_a_worker_polls_for_a_task_and_answers_it(ex: Executor) -> None:
    execution = ex.start("polled", {"n": 1})
    given = ex.get_activity_task(ACTIVITY, "worker-1", timeout=10)
    assert isinstance(given, TaskContext)
    assert given.input == b'{"n":1}'
    assert given.token is not None
    ex.send_task_success(given.token, {"n": 2})
    assert execution.wait(60).output == {"n": 2}
    assert types(execution)[2:-1] == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded", "TaskStateExited"]
    assert execution.history()[3]["activityStartedEventDetails"] == {"workerName": "worker-1"}


def test_a_poll_waits_for_a_task(ex: Executor) -> None:
    threading.Timer(0.1, lambda: ex.start("polled", "later")).start()
    given = ex.get_activity_task(ACTIVITY, timeout=3600)
    assert given is not None
    assert given.input == b'"later"'


def test_a_poll_gives_up(ex: Executor) -> None:
    assert ex.get_activity_task(ACTIVITY, timeout=0) is None
    assert ex.get_activity_task(ACTIVITY, timeout=0.05) is None
    ex.start("polled")
    assert ex.get_activity_task(ACTIVITY.replace("polled", "other"), timeout=0) is None


def test_tasks_are_handed_out_once_the_oldest_first(ex: Executor) -> None:
    for number in range(100):
        ex.start("polled", number)
    taken: list[int] = []

    def work() -> None:
        while (given := ex.get_activity_task(ACTIVITY, timeout=0.2)) is not None:
            taken.append(int(given.input))

    first = ex.get_activity_task(ACTIVITY, timeout=10)
    assert first is not None
    assert first.input == b"0"
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(taken) == list(range(1, 100))


def test_workers_that_wait_are_woken_one_a_task(ex: Executor) -> None:
    done: list[Any] = []

    def work() -> None:
        given = ex.get_activity_task(ACTIVITY, timeout=20)
        assert given is not None
        assert given.token is not None
        ex.send_task_success(given.token, "done")
        done.append(given.id)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    executions = [ex.start("polled", number) for number in range(8)]
    for execution in executions:
        assert execution.wait(60).output == "done"
    for thread in threads:
        thread.join(10)
    assert len(set(done)) == 8


def test_a_task_that_waits_for_a_worker_outlives_a_restart(tmp_path: Path) -> None:
    with Executor(tmp_path) as ex:
        ex.deploy("polled", POLLED)
        id = ex.start("polled", 5).id
    with Executor(tmp_path) as ex:
        given = ex.get_activity_task(ACTIVITY, timeout=10)
        assert given is not None
    with Executor(tmp_path) as ex:
        assert ex.get_activity_task(ACTIVITY, timeout=0) is None  # it is handed out
        assert given.token is not None
        ex.send_task_success(given.token, 6)
        assert ex.get(id).wait(60).output == 6


def test_nobody_gets_the_task_of_a_stopped_execution(ex: Executor) -> None:
    ex.start("polled").stop()
    assert ex.get_activity_task(ACTIVITY, timeout=0) is None
