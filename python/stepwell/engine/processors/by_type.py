"""The processor of each state type."""

from __future__ import annotations

from typing import Any

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

PROCESSORS: dict[str, Any] = {
    "Choice": ChoiceProcessor(),
    "Fail": FailProcessor(),
    "Map": MAP,
    "Parallel": PARALLEL,
    "Pass": PassProcessor(),
    "Succeed": SucceedProcessor(),
    "Task": TASK,
    "Wait": WAIT,
}
