"""The Context Object of a tested state: the given one, or one like that of a real execution."""

from __future__ import annotations

import secrets
import time
import uuid
from typing import Any

from stepwell.asl.states import MapState, ParallelState, TaskState
from stepwell.asl.timestamps import MICROS_PER_SECOND, format_timestamp
from stepwell.test_state.request import STATE_NAME, Request

_ACCOUNT = "arn:aws:states:us-east-1:000000000000"


def context_object(request: Request) -> dict[str, Any]:
    """The Context Object that the state's expressions read (ASL A14)."""
    if request.context is not None:
        return request.context
    machine, execution = str(uuid.uuid4()), str(uuid.uuid4())
    now = format_timestamp(int(time.time() * MICROS_PER_SECOND))
    state: dict[str, Any] = {"Name": STATE_NAME, "EnteredTime": now}
    if isinstance(request.state, TaskState | MapState | ParallelState):
        state["RetryCount"] = request.configuration.get("retrierRetryCount", 0)
    context: dict[str, Any] = {
        "Execution": {
            "Id": f"{_ACCOUNT}:express:{machine}:{execution}",
            "Input": request.input,
            "Name": execution,
            "RoleArn": request.role_arn,
            "StartTime": now,
        },
        "StateMachine": {"Id": f"{_ACCOUNT}:stateMachine:{machine}", "Name": machine},
        "State": state,
    }
    if isinstance(request.state, TaskState) and request.state.pattern:
        context["Task"] = {"Token": secrets.token_urlsafe(32)}
    return context
