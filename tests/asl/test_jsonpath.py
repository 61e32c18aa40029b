"""The JSONPath dialect, expression by expression.

What is expected here are answers of Jayway json-path 2.0.0, which AWS gives too. ``tests/oracles/jsonpath`` compares
many more; these say what the language is.
"""

import json

import pytest

from stepwell.asl.errors import AslError, ExpressionSyntaxError
from stepwell.asl.jsonpath import MISSING, compile_query

STORE = {
    "store": {
        "book": [
            {"category": "reference", "author": "Nigel Rees", "title": "Sayings of the Century", "price": 8.95},
            {"category": "fiction", "author": "Evelyn Waugh", "title": "Sword of Honour", "price": 12.99},
            {"category": "fiction", "author": "Herman Melville", "title": "Moby Dick", "isbn": "0-553", "price": 8.99},
            {
                "category": "fiction",
                "author": "Tolkien",
                "title": "The Lord of the Rings",
                "isbn": "0-395",
                "price": 22.99,
            },
        ],
        "bicycle": {"color": "red", "price": 19.95},
    },
    "expensive": 10,
}
BOOKS = STORE["store"]["book"]
AUTHORS = [book["author"] for book in BOOKS]
DOCUMENT = {
    "a": {"b": {"c": 1}, "null": None, "": "empty", "x y": 2, "it's": 3, "d-e": 4, "ü": 5, "$": 6},
    "list": [0, 1, 2, 3, 4],
    "mixed": [1, "1", "one", None, True, [1, 2], {"k": 1}],
    "rows": [
        {"id": 1, "name": "ann", "tags": ["x", "y"], "size": 3, "ok": True},
        {"id": 2, "name": "bob", "tags": [], "size": 30, "ok": False, "note": None},
        {"id": 3, "name": "cyd", "tags": ["y", "z"], "nested": {"deep": [{"v": 7}]}},
    ],
    "limit": 2,
    "words": ["one", "two", "three"],
    'Test\\""Name"': "quoted",
}


def find(path, document):
    return compile_query(path).find(document)


_NOT_A_NUMBER = 'Character {} is neither a decimal digit number, decimal point, nor "e" notation exponential mark.'
_NO_PATTERN = (
    "class java.lang.String cannot be cast to class java.util.regex.Pattern (java.lang.String and "
    "java.util.regex.Pattern are in module java.base of loader 'bootstrap')"
)
_PAST_END = "java.lang.StringIndexOutOfBoundsException: String index out of range: {}"
_NO_INTEGER = 'java.lang.NumberFormatException: For input string: "{}"'
_NO_OPERATOR = "java.lang.UnsupportedOperationException: CriteriaType  can not be parsed"

STORE_PATHS = [
    ("$.store.book[*].author", AUTHORS),
    ("$..author", AUTHORS),
    ("$.store.*", [BOOKS, STORE["store"]["bicycle"]]),
    ("$.store..price", [8.95, 12.99, 8.99, 22.99, 19.95]),
    ("$..book[2]", [BOOKS[2]]),
    ("$..book[-2]", [None]),
    ("$..book[0,1]", BOOKS[:2]),
    ("$..book[:2]", BOOKS[:2]),
    ("$..book[1:2]", BOOKS[1:2]),
    ("$..book[-2:]", BOOKS[-2:]),
    ("$..book[2:]", BOOKS[2:]),
    ("$..book[?(@.isbn)]", BOOKS[2:]),
    ("$.store.book[?(@.price < 10)]", [BOOKS[0], BOOKS[2]]),
    ("$..book[?(@.price <= $['expensive'])]", [BOOKS[0], BOOKS[2]]),
    ("$..book[?(@.author =~ /.*REES/i)]", [BOOKS[0]]),
    ("$.store.book[?(@.price < 10 && @.category == 'fiction')]", [BOOKS[2]]),
    ("$.store.book[?(@.category == 'reference' || @.price > 10)]", [BOOKS[0], BOOKS[1], BOOKS[3]]),
    ("$['store']['book'][0]['title']", "Sayings of the Century"),
    ("$.store.book[0]['title', 'price']", {"title": "Sayings of the Century", "price": 8.95}),
]

DEFINITE = [
    ("$", DOCUMENT),
    ("$.a.b.c", 1),
    ("$.a['b'].c", 1),
    ("$.a.['b']", {"c": 1}),
    ("$[ 'a' ].b", {"c": 1}),
    ("$.a.null", None),
    ("$.a['x y']", 2),
    ('$[\'Test\\""Name"\']', "quoted"),
    ("$.a.d-e", 4),
    ("$.a.ü", 5),
    ("$.a.$", 6),
    ("$.a['']", "empty"),
    ("$.list[0]", 0),
    ("$.list[10]", None),
    ("$.list[-1]", None),
    ("$.list[(@.length-1)]", 4),
    ("$.list[(@.size() - 2)]", 3),
    ("$.list[(@.length-9)]", None),
    ("$.rows[2].nested.deep[0].v", 7),
    ("$.rows.[0].id", 1),
    ("$.a['b','null','none']", {"b": {"c": 1}, "null": None}),
    ("  $.limit ", 2),
    ("limit", 2),
    ("$.list[a1]", 1),
]

