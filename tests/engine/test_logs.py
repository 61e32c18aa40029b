"""The program's logging may fail: what meant to say something goes on."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepwell import Executor, StorageError
from stepwell.logs import logger

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}
LONG = 60.0


class Broken(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError("the handler is broken")


def refuse(record: logging.LogRecord) -> bool:
    raise RuntimeError("the filter is broken")


@pytest.fixture(params=["handler", "filter"])
def broken(request: pytest.FixtureRequest) -> Iterator[None]:
    log = logging.getLogger("stepwell")
    handler = Broken() if request.param == "handler" else logging.StreamHandler(io.StringIO())
    if request.param == "filter":
        handler.addFilter(refuse)
    log.addHandler(handler)
    yield
    log.removeHandler(handler)


@pytest.mark.usefixtures("broken")
def test_a_warning_that_cannot_be_logged_stops_nothing(tmp_path: Path) -> None:
    with Executor(tmp_path) as ex:
        ex.deploy("pass", PASS)
        for text in ("x" * 300_000, "x"):  # AWS would refuse the first, which is a warning
            assert ex.start("pass", text).wait(LONG).status == "Succeeded"


@pytest.mark.usefixtures("broken")
def test_who_waits_gets_the_end_where_it_cannot_be_logged(tmp_path: Path) -> None:
    ex = Executor(tmp_path / "data")
    ex.deploy("wait", WAIT)
    execution = ex.start("wait")
    (tmp_path / "data").rename(tmp_path / "moved")
    with pytest.raises(StorageError):
        ex.start("wait")
    with pytest.raises(StorageError):
        execution.wait(LONG)
    ex.close()


def test_a_record_names_the_line_that_logs(caplog: pytest.LogCaptureFixture) -> None:
    log = logger("stepwell.test")
    log.warning("one %s", "text")
    try:
        raise ValueError("reason")
    except ValueError:
        log.exception("two")
    assert [record.getMessage() for record in caplog.records] == ["one text", "two"]
    assert {record.funcName for record in caplog.records} == {test_a_record_names_the_line_that_logs.__name__}
    assert caplog.records[1].exc_info is not None


@pytest.mark.usefixtures("broken")
def test_failing_logging_is_said_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    logger("stepwell.test").warning("a message")
    assert "a message" in capsys.readouterr().err
