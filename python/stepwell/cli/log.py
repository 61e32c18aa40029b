"""``stepwell log verify|dump|repair``: the log of a data folder that no process has open."""

from __future__ import annotations

import argparse

from stepwell import _core
from stepwell.asl.json import loads
from stepwell.errors import CorruptionError

from .console import Console
from .exits import FAILED, OK, UsageError
from .options import Commands, add_command, add_data, data_folder


def add_commands(commands: Commands) -> None:
    """Add ``log verify``, ``log dump`` and ``log repair``."""
    group = commands.add_parser(
        "log", help="check, read or repair the log", description="Check, read or repair the log."
    )
    words = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    parser = add_command(words, "verify", verify, "read the whole log and check every frame")
    add_data(parser)
    parser = add_command(words, "dump", dump, "print the records of the log, one a line")
    add_data(parser)
    parser.add_argument("--from", dest="start", type=int, default=1, metavar="POSITION", help="begin at this record")
    parser.add_argument("--limit", type=int, default=2**63 - 1, metavar="N", help="print at most N records")
    parser = add_command(words, "repair", repair, "cut damage out of the log; what is cut out stays in the folder")
    add_data(parser)


def verify(options: argparse.Namespace, console: Console) -> int:
    """Print what the log holds, or where it is damaged."""
    folder = _folder(options)
    try:
        report = _core.log_verify(folder)
        origins = _core.Folder.open(folder).origins()
    except CorruptionError as error:
        console.error(error)
        return FAILED
    lines = [f"{key}: {'none' if value is None else value}" for key, value in report.items()]
    lines += [f"{how} from: {store} up to position {position}" for how, store, position in origins]
    named = [{"how": how, "store": store, "position": position} for how, store, position in origins]
    console.record({**report, "origins": named}, "\n".join(lines))
    return OK


def dump(options: argparse.Namespace, console: Console) -> int:
    """Print every record as JSON, in the order of the log."""
    for record in _core.log_dump(_folder(options), options.start, options.limit):
        console.record(loads(record), record)
    return OK


def repair(options: argparse.Namespace, console: Console) -> int:
    """Repair a damaged log, and print what was lost."""
    report = _core.log_repair(_folder(options))
    lines = [f"found {damage}" for damage in report["damage"]]
    lines += [f"set aside {file}" for file in report["set_aside"]]
    lost = report["lost_from"]
    lines.append("no record is lost" if lost is None else f"every record from position {lost} on is lost")
    lines.append(f"the log ends at position {report['last']}")
    console.record({**report, "set_aside": [str(file) for file in report["set_aside"]]}, "\n".join(lines))
    return OK


def _folder(options: argparse.Namespace) -> str:
    folder = data_folder(options)
    if not (folder / "log").is_dir():
        raise UsageError(f"the folder {folder} holds no log.")
    return str(folder)
