"""``GET /metrics``: those of the engine, and of the requests that the server answers."""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from stepwell.prometheus import export
from stepwell.step_functions.model import OPERATIONS
from stepwell.step_functions.service import Service

from .control import REQUESTS
from .exchange import Exchange

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 60.0)
UNKNOWN = "(none)"
_KNOWN = frozenset((*OPERATIONS, *REQUESTS))


class Metrics:
    """The metrics of one server."""

    def __init__(self, service: Service) -> None:
        self._registry = CollectorRegistry()
        export(service.executor, self._registry)
        self._requests = Counter(
            "stepwell_requests", "Requests that were answered", ["operation", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "stepwell_request_seconds",
            "How long they took",
            ["operation"],
            registry=self._registry,
            buckets=_SECONDS,
        )
        self._connections = Gauge("stepwell_connections", "Connections that are open", registry=self._registry)

    def count_connections(self, connections: Collection[object]) -> None:
        """These are the connections of the server."""
        self._connections.set_function(lambda: len(connections))

    def answered(self, exchange: Exchange) -> None:
        """Count a request. Names that no operation has count as one."""
        name = exchange.operation if exchange.operation in _KNOWN else UNKNOWN
        self._requests.labels(name, str(exchange.status)).inc()
        self._seconds.labels(name).observe(exchange.seconds)

    def page(self, accept: str) -> tuple[str, bytes]:
        """The content type and the text of all metrics. It asks the engine: not for an event loop."""
        encode, content_type = choose_encoder(accept)
        return content_type, encode(self._registry)
