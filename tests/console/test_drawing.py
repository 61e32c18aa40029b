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
from stepwell.graph.layered import Box, Link, Spacing, lay_out

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


@pytest.fixture(scope="module")
def layered() -> Iterator[Any]:
    """A page that has the layout of the console."""
    modules = {path.relative_to(FOLDER).as_posix(): path.read_text() for path in (FOLDER / "graph").glob("*.js")}
    text = bundled(modules, "graph/layered.js") + '\nglobalThis.layered = $["graph/layered.js"];'
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
