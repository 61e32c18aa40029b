"""Rows, turns and batches as the engine writes them."""

from __future__ import annotations

import msgspec

from stepwell import _core
from stepwell.engine.storage import contexts

encode = msgspec.msgpack.encode
decode = msgspec.msgpack.decode


def execution_id(number: int) -> str:
    return f"/t/n/e0000001/{number:016x}"


def execution(number: int, status: str = "Running") -> contexts.ExecutionContext:
    return contexts.ExecutionContext(
        id=execution_id(number),
        workflow_id="w",
        name=f"n{number}",
        type="STANDARD",
        input=b"{}",
        timestamp=number,
        status=status,
        started_at=number,
    )


def activity(execution: int, number: int) -> contexts.ActivityContext:
    return contexts.ActivityContext(
        id=_core.activity_id(execution_id(execution), number),
        state_name="A",
        input=b"{}",
        parent_branch_id=None,
        parent_iteration_id=None,
        entered_at=0,
        entered_event=0,
        last_event=0,
    )


def turn(execution: int, first_event: int = 1, count: int = 1, data: bytes = b"") -> tuple[str, int, int, bytes]:
    scope = execution_id(execution)
    return scope, first_event, count, encode([scope, execution, first_event, [data] * count])


def put(store: _core.Store, *rows: object, hlc: int = 1) -> int:
    """Commit the rows in a batch of their own, and wait for it."""
    position = store.commit([turn(0, first_event=0)], encode(rows), hlc)
    assert store.wait_applied(position, 10)
    return position
