"""Deployed definitions, each version compiled once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from stepwell.asl.json import dumps, loads
from stepwell.engine.arns import PLACE, state_machine_arn
from stepwell.engine.storage.contexts import WorkflowContext
from stepwell.engine.storage.storage import Storage
from stepwell.errors import WorkflowNotFound

if TYPE_CHECKING:
    from stepwell.asl.machine import StateMachine
    from stepwell.asl.states import MapState


IS_BEING_DELETED = "is being deleted"
DELETED_BEFORE = "the workflow was deleted before"


class Workflow:
    """One version of a definition; ``id`` is ``name:version``."""

    def __init__(self, context: WorkflowContext) -> None:
        self.context = context
        self.id = f"{context.name}:{context.version}"
        self.name = context.name
        """The name that it was deployed under."""
        self.version = context.version
        """1 for the first definition under the name; each further one has the next number."""
        self.arn = state_machine_arn(self.name)
        self.role = context.role or PLACE.role

    def __repr__(self) -> str:
        return f"<Workflow {self.id}>"

    @cached_property  # used in every step
    def machine(self) -> StateMachine:
        """The compiled definition."""
        from stepwell.asl.definition import compile_stored  # the language is only loaded when something runs

        return compile_stored(self.context.definition)

    @property
    def definition(self) -> bytes:
        """The definition, as JSON text: as it was deployed, or the processor of a Distributed Map state."""
        return self.context.definition

    def draw(self, format: str = "svg") -> str:
        """The state machine as a drawing: ``svg``, ``mermaid`` or ``dot``."""
        from stepwell.graph import draw, graph_of  # only loaded when something is drawn

        return draw(graph_of(loads(self.definition)), format)

    def stubs(self) -> str:
        """A Python module with the types of its tasks: names, inputs and outputs that the definition shows."""
        from stepwell.stubs import stubs

        return stubs(self.machine, self.name)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """What a notebook shows of it."""
        from stepwell.graph import graph_of, mime_bundle
        from stepwell.graph.marks import NO_MARKS

        return mime_bundle(graph_of(loads(self.definition)), NO_MARKS, repr(self))

    def of_map_state(self, state_name: str) -> Workflow:
        """The workflow of a Distributed Map state's child executions: ``id`` is ``name:version/state``."""
        return _Processor(self, state_name)

    def compiled(self, machine: StateMachine) -> None:
        """Accept the compiled definition from a caller that has it already."""
        self.__dict__.setdefault("machine", machine)


class _Processor(Workflow):
    """The processor of a Distributed Map state, as a workflow of its own."""

    def __init__(self, outer: Workflow, state_name: str) -> None:
        super().__init__(outer.context)
        self.id = f"{outer.id}/{state_name}"
        from stepwell.asl.flow import JSONPATH  # loaded with the machine
        from stepwell.asl.states import MapState, processor_of

        state = outer.machine.by_name[state_name]
        assert isinstance(state, MapState)
        self.name = f"{outer.name}/{label_of(state)}"
        self.arn = state_machine_arn(self.name)
        self.machine = state.processor
        # Only a whole machine names the language of its levels.
        language = {} if outer.machine.query_language == JSONPATH else {"QueryLanguage": outer.machine.query_language}
        self._definition = {**language, **processor_of(state.definition)}

    @property
    def definition(self) -> bytes:
        return dumps(self._definition)


def label_of(state: MapState) -> str:
    """The name of a Distributed Map state in its map runs: its Label, or one made from its name."""
    import uuid

    return state.label or str(uuid.uuid5(uuid.NAMESPACE_OID, state.name))


class Workflows:
    """The definitions of a partition, read from storage on first use. Threads may share it."""

    def __init__(
        self,
        load: Callable[[str, int], WorkflowContext | None],
        newest: Callable[[str], WorkflowContext | None],
        names: Callable[[], list[str]],
    ) -> None:
        self._load, self._load_newest, self.names = load, newest, names
        self._by_id: dict[str, Workflow] = {}
        self._newest: dict[str, Workflow] = {}
        self.deleting: set[str] = set()
        """Those that are being deleted, among the workflows that were read."""
        self._writing = threading.Lock()

    @classmethod
    def over(cls, storage: Storage) -> Workflows:
        """The definitions that storage has."""
        return cls(
            lambda name, version: storage.get(WorkflowContext, name, version),
            lambda name: next(iter(storage.scan(WorkflowContext, name, limit=1, reverse=True)), None),
            partial(_names, storage),
        )

    def put(self, context: WorkflowContext) -> Workflow:
        """Take in a version; the newest of its name is what ``newest`` gives."""
        with self._writing:
            workflow = self._by_id.setdefault(f"{context.name}:{context.version}", Workflow(context))
            workflow.context = context
            known = self._newest.get(context.name)
            if known is None or known.context.version <= context.version:
                self._newest[context.name] = known = workflow
                (self.deleting.add if context.deleting else self.deleting.discard)(context.name)
            return known

    def get(self, id: str) -> Workflow:
        """The version ``name:version``, or the workflow of a Distributed Map state in it: ``name:version/state``."""
        workflow = self._by_id.get(id)
        if workflow is None and "/" in id:
            outer, _, state_name = id.partition("/")
            workflow = self._by_id.setdefault(id, self.get(outer).of_map_state(state_name))
        if workflow is None:
            name, _, version = id.rpartition(":")
            context = self._load(name, int(version)) if version.isdecimal() else None
            if context is None:
                raise WorkflowNotFound(f"there is no workflow {id!r}")
            self.newest(name)  # so that ``deleting`` has it before an execution goes on
            workflow = self._by_id.setdefault(id, Workflow(context))
        return workflow

    def has(self, id: str) -> bool:
        """Whether executions may be started of the version ``name:version``: it was not deleted."""
        workflow = self._by_id.get(id)
        newest = self._newest.get(workflow.name) if workflow is not None else None
        if newest is None or newest is not workflow:
            newest = self.newest(id.partition(":")[0])
        if newest is None or newest.context.deleted or newest.context.deleting:
            return False
        return newest is workflow or newest.context.first <= version_of(id)

    def is_current(self, name: str, version: int) -> bool:
        """Whether a version was deployed after the workflow was last deleted, if it ever was."""
        newest = self.newest(name)
        return newest is not None and newest.context.first <= version

    def why_gone(self, id: str) -> str:
        """Why executions may not be started of a version, for which ``has`` is false."""
        name = id.partition(":")[0]
        return f"workflow {name!r} {IS_BEING_DELETED if name in self.deleting else 'was deleted'}"

    def latest(self, name: str) -> Workflow | None:
        """The newest version under ``name``; None, too, for a workflow that was deleted."""
        workflow = self.newest(name)
        return None if workflow is None or workflow.context.deleted else workflow

    def newest(self, name: str) -> Workflow | None:
        """The newest version under ``name``, also that of a workflow that was deleted."""
        workflow = self._newest.get(name)
        if workflow is None:
            context = self._load_newest(name)
            if context is not None:
                workflow = self.put(context)
        return workflow

    def forget(self, name: str, versions: range) -> None:
        """Versions whose definitions are gone."""
        with self._writing:
            for version in versions:
                self._by_id.pop(f"{name}:{version}", None)


class SharedWorkflows(Workflows):
    """Definitions of which other processes may deploy newer ones: the newest one is read each time."""

    def newest(self, name: str) -> Workflow | None:
        context = self._load_newest(name)
        return None if context is None else self.put(context)


def version_of(id: str) -> int:
    """The version in ``name:version``, or ``name:version/state``."""
    return int(id.partition(":")[2].partition("/")[0])


def _names(storage: Storage) -> list[str]:
    """The names of all workflows, deleted ones among them: one row is read of each."""
    names: list[str] = []
    after: tuple[str, int] | None = None
    while found := storage.scan(WorkflowContext, after=after, limit=1):
        names.append(found[0].name)
        after = (found[0].name, _LAST_VERSION)
    return names


_LAST_VERSION = (1 << 63) - 1
