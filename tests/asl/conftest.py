"""What the tests of the language share: one state compiled within a machine, and the scope that it runs in."""

import pytest

from stepwell.asl.definition import compile_definition
from stepwell.asl.errors import AslError
from stepwell.asl.scope import Scope

CONTEXT = {"Execution": {"Id": "run:1", "Input": {"asked": 1}}, "State": {"Name": "S"}}


@pytest.fixture
def compile_state():
    """The state of a definition, in a machine that has the states ``A``, ``B`` and ``C`` to go to."""

    def compile_it(definition, **machine):
        ends = {"Choice", "Succeed", "Fail"}
        state = definition if definition["Type"] in ends or "Next" in definition else {**definition, "End": True}
        # A Choice state that reaches all three keeps validation from finding them unreachable.
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
    """The (error, cause, location) with which a call fails."""

    def call(function, *arguments):
        with pytest.raises(AslError) as raised:
            function(*arguments)
        return raised.value.error, raised.value.cause, raised.value.location

    return call
