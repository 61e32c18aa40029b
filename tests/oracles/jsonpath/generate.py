"""Generates JSONPath questions: a path and a document each, for what the reader accepts and what it misreads.

The same seed gives the same questions. ``ask.py`` gets the answers.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

Question = dict[str, Any]

NAMES = ["a", "b", "c", "id", "x", "items", "v"]
ODD_NAMES = [
    "",
    "a b",
    "it's",
    "d-e",
    "ü",
    "ж",
    "😀",
    "a.b",
    "[0]",
    "0",
    "*",
    "$",
    "@",
    "a'b",
    "length()",
    "\\",
    '"a"',
    "null",
]
TEXTS = [
    "",
    "a",
    "b",
    "ab",
    "A",
    "1",
    "2",
    "-1",
    "1.0",
    "1e0",
    "true",
    "True",
    "null",
    "x y",
    "it's",
    "ü",
    "😀",
    "'",
    "\\'",
    "\ufffd",
    "2024-01-01",
    "[1]",
    "{}",
    "a&&b",
    "a||b",
    "(a)",
]
NUMBERS = [
    0,
    1,
    2,
    3,
    -1,
    10,
    1.5,
    1.0,
    0.1,
    -0.0,
    1e20,
    1e-7,
    123456.75,
    1e7,
    0.001,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**31),
]
LITERALS = [
    "1",
    "2",
    "0",
    "-1",
    "1.5",
    "1.0",
    "01",
    "+1",
    "1e0",
    "1E+1",
    ".5",
    "5.",
    "0.1",
    "1e400",
    "9007199254740993",
    "100000000000000000000",
    "'a'",
    "'1'",
    "''",
    "'null'",
    "'it\\'s'",
    "'a b'",
    "'true'",
    '"a"',
    '"1"',
    "true",
    "false",
    "TRUE",
    "null",
    "a",
    "a b",
    "abc",
    "[]",
    "[1]",
    "{}",
    "{'a':1}",
    "['a','b']",
    "1 2",
    "--1",
    "1-",
    "e1",
    "1e",
    "1e+",
    "1ex",
    "1.2.3",
    ".",
    "+",
    "-",
    "''a''",
    "'a",
    "a'",
    "12345678901234567890x",
    "0x1",
    "1_0",
    " 1",
    "٣",
    "NaN",
    "Infinity",
    "undefined",
    "not null",
    "@",
    "$",
]
PATTERNS = [
    "/a/",
    "/a.*/",
    "/.*/",
    "/A/i",
    "/[ab]+/",
    "/\\d+/",
    "/\\w*/i",
    "/^a$/",
    "/(a|b)*/",
    "/1/",
    "/.*[.]5/",
    "/null/",
    "/true/",
    "/[[]1]/",
    "/{.*/",
    "/\\[.*\\]/",
    "//",
    "/",
    "/a",
    "a/",
    "/a/g",
    "/a/ii",
    "/a/b/",
    "/'/",
    "/a/I",
    "/\\/",
]
OPERATORS = ["==", "!=", "<", "<=", ">", ">=", "=~"]
ODD_OPERATORS = [
    "===",
    "!==",
    "=",
    "=>",
    "=<",
    "<>",
    "in",
    "nin",
    "size",
    "empty",
    "subsetof",
    "contains",
    "~=",
    "!",
    "<=>",
    ">==",
    "==!",
    "&",
    "|",
]
SPICE = [
    *"$@.[]()?*,:'\"\\/!=<>~&|-+ \t\n01239abex{}_ü😀٣",
    "..",
    "[*]",
    "&&",
    "||",
    "==",
    "[?(",
    ")]",
    "@.",
    "['",
    "']",
    "(@.length-1)",
    "[?]",
]
# These would give millions of nulls.
_HUGE_SLICE = re.compile(r"-[\d ٣-]{5,}[^\]]*:|:[^\]]*\d{7,}.*-[\d ]{5,}")


def questions(count: int, seed: int) -> Iterator[Question]:
    """So many questions."""
    maker = _Maker(random.Random(seed))
    made = 0
    while made < count:
        question = maker.question()
        if not _HUGE_SLICE.search(question["path"]):
            made += 1
            yield question


def _names(document: Any) -> set[str]:
    if isinstance(document, dict):
        return set(document).union(*map(_names, document.values()))
    return set().union(*map(_names, document)) if isinstance(document, list) else set()


class _Maker:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        kinds: list[tuple[int, str, Callable[[], str]]] = [
            (4, "plain", lambda: "$" + self.steps(self.definite_step, 4)),
            (4, "indefinite", lambda: "$" + self.steps(self.step, 4)),
            (
                8,
                "filter",
                lambda: self.choose(["$", "$.items", "$.a", "$..a", "$.*"]) + self.filter() + self.steps(self.step, 1),
            ),
            (3, "scan", lambda: "$.." + self.step().lstrip(".") + self.steps(self.step, 2)),
            (2, "indices", lambda: "$" + self.steps(self.odd_index, 2)),
            (2, "names", lambda: "$" + self.steps(self.odd_names, 2)),
            (3, "mutated", lambda: self.mutated("$" + self.steps(self.step, 3))),
            (3, "mutated filter", lambda: self.mutated("$" + self.filter())),
            (1, "noise", lambda: "$" + "".join(self.choose(SPICE) for _ in range(self.chance.randrange(1, 9)))),
            (
                1,
                "filter noise",
                lambda: "$[?(" + "".join(self.choose(SPICE) for _ in range(self.chance.randrange(0, 8))) + ")]",
            ),
            (
                1,
                "start",
                lambda: self.choose(["", " ", "@", "a", "$$", " $", "$a", "*", "..", "."]) + self.steps(self.step, 2),
            ),
        ]
        self.known = NAMES
        self.kinds = [(name, make) for _, name, make in kinds]
        self.weights = [weight for weight, _, _ in kinds]

    def choose(self, options: list[Any]) -> Any:
        return self.chance.choice(options)

    def question(self) -> Question:
        kind, make = self.chance.choices(self.kinds, self.weights)[0]
        document = self.document(kind)
        self.known = sorted(_names(document)) or NAMES
        path = make()
        if self.chance.random() < 0.03:
            path = self.choose([" ", "\t", "\n"]) + path
        if self.chance.random() < 0.03:
            path += self.choose([" ", "\n", ".", "..", "]", "*", "$"])
        return {"kind": kind, "path": path, "doc": document}

    # -- documents ---------------------------------------------------------------------------------------------------

    def document(self, kind: str) -> Any:
        if "filter" in kind and self.chance.random() < 0.7:
            rows = [self.row() for _ in range(self.chance.randrange(1, 5))]
            return self.choose(
                [rows, {"items": rows, "a": self.value(2), "b": self.scalar()}, {"a": rows, "b": 1, "v": rows}]
            )
        return self.value(4)

    def row(self) -> Any:
        if self.chance.random() < 0.15:
            return self.value(1)
        return {
            name: self.value(self.choose([0, 0, 0, 1, 2]))
            for name in self.chance.sample(NAMES, self.chance.randrange(1, 5))
        }

    def value(self, depth: int) -> Any:
        kind = self.chance.random()
        if depth == 0 or kind < 0.2:
            return self.scalar()
        if kind < 0.45:
            return [self.value(depth - 1) for _ in range(self.chance.randrange(4))]
        return {self.new_name(): self.value(depth - 1) for _ in range(self.chance.randrange(4))}

    def scalar(self) -> Any:
        return self.choose(
            [self.choose(TEXTS), self.choose(NUMBERS), self.choose(NUMBERS), self.choose([True, False, None])]
        )

    def new_name(self) -> str:
        return self.choose(NAMES) if self.chance.random() < 0.85 else self.choose(ODD_NAMES)

    def name(self) -> str:
        return self.choose(self.known) if self.chance.random() < 0.8 else self.new_name()

    # -- paths -------------------------------------------------------------------------------------------------------

    def steps(self, make: Callable[[], str], most: int) -> str:
        return "".join(make() for _ in range(self.chance.randrange(most + 1)))

    def definite_step(self) -> str:
        name = self.name()
        return self.choose(
            [
                f".{name}",
                f".{name}",
                f"['{name}']",
                f".['{name}']",
                f"[{self.index()}]",
                f"[(@.length-{self.chance.randrange(4)})]",
            ]
        )

    def index(self) -> int:
        return self.choose([0, 0, 1, 2, 3, 9, -1, -2])

    def step(self) -> str:
        name, other = self.name(), self.name()
        made = self.chance.random()
        if made < 0.5:
            return self.definite_step()
        if made < 0.6:
            return self.filter()
        return self.choose(
            [
                ".*",
                "[*]",
                "..*",
                f"..{name}",
                f"..['{name}']",
                f"..[{self.index()}]",
                "..[*]",
                f"[{self.index()},{self.index()}]",
                f"[{self.index()}:{self.index()}]",
                f"[{self.index()}:]",
                f"[:{self.index()}]",
                f"['{name}','{other}']",
                f"['{name}', '{other}']",
                "*",
                f"..['{name}','{other}']",
                f"..{self.filter()}",
                f".{name}()",
                "$",
                f"..[(@.length-{self.chance.randrange(3)})]",
            ]
        )

    def odd_index(self) -> str:
        inside = "".join(
            self.choose([*"0129--::,,  ", "10", "٣", "-1", "]", "a"]) for _ in range(self.chance.randrange(1, 6))
        )
        return self.choose(
            [
                f"[{inside}]",
                f"[{inside}]",
                f"[{inside}]",
                f"[ {inside} ]",
                f"[a{inside}b]",
                f"[({inside})]",
                f"[(@.length{self.choose(['', '()', ' '])}{self.choose(['-', ' - ', '+', '--', ''])}{inside})]",
                f"[(@.size{inside})]",
                f"[(@{inside})]",
                f"[@.length-{inside}]",
                f"[99999999{inside}]",
                "[2147483647]",
                "[-2147483648]",
                "[2147483648]",
            ]
        )

    def odd_names(self) -> str:
        parts = "".join(
            self.choose(["'", "'", "a", "b", ",", " ", "\\", '"', "]", "[", "'a'", "'b'", "ж", "?", "0"])
            for _ in range(self.chance.randrange(1, 7))
        )
        name = self.name()
        return self.choose(
            [
                f"[{parts}]",
                f"['{parts}']",
                f"['{name}'{parts}]",
                f'["{name}"]',
                f"[{name}]",
                f".{name}{parts}",
                f"['{name}' , '{parts}']",
            ]
        )

    # -- filters -----------------------------------------------------------------------------------------------------

    def filter(self) -> str:
        blank = self.choose(["", "", "", " "])
        return f"[{blank}?{blank}({blank}{self.condition()}{blank}){blank}]"

    def condition(self) -> str:
        text = self.criterion()
        for _ in range(self.choose([0, 0, 0, 0, 1, 1, 2, 3])):
            join = self.choose(
                ["&&", "||", " && ", " || ", "&&&", " and ", "&", "|"]
                if self.chance.random() < 0.2
                else [" && ", " || "]
            )
            text += join + self.criterion()
        return text

    def criterion(self) -> str:
        made = self.chance.random()
        if made < 0.15:
            text = self.choose(["", "", "!"]) + self.reference()
        elif made < 0.2:
            text = self.operand()
        else:
            operator = self.choose(OPERATORS) if made < 0.9 else self.choose(ODD_OPERATORS)
            right = self.choose(PATTERNS) if operator == "=~" and self.chance.random() < 0.7 else self.operand()
            left = self.reference() if self.chance.random() < 0.75 else self.operand()
            blank = self.choose([" ", " ", "", "  "])
            text = f"{left}{blank}{operator}{blank}{right}"
        return f"({text})" if self.chance.random() < 0.08 else f"!({text})" if self.chance.random() < 0.03 else text

    def reference(self) -> str:
        start = self.choose(["@", "@", "@", "@", "$"])
        if self.chance.random() < 0.7:
            return f"{start}.{self.name()}"
        return start + self.steps(self.definite_step if self.chance.random() < 0.8 else self.step, 3)

    def operand(self) -> str:
        made = self.chance.random()
        if made < 0.6:
            return self.choose(LITERALS)
        if made < 0.75:
            return f"'{self.choose(TEXTS)}'"
        return self.reference() if made < 0.93 else self.choose(PATTERNS)

    def mutated(self, path: str) -> str:
        for _ in range(self.chance.randrange(1, 4)):
            at = self.chance.randrange(len(path) + 1)
            end = min(len(path), at + self.chance.randrange(3))
            path = path[:at] + self.choose([*SPICE, "", ""]) + path[end:]
        return path
