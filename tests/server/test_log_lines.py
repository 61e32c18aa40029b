"""Lines of the log: no control character of a client reaches a terminal or forges a line."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.server.log_lines import JsonLines, TextLines

from .support import serving

FORGED = "name\x1b[2J\r\nstepwell: INFO: all is well\u2028\x85\x00"


def record(message: str, *, exc_info: Any = None) -> logging.LogRecord:
    return logging.LogRecord("stepwell.server", logging.WARNING, __file__, 1, "got %s", (message,), exc_info)


def test_a_line_of_text_is_one_line_without_control_characters() -> None:
    assert TextLines().format(record(FORGED)) == (
        r"stepwell: WARNING: got name\x1b[2J\r\nstepwell: INFO: all is well\u2028\x85\x00"
    )


@given(st.text())
def test_any_message_is_one_line(message: str) -> None:
    for formatter in (TextLines(), JsonLines()):
        line = formatter.format(record(message))
        assert len(line.splitlines()) == 1
        assert line.isprintable()
        line.encode()
    assert json.loads(JsonLines().format(record(message)))["message"] == f"got {message}"


def test_the_lines_of_a_traceback_are_kept_and_escaped() -> None:
    try:
        raise ValueError(FORGED)
    except ValueError:
        text = TextLines().format(record("it", exc_info=sys.exc_info()))
    lines = text.split("\n")
    assert lines[:2] == ["stepwell: WARNING: got it", "  Traceback (most recent call last):"]
    assert not [line for line in lines if line.startswith("stepwell: INFO")]
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_line_of_a_server_has_control_characters(tmp_path: Path, form: str) -> None:
    log = tmp_path / "log"
    with serving("--log-format", form, stderr=log) as served:
        for name in (FORGED, "\x1b]0;title\x07"):
            served.post("CreateStateMachine", json.dumps({"name": name, "definition": "{}", "roleArn": name}))
            served.post("StartExecution", json.dumps({"stateMachineArn": name, "name": name}))
            served.post(name.encode("unicode_escape").decode(), "{}")
        served.post("ListStateMachines", "{}", Host="evil\x1b.example".replace("\x1b", ""))
        assert served.stop() == 0
    assert [line for line in log.read_text().split("\n") if not line.isprintable()] == []


def test_a_value_of_a_client_cannot_be_taken_for_another_field(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving("--access-log", stderr=log) as server:
        server.get("/none%20key=admin%20status=200%22")
        server.post('x" status=200 key=admin', "{}")
        assert server.stop() == 0
    first, second = (line for line in log.read_text().splitlines() if "client=" in line)
    assert r' path="/none key=admin status=200\"" status=404 ' in first
    assert r' operation="x\" status=200 key=admin" status=400 ' in second
