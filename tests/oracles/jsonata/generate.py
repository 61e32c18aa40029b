# ruff: noqa: E501  (tables of expressions, one a line)
"""Generates JSONata questions: expressions over a small document, with every function, operator, type and picture.

The same seed gives the same questions. ``ask.py`` gets the answers. Expressions that depend on time or chance are left out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

Question = dict[str, Any]

DOCUMENT = {
    "n": 7,
    "f": 2.5,
    "neg": -3,
    "zero": 0,
    "s": "hello world",
    "e": "",
    "u": "Ünï😀",
    "t": True,
    "no": False,
    "x": None,
    "a": [1, 2, 3],
    "one": [5],
    "empty": [],
    "names": ["b", "a", "c", "a"],
    "mixed": [1, "a", None, True, {"k": 1}, [2]],
    "nested": [[1, 2], [3, [4]], []],
    "o": {"b": 1, "a": {"c": [1, 2]}, "10": "x", "2": "y"},
    "rows": [
        {"id": 1, "g": "p", "v": 3, "tags": ["x", "y"], "in": {"k": "q"}},
        {"id": 2, "g": "q", "v": 1, "tags": ["y"], "in": {"k": "r"}},
        {"id": 3, "g": "p", "v": 2, "tags": [], "in": {}},
        {"id": 4, "v": 2.5, "in": {"k": "q", "v": 9}},
    ],
}
BINDINGS = {"x": 2, "y": ["b", "a", "c"], "v": {"k": 1}, "i": None, "sum": 5, "states": {"input": DOCUMENT}}
"""What the questions about bindings have as variables; their state has DOCUMENT as its input."""
PATHS = [
    *DOCUMENT,
    "rows.v",
    "rows.id",
    "rows.g",
    "rows.tags",
    "rows.in.k",
    "o.a",
    "o.a.c",
    "o.b",
    "nothing",
    "rows[0]",
]
NUMBERS = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "-2",
    "5",
    "10",
    "0.5",
    "1.5",
    "2.5",
    "-0.5",
    "-1.5",
    "3.14159",
    "100",
    "1000",
    "12345.678",
    "1e3",
    "1e15",
    "1e20",
    "1e21",
    "1e-7",
    "0.1",
    "0.125",
    "1/0",
    "-1/0",
    "0/0",
    "255",
    "35.4",
    "1e300",
    "123456789012345680",
    "0.000001",
    "9007199254740993",
    "4.35",
    "1.005",
    "26",
    "27",
    "1999",
    "2024",
    "40",
    "-42",
]
TEXTS = [
    "",
    "a",
    "b",
    "abc",
    "ABC",
    "hello world",
    "a,b,,c",
    "a b  c",
    "  x  ",
    "Ünï",
    "😀",
    "a😀b",
    "\\ud83d",
    "ﬀ",
    "İ",
    "ß",
    "ΑΣ",
    "12",
    "-1.5",
    "1e3",
    "0x1F",
    "0b11",
    "0o17",
    "+1",
    "01",
    ".5",
    "1.",
    " 1",
    "NaN",
    "Infinity",
    "true",
    "null",
    "a+b=c&d",
    "%41",
    "%E2%82%AC",
    "%",
    "%zz",
    "aGVsbG8=",
    "YQ",
    "a/b?c#d",
    "\\t\\n",
    "$1",
    "xxx",
    "aXbXc",
    "2020-01-01",
    "{}",
    "[1]",
    "\\\\",
    "'",
]
REGEXES = [
    r"/a/",
    r"/b/i",
    r"/[a-c]+/",
    r"/(a)(b)?/",
    r"/\w+/",
    r"/\s+/",
    r"/x*/",
    r"/o/",
    r"/(?:l+)(o)/",
    r"/^h/",
    r"/d$/",
    r"/[^a]/",
    r"/(.)\1/",
    r"/a|b/",
    r"/(?=b)/",
    r"/(?!a)./",
    r"/\d+/",
    r"/\bw/",
    r"/./",
    r"/l{2}/",
    r"/(\w)(\w)/",
    r"/A/i",
    r"/^./m",
    r"/[^]/",
    r"/\u00dc/",
    r"/(?<n>a)/",
    r"/()/",
    r"/X/",
    r"/,/",
    r"/(a(b(c)))/",
]
NUMBER_PICTURES = [
    "#",
    "0",
    "#0",
    "0.0",
    "#.##",
    "#,##0.00",
    "#,###,##0",
    "00.000",
    "0e0",
    "0.0e00",
    "#0%",
    "0.0‰",
    "0;(0)",
    "#,##0;-#,##0",
    "##,#,#0",
    "0,0.0,0",
    "#.0#",
    ".00",
    "#.",
    "0.",
    "0#",
    "#0#0",
    "0,,0",
    "0,",
    ",0",
    "0.0.0",
    "%%0",
    "a0b",
    "0a0",
    "x",
    "0;0;0",
    "00e",
    "0e#",
    "e0",
    "0.e0",
    "#e0",
    "$#,##0.00",
    "[0]",
    "0%",
    "000,00",
    "#,##,##0.##,##",
    "0.#0",
    "٠",
    "0٠",
]
INTEGER_PICTURES = [
    "0",
    "00",
    "000",
    "#",
    "#0",
    "#,##0",
    "0,000",
    "1",
    "1;o",
    "01;o",
    "w",
    "W",
    "Ww",
    "w;o",
    "W;o",
    "Ww;o",
    "A",
    "a",
    "I",
    "i",
    "#,##,##0",
    "٠١",
    "٠",
    "#.##0",
    "0'0",
    "#",
    "A;o",
    "1;c",
    "00;x",
    "x",
    "01x",
    "#x0",
    "0#0",
    "１",
    "0;0;o",
    ";o",
    "੦",
    "9,9,9",
]
DATE_PICTURES = [
    "[Y]-[M]-[D]",
    "[Y0001]-[M01]-[D01]",
    "[D]/[M]/[Y]",
    "[M01]/[D01]/[Y0001]",
    "[Y,2]",
    "[Y,2-2]",
    "[Y,*-4]",
    "[YI]",
    "[Y1;o]",
    "[MNn]",
    "[MN]",
    "[Mn]",
    "[MNn,3-3]",
    "[Mn,*-3]",
    "[FNn]",
    "[FN,3-3]",
    "[Fn,*-2]",
    "[F]",
    "[F1]",
    "[F0]",
    "[D1o]",
    "[Dw]",
    "[DWw]",
    "[DWwo]",
    "[d]",
    "[d001]",
    "[W]",
    "[w]",
    "[X]",
    "[x]",
    "[xNn]",
    "[H]",
    "[H01]",
    "[h]",
    "[h01]",
    "[P]",
    "[PN]",
    "[Pn]",
    "[m]",
    "[s]",
    "[f]",
    "[f001]",
    "[Z]",
    "[Z01:01]",
    "[Z0101]",
    "[Z0]",
    "[Z00]",
    "[Z0000]",
    "[Z00000]",
    "[Z01:01t]",
    "[z]",
    "[z01:01]",
    "[z0]",
    "[C]",
    "[E]",
    "[q]",
    "[H01]:[m01]:[s01].[f001]",
    "[h]:[m][PN]",
    "[[x]]",
    "]]",
    "[",
    "[Y",
    "[]",
    "[Y]x[",
    "[W]-[X]",
    "[w]-[x]",
    "[Dai]",
    "[YN]",
    "[HN]",
    "[DA]",
    "[Da]",
    "[MI]",
    "[Mi]",
    "[Y,4-4]",
    "[FNn],[D1o][MNn][Y]",
    "[Y]-[d]",
    "[X0001]-W[W01]-[F1]",
    "[M,2]",
    "[D,3-3]",
    "[m,1]",
    "[Y#,##0]",
    "[Y9,999,*]",
    "[H#0]",
    "[h,2-2]",
    "[s,2]",
]
ZONES = ["", "+0000", "+0100", "-0500", "+0530", "-0330", "+1400", "0", "Z", "x", "+01:00", "100", "-1", "+9959"]
MILLIS = [
    "0",
    "1",
    "-1",
    "1521801216617",
    "1577836800000",
    "951782400000",
    "-62135596800000",
    "253402300799999",
    "1e12",
    "1.5",
    "-1.5",
    "8.64e15",
    "8.64e15+1",
    "-8.64e15",
    "1483228799999",
    "1104537600000",
    "1609459199000",
    "1230768000000",
    "1325376000000",
    "-2208988800000",
    "946684799999",
]
TIMESTAMPS = [
    "2017-03-23T10:33:36.617Z",
    "2017",
    "2017-03",
    "2017-03-23",
    "2017-13-01",
    "2017-02-30",
    "2017-02-32",
    "2017-00-01",
    "2017-01-00",
    "2016-02-29",
    "2017-03-23T10:33:36",
    "2017-03-23T10:33:36+01:00",
    "2017-03-23T10:33:36-0530",
    "2017-03-23T24:00:00Z",
    "2017-03-23T24:00:01Z",
    "2017-03-23T25:00:00Z",
    "2017-03-23T10:33Z",
    "2017-03-23T10:60:00Z",
    "2017-03-23T10:33:36.1Z",
    "2017-03-23T10:33:36.123456Z",
    "2017-03-23Z",
    "2017-03-23+01:00",
    "2017-0100",
    "2017+01:00",
    "20170323",
    "x",
    "2017-03-23T10:33:36.Z",
    "2017-1-1",
    "0000-01-01",
    "9999-12-31T23:59:59.999Z",
    "2017-03-23T10:33:36z",
    "2017-03-23t10:33:36Z",
    "2017-03-23T10:33:36+29:59",
    "2017-01-01-02",
    "2017.5",
    "2017-01-01.5Z",
    "0099-01-01",
]
PARSED = [
    "23/3/2017",
    "3/23/2017",
    "2017-82",
    "23rdMarch2017",
    "March",
    "Mar",
    "Thursday",
    "10:33:36.617",
    "10:33am",
    "10:33PM",
    "12:00AM",
    "17",
    "2017",
    "MMXVII",
    "XII",
    "2017-W12-4",
    "10:33+0100",
    "10:33+01:00",
    "10:33GMT+01:00",
    "10",
    "0",
    "Two",
    "twenty-third",
    "twentythird",
    "1",
    "99",
    "2017-03-23T10:33:36.617Z",
    "+5",
    "-0330",
    "twothousandandseventeen",
    "JULY",
    "july",
    "A",
    "z",
    "1st",
    "22nd",
    "31st",
    "1x",
]
FUNCTIONS = {
    name: arity
    for arity, names in {
        1: """sum count max min average lowercase uppercase length trim number floor ceil abs sqrt boolean not keys exists
            spread merge reverse type distinct base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent
            decodeUrl""",
        2: """string substringBefore substringAfter contains join formatBase formatInteger parseInteger round power map zip filter
            single sift lookup append each assert sort toMillis""",
        3: "substring pad match split formatNumber reduce fromMillis",
        4: "replace",
    }.items()
    for name in names.split()
}
LAMBDAS = [
    "function($v) {{ {0} }}",
    "function($v, $i) {{ {0} }}",
    "function($v, $i, $a) {{ {0} }}",
    "function($v)<x:x> {{ {0} }}",
    "function() {{ {0} }}",
    "λ($v) {{ $v }}",
    "function($v, $w) {{ $v + $w }}",
    "function($v, $w) {{ $v > $w }}",
    "function($v, $w) {{ $v & $w }}",
]
REPLACEMENTS = ["'<$0>'", "'$1-$2'", "'$$'", "''", "function($m) { $m.groups[0] & $m.index }"]
OPERATORS = ["+", "-", "*", "/", "%", "&", "=", "!=", "<", "<=", ">", ">=", "and", "or", "in"]


class Maker:
    """Draws expressions."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.choose = self.random.choice

    def number(self) -> str:
        return f"({self.choose(NUMBERS)})" if self.random.random() < 0.7 else str(self.random.randint(-50, 5000) / 4)

    def text(self) -> str:
        return '"' + self.choose(TEXTS) + '"'

    def path(self) -> str:
        return self.choose(PATHS)

    def atom(self) -> str:
        return self.choose([self.number, self.text, self.path, self.path, self.other])()

    def other(self) -> str:
        return self.choose(
            [
                "true",
                "false",
                "null",
                "[]",
                "{}",
                "[1,2]",
                "['a','b']",
                "nothing",
                "$",
                "$$",
                "$v",
                "{'a':1}",
                "[[]]",
                "$sum",
                "[1..3]",
            ]
        )

    def function(self, depth: int = 1) -> str:
        if self.random.random() < 0.25:
            return "$" + self.choose([*FUNCTIONS])
        body = self.choose(["$v", "$v & ''", "$v > 1", "$i", "$a[$i]", "true", self.value(depth - 1)])
        return self.choose(LAMBDAS).format(body)

    def value(self, depth: int = 2) -> str:
        if depth <= 0:
            return self.atom()
        kind = self.random.random()
        if kind < 0.25:
            return self.atom()
        if kind < 0.5:
            return self.call(depth - 1)
        if kind < 0.65:
            return f"({self.value(depth - 1)} {self.choose(OPERATORS)} {self.value(depth - 1)})"
        if kind < 0.8:
            return self.path_expression(depth - 1)
        if kind < 0.85:
            return f"[{self.value(depth - 1)}, {self.value(depth - 1)}]"
        if kind < 0.9:
            return f"({self.value(depth - 1)} ? {self.value(depth - 1)} : {self.value(depth - 1)})"
        if kind < 0.95:
            return f"($v := {self.value(depth - 1)}; {self.value(depth - 1)})"
        return f"{{{self.text()}: {self.value(depth - 1)}}}"

    def call(self, depth: int = 1) -> str:
        name = self.choose([*FUNCTIONS])
        count = max(0, FUNCTIONS[name] + self.choose([0, 0, 0, 0, -1, -1, 1, -2]))
        arguments = [self.argument(name, at, depth) for at in range(count)]
        shape = self.random.random()
        if shape < 0.75 or not arguments:
            return f"${name}({', '.join(arguments)})"
        if shape < 0.85:
            return f"{arguments[0]} ~> ${name}({', '.join(arguments[1:])})"
        return f"{self.path()}.${name}({', '.join(arguments[1:])})"

    def partial(self) -> str:
        """A partial application, with arguments of the right types, because it does not check them."""
        given, rest = self.choose(
            [
                ("$substring(?, 1, ?)", "('hello', 2)"),
                ("$substring('hello', ?)", "(1)"),
                ("$pad(?, ?)", "('x', 4)"),
                ("$pad('x', ?, '.')", f"({self.random.randint(-5, 5)})"),
                ("$split(?, ',')", "('a,b')"),
                ("$join(?, '-')", "(names)"),
                ("$map(?, $f)", "(a)"),
                ("$filter(?, function($v) { $v > 1 })", "(a)"),
                ("$reduce(?, function($v, $w) { $v + $w }, ?)", "(a, 1)"),
                ("$sort(?)", "(names)"),
                ("$string(?)", "(1)"),
                ("$sum(?)", "(a)"),
                ("$zip(?)", "(a)"),
                ("$append(1, ?)", "([2])"),
                ("$power(?, 2)", "(3)"),
                ("$match(?, /o/)", "('foo')"),
                ("$replace(?, 'o', ?, ?)", "('foo', 'x', 1)"),
                ("$f(?, 1)", "(2)"),
                ("$f(1, ?)", "(2)"),
                ("$f(?, ?)", "(1, 2)"),
                ("$f(?)", "(1)"),
                ("$f(?, ?)(1, ?)", "(2)"),
                ("nothing(?)", "(1)"),
                ("substring(?)", "(1)"),
                ("n(?)", "(1)"),
                ("'x'(?)", "(1)"),
                ("$n(?)", "(1)"),
                ("$contains(?, 'l')", "('hello')"),
                ("$exists(?)", "(nothing)"),
                ("$lookup(?, 'a')", "(o)"),
            ]
        )
        rest = self.choose([rest, rest, "", " ~> $map(function($v) { $v })"])
        return f"($f := {self.choose(['function($x, $y) { [$x, $y] }', 'function($x) { $x }', '$string', '$append'])}; {given}{rest})"

    def unchecked(self) -> str:
        """A partial application with an argument of another type, which no signature refuses."""
        called = self.choose(
            [
                "lowercase(?)",
                "uppercase(?)",
                "trim(?)",
                "length(?)",
                "substring(?,1)",
                "substring(?,0,2)",
                "substring('hello',?)",
                "substringBefore(?,'-')",
                "substringAfter(?,'a')",
                "contains(?,'b')",
                "contains(?)",
                "match(?)",
                "replace(?)",
                "split(?)",
                "split(?,',')",
                "join(?,'-')",
                "join(?)",
                "max(?)",
                "min(?)",
                "count(?)",
                "floor(?)",
                "ceil(?)",
                "abs(?)",
                "power(?,3)",
                "power(2,?)",
                "merge(?)",
                "encodeUrl(?)",
                "encodeUrlComponent(?)",
                "decodeUrl(?)",
                "formatInteger(?,'w')",
                "formatInteger(?)",
                "reduce(?)",
                "reduce(?,function($v,$w){$v&$w},3)",
                "replace('foo','o',?,1)",
                "sort(?,function($v,$w){$v>$w})",
            ]
        )
        argument = self.choose(
            [
                "null",
                "true",
                "false",
                "5",
                "-2.5",
                "'a'",
                "''",
                "'-5'",
                "[]",
                "[1]",
                "['a','b']",
                "[3,1,2]",
                "{}",
                "{'a':1}",
                "nothing",
                "[{'a':1}]",
                "names",
                "rows.v",
                "o",
            ]
        )
        return f"${called}({argument})"

    def argument(self, name: str, at: int, depth: int) -> str:
        if self.random.random() < 0.2:
            return self.value(depth)
        if name in ("map", "filter", "single", "sift", "each", "reduce", "sort") and at == 1:
            return self.function(depth)
        if name in ("match", "contains", "split", "replace") and at == 1:
            return self.choose(REGEXES) if self.random.random() < 0.7 else self.text()
        if name == "replace" and at == 2:
            return self.choose(
                [
                    "'$0'",
                    "'<$1>'",
                    "'$$'",
                    "'$2$1'",
                    "'$12'",
                    "'$'",
                    "'$a'",
                    "function($m) { $m.match & '!' }",
                    self.text(),
                ]
            )
        if name in (
            "sum",
            "max",
            "min",
            "average",
            "count",
            "reverse",
            "distinct",
            "zip",
            "sort",
            "map",
            "filter",
            "reduce",
        ):
            return self.choose(
                [
                    "a",
                    "one",
                    "empty",
                    "names",
                    "mixed",
                    "nested",
                    "rows",
                    "rows.v",
                    "rows.id",
                    "[1..4]",
                    "[3,1,2,1]",
                    self.value(depth),
                ]
            )
        if name in ("keys", "spread", "merge", "lookup", "each", "sift") and at == 0:
            return self.choose(["o", "rows", "rows[0]", "o.a", "mixed", "{}", self.value(depth)])
        if name in ("substring", "pad", "round", "power", "formatBase", "floor", "abs", "sqrt", "ceil") and (
            at > 0 or name not in ("substring", "pad")
        ):
            return self.choose([*map(str, range(-3, 12)), self.number(), self.number(), "2.7", "-0.5"])
        return self.choose([self.text, self.text, self.path, self.number, self.atom])()

    def path_expression(self, depth: int) -> str:
        base = self.choose(
            ["rows", "o", "a", "nested", "mixed", "$", "*", "**", "rows.tags", "(rows)", "[a, one]", "$$.rows"]
        )
        for _ in range(self.random.randint(1, 3)):
            base += self.choose(
                [
                    f"[{self.choose(['0', '-1', '1', '[0,1]', '1.5', '-0.5', '99'])}]",
                    f"[{self.choose(['v', 'v > 1', 'id = 2', '$ > 1', 'g', 'tags', 'in.k', 'true', 'nothing', '$.v < 3', 'v in [1,2]'])}]",
                    f"[{self.value(depth - 1)}]",
                    ".v",
                    ".id",
                    ".tags",
                    ".in.k",
                    ".*",
                    ".**",
                    ".a",
                    "[]",
                    ".[v]",
                    ".[v, id]",
                    ".{'k': v}",
                    ".(v & id)",
                    ".%",
                    ".v.%",
                    ".v.%.id",
                    ".tags.%.%",
                    f"^({self.choose(['v', '>v', '<id', '$', 'g', 'g, >v', 'nothing', 'tags'])})",
                    f"{{{self.choose(['g', '$string(id)', '$string(v)', 'nothing', 'v'])}: {self.choose(['v', '$sum(v)', 'id', '$', '$count($)'])}}}",
                    "@$r",
                    "#$i",
                    "@$r.$r.v",
                    "#$i.($i & '')",
                    "#$i[$i > 0]",
                    ".$string()",
                    ".$count($)",
                    f".({self.value(depth - 1)})",
                ]
            )
        return base

    def picture_of_number(self) -> str:
        options = self.choose(
            ["", "", "", ", {'decimal-separator': ','}", ", {'grouping-separator': '.', 'decimal-separator': ','}",
             ", {'zero-digit': '٠'}", ", {'digit': '_'}", ", {'minus-sign': 'm'}", ", {'exponent-separator': 'E'}",
             ", {'percent': 'p'}", ", {'pattern-separator': '|'}", ", {'decimal-separator': '!!'}", ", {'zero-digit': ''}"]
        )  # fmt: skip
        return f"$formatNumber({self.number()}, {self.quoted(self.shaken(self.choose(NUMBER_PICTURES)))}{options})"

    def picture_of_integer(self) -> str:
        picture = self.quoted(self.shaken(self.choose(INTEGER_PICTURES)))
        if self.random.random() < 0.6:
            return f"$formatInteger({self.number()}, {picture})"
        text = self.choose(
            [
                "12",
                "1,234",
                "twelve",
                "One Hundred and Two",
                "MCMXC",
                "xiv",
                "AB",
                "z",
                "1st",
                "22nd",
                "٣",
                "-5",
                "",
                "x",
                "1.5",
                "two thousand, and five",
            ]
        )
        return f"$parseInteger('{text}', {picture})"

    def date(self) -> str:
        kind = self.random.random()
        if kind < 0.45:
            pictures = "".join(self.choose(DATE_PICTURES) for _ in range(self.random.randint(1, 2)))
            zone = self.choose(["", f", '{self.choose(ZONES)}'"])
            return f"$fromMillis({self.choose(MILLIS)}, {self.quoted(self.shaken(pictures))}{zone})"
        if kind < 0.55:
            return f"$fromMillis({self.choose(MILLIS)}, nothing, '{self.choose(ZONES)}')"
        if kind < 0.75:
            return f"$toMillis('{self.shaken(self.choose(TIMESTAMPS), 0.1)}')"
        if kind < 0.9:
            picture = self.choose(DATE_PICTURES) + self.choose(["", "", self.choose(DATE_PICTURES)])
            millis = self.choose(MILLIS)
            return f"$fromMillis({millis}, '{picture}') ~> $toMillis('[Y]-[M]-[D] ' & '{picture}')"
        picture = (
            "[Y]-[M01]-[D01]T"
            + self.choose(["[H01]:[m01]:[s01]", "[h]:[m][P]", "[H]", "[H01][m01]"])
            + self.choose(["", "[Z]", "[Z0101]"])
        )
        return f"$fromMillis({self.choose(MILLIS)}, '{picture}') ~> $toMillis('{picture}')"

    def date_read(self) -> str:
        return f"$toMillis('2017-{self.choose(PARSED)}', {self.quoted('[Y]-' + self.choose(DATE_PICTURES))})"

    def shaken(self, text: str, chance: float = 0.25) -> str:
        """The text with a random letter doubled, dropped or moved."""
        if not text or self.random.random() > chance:
            return text
        at = self.random.randrange(len(text))
        return self.choose(
            [text[:at] + text[at + 1 :], text[:at] + text[at] + text[at:], text[at:] + text[:at], text + text]
        )

    def quoted(self, text: str) -> str:
        return '"' + text.replace('"', "") + '"'

    def syntax(self) -> str:
        text = self.value(3)
        for _ in range(self.random.randint(1, 3)):
            at = self.random.randrange(len(text) + 1)
            piece = self.choose(
                [
                    *"()[]{}.,;:?'\"`/*+-=<>!~|^@#%&$ ",
                    ":=",
                    "..",
                    "~>",
                    "and",
                    "/*",
                    "*/",
                    "??",
                    "?:",
                    "\\u12",
                    "1e999",
                    "function(",
                    "λ($x)<n>{",
                ]
            )
            text = text[:at] + piece + text[at + self.random.choice([0, 0, 1]) :]
        return text

    def transform(self) -> str:
        pattern = self.choose(["rows", "o", "$", "rows.in", "**", "rows[v>1]", "nothing", "a", "o.a"])
        update = self.choose(
            ["{'z': 1}", "{'v': v & ''}", "{}", "nothing", "{'k': $}", "1", "[1]", "null", "{'b': [1,2]}"]
        )
        delete = self.choose(["", ", 'v'", ", ['id', 'g']", ", 'nothing'", ", 1", ", nothing", ", []"])
        return f"$ ~> |{pattern}|{update}{delete}|"

    def functional(self) -> str:
        return self.choose(
            [
                f"($f := {self.function(2)}; $f({self.value(1)}))",
                f"($f := {self.function(2)}; $g := {self.function(2)}; ({self.value(1)} ~> $f ~> $g))",
                f"($f := {self.function(1)} ~> {self.function(1)}; $f({self.value(1)}))",
                f"(${self.choose([*FUNCTIONS])} ~> ${self.choose([*FUNCTIONS])})({self.value(1)}, {self.value(1)})",
                f"[{self.text()}][0].{self.choose(['x', '$', '$string()'])}",
                f"($f := function($x, $y)<{self.choose(['nn:n', 's-n?:s', 'a<n>x?:x', '(sn)x', 'x+', 'n-n', 'f?', 'j', 'as', 'o-b', 'b', 'l', 'a<s>', 'n+s', 's<n>', 'a<(sn)>'])}> {{ [$x, $y] }}; $f({self.value(1)}, {self.value(1)}))",
                f"{self.path()}.($f := function($x)<{self.choose(['n-', 's-:s', 'x-', 'a-', 'o-', '(ns)-'])}>{{$x}}; $f())",
                f"($f := function($n) {{ $n <= 0 ? {self.value(1)} : $f($n - 1) }}; $f(3))",
                f"$map({self.choose(['a', 'rows', 'names', 'mixed'])}, {self.function(2)})",
                f"$reduce({self.choose(['a', 'names', '[]', 'one'])}, {self.function(1)}, {self.value(1)})",
                f"$sort({self.choose(['a', 'names', 'rows', 'mixed', 'rows.v'])}, {self.function(1)})",
                f"({self.value(1)}){self.choose(['(1)', '(?)', '(?, 2)(3)', '()'])}",
                f"[$v := {self.value(1)}]",
                f"($v := 1; ($v := {self.value(1)}); $v)",
            ]
        )

    def binding(self, depth: int = 3) -> str:
        """Variables from outside in an expression that binds the same names: by parameters, `:=`, `@` and `#`."""
        name = self.choose(["$x", "$x", "$x", "$y", "$v", "$i", "$sum"])
        if depth <= 0:
            return self.choose([name, name, "1", "[1,2]", "'t'", "$states.input.a", "$states.input.rows.v"])
        inner = lambda: self.binding(depth - 1)  # noqa: E731
        return self.choose(
            [
                lambda: name,
                lambda: f"[{inner()}, {inner()}]",
                lambda: f"({inner()} & {inner()})",
                lambda: f"({name} := {inner()}; {inner()})",
                lambda: f"({name} := {name} & 'n'; {inner()}; {name})",
                lambda: f"(({name} := {inner()}); {inner()})",
                lambda: f"({inner()}; {name} := $y := {inner()}; {inner()})",
                lambda: f"($boolean({inner()}) ? {name} := {inner()}; {name})",
                lambda: f"($f := function() {{ {inner()} }}; {name} := {inner()}; $f())",
                lambda: f"($f := function($n) {{ $n > 0 ? $f($n - 1) : {inner()} }}; $f(2))",
                lambda: f"function({name}) {{ {inner()} }}({inner()})",
                lambda: f"function({name}, $y) {{ {inner()} }}(?, {inner()})({inner()})",
                lambda: f"$map([1,2], function($x, $i) {{ {inner()} }})",
                lambda: f"$reduce([1,2,3], function($x, $y) {{ $x + $y }}, {inner()})",
                lambda: f"$sort([2,1,3], function($x, $y) {{ $x > $y }}) ~> $append({inner()})",
                lambda: f"{inner()} ~> function({name}) {{ {inner()} }}",
                lambda: f"$states.input.rows@{name}.({inner()})",
                lambda: f"$states.input.rows#{name}.({inner()})",
                lambda: f"$states.input.rows@$v[$v.id > 1]#{name}.tags.({inner()})",
                lambda: f"$states.input.rows[id > 1]#{name}[{name} >= 0].({inner()})",
                lambda: f"($states.input.rows.tags.%.in@{name})#$i.({inner()})",
                lambda: f"[1,2]@{name}.({inner()})",
                lambda: f"$states.input.rows@{name}^({name}.v).({inner()})",
                lambda: f"$states.input.rows#{name}{{ g & '': {inner()} }}",
                lambda: f"$states.input.o ~> |$|{{ 'k': {inner()} }}, $y[0]|",
                lambda: f"({name} := {inner()}; $states.input.o ~> |$|{{ 'k': {inner()} }}|)",
                lambda: f"({{ 'k': {name} := {inner()} }}.({inner()}))",
            ]
        )()

    def regex(self) -> str:
        text = self.choose(["s", "u", self.text(), self.text()])
        expression = self.choose(REGEXES)
        return self.choose(
            [
                f"$match({text}, {expression})",
                f"$match({text}, {expression}, {self.choose(['0', '1', '2', '-1', '1.5'])})",
                f"$replace({text}, {expression}, {self.choose(REPLACEMENTS)})",
                f"$split({text}, {expression})",
                f"$split({text}, {expression}, {self.choose(['0', '1', '2', '1.5'])})",
                f"$contains({text}, {expression})",
                f"{expression}({text}).[match, start, end, groups]",
                f"({expression}({text}).next)().match",
                f"names[$contains({expression})]",
            ]
        )


KINDS: dict[str, Callable[[Maker], str]] = {
    "call": lambda maker: maker.call(2),
    "value": lambda maker: maker.value(3),
    "path": lambda maker: maker.path_expression(2),
    "picture of a number": Maker.picture_of_number,
    "picture of an integer": Maker.picture_of_integer,
    "date": Maker.date,
    "date read": Maker.date_read,
    "syntax": Maker.syntax,
    "transform": Maker.transform,
    "functional": Maker.functional,
    "partial application": Maker.partial,
    "unchecked argument": Maker.unchecked,
    "binding": Maker.binding,
    "regular expression": Maker.regex,
}


def questions(count: int, seed: int) -> Iterator[Question]:
    """So many questions, of each kind in turn."""
    maker = Maker(seed)
    for number in range(count):
        kind = [*KINDS][number % len(KINDS)]
        yield {"kind": kind, "expr": KINDS[kind](maker)}


def with_values(question: Question) -> Question:
    """The question with the values that it is asked over: a state's, with variables, or a context item."""
    return question | ({"bindings": BINDINGS} if question["kind"] == "binding" else {"data": DOCUMENT})
