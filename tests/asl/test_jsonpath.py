"""The JSONPath dialect, expression by expression.

Sources: J = README of Jayway's JsonPath and its documented rules for definite paths; S = AWS developer guide and the
states language specification; R = a recording of AWS; F = measured on AWS, as ASL.md A3.11 says.
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


JAYWAY = [
    ("$.store.book[*].author", AUTHORS),
    ("$..author", AUTHORS),
    ("$.store.*", [BOOKS, STORE["store"]["bicycle"]]),
    ("$.store..price", [8.95, 12.99, 8.99, 22.99, 19.95]),
    ("$..book[2]", [BOOKS[2]]),
    ("$..book[-2]", [BOOKS[2]]),
    ("$..book[0,1]", BOOKS[:2]),
    ("$..book[:2]", BOOKS[:2]),
    ("$..book[1:2]", BOOKS[1:2]),
    ("$..book[-2:]", BOOKS[-2:]),
    ("$..book[2:]", BOOKS[2:]),
    ("$..book[?(@.isbn)]", BOOKS[2:]),
    ("$.store.book[?(@.price < 10)]", [BOOKS[0], BOOKS[2]]),
    ("$..book[?(@.price <= $['expensive'])]", [BOOKS[0], BOOKS[2]]),
    ("$..book[?(@.author =~ /.*REES/i)]", [BOOKS[0]]),
    ("$..book.length()", 4),
    ("$.store.book[?(@.price < 10 && @.category == 'fiction')]", [BOOKS[2]]),
    ("$.store.book[?(@.category == 'reference' || @.price > 10)]", [BOOKS[0], BOOKS[1], BOOKS[3]]),
    ("$.store.book[?(!(@.price < 10 && @.category == 'fiction'))]", [BOOKS[0], BOOKS[1], BOOKS[3]]),
    ("$['store']['book'][0]['title']", "Sayings of the Century"),
    ("$.store.book[0]['title', 'price']", {"title": "Sayings of the Century", "price": 8.95}),
    ("$..price.sum()", 73.87),
]

DEFINITE = [
    ("$", DOCUMENT, "S"),
    ("$.a.b.c", 1, "S"),
    ("$.a['b'].c", 1, "J"),
    ('$["a"]["b"]["c"]', 1, "J"),
    ("$.a.['b']", {"c": 1}, "J"),
    ("$[ 'a' ].b", {"c": 1}, "J"),
    ("$.a.null", None, "S"),
    ("$.a['x y']", 2, "J"),
    ("$.a['it\\'s']", 3, "J"),
    ('$[\'Test\\""Name"\']', "quoted", "R"),
    ("$.a.d-e", 4, "R"),
    ("$.a.ü", 5, "J"),
    ("$.a.$", 6, "J"),
    ("$.a['']", "empty", "J"),
    ("$.list[0]", 0, "S"),
    ("$.list[-1]", 4, "J"),
    ("$.list[10]", None, "F"),
    ("$.list[-10]", None, "F"),
    ("$.rows[2].nested.deep[0].v", 7, "J"),
    ("$.a['b','null','none']", {"b": {"c": 1}, "null": None}, "J"),
    ("$.list.length()", 5, "J"),
    ("$.a.length()", 8, "J"),
    ("$.limit.length()", None, "J"),
    ("$.a.keys()", ["b", "null", "", "x y", "it's", "d-e", "ü", "$"], "J"),
    ("$.list.min()", 0, "J"),
    ("$.list.max()", 4, "J"),
    ("$.list.avg()", 2, "J"),
    ("$.list.stddev()", 2**0.5, "J"),
    ("$.list.sum()", 10, "J"),
    ("$.sum($.list, $.limit)", 12, "J"),
    ("$.words.concat('!')", "onetwothree!", "J"),
    ("$.list.first()", 0, "J"),
    ("$.list.last()", 4, "J"),
    ("$.list.index(-2)", 3, "J"),
    ("$.list.append(9)", [0, 1, 2, 3, 4, 9], "J"),
]

INDEFINITE = [
    ("$.rows[*].id", [1, 2, 3], "S"),
    ("$.rows.*.id", [1, 2, 3], "J"),
    ("$.rows[*].note", [None], "J"),
    ("$.rows[*].missing", [], "F"),
    ("$.rows[0:2].id", [1, 2], "S"),
    ("$.rows[0:2:5].id", [1, 2], "J: the step of a slice is not read"),
    ("$.list[3:]", [3, 4], "S"),
    ("$.list[:]", [0, 1, 2, 3, 4], "J"),
    ("$.list[8:9]", [], "J"),
    ("$.list[0,2,-1]", [0, 2, 4], "J"),
    ("$.list[0,9]", [0, None], "F"),
    ("$.a.b.*", [1], "J"),
    ("$.limit.*", [], "J"),
    ("$..v", [7], "J"),
    ("$..nothing", [], "J"),
    ("$..deep[0].v", [7], "J"),
    ("$.rows..tags[0]", ["x", None, "y"], "J, F"),
    ("$.a['b','null'].c", [1], "J"),
    ("$..['id']", [1, 2, 3], "J"),
    ("$..[?(@.v)]", [{"v": 7}], "J"),
    ("$.a.b[?(@.c == 1)]", [{"c": 1}], "J: a filter on an object tests the object"),
    ("$.a.b[?(@.c == 2)]", [], "J"),
    ("$.rows[?(@.id == 2)][0]", [], "J: an index applies to each value found, not to the list of them"),
    ("$.rows[*].tags.length()", [2, 0, 2], "J"),
    ("$.mixed[*].k", [1], "J"),
    ("$.rows[?(@.none == 1)]", [], "S: no match is an empty array"),
]

# The ids of the rows that a filter lets through.
FILTERS = [
    ("@.id == 2", [2], "J"),
    ("@['id'] == 2", [2], "J"),
    ("@.id != 2", [1, 3], "J"),
    ("@.id > 1 && @.id < 3", [2], "J"),
    ("@.id >= 2", [2, 3], "J"),
    ("2 <= @.id", [2, 3], "J"),
    ("@.id == $.limit", [2], "J"),
    ("@.name == 'bob'", [2], "J"),
    ('@.name == "bob"', [2], "J"),
    ("@.name > 'ann'", [2, 3], "J"),
    ("@.id > '1'", [], "J: no order between a number and a string"),
    ("@.id == '2'", [2], "J: a string that reads as the number is equal"),
    ("@.id === '2'", [], "J"),
    ("@.id !== '2'", [1, 2, 3], "J"),
    ("@.id == 2.0", [2], "J"),
    ("@.ok == true", [1], "J"),
    ("@.ok == 1", [], "J"),
    ("@.ok", [1, 2], "J: a bare path asks whether it is there"),
    ("!@.ok", [3], "J"),
    ("@.note == null", [2], "J"),
    ("@.note", [2], "J"),
    ("@.note != null", [1, 3], "J: nothing equals a missing value"),
    ("@.size != 3", [2, 3], "J"),
    ("@.size < 10", [1], "J"),
    ("@.name =~ /b.b/", [2], "J"),
    ("@.name =~ /B.*/i", [2], "J"),
    ("@.name =~ /b/", [], "J: the whole text must match"),
    ("@.id =~ /[12]/", [1, 2], "J"),
    ("@.tags =~ /z/", [3], "J"),
    ("@.name in ['ann', 'cyd']", [1, 3], "J"),
    ("@.name nin ['ann', 'cyd']", [2], "J"),
    ("@.name IN ['ann']", [1], "J"),
    ("'x' in @.tags", [1], "J"),
    ("@.tags subsetof ['x', 'y', 'q']", [1, 2], "J"),
    ("@.tags anyof ['x', 'z']", [1, 3], "J"),
    ("@.tags noneof ['x']", [2, 3], "J"),
    ("@.tags size 2", [1, 3], "J"),
    ("@.name size 3", [1, 2, 3], "J"),
    ("@.tags empty true", [2], "J"),
    ("@.tags empty false", [1, 3], "J"),
    ("@.tags contains 'y'", [1, 3], "J"),
    ("@.name contains 'b'", [2], "J"),
    ("@.tags all ['y', 'z']", [3], "J"),
    ("@.tags == ['x','y']", [1], "J"),
    ("@.nested == {'deep': [{'v': 7}]}", [3], "J"),
    ("@.nested.deep[0].v == 7", [3], "J"),
    ("@.tags[?(@ == 'z')] size 1", [3], "J"),
    ("@.tags.length() == 2", [1, 3], "J"),
    ("(@.id == 1 || @.id == 2) && @.ok == false", [2], "J"),
    ("@.id == 1 || @.id == 2 && @.ok == true", [1], "J: && binds more tightly"),
    ("!(@.id == 1) && !(@.id == 2)", [3], "J"),
    ("  @.id  ==  3  ", [3], "J"),
    ("@.id==3", [3], "J"),
    ("@.id > -1 && @.id < 2.5e0", [1, 2], "J"),
]


@pytest.mark.covers("A3.11")
@pytest.mark.parametrize(("path", "expected"), JAYWAY, ids=[path for path, _ in JAYWAY])
def test_the_examples_of_jayways_readme(path, expected):
    assert find(path, STORE) == expected


@pytest.mark.covers("A3.11")
@pytest.mark.parametrize(("path", "expected", "source"), DEFINITE, ids=[row[0] for row in DEFINITE])
def test_a_definite_path_gives_the_bare_value(path, expected, source):
    assert compile_query(path).definite
    assert find(path, DOCUMENT) == expected


@pytest.mark.covers("A3.11")
@pytest.mark.parametrize(("path", "expected", "source"), INDEFINITE, ids=[row[0] for row in INDEFINITE])
def test_any_other_path_gives_a_list(path, expected, source):
    assert not compile_query(path).definite
    assert find(path, DOCUMENT) == expected


@pytest.mark.covers("A3.11")
@pytest.mark.parametrize(("text", "expected", "source"), FILTERS, ids=[row[0] for row in FILTERS])
def test_filters(text, expected, source):
    assert find(f"$.rows[?({text})].id", DOCUMENT) == expected


@pytest.mark.covers("A3.11")
def test_a_filter_on_scalars_reads_them_as_the_item_itself():
    assert find("$.list[?(@ > 2)]", DOCUMENT) == [3, 4]
    assert find("$.mixed[?(@ == 1)]", DOCUMENT) == [1, "1"]
    assert find("$.mixed[?(@ == null)]", DOCUMENT) == [None]
    assert find("$.mixed[?(@ == true)]", DOCUMENT) == [True]


@pytest.mark.covers("A3.11")
def test_a_recorded_filter():
    document = {"users": [{"year": 1997, "status": 0}, {"year": 1998, "status": 1}]}
    assert find("$.users[?(@.status == 0)]", document) == [{"year": 1997, "status": 0}]


@pytest.mark.covers("A3.11")
@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("$.x", "No results for path: $['x']"),
        ("$.no.such.result.path", "Missing property in path $['no']"),
        ("$.a.b.x.y", "Missing property in path $['a']['b']['x']"),
        ("$.a.null[0]", "The path $['a']['null'] is null"),
        ("$.limit[0]", "Filter: [0] can only be applied to arrays. Current context is: 2"),
        ("$.limit[1:2]", "Filter: [1:2] can only be applied to arrays. Current context is: 2"),
    ],
)
def test_a_definite_path_that_finds_nothing_says_why_as_jayway_does(path, problem):
    assert find(path, DOCUMENT) is MISSING
    assert compile_query(path).problem(DOCUMENT) == problem


@pytest.mark.covers("A3.11")
def test_a_name_below_a_scalar_or_null_is_missing():
    for path in ("$.limit.x", "$.a.null.x", "$.list.x", "$.list[9].x", "$.words[0].x", "$.limit[?(@.x)]"):
        assert find(path, DOCUMENT) is MISSING
    assert "Expected to find an object with property ['x'] in path $['limit']" in compile_query("$.limit.x").problem(
        DOCUMENT
    )


@pytest.mark.covers("A3.11")
def test_a_null_past_the_end_can_be_told_from_a_null_in_the_array():
    assert compile_query("$[1]").finds_past_end([None])
    assert not compile_query("$[0]").finds_past_end([None])
    assert not compile_query("$.x").finds_past_end({"x": None})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "$x.",
        "$.",
        "$..",
        "$...a",
        "$.a.",
        "$.a..",
        "$.a b",
        "$[",
        "$[]",
        "$['a'",
        "$['a",
        "$[a]",
        "$['a' 'b']",
        "$[1,]",
        "$[1 2]",
        "$[99999999999]",
        "$..max()",
        "$..length(1)",
        "$..a..max()",
        "$.nope()",
        "$.length(",
        "$[?]",
        "$[?()]",
        "$[?(true)]",
        "$[?(@.a ==)]",
        "$[?(@.a === )]",
        "$[?(@.a near 3)]",
        "$[?(@.a == 1]",
        "$[?(@.a == 1 &&)]",
        "$[?(@.a == 'x)]",
        "$[?(@.a =~ /(/)]",
        "$[?(@.a =~ /x)]",
        "$[?(@.a =~ /(a)\\1/)]",
        "$[?(@.a =~ /a(?=b)/)]",
        "$[?(@.a =~ /a{9999}/)]",
        "$[?(@.a == 1e999)]",
        "$[?(@.a in [1,)]",
        "$[?(" + "(" * 500 + "@.a" + ")" * 500 + ")]",
        "$" + "[?(@" * 500,
    ],
)
def test_what_is_no_path_is_refused_when_it_is_compiled(text):
    with pytest.raises(ExpressionSyntaxError):
        compile_query(text)


def test_a_path_that_multiplies_is_stopped():
    document = json.loads('{"a":' * 60 + "1" + "}" * 60)
    assert len(find("$..*", document)) == 60
    with pytest.raises(AslError, match="too many values"):
        find("$..*..*..*..*..*..*", document)


def test_a_filter_that_reads_the_whole_document_for_each_item_is_stopped():
    with pytest.raises(AslError, match="too many values"):
        find("$.rows[?(@.id in $..id)]", {"rows": [{"id": number} for number in range(2_000)]})


def test_a_deep_document_is_no_trouble():
    document = leaf = {}
    for _ in range(20_000):
        leaf["a"] = {}
        leaf = leaf["a"]
    leaf["b"] = 1
    assert find("$..b", document) == [1]
