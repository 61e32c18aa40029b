"""Every block of code in the documents is run, or says why not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from documents.blocks import ROOT, Block, blocks, pages
from documents.runner import Page, matches

RUN = {"python", "sh", "json", "yaml", "toml", "ini"}
SHOWN = {"text", "mermaid", "javascript", "java", "go", "diff", "dockerfile"}
"""What is not run: texts, diagrams, and programs for which tests/clients has whole ones."""

OTHER_TESTS = {
    "README.md": {"python"},  # tests/layout/test_readme.py
    "docs/frameworks.md": {"python"},  # tests/examples/test_frameworks.py
    "docs/operations.md": {"python", "yaml", "ini"},  # tests/examples/test_frameworks.py
    "docs/testing.md": {"python", "text"},  # tests/testing/test_documents.py
    "docs/testing-crashes.md": {"python", "text"},  # the same
    "docs/testing-tools.md": {"python", "sh", "json", "text"},  # tests/testing/test_tools_page.py
    "docs/mocks.md": {"python", "json"},  # tests/server/test_mocks_document.py
}
"""Pages whose blocks of these languages have tests of their own, with kills and other servers."""


def to_run(page: str) -> list[Block]:
    """The blocks of a page that are run here."""
    others = OTHER_TESTS.get(page, set())
    return [block for block in blocks(page) if block.reason is None and block.language not in others]


PAGES = [page for page in pages() if any(block.language in RUN for block in to_run(page))]


@pytest.mark.parametrize("page", pages())
def test_a_block_within_a_list_has_four_spaces_before_it(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert re.findall(r"^ {1,3}```.*", text, re.MULTILINE) == [], "with fewer the site ends the list"


@pytest.mark.parametrize("page", pages())
def test_every_block_has_a_language_and_a_reason_if_it_is_not_run(page: str) -> None:
    for block in blocks(page):
        assert block.language in RUN | SHOWN, f"{page}:{block.line}: the language {block.language!r}"
        assert block.reason is None or len(block.reason) > 10, f"{page}:{block.line}: the reason {block.reason!r}"


@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_page_do_what_it_says(page: str, tmp_path: Path) -> None:
    running = Page(tmp_path, to_run(page))
    try:
        for block in to_run(page):
            try:
                running.run(block)
            except Exception as error:
                raise AssertionError(f"{page}:{block.line}: {error}") from error
    finally:
        running.close()


@pytest.mark.parametrize(
    ("expected", "printed", "same"), [("a … c\n", "a b\n c", True), ("a.c", "abc", False), ("a", "a b", False)]
)
def test_a_printed_text_is_compared(expected: str, printed: str, same: bool) -> None:
    assert matches(expected, printed) is same
