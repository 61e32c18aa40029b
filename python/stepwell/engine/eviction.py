"""Live executions that rest: they stay in memory while there is room, and wake from storage when they have left."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .partition import Partition


def is_crowded(partition: Partition) -> bool:
    """Whether there are more live executions, or larger ones, than are to stay in memory."""
    state, limits = partition.state, partition.limits
    return len(state.executions) > limits.live_executions or state.weight > limits.live_bytes


def evict(partition: Partition) -> None:
    """Forget executions that rest and that storage has, until there is some room again."""
    state, limits = partition.state, partition.limits
    if len(state.executions) > limits.live_executions:
        excess = len(state.executions) - limits.live_executions * 3 // 4
        for id in list(state.executions):
            excess -= _let_go(partition, id)
            if excess <= 0:
                break
    if state.weight > limits.live_bytes:
        for id in state.weigh_anew():
            if state.weight <= limits.live_bytes * 3 // 4:
                break
            _let_go(partition, id)


def _let_go(partition: Partition, id: str) -> bool:
    execution = partition.state.executions[id]
    if execution.position > partition.applied or id in partition.unfinished:
        return False
    partition.state.let_go(id)
    partition.forget_name(execution)
    return True
