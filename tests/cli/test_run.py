"""``stepwell run``: output, progress, exit codes, and going on after a crash."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cli.support import Machine, Stepwell, assert_golden

GREET = {"Greet": {"Type": "Pass", "Parameters": {"text.$": "States.Format('Hello, {}', $.name)"}, "End": True}}
FAIL = {"Stop": {"Type": "Fail", "Error": "NoLuck", "Cause": "the die was cast"}}


def test_it_prints_the_output_and_shows_the_states_on_the_way(stepwell: Stepwell, machine: Machine) -> None:
    finished = stepwell("run", machine(GREET), "--input", '{"name": "Ada"}')
    assert (finished.code, json.loads(finished.out)) == (0, {"text": "Hello, Ada"})
    assert_golden("run_progress.txt", finished.err)


def test_json_is_one_document_with_status_and_output(stepwell: Stepwell, machine: Machine) -> None:
    finished = stepwell("run", machine(GREET), "--input", '{"name": "Ada"}', "--name", "first", "--json")
    document = finished.document
    assert document["status"] == "Succeeded"
    assert document["output"] == {"text": "Hello, Ada"}
    assert (document["workflow"], document["name"]) == ("machine", "first")


def test_quiet_shows_no_progress(stepwell: Stepwell, machine: Machine) -> None:
    finished = stepwell("run", machine(GREET), "--input", '{"name": "Ada"}', "--quiet")
    assert (finished.code, finished.err) == (0, "")


def test_input_comes_from_a_file_or_from_standard_input(stepwell: Stepwell, machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "input.json").write_text('{"name": "file"}')
    for source, stdin, name in (("@input.json", "", "file"), ("@-", '{"name": "pipe"}', "pipe")):
        finished = stepwell("run", machine(GREET), "--input", source, "-q", stdin=stdin)
        assert json.loads(finished.out) == {"text": f"Hello, {name}"}


DOUBLED = {
    "M": {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "Parameters": {"Bucket": "goods-in", "Key": "numbers.json"},
            "ReaderConfig": {"InputType": "JSON"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "P",
            "States": {"P": {"Type": "Pass", "End": True}},
        },
        "End": True,
    }
}


def test_a_distributed_map_reads_what_the_options_allow(stepwell: Stepwell, machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "buckets/goods-in").mkdir(parents=True)
    (tmp_path / "buckets/goods-in/numbers.json").write_text("[1, 2]")
    finished = stepwell("run", machine(DOUBLED), "--buckets", "buckets", "-q")
    assert (finished.code, json.loads(finished.out)) == (0, [1, 2])
    refused = stepwell("run", machine(DOUBLED), "-q")
    assert refused.code == 1
    assert "ItemReaderFailed" in refused.err
    for options, why in (
        (("--buckets", "nowhere"), "no folder nowhere"),
        (("--file-root", "nowhere"), "no folder nowhere"),
        (("--buckets", "buckets", "--s3"), "one of them"),
    ):
        assert why in stepwell("run", machine(DOUBLED), *options).error_line()


def test_a_failed_execution_ends_with_exit_code_1_and_says_why(stepwell: Stepwell, machine: Machine) -> None:
    finished = stepwell("run", machine(FAIL))
    assert (finished.code, finished.out) == (1, "")
    assert_golden("run_failed.txt", finished.err)


def test_a_failed_execution_as_json_has_error_and_cause(stepwell: Stepwell, machine: Machine) -> None:
    finished = stepwell("run", machine(FAIL), "--json")
    assert finished.code == 1
    assert finished.document["error"] == "NoLuck"
    assert finished.document["cause"] == "the die was cast"


def test_yaml_is_read_too(stepwell: Stepwell, tmp_path: Path) -> None:
    (tmp_path / "machine.yaml").write_text("StartAt: A\nStates:\n  A: {Type: Pass, Result: 1, End: true}\n")
    finished = stepwell("run", "machine.yaml", "-q")
    assert (finished.code, finished.out) == (0, "1\n")


def task(resource: str) -> dict[str, Any]:
    return {"Work": {"Type": "Task", "Resource": resource, "End": True}}


def test_handlers_come_from_a_dict_of_the_module(stepwell: Stepwell, machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text("handlers = {'double': lambda n: 2 * n}\n")
    finished = stepwell("run", machine(task("double")), "--input", "21", "--handlers", "work.py", "-q")
    assert (finished.code, finished.out) == (0, "42\n")


def test_or_they_are_the_functions_of_the_module_by_name(stepwell: Stepwell, machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text("async def double(n, ctx):\n    return 2 * n\n")
    arn = "arn:aws:lambda:us-east-1:123456789012:function:double"
    finished = stepwell("run", machine(task(arn)), "--input", "21", "--handlers", "work", "-q")
    assert (finished.code, finished.out) == (0, "42\n")


def test_a_terminal_is_shown_which_state_is_running(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text("import time\ndef nap(n):\n    time.sleep(0.5)\n")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "stepwell", "run", str(machine(task("nap"))), "--handlers", "work.py"]
    environment = os.environ | {"TERM": "xterm"}
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = read_to_end(ours)
    assert process.returncode == 0
    assert "\r\x1b[K" in shown
    assert " s  Work" in shown
    assert "\x1b[34mentered   \x1b[0mWork" in shown


def read_to_end(terminal: int) -> str:
    """What was written to a terminal until its last writer closed it."""
    shown = b""
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # EIO: the other side is closed
            chunk = b""
        if not chunk:
            os.close(terminal)
            return shown.decode()
        shown += chunk


def test_the_same_command_goes_on_with_what_a_kill_cut_short(
    stepwell: Stepwell, machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "work.py").write_text(
        "import time\n"
        "from pathlib import Path\n"
        "def note(text):\n"
        "    with open('journal', 'a') as file:\n"
        "        file.write(text + '\\n')\n"
        "def first(value, ctx):\n"
        "    note('first')\n"
        "    return value\n"
        "def second(value, ctx):\n"
        "    note('second')\n"
        "    time.sleep(60 if Path('journal').read_text().count('second') == 1 else 0)\n"
        "    return {'done': True}\n"
    )
    states = {
        "First": {"Type": "Task", "Resource": "first", "Next": "Second"},
        "Second": {"Type": "Task", "Resource": "second", "End": True},
    }
    words = ["run", str(machine(states)), "--handlers", "work.py", "--data", "data", "--name", "once"]
    journal = tmp_path / "journal"

    with subprocess.Popen(
        [sys.executable, "-m", "stepwell", *words], cwd=tmp_path, stderr=subprocess.DEVNULL
    ) as engine:
        wait_until(lambda: journal.exists() and "second" in journal.read_text())
        engine.send_signal(signal.SIGKILL)
    finished = stepwell(*words)

    assert (finished.code, json.loads(finished.out)) == (0, {"done": True}), finished.err
    assert journal.read_text().split() == ["first", "second", "second"]


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.02)
