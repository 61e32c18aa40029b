"""The eight state types, each compiled once to pure functions of a scope.

Methods raise AslError and change nothing. Values are JSON values that must not be changed in place, because constants
of a definition are returned many times.
"""

from stepwell.asl.states.base import State
from stepwell.asl.states.choice import ChoiceState
from stepwell.asl.states.fail import FailState
from stepwell.asl.states.map import MapState, processor_of
from stepwell.asl.states.parallel import ParallelState
from stepwell.asl.states.passing import PassState, SucceedState
from stepwell.asl.states.task import TaskState
from stepwell.asl.states.wait import WaitState

__all__ = [
    "ChoiceState",
    "FailState",
    "MapState",
    "ParallelState",
    "PassState",
    "State",
    "SucceedState",
    "TaskState",
    "WaitState",
    "processor_of",
]
