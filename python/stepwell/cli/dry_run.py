"""``stepwell test``: runs a state machine with mocks, shows its data flow, and compares it with a snapshot."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .console import Console
from .exits import FAILED, OK, UsageError
from .options import Commands, add_command, add_input, read_input, read_text, write_text
from .run import workflow_name
from .workflows import TYPES, read_definition

if TYPE_CHECKING:
    from stepwell.testing import Mock
    from stepwell.testing.dry_run import DryRun


def add_commands(commands: Commands) -> None:
    """Add ``test``."""
    help = "run a state machine with mocks, without side effects, and show the data flow of each state"
    parser = add_command(commands, "test", test, help)
    parser.add_argument("file", metavar="FILE", help="the state machine, JSON or YAML")
    add_input(parser)
    parser.add_argument("--type", choices=TYPES, default="STANDARD", help="the kind of workflow")
    parser.add_argument("--mocks", metavar="FILE", help="a mock file, as docs/mocks.md describes it")
    parser.add_argument("--workflow", metavar="NAME", help="the state machine in the mock file (default: FILE's name)")
    parser.add_argument("--case", metavar="NAME", help="the test case in the mock file (default: the only one)")
    parser.add_argument("--snapshot", metavar="FILE", help="compare the run with this file; the first run writes it")
    parser.add_argument("--update", action="store_true", help="write the snapshot anew")


def test(options: argparse.Namespace, console: Console) -> int:
    """Print each state; exit with 1 if the run differs from the snapshot, or fails and there is none."""
    from stepwell.testing.dry_run import dry_run

    if options.update and options.snapshot is None:
        raise UsageError("--update needs --snapshot FILE.")
    definition = read_definition(options.file)
    name = options.workflow or workflow_name(options.file)
    done = dry_run(definition, read_input(options.input), _mock(options), type=options.type, workflow=name)
    if options.snapshot is not None:
        return _compare(done, options, console)
    if console.as_json:
        console.record(done.as_dict(), "")
    else:
        for line in done.lines():
            print(line)
    return OK if done.status == "SUCCEEDED" else FAILED


def _mock(options: argparse.Namespace) -> Mock | None:
    from stepwell.testing import Mock, MockFile

    if options.mocks is None:
        return None
    file = MockFile(Path(options.mocks))
    workflow = _only("--workflow", options.workflow, workflow_name(options.file), file.workflows())
    case = _only("--case", options.case, None, file.cases(workflow))
    return Mock.load(file, workflow, case)


def _only(option: str, asked: str | None, usual: str | None, names: list[str]) -> str:
    """The name that is asked for, the usual one, or the only one."""
    if asked is not None:
        return asked
    if usual in names:
        return str(usual)
    if len(names) == 1:
        return names[0]
    raise UsageError(f"the mock file has {', '.join(names) or 'none'}: choose with {option} NAME.")


def _compare(done: DryRun, options: argparse.Namespace, console: Console) -> int:
    path = Path(options.snapshot)
    text = done.to_json()
    known = read_text(options.snapshot) if path.exists() else None
    if known == text:
        console.record({"snapshot": str(path), "result": "same"}, f"{path}: the run is as it was")
        return OK
    if known is not None and not options.update:
        lines = _difference(known, text, str(path))
        console.record({"snapshot": str(path), "result": "differs", "difference": lines}, "\n".join(lines))
        console.note(f"{path}: the run differs; --update keeps it as it is now")
        return FAILED
    write_text(str(path), text)
    console.record({"snapshot": str(path), "result": "written"}, f"{path}: written")
    return OK


def _difference(known: str, text: str, path: str) -> list[str]:
    from difflib import unified_diff

    lines = unified_diff(known.splitlines(), text.splitlines(), path, "this run", n=3, lineterm="")
    return list(lines)
