"""Loggers that never raise: what a program's handlers and filters do must not end what only meant to say something."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any


class _SafeAdapter(logging.LoggerAdapter[logging.Logger]):
    """A logger whose calls return, whatever the program's logging does."""

    def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
        """Keep what a call says about its record: an adapter would replace it by its own."""
        return msg, kwargs

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        try:
            kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
            super().log(level, msg, *args, **kwargs)
        except Exception:  # noqa: BLE001 - a handler or filter of the program, or the clock that dates the record
            _report(msg)


def _report(msg: object) -> None:
    """Say on stderr that logging fails, if that can be said."""
    if sys.stderr is not None and logging.raiseExceptions:  # pyright: ignore[reportUnnecessaryComparison]
        try:
            sys.stderr.write(f"stepwell: logging failed for {msg!r}:\n{traceback.format_exc()}")
        except (OSError, ValueError):
            return  # stderr is closed or full: there is nobody left to tell


def about(**fields: object) -> dict[str, object]:
    """What a record is about, for ``extra`` of a call: ``record.fields``, which structured lines show."""
    return {"fields": fields}


def logger(name: str) -> logging.LoggerAdapter[logging.Logger]:
    """The logger ``name``, as the engine uses it."""
    return _SafeAdapter(logging.getLogger(name), {})
