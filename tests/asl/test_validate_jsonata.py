"""JSONata in definitions: what does not parse, and names that Step Functions does not offer (ASL A4)."""

import pytest

from stepwell.asl.validate import validate


def problems(**fields):
    state = {"Type": "Pass", "End": True, **fields}
    definition = {"StartAt": "S", "States": {"S": state}, "QueryLanguage": "JSONata"}
    return [(found.code, found.message, found.location) for found in validate(definition)]


@pytest.mark.covers("A4.16")
def test_only_a_string_from_mark_to_mark_is_an_expression():
    assert problems(Output=["plain", " {% nope( %} ", "a {% nope( %}", "{%%}x"[:0], 1]) == []
    text = "JSONata string must start with {% and end with %}"
    assert problems(Output="{% 1") == [("SCHEMA_VALIDATION_FAILED", text, "/States/S/Output")]


@pytest.mark.covers("A4.18")
@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1 +", "Unexpected end of expression"),
        ("a[1,2)", 'Expected "]", got ","'),
        ('{"a":}', 'The symbol "}" cannot be used as a unary operator'),
        ('"unterminated', "String literal must be terminated by a matching quote"),
    ],
)
def test_what_does_not_parse_is_refused_in_the_parsers_words(expression, message):
    found = problems(Output={"a": [f"{{% {expression} %}}"]})
    assert found == [("INVALID_JSONATA_EXPRESSION", message, "/States/S/Output/a[0]")]


@pytest.mark.covers("A4.18")
@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("phone", "Reference to 'phone' at the top level is not supported."),
        ("$states.input & phone", "Reference to 'phone' at the top level is not supported."),
        ("$$.a", "Reference to '$$' is not supported."),
        ("$states.errorOutput.Error", "Field '$states.errorOutput' does not exist."),
    ],
)
def test_names_that_are_not_there_are_refused(expression, message):
    found = problems(Assign={"x": f"{{% {expression} %}}"})
    assert found == [("UNSUPPORTED_JSONATA_EXPRESSION", message, "/States/S/Assign/x")]


@pytest.mark.covers("A4.17")
def test_the_error_output_is_there_in_a_catcher():
    catcher = {"ErrorEquals": ["States.ALL"], "Next": "S", "Output": "{% $states.errorOutput %}"}
    resource = "arn:aws:lambda:us-east-1:123456789012:function:f"
    assert (
        problems(Type="Task", Resource=resource, Catch=[{**catcher, "Assign": {"e": "{% $states.errorOutput %}"}}])
        == []
    )


@pytest.mark.covers("A4.17")
def test_names_inside_an_item_have_their_item():
    for expression in ("$states.input.items[price > 3].name", "$states.input.a{b: c}", "$map($xs, function($x){$x.a})"):
        assert problems(Output=f"{{% {expression} %}}") == []


@pytest.mark.covers("A2.7")
def test_a_condition_is_an_expression_or_a_boolean():
    def choosing(condition):
        rule = {"Condition": condition, "Next": "T"}
        definition = {"StartAt": "S", "States": {"S": {"Type": "Choice", "Choices": [rule]}, "T": {"Type": "Succeed"}}}
        return [found.message for found in validate({**definition, "QueryLanguage": "JSONata"})]

    assert choosing(True) == choosing("{% $states.input.done %}") == []
    assert choosing("true") == ["JSONata string must start with {% and end with %}"]
    assert choosing(1) == ["Expected value of type [STRING]"]


@pytest.mark.covers("A2.7")
def test_numbers_may_be_expressions():
    task = {"Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "TimeoutSeconds": "{% $t %}"}
    assert problems(Type="Task", **task) == []
    text = "JSONata string must start with {% and end with %}"
    assert problems(Type="Wait", Seconds="5") == [("SCHEMA_VALIDATION_FAILED", text, "/States/S/Seconds")]


@pytest.mark.covers("A4.17")
@pytest.mark.parametrize(
    ("state", "places"),
    [
        ({"Type": "Pass", "Output": "{% $states.result %}"}, ["/States/S/Output"]),
        ({"Type": "Pass", "Assign": {"x": "{% $states.result.y %}"}}, ["/States/S/Assign/x"]),
        ({"Type": "Wait", "Seconds": 1, "Output": ["{% $states.result %}"]}, ["/States/S/Output[0]"]),
        ({"Type": "Succeed", "Output": "{% $states.result %}"}, ["/States/S/Output"]),
        (
            {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage",
                "Arguments": {"QueueUrl": "q", "MessageBody": "{% $states.result %}"},
            },
            ["/States/S/Arguments/MessageBody"],
        ),
        (
            {
                "Type": "Task",
                "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f",
                "Output": "{% $states.result %}",
                "Assign": {"x": "{% $states.result %}"},
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "S", "Output": "{% $states.result %}"}],
            },
            ["/States/S/Catch[0]/Output"],
        ),
    ],
)
def test_a_result_exists_where_a_state_has_one(state, places):
    # AWS's guide (workflow variables) says where; the text is that of errorOutput, by likeness.
    ends = {} if state["Type"] == "Succeed" else {"End": True}
    definition = {"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": {**state, **ends}}}
    found = [problem for problem in validate(definition) if problem.severity == "ERROR"]
    assert [problem.location for problem in found] == places
    assert all(problem.message == "Field '$states.result' does not exist." for problem in found)
