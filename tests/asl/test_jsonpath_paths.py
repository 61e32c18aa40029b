"""Paths of a definition: what they read, what they say when they find nothing, and where reference paths write."""

import contextlib
import copy
import re

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from stepwell.asl.errors import AslError, ExpressionSyntaxError
from stepwell.asl.paths import MISSING, compile_path, compile_reference_path
from stepwell.asl.scope import Scope

CONTEXT = {"Execution": {"Id": "arn", "Input": [1, 2]}, "State": {"Name": "S"}}


def scope(document, **variables):
    return Scope(document, variables, lambda: CONTEXT)


def read(text, document, **variables):
    return compile_path(text).evaluate(scope(document, **variables))


@pytest.mark.covers("A3.9", "A3.11")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$", {"a": {"b": {"c": 1}}, "l": [1, 2]}),
        ("$.a", {"b": {"c": 1}}),
        ("$.a.b", {"c": 1}),
        ("$.a.b.c", 1),
        ("$.l[1]", 2),
        ("$.l[*]", [1, 2]),
    ],
)
def test_a_path_reads_the_input(text, expected):
    assert read(text, {"a": {"b": {"c": 1}}, "l": [1, 2]}) == expected


@pytest.mark.covers("A3.12", "A14")
def test_a_double_dollar_reads_the_context_object():
    assert read("$$", {}) == CONTEXT
    assert read("$$.Execution.Id", {}) == "arn"
    assert read("$$.Execution.Input[(@.length-1)]", {}) == 2
    assert read("$$['State']['Name']", {}) == "S"


@pytest.mark.covers("A3.14")
def test_a_name_after_the_dollar_reads_a_workflow_variable():
    assert read("$total", {}, total=3) == 3
    assert read("$total.net[0]", {}, total={"net": [7]}) == 7
    assert read("$rows[?(@.id > 1)].id", {}, rows=[{"id": 1}, {"id": 2}]) == [2]
    assert read("$größe", {}, größe=1) == 1
    assert read("$_x1['y']", {}, _x1={"y": None}) is None


def test_the_context_object_is_made_on_first_use_and_once():
    made = []
    state = Scope({}, {}, lambda: made.append(1) or CONTEXT)
    compile_path("$.a").find(state)
    assert made == []
    narrowed = state.with_input({"a": 1})
    assert compile_path("$.a").evaluate(narrowed) == 1
    compile_path("$$").evaluate(narrowed)
    compile_path("$$.State").evaluate(narrowed)
    assert made == [1]


@pytest.mark.covers("A3.11", "A6.34")
@pytest.mark.parametrize(
    ("text", "document", "cause"),
    [
        ("$.no.such.result.path", {}, "Invalid path '$.no.such.result.path' : Missing property in path $['no']"),
        ("$.x", {"y": 1}, "Invalid path '$.x' : No results for path: $['x']"),
        (
            "$.x",
            None,
            "Unable to apply Path transformation to null or empty input.",
        ),
        (
            "$.l[0]",
            {"l": 5},
            "Invalid path '$.l[0]' : Filter: [0] can only be applied to arrays. Current context is: 5",
        ),
        ("$$.Map.Item", {}, "Invalid path '$.Map.Item' : Missing property in path $['Map']"),
        ("$gone", {}, "Invalid path '$gone' : No results for path: $"),
    ],
)
def test_a_path_that_finds_nothing_is_a_runtime_error_in_the_librarys_words(text, document, cause):
    with pytest.raises(AslError) as caught:
        read(text, document)
    assert caught.value.error == "States.Runtime"
    assert caught.value.cause.startswith(cause)
    assert caught.value.interpreter
    assert not caught.value.catchable


@pytest.mark.parametrize("text", ["", "a", "$x.", "$1", "$$.", "$$$", "$ .a", "$$x", "$a b"])
def test_what_is_no_path_is_refused(text):
    with pytest.raises(ExpressionSyntaxError):
        compile_path(text)


