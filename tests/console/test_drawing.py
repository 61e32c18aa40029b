"""The console's drawings and those of Python agree: in colours, signs and shapes, and where boxes lie."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from console.browser import browsing
from stepwell.console.assets import FOLDER
from stepwell.console.bundle import bundled
from stepwell.graph.labels import rule_text
from stepwell.graph.layered import Box, Link, Spacing, lay_out
from stepwell.graph.model import detail_of

STYLE = json.loads((FOLDER.parent.parent / "graph" / "style.json").read_text(encoding="utf-8"))
STATUSES = ("running", "succeeded", "failed", "timed-out", "aborted", "caught")
CASES = 40


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_has_one_colour_and_one_sign(status: str) -> None:
    sheet, names = (FOLDER / "style.css").read_text(), (FOLDER / "parts" / "basics.js").read_text()
    assert re.findall(rf"--{status}: (#\w+);", sheet) == STYLE["statuses"][status]["colour"]
    sign = re.search(rf'{status.upper().replace("-", "_")}: \["(.)"', names)
    assert sign is not None
    assert sign[1] == STYLE["statuses"][status]["sign"]


ENTRY = """import { box, layOut } from "./graph/layered.js";
import { detailOf, fitted, ruleText, widthOf } from "./graph/labels.js";
globalThis.layered = { box, layOut, detailOf, fitted, ruleText, widthOf };
"""


@pytest.fixture(scope="module")
def layered() -> Iterator[Any]:
    """A page that has the layout of the console."""
    modules = {path.relative_to(FOLDER).as_posix(): path.read_text() for path in (FOLDER / "graph").glob("*.js")}
    modules |= {"lib/text.js": (FOLDER / "lib" / "text.js").read_text()}
    modules["entry.js"] = ENTRY
    text = bundled(modules, "entry.js")
    with browsing() as browser:
        page = browser.new_page()
        page.add_script_tag(content=text, type="module")
        page.wait_for_function("globalThis.layered")
        yield page


def graph(seed: int) -> tuple[list[tuple[int, int]], list[tuple[int, int, str, tuple[int, int] | None]]]:
    """Sizes of boxes, and links between them: some go back, some have labels, some lead to the same box."""
    made = random.Random(seed)
    count = made.randrange(1, 24)
    boxes = [(made.randrange(12, 200), made.randrange(12, 60)) for _ in range(count)]
    links: list[tuple[int, int, str, tuple[int, int] | None]] = []
    for number in range(count):
        for _ in range(made.choice((1, 1, 2, 3))):
            label = (made.randrange(20, 120), 18) if made.random() < 0.4 else None
            links.append((number, made.randrange(count), made.choice(("next", "choice", "catch")), label))
    return boxes, links


def test_boxes_lie_where_the_python_drawing_has_them(layered: Any) -> None:
    for seed in range(CASES):
        sizes, lines = graph(seed)
        boxes = [Box(width, height) for width, height in sizes]
        links = [Link(source, target, kind, label) for source, target, kind, label in lines]
        size = lay_out(boxes, links, Spacing())
        found = layered.evaluate(
            """([sizes, lines]) => {
                const boxes = sizes.map(([width, height]) => layered.box(width, height));
                const links = lines.map(([source, target, kind, label]) =>
                    ({ source, target, kind, label, bends: [], labelBox: null, isReversed: false }));
                const size = layered.layOut(boxes, links);
                return [size, boxes.map(({ x, y }) => [x, y])];
            }""",
            [sizes, lines],
        )
        expected = [list(size), [[box.x, box.y] for box in boxes]]
        assert found == [pytest.approx(expected[0]), [pytest.approx(place) for place in expected[1]]], seed


RULES: list[dict[str, Any]] = [
    {"Variable": "$.a", "StringEquals": "b"},
    {"Variable": "$.a", "NumericGreaterThanEqualsPath": "$.b"},
    {"Variable": "$.a", "TimestampLessThan": "2026-01-01T00:00:00Z"},
    {"Variable": "$.a", "StringMatches": "x*"},
    {"Variable": "$.a", "BooleanEquals": False},
    {"Variable": "$.a", "IsPresent": True, "Comment": "c"},
    {"Variable": "$.a", "IsNull": False},
    {"Not": {"Variable": "$.a", "IsString": True}},
    {"And": [{"Variable": "$.a", "IsNumeric": True}, {"Or": [{"Variable": "$.b", "NumericEquals": 1.5}] * 2}]},
    {"Condition": "{% $states.input.a > 1 %}"},
    {"Condition": True},
]
STATES: list[dict[str, Any]] = [
    {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2"},
    {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:charge", "Retry": [{}, {}]},
    {"Type": "Task", "Resource": "charge"},
    {"Type": "Wait", "Seconds": 93_784},
    {"Type": "Wait", "Seconds": 0.5},
    {"Type": "Wait", "TimestampPath": "$.at"},
    {"Type": "Wait", "Seconds": "{% $n %}"},
    {"Type": "Map", "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "A", "States": {}}},
    {"Type": "Fail", "Error": "Broken"},
    {"Type": "Succeed"},
]


def test_rules_and_states_read_as_in_the_python_drawing(layered: Any) -> None:
    assert layered.evaluate("rules => rules.map(layered.ruleText)", RULES) == [rule_text(rule) for rule in RULES]
    found = layered.evaluate("states => states.map((state) => layered.detailOf(state))", STATES)
    assert found == [detail_of(state) for state in STATES]


@pytest.mark.parametrize("text", ["Reserve stock", "W" * 300, "i" * 300, "\u202egnp.exe" * 9, "名" * 80])
def test_a_text_that_is_cut_fits(layered: Any, text: str) -> None:
    shown, width = layered.evaluate(
        """text => {
            const cut = layered.fitted(text, 120, "600 13px");
            return [cut, layered.widthOf(cut, "600 13px")];
        }""",
        text,
    )
    assert width <= 120
    assert "\u202e" not in shown
    assert len(shown) > 3
