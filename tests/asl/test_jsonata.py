"""JSONata as AWS has it: bindings, AWS's functions, its bounds and its texts.

What AWS answers was measured on AWS by floci-io/floci (issues 2668, 2670, 2676, 2737, 2745); see ASL.md A4.
"""

import uuid

import pytest

from stepwell.asl.errors import ExpressionSyntaxError
from stepwell.asl.jsonata import UNDEFINED, UNSUPPORTED, ExpressionError, compile_expression

MEMORY = "Expression evaluation memory limit exceeded: Check for excessive memory usage"
STACK = "Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive"
TIMEOUT = "Expression evaluation timeout: Check for infinite loop"


def evaluate(text, states=None, **variables):
    return compile_expression(text).evaluate(states or {}, variables)


def error_of(text, states=None, **variables):
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, states, **variables)
    return str(caught.value)


@pytest.mark.covers("A4.17")
def test_states_and_variables_are_bound():
    states = {"input": {"a": [1, 2]}, "context": {"State": {"Name": "S"}}}
    assert evaluate("$sum($states.input.a) + $b", states, b=3) == 6
    assert evaluate("$states.context.State.Name & $states.input.a[1]", states) == "S2"
    assert evaluate("$states", states) == states
    assert evaluate("$states.result", states) is UNDEFINED


def test_a_value_is_never_read_as_an_expression():
    hostile = '" & $states.input.secret & "'
    assert evaluate("'<' & $name & '>'", {"input": {"secret": "x"}}, name=hostile) == f"<{hostile}>"


def test_a_variable_does_not_replace_states():
    assert compile_expression("$states.input").evaluate({"input": 1}, {"states": {"input": 2}}) == 1


def test_one_evaluation_leaves_nothing_for_the_next():
    expression = compile_expression("($seen := $exists($kept); $kept := 1; $seen)")
    assert [expression.evaluate({}, {}), expression.evaluate({}, {})] == [False, False]


@pytest.mark.parametrize("value", [None, True, False, 0, -1, 1.5, "", "é𝄞", [], {}, [[]], {"a": [None, {"b": []}]}])
def test_values_come_back_as_they_went_in(value):
    assert evaluate("$states.input", {"input": value}) == value
    assert type(evaluate("$v", v=value)) is type(value)


@pytest.mark.covers("A4.23")
def test_null_is_a_value_and_nothing_is_not():
    assert evaluate("null") is None
    assert evaluate("$states.input.a", {"input": {"a": None}}) is None
    assert evaluate("$exists($v)", v=None) is True
    assert evaluate("$type($states.input.a)", {"input": {"a": None}}) == "null"
    assert evaluate("$states.input.b", {"input": {"a": None}}) is UNDEFINED
    assert evaluate("$missing") is UNDEFINED
    assert evaluate("{'a': $missing, 'b': 1}") == {"b": 1}
    assert not UNDEFINED


@pytest.mark.covers("A4.22")
def test_a_sequence_of_one_is_its_item():
    items = {"input": {"items": [{"id": 1, "on": True}, {"id": 2, "on": False}]}}
    assert evaluate("$states.input.items[on].{'id': id}", items) == {"id": 1}
    assert evaluate("[$states.input.items[on].id]", items) == [1]
    assert evaluate("$states.input.items[on].id[]", items) == [1]
    assert evaluate("$states.input.items[id > 5]", items) is UNDEFINED
    assert evaluate("[$states.input.items[id > 5]]", items) == []


@pytest.mark.covers("A3.15")
def test_integers_of_64_bits_come_back_exactly():
    numbers = [2**53, 2**53 + 1, 2**63 - 1, 2**63 - 2, -(2**53) - 1, -(2**63), 9.223372036854776e18, 1e300]
    assert evaluate("$states.input", {"input": numbers}) == numbers
    assert evaluate("$states.input.{'n': $}", {"input": numbers[:3]}) == [{"n": n} for n in numbers[:3]]
    assert [type(n) for n in evaluate("[1.0, 1e2, 0.5, 1e19]")] == [int, int, float, float]


