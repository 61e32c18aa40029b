"""Imports point one way: a room knows only the rooms below it (ARCHITECTURE.md, "The rooms")."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from layout.support import modules

# A room may import itself, `errors`, `logs`, and what stands here. The rest of the package is out of its sight.
MAY_IMPORT = {
    "errors": set(),
    "logs": set(),
    "asl": {"_core"},
    "tasks": {"asl", "_core"},
    "engine": {"tasks", "asl", "_core"},
    "cluster": {"engine", "tasks", "asl", "_core"},
    "test_state": {"asl", "tasks"},  # an ItemReader's data is read as the engine's readers read it
    "testing": {"", "engine", "tasks", "asl", "_core"},
    "server": {"", "engine", "tasks", "asl", "_core"},
    "cli": {"", "server", "testing", "engine", "tasks", "asl", "_core"},
    "__main__": {"cli"},
    "integrations": {"tasks"},
    "": {"engine", "tasks", "asl", "_core", "testing", "test_state"},  # stepwell/__init__.py, the public door
}


def room(module: str) -> str:
    """The room of a module: ``stepwell.engine.records`` is in ``engine``; the public door's is ``""``."""
    return module.removeprefix("stepwell").removeprefix(".").partition(".")[0]


def imports(module: str, path: Path) -> Iterator[tuple[str, int]]:
    """The modules of the package that a module imports, with the line; imports for types only count too."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    names = {name for name, _ in modules()} | {"stepwell._core"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join(base + ([node.module] if node.module else []))
            below = [f"{origin}.{alias.name}" for alias in node.names if f"{origin}.{alias.name}" in names]
            found = below or [origin]
        else:
            continue
        yield from ((name, node.lineno) for name in found if name.split(".")[0] == "stepwell")


@pytest.mark.parametrize(("module", "path"), [pytest.param(*item, id=item[0]) for item in modules()])
def test_a_module_imports_only_what_its_room_may_know(module: str, path: Path) -> None:
    own = room(module)
    assert own in MAY_IMPORT, f"{module}: a new room; say in {Path(__file__).name} what it may import"
    allowed = MAY_IMPORT[own] | {own, "errors", "logs"}
    wrong = [f"{path.name}:{line} imports {name}" for name, line in imports(module, path) if room(name) not in allowed]
    assert not wrong


@pytest.mark.parametrize(("one", "other"), [("processors", "appliers"), ("appliers", "processors")])
def test_processors_and_appliers_know_nothing_of_each_other(one: str, other: str) -> None:
    prefix = f"stepwell.engine.{one}"
    wrong = [
        f"{module}:{line} imports {name}"
        for module, path in modules()
        if module.startswith(prefix)
        for name, line in imports(module, path)
        if name.startswith(f"stepwell.engine.{other}")
    ]
    assert not wrong


def test_the_language_reaches_the_native_module_only_for_expressions() -> None:
    reaching = {
        module
        for module, path in modules()
        if room(module) == "asl" and any(room(name) == "_core" for name, _ in imports(module, path))
    }
    assert reaching <= {"stepwell.asl.jsonata", "stepwell.asl.jsonpath.criteria", "stepwell.asl.sizes"}
