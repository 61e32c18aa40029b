"""``stepwell backup`` and ``stepwell restore``."""

from __future__ import annotations

from pathlib import Path

from cli.support import Stepwell
from stepwell import Executor

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


def test_a_folder_in_use_is_backed_up_and_restored(stepwell: Stepwell, tmp_path: Path) -> None:
    with Executor(tmp_path / "data") as ex:
        ex.deploy("w", PASS)
        id = ex.start("w", {"n": 1}).wait(10).id
        done = stepwell("backup", "data", "--to", "copy")
        assert (done.code, done.out) == (0, "backed up data to copy\n")
        ex.delete(id)
    done = stepwell("restore", "copy", "--to", "again", "--json")
    assert (done.code, done.document) == (0, {"backup": "copy", "data": "again"})
    assert stepwell("show", id, "--data", "again", "--json").document["output"] == {"n": 1}
    assert stepwell("show", id, "--data", "data").code != 0


def test_what_cannot_be_done_is_said(stepwell: Stepwell, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert stepwell("backup", "missing", "--to", "copy").error_line() == "there is no folder missing."
    assert "holds no executor's data" in stepwell("backup", "empty", "--to", "copy").error_line()
    with Executor(tmp_path / "data") as ex:
        ex.deploy("w", PASS)
    assert "not empty" in stepwell("restore", "data", "--to", "data").error_line()
