"""Exit codes, and which error ends with which."""

from __future__ import annotations

from stepwell.errors import Busy, ExecutionFailed, StepwellError, StorageError, WaitTimeout

OK = 0
FAILED = 1
USAGE = 2
STORAGE = 3
INTERRUPTED = 130

EXIT_CODES = """\
exit codes:
  0  done; an execution that was waited for succeeded
  1  the execution failed or was stopped, the definition is invalid, the log is damaged
  2  wrong usage or bad input: no such file, workflow, execution or handler; not JSON
  3  the data folder cannot be used: its process is busy, does not answer or has ended, it is damaged, not readable
"""


class UsageError(Exception):
    """An argument cannot be used; the text says which and why."""


def exit_code(error: Exception) -> int:
    """The exit code of a command that ended in ``error``."""
    match error:
        case StorageError() | Busy():
            return STORAGE
        case ExecutionFailed() | WaitTimeout():
            return FAILED
        case StepwellError() | UsageError():
            return USAGE
        case _:
            return FAILED
