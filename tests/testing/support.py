"""State machines that the tests of stepwell.testing run."""

from __future__ import annotations

from itertools import pairwise
from typing import Any


def machine(*states: dict[str, Any], **named: dict[str, Any]) -> dict[str, Any]:
    """A state machine of states that follow each other: ``S0``, ``S1``, or by their names."""
    all_states = {**{f"S{index}": state for index, state in enumerate(states)}, **named}
    names = list(all_states)
    following = dict(pairwise(names))
    for name, state in all_states.items():
        ends = {"Next": following[name]} if name in following else {"End": True}
        all_states[name] = state if state["Type"] in ("Choice", "Succeed", "Fail") else {**ends, **state}
    return {"StartAt": names[0], "States": all_states}


def task(resource: str, **fields: Any) -> dict[str, Any]:
    """A Task state."""
    return {"Type": "Task", "Resource": resource, **fields}


def wait(seconds: int) -> dict[str, Any]:
    """A Wait state."""
    return {"Type": "Wait", "Seconds": seconds}
