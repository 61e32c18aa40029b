# ruff: noqa: E501  (tables of expressions, one a line)
"""Draws JSONata expressions: values, paths, calls, functions, bindings, and text that may not parse."""

from __future__ import annotations

import random

from oracles.jsonata.vocabulary import FUNCTIONS, LAMBDAS, NUMBERS, OPERATORS, PATHS, REGEXES, REPLACEMENTS, TEXTS


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
