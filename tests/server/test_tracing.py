"""``stepwell serve --otel``: spans with the trace of the request's header."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from .support import run, serving
from .test_exposure import refused

HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
HANDLERS = """
from opentelemetry import trace

def work(value):
    with trace.get_tracer("test").start_as_current_span("inside"):
        return value
"""
MACHINE = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}


def test_spans_are_exported_until_the_server_has_ended(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    log = tmp_path / "log"
    with serving("--otel", stderr=log) as served:
        machine = served.client.create_state_machine(
            name=name, definition=json.dumps(MACHINE), roleArn="arn:aws:iam::000000000000:role/r"
        )["stateMachineArn"]
        arn = served.client.start_execution(stateMachineArn=machine, traceHeader=HEADER)["executionArn"]
        assert served.client.describe_execution(executionArn=arn)["traceHeader"] == HEADER
        assert served.stop() == 0
    text = log.read_text()
    spans = {}
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        span, at = decoder.raw_decode(text, at)
        spans[span["name"]] = span
    assert set(spans) == {name, "A"}
    assert {span["context"]["trace_id"] for span in spans.values()} == {"0x5759e988bd862e3fe1be46a994272793"}
    assert spans[name]["parent_id"] == "0x53995c3f42cd8ad8"
    assert spans["A"]["parent_id"] == spans[name]["context"]["span_id"]
    assert spans[name]["resource"]["attributes"]["service.name"] == "stepwell"


def test_what_the_option_needs_is_told(tmp_path: Path) -> None:
    assert "otlp or console" in refused("--otel", OTEL_TRACES_EXPORTER="zipkin")
    missing = {
        "opentelemetry.exporter": "opentelemetry-exporter-otlp-proto-http",
        "opentelemetry.sdk": "stepwell[otel]",
    }
    for module, package in missing.items():
        (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{module!r}] = None\n")
        assert package in refused("--otel", PYTHONPATH=str(tmp_path))


class Collector(ThreadingHTTPServer):
    """Takes what an exporter of OTLP over HTTP sends."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Collecting)
        self.paths = set[str]()
        self.spans = list[tuple[str, Any]]()
        """Each with the name of its service."""


class Collecting(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.paths.add(self.path)
        request = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
        for resource in request.resource_spans:
            service = next(
                each.value.string_value for each in resource.resource.attributes if each.key == "service.name"
            )
            self.server.spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test's output is enough."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_spans_reach_a_collector_of_otlp(
    tmp_path: Path, name: str, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An execution, its states, a task's attempt, and the span that its handler makes, in one trace."""
    module = tmp_path / "handlers.py"
    module.write_text(HANDLERS)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "orders")
    work = {"Type": "Task", "Resource": "work", "Next": "Wrong"}
    states = {"Work": work, "Wrong": {"Type": "Fail", "Error": "Wrong", "Cause": "as asked"}}
    with serving("--otel", "--handlers", str(module)) as served:
        execution = run(served.client, name, {"StartAt": "Work", "States": states}, traceHeader=HEADER)
        assert execution["status"] == "FAILED"
        assert served.stop() == 0
    assert collector.paths == {"/v1/traces"}
    assert {service for service, _ in collector.spans} == {"orders"}
    spans = {span.name: span for _, span in collector.spans}
    assert len(spans) == len(collector.spans) == 5
    assert {span.trace_id.hex() for span in spans.values()} == {"5759e988bd862e3fe1be46a994272793"}
    (attempt,) = set(spans) - {name, "Work", "Wrong", "inside"}
    parents = {span.name: span.parent_span_id for span in spans.values()}
    assert parents == {
        name: bytes.fromhex("53995c3f42cd8ad8"),
        "Work": spans[name].span_id,
        "Wrong": spans[name].span_id,
        attempt: spans["Work"].span_id,
        "inside": spans[attempt].span_id,
    }
    failed = {span.name for span in spans.values() if span.status.code == Status.STATUS_CODE_ERROR}
    assert failed == {name, "Wrong"}
    for span in spans.values():
        assert spans[name].start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
