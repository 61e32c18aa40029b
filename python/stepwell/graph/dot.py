"""A drawing of a graph in DOT, for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator

from .labels import shortened, visible
from .marks import NO_MARKS, Marks
from .model import END, START, Edge, Graph, Node
from .style import colour, shape_of, sign, status_colour

_SHAPES = {
    "rounded": 'shape=box style="rounded,filled"',
    "rectangle": 'shape=box style="filled"',
    "hexagon": 'shape=hexagon style="filled"',
    "pill": 'shape=oval style="filled"',
    "double-pill": 'shape=oval style="filled" peripheries=2',
    "disc": 'shape=circle style="filled" width=0.15',
    "ring": 'shape=doublecircle style="filled" width=0.1',
}


def dot(graph: Graph, marks: Marks = NO_MARKS) -> str:
    """The drawing of a graph as the text of a DOT file."""
    lines = [
        "digraph machine {",
        "  compound=true rankdir=TB nodesep=0.35 ranksep=0.45",
        f'  node [fontname="sans-serif" fontsize=11 fillcolor="{colour("node")}" color="{colour("border")}"]',
        f'  edge [fontname="sans-serif" fontsize=9 color="{colour("edge")}"]',
    ]
    lines += _level(graph, marks, "  ")
    return "\n".join([*lines, "}"]) + "\n"


def _level(graph: Graph, marks: Marks, indent: str) -> Iterator[str]:
    nodes = {node.id: node for node in graph.nodes}
    for node in graph.nodes:
        yield from _node(node, marks, indent)
    for edge in graph.edges:
        yield _edge(edge, nodes, marks, indent)


def _node(node: Node, marks: Marks, indent: str) -> Iterator[str]:
    if node.kind in (START, END):
        yield f'{indent}{node.id} [label="" {_SHAPES[shape_of(node.kind)]} fillcolor="{colour("edge")}"]'
        return
    mark = marks.states.get(node.name)
    shade = status_colour(mark.status) if mark is not None else ""
    name = node.name if mark is None else f"{sign(mark.status)} {node.name}"
    note = f" · {mark.note}" if mark is not None and mark.note else ""
    label = f"{_text(name)}\\n{_text(node.detail + note)}"
    coloured = f' color="{shade}" fillcolor="{shade}1f"' if shade else ""
    if not node.inner:
        yield f'{indent}{node.id} [label="{label}" {_SHAPES[shape_of(node.kind)]}{coloured}]'
        return
    yield f"{indent}subgraph cluster_{node.id} {{"
    border = shade or colour("border")
    yield f'{indent}  label="{label}" labeljust=l style="rounded,dashed" color="{border}" fontname="sans-serif"'
    for index, inner in enumerate(node.inner):
        yield f'{indent}  subgraph cluster_{node.id}_{index} {{ label="" style=invis'
        yield from _level(inner, marks, indent + "    ")
        yield f"{indent}  }}"
    yield f"{indent}}}"


def _edge(edge: Edge, nodes: dict[str, Node], marks: Marks, indent: str) -> str:
    source, target = nodes[edge.source], nodes[edge.target]
    options: list[str] = []
    texts = [_text(shortened(label.text, 60)) for label in edge.labels if label.text]
    if texts:
        label = "\\n".join(texts)
        options.append(f'label="{label}"')
    if edge.kind == "catch":
        options.append("style=dashed")
    if marks.is_taken(edge.keys):
        options.append(f'penwidth=2 color="{colour("edge-taken")}"')
    if source.inner:
        options.append(f"ltail=cluster_{source.id}")
    if target.inner:
        options.append(f"lhead=cluster_{target.id}")
    ends = f"{_any_in(source, last=True)} -> {_any_in(target, last=False)}"
    return f"{indent}{ends} [{' '.join(options)}]" if options else f"{indent}{ends}"


def _any_in(node: Node, *, last: bool) -> str:
    """A state, or one in a container: edges of DOT do not end at clusters."""
    while node.inner:
        nodes = node.inner[0].nodes
        node = nodes[-1 if last else 0]
    return node.id


def _text(text: str) -> str:
    return visible(text).replace("\\", "\\\\").replace('"', '\\"')
