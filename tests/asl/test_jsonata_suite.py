"""The official test suite of JSONata, with AWS's additions and limits off: `../shared/jsonata/suite.json`."""

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
    "function-encodeUrl/case002": "half of a surrogate pair, which no text of Unicode holds, and so no definition",
    "function-encodeUrlComponent/case002": "half of a surrogate pair, as above",
    "tail-recursion/case002": "U1001 is the guard of the suite's own runner; the evaluator's is D1011",
    "tail-recursion/case005": "U1001 is the guard of the suite's own runner; the evaluator's is D1011",
    "tail-recursion/case006": "U1001 is the guard of the suite's own runner; the evaluator's is D1012",
}

pytestmark = pytest.mark.skipif(not SUITE.exists(), reason=f"the official suite is not at {SUITE}")


@pytest.fixture(scope="module")
def outcomes():
    suite = json.loads(SUITE.read_bytes())
    return {
        case["id"]: (expected_of(case), *(outcome_of(case, suite["datasets"], checked) for checked in (False, True)))
        for case in suite["cases"]
    }


def expected_of(case):
    if "result" in case:
        return unordered(case, case["result"])
    if case.get("undefinedResult"):
        return UNDEFINED
    return ("error", case.get("code") or case["error"]["code"])


def outcome_of(case, datasets, checked):
    data = datasets[case["dataset"]] if case.get("dataset") else case.get("data", UNDEFINED)
    limits = {"depth": case.get("depth"), "millis": case.get("timelimit")}
    try:
        expression = Jsonata(case["expr"])
        value = expression.evaluate_over(data, case.get("bindings", {}), UNDEFINED, checked=checked, **limits)
    except (JsonataError, JsonataSyntaxError) as error:
        return ("error", error.args[1])
    except UnicodeEncodeError:
        return ("error", "no Unicode")
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
    wrong = {name for name, (expected, found, _) in outcomes.items() if not agree(expected, found)}
    assert wrong == set(EXCEPTIONS)


def test_the_checks_of_size_change_no_outcome(outcomes):
    """The checks that `rust/core/src/jsonata/guard.rs` writes into an expression."""
    changed = {name for name, (_, plain, checked) in outcomes.items() if not agree(plain, checked)}
    assert changed == set()


def test_at_least_99_percent_agree(outcomes):
    assert len(outcomes) == 1686
    assert len(EXCEPTIONS) <= len(outcomes) / 100
