"""Mocks: what answers the tasks of a test in place of handlers, and records their calls.

>>> mock = Mock()
>>> charge = mock.state("Charge").fails("Card.Down", times=2).returns({"receipt": "r-1"})
>>> publish = mock.resource("arn:aws:states:::sns:publish").returns({"MessageId": "m-1"})

The same mocks may stand in a mock file of Step Functions Local: ``Mock.load`` and ``Mock.save``.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable
from typing import Any

from stepwell.asl.resources import Resource, function_name, parse_resource
from stepwell.errors import InvalidInput, StepwellError
from stepwell.tasks.calls import Call

from .answers_of_mocks import Answer, Function, Kind, answer, answer_of, json_value
from .mock_calls import MockCall, MockCalls
from .mock_files import answers_in, document_of, save
from .mocks import MockFile, Source, UnscriptedTask
from .virtual_time.durations import Duration

__tracebackhide__ = operator.methodcaller("errisinstance", (AssertionError, StepwellError))
"""Of such an error pytest shows the line of the test, not this module."""
ANY: Any = object()
"""Every item: the mock does not look at it."""


class MockedTask:
    """The answers to the calls of one state, or of one resource, in their order.

    Each answer is for one call, or for ``times`` calls; the last one is for all that follow, unless it has ``times``: a
    further call then fails the test. ``delay`` is virtual time until the task has the result. All return the object.
    """

    def __init__(self, mock: Mock, what: str, fits: Callable[[MockCall], bool], weight: int) -> None:
        self._mock, self.what, self.fits, self.weight = mock, what, fits, weight
        self.list: list[Answer] = []
        self.state_name: str | None = None
        """The state, where that alone says which calls they are."""
        self._answered: dict[str, Answer | None] = {}
        self._count = 0

    def returns(self, value: Any = None, *, times: int | None = None, delay: Duration = 0) -> MockedTask:
        """The task's whole result, any JSON value, as in a mock file; for ``lambda:invoke`` with its ``Payload``.

        A task that waits for its token, or for a job, has its result at once too. Raises ``InvalidInput``.
        """
        return self._add("returns", times, delay, value=json_value(value, self.what))

    def fails(
        self, error: str, cause: str | None = None, *, times: int | None = None, delay: Duration = 0
    ) -> MockedTask:
        """The task fails: Retry and Catch see it. ``"States.Timeout"`` is a timeout that takes no time."""
        if not isinstance(error, str) or not error or not isinstance(cause, str | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput(f"{self.what}: an error and its cause are texts, not {error!r} and {cause!r}")
        return self._add("fails", times, delay, error=error, cause=cause)

    def answers(self, function: Function, *, times: int | None = None, delay: Duration = 0) -> MockedTask:
        """What ``function(input)`` or ``function(input, ctx)`` returns or raises, as a handler would."""
        if not callable(function):
            raise TypeError(f"{self.what}: {function!r} cannot be called")
        return self._add("answers", times, delay, function=function)

    def accepts(self, *, times: int | None = None) -> MockedTask:
        """The call is made and the task stays open: the test answers it, by its token or by its state's name."""
        return self._add("accepts", times, 0)

    def hangs(self, *, times: int | None = None) -> MockedTask:
        """No answer ever comes: the state's TimeoutSeconds or HeartbeatSeconds pass, if it has any."""
        return self._add("hangs", times, 0)

    def passes_through(self, *, times: int | None = None) -> MockedTask:
        """The real handler is called, also where the mock is strict."""
        return self._add("passes", times, 0)

    def clear(self) -> MockedTask:
        """Forget the answers: those that follow take their place, such as a test's in place of its fixture's."""
        self.list.clear()
        self._count = 0
        return self

    def _add(self, kind: Kind, times: int | None, delay: Duration, **fields: Any) -> MockedTask:
        self.list.append(answer(kind, times, delay, place=self.what, **fields))
        return self

    def answer_for(self, task_id: str) -> Answer | None:
        """The answer of a task: the same one if it is asked for again. None: there is none any more."""
        if task_id not in self._answered:
            self._answered[task_id] = answer_of(self.list, self._count)
            self._count += 1
        return self._answered[task_id]

    # what was called

    @property
    def calls(self) -> MockCalls:
        """The calls that this is about, in their order, whoever answered them."""
        return MockCalls([call for call in self._mock.calls if self.fits(call)], self.what)

    @property
    def inputs(self) -> list[Any]:
        """What they were called with."""
        return self.calls.inputs

    def assert_called(self, times: int | None = None) -> None:
        """Raise ``AssertionError`` unless there was a call, or were so many."""
        self.calls.assert_called(times)

    def assert_called_once(self) -> None:
        """Raise ``AssertionError`` unless there was one call."""
        self.calls.assert_called_once()

    def assert_not_called(self) -> None:
        """Raise ``AssertionError`` if there was any call."""
        self.calls.assert_not_called()

    def assert_called_with(self, input: Any) -> None:
        """Raise ``AssertionError`` unless the last call had this input."""
        self.calls.assert_called_with(input)

    def assert_any_call(self, input: Any) -> None:
        """Raise ``AssertionError`` unless a call had this input."""
        self.calls.assert_any_call(input)


