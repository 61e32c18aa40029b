"""The command line: its parser, and the exit code of a command."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from stepwell.errors import StepwellError

from . import (
    backup,
    browse,
    cluster,
    dry_run,
    executions,
    follow,
    graph,
    log,
    run,
    serve,
    status,
    stubs,
    torture,
    worker,
    workflows,
)
from .console import Console
from .exits import EXIT_CODES, INTERRUPTED, OK, UsageError, exit_code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    console = Console(as_json=options.json)
    # A warning about tasks without a handler helps only a user who gave handlers.
    level = logging.WARNING if getattr(options, "handlers", None) else logging.ERROR
    logging.basicConfig(format="stepwell: %(message)s", level=level)
    try:
        code = options.command(options, console)
        sys.stdout.flush()
    except (StepwellError, UsageError) as error:
        console.error(error)
        return exit_code(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader (head, less) has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    return code


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = argparse.ArgumentParser(
        prog="stepwell",
        description="Run state machines of the Amazon States Language, durably.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--version", action="version", version=f"stepwell {version('stepwell')}")
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (
        run,
        serve,
        browse,
        worker,
        workflows,
        graph,
        dry_run,
        stubs,
        executions,
        status,
        follow,
        log,
        backup,
        torture,
        cluster,
    ):
        module.add_commands(commands)
    return root
