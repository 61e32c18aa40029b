"""The rows of an engine in another process, read through a channel as if they were a store's."""

from __future__ import annotations

from typing import Any, NoReturn

from stepwell.errors import InvalidInput

from . import messages as m
from .channel import Channel


class RemoteRows:
    """Reads like a store; it cannot be written."""

    def __init__(self, connection: Channel) -> None:
        self._connection = connection

    def get(self, tag: int, *key: str | int) -> bytes | None:
        """The row with this key."""
        return self._connection.ask(lambda number: m.Get(number, tag, list(key)))

    def scan(
        self,
        tag: int,
        prefix: tuple[Any, ...] | None = None,
        after: tuple[Any, ...] | None = None,
        limit: int = 1000,
        reverse: bool = False,
        *,
        until: int | None = None,
    ) -> list[bytes]:
        """Rows in the order of their keys."""
        begin = None if prefix is None else list(prefix)
        behind = None if after is None else list(after)
        return self._connection.ask(lambda number: m.Scan(number, tag, begin, behind, limit, reverse, until))

    def load(self, execution_id: str) -> bytes:
        """An execution's row and all rows within it."""
        return self._connection.ask(lambda number: m.Load(number, execution_id))

    def history(
        self, execution_id: str, first_event: int = 0, limit_rows: int = 1000, reverse: bool = False
    ) -> list[bytes]:
        """Turns of a history."""
        return self._connection.ask(lambda number: m.Turns(number, execution_id, first_event, limit_rows, reverse))

    def commit(self, turns: list[Any], changes: bytes, hlc: int) -> NoReturn:
        """Rows are written by the process that has the folder open."""
        raise InvalidInput("rows are written by the process that has the folder open")

    def clock_high_water(self) -> int:
        """No later than what the other process has seen."""
        return 0

    def checkpoint(self, path: str) -> NoReturn:
        """Backups are made by the process that has the folder open, or of its files."""
        raise InvalidInput("a backup is made by the process that has the folder open, or by `stepwell backup`")