def _check(kind: str, name: object, index: object, when: object) -> None:
    """Raise ``InvalidInput`` for what no call can fit: such a mock would never answer."""
    if not isinstance(name, str) or not name:
        raise InvalidInput(f"mock.{kind} takes a name, not {name!r}")
    if index is not None and (isinstance(index, bool) or not isinstance(index, int) or index < 0):
        raise InvalidInput(f"{kind} {name!r}: index is a whole number from 0, not {index!r}")
    if when is not None and not callable(when):
        raise InvalidInput(f"{kind} {name!r}: when is a function of the input, not {when!r}")


class Mock:
    """The mocks of a test. ``strict``: a task without a mock fails the test, even where there is a handler.

    Without ``strict`` a task that is not mocked goes to its handler; one that has none fails the test in any case.
    Activities, and tasks that wait for their tokens, may also be answered by the test, by ``execution.complete``.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self._tasks: list[MockedTask] = []
        self._recorded: list[MockCall] = []

    def state(
        self,
        name: str,
        *,
        workflow: str | None = None,
        index: int | None = None,
        item: Any = ANY,
        when: Callable[[Any], bool] | None = None,
    ) -> MockedTask:
        """The calls of the states of this name; the same object if it is asked for again with the same arguments.

        ``workflow`` restricts it to one workflow; ``index`` (from 0) or ``item`` to an iteration of a Map state or a
        child of a Distributed Map, by its number or its input; ``when(input)`` to calls with such an input. Of
        several mocks that fit, the one that says most counts, and of those the newest.
        """
        return self._task(("state", name, workflow, index, item, when), f"state {name!r}")

    def resource(
        self, resource: str, *, index: int | None = None, item: Any = ANY, when: Callable[[Any], bool] | None = None
    ) -> MockedTask:
        """The calls of this Resource, an ARN or a handler's name, in all states. A mock of the state goes first.

        As for handlers, the name of a Lambda function stands for its ARN, and for ``lambda:invoke`` with this
        FunctionName.
        """
        return self._task(("resource", resource, None, index, item, when), f"resource {resource!r}")

    def _task(self, key: tuple[str, str, str | None, int | None, Any, Any], what: str) -> MockedTask:
        kind, name, workflow, index, item, when = key
        _check(kind, name, index, when)
        details = [f"index={index}"] if index is not None else []
        details += [f"item={item!r}"] if item is not ANY else []
        details += [f"workflow={workflow!r}"] if workflow is not None else []
        details += [f"when={when!r}"] if when is not None else []
        what = " ".join([what, *details])
        for each in self._tasks:
            if each.what == what:
                return each

        def fits(call: MockCall) -> bool:
            return (
                name in ((call.state,) if kind == "state" else (call.resource, call.function))
                and workflow in (None, call.workflow)
                and index in (None, call.index)
                and (item is ANY or (call.index is not None and call.item == item))
                and (when is None or bool(when(call.input)))
            )

        mocked = MockedTask(self, what, fits, 10 * len(details) + (kind == "state"))
        mocked.state_name = name if kind == "state" and not details else None
        self._tasks.append(mocked)
        return mocked

    # calls

    @property
    def calls(self) -> MockCalls:
        """All calls that tasks made, in their order, also those of real handlers."""
        return MockCalls(self._recorded, "all tasks")

    def record(self, call: MockCall) -> None:
        """A task makes a call."""
        self._recorded.append(call)

    def find(self, call: MockCall) -> MockedTask | None:
        """The mock of a call; None: it is not mocked."""
        fitting = [each for each in self._tasks if each.list and each.fits(call)]
        return max(reversed(fitting), key=lambda each: each.weight, default=None)

    def answer(self, call: MockCall) -> Answer | None:
        """The answer of a call; None: it is not mocked. Raises ``UnscriptedTask`` after the last answer."""
        mocked = self.find(call)
        if mocked is None:
            return None
        found = mocked.answer_for(call.task_id)
        if found is None:
            raise UnscriptedTask(
                f"the mock of {mocked.what} has no answer left for a call with {call.input!r} "
                f"(workflow {call.workflow!r}, execution {call.execution_id})"
            )
        return found

    @property
    def mocked(self) -> list[str]:
        """What has answers, in words."""
        return [each.what for each in self._tasks if each.list]

    # mock files

    @property
    def by_state(self) -> dict[str, list[Answer]]:
        """The answers of each state. Raises ``InvalidInput`` for mocks that a mock file cannot hold."""
        found: dict[str, list[Answer]] = {}
        for each in self._tasks:
            if not each.list:
                continue
            if each.state_name is None:
                raise InvalidInput(f"a mock file holds answers by state, and none for {each.what}")
            found[each.state_name] = each.list
        return found

    @classmethod
    def load(cls, source: Source | MockFile, workflow: str, case: str, *, strict: bool = False) -> Mock:
        """The mocks of a test case of a mock file (its path, its text, or its content). Raises ``InvalidInput``."""
        mock = cls(strict=strict)
        for state, answers in answers_in(source, workflow, case).items():
            mock.state(state).list.extend(answers)
        return mock

    def document(self, workflow: str, case: str) -> dict[str, Any]:
        """The mocks as a test case of a mock file of Step Functions Local. Raises ``InvalidInput`` for functions,
        delays, and other answers that such a file cannot hold.
        """
        return document_of(self.by_state, workflow, case)

    def save(self, path: str | os.PathLike[str], workflow: str, case: str) -> None:
        """Write the mocks into a mock file, as a test case; the other cases that the file has stay. Raises
        ``InvalidInput`` as ``document`` does, and for a file that is no mock file.
        """
        save(self.by_state, path, workflow, case)


def checked_mock(mock: object) -> Mock:
    """Raise ``InvalidInput`` for what is no ``Mock``."""
    if not isinstance(mock, Mock):
        raise InvalidInput(f"mock is a Mock, not {mock!r}: Mock.load reads a file")
    return mock


def called(call: Call, input: Any, **place: Any) -> MockCall:
    """A call as it is recorded."""
    return MockCall(
        state=call.state_name,
        resource=call.resource,
        workflow=call.state_machine_arn.rpartition(":stateMachine:")[2].partition("/")[0].partition(":")[0],
        input=input,
        attempt=call.attempt,
        execution_id=call.execution_id,
        task_id=call.id,
        function=_function(parse_resource(call.resource), input),
        token=call.token,
        **place,
    )


def _function(resource: Resource, input: Any) -> str:
    """The name by which a task's handler is found; "" where only the Resource itself is one."""
    if resource.invokes_function:
        return function_name(input) or ""
    return resource.name if resource.kind == "lambda" else ""
