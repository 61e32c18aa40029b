"""What a partition does that is asked for by messages, in a process of its own or at a node of a cluster."""

from __future__ import annotations

import os
from typing import Any, cast

import msgspec

from stepwell import _core
from stepwell.engine.partition.partition import Partition
from stepwell.tasks.handlers import Handlers

from . import messages as m
from .stores import STATS

_encode = msgspec.msgpack.Encoder().encode


def read(store: _core.Store, partition: Partition, message: m.Read) -> Any:
    """Call a reading method of the store, or ask for the partition's counters."""
    if message.operation == STATS:
        return _encode(partition.stats())
    options = {name: _as_given(option) for name, option in message.options.items()}
    arguments = map(os.fsdecode, message.arguments) if message.operation == "checkpoint" else message.arguments
    return getattr(store, message.operation)(*arguments, **options)


def register(handlers: Handlers, windows: list[tuple[str, int]]) -> None:
    """Register by name what is called elsewhere, so that tasks are counted for their limits."""
    for name, window in windows:
        handlers.register(name, _elsewhere, concurrency=window or None)


def _elsewhere(input: Any) -> None:
    raise AssertionError("handlers are called elsewhere")


def _as_given(argument: Any) -> Any:
    """A key's fields are a tuple, which is sent as a list."""
    return tuple(cast("list[Any]", argument)) if isinstance(argument, list) else argument
