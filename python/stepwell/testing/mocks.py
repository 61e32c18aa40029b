"""The mock file of Step Functions Local: the answers of integrations in each test case (ASL A16.82).

::

    {"StateMachines": {"Order": {"TestCases": {"Declined": {"Charge": "TwiceDown", "Notify": "Sent"}}}},
     "MockedResponses": {"TwiceDown": {"0-1": {"Throw": {"Error": "Card.Down", "Cause": "503"}},
                                       "2": {"Return": {"ok": true}}},
                         "Sent": {"0": {"Return": {"MessageId": "m1"}}}}}

A state's calls are counted from 0: its attempts, and those of all iterations of a Map together. ``Return`` is the whole
result of the task, even if the task would wait for a token or for a job; it is also the first answer of the call.
``Throw`` fails the task.

In a scripted run a Distributed Map state may be mocked too: its first call returns the list that its ItemReader reads,
its next call what its ResultWriter returns.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from stepwell.asl.definition import compile_definition
from stepwell.asl.json import dumps, is_array, is_object, loads
from stepwell.asl.machine import StateMachine
from stepwell.asl.states import MapState, State, TaskState
from stepwell.asl.validate.json_text import JsonSyntaxError, RepeatedKeys, parse
from stepwell.engine.client.arguments import Definition, definition_text
from stepwell.engine.state.map_run import READ_ITEMS
from stepwell.errors import InvalidInput, StepwellError, TaskError
from stepwell.tasks.context import HandlerContext
from stepwell.tasks.dispatch import Answered
from stepwell.tasks.handlers import Handler, Handlers, Registration

from .answers import check_answer, result_of

Source: TypeAlias = dict[str, Any] | str | bytes | os.PathLike[str]
"""A mock file: its content as an object, its JSON text, or its path."""
_CALLS = re.compile(r"(?P<first>[0-9]+)(?:-(?P<last>[0-9]+))?")
_MOST_DIGITS = 9
_LINE = re.compile(r"line: (\d+), column: (\d+)")


class UnscriptedTask(StepwellError):
    """A task was scheduled and no answer is left for it."""


class Response(NamedTuple):
    """What the calls up to ``last`` return: a result, or an error."""

    last: int
    place: str
    value: Any = None
    error: str | None = None
    cause: str | None = None


class MockFile:
    """The cases of a mock file, which is given as its path, its JSON text, or its content. Raises ``InvalidInput``."""

    def __init__(self, source: Source) -> None:
        document = read_document(source)
        responses = _object(document, "MockedResponses")
        self._responses = {name: _responses(name, responses[name]) for name in responses}
        self._machines: dict[str, dict[str, dict[str, str]]] = {}
        for workflow, machine in _object(document, "StateMachines").items():
            place = f"StateMachines.{workflow}"
            cases = _object(machine, "TestCases", place)
            if "" in cases:
                raise InvalidInput(f"{place}.TestCases has a case without a name")
            self._machines[workflow] = {
                name: self._references(_object(cases, name, f"{place}.TestCases"), f"{place}.TestCases.{name}")
                for name in cases
            }

    def _references(self, states: dict[str, Any], place: str) -> dict[str, str]:
        for state, reference in states.items():
            if not isinstance(reference, str) or reference not in self._responses:
                raise InvalidInput(f"{place}.{state} names {reference!r}, which is none of the MockedResponses")
        return states

    def workflows(self) -> list[str]:
        """The workflows that have cases."""
        return list(self._machines)

    def cases(self, workflow: str) -> list[str]:
        """The names of a workflow's cases."""
        return list(self._machine(workflow))

    def case(self, workflow: str, name: str) -> MockedCase:
        """A case of a workflow. It counts calls, so take a new one for each execution."""
        cases = self._machine(workflow)
        if name not in cases:
            raise InvalidInput(f"{workflow!r} has no case {name!r}; it has {', '.join(cases) or 'none'}")
        return MockedCase(workflow, name, cases[name], self._responses)

    def _machine(self, workflow: str) -> dict[str, dict[str, str]]:
        if workflow not in self._machines:
            raise InvalidInput(f"the mock file has no state machine {workflow!r}: {', '.join(self._machines)}")
        return self._machines[workflow]


