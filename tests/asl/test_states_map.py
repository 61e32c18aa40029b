"""Map and Parallel: items, their inputs, limits, and what a distributed map reads and writes."""

import pytest

from stepwell.asl.definition import Outcome
from stepwell.asl.states.limits import UNLIMITED_COUNT

INNER = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
DISTRIBUTED = {**INNER, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}


def a_map(**fields):
    return {"Type": "Map", "ItemProcessor": INNER, **fields}


@pytest.mark.covers("A12.57")
def test_a_bare_map_iterates_over_its_input(compile_state, scope):
    for language in ({}, {"QueryLanguage": "JSONata"}):
        state = compile_state(a_map(**language))
        assert state.items(scope([1, "x"])).values == [1, "x"]
        assert state.item_identity
        assert state.result_identity
        assert not state.distributed
        assert state.item_input(scope([1, "x"]), 1, "x") == "x"
        assert state.max_concurrency(scope([])) == 0
        assert (state.tolerated_count(scope([])), state.tolerated_percentage(scope([]))) == (0, 0)
        assert state.processor.start_at == "I"


@pytest.mark.covers("A3.14", "A12.57")
def test_items_by_path(compile_state, scope):
    assert compile_state(a_map(InputPath="$.a", ItemsPath="$.b")).items(scope({"a": {"b": [1]}})).values == [1]
    assert compile_state(a_map(ItemsPath="$items")).items(scope({}, items=[2])).values == [2]
    assert compile_state(a_map(ItemsPath="$$.Execution.Input")).items(
        scope({}, context={"Execution": {"Input": [3]}})
    ).values == [3]


@pytest.mark.covers("A12.56")
def test_items_by_expression_and_by_literal(compile_state, scope):
    assert compile_state(a_map(QueryLanguage="JSONata", Items="{% $states.input.b %}")).items(
        scope({"b": [1]})
    ).values == [1]
    assert compile_state(a_map(QueryLanguage="JSONata", Items=[1, "{% $states.input %}"])).items(scope(5)).values == [
        1,
        5,
    ]
    by_key = compile_state(a_map(QueryLanguage="JSONata", Items={"a": "{% $states.input %}", "b": 2}))
    assert by_key.iterates_object
    assert by_key.items(scope(5)).are_members
    assert by_key.items(scope(5)).values == [{"Key": "a", "Value": 5}, {"Key": "b", "Value": 2}]


@pytest.mark.covers("A12.56")
@pytest.mark.parametrize(
    ("value", "shown"), [(1, "1"), ("x", '"x"'), (True, "true"), (None, "null"), ({"a": 1}, '{"a":1}')]
)
def test_what_is_no_array(compile_state, scope, fails, value, shown):
    default = compile_state(a_map(QueryLanguage="JSONata"))
    cause = f"Map state input must be an array but was: {shown}"
    assert fails(default.items, scope(value)) == ("States.QueryEvaluationError", cause, "")
    kind = {"1": "number", '"x"': "string", "true": "boolean", "null": "null"}.get(shown, "object")
    expressed = compile_state(a_map(QueryLanguage="JSONata", Items="{% $items %}"))
    cause = (
        "The JSONata expression '$items' specified for the field 'Items' returned an unexpected result type. "
        f"Expected 'array', but was '{kind}' for value: {shown}"
    )
    assert fails(expressed.items, scope({}, items=value)) == ("States.QueryEvaluationError", cause, "Items")
    by_path = compile_state(a_map())
    assert fails(by_path.items, scope(value)) == ("States.Runtime", 'Reference path "$" must point to array.', None)


@pytest.mark.covers("A12.57")
def test_a_path_into_the_context_object_is_shown_with_one_dollar(compile_state, scope, fails):
    state = compile_state(a_map(ItemsPath="$$.Execution"))
    assert fails(state.items, scope([]))[1] == 'Reference path "$.Execution" must point to array.'


