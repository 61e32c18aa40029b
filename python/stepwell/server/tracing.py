"""``--otel``: where the spans of a server go, as OpenTelemetry's environment variables say."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import cast

from opentelemetry import trace as otel
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

from stepwell.errors import InvalidInput

_OTLP = "opentelemetry.exporter.otlp.proto.http.trace_exporter"


def made_provider() -> TracerProvider:
    """The global provider if there is one (``opentelemetry-instrument`` sets it), else one of the environment.

    ``OTEL_TRACES_EXPORTER`` is ``otlp`` or ``console``; exporter, sampler and resource read their own variables.
    Raises ``InvalidInput`` for another exporter, or one that is not installed.
    """
    given = otel.get_tracer_provider()
    if isinstance(given, TracerProvider):
        return given
    name = os.environ.get("OTEL_TRACES_EXPORTER", "otlp")
    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "stepwell")})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(_exporter(name)))
    otel.set_tracer_provider(provider)  # for handlers that make spans
    return provider


def _exporter(name: str) -> SpanExporter:
    if name == "console":
        return ConsoleSpanExporter(out=sys.stderr)
    if name != "otlp":
        raise InvalidInput(f"OTEL_TRACES_EXPORTER is otlp or console, not {name!r}")
    try:
        return cast("SpanExporter", import_module(_OTLP).OTLPSpanExporter())
    except ImportError as error:
        raise InvalidInput(
            "OTEL_TRACES_EXPORTER=otlp needs `pip install opentelemetry-exporter-otlp-proto-http`"
        ) from error
