"""Drawings of state machines: a layout in Python, and the same graph as SVG, Mermaid and DOT.

>>> from stepwell.graph import graph_of, svg
>>> svg(graph_of({"StartAt": "Pay", "States": {"Pay": {"Type": "Task", "Resource": "pay", "End": True}}}))[:4]
'<svg'
"""

from typing import Any

from stepwell.errors import InvalidInput

from .dot import dot
from .marks import NO_MARKS, EdgeKey, Mark, Marks
from .mermaid import mermaid
from .model import Graph, graph_of
from .svg import svg

__all__ = ["EdgeKey", "Graph", "Mark", "Marks", "dot", "draw", "graph_of", "mermaid", "mime_bundle", "svg"]

_FORMATS = {"svg": svg, "mermaid": mermaid, "dot": dot}


def draw(graph: Graph, format: str = "svg", marks: Marks = NO_MARKS) -> str:
    """The drawing of a graph as ``svg``, ``mermaid`` or ``dot``. Raises ``InvalidInput`` for another format."""
    if format not in _FORMATS:
        raise InvalidInput(f"a drawing is {', '.join(_FORMATS)}, not {format!r}")
    return _FORMATS[format](graph, marks)


def mime_bundle(graph: Graph, marks: Marks, text: str) -> dict[str, Any]:
    """What a notebook shows of a graph: a drawing, and text where it has no pictures."""
    return {"image/svg+xml": svg(graph, marks), "text/vnd.mermaid": mermaid(graph, marks), "text/plain": text}