@pytest.mark.covers("A4.21")
def test_a_number_that_json_cannot_write_is_its_name():
    assert evaluate("[1/0, -1/0, {'a': 0/0}]") == ["Infinity", "-Infinity", {"a": "NaN"}]
    assert evaluate("$parseInteger('abc', '0')") == "NaN"
    assert evaluate("[$string(1e20), $string(1e21), $string(1e-7), $string(1/3)]") == [
        "100000000000000000000",
        "1e+21",
        "1e-7",
        "0.333333333333333",
    ]
    assert error_of("$string(1/0)") == "D3001: Attempting to invoke string function on Infinity or NaN"


@pytest.mark.covers("A4.19")
class TestFunctionsOfAws:
    def test_partition(self):
        assert evaluate("$partition([1,2,3,4,5], 2)") == [[1, 2], [3, 4], [5]]
        assert evaluate("$partition([1,2,3], 2.9)") == [[1, 2], [3]]
        assert evaluate("$partition([1,2,3])") == [[1, 2, 3]]
        for nothing in ("$partition([1], 0)", "$partition([1], -0.5)", "$partition([], 1)", "$partition($none, 1)"):
            assert evaluate(nothing) is UNDEFINED
        assert error_of("$partition([1], -1)") == "D3137: Second argument must be zero or greater"
        assert error_of("$partition(1, 1)") == 'T0412: Argument 1 of function "partition" must be an array of undefined'
        assert error_of("$partition([1], 'a')").startswith('T0410: Argument 2 of function "partition"')
        assert error_of("$partition([1], 1, 2)").startswith('T0410: Argument 3 of function "partition"')

    def test_range(self):
        assert evaluate("$range(1, 10, 3)") == [1, 4, 7, 10]
        assert evaluate("$range(1, 9, 3)") == [1, 4, 7]
        assert evaluate("$range(5, 1, -2)") == [5, 3, 1]
        assert evaluate("$range(-1.7, 2, 1)") == [-1, 0, 1, 2]
        assert evaluate("[$range(3, 3, 1) = 3, $range(1, 9, 9) = 1]") == [True, True]
        assert evaluate("$range(3, 3, 1)[]") == [3]
        for nothing in ("$range(1, 3)", "$range(1, 3, 0)", "$range(3, 1, 1)", "$range(1, 3, -1)"):
            assert evaluate(nothing) is UNDEFINED
        assert error_of("$range($none, 3, 1)").startswith('T0410: Argument 1 of function "range"')
        assert evaluate("$count($range(1, 360145, 1))") == 360_145
        assert error_of("$range(1, 360146, 1)") == MEMORY
        assert evaluate("$range(0, 9e18, 8e18)") == [0, 8 * 10**18]

    def test_hash(self):
        assert evaluate("$hash('abc', 'MD5')") == "900150983cd24fb0d6963f7d28e17f72"
        assert evaluate("$hash('abc', 'SHA-1')") == "a9993e364706816aba3e25717850c26c9cd0d89d"
        assert evaluate("$hash('abc', 'SHA-256')").startswith("ba7816bf8f01cfea")
        assert [len(evaluate(f"$hash('é', 'SHA-{bits}')")) for bits in (384, 512)] == [96, 128]
        assert evaluate("$hash('abc')") is UNDEFINED
        assert error_of("$hash('abc', 'sha-1')") == (
            "D3137: Hash algorithm 'sha-1' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5"
        )
        assert error_of("$hash(1, 'MD5')").startswith('T0410: Argument 1 of function "hash"')

    def test_random(self):
        assert evaluate("$random(42)") == 0.7275636800328681
        assert evaluate("$random(42.9)") == 0.7275636800328681
        assert 0 <= evaluate("$random()") < 1
        assert evaluate("$random() = $random()") is False
        assert error_of("$random('a')").startswith('T0410: Argument 1 of function "random"')

    def test_uuid(self):
        assert uuid.UUID(evaluate("$uuid()")).version == 4
        assert evaluate("$uuid() = $uuid()") is False
        assert error_of("$uuid(1)").startswith('T0410: Argument 1 of function "uuid"')

    def test_parse(self):
        assert evaluate("""$parse('{"a": [1, null, "x", 1.5]}')""") == {"a": [1, None, "x", 1.5]}
        assert evaluate("""$parse('{"a": null}').a""") is None
        assert evaluate("""$parse('{"n": 9223372036854775807}').n""") == 2**63 - 1
        assert evaluate("$parse($none)") is UNDEFINED
        for invalid in (
            "$parse('')",
            "$parse('1 2')",
            """$parse('{"a": 1, "a": 2}')""",
            "$parse('{')",
            "$parse('1e999')",
        ):
            assert error_of(invalid) == "D3137: Invalid JSON"
        assert error_of("$parse(null)").startswith('T0410: Argument 1 of function "parse"')

    def test_they_are_values_as_other_functions_are(self):
        assert evaluate("$map(['1', '2'], $parse)") == [1, 2]
        assert evaluate("[1,2,3] ~> $partition(2)") == [[1, 2], [3]]


