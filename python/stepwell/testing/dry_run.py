"""A dry run of a whole state machine: each state with its data-flow steps, without side effects, always the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from stepwell.asl.json import dumps
from stepwell.engine.client.arguments import Definition, definition_text
from stepwell.engine.client.state_runs import Attempt, StateRun

from .data_flow import data_flow
from .mock import Mock
from .normalized import Normalizer
from .virtual_time.executor import TestExecutor

NAME = "dry-run"
"""The name of the execution and of the workflow, unless the caller says otherwise."""
_LONGEST_SECONDS = 366 * 86_400
"""As on AWS an execution takes a year of virtual time at most: a loop that polls for ever has an end."""


class DryRun(Struct, frozen=True):
    """What a dry run did. ``states`` are its steps, as JSON values; times, ids and UUIDs are normalised in them."""

    status: str
    output: Any
    error: str | None
    cause: str | None
    states: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """All of it, as a snapshot file has it."""
        end = {"error": self.error, "cause": self.cause} if self.error or self.cause else {"output": self.output}
        return {"status": self.status, **{key: value for key, value in end.items() if value is not None},
                "states": self.states}  # fmt: skip

    def to_json(self) -> str:
        """A JSON document with a line for each step of a state, so that a difference is easy to read."""
        ends = [(key, value) for key, value in self.as_dict().items() if key != "states"]
        head = "".join(f"  {_text(key)}: {_text(value)},\n" for key, value in ends)
        return f'{{\n{head}  "states": [{",".join(map(_json_state, self.states))}\n  ]\n}}\n'

    def lines(self) -> Iterator[str]:
        """The same as text for people."""
        for state in self.states:
            yield f"{state['state']}  ({state['type']})"
            for key, value in state.items():
                if key not in ("state", "type"):
                    yield f"  {key + ':':<22}{value if key in ('status', 'next') else _text(value)}"
        yield f"{self.status}" + (f": {self.error or ''}: {self.cause or ''}" if self.error or self.cause else "")
        if self.status == "SUCCEEDED":
            yield f"  {'output:':<22}{_text(self.output)}"


def _json_state(state: dict[str, Any]) -> str:
    return "\n    {\n" + ",\n".join(f"      {_text(key)}: {_text(value)}" for key, value in state.items()) + "\n    }"


def _text(value: Any) -> str:
    return dumps(value).decode()


def dry_run(definition: Definition, input: Any, mock: Mock | None = None, *, type: str = "STANDARD",
            workflow: str = NAME) -> DryRun:  # fmt: skip
    """Run a definition to its end on a virtual clock, in memory, with mocks alone.

    Raises ``InvalidDefinition``, ``UnscriptedTask`` for a task that is not mocked (nothing real is ever called), and
    ``WaitTimeout`` if it does not end within a year of virtual time.
    """
    mock = mock or Mock()
    text = definition_text(definition)
    with TestExecutor(mock=mock) as executor:
        executor.deploy(workflow, definition, type=type)
        execution = executor.start(workflow, input, NAME).wait(_LONGEST_SECONDS)
        level = execution.states.level
        normalize = Normalizer(text, dumps(input), *mock_texts(mock), ids=[execution.id, execution.arn])
        states = [normalize(_step(run)) for run in level.walk()]
        return DryRun(
            execution.aws_status,
            normalize(execution.output),
            execution.error,
            normalize(execution.cause),
            states,
        )


def mock_texts(mock: Mock) -> Iterator[bytes]:
    """What a mock answers, as JSON."""
    for answers in mock.by_state.values():
        for answer in answers:
            if answer.value is not None:
                yield dumps(answer.value)


def _step(run: StateRun) -> dict[str, Any]:
    step: dict[str, Any] = {"state": run.place, "type": run.type, "status": run.status, "input": run.input}
    if run.variables:
        step["variables"] = run.variables
    step |= {name: value for name, value in data_flow(run).items() if name != "variables"}
    failed = [_attempt(attempt) for attempt in run.attempts if attempt.failed]
    if failed:
        step["failedAttempts"] = failed
    if run.type == "Choice" and run.next is not None:
        step["chosen"] = "Default" if run.rule is None else f"Choices[{run.rule}]"
    if run.catcher is not None:
        step["caughtBy"] = f"Catch[{run.catcher}]"
    if run.assigned:
        step["assigned"] = run.assigned
    if run.status in ("Succeeded", "Caught"):
        step["output"] = run.output
    if run.next is not None:
        step["next"] = run.next
    return step


def _attempt(attempt: Attempt) -> dict[str, Any]:
    found: dict[str, Any] = {"error": attempt.error, "cause": attempt.cause}
    if attempt.retrier is not None:
        found["retriedBy"] = f"Retry[{attempt.retrier}]"
    return {key: value for key, value in found.items() if value is not None}
