"""Typed access to a partition's storage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Protocol, TypeVar

import msgspec

from stepwell.engine.quoting import shown
from stepwell.errors import ExecutionNotFound, InvalidId, InvalidInput, InvalidName

from . import contexts as c

Row = TypeVar("Row", bound=c.Context)


class _Kinds(dict[type[c.Context], tuple[int, Callable[[bytes], Any]]]):
    """The tag and the decoder of each kind of row, made when they are first needed."""

    def __missing__(self, kind: type[c.Context]) -> tuple[int, Callable[[bytes], Any]]:
        found = self[kind] = c.tag_of(kind), msgspec.msgpack.Decoder(kind).decode
        return found


_kinds = _Kinds()
_encode = msgspec.msgpack.Encoder().encode


def decode_tree(rows: bytes) -> list[c.Context]:
    """Decode the rows of an execution, or of a part of it."""
    return _tree_decoder().decode(rows)


@cache
def _tree_decoder() -> msgspec.msgpack.Decoder[list[Any]]:
    return msgspec.msgpack.Decoder(
        list[
            c.ExecutionContext
            | c.ActivityContext
            | c.BranchContext
            | c.IterationContext
            | c.ItemsContext
            | c.MapRunContext
            | c.MapChildContext
        ]
    )


class Rows(Protocol):
    """Encoded rows: a store, or the stores of several partitions."""

    def get(self, tag: int, *key: str | int) -> bytes | None:
        """The row with this key."""
        ...

    def scan(
        self,
        tag: int,
        prefix: tuple[str | int, ...] | None = None,
        after: tuple[str | int, ...] | None = None,
        limit: int = 1000,
        reverse: bool = False,
        *,
        until: int | None = None,
    ) -> list[bytes]:
        """Rows in the order of their keys."""
        ...

    def load(self, execution_id: str) -> bytes:
        """An execution's row and all rows within it."""
        ...

    def history(
        self, execution_id: str, first_event: int = 0, limit_rows: int = 1000, reverse: bool = False
    ) -> list[bytes]:
        """Turns of a history."""
        ...

    def commit(self, turns: list[tuple[str, int, int, bytes]], changes: bytes, hlc: int) -> int:
        """Write and remove rows."""
        ...

    def clock_high_water(self) -> int:
        """The newest timestamp of a batch."""
        ...

    def checkpoint(self, path: str) -> int | list[int]:
        """Copy everything into a new folder. Returns the position of each log."""
        ...


class Storage:
    """The rows of a partition.

    The engine writes through its log. ``set`` and ``delete`` are for rows that a program keeps beside the engine's;
    they are as durable as the next batch.
    """

    def __init__(self, store: Rows) -> None:
        self._store = store

    @property
    def rows(self) -> Rows:
        """The rows as bytes."""
        return self._store

    def get(self, kind: type[Row], *key: Any) -> Row | None:
        """The row of ``kind`` with this ``key``, or None."""
        tag, decode = _kinds[kind]
        row = self._store.get(tag, *key)
        return None if row is None else decode(row)

    def execution(self, id: str) -> c.ExecutionContext:
        """The row of an execution. Raises ``ExecutionNotFound``."""
        try:
            context = self.get(c.ExecutionContext, id)
        except (InvalidId, InvalidInput, InvalidName, ValueError, TypeError) as error:
            raise ExecutionNotFound(f"{shown(id)} is no execution's id: {error}") from error
        if context is None:
            raise ExecutionNotFound(f"there is no execution {shown(id)}")
        return context

    def scan(
        self,
        kind: type[Row],
        *prefix: Any,
        after: tuple[Any, ...] | None = None,
        limit: int = 1000,
        reverse: bool = False,
        until: int | None = None,
    ) -> list[Row]:
        """The rows whose key begins with ``prefix``, in the order of keys, at most ``limit``."""
        tag, decode = _kinds[kind]
        rows = self._store.scan(tag, prefix, after, limit, reverse, until=until)
        return [decode(row) for row in rows]

    def load(self, execution_id: str) -> Sequence[c.Context]:
        """An execution's row and all of its running states, branches and iterations."""
        return decode_tree(self._store.load(execution_id))

    def history(self, execution_id: str, first_event: int = 1, limit: int = 1000, reverse: bool = False) -> list[bytes]:
        """The turns of an execution, from the one that holds ``first_event``."""
        return self._store.history(execution_id, first_event, limit, reverse)

    def checkpoint(self, path: str) -> list[int]:
        """Copy all rows into a new folder, which can be opened. Returns the log positions by partition."""
        position = self._store.checkpoint(path)
        return position if isinstance(position, list) else [position]

    def set(self, context: c.Context) -> None:
        """Write a row."""
        self._store.commit([], _encode([context]), self._store.clock_high_water())

    def delete(self, kind: type[c.Context], *key: Any) -> None:
        """Remove a row."""
        self._store.commit([], _encode([(-c.tag_of(kind), *key)]), self._store.clock_high_water())
