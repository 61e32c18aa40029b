"""Places of the states, lines and labels of a drawing; Parallel and Map states are as large as what is in them."""

from __future__ import annotations

from typing import NamedTuple

from .labels import shortened, text_width, visible, wrapped
from .layered import Box, Link, Spacing, lay_out, upper_and_lower
from .marks import Marks
from .model import END, START, Edge, Graph, Label, Node
from .style import shape_of, sign, size

NAME_SIZE, DETAIL_SIZE, LABEL_SIZE = 13.0, 11.0, 11.0
BOLD_SIZE = 14.0
"""By which names are measured: they are bold."""
LINE = 17.0
"""The height of a line of a name."""
SMALL_LINE = 14.0
_NAME_WIDTH, _LABEL_WIDTH = 190.0, 170.0
_MOST_LINES = 3
_PADDING = 14.0
_GAP = 18.0
"""Between the branches of a Parallel state."""
_LOOP = 30.0
"""How far a transition from a state to itself reaches to its right."""
_MOST_LABELS = 6
Point = tuple[float, float]


class PlacedLabel(NamedTuple):
    """A line of an edge's label, with its middle."""

    label: Label
    text: str
    x: float
    y: float
    width: float


class PlacedEdge(NamedTuple):
    """A line: ``points`` are pairs of where a straight piece begins and ends; curves join them."""

    edge: Edge
    points: list[Point]
    labels: list[PlacedLabel]
    is_loop: bool = False


class PlacedNode(NamedTuple):
    """A state, from its upper left corner on. ``lines`` are its name, ``note`` what its mark says."""

    node: Node
    x: float
    y: float
    width: float
    height: float
    lines: list[str]
    detail: str
    inner: list[PlacedGraph]


class PlacedGraph(NamedTuple):
    """A level, from its upper left corner on; its parts are relative to that."""

    x: float
    y: float
    width: float
    height: float
    nodes: list[PlacedNode]
    edges: list[PlacedEdge]


def placed(graph: Graph, marks: Marks) -> PlacedGraph:
    """Place a graph, with room for what its marks say."""
    nodes = [_measured(node, marks) for node in graph.nodes]
    boxes = [Box(node.width + _loop_room(graph, node.node), node.height) for node in nodes]
    index = {node.node.id: number for number, node in enumerate(nodes)}
    texts = [_label_lines(edge) for edge in graph.edges]
    links = [
        Link(
            index[edge.source],
            index[edge.target],
            edge.kind,
            None if edge.source == edge.target else _label_size(lines),
        )
        for edge, lines in zip(graph.edges, texts, strict=True)
    ]
    width, height = lay_out(boxes, links, Spacing())
    found = [
        node._replace(x=box.x - box.width / 2, y=box.y)
        for node, box in zip(nodes, boxes, strict=False)  # bends follow
    ]
    ports = _ports(boxes, links, found)
    edges = [
        _loop(edge, found[link.source], lines)
        if link.source == link.target
        else PlacedEdge(edge, _points(boxes, link, ports[number]), _placed_labels(boxes, link, edge, lines))
        for number, (edge, link, lines) in enumerate(zip(graph.edges, links, texts, strict=True))
    ]
    return PlacedGraph(0.0, 0.0, width, height, found, edges)


def _loop_room(graph: Graph, node: Node) -> float:
    loops = [edge for edge in graph.edges if edge.source == edge.target == node.id]
    if not loops:
        return 0.0
    return _LOOP + 8.0 + max([0.0, *(text_width(text, LABEL_SIZE) for edge in loops for _, text in _label_lines(edge))])


# states


def _measured(node: Node, marks: Marks) -> PlacedNode:
    if node.kind in (START, END):
        side = 2 * size("terminal-radius")
        return PlacedNode(node, 0.0, 0.0, side, side, [], "", [])
    mark = marks.states.get(node.name)
    name = visible(node.name) if mark is None else f"{sign(mark.status)} {visible(node.name)}"
    lines = wrapped(name, BOLD_SIZE, _NAME_WIDTH, _MOST_LINES)
    detail = visible(node.detail) if mark is None or not mark.note else f"{visible(node.detail)} · {mark.note}"
    detail = wrapped(detail, DETAIL_SIZE, _NAME_WIDTH + 20, 1)[0]
    text = max(text_width(detail, DETAIL_SIZE), *(text_width(line, BOLD_SIZE) for line in lines))
    if node.inner:
        return _container(node, lines, detail, text, marks)
    shape = shape_of(node.kind)
    sides = 2 * _PADDING + (18.0 if shape == "hexagon" else 12.0 if "pill" in shape else 0.0)
    height = len(lines) * LINE + SMALL_LINE + 14.0
    return PlacedNode(node, 0.0, 0.0, max(text + sides, 96.0), height, lines, detail, [])


