"""Warnings that AWS does not give: about definitions that are accepted and will probably fail.

``lint`` checks a valid definition, ``review`` any one. Each warning has its own code: ``PATH_MAY_BE_MISSING`` (a
States.Runtime that cannot be caught), ``CATCH_NEVER_FIRES``, ``RETRY_NEVER_FIRES``, ``OUTPUT_MAY_BE_TOO_LARGE`` (256
KiB on AWS), ``VARIABLE_NEVER_READ``, ``VARIABLE_NEVER_ASSIGNED``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from stepwell.asl.json import dumps
from stepwell.asl.validate import ERROR, MAX_CHARACTERS, check_definition, validate
from stepwell.asl.validate.diagnostic import WARNING, Diagnostic
from stepwell.asl.validate.fields import JSONATA, JSONPATH
from stepwell.asl.validate.graph import targets
from stepwell.asl.validate.map import processor_config
from stepwell.asl.validate.scope import LocalResources
from stepwell.asl.validate.variables import assignments, inner_levels, states_of
from stepwell.asl.variable_references import variables_read

PATH_MAY_BE_MISSING = "PATH_MAY_BE_MISSING"
CATCH_NEVER_FIRES = "CATCH_NEVER_FIRES"
RETRY_NEVER_FIRES = "RETRY_NEVER_FIRES"
OUTPUT_MAY_BE_TOO_LARGE = "OUTPUT_MAY_BE_TOO_LARGE"
VARIABLE_NEVER_READ = "VARIABLE_NEVER_READ"
VARIABLE_NEVER_ASSIGNED = "VARIABLE_NEVER_ASSIGNED"

MAX_PAYLOAD_BYTES = 262_144

_UNCATCHABLE = "States.Runtime"
# Lists without a limit: the definition does not bound their size.
_UNBOUNDED_MAP = "the results of a Map state are one array: put a ResultWriter or an Output that keeps less"
_FIRST_NAME = re.compile(r"\$\.([^\W\d][\w-]*)|\$\['((?:[^'\\]|\\.)*)'\]")


def lint(definition: dict[str, Any]) -> list[Diagnostic]:
    """The warnings for a definition that ``check_definition`` accepted, in the order of its states."""
    language: str = definition.get("QueryLanguage", JSONPATH)
    found: list[Diagnostic] = []
    for path, level in _levels(definition, ""):
        for name, state in states_of(level):
            place = f"{path}/States/{name}"
            found.extend(_errors_never_matched(state, place))
            found.extend(_large_outputs(state, place, language))
            if state.get("QueryLanguage", language) == JSONPATH:
                found.extend(_missing_paths(level, name, state, place))
    found.extend(_variables(definition, language))
    return found


def review(
    definition: dict[str, Any] | str | bytes,
    type: str = "STANDARD",
    *,
    local_resources: LocalResources = True,
    max_characters: int | None = MAX_CHARACTERS,
) -> list[Diagnostic]:
    """The problems that ``validate`` finds and, if none is an error, the warnings of ``lint``."""
    found = validate(definition, type, local_resources=local_resources, max_characters=max_characters)
    if any(problem.severity == ERROR for problem in found):
        return found
    value = check_definition(definition, type, local_resources=local_resources, max_characters=max_characters)
    return [*found, *lint(value)]


def _levels(level: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, level
    for name, state in states_of(level):
        for inner in inner_levels(state, f"{path}/States/{name}"):
            yield from _levels(inner.value, inner.path)


def _warning(code: str, message: str, place: str) -> Diagnostic:
    return Diagnostic(WARNING, code, message, place)


def _errors_never_matched(state: dict[str, Any], place: str) -> Iterator[Diagnostic]:
    """Retriers and catchers whose errors cannot occur, or are matched by an earlier one (ASL A6, A7.38)."""
    for field, code in (("Retry", RETRY_NEVER_FIRES), ("Catch", CATCH_NEVER_FIRES)):
        taken: set[str] = set()
        for index, entry in enumerate(cast("list[dict[str, Any]]", state.get(field, []))):
            names: list[str] = entry.get("ErrorEquals", [])
            problem = _never_matched(names, taken, state)
            if problem is not None:
                yield _warning(code, problem, f"{place}/{field}[{index}]")
            taken.update(names)


def _never_matched(names: list[str], taken: set[str], state: dict[str, Any]) -> str | None:
    if names and all(name == _UNCATCHABLE for name in names):
        return "States.Runtime ends the execution: no Retry and no Catch ever sees it"
    if names and all(name in taken for name in names):
        return f"An entry before this one matches {', '.join(names)} first"
    beats = "HeartbeatSeconds" in state or "HeartbeatSecondsPath" in state
    if state.get("Type") == "Task" and not beats and names == ["States.HeartbeatTimeout"]:
        return "States.HeartbeatTimeout cannot come: the state has no HeartbeatSeconds"
    return None


def _large_outputs(state: dict[str, Any], place: str, language: str) -> Iterator[Diagnostic]:
    """Outputs that exceed 256 KiB already in the definition, or have no limit (ASL A16.83)."""
    if state.get("Type") == "Pass" and "Result" in state:
        size = len(dumps(state["Result"]))
        if size > MAX_PAYLOAD_BYTES:
            message = f"Result has {size} bytes: AWS fails a state whose output passes {MAX_PAYLOAD_BYTES}"
            yield _warning(OUTPUT_MAY_BE_TOO_LARGE, message, f"{place}/Result")
    if state.get("Type") == "Map" and processor_config(state).get("Mode") == "DISTRIBUTED":
        drops = state.get("ResultPath", "") is None or "ResultSelector" in state or "Output" in state
        if "ResultWriter" not in state and not drops:
            message = f"The output may pass {MAX_PAYLOAD_BYTES} bytes, which AWS refuses: {_UNBOUNDED_MAP}"
            yield _warning(OUTPUT_MAY_BE_TOO_LARGE, message, place)


def _missing_paths(level: dict[str, Any], name: str, state: dict[str, Any], place: str) -> Iterator[Diagnostic]:
    """Input fields that a path reads, if the state before is known not to set them (ASL A3.11)."""
    if state.get("Type") == "Choice":
        yield from _unguarded_rules(state, place)
        return
    given = _known_input(level, name)
    if given is None:
        return
    for field, path in _input_paths(state):
        found = _FIRST_NAME.match(path)
        wanted = (found[1] or found[2]) if found else None
        if wanted is not None and wanted not in given:
            message = (
                f"'{path}' is not in the state's input, which has {_listed(given)}: "
                "a missing path is States.Runtime, which nothing catches"
            )
            yield _warning(PATH_MAY_BE_MISSING, message, f"{place}/{field}")


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) if names else "no fields"


def _known_input(level: dict[str, Any], name: str) -> frozenset[str] | None:
    """The fields of a state's input that every state before it sets; None if unknown."""
    if name == level.get("StartAt"):
        return None
    given: frozenset[str] | None = None
    for _, before in states_of(level):
        for target in targets(before):
            if target.name != name:
                continue
            fields = _output_fields(before) if target.field == "Next" else None
            if fields is None:
                return None
            given = fields if given is None else given & fields
    return given


