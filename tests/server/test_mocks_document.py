"""The example in docs/mocks.md does what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from documents.blocks import texts
from stepwell.testing import MockFile, scripted_run

from .support import serving

PAGE = "docs/mocks.md"


def test_the_program_prints_what_the_document_says(tmp_path: Path) -> None:
    mocks, order = texts(PAGE, "json")
    (tmp_path / "MockConfigFile.json").write_text(mocks)
    (tmp_path / "order.json").write_text(order)
    with serving("--mock-config", str(tmp_path / "MockConfigFile.json")) as server:
        program = texts(PAGE, "python")[0].replace("http://127.0.0.1:8083", server.url)
        ended = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
    assert ended.stdout == "SUCCEEDED 3 attempts\n", ended.stderr


def test_the_same_files_are_run_in_memory() -> None:
    mocks, order = texts(PAGE, "json")
    found = scripted_run(order, {}, mocks=MockFile(mocks).case("Order", "TwiceDown"))
    assert (found["status"], found["output"]) == ("SUCCEEDED", {"MessageId": "m-1"})
