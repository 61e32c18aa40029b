"""Draws charts as SVG without a dependency, in a form that a diff can show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

WIDTH, LEFT, RIGHT, TOP = 760, 150, 90, 44
ROW, PLOT = 34, 260
COLORS = ("#1f6f8b", "#c2571a", "#4d7c32", "#7a4b94", "#555555")
STYLE = "font-family='system-ui, sans-serif' font-size='13' fill='#222'"


def bars(title: str, values: Mapping[str, float]) -> str:
    """One bar per name, on a logarithmic scale that begins at the power of ten below the smallest value."""
    low = 10 ** math.floor(math.log10(min(values.values())))
    high = 10 ** math.ceil(math.log10(max(values.values())))
    span = math.log10(high / low) or 1
    length_left = WIDTH - LEFT - RIGHT
    parts: list[str] = []
    height = TOP + ROW * len(values) + 30
    for power in range(round(math.log10(low)), round(math.log10(high)) + 1):
        x = LEFT + length_left * (power - math.log10(low)) / span
        parts.append(line(x, TOP - 6, x, height - 26, "#ddd"))
        parts.append(text(x, height - 10, f"{10**power:,}", "middle"))
    for index, (name, value) in enumerate(values.items()):
        y = TOP + ROW * index
        length = max(2.0, length_left * math.log10(value / low) / span)
        parts.append(f"<rect x='{LEFT}' y='{y}' width='{length:.1f}' height='{ROW - 12}' fill='{COLORS[index > 0]}'/>")
        parts.append(text(LEFT - 8, y + 16, name, "end"))
        parts.append(text(LEFT + length + 6, y + 16, f"{value:,.0f}", "start"))
    return page(title, height, parts)


def curves(title: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """One curve per name, with both scales logarithmic and a legend below."""
    drawn = {name: points for name, points in lines.items() if points}
    xs = exponents(x for points in drawn.values() for x, _ in points)
    ys = exponents(y for points in drawn.values() for _, y in points)
    length_left = WIDTH - LEFT - RIGHT
    bottom = TOP + PLOT

    def at(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - xs[0]) / (xs[-1] - xs[0])
        up = (math.log10(y) - ys[0]) / (ys[-1] - ys[0])
        return LEFT + length_left * across, bottom - PLOT * up

    parts: list[str] = []
    for power in xs:
        x, _ = at(10.0**power, 10.0 ** ys[0])
        parts += [line(x, TOP, x, bottom, "#ddd"), text(x, bottom + 18, f"{10.0**power:,.0f}", "middle")]
    for power in ys:
        _, y = at(10.0 ** xs[0], 10.0**power)
        parts += [line(LEFT, y, WIDTH - RIGHT, y, "#ddd"), text(LEFT - 8, y + 4, f"{10.0**power:,g}", "end")]
    for index, (name, points) in enumerate(drawn.items()):
        color = COLORS[index % len(COLORS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in points))
        parts.append(f"<polyline points='{path}' fill='none' stroke='{color}' stroke-width='2'/>")
        y = bottom + 44 + 20 * index
        parts += [line(LEFT, y - 4, LEFT + 24, y - 4, color), text(LEFT + 32, y, name, "start")]
    return page(title, bottom + 44 + 20 * len(drawn), parts)


def exponents(values: Iterable[float]) -> range:
    """The powers of ten that enclose all values."""
    logs = [math.log10(value) for value in values]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    return range(low, max(high, low + 1) + 1)


def line(x1: float, y1: float, x2: float, y2: float, color: str) -> str:
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{color}' stroke-width='2'/>"


def text(x: float, y: float, words: str, anchor: str) -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'>{escape(words)}</text>"


def page(title: str, height: float, parts: list[str]) -> str:
    """The parts under their title, as an SVG file."""
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height:.0f}' role='img' {STYLE}>"
    ground = f"<rect width='{WIDTH}' height='{height:.0f}' fill='white'/>"
    name = f"<title>{escape(title)}</title><text x='16' y='24' font-size='15'>{escape(title)}</text>"
    return "\n".join([head, ground, name, *parts, "</svg>"]) + "\n"
