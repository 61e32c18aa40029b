"""A drawing of a graph in Mermaid, for Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .labels import shortened, visible
from .marks import NO_MARKS, Marks
from .model import END, START, Edge, Graph, Node
from .style import shape_of, sign, status_colour

_BRACKETS = {
    "rounded": ("(", ")"),
    "rectangle": ("[", "]"),
    "hexagon": ("{{", "}}"),
    "pill": ("([", "])"),
    "double-pill": ("[[", "]]"),
    "disc": ("((", "))"),
    "ring": ("(((", ")))"),
}
_PLAIN = re.compile(r"[A-Za-z0-9 _/:,=()+.\-]")
_LIST = re.compile(r"(\d+)([.)])|([-+*])(?= )")


def mermaid(graph: Graph, marks: Marks = NO_MARKS) -> str:
    """The drawing of a graph as the text of a Mermaid flowchart."""
    lines = ["flowchart TD", *_level(graph, marks, "  ")]
    used = {mark.status for mark in marks.states.values()}
    for status in sorted(used):
        shade = status_colour(status)
        lines.append(f"  classDef {_class(status)} stroke:{shade},fill:{shade}1f,stroke-width:2px")
    return "\n".join(lines) + "\n"


def _level(graph: Graph, marks: Marks, indent: str) -> Iterator[str]:
    for node in graph.nodes:
        yield from _node(node, marks, indent)
    for edge in graph.edges:
        yield from _edge(edge, marks, indent)


def _node(node: Node, marks: Marks, indent: str) -> Iterator[str]:
    if node.kind in (START, END):
        opening, closing = _BRACKETS[shape_of(node.kind)]
        yield f'{indent}{node.id}{opening}" "{closing}'
        return
    mark = marks.states.get(node.name)
    name = _text(node.name) if mark is None else f"{sign(mark.status)} {_text(node.name)}"
    note = f" · {_text(mark.note)}" if mark is not None and mark.note else ""
    label = f"{name}<br/><small>{_text(node.detail)}{note}</small>"
    if node.inner:
        title = f"{name} · {_text(node.detail)}{note}"  # a second line would lie over the states
        yield f'{indent}subgraph {node.id}["{title}"]'
        yield f"{indent}  direction TB"
        for index, inner in enumerate(node.inner):
            if len(node.inner) > 1:
                yield f'{indent}  subgraph {node.id}_{index}[" "]'
            yield from _level(inner, marks, indent + "    ")
            if len(node.inner) > 1:
                yield f"{indent}  end"
        yield f"{indent}end"
    else:
        opening, closing = _BRACKETS[shape_of(node.kind)]
        yield f'{indent}{node.id}{opening}"{label}"{closing}'
    if mark is not None and node.inner:  # classes do not reach subgraphs
        shade = status_colour(mark.status)
        yield f"{indent}style {node.id} stroke:{shade},fill:{shade}1f,stroke-width:2px"
    elif mark is not None:
        yield f"{indent}class {node.id} {_class(mark.status)}"


def _edge(edge: Edge, marks: Marks, indent: str) -> Iterator[str]:
    texts = [
        _text(shortened(label.text, 60))
        + (f" {sign(marks.edges[label.key].status)}" if label.key in marks.edges else "")
        for label in edge.labels
        if label.text
    ]
    arrow = "-.->" if edge.kind == "catch" else "==>" if marks.is_taken(edge.keys) else "-->"
    label = f'|"{"<br/>".join(texts)}"|' if texts else ""
    yield f"{indent}{edge.source} {arrow}{label} {edge.target}"


def _class(status: str) -> str:
    return status.replace("-", "")


def _text(text: str) -> str:
    """The text as entities of Mermaid where it could mean something there."""
    text = visible(text)
    listed = _LIST.match(text)  # a label that begins like a list is refused
    head = listed[0] if listed else ""
    rest = text[len(head) :]
    return "".join(f"#{ord(sign)};" for sign in head) + "".join(
        sign if _PLAIN.match(sign) or (not sign.isascii() and sign.isalnum()) else f"#{ord(sign)};" for sign in rest
    )
