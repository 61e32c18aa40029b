"""A state machine, compiled: its levels, and the states by their names."""

from __future__ import annotations

from typing import Any

from stepwell.asl.states.base import State


class StateMachine:
    """One level of a machine: the machine itself, a branch, or a Map state's processor.

    ``states`` are this level's; ``by_name`` has every state of the whole machine, for names are unique across its
    levels (ASL A1.2). ``timeout_seconds`` limits a whole execution and is None at inner levels.
    """

    __slots__ = ("by_name", "comment", "query_language", "start_at", "states", "timeout_seconds")

    def __init__(
        self, definition: dict[str, Any], language: str, states: dict[str, State], by_name: dict[str, State]
    ) -> None:
        self.start_at: str = definition["StartAt"]
        self.comment: str | None = definition.get("Comment")
        self.timeout_seconds: int | None = definition.get("TimeoutSeconds")
        self.query_language = language
        self.states, self.by_name = states, by_name

    def __repr__(self) -> str:
        return f"<StateMachine of {len(self.states)} states from {self.start_at!r}>"
