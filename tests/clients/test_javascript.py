"""AWS's SDK for JavaScript."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.support import Served

from .support import SEEN, installed, node, seen_by


@pytest.mark.timeout(900)  # it may be installed first
def test_an_approval_through_the_sdk_for_javascript(served: Served) -> None:
    run, npm = node()

    def install(folder: Path) -> list[list[str]]:
        return [
            [*npm, "install", "--silent", "--no-package-lock", "--no-audit", "--no-fund"],
            ["touch", str(folder / ".installed")],
        ]

    with installed("javascript", ".installed", install) as folder:
        assert seen_by([*run, "client.mjs", "javascript"], folder, served.url) == SEEN