def _container(node: Node, lines: list[str], detail: str, text: float, marks: Marks) -> PlacedNode:
    head = len(lines) * LINE + SMALL_LINE + 16.0
    levels = [placed(graph, marks) for graph in node.inner]
    inside = sum(level.width for level in levels) + _GAP * (len(levels) - 1)
    width = max(inside, text) + 2 * _PADDING
    left = (width - inside) / 2
    inner: list[PlacedGraph] = []
    for level in levels:
        inner.append(level._replace(x=left, y=head))
        left += level.width + _GAP
    height = head + max(level.height for level in levels) + _PADDING
    return PlacedNode(node, 0.0, 0.0, width, height, lines, detail, inner)


# lines


def _ports(boxes: list[Box], links: list[Link], nodes: list[PlacedNode]) -> list[dict[int, float]]:
    """Where each link leaves and enters its boxes: those of a side stand apart, in the order of where they lead.

    Links that come out of the same bend share a place.
    """
    ports: list[dict[int, float]] = [{} for _ in links]
    for is_below in (True, False):
        sides: dict[int, dict[tuple[float, int], list[int]]] = {}
        for number, link in enumerate(links):
            if link.source == link.target:
                continue
            upper, lower = upper_and_lower(link)
            chain = [upper, *link.bends, lower]
            box, other = (upper, chain[1]) if is_below else (lower, chain[-2])
            apart = number if other in (upper, lower) else other  # two states may be linked twice
            sides.setdefault(box, {}).setdefault((boxes[other].x, apart), []).append(number)
        for box, leading in sides.items():
            node = nodes[box]
            step = min(18.0, node.width * 0.7 / len(leading))
            for place, key in enumerate(sorted(leading)):
                for number in leading[key]:
                    ports[number][box] = node.x + node.width / 2 + (place - (len(leading) - 1) / 2) * step
    return ports


def _points(boxes: list[Box], link: Link, ports: dict[int, float]) -> list[Point]:
    upper, lower = upper_and_lower(link)
    above, below = boxes[upper], boxes[lower]
    points = [(ports[upper], above.y + above.height), (ports[upper], above.rank_bottom)]
    for bend in link.bends:
        box = boxes[bend]
        points += [(box.x, box.rank_top), (box.x, box.rank_bottom)]
    points += [(ports[lower], below.rank_top), (ports[lower], below.y)]
    return points[::-1] if link.is_reversed else points


def _loop(edge: Edge, node: PlacedNode, lines: list[tuple[Label, str]]) -> PlacedEdge:
    right, middle = node.x + node.width, node.y + node.height / 2
    if shape_of(node.node.kind) == "hexagon":
        right -= 16.0 * 9.0 / (node.height / 2)  # its side is not straight
    points = [(right, middle + 9.0), (right + _LOOP, middle), (right, middle - 9.0)]
    labels = [
        PlacedLabel(label, text, right + _LOOP + 4.0 + text_width(text, LABEL_SIZE) / 2,
                    middle + (number - (len(lines) - 1) / 2) * SMALL_LINE, text_width(text, LABEL_SIZE))
        for number, (label, text) in enumerate(lines)
    ]  # fmt: skip
    return PlacedEdge(edge, points, labels, is_loop=True)


# labels


def _label_lines(edge: Edge) -> list[tuple[Label, str]]:
    """The lines of a label; of very many transitions between two states the first ones."""
    lines = [
        (label, wrapped(shortened(visible(label.text), 80), LABEL_SIZE, _LABEL_WIDTH, 1)[0])
        for label in edge.labels
        if label.text
    ]
    if len(lines) <= _MOST_LABELS:
        return lines
    hidden = len(lines) - _MOST_LABELS + 1
    more = lines[_MOST_LABELS - 1][0]._replace(text="\n".join(label.text for label, _ in lines[_MOST_LABELS - 1 :]))
    return [*lines[: _MOST_LABELS - 1], (more, f"and {hidden} more")]


def _label_size(lines: list[tuple[Label, str]]) -> tuple[float, float] | None:
    if not lines:
        return None
    return max(text_width(text, LABEL_SIZE) for _, text in lines) + 10.0, len(lines) * SMALL_LINE + 4.0


def _placed_labels(boxes: list[Box], link: Link, edge: Edge, lines: list[tuple[Label, str]]) -> list[PlacedLabel]:
    if link.label_box is None:
        return []
    box = boxes[link.label_box]
    top = box.y + box.height / 2 - len(lines) * SMALL_LINE / 2
    return [
        PlacedLabel(label, text, box.x, top + (number + 0.5) * SMALL_LINE, text_width(text, LABEL_SIZE))
        for number, (label, text) in enumerate(lines)
    ]
