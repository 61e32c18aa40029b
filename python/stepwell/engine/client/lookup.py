"""Finds what a program names: an execution by its id, ARN or name, a map run by its id or ARN, a workflow's version."""

from __future__ import annotations

import random
import re

from stepwell.asl.json import loads
from stepwell.engine.arns import express_uuid, parse_execution_arn, parse_state_machine_arn
from stepwell.engine.host.host import Readable
from stepwell.engine.ids import CHILD_LISTS, id_of_name, idempotency_key, long_id
from stepwell.engine.limits import EXPRESS
from stepwell.engine.quoting import shown
from stepwell.engine.state.workflows import Workflow
from stepwell.engine.storage.contexts import (
    AliasContext,
    ExecutionContext,
    IdempotencyContext,
    MapRunContext,
    PublishedVersionContext,
)
from stepwell.errors import ExecutionNotFound, MapRunNotFound, StepwellError, StorageError, WorkflowNotFound

from . import execution_lists
from .execution_lists import Filter
from .statuses import StatusFilter

_MAP_RUN = re.compile(
    r"arn:[^:]+:states:[^:]*:[^:]*:mapRun:[^:]+:(e[0-9a-f]{7})-([0-9a-f]{16})-([0-9a-f]{8})-(r\d+(?:\.\d+)?)"
)


