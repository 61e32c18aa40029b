"""``stepwell serve --otel``: spans with the trace of the request's header."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .support import serving
from .test_exposure import refused

HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
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
    assert "opentelemetry-exporter-otlp-proto-http" in refused("--otel", OTEL_TRACES_EXPORTER="otlp")
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['opentelemetry.sdk'] = None\n")
    assert "stepwell[otel]" in refused("--otel", PYTHONPATH=str(tmp_path))
