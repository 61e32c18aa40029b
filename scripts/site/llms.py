"""Writes ``llms.txt`` and ``llms-full.txt``: an index of the site and its whole text, for language models.

Beside each page lies its Markdown, which ``llms.txt`` links to (https://llmstxt.org).
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

SUMMARY = "A durable workflow engine for the Amazon States Language that runs inside a Python program."


def write(pages: Path, out: Path, titles: list[tuple[str, str, str]]) -> None:
    """Write both files, and the pages' Markdown, into the folder of the site."""
    index, texts, section = [f"# Stepwell\n\n> {SUMMARY}\n"], [], ""
    for part, title, path in titles:
        if part != section:
            section = part
            index.append(f"\n## {section}\n")
        text = (pages / path).read_text(encoding="utf-8")
        index.append(f"- [{title}]({path}): {first_sentence(text)}")
        texts.append(text)
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(pages / path, target)
    (out / "llms.txt").write_text("\n".join(index) + "\n", encoding="utf-8")
    (out / "llms-full.txt").write_text("\n\n".join(texts), encoding="utf-8")


def first_sentence(text: str) -> str:
    """The first sentence of the first paragraph of prose."""
    prose = re.sub(r"^```.*?^```|<!--.*?-->|^#[^\n]*$", "", text, flags=re.DOTALL | re.MULTILINE)
    paragraphs = [each.strip() for each in prose.split("\n\n")]
    paragraph = next((each for each in paragraphs if re.match(r"[A-Za-z`\[*]", each)), "")
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(paragraph.split()))
    return re.split(r"(?<=\.)\s", plain)[0].rstrip(":")
