"""Reports of coverage: a table for a terminal, and a page with drawings."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from stepwell.graph.labels import visible

from .collected import Coverage, WorkflowCoverage
from .elements import KINDS

_TITLES = ("states", "rules", "catchers", "retriers", "branches")
_MOST_MISSED = 20
"""So many things that were never reached are listed of a workflow."""


def text_report(coverage: Coverage, most_missed: int = _MOST_MISSED) -> list[str]:
    """The lines of a table: what was covered of each workflow, and what was never reached."""
    rows = [("workflow", *_TITLES, "cover")]
    rows += [_row(found) for found in coverage.workflows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_line(rows[0], widths)]
    for row, found in zip(rows[1:], coverage.workflows, strict=True):
        lines.append(_line(row, widths))
        lines += _missed_lines(found, most_missed)
    lines.append(_line(("TOTAL", *("" for _ in _TITLES), f"{coverage.percent:.0f}%"), widths))
    return lines


def _row(found: WorkflowCoverage) -> tuple[str, ...]:
    counts = [found.count(kind) for kind in KINDS]
    return (
        visible(found.name),
        *(f"{covered}/{number}" if number else "-" for covered, number in counts),
        f"{found.percent:.0f}%",
    )


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
    return "  ".join(cells)


def _missed_lines(found: WorkflowCoverage, most: int) -> Iterator[str]:
    missed = found.missed
    for element in missed[:most]:
        yield f"    never reached: {visible(found.described(element))}"
    if len(missed) > most:
        yield f"    and {len(missed) - most} more"


def html_report(coverage: Coverage) -> str:
    """A page with a table and the drawing of each workflow. It has no scripts and loads nothing."""
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Coverage of workflows</title>',
        f"<style>{_STYLE}</style>",
        f"<h1>Coverage of workflows: {coverage.percent:.0f} %</h1>",
        f"<table><tr><th>workflow</th>{''.join(f'<th>{title}</th>' for title in (*_TITLES, 'cover'))}</tr>",
    ]
    for number, found in enumerate(coverage.workflows):
        name, *cells = _row(found)
        link = f'<td><a href="#w{number}">{escape(name)}</a></td>'
        parts.append(f"<tr>{link}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    parts.append("</table>")
    for number, found in enumerate(coverage.workflows):
        items = "".join(f"<li>{escape(visible(found.described(element)))}</li>" for element in found.missed)
        parts.append(f'<h2 id="w{number}">{escape(visible(found.name))}</h2>')
        parts.append(f"<details{' open' if items else ''}><summary>Never reached</summary><ul>{items}</ul></details>")
        parts.append(f"<div>{found.svg()}</div>")
    return "\n".join([*parts, "</html>\n"])


_STYLE = (
    ":root{color-scheme:light dark}body{font:14px system-ui,sans-serif;margin:2rem}"
    "td,th{padding:.25rem .75rem;text-align:right}td:first-child,th:first-child{text-align:left}"
    "table{border-collapse:collapse}tr+tr{border-top:1px solid #8888}div{overflow-x:auto}"
)
