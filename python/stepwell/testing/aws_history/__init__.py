"""Replays an execution of AWS on the local engine, from the answer of GetExecutionHistory."""

from .history import AwsHistory, aws_history
from .replay import Replay

__all__ = ["AwsHistory", "Replay", "aws_history"]
