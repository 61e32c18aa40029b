"""Checks every level of states, and every state by its type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from stepwell.asl.validate import fields, values
from stepwell.asl.validate.assign import check_assign
from stepwell.asl.validate.choice import check_choice
from stepwell.asl.validate.diagnostic import (
    DUPLICATE_STATE_NAME,
    INVALID_STATE_NAME,
    TOO_DEEPLY_NESTED,
)
from stepwell.asl.validate.map import check_map, check_processor_config, processor_config, processor_name
from stepwell.asl.validate.paths import check_path, check_reference_path, check_result_path, check_text_path
from stepwell.asl.validate.retry_catch import check_catch, check_retry
from stepwell.asl.validate.scope import Machine, Place
from stepwell.asl.validate.task import check_number_expression, check_task
from stepwell.asl.validate.templates import NOTHING, RESULT, check_expressions, check_template

MAX_STATE_NAME_CHARACTERS = 80
MAX_DEPTH = 64
_WORK = ("Task", "Parallel", "Map")
_WAITS = ("SecondsPath", "Seconds", "TimestampPath", "Timestamp")


def check_machine(definition: dict[str, Any], machine: Machine, *, express: bool) -> None:
    """Check the whole definition, but not its transitions and the scopes of its variables."""
    at = Place(machine, "", fields.JSONPATH, express)
    values.require(definition, ("States", "StartAt"), "/", machine.report)
    values.refuse_unknown(definition, fields.MACHINE_FIELDS, "/", machine.report)
    _refuse_repeated(definition, "/", at)
    for name, check in (("Comment", values.is_text), ("StartAt", values.is_text)):
        if name in definition:
            check(definition[name], f"/{name}", machine.report)
    if "Version" in definition:
        values.one_of(definition["Version"], ("1.0",), "/Version", machine.report)
    if "TimeoutSeconds" in definition:
        values.is_integer(
            definition["TimeoutSeconds"], "/TimeoutSeconds", machine.report, minimum=1, maximum=values.MAX_SECONDS
        )
    machine.query_language = query_language(definition, at, fields.JSONPATH)
    _check_states(definition, replace(at, query_language=machine.query_language))


def query_language(owner: dict[str, Any], at: Place, inherited: str) -> str:
    """The language of a machine or state. Any declared value but JSONPath counts as JSONata, as on AWS."""
    if "QueryLanguage" not in owner:
        return inherited
    values.one_of(owner["QueryLanguage"], fields.QUERY_LANGUAGES, f"{at.path}/QueryLanguage", at.report)
    return fields.JSONPATH if owner["QueryLanguage"] == fields.JSONPATH else fields.JSONATA


def _check_level(level: Any, at: Place, known: frozenset[str]) -> None:
    """A branch, or the processor of a Map state."""
    if not values.is_object(level, at.path, at.report):
        return
    if at.depth > MAX_DEPTH:
        at.report.error("The states are too deeply nested.", at.path, TOO_DEEPLY_NESTED)
        return
    values.require(level, ("States", "StartAt"), at.path, at.report)
    values.refuse_unknown(level, known, at.path, at.report)
    _refuse_repeated(level, at.path, at)
    if "StartAt" in level:
        values.is_text(level["StartAt"], f"{at.path}/StartAt", at.report)
    _check_states(level, at)


def _check_states(level: dict[str, Any], at: Place) -> None:
    if "States" not in level or not values.is_object(level["States"], f"{at.path}/States", at.report):
        return
    states: dict[str, Any] = level["States"]
    if not states:
        at.report.error("Value cannot be empty", f"{at.path}/States")
    for name in at.machine.repeated.of(states):
        _duplicate(name, at)
    for name, state in states.items():
        here = at.inside(f"States/{name}")
        _check_name(name, here)
        if values.is_object(state, here.path, at.report):
            _check_state(state, here)


def _check_name(name: str, at: Place) -> None:
    if not name:
        at.report.error("The state name cannot be empty", at.path, INVALID_STATE_NAME)
    elif len(name) > MAX_STATE_NAME_CHARACTERS:
        message = f"The state name is longer than {MAX_STATE_NAME_CHARACTERS} characters"
        at.report.error(message, at.path, INVALID_STATE_NAME)
    if name in at.machine.state_names:
        at.report.error(f"Duplicate State name: {name}", at.path, DUPLICATE_STATE_NAME)
    at.machine.state_names.add(name)


def _duplicate(name: str, at: Place) -> None:
    at.report.error(f"Duplicate State name: {name}", f"{at.path}/States/{name}", DUPLICATE_STATE_NAME)


def _refuse_repeated(value: dict[str, Any], place: str, at: Place) -> None:
    for name in at.machine.repeated.of(value):
        at.report.error(f"Duplicate field '{name}'", place)


def _check_state(state: dict[str, Any], at: Place) -> None:
    _refuse_repeated(state, at.path, at)
    if not values.require(state, ("Type",), at.path, at.report):
        return
    kind = state["Type"]
    if not isinstance(kind, str) or kind not in fields.STATE_FIELDS:
        names = values.listed(fields.STATE_TYPES)
        at.report.error(f"The field 'Type' should have one of these values: {names}", f"{at.path}/Type")
        return
    language = query_language(state, at, at.query_language)
    if at.machine.query_language == fields.JSONATA and state.get("QueryLanguage") == fields.JSONPATH:
        message = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
        at.report.error(message, at.path)
        downgraded = True
    else:
        downgraded = False
    here = replace(at, query_language=language)
    values.refuse_unknown(state, fields.STATE_FIELDS[kind], at.path, at.report)
    if not downgraded:
        here.refuse_other_language(state)
    if "Comment" in state:
        values.is_text(state["Comment"], f"{at.path}/Comment", at.report)
    _check_common(state, here)
    _CHECKS[kind](state, here)


def _check_common(state: dict[str, Any], at: Place) -> None:
    kind = state["Type"]
    allowed = fields.STATE_FIELDS[kind]
    if "Next" in allowed:
        _check_transition(state, at)
    has = RESULT if kind in _WORK else NOTHING
    if "Assign" in allowed:
        check_assign(state, at, has=has)
    if "Retry" in allowed:
        check_retry(state, at)
        check_catch(state, at)
    if at.is_jsonata:
        for name, fields_here in (("Output", has), ("Arguments", NOTHING)):
            if name in state and name in allowed:
                check_expressions(state[name], f"{at.path}/{name}", at.report, has=fields_here)
        return
    for name in ("InputPath", "OutputPath"):
        if name in state and name in allowed:
            check_path(state[name], f"{at.path}/{name}", at.report)
    if "ResultPath" in state and "ResultPath" in allowed:
        check_result_path(state["ResultPath"], f"{at.path}/ResultPath", at.report)
    for name in ("Parameters", "ResultSelector"):
        if name in state and name in allowed:
            check_template(state[name], f"{at.path}/{name}", at.report)


def _check_transition(state: dict[str, Any], at: Place) -> None:
    if "End" in state:
        values.is_boolean(state["End"], f"{at.path}/End", at.report)
    if "Next" in state:
        values.is_text(state["Next"], f"{at.path}/Next", at.report)
    ends = state.get("End") is True
    if "Next" not in state and not ends:
        at.report.error("This object should have only one of the following fields: [Next, End]", at.path)
    elif "Next" in state and ends:
        at.report.error("There should only be one of the following fields: [Next, End]", at.path)


def _check_wait(state: dict[str, Any], at: Place) -> None:
    values.exactly_one(state, _WAITS, at.path, at.report)
    if "Seconds" in state:
        place = f"{at.path}/Seconds"
        if at.is_jsonata and isinstance(state["Seconds"], str):
            check_number_expression(state["Seconds"], place, at)
        else:
            values.is_integer(state["Seconds"], place, at.report, minimum=0, maximum=values.MAX_SECONDS)
    if "Timestamp" in state:
        _check_timestamp(state["Timestamp"], at.inside("Timestamp"))
    if not at.is_jsonata:
        for name in ("SecondsPath", "TimestampPath"):
            if name in state:
                check_reference_path(state[name], f"{at.path}/{name}", at.report, context=True)


def _check_timestamp(value: Any, at: Place) -> None:
    if not values.is_text(value, at.path, at.report):
        return
    if at.is_jsonata and values.is_expression(value):
        check_expressions(value, at.path, at.report)
    elif not values.is_timestamp(value):
        at.report.error("String does not match RFC3339 timestamp", at.path)


def _check_fail(state: dict[str, Any], at: Place) -> None:
    for name in ("Error", "Cause"):
        values.at_most_one(state, (name, f"{name}Path"), at.path, at.report)
        if name in state and values.is_text(state[name], f"{at.path}/{name}", at.report) and at.is_jsonata:
            check_expressions(state[name], f"{at.path}/{name}", at.report)
        if f"{name}Path" in state and not at.is_jsonata:
            check_text_path(state[f"{name}Path"], f"{at.path}/{name}Path", at.report)


def _check_parallel(state: dict[str, Any], at: Place) -> None:
    if not values.require(state, ("Branches",), at.path, at.report):
        return
    if values.is_filled_array(state["Branches"], f"{at.path}/Branches", at.report):
        for index, branch in enumerate(state["Branches"]):
            here = replace(
                at.inside(f"Branches[{index}]"), query_language=at.machine.query_language, depth=at.depth + 1
            )
            _check_level(branch, here, fields.BRANCH_FIELDS)


def _check_map(state: dict[str, Any], at: Place) -> None:
    check_map(state, at)
    name = processor_name(state)
    processor: Any = state.get(name)
    if name not in state:
        return
    here = at.inside(name)
    if isinstance(processor, dict) and "ProcessorConfig" in processor:
        check_processor_config(processor["ProcessorConfig"], here.inside("ProcessorConfig"))
    config = processor_config(state)
    express = config.get("ExecutionType") == "EXPRESS" if config.get("Mode") == "DISTRIBUTED" else at.express
    # The inner states have the machine's language, whatever the language of the Map state.
    inner = replace(here, query_language=at.machine.query_language, express=express, depth=at.depth + 1)
    _check_level(processor, inner, fields.PROCESSOR_FIELDS)


def _nothing_more(state: dict[str, Any], at: Place) -> None:
    """Pass and Succeed have only fields that are checked for every state."""


_CHECKS: dict[str, Callable[[dict[str, Any], Place], None]] = {
    "Task": check_task,
    "Parallel": _check_parallel,
    "Map": _check_map,
    "Pass": _nothing_more,
    "Wait": _check_wait,
    "Choice": check_choice,
    "Succeed": _nothing_more,
    "Fail": _check_fail,
}
