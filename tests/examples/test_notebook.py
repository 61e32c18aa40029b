"""The notebook, executed from its first cell to its last: it draws, and its tables count every order."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from examples.support import EXAMPLES, programs
from stepwell import Executor

FOLDER = EXAMPLES / "notebook"
ORDERS = 120
EXECUTE = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], 4)
nbclient.NotebookClient(notebook, timeout=60, resources={"metadata": {"path": sys.argv[2]}}).execute()
nbformat.write(notebook, sys.argv[1])
"""


def notebook() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "workflows.ipynb").read_text(encoding="utf-8"))
    return found


def code(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in found["cells"] if cell["cell_type"] == "code"]


def outputs(found: dict[str, Any], kind: str) -> list[str]:
    """What cells have shown, in one form."""
    shown = [output.get("data", {}) for cell in code(found) for output in cell["outputs"]]
    return ["".join(data[kind]) for data in shown if kind in data]


def test_it_is_kept_without_outputs() -> None:
    for cell in code(notebook()):
        assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_it_draws_and_counts_every_order_beside_the_owner_of_their_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("ipykernel", "matplotlib", "nbclient", "pandas"):
        pytest.importorskip(package)
    monkeypatch.syspath_prepend(FOLDER)
    data = tmp_path / "day"
    importlib.import_module("shop_day").busy_day(str(data)).close()
    copy = tmp_path / "workflows.ipynb"
    found = notebook()
    code(found)[0]["source"].append(
        f"\nfrom stepwell import Executor\nengine.close()\nengine = Executor({str(data)!r}, connect=True)"
    )
    copy.write_text(json.dumps(found))
    with programs() as start, Executor(data):
        finished = start("-c", EXECUTE, copy, FOLDER, cwd=tmp_path, IPYTHONDIR=tmp_path / "ipython").ended()
    assert finished.process.returncode == 0, finished.output

    done = json.loads(copy.read_text())
    workflow, failed = outputs(done, "image/svg+xml")
    assert all("Approval" in drawing for drawing in (workflow, failed))
    assert "FAILED" in failed
    assert len(outputs(done, "image/png")) == 3
    _, ends, statistics = outputs(done, "text/html")
    assert sum(int(number) for number in re.findall(r"<td>(\d+)</td>", ends)) == ORDERS
    assert re.search(rf"<th>Reserve</th>\s*<td>{ORDERS}</td>", statistics)
