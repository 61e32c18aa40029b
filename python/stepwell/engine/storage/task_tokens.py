"""Task tokens: who has one may answer its task. They cannot be guessed."""

from __future__ import annotations

import base64
import binascii
import os

from stepwell import _core
from stepwell.errors import InvalidToken, TaskTimedOut

from .contexts import TaskContext
from .storage import Storage

RANDOM_BYTES = 24
CLOSED = "the task was answered before, has timed out, or its execution has ended"


def new_token(task_id: str) -> str:
    """A token for a task: its id and 192 random bits."""
    return base64.urlsafe_b64encode(task_id.encode() + b"\n" + os.urandom(RANDOM_BYTES)).decode()


def task_of_token(storage: Storage, token: str) -> TaskContext:
    """The open task that a token belongs to.

    Raises ``TaskTimedOut`` for the token of a task that is closed, ``InvalidToken`` for what is none (ASL A8.46).
    """
    import hmac  # it brings OpenSSL along

    try:
        task_id = base64.urlsafe_b64decode(token.encode())[: -RANDOM_BYTES - 1].decode()
        is_task = _core.parse_id(task_id).task is not None
    except (binascii.Error, UnicodeError, ValueError):  # InvalidId among them
        is_task, task_id = False, ""
    task = storage.get(TaskContext, task_id) if is_task else None
    if is_task and task is None:
        raise TaskTimedOut(CLOSED)
    if task is None or task.token is None or not hmac.compare_digest(task.token.encode(), token.encode()):
        raise InvalidToken("Invalid Token: 'Invalid token'")  # as published of AWS
    return task
