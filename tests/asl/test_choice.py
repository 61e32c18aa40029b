"""The rules of a Choice state: operators, order, types, combinations."""

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.asl.choice import OPERATORS, compare_strings, compile_rule, wildcard
from stepwell.asl.errors import AslError
from stepwell.asl.scope import Scope

EARLY, LATE = "2024-01-01T10:00:00Z", "2024-01-01T10:00:01Z"


def holds(rule, document, **variables):
    return compile_rule(rule)(Scope(document, variables, lambda: {"Execution": {"Name": "run-1"}}))


def compares(name, left, right):
    """Whether ``left name right``, by a literal and by a path: they must agree."""
    by_literal = holds({"Variable": "$.v", name: right}, {"v": left})
    by_path = holds({"Variable": "$.v", f"{name}Path": "$.w"}, {"v": left, "w": right})
    assert by_literal is by_path
    return by_literal


@pytest.mark.covers("A9.48")
def test_there_are_39_operators():
    assert len(OPERATORS) == 39


@pytest.mark.covers("A9.48")
@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [("String", "a", "b"), ("String", "", "a"), ("Numeric", -1, 0.5), ("Numeric", 1, 2), ("Timestamp", EARLY, LATE)],
)
def test_comparisons(kind, low, high):
    expected = {
        "Equals": (False, True, False),
        "LessThan": (True, False, False),
        "GreaterThan": (False, False, True),
        "LessThanEquals": (True, True, False),
        "GreaterThanEquals": (False, True, True),
    }
    for name, (below, same, above) in expected.items():
        assert compares(kind + name, low, high) is below
        assert compares(kind + name, low, low) is same
        assert compares(kind + name, high, low) is above


@pytest.mark.covers("A9.48")
def test_booleans():
    assert compares("BooleanEquals", True, True)
    assert compares("BooleanEquals", False, False)
    assert not compares("BooleanEquals", False, True)


@pytest.mark.covers("A9.50")
@pytest.mark.parametrize("name", [name for name in OPERATORS if name.endswith(("Equals", "Than"))])
@pytest.mark.parametrize("value", [None, True, 0, "", [], {}, [1], {"a": 1}])
def test_another_type_makes_a_rule_false(name, value):
    matching = {"S": str, "N": int, "T": str, "B": bool}[name[0]]
    if type(value) is matching:
        return
    right = {"S": "", "N": 0, "T": EARLY, "B": True}[name[0]]
    assert not compares(name, value, right)
    assert not holds({"Variable": "$.v", f"{name}Path": "$.w"}, {"v": right, "w": value})


@pytest.mark.covers("A9.50")
def test_integers_and_doubles_are_one_type_and_booleans_are_none_of_them():
    assert compares("NumericEquals", 0, 0.0)
    assert not compares("NumericEquals", False, 0)
    assert not compares("BooleanEquals", 1, True)


@pytest.mark.covers("A9.49")
def test_strings_are_ordered_by_utf16_code_units():
    # U+1F600 is the surrogates D83D DE00, and so before U+FF21 although its code point is greater.
    assert compares("StringLessThan", "😀", "Ａ")
    assert compares("StringGreaterThan", "Ａ", "😀")
    assert compares("StringGreaterThan", "é😀", "éa")


@pytest.mark.covers("A9.49")
@given(st.text(), st.text())
def test_string_order_is_that_of_java(left, right):
    def units(text):
        encoded = text.encode("utf-16-be", "surrogatepass")
        return [encoded[at : at + 2] for at in range(0, len(encoded), 2)]

    assert compare_strings(operator.lt)(left, right) is (units(left) < units(right))


@pytest.mark.covers("A9.51")
def test_timestamps_compare_as_instants():
    assert compares("TimestampEquals", "2024-01-01T12:00:00+02:00", "2024-01-01T10:00:00Z")
    assert compares("TimestampLessThan", "2024-01-01T10:00:00.1Z", "2024-01-01T10:00:00.25Z")
    assert not compares("TimestampEquals", "2024-01-01T10:00:00", EARLY)
    assert not compares("TimestampLessThanEquals", "yesterday", EARLY)


@pytest.mark.covers("A9.48")
@pytest.mark.parametrize(
    ("name", "of_it", "not_of_it"),
    [
        ("IsNull", [None], [0, "", False, []]),
        ("IsNumeric", [0, 1.5, -1], [True, "1", None]),
        ("IsString", ["", "x", EARLY], [0, None, ["x"]]),
        ("IsBoolean", [True, False], [0, "true", None]),
        ("IsTimestamp", [EARLY, "2012-10-09T19:00:55+01:00"], ["2012-10-09T19:00:55", "2023-02-24", 5, None]),
    ],
)
def test_type_tests_and_their_opposites(name, of_it, not_of_it):
    for wanted in (True, False):
        assert [holds({"Variable": "$.v", name: wanted}, {"v": value}) for value in of_it] == [wanted] * len(of_it)
        assert [holds({"Variable": "$.v", name: wanted}, {"v": v}) for v in not_of_it] == [not wanted] * len(not_of_it)


