"""Task tokens: the holder of a token may complete its task. Tokens cannot be guessed."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable

from msgspec import Struct

from stepwell import _core
from stepwell.errors import InvalidToken, TaskTimedOut

from .contexts import TaskContext
from .storage import Storage

RANDOM_BYTES = 24
CLOSED = "the task was answered before, has timed out, or its execution has ended"


class TaskOfToken(Struct, frozen=True, gc=False):
    """What an answer to a task needs of it."""

    id: str
    resource: str


def new_token(task_id: str, random_bytes: Callable[[int], bytes] = os.urandom) -> str:
    """A token for a task: its id and 192 random bits."""
    return base64.urlsafe_b64encode(task_id.encode() + b"\n" + random_bytes(RANDOM_BYTES)).decode()


def task_of_token(storage: Storage, token: str) -> TaskOfToken:
    """The open task of a token.

    Raises ``TaskTimedOut`` for the token of a closed task, ``InvalidToken`` for a text that is not a token (ASL
    A8.46).
    """
    if not isinstance(token, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidToken("Invalid Token: 'Invalid token'")
    import hmac  # it loads OpenSSL

    try:
        task_id = base64.urlsafe_b64decode(token.encode())[: -RANDOM_BYTES - 1].decode()
        is_task = _core.parse_id(task_id).task is not None
    except (binascii.Error, UnicodeError, ValueError):  # includes InvalidId
        is_task, task_id = False, ""
    task = storage.get(TaskContext, task_id) if is_task else None
    if is_task and task is None:
        raise TaskTimedOut(CLOSED)
    if task is None or task.token is None or not hmac.compare_digest(task.token.encode(), token.encode()):
        raise InvalidToken("Invalid Token: 'Invalid token'")  # AWS's published text
    return TaskOfToken(task.id, task.resource)
