"""Map states: the processor, its mode, and the reader, batcher and writer of a Distributed Map (ASL A12)."""

from __future__ import annotations

from typing import Any, cast

from stepwell.asl.validate import values
from stepwell.asl.validate.diagnostic import DUPLICATE_LABEL_NAME, INVALID_LABEL_NAME
from stepwell.asl.validate.paths import check_reference_path
from stepwell.asl.validate.reader import check_batcher, check_reader, check_writer
from stepwell.asl.validate.scope import Place
from stepwell.asl.validate.task import check_count, check_number_expression
from stepwell.asl.validate.templates import check_expressions, check_template

MAX_LABEL_CHARACTERS = 40
_LABEL_FORBIDDEN = frozenset(' \t\n\r\x0b\x0c?*<>{}[]:;,\\|^~$#%&`"') | {
    chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))
}
_DISTRIBUTED_ONLY = ("ItemReader", "ItemBatcher", "ResultWriter", "Label")


def check_map(state: dict[str, Any], at: Place) -> None:
    """The fields of a Map state, without the states of its processor."""
    values.exactly_one(state, ("ItemProcessor", "Iterator"), at.path, at.report)
    values.at_most_one(state, ("ItemSelector", "Parameters"), at.path, at.report)
    _check_items(state, at)
    check_count(state, "MaxConcurrency", at, minimum=0)
    check_count(state, "ToleratedFailureCount", at, minimum=0)
    _check_percentage(state, at)
    if "Label" in state:
        _check_label(state["Label"], at.inside("Label"))
    if "ItemReader" in state:
        check_reader(state["ItemReader"], at.inside("ItemReader"))
    if "ItemBatcher" in state:
        check_batcher(state["ItemBatcher"], at.inside("ItemBatcher"))
    if "ResultWriter" in state:
        check_writer(state["ResultWriter"], at.inside("ResultWriter"))
    config = processor_config(state)
    if config.get("Mode") != "DISTRIBUTED":
        for name in _DISTRIBUTED_ONLY:
            if name in state:
                at.report.error(f"Field '{name}' is not supported", at.path)


def processor_name(state: dict[str, Any]) -> str:
    """``ItemProcessor``, or the older ``Iterator``."""
    return "Iterator" if "Iterator" in state and "ItemProcessor" not in state else "ItemProcessor"


def processor_config(state: dict[str, Any]) -> dict[str, Any]:
    """The ProcessorConfig of a Map state; empty if it has none."""
    processor: Any = state.get(processor_name(state))
    config: Any = cast("dict[str, Any]", processor).get("ProcessorConfig") if isinstance(processor, dict) else None
    return cast("dict[str, Any]", config) if isinstance(config, dict) else {}


def check_processor_config(config: Any, at: Place) -> None:
    """Mode and ExecutionType."""
    if not values.is_object(config, at.path, at.report):
        return
    values.refuse_unknown(config, ("Mode", "ExecutionType"), at.path, at.report)
    distributed = config.get("Mode") == "DISTRIBUTED"
    if "Mode" in config:
        values.one_of(config["Mode"], ("INLINE", "DISTRIBUTED"), f"{at.path}/Mode", at.report)
    if distributed and at.express:
        message = "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines"
        at.report.error(message, f"{at.path}/Mode")
    if distributed:
        values.require(config, ("ExecutionType",), at.path, at.report)
    elif "ExecutionType" in config:
        at.report.error("Field 'ExecutionType' is not supported", at.path)
    if "ExecutionType" in config and distributed:
        values.one_of(config["ExecutionType"], ("STANDARD", "EXPRESS"), f"{at.path}/ExecutionType", at.report)


def label_problem(label: str) -> str | None:
    """What is wrong with the Label of a Distributed Map."""
    if not label:
        return "Label cannot be empty"
    if len(label) > MAX_LABEL_CHARACTERS:
        return f"Label cannot exceed {MAX_LABEL_CHARACTERS} characters"
    for character in label:
        if character in _LABEL_FORBIDDEN:
            return f"Label contains invalid character: {character!r}"
    return None


def _check_label(label: Any, at: Place) -> None:
    if not values.is_text(label, at.path, at.report):
        return
    if problem := label_problem(label):
        at.report.error(problem, at.path, INVALID_LABEL_NAME)
    elif label in at.machine.labels:
        at.report.error(f"Duplicate Label name: {label}", at.path, DUPLICATE_LABEL_NAME)
    at.machine.labels.add(label)


def _check_items(state: dict[str, Any], at: Place) -> None:
    if at.is_jsonata:
        if "Items" in state:
            items, place = state["Items"], f"{at.path}/Items"
            if isinstance(items, str):
                check_number_expression(items, place, at)
            elif not isinstance(items, list | dict):
                at.report.error("Expected value of type [ARRAY, STRING]", place)
            else:
                check_expressions(items, place, at.report)
        check_expressions(state.get("ItemSelector"), f"{at.path}/ItemSelector", at.report)
        return
    if "ItemsPath" in state:
        check_reference_path(state["ItemsPath"], f"{at.path}/ItemsPath", at.report, context=True)
    if "ItemSelector" in state and values.is_object(state["ItemSelector"], f"{at.path}/ItemSelector", at.report):
        check_template(state["ItemSelector"], f"{at.path}/ItemSelector", at.report)


def _check_percentage(state: dict[str, Any], at: Place) -> None:
    name, path = "ToleratedFailurePercentage", "ToleratedFailurePercentagePath"
    values.at_most_one(state, (name, path), at.path, at.report)
    if name in state:
        place = f"{at.path}/{name}"
        if at.is_jsonata and isinstance(state[name], str):
            check_number_expression(state[name], place, at)
        else:
            values.is_number(state[name], place, at.report, minimum=0.0, maximum=100.0)
    if path in state and not at.is_jsonata:
        check_reference_path(state[path], f"{at.path}/{path}", at.report)
