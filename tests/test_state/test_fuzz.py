"""Whatever is asked, TestState answers or refuses."""

import contextlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st

import stepwell

PATHS = st.sampled_from(["$", "$.a", "$.a[0]", "$$.State.Name", "$x", "$..a", "$.a[?(@.b)]"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["a", "{% $states.input.a %}", "{% $x %}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "x"]), inner, max_size=3),
    max_leaves=6,
)
TEMPLATES = st.dictionaries(st.sampled_from(["a.$", "b.$"]), PATHS, max_size=2)
HANDLERS = {
    "Retry": st.just([{"ErrorEquals": ["States.ALL"], "JitterStrategy": "FULL"}]),
    "Catch": st.just([{"ErrorEquals": ["States.ALL"], "Next": "T", "ResultPath": "$.e"}]),
}
FIELDS = {
    "InputPath": PATHS | st.none(),
    "Parameters": TEMPLATES,
    "ResultPath": st.sampled_from(["$", "$.r", "$.a.b"]) | st.none(),
    "OutputPath": PATHS,
    "Assign": TEMPLATES,
}
BRANCH = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": True}
STATES = st.one_of(
    st.fixed_dictionaries({"Type": st.just("Pass"), "End": st.just(True)}, optional={**FIELDS, "Result": VALUES}),
    st.fixed_dictionaries({key: st.just(value) for key, value in TASK.items()}, optional={**FIELDS, **HANDLERS}),
    st.fixed_dictionaries(
        {"Type": st.just("Map"), "ItemProcessor": st.just(BRANCH), "End": st.just(True)},
        optional={"ItemsPath": PATHS, "ItemSelector": TEMPLATES, "ResultPath": FIELDS["ResultPath"], **HANDLERS},
    ),
    st.fixed_dictionaries(
        {"Type": st.just("Wait"), "Next": st.just("T")}, optional={"SecondsPath": PATHS, "TimestampPath": PATHS}
    ),
    st.fixed_dictionaries(
        {"Type": st.sampled_from(["Pass", "Succeed"]), "QueryLanguage": st.just("JSONata"), "Output": VALUES}
    ),
)
MOCKS = st.fixed_dictionaries({"result": VALUES.map(json.dumps)}) | st.just(
    {"errorOutput": {"error": "E", "cause": "c"}}
)


@given(STATES, VALUES, st.dictionaries(st.just("x"), VALUES), st.none() | MOCKS, st.integers(-1, 5))
@settings(deadline=None, max_examples=300)
def test_any_request_is_answered_or_refused(state, document, variables, mock, count):
    request = {"input": json.dumps(document), "variables": json.dumps(variables), "inspectionLevel": "TRACE"}
    if mock is not None:
        request |= {"mock": mock, "stateConfiguration": {"retrierRetryCount": count}}
    with contextlib.suppress(stepwell.ApiError):
        answer = stepwell.test_state(definition=json.dumps(state), **request)
        assert answer["status"] in ("SUCCEEDED", "FAILED", "RETRIABLE", "CAUGHT_ERROR")
        assert json.loads(answer["inspectionData"]["input"]) == document
