"""The public names: the package has every one, and a program loads what it names and no more."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import stepwell
from layout.support import modules

OF_FEW_PROGRAMS = {
    *("asyncio", "bz2", "concurrent.futures", "dataclasses", "hashlib", "http", "importlib.metadata", "lzma"),
    *("multiprocessing", "pathlib", "secrets", "shutil", "socket", "ssl", "subprocess", "tempfile", "urllib"),
    *("boto3", "obstore", "pyarrow", "urllib3", "yaml"),
    *("stepwell.asl.definition", "stepwell.asl.validate", "stepwell.cli", "stepwell.engine.api.async_executor"),
    *(
        "stepwell.engine.host.backup",
        "stepwell.engine.api.follower",
        "stepwell.engine.control.messages",
        "stepwell.engine.control.server",
        "stepwell.engine.host.processes.host",
        "stepwell.testing",
    ),
}
OURS_AND_PYTHONS = {"", "stepwell", *sys.stdlib_module_names}
EXTRAS = {"stepwell.tasks.integrations.aws": "boto3", "stepwell.tasks.integrations.http": "urllib3"}
OF_AN_EXECUTOR = {"logging", "msgspec", "stepwell._core", "stepwell.asl", "stepwell.engine", "stepwell.tasks"}


def loaded_by(program: str, *, after: str = "pass") -> set[str]:
    """The modules that a program adds to what an interpreter has, once it has done ``after``."""
    text = f"import json, sys\n{after}\nbefore = set(sys.modules)\n{program}\n"
    text += "print(json.dumps(sorted(set(sys.modules) - before)))"
    finished = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(finished.stdout))


def test_an_import_of_stepwell_loads_neither_an_engine_nor_what_one_needs() -> None:
    loaded = loaded_by("import stepwell")
    assert "stepwell.errors" in loaded
    assert not loaded & (OF_FEW_PROGRAMS | OF_AN_EXECUTOR)


def test_an_executor_opens_without_what_few_programs_use(tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    program = f"from stepwell import Executor\nExecutor({folder!r}).close()"
    loaded = loaded_by(program, after="import msgspec")  # which loads what it likes
    assert loaded >= OF_AN_EXECUTOR - {"msgspec"}
    assert not loaded & OF_FEW_PROGRAMS


def test_every_public_name_is_there_and_listed() -> None:
    program = "from stepwell import *\nimport stepwell\nprint(*set(stepwell.__all__) - set(globals()))"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "\n", "")
    assert dir(stepwell) == sorted(stepwell.__all__)
    with pytest.raises(AttributeError, match="module 'stepwell' has no attribute 'Exekutor'"):
        stepwell.Exekutor  # noqa: B018


def test_what_is_loaded_late_is_what_type_checkers_see() -> None:
    package = ast.parse(Path(stepwell.__file__).read_text(encoding="utf-8"))
    (for_types,) = (node for node in package.body if isinstance(node, ast.If))
    known = {name for name, _ in modules()}
    seen: dict[str, str] = {}
    for node in for_types.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            below = f"{node.module}.{alias.name}"
            seen[alias.name] = below if below in known else str(node.module)
    assert seen == stepwell._ON_FIRST_USE


def late_imports(path: Path) -> Iterator[tuple[str, str | None]]:
    """What functions import, as (module, name in it), extras apart; a module's dots stay where it has some."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                found = [(alias.name, None) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                found = [("." * node.level + (node.module or ""), alias.name) for alias in node.names]
            else:
                continue
            yield from (each for each in found if each[0].partition(".")[0] in OURS_AND_PYTHONS)


@pytest.mark.parametrize(
    ("module", "path"),
    [pytest.param(*item, id=item[0]) for item in modules() if any(late_imports(item[1]))],
)
def test_an_import_within_a_function_finds_what_it_names(module: str, path: Path) -> None:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for origin, name in late_imports(path):
        found = import_module(origin, package)
        if name is not None and not hasattr(found, name):
            import_module(f"{found.__name__}.{name}")


@pytest.mark.parametrize("module", [name for name, _ in modules() if not name.endswith("__main__")])
def test_a_module_can_be_imported(module: str) -> None:
    if module in EXTRAS:
        pytest.importorskip(EXTRAS[module], reason="its extra is not installed")
    import_module(module)
