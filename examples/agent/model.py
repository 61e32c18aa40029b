"""What the agent knows of a language model: an interface, and a model that needs no network.

A real model has the same method. It sends the messages and the tools to its provider, and raises
``TaskError("ModelBusy", …)`` for an answer that is worth another attempt.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Protocol, TypedDict

import msgspec


class Call(TypedDict):
    """A tool that the model wants to be called."""

    id: str
    tool: str
    arguments: dict[str, Any]


class Reply(TypedDict):
    """What a model says: an answer, or calls whose results it wants to see first."""

    role: str
    content: str
    calls: list[Call]


class Model(Protocol):
    """A language model."""

    def reply(self, messages: list[dict[str, Any]]) -> Reply:
        """The next message of a conversation."""
        ...


class ScriptedModel:
    """Says what stands in a file, one reply after the other, and counts its calls in ``bill``, a line each."""

    def __init__(self, script: Path, bill: Path, seconds: float = 0.0) -> None:
        self._replies = msgspec.json.decode(script.read_bytes(), type=list[Reply])
        self._bill, self._seconds = bill, seconds

    def reply(self, messages: list[dict[str, Any]]) -> Reply:
        """The reply at this point of the conversation: it depends on the messages alone."""
        number = len([message for message in messages if message["role"] == "assistant"])
        time.sleep(self._seconds)
        with self._bill.open("a", encoding="utf-8") as bill:
            bill.write(f"{number}\n")
        return self._replies[number]
