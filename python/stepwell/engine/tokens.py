"""Task tokens: who has one may answer its task. They cannot be guessed."""

from __future__ import annotations

import base64
import binascii
import os

from stepwell.errors import TaskDoesNotExist

from .contexts import TaskContext
from .storage import Storage

RANDOM_BYTES = 24


def new_token(task_id: str) -> str:
    """A token for a task: its id and 192 random bits."""
    return base64.urlsafe_b64encode(task_id.encode() + b"\n" + os.urandom(RANDOM_BYTES)).decode()


def task_of_token(storage: Storage, token: str) -> TaskContext:
    """The open task that a token belongs to. Raises ``TaskDoesNotExist``."""
    import hmac  # it brings OpenSSL along

    try:
        task_id = base64.urlsafe_b64decode(token.encode())[: -RANDOM_BYTES - 1].decode()
        task = storage.get(TaskContext, task_id) if task_id else None
    except (binascii.Error, UnicodeError, ValueError):
        task = None
    if task is None or task.token is None or not hmac.compare_digest(task.token.encode(), token.encode()):
        raise TaskDoesNotExist("no open task has this token: it was answered before, has timed out, or never was")
    return task
