"""Bad input of every kind: one clear error of Stepwell's own, and nothing half-done."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stepwell
from engine.support import machine, passing, task
from stepwell import (
    AsyncExecutor,
    CorruptionError,
    ExecutionNotFound,
    Executor,
    HandlerNotFound,
    InvalidDefinition,
    InvalidInput,
    InvalidName,
    Limits,
    LockedError,
    StepwellError,
    StorageError,
    WorkflowNotFound,
)
from stepwell.engine.log.records import Command

ECHO = machine({"Echo": passing()})
Open = Callable[[Path], None]


@pytest.fixture
def ex() -> Iterator[Executor]:
    with Executor() as executor:
        executor.deploy("echo", ECHO)
        yield executor


def tail(ex: Executor) -> int:
    """How many records the log has."""
    return ex.client.host.partition.store.tail()


def open_sync(folder: Path) -> None:
    with Executor(folder):
        pass


def open_async(folder: Path) -> None:
    async def body() -> None:
        async with AsyncExecutor(folder):
            pass

    asyncio.run(body())


# definitions


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        ({}, "StartAt"),
        ({"StartAt": "A", "States": {}}, "States"),
        ({"StartAt": "B", "States": {"A": {"Type": "Pass", "End": True}}}, "B"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Nowhere"}}}, "Nowhere"),
        ({"StartAt": "A", "States": {"A": {"Type": "Unheard"}}}, "/States/A"),
        ('{"StartAt": "A"', "Invalid State Machine Definition"),
        (b"\xff{}", "Invalid State Machine Definition"),
        ("[]", "Invalid State Machine Definition"),
        ('"text"', "Invalid State Machine Definition"),
        ("", "neither JSON text nor a file"),
        ("no/such/file.json", "'no/such/file.json' is neither JSON text nor a file"),
        ("nul\0byte", "neither JSON text nor a file"),
        ("x" * 5000, "neither JSON text nor a file"),
        (os.curdir, "Is a directory"),
        (None, "not NoneType"),
        (7, "not int"),
        (["StartAt"], "not list"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True, "Result": object()}}}, "not JSON"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True, "Result": float("nan")}}}, "not JSON"),
    ],
)
@pytest.mark.parametrize("call", ["deploy", "run"])
def test_a_definition_that_cannot_run(ex: Executor, call: str, definition: Any, says: str) -> None:
    before = tail(ex)
    with pytest.raises(InvalidDefinition) as caught:
        ex.deploy("bad", definition) if call == "deploy" else ex.run(definition)
    assert says in str(caught.value)
    assert tail(ex) == before
    with pytest.raises(WorkflowNotFound):
        ex.workflow("bad")


def test_every_problem_of_a_definition_is_reported(ex: Executor) -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "X"}, "B": {"Type": "Wait", "End": True}}}
    with pytest.raises(InvalidDefinition) as caught:
        ex.deploy("bad", definition)
    assert len(caught.value.diagnostics) >= 2


def test_definitions_in_files_that_are_no_definitions(ex: Executor, tmp_path: Path) -> None:
    for name, text in {"a.json": "{nope", "b.yaml": "a: [", "c.yaml": "- 1", "d.json": ""}.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(InvalidDefinition):
            ex.deploy("bad", tmp_path / name)


def test_a_kind_of_workflow_that_there_is_not(ex: Executor) -> None:
    with pytest.raises(InvalidInput, match="STANDARD or EXPRESS"):
        ex.deploy("bad", ECHO, type="FAST")


# names

BAD_NAMES = ["", " ", "a b ", " a", "x" * 81, "a/b", "a:b", "a\nb", "a\0", "a*", "a?", "a\u200b", "<a>", None, 7, b"a"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_may_not_be_used(ex: Executor, name: Any) -> None:
    before = tail(ex)
    with pytest.raises(InvalidName, match="name of a workflow"):
        ex.deploy(name, ECHO)
    if name is not None:
        with pytest.raises(InvalidName, match="name of an execution"):
            ex.start("echo", 1, name)
    assert tail(ex) == before


@pytest.mark.parametrize("name", ["a", "x" * 80, "Ünïcödé", "a.b-c_d", "+=@!()'", "名前"])
def test_names_that_may_be_used(ex: Executor, name: str) -> None:
    ex.deploy(name, ECHO)
    execution = ex.start(name, 1, name).wait(60)
    assert (execution.workflow, execution.name, execution.output) == (name, name, 1)
    assert ex.list(name) == [execution]


@pytest.mark.parametrize("name", ["", "a/b", "a\0", "x" * 300, "a\n"])
@pytest.mark.parametrize("what", ["tenant", "namespace"])
def test_tenants_and_namespaces_that_may_not_be_used(tmp_path: Path, what: str, name: str) -> None:
    with pytest.raises(InvalidName, match=what):
        Executor(tmp_path / "data", **{what: name})  # type: ignore[arg-type]
    assert not (tmp_path / "data").exists()


# inputs


@pytest.mark.parametrize(
    "input",
    [
        object(),
        lambda: 0,
        float("nan"),
        float("-inf"),
        {"deep": [{"inside": float("nan")}]},
        {"a": object()},
        {1j: "complex key"},
        {("a",): "tuple key"},
        "\ud800",
        {"\ud800": 1},
        pytest,
    ],
)
def test_an_input_that_is_not_json(ex: Executor, input: Any) -> None:
    before = tail(ex)
    with pytest.raises(InvalidInput, match="the input is not JSON"):
        ex.start("echo", input)
    assert tail(ex) == before


def test_an_input_that_holds_itself(ex: Executor) -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InvalidInput, match="the input is not JSON"):
        ex.start("echo", endless)


scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.floats(allow_nan=False)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


@given(value=values)
@settings(max_examples=60, deadline=None)
def test_whatever_is_json_passes_through(value: Any) -> None:
    if value is None:
        value = {}  # no input
    with_infinity = "inf" in repr(value).lower() and _has_infinity(value)
    if with_infinity:
        with pytest.raises(InvalidInput):
            _shared().start("echo", value)
    else:
        assert _shared().start("echo", value).wait(60).output == value


def _has_infinity(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_infinity, value.values()))
    if isinstance(value, list):
        return any(map(_has_infinity, value))
    return value in (float("inf"), float("-inf"))


_executors: list[Executor] = []


def _shared() -> Executor:
    if not _executors:
        _executors.append(Executor())
        _executors[0].deploy("echo", ECHO)
    return _executors[0]


@pytest.fixture(scope="module", autouse=True)
def _close_shared() -> Iterator[None]:
    yield
    for executor in _executors:
        executor.close()
    _executors.clear()


# workflows and handlers


@pytest.mark.parametrize("name", ["unknown", "", "echo:", "ech", None, 7])
def test_an_unknown_workflow(ex: Executor, name: Any) -> None:
    for call in (ex.start, ex.workflow):
        with pytest.raises(WorkflowNotFound, match=repr(name)):
            call(name)
    with pytest.raises(WorkflowNotFound):
        ex.client.queries.workflow_of(f"{name}:99")


ALMOST = [
    lambda id: id + "/",
    lambda id: id + "//",
    lambda id: "/" + id,
    lambda id: id[:-1],
    lambda id: id.upper(),
    lambda id: id + "/00000001",
    lambda id: id.replace("/e", "//e"),
    lambda id: id + "\0",
    lambda id: "",
]


@pytest.mark.parametrize("almost", ALMOST)
def test_an_id_is_taken_byte_for_byte(ex: Executor, almost: Callable[[str], str]) -> None:
    id = ex.start("echo", {}).wait().id
    before = tail(ex)
    for ask in (ex.get, ex.context, ex.history, ex.stop, ex.redrive, ex.delete):
        with pytest.raises(ExecutionNotFound):
            ask(almost(id))
    assert tail(ex) == before
    assert ex.get(id).status == "Succeeded"


def test_a_missing_handler_names_state_and_resource(tmp_path: Path) -> None:
    with Executor(tmp_path / "strict", strict_handlers=True) as ex:
        ex.deploy("work", machine({"Charge": task(resource="charge-card")}))
        before = tail(ex)
        with pytest.raises(HandlerNotFound) as caught:
            ex.start("work")
        assert tail(ex) == before
    assert "'Charge'" in str(caught.value)
    assert "'charge-card'" in str(caught.value)
    assert "register()" in str(caught.value)


# folders


@pytest.mark.parametrize("open", [open_sync, open_async])
def test_a_folder_in_use_by_another_process(tmp_path: Path, open: Open) -> None:
    script = "import sys, stepwell; ex = stepwell.Executor(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", script, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(LockedError) as caught:
            open(tmp_path)
        assert str(tmp_path) in str(caught.value)
        assert str(holder.pid) in str(caught.value)
    finally:
        holder.communicate("", timeout=20)
    open(tmp_path)


def test_a_folder_in_use_by_this_process(tmp_path: Path) -> None:
    with Executor(tmp_path), pytest.raises(LockedError, match=str(tmp_path)):
        Executor(tmp_path)
    open_sync(tmp_path)


@pytest.mark.parametrize("open", [open_sync, open_async])
def test_a_damaged_log_is_named_with_its_place(tmp_path: Path, open: Open) -> None:
    with Executor(tmp_path) as ex:
        ex.deploy("echo", ECHO)
        for number in range(50):
            ex.start("echo", number)
    segment = next((tmp_path / "log").glob("*.log"))
    damaged = bytearray(segment.read_bytes())
    damaged[len(damaged) // 3] ^= 0xFF
    segment.write_bytes(damaged)
    with pytest.raises(CorruptionError) as caught:
        open(tmp_path)
    assert segment.name in str(caught.value)
    assert segment.read_bytes() == damaged  # nothing was changed


@pytest.mark.parametrize("open", [open_sync, open_async])
def test_a_folder_that_cannot_be_one(tmp_path: Path, open: Open) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    for path in (file, file / "within", Path("/proc/stepwell"), Path("/dev/null")):
        with pytest.raises(StorageError) as caught:
            open(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert file.read_text() == "not a folder"


WITHOUT_RIGHTS = """
import os, sys
from stepwell import Executor, StorageError  # loaded while its files can be read
if os.geteuid() == 0:
    os.seteuid(65534)  # root may read everything