class MockedCase:
    """The answers for the states of one execution. ``state in case``: whether the state is mocked."""

    def __init__(
        self, workflow: str, case: str, references: Mapping[str, str], responses: Mapping[str, list[Response]]
    ) -> None:
        self.name = f"{workflow}#{case}"
        self._place = f"StateMachines.{workflow}.TestCases.{case}"
        self._references = references
        self._responses = {state: responses[reference] for state, reference in references.items()}
        self._calls = dict.fromkeys(references, 0)
        self._counting = threading.Lock()

    @property
    def responses(self) -> Mapping[str, list[Response]]:
        """The responses of each state, in the order of its calls."""
        return self._responses

    def __contains__(self, state: object) -> bool:
        return state in self._responses

    def __repr__(self) -> str:
        return f"<MockedCase {self.name}>"

    def respond(self, state: str) -> Any:
        """The result of a state's next call. Raises ``TaskError`` for a Throw, ``UnscriptedTask`` after the last."""
        return self.respond_at(state)[1]

    def respond_at(self, state: str) -> tuple[str, Any]:
        """Like ``respond``, with the place of the result in the mock file."""
        with self._counting:
            call = self._calls[state]
            self._calls[state] = call + 1
        response = next((each for each in self._responses[state] if call <= each.last), None)
        if response is None:
            place = f"MockedResponses.{self._references[state]}"
            raise UnscriptedTask(f"{place} has no response for call {call} of state {state!r} ({self.name})")
        if response.error is not None:
            raise TaskError(response.error, response.cause)
        return response.place, response.value

    def count_from(self, calls: Mapping[str, int]) -> None:
        """Continue after so many calls of each state, which an earlier process answered."""
        self._calls |= {state: count for state, count in calls.items() if state in self._calls}

    def check(self, machine: StateMachine) -> None:
        """Raise ``InvalidInput`` for a mocked state that makes no call in ``machine``, or cannot take its response."""
        for name, responses in self._responses.items():
            state = machine.by_name.get(name)
            if not _calls_something(state):
                raise InvalidInput(f"{self._place}.{name}: the definition has no state {name!r} that calls anything")
            first = responses[0]
            if isinstance(state, MapState) and state.reader is not None and first.error is None:
                check_answer(first.place, name, READ_ITEMS, None, first.value)

    def handlers(
        self, definition: Definition, real: Mapping[str, Handler] = MappingProxyType({})
    ) -> dict[str, Handler]:
        """Handlers for an ``Executor``: they answer mocked states, and call the ``real`` handlers for the others.

        Activities are not included, because their workers poll. Raises ``InvalidInput`` for a mocked state that is not
        a Task state of the definition.
        """
        found = Handlers(real)
        mocked = {resource: _either(self, Registration(function)) for resource, function in real.items()}
        tasks = {
            state.name: state
            for state in compile_definition(definition_text(definition)).by_name.values()
            if isinstance(state, TaskState)
        }
        for name in self._responses:
            if name not in tasks:
                raise InvalidInput(f"{self._place}.{name}: the definition has no Task state {name!r}")
            task = tasks[name]
            handler = found.find(task.parsed, partial(_arguments, task)) or Registration(_no_handler)
            mocked.setdefault(task.resource, _either(self, handler))
        return mocked


def _calls_something(state: State | None) -> bool:
    if isinstance(state, MapState):
        return state.reader is not None or state.writer is not None
    return isinstance(state, TaskState)


def _arguments(task: TaskState) -> Any:
    return task.definition.get("Parameters") or task.definition.get("Arguments")


def _either(case: MockedCase, real: Registration) -> Handler:
    """A handler that answers mocked states and calls the ``real`` one for the others."""
    function = real.function

    def answer(value: Any, context: HandlerContext) -> Any:
        if context.state_name in case:
            return Answered(result_of(context.resource, case.respond(context.state_name)))
        return function(*real.arguments(value, context))

    async def answer_async(value: Any, context: HandlerContext) -> Any:
        if context.state_name in case:
            return Answered(result_of(context.resource, case.respond(context.state_name)))
        return await function(*real.arguments(value, context))

    return answer_async if real.is_async else answer


def _no_handler(value: Any, context: HandlerContext) -> Any:
    raise UnscriptedTask(f"state {context.state_name!r} is not mocked, and {context.resource!r} has no handler")