INDEFINITE = [
    ("$.rows[*].id", [1, 2, 3]),
    ("$.rows.*.id", [1, 2, 3]),
    ("$.rows[*].note", [None]),
    ("$.rows[*].missing", []),
    ("$.nothing[*]", []),
    ("$.nothing.x[0:2].y", []),
    ("$.rows[0:2].id", [1, 2]),
    ("$.rows[0:2:5].id", [1, 2]),
    ("$.list[3:]", [3, 4]),
    ("$.list[-2:]", [3, 4]),
    ("$.list[:-3]", [0, 1]),
    ("$.list[8:9]", []),
    ("$.list[-3:-1]", [None, None]),
    ("$.list[-1:2]", [None, 0, 1]),
    ("$.list[0,2,-1]", [0, 2, None]),
    ("$.list[0,9]", [0, None]),
    ("$.a.b.*", [1]),
    ("$.limit.*", []),
    ("$..v", [7]),
    ("$...v", [7]),
    ("$..nothing", []),
    ("$..deep[0].v", [7]),
    ("$.rows..tags[0]", ["x", None, "y"]),
    ("$..tags[*]", ["x", "y", "y", "z"]),
    ("$..['id']", [1, 2, 3]),
    ("$..[?(@.v)]", [{"v": 7}]),
    ("$.a.b[?(@.c == 1)]", [{"c": 1}]),
    ("$.a.b[?(@.c == 2)]", []),
    ("$.mixed[*].k", [1]),
    ("$.rows[?(@.none == 1)]", []),
]

# The ids of the rows that a filter lets through, and why where the text does not say it.
FILTERS = [
    ("@.id == 2", [2], ""),
    ("@['id'] == 2", [2], ""),
    ("@.id != 2", [1, 3], ""),
    ("@.id > 1 && @.id < 3", [2], ""),
    ("@.id >= 2", [2, 3], ""),
    ("  @.id  ==  3  ", [3], ""),
    ("@.id==3", [3], ""),
    ("@.id > -1 && @.id < 2.5e0", [1, 2], ""),
    ("@.nested.deep[0].v == 7", [3], ""),
    ("@.id == $.limit", [2], ""),
    ("$.limit == @.id", [2], ""),
    ("2 <= @.id", [], "a text on the left is compared with nothing but texts"),
    ("@.id == '2'", [2], "a text is compared by its number"),
    ("@.id == 2.0", [2], ""),
    ("@.id > '1'", [2, 3], ""),
    ("@.id != '2.0'", [1, 3], ""),
    ("@.name == 'bob'", [2], ""),
    ("@.name == bob", [2], "what has no quotes is text"),
    ('@.name == "bob"', [], "double quotes are part of the text"),
    ("@.name > 'ann'", [2, 3], ""),
    ("@.ok == true", [1], ""),
    ("@.ok == 1", [2], "any text but true is false"),
    ("@.ok > false", [1], ""),
    ("@.ok", [1, 2], "a path alone asks for anything but null"),
    ("!@.ok", [3], ""),
    ("@.note", [], ""),
    ("!@.note", [1, 2, 3], ""),
    ("$.limit", [], "a path alone looks in the item, whatever it begins with"),
    ("@.note == null", [2], ""),
    ("@.note != null", [], "what is missing is not compared"),
    ("@.name != null", [1, 2, 3], ""),
    ("@.size != 3", [2], ""),
    ("@.size < 10", [1], ""),
    ("@.name =~ /b.b/", [2], ""),
    ("@.name =~ /B.*/i", [2], ""),
    ("@.name =~ /b/", [], "the whole text must match"),
    ("/[b]+o[b]/ =~ @.name", [2], ""),
    ("@.id =~ /[12]/", [1, 2], ""),
    ('@.tags =~ /.*"y".*/', [1, 3], "an array is matched as JSON"),
    ("@.note =~ /.*/", [], "null matches nothing"),
    ("@.tags == ['x','y']", [], "arrays are compared with nothing"),
    ("@.tags == @.tags", [], ""),
    ("$.list == $.list", [1, 2, 3], "save with themselves"),
    ("@.name <= @['name']", [1, 2, 3], ""),
    ("(@.id == 1 || @.id == 2) && @.ok == false", [1, 2], "parentheses are dropped"),
    ("@.id == 9 && @.id == 1 || @.id == 2", [2], ""),
    ("@.id == 2 || @.id == 1 && @.id == 9", [2], ""),
    ("!(@.id == 1)", [], "this compares the text !(@.id"),
]

