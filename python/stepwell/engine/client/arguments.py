"""Checks the arguments of a program: names, definitions, documents, times."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from stepwell.asl.json import dumps, is_object
from stepwell.engine.limits import LATEST_TIME
from stepwell.engine.quoting import shown
from stepwell.errors import InvalidDefinition, InvalidInput, InvalidName

Definition: TypeAlias = dict[str, Any] | str | bytes | os.PathLike[str]
"""A definition as a dict, as JSON text, or as the path of a JSON or YAML file."""

Folder: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]
"""A folder's path: any bytes that the file system takes."""

TYPES = ("STANDARD", "EXPRESS")
"""The types of workflows."""
NAME_LENGTH = 80
TEXT_LENGTH = 1 << 20
MAX_ROWS = 1 << 53
"""Of events and rows: more than there can be."""
_NOT_IN_NAMES = frozenset('/:<>{}[]?*"#%\\^|~`$&,;')  # as on AWS (CreateStateMachine, StartExecution)
_MICROSECONDS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_name(what: str, name: object) -> str:
    """The name of a workflow or an execution. Raises ``InvalidName``."""
    if not isinstance(name, str):
        raise InvalidName(f"the name of {what} is a text, not {shown(name)}")
    if not 1 <= len(name) <= NAME_LENGTH:
        raise InvalidName(f"the name of {what} has 1 to {NAME_LENGTH} characters, not {len(name)}: {name!r}")
    bad = next((sign for sign in name if not sign.isprintable() or sign.isspace() or sign in _NOT_IN_NAMES), None)
    if bad is not None:
        raise InvalidName(f"the name of {what} may not hold {bad!r}: {name!r}")
    return name


def definition_text(definition: object) -> bytes:
    """The JSON text of a definition: of a dict, of JSON text, or of a file. Raises ``InvalidDefinition``."""
    if is_object(definition):
        return _text_of(definition)
    if isinstance(definition, bytes):
        return definition
    if isinstance(definition, str) and definition.lstrip().startswith(("{", "[", '"')):
        return definition.encode("utf-8", "surrogatepass")
    try:
        return _file_text(os.fsdecode(definition))  # pyright: ignore[reportArgumentType] - refused below
    except TypeError:
        kind = type(definition).__name__
        raise InvalidDefinition(f"a definition is a dict, JSON text, or the path of a file, not {kind}") from None


def _file_text(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            text = file.read()
    except (OSError, ValueError) as error:  # ValueError: a NUL in it
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidDefinition(f"{path!r} is neither JSON text nor a file that can be read: {reason}") from error
    if os.path.splitext(path)[1] not in (".yaml", ".yml"):
        return text
    from stepwell.asl.yaml import load_yaml

    return _text_of(load_yaml(text))


def _text_of(value: object) -> bytes:
    try:
        return dumps(value)
    except InvalidInput as error:
        raise InvalidDefinition(f"the definition is not JSON: {error}") from error


def optional_text(what: str, value: object) -> str | None:
    """An error's name or cause, a worker's name: a text or None. Raises ``InvalidInput``."""
    if value is not None and not isinstance(value, str):
        raise InvalidInput(f"{what} is a text or None, not {shown(value)}")
    if value is not None and len(value) > TEXT_LENGTH:
        raise InvalidInput(f"{what} has {len(value)} characters: {TEXT_LENGTH} is the most")
    if value is not None and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(f"{what} has no UTF-8 form: {error}") from error
    return value


def document_text(what: str, value: object) -> bytes:
    """The JSON text of an input or output. Raises ``InvalidInput`` for what is not JSON."""
    try:
        return dumps(value)
    except InvalidInput as error:
        raise InvalidInput(f"{what} is not JSON: {error}") from error


def wait_seconds(what: str, seconds: object) -> float:
    """How long a call may wait, in seconds: below zero is not at all. Raises ``InvalidInput``."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds != seconds:
        raise InvalidInput(f"{what} is a number of seconds, not {shown(seconds)}")
    return float(min(max(0, seconds), threading.TIMEOUT_MAX))


def optional_wait_seconds(what: str, seconds: object) -> float | None:
    """The same, where None is for ever."""
    return None if seconds is None else wait_seconds(what, seconds)


def whole_number(what: str, number: object, least: int) -> int:
    """A whole number of events or rows, or of the first of them. Raises ``InvalidInput``."""
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise InvalidInput(f"{what} is a whole number, {least} or more, not {shown(number)}")
    return min(number, MAX_ROWS)


def moment(what: str, value: object) -> int:
    """A time, or seconds since the epoch, in microseconds; 0 for one before 1970. Raises ``InvalidInput``."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidInput(f"{what} needs a time zone: {value.isoformat()}")
        since = value - _EPOCH  # in integers: seconds since the epoch are not exact as a float
        return max(0, since // timedelta(microseconds=1))
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise InvalidInput(f"{what} is a time, or a number of seconds since 1970, not {shown(value)}")
    return int(min(max(0, value * _MICROSECONDS), LATEST_TIME))


def start_time(delay: float | None, at: float | datetime | None, clock: Callable[[], int]) -> int:
    """The time of a start, in microseconds since the epoch, as ``clock`` is; 0: now. Raises ``InvalidInput``."""
    if delay is not None and at is not None:
        raise InvalidInput("give either delay or at, not both")
    if delay is None and at is None:
        return 0
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise InvalidInput(f"at needs a time zone: {at.isoformat()}")
        at = at.timestamp()
    seconds = delay if delay is not None else at
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds != seconds:
        raise InvalidInput(f"delay and at are numbers of seconds, not {shown(seconds)}")
    if delay is not None and delay < 0:
        raise InvalidInput(f"a delay cannot be negative: {shown(delay)}")
    now = clock() if delay is not None else 0
    microseconds = max(-LATEST_TIME, seconds * _MICROSECONDS)  # long ago is at once
    if microseconds + now > LATEST_TIME:
        raise InvalidInput(f"this start is too far ahead: {shown(seconds)} s")
    return max(1, int(microseconds) + now)
