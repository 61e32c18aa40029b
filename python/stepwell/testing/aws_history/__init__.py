"""Replays an execution of AWS on the local engine, from the answer of GetExecutionHistory."""

from .replay import AwsHistory, Replay, aws_history

__all__ = ["AwsHistory", "Replay", "aws_history"]
