"""Bodies that no client would send: every one is answered, none with a failure of the server."""

from __future__ import annotations

import json
import os
from types import NoneType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
import pytest
import urllib3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepwell.step_functions import model
from stepwell.step_functions.constraints import Member, members_of

from .support import Served, machine

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
"""Of each operation and kind of body."""
OPERATIONS = sorted(set(model.OPERATIONS) - {"GetActivityTask"})  # it waits, if it finds an activity
SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
ARN = "arn:aws:states:us-east-1:000000000000"
DEFINITION = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
texts = st.one_of(
    st.text(max_size=100),
    st.sampled_from(["", "{}", "null", DEFINITION, "A" * 300, "\x00", "a/b", "$.x", "{% $x %}"]),
    json_values.map(json.dumps),
    st.builds(
        lambda kind, rest: f"{ARN}:{kind}:{rest}",
        st.sampled_from(["stateMachine", "execution", "express", "activity", "mapRun", "x"]),
        st.sampled_from(["fuzzed", "fuzzed:1", "fuzzed:prod", "fuzzed/label:1", ":", "a:b:c:d", "\ud7ff", "é:e"]),
    ),
)


def values(member: Member) -> st.SearchStrategy[Any]:
    """Values of a member: mostly of its type, with its constraints kept or not."""
    return st.one_of(of_type(member.type), of_type(member.type), json_values)


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    if get_origin(kind) is Union or isinstance(kind, type(int | None)):
        (kind,) = (each for each in get_args(kind) if each is not NoneType)
    if hasattr(kind, "__metadata__"):
        kind = kind.__origin__
    if get_origin(kind) is list:
        return st.lists(of_type(get_args(kind)[0]), max_size=4)
    if get_origin(kind) is Literal:
        return st.sampled_from([*get_args(kind), "other"])
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return requests(kind)
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(-10, 2000) | st.integers()
    return st.floats(allow_nan=False) if kind is float else texts


def requests(struct: type[msgspec.Struct]) -> st.SearchStrategy[dict[str, Any]]:
    members = members_of(struct)
    needed = {each.name: values(each) for each in members if each.is_required}
    return st.fixed_dictionaries(needed, optional={each.name: values(each) for each in members if not each.is_required})


@pytest.fixture(scope="module")
def pool(served: Served) -> Any:
    machine(served.client, "fuzzed")
    return urllib3.PoolManager(maxsize=1, retries=False)


def check(pool: Any, served: Served, operation: str, body: bytes) -> None:
    """The answer is one of AWS's forms, and an error is one that the model has for the operation, or a common one."""
    headers = {"X-Amz-Target": f"AWSStepFunctions.{operation}"}
    answer = pool.request("POST", served.url, body=body, headers=headers)
    found = json.loads(answer.data)
    assert answer.status in (200, 400), found
    if answer.status == 400:
        code = found["__type"].rpartition("#")[2]
        assert code in model.OPERATIONS[operation].errors | COMMON, found


COMMON = frozenset({"ValidationException", "SerializationException", "UnknownOperationException"})


@pytest.mark.parametrize("operation", OPERATIONS)
def test_requests_of_an_operation(served: Served, pool: Any, operation: str) -> None:
    @SETTINGS
    @given(requests(model.OPERATIONS[operation].request))
    def answered(request: dict[str, Any]) -> None:
        check(pool, served, operation, json.dumps(request).encode())

    answered()


@SETTINGS
@given(st.sampled_from(OPERATIONS), json_values)
def test_any_json(served: Served, pool: Any, operation: str, value: Any) -> None:
    check(pool, served, operation, json.dumps(value).encode())


@SETTINGS
@given(st.sampled_from(OPERATIONS), st.binary(max_size=200))
def test_any_bytes(served: Served, pool: Any, operation: str, body: bytes) -> None:
    check(pool, served, operation, body)


@SETTINGS
@given(
    st.sampled_from(["CreateStateMachine", "ValidateStateMachineDefinition", "TestState", "StartExecution"]),
    st.data(),
)
def test_torn_requests(served: Served, pool: Any, operation: str, data: st.DataObject) -> None:
    """A request with a piece cut out, or twice."""
    request = json.dumps(data.draw(requests(model.OPERATIONS[operation].request)), ensure_ascii=False).encode()
    begin, end = sorted(data.draw(st.tuples(*[st.integers(0, len(request))] * 2)))
    piece = b"" if data.draw(st.booleans()) else request[begin:end] * 2
    check(pool, served, operation, request[:begin] + piece + request[end:])
