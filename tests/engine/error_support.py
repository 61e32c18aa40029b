"""What the tests of Retry and Catch share: a state that fails, and one whose errors are caught."""

from __future__ import annotations

from engine.support import Definition, catch, machine, passing

CAUGHT = passing()


def fails(error: str | None = "Boom", cause: str | None = None) -> Definition:
    """A Fail state."""
    fields = {"Error": error, "Cause": cause}
    return {"Type": "Fail", **{name: value for name, value in fields.items() if value is not None}}


def caught_by(state: Definition, *names: str) -> Definition:
    """A machine whose first state, ``state``, has one catcher."""
    return machine({"S": {**state, "Catch": [catch(*names)]}, "Caught": CAUGHT})