@pytest.mark.covers("A4.18")
class TestWhatIsNotThere:
    def test_eval(self):
        assert error_of("$eval('1+1')") == "T1006: Attempted to invoke a non-function"
        assert evaluate("$eval") is UNDEFINED
        assert evaluate("$eval & $range", eval="a", range="b") == "ab"

    def test_a_context_item(self):
        assert compile_expression("phone & $.a").unsupported_references() == [
            "Reference to 'phone' at the top level is not supported.",
            "Reference to '$' at the top level is not supported.",
        ]
        assert compile_expression("$$.a").unsupported_references() == ["Reference to '$$' is not supported."]
        assert compile_expression("$states.input.a[b = $.c].d").unsupported_references() == []

    def test_a_syntax_error_is_reported_in_the_words_of_aws(self):
        with pytest.raises(ExpressionSyntaxError) as caught:
            compile_expression("$a[1,2)")
        assert str(caught.value) == 'Expected "]", got ","'


def test_what_an_expression_reads():
    expression = compile_expression("($x := $a; $x & $states.input.b & $map($c, function($v) { $v.d }))")
    assert expression.variables == {"a", "c", "map"}
    assert expression.states_fields == {"input"}
    assert not expression.needs_context
    assert compile_expression("$states.context.Execution.Id").needs_context
    assert compile_expression("$states").states_fields is None
    assert compile_expression("$keys($states)").needs_context


def test_a_function_is_no_result():
    for text in ("$f := function($x){$x}", "[function(){1}]", "/ab/", "$sum"):
        with pytest.raises(ExpressionError) as caught:
            evaluate(text)
        assert caught.value.code == UNSUPPORTED


def test_a_value_that_is_not_json_is_refused():
    with pytest.raises(ValueError, match="set is not JSON"):
        evaluate("$v", v={1})
    with pytest.raises(ValueError, match="key of a dict is not JSON"):
        evaluate("$v", v={1: 2})


RECURSION = "($f := function($x) { $x <= 0 ? 0 : 1 + $f($x-1) }; $f(%d))"
DOUBLING = "($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $length($f('x', %d)))"


