"""A drawing of a graph as SVG: without scripts and links, light and dark as its reader's system is."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from .labels import text_width, visible
from .layout import (
    DETAIL_SIZE,
    LABEL_SIZE,
    LINE,
    NAME_SIZE,
    SMALL_LINE,
    PlacedEdge,
    PlacedGraph,
    PlacedLabel,
    PlacedNode,
    placed,
)
from .marks import NO_MARKS, Mark, Marks
from .model import END, START, Graph
from .style import Theme, colour, shape_of, size, status_colour, status_label, statuses, style

_MARGIN = 16.0
_FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif"
_KINDS = ("next", "choice", "catch")


def svg(graph: Graph, marks: Marks = NO_MARKS) -> str:
    """The drawing of a graph, as a document that can stand in a page too."""
    root = placed(graph, marks)
    legend = [] if marks.is_empty else _legend(marks)
    legend_width = sum(text_width(text, DETAIL_SIZE) + 30.0 for _, text in legend)
    head = (24.0 if marks.title else 0.0) + (22.0 if legend else 0.0)
    width = max(root.width, legend_width, text_width(marks.title, NAME_SIZE)) + 2 * _MARGIN
    height = root.height + 2 * _MARGIN + head
    left = (width - root.width) / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="stepwell-graph" role="img" width="{_n(width)}" '
        f'height="{_n(height)}" viewBox="0 0 {_n(width)} {_n(height)}" font-family="{escape(_FONT)}">',
        f"<title>{_text(marks.title or 'State machine')}</title>",
        f"<style>{_rules()}</style>",
        f'<rect class="sw-background" width="{_n(width)}" height="{_n(height)}" rx="8"/>',
        *_head(marks, legend),
        f'<g transform="translate({_n(left)} {_n(_MARGIN + head)})">',
        *_level(root, marks),
        "</g></svg>",
    ]
    return "\n".join(parts)


def _head(marks: Marks, legend: list[tuple[str, str]]) -> Iterator[str]:
    y = _MARGIN + 12.0
    if marks.title:
        yield f'<text class="sw-name" x="{_n(_MARGIN)}" y="{_n(y)}">{_text(marks.title)}</text>'
        y += 22.0
    x = _MARGIN
    for status, text in legend:
        yield f'<rect class="sw-node sw-{status}" x="{_n(x)}" y="{_n(y - 10)}" width="12" height="12" rx="3"/>'
        yield f'<text class="sw-detail" x="{_n(x + 17)}" y="{_n(y)}">{_text(text)}</text>'
        x += text_width(text, DETAIL_SIZE) + 30.0


def _legend(marks: Marks) -> list[tuple[str, str]]:
    used = {mark.status for mark in [*marks.states.values(), *marks.edges.values()]}
    return [(status, status_label(status)) for status in statuses() if status in used]


# the parts


def _level(level: PlacedGraph, marks: Marks) -> Iterator[str]:
    if level.x or level.y:
        yield f'<g transform="translate({_n(level.x)} {_n(level.y)})">'
    for edge in sorted(level.edges, key=lambda edge: any(key in marks.edges for key in edge.edge.keys)):
        yield _line(edge, marks)  # lines that were taken lie over the others
    for node in level.nodes:
        yield from _node(node, marks)
    for edge in level.edges:
        for label in edge.labels:
            yield _label(label, marks)
    if level.x or level.y:
        yield "</g>"


def _node(node: PlacedNode, marks: Marks) -> Iterator[str]:
    kind = node.node.kind
    if kind in (START, END):
        yield _terminal(node)
        return
    mark = marks.states.get(node.node.name)
    status = _class_of(mark, marks)
    yield f'<g class="sw-state" data-state="{_text(node.node.name)}">'
    yield f"<title>{_text(_hint(node, mark))}</title>"
    shape = "container" if node.inner else shape_of(kind)
    yield from _shape(shape, status, node.x, node.y, node.width, node.height)
    middle, y = node.x + node.width / 2, node.y + 7.0
    anchor = 'text-anchor="middle"'
    if node.inner:
        middle, anchor = node.x + 12.0, 'text-anchor="start"'
    for line in node.lines:
        y += LINE
        yield f'<text class="sw-name{status}" x="{_n(middle)}" y="{_n(y - 3)}" {anchor}>{_text(line)}</text>'
    y += SMALL_LINE
    yield f'<text class="sw-detail" x="{_n(middle)}" y="{_n(y - 2)}" {anchor}>{_text(node.detail)}</text>'
    if node.inner:
        yield f'<g transform="translate({_n(node.x)} {_n(node.y)})">'
        yield from _separators(node)
        for level in node.inner:
            yield from _level(level, marks)
        yield "</g>"
    yield "</g>"


def _hint(node: PlacedNode, mark: Mark | None) -> str:
    told = [] if mark is None else [status_label(mark.status) + (f" {mark.note}" if mark.note else "")]
    return "\n".join([visible(node.node.name), visible(node.node.detail), *told])


def _class_of(mark: Mark | None, marks: Marks) -> str:
    if mark is not None:
        return f" sw-{mark.status}"
    return "" if marks.is_empty else " sw-unreached"


def _separators(node: PlacedNode) -> Iterator[str]:
    for before, after in zip(node.inner, node.inner[1:], strict=False):
        x = (before.x + before.width + after.x) / 2
        yield f'<line class="sw-separator" x1="{_n(x)}" y1="{_n(before.y)}" x2="{_n(x)}" y2="{_n(node.height - 10)}"/>'


def _shape(shape: str, status: str, x: float, y: float, width: float, height: float) -> Iterator[str]:
    css = f"sw-node{status}"
    match shape:
        case "hexagon":
            cut = min(16.0, height / 2)
            corners = [(x, y + height / 2), (x + cut, y), (x + width - cut, y), (x + width, y + height / 2),
                       (x + width - cut, y + height), (x + cut, y + height)]  # fmt: skip
            yield f'<polygon class="{css}" points="{" ".join(f"{_n(a)},{_n(b)}" for a, b in corners)}"/>'
        case "pill":
            yield _rect(css, x, y, width, height, height / 2)
        case "double-pill":
            yield _rect(css, x, y, width, height, height / 2)
            yield _rect(f"{css} sw-hollow", x + 3.5, y + 3.5, width - 7, height - 7, height / 2 - 3.5)
        case "container":
            yield _rect(f"{css} sw-container", x, y, width, height, size("container-radius"))
        case "rectangle":
            yield _rect(css, x, y, width, height, size("rectangle-radius"))
        case _:
            yield _rect(css, x, y, width, height, size("rounded-radius"))


def _rect(css: str, x: float, y: float, width: float, height: float, radius: float) -> str:
    box = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
    return f'<rect class="{css}" {box} rx="{_n(radius)}"/>'


def _terminal(node: PlacedNode) -> str:
    radius = node.width / 2
    css = "sw-disc" if shape_of(node.node.kind) == "disc" else "sw-ring"
    return f'<circle class="{css}" cx="{_n(node.x + radius)}" cy="{_n(node.y + radius)}" r="{_n(radius)}"/>'


def _line(edge: PlacedEdge, marks: Marks) -> str:
    found = [marks.edges[key] for key in edge.edge.keys if key in marks.edges]
    taken = "" if marks.is_empty else " sw-taken" if found else " sw-untaken"
    missed = " sw-missed-edge" if found and all(mark.status == "missed" for mark in found) else ""
    css = f"sw-edge sw-{edge.edge.kind}{missed or taken}"
    return f'<path class="{css}" d="{_curve(edge)}"/>{_head_of(edge, missed or taken)}'


def _curve(edge: PlacedEdge) -> str:
    points = edge.points
    if edge.is_loop:
        (x0, y0), (right, _), (x1, y1) = points
        return f"M{_n(x0)} {_n(y0)}C{_n(right)} {_n(y0 + 14)} {_n(right)} {_n(y1 - 14)} {_n(x1 + 5)} {_n(y1)}"
    (x, last), end = points[-2], points[-1][1]
    if end > points[-3][1]:  # the arrow's head covers the end of the line
        end -= 6.0
        last = min(last, end)
    else:
        end += 6.0
        last = max(last, end)
    points = [*points[:-2], (x, last), (x, end)]
    path = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for number, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        if number % 2:  # between ranks
            middle = (y0 + y1) / 2
            path.append(f"C{_n(x0)} {_n(middle)} {_n(x1)} {_n(middle)} {_n(x1)} {_n(y1)}")
        elif y0 != y1:
            path.append(f"V{_n(y1)}")
    return "".join(path)


def _head_of(edge: PlacedEdge, css: str) -> str:
    x, y = edge.points[-1]
    if edge.is_loop:
        corners = [(x, y), (x + 8, y - 4), (x + 8, y + 4)]
    else:
        back = -8.0 if y > edge.points[-3][1] else 8.0
        corners = [(x, y), (x - 4.5, y + back), (x + 4.5, y + back)]
    return f'<polygon class="sw-arrow{css}" points="{" ".join(f"{_n(a)},{_n(b)}" for a, b in corners)}"/>'


def _label(label: PlacedLabel, marks: Marks) -> str:
    mark = marks.edges.get(label.label.key)
    css = _class_of(mark, marks)
    box = _rect("sw-label-box", label.x - label.width / 2 - 2, label.y - 7, label.width + 4, 14, 3)
    hint = f"<title>{_text(label.label.text)}</title>"
    place = f'x="{_n(label.x)}" y="{_n(label.y + 4)}" text-anchor="middle"'
    return f'<g>{hint}{box}<text class="sw-label{css}" {place}>{_text(label.text)}</text></g>'


def _text(text: str) -> str:
    return escape(visible(text.replace("\n", "␤")).replace("␤", "\n"))


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


# the rules of style


def _rules() -> str:
    dark = "".join(_theme("dark"))
    return f"{''.join(_fixed())}{''.join(_theme('light'))}@media(prefers-color-scheme:dark){{{dark}}}"


def _fixed() -> Iterator[str]:
    yield f".stepwell-graph .sw-name{{font-size:{_n(NAME_SIZE)}px;font-weight:600;white-space:pre}}"
    yield f".stepwell-graph .sw-detail{{font-size:{_n(DETAIL_SIZE)}px;white-space:pre}}"
    yield f".stepwell-graph .sw-label{{font-size:{_n(LABEL_SIZE)}px;white-space:pre}}"
    yield ".stepwell-graph .sw-node{stroke-width:1.4}.stepwell-graph .sw-hollow{fill:none}"
    yield ".stepwell-graph .sw-container{stroke-dasharray:5 4}.stepwell-graph .sw-ring{fill:none;stroke-width:2.5}"
    yield ".stepwell-graph .sw-separator{stroke-width:1;stroke-dasharray:2 4}"
    for kind in _KINDS:
        dash = ";stroke-dasharray:5 4" if style()["edges"][kind] == "dashed" else ""
        yield f".stepwell-graph .sw-{kind}{{fill:none;stroke-width:1.3{dash}}}"
    yield ".stepwell-graph .sw-taken.sw-edge{stroke-width:2}"
    yield ".stepwell-graph .sw-node{fill-opacity:1}.stepwell-graph .sw-label-box{fill-opacity:.88}"


def _theme(theme: Theme) -> Iterator[str]:
    def of(name: str) -> str:
        return colour(name, theme)

    at = ".stepwell-graph "
    yield f"{at}.sw-background,{at}.sw-label-box{{fill:{of('background')}}}"
    yield f"{at}.sw-node{{fill:{of('node')};stroke:{of('border')}}}"
    yield f"{at}.sw-container{{fill:{of('container')}}}{at}.sw-separator{{stroke:{of('not-reached-border')}}}"
    yield f"{at}.sw-name{{fill:{of('text')}}}{at}.sw-detail,{at}.sw-label{{fill:{of('muted-text')}}}"
    yield f"{at}.sw-edge,{at}.sw-ring{{stroke:{of('edge')}}}{at}.sw-arrow,{at}.sw-disc{{fill:{of('edge')}}}"
    yield f"{at}.sw-taken.sw-edge{{stroke:{of('edge-taken')}}}{at}.sw-taken.sw-arrow{{fill:{of('edge-taken')}}}"
    faint = of("not-reached-border")
    yield f"{at}.sw-node.sw-unreached{{stroke:{faint}}}{at}.sw-untaken.sw-edge{{stroke:{faint}}}"
    yield f"{at}.sw-untaken.sw-arrow{{fill:{faint}}}{at}.sw-name.sw-unreached{{fill:{of('muted-text')}}}"
    missed = status_colour("missed", theme)
    yield f"{at}.sw-missed-edge.sw-edge{{stroke:{missed}}}{at}.sw-missed-edge.sw-arrow{{fill:{missed}}}"
    opacity = size("status-fill-opacity")
    for status in statuses():
        shade = status_colour(status, theme)
        yield f"{at}.sw-node.sw-{status}{{stroke:{shade};fill:{shade};fill-opacity:{opacity}}}"
        yield f"{at}.sw-node.sw-{status}.sw-container{{fill:{of('container')};fill-opacity:1}}"
        yield f"{at}.sw-node.sw-{status}.sw-hollow{{fill:none}}{at}.sw-label.sw-{status}{{fill:{shade}}}"
