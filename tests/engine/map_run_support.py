"""What the tests of Distributed Map share: definitions, the rows of map runs and children, and values for fuzzing."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from engine.support import Definition, Lab, boom, machine, map_over, passing
from stepwell.engine.limits import Limits
from stepwell.engine.storage.contexts import ExecutionContext, ItemsContext, MapRunContext

LIMITS = st.tuples(
    st.sampled_from([4, 20, 4096]),
    st.sampled_from([1, 3, 512]),
    st.sampled_from([1, 30, 8192]),
    st.sampled_from([1, 20_000]),
).map(
    lambda sizes: Limits(
        turn_records=sizes[0], turn_messages=sizes[1], batch_records=sizes[2], live_executions=sizes[3]
    )
)
"""Limits so small that a map run takes many turns and batches, and large ones."""
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 5),
    st.integers(-(10**40), 10**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([2**31, 2**63 - 1, 2**63, 2**64, 10**30, 1e18, 1e39, -(10**30)]),
    st.sampled_from(["", "0", "2", "-1", "x", "1e3", " 1", [], {}, [1], {"a": 1}]),
)
"""What a field that should have a number may be given."""


def distributed(processor: Definition, next: str | None = None, type: str = "STANDARD", **fields: Any) -> Definition:
    """A distributed Map state."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": type}
    return map_over({"ProcessorConfig": config, **processor}, next, **fields)


def over(states: dict[str, Definition] | None = None, next: str | None = None, **fields: Any) -> Definition:
    """A machine that is one distributed Map state, ``M``."""
    return machine({"M": distributed(machine(states or {"P": passing()}), next, **fields)})


def distributed_machine(processor: Definition, name: str = "M", **fields: Any) -> Definition:
    """A machine that is one distributed Map state."""
    return machine({name: distributed(processor, **fields)})


def children(lab: Lab) -> list[ExecutionContext]:
    """The child executions, in the order of their items."""
    return [row for row in lab.executions() if row.parent_iteration_id is not None]


def run_of(lab: Lab) -> MapRunContext:
    """The newest map run."""
    return lab.partition.storage.scan(MapRunContext, lab.id)[-1]


class Flaky:
    """A task that fails for some items, so many times each; then it gives the item back."""

    def __init__(self, failures: dict[Any, int]) -> None:
        self.failures = failures

    def __call__(self, input: Any) -> Any:
        if self.failures.get(input, 0) > 0:
            self.failures[input] -= 1
            raise boom()
        return input


def runs(lab: Lab) -> list[MapRunContext]:
    """All map runs of the execution."""
    return lab.partition.storage.scan(MapRunContext, lab.id)


def items_left(lab: Lab) -> list[ItemsContext]:
    """The items that storage keeps."""
    return lab.partition.storage.scan(ItemsContext)


def types_of(lab: Lab, id: str) -> list[str]:
    """The types of a child's history events."""
    result = lab.result(id)
    assert result is not None
    return [event["type"] for event in result["events"]]


def arns(lab: Lab) -> list[str]:
    """The ARNs of the map runs that the history tells of, in order."""
    kinds = ("mapRunStartedEventDetails", "mapRunRedrivenEventDetails")
    return [event[kind]["mapRunArn"] for event in lab.events for kind in kinds if kind in event]