@pytest.mark.covers("A9.50")
def test_an_explicit_null_is_present():
    assert holds({"Variable": "$.v", "IsPresent": True}, {"v": None})
    assert holds({"Variable": "$.v", "IsPresent": False}, {})
    assert not holds({"Variable": "$.v.w", "IsPresent": True}, {"v": None})
    assert not holds({"Variable": "$.v[3]", "IsPresent": True}, {"v": [1]})
    assert holds({"Variable": "$.v[0]", "IsPresent": True}, {"v": [None]})


@pytest.mark.covers("A9.50")
@pytest.mark.parametrize("operator_name", ["StringEquals", "IsNull", "IsString", "NumericLessThan", "StringMatches"])
def test_a_missing_path_is_states_runtime(operator_name):
    rule = {"Variable": "$.gone", operator_name: {"N": 1, "I": True, "S": "x"}[operator_name[0]]}
    with pytest.raises(AslError) as raised:
        holds(rule, {})
    assert raised.value.error == "States.Runtime"
    assert raised.value.interpreter
    assert raised.value.cause == "Invalid path '$.gone': The choice state's condition path references an invalid value."


@pytest.mark.covers("A9.50")
def test_a_missing_right_hand_path_is_states_runtime():
    with pytest.raises(AslError, match=r"Invalid path '\$\.gone'"):
        holds({"Variable": "$.v", "NumericEqualsPath": "$.gone"}, {"v": 1})


@pytest.mark.covers("A9.50")
def test_is_present_guards_what_follows_it():
    guarded = {"And": [{"Variable": "$.v", "IsPresent": True}, {"Variable": "$.v", "NumericEquals": 1}]}
    assert not holds(guarded, {})
    assert holds(guarded, {"v": 1})
    with pytest.raises(AslError):
        holds({"And": list(reversed(guarded["And"]))}, {})


@pytest.mark.covers("A9.50")
def test_or_stops_at_the_first_that_holds():
    rule = {"Or": [{"Variable": "$.v", "IsPresent": True}, {"Variable": "$.gone", "IsNull": True}]}
    assert holds(rule, {"v": 1})
    with pytest.raises(AslError):
        holds(rule, {})


@pytest.mark.covers("A9.48")
@given(
    st.recursive(
        st.booleans(), lambda rules: st.tuples(st.sampled_from(("And", "Or", "Not")), st.lists(rules, min_size=1))
    )
)
def test_combinations_nest(tree):
    def rule(node):
        if isinstance(node, bool):
            return {"Variable": "$", "IsString": node}
        kind, parts = node
        return {kind: rule(parts[0])} if kind == "Not" else {kind: [rule(part) for part in parts]}

    def expected(node):
        if isinstance(node, bool):
            return node
        kind, parts = node
        if kind == "Not":
            return not expected(parts[0])
        return (all if kind == "And" else any)(expected(part) for part in parts)

    assert holds(rule(tree), "text") is expected(tree)


@pytest.mark.covers("A9.49")
@pytest.mark.parametrize(
    ("pattern", "text", "matched"),
    [
        ("log-*.txt", "log-2024.txt", True),
        ("log-*.txt", "log-.txt", True),
        ("log-*.txt", "xlog-1.txt", False),
        ("*", "", True),
        ("*", "a\nb", True),
        ("a*b*c", "a-b-b-c", True),
        (r"a\*b", "a*b", True),
        (r"a\*b", "axb", False),
        (r"a\\*", r"a\xyz", True),
        (r"a\\\*", r"a\*", True),
        (r"a\b", r"a\b", True),
        ("a.b", "axb", False),
        ("[ab]?", "[ab]?", True),
    ],
)
def test_wildcards(pattern, text, matched):
    assert (wildcard(pattern).fullmatch(text) is not None) is matched
    assert holds({"Variable": "$.v", "StringMatches": pattern}, {"v": text}) is matched


def test_string_matches_only_strings():
    assert not holds({"Variable": "$.v", "StringMatches": "*"}, {"v": 5})


@pytest.mark.covers("A3.14")
def test_variables_and_the_context_object_may_be_compared():
    assert holds({"Variable": "$guess", "StringEqualsPath": "$answer"}, {}, guess="x", answer="x")
    assert holds({"Variable": "$$.Execution.Name", "StringEquals": "run-1"}, {})
    assert holds({"Variable": "$order.total", "NumericGreaterThan": 5}, {}, order={"total": 6})
    assert not holds({"Variable": "$unset", "IsPresent": True}, {})
