"""Ids of traces and spans: of an execution, its states and its tasks, the same after each restart.

They are derived and not drawn, so that a state that was entered before a crash ends the same span after it. An
execution that was started with a trace header (AWS X-Ray) belongs to the trace of its caller.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_HEADER = re.compile(r"([A-Za-z]+)=([^;]*)")
_ROOT = re.compile(r"1-([0-9a-fA-F]{8})-([0-9a-fA-F]{24})")
_PARENT = re.compile(r"[0-9a-fA-F]{16}")


class Trace(NamedTuple):
    """The trace of an execution. ``parent_id`` is its caller's span (0: it has none).

    ``is_sampled`` is what the caller decided; None: nobody has.
    """

    trace_id: int
    parent_id: int = 0
    is_sampled: bool | None = None


def trace_of(execution_id: str, started_at: int, header: str | None) -> Trace:
    """The trace of an execution: its caller's, or one of its own.

    Ids of executions are unique in one data folder; with the time of the start they are in all of them.
    """
    if header is not None:
        parts = dict(_HEADER.findall(header))
        root = _ROOT.fullmatch(parts.get("Root", ""))
        if root is not None:
            parent = _PARENT.fullmatch(parts.get("Parent", ""))
            sampled = {"0": False, "1": True}.get(parts.get("Sampled", ""))
            trace_id = int(root[1] + root[2], 16)
            if trace_id:
                return Trace(trace_id, 0 if parent is None else int(parent[0], 16), sampled)
    random = _digest(f"{execution_id} {started_at}", 12)
    seconds = started_at // 1_000_000 & 0xFFFF_FFFF  # X-Ray's ids begin with the time
    return Trace(seconds << 96 | int.from_bytes(random, "big"))


def span_in_redrive(id: str, redrives: int) -> int:
    """The span of an execution or a state (by its activity's id): each redrive has its own."""
    return span_of(f"{id}#{redrives}" if redrives else id)


def span_of(id: str) -> int:
    """The span of a task."""
    return int.from_bytes(_digest(id, 8), "big") or 1


def traceparent(trace: Trace, span_id: int) -> str:
    """The header ``traceparent`` (W3C Trace Context) of a request that is made within a span."""
    return f"00-{trace.trace_id:032x}-{span_id:016x}-{0 if trace.is_sampled is False else 1:02x}"


def xray_header(trace: Trace, span_id: int) -> str:
    """The header ``X-Amzn-Trace-Id`` of such a request."""
    root = f"{trace.trace_id:032x}"
    return f"Root=1-{root[:8]}-{root[8:]};Parent={span_id:016x};Sampled={0 if trace.is_sampled is False else 1}"


def _digest(text: str, size: int) -> bytes:
    from hashlib import blake2b  # few programs trace: it is loaded when the first one does

    return blake2b(text.encode(), digest_size=size).digest()
