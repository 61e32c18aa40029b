"""Writes the seeds and dictionaries of the Python checks: ``.venv/bin/python fuzz/python/seeds.py``."""

from __future__ import annotations

import json
from pathlib import Path

from stepwell.asl.intrinsics import FUNCTIONS
from stepwell.asl.validate.fields import OPERATORS, RETRIER_FIELDS, STATE_FIELDS, STATE_TYPES

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CORPUS = HERE.parent / "corpus"
TASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Parameters": {"x.$": "$.a", "y.$": "States.Format('{}', $.b)"},
    "ResultSelector": {"r.$": "$.Payload"},
    "ResultPath": "$.r",
    "Retry": [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "BackoffRate": 2.0, "JitterStrategy": "FULL"}],
    "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "C"}],
    "TimeoutSeconds": 5,
    "Next": "C",
}
CHOICE = {
    "Type": "Choice",
    "Choices": [
        {"And": [{"Variable": "$.a", "NumericLessThan": 5}, {"Variable": "$.b", "IsPresent": True}], "Next": "W"}
    ],
    "Default": "F",
}
INNER = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": [1], "End": True}}}
DEFINITIONS = [
    {
        "StartAt": "T",
        "States": {
            "T": TASK,
            "C": CHOICE,
            "W": {"Type": "Wait", "Seconds": 1, "Next": "M"},
            "M": {"Type": "Map", "ItemsPath": "$.l", "ItemProcessor": INNER, "MaxConcurrency": 2, "Next": "B"},
            "B": {"Type": "Parallel", "Branches": [INNER, INNER], "End": True},
            "F": {"Type": "Fail", "Error": "E", "CausePath": "$.c"},
        },
    },
    {
        "StartAt": "M",
        "QueryLanguage": "JSONata",
        "States": {
            "M": {
                "Type": "Map",
                "Items": "{% $states.input.a %}",
                "ItemProcessor": {**INNER, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
                "Assign": {"n": "{% $count($states.result) %}"},
                "Next": "S",
            },
            "S": {"Type": "Succeed", "Output": "{% {'n': $n} %}"},
        },
    },
    {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}},
]
PATHS = [
    "$", "$$.Execution.Name", "$v.a[0]", "$.a[1].c[*]", "$..b", "$.a[?(@.b > 1 && @.c)]", "$.a[-1:]", "$.a[0,2]",
    "$['b']['c']", "$.a[(@.length-1)]", "$.a[?(@ =~ /x+/i)]", "$.a[4].max()", "$.a[?(!@.b || @.c == [1, 2])].b", "$.*",
    "$..[?(@.b == $.n)]", "$.b['c','d']", "$...a[*]$", "$.a[?('x' != @.b)]..*", "$[?]",
]  # fmt: skip
CALLS = [
    "States.Format('a {} b {}', $.n, $.s)", "States.StringToJson($.j)", "States.JsonToString($.b)",
    "States.Array(1, 'x', null, true, $.a)", "States.ArrayPartition($.a, 2)", "States.ArrayContains($.a, 1)",
    "States.ArrayRange(1, 9, 2)", "States.ArrayGetItem($.a, 0)", "States.ArrayLength($.l)", "States.ArrayUnique($.a)",
    "States.Base64Encode($.s)", "States.Base64Decode('YQ==')", "States.Hash($.s, 'SHA-256')",
    "States.JsonMerge($.b, $.e, false)", "States.MathRandom(1, 9)", "States.MathAdd($.n, 1)",
    "States.StringSplit($.s, ',;')", "States.UUID()",
]  # fmt: skip
EXPRESSIONS = [
    "$states.input.a[1].c", "$sum($v.a[4])", "$v.s & '!' & $string($v.n)", "$map($v.a, function($x, $i) {$i})",
    "$v.a[$type($) = 'number']", "($x := 1; $x + $v.n)", "$merge([$v.b, {'k': 1}])", "$split($v.s, /[,;]/)",
    "$v.b ~> |c|{'d': 2}|", "$formatNumber($v.n, '#0.00')", "$toMillis($v.t)", "$parse($v.j)", "$partition([1..9], 2)",
    "$v.a^(>$)", "$reduce([1..5], function($a, $b) {$a * $b})", "$v.n > 5 ? 'y' : 'n'", "$v.**.d", "$lookup($v, 'n')",
]  # fmt: skip
JSONATA_FUNCTIONS = """abs append average base64decode base64encode boolean ceil contains count distinct each error
    exists filter floor formatBase formatInteger formatNumber fromMillis hash join keys length lookup lowercase map
    match max merge min not now number pad parse parseInteger partition power random range reduce replace reverse round
    shuffle sift single sort split spread sqrt string substring substringAfter substringBefore sum toMillis trim type
    uppercase uuid zip"""


def write(check: str, seeds: list[str], words: list[str]) -> None:
    folder = CORPUS / check
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number:02}").write_text(seed)
    quoted = [word.replace("\\", "\\\\").replace('"', '\\"') for word in words]
    (HERE / f"{check}.dict").write_text("".join(f'"{word}"\n' for word in quoted))
    print(f"{check}: {len(seeds)} seeds, {len(words)} words")


def main() -> None:
    fields = sorted({name for names in STATE_FIELDS.values() for name in names} | RETRIER_FIELDS | {*OPERATORS})
    order = (ROOT / "tests/engine/machines/order.asl.json").read_text()
    names = [f'"{name}":' for name in [*fields, "States", "StartAt", "QueryLanguage", "ProcessorConfig", "Mode"]]
    write("definition", [order, *map(json.dumps, DEFINITIONS)], [*names, *(f'"{kind}"' for kind in STATE_TYPES)])
    write(
        "jsonpath",
        PATHS,
        ["$.", "$$", "..", "[*]", "[?(", "@.", ")]", "&&", "||", "=~", "!=", "[-1:]", "(@.length-1)", "['", "[?]"],
    )
    write(
        "intrinsic",
        CALLS,
        [f"States.{name}(" for name in sorted({*FUNCTIONS, "Format"})] + ["$.a", "\\'", "\\{", "', '"],
    )
    write(
        "jsonata",
        EXPRESSIONS,
        [f"${name}(" for name in JSONATA_FUNCTIONS.split()] + ["$states.input", "$v", "~>", ":=", "function("],
    )


if __name__ == "__main__":
    main()
