"""Handlers: how they are found and called, and what their results and exceptions become."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.support import INVOKE, LAMBDA, catch, machine, parallel, passing, retry, task
from stepwell import Executor, HandlerContext, HandlerNotFound, InvalidDefinition, Limits, TaskError

QUEUE = "arn:aws:states:::sqs:sendMessage"


@pytest.fixture
def ex() -> Iterator[Executor]:
    with Executor() as executor:
        yield executor


def run(ex: Executor, resource: str, input: Any = None, **fields: Any) -> Any:
    """The output of a machine of one Task."""
    context = ex.run(machine({"Work": task(resource=resource, **fields)}), input)
    assert context.status == "Succeeded", (context.error, context.cause)
    return ex.get(context.id).output


def failure(ex: Executor, resource: str = "work", input: Any = None) -> tuple[str | None, str | None]:
    """The error and cause of a machine of one Task."""
    context = ex.run(machine({"Work": task(resource=resource)}), input)
    assert context.status == "Failed"
    return context.error, context.cause


# how they are called


class Callables:
    def method(self, input: Any) -> Any:
        return ["method", input]

    def method_with_context(self, input: Any, ctx: HandlerContext) -> Any:
        return ["method", input, ctx.attempt]

    def __call__(self, input: Any) -> Any:
        return ["object", input]


class AsyncCallable:
    async def __call__(self, input: Any, ctx: HandlerContext) -> Any:
        await asyncio.sleep(0)
        return ["async object", input, ctx.attempt]


async def coroutine(input: Any) -> Any:
    await asyncio.sleep(0)
    return ["coroutine", input]


async def coroutine_with_context(input: Any, ctx: HandlerContext) -> Any:
    await asyncio.sleep(0)
    return ["coroutine", input, ctx.attempt]


@pytest.mark.parametrize(
    ("handler", "output"),
    [
        (lambda input: ["plain", input], ["plain", 5]),
        (lambda input, ctx: ["plain", input, ctx.attempt], ["plain", 5, 0]),
        (lambda input, context=None: ["plain", input, context.attempt], ["plain", 5, 0]),
        (lambda input, other="default": ["plain", input, other], ["plain", 5, "default"]),
        (lambda *arguments: ["all", arguments[0], len(arguments)], ["all", 5, 2]),
        (str, "5"),
        (Callables().method, ["method", 5]),
        (Callables().method_with_context, ["method", 5, 0]),
        (Callables(), ["object", 5]),
        (AsyncCallable(), ["async object", 5, 0]),
        (coroutine, ["coroutine", 5]),
        (coroutine_with_context, ["coroutine", 5, 0]),
    ],
)
def test_a_handler_is_whatever_takes_the_input_and_if_it_likes_the_context(
    ex: Executor, handler: Any, output: Any
) -> None:
    ex.register("work", handler)
    assert run(ex, "work", 5) == output


def test_the_decorator_gives_the_function_back(ex: Executor) -> None:
    @ex.task("double")
    def double(number: int) -> int:
        return number * 2

    assert double(4) == 8
    assert run(ex, "double", 21) == 42


def test_what_cannot_be_called_is_no_handler(ex: Executor) -> None:
    with pytest.raises(TypeError, match="'work'"):
        ex.register("work", 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Executor(handlers={"work": "not a function"})  # type: ignore[dict-item]


@pytest.mark.parametrize("function", [lambda: 1, lambda input, ctx, more: 1, lambda input, *, more: 1])
def test_what_does_not_take_the_input_is_no_handler(ex: Executor, function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=r"the handler of 'work' takes the input, or the input and a context: .*lambda"):
        ex.register("work", function)


@pytest.mark.parametrize(
    "function", [print, lambda *given: 1, lambda input, more=1, **others: 1, partial(max, 1), dict]
)
def test_what_takes_the_input_is_a_handler(ex: Executor, function: Callable[..., Any]) -> None:
    ex.register("work", function)


def test_a_plain_name_cannot_wait_for_a_token(ex: Executor) -> None:
    with pytest.raises(InvalidDefinition, match=r"lambda:invoke.waitForTaskToken with the FunctionName 'ask' calls it"):
        ex.deploy(
            "ask", {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "ask.waitForTaskToken", "End": True}}}
        )


def test_the_context_tells_which_task_it_is(ex: Executor) -> None:
    seen: list[HandlerContext] = []

    def work(input: Any, ctx: HandlerContext) -> str:
        seen.append(ctx)
        if ctx.attempt < 2:
            raise TaskError("Again")
        return "done"

    ex.register("work", work)
    again = [retry("Again", IntervalSeconds=1, MaxAttempts=3, BackoffRate=1)]
    context = ex.run(machine({"Work": task(resource="work", Retry=again)}))
    assert [ctx.attempt for ctx in seen] == [0, 1, 2]
    assert len({ctx.task_id for ctx in seen}) == 3
    for ctx in seen:
        assert (ctx.execution_id, ctx.state_name, ctx.resource) == (context.id, "Work", "work")
        assert ctx.task_token is None
        assert ctx.task_id in repr(ctx)


def test_ids_are_in_the_tenant_and_namespace_of_the_executor() -> None:
    ids: list[str] = []
    with Executor(handlers={"work": lambda input, ctx: ids.append(ctx.task_id)}, tenant="acme", namespace="shop") as ex:
        context = ex.run(machine({"Work": task(resource="work")}))
    assert context.id.startswith("/acme/shop/e")
    assert ids[0].startswith("/acme/shop/t")


# how they are found


def test_a_lambda_arn_finds_its_handler_by_function_name(ex: Executor) -> None:
    ex.register("work", lambda input: "by name")
    assert run(ex, LAMBDA) == "by name"
    assert run(ex, f"{LAMBDA}:$LATEST") == "by name"
    assert run(ex, "arn:aws:lambda:eu-central-1:123456789012:function:work:live") == "by name"


def test_a_handler_may_be_registered_under_an_arn(ex: Executor) -> None:
    ex.register(LAMBDA, lambda input: "by arn")
    assert run(ex, "work") == "by arn"
    assert run(ex, LAMBDA) == "by arn"


@pytest.mark.parametrize(
    "function",
    ["work", LAMBDA, f"{LAMBDA}:7", "work:live", "000000000000:function:work", "us-east-1:000:function:work"],
)
def test_lambda_invoke_finds_its_handler_by_function_name(ex: Executor, function: str) -> None:
    ex.register("work", lambda payload: {"got": payload})
    parameters = {"FunctionName": function, "Payload": {"a": 1}}
    output = run(ex, INVOKE, Parameters=parameters)
    assert output["Payload"] == {"got": {"a": 1}}
    assert output["StatusCode"] == 200


def test_lambda_invoke_reads_a_function_name_from_the_input(ex: Executor) -> None:
    ex.register("one", lambda payload: 1)
    ex.register("two", lambda payload: 2)
    for name, result in (("one", 1), ("two", 2)):
        output = run(ex, INVOKE, {"fn": name}, Parameters={"FunctionName.$": "$.fn", "Payload": {}})
        assert output["Payload"] == result
    states = {"Work": task(resource=INVOKE, Parameters={"FunctionName.$": "$.fn"})}
    with Executor(handlers={"one": str}, limits=Limits(handler_seconds=0)) as other:
        context = other.run(machine(states), {"fn": "three"})
    assert (context.status, context.error) == ("Failed", "States.TaskFailed")
    assert context.cause is not None
    assert "'three'" in context.cause


def test_integrations_are_found_by_resource_and_by_the_longest_pattern(ex: Executor) -> None:
    ex.register("arn:aws:states:::*", lambda input: "any")
    ex.register("arn:aws:states:::sqs:*", lambda input: "sqs")
    message = {"QueueUrl": "https://sqs/q", "MessageBody": "m"}
    assert run(ex, QUEUE, Parameters=message) == "sqs"
    assert run(ex, "arn:aws:states:::sns:publish", Parameters={"TopicArn": "t", "Message": "m"}) == "any"
    ex.register(QUEUE, lambda input: "exactly")
    assert run(ex, QUEUE, Parameters=message) == "exactly"


def test_a_later_registration_replaces_an_earlier_one(ex: Executor) -> None:
    ex.register("work", lambda input: 1)
    assert run(ex, "work") == 1
    ex.register("work", lambda input: 2)
    assert run(ex, "work") == 2


def test_a_start_without_its_handlers_is_refused_by_a_strict_executor_and_leaves_nothing() -> None:
    with Executor(handlers={"known": lambda input: input}, strict_handlers=True) as ex:
        check_refusal(ex)


def check_refusal(ex: Executor) -> None:
    inner = machine({"Deep": task(resource="missing")})
    ex.deploy("w", machine({"A": task("B", resource="known"), "B": parallel(inner)}))
    with pytest.raises(HandlerNotFound) as caught:
        ex.start("w")
    for word in ("'missing'", "'Deep'", "'w'"):
        assert word in str(caught.value)
    assert ex.list() == []
    ex.register("missing", lambda input: "here now")
    assert ex.start("w").wait(60).output == ["here now"]


# what comes of their results


def test_outputs_are_any_json_value(ex: Executor) -> None:
    for value in (None, True, 0, -1.5, "ß", [], {}, {"a": [{"b": None}]}, 2**63 - 1):
        ex.register("work", lambda input, value=value: value)
        assert run(ex, "work") == value


@pytest.mark.parametrize("value", [object(), float("nan"), [float("inf")], {"a": lambda: 0}, {1j: 2}, "\ud800"])
def test_an_output_that_is_not_json_is_an_error_of_its_own(ex: Executor, value: Any) -> None:
    ex.register("work", lambda input: value)
    error, cause = failure(ex)
    assert error == "Runtime.MarshalError"
    assert cause is not None
    assert "'work' returned what is not JSON" in cause


class CardDeclined(Exception):
    pass


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (TaskError("Custom.Error", "because"), ("Custom.Error", "because")),
        (TaskError("NoCause"), ("NoCause", "")),
        (CardDeclined("over the limit"), ("CardDeclined", "over the limit")),
        (ZeroDivisionError("division by zero"), ("ZeroDivisionError", "division by zero")),
        (KeyError("k"), ("KeyError", "'k'")),
        (SystemExit(3), ("SystemExit", "3")),
        (KeyboardInterrupt(), ("KeyboardInterrupt", "")),
        (asyncio.CancelledError(), ("CancelledError", "")),
        (TimeoutError("slow"), ("TimeoutError", "slow")),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
def test_exceptions_are_errors_named_after_their_class(
    ex: Executor, exception: BaseException, expected: tuple[str, str | None], is_async: bool
) -> None:
    def work(input: Any) -> Any:
        raise exception

    async def work_async(input: Any) -> Any:
        raise exception

    ex.register("work", work_async if is_async else work)
    assert failure(ex) == expected
    ex.register("work", lambda input: "still alive")
    assert run(ex, "work") == "still alive"


def test_retry_and_catch_match_exceptions_by_class_name(ex: Executor) -> None:
    calls: list[int] = []

    def work(input: Any) -> Any:
        calls.append(1)
        raise CardDeclined("no")

    ex.register("work", work)
    states = {
        "Work": task(
            resource="work",
            Retry=[retry("CardDeclined", IntervalSeconds=1, MaxAttempts=1)],
            Catch=[catch("CardDeclined", next="Refund", ResultPath="$.problem")],
        ),
        "Refund": passing(),
    }
    context = ex.run(machine(states), {"order": 1})
    output = ex.get(context.id).output
    assert len(calls) == 2
    assert output == {"order": 1, "problem": {"Error": "CardDeclined", "Cause": "no"}}


# side by side


def test_slow_handlers_run_side_by_side(ex: Executor) -> None:
    together = threading.Barrier(16, timeout=20)
    ex.register("work", lambda input: together.wait() >= 0)
    branches = [machine({f"Work{n}": task(resource="work")}) for n in range(16)]
    context = ex.run(machine({"All": parallel(*branches)}))
    assert context.status == "Succeeded"


def test_a_quick_handler_that_turns_slow_does_not_hold_up_the_others(ex: Executor) -> None:
    """Results of quick handlers go out together, but not later than a moment."""
    others_done = threading.Event()

    def work(input: Any) -> Any:
        return others_done.wait(60) if input == "slow" else input

    ex.register("work", work)
    ex.deploy("w", machine({"Work": task(resource="work")}))
    for number in range(50):  # it proves quick
        ex.start("w", number).wait(60)
    slow = ex.start("w", "slow")
    rest = [ex.start("w", number) for number in range(50)]
    for execution in rest:
        execution.wait(60)
    others_done.set()
    assert slow.wait(60).output is True


def test_no_more_than_max_workers_threads_run(tmp_path: Path) -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def work(input: Any) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    with Executor(handlers={"work": work}, max_workers=3) as ex:
        ex.deploy("w", machine({"Work": task(resource="work")}))
        for execution in [ex.start("w") for _ in range(20)]:
            execution.wait(60)
    assert most == 3


def test_async_handlers_share_one_loop(ex: Executor) -> None:
    waiting: list[Any] = []
    loops: set[Any] = set()

    async def work(input: Any) -> int:
        loops.add(asyncio.get_running_loop())
        waiting.append(input)
        while len(waiting) < 100:
            await asyncio.sleep(0.001)
        return len(waiting)

    ex.register("work", work)
    ex.deploy("w", machine({"Work": task(resource="work")}))
    for execution in [ex.start("w", number) for number in range(100)]:
        assert execution.wait(60).output == 100
    assert len(loops) == 1


def test_a_handler_may_start_executions_and_wait_for_them(ex: Executor) -> None:
    ex.deploy("inner", machine({"P": passing()}))
    ex.register("outer", lambda input: ex.start("inner", input).wait(60).output)
    assert run(ex, "outer", {"a": 1}) == {"a": 1}
