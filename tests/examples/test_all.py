"""Every example uses the public API alone, is short, and is clean for both type checkers."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import stepwell
from examples.recipes import recipes, write
from examples.support import EXAMPLES

MAX_LINES = 200
USED = ("boto3", "fastapi")
"""What examples use: their types must be known."""
PROGRAMS = sorted(EXAMPLES.rglob("*.py"))
FOLDERS = sorted(path for path in EXAMPLES.iterdir() if path.is_dir() and path.name != "__pycache__")


def names_of(path: Path) -> Iterator[str]:
    """What a program uses of Stepwell that is not public, and what it uses of others that is private."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "stepwell":
            assert node.module is not None
            if node.module != "stepwell":
                yield node.module
            yield from (alias.name for alias in node.names if alias.name not in stepwell.__all__)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("stepwell"))
        elif isinstance(node, ast.Attribute) and re.match(r"_[^_]", node.attr) and ast.unparse(node.value) != "self":
            yield node.attr


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_an_example_uses_the_public_api_and_is_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert list(names_of(path)) == []
    assert len([line for line in text.splitlines() if line.strip()]) < MAX_LINES
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_an_example_has_a_readme_which_the_list_of_examples_names(folder: Path) -> None:
    assert (folder / "README.md").exists()
    assert f"]({folder.name}/README.md)" in (EXAMPLES / "README.md").read_text(encoding="utf-8")


def test_mypy_finds_nothing_also_in_the_programs_of_the_documents(tmp_path: Path) -> None:
    program = checker("mypy")
    for package in USED:
        pytest.importorskip(package)
    untyped = [name for name in recipes() if "/" in name]  # Django's
    write(tmp_path, *(name for name in recipes() if name not in untyped))
    # a module's name is that of its file: no two examples have files of one name
    words = [
        "--strict",
        "--no-incremental",
        "--python-executable",
        sys.executable,
        *map(str, [*PROGRAMS, *tmp_path.glob("*.py")]),
    ]
    environment = os.environ | {"MYPYPATH": ":".join(map(str, FOLDERS))}
    finished = subprocess.run(
        [program, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_pyright_finds_nothing(tmp_path: Path) -> None:
    program = checker("pyright")
    for package in USED:
        pytest.importorskip(package)
    include, *paths = (os.path.relpath(path, tmp_path) for path in (EXAMPLES, *FOLDERS))
    settings = {"include": [include], "extraPaths": paths, "typeCheckingMode": "strict"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    words = ["--outputjson", "--pythonpath", sys.executable, "--project", str(tmp_path)]
    finished = subprocess.run([program, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    report = json.loads(finished.stdout)
    assert report["generalDiagnostics"] == []
    assert report["summary"]["filesAnalyzed"] >= len(PROGRAMS)


def checker(name: str) -> Path:
    """A type checker's program."""
    program = Path(sys.executable).with_name(name)
    if not program.exists():
        pytest.skip(f"{name} is not installed")
    return program
