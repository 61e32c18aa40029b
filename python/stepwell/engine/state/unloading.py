"""Which live executions leave memory first: those that will probably be needed last.

What an execution waits for tells when it is needed again:

- in a queue of tasks: after all tasks before its own. The newest leave first.
- for the timer of its state, or of its start: when that is due. The latest leave first.
- for anything else, such as a result, or in several states at once: nobody knows. What has rested longest leaves first.

These times cannot be compared: nobody may ever poll a queue. So each kind, and each queue, loses the same share.
"""

from __future__ import annotations

from collections.abc import Sequence

from stepwell.engine.status import CREATED

from .execution import LiveExecution

_Place = tuple[int, LiveExecution]
"""An execution, and its place in its kind: the greatest leaves first."""
_TIMER, _ANYTHING = "\0timer", "\0"
"""Kinds beside the names of queues."""


def first_to_leave(resting: Sequence[LiveExecution], count: int) -> list[LiveExecution]:
    """The ``count`` executions that leave memory first."""
    if count >= len(resting):
        return list(resting)
    kinds: dict[str, list[_Place]] = {}
    for execution in resting:
        kind, place = _awaited(execution)
        known = kinds.get(kind)
        if known is None:
            kinds[kind] = [(place, execution)]
        else:
            known.append((place, execution))
    leaving: list[LiveExecution] = []
    seen = 0
    for places in kinds.values():
        seen += len(places)
        share = count * seen // len(resting) - len(leaving)  # rounded so that all shares are ``count`` together
        if share:
            places.sort(key=_place)
            leaving += [execution for _, execution in places[-share:]]
    return leaving


def _place(each: _Place) -> int:
    return each[0]


def _awaited(execution: LiveExecution) -> tuple[str, int]:
    """What an execution waits for, and its place among those that wait for the same."""
    activity = execution.current
    if activity is None:
        due = execution.context.start_at
        return (_TIMER, due) if due else (_ANYTHING, -execution.position)
    if activity.task_id is not None:
        task = execution.tasks.get(activity.task_id)
        if task is not None and task.queue and task.status == CREATED:
            return task.queue, task.created_at
    elif activity.timer_due:
        return _TIMER, activity.timer_due
    return _ANYTHING, -execution.position
