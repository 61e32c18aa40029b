"""The layout of drawings: nothing overlaps, lines meet the states that they join and cross no other."""

from __future__ import annotations

import pytest

from graph.support import Area, areas_of, levels_of, random_machine
from stepwell.graph import graph_of
from stepwell.graph.layout import PlacedEdge, placed
from stepwell.graph.marks import NO_MARKS


@pytest.mark.parametrize("seed", range(40))
def test_states_and_labels_do_not_overlap_and_lines_cross_no_state(seed: int) -> None:
    root = placed(graph_of(random_machine(seed)), NO_MARKS)
    for level in levels_of(root):
        areas = areas_of(level)
        overlaps = [(one, other) for i, one in enumerate(areas) for other in areas[i + 1 :] if one.meets(other)]
        assert overlaps == []
        states = areas[: len(level.nodes)]
        assert all(area.left >= -0.01 and area.right <= level.width + 0.01 for area in areas)
        assert all(area.top >= -0.01 and area.bottom <= level.height + 0.01 for area in areas)
        for edge in level.edges:
            assert crossed(edge, states) == []


def crossed(edge: PlacedEdge, states: list[Area]) -> list[Area]:
    """The states that a line's straight pieces, and the bands of its curves, run through, but for its ends."""
    if edge.is_loop:
        return []
    points = edge.points
    found: list[Area] = []
    for number in range(len(points) - 1):
        (x0, y0), (x1, y1) = sorted((points[number], points[number + 1]), key=lambda point: point[1])
        left, right = sorted((x0, x1))
        if number % 2 == 0:  # a straight piece
            found += [area for area in states if Area("", left - 1, y0 + 0.1, right + 1, y1 - 0.1).meets(area)]
        else:  # a curve lies between two ranks, where no state is
            found += [area for area in states if Area("", left, y0 + 0.1, right, y1 - 0.1).meets(area)]
    return found


def test_containers_hold_what_is_in_them() -> None:
    root = placed(graph_of(random_machine(7, depth=3)), NO_MARKS)
    for level in levels_of(root):
        for node in level.nodes:
            for inner in node.inner:
                assert inner.x >= 0
                assert inner.x + inner.width <= node.width
                assert inner.y + inner.height <= node.height
            areas = [Area("", each.x, each.y, each.x + each.width, each.y + each.height) for each in node.inner]
            assert not any(one.meets(other) for i, one in enumerate(areas) for other in areas[i + 1 :])


def test_the_start_is_above_and_a_transition_leads_down_unless_it_goes_back() -> None:
    machine = {
        "StartAt": "Poll",
        "States": {
            "Poll": {"Type": "Task", "Resource": "poll", "Next": "Ready?"},
            "Ready?": {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "Done"}], "Default": "Pause"},
            "Pause": {"Type": "Wait", "Seconds": 5, "Next": "Poll"},
            "Done": {"Type": "Succeed"},
        },
    }
    root = placed(graph_of(machine), NO_MARKS)
    tops = {node.node.name: node.y for node in root.nodes}
    assert tops["Start"] == 0 < tops["Poll"] < tops["Ready?"] < tops["Pause"]
    assert tops["End"] == max(tops.values())
    nodes = {node.node.id: node for node in root.nodes}
    for edge in root.edges:
        source, target = nodes[edge.edge.source], nodes[edge.edge.target]
        back = source.node.name == "Pause"
        assert edge.points[0][1] == (source.y if back else source.y + source.height)
        assert edge.points[-1][1] == (target.y + target.height if back else target.y)


def test_a_machine_of_two_thousand_states_in_a_row_is_laid_out() -> None:
    states = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(2000)} | {"S2000": {"Type": "Succeed"}}
    root = placed(graph_of({"StartAt": "S0", "States": states}), NO_MARKS)
    assert len({node.y for node in root.nodes}) == 2003
