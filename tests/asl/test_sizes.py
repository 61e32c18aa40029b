"""What a state's fields put together has a bound before it has a text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell._core import json_size
from stepwell.asl.errors import AslError
from stepwell.asl.intrinsics.functions import IntrinsicError
from stepwell.asl.json import dumps
from stepwell.asl.jsonata_template import compile_template as compile_jsonata
from stepwell.asl.scope import Scope
from stepwell.asl.sizes import MAX_VALUE_BYTES
from stepwell.asl.template import compile_template

LARGE = "y" * (MAX_VALUE_BYTES // 16)
MANY = 17
"""As many times that value as are too large."""

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner)
)


def scope(value: Any) -> Scope:
    return Scope(value, {}, dict)


@given(VALUES)
def test_a_size_is_at_most_the_texts_and_ends_beyond_what_was_asked(value: Any) -> None:
    size = json_size(value, 1 << 40)
    assert size <= len(dumps(value))
    assert json_size(value, size) == size
    assert json_size(value, size - 1) >= size - 1


TEMPLATES: dict[str, Any] = {
    "fields": {f"f{n}.$": "$" for n in range(MANY)},
    "array": [{"f.$": "$"} for _ in range(MANY)],
    "nested": [[{"f.$": "$"}] * MANY],
}
CALLS = {
    "array": f"States.Array({', '.join(['$'] * MANY)})",
    "format": f"States.Format('{'{}' * MANY}', {', '.join(['$'] * MANY)})",
    "text of an array": f"States.JsonToString(States.Array({', '.join(['$'] * MANY)}))",
}
EXPRESSIONS: dict[str, Any] = {
    "fields": {f"f{n}": "{% $states.input %}" for n in range(MANY)},
    "array": ["{% $states.input %}"] * MANY,
    "nested": [["{% $states.input %}"] * MANY],
}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_the_fields_of_a_payload_template_have_a_bound(template: Any) -> None:
    with pytest.raises(AslError, match="DataLimitExceeded"):
        compile_template(template)(scope(LARGE))
    assert compile_template(template)(scope("small"))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_an_intrinsic_function_makes_has_a_bound(call: str) -> None:
    template = compile_template({"f.$": call})
    with pytest.raises((AslError, IntrinsicError), match=f"more than {MAX_VALUE_BYTES} bytes"):
        template(scope(LARGE))
    assert template(scope("small"))


@pytest.mark.parametrize("template", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_the_expressions_of_a_field_have_a_bound(template: Any) -> None:
    evaluate = compile_jsonata(template, "Output").evaluate
    assert evaluate is not None
    with pytest.raises(AslError, match="DataLimitExceeded"):
        evaluate({"input": LARGE}, {})
    assert evaluate({"input": "small"}, {})
