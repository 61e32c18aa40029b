"""What a distributed Map iterates over: elements, or members of an object, which have keys; where each item is from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.map_run_support import children, distributed
from engine.support import Lab, boom, machine, map_over, passing, task
from stepwell import Executor, ItemFiles
from stepwell.engine.limits import Limits
from stepwell.testing.replay import rebuilt

pytestmark = pytest.mark.covers("A12.56", "A12.57", "A12.59")
GET = "arn:aws:states:::s3:getObject"
LIST = "arn:aws:states:::s3:listObjectsV2"
SHOWN = {f"{name}.$": f"$$.Map.Item.{name}" for name in ("Index", "Key", "Value", "Source")}
FORMS: dict[str, dict[str, Any]] = {
    "whole input": {},
    "path": {"ItemsPath": "$.in"},
    "variable": {"ItemsPath": "$v"},
    "context": {"ItemsPath": "$$.Execution.Input.in"},
    "jsonata": {"Items": "{% $states.input.in %}"},
    "jsonata variable": {"Items": "{% $v %}"},
    "jsonata whole input": {},
}
INT64 = st.integers(-(2**63), 2**63 - 1)  # an integer beyond these is a double (docs/asl-parity.md)
MEMBERS = st.dictionaries(st.text(max_size=3), st.none() | INT64 | st.text(max_size=3), max_size=5)


def over_form(form: str, mode: str = "DISTRIBUTED", **fields: Any) -> dict[str, Any]:
    """A machine whose Map, M, iterates over what an input holds under ``in``, found in one of the FORMS."""
    jsonata = form.startswith("jsonata")
    found = "{% $states.input.in %}" if jsonata else "$.in"
    assign = {"v": found} if jsonata else {"v.$": found}
    before = passing("M", Assign=assign)
    if form.endswith("whole input"):
        before |= {"Output": found} if jsonata else {"OutputPath": found}
    config: dict[str, Any] = {"Mode": mode}
    if mode == "DISTRIBUTED":
        config["ExecutionType"] = "STANDARD"
    processor = {"ProcessorConfig": config, **machine({"P": passing()})}
    states = {"A": before, "M": map_over(processor, **FORMS[form], **fields)}
    return machine(states, QueryLanguage="JSONata" if jsonata else "JSONPath")


@pytest.mark.parametrize("form", FORMS)
def test_the_members_of_an_object_are_items(form: str) -> None:
    done = Lab().finish(over_form(form), {"in": {"a": 1, "b": {"c": 2}}})
    pairs = [{"Key": "a", "Value": 1}, {"Key": "b", "Value": {"c": 2}}]
    assert done.outcome == ("Succeeded", pairs)
    assert [json.loads(child.input) for child in children(done)] == pairs
    assert Lab().finish(over_form(form), {"in": {}}).outcome == ("Succeeded", [])
    assert Lab().finish(over_form(form), {"in": [1, {"a": 2}]}).outcome == ("Succeeded", [1, {"a": 2}])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", [5, "text", None, True])
def test_nothing_else_is(form: str, value: Any) -> None:
    status, error = Lab().finish(over_form(form), {"in": value}).outcome
    assert (status, error) == ("Failed", "States.QueryEvaluationError" if "jsonata" in form else "States.Runtime")


@pytest.mark.parametrize("form", FORMS)
def test_an_inline_map_refuses_an_object(form: str) -> None:
    assert Lab().finish(over_form(form, "INLINE"), {"in": {"a": 1}}).outcome[0] == "Failed"


@pytest.mark.parametrize("form", ["whole input", "path", "variable", "context"])
def test_a_member_has_a_key(form: str) -> None:
    done = Lab().finish(over_form(form, ItemSelector=SHOWN), {"in": {"a": 1, "b": 2}})
    assert done.outcome[1] == [
        {"Index": 0, "Key": "a", "Value": 1, "Source": "STATE_DATA"},
        {"Index": 1, "Key": "b", "Value": 2, "Source": "STATE_DATA"},
    ]


@pytest.mark.parametrize("form", ["jsonata", "jsonata variable", "jsonata whole input"])
def test_a_member_has_a_key_in_jsonata(form: str) -> None:
    selector = {"is": "{% $states.context.Map.Item.Key & '=' & $states.context.Map.Item.Value %}"}
    done = Lab().finish(over_form(form, ItemSelector=selector), {"in": {"a": 1, "b": 2}})
    assert done.outcome[1] == [{"is": "a=1"}, {"is": "b=2"}]


def test_an_element_has_no_key_even_if_it_looks_like_a_member() -> None:
    done = Lab().finish(over_form("path", ItemSelector=SHOWN), {"in": [{"Key": "a", "Value": 1}]})
    assert done.outcome == ("Failed", "States.Runtime")
    without = {name: path for name, path in SHOWN.items() if name != "Key.$"}
    done = Lab().finish(over_form("path", ItemSelector=without), {"in": [{"Key": "a", "Value": 1}]})
    assert done.outcome[1] == [{"Index": 0, "Value": {"Key": "a", "Value": 1}, "Source": "STATE_DATA"}]


def test_batches_hold_members() -> None:
    selector = {"k.$": "$$.Map.Item.Key"}
    definition = over_form("path", ItemSelector=selector, ItemBatcher={"MaxItemsPerBatch": 2})
    done = Lab().finish(definition, {"in": {"a": 1, "b": 2, "c": 3}})
    assert done.outcome[1] == [{"Items": [{"k": "a"}, {"k": "b"}]}, {"Items": [{"k": "c"}]}]


@settings(max_examples=80, deadline=None)
@given(members=MEMBERS, cut=st.integers(0, 40), live=st.sampled_from([1, 20_000]))
def test_keys_are_there_after_a_crash_at_any_batch_and_from_storage(
    members: dict[str, Any], cut: int, live: int
) -> None:
    limits = Limits(turn_records=4, batch_records=1, live_executions=live)
    expected = [
        {"Index": index, "Key": key, "Value": value, "Source": "STATE_DATA"}
        for index, (key, value) in enumerate(members.items())
    ]
    whole = Lab(limits=limits).finish(over_form("path", ItemSelector=SHOWN, MaxConcurrency=1), {"in": members})
    assert whole.outcome == ("Succeeded", expected)
    again = Lab(limits=limits, store=rebuilt(whole.store, max(2, cut)), clock=whole.clock)
    again.id = whole.id
    again.run()
    assert again.outcome == ("Succeeded", expected)
    again.check()


def test_a_redriven_map_run_knows_its_members() -> None:
    state = distributed(machine({"T": task()}), ItemSelector=SHOWN, MaxConcurrency=1)
    lab = Lab({"T": [boom(), {"done": 1}, {"done": 2}]})
    lab.finish(machine({"M": state}), {"a": 1, "b": 2})
    assert lab.outcome == ("Failed", "States.ExceedToleratedFailureThreshold")
    lab.redrive()
    lab.run()
    assert lab.outcome == ("Succeeded", [{"done": 1}, {"done": 2}])
    assert sorted(json.loads(child.input)["Key"] for child in children(lab)) == ["a", "b"]


def run_reader(folder: Path, resource: str, config: dict[str, Any], shown: tuple[str, ...], **arguments: Any) -> Any:
    """What each item of a reader sees of itself."""
    reader = {"Resource": resource, "ReaderConfig": config, "Parameters": {"Bucket": "b", **arguments}}
    selector = {f"{name}.$": f"$$.Map.Item.{name}" for name in shown}
    definition = machine({"M": distributed(machine({"P": passing()}), ItemReader=reader, ItemSelector=selector)})
    with Executor(item_files=ItemFiles(s3=folder)) as ex:
        return json.loads(ex.run(definition).output)


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """The bucket ``b`` with two objects."""
    (tmp_path / "b" / "in").mkdir(parents=True)
    (tmp_path / "b" / "in" / "1").write_text("[1, 2.0]")
    (tmp_path / "b" / "in" / "2").write_text('{"k": 3}')
    return tmp_path


def test_flattened_items_name_their_objects(bucket: Path) -> None:
    config = {"InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN"}
    assert run_reader(bucket, LIST, config, ("Source",), Prefix="in/") == [
        {"Source": "S3://b/in/1"},
        {"Source": "S3://b/in/1"},
        {"Source": "S3://b/in/2"},
    ]


def test_other_readers_name_what_they_read(bucket: Path) -> None:
    json_config = {"InputType": "JSON"}
    assert run_reader(bucket, LIST, {}, ("Source",), Prefix="in/") == [{"Source": "S3://b"}] * 2
    assert run_reader(bucket, GET, json_config, ("Source",), Key="in/1") == [{"Source": "S3://b/in/1"}] * 2
    assert run_reader(bucket, GET, json_config, ("Key", "Value", "Source"), Key="in/2") == [
        {"Key": "k", "Value": 3, "Source": "S3://b/in/2"}
    ]
