"""Map: one processor over many items, inline or as child executions (ASL A12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from stepwell.asl import jsonata_flow, jsonpath_flow
from stepwell.asl.errors import runtime_error
from stepwell.asl.flow import JSONATA, Read, compile_effective_input, raw_input, within
from stepwell.asl.json import dumps
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
    from stepwell.asl.definition import StateMachine


class MapState(WorkState):
    """A Map state.

    ``items(scope)`` are what it iterates over. ``item_input`` makes an iteration's input, in a scope whose Context
    Object has Map.Item; ``item_identity`` says that it is the item itself. ``iterates_object``: an item is
    ``{"Key", "Value"}``, a member of an object. ``max_concurrency`` 0 is without limit.
    A failed share of iterations above ``tolerated_percentage``, or more than ``tolerated_count``, fails the state;
    ``sets_tolerated_count`` and ``sets_tolerated_percentage`` say which of them the definition has.
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
        self.items = _compile_items(definition, language, effective)
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
    processor: dict[str, Any] = definition.get("ItemProcessor") or definition.get("Iterator") or {}
    return processor.get("ProcessorConfig") or {}


def _compile_items(definition: dict[str, Any], language: str, effective: Read | None) -> Read:
    if language == JSONATA:
        return _compile_jsonata_items(definition)
    path: str = definition.get("ItemsPath", "$")
    read = within(effective, jsonpath_flow.compile_path(path))

    # AWS prints a path into the Context Object with one dollar.
    shown = path[1:] if path.startswith("$$") else path

    def items(scope: Scope) -> list[Any]:
        value = read(scope)
        if isinstance(value, list):
            return cast("list[Any]", value)
        raise runtime_error(f'Reference path "{shown}" must point to array.')

    return items


def _compile_jsonata_items(definition: dict[str, Any]) -> Read:
    given = definition.get("Items")
    if isinstance(given, dict):  # an object literal; what an expression gives must be an array
        members = jsonata_flow.compile_read(compile_template(given, "Items"))
        return lambda scope: items_of_object(members(scope))
    if given is not None:
        items = jsonata_flow.compile_typed_field(definition, "Items", "array")
        assert items is not None
        return items

    def input_items(scope: Scope) -> list[Any]:
        value = scope.input
        if isinstance(value, list):
            return cast("list[Any]", value)
        raise query_error(f"Map state input must be an array but was: {dumps(value).decode()}", "")

    return input_items


def items_of_object(members: dict[str, Any]) -> list[dict[str, Any]]:
    """A JSON object as items: one ``{"Key", "Value"}`` a member (ASL A12.56)."""
    return [{"Key": key, "Value": value} for key, value in members.items()]


def _compile_selector(definition: dict[str, Any], language: str, effective: Read | None) -> Read | None:
    if language == JSONATA:
        return jsonata_flow.compile_field(definition, "ItemSelector")
    selector = definition.get("ItemSelector", definition.get("Parameters"))
    return None if selector is None else within(effective, jsonpath_flow.compile_payload(selector))