FAILING = [
    ("$.x", "No results for path: $['x']"),
    ("$.no.such.result.path", "Missing property in path $['no']"),
    ("$.a.b.x.y", "Missing property in path $['a']['b']['x']"),
    ("$.limit.x", "Property ['x'] not found in path $['limit']"),
    ("$.list.length()", "Property ['length()'] not found in path $['list']"),
    ("$.a.keys()", "No results for path: $['a']['keys()']"),
    ("$.words.concat('!')", "Property ['concat(', ')'] not found in path $['words']"),
    ("$.a['it\\'s']", "No results for path: $['a']['it\\']"),
    ("$.list[-1].x", "Property ['x'] not found in path $['list'][-1]"),
    ("$.a.null[0]", "The path $['a']['null'] is null"),
    ("$.list[9][0]", "The path $['list'][9] is null"),
    ("$.mixed[3][0]", "Filter: [0] can only be applied to arrays. Current context is: null"),
    ("$.limit[0]", "Filter: [0] can only be applied to arrays. Current context is: 2"),
    ("$.limit[1:2]", "Filter: [1:2] can only be applied to arrays. Current context is: 2"),
    ("$.a.b[0].x", "Filter: [0]['x'] can only be applied to arrays. Current context is: {\"c\":1}"),
    ("$.limit[?(@.x)]", "Filter: [?] can not be applied to primitives. Current context is: 2"),
    ("$.words[0][?(@.x)]", 'Filter: [?] can not be applied to primitives. Current context is: "one"'),
    ("$.a['b','null'].c", "Multi properties can only be used as path leafs: $['a']['b', 'null']"),
    ("$.limit['a','b']", "Property ['a', 'b'] not found in path $['limit']"),
    ("$..[2].id", "Property ['id'] not found in path $['list'][0]"),
    ("$['a']$.limit", "No results for path: $['limit']"),
    ("$.a.*.c", "Property ['c'] not found in path $['a']['null']"),
    ("$.rows[?(@.id == abc)]", _NOT_A_NUMBER.format("a")),
    ("$.rows[?(@.id === 2)]", _NOT_A_NUMBER.format("=")),
    ("$.rows[?(@.id == 1.2.3)]", "Character array contains more than one decimal point."),
    ("$.rows[?(@.id[0])]", "Filter: [0] can only be applied to arrays. Current context is: 1"),
    ("$.rows[?(@.id =~ 'x')]", _NO_PATTERN),
]

REFUSED = [
    ("", "json can not be null or empty"),
    ("$x.", "Invalid path $x."),
    ("$.", _PAST_END.format(2)),
    ("$..", "A path can not end with a scan."),
    ("$.a b", "Space not allowed in path"),
    ("$[", "Could not analyze path component: ["),
    ("$[a]", "Could not analyze path component: [a]"),
    ('$["a"]', 'Could not analyze path component: ["a"]'),
    ("$['a'", _PAST_END.format(4)),
    ("$[:]", _NO_INTEGER.format("")),
    ("$[1:2", _PAST_END.format(4)),
    ("$[99999999999]", _NO_INTEGER.format("99999999999")),
    ("$[1-2]", _NO_INTEGER.format("1-2")),
    (
        "$[(@.count-1)]",
        "Invalid function: @.count. Supported functions are: [(@.length - n)] and [(@.size() - n)]",
    ),
    ("$[?()]", _PAST_END.format(0)),
    ("$[?(true)]", _NO_OPERATOR),
    ("$[?('x' in @.tags)]", _NO_OPERATOR),
    ("$[?(@.a in ['x'])]", "Space not allowed in path"),
    ("$[?(@.a == 1]", _PAST_END.format(12)),
    ("$[?@.a == 1]", "Filter must start with '[?(' and end with ')]'. @.a == 1"),
    ("$[?(@.a == 'a&&b')]", _NO_OPERATOR),
    ("$[?(@.a == 1 &&)]", "java.util.EmptyStackException"),
    ("$[?(@.a == 1 ||)]", "Invalid operators @.a == 1 ||"),
    ("$[?(@.a == !@.b)]", "Invalid negation! Can only be used for existence check e.g [?(!@.foo)]"),
    ("$[?(@.* == 1)]", "the predicate path: @.* is not definite"),
    ("$[?(@[?(@.a)])]", "the predicate path: @[?(@.a)] is not definite"),
]


@pytest.mark.covers("A3.11")
@pytest.mark.parametrize(("path", "expected"), STORE_PATHS, ids=[path for path, _ in STORE_PATHS])
def test_paths_of_the_bookstore(path, expected):
    assert find(path, STORE) == expected


