"""Whatever a field of a distributed Map comes to, the execution ends: no value makes a map run go on for ever."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.map_run_support import VALUES, children, distributed
from engine.support import Lab, machine, passing, task

NUMBERS = {
    "MaxConcurrency": (),
    "ToleratedFailureCount": (),
    "ToleratedFailurePercentage": (),
    "MaxItemsPerBatch": ("ItemBatcher",),
    "MaxInputBytesPerBatch": ("ItemBatcher",),
}
ITEMS = st.one_of(st.lists(st.integers(0, 9), max_size=6), VALUES, st.dictionaries(st.text(max_size=2), VALUES))


def with_field(name: str, form: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A machine whose distributed Map has the field by path, by variable or by expression; and its other fields."""
    fields: dict[str, Any] = {}
    holder = fields
    for place in NUMBERS[name]:
        holder = fields.setdefault(place, {})
    jsonata = form.startswith("jsonata")
    if jsonata:
        holder[name] = "{% $v %}" if form == "jsonata variable" else "{% $states.input.v %}"
    else:
        holder[f"{name}Path"] = "$v" if form == "variable" else "$.v"
    items = {"Items": "{% $states.input.items %}"} if jsonata else {"ItemsPath": "$.items"}
    assign = {"v": "{% $states.input.v %}"} if jsonata else {"v.$": "$.v"}
    states = {"A": passing("M", Assign=assign), "M": distributed(machine({"P": passing()}), **items, **fields)}
    return machine(states, QueryLanguage="JSONata" if jsonata else "JSONPath"), fields


def cause_of(done: Lab) -> Any:
    """Why the execution failed."""
    result = done.result(done.id)
    assert result is not None
    return result["cause"]


@pytest.mark.covers("A12.59", "A12.61", "A12.63")
@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(NUMBERS)),
    form=st.sampled_from(["path", "variable", "jsonata", "jsonata variable"]),
    value=VALUES,
    items=ITEMS,
)
def test_every_value_of_every_number_ends_in_a_defined_result(name: str, form: str, value: Any, items: Any) -> None:
    definition, _ = with_field(name, form)
    done = Lab().finish(definition, {"v": value, "items": items})
    status, answer = done.outcome
    assert status in ("Succeeded", "Failed")
    if status == "Failed":
        assert answer in ("States.Runtime", "States.QueryEvaluationError", "States.ItemReaderFailed"), answer
    elif "Batch" in name:
        inputs = [item for batch in answer for item in batch["Items"]]
        assert len(children(done)) == len(answer)
        assert all(batch["Items"] for batch in answer)
        assert len(inputs) == len(items)


@pytest.mark.covers("A12.59", "A12.61")
@pytest.mark.parametrize("name", sorted(set(NUMBERS) - {"ToleratedFailurePercentage"}))
@pytest.mark.parametrize("form", ["path", "jsonata"])
@pytest.mark.parametrize("value", [2**31, 2**63, 2**64, 10**30, 1e18, 1e39])
def test_a_number_that_no_log_could_hold_is_without_limit(name: str, form: str, value: Any) -> None:
    definition, _ = with_field(name, form)
    done = Lab().finish(definition, {"v": value, "items": [1, 2]})
    assert done.outcome == ("Succeeded", [{"Items": [1, 2]}] if "Batch" in name else [1, 2])


@pytest.mark.covers("A8.45")
@pytest.mark.parametrize("value", [2**31, 2**62, 2**64, 10**30])
@pytest.mark.parametrize("name", ["TimeoutSeconds", "HeartbeatSeconds"])
def test_so_are_the_seconds_of_a_task(name: str, value: int) -> None:
    state = {**task(), f"{name}Path": "$.v"}
    status, answer = Lab({"T": 1}).finish(machine({"T": state}), {"v": value}).outcome
    assert (status, answer) == (("Succeeded", 1) if value < 2**63 else ("Failed", "States.Runtime"))


@pytest.mark.covers("A12.61")
@pytest.mark.parametrize("name", ["MaxItemsPerBatch", "MaxInputBytesPerBatch"])
@pytest.mark.parametrize("form", ["path", "variable", "jsonata", "jsonata variable"])
def test_a_batch_s_limit_is_positive(name: str, form: str) -> None:
    definition, _ = with_field(name, form)
    done = Lab().finish(definition, {"v": -1, "items": [1, 2, 3]})
    assert done.outcome == ("Failed", "States.ItemReaderFailed")
    assert cause_of(done) == f"field {name} must be positive"
    assert children(done) == []


@pytest.mark.covers("A12.61")
@pytest.mark.parametrize("form", ["path", "variable", "jsonata"])
def test_a_batch_s_limit_of_0_is_none_as_it_is_of_max_items(form: str) -> None:
    definition, _ = with_field("MaxItemsPerBatch", form)
    done = Lab().finish(definition, {"v": 0, "items": [1, 2, 3]})
    assert done.outcome == ("Succeeded", [{"Items": [1, 2, 3]}])
