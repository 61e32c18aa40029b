"""Wait: until when, and what goes on."""

import pytest

from stepwell.asl.definition import Outcome
from stepwell.asl.timestamps import parse_timestamp

NOW = parse_timestamp("2026-01-01T00:00:00Z")
SECOND = 1_000_000


def wait(**fields):
    return {"Type": "Wait", **fields}


@pytest.mark.covers("A10.53")
@pytest.mark.parametrize(
    ("fields", "document", "seconds"),
    [
        ({"Seconds": 5}, {}, 5),
        ({"Seconds": 0}, {}, 0),
        ({"SecondsPath": "$.s"}, {"s": 3}, 3),
        ({"SecondsPath": "$.s"}, {"s": 0}, 0),
        ({"InputPath": "$.in", "SecondsPath": "$.s"}, {"in": {"s": 2}}, 2),
        ({"Timestamp": "2026-01-01T00:00:07Z"}, {}, 7),
        ({"TimestampPath": "$.t"}, {"t": "2026-01-01T01:00:09+01:00"}, 9),
        ({"TimestampPath": "$.t"}, {"t": "2020-01-01T00:00:00Z"}, 0),
        ({"QueryLanguage": "JSONata", "Seconds": "{% $states.input.s * 2 %}"}, {"s": 3}, 6),
        ({"QueryLanguage": "JSONata", "Seconds": 4}, {}, 4),
        ({"QueryLanguage": "JSONata", "Timestamp": "{% $states.input.t %}"}, {"t": "2026-01-01T00:00:01.5Z"}, 1.5),
        ({"QueryLanguage": "JSONata", "Timestamp": "2026-01-01T00:00:08Z"}, {}, 8),
    ],
)
def test_when_it_is_over(compile_state, scope, fields, document, seconds):
    state = compile_state(wait(**fields))
    assert state.due(scope(document), NOW) == NOW + seconds * SECOND


@pytest.mark.covers("A10.53", "A6.35")
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (-1, "references a negative value: $.input.s == -1"),
        (1.5, "cannot be parsed as a long value: $.input.s == 1.5"),
        (-1.5, "cannot be parsed as a long value: $.input.s == -1.5"),
        ("soon", "cannot be parsed as a long value: $.input.s == soon"),
        ({}, "cannot be parsed as a long value: $.input.s == {}"),
    ],
)
def test_seconds_by_path_must_be_a_whole_number(compile_state, scope, fails, value, problem):
    state = compile_state(wait(SecondsPath="$.input.s"))
    expected = ("States.Runtime", f"The SecondsPath parameter {problem}", None)
    assert fails(state.due, scope({"input": {"s": value}}), NOW) == expected


@pytest.mark.covers("A10.53", "A6.35")
@pytest.mark.parametrize("value", ["2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "tomorrow", "2026-02-30T00:00:00Z"])
def test_timestamps_by_path_must_be_rfc3339(compile_state, scope, fails, value):
    state = compile_state(wait(TimestampPath="$.t"))
    cause = (
        "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: "
        f"$.t == {value}"
    )
    assert fails(state.due, scope({"t": value}), NOW) == ("States.Runtime", cause, None)


def test_a_wait_longer_than_aws_counts_is_refused(compile_state, scope, fails):
    state = compile_state(wait(TimestampPath="$.t"))
    cause = "Wait state delay is too long."
    assert fails(state.due, scope({"t": "2094-06-01T00:00:00Z"}), NOW) == ("States.Runtime", cause, None)
    assert state.due(scope({"t": "2093-12-31T00:00:00Z"}), NOW) > NOW


@pytest.mark.covers("A4.23")
@pytest.mark.parametrize("expression", ["{% -1 %}", "{% 1.5 %}", "{% 'x' %}"])
def test_expressions_that_give_no_seconds(compile_state, scope, fails, expression):
    state = compile_state(wait(QueryLanguage="JSONata", Seconds=expression))
    error, _, location = fails(state.due, scope({}), NOW)
    assert (error, location) == ("States.QueryEvaluationError", "Seconds")


@pytest.mark.covers("A4.23", "A10.53")
def test_expressions_that_give_no_timestamp(compile_state, scope, fails):
    state = compile_state(wait(QueryLanguage="JSONata", Timestamp="{% $states.input %}"))
    # R: AWS's text of 2016-12-05 21:29:29Z.
    cause = "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: "
    for text in ("soon", "2016-12-05 21:29:29Z", ""):
        assert fails(state.due, scope(text), NOW) == ("States.QueryEvaluationError", cause + text, "Timestamp")
    assert fails(state.due, scope(5), NOW) == (
        "States.QueryEvaluationError",
        "The JSONata expression '$states.input' specified for the field 'Timestamp' returned an unexpected result "
        "type. Expected 'string', but was 'number' for value: 5",
        "Timestamp",
    )


def test_the_input_goes_on(compile_state, scope):
    assert compile_state(wait(Seconds=1)).identity
    state = compile_state(wait(Seconds=1, InputPath="$.a", OutputPath="$.b", Assign={"x.$": "$.b", "y.$": "$x"}))
    assert not state.identity
    assert state.run(scope({"a": {"b": 2}}, x=1)) == Outcome(2, {"x": 2, "y": 1})
    jsonata = compile_state(wait(QueryLanguage="JSONata", Seconds=1, Output="{% $states.input.a %}"))
    assert jsonata.run(scope({"a": 3})) == Outcome(3, None)
