"""``stepwell deploy|workflows|delete-workflow|validate``: state machines in files, and under names."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from stepwell.asl.lints import review
from stepwell.asl.validate import ERROR
from stepwell.asl.yaml import load_yaml
from stepwell.errors import InvalidDefinition

from .console import Console
from .describe import WORKFLOW_COLUMNS, workflow_summary
from .exits import FAILED, OK
from .opening import open_executor
from .options import Commands, add_command, add_data, data_folder, read_text

TYPES = ["STANDARD", "EXPRESS"]


def add_commands(commands: Commands) -> None:
    """Add ``deploy``, ``workflows``, ``delete-workflow`` and ``validate``."""
    parser = add_command(commands, "deploy", deploy, "keep a state machine under a name")
    parser.add_argument("name", metavar="NAME", help="the workflow's name")
    parser.add_argument("file", metavar="FILE", help="the state machine, JSON or YAML")
    parser.add_argument("--type", choices=TYPES, default="STANDARD", help="the kind of workflow")
    parser.add_argument(
        "--retention", type=float, metavar="SECONDS", help="delete its executions so long after they have ended"
    )
    add_data(parser)
    parser = add_command(commands, "workflows", list_workflows, "list workflows, or the versions of one")
    parser.add_argument("name", metavar="NAME", nargs="?", help="all versions of this workflow, the newest first")
    add_data(parser)
    parser = add_command(commands, "delete-workflow", delete_workflow, "remove a workflow with all its versions")
    parser.add_argument("name", metavar="NAME", help="the workflow's name")
    add_data(parser)
    parser = add_command(commands, "validate", validate, "check a state machine and tell every problem with its place")
    parser.add_argument("file", metavar="FILE", help="the state machine, JSON or YAML")
    parser.add_argument("--type", choices=TYPES, default="STANDARD", help="the kind of workflow")


def deploy(options: argparse.Namespace, console: Console) -> int:
    """Store the definition; running executions keep the version that they began with."""
    definition = read_definition(options.file)
    with open_executor(data_folder(options, create=True)) as executor:
        workflow = executor.deploy(options.name, definition, type=options.type, retention=options.retention)
    console.record({"workflow": workflow.name, "version": workflow.version}, f"deployed {options.name}")
    return OK


def list_workflows(options: argparse.Namespace, console: Console) -> int:
    """Print a line a workflow, with its newest version; with a name, a line a version."""
    with open_executor(data_folder(options)) as executor:
        console.table([workflow_summary(workflow) for workflow in executor.workflows(options.name)], WORKFLOW_COLUMNS)
    return OK


def delete_workflow(options: argparse.Namespace, console: Console) -> int:
    """Delete it; executions that have ended are kept."""
    with open_executor(data_folder(options)) as executor:
        executor.delete_workflow(options.name)
    console.record({"workflow": options.name}, f"deleted {options.name}")
    return OK


def validate(options: argparse.Namespace, console: Console) -> int:
    """Print each problem, errors and warnings; only errors make the exit code 1."""
    problems = review(read_definition(options.file), options.type)
    for problem in problems:
        console.record(problem.as_dict(), f"{options.file}: {problem.severity.lower()}: {problem}")
    if not problems and not console.as_json:
        print(f"{options.file}: valid")
    return FAILED if any(problem.severity == ERROR for problem in problems) else OK


def read_definition(file: str) -> dict[str, Any] | bytes:
    """The definition in a file: JSON as text, because a name may occur twice in it; YAML by the file's name."""
    text = read_text(file)
    if Path(file).suffix not in (".yaml", ".yml"):
        return text.encode()  # as bytes, because a str may be taken for a path
    definition = load_yaml(text)
    if not isinstance(definition, dict):
        raise InvalidDefinition(f"{file}: a state machine is a mapping, and this is not one.")
    return definition  # pyright: ignore[reportUnknownVariableType]
