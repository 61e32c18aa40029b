"""The graph of a definition: states are nodes, transitions edges, branches and iterations inner graphs."""

from __future__ import annotations

from itertools import count
from typing import Any, NamedTuple

from msgspec import Struct

from .labels import rule_text
from .marks import EdgeKey

START, END = "Start", "End"


class Label(NamedTuple):
    """What a line of an edge's label says, and of which transition."""

    text: str
    key: EdgeKey


class Edge(Struct, frozen=True):
    """The transitions from one state to another: ``next``, ``choice`` or ``catch``."""

    source: str
    target: str
    kind: str
    labels: tuple[Label, ...]
    """The transitions; those of ``next`` have an empty text."""

    @property
    def keys(self) -> list[EdgeKey]:
        """The transitions, as marks name them."""
        return [label.key for label in self.labels]


class Node(Struct, frozen=True):
    """A state, or the start or the end of the machine. ``id`` is unique in the whole graph, and no word of Mermaid."""

    id: str
    name: str
    kind: str
    detail: str = ""
    """What stands small under the name."""
    inner: tuple[Graph, ...] = ()
    """The branches of a Parallel state, the processor of a Map state."""


class Graph(Struct, frozen=True):
    """A level of a machine."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph_of(definition: dict[str, Any]) -> Graph:
    """The graph of a valid definition."""
    return _Builder().level(definition, is_outermost=True)


class _Builder:
    def __init__(self) -> None:
        self._numbers = count()

    def level(self, definition: dict[str, Any], *, is_outermost: bool = False) -> Graph:
        states: dict[str, dict[str, Any]] = definition["States"]
        ids = {name: f"s{next(self._numbers)}" for name in states}
        nodes = [self._node(ids[name], name, state) for name, state in states.items()]
        edges = [edge for name, state in states.items() for edge in _edges(ids, name, state)]
        if is_outermost:
            nodes = [Node("begin", START, START), *nodes, Node("finish", END, END)]
            begin = Edge("begin", ids[definition["StartAt"]], "next", (Label("", ("", "start", 0)),))
            ends = [
                Edge(ids[name], "finish", "next", (Label("", (name, "next", 0)),))
                for name, state in states.items()
                if _ends(state)
            ]
            edges = [begin, *edges, *ends]
        else:  # the first state stands first
            nodes.sort(key=lambda node: node.name != definition["StartAt"])
        return Graph(tuple(nodes), tuple(edges))

    def _node(self, id: str, name: str, state: dict[str, Any]) -> Node:
        kind: str = state["Type"]
        if kind == "Parallel":
            inner = tuple(self.level(branch) for branch in state["Branches"])
        elif kind == "Map":
            inner = (self.level(state.get("ItemProcessor") or state["Iterator"]),)
        else:
            inner = ()
        return Node(id, name, kind, detail_of(state), inner)


def _ends(state: dict[str, Any]) -> bool:
    return state["Type"] in ("Succeed", "Fail") or state.get("End") is True


def _edges(ids: dict[str, str], name: str, state: dict[str, Any]) -> list[Edge]:
    found: dict[tuple[str, str], list[Label]] = {}
    if "Next" in state:
        found["next", state["Next"]] = [Label("", (name, "next", 0))]
    for index, rule in enumerate(state.get("Choices") or ()):
        label = Label(rule_text(rule), (name, "rule", index))
        found.setdefault(("choice", rule["Next"]), []).append(label)
    if state["Type"] == "Choice" and "Default" in state:
        found.setdefault(("choice", state["Default"]), []).append(Label("default", (name, "default", 0)))
    for index, catcher in enumerate(state.get("Catch") or ()):
        label = Label(", ".join(catcher["ErrorEquals"]), (name, "catch", index))
        found.setdefault(("catch", catcher["Next"]), []).append(label)
    return [Edge(ids[name], ids[target], kind, tuple(labels)) for (kind, target), labels in found.items()]


def detail_of(state: dict[str, Any]) -> str:
    """The type, what is called or awaited, and how often it is retried."""
    kind: str = state["Type"]
    parts = [kind]
    if kind == "Task":
        parts.append(_resource(state["Resource"]))
    elif kind == "Wait":
        parts.append(_wait(state))
    elif kind == "Map":
        processor: dict[str, Any] = state.get("ItemProcessor") or state["Iterator"]
        config: dict[str, Any] = processor.get("ProcessorConfig") or {}
        if config.get("Mode") == "DISTRIBUTED":
            parts = ["Distributed Map"]
    elif kind == "Fail" and isinstance(state.get("Error"), str):
        parts.append(state["Error"])
    if state.get("Retry"):
        parts.append(f"↻ {len(state['Retry'])}")
    return " · ".join(part for part in parts if part)


def _resource(resource: str) -> str:
    if not resource.startswith("arn:"):
        return resource
    parts = resource.split(":")
    if "states" in parts[2:3]:
        return ":".join(parts[5:]).lstrip(":")
    return ":".join(parts[6:]) or resource


def _wait(state: dict[str, Any]) -> str:
    for field in ("Seconds", "SecondsPath", "Timestamp", "TimestampPath"):
        if field in state:
            value = state[field]
            return _seconds(value) if field == "Seconds" and isinstance(value, int | float) else str(value)
    return ""


def _seconds(value: float) -> str:
    """A duration for people: ``30 d``, ``1 h 30 min``."""
    parts: list[str] = []
    left = value
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if left >= seconds:
            parts.append(f"{int(left // seconds)} {unit}")
            left %= seconds
    if left or not parts:
        parts.append(f"{left:g} s")
    return " ".join(parts)
