"""Definitions in YAML: JSON's types, keys that stand once."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.errors import InvalidDefinition

yaml = pytest.importorskip("yaml", reason="the extra yaml is not installed")

from stepwell.asl.yaml import load_yaml  # noqa: E402

DEFINITION = """
StartAt: Wait
States:
  Wait:            # until the new year
    Type: Wait
    Timestamp: 2030-01-01T00:00:00Z
    Next: Done
  Done: {Type: Succeed}
"""


def test_a_definition_in_yaml_is_the_same_as_in_json():
    wait = {"Type": "Wait", "Timestamp": "2030-01-01T00:00:00Z", "Next": "Done"}
    assert load_yaml(DEFINITION) == {"StartAt": "Wait", "States": {"Wait": wait, "Done": {"Type": "Succeed"}}}


@pytest.mark.covers("A17")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\na: 2", "the key 'a' stands twice (line 2, column 1)"),
        ("a: .nan", ".nan is not a JSON number"),
        ("a: !!binary aGk=", "has no place in JSON"),
        ("a: &x {b: 1}\nc: {<<: *x}", "the merge key '<<' is not supported"),
        ("? [a]\n: 1", "a key must be a string"),
        ("&x [*x]", "nested too deeply, or holds itself"),
        ("a: [", "not valid YAML"),
        ("a: !!int x", "'x' is no int"),
        ("a: !!python/object:os.system {}", "has no place in JSON"),
    ],
)
def test_what_json_cannot_hold_is_refused(text, problem):
    with pytest.raises(InvalidDefinition) as raised:
        load_yaml(text)
    assert problem in str(raised.value)


def test_aliases_cannot_make_a_small_text_a_huge_value():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 8)]
    with pytest.raises(InvalidDefinition, match="aliases make more than"):
        load_yaml("\n".join(lines))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_yaml_written_from_a_value_reads_as_the_value(value):
    assert load_yaml(yaml.safe_dump(value)) == value
    assert json.loads(json.dumps(load_yaml(yaml.safe_dump(value)))) == value


@given(st.text())
def test_any_text_is_a_value_or_refused(text):
    with contextlib.suppress(InvalidDefinition):
        json.dumps(load_yaml(text), allow_nan=False)
