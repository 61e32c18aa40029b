"""Whatever MaxItems and the arguments of readers and writers come to, a distributed Map ends in a defined result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.map_run_support import VALUES, distributed
from engine.support import machine, passing
from stepwell import Executor, ItemFiles

pytestmark = pytest.mark.covers("A12.60", "A12.62")
GET = "arn:aws:states:::s3:getObject"
LIST = "arn:aws:states:::s3:listObjectsV2"
PUT = "arn:aws:states:::s3:putObject"
PLACES: dict[str, tuple[str, dict[str, Any]]] = {
    "get Bucket": (GET, {"Key": "in/k"}),
    "get Key": (GET, {"Bucket": "b"}),
    "list Bucket": (LIST, {}),
    "list Prefix": (LIST, {"Bucket": "b"}),
    "put Bucket": (PUT, {"Prefix": "out"}),
    "put Prefix": (PUT, {"Bucket": "b"}),
}
ERRORS = ("States.Runtime", "States.QueryEvaluationError", "States.ItemReaderFailed", "States.ResultWriterFailed")
NAMES = st.one_of(VALUES, st.sampled_from(["b", "in/k", "in/", "..", "/", ".", "b/../..", "\0", "file:///", "x" * 300]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Buckets: ``b`` with the object ``in/k``."""
    folder = tmp_path_factory.mktemp("s3") / "buckets"
    (folder / "b" / "in").mkdir(parents=True)
    (folder / "b" / "in" / "k").write_text("[1, 2, 3]")
    return folder


@pytest.fixture(scope="module")
def executor(folder: Path) -> Iterator[Executor]:
    """An executor whose S3 is the folder."""
    with Executor(item_files=ItemFiles(s3=folder)) as ex:
        yield ex


def with_argument(place: str, language: str) -> dict[str, Any]:
    """A machine whose reader or writer takes one argument from the input's ``v``."""
    resource, rest = PLACES[place]
    name = place.rpartition(" ")[2]
    if language == "JSONata":
        call = {"Resource": resource, "Arguments": {**rest, name: "{% $states.input.v %}"}}
    else:
        call = {"Resource": resource, "Parameters": {**rest, f"{name}.$": "$.v"}}
    if resource == GET:
        call["ReaderConfig"] = {"InputType": "JSON"}
    items = {"Items": "{% $states.input.items %}"} if language == "JSONata" else {"ItemsPath": "$.items"}
    fields = {"ResultWriter": call, **items} if resource == PUT else {"ItemReader": call}
    return machine({"M": distributed(machine({"P": passing()}), **fields)}, QueryLanguage=language)


def checked(executor: Executor, definition: dict[str, Any], input: Any) -> Any:
    """What an execution gives; None where it failed, in one of the ways that are defined."""
    ended = executor.run(definition, input)
    if ended.status == "Succeeded":
        return json.loads(ended.output)
    assert ended.status == "Failed"
    assert ended.error in ERRORS
    assert "internal error" not in (ended.cause or "")
    return None


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.sampled_from(sorted(PLACES)),
    language=st.sampled_from(["JSONPath", "JSONata"]),
    document=st.fixed_dictionaries({"items": st.just([1])}, optional={"v": NAMES}),
)
def test_any_argument_of_a_reader_or_a_writer_ends_in_a_defined_result(
    executor: Executor, folder: Path, place: str, language: str, document: dict[str, Any]
) -> None:
    found = checked(executor, with_argument(place, language), document)
    right = {"get Bucket": "b", "get Key": "in/k", "list Bucket": "b", "put Bucket": "b"}.get(place)
    if right is not None:
        assert (found is not None) == (document.get("v") == right)
    assert [path.name for path in folder.parent.iterdir()] == ["buckets"]  # nothing left its bucket
    assert [path.name for path in folder.iterdir()] == ["b"]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=st.sampled_from(["path", "variable", "jsonata", "jsonata variable"]), value=VALUES)
def test_any_max_items_ends_in_a_defined_result(executor: Executor, form: str, value: Any) -> None:
    variable = form.endswith("variable")
    if form.startswith("jsonata"):
        most: dict[str, Any] = {"MaxItems": "{% $v %}" if variable else "{% $states.input.v %}"}
        assign, name, language = {"v": "{% $states.input.v %}"}, "Arguments", "JSONata"
    else:
        most = {"MaxItemsPath": "$v" if variable else "$.v"}
        assign, name, language = {"v.$": "$.v"}, "Parameters", "JSONPath"
    reader = {"Resource": GET, "ReaderConfig": {"InputType": "JSON", **most}, name: {"Bucket": "b", "Key": "in/k"}}
    states = {"A": passing("M", Assign=assign), "M": distributed(machine({"P": passing()}), ItemReader=reader)}
    found = checked(executor, machine(states, QueryLanguage=language), {"v": value})
    if found is not None:
        assert found == [1, 2, 3][: int(value) or None]


@pytest.mark.parametrize("value", [5, None, [], "text"])
def test_arguments_that_are_no_object_fail_the_state(executor: Executor, value: Any) -> None:
    reader = {"Resource": GET, "ReaderConfig": {"InputType": "JSON"}, "Arguments": "{% $states.input.v %}"}
    state = distributed(machine({"P": passing()}), ItemReader=reader)
    assert checked(executor, machine({"M": state}, QueryLanguage="JSONata"), {"v": value}) is None
