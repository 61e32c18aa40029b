"""Lines of the log: text or JSON, never with a control character that a client has sent."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

from stepwell.tasks.context import current_call


def log_in_lines(form: str) -> None:
    """Let the process log in lines of ``text`` or ``json``."""
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    for handler in root.handlers:
        handler.setFormatter(JsonLines() if form == "json" else TextLines())
    history = logging.StreamHandler()  # its lines have AWS's form, whatever the others have
    history.setFormatter(logging.Formatter("%(message)s"))
    history_lines = logging.getLogger("stepwell.history")
    history_lines.addHandler(history)
    history_lines.propagate = False


class TextLines(logging.Formatter):
    """One line a record, and below it the lines of a traceback, indented."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"stepwell: {record.levelname}: {escaped(record.getMessage())}"
        if record.exc_info:
            lines = self.formatException(record.exc_info).split("\n")
            line += "".join("\n  " + escaped(each) for each in lines)
        return line


class JsonLines(logging.Formatter):
    """One JSON document a line, in ASCII. What a handler logs has the execution and the state that it works for."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_of_task(),
        }
        fields: Mapping[str, Any] = getattr(record, "fields", {})
        line |= {name: value for name, value in fields.items() if value is not None}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _of_task() -> dict[str, Any]:
    """The task whose handler logs, if one does: records are formatted in the thread that made them."""
    call = current_call.get()
    if call is None:
        return {}
    return {"execution": call.execution_id, "state": call.state_name, "task": call.id, "attempt": call.attempt}


def escaped(text: str) -> str:
    """A text whose characters that do not print are escaped: they could forge lines or drive a terminal."""
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
