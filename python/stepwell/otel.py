"""Traces of an executor for OpenTelemetry (extra ``otel``): an execution is a trace, its states and tasks are spans.

>>> from opentelemetry.sdk.trace import TracerProvider
>>> from stepwell.otel import trace_executor
>>> stop = trace_executor(executor, TracerProvider())

A span is made when what it stands for has ended, from one event. Its ids are derived from those of the engine
(``stepwell.tasks.traces``), so nothing has to be remembered over a restart.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from opentelemetry import context as otel_context
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from stepwell.engine.partition.events import Event
from stepwell.errors import InvalidInput
from stepwell.tasks.calls import Call
from stepwell.tasks.traces import Trace, span_in_redrive, span_of, trace_of
from stepwell.version import VERSION

if TYPE_CHECKING:
    from stepwell.engine.api.base_executor import BaseExecutor

_SCOPE = "stepwell.executions"
_ATTRIBUTES: Mapping[str, str] = {
    "state": "stepwell.state",
    "resource": "stepwell.resource",
    "task_id": "stepwell.task_id",
    "attempt": "stepwell.attempt",
    "status": "stepwell.status",
    "error": "error.type",
}


def trace_executor(executor: BaseExecutor, provider: otel.TracerProvider | None = None) -> Callable[[], None]:
    """Export spans of an executor that is open, through a provider (default: the global one); what is returned ends it.

    Handlers run in the context of their task's span, so that spans of theirs are its children. A caller's decision
    about sampling (``Sampled`` of a trace header) counts, else that of the provider's sampler. Raises ``InvalidInput``
    for a provider that is not the SDK's, or an executor that is connected to another process.
    """
    given = provider or otel.get_tracer_provider()
    if not isinstance(given, TracerProvider):
        raise InvalidInput("there is no TracerProvider of the OpenTelemetry SDK: give one, or set the global one")
    tracer = given.get_tracer(_SCOPE, VERSION)
    if not isinstance(tracer, Tracer):  # the SDK is disabled (OTEL_SDK_DISABLED)
        return lambda: None
    tracer.id_generator = _IDS
    pool = executor.client.host.pool
    with ExitStack() as undo:
        spans = _Spans(tracer)
        undo.callback(executor.on("execution_ended", spans.execution))
        undo.callback(executor.on("state_exited", spans.state))
        undo.callback(executor.on("task_ended", spans.task))
        before, pool.around = pool.around, spans.around
        undo.callback(setattr, pool, "around", before)
        return undo.pop_all().close


class _GivenIds(IdGenerator):
    """Gives the ids that were set before, in each thread."""

    def __init__(self) -> None:
        self._next = threading.local()

    def set(self, trace_id: int, span_id: int) -> None:
        """The ids of the next span."""
        self._next.trace_id, self._next.span_id = trace_id, span_id

    def generate_trace_id(self) -> int:
        """The id of a trace without a parent."""
        return int(self._next.trace_id)

    def generate_span_id(self) -> int:
        """The id of a span."""
        return int(self._next.span_id)


_IDS = _GivenIds()


class _Spans:
    """Makes spans of events."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def execution(self, event: Event) -> None:
        """The span of an execution, or of its last redrive."""
        trace = _trace_of(event)
        name = f"{event.workflow} (redrive {event.redrives})" if event.redrives else event.workflow
        self._span(event, name, trace, span_in_redrive(event.execution_id, event.redrives), trace.parent_id)

    def state(self, event: Event) -> None:
        """The span of a state, within that of its execution or of the state around it."""
        parent = span_in_redrive(event.parent_id or event.execution_id, event.redrives)
        self._span(event, event.state or "", _trace_of(event), _state(event), parent)

    def task(self, event: Event) -> None:
        """The span of an attempt of a task, from when it is there to its result."""
        span_id = span_of(event.task_id or "")
        self._span(event, event.resource or "", _trace_of(event), span_id, _state(event), SpanKind.CLIENT)

    def _span(
        self, event: Event, name: str, trace: Trace, span_id: int, parent_id: int, kind: SpanKind = SpanKind.INTERNAL
    ) -> None:
        if trace.is_sampled is False:
            return
        ended = event.microseconds * 1000
        _IDS.set(trace.trace_id, span_id)
        span = self._tracer.start_span(
            name,
            context=self._context(trace, parent_id, name),
            kind=kind,
            attributes=_attributes(event),
            start_time=ended - round((event.seconds or 0.0) * 1_000_000_000),
        )
        if event.status == "Failed" or event.timed_out:
            span.set_status(Status(StatusCode.ERROR, event.cause or event.error))
        span.end(ended)

    @contextmanager
    def around(self, call: Call) -> Generator[None]:
        """Let spans that a handler makes be children of its task's."""
        trace = trace_of(call.execution_id, call.started_at, call.trace_header)
        token = otel_context.attach(self._context(trace, span_of(call.id), call.resource))
        try:
            yield
        finally:
            otel_context.detach(token)

    def _context(self, trace: Trace, parent_id: int, name: str) -> otel_context.Context:
        """The context of a span whose parent this is. A root without a caller has none, and its sampler decides."""
        if not parent_id:
            return otel_context.Context()
        is_sampled = self._decided(trace, name) if trace.is_sampled is None else trace.is_sampled
        flags = TraceFlags(TraceFlags.SAMPLED if is_sampled else TraceFlags.DEFAULT)
        parent = SpanContext(trace.trace_id, parent_id, is_remote=True, trace_flags=flags)
        return otel.set_span_in_context(NonRecordingSpan(parent), otel_context.Context())

    def _decided(self, trace: Trace, name: str) -> bool:
        """What the sampler says about the root, which comes after its children: it decides by the trace's id."""
        result = self._tracer.sampler.should_sample(otel_context.Context(), trace.trace_id, name)
        return result.decision.is_sampled()


def _trace_of(event: Event) -> Trace:
    return trace_of(event.execution_id, event.started_at, event.trace_header)


def _state(event: Event) -> int:
    return span_in_redrive(event.activity_id or "", event.redrives)


def _attributes(event: Event) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {
        "stepwell.workflow": event.workflow,
        "stepwell.workflow.version": event.version,
        "stepwell.execution_id": event.execution_id,
    }
    for field, name in _ATTRIBUTES.items():
        value = getattr(event, field)
        if value is not None:
            attributes[name] = value
    return attributes
