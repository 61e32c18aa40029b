"""The decisions in docs/adr are numbered without repetition and listed in their index."""

from __future__ import annotations

import re
from pathlib import Path

DECISIONS = Path(__file__).parents[2] / "docs" / "adr"


def test_every_decision_is_in_the_index_under_its_number_title_and_status() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(\d{4})\]\((\S+)\) \| (.*) \| (.*) \|$", index, re.MULTILINE)
    written = []
    for file in sorted(DECISIONS.glob("[0-9]*.md")):
        text = file.read_text(encoding="utf-8")
        number, title = re.findall(r"\A# (\d{4})\. (.*)", text)[0]
        status = re.findall(r"^Status: (.*?)\.(?: Date: \d{4}-\d\d-\d\d\.)?$", text, re.MULTILINE)[0]
        assert file.name.startswith(f"{number}-")
        written.append((number, file.name, title, status))
    assert listed == written
    assert len({number for number, *_ in written}) == len(written)
