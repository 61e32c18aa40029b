"""``stepwell run``: runs a state machine of a file from its start to its end."""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path
from typing import Any

from stepwell import Execution, Executor
from stepwell.errors import ExecutionAlreadyExists

from .console import Console
from .describe import outcome
from .exits import FAILED, OK
from .item_files import add_item_files, item_files_of
from .opening import open_executor
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
    add_item_files(parser)
    parser.add_argument(
        "--name",
        help="the execution's name; the same command again goes on with the execution if it was cut short",
    )
    parser.add_argument("--quiet", "-q", action="store_true", help="show no progress")


def run(options: argparse.Namespace, console: Console) -> int:
    """Deploy the file, start an execution (or find the running one) and follow it to its end."""
    definition = read_definition(options.file)
    input = read_input(options.input)
    workflow = workflow_name(options.file)
    began = time.time()
    handlers, item_files = load_handlers(options.handlers), item_files_of(options)
    with open_executor(options.data, handlers, serves=True, item_files=item_files) as executor:
        executor.deploy(workflow, definition)
        execution = start_or_find(executor, workflow, input, options.name, began)
        return conclude(execution, console, began, quiet=options.quiet)


def start_or_find(
    executor: Executor, workflow: str, input: Any, name: str | None, began: float, delay: float | None = None
) -> Execution:
    """A new execution, or the one of this name that is running or ended after this command began.

    Opening the folder resumes an interrupted execution, which may end before its name is looked up.
    """
    try:
        return executor.start(workflow, input, name, delay=delay)
    except ExecutionAlreadyExists as error:
        if error.execution_id is None:
            raise
        execution = executor.get(error.execution_id)
        if execution.context().stopped_at < began * 1_000_000 or execution.input != input:
            raise
        return execution


def conclude(execution: Execution, console: Console, began: float, *, quiet: bool = False) -> int:
    """Wait for the end, print the outcome, and return the exit code for it.

    Events from before ``began`` (seconds since the epoch) are not printed again.
    """
    if quiet:
        execution.wait()
    else:
        follow(execution, console, began)
    result = outcome(execution)
    if console.as_json:
        console.record(result, "")
    elif result["status"] == "Succeeded":
        console.document(result["output"])
    else:
        console.note(": ".join(result[part] for part in ("status", "error", "cause") if result[part]))
    return OK if result["status"] == "Succeeded" else FAILED


def workflow_name(file: str) -> str:
    """The name of a file's workflow: the file's name, without characters that a name may not hold."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", Path(file).name.split(".")[0])[:80] or "workflow"
