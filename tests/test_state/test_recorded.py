"""TestState's recorded answers, compared as the conformance runner compares them."""

import importlib.util
import json
import os
from pathlib import Path

import pytest

import stepwell

SHARED = Path(os.environ.get("STEPWELL_SHARED", Path(__file__).parents[3] / "shared"))
CONFORMANCE = SHARED / "conformance"
CASES = CONFORMANCE / "cases" / "state.json"

# These called a real Lambda function, or hold a placeholder for a date that the mock gives.
DIFFERENT = ("test_base_lambda_task_state", "test_base_lambda_service_task_state", "test_sfn_start_execution_success")

pytestmark = pytest.mark.skipif(not CASES.is_file(), reason=f"the recorded cases are not at {CASES}")


def compare():
    spec = importlib.util.spec_from_file_location("conformance_compare", CONFORMANCE / "compare.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answer(request):
    definition = request["definition"]
    text = definition if isinstance(definition, str) else json.dumps(definition)
    try:
        return stepwell.test_state(**{**request, "definition": text})
    except stepwell.ApiError as error:
        return {"Error": {"Code": error.code, "Message": error.message}}


@pytest.mark.covers("A16.79")
def test_the_answers_are_awss():
    pytest.importorskip("botocore", reason="the models of AWS's APIs are botocore's")
    same, wrong, seen = compare().same, {}, 0
    for case in json.loads(CASES.read_text())["cases"]:
        if case["kind"] != "test_state" or any(f"::{name}" in case["id"] for name in DIFFERENT):
            continue
        for call in case["calls"]:
            seen += 1
            want, got = call["expect"], answer(call["request"])
            if "Error" in want:
                want = {"Error": {name: want["Error"][name] for name in ("Code", "Message")}}
            if differences := same(want, got):
                wrong[case["id"]] = differences
    assert wrong == {}
    assert seen >= 70
