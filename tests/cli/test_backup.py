"""``stepwell backup`` and ``stepwell restore``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from cli.support import Stepwell
from stepwell import Executor
from stepwell.engine.folders.follows import NODE

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


def test_a_folder_in_use_is_backed_up_and_restored(stepwell: Stepwell, tmp_path: Path) -> None:
    with Executor(tmp_path / "data") as ex:
        ex.deploy("w", PASS)
        id = ex.start("w", {"n": 1}).wait(60).id
        done = stepwell("backup", "data", "--to", "copy")
        shown, of = done.out.splitlines()
        assert (done.code, shown) == (0, "backed up data to copy")
        backup, original = re.findall("[0-9a-f]{32}", of)
        assert of.startswith(f"store {backup}, a copy of {original} up to position ")
        ex.delete(id)
    done = stepwell("restore", "copy", "--to", "again", "--json")
    (restored,) = done.document["stores"]
    assert (done.code, restored["copied_from"]) == (0, backup)
    report = stepwell("log", "verify", "--data", "again", "--json").document
    assert report["store"] == restored["store"] not in (backup, original)
    assert [(origin["how"], origin["store"]) for origin in report["origins"]] == [
        ("copied", backup),
        ("copied", original),
    ]
    assert f"copied from: {backup} up to position" in stepwell("log", "verify", "--data", "again").out
    assert stepwell("show", id, "--data", "again", "--json").document["output"] == {"n": 1}
    assert stepwell("show", id, "--data", "data").code != 0


def test_what_cannot_be_done_is_said(stepwell: Stepwell, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert stepwell("backup", "missing", "--to", "copy").error_line() == "there is no folder missing."
    assert "holds no executor's data" in stepwell("backup", "empty", "--to", "copy").error_line()
    (tmp_path / "n1").mkdir()
    (tmp_path / "n1" / NODE).touch()
    assert "n1 is the folder of a cluster's node" in stepwell("backup", "n1", "--to", "copy").error_line()
    with Executor(tmp_path / "data") as ex:
        ex.deploy("w", PASS)
    assert "not empty" in stepwell("restore", "data", "--to", "data").error_line()


def test_paths_that_are_no_text_are_shown_with_escapes(tmp_path: Path) -> None:
    """In a process of its own, with an output that takes UTF-8 alone."""

    def stepwell(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "stepwell", *arguments]
        strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
        return subprocess.run(command, cwd=tmp_path, env=strict, capture_output=True, check=False)

    data, copy, missing = (os.fsdecode(name) for name in (b"data\xff", b"copy\xfe", b"none\xfd"))
    with Executor(tmp_path / data) as ex:
        ex.deploy("w", PASS)
    done = stepwell("backup", data, "--to", copy)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, rb"backed up data\udcff to copy\udcfe")
    done = stepwell("restore", copy, "--to", f"again{data}", "--json")
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["backup"], shown["data"]) == (0, r"copy\udcfe", r"againdata\udcff")
    for arguments in (("list", "--data", missing), ("backup", missing, "--to", "x"), ("restore", data, "--to", copy)):
        as_text, as_json = stepwell(*arguments), stepwell(*arguments, "--json")
        assert as_text.returncode == as_json.returncode in (2, 3)
        assert as_text.stderr.startswith(b"stepwell: error: ")
        assert "udcf" in json.loads(as_json.stderr)["message"]
