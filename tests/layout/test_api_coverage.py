"""The page of the API's coverage says what the tests do, and no operation is without a test."""

from __future__ import annotations

import runpy
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def test_the_page_is_what_the_script_makes_of_the_tests() -> None:
    made = runpy.run_path(str(PROJECT / "scripts/make-api-coverage"))["page"]()
    kept = (PROJECT / "docs/api-coverage.md").read_text(encoding="utf-8")
    assert made == kept, "run `make fmt` (scripts/make-api-coverage): the tests have changed"
    assert "**none**" not in made
