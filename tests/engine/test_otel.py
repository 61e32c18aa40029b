"""Traces for OpenTelemetry: an execution a trace, states and tasks its spans, also over a crash."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased

from stepwell import AsyncExecutor, Executor, TaskError
from stepwell.errors import InvalidInput
from stepwell.otel import trace_executor
from stepwell.tasks.traces import trace_of

SECONDS = 60
HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
MACHINE = {
    "StartAt": "Both",
    "States": {
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {
                    "StartAt": "Work",
                    "States": {
                        "Work": {
                            "Type": "Task",
                            "Resource": "work",
                            "Retry": [{"ErrorEquals": ["Again"], "IntervalSeconds": 1}],
                            "End": True,
                        }
                    },
                },
                {"StartAt": "Rest", "States": {"Rest": {"Type": "Pass", "End": True}}},
            ],
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
    },
}


class Spans:
    """What was exported."""

    def __init__(self, sampler: Any = None) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=sampler) if sampler else TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        """The only span of a name, once it is there."""
        deadline = time.monotonic() + SECONDS
        while not (found := self.named(name)):
            assert time.monotonic() < deadline, [span.name for span in self.exporter.get_finished_spans()]
            time.sleep(0.01)
        (span,) = found
        return span


def id_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


def parent_of(span: ReadableSpan) -> int:
    return 0 if span.parent is None else span.parent.span_id


def run(executor: Executor, workflow: str, *, header: str | None = None) -> Any:
    """Start an execution as the API does, with a trace header."""
    client = executor.client
    request = client.start_request(workflow, None, None, None, None, trace_header=header)
    return executor.get(str(client.host.ask(request.command, request.document)))


@pytest.fixture
def spans() -> Spans:
    return Spans()


@pytest.fixture(params=[1, 2])
def executor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Executor]:
    with Executor(tmp_path / "data", partitions=request.param) as executor:
        yield executor


def test_states_are_spans_within_their_execution(executor: Executor, spans: Spans) -> None:
    seen: list[Any] = []

    @executor.task("work")
    def work(value: Any, ctx: Any) -> Any:
        seen.append((ctx.traceparent, ctx.trace_header, otel.get_current_span().get_span_context()))
        with spans.provider.get_tracer("program").start_as_current_span("inside"):
            pass
        if ctx.attempt == 0:
            raise TaskError("Again")
        return value

    stop = trace_executor(executor, spans.provider)
    executor.deploy("machine", MACHINE)
    executor.start("machine").wait(SECONDS)
    root = spans.one("machine")
    both, done, task_state, rest = (spans.one(name) for name in ("Both", "Done", "Work", "Rest"))
    tasks, inside = spans.named("work"), spans.named("inside")
    assert parent_of(root) == 0
    assert [parent_of(span) for span in (both, done)] == [id_of(root)] * 2
    assert [parent_of(span) for span in (task_state, rest)] == [id_of(both)] * 2
    assert [parent_of(span) for span in tasks] == [id_of(task_state)] * 2
    assert [parent_of(span) for span in inside] == [id_of(span) for span in tasks]
    everything = spans.exporter.get_finished_spans()
    assert len({id_of(span) for span in everything}) == len(everything) == 9
    assert len({span.context.trace_id for span in everything if span.context}) == 1
    assert [span.status.is_ok for span in tasks] == [False, True]
    for span in (both, task_state, *tasks):
        times = [root.start_time, span.start_time, span.end_time, root.end_time]
        assert times == sorted(each or 0 for each in times)
    for (w3c, xray, current), task in zip(seen, tasks, strict=True):
        assert task.context is not None
        trace, span_id = f"{task.context.trace_id:032x}", f"{id_of(task):016x}"
        assert w3c == f"00-{trace}-{span_id}-01"
        assert xray == f"Root=1-{trace[:8]}-{trace[8:]};Parent={span_id};Sampled=1"
        assert (current.trace_id, current.span_id) == (task.context.trace_id, id_of(task))
    stop()
    executor.start("machine").wait(SECONDS)
    later = [span for span in spans.exporter.get_finished_spans() if span not in everything]
    assert {(span.name, parent_of(span)) for span in later} == {("inside", 0)}


def test_an_execution_belongs_to_the_trace_of_its_caller(executor: Executor, spans: Spans) -> None:
    trace_executor(executor, spans.provider)
    seen: list[str] = []
    executor.register("work", lambda value, ctx: seen.append(ctx.trace_header))
    executor.deploy("machine", {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "work", "End": True}}})
    run(executor, "machine", header=HEADER).wait(SECONDS)
    root = spans.one("machine")
    assert root.context is not None
    assert f"{root.context.trace_id:032x}" == "5759e988bd862e3fe1be46a994272793"
    assert f"{parent_of(root):016x}" == "53995c3f42cd8ad8"
    assert seen[0].startswith("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=")
    run(executor, "machine", header=HEADER.replace("Sampled=1", "Sampled=0")).wait(SECONDS)
    run(executor, "machine", header=HEADER).wait(SECONDS)
    deadline = time.monotonic() + SECONDS
    while len(spans.named("machine")) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(spans.named("machine")) == 2  # not that of the caller who said that he takes no sample


def test_a_nested_execution_belongs_to_the_trace_of_its_task(executor: Executor, spans: Spans) -> None:
    trace_executor(executor, spans.provider)
    executor.deploy("child", {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    resource = "arn:aws:states:::states:startExecution.sync:2"
    parameters = {"StateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:child"}
    start = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}
    executor.deploy("parent", {"StartAt": "Start", "States": {"Start": start}})
    run(executor, "parent", header=HEADER).wait(SECONDS)
    child, task = spans.one("child"), spans.one(resource)
    assert parent_of(child) == id_of(task)
    assert child.context is not None
    assert task.context is not None
    assert child.context.trace_id == task.context.trace_id


def test_spans_are_the_same_after_a_restart(tmp_path: Path, spans: Spans) -> None:
    """The state is entered before it, and left after it."""
    seen: list[str] = []
    machine = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Task", "Resource": "first", "Next": "B"},
            "B": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": True,
                  "Parameters": {"FunctionName": "wait", "Payload": {"token.$": "$$.Task.Token"}}},
        },
    }  # fmt: skip
    with Executor(tmp_path / "data") as before:
        trace_executor(before, spans.provider)
        before.register("first", lambda value, ctx: seen.append(ctx.traceparent))
        tokens: list[str] = []
        before.register("wait", lambda value: tokens.append(value["token"]))
        before.deploy("machine", machine)
        id = before.start("machine").id
        first = spans.one("A")
        deadline = time.monotonic() + SECONDS
        while not tokens:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    with Executor(tmp_path / "data", handlers={"first": print, "wait": print}) as after:
        trace_executor(after, spans.provider)
        after.send_task_success(tokens[0], {})
        after.get(id).wait(SECONDS)
        root, second = spans.one("machine"), spans.one("B")
    assert root.context is not None
    assert first.context is not None
    assert parent_of(first) == parent_of(second) == id_of(root)
    assert first.context.trace_id == root.context.trace_id
    assert (first.end_time or 0) <= (second.start_time or 0)
    assert seen[0].startswith(f"00-{root.context.trace_id:032x}-")


def test_a_redrive_is_a_span_of_the_same_trace(tmp_path: Path, spans: Spans) -> None:
    attempts: list[int] = []

    def work(value: Any) -> Any:
        attempts.append(1)
        if len(attempts) == 1:
            raise TaskError("Broken")
        return value

    with Executor(tmp_path / "data", handlers={"work": work}) as executor:
        trace_executor(executor, spans.provider)
        executor.deploy("machine", {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "work", "End": True}}})
        execution = executor.start("machine")
        first = spans.one("machine")
        executor.redrive(execution.id).wait(SECONDS)
        second = spans.one("machine (redrive 1)")
        states = spans.named("A")
    assert first.context is not None
    assert second.context is not None
    assert first.context.trace_id == second.context.trace_id
    assert [parent_of(span) for span in states] == [id_of(first), id_of(second)]
    assert len({id_of(span) for span in states}) == 2


@pytest.mark.parametrize("sampler", [ALWAYS_OFF, ParentBased(TraceIdRatioBased(0.5))])
def test_a_trace_is_sampled_whole_or_not_at_all(sampler: Any) -> None:
    spans = Spans(sampler)
    with Executor() as executor:
        trace_executor(executor, spans.provider)
        executor.deploy(
            "machine", {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}}
        )
        for _ in range(40):
            executor.start("machine").wait(SECONDS)
    counts: dict[int, int] = {}
    for span in spans.exporter.get_finished_spans():
        assert span.context is not None
        counts[span.context.trace_id] = counts.get(span.context.trace_id, 0) + 1
    assert set(counts.values()) <= {3}
    assert len(counts) < 40
    assert bool(counts) == (sampler is not ALWAYS_OFF)


def test_coroutines_run_in_the_context_of_their_tasks(spans: Spans) -> None:
    async def main() -> None:
        async def work(value: Any) -> None:
            await asyncio.sleep(0)
            with spans.provider.get_tracer("program").start_as_current_span(f"inside {value}"):
                await asyncio.sleep(0.01)

        async with AsyncExecutor(handlers={"work": work}) as executor:
            trace_executor(executor, spans.provider)
            await executor.deploy(
                "machine", {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "work", "End": True}}}
            )
            started = [await executor.start("machine", number) for number in range(5)]
            for execution in started:
                await execution.wait(SECONDS)

    asyncio.run(main())
    tasks = {id_of(span): span for span in spans.named("work")}
    inside = [span for number in range(5) for span in spans.named(f"inside {number}")]
    assert {parent_of(span) for span in inside} == set(tasks)
    for span in inside:
        assert span.context is not None
        context = tasks[parent_of(span)].context
        assert context is not None
        assert span.context.trace_id == context.trace_id


def test_what_is_no_provider_of_the_sdk_is_refused() -> None:
    with Executor() as executor, pytest.raises(InvalidInput, match="TracerProvider"):
        trace_executor(executor, otel.NoOpTracerProvider())


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (HEADER, ("5759e988bd862e3fe1be46a994272793", 0x53995C3F42CD8AD8, True)),
        ("Root=1-5759e988-bd862e3fe1be46a994272793", ("5759e988bd862e3fe1be46a994272793", 0, None)),
        (
            "Self=1-2-3; Root=1-5759E988-BD862E3FE1BE46A994272793;Sampled=0",
            ("5759e988bd862e3fe1be46a994272793", 0, False),
        ),
        ("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=x;Sampled=?", ("5759e988bd862e3fe1be46a994272793", 0, None)),
    ],
)
def test_trace_headers(header: str, trace: tuple[str, int, bool | None]) -> None:
    found = trace_of("id", 1, header)
    assert (f"{found.trace_id:032x}", found.parent_id, found.is_sampled) == trace


@pytest.mark.parametrize("header", [None, "", "Root=", "Root=1-5759e988-x", "nonsense", "Root=1-00000000-" + "0" * 24])
def test_an_execution_without_a_trace_has_its_own(header: str | None) -> None:
    found = trace_of("id", 1_795_962_839_000_000, header)
    assert re.fullmatch(r"6b0c37d7[0-9a-f]{24}", f"{found.trace_id:032x}")  # it begins with the time, as X-Ray's do
    assert found == trace_of("id", 1_795_962_839_000_000, header)
    assert found != trace_of("id", 1_795_962_839_000_001, header)
    assert found != trace_of("other", 1_795_962_839_000_000, header)
