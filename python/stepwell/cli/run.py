"""``stepwell run``: a state machine from a file, from its start to its end."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from stepwell import Execution, Executor

from .console import Console
from .describe import outcome
from .exits import FAILED, OK
from .options import Commands, add_command, add_data, add_handlers, add_input, load_handlers, read_input
from .progress import follow
from .workflows import read_definition


def add_commands(commands: Commands) -> None:
    """Add ``run``."""
    parser = add_command(commands, "run", run, "run a state machine from a file and print its output")
    parser.add_argument("file", metavar="FILE", help="the state machine, JSON or YAML")
    add_input(parser)
    add_data(parser, otherwise="in memory, gone at the end")
    add_handlers(parser)
    parser.add_argument(
        "--name",
        help="the execution's name; the same command again goes on with the execution if it was cut short",
    )
    parser.add_argument("--quiet", "-q", action="store_true", help="show no progress")


def run(options: argparse.Namespace, console: Console) -> int:
    """Deploy the file, start an execution (or find the one under way) and follow it to its end."""
    definition = read_definition(options.file)
    input = read_input(options.input)
    workflow = workflow_name(options.file)
    with Executor(options.data, handlers=load_handlers(options.handlers)) as executor:
        executor.deploy(workflow, definition)
        execution = executor.start(workflow, input, options.name)
        return conclude(execution, console, quiet=options.quiet)


def conclude(execution: Execution, console: Console, *, quiet: bool) -> int:
    """Wait for the end, print the outcome, and return the exit code that says it."""
    if quiet:
        execution.wait_ended()
    else:
        follow(execution, console)
    result = outcome(execution)
    if console.as_json:
        console.record(result, "")
    elif result["status"] == "Succeeded":
        console.document(result["output"])
    else:
        console.note(f"{result['status']}: {result['error'] or 'no error name'}: {result['cause'] or 'no cause'}")
    return OK if result["status"] == "Succeeded" else FAILED


def workflow_name(file: str) -> str:
    """The name of the workflow that a file holds: the file's, with what names may not hold replaced."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", Path(file).name.split(".")[0])[:80] or "workflow"
