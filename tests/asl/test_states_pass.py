"""Pass and Succeed, in both query languages."""

import pytest

from stepwell.asl.definition import Outcome

UNDEFINED = "The JSONata expression '{}' specified for the field '{}' returned nothing (undefined)."


def test_a_bare_state_is_the_identity(compile_state, scope):
    for language in ("JSONPath", "JSONata"):
        for type_ in ("Pass", "Succeed"):
            state = compile_state(
                {"Type": type_, "QueryLanguage": language} if language == "JSONata" else {"Type": type_}
            )
            assert state.identity
            assert state.run(scope({"a": 1})) == Outcome({"a": 1}, None)


@pytest.mark.covers("A3.9")
def test_result_goes_to_result_path_of_the_raw_input(compile_state, scope):
    state = compile_state({"Type": "Pass", "InputPath": "$.a", "Result": [1], "ResultPath": "$.b.c"})
    assert not state.identity
    assert state.run(scope({"a": {"x": 1}})).output == {"a": {"x": 1}, "b": {"c": [1]}}


@pytest.mark.covers("A3.9")
def test_parameters_read_the_input_after_input_path(compile_state, scope):
    state = compile_state({"Type": "Pass", "InputPath": "$.a", "Parameters": {"y.$": "$.x", "z": "$.x"}})
    assert state.run(scope({"a": {"x": 7}})).output == {"y": 7, "z": "$.x"}


@pytest.mark.covers("A3.9")
def test_output_path_reads_what_result_path_made(compile_state, scope):
    state = compile_state({"Type": "Pass", "Result": 5, "ResultPath": "$.r", "OutputPath": "$.r"})
    assert state.run(scope({"a": 1})).output == 5


@pytest.mark.covers("A3.10")
@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({"InputPath": None}, {}),
        ({"OutputPath": None}, {}),
        ({"Result": 5, "ResultPath": None}, {"a": 1}),
        ({"InputPath": None, "ResultPath": "$.r"}, {"a": 1, "r": {}}),
    ],
)
def test_null_paths(compile_state, scope, fields, output):
    assert compile_state({"Type": "Pass", **fields}).run(scope({"a": 1})).output == output


@pytest.mark.covers("A3.13")
def test_result_path_onto_what_is_no_object(compile_state, scope, fails):
    state = compile_state({"Type": "Pass", "Result": 5, "ResultPath": "$.r"})
    error, _, _ = fails(state.run, scope([1]))
    assert error == "States.ResultPathMatchFailure"


@pytest.mark.covers("A3.11")
def test_a_missing_path_has_the_words_of_its_field(compile_state, scope, fails):
    parameters = compile_state({"Type": "Pass", "Parameters": {"b": {"x.$": "$.gone"}}})
    assert fails(parameters.run, scope({"a": 1})) == (
        "States.Runtime",
        "The JSONPath '$.gone' specified for the field 'x.$' could not be found in the input '{\"a\":1}'",
        None,
    )
    output_path = compile_state({"Type": "Pass", "OutputPath": "$.no.such.path"})
    assert fails(output_path.run, scope({"a": 1})) == (
        "States.Runtime",
        "Invalid path '$.no.such.path' : Missing property in path $['no']",
        None,
    )


@pytest.mark.covers("A5.26", "A5.27")
def test_assign_reads_the_result_and_the_variables_of_the_entry(compile_state, scope):
    assign = {"answer.$": "$.value", "old.$": "$answer", "constant": "$.value"}
    state = compile_state({"Type": "Pass", "Result": {"value": 42}, "ResultPath": "$.r", "Assign": assign})
    outcome = state.run(scope({"a": 1}, answer=1))
    assert outcome == Outcome({"a": 1, "r": {"value": 42}}, {"answer": 42, "old": 1, "constant": "$.value"})


@pytest.mark.covers("A5.27")
def test_output_path_reads_the_old_variable(compile_state, scope):
    fields = {"InputPath": "$answer", "ResultPath": "$.r", "OutputPath": "$answer", "Assign": {"answer": "new"}}
    assert compile_state({"Type": "Pass", **fields}).run(scope({}, answer=42)) == Outcome(42, {"answer": "new"})


