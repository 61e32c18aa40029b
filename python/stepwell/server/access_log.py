"""A line of the log for each request (``--access-log``)."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import msgspec

from stepwell.logs import about

from .exchange import Exchange

log = logging.getLogger("stepwell.access")
_PLAIN = re.compile(r"[^\s\"=]+")


class _About(msgspec.Struct, rename="camel"):
    """Members of requests and answers that say what a request is about."""

    execution_arn: str | None = None
    state_machine_arn: str | None = None
    map_run_arn: str | None = None
    activity_arn: str | None = None


class _Failure(msgspec.Struct):
    type: str = msgspec.field(default="", name="__type")


_decode_about = msgspec.json.Decoder(_About).decode
_decode_failure = msgspec.json.Decoder(_Failure).decode


def log_request(exchange: Exchange) -> None:
    """Log a request with its execution or state machine."""
    fields = {name: value for name, value in _fields(exchange).items() if value is not None}
    log.info("%s", " ".join(f"{name}={_shown(value)}" for name, value in fields.items()), extra=about(**fields))


def _shown(value: Any) -> str:
    """A value in a line of text; in quotes, as JSON, if it could be taken for other fields."""
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _fields(exchange: Exchange) -> dict[str, Any]:
    scope = exchange.scope
    client = scope.get("client")
    asked, answered = _decoded(exchange.body), _decoded(exchange.answer)
    return {
        "client": client[0] if client else None,
        "key": exchange.key,
        "method": scope["method"],
        "path": scope["path"],
        "operation": exchange.operation,
        "status": exchange.status,
        "milliseconds": round(exchange.seconds * 1000, 3),
        "request_id": exchange.request_id,
        "execution": asked.execution_arn or answered.execution_arn,
        "state_machine": asked.state_machine_arn or answered.state_machine_arn,
        "map_run": asked.map_run_arn,
        "activity": asked.activity_arn or answered.activity_arn,
        "error": _code(exchange.answer) if exchange.status >= 400 else None,
    }


def _decoded(text: bytes) -> _About:
    try:
        return _decode_about(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _About()


def _code(answer: bytes) -> str | None:
    try:
        return _decode_failure(answer).type.rpartition("#")[2] or None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