@pytest.mark.covers("A3.13")
@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("$", {"a": 1}, "NEW"),
        ("$.a", {"a": 1, "b": 2}, {"a": "NEW", "b": 2}),
        ("$.c", {"a": 1}, {"a": 1, "c": "NEW"}),
        ("$.x.y.z", {"a": 1}, {"a": 1, "x": {"y": {"z": "NEW"}}}),
        ("$.a.b", {"a": {"c": 1}}, {"a": {"c": 1, "b": "NEW"}}),
        ("$['a b'].c", {}, {"a b": {"c": "NEW"}}),
        ("$.l[1]", {"l": [1, 2, 3]}, {"l": [1, "NEW", 3]}),
        ("$.l[0].x", {"l": [{}]}, {"l": [{"x": "NEW"}]}),
        ("$[0]", [1], ["NEW"]),
    ],
)
def test_a_reference_path_sets_its_place_and_leaves_the_rest(path, root, expected):
    before = copy.deepcopy(root)
    assert compile_reference_path(path).set(root, "NEW") == expected
    assert root == before


@pytest.mark.covers("A3.13")
@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("$.a", "text"),
        ("$.a", [1]),
        ("$.a", None),
        ("$.a.b", {"a": 1}),
        ("$.a.b", {"a": None}),
        ("$.a[0]", {}),
        ("$.a[0]", {"a": {}}),
        ("$.a[1]", {"a": [1]}),
    ],
)
def test_a_place_that_cannot_be_is_a_result_path_match_failure(path, root):
    with pytest.raises(AslError) as caught:
        compile_reference_path(path).set(root, 1)
    assert caught.value.error == "States.ResultPathMatchFailure"
    assert caught.value.cause.startswith(f"Unable to apply ReferencePath {path} to input ")
    assert caught.value.catchable


@pytest.mark.covers("A3.13")
@pytest.mark.parametrize(
    "text", ["a", "$.a[*]", "$..a", "$.a[0:1]", "$.a[?(@.b)]", "$['a','b']", "$.a[(@.length-1)]", "$[1,2]"]
)
def test_a_reference_path_names_one_place(text):
    with pytest.raises(ExpressionSyntaxError):
        compile_reference_path(text)


def test_a_reference_path_reads_its_place():
    assert compile_reference_path("$.a[0].b").get({"a": [{"b": 1}]}) == 1
    assert compile_reference_path("$.a[0].b").get({"a": []}) is MISSING
    assert compile_reference_path("$").get(5) == 5


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.sampled_from("abcd"), values, max_size=4),
    max_leaves=20,
)
STEPS = """
    .a .b ['c'] [0] [-1] [9] [0,1] [1:] [:-1] [*] .* ..a ..* ..[0] ['a','b'] [?(@.a)] [?(!@.b)] [?(@.a==1)] [?(@>'a')]
    [?(@.a==x||@.b!=$.a)] [?(@=~/a.*/)] [(@.length-1)] .length() [?] $ [-3:2]
"""
steps = st.sampled_from([step.replace("\t", " ") for step in re.split(r"[ \n]+", STEPS.strip())])


@given(st.lists(steps, max_size=5).map("".join), documents)
def test_evaluating_raises_nothing_but_asl_errors(path, document):
    try:
        compiled = compile_path("$" + path)
    except ExpressionSyntaxError:  # a "$" in a row of them
        reject()
    for evaluate in (compiled.evaluate, compiled.finds_past_end):
        with contextlib.suppress(AslError):
            evaluate(scope(document))
    with contextlib.suppress(AslError):  # what a function says of its arguments
        assert compiled.query.problem(document)


@given(st.text("$@.[]()?*,:'\"ab01 =!<>&|/\\-~{}", max_size=40))
def test_parsing_refuses_or_accepts_any_text(text):
    with contextlib.suppress(ExpressionSyntaxError):
        compile_path("$" + text)


names = st.text(st.characters(exclude_characters="'[]", exclude_categories=["Cs"]), max_size=5)


@given(st.lists(names, min_size=1, max_size=4), documents, documents)
def test_what_a_reference_path_sets_it_reads(keys, root, value):
    path = compile_reference_path("$" + "".join(f"['{key}']" for key in keys))
    try:
        updated = path.set(root, value)
    except AslError:
        return
    assert path.get(updated) == value
