"""Events: a command was done (``records`` describes their form on the log)."""

from __future__ import annotations

from msgspec import Struct

EVENT = 64
"""The difference between an event's tag and its command's."""


class Event(Struct, array_like=True, gc=False, tag_field="tag"):
    """A command was done. ``answers`` is its position; 0: it is the record before this one."""

    answers: int = 0


class ExecutionStartedEvent(Event, tag=EVENT + 1): ...


class ExecutionCompletedEvent(Event, tag=EVENT + 2): ...


class StateStartedEvent(Event, tag=EVENT + 3): ...


class StateCompletedEvent(Event, tag=EVENT + 4): ...


class TaskCreatedEvent(Event, tag=EVENT + 5): ...


class TaskActivatedEvent(Event, tag=EVENT + 6): ...


class TaskCompletedEvent(Event, tag=EVENT + 7): ...


class TaskFailedEvent(Event, tag=EVENT + 8): ...


class TaskHeartbeatEvent(Event, tag=EVENT + 9): ...


class BranchStartedEvent(Event, tag=EVENT + 10): ...


class BranchCompletedEvent(Event, tag=EVENT + 11): ...


class IterationStartedEvent(Event, tag=EVENT + 12): ...


class IterationCompletedEvent(Event, tag=EVENT + 13): ...


class StateForkedEvent(Event, tag=EVENT + 14): ...


class StateRetriedEvent(Event, tag=EVENT + 15): ...


class ExecutionCancelingEvent(Event, tag=EVENT + 16): ...


class ExecutionDeletedEvent(Event, tag=EVENT + 17): ...


class ExecutionRedrivenEvent(Event, tag=EVENT + 18): ...


class TimerCreatedEvent(Event, tag=EVENT + 19): ...


class TimerTriggeredEvent(Event, tag=EVENT + 20): ...


class TimerCanceledEvent(Event, tag=EVENT + 21): ...


class WorkflowPutEvent(Event, tag=EVENT + 22): ...


class TaskSubmittedEvent(Event, tag=EVENT + 23): ...


class EvaluationFailedEvent(Event, tag=EVENT + 24): ...


class MapRunStartedEvent(Event, tag=EVENT + 25): ...


class MapItemsPutEvent(Event, tag=EVENT + 26): ...


class ChildrenStartedEvent(Event, tag=EVENT + 27): ...


class ChildCompletedEvent(Event, tag=EVENT + 28): ...


class MapRunCompletedEvent(Event, tag=EVENT + 29): ...


class MapRunUpdatedEvent(Event, tag=EVENT + 30): ...


class WorkflowDeletedEvent(Event, tag=EVENT + 31): ...


class VersionPublishedEvent(Event, tag=EVENT + 32): ...


class PublishedVersionDeletedEvent(Event, tag=EVENT + 33): ...


class AliasPutEvent(Event, tag=EVENT + 34): ...


class AliasDeletedEvent(Event, tag=EVENT + 35): ...


class TagsPutEvent(Event, tag=EVENT + 36): ...


class ActivityQueuePutEvent(Event, tag=EVENT + 37): ...


class ActivityQueueDeletedEvent(Event, tag=EVENT + 38): ...


class CommandRejectedEvent(Event, tag=127):
    """A command that could not be done, and why."""

    reason: str = ""
