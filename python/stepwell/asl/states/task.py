"""Task: work that is done elsewhere (ASL A2, A8, A15)."""

from __future__ import annotations

from typing import Any

from stepwell.asl import jsonata_flow, jsonpath_flow
from stepwell.asl.flow import JSONATA, Read, compile_arguments, compile_effective_input, raw_input, within
from stepwell.asl.resources import parse_resource
from stepwell.asl.states.base import WorkState
from stepwell.asl.states.limits import compile_seconds

_LIMITS = ("TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath", "Credentials")


class TaskState(WorkState):
    """A Task state.

    ``arguments(scope)`` are evaluated again for every attempt; ``arguments_identity`` means that they are the raw
    input. ``timeout_seconds``, ``heartbeat_seconds`` and ``credentials`` return None if the definition has none;
    ``has_limits`` tells whether it has any of them.
    """

    type = "Task"

    def __init__(self, name: str, definition: dict[str, Any], language: str) -> None:
        super().__init__(name, definition, language)
        self.resource: str = definition["Resource"]
        self.parsed = parse_resource(self.resource)
        self.resource_kind = self.parsed.kind
        self.service = self.parsed.service
        self.action = self.parsed.action
        self.pattern = self.parsed.pattern
        arguments = compile_arguments(definition, language)
        effective = compile_effective_input(definition, language)
        self.arguments = arguments or raw_input
        self.arguments_identity = arguments is None
        self.timeout_seconds = compile_seconds(definition, "TimeoutSeconds", language, effective)
        self.heartbeat_seconds = compile_seconds(definition, "HeartbeatSeconds", language, effective)
        self.credentials = _compile_credentials(definition, language, effective)
        self.has_limits = any(field in definition for field in _LIMITS)


def _compile_credentials(definition: dict[str, Any], language: str, effective: Read | None) -> Read:
    if "Credentials" not in definition:
        return lambda scope: None
    if language == JSONATA:
        field = jsonata_flow.compile_field(definition, "Credentials")
        assert field is not None
        return field
    return within(effective, jsonpath_flow.compile_payload(definition["Credentials"]))