try:
    Executor(sys.argv[1])
except StorageError as error:
    print(error)
"""


@pytest.mark.parametrize("mode", [0o000, 0o500])
def test_a_folder_without_the_rights(mode: int) -> None:
    with tempfile.TemporaryDirectory() as parent:  # pytest's own are closed to others
        os.chmod(parent, 0o755)
        folder = Path(parent, "data")
        open_sync(folder)
        folder.chmod(mode)
        said = subprocess.run(
            [sys.executable, "-c", WITHOUT_RIGHTS, folder], capture_output=True, text=True, check=True
        )
        folder.chmod(0o700)
        assert str(folder) in said.stdout
        assert "Permission denied" in said.stdout
        open_sync(folder)


@pytest.mark.parametrize("data", ["nul\0byte", ""])
def test_a_path_that_is_none(data: str) -> None:
    with pytest.raises(StorageError, match="is a folder's path"):
        Executor(data)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "orders"
    file.write_text("mine")
    with pytest.raises(StorageError, match=f"^{re.escape(str(file))} is a file: the data of an executor is a folder$"):
        Executor(file)
    assert file.read_text() == "mine"


MAY_BE_ZERO = ("map_result_bytes", "handler_seconds", "traceback_characters")
COUNTS = sorted(set(Limits._fields) - {"profile", "retention", *MAY_BE_ZERO})


@pytest.mark.parametrize(
    "limits",
    [
        *[{name: limit} for name in COUNTS for limit in (0, -1)],
        *[{name: limit} for name in ("inbox", "log_bytes", "turn_bytes") for limit in (1.5, "1", True, 1 << 64)],
        *[{"retention": seconds} for seconds in (-1, float("nan"), float("inf"), 1e300, "1", True)],
        *[{name: limit} for name in MAY_BE_ZERO for limit in (-1, 0.5, "1", True)],
        {"inbox": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("executor", [Executor, AsyncExecutor])
def test_limits_that_are_none(tmp_path: Path, limits: dict[str, Any], executor: Any) -> None:
    with pytest.raises(InvalidInput, match=next(iter(limits))):
        executor(tmp_path / "data", limits=Limits(**limits))
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("limits", [{name: 1} for name in COUNTS if not name.startswith(("document", "exec"))], ids=str)
def test_the_least_limits_let_an_execution_end(tmp_path: Path, limits: dict[str, Any]) -> None:
    with Executor(tmp_path / "data", limits=Limits(**limits)) as executor:
        executor.deploy("w", {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
        assert executor.start("w", 1).wait(60).status == "Succeeded"


def test_handlers_are_looked_at_before_the_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        Executor(tmp_path / "data", handlers={"work": None})  # type: ignore[dict-item]
    assert not (tmp_path / "data").exists()


# all of it


def test_every_error_is_one_of_stepwell_s() -> None:
    errors = [value for value in vars(stepwell.errors).values() if isinstance(value, type)]
    assert all(issubclass(error, StepwellError) for error in errors)
    assert {error.__name__ for error in errors} <= set(stepwell.__all__)


def test_the_package_has_everything_that_it_names() -> None:
    for name in stepwell.__all__:
        assert getattr(stepwell, name) is not None
        assert name in dir(stepwell)
    with pytest.raises(AttributeError, match="nonsense"):
        stepwell.nonsense  # noqa: B018
    commands = {command.__name__ for command in Command.__subclasses__()}
    assert commands <= set(dir(stepwell.records))


def test_the_seed_s_names_are_there() -> None:
    seed = """
        ActivateTaskCommand ActivityBranchStatus ActivityContext ActivityIterationStatus BranchCompletedEvent
        BranchContext BranchStartedEvent CompleteBranchCommand CompleteExecutionCommand CompleteIterationCommand
        CompleteStateCommand CompleteTaskCommand CreateTaskCommand ExecutionCompletedEvent ExecutionContext
        ExecutionStartedEvent Executor IterationCompletedEvent IterationContext IterationStartedEvent LogStream
        StartBranchCommand StartExecutionCommand StartIterationCommand StartStateCommand StateCompletedEvent
        StateStartedEvent Storage TaskActivatedEvent TaskCompletedEvent TaskContext TaskCreatedEvent Timestamp
    """
    missing = [name for name in seed.split() if not hasattr(stepwell, name) and not hasattr(stepwell.records, name)]
    assert missing == []
    assert callable(stepwell.parse_timestamp)
    assert callable(stepwell.Executor.wait_execution_done)


def test_the_package_is_imported_quickly_and_without_what_few_need() -> None:
    script = "import sys, stepwell; print(*{'asyncio', 'ssl', 'http', 'yaml', 'email', 'csv'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []
