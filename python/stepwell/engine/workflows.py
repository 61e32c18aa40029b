"""Deployed definitions, each version compiled once."""

from __future__ import annotations

from collections.abc import Callable

from stepwell.asl.definition import StateMachine, compile_definition
from stepwell.errors import WorkflowNotFound

from .contexts import WorkflowContext


class Workflow:
    """One version of a definition; ``id`` is ``name:version``."""

    __slots__ = ("_machine", "context", "id")

    def __init__(self, context: WorkflowContext) -> None:
        self.context = context
        self.id = f"{context.name}:{context.version}"
        self._machine: StateMachine | None = None

    @property
    def name(self) -> str:
        """The name that it was deployed under."""
        return self.context.name

    @property
    def machine(self) -> StateMachine:
        """The compiled definition."""
        if self._machine is None:
            self._machine = compile_definition(self.context.definition, type=self.context.type)
        return self._machine


class Workflows:
    """The definitions of a partition, read from storage on first use."""

    def __init__(
        self,
        load: Callable[[str, int], WorkflowContext | None],
        latest: Callable[[str], WorkflowContext | None],
    ) -> None:
        self._load, self._load_latest = load, latest
        self._by_id: dict[str, Workflow] = {}
        self._latest: dict[str, Workflow] = {}

    def put(self, context: WorkflowContext) -> None:
        """Take in a version, the newest of its name."""
        workflow = self._by_id.setdefault(f"{context.name}:{context.version}", Workflow(context))
        self._latest[context.name] = workflow

    def get(self, id: str) -> Workflow:
        """The version ``name:version``."""
        workflow = self._by_id.get(id)
        if workflow is None:
            name, _, version = id.rpartition(":")
            context = self._load(name, int(version))
            if context is None:
                raise WorkflowNotFound(f"there is no workflow {id!r}")
            workflow = self._by_id[id] = Workflow(context)
        return workflow

    def latest(self, name: str) -> Workflow | None:
        """The newest version under ``name``."""
        workflow = self._latest.get(name)
        if workflow is None:
            context = self._load_latest(name)
            if context is not None:
                workflow = self._by_id.setdefault(f"{context.name}:{context.version}", Workflow(context))
                self._latest[name] = workflow
        return workflow
