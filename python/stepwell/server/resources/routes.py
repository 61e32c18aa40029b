"""Which resource an address names, and how each is answered: reads in threads, since they may wait for a disk."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from math import isinf
from typing import Any, NamedTuple
from urllib.parse import unquote

from stepwell.engine.host.reading import Reading
from stepwell.errors import ExecutionNotFound, ExecutionRunning, InvalidInput, MapRunNotFound, WorkflowNotFound
from stepwell.server.answers import TRUE_NOW, Answer, Stream, age_headers, json_answer
from stepwell.server.gate import Gate
from stepwell.server.keys import Identity
from stepwell.server.signatures import Headers
from stepwell.step_functions import errors
from stepwell.step_functions.api import fault_of
from stepwell.step_functions.service import Service
from stepwell.version import VERSION

from . import executions, live, system, waiting, workflows
from .query import Query
from .tally import Tally

PATH = "/stepwell/"
SESSION = "/stepwell/session"
LIVE = "GET /stepwell/live"
COUNTS = "GET /stepwell/counts"
Read = Callable[..., dict[str, Any]]
Change = Callable[[Service, list[str]], Awaitable[dict[str, Any]]]
_READS: Mapping[str, Read] = {
    "GET /stepwell/executions": executions.executions,
    "GET /stepwell/executions/{id}": executions.execution,
    "GET /stepwell/executions/{id}/events": executions.events,
    "GET /stepwell/workflows/{id}": workflows.workflow,
    "GET /stepwell/workflows/{id}/revisions": workflows.revisions,
    "GET /stepwell/waiting": waiting.waiting,
    "GET /stepwell/retries": waiting.retries,
    "GET /stepwell/activities": waiting.activities,
    "GET /stepwell/system": system.system,
}
_CHANGES: Mapping[str, Change] = {"DELETE /stepwell/executions/{id}": executions.delete}
_OPERATIONS = (*_READS, *_CHANGES, LIVE, COUNTS)


def _age(reading: Reading | None) -> dict[str, Any]:
    """How old an answer of copies is at most, in seconds; None: that is not known yet."""
    if reading is None or reading.consistency == "leader":
        return {}
    return {"age": None if isinf(reading.age) else round(reading.age, 3)}


class Resource(NamedTuple):
    """What may be asked for; ``operation`` is its name: a method and a path whose ids stand in braces."""

    operation: str
    pattern: re.Pattern[str]


def _resource(operation: str) -> Resource:
    method, _, path = operation.partition(" ")
    return Resource(operation, re.compile(f"{method} {path.replace('{id}', '([^/]+)')}"))


_RESOURCES = tuple(map(_resource, _OPERATIONS))


def found(method: str, path: str) -> tuple[Resource, list[str]]:
    """The resource at a path, and the ids in it. Raises ``Fault``."""
    for resource in _RESOURCES:
        match = resource.pattern.fullmatch(f"{'GET' if method == 'HEAD' else method} {path}")
        if match is not None:
            return resource, [unquote(id) for id in match.groups()]
    raise errors.Fault("ResourceNotFound", f"There is no {method} {path}.", status=404, namespace="")


class Resources:
    """The resources of a service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._tally: Tally | None = None

    def session(self, gate: Gate, headers: Mapping[bytes, bytes], all_headers: Headers) -> Answer:
        """Whether requests need a token or a signature, and what this one's sender may. Anybody may ask."""
        keys = gate.keys
        kind = "none" if keys is None else "token" if keys.has_tokens else "signature"
        identity = gate.holder(headers, all_headers)
        if identity is None:
            return json_answer({"auth": kind, "access": "none"})
        access = "read-only" if identity.is_read_only else "full"
        return json_answer({"auth": kind, "access": access, "name": identity.name, "version": VERSION})

    async def answer(
        self, resource: Resource, ids: list[str], query: Mapping[str, list[str]], identity: Identity
    ) -> Answer | Stream:
        """The answer to a request whose sender may send it. Raises ``Fault``."""
        problem = self._service.problem()
        if problem is not None:
            raise problem
        try:
            return await self._answer(resource.operation, ids, Query(query), identity)
        except (ExecutionNotFound, MapRunNotFound, WorkflowNotFound) as error:
            raise errors.Fault(type(error).__name__, str(error), status=404, namespace="") from error
        except (InvalidInput, ExecutionRunning) as error:
            raise errors.invalid(str(error)) from error
        except errors.Fault:
            raise
        except Exception as error:
            raise fault_of(error) from error

    async def _answer(self, operation: str, ids: list[str], query: Query, identity: Identity) -> Answer | Stream:
        change = _CHANGES.get(operation)
        if change is not None:
            return json_answer(await change(self._service, ids))
        with self._service.client.host.shown() as reading:
            if operation == LIVE:
                return await self._live(query.text("execution"), query.text("mapRun"))
            if operation == COUNTS:
                return json_answer(await asyncio.to_thread(self._counts, query.text("workflow")))
            read = partial(_READS[operation], self._service, ids, query, is_read_only=identity.is_read_only)
            value = await asyncio.to_thread(read)
        return json_answer(value | _age(reading), age_headers(reading))

    async def _live(self, execution: str | None, map_run: str | None) -> Stream:
        queries = self._service.client.queries
        if map_run is not None:
            row = await asyncio.to_thread(queries.lookup.map_run, map_run)
            return self._stream(live.of_map_run(self._service, row.id))
        if execution is not None:
            context = await asyncio.to_thread(queries.context, execution)
            return self._stream(live.of_execution(self._service, context.id))
        return self._stream(live.of_lists(self._service))

    def _stream(self, watch: live.Watch) -> Stream:
        return Stream(live.changes(self._service, watch), live.CONTENT_TYPE, TRUE_NOW)

    def _counts(self, workflow: str | None) -> dict[str, Any]:
        if self._tally is None:
            self._tally = Tally(self._service.client.host)
        return self._tally.counts(workflow)
