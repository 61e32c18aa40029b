"""`make audit` says what was checked, what was not, and what is wrong; here with other tools in place of its two."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

AUDIT = Path(__file__).parents[2] / "scripts" / "audit"
DENY_FAILS = 'case "$*" in *advisories) echo "error: failed to fetch advisory database" >&2; exit 1;; esac'
SKIPPED = {"name": "odd", "skip_reason": "Dependency not found on PyPI"}
CHECKED = {"name": "fine", "version": "1", "vulns": []}
WEAK = {"name": "weak", "version": "2", "vulns": [{"id": "CVE-1"}]}


def audited(tmp_path: Path, *options: str, cargo: str | None = None, packages: list[Any] | None = None) -> Any:
    for name, script in (
        ("cargo", cargo),
        ("pip-audit", packages and f"echo '{json.dumps({'dependencies': packages})}'"),
    ):
        if script is not None:
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)
    command = [sys.executable, str(AUDIT), *options, str(tmp_path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)})


def test_what_is_not_installed_is_not_checked(tmp_path: Path) -> None:
    done = audited(tmp_path)
    assert done.returncode == 0
    assert [line.split(":")[:2] for line in done.stdout.splitlines()] == [
        ["Rust", " not checked"],
        ["Python advisories", " not checked"],
    ]
    assert audited(tmp_path, "--all").returncode == 1


def test_what_the_network_does_not_give_is_not_checked(tmp_path: Path) -> None:
    done = audited(tmp_path, cargo=DENY_FAILS, packages=[SKIPPED, {**SKIPPED, "name": "stepwell"}])
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[:3] == ["Rust licenses: ok", "Rust bans: ok", "Rust sources: ok"]
    assert [line.split(":")[1] for line in lines[3:]] == [" not checked", " not checked"]
    assert "1 packages that the index does not know: odd" in lines[4]


@pytest.mark.parametrize(
    ("cargo", "packages", "wrong"),
    [
        ('case "$*" in *bans) echo "two versions" >&2; exit 1;; esac', [CHECKED], "Rust bans: WRONG: two versions"),
        ("true", [CHECKED, WEAK], "Python weak 2: WRONG: CVE-1"),
    ],
)
def test_what_is_wrong_fails(tmp_path: Path, cargo: str, packages: list[Any], wrong: str) -> None:
    done = audited(tmp_path, cargo=cargo, packages=packages)
    assert done.returncode == 1
    assert wrong in done.stdout.splitlines()


def test_all_is_well_where_all_was_checked(tmp_path: Path) -> None:
    done = audited(tmp_path, "--all", cargo="true", packages=[CHECKED])
    assert (done.returncode, "Python advisories: ok: 1 packages" in done.stdout) == (0, True)