class Lookup:
    """Looks into a host's storage: what is durable, at the moment of the call."""

    def __init__(self, host: Readable) -> None:
        self._host = host

    def target(self, name: object) -> tuple[Workflow, str]:
        """The version that ``name``, ``name:version`` or an ARN names, and the qualifier of executions that it starts.

        A state machine's ARN names the newest version, a published version's the one that was published; an alias
        draws one of its published versions. Raises ``WorkflowNotFound``.
        """
        arn = parse_state_machine_arn(name)
        if arn is None:
            return self._named_version(name), ""
        workflow, qualifier = arn
        if not qualifier:
            return self._named_version(workflow), ""
        if not (qualifier.isascii() and qualifier.isdecimal()):
            qualifier = f"{qualifier}:{self._drawn(workflow, qualifier)}"
        number = int(qualifier.rpartition(":")[2][:_LONGEST])
        row = self._host.storage.get(PublishedVersionContext, workflow, number)
        if row is None:
            raise WorkflowNotFound(f"workflow {workflow!r} has no published version {number}")
        return self._host.workflows.get(f"{workflow}:{row.version}"), qualifier

    def _drawn(self, workflow: str, alias: str) -> int:
        """One of an alias's published versions, by their weights."""
        row = self._host.storage.get(AliasContext, workflow, alias)
        if row is None:
            raise WorkflowNotFound(f"workflow {workflow!r} has no alias {alias!r}")
        routes: list[list[int]] = loads(row.routing)
        return random.choices([number for number, _ in routes], [weight for _, weight in routes])[0]

    def _named_version(self, name: object) -> Workflow:
        known = self._host.workflows
        plain, version = split_version(name)
        workflow = known.latest(plain)
        if workflow is None:
            raise WorkflowNotFound(f"no workflow is deployed under the name {shown(name)}")
        if version is None:
            return workflow
        if not workflow.context.first <= version <= workflow.context.version:
            raise WorkflowNotFound(f"workflow {plain!r} has no version {version}: the newest is {workflow.version}")
        return known.get(f"{plain}:{version}")

    # executions

    def execution(self, text: object) -> ExecutionContext:
        """The row of an execution, by its id, its short id or its ARN. Raises ``ExecutionNotFound``."""
        if not isinstance(text, str):
            raise ExecutionNotFound(f"{shown(text)} is no execution's id: an id is a text")
        arn = None if text.startswith("/") else parse_execution_arn(text)
        if arn is None:
            return self._host.storage.execution(long_id(text))
        return self.named(arn.workflow, arn.name, arn.uuid)

    def named(self, workflow: str, name: str, uuid: str = "") -> ExecutionContext:
        """The execution that has a name in a workflow, the newest; ``uuid`` is the one of an EXPRESS execution's ARN.

        Raises ``ExecutionNotFound``.
        """
        plain, version, _ = split_target(workflow)
        for tenant, namespace in self._host.spaces():
            for find in (_own, self._given):
                id = find(tenant, namespace, plain, name)
                row = None if id is None else self._host.storage.get(ExecutionContext, id)
                if row is not None and self._is_called(row, plain, name, version, uuid):
                    return row
        id = self._express(plain, name, version, uuid)
        if id is None:
            raise ExecutionNotFound(f"workflow {shown(workflow)} has no execution of the name {shown(name)}")
        return self._host.storage.execution(id)

    def _given(self, tenant: str, namespace: str, workflow: str, name: str) -> str | None:
        key = idempotency_key(f"/{tenant}/{namespace}", workflow, name)
        row = self._host.storage.get(IdempotencyContext, key)
        return None if row is None else row.execution_id

    def _is_called(self, row: ExecutionContext, workflow: str, name: str, version: int | None, uuid: str) -> bool:
        found = self._host.workflows.get(row.workflow_id)
        return (
            (row.name, found.name) == (name, workflow)
            and version in (None, found.version)
            and (not uuid or express_uuid(row.id) == uuid)
        )

    def _express(self, workflow: str, name: str, version: int | None, uuid: str) -> str | None:
        """Names of EXPRESS executions are in no index, for they are not unique: their list is read."""
        newest = self._host.workflows.newest(workflow)
        if newest is None or newest.context.type != EXPRESS:
            return None
        wanted = Filter(StatusFilter.of(None), name, version=version)
        rows = execution_lists.rows(self._host.storage, [workflow], wanted, lambda row: False)
        return next(
            (
                row.execution_id
                for row in rows
                if row.name == name and (not uuid or express_uuid(row.execution_id) == uuid)
            ),
            None,
        )

    # map runs

    def map_run(self, text: object) -> MapRunContext:
        """The row of a map run, by its id or its ARN. Raises ``MapRunNotFound``."""
        self._host.check()
        match = _MAP_RUN.fullmatch(text) if isinstance(text, str) else None
        ids: list[object] = (
            [text] if match is None else ["/".join(("", *space, *match.groups())) for space in self._host.spaces()]
        )
        try:
            rows = [self._host.storage.get(MapRunContext, id) for id in ids]
        except StorageError:
            raise
        except (StepwellError, ValueError, TypeError) as error:
            raise MapRunNotFound(f"{shown(text)} is no map run's id or ARN: {error}") from error
        row = next((row for row in rows if row is not None), None)
        if row is None:
            raise MapRunNotFound(f"there is no map run {shown(text)}")
        return row


def split_target(workflow: object) -> tuple[str, int | None, str]:
    """The name, the version and the published version or alias in ``order:3`` or an ARN.

    Raises ``WorkflowNotFound`` for what names no workflow.
    """
    arn = parse_state_machine_arn(workflow)
    return (*split_version(workflow), "") if arn is None else (arn[0], None, arn[1])


def split_version(workflow: object) -> tuple[str, int | None]:
    """``order:3`` taken apart; without a number after it, a name is that of the newest version.

    Raises ``WorkflowNotFound`` for what is no workflow's name.
    """
    if not isinstance(workflow, str) or workflow.startswith(CHILD_LISTS):
        raise WorkflowNotFound(f"no workflow is deployed under the name {shown(workflow)}")
    name, colon, version = workflow.partition(":")
    if not colon:
        return workflow, None
    if not (version.isascii() and version.isdecimal() and len(version) < _LONGEST):
        raise WorkflowNotFound(f"a version is a number: {shown(workflow)}")
    return name, int(version)


_LONGEST = 16
"""Digits of a version's number."""


def _own(tenant: str, namespace: str, workflow: str, name: str) -> str | None:
    return id_of_name(tenant, namespace, name)
