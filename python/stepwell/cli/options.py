"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from stepwell.asl.json import loads
from stepwell.errors import InvalidInput
from stepwell.tasks.handlers import signature_problem

from .exits import UsageError

Commands = Any  # argparse names the type of its sub-parsers with an underscore
Handlers = Mapping[str, Callable[..., Any]]


def add_command(commands: Commands, name: str, run: Callable[..., int], help: str) -> argparse.ArgumentParser:
    """A command with the options that every command has."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)
    parser.add_argument("--json", action="store_true", help="print results as JSON, one document a line")
    parser.set_defaults(command=run)
    return parser


def add_data(parser: argparse.ArgumentParser, *, otherwise: str | None = None) -> None:
    """``--data DIR``; ``otherwise`` says what happens without it, None that it is required."""
    parser.add_argument(
        "--data",
        metavar="DIR",
        default=os.environ.get("STEPWELL_DATA"),
        help=f"the data folder (default: $STEPWELL_DATA{', else ' + otherwise if otherwise else ''})",
    )


def add_handlers(parser: argparse.ArgumentParser) -> None:
    """``--handlers MODULE``."""
    parser.add_argument(
        "--handlers",
        metavar="MODULE",
        help="a Python module or file with the functions that do the tasks: its dict `handlers` "
        "of resource to function, else all of its public functions by their names",
    )


def add_input(parser: argparse.ArgumentParser) -> None:
    """``--input JSON|@FILE``."""
    parser.add_argument(
        "--input", metavar="JSON|@FILE", default="{}", help="the execution's input (default: {}; @-: standard input)"
    )


def data_folder(options: argparse.Namespace, *, create: bool = False) -> Path:
    """The data folder of a command that needs one; it must exist unless ``create``."""
    if not options.data:
        raise UsageError("no data folder: give --data DIR, or set STEPWELL_DATA.")
    folder = Path(options.data)
    if not create and not folder.is_dir():
        raise UsageError(f"there is no data folder {folder}: `stepwell deploy` or `stepwell run --data` makes one.")
    return folder


def read_input(argument: str) -> Any:
    """The JSON value of an ``--input``."""
    if not argument.startswith("@"):
        return _parse(argument, "--input")
    name = argument[1:]
    return _parse(sys.stdin.read() if name == "-" else read_text(name), "standard input" if name == "-" else name)


def read_time(text: str) -> datetime:
    """A time as the user wrote it; without an offset it is in UTC, as the times that commands print."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-11-29T13:30:00Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_count(text: str) -> int:
    """A number of at least one."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def read_text(name: str) -> str:
    """The text of a file that the user named."""
    try:
        return Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 text.") from error


def write_text(name: str, text: str) -> None:
    """Write a file. Raises ``UsageError`` if that cannot be done."""
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {name}: {error.strerror or error}.") from error


def load_handlers(name: str | None) -> Handlers:
    """The handlers of a module, given by its dotted name or its file. Raises ``UsageError`` if one is none."""
    if name is None:
        return {}
    module = _import_file(Path(name)) if name.endswith(".py") else _import_module(name)
    found = _handlers_in(module)
    if not found:
        raise UsageError(f"the handlers module {name} has no handlers: neither public functions nor a dict `handlers`.")
    for resource, function in found.items():
        if not isinstance(resource, str):  # pyright: ignore[reportUnnecessaryIsInstance] - the module may have anything
            raise UsageError(f"the handlers module {name}: a resource is a text, not {resource!r}.")
        if not callable(function):
            raise UsageError(f"the handlers module {name}: the handler of {resource!r} cannot be called.")
        if (problem := signature_problem(function)) is not None:
            raise UsageError(
                f"the handlers module {name}: the handler of {resource!r} takes the input, or the input and a context: "
                f"{problem}."
            )
    return found


def _handlers_in(module: ModuleType) -> Handlers:
    declared = getattr(module, "handlers", None)
    if isinstance(declared, Mapping):
        return declared  # pyright: ignore[reportUnknownVariableType]
    functions = inspect.getmembers(module, inspect.isfunction)
    return {
        name: function
        for name, function in functions
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and signature_problem(function) is None  # else it is no handler, but what handlers share
    }


def _parse(text: str, source: str) -> Any:
    try:
        return loads(text)
    except InvalidInput as error:
        raise UsageError(f"{source}: {error}") from error


def _import_module(name: str) -> ModuleType:
    _search(os.getcwd())  # as `python -m` does: a console script does not find modules in the working directory
    importlib.invalidate_caches()
    before = sys.modules.pop(name, None)  # a server reads it again
    try:
        return importlib.import_module(name)
    except _BROKEN as error:
        _put_back(name, before)
        raise _broken_handlers(name, error) from error


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"there is no handlers file {path}.")
    name = f"handlers_{path.stem}"  # a file json.py must not replace the standard library's module
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    before, sys.modules[name] = sys.modules.get(name), module
    _search(str(path.parent))
    try:
        spec.loader.exec_module(module)
    except _BROKEN as error:
        _put_back(name, before)
        raise _broken_handlers(str(path), error) from error
    return module


def _search(folder: str) -> None:
    """Let modules be found in a folder first."""
    if folder not in sys.path:
        sys.path.insert(0, folder)


def _put_back(name: str, module: ModuleType | None) -> None:
    """Leave a module that could not be imported again as it was."""
    if module is None:
        sys.modules.pop(name, None)
    else:
        sys.modules[name] = module


_BROKEN = (Exception, SystemExit)
"""What a module may raise while it is imported: a script without a main guard ends the program."""


def _broken_handlers(name: str, error: BaseException) -> UsageError:
    return UsageError(f"the handlers module {name} cannot be imported: {type(error).__name__}: {error}{_place(error)}")


def _place(error: BaseException) -> str:
    """Where the module's code has raised; a SyntaxError says it itself."""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith("<frozen ")]
    inside = [each for each in frames if each.filename not in (__file__, importlib.__file__)]
    return f" ({inside[-1].filename}, line {inside[-1].lineno})" if inside else ""


def port_number(text: str) -> int:
    """A port; 0 stands for a free one."""
    if not text.isascii() or not text.isdigit() or int(text) >= 1 << 16:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 0 to 65535")
    return int(text)
