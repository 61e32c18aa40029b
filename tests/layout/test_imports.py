"""Imports point one way, no file is in a circle of them, and nobody writes into what belongs to another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from layout.support import circles, imports, modules

WORDS = {"engine", "_core"}  # the files in engine/ itself: ids, limits, status and their like
STATE = {"engine.state", "engine.storage", "engine.log", *WORDS, "asl", "tasks", "graph", "stubs"}
PARTITION = {"engine.partition", "engine.replay", "engine.processors", "engine.appliers", *STATE}
HOST = {"engine.host", "engine.folders", *PARTITION}
ENGINE = {"engine.api", "engine.client", "engine.cluster", "engine.control", "engine.replication", *HOST}

# A folder may import itself, `errors`, `logs`, `version`, and the folders that stand here. The longest name counts:
# `engine` is what lies in no folder of its own. docs/adr/0014 draws it.
MAY_IMPORT = {
    "errors": set[str](),
    "version": set[str](),
    "logs": set[str](),
    "asl": {"_core"},
    "graph": {"asl"},  # drawings of definitions
    "stubs": {"asl"},
    "tasks": {"asl", "_core"},
    "engine": {"_core"},
    "engine.log": {"asl", *WORDS},
    "engine.storage": {"engine.log", *WORDS},
    "engine.state": STATE - {"engine.state"},
    "engine.appliers": STATE,
    "engine.processors": STATE,
    "engine.replay": {"engine.processors", "engine.appliers", *STATE},
    "engine.partition": PARTITION - {"engine.partition"},
    "engine.folders": WORDS,
    "engine.host": HOST - {"engine.host"},
    "engine.replication": {"engine.folders", "engine.replay", *STATE},
    "engine.client": {"engine.host", *PARTITION},
    "engine.cluster": HOST,
    "engine.control": {"engine.client", *HOST},
    "engine.api": ENGINE - {"engine.api"},
    "test_state": {"asl", "tasks"},  # an ItemReader's data is read as the engine's readers read it
    "testing": {"test_state", *ENGINE},
    "step_functions": {"test_state", "testing", *ENGINE},
    "prometheus": ENGINE,
    "otel": ENGINE,
    "console": set[str](),
    "server": {"", "console", "prometheus", "otel", "step_functions", *ENGINE},
    "pytest_plugin": {"testing", "server", "step_functions"},
    "remote": ENGINE,
    "cli": {"", "integrations", "remote", "server", "step_functions", "testing", *ENGINE},
    "__main__": {"cli"},
    "integrations": {"tasks"},
    "": {*ENGINE, "remote", "testing", "test_state"},  # stepwell/__init__.py: the public names
}

# Who may set attributes of other objects than its own, and of which: by the names that they have there. State is
# written by appliers, and by what loads it and replays it; a command's history numbers are set when it is accepted.
ANYTHING = None
MAY_SET: dict[str, set[str] | None] = {
    "engine.appliers": ANYTHING,
    "engine.state": ANYTHING,
    "engine.replay": ANYTHING,
    "engine.processors": {"command", "next_command", "turn"},
    "engine.partition": {"turn", "turn.execution", "command"},
    # what an execution did, as a tree that the reader of its history makes
    "engine.client": {
        "run",
        "run.attempts[-1]",
        "run.level",
        "level",
        "self.level",
        "attempt",
        "last",
        "current",
        "at_fault",
    },
}


def folder_of(module: str) -> str:
    """The folder of a module, as the table has it: ``stepwell.engine.log.records`` is in ``engine.log``."""
    inside = module.removeprefix("stepwell").removeprefix(".")
    parts = inside.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in names if name in MAY_IMPORT), parts[0])


@pytest.mark.parametrize(("module", "path"), [pytest.param(*item, id=item[0]) for item in modules()])
def test_a_module_imports_only_what_its_folder_may_know(module: str, path: Path) -> None:
    own = folder_of(module)
    assert own in MAY_IMPORT, f"{module}: a new folder; say in {Path(__file__).name} what it may import"
    allowed = MAY_IMPORT[own] | {own, "errors", "logs", "version"}
    wrong = [
        f"{path.name}:{line} imports {name}" for name, line in imports(module, path) if folder_of(name) not in allowed
    ]
    assert not wrong


def test_no_module_is_in_a_circle_of_imports() -> None:
    graph = {module: {name for name, _ in imports(module, path)} - {module} for module, path in modules()}
    assert circles(graph) == []


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"d"}, "e": {"a", "f"}, "f": set[str]()}
    assert sorted(circles(graph)) == [["a", "b", "c"], ["d"]]


def test_no_folder_may_import_one_that_may_import_it() -> None:
    assert circles({folder: allowed - {folder} for folder, allowed in MAY_IMPORT.items()}) == []


def attributes_set(path: Path) -> Iterator[tuple[str, str, int]]:
    """Attributes that a module sets of other objects than ``self``: the object, the attribute, the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        for target in [each for one in targets for each in (one.elts if isinstance(one, ast.Tuple) else [one])]:
            if isinstance(target, ast.Attribute) and ast.unparse(target.value) not in ("self", "cls"):
                yield ast.unparse(target.value), target.attr, target.lineno


@pytest.mark.parametrize(
    ("module", "path"),
    [pytest.param(*item, id=item[0]) for item in modules() if folder_of(item[0]).startswith("engine")],
)
def test_a_module_of_the_engine_sets_no_attributes_of_another(module: str, path: Path) -> None:
    allowed = MAY_SET.get(folder_of(module), set())
    wrong = [
        f"{path.name}:{line} sets {attribute} of {owner}"
        for owner, attribute, line in attributes_set(path)
        if attribute != "__cause__" and (attribute.startswith("_") or (allowed is not None and owner not in allowed))
    ]
    assert not wrong


def test_the_language_reaches_the_native_module_only_for_expressions() -> None:
    reaching = {
        module
        for module, path in modules()
        if folder_of(module) == "asl" and any(folder_of(name) == "_core" for name, _ in imports(module, path))
    }
    assert reaching <= {"stepwell.asl.jsonata", "stepwell.asl.jsonpath.criteria", "stepwell.asl.sizes"}