@pytest.mark.covers("A12.57")
def test_the_item_selector_sees_the_effective_input_and_the_item(compile_state, scope):
    context = {"Map": {"Item": {"Index": 1, "Value": "b"}}}
    selector = {"value.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index", "all.$": "$.x"}
    for name in ("ItemSelector", "Parameters"):
        state = compile_state(a_map(InputPath="$.in", ItemsPath="$.items", **{name: selector}))
        assert not state.item_identity
        here = scope({"in": {"items": ["a", "b"], "x": 9}}, context=context)
        assert state.item_input(here, 1, "b") == {"value": "b", "index": 1, "all": 9}
    expressed = compile_state(
        a_map(QueryLanguage="JSONata", ItemSelector={"value": "{% $states.context.Map.Item.Value & $states.input.x %}"})
    )
    assert expressed.item_input(scope({"x": "!"}, context=context), 1, "b") == {"value": "b!"}


@pytest.mark.covers("A6.35")
def test_limits_by_path_and_expression(compile_state, scope):
    state = compile_state(a_map(MaxConcurrencyPath="$.c", ItemsPath="$.i"))
    assert state.max_concurrency(scope({"c": 3, "i": []})) == 3
    jsonata = {"QueryLanguage": "JSONata"}
    assert compile_state(a_map(**jsonata, MaxConcurrency="{% $states.input %}")).max_concurrency(scope(2)) == 2
    assert compile_state(a_map(**jsonata, ToleratedFailureCount="{% 4 %}")).tolerated_count(scope(2)) == 4
    assert compile_state(a_map(**jsonata, ToleratedFailurePercentage="{% 1 %}")).tolerated_percentage(scope(2)) == 1.0


@pytest.mark.covers("A12.63")
def test_either_tolerance_alone_decides(compile_state, scope):
    by_count = compile_state(a_map(ToleratedFailureCount=10))
    assert (by_count.tolerated_count(scope([])), by_count.tolerated_percentage(scope([]))) == (10, 100)
    by_percentage = compile_state(a_map(ToleratedFailurePercentage=0.5))
    limits = (by_percentage.tolerated_count(scope([])), by_percentage.tolerated_percentage(scope([])))
    assert limits == (UNLIMITED_COUNT, 0.5)
    both = compile_state(a_map(ToleratedFailurePercentagePath="$p", ToleratedFailureCountPath="$c"))
    assert (both.tolerated_count(scope([], c=1)), both.tolerated_percentage(scope([], p=30))) == (1, 30)
    assert both.sets_tolerated_count
    assert not by_count.sets_tolerated_percentage


@pytest.mark.covers("A6.35")
@pytest.mark.parametrize(
    ("fields", "method", "value", "cause"),
    [
        (
            {"MaxConcurrencyPath": "$.x"},
            "max_concurrency",
            {},
            'The MaxConcurrencyPath field refers to value "{}" which is not a valid integer: $.x',
        ),
        (
            {"MaxConcurrencyPath": "$.x"},
            "max_concurrency",
            "NoNumber",
            'The MaxConcurrencyPath field refers to value "NoNumber" which is not a valid integer: $.x',
        ),
        (
            {"ToleratedFailureCountPath": "$.x"},
            "tolerated_count",
            "No",
            'The ToleratedFailureCountPath field refers to value "No" which is not a valid integer: $.x',
        ),
        ({"ToleratedFailureCountPath": "$.x"}, "tolerated_count", -1, "ToleratedFailureCount cannot be negative."),
        (
            {"ToleratedFailurePercentagePath": "$.x"},
            "tolerated_percentage",
            "No",
            'The ToleratedFailurePercentagePath field refers to value "No" which is not a valid float: $.x',
        ),
        (
            {"ToleratedFailurePercentagePath": "$.x"},
            "tolerated_percentage",
            100.1,
            "ToleratedFailurePercentage must be between 0 and 100.",
        ),
    ],
)
def test_limits_of_the_wrong_kind(compile_state, scope, fails, fields, method, value, cause):
    state = compile_state(a_map(**fields))
    assert fails(getattr(state, method), scope({"x": value})) == ("States.Runtime", cause, None)


