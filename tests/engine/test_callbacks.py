"""Callbacks: what the handler of .waitForTaskToken returns is what was submitted; the token ends the task (ASL A15)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from engine.support import CALLBACK, machine, task
from stepwell import Executor, InvalidToken, TaskError

pytestmark = pytest.mark.covers("A15.68", "A15.70", "A15.71")
DEFINITION = machine({"T": task(None, CALLBACK, Parameters={"QueueUrl": "q", "MessageBody": {"t.$": "$$.Task.Token"}})})
INVOKE = "arn:aws:states:::lambda:invoke.waitForTaskToken"


def events(execution: Any, type: str) -> list[dict[str, Any]]:
    return [event for event in execution.history() if event["type"] == type]


def submitted(execution: Any) -> dict[str, Any]:
    end = time.monotonic() + 10
    while not (found := events(execution, "TaskSubmitted")):
        assert time.monotonic() < end
        time.sleep(0.005)
    return found[0]["taskSubmittedEventDetails"]


class Queue:
    """A handler that keeps the tokens that it was given."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def __call__(self, arguments: Any, context: Any) -> Any:
        assert context.task_token == arguments["MessageBody"]["t"]
        self.tokens.append(context.task_token)
        return {"MessageId": "m"}


def test_what_the_handler_returns_is_submitted_and_the_token_completes_the_task() -> None:
    queue = Queue()
    with Executor(handlers={CALLBACK: queue}) as ex:
        ex.deploy("w", DEFINITION)
        execution = ex.start("w")
        assert submitted(execution)["output"] == '{"MessageId":"m"}'
        assert execution.status == "Running"
        ex.send_task_success(queue.tokens[0], {"answer": 42})
        assert execution.wait(60).output == {"answer": 42}


def test_the_token_fails_the_task() -> None:
    queue = Queue()
    with Executor(handlers={CALLBACK: queue}) as ex:
        ex.deploy("w", DEFINITION)
        execution = ex.start("w")
        submitted(execution)
        ex.send_task_failure(queue.tokens[0], "Refused", "by the boss")
        assert (execution.wait(60).error, execution.cause) == ("Refused", "by the boss")


def test_an_answer_may_come_while_the_handler_still_runs() -> None:
    with Executor() as ex:

        def answers_at_once(arguments: Any, context: Any) -> None:
            ex.send_task_success(context.task_token, "quick")

        ex.register(CALLBACK, answers_at_once)
        ex.deploy("w", DEFINITION)
        assert ex.start("w").wait(60).output == "quick"


def test_a_handler_that_raises_fails_the_task() -> None:
    def refuses(arguments: Any) -> None:
        raise TaskError("SQS.AmazonSQSException", "no such queue")

    with Executor(handlers={CALLBACK: refuses}) as ex:
        context = ex.run(DEFINITION)
        assert context.error == "SQS.AmazonSQSException"


def test_a_callback_of_lambda_invoke_gives_the_payload(tmp_path: Path) -> None:
    payload = {"FunctionName": "f", "Payload": {"t.$": "$$.Task.Token"}}
    tokens: list[str] = []
    with Executor(handlers={"f": lambda value: tokens.append(value["t"])}) as ex:
        ex.deploy("w", machine({"T": task(None, INVOKE, Parameters=payload)}))
        execution = ex.start("w")
        submitted(execution)
        ex.send_task_success(tokens[0], 1)
        assert execution.wait(60).output == 1


def test_a_submitted_call_is_not_made_again_after_a_restart(tmp_path: Path) -> None:
    queue = Queue()
    with Executor(tmp_path, handlers={CALLBACK: queue}) as ex:
        ex.deploy("w", DEFINITION)
        execution = ex.start("w")
        submitted(execution)
    with Executor(tmp_path, handlers={CALLBACK: queue}) as ex:
        time.sleep(0.2)
        assert len(queue.tokens) == 1
        ex.send_task_success(queue.tokens[0], "after the restart")
        assert ex.get(execution.id).wait(60).output == "after the restart"


@pytest.mark.covers("A8.46")
@pytest.mark.parametrize("token", ["", "nonsense", "bm9uc2Vuc2U=", "\u00fc", "x" * 2048])
def test_a_token_that_was_never_made_is_invalid(token: str) -> None:
    with Executor() as ex, pytest.raises(InvalidToken, match="Invalid Token: 'Invalid token'"):
        ex.send_task_success(token, {})