def read_document(source: Source) -> dict[str, Any]:
    """The content of a mock file. Raises ``InvalidInput`` unless it is an object."""
    document = source if is_object(source) else _parsed(_text(source))
    if not is_object(document):
        raise InvalidInput("a mock file holds an object with StateMachines and MockedResponses")
    return document


def _text(source: Source) -> str:
    if isinstance(source, str) and source.lstrip().startswith("{"):
        return source
    assert not isinstance(source, dict)
    try:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
        return data.decode("utf-8-sig")
    except (OSError, ValueError) as error:  # a path may hold a null character
        raise InvalidInput(f"the mock file cannot be read: {error}") from error


def _parsed(text: str) -> Any:
    """The value of the text, in which no member may stand twice: one of the two would not count."""
    try:
        value, repeated = parse(text)
    except JsonSyntaxError as error:
        match = _LINE.search(error.place)
        where = f" at line {match[1]}, column {match[2]}" if match is not None else ""
        problem = error.message.partition(" (start marker")[0]
        raise InvalidInput(f"the mock file is not valid JSON{where}: {problem}") from error
    try:
        first = next(_repeated(value, repeated, ""), None)
    except RecursionError as error:
        raise InvalidInput("the mock file is nested too deeply") from error
    if first is not None:
        raise InvalidInput(f"{first[0] or 'the mock file'} has {first[1]!r} twice")
    return loads(text)


def _repeated(value: Any, repeated: RepeatedKeys, place: str) -> Iterator[tuple[str, str]]:
    """The places of objects that have a member twice, and its name."""
    if is_object(value):
        yield from ((place, key) for key in repeated.of(value))
        for key, item in value.items():
            yield from _repeated(item, repeated, f"{place}.{key}".lstrip("."))
    elif is_array(value):
        for index, item in enumerate(value):
            yield from _repeated(item, repeated, f"{place}[{index}]")


def _object(holder: Any, name: str, place: str = "the mock file") -> dict[str, Any]:
    value = holder.get(name) if is_object(holder) else None
    if not is_object(value):
        raise InvalidInput(f"{place} has no object {name}")
    return value


def _responses(name: str, given: Any) -> list[Response]:
    """The responses of one reference, in the order of their calls; gaps are refused."""
    place = f"MockedResponses.{name}"
    if not is_object(given) or not given:
        raise InvalidInput(f'{place} is an object of responses by call: "0", "1-2"')
    ranges = sorted((*_range(calls, place), calls) for calls in given)
    found: list[Response] = []
    for first, last, calls in ranges:
        response = given[calls]
        expected = found[-1].last + 1 if found else 0
        if first != expected:
            problem = "more than one response" if first < expected else "no response"
            raise InvalidInput(f"{place} has {problem} for call {min(first, expected)}")
        found.append(_response(last, response, f"{place}.{calls}"))
    return found


def _range(calls: object, place: str) -> tuple[int, int]:
    match = _CALLS.fullmatch(calls) if isinstance(calls, str) and len(calls) <= 2 * _MOST_DIGITS else None
    first, last = (int(match["first"]), int(match["last"] or match["first"])) if match else (1, 0)
    if last < first:
        raise InvalidInput(f'{place} has {calls!r}, which is no call such as "0" or "1-2"')
    return first, last


def _response(last: int, given: Any, place: str) -> Response:
    if is_object(given) and set(given) == {"Return"}:
        return Response(last, f"{place}.Return", _json_value(given["Return"], f"{place}.Return"))
    thrown = given.get("Throw") if is_object(given) and set(given) == {"Throw"} else None
    if not is_object(thrown) or not isinstance(thrown.get("Error"), str) or not thrown["Error"]:
        raise InvalidInput(f"{place} is either a Return, or a Throw with an Error and a Cause")
    cause = thrown.get("Cause")
    if cause is not None and not isinstance(cause, str):
        raise InvalidInput(f"{place}.Throw.Cause is a text, not {cause!r}")
    return Response(last, f"{place}.Throw", None, thrown["Error"], cause)


def _json_value(value: Any, place: str) -> Any:
    """The value after encoding as JSON: tuples become lists, names become texts."""
    try:
        return loads(dumps(value))
    except InvalidInput as error:
        raise InvalidInput(f"{place}: {error}") from error
