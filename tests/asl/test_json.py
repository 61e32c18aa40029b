"""JSON text and values: what numbers become (ASL A3.15), and what is refused."""

import contextlib
import json as stdlib_json
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.asl.json import canonical, dumps, loads, number_text, number_value
from stepwell.errors import InvalidInput


@pytest.mark.covers("A3.15")
@pytest.mark.parametrize(
    ("text", "value", "printed"),
    [
        ("9223372036854775807", 2**63 - 1, "9223372036854775807"),
        ("-9223372036854775808", -(2**63), "-9223372036854775808"),
        ("9223372036854775808", 2.0**63, "9.223372036854776E18"),
        ("123456789012345678901234567890", 123456789012345678901234567890.0, "1.2345678901234568E29"),
        ("1.0", 1, "1"),
        ("1e2", 100, "100"),
        ("-2.50", -2.5, "-2.5"),
        ("1.5e300", 1.5e300, "1.5E300"),
        ("0.0000001", 1e-7, "1.0E-7"),
        ("0.1", 0.1, "0.1"),
    ],
)
def test_numbers(text, value, printed):
    loaded = loads(text)
    assert loaded == value
    assert type(loaded) is type(value)
    assert dumps(loaded).decode() == printed


@pytest.mark.covers("A3.15")
def test_numbers_deep_in_a_value_and_texts_that_look_like_them():
    assert loads('{"a":[1.0,{"b":1e1}],"c":"1.0 e5 12345678901234567890"}') == {
        "a": [1, {"b": 10}],
        "c": "1.0 e5 12345678901234567890",
    }
    assert loads('{"a":1.00,"b":[10.0e1,3e+2\n],"c":-0.0}') == {"a": 1, "b": [100, 300], "c": 0}
    assert dumps({"a": 3.0, "b": None, "c": "7.0"}) == b'{"a":3,"b":null,"c":"7.0"}'


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "Infinity", "[1,]", "'a'", '{"a":1} x', "1e999", "1" * 500, "[" * 100_000]
)
def test_what_is_no_json_is_refused(text):
    with pytest.raises(InvalidInput):
        loads(text)


def test_bytes_that_are_no_utf8_are_refused():
    with pytest.raises(InvalidInput):
        loads(b'"\xff"')


@pytest.mark.parametrize("value", [float("nan"), [None, float("inf")], object(), {"a": {1: object()}}, 10**400])
def test_what_has_no_json_form_is_refused(value):
    with pytest.raises(InvalidInput):
        dumps(value)


@dataclass
class Order:
    items: list[object]


class Parcel(msgspec.Struct):
    order: object


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [{"b": object()}]}, r" at \$\.a\[0\]\.b: Objects of type object are not supported"),
        ([1, {"a b": [float("nan")]}], r" at \$\[1\]\['a b'\]\[0\]: nan is not a JSON number"),
        ({"a": {1: (0, 10**400)}}, r" at \$\.a\[1\]\[1\]: int too large"),
        ({"order": Order([1, {2, object}])}, r" at \$\.order\.items\[1\]: "),
        ([Parcel(Parcel("\ud800"))], r" at \$\[0\]\.order\.order: "),
        ({"a": {object(): 1}}, r" at \$\.a: "),
        (object(), r"This value has no JSON form: Objects of type object are not supported\.$"),
    ],
)
def test_the_place_of_what_has_no_json_form_is_told(value, place):
    with pytest.raises(InvalidInput, match=place):
        dumps(value)


def test_a_value_without_end_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(InvalidInput):
        dumps(endless)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1"),
        (1.5, "1.5"),
        (12345678.5, "1.23456785E7"),
        (1e-4, "1.0E-4"),
        (-2.5e-10, "-2.5E-10"),
        (2**64, "1.8446744073709552E19"),
    ],
)
def test_a_number_in_a_message_is_printed_as_java_prints_it(value, text):
    assert number_text(value) == text


def test_number_texts():
    assert number_value("12") == 12
    assert number_value("-1.5e1") == -15
    assert [number_value(text) for text in ("", "-", "1e999", "1.2.3", "9" * 500)] == [None] * 5


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
)


@given(values)
def test_values_survive_the_round_trip(value):
    text = dumps(value)
    assert loads(text) == value
    assert stdlib_json.loads(text) == value


@given(st.dictionaries(st.text(), st.integers() | st.booleans(), min_size=2))
def test_canonical_bytes_do_not_depend_on_the_order_of_fields(value):
    assert canonical(value) == canonical(dict(reversed(value.items())))
    assert canonical([1, True]) != canonical([1, 1])
    assert canonical(1.0) == canonical(1)


@given(st.text(max_size=30))
def test_any_text_loads_or_is_refused(text):
    with contextlib.suppress(InvalidInput):
        loads(text)
