"""Files with secrets: nobody else may read them."""

from __future__ import annotations

import os
import stat

from stepwell.errors import StepwellError

LARGEST = 1 << 20


class UnusableFile(StepwellError):
    """A file of credentials cannot be used; the text says which and why, and shows no secret."""


def read_private(path: str) -> str:
    """The text of a file that only its owner can read. Raises ``UnusableFile``."""
    try:
        with open(path, "rb", opener=_open) as file:
            _check(path, os.fstat(file.fileno()))
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise UnusableFile(f"cannot read {path}: {error.strerror or error}.") from error
    if len(content) > LARGEST:
        raise UnusableFile(f"{path} has more than {LARGEST} bytes: it is no file of credentials.")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise UnusableFile(f"{path} is not UTF-8 text.") from None  # its bytes may be secrets


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO must not keep the server from starting


def _check(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UnusableFile(f"{path} is no file.")
    if status.st_uid not in (0, os.geteuid()):
        raise UnusableFile(f"{path} belongs to another user: it must be this process's user's, or root's.")
    # A file of root is one that an administrator, or Kubernetes, gives to a group: PostgreSQL's rule for its keys.
    forbidden = 0o027 if status.st_uid == 0 else 0o077
    if status.st_mode & forbidden:
        mode = stat.S_IMODE(status.st_mode)
        raise UnusableFile(f"{path} has the mode {mode:04o}: others can read or change it. Run `chmod 600 {path}`.")
