"""What nodes that share tasks tell each other: each second, and when it changes, what a node may do and what it has.

Any of these messages may be lost. The next offers show it: a task that was given to a node, and that it does not have,
is given once more; one that it has, and that has ended, is called off once more.
"""

from __future__ import annotations

import fnmatch
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from stepwell.asl.json import loads
from stepwell.asl.resources import Resource, function_name, parse_resource
from stepwell.tasks.dispatch import Call


class Offer(Struct, array_like=True, tag=50):
    """What a node may be given.

    ``handlers`` are the names of its handlers, each with the number of tasks that it may have at a time (0: any).
    ``holds`` are the tasks that it has from other nodes and from itself, by handler. A node that ``leaves`` has nothing
    any more.
    """

    node: str
    boot: str
    handlers: list[tuple[str, int]]
    holds: dict[str, list[str]]
    leaves: bool = False


class Given(NamedTuple):
    """A task, and the handler that does it."""

    handler: str
    call: Call


class Give(Struct, array_like=True, tag=51):
    """Tasks for a node."""

    tasks: list[Given]


class Over(Struct, array_like=True, tag=52):
    """Tasks have ended, or are another node's: they are not needed any longer."""

    ids: list[str]


ToSharer = Offer | Give | Over

to_sharer: msgspec.msgpack.Decoder[tuple[int, list[ToSharer]]] = msgspec.msgpack.Decoder(tuple[int, list[ToSharer]])


class OfferedHandlers:
    """The handlers of a node, by their names: which of them does a task."""

    def __init__(self, offered: list[tuple[str, int]]) -> None:
        self.most = dict(offered)
        """How many tasks of each the node may have at a time (0: any number)."""
        self._patterns = sorted((name for name in self.most if any(wild in name for wild in "*?[")), key=len)[::-1]
        self._found: dict[tuple[str, ...], str | None] = {}

    def find(self, wanted: tuple[str, ...]) -> str | None:
        """The name of the handler that does the tasks that want one of these names."""
        if wanted not in self._found:
            self._found[wanted] = next((found for name in wanted if (found := self._match(name)) is not None), None)
        return self._found[wanted]

    def _match(self, name: str) -> str | None:
        if name in self.most:
            return name
        return next((pattern for pattern in self._patterns if fnmatch.fnmatchcase(name, pattern)), None)


def wanted_by(call: Call) -> tuple[str, ...]:
    """The names of the handlers that could do a task, the best one first."""
    resource = parse_resource(call.resource)
    return names_of(resource, loads(call.input) if resource.invokes_function else None)


def names_of(resource: Resource, arguments: Any) -> tuple[str, ...]:
    """The same for a resource and what it is called with."""
    if resource.invokes_function:
        name = function_name(arguments)
        return (resource.text,) if name is None else (name, resource.text)
    return (resource.name if resource.kind == "lambda" else resource.text,)
