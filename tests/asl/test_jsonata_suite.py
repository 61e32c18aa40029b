"""The official test suite of JSONata, with AWS's additions off: `../shared/jsonata/suite.json`.

The suite is that of 2.2.2. AWS runs 2.0.6, and so do we; what 2.0.6 answers otherwise is listed.
"""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from stepwell._core import Jsonata, JsonataError, JsonataSyntaxError
from stepwell.asl.jsonata import UNDEFINED

SHARED = Path(os.environ.get("STEPWELL_SHARED") or Path(__file__).parents[2] / ".." / "shared")
SUITE = SHARED / "jsonata" / "suite.json"

EXCEPTIONS = {
    "2.0.6 has no ??, nor has AWS": {f"coalescing-operator/case{n:03}" for n in range(15)},
    "2.0.6 has no ?:, nor has AWS": {f"default-operator/case{n:03}" for n in range(19)},
    "AWS has no $eval": {f"function-eval/case{n:03}" for n in range(8)}
    | {f"function-eval/case008#{n}" for n in range(4)},
    "2.0.6 calls undefined": {"function-contains/case007"},
    "2.0.6 never ends": {f"function-formatNumber/issue785#{n}" for n in (0, 1, 3)},
    "2.0.6 makes no array of a length with a fraction": {"function-pad/case011", "function-pad/case012"},
    "2.0.6 takes the first of several arguments each time": {f"function-signatures/case{n:03}" for n in range(35, 39)},
    "2.0.6 writes 15 digits": {"function-string/case030"},
    "2.0.6 reads dates otherwise": {"function-tomillis/case013", "function-tomillis/parseDateTime#46"},
    "2.0.6 reads a property of undefined": {"joins/library-joins#12"},
}
"""Cases that 2.0.6 does not answer as the suite expects, by the reason."""

pytestmark = pytest.mark.skipif(not SUITE.exists(), reason=f"the official suite is not at {SUITE}")


@pytest.fixture(scope="module")
def outcomes():
    suite = json.loads(SUITE.read_bytes())
    return {case["id"]: (expected_of(case), outcome_of(case, suite["datasets"])) for case in suite["cases"]}


def expected_of(case):
    if "result" in case:
        return unordered(case, case["result"])
    if case.get("undefinedResult"):
        return UNDEFINED
    return ("error", case.get("code") or case["error"]["code"])


def outcome_of(case, datasets):
    data = datasets[case["dataset"]] if case.get("dataset") else case.get("data", UNDEFINED)
    try:
        value = Jsonata(case["expr"]).evaluate_over(data, case.get("bindings", {}), UNDEFINED, case.get("depth"))
    except (JsonataError, JsonataSyntaxError) as error:
        return ("error", error.args[1])
    return unordered(case, value)


def unordered(case, value):
    """A result whose order does not matter, as something to compare."""
    return Counter(json.dumps(item) for item in value) if case.get("unordered") else value


def agree(expected, found):
    """Equal as JSON: true is not 1."""
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(agree, expected, found))
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(agree(expected[key], found[key]) for key in expected)
    return isinstance(expected, bool) == isinstance(found, bool) and expected == found


def test_every_case_but_the_listed_exceptions_agrees(outcomes):
    wrong = {name for name, (expected, found) in outcomes.items() if not agree(expected, found)}
    assert wrong == set[str]().union(*EXCEPTIONS.values())


def test_the_whole_suite_is_there(outcomes):
    assert len(outcomes) == 1686
