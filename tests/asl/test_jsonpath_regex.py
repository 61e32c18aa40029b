"""The patterns of ``=~``: the meaning of Java's, without its backtracking."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.asl.errors import AslError, ExpressionSyntaxError
from stepwell.asl.jsonpath.regex import Pattern
from stepwell.asl.jsonpath.regex_parser import parse
from stepwell.asl.jsonpath.run import Run


def matches(pattern, text, flags=""):
    return Pattern(parse(pattern, flags)).matches(text, Run(None))


@pytest.mark.parametrize(
    ("pattern", "flags", "good", "bad"),
    [
        ("abc", "", ["abc"], ["ab", "abcd", "ABC", ""]),
        ("abc", "i", ["aBC"], ["ab"]),
        ("(?i)abc", "", ["aBC"], ["ab"]),
        ("", "", [""], ["a"]),
        ("a|b|", "", ["a", "b", ""], ["ab"]),
        ("a*b+c?", "", ["b", "aabbc"], ["a", "c"]),
        ("a{2}b{1,2}c{2,}", "", ["aabcc", "aabbccc"], ["abcc", "aabbbcc", "aabc"]),
        ("(ab|a)(bc|c)?", "", ["ab", "abc", "a", "abbc"], ["b"]),
        ("(?:x)(?<name>y)", "", ["xy"], ["x"]),
        ("a*?b", "", ["aab"], ["aac"]),
        (".*", "", ["", "any thing"], ["two\nlines"]),
        (".*", "s", ["two\nlines"], []),
        ("[a-c_]+", "", ["ab_c"], ["d", ""]),
        ("[^a-c]", "", ["d"], ["a", ""]),
        ("[]a]", "", ["]", "a"], ["b"]),
        ("[a-]", "", ["-", "a"], ["b"]),
        ("[a[0-9]]+", "", ["a1"], ["b"]),
        (r"[\d\-x]+", "", ["1-x"], ["y"]),
        (r"\d{4}-\d\d", "", ["2024-01"], ["24-01", "٢٠٢٤-01"]),
        (r"\w+\s\W", "", ["a_1 !"], ["a_1 b"]),
        (r"\p{Lu}\p{L}*", "", ["Éa"], ["éa"]),
        (r"\P{Alpha}", "", ["1"], ["a"]),
        (r"\Qa.b\E.", "", ["a.bc"], ["axbc"]),
        (r"\u0041\x42", "", ["AB"], ["ab"]),
        (r"\.\/\\", "", ["./\\"], ["a/\\"]),
        ("^a$", "", ["a"], ["ab"]),
        (r"a\b.*", "", ["a b", "a"], ["ab"]),
        (r"(?s).*\Bb", "", ["ab"], ["a b"]),
        ("a $ # the end", "x", ["a"], ["a "]),
    ],
)
def test_patterns(pattern, flags, good, bad):
    assert [text for text in good if not matches(pattern, text, flags)] == []
    assert [text for text in bad if matches(pattern, text, flags)] == []


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "a)",
        "[a",
        "*",
        "a**+",
        "a{",
        "a{2,1}",
        r"\1",
        "(?=a)",
        "(?<!a)b",
        "a++",
        "\\",
        "[b-a]",
        r"\p{Klingon}",
        r"\y",
        "[a&&b]",
        "(?i:a)",
        "((a{1000}){1000})",
        "(" * 100 + ")" * 100,
    ],
)
def test_what_needs_backtracking_or_is_no_pattern_is_refused(pattern):
    with pytest.raises(ExpressionSyntaxError):
        parse(pattern, "") and Pattern(parse(pattern, ""))


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a|aa)+b", "(.*a){12}b", "a*a*a*a*a*a*b"])
def test_patterns_that_explode_elsewhere_take_linear_time(pattern):
    started = time.perf_counter()
    assert not matches(pattern, "a" * 20_000)
    assert time.perf_counter() - started < 2


def test_a_text_beyond_the_budget_is_stopped():
    pattern = Pattern(parse("(x|y)*", ""))
    with pytest.raises(AslError, match="too many values"):
        pattern.matches("x" * 2_000_000, Run(None))


pieces = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", "(a|b)", "(ab)", r"\d", r"\w", "a?", "b*", "(a|b)+", "a{1,2}", "|", "^", "$", "1"]
)


@given(st.lists(pieces, max_size=8).map("".join), st.text("ab1\n", max_size=8))
def test_the_meaning_is_that_of_a_backtracking_matcher(pattern, text):
    # Python's $ stands before a last line end too, as Java's does; in a match of the whole text only the end is left.
    expected = re.fullmatch(pattern.replace("$", r"\Z"), text, re.ASCII) is not None
    assert matches(pattern, text) == expected


@given(st.text(r"ab()[]{}|*+?\^$-.,19dpQEu", max_size=30), st.text("ab19", max_size=10))
def test_no_pattern_breaks_the_parser(pattern, text):
    try:
        compiled = Pattern(parse(pattern, "i"))
    except ExpressionSyntaxError:
        return
    compiled.matches(text, Run(None))