def test_an_empty_assign_sets_nothing(compile_state, scope):
    state = compile_state({"Type": "Pass", "Assign": {}})
    assert state.identity
    assert state.run(scope(1)).assigned is None


@pytest.mark.covers("A3.12")
def test_the_context_object_is_read_with_two_dollars(compile_state, scope):
    state = compile_state({"Type": "Pass", "InputPath": "$$.Execution.Input"})
    assert state.run(scope({})).output == {"asked": 1}


@pytest.mark.covers("A4.16", "A4.17", "A5.27")
def test_jsonata_output_and_assign(compile_state, scope):
    state = compile_state(
        {
            "Type": "Pass",
            "QueryLanguage": "JSONata",
            "Output": {
                "sum": "{% $states.input.a + $b %}",
                "plain": "$states.input",
                "all": [1, "{% $states.input %}"],
            },
            "Assign": {"b": "{% $states.input.a %}", "c": "{% $b %}", "d": " {% no expression %} "},
        }
    )
    assert not state.identity
    assert state.run(scope({"a": 3}, b=4)) == Outcome(
        {"sum": 7, "plain": "$states.input", "all": [1, {"a": 3}]}, {"b": 3, "c": 4, "d": " {% no expression %} "}
    )


@pytest.mark.covers("A4.17")
def test_jsonata_reads_the_context_object(compile_state, scope):
    state = compile_state({"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.context.Execution.Id %}"})
    assert state.run(scope(None)).output == "run:1"
    whole = compile_state({"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states %}"})
    assert set(whole.run(scope(None)).output) == {"input", "context"}


def test_the_context_object_is_not_made_for_those_who_do_not_read_it(compile_state):
    from stepwell.asl.scope import Scope

    def never():
        raise AssertionError

    state = compile_state({"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input.a %}"})
    assert state.run(Scope({"a": 1}, {}, never)).output == 1


@pytest.mark.covers("A4.23", "A4.24")
@pytest.mark.parametrize(
    ("fields", "source", "field"),
    [
        ({"Output": "{% $gone %}"}, "$gone", "Output"),
        ({"Output": {"a": {"b": [[1, "{% $states.input.x %}"]]}}}, "$states.input.x", "Output/a/b[0][1]"),
        ({"Assign": {"r": "{% $gone %}"}}, "$gone", "Assign/r"),
    ],
)
def test_undefined_results_name_the_field(compile_state, scope, fails, fields, source, field):
    state = compile_state({"Type": "Pass", "QueryLanguage": "JSONata", **fields})
    cause = UNDEFINED.format(source, field)
    assert fails(state.run, scope({})) == ("States.QueryEvaluationError", cause, field)


@pytest.mark.covers("A4.23")
def test_null_is_a_value(compile_state, scope):
    state = compile_state({"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% null %}"})
    assert state.run(scope({})).output is None


@pytest.mark.covers("A4.23")
def test_a_thrown_error_keeps_its_code(compile_state, scope, fails):
    state = compile_state({"Type": "Pass", "QueryLanguage": "JSONata", "Output": {"a": "{% $sum('x') %}"}})
    error, cause, location = fails(state.run, scope({}))
    assert (error, location) == ("States.QueryEvaluationError", "Output/a")
    about = "The JSONata expression '$sum('x')' specified for the field 'Output/a'"
    assert cause.startswith(about + " threw an error during evaluation. T0412: ")


@pytest.mark.covers("A4.23")
def test_a_function_is_no_result(compile_state, scope, fails):
    state = compile_state({"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $f := function($x){$x} %}"})
    _, cause, _ = fails(state.run, scope({}))
    about = "The JSONata expression '$f := function($x){$x}' specified for the field 'Output'"
    assert cause == about + " returned an unsupported result type."


def test_succeed_shapes_its_output(compile_state, scope):
    assert (
        compile_state({"Type": "Succeed", "InputPath": "$.a", "OutputPath": "$.b"}).run(scope({"a": {"b": 3}})).output
        == 3
    )
    jsonata = compile_state({"Type": "Succeed", "QueryLanguage": "JSONata", "Output": "{% $states.input.a %}"})
    assert jsonata.run(scope({"a": 5})) == Outcome(5, None)
