"""What does a task in a test: its mock, its handler, or nothing, which fails the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stepwell.asl.resources import Resource
from stepwell.tasks.calls import Call, Deferred
from stepwell.tasks.handlers import Handler, Handlers, Registration
from stepwell.testing.mocks import UnscriptedTask

from .driver import Driver


class TestHandlers(Handlers):
    """The handlers of an engine on a virtual clock."""

    __test__ = False  # pytest is not to collect it

    def __init__(self, functions: Mapping[str, Handler], driver: Driver) -> None:
        super().__init__(functions, driver.clock.seconds)
        self._driver = driver

    def find_for(self, call: Call, resource: Resource, arguments: Callable[[], Any]) -> Registration | None:
        """What does a task; a task without a mock and a handler fails the test."""
        return super().find_for(call, resource, arguments) or self._missing(call)

    def has(self, resource: Resource, definition: dict[str, Any]) -> bool:
        """Every task has one: what is missing fails the test when it is called."""
        return True

    def _missing(self, call: Call) -> Registration:
        workflow, text = call.state_machine_arn.rpartition(":")[2], call.input.decode(errors="replace")
        self._driver.fail(
            UnscriptedTask(
                f"state {call.state_name!r} of workflow {workflow!r} calls {call.resource!r}, which has neither a mock "
                f"nor a handler, with {text} (execution {call.execution_id})"
            )
        )
        return Registration(never)


def never(value: Any) -> Deferred:
    """A handler that never answers."""
    return Deferred(None, _nothing)


def _nothing() -> None:
    """Nothing follows."""
