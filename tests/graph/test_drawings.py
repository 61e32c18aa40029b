"""Drawings as SVG, Mermaid and DOT: what they show, and that names and rules are text in all of them."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from stepwell import Executor, InvalidInput, TaskError
from stepwell.graph import dot, draw, graph_of, mermaid, svg
from stepwell.graph.labels import rule_text
from stepwell.graph.marks import Mark, Marks
from stepwell.graph.style import style

SPACE = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    '"><script>alert(1)</script>',
    "</text></svg><svg onload=alert(1)>",
    "&lt;b&gt; &amp; 'quotes' `ticks`",
    "1. list",
    "- list",
    'end"]; classDef x',
    "a\\\\\"b\\N\\G",
    "]] }} )) |x| %% --> ;",
    "emoji 🦀 日本語 ‮abc",
    "#35; #quot;",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
]  # fmt: skip


def named(names: list[str]) -> dict[str, Any]:
    states = {name: {"Type": "Pass", "Next": after} for name, after in itertools.pairwise(names)}
    return {"StartAt": names[0], "States": {**states, names[-1]: {"Type": "Succeed"}}}


def test_hostile_names_are_text() -> None:
    graph = graph_of(named(HOSTILE))
    marks = Marks({HOSTILE[0]: Mark("failed", '<b>"note"</b>')}, {}, "<title>")
    root = ElementTree.fromstring(svg(graph, marks))
    assert {element.tag.removeprefix(SPACE) for element in root.iter()} <= {
        *("svg", "title", "style", "rect", "g", "text", "path", "polygon", "circle", "line")
    }
    assert not any(name.startswith("on") or "href" in name for element in root.iter() for name in element.attrib)
    texts = ["".join(element.itertext()) for element in root.iter(f"{SPACE}title")]
    for name in HOSTILE:
        assert any(text.startswith(name.replace("‮", "\\u202e")) for text in texts), name
    drawing = mermaid(graph, marks)
    assert "  finish(((" in drawing  # `end` is a word of Mermaid
    assert "<script" not in drawing
    for line in drawing.splitlines()[1:]:
        assert line.count('"') in (0, 2), line  # nothing ends a label but its own quote
    for label in re.findall(r'label="((?:[^"\\]|\\.)*)"', dot(graph, marks)):
        assert '"' not in label.replace('\\"', "")


def test_the_types_have_the_shapes_of_the_style_and_transitions_their_labels() -> None:
    rules = [
        {"Variable": "$.n", "NumericGreaterThan": 1, "Next": "Pay"},
        {"And": [{"Variable": "$.a", "IsPresent": True}, {"Not": {"Variable": "$.b", "StringMatches": "x*"}}],
         "Next": "Pay"},
    ]  # fmt: skip
    machine = {
        "StartAt": "Which",
        "States": {
            "Which": {"Type": "Choice", "Choices": rules, "Default": "Later"},
            "Later": {"Type": "Wait", "Seconds": 90_000, "Next": "Pay"},
            "Pay": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Next": "Done",
                    "Catch": [{"ErrorEquals": ["Card.Declined", "Card.Down"], "Next": "Oh"}]},
            "Oh": {"Type": "Fail", "Error": "Oh"},
            "Done": {"Type": "Succeed"},
        },
    }  # fmt: skip
    drawing = svg(graph_of(machine))
    root = ElementTree.fromstring(drawing)
    texts = [element.text for element in root.iter(f"{SPACE}text")]
    assert {"$.n > 1", "default", "Card.Declined, Card.Down", "Wait · 1 d 1 h", "Task · sqs:sendMessage"} <= set(texts)
    assert [element.get("class") for element in root.iter(f"{SPACE}path")].count("sw-edge sw-catch") == 1
    assert "stroke-dasharray" in next(rule for rule in drawing.split("}") if ".sw-catch{" in rule)
    assert "prefers-color-scheme:dark" in drawing
    assert re.search(r'-\.->\|"Card\.Declined, Card\.Down"\|', mermaid(graph_of(machine)))
    assert 'label="Card.Declined, Card.Down" style=dashed' in dot(graph_of(machine))


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"Condition": "{% $states.input.n > 3 %}"}, "$states.input.n > 3"),
        ({"Variable": "$.s", "StringEqualsPath": "$.t"}, "$.s = $.t"),
        ({"Variable": "$.s", "StringEquals": 'a"b'}, '$.s = "a\\"b"'),
        ({"Variable": "$.t", "TimestampLessThanEquals": "2026-01-01T00:00:00Z"}, '$.t ≤ "2026-01-01T00:00:00Z"'),
        ({"Variable": "$.x", "IsNull": False}, "$.x is not null"),
        ({"Not": {"Variable": "$.x", "BooleanEquals": True}}, "not ($.x = true)"),
        (
            {"Or": [{"Variable": "$.x", "IsNull": True}, {"And": [{"Variable": "$.y", "NumericEquals": 1.5}]}]},
            "$.x is null or ($.y = 1.5)",
        ),
    ],
)
def test_a_rule_is_a_line_of_text(rule: dict[str, Any], text: str) -> None:
    assert rule_text(rule) == text


def test_a_drawing_of_an_execution_shows_what_happened() -> None:
    left = [1]

    def flaky(value: Any) -> Any:
        if left.pop() if left else 0:
            raise TaskError("Boom")
        return value

    def fails(value: Any) -> Any:
        raise TaskError("Bad")

    each = {"StartAt": "Each", "States": {"Each": {"Type": "Task", "Resource": "flaky", "End": True}}}
    distributed = {**each, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}]
    catch = [{"ErrorEquals": ["Bad"], "Next": "After"}]
    machine = {
        "StartAt": "First",
        "States": {
            "First": {"Type": "Task", "Resource": "flaky", "Retry": retry, "Next": "Many"},
            "Many": {"Type": "Map", "ItemProcessor": distributed, "Next": "Bad"},
            "Bad": {"Type": "Task", "Resource": "fails", "Catch": catch, "Next": "Never"},
            "After": {"Type": "Fail", "Error": "End"},
            "Never": {"Type": "Succeed"},
        },
    }
    with Executor(handlers={"flaky": flaky, "fails": fails}) as ex:
        workflow = ex.deploy("order", machine)
        execution = ex.start("order", [1, 2, 3], "o-1").wait(60)
        drawing = execution.draw()
        root = ElementTree.fromstring(drawing)
        texts = [element.text for element in root.iter(f"{SPACE}text")]
        assert texts[0] == "order:1 · o-1 · FAILED"
        assert {"✓ First", "✓ Many", "✓ Each", "↷ Bad", "✕ After", "Never"} <= set(texts)
        assert "Task · flaky · ↻ 1 · retried" in texts
        assert "Task · flaky · ×3" in texts
        assert sorted(execution._repr_mimebundle_()) == ["image/svg+xml", "text/plain", "text/vnd.mermaid"]
        assert workflow._repr_mimebundle_()["image/svg+xml"] == workflow.draw() == svg(graph_of(machine))
        child = next(ex.executions(parent=execution.id))
        assert "✓ Each" in child.draw()
        with pytest.raises(InvalidInput, match="svg, mermaid, dot"):
            execution.draw("png")
    assert execution._repr_mimebundle_().keys() == {"text/plain"}  # its executor was closed


def test_the_style_is_data_that_the_console_can_read() -> None:
    found = style()
    pair = re.compile("#[0-9a-f]{6}")
    colours = [each["colour"] for each in found["statuses"].values()] + list(found["colours"].values())
    assert all(len(colour) == 2 and all(map(pair.fullmatch, colour)) for colour in colours)
    assert set(found["shapes"]) >= {"Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"}
    assert json.loads(json.dumps(found)) == found
    assert draw(graph_of(named(["A", "B"])), "dot").startswith("digraph")