@pytest.mark.covers("A3.11")
@pytest.mark.parametrize(("path", "expected"), DEFINITE, ids=[path for path, _ in DEFINITE])
def test_a_definite_path_gives_the_bare_value(path, expected):
    assert compile_query(path).definite
    assert find(path, DOCUMENT) == expected


@pytest.mark.covers("A3.11")
@pytest.mark.parametrize(("path", "expected"), INDEFINITE, ids=[path for path, _ in INDEFINITE])
def test_any_other_path_gives_a_list(path, expected):
    assert not compile_query(path).definite
    assert find(path, DOCUMENT) == expected


@pytest.mark.covers("A3.11")
@pytest.mark.parametrize(("text", "expected", "why"), FILTERS, ids=[row[0] for row in FILTERS])
def test_filters(text, expected, why):
    assert find(f"$.rows[?({text})].id", DOCUMENT) == expected


@pytest.mark.covers("A3.11")
def test_a_filter_on_scalars_reads_them_as_the_item_itself():
    assert find("$.list[?(@ > 2)]", DOCUMENT) == [3, 4]
    assert find("$.mixed[?(@ == null)]", DOCUMENT) == [None]
    assert find("$.words[?(@ == two)]", DOCUMENT) == ["two"]


@pytest.mark.covers("A3.11")
def test_a_recorded_filter():
    document = {"users": [{"year": 1997, "status": 0}, {"year": 1998, "status": 1}]}
    assert find("$.users[?(@.status == 0)]", document) == [{"year": 1997, "status": 0}]


@pytest.mark.covers("A3.11")
@pytest.mark.parametrize(("path", "problem"), FAILING, ids=[path for path, _ in FAILING])
def test_a_path_that_finds_nothing_says_why_as_jayway_does(path, problem):
    assert find(path, DOCUMENT) is MISSING
    assert compile_query(path).problem(DOCUMENT) == problem


@pytest.mark.parametrize(("text", "problem"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_is_no_path_is_refused_when_it_is_compiled(text, problem):
    with pytest.raises(ExpressionSyntaxError) as refused:
        compile_query(text)
    assert str(refused.value) == problem


@pytest.mark.covers("A3.11")
def test_a_null_past_the_end_can_be_told_from_a_null_in_the_array():
    assert compile_query("$[1]").finds_past_end([None])
    assert compile_query("$[-1]").finds_past_end([None])
    assert compile_query("$[(@.length-2)]").finds_past_end([None])
    assert not compile_query("$[0]").finds_past_end([None])
    assert not compile_query("$[(@.length-1)]").finds_past_end([None])
    assert not compile_query("$.x").finds_past_end({"x": None})


@pytest.mark.parametrize("text", ["$[?(@" * 500 + ")]" * 500, "$" + "[*]" * 5_000, "$.a" * 5_000])
def test_what_is_nested_too_deeply_or_too_long_is_refused(text):
    with pytest.raises(ExpressionSyntaxError):
        compile_query(text)


@pytest.mark.parametrize("path", ["$..*..*..*..*..*..*", "$.l[-2147483648:1]"])
def test_a_path_that_multiplies_is_stopped(path):
    document = json.loads('{"a":' * 60 + '{"l": [1]}' + "}" * 60)
    assert len(find("$..*", document)) == 62
    document["l"] = [1]
    with pytest.raises(AslError, match="too many values"):
        find(path, document)


def test_a_deep_document_is_no_trouble():
    document = leaf = {}
    for _ in range(20_000):
        leaf["a"] = {}
        leaf = leaf["a"]
    leaf["b"] = 1
    assert find("$..b", document) == [1]
    assert len(find("$..*", document)) == 20_001
    assert find("$..[?(@.b =~ /1/)]", document) == [{"b": 1}]


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a|aa)+b"])
def test_patterns_that_explode_are_stopped(pattern):
    with pytest.raises(AslError, match="too many steps"):
        find(f"$[?(@ =~ /{pattern}/)]", ["a" * 60])


def test_all_matches_of_an_evaluation_share_a_budget():
    with pytest.raises(AslError, match="too many steps"):
        find("$[?(@ =~ /(a|b)*/)]", ["a" * 50_000] * 1_000)


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("*", "Dangling meta character '*' near index 0"),
        ("[b-a]", "Illegal character range near index 3"),
        ("a{2,1}", "Illegal repetition range"),
    ],
)
def test_a_pattern_that_is_none_is_refused_with_javas_text(pattern, problem):
    with pytest.raises(ExpressionSyntaxError, match="PatternSyntaxException: ") as refused:
        compile_query(f"$[?(@.a =~ /{pattern}/)]")
    assert problem in str(refused.value)