@pytest.mark.covers("A12.59", "A12.60", "A12.61", "A12.62")
def test_what_a_distributed_map_reads_batches_and_writes(compile_state, scope):
    state = compile_state(
        {
            "Type": "Map",
            "ItemProcessor": DISTRIBUTED,
            "Label": "L",
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "Parameters": {"Bucket.$": "$.bucket", "Key": "k"},
                "ReaderConfig": {"InputType": "JSON", "MaxItemsPath": "$most"},
            },
            "ItemBatcher": {
                "MaxItemsPerBatchPath": "$.batch",
                "MaxInputBytesPerBatch": 1000,
                "BatchInput": {"b.$": "$.bucket"},
            },
            "ResultWriter": {
                "Resource": "arn:aws:states:::s3:putObject",
                "Parameters": {"Bucket.$": "$.bucket", "Prefix": "p"},
            },
        }
    )
    assert (state.distributed, state.execution_type, state.label) == (True, "EXPRESS", "L")
    here = scope({"bucket": "B", "batch": "2"}, most="5")
    read = state.reader.evaluate(here)
    assert (read.resource.action, read.arguments, read.max_items) == ("getObject", {"Bucket": "B", "Key": "k"}, 5)
    assert state.batcher.evaluate(here) == (2, 1000, {"b": "B"})
    write = state.writer.evaluate(here)
    assert (write.resource.action, write.arguments) == ("putObject", {"Bucket": "B", "Prefix": "p"})


@pytest.mark.covers("A6 States.ItemReaderFailed", "A12.60")
def test_a_negative_number_of_items(compile_state, scope, fails):
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": {"Bucket": "b", "Key": "k"},
        "ReaderConfig": {"InputType": "JSON", "MaxItemsPath": "$.most"},
    }
    state = compile_state({"Type": "Map", "ItemProcessor": DISTRIBUTED, "ItemReader": reader})
    assert fails(state.reader.evaluate, scope({"most": -1})) == (
        "States.ItemReaderFailed",
        "field MaxItems must be positive",
        None,
    )
    assert state.reader.evaluate(scope({"most": 100_000_001})).max_items == 100_000_000
    assert state.reader.evaluate(scope({"most": 0})).max_items == 0


@pytest.mark.covers("A12.59")
def test_the_fields_of_a_jsonata_reader_are_named(compile_state, scope, fails):
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Arguments": {"Bucket": "{% $gone %}", "Key": "k"},
        "ReaderConfig": {"InputType": "JSON"},
    }
    state = compile_state(
        {"Type": "Map", "QueryLanguage": "JSONata", "ItemProcessor": DISTRIBUTED, "ItemReader": reader}
    )
    assert fails(state.reader.evaluate, scope({}))[2] == "ItemReader/Arguments/Bucket"


@pytest.mark.covers("A11.54")
def test_parallel_gives_every_branch_the_same_arguments(compile_state, scope):
    branches = [INNER, {"StartAt": "J", "States": {"J": {"Type": "Succeed"}}}]
    state = compile_state({"Type": "Parallel", "Branches": branches})
    assert state.arguments_identity
    assert [branch.start_at for branch in state.branches] == ["I", "J"]
    assert state.finish(scope(1), [2, 3]) == Outcome([2, 3], None)
    shaped = compile_state(
        {"Type": "Parallel", "Branches": branches, "Parameters": {"x.$": "$.a"}, "ResultSelector": {"first.$": "$[0]"}}
    )
    assert shaped.arguments(scope({"a": 4})) == {"x": 4}
    assert shaped.finish(scope({"a": 4}), [2, 3]).output == {"first": 2}
    jsonata = compile_state(
        {"Type": "Parallel", "QueryLanguage": "JSONata", "Branches": branches, "Arguments": "{% $states.input.a %}"}
    )
    assert jsonata.arguments(scope({"a": 6})) == 6
