"""Support for tests of drawings: machines made at random, and the rectangles of a layout."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import Any, NamedTuple

from stepwell.graph.layout import PlacedGraph


class Area(NamedTuple):
    """A rectangle of a drawing: of a state, or of a line of a label."""

    name: str
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Area) -> bool:
        return (
            self.left < other.right - 0.01
            and other.left < self.right - 0.01
            and self.top < other.bottom - 0.01
            and other.top < self.bottom - 0.01
        )


def areas_of(level: PlacedGraph) -> list[Area]:
    """The rectangles of one level, relative to it."""
    states = [Area(node.node.name, node.x, node.y, node.x + node.width, node.y + node.height) for node in level.nodes]
    labels = [
        Area(label.text, label.x - label.width / 2, label.y - 6, label.x + label.width / 2, label.y + 6)
        for edge in level.edges
        for label in edge.labels
    ]
    return states + labels


def levels_of(level: PlacedGraph) -> list[PlacedGraph]:
    """A level and those within it."""
    inner = [each for node in level.nodes for each in node.inner]
    return [level, *(found for each in inner for found in levels_of(each))]


def random_machine(seed: int, depth: int = 2) -> dict[str, Any]:
    """A valid machine of some states, with loops, choices, catchers, branches and iterations."""
    return _level(Random(seed), count(), depth)


def _level(random: Random, numbers: Any, depth: int) -> dict[str, Any]:
    names = [f"{random.choice(['Check', 'A long name of a state that is wrapped', '日本', 'x'])} {next(numbers)}"
             for _ in range(random.randint(1, 8))]  # fmt: skip
    states = {name: _state(random, numbers, depth, names, index) for index, name in enumerate(names)}
    return {"StartAt": names[0], "States": states}


def _state(random: Random, numbers: Any, depth: int, names: list[str], index: int) -> dict[str, Any]:
    kinds = ["Task", "Task", "Choice", "Pass", "Wait"] + (["Parallel", "Map"] if depth else [])
    kind = random.choice(kinds)
    following = {"Next": names[index + 1]} if index + 1 < len(names) else {"End": True}
    if kind == "Choice" and index + 1 < len(names):
        rules = [{"Condition": "{% $x > 1 %}", "Next": random.choice(names)} for _ in range(random.randint(1, 4))]
        return {"Type": "Choice", "Choices": rules, "Default": names[index + 1]}
    if kind == "Parallel":
        branches = [_level(random, numbers, depth - 1) for _ in range(random.randint(1, 3))]
        return {"Type": "Parallel", "Branches": branches, **following}
    if kind == "Map":
        return {"Type": "Map", "ItemProcessor": _level(random, numbers, depth - 1), **following}
    if kind == "Wait":
        return {"Type": "Wait", "Seconds": random.choice([1, 2_592_000]), **following}
    if kind == "Pass":
        return {"Type": "Pass", **following}
    catch = [{"ErrorEquals": ["States.ALL"], "Next": random.choice(names)}] if random.random() < 0.4 else []
    return {"Type": "Task", "Resource": "work", **following, **({"Catch": catch} if catch else {})}
