"""The table of a comparison: a row for each program that was measured, and Stepwell against each other one."""

from __future__ import annotations

from collections.abc import Mapping


def table(columns: Mapping[str, str], rows: Mapping[str, Mapping[str, float]]) -> str:
    """The rows, and below them Stepwell's advantage as a factor; ``columns``: a figure's name → its heading.

    Figures ``…per_second`` are the better the larger, all others the better the smaller they are.
    """
    lines = ["| | " + " | ".join(columns.values()) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(f"{row[column]:,.3g}" for column in columns) + " |")
    ours = rows["Stepwell"]
    rates = {column: column.endswith("per_second") for column in columns}
    for name, row in rows.items():
        if name == "Stepwell":
            continue
        times = [ours[key] / row[key] if is_rate else row[key] / ours[key] for key, is_rate in rates.items()]
        lines.append(f"| *Stepwell against {name}* | " + " | ".join(f"{value:,.1f} ×" for value in times) + " |")
    return "\n".join(lines)
