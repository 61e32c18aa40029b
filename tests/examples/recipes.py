"""The programs in the documents: blocks of code whose first line names their file."""

from __future__ import annotations

from pathlib import Path

from documents.blocks import texts

DOCUMENTS = ("docs/frameworks.md", "docs/operations.md", "docs/testing.md", "docs/testing-crashes.md")


def blocks(language: str) -> list[str]:
    """All blocks of a language in these documents."""
    return [text for page in DOCUMENTS for text in texts(page, language)]


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
