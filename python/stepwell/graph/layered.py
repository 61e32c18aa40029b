"""A layered layout (Sugiyama): ranks from top to bottom, few crossings, long edges straight.

It works on boxes and links alone. A link with a label gets a box of its own for it, in a rank between its ends, and a
box of no width in each other rank that it crosses. So no line and no label meets a box.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from msgspec import Struct

SWEEPS = 8
"""How often ranks are ordered, and aligned, from above and from below."""


class Box(Struct, eq=False):
    """What has a place: ``x`` and ``y`` are its middle and its top, after the layout."""

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0
    rank: int = 0
    rank_top: float = 0.0
    rank_bottom: float = 0.0
    is_bend: bool = False
    """Whether it is only a point, or the label, of a link."""


class Link(Struct, eq=False):
    """A line from box to box. ``label`` is the size of its label. Links of a ``kind`` join on the way to a target."""

    source: int
    target: int
    kind: str = ""
    label: tuple[float, float] | None = None
    bends: list[int] = []
    """The boxes that it passes through, from the upper end to the lower one."""
    label_box: int | None = None
    is_reversed: bool = False
    """Whether it goes up: ``source`` is below ``target``."""


class Spacing(Struct, frozen=True):
    """The least distances between boxes of a rank, and between ranks."""

    boxes: float = 26.0
    bends: float = 14.0
    ranks: float = 34.0


def lay_out(boxes: list[Box], links: Sequence[Link], spacing: Spacing) -> tuple[float, float]:
    """Place the boxes, of which the first is the uppermost, and add those of labels and bends. Returns the size."""
    real = [link for link in links if link.source != link.target]
    _turn_back_links(len(boxes), real)
    _rank(boxes, real)
    _add_bends(boxes, real)
    above, below = _neighbours(boxes, real)
    ranks = _ordered(boxes, above, below)
    _align(boxes, ranks, above, below, spacing)
    return _place(boxes, ranks, spacing)


def upper_and_lower(link: Link) -> tuple[int, int]:
    """The boxes that a link joins, the upper one first."""
    return (link.target, link.source) if link.is_reversed else (link.source, link.target)


def _turn_back_links(count: int, links: list[Link]) -> None:
    """Mark the links that close a circle, found by a search from the first box on."""
    leaving: list[list[Link]] = [[] for _ in range(count)]
    for link in links:
        leaving[link.source].append(link)
    seen, open_boxes = [False] * count, [False] * count
    for root in range(count):
        if seen[root]:
            continue
        seen[root] = open_boxes[root] = True
        stack = [(root, iter(leaving[root]))]
        while stack:
            box, rest = stack[-1]
            link = next(rest, None)
            if link is None:
                open_boxes[box] = False
                stack.pop()
            elif open_boxes[link.target]:
                link.is_reversed = True
            elif not seen[link.target]:
                seen[link.target] = open_boxes[link.target] = True
                stack.append((link.target, iter(leaving[link.target])))


def _rank(boxes: list[Box], links: list[Link]) -> None:
    """Give each box the length of the longest way to it; a link with a label is two ranks long."""
    below: list[list[tuple[int, int]]] = [[] for _ in boxes]
    waiting = [0] * len(boxes)
    for link in links:
        upper, lower = upper_and_lower(link)
        below[upper].append((lower, 1 if link.label is None else 2))
        waiting[lower] += 1
    ready = [index for index, number in enumerate(waiting) if not number]
    while ready:
        upper = ready.pop()
        for lower, length in below[upper]:
            boxes[lower].rank = max(boxes[lower].rank, boxes[upper].rank + length)
            waiting[lower] -= 1
            if not waiting[lower]:
                ready.append(lower)


def _add_bends(boxes: list[Box], links: list[Link]) -> None:
    """Add boxes where links cross ranks: the first of each is its own, from there on those to a target share theirs."""
    trunks: dict[tuple[int, str, bool], dict[int, int]] = {}
    for link in links:
        upper, lower = upper_and_lower(link)
        first, last = boxes[upper].rank + 1, boxes[lower].rank
        own = last - 1 if link.is_reversed else first
        trunk = trunks.setdefault((link.target, link.kind, link.is_reversed), {})
        for rank in range(first, last):
            if rank != own and rank in trunk:
                link.bends.append(trunk[rank])
                continue
            width, height = link.label if rank == own and link.label is not None else (0.0, 0.0)
            link.bends.append(len(boxes))
            if rank != own:
                trunk[rank] = len(boxes)
            elif link.label is not None:
                link.label_box = len(boxes)
            boxes.append(Box(width, height, rank=rank, is_bend=True))


def _neighbours(boxes: list[Box], links: list[Link]) -> tuple[list[list[int]], list[list[int]]]:
    above: list[list[int]] = [[] for _ in boxes]
    below: list[list[int]] = [[] for _ in boxes]
    seen: set[tuple[int, int]] = set()
    for link in links:
        upper, lower = upper_and_lower(link)
        for one, other in itertools.pairwise([upper, *link.bends, lower]):
            if (one, other) not in seen:
                seen.add((one, other))
                below[one].append(other)
                above[other].append(one)
    return above, below


# the order within ranks


def _ordered(boxes: list[Box], above: list[list[int]], below: list[list[int]]) -> list[list[int]]:
    """The boxes of each rank in the order with the fewest crossings that some sweeps find."""
    ranks: list[list[int]] = [[] for _ in range(max(box.rank for box in boxes) + 1)]
    for index in _depth_first(boxes, below):
        ranks[boxes[index].rank].append(index)
    best, fewest = [list(rank) for rank in ranks], _crossings(ranks, below)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        for number in range(1, len(ranks)) if down else range(len(ranks) - 2, -1, -1):
            _sort_by_middle(ranks[number], ranks[number - 1 if down else number + 1], above if down else below)
        crossings = _crossings(ranks, below)
        if crossings < fewest:
            best, fewest = [list(rank) for rank in ranks], crossings
    return best


def _depth_first(boxes: list[Box], below: list[list[int]]) -> list[int]:
    found: list[int] = []
    seen = [False] * len(boxes)
    for root in sorted(range(len(boxes)), key=lambda index: boxes[index].rank):
        stack = [root]
        while stack:
            index = stack.pop()
            if not seen[index]:
                seen[index] = True
                found.append(index)
                stack.extend(reversed(below[index]))
    return found


def _sort_by_middle(rank: list[int], fixed: list[int], neighbours: list[list[int]]) -> None:
    places = {index: place for place, index in enumerate(fixed)}
    own = {index: place for place, index in enumerate(rank)}
    count = max(len(rank), 1)  # while a list is sorted it has no length

    def middle(index: int) -> float:
        around = [places[other] for other in neighbours[index]]
        return sum(around) / len(around) if around else own[index] * len(fixed) / count

    rank.sort(key=middle)


def _crossings(ranks: list[list[int]], below: list[list[int]]) -> int:
    total = 0
    for upper, lower in itertools.pairwise(ranks):
        places = {index: place for place, index in enumerate(lower)}
        ends = [place for index in upper for place in sorted(places[other] for other in below[index])]
        total += _inversions(ends, len(lower))
    return total


def _inversions(values: list[int], most: int) -> int:
    """How many pairs stand in the wrong order, by a Fenwick tree."""
    tree, total = [0] * (most + 1), 0
    for seen, value in enumerate(values):
        smaller, index = 0, value + 1
        while index > 0:
            smaller += tree[index]
            index -= index & -index
        total += seen - smaller
        index = value + 1
        while index <= most:
            tree[index] += 1
            index += index & -index
    return total


# places


def _align(
    boxes: list[Box], ranks: list[list[int]], above: list[list[int]], below: list[list[int]], spacing: Spacing
) -> None:
    """Move each box towards the middle of those that it is linked to, as far as its rank lets it."""
    for rank in ranks:
        _spread(boxes, rank, [0.0] * len(rank), spacing)
    for sweep in range(SWEEPS * 2):
        down = sweep % 2 == 0
        order = range(1, len(ranks)) if down else range(len(ranks) - 2, -1, -1)
        for number in order:
            rank = ranks[number]
            nearby = above if down else below
            wanted = [_wanted(boxes, index, nearby[index]) for index in rank]
            _spread(boxes, rank, wanted, spacing)


def _wanted(boxes: list[Box], index: int, nearby: list[int]) -> float:
    places = sorted(boxes[other].x for other in nearby)
    if not places:
        return boxes[index].x
    half = len(places) // 2
    return places[half] if len(places) % 2 else (places[half - 1] + places[half]) / 2


def _spread(boxes: list[Box], rank: list[int], wanted: list[float], spacing: Spacing) -> None:
    """The places nearest to what is wanted that keep the order and the distances (pooled violators)."""
    offset, offsets = 0.0, list[float]()
    for place, index in enumerate(rank):
        if place:
            before, box = boxes[rank[place - 1]], boxes[index]
            gap = spacing.bends if before.is_bend and box.is_bend else spacing.boxes
            offset += (before.width + box.width) / 2 + gap
        offsets.append(offset)
    blocks: list[list[float]] = []  # the sum, the weight and the number of members of each block
    for place, index in enumerate(rank):
        weight = 4.0 if boxes[index].is_bend and not boxes[index].width else 1.0
        blocks.append([(wanted[place] - offsets[place]) * weight, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            last = blocks.pop()
            blocks[-1] = [one + other for one, other in zip(blocks[-1], last, strict=True)]
    place = 0
    for total, weight, members in blocks:
        for _ in range(int(members)):
            boxes[rank[place]].x = total / weight + offsets[place]
            place += 1


def _place(boxes: list[Box], ranks: list[list[int]], spacing: Spacing) -> tuple[float, float]:
    left = min(box.x - box.width / 2 for box in boxes)
    top = 0.0
    for rank in ranks:
        height = max(boxes[index].height for index in rank)
        for index in rank:
            box = boxes[index]
            box.x -= left
            if box.is_bend:  # its line goes straight through the whole rank
                box.height = height
            box.y = top + (height - box.height) / 2
            box.rank_top, box.rank_bottom = top, top + height
        top += height + spacing.ranks
    return max(box.x + box.width / 2 for box in boxes), top - spacing.ranks
