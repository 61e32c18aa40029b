"""Map: one processor over many items, inline or as child executions (ASL A12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from stepwell.asl import jsonata_flow, jsonpath_flow
from stepwell.asl.errors import runtime_error
from stepwell.asl.flow import JSONATA, Read, compile_effective_input, raw_input, within
from stepwell.asl.json import dumps, is_array, is_object
from stepwell.asl.jsonata_template import compile_template, query_error
from stepwell.asl.scope import Scope
from stepwell.asl.states.base import WorkState
from stepwell.asl.states.distributed import compile_batcher, compile_reader, compile_writer
from stepwell.asl.states.limits import (
    compile_max_concurrency,
    compile_tolerated_count,
    compile_tolerated_percentage,
    tolerates_count,
    tolerates_percentage,
)

if TYPE_CHECKING:
    from stepwell.asl.machine import StateMachine


class Items(NamedTuple):
    """The items of a Map. ``are_members``: each is ``{"Key", "Value"}``, a member of an object."""

    values: list[Any]
    are_members: bool = False


class MapState(WorkState):
    """A Map state.

    ``items(scope)`` are its ``Items``. ``item_input`` makes an iteration's input, in a scope whose Context Object has
    Map.Item; ``item_identity`` means that the input is the item itself. ``iterates_object``: the definition itself
    holds the object that is iterated over. ``max_concurrency`` 0 means no limit. The state fails if the share of failed
    iterations exceeds ``tolerated_percentage``, or their number ``tolerated_count``; ``sets_tolerated_count`` and
    ``sets_tolerated_percentage`` tell which of them the definition has.
    """

    type = "Map"

    def __init__(self, name: str, definition: dict[str, Any], language: str, processor: StateMachine) -> None:
        super().__init__(name, definition, language)
        self.processor = processor
        processor_config = _processor_config(definition)
        self.distributed = processor_config.get("Mode") == "DISTRIBUTED"
        self.execution_type: str = processor_config.get("ExecutionType", "STANDARD")
        self.label: str | None = definition.get("Label")

        effective = compile_effective_input(definition, language)
        self.items = _compile_items(definition, language, effective, self.distributed)
        self.iterates_object = isinstance(definition.get("Items"), dict)
        selector = _compile_selector(definition, language, effective)
        self._selector = selector
        self.item_identity = selector is None
        self.max_concurrency = compile_max_concurrency(definition, language, effective)
        self.tolerated_count = compile_tolerated_count(definition, language, effective)
        self.tolerated_percentage = compile_tolerated_percentage(definition, language, effective)
        self.sets_tolerated_count = tolerates_count(definition)
        self.sets_tolerated_percentage = tolerates_percentage(definition)
        self.effective_input = effective or raw_input

        self.reader = compile_reader(definition, language, effective)
        self.batcher = compile_batcher(definition, language, effective)
        self.writer = compile_writer(definition, language, effective)

    def item_input(self, scope: Scope, index: int, value: Any) -> Any:
        """The input of iteration ``index`` over ``value``. ``scope`` is the state's, with Map.Item in its context."""
        return value if self._selector is None else self._selector(scope)


def _processor_config(definition: dict[str, Any]) -> dict[str, Any]:
    return processor_of(definition).get("ProcessorConfig") or {}


def processor_of(definition: dict[str, Any]) -> dict[str, Any]:
    """The ItemProcessor of a Map state, or its older Iterator."""
    return definition.get("ItemProcessor") or definition.get("Iterator") or {}


def _compile_items(definition: dict[str, Any], language: str, effective: Read | None, distributed: bool) -> Read:
    """The items of a Map. Only a distributed one accepts an object from its input, by path or by expression."""
    if language == JSONATA:
        return _compile_jsonata_items(definition, distributed)
    path: str = definition.get("ItemsPath", "$")
    read = within(effective, jsonpath_flow.compile_path(path))

    # AWS prints a path into the Context Object with a single dollar.
    shown = path[1:] if path.startswith("$$") else path

    def items(scope: Scope) -> Items:
        value = read(scope)
        if is_array(value):
            return Items(value)
        if distributed and is_object(value):
            return items_of_object(value)
        raise runtime_error(f'Reference path "{shown}" must point to array.')

    return items


def _compile_jsonata_items(definition: dict[str, Any], distributed: bool) -> Read:
    given = definition.get("Items")
    if isinstance(given, dict):
        read = jsonata_flow.compile_read(compile_template(given, "Items"))
    elif given is not None:
        read = jsonata_flow.compile_typed_field(definition, "Items", "array|object" if distributed else "array")
        assert read is not None
    else:
        read = _compile_input_items(distributed)

    def items(scope: Scope) -> Items:
        value = read(scope)
        return items_of_object(value) if is_object(value) else Items(value)

    return items


def _compile_input_items(distributed: bool) -> Read:
    def input_items(scope: Scope) -> Any:
        value = scope.input
        if is_array(value) or (distributed and is_object(value)):
            return value
        raise query_error(f"Map state input must be an array but was: {dumps(value).decode()}", "")

    return input_items


def items_of_object(members: dict[str, Any]) -> Items:
    """A JSON object as items: a ``{"Key", "Value"}`` for each member (ASL A12.56)."""
    return Items([{"Key": key, "Value": value} for key, value in members.items()], are_members=True)


def _compile_selector(definition: dict[str, Any], language: str, effective: Read | None) -> Read | None:
    if language == JSONATA:
        return jsonata_flow.compile_field(definition, "ItemSelector")
    selector = definition.get("ItemSelector", definition.get("Parameters"))
    return None if selector is None else within(effective, jsonpath_flow.compile_payload(selector))
