"""Tests of state machines: the engine on a virtual clock, mocks, and runs with scripted tasks or mock files."""

from .assertions import assert_path
from .aws_history import AwsHistory, Replay, aws_history
from .dry_run import DryRun, dry_run
from .explore import Exploration, ExploreFailed, explore
from .mock import Mock, MockedTask
from .mock_calls import MockCall, MockCalls
from .mocks import MockFile, UnscriptedTask
from .scripted import scripted_run
from .virtual_time.async_executor import AsyncTestExecution, AsyncTestExecutor
from .virtual_time.executions import TestExecution
from .virtual_time.executor import TestExecutor

__all__ = [
    "AsyncTestExecution",
    "AsyncTestExecutor",
    "AwsHistory",
    "DryRun",
    "Exploration",
    "ExploreFailed",
    "Mock",
    "MockCall",
    "MockCalls",
    "MockFile",
    "MockedTask",
    "Replay",
    "TestExecution",
    "TestExecutor",
    "UnscriptedTask",
    "assert_path",
    "aws_history",
    "dry_run",
    "explore",
    "scripted_run",
]
