"""Writes the golden log of the current format and its content: ``python -m upgrade.make_golden`` in ``tests/``.

A released log is never written again; only the log of an unreleased format may be replaced.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from stepwell import _core
from upgrade.contents import lines
from upgrade.story import run_story

TARGET = Path(__file__).parents[1] / "golden" / "format-1"


def main() -> None:
    """Run the story, and write its log and the content of the store at its end."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        under_way = run_story(data)
        shutil.rmtree(TARGET, ignore_errors=True)
        shutil.copytree(data / "log", TARGET / "log", ignore=shutil.ignore_patterns("LOCK"))
        store = _core.Store.open(data)
        (TARGET / "contents.jsonl").write_text("\n".join(lines(store)) + "\n", encoding="utf-8")
        (TARGET / "under_way.json").write_text(json.dumps(under_way, indent=1) + "\n", encoding="utf-8")
        store.close()


if __name__ == "__main__":
    main()
