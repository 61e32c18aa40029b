"""Whatever is given, validation answers: it never raises anything but InvalidDefinition, and says one thing twice."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.asl.definition import compile_definition
from stepwell.asl.lints import lint
from stepwell.asl.validate import ERROR, check_definition, validate
from stepwell.asl.validate.fields import OPERATORS, RETRIER_FIELDS, STATE_FIELDS, STATE_TYPES
from stepwell.asl.variable_references import variable_references
from stepwell.errors import InvalidDefinition

FIELDS = sorted({name for names in STATE_FIELDS.values() for name in names} | RETRIER_FIELDS | set(OPERATORS[:6]))
TEXTS = st.sampled_from(
    ["$", "$.a", "$$.Execution.Id", "$x", "A", "B", "{% $states.input.a %}", "{% (", "a.$", "States.UUID()"]
)
LEAVES = st.none() | st.booleans() | st.integers(-2, 2**65) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
KEYS = st.sampled_from([*FIELDS, "States", "StartAt", "ProcessorConfig", "Mode", "ReaderConfig", "x.$", "x"]) | st.text(
    max_size=3
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
STATES = st.builds(
    lambda kind, fields: {**fields, "Type": kind},
    st.sampled_from(STATE_TYPES),
    st.dictionaries(st.sampled_from(FIELDS), VALUES),
)
MACHINES = st.fixed_dictionaries(
    {"StartAt": st.sampled_from("AB"), "States": st.dictionaries(st.sampled_from("AB"), STATES | VALUES, max_size=2)},
    optional={"QueryLanguage": st.sampled_from(["JSONPath", "JSONata"]), "TimeoutSeconds": VALUES},
)


@given(MACHINES | VALUES)
@settings(deadline=None, max_examples=300)
def test_any_json_is_judged(value):
    found = validate(json.dumps(value))
    assert all(str(problem) for problem in found)
    if isinstance(value, dict):
        assert validate(value) == found
        if any(problem.severity == ERROR for problem in found):
            with pytest.raises(InvalidDefinition) as raised:
                check_definition(value)
            assert list(raised.value.diagnostics) == found
        else:
            checked = check_definition(value)
            lint(checked)
            variable_references(checked)
            assert compile_definition(value).start_at == value["StartAt"]


@given(st.text() | st.binary())
@settings(deadline=None)
def test_any_text_is_judged(text):
    assert validate(text)


@given(MACHINES, st.data())
@settings(deadline=None)
def test_text_cut_anywhere_is_not_json(value, data):
    text = json.dumps(value)
    end = data.draw(st.integers(0, len(text) - 1))
    assert any(problem.severity == ERROR for problem in validate(text[:end]))
