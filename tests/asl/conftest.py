"""Fixtures for tests of the language: one state compiled within a machine, and the scope that it runs in."""

import pytest

from stepwell.asl.definition import compile_definition
from stepwell.asl.errors import AslError
from stepwell.asl.scope import Scope

CONTEXT = {"Execution": {"Id": "run:1", "Input": {"asked": 1}}, "State": {"Name": "S"}}


@pytest.fixture
def compile_state():
    """The compiled state of a definition, in a machine with the states ``A``, ``B`` and ``C`` as targets."""

    def compile_it(definition, **machine):
        ends = {"Choice", "Succeed", "Fail"}
        state = definition if definition["Type"] in ends or "Next" in definition else {**definition, "End": True}
        # A Choice state leads to all three, so that validation does not report them as unreachable.
        targets = {name: {"Type": "Pass", "End": True} for name in ("A", "B", "C")}
        condition = (
            {"Condition": True} if machine.get("QueryLanguage") == "JSONata" else {"Variable": "$", "IsPresent": True}
        )
        roads = [{**condition, "Next": name} for name in ("S", "A", "B", "C")]
        states = {"S": state, "Roads": {"Type": "Choice", "Choices": roads, "Default": "S"}, **targets}
        return compile_definition({"StartAt": "Roads", "States": states, **machine}).states["S"]

    return compile_it


@pytest.fixture
def scope():
    """A scope over an input, with variables by keyword."""

    def make(document=None, *, context=CONTEXT, **variables):
        return Scope(document, variables, lambda: context)

    return make


@pytest.fixture
def fails():
    """The (error, cause, location) of a failing call."""

    def call(function, *arguments):
        with pytest.raises(AslError) as raised:
            function(*arguments)
        return raised.value.error, raised.value.cause, raised.value.location

    return call
