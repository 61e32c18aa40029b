"""``stepwell backup`` and ``stepwell restore``: copies of a data folder, which a process may have open."""

from __future__ import annotations

import argparse
from pathlib import Path

from stepwell.engine.host.backup import Copied, copy, restore

from .console import Console
from .exits import OK, UsageError
from .options import Commands, add_command


def add_commands(commands: Commands) -> None:
    """Add ``backup`` and ``restore``."""
    parser = add_command(commands, "backup", back_up, "copy a data folder, while it is in use or not")
    parser.add_argument("data", metavar="DIR", help="the data folder")
    parser.add_argument("--to", metavar="DIR", required=True, help="the copy: a new folder")
    parser = add_command(commands, "restore", restore_folder, "make a data folder of a backup, and check it")
    parser.add_argument("backup", metavar="DIR", help="the backup")
    parser.add_argument("--to", metavar="DIR", required=True, help="the data folder: a new one")


def back_up(options: argparse.Namespace, console: Console) -> int:
    """Copy everything that was confirmed before; the copy can be opened as it is."""
    copied = copy(_folder(options.data), options.to)
    text = _report(f"backed up {options.data} to {options.to}", copied)
    console.record({"data": options.data, "backup": options.to, "stores": _documents(copied)}, text)
    return OK


def restore_folder(options: argparse.Namespace, console: Console) -> int:
    """Copy a backup into a data folder; executions continue when that is opened."""
    copied = restore(_folder(options.backup), options.to)
    text = _report(f"restored {options.backup} to {options.to}", copied)
    console.record({"backup": options.backup, "data": options.to, "stores": _documents(copied)}, text)
    return OK


def _report(text: str, copied: list[Copied]) -> str:
    stores = [f"store {copy.store}, a copy of {copy.of} up to position {copy.position}" for copy in copied]
    return "\n".join([text, *stores])


def _documents(copied: list[Copied]) -> list[dict[str, str | int]]:
    return [{"store": copy.store, "copied_from": copy.of, "position": copy.position} for copy in copied]


def _folder(name: str) -> Path:
    folder = Path(name)
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}.")
    return folder