@pytest.mark.covers("A4.20")
class TestBounds:
    """The last that AWS accepts, and the first that it refuses."""

    def test_depth(self):
        assert evaluate("1" + "+1" * 99) == 100
        assert evaluate("(" * 99 + "1" + ")" * 99) == 1
        assert evaluate(RECURSION % 31) == 31
        for deep in ("1" + "+1" * 100, "(" * 100 + "1" + ")" * 100, "[" * 100 + "1" + "]" * 100, RECURSION % 32):
            assert error_of(deep) == STACK

    def test_depth_of_calls(self):
        assert evaluate("'a'" + "~>$string()" * 98) == "a"
        assert evaluate("'a'" + "~>$string" * 99) == "a"
        assert error_of("'a'" + "~>$string" * 100) == STACK
        assert evaluate("$string(" * 98 + "[1]" + ")" * 98).startswith("[")

    def test_length(self):
        assert evaluate("$count([1..873782])") == 873_782
        for long in ("[1..873783] ~> $count()", "$sum([1..900000])", "[1..1e12]", "[0..10000000]"):
            assert error_of(long) == MEMORY

    def test_size(self):
        assert evaluate(DOUBLING % 22) == 2**22
        assert error_of(DOUBLING % 23) == MEMORY
        assert error_of("$pad('', 6990257)") == MEMORY

    def test_what_came_in_larger_may_go_out(self):
        large = ["x" * 1000] * 10_000
        assert evaluate("$states.input", {"input": large}) == large


HOSTILE = {
    "an endless loop": ("($f := function($x) { $f($x+1) }; $f(1))", TIMEOUT),
    "endless recursion": ("($f := function($x) { 1 + $f($x+1) }; $f(1))", STACK),
    "mutual recursion": ("($f := function() { 1 + $g() }; $g := function() { 1 + $f() }; $f())", STACK),
    "a fork bomb": ("($f := function($n) { $n = 0 ? 1 : $f($n-1) + $f($n-1) }; $f(30))", TIMEOUT),
    "a text doubled": (DOUBLING % 90, MEMORY),
    "an array of itself": ("($f := function($a, $n) { $n = 0 ? $a : $f([$a,$a], $n-1) }; $string($f(1, 90)))", MEMORY),
    "an array of itself, compared": (
        "($f := function($a, $n) { $n = 0 ? $a : $f([$a,$a], $n-1) }; $f(1, 90) = $f(1, 90))",
        MEMORY,
    ),
    "an array of itself, reduced": ("$string($reduce([1..60], function($a, $v) { [$a,$a] }, 1))", MEMORY),
    "an array of itself, bound": (
        "($x0 := 1; " + "".join(f"$x{i + 1} := [$x{i}, $x{i}]; " for i in range(60)) + "$string($x60))",
        MEMORY,
    ),
    "an array of itself, composed": (
        "($d := function($x) { [$x,$x] }; $d := $d ~> $d; $d := $d ~> $d; $d := $d ~> $d; "
        "$d := $d ~> $d; $d := $d ~> $d; $d := $d ~> $d; $string($d(1)))",
        MEMORY,
    ),
    "arrays of ranges": ("$map([1..800000], function($v) { [1..1000] })", MEMORY),
    "arrays of texts": ("$map([1..800000], function($v) { $pad('x', 1000000) })", MEMORY),
    "a loop in a loop": ("$map([1..100000], function($x) { $map([1..100000], function($y) { 1 }) })", TIMEOUT),
    "a path over itself": ("($a := [1..300000]; $count($a.$a))", MEMORY),
    "a range in a path": ("[1..300000].([1..300000])", MEMORY),
    "a filter over itself": ("($a := [1..300000]; $count($a[$ in $a]))", TIMEOUT),
    "many distinct items": ("$distinct([1..30000].{'a': $})", TIMEOUT),
    "many distinct items, by value": ("($d := $distinct; $d([1..30000].{'a': $}))", TIMEOUT),
    "a wide pad": ("$pad('x', 1e9)", MEMORY),
    "a wider pad": ("$pad('x', 1e15)", "Invalid array length"),
    "a wide pad, by value": ("($p := $pad; $p('x', 1e9))", MEMORY),
    "a wide pad, in part": ("($p := $pad(?, 1e9); $p('x'))", MEMORY),
    "a long separator": ("$join([1..800000].('a'), $pad('', 1000000, 'b'))", MEMORY),
    "a long separator, piped": ("[1..800000].('a') ~> $join($pad('', 1000000, 'b'))", MEMORY),
    "a long separator, in part": ("($j := $join(?, $pad('', 1000000, 'b')); $j([1..800000].('a')))", MEMORY),
    "a long replacement": ("$replace($pad('', 6000000, 'a'), 'a', $pad('', 6000000, 'b'))", MEMORY),
    "a long replacement, piped": ("$pad('', 6000000, 'a') ~> $replace(/a/, $pad('', 6000000, 'b'))", MEMORY),
    "a long replacement, in context": ("$pad('', 6000000, 'a').$replace(/a/, $pad('', 6000000, 'b'))", MEMORY),
    "many matches": ("$count($match($pad('', 6000000, 'a'), /a/))", MEMORY),
    "many matches, in context": ("$pad('', 6000000, 'a').$match(/a/)", MEMORY),
    "long roman numerals": ("$formatInteger(1e15, 'I')", STACK),
    "a large sort": ("$count($sort([1..800000], function($a, $b) { $a < $b }))", TIMEOUT),
    "a large expression of regexes": ("$match($pad('', 1000000, 'a'), /((a{1000}){1000}){1000}/)", TIMEOUT),
    "a wide date": ("$fromMillis(0, '[Y,1000000000]')", MEMORY),
}


