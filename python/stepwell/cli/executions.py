"""``stepwell start|list|show|stop|redrive|delete``: the executions in a data folder."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from stepwell import Executor
from stepwell.engine.api.execution import Execution
from stepwell.engine.status import AWS_STATUSES, STATUSES
from stepwell.errors import ExecutionNotFound

from .console import Console
from .describe import COLUMNS, map_run_line, map_runs, outcome, summary, time_text
from .exits import OK
from .item_files import add_item_files, item_files_of
from .opening import open_executor
from .options import (
    Commands,
    add_command,
    add_data,
    add_handlers,
    add_input,
    data_folder,
    load_handlers,
    read_count,
    read_input,
    read_time,
)
from .progress import Event, StateNames, event_line, event_time, pages
from .run import conclude, start_or_find


def add_commands(commands: Commands) -> None:
    """Add ``start``, ``list``, ``show``, ``stop``, ``redrive`` and ``delete``."""
    parser = add_command(commands, "start", start, "start an execution of a deployed workflow and print its id")
    parser.add_argument("workflow", metavar="NAME", help="the workflow's name, or NAME:VERSION")
    add_input(parser)
    add_data(parser)
    add_handlers(parser)
    add_item_files(parser)
    parser.add_argument("--name", help="the execution's name, which starts it once only")
    parser.add_argument("--delay", type=float, metavar="SECONDS", help="start it so much later")
    parser.add_argument("--wait", action="store_true", help="follow it to its end, as `run` does")

    parser = add_command(commands, "list", list_executions, "list executions, newest first")
    add_data(parser)
    parser.add_argument("--workflow", metavar="NAME", help="only this workflow's")
    statuses = [*STATUSES, *AWS_STATUSES]
    parser.add_argument(
        "--status", action="append", metavar="STATUS", help=f"only these; may be repeated: {', '.join(statuses)}"
    )
    parser.add_argument("--name-prefix", metavar="TEXT", help="only those whose names begin so")
    parser.add_argument("--after", type=read_time, metavar="TIME", help="only those started then or later (ISO 8601)")
    parser.add_argument("--before", type=read_time, metavar="TIME", help="only those started earlier (ISO 8601)")
    parser.add_argument(
        "--parent", metavar="ID", help="those that this execution started, the children of its Distributed Maps too"
    )
    parser.add_argument("--limit", type=read_count, metavar="COUNT", help="the newest ones only")

    parser = add_command(commands, "show", show, "show an execution, its map runs' progress and its history")
    parser.add_argument("id", metavar="ID", help="the execution's id")
    add_data(parser)
    parser.add_argument("--no-history", action="store_true", help="without its history")

    parser = add_command(commands, "stop", stop, "stop an execution")
    parser.add_argument("id", metavar="ID", help="the execution's id")
    add_data(parser)
    parser.add_argument("--error", help="the error's name to record")
    parser.add_argument("--cause", help="the cause to record")

    parser = add_command(commands, "redrive", redrive, "run an execution that failed or was stopped on from there")
    parser.add_argument("id", metavar="ID", help="the execution's id")
    add_data(parser)
    add_handlers(parser)
    add_item_files(parser)
    parser.add_argument("--wait", action="store_true", help="follow it to its end, as `run` does")

    parser = add_command(commands, "delete", delete, "remove an execution that has ended")
    parser.add_argument("id", metavar="ID", help="the execution's id")
    add_data(parser)


def _working(options: argparse.Namespace) -> Executor:
    """An executor with the handlers and files that the options give."""
    handlers, item_files = load_handlers(options.handlers), item_files_of(options)
    return open_executor(data_folder(options), handlers, serves=options.wait, item_files=item_files)


def start(options: argparse.Namespace, console: Console) -> int:
    """Start an execution, durable when its id is printed; it runs whenever the folder is open."""
    input = read_input(options.input)
    began = time.time()
    with _working(options) as executor:
        execution = start_or_find(executor, options.workflow, input, options.name, began, options.delay)
        return _follow(execution, options, console, began)


def list_executions(options: argparse.Namespace, console: Console) -> int:
    """Print a line an execution."""
    with open_executor(data_folder(options)) as executor:
        executions = executor.executions(
            options.workflow,
            status=options.status,
            name_prefix=options.name_prefix,
            started_after=options.after,
            started_before=options.before,
            parent=options.parent,
        )
        console.table(_summaries(islice(executions, options.limit)), COLUMNS)
    return OK


def _summaries(executions: Iterable[Execution]) -> Iterator[dict[str, Any]]:
    for execution in executions:
        with suppress(ExecutionNotFound):  # it was deleted meanwhile
            yield summary(execution)


def show(options: argparse.Namespace, console: Console) -> int:
    """Print the execution, its input and outcome, how far its map runs are, and every event."""
    with open_executor(data_folder(options)) as executor:
        execution = executor.get(options.id)
        record = outcome(execution) | {"input": execution.input}
        runs = map_runs(executor, execution.id)
        if console.as_json:
            record |= {"map_runs": runs} if runs else {}
            console.record(record if options.no_history else record | {"history": execution.history()}, "")
            return OK
        for key, value in record.items():
            if value is not None:
                print(f"{key + ':':<12}{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
        for run in runs:
            print(f"{'map run:':<12}{map_run_line(run)}")
        if not options.no_history:
            print("history:")
            names = StateNames()
            for event in pages(execution):
                print(_history_line(event, names.of(event)))
    return OK


def stop(options: argparse.Namespace, console: Console) -> int:
    """Cancel it; what it has done is kept."""
    with open_executor(data_folder(options)) as executor:
        executor.stop(options.id, error=options.error, cause=options.cause)
        execution = executor.get(options.id)
        console.record(summary(execution), f"{execution.id} {execution.status}")
    return OK


def redrive(options: argparse.Namespace, console: Console) -> int:
    """Continue it; states that succeeded are kept, the rest runs whenever the folder is open."""
    began = time.time()
    with _working(options) as executor:
        return _follow(executor.redrive(options.id), options, console, began)


def delete(options: argparse.Namespace, console: Console) -> int:
    """Delete its rows and history; its name can be used again."""
    with open_executor(data_folder(options)) as executor:
        executor.delete(options.id)
    console.record({"id": options.id}, f"deleted {options.id}")
    return OK


def _follow(execution: Execution, options: argparse.Namespace, console: Console, began: float) -> int:
    """Follow the execution to its end, if ``--wait`` asks for that; else print its id."""
    if options.wait:
        return conclude(execution, console, began)
    console.record(summary(execution), execution.id)
    return OK


def _history_line(event: Event, state_name: str) -> str:
    line = event_line(event, state_name)
    return f"{event['id']:>6}  {time_text(event_time(event))}  {event['type']:<26}  {line[1] if line else ''}".rstrip()
