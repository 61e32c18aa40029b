"""``stepwell stubs``: typed stubs of a state machine's tasks."""

from __future__ import annotations

import argparse

from .console import Console
from .exits import OK
from .options import Commands, add_command, write_text
from .run import workflow_name
from .workflows import read_definition


def add_commands(commands: Commands) -> None:
    """Add ``stubs``."""
    parser = add_command(commands, "stubs", stubs, "write typed Python stubs of a state machine's tasks")
    parser.add_argument("file", metavar="FILE", help="the state machine, JSON or YAML")
    parser.add_argument("--output", "-o", metavar="FILE", help="where to write them (default: standard output)")


def stubs(options: argparse.Namespace, console: Console) -> int:
    """Write the stubs."""
    from stepwell.asl.definition import compile_definition
    from stepwell.stubs import stubs as text_of

    text = text_of(compile_definition(read_definition(options.file)), workflow_name(options.file))
    if options.output is None:
        if console.as_json:
            console.record({"stubs": text}, "")
        else:
            print(text, end="")
        return OK
    write_text(options.output, text)
    console.record({"output": options.output}, f"wrote {options.output}")
    return OK
