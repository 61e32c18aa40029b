"""The reader, batcher and writer of a Distributed Map state (ASL A12.59-62).

This module only evaluates them; the engine and its integrations read and write the files.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from stepwell.asl import jsonata_flow, jsonpath_flow
from stepwell.asl.errors import AslError
from stepwell.asl.flow import JSONATA, Read, within
from stepwell.asl.json import is_object
from stepwell.asl.resources import Resource, parse_resource
from stepwell.asl.scope import Scope
from stepwell.asl.states.limits import compile_number

ITEM_READER_FAILED = "States.ItemReaderFailed"
RESULT_WRITER_FAILED = "States.ResultWriterFailed"
STATE_DATA = "STATE_DATA"
"""``Map.Item.Source`` of items that are not read from elsewhere."""
MAX_ITEMS = 100_000_000
MAX_BYTES = 262_144


class ReadRequest(NamedTuple):
    """What to read: the call's arguments, and how its data becomes items. ``max_items`` 0 means all."""

    resource: Resource
    arguments: dict[str, Any]
    config: dict[str, Any]
    max_items: int

    @property
    def place(self) -> str:
        """Where it reads, as ``Map.Item.Source`` names it."""
        return read_place(self.resource, self.arguments)


class BatchRequest(NamedTuple):
    """How many items, and how many bytes of input, a child execution gets; and the common input of all batches.

    A limit is positive; None: no limit.
    """

    max_items: int | None
    max_bytes: int | None
    batch_input: Any


class WriteRequest(NamedTuple):
    """Where results go (``resource`` None: into the state's output) and in which format."""

    resource: Resource | None
    arguments: dict[str, Any]
    config: dict[str, Any]


class ReaderSpec:
    """An ItemReader. ``config`` is its ReaderConfig as in the definition."""

    def __init__(self, definition: dict[str, Any], language: str, effective: Read | None) -> None:
        self.resource = parse_resource(definition["Resource"])
        self.config: dict[str, Any] = definition.get("ReaderConfig") or {}
        self.items_pointer: str | None = self.config.get("ItemsPointer")
        self._arguments = _compile_call(definition, language, effective, "ItemReader/")
        self._max_items = compile_number(
            self.config, "MaxItems", language, effective, prefix="ItemReader/ReaderConfig/"
        )

    def evaluate(self, scope: Scope) -> ReadRequest:
        """The request, in the scope of the state."""
        max_items = _limit(self._max_items(scope), "MaxItems", MAX_ITEMS) or 0
        arguments = self._arguments(scope)
        if not is_object(arguments):
            raise AslError(ITEM_READER_FAILED, f"the arguments of an ItemReader are an object, not {arguments!r}")
        return ReadRequest(self.resource, arguments, self.config, max_items)


class BatcherSpec:
    """An ItemBatcher."""

    def __init__(self, definition: dict[str, Any], language: str, effective: Read | None) -> None:
        self._max_items = compile_number(definition, "MaxItemsPerBatch", language, effective, prefix="ItemBatcher/")
        self._max_bytes = compile_number(
            definition, "MaxInputBytesPerBatch", language, effective, prefix="ItemBatcher/"
        )
        self._batch_input = _compile_payload(definition, "BatchInput", language, effective, "ItemBatcher/")

    def evaluate(self, scope: Scope) -> BatchRequest:
        """The request, in the scope of the state."""
        batch_input = None if self._batch_input is None else self._batch_input(scope)
        max_items = _limit(self._max_items(scope), "MaxItemsPerBatch", MAX_ITEMS)
        return BatchRequest(max_items, _limit(self._max_bytes(scope), "MaxInputBytesPerBatch", MAX_BYTES), batch_input)


class WriterSpec:
    """A ResultWriter."""

    def __init__(self, definition: dict[str, Any], language: str, effective: Read | None) -> None:
        self.resource = parse_resource(definition["Resource"]) if "Resource" in definition else None
        self.config: dict[str, Any] = definition.get("WriterConfig") or {}
        self._arguments = _compile_call(definition, language, effective, "ResultWriter/")

    def evaluate(self, scope: Scope) -> WriteRequest:
        """The request, in the scope of the state."""
        arguments = self._arguments(scope)
        if not is_object(arguments):
            raise AslError(RESULT_WRITER_FAILED, f"the arguments of a ResultWriter are an object, not {arguments!r}")
        return WriteRequest(self.resource, arguments, self.config)


def read_place(resource: Resource, arguments: dict[str, Any]) -> str:
    """``Map.Item.Source``: where an ItemReader read; of a list of objects it is the bucket (ASL A12.57)."""
    names = ("Bucket",) if resource.action == "listObjectsV2" else ("Bucket", "Key")
    return "S3://" + "/".join(str(arguments[name]) for name in names if name in arguments)


def _limit(given: int | None, name: str, most: int) -> int | None:
    """A limit of a reader or a batcher: 0 means no limit, a negative one is refused, ``most`` is the largest.

    Recorded for MaxItems (0, -1 and 100,000,001); assumed for the batcher's limits.
    """
    if given is not None and given < 0:
        raise AslError(ITEM_READER_FAILED, f"field {name} must be positive")
    return min(given, most) if given else None


def compile_reader(state: dict[str, Any], language: str, effective: Read | None) -> ReaderSpec | None:
    """The ItemReader of a Map state, if it has one."""
    return ReaderSpec(state["ItemReader"], language, effective) if state.get("ItemReader") else None


def compile_batcher(state: dict[str, Any], language: str, effective: Read | None) -> BatcherSpec | None:
    """The ItemBatcher of a Map state, if it has one."""
    return BatcherSpec(state["ItemBatcher"], language, effective) if state.get("ItemBatcher") else None


def compile_writer(state: dict[str, Any], language: str, effective: Read | None) -> WriterSpec | None:
    """The ResultWriter of a Map state, if it has one."""
    return WriterSpec(state["ResultWriter"], language, effective) if state.get("ResultWriter") else None


def _compile_call(definition: dict[str, Any], language: str, effective: Read | None, prefix: str) -> Read:
    name = "Arguments" if language == JSONATA else "Parameters"
    return _compile_payload(definition, name, language, effective, prefix) or (lambda scope: {})


def _compile_payload(
    definition: dict[str, Any], name: str, language: str, effective: Read | None, prefix: str
) -> Read | None:
    if name not in definition:
        return None
    if language == JSONATA:
        return jsonata_flow.compile_field(definition, name, prefix=prefix)
    return within(effective, jsonpath_flow.compile_payload(definition[name]))