def _output_fields(state: dict[str, Any]) -> frozenset[str] | None:
    """The fields of a Pass state's output, if its definition determines them all."""
    whole = state.get("ResultPath", "$") == "$" and state.get("OutputPath", "$") == "$"
    if state.get("Type") != "Pass" or not whole or state.get("QueryLanguage") == JSONATA:
        return None
    value: Any = state["Result"] if "Result" in state else state.get("Parameters")
    if not isinstance(value, dict):
        return None
    # Result gives its own fields, Parameters its keys.
    names = cast("dict[str, Any]", value)
    return frozenset(names if "Result" in state else (key.removesuffix(".$") for key in names))


def _input_paths(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields that read the raw input by a path of a single step."""
    for field in ("InputPath", "SecondsPath", "TimestampPath", "ErrorPath", "CausePath"):
        if isinstance(state.get(field), str):
            yield field, state[field]
    if state.get("InputPath", "$") == "$":
        if isinstance(state.get("ItemsPath"), str):
            yield "ItemsPath", state["ItemsPath"]
        yield from _template_paths(state.get("Parameters"), "Parameters")


def _template_paths(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            if key.endswith(".$") and isinstance(item, str):
                yield f"{place}/{key}", item
            else:
                yield from _template_paths(item, f"{place}/{key}")


def _unguarded_rules(state: dict[str, Any], place: str) -> Iterator[Diagnostic]:
    """Rules over a field whose presence only another rule tests: without the field they end the execution."""
    rules = cast("list[dict[str, Any]]", state.get("Choices", []))
    doubtful = {variable for rule in rules for variable in _tested_for_presence(rule)}
    for index, rule in enumerate(rules):
        variable: Any = rule.get("Variable")
        if variable in doubtful and "IsPresent" not in rule and not _answered_before(rules[:index], variable):
            message = (
                f"'{variable}' may be missing, as another rule says: compare it in an And after IsPresent, "
                "for a missing path is States.Runtime, which nothing catches"
            )
            yield _warning(PATH_MAY_BE_MISSING, message, f"{place}/Choices[{index}]/Variable")


def _tested_for_presence(rule: dict[str, Any]) -> Iterator[str]:
    if "IsPresent" in rule and isinstance(rule.get("Variable"), str):
        yield rule["Variable"]
    for nested in (*rule.get("And", ()), *rule.get("Or", ()), *([rule["Not"]] if "Not" in rule else ())):
        yield from _tested_for_presence(nested)


def _answered_before(rules: list[dict[str, Any]], variable: str) -> bool:
    """Whether an earlier rule matches every input that lacks the variable."""
    for rule in rules:
        absent = rule.get("IsPresent") is False and rule.get("Variable") == variable
        negated: dict[str, Any] = rule.get("Not", {})
        if absent or (negated.get("IsPresent") is True and negated.get("Variable") == variable):
            return True
    return False


def _variables(definition: dict[str, Any], language: str) -> Iterator[Diagnostic]:
    """Variables that are set and never read, or read and never set."""
    assigned: dict[str, str] = {}
    read: dict[str, str] = {}
    for path, level in _levels(definition, ""):
        for name, state in states_of(level):
            place = f"{path}/States/{name}"
            for assignment in assignments(state, place, language):
                assigned.setdefault(assignment.name, assignment.place)
            for variable in sorted(variables_read(state, state.get("QueryLanguage", language))):
                read.setdefault(variable, place)
    for name, place in assigned.items():
        if name not in read:
            yield _warning(VARIABLE_NEVER_READ, f"The variable '{name}' is never read", place)
    for name, place in read.items():
        if name not in assigned:
            message = f"The variable '{name}' is read here and assigned nowhere"
            yield _warning(VARIABLE_NEVER_ASSIGNED, message, place)
