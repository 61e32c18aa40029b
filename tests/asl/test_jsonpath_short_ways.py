"""Plain filters are read in one go: they mean what the reader makes of them piece by piece."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stepwell.asl.errors import ExpressionSyntaxError
from stepwell.asl.jsonpath import filters
from stepwell.asl.jsonpath.errors import NoResult
from stepwell.asl.jsonpath.reader import read_path
from stepwell.asl.jsonpath.run import Run

ITEMS: list[Any] = [
    *(
        {"a": value, "b": {"a": value}}
        for value in (None, True, 0, 1, -1.5, 2**53, 2**70, "", "a", "1", "null", "true")
    ),
    {},
    [],
    "a",
    None,
]
PIECES = ["@", "$", ".", "a", "b", "1", "-1.5", "null", "true", "'", "'a'", "' '", " ", "==", "!=", "<", ">", ">=", "="]
texts = st.lists(st.sampled_from([*PIECES, "=~", "!", "/a/", "\\", "[", "]", "(", ")", "&&", "||", "é"])).map("".join)
comparisons = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["@.a", "@.b.a", "@.b-1.a", "@..a", "@.a.", "$.a"]),
    st.sampled_from(["", " ", "  "]),
    st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "=~", "=", ""]),
    st.sampled_from(["", " "]),
    texts,
)


def _read(path: str) -> Any:
    return read_path(path, 1)


def _outcome(read: Callable[..., Any], text: str) -> list[Any]:
    """What the test of a filter's part gives for each item, or why it is none."""
    try:
        test = read(text, _read)
    except ExpressionSyntaxError as error:
        return [str(error)]
    return [_result(test, item) for item in ITEMS]


def _result(test: filters.Test, item: Any) -> Any:
    try:
        return test(item, Run(item))
    except NoResult as problem:
        return str(problem)


@given(comparisons | texts)
def test_a_plain_comparison_is_the_one_that_the_reader_makes(text: str) -> None:
    assert _outcome(filters._read_criterion, text) == _outcome(filters._read_any_criterion, text)


@given(st.builds("[?({})]".format, comparisons | texts))
def test_a_plain_filter_has_the_inside_that_the_reader_finds(component: str) -> None:
    plain = filters._PLAIN_FILTER.fullmatch(component)
    if plain is not None:
        start, end = filters._bounds(component, 1)
        assert filters._inside(component[start:end]) == filters.trim(plain[1])
