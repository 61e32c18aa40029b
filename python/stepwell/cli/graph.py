"""``stepwell graph``: a state machine, or what an execution did, as a drawing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from stepwell.asl.json import loads
from stepwell.asl.validate import check_definition
from stepwell.errors import ExecutionNotFound, WorkflowNotFound

from .console import Console
from .exits import OK, UsageError
from .opening import open_executor
from .options import Commands, add_command, add_data, data_folder, write_text
from .workflows import read_definition

FORMATS = ["svg", "mermaid", "dot"]


def add_commands(commands: Commands) -> None:
    """Add ``graph``."""
    parser = add_command(commands, "graph", graph, "draw a state machine, or what an execution did")
    parser.add_argument(
        "source",
        metavar="FILE|ID|NAME",
        help="a state machine in a file; or, in the data folder, an execution's id or a workflow's name",
    )
    parser.add_argument("--format", choices=FORMATS, default="svg", help="of the drawing (default: svg)")
    parser.add_argument("--output", "-o", metavar="FILE", help="where to write it (default: standard output)")
    add_data(parser)


def graph(options: argparse.Namespace, console: Console) -> int:
    """Write the drawing."""
    if Path(options.source).is_file():
        drawing = _of_definition(read_definition(options.source), options.format)
    else:
        drawing = _of_folder(options)
    if options.output is not None:
        write_text(options.output, drawing)
        console.record({"output": options.output, "format": options.format}, f"wrote {options.output}")
    elif console.as_json:
        console.record({"format": options.format, "drawing": drawing}, "")
    else:
        print(drawing, end="" if drawing.endswith("\n") else "\n")
    return OK


def _of_definition(definition: dict[str, Any] | bytes, format: str) -> str:
    from stepwell.graph import draw, graph_of

    checked = check_definition(loads(definition) if isinstance(definition, bytes) else definition)
    return draw(graph_of(checked), format)


def _of_folder(options: argparse.Namespace) -> str:
    source = options.source
    if not options.data:
        raise UsageError(f"there is no file {source}; to draw an execution, give --data DIR, or set STEPWELL_DATA.")
    with open_executor(data_folder(options)) as executor:
        try:
            return executor.get(source).draw(options.format)
        except ExecutionNotFound:
            try:
                return executor.workflow(source).draw(options.format)
            except WorkflowNotFound:
                raise UsageError(f"there is no file, execution or workflow {source}.") from None
