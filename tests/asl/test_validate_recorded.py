"""Every definition that AWS refused in the recorded cases, refused in its words; and none that it took."""

import json
import os
from pathlib import Path

import pytest

from stepwell.asl.validate import check_definition, validate
from stepwell.asl.variable_references import variable_references
from stepwell.errors import InvalidDefinition

SHARED = Path(os.environ.get("STEPWELL_SHARED", Path(__file__).parents[3] / "shared"))
CASES = SHARED / "conformance" / "cases"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"the recorded cases are not at {CASES}")


def cases():
    for path in sorted(CASES.glob("*.json")):
        yield from json.loads(path.read_text())["cases"]


def calls():
    for case in cases():
        if case["kind"] == "api":
            yield from ((case["id"], call) for call in case["calls"])


def refusal(call):
    """Code and message of a refused call."""
    answer = call.get("expect") or {}
    if "Error" in answer:
        return answer["Error"]["Code"], answer["Error"]["Message"]
    raised = call.get("raises")
    if isinstance(raised, dict):
        return raised["exception_typename"], raised["exception_value"].partition("operation: ")[2]
    return ("unknown", "") if raised else (None, "")


def test_refused_definitions_are_refused_in_the_same_words():
    wrong, seen = [], 0
    for name, call in calls():
        code, message = refusal(call)
        if code != "InvalidDefinition" or "definition" not in call["params"]:
            continue
        seen += 1
        try:
            check_definition(call["params"]["definition"], call["params"].get("type", "STANDARD"))
        except InvalidDefinition as error:
            ours = str(error)
        else:
            ours = "accepted"
        if ours != message:
            wrong.append((name, message, ours))
    assert wrong == []
    assert seen >= 90


@pytest.mark.covers("A16.80")
def test_diagnostics_are_the_same():
    seen = 0
    for name, call in calls():
        if call["op"] == "validate_state_machine_definition":
            seen += 1
            found = validate(call["params"]["definition"], call["params"].get("type", "STANDARD"))
            assert [problem.as_dict() for problem in found] == call["expect"]["diagnostics"], name
    assert seen


def test_accepted_definitions_are_accepted():
    definitions = {}
    for case in cases():
        if case["kind"] == "execution":
            for run in case["runs"]:
                definition = run.get("definition", case.get("definition"))
                definitions[json.dumps(definition), case["type"]] = case["id"]
    for name, call in calls():
        params = call["params"] or {}
        deploys = call["op"] in ("create_state_machine", "update_state_machine") and "definition" in params
        if deploys and refusal(call)[0] is None:
            definitions[json.dumps(json.loads(params["definition"])), params.get("type", "STANDARD")] = name
    refused = []
    for (definition, type_), name in definitions.items():
        try:
            check_definition(definition, type_, local_resources=False)
        except InvalidDefinition as error:
            refused.append((name, str(error)))
    assert refused == []
    assert len(definitions) > 200


def test_variable_references_are_the_same():
    seen, definition = 0, {}
    for name, call in calls():
        if "variable_references" in name:
            if "definition" in call["params"]:
                definition = json.loads(call["params"]["definition"])
            elif "expect" in call:
                seen += 1
                assert variable_references(definition) == call["expect"].get("variableReferences", {}), name
    assert seen
