"""Half of a surrogate pair, which has no UTF-8: a clear refusal, or `?` as Java writes it, and no internal error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from engine.support import machine, passing
from stepwell import Executor, InvalidDefinition, InvalidInput, InvalidName, InvalidToken, TaskError

HALF = "\ud83d"
WRITTEN = r"\ud83d"


@pytest.fixture
def ex() -> Iterator[Executor]:
    with Executor() as executor:
        yield executor


def jsonata(type: str = "Pass", **fields: Any) -> dict[str, Any]:
    ends = {} if type in ("Choice", "Fail") else {"End": True}
    state = {"Type": type, **fields, **ends}
    return {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": state, "B": {"Type": "Succeed"}}}


def run(ex: Executor, definition: dict[str, Any], input: Any = None) -> Any:
    if '"B"' not in json.dumps(definition["States"]["A"]):
        definition["States"].pop("B", None)
    ex.deploy("w", definition)
    return ex.start("w", {} if input is None else input).wait(60)


@pytest.mark.parametrize(
    ("expression", "output"),
    [
        (f"'{WRITTEN}'", "?"),
        ("$split($states.input.s, '')", ["?", "?"]),
        (f"{{'{WRITTEN}': [1, '{WRITTEN}x']}}", {"?": [1, "?x"]}),
        (f"$parse('\"\\\\{WRITTEN[1:]}\"')", "?"),
        (f"'{WRITTEN}' & '\\ude00'", "😀"),
        (f"$length('{WRITTEN}')", 1),
        (f"$hash('{WRITTEN}', 'MD5') = $hash('?', 'MD5')", True),
    ],
)
def test_a_result_of_jsonata_has_a_question_mark(ex: Executor, expression: str, output: Any) -> None:
    assert run(ex, jsonata(Output=f"{{% {expression} %}}"), {"s": "😀"}).output == output


def test_every_field_of_jsonata_takes_it(ex: Executor) -> None:
    text = f"{{% '{WRITTEN}' %}}"
    failed = run(ex, jsonata("Fail", Error=text, Cause=text))
    assert (failed.error, failed.cause) == ("?", "?")
    waited = run(ex, jsonata("Wait", Timestamp=text))
    assert waited.error == "States.QueryEvaluationError"
    assert waited.cause.endswith("ISO-8601 extended offset date-time format string: ?")
    chosen = run(ex, jsonata("Choice", Choices=[{"Condition": text, "Next": "B"}]))
    assert chosen.error == "States.QueryEvaluationError"
    assert chosen.cause.endswith("""but was 'string' for value: "?\"""")
    raised = run(ex, jsonata(Output=f"{{% $error('{WRITTEN}') %}}"))
    assert raised.cause.endswith("D3137: ?")
    assigned = jsonata(Assign={"x": text})
    assigned["States"]["A"]["Next"] = "C"
    del assigned["States"]["A"]["End"]
    assigned["States"]["C"] = {"Type": "Pass", "Output": "{% $x %}", "End": True}
    assert run(ex, assigned).output == "?"


@pytest.mark.parametrize("value", [HALF, {HALF: 1}, [[HALF]]])
def test_a_handler_that_returns_it_fails_its_task(ex: Executor, value: Any) -> None:
    ex.register("half", lambda input: value)
    failed = run(ex, machine({"A": {"Type": "Task", "Resource": "half", "End": True}}))
    assert failed.error == "Runtime.MarshalError"
    assert failed.cause.startswith("the handler of 'half' returned what is not JSON")


def test_errors_of_handlers_have_a_question_mark(ex: Executor) -> None:
    def fail(input: Any) -> Any:
        raise TaskError(HALF, HALF)

    ex.register("fails", fail)
    failed = run(ex, machine({"A": {"Type": "Task", "Resource": "fails", "End": True}}))
    assert (failed.error, failed.cause) == ("?", "?")


@pytest.mark.parametrize(
    ("field", "input", "cause"),
    [
        ({"Parameters": {"v.$": "States.StringToJson($.s)"}}, {"s": f'"{WRITTEN}"'}, "is not valid JSON"),
        ({"Parameters": {"v.$": f"$['{WRITTEN}']"}}, {"s": 1}, "could not be found in the input"),
        ({"InputPath": f"$['{WRITTEN}']"}, {"s": 1}, "No results for path"),
    ],
)
def test_jsonpath_names_what_it_does_not_find(ex: Executor, field: dict[str, Any], input: Any, cause: str) -> None:
    failed = run(ex, machine({"A": {**passing(), **field, "End": True}}), input)
    assert failed.error == "States.Runtime"
    assert cause in failed.cause


def test_what_comes_from_outside_is_refused(ex: Executor) -> None:
    ex.deploy("w", machine({"A": passing()}))
    for refused, act in (
        (InvalidInput, lambda: ex.start("w", {"a": HALF})),
        (InvalidName, lambda: ex.deploy(HALF, machine({"A": passing()}))),
        (InvalidToken, lambda: ex.send_task_success(HALF, {})),
        (InvalidInput, lambda: ex.send_task_failure("token", HALF, HALF)),
        (InvalidDefinition, lambda: ex.deploy("w", machine({HALF: passing()}))),
        (InvalidDefinition, lambda: ex.deploy("w", machine({"A": {**passing(), "Result": HALF}}))),
        (InvalidInput, lambda: ex.deploy("w", json.dumps(machine({"A": {**passing(), "Result": HALF}})))),
    ):
        with pytest.raises(refused):
            act()
