"""What goes wrong with items and results fails their state with the error that ASL names for it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from stepwell.errors import Closed, TaskError

from .formats import FormatError


@contextmanager
def failures_as(error_name: str, what: str) -> Generator[None, None, None]:
    """Raise ``TaskError`` with this name for whatever an object store, the network or a file's content raises.

    ``Closed`` is no failure: the engine ends, and the task starts again at its next opening.
    """
    try:
        yield
    except (TaskError, Closed):
        raise
    except FormatError as error:  # its text says all
        raise TaskError(error_name, str(error)) from error
    except Exception as error:
        raise TaskError(error_name, f"{what}: {error}") from error
