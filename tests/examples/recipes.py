"""The programs in the documents: blocks of code whose first line names their file."""

from __future__ import annotations

import re
from pathlib import Path

from examples.support import ROOT

DOCUMENTS = ("frameworks.md", "operations.md", "testing.md", "testing-crashes.md")


def blocks(language: str) -> list[str]:
    """All blocks of a language in these documents."""
    texts = [(ROOT / "docs" / name).read_text(encoding="utf-8") for name in DOCUMENTS]
    return [
        block for text in texts for block in re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    ]


def recipes() -> dict[str, str]:
    """The Python programs, by the names of their files."""
    return {block.partition("\n")[0].removeprefix("# "): block for block in blocks("python")}


def write(folder: Path, *names: str) -> None:
    """Write programs of the documents into a folder."""
    found = recipes()
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(found[name], encoding="utf-8")
