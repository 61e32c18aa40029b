"""Java's regular expressions as the native core offers them; what they mean is tested against Java in rust/query."""

import threading

import pytest

from stepwell._core import JavaRegex
from stepwell.asl.errors import AslError, ExpressionSyntaxError


@pytest.mark.parametrize(
    ("pattern", "flags", "good", "bad"),
    [
        ("a.c", "", ["abc", "a😀c"], ["ab", "xabc", "a\nc"]),
        ("é+", "iu", ["ÉÉ"], ["e"]),
        ("é+", "i", ["é"], ["É"]),
        ("a b # c", "x", ["ab"], ["a b"]),
        (r"(\w)\1(?<!b)", "", ["aa"], ["bb", "ab"]),
        ("a++a", "", [], ["aaa"]),
        (r"\p{IsGreek}+", "", ["αβγ"], ["abc"]),
        ("[a-c&&[^b]]", "", ["a", "c"], ["b"]),
    ],
)
def test_a_pattern_matches_the_whole_text(pattern, flags, good, bad):
    regex = JavaRegex(pattern, flags, steps=10_000)
    assert [text for text in good if not regex.matches(text)] == []
    assert [text for text in bad if regex.matches(text)] == []


def test_halves_of_surrogate_pairs_are_characters():
    assert JavaRegex("\ud83d.", steps=1_000).matches("\ud83dx")
    assert JavaRegex("[\ud800-\udfff]", steps=1_000).matches("\ude00")
    assert JavaRegex(".", steps=1_000).matches("\ud83d\ude00")  # two halves side by side are a pair, as in Java


def test_what_does_not_parse_has_javas_text():
    with pytest.raises(ExpressionSyntaxError) as caught:
        JavaRegex("a**", steps=1)
    assert str(caught.value) == "Dangling meta character '*' near index 2\na**\n  ^"


def test_there_are_no_other_flags():
    with pytest.raises(ValueError, match="there is no flag 'g'"):
        JavaRegex("a", "g", steps=1)


def test_a_budget_ends_a_match_at_the_same_step_each_time():
    text = "a" * 40
    with pytest.raises(AslError, match="takes too many steps") as caught:
        JavaRegex("(a+)+b", steps=1_000_000).matches(text)
    assert caught.value.error == "States.Runtime"
    needed = next(steps for steps in range(10_000) if _ends(JavaRegex("(a|b)*c?", steps=steps), text))
    assert all(_ends(JavaRegex("(a|b)*c?", steps=needed), text) for _ in range(10))
    assert not any(_ends(JavaRegex("(a|b)*c?", steps=needed - 1), text) for _ in range(10))


def _ends(regex, text):
    try:
        return regex.matches(text)
    except AslError:
        return False


def test_threads_share_a_pattern():
    regex = JavaRegex("(a|aa)+", steps=10_000_000)
    results = []
    threads = [threading.Thread(target=lambda: results.append(regex.matches("a" * 10_000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 4
