"""Bad input of every kind: one clear line, the exit code that people expect, and nothing left behind."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from cli.support import Deploy, Machine, Stepwell
from stepwell.cli.exits import UsageError
from stepwell.cli.main import parser
from stepwell.cli.options import load_handlers

PASS = {"A": {"Type": "Pass", "End": True}}


def test_input_that_is_not_json(stepwell: Stepwell, machine: Machine) -> None:
    finished = stepwell("run", machine(PASS), "--input", "{nope", "--data", "data")
    assert finished.code == 2
    assert finished.error_line().startswith("--input: This is not valid JSON: ")


def test_an_input_file_that_is_not_there(stepwell: Stepwell, machine: Machine) -> None:
    finished = stepwell("run", machine(PASS), "--input", "@nowhere.json")
    assert finished.code == 2
    assert finished.error_line() == "cannot read nowhere.json: No such file or directory."


def test_a_definition_that_is_not_there_or_not_json_or_not_valid(
    stepwell: Stepwell, machine: Machine, tmp_path: Path
) -> None:
    assert stepwell("run", "nowhere.json").error_line() == "cannot read nowhere.json: No such file or directory."
    (tmp_path / "text.json").write_text("no state machine")
    for file in ("text.json", machine({"A": {"Type": "Pass", "Next": "Nowhere"}})):
        finished = stepwell("run", file, "--data", "data")
        assert finished.code == 2
        assert "Invalid State Machine Definition" in finished.error_line()


def test_an_unknown_workflow(stepwell: Stepwell, deploy: Deploy) -> None:
    deploy("known", PASS)
    finished = stepwell("start", "unknown", "--data", "data")
    assert finished.code == 2
    assert "unknown" in finished.error_line()


def test_a_missing_handler(stepwell: Stepwell, machine: Machine) -> None:
    finished = stepwell("run", machine({"Work": {"Type": "Task", "Resource": "nobody", "End": True}}), "-q")
    assert finished.code == 2
    assert "nobody" in finished.error_line()


@pytest.mark.parametrize("word", ["show", "stop"])
@pytest.mark.parametrize("id", ["/default/default/e0000000/0000000000000001", "nonsense", ""])
def test_an_unknown_execution(stepwell: Stepwell, deploy: Deploy, word: str, id: str) -> None:
    deploy("known", PASS)
    finished = stepwell(word, id, "--data", "data")
    assert finished.code == 2
    assert finished.error_line()


def test_no_data_folder(stepwell: Stepwell, tmp_path: Path) -> None:
    assert stepwell("list").error_line() == "no data folder: give --data DIR, or set STEPWELL_DATA."
    finished = stepwell("list", "--data", "nowhere")
    assert finished.code == 2
    assert finished.error_line().startswith("there is no data folder nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_data_folder_that_cannot_be_one(stepwell: Stepwell, machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    finished = stepwell("run", machine(PASS), "--data", "file")
    assert finished.code == 3
    assert "file" in finished.error_line()


def test_a_folder_that_may_not_be_read_or_written(stepwell: Stepwell, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0)
    if os.geteuid() == 0:  # root may read and write every folder, but for the kernel's own
        folder = Path("/proc/self/task")
    finished = stepwell("list", "--data", folder)
    assert finished.code == 3
    assert str(folder) in finished.error_line()


def test_handlers_that_cannot_be_imported(stepwell: Stepwell, machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def work(value):\n    return value\n\n\n1 / 0\n")
    (tmp_path / "empty.py").write_text("from json import loads\n")
    run = ["run", machine(PASS), "--handlers"]
    assert stepwell(*run, "nowhere.py").error_line() == "there is no handlers file nowhere.py."
    assert "No module named 'nowhere'" in stepwell(*run, "nowhere").error_line()
    broken = stepwell(*run, "broken.py")
    assert broken.code == 2
    place = tmp_path / "broken.py"
    assert broken.error_line().endswith(f"imported: ZeroDivisionError: division by zero ({place}, line 5)")
    assert "empty.py has no handlers" in stepwell(*run, "empty.py").error_line()


def test_functions_that_handlers_share_are_no_handlers(tmp_path: Path) -> None:
    module = tmp_path / "shared.py"
    module.write_text("def work(value):\n    return connect()\n\n\ndef connect():\n    return 5\n")
    assert list(load_handlers(str(module))) == ["work"]
    module.write_text(module.read_text() + "\n\nhandlers = {'work': work, 'connect': connect}\n")
    with pytest.raises(UsageError, match=r"the handler of 'connect' takes the input, .*: connect\(\): too many"):
        load_handlers(str(module))


def test_handlers_of_a_module_are_loaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = tmp_path / "loaded_again.py"
    module.write_text("def work(value):\n    return 'old'\n")
    assert load_handlers("loaded_again")["work"]({}) == "old"
    module.write_text("def work(value):\n    return 'new'\n")
    assert load_handlers("loaded_again")["work"]({}) == "new"
    module.write_text("def work(value:\n")
    with pytest.raises(UsageError, match="SyntaxError"):
        load_handlers("loaded_again")


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("--port", "99999", "'99999' is no port from 0 to 65535"),
        ("--port", "http", "'http' is no port from 0 to 65535"),
        ("--partitions", "0", "'0' is no number from 1 on"),
        ("--max-connections", "0", "'0' is no number from 1 on"),
    ],
)
def test_numbers_of_a_server(option: str, value: str, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["serve", option, value])
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err


def test_errors_are_json_with_json(stepwell: Stepwell) -> None:
    finished = stepwell("list", "--data", "nowhere", "--json")
    assert finished.code == 2
    assert json.loads(finished.err)["error"] == "UsageError"


def test_no_command_and_unknown_words_are_usage_errors(stepwell: Stepwell) -> None:
    assert stepwell().code == 2
    assert stepwell("dance").code == 2
    assert stepwell("--version").out.startswith("stepwell 0.")
    assert "exit codes:" in stepwell("--help").out
