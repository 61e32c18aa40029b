"""Whatever an expression says, it gives JSON, nothing, or an ``ExpressionError``, within its budget."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.asl.errors import ExpressionSyntaxError
from stepwell.asl.json import dumps, loads
from stepwell.asl.jsonata import UNDEFINED, ExpressionError, compile_expression

LITERALS = [
    "0",
    "1",
    "-2.5",
    "1e300",
    "'a'",
    "''",
    "null",
    "true",
    "[]",
    "{}",
    "/a+/",
    "$states.input",
    "$v",
    "$x",
    "*",
    "**",
]
FUNCTIONS = re.findall(
    r"\w+",
    """abs append average base64encode boolean ceil contains count distinct each encodeUrl exists filter floor
    formatBase formatInteger formatNumber fromMillis hash join keys length lookup lowercase map match max merge min not
    number pad parse parseInteger partition power range reduce replace reverse round shuffle sift single sort split
    spread sqrt string substring substringAfter substringBefore sum toMillis trim type uppercase uuid zip""",
)
OPERATORS = re.findall(r"\S+", "+ - * / % & = != < <= > >= and or in .. ~> . :=")


def calls(parts):
    return st.builds(
        lambda name, arguments: f"${name}({', '.join(arguments)})",
        st.sampled_from(FUNCTIONS),
        st.lists(parts | st.just("?"), max_size=4),
    )


def larger(parts):
    return st.one_of(
        calls(parts),
        calls(parts),
        st.builds("({} {} {})".format, parts, st.sampled_from(OPERATORS), parts),
        st.builds("{}[{}]".format, parts, parts),
        st.builds("{}.({})".format, parts, parts),
        st.builds("{}^({})".format, parts, parts),
        st.builds("{}{{'k': {}}}".format, parts, parts),
        st.builds("[{}, {}]".format, parts, parts),
        st.builds("({} ? {} : {})".format, parts, parts, parts),
        st.builds("function($x) {{ {} }}".format, parts),
        st.builds("($x := {}; {})".format, parts, parts),
        st.sampled_from([f"${name}" for name in FUNCTIONS]),
    )


EXPRESSIONS = st.recursive(st.sampled_from(LITERALS), larger, max_leaves=12)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(), values, max_size=4),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS, JSON)
def test_an_expression_gives_json_or_an_error(text, document):
    try:
        value = compile_expression(text).evaluate({"input": document}, {"v": document})
    except (ExpressionError, ExpressionSyntaxError):
        pass
    else:
        assert value is UNDEFINED or loads(dumps(value)) == value


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="$ab.()[]{}'\"/\\*+-:=<>?|^%&,;~#@ 019fnλ", max_size=40))
def test_no_text_is_too_strange_to_compile(text):
    try:
        expression = compile_expression(text)
        expression.unsupported_references()
        expression.evaluate({"input": {"a": [1, {"b": 2}]}}, {"a": "b"})
    except (ExpressionError, ExpressionSyntaxError):
        pass


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_a_value_passes_through_unchanged(document):
    assert repr(compile_expression("$v").evaluate({}, {"v": document})) == repr(whole_as_integers(document))
    assert compile_expression("$states.input").evaluate({"input": {"k": document}}, {}) == {"k": document}


def whole_as_integers(value):
    """As AWS has it: 1.0 is 1, as long as 64 bits hold it; as JavaScript has it: names of indexes come first."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    if isinstance(value, list):
        return [whole_as_integers(item) for item in value]
    if isinstance(value, dict):
        names = sorted(filter(is_index, value), key=int) + [name for name in value if not is_index(name)]
        return {name: whole_as_integers(value[name]) for name in names}
    return value


def is_index(name):
    """Whether JavaScript takes a name for an array's index."""
    return name.isascii() and name.isdigit() and str(int(name)) == name and int(name) < 2**32 - 1
