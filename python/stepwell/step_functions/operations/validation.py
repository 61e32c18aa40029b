"""What a definition would do: ValidateStateMachineDefinition and TestState (API semantics, chapters 11 and 12)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from stepwell.asl.json import is_object
from stepwell.asl.validate import ERROR, Diagnostic, validate
from stepwell.step_functions import model
from stepwell.step_functions.service import Operation, Service
from stepwell.test_state.run import run

MOST = 100


async def validate_state_machine_definition(
    service: Service, request: model.ValidateStateMachineDefinitionInput
) -> dict[str, Any]:
    """Every problem of a definition, with its place."""
    accepts = service.client.deployments.accepts_resource
    find = partial(validate, request.definition, request.type or "STANDARD", local_resources=accepts)
    found = await asyncio.to_thread(find)
    shown = [each for each in found if request.severity == "WARNING" or each.severity == ERROR]
    most = request.max_results or MOST
    return {
        "result": "FAIL" if any(each.severity == ERROR for each in found) else "OK",
        "diagnostics": [_diagnostic(each) for each in shown[:most]],
        "truncated": len(shown) > most,
    }


def _diagnostic(found: Diagnostic) -> dict[str, str]:
    item = {"severity": found.severity, "code": found.code, "message": found.message}
    return item if found.location is None else item | {"location": found.location}


async def test_state(service: Service, request: model.TestStateInput) -> dict[str, Any]:
    """Run one state alone."""
    given: dict[str, Any] = _given(msgspec.to_builtins(request))
    return await asyncio.to_thread(run, given, None)


def _given(value: Any) -> Any:
    """A request without the members that it does not have."""
    if is_object(value):
        return {name: _given(item) for name, item in value.items() if item is not None}
    return value


test_state.__test__ = False  # type: ignore[attr-defined] - pytest would collect a function of this name

OPERATIONS: Mapping[str, Operation] = {
    "ValidateStateMachineDefinition": validate_state_machine_definition,
    "TestState": test_state,
}
