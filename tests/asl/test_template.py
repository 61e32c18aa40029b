"""Payload templates (ASL A3.12)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.asl.errors import AslError, ExpressionSyntaxError
from stepwell.asl.scope import Scope
from stepwell.asl.template import compile_template, compile_value_expression

CONTEXT = {"Execution": {"Id": "arn"}, "Map": {"Item": {"Index": 3}}}


def fill(template, document, **variables):
    return compile_template(template)(Scope(document, variables, lambda: CONTEXT))


@pytest.mark.covers("A3.12")
def test_expressions_at_any_depth_are_replaced_and_the_rest_stays():
    template = {
        "flagged": True,
        "first.$": "$.vals[0]",
        "parts": {"last3.$": "$.vals[3:]", "text": "$.vals"},
        "list": [{"id.$": "$$.Execution.Id"}, "$.vals", [{"v.$": "$v.x"}], 1],
        "all.$": "$",
        "call.$": "States.Format('{}!', $.name)",
    }
    document = {"vals": [0, 10, 20, 30, 40, 50], "name": "ann"}
    assert fill(template, document, v={"x": 9}) == {
        "flagged": True,
        "first": 0,
        "parts": {"last3": [30, 40, 50], "text": "$.vals"},
        "list": [{"id": "arn"}, "$.vals", [{"v": 9}], 1],
        "all": document,
        "call": "ann!",
    }


@pytest.mark.covers("A3.12")
def test_the_fields_keep_their_order():
    assert list(fill({"b.$": "$", "a": 1, "c.$": "$", "d": 2}, 0)) == ["b", "a", "c", "d"]


@pytest.mark.covers("A3.12")
def test_a_template_without_expressions_is_constant():
    template = compile_template({"a": [{"b": "$.x"}], "c": {}})
    assert template.constant
    assert template.value == {"a": [{"b": "$.x"}], "c": {}}
    assert template(Scope(None, {}, dict)) == template.value
    assert not compile_template({"a": [{"b.$": "$.x"}]}).constant


@pytest.mark.covers("A3.12")
def test_filling_a_template_changes_neither_it_nor_an_earlier_result():
    template = compile_template({"a": [{"b.$": "$"}], "c": {"d.$": "$"}})
    first = template(Scope(1, {}, dict))
    second = template(Scope(2, {}, dict))
    assert first == {"a": [{"b": 1}], "c": {"d": 1}}
    assert second == {"a": [{"b": 2}], "c": {"d": 2}}


@pytest.mark.covers("A3.12")
@pytest.mark.parametrize("template", [{"a": 1, "a.$": "$"}, {"x": [{"a.$": "$", "a": None}]}])
def test_a_field_given_twice_is_refused(template):
    with pytest.raises(ExpressionSyntaxError, match="given twice"):
        compile_template(template)


@pytest.mark.covers("A3.12")
@pytest.mark.parametrize("value", [1, None, {"x": 1}, ["$"], "x", "", "States.Nope()", "$.", "{% $x %}"])
def test_an_expression_that_is_none_is_refused(value):
    with pytest.raises(ExpressionSyntaxError):
        compile_template({"deep": [{"a.$": value}]})


@pytest.mark.covers("A3.11")
@pytest.mark.parametrize(
    ("template", "document", "cause"),
    [
        (
            {"address.$": "$.application.address"},
            {"flagged": False},
            "The JSONPath '$.application.address' specified for the field 'address.$' could not be found in the input "
            "'{\"flagged\":false}'",
        ),
        (
            {"Payload": {"deep": [{"x.$": "$.no"}]}},
            [1.0],
            "The JSONPath '$.no' specified for the field 'x.$' could not be found in the input '[1]'",
        ),
        (
            {"c.$": "$$.Nope"},
            {},
            "The JSONPath '$$.Nope' specified for the field 'c.$' could not be found in the input '{}'",
        ),
    ],
)
def test_a_path_that_finds_nothing_names_its_field_and_the_input(template, document, cause):
    with pytest.raises(AslError) as caught:
        fill(template, document)
    assert (caught.value.error, caught.value.cause) == ("States.Runtime", cause)


@pytest.mark.covers("A3.11")
def test_an_index_past_the_end_gives_null_and_a_filter_without_match_an_empty_array():
    assert fill({"a.$": "$.l[9]", "b.$": "$.l[?(@.x)]"}, {"l": [1]}) == {"a": None, "b": []}


@pytest.mark.covers("A3.12")
def test_a_value_expression_alone():
    scope = Scope({"a": 1}, {"v": 2}, lambda: CONTEXT)
    texts = ["$", "$.a", "$v", "$$.Map.Item.Index", "States.MathAdd($.a, $v)"]
    assert [compile_value_expression(text, "f.$")(scope) for text in texts] == [{"a": 1}, 1, 2, 3, 3]


def test_a_template_of_any_depth_compiles_or_is_refused():
    template = {"x.$": "$"}
    for _ in range(5_000):
        template = {"a": template}
    with pytest.raises(ExpressionSyntaxError, match="too deeply"):
        compile_template(template)


templates = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(st.sampled_from("abc"), values, max_size=3)
        | st.dictionaries(
            st.sampled_from(["d.$", "e.$"]), st.sampled_from(["$", "$.a", "$$.Map", "$v", "States.UUID()"])
        )
    ),
)


@given(templates, st.dictionaries(st.sampled_from("ab"), st.integers()))
def test_filling_raises_nothing_but_asl_errors(template, document):
    try:
        filled = fill(template, document)
    except AslError:
        return
    assert type(filled) is type(template)
