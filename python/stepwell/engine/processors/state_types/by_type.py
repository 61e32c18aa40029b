"""The processor of each state type."""

from __future__ import annotations

from typing import Any, Protocol

from stepwell.engine.processors.follow_ups import Items
from stepwell.engine.state.execution import Activity
from stepwell.engine.state.turn import Turn

from .choice import ChoiceProcessor
from .fail import FailProcessor
from .map import MapProcessor
from .parallel import ParallelProcessor
from .pass_ import PassProcessor
from .succeed import SucceedProcessor
from .task import TaskProcessor
from .wait import WaitProcessor

MAP = MapProcessor()
PARALLEL = ParallelProcessor()
TASK = TaskProcessor()
WAIT = WaitProcessor()


class StateProcessor(Protocol):
    """Starts an attempt of a state, of the type that ``PROCESSORS`` has it under."""

    def start(self, turn: Turn, activity: Activity[Any]) -> Items:
        """The commands that follow its entry. Raises ``AslError`` if the state fails."""
        ...


PROCESSORS: dict[str, StateProcessor] = {
    "Choice": ChoiceProcessor(),
    "Fail": FailProcessor(),
    "Map": MAP,
    "Parallel": PARALLEL,
    "Pass": PassProcessor(),
    "Succeed": SucceedProcessor(),
    "Task": TASK,
    "Wait": WAIT,
}
