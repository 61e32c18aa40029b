"""What the crash tests assert of executions that have ended, and of the store that holds them."""

from __future__ import annotations

from typing import Any

import msgspec

from stepwell import _core
from stepwell.testing.replay import rows

ENDS = {"ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"}


def assert_sound(result: dict[str, Any]) -> None:
    """Nothing went wrong within the engine, and the history is whole: 1 to n, one end."""
    events = result["events"]
    assert not (result["cause"] or "").startswith("An internal error occurred"), result["cause"]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert all(event["previousEventId"] < event["id"] for event in events)
    ends = [event["type"] for event in events if event["type"] in ENDS]
    assert ends == [events[-1]["type"]]


def assert_nothing_left_over(store: _core.Store) -> None:
    """Where every execution has ended, only what ended executions keep is there: nothing leaks."""
    left = {kind: found for kind, found in rows(store).items() if found}
    for kind in ("Activity", "Branch", "Iteration", "Task", "Timer", "Items", "Queue", "PendingCommand"):
        assert kind not in left, f"{kind} rows are left over"
    decode = msgspec.msgpack.decode
    executions = {decode(row)[1] for row in left.get("Execution", [])}
    assert {decode(row)[4] for row in left.get("Visibility", [])} == executions
    assert len(left.get("Visibility", [])) == len(executions)
    assert {decode(row)[2] for row in left.get("Idempotency", [])} <= executions