@pytest.mark.covers("A4.20")
@pytest.mark.parametrize("name", HOSTILE)
def test_no_expression_hangs_or_exhausts_the_engine(name):
    text, expected = HOSTILE[name]
    assert error_of(text) == expected


def test_a_pattern_that_takes_exponential_time_ends_by_the_budget():
    assert evaluate("$contains('" + "a" * 20 + "', /^(a+)+$/)") is True
    assert error_of("$contains('" + "a" * 5000 + "b', /^(a+)+$/)") == TIMEOUT


def test_many_distinct_texts_and_numbers_are_told_apart():
    assert evaluate("$count($distinct([1..800000]))") == 800_000
    assert evaluate("$count($distinct([1..100000].$string()))") == 100_000


def test_an_evaluation_that_starts_anew_without_the_gil_gives_the_same():
    assert evaluate("$sum($map([1..20000], function($v) { $v % 7 }))") == sum(v % 7 for v in range(1, 20_001))
    assert evaluate("($x := {'n': 1}; $map([1..3000], function($v) { ($x ~> |$|{'n': n + 1}|).n })[-1])") == 2


def test_functions_are_called_in_every_way():
    """As calls, piped, in part, as values, and with the context item."""
    assert evaluate("$join(['a','b'], '-') & $join(['c']) & (['d','e'] ~> $join('+'))") == "a-bcd+e"
    assert evaluate("['a-b'].$split('-') ~> $join('+')") == "a+b"
    assert evaluate("$map([[1,1],[2]], $distinct)") == [[1], [2]]
    assert evaluate("['x','y'].$replace('x', 'z')") == ["z", "y"]
    assert evaluate("($r := $replace(?, 'a', ?); $r('aa', 'b'))") == "bb"
    assert evaluate("($p := $pad; $p('x', -3, '.') & $p('x', 3) & '|')") == "..xx  |"
    assert evaluate("$replace('abc', /b/, function($m) { $uppercase($m.match) })") == "aBc"
    assert evaluate("$formatInteger(14, 'I') & (19 ~> $formatInteger('i'))") == "XIVxix"
    assert evaluate("($join := function($a) { 'mine' }; $join('x'))") == "mine"
    assert evaluate("[[1, 2], [$string(3)]] = [[1, 2], ['3']]") is True
    assert evaluate("($f := function($a) { [$a, [$a]] }; $f($append(1, 2)))") == [1, 2, [1, 2]]


def test_a_variable_may_have_the_name_of_a_function():
    assert evaluate("$match.id & $hash & $pad[1]", match={"id": "a"}, hash="b", pad=["x", "c"]) == "abc"
    assert evaluate("($split := {'a': 1}; $split.a)") == 1
    assert evaluate("$map([$pad], function($v) { $v })", pad=5) == 5
    assert evaluate("$pad('x', 3) & $join", join="y") == "x  y"
    assert evaluate("($p := $pad; $pad := 1; $p('x', 3) & $pad)") == "x  1"
