"""The blocks of code in the documents: where each is, its language, and whether it is run."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^( *)```(.*)$")
MARKER = re.compile(r"<!-- not run: (.*) -->")
DECISIONS = ROOT / "docs" / "adr"
"""They tell what was decided at their time, and are not mended when the code changes."""


@dataclass
class Block:
    """A block of code in a document."""

    page: str
    line: int
    language: str
    title: str | None
    text: str
    reason: str | None
    """Why it is not run, if a marker says so."""
    follows_at_once: bool
    """Whether only blank lines are between it and the block before it: it is what that one prints."""


def pages() -> list[str]:
    """The documents for users, by their paths. Those of the examples are the affair of tests/examples."""
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(file.relative_to(ROOT).as_posix() for file in files if DECISIONS not in file.parents)


def blocks(page: str) -> list[Block]:
    """All blocks of a document, in their order."""
    return list(_blocks(page, (ROOT / page).read_text(encoding="utf-8").splitlines()))


def texts(page: str, language: str) -> list[str]:
    """The texts of the blocks of one language."""
    return [block.text for block in blocks(page) if block.language == language]


def _blocks(page: str, lines: list[str]) -> Iterator[Block]:
    before, number = "", 0
    is_first, has_prose = True, True
    while number < len(lines):
        opening = FENCE.match(lines[number])
        if opening is None:
            if lines[number].strip():
                before, has_prose = lines[number], True
            number += 1
            continue
        end = next(n for n in range(number + 1, len(lines)) if lines[n].strip() == "```")
        marker = MARKER.search(before) if has_prose else None
        language, title = info(opening[2])
        text = textwrap.dedent("\n".join(lines[number + 1 : end])) + "\n"
        yield Block(page, number + 1, language, title, text, marker and marker[1], not is_first and not has_prose)
        before, is_first, has_prose, number = "", False, False, end + 1


def info(text: str) -> tuple[str, str | None]:
    """The language and the title of a block: ``python title="orders.py"``."""
    language, _, rest = text.strip().partition(" ")
    title = re.search(r'title="([^"]+)"', rest)
    return language, title and title[1]
